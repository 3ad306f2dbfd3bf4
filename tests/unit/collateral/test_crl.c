/* SPDX-License-Identifier: Apache-2.0 */
/* test_crl.c - revocation lists: what is read, whose signature counts, what is refused. */
#include <openssl/x509v3.h>

#include "tests/unit/collateral/unit.h"

#define NOW FIXTURE_NOW
static struct amd_root *genoa;
static const uint64_t other_serial = 0x77;

static int setup(void **state)
{
    (void)state;
    genoa = fixture_root();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    amd_root_free(genoa);
    return 0;
}

static struct tst_bytes der_of(const struct tst_crl *crl)
{
    uint8_t *der = NULL;
    size_t n = 0;
    assert_int_equal(tst_crl_to_der(crl, &der, &n, NULL), 0);
    return (struct tst_bytes){der, n};
}

static void release(struct tst_bytes b)
{
    free((void *)(uintptr_t)b.p);
}

static void an_issued_list_says_what_it_was_told(void **state)
{
    (void)state;
    TST_AUTO_CRL crl = unit_crl(genoa, 0x123456789, NOW, NOW + DAY_S, &other_serial);
    const struct tst_crl_info *info = tst_crl_info(crl);
    assert_string_equal(info->issuer_cn, "ARK-Genoa");
    assert_string_equal(info->issuer_o, "SIMULATED");
    assert_int_equal(info->this_update, NOW);
    assert_true(info->has_next_update);
    assert_int_equal(info->next_update, NOW + DAY_S);
    assert_int_equal(info->number, 0x123456789);
    assert_true(info->pss_sha384_salt48);
    assert_int_equal(info->revoked_count, 1);
    assert_in_range(info->authority_key_bytes, 1, 32);
    assert_int_equal(tst_crl_verify(crl, genoa->ark, NULL), 0);
}

static void a_list_without_an_end_says_so(void **state)
{
    (void)state;
    TST_AUTO_CRL crl = unit_crl(genoa, 1, NOW, 0, NULL);
    assert_false(tst_crl_info(crl)->has_next_update);
    assert_int_equal(tst_crl_info(crl)->revoked_count, 0);
}

static void der_and_pem_are_the_same_list(void **state)
{
    (void)state;
    TST_AUTO_CRL crl = unit_crl(genoa, 5, NOW, NOW + DAY_S, NULL);
    TST_AUTO_CRL from_der = NULL;
    TST_AUTO_CRL from_pem = NULL;
    TST_AUTO_BUF pem = {0};
    const struct tst_bytes der = der_of(crl);
    assert_int_equal(tst_crl_from_text(der.p, der.n, &from_der, NULL), 0);
    assert_int_equal(tst_pem_put(&pem, "X509 CRL", der.p, der.n, NULL), 0);
    assert_int_equal(tst_crl_from_text(pem.p, pem.n, &from_pem, NULL), 0);
    const struct tst_bytes again = der_of(from_pem);
    assert_int_equal(again.n, der.n);
    assert_memory_equal(again.p, der.p, der.n);
    release(again);
    release(der);
}

static void text_that_is_no_single_list_is_refused(void **state)
{
    (void)state;
    TST_AUTO_CRL crl = unit_crl(genoa, 5, NOW, NOW + DAY_S, NULL);
    struct tst_crl *out = NULL;
    TST_AUTO_BUF pem = {0};
    TST_AUTO_STR cert = NULL;
    const struct tst_bytes der = der_of(crl);
    tst_pem_put(&pem, "X509 CRL", der.p, der.n, NULL);
    tst_pem_put(&pem, "X509 CRL", der.p, der.n, NULL);
    assert_int_equal(tst_crl_from_text(pem.p, pem.n, &out, NULL), -TST_TOO_LARGE);
    assert_int_equal(tst_cert_to_pem(genoa->ark, &cert, NULL), 0);
    assert_int_equal(tst_crl_from_text(cert, strlen(cert), &out, NULL), -TST_USAGE);
    assert_int_equal(tst_crl_from_text("", 0, &out, NULL), -TST_USAGE);
    assert_int_equal(tst_crl_from_text("hello", 5, &out, NULL), -TST_USAGE);
    assert_null(out);
    release(der);
}

static void every_length_but_its_own_is_refused(void **state)
{
    (void)state;
    TST_AUTO_CRL crl = unit_crl(genoa, 5, NOW, NOW + DAY_S, &other_serial);
    const struct tst_bytes der = der_of(crl);
    struct tst_crl *out = NULL;
    for (size_t n = 0; n < der.n; n++)
        assert_int_equal(tst_crl_from_der(der.p, n, &out, NULL), -TST_USAGE);
    uint8_t *longer = calloc(1, TST_CRL_MAX_BYTES + 1);
    assert_non_null(longer);
    memcpy(longer, der.p, der.n);
    assert_int_equal(tst_crl_from_der(longer, der.n + 1, &out, NULL), -TST_USAGE);
    assert_int_equal(tst_crl_from_der(longer, TST_CRL_MAX_BYTES + 1, &out, NULL), -TST_TOO_LARGE);
    assert_null(out);
    free(longer);
    release(der);
}

