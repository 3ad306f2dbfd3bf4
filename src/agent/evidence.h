/* SPDX-License-Identifier: Apache-2.0 */
/* agent/evidence.h - where evidence comes from: a mechanism is one const struct of callbacks. */
#ifndef TESTUDO_AGENT_EVIDENCE_H
#define TESTUDO_AGENT_EVIDENCE_H

#include <testudo/snp.h>

struct evidence_blobs {
    struct tst_buf report, auxblob;
};
void evidence_clear(struct evidence_blobs *e);
#define AUTO_EVIDENCE __attribute__((cleanup(evidence_clear))) struct evidence_blobs

struct evidence_backend {
    const char *name;
    /* One report over report_data and the certificates that came with it. */
    int (*get)(void *ctx, const uint8_t report_data[TST_SNP_REPORT_DATA_BYTES], struct evidence_blobs *out,
               struct tst_error **err);
};
/* configfs-tsm (Linux Documentation/ABI/testing/configfs-tsm-report); ctx is the report folder's path. */
extern const struct evidence_backend evidence_tsm;
#define TSM_REPORT_DIR "/sys/kernel/config/tsm/report"

#endif
