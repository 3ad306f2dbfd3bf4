/* SPDX-License-Identifier: Apache-2.0 */
/* snp/kds.c - under what AMD's key distribution service keeps a VEK, a chain and a revocation list. Pure: makes names, asks
 * nobody. Source: AMD 57230, "VCEK certificate interface". */
#include <testudo/snp.h>

#include <stdio.h>

#define REPORT_VERSION_CPUID 3

static const char *const amd_names[] = {
    [TST_SNP_UNKNOWN] = NULL,   [TST_SNP_MILAN] = "Milan",   [TST_SNP_GENOA] = "Genoa",
    [TST_SNP_TURIN] = "Turin", [TST_SNP_VENICE] = "Venice",
};

const char *tst_snp_product_amd_name(enum tst_snp_product p)
{
    return (size_t)p < TST_COUNT(amd_names) ? amd_names[p] : NULL;
}

/* ---- which VEK a report was signed with ---- */

static int read_product(const struct tst_snp_report *r, enum tst_snp_product hint, enum tst_snp_product *out, struct tst_error **err)
{
    enum tst_snp_product said = TST_SNP_UNKNOWN;
    if (r->version >= REPORT_VERSION_CPUID) {
        said = tst_snp_product_of_cpuid(r->cpuid_family, r->cpuid_model);
        if (!said)
            return tst_fail(err, TST_UNDECIDABLE, "the report's CPU (family 0x%02x, model 0x%02x) is of no known product",
                            r->cpuid_family, r->cpuid_model);
    }
    if (said && hint && said != hint) {
        tst_fail(err, TST_REFUTED, "the report is not of the product that was named");
        tst_hint(err, tst_snp_product_name(hint), tst_snp_product_name(said), NULL);
        return -TST_REFUTED; /* also when the caller wants no text */
    }
    *out = said ? said : hint;
    if (*out)
        return 0;
    tst_fail(err, TST_UNDECIDABLE, "a version %u report does not name its CPU", r->version);
    tst_hint(err, NULL, NULL, "name the product: milan, genoa or turin");
    return -TST_UNDECIDABLE;
}

static int read_chip(const struct tst_snp_report *r, struct tst_snp_vek_id *out, struct tst_error **err)
{
    size_t n = tst_snp_hwid_bytes(out->product);
    if (tst_is_zero(r->chip_id, sizeof r->chip_id)) {
        tst_fail(err, TST_UNDECIDABLE, "the host masks the chip id: the report does not say whose VCEK signed it");
        tst_hint(err, NULL, NULL, "give the VCEK certificate, or unset MASK_CHIP_ID in the host's SNP configuration");
        return -TST_UNDECIDABLE;
    }
    if (!tst_is_zero(r->chip_id + n, sizeof r->chip_id - n))
        return tst_fail(err, TST_UNDECIDABLE, "chip id: longer than the %zu bytes of %s", n, tst_snp_product_name(out->product));
    memcpy(out->hwid, r->chip_id, n);
    out->hwid_bytes = n;
    return 0;
}

static int read_tcb(const struct tst_snp_report *r, struct tst_snp_vek_id *out, struct tst_error **err)
{
    uint8_t again[8];
    out->tcb = tst_snp_tcb_of(out->product, r->reported_tcb);
    tst_snp_tcb_raw(out->product, &out->tcb, again);
    if (memcmp(again, r->reported_tcb, sizeof again) != 0)
        return tst_fail(err, TST_UNDECIDABLE, "reported TCB: a reserved byte is set: not the layout of %s",
                        tst_snp_product_name(out->product));
    return 0;
}

int tst_snp_vek_id_of_report(const struct tst_snp_report *r, enum tst_snp_product hint, struct tst_snp_vek_id *out,
                             struct tst_error **err)
{
    unsigned key = tst_snp_signing_key(r);
    *out = (struct tst_snp_vek_id){.vlek = key == TST_SNP_KEY_VLEK};
    if (key != TST_SNP_KEY_VCEK && key != TST_SNP_KEY_VLEK)
        return tst_fail(err, TST_UNDECIDABLE, "the report says that no VCEK and no VLEK signed it (SIGNING_KEY %u)", key);
    if (key == TST_SNP_KEY_VCEK && (r->key_info & TST_SNP_KEY_INFO_MASK_CHIP_KEY))
        return tst_fail(err, TST_UNDECIDABLE, "the host masks the chip key: the report is not signed");
    int rc = read_product(r, hint, &out->product, err);
    if (rc == 0 && !out->vlek)
        rc = read_chip(r, out, err);
    return rc ? rc : read_tcb(r, out, err);
}

bool tst_snp_vek_id_equal(const struct tst_snp_vek_id *id, const struct tst_snp_vek *vek)
{
    return id->product == vek->product && id->vlek == vek->vlek && id->hwid_bytes == vek->hwid_bytes &&
           memcmp(id->hwid, vek->hwid, sizeof id->hwid) == 0 && tst_snp_tcb_equal(&id->tcb, &vek->tcb);
}

/* ---- addresses ---- */

char *tst_kds_vcek_url(const char *base, const struct tst_snp_vek_id *id)
{
    char chip[2 * TST_SNP_CHIP_BYTES + 1], fmc[24] = "";
    tst_hex(id->hwid, id->hwid_bytes, chip);
    if (id->tcb.has_fmc)
        snprintf(fmc, sizeof fmc, "fmcSPL=%02u&", id->tcb.fmc);
    return tst_strdup_printf("%s/vcek/v1/%s/%s?%sblSPL=%02u&teeSPL=%02u&snpSPL=%02u&ucodeSPL=%02u", base ? base : TST_KDS_BASE,
                             tst_snp_product_amd_name(id->product), chip, fmc, id->tcb.bootloader, id->tcb.tee, id->tcb.snp,
                             id->tcb.microcode);
}

static char *product_url(const char *base, enum tst_snp_product p, bool vlek, const char *what)
{
    return tst_strdup_printf("%s/%s/v1/%s/%s", base ? base : TST_KDS_BASE, vlek ? "vlek" : "vcek", tst_snp_product_amd_name(p), what);
}

char *tst_kds_chain_url(const char *base, enum tst_snp_product p, bool vlek)
{
    return product_url(base, p, vlek, "cert_chain");
}

char *tst_kds_crl_url(const char *base, enum tst_snp_product p, bool vlek)
{
    return product_url(base, p, vlek, "crl");
}
