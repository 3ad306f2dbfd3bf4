/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/checks_policy_ids.c - what the launcher put into the ID block and HOST_DATA, and who signed it.
 * Source: AMD 56860, ATTESTATION_REPORT and SNP_LAUNCH_FINISH. */
#include "checks.h"

#define KEY_INFO_AUTHOR_KEY_EN (1u << 0)

int check_policy_guest_svn(const struct appraisal *a, struct tst_check *c)
{
    char expected[32];
    if (a->report->guest_svn >= a->policy->min_guest_svn)
        return check_pass(c, "%u", a->report->guest_svn);
    snprintf(expected, sizeof expected, "%u or more", a->policy->min_guest_svn);
    return check_fail(c, expected, "start the node from a newer image", "%u", a->report->guest_svn);
}

/* One of `want`, whose only value is printed when there is just one. */
static int check_value(const struct policy_values *want, const uint8_t *value, const char *fix, struct tst_check *c)
{
    char text[2 * TST_SNP_CHIP_BYTES + 1], expected[2 * TST_SNP_CHIP_BYTES + 1] = "one of the policy's values";
    if (want->count == 0)
        return check_skip(c, "not asked for");
    tst_hex(value, want->each, text);
    if (policy_values_has(want, value))
        return check_pass(c, "%s", text);
    if (want->count == 1)
        tst_hex(want->bytes, want->each, expected);
    return check_fail(c, expected, fix, "%s", text);
}

static int check_block_key(const struct appraisal *a, const struct policy_values *want, const uint8_t *digest, bool there,
                           const char *absent, struct tst_check *c)
{
    if (want->count == 0)
        return check_skip(c, "not asked for");
    if (there)
        return check_value(want, digest, "the ID block was signed by somebody else", c);
    if (a->policy->id_block_optional)
        return check_pass(c, "%s, the policy does not require it", absent);
    return check_fail(c, "a key of the policy", "launch the guest with a signed ID block", "%s", absent);
}

int check_policy_id_key(const struct appraisal *a, struct tst_check *c)
{
    const uint8_t *digest = a->report->id_key_digest;
    return check_block_key(a, &a->policy->id_keys, digest, !tst_is_zero(digest, sizeof a->report->id_key_digest), "no ID block", c);
}

int check_policy_author_key(const struct appraisal *a, struct tst_check *c)
{
    const uint8_t *digest = a->report->author_key_digest;
    bool block = !tst_is_zero(a->report->id_key_digest, sizeof a->report->id_key_digest);
    bool there = a->report->key_info & KEY_INFO_AUTHOR_KEY_EN;
    if (block && !there && a->policy->author_keys.count) /* optional is the ID block, not who vouches for it */
        return check_fail(c, "an author key of the policy", "launch the guest with an author key", "an ID block without an author key");
    return check_block_key(a, &a->policy->author_keys, digest, there, "no ID block", c);
}

int check_policy_family_id(const struct appraisal *a, struct tst_check *c)
{
    return check_value(&a->policy->family_ids, a->report->family_id, "launch the guest with the right ID block", c);
}

int check_policy_image_id(const struct appraisal *a, struct tst_check *c)
{
    return check_value(&a->policy->image_ids, a->report->image_id, "launch the guest with the right ID block", c);
}

int check_policy_host_data(const struct appraisal *a, struct tst_check *c)
{
    return check_value(&a->policy->host_data, a->report->host_data, "launch the guest with the expected HOST_DATA", c);
}
