/* SPDX-License-Identifier: Apache-2.0 */
/* unit/crypto/test_cipher.c - ECDH and Concat KDF (RFC 7518 appendix C), AES key wrap (RFC 3394 §4), AES-256-GCM (test cases
 * 13, 14, 16 of the GCM specification), and that each changed byte is refused. */
#include "kat.h"

static void ecdh_and_concat_kdf_of_rfc7518(void **state)
{
    (void)state;
    static const char other_info[] = "\0\0\0\7A128GCM" "\0\0\0\5Alice" "\0\0\0\3Bob" "\0\0\0\x80";
    struct tst_error *err = NULL;
    TST_AUTO_KEY alice = kat_private_p256("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
    TST_AUTO_KEY bob = kat_private_p256("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
    TST_AUTO_SECRET z = NULL;
    TST_AUTO_SECRET z2 = NULL;
    TST_AUTO_SECRET key = NULL;
    assert_done(tst_ecdh(alice, bob, &z, &err), err);
    assert_secret(z, "9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4");
    assert_done(tst_ecdh(bob, alice, &z2, &err), err);
    assert_secret(z2, "9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4");
    assert_done(tst_concat_kdf(z, other_info, sizeof other_info - 1, 16, &key, &err), err);
    TST_AUTO_STR text = tst_b64url(tst_secret_view(key), tst_secret_size(key));
    assert_string_equal(text, "VqqN6vgjbSBcIijNcacQGg");
}

static void ecdh_takes_p256_keys_only(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY p256 = new_key(TST_KEY_P256);
    TST_AUTO_KEY p384 = new_key(TST_KEY_P384);
    struct tst_secret *z = NULL;
    uint8_t x[32], y[32];
    assert_refused(tst_ecdh(p256, p384, &z, &err), TST_USAGE, err, "P-384");
    assert_refused(tst_ecdh(p384, p384, &z, &err), TST_USAGE, err, "P-384");
    assert_done(tst_key_ec_point(p256, x, y, &err), err);
    TST_AUTO_KEY public = NULL;
    assert_done(tst_key_from_ec_point(TST_KEY_P256, x, y, &public, &err), err);
    assert_refused(tst_ecdh(public, p256, &z, &err), TST_USAGE, err, "no private part");
}

static void the_kdf_depends_on_each_input(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_SECRET z = kat_secret("0102030405060708");
    TST_AUTO_SECRET a = NULL;
    TST_AUTO_SECRET b = NULL;
    TST_AUTO_SECRET c = NULL;
    assert_done(tst_concat_kdf(z, "info", 4, 48, &a, &err), err);
    assert_done(tst_concat_kdf(z, "inf0", 4, 48, &b, &err), err);
    assert_memory_not_equal(tst_secret_view(a), tst_secret_view(b), 48);
    tst_secret_bytes(z)[0] ^= 1;
    assert_done(tst_concat_kdf(z, "info", 4, 48, &c, &err), err);
    assert_memory_not_equal(tst_secret_view(a), tst_secret_view(c), 48);
    struct tst_secret *too_long = NULL;
    assert_refused(tst_concat_kdf(z, "info", 4, 4096, &too_long, &err), TST_TOO_LARGE, err, "4096");
}

static const struct {
    const char *key, *wrapped;
} wraps[] = {
    {"00112233445566778899aabbccddeeff", "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"},
    {"00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
     "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"},
};
#define WRAP_KEK "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void aes_key_wrap_of_rfc3394(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_SECRET kek = kat_secret(WRAP_KEK);
    for (size_t i = 0; i < TST_COUNT(wraps); i++) {
        TST_AUTO_SECRET key = kat_secret(wraps[i].key);
        TST_AUTO_SECRET back = NULL;
        uint8_t out[40];
        assert_done(tst_aes_kw_wrap(kek, key, out, &err), err);
        assert_bytes(out, tst_secret_size(key) + 8, wraps[i].wrapped);
        assert_done(tst_aes_kw_unwrap(kek, out, tst_secret_size(key) + 8, &back, &err), err);
        assert_secret(back, wraps[i].key);
    }
}

static void each_flipped_bit_of_a_wrapped_key_is_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_SECRET kek = kat_secret(WRAP_KEK);
    struct tst_secret *key = NULL;
    struct kat w = kat_of(wraps[1].wrapped);
    for (size_t bit = 0; bit < 8 * w.n; bit++) {
        w.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_refused(tst_aes_kw_unwrap(kek, w.p, w.n, &key, &err), TST_REFUTED, err, "was not wrapped");
        w.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    tst_secret_bytes(kek)[31] ^= 1;
    assert_refused(tst_aes_kw_unwrap(kek, w.p, w.n, &key, &err), TST_REFUTED, err, "was not wrapped");
}

static void key_wrap_refuses_wrong_sizes(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_SECRET kek = kat_secret(WRAP_KEK);
    TST_AUTO_SECRET short_kek = kat_secret("000102030405060708090a0b0c0d0e0f");
    TST_AUTO_SECRET odd = kat_secret("00112233445566778899aabbccddeeff00");
    struct tst_secret *key = NULL;
    struct kat w = kat_of(wraps[1].wrapped);
    uint8_t out[64];
    assert_refused(tst_aes_kw_wrap(kek, odd, out, &err), TST_USAGE, err, "17 bytes");
    assert_refused(tst_aes_kw_wrap(short_kek, kek, out, &err), TST_USAGE, err, "16 bytes");
    assert_refused(tst_aes_kw_unwrap(short_kek, w.p, w.n, &key, &err), TST_USAGE, err, "16 bytes");
    for (size_t n = 0; n < w.n; n++)
        assert_refused(tst_aes_kw_unwrap(kek, w.p, n, &key, &err), TST_REFUTED, err, "key unwrap");
}

static const struct gcm {
    const char *key, *iv, *aad, *pt, *ct, *tag;
} gcms[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
     "ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
     "bcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void gcm_known_answers(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    for (size_t i = 0; i < TST_COUNT(gcms); i++) {
        TST_AUTO_SECRET key = kat_secret(gcms[i].key);
        struct kat iv = kat_of(gcms[i].iv), aad = kat_of(gcms[i].aad), pt = kat_of(gcms[i].pt);
        uint8_t ct[KAT_MAX_BYTES], tag[TST_GCM_TAG_BYTES];
        assert_done(tst_gcm_seal(key, iv.p, aad.p, aad.n, pt.p, pt.n, ct, tag, &err), err);
        assert_bytes(ct, pt.n, gcms[i].ct);
        assert_bytes(tag, sizeof tag, gcms[i].tag);
        TST_AUTO_SECRET back = NULL;
        if (pt.n == 0) {
            assert_refused(tst_gcm_open(key, iv.p, aad.p, aad.n, ct, 0, tag, &back, &err), TST_USAGE, err, "nothing");
            continue;
        }
        assert_done(tst_gcm_open(key, iv.p, aad.p, aad.n, ct, pt.n, tag, &back, &err), err);
        assert_secret(back, gcms[i].pt);
    }
}

