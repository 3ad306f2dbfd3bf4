/* SPDX-License-Identifier: Apache-2.0 */
/* snp/measure.c - one launch: what is read and checked, then the measured pages in the order in which each VMM adds them.
 * SNP: firmware, (SVSM,) sections, one VMSA a vCPU. SEV: SHA-256 of firmware and hash table; SEV-ES: and of each VMSA.
 * Sources: AMD 56860 and 55766; QEMU target/i386/sev.c; the orders of EC2 and GCE as their published tools have them. */
#include <strings.h>

#include "measure_inner.h"

static const char *const mode_names[] = {[TST_MEASURE_SEV] = "sev", [TST_MEASURE_SEV_ES] = "es", [TST_MEASURE_SNP] = "snp"};

const char *tst_measure_mode_name(enum tst_measure_mode m)
{
    return mode_names[m];
}

bool tst_measure_mode_of(const char *name, enum tst_measure_mode *out)
{
    for (size_t i = 0; i < TST_COUNT(mode_names); i++) {
        if (strcasecmp(name, mode_names[i]) == 0) {
            *out = (enum tst_measure_mode)i;
            return true;
        }
    }
    return false;
}

/* ---- what may be asked for ---- */
static int check_vcpus(const struct tst_measure_in *in, struct tst_error **err)
{
    if (in->mode != TST_MEASURE_SEV && (in->vcpus < 1 || in->vcpus > TST_VCPUS_MAX))
        return tst_fail(err, TST_USAGE, "%u vCPUs, expected 1 to %d", in->vcpus, TST_VCPUS_MAX);
    if (in->mode == TST_MEASURE_SNP && !(in->sev_features & TST_SEV_FEATURE_SNP))
        return tst_fail(err, TST_USAGE, "SEV features %#llx: bit 0 (SNP active) is set in every SNP guest", (unsigned long long)in->sev_features);
    if (in->mode == TST_MEASURE_SEV_ES && in->sev_features & TST_SEV_FEATURE_SNP)
        return tst_fail(err, TST_USAGE, "SEV features %#llx: bit 0 (SNP active) is not set in an SEV-ES guest", (unsigned long long)in->sev_features);
    if (in->vmsa_gpa % TST_PAGE_BYTES)
        return tst_fail(err, TST_USAGE, "VMSA address %#llx: not a page", (unsigned long long)in->vmsa_gpa);
    return 0;
}

static int check_snp_only(const struct tst_measure_in *in, struct tst_error **err)
{
    if (in->mode == TST_MEASURE_SNP)
        return 0;
    if (in->firmware_digest || in->svsm.p)
        return tst_fail(err, TST_USAGE, "%s: only an SNP launch has this", in->svsm.p ? "SVSM" : "firmware digest");
    return 0;
}

static int check_kernel_room(const struct tst_measure_in *in, const struct launch *l, struct tst_error **err)
{
    const struct tst_firmware *f = l->meta;
    if (!in->kernel)
        return 0;
    if (!f->has_hashes) {
        tst_fail(err, TST_USAGE, "firmware: has no place for kernel hashes");
        return tst_hint(err, "firmware that measures the kernel (OVMF's AmdSev build)", "a firmware without a kernel hashes entry",
                        "use OVMF.amdsev.fd, or measure without kernel: then neither kernel nor command line are protected");
    }
    if (f->hashes_bytes < TST_HASH_TABLE_BYTES || f->hashes_gpa % TST_PAGE_BYTES > TST_PAGE_BYTES - TST_HASH_TABLE_BYTES)
        return tst_fail(err, TST_USAGE, "firmware: kernel hashes need %d bytes in one page, %u at %#x are set aside",
                        TST_HASH_TABLE_BYTES, f->hashes_bytes, f->hashes_gpa);
    return 0;
}

