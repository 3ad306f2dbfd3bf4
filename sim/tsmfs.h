/* SPDX-License-Identifier: Apache-2.0 */
/* sim/tsmfs.h - the kernel's configfs-tsm report ABI (Documentation/ABI/testing/configfs-tsm-report) over FUSE: what a
 * guest with a SEV-SNP processor finds at /sys/kernel/config/tsm/report.
 * As there: a directory an entry; inblob takes effect when its file is closed; each accepted write increments
 * `generation`; outblob and auxblob are made at the first read after a change. Stricter than there: inblob is written
 * as 64 bytes at once (the kernel refuses other lengths only when outblob is read), and a file that is read on after
 * the entry has changed answers EWOULDBLOCK instead of its old content. */
#ifndef SIM_TSMFS_H
#define SIM_TSMFS_H

#include <testudo/snp.h>

struct tsmfs_provider {
    /* Signs a report; called from the serving thread only. */
    int (*report)(void *ctx, uint32_t vmpl, const uint8_t report_data[TST_SNP_REPORT_DATA_BYTES],
                  uint8_t out[TST_SNP_REPORT_BYTES], struct tst_error **err);
    void *ctx;
    struct tst_bytes auxblob; /* borrowed; at most TST_SNP_CERT_TABLE_MAX */
};

/* Serves the file system that is mounted on /dev/fuse file fuse_fd, in the calling thread, until it is unmounted (0) or
 * stop_fd becomes readable (0). Takes fuse_fd and closes it: if no other copy is open, what is still mounted answers
 * ENOTCONN from then on. Mount it with default_permissions; requests of other users than root are refused here too. */
int tsmfs_serve(int fuse_fd, int stop_fd, const struct tsmfs_provider *provider, struct tst_error **err);

#endif
