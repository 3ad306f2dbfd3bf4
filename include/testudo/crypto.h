/* SPDX-License-Identifier: Apache-2.0 */
/* testudo/crypto.h - everything cryptographic; lib/crypto holds the only files that include <openssl/...>.
 * All functions are thread-safe on distinct objects. Integers of keys and signatures are big-endian, fixed size. */
#ifndef TESTUDO_CRYPTO_H
#define TESTUDO_CRYPTO_H

#include <testudo/base.h>

#define TST_SHA256_BYTES 32
#define TST_SHA384_BYTES 48
int tst_sha256(const void *p, size_t n, uint8_t out[TST_SHA256_BYTES], struct tst_error **err);
int tst_sha384(const void *p, size_t n, uint8_t out[TST_SHA384_BYTES], struct tst_error **err);
#define TST_SHA512_BYTES 64
int tst_sha512(const void *p, size_t n, uint8_t out[TST_SHA512_BYTES], struct tst_error **err);
int tst_random(void *p, size_t n, struct tst_error **err);

/* ---- keys ---- */
enum tst_key_kind { TST_KEY_P256, TST_KEY_P384, TST_KEY_RSA4096, TST_KEY_ED25519, TST_KEY_OTHER };
struct tst_key; /* a private or a public key */
int tst_key_generate(enum tst_key_kind kind, struct tst_key **out, struct tst_error **err);
enum tst_key_kind tst_key_kind(const struct tst_key *k);
void tst_key_free(struct tst_key *k);
TST_CLEANUP_FN(struct tst_key *, tst_key_free)
#define TST_AUTO_KEY TST_CLEANUP(tst_key_free) __typeof__(struct tst_key *)
/* EC only. x and y: 32 (P-256) or 48 (P-384) bytes each. A point off the curve is refused. */
int tst_key_ec_point(const struct tst_key *k, uint8_t *x, uint8_t *y, struct tst_error **err);
int tst_key_from_ec_point(enum tst_key_kind kind, const uint8_t *x, const uint8_t *y, struct tst_key **out,
                          struct tst_error **err);
/* PKCS#8 DER of a private key, to be kept in a file of mode 0600 or wrapped. */
int tst_key_private_der(const struct tst_key *k, struct tst_secret **out, struct tst_error **err);
int tst_key_from_private_der(const void *p, size_t n, struct tst_key **out, struct tst_error **err);
/* SubjectPublicKeyInfo; *out malloc'ed. */
int tst_key_public_der(const struct tst_key *k, uint8_t **out, size_t *n, struct tst_error **err);
int tst_key_from_public_der(const void *p, size_t n, struct tst_key **out, struct tst_error **err);
int tst_key_spki_sha256(const struct tst_key *k, uint8_t out[TST_SHA256_BYTES], struct tst_error **err);

/* ECDSA, r||s: P-256 with SHA-256 (64 bytes, JWS ES256), P-384 with SHA-384 (96 bytes). */
#define TST_ECDSA_P256_BYTES 64
#define TST_ECDSA_P384_BYTES 96
int tst_ecdsa_sign(const struct tst_key *k, const void *msg, size_t n, uint8_t *rs, struct tst_error **err);
/* -TST_REFUTED if it does not verify. */
int tst_ecdsa_verify(const struct tst_key *k, const void *msg, size_t n, const uint8_t *rs, struct tst_error **err);

/* P-256 ECDH; the secret is the 32-byte x coordinate. */
int tst_ecdh(const struct tst_key *mine, const struct tst_key *theirs, struct tst_secret **z, struct tst_error **err);
/* NIST SP 800-56A one-step KDF with SHA-256 (RFC 7518 §4.6 "Concat KDF"). */
int tst_concat_kdf(const struct tst_secret *z, const void *other_info, size_t n, size_t out_bytes,
                   struct tst_secret **out, struct tst_error **err);
