/* SPDX-License-Identifier: Apache-2.0 */
/* snp/measure_variants.c - the usual ways in which a launch differs from what its owner believes, as lists for
 * measure_explain.c: what users of other tools report when digests do not match. */
#include <stdarg.h>
#include <stdio.h>

#include "measure_explain.h"

#define VMSA_GPA_52_BITS 0xffffffffff000ULL

static void add(struct dimension *d, uint64_t number, const char *fmt, ...) TST_PRINTF(3, 4);

/* One variant more; a value that is already there is left out. */
static void add(struct dimension *d, uint64_t number, const char *fmt, ...)
{
    va_list ap;
    for (size_t i = 0; i < d->count; i++)
        if (d->variants[i].number == number)
            return;
    if (d->count == VARIANTS_MAX)
        return;
    struct variant *v = &d->variants[d->count++];
    v->number = number;
    va_start(ap, fmt);
    vsnprintf(v->text, sizeof v->text, fmt, ap);
    va_end(ap);
}

/* ---- kernel hashes ---- */
static struct tst_kernel *add_kernel(struct dimension *d, struct explain_kernels *k, const struct tst_kernel *from, const char *text)
{
    struct tst_kernel *slot = &k->list[k->count++];
    *slot = *from;
    add(d, k->count, "%s", text);
    d->variants[d->count - 1].kernel = slot;
    return slot;
}

static int add_cmdlines(const struct tst_kernel *given, struct dimension *d, struct explain_kernels *k, struct tst_error **err)
{
    const char *text = given->cmdline_text;
    if (!text)
        return 0;
    struct tst_kernel *no_nul = add_kernel(d, k, given, "command line hashed without its NUL");
    struct tst_kernel *newline = add_kernel(d, k, given, "command line with a newline at its end");
    struct tst_kernel *space = add_kernel(d, k, given, "command line with a space at its end");
    struct tst_kernel *empty = add_kernel(d, k, given, "command line empty");
    int rc = tst_sha256(text, strlen(text), no_nul->cmdline, err);
    TST_AUTO_STR with_newline = tst_strdup_printf("%s\n", text), with_space = tst_strdup_printf("%s ", text);
    if (!with_newline || !with_space)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0)
        rc = tst_kernel_set_cmdline(newline, with_newline, err);
    if (rc == 0)
        rc = tst_kernel_set_cmdline(space, with_space, err);
    newline->cmdline_text = space->cmdline_text = NULL;
    return rc == 0 ? tst_kernel_set_cmdline(empty, "", err) : rc;
}

static int kernel_variants(const struct tst_kernel *given, struct dimension *d, struct explain_kernels *k, struct tst_error **err)
{
    add(d, 0, given ? "as given" : "not measured");
    d->variants[0].kernel = given;
    if (!given)
        return 0;
    int rc = add_cmdlines(given, d, k, err);
    if (rc == 0 && given->has_initrd) {
        struct tst_kernel *bare = add_kernel(d, k, given, "initrd missing");
        rc = tst_kernel_set_initrd(bare, (struct tst_bytes){NULL, 0}, err);
    }
    add(d, UINT64_MAX, "kernel hashes absent (kernel-hashes=off)");
    return rc;
}

/* ---- the others ---- */
static void vmm_variants(const struct tst_measure_in *in, struct dimension *d)
{
    static const struct {
        enum tst_vmm vmm;
        bool rdx_zero;
        const char *text;
    } rows[] = {{TST_VMM_QEMU, false, "qemu"},
                {TST_VMM_EC2, false, "ec2 (RDX 0x600)"},
                {TST_VMM_EC2, true, "ec2 (RDX 0)"},
                {TST_VMM_GCE, false, "gce"},
                {TST_VMM_KRUN, false, "krun"}};
    for (unsigned pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < TST_COUNT(rows); i++) {
            bool given = rows[i].vmm == in->vmm && (rows[i].vmm != TST_VMM_EC2 || rows[i].rdx_zero == in->rdx_zero);
            if (given != (pass == 0) || (pass == 1 && in->svsm.p))
                continue;
            add(d, (uint64_t)rows[i].vmm << 1 | rows[i].rdx_zero, "%s", rows[i].text);
        }
    }
}

static const char *const fpu_texts[] = {
    [TST_FPU_AUTO] = "as usual", [TST_FPU_NONE] = "not in the VMSA (KVM before 6.10)", [TST_FPU_MXCSR] = "MXCSR only", [TST_FPU_FULL] = "MXCSR and FCW"};

static void fpu_variants(const struct tst_measure_in *in, struct dimension *d)
{
    add(d, in->fpu, "%s", fpu_texts[in->fpu]);
    for (unsigned f = TST_FPU_NONE; f <= TST_FPU_FULL; f++)
        add(d, f, "%s", fpu_texts[f]);
}

