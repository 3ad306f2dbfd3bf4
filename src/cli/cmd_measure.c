/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_measure.c - `testudo measure`: the launch digest of every flavor (vCPUs x CPU type) of one guest, as a table, as
 * JSON, or as reference values for a policy. */
#include <stdlib.h>

#include "cmd_measure.h"

#define FLAVORS_MAX 256
struct flavor {
    unsigned vcpus;
    const struct measure_cpu *cpu;
    struct tst_measurement m;
};
struct flavors {
    struct flavor list[FLAVORS_MAX];
    size_t count;
};

/* ---- measuring ---- */
/* SNP: the firmware is the same for all flavors, so it is hashed once. */
static int share_firmware(struct tst_measure_in *in, uint8_t digest[TST_SHA384_BYTES], struct tst_error **err)
{
    if (in->mode != TST_MEASURE_SNP || in->firmware_digest)
        return 0;
    int rc = tst_measure_firmware(in, digest, err);
    if (rc == 0)
        in->firmware_digest = digest;
    return rc;
}

static int measure_flavors(const struct measure_launch *l, struct flavors *out, struct tst_error **err)
{
    uint8_t firmware[TST_SHA384_BYTES];
    struct tst_measure_in in = l->in;
    if (l->cpu_count * l->vcpus_count > FLAVORS_MAX)
        return tst_fail(err, TST_TOO_LARGE, "%zu flavors, at most %d", l->cpu_count * l->vcpus_count, FLAVORS_MAX);
    int rc = share_firmware(&in, firmware, err);
    for (size_t c = 0; rc == 0 && c < l->cpu_count; c++) {
        for (size_t v = 0; rc == 0 && v < l->vcpus_count; v++) {
            struct flavor *f = &out->list[out->count++];
            *f = (struct flavor){.vcpus = l->vcpus[v], .cpu = &l->cpus[c]};
            in.vcpus = f->vcpus;
            in.signature = f->cpu->signature;
            rc = tst_measure(&in, &f->m, err);
        }
    }
    return rc;
}

/* What runs after the initrd is measured only by dm-verity's root hash in the command line. An initrd that verifies by
 * other means is its owner's word: --level measured. */
static bool is_measured(const struct measure_launch *l)
{
    const char *cmdline = l->in.kernel ? l->kernel.cmdline_text : "";
    return strstr(cmdline, "roothash=") || strstr(cmdline, "dm-mod.create=");
}

/* ---- output ---- */
static void print_launch(const struct cli_command *self, const struct cli_args *args, const struct measure_launch *l)
{
    const struct tst_measure_in *in = &l->in;
    printf("%s guest on %s, firmware %s (%zu bytes)\n", tst_measure_mode_name(in->mode), measure_vmm_text(in),
           cli_value(self, args, "--firmware"), in->firmware.n);
    if (in->svsm.p)
        printf("SVSM %s (%zu bytes)\n", cli_value(self, args, "--svsm"), in->svsm.n);
    if (in->kernel)
        printf("kernel %s, initrd %s, command line \"%s\"\n", cli_value(self, args, "--kernel"),
               l->kernel.has_initrd ? cli_value(self, args, "--initrd") : "none", l->kernel.cmdline_text);
    else
        puts("kernel, initrd and command line: not measured");
    if (in->mode != TST_MEASURE_SEV) {
        fputs("SEV features ", stdout);
        measure_print_features(in->sev_features);
        putchar('\n');
    }
}

static void print_table(const struct cli_command *self, const struct cli_args *args, const struct measure_launch *l, const struct flavors *f)
{
    int width = (int)strlen("cpu");
    print_launch(self, args, l);
    for (size_t i = 0; i < f->count; i++)
        width = (int)strlen(f->list[i].cpu->text) > width ? (int)strlen(f->list[i].cpu->text) : width;
    printf("\nvcpus  %-*s  launch digest\n", width, "cpu");
    for (size_t i = 0; i < f->count; i++) {
        char hex[2 * TST_SHA384_BYTES + 1];
        tst_hex(f->list[i].m.digest, f->list[i].m.bytes, hex);
        printf("%5u  %-*s  %s\n", f->list[i].vcpus, width, f->list[i].cpu->text, hex);
    }
    if (l->in.mode == TST_MEASURE_SNP)
        printf("\nlevel %s%s\n", is_measured(l) ? "measured" : "firmware",
               is_measured(l) ? "" : l->in.kernel ? ": the command line has no roothash=, so the root file system is not measured"
                                                  : ": what boots after the firmware is not measured");
}