/* RFC 3394 with a 32-byte key-encryption key; wrapped is 8 bytes longer than the key. Unwrap: -TST_REFUTED. */
int tst_aes_kw_wrap(const struct tst_secret *kek, const struct tst_secret *key, uint8_t *wrapped,
                    struct tst_error **err);
int tst_aes_kw_unwrap(const struct tst_secret *kek, const void *wrapped, size_t n, struct tst_secret **key,
                      struct tst_error **err);
/* AES-256-GCM, 12-byte IV, 16-byte tag. ct holds n bytes. */
#define TST_GCM_IV_BYTES 12
#define TST_GCM_TAG_BYTES 16
int tst_gcm_seal(const struct tst_secret *key, const uint8_t iv[TST_GCM_IV_BYTES], const void *aad, size_t aad_n,
                 const void *pt, size_t n, uint8_t *ct, uint8_t tag[TST_GCM_TAG_BYTES], struct tst_error **err);
/* -TST_REFUTED if the tag does not match; pt is a new secret of n bytes (n >= 1). */
int tst_gcm_open(const struct tst_secret *key, const uint8_t iv[TST_GCM_IV_BYTES], const void *aad, size_t aad_n,
                 const void *ct, size_t n, const uint8_t tag[TST_GCM_TAG_BYTES], struct tst_secret **pt,
                 struct tst_error **err);

/* ---- certificates ---- */
#define TST_CERT_MAX_BYTES 8192
struct tst_cert;
/* Exactly one DER certificate, nothing behind it. */
int tst_cert_from_der(const void *p, size_t n, struct tst_cert **out, struct tst_error **err);
/* DER or PEM by content; PEM: every certificate in order, at most max. out[] filled, *count set. */
int tst_certs_from_text(const void *p, size_t n, struct tst_cert **out, size_t max, size_t *count,
                        struct tst_error **err);
int tst_cert_to_der(const struct tst_cert *c, uint8_t **out, size_t *n, struct tst_error **err);
int tst_cert_to_pem(const struct tst_cert *c, char **out, struct tst_error **err);
void tst_cert_free(struct tst_cert *c);
TST_CLEANUP_FN(struct tst_cert *, tst_cert_free)
#define TST_AUTO_CERT TST_CLEANUP(tst_cert_free) __typeof__(struct tst_cert *)
struct tst_cert *tst_cert_ref(struct tst_cert *c);

struct tst_cert_info {
    char subject_cn[128], subject_o[128]; /* "" if there is none */
    char issuer_cn[128], issuer_o[128];
    time_t not_before, not_after;
    enum tst_key_kind key_kind;
    unsigned key_bits;
    bool self_issued;      /* subject == issuer, byte for byte */
    bool ca;               /* basicConstraints CA:TRUE */
    bool pss_sha384_salt48; /* signed with RSASSA-PSS, SHA-384, MGF1-SHA-384, salt 48 */
    uint8_t spki_sha256[TST_SHA256_BYTES];
};
int tst_cert_info(const struct tst_cert *c, struct tst_cert_info *out, struct tst_error **err);
/* New reference to the subject's public key. */
int tst_cert_key(const struct tst_cert *c, struct tst_key **out, struct tst_error **err);
/* Raw content of the extension's extnValue, borrowed; TST_NOT_FOUND if absent, TST_USAGE if there twice. */
int tst_cert_extension(const struct tst_cert *c, const char *oid, struct tst_bytes *out, struct tst_error **err);
/* Signature and name chaining only (no dates, no CA flag): -TST_REFUTED if `issuer` did not sign `c`. */
int tst_cert_verify(const struct tst_cert *c, const struct tst_cert *issuer, struct tst_error **err);

struct tst_cert_ext_spec {
    const char *oid;
    struct tst_bytes value; /* goes into extnValue as it is */
};
struct tst_cert_spec {
    const char *cn, *o;          /* subject; o may be NULL */
    uint64_t serial;
    time_t not_before, not_after;
    bool ca;
    bool tls_server;             /* serverAuth + subjectAltName below */
    const char *san_dns, *san_ip; /* may be NULL */
    const struct tst_cert_ext_spec *exts;
    size_t ext_count;
};
/* Issues a certificate for `subject`; issuer_cert NULL = self-signed. RSA issuers sign with PSS SHA-384 salt 48,
 * P-256 with SHA-256, P-384 with SHA-384. */
