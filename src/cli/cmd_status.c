/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_status.c - testudo status: every node as its machine, the broker and Slurm see it. */
#include <time.h>

#include "cli/cli.h"
#include "cluster/command.h"

#define CELL_BYTES 24

static const char *text_of(const json_t *node, const char *key)
{
    const char *text = json_string_value(json_object_get(node, key));

    return text && *text ? text : "-";
}

static bool is_true(const json_t *node, const char *key)
{
    return json_is_true(json_object_get(node, key));
}

static void cell_machine(const json_t *node, char out[CELL_BYTES])
{
    snprintf(out, CELL_BYTES, "%s", is_true(node, "alive") ? "runs" : is_true(node, "reserved") ? "reserved" : "dead");
}

static void cell_mark(const json_t *node, char out[CELL_BYTES])
{
    snprintf(out, CELL_BYTES, "%s", is_true(node, "simulated") ? "SIMULATED" : "-");
}

/* Time left: "9m51s". */
static void cell_lease(const json_t *node, char out[CELL_BYTES])
{
    TST_AUTO_ERROR ignored = NULL;
    time_t until;

    snprintf(out, CELL_BYTES, "-");
    if (tst_time_parse(text_of(node, "lease-until"), &until, &ignored))
        return;
    long left = (long)(until - time(NULL));
    if (left > 0 && left < 100 * 3600)
        snprintf(out, CELL_BYTES, "%ldm%02lds", left / 60, left % 60);
}

/* The table's columns: a member of the node as it is, or what a function makes of it; cut to the width. */
static const struct column {
    const char *title;
    int width;
    const char *key;
    void (*print)(const json_t *node, char out[CELL_BYTES]);
} columns[] = {
    {"INSTANCE", 8, "instance", NULL}, {"REALM", 7, "realm", NULL},    {"ROLE", 10, "role", NULL},
    {"ADDRESS", 15, "address", NULL},  {"MACHINE", 8, NULL, cell_machine}, {"BROKER", 8, "state", NULL},
    {"LEVEL", 8, "level", NULL},       {"MARK", 9, NULL, cell_mark},   {"DIGEST", 12, "digest", NULL},
    {"CHIP", 12, "chip-id", NULL},     {"LEASE", 7, NULL, cell_lease}, {"SLURM", 12, "slurm", NULL},
};

static void print_node(const json_t *node)
{
    for (size_t i = 0; i < TST_COUNT(columns); i++) {
        const struct column *c = &columns[i];
        char cell[CELL_BYTES];
        if (c->print)
            c->print(node, cell);
        else
            snprintf(cell, sizeof cell, "%s", text_of(node, c->key));
        printf("%-*.*s%s", c->width, c->width, cell, i + 1 < TST_COUNT(columns) ? " " : "\n");
    }
    if (json_is_string(json_object_get(node, "reason")))
        printf("         refused: %s\n", text_of(node, "reason"));
}

static void print_head(const json_t *status)
{
    const json_t *broker = json_object_get(status, "broker"), *simulator = json_object_get(status, "simulator");

    if (is_true(status, "simulated"))
        puts("*** SIMULATED: evidence is signed by software on this machine; it proves nothing about hardware ***");
    printf("cluster %s, provider %s, broker %s (%s), simulator %s\n\n", text_of(status, "cluster"),
           text_of(status, "provider"), text_of(broker, "address"),
           is_true(broker, "answers") ? "answers" : is_true(broker, "alive") ? "runs, does not answer" : "down",
           is_true(simulator, "alive") ? "runs" : "down");
}

static void print_table(const json_t *status)
{
    const json_t *node;
    size_t i;

    print_head(status);
    for (i = 0; i < TST_COUNT(columns); i++)
        printf("%-*s%s", columns[i].width, columns[i].title, i + 1 < TST_COUNT(columns) ? " " : "\n");
    json_array_foreach(json_object_get(status, "nodes"), i, node)
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
    return is_true(json_object_get(status, "broker"), "answers") ? 0 : tst_exit_status(TST_UNREACHABLE);
}

const struct cli_command cmd_status = {
    .name = "status",
    .operands = "[CLUSTER]",
    .min_operands = 0,
    .max_operands = 1,
    .summary = "show every node: machine, broker, level, mark, digest, chip, lease, Slurm",
    .exits = "0 printed, 2 no such cluster, 5 printed, but the broker does not answer",
    .options = {{"--state", "DIR", "state folder (TESTUDO_STATE)"},
                {"--json", NULL, "everything that is known, as JSON"}},
    .run = run,
};
