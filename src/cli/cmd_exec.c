/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_exec.c - testudo exec: a command on a node. */
#include "cli/cli.h"
#include "cluster/command.h"

static int check_realm(const struct plan *plan, const char *instance, const char *want, struct tst_error **err)
{
    const struct plan_realm *realm;

    if (!plan_find(plan, instance, &realm))
        return tst_fail(err, TST_NOT_FOUND, "%s is not in the plan", instance);
    if (want && strcmp(want, realm->name) != 0) {
        tst_fail(err, TST_USAGE, "%s is not a node of realm %s", instance, want);
        return tst_hint(err, want, realm->name, NULL);
    }
    return 0;
}

static int run(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_CLUSTER h = {0};
    const char *user = cli_value(self, args, "--user");
    int rc, status;

    if ((rc = cluster_open(cli_value(self, args, "--state"), NULL, true, &h, err)) ||
        (rc = check_realm(h.plan, args->rest[0], cli_value(self, args, "--realm"), err)))
        return rc;
    const struct provider_enter req = {h.state, h.plan, args->rest[0], user ? user : "root", args->rest + 1};
    rc = h.provider->enter(&req, &status, err);
    return rc ? rc : status;
}

const struct cli_command cmd_exec = {
    .name = "exec",
    .operands = "NODE -- COMMAND...",
    .min_operands = 2,
    .max_operands = -1,
    .summary = "run a command on a node",
    .exits = "that of COMMAND (128 + signal if it was killed), 2 no such node or user, 5 the node does not run",
    .options = {{"--user", "NAME", "user of the node (default root)"},
                {"--realm", "NAME", "refuse unless the node belongs to this realm"},
                {"--state", "DIR", "state folder (TESTUDO_STATE)"}},
    .run = run,
};
