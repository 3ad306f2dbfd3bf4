/* SPDX-License-Identifier: Apache-2.0 */
/* broker/log.c - append, read and verify the decision log. Row hash = SHA-256 of the row's RFC 8785 form without "hash";
 * head signature = ECDSA P-256 over "testudo-log-v1" | index (8 bytes, big-endian) | hash. */
#include "broker/log.h"

#include <inttypes.h>

#include <testudo/token.h>

#define HEAD_DOMAIN "testudo-log-v1"
enum { HEAD_MESSAGE_BYTES = sizeof HEAD_DOMAIN - 1 + 8 + TST_SHA256_BYTES };

static void head_message(const struct log_head *h, uint8_t out[HEAD_MESSAGE_BYTES])
{
    memcpy(out, HEAD_DOMAIN, sizeof HEAD_DOMAIN - 1);
    uint8_t *p = out + sizeof HEAD_DOMAIN - 1;
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)((uint64_t)h->index >> (56 - 8 * i));
    memcpy(p + 8, h->hash, TST_SHA256_BYTES);
}

static int row_json(int64_t index, const char *time_text, const struct log_entry *e, const uint8_t *prev, json_t **out,
                    struct tst_error **err)
{
    char prev_hex[2 * TST_SHA256_BYTES + 1];
    tst_hex(prev, TST_SHA256_BYTES, prev_hex);
    *out = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "index", (json_int_t)index, "time", time_text, "actor",
                     e->actor, "verb", e->verb, "subject", e->subject, "verdict-digest", e->verdict_digest, "reason",
                     e->reason, "prev", prev_hex);
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "log row %" PRId64 ": cannot be written as JSON", index);
}

static int row_hash(const json_t *row, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n;
    int r = tst_jcs(row, &text, &n, err);
    return r ? r : tst_sha256(text, n, out, err);
}

int log_read_head(sqlite3 *db, struct log_head *head, struct tst_error **err)
{
    AUTO_STMT s = NULL;
    memset(head, 0, sizeof *head);
    int r = db_prepare(db, &s, err, "SELECT idx, hash, signature FROM head WHERE id = 1", "");
    if (r || (r = db_step(db, s, err)) <= 0)
        return r;
    struct tst_bytes hash = db_blob(s, 1), signature = db_blob(s, 2);
    if (hash.n != sizeof head->hash || signature.n != sizeof head->signature)
        return tst_fail(err, TST_REFUTED, "log head: fields have the wrong size");
    head->index = sqlite3_column_int64(s, 0);
    memcpy(head->hash, hash.p, hash.n);
    memcpy(head->signature, signature.p, signature.n);
    return 0;
}

int log_append(sqlite3 *db, const struct tst_key *signer, time_t now, const struct log_entry *e, struct log_head *head,
               struct tst_error **err)
{
    struct log_head before, after;
    char time_text[TST_TIME_BYTES];
    TST_AUTO_JSON row = NULL;
    uint8_t message[HEAD_MESSAGE_BYTES];
    int r = log_read_head(db, &before, err);
    if (r)
        return r;
    after.index = before.index + 1;
    tst_time_print(now, time_text);
    if ((r = row_json(after.index, time_text, e, before.hash, &row, err)) || (r = row_hash(row, after.hash, err)))
        return r;
    head_message(&after, message);
    if ((r = tst_ecdsa_sign(signer, message, sizeof message, after.signature, err)))
        return tst_wrap(err, "log head");
    r = db_run(db, err,
               "INSERT INTO log(idx, time, actor, verb, subject, verdict_digest, reason, prev, hash)"
               " VALUES (?,?,?,?,?,?,?,?,?)",
               "ittttttbb", after.index, time_text, e->actor, e->verb, e->subject, e->verdict_digest, e->reason,
               before.hash, sizeof before.hash, after.hash, sizeof after.hash);
    if (!r)
        r = db_run(db, err, "INSERT OR REPLACE INTO head(id, idx, hash, signature) VALUES (1,?,?,?)", "ibb", after.index,
                   after.hash, sizeof after.hash, after.signature, sizeof after.signature);
    if (!r)
        *head = after;
    return r;
}

int log_head_json(const struct log_head *head, json_t **out, struct tst_error **err)
{
    TST_AUTO_JSON j = json_pack("{s:I}", "index", (json_int_t)head->index);
    if (!j)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int r = tst_json_set_hex(j, "head", head->hash, sizeof head->hash, err);
    if (!r)
        r = tst_json_set_b64(j, "signature", head->signature, sizeof head->signature, err);
    if (!r)
        *out = TST_STEAL(j);
    return r;
}

#define ROW_COLUMNS "idx, time, actor, verb, subject, verdict_digest, reason, prev, hash"

