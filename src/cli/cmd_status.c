/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_status.c - testudo status: every node as its machine, the broker and Slurm see it. */
#include <time.h>

#include "cli/cli.h"
#include "cluster/command.h"

#define SHORT_HEX 12

static const char *text_of(const json_t *node, const char *key)
{
    const char *text = json_string_value(json_object_get(node, key));

    return text && *text ? text : "-";
}

/* Time left of the lease: "9m51s". */
static void print_lease(const json_t *node, char out[16])
{
    TST_AUTO_ERROR ignored = NULL;
    time_t until;
    const char *text = json_string_value(json_object_get(node, "lease-until"));

    strcpy(out, "-");
    if (!text || tst_time_parse(text, &until, &ignored))
        return;
    long left = (long)(until - time(NULL));
    if (left > 0 && left < 100 * 3600)
        snprintf(out, 16, "%ldm%02lds", left / 60, left % 60);
}

static void print_node(const json_t *node)
{
    char lease[16];
    bool simulated = json_is_true(json_object_get(node, "simulated"));
    bool reserved = json_is_true(json_object_get(node, "reserved")), alive = json_is_true(json_object_get(node, "alive"));

    print_lease(node, lease);
    printf("%-8s %-7s %-10s %-13s %-8s %-9s %-9s %-9s %-*.*s %-*.*s %-8s %s\n", text_of(node, "instance"),
           text_of(node, "realm"), text_of(node, "role"), text_of(node, "address"), alive ? "runs" : reserved ? "reserved" : "dead",
           text_of(node, "state"), text_of(node, "level"), simulated ? "SIMULATED" : "-", SHORT_HEX, SHORT_HEX,
           text_of(node, "digest"), SHORT_HEX, SHORT_HEX, text_of(node, "chip-id"), lease, text_of(node, "slurm"));
    if (strcmp(text_of(node, "reason"), "-"))
        printf("         refused: %s\n", text_of(node, "reason"));
}

static void print_table(const json_t *status)
{
    json_t *broker = json_object_get(status, "broker"), *nodes = json_object_get(status, "nodes"), *node;
    size_t i;

    if (json_is_true(json_object_get(status, "simulated")))
        puts("*** SIMULATED: evidence is signed by software on this machine; it proves nothing about hardware ***");
    printf("cluster %s, provider %s, broker %s (%s), simulator %s\n\n", text_of(status, "cluster"), text_of(status, "provider"),
           text_of(broker, "address"),
           json_is_true(json_object_get(broker, "answers")) ? "answers"
           : json_is_true(json_object_get(broker, "alive")) ? "runs, does not answer"
                                                            : "down",
           json_is_true(json_object_get(json_object_get(status, "simulator"), "alive")) ? "runs" : "down");
    printf("%-8s %-7s %-10s %-13s %-8s %-9s %-9s %-9s %-*s %-*s %-8s %s\n", "INSTANCE", "REALM", "ROLE", "ADDRESS", "MACHINE",
           "BROKER", "LEVEL", "MARK", SHORT_HEX, "DIGEST", SHORT_HEX, "CHIP", "LEASE", "SLURM");
    json_array_foreach(nodes, i, node)
        print_node(node);
}

static int run(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_CLUSTER h = {0};
    TST_AUTO_JSON status = NULL;
    int rc;

    if ((rc = cluster_open(cli_value(self, args, "--state"), args->rest[0], true, &h, err)) ||
        (rc = h.provider->status(h.state, h.plan, &status, err)))
        return rc;
    if (cli_value(self, args, "--json"))
        cli_print_json(status);
    else
        print_table(status);
    bool answers = json_is_true(json_object_get(json_object_get(status, "broker"), "answers"));
    return answers ? 0 : tst_exit_status(TST_UNREACHABLE);
}

const struct cli_command cmd_status = {
    .name = "status",
    .operands = "[CLUSTER]",
    .min_operands = 0,
    .max_operands = 1,
    .summary = "show every node: machine, broker, level, mark, digest, chip, lease, Slurm",
    .exits = "0 printed, 2 no such cluster, 5 printed, but the broker does not answer",
    .options = {{"--state", "DIR", "state folder (TESTUDO_STATE)"}, {"--json", NULL, "everything that is known, as JSON"}},
    .run = run,
};
