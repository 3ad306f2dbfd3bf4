/* SPDX-License-Identifier: Apache-2.0 */
/* test_rules.c - one row a rule: it passes; it fails, by its own id, when the fact is changed; without its line the documented
 * default holds; set to warn it passes with a warning, or the reader refuses that. */
#include "evidence.h"

#include <testudo/container.h>

#include <stdio.h>
#include <stdlib.h>

static struct maker turin, milan;
static struct tst_cert *turin_vek, *milan_vek; /* slow to issue */

static int make_makers(void **state)
{
    (void)state;
    maker_init(&turin, "Turin");
    maker_rename(&milan, &turin, "Milan");
    static const uint8_t name[] = {0x16, 8, 'M', 'i', 'l', 'a', 'n', '-', 'B', '0'};
    struct vek_exts of_turin = vek_exts_turin(), of_milan = vek_exts_genoa();
    vek_ext(&of_milan, "1.3.6.1.4.1.3704.1.2")->value = (struct tst_bytes){name, sizeof name};
    turin_vek = maker_vek(&turin, "SEV-VCEK", &of_turin);
    milan_vek = maker_vek(&milan, "SEV-VCEK", &of_milan);
    return 0;
}

static int drop_makers(void **state)
{
    (void)state;
    tst_cert_free(turin_vek);
    tst_cert_free(milan_vek);
    maker_clear(&turin);
    maker_clear(&milan);
    return 0;
}

/* ---- evidence: a version 5 report with every field in use ---- */
enum { AT_SVN = 0x04, AT_POLICY = 0x08, AT_FAMILY = 0x10, AT_IMAGE = 0x20, AT_VMPL = 0x30, AT_CURRENT = 0x38, AT_PLATFORM = 0x40,
       AT_KEY_INFO = 0x48, AT_MEASUREMENT = 0x90, AT_HOST_DATA = 0xc0, AT_ID_KEY = 0xe0, AT_AUTHOR_KEY = 0x110, AT_MA = 0x160,
       AT_COMMITTED = 0x1e0, AT_VERSION = 0x1e8, AT_COMMITTED_VERSION = 0x1ec, AT_LAUNCH = 0x1f0, AT_LAUNCH_MIT = 0x1f8,
       AT_CURRENT_MIT = 0x200 };

static void report_full(uint8_t raw[TST_SNP_REPORT_BYTES])
{
    static const uint8_t version[] = {43, 55, 1}; /* 1.55.43 */
    report_turin(raw);
    raw[AT_SVN] = 5;
    raw[AT_POLICY] = 55; /* ABI 1.55 */
    raw[AT_POLICY + 1] = 1;
    raw[AT_PLATFORM] = 0x24; /* ecc, alias-check-complete */
    raw[AT_KEY_INFO] = 1;    /* author key */
    memset(raw + AT_FAMILY, 0xfa, 16);
    memset(raw + AT_IMAGE, 0x1a, 16);
    memset(raw + AT_HOST_DATA, 0xda, 32);
    memset(raw + AT_ID_KEY, 0x1d, 48);
    memset(raw + AT_AUTHOR_KEY, 0xa0, 48);
    memcpy(raw + AT_VERSION, version, sizeof version);
    memcpy(raw + AT_COMMITTED_VERSION, version, sizeof version);
    raw[AT_LAUNCH_MIT] = raw[AT_CURRENT_MIT] = 0x06;
}

#define X16(h) h h h h h h h h h h h h h h h h
#define X32(h) X16(h) X16(h)
#define X48(h) X32(h) X16(h)
#define DIGEST "d1ce0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000005e"

/* in one piece: a list of strings must not look as if a comma were missing */
#define MEASUREMENTS "measurements: [{name: good, digest: d1ce0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000005e}]"

/* The lines that any policy needs to accept that report. %s: the maker's root. */
static const char *const base_lines[] = {
    "simulated: {allow: [%s]}",
    "products: [turin]",
    MEASUREMENTS,
    "tcb: {turin: {fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 81}}",
    "crl: {mode: off}",
};

