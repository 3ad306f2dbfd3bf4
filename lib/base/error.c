/* SPDX-License-Identifier: Apache-2.0 */
/* base/error.c - the one error object. Every text in it is one line of valid UTF-8 without control characters, whatever
 * was formatted into it, so that it can go to a terminal, a log row or a JSON answer as it is. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <testudo/base.h>

struct code_row {
    int exit_status, http_status;
    const char *text;
};

static const struct code_row code_rows[] = {
    [TST_OK] = {0, 200, "no error"},
#define CODE_ROW(name, exit_status, http, text) [TST_##name] = {exit_status, http, text},
    TST_CODES(CODE_ROW)
#undef CODE_ROW
};

static const struct code_row *code_find(enum tst_code code)
{
    return (size_t)code < TST_COUNT(code_rows) ? &code_rows[code] : &code_rows[TST_INTERNAL];
}

/* Bytes of the UTF-8 character at s (NUL-terminated) that is fit to print; 0 if there is none. */
static size_t printable_length(const unsigned char *s)
{
    static const struct {
        unsigned char lead_min, lead_max, second_min, second_max;
        size_t length;
    } forms[] = {
        {0x20, 0x7e, 0, 0, 1},       {0xc2, 0xc2, 0xa0, 0xbf, 2}, {0xc3, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < TST_COUNT(forms); i++) {
        if (s[0] < forms[i].lead_min || s[0] > forms[i].lead_max)
            continue;
        if (forms[i].length > 1 && (s[1] < forms[i].second_min || s[1] > forms[i].second_max))
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if (s[k] < 0x80 || s[k] > 0xbf)
                return 0;
        return forms[i].length;
    }
    return 0;
}

static void text_clean(char *text)
{
    unsigned char *s = (unsigned char *)text;
    while (*s) {
        size_t n = printable_length(s);
        if (n == 0)
            *s = *s == '\n' || *s == '\t' ? ' ' : '?';
        s += n ? n : 1;
    }
}

static char *text_format(const char *fmt, va_list ap)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, ap) < 0)
        return NULL;
    text_clean(text);
    return text;
}

static int error_result(struct tst_error **err)
{
    return err && *err ? -(int)(*err)->code : -(int)TST_INTERNAL;
}

static char *text_copy(const char *value)
{
    char *copy = value ? strdup(value) : NULL;
    if (copy)
        text_clean(copy);
    return copy;
}

/* Returns what the field held, to be freed when no argument can point into it any more. Out of memory changes nothing. */
static char *text_replace(char **field, const char *value)
{
    char *copy = text_copy(value);
    if (!copy)
        return NULL;
    char *old = *field;
    *field = copy;
    return old;
}

int (tst_fail)(struct tst_error **err, enum tst_code code, const char *fmt, ...)
{
    if (!err)
        return -(int)code;
    struct tst_error *fresh = calloc(1, sizeof *fresh);
    if (fresh) {
        va_list ap;
        va_start(ap, fmt);
        fresh->code = code;
        fresh->text = text_format(fmt, ap);
        va_end(ap);
        if (!fresh->text)
            fresh->text = strdup("out of memory");
    }
    tst_error_free(*err);
    *err = fresh;
    return -(int)code;
}

int (tst_wrap)(struct tst_error **err, const char *fmt, ...)
{
    if (!err || !*err)
        return -(int)TST_INTERNAL;
    va_list ap;
    va_start(ap, fmt);
    TST_AUTO_STR context = text_format(fmt, ap);
    va_end(ap);
    char *joined = context ? tst_strdup_printf("%s: %s", context, (*err)->text ? (*err)->text : "") : NULL;
    if (joined) {
        free((*err)->text);
        (*err)->text = joined;
    }
    return error_result(err);
}

int (tst_reason)(struct tst_error **err, const char *reason)
{
    if (err && *err)
        free(text_replace(&(*err)->reason, reason));
    return error_result(err);
}

int (tst_hint)(struct tst_error **err, const char *expected, const char *found, const char *fix)
{
    if (err && *err) {
        char *old[] = {text_replace(&(*err)->expected, expected), text_replace(&(*err)->found, found),
                       text_replace(&(*err)->fix, fix)};
        for (size_t i = 0; i < TST_COUNT(old); i++)
            free(old[i]);
    }
    return error_result(err);
}

void tst_error_free(struct tst_error *err)
{
    if (!err)
        return;
    free(err->reason);
    free(err->text);
    free(err->expected);
    free(err->found);
    free(err->fix);
    free(err);
}

int tst_exit_status(enum tst_code code)
{
    return code_find(code)->exit_status;
}

int tst_http_status(enum tst_code code)
{
    return code_find(code)->http_status;
}

const char *tst_code_text(enum tst_code code)
{
    return code_find(code)->text;
}
