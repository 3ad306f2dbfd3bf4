/* SPDX-License-Identifier: Apache-2.0 */
/* unit/platform/test_ready.c - the whole result list of each constructed machine, where it stands, and the table itself. */
#include "machine.h"

#include <unistd.h>

/* machines/NAME.expected is the reviewed result; it changes only when a check is meant to change. */
static void each_machine_gets_the_expected_list(void **state)
{
    (void)state;
    for (size_t i = 0; machine_names[i]; i++) {
        size_t n;
        TST_AUTO_STR expected = machine_file(machine_names[i], ".expected", &n);
        TST_AUTO_JSON o = machine_json(machine_names[i]);
        AUTO_PLATFORM p = machine_of_json(o);
        AUTO_READY r = report_of(p, READY_ANYWHERE, 0);
        TST_AUTO_STR found = report_text(r);
        assert_string_equal(found, expected);
    }
}

static void study_guest_is_called_a_guest_and_nothing_fails(void **state)
{
    (void)state;
    TST_AUTO_JSON o = machine_json("study-guest");
    AUTO_PLATFORM p = machine_of_json(o);
    AUTO_READY r = report_of(p, READY_ANYWHERE, 0);
    assert_int_equal(r->standing.place, READY_GUEST);
    assert_int_equal(r->outcomes[READY_FAIL], 0);
    const struct ready_result *sev = result_named(r, "guest.sev");
    assert_int_equal(sev->outcome, READY_UNKNOWN);
    assert_non_null(strstr(sev->fix, "modprobe msr"));
    assert_int_equal(ready_exit_status(r), 3);
}

/* The study's mistake: sevctl's FAILs of KVM, /dev/sev and SEV-SNP, read inside a guest. */
static void host_checks_are_not_run_in_a_guest(void **state)
{
    static const enum ready_generation generations[] = {0, READY_SEV, READY_ES, READY_SNP};
    (void)state;
    TST_AUTO_JSON o = machine_json("study-guest");
    AUTO_PLATFORM p = machine_of_json(o);
    for (size_t g = 0; g < TST_COUNT(generations); g++) {
        AUTO_READY r = report_of(p, READY_HOST, generations[g]);
        assert_true(r->wrong_place);
        assert_int_equal(r->judged, READY_NOWHERE);
        assert_int_equal(r->outcomes[READY_NA], r->count);
        assert_string_equal(result_named(r, "dev.sev-read")->found, "asked for a host, and this is a guest");
        assert_int_equal(ready_exit_status(r), 3);
    }
}

static void guest_checks_are_not_run_on_a_host(void **state)
{
    (void)state;
    TST_AUTO_JSON o = machine_json("milan-host");
    AUTO_PLATFORM p = machine_of_json(o);
    AUTO_READY r = report_of(p, READY_GUEST, 0);
    assert_true(r->wrong_place);
    assert_int_equal(r->outcomes[READY_NA], r->count);
    assert_int_equal(ready_exit_status(r), 3);
}

static json_t *entry(json_t *machine, const char *list, const char *key, const char *value)
{
    size_t i;
    json_t *e;
    json_array_foreach (json_object_get(machine, list), i, e)
        if (strcmp(json_string_value(json_object_get(e, key)), value) == 0)
            return e;
    fail_msg("%s: no %s", list, value);
    return NULL;
}

static void hidden_hypervisor_bit_makes_the_place_unknown(void **state)
{
    (void)state;
    TST_AUTO_JSON o = machine_json("snp-guest");
    json_object_set_new(entry(o, "cpuid", "leaf", "0x00000001"), "ecx", json_string("0x00000000"));
    AUTO_PLATFORM p = machine_of_json(o);
    AUTO_READY r = report_of(p, READY_ANYWHERE, 0);
    assert_true(r->standing.contradiction);
    assert_int_equal(r->judged, READY_NOWHERE);
    assert_int_equal(ready_exit_status(r), 3);
    AUTO_READY told = report_of(p, READY_GUEST, READY_SNP);
    assert_true(told->standing.user_said);
    assert_int_equal(told->judged, READY_GUEST);
    assert_int_equal(ready_exit_status(told), 0);
}

static void dev_sev_in_a_guest_is_a_contradiction(void **state)
{
    (void)state;
    TST_AUTO_JSON o = machine_json("milan-host");
    json_object_set_new(entry(o, "cpuid", "leaf", "0x00000001"), "ecx", json_string("0x80000000"));
    AUTO_PLATFORM p = machine_of_json(o);
    AUTO_READY r = report_of(p, READY_ANYWHERE, 0);
    assert_true(r->standing.contradiction);
    assert_int_equal(ready_exit_status(r), 3);
}

