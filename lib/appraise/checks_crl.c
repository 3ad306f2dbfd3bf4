/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/checks_crl.c - whose key signed the report, and whether AMD has taken the chain back. A VCEK, a VLEK and their
 * lists: AMD revokes intermediate keys only, as every VCEK and VLEK has the serial number 0. Source: AMD 57230, RFC 5280 §5. */
#include "checks.h"

#define DAY_S (24 * 3600)

int check_policy_vlek(const struct appraisal *a, struct tst_check *c)
{
    if (tst_snp_signing_key(a->report) != TST_SNP_KEY_VLEK)
        return check_pass(c, "not signed by a VLEK");
    const char *csp = a->vek_parsed && a->vek_claims.vlek ? a->vek_claims.csp : "unknown provider";
    if (a->policy->vlek == POLICY_ALLOW)
        return check_pass(c, "VLEK of %s; the policy allows it", csp);
    return check_fail(c, "a VCEK", "say vlek: allow, if any host of that provider will do", "VLEK of %s: it names no chip", csp);
}

/* Who could have made this list, and whether it is about this chain: whatever its age. false: the check has its outcome. */
static bool is_genuine(const struct appraisal *a, const struct tst_crl *crl, struct tst_check *c, int *rc)
{
    const struct tst_crl_info *info = tst_crl_info(crl);
    char from[TST_TIME_BYTES], now[TST_TIME_BYTES], want[64];
    TST_AUTO_ERROR error = NULL;
    if (!info->pss_sha384_salt48)
        *rc = check_fail(c, "RSASSA-PSS with SHA-384 and a salt of 48 bytes", "get the list from AMD", "another signature algorithm");
    else if (tst_crl_verify(crl, a->ark.cert, &error) < 0)
        *rc = check_fail(c, a->ark.info.subject_cn, "give the list of this root", "%s", error ? error->text : "does not verify");
    else if (info->this_update > a->in->now) {
        tst_time_print(info->this_update, from);
        tst_time_print(a->in->now, now);
        *rc = check_fail(c, now, "check the clock", "CRL number %llu is from the future: %s", (unsigned long long)info->number, from);
    } else if (info->number < a->in->crl_number_seen) {
        snprintf(want, sizeof want, "CRL number %llu or later", (unsigned long long)a->in->crl_number_seen);
        *rc = check_fail(c, want, "get the newest list: somebody brings back an old one", "CRL number %llu: rolled back",
                         (unsigned long long)info->number);
    } else
        return true;
    return false;
}

static bool is_revoked(const struct appraisal *a, const struct tst_crl *crl, struct tst_check *c, int *rc)
{
    const struct cert_fact *certs[] = {&a->vek, &a->ask, &a->ark};
    char since[TST_TIME_BYTES];
    for (size_t i = 0; i < TST_COUNT(certs); i++) {
        time_t when = 0;
        if (!certs[i]->readable || !tst_crl_revokes(crl, certs[i]->cert, &when))
            continue;
        tst_time_print(when, since);
        *rc = check_fail(c, "certificates that are not revoked", "get the chain that AMD publishes now", "'%s' is revoked since %s (CRL number %llu)",
                         certs[i]->info.subject_cn, since, (unsigned long long)tst_crl_info(crl)->number);
        return true;
    }
    return false;
}

/* Why the list says nothing about today; false: it does. */
static bool is_stale(const struct appraisal *a, const struct tst_crl_info *info, char *why, size_t n)
{
    char at[TST_TIME_BYTES];
    tst_time_print(info->has_next_update ? info->next_update : info->this_update, at);
    if (!info->has_next_update)
        snprintf(why, n, "does not say when the next one comes");
    else if (info->next_update < a->in->now)
        snprintf(why, n, "stale: the next one was due at %s", at);
    else if (a->in->now - info->this_update > (time_t)a->policy->crl_max_age_d * DAY_S)
        snprintf(why, n, "stale: older than the policy's %u days", a->policy->crl_max_age_d);
    else
        return false;
    return true;
}

static int judge_crl(const struct appraisal *a, const struct tst_crl *crl, struct tst_check *c)
{
    const struct tst_crl_info *info = tst_crl_info(crl);
    char why[96], until[TST_TIME_BYTES];
    int rc = 0;
    if (!is_genuine(a, crl, c, &rc) || is_revoked(a, crl, c, &rc))
        return rc;
    if (!is_stale(a, info, why, sizeof why)) {
        tst_time_print(info->next_update, until);
        return check_pass(c, "CRL number %llu, good until %s, %zu revoked, none of these", (unsigned long long)info->number, until,
                          info->revoked_count);
    }
    if (a->policy->crl == POLICY_CRL_IF_PRESENT)
        return check_pass(c, "not revoked by CRL number %llu, which is all the policy asks; %s", (unsigned long long)info->number, why);
    return check_fail(c, "a list that is fresh", "refresh the collateral (testudo collateral refresh)", "CRL number %llu %s",
                      (unsigned long long)info->number, why);
}

int check_policy_crl(const struct appraisal *a, struct tst_check *c)
{
    if (a->policy->crl == POLICY_CRL_OFF)
        return check_pass(c, "the policy asks for none");
    if (a->in->crl && !a->ark.readable)
        return check_missing(c, NULL, NULL, "no root to verify the CRL with");
    if (a->in->crl)
        return judge_crl(a, a->in->crl, c);
    if (a->policy->crl == POLICY_CRL_IF_PRESENT)
        return check_pass(c, "none given, and the policy does not insist");
    if (a->root == ROOT_SIMULATED)
        return check_missing(c, "a revocation list", "say crl: {mode: off} in a policy for simulated evidence",
                             "no CRL of this simulator");
    return check_missing(c, "a revocation list", "get it (testudo collateral fetch), or say crl: {mode: off} to accept that revoked certificates are not noticed",
                         "no CRL in the collateral");
}
