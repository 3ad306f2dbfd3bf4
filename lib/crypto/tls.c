/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/tls.c - TLS 1.3 and nothing older, without resumption: a server that presents its leaf and its CA, and a client
 * that trusts exactly one CA, known by the SHA-256 of its public key. The certificate of that CA comes from the peer; the
 * system's trust store plays no part. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "internal.h"

#define SECURITY_LEVEL 2 /* OpenSSL's: 112 bits, no SHA-1 */
#define HOST_MAX_BYTES 253

TST_CLEANUP_FN(SSL_CTX *, SSL_CTX_free)
TST_CLEANUP_FN(X509_STORE *, X509_STORE_free)
TST_CLEANUP_FN(X509_STORE_CTX *, X509_STORE_CTX_free)

/* Every connection is verified anew, so there is no session to take up again. */
static bool tls13_only(SSL_CTX *ctx)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 && SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1;
}

int tst_tls_server(const struct tst_cert *leaf, const struct tst_key *key, const struct tst_cert *ca,
                   struct ssl_ctx_st **out, struct tst_error **err)
{
    TST_CLEANUP(SSL_CTX_free) SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx || !tls13_only(ctx) || SSL_CTX_set_num_tickets(ctx, 0) != 1)
        return crypto_fail(err, TST_INTERNAL, "tls server");
    if (SSL_CTX_use_certificate(ctx, leaf->x509) != 1 || SSL_CTX_use_PrivateKey(ctx, key->pkey) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1 || SSL_CTX_add1_chain_cert(ctx, ca->x509) != 1)
        return crypto_fail(err, TST_USAGE, "tls server: certificate, key and CA do not fit together");
    *out = TST_STEAL(ctx);
    return 0;
}

struct ssl_st *tst_tls_session(struct ssl_ctx_st *ctx)
{
    SSL *ssl = SSL_new(ctx);
    ERR_clear_error();
    return ssl;
}

void tst_tls_server_free(struct ssl_ctx_st *ctx)
{
    SSL_CTX_free(ctx);
}

/* ---- client ---- */

static bool is_pinned_ca(const X509 *x509, const struct tst_tls_pin *pin)
{
    uint8_t spki[TST_SHA256_BYTES];
    bool ca = false;
    return cert_self_issued(x509) && cert_is_ca(x509, &ca, NULL) == 0 && ca && cert_spki_sha256(x509, spki, NULL) == 0 &&
           tst_equal(spki, pin->ca_spki_sha256, sizeof spki);
}

static X509 *find_pinned_ca(const STACK_OF(X509) *presented, const struct tst_tls_pin *pin)
{
    for (int i = 0; i < sk_X509_num(presented); i++)
        if (is_pinned_ca(sk_X509_value(presented, i), pin))
            return sk_X509_value(presented, i);
    return NULL;
}

static bool is_ip_literal(const char *host)
{
    struct in6_addr any;
    return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

static bool expect_peer(X509_VERIFY_PARAM *param, const char *host)
{
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS);
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    return X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CHECK_SS_SIGNATURE) == 1 &&
           X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) == 1 &&
           (is_ip_literal(host) ? X509_VERIFY_PARAM_set1_ip_asc(param, host)
                                : X509_VERIFY_PARAM_set1_host(param, host, 0)) == 1;
}

/* The leaf directly under the pinned CA, with no other certificate to build a chain from. Returns X509_V_OK or why not. */
static int verify_under_pin(X509 *leaf, const STACK_OF(X509) *presented, const struct tst_tls_pin *pin)
{
    X509 *ca = leaf ? find_pinned_ca(presented, pin) : NULL;
    if (!ca)
        return X509_V_ERR_CERT_UNTRUSTED;
    TST_CLEANUP(X509_STORE_free) X509_STORE *store = X509_STORE_new();
    TST_CLEANUP(X509_STORE_CTX_free) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (!store || !ctx || X509_STORE_add_cert(store, ca) != 1 || X509_STORE_CTX_init(ctx, store, leaf, NULL) != 1 ||
        !expect_peer(X509_STORE_CTX_get0_param(ctx), pin->host))
        return X509_V_ERR_OUT_OF_MEM;
    if (X509_verify_cert(ctx) == 1)
        return X509_V_OK;
    int why = X509_STORE_CTX_get_error(ctx);
    return why == X509_V_OK ? X509_V_ERR_UNSPECIFIED : why;
}

static int verify_peer(X509_STORE_CTX *peer, void *arg)
{
    int why = verify_under_pin(X509_STORE_CTX_get0_cert(peer), X509_STORE_CTX_get0_untrusted(peer), arg);
    X509_STORE_CTX_set_error(peer, why);
    ERR_clear_error();
    return why == X509_V_OK;
}

int tst_tls_pin_ca(void *ssl_ctx, const struct tst_tls_pin *pin, struct tst_error **err)
{
    /* OpenSSL takes "" as no name at all and a leading dot as any name below. */
    if (!pin->host || !pin->host[0] || pin->host[0] == '.' || strlen(pin->host) > HOST_MAX_BYTES)
        return tst_fail(err, TST_USAGE, "tls client: no name or address of the server to check");
    SSL_CTX *ctx = ssl_ctx;
    if (!tls13_only(ctx))
        return crypto_fail(err, TST_INTERNAL, "tls client");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, verify_peer, (void *)(uintptr_t)pin);
    return 0;
}
