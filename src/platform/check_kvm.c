/* SPDX-License-Identifier: Apache-2.0 */
/* platform/check_kvm.c - the software of a host: kernel, KVM, device, QEMU, libvirt, firmware images. Version floors: linux
 * release notes (SEV guest 4.15, KVM 4.16; SEV-ES guest 5.10, KVM 5.11; SEV-SNP guest 5.19, KVM 6.11; configfs-tsm 6.7),
 * QEMU change log (2.12, 6.0, 9.1), libvirt NEWS (4.5, 10.5). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/checks.h"
#include "platform/domcaps.h"

#define KVM_API_VERSION 12
#define SECURE_TSC_FEATURE 9

struct floors {
    uint32_t sev, es, snp;
};

static uint32_t floor_of(const struct floors *f, enum ready_generation g)
{
    return g == READY_SNP ? f->snp : g == READY_ES ? f->es : f->sev;
}

static void judge_version(const struct ready_ctx *c, struct ready_result *r, const char *what, const char *text,
    const struct floors *f)
{
    uint32_t version = version_of(text), floor = floor_of(f, c->wanted);
    set_wanted(r, "%s %u.%u or later for %s", what, floor >> 16, floor >> 8 & 255, ready_generation_title(c->wanted));
    if (!version)
        set_unknown(r, "no version in '%.60s'", text);
    else
        set_if(r, version >= floor, "%.60s", text);
}

void check_kernel(const struct ready_ctx *c, struct ready_result *r)
{
    static const struct floors host = {VERSION(4, 16), VERSION(5, 11), VERSION(6, 11)};
    static const struct floors guest = {VERSION(4, 15), VERSION(5, 10), VERSION(5, 19)};
    TST_AUTO_STR release = NULL;
    int rc = platform_line(c->p, "/proc/sys/kernel/osrelease", &release);
    if (rc < 0)
        set_unreadable(r, "/proc/sys/kernel/osrelease", rc);
    else
        judge_version(c, r, "Linux", release, r->check->place == READY_HOST ? &host : &guest);
}

static const char *const modules[] = {"ccp", "kvm_amd"};

void check_module(const struct ready_ctx *c, struct ready_result *r)
{
    char path[64];
    const char *name = modules[r->check->arg];
    snprintf(path, sizeof path, "/sys/module/%s", name);
    bool there = platform_exists(c->p, path);
    set_if(r, there, "%s is %s", name, there ? "there" : "not loaded");
}

void check_kvm_api(const struct ready_ctx *c, struct ready_result *r)
{
    int version = c->p->ioctl(c->p, KVM_DEVICE, KVM_API_VERSION_REQUEST, NULL);
    if (version == -ENOENT || version == -ENODEV || version == -ENXIO)
        set_fail(r, "%s: %s", KVM_DEVICE, strerror(-version));
    else if (version < 0)
        set_unreadable(r, KVM_DEVICE, version);
    else
        set_if(r, version == KVM_API_VERSION, "API version %d", version);
}

void check_kvm_param(const struct ready_ctx *c, struct ready_result *r)
{
    static const char *const names[] = {"sev", "sev_es", "sev_snp"};
    TST_AUTO_STR line = NULL;
    char path[80];
    snprintf(path, sizeof path, "/sys/module/kvm_amd/parameters/%s", names[r->check->arg]);
    int rc = platform_line(c->p, path, &line);
    if (rc == -ENOENT)
        set_fail(r, "%s does not exist: %s", path,
                 platform_exists(c->p, "/sys/module/kvm_amd") ? "this kernel does not know it" : "kvm_amd is not loaded");
    else if (rc < 0)
        set_unreadable(r, path, rc);
    else
        set_if(r, strcmp(line, "Y") == 0 || strcmp(line, "1") == 0, "%s = %s", names[r->check->arg], line);
}

void check_kvm_secure_tsc(const struct ready_ctx *c, struct ready_result *r)
{
    uint64_t features = 0;
    struct kvm_attr attr = {.group = KVM_ATTR_GROUP_SEV, .attr = KVM_ATTR_SEV_VMSA_FEATURES,
        .addr = (uint64_t)(uintptr_t)&features};
    int rc = c->p->ioctl(c->p, KVM_DEVICE, KVM_GET_ATTR_REQUEST, &attr);
    if (rc < 0)
        set_unknown(r, "KVM does not say which features it can give to guests: %s", strerror(-rc));
    else
        set_if(r, features >> SECURE_TSC_FEATURE & 1, "KVM offers SEV_FEATURES 0x%" PRIx64, features);
}

void check_dev_sev(const struct ready_ctx *c, struct ready_result *r)
{
    int rc = c->p->can_open(c->p, SEV_DEVICE, r->check->arg == 1);
    if (rc >= 0)
        set_pass(r, "%s opens for %s", SEV_DEVICE, r->check->arg ? "writing" : "reading");
    else if (rc == -ENOENT || rc == -ENODEV || rc == -ENXIO)
        set_fail(r, "%s: %s", SEV_DEVICE, strerror(-rc));
    else
        set_unreadable(r, SEV_DEVICE, rc);
}

void check_qemu(const struct ready_ctx *c, struct ready_result *r)
{
    static const struct floors floors = {VERSION(2, 12), VERSION(6, 0), VERSION(9, 1)};
    static const char *const programs[] = {"qemu-system-x86_64", "/usr/libexec/qemu-kvm"};
    for (size_t i = 0; i < TST_COUNT(programs); i++) {
        const char *const argv[] = {programs[i], "--version", NULL};
        TST_AUTO_STR output = NULL;
        if (c->p->run(c->p, argv, &output) != 0)
            continue;
        output[strcspn(output, "\n")] = '\0';
        judge_version(c, r, "QEMU", output, &floors);
        return;
    }
    set_unknown(r, "neither %s nor %s runs", programs[0], programs[1]);
}

/* ---- libvirt ---- */
static void judge_domcaps(const struct ready_ctx *c, struct ready_result *r, const struct domcaps *d)
{
    bool holds = c->wanted == READY_SNP   ? d->type_snp && d->max_es_guests > 0
                 : c->wanted == READY_ES ? d->sev && d->max_es_guests > 0
                                         : d->sev && (!d->has_max_guests || d->max_guests > 0);
    set_if(r, holds, "sev %s, SNP %s, maxGuests %" PRIu64 ", maxESGuests %" PRIu64, d->sev ? "yes" : "no",
           d->type_snp ? "yes" : d->launch_security ? "no" : "not known to this libvirt", d->max_guests, d->max_es_guests);
    if (!holds && (c->wanted == READY_SNP ? d->type_snp : d->sev))
        set_fix(r, "the pool for encrypted-state guests is empty: raise \"SEV-ES ASID space limit\" in BIOS");
}

