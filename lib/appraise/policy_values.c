/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/policy_values.c - fields that are compared as they are: versions, numbers, digests and ids, VMPLs. */
#include "policy_read.h"

#define VMPL_MAX 3
#define REPORT_VERSION_MAX 255 /* newer than any that is known: nothing reaches it, which is what such a policy says */

/* ---- versions ---- */
int policy_read_dotted(const struct tst_yaml *value, unsigned count, uint8_t *out, struct tst_error **err)
{
    const char *text = NULL;
    int rc = tst_yaml_str(value, &text, err);
    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < count; i++) {
        unsigned number = 0, digits = 0;
        for (; *text >= '0' && *text <= '9' && digits <= 3; text++, digits++)
            number = number * 10 + (unsigned)(*text - '0');
        if (digits == 0 || number > UINT8_MAX || *text++ != (i + 1 < count ? '.' : '\0'))
            return tst_yaml_fail(value, err, "expected %u numbers of 0 to 255 with dots between, found \"%.60s\"", count, value->text);
        out[i] = (uint8_t)number;
    }
    return 0;
}

static int read_version(const struct tst_yaml *value, struct policy_version *out, struct tst_error **err)
{
    uint8_t numbers[3] = {0};
    int rc = policy_read_dotted(value, TST_COUNT(numbers), numbers, err);
    *out = (struct policy_version){numbers[0], numbers[1], numbers[2]};
    return rc;
}

static int read_min_current(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return read_version(value, &policy_of(to)->min_current, err);
}

static int read_min_committed(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return read_version(value, &policy_of(to)->min_committed, err);
}

static int read_provisional(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return policy_read_permission(value, &policy_of(to)->provisional, err);
}

static const struct tst_yaml_field firmware_fields[] = {
    {"min-current", false, read_min_current},
    {"min-committed", false, read_min_committed},
    {"provisional", false, read_provisional},
};

int policy_read_firmware(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    return tst_yaml_map(value, firmware_fields, TST_COUNT(firmware_fields), reader, err);
}

/* ---- numbers ---- */
int policy_read_min_report_version(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    uint64_t number = 0;
    int rc = tst_yaml_u64(value, REPORT_VERSION_MAX, &number, err);
    if (rc == 0 && number < POLICY_REPORT_VERSION_MIN)
        rc = tst_yaml_fail(value, err, "expected at least %d, the oldest version there is", POLICY_REPORT_VERSION_MIN);
    policy_of(reader)->min_report_version = (uint32_t)number;
    return rc;
}

int policy_read_min_guest_svn(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    uint64_t number = 0;
    int rc = tst_yaml_u64(value, UINT32_MAX, &number, err);
    policy_of(reader)->min_guest_svn = (uint32_t)number;
    return rc;
}

/* One VMPL or a list of them. */
int policy_read_vmpl(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    bool list = value->kind == TST_YAML_SEQ;
    uint8_t vmpls = 0;
    int rc = list && !value->child ? tst_yaml_fail(value, err, "vmpl: an empty list accepts nothing") : 0;
    for (const struct tst_yaml *e = list ? value->child : value; rc == 0 && e; e = list ? e->next : NULL) {
        uint64_t vmpl = 0;
        rc = tst_yaml_u64(e, VMPL_MAX, &vmpl, err);
        if (rc == 0)
            vmpls = (uint8_t)(vmpls | 1u << vmpl);
    }
    policy_of(reader)->vmpls = vmpls;
    return rc;
}

/* ---- digests and ids ---- */
static int read_values(struct policy_values *v, const struct tst_yaml *list, size_t each, struct tst_error **err)
{
    int rc = tst_yaml_expect(list, TST_YAML_SEQ, err);
    v->each = each;
    for (const struct tst_yaml *e = list->child; rc == 0 && e; e = e->next) {
        uint8_t value[TST_SNP_CHIP_BYTES];
        rc = tst_yaml_hex(e, value, each, err);
        if (rc < 0 || policy_values_has(v, value))
            continue;
        uint8_t *slot = policy_grow((void **)&v->bytes, &v->count, each, POLICY_VALUES_MAX, err);
        if (!slot)
            return tst_wrap(err, "%s:%u:%u", e->file, e->line, e->column);
        memcpy(slot, value, each);
    }
    return rc;
}

/* Of a key's digest zero is what a report says when there is none. */
static int read_key_digests(struct policy_values *v, const struct tst_yaml *list, struct tst_error **err)
{
    static const uint8_t none[48];
    int rc = read_values(v, list, sizeof none, err);
    return rc == 0 && policy_values_has(v, none) ? tst_yaml_fail(list, err, "all zero is no key: it stands for no ID block") : rc;
}

