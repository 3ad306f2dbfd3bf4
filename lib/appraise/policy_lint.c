/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/policy_lint.c - what is legal in a policy and still deserves a look: what it opens, what is out of date, what
 * makes it accept nothing at all. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy_read.h"

#include "checks.h"

#define SOON_S (30L * 24 * 3600)
#define REPORT_VERSION_CPUID 3
#define PLATFORM_ALIAS_CHECK (1ULL << 5)

struct remarks {
    struct tst_policy_remark *list;
    size_t count;
    time_t now;
};
#define REMARKS_MAX 65536

static int remark(struct remarks *r, struct tst_error **err, const char *key, const char *advice, const char *fmt, ...)
    TST_PRINTF(5, 6);
static int remark(struct remarks *r, struct tst_error **err, const char *key, const char *advice, const char *fmt, ...)
{
    va_list ap;
    struct tst_policy_remark *slot = policy_grow((void **)&r->list, &r->count, sizeof *slot, REMARKS_MAX, err);
    if (!slot)
        return -TST_INTERNAL;
    slot->key = key;
    slot->advice = advice;
    va_start(ap, fmt);
    int n = vasprintf(&slot->text, fmt, ap);
    va_end(ap);
    if (n >= 0)
        return 0;
    slot->text = NULL;
    return tst_fail(err, TST_INTERNAL, "out of memory");
}

static int lint_level(const struct tst_policy *p, struct remarks *r, struct tst_error **err)
{
    if (p->level >= TST_LEVEL_MEASURED)
        return 0;
    return remark(r, err, "level", "say level: measured, and measure kernel, initrd and command line",
                  "level %s does not withstand the operator: what runs above the firmware is not measured", tst_level_name(p->level));
}

static int lint_simulated(const struct tst_policy *p, struct remarks *r, struct tst_error **err)
{
    if (p->root_count == 0)
        return 0;
    return remark(r, err, "simulated", "remove it outside of tests and demonstrations",
                  "evidence of %zu simulator%s is accepted: no hardware stands behind it", p->root_count, p->root_count > 1 ? "s" : "");
}

/* ---- floors against the newest shipped set ---- */
static bool floor_is_shipped(const struct policy_floor *f, const struct tst_policy *p, struct tst_snp_tcb *has)
{
    const struct tst_snp_report cpu = {.version = REPORT_VERSION_CPUID, .cpuid_family = f->cpus.family,
                                       .cpuid_model = f->cpus.model_first, .cpuid_stepping = f->cpus.stepping_first};
    return !policy_floor_of(p, f->product, &cpu, has) || tst_snp_tcb_at_least(has, &f->tcb);
}

static int lint_product_floor(const struct tst_policy *p, enum tst_snp_product product, struct remarks *r, struct tst_error **err)
{
    int rc = 0;
    bool any = false;
    for (size_t i = 0; i < p->floor_count; i++)
        any = any || p->floors[i].product == product;
    if (!any)
        return remark(r, err, "tcb", "say floors, or write tcb for this product", "no TCB floor for %s: none is accepted",
                      tst_snp_product_name(product));
    for (size_t i = 0; rc == 0 && i < shipped_floor_count; i++) {
        const struct policy_floor *f = &shipped_floors[i].floor;
        struct tst_snp_tcb has;
        char want[96], found[96];
        if (f->product != product || strcmp(shipped_floors[i].set, tst_floor_newest()) != 0 || floor_is_shipped(f, p, &has))
            continue;
        tst_snp_tcb_print(&f->tcb, want, sizeof want);
        tst_snp_tcb_print(&has, found, sizeof found);
        rc = remark(r, err, "tcb", "say floors with the name of the newest set",
                    "%s, family 0x%02x, models 0x%02x to 0x%02x: the floor is %s, set %s has %s", tst_snp_product_name(product),
                    f->cpus.family, f->cpus.model_first, f->cpus.model_last, found, tst_floor_newest(), want);
    }
    return rc;
}

