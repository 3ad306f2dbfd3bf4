/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/cert.c - X.509 certificates: read, write, describe, look an extension up, verify under an issuer. No trust
 * decision is made here: who may be an issuer, and at what time, is for the caller to say. Source: RFC 5280, RFC 4055. */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "internal.h"

/* A PEM certificate with the text that "openssl x509 -text" puts before it. */
#define PEM_MAX_BYTES (4 * TST_CERT_MAX_BYTES)
#define PSS_SALT_BYTES 48
#define OID_MAX_BYTES 64
#define ARC_MAX_BYTES 5
#define PSS_TRAILER_BC 1

TST_CLEANUP_FN(BIO *, BIO_free_all)
TST_CLEANUP_FN(BASIC_CONSTRAINTS *, BASIC_CONSTRAINTS_free)
TST_CLEANUP_FN(RSA_PSS_PARAMS *, RSA_PSS_PARAMS_free)
TST_CLEANUP_FN(X509_ALGOR *, X509_ALGOR_free)

enum memo_state { MEMO_EMPTY, MEMO_BUSY, MEMO_SET };

static int info_read(const X509 *x509, struct tst_cert_info *out, struct tst_error **err);

int cert_wrap(X509 *x509, struct tst_cert **out, struct tst_error **err)
{
    struct tst_cert *c = calloc(1, sizeof *c);
    if (!c) {
        X509_free(x509);
        return tst_fail(err, TST_INTERNAL, "certificate: out of memory");
    }
    c->x509 = x509;
    atomic_init(&c->refs, 1);
    atomic_init(&c->memo, MEMO_EMPTY);
    c->info_read = info_read(x509, &c->info, NULL) == 0;
    *out = c;
    return 0;
}

struct tst_cert *tst_cert_ref(struct tst_cert *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void tst_cert_free(struct tst_cert *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    X509_free(c->x509);
    free(c);
}

/* ---- reading and writing ---- */

int tst_cert_from_der(const void *p, size_t n, struct tst_cert **out, struct tst_error **err)
{
    if (n > TST_CERT_MAX_BYTES)
        return tst_fail(err, TST_TOO_LARGE, "certificate: %zu bytes, at most %d", n, TST_CERT_MAX_BYTES);
    const uint8_t *at = p;
    TST_CLEANUP(X509_free) X509 *x509 = n ? d2i_X509(NULL, &at, (long)n) : NULL;
    if (!x509)
        return crypto_fail(err, TST_USAGE, "certificate: not DER of an X.509 certificate");
    size_t left = (size_t)((const uint8_t *)p + n - at);
    if (left)
        return tst_fail(err, TST_USAGE, "certificate: %zu trailing bytes", left);
    return cert_wrap(TST_STEAL(x509), out, err);
}

/* The next PEM block; 0 and *c == NULL at the end of the text. Blocks other than certificates are refused. */
static int pem_next(BIO *bio, struct tst_cert **c, struct tst_error **err)
{
    char *name = NULL, *header = NULL;
    uint8_t *der = NULL;
    long n = 0;
    *c = NULL;
    if (PEM_read_bio(bio, &name, &header, &der, &n) != 1) {
        if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
            return crypto_fail(err, TST_USAGE, "certificate: malformed PEM");
        ERR_clear_error();
        return 0;
    }
    int rc;
    if (strcmp(name, PEM_STRING_X509) != 0 || header[0])
        rc = tst_fail(err, TST_USAGE, "certificate: PEM holds something else, \"%.64s\"", name);
    else
        rc = tst_cert_from_der(der, (size_t)n, c, err);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, (size_t)n); /* may have been a private key */
    return rc;
}

static int pem_all(BIO *bio, struct tst_cert **out, size_t max, size_t *count, struct tst_error **err)
{
    for (;;) {
        TST_AUTO_CERT c = NULL;
        int rc = pem_next(bio, &c, err);
        if (rc)
            return rc;
        if (!c)
            return *count ? 0 : tst_fail(err, TST_USAGE, "certificate: neither DER nor PEM");
        if (*count == max)
            return tst_fail(err, TST_TOO_LARGE, "certificate: more than %zu in one file", max);
        out[(*count)++] = TST_STEAL(c);
    }
}

