/* SPDX-License-Identifier: Apache-2.0 */
/* base/enc.c - hex and base64url (RFC 4648 sections 5 and 8), read strictly: one text for one value, so nothing that is
 * compared, hashed or signed as text has a second spelling. */
#include <stdlib.h>

#include <testudo/base.h>

static const char hex_digits[] = "0123456789abcdef";
static const char b64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void tst_hex(const void *p, size_t n, char *out)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++) {
        *out++ = hex_digits[bytes[i] >> 4];
        *out++ = hex_digits[bytes[i] & 15];
    }
    *out = 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int tst_unhex(const char *hex, uint8_t *out, size_t n, struct tst_error **err)
{
    size_t length = strlen(hex);
    if (length / 2 != n || length % 2)
        return tst_fail(err, TST_USAGE, "hex: expected %zu digits (%zu bytes), found %zu", 2 * n, n, length);
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            tst_wipe(out, n);
            return tst_fail(err, TST_USAGE, "hex: character %zu is not a hex digit", 2 * i + (high < 0 ? 1 : 2));
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

char *tst_b64url(const void *p, size_t n)
{
    if (n > SIZE_MAX / 2)
        return NULL;
    char *text = malloc(n / 3 * 4 + 5), *to = text;
    if (!text)
        return NULL;
    const uint8_t *bytes = p;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | bytes[i];
        for (held += 8; held >= 6; held -= 6)
            *to++ = b64_digits[bits >> (held - 6) & 63];
    }
    if (held)
        *to++ = b64_digits[bits << (6 - held) & 63];
    *to = 0;
    return text;
}

static int b64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Decodes `length` characters to exactly length * 3 / 4 bytes. */
static int b64_decode(const char *text, size_t length, uint8_t *out, struct tst_error **err)
{
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < length; i++) {
        int value = b64_value(text[i]);
        if (value < 0)
            return tst_fail(err, TST_USAGE, "base64url: character %zu is not of the alphabet A-Z a-z 0-9 - _", i + 1);
        bits = (bits << 6 | (uint32_t)value) & 0xffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *out++ = (uint8_t)(bits >> held);
        }
    }
    if (bits & ((1u << held) - 1))
        return tst_fail(err, TST_USAGE, "base64url: unused bits of the last character are not zero");
    return 0;
}

/* Bytes that `text` stands for. */
static int b64_size(const char *text, size_t *n, struct tst_error **err)
{
    size_t length = strlen(text);
    if (length % 4 == 1)
        return tst_fail(err, TST_USAGE, "base64url: no value has %zu characters", length);
    *n = length / 4 * 3 + length % 4 * 3 / 4;
    return 0;
}

int tst_unb64url(const char *text, size_t max, uint8_t **out, size_t *n, struct tst_error **err)
{
    size_t size = 0;
    int rc = b64_size(text, &size, err);
    if (rc < 0)
        return rc;
    if (size > max)
        return tst_fail(err, TST_TOO_LARGE, "base64url: %zu bytes, at most %zu are allowed", size, max);
    uint8_t *bytes = malloc(size + 1);
    if (!bytes)
        return tst_fail(err, TST_INTERNAL, "base64url: out of memory");
    rc = b64_decode(text, strlen(text), bytes, err);
    if (rc < 0) {
        tst_wipe(bytes, size);
        free(bytes);
        return rc;
    }
    *out = bytes;
    *n = size;
    return 0;
}

int tst_unb64url_fixed(const char *text, uint8_t *out, size_t n, struct tst_error **err)
{
    size_t size = 0;
    int rc = b64_size(text, &size, err);
    if (rc < 0)
        return rc;
    if (size != n)
        return tst_fail(err, TST_USAGE, "base64url: expected %zu bytes, found %zu", n, size);
    rc = b64_decode(text, strlen(text), out, err);
    if (rc < 0)
        tst_wipe(out, n);
    return rc;
}
