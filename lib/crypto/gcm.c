/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/gcm.c - AES-256-GCM with a 12-byte IV and a 16-byte tag (NIST SP 800-38D). The caller never uses one IV twice
 * with one key. No byte of the plaintext is handed out before the tag matched. */
#include <limits.h>
#include <openssl/err.h>

#include "internal.h"

#define GCM_KEY_BYTES 32

static int gcm_start(const struct tst_secret *key, const uint8_t *iv, bool seal, const void *aad, size_t aad_n, size_t n,
                     EVP_CIPHER_CTX **out, struct tst_error **err)
{
    if (tst_secret_size(key) != GCM_KEY_BYTES)
        return tst_fail(err, TST_USAGE, "gcm: the key has %zu bytes, not %d", tst_secret_size(key), GCM_KEY_BYTES);
    if (n > INT_MAX || aad_n > INT_MAX)
        return tst_fail(err, TST_TOO_LARGE, "gcm: %zu bytes, at most %d", n > aad_n ? n : aad_n, INT_MAX);
    TST_CLEANUP(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done;
    if (!ctx || EVP_CipherInit_ex2(ctx, EVP_aes_256_gcm(), tst_secret_view(key), iv, seal, NULL) != 1 ||
        (aad_n && EVP_CipherUpdate(ctx, NULL, &done, aad, (int)aad_n) != 1))
        return crypto_fail(err, TST_INTERNAL, "gcm");
    *out = TST_STEAL(ctx);
    return 0;
}

int tst_gcm_seal(const struct tst_secret *key, const uint8_t iv[TST_GCM_IV_BYTES], const void *aad, size_t aad_n,
                 const void *pt, size_t n, uint8_t *ct, uint8_t tag[TST_GCM_TAG_BYTES], struct tst_error **err)
{
    TST_CLEANUP(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = NULL;
    int rc = gcm_start(key, iv, true, aad, aad_n, n, &ctx, err);
    if (rc)
        return rc;
    int done;
    uint8_t none[EVP_MAX_BLOCK_LENGTH];
    if ((n && EVP_CipherUpdate(ctx, ct, &done, pt, (int)n) != 1) || EVP_CipherFinal_ex(ctx, none, &done) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TST_GCM_TAG_BYTES, tag) != 1)
        return crypto_fail(err, TST_INTERNAL, "gcm: cannot seal");
    return 0;
}

int tst_gcm_open(const struct tst_secret *key, const uint8_t iv[TST_GCM_IV_BYTES], const void *aad, size_t aad_n,
                 const void *ct, size_t n, const uint8_t tag[TST_GCM_TAG_BYTES], struct tst_secret **pt,
                 struct tst_error **err)
{
    TST_CLEANUP(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = NULL;
    TST_AUTO_SECRET plain = NULL;
    int rc = n ? gcm_start(key, iv, false, aad, aad_n, n, &ctx, err) : tst_fail(err, TST_USAGE, "gcm: nothing to open");
    rc = rc ? rc : tst_secret_new(n, &plain, err);
    if (rc)
        return rc;
    int done;
    uint8_t expected[TST_GCM_TAG_BYTES], none[EVP_MAX_BLOCK_LENGTH];
    memcpy(expected, tag, sizeof expected); /* the control call takes a writable pointer */
    if (EVP_CipherUpdate(ctx, tst_secret_bytes(plain), &done, ct, (int)n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof expected, expected) != 1)
        return crypto_fail(err, TST_INTERNAL, "gcm: cannot open");
    if (EVP_CipherFinal_ex(ctx, none, &done) != 1) {
        ERR_clear_error();
        return tst_fail(err, TST_REFUTED, "gcm: the tag does not match");
    }
    *pt = TST_STEAL(plain);
    return 0;
}
