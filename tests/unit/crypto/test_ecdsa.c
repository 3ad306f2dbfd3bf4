/* SPDX-License-Identifier: Apache-2.0 */
/* unit/crypto/test_ecdsa.c - signatures as r||s: those of RFC 6979 verify, own ones verify, changed ones do not. */
#include "kat.h"

static const struct curve {
    enum tst_key_kind kind;
    size_t bytes;
    const char *x, *y, *rs; /* RFC 6979 A.2.5 and A.2.6, message "sample" */
} curves[] = {
    {TST_KEY_P256, TST_ECDSA_P256_BYTES, "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
     "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
     "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
     "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
    {TST_KEY_P384, TST_ECDSA_P384_BYTES,
     "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13",
     "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
     "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46"
     "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"},
};

static void published_signatures_verify(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    for (size_t i = 0; i < TST_COUNT(curves); i++) {
        TST_AUTO_KEY k = kat_point(curves[i].kind, curves[i].x, curves[i].y);
        struct kat rs = kat_of(curves[i].rs);
        assert_done(tst_ecdsa_verify(k, "sample", 6, rs.p, &err), err);
    }
}

static void each_flipped_bit_of_a_signature_is_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    for (size_t i = 0; i < TST_COUNT(curves); i++) {
        TST_AUTO_KEY k = kat_point(curves[i].kind, curves[i].x, curves[i].y);
        struct kat rs = kat_of(curves[i].rs);
        for (size_t bit = 0; bit < 8 * rs.n; bit++) {
            rs.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_refused(tst_ecdsa_verify(k, "sample", 6, rs.p, &err), TST_REFUTED, err, "does not verify");
            rs.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void own_signatures_verify_and_changed_messages_do_not(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    for (size_t i = 0; i < TST_COUNT(curves); i++) {
        TST_AUTO_KEY k = new_key(curves[i].kind);
        uint8_t rs[TST_ECDSA_P384_BYTES], msg[64] = "an attestation report";
        assert_done(tst_ecdsa_sign(k, msg, sizeof msg, rs, &err), err);
        assert_done(tst_ecdsa_verify(k, msg, sizeof msg, rs, &err), err);
        for (size_t at = 0; at < sizeof msg; at++) {
            msg[at] ^= 1;
            assert_refused(tst_ecdsa_verify(k, msg, sizeof msg, rs, &err), TST_REFUTED, err, "does not verify");
            msg[at] ^= 1;
        }
        assert_refused(tst_ecdsa_verify(k, msg, sizeof msg - 1, rs, &err), TST_REFUTED, err, "does not verify");
    }
}

static void another_key_refuses(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY a = new_key(TST_KEY_P384);
    TST_AUTO_KEY b = new_key(TST_KEY_P384);
    uint8_t rs[TST_ECDSA_P384_BYTES];
    assert_done(tst_ecdsa_sign(a, "m", 1, rs, &err), err);
    assert_refused(tst_ecdsa_verify(b, "m", 1, rs, &err), TST_REFUTED, err, "does not verify");
}

/* r = 0 or s = 0 made old verifiers accept anything. */
static void signatures_out_of_range_are_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    for (size_t i = 0; i < TST_COUNT(curves); i++) {
        TST_AUTO_KEY k = kat_point(curves[i].kind, curves[i].x, curves[i].y);
        struct kat good = kat_of(curves[i].rs);
        for (int fill = 0; fill < 2; fill++)
            for (unsigned half = 1; half <= 3; half++) {
                struct kat rs = good;
                size_t n = rs.n / 2;
                if (half & 1)
                    memset(rs.p, fill ? 0xff : 0, n);
                if (half & 2)
                    memset(rs.p + n, fill ? 0xff : 0, n);
                assert_refused(tst_ecdsa_verify(k, "sample", 6, rs.p, &err), TST_REFUTED, err, "does not verify");
            }
    }
}

static void keys_that_cannot_sign_say_so(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY ed = new_key(TST_KEY_ED25519);
    TST_AUTO_KEY public = kat_point(curves[0].kind, curves[0].x, curves[0].y);
    uint8_t rs[TST_ECDSA_P384_BYTES];
    assert_refused(tst_ecdsa_sign(ed, "m", 1, rs, &err), TST_USAGE, err, "Ed25519");
    assert_refused(tst_ecdsa_verify(ed, "m", 1, rs, &err), TST_USAGE, err, "Ed25519");
    assert_refused(tst_ecdsa_sign(public, "m", 1, rs, &err), TST_USAGE, err, "no private part");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_signatures_verify),
        cmocka_unit_test(each_flipped_bit_of_a_signature_is_refused),
        cmocka_unit_test(own_signatures_verify_and_changed_messages_do_not),
        cmocka_unit_test(another_key_refuses),
        cmocka_unit_test(signatures_out_of_range_are_refused),
        cmocka_unit_test(keys_that_cannot_sign_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
