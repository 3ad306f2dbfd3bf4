/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_policy.c - policies: what parses is printed as JSON, read back, and printed to the same JSON; lint has something
 * to say of it or not, and a report of zeros never passes it. An include gives the input itself. */
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

static void looked_at(const struct tst_policy *p)
{
    struct tst_policy_remark *remarks = NULL;
    size_t count = 0;
    FUZZ_HOLDS(tst_policy_lint(p, 1795392000, &remarks, &count, NULL) == 0);
    for (size_t i = 0; i < count; i++)
        FUZZ_HOLDS(remarks[i].key && remarks[i].text && remarks[i].advice);
    tst_policy_remarks_free(remarks, count);
}

static void judges(const struct tst_policy *p)
{
    static const uint8_t zeros[TST_SNP_REPORT_BYTES] = {5};
    const struct tst_evidence evidence = {.report = {zeros, sizeof zeros}};
    const struct tst_appraise_in in = {.evidence = &evidence, .policy = p, .now = 1795392000, .product = TST_SNP_TURIN};
    TST_AUTO_VERDICT v = NULL;
    FUZZ_HOLDS(tst_appraise(&in, &v, NULL) == 0);
    FUZZ_HOLDS(v->outcome == TST_CHECK_FAIL || v->outcome == TST_CHECK_MISSING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    TST_AUTO_POLICY p = NULL;
    TST_AUTO_ERROR err = NULL;
    int rc = tst_policy_parse("fuzz", (const char *)data, size, include_input, &in, &p, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS((rc == 0) == (p != NULL));
    if (!p)
        return 0;
    read_back(p);
    looked_at(p);
    judges(p);
    return 0;
}
