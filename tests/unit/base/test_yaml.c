/* SPDX-License-Identifier: Apache-2.0 */
/* unit/base/test_yaml.c - YAML to a tree: shape, lines and columns, each refusal with its place, limits, mutations. */
#include "unit.h"

static int parse(const char *text, struct tst_yaml **out, struct tst_error **err)
{
    return tst_yaml_parse("demo.yaml", text, strlen(text), out, err);
}

static const char cluster[] = "# comment\n"
                              "name: demo\n"
                              "controller: {cores: 1, memory: 1G}\n"
                              "nodes:\n"
                              "  - s1\n"
                              "  - \"true\"\n"
                              "  - 'x: y'\n";

static void tree_has_shape_lines_and_columns(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML y = NULL;
    assert_done(parse(cluster, &y, &err), err);
    assert_int_equal(y->kind, TST_YAML_MAP);
    const struct tst_yaml *name = y->child, *controller = name->next, *nodes = controller->next;
    assert_null(nodes->next);
    assert_string_equal(name->key, "name");
    assert_string_equal(name->text, "demo");
    assert_int_equal(name->line, 2);
    assert_int_equal(name->column, 7);
    assert_int_equal(name->key_line, 2);
    assert_int_equal(name->key_column, 1);
    assert_string_equal(name->file, "demo.yaml");
    assert_int_equal(controller->kind, TST_YAML_MAP);
    assert_string_equal(controller->child->next->key, "memory");
    assert_int_equal(controller->child->next->key_column, 24);
    assert_int_equal(nodes->kind, TST_YAML_SEQ);
    assert_null(nodes->text);
    const struct tst_yaml *first = nodes->child, *second = first->next, *third = second->next;
    assert_null(first->key);
    assert_false(first->quoted);
    assert_true(second->quoted);
    assert_string_equal(second->text, "true");
    assert_string_equal(third->text, "x: y");
    assert_int_equal(third->line, 7);
    assert_null(third->next);
}

static void a_single_value_and_an_explicit_document_are_fine(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML one = NULL;
    TST_AUTO_YAML two = NULL;
    assert_done(parse("hello\n", &one, &err), err);
    assert_int_equal(one->kind, TST_YAML_SCALAR);
    assert_done(parse("---\na: 1\n...\n", &two, &err), err);
    assert_int_equal(two->kind, TST_YAML_MAP);
}

static void json_is_yaml(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML y = NULL;
    assert_done(parse("{\"a\": [1, {\"b\": \"c\"}]}", &y, &err), err);
    assert_string_equal(y->child->child->next->child->text, "c");
}

static void what_has_no_single_reading_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"", "demo.yaml:1:1: is empty"},
        {"# only a comment\n", "is empty"},
        {"a: &x 1\n", "demo.yaml:1:4: anchors are not accepted"},
        {"a: &x {b: 1}\n", "demo.yaml:1:4: anchors are not accepted"},
        {"a: &x [b]\n", "demo.yaml:1:4: anchors are not accepted"},
        {"&x a: 1\n", "anchors are not accepted"},
        {"a: 1\nb: *x\n", "demo.yaml:2:4: aliases are not accepted"},
        {"*x : 1\n", "aliases are not accepted"},
        {"- *x\n", "demo.yaml:1:3: aliases are not accepted"},
        {"a: !!str 1\n", "demo.yaml:1:4: tags are not accepted"},
        {"a: !t [1]\n", "tags are not accepted"},
        {"!t {a: 1}\n", "tags are not accepted"},
        {"!t a: 1\n", "tags are not accepted"},
        {"%YAML 1.1\n---\na: 1\n", "directives are not accepted"},
        {"%TAG ! tag:x,2000:\n---\na: 1\n", "directives are not accepted"},
        {"a: 1\n---\nb: 2\n", "demo.yaml:2:1: only one document is accepted"},
        {"a: 1\n...\nb: 2\n", "demo.yaml:3:1: "},
        {"a: 1\nb: 2\na: 3\n", "demo.yaml:3:1: key \"a\" appears twice, first in line 1"},
        {"x: {a: 1, \"a\": 2}\n", "demo.yaml:1:11: key \"a\" appears twice"},
        {"[a]: 1\n", "a key must be a non-empty text"},
        {"{a: 1}: 1\n", "a key must be a non-empty text"},
        {"\"\": 1\n", "a key must be a non-empty text"},
        {"? : 1\n", "demo.yaml:1:3: a key must be a non-empty text"},
        {"a: \"x\\0y\"\n", "demo.yaml:1:4: text holds a NUL character"},
        {"\"x\\0y\": 1\n", "demo.yaml:1:1: text holds a NUL character"},
        {"a: [1, 2\n", "demo.yaml:2:1: "},
        {"a: 'x\n", "demo.yaml:2:1: "},
        {"a:\n\t- 1\n", "demo.yaml:2:1: "},
        {"a: 1\n b: 2\n", "demo.yaml:2:3: "},
        {"a: 1\nb: x\xff\n", "demo.yaml:2:5: "},
        {"a: 1\nb: \x01\n", "demo.yaml:2:4: "},
        {"a: @x\n", "demo.yaml:1:4: "},
    };
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        TST_AUTO_ERROR err = NULL;
        struct tst_yaml *y = NULL;
        assert_refused(parse(rows[i].text, &y, &err), TST_USAGE, err, rows[i].part);
        assert_null(y);
    }
}