static void each_byte_counts(void **state)
{
    (void)state;
    TST_AUTO_CRL crl = unit_crl(genoa, 5, NOW, NOW + DAY_S, &other_serial);
    const struct tst_bytes der = der_of(crl);
    uint8_t *bent = malloc(der.n);
    size_t parsed = 0;
    assert_non_null(bent);
    for (size_t i = 0; i < der.n; i++)
        for (unsigned bit = 0; bit < 8; bit += 7) {
            TST_AUTO_CRL c = NULL;
            memcpy(bent, der.p, der.n);
            bent[i] ^= (uint8_t)(1u << bit);
            if (tst_crl_from_der(bent, der.n, &c, NULL) < 0)
                continue;
            parsed++;
            if (tst_crl_verify(c, genoa->ark, NULL) == 0)
                fail_msg("byte %zu, bit %u changed and the list still verifies", i, bit);
        }
    assert_in_range(parsed, der.n / 2, 2 * der.n); /* most of it is names, numbers and signature: those parse */
    free(bent);
    release(der);
}

static void only_the_serial_that_is_named_is_revoked(void **state)
{
    (void)state;
    const uint64_t ask = genoa->product->ask_serial;
    TST_AUTO_CRL names_ask = unit_crl(genoa, 5, NOW, NOW + DAY_S, &ask);
    TST_AUTO_CRL names_other = unit_crl(genoa, 6, NOW, NOW + DAY_S, &other_serial);
    time_t since = 0;
    assert_true(tst_crl_revokes(names_ask, genoa->ask, &since));
    assert_int_equal(since, NOW);
    assert_false(tst_crl_revokes(names_ask, genoa->ark, NULL));
    assert_false(tst_crl_revokes(names_other, genoa->ask, NULL));
}

static void a_serial_of_another_issuer_is_not_revoked(void **state)
{
    (void)state;
    const uint64_t zero = 0; /* every VCEK has it */
    struct amd_chip *chip = fixture_chip(genoa, NULL);
    TST_AUTO_CRL crl = unit_crl(genoa, 5, NOW, NOW + DAY_S, &zero);
    assert_false(tst_crl_revokes(crl, chip->vcek, NULL));
    amd_chip_free(chip);
}

/* ---- issuers ---- */
static struct tst_cert *small_ca(const char *cn, struct tst_key **key)
{
    struct tst_cert *c = NULL;
    const struct tst_cert_spec spec = {.cn = cn, .not_before = NOW - DAY_S, .not_after = NOW + DAY_S, .ca = true, .serial = 1};
    assert_int_equal(tst_key_generate(TST_KEY_P384, key, NULL), 0);
    assert_int_equal(tst_cert_issue(&spec, *key, NULL, *key, &c, NULL), 0);
    return c;
}

static void the_same_name_with_another_key_is_refuted(void **state)
{
    (void)state;
    TST_AUTO_KEY a_key = NULL;
    TST_AUTO_KEY b_key = NULL;
    TST_AUTO_KEY c_key = NULL;
    TST_AUTO_CERT a = small_ca("root", &a_key);
    TST_AUTO_CERT b = small_ca("root", &b_key);
    TST_AUTO_CERT c = small_ca("other", &c_key);
    TST_AUTO_CRL crl = NULL;
    TST_AUTO_ERROR err = NULL;
    const struct tst_crl_spec spec = {.number = 1, .this_update = NOW, .next_update = NOW + DAY_S};
    assert_int_equal(tst_crl_issue(&spec, a, a_key, &crl, NULL), 0);
    assert_false(tst_crl_info(crl)->pss_sha384_salt48);
    assert_int_equal(tst_crl_verify(crl, a, NULL), 0);
    assert_int_equal(tst_crl_verify(crl, b, &err), -TST_REFUTED);
    assert_non_null(strstr(err->text, "another key of the same name"));
    assert_int_equal(tst_crl_verify(crl, c, &err), -TST_REFUTED);
    assert_non_null(strstr(err->text, "another name"));
    assert_int_equal(tst_crl_issue(&spec, b, a_key, &crl, &err), -TST_USAGE);
}

/* ---- lists that AMD does not make ---- */
enum odd { ODD_NONE, ODD_VERSION_1, ODD_NO_NUMBER, ODD_NO_KEY_ID, ODD_DELTA, ODD_ENTRY, ODD_NEGATIVE };

static void put_integer(X509_CRL *crl, int nid, long value, int critical)
{
    ASN1_INTEGER *i = ASN1_INTEGER_new();
    assert_int_equal(ASN1_INTEGER_set(i, value), 1);
    assert_int_equal(X509_CRL_add1_ext_i2d(crl, nid, i, critical, X509V3_ADD_DEFAULT), 1);
    ASN1_INTEGER_free(i);
}

