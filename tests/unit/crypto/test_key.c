/* SPDX-License-Identifier: Apache-2.0 */
/* unit/crypto/test_key.c - keys survive being written and read; what is not exactly one good key is refused. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "kat.h"

static const enum tst_key_kind quick_kinds[] = {TST_KEY_P256, TST_KEY_P384, TST_KEY_ED25519};

static void assert_same_public(const struct tst_key *a, const struct tst_key *b)
{
    struct tst_error *err = NULL;
    uint8_t x[TST_SHA256_BYTES], y[TST_SHA256_BYTES];
    assert_done(tst_key_spki_sha256(a, x, &err), err);
    assert_done(tst_key_spki_sha256(b, y, &err), err);
    assert_memory_equal(x, y, sizeof x);
    assert_int_equal(tst_key_kind(a), tst_key_kind(b));
}

static void round_trip_private(const struct tst_key *k)
{
    struct tst_error *err = NULL;
    TST_AUTO_SECRET der = NULL;
    TST_AUTO_KEY again = NULL;
    assert_done(tst_key_private_der(k, &der, &err), err);
    assert_done(tst_key_from_private_der(tst_secret_view(der), tst_secret_size(der), &again, &err), err);
    assert_same_public(k, again);
}

static void private_keys_survive_der(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(quick_kinds); i++) {
        TST_AUTO_KEY k = new_key(quick_kinds[i]);
        assert_int_equal(tst_key_kind(k), quick_kinds[i]);
        round_trip_private(k);
    }
}

static void public_keys_survive_der_and_have_no_private_part(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    for (size_t i = 0; i < TST_COUNT(quick_kinds); i++) {
        TST_AUTO_KEY k = new_key(quick_kinds[i]);
        TST_AUTO_KEY again = NULL;
        TST_AUTO_SECRET secret = NULL;
        uint8_t *der = NULL;
        size_t n;
        assert_done(tst_key_public_der(k, &der, &n, &err), err);
        assert_done(tst_key_from_public_der(der, n, &again, &err), err);
        assert_same_public(k, again);
        assert_refused(tst_key_private_der(again, &secret, &err), TST_USAGE, err, "no private part");
        free(der);
    }
}

static void other_kinds_are_not_made(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    struct tst_key *k = NULL;
    assert_refused(tst_key_generate(TST_KEY_OTHER, &k, &err), TST_USAGE, err, "cannot make");
}

static void refuse_private(const uint8_t *p, size_t n, void *ctx)
{
    (void)ctx;
    struct tst_error *err = NULL;
    struct tst_key *k = NULL;
    assert_refused(tst_key_from_private_der(p, n, &k, &err), TST_USAGE, err, "PKCS#8");
}

static void refuse_public(const uint8_t *p, size_t n, void *ctx)
{
    (void)ctx;
    struct tst_error *err = NULL;
    struct tst_key *k = NULL;
    assert_refused(tst_key_from_public_der(p, n, &k, &err), TST_USAGE, err, "SubjectPublicKeyInfo");
}

static void truncated_and_longer_keys_are_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = new_key(TST_KEY_P256);
    TST_AUTO_SECRET secret = NULL;
    uint8_t *der = NULL, longer[512] = {0};
    size_t n;
    assert_done(tst_key_private_der(k, &secret, &err), err);
    each_truncation(tst_secret_view(secret), tst_secret_size(secret), refuse_private, NULL);
    memcpy(longer, tst_secret_view(secret), tst_secret_size(secret));
    refuse_private(longer, tst_secret_size(secret) + 1, NULL);
    assert_done(tst_key_public_der(k, &der, &n, &err), err);
    each_truncation(der, n, refuse_public, NULL);
    memset(longer, 0, sizeof longer);
    memcpy(longer, der, n);
    refuse_public(longer, n + 1, NULL);
    free(der);
}

static void oversized_keys_are_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    struct tst_key *k = NULL;
    static const uint8_t zeros[8193];
    assert_refused(tst_key_from_private_der(zeros, sizeof zeros, &k, &err), TST_TOO_LARGE, err, "8193");
    assert_refused(tst_key_from_public_der(zeros, sizeof zeros, &k, &err), TST_TOO_LARGE, err, "8193");
}

static void points_survive(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    for (size_t i = 0; i < 2; i++) {
        TST_AUTO_KEY k = new_key(quick_kinds[i]);
        TST_AUTO_KEY again = NULL;
        uint8_t x[48], y[48];
        assert_done(tst_key_ec_point(k, x, y, &err), err);
        assert_done(tst_key_from_ec_point(quick_kinds[i], x, y, &again, &err), err);
        assert_same_public(k, again);
    }
}

static void a_key_without_a_curve_has_no_point(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = new_key(TST_KEY_ED25519);
    struct tst_key *made = NULL;
    uint8_t x[48] = {0}, y[48] = {0};
    assert_refused(tst_key_ec_point(k, x, y, &err), TST_USAGE, err, "Ed25519");
    assert_refused(tst_key_from_ec_point(TST_KEY_RSA4096, x, y, &made, &err), TST_USAGE, err, "RSA-4096");
}

static void points_off_the_curve_are_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    struct tst_key *made = NULL;
    for (size_t i = 0; i < 2; i++) {
        TST_AUTO_KEY k = new_key(quick_kinds[i]);
        uint8_t x[48], y[48], zero[48] = {0};
        assert_done(tst_key_ec_point(k, x, y, &err), err);
        size_t n = quick_kinds[i] == TST_KEY_P256 ? 32 : 48;
        for (size_t bit = 0; bit < 8 * n; bit++) {
            y[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_refused(tst_key_from_ec_point(quick_kinds[i], x, y, &made, &err), TST_USAGE, err, "not a point");
            y[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_refused(tst_key_from_ec_point(quick_kinds[i], zero, zero, &made, &err), TST_USAGE, err, "not a point");
        memset(x, 0xff, sizeof x); /* not reduced */
        assert_refused(tst_key_from_ec_point(quick_kinds[i], x, y, &made, &err), TST_USAGE, err, "not a point");
    }
}

