/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/checks_report.c - what the report says about itself, before any policy. Source: AMD 56860. */
#include "checks.h"

#define VERSION_MIN 2
#define VERSION_MAX 5
#define ALGORITHM_ECDSA_P384_SHA384 1

int check_report_parse(const struct appraisal *a, struct tst_check *c)
{
    if (a->report)
        return check_pass(c, "%d bytes", TST_SNP_REPORT_BYTES);
    return check_fail(c, "a raw attestation report of 1184 bytes", NULL, "%s",
                      a->report_error ? a->report_error->text : "unreadable");
}

/* Reads the bytes itself: it must say "version 6" also where the parser gave up because of that. */
int check_report_version(const struct appraisal *a, struct tst_check *c)
{
    struct tst_bytes raw = a->in->evidence->report;
    struct tst_rd r = tst_rd_of(raw.p, raw.n);
    uint32_t version = tst_rd_u32le(&r);
    if (r.bad)
        return check_missing(c, NULL, NULL, "no version: the report is shorter than 4 bytes");
    if (version >= VERSION_MIN && version <= VERSION_MAX)
        return check_pass(c, "%u", version);
    if (version > VERSION_MAX && a->in->lenient)
        return check_pass(c, "%u, newer than 5: judged by the raw bytes, what this version added is not", version);
    return check_fail(c, "2 to 5", version > VERSION_MAX ? "a newer Testudo may know this version; lenient judges what is known" : NULL, "%u",
                      version);
}

int check_signature_algorithm(const struct appraisal *a, struct tst_check *c)
{
    if (a->report->signature_algo == ALGORITHM_ECDSA_P384_SHA384)
        return check_pass(c, "1 (ECDSA P-384, SHA-384)");
    return check_fail(c, "1 (ECDSA P-384, SHA-384)", NULL, "%u", a->report->signature_algo);
}

static const char *certificate_kind(const struct appraisal *a)
{
    if (!a->vek_parsed)
        return NULL;
    return a->vek_claims.vlek ? "VLEK" : "VCEK";
}

/* MASK_CHIP_KEY takes the VCEK away from guests; a VLEK still signs. */
int check_signing_key(const struct appraisal *a, struct tst_check *c)
{
    unsigned signing_key = tst_snp_signing_key(a->report);
    const char *certificate = certificate_kind(a);

    if (signing_key == TST_SNP_KEY_NONE)
        return check_fail(c, "a report signed by a VCEK or VLEK", NULL, "the report says that nothing signed it");
    if (signing_key != TST_SNP_KEY_VCEK && signing_key != TST_SNP_KEY_VLEK)
        return check_fail(c, "VCEK (0) or VLEK (1)", NULL, "unknown signing key %u", signing_key);
    if (signing_key == TST_SNP_KEY_VCEK && (a->report->key_info & TST_SNP_KEY_INFO_MASK_CHIP_KEY))
        return check_fail(c, "a report signed by a VCEK", "unset MASK_CHIP_KEY in the host's SNP configuration",
                          "the host masks the chip key: the report is not signed");

    const char *said = signing_key == TST_SNP_KEY_VLEK ? "VLEK" : "VCEK";
    if (certificate && strcmp(said, certificate) != 0)
        return check_fail(c, said, "give the certificate of the key that signed the report", "the certificate is a %s",
                          certificate);
    if (signing_key == TST_SNP_KEY_VLEK)
        return check_pass(c, "VLEK: a key that the hosts of one provider share");
    return check_pass(c, "VCEK");
}

/* "VCEK genoa, CPUID turin": every source that names one. */
static int product_sources(const struct appraisal *a, char *out, size_t n)
{
    int len = 0;
    out[0] = '\0';
    const struct {
        const char *who;
        enum tst_snp_product product;
    } sources[] = {{"VCEK", a->product_of_vek}, {"CPUID", a->product_of_cpuid}, {"caller", a->in->product}};
    for (size_t i = 0; i < TST_COUNT(sources); i++)
        if (sources[i].product && len >= 0 && (size_t)len < n)
            len += snprintf(out + len, n - (size_t)len, "%s%s (%s)", len ? ", " : "",
                            tst_snp_product_name(sources[i].product), sources[i].who);
    return len;
}

static bool product_agrees(const struct appraisal *a, enum tst_snp_product other)
{
    return other == TST_SNP_UNKNOWN || other == a->product;
}

int check_product(const struct appraisal *a, struct tst_check *c)
{
    char found[128];
    bool names_cpu = a->report && a->report->version >= 3;

    if (names_cpu && a->product_of_cpuid == TST_SNP_UNKNOWN)
        return check_fail(c, "a CPU of milan, genoa or turin", "a newer Testudo may know this CPU", "family 0x%02x, model 0x%02x",
                          a->report->cpuid_family, a->report->cpuid_model);
    if (product_sources(a, found, sizeof found) == 0)
        return check_missing(c, NULL, "name the product (--product), or give the VCEK certificate", "nothing names the product");
    if (!product_agrees(a, a->product_of_cpuid) || !product_agrees(a, a->in->product))
        return check_fail(c, "one product", "give the chain and VCEK of the host that made the report", "%s", found);
    if (a->product == TST_SNP_VENICE)
        return check_missing(c, "milan, genoa or turin", "a Testudo that knows AMD's root key for venice can verify this",
                             "%s: AMD's root key for it is not known here, so nothing of it can be verified", found);
    return check_pass(c, "%s", found);
}
