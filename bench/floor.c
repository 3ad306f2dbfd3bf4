/* SPDX-License-Identifier: Apache-2.0 */
/* bench/floor.c - see floor.h. */
#include "floor.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNED_BYTES = 0x2a0, FIELD_BYTES = 72, P384_BYTES = 48, SHA384_BYTES = 48 };

struct floor {
    EVP_MD *sha384;
    EVP_PKEY_CTX *ctx;
    uint8_t *signature, message[SIGNED_BYTES];
    size_t signature_n;
};

static bool certs_decode(const struct floor_input *in, X509 *out[FLOOR_CERTS])
{
    for (size_t i = 0; i < FLOOR_CERTS; i++) {
        const uint8_t *at = in->der[i];
        out[i] = d2i_X509(NULL, &at, (long)in->der_n[i]);
        if (!out[i] || !X509_get0_pubkey(out[i]))
            return false;
    }
    return true;
}

/* R and S lie in the report as little-endian numbers; OpenSSL takes them as DER. */
static int report_signature(const uint8_t *report, uint8_t **der)
{
    const uint8_t *at = report + SIGNED_BYTES;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_lebin2bn(at, P384_BYTES, NULL), *s = BN_lebin2bn(at + FIELD_BYTES, P384_BYTES, NULL);
    int n = sig && ECDSA_SIG_set0(sig, r, s) == 1 ? i2d_ECDSA_SIG(sig, der) : -1;
    ECDSA_SIG_free(sig);
    return n;
}

static bool floor_prepare(struct floor *f, const struct floor_input *in)
{
    const uint8_t *at = in->der[FLOOR_VEK];
    X509 *vek = d2i_X509(NULL, &at, (long)in->der_n[FLOOR_VEK]);
    int n = report_signature(in->report, &f->signature);
    f->signature_n = n > 0 ? (size_t)n : 0;
    memcpy(f->message, in->report, SIGNED_BYTES);
    f->sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
    f->ctx = vek ? EVP_PKEY_CTX_new_from_pkey(NULL, X509_get0_pubkey(vek), NULL) : NULL;
    bool ok = n > 0 && f->sha384 && f->ctx && EVP_PKEY_verify_init(f->ctx) == 1 && EVP_PKEY_CTX_set_signature_md(f->ctx, f->sha384) == 1;
    X509_free(vek); /* the context keeps the key */
    return ok;
}

struct floor *floor_new(const struct floor_input *in)
{
    struct floor *f = calloc(1, sizeof *f);
    if (f && floor_prepare(f, in))
        return f;
    floor_free(f);
    return NULL;
}

bool floor_verify(struct floor *f)
{
    uint8_t digest[SHA384_BYTES];
    return EVP_Digest(f->message, sizeof f->message, digest, NULL, f->sha384, NULL) == 1 &&
           EVP_PKEY_verify(f->ctx, f->signature, f->signature_n, digest, sizeof digest) == 1;
}

void floor_free(struct floor *f)
{
    if (!f)
        return;
    EVP_PKEY_CTX_free(f->ctx);
    EVP_MD_free(f->sha384);
    OPENSSL_free(f->signature);
    free(f);
}

static bool report_verify(const uint8_t *report, EVP_PKEY *key)
{
    uint8_t *der = NULL;
    int n = report_signature(report, &der);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = n > 0 && ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, key) == 1 &&
              EVP_DigestVerify(ctx, der, (size_t)n, report, SIGNED_BYTES) == 1;
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    return ok;
}

bool floor_verify_cold(const struct floor_input *in)
{
    X509 *certs[FLOOR_CERTS] = {NULL};
    bool ok = certs_decode(in, certs);
    for (size_t i = 0; ok && i < FLOOR_CERTS; i++)
        ok = X509_verify(certs[i], X509_get0_pubkey(certs[i == FLOOR_ARK ? i : i + 1])) == 1;
    ok = ok && report_verify(in->report, X509_get0_pubkey(certs[FLOOR_VEK]));
    for (size_t i = 0; i < FLOOR_CERTS; i++)
        X509_free(certs[i]);
    return ok;
}
