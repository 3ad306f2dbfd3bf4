/* SPDX-License-Identifier: Apache-2.0 */
/* agent/join.c - challenge, runtime data, evidence, request, and what the broker's answer is worth: its log may not have
 * gone back, and the bundle must decrypt with the key that the report covers. */
#include "agent/join.h"

#include <inttypes.h>

#include <testudo/token.h>

enum { BUNDLE_MAX_BYTES = 48 * 1024, CALL_TIMEOUT_S = 10 };

void bundle_clear(struct bundle *b)
{
    json_decref(b->document);
    tst_secret_free(b->key);
    memset(b, 0, sizeof *b);
}

int joiner_init(struct joiner *j, const char *address, const char *ca_hex, const char *instance, struct tst_error **err)
{
    memset(j, 0, sizeof *j);
    if (strlen(address) >= sizeof j->broker.address || !tst_is_name(instance))
        return tst_fail(err, TST_USAGE, "broker address or instance name is not usable");
    memcpy(j->broker.address, address, strlen(address) + 1);
    memcpy(j->instance, instance, strlen(instance) + 1);
    j->broker.timeout_s = CALL_TIMEOUT_S;
    int r = tst_unhex(ca_hex, j->broker.ca_spki_sha256, TST_SHA256_BYTES, err);
    if (r)
        return tst_wrap(err, "broker CA");
    tst_hex(j->broker.ca_spki_sha256, TST_SHA256_BYTES, j->broker_id);
    if ((r = tst_key_generate(TST_KEY_P256, &j->tee_key, err)))
        return r;
    return tst_key_generate(TST_KEY_P256, &j->sig_key, err);
}

void joiner_clear(struct joiner *j)
{
    tst_secret_free(j->token);
    tst_key_free(j->tee_key);
    tst_key_free(j->sig_key);
    memset(j, 0, sizeof *j);
}