void check_libvirt(const struct ready_ctx *c, struct ready_result *r)
{
    static const char *const argv[] = {"virsh", "--connect", "qemu:///system", "domcapabilities", "--virttype", "kvm",
        "--machine", "q35", NULL};
    TST_AUTO_STR output = NULL;
    TST_AUTO_ERROR err = NULL;
    struct domcaps d;
    const char *text = c->in->domcaps;
    size_t n = c->in->domcaps_n;
    if (!text) {
        int rc = c->p->run(c->p, argv, &output);
        if (rc != 0) {
            set_unknown(r, rc < 0 ? "virsh does not run: %s" : "virsh domcapabilities fails%s", rc < 0 ? strerror(-rc) : "");
            return;
        }
        text = output;
        n = strlen(output);
    }
    if (domcaps_parse(text, n, &d, &err) < 0)
        set_unknown(r, "%s", err->text);
    else
        judge_domcaps(c, r, &d);
}

/* ---- OVMF: QEMU's firmware descriptors (docs/interop/firmware.json) ---- */
static bool list_has(const json_t *list, const char *word)
{
    size_t i;
    json_t *v;
    json_array_foreach (list, i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), word) == 0)
            return true;
    return false;
}

static bool descriptor_serves(const struct ready_ctx *c, const char *path)
{
    static const char *const features[] = {[READY_SEV] = "amd-sev", [READY_ES] = "amd-sev-es", [READY_SNP] = "amd-sev-snp"};
    TST_AUTO_STR text = NULL;
    TST_AUTO_JSON d = NULL;
    size_t n = 0;
    if (c->p->read_file(c->p, path, TST_JSON_MAX_BYTES, &text, &n) < 0 || tst_json_parse(text, n, 0, &d, NULL) < 0)
        return false;
    const char *device = json_string_value(json_object_get(json_object_get(d, "mapping"), "device"));
    return list_has(json_object_get(d, "features"), features[c->wanted]) &&
           (c->wanted != READY_SNP || (device && strcmp(device, "memory") == 0));
}

void check_ovmf(const struct ready_ctx *c, struct ready_result *r)
{
    static const char *const folders[] = {"/etc/qemu/firmware", "/usr/share/qemu/firmware"};
    size_t seen = 0;
    for (size_t i = 0; i < TST_COUNT(folders); i++) {
        TST_AUTO_STR names = NULL;
        if (c->p->list_dir(c->p, folders[i], &names) < 0)
            continue;
        char *rest = names;
        for (char *name; (name = platform_next_name(&rest)); seen++) {
            TST_AUTO_STR path = tst_strdup_printf("%s/%s", folders[i], name);
            if (path && descriptor_serves(c, path)) {
                set_pass(r, "%s", path);
                return;
            }
        }
    }
    if (!seen)
        set_unknown(r, "no firmware descriptors in %s and %s", folders[0], folders[1]);
    else
        set_fail(r, "none of %zu firmware descriptors is for %s", seen, ready_generation_title(c->wanted));
}

/* ---- locked memory ---- */
void check_memlock(const struct ready_ctx *c, struct ready_result *r)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0;
    uint64_t soft = 0, memory_kib = 0;
    int rc = c->p->read_file(c->p, "/proc/self/limits", PLATFORM_FILE_MAX, &text, &n);
    const char *line = rc < 0 ? NULL : strstr(text, "Max locked memory");
    if (!line) {
        set_unreadable(r, "/proc/self/limits", rc < 0 ? rc : -ENODATA);
        return;
    }
    line += strlen("Max locked memory");
    line += strspn(line, " ");
    if (strncmp(line, "unlimited", 9) == 0) {
        set_pass(r, "unlimited");
        return;
    }
    char *end = NULL;
    soft = strtoull(line, &end, 10);
    if (end == line || *end != ' ' || platform_keyed(c->p, "/proc/meminfo", "MemTotal", &memory_kib) < 0)
        set_unknown(r, "the limit or the size of memory cannot be read");
    else
        set_if(r, soft / 1024 >= memory_kib, "%" PRIu64 " MiB of %" PRIu64 " MiB of memory", soft >> 20, memory_kib >> 10);
}
