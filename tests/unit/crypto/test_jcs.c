/* SPDX-License-Identifier: Apache-2.0 */
/* unit/crypto/test_jcs.c - canonical JSON: the examples of RFC 8785 and its appendix B, and what has no canonical form. */
#include "kat.h"

static void assert_canonical(const char *json, const char *expected)
{
    struct tst_error *err = NULL;
    TST_AUTO_JSON v = json_loads(json, JSON_DECODE_ANY, NULL);
    TST_AUTO_STR text = NULL;
    size_t n;
    assert_non_null(v);
    assert_done(tst_jcs(v, &text, &n, &err), err);
    assert_string_equal(text, expected);
    assert_int_equal(n, strlen(expected));
}

static void the_example_of_section_3_2_2(void **state)
{
    (void)state;
    assert_canonical("{\"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],"
                     " \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\","
                     " \"literals\": [null, true, false]}",
                     "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
                     "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

/* The emoji (two UTF-16 units from D83D) comes before U+FB33, which its UTF-8 bytes would put the other way. */
static void members_come_in_the_order_of_utf16(void **state)
{
    (void)state;
    assert_canonical("{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}",
                     "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,"
                     "\"\xef\xac\xb3\":3}");
    assert_canonical("{\"\\ue000\":1,\"\\ud83d\\ude00\":2}", "{\"\xf0\x9f\x98\x80\":2,\"\xee\x80\x80\":1}");
    assert_canonical("{\"\\ud83d\\ude01\":1,\"\\ud83d\\ude00\":2,\"b\":3,\"aa\":4,\"a\":5,\"\":6}",
                     "{\"\":6,\"a\":5,\"aa\":4,\"b\":3,\"\xf0\x9f\x98\x80\":2,\"\xf0\x9f\x98\x81\":1}");
}

static void strings_have_the_fewest_escapes(void **state)
{
    (void)state;
    assert_canonical("\"\\u0001\\b\\t\\n\\f\\r\\u001f\\u007f\\u2028/<\"", "\"\\u0001\\b\\t\\n\\f\\r\\u001f\x7f\xe2\x80\xa8/<\"");
    assert_canonical("\"\"", "\"\"");
    assert_canonical("\"\\\\\"", "\"\\\\\"");
}

static void structure_is_kept_without_white_space(void **state)
{
    (void)state;
    assert_canonical(" [ ] ", "[]");
    assert_canonical(" { } ", "{}");
    assert_canonical("[{\"b\": [1, {\"d\": 2, \"c\": 3}], \"a\": null}]", "[{\"a\":null,\"b\":[1,{\"c\":3,\"d\":2}]}]");
}

static const struct {
    uint64_t bits;
    const char *text; /* NULL: has none */
} numbers[] = {
    {0x0000000000000000, "0"},
    {0x8000000000000000, "0"},
    {0x0000000000000001, "5e-324"},
    {0x8000000000000001, "-5e-324"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"},
    {0xffefffffffffffff, "-1.7976931348623157e+308"},
    {0x4340000000000000, "9007199254740992"},
    {0xc340000000000000, "-9007199254740992"},
    {0x4430000000000000, "295147905179352830000"},
    {0x7fffffffffffffff, NULL},
    {0x7ff0000000000000, NULL},
    {0xfff0000000000000, NULL},
    {0x44b52d02c7e14af5, "9.999999999999997e+22"},
    {0x44b52d02c7e14af6, "1e+23"},
    {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
    {0x444b1ae4d6e2ef4e, "999999999999999700000"},
    {0x444b1ae4d6e2ef4f, "999999999999999900000"},
    {0x444b1ae4d6e2ef50, "1e+21"},
    {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
    {0x3eb0c6f7a0b5ed8d, "0.000001"},
    {0x41b3de4355555553, "333333333.3333332"},
    {0x41b3de4355555554, "333333333.33333325"},
    {0x41b3de4355555555, "333333333.3333333"},
    {0x41b3de4355555556, "333333333.3333334"},
    {0x41b3de4355555557, "333333333.33333343"},
    {0xbecbf647612f3696, "-0.0000033333333333333333"},
    {0x43143ff3c1cb0959, "1424953923781206.2"},
    {0x3d30000000000000, "5.684341886080802e-14"}, /* 2^-44: the nearest 16 digits read back as its lower neighbour */
    {0x3ff0000000000000, "1"},
    {0xc05edd2f1a9fbe77, "-123.456"},
};

static void assert_number(uint64_t bits, const char *expected)
{
    struct tst_error *err = NULL;
    double value;
    memcpy(&value, &bits, sizeof value);
    TST_AUTO_JSON real = json_real(value); /* NULL for what is not finite */
    TST_AUTO_STR text = NULL;
    if (!expected) {
        assert_refused(tst_jcs(real, &text, NULL, &err), TST_USAGE, err, "canonical JSON");
        return;
    }
    assert_done(tst_jcs(real, &text, NULL, &err), err);
    assert_string_equal(text, expected);
}

static void numbers_are_printed_as_ecmascript_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(numbers); i++)
        assert_number(numbers[i].bits, numbers[i].text);
}

static void integers_beyond_2_to_the_53_are_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    char *out = NULL;
    assert_canonical("9007199254740992", "9007199254740992");
    assert_canonical("-9007199254740992", "-9007199254740992");
    const json_int_t beyond[] = {9007199254740993, -9007199254740993, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < TST_COUNT(beyond); i++) {
        TST_AUTO_JSON v = json_integer(beyond[i]);
        assert_refused(tst_jcs(v, &out, NULL, &err), TST_USAGE, err, "beyond 2^53");
    }
}

static void nothing_too_deep_and_too_long_values_are_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    char *out = NULL;
    assert_refused(tst_jcs(NULL, &out, NULL, &err), TST_USAGE, err, "no value");
    TST_AUTO_JSON deep = json_array();
    for (int i = 0; i < 40; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, deep);
        deep = outer;
    }
    assert_refused(tst_jcs(deep, &out, NULL, &err), TST_USAGE, err, "deeper");
    static char text[1024 * 1024 + 1];
    memset(text, 'x', sizeof text - 1);
    TST_AUTO_JSON longest = json_string(text);
    assert_refused(tst_jcs(longest, &out, NULL, &err), TST_TOO_LARGE, err, "");
    assert_null(out);
}

