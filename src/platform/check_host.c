/* SPDX-License-Identifier: Apache-2.0 */
/* platform/check_host.c - what a host has for guests: ASIDs, IOMMU, memory placement. Source: AMD 24593 15.34 (ASIDs), linux
 * Documentation/admin-guide/cgroup-v2.rst (misc), drivers/iommu/amd/init.c (iommu_snp_enable). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/checks.h"

#define CGROUP "/sys/fs/cgroup"
#define IOMMU_SNP_BIT 63
#define NUMA_GUEST_MEMFD VERSION(6, 19)

/* ---- ASIDs ---- */
/* ECX: how many there are. EDX: the lowest that an SEV guest without encrypted state may have; those below are for SEV-ES
 * and SEV-SNP. */
static void asid_pools(const struct cpuid_regs *leaf, uint32_t *sev, uint32_t *es)
{
    uint32_t first = leaf->edx ? leaf->edx : 1;
    *es = first - 1 > leaf->ecx ? leaf->ecx : first - 1;
    *sev = leaf->ecx - *es;
}

void check_asid_split(const struct ready_ctx *c, struct ready_result *r)
{
    struct cpuid_regs leaf;
    uint32_t sev, es;
    if (!read_sev_leaf(c, r, &leaf))
        return;
    asid_pools(&leaf, &sev, &es);
    set_if(r, c->wanted == READY_SEV ? sev > 0 : es > 0, "%" PRIu32 " for SEV, %" PRIu32 " for SEV-ES and SEV-SNP", sev, es);
    if (c->wanted == READY_SEV)
        set_fix(r, "lower \"SEV-ES ASID space limit\" in BIOS: all ASIDs are kept for SEV-ES and SEV-SNP");
}

/* The root's misc.current is there since Linux 6.11; before, what the top groups use is all there is. */
static int asids_used(const struct platform *p, const char *key, uint64_t *used)
{
    TST_AUTO_STR names = NULL;
    uint64_t part;
    bool any = false;
    if (platform_keyed(p, CGROUP "/misc.current", key, used) >= 0)
        return 0;
    int rc = p->list_dir(p, CGROUP, &names);
    *used = 0;
    char *rest = rc < 0 ? NULL : names;
    for (char *name; (name = platform_next_name(&rest));) {
        char path[512];
        snprintf(path, sizeof path, CGROUP "/%s/misc.current", name);
        if (platform_keyed(p, path, key, &part) >= 0) {
            *used += part;
            any = true;
        }
    }
    return any ? 0 : -ENOENT;
}

void check_asid_pool(const struct ready_ctx *c, struct ready_result *r)
{
    const char *key = c->wanted == READY_SEV ? "sev" : "sev_es";
    uint64_t capacity, used;
    int rc = platform_keyed(c->p, CGROUP "/misc.capacity", key, &capacity);
    if (rc == -ENODATA) {
        set_fail(r, "the kernel offers no ASIDs of kind %s", key);
        return;
    }
    if (rc < 0) {
        set_unreadable(r, CGROUP "/misc.capacity", rc);
        return;
    }
    if (asids_used(c->p, key, &used) < 0) {
        set_unknown(r, "%" PRIu64 " %s, how many are used cannot be read", capacity, key);
        return;
    }
    set_if(r, capacity > used, "%s: %" PRIu64 " of %" PRIu64 " used, %" PRIu64 " free", key, used, capacity,
           capacity > used ? capacity - used : 0);
}

/* ---- IOMMU ---- */
/* `name=a,b` on the kernel's command line holds `value`. */
static bool cmdline_has(const char *cmdline, const char *name, const char *value)
{
    size_t name_n = strlen(name), value_n = strlen(value);
    for (const char *w = cmdline; *w; w += strcspn(w, " ") + strspn(w + strcspn(w, " "), " ")) {
        if (strncmp(w, name, name_n) != 0 || w[name_n] != '=')
            continue;
        for (const char *v = w + name_n; *v && *v != ' '; v += 1 + strcspn(v + 1, ", "))
            if (strncmp(v + 1, value, value_n) == 0 && strchr(", ", v[1 + value_n]))
                return true;
    }
    return false;
}

static bool read_cmdline(const struct ready_ctx *c, struct ready_result *r, char **cmdline)
{
    int rc = platform_line(c->p, "/proc/cmdline", cmdline);
    if (rc < 0)
        set_unreadable(r, "/proc/cmdline", rc);
    return rc >= 0;
}

static bool first_iommu(const struct platform *p, char out[32])
{
    TST_AUTO_STR names = NULL;
    char *rest = p->list_dir(p, "/sys/class/iommu", &names) < 0 ? NULL : names;
    for (char *name; (name = platform_next_name(&rest));)
        if (strncmp(name, "ivhd", 4) == 0 && snprintf(out, 32, "%s", name) < 32)
            return true;
    return false;
}

