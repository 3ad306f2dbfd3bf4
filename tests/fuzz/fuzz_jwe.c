/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_jwe.c - any JSON: decrypted with a fixed key, read as a JWK, and written in canonical form, which must parse
 * back to itself. */
#include <testudo/token.h>

#include "fuzz.h"

/* PKCS#8 of Bob's key of RFC 7518 appendix C, so that the corpus can hold JWEs that open. */
static const char key_hex[] = "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420"
                              "5449836690d75caf29f0dd029ddb31b3ddb8aba9d2d515c5012465e817d4a9dc";

static struct tst_key *fixed_key(void)
{
    uint8_t der[sizeof key_hex / 2];
    struct tst_key *key = NULL;
    FUZZ_HOLDS(tst_unhex(key_hex, der, sizeof der, NULL) == 0 && tst_key_from_private_der(der, sizeof der, &key, NULL) == 0);
    return key;
}

static void canonical_is_stable(const json_t *v)
{
    TST_AUTO_STR once = NULL;
    TST_AUTO_STR twice = NULL;
    TST_AUTO_JSON again = NULL;
    TST_AUTO_ERROR err = NULL;
    size_t n;
    int rc = tst_jcs(v, &once, &n, &err);
    fuzz_result(rc, err);
    if (rc)
        return;
    again = json_loadb(once, n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    FUZZ_HOLDS(again && tst_jcs(again, &twice, NULL, NULL) == 0 && strcmp(once, twice) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TST_AUTO_JSON v = NULL;
    TST_AUTO_SECRET plain = NULL;
    TST_AUTO_KEY mine = NULL;
    TST_AUTO_KEY read = NULL;
    TST_AUTO_ERROR jwe_err = NULL;
    TST_AUTO_ERROR jwk_err = NULL;
    if (tst_json_parse((const char *)data, size, 0, &v, NULL))
        return 0;
    mine = fixed_key();
    int rc = tst_jwe_decrypt(mine, v, &plain, &jwe_err);
    fuzz_result(rc, jwe_err);
    FUZZ_HOLDS((rc == 0) == (plain != NULL));
    rc = tst_jwk_read(v, &read, &jwk_err);
    fuzz_result(rc, jwk_err);
    FUZZ_HOLDS((rc == 0) == (read != NULL));
    canonical_is_stable(v);
    return 0;
}