/* ---- a rule ---- */
struct rule {
    const char *id;
    const char *line;     /* what the policy says; "": nothing can be said, the rule always holds */
    const char *bad_line; /* the policy says this instead, for what the report cannot have changed; NULL: the report changes */
    size_t offset;
    uint8_t value;
    enum tst_outcome without; /* of the changed fact, when the line is not there: the default */
    bool may_warn;
    const char *extra; /* one more line, or "" */
    enum tst_outcome changed; /* TST_CHECK_PASS here stands for the usual: TST_CHECK_FAIL */
};
#define IN_REPORT(offset, value) NULL, offset, value
#define IN_POLICY(line) line, 0, 0
#define DENIED TST_CHECK_FAIL
#define NOT_JUDGED TST_CHECK_PASS

static const struct rule rules[] = {
    {"tcb.order", "", IN_REPORT(AT_CURRENT + 3, 3), DENIED, true, "firmware: {provisional: allow}", 0},
    {"policy.product", "products: [turin]", IN_POLICY("products: [genoa]"), DENIED, true, "", 0},
    {"policy.measurement", MEASUREMENTS, IN_REPORT(AT_MEASUREMENT, 0xff), DENIED, true, "level: none", 0},
    {"policy.level", MEASUREMENTS,
     IN_POLICY("measurements: [{name: good, digest: " DIGEST ", level: firmware}]"), DENIED, false, "", 0},
    {"policy.tcb-floor", "tcb: {turin: {fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 81}}", IN_REPORT(AT_LAUNCH + 7, 80), DENIED, true, "", 0},
    {"policy.debug", "guest-policy: {debug: deny}", IN_REPORT(AT_POLICY + 2, 0x0b), DENIED, false, "", 0},
    {"policy.debug", "guest-policy: {must-clear: [debug]}", IN_REPORT(AT_POLICY + 2, 0x0b), DENIED, false, "", 0},
    {"policy.migration-agent", "guest-policy: {migration-agent: deny}", IN_REPORT(AT_POLICY + 2, 0x07), DENIED, false, "", 0},
    {"policy.migration-agent", "guest-policy: {migration-agent: deny}", IN_REPORT(AT_MA, 0), DENIED, false, "", 0},
    {"policy.vmpl", "vmpl: 0", IN_REPORT(AT_VMPL, 1), DENIED, false, "", 0},
    {"policy.vmpl", "vmpl: [0, 2]", IN_REPORT(AT_VMPL, 1), DENIED, false, "", 0},
    {"policy.chip", "chips: [\"5901020304050607\"]", IN_POLICY("chips: [\"5901020304050608\"]"), NOT_JUDGED, true, "", 0},
    {"policy.report-version", "min-report-version: 5", IN_REPORT(0, 4), NOT_JUDGED, true, "", 0},
    {"policy.firmware", "firmware: {min-current: 1.55.43}", IN_REPORT(AT_VERSION, 42), NOT_JUDGED, true,
     "", 0},
    {"policy.firmware", "firmware: {min-current: 1.55.43}", IN_REPORT(AT_VERSION + 1, 54), NOT_JUDGED, true, "", 0},
    {"policy.firmware", "firmware: {min-current: 1.55.43}", IN_REPORT(AT_VERSION + 2, 0), NOT_JUDGED, true, "", 0},
    {"policy.firmware", "firmware: {min-committed: 1.55.43}", IN_POLICY("firmware: {min-committed: 1.55.44}"), NOT_JUDGED, true, "", 0},
    {"policy.provisional-firmware", "firmware: {provisional: deny}", IN_REPORT(AT_CURRENT + 7, 82), DENIED, true, "", 0},
    {"policy.provisional-firmware", "firmware: {provisional: deny}", IN_REPORT(AT_VERSION, 44), DENIED, true, "", 0},
    {"policy.mitigations", "mitigations: {turin: {launch: [1, 2]}}", IN_REPORT(AT_LAUNCH_MIT, 0x04), NOT_JUDGED, true, "", 0},
    {"policy.mitigations", "mitigations: {turin: {current: [1, 2]}}", IN_REPORT(AT_CURRENT_MIT, 0x02), NOT_JUDGED, true, "", 0},
    {"policy.mitigations", "mitigations: {turin: {current: [1, 2]}}", IN_REPORT(0, 4), NOT_JUDGED, true, "", TST_CHECK_MISSING},
    {"policy.guest-policy", "guest-policy: {must-set: [smt]}", IN_REPORT(AT_POLICY + 2, 2), NOT_JUDGED, true, "", 0},
    {"policy.guest-policy", "guest-policy: {must-clear: [single-socket]}", IN_REPORT(AT_POLICY + 2, 0x13), NOT_JUDGED, true, "", 0},
    {"policy.guest-policy", "guest-policy: {min-abi: 1.55}", IN_REPORT(AT_POLICY, 54), NOT_JUDGED, true, "", 0},
    {"policy.guest-policy", "guest-policy: {min-abi: 1.55}", IN_REPORT(AT_POLICY + 1, 0), NOT_JUDGED, true, "", 0},
    {"policy.guest-policy", "guest-policy: {unknown-bits: deny}", IN_REPORT(AT_POLICY + 7, 0x80), DENIED, true, "", 0},
    {"policy.guest-policy", "", IN_REPORT(AT_POLICY + 2, 1), DENIED, true, "", 0}, /* bit 17 must be one */
    {"policy.platform-info", "platform-info: {must-set: [alias-check-complete]}", IN_REPORT(AT_PLATFORM, 4), NOT_JUDGED, true, "", 0},
    {"policy.platform-info", "platform-info: {must-clear: [smt]}", IN_REPORT(AT_PLATFORM, 0x25), NOT_JUDGED, true, "", 0},
    {"policy.platform-info", "platform-info: {unknown-bits: deny}", IN_REPORT(AT_PLATFORM + 1, 1), NOT_JUDGED, true, "", 0},
    {"policy.guest-svn", "min-guest-svn: 5", IN_REPORT(AT_SVN, 4), NOT_JUDGED, true, "", 0},
    {"policy.id-key", "id-block: {id-keys: [" X48("2d") ", " X48("1d") "]}", IN_REPORT(AT_ID_KEY, 0), NOT_JUDGED, true, "", 0},
    {"policy.author-key", "id-block: {author-keys: [" X48("a0") "]}", IN_REPORT(AT_AUTHOR_KEY + 47, 0), NOT_JUDGED, true, "", 0},
    {"policy.author-key", "id-block: {author-keys: [" X48("a0") "]}", IN_REPORT(AT_KEY_INFO, 0), NOT_JUDGED, true, "", 0},
    {"policy.author-key", "id-block: {author-keys: [" X48("a0") "], require: false}", IN_REPORT(AT_KEY_INFO, 0), NOT_JUDGED, true, "", 0},
    {"policy.family-id", "family-id: [" X16("fa") "]", IN_REPORT(AT_FAMILY + 15, 0), NOT_JUDGED, true, "", 0},
    {"policy.image-id", "image-id: [" X16("1a") "]", IN_REPORT(AT_IMAGE, 0), NOT_JUDGED, true, "", 0},
    {"policy.host-data", "host-data: [" X32("00") ", " X32("da") "]", IN_REPORT(AT_HOST_DATA, 0), NOT_JUDGED, true, "", 0},
};

