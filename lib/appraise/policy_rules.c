/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/policy_rules.c - which rules only warn, and what makes no sense in a policy as a whole. */
#include "policy_read.h"

#include "checks.h"

#define ID_PREFIX "policy."

/* The id as policies write it: "policy.chip" is `chip`. */
static const char *rule_name(const char *id)
{
    size_t n = strlen(ID_PREFIX);
    return strncmp(id, ID_PREFIX, n) == 0 ? id + n : id;
}

/* `product` is the policy's own rule before it is the check of authenticity with that id, which cannot be set anyway. */
static int rule_index(const char *key)
{
    size_t count = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    for (size_t i = 0; i < count; i++)
        if (!infos[i].authenticity && strcmp(key, rule_name(infos[i].id)) == 0)
            return (int)i;
    for (size_t i = 0; i < count; i++)
        if (strcmp(key, infos[i].id) == 0)
            return (int)i;
    return -1;
}

static int fail_at_key(const struct tst_yaml *value, struct tst_error **err, const char *text, const char *list)
{
    return tst_fail(err, TST_USAGE, "%s:%u:%u: rule \"%.60s\" %s%s", value->file, value->key_line, value->key_column, value->key,
                    text, list);
}

static int unknown_rule(const struct tst_yaml *value, struct tst_error **err)
{
    size_t count = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    TST_AUTO_BUF known = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (check_may_warn(i))
            rc = tst_buf_printf(&known, err, "%s%s", known.n ? ", " : "", rule_name(infos[i].id));
    return rc < 0 ? rc : fail_at_key(value, err, "does not exist; these may warn: ", known.n ? (const char *)known.p : "none");
}

static int read_rule(struct tst_policy *p, const struct tst_yaml *value, struct tst_error **err)
{
    static const char *const words[] = {"enforce", "warn", NULL};
    int word = 0, i = rule_index(value->key);
    if (i < 0)
        return unknown_rule(value, err);
    int rc = tst_yaml_word(value, words, &word, err);
    if (rc < 0 || word == 0)
        return rc;
    if (!check_may_warn((size_t)i))
        return fail_at_key(value, err, "cannot be set to warn: without it nothing else in the verdict means anything, or the "
                                       "policy has a word of its own to accept less", "");
    p->warned |= 1ULL << i;
    return 0;
}

int policy_read_rules(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    int rc = tst_yaml_expect(value, TST_YAML_MAP, err);
    for (const struct tst_yaml *v = value->child; rc == 0 && v; v = v->next)
        rc = read_rule(policy_of(reader), v, err);
    return rc;
}

/* ---- Milan: whoever has extracted a chip's root seed forges its reports at any TCB ---- */
int policy_read_milan(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    static const char *const words[] = {"refuse", "accept-risk", NULL};
    int word = 0;
    int rc = tst_yaml_word(value, words, &word, err);
    policy_of(reader)->milan_risk_accepted = rc == 0 && word == 1;
    return rc;
}

bool policy_holds_milan(const struct tst_policy *p)
{
    int chip = rule_index("policy.chip");
    return p->chip_count > 0 && chip >= 0 && !(p->warned & 1ULL << chip);
}

static const struct tst_yaml *key_of(const struct tst_yaml *map, const char *key)
{
    for (const struct tst_yaml *v = map->child; v; v = v->next)
        if (strcmp(v->key, key) == 0)
            return v;
    return map;
}

int policy_check_whole(const struct tst_policy *p, const struct tst_yaml *root, struct tst_error **err)
{
    if (!p->products[TST_SNP_MILAN] || p->milan_risk_accepted || policy_holds_milan(p))
        return 0;
    tst_yaml_fail(key_of(root, "products"), err,
                  "products: milan without an enforced list of chips: the root seed of a Milan can be extracted, and whoever has it "
                  "forges reports of that chip at any TCB (AMD-SB-3045)");
    return tst_hint(err, "the chips that you trust under chips", NULL,
                    "list the chip ids, or leave milan out, or say milan-without-chips: accept-risk");
}

int policy_put_rules(const struct tst_policy *p, json_t *o, struct tst_error **err)
{
    size_t count = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    TST_AUTO_JSON rules = json_object();
    int rc = rules ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (p->warned & 1ULL << i)
            rc = policy_put(rules, rule_name(infos[i].id), json_string("warn"), err);
    if (rc == 0)
        rc = policy_put(o, "rules", TST_STEAL(rules), err);
    if (rc == 0)
        rc = policy_put(o, "vlek", json_string(policy_permission_words[p->vlek]), err);
    return rc < 0 ? rc : policy_put(o, "milan-without-chips", json_string(p->milan_risk_accepted ? "accept-risk" : "refuse"), err);
}
