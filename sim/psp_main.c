/* SPDX-License-Identifier: Apache-2.0 */
/* sim/psp_main.c - testudo-psp: a software secure processor with a synthetic AMD key hierarchy, for tests and
 * demonstrations without hardware. Runs on the host side of a simulated node, never inside it. docs/simulator.md. */
#include "psp.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const char banner[] =
    "******************************************************************\n"
    "**  SIMULATED: this is NOT an AMD secure processor. It signs    **\n"
    "**  evidence with keys that lie in a directory. It protects     **\n"
    "**  nothing; its evidence must be marked SIMULATED everywhere.  **\n"
    "******************************************************************\n";

struct arguments {
    const char *state, *product, *report_version;
};

static const struct argument {
    const char *name, *value, *help;
    size_t offset;
} arguments[] = {
    {"state", "DIR", "directory for keys and socket (0700)", offsetof(struct arguments, state)},
    {"product", "PRODUCT", "init: genoa (default), turin or milan", offsetof(struct arguments, product)},
    {"report-version", "N", "serve: 3 (default) or 5", offsetof(struct arguments, report_version)},
};

static int init_run(const struct arguments *a, struct tst_error **err)
{
    AUTO_ROOT root = NULL;
    uint8_t spki[TST_SHA256_BYTES];
    char hex[2 * TST_SHA256_BYTES + 1];
    enum tst_snp_product product = tst_snp_product_of(a->product ? a->product : "genoa");
    if (!amd_product_of(product)) {
        tst_fail(err, TST_USAGE, "--product: not simulated");
        return tst_hint(err, "genoa, turin or milan", a->product, NULL);
    }
    int rc = amd_root_open(a->state, product, time(NULL), &root, err);
    if (!rc)
        rc = tst_key_spki_sha256(root->ark_key, spki, err);
    if (rc)
        return rc;
    tst_hex(spki, sizeof spki, hex);
    printf("{\"ark-spki-sha256\":\"%s\"}\n", hex);
    return fflush(stdout) ? tst_fail(err, TST_INTERNAL, "cannot write to standard output") : 0;
}

static int serve_run(const struct arguments *a, struct tst_error **err)
{
    const char *version = a->report_version ? a->report_version : "3";
    if (strcmp(version, "3") != 0 && strcmp(version, "5") != 0) {
        tst_fail(err, TST_USAGE, "--report-version: not simulated");
        return tst_hint(err, "3 or 5", version, NULL);
    }
    fputs(banner, stderr);
    return psp_serve(a->state, version[0] == '3' ? 3 : 5, err);
}

static const struct command {
    const char *name, *help;
    int (*run)(const struct arguments *a, struct tst_error **err);
} commands[] = {
    {"init", "make ARK and ASK below DIR unless they are there; print the ARK's fingerprint as JSON", init_run},
    {"serve", "serve DIR/psp.sock until SIGTERM", serve_run},
};

static void usage_print(FILE *to)
{
    fputs("usage: testudo-psp COMMAND --state DIR [OPTION]...\nA SIMULATED secure processor (SEV-SNP).\n\n", to);
    for (size_t i = 0; i < TST_COUNT(commands); i++)
        fprintf(to, "  %-28s%s\n", commands[i].name, commands[i].help);
    for (size_t i = 0; i < TST_COUNT(arguments); i++)
        fprintf(to, "  --%-14s %-10s %s\n", arguments[i].name, arguments[i].value, arguments[i].help);
    fputs("  --help\n", to);
}

/* Returns the code of the option that getopt_long found last: -1 when all are read. */
static int arguments_read(int argc, char **argv, struct arguments *out)
{
    struct option table[TST_COUNT(arguments) + 2] = {0};
    for (size_t i = 0; i < TST_COUNT(arguments); i++)
        table[i] = (struct option){arguments[i].name, required_argument, NULL, (int)i};
    table[TST_COUNT(arguments)] = (struct option){"help", no_argument, NULL, 'h'};
    int c;
    while ((c = getopt_long(argc, argv, "h", table, NULL)) >= 0 && c < (int)TST_COUNT(arguments))
        *(const char **)((char *)out + arguments[c].offset) = optarg;
    return c;
}

/* Keys in memory: no core file, no debugger of the same user. */
static int harden(struct tst_error **err)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        return tst_fail(err, TST_INTERNAL, "cannot forbid core dumps");
    return 0;
}

static int error_print(const struct tst_error *err, int rc)
{
    const struct {
        const char *label, *text;
    } rows[] = {{"expected", err ? err->expected : NULL}, {"found", err ? err->found : NULL},
                {"do", err ? err->fix : NULL}};
    fprintf(stderr, "testudo-psp: %s\n", err ? err->text : "out of memory");
    for (size_t i = 0; i < TST_COUNT(rows); i++)
        if (rows[i].text)
            fprintf(stderr, "  %s: %s\n", rows[i].label, rows[i].text);
    return tst_exit_status((enum tst_code)-rc);
}

void psp_log(const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    fprintf(stderr, "testudo-psp: SIMULATED: %s\n", line);
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    TST_AUTO_ERROR err = NULL;
    int c = arguments_read(argc, argv, &a);
    if (c == 'h') {
        usage_print(stdout);
        return 0;
    }
    const struct command *command = NULL;
    for (size_t i = 0; c == -1 && optind == argc - 1 && i < TST_COUNT(commands); i++)
        if (strcmp(argv[optind], commands[i].name) == 0)
            command = &commands[i];
    if (!command || !a.state) {
        usage_print(stderr);
        return tst_exit_status(TST_USAGE);
    }
    int rc = harden(&err);
    if (!rc)
        rc = command->run(&a, &err);
    return rc ? error_print(err, rc) : 0;
}
