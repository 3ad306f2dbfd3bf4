/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/complete.c - for one report: what the store has of what the evidence did not bring. Reads only; whether any of it
 * holds is for the appraisal. */
#include <stdlib.h>

#include "collateral/inner.h"

struct wanted {
    const struct tst_snp_report *report;
    enum tst_snp_product product;
    bool vlek;
    bool has_id; /* the report says which VEK it is */
    struct tst_snp_vek_id id;
};

/* What the given VEK says counts, else what the report says. false: neither names a product. */
static bool wanted_of(const struct tst_snp_report *report, enum tst_snp_product product, const struct tst_cert *vek, struct wanted *w)
{
    struct tst_snp_vek claims;
    *w = (struct wanted){.report = report};
    w->has_id = tst_snp_vek_id_of_report(report, product, &w->id, NULL) == 0;
    if (vek && tst_snp_vek_parse(vek, &claims, NULL) == 0) {
        w->product = claims.product;
        w->vlek = claims.vlek;
        return true;
    }
    w->product = w->id.product;
    w->vlek = w->id.vlek;
    return w->product != TST_SNP_UNKNOWN;
}

/* Providers share a TCB's name: the VLEK that the report verifies with is the one. */
static bool key_fits(const struct tst_cert *vek, const struct tst_snp_report *r)
{
    uint8_t rs[TST_ECDSA_P384_BYTES];
    TST_AUTO_KEY key = NULL;
    memcpy(rs, r->signature_r, sizeof r->signature_r);
    memcpy(rs + sizeof r->signature_r, r->signature_s, sizeof r->signature_s);
    return tst_cert_key(vek, &key, NULL) == 0 && tst_key_kind(key) == TST_KEY_P384 &&
           tst_ecdsa_verify(key, r->raw, TST_SNP_SIGNED_BYTES, rs, NULL) == 0;
}

static int find_vlek(struct collateral_store *s, const struct folder *f, const struct wanted *w, struct tst_cert **out, struct tst_error **err)
{
    TST_AUTO_STR folder = tst_strdup_printf("%s/vlek", f->name);
    char **names = NULL, tcb[64];
    size_t count = 0;
    if (!folder)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if (names_in(s, folder, &names, &count, NULL) < 0)
        return 0;
    tcb_name(&w->id.tcb, tcb);
    for (size_t i = 0; i < count && !*out; i++) {
        TST_AUTO_STR path = tst_strdup_printf("%s/%s/%s.der", folder, names[i], tcb);
        TST_AUTO_CERT c = NULL;
        if (path && load_cert(s, path, &c, NULL) == 0 && key_fits(c, w->report))
            *out = TST_STEAL(c);
    }
    names_free(names, count);
    return 0;
}

/* *out stays NULL when the folder has none. */
static int find_vek(struct collateral_store *s, const struct folder *f, const struct wanted *w, struct tst_cert **out, struct tst_error **err)
{
    char path[PATH_BYTES];
    if (!w->has_id)
        return 0;
    if (w->vlek)
        return find_vlek(s, f, w, out, err);
    int rc = path_vek(f, &w->id, "", path, err);
    rc = rc ? rc : load_cert(s, path, out, err);
    return absent_is_fine(rc, err);
}

static bool has_root(const struct folder *f, const struct tst_cert *ark)
{
    struct folder given;
    return folder_of_root(ark, &given, NULL) == 0 && strcmp(given.name, f->name) == 0;
}

static bool signed_in(const struct collateral_store *s, const struct folder *f, bool vlek, const struct tst_cert *vek)
{
    AUTO_CHAIN c = {0};
    return load_chain(s, f, vlek, &c, NULL) == 0 && tst_cert_verify(vek, c.ask, NULL) == 0;
}

/* The folder that goes with the evidence: its root's, else the one with its VEK or with the chain of its VEK, else AMD's. */
static int choose_folder(struct collateral_store *s, const struct wanted *w, const struct tst_snp_certs *certs, struct folder *out,
                         bool *found, struct tst_cert **vek, struct tst_error **err)
{
    struct folder list[FOLDERS_MAX];
    size_t count;
    int rc = folders_list(s, w->product, list, &count, err);
    *found = false;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (certs->ark && !has_root(&list[i], certs->ark))
            continue;
        if (!*found)
            *out = list[i];
        *found = true;
        if (certs->vek && signed_in(s, &list[i], w->vlek, certs->vek)) {
            *out = list[i];
            return 0;
        }
        rc = certs->vek ? 0 : find_vek(s, &list[i], w, vek, err);
        if (*vek) {
            *out = list[i];
            return 0;
        }
    }
    return rc;
}

static int fill_chain(struct collateral_store *s, const struct folder *f, bool vlek, struct tst_snp_certs *certs, struct tst_error **err)
{
    AUTO_CHAIN c = {0};
    if (certs->ask && certs->ark)
        return 0;
    int rc = load_chain(s, f, vlek, &c, err);
    if (rc)
        return absent_is_fine(rc, err);
    if (!certs->ask)
        certs->ask = TST_STEAL(c.ask);
    if (!certs->ark)
        certs->ark = TST_STEAL(c.ark);
    return 0;
}

static int fill_crl(struct collateral_store *s, const struct folder *f, struct tst_crl **crl, uint64_t *seen, struct tst_error **err)
{
    int rc = load_crl_memory(s, f, seen, err);
    rc = rc ? rc : load_crl(s, f, crl, err);
    return absent_is_fine(rc, err);
}

int collateral_complete(struct collateral_store *s, const struct tst_snp_report *report, enum tst_snp_product product,
                        struct tst_snp_certs *certs, struct tst_crl **crl, uint64_t *crl_number_seen, struct tst_error **err)
{
    struct wanted w;
    struct folder f;
    TST_AUTO_CERT vek = NULL;
    bool found;
    *crl = NULL;
    *crl_number_seen = 0;
    if (!wanted_of(report, product, certs->vek, &w))
        return 0;
    int rc = choose_folder(s, &w, certs, &f, &found, &vek, err);
    if (rc || !found)
        return rc ? tst_wrap(err, "collateral store") : 0;
    if (!certs->vek)
        certs->vek = TST_STEAL(vek);
    rc = fill_chain(s, &f, w.vlek, certs, err);
    rc = rc ? rc : fill_crl(s, &f, crl, crl_number_seen, err);
    return rc ? tst_wrap(err, "collateral store") : 0;
}
