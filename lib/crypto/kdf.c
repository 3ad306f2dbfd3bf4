/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/kdf.c - key agreement and key wrapping: ECDH on P-256 (JWE) and P-384 (legacy SEV), the one-step KDF of
 * NIST SP 800-56A with SHA-256 (RFC 7518 §4.6), AES key wrap with a 256-bit key (RFC 3394). Every intermediate value lives
 * in a tst_secret. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

#include "internal.h"

#define KW_BLOCK_BYTES 8
#define KW_KEK_BYTES 32
#define KW_KEY_MAX_BYTES 1024
#define KDF_OUT_MAX_BYTES 1024

TST_CLEANUP_FN(EVP_KDF *, EVP_KDF_free)
TST_CLEANUP_FN(EVP_KDF_CTX *, EVP_KDF_CTX_free)

static int agree(enum tst_key_kind kind, const struct tst_key *mine, const struct tst_key *theirs, struct tst_secret **z,
                 struct tst_error **err)
{
    if (mine->kind != kind || theirs->kind != kind)
        return tst_fail(err, TST_USAGE, "ecdh: both keys must be on %s, not %s and %s", key_kind_name(kind),
                        key_kind_name(mine->kind), key_kind_name(theirs->kind));
    if (!mine->has_private)
        return tst_fail(err, TST_USAGE, "ecdh: the own key has no private part");
    TST_AUTO_SECRET secret = NULL;
    size_t n = key_coordinate_bytes(kind);
    int rc = tst_secret_new(n, &secret, err);
    if (rc)
        return rc;
    TST_CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine->pkey, NULL);
    if (!ctx || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, theirs->pkey) != 1 ||
        EVP_PKEY_derive(ctx, tst_secret_bytes(secret), &n) != 1 || n != tst_secret_size(secret))
        return crypto_fail(err, TST_INTERNAL, "ecdh: no agreement");
    *z = TST_STEAL(secret);
    return 0;
}

int tst_ecdh(const struct tst_key *mine, const struct tst_key *theirs, struct tst_secret **z, struct tst_error **err)
{
    return agree(TST_KEY_P256, mine, theirs, z, err);
}

int tst_ecdh_p384(const struct tst_key *mine, const struct tst_key *theirs, struct tst_secret **z, struct tst_error **err)
{
    return agree(TST_KEY_P384, mine, theirs, z, err);
}

int tst_concat_kdf(const struct tst_secret *z, const void *other_info, size_t n, size_t out_bytes,
                   struct tst_secret **out, struct tst_error **err)
{
    if (out_bytes > KDF_OUT_MAX_BYTES)
        return tst_fail(err, TST_TOO_LARGE, "kdf: %zu bytes asked for, at most %d", out_bytes, KDF_OUT_MAX_BYTES);
    TST_AUTO_SECRET secret = NULL;
    int rc = tst_secret_new(out_bytes, &secret, err);
    if (rc)
        return rc;
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)tst_secret_view(z), tst_secret_size(z)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)other_info, n),
        OSSL_PARAM_construct_end(),
    };
    TST_CLEANUP(EVP_KDF_free) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
    TST_CLEANUP(EVP_KDF_CTX_free) EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    if (!ctx || EVP_KDF_derive(ctx, tst_secret_bytes(secret), out_bytes, params) != 1)
        return crypto_fail(err, TST_INTERNAL, "kdf");
    *out = TST_STEAL(secret);
    return 0;
}

static int kw_start(const struct tst_secret *kek, bool wrap, EVP_CIPHER_CTX **out, struct tst_error **err)
{
    if (tst_secret_size(kek) != KW_KEK_BYTES)
        return tst_fail(err, TST_USAGE, "key wrap: the key-encryption key has %zu bytes, not %d", tst_secret_size(kek),
                        KW_KEK_BYTES);
    TST_CLEANUP(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (!ctx)
        return crypto_fail(err, TST_INTERNAL, "key wrap");
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (EVP_CipherInit_ex2(ctx, EVP_aes_256_wrap(), tst_secret_view(kek), NULL, wrap, NULL) != 1)
        return crypto_fail(err, TST_INTERNAL, "key wrap");
    *out = TST_STEAL(ctx);
    return 0;
}

int tst_aes_kw_wrap(const struct tst_secret *kek, const struct tst_secret *key, uint8_t *wrapped,
                    struct tst_error **err)
{
    size_t n = tst_secret_size(key);
    if (n % KW_BLOCK_BYTES || n < 2 * KW_BLOCK_BYTES || n > KW_KEY_MAX_BYTES)
        return tst_fail(err, TST_USAGE, "key wrap: cannot wrap a key of %zu bytes", n);
    TST_CLEANUP(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = NULL;
    int rc = kw_start(kek, true, &ctx, err);
    if (rc)
        return rc;
    int done = 0;
    if (EVP_CipherUpdate(ctx, wrapped, &done, tst_secret_view(key), (int)n) != 1 || (size_t)done != n + KW_BLOCK_BYTES)
        return crypto_fail(err, TST_INTERNAL, "key wrap");
    return 0;
}

int tst_aes_kw_unwrap(const struct tst_secret *kek, const void *wrapped, size_t n, struct tst_secret **key,
                      struct tst_error **err)
{
    if (n % KW_BLOCK_BYTES || n < 3 * KW_BLOCK_BYTES || n > KW_KEY_MAX_BYTES + KW_BLOCK_BYTES)
        return tst_fail(err, TST_REFUTED, "key unwrap: %zu bytes are no wrapped key", n);
    TST_CLEANUP(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = NULL;
    TST_AUTO_SECRET buffer = NULL; /* OpenSSL may write one block more than the key has */
    int rc = kw_start(kek, false, &ctx, err);
    rc = rc ? rc : tst_secret_new(n, &buffer, err);
    if (rc)
        return rc;
    int done = 0;
    if (EVP_CipherUpdate(ctx, tst_secret_bytes(buffer), &done, wrapped, (int)n) != 1 ||
        (size_t)done != n - KW_BLOCK_BYTES) {
        ERR_clear_error();
        return tst_fail(err, TST_REFUTED, "key unwrap: was not wrapped with this key");
    }
    return tst_secret_from(tst_secret_view(buffer), (size_t)done, key, err);
}