struct opening {
    struct kat iv, aad, ct, tag;
};

static void refuse_flips(const struct tst_secret *key, struct opening *o, struct kat *field)
{
    struct tst_error *err = NULL;
    struct tst_secret *pt = NULL;
    for (size_t bit = 0; bit < 8 * field->n; bit++) {
        field->p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_refused(tst_gcm_open(key, o->iv.p, o->aad.p, o->aad.n, o->ct.p, o->ct.n, o->tag.p, &pt, &err), TST_REFUTED,
                       err, "tag does not match");
        assert_null(pt);
        field->p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void each_flipped_bit_of_a_sealed_text_is_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    const struct gcm *g = &gcms[2];
    TST_AUTO_SECRET key = kat_secret(g->key);
    struct tst_secret *pt = NULL;
    struct opening o = {kat_of(g->iv), kat_of(g->aad), kat_of(g->ct), kat_of(g->tag)};
    refuse_flips(key, &o, &o.iv);
    refuse_flips(key, &o, &o.aad);
    refuse_flips(key, &o, &o.ct);
    refuse_flips(key, &o, &o.tag);
    assert_refused(tst_gcm_open(key, o.iv.p, o.aad.p, o.aad.n, o.ct.p, o.ct.n - 1, o.tag.p, &pt, &err), TST_REFUTED, err,
                   "tag does not match");
    tst_secret_bytes(key)[0] ^= 1;
    assert_refused(tst_gcm_open(key, o.iv.p, o.aad.p, o.aad.n, o.ct.p, o.ct.n, o.tag.p, &pt, &err), TST_REFUTED, err,
                   "tag does not match");
}

static void gcm_refuses_a_key_of_another_size(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_SECRET key = kat_secret("00112233445566778899aabbccddeeff");
    uint8_t iv[TST_GCM_IV_BYTES] = {0}, ct[1], tag[TST_GCM_TAG_BYTES];
    assert_refused(tst_gcm_seal(key, iv, NULL, 0, "x", 1, ct, tag, &err), TST_USAGE, err, "16 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ecdh_and_concat_kdf_of_rfc7518),
        cmocka_unit_test(ecdh_takes_p256_keys_only),
        cmocka_unit_test(the_kdf_depends_on_each_input),
        cmocka_unit_test(aes_key_wrap_of_rfc3394),
        cmocka_unit_test(each_flipped_bit_of_a_wrapped_key_is_refused),
        cmocka_unit_test(key_wrap_refuses_wrong_sizes),
        cmocka_unit_test(gcm_known_answers),
        cmocka_unit_test(each_flipped_bit_of_a_sealed_text_is_refused),
        cmocka_unit_test(gcm_refuses_a_key_of_another_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
