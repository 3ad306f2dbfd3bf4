/* SPDX-License-Identifier: Apache-2.0 */
/* testudo/error.h - the one error object. A function that can fail returns 0 or a negative enum tst_code and
 * takes `struct tst_error **err` as its last argument; the text reads outside in:
 * "join n042: report: signature: does not verify". A verdict is data, not an error (see appraise.h). */
#ifndef TESTUDO_ERROR_H
#define TESTUDO_ERROR_H

/* The one list of error codes: name, process exit status, HTTP status, text. */
#define TST_CODES(X)                                                      \
    X(REFUTED, 1, 403, "the thing is there and is not right")             \
    X(USAGE, 2, 400, "bad usage or malformed input")                      \
    X(UNDECIDABLE, 3, 409, "something needed to decide is missing")       \
    X(DENIED, 4, 403, "refused by policy")                                \
    X(UNREACHABLE, 5, 503, "the other side cannot be reached")            \
    X(NOT_FOUND, 2, 404, "no such thing")                                 \
    X(TOO_LARGE, 2, 413, "larger than its limit")                         \
    X(INTERNAL, 70, 500, "internal error")

enum tst_code {
    TST_OK = 0,
#define TST_CODE_ENUM(name, exit_status, http, text) TST_##name,
    TST_CODES(TST_CODE_ENUM)
#undef TST_CODE_ENUM
};

struct tst_error {
    enum tst_code code;
    char *reason;   /* short stable word of the refusal, e.g. "nonce-used"; NULL if none */
    char *text;     /* outermost context first */
    char *expected; /* any of these three may be NULL */
    char *found;
    char *fix;
};

#if defined(__GNUC__)
#define TST_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define TST_PRINTF(f, a)
#endif

/* Starts an error at its origin; returns -code. err may be NULL (the code alone is reported). A previous error
 * in *err is released. */
int tst_fail(struct tst_error **err, enum tst_code code, const char *fmt, ...) TST_PRINTF(3, 4);
/* Puts "fmt: " before the text of *err on the way up; returns -(*err)->code (-TST_INTERNAL if there is none). */
int tst_wrap(struct tst_error **err, const char *fmt, ...) TST_PRINTF(2, 3);
/* Sets the refusal word; returns -(*err)->code. */
int tst_reason(struct tst_error **err, const char *reason);
/* Adds what was expected, what was found and what to do (each may be NULL = leave); returns -(*err)->code. */
int tst_hint(struct tst_error **err, const char *expected, const char *found, const char *fix);
void tst_error_free(struct tst_error *err);

/* clang-analyzer and gcc -fanalyzer cannot look into these four; for them (and only there) it is spelled out that none
 * ever returns 0. */
#if defined(__clang_analyzer__) || defined(TST_ANALYSIS)
#define TST_NEGATIVE(call) __extension__({ (void)(call); -1; })
#define tst_fail(...) TST_NEGATIVE(tst_fail(__VA_ARGS__))
#define tst_wrap(...) TST_NEGATIVE(tst_wrap(__VA_ARGS__))
#define tst_reason(...) TST_NEGATIVE(tst_reason(__VA_ARGS__))
#define tst_hint(...) TST_NEGATIVE(tst_hint(__VA_ARGS__))
#endif

int tst_exit_status(enum tst_code code);
int tst_http_status(enum tst_code code);
const char *tst_code_text(enum tst_code code);

#endif
