/* SPDX-License-Identifier: Apache-2.0 */
/* unit/broker/test_lease.c - what an admission gives, how long it lasts, and who may make it last longer. */
#include <testudo/token.h>

#include "tests/unit/broker/expect.h"

struct scene {
    struct harness h;
    struct node s1, s2, p1, liar; /* liar plays s1 on another chip with its own keys */
};

static int scene_setup(void **state)
{
    struct scene *s = malloc(sizeof *s);
    harness_open(&s->h);
    node_launch(&s->s1, "s1", s->h.cloud.root, s->h.cloud.chip);
    node_launch(&s->s2, "s2", s->h.cloud.root, s->h.cloud.other_chip);
    node_launch(&s->p1, "p1", NULL, NULL);
    node_launch(&s->liar, "s1", s->h.cloud.root, s->h.cloud.other_chip);
    harness_arm(&s->h, "s1", NULL);
    harness_arm(&s->h, "s2", NULL);
    harness_arm(&s->h, "p1", s->p1.token);
    *state = s;
    return 0;
}

static int scene_teardown(void **state)
{
    struct scene *s = *state;
    node_clear(&s->s1);
    node_clear(&s->s2);
    node_clear(&s->p1);
    node_clear(&s->liar);
    harness_close(&s->h);
    free(s);
    return 0;
}

/* ---- what a join gives ---- */

static void lost_answer_is_given_again(void **state)
{
    struct scene *s = *state;
    TST_AUTO_SECRET first = NULL;
    TST_AUTO_SECRET second = NULL;
    expect_joined(&s->h, &s->s1, &first);
    s->h.now += 30;
    expect_joined(&s->h, &s->s1, &second);
    expect_same_key(first, second);
}

static void members_of_a_realm_get_one_key(void **state)
{
    struct scene *s = *state;
    TST_AUTO_SECRET of_s1 = NULL;
    TST_AUTO_SECRET of_s2 = NULL;
    expect_joined(&s->h, &s->s1, &of_s1);
    expect_joined(&s->h, &s->s2, &of_s2);
    expect_same_key(of_s1, of_s2);
}

static void realms_have_different_keys(void **state)
{
    struct scene *s = *state;
    TST_AUTO_SECRET sealed = NULL;
    TST_AUTO_SECRET plain = NULL;
    expect_joined(&s->h, &s->s1, &sealed);
    expect_joined(&s->h, &s->p1, &plain);
    assert_memory_not_equal(tst_secret_view(sealed), tst_secret_view(plain), REALM_KEY_BYTES);
}

static void key_survives_a_restart(void **state)
{
    struct scene *s = *state;
    TST_AUTO_SECRET before = NULL;
    TST_AUTO_SECRET after = NULL;
    struct tst_error *err = NULL;
    expect_joined(&s->h, &s->s1, &before);
    assert_done(harness_reopen(&s->h, &err), err);
    expect_joined(&s->h, &s->s1, &after);
    expect_same_key(before, after);
}

static void answer_opens_with_the_attested_key_only(void **state)
{
    struct scene *s = *state;
    struct attempt a;
    struct tst_error *err = NULL;
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_SECRET plain = NULL;
    attempt_begin(&s->h, &s->s1, "join", &a);
    assert_done(attempt_send(&s->h, &a, &answer, &err), err);
    json_t *jwe = json_object_get(answer, "jwe");
    const struct tst_key *wrong[] = { s->s1.sig_key, s->s2.tee_key, s->liar.tee_key };
    for (size_t i = 0; i < TST_COUNT(wrong); i++) {
        assert_int_equal(tst_jwe_decrypt(wrong[i], jwe, &plain, NULL), -TST_REFUTED);
        assert_null(plain);
    }
    assert_done(tst_jwe_decrypt(s->s1.tee_key, jwe, &plain, &err), err);
}

