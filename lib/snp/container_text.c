/* SPDX-License-Identifier: Apache-2.0 */
/* snp/container_text.c - evidence that was pasted: hex, base64, base64url, over any number of lines. White space and padding
 * are taken; a character of neither alphabet, or of both base64 alphabets in one text, is refused with its place. */
#include "container_inner.h"

#include <stdlib.h>

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool text_is(struct tst_bytes in)
{
    for (size_t i = 0; i < in.n; i++)
        if (!is_space(in.p[i]) && (in.p[i] < 0x20 || in.p[i] > 0x7e))
            return false;
    return in.n > 0;
}

static bool is_hex_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_hex(const char *text)
{
    while (is_hex_digit(*text))
        text++;
    return *text == '\0';
}

static int decode_hex(const char *text, struct tst_buf *out, struct tst_error **err)
{
    size_t n = strlen(text) / 2;
    TST_AUTO_STR bytes = malloc(n + 1);
    if (!bytes)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = tst_unhex(text, (uint8_t *)bytes, n, err);
    return rc < 0 ? tst_wrap(err, "evidence") : tst_buf_put(out, bytes, n, err);
}

/* To the one spelling that tst_unb64url reads: url alphabet, no padding. */
static int to_b64url(char *text, struct tst_error **err)
{
    size_t n = strlen(text), padding = 0;
    bool url = strpbrk(text, "-_") != NULL;
    while (padding < 2 && n > 0 && text[n - 1] == '=') {
        text[--n] = '\0';
        padding++;
    }
    if (padding && (n + padding) % 4)
        return tst_fail(err, TST_USAGE, "base64 whose padding does not fit its length");
    for (size_t i = 0; i < n; i++) {
        if (url && (text[i] == '+' || text[i] == '/'))
            return tst_fail(err, TST_USAGE, "both alphabets of base64 in one text");
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    }
    return 0;
}

static int decode_base64(char *text, struct tst_buf *out, struct tst_error **err)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    int rc = to_b64url(text, err);
    if (rc == 0)
        rc = tst_unb64url(text, TST_CONTAINER_MAX, &bytes, &n, err);
    if (rc < 0) {
        tst_wrap(err, "neither hex nor base64");
        return tst_hint(err, "a report, a container of one, hex, base64 or JSON", NULL, NULL);
    }
    rc = tst_buf_put(out, bytes, n, err);
    free(bytes);
    return rc;
}

int text_decode(struct tst_bytes in, struct tst_buf *out, enum tst_container_text *kind, struct tst_error **err)
{
    TST_AUTO_STR text = calloc(in.n + 1, 1);
    size_t n = 0;
    if (!text)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    for (size_t i = 0; i < in.n; i++)
        if (!is_space(in.p[i]))
            text[n++] = (char)in.p[i];
    out->max = TST_CONTAINER_MAX;
    const char *digits = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
    if (*digits && is_hex(digits)) {
        *kind = TST_TEXT_HEX;
        return decode_hex(digits, out, err);
    }
    *kind = TST_TEXT_BASE64;
    return decode_base64(text, out, err);
}
