/* SPDX-License-Identifier: Apache-2.0 */
/* unit/base/test_json.c - strict JSON: what is accepted, each refusal, limits, unpacking, mutations of a real message. */
#include "unit.h"

static const char message[] = "{\"runtime-data\":{\"instance\":\"s1\",\"nonce\":\"AAECAwQF\",\"purpose\":\"join\"},"
                              "\"evidence\":{\"snp-report\":\"_-8\",\"list\":[1,-2,3.5,true,false,null]}}";

static void objects_and_lists_are_read(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON v = NULL;
    assert_done(tst_json_parse(message, strlen(message), 0, &v, &err), err);
    json_t *data = json_object_get(v, "runtime-data");
    assert_string_equal(json_string_value(json_object_get(data, "instance")), "s1");
    TST_AUTO_JSON list = NULL;
    assert_done(tst_json_parse(" [ ] \n", 6, 0, &list, &err), err);
    assert_true(json_is_array(list));
}

static void input_need_not_be_terminated(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON v = NULL;
    assert_done(tst_json_parse("{}garbage", 2, 0, &v, &err), err);
}

static void malformed_input_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"", "JSON: line"},
        {"{", "ends too early"},
        {"{\"a\":1", "ends too early"},
        {"{} {}", "something follows the value"},
        {"{},", "something follows the value"},
        {"{\"a\":1,\"a\":2}", "a key appears twice"},
        {"{\"a\":{\"b\":1,\"b\":1}}", "a key appears twice"},
        {"{\"a\":1,\"\\u0061\":2}", "a key appears twice"},
        {"[\"\\u0000\"]", "NUL"},
        {"{\"\\u0000\":1}", "NUL"},
        {"[\"\xff\"]", "is not UTF-8"},
        {"[\"\xed\xa0\x80\"]", "is not UTF-8"},
        {"[\"\\ud800\"]", "is not well-formed"},
        {"[1e999]", "out of range"},
        {"[99999999999999999999]", "out of range"},
        {"[01]", "is not well-formed"},
        {"[+1]", "is not well-formed"},
        {"[NaN]", "is not well-formed"},
        {"[1,]", "is not well-formed"},
        {"{\"a\":1,}", "is not well-formed"},
        {"{'a':1}", "is not well-formed"},
        {"{a:1}", "is not well-formed"},
        {"// c\n{}", "is not well-formed"},
        {"[\"a\nb\"]", "line 1"},
        {"\xef\xbb\xbf{}", "is not well-formed"},
        {"\"text\"", "is not well-formed"},
        {"17", "is not well-formed"},
        {"null", "is not well-formed"},
        {"{\n\n  \"a\" 1}", "line 3"},
    };
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        TST_AUTO_ERROR err = NULL;
        json_t *v = NULL;
        assert_refused(tst_json_parse(rows[i].text, strlen(rows[i].text), 0, &v, &err), TST_USAGE, err, rows[i].part);
        assert_null(v);
    }
}

static void raw_nul_bytes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
    } rows[] = {{"{}\0", 3}, {"\0{}", 3}, {"[\"a\0b\"]", 7}, {"[1\0]", 4}};
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        TST_AUTO_ERROR err = NULL;
        json_t *v = NULL;
        assert_refused(tst_json_parse(rows[i].text, rows[i].n, 0, &v, &err), TST_USAGE, err, "JSON: ");
    }
}

static void refusals_do_not_quote_the_input(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    json_t *v = NULL;
    static const char text[] = "{\"bytes\":\"c2VjcmV0\",\"c2VjcmV0\":c2VjcmV0}";
    assert_int_equal(tst_json_parse(text, strlen(text), 0, &v, &err), -(int)TST_USAGE);
    assert_null(strstr(err->text, "c2Vjc"));
}

static void size_limit_is_exact(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON v = NULL;
    static char big[TST_JSON_MAX_BYTES + 1];
    memset(big, ' ', sizeof big);
    big[0] = '{';
    big[1] = '}';
    assert_done(tst_json_parse(big, TST_JSON_MAX_BYTES, 0, &v, &err), err);
    json_t *none = NULL;
    assert_refused(tst_json_parse(big, sizeof big, 0, &none, &err), TST_TOO_LARGE, err, "65537 bytes, at most 65536");
    assert_refused(tst_json_parse("[1]", 3, 2, &none, &err), TST_TOO_LARGE, err, "3 bytes, at most 2");
    TST_AUTO_JSON larger = NULL;
    assert_done(tst_json_parse(big, sizeof big, sizeof big, &larger, &err), err);
}

static void depth_limit_is_exact(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON v = NULL;
    json_t *none = NULL;
    static const char deepest[] = "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]";
    static const char too_deep[] = "[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]";
    assert_int_equal(strlen(deepest), 2 * TST_JSON_MAX_DEPTH);
    assert_done(tst_json_parse(deepest, strlen(deepest), 0, &v, &err), err);
    assert_refused(tst_json_parse(too_deep, strlen(too_deep), 0, &none, &err), TST_USAGE, err, "nested deeper than 16");
}

