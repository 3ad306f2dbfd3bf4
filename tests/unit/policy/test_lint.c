/* SPDX-License-Identifier: Apache-2.0 */
/* test_lint.c - each thing that lint warns of is found, at its key, and a policy without it is left alone. The shipped
 * floors carry date and source. */
#include "evidence.h"

#include <stdio.h>
#include <stdlib.h>

#define DIGEST "d1ce0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000005e"
#define ROOT "1111111111111111111111111111111111111111111111111111111111111111"

/* A policy of which nothing is to be said, line by line. */
static const char *const clean_lines[] = {
    "name: clean",
    "level: measured",
    "products: [genoa]",
    "measurements: [{name: image, digest: d1ce0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000005e, until: 2027-06-30}]",
    "floors: 2026-11",
    "platform-info: {must-set: [alias-check-complete]}",
    "chips: [\"0102030405060708\"]",
};

struct found {
    struct tst_policy_remark *list;
    size_t count;
};
static void found_clear(struct found *f)
{
    tst_policy_remarks_free(f->list, f->count);
}
#define FOUND __attribute__((cleanup(found_clear))) struct found

/* Lints the clean policy with `line` in the place of the line of the same key. */
static void lint(struct found *f, const char *line)
{
    TST_AUTO_BUF text = {0};
    TST_AUTO_POLICY p = NULL;
    TST_AUTO_ERROR err = NULL;
    size_t key = strcspn(line, ":");
    bool floors = strncmp(line, "tcb:", 4) == 0;
    for (size_t i = 0; i < TST_COUNT(clean_lines); i++) {
        bool replaced = (key && strncmp(clean_lines[i], line, key + 1) == 0) || (floors && strncmp(clean_lines[i], "floors", 6) == 0);
        if (!replaced)
            assert_int_equal(tst_buf_printf(&text, NULL, "%s\n", clean_lines[i]), 0);
    }
    assert_int_equal(tst_buf_printf(&text, NULL, "%s\n", line), 0);
    if (tst_policy_parse("p.yaml", (const char *)text.p, text.n, NULL, NULL, &p, &err) < 0)
        fail_msg("%s", err->text);
    assert_int_equal(tst_policy_lint(p, EVIDENCE_NOW, &f->list, &f->count, NULL), 0);
}

static void a_clean_policy_has_no_remarks(void **state)
{
    (void)state;
    FOUND f = {NULL, 0};
    lint(&f, "");
    if (f.count)
        fail_msg("%s", f.list[0].text);
}

static void each_opening_is_remarked_at_its_key(void **state)
{
    (void)state;
    static const struct {
        const char *line, *key, *says;
    } cases[] = {
        {"level: firmware", "level", "does not withstand the operator"},
        {"simulated: {allow: [" ROOT "]}", "simulated", "no hardware"},
        {"products: []", "products", "nothing is accepted"},
        {"products: [turin, milan]", "products", "milan"},
        {"measurements: []", "measurements", "nothing is accepted"},
        {"measurements: [{name: old image, digest: " DIGEST ", until: 2026-11-22}]", "measurements", "old image expired at 2026-11-22"},
        {"measurements: [{name: image, digest: " DIGEST ", until: 2026-12-01}]", "measurements", "expires soon"},
        {"tcb: {}", "tcb", "no TCB floor for genoa"},
        {"tcb: {genoa: {bootloader: 10, tee: 0, snp: 26, microcode: 255}}", "tcb", "set 2026-11 has"},
        {"tcb: {genoa: {bootloader: 0, tee: 0, snp: 27, microcode: 85}}", "tcb", "microcode 86"},
        {"firmware: {provisional: allow}", "firmware", "roll it back"},
        {"guest-policy: {debug: allow}", "guest-policy", "the host can read"},
        {"guest-policy: {migration-agent: allow}", "guest-policy", "export"},
        {"guest-policy: {unknown-bits: allow}", "guest-policy", "not known"},
        {"platform-info: {must-set: [ecc]}", "platform-info", "BadRAM"},
        {"vmpl: [0, 1]", "vmpl", "VMPL other than 0"},
        {"chips: []", "chips", "any chip"},
        {"crl: {mode: off}", "crl", "unnoticed"},
        {"crl: {mode: if-present}", "crl", "where there is no CRL"},
        {"vlek: allow", "vlek", "names a provider"},
        {"rules: {platform-info: warn}", "rules", "policy.platform-info only warns"},
    };
    for (size_t i = 0; i < TST_COUNT(cases); i++) {
        FOUND f = {NULL, 0};
        bool said = false;
        lint(&f, cases[i].line);
        for (size_t k = 0; k < f.count; k++) {
            said = said || (strcmp(f.list[k].key, cases[i].key) == 0 && strstr(f.list[k].text, cases[i].says));
            assert_non_null(f.list[k].advice);
        }
        if (!said)
            fail_msg("%s: %zu remarks, first %s", cases[i].line, f.count, f.count ? f.list[0].text : "none");
    }
}

