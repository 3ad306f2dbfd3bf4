/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_measure_images.c - `testudo measure firmware` shows what an OVMF image says about its launch; `testudo measure igvm`
 * measures a guest that is one IGVM file. */
#include <stdlib.h>

#include "cmd_measure.h"

#define FOUR_GIB 0x100000000ULL

/* ---- firmware ---- */
static int load_firmware(const char *path, char **text, struct tst_firmware *out, struct tst_error **err)
{
    size_t n = 0;
    int rc = cli_read_file(path, TST_FIRMWARE_MAX_BYTES, text, &n, err);
    if (rc == 0)
        rc = tst_firmware_parse(*text, n, out, err);
    return rc < 0 ? tst_wrap(err, "%s", path) : 0;
}

/* false: not an SNP firmware, so there is no such digest. */
static bool firmware_digest(const struct tst_firmware *f, char hex[2 * TST_SHA384_BYTES + 1])
{
    uint8_t digest[TST_SHA384_BYTES];
    const struct tst_measure_in in = {.mode = TST_MEASURE_SNP, .vmm = TST_VMM_QEMU, .firmware = f->image, .vcpus = 1, .sev_features = 1};
    if (tst_measure_firmware(&in, digest, NULL) < 0)
        return false;
    tst_hex(digest, sizeof digest, hex);
    return true;
}

static const char *measured_as(enum tst_section_kind k)
{
    switch (k) {
    case TST_SECTION_SEC_MEM:
        return "zero pages (gce: not measured)";
    case TST_SECTION_SECRETS:
        return "address only, the firmware of the processor fills it";
    case TST_SECTION_CPUID:
        return "address only, the processor checks it (ec2: last)";
    case TST_SECTION_SVSM_CAA:
        return "zero page";
    case TST_SECTION_KERNEL_HASHES:
        return "page with the hashes, or a zero page without a kernel";
    }
    return "";
}

static int by_gpa_down(const void *a, const void *b)
{
    const struct tst_section *left = a, *right = b;
    return (left->gpa < right->gpa) - (left->gpa > right->gpa);
}

/* Memory from the top down, one box a region. */
static void draw_map(const struct tst_firmware *f)
{
    static const char line[] = "+----------------+";
    struct tst_section s[TST_SECTIONS_MAX];
    memcpy(s, f->sections, f->section_count * sizeof *s);
    qsort(s, f->section_count, sizeof *s, by_gpa_down);
    printf("\n             %s\n  0x%08llx | %-14s | %8zu KiB  every page, first\n             %s\n", line,
           (unsigned long long)(FOUR_GIB - f->image.n), "image", f->image.n / 1024, line);
    for (size_t i = 0; i < f->section_count; i++) {
        bool gap = i == 0 || s[i].gpa + s[i].bytes != s[i - 1].gpa;
        if (gap)
            printf("             :                :\n             %s\n", line);
        printf("  0x%08x | %-14s | %8u KiB  %s\n             %s\n", s[i].gpa, tst_section_name(s[i].kind), s[i].bytes / 1024,
               measured_as(s[i].kind), line);
    }
}

static void print_firmware(const char *path, const struct tst_firmware *f)
{
    char hex[2 * TST_SHA384_BYTES + 1];
    printf("%s: %zu bytes\n", path, f->image.n);
    if (!f->has_table) {
        puts("no table at its end: can start a plain SEV guest only, without kernel hashes");
        return;
    }
    if (f->has_reset)
        printf("other vCPUs start at   0x%x\n", f->reset_eip);
    if (f->has_svsm_info)
        printf("SVSM, starts at offset 0x%x\n", f->svsm_entry);
    if (f->has_hashes)
        printf("kernel hashes at       0x%x, %u bytes\n", f->hashes_gpa, f->hashes_bytes);
    else
        puts("kernel hashes          none: cannot measure kernel, initrd and command line");
    if (firmware_digest(f, hex))
        printf("digest after its pages %s\n", hex);
    if (f->section_count)
        draw_map(f);
    else
        puts("no SEV metadata: cannot start an SNP guest");
}

static int sections_json(const struct tst_firmware *f, json_t *list, struct tst_error **err)
{
    for (size_t i = 0; i < f->section_count; i++) {
        const struct tst_section *s = &f->sections[i];
        json_t *o = json_pack("{s:s, s:I, s:I}", "kind", tst_section_name(s->kind), "gpa", (json_int_t)s->gpa, "bytes", (json_int_t)s->bytes);
        if (json_array_append_new(list, o) < 0)
            return tst_fail(err, TST_INTERNAL, "out of memory");
    }
    return 0;
}

static int print_firmware_json(const struct tst_firmware *f, struct tst_error **err)
{
    char hex[2 * TST_SHA384_BYTES + 1];
    json_t *sections = json_array();
    bool has_digest = firmware_digest(f, hex);
    TST_AUTO_JSON o = json_pack("{s:I, s:b, s:o*, s:o*, s:o*, s:s*, s:o}", "bytes", (json_int_t)f->image.n, "table", f->has_table,
                                "reset-eip", f->has_reset ? json_integer(f->reset_eip) : NULL, "hashes-gpa",
                                f->has_hashes ? json_integer(f->hashes_gpa) : NULL, "svsm-entry",
                                f->has_svsm_info ? json_integer(f->svsm_entry) : NULL, "firmware-digest", has_digest ? hex : NULL, "sections", sections);
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = sections_json(f, sections, err);
    if (rc == 0)
        cli_print_json(o);
    return rc;
}