static const struct tst_section *hashes_section(const struct launch *l)
{
    for (size_t i = 0; i < l->meta->section_count; i++)
        if (l->meta->sections[i].kind == TST_SECTION_KERNEL_HASHES)
            return &l->meta->sections[i];
    return NULL;
}

static int check_sections(const struct tst_measure_in *in, const struct launch *l, struct tst_error **err)
{
    if (in->mode != TST_MEASURE_SNP)
        return 0;
    if (l->meta->section_count == 0)
        return tst_fail(err, TST_USAGE, "%s: has no SEV metadata, it cannot start as an SNP guest", l->has_svsm ? "SVSM" : "firmware");
    const struct tst_section *s = hashes_section(l);
    if (in->kernel && !in->hashes_first && (!s || l->meta->hashes_gpa / TST_PAGE_BYTES != s->gpa / TST_PAGE_BYTES))
        return tst_fail(err, TST_USAGE, "firmware: its SEV metadata has no kernel hashes section around %#x", l->meta->hashes_gpa);
    return 0;
}

bool launch_can_start_aps(const struct tst_measure_in *in, const struct launch *l)
{
    return l->has_svsm || in->vmm == TST_VMM_KRUN || l->firmware.has_reset;
}

static int check_aps(const struct tst_measure_in *in, const struct launch *l, struct tst_error **err)
{
    if (in->mode == TST_MEASURE_SEV || in->vcpus == 1 || launch_can_start_aps(in, l))
        return 0;
    return tst_fail(err, TST_USAGE, "firmware: has no SEV-ES reset block, so it can start 1 vCPU, not %u", in->vcpus);
}

/* ---- images ---- */
static int whole_pages(size_t n, const char *what, struct tst_error **err)
{
    return n % TST_PAGE_BYTES == 0 ? 0 : tst_fail(err, TST_USAGE, "%s: %zu bytes are not whole pages", what, n);
}

static int open_svsm(const struct tst_measure_in *in, struct launch *l, struct tst_error **err)
{
    if (in->vmm != TST_VMM_QEMU)
        return tst_fail(err, TST_USAGE, "an SVSM is loaded by QEMU only, not by %s", tst_vmm_name(in->vmm));
    int rc = whole_pages(in->svsm.n, "SVSM", err);
    if (rc == 0)
        rc = whole_pages(in->vars_bytes, "variable store", err);
    if (rc == 0)
        rc = tst_firmware_parse(in->svsm.p, in->svsm.n, &l->svsm, err);
    if (rc < 0)
        return tst_wrap(err, "SVSM");
    if (!l->svsm.has_svsm_info)
        return tst_fail(err, TST_USAGE, "SVSM: its table does not say where it starts (no SVSM info entry)");
    if (in->svsm.n > l->firmware_gpa || in->vars_bytes > l->firmware_gpa - in->svsm.n)
        return tst_fail(err, TST_USAGE, "SVSM, variables and firmware do not fit below 4 GiB");
    l->has_svsm = true;
    l->svsm_gpa = l->firmware_gpa - in->vars_bytes - in->svsm.n;
    l->meta = &l->svsm;
    return 0;
}

int launch_open(const struct tst_measure_in *in, struct launch *out, struct tst_error **err)
{
    *out = (struct launch){.meta = &out->firmware};
    int rc = check_vcpus(in, err);
    if (rc == 0)
        rc = check_snp_only(in, err);
    if (rc == 0)
        rc = tst_firmware_parse(in->firmware.p, in->firmware.n, &out->firmware, err);
    if (rc == 0 && in->mode == TST_MEASURE_SNP)
        rc = whole_pages(in->firmware.n, "firmware", err);
    out->firmware_gpa = FOUR_GIB - in->firmware.n;
    if (rc == 0 && in->svsm.p)
        rc = open_svsm(in, out, err);
    if (rc == 0)
        rc = check_kernel_room(in, out, err);
    if (rc == 0)
        rc = check_sections(in, out, err);
    return rc == 0 ? check_aps(in, out, err) : rc;
}

