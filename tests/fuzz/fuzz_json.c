/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_json.c - strict JSON: what is accepted is within the limits and reads back as the same value. */
#include "fuzz.h"

static size_t depth_of(json_t *v)
{
    size_t deepest = 0, i;
    const char *key;
    json_t *child;
    json_object_foreach(v, key, child)
    {
        size_t depth = depth_of(child);
        deepest = depth > deepest ? depth : deepest;
    }
    json_array_foreach(v, i, child)
    {
        size_t depth = depth_of(child);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + (json_is_object(v) || json_is_array(v));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON v = NULL;
    int rc = tst_json_parse((const char *)data, size, 0, &v, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS((rc == 0) == (v != NULL));
    if (rc < 0)
        return 0;
    FUZZ_HOLDS(size <= TST_JSON_MAX_BYTES);
    FUZZ_HOLDS(depth_of(v) <= TST_JSON_MAX_DEPTH);
    TST_AUTO_STR text = json_dumps(v, JSON_COMPACT);
    TST_AUTO_JSON again = NULL;
    FUZZ_HOLDS(text);
    FUZZ_HOLDS(tst_json_parse(text, strlen(text), 16 * TST_JSON_MAX_BYTES, &again, NULL) == 0);
    FUZZ_HOLDS(json_equal(v, again));
    return 0;
}
