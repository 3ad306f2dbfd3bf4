/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/checks_policy_bits.c - bits that a policy wants set or clear: guest policy, PLATFORM_INFO, mitigation vectors.
 * Source: AMD 56860, ATTESTATION_REPORT. */
#include "checks.h"

#define GUEST_POLICY_MUST_BE_ONE (1ULL << POLICY_GUEST_MUST_BE_ONE)
#define GUEST_POLICY_ABI_MASK 0xffffULL
#define REPORT_VERSION_MITIGATIONS 5
#define LIST_BYTES 512

static const char *name_of(const struct policy_bit_names *names, unsigned bit)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->bits[i] == bit)
            return names->words[i];
    return NULL;
}

/* "smt, bit 40" */
static void list_bits(char text[LIST_BYTES], uint64_t mask, const struct policy_bit_names *names)
{
    size_t n = 0;
    text[0] = '\0';
    for (unsigned bit = 0; bit < 64 && n < LIST_BYTES; bit++) {
        if (!(mask & 1ULL << bit))
            continue;
        const char *name = name_of(names, bit), *comma = n ? ", " : "";
        n += (size_t)(name ? snprintf(text + n, LIST_BYTES - n, "%s%s", comma, name)
                           : snprintf(text + n, LIST_BYTES - n, "%sbit %u", comma, bit));
    }
}

struct field {
    uint64_t value;
    struct policy_bit_names names;
    const char *fix;
};

static uint64_t named_mask(const struct field *f)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < f->names.count; i++)
        mask |= 1ULL << f->names.bits[i];
    return mask;
}

static int wrong_bits(const struct field *f, uint64_t wrong, const char *want, const char *is, struct tst_check *c)
{
    char bits[LIST_BYTES], expected[LIST_BYTES + 16];
    list_bits(bits, wrong, &f->names);
    snprintf(expected, sizeof expected, "%s: %s", want, bits);
    return check_fail(c, expected, f->fix, "%s: %s", is, bits);
}

static int check_bits(const struct field *f, const struct policy_bits *want, struct tst_check *c)
{
    char bits[LIST_BYTES];
    uint64_t named = named_mask(f), unknown = f->value & ~named;

    if (want->set & ~f->value)
        return wrong_bits(f, want->set & ~f->value, "set", "clear", c);
    if (want->clear & f->value)
        return wrong_bits(f, want->clear & f->value, "clear", "set", c);
    list_bits(bits, unknown, &f->names);
    if (unknown && want->unknown == POLICY_DENY)
        return check_fail(c, "only bits that are known here", "a newer Testudo may know them; unknown-bits: allow accepts them",
                          "set: %s", bits);
    list_bits(bits, f->value, &f->names);
    return check_pass(c, "%s%s", *bits ? "set: " : "no bit set", bits);
}

int check_policy_guest_bits(const struct appraisal *a, struct tst_check *c)
{
    const struct tst_policy *p = a->policy;
    uint64_t policy = a->report->policy;
    struct field f = {.value = policy & ~(GUEST_POLICY_ABI_MASK | GUEST_POLICY_MUST_BE_ONE), .fix = "launch the guest with another policy"};
    unsigned major = (policy >> 8) & 0xff, minor = policy & 0xff;
    char expected[48];

    policy_bit_names(POLICY_GUEST_FIELD, &f.names);
    if (!(policy & GUEST_POLICY_MUST_BE_ONE))
        return check_fail(c, "bit 17 set, as it is in every guest policy", NULL, "0x%llx", (unsigned long long)policy);
    snprintf(expected, sizeof expected, "ABI %u.%u or later", p->min_abi_major, p->min_abi_minor);
    if (major < p->min_abi_major || (major == p->min_abi_major && minor < p->min_abi_minor))
        return check_fail(c, expected, f.fix, "firmware from ABI %u.%u on may run the guest", major, minor);
    return check_bits(&f, &p->guest, c);
}

int check_policy_platform_info(const struct appraisal *a, struct tst_check *c)
{
    struct field f = {.value = a->report->platform_info, .fix = "change the host's firmware settings"};
    policy_bit_names(POLICY_PLATFORM_FIELD, &f.names);
    return check_bits(&f, &a->policy->platform, c);
}

/* ---- mitigation vectors: what a bit stands for depends on the product, so bits have numbers only ---- */
static int vector_lacks(struct tst_check *c, const char *vector, uint64_t want, uint64_t found)
{
    static const struct policy_bit_names none = {.count = 0};
    char bits[LIST_BYTES], expected[LIST_BYTES + 32];
    list_bits(bits, want & ~found, &none);
    snprintf(expected, sizeof expected, "set in the %s vector: %s", vector, bits);
    return check_fail(c, expected, "update the host's firmware, and start the guest again", "0x%llx", (unsigned long long)found);
}

int check_policy_mitigations(const struct appraisal *a, struct tst_check *c)
{
    const struct policy_mitigations *want = &a->policy->mitigations[a->product];
    const struct tst_snp_report *r = a->report;

    if (!want->launch && !want->current)
        return check_skip(c, "not asked for");
    if (r->version < REPORT_VERSION_MITIGATIONS)
        return check_missing(c, "a report of version 5 or later", "update the host's firmware",
                             "version %u has no mitigation vectors", r->version);
    if (want->launch & ~r->launch_mit_vector)
        return vector_lacks(c, "launch", want->launch, r->launch_mit_vector);
    if (want->current & ~r->current_mit_vector)
        return vector_lacks(c, "current", want->current, r->current_mit_vector);
    return check_pass(c, "launch 0x%llx, current 0x%llx", (unsigned long long)r->launch_mit_vector,
                      (unsigned long long)r->current_mit_vector);
}
