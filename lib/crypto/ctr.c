/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/ctr.c - AES-128 in counter mode (NIST SP 800-38A). The same operation encrypts and decrypts; it protects nothing
 * against change, so that its callers put a MAC over the result. */
#include <limits.h>

#include "internal.h"

int tst_aes128_ctr(const struct tst_secret *key, const uint8_t iv[TST_AES128_BYTES], const void *in, size_t n, uint8_t *out,
                   struct tst_error **err)
{
    if (tst_secret_size(key) != TST_AES128_BYTES)
        return tst_fail(err, TST_USAGE, "aes-128-ctr: the key has %zu bytes, not %d", tst_secret_size(key), TST_AES128_BYTES);
    if (n > INT_MAX)
        return tst_fail(err, TST_TOO_LARGE, "aes-128-ctr: %zu bytes, at most %d", n, INT_MAX);
    TST_CLEANUP(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done = 0;
    if (!ctx || EVP_CipherInit_ex2(ctx, EVP_aes_128_ctr(), tst_secret_view(key), iv, 1, NULL) != 1 ||
        (n && EVP_CipherUpdate(ctx, out, &done, in, (int)n) != 1) || (size_t)done != n)
        return crypto_fail(err, TST_INTERNAL, "aes-128-ctr");
    return 0;
}