/* ---- running one ---- */
struct run {
    struct tst_policy *policy;
    struct tst_verdict *v;
};

static void run_clear(struct run *r)
{
    tst_policy_free(r->policy);
    tst_verdict_free(r->v);
}
#define RUN __attribute__((cleanup(run_clear))) struct run

static bool same_key(const char *a, const char *b)
{
    size_t n = strcspn(a, ":");
    return n == strcspn(b, ":") && n > 0 && strncmp(a, b, n) == 0;
}

/* The base without the line of the same key as `replaced`, then `line`, `extra`, `more`. */
static void compose(char out[8192], const char *replaced, const char *line, const char *extra, const char *more)
{
    size_t n = (size_t)snprintf(out, 8192, "name: test\n");
    for (size_t i = 0; i < TST_COUNT(base_lines); i++)
        if (!same_key(base_lines[i], replaced)) {
            bool root = i == 0;
            n += root ? (size_t)snprintf(out + n, 8192 - n, "simulated: {allow: [%s]}\n", turin.root_hex)
                      : (size_t)snprintf(out + n, 8192 - n, "%s\n", base_lines[i]);
        }
    n += (size_t)snprintf(out + n, 8192 - n, "%s\n%s\n%s\n", line, extra, more);
    assert_true(n < 8192);
}

