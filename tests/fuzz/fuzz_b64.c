/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_b64.c - base64url, hex and times: a text that is accepted is the one text of its value. */
#include "fuzz.h"

enum { MAX_BYTES = 512 };

static void b64_check(const char *text)
{
    TST_AUTO_ERROR err = NULL;
    uint8_t *bytes = NULL;
    size_t n = 0;
    int rc = tst_unb64url(text, MAX_BYTES, &bytes, &n, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS((rc == 0) == (bytes != NULL));
    if (rc < 0)
        return;
    FUZZ_HOLDS(n <= MAX_BYTES);
    uint8_t fixed[MAX_BYTES + 1];
    TST_AUTO_STR again = tst_b64url(bytes, n);
    FUZZ_HOLDS(again && strcmp(again, text) == 0);
    FUZZ_HOLDS(tst_unb64url_fixed(text, fixed, n, NULL) == 0 && (n == 0 || memcmp(fixed, bytes, n) == 0));
    FUZZ_HOLDS(tst_unb64url_fixed(text, fixed, n + 1, NULL) < 0);
    free(bytes);
}

static void hex_check(const char *text)
{
    TST_AUTO_ERROR err = NULL;
    uint8_t bytes[8];
    char again[17];
    int rc = tst_unhex(text, bytes, sizeof bytes, &err);
    fuzz_result(rc, err);
    if (rc < 0)
        return;
    tst_hex(bytes, sizeof bytes, again);
    FUZZ_HOLDS(strcasecmp(again, text) == 0);
}

static void time_check(const char *text)
{
    TST_AUTO_ERROR err = NULL;
    time_t t = 0;
    char again[TST_TIME_BYTES];
    int rc = tst_time_parse(text, &t, &err);
    fuzz_result(rc, err);
    if (rc < 0)
        return;
    tst_time_print(t, again);
    FUZZ_HOLDS(strncmp(again, text, strlen(text)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TST_AUTO_STR text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    b64_check(text);
    hex_check(text);
    time_check(text);
    return 0;
}
