/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_sev_vmsa.c - `testudo sev vmsa build|update|show`: the page of register state that a SEV-ES vCPU starts with, which
 * the launch digest covers. */
#include <stdlib.h>
#include <unistd.h>

#include "cmd_measure.h"
#include "cmd_sev.h"

#define PAGE_MODE 0644

#define CPU_OPTIONS                                                                                   \
    {"--firmware", "FILE", "OVMF: where vCPUs other than the first start"},                           \
        {"--vcpu-type", "NAME", "QEMU's CPU model, or"}, {"--family", "N", "the CPU's family (combined, e.g. 25)"}, \
        {"--model", "N", "its model"}, {"--stepping", "N", "its stepping"}

/* ---- what build and update share ---- */
static int number_or(const struct cli_command *self, const struct cli_args *args, const char *option, uint64_t max, uint64_t otherwise,
                     uint64_t *out, struct tst_error **err)
{
    const char *text = cli_value(self, args, option);
    *out = otherwise;
    return text ? measure_number(option, text, max, out, err) : 0;
}

/* *given is false when no option names a CPU. */
static int read_signature(const struct cli_command *self, const struct cli_args *args, bool *given, uint32_t *out, struct tst_error **err)
{
    const char *type = cli_value(self, args, "--vcpu-type"), *family_text = cli_value(self, args, "--family");
    uint64_t family, model, stepping;
    bool numbers = family_text || cli_value(self, args, "--model") || cli_value(self, args, "--stepping");
    *given = type || numbers;
    *out = 0;
    if (type && numbers)
        return tst_fail(err, TST_USAGE, "%s: --vcpu-type stands in place of --family, --model and --stepping", self->name);
    if (type)
        return tst_cpu_model_find(type, out) ? 0 : tst_fail(err, TST_USAGE, "--vcpu-type %.40s: no CPU model of QEMU's; give --family, --model and --stepping", type);
    if (numbers && !family_text)
        return tst_fail(err, TST_USAGE, "%s: --family is missing", self->name);
    int rc = number_or(self, args, "--family", 0xf + 0xff, 0, &family, err);
    rc = rc ? rc : number_or(self, args, "--model", 0xff, 0, &model, err);
    rc = rc ? rc : number_or(self, args, "--stepping", 0xf, 0, &stepping, err);
    if (rc == 0 && numbers)
        *out = tst_cpu_signature((unsigned)family, (unsigned)model, (unsigned)stepping);
    return rc;
}

static int read_reset(const char *path, uint32_t *out, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    struct tst_firmware firmware;
    size_t n = 0;
    int rc = cli_read_file(path, TST_FIRMWARE_MAX_BYTES, &text, &n, err);
    rc = rc ? rc : tst_firmware_parse(text, n, &firmware, err);
    if (rc == 0 && !firmware.has_reset) {
        rc = tst_fail(err, TST_USAGE, "%s: names no reset address for SEV-ES", path);
        tst_hint(err, "an OVMF whose table has the SEV-ES reset block", NULL, "take an OVMF that is built for SEV-ES");
    }
    *out = rc ? 0 : firmware.reset_eip;
    return rc;
}

/* ---- build ---- */
static int read_words(const struct cli_command *self, const struct cli_args *args, struct tst_vmsa_spec *s, struct tst_error **err)
{
    static const char *const fpus[] = {[TST_FPU_AUTO] = "auto", [TST_FPU_NONE] = "none", [TST_FPU_MXCSR] = "mxcsr", [TST_FPU_FULL] = "full"};
    const char *vmm = cli_value(self, args, "--vmm"), *fpu = cli_value(self, args, "--fpu");
    if (vmm && (!tst_vmm_of(vmm, &s->vmm) || (s->vmm != TST_VMM_QEMU && s->vmm != TST_VMM_KRUN)))
        return tst_fail(err, TST_USAGE, "--vmm %.40s: expected qemu or krun", vmm);
    for (size_t i = 0; fpu && i < TST_COUNT(fpus); i++)
        if (strcmp(fpu, fpus[i]) == 0) {
            s->fpu = (enum tst_vmsa_fpu)i;
            return 0;
        }
    return fpu ? tst_fail(err, TST_USAGE, "--fpu %.40s: expected auto, none, mxcsr or full", fpu) : 0;
}

static int read_spec(const struct cli_command *self, const struct cli_args *args, struct tst_vmsa_spec *s, struct tst_error **err)
{
    const char *firmware = cli_value(self, args, "--firmware");
    uint64_t cpu = 0;
    bool named;
    *s = (struct tst_vmsa_spec){.vmm = TST_VMM_QEMU, .eip = TST_BSP_EIP};
    int rc = read_words(self, args, s, err);
    rc = rc ? rc : number_or(self, args, "--cpu", TST_VCPUS_MAX - 1, 0, &cpu, err);
    rc = rc ? rc : number_or(self, args, "--sev-features", UINT64_MAX, 0, &s->sev_features, err);
    rc = rc ? rc : read_signature(self, args, &named, &s->signature, err);
    s->cpu = (unsigned)cpu;
    if (rc || s->cpu == 0 || s->vmm != TST_VMM_QEMU)
        return rc;
    return firmware ? read_reset(firmware, &s->eip, err)
                    : tst_fail(err, TST_USAGE, "%s: --cpu %u of QEMU starts where the firmware says: --firmware is missing", self->name, s->cpu);
}

