/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz.h - what a fuzz target is: one function that takes any bytes. It returns 0; a broken promise aborts. */
#ifndef TESTUDO_FUZZ_H
#define TESTUDO_FUZZ_H

#include <stdlib.h>

#include <testudo/base.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stays in every build, unlike assert. */
#define FUZZ_HOLDS(condition) \
    do {                      \
        if (!(condition))     \
            abort();          \
    } while (0)

/* 0 comes without an error, anything else with one that says something. */
static inline void fuzz_result(int rc, const struct tst_error *err)
{
    FUZZ_HOLDS(rc <= 0);
    FUZZ_HOLDS((rc == 0) == (err == NULL));
    FUZZ_HOLDS(!err || (err->text && err->text[0] && -(int)err->code == rc));
}

#endif
