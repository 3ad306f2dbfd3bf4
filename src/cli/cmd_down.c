/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_down.c - testudo down: end a cluster, whole or half up, and leave nothing behind. */
#include "cli/cli.h"
#include "cluster/command.h"

static int take_down(const struct cluster_handle *h, bool purge, bool as_json, struct tst_error **err)
{
    struct progress progress;

    progress_start(&progress, as_json ? stderr : stdout);
    int rc = h->provider->down(h->state, h->plan, purge, &progress, err);
    if (!rc && as_json) {
        TST_AUTO_JSON result =
            json_pack("{s:s, s:b, s:O}", "state", h->state, "purged", (int)purge, "phases", progress.phases);
        cli_print_json(result);
    } else if (!rc)
        printf("%s is down; %s\n", h->state,
               purge ? "its state is removed"
                     : "keys, log and shared folders stay (`testudo down --purge` removes them)");
    progress_clear(&progress);
    return rc;
}

static int run(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_CLUSTER h = {0};
    TST_AUTO_ERROR unreadable = NULL;
    int rc = cluster_open(cli_value(self, args, "--state"), args->rest[0], false, &h, &unreadable);

    /* a cluster file that no longer parses must not keep anything alive */
    if (rc && !h.state)
        return tst_fail(err, unreadable->code, "%s", unreadable->text), tst_hint(err, NULL, NULL, unreadable->fix);
    if (!state_is_ours(h.state)) {
        printf("nothing to do: no cluster in %s\n", h.state);
        return 0;
    }
    return take_down(&h, cli_value(self, args, "--purge") != NULL, cli_value(self, args, "--json") != NULL, err);
}

const struct cli_command cmd_down = {
    .name = "down",
    .operands = "[CLUSTER]",
    .min_operands = 0,
    .max_operands = 1,
    .summary = "take a cluster down, also one that is only half up",
    .exits = "0 nothing of it is left running, 2 no such cluster",
    .options = {{"--purge", NULL, "remove the state folder too: keys, log, shared folders"},
                {"--state", "DIR", "state folder (TESTUDO_STATE)"},
                {"--json", NULL, "what was done, as JSON; progress goes to stderr"}},
    .run = run,
};
