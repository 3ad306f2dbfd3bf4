/* SPDX-License-Identifier: Apache-2.0 */
/* unit/base/test_buf.c - the growing buffer: content, its limit, and that a refused addition changes nothing. */
#include "unit.h"

static void pieces_are_joined_in_order(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_BUF b = {0};
    assert_done(tst_buf_put(&b, "abc", 3, &err), err);
    assert_done(tst_buf_printf(&b, &err, "-%d-%s", 42, "x"), err);
    assert_done(tst_buf_put(&b, NULL, 0, &err), err);
    assert_int_equal(b.n, 8);
    assert_string_equal((const char *)b.p, "abc-42-x");
}

static void content_survives_growing(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_BUF b = {0};
    for (int i = 0; i < 20000; i++)
        assert_done(tst_buf_printf(&b, &err, "%05d", i), err);
    assert_int_equal(b.n, 100000);
    for (int i = 0; i < 20000; i++) {
        TST_AUTO_STR expected = tst_strdup_printf("%05d", i);
        assert_memory_equal(b.p + 5 * i, expected, 5);
    }
    assert_int_equal(b.p[b.n], 0);
}

static void limit_is_exact_and_a_refusal_changes_nothing(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_BUF b = {.max = 10};
    assert_done(tst_buf_put(&b, "0123456789", 10, &err), err);
    assert_refused(tst_buf_put(&b, "x", 1, &err), TST_TOO_LARGE, err, "limit of 10 bytes");
    assert_refused(tst_buf_printf(&b, &err, "%s", "yz"), TST_TOO_LARGE, err, "limit of 10 bytes");
    assert_refused(tst_buf_put(&b, "x", SIZE_MAX, &err), TST_TOO_LARGE, err, "limit of 10 bytes");
    assert_int_equal(b.n, 10);
    assert_string_equal((const char *)b.p, "0123456789");
}

static void default_limit_is_one_mebibyte(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_BUF b = {0};
    static const uint8_t block[1024];
    for (int i = 0; i < 1024; i++)
        assert_done(tst_buf_put(&b, block, sizeof block, &err), err);
    assert_refused(tst_buf_put(&b, block, 1, &err), TST_TOO_LARGE, err, "1048576");
}

static void cleared_buffer_is_empty_and_usable(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_BUF b = {.max = 4};
    assert_done(tst_buf_put(&b, "abcd", 4, &err), err);
    tst_buf_clear(&b);
    assert_null(b.p);
    assert_int_equal(b.n, 0);
    assert_done(tst_buf_put(&b, "efgh", 4, &err), err);
    assert_string_equal((const char *)b.p, "efgh");
    assert_refused(tst_buf_put(&b, "x", 1, &err), TST_TOO_LARGE, err, "4 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_joined_in_order),
        cmocka_unit_test(content_survives_growing),
        cmocka_unit_test(limit_is_exact_and_a_refusal_changes_nothing),
        cmocka_unit_test(default_limit_is_one_mebibyte),
        cmocka_unit_test(cleared_buffer_is_empty_and_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