/* SHA-384 of {"a":1,"b":"x"} computed with coreutils' sha384sum. */
static void report_data_is_the_padded_sha384_of_the_canonical_form(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_JSON v = json_loads("{ \"b\": \"x\", \"a\": 1 }", 0, NULL);
    TST_AUTO_JSON bad = json_loads("{ \"a\": 9007199254740993 }", 0, NULL);
    uint8_t out[64];
    memset(out, 0xee, sizeof out);
    assert_done(tst_report_data(v, out, &err), err);
    assert_bytes(out, sizeof out, "e1b181ed05acf7f7feef1f6c1e19365e2d9918164ada6a7a2dcf840be239720c"
                                  "89f8da33647e5ad76c40a7d2938c9e9400000000000000000000000000000000");
    assert_refused(tst_report_data(bad, out, &err), TST_USAGE, err, "runtime data: canonical JSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_section_3_2_2),
        cmocka_unit_test(members_come_in_the_order_of_utf16),
        cmocka_unit_test(strings_have_the_fewest_escapes),
        cmocka_unit_test(structure_is_kept_without_white_space),
        cmocka_unit_test(numbers_are_printed_as_ecmascript_does),
        cmocka_unit_test(integers_beyond_2_to_the_53_are_refused),
        cmocka_unit_test(nothing_too_deep_and_too_long_values_are_refused),
        cmocka_unit_test(report_data_is_the_padded_sha384_of_the_canonical_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
