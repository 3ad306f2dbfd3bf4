/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy.c - the policy file: what is not understood is refused with its place, what is not said denies, and the
 * resolved JSON is the same policy again. */
#include "evidence.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOT "1111111111111111111111111111111111111111111111111111111111111111"
#define ROOT_LIST "- 1111111111111111111111111111111111111111111111111111111111111111\n" /* ROOT in a file of its own */
#define DIGEST "aa" "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
#define DIGEST2 "bb" "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"

static int parse(const char *text, struct tst_policy **out, struct tst_error **err)
{
    return tst_policy_parse("p.yaml", text, strlen(text), NULL, NULL, out, err);
}

static char *resolved(const char *text)
{
    TST_AUTO_POLICY p = NULL;
    TST_AUTO_JSON j = NULL;
    TST_AUTO_ERROR err = NULL;
    if (parse(text, &p, &err) < 0)
        fail_msg("%s", err->text);
    assert_int_equal(tst_policy_json(p, &j, NULL), 0);
    return json_dumps(j, JSON_SORT_KEYS | JSON_COMPACT);
}

static void what_is_not_said_denies(void **state)
{
    (void)state;
    TST_AUTO_STR text = resolved("name: empty\n");
    assert_string_equal(text, "{\"chips\":[],\"crl\":{\"max-age-d\":60,\"mode\":\"require\"},"
                              "\"guest-policy\":{\"debug\":\"deny\",\"migration-agent\":\"deny\"},\"level\":\"measured\","
                              "\"measurements\":[],\"name\":\"empty\",\"products\":[],\"simulated\":{\"allow\":[]},"
                              "\"tcb\":{},\"vmpl\":0}");
}

static const char everything[] =
    "name: sealed\n"
    "level: firmware\n"
    "simulated: {allow: [" ROOT "]}\n"
    "products: [turin, genoa, milan]\n"
    "measurements:\n"
    "  - {name: one, digest: " DIGEST ", until: 2027-01-01, acpi: confined, level: firmware}\n"
    "  - {name: two two, digest: " DIGEST2 "}\n"
    "tcb:\n"
    "  genoa: {bootloader: 10, tee: 0, snp: 27, microcode: 86}\n"
    "  turin: {fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 81}\n"
    "  milan: [{family: 25, models: [0, 15], steppings: [0, 1], bootloader: 4, tee: 0, snp: 27, microcode: 219}]\n"
    "guest-policy: {debug: allow, migration-agent: allow}\n"
    "vmpl: 1\n"
    "chips: [\"0102030405060708\"]\n"
    "crl: {mode: off, max-age-d: 7}\n";

static void the_resolved_json_is_the_same_policy(void **state)
{
    (void)state;
    static const char *const texts[] = {everything, "name: floors\nfloors: 2026-11\n", "name: empty\n"};
    for (size_t i = 0; i < TST_COUNT(texts); i++) {
        TST_AUTO_STR first = resolved(texts[i]);
        TST_AUTO_STR second = resolved(first);
        assert_string_equal(first, second);
    }
}

static void every_value_arrives(void **state)
{
    (void)state;
    TST_AUTO_STR text = resolved(everything);
    static const char *const parts[] = {
        "\"level\":\"firmware\"",
        "\"simulated\":{\"allow\":[\"" ROOT "\"]}",
        "\"products\":[\"milan\",\"genoa\",\"turin\"]",
        "{\"acpi\":\"confined\",\"digest\":\"" DIGEST "\",\"level\":\"firmware\",\"name\":\"one\",\"until\":\"2027-01-01T00:00:00Z\"}",
        "{\"acpi\":\"trusts-host\",\"digest\":\"" DIGEST2 "\",\"level\":\"measured\",\"name\":\"two two\"}",
        "\"genoa\":{\"bootloader\":10,\"microcode\":86,\"snp\":27,\"tee\":0}",
        "\"turin\":{\"bootloader\":1,\"fmc\":1,\"microcode\":81,\"snp\":4,\"tee\":1}",
        "\"milan\":[{\"bootloader\":4,\"family\":25,\"microcode\":219,\"models\":[0,15],\"snp\":27,\"steppings\":[0,1],\"tee\":0}]",
        "\"guest-policy\":{\"debug\":\"allow\",\"migration-agent\":\"allow\"}",
        "\"vmpl\":1",
        "\"chips\":[\"010203040506070800000000000000000000000000000000000000000000000000000000",
        "\"crl\":{\"max-age-d\":7,\"mode\":\"off\"}",
    };
    for (size_t i = 0; i < TST_COUNT(parts); i++)
        if (!strstr(text, parts[i]))
            fail_msg("%s is not in %s", parts[i], text);
}

