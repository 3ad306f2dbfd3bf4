/* SPDX-License-Identifier: Apache-2.0 */
/* snp/idblock.c - the ID block (which launch, which image, which policy) and the ID authentication information that signs it.
 * Signed: the 96 bytes of the block by the ID key; the 0x404 bytes of the ID key by the author key. ECDSA P-384 with SHA-384,
 * numbers little-endian in 72 bytes. Source: AMD 56860, SNP_LAUNCH_FINISH, tables "ID_BLOCK", "ID_AUTH_INFO". */
#include <testudo/measure.h>

#define ALGO_ECDSA_P384_SHA384 1
#define CURVE_P384 2
#define SCALAR_BYTES 48
#define FIELD_BYTES 72 /* a scalar, little-endian, zero-padded */
#define SIGNATURE_BYTES 512

enum auth_offset {
    AUTH_ID_ALGO = 0x000,
    AUTH_AUTHOR_ALGO = 0x004,
    AUTH_RESERVED_1 = 0x008,
    AUTH_BLOCK_SIGNATURE = 0x040,
    AUTH_ID_KEY = 0x240,
    AUTH_RESERVED_2 = 0x644,
    AUTH_ID_KEY_SIGNATURE = 0x680,
    AUTH_AUTHOR_KEY = 0x880,
    AUTH_RESERVED_3 = 0xc84,
};
_Static_assert(AUTH_ID_KEY + TST_ID_KEY_BYTES == AUTH_RESERVED_2, "ID_AUTH_INFO layout");
_Static_assert(AUTH_AUTHOR_KEY + TST_ID_KEY_BYTES == AUTH_RESERVED_3, "ID_AUTH_INFO layout");