int tst_cert_issue(const struct tst_cert_spec *spec, const struct tst_key *subject, const struct tst_cert *issuer_cert,
                   const struct tst_key *issuer_key, struct tst_cert **out, struct tst_error **err);

/* ---- TLS 1.3 ---- */
struct ssl_ctx_st;
struct ssl_st;
/* Server context that presents leaf then ca. */
int tst_tls_server(const struct tst_cert *leaf, const struct tst_key *key, const struct tst_cert *ca,
                   struct ssl_ctx_st **out, struct tst_error **err);
struct ssl_st *tst_tls_session(struct ssl_ctx_st *ctx); /* NULL when out of memory */
void tst_tls_server_free(struct ssl_ctx_st *ctx);
/* For libcurl's CURLOPT_SSL_CTX_FUNCTION (with VERIFYPEER on, no CA file): TLS 1.3 only; the peer's chain must end in a
 * self-signed CA whose SPKI SHA-256 is pin, which signed the leaf; dates, CA flag, and the host name or IP literal are
 * checked. `pin` is borrowed for the life of the context. */
struct tst_tls_pin {
    uint8_t ca_spki_sha256[TST_SHA256_BYTES];
    const char *host; /* name or IP literal that the leaf's subjectAltName must hold */
};
int tst_tls_pin_ca(void *ssl_ctx, const struct tst_tls_pin *pin, struct tst_error **err);

/* ---- what AMD's legacy SEV firmware uses besides (AMD 55766) ---- */
enum tst_hash { TST_HASH_SHA256, TST_HASH_SHA384 };
/* HMAC over the pieces one after another. */
int tst_hmac_sha256(const struct tst_secret *key, const struct tst_bytes *parts, size_t count,
                    uint8_t out[TST_SHA256_BYTES], struct tst_error **err);
/* NIST SP 800-108 in counter mode with HMAC-SHA256; counter and length are 32 bits little-endian. */
int tst_counter_kdf(const struct tst_secret *key, const char *label, const void *context, size_t n, size_t out_bytes,
                    struct tst_secret **out, struct tst_error **err);
/* AES-128-CTR, both directions. out holds n bytes and may be `in`. */
#define TST_AES128_BYTES 16
int tst_aes128_ctr(const struct tst_secret *key, const uint8_t iv[TST_AES128_BYTES], const void *in, size_t n, uint8_t *out,
                   struct tst_error **err);
/* P-384 ECDH; the secret is the 48-byte x coordinate. */
int tst_ecdh_p384(const struct tst_key *mine, const struct tst_key *theirs, struct tst_secret **z, struct tst_error **err);
/* As tst_ecdsa_sign and _verify, with the hash named. */
int tst_ecdsa_sign_hash(const struct tst_key *k, enum tst_hash hash, const void *msg, size_t n, uint8_t *rs,
                        struct tst_error **err);
int tst_ecdsa_verify_hash(const struct tst_key *k, enum tst_hash hash, const void *msg, size_t n, const uint8_t *rs,
                          struct tst_error **err);
/* A public key of 2048 to 4096 bits from its big-endian numbers; leading zeros are taken. */
int tst_key_from_rsa(struct tst_bytes modulus, struct tst_bytes exponent, struct tst_key **out, struct tst_error **err);
/* RSASSA-PSS, MGF1 and salt length of the same hash; the signature is as long as the modulus. -TST_REFUTED if it does not
 * verify. */
int tst_rsa_pss_verify(const struct tst_key *k, enum tst_hash hash, const void *msg, size_t n, struct tst_bytes signature,
                       struct tst_error **err);