static void appraise(struct run *r, const struct maker *m, uint8_t raw[TST_SNP_REPORT_BYTES], const char *text)
{
    TST_AUTO_ERROR err = NULL;
    struct tst_cert *vek = m == &turin ? turin_vek : milan_vek;
    report_sign(raw, m->vek_key);
    struct tst_evidence evidence = {.report = {raw, TST_SNP_REPORT_BYTES}, .certs = {vek, m->ask, m->ark}};
    if (tst_policy_parse("test.yaml", text, strlen(text), NULL, NULL, &r->policy, &err) < 0)
        fail_msg("%s, in:\n%s", err->text, text);
    struct tst_appraise_in in = {.evidence = &evidence, .policy = r->policy, .now = EVIDENCE_NOW};
    assert_int_equal(tst_appraise(&in, &r->v, &err), 0);
}

static void run_text(struct run *r, const struct rule *rule, bool changed, const char *text)
{
    uint8_t raw[TST_SNP_REPORT_BYTES];
    report_full(raw);
    if (changed && !rule->bad_line)
        raw[rule->offset] = rule->value;
    appraise(r, &turin, raw, text);
}

/* Only `id` has that outcome; every other check passed, was skipped, or warns because the case says so. */
static void assert_only(const struct run *r, const char *id, enum tst_outcome outcome, const char *text)
{
    for (size_t i = 0; i < r->v->check_count; i++) {
        const struct tst_check *c = &r->v->checks[i];
        bool named = strcmp(c->info->id, id) == 0, good = c->outcome != TST_CHECK_FAIL && c->outcome != TST_CHECK_MISSING;
        if (named ? c->outcome != outcome : !good)
            fail_msg("%s has outcome %d, found %s; case %s wants %d, in:\n%s", c->info->id, (int)c->outcome, c->found ? c->found : "-", id,
                     (int)outcome, text);
    }
}

static void a_rule_that_holds_passes(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(rules); i++) {
        RUN r = {NULL, NULL};
        char text[8192];
        compose(text, rules[i].line, rules[i].line, rules[i].extra, "");
        run_text(&r, &rules[i], false, text);
        assert_only(&r, rules[i].id, TST_CHECK_PASS, text);
        assert_int_equal(r.v->outcome, TST_CHECK_PASS);
        assert_int_equal(r.v->warning_count, 0);
    }
}

static void a_changed_fact_fails_its_own_rule_and_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(rules); i++) {
        RUN r = {NULL, NULL};
        char text[8192];
        const struct rule *rule = &rules[i];
        enum tst_outcome wanted = rule->changed == TST_CHECK_PASS ? TST_CHECK_FAIL : rule->changed;
        compose(text, rule->line, rule->bad_line ? rule->bad_line : rule->line, rule->extra, "");
        run_text(&r, rule, true, text);
        assert_only(&r, rule->id, wanted, text);
        assert_int_equal(r.v->outcome, wanted);
        assert_int_equal(tst_verdict_exit_status(r.v), wanted == TST_CHECK_FAIL ? 4 : 3);
        assert_int_equal(r.v->level, TST_LEVEL_NONE);
        const struct tst_check *c = verdict_check(r.v, rule->id);
        assert_non_null(c->expected);
        assert_non_null(c->found);
        assert_string_not_equal(c->expected, c->found);
    }
}

static void without_its_line_the_documented_default_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(rules); i++) {
        RUN r = {NULL, NULL};
        char text[8192];
        const struct rule *rule = &rules[i];
        compose(text, rule->line, "", rule->extra, "");
        run_text(&r, rule, true, text);
        enum tst_outcome found = verdict_check(r.v, rule->id)->outcome;
        if (rule->without == DENIED ? found != TST_CHECK_FAIL : found != TST_CHECK_PASS && found != TST_CHECK_SKIP)
            fail_msg("%s: %d without its line, in:\n%s", rule->id, (int)found, text);
        if (rule->without == NOT_JUDGED)
            assert_int_equal(r.v->outcome, TST_CHECK_PASS);
    }
}