static int challenge(struct joiner *j, const char *purpose, json_t **nonce, struct tst_error **err)
{
    TST_AUTO_JSON body = json_pack("{s:s,s:s}", "instance", j->instance, "purpose", purpose);
    TST_AUTO_JSON answer = NULL;
    const char *text, *broker_id;
    int expires_s;
    int r = body ? broker_post(&j->broker, "/v1/challenge", body, &answer, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (r || (r = tst_json_unpack(answer, err, "{s:s,s:s,s:i}", "nonce", &text, "broker-id", &broker_id, "expires-s", &expires_s)))
        return tst_wrap(err, "challenge");
    if (strcmp(broker_id, j->broker_id) != 0) {
        tst_fail(err, TST_REFUTED, "challenge: the broker gives another id than its CA's");
        tst_reason(err, "wrong-broker");
        return tst_hint(err, j->broker_id, broker_id, "this node talks to no other broker: check the launch data");
    }
    *nonce = json_string(text);
    return *nonce ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int runtime_data(struct joiner *j, const char *purpose, json_t **out, struct tst_error **err)
{
    TST_AUTO_JSON nonce = NULL;
    TST_AUTO_JSON tee = NULL;
    TST_AUTO_JSON sig = NULL;
    int r = challenge(j, purpose, &nonce, err);
    if (r || (r = tst_jwk_of(j->tee_key, NULL, &tee, err)) || (r = tst_jwk_of(j->sig_key, NULL, &sig, err)))
        return r;
    *out = json_pack("{s:s,s:s,s:O,s:s,s:O,s:O,s:s}", "broker-id", j->broker_id, "instance", j->instance, "nonce", nonce,
                     "purpose", purpose, "sig-pubkey", sig, "tee-pubkey", tee, "wg-pubkey", "");
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int add_evidence(struct joiner *j, json_t *body, json_t *rd, struct tst_error **err)
{
    AUTO_EVIDENCE e = { 0 };
    uint8_t report_data[TST_SNP_REPORT_DATA_BYTES];
    int r = tst_report_data(rd, report_data, err);
    if (r || (r = j->evidence->get(j->evidence_ctx, report_data, &e, err)))
        return r;
    json_t *evidence = json_object();
    if (json_object_set_new(body, "evidence", evidence))
        return tst_fail(err, TST_INTERNAL, "out of memory");
    r = tst_json_set_b64(evidence, "snp-report", e.report.p, e.report.n, err);
    return r ? r : tst_json_set_b64(evidence, "auxblob", e.auxblob.p, e.auxblob.n, err);
}

static int add_signature(struct joiner *j, json_t *body, json_t *rd, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    uint8_t rs[TST_ECDSA_P256_BYTES];
    size_t n;
    int r = tst_jcs(rd, &text, &n, err);
    if (r || (r = tst_ecdsa_sign(j->sig_key, text, n, rs, err)))
        return r;
    return tst_json_set_b64(body, "signature", rs, sizeof rs, err);
}

static int request(struct joiner *j, const char *purpose, const char *path, json_t **answer, struct tst_error **err)
{
    TST_AUTO_JSON rd = NULL;
    int r = runtime_data(j, purpose, &rd, err);
    if (r)
        return r;
    TST_AUTO_JSON body = json_pack("{s:O}", "runtime-data", rd);
    if (!body)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if (j->evidence)
        r = add_evidence(j, body, rd, err);
    else if (j->token)
        r = tst_json_set_b64(body, "token", tst_secret_view(j->token), tst_secret_size(j->token), err);
    else
        r = add_signature(j, body, rd, err);
    return r ? r : broker_post(&j->broker, path, body, answer, err);
}

/* A broker whose log went back was restored from an old copy: it may have forgotten a revocation. */
static int check_log(struct joiner *j, json_t *log, struct tst_error **err)
{
    const char *head, *signature;
    json_int_t index;
    int r = tst_json_unpack(log, err, "{s:I,s:s,s:s}", "index", &index, "head", &head, "signature", &signature);
    if (r || strlen(head) != 2 * TST_SHA256_BYTES)
        return r ? r : tst_fail(err, TST_USAGE, "answer: log head is not a SHA-256");
    if (index < j->log_index || (index == j->log_index && strcmp(head, j->log_head) != 0)) {
        tst_fail(err, TST_REFUTED, "the broker's log is at row %" PRId64 ", it was at row %" PRId64 " before", (int64_t)index, j->log_index);
        tst_reason(err, "log-rollback");
        return tst_hint(err, j->log_head, head, "the broker was restored from an old copy: its owner must look at it");
    }
    j->log_index = index;
    memcpy(j->log_head, head, sizeof j->log_head);
    return 0;
}

static int read_lease(json_t *lease, unsigned *lease_s, char until[32], struct tst_error **err)
{
    const char *text;
    int renew_s;
    int r = tst_json_unpack(lease, err, "{s:s,s:i}", "until", &text, "renew-after-s", &renew_s);
    if (r)
        return r;
    if (renew_s < 0 || renew_s > 86400)
        return tst_fail(err, TST_USAGE, "answer: lease of %d x 3 s", renew_s);
    *lease_s = renew_s ? 3 * (unsigned)renew_s : 1; /* renewal is due at one third of it */
    snprintf(until, 32, "%s", text);
    return 0;
}

static int read_key(json_t *secret, struct bundle *out, struct tst_error **err)
{
    const char *type, *text;
    json_int_t epoch;
    uint8_t *bytes = NULL;
    size_t n = 0;
    int r = tst_json_unpack(secret, err, "{s:s,s:I,s:s}", "type", &type, "epoch", &epoch, "bytes", &text);
    if (r)
        return r;
    if (strcmp(type, "munge") != 0)
        return tst_fail(err, TST_USAGE, "bundle: realm secret of unknown type '%.16s'", type);
    out->epoch = epoch;
    if ((r = tst_unb64url(text, 1024, &bytes, &n, err)))
        return r;
    r = n >= 32 ? tst_secret_from(bytes, n, &out->key, err) : tst_fail(err, TST_USAGE, "bundle: realm key shorter than 32 bytes");
    tst_wipe(bytes, n);
    tst_free(bytes);
    return r;
}

static int read_bundle(const struct tst_secret *plain, struct bundle *out, struct tst_error **err)
{
    json_t *realm, *peers, *lease, *secret;
    int r = tst_json_parse((const char *)tst_secret_view(plain), tst_secret_size(plain), BUNDLE_MAX_BYTES, &out->document, err);
    if (r || (r = tst_json_unpack(out->document, err, "{s:s,s:o,s:o,s:o}", "role", &out->role, "realm", &realm, "peers", &peers,
                                  "lease", &lease)) ||
        (r = tst_json_unpack(realm, err, "{s:s,s:o,s:o}", "name", &out->realm, "secret", &secret, "files", &out->files)) ||
        (r = read_lease(lease, &out->lease_s, out->lease_until, err)) || (r = read_key(secret, out, err)))
        return tst_wrap(err, "bundle");
    return 0;
}

static void read_verdict(json_t *verdict, struct bundle *out)
{
    const char *level = json_string_value(json_object_get(verdict, "level"));
    snprintf(out->level, sizeof out->level, "%s", level ? level : "");
    out->simulated = json_is_true(json_object_get(verdict, "simulated"));
}

int joiner_join(struct joiner *j, struct bundle *out, struct tst_error **err)
{
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_SECRET plain = NULL;
    json_t *jwe, *verdict, *log;
    memset(out, 0, sizeof *out);
    int r = request(j, "join", "/v1/join", &answer, err);
    if (r || (r = tst_json_unpack(answer, err, "{s:o,s:o,s:o}", "jwe", &jwe, "verdict", &verdict, "log", &log)) ||
        (r = check_log(j, log, err)) || (r = tst_jwe_decrypt(j->tee_key, jwe, &plain, err)) || (r = read_bundle(plain, out, err))) {
        bundle_clear(out);
        return tst_wrap(err, "join %s", j->instance);
    }
    read_verdict(verdict, out);
    tst_secret_free(j->token);
    j->token = NULL;
    return 0;
}

int joiner_renew(struct joiner *j, unsigned *lease_s, char lease_until[32], struct tst_error **err)
{
    TST_AUTO_JSON answer = NULL;
    json_t *lease, *verdict, *log;
    int r = request(j, "lease", "/v1/lease", &answer, err);
    if (r || (r = tst_json_unpack(answer, err, "{s:o,s:o,s:o}", "lease", &lease, "verdict", &verdict, "log", &log)) ||
        (r = check_log(j, log, err)) || (r = read_lease(lease, lease_s, lease_until, err)))
        return tst_wrap(err, "lease %s", j->instance);
    return 0;
}
