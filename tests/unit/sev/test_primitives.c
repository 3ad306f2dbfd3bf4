/* SPDX-License-Identifier: Apache-2.0 */
/* test_primitives.c - the cryptography of legacy SEV against published values: HMAC-SHA256 (RFC 4231), AES-128-CTR (NIST
 * SP 800-38A F.5.1), ECDH on P-384, RSA from its numbers, RSASSA-PSS, ECDSA with a named hash. */
#include "platform.h"

#include "../crypto/kat.h"

static void hmac_of_rfc4231(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    };
    for (size_t i = 0; i < TST_COUNT(cases); i++) {
        struct tst_error *err = NULL;
        uint8_t out[TST_SHA256_BYTES];
        struct kat msg = kat_of(cases[i][1]);
        TST_AUTO_SECRET key = kat_secret(cases[i][0]);
        const struct tst_bytes pieces[] = {{msg.p, 3}, {NULL, 0}, {msg.p + 3, msg.n - 3}};
        assert_done(tst_hmac_sha256(key, pieces, TST_COUNT(pieces), out, &err), err);
        assert_bytes(out, sizeof out, cases[i][2]);
    }
}

static void the_kdf_counts_blocks_from_one_in_little_endian(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    uint8_t block[2 * TST_SHA256_BYTES];
    TST_AUTO_SECRET key = kat_secret("000102030405060708090a0b0c0d0e0f");
    TST_AUTO_SECRET out = NULL;
    for (uint8_t i = 1; i <= 2; i++) {
        const uint8_t counter[4] = {i}, bits[4] = {0x40, 0x01}; /* 40 bytes */
        const struct tst_bytes pieces[] = {{counter, 4}, {(const uint8_t *)"label", 6}, {(const uint8_t *)"ctx", 3}, {bits, 4}};
        assert_done(tst_hmac_sha256(key, pieces, TST_COUNT(pieces), block + (i - 1) * TST_SHA256_BYTES, &err), err);
    }
    assert_done(tst_counter_kdf(key, "label", "ctx", 3, 40, &out, &err), err);
    assert_int_equal(tst_secret_size(out), 40);
    assert_memory_equal(tst_secret_view(out), block, 40);
    struct tst_secret *none = NULL;
    assert_refused(tst_counter_kdf(key, "label", NULL, 0, 1025, &none, &err), TST_TOO_LARGE, err, "1025");
}

