/* SPDX-License-Identifier: Apache-2.0 */
/* unit/broker/test_request.c - a body that is not a request is refused as malformed before any nonce is spent or row is
 * written, and never admits. */
#include "tests/unit/broker/expect.h"

struct scene {
    struct harness h;
    struct node s1;
    struct attempt a; /* an honest join that a case spoils */
    json_t *body;
};

static int scene_setup(void **state)
{
    struct scene *s = malloc(sizeof *s);
    harness_open(&s->h);
    harness_arm(&s->h, "s1", NULL);
    node_launch(&s->s1, "s1", s->h.cloud.root, s->h.cloud.chip);
    attempt_begin(&s->h, &s->s1, "join", &s->a);
    s->body = attempt_body(&s->a);
    *state = s;
    return 0;
}

static int scene_teardown(void **state)
{
    struct scene *s = *state;
    json_decref(s->body);
    node_clear(&s->s1);
    harness_close(&s->h);
    free(s);
    return 0;
}

/* Refused as malformed; then the honest request, with its nonce still unspent, is admitted. */
static void expect_malformed(struct scene *s, json_t *body, const char *what)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON answer = NULL;
    int64_t rows = query_number(s->h.broker.db, "SELECT count(*) FROM log");
    int r = node_join(&s->h.broker, body, s->h.now, &answer, &err);
    if (r != -TST_USAGE)
        fail_msg("%s: %d: %s", what, r, err ? err->text : "admitted");
    assert_null(answer);
    assert_int_equal(query_number(s->h.broker.db, "SELECT count(*) FROM log"), rows);
}

static void missing_or_unknown_member_is_malformed(void **state)
{
    struct scene *s = *state;
    static const char *const members[] = { "broker-id", "instance", "nonce", "purpose", "sig-pubkey", "tee-pubkey", "wg-pubkey" };
    for (size_t i = 0; i < TST_COUNT(members); i++) {
        TST_AUTO_JSON body = json_deep_copy(s->body);
        json_object_del(json_object_get(body, "runtime-data"), members[i]);
        expect_malformed(s, body, members[i]);
    }
    TST_AUTO_JSON more = json_deep_copy(s->body);
    json_object_set_new(json_object_get(more, "runtime-data"), "role", json_string("controller"));
    expect_malformed(s, more, "unknown member");
    expect_admitted(&s->h, &s->a, s->s1.tee_key, NULL);
}

static void member_of_another_type_is_malformed(void **state)
{
    struct scene *s = *state;
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(s->body, "runtime-data"), name, value) {
        TST_AUTO_JSON body = json_deep_copy(s->body);
        json_object_set_new(json_object_get(body, "runtime-data"), name, json_integer(1));
        expect_malformed(s, body, name);
    }
    json_object_foreach(s->body, name, value) {
        TST_AUTO_JSON body = json_deep_copy(s->body);
        json_object_set_new(body, name, json_null());
        expect_malformed(s, body, name);
    }
    expect_admitted(&s->h, &s->a, s->s1.tee_key, NULL);
}

/* {"member": value} that runtime data may not carry. */
static void unusable_value_is_malformed(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *member, *value;
    } values[] = {
        { "broker-id", "" },
        { "broker-id", "\033[2J of another broker, in a length and with characters that no log row needs to hold" },
        { "instance", "../s1" },
        { "instance", "S1" },
        { "nonce", "AAAA" },
        { "nonce", "not base64url !" },
        { "purpose", "lease" },
        { "purpose", "job" },
        { "wg-pubkey", "AAAA" },
    };
    for (size_t i = 0; i < TST_COUNT(values); i++) {
        TST_AUTO_JSON body = json_deep_copy(s->body);
        json_object_set_new(json_object_get(body, "runtime-data"), values[i].member, json_string(values[i].value));
        expect_malformed(s, body, values[i].member);
    }
    expect_admitted(&s->h, &s->a, s->s1.tee_key, NULL);
}

static void key_off_the_curve_is_malformed(void **state)
{
    struct scene *s = *state;
    static const char *const keys[] = { "tee-pubkey", "sig-pubkey" };
    for (size_t i = 0; i < TST_COUNT(keys); i++) {
        TST_AUTO_JSON body = json_deep_copy(s->body);
        json_t *jwk = json_object_get(json_object_get(body, "runtime-data"), keys[i]);
        json_object_set(jwk, "x", json_object_get(jwk, "y"));
        expect_malformed(s, body, keys[i]);
    }
    expect_admitted(&s->h, &s->a, s->s1.tee_key, NULL);
}

