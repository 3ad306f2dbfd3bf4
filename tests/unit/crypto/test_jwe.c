/* SPDX-License-Identifier: Apache-2.0 */
/* unit/crypto/test_jwe.c - JWK and JWE: a JWE made with another library opens, own ones have the exact form that other
 * implementations expect, and every change, other key, missing or extra member is refused. */
#include "kat.h"

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char *const fields[] = {"protected", "encrypted_key", "iv", "ciphertext", "tag"};

/* Bob's key of RFC 7518 appendix C. */
static struct tst_key *bob(void)
{
    return kat_private_p256("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
}

/* Made with Python's "cryptography" for Bob: ephemeral key = Alice's of the same appendix, content key 00..1f, IV 00..0b. */
static json_t *foreign_jwe(void)
{
    json_t *jwe = json_pack(
        "{s:s, s:s, s:s, s:s, s:s}", "protected",
        "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00iLCJlcGsiOnsiY3J2IjoiUC0yNTYiLCJrdHkiOiJFQyIsIngiOiJnSTBHQUlM"
        "QmR1N1Q1M2FrckZtTXlHY3NGM241ZE83TW13TkJIS1c1U1YwIiwieSI6IlNMV194U2ZmemxQV3JIRVZJMzBESE1fNGVnVnd0M05RcWVVRDduTUZw"
        "cHMifX0",
        "encrypted_key", "T0NVWKoWucQiDmmVc2dmvQ8xVyt-7o5H1C0MnaCf5KFFpsfACs-0RQ", "iv", "AAECAwQFBgcICQoL", "ciphertext",
        "M2qzO66AuzviJ7f_2YxYH-a361k", "tag", "1SWUQGrM7931Ypam_OX-7Q");
    assert_non_null(jwe);
    return jwe;
}

static const char *field_of(const json_t *jwe, const char *name)
{
    const char *text = json_string_value(json_object_get(jwe, name));
    assert_non_null(text);
    return text;
}

/* ---- JWK ---- */

static void a_jwk_survives(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = new_key(TST_KEY_P256);
    TST_AUTO_KEY again = NULL;
    TST_AUTO_JSON jwk = NULL;
    uint8_t a[TST_SHA256_BYTES], b[TST_SHA256_BYTES];
    assert_done(tst_jwk_of(k, "ECDH-ES+A256KW", &jwk, &err), err);
    assert_string_equal(field_of(jwk, "alg"), "ECDH-ES+A256KW");
    assert_int_equal(json_object_size(jwk), 5);
    assert_done(tst_jwk_read(jwk, &again, &err), err);
    assert_done(tst_key_spki_sha256(k, a, &err), err);
    assert_done(tst_key_spki_sha256(again, b, &err), err);
    assert_memory_equal(a, b, sizeof a);
}

static void a_jwk_without_alg_has_four_members(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = bob();
    TST_AUTO_KEY p384 = new_key(TST_KEY_P384);
    TST_AUTO_JSON jwk = NULL;
    json_t *none = NULL;
    assert_done(tst_jwk_of(k, NULL, &jwk, &err), err);
    TST_AUTO_STR text = NULL;
    assert_done(tst_jcs(jwk, &text, NULL, &err), err);
    assert_string_equal(text, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
                              "\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\"}");
    assert_refused(tst_jwk_of(p384, NULL, &none, &err), TST_USAGE, err, "P-256");
}

static void bad_jwks_are_refused(void **state)
{
    (void)state;
#define X "\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\""
#define Y "\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\""
#define EC256 "\"kty\":\"EC\",\"crv\":\"P-256\","
    static const struct {
        const char *json, *part;
    } bad[] = {
        {"[]", "not an object"},
        {"{}", "missing"},
        {"{\"crv\":\"P-256\"," X "," Y "}", "\"kty\" is missing"},
        {"{\"kty\":\"EC\"," X "," Y "}", "\"crv\" is missing"},
        {"{" EC256 X "}", "\"y\" is missing"},
        {"{" EC256 Y "}", "\"x\" is missing"},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\"," X "," Y "}", "\"crv\" is not \"P-256\""},
        {"{\"kty\":\"OKP\",\"crv\":\"P-256\"," X "," Y "}", "\"kty\" is not \"EC\""},
        {"{" EC256 X "," Y ",\"d\":\"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw\"}", "unknown member \"d\""},
        {"{" EC256 X "," Y ",\"x5c\":[]}", "unknown member \"x5c\""},
        {"{" EC256 X "," Y ",\"kid\":1}", "\"kid\" is no string"},
        {"{" EC256 X ",\"y\":null}", "\"y\" is no string"},
        {"{" EC256 X ",\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyc\"}", "jwk: "},
        {"{" EC256 X ",\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOycl\"}", "jwk: "},
        {"{" EC256 X ",\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOycw\"}", "not a point"},
        {"{" EC256 Y ",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", "not a point"},
    };
    for (size_t i = 0; i < TST_COUNT(bad); i++) {
        struct tst_error *err = NULL;
        struct tst_key *k = NULL;
        TST_AUTO_JSON jwk = json_loads(bad[i].json, 0, NULL);
        assert_non_null(jwk);
        assert_refused(tst_jwk_read(jwk, &k, &err), TST_USAGE, err, bad[i].part);
        assert_null(k);
    }
    struct tst_error *err = NULL;
    TST_AUTO_KEY good = NULL;
    TST_AUTO_JSON jwk = json_loads("{" EC256 X "," Y ",\"alg\":\"a\",\"kid\":\"k\",\"use\":\"enc\"}", 0, NULL);
    assert_done(tst_jwk_read(jwk, &good, &err), err);
}

