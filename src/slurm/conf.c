/* SPDX-License-Identifier: Apache-2.0 */
/* slurm/conf.c - print the configuration of one realm. Settings with a constant value are a table; what depends on the
 * realm is printed below. Configless operation stays off: configuration comes from the broker's answer alone. */
#include "slurm/conf.h"

/* slurm.conf(5), Slurm 22.05. */
static const struct {
    const char *key, *value;
} settings[] = {
    {"SlurmUser", "slurm"},
    {"AuthType", "auth/munge"},
    {"CredType", "cred/munge"},
    {"StateSaveLocation", "/var/spool/slurmctld"},
    {"SlurmdSpoolDir", "/var/spool/slurmd"},
    {"SlurmctldPidFile", "/run/slurmctld.pid"},
    {"SlurmdPidFile", "/run/slurmd.pid"},
    {"SlurmctldLogFile", "/var/log/slurm/slurmctld.log"},
    {"SlurmdLogFile", "/var/log/slurm/slurmd.log"},
    {"SlurmctldDebug", "info"},
    {"SlurmdDebug", "info"},
    {"ProctrackType", "proctrack/linuxproc"},
    {"TaskPlugin", "task/none"}, /* binding would put rank 0 of every local node on core 0 */
    {"JobAcctGatherType", "jobacct_gather/linux"},
    {"JobAcctGatherFrequency", "5"},
    {"JobCompType", "jobcomp/filetxt"},
    {"JobCompLoc", "/var/log/slurm/jobcomp.log"},
    {"AccountingStorageType", "accounting_storage/none"},
    {"MpiDefault", "pmix"},
    {"SelectType", "select/cons_tres"},
    {"SelectTypeParameters", "CR_Core"},
    {"SlurmdParameters", "config_overrides"}, /* a local node has the machine's cores, not those of the plan */
    {"SlurmctldParameters", "node_reg_mem_percent=1"},
    {"ReturnToService", "2"},
    {"TreeWidth", "65533"},
    {"SlurmctldTimeout", "30"},
    {"SlurmdTimeout", "30"},
    {"BatchStartTimeout", "20"},
    {"MessageTimeout", "20"},
    {"KillWait", "5"},
    {"SchedulerParameters", "sched_interval=5,bf_interval=5"},
    {"LaunchParameters", "use_interactive_step"},
};

/* Nothing of ours uses cgroups, but slurmd 22.05 ends when it cannot tell their version by itself. */
static const char cgroup_conf[] = "CgroupPlugin=cgroup/v1\n"
                                  "CgroupAutomount=no\n";

/* Local nodes share few cores: never spin, never bind, TCP between nodes over the node's own interface. */
static const char mca_params[] = "mpi_yield_when_idle = 1\n"
                                 "hwloc_base_binding_policy = none\n"
                                 "rmaps_base_oversubscribe = 1\n"
                                 "pml = ob1\n"
                                 "btl = self,vader,tcp\n"
                                 "btl_tcp_if_include = eth0\n"
                                 "oob_tcp_if_include = eth0\n"
                                 "btl_vader_single_copy_mechanism = none\n"
                                 "mtl = ^ofi,psm2\n"
                                 "orte_keep_fqdn_hostnames = 1\n";

static int print_controller(const struct slurm_realm *r, struct tst_buf *out, struct tst_error **err)
{
    for (size_t i = 0; i < r->node_count; i++)
        if (r->nodes[i].controller)
            return tst_buf_printf(out, err, "SlurmctldHost=%s(%s)\n", r->nodes[i].name, r->nodes[i].address);
    return tst_fail(err, TST_INTERNAL, "realm %s has no controller", r->cluster_name);
}

static int print_node(const struct slurm_node *n, struct tst_buf *out, struct tst_error **err)
{
    if (!n->schedulable)
        return 0;
    return tst_buf_printf(out, err,
                          "NodeName=%s NodeAddr=%s CPUs=%u Boards=1 SocketsPerBoard=1 CoresPerSocket=%u "
                          "ThreadsPerCore=1 RealMemory=%u State=%s\n",
                          n->name, n->address, n->cores, n->cores, n->memory_mib, n->future ? "FUTURE" : "UNKNOWN");
}

static int print_partition(const struct slurm_realm *r, size_t index, struct tst_buf *out, struct tst_error **err)
{
    const struct slurm_partition *p = &r->partitions[index];
    int rc = tst_buf_printf(out, err, "PartitionName=%s Nodes=", p->name);

    for (size_t i = 0; !rc && i < p->count; i++)
        rc = tst_buf_printf(out, err, "%s%s", i ? "," : "", r->nodes[p->first + i].name);
    return rc ? rc
              : tst_buf_printf(out, err, " Default=%s MaxTime=INFINITE State=UP OverSubscribe=NO\n",
                               index ? "NO" : "YES");
}

static int print_slurm_conf(const struct slurm_realm *r, struct tst_buf *out, struct tst_error **err)
{
    int rc = tst_buf_printf(out, err, "ClusterName=%s\n", r->cluster_name);

    if (!rc)
        rc = print_controller(r, out, err);
    for (size_t i = 0; !rc && i < TST_COUNT(settings); i++)
        rc = tst_buf_printf(out, err, "%s=%s\n", settings[i].key, settings[i].value);
    for (size_t i = 0; !rc && i < r->node_count; i++)
        rc = print_node(&r->nodes[i], out, err);
    for (size_t i = 0; !rc && i < r->partition_count; i++)
        rc = print_partition(r, i, out, err);
    return rc;
}

int slurm_files(const struct slurm_realm *realm, json_t **out, struct tst_error **err)
{
    TST_AUTO_BUF conf = {0};
    int rc = print_slurm_conf(realm, &conf, err);

    if (rc)
        return rc;
    *out = json_pack("{s:s%, s:s, s:s, s:s}", "slurm.conf", (const char *)conf.p, conf.n, "plugstack.conf",
                     "# no plugins in this release\n", "cgroup.conf", cgroup_conf, "openmpi-mca-params.conf",
                     mca_params);
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}
