/* SPDX-License-Identifier: Apache-2.0 */
/* unit/base/test_rd.c - the cursor: order of bytes, bounds, failure that stays, nothing left over. */
#include "unit.h"

static const uint8_t sample[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c,
                                 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16};

static void numbers_are_little_endian(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    struct tst_rd r = tst_rd_of(sample, 15);
    assert_int_equal(tst_rd_u8(&r), 0x01);
    assert_int_equal(tst_rd_u16le(&r), 0x0302);
    assert_int_equal(tst_rd_u32le(&r), 0x07060504);
    assert_true(tst_rd_u64le(&r) == 0x0f0e0d0c0b0a0908);
    assert_done(tst_rd_finish(&r, "sample", &err), err);
}

static void bytes_are_copied_borrowed_and_skipped(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    uint8_t copy[3] = {0};
    struct tst_rd r = tst_rd_of(sample, sizeof sample);
    tst_rd_copy(&r, copy, sizeof copy);
    assert_memory_equal(copy, sample, 3);
    struct tst_bytes taken = tst_rd_take(&r, 4);
    assert_ptr_equal(taken.p, sample + 3);
    assert_int_equal(taken.n, 4);
    tst_rd_skip(&r, 10);
    assert_int_equal(tst_rd_left(&r), sizeof sample - 17);
    tst_rd_skip(&r, sizeof sample - 17);
    assert_done(tst_rd_finish(&r, "sample", &err), err);
}

static void trailing_bytes_are_refused(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    struct tst_rd r = tst_rd_of(sample, 5);
    tst_rd_u16le(&r);
    assert_refused(tst_rd_finish(&r, "head", &err), TST_USAGE, err, "head: 3 trailing bytes");
}

static void reading_past_the_end_yields_zeros_for_good(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    struct tst_rd r = tst_rd_of(sample, 3);
    assert_int_equal(tst_rd_u32le(&r), 0);
    assert_int_equal(tst_rd_left(&r), 0);
    assert_int_equal(tst_rd_u8(&r), 0); /* although three bytes had been left */
    uint8_t copy[2] = {0xff, 0xff};
    tst_rd_copy(&r, copy, sizeof copy);
    assert_true(tst_is_zero(copy, sizeof copy));
    assert_null(tst_rd_take(&r, 1).p);
    assert_refused(tst_rd_finish(&r, "head", &err), TST_USAGE, err, "head: truncated");
}

static void huge_lengths_do_not_wrap_around(void **state)
{
    (void)state;
    struct tst_rd r = tst_rd_of(sample, sizeof sample);
    tst_rd_u8(&r);
    assert_null(tst_rd_take(&r, SIZE_MAX).p);
    assert_true(r.bad);
    r = tst_rd_of(sample, sizeof sample);
    tst_rd_skip(&r, SIZE_MAX - 4);
    assert_true(r.bad);
}

static void nothing_can_be_read_from_nothing(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    struct tst_rd r = tst_rd_of(NULL, 0);
    assert_done(tst_rd_finish(&r, "nothing", &err), err);
    tst_rd_copy(&r, NULL, 0);
    assert_false(r.bad);
    tst_rd_u8(&r);
    assert_true(r.bad);
    r = tst_rd_of(NULL, 8); /* bytes were promised and are not there */
    assert_refused(tst_rd_finish(&r, "nothing", &err), TST_USAGE, err, "truncated");
}

static void record_is_refused(const uint8_t *p, size_t n, void *ctx)
{
    (void)ctx;
    uint8_t copy[7];
    struct tst_rd r = tst_rd_of(p, n);
    tst_rd_u64le(&r);
    tst_rd_copy(&r, copy, sizeof copy);
    tst_rd_u16le(&r);
    tst_rd_take(&r, 5);
    assert_int_equal(tst_rd_finish(&r, "record", NULL), -(int)TST_USAGE);
}

static void every_truncation_of_a_record_is_refused(void **state)
{
    (void)state;
    each_truncation(sample, sizeof sample, record_is_refused, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_little_endian),
        cmocka_unit_test(bytes_are_copied_borrowed_and_skipped),
        cmocka_unit_test(trailing_bytes_are_refused),
        cmocka_unit_test(reading_past_the_end_yields_zeros_for_good),
        cmocka_unit_test(huge_lengths_do_not_wrap_around),
        cmocka_unit_test(nothing_can_be_read_from_nothing),
        cmocka_unit_test(every_truncation_of_a_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
