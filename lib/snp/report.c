/* SPDX-License-Identifier: Apache-2.0 */
/* snp/report.c - turn the 1184-byte SEV-SNP attestation report into struct tst_snp_report.
 * Pure: no clock, no signature check (see lib/appraise). Reserved fields of the signed part are not judged: newer
 * firmware gives them a meaning, and the signature covers them. What the signature does not cover must be zero.
 * Source: AMD 56860, table "ATTESTATION_REPORT". */
#include <testudo/snp.h>

#define REPORT_VERSION_MIN 2
#define REPORT_VERSION_MAX 5
#define REPORT_VERSION_CPUID 3 /* first with CPUID_FAM_ID and followers */
#define REPORT_VERSION_MIT 5   /* first with the mitigation vectors */

/* ECDSA integers: 72 bytes, little-endian, of which P-384 uses 48. */
#define SIGNATURE_FIELD_BYTES 72
#define SIGNATURE_INT_BYTES 48

_Static_assert(TST_SNP_SIGNED_BYTES + 512 == TST_SNP_REPORT_BYTES, "the signature field is 512 bytes");

static void read_identity(struct tst_rd *r, struct tst_snp_report *out)
{
    out->version = tst_rd_u32le(r);
    out->guest_svn = tst_rd_u32le(r);
    out->policy = tst_rd_u64le(r);
    tst_rd_copy(r, out->family_id, sizeof out->family_id);
    tst_rd_copy(r, out->image_id, sizeof out->image_id);
    out->vmpl = tst_rd_u32le(r);
    out->signature_algo = tst_rd_u32le(r);
    tst_rd_copy(r, out->current_tcb, sizeof out->current_tcb);
    out->platform_info = tst_rd_u64le(r);
    out->key_info = tst_rd_u32le(r);
    tst_rd_skip(r, 4);
}

static void read_claims(struct tst_rd *r, struct tst_snp_report *out)
{
    tst_rd_copy(r, out->report_data, sizeof out->report_data); /* 0x050 */
    tst_rd_copy(r, out->measurement, sizeof out->measurement);
    tst_rd_copy(r, out->host_data, sizeof out->host_data);
    tst_rd_copy(r, out->id_key_digest, sizeof out->id_key_digest);
    tst_rd_copy(r, out->author_key_digest, sizeof out->author_key_digest);
    tst_rd_copy(r, out->report_id, sizeof out->report_id); /* 0x140 */
    tst_rd_copy(r, out->report_id_ma, sizeof out->report_id_ma);
    tst_rd_copy(r, out->reported_tcb, sizeof out->reported_tcb); /* 0x180 */
}

static void read_platform(struct tst_rd *r, struct tst_snp_report *out)
{
    struct tst_bytes cpuid = tst_rd_take(r, 3); /* 0x188 */
    if (cpuid.p && out->version >= REPORT_VERSION_CPUID) {
        out->cpuid_family = cpuid.p[0];
        out->cpuid_model = cpuid.p[1];
        out->cpuid_stepping = cpuid.p[2];
    }
    tst_rd_skip(r, 21);
    tst_rd_copy(r, out->chip_id, sizeof out->chip_id); /* 0x1a0 */
    tst_rd_copy(r, out->committed_tcb, sizeof out->committed_tcb);
    out->current_build = tst_rd_u8(r); /* 0x1e8 */
    out->current_minor = tst_rd_u8(r);
    out->current_major = tst_rd_u8(r);
    tst_rd_skip(r, 1);
    out->committed_build = tst_rd_u8(r);
    out->committed_minor = tst_rd_u8(r);
    out->committed_major = tst_rd_u8(r);
    tst_rd_skip(r, 1);
    tst_rd_copy(r, out->launch_tcb, sizeof out->launch_tcb); /* 0x1f0 */
    uint64_t launch = tst_rd_u64le(r), current = tst_rd_u64le(r);
    if (out->version >= REPORT_VERSION_MIT) {
        out->launch_mit_vector = launch;
        out->current_mit_vector = current;
    }
    tst_rd_skip(r, TST_SNP_SIGNED_BYTES - 0x208);
}

/* One integer of the signature, turned to big-endian; the bytes above P-384's size must be zero. */
static int read_signature_int(struct tst_rd *r, const char *name, size_t offset, uint8_t out[SIGNATURE_INT_BYTES],
                              struct tst_error **err)
{
    struct tst_bytes field = tst_rd_take(r, SIGNATURE_FIELD_BYTES);
    if (!field.p)
        return 0; /* the cursor remembers */
    for (size_t i = 0; i < SIGNATURE_INT_BYTES; i++)
        out[i] = field.p[SIGNATURE_INT_BYTES - 1 - i];
    if (!tst_is_zero(field.p + SIGNATURE_INT_BYTES, SIGNATURE_FIELD_BYTES - SIGNATURE_INT_BYTES))
        return tst_fail(err, TST_USAGE, "report: %s of the signature (offset 0x%zx) is larger than P-384 allows", name,
                        offset);
    return 0;
}

static int read_signature(struct tst_rd *r, struct tst_snp_report *out, struct tst_error **err)
{
    int rc = read_signature_int(r, "R", TST_SNP_SIGNED_BYTES, out->signature_r, err);
    if (rc == 0)
        rc = read_signature_int(r, "S", TST_SNP_SIGNED_BYTES + SIGNATURE_FIELD_BYTES, out->signature_s, err);
    if (rc < 0)
        return rc;
    struct tst_bytes rest = tst_rd_take(r, TST_SNP_REPORT_BYTES - TST_SNP_SIGNED_BYTES - 2 * SIGNATURE_FIELD_BYTES);
    if (rest.p && !tst_is_zero(rest.p, rest.n))
        return tst_fail(err, TST_USAGE, "report: non-zero bytes behind the signature (from offset 0x%x)",
                        TST_SNP_SIGNED_BYTES + 2 * SIGNATURE_FIELD_BYTES);
    return 0;
}

static int report_parse(const void *p, size_t n, uint32_t version_max, struct tst_snp_report *out, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(p, n);
    memset(out, 0, sizeof *out);
    if (n != TST_SNP_REPORT_BYTES)
        return tst_fail(err, TST_USAGE, "report: %zu bytes, expected %d", n, TST_SNP_REPORT_BYTES);
    memcpy(out->raw, p, n);
    read_identity(&r, out);
    if (out->version < REPORT_VERSION_MIN || out->version > version_max)
        return tst_fail(err, TST_USAGE, "report: version %u at offset 0, expected %d to %d", out->version,
                        REPORT_VERSION_MIN, REPORT_VERSION_MAX);
    read_claims(&r, out);
    read_platform(&r, out);
    int rc = read_signature(&r, out, err);
    return rc < 0 ? rc : tst_rd_finish(&r, "report", err);
}

int tst_snp_report_parse(const void *p, size_t n, struct tst_snp_report *out, struct tst_error **err)
{
    return report_parse(p, n, REPORT_VERSION_MAX, out, err);
}

int tst_snp_report_parse_lenient(const void *p, size_t n, struct tst_snp_report *out, struct tst_error **err)
{
    return report_parse(p, n, UINT32_MAX, out, err);
}
