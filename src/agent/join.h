/* SPDX-License-Identifier: Apache-2.0 */
/* agent/join.h - the node's side of docs/protocol.md "Join" and "Lease". Keys are made here and never leave memory. */
#ifndef TESTUDO_AGENT_JOIN_H
#define TESTUDO_AGENT_JOIN_H

#include "platform/evidence.h"
#include "broker/client.h"

struct joiner {
    struct broker_endpoint broker;
    char broker_id[2 * TST_SHA256_BYTES + 1];
    char instance[64];
    const struct evidence_backend *evidence; /* NULL: a plain node */
    void *evidence_ctx;
    struct tst_secret *token; /* plain node's first join; given up once admitted */
    struct tst_key *tee_key, *sig_key;
    int64_t log_index;        /* newest log head that the broker showed */
    char log_head[2 * TST_SHA256_BYTES + 1];
};
/* What an admission gives. */
struct bundle {
    json_t *document;       /* owns the texts below */
    const char *role, *realm;
    json_t *files;          /* name -> text, borrowed */
    struct tst_secret *key; /* the realm's munge key */
    int64_t epoch;
    unsigned lease_s;       /* counted from the request, on the node's own clock */
    char lease_until[32];
    char level[16];
    bool simulated;
};
void bundle_clear(struct bundle *b);

/* Makes the keys. ca_hex is the pinned SPKI SHA-256, from the measured launch data. */
int joiner_init(struct joiner *j, const char *address, const char *ca_hex, const char *instance, struct tst_error **err);
void joiner_clear(struct joiner *j);
int joiner_join(struct joiner *j, struct bundle *out, struct tst_error **err);
/* Fresh evidence (plain node: a signature) for a lease that still runs. */
int joiner_renew(struct joiner *j, unsigned *lease_s, char lease_until[32], struct tst_error **err);

#endif