/* ---- JWE ---- */

static void a_jwe_of_another_library_opens(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = bob();
    TST_AUTO_JSON jwe = foreign_jwe();
    TST_AUTO_SECRET plain = NULL;
    assert_done(tst_jwe_decrypt(k, jwe, &plain, &err), err);
    assert_int_equal(tst_secret_size(plain), 20);
    assert_memory_equal(tst_secret_view(plain), "the key of the realm", 20);
}

static void texts_of_every_size_survive(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = new_key(TST_KEY_P256);
    static uint8_t text[TST_JWE_MAX_BYTES];
    assert_done(tst_random(text, sizeof text, &err), err);
    const size_t sizes[] = {1, 2, 15, 16, 17, 1000, TST_JWE_MAX_BYTES};
    for (size_t i = 0; i < TST_COUNT(sizes); i++) {
        TST_AUTO_JSON jwe = NULL;
        TST_AUTO_SECRET plain = NULL;
        assert_done(tst_jwe_encrypt(k, text, sizes[i], &jwe, &err), err);
        assert_done(tst_jwe_decrypt(k, jwe, &plain, &err), err);
        assert_int_equal(tst_secret_size(plain), sizes[i]);
        assert_memory_equal(tst_secret_view(plain), text, sizes[i]);
    }
}

static void empty_and_oversized_texts_are_refused(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = new_key(TST_KEY_P256);
    static uint8_t text[TST_JWE_MAX_BYTES + 1];
    json_t *jwe = NULL;
    assert_refused(tst_jwe_encrypt(k, text, 0, &jwe, &err), TST_TOO_LARGE, err, "0 bytes");
    assert_refused(tst_jwe_encrypt(k, text, sizeof text, &jwe, &err), TST_TOO_LARGE, err, "49153 bytes");
    assert_null(jwe);
}

static void the_header_has_the_exact_form_that_peers_print_again(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = new_key(TST_KEY_P256);
    TST_AUTO_JSON jwe = NULL;
    assert_done(tst_jwe_encrypt(k, "x", 1, &jwe, &err), err);
    assert_int_equal(json_object_size(jwe), TST_COUNT(fields));
    uint8_t *raw = NULL;
    size_t n;
    assert_done(tst_unb64url(field_of(jwe, "protected"), 512, &raw, &n, &err), err);
    TST_AUTO_STR text = strndup((const char *)raw, n);
    free(raw);
    TST_AUTO_JSON header = json_loads(text, 0, NULL);
    const char *x = NULL, *y = NULL;
    assert_int_equal(json_unpack(header, "{s:{s:s, s:s}}", "epk", "x", &x, "y", &y), 0);
    assert_int_equal(strlen(x), 43);
    assert_int_equal(strlen(y), 43);
    TST_AUTO_STR expected = tst_strdup_printf("{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"epk\":{\"crv\":\"P-256\","
                                              "\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}}", x, y);
    assert_string_equal(text, expected);
}

static void two_encryptions_share_nothing(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = new_key(TST_KEY_P256);
    TST_AUTO_JSON a = NULL;
    TST_AUTO_JSON b = NULL;
    assert_done(tst_jwe_encrypt(k, "same text", 9, &a, &err), err);
    assert_done(tst_jwe_encrypt(k, "same text", 9, &b, &err), err);
    for (size_t i = 0; i < TST_COUNT(fields); i++)
        assert_string_not_equal(field_of(a, fields[i]), field_of(b, fields[i]));
}

