/* SPDX-License-Identifier: Apache-2.0 */
/* sim/amd.c - makes the hierarchy and chips in memory; keeping them on disk is amd_store.c. */
#include "amd.h"

#include <pthread.h>
#include <stdlib.h>

enum { ROOT_YEARS = 25, VCEK_YEARS = 7 };
static const char organisation[] = "SIMULATED";

/* Platform information: SMT on, ECC on, memory alias check done; Turin also IOMMU write safe. */
static const struct amd_product products[] = {
    {.id = TST_SNP_MILAN, .cn = "Milan", .product_name = "Milan-B0", .hwid_bytes = 64,
     .ark_serial = 0x010000, .ask_serial = 0x010001, .platform_info = 0x25,
     .cpuid_family = 0x19, .cpuid_model = 0x01, .cpuid_stepping = 1,
     .tcb = {.bootloader = 4, .tee = 0, .snp = 27, .microcode = 219}},
    {.id = TST_SNP_GENOA, .cn = "Genoa", .product_name = "Genoa", .hwid_bytes = 64,
     .ark_serial = 0x020000, .ask_serial = 0x020002, .platform_info = 0x25,
     .cpuid_family = 0x19, .cpuid_model = 0x11, .cpuid_stepping = 1,
     .tcb = {.bootloader = 10, .tee = 0, .snp = 27, .microcode = 86}},
    {.id = TST_SNP_TURIN, .cn = "Turin", .product_name = "Turin", .hwid_bytes = 8, .struct_version = 1,
     .ark_serial = 0x030000, .ask_serial = 0x030001, .platform_info = 0x65,
     .cpuid_family = 0x1A, .cpuid_model = 0x02, .cpuid_stepping = 1,
     .tcb = {.has_fmc = true, .fmc = 1, .bootloader = 1, .tee = 1, .snp = 4, .microcode = 81}},
};

const struct amd_product *amd_product_of(enum tst_snp_product id)
{
    for (size_t i = 0; i < TST_COUNT(products); i++)
        if (products[i].id == id)
            return &products[i];
    return NULL;
}

static time_t years_after(time_t from, int years)
{
    struct tm tm;
    gmtime_r(&from, &tm);
    tm.tm_year += years;
    return timegm(&tm);
}

/* ---- ARK and ASK ---- */
struct key_job {
    struct tst_key *key;
    struct tst_error *err;
    int rc;
};

static void *key_job_run(void *arg)
{
    struct key_job *job = arg;
    job->rc = tst_key_generate(TST_KEY_RSA4096, &job->key, &job->err);
    return NULL;
}

/* Two RSA-4096 keys take seconds: side by side. */
static int keys_make(struct amd_root *r, struct tst_error **err)
{
    struct key_job ark = {0}, ask = {0};
    pthread_t other;
    if (pthread_create(&other, NULL, key_job_run, &ark) != 0)
        return tst_fail(err, TST_INTERNAL, "cannot start a thread");
    key_job_run(&ask);
    pthread_join(other, NULL);
    r->ark_key = ark.key;
    r->ask_key = ask.key;
    struct key_job *bad = ark.rc ? &ark : ask.rc ? &ask : NULL;
    struct tst_error *kept = bad ? TST_STEAL(bad->err) : NULL;
    int rc = bad ? bad->rc : 0;
    tst_error_free(ark.err);
    tst_error_free(ask.err);
    if (rc && err)
        *err = TST_STEAL(kept);
    tst_error_free(kept);
    return rc;
}

static int root_certify(struct amd_root *r, time_t from, struct tst_error **err)
{
    TST_AUTO_STR ark = tst_strdup_printf("ARK-%s", r->product->cn);
    TST_AUTO_STR ask = tst_strdup_printf("SEV-%s", r->product->cn);
    if (!ark || !ask)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    struct tst_cert_spec spec = {.cn = ark, .o = organisation, .serial = r->product->ark_serial, .not_before = from,
                                 .not_after = years_after(from, ROOT_YEARS), .ca = true};
    int rc = tst_cert_issue(&spec, r->ark_key, NULL, r->ark_key, &r->ark, err);
    if (rc)
        return tst_wrap(err, "ARK");
    spec.cn = ask;
    spec.serial = r->product->ask_serial;
    rc = tst_cert_issue(&spec, r->ask_key, r->ark, r->ark_key, &r->ask, err);
    return rc ? tst_wrap(err, "ASK") : 0;
}

static int key_copy(const struct tst_key *key, struct tst_key **out, struct tst_error **err)
{
    TST_AUTO_SECRET der = NULL;
    int rc = tst_key_private_der(key, &der, err);
    return rc ? rc : tst_key_from_private_der(tst_secret_view(der), tst_secret_size(der), out, err);
}

static int keys_copy(const struct amd_root *from, struct amd_root *to, struct tst_error **err)
{
    int rc = key_copy(from->ark_key, &to->ark_key, err);
    return rc ? rc : key_copy(from->ask_key, &to->ask_key, err);
}

/* keys_of NULL: new keys. */
static int root_build(enum tst_snp_product product, const struct amd_root *keys_of, time_t from, struct amd_root **out,
                      struct tst_error **err)
{
    const struct amd_product *p = amd_product_of(product);
    if (!p)
        return tst_fail(err, TST_USAGE, "product %s is not simulated", tst_snp_product_name(product));
    AUTO_ROOT r = calloc(1, sizeof *r);
    if (!r)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    r->product = p;
    int rc = keys_of ? keys_copy(keys_of, r, err) : keys_make(r, err);
    if (!rc)
        rc = root_certify(r, from, err);
    if (!rc)
        *out = TST_STEAL(r);
    return rc;
}

