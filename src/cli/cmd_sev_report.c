/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_sev_report.c - `testudo sev report verify`: an attestation report of a running legacy SEV guest, against its PEK
 * and the PEK against AMD's root. */
#include <stdlib.h>

#include "cmd_sev.h"

struct expectation {
    const char *id, *option;
    const uint8_t *found;
    size_t n;
    enum tst_sev_outcome outcome;
    bool asked;
};
#define EXPECTATIONS 3

static enum tst_sev_outcome worse(enum tst_sev_outcome a, enum tst_sev_outcome b)
{
    return a == TST_SEV_FAIL || b == TST_SEV_PASS ? a : b;
}

/* What the caller expects of mnonce, digest and policy. */
static int expect(const struct cli_command *self, const struct cli_args *args, struct expectation list[EXPECTATIONS], struct tst_error **err)
{
    for (size_t i = 0; i < EXPECTATIONS; i++) {
        uint8_t wanted[32];
        const char *text = cli_value(self, args, list[i].option);
        list[i].asked = text != NULL;
        if (!text)
            continue;
        int rc = sev_read_bytes(list[i].option, text, wanted, list[i].n, err);
        if (rc < 0)
            return rc;
        list[i].outcome = memcmp(wanted, list[i].found, list[i].n) == 0 ? TST_SEV_PASS : TST_SEV_FAIL;
    }
    return 0;
}

static int judge_signature(const struct tst_sev_report *r, const struct sev_platform *p, enum tst_sev_outcome *out, struct tst_error **err)
{
    *out = TST_SEV_MISSING;
    if (!p->chain.has[TST_SEV_ROLE_PEK])
        return 0;
    int rc = tst_sev_report_verify(r, &p->chain.cert[TST_SEV_ROLE_PEK], err);
    if (rc == -TST_INTERNAL)
        return rc;
    *out = rc ? TST_SEV_FAIL : TST_SEV_PASS;
    tst_error_free(TST_STEAL(*err)); /* the verdict says it */
    return 0;
}

static void print(const struct sev_platform *p, enum tst_sev_outcome signature, const struct expectation *list, enum tst_sev_outcome all)
{
    static const char *const marks[] = {[TST_SEV_PASS] = "ok", [TST_SEV_FAIL] = "FAIL", [TST_SEV_MISSING] = "MISSING"};
    sev_verdict_print(&p->verdict);
    printf("\n  %-8s%-28s%s\n", marks[signature], "report.signature", signature == TST_SEV_MISSING ? "no PEK certificate" : "by the PEK, over bytes 0 to 0x33");
    for (size_t i = 0; i < EXPECTATIONS; i++) {
        char hex[65];
        tst_hex(list[i].found, list[i].n, hex);
        printf("  %-8s%-28s%s%s\n", list[i].asked ? marks[list[i].outcome] : "-", list[i].id, hex, list[i].asked ? "" : " (not asked for)");
    }
    if (!list[0].asked)
        puts("no --mnonce was given: nothing says that this report is not an old one");
    printf("report: %s%s\n", all == TST_SEV_PASS ? "holds" : all == TST_SEV_FAIL ? "refuted" : "undecidable", p->verdict.simulated ? " (SIMULATED)" : "");
}

static int print_json(const struct sev_platform *p, enum tst_sev_outcome signature, const struct expectation *list,
                      enum tst_sev_outcome all, struct tst_error **err)
{
    json_t *chain = NULL;
    TST_AUTO_JSON o = json_pack("{s:s, s:b, s:s, s:i}", "outcome", sev_outcome_word(all), "simulated", p->verdict.simulated,
                                "report.signature", sev_outcome_word(signature), "exit-status", sev_outcome_status(all));
    int rc = o ? sev_verdict_json(&p->verdict, &chain, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0 && json_object_set_new(o, "chain", chain) < 0)
        rc = tst_fail(err, TST_INTERNAL, "out of memory");
    for (size_t i = 0; rc == 0 && i < EXPECTATIONS; i++)
        if (json_object_set_new(o, list[i].id, json_string(list[i].asked ? sev_outcome_word(list[i].outcome) : "skip")) < 0)
            rc = tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0)
        cli_print_json(o);
    return rc;
}

static int report_judge(const struct cli_command *self, const struct cli_args *args, const struct tst_sev_report *r, struct tst_error **err)
{
    struct sev_platform p;
    enum tst_sev_outcome signature = TST_SEV_MISSING, all;
    const uint8_t policy[4] = {(uint8_t)(r->policy >> 24), (uint8_t)(r->policy >> 16), (uint8_t)(r->policy >> 8), (uint8_t)r->policy};
    struct expectation list[EXPECTATIONS] = {
        {"report.mnonce", "--mnonce", r->mnonce, sizeof r->mnonce, TST_SEV_PASS, false},
        {"report.launch-digest", "--digest", r->digest, sizeof r->digest, TST_SEV_PASS, false},
        {"report.policy", "--policy", policy, sizeof policy, TST_SEV_PASS, false},
    };
    int rc = sev_platform_read(self, args, &p, err);
    rc = rc ? rc : judge_signature(r, &p, &signature, err);
    rc = rc ? rc : expect(self, args, list, err);
    if (rc < 0)
        return rc;
    all = worse(p.verdict.outcome, signature);
    for (size_t i = 0; i < EXPECTATIONS; i++)
        all = worse(all, list[i].outcome);
    if (!cli_value(self, args, "--json"))
        print(&p, signature, list, all);
    else
        rc = print_json(&p, signature, list, all, err);
    return rc < 0 ? rc : sev_outcome_status(all);
}

static int sev_report_verify(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    struct tst_sev_report r;
    uint8_t raw[TST_SEV_REPORT_BYTES];
    int rc = sev_read_bytes("report", args->rest[0], raw, sizeof raw, err);
    rc = rc ? rc : tst_sev_report_parse(raw, sizeof raw, &r, err);
    return rc ? rc : report_judge(self, args, &r, err);
}

const struct cli_command cmd_sev_report_verify = {
    .name = "sev report verify",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "verify an attestation report of a SEV or SEV-ES guest (208 bytes), its PEK and the platform's whole chain",
    .exits = "0 holds, 1 refuted, 2 bad usage or input, 3 a certificate is missing",
    .options = {SEV_CHAIN_OPTIONS,
                {"--mnonce", "HEX", "nonce that the report must carry, 16 bytes"},
                {"--digest", "HEX", "launch digest that it must carry, 32 bytes"},
                {"--policy", "HEX", "guest policy that it must carry, 8 digits"},
                {"--json", NULL, "print the verdict as JSON"}},
    .run = sev_report_verify,
};
