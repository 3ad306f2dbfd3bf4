/* SPDX-License-Identifier: Apache-2.0 */
/* platform/check_cpu.c - what the CPU is and which of its switches are on. Source: AMD 24593 (APM volume 2, 15.34 to 15.36),
 * AMD 24594 (CPUID Fn8000_001F). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "platform/checks.h"

void check_cpu_vendor(const struct ready_ctx *c, struct ready_result *r)
{
    if (!c->cpu.vendor[0])
        set_unknown(r, "CPUID not readable");
    else
        set_if(r, strcmp(c->cpu.vendor, "AuthenticAMD") == 0, "%s%s%s", c->cpu.vendor, c->cpu.brand[0] ? ", " : "", c->cpu.brand);
}

void check_cpu_epyc(const struct ready_ctx *c, struct ready_result *r)
{
    if (!c->cpu.brand[0])
        set_unknown(r, "the CPU says no name");
    else
        set_if(r, strstr(c->cpu.brand, "EPYC") != NULL, "%s", c->cpu.brand);
}

void check_cpu_generation(const struct ready_ctx *c, struct ready_result *r)
{
    const char *name;
    enum ready_generation has = cpu_generation(&c->cpu, &name);
    if (!c->cpu.known)
        set_unknown(r, "CPUID not readable");
    else if (!has)
        set_unknown(r, "family %02Xh model %02Xh is not in the table of known parts", c->cpu.family, c->cpu.model);
    else
        set_if(r, has >= c->wanted, "%s, family %02Xh model %02Xh stepping %u", name, c->cpu.family, c->cpu.model, c->cpu.stepping);
    set_wanted(r, "a part with %s", ready_generation_title(c->wanted));
}

void check_cpu_root_seed(const struct ready_ctx *c, struct ready_result *r)
{
    enum tst_snp_product product = tst_snp_product_of_cpuid((uint8_t)c->cpu.family, (uint8_t)c->cpu.model);
    if (!c->cpu.known || !product)
        set_unknown(r, "the part is not known");
    else
        set_if(r, product != TST_SNP_MILAN, "%s: %s", tst_snp_product_name(product),
               product == TST_SNP_MILAN ? "the flaw is in the fuses, no update mends it" : "no extraction published");
}

void check_cpu_bit(const struct ready_ctx *c, struct ready_result *r)
{
    struct cpuid_regs leaf;
    if (read_sev_leaf(c, r, &leaf)) {
        bool on = leaf.eax >> r->check->arg & 1;
        set_if(r, on, "%s (CPUID 8000001F EAX bit %u)", on ? "present" : "absent", (unsigned)r->check->arg);
    }
}

void check_cpu_field(const struct ready_ctx *c, struct ready_result *r)
{
    static const char *const names[] = {"EBX", "ECX", "EDX"};
    unsigned reg = (unsigned)(r->check->arg >> 48), low = r->check->arg >> 40 & 255, width = r->check->arg >> 32 & 255;
    struct cpuid_regs leaf;
    if (!read_sev_leaf(c, r, &leaf))
        return;
    uint32_t all = reg == 0 ? leaf.ebx : reg == 1 ? leaf.ecx : leaf.edx;
    uint32_t value = width == 32 ? all : (all >> low) & ((1U << width) - 1);
    set_if(r, value >= (uint32_t)r->check->arg, "%" PRIu32 " (CPUID 8000001F %s)", value, names[reg]);
}

void check_syscfg_bit(const struct ready_ctx *c, struct ready_result *r)
{
    uint64_t syscfg;
    if (read_msr(c, r, MSR_SYSCFG, &syscfg)) {
        bool on = syscfg >> r->check->arg & 1;
        set_if(r, on, "%s (SYSCFG bit %u)", on ? "on" : "off", (unsigned)r->check->arg);
    }
}

/* One table: 16 KiB for the processor, then 16 bytes for each 4 KiB page. Segmented (RMP_CFG bit 0, Turin): the end address
 * says nothing about how much memory is covered. */
static void judge_rmp(const struct ready_ctx *c, struct ready_result *r, uint64_t base, uint64_t end)
{
    uint64_t cfg = 0, memory_kib = 0, covered_kib = end - base + 1 < 16384 ? 0 : (end - base + 1 - 16384) / 16 * 4;
    if (c->p->rdmsr(c->p, 0, MSR_RMP_CFG, &cfg) >= 0 && (cfg & 1)) {
        set_pass(r, "segmented, at 0x%" PRIx64, base);
        return;
    }
    if (platform_keyed(c->p, "/proc/meminfo", "MemTotal", &memory_kib) < 0) {
        set_unknown(r, "0x%" PRIx64 " to 0x%" PRIx64 ", covers %" PRIu64 " GiB; how much memory there is cannot be read", base,
                    end, covered_kib >> 20);
        return;
    }
    set_if(r, covered_kib >= memory_kib, "0x%" PRIx64 " to 0x%" PRIx64 ", covers %" PRIu64 " GiB of %" PRIu64 " GiB", base, end,
           covered_kib >> 20, memory_kib >> 20);
}

void check_rmp_addresses(const struct ready_ctx *c, struct ready_result *r)
{
    uint64_t base, end;
    if (!read_msr(c, r, MSR_RMP_BASE, &base) || !read_msr(c, r, MSR_RMP_END, &end))
        return;
    if (!base || end <= base)
        set_fail(r, "no table: base 0x%" PRIx64 ", end 0x%" PRIx64, base, end);
    else
        judge_rmp(c, r, base, end);
}

void check_smt(const struct ready_ctx *c, struct ready_result *r)
{
    uint64_t active;
    int rc = platform_number(c->p, "/sys/devices/system/cpu/smt/active", &active);
    if (rc < 0)
        set_unreadable(r, "/sys/devices/system/cpu/smt/active", rc);
    else
        set_if(r, active == 0, "SMT is %s", active ? "on" : "off");
}
