/* SPDX-License-Identifier: Apache-2.0 */
/* token/jwe.c - one JWE, flattened JSON, ECDH-ES+A256KW with A256GCM, for one P-256 key (RFC 7516 §7.2.2, RFC 7518 §4.6).
 * Encrypt: 1 ephemeral key, 2 header, 3 ECDH and Concat KDF -> KEK, 4 new content key, wrapped, 5 AES-GCM over the text with
 * the encoded header as additional data. Decrypt goes the same way and takes exactly the header that encrypt would write,
 * byte for byte: peers that print the header again before they check it get the same bytes. */
#include <stdlib.h>

#include <testudo/token.h>

#define ALG "ECDH-ES+A256KW"
#define ENC "A256GCM"
#define COORDINATE_BYTES 32
#define CEK_BYTES 32
#define WRAPPED_BYTES (CEK_BYTES + 8)
#define HEADER_MAX_BYTES 256

/* A JWE taken apart. */
struct parts {
    char *protected; /* base64url, as it goes into the additional data */
    uint8_t wrapped[WRAPPED_BYTES];
    uint8_t iv[TST_GCM_IV_BYTES];
    uint8_t tag[TST_GCM_TAG_BYTES];
    uint8_t *ct;
    size_t ct_n;
};

static void parts_clear(struct parts *p)
{
    free(p->protected);
    free(p->ct);
}
#define AUTO_PARTS __attribute__((cleanup(parts_clear))) struct parts

/* The protected header for this ephemeral key, base64url. */
static int header_make(const struct tst_key *epk, char **out, struct tst_error **err)
{
    uint8_t x[COORDINATE_BYTES], y[COORDINATE_BYTES];
    int rc = tst_key_ec_point(epk, x, y, err);
    if (rc)
        return rc;
    TST_AUTO_STR x64 = tst_b64url(x, sizeof x);
    TST_AUTO_STR y64 = tst_b64url(y, sizeof y);
    TST_AUTO_STR text = x64 && y64 ? tst_strdup_printf("{\"alg\":\"" ALG "\",\"enc\":\"" ENC "\",\"epk\":{\"crv\":\"P-256\","
                                                       "\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}}", x64, y64)
                                   : NULL;
    *out = text ? tst_b64url(text, strlen(text)) : NULL;
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "jwe: out of memory");
}

/* The ephemeral key of a header. Only what header_make() would write is taken. */
static int header_read(const char *protected, struct tst_key **epk, struct tst_error **err)
{
    TST_AUTO_STR again = NULL;
    TST_AUTO_JSON header = NULL;
    TST_AUTO_KEY key = NULL;
    uint8_t *text = NULL;
    size_t n;
    int rc = tst_unb64url(protected, HEADER_MAX_BYTES, &text, &n, err);
    rc = rc ? rc : tst_json_parse((const char *)text, n, HEADER_MAX_BYTES, &header, err);
    free(text);
    rc = rc ? rc : tst_jwk_read(json_object_get(header, "epk"), &key, err);
    rc = rc ? rc : header_make(key, &again, err);
    if (rc) {
        tst_wrap(err, "protected header");
        return rc;
    }
    if (strcmp(again, protected) != 0)
        return tst_fail(err, TST_REFUTED, "protected header: not exactly alg " ALG ", enc " ENC " and epk");
    *epk = TST_STEAL(key);
    return 0;
}

static int kek_derive(const struct tst_key *mine, const struct tst_key *theirs, struct tst_secret **kek,
                      struct tst_error **err)
{
    /* AlgorithmID with its length, empty PartyUInfo and PartyVInfo, SuppPubInfo = 256 bits */
    static const char other_info[] = "\0\0\0\x0e" ALG "\0\0\0\0" "\0\0\0\0" "\0\0\1";
    _Static_assert(sizeof other_info == 4 + 14 + 4 + 4 + 4, "the last zero byte is the string's own");
    TST_AUTO_SECRET z = NULL;
    int rc = tst_ecdh(mine, theirs, &z, err);
    return rc ? rc : tst_concat_kdf(z, other_info, sizeof other_info, CEK_BYTES, kek, err);
}

/* ---- encrypt ---- */

static int cek_make(struct tst_secret **cek, struct tst_error **err)
{
    int rc = tst_secret_new(CEK_BYTES, cek, err);
    return rc ? rc : tst_random(tst_secret_bytes(*cek), CEK_BYTES, err);
}

