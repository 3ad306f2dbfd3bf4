/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/policy_read.c - YAML (or the JSON of policy_json.c) -> struct tst_policy. Each map of the format is one table;
 * unknown keys are refused with file and line. Format and defaults: docs/policy.md. */
#include "policy_read.h"

#include <stdlib.h>

typedef int element_fn(struct policy_reader *r, const struct tst_yaml *element, struct tst_error **err);

static int each_element(struct policy_reader *r, const struct tst_yaml *list, element_fn *read, struct tst_error **err)
{
    int rc = tst_yaml_expect(list, TST_YAML_SEQ, err);
    for (const struct tst_yaml *e = list->child; rc == 0 && e; e = e->next)
        rc = read(r, e, err);
    return rc;
}

/* Puts the element's place before an error that does not know it. */
static int at_element(const struct tst_yaml *e, struct tst_error **err)
{
    return tst_wrap(err, "%s:%u:%u", e->file, e->line, e->column);
}

/* ---- lists that may live in a file of their own: {include: FILE} ---- */
static int read_include_path(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return tst_yaml_str(value, to, err);
}

static const struct tst_yaml_field include_fields[] = {{"include", true, read_include_path}};

static int each_included(struct policy_reader *r, const struct tst_yaml *map, element_fn *read, struct tst_error **err)
{
    const char *path = NULL;
    TST_AUTO_STR text = NULL;
    TST_AUTO_YAML root = NULL;
    size_t n = 0;
    int rc = tst_yaml_map(map, include_fields, TST_COUNT(include_fields), &path, err);
    if (rc < 0)
        return rc;
    if (!r->include)
        return tst_yaml_fail(map, err, "include: files cannot be included here, only a list can stand here");
    rc = r->include(r->ctx, path, &text, &n, err);
    if (rc < 0)
        return at_element(map, err);
    rc = tst_yaml_parse(path, text, n, &root, err);
    return rc < 0 ? at_element(map, err) : each_element(r, root, read, err);
}

static int each_listed(struct policy_reader *r, const struct tst_yaml *value, element_fn *read, struct tst_error **err)
{
    return value->kind == TST_YAML_MAP ? each_included(r, value, read, err) : each_element(r, value, read, err);
}

/* ---- simulated: {allow: [SPKI SHA-256 ...]} ---- */
static int read_root(struct policy_reader *r, const struct tst_yaml *e, struct tst_error **err)
{
    struct tst_policy *p = r->p;
    struct policy_root root;
    int rc = tst_yaml_hex(e, root.spki_sha256, sizeof root.spki_sha256, err);
    if (rc < 0)
        return rc;
    const struct shipped_pin *amd = shipped_pin_find(root.spki_sha256);
    if (amd)
        return tst_yaml_fail(e, err, "this is AMD's own root key for %s, not a simulator's", tst_snp_product_name(amd->product));
    if (policy_names_root(p, root.spki_sha256))
        return 0;
    struct policy_root *slot = policy_grow((void **)&p->roots, &p->root_count, sizeof *slot, POLICY_ROOTS_MAX, err);
    if (!slot)
        return at_element(e, err);
    *slot = root;
    return 0;
}

static int read_allow(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return each_listed(to, value, read_root, err);
}

static const struct tst_yaml_field simulated_fields[] = {{"allow", true, read_allow}};

static int read_simulated(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return tst_yaml_map(value, simulated_fields, TST_COUNT(simulated_fields), to, err);
}

/* ---- measurements: [{name, digest, until, acpi, level}] ---- */
#define REFERENCE_NAME_MAX 100

