/* SPDX-License-Identifier: Apache-2.0 */
/* platform/check_guest.c - what a guest got. SEV_STATUS is written by the CPU, not by the hypervisor: it alone says whether
 * this guest's memory is encrypted; CPUID bits say only what the part could do. Source: AMD 24593 15.34.10, linux
 * arch/x86/include/asm/msr-index.h, Documentation/ABI/testing/configfs-tsm-report. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "platform/checks.h"

#define TSM_FOLDER "/sys/kernel/config/tsm/report"
#define GUEST_DEVICE "/dev/sev-guest"
#define SWIOTLB_SLAB_KIB 2
#define SWIOTLB_MIN_KIB (64 * 1024)
#define SWIOTLB_MAX_KIB (1024 * 1024)

void check_status_bit(const struct ready_ctx *c, struct ready_result *r)
{
    uint64_t status;
    if (read_msr(c, r, MSR_SEV_STATUS, &status)) {
        bool on = status >> r->check->arg & 1;
        set_if(r, on, "%s (SEV_STATUS bit %u)", on ? "on" : "off", (unsigned)r->check->arg);
    }
}

void check_status_unknown(const struct ready_ctx *c, struct ready_result *r)
{
    uint64_t status;
    if (!read_msr(c, r, MSR_SEV_STATUS, &status))
        return;
    if (status & ~STATUS_KNOWN_BITS)
        set_fail(r, "0x%" PRIx64 ", of which 0x%" PRIx64 " has no known meaning", status, status & ~STATUS_KNOWN_BITS);
    else
        set_pass(r, "0x%" PRIx64, status);
}

/* A hypervisor passes these bits through to plain guests too. */
void check_guest_cpuid(const struct ready_ctx *c, struct ready_result *r)
{
    struct cpuid_regs leaf;
    if (!read_sev_leaf(c, r, &leaf))
        return;
    set_if(r, leaf.eax >> 1 & 1, "shows%s%s%s%s, C-bit %u", leaf.eax & 1 ? " SME" : "", leaf.eax >> 1 & 1 ? " SEV" : " no SEV",
           leaf.eax >> 3 & 1 ? " SEV-ES" : "", leaf.eax >> 4 & 1 ? " SEV-SNP" : "", leaf.ebx & 63);
}

/* ---- where reports come from ---- */
static bool have_tsm(const struct ready_ctx *c)
{
    TST_AUTO_STR names = NULL;
    return c->p->list_dir(c->p, TSM_FOLDER, &names) >= 0;
}

void check_report_device(const struct ready_ctx *c, struct ready_result *r)
{
    bool tsm = have_tsm(c), device = platform_exists(c->p, GUEST_DEVICE);
    set_if(r, tsm || device, "%s%s%s", tsm ? "configfs-tsm" : "", tsm && device ? " and " : "",
           device ? GUEST_DEVICE : tsm ? "" : "neither configfs-tsm nor " GUEST_DEVICE);
}

void check_tsm(const struct ready_ctx *c, struct ready_result *r)
{
    /* tsm until Linux 6.15, tsm_report since */
    bool there = have_tsm(c), module = platform_exists(c->p, "/sys/module/tsm") || platform_exists(c->p,
        "/sys/module/tsm_report");
    if (there)
        set_pass(r, TSM_FOLDER);
    else if (!platform_exists(c->p, "/sys/kernel/config"))
        set_fail(r, "configfs is not mounted");
    else
        set_fail(r, "%s is not there, the module is %s", TSM_FOLDER, module ? "loaded" : "not loaded");
}

void check_guest_device(const struct ready_ctx *c, struct ready_result *r)
{
    int rc = c->p->can_open(c->p, GUEST_DEVICE, true);
    if (rc >= 0 || rc == -EBUSY)
        set_pass(r, "%s opens", GUEST_DEVICE);
    else if (rc == -ENOENT)
        set_fail(r, "%s does not exist, the module sev_guest is %s", GUEST_DEVICE,
                 platform_exists(c->p, "/sys/module/sev_guest") ? "loaded" : "not loaded");
    else
        set_unreadable(r, GUEST_DEVICE, rc);
}

void check_vmpl(const struct ready_ctx *c, struct ready_result *r)
{
    uint64_t vmpl;
    if (platform_number(c->p, "/sys/devices/system/cpu/sev/vmpl", &vmpl) < 0)
        set_unknown(r, "this kernel does not say (Linux 6.11 and later do)");
    else
        set_pass(r, "the kernel runs at VMPL %" PRIu64 "%s", vmpl, vmpl ? ", under an SVSM" : "");
}

