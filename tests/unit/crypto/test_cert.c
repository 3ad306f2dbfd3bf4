/* SPDX-License-Identifier: Apache-2.0 */
/* unit/crypto/test_cert.c - certificates made here, in AMD's shape: issued, written, read, described, verified; and all that
 * is not exactly one good certificate is refused. */
#include "certs.h"

#define HWID_OID "1.3.6.1.4.1.3704.1.4"

/* ARK and ASK with RSA-4096, made once because that takes seconds; VEK on P-384. */
static struct {
    struct tst_key *ark_key, *ask_key, *vek_key;
    struct tst_cert *ark, *ask, *vek;
} amd;
static const uint8_t hwid[64] = {0x19, 0x75, 0x2a, 0x44, [63] = 0xca}; /* no DER */

static int amd_make(void **state)
{
    (void)state;
    const struct tst_cert_ext_spec exts[] = {{"1.3.6.1.4.1.3704.1.1", {(const uint8_t *)"\2\1\0", 3}}, {HWID_OID, {hwid, sizeof hwid}}};
    const struct tst_cert_spec vek = {.cn = "SEV-VCEK", .o = "SIMULATED", .not_before = CERT_FROM, .not_after = CERT_UNTIL,
                                      .exts = exts, .ext_count = TST_COUNT(exts)};
    amd.ark_key = new_key(TST_KEY_RSA4096);
    amd.ask_key = new_key(TST_KEY_RSA4096);
    amd.vek_key = new_key(TST_KEY_P384);
    amd.ark = issue_ca("ARK-Genoa", amd.ark_key, NULL, amd.ark_key);
    amd.ask = issue_ca("SEV-Genoa", amd.ask_key, amd.ark, amd.ark_key);
    amd.vek = issue(&vek, amd.vek_key, amd.ask, amd.ask_key);
    return 0;
}

static int amd_free(void **state)
{
    (void)state;
    tst_key_free(amd.ark_key);
    tst_key_free(amd.ask_key);
    tst_key_free(amd.vek_key);
    tst_cert_free(amd.ark);
    tst_cert_free(amd.ask);
    tst_cert_free(amd.vek);
    return 0;
}

static void a_chain_in_amds_shape_verifies(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    assert_done(tst_cert_verify(amd.ark, amd.ark, &err), err);
    assert_done(tst_cert_verify(amd.ask, amd.ark, &err), err);
    assert_done(tst_cert_verify(amd.vek, amd.ask, &err), err);
    assert_refused(tst_cert_verify(amd.vek, amd.ark, &err), TST_REFUTED, err, "another name");
    assert_refused(tst_cert_verify(amd.ark, amd.ask, &err), TST_REFUTED, err, "another name");
}

static void a_certificate_says_what_was_asked_for(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    struct tst_cert_info ark = info_of(amd.ark), ask = info_of(amd.ask), vek = info_of(amd.vek);
    assert_string_equal(ark.subject_cn, "ARK-Genoa");
    assert_string_equal(ark.subject_o, "SIMULATED");
    assert_string_equal(vek.subject_cn, "SEV-VCEK");
    assert_string_equal(vek.issuer_cn, "SEV-Genoa");
    assert_string_equal(vek.issuer_o, "SIMULATED");
    assert_true(ark.self_issued && !ask.self_issued && !vek.self_issued);
    assert_true(ark.ca && ask.ca && !vek.ca);
    assert_true(ark.pss_sha384_salt48 && ask.pss_sha384_salt48 && vek.pss_sha384_salt48);
    assert_int_equal(ark.key_kind, TST_KEY_RSA4096);
    assert_int_equal(ark.key_bits, 4096);
    assert_int_equal(vek.key_kind, TST_KEY_P384);
    assert_int_equal(vek.key_bits, 384);
    assert_int_equal(vek.not_before, CERT_FROM);
    assert_int_equal(vek.not_after, CERT_UNTIL);
    uint8_t spki[TST_SHA256_BYTES];
    assert_done(tst_key_spki_sha256(amd.ark_key, spki, &err), err);
    assert_memory_equal(ark.spki_sha256, spki, sizeof spki);
}

