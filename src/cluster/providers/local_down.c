/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_down.c - `testudo down`: end what holds a pid file's lock, remove our interfaces, and what
 * lies about in the state folder. Needs no plan and no part to be there, so it undoes an `up` that was cut short
 * anywhere. Mounts and namespaces go with the processes that own them. */
#include <stdio.h>

#include "cluster/providers/local.h"
#include "cluster/state.h"

#define LOCK_WAIT_S 20

static int remove_below(const struct local *l, const char *below, struct tst_error **err)
{
    TST_AUTO_STR path = local_path(l, "%s", below);

    return path ? os_remove_tree(path, err) : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int stop_nodes(const struct local *l, struct tst_error **err)
{
    int rc = nodes_down(l, err);

    return rc ? rc : remove_below(l, "nodes", err);
}

static int stop_daemons(const struct local *l, struct tst_error **err)
{
    int rc;

    daemons_down(l);
    if ((rc = remove_below(l, "broker/broker.sock", err)))
        return rc;
    return remove_below(l, "psp/psp.sock", err);
}

static const struct {
    const char *phase;
    int (*run)(const struct local *l, struct tst_error **err);
} steps[] = {
    {"stop nodes", stop_nodes},
    {"stop broker and simulator", stop_daemons},
    {"remove network", net_down},
};

int local_down(const char *state, const struct plan *plan, bool purge, struct progress *progress,
               struct tst_error **err)
{
    AUTO_LOCAL l = {.lock_fd = -1};
    int rc;

    if ((rc = local_open(state, plan, &l, err)) || (rc = state_lock(state, LOCK_WAIT_S, &l.lock_fd, err)))
        return rc;
    for (size_t i = 0; i < TST_COUNT(steps); i++) {
        progress_begin(progress, steps[i].phase);
        if (steps[i].run(&l, err)) {
            progress_abandon(progress);
            return tst_wrap(err, "%s", steps[i].phase);
        }
        progress_end(progress);
    }
    return purge ? os_remove_tree(state, err) : 0;
}