static int seal(const struct tst_secret *kek, const void *plain, size_t n, struct parts *p, struct tst_error **err)
{
    TST_AUTO_SECRET cek = NULL;
    p->ct_n = n;
    p->ct = malloc(n);
    if (!p->ct)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = cek_make(&cek, err);
    rc = rc ? rc : tst_aes_kw_wrap(kek, cek, p->wrapped, err);
    rc = rc ? rc : tst_random(p->iv, sizeof p->iv, err);
    return rc ? rc : tst_gcm_seal(cek, p->iv, p->protected, strlen(p->protected), plain, n, p->ct, p->tag, err);
}

static int parts_write(const struct parts *p, json_t **out, struct tst_error **err)
{
    TST_AUTO_JSON jwe = json_pack("{s:s}", "protected", p->protected);
    if (!jwe)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = tst_json_set_b64(jwe, "encrypted_key", p->wrapped, sizeof p->wrapped, err);
    rc = rc ? rc : tst_json_set_b64(jwe, "iv", p->iv, sizeof p->iv, err);
    rc = rc ? rc : tst_json_set_b64(jwe, "ciphertext", p->ct, p->ct_n, err);
    rc = rc ? rc : tst_json_set_b64(jwe, "tag", p->tag, sizeof p->tag, err);
    if (!rc)
        *out = TST_STEAL(jwe);
    return rc;
}

int tst_jwe_encrypt(const struct tst_key *to, const void *plain, size_t n, json_t **out, struct tst_error **err)
{
    if (n == 0 || n > TST_JWE_MAX_BYTES)
        return tst_fail(err, TST_TOO_LARGE, "jwe: %zu bytes, must be 1 to %d", n, TST_JWE_MAX_BYTES);
    TST_AUTO_KEY epk = NULL;
    TST_AUTO_SECRET kek = NULL;
    AUTO_PARTS p = {0};
    int rc = tst_key_generate(TST_KEY_P256, &epk, err);
    rc = rc ? rc : header_make(epk, &p.protected, err);
    rc = rc ? rc : kek_derive(epk, to, &kek, err);
    rc = rc ? rc : seal(kek, plain, n, &p, err);
    rc = rc ? rc : parts_write(&p, out, err);
    if (rc)
        tst_wrap(err, "jwe");
    return rc;
}

/* ---- decrypt ---- */

static int b64_fixed(const char *member, const char *text, uint8_t *out, size_t n, struct tst_error **err)
{
    int rc = tst_unb64url_fixed(text, out, n, err);
    if (rc)
        tst_wrap(err, "%s", member);
    return rc;
}

static int parts_read(const json_t *jwe, struct parts *p, struct tst_error **err)
{
    const char *protected, *wrapped, *iv, *ct, *tag;
    int rc = tst_json_unpack((json_t *)(uintptr_t)jwe, err, "{s:s, s:s, s:s, s:s, s:s}", "protected", &protected,
                             "encrypted_key", &wrapped, "iv", &iv, "ciphertext", &ct, "tag", &tag);
    if (rc)
        return rc;
    p->protected = strdup(protected);
    if (!p->protected)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    rc = b64_fixed("encrypted_key", wrapped, p->wrapped, sizeof p->wrapped, err);
    rc = rc ? rc : b64_fixed("iv", iv, p->iv, sizeof p->iv, err);
    rc = rc ? rc : b64_fixed("tag", tag, p->tag, sizeof p->tag, err);
    if (rc)
        return rc;
    rc = tst_unb64url(ct, TST_JWE_MAX_BYTES, &p->ct, &p->ct_n, err);
    if (rc)
        tst_wrap(err, "ciphertext");
    return rc;
}

int tst_jwe_decrypt(const struct tst_key *mine, const json_t *jwe, struct tst_secret **plain, struct tst_error **err)
{
    AUTO_PARTS p = {0};
    TST_AUTO_KEY epk = NULL;
    TST_AUTO_SECRET kek = NULL;
    TST_AUTO_SECRET cek = NULL;
    int rc = parts_read(jwe, &p, err);
    rc = rc ? rc : header_read(p.protected, &epk, err);
    rc = rc ? rc : kek_derive(mine, epk, &kek, err);
    rc = rc ? rc : tst_aes_kw_unwrap(kek, p.wrapped, sizeof p.wrapped, &cek, err);
    rc = rc ? rc : tst_gcm_open(cek, p.iv, p.protected, strlen(p.protected), p.ct, p.ct_n, p.tag, plain, err);
    if (rc)
        tst_wrap(err, "jwe");
    return rc;
}