static void assert_json_warns(const struct tst_verdict *v, const char *id)
{
    TST_AUTO_JSON j = NULL;
    const json_t *c;
    size_t i, warned = 0;
    assert_int_equal(tst_verdict_json(v, &j, NULL), 0);
    assert_string_equal(json_string_value(json_object_get(j, "outcome")), "pass");
    assert_int_equal(json_integer_value(json_object_get(j, "warnings")), 1);
    json_array_foreach(json_object_get(j, "checks"), i, c)
        if (strcmp(json_string_value(json_object_get(c, "outcome")), "warn") == 0) {
            assert_string_equal(json_string_value(json_object_get(c, "id")), id);
            warned++;
        }
    assert_int_equal(warned, 1);
}

static void a_rule_set_to_warn_warns_where_that_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(rules); i++) {
        RUN r = {NULL, NULL};
        TST_AUTO_ERROR err = NULL;
        char text[8192], warn[128];
        const struct rule *rule = &rules[i];
        const char *prefix = strncmp(rule->id, "policy.", 7) == 0 ? rule->id + 7 : rule->id;
        snprintf(warn, sizeof warn, "rules: {%s: warn}", prefix);
        compose(text, rule->line, rule->bad_line ? rule->bad_line : rule->line, same_key(rule->extra, warn) ? "" : rule->extra, warn);
        if (!rule->may_warn) {
            assert_int_equal(tst_policy_parse("p.yaml", text, strlen(text), NULL, NULL, &r.policy, &err), -TST_USAGE);
            assert_non_null(strstr(err->text, "cannot be set to warn"));
            continue;
        }
        run_text(&r, rule, true, text);
        assert_only(&r, rule->id, TST_CHECK_WARN, text);
        assert_int_equal(r.v->outcome, TST_CHECK_PASS);
        assert_int_equal(tst_verdict_exit_status(r.v), 0);
        assert_int_equal(r.v->warning_count, 1);
        assert_null(tst_verdict_first(r.v));
        assert_json_warns(r.v, rule->id);
        TST_AUTO_STR warnings = tst_verdict_warnings(r.v);
        assert_ptr_equal(strstr(warnings, rule->id), warnings);
        assert_non_null(strstr(warnings, "; expected "));
    }
}

/* ---- every rule of the table has a case ---- */
static void every_rule_of_a_policy_has_a_case(void **state)
{
    (void)state;
    /* simulated, VLEK and CRL change the chain: test_appraise.c; Milan is below */
    static const char *const elsewhere[] = {"policy.simulated", "policy.crl", "policy.vlek", "policy.milan"};
    size_t count = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    for (size_t i = 0; i < count; i++) {
        bool found = infos[i].authenticity;
        for (size_t k = 0; k < TST_COUNT(rules) && !found; k++)
            found = strcmp(rules[k].id, infos[i].id) == 0;
        for (size_t k = 0; k < TST_COUNT(elsewhere) && !found; k++)
            found = strcmp(elsewhere[k], infos[i].id) == 0;
        if (!found)
            fail_msg("no case for %s", infos[i].id);
    }
}

/* ---- bits, one by one ---- */
static void check_bit(const char *key, size_t offset, const struct tst_bit_range *b, bool set)
{
    for (int demanded = 0; demanded < 2; demanded++) {
        RUN r = {NULL, NULL};
        char text[8192], line[128];
        uint8_t raw[TST_SNP_REPORT_BYTES];
        const char *id = offset == AT_POLICY ? "policy.guest-policy" : "policy.platform-info";
        bool fails = set != (demanded == 1);
        report_full(raw);
        raw[offset + b->first / 8] = (uint8_t)(raw[offset + b->first / 8] & ~(1u << b->first % 8));
        if (set)
            raw[offset + b->first / 8] = (uint8_t)(raw[offset + b->first / 8] | 1u << b->first % 8);
        snprintf(line, sizeof line, "%s: {%s: [%s]}", key, demanded ? "must-set" : "must-clear", b->name);
        compose(text, line, line, "", "");
        appraise(&r, &turin, raw, text);
        const struct tst_check *c = verdict_check(r.v, id);
        if (fails != (c->outcome == TST_CHECK_FAIL) || (fails && !strstr(c->expected, b->name)))
            fail_msg("%s %d: outcome %d, expected %s", line, (int)set, (int)c->outcome, c->expected ? c->expected : "-");
    }
}

