/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/policy_tcb.c - the lowest TCB that a policy accepts: written out per product or CPU, or a dated set of
 * share/tcb-floors.tsv by its name. */
#include "shipped.h"

#define REPORT_VERSION_CPUID 3

/* ---- one floor: every component of its product is written out, none defaults to zero ---- */
static int read_component(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    struct tst_snp_tcb *tcb = &((struct policy_floor *)to)->tcb;
    const struct {
        const char *key;
        uint8_t *slot;
    } slots[] = {
        {"fmc", &tcb->fmc}, {"bootloader", &tcb->bootloader}, {"tee", &tcb->tee},
        {"snp", &tcb->snp}, {"microcode", &tcb->microcode},
    };
    uint64_t number = 0;
    int rc = tst_yaml_u64(value, UINT8_MAX, &number, err);
    for (size_t i = 0; rc == 0 && i < TST_COUNT(slots); i++)
        if (strcmp(value->key, slots[i].key) == 0)
            *slots[i].slot = (uint8_t)number;
    return rc;
}

static int read_u8(const struct tst_yaml *value, uint8_t *out, struct tst_error **err)
{
    uint64_t number = 0;
    int rc = tst_yaml_u64(value, UINT8_MAX, &number, err);
    *out = (uint8_t)number;
    return rc;
}

static int read_family(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    struct policy_cpus *cpus = &((struct policy_floor *)to)->cpus;
    int rc = read_u8(value, &cpus->family, err);
    return rc == 0 && cpus->family == 0 ? tst_yaml_fail(value, err, "family: expected 1 to 255") : rc;
}

/* [first, last] */
static int read_range(const struct tst_yaml *value, uint8_t *first, uint8_t *last, struct tst_error **err)
{
    int rc = tst_yaml_expect(value, TST_YAML_SEQ, err);
    if (rc < 0)
        return rc;
    const struct tst_yaml *a = value->child, *b = a ? a->next : NULL;
    if (!b || b->next)
        return tst_yaml_fail(value, err, "expected [first, last]");
    rc = read_u8(a, first, err);
    if (rc == 0)
        rc = read_u8(b, last, err);
    return rc == 0 && *first > *last ? tst_yaml_fail(value, err, "expected first <= last") : rc;
}

static int read_models(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    struct policy_cpus *cpus = &((struct policy_floor *)to)->cpus;
    return read_range(value, &cpus->model_first, &cpus->model_last, err);
}

static int read_steppings(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    struct policy_cpus *cpus = &((struct policy_floor *)to)->cpus;
    return read_range(value, &cpus->stepping_first, &cpus->stepping_last, err);
}

#define COMPONENTS                                                                                                        \
    {"bootloader", true, read_component}, {"tee", true, read_component}, {"snp", true, read_component},                   \
        {"microcode", true, read_component}
#define CPUS {"family", true, read_family}, {"models", true, read_models}, {"steppings", true, read_steppings}
static const struct tst_yaml_field fields_product[] = {COMPONENTS};
static const struct tst_yaml_field fields_product_fmc[] = {{"fmc", true, read_component}, COMPONENTS};
static const struct tst_yaml_field fields_cpus[] = {CPUS, COMPONENTS};
static const struct tst_yaml_field fields_cpus_fmc[] = {CPUS, {"fmc", true, read_component}, COMPONENTS};

static int read_floor(struct tst_policy *p, enum tst_snp_product product, const struct tst_yaml *map, bool cpus,
                      struct tst_error **err)
{
    struct policy_floor *f = policy_grow((void **)&p->floors, &p->floor_count, sizeof *f, POLICY_FLOORS_MAX, err);
    if (!f)
        return tst_wrap(err, "%s:%u", map->file, map->line);
    f->product = product;
    f->tcb.has_fmc = tst_snp_tcb_has_fmc(product);
    if (cpus)
        return f->tcb.has_fmc ? tst_yaml_map(map, fields_cpus_fmc, TST_COUNT(fields_cpus_fmc), f, err)
                              : tst_yaml_map(map, fields_cpus, TST_COUNT(fields_cpus), f, err);
    return f->tcb.has_fmc ? tst_yaml_map(map, fields_product_fmc, TST_COUNT(fields_product_fmc), f, err)
                          : tst_yaml_map(map, fields_product, TST_COUNT(fields_product), f, err);
}

/* ---- tcb: {product: {components} or [{family, models, steppings, components}]} ---- */
static int read_product_floors(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    enum tst_snp_product product = tst_snp_product_of(value->key);
    int rc = 0;
    if (value->kind != TST_YAML_SEQ)
        return read_floor(to, product, value, false, err);
    for (const struct tst_yaml *e = value->child; rc == 0 && e; e = e->next)
        rc = read_floor(to, product, e, true, err);
    return rc;
}

static const struct tst_yaml_field tcb_fields[] = {
    {"milan", false, read_product_floors},
    {"genoa", false, read_product_floors},
    {"turin", false, read_product_floors},
};

