/* SPDX-License-Identifier: Apache-2.0 */
/* platform/sev_dev.h - the commands of /dev/sev: buffers built and read by bytes, firmware errors by name. Formats: linux
 * include/uapi/linux/psp-sev.h; AMD 55766 (SEV API), 56860 (SEV-SNP ABI). No command is sent twice; none changes anything
 * unless its comment says so. */
#ifndef TESTUDO_PLATFORM_SEV_DEV_H
#define TESTUDO_PLATFORM_SEV_DEV_H

#include <testudo/snp.h>

#include "platform/platform.h"
#include "platform/sev_abi.h"

enum sev_state { SEV_UNINITIALISED, SEV_INITIALISED, SEV_WORKING };
const char *sev_state_name(uint8_t state);

struct sev_status {
    uint8_t api_major, api_minor, build, state;
    bool owned, es;
    uint32_t guests;
};
struct snp_status {
    uint8_t api_major, api_minor, state;
    bool rmp_initialised, alias_checked, tio_enabled;
    uint32_t build, guests;
    uint32_t flags; /* SNP_FLAG_* */
    uint8_t current_tcb[8], reported_tcb[8];
};
#define SNP_FLAG_MASK_CHIP_ID (1U << 0)
#define SNP_FLAG_MASK_CHIP_KEY (1U << 1)
#define SNP_FLAG_VLEK (1U << 2)
#define SNP_FLAG_FEATURE_INFO (1U << 3)
#define SNP_FLAG_RAPL_DISABLED (1U << 4)
#define SNP_FLAG_CIPHERTEXT_HIDING_CAPABLE (1U << 5)
#define SNP_FLAG_CIPHERTEXT_HIDING (1U << 6)
#define SNP_FLAG_TIO (1U << 7)

/* "INVALID_LEN", NULL for a number that AMD has not given a name. */
const char *sev_firmware_error(uint32_t error);
/* What to do about it; NULL when nothing general can be said. */
const char *sev_firmware_advice(uint32_t error);

/* One command. data may be NULL. The error says the command's name and the firmware's error. */
int sev_issue(const struct platform *p, enum sev_command command, void *data, struct tst_error **err);

int sev_platform_status(const struct platform *p, struct sev_status *out, struct tst_error **err);
int snp_platform_status(const struct platform *p, struct snp_status *out, struct tst_error **err);
/* 64 bytes of the first socket; n: how many the firmware gave (Turin 8). */
int sev_chip_id(const struct platform *p, uint8_t id[SEV_ID_BYTES], size_t *n, struct tst_error **err);
/* Changes the TCB that reports state, and what of the chip they hide. flags: SNP_FLAG_MASK_*. All zero: the default. */
int snp_set_config(const struct platform *p, const uint8_t tcb[8], uint32_t flags, struct tst_error **err);
/* Makes the firmware that runs the oldest that this machine may ever run. */
int snp_commit(const struct platform *p, struct tst_error **err);
/* Replaces the VLEK. wrapped: 432 bytes as AMD's key service gives them. */
int snp_vlek_load(const struct platform *p, const uint8_t wrapped[SNP_WRAPPED_VLEK_BYTES], struct tst_error **err);
int sev_pdh_export(const struct platform *p, uint8_t pdh[SEV_CERT_BYTES], uint8_t chain[SEV_CHAIN_BYTES], struct tst_error **err);
int sev_pek_csr(const struct platform *p, uint8_t csr[SEV_CERT_BYTES], struct tst_error **err);
/* Changes the platform's owner. */
int sev_pek_import(const struct platform *p, const uint8_t pek[SEV_CERT_BYTES], const uint8_t oca[SEV_CERT_BYTES],
                   struct tst_error **err);
/* The three that take no buffer: factory reset, PEK_GEN, PDH_GEN. Each destroys keys. */
int sev_plain(const struct platform *p, enum sev_command command, struct tst_error **err);

#endif
