/* SPDX-License-Identifier: Apache-2.0 */
/* unit/base/test_util.c - times, names, comparison, wiping. */
#include "unit.h"

static const struct {
    time_t t;
    const char *text;
} moments[] = {
    {0, "1970-01-01T00:00:00Z"},           {1795382100, "2026-11-22T21:15:00Z"},  {951782400, "2000-02-29T00:00:00Z"},
    {-1, "1969-12-31T23:59:59Z"},          {4102444799, "2099-12-31T23:59:59Z"},  {253402300799, "9999-12-31T23:59:59Z"},
    {-62167219200, "0000-01-01T00:00:00Z"}, {1709164800, "2024-02-29T00:00:00Z"},
};

static void times_print_and_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(moments); i++) {
        TST_AUTO_ERROR err = NULL;
        char text[TST_TIME_BYTES];
        time_t t = 12345;
        tst_time_print(moments[i].t, text);
        assert_string_equal(text, moments[i].text);
        assert_done(tst_time_parse(text, &t, &err), err);
        assert_true(t == moments[i].t);
    }
}

static void times_do_not_depend_on_the_time_zone(void **state)
{
    (void)state;
    time_t t = 0;
    assert_int_equal(setenv("TZ", "America/New_York", 1), 0);
    tzset();
    char text[TST_TIME_BYTES];
    tst_time_print(1795382100, text);
    assert_string_equal(text, "2026-11-22T21:15:00Z");
    assert_int_equal(tst_time_parse(text, &t, NULL), 0);
    assert_true(t == 1795382100);
    unsetenv("TZ");
    tzset();
}

static void bare_date_is_midnight_utc(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    time_t t = 0;
    assert_done(tst_time_parse("2026-11-22", &t, &err), err);
    assert_true(t == 1795305600);
}

static void moments_beyond_the_calendar_print_as_its_ends(void **state)
{
    (void)state;
    char text[TST_TIME_BYTES];
    tst_time_print(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    tst_time_print(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00Z");
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "now", "2026", "2026-11", "2026-1-2", "2026-11-22T", "2026-11-22T21:15Z", "2026-11-22T21:15:00",
        "2026-11-22 21:15:00Z", "2026-11-22t21:15:00z", "2026-11-22T21:15:00+00:00", "2026-11-22T21:15:00.5Z",
        "2026-11-22T21:15:00Z ", " 2026-11-22", "2026-00-10", "2026-13-01", "2026-01-00", "2026-01-32", "2026-02-29",
        "2100-02-29", "2026-04-31", "2026-11-22T24:00:00Z", "2026-11-22T23:60:00Z", "2026-11-22T23:59:60Z",
        "-026-11-22", "2026-11-2x", "12026-11-22",
    };
    for (size_t i = 0; i < TST_COUNT(wrong); i++) {
        TST_AUTO_ERROR err = NULL;
        time_t t = 77;
        assert_refused(tst_time_parse(wrong[i], &t, &err), TST_USAGE, err, "time: ");
        assert_true(t == 77);
    }
}

static void names_follow_the_rule(void **state)
{
    (void)state;
    char longest[65];
    memset(longest, 'a', sizeof longest);
    longest[64] = 0;
    assert_false(tst_is_name(longest));
    longest[63] = 0;
    assert_true(tst_is_name(longest));
    static const char *const right[] = {"a", "s1", "cpu-sev", "a--", "z9-0"};
    static const char *const wrong[] = {"", "1a", "-a", "A", "aB", "a_b", "a.b", "a/b", "a b", "a\n", "\xc3\xa9", ".."};
    for (size_t i = 0; i < TST_COUNT(right); i++)
        assert_true(tst_is_name(right[i]));
    for (size_t i = 0; i < TST_COUNT(wrong); i++)
        assert_false(tst_is_name(wrong[i]));
    assert_false(tst_is_name(NULL));
}

static void equality_sees_every_bit(void **state)
{
    (void)state;
    uint8_t a[48], b[48];
    for (size_t i = 0; i < sizeof a; i++)
        a[i] = b[i] = (uint8_t)i;
    assert_true(tst_equal(a, b, sizeof a));
    assert_true(tst_equal(a, b, 0));
    for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(tst_equal(a, b, sizeof a));
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void wiped_bytes_are_zero(void **state)
{
    (void)state;
    uint8_t a[32];
    memset(a, 0x5a, sizeof a);
    assert_false(tst_is_zero(a, sizeof a));
    tst_wipe(a, sizeof a - 1);
    assert_true(tst_is_zero(a, sizeof a - 1));
    assert_false(tst_is_zero(a, sizeof a));
    assert_int_equal(a[31], 0x5a);
    tst_wipe(NULL, 0);
}

static void formatted_string_is_owned_by_the_caller(void **state)
{
    (void)state;
    TST_AUTO_STR text = tst_strdup_printf("%s-%u", "n", 7u);
    assert_string_equal(text, "n-7");
    char *moved = TST_STEAL(text);
    assert_null(text);
    free(moved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_print_and_read_back),
        cmocka_unit_test(times_do_not_depend_on_the_time_zone),
        cmocka_unit_test(bare_date_is_midnight_utc),
        cmocka_unit_test(moments_beyond_the_calendar_print_as_its_ends),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(names_follow_the_rule),
        cmocka_unit_test(equality_sees_every_bit),
        cmocka_unit_test(wiped_bytes_are_zero),
        cmocka_unit_test(formatted_string_is_owned_by_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
