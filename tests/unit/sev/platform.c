/* SPDX-License-Identifier: Apache-2.0 */
/* platform.c - see platform.h. */
#include "platform.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#define SLOT_BYTES (8 + TST_SEV_SIGNATURE_BYTES)
#define CA_HEADER_BYTES 0x40

static const uint32_t usages[] = {TST_SEV_PDH, TST_SEV_PEK, TST_SEV_OCA, TST_SEV_CEK, TST_SEV_ASK, TST_SEV_ARK};

static void put_u32(uint8_t *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> 8 * i);
}

static void reverse(const uint8_t *from, size_t n, uint8_t *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[n - 1 - i];
}

/* ---- EC certificates ---- */
static void cert_write(struct platform *p, enum tst_sev_role role)
{
    uint8_t x[48], y[48], *c = p->cert[role];
    assert_int_equal(tst_key_ec_point(p->key[role], x, y, NULL), 0);
    memset(c, 0, TST_SEV_CERT_BYTES);
    put_u32(c, 1);
    c[5] = 24;
    put_u32(c + 8, usages[role]);
    put_u32(c + 12, role == TST_SEV_ROLE_PDH ? TST_SEV_ECDH_SHA256 : TST_SEV_ECDSA_SHA256);
    put_u32(c + 16, 2);
    reverse(x, 48, c + 20);
    reverse(y, 48, c + 20 + 72);
    put_u32(c + TST_SEV_CERT_SIGNED_BYTES, TST_SEV_NONE);
    put_u32(c + TST_SEV_CERT_SIGNED_BYTES + SLOT_BYTES, TST_SEV_NONE);
}

static void ec_sign(const struct tst_key *key, const uint8_t *msg, size_t n, uint8_t rs[144])
{
    uint8_t big[TST_ECDSA_P384_BYTES];
    assert_int_equal(tst_ecdsa_sign_hash(key, TST_HASH_SHA256, msg, n, big, NULL), 0);
    memset(rs, 0, 144);
    reverse(big, 48, rs);
    reverse(big + 48, 48, rs + 72);
}

/* Returns the signature's bytes, little-endian in out. */
static size_t rsa_sign(EVP_PKEY *key, const uint8_t *msg, size_t n, uint8_t *out)
{
    uint8_t big[512];
    size_t size = sizeof big;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    assert_int_equal(EVP_DigestSignInit(ctx, &pctx, EVP_PKEY_get_bits(key) == 2048 ? EVP_sha256() : EVP_sha384(), NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST), 1);
    assert_int_equal(EVP_DigestSign(ctx, big, &size, msg, n), 1);
    EVP_MD_CTX_free(ctx);
    reverse(big, size, out);
    return size;
}

void platform_sign(struct platform *p, enum tst_sev_role subject, unsigned slot, enum tst_sev_role signer)
{
    uint8_t *c = p->cert[subject], *s = c + TST_SEV_CERT_SIGNED_BYTES + slot * SLOT_BYTES;
    memset(s, 0, SLOT_BYTES);
    put_u32(s, usages[signer]);
    if (signer == TST_SEV_ROLE_ASK) {
        put_u32(s + 4, EVP_PKEY_get_bits(p->ca_key[0]) == 2048 ? TST_SEV_RSA_SHA256 : TST_SEV_RSA_SHA384);
        rsa_sign(p->ca_key[0], c, TST_SEV_CERT_SIGNED_BYTES, s + 8);
    } else {
        put_u32(s + 4, TST_SEV_ECDSA_SHA256);
        ec_sign(p->key[signer], c, TST_SEV_CERT_SIGNED_BYTES, s + 8);
    }
}

/* ---- RSA certificates ---- */
static void bn_write(EVP_PKEY *key, const char *param, uint8_t *to, size_t n)
{
    BIGNUM *bn = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(key, param, &bn), 1);
    assert_int_equal(BN_bn2lebinpad(bn, to, (int)n), (int)n);
    BN_free(bn);
}

