/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_yaml.c - YAML: a refusal starts with its place; an accepted tree is well-formed and every reader takes it. */
#include <stdio.h>

#include "fuzz.h"

static void tree_check(const struct tst_yaml *y, unsigned depth, bool in_map)
{
    static const char *const words[] = {"none", "measured", NULL};
    FUZZ_HOLDS(depth <= TST_YAML_MAX_DEPTH);
    for (; y; y = y->next) {
        FUZZ_HOLDS(y->line >= 1 && y->column >= 1 && y->file);
        FUZZ_HOLDS((y->kind == TST_YAML_SCALAR) == (y->text != NULL));
        FUZZ_HOLDS(in_map == (y->key != NULL));
        FUZZ_HOLDS(y->kind != TST_YAML_SCALAR || !y->child);
        uint64_t number = 0;
        uint8_t bytes[4];
        const char *text = NULL;
        bool truth = false;
        int word = 0;
        (void)tst_yaml_u64(y, 1000, &number, NULL);
        FUZZ_HOLDS(number <= 1000);
        (void)tst_yaml_bool(y, &truth, NULL);
        (void)tst_yaml_str(y, &text, NULL);
        (void)tst_yaml_hex(y, bytes, sizeof bytes, NULL);
        (void)tst_yaml_word(y, words, &word, NULL);
        FUZZ_HOLDS(word == 0 || word == 1);
        tree_check(y->child, depth + 1, y->kind == TST_YAML_MAP);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_YAML y = NULL;
    int rc = tst_yaml_parse("f", (const char *)data, size, &y, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS((rc == 0) == (y != NULL));
    unsigned line = 0, column = 0;
    FUZZ_HOLDS(!err || (sscanf(err->text, "f:%u:%u: ", &line, &column) == 2 && line >= 1 && column >= 1));
    tree_check(y, 1, false);
    return 0;
}
