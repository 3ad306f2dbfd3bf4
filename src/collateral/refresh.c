/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/refresh.c - bring a store up to date: every list again, and whatever has expired or is damaged. */
#include <stdlib.h>

#include "collateral/inner.h"
#include "collateral/kds.h"

/* What of one product is to be asked for. */
struct todo {
    bool chain[TST_SNP_VENICE][2]; /* by product, by VLEK */
    bool crl[TST_SNP_VENICE];
    struct tst_snp_vek_id *veks;
    size_t vek_count;
};

static void todo_clear(struct todo *t)
{
    free(t->veks);
}

static int note_item(void *ctx, const struct collateral_item *item, struct tst_error **err)
{
    struct todo *t = ctx;
    if (item->product >= TST_SNP_VENICE)
        return 0;
    if (item->kind == COLLATERAL_CHAIN)
        t->chain[item->product][item->vlek] = t->crl[item->product] = true;
    if (item->kind != COLLATERAL_VEK || !item->problem || item->vlek || !item->vek.product)
        return 0;
    void *grown = reallocarray(t->veks, t->vek_count + 1, sizeof *t->veks);
    if (!grown)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    t->veks = grown;
    t->veks[t->vek_count++] = vek_id_of(&item->vek);
    return 0;
}

static int report(collateral_step_fn *each, void *ctx, const char *what, char *url, enum tst_snp_product product, bool asked, int rc,
                  struct tst_error *why, struct tst_error **err)
{
    const struct collateral_step step = {
        .what = what, .url = url, .asked = asked, .failed = rc != 0, .problem = why ? why->text : NULL};
    int told = each(ctx, product, &step, err);
    free(url);
    tst_error_free(why);
    return told;
}

static int refresh_product(struct collateral_store *s, const struct collateral_kds *kds, const struct todo *t, enum tst_snp_product p,
                           time_t now, collateral_step_fn *each, void *ctx, struct tst_error **err)
{
    int rc = 0;
    bool asked = false;
    for (int vlek = 0; rc == 0 && vlek < 2; vlek++) {
        struct tst_error *why = NULL;
        if (!t->chain[p][vlek])
            continue;
        int got = collateral_fetch_chain(s, kds, p, vlek, now, &asked, &why);
        rc = report(each, ctx, vlek ? "VLEK chain" : "VCEK chain", tst_kds_chain_url(kds->base_url, p, vlek), p, asked, got, why, err);
    }
    if (rc == 0 && t->crl[p]) {
        struct tst_error *why = NULL;
        bool vlek = !t->chain[p][false];
        int got = collateral_fetch_crl(s, kds, p, vlek, 0, now, &asked, &why);
        rc = report(each, ctx, "CRL", tst_kds_crl_url(kds->base_url, p, vlek), p, asked, got, why, err);
    }
    return rc;
}

int collateral_refresh(struct collateral_store *s, const struct collateral_kds *kds, time_t now, collateral_step_fn *each, void *ctx,
                       struct tst_error **err)
{
    __attribute__((cleanup(todo_clear))) struct todo t = {.vek_count = 0};
    int rc = collateral_each(s, now, note_item, &t, err);
    for (enum tst_snp_product p = TST_SNP_MILAN; rc == 0 && p < TST_SNP_VENICE; p++)
        rc = refresh_product(s, kds, &t, p, now, each, ctx, err);
    for (size_t i = 0; rc == 0 && i < t.vek_count; i++) {
        struct tst_error *why = NULL;
        bool asked = false;
        int got = collateral_fetch_vek(s, kds, &t.veks[i], now, &asked, &why);
        rc = report(each, ctx, "VCEK", tst_kds_vcek_url(kds->base_url, &t.veks[i]), t.veks[i].product, asked, got, why, err);
    }
    return rc ? tst_wrap(err, "refresh") : 0;
}