static void name_and_level_are_told(void **state)
{
    (void)state;
    TST_AUTO_POLICY p = NULL;
    assert_int_equal(parse(everything, &p, NULL), 0);
    assert_string_equal(tst_policy_name(p), "sealed");
    assert_int_equal(tst_policy_level(p), TST_LEVEL_FIRMWARE);
}

struct refused {
    const char *text, *place, *says;
};

static void what_is_not_understood_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        {"level: measured\n", "p.yaml:1:", "name"},
        {"name: Sealed\n", "p.yaml:1:", "name"},
        {"name: a\nmeasurment: []\n", "p.yaml:2:", "measurment"},
        {"name: a\nname: b\n", "p.yaml:2:", "name"},
        {"name: a\nlevel: high\n", "p.yaml:2:", "measured"},
        {"name: a\nlevel: [measured]\n", "p.yaml:2:", "expected"},
        {"name: a\nproducts: genoa\n", "p.yaml:2:", "list"},
        {"name: a\nproducts: [genoa, naples]\n", "p.yaml:2:", "naples"},
        {"name: a\nproducts: [unknown]\n", "p.yaml:2:", "unknown"},
        {"name: a\nsimulated: true\n", "p.yaml:2:", "map"},
        {"name: a\nsimulated: {allow: true}\n", "p.yaml:2:", "list"},
        {"name: a\nsimulated: {}\n", "p.yaml:2:", "allow"},
        {"name: a\nsimulated: {allow: [abc]}\n", "p.yaml:2:", ""},
        {"name: a\nsimulated: {allow: [429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831]}\n", "p.yaml:2:", "AMD"},
        {"name: a\nmeasurements: [{name: x}]\n", "p.yaml:2:", "digest"},
        {"name: a\nmeasurements: [{digest: " DIGEST "}]\n", "p.yaml:2:", "name"},
        {"name: a\nmeasurements: [{name: x, digest: 00}]\n", "p.yaml:2:", ""},
        {"name: a\nmeasurements:\n  - {name: x, digest: " DIGEST "}\n  - {name: y, digest: " DIGEST "}\n", "p.yaml:4:", "'x'"},
        {"name: a\nmeasurements: [{name: x, digest: " DIGEST ", until: soon}]\n", "p.yaml:2:", ""},
        {"name: a\nmeasurements: [{name: x, digest: " DIGEST ", acpi: yes}]\n", "p.yaml:2:", "confined"},
        {"name: a\nmeasurements: [{name: x, digest: " DIGEST ", level: none}]\n", "p.yaml:2:", "firmware"},
        {"name: a\nmeasurements: [{name: \"\\e[2J\", digest: " DIGEST "}]\n", "p.yaml:2:", "printable"},
        {"name: a\nmeasurements: {include: refs.yaml}\n", "p.yaml:2:", "include"},
        {"name: a\nmeasurements: {includes: refs.yaml}\n", "p.yaml:2:", "includes"},
        {"name: a\ntcb: {genoa: {bootloader: 10, tee: 0, snp: 27}}\n", "p.yaml:2:", "microcode"},
        {"name: a\ntcb: {genoa: {fmc: 1, bootloader: 10, tee: 0, snp: 27, microcode: 1}}\n", "p.yaml:2:", "fmc"},
        {"name: a\ntcb: {turin: {bootloader: 10, tee: 0, snp: 27, microcode: 1}}\n", "p.yaml:2:", "fmc"},
        {"name: a\ntcb: {genoa: {bootloader: 256, tee: 0, snp: 27, microcode: 1}}\n", "p.yaml:2:", "255"},
        {"name: a\ntcb: {genoa: {bootloader: -1, tee: 0, snp: 27, microcode: 1}}\n", "p.yaml:2:", "number"},
        {"name: a\ntcb: {rome: {}}\n", "p.yaml:2:", "rome"},
        {"name: a\ntcb: {milan: [{family: 25, models: [2, 1], steppings: [0, 1], bootloader: 4, tee: 0, snp: 1, microcode: 1}]}\n",
         "p.yaml:2:", "first <= last"},
        {"name: a\ntcb: {milan: [{family: 25, models: [1], steppings: [0, 1], bootloader: 4, tee: 0, snp: 1, microcode: 1}]}\n",
         "p.yaml:2:", "[first, last]"},
        {"name: a\ntcb: {milan: [{family: 0, models: [1, 1], steppings: [0, 1], bootloader: 4, tee: 0, snp: 1, microcode: 1}]}\n",
         "p.yaml:2:", "family"},
        {"name: a\nfloors: 2020-01\n", "p.yaml:2:", "2026-11"},
        {"name: a\nfloors: 2026-11\ntcb: {}\n", "p.yaml:3:", "one of the two"},
        {"name: a\ntcb: {genoa: {bootloader: 1, tee: 0, snp: 1, microcode: 1}}\nfloors: 2026-11\n", "p.yaml:3:", "one of the two"},
        {"name: a\nguest-policy: {debug: maybe}\n", "p.yaml:2:", "allow"},
        {"name: a\nguest-policy: {smt: deny}\n", "p.yaml:2:", "smt"},
        {"name: a\nvmpl: 4\n", "p.yaml:2:", "3"},
        {"name: a\nchips: [1234]\n", "p.yaml:2:", ""},
        {"name: a\nchips: [\"0000000000000000\"]\n", "p.yaml:2:", "masked"},
        {"name: a\ncrl: off\n", "p.yaml:2:", "map"},
        {"name: a\ncrl: {max-age-d: 3}\n", "p.yaml:2:", "mode"},
        {"name: a\ncrl: {mode: maybe}\n", "p.yaml:2:", "require"},
        {"- name: a\n", "p.yaml:1:", "map"},
        {"", "", ""},
    };
    for (size_t i = 0; i < TST_COUNT(cases); i++) {
        TST_AUTO_POLICY p = NULL;
        TST_AUTO_ERROR err = NULL;
        int rc = parse(cases[i].text, &p, &err);
        if (rc == 0)
            fail_msg("accepted: %s", cases[i].text);
        assert_true(rc == -TST_USAGE || rc == -TST_TOO_LARGE);
        if (!strstr(err->text, cases[i].place) || !strstr(err->text, cases[i].says))
            fail_msg("'%s' does not say %s and '%s', for:\n%s", err->text, cases[i].place, cases[i].says, cases[i].text);
        assert_null(p);
    }
}