static void another_key_opens_nothing(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY other = new_key(TST_KEY_P256);
    TST_AUTO_KEY p384 = new_key(TST_KEY_P384);
    TST_AUTO_JSON jwe = foreign_jwe();
    struct tst_secret *plain = NULL;
    assert_refused(tst_jwe_decrypt(other, jwe, &plain, &err), TST_REFUTED, err, "jwe: key unwrap");
    assert_refused(tst_jwe_decrypt(p384, jwe, &plain, &err), TST_USAGE, err, "P-384");
    assert_null(plain);
}

static void refuse_with(const struct tst_key *k, const json_t *jwe, const char *field, const char *text)
{
    struct tst_error *err = NULL;
    struct tst_secret *plain = NULL;
    TST_AUTO_JSON changed = json_deep_copy(jwe);
    json_object_set_new(changed, field, json_string(text));
    int rc = tst_jwe_decrypt(k, changed, &plain, &err);
    if (rc != -TST_REFUTED && rc != -TST_USAGE)
        fail_msg("%s = %s: %d", field, text, rc);
    assert_non_null(err);
    assert_null(plain);
    tst_error_free(err);
}

static void refuse_each_flip(const struct tst_key *k, const json_t *jwe, const char *field)
{
    char text[512];
    size_t n = strlen(field_of(jwe, field));
    assert_true(n < sizeof text);
    memcpy(text, field_of(jwe, field), n + 1);
    for (size_t i = 0; i < n; i++) {
        char was = text[i];
        size_t value = (size_t)(strchr(base64url, was) - base64url);
        for (size_t bit = 1; bit < 64; bit <<= 1) {
            text[i] = base64url[value ^ bit];
            refuse_with(k, jwe, field, text);
        }
        text[i] = 0;
        refuse_with(k, jwe, field, text); /* cut here */
        text[i] = '=';
        refuse_with(k, jwe, field, text);
        text[i] = was;
    }
    TST_AUTO_STR longer = tst_strdup_printf("%sA", text);
    TST_AUTO_STR padded = tst_strdup_printf("%s=", text);
    refuse_with(k, jwe, field, longer);
    refuse_with(k, jwe, field, padded);
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    TST_AUTO_KEY k = bob();
    TST_AUTO_JSON jwe = foreign_jwe();
    for (size_t i = 0; i < TST_COUNT(fields); i++)
        refuse_each_flip(k, jwe, fields[i]);
}