/* ---- SNP, step by step ---- */
int launch_images(const struct tst_measure_in *in, const struct launch *l, struct ld *d, struct tst_error **err)
{
    int rc = 0;
    memset(d->value, 0, sizeof d->value);
    if (in->firmware_digest) {
        memcpy(d->value, in->firmware_digest, sizeof d->value);
        return 0;
    }
    rc = ld_normal(d, l->firmware_gpa, in->firmware, err);
    return rc == 0 && l->has_svsm ? ld_normal(d, l->svsm_gpa, in->svsm, err) : rc;
}

static int extend_hashes(const struct tst_measure_in *in, const struct launch *l, struct ld *d, struct tst_error **err)
{
    uint32_t gpa = l->meta->hashes_gpa / TST_PAGE_BYTES * TST_PAGE_BYTES;
    uint8_t page[TST_PAGE_BYTES] = {0}, contents[TST_SHA384_BYTES];
    tst_kernel_table(in->kernel, page + l->meta->hashes_gpa % TST_PAGE_BYTES);
    int rc = ld_page_digest(d, page, contents, err);
    return rc == 0 ? ld_extend(d, LD_NORMAL, gpa, contents, err) : rc;
}

static int extend_section(const struct tst_measure_in *in, const struct launch *l, const struct tst_section *s, struct ld *d,
                          struct tst_error **err)
{
    switch (s->kind) {
    case TST_SECTION_SEC_MEM:
        return ld_extend_range(d, in->vmm == TST_VMM_GCE ? LD_UNMEASURED : LD_ZERO, s->gpa, s->bytes, err);
    case TST_SECTION_SVSM_CAA:
        return ld_extend(d, LD_ZERO, s->gpa, NULL, err);
    case TST_SECTION_SECRETS:
        return ld_extend(d, LD_SECRETS, s->gpa, NULL, err);
    case TST_SECTION_CPUID:
        return ld_extend(d, LD_CPUID, s->gpa, NULL, err);
    case TST_SECTION_KERNEL_HASHES:
        break;
    }
    if (in->kernel && in->hashes_first)
        return 0;
    return in->kernel ? extend_hashes(in, l, d, err) : ld_extend(d, LD_ZERO, s->gpa, NULL, err);
}

/* EC2 adds the CPUID page after all others. */
int launch_sections(const struct tst_measure_in *in, const struct launch *l, struct ld *d, struct tst_error **err)
{
    int rc = in->kernel && in->hashes_first ? extend_hashes(in, l, d, err) : 0;
    for (unsigned last = 0; rc == 0 && last <= 1; last++) {
        for (size_t i = 0; rc == 0 && i < l->meta->section_count; i++) {
            const struct tst_section *s = &l->meta->sections[i];
            bool comes_last = in->vmm == TST_VMM_EC2 && s->kind == TST_SECTION_CPUID;
            if (comes_last == (last == 1))
                rc = extend_section(in, l, s, d, err);
        }
    }
    return rc;
}

void launch_vmsa(const struct tst_measure_in *in, const struct launch *l, unsigned cpu, uint8_t page[TST_PAGE_BYTES])
{
    struct tst_vmsa_spec s = {
        .vmm = in->vmm,
        .svsm = l->has_svsm,
        .cpu = cpu,
        .eip = cpu == 0 ? TST_BSP_EIP : l->firmware.reset_eip,
        .signature = in->signature,
        .sev_features = in->sev_features,
        .fpu = in->fpu,
        .rdx_zero = in->rdx_zero,
    };
    if (l->has_svsm)
        s.eip = (uint32_t)(l->svsm_gpa + l->svsm.svsm_entry);
    tst_vmsa_build(&s, page);
}

uint64_t launch_vmsa_gpa(const struct tst_measure_in *in)
{
    return in->vmsa_gpa ? in->vmsa_gpa : TST_VMSA_GPA_KVM;
}

