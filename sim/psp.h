/* SPDX-License-Identifier: Apache-2.0 */
/* sim/psp.h - the parts of testudo-psp: the socket (psp_serve.c) and the launched nodes (psp_node.c). */
#ifndef SIM_PSP_H
#define SIM_PSP_H

#include "amd.h"

struct psp {
    const char *dir;         /* state directory */
    struct amd_root *root;   /* the nodes' threads read it */
    uint32_t report_version; /* 3 or 5 */
    int stop_fd;             /* eventfd: readable when all nodes must end */
    int ended_fd;            /* eventfd: counts nodes that ended */
};

/* One line to standard error, marked as simulated. */
void psp_log(const char *fmt, ...) TST_PRINTF(1, 2);

/* Listens on DIR/psp.sock until SIGTERM or SIGINT. TST_REFUTED if another process serves the directory. */
int psp_serve(const char *dir, uint32_t report_version, struct tst_error **err);

/* A launched node: a thread that serves its evidence device. */
struct psp_node;
/* chip is a name (tst_is_name). Measures what lies below root_fd, makes a new report id and starts to serve fuse_fd.
 * Takes fuse_fd, also on error; root_fd stays the caller's. */
int psp_node_launch(const struct psp *psp, const char *chip, int root_fd, int fuse_fd, struct psp_node **out,
                    struct tst_error **err);
bool psp_node_ended(const struct psp_node *n);
/* Waits for its end (see psp.stop_fd) and releases it. */
void psp_node_join(struct psp_node *n);

#endif
