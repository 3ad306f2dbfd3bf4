/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/provider.h - what turns a plan into running nodes. One const struct a provider; the commands know no more. */
#ifndef TESTUDO_CLUSTER_PROVIDER_H
#define TESTUDO_CLUSTER_PROVIDER_H

#include "cluster/cluster.h"
#include "cluster/progress.h"

struct provider_up {
    const char *state;        /* the state folder, absolute */
    const char *file;         /* path of the cluster file: a policy's path is relative to it */
    const char *text;         /* its content */
    size_t text_bytes;
    const struct plan *plan;
    struct progress *progress;
};
struct provider_launch {
    const char *state;
    const struct plan *plan;
    const char *instance;
    const char *agent; /* another agent program; NULL = ours */
    struct progress *progress;
};
struct provider_enter {
    const char *state;
    const struct plan *plan;
    const char *instance;
    const char *user; /* of the node's own passwd */
    const char *const *argv;
};
struct provider {
    const char *name;
    /* Refuses a plan that this provider cannot carry out. */
    int (*plan)(const struct plan *plan, struct tst_error **err);
    /* Idempotent: what is up already stays. Returns when every node that is to start is admitted and idle. */
    int (*up)(const struct provider_up *req, struct tst_error **err);
    /* One more node. TST_DENIED with the broker's reason when it is refused. */
    int (*launch)(const struct provider_launch *req, struct tst_error **err);
    /* New reference; see docs of `testudo status`. Never fails because something is down: it says so. */
    int (*status)(const char *state, const struct plan *plan, json_t **out, struct tst_error **err);
    /* Runs a command in a node; its exit status in *status. */
    int (*enter)(const struct provider_enter *req, int *status, struct tst_error **err);
    /* Opens a log for reading. source: an instance, "broker", "psp"; which: NULL or a log of a node. */
    int (*log)(const char *state, const struct plan *plan, const char *source, const char *which, int *fd,
               struct tst_error **err);
    /* Removes everything but the state folder's content, and with purge that too. plan may be NULL: an `up` was cut
     * short. */
    int (*down)(const char *state, const struct plan *plan, bool purge, struct progress *progress,
                struct tst_error **err);
};
extern const struct provider provider_local;
/* The provider of a cluster file. */
const struct provider *provider_find(const char *name);

#endif