static void every_refusal_starts_with_file_line_and_column(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "a: &x 1", "[", "{a", "a: \"", "\xff", "a: 1\na: 2", "- a\nb", "%", "\x00", "?"};
    for (size_t i = 0; i < TST_COUNT(wrong); i++) {
        TST_AUTO_ERROR err = NULL;
        TST_AUTO_YAML y = NULL;
        unsigned line = 0, column = 0;
        if (parse(wrong[i], &y, &err) == 0)
            continue;
        assert_int_equal(sscanf(err->text, "demo.yaml:%u:%u: ", &line, &column), 2);
        assert_true(line >= 1 && column >= 1);
    }
}

static void raw_nul_and_utf16_are_refused(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    struct tst_yaml *y = NULL;
    assert_refused(tst_yaml_parse("f", "a: b\0c\n", 7, &y, &err), TST_USAGE, err, "f:1:5: ");
    assert_refused(tst_yaml_parse("f", "\xff\xfe" "a\0:\0", 6, &y, &err), TST_USAGE, err, "f:1:1: ");
    assert_null(y);
}

static void size_limit_is_exact(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML y = NULL;
    struct tst_yaml *none = NULL;
    static char big[TST_YAML_MAX_BYTES + 1];
    memset(big, '\n', sizeof big);
    big[0] = 'a';
    assert_done(tst_yaml_parse("f", big, TST_YAML_MAX_BYTES, &y, &err), err);
    assert_refused(tst_yaml_parse("f", big, sizeof big, &none, &err), TST_TOO_LARGE, err, "f:1:1: 1048577 bytes");
}

static void depth_limit_is_exact(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML y = NULL;
    struct tst_yaml *none = NULL;
    assert_done(parse("[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]", &y, &err), err); /* 15 lists and a value */
    assert_refused(parse("[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]", &none, &err), TST_USAGE, err, "demo.yaml:1:17: nested too deep");
    static char brackets[100000];
    memset(brackets, '[', sizeof brackets);
    assert_refused(tst_yaml_parse("f", brackets, sizeof brackets, &none, &err), TST_USAGE, err, "f:1:17: nested too deep");
}

static void number_of_values_is_limited(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML y = NULL;
    struct tst_yaml *none = NULL;
    TST_AUTO_BUF list = {0};
    for (int i = 1; i < TST_YAML_MAX_NODES; i++)
        assert_done(tst_buf_put(&list, "- a\n", 4, &err), err);
    assert_done(tst_yaml_parse("f", (const char *)list.p, list.n, &y, &err), err);
    assert_done(tst_buf_put(&list, "- a\n", 4, &err), err);
    assert_refused(tst_yaml_parse("f", (const char *)list.p, list.n, &none, &err), TST_USAGE, err,
                   "f:16384:3: has too many values");
}

static void tree_outlives_its_input(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML y = NULL;
    char file[] = "x.yaml", text[] = "a: b\n";
    assert_done(tst_yaml_parse(file, text, strlen(text), &y, &err), err);
    memset(file, '!', sizeof file - 1);
    memset(text, '!', sizeof text - 1);
    assert_string_equal(y->file, "x.yaml");
    assert_string_equal(y->child->file, "x.yaml");
    assert_string_equal(y->child->text, "b");
}

static void parse_or_refuse(const uint8_t *p, size_t n, void *ctx)
{
    (void)ctx;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML y = NULL;
    int rc = tst_yaml_parse("f", (const char *)p, n, &y, &err);
    if (rc == 0) {
        assert_non_null(y);
        assert_null(err);
    } else {
        assert_int_equal(rc, -(int)TST_USAGE);
        assert_null(y);
        assert_memory_equal(err->text, "f:", 2);
    }
}

static void mutations_are_read_or_refused_with_their_place(void **state)
{
    (void)state;
    each_truncation(cluster, strlen(cluster), parse_or_refuse, NULL);
    each_bit_flip(cluster, strlen(cluster), parse_or_refuse, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_has_shape_lines_and_columns),
        cmocka_unit_test(a_single_value_and_an_explicit_document_are_fine),
        cmocka_unit_test(json_is_yaml),
        cmocka_unit_test(what_has_no_single_reading_is_refused_with_its_place),
        cmocka_unit_test(every_refusal_starts_with_file_line_and_column),
        cmocka_unit_test(raw_nul_and_utf16_are_refused),
        cmocka_unit_test(size_limit_is_exact),
        cmocka_unit_test(depth_limit_is_exact),
        cmocka_unit_test(number_of_values_is_limited),
        cmocka_unit_test(tree_outlives_its_input),
        cmocka_unit_test(mutations_are_read_or_refused_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
