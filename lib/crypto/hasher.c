/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/hasher.c - a hash in steps. The algorithm is fetched once: with short messages OpenSSL 3 spends more time on
 * looking it up than on hashing. */
#include <stdlib.h>

#include "internal.h"

struct tst_hasher {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

int tst_hasher_new(enum tst_hash hash, struct tst_hasher **out, struct tst_error **err)
{
    TST_AUTO_HASHER h = calloc(1, sizeof *h);
    if (!h)
        return tst_fail(err, TST_INTERNAL, "hash: out of memory");
    h->md = EVP_MD_fetch(NULL, EVP_MD_get0_name(hash_md(hash)), NULL);
    h->ctx = EVP_MD_CTX_new();
    if (!h->md || !h->ctx || EVP_DigestInit_ex2(h->ctx, h->md, NULL) != 1)
        return crypto_fail(err, TST_INTERNAL, "hash");
    *out = TST_STEAL(h);
    return 0;
}

void tst_hasher_free(struct tst_hasher *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    EVP_MD_free(h->md);
    free(h);
}

int tst_hasher_update(struct tst_hasher *h, const void *p, size_t n, struct tst_error **err)
{
    return EVP_DigestUpdate(h->ctx, p, n) == 1 ? 0 : crypto_fail(err, TST_INTERNAL, "hash");
}

int tst_hasher_final(struct tst_hasher *h, uint8_t *out, struct tst_error **err)
{
    if (EVP_DigestFinal_ex(h->ctx, out, NULL) != 1 || EVP_DigestInit_ex2(h->ctx, NULL, NULL) != 1)
        return crypto_fail(err, TST_INTERNAL, "hash");
    return 0;
}

int tst_hasher_copy(struct tst_hasher *to, const struct tst_hasher *from, struct tst_error **err)
{
    return EVP_MD_CTX_copy_ex(to->ctx, from->ctx) == 1 ? 0 : crypto_fail(err, TST_INTERNAL, "hash");
}
