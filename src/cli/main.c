/* SPDX-License-Identifier: Apache-2.0 */
/* cli/main.c - testudo: finds the command in the table, reads its options, prints its error. Help is printed from the
 * same table. Exit status: include/testudo/error.h. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "platform/process.h"

static const struct cli_command *const commands[] = {
    &cmd_plan, &cmd_up,     &cmd_status,          &cmd_exec,     &cmd_logs,
    &cmd_collateral_fetch, &cmd_collateral_list, &cmd_collateral_refresh, &cmd_collateral_export, &cmd_collateral_import,
    &cmd_launch, &cmd_down, &cmd_evidence_verify, &cmd_log_show, &cmd_log_verify,
    &cmd_check, &cmd_host_status, &cmd_host_config, &cmd_host_commit, &cmd_host_vlek_load, &cmd_host_cert_table_build,
    &cmd_host_cert_table_split, &cmd_host_pdh_export, &cmd_host_pek_csr, &cmd_host_pek_import, &cmd_host_reset,
    &cmd_evidence_show, &cmd_evidence_explain, &cmd_evidence_get, &cmd_evidence_key,
    &cmd_measure_explain, &cmd_measure_firmware, &cmd_measure_igvm, &cmd_measure_id_block, &cmd_measure_id_verify, &cmd_measure_id_key,
    &cmd_sev_show, &cmd_sev_verify, &cmd_sev_session, &cmd_sev_measurement_build, &cmd_sev_measurement_verify,
    &cmd_sev_secret_build, &cmd_sev_vmsa_build, &cmd_sev_vmsa_update, &cmd_sev_vmsa_show, &cmd_sev_report_verify,
    &cmd_policy_init, &cmd_policy_lint, &cmd_policy_test, &cmd_policy_floors,
    &cmd_measure, /* after the commands whose names begin with its own */
};

static void print_synopsis(FILE *to, const struct cli_command *c)
{
    fprintf(to, "testudo %s", c->name);
    for (const struct cli_option *o = c->options; o->name; o++)
        fprintf(to, " [%s%s%s]", o->name, o->operand ? " " : "", o->operand ? o->operand : "");
    fprintf(to, "%s%s\n", c->operands[0] ? " " : "", c->operands);
}

static void print_help(FILE *to, const struct cli_command *c)
{
    fputs("usage: ", to);
    print_synopsis(to, c);
    fprintf(to, "  %s\n", c->summary);
    for (const struct cli_option *o = c->options; o->name; o++)
        fprintf(to, "  %s%s%-*s %s\n", o->name, o->operand ? " " : "", 24 - (int)strlen(o->name), o->operand ? o->operand : "", o->help);
    fprintf(to, "exit status: %s\n", c->exits);
}

static void print_overview(FILE *to)
{
    fputs("usage: testudo COMMAND [OPTIONS] ...      (`testudo COMMAND --help` says more)\n\n", to);
    for (size_t i = 0; i < TST_COUNT(commands); i++)
        fprintf(to, "  %-18s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nexit status: 0 holds or done, 1 refuted, 2 usage, 3 undecidable, 4 refused by policy, 5 unreachable, 70 internal\n", to);
}

/* How many leading arguments the command's name takes ("evidence verify" takes 2); 0 = not this one. */
static int name_words(const struct cli_command *c, int argc, char **argv)
{
    TST_AUTO_STR name = strdup(c->name);
    char *save = NULL;
    int n = 0;
    for (char *w = name ? strtok_r(name, " ", &save) : NULL; w; w = strtok_r(NULL, " ", &save), n++)
        if (n >= argc || strcmp(argv[n], w) != 0)
            return 0;
    return n;
}

static int option_index(const struct cli_command *c, const char *name, size_t n)
{
    for (int i = 0; c->options[i].name; i++)
        if (strlen(c->options[i].name) == n && strncmp(c->options[i].name, name, n) == 0)
            return i;
    return -1;
}

