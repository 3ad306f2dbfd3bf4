/* SPDX-License-Identifier: Apache-2.0 */
/* platform/check_firmware.c - the secure processor's firmware: new enough, initialised, and with what it must have done at
 * boot. Source: AMD 55766 (PLATFORM_STATUS), 56860 (SNP_PLATFORM_STATUS), share/firmware-floors.tsv, share/tcb-floors.tsv. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/checks.h"
#include "platform/floors.h"

#define SNP_MINIMUM_MAJOR 1
#define SNP_MINIMUM_MINOR 51

/* false: r says why the firmware's status is not known. */
static bool have_sev(const struct ready_ctx *c, struct ready_result *r)
{
    if (c->sev_rc == 0)
        return true;
    set_unknown(r, "%s", c->sev_why ? c->sev_why : "PLATFORM_STATUS failed");
    set_fix(r, c->sev_fix);
    return false;
}

static bool have_snp(const struct ready_ctx *c, struct ready_result *r)
{
    if (c->snp_rc == 0)
        return true;
    set_unknown(r, "%s", c->snp_why ? c->snp_why : "SNP_PLATFORM_STATUS failed");
    set_fix(r, c->snp_fix);
    return false;
}

static uint32_t version_number(unsigned major, unsigned minor, unsigned build)
{
    return major << 16 | minor << 8 | build;
}

/* Major first: 2.0 is above 1.51, and 0.60 is not. */
void check_firmware_snp_minimum(const struct ready_ctx *c, struct ready_result *r)
{
    if (have_sev(c, r))
        set_if(r, version_number(c->sev.api_major, c->sev.api_minor, 0) >= version_number(SNP_MINIMUM_MAJOR, SNP_MINIMUM_MINOR,
            0),
               "%u.%u build %u", c->sev.api_major, c->sev.api_minor, c->sev.build);
}

static bool is_cpu(const struct ready_cpu *cpu, const struct floor_cpu *f)
{
    return cpu->known && cpu->family == f->family && cpu->model >= f->model_first && cpu->model <= f->model_last &&
           cpu->stepping >= f->stepping_first && cpu->stepping <= f->stepping_last;
}

void check_firmware_floor(const struct ready_ctx *c, struct ready_result *r)
{
    if (!have_sev(c, r))
        return;
    for (size_t i = 0; i < firmware_floor_count; i++) {
        const struct firmware_floor *f = &firmware_floors[i];
        if (!is_cpu(&c->cpu, &f->cpu))
            continue;
        set_wanted(r, "%u.%u build %u or later for %s (%s, as of %s)", f->major, f->minor, f->build, f->cpu.name, f->source,
            f->date);
        set_if(r, version_number(c->sev.api_major, c->sev.api_minor, c->sev.build) >= version_number(f->major, f->minor,
            f->build),
               "%u.%u build %u", c->sev.api_major, c->sev.api_minor, c->sev.build);
        return;
    }
    set_na(r, "%u.%u build %u; no floor is known for this part", c->sev.api_major, c->sev.api_minor, c->sev.build);
}

