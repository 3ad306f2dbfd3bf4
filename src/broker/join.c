/* SPDX-License-Identifier: Apache-2.0 */
/* broker/join.c - the decision. A request is read once into an immutable struct; one process burns the nonce, judges the
 * proof, checks the identity, writes log row and registry in one transaction, encrypts, commits, and only then answers.
 * Source: docs/protocol.md "Join". */
#include <inttypes.h>
#include <stdlib.h>

#include <testudo/token.h>

#include "broker/broker.h"

enum { AUXBLOB_MAX_BYTES = TST_SNP_CERT_TABLE_MAX };

struct request {
    json_t *runtime_data; /* borrowed */
    const char *broker_id, *instance, *purpose, *wg_pubkey;
    uint8_t nonce[NONCE_BYTES];
    struct tst_key *tee_key, *sig_key;
    char *tee_text, *sig_text; /* canonical JWK */
    uint8_t *report, *auxblob; /* evidence, or NULL */
    size_t report_n, auxblob_n;
    bool has_token, has_signature;
    uint8_t token[TOKEN_BYTES], signature[TST_ECDSA_P256_BYTES];
};

/* What the proof showed; its texts go to log, registry and answer. */
struct finding {
    struct tst_verdict *verdict; /* NULL for a token or a signature */
    json_t *verdict_json;
    char verdict_digest[2 * TST_SHA256_BYTES + 1];
    char launch_digest[2 * TST_SNP_DIGEST_BYTES + 1], chip_id[2 * TST_SNP_CHIP_BYTES + 1];
    char report_id[2 * TST_SNP_REPORT_ID_BYTES + 1];
    char *identity; /* canonical JSON of the whole identity */
};

static void request_clear(struct request *q)
{
    tst_key_free(q->tee_key);
    tst_key_free(q->sig_key);
    free(q->tee_text);
    free(q->sig_text);
    free(q->report);
    free(q->auxblob);
    tst_wipe(q, sizeof *q);
}
#define AUTO_REQUEST __attribute__((cleanup(request_clear))) struct request

static void finding_clear(struct finding *f)
{
    tst_verdict_free(f->verdict);
    json_decref(f->verdict_json);
    free(f->identity);
    memset(f, 0, sizeof *f);
}
#define AUTO_FINDING __attribute__((cleanup(finding_clear))) struct finding

static int refuse(struct tst_error **err, const char *reason, const char *text, const char *expected, const char *found,
                  const char *fix)
{
    tst_fail(err, TST_DENIED, "%s", text);
    tst_reason(err, reason);
    return tst_hint(err, expected, found, fix);
}

/* ---- reading the request ---- */

static int read_key(json_t *jwk, const char *what, struct tst_key **key, char **text, struct tst_error **err)
{
    int r = tst_jwk_read(jwk, key, err);
    if (!r)
        r = tst_jcs(jwk, text, NULL, err);
    return r ? tst_wrap(err, "%s", what) : 0;
}

static int read_runtime_data(json_t *rd, struct request *q, struct tst_error **err)
{
    const char *nonce;
    json_t *tee, *sig;
    int r = tst_json_unpack(rd, err, "{s:s,s:s,s:s,s:s,s:o,s:o,s:s}", "broker-id", &q->broker_id, "instance", &q->instance,
                            "nonce", &nonce, "purpose", &q->purpose, "sig-pubkey", &sig, "tee-pubkey", &tee, "wg-pubkey",
                            &q->wg_pubkey);
    if (r)
        return tst_wrap(err, "runtime-data");
    q->runtime_data = rd;
    if (!tst_is_name(q->instance))
        return tst_fail(err, TST_USAGE, "runtime-data: instance is not a name");
    uint8_t broker_id[TST_SHA256_BYTES];
    if (tst_unhex(q->broker_id, broker_id, sizeof broker_id, err)) /* it is the sender's text, and goes into the log */
        return tst_wrap(err, "runtime-data: broker-id");
    if (q->wg_pubkey[0])
        return tst_fail(err, TST_USAGE, "runtime-data: wg-pubkey: this broker has no fabric yet, want \"\"");
    if ((r = tst_unb64url_fixed(nonce, q->nonce, sizeof q->nonce, err)) ||
        (r = read_key(tee, "tee-pubkey", &q->tee_key, &q->tee_text, err)) ||
        (r = read_key(sig, "sig-pubkey", &q->sig_key, &q->sig_text, err)))
        return tst_wrap(err, "runtime-data");
    return 0;
}

