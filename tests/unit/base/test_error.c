/* SPDX-License-Identifier: Apache-2.0 */
/* unit/base/test_error.c - the error object: chain of contexts, codes, texts that are safe to print. */
#include "unit.h"

static void origin_sets_code_and_text(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(tst_fail(&err, TST_DENIED, "chip %d", 7), -(int)TST_DENIED);
    assert_int_equal(err->code, TST_DENIED);
    assert_string_equal(err->text, "chip 7");
    assert_null(err->reason);
    assert_null(err->expected);
    assert_null(err->found);
    assert_null(err->fix);
}

static void contexts_read_outside_in(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    tst_fail(&err, TST_REFUTED, "does not verify");
    assert_int_equal(tst_wrap(&err, "signature"), -(int)TST_REFUTED);
    assert_int_equal(tst_wrap(&err, "join n%03d", 42), -(int)TST_REFUTED);
    assert_string_equal(err->text, "join n042: signature: does not verify");
}

static void null_err_still_reports_the_code(void **state)
{
    (void)state;
    assert_int_equal(tst_fail(NULL, TST_UNREACHABLE, "x"), -(int)TST_UNREACHABLE);
}

static void nothing_to_decorate_is_an_internal_error(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(tst_wrap(&err, "x"), -(int)TST_INTERNAL);
    assert_int_equal(tst_reason(&err, "x"), -(int)TST_INTERNAL);
    assert_int_equal(tst_hint(&err, "a", "b", "c"), -(int)TST_INTERNAL);
    assert_int_equal(tst_wrap(NULL, "x"), -(int)TST_INTERNAL);
    assert_int_equal(tst_reason(NULL, "x"), -(int)TST_INTERNAL);
    assert_int_equal(tst_hint(NULL, "a", "b", "c"), -(int)TST_INTERNAL);
    assert_null(err);
}

static void hint_and_reason_replace_only_what_is_given(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    tst_fail(&err, TST_DENIED, "nonce");
    assert_int_equal(tst_reason(&err, "nonce-used"), -(int)TST_DENIED);
    assert_int_equal(tst_hint(&err, "a", "b", "c"), -(int)TST_DENIED);
    assert_int_equal(tst_hint(&err, NULL, "B", NULL), -(int)TST_DENIED);
    assert_string_equal(err->reason, "nonce-used");
    assert_string_equal(err->expected, "a");
    assert_string_equal(err->found, "B");
    assert_string_equal(err->fix, "c");
}

static void new_failure_may_quote_the_one_it_replaces(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    tst_fail(&err, TST_USAGE, "first");
    tst_reason(&err, "old-word");
    tst_fail(&err, TST_DENIED, "after %s", err->text);
    assert_string_equal(err->text, "after first");
    assert_int_equal(err->code, TST_DENIED);
    assert_null(err->reason);
    tst_wrap(&err, "%s", err->text);
    assert_string_equal(err->text, "after first: after first");
    tst_hint(&err, err->text, NULL, NULL);
    tst_hint(&err, err->expected, err->expected, NULL);
    assert_string_equal(err->found, "after first: after first");
}

static void formatted_bytes_cannot_drive_a_terminal_or_break_json(void **state)
{
    (void)state;
    static const struct {
        const char *input, *text;
    } rows[] = {
        {"a\x1b[31mb", "a?[31mb"},
        {"two\nlines\tand tab\r", "two lines and tab?"},
        {"del\x7f", "del?"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"c1 \xc2\x9b", "c1 ??"},
        {"cut \xe2\x82", "cut ??"},
        {"overlong \xc0\xaf", "overlong ??"},
        {"overlong \xe0\x80\xaf", "overlong ???"},
        {"surrogate \xed\xa0\x80", "surrogate ???"},
        {"beyond \xf4\x90\x80\x80", "beyond ????"},
        {"lone \x80\xff", "lone ??"},
    };
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        TST_AUTO_ERROR err = NULL;
        tst_fail(&err, TST_USAGE, "%s", rows[i].input);
        tst_hint(&err, rows[i].input, rows[i].input, rows[i].input);
        tst_reason(&err, rows[i].input);
        assert_string_equal(err->text, rows[i].text);
        assert_string_equal(err->expected, rows[i].text);
        assert_string_equal(err->found, rows[i].text);
        assert_string_equal(err->fix, rows[i].text);
        assert_string_equal(err->reason, rows[i].text);
        TST_AUTO_JSON json = json_string(err->text);
        assert_non_null(json);
    }
}

static void every_code_has_its_statuses(void **state)
{
    (void)state;
    static const struct {
        enum tst_code code;
        int exit_status, http_status;
    } rows[] = {{TST_OK, 0, 200},          {TST_REFUTED, 1, 403},    {TST_USAGE, 2, 400},
                {TST_UNDECIDABLE, 3, 409}, {TST_DENIED, 4, 403},     {TST_UNREACHABLE, 5, 503},
                {TST_NOT_FOUND, 2, 404},   {TST_TOO_LARGE, 2, 413},  {TST_INTERNAL, 70, 500}};
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        assert_int_equal(tst_exit_status(rows[i].code), rows[i].exit_status);
        assert_int_equal(tst_http_status(rows[i].code), rows[i].http_status);
        assert_true(strlen(tst_code_text(rows[i].code)) > 0);
    }
}

static void a_code_from_nowhere_counts_as_internal(void **state)
{
    (void)state;
    assert_int_equal(tst_exit_status((enum tst_code)99), 70);
    assert_int_equal(tst_http_status((enum tst_code)-1), 500);
    assert_string_equal(tst_code_text((enum tst_code)99), tst_code_text(TST_INTERNAL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origin_sets_code_and_text),
        cmocka_unit_test(contexts_read_outside_in),
        cmocka_unit_test(null_err_still_reports_the_code),
        cmocka_unit_test(nothing_to_decorate_is_an_internal_error),
        cmocka_unit_test(hint_and_reason_replace_only_what_is_given),
        cmocka_unit_test(new_failure_may_quote_the_one_it_replaces),
        cmocka_unit_test(formatted_bytes_cannot_drive_a_terminal_or_break_json),
        cmocka_unit_test(every_code_has_its_statuses),
        cmocka_unit_test(a_code_from_nowhere_counts_as_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