/* Nothing of the bundle stands outside of the JWE. */
static void answer_says_nothing_in_clear(void **state)
{
    struct scene *s = *state;
    struct attempt a;
    struct tst_error *err = NULL;
    TST_AUTO_JSON answer = NULL;
    attempt_begin(&s->h, &s->s1, "join", &a);
    assert_done(attempt_send(&s->h, &a, &answer, &err), err);
    assert_int_equal(json_object_size(answer), 3);
    json_object_del(answer, "jwe");
    TST_AUTO_STR rest = json_dumps(answer, JSON_COMPACT);
    assert_null(strstr(rest, "slurm.conf"));
    assert_null(strstr(rest, "munge"));
    assert_non_null(strstr(rest, "\"simulated\":true"));
}

static void rearmed_instance_takes_one_new_launch(void **state)
{
    struct scene *s = *state;
    struct attempt a;
    expect_joined(&s->h, &s->s1, NULL);
    attempt_begin(&s->h, &s->liar, "join", &a);
    expect_refused(&s->h, &a, "taken");
    harness_rearm(&s->h, "s1", NULL);
    expect_joined(&s->h, &s->liar, NULL);
    attempt_begin(&s->h, &s->s1, "join", &a);
    expect_refused(&s->h, &a, "taken");
}

static void rearmed_plain_instance_needs_its_new_token(void **state)
{
    struct scene *s = *state;
    AUTO_NODE next = { 0 };
    struct attempt a;
    expect_joined(&s->h, &s->p1, NULL);
    node_launch(&next, "p1", NULL, NULL);
    harness_rearm(&s->h, "p1", next.token);
    attempt_begin(&s->h, &s->p1, "join", &a);
    expect_refused(&s->h, &a, "token-unknown");
    expect_joined(&s->h, &next, NULL);
}

static void revoked_instance_cannot_be_rearmed(void **state)
{
    struct scene *s = *state;
    struct tst_error *err = NULL;
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON body = json_pack("{s:s}", "instance", "s1");
    harness_revoke(&s->h, "s1");
    assert_int_equal(verb_rearm(&s->h.broker, "operator:uid=0", body, s->h.now, &answer, &err), -TST_DENIED);
    assert_string_equal(err->reason, "revoked");
    assert_null(answer);
    tst_error_free(err);
}

/* An expected instance that has joined is not armed a second time by `expect`. */
static void expect_does_not_free_a_taken_name(void **state)
{
    struct scene *s = *state;
    struct tst_error *err = NULL;
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON body = json_pack("{s:s}", "instance", "p1");
    expect_joined(&s->h, &s->p1, NULL);
    assert_int_equal(verb_expect(&s->h.broker, "operator:uid=0", body, s->h.now, &answer, &err), -TST_DENIED);
    assert_string_equal(err->reason, "taken");
    assert_null(answer);
    tst_error_free(err);
}

static json_t *sealed_realm(json_t *plan)
{
    return json_array_get(json_object_get(plan, "realms"), 0);
}

static void realm_keeps_its_level_and_policy_name(void **state)
{
    struct scene *s = *state;
    for (int i = 0; i < 2; i++) {
        struct tst_error *err = NULL;
        TST_AUTO_JSON answer = NULL;
        TST_AUTO_JSON plan = plan_of(&s->h.cloud, 0);
        if (i == 0)
            json_object_set_new(sealed_realm(plan), "level", json_string("firmware"));
        else
            json_object_set_new(json_object_get(sealed_realm(plan), "policy"), "name", json_string("other"));
        assert_int_equal(verb_plan(&s->h.broker, "owner:uid=0", plan, s->h.now, &answer, &err), -TST_DENIED);
        assert_string_equal(err->reason, "realm-changed");
        assert_null(answer);
        tst_error_free(err);
    }
    expect_joined(&s->h, &s->s1, NULL);
}

/* New reference values hold at once: the next renewal is judged by them. */
static void member_is_held_to_the_newest_policy(void **state)
{
    struct scene *s = *state;
    struct attempt a;
    struct tst_error *err = NULL;
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON plan = plan_of(&s->h.cloud, 0);
    expect_joined(&s->h, &s->s1, NULL);
    json_object_set_new(json_object_get(sealed_realm(plan), "policy"), "measurements", json_array());
    assert_done(verb_plan(&s->h.broker, "owner:uid=0", plan, s->h.now, &answer, &err), err);
    attempt_begin(&s->h, &s->s1, "lease", &a);
    expect_refused(&s->h, &a, "policy.measurement");
    attempt_begin(&s->h, &s->s1, "join", &a);
    expect_refused(&s->h, &a, "policy.measurement");
}

