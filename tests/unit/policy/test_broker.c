/* SPDX-License-Identifier: Apache-2.0 */
/* test_broker.c - a rule that only warns lets a node in and is written into the log's row of the admission, the answer and the
 * stored verdict; the same rule enforced keeps it out. */
#include "tests/unit/broker/expect.h"

/* The plan's policy of `sealed`, with lines more. */
static void give_policy(struct harness *h, json_t *more)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON plan = plan_of(&h->cloud, 0);
    json_t *policy = json_object_get(json_array_get(json_object_get(plan, "realms"), 0), "policy");
    assert_int_equal(json_object_update(policy, more), 0);
    json_decref(more);
    must(verb_plan(&h->broker, "owner:uid=0", plan, h->now, &answer, &err), err, "plan");
}

static json_t *wants_tsme(const char *how)
{
    return json_pack("{s:{s:[s]}, s:{s:s}}", "platform-info", "must-set", "tsme", "rules", "platform-info", how);
}

static void a_warning_is_in_the_row_of_the_admission(void **state)
{
    struct harness *h = *state;
    AUTO_NODE n = { 0 };
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON answer = NULL;
    struct attempt a;
    give_policy(h, wants_tsme("warn"));
    node_launch(&n, "s1", h->cloud.root, h->cloud.chip);
    attempt_begin(h, &n, "join", &a);
    assert_int_equal(attempt_send(h, &a, &answer, &err), 0);
    assert_int_equal(query_number(h->broker.db, "SELECT count(*) FROM log WHERE verb = 'admit' AND reason ="
                                                " 'WARN policy.platform-info: found clear: tsme; expected set: tsme'"), 1);
    assert_int_equal(query_number(h->broker.db, "SELECT count(*) FROM verdict WHERE json LIKE '%\"warnings\":1%' AND json LIKE"
                                                " '%\"outcome\":\"warn\"%'"), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "verdict"), "warnings")), 1);
    expect_log_verifies(h);
}

static void an_admission_without_warnings_has_an_empty_reason(void **state)
{
    struct harness *h = *state;
    AUTO_NODE n = { 0 };
    TST_AUTO_SECRET key = NULL;
    node_launch(&n, "s1", h->cloud.root, h->cloud.chip);
    expect_joined(h, &n, &key);
    assert_int_equal(query_number(h->broker.db, "SELECT count(*) FROM log WHERE verb = 'admit' AND reason = ''"), 1);
}

static void the_same_rule_enforced_keeps_the_node_out(void **state)
{
    struct harness *h = *state;
    AUTO_NODE n = { 0 };
    struct attempt a;
    give_policy(h, wants_tsme("enforce"));
    node_launch(&n, "s1", h->cloud.root, h->cloud.chip);
    attempt_begin(h, &n, "join", &a);
    expect_refused(h, &a, "policy.platform-info");
}

/* What the broker stored is what it reads back: every key of a policy survives the round through its database. */
static void a_stored_policy_judges_by_every_key(void **state)
{
    struct harness *h = *state;
    AUTO_NODE n = { 0 };
    struct attempt a;
    give_policy(h, json_pack("{s:i}", "min-guest-svn", 1));
    node_launch(&n, "s1", h->cloud.root, h->cloud.chip);
    attempt_begin(h, &n, "join", &a);
    expect_refused(h, &a, "policy.guest-svn");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_warning_is_in_the_row_of_the_admission, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(an_admission_without_warnings_has_an_empty_reason, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(the_same_rule_enforced_keeps_the_node_out, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(a_stored_policy_judges_by_every_key, harness_setup, harness_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
