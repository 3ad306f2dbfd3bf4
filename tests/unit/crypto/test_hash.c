/* SPDX-License-Identifier: Apache-2.0 */
/* unit/crypto/test_hash.c - SHA-2 against the examples of FIPS 180-4, and random bytes. */
#include "kat.h"

static void sha256_known_answers(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    uint8_t out[TST_SHA256_BYTES];
    assert_done(tst_sha256("abc", 3, out, &err), err);
    assert_bytes(out, sizeof out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_done(tst_sha256("", 0, out, &err), err);
    assert_bytes(out, sizeof out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void sha384_known_answers(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    uint8_t out[TST_SHA384_BYTES];
    assert_done(tst_sha384("abc", 3, out, &err), err);
    assert_bytes(out, sizeof out, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                                  "8086072ba1e7cc2358baeca134c825a7");
    assert_done(tst_sha384("", 0, out, &err), err);
    assert_bytes(out, sizeof out, "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
                                  "274edebfe76f65fbd51ad2f14898b95b");
}

static void random_bytes_differ_each_time(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    uint8_t a[32] = {0}, b[32] = {0};
    assert_done(tst_random(a, sizeof a, &err), err);
    assert_done(tst_random(b, sizeof b, &err), err);
    assert_memory_not_equal(a, b, sizeof a);
    assert_false(tst_is_zero(a, sizeof a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_known_answers),
        cmocka_unit_test(sha384_known_answers),
        cmocka_unit_test(random_bytes_differ_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