static int vmsa_build(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    struct tst_vmsa_spec spec;
    uint8_t page[TST_SEV_VMSA_BYTES];
    int rc = read_spec(self, args, &spec, err);
    if (rc < 0)
        return rc;
    tst_vmsa_build(&spec, page);
    rc = sev_write_new(args->rest[0], page, sizeof page, PAGE_MODE, err);
    if (rc == 0)
        printf("%s: VMSA of vCPU %u for %s, CPU signature 0x%x\n", args->rest[0], spec.cpu, tst_vmm_name(spec.vmm), spec.signature);
    return rc;
}

const struct cli_command cmd_sev_vmsa_build = {
    .name = "sev vmsa build",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "make the VMSA page of a SEV-ES vCPU, as KVM with QEMU or libkrun starts it",
    .exits = "0 made, 2 bad usage or input",
    .options = {{"--vmm", "NAME", "qemu (default) or krun"},
                {"--cpu", "N", "0 = the first vCPU (default); all others are alike"},
                CPU_OPTIONS,
                {"--sev-features", "HEX", "SEV_FEATURES (default 0; 0x20 with DebugSwap)"},
                {"--fpu", "WHICH", "FPU state in the VMSA: auto, none (KVM before 6.10), mxcsr, full"}},
    .run = vmsa_build,
};

/* ---- update ---- */
static int read_page(const char *path, uint8_t page[TST_SEV_VMSA_BYTES], struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0;
    int rc = cli_read_file(path, TST_SEV_VMSA_BYTES, &text, &n, err);
    if (rc == 0 && n != TST_SEV_VMSA_BYTES)
        rc = tst_fail(err, TST_USAGE, "%s: %zu bytes, a VMSA has %d", path, n, TST_SEV_VMSA_BYTES);
    memcpy(page, text ? text : "", rc ? 0 : n);
    return rc;
}

/* The old page stays until the new one is on disk. */
static int replace_page(const char *path, const uint8_t page[TST_SEV_VMSA_BYTES], struct tst_error **err)
{
    TST_AUTO_STR fresh = tst_strdup_printf("%s.new", path);
    int rc = fresh ? sev_write_new(fresh, page, TST_SEV_VMSA_BYTES, PAGE_MODE, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0 && rename(fresh, path) < 0) {
        rc = tst_fail(err, TST_USAGE, "%s: %m", path);
        unlink(fresh);
    }
    return rc;
}

static int vmsa_update(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    const char *path = args->rest[0], *firmware = cli_value(self, args, "--firmware");
    uint8_t page[TST_SEV_VMSA_BYTES];
    uint32_t signature, reset = 0;
    bool named = false;
    int rc = read_signature(self, args, &named, &signature, err);
    if (rc == 0 && firmware)
        rc = read_reset(firmware, &reset, err);
    if (rc == 0 && !firmware && !named)
        rc = tst_fail(err, TST_USAGE, "%s: nothing to change: give --firmware or a CPU", self->name);
    rc = rc ? rc : read_page(path, page, err);
    if (rc < 0)
        return rc;
    if (named)
        tst_sev_vmsa_set_signature(page, signature);
    if (firmware)
        tst_sev_vmsa_set_reset(page, reset);
    rc = replace_page(path, page, err);
    if (rc == 0)
        printf("%s: changed%s%s\n", path, named ? " CPU signature" : "", firmware ? " reset address" : "");
    return rc;
}

const struct cli_command cmd_sev_vmsa_update = {
    .name = "sev vmsa update",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "change CPU signature or reset address of a VMSA page (the reset address: of vCPUs other than the first)",
    .exits = "0 changed, 2 bad usage or input",
    .options = {CPU_OPTIONS},
    .run = vmsa_update,
};

/* ---- show ---- */
static void field_print(const char *name, const json_t *v)
{
    if (json_is_object(v))
        printf("  %-18sselector %04llx  attributes %04llx  limit %08llx  base %016llx\n", name,
               (unsigned long long)json_integer_value(json_object_get(v, "selector")),
               (unsigned long long)json_integer_value(json_object_get(v, "attrib")),
               (unsigned long long)json_integer_value(json_object_get(v, "limit")),
               (unsigned long long)json_integer_value(json_object_get(v, "base")));
    else if (json_is_integer(v) && json_integer_value(v))
        printf("  %-18s0x%llx\n", name, (unsigned long long)json_integer_value(v));
    else if (json_is_string(v))
        printf("  %-18s%s\n", name, json_string_value(v));
}

static void page_print(const json_t *o)
{
    const char *name;
    json_t *v;
    size_t zero = 0, reserved = json_array_size(json_object_get(o, "reserved"));
    json_object_foreach((json_t *)(uintptr_t)o, name, v)
    {
        field_print(name, v);
        zero += json_is_integer(v) && json_integer_value(v) == 0;
    }
    printf("%zu more fields are zero\n", zero);
    if (reserved)
        printf("%zu bytes outside of every known field are set, the first at offset 0x%llx\n", reserved,
               (unsigned long long)json_integer_value(json_array_get(json_object_get(o, "reserved"), 0)));
}

static int vmsa_show(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    uint8_t page[TST_SEV_VMSA_BYTES];
    TST_AUTO_JSON o = NULL;
    int rc = read_page(args->rest[0], page, err);
    rc = rc ? rc : tst_sev_vmsa_json(page, sizeof page, &o, err);
    if (rc < 0)
        return rc;
    if (cli_value(self, args, "--json"))
        cli_print_json(o);
    else
        page_print(o);
    return 0;
}

const struct cli_command cmd_sev_vmsa_show = {
    .name = "sev vmsa show",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "show the register state of a VMSA page",
    .exits = "0 shown, 2 bad usage or input",
    .options = {{"--json", NULL, "print every field as JSON"}},
    .run = vmsa_show,
};
