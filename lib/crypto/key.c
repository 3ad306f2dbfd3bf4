/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/key.c - public and private keys: make, read, write, and the point of an EC key. Only named curves count: a key
 * that spells its curve out is TST_KEY_OTHER, and no operation but certificate parsing takes that. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "internal.h"

#define KEY_DER_MAX_BYTES 8192
#define COORDINATE_MAX_BYTES 48

static const struct kind_row {
    enum tst_key_kind kind;
    const char *name;
    const char *group; /* OpenSSL's name of the curve; NULL for a key without one */
    size_t coordinate_bytes;
} kinds[] = {
    {TST_KEY_P256, "P-256", SN_X9_62_prime256v1, 32},
    {TST_KEY_P384, "P-384", SN_secp384r1, 48},
    {TST_KEY_RSA4096, "RSA-4096", NULL, 0},
    {TST_KEY_ED25519, "Ed25519", NULL, 0},
    {TST_KEY_OTHER, "a key of another kind", NULL, 0},
};

static const struct kind_row *kind_find(enum tst_key_kind kind)
{
    for (size_t i = 0; i < TST_COUNT(kinds); i++)
        if (kinds[i].kind == kind)
            return &kinds[i];
    return &kinds[TST_COUNT(kinds) - 1];
}

const char *key_kind_name(enum tst_key_kind kind)
{
    return kind_find(kind)->name;
}

size_t key_coordinate_bytes(enum tst_key_kind kind)
{
    return kind_find(kind)->coordinate_bytes;
}

const EVP_MD *key_signature_md(enum tst_key_kind kind)
{
    switch (kind) {
    case TST_KEY_P256:
        return EVP_sha256();
    case TST_KEY_P384:
    case TST_KEY_RSA4096:
        return EVP_sha384();
    case TST_KEY_ED25519:
    case TST_KEY_OTHER:
        break;
    }
    return NULL;
}

static enum tst_key_kind ec_kind_of(const EVP_PKEY *pkey)
{
    char encoding[32], group[64];
    if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof encoding, NULL) != 1 ||
        strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0 ||
        EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) != 1)
        return TST_KEY_OTHER;
    for (size_t i = 0; i < TST_COUNT(kinds); i++)
        if (kinds[i].group && strcmp(kinds[i].group, group) == 0)
            return kinds[i].kind;
    return TST_KEY_OTHER;
}

enum tst_key_kind key_kind_of(const EVP_PKEY *pkey)
{
    enum tst_key_kind kind = TST_KEY_OTHER;
    if (EVP_PKEY_is_a(pkey, "EC"))
        kind = ec_kind_of(pkey);
    else if (EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) == 4096)
        kind = TST_KEY_RSA4096;
    else if (EVP_PKEY_is_a(pkey, "ED25519"))
        kind = TST_KEY_ED25519;
    ERR_clear_error();
    return kind;
}

int key_wrap_kind(EVP_PKEY *pkey, enum tst_key_kind kind, struct tst_key **out, struct tst_error **err)
{
    struct tst_key *k = calloc(1, sizeof *k);
    if (!k) {
        EVP_PKEY_free(pkey);
        return tst_fail(err, TST_INTERNAL, "key: out of memory");
    }
    *k = (struct tst_key){.pkey = pkey, .kind = kind};
    *out = k;
    return 0;
}

int key_wrap(EVP_PKEY *pkey, bool has_private, struct tst_key **out, struct tst_error **err)
{
    int rc = key_wrap_kind(pkey, key_kind_of(pkey), out, err);
    if (rc == 0)
        (*out)->has_private = has_private;
    return rc;
}

void tst_key_free(struct tst_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

enum tst_key_kind tst_key_kind(const struct tst_key *k)
{
    return k->kind;
}

int tst_key_generate(enum tst_key_kind kind, struct tst_key **out, struct tst_error **err)
{
    EVP_PKEY *pkey = NULL;
    switch (kind) {
    case TST_KEY_P256:
    case TST_KEY_P384:
        pkey = EVP_EC_gen(kind_find(kind)->group);
        break;
    case TST_KEY_RSA4096:
        pkey = EVP_RSA_gen(4096);
        break;
    case TST_KEY_ED25519:
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        break;
    case TST_KEY_OTHER:
        return tst_fail(err, TST_USAGE, "key: cannot make %s", key_kind_name(kind));
    }
    if (!pkey)
        return crypto_fail(err, TST_INTERNAL, "key: cannot make one");
    return key_wrap(pkey, true, out, err);
}

int tst_key_ec_point(const struct tst_key *k, uint8_t *x, uint8_t *y, struct tst_error **err)
{
    size_t size = key_coordinate_bytes(k->kind);
    if (size == 0)
        return tst_fail(err, TST_USAGE, "key: %s has no point on P-256 or P-384", key_kind_name(k->kind));
    BIGNUM *bx = NULL, *by = NULL;
    bool ok = EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_EC_PUB_X, &bx) == 1 &&
              EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &by) == 1 &&
              BN_bn2binpad(bx, x, (int)size) == (int)size && BN_bn2binpad(by, y, (int)size) == (int)size;
    BN_free(bx);
    BN_free(by);
    return ok ? 0 : crypto_fail(err, TST_INTERNAL, "key: cannot read the point");
}

