/* SPDX-License-Identifier: Apache-2.0 */
/* broker/log.h - the hash-chained decision log. Each row names the SHA-256 of the one before; the head (last index and
 * hash) is signed at each commit, so a cut tail, an edited, removed or swapped row shows. */
#ifndef TESTUDO_BROKER_LOG_H
#define TESTUDO_BROKER_LOG_H

#include <testudo/crypto.h>

#include "broker/db.h"

struct log_entry {
    const char *actor;   /* "node:s1", "owner:uid=0", "broker" */
    const char *verb;    /* "admit", "refuse", "renew", "plan", "expect", ... */
    const char *subject; /* instance, realm, ... */
    const char *verdict_digest; /* hex SHA-256 of the verdict's canonical JSON; "" if none */
    const char *reason;  /* "" when admitted */
};
struct log_head {
    int64_t index; /* 0 = empty log */
    uint8_t hash[TST_SHA256_BYTES];
    uint8_t signature[TST_ECDSA_P256_BYTES];
};
/* Appends a row and signs the new head; inside the caller's transaction. */
int log_append(sqlite3 *db, const struct tst_key *signer, time_t now, const struct log_entry *e, struct log_head *head,
               struct tst_error **err);
int log_read_head(sqlite3 *db, struct log_head *head, struct tst_error **err);
/* {"index","head","signature"}. */
int log_head_json(const struct log_head *head, json_t **out, struct tst_error **err);
/* Rows from index `from` on, at most `max`; each {"index","time","actor","verb","subject","verdict-digest","reason",
 * "prev","hash"}. */
int log_rows_json(sqlite3 *db, int64_t from, int64_t max, json_t **out, struct tst_error **err);
/* Walks the whole log. anchor: hex hash of a head seen earlier, which must be the hash of some row (NULL = none).
 * -TST_REFUTED names the row and what is wrong with it. */
int log_verify(sqlite3 *db, const struct tst_key *signer, const char *anchor, struct log_head *head,
               struct tst_error **err);

#endif
