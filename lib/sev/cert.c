/* SPDX-License-Identifier: Apache-2.0 */
/* sev/cert.c - the certificates of the platform (PDH, PEK, OCA, CEK: 2084 bytes, an EC key and two signature slots).
 * Pure: no signature check here (chain.c). Reserved fields of the signed part are not judged; what no signature covers and
 * nothing uses must be zero. Source: AMD 55766, appendix "SEV Certificate Format". */
#include "internal.h"

#define CERT_VERSION 1
#define CURVE_P256 1
#define CURVE_P384 2
#define PUBKEY_RESERVED_BYTES (0x404 - 4 - 2 * SEV_EC_FIELD_BYTES)
#define EC_SIGNATURE_BYTES (2 * SEV_EC_FIELD_BYTES)

_Static_assert(0x10 + 0x404 == TST_SEV_CERT_SIGNED_BYTES, "header and public key are signed");
_Static_assert(TST_SEV_CERT_SIGNED_BYTES + 2 * (8 + TST_SEV_SIGNATURE_BYTES) == TST_SEV_CERT_BYTES, "two slots follow");

static size_t coordinate_bytes(enum tst_key_kind curve)
{
    return curve == TST_KEY_P256 ? 32 : 48;
}

static bool is_ecdsa(uint32_t algo)
{
    return algo == TST_SEV_ECDSA_SHA256 || algo == TST_SEV_ECDSA_SHA384;
}

static bool is_ecdh(uint32_t algo)
{
    return algo == TST_SEV_ECDH_SHA256 || algo == TST_SEV_ECDH_SHA384;
}

/* The PDH agrees on keys, the others sign. */
static int check_header(const struct tst_sev_cert *c, struct tst_error **err)
{
    if (c->version != CERT_VERSION)
        return tst_fail(err, TST_USAGE, "certificate: version %u at offset 0, expected %d", c->version, CERT_VERSION);
    if (c->usage < TST_SEV_OCA || c->usage > TST_SEV_CEK)
        return tst_fail(err, TST_USAGE, "certificate: key usage 0x%x at offset 8, expected OCA, PEK, PDH or CEK (0x%x to 0x%x)",
                        c->usage, TST_SEV_OCA, TST_SEV_CEK);
    if (c->usage == TST_SEV_PDH ? !is_ecdh(c->algo) : !is_ecdsa(c->algo))
        return tst_fail(err, TST_USAGE, "%s certificate: key algorithm 0x%x (%s) at offset 0xc, expected %s",
                        tst_sev_usage_name(c->usage), c->algo, tst_sev_algo_name(c->algo),
                        c->usage == TST_SEV_PDH ? "ECDH" : "ECDSA");
    return 0;
}

static int read_key(struct tst_rd *r, struct tst_sev_cert *c, struct tst_error **err)
{
    const char *name = tst_sev_usage_name(c->usage);
    uint32_t curve = tst_rd_u32le(r);
    if (curve != CURVE_P256 && curve != CURVE_P384)
        return tst_fail(err, TST_USAGE, "%s certificate: curve %u at offset 0x10, expected 1 (P-256) or 2 (P-384)", name, curve);
    c->curve = curve == CURVE_P256 ? TST_KEY_P256 : TST_KEY_P384;
    size_t n = coordinate_bytes(c->curve);
    struct tst_bytes x = tst_rd_take(r, SEV_EC_FIELD_BYTES), y = tst_rd_take(r, SEV_EC_FIELD_BYTES);
    if (!x.p || !y.p)
        return tst_fail(err, TST_USAGE, "%s certificate: truncated in its key", name);
    if (!sev_ec_number(x.p, n, c->x) || !sev_ec_number(y.p, n, c->y))
        return tst_fail(err, TST_USAGE, "%s certificate: a coordinate at offset 0x14 is larger than its curve allows", name);
    tst_rd_skip(r, PUBKEY_RESERVED_BYTES);
    return 0;
}

static bool slot_is_empty(const struct tst_sev_signature *s)
{
    return s->usage == TST_SEV_NONE || s->usage == TST_SEV_NONE_SWAPPED;
}