void check_iommu(const struct ready_ctx *c, struct ready_result *r)
{
    static const struct {
        const char *name, *value;
    } against[] = {{"iommu", "pt"}, {"iommu", "off"}, {"amd_iommu", "off"}, {"iommu.passthrough", "1"}, {"amd_iommu",
        "pgtbl_v2"}};
    TST_AUTO_STR cmdline = NULL;
    char name[32];
    if (!read_cmdline(c, r, &cmdline))
        return;
    for (size_t i = 0; i < TST_COUNT(against); i++)
        if (cmdline_has(cmdline, against[i].name, against[i].value)) {
            set_fail(r, "the kernel's command line has %s=%s", against[i].name, against[i].value);
            return;
        }
    bool there = first_iommu(c->p, name);
    set_if(r, there, "%s", there ? "on, translating" : "the kernel has no AMD IOMMU");
}

/* One word before Linux 6.2, "EFR2:EFR" then, "EFR:EFR2" since 6.7; bit 63 of EFR2 is reserved, so either word may show it. */
void check_iommu_snp(const struct ready_ctx *c, struct ready_result *r)
{
    TST_AUTO_STR line = NULL;
    char name[32], path[96];
    if (!first_iommu(c->p, name)) {
        set_fail(r, "the kernel has no AMD IOMMU");
        return;
    }
    snprintf(path, sizeof path, "/sys/class/iommu/%s/amd-iommu/features", name);
    int rc = platform_line(c->p, path, &line);
    if (rc < 0) {
        set_unreadable(r, path, rc);
        return;
    }
    const char *colon = strchr(line, ':');
    uint64_t bits = strtoull(line, NULL, 16) | (colon ? strtoull(colon + 1, NULL, 16) : 0);
    set_if(r, bits >> IOMMU_SNP_BIT & 1, "%s: features %s", name, line);
}

void check_host_swiotlb(const struct ready_ctx *c, struct ready_result *r)
{
    TST_AUTO_STR cmdline = NULL;
    if (!read_cmdline(c, r, &cmdline))
        return;
    bool on = cmdline_has(cmdline, "mem_encrypt", "on");
    set_if(r, !on, "%s", on ? "the host encrypts its own memory (mem_encrypt=on), so its devices bounce too" : "the host's devices do not bounce");
}

/* ---- memory placement ---- */
static int node_count(const struct platform *p)
{
    TST_AUTO_STR names = NULL;
    int rc = p->list_dir(p, "/sys/devices/system/node", &names), n = 0;
    if (rc < 0)
        return rc;
    char *rest = names;
    for (char *name; (name = platform_next_name(&rest));)
        n += strncmp(name, "node", 4) == 0 && name[4] >= '0' && name[4] <= '9';
    return n;
}

void check_numa_balancing(const struct ready_ctx *c, struct ready_result *r)
{
    uint64_t on;
    int rc = platform_number(c->p, "/proc/sys/kernel/numa_balancing", &on);
    if (rc == -ENOENT)
        set_pass(r, "this kernel does not balance");
    else if (rc < 0)
        set_unreadable(r, "/proc/sys/kernel/numa_balancing", rc);
    else
        set_if(r, on == 0, "%s", on ? "on" : "off");
}

void check_numa_placement(const struct ready_ctx *c, struct ready_result *r)
{
    TST_AUTO_STR release = NULL;
    int nodes = node_count(c->p);
    if (nodes < 0) {
        set_unreadable(r, "/sys/devices/system/node", nodes);
        return;
    }
    if (platform_line(c->p, "/proc/sys/kernel/osrelease", &release) < 0) {
        set_unknown(r, "%d nodes; the kernel's version cannot be read", nodes);
        return;
    }
    bool placed = nodes <= 1 || c->wanted != READY_SNP || version_of(release) >= NUMA_GUEST_MEMFD;
    set_if(r, placed, "%d node%s%s", nodes, nodes == 1 ? "" : "s",
        placed ? "" : ", and guest memory of this kernel ignores where it is asked to be");
}

void check_huge_pages(const struct ready_ctx *c, struct ready_result *r)
{
    static const char path[] = "/sys/kernel/mm/transparent_hugepage/enabled";
    TST_AUTO_STR line = NULL;
    uint64_t reserved = 0;
    int rc = platform_line(c->p, path, &line);
    if (rc < 0) {
        set_unreadable(r, path, rc);
        return;
    }
    if (platform_keyed(c->p, "/proc/meminfo", "HugePages_Total", &reserved) < 0)
        reserved = 0;
    set_if(r, !strstr(line, "[never]") || reserved > 0, "transparent: %s; reserved: %" PRIu64, line, reserved);
}
