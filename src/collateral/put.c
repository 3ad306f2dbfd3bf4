/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/put.c - into the store: verify up to a trusted root, then write, unless what is there is as new or newer. */
#include <stdio.h>
#include <stdlib.h>

#include "collateral/inner.h"

static int pem_of(const struct chain *c, struct tst_buf *out, struct tst_error **err)
{
    const struct tst_cert *certs[] = {c->ask, c->ark};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < TST_COUNT(certs); i++) {
        TST_AUTO_STR pem = NULL;
        rc = tst_cert_to_pem(certs[i], &pem, err);
        rc = rc ? rc : tst_buf_put(out, pem, strlen(pem), err);
    }
    return rc;
}

static bool newer(const struct tst_cert *a, const struct tst_cert *than)
{
    struct tst_cert_info ia, ib;
    return tst_cert_info(a, &ia, NULL) == 0 && (tst_cert_info(than, &ib, NULL) < 0 || ia.not_before > ib.not_before);
}

/* ---- chain ---- */

static bool chain_holds(const struct collateral_store *s, const struct chain *c, time_t now)
{
    enum tst_snp_product product;
    bool vlek;
    return root_check_trusted(s, c->ark, NULL) == 0 && chain_check(c, now, &product, &vlek, NULL) == 0;
}

int collateral_put_chain(struct collateral_store *s, const struct tst_cert *ask, const struct tst_cert *ark, time_t now,
                         enum collateral_change *change, struct tst_error **err)
{
    /* borrowed: never cleared */
    const struct chain given = {(struct tst_cert *)(uintptr_t)ask, (struct tst_cert *)(uintptr_t)ark};
    AUTO_CHAIN there = {0};
    TST_AUTO_BUF pem = {0};
    enum tst_snp_product product;
    struct folder f;
    bool vlek;
    char path[PATH_BYTES];
    int rc = root_check_trusted(s, ark, err);
    rc = rc ? rc : chain_check(&given, now, &product, &vlek, err);
    rc = rc ? rc : folder_of_root(ark, &f, err);
    if (rc)
        return tst_wrap(err, "chain");
    bool old = load_chain(s, &f, vlek, &there, NULL) == 0 && chain_holds(s, &there, now);
    *change = !old ? COLLATERAL_NEW : newer(ask, there.ask) ? COLLATERAL_REPLACED : COLLATERAL_KEPT;
    if (*change == COLLATERAL_KEPT)
        return 0;
    path_chain(&f, vlek, path);
    rc = pem_of(&given, &pem, err);
    return rc ? rc : fs_write(s->fd, path, pem.p, pem.n, err);
}

/* ---- VEK ---- */

/* The trusted chain of the store under which the VEK verifies. */
static int chain_for_vek(struct collateral_store *s, const struct tst_cert *vek, time_t now, struct tst_snp_vek *claims,
                         struct folder *folder, struct chain *out, struct tst_error **err)
{
    struct folder list[FOLDERS_MAX];
    size_t count;
    int rc = tst_snp_vek_parse(vek, claims, err);
    rc = rc ? rc : folders_list(s, claims->product, list, &count, err);
    if (rc)
        return rc;
    rc = tst_fail(err, TST_UNDECIDABLE, "no chain of %s for a %s in the store", tst_snp_product_name(claims->product),
                  claims->vlek ? "VLEK" : "VCEK");
    for (size_t i = 0; i < count; i++) {
        AUTO_CHAIN c = {0};
        if (load_chain(s, &list[i], claims->vlek, &c, NULL) < 0 || root_check_trusted(s, c.ark, NULL) < 0)
            continue;
        rc = vek_check(vek, &c, now, claims, err);
        if (rc)
            continue;
        error_forget(err);
        *folder = list[i];
        out->ask = TST_STEAL(c.ask);
        out->ark = TST_STEAL(c.ark);
        return 0;
    }
    return rc;
}

