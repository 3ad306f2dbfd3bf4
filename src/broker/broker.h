/* SPDX-License-Identifier: Apache-2.0 */
/* broker/broker.h - testudod's core: one struct, its verbs. No network here (see http.c) and no clock but `now`.
 * Every verb runs in one transaction that is committed before the answer exists. */
#ifndef TESTUDO_BROKER_H
#define TESTUDO_BROKER_H

#include <testudo/appraise.h>
#include <testudo/crypto.h>

#include "broker/db.h"
#include "broker/log.h"

#define NONCE_BYTES 32
#define TOKEN_BYTES 32
#define REALM_KEY_BYTES 1024 /* munge: at most 1024 bytes */
#define PLAN_MAX_BYTES (1024 * 1024)

/* What the owner may set when the broker starts; the defaults are the protocol's. */
struct broker_limits {
    unsigned nonce_s;  /* 60 */
    unsigned lease_s;  /* 600 */
    unsigned token_s;  /* 600 */
};

/* The broker's key material below STATE/broker (identity.c). */
struct broker_identity {
    struct tst_key *ca_key, *leaf_key, *log_key;
    struct tst_cert *ca, *leaf;
    struct tst_secret *wrap_key; /* wraps realm keys; never in the database */
    char broker_id[2 * TST_SHA256_BYTES + 1]; /* hex SHA-256 of the CA's SPKI */
    char address[64];            /* "10.77.0.1:8443" */
};
int identity_make(const char *state, const char *address, struct tst_error **err); /* idempotent */
int identity_load(const char *state, struct broker_identity *out, struct tst_error **err);
/* The public half of the log key alone, for `testudo log verify`. */
int identity_load_log_key(const char *state, struct tst_key **out, struct tst_error **err);
void identity_clear(struct broker_identity *id);

struct nonce_table; /* nonce.c */
struct broker {
    struct broker_identity id;
    struct broker_limits limits;
    sqlite3 *db;
    struct nonce_table *nonces;
    int64_t admitted, refused, renewed; /* since start, for /metrics */
};
int broker_open(const char *state, const struct broker_limits *limits, struct broker *b, struct tst_error **err);
void broker_close(struct broker *b);

/* ---- nonces: in memory, so a restart forgets them all and none can be used twice ---- */
int nonce_table_new(struct nonce_table **out, struct tst_error **err);
void nonce_table_free(struct nonce_table *t);
int nonce_issue(struct nonce_table *t, const char *instance, const char *purpose, time_t now, unsigned life_s,
                uint8_t out[NONCE_BYTES], struct tst_error **err);
/* Burns the nonce whatever the outcome. Reasons: nonce-unknown, nonce-used, nonce-expired, nonce-foreign. */
int nonce_burn(struct nonce_table *t, const uint8_t nonce[NONCE_BYTES], const char *instance, const char *purpose,
               time_t now, struct tst_error **err);

/* ---- realm secrets (vault.c) ---- */
int vault_new_realm_key(struct broker *b, const char *realm, const char *level, const char *policy, struct tst_error **err);
int vault_open_realm_key(struct broker *b, const char *realm, int64_t *epoch, struct tst_secret **out,
                         struct tst_error **err);

/* ---- instances (registry.c) ---- */
struct instance {
    char name[64], realm[64], role[16], address[64];
    bool expected, revoked;
    bool has_token;
    uint8_t token_hash[TST_SHA256_BYTES];
    int64_t token_until;
    char *identity; /* canonical JSON of what was pinned; NULL before the first admission */
    char *sig_key;  /* canonical JWK of the pinned lease key */
    char realm_level[16];
    char *policy;   /* JSON; NULL for a realm without one */
    int64_t lease_until;
};
void instance_clear(struct instance *i);
#define AUTO_INSTANCE __attribute__((cleanup(instance_clear))) struct instance
/* TST_DENIED with reason `unexpected` if the plan has no such instance. */
int instance_load(struct broker *b, const char *name, struct instance *out, struct tst_error **err);
/* {"nodes":[...]} as docs/internals.md lists it. */
int registry_nodes_json(struct broker *b, time_t now, json_t **out, struct tst_error **err);

/* ---- owner's and operator's verbs (verbs.c); actor is "owner:uid=0" ---- */
int verb_plan(struct broker *b, const char *actor, json_t *plan, time_t now, json_t **answer, struct tst_error **err);
int verb_expect(struct broker *b, const char *actor, json_t *body, time_t now, json_t **answer, struct tst_error **err);
int verb_rearm(struct broker *b, const char *actor, json_t *body, time_t now, json_t **answer, struct tst_error **err);
int verb_revoke(struct broker *b, const char *actor, json_t *body, time_t now, json_t **answer, struct tst_error **err);

/* ---- nodes' verbs (join.c) ---- */
int node_challenge(struct broker *b, json_t *body, time_t now, json_t **answer, struct tst_error **err);
int node_join(struct broker *b, json_t *body, time_t now, json_t **answer, struct tst_error **err);
int node_lease(struct broker *b, json_t *body, time_t now, json_t **answer, struct tst_error **err);

/* Appends to the log inside the open transaction. */
int broker_log(struct broker *b, time_t now, const struct log_entry *e, struct log_head *head, struct tst_error **err);

#endif
