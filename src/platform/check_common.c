/* SPDX-License-Identifier: Apache-2.0 */
/* platform/check_common.c - results, and the reads that several checks share. */
#include "platform/checks.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- results. Out of memory leaves the text away, never the outcome. ---- */
static void set(struct ready_result *r, enum ready_outcome outcome, const char *fmt, va_list ap) TST_PRINTF(3, 0);
static void set(struct ready_result *r, enum ready_outcome outcome, const char *fmt, va_list ap)
{
    free(r->found);
    if (vasprintf(&r->found, fmt, ap) < 0)
        r->found = NULL;
    r->outcome = outcome;
}

#define SETTER(name, outcome)                        \
    void name(struct ready_result *r, const char *fmt, ...) \
    {                                                \
        va_list ap;                                  \
        va_start(ap, fmt);                           \
        set(r, outcome, fmt, ap);                    \
        va_end(ap);                                  \
    }
SETTER(set_pass, READY_PASS)
SETTER(set_unknown, READY_UNKNOWN)
SETTER(set_na, READY_NA)

/* What a failure amounts to is the table's say. */
static enum ready_outcome failure_of(const struct ready_result *r)
{
    static const enum ready_outcome by_need[] = {
        [READY_REQUIRED] = READY_FAIL, [READY_RECOMMENDED] = READY_WARN, [READY_OPTIONAL] = READY_NA};
    return by_need[r->check->need];
}
SETTER(set_fail, failure_of(r))

void set_if(struct ready_result *r, bool holds, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(r, holds ? READY_PASS : failure_of(r), fmt, ap);
    va_end(ap);
}

void set_wanted(struct ready_result *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    free(r->wanted);
    if (vasprintf(&r->wanted, fmt, ap) < 0)
        r->wanted = NULL;
    va_end(ap);
}

void set_fix(struct ready_result *r, const char *fix)
{
    free(r->fix);
    r->fix = fix ? strdup(fix) : NULL;
}

void set_unreadable(struct ready_result *r, const char *path, int rc)
{
    set_unknown(r, "%s cannot be read: %s", path, rc == -ENODATA ? "it does not hold what is looked for" : strerror(-rc));
    if (rc == -EACCES || rc == -EPERM)
        set_fix(r, "run this check as root");
}

/* ---- shared reads ---- */
bool read_msr(const struct ready_ctx *c, struct ready_result *r, uint32_t msr, uint64_t *value)
{
    int rc = c->p->rdmsr(c->p, 0, msr, value);
    if (rc >= 0)
        return true;
    if (rc == -EIO) {
        set_unknown(r, "MSR %08X: the CPU (or its hypervisor) does not let it be read", msr);
        set_fix(r, "nothing on this side: the CPU does not have the register, or a hypervisor hides it");
        return false;
    }
    bool closed = rc == -EACCES || rc == -EPERM;
    set_unknown(r, "MSR %08X not readable: /dev/cpu/0/msr: %s", msr, strerror(-rc));
    set_fix(r, closed ? "run this check as root" : "`modprobe msr`, then run this check again as root");
    return false;
}

bool read_sev_leaf(const struct ready_ctx *c, struct ready_result *r, struct cpuid_regs *out)
{
    int rc = platform_cpuid(c->p, LEAF_SEV, out);
    if (rc >= 0)
        return true;
    if (rc == -ENODATA) {
        set_fail(r, "CPUID has no leaf 8000001F");
        return false;
    }
    set_unknown(r, "CPUID not readable: %s", strerror(-rc));
    return false;
}

/* The bytes of registers in memory order, without what cannot be printed. */
static void put_register(char *to, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) {
        char b = (char)(v >> (8 * i));
        to[i] = b && !isprint((unsigned char)b) ? '?' : b;
    }
}

static void brand_read(const struct platform *p, char brand[49])
{
    struct cpuid_regs r;
    for (uint32_t i = 0; i < 3; i++) {
        if (platform_cpuid(p, 0x80000002U + i, &r) < 0)
            return;
        put_register(brand + 16 * i, r.eax);
        put_register(brand + 16 * i + 4, r.ebx);
        put_register(brand + 16 * i + 8, r.ecx);
        put_register(brand + 16 * i + 12, r.edx);
    }
    size_t start = strspn(brand, " "), n = strlen(brand);
    memmove(brand, brand + start, n - start + 1);
    for (n = strlen(brand); n && brand[n - 1] == ' ';)
        brand[--n] = '\0';
}

void cpu_read(const struct platform *p, struct ready_cpu *out)
{
    struct cpuid_regs r;
    *out = (struct ready_cpu){0};
    if (p->cpuid(p, 0, 0, &r) < 0)
        return;
    put_register(out->vendor, r.ebx);
    put_register(out->vendor + 4, r.edx);
    put_register(out->vendor + 8, r.ecx);
    brand_read(p, out->brand);
    if (platform_cpuid(p, 1, &r) < 0)
        return;
    unsigned base = (r.eax >> 8) & 15;
    out->known = true;
    out->stepping = r.eax & 15;
    out->family = base == 15 ? base + ((r.eax >> 20) & 255) : base;
    out->model = ((r.eax >> 4) & 15) | (base == 15 || base == 6 ? ((r.eax >> 16) & 15) << 4 : 0);
}

/* AMD 57230, 56860; Naples and Rome: linux drivers/crypto/ccp/sev-dev.c (firmware file per model). */
static const struct {
    unsigned family, first, last;
    enum ready_generation generation;
    const char *name;
} cpu_models[] = {
    {0x17, 0x00, 0x0f, READY_SEV, "EPYC 7001 (Naples)"},
    {0x17, 0x30, 0x3f, READY_ES, "EPYC 7002 (Rome)"},
    {0x19, 0x00, 0x0f, READY_SNP, "EPYC 7003 (Milan)"},
    {0x19, 0x10, 0x1f, READY_SNP, "EPYC 9004 (Genoa)"},
    {0x19, 0xa0, 0xaf, READY_SNP, "EPYC 97x4, 8004 (Bergamo, Siena)"},
    {0x1a, 0x00, 0x11, READY_SNP, "EPYC 9005 (Turin)"},
    {0x1a, 0x50, 0x57, READY_SNP, "EPYC (Venice)"},
    {0x1a, 0x90, 0xaf, READY_SNP, "EPYC (Venice)"},
    {0x1a, 0xc0, 0xc7, READY_SNP, "EPYC (Venice)"},
};

enum ready_generation cpu_generation(const struct ready_cpu *cpu, const char **name)
{
    for (size_t i = 0; cpu->known && i < TST_COUNT(cpu_models); i++)
        if (cpu->family == cpu_models[i].family && cpu->model >= cpu_models[i].first && cpu->model <= cpu_models[i].last) {
            *name = cpu_models[i].name;
            return cpu_models[i].generation;
        }
    *name = NULL;
    return 0;
}

uint32_t version_of(const char *text)
{
    for (const char *s = text; *s; s++) {
        char *end = NULL;
        if (!isdigit((unsigned char)*s) || (s > text && isdigit((unsigned char)s[-1])))
            continue;
        unsigned long major = strtoul(s, &end, 10);
        if (*end != '.' || !isdigit((unsigned char)end[1]))
            continue;
        unsigned long minor = strtoul(end + 1, &end, 10), patch = *end == '.' ? strtoul(end + 1, &end, 10) : 0;
        return major > 255 || minor > 255 ? 0 : VERSION(major, minor) | (uint32_t)(patch > 255 ? 255 : patch);
    }
    return 0;
}
