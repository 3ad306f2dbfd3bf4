/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_evidence.c - `testudo evidence verify`: appraise one report offline and show every check. */
#include <stdlib.h>
#include <time.h>

#include <testudo/appraise.h>

#include "cli.h"

#define REPORT_FILE_MAX (64 * 1024)
#define CERT_FILE_MAX (64 * 1024)
#define CHAIN_CERTS_MAX 3

/* ---- input ---- */
static int load_report(const char *path, char **bytes, struct tst_bytes *out, struct tst_error **err)
{
    size_t n = 0;
    int rc = cli_read_file(path, REPORT_FILE_MAX, bytes, &n, err);
    if (rc < 0)
        return rc;
    if (n != TST_SNP_REPORT_BYTES) {
        tst_fail(err, TST_USAGE, "%s: %zu bytes, a raw report has %d", path, n, TST_SNP_REPORT_BYTES);
        return tst_hint(err, NULL, NULL,
                        "cut the report out: Azure HCL blobs, MSG_REPORT_RSP answers, extended reports and text forms are not "
                        "read by this version");
    }
    *out = (struct tst_bytes){(const uint8_t *)*bytes, n};
    return 0;
}

static int load_certs(const char *path, struct tst_cert **list, size_t max, size_t *count, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0;
    int rc = cli_read_file(path, CERT_FILE_MAX, &text, &n, err);
    if (rc == 0)
        rc = tst_certs_from_text(text, n, list, max, count, err);
    return rc < 0 ? tst_wrap(err, "%s", path) : 0;
}

/* Which of the three a certificate is, by who issued it: itself (ARK), else a CA (ASK), else the VCEK. */
static int place_cert(struct tst_cert *c, struct tst_snp_certs *certs, struct tst_error **err)
{
    struct tst_cert_info info;
    int rc = tst_cert_info(c, &info, err);
    if (rc < 0)
        return rc;
    struct tst_cert **slot = info.self_issued ? &certs->ark : info.ca ? &certs->ask : &certs->vek;
    if (*slot)
        return tst_fail(err, TST_USAGE, "'%s' is one too many: a chain is one ARK, one ASK and at most one VCEK",
                        info.subject_cn);
    *slot = tst_cert_ref(c);
    return 0;
}

static int load_chain(const char *path, struct tst_snp_certs *certs, struct tst_error **err)
{
    struct tst_cert *list[CHAIN_CERTS_MAX] = {NULL};
    size_t count = 0;
    int rc = load_certs(path, list, TST_COUNT(list), &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = place_cert(list[i], certs, err);
        if (rc < 0)
            tst_wrap(err, "%s", path);
    }
    for (size_t i = 0; i < TST_COUNT(list); i++)
        tst_cert_free(list[i]);
    return rc;
}

/* An include's path counts from the folder of the policy that says it. */
static int include_file(void *ctx, const char *path, char **text, size_t *n, struct tst_error **err)
{
    const char *policy = ctx, *slash = strrchr(policy, '/');
    int folder = path[0] == '/' || !slash ? 0 : (int)(slash - policy) + 1;
    TST_AUTO_STR full = tst_strdup_printf("%.*s%s", folder, policy, path);
    if (!full)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    return cli_read_file(full, TST_YAML_MAX_BYTES, text, n, err);
}

static int load_policy(const char *path, struct tst_policy **out, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0;
    int rc = cli_read_file(path, TST_YAML_MAX_BYTES, &text, &n, err);
    return rc < 0 ? rc : tst_policy_parse(path, text, n, include_file, (void *)(uintptr_t)path, out, err);
}

static int read_product(const char *name, enum tst_snp_product *out, struct tst_error **err)
{
    *out = name ? tst_snp_product_of(name) : TST_SNP_UNKNOWN;
    if (name && !*out)
        return tst_fail(err, TST_USAGE, "--product %s: expected milan, genoa or turin", name);
    return 0;
}

