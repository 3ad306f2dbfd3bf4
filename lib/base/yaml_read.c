/* SPDX-License-Identifier: Apache-2.0 */
/* base/yaml_read.c - typed values out of the tree of yaml.c. Each refusal starts with FILE:LINE:COLUMN and says what was
 * expected there. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <testudo/base.h>

int (tst_yaml_fail)(const struct tst_yaml *at, struct tst_error **err, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    int rc = tst_fail(err, TST_USAGE, "%s:%u:%u: %s", at->file, at->line, at->column, n < 0 ? "out of memory" : text);
    if (n >= 0)
        free(text);
    return rc;
}

static const char *kind_text(enum tst_yaml_kind kind)
{
    static const char *const texts[] = {
        [TST_YAML_SCALAR] = "a single value", [TST_YAML_SEQ] = "a list", [TST_YAML_MAP] = "a map of keys and values"};
    return texts[kind];
}

int tst_yaml_expect(const struct tst_yaml *y, enum tst_yaml_kind kind, struct tst_error **err)
{
    if (y->kind == kind)
        return 0;
    return tst_yaml_fail(y, err, "expected %s, found %s", kind_text(kind), kind_text(y->kind));
}

static const struct tst_yaml *map_find(const struct tst_yaml *map, const char *key)
{
    for (const struct tst_yaml *value = map->child; value; value = value->next)
        if (strcmp(value->key, key) == 0)
            return value;
    return NULL;
}

static const struct tst_yaml_field *field_find(const struct tst_yaml_field *fields, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(fields[i].key, key) == 0)
            return &fields[i];
    return NULL;
}

static int unknown_key(const struct tst_yaml *value, const struct tst_yaml_field *fields, size_t n,
                       struct tst_error **err)
{
    TST_AUTO_BUF known = {0};
    for (size_t i = 0; i < n; i++) {
        int rc = tst_buf_printf(&known, err, "%s%s", i ? ", " : "", fields[i].key);
        if (rc < 0)
            return rc;
    }
    return tst_fail(err, TST_USAGE, "%s:%u:%u: unknown key \"%.60s\"; known here: %s", value->file, value->key_line,
                    value->key_column, value->key, known.n ? (const char *)known.p : "none");
}

int tst_yaml_map(const struct tst_yaml *map, const struct tst_yaml_field *fields, size_t n, void *to,
                 struct tst_error **err)
{
    int rc = tst_yaml_expect(map, TST_YAML_MAP, err);
    if (rc < 0)
        return rc;
    for (const struct tst_yaml *value = map->child; value; value = value->next)
        if (!field_find(fields, n, value->key))
            return unknown_key(value, fields, n, err);
    for (size_t i = 0; i < n; i++)
        if (fields[i].required && !map_find(map, fields[i].key))
            return tst_yaml_fail(map, err, "key \"%s\" is missing", fields[i].key);
    for (const struct tst_yaml *value = map->child; value; value = value->next) {
        rc = field_find(fields, n, value->key)->read(to, value, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int tst_yaml_str(const struct tst_yaml *y, const char **out, struct tst_error **err)
{
    int rc = tst_yaml_expect(y, TST_YAML_SCALAR, err);
    if (rc < 0)
        return rc;
    if (y->text[0] == 0 && !y->quoted)
        return tst_yaml_fail(y, err, "has no value");
    *out = y->text;
    return 0;
}

/* A quoted value is a text, whatever it looks like. */
static int plain_get(const struct tst_yaml *y, const char *expected, const char **out, struct tst_error **err)
{
    int rc = tst_yaml_str(y, out, err);
    if (rc == 0 && y->quoted)
        return tst_yaml_fail(y, err, "expected %s, found a quoted text", expected);
    return rc;
}

int tst_yaml_u64(const struct tst_yaml *y, uint64_t max, uint64_t *out, struct tst_error **err)
{
    const char *text = NULL;
    int rc = plain_get(y, "a whole number", &text, err);
    if (rc < 0)
        return rc;
    /* a leading zero would be octal to some readers of YAML and decimal to others */
    if (text[strspn(text, "0123456789")] || (text[0] == '0' && text[1]))
        return tst_yaml_fail(y, err, "expected a whole number in decimal, found \"%.60s\"", text);
    uint64_t value = 0;
    for (; *text; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return tst_yaml_fail(y, err, "expected at most %llu, found \"%.60s\"", (unsigned long long)max, y->text);
        value = value * 10 + digit;
    }
    if (value > max)
        return tst_yaml_fail(y, err, "expected at most %llu, found \"%.60s\"", (unsigned long long)max, y->text);
    *out = value;
    return 0;
}

int tst_yaml_bool(const struct tst_yaml *y, bool *out, struct tst_error **err)
{
    const char *text = NULL;
    int rc = plain_get(y, "true or false", &text, err);
    if (rc < 0)
        return rc;
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return tst_yaml_fail(y, err, "expected true or false, found \"%.60s\"", text);
    *out = yes;
    return 0;
}

int tst_yaml_word(const struct tst_yaml *y, const char *const *words, int *out, struct tst_error **err)
{
    const char *text = NULL;
    int rc = tst_yaml_str(y, &text, err);
    if (rc < 0)
        return rc;
    TST_AUTO_BUF known = {0};
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return 0;
        }
        rc = tst_buf_printf(&known, err, "%s%s", i ? ", " : "", words[i]);
        if (rc < 0)
            return rc;
    }
    return tst_yaml_fail(y, err, "expected one of %s; found \"%.60s\"", known.n ? (const char *)known.p : "nothing",
                         text);
}

int tst_yaml_hex(const struct tst_yaml *y, uint8_t *out, size_t n, struct tst_error **err)
{
    const char *text = NULL;
    int rc = tst_yaml_str(y, &text, err);
    if (rc < 0)
        return rc;
    rc = tst_unhex(text, out, n, err);
    if (rc < 0)
        tst_wrap(err, "%s:%u:%u", y->file, y->line, y->column);
    return rc;
}