/* A key that carries its curve's parameters itself could carry any: it never counts as P-256. */
static void a_curve_that_is_spelt_out_is_of_another_kind(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    assert_int_equal(EVP_PKEY_set_utf8_string_param(pkey, "encoding", "explicit"), 1);
    uint8_t *der = NULL, rs[TST_ECDSA_P256_BYTES] = {1};
    int n = i2d_PUBKEY(pkey, &der);
    assert_true(n > 150);
    TST_AUTO_KEY k = NULL;
    assert_done(tst_key_from_public_der(der, (size_t)n, &k, &err), err);
    assert_int_equal(tst_key_kind(k), TST_KEY_OTHER);
    assert_refused(tst_ecdsa_verify(k, "m", 1, rs, &err), TST_USAGE, err, "no key on P-256");
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
}

/* Public part of one key beside the private part of another. */
static void halves_of_two_key_pairs_are_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY a = new_key(TST_KEY_P256);
    TST_AUTO_KEY b = new_key(TST_KEY_P256);
    TST_AUTO_SECRET der = NULL;
    struct tst_key *k = NULL;
    uint8_t xa[32], ya[32], xb[32], yb[32];
    assert_done(tst_key_ec_point(a, xa, ya, &err), err);
    assert_done(tst_key_ec_point(b, xb, yb, &err), err);
    assert_done(tst_key_private_der(a, &der, &err), err);
    uint8_t *point = memmem(tst_secret_bytes(der), tst_secret_size(der), xa, sizeof xa);
    assert_non_null(point);
    memcpy(point, xb, sizeof xb);
    memcpy(point + sizeof xb, yb, sizeof yb);
    assert_refused(tst_key_from_private_der(tst_secret_view(der), tst_secret_size(der), &k, &err), TST_USAGE, err,
                   "do not belong together");
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    tst_key_free(NULL);
    tst_cert_free(NULL);
    tst_tls_server_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_keys_survive_der),
        cmocka_unit_test(public_keys_survive_der_and_have_no_private_part),
        cmocka_unit_test(other_kinds_are_not_made),
        cmocka_unit_test(truncated_and_longer_keys_are_refused),
        cmocka_unit_test(oversized_keys_are_refused),
        cmocka_unit_test(points_survive),
        cmocka_unit_test(a_key_without_a_curve_has_no_point),
        cmocka_unit_test(points_off_the_curve_are_refused),
        cmocka_unit_test(a_curve_that_is_spelt_out_is_of_another_kind),
        cmocka_unit_test(halves_of_two_key_pairs_are_refused),
        cmocka_unit_test(freeing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