/* Whom the newest plan does not name is out, whatever the operator says: no join, no renewal, no arming. */
static void member_that_the_new_plan_does_not_name_is_out(void **state)
{
    struct scene *s = *state;
    struct attempt a;
    struct tst_error *err = NULL;
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON none = NULL;
    TST_AUTO_JSON body = json_pack("{s:s}", "instance", "s1");
    TST_AUTO_JSON plan = plan_of(&s->h.cloud, 0);
    json_t *members = json_object_get(sealed_realm(plan), "members");
    expect_joined(&s->h, &s->s1, NULL);
    assert_string_equal(json_string_value(json_object_get(json_array_get(members, 0), "instance")), "s1");
    json_array_remove(members, 0);
    assert_done(verb_plan(&s->h.broker, "owner:uid=0", plan, s->h.now, &answer, &err), err);
    attempt_begin(&s->h, &s->s1, "lease", &a);
    expect_refused(&s->h, &a, "unexpected");
    attempt_begin(&s->h, &s->s1, "join", &a);
    expect_refused(&s->h, &a, "unexpected");
    assert_int_equal(verb_rearm(&s->h.broker, "operator:uid=0", body, s->h.now, &none, &err), -TST_DENIED);
    assert_string_equal(err->reason, "unexpected");
    tst_error_free(err);
}

/* Somebody asks for challenges in s1's name all the time: s1's own newest one still counts. */
static void flood_of_challenges_does_not_keep_a_node_out(void **state)
{
    struct scene *s = *state;
    char nonce[64];
    for (int i = 0; i < 300; i++)
        take_nonce(&s->h, "s1", "join", nonce);
    expect_joined(&s->h, &s->s1, NULL);
}

/* ---- lease ---- */

static void renewal_extends_the_lease(void **state)
{
    struct scene *s = *state;
    const struct node *nodes[] = { &s->s1, &s->p1 };
    for (size_t i = 0; i < TST_COUNT(nodes); i++)
        expect_joined(&s->h, nodes[i], NULL);
    s->p1.token[0] = '\0'; /* from now on it signs */
    for (int round = 1; round <= 4; round++) {
        s->h.now += 200;
        for (size_t i = 0; i < TST_COUNT(nodes); i++)
            assert_int_equal(expect_renewed(&s->h, nodes[i]), s->h.now + 600);
    }
}

static void wrong_digest(struct scene *s, struct attempt *a)
{
    (void)s;
    a->report.measurement[0] ^= 1;
}

static void another_launch(struct scene *s, struct attempt *a)
{
    (void)s;
    a->report.report_id[31] ^= 1;
}

static void another_tee_key(struct scene *s, struct attempt *a)
{
    a->tee_key = s->liar.tee_key;
}

static void another_chip(struct scene *s, struct attempt *a)
{
    a->vcek_of = s->liar.chip;
    a->signer = s->liar.chip->vcek_key;
    a->report = node_report(&s->liar);
    memcpy(a->report.report_id, s->s1.report_id, sizeof a->report.report_id);
}

static void nonce_for_a_join(struct scene *s, struct attempt *a)
{
    take_nonce(&s->h, a->instance, "join", a->nonce);
}

static void used_nonce(struct scene *s, struct attempt *a)
{
    TST_AUTO_JSON answer = NULL;
    assert_int_equal(attempt_send(&s->h, a, &answer, NULL), 0);
}

static void at_its_end(struct scene *s, struct attempt *a)
{
    s->h.now += 600;
    take_nonce(&s->h, a->instance, "lease", a->nonce);
    a->at = s->h.now;
}

static void after_revocation(struct scene *s, struct attempt *a)
{
    harness_revoke(&s->h, a->instance);
}

static void after_a_rearm(struct scene *s, struct attempt *a)
{
    harness_rearm(&s->h, a->instance, NULL);
}

static void signature_for_evidence(struct scene *s, struct attempt *a)
{
    (void)s;
    a->proof = PROOF_SIGNATURE;
}

