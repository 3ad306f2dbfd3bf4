/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/cert_issue.c - make certificates: the broker's own CA and TLS leaf, the simulator's ARK, ASK and VCEK. A leaf that
 * is neither CA nor TLS server carries exactly the extensions of its specification, as AMD's VCEKs do. */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "internal.h"

#define PSS_SALT_BYTES 48
#define KEY_ID_BYTES 20
#define KEY_USAGE_CERT_SIGN 5 /* bits of RFC 5280 §4.2.1.3 */
#define KEY_USAGE_CRL_SIGN 6

TST_CLEANUP_FN(BASIC_CONSTRAINTS *, BASIC_CONSTRAINTS_free)
TST_CLEANUP_FN(ASN1_BIT_STRING *, ASN1_BIT_STRING_free)
TST_CLEANUP_FN(AUTHORITY_KEYID *, AUTHORITY_KEYID_free)
TST_CLEANUP_FN(GENERAL_NAMES *, GENERAL_NAMES_free)
TST_CLEANUP_FN(GENERAL_NAME *, GENERAL_NAME_free)
TST_CLEANUP_FN(EXTENDED_KEY_USAGE *, EXTENDED_KEY_USAGE_free)
TST_CLEANUP_FN(X509_NAME *, X509_NAME_free)
TST_CLEANUP_FN(X509_EXTENSION *, X509_EXTENSION_free)
TST_CLEANUP_FN(ASN1_INTEGER *, ASN1_INTEGER_free)

/* ---- extensions: 0 or -1, with OpenSSL's reason in its queue ---- */

static int ext_put(X509 *x, int nid, void *value, bool critical)
{
    return X509_add1_ext_i2d(x, nid, value, critical, X509V3_ADD_DEFAULT) == 1 ? 0 : -1;
}

static int ext_basic_constraints(X509 *x, bool ca)
{
    TST_CLEANUP(BASIC_CONSTRAINTS_free) BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
    if (!bc)
        return -1;
    bc->ca = ca ? 0xff : 0;
    return ext_put(x, NID_basic_constraints, bc, true);
}

static int ext_ca_key_usage(X509 *x)
{
    TST_CLEANUP(ASN1_BIT_STRING_free) ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    if (!bits || ASN1_BIT_STRING_set_bit(bits, KEY_USAGE_CERT_SIGN, 1) != 1 ||
        ASN1_BIT_STRING_set_bit(bits, KEY_USAGE_CRL_SIGN, 1) != 1)
        return -1;
    return ext_put(x, NID_key_usage, bits, true);
}

/* RFC 7093 §2, method 1. */
static int ext_subject_key_id(X509 *x)
{
    uint8_t id[EVP_MAX_MD_SIZE];
    TST_CLEANUP(ASN1_OCTET_STRING_free) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    if (!value || X509_pubkey_digest(x, EVP_sha256(), id, NULL) != 1 || ASN1_OCTET_STRING_set(value, id, KEY_ID_BYTES) != 1)
        return -1;
    return ext_put(x, NID_subject_key_identifier, value, false);
}

static int ext_authority_key_id(X509 *x, X509 *issuer)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer);
    if (!id)
        return 0;
    TST_CLEANUP(AUTHORITY_KEYID_free) AUTHORITY_KEYID *value = AUTHORITY_KEYID_new();
    if (!value || !(value->keyid = ASN1_OCTET_STRING_dup(id)))
        return -1;
    return ext_put(x, NID_authority_key_identifier, value, false);
}

static int ext_server_auth(X509 *x)
{
    TST_CLEANUP(EXTENDED_KEY_USAGE_free) EXTENDED_KEY_USAGE *eku = EXTENDED_KEY_USAGE_new();
    if (!eku || sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(NID_server_auth)) <= 0)
        return -1;
    return ext_put(x, NID_ext_key_usage, eku, false);
}

static int san_push(GENERAL_NAMES *names, int type, ASN1_STRING *value)
{
    TST_CLEANUP(GENERAL_NAME_free) GENERAL_NAME *name = value ? GENERAL_NAME_new() : NULL;
    if (!name) {
        ASN1_STRING_free(value);
        return -1;
    }
    GENERAL_NAME_set0_value(name, type, value);
    if (sk_GENERAL_NAME_push(names, name) <= 0)
        return -1;
    TST_STEAL(name);
    return 0;
}

static ASN1_STRING *san_dns_value(const char *dns)
{
    ASN1_IA5STRING *value = ASN1_IA5STRING_new();
    if (!value || ASN1_STRING_set(value, dns, -1) != 1) {
        ASN1_IA5STRING_free(value);
        return NULL;
    }
    return value;
}

static int ext_subject_alt_name(X509 *x, const char *dns, const char *ip)
{
    TST_CLEANUP(GENERAL_NAMES_free) GENERAL_NAMES *names = GENERAL_NAMES_new();
    if (!names || (dns && san_push(names, GEN_DNS, san_dns_value(dns))) ||
        (ip && san_push(names, GEN_IPADD, a2i_IPADDRESS(ip))))
        return -1;
    return ext_put(x, NID_subject_alt_name, names, false);
}

