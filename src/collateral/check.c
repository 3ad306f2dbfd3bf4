/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/check.c - what a certificate or a list must be before it gets into the store. The appraisal asks the same again
 * of everything that comes out. Source: AMD 57230. */
#include <stdio.h>

#include "collateral/inner.h"

static int describe(const struct tst_cert *c, const char *name, struct tst_cert_info *out, struct tst_error **err)
{
    int rc = tst_cert_info(c, out, err);
    return rc ? tst_wrap(err, "%s", name) : 0;
}

static int check_dates(const struct tst_cert_info *info, time_t now, struct tst_error **err)
{
    char from[TST_TIME_BYTES], until[TST_TIME_BYTES], at[TST_TIME_BYTES];
    if (now >= info->not_before && now <= info->not_after)
        return 0;
    tst_time_print(info->not_before, from);
    tst_time_print(info->not_after, until);
    tst_time_print(now, at);
    tst_fail(err, TST_REFUTED, "'%s' is valid from %s to %s", info->subject_cn, from, until);
    return tst_hint(err, at, NULL, NULL);
}

/* One link: who it is, what its key is, and that `issuer` signed it. */
static int check_link(const struct tst_cert *c, const struct tst_cert_info *info, const struct tst_cert *issuer, bool ca,
                      time_t now, struct tst_error **err)
{
    if (info->ca != ca)
        return tst_fail(err, TST_REFUTED, "'%s' is %s", info->subject_cn, ca ? "no CA" : "a CA");
    if (info->key_kind != (ca ? TST_KEY_RSA4096 : TST_KEY_P384))
        return tst_fail(err, TST_REFUTED, "'%s': its key is not %s", info->subject_cn, ca ? "RSA-4096" : "P-384");
    if (!info->pss_sha384_salt48)
        return tst_fail(err, TST_REFUTED, "'%s': not signed with RSASSA-PSS, SHA-384, salt 48", info->subject_cn);
    int rc = tst_cert_verify(c, issuer, err);
    if (rc)
        return tst_wrap(err, "'%s'", info->subject_cn);
    return check_dates(info, now, err);
}

int root_check_trusted(const struct collateral_store *s, const struct tst_cert *ark, struct tst_error **err)
{
    struct tst_cert_info info;
    char hex[2 * TST_SHA256_BYTES + 1];
    int rc = describe(ark, "ARK", &info, err);
    if (rc || tst_ark_pinned(info.spki_sha256, NULL))
        return rc;
    for (size_t i = 0; i < s->root_count; i++)
        if (memcmp(s->roots[i], info.spki_sha256, TST_SHA256_BYTES) == 0)
            return 0;
    tst_hex(info.spki_sha256, TST_SHA256_BYTES, hex);
    tst_fail(err, TST_REFUTED, "root '%s', '%s' is not AMD's", info.subject_cn, info.subject_o);
    return tst_hint(err, "one of AMD's root keys (share/ark-pins.tsv)", hex, "a simulator's: name its root key with --root");
}

/* "SEV-Genoa" or "SEV-VLEK-Genoa". */
static bool ask_name(const char *cn, const char *product, bool *vlek)
{
    *vlek = strncmp(cn, "SEV-VLEK-", 9) == 0;
    return strncmp(cn, "SEV-", 4) == 0 && strcmp(cn + (*vlek ? 9 : 4), product) == 0;
}

int chain_check(const struct chain *c, time_t now, enum tst_snp_product *product, bool *vlek, struct tst_error **err)
{
    struct tst_cert_info ark, ask;
    struct folder f;
    int rc = describe(c->ark, "ARK", &ark, err);
    rc = rc ? rc : describe(c->ask, "ASK", &ask, err);
    rc = rc ? rc : folder_of_root(c->ark, &f, err);
    if (rc)
        return rc;
    if (!ark.self_issued)
        return tst_fail(err, TST_REFUTED, "root '%s' was not issued by itself", ark.subject_cn);
    if (!ask_name(ask.subject_cn, tst_snp_product_amd_name(f.product), vlek)) {
        tst_fail(err, TST_REFUTED, "'%s' is not the name of %s's intermediate key", ask.subject_cn, tst_snp_product_name(f.product));
        return tst_hint(err, "SEV-<product> or SEV-VLEK-<product>", ask.subject_cn, NULL);
    }
    *product = f.product;
    rc = check_link(c->ark, &ark, c->ark, true, now, err);
    return rc ? rc : check_link(c->ask, &ask, c->ark, true, now, err);
}

int vek_check(const struct tst_cert *vek, const struct chain *c, time_t now, struct tst_snp_vek *claims, struct tst_error **err)
{
    struct tst_cert_info info;
    enum tst_snp_product product;
    bool vlek;
    int rc = tst_snp_vek_parse(vek, claims, err);
    rc = rc ? rc : describe(vek, "VEK", &info, err);
    rc = rc ? rc : chain_check(c, now, &product, &vlek, err);
    if (rc)
        return rc;
    if (vlek != claims->vlek || product != claims->product)
        return tst_fail(err, TST_REFUTED, "a %s of %s under the chain of a %s of %s", claims->vlek ? "VLEK" : "VCEK",
                        claims->product_name, vlek ? "VLEK" : "VCEK", tst_snp_product_name(product));
    return check_link(vek, &info, c->ask, false, now, err);
}

/* A list from the future or without an end could be kept for ever by whoever serves it; a stale one only ages, which the
 * policy judges. */
int crl_check(const struct tst_crl *crl, const struct tst_cert *ark, time_t now, struct tst_error **err)
{
    const struct tst_crl_info *info = tst_crl_info(crl);
    char at[TST_TIME_BYTES], from[TST_TIME_BYTES];
    if (!info->pss_sha384_salt48)
        return tst_fail(err, TST_REFUTED, "CRL: not signed with RSASSA-PSS, SHA-384, salt 48");
    int rc = tst_crl_verify(crl, ark, err);
    if (rc)
        return rc;
    if (!info->has_next_update)
        return tst_fail(err, TST_REFUTED, "CRL: does not say when the next one comes (nextUpdate)");
    if (info->this_update <= now)
        return 0;
    tst_time_print(now, at);
    tst_time_print(info->this_update, from);
    tst_fail(err, TST_REFUTED, "CRL: dated in the future");
    return tst_hint(err, at, from, "check the clock");
}

struct tst_snp_vek_id vek_id_of(const struct tst_snp_vek *v)
{
    struct tst_snp_vek_id id = {.product = v->product, .vlek = v->vlek, .hwid_bytes = v->hwid_bytes, .tcb = v->tcb};
    memcpy(id.hwid, v->hwid, sizeof id.hwid);
    return id;
}
