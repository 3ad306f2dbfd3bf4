/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/policy.c - the policy object: words, look-ups, release. Read by policy_read.c, printed by policy_json.c. */
#include "policy.h"

#include <stdlib.h>

const char *const policy_level_words[] = {
    [TST_LEVEL_NONE] = "none",
    [TST_LEVEL_ASSERTED] = "asserted",
    [TST_LEVEL_FIRMWARE] = "firmware",
    [TST_LEVEL_MEASURED] = "measured",
    NULL,
};
#define LEVEL_COUNT (TST_COUNT(policy_level_words) - 1)
const char *const policy_permission_words[] = {[POLICY_DENY] = "deny", [POLICY_ALLOW] = "allow", NULL};
const char *const policy_crl_words[] = {
    [POLICY_CRL_REQUIRE] = "require", [POLICY_CRL_IF_PRESENT] = "if-present", [POLICY_CRL_OFF] = "off", NULL};
const char *const policy_acpi_words[] = {"trusts-host", "confined", NULL};

const char *tst_level_name(enum tst_level l)
{
    return policy_level_words[(size_t)l < LEVEL_COUNT ? l : TST_LEVEL_NONE];
}

bool tst_level_of(const char *name, enum tst_level *out)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (strcmp(name, policy_level_words[i]) != 0)
            continue;
        *out = (enum tst_level)i;
        return true;
    }
    return false;
}

void tst_policy_free(struct tst_policy *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->reference_count; i++)
        free(p->references[i].name);
    free(p->references);
    free(p->name);
    free(p->roots);
    free(p->floors);
    free(p->chips);
    free(p->id_keys.bytes);
    free(p->author_keys.bytes);
    free(p->host_data.bytes);
    free(p->family_ids.bytes);
    free(p->image_ids.bytes);
    free(p);
}

const char *tst_policy_name(const struct tst_policy *p)
{
    return p->name;
}

enum tst_level tst_policy_level(const struct tst_policy *p)
{
    return p->level;
}

int policy_set_name(struct tst_policy *p, const char *name, struct tst_error **err)
{
    p->name = strdup(name);
    return p->name ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

bool policy_names_root(const struct tst_policy *p, const uint8_t spki_sha256[TST_SHA256_BYTES])
{
    for (size_t i = 0; i < p->root_count; i++)
        if (memcmp(p->roots[i].spki_sha256, spki_sha256, TST_SHA256_BYTES) == 0)
            return true;
    return false;
}

const struct policy_reference *policy_reference_of(const struct tst_policy *p, const uint8_t digest[TST_SNP_DIGEST_BYTES])
{
    for (size_t i = 0; i < p->reference_count; i++)
        if (memcmp(p->references[i].digest, digest, TST_SNP_DIGEST_BYTES) == 0)
            return &p->references[i];
    return NULL;
}

bool policy_values_has(const struct policy_values *v, const uint8_t *value)
{
    for (size_t i = 0; i < v->count; i++)
        if (memcmp(v->bytes + i * v->each, value, v->each) == 0)
            return true;
    return false;
}

void *policy_grow(void **array, size_t *count, size_t element_bytes, size_t max, struct tst_error **err)
{
    if (*count >= max) {
        tst_fail(err, TST_TOO_LARGE, "more than %zu entries", max);
        return NULL;
    }
    void *grown = reallocarray(*array, *count + 1, element_bytes);
    if (!grown) {
        tst_fail(err, TST_INTERNAL, "out of memory");
        return NULL;
    }
    *array = grown;
    void *element = (uint8_t *)grown + *count * element_bytes;
    memset(element, 0, element_bytes);
    *count += 1;
    return element;
}
