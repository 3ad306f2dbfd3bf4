/* SPDX-License-Identifier: Apache-2.0 */
/* base/json.c - jansson, read strictly: one object or list, bounded in size and depth, each key once. What was wrong is
 * said by place and kind only, never by quoting the input: it may hold a secret. */
#include <stdarg.h>
#include <stdlib.h>

#include <testudo/base.h>

static const char *problem_text(enum json_error_code code)
{
    static const struct {
        enum json_error_code code;
        const char *text;
    } rows[] = {
        {json_error_premature_end_of_input, "ends too early"},
        {json_error_end_of_input_expected, "something follows the value"},
        {json_error_invalid_utf8, "is not UTF-8"},
        {json_error_duplicate_key, "a key appears twice in one object"},
        {json_error_numeric_overflow, "a number is out of range"},
        {json_error_null_character, "a string holds a NUL character"},
        {json_error_null_byte_in_key, "a key holds a NUL character"},
        {json_error_out_of_memory, "out of memory"},
        {json_error_unknown, "out of memory"}, /* jansson says nothing where it has no memory */
    };
    for (size_t i = 0; i < TST_COUNT(rows); i++)
        if (rows[i].code == code)
            return rows[i].text;
    return "is not well-formed";
}

/* Brackets outside of strings; what is not JSON at all is left for jansson to refuse. */
static size_t nesting_depth(const char *text, size_t n)
{
    size_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '[' || c == '{'))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!in_string && (c == ']' || c == '}') && depth > 0)
            depth--;
    }
    return deepest;
}

int tst_json_parse(const char *text, size_t n, size_t max_bytes, json_t **out, struct tst_error **err)
{
    size_t max = max_bytes ? max_bytes : TST_JSON_MAX_BYTES;
    if (n > max)
        return tst_fail(err, TST_TOO_LARGE, "JSON: %zu bytes, at most %zu are allowed", n, max);
    if (nesting_depth(text, n) > TST_JSON_MAX_DEPTH)
        return tst_fail(err, TST_USAGE, "JSON: nested deeper than %d", TST_JSON_MAX_DEPTH);
    /* jansson 2.14 skips a NUL byte that follows a number */
    if (n && memchr(text, 0, n))
        return tst_fail(err, TST_USAGE, "JSON: holds a NUL byte");
    json_error_t why = {0};
    json_t *value = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    if (!value) {
        enum json_error_code kind = json_error_code(&why);
        bool ours = kind == json_error_out_of_memory || kind == json_error_unknown;
        return tst_fail(err, ours ? TST_INTERNAL : TST_USAGE, "JSON: line %d column %d: %s", why.line, why.column, problem_text(kind));
    }
    *out = value;
    return 0;
}

int tst_json_unpack(json_t *root, struct tst_error **err, const char *fmt, ...)
{
    json_error_t why = {0};
    va_list ap;
    va_start(ap, fmt);
    int rc = json_vunpack_ex(root, &why, JSON_STRICT, fmt, ap);
    va_end(ap);
    if (rc == 0)
        return 0;
    enum json_error_code kind = json_error_code(&why);
    bool ours = kind == json_error_invalid_format || kind == json_error_out_of_memory;
    return tst_fail(err, ours ? TST_INTERNAL : TST_USAGE, "JSON: %s", why.text);
}

static int set_string(json_t *obj, const char *key, char *text, struct tst_error **err)
{
    json_t *value = text ? json_string(text) : NULL;
    if (text)
        tst_wipe(text, strlen(text));
    free(text);
    if (!value || json_object_set_new(obj, key, value) < 0)
        return tst_fail(err, TST_INTERNAL, "JSON: \"%s\" cannot be set", key);
    return 0;
}

int tst_json_set_b64(json_t *obj, const char *key, const void *p, size_t n, struct tst_error **err)
{
    return set_string(obj, key, tst_b64url(p, n), err);
}

int tst_json_set_hex(json_t *obj, const char *key, const void *p, size_t n, struct tst_error **err)
{
    char *text = n < SIZE_MAX / 2 ? malloc(2 * n + 1) : NULL;
    if (text)
        tst_hex(p, n, text);
    return set_string(obj, key, text, err);
}