static int lint_products(const struct tst_policy *p, struct remarks *r, struct tst_error **err)
{
    bool any = false;
    int rc = 0;
    for (enum tst_snp_product i = TST_SNP_MILAN; rc == 0 && i < POLICY_PRODUCT_COUNT; i++) {
        any = any || p->products[i];
        if (p->products[i])
            rc = lint_product_floor(p, i, r, err);
    }
    if (rc == 0 && !any)
        rc = remark(r, err, "products", "name the products that you accept", "no product: nothing is accepted");
    if (rc == 0 && p->products[TST_SNP_MILAN])
        rc = remark(r, err, "products", "use Genoa or Turin where you can",
                    "milan: reports of a chip whose root seed was extracted can be forged (AMD-SB-3045)%s",
                    policy_holds_milan(p) ? "; the listed chips are trusted not to be among them" : ", and any chip is accepted");
    return rc;
}

static int lint_measurements(const struct tst_policy *p, struct remarks *r, struct tst_error **err)
{
    int rc = 0;
    char until[TST_TIME_BYTES];
    if (p->reference_count == 0)
        return remark(r, err, "measurements", "`testudo measure` computes reference values", "no reference value: nothing is accepted");
    for (size_t i = 0; rc == 0 && i < p->reference_count; i++) {
        const struct policy_reference *ref = &p->references[i];
        tst_time_print(ref->until, until);
        if (ref->has_until && ref->until < r->now)
            rc = remark(r, err, "measurements", "remove it", "%s expired at %s", ref->name, until);
        else if (ref->has_until && ref->until - r->now < SOON_S)
            rc = remark(r, err, "measurements", "build and measure its successor", "%s expires soon, at %s", ref->name, until);
    }
    return rc;
}

/* ---- single words ---- */
static int lint_openings(const struct tst_policy *p, struct remarks *r, struct tst_error **err)
{
    const struct {
        bool there;
        const char *key, *text, *advice;
    } rows[] = {
        {p->provisional == POLICY_ALLOW, "firmware", "provisional firmware is accepted: the host can roll it back",
         "have the firmware committed"},
        {p->debug == POLICY_ALLOW, "guest-policy", "debug is allowed: the host can read the guest", "say debug: deny"},
        {p->migration_agent == POLICY_ALLOW, "guest-policy", "a migration agent is allowed: it can export the guest",
         "say migration-agent: deny"},
        {p->guest.unknown == POLICY_ALLOW, "guest-policy", "bits are accepted whose meaning is not known", "say unknown-bits: deny"},
        {!(p->platform.set & PLATFORM_ALIAS_CHECK), "platform-info", "alias-check-complete is not asked for: a host with tampered "
         "memory modules can write to guests (BadRAM, AMD-SB-3015)", "say must-set: [alias-check-complete]"},
        {p->vmpls != 1, "vmpl", "reports of a VMPL other than 0 are accepted: software below the firmware's level can ask for them",
         "say vmpl: 0, unless a service module runs at VMPL 0"},
        {p->chip_count == 0, "chips", "any chip of the products is accepted, also one on somebody's bench with probes on its memory bus",
         "list the chips of the machines that you trust"},
        {p->crl == POLICY_CRL_IF_PRESENT, "crl", "a revoked certificate goes unnoticed where there is no CRL", "say mode: require"},
        {p->crl == POLICY_CRL_OFF, "crl", "a revoked certificate goes unnoticed", "say mode: require"},
        {p->vlek == POLICY_ALLOW, "vlek", "a VLEK is accepted: it names a provider, and no chip", "say vlek: deny"},
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < TST_COUNT(rows); i++)
        if (rows[i].there)
            rc = remark(r, err, rows[i].key, rows[i].advice, "%s", rows[i].text);
    return rc;
}

static int lint_rules(const struct tst_policy *p, struct remarks *r, struct tst_error **err)
{
    size_t count = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (p->warned & 1ULL << i)
            rc = remark(r, err, "rules", "say enforce once every node holds it", "%s only warns", infos[i].id);
    return rc;
}

void tst_policy_remarks_free(struct tst_policy_remark *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i].text);
    free(list);
}

int tst_policy_lint(const struct tst_policy *p, time_t now, struct tst_policy_remark **out, size_t *count, struct tst_error **err)
{
    static int (*const parts[])(const struct tst_policy *, struct remarks *, struct tst_error **) = {
        lint_level, lint_simulated, lint_products, lint_measurements, lint_openings, lint_rules,
    };
    struct remarks r = {.now = now};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < TST_COUNT(parts); i++)
        rc = parts[i](p, &r, err);
    if (rc < 0) {
        tst_policy_remarks_free(r.list, r.count);
        return rc;
    }
    *out = r.list;
    *count = r.count;
    return 0;
}
