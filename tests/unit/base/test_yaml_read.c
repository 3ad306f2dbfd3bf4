/* SPDX-License-Identifier: Apache-2.0 */
/* unit/base/test_yaml_read.c - typed values and schemas out of YAML: what each reader takes, refusals with their place. */
#include "unit.h"

/* The value of "v: TEXT" (or, with a NULL text, of an empty value). */
static const struct tst_yaml *value_of(const char *text, struct tst_yaml **root)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR whole = tst_strdup_printf("v: %s\n", text);
    assert_done(tst_yaml_parse("f", whole, strlen(whole), root, &err), err);
    return (*root)->child;
}

static void strings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
    } right[] = {{"abc", "abc"}, {"17", "17"}, {"\"\"", ""}, {"'a b'", "a b"}, {"1G", "1G"}, {"|\n  two\n  lines", "two\nlines\n"}};
    for (size_t i = 0; i < TST_COUNT(right); i++) {
        TST_AUTO_ERROR err = NULL;
        TST_AUTO_YAML root = NULL;
        const char *value = NULL;
        assert_done(tst_yaml_str(value_of(right[i].text, &root), &value, &err), err);
        assert_string_equal(value, right[i].value);
    }
    static const struct {
        const char *text, *part;
    } wrong[] = {{"", "f:1:3: has no value"},
                 {"[a]", "f:1:4: expected a single value, found a list"},
                 {"{a: b}", "f:1:4: expected a single value, found a map"}};
    for (size_t i = 0; i < TST_COUNT(wrong); i++) {
        TST_AUTO_ERROR err = NULL;
        TST_AUTO_YAML root = NULL;
        const char *value = NULL;
        assert_refused(tst_yaml_str(value_of(wrong[i].text, &root), &value, &err), TST_USAGE, err, wrong[i].part);
        assert_null(value);
    }
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max, value;
    } right[] = {{"0", 0, 0}, {"255", 255, 255}, {"18446744073709551615", UINT64_MAX, UINT64_MAX}};
    for (size_t i = 0; i < TST_COUNT(right); i++) {
        TST_AUTO_ERROR err = NULL;
        TST_AUTO_YAML root = NULL;
        uint64_t value = 99;
        assert_done(tst_yaml_u64(value_of(right[i].text, &root), right[i].max, &value, &err), err);
        assert_true(value == right[i].value);
    }
    static const struct {
        const char *text, *part;
    } wrong[] = {{"256", "f:1:4: expected at most 255, found \"256\""},
                 {"18446744073709551616", "expected at most 255"},
                 {"184467440737095516160", "expected at most 255"},
                 {"-1", "expected a whole number in decimal, found \"-1\""},
                 {"+1", "expected a whole number"},
                 {"010", "expected a whole number"},
                 {"0x10", "expected a whole number"},
                 {"1.0", "expected a whole number"},
                 {"1_000", "expected a whole number"},
                 {"1e3", "expected a whole number"},
                 {"two", "expected a whole number"},
                 {"\"17\"", "expected a whole number, found a quoted text"},
                 {"\"\"", "expected a whole number, found a quoted text"},
                 {"", "has no value"},
                 {"[1]", "expected a single value"}};
    for (size_t i = 0; i < TST_COUNT(wrong); i++) {
        TST_AUTO_ERROR err = NULL;
        TST_AUTO_YAML root = NULL;
        uint64_t value = 99;
        assert_refused(tst_yaml_u64(value_of(wrong[i].text, &root), 255, &value, &err), TST_USAGE, err, wrong[i].part);
        assert_int_equal(value, 99);
    }
}

static void truths(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML yes = NULL;
    TST_AUTO_YAML no = NULL;
    bool value = false;
    assert_done(tst_yaml_bool(value_of("true", &yes), &value, &err), err);
    assert_true(value);
    assert_done(tst_yaml_bool(value_of("false", &no), &value, &err), err);
    assert_false(value);
    static const char *const wrong[] = {"yes", "no", "on", "True", "TRUE", "1", "\"true\"", "", "[true]"};
    for (size_t i = 0; i < TST_COUNT(wrong); i++) {
        TST_AUTO_YAML root = NULL;
        assert_refused(tst_yaml_bool(value_of(wrong[i], &root), &value, &err), TST_USAGE, err, "f:1:");
    }
}

static void words(void **state)
{
    (void)state;
    static const char *const levels[] = {"none", "firmware", "measured", NULL};
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML right = NULL;
    TST_AUTO_YAML wrong = NULL;
    TST_AUTO_YAML prefix = NULL;
    int level = -1;
    assert_done(tst_yaml_word(value_of("measured", &right), levels, &level, &err), err);
    assert_int_equal(level, 2);
    assert_refused(tst_yaml_word(value_of("full", &wrong), levels, &level, &err), TST_USAGE, err,
                   "f:1:4: expected one of none, firmware, measured; found \"full\"");
    assert_refused(tst_yaml_word(value_of("measure", &prefix), levels, &level, &err), TST_USAGE, err, "expected one of");
    assert_int_equal(level, 2);
}

