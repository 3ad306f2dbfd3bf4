/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_sev_verify.c - `testudo sev verify`: a legacy SEV platform's chain, and the verdict for the commands that need it. */
#include <stdlib.h>

#include "cmd_sev.h"

/* ---- input ---- */
static const struct {
    const char *option;
    int role; /* enum tst_sev_role that must come out of the file; -1 = any */
} sources[] = {
    {"--chain", -1},
    {"--pdh", TST_SEV_ROLE_PDH},
    {"--pek", TST_SEV_ROLE_PEK},
    {"--oca", TST_SEV_ROLE_OCA},
    {"--cek", TST_SEV_ROLE_CEK},
    {"--ask", TST_SEV_ROLE_ASK},
    {"--ark", TST_SEV_ROLE_ARK},
    {"--ca", -1},
};

static int add_file(const char *option, const char *path, int role, struct tst_sev_chain *chain, struct tst_error **err)
{
    TST_AUTO_STR bytes = NULL;
    size_t n = 0;
    int rc = cli_read_file(path, TST_SEV_CHAIN_MAX_BYTES, &bytes, &n, err);
    if (rc < 0)
        return rc;
    bool had = role >= 0 && chain->has[role];
    rc = tst_sev_chain_add(chain, bytes, n, err);
    if (rc == 0 && role >= 0 && (had || !chain->has[role]))
        rc = tst_fail(err, TST_USAGE, "holds no %s certificate", tst_sev_role_name((enum tst_sev_role)role));
    if (rc < 0)
        tst_wrap(err, "%s %s", option, path);
    return rc;
}

int sev_platform_read(const struct cli_command *self, const struct cli_args *args, struct sev_platform *out, struct tst_error **err)
{
    const char *root = cli_value(self, args, "--simulated-root");
    int rc = 0;
    memset(out, 0, sizeof *out);
    if (root) {
        rc = tst_unhex(root, out->root.spki_sha256, sizeof out->root.spki_sha256, err);
        if (rc < 0)
            tst_wrap(err, "--simulated-root");
        snprintf(out->root.product, sizeof out->root.product, "simulated");
        out->has_root = true;
    }
    for (size_t i = 0; rc == 0 && i < TST_COUNT(sources); i++) {
        const char *path = cli_value(self, args, sources[i].option);
        if (path)
            rc = add_file(sources[i].option, path, sources[i].role, &out->chain, err);
    }
    return rc < 0 ? rc : tst_sev_chain_verify(&out->chain, out->has_root ? &out->root : NULL, &out->verdict, err);
}

int sev_platform_require(const struct cli_command *self, const struct cli_args *args, struct sev_platform *out, struct tst_error **err)
{
    int rc = sev_platform_read(self, args, out, err);
    const struct tst_sev_check *c = rc < 0 ? NULL : tst_sev_verdict_first(&out->verdict);
    if (!c)
        return rc;
    rc = tst_fail(err, c->outcome == TST_SEV_FAIL ? TST_REFUTED : TST_UNDECIDABLE, "platform not proven genuine: %s: %s", c->id, c->found);
    tst_reason(err, c->reason);
    tst_hint(err, c->meaning, NULL, c->fix);
    return rc;
}

/* ---- output ---- */
int sev_outcome_status(enum tst_sev_outcome o)
{
    static const int status[] = {[TST_SEV_PASS] = 0, [TST_SEV_FAIL] = TST_REFUTED, [TST_SEV_MISSING] = TST_UNDECIDABLE};
    return o == TST_SEV_PASS ? 0 : tst_exit_status((enum tst_code)status[o]);
}

const char *sev_outcome_word(enum tst_sev_outcome o)
{
    static const char *const words[] = {[TST_SEV_PASS] = "pass", [TST_SEV_FAIL] = "fail", [TST_SEV_MISSING] = "missing"};
    return words[o];
}

