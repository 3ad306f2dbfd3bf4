/* SPDX-License-Identifier: Apache-2.0 */
/* snp/vek.c - what AMD wrote into a VCEK or VLEK certificate: product, TCB, chip. Strict: every OID that the product
 * must have is there, each value in its one canonical form. No signature check (see lib/appraise).
 * Source: AMD 57230, tables of the VCEK and VLEK certificate extensions. */
#include <testudo/snp.h>

#define OID_AMD "1.3.6.1.4.1.3704.1."
#define OID_STRUCT_VERSION OID_AMD "1"
#define OID_PRODUCT_NAME OID_AMD "2"
#define OID_HWID OID_AMD "4"
#define OID_CSP_ID OID_AMD "5"
#define DER_INTEGER 0x02
#define DER_OCTET_STRING 0x04
#define DER_IA5STRING 0x16
#define HWID_TURIN_BYTES 8

/* Byte of TCB_VERSION (file order) that each SPL extension certifies; reserved ones must be there and zero. */
struct spl_oid {
    const char *oid, *name;
    unsigned offset;
};
static const struct spl_oid spl_first[] = {
    {OID_AMD "3.1", "blSPL", 0}, {OID_AMD "3.2", "teeSPL", 1}, {OID_AMD "3.4", "spl4", 2},   {OID_AMD "3.5", "spl5", 3},
    {OID_AMD "3.6", "spl6", 4},  {OID_AMD "3.7", "spl7", 5},   {OID_AMD "3.3", "snpSPL", 6}, {OID_AMD "3.8", "ucodeSPL", 7},
};
static const struct spl_oid spl_turin[] = {
    {OID_AMD "3.9", "fmcSPL", 0}, {OID_AMD "3.1", "blSPL", 1}, {OID_AMD "3.2", "teeSPL", 2}, {OID_AMD "3.3", "snpSPL", 3},
    {OID_AMD "3.5", "spl5", 4},   {OID_AMD "3.6", "spl6", 5},  {OID_AMD "3.7", "spl7", 6},   {OID_AMD "3.8", "ucodeSPL", 7},
};
_Static_assert(TST_COUNT(spl_first) == 8 && TST_COUNT(spl_turin) == 8, "one extension for each byte of TCB_VERSION");

/* Product names as certificates write them, and structVersion that goes with each. */
struct vek_product {
    const char *name;
    enum tst_snp_product product;
    uint8_t struct_version;
    const struct spl_oid *spls;
    size_t hwid_bytes;
};
static const struct vek_product vek_products[] = {
    {"Milan", TST_SNP_MILAN, 0, spl_first, TST_SNP_CHIP_BYTES},
    {"Genoa", TST_SNP_GENOA, 0, spl_first, TST_SNP_CHIP_BYTES},
    {"Turin", TST_SNP_TURIN, 1, spl_turin, HWID_TURIN_BYTES},
};

static int extension_get(const struct tst_cert *c, const char *oid, const char *name, struct tst_bytes *out,
                         struct tst_error **err)
{
    int rc = tst_cert_extension(c, oid, out, err);
    return rc < 0 ? tst_wrap(err, "extension %s (%s)", name, oid) : 0;
}

/* A DER INTEGER 0..255 in its shortest form: 02 01 xx below 0x80, 02 02 00 xx from there on. */
static int extension_u8(const struct tst_cert *c, const char *oid, const char *name, uint8_t *out, struct tst_error **err)
{
    struct tst_bytes v;
    int rc = extension_get(c, oid, name, &v, err);
    if (rc < 0)
        return rc;
    bool short_form = v.n == 3 && v.p[0] == DER_INTEGER && v.p[1] == 1 && v.p[2] < 0x80;
    bool long_form = v.n == 4 && v.p[0] == DER_INTEGER && v.p[1] == 2 && v.p[2] == 0 && v.p[3] >= 0x80;
    if (!short_form && !long_form)
        return tst_fail(err, TST_USAGE, "extension %s (%s): not a canonical INTEGER from 0 to 255", name, oid);
    *out = v.p[v.n - 1];
    return 0;
}

/* An IA5String of printable characters, shorter than n. */
static int extension_ia5(const struct tst_cert *c, const char *oid, const char *name, char *out, size_t n,
                         struct tst_error **err)
{
    struct tst_bytes v;
    int rc = extension_get(c, oid, name, &v, err);
    if (rc < 0)
        return rc;
    if (v.n < 3 || v.p[0] != DER_IA5STRING || v.p[1] >= 0x80 || v.p[1] != v.n - 2 || v.n - 2 >= n)
        return tst_fail(err, TST_USAGE, "extension %s (%s): not an IA5String of 1 to %zu characters", name, oid, n - 1);
    for (size_t i = 2; i < v.n; i++)
        if (v.p[i] < 0x20 || v.p[i] > 0x7e)
            return tst_fail(err, TST_USAGE, "extension %s (%s): unprintable character", name, oid);
    memcpy(out, v.p + 2, v.n - 2);
    out[v.n - 2] = '\0';
    return 0;
}

