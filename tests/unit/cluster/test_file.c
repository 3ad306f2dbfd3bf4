/* SPDX-License-Identifier: Apache-2.0 */
/* unit/cluster/test_file.c - the cluster file: what it becomes, and that each mistake is refused at its own line. */
#include "unit.h"

#define HEAD "name: demo\nprovider: local\nbroker: local\n"
#define CONTROLLER "controller: {cores: 1, memory: 1G}\n"
#define CPU "  cpu: {nodes: 2, cores: 2, memory: 2G, level: none}\n"
#define SEALED "  sev: {nodes: 2, max: 3, cores: 4, memory: 512M, level: measured, policy: sealed.yaml}\n"

static struct cluster_file *parse(const char *text)
{
    TST_AUTO_ERROR err = NULL;
    struct cluster_file *f = NULL;

    if (cluster_file_parse("demo.yaml", text, strlen(text), &f, &err))
        fail_msg("%s", err->text);
    return f;
}

static void every_key_is_read(void **state)
{
    (void)state;
    AUTO_CLUSTER_FILE f = parse(HEAD "network: 192.168.7.0/24\n" CONTROLLER "partitions:\n" CPU SEALED);

    assert_string_equal(f->name, "demo");
    assert_string_equal(f->provider, "local");
    assert_memory_equal(f->network, ((uint8_t[]){192, 168, 7, 0}), 4);
    assert_int_equal(f->controller_cores, 1);
    assert_int_equal(f->controller_memory_mib, 1024);
    assert_int_equal(f->partition_count, 2);
    assert_string_equal(f->partitions[1].name, "sev");
    assert_int_equal(f->partitions[1].nodes, 2);
    assert_int_equal(f->partitions[1].max, 3);
    assert_int_equal(f->partitions[1].cores, 4);
    assert_int_equal(f->partitions[1].memory_mib, 512);
    assert_int_equal(f->partitions[1].level, TST_LEVEL_MEASURED);
    assert_string_equal(f->partitions[1].policy, "sealed.yaml");
    assert_null(f->partitions[0].policy);
}

static void without_max_only_the_started_nodes_are_planned(void **state)
{
    (void)state;
    AUTO_CLUSTER_FILE f = parse(HEAD "partitions:\n" CPU);

    assert_int_equal(f->partitions[0].max, 2);
}

static void without_network_it_is_10_77(void **state)
{
    (void)state;
    AUTO_CLUSTER_FILE f = parse(HEAD "partitions:\n" CPU);

    assert_memory_equal(f->network, ((uint8_t[]){10, 77, 0, 0}), 4);
}

