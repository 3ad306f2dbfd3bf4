/* SPDX-License-Identifier: Apache-2.0 */
/* sev/session.c - the blob that LAUNCH_START takes: the owner's two keys (TEK encrypts, TIK authenticates), wrapped under a
 * secret that only the owner and the platform with this PDH share. Steps: Z = ECDH; M = KDF(Z, "sev-master-secret", nonce);
 * KEK = KDF(M, "sev-kek"), KIK = KDF(M, "sev-kik"); wrap and MAC. Source: AMD 55766, "Launch Session". */
#include "internal.h"

#define CURVE_P384 2
#define WRAP_TK_BYTES 32

/* Order of the blob. */
struct session_fields {
    uint8_t nonce[TST_SEV_NONCE_BYTES], wrap_tk[WRAP_TK_BYTES], wrap_iv[16], wrap_mac[TST_SHA256_BYTES], policy_mac[TST_SHA256_BYTES];
};
_Static_assert(sizeof(struct session_fields) == TST_SEV_SESSION_BYTES, "bytes only: no padding");

struct wrap_keys {
    struct tst_secret *kek, *kik;
};

static void wrap_keys_clear(struct wrap_keys *k)
{
    tst_secret_free(k->kek);
    tst_secret_free(k->kik);
}

static int wrap_keys_derive(const struct tst_secret *z, const uint8_t nonce[TST_SEV_NONCE_BYTES], struct wrap_keys *out,
                            struct tst_error **err)
{
    TST_AUTO_SECRET master = NULL;
    int rc = tst_counter_kdf(z, "sev-master-secret", nonce, TST_SEV_NONCE_BYTES, TST_SEV_KEY_BYTES, &master, err);
    rc = rc ? rc : tst_counter_kdf(master, "sev-kek", NULL, 0, TST_SEV_KEY_BYTES, &out->kek, err);
    return rc ? rc : tst_counter_kdf(master, "sev-kik", NULL, 0, TST_SEV_KEY_BYTES, &out->kik, err);
}

static int policy_mac(const struct tst_secret *tik, uint32_t policy, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    uint8_t bytes[4];
    sev_put_u32(bytes, policy);
    return tst_hmac_sha256(tik, &(struct tst_bytes){bytes, sizeof bytes}, 1, out, err);
}

static int need_key(const struct tst_secret *key, const char *name, struct tst_error **err)
{
    size_t n = tst_secret_size(key);
    return n == TST_SEV_KEY_BYTES ? 0 : tst_fail(err, TST_USAGE, "%s: %zu bytes, expected %d", name, n, TST_SEV_KEY_BYTES);
}

int tst_sev_session_wrap(const struct tst_secret *z, const uint8_t nonce[TST_SEV_NONCE_BYTES], const uint8_t iv[16],
                         const struct tst_secret *tek, const struct tst_secret *tik, uint32_t policy,
                         uint8_t out[TST_SEV_SESSION_BYTES], struct tst_error **err)
{
    __attribute__((cleanup(wrap_keys_clear))) struct wrap_keys keys = {0};
    TST_AUTO_SECRET both = NULL;
    struct session_fields f;
    memcpy(f.nonce, nonce, sizeof f.nonce);
    memcpy(f.wrap_iv, iv, sizeof f.wrap_iv);
    int rc = need_key(tek, "TEK", err);
    rc = rc ? rc : need_key(tik, "TIK", err);
    rc = rc ? rc : wrap_keys_derive(z, nonce, &keys, err);
    rc = rc ? rc : tst_secret_new(WRAP_TK_BYTES, &both, err);
    if (rc)
        return rc;
    memcpy(tst_secret_bytes(both), tst_secret_view(tek), TST_SEV_KEY_BYTES);
    memcpy(tst_secret_bytes(both) + TST_SEV_KEY_BYTES, tst_secret_view(tik), TST_SEV_KEY_BYTES);
    rc = tst_aes128_ctr(keys.kek, iv, tst_secret_view(both), WRAP_TK_BYTES, f.wrap_tk, err);
    rc = rc ? rc : tst_hmac_sha256(keys.kik, &(struct tst_bytes){f.wrap_tk, sizeof f.wrap_tk}, 1, f.wrap_mac, err);
    rc = rc ? rc : policy_mac(tik, policy, f.policy_mac, err);
    if (rc)
        return rc;
    memcpy(out, &f, sizeof f);
    return 0;
}

/* wrap_tk -> the two keys, once its MAC matched. */
static int unwrap(const struct wrap_keys *keys, const struct session_fields *f, struct tst_secret **tek, struct tst_secret **tik,
                  struct tst_error **err)
{
    TST_AUTO_SECRET both = NULL;
    uint8_t mac[TST_SHA256_BYTES];
    int rc = tst_hmac_sha256(keys->kik, &(struct tst_bytes){f->wrap_tk, sizeof f->wrap_tk}, 1, mac, err);
    if (!rc && !tst_equal(mac, f->wrap_mac, sizeof mac))
        rc = tst_fail(err, TST_REFUTED, "session: WRAP_MAC does not match: made for another platform, or changed");
    rc = rc ? rc : tst_secret_new(WRAP_TK_BYTES, &both, err);
    rc = rc ? rc : tst_aes128_ctr(keys->kek, f->wrap_iv, f->wrap_tk, WRAP_TK_BYTES, tst_secret_bytes(both), err);
    rc = rc ? rc : tst_secret_from(tst_secret_view(both), TST_SEV_KEY_BYTES, tek, err);
    return rc ? rc : tst_secret_from(tst_secret_view(both) + TST_SEV_KEY_BYTES, TST_SEV_KEY_BYTES, tik, err);
}

