/* SPDX-License-Identifier: Apache-2.0 */
/* token/jwk.c - public P-256 keys as JSON Web Keys (RFC 7517, RFC 7518 §6.2). A private key ("d") is refused like every
 * other member that is not in the table. */
#include <testudo/token.h>

#define COORDINATE_BYTES 32

/* Members of a JWK that is read, and the one value that some must have. */
static const struct member {
    const char *name, *value;
    bool required;
} members[] = {
    {"kty", "EC", true}, {"crv", "P-256", true}, {"x", NULL, true},    {"y", NULL, true},
    {"alg", NULL, false}, {"kid", NULL, false},  {"use", NULL, false},
};

int tst_jwk_of(const struct tst_key *p256, const char *alg, json_t **out, struct tst_error **err)
{
    uint8_t x[COORDINATE_BYTES], y[COORDINATE_BYTES];
    if (tst_key_kind(p256) != TST_KEY_P256)
        return tst_fail(err, TST_USAGE, "jwk: only keys on P-256 are written");
    int rc = tst_key_ec_point(p256, x, y, err);
    if (rc)
        return rc;
    TST_AUTO_JSON jwk = json_pack("{s:s, s:s, s:s*}", "kty", "EC", "crv", "P-256", "alg", alg);
    if (!jwk)
        return tst_fail(err, TST_INTERNAL, "jwk: out of memory");
    rc = tst_json_set_b64(jwk, "x", x, sizeof x, err);
    rc = rc ? rc : tst_json_set_b64(jwk, "y", y, sizeof y, err);
    if (rc)
        return rc;
    *out = TST_STEAL(jwk);
    return 0;
}

static const struct member *member_find(const char *name)
{
    for (size_t i = 0; i < TST_COUNT(members); i++)
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    return NULL;
}

static int check_members(const json_t *jwk, struct tst_error **err)
{
    const char *name;
    const json_t *value;
    json_object_foreach((json_t *)(uintptr_t)jwk, name, value) {
        const struct member *m = member_find(name);
        if (!m)
            return tst_fail(err, TST_USAGE, "jwk: unknown member \"%.64s\"", name);
        if (!json_is_string(value))
            return tst_fail(err, TST_USAGE, "jwk: \"%s\" is no string", name);
        if (m->value && strcmp(m->value, json_string_value(value)) != 0)
            return tst_fail(err, TST_USAGE, "jwk: \"%s\" is not \"%s\"", name, m->value);
    }
    for (size_t i = 0; i < TST_COUNT(members); i++)
        if (members[i].required && !json_object_get(jwk, members[i].name))
            return tst_fail(err, TST_USAGE, "jwk: \"%s\" is missing", members[i].name);
    return 0;
}

int tst_jwk_read(const json_t *jwk, struct tst_key **out, struct tst_error **err)
{
    if (!json_is_object(jwk))
        return tst_fail(err, TST_USAGE, "jwk: not an object");
    uint8_t x[COORDINATE_BYTES], y[COORDINATE_BYTES];
    int rc = check_members(jwk, err);
    if (rc)
        return rc;
    rc = tst_unb64url_fixed(json_string_value(json_object_get(jwk, "x")), x, sizeof x, err);
    rc = rc ? rc : tst_unb64url_fixed(json_string_value(json_object_get(jwk, "y")), y, sizeof y, err);
    rc = rc ? rc : tst_key_from_ec_point(TST_KEY_P256, x, y, out, err);
    if (rc)
        tst_wrap(err, "jwk");
    return rc;
}
