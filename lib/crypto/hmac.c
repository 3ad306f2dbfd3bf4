/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/hmac.c - HMAC-SHA256 (RFC 2104) over several pieces, and with it the key derivation in counter mode of
 * NIST SP 800-108 in the byte order that AMD's firmware uses (AMD 55766, "Key Derivation Function"). */
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "internal.h"

#define COUNTER_KDF_MAX_BYTES 1024

TST_CLEANUP_FN(EVP_MAC *, EVP_MAC_free)
TST_CLEANUP_FN(EVP_MAC_CTX *, EVP_MAC_CTX_free)

int tst_hmac_sha256(const struct tst_secret *key, const struct tst_bytes *parts, size_t count,
                    uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    TST_CLEANUP(EVP_MAC_free) EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    TST_CLEANUP(EVP_MAC_CTX_free) EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    bool ok = ctx && EVP_MAC_init(ctx, tst_secret_view(key), tst_secret_size(key), params) == 1;
    for (size_t i = 0; ok && i < count; i++)
        ok = parts[i].n == 0 || EVP_MAC_update(ctx, parts[i].p, parts[i].n) == 1;
    size_t n = 0;
    if (!ok || EVP_MAC_final(ctx, out, &n, TST_SHA256_BYTES) != 1 || n != TST_SHA256_BYTES)
        return crypto_fail(err, TST_INTERNAL, "hmac");
    return 0;
}

static void put_u32le(uint8_t out[4], uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

int tst_counter_kdf(const struct tst_secret *key, const char *label, const void *context, size_t n, size_t out_bytes,
                    struct tst_secret **out, struct tst_error **err)
{
    if (out_bytes > COUNTER_KDF_MAX_BYTES)
        return tst_fail(err, TST_TOO_LARGE, "kdf: %zu bytes asked for, at most %d", out_bytes, COUNTER_KDF_MAX_BYTES);
    TST_AUTO_SECRET derived = NULL;
    TST_AUTO_SECRET block = NULL;
    uint8_t counter[4], bits[4];
    put_u32le(bits, (uint32_t)out_bytes * 8);
    /* the label's NUL is the zero octet between label and context */
    const struct tst_bytes parts[] = {
        {counter, sizeof counter}, {(const uint8_t *)label, strlen(label) + 1}, {context, n}, {bits, sizeof bits}};
    int rc = tst_secret_new(out_bytes, &derived, err);
    rc = rc ? rc : tst_secret_new(TST_SHA256_BYTES, &block, err);
    uint32_t i = 1;
    for (size_t done = 0; !rc && done < out_bytes; done += TST_SHA256_BYTES, i++) {
        size_t left = out_bytes - done;
        put_u32le(counter, i);
        rc = tst_hmac_sha256(key, parts, TST_COUNT(parts), tst_secret_bytes(block), err);
        memcpy(tst_secret_bytes(derived) + done, tst_secret_view(block), left < TST_SHA256_BYTES ? left : TST_SHA256_BYTES);
    }
    if (rc)
        return rc;
    *out = TST_STEAL(derived);
    return 0;
}