/* All processors but the first start alike: two pages to hash, however many there are. */
static int extend_vmsas(const struct tst_measure_in *in, const struct launch *l, struct ld *d, struct tst_error **err)
{
    uint8_t page[TST_PAGE_BYTES], contents[TST_SHA384_BYTES];
    int rc = 0;
    for (unsigned cpu = 0; rc == 0 && cpu < in->vcpus; cpu++) {
        if (cpu < 2) {
            launch_vmsa(in, l, cpu, page);
            rc = ld_page_digest(d, page, contents, err);
        }
        if (rc == 0)
            rc = ld_extend(d, LD_VMSA, launch_vmsa_gpa(in), contents, err);
    }
    return rc;
}

static int measure_snp(const struct tst_measure_in *in, const struct launch *l, struct tst_measurement *out, struct tst_error **err)
{
    TST_AUTO_HASHER hasher = NULL;
    struct ld d = {0};
    int rc = tst_hasher_new(TST_HASH_SHA384, &hasher, err);
    d.hasher = hasher;
    if (rc == 0)
        rc = launch_images(in, l, &d, err);
    if (rc == 0)
        rc = launch_sections(in, l, &d, err);
    if (rc == 0)
        rc = extend_vmsas(in, l, &d, err);
    if (rc < 0)
        return rc;
    memcpy(out->digest, d.value, sizeof d.value);
    out->bytes = TST_SHA384_BYTES;
    return 0;
}

/* ---- SEV, SEV-ES ---- */
int launch_legacy_images(const struct tst_measure_in *in, struct tst_hasher *sha256, struct tst_error **err)
{
    uint8_t table[TST_HASH_TABLE_BYTES];
    int rc = tst_hasher_update(sha256, in->firmware.p, in->firmware.n, err);
    if (rc < 0 || !in->kernel)
        return rc;
    tst_kernel_table(in->kernel, table);
    return tst_hasher_update(sha256, table, sizeof table, err);
}

static int measure_legacy(const struct tst_measure_in *in, const struct launch *l, struct tst_measurement *out, struct tst_error **err)
{
    TST_AUTO_HASHER hasher = NULL;
    uint8_t page[TST_PAGE_BYTES];
    int rc = tst_hasher_new(TST_HASH_SHA256, &hasher, err);
    if (rc == 0)
        rc = launch_legacy_images(in, hasher, err);
    for (unsigned cpu = 0; rc == 0 && in->mode == TST_MEASURE_SEV_ES && cpu < in->vcpus; cpu++) {
        if (cpu < 2)
            launch_vmsa(in, l, cpu, page);
        rc = tst_hasher_update(hasher, page, sizeof page, err);
    }
    out->bytes = TST_SHA256_BYTES;
    return rc == 0 ? tst_hasher_final(hasher, out->digest, err) : rc;
}

int tst_measure(const struct tst_measure_in *in, struct tst_measurement *out, struct tst_error **err)
{
    struct launch l;
    *out = (struct tst_measurement){0};
    int rc = launch_open(in, &l, err);
    if (rc < 0)
        return tst_wrap(err, "measure");
    return in->mode == TST_MEASURE_SNP ? measure_snp(in, &l, out, err) : measure_legacy(in, &l, out, err);
}

int tst_measure_firmware(const struct tst_measure_in *in, uint8_t out[TST_SHA384_BYTES], struct tst_error **err)
{
    TST_AUTO_HASHER hasher = NULL;
    struct launch l;
    struct ld d = {0};
    int rc = launch_open(in, &l, err);
    if (rc < 0)
        return tst_wrap(err, "measure");
    rc = tst_hasher_new(TST_HASH_SHA384, &hasher, err);
    d.hasher = hasher;
    if (rc == 0)
        rc = launch_images(in, &l, &d, err);
    if (rc == 0)
        memcpy(out, d.value, sizeof d.value);
    return rc;
}
