/* SPDX-License-Identifier: Apache-2.0 */
/* snp/product.c - which AMD product a name or a CPUID means. One table. Source: AMD 57230 (product names of the key
 * distribution service), AMD 56860 (CPUID_FAM_ID, CPUID_MOD_ID: combined, i.e. base plus extended). */
#include <testudo/snp.h>

struct cpuid_range {
    uint8_t family, model_first, model_last;
    enum tst_snp_product product;
};

/* Bergamo and Siena (A0-AF) have certificates of the product Genoa. */
static const struct cpuid_range cpuid_ranges[] = {
    {0x19, 0x00, 0x0f, TST_SNP_MILAN},
    {0x19, 0x10, 0x1f, TST_SNP_GENOA},
    {0x19, 0xa0, 0xaf, TST_SNP_GENOA},
    {0x1a, 0x00, 0x11, TST_SNP_TURIN},
    {0x1a, 0x50, 0x57, TST_SNP_VENICE},
    {0x1a, 0x90, 0xaf, TST_SNP_VENICE},
    {0x1a, 0xc0, 0xc7, TST_SNP_VENICE},
};

static const char *const product_names[] = {
    [TST_SNP_UNKNOWN] = "unknown",
    [TST_SNP_MILAN] = "milan",
    [TST_SNP_GENOA] = "genoa",
    [TST_SNP_TURIN] = "turin",
    [TST_SNP_VENICE] = "venice",
};

const char *tst_snp_product_name(enum tst_snp_product p)
{
    return (size_t)p < TST_COUNT(product_names) ? product_names[p] : product_names[TST_SNP_UNKNOWN];
}

enum tst_snp_product tst_snp_product_of(const char *name)
{
    for (size_t i = TST_SNP_UNKNOWN + 1; name && i < TST_COUNT(product_names); i++)
        if (strcmp(name, product_names[i]) == 0)
            return (enum tst_snp_product)i;
    return TST_SNP_UNKNOWN;
}

size_t tst_snp_hwid_bytes(enum tst_snp_product p)
{
    return p >= TST_SNP_TURIN ? 8 : TST_SNP_CHIP_BYTES;
}

enum tst_snp_product tst_snp_product_of_cpuid(uint8_t family, uint8_t model)
{
    for (size_t i = 0; i < TST_COUNT(cpuid_ranges); i++) {
        const struct cpuid_range *r = &cpuid_ranges[i];
        if (family == r->family && model >= r->model_first && model <= r->model_last)
            return r->product;
    }
    return TST_SNP_UNKNOWN;
}
