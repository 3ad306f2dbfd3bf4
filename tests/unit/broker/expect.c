/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/broker/expect.c - see expect.h. */
#include "tests/unit/broker/expect.h"

#include <testudo/token.h>

int harness_setup(void **state)
{
    struct harness *h = malloc(sizeof *h);
    harness_open(h);
    harness_arm(h, "s1", NULL);
    harness_arm(h, "s2", NULL);
    harness_arm(h, "a1", NULL);
    *state = h;
    return 0;
}

int harness_teardown(void **state)
{
    harness_close(*state);
    free(*state);
    return 0;
}

void expect_log_verifies(struct harness *h)
{
    struct log_head head;
    struct tst_error *err = NULL;
    assert_done(log_verify(h->broker.db, h->broker.id.log_key, NULL, &head, &err), err);
}

/* The newest row is `verb` by and about `instance`; its reason starts with `reason`. Returns its index. */
static int64_t expect_last_row(struct harness *h, const char *verb, const char *instance, const char *reason)
{
    AUTO_STMT s = NULL;
    struct tst_error *err = NULL;
    char actor[80];
    snprintf(actor, sizeof actor, "node:%s", instance);
    assert_done(db_prepare(h->broker.db, &s, &err, "SELECT verb, actor, subject, reason, idx FROM log ORDER BY idx DESC LIMIT 1",
                           ""), err);
    assert_int_equal(db_step(h->broker.db, s, &err), 1);
    assert_string_equal(db_text(s, 0), verb);
    assert_string_equal(db_text(s, 1), actor);
    assert_string_equal(db_text(s, 2), instance);
    if (strncmp(db_text(s, 3), reason, strlen(reason)) != 0 || db_text(s, 3)[strlen(reason)] != (reason[0] ? ':' : '\0'))
        fail_msg("log row says \"%s\", not \"%s: ...\"", db_text(s, 3), reason);
    return sqlite3_column_int64(s, 4);
}

static int64_t rows_of(struct harness *h, const char *verb)
{
    char sql[96];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM log WHERE verb = '%s'", verb);
    return query_number(h->broker.db, sql);
}

void expect_body_refused(struct harness *h, const char *purpose, const char *instance, json_t *body, time_t at,
                         const char *reason)
{
    struct tst_error *err = NULL;
    json_t *answer = NULL;
    int64_t admitted = rows_of(h, "admit"), refused = rows_of(h, "refuse");
    if (body_send(h, purpose, body, at, &answer, &err) == 0)
        fail_msg("it was not refused");
    assert_null(answer);
    assert_non_null(err);
    if (!err->reason || strcmp(err->reason, reason) != 0)
        fail_msg("refused as \"%s\" (%s), not \"%s\"", err->reason ? err->reason : "", err->text, reason);
    assert_int_equal(tst_http_status(err->code), 403);
    assert_int_equal(rows_of(h, "admit"), admitted);
    assert_int_equal(rows_of(h, "refuse"), refused + 1);
    expect_last_row(h, "refuse", instance, reason);
    expect_log_verifies(h);
    tst_error_free(err);
}

void expect_refused(struct harness *h, const struct attempt *a, const char *reason)
{
    TST_AUTO_JSON body = attempt_body(a);
    expect_body_refused(h, a->purpose, a->instance, body, a->at, reason);
}

/* {"index","head",...} of the answer is the newest row. */
static void expect_head(struct harness *h, json_t *answer, int64_t index)
{
    struct log_head head;
    struct tst_error *err = NULL;
    char hex[2 * TST_SHA256_BYTES + 1];
    json_t *log = json_object_get(answer, "log");
    assert_done(log_read_head(h->broker.db, &head, &err), err);
    tst_hex(head.hash, sizeof head.hash, hex);
    assert_int_equal(head.index, index);
    assert_int_equal(json_integer_value(json_object_get(log, "index")), index);
    assert_string_equal(json_string_value(json_object_get(log, "head")), hex);
}

static void open_bundle(json_t *jwe, const struct tst_key *opens_with, struct tst_secret **key)
{
    TST_AUTO_SECRET plain = NULL;
    TST_AUTO_JSON bundle = NULL;
    struct tst_error *err = NULL;
    uint8_t *bytes = NULL;
    const char *text;
    size_t n;
    assert_done(tst_jwe_decrypt(opens_with, jwe, &plain, &err), err);
    assert_done(tst_json_parse((const char *)tst_secret_view(plain), tst_secret_size(plain), TST_JWE_MAX_BYTES, &bundle, &err), err);
    text = json_string_value(json_object_get(json_object_get(json_object_get(bundle, "realm"), "secret"), "bytes"));
    assert_non_null(text);
    assert_done(tst_unb64url(text, REALM_KEY_BYTES, &bytes, &n, &err), err);
    assert_int_equal(n, REALM_KEY_BYTES);
    assert_done(tst_secret_from(bytes, n, key, &err), err);
    free(bytes);
}

void expect_admitted(struct harness *h, const struct attempt *a, const struct tst_key *opens_with, struct tst_secret **key)
{
    struct tst_error *err = NULL;
    TST_AUTO_JSON answer = NULL;
    assert_done(attempt_send(h, a, &answer, &err), err);
    expect_head(h, answer, expect_last_row(h, "admit", a->instance, ""));
    expect_log_verifies(h);
    if (key)
        open_bundle(json_object_get(answer, "jwe"), opens_with, key);
}

void expect_joined(struct harness *h, const struct node *n, struct tst_secret **key)
{
    struct attempt a;
    attempt_begin(h, n, "join", &a);
    expect_admitted(h, &a, n->tee_key, key);
}

int64_t expect_renewed(struct harness *h, const struct node *n)
{
    struct attempt a;
    struct tst_error *err = NULL;
    TST_AUTO_JSON answer = NULL;
    AUTO_INSTANCE i = { 0 };
    attempt_begin(h, n, "lease", &a);
    assert_done(attempt_send(h, &a, &answer, &err), err);
    assert_null(json_object_get(answer, "jwe"));
    expect_head(h, answer, expect_last_row(h, "renew", n->instance, ""));
    expect_log_verifies(h);
    assert_done(instance_load(&h->broker, n->instance, &i, &err), err);
    return i.lease_until;
}

void expect_same_key(const struct tst_secret *a, const struct tst_secret *b)
{
    assert_int_equal(tst_secret_size(a), tst_secret_size(b));
    assert_memory_equal(tst_secret_view(a), tst_secret_view(b), tst_secret_size(a));
}