static int read_evidence(json_t *evidence, struct request *q, struct tst_error **err)
{
    const char *report, *auxblob;
    int r = tst_json_unpack(evidence, err, "{s:s,s:s}", "snp-report", &report, "auxblob", &auxblob);
    if (!r)
        r = tst_unb64url(report, TST_SNP_REPORT_BYTES, &q->report, &q->report_n, err);
    if (!r)
        r = tst_unb64url(auxblob, AUXBLOB_MAX_BYTES, &q->auxblob, &q->auxblob_n, err);
    return r ? tst_wrap(err, "evidence") : 0;
}

static int read_request(json_t *body, struct request *q, struct tst_error **err)
{
    json_t *rd = NULL, *evidence = NULL;
    const char *token = NULL, *signature = NULL;
    int r = tst_json_unpack(body, err, "{s:o,s?o,s?s,s?s}", "runtime-data", &rd, "evidence", &evidence, "token", &token,
                            "signature", &signature);
    if (r || (r = read_runtime_data(rd, q, err)))
        return r;
    if (evidence && (r = read_evidence(evidence, q, err)))
        return r;
    q->has_token = token != NULL;
    if (token && (r = tst_unb64url_fixed(token, q->token, sizeof q->token, err)))
        return tst_wrap(err, "token");
    q->has_signature = signature != NULL;
    if (signature && (r = tst_unb64url_fixed(signature, q->signature, sizeof q->signature, err)))
        return tst_wrap(err, "signature");
    if ((evidence != NULL) + (token || signature ? 1 : 0) != 1)
        return tst_fail(err, TST_USAGE, "request: want either evidence, or token or signature");
    return 0;
}

/* ---- judging the proof ---- */

static int digest_verdict(struct finding *f, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    uint8_t digest[TST_SHA256_BYTES];
    size_t n;
    int r = tst_jcs(f->verdict_json, &text, &n, err);
    if (r || (r = tst_sha256(text, n, digest, err)))
        return r;
    tst_hex(digest, sizeof digest, f->verdict_digest);
    return 0;
}

static int verdict_refusal(const struct tst_verdict *v, struct tst_error **err)
{
    const struct tst_check *c = tst_verdict_first(v);
    if (!c)
        return tst_fail(err, TST_INTERNAL, "verdict without a reason");
    tst_fail(err, TST_DENIED, "evidence%s fails the check that %s", v->simulated ? " (SIMULATED)" : "", c->info->meaning);
    tst_reason(err, c->info->id);
    return tst_hint(err, c->expected, c->found, c->fix);
}

static int appraise(const struct broker *b, const struct request *q, const struct instance *i, time_t now, struct finding *f,
                    struct tst_error **err)
{
    (void)b;
    TST_AUTO_POLICY policy = NULL;
    uint8_t report_data[TST_SNP_REPORT_DATA_BYTES];
    struct tst_evidence ev = { .report = { q->report, q->report_n } };
    int r = tst_policy_parse(i->realm, i->policy, strlen(i->policy), NULL, NULL, &policy, err);
    if (r || (r = tst_report_data(q->runtime_data, report_data, err)))
        return r;
    if ((r = tst_snp_cert_table_parse(q->auxblob, q->auxblob_n, &ev.certs, err))) {
        tst_snp_certs_clear(&ev.certs);
        tst_reason(err, "auxblob");
        return tst_wrap(err, "evidence: auxblob");
    }
    struct tst_appraise_in in = { .evidence = &ev, .policy = policy, .now = now, .report_data = report_data };
    r = tst_appraise(&in, &f->verdict, err);
    tst_snp_certs_clear(&ev.certs);
    if (r || (r = tst_verdict_json(f->verdict, &f->verdict_json, err)))
        return r;
    return digest_verdict(f, err);
}

