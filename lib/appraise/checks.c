/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/checks.c - the table of checks: what is judged, in which order, from which source, and what must be there to
 * judge it. All that lists checks (every verdict, --json, docs/checks.md) comes from this table. */
#include "checks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define AMD_REPORT "AMD 56860, ATTESTATION_REPORT"
#define AMD_VEK "AMD 57230"
#define POLICY "docs/policy.md"

/* id, meaning, source, judged without a policy too; needs, function */
#define CHECKS(X)                                                                                                      \
    X("report.parse", "the report has its size, and behind the signed part there is the signature and else zero",      \
      AMD_REPORT, true, 0, check_report_parse)                                                                         \
    X("report.version", "the report's version is one whose layout is known (2 to 5)",                                  \
      AMD_REPORT, true, 0, check_report_version)                                                                       \
    X("report.signature-algorithm", "the report says that it is signed with ECDSA P-384 and SHA-384",                  \
      AMD_REPORT, true, NEED_REPORT, check_signature_algorithm)                                                        \
    X("report.signing-key", "a VCEK or VLEK signed the report, by its own word and by the certificate; a masked chip key signs nothing", \
      AMD_REPORT, true, NEED_REPORT, check_signing_key)                                                                \
    X("product", "VCEK, CPUID of the report (version 3 on) and the caller name one product",                           \
      AMD_VEK, true, 0, check_product)                                                                                 \
    X("chain.ark-pin", "the root key is AMD's for this product, or a simulator's that the policy names",               \
      "share/ark-pins.tsv", true, NEED_ARK, check_ark_pin)                                                             \
    X("chain.ark-self-signature", "the root is a CA with an RSA-4096 key, signed by itself (PSS, SHA-384)",            \
      AMD_VEK, true, NEED_ARK, check_ark_self_signature)                                                               \
    X("chain.ask", "the ASK is a CA with an RSA-4096 key, signed by the root (PSS, SHA-384)",                          \
      AMD_VEK, true, NEED_ASK | NEED_ARK, check_ask)                                                                   \
    X("chain.vek", "the VCEK has a P-384 key, is no CA and is signed by the ASK (PSS, SHA-384)",                       \
      AMD_VEK, true, NEED_VEK | NEED_ASK, check_vek)                                                                   \
    X("chain.dates", "all three certificates are valid at the time of the appraisal",                                  \
      "RFC 5280, 4.1.2.5", true, NEED_VEK | NEED_ASK | NEED_ARK, check_dates)                                          \
    X("vek.extensions", "the VCEK has every AMD extension of its product, each in its canonical form",                 \
      AMD_VEK, true, NEED_VEK, check_vek_extensions)                                                                   \
    X("report.signature", "the signature over bytes 0 to 0x29F of the report verifies with the VCEK's key",            \
      AMD_REPORT, true, NEED_REPORT | NEED_VEK, check_report_signature)                                                \
    X("tcb.vek", "the reported TCB is the one that the VCEK was issued for",                                           \
      AMD_VEK, true, NEED_REPORT | NEED_VEK_CLAIMS, check_tcb_vek)                                                     \
    X("chip.vek", "the chip id of the report is the one that the VCEK was issued for (a VLEK is for no chip)",                                 \
      AMD_VEK, true, NEED_REPORT | NEED_VEK_CLAIMS, check_chip_vek)                                                    \
    X("binding.report-data", "REPORT_DATA is what the caller expects, and not zero",                                   \
      AMD_REPORT, true, NEED_REPORT, check_report_data)                                                                \
    X("tcb.order", "reported TCB <= committed TCB <= current TCB, component by component",                             \
      AMD_REPORT, false, NEED_POLICY | NEED_REPORT | NEED_PRODUCT | MAY_WARN, check_tcb_order)                         \
    X("policy.simulated", "the root is AMD's, or a simulator's that the policy names",                                 \
      POLICY, false, NEED_POLICY | NEED_ARK, check_policy_simulated)                                                   \
    X("policy.product", "the policy names the product",                                                                \
      POLICY, false, NEED_POLICY | NEED_PRODUCT | MAY_WARN, check_policy_product)                                      \
    X("policy.measurement", "the launch digest is a reference value of the policy that has not expired",               \
      POLICY, false, NEED_POLICY | NEED_REPORT | MAY_WARN, check_policy_measurement)                                   \
    X("policy.tcb-floor", "reported, committed and launch TCB reach the policy's floor, component by component",       \
      POLICY, false, NEED_POLICY | NEED_REPORT | NEED_PRODUCT | MAY_WARN, check_policy_tcb_floor)                      \
    X("policy.debug", "the host cannot debug the guest",                                                               \
      POLICY, false, NEED_POLICY | NEED_REPORT, check_policy_debug)                                                    \
    X("policy.migration-agent", "no migration agent can export the guest",                                             \
      POLICY, false, NEED_POLICY | NEED_REPORT, check_policy_migration_agent)                                          \
    X("policy.vmpl", "the report was asked for at the policy's privilege level",                                       \
      POLICY, false, NEED_POLICY | NEED_REPORT, check_policy_vmpl)                                                     \
    X("policy.chip", "the chip is one of the policy's",                                                                \
      POLICY, false, NEED_POLICY | NEED_REPORT | MAY_WARN, check_policy_chip)                                          \
    X("policy.milan", "the chip is no Milan, whose reports whoever has its root seed can forge, or one that the policy lists", \
      POLICY, false, NEED_POLICY | NEED_PRODUCT, check_policy_milan)                                                   \
    X("policy.report-version", "the report's version is the policy's lowest or a later one",                           \
      POLICY, false, NEED_POLICY | NEED_REPORT | MAY_WARN, check_policy_report_version)                                \
    X("policy.firmware", "current and committed firmware are the policy's lowest versions or later ones",              \
      POLICY, false, NEED_POLICY | NEED_REPORT | MAY_WARN, check_policy_firmware)                                      \
    X("policy.provisional-firmware", "the firmware that runs is the one that was reported and committed, so it cannot be rolled back", \
      POLICY, false, NEED_POLICY | NEED_REPORT | NEED_PRODUCT | MAY_WARN, check_policy_provisional)                    \
    X("policy.mitigations", "the policy's bits of the launch and current mitigation vectors are set (version 5 on)",   \
      POLICY, false, NEED_POLICY | NEED_REPORT | NEED_PRODUCT | MAY_WARN, check_policy_mitigations)                    \
    X("policy.guest-policy", "bits and ABI version of the guest's policy are as the policy says",                      \
      POLICY, false, NEED_POLICY | NEED_REPORT | MAY_WARN, check_policy_guest_bits)                                    \
    X("policy.platform-info", "the host's settings in PLATFORM_INFO are as the policy says",                           \
      POLICY, false, NEED_POLICY | NEED_REPORT | MAY_WARN, check_policy_platform_info)                                 \
    X("policy.guest-svn", "the guest's security version number reaches the policy's lowest",                           \
      POLICY, false, NEED_POLICY | NEED_REPORT | MAY_WARN, check_policy_guest_svn)                                     \
    X("policy.id-key", "the ID block was signed with a key of the policy",                                             \
      POLICY, false, NEED_POLICY | NEED_REPORT | MAY_WARN, check_policy_id_key)                                        \
    X("policy.author-key", "the ID key was signed with an author key of the policy",                                   \
      POLICY, false, NEED_POLICY | NEED_REPORT | MAY_WARN, check_policy_author_key)                                    \
    X("policy.family-id", "FAMILY_ID is one of the policy's",                                                          \
      POLICY, false, NEED_POLICY | NEED_REPORT | MAY_WARN, check_policy_family_id)                                     \
    X("policy.image-id", "IMAGE_ID is one of the policy's",                                                            \
      POLICY, false, NEED_POLICY | NEED_REPORT | MAY_WARN, check_policy_image_id)                                      \
    X("policy.host-data", "HOST_DATA is one of the policy's",                                                          \
      POLICY, false, NEED_POLICY | NEED_REPORT | MAY_WARN, check_policy_host_data)                                     \
    X("policy.vlek", "a chip's own key signed the report, or the policy takes a provider's",                          \
      POLICY, false, NEED_POLICY | NEED_REPORT, check_policy_vlek)                                                     \
    X("policy.crl", "no certificate of the chain is revoked, by a list that is fresh enough",                          \
      POLICY, false, NEED_POLICY, check_policy_crl)                                                                    \
    X("policy.level", "the level that the reference value stands for reaches the policy's minimum",                    \
      POLICY, false, NEED_POLICY | NEED_REPORT, check_policy_level)