/* The bytes become the extnValue as they are: AMD's hwID is no DER. */
static int ext_raw(X509 *x, const struct tst_cert_ext_spec *spec)
{
    TST_CLEANUP(ASN1_OBJECT_free) ASN1_OBJECT *oid = OBJ_txt2obj(spec->oid, 1);
    TST_CLEANUP(ASN1_OCTET_STRING_free) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    if (!oid || !value || spec->value.n > TST_CERT_MAX_BYTES ||
        ASN1_OCTET_STRING_set(value, spec->value.p, (int)spec->value.n) != 1)
        return -1;
    TST_CLEANUP(X509_EXTENSION_free) X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
    return ext && X509_add_ext(x, ext, -1) == 1 ? 0 : -1;
}

static int put_extensions(X509 *x, const struct tst_cert_spec *spec, X509 *issuer)
{
    if ((spec->ca || spec->tls_server) && ext_basic_constraints(x, spec->ca))
        return -1;
    if (spec->ca && (ext_ca_key_usage(x) || ext_subject_key_id(x)))
        return -1;
    if (spec->tls_server && (ext_server_auth(x) || ext_subject_alt_name(x, spec->san_dns, spec->san_ip)))
        return -1;
    if ((spec->ca || spec->tls_server) && issuer && ext_authority_key_id(x, issuer))
        return -1;
    for (size_t i = 0; i < spec->ext_count; i++)
        if (ext_raw(x, &spec->exts[i]))
            return -1;
    return 0;
}

/* ---- the rest of the certificate ---- */

static int name_put(X509_NAME *name, int nid, const char *text)
{
    return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const uint8_t *)text, -1, -1, 0) == 1 ? 0 : -1;
}

static int put_subject(X509 *x, const struct tst_cert_spec *spec)
{
    TST_CLEANUP(X509_NAME_free) X509_NAME *name = X509_NAME_new();
    if (!name || (spec->o && name_put(name, NID_organizationName, spec->o)) || name_put(name, NID_commonName, spec->cn))
        return -1;
    return X509_set_subject_name(x, name) == 1 ? 0 : -1;
}

static int put_body(X509 *x, const struct tst_cert_spec *spec, const struct tst_key *subject, X509 *issuer)
{
    TST_CLEANUP(ASN1_INTEGER_free) ASN1_INTEGER *serial = ASN1_INTEGER_new();
    if (!serial || ASN1_INTEGER_set_uint64(serial, spec->serial) != 1 || X509_set_serialNumber(x, serial) != 1 ||
        X509_set_version(x, X509_VERSION_3) != 1 || !ASN1_TIME_set(X509_getm_notBefore(x), spec->not_before) ||
        !ASN1_TIME_set(X509_getm_notAfter(x), spec->not_after) || put_subject(x, spec) ||
        X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x)) != 1 ||
        X509_set_pubkey(x, subject->pkey) != 1)
        return -1;
    return put_extensions(x, spec, issuer);
}

int issue_sign_init(EVP_MD_CTX *ctx, const struct tst_key *key)
{
    EVP_PKEY_CTX *options = NULL; /* belongs to ctx */
    const EVP_MD *md = key_signature_md(key->kind);
    if (EVP_DigestSignInit(ctx, &options, md, NULL, key->pkey) != 1)
        return -1;
    if (key->kind == TST_KEY_RSA4096 && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
                                         EVP_PKEY_CTX_set_rsa_mgf1_md(options, md) != 1 ||
                                         EVP_PKEY_CTX_set_rsa_pss_saltlen(options, PSS_SALT_BYTES) != 1))
        return -1;
    return 0;
}

static int sign(X509 *x, const struct tst_key *key)
{
    TST_CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    return ctx && issue_sign_init(ctx, key) == 0 && X509_sign_ctx(x, ctx) > 0 ? 0 : -1;
}

static int check_issuer(const struct tst_cert *cert, const struct tst_key *key, const struct tst_key *subject,
                        struct tst_error **err)
{
    if (!key->has_private || key->kind == TST_KEY_OTHER)
        return tst_fail(err, TST_USAGE, "issue certificate: the issuer's key cannot sign");
    const EVP_PKEY *expected = cert ? X509_get0_pubkey(cert->x509) : subject->pkey;
    if (!expected || EVP_PKEY_eq(expected, key->pkey) != 1)
        return crypto_fail(err, TST_USAGE, "issue certificate: the issuer's key is not that of its certificate");
    return 0;
}

static int check_spec(const struct tst_cert_spec *spec, struct tst_error **err)
{
    if (spec->tls_server && !spec->san_dns && !spec->san_ip)
        return tst_fail(err, TST_USAGE, "issue certificate: a TLS server needs a name or an address");
    TST_CLEANUP(ASN1_OCTET_STRING_free) ASN1_OCTET_STRING *ip = spec->san_ip ? a2i_IPADDRESS(spec->san_ip) : NULL;
    ERR_clear_error();
    return !spec->san_ip || ip ? 0 : tst_fail(err, TST_USAGE, "issue certificate: \"%s\" is no IP address", spec->san_ip);
}

int tst_cert_issue(const struct tst_cert_spec *spec, const struct tst_key *subject, const struct tst_cert *issuer_cert,
                   const struct tst_key *issuer_key, struct tst_cert **out, struct tst_error **err)
{
    int rc = check_spec(spec, err);
    rc = rc ? rc : check_issuer(issuer_cert, issuer_key, subject, err);
    if (rc)
        return rc;
    TST_CLEANUP(X509_free) X509 *x = X509_new();
    if (!x || put_body(x, spec, subject, issuer_cert ? issuer_cert->x509 : NULL) || sign(x, issuer_key))
        return crypto_fail(err, TST_INTERNAL, "issue certificate");
    return cert_wrap(TST_STEAL(x), out, err);
}
