/* SPDX-License-Identifier: Apache-2.0 */
/* sim/report.c - see report.h. Integers are little-endian, also those of the signature. */
#include "report.h"

/* Offsets of AMD 56860, table "ATTESTATION_REPORT". */
enum {
    AT_VERSION = 0x000,
    AT_GUEST_SVN = 0x004,
    AT_POLICY = 0x008,
    AT_FAMILY_ID = 0x010,
    AT_IMAGE_ID = 0x020,
    AT_VMPL = 0x030,
    AT_SIGNATURE_ALGO = 0x034,
    AT_CURRENT_TCB = 0x038,
    AT_PLATFORM_INFO = 0x040,
    AT_KEY_INFO = 0x048,
    AT_REPORT_DATA = 0x050,
    AT_MEASUREMENT = 0x090,
    AT_HOST_DATA = 0x0C0,
    AT_ID_KEY_DIGEST = 0x0E0,
    AT_AUTHOR_KEY_DIGEST = 0x110,
    AT_REPORT_ID = 0x140,
    AT_REPORT_ID_MA = 0x160,
    AT_REPORTED_TCB = 0x180,
    AT_CPUID = 0x188,
    AT_CHIP_ID = 0x1A0,
    AT_COMMITTED_TCB = 0x1E0,
    AT_CURRENT_FIRMWARE = 0x1E8,
    AT_COMMITTED_FIRMWARE = 0x1EC,
    AT_LAUNCH_TCB = 0x1F0,
    AT_LAUNCH_MIT_VECTOR = 0x1F8,
    AT_CURRENT_MIT_VECTOR = 0x200,
    AT_SIGNATURE = 0x2A0,
    SIGNATURE_PART_BYTES = 72, /* R, then S */
    P384_BYTES = 48,
};
_Static_assert(AT_SIGNATURE == TST_SNP_SIGNED_BYTES, "all before the signature is signed");
_Static_assert(AT_REPORT_ID_MA + TST_SNP_REPORT_ID_BYTES == AT_REPORTED_TCB, "identifiers lie side by side");
_Static_assert(AT_CHIP_ID + TST_SNP_CHIP_BYTES == AT_COMMITTED_TCB, "chip id is 64 bytes");

static void put_le(uint8_t *at, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

static void put_firmware(uint8_t *at, const struct sim_report *r)
{
    at[0] = r->firmware_build;
    at[1] = r->firmware_minor;
    at[2] = r->firmware_major;
}

struct sim_report sim_report_of(const struct amd_chip *chip, uint32_t version)
{
    const struct amd_product *p = chip->product;
    struct sim_report r = {
        .version = version,
        .signature_algo = 1, /* ECDSA P-384 with SHA-384 */
        .policy = TST_SNP_POLICY_SMT | 1U << 17 /* must be one */,
        .platform_info = p->platform_info,
        .product = p->id,
        .current_tcb = chip->tcb,
        .reported_tcb = chip->tcb,
        .committed_tcb = chip->tcb,
        .launch_tcb = chip->tcb,
        .cpuid_family = p->cpuid_family,
        .cpuid_model = p->cpuid_model,
        .cpuid_stepping = p->cpuid_stepping,
        .firmware_major = 1,
        .firmware_minor = 55,
        .firmware_build = version >= 5 ? 61 : 40, /* first with version 5: 1.55.43 */
    };
    memset(r.report_id_ma, 0xFF, sizeof r.report_id_ma); /* no migration agent */
    memcpy(r.chip_id, chip->id, sizeof r.chip_id);
    return r;
}

static void put_identity(const struct sim_report *r, uint8_t *out)
{
    memcpy(out + AT_FAMILY_ID, r->family_id, sizeof r->family_id);
    memcpy(out + AT_IMAGE_ID, r->image_id, sizeof r->image_id);
    memcpy(out + AT_REPORT_DATA, r->report_data, sizeof r->report_data);
    memcpy(out + AT_MEASUREMENT, r->measurement, sizeof r->measurement);
    memcpy(out + AT_HOST_DATA, r->host_data, sizeof r->host_data);
    memcpy(out + AT_ID_KEY_DIGEST, r->id_key_digest, sizeof r->id_key_digest);
    memcpy(out + AT_AUTHOR_KEY_DIGEST, r->author_key_digest, sizeof r->author_key_digest);
    memcpy(out + AT_REPORT_ID, r->report_id, sizeof r->report_id);
    memcpy(out + AT_REPORT_ID_MA, r->report_id_ma, sizeof r->report_id_ma);
    memcpy(out + AT_CHIP_ID, r->chip_id, sizeof r->chip_id);
}

static void put_platform(const struct sim_report *r, uint8_t *out)
{
    tst_snp_tcb_raw(r->product, &r->current_tcb, out + AT_CURRENT_TCB);
    tst_snp_tcb_raw(r->product, &r->reported_tcb, out + AT_REPORTED_TCB);
    tst_snp_tcb_raw(r->product, &r->committed_tcb, out + AT_COMMITTED_TCB);
    tst_snp_tcb_raw(r->product, &r->launch_tcb, out + AT_LAUNCH_TCB);
    put_firmware(out + AT_CURRENT_FIRMWARE, r);
    put_firmware(out + AT_COMMITTED_FIRMWARE, r);
    if (r->version >= 3) {
        out[AT_CPUID] = r->cpuid_family;
        out[AT_CPUID + 1] = r->cpuid_model;
        out[AT_CPUID + 2] = r->cpuid_stepping;
    }
    if (r->version >= 5) {
        put_le(out + AT_LAUNCH_MIT_VECTOR, r->launch_mit_vector, 8);
        put_le(out + AT_CURRENT_MIT_VECTOR, r->current_mit_vector, 8);
    }
}

int sim_report_resign(uint8_t report[TST_SNP_REPORT_BYTES], const struct tst_key *vcek, struct tst_error **err)
{
    uint8_t rs[TST_ECDSA_P384_BYTES];
    int rc = tst_ecdsa_sign(vcek, report, TST_SNP_SIGNED_BYTES, rs, err);
    if (rc)
        return tst_wrap(err, "report");
    memset(report + AT_SIGNATURE, 0, TST_SNP_REPORT_BYTES - AT_SIGNATURE);
    for (size_t i = 0; i < P384_BYTES; i++) {
        report[AT_SIGNATURE + i] = rs[P384_BYTES - 1 - i];
        report[AT_SIGNATURE + SIGNATURE_PART_BYTES + i] = rs[2 * P384_BYTES - 1 - i];
    }
    return 0;
}

int sim_report_sign(const struct sim_report *r, const struct tst_key *vcek, uint8_t out[TST_SNP_REPORT_BYTES],
                    struct tst_error **err)
{
    memset(out, 0, TST_SNP_REPORT_BYTES);
    put_le(out + AT_VERSION, r->version, 4);
    put_le(out + AT_GUEST_SVN, r->guest_svn, 4);
    put_le(out + AT_POLICY, r->policy, 8);
    put_le(out + AT_VMPL, r->vmpl, 4);
    put_le(out + AT_SIGNATURE_ALGO, r->signature_algo, 4);
    put_le(out + AT_PLATFORM_INFO, r->platform_info, 8);
    put_le(out + AT_KEY_INFO, r->key_info, 4);
    put_identity(r, out);
    put_platform(r, out);
    return sim_report_resign(out, vcek, err);
}
