/* SPDX-License-Identifier: Apache-2.0 */
/* sim/report.h - writes and signs a SEV-SNP attestation report (AMD 56860, table "ATTESTATION_REPORT"). What it says is
 * the caller's: tests make wrong ones, the secure processor fills in what it knows. */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include "amd.h"

struct sim_report {
    uint32_t version; /* 2..5; members that a version lacks are not written */
    uint32_t guest_svn, vmpl, signature_algo;
    uint64_t policy, platform_info;
    uint32_t key_info;
    uint8_t family_id[16], image_id[16];
    uint8_t report_data[TST_SNP_REPORT_DATA_BYTES], measurement[TST_SNP_DIGEST_BYTES], host_data[32];
    uint8_t id_key_digest[48], author_key_digest[48];
    uint8_t report_id[TST_SNP_REPORT_ID_BYTES], report_id_ma[TST_SNP_REPORT_ID_BYTES];
    enum tst_snp_product product; /* layout of the four TCBs */
    struct tst_snp_tcb current_tcb, reported_tcb, committed_tcb, launch_tcb;
    uint8_t cpuid_family, cpuid_model, cpuid_stepping; /* version >= 3 */
    uint8_t chip_id[TST_SNP_CHIP_BYTES];
    uint8_t firmware_major, firmware_minor, firmware_build; /* current and committed */
    uint64_t launch_mit_vector, current_mit_vector;         /* version 5 */
};

/* What an honest guest without an ID block on `chip` gets: policy 0x30000 (SMT allowed, no debugging, no migration
 * agent), VMPL 0, every TCB the chip's. Measurement, report data and report id are zero. Version is 3 or 5. */
struct sim_report sim_report_of(const struct amd_chip *chip, uint32_t version);
/* Writes the report and its ECDSA P-384 signature by `vcek`. */
int sim_report_sign(const struct sim_report *r, const struct tst_key *vcek, uint8_t out[TST_SNP_REPORT_BYTES],
                    struct tst_error **err);
/* Signs bytes 0..0x29f of `report` again, after a test has changed some. */
int sim_report_resign(uint8_t report[TST_SNP_REPORT_BYTES], const struct tst_key *vcek, struct tst_error **err);

#endif
