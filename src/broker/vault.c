/* SPDX-License-Identifier: Apache-2.0 */
/* broker/vault.c - realm keys at rest: AES-256-GCM under wrap.key (a file outside the database), bound to realm and
 * epoch by the additional data. */
#include "broker/broker.h"

static int bound_name(const char *realm, int64_t epoch, char out[128], struct tst_error **err)
{
    if (snprintf(out, 128, "testudo-realm-key-v1 %s %lld", realm, (long long)epoch) >= 128)
        return tst_fail(err, TST_INTERNAL, "realm name too long");
    return 0;
}

int vault_new_realm_key(struct broker *b, const char *realm, const char *level, const char *policy, struct tst_error **err)
{
    TST_AUTO_SECRET key = NULL;
    uint8_t iv[TST_GCM_IV_BYTES], tag[TST_GCM_TAG_BYTES], wrapped[REALM_KEY_BYTES];
    char bound[128];
    int64_t epoch = 1;
    int r = bound_name(realm, epoch, bound, err);
    if (r || (r = tst_secret_new(REALM_KEY_BYTES, &key, err)) || (r = tst_random(tst_secret_bytes(key), REALM_KEY_BYTES, err)) ||
        (r = tst_random(iv, sizeof iv, err)) ||
        (r = tst_gcm_seal(b->id.wrap_key, iv, bound, strlen(bound), tst_secret_view(key), REALM_KEY_BYTES, wrapped, tag, err)))
        return tst_wrap(err, "realm %s", realm);
    return db_run(b->db, err, "INSERT INTO realm(name, level, policy, epoch, secret_iv, secret, secret_tag) VALUES (?,?,?,?,?,?,?)",
                  "tttibbb", realm, level, policy, epoch, iv, sizeof iv, wrapped, sizeof wrapped, tag, sizeof tag);
}

int vault_open_realm_key(struct broker *b, const char *realm, int64_t *epoch, struct tst_secret **out,
                         struct tst_error **err)
{
    AUTO_STMT s = NULL;
    char bound[128];
    int r = db_prepare(b->db, &s, err, "SELECT epoch, secret_iv, secret, secret_tag FROM realm WHERE name = ?", "t", realm);
    if (r || (r = db_step(b->db, s, err)) < 0)
        return r;
    struct tst_bytes iv = db_blob(s, 1), wrapped = db_blob(s, 2), tag = db_blob(s, 3);
    if (r == 0 || iv.n != TST_GCM_IV_BYTES || tag.n != TST_GCM_TAG_BYTES || wrapped.n != REALM_KEY_BYTES)
        return tst_fail(err, TST_INTERNAL, "realm %s: no usable key in the database", realm);
    *epoch = sqlite3_column_int64(s, 0);
    if ((r = bound_name(realm, *epoch, bound, err)) ||
        (r = tst_gcm_open(b->id.wrap_key, iv.p, bound, strlen(bound), wrapped.p, wrapped.n, tag.p, out, err)))
        return tst_wrap(err, "realm %s: key", realm);
    return 0;
}
