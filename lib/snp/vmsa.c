/* SPDX-License-Identifier: Apache-2.0 */
/* snp/vmsa.c - the page of register state (VMSA) that a vCPU starts with, as KVM and each VMM fill it before launch.
 * The measured page is the whole 4 KiB. Offsets: APM 2 table B-4; values: x86 reset state, with what KVM forces (EFER.SVME,
 * CR4.MCE) and each VMM changes. */
#include <strings.h>

#include <testudo/measure.h>

/* Offsets of the registers that are not zero at a start. */
enum {
    VMSA_ES = 0x000,
    VMSA_CS = 0x010,
    VMSA_SS = 0x020,
    VMSA_DS = 0x030,
    VMSA_FS = 0x040,
    VMSA_GS = 0x050,
    VMSA_GDTR = 0x060,
    VMSA_LDTR = 0x070,
    VMSA_IDTR = 0x080,
    VMSA_TR = 0x090,
    VMSA_EFER = 0x0d0,
    VMSA_CR4 = 0x148,
    VMSA_CR0 = 0x158,
    VMSA_DR7 = 0x160,
    VMSA_DR6 = 0x168,
    VMSA_RFLAGS = 0x170,
    VMSA_RIP = 0x178,
    VMSA_RSP = 0x1d8,
    VMSA_G_PAT = 0x268,
    VMSA_RDX = 0x310,
    VMSA_RBP = 0x328,
    VMSA_RSI = 0x330,
    VMSA_SEV_FEATURES = 0x3b0,
    VMSA_XCR0 = 0x3e8,
    VMSA_MXCSR = 0x408,
    VMSA_X87_FCW = 0x410,
};
#define SEGMENT_LIMIT_OFFSET 4
#define SEGMENT_BASE_OFFSET 8

#define RDX_AT_RESET 0x600
#define PAT_AT_RESET 0x0007040600070406ULL
#define PAT_GCE 0x00070106ULL

/* How the VMMs differ. */
static const struct vmm_row {
    const char *name;
    uint8_t cs_bsp, cs_ap, ss, tr; /* segment attributes */
    uint64_t pat;
} vmms[] = {
    [TST_VMM_QEMU] = {"qemu", 0x9b, 0x9b, 0x93, 0x8b, PAT_AT_RESET},
    [TST_VMM_EC2] = {"ec2", 0x9a, 0x9b, 0x92, 0x83, PAT_AT_RESET},
    [TST_VMM_GCE] = {"gce", 0x9b, 0x9b, 0x93, 0x8b, PAT_GCE},
    [TST_VMM_KRUN] = {"krun", 0x9a, 0x9a, 0x92, 0x83, PAT_AT_RESET},
};

const char *tst_vmm_name(enum tst_vmm v)
{
    return vmms[v].name;
}

bool tst_vmm_of(const char *name, enum tst_vmm *out)
{
    for (size_t i = 0; i < TST_COUNT(vmms); i++) {
        if (strcasecmp(name, vmms[i].name) == 0) {
            *out = (enum tst_vmm)i;
            return true;
        }
    }
    return false;
}

static void put(uint8_t *page, size_t offset, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        page[offset + i] = (uint8_t)(value >> (8 * i));
}

static void put64(uint8_t *page, size_t offset, uint64_t value)
{
    put(page, offset, value, 8);
}

static void put_segment(uint8_t *page, size_t offset, uint16_t selector, uint16_t attributes, uint32_t limit, uint64_t base)
{
    put(page, offset, selector, 2);
    put(page, offset + 2, attributes, 2);
    put(page, offset + SEGMENT_LIMIT_OFFSET, limit, 4);
    put64(page, offset + SEGMENT_BASE_OFFSET, base);
}

/* What is the same for all. */
static void put_common(uint8_t *page)
{
    put_segment(page, VMSA_GS, 0, 0x93, 0xffff, 0);
    put_segment(page, VMSA_GDTR, 0, 0, 0xffff, 0);
    put_segment(page, VMSA_LDTR, 0, 0x82, 0xffff, 0);
    put_segment(page, VMSA_IDTR, 0, 0, 0xffff, 0);
    put64(page, VMSA_EFER, 0x1000);
    put64(page, VMSA_CR4, 0x40);
    put64(page, VMSA_DR7, 0x400);
    put64(page, VMSA_DR6, 0xffff0ff0);
    put64(page, VMSA_RFLAGS, 2);
    put64(page, VMSA_XCR0, 1);
}

