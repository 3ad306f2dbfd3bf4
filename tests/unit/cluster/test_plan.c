/* SPDX-License-Identifier: Apache-2.0 */
/* unit/cluster/test_plan.c - who belongs to which realm, at which address, and what the broker is told. */
#include "unit.h"

static const char demo[] = "name: demo\nprovider: local\nbroker: local\ncontroller: {cores: 1, memory: 1G}\npartitions:\n"
                           "  cpu: {nodes: 2, cores: 2, memory: 2G, level: none}\n"
                           "  sev: {nodes: 2, max: 3, cores: 4, memory: 2G, level: measured, policy: sealed.yaml}\n"
                           "  big: {nodes: 1, cores: 8, memory: 4G, level: measured, policy: sealed.yaml}\n";

static const struct plan_member *member(const struct plan *p, const char *instance)
{
    const struct plan_member *m = plan_find(p, instance, NULL);

    assert_non_null(m);
    return m;
}

static void attested_nodes_get_a_controller_of_their_own(void **state)
{
    (void)state;
    AUTO_PLAN p = plan_of_text(demo);
    const struct plan_realm *realm;

    assert_non_null(plan_find(p, "ctl", &realm));
    assert_string_equal(realm->name, "sealed");
    assert_int_equal(realm->level, TST_LEVEL_MEASURED);
    assert_string_equal(realm->policy, "sealed.yaml");
    assert_string_equal(plan_role(member(p, "ctl")), "controller");
    assert_false(member(p, "ctl")->schedulable);
    assert_string_equal(plan_role(member(p, "s1")), "node");
}

static void the_first_plain_node_is_controller_and_node(void **state)
{
    (void)state;
    AUTO_PLAN p = plan_of_text(demo);
    const struct plan_realm *realm;

    assert_non_null(plan_find(p, "p1", &realm));
    assert_string_equal(realm->name, "plain");
    assert_null(realm->policy);
    assert_string_equal(plan_role(member(p, "p1")), "controller");
    assert_true(member(p, "p1")->schedulable);
    assert_string_equal(plan_role(member(p, "p2")), "node");
}

static void addresses_follow_the_numbers(void **state)
{
    (void)state;
    AUTO_PLAN p = plan_of_text(demo);

    assert_string_equal(p->broker, "10.77.0.1:8443");
    assert_string_equal(member(p, "ctl")->address, "10.77.0.10");
    assert_string_equal(member(p, "s1")->address, "10.77.0.11");
    assert_string_equal(member(p, "s4")->address, "10.77.0.14");
    assert_string_equal(member(p, "p1")->address, "10.77.0.111");
    assert_string_equal(member(p, "p2")->address, "10.77.0.112");
}

static void nodes_above_the_started_count_are_reserved(void **state)
{
    (void)state;
    AUTO_PLAN p = plan_of_text(demo);

    assert_false(member(p, "s2")->reserved);
    assert_true(member(p, "s3")->reserved);
    assert_false(member(p, "s4")->reserved);
    assert_null(plan_find(p, "s5", NULL));
    assert_null(plan_find(p, "p3", NULL));
}

static void a_second_partition_goes_on_with_the_numbers(void **state)
{
    (void)state;
    AUTO_PLAN p = plan_of_text(demo);

    assert_int_equal(member(p, "s3")->cores, 4);
    assert_int_equal(member(p, "s4")->cores, 8);
    assert_int_equal(member(p, "s4")->memory_mib, 4096);
}

static void the_largest_realms_have_distinct_addresses(void **state)
{
    (void)state;
    AUTO_PLAN p = plan_of_text("name: big\nprovider: local\nbroker: local\ncontroller: {cores: 1, memory: 1G}\npartitions:\n"
                               "  a: {nodes: 90, cores: 1, memory: 1G, level: none}\n"
                               "  b: {nodes: 90, cores: 1, memory: 1G, level: measured, policy: p}\n");

    assert_string_equal(member(p, "s90")->address, "10.77.0.100");
    assert_string_equal(member(p, "p90")->address, "10.77.0.200");
}

static void plain_only_needs_no_controller(void **state)
{
    (void)state;
    AUTO_PLAN p = plan_of_text("name: a\nprovider: local\nbroker: local\npartitions:\n"
                               "  cpu: {nodes: 1, cores: 1, memory: 1G, level: none}\n");

    assert_int_equal(p->realm_count, 1);
    assert_null(plan_find(p, "ctl", NULL));
}

static void hosts_name_only_the_own_realm(void **state)
{
    (void)state;
    AUTO_PLAN p = plan_of_text(demo);
    TST_AUTO_BUF hosts = {0};
    TST_AUTO_ERROR err = NULL;
    const struct plan_realm *plain;

    plan_find(p, "p1", &plain);
    assert_int_equal(plan_hosts(p, plain, &hosts, &err), 0);
    assert_non_null(strstr((char *)hosts.p, "10.77.0.112 p2\n"));
    assert_null(strstr((char *)hosts.p, "s1"));
}

static void the_broker_gets_realms_members_and_files(void **state)
{
    (void)state;
    AUTO_PLAN p = plan_of_text(demo);
    TST_AUTO_JSON policy = json_pack("{s:s}", "name", "sealed"), plan = NULL;
    TST_AUTO_ERROR err = NULL;
    const char *cluster, *name, *level, *instance, *role, *address;
    json_t *realms, *files, *members, *got;
    json_t *const policies[2] = {policy, NULL};

    assert_int_equal(plan_json(p, policies, &plan, &err), 0);
    assert_int_equal(tst_json_unpack(plan, &err, "{s:s, s:o}", "cluster", &cluster, "realms", &realms), 0);
    assert_int_equal(json_array_size(realms), 2);
    assert_int_equal(tst_json_unpack(json_array_get(realms, 0), &err, "{s:s, s:s, s:o, s:o, s:o}", "name", &name, "level",
                                     &level, "policy", &got, "members", &members, "files", &files),
                     0);
    assert_string_equal(name, "sealed");
    assert_string_equal(level, "measured");
    assert_ptr_equal(got, policy);
    assert_int_equal(json_array_size(members), 5);
    assert_int_equal(tst_json_unpack(json_array_get(members, 3), &err, "{s:s, s:s, s:s}", "instance", &instance, "role",
                                     &role, "address", &address),
                     0);
    assert_string_equal(instance, "s3");
    assert_true(json_is_string(json_object_get(files, "slurm.conf")));
    assert_true(json_is_null(json_object_get(json_array_get(realms, 1), "policy")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attested_nodes_get_a_controller_of_their_own),
        cmocka_unit_test(the_first_plain_node_is_controller_and_node),
        cmocka_unit_test(addresses_follow_the_numbers),
        cmocka_unit_test(nodes_above_the_started_count_are_reserved),
        cmocka_unit_test(a_second_partition_goes_on_with_the_numbers),
        cmocka_unit_test(the_largest_realms_have_distinct_addresses),
        cmocka_unit_test(plain_only_needs_no_controller),
        cmocka_unit_test(hosts_name_only_the_own_realm),
        cmocka_unit_test(the_broker_gets_realms_members_and_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