static void every_named_bit_can_be_demanded_set_or_clear(void **state)
{
    (void)state;
    static const struct {
        const char *field, *key;
        size_t names;
    } cases[] = {{"policy", "guest-policy", 7 /* and debug, migration-agent: their own rules */}, {"platform-info", "platform-info", 8}};
    size_t count = 0;
    const struct tst_report_field *fields = tst_report_fields(&count);
    for (size_t k = 0; k < TST_COUNT(cases); k++) {
        size_t names = 0;
        for (size_t i = 0; i < count; i++)
            for (const struct tst_bit_range *b = strcmp(fields[i].name, cases[k].field) ? NULL : fields[i].bits; b && b->name; b++) {
                bool other = b->first != b->last || (k == 0 && (b->first >= 17 && b->first <= 19));
                if (other)
                    continue;
                names++;
                check_bit(cases[k].key, fields[i].offset, b, true);
                check_bit(cases[k].key, fields[i].offset, b, false);
            }
        assert_int_equal(names, cases[k].names);
    }
}

static void allowed_unknown_bits_pass_and_are_shown(void **state)
{
    (void)state;
    RUN r = {NULL, NULL};
    char text[8192];
    uint8_t raw[TST_SNP_REPORT_BYTES];
    report_full(raw);
    raw[AT_POLICY + 5] = 1;   /* bit 40 */
    raw[AT_PLATFORM + 7] = 2; /* bit 57 */
    compose(text, "", "guest-policy: {unknown-bits: allow}", "", "");
    appraise(&r, &turin, raw, text);
    assert_int_equal(r.v->outcome, TST_CHECK_PASS);
    assert_non_null(strstr(verdict_check(r.v, "policy.guest-policy")->found, "bit 40"));
    assert_non_null(strstr(verdict_check(r.v, "policy.platform-info")->found, "bit 57"));
}

/* ---- versions are compared part by part ---- */
static void firmware_versions_are_ordered_by_major_minor_build(void **state)
{
    (void)state;
    static const struct {
        const char *least;
        enum tst_outcome outcome;
    } cases[] = {{"1.55.43", TST_CHECK_PASS}, {"1.55.42", TST_CHECK_PASS}, {"1.54.99", TST_CHECK_PASS}, {"0.99.99", TST_CHECK_PASS},
                 {"1.55.44", TST_CHECK_FAIL}, {"1.56.0", TST_CHECK_FAIL},  {"2.0.0", TST_CHECK_FAIL}};
    for (size_t i = 0; i < TST_COUNT(cases); i++)
        for (int committed = 0; committed < 2; committed++) {
            RUN r = {NULL, NULL};
            char text[8192], line[96];
            uint8_t raw[TST_SNP_REPORT_BYTES];
            report_full(raw);
            snprintf(line, sizeof line, "firmware: {%s: %s}", committed ? "min-committed" : "min-current", cases[i].least);
            compose(text, line, line, "", "");
            appraise(&r, &turin, raw, text);
            assert_check(r.v, "policy.firmware", cases[i].outcome);
        }
}

/* ---- ID block ---- */
static void an_id_block_that_is_optional_may_be_absent_but_not_strange(void **state)
{
    (void)state;
    static const char line[] = "id-block: {id-keys: [" X48("1d") "], author-keys: [" X48("a0") "], require: false}";
    char text[8192];
    uint8_t raw[TST_SNP_REPORT_BYTES];
    compose(text, line, line, "", "");
    {
        RUN r = {NULL, NULL};
        report_full(raw);
        memset(raw + AT_ID_KEY, 0, 48);
        memset(raw + AT_AUTHOR_KEY, 0, 48);
        raw[AT_KEY_INFO] = 0;
        appraise(&r, &turin, raw, text);
        assert_int_equal(r.v->outcome, TST_CHECK_PASS);
    }
    RUN r = {NULL, NULL};
    report_full(raw);
    raw[AT_ID_KEY] = 0;
    appraise(&r, &turin, raw, text);
    assert_only(&r, "policy.id-key", TST_CHECK_FAIL, text);
}