static void brackets_in_strings_are_not_depth(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON v = NULL;
    static const char text[] = "{\"a\":\"[[[[[[[[[[[[[[[[[[[[ \\\" [[[[ \\\\\",\"b\":[[]]}";
    assert_done(tst_json_parse(text, strlen(text), 0, &v, &err), err);
    /* an escaped quote does not hide what follows the string */
    static const char hidden[] = "[\"\\\"\",[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]";
    json_t *none = NULL;
    assert_refused(tst_json_parse(hidden, strlen(hidden), 0, &none, &err), TST_USAGE, err, "nested deeper");
}

static void siblings_are_not_depth(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON v = NULL;
    static const char text[] = "[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]";
    assert_done(tst_json_parse(text, strlen(text), 0, &v, &err), err);
}

static void unpack_takes_all_keys_or_refuses(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON v = NULL;
    const char *instance = NULL, *purpose = NULL;
    json_int_t wait_s = 5;
    assert_done(tst_json_parse("{\"instance\":\"s1\",\"purpose\":\"join\"}", 34, 0, &v, &err), err);
    assert_done(tst_json_unpack(v, &err, "{s:s, s:s, s?I}", "instance", &instance, "purpose", &purpose, "wait-s", &wait_s),
                err);
    assert_string_equal(instance, "s1");
    assert_string_equal(purpose, "join");
    assert_true(wait_s == 5);
    assert_refused(tst_json_unpack(v, &err, "{s:s}", "instance", &instance), TST_USAGE, err, "purpose");
    assert_refused(tst_json_unpack(v, &err, "{s:s, s:s, s:s}", "instance", &instance, "purpose", &purpose, "nonce", &purpose),
                   TST_USAGE, err, "nonce");
    assert_refused(tst_json_unpack(v, &err, "{s:i, s:s}", "instance", &wait_s, "purpose", &purpose), TST_USAGE, err,
                   "Expected integer");
    assert_refused(tst_json_unpack(v, &err, "[]"), TST_USAGE, err, "Expected array");
}

static void unpack_with_a_wrong_format_is_our_own_fault(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON v = json_object();
    assert_refused(tst_json_unpack(v, &err, "{x}"), TST_INTERNAL, err, "JSON: ");
}

static void binary_is_set_as_text(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON v = json_object();
    assert_done(tst_json_set_b64(v, "b", "\xfb\xff", 2, &err), err);
    assert_done(tst_json_set_hex(v, "h", "\xfb\xff", 2, &err), err);
    assert_done(tst_json_set_b64(v, "empty", NULL, 0, &err), err);
    assert_string_equal(json_string_value(json_object_get(v, "b")), "-_8");
    assert_string_equal(json_string_value(json_object_get(v, "h")), "fbff");
    assert_string_equal(json_string_value(json_object_get(v, "empty")), "");
    TST_AUTO_JSON list = json_array();
    assert_refused(tst_json_set_hex(list, "h", "x", 1, &err), TST_INTERNAL, err, "\"h\" cannot be set");
}

static void must_not_parse(const uint8_t *p, size_t n, void *ctx)
{
    (void)ctx;
    TST_AUTO_JSON v = NULL;
    assert_int_equal(tst_json_parse((const char *)p, n, 0, &v, NULL), -(int)TST_USAGE);
    assert_null(v);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    each_truncation(message, strlen(message), must_not_parse, NULL);
}

static void must_not_equal(const uint8_t *p, size_t n, void *ctx)
{
    TST_AUTO_JSON v = NULL;
    if (tst_json_parse((const char *)p, n, 0, &v, NULL) == 0)
        assert_false(json_equal(v, ctx));
    else
        assert_null(v);
}

static void no_bit_flip_reads_as_the_same_value(void **state)
{
    (void)state;
    TST_AUTO_JSON v = NULL;
    assert_int_equal(tst_json_parse(message, strlen(message), 0, &v, NULL), 0);
    each_bit_flip(message, strlen(message), must_not_equal, v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_and_lists_are_read),
        cmocka_unit_test(input_need_not_be_terminated),
        cmocka_unit_test(malformed_input_is_refused_with_its_place),
        cmocka_unit_test(raw_nul_bytes_are_refused),
        cmocka_unit_test(refusals_do_not_quote_the_input),
        cmocka_unit_test(size_limit_is_exact),
        cmocka_unit_test(depth_limit_is_exact),
        cmocka_unit_test(brackets_in_strings_are_not_depth),
        cmocka_unit_test(siblings_are_not_depth),
        cmocka_unit_test(unpack_takes_all_keys_or_refuses),
        cmocka_unit_test(unpack_with_a_wrong_format_is_our_own_fault),
        cmocka_unit_test(binary_is_set_as_text),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(no_bit_flip_reads_as_the_same_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
