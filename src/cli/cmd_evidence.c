/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_evidence.c - `testudo evidence verify`: appraise evidence offline and show every check. */
#include <time.h>

#include "cli/evidence_input.h"

/* ---- output ---- */
static const char *mark(enum tst_outcome o)
{
    static const char *const marks[] = {
        [TST_CHECK_PASS] = "ok", [TST_CHECK_FAIL] = "FAIL", [TST_CHECK_MISSING] = "MISSING", [TST_CHECK_SKIP] = "-", [TST_CHECK_WARN] = "WARN"};
    return marks[o];
}

/* *fix is the advice printed last: neighbours that lack the same thing do not repeat it. */
static void print_check(const struct tst_check *c, const char **fix)
{
    printf("  %-8s%-28s%s\n", mark(c->outcome), c->info->id, c->found ? c->found : "");
    if (c->outcome == TST_CHECK_PASS || c->outcome == TST_CHECK_SKIP)
        return;
    if (c->expected)
        printf("  %-8s%-28sexpected: %s\n", "", "", c->expected);
    if (c->fix && (!*fix || strcmp(c->fix, *fix) != 0))
        printf("  %-8s%-28sto do: %s\n", "", "", c->fix);
    *fix = c->fix;
}

static void print_holds(const struct tst_verdict *v)
{
    if (!v->policy_given) {
        puts("verdict: authentic");
        return;
    }
    printf("verdict: holds%s, level %s, reference value %s\n", v->simulated ? " (SIMULATED)" : "", tst_level_name(v->level),
           v->reference ? v->reference : "none");
    if (v->warning_count)
        printf("warnings: %zu, of rules that this policy does not enforce\n", v->warning_count);
    if (v->warning_count)
        printf("WARN: %zu rule%s of the policy only warn%s, and %s not hold\n", v->warning_count, v->warning_count > 1 ? "s" : "",
               v->warning_count > 1 ? "" : "s", v->warning_count > 1 ? "do" : "does");
    if (v->acpi == 0)
        puts("acpi: trusts host");
}

static void print_refused(const struct tst_verdict *v, int status)
{
    static const char *const words[] = {
        [TST_REFUTED] = "refuted", [TST_UNDECIDABLE] = "undecidable", [TST_DENIED] = "refused by policy"};
    const char *word = (size_t)status < TST_COUNT(words) ? words[status] : NULL;
    printf("verdict: %s%s, by %s\n", word ? word : "does not hold", v->simulated ? " (SIMULATED)" : "",
           tst_verdict_first(v)->info->id);
}

static void print_evidence(const struct tst_container *c)
{
    TST_AUTO_STR what = evidence_describe(c);
    printf("evidence: %s\n", what ? what : tst_container_kind_name(c->kind));
    if (c->kind == TST_CONTAINER_HCL)
        puts("          REPORT_DATA must be the SHA-256 of the runtime JSON: binding.report-data");
    if (c->lacks_mitigation)
        puts("          its writer left out the mitigation vectors of a version 5 report (the crate sev before 6.3 does): if they were\n"
             "          not zero, the signature cannot verify");
}

static void print_verdict(const struct tst_container *c, const struct tst_verdict *v)
{
    int status = tst_verdict_exit_status(v);
    const char *fix = NULL;

    if (v->simulated)
        puts("SIMULATED: signed by a software secure processor; no hardware stands behind this evidence");
    print_evidence(c);
    for (size_t i = 0; i < v->check_count; i++)
        print_check(&v->checks[i], &fix);
    if (status == 0)
        print_holds(v);
    else
        print_refused(v, status);
    if (!v->policy_given)
        puts("authenticity only: no policy was given, so neither software nor firmware level were judged");
}

static int show(const struct evidence_input *e, const struct tst_verdict *v, bool json, struct tst_error **err)
{
    TST_AUTO_JSON o = NULL;
    json_t *container = NULL;
    char when[TST_TIME_BYTES];
    if (!json) {
        print_verdict(&e->container, v);
        return tst_verdict_exit_status(v);
    }
    tst_time_print(e->in.now, when);
    int rc = tst_verdict_json(v, &o, err);
    if (rc == 0)
        rc = evidence_container_json(&e->container, &container, err);
    if (rc < 0)
        return rc;
    if (json_object_set_new(o, "container", container) < 0 || json_object_set_new(o, "at", json_string(when)) < 0)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    cli_print_json(o);
    return tst_verdict_exit_status(v);
}

/* ---- the command ---- */
static int evidence_verify(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_INPUT e = {0};
    TST_AUTO_VERDICT verdict = NULL;
    int rc = evidence_input_load(self, args, &e, err);
    if (rc == 0)
        rc = tst_appraise(&e.in, &verdict, err);
    return rc ? rc : show(&e, verdict, cli_value(self, args, "--json") != NULL, err);
}

const struct cli_command cmd_evidence_verify = {
    .name = "evidence verify",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "appraise SEV-SNP evidence of any common form, offline",
    .exits = "0 holds, 1 refuted, 2 bad usage or input, 3 something needed is missing, 4 refused by policy",
    .options = {EVIDENCE_OPTIONS, {"--json", NULL, "print the verdict as JSON"}},
    .run = evidence_verify,
};
