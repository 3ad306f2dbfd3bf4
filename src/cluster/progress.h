/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/progress.h - phases of a long command: what is happening now, and how many seconds each phase took. */
#ifndef TESTUDO_CLUSTER_PROGRESS_H
#define TESTUDO_CLUSTER_PROGRESS_H

#include <stdio.h>

#include <testudo/base.h>

struct progress {
    FILE *to;
    bool terminal;  /* rewrite the current line */
    json_t *phases; /* [{"phase", "seconds"}] of what is finished; owned */
    char phase[64];
    double started, phase_started;
};
void progress_start(struct progress *p, FILE *to);
void progress_begin(struct progress *p, const char *phase);
/* A word on how far the phase is; seen on a terminal only. */
void progress_note(struct progress *p, const char *fmt, ...) TST_PRINTF(2, 3);
void progress_end(struct progress *p);
/* Clears an unfinished line, so that an error starts at the margin. */
void progress_abandon(struct progress *p);
void progress_clear(struct progress *p);
double progress_total_s(const struct progress *p);

#endif