static void exactly_one_kind_of_proof_is_asked_for(void **state)
{
    struct scene *s = *state;
    TST_AUTO_JSON none = json_deep_copy(s->body);
    TST_AUTO_JSON both = json_deep_copy(s->body);
    json_object_del(none, "evidence");
    json_object_set_new(both, "token", json_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    expect_malformed(s, none, "no proof");
    expect_malformed(s, both, "evidence and token");
    expect_admitted(&s->h, &s->a, s->s1.tee_key, NULL);
}

static void evidence_larger_than_its_maximum_is_malformed(void **state)
{
    struct scene *s = *state;
    static const char *const blobs[] = { "snp-report", "auxblob" };
    static const size_t sizes[] = { TST_SNP_REPORT_BYTES + 1, TST_SNP_CERT_TABLE_MAX + 1 };
    uint8_t zeros[TST_SNP_CERT_TABLE_MAX + 1] = { 0 };
    for (size_t i = 0; i < TST_COUNT(blobs); i++) {
        TST_AUTO_JSON body = json_deep_copy(s->body);
        TST_AUTO_JSON answer = NULL;
        assert_int_equal(tst_json_set_b64(json_object_get(body, "evidence"), blobs[i], zeros, sizes[i], NULL), 0);
        assert_true(node_join(&s->h.broker, body, s->h.now, &answer, NULL) < 0);
        assert_null(answer);
    }
    expect_admitted(&s->h, &s->a, s->s1.tee_key, NULL);
}

/* Every length of report and table below the true one: refused, with a reason and a row. */
static void truncated_evidence_is_refused(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *blob;
        size_t bytes;
    } cuts[] = { { "snp-report", 0 }, { "snp-report", 4 }, { "snp-report", 1183 }, { "auxblob", 0 }, { "auxblob", 23 }, { "auxblob", 500 } };
    for (size_t i = 0; i < TST_COUNT(cuts); i++) {
        struct attempt a;
        uint8_t *whole = NULL;
        size_t n;
        TST_AUTO_ERROR err = NULL;
        TST_AUTO_JSON answer = NULL;
        attempt_begin(&s->h, &s->s1, "join", &a);
        TST_AUTO_JSON body = attempt_body(&a);
        json_t *evidence = json_object_get(body, "evidence");
        assert_int_equal(tst_unb64url(json_string_value(json_object_get(evidence, cuts[i].blob)), TST_SNP_CERT_TABLE_MAX, &whole, &n, NULL), 0);
        assert_true(n > cuts[i].bytes);
        assert_int_equal(tst_json_set_b64(evidence, cuts[i].blob, whole, cuts[i].bytes, NULL), 0);
        free(whole);
        int64_t refused = query_number(s->h.broker.db, "SELECT count(*) FROM log WHERE verb = 'refuse'");
        assert_true(node_join(&s->h.broker, body, s->h.now, &answer, &err) < 0);
        assert_non_null(err->reason);
        assert_null(answer);
        assert_int_equal(query_number(s->h.broker.db, "SELECT count(*) FROM log WHERE verb = 'refuse'"), refused + 1);
        expect_log_verifies(&s->h);
    }
    expect_admitted(&s->h, &s->a, s->s1.tee_key, NULL);
}

static void body_that_is_no_object_is_malformed(void **state)
{
    struct scene *s = *state;
    json_t *values[] = { json_null(), json_true(), json_integer(1), json_string("join"), json_array(), json_object() };
    for (size_t i = 0; i < TST_COUNT(values); i++) {
        TST_AUTO_JSON answer = NULL;
        expect_malformed(s, values[i], "body");
        assert_true(node_challenge(&s->h.broker, values[i], s->h.now, &answer, NULL) < 0);
        json_decref(values[i]);
    }
    expect_admitted(&s->h, &s->a, s->s1.tee_key, NULL);
}

/* More challenges in one name than the whole table holds: the others still get theirs. */
static void challenges_of_one_instance_are_bounded(void **state)
{
    struct scene *s = *state;
    TST_AUTO_JSON body = json_pack("{s:s, s:s}", "instance", "s2", "purpose", "join");
    TST_AUTO_ERROR err = NULL;
    for (int i = 0; i < 5000; i++) {
        TST_AUTO_JSON answer = NULL;
        assert_int_equal(node_challenge(&s->h.broker, body, s->h.now, &answer, &err), 0);
    }
    expect_joined(&s->h, &s->s1, NULL);
}

/* Only a table full of many names says no, and it says so. */
static void full_table_of_challenges_is_busy(void **state)
{
    struct scene *s = *state;
    TST_AUTO_ERROR err = NULL;
    int r = 0;
    for (int i = 0; i < 5000 && r == 0; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        TST_AUTO_JSON answer = NULL;
        TST_AUTO_JSON body = json_pack("{s:s, s:s}", "instance", name, "purpose", "join");
        r = node_challenge(&s->h.broker, body, s->h.now, &answer, &err);
    }
    assert_int_equal(r, -TST_UNREACHABLE);
    assert_string_equal(err->reason, "busy");
    s->h.now += 121;
    expect_joined(&s->h, &s->s1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define SCENE(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
        SCENE(missing_or_unknown_member_is_malformed), SCENE(member_of_another_type_is_malformed),
        SCENE(unusable_value_is_malformed), SCENE(key_off_the_curve_is_malformed), SCENE(exactly_one_kind_of_proof_is_asked_for),
        SCENE(evidence_larger_than_its_maximum_is_malformed), SCENE(truncated_evidence_is_refused),
        SCENE(body_that_is_no_object_is_malformed), SCENE(challenges_of_one_instance_are_bounded),
        SCENE(full_table_of_challenges_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