static void the_subjects_key_verifies_its_signatures(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY public = NULL;
    TST_AUTO_SECRET none = NULL;
    uint8_t rs[TST_ECDSA_P384_BYTES];
    assert_done(tst_cert_key(amd.vek, &public, &err), err);
    assert_done(tst_ecdsa_sign(amd.vek_key, "report", 6, rs, &err), err);
    assert_done(tst_ecdsa_verify(public, "report", 6, rs, &err), err);
    assert_refused(tst_key_private_der(public, &none, &err), TST_USAGE, err, "no private part");
}

static void an_extension_is_returned_raw(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    struct tst_bytes value;
    assert_done(tst_cert_extension(amd.vek, HWID_OID, &value, &err), err);
    assert_int_equal(value.n, sizeof hwid);
    assert_memory_equal(value.p, hwid, sizeof hwid);
    assert_refused(tst_cert_extension(amd.vek, "1.3.6.1.4.1.3704.1.5", &value, &err), TST_NOT_FOUND, err, "3704.1.5");
    assert_refused(tst_cert_extension(amd.vek, "basicConstraints", &value, &err), TST_USAGE, err, "object identifier");
}

static void an_extension_that_is_there_twice_is_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = new_key(TST_KEY_P384);
    const struct tst_cert_ext_spec exts[] = {{HWID_OID, {hwid, 8}}, {HWID_OID, {hwid, 64}}};
    const struct tst_cert_spec spec = {.cn = "twice", .not_after = CERT_UNTIL, .exts = exts, .ext_count = 2};
    TST_AUTO_CERT c = issue(&spec, k, NULL, k);
    struct tst_bytes value;
    assert_refused(tst_cert_extension(c, HWID_OID, &value, &err), TST_USAGE, err, "twice");
}

static void malformed_or_repeated_basic_constraints_are_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = new_key(TST_KEY_P256);
    const struct tst_cert_ext_spec not_der = {"2.5.29.19", {(const uint8_t *)"\x30\x7f", 2}};
    const struct tst_cert_ext_spec good = {"2.5.29.19", {(const uint8_t *)"\x30\x00", 2}};
    struct tst_cert_spec spec = {.cn = "x", .not_after = CERT_UNTIL, .exts = &not_der, .ext_count = 1};
    struct tst_cert_info info;
    TST_AUTO_CERT a = issue(&spec, k, NULL, k);
    assert_refused(tst_cert_info(a, &info, &err), TST_USAGE, err, "basicConstraints");
    spec.exts = &good;
    spec.ca = true;
    TST_AUTO_CERT b = issue(&spec, k, NULL, k);
    assert_refused(tst_cert_info(b, &info, &err), TST_USAGE, err, "basicConstraints");
}

static void an_impostor_with_the_issuers_name_is_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = new_key(TST_KEY_P256);
    TST_AUTO_CERT impostor = issue_ca("SEV-Genoa", k, NULL, k);
    assert_refused(tst_cert_verify(amd.vek, impostor, &err), TST_REFUTED, err, "does not verify");
    TST_AUTO_CERT renamed = issue_ca("SEV-Milan", amd.ask_key, amd.ark, amd.ark_key);
    assert_refused(tst_cert_verify(amd.vek, renamed, &err), TST_REFUTED, err, "another name");
}

static void ec_issuers_sign_with_the_hash_of_their_curve(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    const enum tst_key_kind kinds[] = {TST_KEY_P256, TST_KEY_P384, TST_KEY_ED25519};
    for (size_t i = 0; i < TST_COUNT(kinds); i++) {
        TST_AUTO_KEY k = new_key(kinds[i]);
        TST_AUTO_CERT c = issue_ca("EC", k, NULL, k);
        assert_done(tst_cert_verify(c, c, &err), err);
        struct tst_cert_info info = info_of(c);
        assert_false(info.pss_sha384_salt48);
        assert_int_equal(info.key_kind, kinds[i]);
    }
}

static void issuing_refuses_what_cannot_be_right(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = new_key(TST_KEY_P256);
    TST_AUTO_KEY public = NULL;
    struct tst_cert *c = NULL;
    struct tst_cert_spec spec = {.cn = "x", .not_after = CERT_UNTIL};
    assert_refused(tst_cert_issue(&spec, k, amd.ask, k, &c, &err), TST_USAGE, err, "not that of its certificate");
    assert_refused(tst_cert_issue(&spec, k, NULL, amd.ask_key, &c, &err), TST_USAGE, err, "not that of its certificate");
    assert_done(tst_cert_key(amd.ask, &public, &err), err);
    assert_refused(tst_cert_issue(&spec, k, amd.ask, public, &c, &err), TST_USAGE, err, "cannot sign");
    spec.tls_server = true;
    assert_refused(tst_cert_issue(&spec, k, NULL, k, &c, &err), TST_USAGE, err, "name or an address");
    spec.san_ip = "10.77.0.256";
    assert_refused(tst_cert_issue(&spec, k, NULL, k, &c, &err), TST_USAGE, err, "10.77.0.256");
    assert_null(c);
}

