/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_plan.c - testudo plan: what a cluster file would become, without doing anything. */
#include "cli/cli.h"
#include "cluster/provider.h"

static void print_member(const struct plan_realm *realm, const struct plan_member *m)
{
    printf("%-9s %-7s %-11s %-13s %5u %7u MiB  %-9s %s\n", m->instance, realm->name, plan_role(m), m->address,
           m->cores, m->memory_mib, tst_level_name(realm->level), m->reserved ? "reserved" : "started");
}

static void print_table(const struct plan *plan)
{
    printf("cluster %s, broker %s\n\n", plan->cluster, plan->broker);
    printf("%-9s %-7s %-11s %-13s %5s %11s  %-9s %s\n", "INSTANCE", "REALM", "ROLE", "ADDRESS", "CORES", "MEMORY",
           "LEVEL", "BY UP");
    for (size_t r = 0; r < plan->realm_count; r++)
        for (size_t i = 0; i < plan->realms[r].member_count; i++)
            print_member(&plan->realms[r], &plan->realms[r].members[i]);
    for (size_t r = 0; r < plan->realm_count; r++)
        if (plan->realms[r].policy)
            printf("\nrealm %s: policy %s\n", plan->realms[r].name, plan->realms[r].policy);
}

static int print_plan_json(const struct plan *plan, struct tst_error **err)
{
    json_t *const no_policies[2] = {NULL, NULL}; /* resolved by `up`, when the simulator's key is known */
    TST_AUTO_JSON json = NULL;
    int rc = plan_json(plan, no_policies, &json, err);

    if (!rc)
        cli_print_json(json);
    return rc;
}

static int run(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    AUTO_CLUSTER_FILE file = NULL;
    AUTO_PLAN plan = NULL;
    size_t n;
    int rc;

    if ((rc = cli_read_file(args->rest[0], CLUSTER_FILE_MAX_BYTES, &text, &n, err)) ||
        (rc = cluster_file_parse(args->rest[0], text, n, &file, err)) || (rc = plan_of(file, &plan, err)) ||
        (rc = provider_find(file->provider)->plan(plan, err)))
        return rc;
    if (cli_value(self, args, "--json"))
        return print_plan_json(plan, err);
    print_table(plan);
    return 0;
}

const struct cli_command cmd_plan = {
    .name = "plan",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "show the realms, nodes and addresses that a cluster file becomes",
    .exits = "0 printed, 2 the file is not right",
    .options = {{"--json", NULL, "the plan as the broker gets it, policies aside"}},
    .run = run,
};
