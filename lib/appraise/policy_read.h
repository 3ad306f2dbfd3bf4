/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/policy_read.h - the readers of a policy's keys. Each has the type of struct tst_yaml_field's reader and gets the
 * struct policy_reader; policy_read.c has the table of keys. */
#ifndef APPRAISE_POLICY_READ_H
#define APPRAISE_POLICY_READ_H

#include "shipped.h"

struct policy_reader {
    struct tst_policy *p;
    tst_include_fn *include;
    void *ctx;
};
static inline struct tst_policy *policy_of(void *reader)
{
    return ((struct policy_reader *)reader)->p;
}

typedef int policy_key_fn(void *reader, const struct tst_yaml *value, struct tst_error **err);
/* policy_bits.c */
policy_key_fn policy_read_guest_policy, policy_read_platform_info, policy_read_mitigations;
/* policy_values.c */
policy_key_fn policy_read_firmware, policy_read_min_report_version, policy_read_min_guest_svn, policy_read_id_block;
policy_key_fn policy_read_host_data, policy_read_family_id, policy_read_image_id, policy_read_vmpl;
/* policy_rules.c */
policy_key_fn policy_read_rules, policy_read_milan;
/* What no single key can tell; `root` gives the places. */
int policy_check_whole(const struct tst_policy *p, const struct tst_yaml *root, struct tst_error **err);

/* "allow" or "deny" */
int policy_read_permission(const struct tst_yaml *value, enum policy_permission *out, struct tst_error **err);
/* `count` numbers of 0 to 255 with dots between: "1.55.43". */
int policy_read_dotted(const struct tst_yaml *value, unsigned count, uint8_t *out, struct tst_error **err);

/* ---- printed: each puts its keys into o ---- */
int policy_put_bits(const struct tst_policy *p, json_t *o, struct tst_error **err);
int policy_put_values(const struct tst_policy *p, json_t *o, struct tst_error **err);
int policy_put_rules(const struct tst_policy *p, json_t *o, struct tst_error **err);
/* Puts `value` (stolen, may be NULL when memory ran out). */
int policy_put(json_t *o, const char *key, json_t *value, struct tst_error **err);

#endif
