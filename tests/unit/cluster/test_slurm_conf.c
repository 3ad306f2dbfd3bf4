/* SPDX-License-Identifier: Apache-2.0 */
/* unit/cluster/test_slurm_conf.c - the configuration that a realm's members get. */
#include "unit.h"

static const char demo[] = "name: demo\nprovider: local\nbroker: local\ncontroller: {cores: 1, memory: 1G}\npartitions:\n"
                           "  cpu: {nodes: 2, cores: 2, memory: 2G, level: none}\n"
                           "  sev: {nodes: 2, max: 3, cores: 4, memory: 2G, level: measured, policy: sealed.yaml}\n"
                           "  big: {nodes: 1, cores: 8, memory: 4G, level: measured, policy: sealed.yaml}\n";

static char *text_of(const char *instance, const char *file)
{
    AUTO_PLAN p = plan_of_text(demo);
    TST_AUTO_JSON files = NULL;
    TST_AUTO_ERROR err = NULL;
    const struct plan_realm *realm;

    plan_find(p, instance, &realm);
    assert_int_equal(plan_files(p, realm, &files, &err), 0);
    const char *text = json_string_value(json_object_get(files, file));
    assert_non_null(text);
    return strdup(text);
}

static void assert_line(const char *text, const char *line)
{
    size_t n = strlen(line);

    for (const char *at = text; (at = strstr(at, line)); at++)
        if ((at == text || at[-1] == '\n') && at[n] == '\n')
            return;
    fail_msg("no line \"%s\" in\n%s", line, text);
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;

    for (const char *at = text; (at = strstr(at, word)); at++)
        n++;
    return n;
}

static void a_realm_is_a_slurm_cluster_of_its_own(void **state)
{
    (void)state;
    TST_AUTO_STR sealed = text_of("s1", "slurm.conf"), plain = text_of("p1", "slurm.conf");

    assert_line(sealed, "ClusterName=demo-sealed");
    assert_line(sealed, "SlurmctldHost=ctl(10.77.0.10)");
    assert_line(plain, "ClusterName=demo-plain");
    assert_line(plain, "SlurmctldHost=p1(10.77.0.111)");
    assert_int_equal(count(sealed, "SlurmctldHost="), 1);
    assert_null(strstr(sealed, "p1"));
    assert_null(strstr(plain, "s1"));
}

static void nodes_are_listed_with_address_and_size(void **state)
{
    (void)state;
    TST_AUTO_STR text = text_of("s1", "slurm.conf");

    assert_line(text, "NodeName=s1 NodeAddr=10.77.0.11 CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 "
                      "ThreadsPerCore=1 RealMemory=2048 State=UNKNOWN");
    assert_int_equal(count(text, "NodeName="), 4);
    assert_null(strstr(text, "NodeName=ctl"));
}

static void a_reserved_node_is_a_future_one(void **state)
{
    (void)state;
    TST_AUTO_STR text = text_of("s1", "slurm.conf");

    assert_line(text, "NodeName=s3 NodeAddr=10.77.0.13 CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 "
                      "ThreadsPerCore=1 RealMemory=2048 State=FUTURE");
    assert_int_equal(count(text, "State=FUTURE"), 1);
}

static void the_first_partition_is_the_default(void **state)
{
    (void)state;
    TST_AUTO_STR text = text_of("s1", "slurm.conf");

    assert_line(text, "PartitionName=sev Nodes=s1,s2,s3 Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO");
    assert_line(text, "PartitionName=big Nodes=s4 Default=NO MaxTime=INFINITE State=UP OverSubscribe=NO");
}

static void every_key_stands_once(void **state)
{
    (void)state;
    TST_AUTO_STR text = text_of("p1", "slurm.conf"), copy = strdup(text);
    char *rest = NULL;

    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        TST_AUTO_STR key = tst_strdup_printf("\n%.*s=", (int)strcspn(line, "="), line);
        if (strncmp(line, "NodeName", 8) && strncmp(line, "PartitionName", 13) && count(text, key) > 1)
            fail_msg("twice: %s", line);
    }
}

static void authentication_is_munge_and_configuration_never_comes_from_the_controller(void **state)
{
    (void)state;
    TST_AUTO_STR text = text_of("p1", "slurm.conf");

    assert_line(text, "AuthType=auth/munge");
    assert_line(text, "CredType=cred/munge");
    assert_null(strstr(text, "AuthInfo"));
    assert_null(strstr(text, "AuthAltTypes"));
    assert_null(strstr(text, "configless"));
}

static void mpi_stays_on_the_nodes_own_interface(void **state)
{
    (void)state;
    TST_AUTO_STR text = text_of("p1", "openmpi-mca-params.conf");

    assert_line(text, "btl_tcp_if_include = eth0");
    assert_line(text, "mpi_yield_when_idle = 1");
    assert_line(text, "hwloc_base_binding_policy = none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_realm_is_a_slurm_cluster_of_its_own),
        cmocka_unit_test(nodes_are_listed_with_address_and_size),
        cmocka_unit_test(a_reserved_node_is_a_future_one),
        cmocka_unit_test(the_first_partition_is_the_default),
        cmocka_unit_test(every_key_stands_once),
        cmocka_unit_test(authentication_is_munge_and_configuration_never_comes_from_the_controller),
        cmocka_unit_test(mpi_stays_on_the_nodes_own_interface),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