static const struct tst_check_info infos[] = {
#define CHECK_INFO(id, meaning, source, authenticity, needs, run) {id, meaning, source, authenticity},
    CHECKS(CHECK_INFO)
#undef CHECK_INFO
};

static const struct {
    unsigned needs;
    check_fn *run;
} rules[] = {
#define CHECK_RULE(id, meaning, source, authenticity, needs, run) {needs, run},
    CHECKS(CHECK_RULE)
#undef CHECK_RULE
};

_Static_assert(TST_COUNT(infos) <= 64, "a policy keeps one bit a check");

bool check_may_warn(size_t i)
{
    return i < TST_COUNT(rules) && (rules[i].needs & MAY_WARN) != 0;
}

const struct tst_check_info *tst_checks(size_t *count)
{
    *count = TST_COUNT(infos);
    return infos;
}

/* Names in certificates are the sender's: nothing of them reaches a terminal or a log row as a control character. */
static void clean(char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e)
            *text = '?';
}

static int conclude(struct tst_check *c, const char *expected, const char *fix, const char *found, va_list ap)
{
    c->expected = expected ? strdup(expected) : NULL;
    c->fix = fix ? strdup(fix) : NULL;
    if ((expected && !c->expected) || (fix && !c->fix))
        return -TST_INTERNAL;
    if (vasprintf(&c->found, found, ap) < 0) {
        c->found = NULL;
        return -TST_INTERNAL;
    }
    clean(c->found);
    return 0;
}

