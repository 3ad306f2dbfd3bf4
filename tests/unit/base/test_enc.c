/* SPDX-License-Identifier: Apache-2.0 */
/* unit/base/test_enc.c - hex and base64url: known answers (RFC 4648 section 10), round trips, one spelling a value. */
#include "unit.h"

static void hex_prints_and_reads(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    uint8_t bytes[4];
    char text[9];
    assert_done(tst_unhex("00fFA53c", bytes, 4, &err), err);
    assert_memory_equal(bytes, "\x00\xff\xa5\x3c", 4);
    tst_hex(bytes, 4, text);
    assert_string_equal(text, "00ffa53c");
    tst_hex(NULL, 0, text);
    assert_string_equal(text, "");
    assert_done(tst_unhex("", bytes, 0, &err), err);
}

static void hex_of_another_length_or_alphabet_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "0", "000", "00000", "000000", "0g00", "00 0", " 000", "0x00", "000\n", "+000",
                                        "\xff\xff\xff\xff"};
    for (size_t i = 0; i < TST_COUNT(wrong); i++) {
        TST_AUTO_ERROR err = NULL;
        uint8_t bytes[2] = {0};
        assert_refused(tst_unhex(wrong[i], bytes, 2, &err), TST_USAGE, err, "hex: ");
        assert_true(tst_is_zero(bytes, 2));
    }
}

static void hex_refusal_does_not_quote_its_input(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    uint8_t bytes[8];
    tst_unhex("5ec7e75ec7e75e!!", bytes, 8, &err);
    assert_null(strstr(err->text, "5ec7"));
}

static const struct {
    const char *bytes, *text;
} known[] = {
    {"", ""},           {"f", "Zg"},           {"fo", "Zm8"},       {"foo", "Zm9v"}, {"foob", "Zm9vYg"},
    {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xff\xff\xfe", "___-"},
};

static void base64url_known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(known); i++) {
        TST_AUTO_ERROR err = NULL;
        size_t n = strlen(known[i].bytes), found = 99;
        TST_AUTO_STR text = tst_b64url(known[i].bytes, n);
        assert_string_equal(text, known[i].text);
        uint8_t *bytes = NULL;
        assert_done(tst_unb64url(text, n, &bytes, &found, &err), err);
        assert_non_null(bytes);
        assert_int_equal(found, n);
        assert_memory_equal(bytes, known[i].bytes, n);
        free(bytes);
        uint8_t fixed[8];
        assert_done(tst_unb64url_fixed(text, fixed, n, &err), err);
        assert_memory_equal(fixed, known[i].bytes, n);
    }
}

static void base64url_round_trips_at_every_length(void **state)
{
    (void)state;
    uint8_t bytes[300], back[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 151 + 7);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        TST_AUTO_STR text = tst_b64url(bytes, n);
        assert_int_equal(strlen(text), (n * 4 + 2) / 3);
        assert_int_equal(tst_unb64url_fixed(text, back, n, NULL), 0);
        assert_memory_equal(back, bytes, n);
    }
}

static void base64url_second_spellings_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "Zg==", "Zg=", "Zm8=",            /* padding */
        "Zh", "Zn", "Zv", "Zm9",  "Zm-",  /* unused bits set */
        "Zm9vYg\n", " Zm9v", "Zm 9v",     /* white space */
        "Zm+v", "Zm/v",                   /* the other alphabet */
        "Z", "Zm9vY",                     /* no value has this length */
        "Zm9\xc3", "Zm9.",
    };
    for (size_t i = 0; i < TST_COUNT(wrong); i++) {
        TST_AUTO_ERROR err = NULL;
        uint8_t *bytes = NULL, fixed[8] = {0};
        size_t n = 0;
        assert_refused(tst_unb64url(wrong[i], 100, &bytes, &n, &err), TST_USAGE, err, "base64url: ");
        assert_null(bytes);
        assert_int_equal(n, 0);
        for (size_t want = 0; want <= sizeof fixed; want++)
            assert_int_equal(tst_unb64url_fixed(wrong[i], fixed, want, NULL), -(int)TST_USAGE);
        assert_true(tst_is_zero(fixed, sizeof fixed));
    }
}

static void base64url_limit_is_exact(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    uint8_t *bytes = NULL, fixed[8];
    size_t n = 0;
    assert_refused(tst_unb64url("Zm9vYmFy", 5, &bytes, &n, &err), TST_TOO_LARGE, err, "6 bytes, at most 5");
    assert_refused(tst_unb64url_fixed("Zm9vYmFy", fixed, 5, &err), TST_USAGE, err, "expected 5 bytes, found 6");
    assert_refused(tst_unb64url_fixed("Zm9vYmFy", fixed, 7, &err), TST_USAGE, err, "expected 7 bytes, found 6");
}

/* Of all one-bit changes of a text, none reads as the same bytes. */
static void other_text_is_other_bytes(const uint8_t *p, size_t n, void *ctx)
{
    uint8_t bytes[4];
    char text[7] = {0};
    memcpy(text, p, n);
    if (tst_unb64url_fixed(text, bytes, 4, NULL) == 0)
        assert_memory_not_equal(bytes, ctx, 4);
}

static void every_bit_flip_of_base64url_is_refused_or_another_value(void **state)
{
    (void)state;
    uint8_t bytes[] = {0xde, 0xad, 0xbe, 0xef};
    TST_AUTO_STR text = tst_b64url(bytes, sizeof bytes);
    each_bit_flip(text, strlen(text), other_text_is_other_bytes, bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_prints_and_reads),
        cmocka_unit_test(hex_of_another_length_or_alphabet_is_refused),
        cmocka_unit_test(hex_refusal_does_not_quote_its_input),
        cmocka_unit_test(base64url_known_answers),
        cmocka_unit_test(base64url_round_trips_at_every_length),
        cmocka_unit_test(base64url_second_spellings_are_refused),
        cmocka_unit_test(base64url_limit_is_exact),
        cmocka_unit_test(every_bit_flip_of_base64url_is_refused_or_another_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
