/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_cert.c - certificates in DER or PEM: whatever parses is described, searched, printed, parsed again to the same
 * bytes, and verified under every other certificate of the input. */
#include <testudo/crypto.h>

#include "fuzz.h"

#define CERTS_MAX 4

static const char *const oids[] = {"1.3.6.1.4.1.3704.1.4", "1.3.6.1.4.1.3704.1.3.8", "2.5.29.19"};

static void look_up(const struct tst_cert *c)
{
    for (size_t i = 0; i < TST_COUNT(oids); i++) {
        struct tst_bytes value;
        uint8_t hash[TST_SHA256_BYTES];
        if (tst_cert_extension(c, oids[i], &value, NULL) == 0)
            tst_sha256(value.p, value.n, hash, NULL); /* reads every byte */
    }
}

static void write_and_read(const struct tst_cert *c)
{
    TST_AUTO_STR pem = NULL;
    TST_AUTO_CERT again = NULL;
    uint8_t *a = NULL, *b = NULL;
    size_t an, bn, count;
    FUZZ_HOLDS(tst_cert_to_pem(c, &pem, NULL) == 0 && tst_cert_to_der(c, &a, &an, NULL) == 0);
    if (tst_certs_from_text(pem, strlen(pem), &again, 1, &count, NULL) == 0) {
        FUZZ_HOLDS(count == 1 && tst_cert_to_der(again, &b, &bn, NULL) == 0);
        FUZZ_HOLDS(an == bn && memcmp(a, b, an) == 0);
    }
    free(a);
    free(b);
}

static void describe(const struct tst_cert *c)
{
    struct tst_cert_info info;
    TST_AUTO_KEY key = NULL;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_ERROR key_err = NULL;
    int rc = tst_cert_info(c, &info, &err);
    fuzz_result(rc, err);
    rc = tst_cert_key(c, &key, &key_err);
    fuzz_result(rc, key_err);
    FUZZ_HOLDS((rc == 0) == (key != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tst_cert *certs[CERTS_MAX] = {0};
    size_t count = 0;
    TST_AUTO_ERROR err = NULL;
    int rc = tst_certs_from_text(data, size, certs, CERTS_MAX, &count, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS((rc == 0) == (count > 0) && count <= CERTS_MAX);
    for (size_t i = 0; i < count; i++) {
        describe(certs[i]);
        look_up(certs[i]);
        write_and_read(certs[i]);
        for (size_t k = 0; k < count; k++)
            tst_cert_verify(certs[i], certs[k], NULL);
    }
    while (count)
        tst_cert_free(certs[--count]);
    return 0;
}
