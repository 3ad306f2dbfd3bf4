/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/checks_chain.c - from the pinned root key down to the VCEK. Source: AMD 57230 (names, keys, algorithms),
 * RFC 5280 (dates, basic constraints). */
#include "checks.h"

char *check_where_to_get(const struct appraisal *a, const struct cert_fact *f)
{
    struct tst_snp_vek_id id;
    bool vlek = a->report && tst_snp_signing_key(a->report) == TST_SNP_KEY_VLEK;
    TST_AUTO_STR url = NULL;
    if (!a->product)
        return tst_strdup_printf("name the product (milan, genoa, turin) to learn where AMD publishes it");
    if (f != &a->vek)
        url = tst_kds_chain_url(NULL, a->product, vlek);
    else if (vlek)
        return tst_strdup_printf("a VLEK is not published: take it from the evidence's certificate table, or ask the provider");
    else if (a->report && tst_snp_vek_id_of_report(a->report, a->product, &id, NULL) == 0)
        url = tst_kds_vcek_url(NULL, &id);
    return url ? tst_strdup_printf("get it from %s", url) : NULL;
}

/* ---- root ---- */
static int ark_unknown(const struct appraisal *a, struct tst_check *c)
{
    char spki[2 * TST_SHA256_BYTES + 1];
    const char *fix = "real evidence: give AMD's chain; a simulator's: give a policy that names this key under simulated: allow";
    tst_hex(a->ark.info.spki_sha256, TST_SHA256_BYTES, spki);
    if (a->policy)
        fix = a->policy->root_count ? "this is none of the simulators that the policy names"
                                    : "the policy accepts no simulator; real evidence: give AMD's chain";
    return check_fail(c, "a root key of AMD, or of a simulator that the policy names", fix,
                      "key %s of '%s', '%s'", spki, a->ark.info.subject_cn, a->ark.info.subject_o);
}

int check_ark_pin(const struct appraisal *a, struct tst_check *c)
{
    if (a->root == ROOT_SIMULATED)
        return check_pass(c, "SIMULATED: a root that the policy names");
    if (a->root != ROOT_AMD)
        return ark_unknown(a, c);
    if (a->product && a->pin->product != a->product)
        return check_fail(c, tst_snp_product_name(a->product), "give the chain of the VCEK's product", "AMD's root for %s",
                          tst_snp_product_name(a->pin->product));
    return check_pass(c, "AMD's root for %s", tst_snp_product_name(a->pin->product));
}

/* ---- one link ---- */
struct link {
    const struct cert_fact *subject, *issuer;
    const char *cn_format; /* with the product's name in it */
    bool ca;
    enum tst_key_kind key;
};

static int link_name(const struct appraisal *a, const struct link *l, char *expected, size_t n)
{
    const char *product = tst_snp_product_amd_name(a->product);
    const char *vlek = l->subject == &a->ask && a->vek_parsed && a->vek_claims.vlek ? "VLEK-" : "";
    if (l->subject == &a->vek)
        return snprintf(expected, n, "%s", a->vek_parsed && a->vek_claims.vlek ? "SEV-VLEK" : "SEV-VCEK");
    return product ? snprintf(expected, n, "%s%s%s", l->cn_format, vlek, product) : 0;
}

static int check_link(const struct appraisal *a, struct tst_check *c, const struct link *l)
{
    const struct tst_cert_info *info = &l->subject->info;
    char name[64];
    TST_AUTO_ERROR error = NULL;

    if (link_name(a, l, name, sizeof name) > 0 && strcmp(info->subject_cn, name) != 0)
        return check_fail(c, name, "give the certificate with this name", "subject '%s'", info->subject_cn);
    if (info->ca != l->ca)
        return check_fail(c, l->ca ? "a CA" : "no CA", NULL, "'%s' is %s", info->subject_cn, info->ca ? "a CA" : "no CA");
    if (info->key_kind != l->key)
        return check_fail(c, l->key == TST_KEY_P384 ? "a P-384 key" : "an RSA-4096 key", NULL, "another key of %u bits",
                          info->key_bits);
    if (!info->pss_sha384_salt48)
        return check_fail(c, "RSASSA-PSS with SHA-384 and a salt of 48 bytes", NULL, "another signature algorithm");
    if (tst_cert_verify(l->subject->cert, l->issuer->cert, &error) < 0)
        return check_fail(c, l->issuer->info.subject_cn, "give the issuer's own certificate", "issuer '%s': %s",
                          info->issuer_cn, error ? error->text : "does not verify");
    return check_pass(c, "%s, signed by %s", info->subject_cn, l->issuer->info.subject_cn);
}

int check_ark_self_signature(const struct appraisal *a, struct tst_check *c)
{
    const struct link l = {&a->ark, &a->ark, "ARK-", true, TST_KEY_RSA4096};
    if (!a->ark.info.self_issued)
        return check_fail(c, "a certificate issued by itself", "give the root certificate as ARK", "issuer '%s'",
                          a->ark.info.issuer_cn);
    return check_link(a, c, &l);
}

int check_ask(const struct appraisal *a, struct tst_check *c)
{
    const struct link l = {&a->ask, &a->ark, "SEV-", true, TST_KEY_RSA4096};
    return check_link(a, c, &l);
}

int check_vek(const struct appraisal *a, struct tst_check *c)
{
    const struct link l = {&a->vek, &a->ask, "", false, TST_KEY_P384};
    return check_link(a, c, &l);
}

/* ---- dates, extensions ---- */
int check_dates(const struct appraisal *a, struct tst_check *c)
{
    const struct cert_fact *certs[] = {&a->vek, &a->ask, &a->ark};
    time_t first_end = certs[0]->info.not_after;
    char now[TST_TIME_BYTES], from[TST_TIME_BYTES], until[TST_TIME_BYTES];

    tst_time_print(a->in->now, now);
    for (size_t i = 0; i < TST_COUNT(certs); i++) {
        const struct tst_cert_info *info = &certs[i]->info;
        tst_time_print(info->not_before, from);
        tst_time_print(info->not_after, until);
        if (a->in->now < info->not_before || a->in->now > info->not_after)
            return check_fail(c, now, "get a new certificate, or check the clock", "%s is valid from %s to %s", certs[i]->name,
                              from, until);
        if (info->not_after < first_end)
            first_end = info->not_after;
    }
    tst_time_print(first_end, until);
    return check_pass(c, "valid at %s, until %s", now, until);
}

int check_vek_extensions(const struct appraisal *a, struct tst_check *c)
{
    char tcb[96];
    if (!a->vek_parsed)
        return check_fail(c, "AMD's extensions, each there and in canonical form", NULL, "%s",
                          a->vek_error ? a->vek_error->text : "unreadable");
    tst_snp_tcb_print(&a->vek_claims.tcb, tcb, sizeof tcb);
    return check_pass(c, "%s: %s", a->vek_claims.product_name, tcb);
}
