/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/facts.c - read the evidence once: report, certificates, product, root, reference value. Nothing is judged. */
#include "checks.h"

#define REPORT_VERSION_CPUID 3

static void gather_report(struct appraisal *a, struct tst_snp_report *report)
{
    struct tst_bytes raw = a->in->evidence->report;
    int rc = a->in->lenient ? tst_snp_report_parse_lenient(raw.p, raw.n, report, &a->report_error)
                            : tst_snp_report_parse(raw.p, raw.n, report, &a->report_error);
    if (rc == 0)
        a->report = report;
}

static struct cert_fact gather_cert(const struct tst_cert *cert, const char *name)
{
    struct cert_fact f = {.cert = cert, .name = name};
    f.readable = cert && tst_cert_info(cert, &f.info, &f.error) == 0;
    return f;
}

static void gather_root(struct appraisal *a)
{
    if (!a->ark.readable)
        return;
    a->pin = shipped_pin_find(a->ark.info.spki_sha256);
    if (a->pin)
        a->root = ROOT_AMD;
    else
        a->root = a->policy && policy_names_root(a->policy, a->ark.info.spki_sha256) ? ROOT_SIMULATED : ROOT_UNKNOWN;
}

/* The VEK says it best, then the CPUID of the report, then the caller; check_product compares them. */
static void gather_product(struct appraisal *a)
{
    a->product_of_vek = a->vek_parsed ? a->vek_claims.product : TST_SNP_UNKNOWN;
    if (a->report && a->report->version >= REPORT_VERSION_CPUID)
        a->product_of_cpuid = tst_snp_product_of_cpuid(a->report->cpuid_family, a->report->cpuid_model);
    a->product = a->product_of_vek ? a->product_of_vek : a->product_of_cpuid;
    if (!a->product)
        a->product = a->in->product;
}

static void gather_reference(struct appraisal *a)
{
    if (!a->policy || !a->report)
        return;
    const struct policy_reference *ref = policy_reference_of(a->policy, a->report->measurement);
    if (ref && (!ref->has_until || a->in->now <= ref->until))
        a->reference = ref;
}

void appraisal_gather(struct appraisal *a, const struct tst_appraise_in *in, struct tst_snp_report *report)
{
    const struct tst_snp_certs *certs = &in->evidence->certs;
    *a = (struct appraisal){.in = in, .policy = in->policy};
    gather_report(a, report);
    a->vek = gather_cert(certs->vek, "VCEK");
    a->ask = gather_cert(certs->ask, "ASK");
    a->ark = gather_cert(certs->ark, "ARK");
    a->vek_parsed = a->vek.readable && tst_snp_vek_parse(certs->vek, &a->vek_claims, &a->vek_error) == 0;
    gather_root(a);
    gather_product(a);
    gather_reference(a);
}

void appraisal_clear(struct appraisal *a)
{
    tst_error_free(a->report_error);
    tst_error_free(a->vek_error);
    tst_error_free(a->vek.error);
    tst_error_free(a->ask.error);
    tst_error_free(a->ark.error);
    *a = (struct appraisal){0};
}
