/* SPDX-License-Identifier: Apache-2.0 */
/* sev/report.c - the attestation report of a legacy SEV guest: 208 bytes, signed by the PEK over the first 52.
 * Source: AMD 55766, ATTESTATION command, "Attestation Report Buffer". */
#include "internal.h"

#define REPORT_SIGNED_BYTES 0x34

int tst_sev_report_parse(const void *p, size_t n, struct tst_sev_report *out, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(p, n);
    memset(out, 0, sizeof *out);
    if (n != TST_SEV_REPORT_BYTES)
        return tst_fail(err, TST_USAGE, "report: %zu bytes, expected %d", n, TST_SEV_REPORT_BYTES);
    memcpy(out->raw, p, n);
    tst_rd_copy(&r, out->mnonce, sizeof out->mnonce);
    tst_rd_copy(&r, out->digest, sizeof out->digest);
    out->policy = tst_rd_u32le(&r); /* 0x30 */
    out->sig_usage = tst_rd_u32le(&r);
    out->sig_algo = tst_rd_u32le(&r);
    uint32_t reserved = tst_rd_u32le(&r);
    tst_rd_copy(&r, out->signature, sizeof out->signature); /* 0x40 */
    if (out->sig_usage != TST_SEV_PEK)
        return tst_fail(err, TST_USAGE, "report: signer 0x%x (%s) at offset 0x34, expected the PEK (0x%x)", out->sig_usage,
                        tst_sev_usage_name(out->sig_usage), TST_SEV_PEK);
    if (out->sig_algo != TST_SEV_ECDSA_SHA256 && out->sig_algo != TST_SEV_ECDSA_SHA384)
        return tst_fail(err, TST_USAGE, "report: signature algorithm 0x%x at offset 0x38, expected ECDSA", out->sig_algo);
    if (reserved)
        return tst_fail(err, TST_USAGE, "report: reserved word at offset 0x3c is 0x%x, expected 0", reserved);
    return tst_rd_finish(&r, "report", err);
}

int tst_sev_report_verify(const struct tst_sev_report *r, const struct tst_sev_cert *pek, struct tst_error **err)
{
    TST_AUTO_KEY key = NULL;
    if (pek->usage != TST_SEV_PEK)
        return tst_fail(err, TST_USAGE, "report: its signer is the PEK, not the %s", tst_sev_usage_name(pek->usage));
    if (r->sig_algo != pek->algo)
        return tst_fail(err, TST_REFUTED, "report: signed with %s, the PEK signs with %s", tst_sev_algo_name(r->sig_algo),
                        tst_sev_algo_name(pek->algo));
    int rc = tst_sev_cert_key(pek, &key, err);
    rc = rc ? rc : sev_ecdsa_verify(key, r->sig_algo, r->raw, REPORT_SIGNED_BYTES, r->signature, err);
    if (rc)
        tst_wrap(err, "report");
    return rc;
}
