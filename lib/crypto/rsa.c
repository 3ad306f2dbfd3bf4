/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/rsa.c - RSA public keys from their numbers, and RSASSA-PSS with a salt as long as the hash (RFC 8017 §8.1), as the
 * certificates of AMD's legacy SEV firmware use them. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "internal.h"

#define MODULUS_MIN_BITS 2048
#define MODULUS_MAX_BITS 4096
/* A longer exponent only costs time: a verification with one of 4096 bits takes a hundred times as long. */
#define EXPONENT_MAX_BITS 64

TST_CLEANUP_FN(BIGNUM *, BN_free)
TST_CLEANUP_FN(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
TST_CLEANUP_FN(OSSL_PARAM *, OSSL_PARAM_free)

static int numbers_check(const BIGNUM *n, const BIGNUM *e, struct tst_error **err)
{
    if (BN_num_bits(n) < MODULUS_MIN_BITS || BN_num_bits(n) > MODULUS_MAX_BITS || !BN_is_odd(n))
        return tst_fail(err, TST_USAGE, "rsa: a modulus of %d bits, expected an odd one of %d to %d", BN_num_bits(n),
                        MODULUS_MIN_BITS, MODULUS_MAX_BITS);
    if (BN_num_bits(e) < 2 || BN_num_bits(e) > EXPONENT_MAX_BITS || !BN_is_odd(e))
        return tst_fail(err, TST_USAGE, "rsa: a public exponent of %d bits, expected an odd one of 2 to %d", BN_num_bits(e),
                        EXPONENT_MAX_BITS);
    return 0;
}

int tst_key_from_rsa(struct tst_bytes modulus, struct tst_bytes exponent, struct tst_key **out, struct tst_error **err)
{
    if (modulus.n > MODULUS_MAX_BITS / 8 || exponent.n > MODULUS_MAX_BITS / 8)
        return tst_fail(err, TST_TOO_LARGE, "rsa: numbers of more than %d bits", MODULUS_MAX_BITS);
    TST_CLEANUP(BN_free) BIGNUM *n = BN_bin2bn(modulus.p, (int)modulus.n, NULL);
    TST_CLEANUP(BN_free) BIGNUM *e = BN_bin2bn(exponent.p, (int)exponent.n, NULL);
    if (!n || !e)
        return crypto_fail(err, TST_INTERNAL, "rsa");
    int rc = numbers_check(n, e, err);
    if (rc)
        return rc;
    TST_CLEANUP(OSSL_PARAM_BLD_free) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (!build || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
        return crypto_fail(err, TST_INTERNAL, "rsa");
    TST_CLEANUP(OSSL_PARAM_free) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    TST_CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    TST_CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = NULL;
    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return crypto_fail(err, TST_INTERNAL, "rsa: no key of these numbers");
    return key_wrap(TST_STEAL(pkey), false, out, err);
}

int tst_rsa_pss_verify(const struct tst_key *k, enum tst_hash hash, const void *msg, size_t n, struct tst_bytes signature,
                       struct tst_error **err)
{
    if (!EVP_PKEY_is_a(k->pkey, "RSA"))
        return tst_fail(err, TST_USAGE, "rsa-pss: %s is no RSA key", key_kind_name(k->kind));
    TST_CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL; /* belongs to ctx */
    if (!ctx || EVP_DigestVerifyInit(ctx, &pctx, hash_md(hash), NULL, k->pkey) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) != 1)
        return crypto_fail(err, TST_INTERNAL, "rsa-pss: cannot verify");
    if (EVP_DigestVerify(ctx, signature.p, signature.n, msg, n) != 1) {
        ERR_clear_error();
        return tst_fail(err, TST_REFUTED, "signature: does not verify with this RSA-%d key", EVP_PKEY_get_bits(k->pkey));
    }
    return 0;
}
