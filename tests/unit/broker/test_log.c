/* SPDX-License-Identifier: Apache-2.0 */
/* unit/broker/test_log.c - whoever can write to the database cannot change the log unseen: cut, edited, removed, swapped
 * rows and a restored older copy are all found. */
#include "tests/unit/broker/expect.h"

enum { ROWS = 9 };

/* Nine rows: plan, three expects of the fixture, five joins of s1. */
static int log_setup(void **state)
{
    harness_setup(state);
    struct harness *h = *state;
    AUTO_NODE s1 = { 0 };
    node_launch(&s1, "s1", h->cloud.root, h->cloud.chip);
    for (int i = 0; i < 5; i++) {
        h->now++;
        expect_joined(h, &s1, NULL);
    }
    assert_int_equal(query_number(h->broker.db, "SELECT count(*) FROM log"), ROWS);
    return 0;
}

static void tamper(struct harness *h, const char *sql)
{
    TST_AUTO_ERROR err = NULL;
    if (sqlite3_exec(h->broker.db, "PRAGMA foreign_keys = OFF", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(h->broker.db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(h->broker.db));
}

static void expect_found(struct harness *h, const char *anchor, const char *part)
{
    struct log_head head;
    struct tst_error *err = NULL;
    assert_refused(log_verify(h->broker.db, h->broker.id.log_key, anchor, &head, &err), TST_REFUTED, err, part);
}

static const struct tampering {
    const char *name, *sql, *found;
} tamperings[] = {
    { "last row cut", "DELETE FROM log WHERE idx = 9", "last row is 8" },
    { "last row cut and the head put back without a signature",
      "DELETE FROM log WHERE idx = 9; UPDATE head SET idx = 8, hash = (SELECT hash FROM log WHERE idx = 8)", "log head" },
    { "all rows cut", "DELETE FROM log", "last row is 0" },
    { "head removed", "DELETE FROM head", "log head (index 0)" },
    { "first row removed", "DELETE FROM log WHERE idx = 1", "row 1 is missing" },
    { "middle row removed", "DELETE FROM log WHERE idx = 5", "row 5 is missing" },
    { "middle row removed and the rest moved up",
      "DELETE FROM log WHERE idx = 5; UPDATE log SET idx = idx - 1 WHERE idx > 5", "log row 5" },
    { "two rows swapped", "UPDATE log SET idx = 100 WHERE idx = 5; UPDATE log SET idx = 5 WHERE idx = 6;"
                          "UPDATE log SET idx = 6 WHERE idx = 100", "log row 5" },
    { "row added behind the head", "INSERT INTO log SELECT 10, time, actor, verb, subject, verdict_digest, reason, hash, hash"
                                   " FROM log WHERE idx = 9", "log row 10" },
    { "time edited", "UPDATE log SET time = '2026-06-01T00:00:00Z' WHERE idx = 6", "log row 6" },
    { "actor edited", "UPDATE log SET actor = 'node:s2' WHERE idx = 6", "log row 6" },
    { "verb edited", "UPDATE log SET verb = 'refuse' WHERE idx = 6", "log row 6" },
    { "subject edited", "UPDATE log SET subject = 's2' WHERE idx = 6", "log row 6" },
    { "verdict digest edited", "UPDATE log SET verdict_digest = '' WHERE idx = 6", "log row 6" },
    { "reason edited", "UPDATE log SET reason = 'x' WHERE idx = 6", "log row 6" },
    { "previous hash edited", "UPDATE log SET prev = zeroblob(32) WHERE idx = 6", "log row 6" },
    { "hash edited", "UPDATE log SET hash = zeroblob(32) WHERE idx = 6", "log row 6" },
    { "hash made shorter", "UPDATE log SET hash = zeroblob(31) WHERE idx = 6", "log row 6" },
    { "last row's reason edited", "UPDATE log SET reason = 'x' WHERE idx = 9", "log row 9" },
    { "head's hash edited", "UPDATE head SET hash = zeroblob(32)", "log head" },
    { "head's signature edited", "UPDATE head SET signature = zeroblob(64)", "log head" },
    { "head's index edited", "UPDATE head SET idx = 10", "log head" },
};

struct tampered {
    const struct tampering *what;
    struct harness *h;
};

static int tampering_setup(void **state)
{
    struct tampered *t = malloc(sizeof *t);
    t->what = *state;
    log_setup((void **)&t->h);
    *state = t;
    return 0;
}

static int tampering_teardown(void **state)
{
    struct tampered *t = *state;
    harness_teardown((void **)&t->h);
    free(t);
    return 0;
}

static void is_found(void **state)
{
    struct tampered *t = *state;
    expect_log_verifies(t->h);
    tamper(t->h, t->what->sql);
    expect_found(t->h, NULL, t->what->found);
}

/* ---- a copy from before ---- */

static void head_hex(struct harness *h, char out[2 * TST_SHA256_BYTES + 1])
{
    struct log_head head;
    struct tst_error *err = NULL;
    assert_done(log_read_head(h->broker.db, &head, &err), err);
    tst_hex(head.hash, sizeof head.hash, out);
}

static void restored_copy_is_found_by_a_head_seen_later(void **state)
{
    struct harness *h = *state;
    char before[2 * TST_SHA256_BYTES + 1], after[2 * TST_SHA256_BYTES + 1];
    head_hex(h, before);
    tamper(h, "CREATE TABLE old_head AS SELECT * FROM head");
    harness_arm(h, "s3", NULL);
    head_hex(h, after);
    tamper(h, "DELETE FROM log WHERE idx > 9; DELETE FROM head; INSERT INTO head SELECT * FROM old_head; DROP TABLE old_head");
    expect_log_verifies(h); /* a copy is consistent in itself */
    expect_found(h, after, "was seen before");
    struct log_head head;
    struct tst_error *err = NULL;
    assert_done(log_verify(h->broker.db, h->broker.id.log_key, before, &head, &err), err);
    assert_int_equal(head.index, ROWS);
}

static void any_earlier_head_anchors_a_longer_log(void **state)
{
    struct harness *h = *state;
    for (int64_t i = 1; i <= ROWS; i++) {
        AUTO_STMT s = NULL;
        struct log_head head;
        struct tst_error *err = NULL;
        char hex[2 * TST_SHA256_BYTES + 1];
        assert_done(db_prepare(h->broker.db, &s, &err, "SELECT hash FROM log WHERE idx = ?", "i", i), err);
        assert_int_equal(db_step(h->broker.db, s, &err), 1);
        tst_hex(db_blob(s, 0).p, TST_SHA256_BYTES, hex);
        assert_done(log_verify(h->broker.db, h->broker.id.log_key, hex, &head, &err), err);
    }
}

static void log_of_another_broker_does_not_verify(void **state)
{
    struct harness *h = *state;
    struct log_head head;
    struct tst_error *err = NULL;
    TST_AUTO_KEY other = NULL;
    assert_done(tst_key_generate(TST_KEY_P256, &other, &err), err);
    assert_refused(log_verify(h->broker.db, other, NULL, &head, &err), TST_REFUTED, err, "log head");
}

static void empty_log_verifies(void **state)
{
    (void)state;
    AUTO_DB db = NULL;
    TST_AUTO_KEY key = NULL;
    struct log_head head;
    struct tst_error *err = NULL;
    assert_done(db_open(":memory:", &db, &err), err);
    assert_done(tst_key_generate(TST_KEY_P256, &key, &err), err);
    assert_done(log_verify(db, key, NULL, &head, &err), err);
    assert_int_equal(head.index, 0);
}

/* The verdict that a row names by its digest is kept and is the one. */
static void each_verdict_has_the_digest_that_its_row_names(void **state)
{
    struct harness *h = *state;
    AUTO_STMT s = NULL;
    struct tst_error *err = NULL;
    int rows = 0;
    assert_done(db_prepare(h->broker.db, &s, &err, "SELECT verdict_digest, json FROM log JOIN verdict USING (idx)", ""), err);
    while (db_step(h->broker.db, s, &err) > 0) {
        uint8_t digest[TST_SHA256_BYTES];
        char hex[2 * TST_SHA256_BYTES + 1];
        assert_done(tst_sha256(db_text(s, 1), strlen(db_text(s, 1)), digest, &err), err);
        tst_hex(digest, sizeof digest, hex);
        assert_string_equal(hex, db_text(s, 0));
        rows++;
    }
    assert_int_equal(rows, 5);
}

int main(void)
{
    const struct CMUnitTest fixed[] = {
#define LOGGED(name) cmocka_unit_test_setup_teardown(name, log_setup, harness_teardown)
        LOGGED(restored_copy_is_found_by_a_head_seen_later), LOGGED(any_earlier_head_anchors_a_longer_log),
        LOGGED(log_of_another_broker_does_not_verify), LOGGED(each_verdict_has_the_digest_that_its_row_names),
        cmocka_unit_test(empty_log_verifies),
    };
    struct CMUnitTest tests[TST_COUNT(fixed) + TST_COUNT(tamperings)];
    memcpy(tests, fixed, sizeof fixed);
    for (size_t i = 0; i < TST_COUNT(tamperings); i++)
        tests[TST_COUNT(fixed) + i] = (struct CMUnitTest){ tamperings[i].name, is_found, tampering_setup, tampering_teardown,
                                                           (void *)(uintptr_t)&tamperings[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