static void nothing_readable_is_undecidable_never_ready(void **state)
{
    static const char nothing[] = "{\"machine\": \"nothing\"}";
    static const enum ready_place places[] = {READY_ANYWHERE, READY_HOST, READY_GUEST};
    static const enum ready_generation generations[] = {READY_SEV, READY_ES, READY_SNP};
    (void)state;
    AUTO_PLATFORM p = NULL;
    assert_int_equal(platform_parse_machine("nothing", nothing, strlen(nothing), &p, NULL), 0);
    for (size_t i = 0; i < TST_COUNT(places); i++)
        for (size_t g = 0; g < TST_COUNT(generations); g++) {
            AUTO_READY r = report_of(p, places[i], generations[g]);
            assert_int_not_equal(ready_exit_status(r), 0);
            /* only what a kernel without the file really lacks may pass */
            for (size_t c = 0; c < r->count; c++)
                if (r->results[c].outcome == READY_PASS)
                    assert_string_equal(r->results[c].check->id, "numa.balancing");
        }
}

static void closed_registers_are_unknown_and_say_why(void **state)
{
    (void)state;
    TST_AUTO_JSON o = machine_json("milan-host");
    size_t i;
    json_t *e;
    json_array_foreach (json_object_get(o, "msrs"), i, e) {
        json_object_del(e, "value");
        json_object_set_new(e, "error", json_string("EACCES"));
    }
    json_object_set_new(entry(o, "devices", "path", "/dev/sev"), "read", json_false());
    json_object_set_new(entry(o, "devices", "path", "/dev/sev"), "write", json_false());
    AUTO_PLATFORM p = machine_of_json(o);
    AUTO_READY r = report_of(p, READY_ANYWHERE, 0);
    static const char *const ids[] = {"syscfg.sme", "syscfg.snp", "rmp.addresses", "dev.sev-read", "dev.sev-write", "fw.initialised",
                                      "fw.snp-initialised", "rmp.initialised", "alias.check", "fw.tcb-reported", "fw.tcb-floor"};
    for (i = 0; i < TST_COUNT(ids); i++) {
        assert_int_equal(result_named(r, ids[i])->outcome, READY_UNKNOWN);
        assert_non_null(strstr(result_named(r, ids[i])->fix, "root"));
    }
    assert_int_equal(r->outcomes[READY_FAIL], 0);
    assert_int_equal(ready_exit_status(r), 3);
}

static void lesser_generation_may_be_asked(void **state)
{
    (void)state;
    TST_AUTO_JSON o = machine_json("genoa-host");
    AUTO_PLATFORM p = machine_of_json(o);
    AUTO_READY snp = report_of(p, READY_ANYWHERE, READY_SNP);
    AUTO_READY es = report_of(p, READY_ANYWHERE, READY_ES);
    AUTO_READY sev = report_of(p, READY_ANYWHERE, READY_SEV);
    assert_int_equal(ready_exit_status(snp), 1);
    assert_int_equal(ready_exit_status(es), 0);
    assert_int_equal(ready_exit_status(sev), 0);
    assert_int_equal(result_named(es, "alias.check")->outcome, READY_NA);
    assert_int_equal(result_named(sev, "kvm.sev-es")->outcome, READY_NA);
}

static void only_and_skip_choose_by_id_and_by_group(void **state)
{
    (void)state;
    TST_AUTO_JSON o = machine_json("genoa-host");
    TST_AUTO_ERROR err = NULL;
    AUTO_PLATFORM p = machine_of_json(o);
    struct ready_in in = {.platform = p, .asked = READY_ANYWHERE, .only = "syscfg,cpu.vendor"};
    AUTO_READY only = NULL;
    AUTO_READY skip = NULL;
    AUTO_READY none = NULL;
    AUTO_READY bad = NULL;
    assert_int_equal(ready_run(&in, &only, NULL), 0);
    assert_int_equal(only->outcomes[READY_PASS], 4);
    assert_int_equal(only->outcomes[READY_NA], only->count - 4);
    assert_int_equal(ready_exit_status(only), 0);
    in = (struct ready_in){.platform = p, .asked = READY_ANYWHERE, .skip = "rmp.addresses,kvm,fw,alias.check,iommu"};
    assert_int_equal(ready_run(&in, &skip, NULL), 0);
    assert_int_equal(ready_exit_status(skip), 0);
    assert_string_equal(result_named(skip, "fw.floor")->found, "skipped by --skip");
    /* nothing judged is not ready */
    in = (struct ready_in){.platform = p, .asked = READY_ANYWHERE, .only = "guest"};
    assert_int_equal(ready_run(&in, &none, NULL), 0);
    assert_int_equal(ready_exit_status(none), 3);
    static const char *const wrong[] = {"cpu.nothing", "cp", "cpu,", ",cpu", "cpu,,smt", "cpu.sev "};
    for (size_t i = 0; i < TST_COUNT(wrong); i++) {
        in = (struct ready_in){.platform = p, .asked = READY_ANYWHERE, .only = wrong[i]};
        int rc = ready_run(&in, &bad, &err);
        if (strcmp(wrong[i], "cpu,") == 0) { /* a trailing comma ends the list */
            assert_int_equal(rc, 0);
            ready_report_free(TST_STEAL(bad));
        } else
            assert_int_equal(rc, -TST_USAGE);
    }
}