static int usage_fail(const struct cli_command *c, struct tst_error **err, const char *what, const char *arg)
{
    char fix[128];
    snprintf(fix, sizeof fix, "see `testudo %s --help`", c->name);
    tst_fail(err, TST_USAGE, "%s: %s%s%s", c->name, what, arg ? " " : "", arg ? arg : "");
    return tst_hint(err, NULL, NULL, fix);
}

/* One option at argv[*i]; moves *i over its operand. */
static int take_option(const struct cli_command *c, int argc, char **argv, int *i, struct cli_args *a, struct tst_error **err)
{
    const char *arg = argv[*i], *equals = strchr(arg, '=');
    int o = option_index(c, arg, equals ? (size_t)(equals - arg) : strlen(arg));
    if (o < 0)
        return usage_fail(c, err, "unknown option", arg);
    if (a->values[o])
        return usage_fail(c, err, "option given twice:", arg);
    if (!c->options[o].operand) {
        a->values[o] = "";
        return equals ? usage_fail(c, err, "takes no operand:", arg) : 0;
    }
    if (!equals && *i + 1 >= argc)
        return usage_fail(c, err, "operand missing after", arg);
    a->values[o] = equals ? equals + 1 : argv[++*i];
    return 0;
}

/* Options end at "--", and at the first operand of a command that runs another command. */
static int parse(const struct cli_command *c, int argc, char **argv, struct cli_args *a, struct tst_error **err)
{
    bool runs_command = strstr(c->operands, "COMMAND") != NULL, options = true;
    int r = 0;
    for (int i = 0; i < argc && !r; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1])
            r = take_option(c, argc, argv, &i, a, err);
        else {
            a->rest[a->rest_count++] = argv[i];
            if (runs_command && a->rest_count >= 2)
                options = false;
        }
    }
    if (!r && a->rest_count < c->min_operands)
        return usage_fail(c, err, "operand missing, want", c->operands);
    if (!r && c->max_operands >= 0 && a->rest_count > c->max_operands)
        return usage_fail(c, err, "unexpected operand", a->rest[c->max_operands]);
    return r;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int print_error(const struct tst_error *e)
{
    fprintf(stderr, "testudo: %s\n", e->text);
    if (e->expected)
        fprintf(stderr, "  expected: %s\n", e->expected);
    if (e->found)
        fprintf(stderr, "  found:    %s\n", e->found);
    if (e->fix)
        fprintf(stderr, "  to do:    %s\n", e->fix);
    return tst_exit_status(e->code);
}

static int run_command(const struct cli_command *c, int argc, char **argv)
{
    TST_AUTO_ERROR err = NULL;
    struct cli_args a = { .rest = calloc((size_t)argc + 1, sizeof *a.rest) };
    if (!a.rest)
        return tst_exit_status(TST_INTERNAL);
    int r = parse(c, argc, argv, &a, &err);
    if (!r)
        r = c->run(c, &a, &err);
    free(a.rest);
    if (r < 0 && !err)
        tst_fail(&err, (enum tst_code)-r, "%s failed", c->name);
    return r < 0 ? print_error(err) : r;
}

int main(int argc, char **argv)
{
    process_harden();
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("testudo " TESTUDO_VERSION);
        return 0;
    }
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_overview(argc < 2 ? stderr : stdout);
        return argc < 2 ? tst_exit_status(TST_USAGE) : 0;
    }
    for (size_t i = 0; i < TST_COUNT(commands); i++) {
        int words = name_words(commands[i], argc - 1, argv + 1);
        if (!words)
            continue;
        if (wants_help(argc - 1 - words, argv + 1 + words)) {
            print_help(stdout, commands[i]);
            return 0;
        }
        return run_command(commands[i], argc - 1 - words, argv + 1 + words);
    }
    fprintf(stderr, "testudo: no command '%s'; `testudo --help` lists them\n", argv[1]);
    return tst_exit_status(TST_USAGE);
}