/* A JWE for k that is right in everything but, perhaps, its protected header. */
static json_t *sealed_with(const struct tst_key *k, const struct tst_key *epk, const char *header)
{
    static const char other_info[] = "\0\0\0\x0e" "ECDH-ES+A256KW" "\0\0\0\0" "\0\0\0\0" "\0\0\1";
    struct tst_error *err = NULL;
    TST_AUTO_SECRET z = NULL;
    TST_AUTO_SECRET kek = NULL;
    TST_AUTO_SECRET cek = kat_secret("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    TST_AUTO_STR protected = tst_b64url(header, strlen(header));
    uint8_t wrapped[40], iv[TST_GCM_IV_BYTES] = {0}, ct[4], tag[TST_GCM_TAG_BYTES];
    assert_done(tst_ecdh(epk, k, &z, &err), err);
    assert_done(tst_concat_kdf(z, other_info, sizeof other_info, 32, &kek, &err), err);
    assert_done(tst_aes_kw_wrap(kek, cek, wrapped, &err), err);
    assert_done(tst_gcm_seal(cek, iv, protected, strlen(protected), "text", 4, ct, tag, &err), err);
    json_t *jwe = json_pack("{s:s}", "protected", protected);
    assert_done(tst_json_set_b64(jwe, "encrypted_key", wrapped, sizeof wrapped, &err), err);
    assert_done(tst_json_set_b64(jwe, "iv", iv, sizeof iv, &err), err);
    assert_done(tst_json_set_b64(jwe, "ciphertext", ct, sizeof ct, &err), err);
    assert_done(tst_json_set_b64(jwe, "tag", tag, sizeof tag, &err), err);
    return jwe;
}

#define EPK_XY "\"x\":\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0\",\"y\":\"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps\""
#define EPK "\"epk\":{\"crv\":\"P-256\",\"kty\":\"EC\"," EPK_XY "}"
#define ALG_ENC "\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\""

/* The first one is the control. The others mean the same in other words, promise something else, or are broken. */
static void only_the_one_header_is_taken(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{" ALG_ENC "," EPK "}",
        "{\"enc\":\"A256GCM\",\"alg\":\"ECDH-ES+A256KW\"," EPK "}",
        "{" EPK "," ALG_ENC "}",
        "{\"alg\":\"ECDH-ES+A256KW\", \"enc\":\"A256GCM\"," EPK "}",
        "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"," EPK "}",
        "{\"alg\":\"dir\",\"enc\":\"A256GCM\"," EPK "}",
        "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A128GCM\"," EPK "}",
        "{" ALG_ENC "," EPK ",\"zip\":\"DEF\"}",
        "{" ALG_ENC "," EPK ",\"apu\":\"\"}",
        "{" ALG_ENC ",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\"," EPK_XY "}}",
        "{" ALG_ENC ",\"epk\":{\"alg\":\"x\",\"crv\":\"P-256\",\"kty\":\"EC\"," EPK_XY "}}",
        "{" ALG_ENC "}",
        "{" ALG_ENC "," EPK "}{}",
        "{" ALG_ENC "," EPK "} ",
        "[]",
        "x",
        "",
    };
    TST_AUTO_KEY k = bob();
    TST_AUTO_KEY epk = kat_private_p256("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
    for (size_t i = 0; i < TST_COUNT(headers); i++) {
        TST_AUTO_SECRET plain = NULL;
        TST_AUTO_ERROR err = NULL;
        TST_AUTO_JSON jwe = sealed_with(k, epk, headers[i]);
        int rc = tst_jwe_decrypt(k, jwe, &plain, &err);
        if (i == 0 ? rc != 0 : rc != -TST_USAGE && rc != -TST_REFUTED)
            fail_msg("%s: %d", headers[i], rc);
    }
}

static void missing_extra_and_mistyped_members_are_refused(void **state)
{
    (void)state;
    TST_AUTO_KEY k = bob();
    const char *const extra[] = {"aad", "header", "unprotected", "recipients"};
    for (size_t i = 0; i < TST_COUNT(fields); i++) {
        struct tst_error *err = NULL;
        struct tst_secret *plain = NULL;
        TST_AUTO_JSON jwe = foreign_jwe();
        json_object_set_new(jwe, fields[i], json_integer(1));
        assert_refused(tst_jwe_decrypt(k, jwe, &plain, &err), TST_USAGE, err, "jwe: ");
        json_object_del(jwe, fields[i]);
        assert_refused(tst_jwe_decrypt(k, jwe, &plain, &err), TST_USAGE, err, "jwe: ");
    }
    for (size_t i = 0; i < TST_COUNT(extra); i++) {
        TST_AUTO_JSON jwe = foreign_jwe();
        refuse_with(k, jwe, extra[i], "AAAA");
    }
    struct tst_error *err = NULL;
    struct tst_secret *plain = NULL;
    TST_AUTO_JSON array = json_array();
    assert_refused(tst_jwe_decrypt(k, array, &plain, &err), TST_USAGE, err, "jwe: ");
}

static void fields_of_two_jwes_do_not_mix(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    TST_AUTO_KEY k = bob();
    TST_AUTO_JSON a = foreign_jwe();
    TST_AUTO_JSON b = NULL;
    assert_done(tst_jwe_encrypt(k, "the key of the r3alm", 20, &b, &err), err);
    for (size_t i = 0; i < TST_COUNT(fields); i++)
        refuse_with(k, a, fields[i], field_of(b, fields[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jwk_survives),
        cmocka_unit_test(a_jwk_without_alg_has_four_members),
        cmocka_unit_test(bad_jwks_are_refused),
        cmocka_unit_test(a_jwe_of_another_library_opens),
        cmocka_unit_test(texts_of_every_size_survive),
        cmocka_unit_test(empty_and_oversized_texts_are_refused),
        cmocka_unit_test(the_header_has_the_exact_form_that_peers_print_again),
        cmocka_unit_test(two_encryptions_share_nothing),
        cmocka_unit_test(another_key_opens_nothing),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(only_the_one_header_is_taken),
        cmocka_unit_test(missing_extra_and_mistyped_members_are_refused),
        cmocka_unit_test(fields_of_two_jwes_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