static void a_required_id_block_that_is_absent_is_refused(void **state)
{
    (void)state;
    RUN r = {NULL, NULL};
    static const char line[] = "id-block: {id-keys: [" X48("1d") "]}";
    char text[8192];
    uint8_t raw[TST_SNP_REPORT_BYTES];
    report_full(raw);
    memset(raw + AT_ID_KEY, 0, 48);
    compose(text, line, line, "", "");
    appraise(&r, &turin, raw, text);
    assert_only(&r, "policy.id-key", TST_CHECK_FAIL, text);
    assert_string_equal(verdict_check(r.v, "policy.id-key")->found, "no ID block");
}

/* ---- Milan ---- */
static void run_milan(struct run *r, const char *lines)
{
    uint8_t raw[TST_SNP_REPORT_BYTES];
    char text[8192];
    report_genoa(raw);
    raw[0x189] = 0x01;
    snprintf(text, sizeof text, "name: test\nsimulated: {allow: [%s]}\nmeasurements: [{name: good, digest: " DIGEST "}]\n"
             "tcb: {milan: {bootloader: 4, tee: 0, snp: 27, microcode: 200}}\ncrl: {mode: off}\n%s\n", milan.root_hex, lines);
    appraise(r, &milan, raw, text);
}

static void a_listed_milan_passes_with_a_warning(void **state)
{
    (void)state;
    RUN r = {NULL, NULL};
    char chip[2 * TST_SNP_CHIP_BYTES + 1], lines[512];
    tst_hex(evidence_chip, sizeof evidence_chip, chip);
    snprintf(lines, sizeof lines, "products: [milan]\nchips: [%s]", chip);
    run_milan(&r, lines);
    assert_only(&r, "policy.milan", TST_CHECK_WARN, lines);
    assert_int_equal(r.v->outcome, TST_CHECK_PASS);
    assert_non_null(strstr(verdict_check(r.v, "policy.milan")->found, "AMD-SB-3045"));
}

static void an_accepted_risk_passes_with_a_warning(void **state)
{
    (void)state;
    RUN r = {NULL, NULL};
    run_milan(&r, "products: [milan]\nmilan-without-chips: accept-risk");
    assert_only(&r, "policy.milan", TST_CHECK_WARN, "accept-risk");
    assert_int_equal(r.v->outcome, TST_CHECK_PASS);
}

/* The reader refuses `products: [milan]` without chips; this is the way around it. */
static void a_milan_does_not_slip_in_by_a_product_rule_that_warns(void **state)
{
    (void)state;
    RUN r = {NULL, NULL};
    run_milan(&r, "products: [genoa]\nrules: {product: warn}");
    assert_check(r.v, "policy.product", TST_CHECK_WARN);
    assert_only(&r, "policy.milan", TST_CHECK_FAIL, "product: warn");
    assert_int_equal(tst_verdict_exit_status(r.v), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_that_holds_passes),
        cmocka_unit_test(a_changed_fact_fails_its_own_rule_and_no_other),
        cmocka_unit_test(without_its_line_the_documented_default_holds),
        cmocka_unit_test(a_rule_set_to_warn_warns_where_that_is_allowed),
        cmocka_unit_test(every_rule_of_a_policy_has_a_case),
        cmocka_unit_test(every_named_bit_can_be_demanded_set_or_clear),
        cmocka_unit_test(allowed_unknown_bits_pass_and_are_shown),
        cmocka_unit_test(firmware_versions_are_ordered_by_major_minor_build),
        cmocka_unit_test(an_id_block_that_is_optional_may_be_absent_but_not_strange),
        cmocka_unit_test(a_required_id_block_that_is_absent_is_refused),
        cmocka_unit_test(a_listed_milan_passes_with_a_warning),
        cmocka_unit_test(an_accepted_risk_passes_with_a_warning),
        cmocka_unit_test(a_milan_does_not_slip_in_by_a_product_rule_that_warns),
    };
    return cmocka_run_group_tests(tests, make_makers, drop_makers);
}
