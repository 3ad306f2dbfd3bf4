/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/crl.c - certificate revocation lists: read, describe, verify under an issuer, look a certificate up. Only full lists
 * of one issuer are read; whether a list is fresh is for the caller to say. Source: RFC 5280 §5. */
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "internal.h"

struct tst_crl {
    X509_CRL *crl;
    struct tst_crl_info info;
};

TST_CLEANUP_FN(X509_CRL *, X509_CRL_free)
TST_CLEANUP_FN(AUTHORITY_KEYID *, AUTHORITY_KEYID_free)
TST_CLEANUP_FN(ASN1_INTEGER *, ASN1_INTEGER_free)

/* ---- what it says ---- */

/* The content of one constructed value of at most n bytes at *p; moves *p to its first byte. 0 or -1. */
static int der_enter(const uint8_t **p, long n)
{
    long size;
    int tag, class;
    int form = ASN1_get_object(p, &size, &tag, &class, n);
    return form == V_ASN1_CONSTRUCTED && tag == V_ASN1_SEQUENCE && class == V_ASN1_UNIVERSAL ? 0 : -1;
}

/* The signature algorithm stands twice, inside and outside of what is signed (RFC 5280 §5.1.1.2): the same, byte for byte. */
static bool algorithms_agree(const uint8_t *der, size_t n, const X509_ALGOR *outer)
{
    const uint8_t *at = der, *end = der + n;
    long size;
    int tag, class;
    if (der_enter(&at, (long)n) || der_enter(&at, end - at) ||
        (ASN1_get_object(&at, &size, &tag, &class, end - at) & 0x80) || tag != V_ASN1_INTEGER)
        return false;
    at += size; /* version; the algorithm comes next */
    uint8_t *want = NULL;
    int want_n = i2d_X509_ALGOR(outer, &want);
    bool same = want_n > 0 && end - at >= want_n && memcmp(at, want, (size_t)want_n) == 0;
    OPENSSL_free(want);
    return same;
}

static int read_number(const X509_CRL *crl, struct tst_crl_info *out, struct tst_error **err)
{
    int critical;
    TST_CLEANUP(ASN1_INTEGER_free) ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, &critical, NULL);
    if (!number)
        return crypto_fail(err, TST_USAGE, critical == -1 ? "CRL: no CRL number" : "CRL: malformed CRL number");
    if (ASN1_INTEGER_get_uint64(&out->number, number) != 1)
        return crypto_fail(err, TST_USAGE, "CRL: CRL number outside 0 to 2^64 - 1");
    return 0;
}

static int read_authority_key(const X509_CRL *crl, struct tst_crl_info *out, struct tst_error **err)
{
    int critical;
    TST_CLEANUP(AUTHORITY_KEYID_free) AUTHORITY_KEYID *id = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, &critical, NULL);
    if (!id || !id->keyid)
        return crypto_fail(err, TST_USAGE, "CRL: no authority key identifier, or a malformed one");
    int n = ASN1_STRING_length(id->keyid);
    if (n < 1 || (size_t)n > sizeof out->authority_key)
        return tst_fail(err, TST_USAGE, "CRL: authority key identifier of %d bytes, expected 1 to %zu", n, sizeof out->authority_key);
    memcpy(out->authority_key, ASN1_STRING_get0_data(id->keyid), (size_t)n);
    out->authority_key_bytes = (size_t)n;
    return 0;
}

static int read_dates(const X509_CRL *crl, struct tst_crl_info *out, struct tst_error **err)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
    int rc = cert_read_time(X509_CRL_get0_lastUpdate(crl), &out->this_update, err);
    out->has_next_update = next != NULL;
    if (rc == 0 && next)
        rc = cert_read_time(next, &out->next_update, err);
    return rc ? tst_wrap(err, "CRL") : 0;
}

static int read_names(const X509_CRL *crl, struct tst_crl_info *out, struct tst_error **err)
{
    const X509_NAME *issuer = X509_CRL_get_issuer(crl);
    int rc = cert_name_value(issuer, NID_commonName, "issuer CN", out->issuer_cn, sizeof out->issuer_cn, err);
    rc = rc ? rc : cert_name_value(issuer, NID_organizationName, "issuer O", out->issuer_o, sizeof out->issuer_o, err);
    return rc ? tst_wrap(err, "CRL") : 0;
}

/* A critical extension changes what a list, or an entry of it, means. */
static int refuse_critical(X509_CRL *crl, struct tst_crl_info *out, struct tst_error **err)
{
    if (X509_CRL_get_ext_by_critical(crl, 1, -1) >= 0)
        return tst_fail(err, TST_USAGE, "CRL: has a critical extension: not a full list of one issuer");
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
    int count = list ? sk_X509_REVOKED_num(list) : 0;
    for (int i = 0; i < count; i++)
        if (X509_REVOKED_get_ext_by_critical(sk_X509_REVOKED_value(list, i), 1, -1) >= 0)
            return tst_fail(err, TST_USAGE, "CRL: entry %d has a critical extension", i);
    out->revoked_count = (size_t)count;
    return 0;
}

static int describe(X509_CRL *crl, const uint8_t *der, size_t n, struct tst_crl_info *out, struct tst_error **err)
{
    const X509_ALGOR *outer;
    if (X509_CRL_get_version(crl) != X509_CRL_VERSION_2)
        return tst_fail(err, TST_USAGE, "CRL: not of version 2");
    X509_CRL_get0_signature(crl, NULL, &outer);
    out->pss_sha384_salt48 = algor_is_pss_sha384(outer);
    if (!algorithms_agree(der, n, outer))
        return tst_fail(err, TST_USAGE, "CRL: two different signature algorithms");
    int rc = read_names(crl, out, err);
    rc = rc ? rc : read_dates(crl, out, err);
    rc = rc ? rc : read_number(crl, out, err);
    rc = rc ? rc : read_authority_key(crl, out, err);
    return rc ? rc : refuse_critical(crl, out, err);
}

