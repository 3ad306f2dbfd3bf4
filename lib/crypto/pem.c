/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/pem.c - PEM as a container of certificates and CRLs: block after block, whatever they are. Source: RFC 7468. */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "internal.h"

TST_CLEANUP_FN(BIO *, BIO_free_all)

/* 1 and the block, 0 at the end of the text, or -code. */
static int block_next(BIO *bio, char **label, uint8_t **der, long *n, struct tst_error **err)
{
    char *header = NULL;
    *label = NULL;
    *der = NULL;
    if (PEM_read_bio(bio, label, &header, der, n) != 1) {
        if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
            return crypto_fail(err, TST_USAGE, "PEM: malformed");
        ERR_clear_error();
        return 0;
    }
    bool plain = !header[0];
    OPENSSL_free(header);
    return plain ? 1 : tst_fail(err, TST_USAGE, "PEM: a block with headers");
}

int tst_pem_blocks(const void *p, size_t n, size_t max, tst_pem_fn *each, void *ctx, struct tst_error **err)
{
    if (n > INT_MAX)
        return tst_fail(err, TST_TOO_LARGE, "PEM: %zu bytes", n);
    TST_CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(n ? p : "", (int)n);
    if (!bio)
        return crypto_fail(err, TST_INTERNAL, "PEM");
    for (size_t count = 0;; count++) {
        char *label;
        uint8_t *der;
        long size = 0;
        int rc = block_next(bio, &label, &der, &size, err);
        if (rc == 0)
            return count ? 0 : tst_fail(err, TST_USAGE, "PEM: no block in %zu bytes", n);
        if (rc > 0 && count == max)
            rc = tst_fail(err, TST_TOO_LARGE, "PEM: more than %zu blocks", max);
        else if (rc > 0 && size > TST_CRL_MAX_BYTES)
            rc = tst_fail(err, TST_TOO_LARGE, "PEM: a block of %ld bytes, at most %d", size, TST_CRL_MAX_BYTES);
        else if (rc > 0)
            rc = each(ctx, label, der, (size_t)size, err);
        OPENSSL_free(label);
        OPENSSL_clear_free(der, der ? (size_t)size : 0); /* may have been a private key */
        if (rc < 0)
            return rc;
    }
}

int tst_pem_put(struct tst_buf *to, const char *label, const void *der, size_t n, struct tst_error **err)
{
    TST_CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (!bio || n > LONG_MAX || PEM_write_bio(bio, label, "", der, (long)n) <= 0)
        return crypto_fail(err, TST_INTERNAL, "PEM: cannot write it");
    long size = BIO_get_mem_data(bio, &text);
    return tst_buf_put(to, text, (size_t)size, err);
}
