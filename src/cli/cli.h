/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cli.h - the table of commands: each file of src/cli defines one struct tst_command. */
#ifndef TESTUDO_CLI_H
#define TESTUDO_CLI_H

#include <stdio.h>

#include <testudo/base.h>

#define CLI_OPTIONS_MAX 32
struct cli_option {
    const char *name;    /* "--json" */
    const char *operand; /* NULL for a flag, else "FILE", "RFC3339", ... */
    const char *help;
};
struct cli_args {
    const char *values[CLI_OPTIONS_MAX]; /* same index as options[]; "" for a flag that is set; NULL if absent */
    const char **rest;      /* positional arguments, after "--" too; NULL-terminated */
    int rest_count;
};
struct cli_command {
    const char *name;     /* "evidence verify" */
    const char *operands; /* "FILE", "[NODE]", "NODE -- COMMAND..." */
    int min_operands, max_operands; /* max -1 = any */
    const char *summary;  /* one line */
    const char *exits;    /* "0 verified, 1 refuted, 3 ..." */
    struct cli_option options[CLI_OPTIONS_MAX]; /* ended by name NULL */
    /* 0 or an exit status > 0 after having printed its result, or -code with *err set (main prints the error). */
    int (*run)(const struct cli_command *self, const struct cli_args *args, struct tst_error **err);
};
/* Value of option `name`; NULL if absent. Aborts on a name that the table does not have. */
const char *cli_value(const struct cli_command *c, const struct cli_args *a, const char *name);
/* Reads a whole file ("-" = standard input) of at most max bytes; NUL-terminated. */
int cli_read_file(const char *path, size_t max, char **text, size_t *n, struct tst_error **err);
void cli_print_json(const json_t *v); /* indented, to stdout */

extern const struct cli_command cmd_evidence_verify, cmd_evidence_show, cmd_evidence_get, cmd_evidence_key, cmd_evidence_explain;
extern const struct cli_command cmd_plan, cmd_up, cmd_down, cmd_status, cmd_exec, cmd_logs, cmd_launch;
extern const struct cli_command cmd_log_show, cmd_log_verify;
extern const struct cli_command cmd_policy_floors, cmd_policy_init, cmd_policy_lint, cmd_policy_test;
extern const struct cli_command cmd_check, cmd_host_status, cmd_host_config, cmd_host_commit, cmd_host_vlek_load, cmd_host_reset;
extern const struct cli_command cmd_host_cert_table_build, cmd_host_cert_table_split, cmd_host_pdh_export, cmd_host_pek_csr;
extern const struct cli_command cmd_host_pek_import;
extern const struct cli_command cmd_measure, cmd_measure_explain, cmd_measure_firmware, cmd_measure_igvm;
extern const struct cli_command cmd_measure_id_block, cmd_measure_id_verify, cmd_measure_id_key;
extern const struct cli_command cmd_collateral_fetch, cmd_collateral_import, cmd_collateral_export, cmd_collateral_list;
extern const struct cli_command cmd_collateral_refresh;
extern const struct cli_command cmd_sev_show, cmd_sev_verify, cmd_sev_session, cmd_sev_measurement_build;
extern const struct cli_command cmd_sev_measurement_verify, cmd_sev_secret_build, cmd_sev_vmsa_build, cmd_sev_vmsa_update;
extern const struct cli_command cmd_sev_vmsa_show, cmd_sev_report_verify;
#endif
