/* SPDX-License-Identifier: Apache-2.0 */
/* token/jcs.c - the canonical form of JSON (RFC 8785): members in the order of their names' UTF-16 code units, no white
 * space, strings with the fewest escapes, numbers as ECMAScript prints them. Locale-independent. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <testudo/token.h>

#define JCS_MAX_DEPTH 32
#define JCS_MAX_BYTES (1024 * 1024)
#define JCS_MAX_INTEGER (INT64_C(1) << 53)
#define DOUBLE_DIGITS 17 /* enough for every double */

/* ---- numbers: ECMA-262, Number::toString ---- */

/* value = digits * 10^(point - count); `digits` has `count` decimal digits, the last one not 0. */
struct decimal {
    uint64_t digits;
    int count, point;
};

/* Without a decimal point in the text, strtod() does not depend on the locale. */
static bool decimal_is(uint64_t digits, int exponent, double value)
{
    char text[48];
    snprintf(text, sizeof text, "%" PRIu64 "e%d", digits, exponent);
    return strtod(text, NULL) == value;
}

/* value rounded to `count` digits; *exponent is that of the last digit. */
static uint64_t decimal_round(double value, int count, int *exponent)
{
    char text[48];
    snprintf(text, sizeof text, "%.*e", count - 1, value);
    uint64_t digits = 0;
    const char *at = text;
    for (; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            digits = digits * 10 + (uint64_t)(*at - '0');
    *exponent = (int)strtol(at + 1, NULL, 10) - (count - 1);
    return digits;
}

static int digits_of(uint64_t v)
{
    int n = 1;
    for (; v >= 10; v /= 10)
        n++;
    return n;
}

/* The shortest decimal that reads back as value (> 0), the closest one of those. Below a power of two doubles are denser
 * than above it, so the nearest decimal may read back as another double while the next higher one does not. */
static struct decimal decimal_shortest(double value)
{
    uint64_t digits = 0;
    int exponent = 0;
    for (int count = 1; count <= DOUBLE_DIGITS; count++) {
        digits = decimal_round(value, count, &exponent);
        if (decimal_is(digits, exponent, value))
            break;
        if (decimal_is(digits + 1, exponent, value)) {
            digits++;
            break;
        }
    }
    for (; digits % 10 == 0; exponent++)
        digits /= 10;
    int count = digits_of(digits);
    return (struct decimal){.digits = digits, .count = count, .point = count + exponent};
}

static int put_decimal(struct tst_buf *b, const struct decimal *d, struct tst_error **err)
{
    char s[32];
    snprintf(s, sizeof s, "%" PRIu64, d->digits);
    int k = d->count, n = d->point;
    if (k <= n && n <= 21)
        return tst_buf_printf(b, err, "%s%.*s", s, n - k, "000000000000000000000");
    if (0 < n && n <= 21)
        return tst_buf_printf(b, err, "%.*s.%s", n, s, s + n);
    if (-6 < n && n <= 0)
        return tst_buf_printf(b, err, "0.%.*s%s", -n, "00000", s);
    return tst_buf_printf(b, err, "%c%s%se%+d", s[0], k > 1 ? "." : "", s + 1, n - 1);
}

static int put_real(struct tst_buf *b, double value, struct tst_error **err)
{
    if (!isfinite(value))
        return tst_fail(err, TST_USAGE, "canonical JSON: a number is not finite");
    if (fpclassify(value) == FP_ZERO)
        return tst_buf_put(b, "0", 1, err);
    struct decimal d = decimal_shortest(fabs(value));
    int rc = value < 0 ? tst_buf_put(b, "-", 1, err) : 0;
    return rc ? rc : put_decimal(b, &d, err);
}

static int put_integer(struct tst_buf *b, json_int_t value, struct tst_error **err)
{
    if (value > JCS_MAX_INTEGER || value < -JCS_MAX_INTEGER)
        return tst_fail(err, TST_USAGE, "canonical JSON: %" JSON_INTEGER_FORMAT " is beyond 2^53", value);
    return tst_buf_printf(b, err, "%" JSON_INTEGER_FORMAT, value);
}

/* ---- strings ---- */

static int put_escaped(struct tst_buf *b, unsigned char c, struct tst_error **err)
{
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* character, letter behind the backslash */
    for (size_t i = 0; i + 1 < sizeof named; i += 2)
        if (named[i] == (char)c)
            return tst_buf_put(b, (const char[]){'\\', named[i + 1]}, 2, err);
    return tst_buf_printf(b, err, "\\u%04x", c);
}

static int put_string(struct tst_buf *b, const char *s, size_t n, struct tst_error **err)
{
    int rc = tst_buf_put(b, "\"", 1, err);
    size_t from = 0;
    for (size_t i = 0; !rc && i <= n; i++) {
        bool plain = i < n && (unsigned char)s[i] >= 0x20 && s[i] != '"' && s[i] != '\\';
        if (plain)
            continue;
        rc = tst_buf_put(b, s + from, i - from, err);
        if (!rc && i < n)
            rc = put_escaped(b, (unsigned char)s[i], err);
        from = i + 1;
    }
    return rc ? rc : tst_buf_put(b, "\"", 1, err);
}

/* ---- objects ---- */

/* The next code point of UTF-8 (never past its end, valid or not), as its first and second UTF-16 code unit (second 0 if there is none). */
static uint32_t utf16_next(const unsigned char **s)
{
    const unsigned char *p = *s;
    uint32_t cp = *p;
    int more = cp < 0x80 ? 0 : cp < 0xe0 ? 1 : cp < 0xf0 ? 2 : 3;
    if (more)
        cp &= 0x3fu >> more;
    for (p++; more > 0 && *p; more--)
        cp = cp << 6 | (*p++ & 0x3fu);
    *s = p;
    if (cp < 0x10000)
        return cp << 16;
    cp -= 0x10000;
    return (0xd800 + (cp >> 10)) << 16 | (0xdc00 + (cp & 0x3ff));
}

static int name_order(const void *a, const void *b)
{
    const unsigned char *x = *(const unsigned char *const *)a, *y = *(const unsigned char *const *)b;
    while (*x && *y) {
        uint32_t u = utf16_next(&x), v = utf16_next(&y);
        if (u != v)
            return u < v ? -1 : 1;
    }
    return (*x != 0) - (*y != 0);
}

static int put_value(struct tst_buf *b, const json_t *v, unsigned depth, struct tst_error **err);

static int put_members(struct tst_buf *b, const json_t *object, const char *const *names, size_t n, unsigned depth,
                       struct tst_error **err)
{
    int rc = tst_buf_put(b, "{", 1, err);
    for (size_t i = 0; !rc && i < n; i++) {
        rc = i ? tst_buf_put(b, ",", 1, err) : 0;
        rc = rc ? rc : put_string(b, names[i], strlen(names[i]), err);
        rc = rc ? rc : tst_buf_put(b, ":", 1, err);
        rc = rc ? rc : put_value(b, json_object_get(object, names[i]), depth, err);
    }
    return rc ? rc : tst_buf_put(b, "}", 1, err);
}

static int put_object(struct tst_buf *b, const json_t *object, unsigned depth, struct tst_error **err)
{
    size_t n = json_object_size(object), i = 0;
    const char **names = calloc(n + 1, sizeof *names);
    if (!names)
        return tst_fail(err, TST_INTERNAL, "canonical JSON: out of memory");
    json_t *root = (json_t *)(uintptr_t)object; /* jansson's iterator takes no const */
    for (void *it = json_object_iter(root); it; it = json_object_iter_next(root, it))
        names[i++] = json_object_iter_key(it);
    qsort(names, n, sizeof *names, name_order);
    int rc = put_members(b, object, names, n, depth, err);
    free(names);
    return rc;
}

static int put_array(struct tst_buf *b, const json_t *array, unsigned depth, struct tst_error **err)
{
    int rc = tst_buf_put(b, "[", 1, err);
    for (size_t i = 0; !rc && i < json_array_size(array); i++) {
        rc = i ? tst_buf_put(b, ",", 1, err) : 0;
        rc = rc ? rc : put_value(b, json_array_get(array, i), depth, err);
    }
    return rc ? rc : tst_buf_put(b, "]", 1, err);
}

static int put_value(struct tst_buf *b, const json_t *v, unsigned depth, struct tst_error **err)
{
    if (!v)
        return tst_fail(err, TST_USAGE, "canonical JSON: no value");
    if (depth >= JCS_MAX_DEPTH)
        return tst_fail(err, TST_USAGE, "canonical JSON: nested deeper than %d", JCS_MAX_DEPTH);
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return put_object(b, v, depth + 1, err);
    case JSON_ARRAY:
        return put_array(b, v, depth + 1, err);
    case JSON_STRING:
        return put_string(b, json_string_value(v), json_string_length(v), err);
    case JSON_INTEGER:
        return put_integer(b, json_integer_value(v), err);
    case JSON_REAL:
        return put_real(b, json_real_value(v), err);
    case JSON_TRUE:
        return tst_buf_put(b, "true", 4, err);
    case JSON_FALSE:
        return tst_buf_put(b, "false", 5, err);
    case JSON_NULL:
        return tst_buf_put(b, "null", 4, err);
    }
    return tst_fail(err, TST_INTERNAL, "canonical JSON: unknown type");
}

int tst_jcs(const json_t *v, char **out, size_t *n, struct tst_error **err)
{
    TST_AUTO_BUF b = {.max = JCS_MAX_BYTES};
    int rc = put_value(&b, v, 0, err);
    rc = rc ? rc : tst_buf_put(&b, "", 1, err);
    if (rc)
        return rc;
    if (n)
        *n = b.n - 1;
    *out = (char *)b.p;
    b = (struct tst_buf){0};
    return 0;
}

int tst_report_data(const json_t *runtime_data, uint8_t out[64], struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n;
    int rc = tst_jcs(runtime_data, &text, &n, err);
    memset(out, 0, 64);
    if (rc) {
        tst_wrap(err, "runtime data");
        return rc;
    }
    return tst_sha384(text, n, out, err);
}
