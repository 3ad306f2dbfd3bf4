/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/policy_json.c - struct tst_policy -> its one JSON form: includes and floors resolved, every default written
 * out, keys and lists in a fixed order. tst_policy_parse reads it back to the same policy. */
#include "policy_read.h"

static int no_memory(struct tst_error **err)
{
    return tst_fail(err, TST_INTERNAL, "out of memory");
}

int policy_put(json_t *o, const char *key, json_t *value, struct tst_error **err)
{
    return json_object_set_new(o, key, value) < 0 ? no_memory(err) : 0;
}

static json_t *hex_json(const uint8_t *p, size_t n)
{
    char text[2 * TST_SNP_CHIP_BYTES + 1];
    tst_hex(p, n, text);
    return json_string(text);
}

static int put_simulated(const struct tst_policy *p, json_t *o, struct tst_error **err)
{
    TST_AUTO_JSON list = json_array();
    for (size_t i = 0; i < p->root_count; i++)
        if (json_array_append_new(list, hex_json(p->roots[i].spki_sha256, TST_SHA256_BYTES)) < 0)
            return no_memory(err);
    return policy_put(o, "simulated", json_pack("{s:O}", "allow", list), err);
}

static int put_products(const struct tst_policy *p, json_t *o, struct tst_error **err)
{
    TST_AUTO_JSON list = json_array();
    for (enum tst_snp_product i = TST_SNP_MILAN; i < POLICY_PRODUCT_COUNT; i++)
        if (p->products[i] && json_array_append_new(list, json_string(tst_snp_product_name(i))) < 0)
            return no_memory(err);
    return policy_put(o, "products", TST_STEAL(list), err);
}

static json_t *reference_json(const struct policy_reference *ref)
{
    TST_AUTO_JSON o = json_pack("{s:s, s:o, s:s, s:s}", "name", ref->name, "digest", hex_json(ref->digest, sizeof ref->digest),
                                "acpi", policy_acpi_words[ref->acpi_confined], "level", tst_level_name(ref->level));
    if (o && ref->has_until) {
        char until[TST_TIME_BYTES];
        tst_time_print(ref->until, until);
        if (json_object_set_new(o, "until", json_string(until)) < 0)
            return NULL;
    }
    return TST_STEAL(o);
}

static int put_measurements(const struct tst_policy *p, json_t *o, struct tst_error **err)
{
    TST_AUTO_JSON list = json_array();
    for (size_t i = 0; i < p->reference_count; i++)
        if (json_array_append_new(list, reference_json(&p->references[i])) < 0)
            return no_memory(err);
    return policy_put(o, "measurements", TST_STEAL(list), err);
}

static int put_tcb(const struct tst_policy *p, json_t *o, struct tst_error **err)
{
    json_t *tcb = NULL;
    int rc = policy_tcb_json(p, &tcb, err);
    return rc < 0 ? rc : policy_put(o, "tcb", tcb, err);
}

static int put_chips(const struct tst_policy *p, json_t *o, struct tst_error **err)
{
    TST_AUTO_JSON list = json_array();
    for (size_t i = 0; i < p->chip_count; i++)
        if (json_array_append_new(list, hex_json(p->chips[i].id, sizeof p->chips[i].id)) < 0)
            return no_memory(err);
    return policy_put(o, "chips", TST_STEAL(list), err);
}

static int put_crl(const struct tst_policy *p, json_t *o, struct tst_error **err)
{
    return policy_put(o, "crl", json_pack("{s:s, s:i}", "mode", policy_crl_words[p->crl], "max-age-d", (int)p->crl_max_age_d), err);
}

static int put_scalars(const struct tst_policy *p, json_t *o, struct tst_error **err)
{
    int rc = policy_put(o, "name", json_string(p->name), err);
    return rc < 0 ? rc : policy_put(o, "level", json_string(tst_level_name(p->level)), err);
}

int tst_policy_json(const struct tst_policy *p, json_t **out, struct tst_error **err)
{
    static int (*const parts[])(const struct tst_policy *, json_t *, struct tst_error **) = {
        put_scalars, put_simulated,   put_products,      put_measurements, put_tcb,
        put_chips,   put_crl,         policy_put_bits,   policy_put_values, policy_put_rules,
    };
    TST_AUTO_JSON o = json_object();
    if (!o)
        return no_memory(err);
    for (size_t i = 0; i < TST_COUNT(parts); i++) {
        int rc = parts[i](p, o, err);
        if (rc < 0)
            return tst_wrap(err, "policy %s", p->name);
    }
    *out = TST_STEAL(o);
    return 0;
}