static void put_le(uint8_t *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t u32_at(const uint8_t *p)
{
    struct tst_rd r = tst_rd_of(p, 4);
    return tst_rd_u32le(&r);
}

/* ---- the block ---- */
void tst_id_block_write(const struct tst_id_block *b, uint8_t out[TST_ID_BLOCK_BYTES])
{
    memcpy(out, b->digest, sizeof b->digest);
    memcpy(out + 0x30, b->family_id, sizeof b->family_id);
    memcpy(out + 0x40, b->image_id, sizeof b->image_id);
    put_le(out + 0x50, b->version, 4);
    put_le(out + 0x54, b->guest_svn, 4);
    put_le(out + 0x58, b->policy, 8);
}

int tst_id_block_parse(const void *p, size_t n, struct tst_id_block *out, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(p, n);
    tst_rd_copy(&r, out->digest, sizeof out->digest);
    tst_rd_copy(&r, out->family_id, sizeof out->family_id);
    tst_rd_copy(&r, out->image_id, sizeof out->image_id);
    out->version = tst_rd_u32le(&r);
    out->guest_svn = tst_rd_u32le(&r);
    out->policy = tst_rd_u64le(&r);
    int rc = tst_rd_finish(&r, "ID block", err);
    if (rc == 0 && out->version != 1)
        rc = tst_fail(err, TST_USAGE, "ID block: version %u, version 1 is known", out->version);
    return rc;
}

/* ---- keys and signatures in AMD's layout ---- */
static void put_scalar(uint8_t *to, const uint8_t big_endian[SCALAR_BYTES])
{
    for (size_t i = 0; i < SCALAR_BYTES; i++)
        to[i] = big_endian[SCALAR_BYTES - 1 - i];
}

static bool get_scalar(const uint8_t *from, uint8_t big_endian[SCALAR_BYTES])
{
    for (size_t i = 0; i < SCALAR_BYTES; i++)
        big_endian[i] = from[SCALAR_BYTES - 1 - i];
    return tst_is_zero(from + SCALAR_BYTES, FIELD_BYTES - SCALAR_BYTES);
}

static int key_write(const struct tst_key *key, uint8_t out[TST_ID_KEY_BYTES], struct tst_error **err)
{
    uint8_t x[SCALAR_BYTES], y[SCALAR_BYTES];
    if (tst_key_kind(key) != TST_KEY_P384)
        return tst_fail(err, TST_USAGE, "ID and author keys are keys on the curve P-384");
    int rc = tst_key_ec_point(key, x, y, err);
    if (rc < 0)
        return rc;
    memset(out, 0, TST_ID_KEY_BYTES);
    put_le(out, CURVE_P384, 4);
    put_scalar(out + 4, x);
    put_scalar(out + 4 + FIELD_BYTES, y);
    return 0;
}

static int key_read(const uint8_t *in, struct tst_key **out, struct tst_error **err)
{
    uint8_t x[SCALAR_BYTES], y[SCALAR_BYTES];
    if (u32_at(in) != CURVE_P384)
        return tst_fail(err, TST_USAGE, "curve %u, expected %d (P-384)", u32_at(in), CURVE_P384);
    bool clean = get_scalar(in + 4, x) && get_scalar(in + 4 + FIELD_BYTES, y);
    if (!clean || !tst_is_zero(in + 4 + 2 * FIELD_BYTES, TST_ID_KEY_BYTES - 4 - 2 * FIELD_BYTES))
        return tst_fail(err, TST_USAGE, "bytes around the numbers are not zero");
    return tst_key_from_ec_point(TST_KEY_P384, x, y, out, err);
}

int tst_id_key_digest(const struct tst_key *key, uint8_t out[TST_SHA384_BYTES], struct tst_error **err)
{
    uint8_t raw[TST_ID_KEY_BYTES];
    int rc = key_write(key, raw, err);
    return rc == 0 ? tst_sha384(raw, sizeof raw, out, err) : rc;
}

static int sign(const struct tst_key *key, const uint8_t *message, size_t n, uint8_t *out, struct tst_error **err)
{
    uint8_t rs[TST_ECDSA_P384_BYTES];
    int rc = tst_ecdsa_sign(key, message, n, rs, err);
    if (rc < 0)
        return rc;
    put_scalar(out, rs);
    put_scalar(out + FIELD_BYTES, rs + SCALAR_BYTES);
    return 0;
}

static int verify(const struct tst_key *key, const uint8_t *message, size_t n, const uint8_t *signature, struct tst_error **err)
{
    uint8_t rs[TST_ECDSA_P384_BYTES];
    bool clean = get_scalar(signature, rs) && get_scalar(signature + FIELD_BYTES, rs + SCALAR_BYTES);
    if (!clean || !tst_is_zero(signature + 2 * FIELD_BYTES, SIGNATURE_BYTES - 2 * FIELD_BYTES))
        return tst_fail(err, TST_USAGE, "bytes around the numbers are not zero");
    return tst_ecdsa_verify(key, message, n, rs, err);
}

/* ---- ID authentication information ---- */
int tst_id_auth_build(const uint8_t block[TST_ID_BLOCK_BYTES], const struct tst_key *id_key, const struct tst_key *author_key,
                      uint8_t out[TST_ID_AUTH_BYTES], struct tst_error **err)
{
    memset(out, 0, TST_ID_AUTH_BYTES);
    put_le(out + AUTH_ID_ALGO, ALGO_ECDSA_P384_SHA384, 4);
    int rc = key_write(id_key, out + AUTH_ID_KEY, err);
    if (rc == 0)
        rc = sign(id_key, block, TST_ID_BLOCK_BYTES, out + AUTH_BLOCK_SIGNATURE, err);
    if (rc < 0)
        return tst_wrap(err, "ID key");
    if (!author_key)
        return 0;
    put_le(out + AUTH_AUTHOR_ALGO, ALGO_ECDSA_P384_SHA384, 4);
    rc = key_write(author_key, out + AUTH_AUTHOR_KEY, err);
    if (rc == 0)
        rc = sign(author_key, out + AUTH_ID_KEY, TST_ID_KEY_BYTES, out + AUTH_ID_KEY_SIGNATURE, err);
    return rc < 0 ? tst_wrap(err, "author key") : 0;
}

static int check_layout(const uint8_t *a, struct tst_error **err)
{
    bool clean = tst_is_zero(a + AUTH_RESERVED_1, AUTH_BLOCK_SIGNATURE - AUTH_RESERVED_1) &&
                 tst_is_zero(a + AUTH_RESERVED_2, AUTH_ID_KEY_SIGNATURE - AUTH_RESERVED_2) &&
                 tst_is_zero(a + AUTH_RESERVED_3, TST_ID_AUTH_BYTES - AUTH_RESERVED_3);
    if (!clean)
        return tst_fail(err, TST_USAGE, "reserved bytes are not zero");
    if (u32_at(a + AUTH_ID_ALGO) != ALGO_ECDSA_P384_SHA384)
        return tst_fail(err, TST_USAGE, "ID key algorithm %u, expected %d (ECDSA P-384 with SHA-384)", u32_at(a + AUTH_ID_ALGO),
                        ALGO_ECDSA_P384_SHA384);
    return 0;
}

static int verify_id(const uint8_t *block, const uint8_t *a, struct tst_id_auth *out, struct tst_error **err)
{
    TST_AUTO_KEY key = NULL;
    int rc = key_read(a + AUTH_ID_KEY, &key, err);
    if (rc == 0)
        rc = verify(key, block, TST_ID_BLOCK_BYTES, a + AUTH_BLOCK_SIGNATURE, err);
    return rc < 0 ? tst_wrap(err, "ID block, ID key") : tst_sha384(a + AUTH_ID_KEY, TST_ID_KEY_BYTES, out->id_key_digest, err);
}

static int verify_author(const uint8_t *a, struct tst_id_auth *out, struct tst_error **err)
{
    TST_AUTO_KEY key = NULL;
    int rc = key_read(a + AUTH_AUTHOR_KEY, &key, err);
    if (rc == 0)
        rc = verify(key, a + AUTH_ID_KEY, TST_ID_KEY_BYTES, a + AUTH_ID_KEY_SIGNATURE, err);
    if (rc < 0)
        return tst_wrap(err, "ID key, author key");
    out->has_author = true;
    return tst_sha384(a + AUTH_AUTHOR_KEY, TST_ID_KEY_BYTES, out->author_key_digest, err);
}

/* No author: algorithm, key and signature are all zero. */
static int judge_author(const uint8_t *a, struct tst_id_auth *out, struct tst_error **err)
{
    uint32_t algo = u32_at(a + AUTH_AUTHOR_ALGO);
    if (algo == ALGO_ECDSA_P384_SHA384)
        return verify_author(a, out, err);
    if (algo != 0)
        return tst_fail(err, TST_USAGE, "author key algorithm %u, expected 0 or %d", algo, ALGO_ECDSA_P384_SHA384);
    if (!tst_is_zero(a + AUTH_AUTHOR_KEY, TST_ID_KEY_BYTES) || !tst_is_zero(a + AUTH_ID_KEY_SIGNATURE, SIGNATURE_BYTES))
        return tst_fail(err, TST_USAGE, "has an author key but no author key algorithm");
    return 0;
}

int tst_id_auth_verify(const uint8_t block[TST_ID_BLOCK_BYTES], const void *auth, size_t n, struct tst_id_auth *out,
                       struct tst_error **err)
{
    struct tst_id_block parsed;
    const uint8_t *a = auth;
    *out = (struct tst_id_auth){0};
    if (n != TST_ID_AUTH_BYTES)
        return tst_fail(err, TST_USAGE, "ID authentication information: %zu bytes, expected %d", n, TST_ID_AUTH_BYTES);
    int rc = tst_id_block_parse(block, TST_ID_BLOCK_BYTES, &parsed, err);
    if (rc == 0)
        rc = check_layout(a, err);
    if (rc == 0)
        rc = verify_id(block, a, out, err);
    if (rc == 0)
        rc = judge_author(a, out, err);
    return rc < 0 ? tst_wrap(err, "ID authentication information") : 0;
}