static int flavor_json(const struct flavor *f, json_t *list, struct tst_error **err)
{
    json_t *o = json_pack("{s:i, s:s, s:I}", "vcpus", (int)f->vcpus, "cpu", f->cpu->text, "signature", (json_int_t)f->cpu->signature);
    if (!o || json_array_append_new(list, o) < 0)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    return tst_json_set_hex(o, "digest", f->m.digest, f->m.bytes, err);
}

static int print_json(const struct measure_launch *l, const struct flavors *f, struct tst_error **err)
{
    json_t *list = json_array();
    TST_AUTO_JSON o = json_pack("{s:s, s:s, s:I, s:s, s:o}", "mode", tst_measure_mode_name(l->in.mode), "vmm", measure_vmm_text(&l->in),
                                "sev-features", (json_int_t)l->in.sev_features, "level", is_measured(l) ? "measured" : "firmware",
                                "flavors", list);
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < f->count; i++)
        rc = flavor_json(&f->list[i], list, err);
    if (rc == 0)
        cli_print_json(o);
    return rc;
}

/* ---- reference values ---- */
static const char *reference_name(const struct cli_command *self, const struct cli_args *args)
{
    const char *name = cli_value(self, args, "--name"), *file = cli_value(self, args, "--firmware"), *slash = strrchr(file, '/');
    return name ? name : slash ? slash + 1 : file;
}

static int write_references(const struct cli_command *self, const struct cli_args *args, const struct measure_launch *l,
                            const struct flavors *f, struct tst_error **err)
{
    struct measure_reference *refs = calloc(f->count + 1, sizeof *refs);
    const char *name = reference_name(self, args);
    int rc = refs ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0 && l->in.mode != TST_MEASURE_SNP)
        rc = tst_fail(err, TST_USAGE, "--out: reference values are for snp; sev and es guests carry no report that a policy judges");
    for (size_t i = 0; rc == 0 && i < f->count; i++) {
        int n = snprintf(refs[i].name, sizeof refs[i].name, "%s %s %s x%u", name, measure_vmm_text(&l->in), f->list[i].cpu->text, f->list[i].vcpus);
        if (n < 0 || (size_t)n >= sizeof refs[i].name)
            rc = tst_fail(err, TST_USAGE, "--name: with CPU and vCPUs it is longer than %zu characters", sizeof refs[i].name - 1);
        else
            memcpy(refs[i].digest, f->list[i].m.digest, sizeof refs[i].digest);
    }
    if (rc == 0)
        rc = measure_references_write(self, args, refs, f->count, is_measured(l), l->in.kernel != NULL, err);
    free(refs);
    return rc;
}

static int measure(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_LAUNCH l = {.firmware = NULL};
    struct flavors f = {.count = 0};
    const char *out = cli_value(self, args, "--out");
    int rc = measure_launch_read(self, args, &l, err);
    if (rc == 0)
        rc = measure_flavors(&l, &f, err);
    if (rc == 0 && out)
        rc = write_references(self, args, &l, &f, err);
    if (rc < 0 || (out && strcmp(out, "-") == 0))
        return rc;
    if (cli_value(self, args, "--json"))
        return print_json(&l, &f, err);
    print_table(self, args, &l, &f);
    return 0;
}

const struct cli_command cmd_measure = {
    .name = "measure",
    .operands = "",
    .max_operands = 0,
    .summary = "compute the launch digest that an SEV, SEV-ES or SEV-SNP guest will have",
    .exits = "0 done, 2 bad usage or input",
    .options = {MEASURE_LAUNCH_OPTIONS, MEASURE_REFERENCE_OPTIONS, {"--json", NULL, "print as JSON"}},
    .run = measure,
};
