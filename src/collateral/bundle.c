/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/bundle.c - the store as one PEM file and back. A bundle says nothing but certificates and lists: where each
 * belongs follows from what it is, and each is verified as if it came from anywhere. */
#include <stdlib.h>

#include "collateral/inner.h"

#define LABEL_CERT "CERTIFICATE"
#define LABEL_CRL "X509 CRL"

/* ---- out ---- */
struct writer {
    struct tst_buf *out;
    size_t count;
};

static int write_cert(struct writer *w, const struct tst_cert *c, struct tst_error **err)
{
    uint8_t *der = NULL;
    size_t n = 0;
    int rc = tst_cert_to_der(c, &der, &n, err);
    rc = rc ? rc : tst_pem_put(w->out, LABEL_CERT, der, n, err);
    free(der);
    w->count++;
    return rc;
}

static int write_crl(struct writer *w, const struct tst_crl *c, struct tst_error **err)
{
    uint8_t *der = NULL;
    size_t n = 0;
    int rc = tst_crl_to_der(c, &der, &n, err);
    rc = rc ? rc : tst_pem_put(w->out, LABEL_CRL, der, n, err);
    free(der);
    w->count++;
    return rc;
}

static int write_item(void *ctx, const struct collateral_item *item, struct tst_error **err)
{
    struct writer *w = ctx;
    if (item->problem)
        return 0;
    int rc = tst_buf_printf(w->out, err, "# %s\n", item->path);
    if (rc == 0 && item->crl)
        rc = write_crl(w, item->crl, err);
    for (size_t i = 0; rc == 0 && i < TST_COUNT(item->certs); i++)
        rc = item->certs[i] ? write_cert(w, item->certs[i], err) : 0;
    return rc;
}

int collateral_export(struct collateral_store *s, time_t now, struct tst_buf *out, size_t *count, struct tst_error **err)
{
    struct writer w = {.out = out};
    out->max = COLLATERAL_BUNDLE_MAX_BYTES;
    int rc = collateral_each(s, now, write_item, &w, err);
    *count = w.count;
    return rc ? tst_wrap(err, "export") : 0;
}

/* ---- in ---- */
struct reader {
    struct tst_cert **certs;
    struct tst_crl **crls;
    size_t cert_count, crl_count;
};

static void reader_clear(struct reader *r)
{
    for (size_t i = 0; i < r->cert_count; i++)
        tst_cert_free(r->certs[i]);
    for (size_t i = 0; i < r->crl_count; i++)
        tst_crl_free(r->crls[i]);
    free(r->certs);
    free(r->crls);
}

static int read_block(void *ctx, const char *label, const void *der, size_t n, struct tst_error **err)
{
    struct reader *r = ctx;
    bool cert = strcmp(label, LABEL_CERT) == 0;
    if (!cert && strcmp(label, LABEL_CRL) != 0)
        return tst_fail(err, TST_USAGE, "a block \"%.64s\": a bundle has certificates and CRLs only", label);
    void *grown = cert ? reallocarray(r->certs, r->cert_count + 1, sizeof(void *))
                       : reallocarray(r->crls, r->crl_count + 1, sizeof(void *));
    if (!grown)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc;
    if (cert) {
        r->certs = grown;
        rc = tst_cert_from_der(der, n, &r->certs[r->cert_count], err);
        r->cert_count += rc == 0;
    } else {
        r->crls = grown;
        rc = tst_crl_from_der(der, n, &r->crls[r->crl_count], err);
        r->crl_count += rc == 0;
    }
    return rc ? tst_wrap(err, "block %zu", r->cert_count + r->crl_count + 1) : 0;
}

static int tell(struct collateral_import *out, int rc, enum collateral_change change, const char *what, const struct tst_error *why,
                struct tst_error **err)
{
    if (rc == 0) {
        *(change == COLLATERAL_NEW ? &out->added : change == COLLATERAL_REPLACED ? &out->replaced : &out->kept) += 1;
        return 0;
    }
    out->refused++;
    TST_AUTO_STR text = tst_strdup_printf("%s: %s", what, why ? why->text : "refused");
    if (!text || json_array_append_new(out->refusals, json_string(text)) < 0)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    return 0;
}

/* A root goes in with each intermediate that it signed. */
static int import_chain(struct collateral_store *s, const struct reader *r, const struct tst_cert *ask, const struct tst_cert_info *info,
                        time_t now, struct collateral_import *out, struct tst_error **err)
{
    enum collateral_change change = COLLATERAL_KEPT;
    TST_AUTO_ERROR why = NULL;
    int rc = tst_fail(&why, TST_UNDECIDABLE, "its root '%s' is not in the bundle", info->issuer_cn);
    for (size_t i = 0; rc && i < r->cert_count; i++)
        if (tst_cert_verify(ask, r->certs[i], NULL) == 0)
            rc = collateral_put_chain(s, ask, r->certs[i], now, &change, &why);
    return tell(out, rc, change, info->subject_cn, why, err);
}

static int import_certs(struct collateral_store *s, const struct reader *r, bool chains, time_t now, struct collateral_import *out,
                        struct tst_error **err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->cert_count; i++) {
        struct tst_cert_info info;
        enum collateral_change change = COLLATERAL_KEPT;
        TST_AUTO_ERROR why = NULL;
        if (tst_cert_info(r->certs[i], &info, &why) < 0) {
            rc = chains ? tell(out, -1, change, "certificate", why, err) : 0;
            continue;
        }
        if (info.self_issued && chains && root_check_trusted(s, r->certs[i], &why) < 0)
            rc = tell(out, -1, change, info.subject_cn, why, err);
        if (info.self_issued || info.ca != chains)
            continue;
        if (chains)
            rc = import_chain(s, r, r->certs[i], &info, now, out, err);
        else {
            int put = collateral_put_vek(s, r->certs[i], NULL, now, &change, &why);
            rc = tell(out, put, change, info.subject_cn, why, err);
        }
    }
    return rc;
}

static int import_crls(struct collateral_store *s, const struct reader *r, time_t now, struct collateral_import *out, struct tst_error **err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->crl_count; i++) {
        enum collateral_change change = COLLATERAL_KEPT;
        TST_AUTO_ERROR why = NULL;
        int put = collateral_put_crl(s, r->crls[i], now, &change, &why);
        rc = tell(out, put, change, tst_crl_info(r->crls[i])->issuer_cn, why, err);
    }
    return rc;
}

int collateral_import(struct collateral_store *s, const void *p, size_t n, time_t now, struct collateral_import *out,
                      struct tst_error **err)
{
    __attribute__((cleanup(reader_clear))) struct reader r = {0};
    *out = (struct collateral_import){.refusals = json_array()};
    if (!out->refusals)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = n > COLLATERAL_BUNDLE_MAX_BYTES ? tst_fail(err, TST_TOO_LARGE, "%zu bytes", n)
                                             : tst_pem_blocks(p, n, COLLATERAL_BUNDLE_MAX_BLOCKS, read_block, &r, err);
    rc = rc ? rc : import_certs(s, &r, true, now, out, err);
    rc = rc ? rc : import_certs(s, &r, false, now, out, err);
    rc = rc ? rc : import_crls(s, &r, now, out, err);
    return rc ? tst_wrap(err, "bundle") : 0;
}
