/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/ecdsa.c - ECDSA with signatures as r||s, each as long as the curve's coordinate (RFC 7518 §3.4); the hash is
 * SHA-256 with P-256 and SHA-384 with P-384, unless the caller names another (AMD's legacy SEV firmware does). */
#include <openssl/ec.h>
#include <openssl/err.h>

#include "internal.h"

#define DER_MAX_BYTES 128

TST_CLEANUP_FN(ECDSA_SIG *, ECDSA_SIG_free)

static int need_curve(const struct tst_key *k, struct tst_error **err)
{
    if (key_coordinate_bytes(k->kind) == 0)
        return tst_fail(err, TST_USAGE, "ecdsa: %s is no key on P-256 or P-384", key_kind_name(k->kind));
    return 0;
}

static int sign(const struct tst_key *k, const EVP_MD *md, const void *msg, size_t n, uint8_t *rs, struct tst_error **err)
{
    int rc = need_curve(k, err);
    if (rc)
        return rc;
    if (!k->has_private)
        return tst_fail(err, TST_USAGE, "ecdsa: the key has no private part");
    uint8_t der[DER_MAX_BYTES];
    size_t der_n = sizeof der;
    TST_CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestSignInit(ctx, NULL, md, NULL, k->pkey) != 1 ||
        EVP_DigestSign(ctx, der, &der_n, msg, n) != 1)
        return crypto_fail(err, TST_INTERNAL, "ecdsa: cannot sign");
    const uint8_t *at = der;
    TST_CLEANUP(ECDSA_SIG_free) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)der_n);
    int size = (int)key_coordinate_bytes(k->kind);
    if (!sig || BN_bn2binpad(ECDSA_SIG_get0_r(sig), rs, size) != size ||
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), rs + size, size) != size)
        return crypto_fail(err, TST_INTERNAL, "ecdsa: cannot write the signature");
    return 0;
}

int tst_ecdsa_sign(const struct tst_key *k, const void *msg, size_t n, uint8_t *rs, struct tst_error **err)
{
    return sign(k, key_signature_md(k->kind), msg, n, rs, err);
}

int tst_ecdsa_sign_hash(const struct tst_key *k, enum tst_hash hash, const void *msg, size_t n, uint8_t *rs,
                        struct tst_error **err)
{
    return sign(k, hash_md(hash), msg, n, rs, err);
}

/* r||s -> the DER form that OpenSSL verifies; 0 on failure. */
static size_t signature_der(const uint8_t *rs, int size, uint8_t der[DER_MAX_BYTES])
{
    TST_CLEANUP(ECDSA_SIG_free) ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(rs, size, NULL), *s = BN_bin2bn(rs + size, size, NULL);
    if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return 0;
    }
    int n = i2d_ECDSA_SIG(sig, NULL);
    return n > 0 && n <= DER_MAX_BYTES ? (size_t)i2d_ECDSA_SIG(sig, &der) : 0;
}

static int verify(const struct tst_key *k, const EVP_MD *md, const void *msg, size_t n, const uint8_t *rs,
                  struct tst_error **err)
{
    int rc = need_curve(k, err);
    if (rc)
        return rc;
    uint8_t der[DER_MAX_BYTES];
    size_t der_n = signature_der(rs, (int)key_coordinate_bytes(k->kind), der);
    TST_CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (der_n == 0 || !ctx || EVP_DigestVerifyInit(ctx, NULL, md, NULL, k->pkey) != 1)
        return crypto_fail(err, TST_INTERNAL, "ecdsa: cannot verify");
    if (EVP_DigestVerify(ctx, der, der_n, msg, n) != 1) {
        ERR_clear_error();
        return tst_fail(err, TST_REFUTED, "signature: does not verify with this %s key", key_kind_name(k->kind));
    }
    return 0;
}

int tst_ecdsa_verify(const struct tst_key *k, const void *msg, size_t n, const uint8_t *rs, struct tst_error **err)
{
    return verify(k, key_signature_md(k->kind), msg, n, rs, err);
}

int tst_ecdsa_verify_hash(const struct tst_key *k, enum tst_hash hash, const void *msg, size_t n, const uint8_t *rs,
                          struct tst_error **err)
{
    return verify(k, hash_md(hash), msg, n, rs, err);
}
