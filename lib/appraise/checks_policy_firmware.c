/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/checks_policy_firmware.c - the firmware's age and whether it can be rolled back; the product whose reports can
 * be forged. Source: AMD 56860, ATTESTATION_REPORT; AMD-SB-3045. */
#include "checks.h"

static bool version_below(const struct policy_version *a, const struct policy_version *b)
{
    const uint8_t left[] = {a->major, a->minor, a->build}, right[] = {b->major, b->minor, b->build};
    return memcmp(left, right, sizeof left) < 0;
}

static struct policy_version current_version(const struct tst_snp_report *r)
{
    return (struct policy_version){r->current_major, r->current_minor, r->current_build};
}

static struct policy_version committed_version(const struct tst_snp_report *r)
{
    return (struct policy_version){r->committed_major, r->committed_minor, r->committed_build};
}

int check_policy_report_version(const struct appraisal *a, struct tst_check *c)
{
    char expected[32];
    if (a->report->version >= a->policy->min_report_version)
        return check_pass(c, "%u", a->report->version);
    snprintf(expected, sizeof expected, "%u or later", a->policy->min_report_version);
    return check_fail(c, expected, "update the host's firmware", "%u", a->report->version);
}

int check_policy_firmware(const struct appraisal *a, struct tst_check *c)
{
    const struct {
        const char *name, *fix;
        struct policy_version found;
        const struct policy_version *least;
    } versions[] = {
        {"current", "update the host's firmware", current_version(a->report), &a->policy->min_current},
        {"committed", "update the host's firmware, then commit it", committed_version(a->report), &a->policy->min_committed},
    };
    char expected[48];
    for (size_t i = 0; i < TST_COUNT(versions); i++) {
        const struct policy_version *found = &versions[i].found, *least = versions[i].least;
        snprintf(expected, sizeof expected, "%s %u.%u.%u or later", versions[i].name, least->major, least->minor, least->build);
        if (version_below(found, least))
            return check_fail(c, expected, versions[i].fix, "%s %u.%u.%u", versions[i].name, found->major, found->minor, found->build);
    }
    return check_pass(c, "current %u.%u.%u, committed %u.%u.%u", versions[0].found.major, versions[0].found.minor,
                      versions[0].found.build, versions[1].found.major, versions[1].found.minor, versions[1].found.build);
}

/* Until it is committed the host can go back to older firmware without a trace in a later report's committed fields. */
int check_policy_provisional(const struct appraisal *a, struct tst_check *c)
{
    const struct tst_snp_report *r = a->report;
    struct tst_snp_tcb current = tst_snp_tcb_of(a->product, r->current_tcb), reported = tst_snp_tcb_of(a->product, r->reported_tcb);
    struct tst_snp_tcb committed = tst_snp_tcb_of(a->product, r->committed_tcb);
    struct policy_version runs = current_version(r), kept = committed_version(r);
    bool reported_below = !tst_snp_tcb_at_least(&reported, &current), committed_below = !tst_snp_tcb_at_least(&committed, &current);
    const char *what = reported_below ? "the reported TCB is below the current one"
                       : committed_below ? "the committed TCB is below the current one"
                       : version_below(&kept, &runs) ? "the committed firmware is older than the current one" : NULL;
    if (!what)
        return check_pass(c, "committed");
    if (a->policy->provisional == POLICY_ALLOW)
        return check_pass(c, "provisional, the policy allows it: %s", what);
    return check_fail(c, "reported and committed firmware equal to what runs",
                      "commit the host's firmware; firmware: {provisional: allow} accepts it as it is", "%s", what);
}

/* A forged report looks like a genuine one, so even a listed chip is worth a warning. */
int check_policy_milan(const struct appraisal *a, struct tst_check *c)
{
    static const char expected[] = "genoa or turin";
    if (a->product != TST_SNP_MILAN)
        return check_pass(c, "%s", tst_snp_product_name(a->product));
    if (policy_holds_milan(a->policy))
        return check_warn(c, expected, NULL, "milan, one of the policy's chips: whoever has extracted its root seed can forge this report "
                                             "(AMD-SB-3045)");
    if (a->policy->milan_risk_accepted)
        return check_warn(c, expected, "list the chips that you trust under chips",
                          "milan, any chip: whoever has extracted the root seed of one can forge this report (AMD-SB-3045)");
    return check_fail(c, "genoa or turin, or a listed chip", "list the chips that you trust under chips",
                      "milan, and the policy enforces no list of chips: whoever has extracted the root seed of one can forge this report "
                      "(AMD-SB-3045)");
}