/* ---- a hash in steps, reusable: no allocation and no look-up of the algorithm after tst_hasher_new ---- */
struct tst_hasher;
int tst_hasher_new(enum tst_hash hash, struct tst_hasher **out, struct tst_error **err);
void tst_hasher_free(struct tst_hasher *h);
TST_CLEANUP_FN(struct tst_hasher *, tst_hasher_free)
#define TST_AUTO_HASHER TST_CLEANUP(tst_hasher_free) __typeof__(struct tst_hasher *)
int tst_hasher_update(struct tst_hasher *h, const void *p, size_t n, struct tst_error **err);
/* Writes 32 or 48 bytes and starts over. */
int tst_hasher_final(struct tst_hasher *h, uint8_t *out, struct tst_error **err);
/* `to` takes over the state of `from`; both of the same algorithm. */
int tst_hasher_copy(struct tst_hasher *to, const struct tst_hasher *from, struct tst_error **err);

/* ---- certificate revocation lists (RFC 5280 §5): full lists, issued by the key that signed the certificates ---- */
#define TST_CRL_MAX_BYTES (64 * 1024)
struct tst_crl; /* immutable */
struct tst_crl_info {
    char issuer_cn[128], issuer_o[128];
    time_t this_update, next_update;
    bool has_next_update;
    uint64_t number;         /* CRL number: grows with every list of this issuer */
    bool pss_sha384_salt48;  /* as in struct tst_cert_info */
    uint8_t authority_key[32]; /* key identifier of the issuer */
    size_t authority_key_bytes;
    size_t revoked_count;
};
/* Exactly one DER CRL of version 2, with CRL number and authority key identifier, nothing behind it. A critical extension
 * (delta list, partial list, indirect entry) is refused: such a list does not say what is asked here. */
int tst_crl_from_der(const void *p, size_t n, struct tst_crl **out, struct tst_error **err);
/* DER, or PEM with exactly one "X509 CRL". */
int tst_crl_from_text(const void *p, size_t n, struct tst_crl **out, struct tst_error **err);
int tst_crl_to_der(const struct tst_crl *c, uint8_t **out, size_t *n, struct tst_error **err); /* *out malloc'ed */
void tst_crl_free(struct tst_crl *c);
TST_CLEANUP_FN(struct tst_crl *, tst_crl_free)
#define TST_AUTO_CRL TST_CLEANUP(tst_crl_free) __typeof__(struct tst_crl *)
const struct tst_crl_info *tst_crl_info(const struct tst_crl *c);
/* Name, authority key identifier, key usage and signature; no dates. -TST_REFUTED if `issuer` did not issue the list. */
int tst_crl_verify(const struct tst_crl *c, const struct tst_cert *issuer, struct tst_error **err);
/* Whether the list names `cert`, which must have been issued under the list's issuer name; *since may be NULL. */
bool tst_crl_revokes(const struct tst_crl *c, const struct tst_cert *cert, time_t *since);

struct tst_crl_spec {
    uint64_t number;
    time_t this_update, next_update; /* next_update 0: none */
    const uint64_t *revoked;         /* serial numbers */
    size_t revoked_count;
};
/* Issues a list under a CA certificate; RSA keys sign with PSS SHA-384 salt 48. */
int tst_crl_issue(const struct tst_crl_spec *spec, const struct tst_cert *issuer, const struct tst_key *issuer_key,
                  struct tst_crl **out, struct tst_error **err);

/* ---- PEM (RFC 7468) as a container ---- */
/* One block: "CERTIFICATE", "X509 CRL", ...; borrowed. */
typedef int tst_pem_fn(void *ctx, const char *label, const void *der, size_t n, struct tst_error **err);
/* Calls `each` for the blocks in order until it fails; at most max blocks of TST_CRL_MAX_BYTES each. Text between blocks is
 * passed over; a text without any block is an error. */
int tst_pem_blocks(const void *p, size_t n, size_t max, tst_pem_fn *each, void *ctx, struct tst_error **err);
/* Appends one block. */
int tst_pem_put(struct tst_buf *to, const char *label, const void *der, size_t n, struct tst_error **err);

#endif
