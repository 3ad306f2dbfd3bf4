/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_policy.c - policies: what parses is printed as JSON, read back, and printed to the same JSON. An include gives
 * the input itself. */
#include <testudo/appraise.h>

#include "fuzz.h"

struct input {
    const uint8_t *data;
    size_t size;
};

static int include_input(void *ctx, const char *path, char **text, size_t *n, struct tst_error **err)
{
    const struct input *in = ctx;
    (void)path;
    *text = malloc(in->size + 1);
    if (!*text)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    memcpy(*text, in->data, in->size);
    (*text)[in->size] = '\0';
    *n = in->size;
    return 0;
}

static char *printed(const struct tst_policy *p)
{
    TST_AUTO_JSON j = NULL;
    FUZZ_HOLDS(tst_policy_json(p, &j, NULL) == 0);
    return json_dumps(j, JSON_SORT_KEYS);
}

static void read_back(const struct tst_policy *p)
{
    TST_AUTO_POLICY again = NULL;
    TST_AUTO_STR first = printed(p);
    if (strlen(first) > TST_YAML_MAX_BYTES)
        return;
    FUZZ_HOLDS(tst_policy_parse("again", first, strlen(first), NULL, NULL, &again, NULL) == 0);
    TST_AUTO_STR second = printed(again);
    FUZZ_HOLDS(strcmp(first, second) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    TST_AUTO_POLICY p = NULL;
    TST_AUTO_ERROR err = NULL;
    int rc = tst_policy_parse("fuzz", (const char *)data, size, include_input, &in, &p, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS((rc == 0) == (p != NULL));
    if (p)
        read_back(p);
    return 0;
}