static int check_public(EVP_PKEY *pkey, struct tst_error **err)
{
    TST_CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (!ctx)
        return crypto_fail(err, TST_INTERNAL, "key");
    if (EVP_PKEY_public_check(ctx) != 1)
        return crypto_fail(err, TST_USAGE, "key: not a valid public key");
    return 0;
}

int tst_key_from_ec_point(enum tst_key_kind kind, const uint8_t *x, const uint8_t *y, struct tst_key **out,
                          struct tst_error **err)
{
    size_t size = key_coordinate_bytes(kind);
    if (size == 0)
        return tst_fail(err, TST_USAGE, "key: %s has no curve", key_kind_name(kind));
    uint8_t point[1 + 2 * COORDINATE_MAX_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(point + 1, x, size);
    memcpy(point + 1 + size, y, size);
    char group[32];
    snprintf(group, sizeof group, "%s", kind_find(kind)->group); /* the parameter takes no const */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size),
        OSSL_PARAM_construct_end(),
    };
    TST_CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    TST_CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = NULL;
    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1)
        return crypto_fail(err, TST_INTERNAL, "key");
    if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return crypto_fail(err, TST_USAGE, "key: not a point of the curve");
    int rc = check_public(pkey, err);
    return rc ? rc : key_wrap(TST_STEAL(pkey), false, out, err);
}

int tst_key_private_der(const struct tst_key *k, struct tst_secret **out, struct tst_error **err)
{
    if (!k->has_private)
        return tst_fail(err, TST_USAGE, "key: has no private part");
    PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(k->pkey);
    uint8_t *der = NULL;
    int n = p8 ? i2d_PKCS8_PRIV_KEY_INFO(p8, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(p8); /* wipes the key octets */
    if (n <= 0)
        return crypto_fail(err, TST_INTERNAL, "key: cannot write the private key");
    int rc = tst_secret_from(der, (size_t)n, out, err);
    OPENSSL_clear_free(der, (size_t)n);
    return rc;
}

/* EC only: checking an RSA key pair costs primality tests, and a damaged one shows at its first signature. */
static int check_pair(EVP_PKEY *pkey, struct tst_error **err)
{
    if (!EVP_PKEY_is_a(pkey, "EC"))
        return 0;
    TST_CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (!ctx)
        return crypto_fail(err, TST_INTERNAL, "key");
    if (EVP_PKEY_pairwise_check(ctx) != 1)
        return crypto_fail(err, TST_USAGE, "key: private and public part do not belong together");
    return 0;
}

int tst_key_from_private_der(const void *p, size_t n, struct tst_key **out, struct tst_error **err)
{
    if (n > KEY_DER_MAX_BYTES)
        return tst_fail(err, TST_TOO_LARGE, "key: %zu bytes, at most %d", n, KEY_DER_MAX_BYTES);
    const uint8_t *at = p;
    PKCS8_PRIV_KEY_INFO *p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)n);
    bool whole = p8 && at == (const uint8_t *)p + n;
    TST_CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = whole ? EVP_PKCS82PKEY(p8) : NULL;
    PKCS8_PRIV_KEY_INFO_free(p8);
    if (!pkey)
        return crypto_fail(err, TST_USAGE, "key: not exactly one PKCS#8 private key");
    int rc = check_pair(pkey, err);
    return rc ? rc : key_wrap(TST_STEAL(pkey), true, out, err);
}

int tst_key_public_der(const struct tst_key *k, uint8_t **out, size_t *n, struct tst_error **err)
{
    int size = i2d_PUBKEY(k->pkey, NULL);
    if (size <= 0)
        return crypto_fail(err, TST_INTERNAL, "key: cannot write the public key");
    uint8_t *der = malloc((size_t)size);
    if (!der)
        return tst_fail(err, TST_INTERNAL, "key: out of memory");
    uint8_t *at = der;
    *n = (size_t)i2d_PUBKEY(k->pkey, &at);
    *out = der;
    return 0;
}

int tst_key_from_public_der(const void *p, size_t n, struct tst_key **out, struct tst_error **err)
{
    if (n > KEY_DER_MAX_BYTES)
        return tst_fail(err, TST_TOO_LARGE, "key: %zu bytes, at most %d", n, KEY_DER_MAX_BYTES);
    const uint8_t *at = p;
    TST_CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)n);
    if (!pkey || at != (const uint8_t *)p + n)
        return crypto_fail(err, TST_USAGE, "key: not exactly one SubjectPublicKeyInfo");
    int rc = check_public(pkey, err);
    return rc ? rc : key_wrap(TST_STEAL(pkey), false, out, err);
}

int tst_key_spki_sha256(const struct tst_key *k, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    uint8_t *der = NULL;
    size_t n = 0;
    int rc = tst_key_public_der(k, &der, &n, err);
    rc = rc ? rc : tst_sha256(der, n, out, err);
    free(der);
    return rc;
}