static void signed_by_another_key(struct scene *s, struct attempt *a)
{
    a->token_signer = s->liar.sig_key;
}

static void renewed_by_another_key(struct scene *s, struct attempt *a)
{
    a->sig_key = a->token_signer = s->liar.sig_key;
}

static const struct lie {
    const char *name, *reason;
    void (*tell)(struct scene *s, struct attempt *a);
    bool plain;
} lies[] = {
    { "renewal with a wrong digest", "policy.measurement", wrong_digest, false },
    { "renewal by another launch", "taken", another_launch, false },
    { "renewal by another key", "taken", another_tee_key, false },
    { "renewal by another chip", "taken", another_chip, false },
    { "renewal by a signature instead of evidence", "evidence-missing", signature_for_evidence, false },
    { "renewal with a nonce for a join", "nonce-foreign", nonce_for_a_join, false },
    { "replay of a renewal", "nonce-used", used_nonce, false },
    { "renewal at the lease's last second", "lease-expired", at_its_end, false },
    { "renewal after revocation", "revoked", after_revocation, false },
    { "renewal after a re-arm", "lease-expired", after_a_rearm, false },
    { "plain renewal signed by another key", "signature", signed_by_another_key, true },
    { "plain renewal by another key", "taken", renewed_by_another_key, true },
    { "plain renewal with another tee-pubkey", "taken", another_tee_key, true },
    { "plain renewal at the lease's last second", "lease-expired", at_its_end, true },
    { "plain renewal after a re-arm", "taken", after_a_rearm, true },
};

struct lie_scene {
    struct scene scene; /* first: scene_teardown takes it */
    const struct lie *lie;
};

static int lie_setup(void **state)
{
    const struct lie *lie = *state;
    scene_setup(state);
    struct lie_scene *s = realloc(*state, sizeof *s);
    s->lie = lie;
    *state = s;
    return 0;
}

static int64_t lease_until(struct harness *h, const char *instance)
{
    AUTO_INSTANCE i = { 0 };
    struct tst_error *err = NULL;
    assert_done(instance_load(&h->broker, instance, &i, &err), err);
    return i.lease_until;
}

static void is_refused_and_extends_nothing(void **state)
{
    struct lie_scene *ls = *state;
    struct scene *s = &ls->scene;
    struct node *honest = ls->lie->plain ? &s->p1 : &s->s1;
    struct attempt a;
    expect_joined(&s->h, honest, NULL);
    honest->token[0] = '\0';
    attempt_begin(&s->h, honest, "lease", &a);
    ls->lie->tell(s, &a);
    int64_t until = lease_until(&s->h, honest->instance);
    expect_refused(&s->h, &a, ls->lie->reason);
    assert_int_equal(lease_until(&s->h, honest->instance), until);
}

/* One bit of the signature, in each of its bytes. */
static void flipped_signature_is_refused(void **state)
{
    struct scene *s = *state;
    struct attempt a;
    expect_joined(&s->h, &s->p1, NULL);
    s->p1.token[0] = '\0';
    for (size_t byte = 0; byte < TST_ECDSA_P256_BYTES; byte++) {
        uint8_t rs[TST_ECDSA_P256_BYTES];
        attempt_begin(&s->h, &s->p1, "lease", &a);
        TST_AUTO_JSON body = attempt_body(&a);
        assert_int_equal(tst_unb64url_fixed(json_string_value(json_object_get(body, "signature")), rs, sizeof rs, NULL), 0);
        rs[byte] ^= (uint8_t)(1u << (byte % 8));
        assert_int_equal(tst_json_set_b64(body, "signature", rs, sizeof rs, NULL), 0);
        expect_body_refused(&s->h, "lease", "p1", body, s->h.now, "signature");
    }
    assert_int_equal(expect_renewed(&s->h, &s->p1), s->h.now + 600);
}

/* ---- states ---- */

static void expect_state(struct harness *h, const char *instance, time_t at, const char *want)
{
    TST_AUTO_JSON node = harness_node(h, instance, at);
    assert_string_equal(json_string_value(json_object_get(node, "state")), want);
}

