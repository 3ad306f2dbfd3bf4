/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_crl.c - revocation lists in DER or PEM, and PEM as a container: whatever parses is printed, parsed again to the
 * same bytes, and verified and searched with every certificate of the input. */
#include <testudo/crypto.h>

#include "fuzz.h"

#define BLOCKS_MAX 8

struct found {
    struct tst_crl *crls[BLOCKS_MAX];
    struct tst_cert *certs[BLOCKS_MAX];
    size_t crl_count, cert_count;
};

static void write_and_read(const struct tst_crl *c)
{
    TST_AUTO_CRL again = NULL;
    TST_AUTO_BUF pem = {0};
    uint8_t *a = NULL, *b = NULL;
    size_t an, bn;
    FUZZ_HOLDS(tst_crl_to_der(c, &a, &an, NULL) == 0);
    FUZZ_HOLDS(tst_pem_put(&pem, "X509 CRL", a, an, NULL) == 0);
    FUZZ_HOLDS(tst_crl_from_text(pem.p, pem.n, &again, NULL) == 0);
    FUZZ_HOLDS(tst_crl_to_der(again, &b, &bn, NULL) == 0 && an == bn && memcmp(a, b, an) == 0);
    const struct tst_crl_info *x = tst_crl_info(c), *y = tst_crl_info(again);
    FUZZ_HOLDS(x->number == y->number && x->revoked_count == y->revoked_count && x->this_update == y->this_update);
    FUZZ_HOLDS(x->authority_key_bytes >= 1 && x->authority_key_bytes <= sizeof x->authority_key);
    free(a);
    free(b);
}

static int take(void *ctx, const char *label, const void *der, size_t n, struct tst_error **err)
{
    struct found *f = ctx;
    (void)err;
    FUZZ_HOLDS(label && n <= TST_CRL_MAX_BYTES);
    if (f->crl_count < BLOCKS_MAX && tst_crl_from_der(der, n, &f->crls[f->crl_count], NULL) == 0)
        f->crl_count++;
    else if (f->cert_count < BLOCKS_MAX && tst_cert_from_der(der, n, &f->certs[f->cert_count], NULL) == 0)
        f->cert_count++;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct found f = {0};
    TST_AUTO_CRL crl = NULL;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_ERROR pem_err = NULL;
    int rc = tst_crl_from_text(data, size, &crl, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS((rc == 0) == (crl != NULL));
    if (crl)
        write_and_read(crl);
    rc = tst_pem_blocks(data, size, BLOCKS_MAX, take, &f, &pem_err);
    fuzz_result(rc, pem_err);
    for (size_t i = 0; i < f.crl_count; i++) {
        write_and_read(f.crls[i]);
        for (size_t k = 0; k < f.cert_count; k++) {
            TST_AUTO_ERROR why = NULL;
            fuzz_result(tst_crl_verify(f.crls[i], f.certs[k], &why), why);
            tst_crl_revokes(f.crls[i], f.certs[k], NULL);
        }
    }
    while (f.crl_count)
        tst_crl_free(f.crls[--f.crl_count]);
    while (f.cert_count)
        tst_cert_free(f.certs[--f.cert_count]);
    return 0;
}