/* ---- includes ---- */
static int include_one(void *ctx, const char *path, char **text, size_t *n, struct tst_error **err)
{
    const char *const *files = ctx; /* path, text, path, text, ..., NULL */
    for (; *files; files += 2)
        if (strcmp(files[0], path) == 0) {
            *text = strdup(files[1]);
            assert_non_null(*text);
            *n = strlen(*text);
            return 0;
        }
    return tst_fail(err, TST_NOT_FOUND, "%s: no such file", path);
}

static int parse_with(const char *text, const char *const *files, struct tst_policy **out, struct tst_error **err)
{
    return tst_policy_parse("p.yaml", text, strlen(text), include_one, (void *)(uintptr_t)files, out, err);
}

static const char including[] = "name: a\nsimulated: {allow: {include: root.yaml}}\nmeasurements: {include: refs/a.yaml}\n";

static void includes_are_resolved(void **state)
{
    (void)state;
    static const char references[] = "- {name: x, digest: " DIGEST "}\n";
    static const char *const files[] = {"root.yaml", ROOT_LIST, "refs/a.yaml", references, NULL};
    TST_AUTO_POLICY p = NULL;
    TST_AUTO_JSON j = NULL;
    assert_int_equal(parse_with(including, files, &p, NULL), 0);
    assert_int_equal(tst_policy_json(p, &j, NULL), 0);
    TST_AUTO_STR got = json_dumps(j, JSON_SORT_KEYS | JSON_COMPACT);
    TST_AUTO_STR written = resolved("name: a\nsimulated: {allow: [" ROOT "]}\nmeasurements: [{name: x, digest: " DIGEST "}]\n");
    assert_string_equal(got, written);
}

