/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/internal.h - what the files of lib/crypto share: the insides of keys and certificates, typed cleanups of
 * OpenSSL's objects, and the one place where OpenSSL's error queue becomes a struct tst_error. */
#ifndef TESTUDO_CRYPTO_INTERNAL_H
#define TESTUDO_CRYPTO_INTERNAL_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdatomic.h>

#include <testudo/crypto.h>

struct tst_key {
    EVP_PKEY *pkey;
    enum tst_key_kind kind;
    bool has_private;
};

/* Immutable but for refs and memo: what can be said of a certificate is read once, when it is made. */
struct tst_cert {
    X509 *x509;
    atomic_uint refs;
    bool info_read; /* false: tst_cert_info() reads again, to say why it cannot */
    struct tst_cert_info info;
    /* The first key that the signature was found to verify with (a fact of these bytes and that key, so it stays true):
     * SHA-256 of its SubjectPublicKeyInfo, there when memo is MEMO_SET. */
    atomic_uint memo;
    uint8_t memo_spki_sha256[TST_SHA256_BYTES];
};

TST_CLEANUP_FN(EVP_PKEY *, EVP_PKEY_free)
TST_CLEANUP_FN(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
TST_CLEANUP_FN(EVP_MD_CTX *, EVP_MD_CTX_free)
TST_CLEANUP_FN(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free)
TST_CLEANUP_FN(X509 *, X509_free)
TST_CLEANUP_FN(ASN1_OBJECT *, ASN1_OBJECT_free)
TST_CLEANUP_FN(ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free)

/* "what: <OpenSSL's reason>"; empties OpenSSL's error queue of this thread, so that nothing of it is left for a later
 * SSL_get_error(). Returns -code. */
int crypto_fail(struct tst_error **err, enum tst_code code, const char *what);

const char *key_kind_name(enum tst_key_kind kind);
enum tst_key_kind key_kind_of(const EVP_PKEY *pkey);
/* Takes pkey over, also when it fails. */
int key_wrap(EVP_PKEY *pkey, bool has_private, struct tst_key **out, struct tst_error **err);
/* The same for a public key whose kind is known: asking OpenSSL again costs as much as a hash. */
int key_wrap_kind(EVP_PKEY *pkey, enum tst_key_kind kind, struct tst_key **out, struct tst_error **err);
/* Bytes of one coordinate; 0 when the key is on neither P-256 nor P-384. */
size_t key_coordinate_bytes(enum tst_key_kind kind);
/* Hash that goes with a key when it signs; NULL for Ed25519 and others. */
const EVP_MD *key_signature_md(enum tst_key_kind kind);
const EVP_MD *hash_md(enum tst_hash hash);

/* Takes x509 over, also when it fails. */
int cert_wrap(X509 *x509, struct tst_cert **out, struct tst_error **err);
/* SHA-256 of the SubjectPublicKeyInfo. */
int cert_spki_sha256(const X509 *x509, uint8_t out[TST_SHA256_BYTES], struct tst_error **err);
/* basicConstraints CA:TRUE; malformed or repeated basicConstraints are an error. */
int cert_is_ca(const X509 *x509, bool *out, struct tst_error **err);
bool cert_self_issued(const X509 *x509);
/* RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes, and nothing else. */
bool cert_signed_pss_sha384(const X509 *x509);
bool algor_is_pss_sha384(const X509_ALGOR *a);
/* The one value of an attribute as UTF-8; "" if there is none. `what` names it in the error. */
int cert_name_value(const X509_NAME *name, int nid, const char *what, char *out, size_t size, struct tst_error **err);
int cert_read_time(const ASN1_TIME *from, time_t *out, struct tst_error **err);
/* Signature algorithm of an RSA issuer's key: RSASSA-PSS, SHA-384, salt 48. 0 or -1. */
int issue_sign_init(EVP_MD_CTX *ctx, const struct tst_key *key);

#endif
