/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/broker/attempt.h - a node as the broker sees it, and one request of it. attempt_begin fills in an honest
 * request; a test changes the one member that it is about and sends it. */
#ifndef TESTS_BROKER_ATTEMPT_H
#define TESTS_BROKER_ATTEMPT_H

#include "sim/report.h"
#include "tests/unit/broker/harness.h"

struct node {
    const char *instance;
    const struct amd_root *root; /* NULL: a plain node, as chip is */
    const struct amd_chip *chip;
    struct tst_key *tee_key, *sig_key;
    uint8_t report_id[TST_SNP_REPORT_ID_BYTES];
    char token[64]; /* plain node; "" once it signs */
};
/* A new launch: new keys, a new REPORT_ID. chip NULL: a plain node. */
void node_launch(struct node *n, const char *instance, const struct amd_root *root, const struct amd_chip *chip);
void node_clear(struct node *n);
#define AUTO_NODE __attribute__((cleanup(node_clear))) struct node

/* The report that an honest guest of this node gets, and the certificate table that comes with it. */
struct sim_report node_report(const struct node *n);

enum proof { PROOF_EVIDENCE, PROOF_TOKEN, PROOF_SIGNATURE };
struct attempt {
    /* runtime data */
    const char *broker_id, *instance, *purpose;
    char nonce[64];
    const struct tst_key *tee_key, *sig_key;
    const struct tst_key *tee_key_sent; /* another one than was attested; NULL = tee_key */
    /* proof */
    enum proof proof;
    struct sim_report report;         /* report_data is filled in when the body is made */
    const struct tst_key *signer;     /* of the report */
    const struct amd_root *root;      /* whose certificates are sent */
    const struct amd_chip *vcek_of;
    char token[64];
    const struct tst_key *token_signer; /* PROOF_SIGNATURE */
    time_t at; /* when it arrives */
};
/* Takes a nonce now; purpose is "join" or "lease". */
void attempt_begin(struct harness *h, const struct node *n, const char *purpose, struct attempt *a);
/* A nonce of the harness's broker. */
void take_nonce(struct harness *h, const char *instance, const char *purpose, char out[64]);
/* The request's JSON; new reference. */
json_t *attempt_body(const struct attempt *a);
int attempt_send(struct harness *h, const struct attempt *a, json_t **answer, struct tst_error **err);
/* A body that is already there. */
int body_send(struct harness *h, const char *purpose, json_t *body, time_t at, json_t **answer, struct tst_error **err);

#endif