/* ---- reading ---- */

static void a_certificate_survives_der(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    uint8_t *der = NULL, *again = NULL;
    size_t n, m;
    TST_AUTO_CERT c = NULL;
    assert_done(tst_cert_to_der(amd.vek, &der, &n, &err), err);
    assert_done(tst_cert_from_der(der, n, &c, &err), err);
    assert_done(tst_cert_to_der(c, &again, &m, &err), err);
    assert_int_equal(n, m);
    assert_memory_equal(der, again, n);
    free(der);
    free(again);
}

static void refuse_der(const uint8_t *p, size_t n, void *ctx)
{
    (void)ctx;
    struct tst_error *err = NULL;
    struct tst_cert *c = NULL;
    assert_refused(tst_cert_from_der(p, n, &c, &err), TST_USAGE, err, "certificate");
    assert_null(c);
}

static void truncated_longer_and_oversized_certificates_are_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    uint8_t *der = NULL, longer[4096] = {0};
    static const uint8_t zeros[TST_CERT_MAX_BYTES + 1];
    size_t n;
    struct tst_cert *c = NULL;
    assert_done(tst_cert_to_der(amd.vek, &der, &n, &err), err);
    each_truncation(der, n, refuse_der, NULL);
    memcpy(longer, der, n);
    assert_refused(tst_cert_from_der(longer, n + 1, &c, &err), TST_USAGE, err, "1 trailing bytes");
    assert_refused(tst_cert_from_der(zeros, sizeof zeros, &c, &err), TST_TOO_LARGE, err, "8193 bytes");
    free(der);
}

static void refuse_changed(const uint8_t *p, size_t n, void *ctx)
{
    TST_AUTO_CERT c = NULL;
    if (tst_cert_from_der(p, n, &c, NULL) == 0)
        assert_int_not_equal(tst_cert_verify(c, ctx, NULL), 0);
}

static void no_flipped_bit_verifies(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = new_key(TST_KEY_P256);
    TST_AUTO_CERT c = issue_ca("EC", k, NULL, k);
    uint8_t *der = NULL;
    size_t n;
    assert_done(tst_cert_to_der(c, &der, &n, &err), err);
    each_bit_flip(der, n, refuse_changed, c);
    free(der);
}

/* RSA is slow with that, so one bit a byte. */
static void no_changed_byte_verifies_under_pss(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    uint8_t *der = NULL;
    size_t n;
    assert_done(tst_cert_to_der(amd.vek, &der, &n, &err), err);
    for (size_t i = 0; i < n; i++) {
        der[i] ^= (uint8_t)(1u << i % 8);
        refuse_changed(der, n, amd.ask);
        der[i] ^= (uint8_t)(1u << i % 8);
    }
    free(der);
}

static void a_reference_outlives_the_first_owner(void **state)
{
    (void)state;
    TST_AUTO_KEY k = new_key(TST_KEY_P256);
    struct tst_cert *c = issue_ca("shared", k, NULL, k);
    TST_AUTO_CERT second = tst_cert_ref(c);
    tst_cert_free(c);
    assert_string_equal(info_of(second).subject_cn, "shared");
}

/* ---- PEM ---- */

static char *pem_of(const struct tst_cert *c)
{
    struct tst_error *err = NULL;
    char *pem = NULL;
    assert_done(tst_cert_to_pem(c, &pem, &err), err);
    return pem;
}

static void free_all(struct tst_cert **c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tst_cert_free(c[i]);
}