static void ca_write(struct platform *p, enum tst_sev_role role)
{
    EVP_PKEY *key = p->ca_key[role - TST_SEV_ROLE_ASK];
    uint8_t *c = p->ca[role - TST_SEV_ROLE_ASK];
    size_t n = (size_t)EVP_PKEY_get_bits(key) / 8;
    put_u32(c, 1);
    memset(c + 4, role == TST_SEV_ROLE_ARK ? 0xa1 : 0xa2, 16);
    memset(c + 0x14, 0xa1, 16);
    put_u32(c + 0x24, usages[role]);
    put_u32(c + 0x38, (uint32_t)(8 * n));
    put_u32(c + 0x3c, (uint32_t)(8 * n));
    bn_write(key, OSSL_PKEY_PARAM_RSA_E, c + CA_HEADER_BYTES, n);
    bn_write(key, OSSL_PKEY_PARAM_RSA_N, c + CA_HEADER_BYTES + n, n);
    p->ca_bytes = CA_HEADER_BYTES + 3 * n;
    platform_sign_ca(p, role);
}

void platform_sign_ca(struct platform *p, enum tst_sev_role subject)
{
    uint8_t *c = p->ca[subject - TST_SEV_ROLE_ASK];
    size_t n = (p->ca_bytes - CA_HEADER_BYTES) / 3;
    assert_int_equal(rsa_sign(p->ca_key[1], c, CA_HEADER_BYTES + 2 * n, c + CA_HEADER_BYTES + 2 * n), n);
}

void platform_make(struct platform *p, unsigned rsa_bits)
{
    struct tst_sev_ca_cert ark;
    memset(p, 0, sizeof *p);
    for (size_t i = 0; i < 2; i++)
        assert_non_null(p->ca_key[i] = EVP_RSA_gen(rsa_bits));
    for (enum tst_sev_role r = TST_SEV_ROLE_PDH; r <= TST_SEV_ROLE_CEK; r++) {
        assert_int_equal(tst_key_generate(TST_KEY_P384, &p->key[r], NULL), 0);
        cert_write(p, r);
    }
    ca_write(p, TST_SEV_ROLE_ARK);
    ca_write(p, TST_SEV_ROLE_ASK);
    platform_sign(p, TST_SEV_ROLE_CEK, 0, TST_SEV_ROLE_ASK);
    platform_sign(p, TST_SEV_ROLE_OCA, 0, TST_SEV_ROLE_OCA);
    platform_sign(p, TST_SEV_ROLE_PEK, 0, TST_SEV_ROLE_OCA);
    platform_sign(p, TST_SEV_ROLE_PEK, 1, TST_SEV_ROLE_CEK);
    platform_sign(p, TST_SEV_ROLE_PDH, 0, TST_SEV_ROLE_PEK);
    assert_int_equal(tst_sev_ca_cert_parse(p->ca[1], p->ca_bytes, &ark, NULL), 0);
    TST_AUTO_KEY key = NULL;
    assert_int_equal(tst_sev_ca_cert_key(&ark, &key, NULL), 0);
    assert_int_equal(tst_key_spki_sha256(key, p->pin.spki_sha256, NULL), 0);
    strcpy(p->pin.product, "synthetic");
}

void platform_clear(struct platform *p)
{
    for (size_t i = 0; i < 2; i++)
        EVP_PKEY_free(p->ca_key[i]);
    for (size_t i = 0; i < CERTS; i++)
        tst_key_free(p->key[i]);
}

void platform_chain(const struct platform *p, struct tst_sev_chain *chain)
{
    struct tst_error *err = NULL;
    memset(chain, 0, sizeof *chain);
    for (size_t i = 0; i < CERTS; i++)
        assert_done(tst_sev_chain_add(chain, p->cert[i], TST_SEV_CERT_BYTES, &err), err);
    for (size_t i = 0; i < 2; i++)
        assert_done(tst_sev_chain_add(chain, p->ca[i], p->ca_bytes, &err), err);
}

