/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/fetch.c - what is fetched: chain, VCEK, CRL, and all three for one report. */
#include <stdlib.h>

#include "collateral/ask.h"
#include "collateral/inner.h"

/* A trusted folder of the product whose chain holds; several when simulators are trusted too. */
static bool each_good_chain(struct collateral_store *s, const struct ask *a, bool (*fits)(struct collateral_store *, const struct ask *,
                            const struct folder *, const struct chain *))
{
    struct folder list[FOLDERS_MAX];
    size_t count;
    enum tst_snp_product product;
    bool vlek;
    if (folders_list(s, a->product, list, &count, NULL) < 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        AUTO_CHAIN c = {0};
        if (load_chain(s, &list[i], a->vlek, &c, NULL) == 0 && root_check_trusted(s, c.ark, NULL) == 0 &&
            chain_check(&c, a->now, &product, &vlek, NULL) == 0 && fits(s, a, &list[i], &c))
            return true;
    }
    return false;
}

/* ---- chain ---- */

static bool chain_fits(struct collateral_store *s, const struct ask *a, const struct folder *f, const struct chain *c)
{
    (void)s, (void)a, (void)f, (void)c;
    return true;
}

static bool have_chain(struct collateral_store *s, const struct ask *a)
{
    return each_good_chain(s, a, chain_fits);
}

static int take_chain(struct collateral_store *s, const struct ask *a, const uint8_t *p, size_t n, struct tst_error **err)
{
    struct tst_cert *list[2] = {NULL};
    enum collateral_change change;
    enum tst_snp_product product;
    size_t count = 0;
    bool vlek;
    int rc = tst_certs_from_text(p, n, list, TST_COUNT(list), &count, err);
    if (rc == 0 && count != 2)
        rc = tst_fail(err, TST_REFUTED, "%zu certificates, expected %s and ARK", count, a->vlek ? "ASVK" : "ASK");
    const struct chain c = {list[0], list[1]};
    rc = rc ? rc : chain_check(&c, a->now, &product, &vlek, err);
    if (rc == 0 && (product != a->product || vlek != a->vlek))
        rc = tst_fail(err, TST_REFUTED, "the %s chain of %s", vlek ? "VLEK" : "VCEK", tst_snp_product_name(product));
    rc = rc ? rc : collateral_put_chain(s, list[0], list[1], a->now, &change, err);
    tst_cert_free(list[0]);
    tst_cert_free(list[1]);
    return rc;
}