static void feature_variants(const struct tst_measure_in *in, struct dimension *d)
{
    uint64_t given = in->sev_features, snp = in->mode == TST_MEASURE_SNP ? TST_SEV_FEATURE_SNP : 0;
    const struct {
        uint64_t value;
        const char *text;
    } rows[] = {
        {given, ""},
        {given ^ TST_SEV_FEATURE_DEBUG_SWAP, given & TST_SEV_FEATURE_DEBUG_SWAP ? " (DebugSwap off)" : " (DebugSwap on)"},
        {snp, snp ? " (SNP only)" : " (none)"},
        {snp | TST_SEV_FEATURE_DEBUG_SWAP, " (DebugSwap on)"},
        {given ^ (snp ? TST_SEV_FEATURE_SECURE_TSC : 0), given & TST_SEV_FEATURE_SECURE_TSC ? " (SecureTSC off)" : " (SecureTSC on)"},
    };
    for (size_t i = 0; i < TST_COUNT(rows); i++)
        add(d, rows[i].value, "%#llx%s", (unsigned long long)rows[i].value, rows[i].text);
}

static const char *model_of(uint32_t signature)
{
    for (const struct tst_cpu_model *m = tst_cpu_models(); m->name; m++)
        if (m->signature == signature)
            return m->name;
    return NULL;
}

static void cpu_variants(const struct tst_measure_in *in, struct dimension *d)
{
    const char *name = model_of(in->signature);
    add(d, in->signature, "%s (%#x)", name ? name : "signature", in->signature);
    for (const struct tst_cpu_model *m = tst_cpu_models(); m->name; m++)
        add(d, m->signature, "%s (%#x)", m->name, m->signature);
    add(d, 0x600, "KVM's own reset value (0x600)");
    add(d, 0, "0");
}

static void gpa_variants(const struct tst_measure_in *in, struct dimension *d)
{
    add(d, launch_vmsa_gpa(in), "%#llx", (unsigned long long)launch_vmsa_gpa(in));
    add(d, TST_VMSA_GPA_KVM, "%#llx (KVM)", TST_VMSA_GPA_KVM);
    add(d, VMSA_GPA_52_BITS, "%#llx (top of 52 bits)", VMSA_GPA_52_BITS);
}

static void order_variants(const struct tst_measure_in *in, struct dimension *d)
{
    static const char *const texts[] = {"in file order", "before the other sections (QEMU patches before 2023-03)"};
    add(d, in->hashes_first, "%s", texts[in->hashes_first]);
    if (in->kernel)
        add(d, !in->hashes_first, "%s", texts[!in->hashes_first]);
}

int explain_dimensions(const struct tst_measure_in *in, struct explain_kernels *kernels, struct dimension dims[DIM_COUNT],
                       struct tst_error **err)
{
    static const char *const names[] = {
        [DIM_KERNEL] = "kernel", [DIM_ORDER] = "kernel hashes", [DIM_VMM] = "vmm", [DIM_FPU] = "fpu state",
        [DIM_FEATURES] = "sev features", [DIM_CPU] = "cpu type", [DIM_GPA] = "vmsa address"};
    bool vmsa = in->mode != TST_MEASURE_SEV, snp = in->mode == TST_MEASURE_SNP;
    vmm_variants(in, &dims[DIM_VMM]);
    fpu_variants(in, &dims[DIM_FPU]);
    feature_variants(in, &dims[DIM_FEATURES]);
    cpu_variants(in, &dims[DIM_CPU]);
    gpa_variants(in, &dims[DIM_GPA]);
    order_variants(in, &dims[DIM_ORDER]);
    for (size_t d = 0; d < DIM_COUNT; d++) {
        dims[d].name = names[d];
        bool applies = snp || (vmsa && d != DIM_ORDER && d != DIM_GPA);
        if (d != DIM_KERNEL && !applies)
            dims[d].count = 1;
    }
    return kernel_variants(in->kernel, &dims[DIM_KERNEL], kernels, err);
}

void explain_apply(enum explain_dim d, const struct variant *v, struct tst_measure_in *in)
{
    switch (d) {
    case DIM_KERNEL:
        in->kernel = v->kernel;
        return;
    case DIM_ORDER:
        in->hashes_first = v->number != 0;
        return;
    case DIM_VMM:
        in->vmm = (enum tst_vmm)(v->number >> 1);
        in->rdx_zero = v->number & 1;
        return;
    case DIM_FPU:
        in->fpu = (enum tst_vmsa_fpu)v->number;
        return;
    case DIM_FEATURES:
        in->sev_features = v->number;
        return;
    case DIM_CPU:
        in->signature = (uint32_t)v->number;
        return;
    case DIM_GPA:
        in->vmsa_gpa = v->number;
        return;
    case DIM_COUNT:
        return;
    }
}
