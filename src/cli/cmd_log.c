/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_log.c - testudo log show|verify: read and check the broker's decision log, straight from its database, so that
 * a stopped broker's log can be checked too. */
#include <inttypes.h>
#include <limits.h>

#include "broker/broker.h"
#include "cli/cli.h"
#include "cluster/state.h"

/* STATE/broker of the chosen cluster. */
static int broker_folder(const struct cli_command *c, const struct cli_args *a, char out[PATH_MAX], struct tst_error **err)
{
    TST_AUTO_STR state = NULL;
    int r = state_find(cli_value(c, a, "--state"), NULL, &state, err);
    if (r)
        return r;
    return snprintf(out, PATH_MAX, "%s/broker", state) < PATH_MAX ? 0 : tst_fail(err, TST_USAGE, "state folder: path too long");
}

/* One snapshot for all reads: the broker may be writing. */
static int open_log(const char *folder, sqlite3 **db, struct tst_error **err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/broker.db", folder) >= (int)sizeof path)
        return tst_fail(err, TST_USAGE, "state folder: path too long");
    int r = db_open_readonly(path, db, err);
    return r ? r : db_run(*db, err, "BEGIN", "");
}

static void print_row(const json_t *row)
{
    const char *reason = json_string_value(json_object_get(row, "reason"));
    printf("%6" JSON_INTEGER_FORMAT "  %s  %-18s %-7s %-12s %s\n", json_integer_value(json_object_get(row, "index")),
           json_string_value(json_object_get(row, "time")), json_string_value(json_object_get(row, "actor")),
           json_string_value(json_object_get(row, "verb")), json_string_value(json_object_get(row, "subject")), reason);
}

static int show(const struct cli_command *c, const struct cli_args *a, struct tst_error **err)
{
    char folder[PATH_MAX];
    AUTO_DB db = NULL;
    TST_AUTO_JSON rows = NULL;
    const json_t *row;
    size_t i;
    int r = broker_folder(c, a, folder, err);
    if (r || (r = open_log(folder, &db, err)) || (r = log_rows_json(db, 1, INT64_MAX, &rows, err)))
        return r;
    if (cli_value(c, a, "--json")) {
        cli_print_json(rows);
        return 0;
    }
    json_array_foreach(rows, i, row)
        print_row(row);
    return 0;
}

static void print_verified(const struct log_head *head, bool as_json)
{
    char hash[2 * TST_SHA256_BYTES + 1];
    tst_hex(head->hash, sizeof head->hash, hash);
    if (as_json)
        printf("{\"verified\":true,\"index\":%" PRId64 ",\"head\":\"%s\"}\n", head->index, hash);
    else
        printf("log holds: %" PRId64 " rows, head %s, signature verified\n", head->index, hash);
}

static int verify(const struct cli_command *c, const struct cli_args *a, struct tst_error **err)
{
    char folder[PATH_MAX];
    AUTO_DB db = NULL;
    TST_AUTO_KEY key = NULL;
    struct log_head head;
    int r = broker_folder(c, a, folder, err);
    if (r || (r = identity_load_log_key(folder, &key, err)) || (r = open_log(folder, &db, err)) ||
        (r = log_verify(db, key, cli_value(c, a, "--head"), &head, err)))
        return r;
    print_verified(&head, cli_value(c, a, "--json") != NULL);
    return 0;
}

const struct cli_command cmd_log_show = {
    .name = "log show",
    .operands = "",
    .summary = "print the broker's decision log",
    .exits = "0 printed, 2 no such state folder",
    .options = { { "--state", "DIR", "state folder of the cluster" }, { "--json", NULL, "rows as JSON" } },
    .run = show,
};
const struct cli_command cmd_log_verify = {
    .name = "log verify",
    .operands = "",
    .summary = "check the log's chain and signed head",
    .exits = "0 holds, 1 a row was cut, edited, removed or swapped, 2 no such state folder",
    .options = { { "--state", "DIR", "state folder of the cluster" },
                 { "--head", "HASH", "a head seen earlier, which the log must still contain" },
                 { "--json", NULL, "result as JSON" } },
    .run = verify,
};