int collateral_put_vek(struct collateral_store *s, const struct tst_cert *vek, const struct tst_snp_vek_id *id, time_t now,
                       enum collateral_change *change, struct tst_error **err)
{
    AUTO_CHAIN chain = {0};
    TST_AUTO_CERT there = NULL;
    struct tst_snp_vek claims, old_claims;
    struct folder f;
    char path[PATH_BYTES];
    int rc = chain_for_vek(s, vek, now, &claims, &f, &chain, err);
    if (rc)
        return tst_wrap(err, "VEK");
    if (id && !tst_snp_vek_id_equal(id, &claims)) {
        char want[96], found[96];
        tst_snp_tcb_print(&id->tcb, want, sizeof want);
        tst_snp_tcb_print(&claims.tcb, found, sizeof found);
        tst_fail(err, TST_REFUTED, "VEK: of another chip, TCB or product than was asked for");
        return tst_hint(err, want, found, NULL);
    }
    const struct tst_snp_vek_id own = vek_id_of(&claims);
    rc = path_vek(&f, &own, claims.csp, path, err);
    if (rc)
        return rc;
    bool old = load_cert(s, path, &there, NULL) == 0 && vek_check(there, &chain, now, &old_claims, NULL) == 0;
    *change = !old ? COLLATERAL_NEW : newer(vek, there) ? COLLATERAL_REPLACED : COLLATERAL_KEPT;
    if (*change == COLLATERAL_KEPT)
        return 0;
    uint8_t *der = NULL;
    size_t n = 0;
    rc = tst_cert_to_der(vek, &der, &n, err);
    rc = rc ? rc : fs_write(s->fd, path, der, n, err);
    free(der);
    return rc;
}

/* ---- CRL ---- */

/* The folder of the trusted root that issued the list. */
static int folder_for_crl(struct collateral_store *s, const struct tst_crl *crl, time_t now, struct folder *out, struct tst_error **err)
{
    struct folder list[FOLDERS_MAX];
    size_t count;
    int rc = folders_list(s, TST_SNP_UNKNOWN, list, &count, err);
    if (rc)
        return rc;
    rc = tst_fail(err, TST_UNDECIDABLE, "CRL of '%s': no chain of this issuer in the store", tst_crl_info(crl)->issuer_cn);
    for (size_t i = 0; i < 2 * count; i++) {
        AUTO_CHAIN c = {0};
        struct tst_cert_info ark;
        if (load_chain(s, &list[i / 2], i % 2, &c, NULL) < 0 || root_check_trusted(s, c.ark, NULL) < 0 ||
            tst_cert_info(c.ark, &ark, NULL) < 0 || strcmp(ark.subject_cn, tst_crl_info(crl)->issuer_cn) != 0)
            continue;
        rc = crl_check(crl, c.ark, now, err);
        if (rc)
            continue;
        error_forget(err);
        *out = list[i / 2];
        return 0;
    }
    return rc;
}

static int write_crl(struct collateral_store *s, const struct folder *f, const struct tst_crl *crl, struct tst_error **err)
{
    char path[PATH_BYTES], number[32];
    uint8_t *der = NULL;
    size_t n = 0;
    int len = snprintf(number, sizeof number, "%llu\n", (unsigned long long)tst_crl_info(crl)->number);
    path_crl_memory(f, path); /* first: after a crash the memory may be ahead of the list, never behind */
    int rc = fs_write(s->fd, path, number, (size_t)len, err);
    path_crl(f, path);
    rc = rc ? rc : tst_crl_to_der(crl, &der, &n, err);
    rc = rc ? rc : fs_write(s->fd, path, der, n, err);
    free(der);
    return rc;
}

int collateral_put_crl(struct collateral_store *s, const struct tst_crl *crl, time_t now, enum collateral_change *change,
                       struct tst_error **err)
{
    TST_AUTO_CRL there = NULL;
    struct folder f;
    uint64_t seen = 0;
    const struct tst_crl_info *info = tst_crl_info(crl);
    int rc = folder_for_crl(s, crl, now, &f, err);
    rc = rc ? rc : load_crl_memory(s, &f, &seen, err);
    if (rc)
        return rc;
    bool old = load_crl(s, &f, &there, NULL) == 0 && tst_crl_info(there)->number >= seen;
    *change = old ? COLLATERAL_REPLACED : COLLATERAL_NEW;
    if (info->number < seen || (old && info->number == seen && info->this_update < tst_crl_info(there)->this_update)) {
        *change = COLLATERAL_OLDER;
        return 0;
    }
    if (old && info->number == seen)
        *change = COLLATERAL_KEPT; /* written all the same: its time says that it was looked for today */
    return write_crl(s, &f, crl, err);
}
