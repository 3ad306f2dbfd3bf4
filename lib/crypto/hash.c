/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/hash.c - SHA-256, SHA-384, SHA-512, random bytes, and the translation of OpenSSL's errors. Source: FIPS 180-4. */
#include <openssl/err.h>
#include <openssl/rand.h>

#include "internal.h"

int crypto_fail(struct tst_error **err, enum tst_code code, const char *what)
{
    unsigned long first = ERR_peek_error();
    const char *reason = first ? ERR_reason_error_string(first) : NULL;
    int rc = reason ? tst_fail(err, code, "%s: %s", what, reason) : tst_fail(err, code, "%s", what);
    ERR_clear_error();
    return rc;
}

const EVP_MD *hash_md(enum tst_hash hash)
{
    return hash == TST_HASH_SHA384 ? EVP_sha384() : EVP_sha256();
}

static int digest(const EVP_MD *md, const void *p, size_t n, uint8_t *out, struct tst_error **err)
{
    if (EVP_Digest(p, n, out, NULL, md, NULL) != 1)
        return crypto_fail(err, TST_INTERNAL, "hash");
    return 0;
}

int tst_sha256(const void *p, size_t n, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    return digest(EVP_sha256(), p, n, out, err);
}

int tst_sha384(const void *p, size_t n, uint8_t out[TST_SHA384_BYTES], struct tst_error **err)
{
    return digest(EVP_sha384(), p, n, out, err);
}

int tst_sha512(const void *p, size_t n, uint8_t out[TST_SHA512_BYTES], struct tst_error **err)
{
    return digest(EVP_sha512(), p, n, out, err);
}

int tst_random(void *p, size_t n, struct tst_error **err)
{
    if (RAND_priv_bytes_ex(NULL, p, n, 0) != 1)
        return crypto_fail(err, TST_INTERNAL, "random bytes");
    return 0;
}