static const char *mark_of(const struct tst_sev_verdict *v, const char *id)
{
    static const char *const marks[] = {[TST_SEV_PASS] = "ok", [TST_SEV_FAIL] = "FAIL", [TST_SEV_MISSING] = "MISSING"};
    for (size_t i = 0; i < TST_SEV_CHECKS; i++)
        if (strcmp(v->checks[i].id, id) == 0)
            return marks[v->checks[i].outcome];
    abort();
}

/* Who signs whom, with the outcome at each arrow. */
static void draw(const struct tst_sev_verdict *v)
{
    printf("  AMD    pin --%s--> ARK (itself %s) --%s--> ASK --%s--> CEK --%s--> PEK --%s--> PDH\n", mark_of(v, "chain.ark-pin"),
           mark_of(v, "chain.ark-signature"), mark_of(v, "chain.ask-signature"), mark_of(v, "chain.cek-signature"),
           mark_of(v, "chain.pek-signature-cek"), mark_of(v, "chain.pdh-signature"));
    printf("  owner  OCA (itself %s) --%s--> PEK\n\n", mark_of(v, "chain.oca-signature"), mark_of(v, "chain.pek-signature-oca"));
}

void sev_verdict_print(const struct tst_sev_verdict *v)
{
    if (v->simulated)
        puts("SIMULATED: the root is named by the caller; no hardware stands behind this platform");
    draw(v);
    for (size_t i = 0; i < TST_SEV_CHECKS; i++) {
        const struct tst_sev_check *c = &v->checks[i];
        printf("  %-8s%-28s%s\n", mark_of(v, c->id), c->id, c->found);
        if (c->outcome == TST_SEV_FAIL)
            printf("  %-8s%-28sexpected: %s\n  %-8s%-28sto do: %s\n", "", "", c->meaning, "", "", c->fix);
    }
    const struct tst_sev_check *first = tst_sev_verdict_first(v);
    if (!first)
        printf("verdict: genuine%s platform, product %s\n", v->simulated ? " (SIMULATED)" : "", v->product);
    else
        printf("verdict: %s, by %s (%s)\n", first->outcome == TST_SEV_FAIL ? "refuted" : "undecidable", first->id, first->reason);
}

int sev_verdict_json(const struct tst_sev_verdict *v, json_t **out, struct tst_error **err)
{
    TST_AUTO_JSON checks = json_array();
    for (size_t i = 0; checks && i < TST_SEV_CHECKS; i++) {
        const struct tst_sev_check *c = &v->checks[i];
        json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:s*}", "id", c->id, "outcome", sev_outcome_word(c->outcome), "meaning",
                              c->meaning, "source", c->source, "found", c->found, "reason", c->reason, "fix", c->fix);
        if (json_array_append_new(checks, o) < 0)
            return tst_fail(err, TST_INTERNAL, "out of memory");
    }
    *out = json_pack("{s:s, s:s?, s:b, s:i, s:O}", "outcome", sev_outcome_word(v->outcome), "product", v->product, "simulated",
                     v->simulated, "exit-status", sev_outcome_status(v->outcome), "checks", checks);
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

/* ---- the command ---- */
static int sev_verify(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    struct sev_platform p;
    TST_AUTO_JSON o = NULL;
    int rc = sev_platform_read(self, args, &p, err);
    if (rc < 0)
        return rc;
    if (!cli_value(self, args, "--json")) {
        sev_verdict_print(&p.verdict);
        return sev_outcome_status(p.verdict.outcome);
    }
    rc = sev_verdict_json(&p.verdict, &o, err);
    if (rc < 0)
        return rc;
    cli_print_json(o);
    return sev_outcome_status(p.verdict.outcome);
}

const struct cli_command cmd_sev_verify = {
    .name = "sev verify",
    .operands = "",
    .summary = "verify a legacy SEV platform: PDH, PEK, OCA, CEK, ASK, ARK up to AMD's pinned root, offline",
    .exits = "0 genuine, 1 refuted, 2 bad usage or input, 3 a certificate is missing",
    .options = {SEV_CHAIN_OPTIONS, {"--json", NULL, "print the verdict as JSON"}},
    .run = sev_verify,
};
