/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/command.h - what the commands that work on a running cluster have in common: from the state folder to the
 * plan and its provider. */
#ifndef TESTUDO_CLUSTER_COMMAND_H
#define TESTUDO_CLUSTER_COMMAND_H

#include "cluster/provider.h"
#include "cluster/state.h"

struct cluster_handle {
    char *state;
    struct plan *plan; /* NULL when cluster_open() was told that it may be missing */
    const struct provider *provider;
};
/* state_option and cluster may be NULL: see state_find(). need_plan: without a cluster file in the state it fails. */
int cluster_open(const char *state_option, const char *cluster, bool need_plan, struct cluster_handle *out,
                 struct tst_error **err);
void cluster_close(struct cluster_handle *h);
#define AUTO_CLUSTER __attribute__((cleanup(cluster_close))) struct cluster_handle

#endif
