/* SPDX-License-Identifier: Apache-2.0 */
/* sim/psp_node.c - one launched node. What its reports say is fixed here at launch, from what lies below its root
 * directory; the node itself chooses REPORT_DATA and the VMPL and nothing else. */
#include "launch.h"
#include "psp.h"
#include "report.h"
#include "tsmfs.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct psp_node {
    const struct psp *psp;
    char name[64];
    struct amd_chip *chip;
    struct sim_report report; /* all but report_data and vmpl */
    struct tst_buf auxblob;
    int fuse_fd;
    pthread_t thread;
    atomic_bool ended;
};

static void node_free(struct psp_node *n)
{
    amd_chip_free(n->chip);
    tst_buf_clear(&n->auxblob);
    if (n->fuse_fd >= 0)
        close(n->fuse_fd);
    free(n);
}
TST_CLEANUP_FN(struct psp_node *, node_free)

static int node_report(void *ctx, uint32_t vmpl, const uint8_t report_data[TST_SNP_REPORT_DATA_BYTES],
                       uint8_t out[TST_SNP_REPORT_BYTES], struct tst_error **err)
{
    const struct psp_node *n = ctx;
    struct sim_report r = n->report;
    r.vmpl = vmpl;
    memcpy(r.report_data, report_data, sizeof r.report_data);
    int rc = sim_report_sign(&r, n->chip->vcek_key, out, err);
    if (rc)
        psp_log("node %s: a report could not be signed", n->name);
    return rc;
}

static void *node_run(void *arg)
{
    struct psp_node *n = arg;
    TST_AUTO_ERROR err = NULL;
    struct tsmfs_provider provider = {.report = node_report, .ctx = n, .auxblob = {n->auxblob.p, n->auxblob.n}};
    int fd = n->fuse_fd;
    n->fuse_fd = -1; /* tsmfs_serve takes it */
    if (tsmfs_serve(fd, n->psp->stop_fd, &provider, &err))
        psp_log("node %s: %s", n->name, err ? err->text : "cannot be served");
    psp_log("node %s: ended", n->name);
    atomic_store(&n->ended, true);
    eventfd_write(n->psp->ended_fd, 1);
    return NULL;
}

/* Chip and measurement. */
static int node_measure(struct psp_node *n, int root_fd, struct tst_error **err)
{
    struct launch_facts facts;
    struct sim_report *r = &n->report;
    int rc = launch_facts_read_root(root_fd, &facts, err);
    if (!rc)
        rc = amd_chip_open(n->psp->dir, n->psp->root, n->name, time(NULL), &n->chip, err);
    if (!rc)
        rc = amd_cert_table(n->psp->root, n->chip, &n->auxblob, err);
    if (rc)
        return rc;
    *r = sim_report_of(n->chip, n->psp->report_version);
    rc = launch_digest(&facts, r->measurement, err);
    return rc ? rc : tst_random(r->report_id, sizeof r->report_id, err);
}

static void node_log(const struct psp_node *n)
{
    char digest[2 * TST_SNP_DIGEST_BYTES + 1], chip[2 * TST_SNP_CHIP_BYTES + 1];
    tst_hex(n->report.measurement, TST_SNP_DIGEST_BYTES, digest);
    tst_hex(n->chip->id, n->chip->product->hwid_bytes, chip);
    psp_log("node %s: launched, digest %s, chip id %s", n->name, digest, chip);
}

int psp_node_launch(const struct psp *psp, const char *chip, int root_fd, int fuse_fd, struct psp_node **out,
                    struct tst_error **err)
{
    TST_CLEANUP(node_free) struct psp_node *n = calloc(1, sizeof *n);
    if (!n) {
        close(fuse_fd);
        return tst_fail(err, TST_INTERNAL, "out of memory");
    }
    n->fuse_fd = fuse_fd;
    n->psp = psp;
    snprintf(n->name, sizeof n->name, "%s", chip);
    int rc = node_measure(n, root_fd, err);
    if (rc)
        return tst_wrap(err, "launch %s", chip);
    node_log(n);
    if (pthread_create(&n->thread, NULL, node_run, n) != 0)
        rc = tst_fail(err, TST_INTERNAL, "launch %s: cannot start a thread", chip);
    else
        *out = TST_STEAL(n);
    return rc;
}

bool psp_node_ended(const struct psp_node *n)
{
    return atomic_load(&n->ended);
}

void psp_node_join(struct psp_node *n)
{
    pthread_join(n->thread, NULL);
    node_free(n);
}