int check_pass(struct tst_check *c, const char *found, ...)
{
    va_list ap;
    va_start(ap, found);
    int rc = conclude(c, NULL, NULL, found, ap);
    va_end(ap);
    c->outcome = rc == 0 ? TST_CHECK_PASS : TST_CHECK_FAIL;
    return rc;
}

int check_fail(struct tst_check *c, const char *expected, const char *fix, const char *found, ...)
{
    va_list ap;
    va_start(ap, found);
    c->outcome = TST_CHECK_FAIL;
    int rc = conclude(c, expected, fix, found, ap);
    va_end(ap);
    return rc;
}

int check_missing(struct tst_check *c, const char *expected, const char *fix, const char *found, ...)
{
    va_list ap;
    va_start(ap, found);
    c->outcome = TST_CHECK_MISSING;
    int rc = conclude(c, expected, fix, found, ap);
    va_end(ap);
    return rc;
}

int check_warn(struct tst_check *c, const char *expected, const char *fix, const char *found, ...)
{
    va_list ap;
    va_start(ap, found);
    c->outcome = TST_CHECK_WARN;
    int rc = conclude(c, expected, fix, found, ap);
    va_end(ap);
    return rc;
}

int check_skip(struct tst_check *c, const char *why)
{
    c->outcome = TST_CHECK_SKIP;
    c->found = strdup(why);
    return c->found ? 0 : -TST_INTERNAL;
}

/* ---- what a check needs ---- */
enum need_state { NEED_MET, NEED_ENDED /* the check has its outcome */ };

/* A certificate that is there but cannot be read refutes; one that is not there leaves the check open. */
static int need_cert(const struct appraisal *a, const struct cert_fact *f, struct tst_check *c, enum need_state *state)
{
    if (f->readable)
        return 0;
    *state = NEED_ENDED;
    if (f->cert)
        return check_fail(c, "a readable certificate", NULL, "%s: %s", f->name,
                          f->error ? f->error->text : "unreadable");
    TST_AUTO_STR fix = check_where_to_get(a, f);
    return check_missing(c, NULL, fix, "no %s certificate", f->name);
}

static int needs_met(const struct appraisal *a, unsigned needs, struct tst_check *c, enum need_state *state)
{
    const struct {
        unsigned need;
        const struct cert_fact *cert;
    } certs[] = {{NEED_VEK | NEED_VEK_CLAIMS, &a->vek}, {NEED_ASK, &a->ask}, {NEED_ARK, &a->ark}};
    int rc = 0;

    if ((needs & NEED_POLICY) && !a->policy) {
        *state = NEED_ENDED;
        return check_skip(c, "no policy was given");
    }
    if ((needs & NEED_REPORT) && !a->report) {
        *state = NEED_ENDED;
        return check_missing(c, NULL, NULL, "the report cannot be read");
    }
    for (size_t i = 0; rc == 0 && *state == NEED_MET && i < TST_COUNT(certs); i++)
        if (needs & certs[i].need)
            rc = need_cert(a, certs[i].cert, c, state);
    if (rc < 0 || *state == NEED_ENDED)
        return rc;
    if ((needs & NEED_VEK_CLAIMS) && !a->vek_parsed) {
        *state = NEED_ENDED;
        return check_missing(c, NULL, NULL, "the VCEK's extensions cannot be read");
    }
    if ((needs & NEED_PRODUCT) && !a->product) {
        *state = NEED_ENDED;
        return check_missing(c, NULL, "name the product, or give the VCEK certificate", "the product is not known");
    }
    return 0;
}

/* What the policy only wants to be warned of does not refuse. */
static void soften(const struct appraisal *a, size_t i, struct tst_check *c)
{
    bool warned = a->policy && (a->policy->warned & 1ULL << i) && check_may_warn(i);
    if (warned && (c->outcome == TST_CHECK_FAIL || c->outcome == TST_CHECK_MISSING))
        c->outcome = TST_CHECK_WARN;
}

int check_run(const struct appraisal *a, size_t i, struct tst_check *c)
{
    enum need_state state = NEED_MET;
    c->info = &infos[i];
    c->outcome = TST_CHECK_FAIL; /* until the check says otherwise */
    int rc = needs_met(a, rules[i].needs, c, &state);
    if (rc == 0 && state == NEED_MET)
        rc = rules[i].run(a, c);
    if (rc == 0)
        soften(a, i, c);
    return rc;
}