static void put_entry(X509_CRL *crl, bool critical)
{
    X509_REVOKED *r = X509_REVOKED_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    ASN1_TIME *when = ASN1_TIME_set(NULL, NOW);
    ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
    ASN1_INTEGER_set(serial, 7);
    ASN1_ENUMERATED_set(reason, 1);
    X509_REVOKED_set_serialNumber(r, serial);
    X509_REVOKED_set_revocationDate(r, when);
    assert_int_equal(X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, reason, critical, X509V3_ADD_DEFAULT), 1);
    assert_int_equal(X509_CRL_add0_revoked(crl, r), 1);
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(when);
    ASN1_ENUMERATED_free(reason);
}

static int read_odd(enum odd what, struct tst_error **err)
{
    X509_CRL *crl = X509_CRL_new();
    X509_NAME *name = X509_NAME_new();
    ASN1_TIME *now = ASN1_TIME_set(NULL, NOW);
    AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    TST_AUTO_CRL out = NULL;
    uint8_t *der = NULL;
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"odd", -1, -1, 0);
    X509_CRL_set_issuer_name(crl, name);
    X509_CRL_set1_lastUpdate(crl, now);
    if (what != ODD_VERSION_1) {
        X509_CRL_set_version(crl, X509_CRL_VERSION_2);
        id->keyid = ASN1_OCTET_STRING_new();
        ASN1_OCTET_STRING_set(id->keyid, (const uint8_t *)"12345678", 8);
        if (what != ODD_NO_KEY_ID)
            X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, id, 0, X509V3_ADD_DEFAULT);
        if (what != ODD_NO_NUMBER)
            put_integer(crl, NID_crl_number, what == ODD_NEGATIVE ? -1 : 1, 0);
        put_entry(crl, what == ODD_ENTRY);
    }
    if (what == ODD_DELTA)
        put_integer(crl, NID_delta_crl, 1, 1);
    assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    int n = i2d_X509_CRL(crl, &der);
    assert_true(n > 0);
    int rc = tst_crl_from_der(der, (size_t)n, &out, err);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    AUTHORITY_KEYID_free(id);
    ASN1_TIME_free(now);
    X509_NAME_free(name);
    X509_CRL_free(crl);
    return rc;
}

static void lists_of_another_profile_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        enum odd what;
        const char *words;
    } rows[] = {{ODD_VERSION_1, "version 2"}, {ODD_NO_NUMBER, "no CRL number"}, {ODD_NO_KEY_ID, "no authority key identifier"},
                {ODD_DELTA, "critical extension"}, {ODD_ENTRY, "entry 0 has a critical extension"}, {ODD_NEGATIVE, "CRL number outside"}};
    assert_int_equal(read_odd(ODD_NONE, NULL), 0);
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        TST_AUTO_ERROR err = NULL;
        assert_int_equal(read_odd(rows[i].what, &err), -TST_USAGE);
        if (!strstr(err->text, rows[i].words))
            fail_msg("'%s' does not say '%s'", err->text, rows[i].words);
    }
}

/* ---- PEM as a container ---- */
static int count_block(void *ctx, const char *label, const void *der, size_t n, struct tst_error **err)
{
    (void)label, (void)der, (void)n;
    size_t *count = ctx;
    return ++*count == 3 ? tst_fail(err, TST_DENIED, "enough") : 0;
}

static void blocks_come_in_order_until_somebody_stops(void **state)
{
    (void)state;
    TST_AUTO_BUF text = {0};
    TST_AUTO_ERROR err = NULL;
    size_t count = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(tst_pem_put(&text, "CERTIFICATE", "abc", 3, NULL), 0);
        assert_int_equal(tst_buf_printf(&text, NULL, "# in between\n"), 0);
    }
    assert_int_equal(tst_pem_blocks(text.p, text.n, 9, count_block, &count, &err), -TST_DENIED);
    assert_int_equal(count, 3);
    count = 0;
    assert_int_equal(tst_pem_blocks(text.p, text.n, 2, count_block, &count, &err), -TST_TOO_LARGE);
    assert_int_equal(count, 2);
    count = 5;
    assert_int_equal(tst_pem_blocks(text.p, text.n - 20, 9, count_block, &count, &err), -TST_USAGE); /* cut in a block */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_issued_list_says_what_it_was_told),
        cmocka_unit_test(a_list_without_an_end_says_so),
        cmocka_unit_test(der_and_pem_are_the_same_list),
        cmocka_unit_test(text_that_is_no_single_list_is_refused),
        cmocka_unit_test(every_length_but_its_own_is_refused),
        cmocka_unit_test(each_byte_counts),
        cmocka_unit_test(only_the_serial_that_is_named_is_revoked),
        cmocka_unit_test(a_serial_of_another_issuer_is_not_revoked),
        cmocka_unit_test(the_same_name_with_another_key_is_refuted),
        cmocka_unit_test(lists_of_another_profile_are_refused_by_name),
        cmocka_unit_test(blocks_come_in_order_until_somebody_stops),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