static int judge_evidence(const struct broker *b, const struct request *q, const struct instance *i, time_t now,
                          struct finding *f, struct tst_error **err)
{
    if (!q->report)
        return refuse(err, "evidence-missing", "this realm is joined by evidence", "an SEV-SNP attestation report",
                      "a token or a signature", "boot the node as a confidential VM");
    int r = appraise(b, q, i, now, f, err);
    if (r)
        return r;
    if (f->verdict->outcome != TST_CHECK_PASS)
        return verdict_refusal(f->verdict, err);
    tst_hex(f->verdict->report.measurement, TST_SNP_DIGEST_BYTES, f->launch_digest);
    tst_hex(f->verdict->report.chip_id, TST_SNP_CHIP_BYTES, f->chip_id);
    tst_hex(f->verdict->report.report_id, TST_SNP_REPORT_ID_BYTES, f->report_id);
    return 0;
}

/* A signature counts only from the key that was pinned at admission. */
static int judge_signature(const struct request *q, const struct instance *i, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n;
    if (!i->sig_key || strcmp(i->sig_key, q->sig_text) != 0)
        return refuse(err, "taken", "signature: the key is not the one that was admitted", "the pinned sig-pubkey",
                      "another key", "re-arm the instance if this is a new launch");
    int r = tst_jcs(q->runtime_data, &text, &n, err);
    if (r)
        return r;
    if (tst_ecdsa_verify(q->sig_key, text, n, q->signature, err))
        return refuse(err, "signature", "signature: does not verify", "a signature by sig-pubkey over runtime-data", NULL, NULL);
    return 0;
}

/* Names the token's true owner when it is another instance's. */
static int token_is_foreign(struct broker *b, const uint8_t hash[TST_SHA256_BYTES], struct tst_error **err)
{
    AUTO_STMT s = NULL;
    int r = db_prepare(b->db, &s, err, "SELECT 1 FROM instance WHERE token_hash = ?", "b", hash, (size_t)TST_SHA256_BYTES);
    return r ? r : db_step(b->db, s, err);
}

static int judge_token(struct broker *b, const struct request *q, const struct instance *i, time_t now, struct tst_error **err)
{
    uint8_t hash[TST_SHA256_BYTES];
    int r = tst_sha256(q->token, sizeof q->token, hash, err);
    if (r)
        return r;
    if (!i->has_token || !tst_equal(hash, i->token_hash, sizeof hash)) {
        r = token_is_foreign(b, hash, err);
        if (r < 0)
            return r;
        return refuse(err, r ? "token-foreign" : "token-unknown",
                      r ? "token: was made for another instance" : "token: this broker did not make it", NULL, NULL,
                      "re-arm the instance to get a new token");
    }
    if (now >= (time_t)i->token_until)
        return refuse(err, "token-expired", "token: expired", NULL, NULL, "re-arm the instance to get a new token");
    return 0;
}

static int judge_proof(struct broker *b, const struct request *q, const struct instance *i, time_t now, struct finding *f,
                       struct tst_error **err)
{
    if (i->policy)
        return judge_evidence(b, q, i, now, f, err);
    if (q->report)
        return refuse(err, "token-missing", "this realm is joined by token", "a token or a signature", "evidence", NULL);
    int r = q->has_signature ? judge_signature(q, i, err) : judge_token(b, q, i, now, err);
    if (r)
        return r;
    f->verdict_json = json_pack("{s:s,s:s,s:b}", "outcome", "pass", "level", i->realm_level, "simulated", 0);
    return f->verdict_json ? digest_verdict(f, err) : tst_fail(err, TST_INTERNAL, "out of memory");
}

/* ---- identity ---- */

static int identity_text(const struct request *q, struct finding *f, struct tst_error **err)
{
    TST_AUTO_JSON j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "instance", q->instance, "launch-digest", f->launch_digest,
                                "chip-id", f->chip_id, "report-id", f->report_id, "tee-pubkey", q->tee_text, "sig-pubkey",
                                q->sig_text, "wg-pubkey", q->wg_pubkey);
    return j ? tst_jcs(j, &f->identity, NULL, err) : tst_fail(err, TST_INTERNAL, "out of memory");
}