void platform_report(const struct platform *p, const uint8_t mnonce[16], const uint8_t digest[32], uint32_t policy,
                     uint8_t out[TST_SEV_REPORT_BYTES])
{
    memset(out, 0, TST_SEV_REPORT_BYTES);
    memcpy(out, mnonce, 16);
    memcpy(out + 16, digest, 32);
    put_u32(out + 0x30, policy);
    put_u32(out + 0x34, TST_SEV_PEK);
    put_u32(out + 0x38, TST_SEV_ECDSA_SHA256);
    ec_sign(p->key[TST_SEV_ROLE_PEK], out, 0x34, out + 0x40);
}

/* ---- mutations ---- */
/* What verifies a certificate: itself and its signers. Fewer certificates make the walk bearable. */
static const bool needed[TST_SEV_ROLES][TST_SEV_ROLES] = {
    [TST_SEV_ROLE_PDH] = {[TST_SEV_ROLE_PDH] = true, [TST_SEV_ROLE_PEK] = true},
    [TST_SEV_ROLE_PEK] = {[TST_SEV_ROLE_PEK] = true, [TST_SEV_ROLE_OCA] = true, [TST_SEV_ROLE_CEK] = true},
    [TST_SEV_ROLE_OCA] = {[TST_SEV_ROLE_OCA] = true},
    [TST_SEV_ROLE_CEK] = {[TST_SEV_ROLE_CEK] = true, [TST_SEV_ROLE_ASK] = true},
    [TST_SEV_ROLE_ASK] = {[TST_SEV_ROLE_ASK] = true, [TST_SEV_ROLE_ARK] = true},
    [TST_SEV_ROLE_ARK] = {[TST_SEV_ROLE_ARK] = true},
};

static const uint8_t *cert_of(const struct tst_sev_chain *chain, enum tst_sev_role r, size_t *n)
{
    *n = r < TST_SEV_ROLE_ASK ? TST_SEV_CERT_BYTES : chain->ca[r - TST_SEV_ROLE_ASK].raw_bytes;
    return r < TST_SEV_ROLE_ASK ? chain->cert[r].raw : chain->ca[r - TST_SEV_ROLE_ASK].raw;
}

/* The flipped certificate is refused by the parser, taken for another one, or fails a check. */
static void flip(const struct tst_sev_chain *chain, enum tst_sev_role role, size_t offset, const struct tst_sev_pin *pin)
{
    static struct tst_sev_chain bent;
    struct tst_sev_verdict v;
    struct tst_error *err = NULL;
    uint8_t bytes[TST_SEV_CERT_BYTES];
    size_t n;
    const uint8_t *from = cert_of(chain, role, &n);
    memcpy(bytes, from, n);
    bytes[offset] ^= (uint8_t)(1u << offset % 8);
    bent = *chain;
    memcpy(bent.has, needed[role], sizeof bent.has);
    bent.has[role] = false;
    int rc = tst_sev_chain_add(&bent, bytes, n, &err);
    assert_true((rc == 0) == (err == NULL));
    tst_error_free(err);
    if (rc || !bent.has[role])
        return;
    assert_int_equal(tst_sev_chain_verify(&bent, pin, &v, NULL), 0);
    if (v.outcome != TST_SEV_FAIL || !tst_sev_verdict_first(&v)->found[0])
        fail_msg("%s, byte 0x%zx: the flip went unseen", tst_sev_role_name(role), offset);
}

/* Headers of certificates and signatures: each byte has its own rule. */
static bool in_header(size_t offset)
{
    const size_t slot = TST_SEV_CERT_SIGNED_BYTES, next = slot + SLOT_BYTES;
    return offset < CA_HEADER_BYTES || (offset >= slot && offset < slot + 8) || (offset >= next && offset < next + 8);
}

void platform_flip_all(const struct tst_sev_chain *chain, const struct tst_sev_pin *pin, size_t step)
{
    for (enum tst_sev_role r = TST_SEV_ROLE_PDH; r <= TST_SEV_ROLE_ARK; r++) {
        size_t n;
        cert_of(chain, r, &n);
        for (size_t offset = 0; offset < n; offset++)
            if (in_header(offset) || offset % step == 0)
                flip(chain, r, offset, pin);
    }
}
