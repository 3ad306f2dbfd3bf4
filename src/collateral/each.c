/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/each.c - walk the store: every file read again and checked again, damaged ones named. */
#include <stdio.h>
#include <stdlib.h>

#include "collateral/inner.h"

struct walk {
    struct collateral_store *s;
    time_t now;
    collateral_item_fn *each;
    void *ctx;
};

/* A folder's root must be the one that the folder is named after: AMD's, or that simulator's. */
static int check_belongs(const struct chain *c, const struct folder *f, time_t now, bool vlek, struct tst_error **err)
{
    struct folder of;
    enum tst_snp_product product;
    bool is_vlek;
    int rc = chain_check(c, now, &product, &is_vlek, err);
    rc = rc ? rc : folder_of_root(c->ark, &of, err);
    if (rc == 0 && (strcmp(of.name, f->name) != 0 || is_vlek != vlek))
        rc = tst_fail(err, TST_REFUTED, "the chain of %s in the folder %s", of.name, f->name);
    return rc;
}

static void set_dates(struct collateral_item *item, const struct tst_cert *c)
{
    struct tst_cert_info info;
    if (!c || tst_cert_info(c, &info, NULL) < 0 || (item->has_until && item->until <= info.not_after))
        return;
    item->has_until = true;
    item->from = info.not_before;
    item->until = info.not_after;
}

static int walk_chain(const struct walk *w, const struct folder *f, bool vlek, struct tst_error **err)
{
    char path[PATH_BYTES];
    AUTO_CHAIN c = {0};
    TST_AUTO_ERROR problem = NULL;
    path_chain(f, vlek, path);
    int rc = load_chain(w->s, f, vlek, &c, &problem);
    if (rc == -TST_NOT_FOUND)
        return 0;
    struct collateral_item item = {
        .kind = COLLATERAL_CHAIN, .path = path, .product = f->product, .simulated = f->simulated, .vlek = vlek, .certs = {c.ask, c.ark}};
    if (rc == 0)
        check_belongs(&c, f, w->now, vlek, &problem);
    set_dates(&item, c.ask);
    set_dates(&item, c.ark);
    item.problem = problem;
    return w->each(w->ctx, &item, err);
}

static int walk_crl(const struct walk *w, const struct folder *f, struct tst_error **err)
{
    char path[PATH_BYTES];
    AUTO_CHAIN c = {0};
    TST_AUTO_CRL crl = NULL;
    TST_AUTO_ERROR problem = NULL;
    uint64_t seen = 0;
    path_crl(f, path);
    int rc = load_crl(w->s, f, &crl, &problem);
    if (rc == -TST_NOT_FOUND)
        return 0;
    struct collateral_item item = {.kind = COLLATERAL_CRL, .path = path, .product = f->product, .simulated = f->simulated, .crl = crl};
    if (rc == 0) {
        const struct tst_crl_info *info = tst_crl_info(crl);
        item.crl_number = info->number;
        item.revoked_count = info->revoked_count;
        item.has_until = info->has_next_update;
        item.from = info->this_update;
        item.until = info->next_update;
        rc = load_chain(w->s, f, false, &c, NULL) < 0 ? load_chain(w->s, f, true, &c, &problem) : 0;
        rc = rc ? rc : crl_check(crl, c.ark, w->now, &problem);
        rc = rc ? rc : load_crl_memory(w->s, f, &seen, &problem);
        if (rc == 0 && info->number < seen)
            rc = tst_fail(&problem, TST_REFUTED, "CRL number %llu, the store has seen %llu: rolled back",
                          (unsigned long long)info->number, (unsigned long long)seen);
        item.stale = info->has_next_update && info->next_update < w->now;
    }
    item.problem = problem;
    return w->each(w->ctx, &item, err);
}

static int check_place(const struct folder *f, const struct tst_snp_vek *claims, const char *path, struct tst_error **err)
{
    char want[PATH_BYTES];
    const struct tst_snp_vek_id id = vek_id_of(claims);
    int rc = path_vek(f, &id, claims->csp, want, err);
    return rc || strcmp(want, path) == 0 ? rc : tst_fail(err, TST_REFUTED, "is the certificate that belongs at %s", want);
}

static int walk_vek(const struct walk *w, const struct folder *f, bool vlek, const char *path, struct tst_error **err)
{
    AUTO_CHAIN c = {0};
    TST_AUTO_CERT vek = NULL;
    TST_AUTO_ERROR problem = NULL;
    struct collateral_item item = {.kind = COLLATERAL_VEK, .path = path, .product = f->product, .simulated = f->simulated, .vlek = vlek};
    int rc = load_cert(w->s, path, &vek, &problem);
    rc = rc ? rc : load_chain(w->s, f, vlek, &c, &problem);
    rc = rc ? rc : vek_check(vek, &c, w->now, &item.vek, &problem);
    rc = rc ? rc : check_belongs(&c, f, w->now, vlek, &problem);
    if (rc == 0)
        check_place(f, &item.vek, path, &problem);
    item.certs[0] = vek;
    set_dates(&item, vek);
    item.problem = problem;
    return w->each(w->ctx, &item, err);
}

static bool is_der(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".der") == 0;
}

static int walk_owner(const struct walk *w, const struct folder *f, bool vlek, const char *folder, struct tst_error **err)
{
    char **names = NULL;
    size_t count = 0;
    int rc = names_in(w->s, folder, &names, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        TST_AUTO_STR path = tst_strdup_printf("%s/%s", folder, names[i]);
        if (!path)
            rc = tst_fail(err, TST_INTERNAL, "out of memory");
        else if (is_der(names[i]))
            rc = walk_vek(w, f, vlek, path, err);
    }
    names_free(names, count);
    return rc;
}

static int walk_veks(const struct walk *w, const struct folder *f, bool vlek, struct tst_error **err)
{
    char folder[PATH_BYTES], **names = NULL;
    size_t count = 0;
    snprintf(folder, sizeof folder, "%s/%s", f->name, vlek ? "vlek" : "vcek");
    int rc = names_in(w->s, folder, &names, &count, err);
    if (rc)
        return absent_is_fine(rc, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        TST_AUTO_STR owner = tst_strdup_printf("%s/%s", folder, names[i]);
        rc = owner ? walk_owner(w, f, vlek, owner, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    }
    names_free(names, count);
    return rc;
}

int collateral_each(struct collateral_store *s, time_t now, collateral_item_fn *each, void *ctx, struct tst_error **err)
{
    const struct walk w = {s, now, each, ctx};
    struct folder list[FOLDERS_MAX];
    size_t count;
    int rc = folders_list(s, TST_SNP_UNKNOWN, list, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = walk_chain(&w, &list[i], false, err);
        rc = rc ? rc : walk_chain(&w, &list[i], true, err);
        rc = rc ? rc : walk_crl(&w, &list[i], err);
        rc = rc ? rc : walk_veks(&w, &list[i], false, err);
        rc = rc ? rc : walk_veks(&w, &list[i], true, err);
    }
    return rc ? tst_wrap(err, "collateral store") : 0;
}