int amd_root_make(enum tst_snp_product product, time_t from, struct amd_root **out, struct tst_error **err)
{
    return root_build(product, NULL, from, out, err);
}

int amd_root_as(const struct amd_root *keys_of, enum tst_snp_product product, time_t from, struct amd_root **out,
                struct tst_error **err)
{
    return root_build(product, keys_of, from, out, err);
}

void amd_root_free(struct amd_root *r)
{
    if (!r)
        return;
    tst_key_free(r->ark_key);
    tst_key_free(r->ask_key);
    tst_cert_free(r->ark);
    tst_cert_free(r->ask);
    free(r);
}

/* ---- VCEK ---- */
#define AMD_OID "1.3.6.1.4.1.3704.1."

/* DER of a VCEK's extensions: INTEGERs and the IA5String need at most 2 + 32 bytes. */
struct exts {
    struct tst_cert_ext_spec spec[16];
    uint8_t der[16][2 + 32];
    size_t n;
};

static void ext_put(struct exts *e, const char *oid, size_t n)
{
    e->spec[e->n] = (struct tst_cert_ext_spec){.oid = oid, .value = {e->der[e->n], n}};
    e->n++;
}

static void ext_put_integer(struct exts *e, const char *oid, uint8_t v)
{
    uint8_t *der = e->der[e->n];
    der[0] = 0x02;
    if (v < 0x80) {
        der[1] = 1;
        der[2] = v;
        ext_put(e, oid, 3);
        return;
    }
    der[1] = 2; /* a leading zero keeps it positive */
    der[2] = 0;
    der[3] = v;
    ext_put(e, oid, 4);
}

static void ext_put_name(struct exts *e, const char *oid, const char *name)
{
    uint8_t *der = e->der[e->n];
    size_t n = 0;
    for (; name[n]; n++)
        der[2 + n] = (uint8_t)name[n];
    der[0] = 0x16;
    der[1] = (uint8_t)n;
    ext_put(e, oid, 2 + n);
}

static void exts_of(const struct amd_chip *c, struct exts *e)
{
    const struct tst_snp_tcb *t = &c->tcb;
    const bool turin = c->product->id == TST_SNP_TURIN;
    ext_put_integer(e, AMD_OID "1", c->product->struct_version);
    ext_put_name(e, AMD_OID "2", c->product->product_name);
    ext_put_integer(e, AMD_OID "3.1", t->bootloader);
    ext_put_integer(e, AMD_OID "3.2", t->tee);
    ext_put_integer(e, AMD_OID "3.3", t->snp);
    if (!turin) /* Turin's certificates have no spl4 */
        ext_put_integer(e, AMD_OID "3.4", 0);
    ext_put_integer(e, AMD_OID "3.5", 0);
    ext_put_integer(e, AMD_OID "3.6", 0);
    ext_put_integer(e, AMD_OID "3.7", 0);
    ext_put_integer(e, AMD_OID "3.8", t->microcode);
    if (turin)
        ext_put_integer(e, AMD_OID "3.9", t->fmc);
    e->spec[e->n++] = (struct tst_cert_ext_spec){.oid = AMD_OID "4", .value = {c->id, c->product->hwid_bytes}};
}

static int vcek_make(const struct amd_root *root, struct amd_chip *c, time_t from, struct tst_error **err)
{
    struct exts e = {0};
    exts_of(c, &e);
    /* AMD gives each VCEK the serial number 0 */
    struct tst_cert_spec spec = {.cn = "SEV-VCEK", .o = organisation, .serial = 0, .not_before = from,
                                 .not_after = years_after(from, VCEK_YEARS), .exts = e.spec, .ext_count = e.n};
    int rc = tst_key_generate(TST_KEY_P384, &c->vcek_key, err);
    if (!rc)
        rc = tst_cert_issue(&spec, c->vcek_key, root->ask, root->ask_key, &c->vcek, err);
    return rc ? tst_wrap(err, "VCEK") : 0;
}

int amd_chip_at_tcb(const struct amd_root *root, const struct amd_chip *chip, const struct tst_snp_tcb *tcb,
                    time_t from, struct amd_chip **out, struct tst_error **err)
{
    AUTO_CHIP c = calloc(1, sizeof *c);
    if (!c)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    c->product = root->product;
    c->tcb = tcb ? *tcb : root->product->tcb;
    memcpy(c->id, chip->id, sizeof c->id);
    int rc = vcek_make(root, c, from, err);
    if (!rc)
        *out = TST_STEAL(c);
    return rc;
}

int amd_chip_make(const struct amd_root *root, const struct tst_snp_tcb *tcb, time_t from, struct amd_chip **out,
                  struct tst_error **err)
{
    struct amd_chip bare = {0};
    int rc = tst_random(bare.id, root->product->hwid_bytes, err);
    return rc ? rc : amd_chip_at_tcb(root, &bare, tcb, from, out, err);
}

void amd_chip_free(struct amd_chip *c)
{
    if (!c)
        return;
    tst_key_free(c->vcek_key);
    tst_cert_free(c->vcek);
    free(c);
}

struct tst_snp_certs amd_certs_of(const struct amd_root *root, const struct amd_chip *chip)
{
    return (struct tst_snp_certs){.vek = chip->vcek, .ask = root->ask, .ark = root->ark};
}

int amd_cert_table(const struct amd_root *root, const struct amd_chip *chip, struct tst_buf *out,
                   struct tst_error **err)
{
    struct tst_snp_certs certs = amd_certs_of(root, chip);
    return tst_snp_cert_table_build(&certs, out, err);
}
