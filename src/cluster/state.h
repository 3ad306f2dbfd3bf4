/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/state.h - the state folder of one cluster: where it is, who works on it, which plan it holds. */
#ifndef TESTUDO_CLUSTER_STATE_H
#define TESTUDO_CLUSTER_STATE_H

#include "cluster/cluster.h"

#define STATE_ROOT "/var/lib/testudo"

/* Folder of a cluster: the --state option, else TESTUDO_STATE, else STATE_ROOT/CLUSTER, else (cluster NULL) the only
 * folder of STATE_ROOT. Absolute, without links; need not exist. *out malloc'ed. TST_NOT_FOUND if none is the one. */
int state_find(const char *option, const char *cluster, char **out, struct tst_error **err);
/* Makes it (0700). Refuses a folder that holds something else, and a path that a mount option could not carry. */
int state_make(const char *state, struct tst_error **err);
bool state_is_ours(const char *state);
/* One command at a time changes a cluster: waits up to wait_s for the lock, which lives as long as *fd and copies. */
int state_lock(const char *state, double wait_s, int *fd, struct tst_error **err);
/* Keeps the cluster file in the state folder, so that later commands know the plan. */
int state_save_cluster(const char *state, const char *text, size_t n, struct tst_error **err);
/* *text may be NULL. TST_NOT_FOUND if no cluster was ever planned here. */
int state_load_plan(const char *state, struct plan **plan, char **text, struct tst_error **err);

#endif