int tst_certs_from_text(const void *p, size_t n, struct tst_cert **out, size_t max, size_t *count,
                        struct tst_error **err)
{
    *count = 0;
    if (max == 0 || n > INT_MAX || n / PEM_MAX_BYTES >= max)
        return tst_fail(err, TST_TOO_LARGE, "certificate: %zu bytes are too many for %zu certificates", n, max);
    if (n && *(const uint8_t *)p == (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED)) {
        int rc = tst_cert_from_der(p, n, out, err);
        *count = rc ? 0 : 1;
        return rc;
    }
    TST_CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(n ? p : "", (int)n);
    if (!bio)
        return crypto_fail(err, TST_INTERNAL, "certificate");
    int rc = pem_all(bio, out, max, count, err);
    while (rc && *count)
        tst_cert_free(out[--*count]);
    return rc;
}

int tst_cert_to_der(const struct tst_cert *c, uint8_t **out, size_t *n, struct tst_error **err)
{
    int size = i2d_X509(c->x509, NULL);
    if (size <= 0)
        return crypto_fail(err, TST_INTERNAL, "certificate: cannot write it");
    uint8_t *der = malloc((size_t)size);
    if (!der)
        return tst_fail(err, TST_INTERNAL, "certificate: out of memory");
    uint8_t *at = der;
    *n = (size_t)i2d_X509(c->x509, &at);
    *out = der;
    return 0;
}

int tst_cert_to_pem(const struct tst_cert *c, char **out, struct tst_error **err)
{
    TST_CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (!bio || PEM_write_bio_X509(bio, c->x509) != 1)
        return crypto_fail(err, TST_INTERNAL, "certificate: cannot write it");
    long n = BIO_get_mem_data(bio, &text);
    *out = strndup(text, (size_t)n);
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "certificate: out of memory");
}

/* ---- what it says ---- */

/* The one value of an attribute as UTF-8; "" if there is none. */
int cert_name_value(const X509_NAME *name, int nid, const char *what, char *out, size_t size, struct tst_error **err)
{
    out[0] = 0;
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0)
        return 0;
    if (X509_NAME_get_index_by_NID(name, nid, at) >= 0)
        return tst_fail(err, TST_USAGE, "certificate: more than one %s", what);
    uint8_t *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    bool ok = n >= 0 && (size_t)n < size && !memchr(utf8, 0, (size_t)n);
    if (ok) {
        memcpy(out, utf8, (size_t)n);
        out[n] = 0;
    }
    OPENSSL_free(utf8);
    return ok ? 0 : crypto_fail(err, TST_USAGE, "certificate: a name is too long or not text");
}

static int read_names(const X509 *x509, struct tst_cert_info *out, struct tst_error **err)
{
    const X509_NAME *subject = X509_get_subject_name(x509), *issuer = X509_get_issuer_name(x509);
    int rc = cert_name_value(subject, NID_commonName, "subject CN", out->subject_cn, sizeof out->subject_cn, err);
    rc = rc ? rc : cert_name_value(subject, NID_organizationName, "subject O", out->subject_o, sizeof out->subject_o, err);
    rc = rc ? rc : cert_name_value(issuer, NID_commonName, "issuer CN", out->issuer_cn, sizeof out->issuer_cn, err);
    return rc ? rc : cert_name_value(issuer, NID_organizationName, "issuer O", out->issuer_o, sizeof out->issuer_o, err);
}

int cert_read_time(const ASN1_TIME *from, time_t *out, struct tst_error **err)
{
    struct tm tm;
    if (!from || ASN1_TIME_to_tm(from, &tm) != 1)
        return crypto_fail(err, TST_USAGE, "certificate: malformed date");
    *out = timegm(&tm);
    return 0;
}

bool cert_self_issued(const X509 *x509)
{
    const uint8_t *s, *i;
    size_t sn, in;
    bool ok = X509_NAME_get0_der(X509_get_subject_name(x509), &s, &sn) == 1 &&
              X509_NAME_get0_der(X509_get_issuer_name(x509), &i, &in) == 1;
    ERR_clear_error();
    return ok && sn == in && memcmp(s, i, sn) == 0;
}

int cert_is_ca(const X509 *x509, bool *out, struct tst_error **err)
{
    int critical; /* -1 absent, -2 more than once */
    TST_CLEANUP(BASIC_CONSTRAINTS_free) BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(x509, NID_basic_constraints, &critical, NULL);
    if (!bc && critical != -1)
        return crypto_fail(err, TST_USAGE, "certificate: malformed basicConstraints");
    *out = bc && bc->ca;
    return 0;
}

