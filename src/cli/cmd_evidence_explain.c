/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_evidence_explain.c - `testudo evidence explain`: the verdict in prose. What was looked at, what came out, and for
 * each check that does not hold what it means, what was expected and found, what to do, and what usually stands behind it. */
#include "cli/evidence_input.h"

#define WIDTH 100

/* Wraps at spaces; a long word (a digest) gets a line of its own. */
static void print_wrapped(const char *first, const char *rest, const char *text)
{
    size_t column = strlen(first);
    bool fresh = true;
    fputs(first, stdout);
    while (*text) {
        size_t n = strcspn(text, " ");
        if (!fresh && column + 1 + n > WIDTH) {
            printf("\n%s", rest);
            column = strlen(rest);
            fresh = true;
        }
        printf("%s%.*s", fresh ? "" : " ", (int)n, text);
        column += n + !fresh;
        fresh = false;
        text += n + strspn(text + n, " ");
    }
    putchar('\n');
}

static bool is_open(const struct tst_check *c)
{
    return c->outcome == TST_CHECK_FAIL || c->outcome == TST_CHECK_MISSING || c->outcome == TST_CHECK_WARN;
}

static const char *outcome_words(enum tst_outcome o)
{
    return o == TST_CHECK_FAIL ? "does not hold" : o == TST_CHECK_MISSING ? "cannot be decided" : "does not hold (only a warning)";
}

static void explain_check(unsigned number, const struct tst_check *c)
{
    printf("\n%u. %s %s\n", number, c->info->id, outcome_words(c->outcome));
    print_wrapped("   should:    ", "              ", c->info->meaning);
    if (c->expected)
        print_wrapped("   expected:  ", "              ", c->expected);
    if (c->found)
        print_wrapped("   found:     ", "              ", c->found);
    if (c->fix)
        print_wrapped("   to do:     ", "              ", c->fix);
    const char *const *causes = evidence_causes(c);
    for (size_t i = 0; causes && causes[i]; i++)
        print_wrapped(i ? "              - " : "   usually:   - ", "                ", causes[i]);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* A check that lacks what an earlier one lacked (one certificate leaves several open) is listed with that one. */
static bool lacks_same(const struct tst_check *a, const struct tst_check *b)
{
    return a->outcome == TST_CHECK_MISSING && b->outcome == TST_CHECK_MISSING && same_text(a->found, b->found) && same_text(a->fix, b->fix);
}

static bool told_before(const struct tst_verdict *v, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (lacks_same(&v->checks[j], &v->checks[i]))
            return true;
    return false;
}

static void explain_followers(const struct tst_verdict *v, size_t i)
{
    TST_AUTO_BUF ids = {0};
    for (size_t j = i + 1; j < v->check_count; j++)
        if (lacks_same(&v->checks[i], &v->checks[j]))
            tst_buf_printf(&ids, NULL, "%s%s", ids.n ? ", " : "", v->checks[j].info->id);
    if (ids.n)
        print_wrapped("   also:      ", "              ", (const char *)ids.p);
}

static void explain_outcome(const struct tst_verdict *v, int status)
{
    if (status == 0 && !v->policy_given)
        print_wrapped("", "", "This evidence is authentic: a SEV-SNP processor of AMD signed it, and the certificates are AMD's. Whose software "
                              "was started, and whether firmware and settings are good enough, was not asked: give a --policy.");
    else if (status == 0)
        print_wrapped("", "", "This evidence holds: it is authentic, and everything that the policy asks for is so.");
    else if (status == tst_exit_status(TST_REFUTED))
        print_wrapped("", "", "This evidence is refuted: something of it is there and is not right. It proves nothing, whatever else holds. Look at "
                              "the first point first; what follows is often its consequence.");
    else if (status == tst_exit_status(TST_DENIED))
        print_wrapped("", "", "This evidence is authentic, and the policy refuses what it says.");
    else
        print_wrapped("", "", "Nothing speaks against this evidence, but something needed to decide is missing.");
}

static void explain(const struct tst_container *container, const struct tst_verdict *v)
{
    int status = tst_verdict_exit_status(v);
    unsigned number = 0, open = 0, passed = 0, skipped = 0;
    TST_AUTO_STR what = evidence_describe(container);
    printf("%s: %s", v->report_parsed ? tst_snp_product_name(v->product) : "evidence", what ? what : "");
    printf("%s\n\n", v->simulated ? ". SIMULATED: signed by a software secure processor; no hardware stands behind it" : "");
    explain_outcome(v, status);
    for (size_t i = 0; i < v->check_count; i++) {
        passed += v->checks[i].outcome == TST_CHECK_PASS;
        skipped += v->checks[i].outcome == TST_CHECK_SKIP;
        open += is_open(&v->checks[i]);
        if (!is_open(&v->checks[i]) || told_before(v, i))
            continue;
        explain_check(++number, &v->checks[i]);
        explain_followers(v, i);
    }
    printf("\n%u checks hold, %u do not or cannot be decided, %u were not asked for (`testudo evidence verify` lists them).\n", passed, open,
           skipped);
    if (status == 0 && v->policy_given && v->acpi == 0)
        print_wrapped("", "", "The kernel runs code in ACPI tables that the host supplies: the host is trusted that far.");
}

static json_t *causes_json(const struct tst_check *c)
{
    json_t *list = json_array();
    const char *const *causes = evidence_causes(c);
    for (size_t i = 0; list && causes && causes[i]; i++)
        json_array_append_new(list, json_string(causes[i]));
    return list;
}

static int explain_json(const struct evidence_input *e, const struct tst_verdict *v, struct tst_error **err)
{
    TST_AUTO_JSON o = NULL;
    json_t *container = NULL;
    int rc = tst_verdict_json(v, &o, err);
    if (rc == 0)
        rc = evidence_container_json(&e->container, &container, err);
    if (rc == 0 && json_object_set_new(o, "container", container) < 0)
        rc = tst_fail(err, TST_INTERNAL, "out of memory");
    json_t *checks = json_object_get(o, "checks");
    for (size_t i = 0; rc == 0 && i < v->check_count; i++)
        if (is_open(&v->checks[i]) && json_object_set_new(json_array_get(checks, i), "usual-causes", causes_json(&v->checks[i])) < 0)
            rc = tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0)
        cli_print_json(o);
    return rc;
}

static int evidence_explain(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_INPUT e = {0};
    TST_AUTO_VERDICT v = NULL;
    int rc = evidence_input_load(self, args, &e, err);
    if (rc == 0)
        rc = tst_appraise(&e.in, &v, err);
    if (rc)
        return rc;
    if (cli_value(self, args, "--json"))
        rc = explain_json(&e, v, err);
    else
        explain(&e.container, v);
    return rc < 0 ? rc : tst_verdict_exit_status(v);
}

const struct cli_command cmd_evidence_explain = {
    .name = "evidence explain",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "say in words why evidence holds or not, and what to do",
    .exits = "0 holds, 1 refuted, 2 bad usage or input, 3 something needed is missing, 4 refused by policy",
    .options = {EVIDENCE_OPTIONS, {"--json", NULL, "print as JSON"}},
    .run = evidence_explain,
};