static int measure_firmware(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    struct tst_firmware f = {.has_table = false};
    int rc = load_firmware(args->rest[0], &text, &f, err);
    if (rc == 0 && cli_value(self, args, "--json"))
        return print_firmware_json(&f, err);
    if (rc == 0)
        print_firmware(args->rest[0], &f);
    return rc;
}

const struct cli_command cmd_measure_firmware = {
    .name = "measure firmware",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "show what an OVMF or SVSM image says about its launch, and its digest",
    .exits = "0 done, 2 bad usage or input",
    .options = {{"--json", NULL, "print as JSON"}},
    .run = measure_firmware,
};

/* ---- IGVM ---- */
static bool id_block_fits(const struct tst_igvm *g)
{
    return !g->has_id_block || memcmp(g->id_block_digest, g->digest, sizeof g->digest) == 0;
}

static void print_igvm(const struct tst_igvm *g)
{
    char hex[2 * TST_SHA384_BYTES + 1];
    tst_hex(g->digest, sizeof g->digest, hex);
    printf("IGVM format %u: %u headers; %u pages (%u without data), %u parameter pages, %u VMSAs\n", g->format, g->headers, g->pages,
           g->zero_pages, g->parameter_pages, g->vmsas);
    printf("VMSA at 0x%llx, SEV features ", (unsigned long long)g->vmsa_gpa);
    measure_print_features(g->sev_features);
    if (g->has_policy)
        printf("\nguest policy 0x%llx", (unsigned long long)g->policy);
    printf("\nlaunch digest %s\n", hex);
    if (g->has_id_block && id_block_fits(g)) {
        puts("ID block      in the file, for this digest");
    } else if (g->has_id_block) {
        tst_hex(g->id_block_digest, sizeof g->id_block_digest, hex);
        printf("ID block      FOR ANOTHER DIGEST: %s\n", hex);
    }
}

static int print_igvm_json(const struct tst_igvm *g, struct tst_error **err)
{
    TST_AUTO_JSON o = json_pack("{s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:b}", "format", (int)g->format, "pages", (int)g->pages, "zero-pages",
                                (int)g->zero_pages, "parameter-pages", (int)g->parameter_pages, "vmsas", (int)g->vmsas, "vmsa-gpa",
                                (json_int_t)g->vmsa_gpa, "sev-features", (json_int_t)g->sev_features, "id-block-fits", id_block_fits(g));
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if (g->has_policy && json_object_set_new(o, "policy", json_integer((json_int_t)g->policy)) < 0)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = tst_json_set_hex(o, "digest", g->digest, sizeof g->digest, err);
    if (rc == 0 && g->has_id_block)
        rc = tst_json_set_hex(o, "id-block-digest", g->id_block_digest, sizeof g->id_block_digest, err);
    if (rc == 0)
        cli_print_json(o);
    return rc;
}

static int write_igvm_reference(const struct cli_command *self, const struct cli_args *args, const struct tst_igvm *g, struct tst_error **err)
{
    const char *name = cli_value(self, args, "--name"), *slash = strrchr(args->rest[0], '/');
    struct measure_reference r = {.name = ""};
    if (!name)
        name = slash ? slash + 1 : args->rest[0];
    if (strlen(name) >= sizeof r.name)
        return tst_fail(err, TST_USAGE, "--name: longer than %zu characters", sizeof r.name - 1);
    memcpy(r.name, name, strlen(name));
    memcpy(r.digest, g->digest, sizeof r.digest);
    return measure_references_write(self, args, &r, 1, false, true, err);
}

static int measure_igvm(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    struct tst_igvm g = {.format = 0};
    const struct tst_igvm_options options = {.native_zero = cli_value(self, args, "--native-zero") != NULL};
    const char *out = cli_value(self, args, "--out");
    size_t n = 0;
    int rc = cli_read_file(args->rest[0], TST_IGVM_MAX_BYTES, &text, &n, err);
    if (rc == 0)
        rc = tst_igvm_measure(text, n, &options, &g, err);
    if (rc < 0)
        return tst_wrap(err, "%s", args->rest[0]);
    if (out)
        rc = write_igvm_reference(self, args, &g, err);
    if (rc == 0 && cli_value(self, args, "--json"))
        rc = print_igvm_json(&g, err);
    else if (rc == 0 && !(out && strcmp(out, "-") == 0))
        print_igvm(&g);
    return rc < 0 || id_block_fits(&g) ? rc : tst_exit_status(TST_REFUTED);
}

const struct cli_command cmd_measure_igvm = {
    .name = "measure igvm",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "compute the launch digest of a guest that is one IGVM file",
    .exits = "0 done, 1 its own ID block is for another digest, 2 bad usage or input",
    .options = {{"--native-zero", NULL, "pages without data are measured as zero pages (QEMU)"},
                MEASURE_REFERENCE_OPTIONS,
                {"--json", NULL, "print as JSON"}},
    .run = measure_igvm,
};