static uint8_t tcb_component(const struct tst_snp_tcb *tcb, const char *name)
{
    const struct {
        const char *name;
        uint8_t value;
    } rows[] = {{"fmc", tcb->fmc}, {"bootloader", tcb->bootloader}, {"tee", tcb->tee}, {"snp", tcb->snp}, {"microcode",
        tcb->microcode}};
    for (size_t i = 0; i < TST_COUNT(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].value;
    return 0;
}

void check_firmware_tcb_floor(const struct ready_ctx *c, struct ready_result *r)
{
    char text[96];
    TST_AUTO_BUF low = {0};
    bool any = false;
    if (!have_snp(c, r))
        return;
    enum tst_snp_product product = tst_snp_product_of_cpuid((uint8_t)c->cpu.family, (uint8_t)c->cpu.model);
    struct tst_snp_tcb tcb = tst_snp_tcb_of(product, c->snp.current_tcb);
    tst_snp_tcb_print(&tcb, text, sizeof text);
    for (size_t i = 0; i < tcb_floor_count; i++) {
        const struct tcb_floor *f = &tcb_floors[i];
        if (!is_cpu(&c->cpu, &f->cpu))
            continue;
        any = true;
        if (tcb_component(&tcb, f->component) < f->minimum &&
            tst_buf_printf(&low, NULL, "%s%s at least %u (%s)", low.n ? "; " : "", f->component, f->minimum, f->source) < 0)
            break;
    }
    if (!any) {
        set_na(r, "%s; no floor is known for this part", text);
        return;
    }
    if (low.n)
        set_wanted(r, "%s", (const char *)low.p);
    set_if(r, !low.n, "%s", text);
}

void check_firmware_initialised(const struct ready_ctx *c, struct ready_result *r)
{
    if (have_sev(c, r))
        set_if(r, c->sev.state == SEV_INITIALISED || c->sev.state == SEV_WORKING, "%s, %" PRIu32 " guests",
            sev_state_name(c->sev.state),
               c->sev.guests);
}

void check_firmware_es(const struct ready_ctx *c, struct ready_result *r)
{
    if (have_sev(c, r))
        set_if(r, c->sev.es, "%s", c->sev.es ? "initialised for SEV-ES" : "initialised without SEV-ES");
}

void check_firmware_snp(const struct ready_ctx *c, struct ready_result *r)
{
    if (have_snp(c, r))
        set_if(r, c->snp.state == SEV_INITIALISED, "%s, %u.%u build %" PRIu32 ", %" PRIu32 " guests",
            sev_state_name(c->snp.state),
               c->snp.api_major, c->snp.api_minor, c->snp.build, c->snp.guests);
}

void check_rmp_initialised(const struct ready_ctx *c, struct ready_result *r)
{
    if (have_snp(c, r))
        set_if(r, c->snp.rmp_initialised, "%s", c->snp.rmp_initialised ? "initialised" : "not initialised");
}

void check_alias(const struct ready_ctx *c, struct ready_result *r)
{
    if (have_snp(c, r))
        set_if(r, c->snp.alias_checked, "%s", c->snp.alias_checked ? "done at boot" : "not done");
}

void check_tcb_reported(const struct ready_ctx *c, struct ready_result *r)
{
    char current[96], reported[96];
    if (!have_snp(c, r))
        return;
    enum tst_snp_product product = tst_snp_product_of_cpuid((uint8_t)c->cpu.family, (uint8_t)c->cpu.model);
    struct tst_snp_tcb a = tst_snp_tcb_of(product, c->snp.current_tcb), b = tst_snp_tcb_of(product, c->snp.reported_tcb);
    tst_snp_tcb_print(&a, current, sizeof current);
    tst_snp_tcb_print(&b, reported, sizeof reported);
    if (memcmp(c->snp.current_tcb, c->snp.reported_tcb, 8) == 0)
        set_pass(r, "%s", current);
    else
        set_fail(r, "reported: %s; current: %s", reported, current);
}

static bool hex_line(const struct ready_ctx *c, struct ready_result *r, const char *path, uint64_t *value)
{
    TST_AUTO_STR line = NULL;
    int rc = platform_line(c->p, path, &line);
    char *end = NULL;
    if (rc >= 0) {
        *value = strtoull(line, &end, 16);
        if (end != line && !*end)
            return true;
    }
    set_unknown(r, "%s is not there: this kernel cannot ask the firmware", path);
    return false;
}

void check_mitigations(const struct ready_ctx *c, struct ready_result *r)
{
    uint64_t supported, verified;
    if (hex_line(c, r, "/sys/firmware/sev/vulnerabilities/supported_mitigations", &supported) &&
        hex_line(c, r, "/sys/firmware/sev/vulnerabilities/verified_mitigations", &verified))
        set_if(r, (supported & ~verified) == 0, "supported 0x%" PRIx64 ", verified 0x%" PRIx64, supported, verified);
}

void check_ciphertext_hiding(const struct ready_ctx *c, struct ready_result *r)
{
    if (!have_snp(c, r))
        return;
    if (!(c->snp.flags & SNP_FLAG_CIPHERTEXT_HIDING_CAPABLE))
        set_na(r, "this part or firmware cannot hide ciphertext");
    else
        set_if(r, c->snp.flags & SNP_FLAG_CIPHERTEXT_HIDING, "%s", c->snp.flags & SNP_FLAG_CIPHERTEXT_HIDING ? "on" : "off");
}
