/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cli.h - the table of commands: each file of src/cli defines one struct tst_command. */
#ifndef TESTUDO_CLI_H
#define TESTUDO_CLI_H

#include <stdio.h>

#include <testudo/base.h>

struct cli_option {
    const char *name;    /* "--json" */
    const char *operand; /* NULL for a flag, else "FILE", "RFC3339", ... */
    const char *help;
};
struct cli_args {
    const char *values[16]; /* same index as options[]; "" for a flag that is set; NULL if absent */
    const char **rest;      /* positional arguments, after "--" too; NULL-terminated */
    int rest_count;
};
struct cli_command {
    const char *name;     /* "evidence verify" */
    const char *operands; /* "FILE", "[NODE]", "NODE -- COMMAND..." */
    int min_operands, max_operands; /* max -1 = any */
    const char *summary;  /* one line */
    const char *exits;    /* "0 verified, 1 refuted, 3 ..." */
    struct cli_option options[16]; /* ended by name NULL */
    /* 0 or an exit status > 0 after having printed its result, or -code with *err set (main prints the error). */
    int (*run)(const struct cli_command *self, const struct cli_args *args, struct tst_error **err);
};
/* Value of option `name`; NULL if absent. Aborts on a name that the table does not have. */
const char *cli_value(const struct cli_command *c, const struct cli_args *a, const char *name);
/* Reads a whole file ("-" = standard input) of at most max bytes; NUL-terminated. */
int cli_read_file(const char *path, size_t max, char **text, size_t *n, struct tst_error **err);
void cli_print_json(const json_t *v); /* indented, to stdout */

extern const struct cli_command cmd_evidence_verify;
extern const struct cli_command cmd_plan, cmd_up, cmd_down, cmd_status, cmd_exec, cmd_logs, cmd_launch;
extern const struct cli_command cmd_log_show, cmd_log_verify;
#endif