static void state_follows_the_clock_without_a_write(void **state)
{
    struct scene *s = *state;
    expect_state(&s->h, "s3", s->h.now, "planned");
    expect_state(&s->h, "s1", s->h.now, "expected");
    expect_joined(&s->h, &s->s1, NULL);
    int64_t changes = query_number(s->h.broker.db, "SELECT total_changes()");
    expect_state(&s->h, "s1", s->h.now, "admitted");
    expect_state(&s->h, "s1", s->h.now + 599, "admitted");
    expect_state(&s->h, "s1", s->h.now + 600, "expired");
    assert_int_equal(query_number(s->h.broker.db, "SELECT total_changes()"), changes);
    harness_rearm(&s->h, "s1", NULL);
    expect_state(&s->h, "s1", s->h.now, "expected");
    harness_revoke(&s->h, "s1");
    expect_state(&s->h, "s1", s->h.now, "revoked");
}

static void expired_node_joins_again_with_its_identity(void **state)
{
    struct scene *s = *state;
    struct attempt a;
    expect_joined(&s->h, &s->s1, NULL);
    expect_joined(&s->h, &s->p1, NULL);
    s->p1.token[0] = '\0';
    s->h.now += 601;
    attempt_begin(&s->h, &s->liar, "join", &a);
    expect_refused(&s->h, &a, "taken");
    expect_joined(&s->h, &s->s1, NULL);
    expect_joined(&s->h, &s->p1, NULL);
    expect_state(&s->h, "s1", s->h.now, "admitted");
}

/* The registry shows who it is, at which level, and the last refusal. */
static void node_list_shows_what_was_proven(void **state)
{
    struct scene *s = *state;
    char digest[2 * TST_SNP_DIGEST_BYTES + 1];
    struct attempt a;
    expect_joined(&s->h, &s->s1, NULL);
    attempt_begin(&s->h, &s->liar, "join", &a);
    expect_refused(&s->h, &a, "taken");
    TST_AUTO_JSON node = harness_node(&s->h, "s1", s->h.now);
    tst_hex(good_digest, sizeof good_digest, digest);
    assert_string_equal(json_string_value(json_object_get(node, "level")), "measured");
    assert_true(json_is_true(json_object_get(node, "simulated")));
    assert_string_equal(json_string_value(json_object_get(node, "digest")), digest);
    assert_string_equal(json_string_value(json_object_get(node, "reference")), "node");
    assert_non_null(strstr(json_string_value(json_object_get(node, "reason")), "taken"));
    assert_string_equal(json_string_value(json_object_get(node, "state")), "admitted");
}

int main(void)
{
    const struct CMUnitTest fixed[] = {
#define SCENE(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
        SCENE(lost_answer_is_given_again), SCENE(members_of_a_realm_get_one_key), SCENE(realms_have_different_keys),
        SCENE(key_survives_a_restart), SCENE(answer_opens_with_the_attested_key_only), SCENE(answer_says_nothing_in_clear),
        SCENE(rearmed_instance_takes_one_new_launch), SCENE(rearmed_plain_instance_needs_its_new_token),
        SCENE(revoked_instance_cannot_be_rearmed), SCENE(expect_does_not_free_a_taken_name), SCENE(realm_keeps_its_level_and_policy_name),
        SCENE(member_is_held_to_the_newest_policy), SCENE(member_that_the_new_plan_does_not_name_is_out),
        SCENE(flood_of_challenges_does_not_keep_a_node_out),
        SCENE(renewal_extends_the_lease), SCENE(flipped_signature_is_refused), SCENE(state_follows_the_clock_without_a_write),
        SCENE(expired_node_joins_again_with_its_identity), SCENE(node_list_shows_what_was_proven),
    };
    struct CMUnitTest tests[TST_COUNT(fixed) + TST_COUNT(lies)];
    memcpy(tests, fixed, sizeof fixed);
    for (size_t i = 0; i < TST_COUNT(lies); i++)
        tests[TST_COUNT(fixed) + i] = (struct CMUnitTest){ lies[i].name, is_refused_and_extends_nothing, lie_setup,
                                                           scene_teardown, (void *)(uintptr_t)&lies[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