static void one_change_gives_one_remark(void **state)
{
    (void)state;
    static const char *const lines[] = {"level: firmware", "chips: []", "crl: {mode: off}", "vmpl: 1",
                                        "tcb: {genoa: {bootloader: 0, tee: 0, snp: 27, microcode: 85}}"};
    for (size_t i = 0; i < TST_COUNT(lines); i++) {
        FOUND f = {NULL, 0};
        lint(&f, lines[i]);
        if (f.count != 1)
            fail_msg("%s: %zu remarks", lines[i], f.count);
    }
}

/* What `tcb` writes out per CPU is compared per CPU: Genoa-X's microcode numbers are lower than Genoa's. */
static void the_newest_set_written_out_is_not_below_itself(void **state)
{
    (void)state;
    TST_AUTO_POLICY p = NULL, again = NULL;
    TST_AUTO_JSON j = NULL;
    FOUND f = {NULL, 0};
    static const char text[] = "name: a\nproducts: [genoa, turin]\nfloors: 2026-11\n";
    assert_int_equal(tst_policy_parse("p", text, strlen(text), NULL, NULL, &p, NULL), 0);
    assert_int_equal(tst_policy_json(p, &j, NULL), 0);
    TST_AUTO_STR resolved = json_dumps(j, 0);
    assert_int_equal(tst_policy_parse("p", resolved, strlen(resolved), NULL, NULL, &again, NULL), 0);
    assert_int_equal(tst_policy_lint(again, EVIDENCE_NOW, &f.list, &f.count, NULL), 0);
    for (size_t i = 0; i < f.count; i++)
        assert_string_not_equal(f.list[i].key, "tcb");
}

static void every_shipped_floor_has_its_date_and_source(void **state)
{
    (void)state;
    size_t count = 0;
    const struct tst_floor_row *rows = tst_floor_rows(&count);
    assert_true(count > 0);
    bool newest = false;
    for (size_t i = 0; i < count; i++) {
        time_t t = 0;
        assert_int_equal(tst_time_parse(rows[i].date, &t, NULL), 0);
        assert_ptr_equal(strstr(rows[i].source, "https://"), rows[i].source);
        assert_int_equal(tst_snp_product_of_cpuid(rows[i].family, rows[i].model_first), rows[i].product);
        assert_int_equal(tst_snp_product_of_cpuid(rows[i].family, rows[i].model_last), rows[i].product);
        newest = newest || strcmp(rows[i].set, tst_floor_newest()) == 0;
    }
    assert_true(newest);
}

/* ---- share/advisories.tsv: what the documentation promises about attacks ---- */
static size_t read_page(const char *path, char *out, size_t max)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        fail_msg("no %s", path);
        return 0;
    }
    size_t n = fread(out, 1, max - 1, f);
    fclose(f);
    out[n] = '\0';
    return n;
}

static bool is_rule(const char *id)
{
    size_t count = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(infos[i].id, id) == 0)
            return true;
    return false;
}

/* attack, advisory, rule (several by comma; "none": not attestable), what to say, date, source */
static void every_advisory_names_rules_that_exist_and_is_documented(void **state)
{
    (void)state;
    static char table[64 * 1024], page[128 * 1024];
    size_t seen = 0;
    read_page(SOURCE_ROOT "/share/advisories.tsv", table, sizeof table);
    read_page(SOURCE_ROOT "/docs/policy.md", page, sizeof page);
    char *save = NULL;
    for (char *line = strtok_r(table, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *cells[6] = {NULL}, *cell = line, *rules = NULL;
        if (line[0] == '#' || strncmp(line, "attack\t", 7) == 0)
            continue;
        for (size_t i = 0; i < TST_COUNT(cells); i++)
            cells[i] = strsep(&cell, "\t");
        assert_non_null(cells[5]);
        assert_null(cell);
        TST_AUTO_STR row = tst_strdup_printf("\n| %s | %s |", cells[0], cells[1]);
        if (!strstr(page, row))
            fail_msg("docs/policy.md lacks%s", row);
        for (char *id = strtok_r(cells[2], ",", &rules); id; id = strtok_r(NULL, ",", &rules))
            if (strcmp(id, "none") != 0 && !is_rule(id))
                fail_msg("%s: no rule %s", cells[0], id);
        seen++;
    }
    assert_true(seen >= 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_policy_has_no_remarks),
        cmocka_unit_test(each_opening_is_remarked_at_its_key),
        cmocka_unit_test(one_change_gives_one_remark),
        cmocka_unit_test(the_newest_set_written_out_is_not_below_itself),
        cmocka_unit_test(every_shipped_floor_has_its_date_and_source),
        cmocka_unit_test(every_advisory_names_rules_that_exist_and_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