static const struct mistake {
    const char *text, *where, *what;
} mistakes[] = {
    {"", "demo.yaml:1", ""},
    {"- name: demo\n", "demo.yaml:1", "expected a map"},
    {"name: [demo\n", "demo.yaml:", ""},
    {"name: demo\nprovider: local\nbroker: local\n", "demo.yaml:1", "\"partitions\" is missing"},
    {"provider: local\nbroker: local\npartitions:\n" CPU, "demo.yaml:1", "\"name\" is missing"},
    {"name: Demo\nprovider: local\nbroker: local\npartitions:\n" CPU, "demo.yaml:1", "no name for a cluster"},
    {"name: a-name-of-12\nprovider: local\nbroker: local\npartitions:\n" CPU, "demo.yaml:1", "no name for a cluster"},
    {"name: demo\nprovider: cloud9\nbroker: local\npartitions:\n" CPU, "demo.yaml:2", "local"},
    {"name: demo\nprovider: local\nbroker: https://elsewhere\npartitions:\n" CPU, "demo.yaml:3", "local"},
    {HEAD "colour: red\npartitions:\n" CPU, "demo.yaml:4", "unknown key \"colour\""},
    {HEAD "name: again\npartitions:\n" CPU, "demo.yaml:4", ""},
    {HEAD "network: 10.77.0.0/16\npartitions:\n" CPU, "demo.yaml:4", "no network"},
    {HEAD "network: 10.77.0.1/24\npartitions:\n" CPU, "demo.yaml:4", "no network"},
    {HEAD "network: 10.77.256.0/24\npartitions:\n" CPU, "demo.yaml:4", "no network"},
    {HEAD "network: 10.077.0.0/24\npartitions:\n" CPU, "demo.yaml:4", "no network"},
    {HEAD "network: 127.0.0.0/24\npartitions:\n" CPU, "demo.yaml:4", "no network"},
    {HEAD "network: 239.0.0.0/24\npartitions:\n" CPU, "demo.yaml:4", "no network"},
    {HEAD "network: 10.77.0.0/24x\npartitions:\n" CPU, "demo.yaml:4", "no network"},
    {HEAD "partitions: {}\n", "demo.yaml:4", "at least one"},
    {HEAD "partitions:\n" SEALED, "demo.yaml:1", "needs a controller"},
    {HEAD "controller: {cores: 1}\npartitions:\n" CPU, "demo.yaml:4", "\"memory\" is missing"},
    {HEAD "controller: {cores: 0, memory: 1G}\npartitions:\n" CPU, "demo.yaml:4", "at least 1"},
    {HEAD "partitions:\n" CPU "  gpu: {nodes: 1, cores: 2, memory: 2G}\n", "demo.yaml:6", "\"level\" is missing"},
    {HEAD "partitions:\n" CPU "  GPU: {nodes: 1, cores: 2, memory: 2G, level: none}\n", "demo.yaml:6", "no name for a partition"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 0, cores: 2, memory: 2G, level: none}\n", "demo.yaml:6", "at least 1"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 91, cores: 2, memory: 2G, level: none}\n", "demo.yaml:6", "at most 90"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 1, cores: 2000, memory: 2G, level: none}\n", "demo.yaml:6", "at most 1024"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 3, max: 2, cores: 2, memory: 2G, level: none}\n", "demo.yaml:6", "less than nodes"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 1, cores: 2, memory: 2, level: none}\n", "demo.yaml:6", "no amount of memory"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 1, cores: 2, memory: 2GB, level: none}\n", "demo.yaml:6", "no amount of memory"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 1, cores: 2, memory: -2G, level: none}\n", "demo.yaml:6", "no amount of memory"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 1, cores: 2, memory: 1M, level: none}\n", "demo.yaml:6", "memory must be"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 1, cores: 2, memory: 99T, level: none}\n", "demo.yaml:6", "memory must be"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 1, cores: 2, memory: 2G, level: high}\n", "demo.yaml:6", "measured"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 1, cores: 2, memory: 2G, level: none, policy: p.yaml}\n", "demo.yaml:6", "takes no policy"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 1, cores: 2, memory: 2G, level: measured}\n", "demo.yaml:6", "needs a policy"},
    {HEAD "partitions:\n" CPU "  x: {nodes: 1, cores: 2, memory: 2G, level: none, node: 1}\n", "demo.yaml:6", "unknown key \"node\""},
    {HEAD "partitions:\n" CPU "  x: {nodes: 89, cores: 2, memory: 2G, level: none}\n", "demo.yaml:6", "at most 90"},
    {HEAD CONTROLLER "partitions:\n" SEALED "  b: {nodes: 1, cores: 1, memory: 1G, level: measured, policy: other.yaml}\n",
     "demo.yaml:7", "second attested realm"},
    {HEAD CONTROLLER "partitions:\n" SEALED "  b: {nodes: 1, cores: 1, memory: 1G, level: firmware, policy: sealed.yaml}\n",
     "demo.yaml:7", "second attested realm"},
    {HEAD "partitions:\n" CPU CPU, "demo.yaml:6", ""},
};

static void each_mistake_is_refused_at_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(mistakes); i++) {
        const struct mistake *m = &mistakes[i];
        AUTO_CLUSTER_FILE f = NULL;
        TST_AUTO_ERROR err = NULL;
        if (!cluster_file_parse("demo.yaml", m->text, strlen(m->text), &f, &err))
            fail_msg("accepted: %s", m->text);
        if (err->code != TST_USAGE || strncmp(err->text, m->where, strlen(m->where)) || !strstr(err->text, m->what))
            fail_msg("want %s ... %s\ngot  %s\nfor\n%s", m->where, m->what, err->text, m->text);
    }
}

static void two_attested_partitions_of_one_policy_are_one_realm(void **state)
{
    (void)state;
    AUTO_CLUSTER_FILE f = parse(HEAD CONTROLLER "partitions:\n" SEALED
                                                "  b: {nodes: 1, cores: 1, memory: 1G, level: measured, policy: sealed.yaml}\n");

    assert_int_equal(f->partition_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(without_max_only_the_started_nodes_are_planned),
        cmocka_unit_test(without_network_it_is_10_77),
        cmocka_unit_test(each_mistake_is_refused_at_its_line),
        cmocka_unit_test(two_attested_partitions_of_one_policy_are_one_realm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
