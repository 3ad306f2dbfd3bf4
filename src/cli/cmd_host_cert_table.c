/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_host_cert_table.c - `testudo host cert-table`: the table of certificates that QEMU hands to guests with an extended
 * report. Works on files only. Source: GHCB specification 2.x, "SNP Extended Guest Request". */
#include "cli/cmd_host.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- build ---- */
static int load(const struct cli_command *self, const struct cli_args *args, const char *option, struct tst_cert **out,
    struct tst_error **err)
{
    const char *path = cli_value(self, args, option);
    TST_AUTO_STR text = NULL;
    size_t n = 0, count = 0;
    if (!path)
        return 0;
    int rc = cli_read_file(path, 64 * 1024, &text, &n, err);
    if (rc == 0)
        rc = tst_certs_from_text(text, n, out, 1, &count, err);
    if (rc == 0 && count != 1)
        rc = tst_fail(err, TST_USAGE, "no certificate");
    return rc < 0 ? tst_wrap(err, "%s", path) : 0;
}

static int build(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    struct tst_snp_certs certs = {0};
    TST_AUTO_BUF table = {.max = 2 * TST_SNP_CERT_TABLE_MAX};
    int rc = load(self, args, "--vek", &certs.vek, err);
    if (rc == 0)
        rc = load(self, args, "--ask", &certs.ask, err);
    if (rc == 0)
        rc = load(self, args, "--ark", &certs.ark, err);
    if (rc == 0 && !certs.vek && !certs.ask && !certs.ark)
        rc = tst_fail(err, TST_USAGE, "host cert-table build: no certificate given");
    if (rc == 0)
        rc = tst_snp_cert_table_build(&certs, &table, err);
    if (rc == 0)
        rc = host_write_new(args->rest[0], table.p, table.n, err);
    if (rc == 0)
        printf("%s: %zu bytes\n", args->rest[0], table.n);
    tst_snp_certs_clear(&certs);
    return rc;
}

const struct cli_command cmd_host_cert_table_build = {
    .name = "host cert-table build",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "write the certificate table that a host gives its guests (QEMU: sev-snp-guest,certs-path=FILE)",
    .exits = "0 written, 2 bad usage or input",
    .options =
        {
            {"--vek", "FILE", "VCEK or VLEK certificate, DER or PEM"},
            {"--ask", "FILE", "ASK (or ASVK) certificate"},
            {"--ark", "FILE", "ARK certificate"},
        },
    .run = build,
};

/* ---- split ---- */
struct split {
    const char *folder;
    bool json;
    json_t *list;
    size_t index;
};

/* PEM or DER is kept as it is: the file's name says which. */
static int split_one(void *ctx, const struct tst_snp_cert_entry *e, struct tst_error **err)
{
    struct split *s = ctx;
    const char *ending = e->payload.n > 10 && memcmp(e->payload.p, "-----BEGIN", 10) == 0 ? "pem" : "der";
    char name[24] = "";
    snprintf(name, sizeof name, "%s", e->name ? e->name : "");
    for (char *c = name; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '-';
    TST_AUTO_STR path = tst_strdup_printf("%s/%zu-%s.%s", s->folder, ++s->index, e->name ? name : e->guid, ending);
    if (!path)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = host_write_new(path, e->payload.p, e->payload.n, err);
    if (rc < 0)
        return rc;
    if (!s->json)
        printf("%-12s%s  %6zu bytes  %s\n", e->name ? e->name : "unknown", e->guid, e->payload.n, path);
    else if (json_array_append_new(s->list, json_pack("{s:s,s:s*,s:I,s:s}", "guid", e->guid, "name", e->name, "bytes",
                                                      (json_int_t)e->payload.n, "file", path)) < 0)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    return 0;
}

/* The whole table is looked at before the first file is written. */
static int count_one(void *ctx, const struct tst_snp_cert_entry *e, struct tst_error **err)
{
    (void)e;
    (void)err;
    ++*(size_t *)ctx;
    return 0;
}

static int split(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    TST_AUTO_JSON list = json_array();
    size_t n = 0, entries = 0;
    struct split s = {.folder = args->rest[1], .json = cli_value(self, args, "--json") != NULL, .list = list};
    int rc = cli_read_file(args->rest[0], TST_SNP_CERT_TABLE_MAX, &text, &n, err);
    if (rc == 0)
        rc = tst_snp_cert_table_each(text, n, count_one, &entries, err);
    if (rc == 0 && entries == 0)
        rc = tst_fail(err, TST_USAGE, "the table is empty");
    if (rc < 0)
        return tst_wrap(err, "%s", args->rest[0]);
    if (mkdir(s.folder, 0755) < 0 && errno != EEXIST)
        return tst_fail(err, TST_USAGE, "%s: %s", s.folder, strerror(errno));
    rc = tst_snp_cert_table_each(text, n, split_one, &s, err);
    if (rc == 0 && s.json)
        cli_print_json(list);
    return rc;
}

const struct cli_command cmd_host_cert_table_split = {
    .name = "host cert-table split",
    .operands = "FILE FOLDER",
    .min_operands = 2,
    .max_operands = 2,
    .summary = "write each entry of a certificate table to a file of its own",
    .exits = "0 written, 2 bad usage or input",
    .options = {{"--json", NULL, "print what was written as JSON"}},
    .run = split,
};