static void put_real_mode(uint8_t *page, const struct tst_vmsa_spec *s)
{
    const struct vmm_row *v = &vmms[s->vmm];
    static const size_t data[] = {VMSA_ES, VMSA_DS, VMSA_FS};
    for (size_t i = 0; i < TST_COUNT(data); i++)
        put_segment(page, data[i], 0, 0x93, 0xffff, 0);
    put_segment(page, VMSA_CS, 0xf000, s->cpu == 0 ? v->cs_bsp : v->cs_ap, 0xffff, s->eip & 0xffff0000u);
    put_segment(page, VMSA_SS, 0, v->ss, 0xffff, 0);
    put_segment(page, VMSA_TR, 0, v->tr, 0xffff, 0);
    put64(page, VMSA_CR0, 0x10);
    put64(page, VMSA_RIP, s->eip & 0xffffu);
}

/* Flat 32-bit segments, paging off. */
static void put_svsm(uint8_t *page, const struct tst_vmsa_spec *s)
{
    static const size_t data[] = {VMSA_ES, VMSA_SS, VMSA_DS, VMSA_FS};
    for (size_t i = 0; i < TST_COUNT(data); i++)
        put_segment(page, data[i], 16, 0xc93, 0xffffffff, 0);
    put_segment(page, VMSA_CS, 8, 0xc9b, 0xffffffff, 0);
    put_segment(page, VMSA_TR, 0, vmms[TST_VMM_QEMU].tr, 0xffff, 0);
    put64(page, VMSA_CR0, 0x11);
    put64(page, VMSA_RIP, s->eip);
}

/* libkrun sets the boot processor's stack and boot parameters itself; the others start at 0x91000. */
static void put_krun(uint8_t *page, const struct tst_vmsa_spec *s)
{
    if (s->cpu == 0) {
        put64(page, VMSA_RSI, 0x7000);
        put64(page, VMSA_RBP, 0x8ff0);
        put64(page, VMSA_RSP, 0x8ff0);
        return;
    }
    put_segment(page, VMSA_CS, 0x9100, vmms[TST_VMM_KRUN].cs_ap, 0xffff, 0x91000);
    put64(page, VMSA_RIP, 0);
}

static uint64_t rdx_of(const struct tst_vmsa_spec *s)
{
    switch (s->vmm) {
    case TST_VMM_QEMU:
        return s->signature;
    case TST_VMM_EC2:
        return s->rdx_zero ? 0 : RDX_AT_RESET;
    case TST_VMM_GCE:
        return RDX_AT_RESET;
    case TST_VMM_KRUN:
        break;
    }
    return 0;
}

static void put_fpu(uint8_t *page, const struct tst_vmsa_spec *s)
{
    enum tst_vmsa_fpu fpu = s->fpu;
    if (fpu == TST_FPU_AUTO)
        fpu = s->vmm != TST_VMM_QEMU ? TST_FPU_NONE : s->svsm ? TST_FPU_MXCSR : TST_FPU_FULL;
    if (fpu != TST_FPU_NONE)
        put(page, VMSA_MXCSR, 0x1f80, 4);
    if (fpu == TST_FPU_FULL)
        put(page, VMSA_X87_FCW, 0x37f, 2);
}

void tst_vmsa_build(const struct tst_vmsa_spec *s, uint8_t page[TST_PAGE_BYTES])
{
    memset(page, 0, TST_PAGE_BYTES);
    put_common(page);
    if (s->svsm)
        put_svsm(page, s);
    else
        put_real_mode(page, s);
    if (s->vmm == TST_VMM_KRUN)
        put_krun(page, s);
    put64(page, VMSA_G_PAT, vmms[s->vmm].pat);
    put64(page, VMSA_RDX, rdx_of(s));
    put64(page, VMSA_SEV_FEATURES, s->sev_features);
    put_fpu(page, s);
}
