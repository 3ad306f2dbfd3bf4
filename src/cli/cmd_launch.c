/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_launch.c - testudo launch: the operator starts one more node of the plan, with a program of his choice. */
#include <stdlib.h>

#include "cli/cli.h"
#include "cluster/command.h"

static int launch(const struct cluster_handle *h, struct provider_launch *req, bool as_json, struct tst_error **err)
{
    struct progress progress;

    progress_start(&progress, as_json ? stderr : stdout);
    req->progress = &progress;
    int rc = h->provider->launch(req, err);
    if (!rc && as_json) {
        TST_AUTO_JSON result = json_pack("{s:s, s:s, s:O}", "instance", req->instance, "state", "admitted", "phases",
                                         progress.phases);
        cli_print_json(result);
    } else if (!rc)
        printf("%s is admitted\n", req->instance);
    progress_clear(&progress);
    return rc;
}

static int run(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_CLUSTER h = {0};
    const char *agent = cli_value(self, args, "--agent");
    TST_AUTO_STR agent_path = agent ? realpath(agent, NULL) : NULL;
    int rc = cluster_open(cli_value(self, args, "--state"), NULL, true, &h, err);

    if (rc)
        return rc;
    if (agent && !agent_path)
        return tst_fail(err, TST_NOT_FOUND, "%s: %m", agent);
    struct provider_launch req = {h.state, h.plan, args->rest[0], agent_path, NULL};
    return launch(&h, &req, cli_value(self, args, "--json") != NULL, err);
}

const struct cli_command cmd_launch = {
    .name = "launch",
    .operands = "NODE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "start one node of the plan and wait for the broker's decision",
    .exits = "0 admitted, 2 not in the plan, 3 it runs already or nothing was decided, 4 refused, 5 broker unreachable",
    .options = {{"--agent", "FILE", "another agent program than ours: the launch digest changes with it"},
                {"--state", "DIR", "state folder (TESTUDO_STATE)"},
                {"--json", NULL, "the result as JSON; progress goes to stderr"}},
    .run = run,
};
