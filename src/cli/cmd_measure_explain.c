/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_measure_explain.c - `testudo measure explain`: a guest's digest is not the one that was computed; which of the usual
 * differences leads to it? */
#include <stdlib.h>

#include "cmd_measure.h"

#define MAX_VCPUS_USUAL 256
#define REPORT_FILE_MAX 65536

/* Hex, or a file with a report. */
static int read_got(const char *text, size_t want, uint8_t out[TST_SHA384_BYTES], struct tst_error **err)
{
    TST_AUTO_STR bytes = NULL;
    struct tst_snp_report report;
    size_t n = 0;
    if (strspn(text, "0123456789abcdefABCDEF") == strlen(text)) {
        if (strlen(text) != 2 * want)
            return tst_fail(err, TST_USAGE, "--got: %zu hex digits, this mode's digest has %zu", strlen(text), 2 * want);
        return tst_unhex(text, out, want, err);
    }
    int rc = cli_read_file(text, REPORT_FILE_MAX, &bytes, &n, err);
    if (rc == 0)
        rc = tst_snp_report_parse(bytes, n, &report, err);
    if (rc < 0) {
        tst_wrap(err, "--got");
        return tst_hint(err, "a digest in hex, or a file with a raw attestation report", NULL, NULL);
    }
    if (want != sizeof report.measurement)
        return tst_fail(err, TST_USAGE, "--got: only snp guests have attestation reports");
    memcpy(out, report.measurement, sizeof report.measurement);
    return 0;
}

static void print_explanation(const struct tst_explanation *e)
{
    if (e->found && e->change_count == 0) {
        puts("explained: this is the digest of the launch exactly as given");
        return;
    }
    if (e->found) {
        printf("explained: the guest was started with %s\n\n", e->change_count == 1 ? "one difference" : "these differences");
        for (size_t i = 0; i < e->change_count; i++)
            printf("  %-14s given: %s\n  %-14s found: %s\n", e->changes[i].what, e->changes[i].given, "", e->changes[i].found);
        return;
    }
    printf("not explained: none of %llu combinations has this digest. Tried:\n\n", (unsigned long long)e->combinations);
    for (size_t i = 0; i < e->tried_count; i++)
        printf("  %s\n", e->tried[i]);
    puts("\nNot tried: another firmware, kernel, initrd or command line. Compare these files with those of the host first.");
}

static int explanation_json(const struct tst_explanation *e, json_t **out)
{
    json_t *changes = json_array(), *tried = json_array();
    TST_AUTO_JSON o = json_pack("{s:b, s:o, s:o, s:I}", "explained", e->found, "changes", changes, "tried", tried, "combinations",
                                (json_int_t)e->combinations);
    if (!o)
        return -1;
    for (size_t i = 0; i < e->change_count; i++)
        if (json_array_append_new(changes, json_pack("{s:s, s:s, s:s}", "what", e->changes[i].what, "given", e->changes[i].given, "found",
                                                     e->changes[i].found)) < 0)
            return -1;
    for (size_t i = 0; i < e->tried_count; i++)
        if (json_array_append_new(tried, json_string(e->tried[i])) < 0)
            return -1;
    *out = TST_STEAL(o);
    return 0;
}

static int show(const struct tst_explanation *e, bool json, struct tst_error **err)
{
    TST_AUTO_JSON o = NULL;
    if (!json) {
        print_explanation(e);
    } else {
        if (explanation_json(e, &o) < 0)
            return tst_fail(err, TST_INTERNAL, "out of memory");
        cli_print_json(o);
    }
    return e->found ? 0 : tst_exit_status(TST_REFUTED);
}

static int measure_explain(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_LAUNCH l = {.firmware = NULL};
    TST_AUTO_EXPLANATION e = NULL;
    const char *got = cli_value(self, args, "--got"), *max = cli_value(self, args, "--max-vcpus");
    uint8_t digest[TST_SHA384_BYTES];
    uint64_t max_vcpus = MAX_VCPUS_USUAL;
    if (!got)
        return tst_fail(err, TST_USAGE, "--got is missing: which digest did the guest have?");
    int rc = measure_launch_read(self, args, &l, err);
    size_t want = l.in.mode == TST_MEASURE_SNP ? TST_SHA384_BYTES : TST_SHA256_BYTES;
    if (rc == 0 && (l.vcpus_count > 1 || l.cpu_count > 1))
        rc = tst_fail(err, TST_USAGE, "explain starts from one flavor: give one --vcpus and one --vcpu-type");
    if (rc == 0)
        rc = read_got(got, want, digest, err);
    if (rc == 0 && max)
        rc = measure_number("--max-vcpus", max, TST_VCPUS_MAX, &max_vcpus, err);
    if (rc == 0)
        rc = tst_measure_explain(&l.in, (unsigned)max_vcpus, digest, want, &e, err);
    return rc < 0 || !e ? rc : show(e, cli_value(self, args, "--json") != NULL, err);
}

const struct cli_command cmd_measure_explain = {
    .name = "measure explain",
    .operands = "",
    .max_operands = 0,
    .summary = "find out why a guest's launch digest is not the computed one",
    .exits = "0 explained, 1 not explained, 2 bad usage or input",
    .options = {MEASURE_LAUNCH_OPTIONS,
                {"--got", "DIGEST", "the digest that the guest had, in hex, or a file with its raw report"},
                {"--max-vcpus", "N", "try 1 to N vCPUs (default 256)"},
                {"--json", NULL, "print as JSON"}},
    .run = measure_explain,
};
