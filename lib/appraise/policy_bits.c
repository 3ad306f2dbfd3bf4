/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/policy_bits.c - fields made of bits, by name: guest policy, PLATFORM_INFO; by number: mitigation vectors.
 * Source: AMD 56860, ATTESTATION_REPORT. */
#include "policy_read.h"

#define VECTOR_BITS 64

/* Names come from the table of the report's fields, so that a policy says what `evidence show` prints. */
void policy_bit_names(const char *field, struct policy_bit_names *out)
{
    size_t count = 0;
    const struct tst_report_field *f = tst_report_fields(&count), *end = f + count;
    *out = (struct policy_bit_names){.count = 0};
    while (f < end && strcmp(f->name, field) != 0)
        f++;
    for (const struct tst_bit_range *b = f < end ? f->bits : NULL; b && b->name; b++) {
        bool settable = b->first == b->last && !(strcmp(field, POLICY_GUEST_FIELD) == 0 && b->first == POLICY_GUEST_MUST_BE_ONE);
        if (!settable || out->count == POLICY_BIT_NAMES_MAX)
            continue;
        out->words[out->count] = b->name;
        out->bits[out->count++] = b->first;
    }
}

/* ---- read ---- */
static int read_names(const struct tst_yaml *list, const char *field, uint64_t *mask, struct tst_error **err)
{
    struct policy_bit_names names;
    int rc = tst_yaml_expect(list, TST_YAML_SEQ, err);
    policy_bit_names(field, &names);
    for (const struct tst_yaml *e = list->child; rc == 0 && e; e = e->next) {
        int word = 0;
        rc = tst_yaml_word(e, names.words, &word, err);
        if (rc == 0)
            *mask |= 1ULL << names.bits[word];
    }
    return rc;
}

static int read_guest_set(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return read_names(value, POLICY_GUEST_FIELD, &policy_of(to)->guest.set, err);
}

static int read_guest_clear(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return read_names(value, POLICY_GUEST_FIELD, &policy_of(to)->guest.clear, err);
}

static int read_guest_unknown(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return policy_read_permission(value, &policy_of(to)->guest.unknown, err);
}

static int read_debug(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return policy_read_permission(value, &policy_of(to)->debug, err);
}

static int read_migration_agent(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return policy_read_permission(value, &policy_of(to)->migration_agent, err);
}

static int read_min_abi(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    uint8_t numbers[2] = {0};
    int rc = policy_read_dotted(value, TST_COUNT(numbers), numbers, err);
    policy_of(to)->min_abi_major = numbers[0];
    policy_of(to)->min_abi_minor = numbers[1];
    return rc;
}

static const struct tst_yaml_field guest_fields[] = {
    {"debug", false, read_debug},           {"migration-agent", false, read_migration_agent},
    {"must-set", false, read_guest_set},    {"must-clear", false, read_guest_clear},
    {"min-abi", false, read_min_abi},       {"unknown-bits", false, read_guest_unknown},
};

static int refuse_both(const struct tst_yaml *map, const struct policy_bits *b, const char *field, struct tst_error **err)
{
    struct policy_bit_names names;
    policy_bit_names(field, &names);
    for (size_t i = 0; i < names.count; i++)
        if (b->set & b->clear & 1ULL << names.bits[i])
            return tst_yaml_fail(map, err, "%s: both in must-set and in must-clear", names.words[i]);
    return 0;
}

/* debug and migration-agent have a word of their own: the lists may repeat it, not contradict it. */
static int settle(const struct tst_yaml *map, struct policy_bits *b, const char *name, uint64_t bit,
                  enum policy_permission said, struct tst_error **err)
{
    if ((b->clear & bit) && said == POLICY_ALLOW)
        return tst_yaml_fail(map, err, "%s: allowed, and in must-clear", name);
    if ((b->set & bit) && said == POLICY_DENY)
        return tst_yaml_fail(map, err, "%s: denied (what is not said is), and in must-set", name);
    b->clear &= ~bit;
    return 0;
}

int policy_read_guest_policy(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    struct tst_policy *p = policy_of(reader);
    int rc = tst_yaml_map(value, guest_fields, TST_COUNT(guest_fields), reader, err);
    if (rc == 0)
        rc = refuse_both(value, &p->guest, POLICY_GUEST_FIELD, err);
    if (rc == 0)
        rc = settle(value, &p->guest, "debug", TST_SNP_POLICY_DEBUG, p->debug, err);
    return rc < 0 ? rc : settle(value, &p->guest, "migration-agent", TST_SNP_POLICY_MIGRATE_MA, p->migration_agent, err);
}

static int read_platform_set(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return read_names(value, POLICY_PLATFORM_FIELD, &policy_of(to)->platform.set, err);
}

static int read_platform_clear(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return read_names(value, POLICY_PLATFORM_FIELD, &policy_of(to)->platform.clear, err);
}

static int read_platform_unknown(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return policy_read_permission(value, &policy_of(to)->platform.unknown, err);
}