int cert_spki_sha256(const X509 *x509, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    uint8_t *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
    if (n <= 0)
        return crypto_fail(err, TST_USAGE, "certificate: cannot read the public key");
    int rc = tst_sha256(der, (size_t)n, out, err);
    OPENSSL_free(der);
    return rc;
}

/* AlgorithmIdentifier of SHA-384: parameters absent or NULL (RFC 4055 §2.1). */
static bool algor_is_sha384(const X509_ALGOR *a)
{
    if (!a)
        return false; /* absent means SHA-1 here */
    const ASN1_OBJECT *oid;
    int type;
    X509_ALGOR_get0(&oid, &type, NULL, a);
    return OBJ_obj2nid(oid) == NID_sha384 && (type == V_ASN1_NULL || type == V_ASN1_UNDEF);
}

static bool algor_is_mgf1_sha384(const X509_ALGOR *a)
{
    if (!a)
        return false;
    const ASN1_OBJECT *oid;
    int type;
    const void *value;
    X509_ALGOR_get0(&oid, &type, &value, a);
    if (OBJ_obj2nid(oid) != NID_mgf1 || type != V_ASN1_SEQUENCE)
        return false;
    TST_CLEANUP(X509_ALGOR_free) X509_ALGOR *hash = ASN1_item_unpack(value, ASN1_ITEM_rptr(X509_ALGOR));
    return algor_is_sha384(hash);
}

bool algor_is_pss_sha384(const X509_ALGOR *a)
{
    const ASN1_OBJECT *oid;
    int type;
    const void *value;
    X509_ALGOR_get0(&oid, &type, &value, a);
    if (OBJ_obj2nid(oid) != NID_rsassaPss || type != V_ASN1_SEQUENCE)
        return false;
    TST_CLEANUP(RSA_PSS_PARAMS_free) RSA_PSS_PARAMS *pss = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    if (!pss || !algor_is_sha384(pss->hashAlgorithm) || !algor_is_mgf1_sha384(pss->maskGenAlgorithm))
        return false;
    /* an absent salt length means 20; an absent trailer field means 1 */
    return pss->saltLength && ASN1_INTEGER_get(pss->saltLength) == PSS_SALT_BYTES &&
           (!pss->trailerField || ASN1_INTEGER_get(pss->trailerField) == PSS_TRAILER_BC);
}

bool cert_signed_pss_sha384(const X509 *x509)
{
    const X509_ALGOR *outer;
    X509_get0_signature(NULL, &outer, x509);
    bool yes = algor_is_pss_sha384(outer) && X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(x509)) == 0;
    ERR_clear_error();
    return yes;
}

static int info_read(const X509 *x509, struct tst_cert_info *out, struct tst_error **err)
{
    *out = (struct tst_cert_info){0};
    int rc = read_names(x509, out, err);
    rc = rc ? rc : cert_read_time(X509_get0_notBefore(x509), &out->not_before, err);
    rc = rc ? rc : cert_read_time(X509_get0_notAfter(x509), &out->not_after, err);
    rc = rc ? rc : cert_is_ca(x509, &out->ca, err);
    rc = rc ? rc : cert_spki_sha256(x509, out->spki_sha256, err);
    if (rc)
        return rc;
    const EVP_PKEY *pkey = X509_get0_pubkey(x509);
    if (!pkey)
        return crypto_fail(err, TST_USAGE, "certificate: cannot read the public key");
    out->key_kind = key_kind_of(pkey);
    out->key_bits = (unsigned)EVP_PKEY_get_bits(pkey);
    out->self_issued = cert_self_issued(x509);
    out->pss_sha384_salt48 = cert_signed_pss_sha384(x509);
    return 0;
}

int tst_cert_info(const struct tst_cert *c, struct tst_cert_info *out, struct tst_error **err)
{
    if (!c->info_read)
        return info_read(c->x509, out, err);
    *out = c->info;
    return 0;
}

int tst_cert_key(const struct tst_cert *c, struct tst_key **out, struct tst_error **err)
{
    EVP_PKEY *pkey = X509_get_pubkey(c->x509);
    if (!pkey)
        return crypto_fail(err, TST_USAGE, "certificate: cannot read the public key");
    return key_wrap_kind(pkey, c->info_read ? c->info.key_kind : key_kind_of(pkey), out, err);
}

