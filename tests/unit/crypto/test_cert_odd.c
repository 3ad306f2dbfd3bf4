/* SPDX-License-Identifier: Apache-2.0 */
/* unit/crypto/test_cert_odd.c - certificates that tst_cert_issue would not make: other PSS parameters, odd names, the
 * algorithm named twice in two ways. Made with OpenSSL directly. */
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "certs.h"

static EVP_PKEY *rsa; /* 2048 bits are enough for what is tested here */

static int rsa_make(void **state)
{
    (void)state;
    rsa = EVP_RSA_gen(2048);
    return rsa ? 0 : -1;
}

static int rsa_free(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    return 0;
}

static X509 *blank(void)
{
    X509 *x = X509_new();
    assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), CERT_FROM));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), CERT_UNTIL));
    assert_int_equal(X509_set_pubkey(x, rsa), 1);
    return x;
}

static struct tst_cert *signed_pss(const EVP_MD *md, const EVP_MD *mgf1, int salt)
{
    struct tst_error *err = NULL;
    X509 *x = blank();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options;
    assert_int_equal(EVP_DigestSignInit(ctx, &options, md, NULL, rsa), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(options, mgf1), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt), 1);
    assert_true(X509_sign_ctx(x, ctx) > 0);
    EVP_MD_CTX_free(ctx);
    uint8_t *der = NULL;
    int n = i2d_X509(x, &der);
    struct tst_cert *c = NULL;
    assert_done(tst_cert_from_der(der, (size_t)n, &c, &err), err);
    OPENSSL_free(der);
    X509_free(x);
    return c;
}

static void only_amds_pss_parameters_count(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    const struct {
        const EVP_MD *md, *mgf1;
        int salt;
        bool amd;
    } rows[] = {
        {EVP_sha384(), EVP_sha384(), 48, true},   {EVP_sha384(), EVP_sha384(), 47, false},
        {EVP_sha384(), EVP_sha384(), 20, false},  {EVP_sha384(), EVP_sha384(), 0, false},
        {EVP_sha384(), EVP_sha256(), 48, false},  {EVP_sha256(), EVP_sha384(), 48, false},
        {EVP_sha256(), EVP_sha256(), 32, false},  {EVP_sha512(), EVP_sha512(), 48, false},
        {EVP_sha384(), EVP_sha1(), 48, false},
    };
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        TST_AUTO_CERT c = signed_pss(rows[i].md, rows[i].mgf1, rows[i].salt);
        assert_done(tst_cert_verify(c, c, &err), err);
        struct tst_cert_info info = info_of(c);
        assert_int_equal(info.pss_sha384_salt48, rows[i].amd);
        assert_int_equal(info.key_kind, TST_KEY_OTHER);
        assert_int_equal(info.key_bits, 2048);
    }
}

/* The outer algorithm is AMD's, the signed one inside says another salt. */
static void pss_parameters_that_differ_inside_and_outside_do_not_count(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_CERT good = signed_pss(EVP_sha384(), EVP_sha384(), 48);
    TST_AUTO_CERT changed = NULL;
    static const uint8_t salt[] = {0xa2, 0x03, 0x02, 0x01, 48};
    uint8_t *der = NULL;
    size_t n;
    assert_done(tst_cert_to_der(good, &der, &n, &err), err);
    uint8_t *inner = memmem(der, n, salt, sizeof salt);
    assert_non_null(inner);
    assert_non_null(memmem(inner + 1, n - (size_t)(inner + 1 - der), salt, sizeof salt));
    inner[4] = 20;
    assert_done(tst_cert_from_der(der, n, &changed, &err), err);
    assert_false(info_of(changed).pss_sha384_salt48);
    assert_refused(tst_cert_verify(changed, changed, &err), TST_REFUTED, err, "does not verify");
    free(der);
}

static struct tst_cert *signed_plain(X509 *x)
{
    struct tst_error *err = NULL;
    assert_true(X509_sign(x, rsa, EVP_sha384()) > 0);
    uint8_t *der = NULL;
    int n = i2d_X509(x, &der);
    struct tst_cert *c = NULL;
    assert_done(tst_cert_from_der(der, (size_t)n, &c, &err), err);
    OPENSSL_free(der);
    X509_free(x);
    return c;
}

static void pkcs1_signatures_are_not_pss(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_CERT c = signed_plain(blank());
    assert_done(tst_cert_verify(c, c, &err), err);
    assert_false(info_of(c).pss_sha384_salt48);
}

static void a_certificate_without_names_says_nothing(void **state)
{
    (void)state;
    TST_AUTO_CERT c = signed_plain(blank());
    struct tst_cert_info info = info_of(c);
    assert_string_equal(info.subject_cn, "");
    assert_string_equal(info.issuer_o, "");
    assert_true(info.self_issued);
}

static void refuse_info(X509 *x, const char *part)
{
    struct tst_error *err = NULL;
    struct tst_cert_info info;
    TST_AUTO_CERT c = signed_plain(x);
    assert_refused(tst_cert_info(c, &info, &err), TST_USAGE, err, part);
}

static void name_add(X509 *x, int type, const char *value, int n)
{
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(x));
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", type, (const uint8_t *)value, n, -1, 0), 1);
    assert_int_equal(X509_set_subject_name(x, name), 1);
    X509_NAME_free(name);
}

/* Which of two common names would a reader take? */
static void two_common_names_are_refused(void **state)
{
    (void)state;
    X509 *x = blank();
    name_add(x, MBSTRING_ASC, "ARK-Genoa", -1);
    name_add(x, MBSTRING_ASC, "ARK-Milan", -1);
    refuse_info(x, "more than one subject CN");
}

static void a_nul_in_a_name_is_refused(void **state)
{
    (void)state;
    X509 *x = blank();
    name_add(x, V_ASN1_UTF8STRING, "ARK-Genoa\0.evil", 15);
    refuse_info(x, "too long or not text");
}

static void an_overlong_name_is_refused(void **state)
{
    (void)state;
    char name[200];
    memset(name, 'A', sizeof name);
    X509 *fits = blank(), *too_long = blank();
    name_add(fits, V_ASN1_UTF8STRING, name, 127);
    TST_AUTO_CERT c = signed_plain(fits);
    assert_int_equal(strlen(info_of(c).subject_cn), 127);
    name_add(too_long, V_ASN1_UTF8STRING, name, 128);
    refuse_info(too_long, "too long or not text");
}

/* Names that differ in case chain (RFC 5280 §7.1), but are not the same bytes. */
static void self_issued_means_byte_for_byte(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    X509 *x = blank(), *other = blank();
    name_add(x, MBSTRING_UTF8, "ARK-Genoa", -1);
    name_add(other, MBSTRING_UTF8, "ark-genoa", -1);
    assert_int_equal(X509_set_issuer_name(x, X509_get_subject_name(other)), 1);
    TST_AUTO_CERT c = signed_plain(x);
    TST_AUTO_CERT issuer = signed_plain(other);
    assert_false(info_of(c).self_issued);
    assert_done(tst_cert_verify(c, issuer, &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_amds_pss_parameters_count),
        cmocka_unit_test(pss_parameters_that_differ_inside_and_outside_do_not_count),
        cmocka_unit_test(pkcs1_signatures_are_not_pss),
        cmocka_unit_test(a_certificate_without_names_says_nothing),
        cmocka_unit_test(two_common_names_are_refused),
        cmocka_unit_test(a_nul_in_a_name_is_refused),
        cmocka_unit_test(an_overlong_name_is_refused),
        cmocka_unit_test(self_issued_means_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, rsa_make, rsa_free);
}