static void json_lists_every_check_with_its_outcome(void **state)
{
    (void)state;
    TST_AUTO_JSON o = machine_json("rome-host");
    TST_AUTO_JSON out = NULL;
    size_t count;
    const struct ready_check *table = ready_checks(&count);
    AUTO_PLATFORM p = machine_of_json(o);
    AUTO_READY r = report_of(p, READY_ANYWHERE, 0);
    assert_int_equal(ready_json(p, r, &out, NULL), 0);
    assert_true(json_is_true(json_object_get(out, "constructed")));
    assert_string_equal(json_string_value(json_object_get(out, "stands")), "host");
    assert_string_equal(json_string_value(json_object_get(out, "verdict")), "not-ready");
    json_t *list = json_object_get(out, "checks");
    assert_int_equal(json_array_size(list), count);
    for (size_t i = 0; i < count; i++) {
        json_t *row = json_array_get(list, i);
        assert_string_equal(json_string_value(json_object_get(row, "id")), table[i].id);
        assert_string_equal(json_string_value(json_object_get(row, "outcome")), ready_outcome_name(r->results[i].outcome));
        bool to_do = r->results[i].outcome == READY_FAIL || r->results[i].outcome == READY_WARN;
        if (to_do)
            assert_non_null(json_object_get(row, "wanted"));
    }
}

/* Whoever reads a failure must be told what to do. */
static void table_is_complete_and_in_order(void **state)
{
    size_t count;
    const struct ready_check *t = ready_checks(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(t[i].id[0] && t[i].title[0] && t[i].meaning[0] && t[i].source[0]);
        assert_non_null(t[i].run);
        assert_true(t[i].place && t[i].generations);
        if (t[i].need != READY_OPTIONAL && !t[i].fix)
            assert_true(strcmp(t[i].id, "cpu.vmpls") == 0 || strcmp(t[i].id, "cpu.c-bit") == 0);
        bool earlier = t[i].needs == NULL;
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(t[i].id, t[j].id);
            earlier |= t[i].needs && strcmp(t[i].needs, t[j].id) == 0;
        }
        assert_true(earlier);
    }
}

static void documentation_lists_the_table(void **state)
{
    size_t count;
    const struct ready_check *t = ready_checks(&count);
    TST_AUTO_STR text = calloc(1, 256 * 1024);
    FILE *f = fopen(SOURCE_ROOT "/docs/readiness.md", "rb");
    (void)state;
    assert_non_null(f);
    assert_true(fread(text, 1, 256 * 1024 - 1, f) > 0);
    fclose(f);
    const char *at = text;
    for (size_t i = 0; i < count; i++) {
        TST_AUTO_STR row = tst_strdup_printf("| `%s` | %s | %s%s%s | %s | %s | %s |\n", t[i].id, ready_place_name((enum ready_place)t[i].place),
                                             t[i].generations & READY_SEV ? "sev " : "", t[i].generations & READY_ES ? "es " : "",
                                             t[i].generations & READY_SNP ? "snp" : "", ready_need_name(t[i].need), t[i].meaning, t[i].source);
        at = strstr(at, row);
        if (!at)
            fail_msg("docs/readiness.md lacks, in this order: %s", row);
    }
}

/* Whatever this machine is: it says what it is, and does not say ready where SEV cannot be. */
static void machine_at_hand_is_judged(void **state)
{
    (void)state;
    AUTO_PLATFORM p = NULL;
    struct cpuid_regs leaf;
    assert_int_equal(platform_open(NULL, &p, NULL), 0);
    assert_null(p->from);
    AUTO_READY r = report_of(p, READY_ANYWHERE, 0);
    assert_true(r->standing.evidence_count > 0);
    bool amd = platform_cpuid(p, 0, &leaf) == 0 && leaf.ebx == 0x68747541;
    if (r->judged != READY_NOWHERE)
        assert_int_equal(result_named(r, "cpu.vendor")->outcome, amd ? READY_PASS : READY_FAIL);
    if (!amd)
        assert_int_not_equal(ready_exit_status(r), 0);
    size_t sum = 0;
    for (size_t i = 0; i < TST_COUNT(r->outcomes); i++)
        sum += r->outcomes[i];
    assert_int_equal(sum, r->count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_machine_gets_the_expected_list),
        cmocka_unit_test(study_guest_is_called_a_guest_and_nothing_fails),
        cmocka_unit_test(host_checks_are_not_run_in_a_guest),
        cmocka_unit_test(guest_checks_are_not_run_on_a_host),
        cmocka_unit_test(hidden_hypervisor_bit_makes_the_place_unknown),
        cmocka_unit_test(dev_sev_in_a_guest_is_a_contradiction),
        cmocka_unit_test(nothing_readable_is_undecidable_never_ready),
        cmocka_unit_test(closed_registers_are_unknown_and_say_why),
        cmocka_unit_test(lesser_generation_may_be_asked),
        cmocka_unit_test(only_and_skip_choose_by_id_and_by_group),
        cmocka_unit_test(json_lists_every_check_with_its_outcome),
        cmocka_unit_test(table_is_complete_and_in_order),
        cmocka_unit_test(documentation_lists_the_table),
        cmocka_unit_test(machine_at_hand_is_judged),
    };
    return cmocka_run_group_tests_name("ready", tests, NULL, NULL);
}