/* "Milan", or "Milan-" and a stepping. */
static const struct vek_product *vek_product_of(const char *name)
{
    for (size_t i = 0; i < TST_COUNT(vek_products); i++) {
        size_t n = strlen(vek_products[i].name);
        if (strncmp(name, vek_products[i].name, n) == 0 && (name[n] == '\0' || (name[n] == '-' && name[n + 1])))
            return &vek_products[i];
    }
    return NULL;
}

static int read_product(const struct tst_cert *c, struct tst_snp_vek *out, const struct vek_product **product,
                        struct tst_error **err)
{
    uint8_t struct_version;
    int rc = extension_ia5(c, OID_PRODUCT_NAME, "productName", out->product_name, sizeof out->product_name, err);
    if (rc < 0)
        return rc;
    *product = vek_product_of(out->product_name);
    if (!*product)
        return tst_fail(err, TST_USAGE, "extension productName: '%s' is not a known product (Milan, Genoa, Turin)",
                        out->product_name);
    rc = extension_u8(c, OID_STRUCT_VERSION, "structVersion", &struct_version, err);
    if (rc < 0)
        return rc;
    if (struct_version != (*product)->struct_version)
        return tst_fail(err, TST_USAGE, "extension structVersion: %u, expected %u for %s", struct_version,
                        (*product)->struct_version, (*product)->name);
    out->product = (*product)->product;
    return 0;
}

static int read_tcb(const struct tst_cert *c, const struct vek_product *product, struct tst_snp_vek *out,
                    struct tst_error **err)
{
    uint8_t raw[8], again[8];
    for (size_t i = 0; i < TST_COUNT(raw); i++) {
        const struct spl_oid *spl = &product->spls[i];
        int rc = extension_u8(c, spl->oid, spl->name, &raw[spl->offset], err);
        if (rc < 0)
            return rc;
    }
    out->tcb = tst_snp_tcb_of(product->product, raw);
    tst_snp_tcb_raw(product->product, &out->tcb, again);
    if (memcmp(raw, again, sizeof raw) != 0)
        return tst_fail(err, TST_USAGE, "a reserved SPL extension is not zero: TCB layout unknown to this version");
    return 0;
}

/* Raw bytes as AMD issues them; some issuers put them into an OCTET STRING. */
static int read_hwid(const struct tst_cert *c, const struct vek_product *product, struct tst_snp_vek *out,
                     struct tst_error **err)
{
    struct tst_bytes v;
    size_t want = product->hwid_bytes;
    int rc = extension_get(c, OID_HWID, "hwID", &v, err);
    if (rc < 0)
        return rc;
    if (v.n == want + 2 && v.p[0] == DER_OCTET_STRING && v.p[1] == want) {
        v.p += 2;
        v.n -= 2;
    }
    if (v.n != want)
        return tst_fail(err, TST_USAGE, "extension hwID: %zu bytes, expected %zu for %s", v.n, want, product->name);
    if (tst_is_zero(v.p, v.n))
        return tst_fail(err, TST_USAGE, "extension hwID: all zero");
    memcpy(out->hwid, v.p, v.n);
    out->hwid_bytes = v.n;
    return 0;
}

static bool extension_present(const struct tst_cert *c, const char *oid)
{
    struct tst_bytes v;
    return tst_cert_extension(c, oid, &v, NULL) != -TST_NOT_FOUND;
}

/* A VCEK belongs to a chip (hwID), a VLEK to a cloud provider (cspID): each has its own and not the other's. */
static int read_holder(const struct tst_cert *c, const struct vek_product *product, struct tst_snp_vek *out,
                       struct tst_error **err)
{
    const char *foreign = out->vlek ? OID_HWID : OID_CSP_ID;
    if (extension_present(c, foreign))
        return tst_fail(err, TST_USAGE, "a %s must not have the extension %s", out->vlek ? "VLEK" : "VCEK", foreign);
    if (out->vlek)
        return extension_ia5(c, OID_CSP_ID, "cspID", out->csp, sizeof out->csp, err);
    return read_hwid(c, product, out, err);
}

int tst_snp_vek_parse(const struct tst_cert *c, struct tst_snp_vek *out, struct tst_error **err)
{
    struct tst_cert_info info;
    const struct vek_product *product = NULL;
    memset(out, 0, sizeof *out);
    int rc = tst_cert_info(c, &info, err);
    if (rc < 0)
        return tst_wrap(err, "VEK certificate");
    out->vlek = strcmp(info.subject_cn, "SEV-VLEK") == 0;
    if (!out->vlek && strcmp(info.subject_cn, "SEV-VCEK") != 0)
        return tst_fail(err, TST_USAGE, "VEK certificate: subject '%s', expected SEV-VCEK or SEV-VLEK", info.subject_cn);
    rc = read_product(c, out, &product, err);
    if (rc == 0)
        rc = read_tcb(c, product, out, err);
    if (rc == 0)
        rc = read_holder(c, product, out, err);
    return rc < 0 ? tst_wrap(err, "VEK certificate") : 0;
}