static void hex_bytes(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML right = NULL;
    TST_AUTO_YAML decimal = NULL;
    TST_AUTO_YAML shorter = NULL;
    TST_AUTO_YAML letters = NULL;
    uint8_t bytes[2];
    assert_done(tst_yaml_hex(value_of("\"a0Ff\"", &right), bytes, 2, &err), err);
    assert_memory_equal(bytes, "\xa0\xff", 2);
    assert_done(tst_yaml_hex(value_of("0010", &decimal), bytes, 2, &err), err);
    assert_memory_equal(bytes, "\x00\x10", 2);
    assert_refused(tst_yaml_hex(value_of("a0f", &shorter), bytes, 2, &err), TST_USAGE, err, "f:1:4: hex: expected 4 digits");
    assert_refused(tst_yaml_hex(value_of("a0fx", &letters), bytes, 2, &err), TST_USAGE, err, "f:1:4: hex: character 4");
}

struct machine {
    uint64_t cores;
    const char *memory;
};

static int read_cores(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    return tst_yaml_u64(y, 1024, &((struct machine *)to)->cores, err);
}

static int read_memory(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    return tst_yaml_str(y, &((struct machine *)to)->memory, err);
}

static const struct tst_yaml_field machine_fields[] = {
    {"cores", true, read_cores},
    {"memory", false, read_memory},
};

static int machine_read(const char *text, struct tst_yaml **root, struct machine *m, struct tst_error **err)
{
    int rc = tst_yaml_parse("m.yaml", text, strlen(text), root, err);
    return rc < 0 ? rc : tst_yaml_map(*root, machine_fields, TST_COUNT(machine_fields), m, err);
}

static void schema_fills_its_struct(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML both = NULL;
    TST_AUTO_YAML one = NULL;
    struct machine m = {0};
    assert_done(machine_read("memory: 2G\ncores: 4\n", &both, &m, &err), err);
    assert_int_equal(m.cores, 4);
    assert_string_equal(m.memory, "2G");
    m = (struct machine){.memory = "default"};
    assert_done(machine_read("{cores: 1}", &one, &m, &err), err);
    assert_string_equal(m.memory, "default");
}

static void schema_refusals_name_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"cores: 1\nmemoy: 2G\n", "m.yaml:2:1: unknown key \"memoy\"; known here: cores, memory"},
        {"{cores: 1, Cores: 2}", "m.yaml:1:12: unknown key \"Cores\""},
        {"<<: {cores: 1}\ncores: 1\n", "unknown key \"<<\""},
        {"memory: 2G\n", "m.yaml:1:1: key \"cores\" is missing"},
        {"{}", "m.yaml:1:1: key \"cores\" is missing"},
        {"cores: 1\ncores: 2\n", "m.yaml:2:1: key \"cores\" appears twice, first in line 1"},
        {"cores: many\n", "m.yaml:1:8: expected a whole number"},
        {"[cores]", "m.yaml:1:1: expected a map of keys and values, found a list"},
        {"cores", "m.yaml:1:1: expected a map of keys and values, found a single value"},
    };
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        TST_AUTO_ERROR err = NULL;
        TST_AUTO_YAML root = NULL;
        struct machine m = {0};
        assert_refused(machine_read(rows[i].text, &root, &m, &err), TST_USAGE, err, rows[i].part);
    }
}

static void schema_without_keys_takes_only_an_empty_map(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML empty = NULL;
    TST_AUTO_YAML full = NULL;
    assert_done(tst_yaml_map(value_of("{}", &empty), NULL, 0, NULL, &err), err);
    assert_refused(tst_yaml_map(value_of("{a: 1}", &full), NULL, 0, NULL, &err), TST_USAGE, err, "known here: none");
}

static void fail_puts_the_place_first(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML root = NULL;
    assert_refused(tst_yaml_fail(value_of("x", &root), &err, "node %s: %d", "s1", 3), TST_USAGE, err, "f:1:4: node s1: 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),
        cmocka_unit_test(numbers),
        cmocka_unit_test(truths),
        cmocka_unit_test(words),
        cmocka_unit_test(hex_bytes),
        cmocka_unit_test(schema_fills_its_struct),
        cmocka_unit_test(schema_refusals_name_the_place),
        cmocka_unit_test(schema_without_keys_takes_only_an_empty_map),
        cmocka_unit_test(fail_puts_the_place_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