/* ---- reading and writing ---- */

static bool is_canonical(const X509_CRL *crl, const uint8_t *der, size_t n)
{
    uint8_t *again = NULL;
    int size = i2d_X509_CRL(crl, &again);
    bool same = size > 0 && (size_t)size == n && memcmp(again, der, n) == 0;
    OPENSSL_free(again);
    return same;
}

int tst_crl_from_der(const void *p, size_t n, struct tst_crl **out, struct tst_error **err)
{
    if (n > TST_CRL_MAX_BYTES)
        return tst_fail(err, TST_TOO_LARGE, "CRL: %zu bytes, at most %d", n, TST_CRL_MAX_BYTES);
    const uint8_t *at = p;
    TST_CLEANUP(X509_CRL_free) X509_CRL *crl = n ? d2i_X509_CRL(NULL, &at, (long)n) : NULL;
    if (!crl)
        return crypto_fail(err, TST_USAGE, "CRL: not DER of an X.509 CRL");
    size_t left = (size_t)((const uint8_t *)p + n - at);
    if (left)
        return tst_fail(err, TST_USAGE, "CRL: %zu trailing bytes", left);
    if (!is_canonical(crl, p, n))
        return crypto_fail(err, TST_USAGE, "CRL: not in DER's one canonical form");
    TST_AUTO_CRL c = calloc(1, sizeof *c);
    if (!c)
        return tst_fail(err, TST_INTERNAL, "CRL: out of memory");
    int rc = describe(crl, p, n, &c->info, err);
    ERR_clear_error();
    if (rc)
        return rc;
    c->crl = TST_STEAL(crl);
    *out = TST_STEAL(c);
    return 0;
}

static int take_crl(void *ctx, const char *label, const void *der, size_t n, struct tst_error **err)
{
    struct tst_crl **out = ctx;
    if (strcmp(label, "X509 CRL") != 0)
        return tst_fail(err, TST_USAGE, "CRL: PEM holds something else, \"%.64s\"", label);
    return tst_crl_from_der(der, n, out, err);
}

int tst_crl_from_text(const void *p, size_t n, struct tst_crl **out, struct tst_error **err)
{
    if (n && *(const uint8_t *)p == (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED))
        return tst_crl_from_der(p, n, out, err);
    TST_AUTO_CRL c = NULL;
    int rc = tst_pem_blocks(p, n, 1, take_crl, &c, err);
    if (rc == 0)
        *out = TST_STEAL(c);
    return rc;
}

int tst_crl_to_der(const struct tst_crl *c, uint8_t **out, size_t *n, struct tst_error **err)
{
    int size = i2d_X509_CRL(c->crl, NULL);
    uint8_t *der = size > 0 ? malloc((size_t)size) : NULL;
    if (!der)
        return crypto_fail(err, TST_INTERNAL, "CRL: cannot write it");
    uint8_t *at = der;
    *n = (size_t)i2d_X509_CRL(c->crl, &at);
    *out = der;
    return 0;
}

void tst_crl_free(struct tst_crl *c)
{
    if (!c)
        return;
    X509_CRL_free(c->crl);
    free(c);
}

const struct tst_crl_info *tst_crl_info(const struct tst_crl *c)
{
    return &c->info;
}

/* ---- judging ---- */

int tst_crl_verify(const struct tst_crl *c, const struct tst_cert *issuer, struct tst_error **err)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer->x509);
    if (X509_NAME_cmp(X509_CRL_get_issuer(c->crl), X509_get_subject_name(issuer->x509)) != 0)
        return tst_fail(err, TST_REFUTED, "CRL: was issued under another name, '%s'", c->info.issuer_cn);
    if (id && ((size_t)ASN1_STRING_length(id) != c->info.authority_key_bytes ||
               memcmp(ASN1_STRING_get0_data(id), c->info.authority_key, c->info.authority_key_bytes) != 0))
        return tst_fail(err, TST_REFUTED, "CRL: was issued by another key of the same name");
    if (!(X509_get_key_usage(issuer->x509) & KU_CRL_SIGN))
        return tst_fail(err, TST_REFUTED, "CRL: the issuer's key is not one that signs CRLs");
    EVP_PKEY *pkey = X509_get0_pubkey(issuer->x509);
    if (!pkey)
        return crypto_fail(err, TST_USAGE, "CRL: cannot read the issuer's public key");
    if (X509_CRL_verify(c->crl, pkey) != 1) {
        ERR_clear_error();
        return tst_fail(err, TST_REFUTED, "CRL: signature does not verify with the issuer's key");
    }
    return 0;
}

/* Walks the list as it is: OpenSSL's own look-up would sort it first. */
bool tst_crl_revokes(const struct tst_crl *c, const struct tst_cert *cert, time_t *since)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert->x509);
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(c->crl);
    if (X509_NAME_cmp(X509_get_issuer_name(cert->x509), X509_CRL_get_issuer(c->crl)) != 0)
        return false;
    for (int i = 0; list && i < sk_X509_REVOKED_num(list); i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(list, i);
        if (ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(entry), serial) != 0)
            continue;
        if (since && cert_read_time(X509_REVOKED_get0_revocationDate(entry), since, NULL) < 0)
            *since = 0;
        return true;
    }
    return false;
}
