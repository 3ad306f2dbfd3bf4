/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/cluster.h - cluster file -> plan. Reading and planning are pure; providers (provider.h) act on a plan. */
#ifndef TESTUDO_CLUSTER_H
#define TESTUDO_CLUSTER_H

#include <testudo/appraise.h>

#define CLUSTER_NAME_MAX 11     /* "tst-" + name is the bridge's name, at most 15 characters */
#define CLUSTER_PARTITIONS_MAX 16
#define CLUSTER_REALM_NODES_MAX 90 /* addresses .11-.100 and .111-.200 */
#define CLUSTER_FILE_MAX_BYTES (64 * 1024)
#define CLUSTER_BROKER_PORT 8443

struct cluster_partition {
    char name[32];
    unsigned nodes, max; /* started by `up`; names reserved in the plan */
    unsigned cores, memory_mib;
    enum tst_level level;
    char *policy; /* path as written; NULL for level none */
};
/* docs/protocol.md "Cluster file". */
struct cluster_file {
    char name[CLUSTER_NAME_MAX + 1];
    char *provider;
    uint8_t network[4]; /* a /24; the last byte is 0 */
    unsigned lease_s;   /* how long an admission holds without new evidence */
    unsigned controller_cores, controller_memory_mib;
    struct cluster_partition partitions[CLUSTER_PARTITIONS_MAX];
    size_t partition_count;
};
/* Errors are TST_USAGE "FILE:LINE:COLUMN: ...". `file` names the text in messages only. */
int cluster_file_parse(const char *file, const char *text, size_t n, struct cluster_file **out, struct tst_error **err);
void cluster_file_free(struct cluster_file *f);
TST_CLEANUP_FN(struct cluster_file *, cluster_file_free)
#define AUTO_CLUSTER_FILE TST_CLEANUP(cluster_file_free) struct cluster_file *

struct plan_member {
    char instance[8];
    bool controller; /* role: runs slurmctld */
    bool schedulable; /* a NodeName of slurm.conf */
    bool reserved;   /* not started by `up` */
    char address[16];
    unsigned cores, memory_mib;
};
/* A partition's members are first .. first+count-1 of its realm. */
struct plan_partition {
    char name[32];
    size_t first, count;
};
struct plan_realm {
    const char *name; /* "sealed" or "plain" */
    enum tst_level level;
    char *policy; /* path as written in the cluster file; NULL for the plain realm */
    struct plan_member members[CLUSTER_REALM_NODES_MAX + 1]; /* the controller first */
    size_t member_count;
    struct plan_partition partitions[CLUSTER_PARTITIONS_MAX];
    size_t partition_count;
};
struct plan {
    char cluster[CLUSTER_NAME_MAX + 1];
    char gateway[16], broker[24]; /* "10.77.0.1", "10.77.0.1:8443" */
    char network[16];             /* "10.77.0.0" */
    unsigned lease_s;
    struct plan_realm realms[2];
    size_t realm_count;
};
int plan_of(const struct cluster_file *f, struct plan **out, struct tst_error **err);
void plan_free(struct plan *p);
TST_CLEANUP_FN(struct plan *, plan_free)
#define AUTO_PLAN TST_CLEANUP(plan_free) struct plan *
/* "controller" or "node". */
const char *plan_role(const struct plan_member *m);
/* NULL if the plan has no such instance; *realm is set when it is found (may be NULL). */
const struct plan_member *plan_find(const struct plan *p, const char *instance, const struct plan_realm **realm);
/* Host names of a node's /etc/hosts are the members of its own realm. */
int plan_hosts(const struct plan *p, const struct plan_realm *realm, struct tst_buf *out, struct tst_error **err);
/* The files that the broker hands to the realm's members: {"slurm.conf": "...", ...}. */
int plan_files(const struct plan *p, const struct plan_realm *realm, json_t **out, struct tst_error **err);
/* Body of PUT /v1/plan (docs/internals.md). policies: one a realm, NULL for none; borrowed. */
int plan_json(const struct plan *p, json_t *const policies[2], json_t **out, struct tst_error **err);

#endif
