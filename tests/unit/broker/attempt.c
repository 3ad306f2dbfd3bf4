/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/broker/attempt.c - see attempt.h. */
#include "tests/unit/broker/attempt.h"

#include <testudo/token.h>

void node_launch(struct node *n, const char *instance, const struct amd_root *root, const struct amd_chip *chip)
{
    TST_AUTO_ERROR err = NULL;
    *n = (struct node){ .instance = instance, .root = root, .chip = chip };
    must(tst_key_generate(TST_KEY_P256, &n->tee_key, &err), err, "key");
    must(tst_key_generate(TST_KEY_P256, &n->sig_key, &err), err, "key");
    must(tst_random(n->report_id, sizeof n->report_id, &err), err, "random");
}

void node_clear(struct node *n)
{
    tst_key_free(n->tee_key);
    tst_key_free(n->sig_key);
}

struct sim_report node_report(const struct node *n)
{
    struct sim_report r = sim_report_of(n->chip, 3);
    memcpy(r.measurement, good_digest, sizeof r.measurement);
    memcpy(r.report_id, n->report_id, sizeof r.report_id);
    return r;
}

void take_nonce(struct harness *h, const char *instance, const char *purpose, char out[64])
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON body = json_pack("{s:s, s:s}", "instance", instance, "purpose", purpose);
    must(node_challenge(&h->broker, body, h->now, &answer, &err), err, "challenge");
    snprintf(out, 64, "%s", json_string_value(json_object_get(answer, "nonce")));
}

void attempt_begin(struct harness *h, const struct node *n, const char *purpose, struct attempt *a)
{
    *a = (struct attempt){
        .broker_id = h->broker.id.broker_id, .instance = n->instance, .purpose = purpose, .tee_key = n->tee_key,
        .sig_key = n->sig_key, .proof = n->chip ? PROOF_EVIDENCE : n->token[0] ? PROOF_TOKEN : PROOF_SIGNATURE,
        .root = n->root, .vcek_of = n->chip, .token_signer = n->sig_key, .at = h->now,
    };
    memcpy(a->token, n->token, sizeof a->token);
    if (n->chip) {
        a->report = node_report(n);
        a->signer = n->chip->vcek_key;
    }
    take_nonce(h, n->instance, purpose, a->nonce);
}

/* ---- the request ---- */

static json_t *runtime_data(const struct attempt *a)
{
    TST_AUTO_ERROR err = NULL;
    json_t *tee = NULL, *sig = NULL;
    must(tst_jwk_of(a->tee_key, NULL, &tee, &err), err, "JWK");
    must(tst_jwk_of(a->sig_key, NULL, &sig, &err), err, "JWK");
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s}", "broker-id", a->broker_id, "instance", a->instance, "nonce",
                     a->nonce, "purpose", a->purpose, "sig-pubkey", sig, "tee-pubkey", tee, "wg-pubkey", "");
}

static json_t *evidence(const struct attempt *a, json_t *rd)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_BUF table = { .max = TST_SNP_CERT_TABLE_MAX };
    struct sim_report r = a->report;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    json_t *out = json_object();
    must(tst_report_data(rd, r.report_data, &err), err, "REPORT_DATA");
    must(sim_report_sign(&r, a->signer, raw, &err), err, "report");
    must(amd_cert_table(a->root, a->vcek_of, &table, &err), err, "certificates");
    must(tst_json_set_b64(out, "snp-report", raw, sizeof raw, &err), err, "evidence");
    must(tst_json_set_b64(out, "auxblob", table.p, table.n, &err), err, "evidence");
    return out;
}

static void put_signature(const struct attempt *a, json_t *rd, json_t *body)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR text = NULL;
    uint8_t rs[TST_ECDSA_P256_BYTES];
    size_t n;
    must(tst_jcs(rd, &text, &n, &err), err, "runtime data");
    must(tst_ecdsa_sign(a->token_signer, text, n, rs, &err), err, "signature");
    must(tst_json_set_b64(body, "signature", rs, sizeof rs, &err), err, "signature");
}

json_t *attempt_body(const struct attempt *a)
{
    TST_AUTO_ERROR err = NULL;
    json_t *rd = runtime_data(a), *tee = NULL;
    json_t *body = json_pack("{s:o}", "runtime-data", rd);
    if (a->proof == PROOF_EVIDENCE)
        json_object_set_new(body, "evidence", evidence(a, rd));
    else if (a->proof == PROOF_TOKEN)
        json_object_set_new(body, "token", json_string(a->token));
    else
        put_signature(a, rd, body);
    if (a->tee_key_sent) {
        must(tst_jwk_of(a->tee_key_sent, NULL, &tee, &err), err, "JWK");
        json_object_set_new(rd, "tee-pubkey", tee);
    }
    return body;
}

int body_send(struct harness *h, const char *purpose, json_t *body, time_t at, json_t **answer, struct tst_error **err)
{
    return strcmp(purpose, "join") == 0 ? node_join(&h->broker, body, at, answer, err)
                                        : node_lease(&h->broker, body, at, answer, err);
}

int attempt_send(struct harness *h, const struct attempt *a, json_t **answer, struct tst_error **err)
{
    TST_AUTO_JSON body = attempt_body(a);
    return body_send(h, a->purpose, body, a->at, answer, err);
}