static int read_id_keys(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return read_key_digests(&policy_of(to)->id_keys, value, err);
}

static int read_author_keys(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    return read_key_digests(&policy_of(to)->author_keys, value, err);
}

static int read_id_block_require(void *to, const struct tst_yaml *value, struct tst_error **err)
{
    bool require = true;
    int rc = tst_yaml_bool(value, &require, err);
    policy_of(to)->id_block_optional = !require;
    return rc;
}

static const struct tst_yaml_field id_block_fields[] = {
    {"require", false, read_id_block_require},
    {"id-keys", false, read_id_keys},
    {"author-keys", false, read_author_keys},
};

static bool says_require(const struct tst_yaml *map)
{
    const struct tst_yaml *v = map->child;
    while (v && strcmp(v->key, "require") != 0)
        v = v->next;
    return v != NULL;
}

int policy_read_id_block(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    struct tst_policy *p = policy_of(reader);
    int rc = tst_yaml_map(value, id_block_fields, TST_COUNT(id_block_fields), reader, err);
    if (rc == 0 && says_require(value) && !p->id_block_optional && p->id_keys.count + p->author_keys.count == 0)
        rc = tst_yaml_fail(value, err, "require: anybody can sign an ID block; name the keys under id-keys or author-keys");
    return rc;
}

int policy_read_host_data(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    return read_values(&policy_of(reader)->host_data, value, sizeof ((struct tst_snp_report *)0)->host_data, err);
}

int policy_read_family_id(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    return read_values(&policy_of(reader)->family_ids, value, sizeof ((struct tst_snp_report *)0)->family_id, err);
}

int policy_read_image_id(void *reader, const struct tst_yaml *value, struct tst_error **err)
{
    return read_values(&policy_of(reader)->image_ids, value, sizeof ((struct tst_snp_report *)0)->image_id, err);
}

/* ---- printed ---- */
static json_t *values_json(const struct policy_values *v)
{
    char text[2 * TST_SNP_CHIP_BYTES + 1];
    TST_AUTO_JSON list = json_array();
    for (size_t i = 0; i < v->count; i++) {
        tst_hex(v->bytes + i * v->each, v->each, text);
        if (json_array_append_new(list, json_string(text)) < 0)
            return NULL;
    }
    return TST_STEAL(list);
}

static json_t *version_json(const struct policy_version *v)
{
    char text[16];
    snprintf(text, sizeof text, "%u.%u.%u", v->major, v->minor, v->build);
    return json_string(text);
}

/* One VMPL is printed as a number, several as a list. */
static json_t *vmpl_json(uint8_t vmpls)
{
    TST_AUTO_JSON list = json_array();
    for (unsigned i = 0; i <= VMPL_MAX; i++)
        if ((vmpls & 1u << i) && json_array_append_new(list, json_integer(i)) < 0)
            return NULL;
    return json_array_size(list) == 1 ? json_incref(json_array_get(list, 0)) : TST_STEAL(list);
}

/* `require` is only said where there is a key to require: without one it would be refused when read back. */
static json_t *id_block_json(const struct tst_policy *p)
{
    bool keys = p->id_keys.count + p->author_keys.count > 0;
    TST_AUTO_JSON o = json_pack("{s:o, s:o}", "id-keys", values_json(&p->id_keys), "author-keys", values_json(&p->author_keys));
    if (o && (keys || p->id_block_optional) && json_object_set_new(o, "require", json_boolean(!p->id_block_optional)) < 0)
        return NULL;
    return TST_STEAL(o);
}

int policy_put_values(const struct tst_policy *p, json_t *o, struct tst_error **err)
{
    const struct {
        const char *key;
        json_t *value;
    } parts[] = {
        {"vmpl", vmpl_json(p->vmpls)},
        {"min-report-version", json_integer(p->min_report_version)},
        {"min-guest-svn", json_integer(p->min_guest_svn)},
        {"firmware", json_pack("{s:o, s:o, s:s}", "min-current", version_json(&p->min_current), "min-committed",
                               version_json(&p->min_committed), "provisional", policy_permission_words[p->provisional])},
        {"id-block", id_block_json(p)},
        {"host-data", values_json(&p->host_data)},
        {"family-id", values_json(&p->family_ids)},
        {"image-id", values_json(&p->image_ids)},
    };
    int rc = 0;
    for (size_t i = 0; i < TST_COUNT(parts); i++) { /* all are stolen, also after a failure */
        int put = policy_put(o, parts[i].key, parts[i].value, rc == 0 ? err : NULL);
        rc = rc == 0 ? put : rc;
    }
    return rc;
}