int tst_sev_session_open(const struct tst_secret *z, const uint8_t blob[TST_SEV_SESSION_BYTES], uint32_t policy,
                         struct tst_secret **tek, struct tst_secret **tik, struct tst_error **err)
{
    __attribute__((cleanup(wrap_keys_clear))) struct wrap_keys keys = {0};
    TST_AUTO_SECRET tek_found = NULL;
    TST_AUTO_SECRET tik_found = NULL;
    struct session_fields f;
    uint8_t mac[TST_SHA256_BYTES];
    memcpy(&f, blob, sizeof f);
    int rc = wrap_keys_derive(z, f.nonce, &keys, err);
    rc = rc ? rc : unwrap(&keys, &f, &tek_found, &tik_found, err);
    rc = rc ? rc : policy_mac(tik_found, policy, mac, err);
    if (!rc && !tst_equal(mac, f.policy_mac, sizeof mac))
        rc = tst_fail(err, TST_REFUTED, "session: POLICY_MAC does not match: made for another policy than 0x%x", policy);
    if (rc)
        return rc;
    *tek = TST_STEAL(tek_found);
    *tik = TST_STEAL(tik_found);
    return 0;
}

/* The owner's public key in the form of a PDH certificate that nobody signed. */
static int godh_build(const struct tst_key *key, uint8_t out[TST_SEV_CERT_BYTES], struct tst_error **err)
{
    uint8_t x[48], y[48];
    int rc = tst_key_ec_point(key, x, y, err);
    if (rc)
        return rc;
    memset(out, 0, TST_SEV_CERT_BYTES);
    sev_put_u32(out, 1);
    sev_put_u32(out + 8, TST_SEV_PDH);
    sev_put_u32(out + 0xc, TST_SEV_ECDH_SHA256);
    sev_put_u32(out + 0x10, CURVE_P384);
    sev_reverse(x, sizeof x, out + 0x14);
    sev_reverse(y, sizeof y, out + 0x14 + SEV_EC_FIELD_BYTES);
    sev_put_u32(out + TST_SEV_CERT_SIGNED_BYTES, TST_SEV_NONE);
    sev_put_u32(out + TST_SEV_CERT_SIGNED_BYTES + 8 + TST_SEV_SIGNATURE_BYTES, TST_SEV_NONE);
    return 0;
}

void tst_sev_session_clear(struct tst_sev_session *s)
{
    tst_secret_free(s->tek);
    tst_secret_free(s->tik);
    memset(s, 0, sizeof *s);
}

static int random_key(struct tst_secret **out, struct tst_error **err)
{
    int rc = tst_secret_new(TST_SEV_KEY_BYTES, out, err);
    return rc ? rc : tst_random(tst_secret_bytes(*out), TST_SEV_KEY_BYTES, err);
}

static int session_fill(const struct tst_key *platform, uint32_t policy, struct tst_sev_session *s, struct tst_error **err)
{
    TST_AUTO_KEY mine = NULL;
    TST_AUTO_SECRET z = NULL;
    uint8_t fresh[TST_SEV_NONCE_BYTES + 16];
    int rc = tst_key_generate(TST_KEY_P384, &mine, err);
    rc = rc ? rc : tst_ecdh_p384(mine, platform, &z, err);
    rc = rc ? rc : godh_build(mine, s->godh, err);
    rc = rc ? rc : random_key(&s->tek, err);
    rc = rc ? rc : random_key(&s->tik, err);
    rc = rc ? rc : tst_random(fresh, sizeof fresh, err);
    return rc ? rc : tst_sev_session_wrap(z, fresh, fresh + TST_SEV_NONCE_BYTES, s->tek, s->tik, policy, s->blob, err);
}

int tst_sev_session_new(const struct tst_sev_cert *pdh, uint32_t policy, struct tst_sev_session *out, struct tst_error **err)
{
    TST_AUTO_KEY platform = NULL;
    *out = (struct tst_sev_session){0};
    if (pdh->usage != TST_SEV_PDH || pdh->curve != TST_KEY_P384)
        return tst_fail(err, TST_USAGE, "session: needs the platform's PDH on P-384, not this %s", tst_sev_usage_name(pdh->usage));
    int rc = tst_sev_cert_key(pdh, &platform, err);
    rc = rc ? rc : session_fill(platform, policy, out, err);
    if (rc)
        tst_sev_session_clear(out);
    if (rc)
        tst_wrap(err, "session");
    return rc;
}