/* The row under the statement, without its hash. */
static int row_of_statement(sqlite3_stmt *s, json_t **out, struct tst_error **err)
{
    int64_t index = sqlite3_column_int64(s, 0);
    struct log_entry e = { .actor = db_text(s, 2), .verb = db_text(s, 3), .subject = db_text(s, 4),
                           .verdict_digest = db_text(s, 5), .reason = db_text(s, 6) };
    struct tst_bytes prev = db_blob(s, 7), hash = db_blob(s, 8);
    if (prev.n != TST_SHA256_BYTES || hash.n != TST_SHA256_BYTES)
        return tst_fail(err, TST_REFUTED, "log row %" PRId64 ": a hash has the wrong size", index);
    return row_json(index, db_text(s, 1), &e, prev.p, out, err);
}

int log_rows_json(sqlite3 *db, int64_t from, int64_t max, json_t **out, struct tst_error **err)
{
    AUTO_STMT s = NULL;
    TST_AUTO_JSON rows = json_array();
    int r = db_prepare(db, &s, err, "SELECT " ROW_COLUMNS " FROM log WHERE idx >= ? ORDER BY idx LIMIT ?", "ii", from,
                       max);
    if (r || !rows)
        return r ? r : tst_fail(err, TST_INTERNAL, "out of memory");
    while ((r = db_step(db, s, err)) > 0) {
        json_t *row = NULL;
        struct tst_bytes hash = db_blob(s, 8);
        if ((r = row_of_statement(s, &row, err)))
            return r;
        r = tst_json_set_hex(row, "hash", hash.p, hash.n, err);
        if (json_array_append_new(rows, row) || r)
            return r ? r : tst_fail(err, TST_INTERNAL, "out of memory");
    }
    if (!r)
        *out = TST_STEAL(rows);
    return r;
}

/* Checks the row under the statement against the one before it and moves *last on. */
static int verify_row(sqlite3_stmt *s, struct log_head *last, struct tst_error **err)
{
    TST_AUTO_JSON row = NULL;
    uint8_t hash[TST_SHA256_BYTES];
    int64_t index = sqlite3_column_int64(s, 0);
    if (index != last->index + 1)
        return tst_fail(err, TST_REFUTED, "log row %" PRId64 " is missing: row %" PRId64 " follows row %" PRId64,
                        last->index + 1, index, last->index);
    int r = row_of_statement(s, &row, err);
    if (r || (r = row_hash(row, hash, err)))
        return r;
    if (memcmp(db_blob(s, 7).p, last->hash, sizeof hash) != 0)
        return tst_fail(err, TST_REFUTED, "log row %" PRId64 ": does not follow row %" PRId64 " (removed, swapped or edited)",
                        index, last->index);
    if (memcmp(db_blob(s, 8).p, hash, sizeof hash) != 0)
        return tst_fail(err, TST_REFUTED, "log row %" PRId64 ": was edited (its hash is another one)", index);
    last->index = index;
    memcpy(last->hash, hash, sizeof hash);
    return 0;
}

static int verify_head(sqlite3 *db, const struct tst_key *signer, const struct log_head *last, struct log_head *head,
                       struct tst_error **err)
{
    uint8_t message[HEAD_MESSAGE_BYTES];
    int r = log_read_head(db, head, err);
    if (r)
        return r;
    if (head->index == 0 && last->index == 0)
        return 0;
    head_message(head, message);
    if (tst_ecdsa_verify(signer, message, sizeof message, head->signature, err))
        return tst_wrap(err, "log head (index %" PRId64 ")", head->index);
    if (head->index != last->index || memcmp(head->hash, last->hash, sizeof head->hash) != 0)
        return tst_fail(err, TST_REFUTED, "log: the signed head is row %" PRId64 ", the last row is %" PRId64 " (tail cut or added)",
                        head->index, last->index);
    return 0;
}

int log_verify(sqlite3 *db, const struct tst_key *signer, const char *anchor, struct log_head *head,
               struct tst_error **err)
{
    AUTO_STMT s = NULL;
    struct log_head last = { 0 };
    uint8_t want[TST_SHA256_BYTES] = { 0 };
    bool seen = false;
    int r = anchor ? tst_unhex(anchor, want, sizeof want, err) : 0;
    if (r)
        return tst_wrap(err, "head to look for");
    if ((r = db_prepare(db, &s, err, "SELECT " ROW_COLUMNS " FROM log ORDER BY idx", "")))
        return r;
    while ((r = db_step(db, s, err)) > 0) {
        if ((r = verify_row(s, &last, err)))
            return r;
        seen = seen || memcmp(last.hash, want, sizeof want) == 0;
    }
    if (r || (r = verify_head(db, signer, &last, head, err)))
        return r;
    if (anchor && !seen)
        return tst_fail(err, TST_REFUTED, "log: no row has the hash %s that was seen before (an older copy was restored)", anchor);
    return 0;
}
