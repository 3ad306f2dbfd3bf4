/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_up.c - testudo up: bring the cluster of a cluster file up; repeat it at will. */
#include "cli/cli.h"
#include "cluster/provider.h"
#include "cluster/state.h"

static int print_result(const struct provider *provider, const struct provider_up *req, bool as_json,
                        struct tst_error **err)
{
    TST_AUTO_JSON status = NULL;

    if (!as_json) {
        printf("cluster %s is up after %.1f s: `testudo status`, `testudo exec NODE -- COMMAND`, `testudo down`\n",
               req->plan->cluster, progress_total_s(req->progress));
        return 0;
    }
    int rc = provider->status(req->state, req->plan, &status, err);
    if (rc)
        return rc;
    json_object_set(status, "phases", req->progress->phases);
    json_object_set_new(status, "seconds", json_real(progress_total_s(req->progress)));
    cli_print_json(status);
    return 0;
}

static int bring_up(const struct provider *provider, struct provider_up *req, bool as_json, struct tst_error **err)
{
    struct progress progress;

    progress_start(&progress, as_json ? stderr : stdout);
    req->progress = &progress;
    if (!as_json)
        printf("cluster %s, state %s\n", req->plan->cluster, req->state);
    int rc = provider->up(req, err);
    if (!rc)
        rc = print_result(provider, req, as_json, err);
    progress_clear(&progress);
    return rc;
}

static int run(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    struct provider_up req = {.file = args->rest[0]};
    TST_AUTO_STR text = NULL, state = NULL;
    AUTO_CLUSTER_FILE file = NULL;
    AUTO_PLAN plan = NULL;
    int rc;

    if ((rc = cli_read_file(req.file, CLUSTER_FILE_MAX_BYTES, &text, &req.text_bytes, err)) ||
        (rc = cluster_file_parse(req.file, text, req.text_bytes, &file, err)) || (rc = plan_of(file, &plan, err)) ||
        (rc = state_find(cli_value(self, args, "--state"), file->name, &state, err)))
        return rc;
    const struct provider *provider = provider_find(file->provider);
    if ((rc = provider->plan(plan, err)))
        return rc;
    req.text = text;
    req.state = state;
    req.plan = plan;
    return bring_up(provider, &req, cli_value(self, args, "--json") != NULL, err);
}

const struct cli_command cmd_up = {
    .name = "up",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "bring a cluster up; run it again after an interruption",
    .exits = "0 every node is admitted and idle, 2 the file is not right, 3 a node did not come up, 5 broker "
             "unreachable",
    .options = {{"--state", "DIR", "state folder (TESTUDO_STATE; default " STATE_ROOT "/CLUSTER)"},
                {"--json", NULL, "status, phases and seconds as JSON; progress goes to stderr"}},
    .run = run,
};