/* ---- what makes a guest slow or leaky ---- */
/* The kernel gives 6 % of memory, from 64 MiB to 1 GiB (arch/x86/mm/mem_encrypt.c). */
void check_guest_swiotlb(const struct ready_ctx *c, struct ready_result *r)
{
    uint64_t slabs, used = 0, memory_kib;
    int rc = platform_number(c->p, "/sys/kernel/debug/swiotlb/io_tlb_nslabs", &slabs);
    if (rc < 0) {
        set_unreadable(r, "/sys/kernel/debug/swiotlb/io_tlb_nslabs", rc);
        if (rc == -ENOENT)
            set_fix(r, "`mount -t debugfs none /sys/kernel/debug`, then run this check again as root");
        return;
    }
    rc = platform_keyed(c->p, "/proc/meminfo", "MemTotal", &memory_kib);
    if (rc < 0) {
        set_unreadable(r, "/proc/meminfo", rc);
        return;
    }
    rc = platform_number(c->p, "/sys/kernel/debug/swiotlb/io_tlb_used", &used);
    if (rc < 0) {
        set_unreadable(r, "/sys/kernel/debug/swiotlb/io_tlb_used", rc);
        return;
    }
    uint64_t want = memory_kib / 100 * 6, size = slabs * SWIOTLB_SLAB_KIB;
    want = want < SWIOTLB_MIN_KIB ? SWIOTLB_MIN_KIB : want > SWIOTLB_MAX_KIB ? SWIOTLB_MAX_KIB : want;
    set_wanted(r, "at least %" PRIu64 " MiB, less than nine tenths in use", want / 1024);
    /* the kernel rounds its share down to whole areas */
    set_if(r, size >= want / 10 * 9 && used * 10 < slabs * 9, "%" PRIu64 " MiB, %" PRIu64 " MiB in use", size / 1024,
           used * SWIOTLB_SLAB_KIB / 1024);
}

/* A node that has CPUs and no memory: every access of those CPUs is remote. */
void check_guest_numa(const struct ready_ctx *c, struct ready_result *r)
{
    TST_AUTO_STR names = NULL;
    unsigned nodes = 0, empty = 0;
    int rc = c->p->list_dir(c->p, "/sys/devices/system/node", &names);
    char *rest = rc < 0 ? NULL : names;
    for (char *name; (name = platform_next_name(&rest));) {
        TST_AUTO_STR cpus = NULL;
        TST_AUTO_STR memory = NULL;
        char path[128];
        size_t n;
        if (strncmp(name, "node", 4) != 0 || name[4] < '0' || name[4] > '9' || strlen(name) > 16)
            continue;
        nodes++;
        snprintf(path, sizeof path, "/sys/devices/system/node/%s/cpulist", name);
        bool has_cpus = platform_line(c->p, path, &cpus) >= 0 && cpus[0];
        snprintf(path, sizeof path, "/sys/devices/system/node/%s/meminfo", name);
        const char *total = c->p->read_file(c->p, path, PLATFORM_FILE_MAX, &memory, &n) >= 0 ? strstr(memory,
            "MemTotal:") : NULL;
        total = total ? total + strlen("MemTotal:") : "";
        empty += has_cpus && strncmp(total + strspn(total, " "), "0 kB", 4) == 0;
    }
    if (rc < 0 || !nodes)
        set_unreadable(r, "/sys/devices/system/node", rc < 0 ? rc : -ENODATA);
    else
        set_if(r, !empty, "%u node%s, %u of them with CPUs and no memory", nodes, nodes == 1 ? "" : "s", empty);
}

void check_clocksource(const struct ready_ctx *c, struct ready_result *r)
{
    TST_AUTO_STR line = NULL;
    static const char path[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    int rc = platform_line(c->p, path, &line);
    if (rc < 0)
        set_unreadable(r, path, rc);
    else
        set_if(r, strcmp(line, "tsc") == 0, "%s", line);
}

void check_swap(const struct ready_ctx *c, struct ready_result *r)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0;
    int rc = c->p->read_file(c->p, "/proc/swaps", PLATFORM_FILE_MAX, &text, &n);
    if (rc < 0) {
        set_unreadable(r, "/proc/swaps", rc);
        return;
    }
    const char *second = strchr(text, '\n');
    bool none = !second || !second[1];
    set_if(r, none, "%s%.*s", none ? "none" : "swaps to ", none ? 0 : (int)strcspn(second + 1, " \t\n"),
        none ? "" : second + 1);
}