/* Number of an object identifier, seven bits a byte, all but the last marked. Returns the bytes written. */
static size_t arc_put(uint32_t arc, uint8_t out[ARC_MAX_BYTES])
{
    size_t n = 1;
    for (uint32_t rest = arc >> 7; rest; rest >>= 7)
        n++;
    for (size_t i = n; i-- > 0; arc >>= 7)
        out[i] = (uint8_t)((arc & 0x7f) | (i + 1 < n ? 0x80 : 0));
    return n;
}

/* A number of one to eight digits. */
static bool arc_get(const char **text, uint32_t *arc)
{
    const char *start = *text;
    *arc = 0;
    for (; **text >= '0' && **text <= '9' && *text - start < 8; (*text)++)
        *arc = *arc * 10 + (uint32_t)(**text - '0');
    return *text > start;
}

/* "1.3.6.1" as the content of a DER OBJECT IDENTIFIER (X.690 8.19); 0 if it is none. OpenSSL's own reader costs as much as
 * hashing a kilobyte, and a VEK is asked for a dozen extensions. */
static size_t oid_der(const char *text, uint8_t out[OID_MAX_BYTES])
{
    uint32_t first, arc;
    if (!arc_get(&text, &first) || *text++ != '.' || !arc_get(&text, &arc) || first > 2 || (first < 2 && arc > 39))
        return 0;
    size_t n = arc_put(40 * first + arc, out);
    for (; *text == '.' && n <= OID_MAX_BYTES - ARC_MAX_BYTES; n += arc_put(arc, out + n)) {
        text++;
        if (!arc_get(&text, &arc))
            return 0;
    }
    return *text ? 0 : n;
}

/* The next extension of that identifier behind index `at`; -1 if there is none. */
static int extension_find(const X509 *x509, const uint8_t *oid, size_t n, int at)
{
    for (int i = at + 1; i < X509_get_ext_count(x509); i++) {
        const ASN1_OBJECT *object = X509_EXTENSION_get_object(X509_get_ext(x509, i));
        if (OBJ_length(object) == n && memcmp(OBJ_get0_data(object), oid, n) == 0)
            return i;
    }
    return -1;
}

int tst_cert_extension(const struct tst_cert *c, const char *oid, struct tst_bytes *out, struct tst_error **err)
{
    uint8_t der[OID_MAX_BYTES];
    size_t n = oid_der(oid, der);
    if (n == 0)
        return tst_fail(err, TST_USAGE, "certificate: not an object identifier");
    int at = extension_find(c->x509, der, n, -1);
    if (at < 0)
        return tst_fail(err, TST_NOT_FOUND, "certificate: no extension %s", oid);
    if (extension_find(c->x509, der, n, at) >= 0)
        return tst_fail(err, TST_USAGE, "certificate: extension %s is there twice", oid);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(c->x509, at));
    *out = (struct tst_bytes){ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)};
    return 0;
}

static bool memo_says(const struct tst_cert *c, const struct tst_cert *issuer)
{
    return issuer->info_read && atomic_load_explicit(&c->memo, memory_order_acquire) == MEMO_SET &&
           memcmp(c->memo_spki_sha256, issuer->info.spki_sha256, TST_SHA256_BYTES) == 0;
}

static void memo_set(struct tst_cert *c, const struct tst_cert *issuer)
{
    unsigned empty = MEMO_EMPTY;
    if (!issuer->info_read || !atomic_compare_exchange_strong(&c->memo, &empty, MEMO_BUSY))
        return;
    memcpy(c->memo_spki_sha256, issuer->info.spki_sha256, TST_SHA256_BYTES);
    atomic_store_explicit(&c->memo, MEMO_SET, memory_order_release);
}

int tst_cert_verify(const struct tst_cert *c, const struct tst_cert *issuer, struct tst_error **err)
{
    if (X509_NAME_cmp(X509_get_issuer_name(c->x509), X509_get_subject_name(issuer->x509)) != 0)
        return tst_fail(err, TST_REFUTED, "certificate: was issued under another name");
    if (memo_says(c, issuer))
        return 0;
    EVP_PKEY *pkey = X509_get0_pubkey(issuer->x509);
    if (!pkey)
        return crypto_fail(err, TST_USAGE, "certificate: cannot read the issuer's public key");
    if (X509_verify(c->x509, pkey) != 1) {
        ERR_clear_error();
        return tst_fail(err, TST_REFUTED, "certificate: signature does not verify with the issuer's key");
    }
    memo_set((struct tst_cert *)(uintptr_t)c, issuer); /* what a caller sees does not change */
    return 0;
}