/* Names what a second claimant of a name has otherwise: "launch-digest, report-id". */
static void name_differences(const char *pinned_text, const char *claimed_text, char out[160])
{
    TST_AUTO_JSON pinned = json_loads(pinned_text, 0, NULL);
    TST_AUTO_JSON claimed = json_loads(claimed_text, 0, NULL);
    const char *key;
    json_t *value;
    size_t n = 0;
    out[0] = '\0';
    json_object_foreach(claimed, key, value) {
        if (json_equal(value, json_object_get(pinned, key)) || n >= 150)
            continue;
        n += (size_t)snprintf(out + n, 160 - n, "%s%s", n ? ", another " : "another ", key);
    }
}

static int check_identity(const struct request *q, const struct instance *i, struct finding *f, struct tst_error **err)
{
    char differences[160];
    int r = identity_text(q, f, err);
    if (r)
        return r;
    if (!i->identity || strcmp(i->identity, f->identity) == 0)
        return 0;
    name_differences(i->identity, f->identity, differences);
    if (q->has_token)
        return refuse(err, "token-used", "token: was used by another node", "the keys that it was first used with", differences,
                      "if the node was started anew, the operator re-arms it; otherwise somebody has its token");
    return refuse(err, "taken", "identity: the name belongs to another node or launch",
                  "the chip, launch, digest and keys that were admitted first", differences,
                  "if the node was started anew, the operator re-arms it; otherwise somebody plays this node");
}

static int check_standing(const struct broker *b, const struct request *q, const struct instance *i, struct tst_error **err)
{
    if (strcmp(q->broker_id, b->id.broker_id) != 0)
        return refuse(err, "wrong-broker", "runtime-data is meant for another broker", b->id.broker_id, q->broker_id, NULL);
    if (i->revoked)
        return refuse(err, "revoked", "instance was revoked by the owner", NULL, NULL, NULL);
    if (!i->expected)
        return refuse(err, "unexpected", "instance is in the plan but not armed", NULL, NULL, "the operator says expect");
    return 0;
}

/* Every rule between the request and an admission, in order. */
static int decide(struct broker *b, const struct request *q, time_t now, struct instance *i, struct finding *f,
                  struct tst_error **err)
{
    int r = instance_load(b, q->instance, i, err);
    if (r || (r = check_standing(b, q, i, err)) || (r = judge_proof(b, q, i, now, f, err)))
        return r;
    return check_identity(q, i, f, err);
}

/* ---- what is written and answered ---- */

static int record(struct broker *b, const struct request *q, const char *verb, const char *reason, const struct finding *f,
                  time_t now, struct log_head *head, struct tst_error **err)
{
    char actor[80];
    snprintf(actor, sizeof actor, "node:%s", q->instance);
    struct log_entry e = { .actor = actor, .verb = verb, .subject = q->instance, .verdict_digest = f->verdict_digest, .reason = reason };
    int r = broker_log(b, now, &e, head, err);
    if (r || !f->verdict_json)
        return r;
    TST_AUTO_STR text = NULL;
    r = tst_jcs(f->verdict_json, &text, NULL, err);
    return r ? r : db_run(b->db, err, "INSERT INTO verdict(idx, json) VALUES (?,?)", "it", head->index, text);
}

/* Writes the refusal in a transaction of its own; *err (the refusal) is kept unless the log itself fails. */
static int record_refusal(struct broker *b, const struct request *q, const struct finding *f, time_t now, struct tst_error **err)
{
    TST_AUTO_ERROR failure = NULL;
    struct log_head head;
    struct tst_error *why = *err;
    TST_AUTO_STR reason = tst_strdup_printf("%s: %s%s%s", why->reason ? why->reason : "malformed", why->text,
                                            why->found ? "; found " : "", why->found ? why->found : "");
    int r = reason ? db_begin(b->db, &failure) : -TST_INTERNAL;
    if (!r)
        r = record(b, q, "refuse", reason, f, now, &head, &failure);
    if (!r)
        r = db_run(b->db, &failure, "UPDATE instance SET refusal = ?, refused_at = ? WHERE name = ?", "tit", reason, (int64_t)now,
                   q->instance);
    if (!r)
        r = db_commit(b->db, &failure);
    b->refused++;
    if (!r)
        return -(int)why->code;
    db_rollback(b->db);
    tst_error_free(*err);
    *err = TST_STEAL(failure);
    return r;
}