static void errors_in_included_files_name_both_files(void **state)
{
    (void)state;
    static const char *const missing[] = {"root.yaml", ROOT_LIST, NULL};
    static const char *const wrong[] = {"root.yaml", ROOT_LIST, "refs/a.yaml", "\n- {name: x}\n", NULL};
    static const char *const map[] = {"root.yaml", "allow: []\n", NULL};
    static const char *const nested[] = {"root.yaml", "{include: root.yaml}\n", NULL};
    static const struct {
        const char *const *files;
        const char *place;
    } cases[] = {{missing, "p.yaml:3:"}, {wrong, "refs/a.yaml:2:"}, {map, "root.yaml:1:"}, {nested, "root.yaml:1:"}};
    for (size_t i = 0; i < TST_COUNT(cases); i++) {
        TST_AUTO_POLICY p = NULL;
        TST_AUTO_ERROR err = NULL;
        assert_true(parse_with(including, cases[i].files, &p, &err) < 0);
        if (!strstr(err->text, cases[i].place))
            fail_msg("'%s' does not say %s", err->text, cases[i].place);
    }
}

static void too_many_entries_are_refused(void **state)
{
    (void)state;
    TST_AUTO_BUF text = {.max = 1024 * 1024};
    TST_AUTO_POLICY p = NULL;
    TST_AUTO_ERROR err = NULL;
    tst_buf_printf(&text, NULL, "name: a\nsimulated:\n  allow:\n");
    for (unsigned i = 0; i < 65; i++)
        tst_buf_printf(&text, NULL, "  - %064x\n", i + 1);
    assert_int_equal(tst_policy_parse("p.yaml", (const char *)text.p, text.n, NULL, NULL, &p, &err), -TST_TOO_LARGE);
    assert_non_null(strstr(err->text, "64"));
}

/* ---- levels, documentation ---- */
static void level_names_go_both_ways(void **state)
{
    (void)state;
    for (enum tst_level l = TST_LEVEL_NONE; l <= TST_LEVEL_MEASURED; l++) {
        enum tst_level back = TST_LEVEL_NONE;
        assert_true(tst_level_of(tst_level_name(l), &back));
        assert_int_equal(back, l);
    }
    enum tst_level untouched = TST_LEVEL_FIRMWARE;
    assert_false(tst_level_of("Measured", &untouched));
    assert_int_equal(untouched, TST_LEVEL_FIRMWARE);
    assert_string_equal(tst_level_name((enum tst_level)99), "none");
}

static void the_documentation_lists_every_check_in_order(void **state)
{
    (void)state;
    static char page[64 * 1024];
    FILE *f = fopen(SOURCE_ROOT "/docs/checks.md", "rb");
    if (!f) {
        fail_msg("no docs/checks.md");
        return;
    }
    size_t n = fread(page, 1, sizeof page - 1, f), count = 0;
    fclose(f);
    page[n] = '\0';
    const struct tst_check_info *infos = tst_checks(&count);
    const char *at = page;
    for (size_t i = 0; i < count; i++) {
        TST_AUTO_STR row = tst_strdup_printf("\n| `%s` | %s | %s | %s |", infos[i].id, infos[i].meaning, infos[i].source,
                                             infos[i].authenticity ? "1" : "4");
        const char *found = strstr(at, row);
        if (!found)
            fail_msg("docs/checks.md lacks, in this order: %s", row);
        else
            at = found;
    }
}

static void check_ids_are_unique(void **state)
{
    (void)state;
    size_t count = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(infos[i].id, infos[k].id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_denies),
        cmocka_unit_test(the_resolved_json_is_the_same_policy),
        cmocka_unit_test(every_value_arrives),
        cmocka_unit_test(name_and_level_are_told),
        cmocka_unit_test(what_is_not_understood_is_refused_with_its_place),
        cmocka_unit_test(includes_are_resolved),
        cmocka_unit_test(errors_in_included_files_name_both_files),
        cmocka_unit_test(too_many_entries_are_refused),
        cmocka_unit_test(level_names_go_both_ways),
        cmocka_unit_test(the_documentation_lists_every_check_in_order),
        cmocka_unit_test(check_ids_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