static void aes_128_ctr_of_sp800_38a(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    struct kat iv = kat_of("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    struct kat text = kat_of("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
    uint8_t out[32];
    TST_AUTO_SECRET key = kat_secret("2b7e151628aed2a6abf7158809cf4f3c");
    TST_AUTO_SECRET longer = kat_secret("2b7e151628aed2a6abf7158809cf4f3c00");
    assert_done(tst_aes128_ctr(key, iv.p, text.p, text.n, out, &err), err);
    assert_bytes(out, sizeof out, "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
    assert_done(tst_aes128_ctr(key, iv.p, out, sizeof out, out, &err), err);
    assert_memory_equal(out, text.p, text.n);
    assert_refused(tst_aes128_ctr(longer, iv.p, text.p, text.n, out, &err), TST_USAGE, err, "17 bytes");
}

static void ecdh_on_p384_agrees_and_takes_nothing_else(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY a = new_key(TST_KEY_P384);
    TST_AUTO_KEY b = new_key(TST_KEY_P384);
    TST_AUTO_KEY p256 = new_key(TST_KEY_P256);
    TST_AUTO_SECRET ab = NULL;
    TST_AUTO_SECRET ba = NULL;
    struct tst_secret *none = NULL;
    assert_done(tst_ecdh_p384(a, b, &ab, &err), err);
    assert_done(tst_ecdh_p384(b, a, &ba, &err), err);
    assert_int_equal(tst_secret_size(ab), 48);
    assert_memory_equal(tst_secret_view(ab), tst_secret_view(ba), 48);
    assert_refused(tst_ecdh_p384(a, p256, &none, &err), TST_USAGE, err, "both keys must be on P-384");
    assert_refused(tst_ecdh_p384(p256, p256, &none, &err), TST_USAGE, err, "both keys must be on P-384");
}

static void ecdsa_verifies_with_the_named_hash_only(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    uint8_t rs[TST_ECDSA_P384_BYTES];
    TST_AUTO_KEY key = new_key(TST_KEY_P384);
    assert_done(tst_ecdsa_sign_hash(key, TST_HASH_SHA256, "text", 4, rs, &err), err);
    assert_done(tst_ecdsa_verify_hash(key, TST_HASH_SHA256, "text", 4, rs, &err), err);
    assert_refused(tst_ecdsa_verify_hash(key, TST_HASH_SHA384, "text", 4, rs, &err), TST_REFUTED, err, "does not verify");
    assert_refused(tst_ecdsa_verify(key, "text", 4, rs, &err), TST_REFUTED, err, "does not verify");
    assert_refused(tst_ecdsa_verify_hash(key, TST_HASH_SHA256, "test", 4, rs, &err), TST_REFUTED, err, "does not verify");
}

static struct tst_bytes bytes_of(const struct kat *k)
{
    return (struct tst_bytes){k->p, k->n};
}

static void rsa_numbers_that_are_no_key_are_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    struct tst_key *none = NULL;
    struct kat modulus = {.n = 256}, exponent = kat_of("010001"), even = kat_of("010000"), one = kat_of("01"), empty = {0};
    struct kat huge = {.n = 9, .p = {1, [8] = 1}};
    memset(modulus.p, 0xff, modulus.n);
    const struct tst_bytes too_long = {modulus.p, 513};
    TST_AUTO_KEY key = NULL;
    assert_done(tst_key_from_rsa(bytes_of(&modulus), bytes_of(&exponent), &key, &err), err);
    assert_refused(tst_key_from_rsa(bytes_of(&modulus), bytes_of(&even), &none, &err), TST_USAGE, err, "exponent");
    assert_refused(tst_key_from_rsa(bytes_of(&modulus), bytes_of(&one), &none, &err), TST_USAGE, err, "exponent");
    assert_refused(tst_key_from_rsa(bytes_of(&modulus), bytes_of(&huge), &none, &err), TST_USAGE, err, "65 bits");
    assert_refused(tst_key_from_rsa(bytes_of(&modulus), bytes_of(&empty), &none, &err), TST_USAGE, err, "exponent");
    assert_refused(tst_key_from_rsa(too_long, bytes_of(&exponent), &none, &err), TST_TOO_LARGE, err, "4096");
    modulus.p[255] = 0xfe;
    assert_refused(tst_key_from_rsa(bytes_of(&modulus), bytes_of(&exponent), &none, &err), TST_USAGE, err, "modulus");
    modulus.n = 255;
    assert_refused(tst_key_from_rsa(bytes_of(&modulus), bytes_of(&exponent), &none, &err), TST_USAGE, err, "2040 bits");
}

static void rsa_pss_refuses_another_hash_message_length_or_key(void **state)
{
    (void)state;
    static struct platform p;
    struct tst_sev_ca_cert ark;
    struct tst_error *err = NULL;
    platform_make(&p, 2048);
    assert_done(tst_sev_ca_cert_parse(p.ca[1], p.ca_bytes, &ark, &err), err);
    TST_AUTO_KEY key = NULL;
    assert_done(tst_sev_ca_cert_key(&ark, &key, &err), err);
    const struct tst_bytes signature = {ark.signature, 256}, shorter = {ark.signature, 255};
    assert_done(tst_rsa_pss_verify(key, TST_HASH_SHA256, ark.raw, ark.signed_bytes, signature, &err), err);
    assert_refused(tst_rsa_pss_verify(key, TST_HASH_SHA384, ark.raw, ark.signed_bytes, signature, &err), TST_REFUTED, err, "RSA-2048");
    assert_refused(tst_rsa_pss_verify(key, TST_HASH_SHA256, ark.raw, ark.signed_bytes - 1, signature, &err), TST_REFUTED, err, "RSA-2048");
    assert_refused(tst_rsa_pss_verify(key, TST_HASH_SHA256, ark.raw, ark.signed_bytes, shorter, &err), TST_REFUTED, err, "RSA-2048");
    assert_refused(tst_rsa_pss_verify(p.key[0], TST_HASH_SHA256, ark.raw, ark.signed_bytes, signature, &err), TST_USAGE, err, "no RSA key");
    platform_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmac_of_rfc4231),
        cmocka_unit_test(the_kdf_counts_blocks_from_one_in_little_endian),
        cmocka_unit_test(aes_128_ctr_of_sp800_38a),
        cmocka_unit_test(ecdh_on_p384_agrees_and_takes_nothing_else),
        cmocka_unit_test(ecdsa_verifies_with_the_named_hash_only),
        cmocka_unit_test(rsa_numbers_that_are_no_key_are_refused),
        cmocka_unit_test(rsa_pss_refuses_another_hash_message_length_or_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
