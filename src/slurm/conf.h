/* SPDX-License-Identifier: Apache-2.0 */
/* slurm/conf.h - Slurm and MPI configuration of one realm as text. Pure. */
#ifndef TESTUDO_SLURM_CONF_H
#define TESTUDO_SLURM_CONF_H

#include <testudo/base.h>

struct slurm_node {
    const char *name, *address;
    unsigned cores, memory_mib;
    bool controller;  /* exactly one of a realm runs slurmctld */
    bool schedulable; /* is a NodeName */
    bool future;      /* named, not started */
};
/* Nodes first .. first+count-1 of the realm. */
struct slurm_partition {
    const char *name;
    size_t first, count;
};
struct slurm_realm {
    const char *cluster_name;
    const struct slurm_node *nodes;
    size_t node_count;
    const struct slurm_partition *partitions;
    size_t partition_count;
};
/* {"slurm.conf": text, "plugstack.conf": ..., "cgroup.conf": ..., "openmpi-mca-params.conf": ...}: what the broker
 * hands to a member. */
int slurm_files(const struct slurm_realm *realm, json_t **out, struct tst_error **err);

#endif
