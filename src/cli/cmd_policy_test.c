/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_policy_test.c - `testudo policy test`: run a policy over stored evidence and say for each rule what it did. */
#include "cli/evidence_input.h"

/* The options of `evidence verify`, through which each piece of evidence is loaded; --policy is filled in here. */
static const struct cli_command loader = {.name = "policy test", .options = {EVIDENCE_OPTIONS}};

/* The loader's arguments for one piece of evidence. `operand` has room for it and the NULL behind it. */
static struct cli_args loader_args(const struct cli_command *self, const struct cli_args *args, const char **operand)
{
    struct cli_args out = {.rest = operand, .rest_count = 1};
    for (int i = 0; loader.options[i].name; i++)
        out.values[i] = strcmp(loader.options[i].name, "--policy") == 0 ? args->rest[0] : cli_value(self, args, loader.options[i].name);
    return out;
}

/* ---- in words ---- */
static const char *did(enum tst_outcome o)
{
    static const char *const words[] = {[TST_CHECK_PASS] = "pass", [TST_CHECK_FAIL] = "FAIL", [TST_CHECK_MISSING] = "MISSING",
                                        [TST_CHECK_SKIP] = "skip", [TST_CHECK_WARN] = "WARN"};
    return words[o];
}

static void print_rule(const struct tst_check *c)
{
    bool wrong = c->outcome != TST_CHECK_PASS && c->outcome != TST_CHECK_SKIP;
    printf("  %-8s%-29s%s%s\n", did(c->outcome), c->info->id, wrong && c->expected ? "found    " : "", c->found ? c->found : "");
    if (wrong && c->expected)
        printf("  %-8s%-29sexpected %s\n", "", "", c->expected);
    if (wrong && c->fix)
        printf("  %-8s%-29sto do    %s\n", "", "", c->fix);
}

/* Rules judge what may be forged only in theory: say first whether it may. */
static void print_authenticity(const struct tst_verdict *v)
{
    size_t held = 0, count = 0;
    for (size_t i = 0; i < v->check_count; i++) {
        const struct tst_check *c = &v->checks[i];
        count += c->info->authenticity && c->outcome != TST_CHECK_SKIP;
        held += c->info->authenticity && c->outcome == TST_CHECK_PASS;
    }
    printf("  authenticity: %zu of %zu checks hold%s\n", held, count, v->simulated ? "; SIMULATED, no hardware stands behind it" : "");
    for (size_t i = 0; i < v->check_count; i++)
        if (v->checks[i].info->authenticity && (v->checks[i].outcome == TST_CHECK_FAIL || v->checks[i].outcome == TST_CHECK_MISSING))
            print_rule(&v->checks[i]);
}

static void print_result(const char *path, const struct tst_verdict *v)
{
    static const char *const words[] = {
        [TST_REFUTED] = "refuted", [TST_UNDECIDABLE] = "undecidable", [TST_DENIED] = "refused by policy"};
    int status = tst_verdict_exit_status(v);

    printf("%s\n", path);
    print_authenticity(v);
    for (size_t i = 0; i < v->check_count; i++)
        if (!v->checks[i].info->authenticity)
            print_rule(&v->checks[i]);
    if (status == 0)
        printf("  => accepted%s, level %s, reference value %s", v->simulated ? " (SIMULATED)" : "", tst_level_name(v->level),
               v->reference ? v->reference : "none");
    else
        printf("  => %s, by %s", words[status], tst_verdict_first(v)->info->id);
    if (v->warning_count)
        printf(", %zu WARN", v->warning_count);
    puts("\n");
}

/* ---- one piece of evidence, all of them ---- */
struct totals {
    size_t count, accepted, warned;
    bool seen[TST_DENIED + 1]; /* by exit status */
};

static int test_one(const struct cli_command *self, const struct cli_args *args, const char *path, struct totals *t, json_t *list,
                    struct tst_error **err)
{
    AUTO_INPUT e = {0};
    TST_AUTO_VERDICT v = NULL;
    const char *operand[2] = {path, NULL};
    struct cli_args one = loader_args(self, args, operand);
    int rc = evidence_input_load(&loader, &one, &e, err);
    if (rc == 0)
        rc = tst_appraise(&e.in, &v, err);
    if (rc < 0 || !v)
        return rc;
    int status = tst_verdict_exit_status(v);
    t->count++;
    t->accepted += status == 0;
    t->warned += v->warning_count > 0;
    if ((size_t)status < TST_COUNT(t->seen))
        t->seen[status] = true;
    if (!list) {
        print_result(path, v);
        return 0;
    }
    TST_AUTO_JSON verdict = NULL;
    rc = tst_verdict_json(v, &verdict, err);
    if (rc == 0 && json_array_append_new(list, json_pack("{s:s, s:O}", "evidence", path, "verdict", verdict)) < 0)
        rc = tst_fail(err, TST_INTERNAL, "out of memory");
    return rc;
}

/* Of several pieces the gravest decides. */
static int exit_status(const struct totals *t)
{
    static const enum tst_code gravest_first[] = {TST_REFUTED, TST_DENIED, TST_UNDECIDABLE};
    for (size_t i = 0; i < TST_COUNT(gravest_first); i++)
        if (t->seen[tst_exit_status(gravest_first[i])])
            return tst_exit_status(gravest_first[i]);
    return 0;
}

static int policy_test(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    const char *first = cli_value(self, args, "--evidence");
    bool as_json = cli_value(self, args, "--json") != NULL;
    TST_AUTO_JSON list = as_json ? json_array() : NULL;
    struct totals t = {0};

    if (!first) {
        tst_fail(err, TST_USAGE, "policy test: no evidence");
        return tst_hint(err, NULL, NULL, "say --evidence FILE...");
    }
    int rc = test_one(self, args, first, &t, list, err);
    for (int i = 1; rc == 0 && i < args->rest_count; i++)
        rc = test_one(self, args, args->rest[i], &t, list, err);
    if (rc < 0)
        return rc;
    if (as_json) {
        TST_AUTO_JSON o = json_pack("{s:s, s:I, s:I, s:I, s:i, s:O}", "policy", args->rest[0], "count", (json_int_t)t.count, "accepted",
                                    (json_int_t)t.accepted, "warned", (json_int_t)t.warned, "exit-status", exit_status(&t), "results", list);
        if (!o)
            return tst_fail(err, TST_INTERNAL, "out of memory");
        cli_print_json(o);
    } else
        printf("%s: %zu of %zu accepted, %zu with warnings\n", args->rest[0], t.accepted, t.count, t.warned);
    return exit_status(&t);
}

const struct cli_command cmd_policy_test = {
    .name = "policy test",
    .operands = "FILE [EVIDENCE...]",
    .min_operands = 1,
    .max_operands = -1,
    .summary = "run a policy over stored evidence: what each rule found, expected and did",
    .exits = "0 all accepted; else the gravest: 1 refuted, 4 refused by policy, 3 something needed is missing; 2 bad usage or input",
    .options =
        {
            {"--evidence", "FILE", "evidence of any form that `evidence verify` reads; more may follow"},
            EVIDENCE_OPTIONS_BESIDE_POLICY,
            {"--json", NULL, "print the verdicts as JSON"},
        },
    .run = policy_test,
};