static int pin(struct broker *b, const struct request *q, const struct instance *i, const struct finding *f, time_t now,
               int64_t log_index, struct tst_error **err)
{
    const struct tst_verdict *v = f->verdict;
    return db_run(b->db, err,
                  "UPDATE instance SET identity = ?, sig_key = ?, launch_digest = NULLIF(?, ''), chip_id = NULLIF(?, ''),"
                  " report_id = NULLIF(?, ''), level = ?, simulated = ?, reference = ?, acpi = ?, last_good = ?,"
                  " lease_until = ?, log_index = ?, refusal = NULL, refused_at = NULL WHERE name = ?",
                  "ttttttitiiiit", f->identity, q->sig_text, f->launch_digest, f->chip_id, f->report_id,
                  v ? tst_level_name(v->level) : i->realm_level, (int64_t)(v && v->simulated), v ? v->reference : NULL,
                  (int64_t)(v ? v->acpi : -1), (int64_t)now, (int64_t)now + b->limits.lease_s, log_index, q->instance);
}

static int lease_json(const struct broker *b, time_t now, json_t **out, struct tst_error **err)
{
    char until[TST_TIME_BYTES];
    tst_time_print(now + (time_t)b->limits.lease_s, until);
    *out = json_pack("{s:s,s:i}", "until", until, "renew-after-s", (int)(b->limits.lease_s / 3));
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int realm_files_json(struct broker *b, const char *realm, json_t **out, struct tst_error **err)
{
    AUTO_STMT s = NULL;
    TST_AUTO_JSON files = json_object();
    int r = db_prepare(b->db, &s, err, "SELECT name, content FROM realm_file WHERE realm = ?", "t", realm);
    if (r)
        return r;
    while ((r = db_step(b->db, s, err)) > 0)
        if (json_object_set_new(files, db_text(s, 0), json_string(db_text(s, 1))))
            return tst_fail(err, TST_INTERNAL, "realm %s: files: out of memory", realm);
    if (!r)
        *out = TST_STEAL(files);
    return r;
}

/* The secret bundle of docs/protocol.md, encrypted to the attested key. jansson's memory is wiped when released
 * (process_harden). */
static int bundle_encrypt(const struct request *q, const struct instance *i, json_t *files, json_t *lease, int64_t epoch,
                          const struct tst_secret *key, json_t **jwe, struct tst_error **err)
{
    char *key_text = tst_b64url(tst_secret_view(key), tst_secret_size(key));
    TST_AUTO_JSON bundle = json_pack("{s:s,s:{s:s,s:{s:s,s:I,s:s},s:O},s:[],s:O}", "role", i->role, "realm", "name", i->realm,
                                     "secret", "type", "munge", "epoch", (json_int_t)epoch, "bytes", key_text ? key_text : "",
                                     "files", files, "peers", "lease", lease);
    char *text = bundle && key_text ? json_dumps(bundle, JSON_COMPACT) : NULL;
    int r = text ? tst_jwe_encrypt(q->tee_key, text, strlen(text), jwe, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (key_text)
        tst_wipe(key_text, strlen(key_text));
    if (text)
        tst_wipe(text, strlen(text));
    free(key_text);
    free(text);
    return r;
}

static int make_bundle(struct broker *b, const struct request *q, const struct instance *i, time_t now, json_t **jwe,
                       struct tst_error **err)
{
    TST_AUTO_SECRET key = NULL;
    TST_AUTO_JSON files = NULL;
    TST_AUTO_JSON lease = NULL;
    int64_t epoch = 0;
    int r = vault_open_realm_key(b, i->realm, &epoch, &key, err);
    if (r || (r = realm_files_json(b, i->realm, &files, err)) || (r = lease_json(b, now, &lease, err)))
        return r;
    return bundle_encrypt(q, i, files, lease, epoch, key, jwe, err);
}

/* Inside the transaction: log row, registry, and the encrypted bundle (join only). A row of an admission names the rules that
 * only warned. */
static int admit(struct broker *b, const struct request *q, const struct instance *i, const struct finding *f, bool renewal,
                 time_t now, struct log_head *head, json_t **jwe, struct tst_error **err)
{
    TST_AUTO_STR warnings = f->verdict ? tst_verdict_warnings(f->verdict) : strdup("");
    TST_AUTO_STR reason = warnings && *warnings ? tst_strdup_printf("WARN %s", warnings) : TST_STEAL(warnings);
    if (!reason)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int r = record(b, q, renewal ? "renew" : "admit", reason, f, now, head, err);
    if (!r)
        r = pin(b, q, i, f, now, head->index, err);
    if (!r && !renewal)
        r = make_bundle(b, q, i, now, jwe, err);
    return r ? r : db_commit(b->db, err);
}

static int answer_json(const struct broker *b, json_t *jwe, const struct finding *f, const struct log_head *head, time_t now,
                       json_t **answer, struct tst_error **err)
{
    TST_AUTO_JSON log = NULL;
    TST_AUTO_JSON lease = NULL;
    int r = log_head_json(head, &log, err);
    if (r || (r = lease_json(b, now, &lease, err)))
        return r;
    *answer = jwe ? json_pack("{s:O,s:O,s:O}", "jwe", jwe, "verdict", f->verdict_json, "log", log)
                  : json_pack("{s:O,s:O,s:O}", "lease", lease, "verdict", f->verdict_json, "log", log);
    return *answer ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int decide_and_admit(struct broker *b, const struct request *q, bool renewal, time_t now, json_t **answer,
                            struct tst_error **err)
{
    AUTO_INSTANCE i = { 0 };
    AUTO_FINDING f = { 0 };
    TST_AUTO_JSON jwe = NULL;
    struct log_head head;
    int r = decide(b, q, now, &i, &f, err);
    if (!r && renewal && (!i.identity || i.lease_until <= (int64_t)now))
        r = refuse(err, "lease-expired", "lease: ran out before this renewal", NULL, NULL, "join again");
    if (r == -TST_INTERNAL)
        return r;
    if (r)
        return record_refusal(b, q, &f, now, err);
    if ((r = db_begin(b->db, err)))
        return r;
    if ((r = admit(b, q, &i, &f, renewal, now, &head, &jwe, err))) {
        db_rollback(b->db);
        return r;
    }
    *(renewal ? &b->renewed : &b->admitted) += 1;
    return answer_json(b, jwe, &f, &head, now, answer, err);
}

static int node_request(struct broker *b, json_t *body, const char *purpose, bool renewal, time_t now, json_t **answer,
                        struct tst_error **err)
{
    AUTO_REQUEST q = { 0 };
    struct finding none = { 0 };
    int r = read_request(body, &q, err);
    if (r)
        return r;
    if (strcmp(q.purpose, purpose) != 0)
        return tst_fail(err, TST_USAGE, "runtime-data: purpose '%.16s' does not belong to this route, want %s", q.purpose, purpose);
    if (nonce_burn(b->nonces, q.nonce, q.instance, purpose, now, err))
        return record_refusal(b, &q, &none, now, err);
    return decide_and_admit(b, &q, renewal, now, answer, err);
}

int node_join(struct broker *b, json_t *body, time_t now, json_t **answer, struct tst_error **err)
{
    return node_request(b, body, "join", false, now, answer, err);
}

int node_lease(struct broker *b, json_t *body, time_t now, json_t **answer, struct tst_error **err)
{
    return node_request(b, body, "lease", true, now, answer, err);
}

int node_challenge(struct broker *b, json_t *body, time_t now, json_t **answer, struct tst_error **err)
{
    const char *instance, *purpose;
    uint8_t nonce[NONCE_BYTES];
    int r = tst_json_unpack(body, err, "{s:s,s:s}", "instance", &instance, "purpose", &purpose);
    if (r)
        return r;
    if (!tst_is_name(instance) || (strcmp(purpose, "join") != 0 && strcmp(purpose, "lease") != 0))
        return tst_fail(err, TST_USAGE, "challenge: want an instance name and purpose join or lease");
    if ((r = nonce_issue(b->nonces, instance, purpose, now, b->limits.nonce_s, nonce, err)))
        return r;
    *answer = json_pack("{s:s,s:i}", "broker-id", b->id.broker_id, "expires-s", (int)b->limits.nonce_s);
    return *answer ? tst_json_set_b64(*answer, "nonce", nonce, sizeof nonce, err) : tst_fail(err, TST_INTERNAL, "out of memory");
}
