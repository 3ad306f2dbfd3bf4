/* SPDX-License-Identifier: Apache-2.0 */
/* agent/node.h - what the agent does to the node: secrets into /run (tmpfs), daemons up, daemons down, secrets wiped. */
#ifndef TESTUDO_AGENT_NODE_H
#define TESTUDO_AGENT_NODE_H

#include <sys/types.h>

#include "agent/join.h"

#define RUN_DIR "/run/testudo"

/* Writes realm key and configuration below RUN_DIR; refuses unless that is on tmpfs. */
int node_put_secrets(const struct bundle *b, struct tst_error **err);
/* Overwrites and removes what node_put_secrets wrote. */
void node_wipe_secrets(void);

enum { DAEMONS_MAX = 3 };
struct daemons {
    pid_t pid[DAEMONS_MAX]; /* 0 = not wanted; -1 = wanted, died, to be started again */
};
/* munged, then slurmctld and slurmd as role and slurm.conf say. */
int daemons_start(const struct bundle *b, const char *instance, struct daemons *d, struct tst_error **err);
/* Marks a daemon that has ended; false if the pid is none of ours. */
bool daemons_reap(struct daemons *d, pid_t pid, int status);
int daemons_restart_dead(struct daemons *d, struct tst_error **err);
void daemons_stop(struct daemons *d); /* TERM, 5 s, KILL; in reverse order */

#endif
