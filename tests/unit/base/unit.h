/* SPDX-License-Identifier: Apache-2.0 */
/* unit/base/unit.h - cmocka with the headers that it needs, checks of the error object, and a walk over all truncations
 * and one-bit changes of an input that lies at the very end of its array (so that AddressSanitizer sees a read past it). */
#ifndef TESTUDO_UNIT_H
#define TESTUDO_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <testudo/base.h>

/* The call succeeds; otherwise its error text is printed. */
#define assert_done(call, err)                                                    \
    do {                                                                          \
        int unit_rc_ = (call);                                                    \
        if (unit_rc_ != 0)                                                        \
            fail_msg("%s: %d: %s", #call, unit_rc_, (err) ? (err)->text : "?");   \
        assert_null(err);                                                         \
    } while (0)

/* The call fails with -code and an error whose text contains `part`; the error is released. */
#define assert_refused(call, expected_code, err, part)                            \
    do {                                                                          \
        int unit_rc_ = (call);                                                    \
        assert_int_equal(unit_rc_, -(int)(expected_code));                        \
        assert_non_null(err);                                                     \
        assert_int_equal((err)->code, (expected_code));                           \
        if (!strstr((err)->text, (part)))                                         \
            fail_msg("\"%s\" does not contain \"%s\"", (err)->text, (part));      \
        tst_error_free(err);                                                      \
        (err) = NULL;                                                             \
    } while (0)

enum { UNIT_INPUT_MAX_BYTES = 4096 };

/* Calls visit with each proper prefix of the input. */
static inline void each_truncation(const void *p, size_t n, void (*visit)(const uint8_t *p, size_t n, void *ctx), void *ctx)
{
    uint8_t room[UNIT_INPUT_MAX_BYTES];
    assert_true(n <= sizeof room);
    for (size_t kept = 0; kept < n; kept++) {
        uint8_t *input = room + sizeof room - kept;
        if (kept)
            memcpy(input, p, kept);
        visit(input, kept, ctx);
    }
}

/* Calls visit with each input that differs from p in one bit. */
static inline void each_bit_flip(const void *p, size_t n, void (*visit)(const uint8_t *p, size_t n, void *ctx), void *ctx)
{
    uint8_t room[UNIT_INPUT_MAX_BYTES];
    assert_true(n <= sizeof room);
    uint8_t *input = room + sizeof room - n;
    memcpy(input, p, n);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        input[bit / 8] ^= (uint8_t)(1u << bit % 8);
        visit(input, n, ctx);
        input[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

#endif
