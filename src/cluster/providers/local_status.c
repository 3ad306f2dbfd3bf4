/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_status.c - what is there: processes of this machine, the broker's view, Slurm's view. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "cluster/providers/local.h"

/* The broker's fields as they are, and ours beside them. */
static json_t *node_status(const struct local *l, const struct plan_member *m, const struct plan_realm *realm,
                           json_t *nodes, json_t *slurm)
{
    json_t *node = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "instance", m->instance, "realm", realm->name, "role",
                             plan_role(m), "address", m->address, "reserved", (int)m->reserved, "alive",
                             (int)node_alive(l, m->instance));
    json_t *known = watch_node(nodes, m->instance);
    json_t *state = json_object_get(slurm, m->instance);
    pid_t init = node_init_pid(l, m->instance);

    json_object_set_new(node, "pid", init > 0 ? json_integer(init) : json_null());
    if (known)
        json_object_update_missing(node, known);
    json_object_set(node, "slurm", state && m->schedulable ? state : json_null());
    return node;
}

int local_status(const char *state, const struct plan *plan, json_t **out, struct tst_error **err)
{
    AUTO_LOCAL l = {.lock_fd = -1};
    TST_AUTO_JSON nodes = NULL, list = json_array();
    TST_AUTO_ERROR broker_down = NULL;
    int rc = local_open(state, plan, &l, err);

    if (rc)
        return rc;
    if (daemon_alive(&l, "testudod"))
        watch_nodes(&l, &nodes, &broker_down);
    for (size_t r = 0; r < plan->realm_count; r++) {
        TST_AUTO_JSON slurm = watch_slurm(&l, &plan->realms[r]);
        for (size_t i = 0; i < plan->realms[r].member_count; i++)
            json_array_append_new(list, node_status(&l, &plan->realms[r].members[i], &plan->realms[r], nodes, slurm));
    }
    *out = json_pack("{s:s, s:s, s:s, s:b, s:{s:s, s:b, s:b}, s:{s:b}, s:O}", "cluster", plan->cluster, "provider",
                     "local", "state", state, "simulated", (int)local_needs_psp(plan), "broker", "address",
                     plan->broker, "alive", (int)daemon_alive(&l, "testudod"), "answers", nodes != NULL, "simulator",
                     "alive", (int)daemon_alive(&l, "testudo-psp"), "nodes", list);
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

/* ---- logs ---- */

static const struct {
    const char *name, *path;
} node_logs[] = {{"agent", "var/log/testudo/agent.log"},
                 {"slurmd", "var/log/slurm/slurmd.log"},
                 {"slurmctld", "var/log/slurm/slurmctld.log"},
                 {"munged", "var/log/munge/out.log"}};

static int open_on_host(const struct local *l, const char *below, int *fd, struct tst_error **err)
{
    TST_AUTO_STR path = local_path(l, "%s", below);

    if (!path)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    return *fd < 0 ? tst_fail(err, TST_NOT_FOUND, "%s: %s", path, strerror(errno)) : 0;
}

/* Links of the node are followed inside its root only, and a pipe in the log's place does not stop us. */
static int open_in_node(const struct local *l, const char *instance, const char *below, int *fd, struct tst_error **err)
{
    pid_t init = node_init_pid(l, instance);
    char path[40];
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};

    snprintf(path, sizeof path, "/proc/%d/root", (int)init);
    AUTO_FD root = init > 0 ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (root < 0)
        return tst_fail(err, TST_UNREACHABLE, "node %s does not run", instance);
    *fd = (int)syscall(SYS_openat2, root, below, &how, sizeof how);
    return *fd < 0 ? tst_fail(err, TST_NOT_FOUND, "%s: /%s: %s", instance, below, strerror(errno)) : 0;
}

int local_log(const char *state, const struct plan *plan, const char *source, const char *which, int *fd,
              struct tst_error **err)
{
    AUTO_LOCAL l = {.lock_fd = -1};
    const char *name = which ? which : "agent";
    int rc = local_open(state, plan, &l, err);

    if (rc)
        return rc;
    if (!strcmp(source, "broker"))
        return open_on_host(&l, "broker/testudod.log", fd, err);
    if (!strcmp(source, "psp"))
        return open_on_host(&l, "psp/testudo-psp.log", fd, err);
    if (!plan_find(plan, source, NULL))
        return tst_fail(err, TST_NOT_FOUND, "%s: neither a node of the plan nor \"broker\" nor \"psp\"", source);
    if (!strcmp(name, "console")) {
        TST_AUTO_STR path = tst_strdup_printf("nodes/%s/console.log", source);
        return path ? open_on_host(&l, path, fd, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    }
    for (size_t i = 0; i < TST_COUNT(node_logs); i++)
        if (!strcmp(node_logs[i].name, name))
            return open_in_node(&l, source, node_logs[i].path, fd, err);
    return tst_fail(err, TST_USAGE, "log %s: want agent, console, slurmd, slurmctld or munged", name);
}

int local_enter(const struct provider_enter *req, int *status, struct tst_error **err)
{
    AUTO_LOCAL l = {.lock_fd = -1};
    int rc = local_open(req->state, req->plan, &l, err);

    return rc ? rc : node_run(&l, req->instance, req->user, req->argv, -1, status, err);
}