static bool is_signer(uint32_t usage)
{
    return usage == TST_SEV_ASK || usage == TST_SEV_OCA || usage == TST_SEV_PEK || usage == TST_SEV_CEK;
}

static int read_slot(struct tst_rd *r, const struct tst_sev_cert *c, unsigned slot, struct tst_sev_signature *s,
                     struct tst_error **err)
{
    const char *name = tst_sev_usage_name(c->usage);
    s->usage = tst_rd_u32le(r);
    s->algo = tst_rd_u32le(r);
    tst_rd_copy(r, s->bytes, sizeof s->bytes);
    if (slot_is_empty(s)) {
        if (s->algo || !tst_is_zero(s->bytes, sizeof s->bytes))
            return tst_fail(err, TST_USAGE, "%s certificate: signature slot %u says that it is empty, and is not zero", name, slot);
        return 0;
    }
    if (!is_signer(s->usage))
        return tst_fail(err, TST_USAGE, "%s certificate: signature slot %u is of 0x%x, which signs nothing", name, slot, s->usage);
    bool rsa = s->usage == TST_SEV_ASK;
    if (rsa ? s->algo != TST_SEV_RSA_SHA256 && s->algo != TST_SEV_RSA_SHA384 : !is_ecdsa(s->algo))
        return tst_fail(err, TST_USAGE, "%s certificate: signature slot %u has algorithm 0x%x, which the %s does not use", name,
                        slot, s->algo, tst_sev_usage_name(s->usage));
    if (!rsa && !tst_is_zero(s->bytes + EC_SIGNATURE_BYTES, sizeof s->bytes - EC_SIGNATURE_BYTES))
        return tst_fail(err, TST_USAGE, "%s certificate: non-zero bytes behind the signature in slot %u", name, slot);
    return 0;
}

int tst_sev_cert_parse(const void *p, size_t n, struct tst_sev_cert *out, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(p, n);
    memset(out, 0, sizeof *out);
    if (n != TST_SEV_CERT_BYTES)
        return tst_fail(err, TST_USAGE, "certificate: %zu bytes, expected %d", n, TST_SEV_CERT_BYTES);
    memcpy(out->raw, p, n);
    out->version = tst_rd_u32le(&r);
    out->api_major = tst_rd_u8(&r);
    out->api_minor = tst_rd_u8(&r);
    tst_rd_skip(&r, 2);
    out->usage = tst_rd_u32le(&r);
    out->algo = tst_rd_u32le(&r);
    int rc = check_header(out, err);
    rc = rc ? rc : read_key(&r, out, err);
    for (unsigned slot = 1; !rc && slot <= TST_COUNT(out->sig); slot++)
        rc = read_slot(&r, out, slot, &out->sig[slot - 1], err);
    return rc ? rc : tst_rd_finish(&r, "certificate", err);
}

int tst_sev_cert_key(const struct tst_sev_cert *c, struct tst_key **out, struct tst_error **err)
{
    int rc = tst_key_from_ec_point(c->curve, c->x, c->y, out, err);
    if (rc)
        tst_wrap(err, "%s certificate", tst_sev_usage_name(c->usage));
    return rc;
}

int sev_ecdsa_verify(const struct tst_key *signer, uint32_t algo, const void *msg, size_t n,
                     const uint8_t rs[EC_SIGNATURE_BYTES], struct tst_error **err)
{
    uint8_t big[TST_ECDSA_P384_BYTES];
    size_t size = coordinate_bytes(tst_key_kind(signer));
    if (!is_ecdsa(algo))
        return tst_fail(err, TST_REFUTED, "signature: algorithm 0x%x is no ECDSA", algo);
    if (!sev_ec_number(rs, size, big) || !sev_ec_number(rs + SEV_EC_FIELD_BYTES, size, big + size))
        return tst_fail(err, TST_REFUTED, "signature: a number is larger than the curve allows");
    return tst_ecdsa_verify_hash(signer, algo == TST_SEV_ECDSA_SHA256 ? TST_HASH_SHA256 : TST_HASH_SHA384, msg, n, big, err);
}
