/* SPDX-License-Identifier: Apache-2.0 */
/* sev/ca_cert.c - AMD's own certificates (ASK, ARK: an RSA key of 2048 or 4096 bits and one signature as long as the key).
 * Pure: no signature check here (chain.c). Source: AMD 55766, appendix "CA Certificate Format". */
#include "internal.h"

#define CA_VERSION 1
#define CA_HEADER_BYTES 0x40

static int read_header(struct tst_rd *r, struct tst_sev_ca_cert *c, struct tst_error **err)
{
    c->version = tst_rd_u32le(r);
    tst_rd_copy(r, c->key_id, sizeof c->key_id);
    tst_rd_copy(r, c->certifying_id, sizeof c->certifying_id);
    c->usage = tst_rd_u32le(r); /* 0x24 */
    tst_rd_skip(r, 16);
    uint32_t exponent_bits = tst_rd_u32le(r), modulus_bits = tst_rd_u32le(r);
    if (r->bad)
        return tst_fail(err, TST_USAGE, "AMD certificate: truncated in its header");
    if (c->version != CA_VERSION)
        return tst_fail(err, TST_USAGE, "AMD certificate: version %u at offset 0, expected %d", c->version, CA_VERSION);
    if (c->usage != TST_SEV_ARK && c->usage != TST_SEV_ASK)
        return tst_fail(err, TST_USAGE, "AMD certificate: key usage 0x%x at offset 0x24, expected ARK (0) or ASK (0x13)", c->usage);
    if (modulus_bits != exponent_bits || (modulus_bits != 2048 && modulus_bits != 4096))
        return tst_fail(err, TST_USAGE, "%s certificate: exponent of %u and modulus of %u bits (offset 0x38), expected 2048 or 4096 both",
                        tst_sev_usage_name(c->usage), exponent_bits, modulus_bits);
    c->key_bytes = modulus_bits / 8;
    return 0;
}

int tst_sev_ca_cert_parse(const void *p, size_t n, struct tst_sev_ca_cert *out, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(p, n);
    memset(out, 0, sizeof *out);
    int rc = read_header(&r, out, err);
    if (rc)
        return rc;
    out->signed_bytes = CA_HEADER_BYTES + 2 * out->key_bytes;
    out->signature_bytes = n == out->signed_bytes ? 0 : out->key_bytes;
    struct tst_bytes exponent = tst_rd_take(&r, out->key_bytes), modulus = tst_rd_take(&r, out->key_bytes);
    struct tst_bytes signature = tst_rd_take(&r, out->signature_bytes);
    rc = tst_rd_finish(&r, tst_sev_usage_name(out->usage), err);
    if (rc) {
        tst_wrap(err, "AMD certificate");
        return rc;
    }
    memcpy(out->raw, p, n);
    out->raw_bytes = n;
    sev_reverse(exponent.p, exponent.n, out->exponent);
    sev_reverse(modulus.p, modulus.n, out->modulus);
    sev_reverse(signature.p, signature.n, out->signature);
    return 0;
}

int tst_sev_ca_cert_key(const struct tst_sev_ca_cert *c, struct tst_key **out, struct tst_error **err)
{
    int rc = tst_key_from_rsa((struct tst_bytes){c->modulus, c->key_bytes}, (struct tst_bytes){c->exponent, c->key_bytes}, out, err);
    if (rc)
        tst_wrap(err, "%s certificate", tst_sev_usage_name(c->usage));
    return rc;
}