int policy_read_tcb(struct tst_policy *p, const struct tst_yaml *value, struct tst_error **err)
{
    if (p->floor_count)
        return tst_yaml_fail(value, err, "tcb: 'floors' says it already; give one of the two");
    return tst_yaml_map(value, tcb_fields, TST_COUNT(tcb_fields), p, err);
}

int policy_read_floor_set(struct tst_policy *p, const struct tst_yaml *value, struct tst_error **err)
{
    const char *set = NULL;
    int rc = tst_yaml_str(value, &set, err);
    if (rc < 0)
        return rc;
    if (p->floor_count)
        return tst_yaml_fail(value, err, "floors: 'tcb' says it already; give one of the two");
    for (size_t i = 0; i < shipped_floor_count; i++) {
        if (strcmp(set, shipped_floors[i].set) != 0)
            continue;
        struct policy_floor *f = policy_grow((void **)&p->floors, &p->floor_count, sizeof *f, POLICY_FLOORS_MAX, err);
        if (!f)
            return tst_wrap(err, "%s:%u", value->file, value->line);
        *f = shipped_floors[i].floor;
    }
    if (p->floor_count)
        return 0;
    return tst_yaml_fail(value, err, "floors: no set '%s'; the newest is '%s'", set, tst_floor_newest());
}

/* ---- printed ---- */
static json_t *floor_json(const struct policy_floor *f)
{
    const struct policy_cpus *c = &f->cpus;
    const struct {
        const char *key;
        uint8_t value;
        bool there;
    } components[] = {
        {"fmc", f->tcb.fmc, f->tcb.has_fmc}, {"bootloader", f->tcb.bootloader, true}, {"tee", f->tcb.tee, true},
        {"snp", f->tcb.snp, true},           {"microcode", f->tcb.microcode, true},
    };
    TST_AUTO_JSON o = c->family ? json_pack("{s:i, s:[i,i], s:[i,i]}", "family", c->family, "models", c->model_first,
                                            c->model_last, "steppings", c->stepping_first, c->stepping_last)
                                : json_object();
    for (size_t i = 0; i < TST_COUNT(components); i++)
        if (components[i].there && json_object_set_new(o, components[i].key, json_integer(components[i].value)) < 0)
            return NULL;
    return TST_STEAL(o);
}

/* NULL: no memory; a JSON null: the policy has no floor for this product. */
static json_t *product_floors_json(const struct tst_policy *p, enum tst_snp_product product)
{
    TST_AUTO_JSON list = json_array();
    for (size_t i = 0; i < p->floor_count; i++) {
        const struct policy_floor *f = &p->floors[i];
        if (f->product != product)
            continue;
        if (f->cpus.family == 0)
            return floor_json(f);
        if (json_array_append_new(list, floor_json(f)) < 0)
            return NULL;
    }
    return json_array_size(list) ? TST_STEAL(list) : json_null();
}

int policy_tcb_json(const struct tst_policy *p, json_t **out, struct tst_error **err)
{
    TST_AUTO_JSON o = json_object();
    for (enum tst_snp_product product = TST_SNP_MILAN; product < POLICY_PRODUCT_COUNT; product++) {
        json_t *floors = product_floors_json(p, product);
        if (json_is_null(floors))
            continue;
        if (json_object_set_new(o, tst_snp_product_name(product), floors) < 0)
            return tst_fail(err, TST_INTERNAL, "out of memory");
    }
    *out = TST_STEAL(o);
    return 0;
}

/* ---- looked up ---- */
static bool floor_covers(const struct policy_floor *f, const struct tst_snp_report *r)
{
    const struct policy_cpus *c = &f->cpus;
    if (c->family == 0 || r->version < REPORT_VERSION_CPUID)
        return true;
    return r->cpuid_family == c->family && r->cpuid_model >= c->model_first && r->cpuid_model <= c->model_last &&
           r->cpuid_stepping >= c->stepping_first && r->cpuid_stepping <= c->stepping_last;
}

static void raise_to(uint8_t *value, uint8_t floor)
{
    if (*value < floor)
        *value = floor;
}

bool policy_floor_of(const struct tst_policy *p, enum tst_snp_product product, const struct tst_snp_report *report,
                     struct tst_snp_tcb *out)
{
    bool found = false;
    *out = (struct tst_snp_tcb){.has_fmc = tst_snp_tcb_has_fmc(product)};
    for (size_t i = 0; i < p->floor_count; i++) {
        const struct policy_floor *f = &p->floors[i];
        if (f->product != product || !floor_covers(f, report))
            continue;
        found = true;
        raise_to(&out->fmc, f->tcb.fmc);
        raise_to(&out->bootloader, f->tcb.bootloader);
        raise_to(&out->tee, f->tcb.tee);
        raise_to(&out->snp, f->tcb.snp);
        raise_to(&out->microcode, f->tcb.microcode);
    }
    return found;
}
