/* SPDX-License-Identifier: Apache-2.0 */
/* base/util.c - small things that everything uses: names, times, comparison, wiping, formatted strings. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <testudo/base.h>

void tst_free(void *p)
{
    free(p);
}

void tst_wipe(void *p, size_t n)
{
    if (n)
        explicit_bzero(p, n);
}

bool tst_is_zero(const void *p, size_t n)
{
    const uint8_t *bytes = p;
    uint8_t seen = 0;
    for (size_t i = 0; i < n; i++)
        seen |= bytes[i];
    return seen == 0;
}

bool tst_equal(const void *a, const void *b, size_t n)
{
    /* volatile: the compiler must not stop at the first difference */
    const volatile uint8_t *left = a, *right = b;
    uint8_t difference = 0;
    for (size_t i = 0; i < n; i++)
        difference |= (uint8_t)(left[i] ^ right[i]);
    return difference == 0;
}

bool tst_is_name(const char *s)
{
    if (!s || *s < 'a' || *s > 'z')
        return false;
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return n <= 63 && s[n] == 0;
}

char *tst_strdup_printf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    return text;
}

static char *digits_put(char *to, int value, unsigned width)
{
    for (unsigned i = width; i > 0; i--, value /= 10)
        to[i - 1] = (char)('0' + value % 10);
    return to + width;
}

/* A moment outside the years 0 to 9999 has no RFC 3339 text; the nearest one that has is printed. */
void tst_time_print(time_t t, char out[TST_TIME_BYTES])
{
    const time_t first = -62167219200, last = 253402300799;
    struct tm tm = {0};
    t = t < first ? first : t > last ? last : t;
    gmtime_r(&t, &tm);
    const struct {
        int value;
        unsigned width;
        char after;
    } parts[] = {{tm.tm_year + 1900, 4, '-'}, {tm.tm_mon + 1, 2, '-'}, {tm.tm_mday, 2, 'T'},
                 {tm.tm_hour, 2, ':'},        {tm.tm_min, 2, ':'},     {tm.tm_sec, 2, 'Z'}};
    for (size_t i = 0; i < TST_COUNT(parts); i++) {
        out = digits_put(out, parts[i].value, parts[i].width);
        *out++ = parts[i].after;
    }
    *out = 0;
}

/* Compares text with a pattern in which 0 stands for any digit. */
static bool shape_is(const char *text, const char *pattern)
{
    for (; *pattern; text++, pattern++)
        if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
            return false;
    return *text == 0;
}

static int digits_get(const char *from, unsigned width)
{
    int value = 0;
    while (width-- > 0)
        value = value * 10 + (*from++ - '0');
    return value;
}

int tst_time_parse(const char *text, time_t *out, struct tst_error **err)
{
    bool with_time = shape_is(text, "0000-00-00T00:00:00Z");
    if (!with_time && !shape_is(text, "0000-00-00")) {
        int rc = tst_fail(err, TST_USAGE, "time: \"%.40s\" is not RFC 3339 in UTC", text);
        tst_hint(err, "YYYY-MM-DDTHH:MM:SSZ or YYYY-MM-DD", NULL, NULL);
        return rc;
    }
    struct tm tm = {.tm_year = digits_get(text, 4) - 1900,
                    .tm_mon = digits_get(text + 5, 2) - 1,
                    .tm_mday = digits_get(text + 8, 2)};
    if (with_time) {
        tm.tm_hour = digits_get(text + 11, 2);
        tm.tm_min = digits_get(text + 14, 2);
        tm.tm_sec = digits_get(text + 17, 2);
    }
    /* timegm moves 31 February into March: what does not come back unchanged is no date */
    struct tm same = tm;
    time_t t = timegm(&same);
    if (same.tm_year != tm.tm_year || same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday ||
        same.tm_hour != tm.tm_hour || same.tm_min != tm.tm_min || same.tm_sec != tm.tm_sec)
        return tst_fail(err, TST_USAGE, "time: \"%s\" is no moment of the calendar", text);
    *out = t;
    return 0;
}