int collateral_fetch_chain(struct collateral_store *s, const struct collateral_kds *kds, enum tst_snp_product product, bool vlek,
                           time_t now, bool *asked, struct tst_error **err)
{
    struct folder f;
    char path[PATH_BYTES];
    TST_AUTO_STR url = tst_kds_chain_url(kds->base_url, product, vlek);
    folder_parse(tst_snp_product_name(product), &f);
    path_chain(&f, vlek, path);
    struct ask a = {.path = path, .url = url, .max_bytes = CHAIN_FILE_MAX_BYTES, .now = now, .have = have_chain,
                    .take = take_chain, .product = product, .vlek = vlek};
    int rc = url ? kds_ask(s, kds, &a, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (asked)
        *asked = a.asked;
    return rc ? tst_wrap(err, "chain") : 0;
}

/* ---- VCEK ---- */

static bool vek_fits(struct collateral_store *s, const struct ask *a, const struct folder *f, const struct chain *c)
{
    char path[PATH_BYTES];
    TST_AUTO_CERT vek = NULL;
    struct tst_snp_vek claims;
    return path_vek(f, a->id, "", path, NULL) == 0 && load_cert(s, path, &vek, NULL) == 0 &&
           vek_check(vek, c, a->now, &claims, NULL) == 0 && tst_snp_vek_id_equal(a->id, &claims);
}

static bool have_vek(struct collateral_store *s, const struct ask *a)
{
    return each_good_chain(s, a, vek_fits);
}

static int take_vek(struct collateral_store *s, const struct ask *a, const uint8_t *p, size_t n, struct tst_error **err)
{
    TST_AUTO_CERT vek = NULL;
    enum collateral_change change;
    int rc = tst_cert_from_der(p, n, &vek, err);
    return rc ? rc : collateral_put_vek(s, vek, a->id, a->now, &change, err);
}

int collateral_fetch_vek(struct collateral_store *s, const struct collateral_kds *kds, const struct tst_snp_vek_id *id, time_t now,
                         bool *asked, struct tst_error **err)
{
    struct folder f;
    char path[PATH_BYTES];
    if (asked)
        *asked = false;
    if (id->vlek) {
        tst_fail(err, TST_UNDECIDABLE, "VLEK: AMD gives it to the provider only, it is not published");
        return tst_hint(err, NULL, NULL, "take it from the certificate table of the evidence, or import it");
    }
    TST_AUTO_STR url = tst_kds_vcek_url(kds->base_url, id);
    folder_parse(tst_snp_product_name(id->product), &f);
    int rc = path_vek(&f, id, "", path, err);
    if (rc)
        return rc;
    struct ask a = {.path = path, .url = url, .max_bytes = TST_CERT_MAX_BYTES, .now = now, .have = have_vek, .take = take_vek,
                    .product = id->product, .id = id};
    rc = url ? kds_ask(s, kds, &a, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (asked)
        *asked = a.asked;
    return rc ? tst_wrap(err, "VCEK") : 0;
}

/* ---- CRL ---- */

static bool crl_fits(struct collateral_store *s, const struct ask *a, const struct folder *f, const struct chain *c)
{
    char path[PATH_BYTES];
    TST_AUTO_CRL crl = NULL;
    uint64_t seen = 0;
    if (load_crl(s, f, &crl, NULL) < 0 || load_crl_memory(s, f, &seen, NULL) < 0 || crl_check(crl, c->ark, a->now, NULL) < 0)
        return false;
    path_crl(f, path);
    return tst_crl_info(crl)->number >= seen && tst_crl_info(crl)->next_update >= a->now &&
           time(NULL) - fs_mtime(s->fd, path) <= (time_t)a->max_age_s;
}

static bool have_crl(struct collateral_store *s, const struct ask *a)
{
    return each_good_chain(s, a, crl_fits);
}

static int take_crl(struct collateral_store *s, const struct ask *a, const uint8_t *p, size_t n, struct tst_error **err)
{
    TST_AUTO_CRL crl = NULL;
    enum collateral_change change;
    int rc = tst_crl_from_text(p, n, &crl, err);
    rc = rc ? rc : collateral_put_crl(s, crl, a->now, &change, err);
    if (rc == 0 && change == COLLATERAL_OLDER)
        return tst_fail(err, TST_REFUTED, "CRL number %llu is older than what the store has seen: rolled back",
                        (unsigned long long)tst_crl_info(crl)->number);
    if (rc || tst_crl_info(crl)->next_update >= a->now)
        return rc;
    char next[TST_TIME_BYTES], at[TST_TIME_BYTES];
    tst_time_print(tst_crl_info(crl)->next_update, next);
    tst_time_print(a->now, at);
    tst_fail(err, TST_REFUTED, "the service's newest CRL is stale: the next one was due");
    return tst_hint(err, at, next, NULL);
}

int collateral_fetch_crl(struct collateral_store *s, const struct collateral_kds *kds, enum tst_snp_product product, bool vlek,
                         unsigned max_age_s, time_t now, bool *asked, struct tst_error **err)
{
    struct folder f;
    char path[PATH_BYTES];
    TST_AUTO_STR url = tst_kds_crl_url(kds->base_url, product, vlek);
    folder_parse(tst_snp_product_name(product), &f);
    path_crl(&f, path);
    struct ask a = {.path = path, .url = url, .max_bytes = TST_CRL_MAX_BYTES, .now = now, .have = have_crl, .take = take_crl,
                    .product = product, .vlek = vlek, .max_age_s = max_age_s};
    int rc = url ? kds_ask(s, kds, &a, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (asked)
        *asked = a.asked;
    return rc ? tst_wrap(err, "CRL") : 0;
}

/* ---- a report ---- */

void collateral_fetched_clear(struct collateral_fetched *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->steps[i].url);
        free(f->steps[i].problem);
    }
    *f = (struct collateral_fetched){0};
}

/* Takes url over; keeps the first error. */
static int step_end(struct collateral_fetched *out, const char *what, char *url, bool asked, int rc, struct tst_error *why, int *first,
                    struct tst_error **err)
{
    struct collateral_step *step = &out->steps[out->count++];
    *step = (struct collateral_step){.what = what, .url = url, .asked = asked, .failed = rc != 0};
    if (rc == 0)
        return 0;
    step->problem = strdup(why ? why->text : "failed");
    if (*first == 0 && err) {
        tst_error_free(*err);
        *err = why;
    } else
        tst_error_free(why);
    if (*first == 0)
        *first = rc;
    return rc;
}

int collateral_fetch_report(struct collateral_store *s, const struct collateral_kds *kds, const struct tst_snp_report *report,
                            enum tst_snp_product product, time_t now, struct collateral_fetched *out, struct tst_error **err)
{
    *out = (struct collateral_fetched){0};
    int first = tst_snp_vek_id_of_report(report, product, &out->id, err);
    if (first)
        return first;
    const struct tst_snp_vek_id *id = &out->id;
    if (id->product > TST_SNP_TURIN)
        return tst_fail(err, TST_UNDECIDABLE, "%s: AMD has published no root key for it", tst_snp_product_name(id->product));
    struct tst_error *why = NULL;
    bool asked = false;
    int rc = collateral_fetch_chain(s, kds, id->product, id->vlek, now, &asked, &why);
    if (step_end(out, "chain", tst_kds_chain_url(kds->base_url, id->product, id->vlek), asked, rc, why, &first, err))
        return first; /* without it nothing can be verified, so nothing is stored */
    if (!id->vlek) {
        why = NULL;
        rc = collateral_fetch_vek(s, kds, id, now, &asked, &why);
        step_end(out, "VCEK", tst_kds_vcek_url(kds->base_url, id), asked, rc, why, &first, err);
    }
    why = NULL;
    rc = collateral_fetch_crl(s, kds, id->product, id->vlek, COLLATERAL_CRL_MAX_AGE_S, now, &asked, &why);
    step_end(out, "CRL", tst_kds_crl_url(kds->base_url, id->product, id->vlek), asked, rc, why, &first, err);
    return first;
}