static int read_reference_name(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    struct policy_reference *ref = to;
    const char *name = NULL;
    int rc = tst_yaml_str(value, &name, err);
    if (rc < 0)
        return rc;
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if (name[i] < 0x20 || name[i] > 0x7e)
            return tst_yaml_fail(value, err, "name: only printable ASCII characters may stand here");
    if (n == 0 || n > REFERENCE_NAME_MAX)
        return tst_yaml_fail(value, err, "name: expected 1 to %d characters", REFERENCE_NAME_MAX);
    ref->name = strdup(name);
    return ref->name ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int read_reference_digest(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    struct policy_reference *ref = to;
    int rc = tst_yaml_hex(value, ref->digest, sizeof ref->digest, err);
    if (rc == 0 && tst_is_zero(ref->digest, sizeof ref->digest))
        rc = tst_yaml_fail(value, err, "digest: all zero is no launch digest");
    return rc;
}

static int read_reference_until(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    struct policy_reference *ref = to;
    const char *text = NULL;
    int rc = tst_yaml_str(value, &text, err);
    if (rc < 0)
        return rc;
    ref->has_until = true;
    rc = tst_time_parse(text, &ref->until, err);
    return rc < 0 ? at_element(value, err) : 0;
}

static int read_reference_acpi(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    struct policy_reference *ref = to;
    int word = 0;
    int rc = tst_yaml_word(value, policy_acpi_words, &word, err);
    ref->acpi_confined = rc == 0 && word == 1;
    return rc;
}

static int read_reference_level(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    static const char *const words[] = {"firmware", "measured", NULL};
    struct policy_reference *ref = to;
    int word = 0;
    int rc = tst_yaml_word(value, words, &word, err);
    ref->level = rc == 0 && word == 1 ? TST_LEVEL_MEASURED : TST_LEVEL_FIRMWARE;
    return rc;
}

static const struct tst_yaml_field reference_fields[] = {
    {"name", true, read_reference_name},    {"digest", true, read_reference_digest}, {"until", false, read_reference_until},
    {"acpi", false, read_reference_acpi}, {"level", false, read_reference_level},
};

static int read_reference(struct policy_reader *r, const struct tst_yaml *e, struct tst_error **err)
{
    struct tst_policy *p = r->p;
    struct policy_reference *ref =
        policy_grow((void **)&p->references, &p->reference_count, sizeof *ref, POLICY_REFERENCES_MAX, err);
    if (!ref)
        return at_element(e, err);
    ref->level = TST_LEVEL_MEASURED;
    int rc = tst_yaml_map(e, reference_fields, TST_COUNT(reference_fields), ref, err);
    if (rc == 0 && policy_reference_of(p, ref->digest) != ref)
        rc = tst_yaml_fail(e, err, "digest: '%s' has the same one", policy_reference_of(p, ref->digest)->name);
    return rc;
}

static int read_measurements(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return each_listed(to, value, read_reference, err);
}

/* ---- products, chips ---- */
static int read_product(struct policy_reader *r, const struct tst_yaml *e, struct tst_error **err)
{
    static const char *const words[] = {"milan", "genoa", "turin", NULL};
    int word = 0;
    int rc = tst_yaml_word(e, words, &word, err);
    if (rc == 0)
        r->p->products[tst_snp_product_of(words[word])] = true;
    return rc;
}

static int read_products(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return each_element(to, value, read_product, err);
}

/* 64 bytes, or the 8 that Turin has. */
static int read_chip(struct policy_reader *r, const struct tst_yaml *e, struct tst_error **err)
{
    struct tst_policy *p = r->p;
    struct policy_chip chip = {0};
    const char *text = NULL;
    int rc = tst_yaml_str(e, &text, err);
    if (rc == 0)
        rc = tst_yaml_hex(e, chip.id, strlen(text) == 16 ? 8 : sizeof chip.id, err);
    if (rc == 0 && tst_is_zero(chip.id, sizeof chip.id))
        rc = tst_yaml_fail(e, err, "chips: all zero is a masked id, not a chip");
    if (rc < 0)
        return rc;
    struct policy_chip *slot = policy_grow((void **)&p->chips, &p->chip_count, sizeof *slot, POLICY_CHIPS_MAX, err);
    if (!slot)
        return at_element(e, err);
    *slot = chip;
    return 0;
}

static int read_chips(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return each_element(to, value, read_chip, err);
}

/* ---- crl, vlek ---- */
int policy_read_permission(const struct tst_yaml *value, enum policy_permission *out, struct tst_error **err)
{
    int word = 0;
    int rc = tst_yaml_word(value, policy_permission_words, &word, err);
    *out = rc == 0 ? (enum policy_permission)word : POLICY_DENY;
    return rc;
}

static int read_vlek(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return policy_read_permission(value, &policy_of(to)->vlek, err);
}

static int read_crl_mode(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    int word = 0;
    int rc = tst_yaml_word(value, policy_crl_words, &word, err);
    policy_of(to)->crl = rc == 0 ? (enum policy_crl)word : POLICY_CRL_REQUIRE;
    return rc;
}

static int read_crl_max_age(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    uint64_t days = 0;
    int rc = tst_yaml_u64(value, 3650, &days, err);
    policy_of(to)->crl_max_age_d = (unsigned)days;
    return rc;
}

static const struct tst_yaml_field crl_fields[] = {{"mode", true, read_crl_mode}, {"max-age-d", false, read_crl_max_age}};

static int read_crl(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return tst_yaml_map(value, crl_fields, TST_COUNT(crl_fields), to, err);
}

/* ---- the policy ---- */
static int read_name(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    const char *name = NULL;
    int rc = tst_yaml_str(value, &name, err);
    if (rc < 0)
        return rc;
    if (!tst_is_name(name))
        return tst_yaml_fail(value, err, "name: expected 1 to 63 of a-z, 0-9 and '-', a letter first");
    return policy_set_name(policy_of(to), name, err);
}

static int read_level(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    int word = 0;
    int rc = tst_yaml_word(value, policy_level_words, &word, err);
    if (rc == 0)
        policy_of(to)->level = (enum tst_level)word;
    return rc;
}

static int read_tcb(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return policy_read_tcb(policy_of(to), value, err);
}

static int read_floors(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return policy_read_floor_set(policy_of(to), value, err);
}

static const struct tst_yaml_field policy_fields[] = {
    {"name", true, read_name},
    {"level", false, read_level},
    {"simulated", false, read_simulated},
    {"products", false, read_products},
    {"milan-without-chips", false, policy_read_milan},
    {"measurements", false, read_measurements},
    {"tcb", false, read_tcb},
    {"floors", false, read_floors},
    {"firmware", false, policy_read_firmware},
    {"mitigations", false, policy_read_mitigations},
    {"min-report-version", false, policy_read_min_report_version},
    {"guest-policy", false, policy_read_guest_policy},
    {"platform-info", false, policy_read_platform_info},
    {"vmpl", false, policy_read_vmpl},
    {"min-guest-svn", false, policy_read_min_guest_svn},
    {"id-block", false, policy_read_id_block},
    {"family-id", false, policy_read_family_id},
    {"image-id", false, policy_read_image_id},
    {"host-data", false, policy_read_host_data},
    {"chips", false, read_chips},
    {"crl", false, read_crl},
    {"vlek", false, read_vlek},
    {"rules", false, policy_read_rules},
};

/* What a policy that only has a name says. Zero denies; these few are not zero. */
static void set_defaults(struct tst_policy *p)
{
    p->level = TST_LEVEL_MEASURED;
    p->crl_max_age_d = POLICY_CRL_MAX_AGE_D;
    p->vmpls = 1u << 0;
    p->min_report_version = POLICY_REPORT_VERSION_MIN;
    p->platform.unknown = POLICY_ALLOW; /* newer firmware names them; none of the known ones lowers the guard */
}

int tst_policy_parse(const char *file, const char *text, size_t n, tst_include_fn *include, void *ctx, struct tst_policy **out,
                     struct tst_error **err)
{
    TST_AUTO_YAML root = NULL;
    TST_AUTO_POLICY p = calloc(1, sizeof *p);
    if (!p)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    set_defaults(p);
    struct policy_reader r = {p, include, ctx};
    int rc = tst_yaml_parse(file, text, n, &root, err);
    if (rc == 0)
        rc = tst_yaml_map(root, policy_fields, TST_COUNT(policy_fields), &r, err);
    if (rc == 0)
        rc = policy_check_whole(p, root, err);
    if (rc < 0)
        return tst_wrap(err, "policy");
    *out = TST_STEAL(p);
    return 0;
}
