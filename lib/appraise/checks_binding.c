/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/checks_binding.c - what ties report, VCEK and caller together. Source: AMD 56860, AMD 57230. */
#include "checks.h"

int check_report_signature(const struct appraisal *a, struct tst_check *c)
{
    const struct tst_snp_report *r = a->report;
    uint8_t rs[TST_ECDSA_P384_BYTES];
    TST_AUTO_KEY key = NULL;
    TST_AUTO_ERROR error = NULL;

    if (a->vek.info.key_kind != TST_KEY_P384)
        return check_fail(c, "a P-384 key", NULL, "the certificate's key is of another kind");
    memcpy(rs, r->signature_r, sizeof r->signature_r);
    memcpy(rs + sizeof r->signature_r, r->signature_s, sizeof r->signature_s);
    if (tst_is_zero(rs, sizeof rs))
        return check_fail(c, "a signature", NULL, "all zero");
    if (tst_cert_key(a->vek.cert, &key, &error) < 0 || tst_ecdsa_verify(key, r->raw, TST_SNP_SIGNED_BYTES, rs, &error) < 0)
        return check_fail(c, "verifies with the VCEK's key", "the report was changed, or this VCEK is of another chip or TCB",
                          "%s", error ? error->text : "does not verify");
    return check_pass(c, "verifies");
}

/* All 8 bytes: a reserved one that is set means a layout that this version does not know. */
int check_tcb_vek(const struct appraisal *a, struct tst_check *c)
{
    enum tst_snp_product product = a->vek_claims.product;
    struct tst_snp_tcb reported = tst_snp_tcb_of(product, a->report->reported_tcb);
    uint8_t raw[8];
    char expected[96], found[96], hex[17];

    tst_snp_tcb_raw(product, &a->vek_claims.tcb, raw);
    tst_snp_tcb_print(&a->vek_claims.tcb, expected, sizeof expected);
    tst_snp_tcb_print(&reported, found, sizeof found);
    if (memcmp(raw, a->report->reported_tcb, sizeof raw) == 0)
        return check_pass(c, "%s", found);
    tst_hex(a->report->reported_tcb, sizeof a->report->reported_tcb, hex);
    return check_fail(c, expected, "get the VCEK of the reported TCB", "%s (%s)", found, hex);
}

int check_chip_vek(const struct appraisal *a, struct tst_check *c)
{
    const uint8_t *chip = a->report->chip_id;
    char expected[2 * TST_SNP_CHIP_BYTES + 1], found[2 * TST_SNP_CHIP_BYTES + 1];

    tst_hex(a->vek_claims.hwid, sizeof a->vek_claims.hwid, expected);
    tst_hex(chip, TST_SNP_CHIP_BYTES, found);
    if (a->vek_claims.vlek && tst_is_zero(chip, TST_SNP_CHIP_BYTES))
        return check_pass(c, "none: a VLEK of %s, and a masked chip id", a->vek_claims.csp);
    if (a->vek_claims.vlek)
        return check_pass(c, "a VLEK of %s; the firmware says %.16s...", a->vek_claims.csp, found);
    if (tst_is_zero(chip, TST_SNP_CHIP_BYTES))
        return check_missing(c, expected, "unset MASK_CHIP_ID in the host's SNP configuration",
                             "the host masks the chip id: the report does not say on which chip it was made");
    if (memcmp(chip, a->vek_claims.hwid, TST_SNP_CHIP_BYTES) != 0)
        return check_fail(c, expected, "get the VCEK of the report's chip", "%s", found);
    return check_pass(c, "%.*s", 2 * (int)a->vek_claims.hwid_bytes, found);
}

int check_report_data(const struct appraisal *a, struct tst_check *c)
{
    const uint8_t *expected = a->in->report_data;
    char want[2 * TST_SNP_REPORT_DATA_BYTES + 1], found[2 * TST_SNP_REPORT_DATA_BYTES + 1];

    if (!expected)
        return check_skip(c, "not asked for");
    if (tst_is_zero(expected, TST_SNP_REPORT_DATA_BYTES))
        return check_fail(c, "a value to compare with", NULL, "zero binds nothing: a host can ask for such a report");
    if (tst_equal(expected, a->report->report_data, TST_SNP_REPORT_DATA_BYTES))
        return check_pass(c, "as expected");
    tst_hex(expected, TST_SNP_REPORT_DATA_BYTES, want);
    tst_hex(a->report->report_data, TST_SNP_REPORT_DATA_BYTES, found);
    return check_fail(c, want, "the report was made for another key, nonce or purpose", "%s", found);
}

int check_tcb_order(const struct appraisal *a, struct tst_check *c)
{
    struct tst_snp_tcb reported = tst_snp_tcb_of(a->product, a->report->reported_tcb);
    struct tst_snp_tcb committed = tst_snp_tcb_of(a->product, a->report->committed_tcb);
    struct tst_snp_tcb current = tst_snp_tcb_of(a->product, a->report->current_tcb);
    char r[96], m[96], u[96];

    if (tst_snp_tcb_at_least(&committed, &reported) && tst_snp_tcb_at_least(&current, &committed))
        return check_pass(c, "in order");
    tst_snp_tcb_print(&reported, r, sizeof r);
    tst_snp_tcb_print(&committed, m, sizeof m);
    tst_snp_tcb_print(&current, u, sizeof u);
    return check_fail(c, "reported <= committed <= current", "restart the host on the firmware that it committed",
                      "reported %s; committed %s; current %s", r, m, u);
}