static const struct tst_yaml_field platform_fields[] = {
    {"must-set", false, read_platform_set},
    {"must-clear", false, read_platform_clear},
    {"unknown-bits", false, read_platform_unknown},
};

int policy_read_platform_info(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    int rc = tst_yaml_map(value, platform_fields, TST_COUNT(platform_fields), reader, err);
    return rc < 0 ? rc : refuse_both(value, &policy_of(reader)->platform, POLICY_PLATFORM_FIELD, err);
}

/* ---- mitigations: {PRODUCT: {launch: [bits], current: [bits]}} ---- */
static int read_numbers(const struct tst_yaml *list, uint64_t *mask, struct tst_error **err)
{
    int rc = tst_yaml_expect(list, TST_YAML_SEQ, err);
    for (const struct tst_yaml *e = list->child; rc == 0 && e; e = e->next) {
        uint64_t bit = 0;
        rc = tst_yaml_u64(e, VECTOR_BITS - 1, &bit, err);
        if (rc == 0)
            *mask |= 1ULL << bit;
    }
    return rc;
}

static int read_launch_vector(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return read_numbers(value, &((struct policy_mitigations *)to)->launch, err);
}

static int read_current_vector(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return read_numbers(value, &((struct policy_mitigations *)to)->current, err);
}

static const struct tst_yaml_field vector_fields[] = {
    {"launch", false, read_launch_vector},
    {"current", false, read_current_vector},
};

static int read_vectors(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    struct policy_mitigations *m = &policy_of(to)->mitigations[tst_snp_product_of(value->key)];
    return tst_yaml_map(value, vector_fields, TST_COUNT(vector_fields), m, err);
}

static const struct tst_yaml_field mitigation_fields[] = {
    {"milan", false, read_vectors},
    {"genoa", false, read_vectors},
    {"turin", false, read_vectors},
};

int policy_read_mitigations(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    return tst_yaml_map(value, mitigation_fields, TST_COUNT(mitigation_fields), reader, err);
}

/* ---- printed ---- */
static json_t *names_json(uint64_t mask, const struct policy_bit_names *names)
{
    TST_AUTO_JSON list = json_array();
    for (size_t i = 0; i < names->count; i++)
        if ((mask & 1ULL << names->bits[i]) && json_array_append_new(list, json_string(names->words[i])) < 0)
            return NULL;
    return TST_STEAL(list);
}

static json_t *numbers_json(uint64_t mask)
{
    TST_AUTO_JSON list = json_array();
    for (unsigned i = 0; i < VECTOR_BITS; i++)
        if ((mask & 1ULL << i) && json_array_append_new(list, json_integer(i)) < 0)
            return NULL;
    return TST_STEAL(list);
}

static json_t *bits_json(const struct policy_bits *b, const char *field)
{
    struct policy_bit_names names;
    policy_bit_names(field, &names);
    return json_pack("{s:o, s:o, s:s}", "must-set", names_json(b->set, &names), "must-clear",
                     names_json(b->clear, &names), "unknown-bits", policy_permission_words[b->unknown]);
}

static int put_guest_policy(const struct tst_policy *p, json_t *o, struct tst_error **err)
{
    char abi[16];
    TST_AUTO_JSON guest = bits_json(&p->guest, POLICY_GUEST_FIELD);
    snprintf(abi, sizeof abi, "%u.%u", p->min_abi_major, p->min_abi_minor);
    int rc = guest ? policy_put(guest, "min-abi", json_string(abi), err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0)
        rc = policy_put(guest, "debug", json_string(policy_permission_words[p->debug]), err);
    if (rc == 0)
        rc = policy_put(guest, "migration-agent", json_string(policy_permission_words[p->migration_agent]), err);
    return rc < 0 ? rc : policy_put(o, "guest-policy", TST_STEAL(guest), err);
}

static int put_mitigations(const struct tst_policy *p, json_t *o, struct tst_error **err)
{
    TST_AUTO_JSON all = json_object();
    int rc = all ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
    for (enum tst_snp_product i = TST_SNP_MILAN; rc == 0 && i < POLICY_PRODUCT_COUNT; i++) {
        const struct policy_mitigations *m = &p->mitigations[i];
        if (m->launch || m->current)
            rc = policy_put(all, tst_snp_product_name(i),
                            json_pack("{s:o, s:o}", "launch", numbers_json(m->launch), "current", numbers_json(m->current)), err);
    }
    return rc < 0 ? rc : policy_put(o, "mitigations", TST_STEAL(all), err);
}

int policy_put_bits(const struct tst_policy *p, json_t *o, struct tst_error **err)
{
    int rc = put_guest_policy(p, o, err);
    if (rc == 0)
        rc = policy_put(o, "platform-info", bits_json(&p->platform, POLICY_PLATFORM_FIELD), err);
    return rc < 0 ? rc : put_mitigations(p, o, err);
}