static void pem_certificates_come_in_order(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_STR a = pem_of(amd.ask);
    TST_AUTO_STR b = pem_of(amd.ark);
    TST_AUTO_STR text = tst_strdup_printf("# ASK\n%s# ARK\r\n%strailing words\n", a, b);
    struct tst_cert *out[2];
    size_t count;
    assert_done(tst_certs_from_text(text, strlen(text), out, 2, &count, &err), err);
    assert_int_equal(count, 2);
    assert_string_equal(info_of(out[0]).subject_cn, "SEV-Genoa");
    assert_string_equal(info_of(out[1]).subject_cn, "ARK-Genoa");
    free_all(out, count);
}

static void pem_with_crlf_is_read(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_STR pem = pem_of(amd.vek);
    TST_AUTO_BUF crlf = {0};
    for (const char *at = pem; *at; at++)
        assert_done(tst_buf_put(&crlf, *at == '\n' ? "\r\n" : at, *at == '\n' ? 2 : 1, &err), err);
    struct tst_cert *out[1];
    size_t count;
    assert_done(tst_certs_from_text(crlf.p, crlf.n, out, 1, &count, &err), err);
    assert_int_equal(count, 1);
    free_all(out, count);
}

static void der_is_told_from_pem_by_its_content(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    uint8_t *der = NULL;
    size_t n, count;
    struct tst_cert *out[1];
    assert_done(tst_cert_to_der(amd.vek, &der, &n, &err), err);
    assert_done(tst_certs_from_text(der, n, out, 1, &count, &err), err);
    assert_int_equal(count, 1);
    free_all(out, count);
    free(der);
}

static void refuse_text(const char *text, size_t max, enum tst_code code, const char *part)
{
    struct tst_error *err = NULL;
    struct tst_cert *out[4];
    size_t count = 9;
    assert_refused(tst_certs_from_text(text, strlen(text), out, max, &count, &err), code, err, part);
    assert_int_equal(count, 0);
}

static void text_that_is_not_only_certificates_is_refused(void **state)
{
    (void)state;
    TST_AUTO_STR a = pem_of(amd.ask);
    TST_AUTO_STR two = tst_strdup_printf("%s%s", a, a);
    TST_AUTO_STR key = tst_strdup_printf("%s-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", a);
    TST_AUTO_STR cut = tst_strdup_printf("%s-----BEGIN CERTIFICATE-----\nMIIB\n", a);
    TST_AUTO_STR longer = tst_strdup_printf("-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n");
    const char *body = strchr(a, '\n') + 1;
    TST_AUTO_STR header = tst_strdup_printf("-----BEGIN CERTIFICATE-----\nComment: x\n\n%s", body);
    refuse_text(header, 4, TST_USAGE, "something else");
    refuse_text("", 4, TST_USAGE, "neither DER nor PEM");
    refuse_text("no certificate at all", 4, TST_USAGE, "neither DER nor PEM");
    refuse_text(two, 1, TST_TOO_LARGE, "more than 1");
    refuse_text(key, 4, TST_USAGE, "PRIVATE KEY");
    refuse_text(cut, 4, TST_USAGE, "malformed PEM");
    refuse_text(longer, 4, TST_USAGE, "not DER");
    refuse_text(a, 0, TST_TOO_LARGE, "for 0 certificates");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_in_amds_shape_verifies),
        cmocka_unit_test(a_certificate_says_what_was_asked_for),
        cmocka_unit_test(the_subjects_key_verifies_its_signatures),
        cmocka_unit_test(an_extension_is_returned_raw),
        cmocka_unit_test(an_extension_that_is_there_twice_is_refused),
        cmocka_unit_test(malformed_or_repeated_basic_constraints_are_refused),
        cmocka_unit_test(an_impostor_with_the_issuers_name_is_refused),
        cmocka_unit_test(ec_issuers_sign_with_the_hash_of_their_curve),
        cmocka_unit_test(issuing_refuses_what_cannot_be_right),
        cmocka_unit_test(a_certificate_survives_der),
        cmocka_unit_test(truncated_longer_and_oversized_certificates_are_refused),
        cmocka_unit_test(no_flipped_bit_verifies),
        cmocka_unit_test(no_changed_byte_verifies_under_pss),
        cmocka_unit_test(a_reference_outlives_the_first_owner),
        cmocka_unit_test(pem_certificates_come_in_order),
        cmocka_unit_test(pem_with_crlf_is_read),
        cmocka_unit_test(der_is_told_from_pem_by_its_content),
        cmocka_unit_test(text_that_is_not_only_certificates_is_refused),
    };
    return cmocka_run_group_tests(tests, amd_make, amd_free);
}