static int read_time(const char *text, time_t *out, struct tst_error **err)
{
    *out = time(NULL);
    int rc = text ? tst_time_parse(text, out, err) : 0;
    return rc < 0 ? tst_wrap(err, "--at") : 0;
}

/* ---- output ---- */
static const char *mark(enum tst_outcome o)
{
    static const char *const marks[] = {
        [TST_CHECK_PASS] = "ok", [TST_CHECK_FAIL] = "FAIL", [TST_CHECK_MISSING] = "MISSING", [TST_CHECK_SKIP] = "-"};
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

static void print_verdict(const struct tst_verdict *v)
{
    int status = tst_verdict_exit_status(v);
    const char *fix = NULL;

    if (v->simulated)
        puts("SIMULATED: signed by a software secure processor; no hardware stands behind this evidence");
    for (size_t i = 0; i < v->check_count; i++)
        print_check(&v->checks[i], &fix);
    if (status == 0)
        print_holds(v);
    else
        print_refused(v, status);
    if (!v->policy_given)
        puts("authenticity only: no policy was given, so neither software nor firmware level were judged");
}

static int show(const struct tst_verdict *v, time_t at, bool json, struct tst_error **err)
{
    TST_AUTO_JSON o = NULL;
    char when[TST_TIME_BYTES];
    if (!json) {
        print_verdict(v);
        return tst_verdict_exit_status(v);
    }
    tst_time_print(at, when);
    int rc = tst_verdict_json(v, &o, err);
    if (rc < 0)
        return rc;
    if (json_object_set_new(o, "at", json_string(when)) < 0)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    cli_print_json(o);
    return tst_verdict_exit_status(v);
}

/* ---- the command ---- */
static int load_all(const struct cli_command *self, const struct cli_args *args, struct tst_evidence *evidence, char **bytes,
                    struct tst_policy **policy, struct tst_error **err)
{
    const char *vek = cli_value(self, args, "--vek"), *chain = cli_value(self, args, "--chain");
    const char *policy_path = cli_value(self, args, "--policy");
    size_t count = 0;
    int rc = load_report(args->rest[0], bytes, &evidence->report, err);
    if (rc == 0 && vek)
        rc = load_certs(vek, &evidence->certs.vek, 1, &count, err);
    if (rc == 0 && chain)
        rc = load_chain(chain, &evidence->certs, err);
    if (rc == 0 && policy_path)
        rc = load_policy(policy_path, policy, err);
    return rc;
}

static int evidence_verify(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    struct tst_evidence evidence = {0};
    struct tst_appraise_in in = {.evidence = &evidence};
    TST_AUTO_STR bytes = NULL;
    TST_AUTO_POLICY policy = NULL;
    TST_AUTO_VERDICT verdict = NULL;

    int rc = read_product(cli_value(self, args, "--product"), &in.product, err);
    if (rc == 0)
        rc = read_time(cli_value(self, args, "--at"), &in.now, err);
    if (rc == 0)
        rc = load_all(self, args, &evidence, &bytes, &policy, err);
    in.policy = policy;
    if (rc == 0)
        rc = tst_appraise(&in, &verdict, err);
    tst_snp_certs_clear(&evidence.certs);
    return rc ? rc : show(verdict, in.now, cli_value(self, args, "--json") != NULL, err);
}

const struct cli_command cmd_evidence_verify = {
    .name = "evidence verify",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "appraise an SEV-SNP attestation report (raw, 1184 bytes), offline",
    .exits = "0 holds, 1 refuted, 2 bad usage or input, 3 something needed is missing, 4 refused by policy",
    .options =
        {
            {"--vek", "FILE", "VCEK certificate, DER or PEM"},
            {"--chain", "FILE", "ASK and ARK, PEM, in any order"},
            {"--product", "NAME", "milan, genoa or turin; needed only where the evidence does not say it"},
            {"--policy", "FILE", "judge by this policy too; without it only authenticity is judged"},
            {"--at", "RFC3339", "judge as of this time (default: now)"},
            {"--json", NULL, "print the verdict as JSON"},
        },
    .run = evidence_verify,
};
