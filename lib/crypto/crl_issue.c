/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/crl_issue.c - make revocation lists: a simulator's, and those that tests need. Profile of AMD's: version 2, authority
 * key identifier, CRL number, entries without extensions. */
#include <openssl/x509v3.h>

#include "internal.h"

TST_CLEANUP_FN(X509_CRL *, X509_CRL_free)
TST_CLEANUP_FN(ASN1_INTEGER *, ASN1_INTEGER_free)
TST_CLEANUP_FN(ASN1_TIME *, ASN1_TIME_free)
TST_CLEANUP_FN(X509_REVOKED *, X509_REVOKED_free)
TST_CLEANUP_FN(AUTHORITY_KEYID *, AUTHORITY_KEYID_free)

/* ---- 0 or -1, with OpenSSL's reason in its queue ---- */

static int put_dates(X509_CRL *crl, const struct tst_crl_spec *spec)
{
    TST_CLEANUP(ASN1_TIME_free) ASN1_TIME *now = ASN1_TIME_set(NULL, spec->this_update);
    TST_CLEANUP(ASN1_TIME_free) ASN1_TIME *next = spec->next_update ? ASN1_TIME_set(NULL, spec->next_update) : NULL;
    if (!now || (spec->next_update && !next) || X509_CRL_set1_lastUpdate(crl, now) != 1)
        return -1;
    return !next || X509_CRL_set1_nextUpdate(crl, next) == 1 ? 0 : -1;
}

static int put_revoked(X509_CRL *crl, const struct tst_crl_spec *spec)
{
    TST_CLEANUP(ASN1_TIME_free) ASN1_TIME *when = ASN1_TIME_set(NULL, spec->this_update);
    for (size_t i = 0; i < spec->revoked_count; i++) {
        TST_CLEANUP(X509_REVOKED_free) X509_REVOKED *entry = X509_REVOKED_new();
        TST_CLEANUP(ASN1_INTEGER_free) ASN1_INTEGER *serial = ASN1_INTEGER_new();
        if (!when || !entry || !serial || ASN1_INTEGER_set_uint64(serial, spec->revoked[i]) != 1 ||
            X509_REVOKED_set_serialNumber(entry, serial) != 1 || X509_REVOKED_set_revocationDate(entry, when) != 1 ||
            X509_CRL_add0_revoked(crl, entry) != 1)
            return -1;
        TST_STEAL(entry);
    }
    return 0;
}

static int put_extensions(X509_CRL *crl, const struct tst_crl_spec *spec, const ASN1_OCTET_STRING *key_id)
{
    TST_CLEANUP(AUTHORITY_KEYID_free) AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
    TST_CLEANUP(ASN1_INTEGER_free) ASN1_INTEGER *number = ASN1_INTEGER_new();
    if (!id || !number || !(id->keyid = ASN1_OCTET_STRING_dup(key_id)) ||
        ASN1_INTEGER_set_uint64(number, spec->number) != 1)
        return -1;
    return X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, id, 0, X509V3_ADD_DEFAULT) == 1 &&
                   X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, X509V3_ADD_DEFAULT) == 1
               ? 0
               : -1;
}

static int sign(X509_CRL *crl, const struct tst_key *key)
{
    TST_CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    return ctx && issue_sign_init(ctx, key) == 0 && X509_CRL_sign_ctx(crl, ctx) > 0 ? 0 : -1;
}

int tst_crl_issue(const struct tst_crl_spec *spec, const struct tst_cert *issuer, const struct tst_key *issuer_key,
                  struct tst_crl **out, struct tst_error **err)
{
    const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(issuer->x509);
    const EVP_PKEY *expected = X509_get0_pubkey(issuer->x509);
    if (!issuer_key->has_private || !expected || EVP_PKEY_eq(expected, issuer_key->pkey) != 1 || !key_id)
        return crypto_fail(err, TST_USAGE, "issue CRL: the issuer is no CA, or the key is not its key");
    TST_CLEANUP(X509_CRL_free) X509_CRL *crl = X509_CRL_new();
    if (!crl || X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x509)) != 1 || put_dates(crl, spec) ||
        put_revoked(crl, spec) || put_extensions(crl, spec, key_id) || sign(crl, issuer_key))
        return crypto_fail(err, TST_INTERNAL, "issue CRL");
    uint8_t *der = NULL;
    int n = i2d_X509_CRL(crl, &der);
    int rc = n > 0 ? tst_crl_from_der(der, (size_t)n, out, err) : crypto_fail(err, TST_INTERNAL, "issue CRL");
    OPENSSL_free(der);
    return rc;
}
