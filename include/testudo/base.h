/* SPDX-License-Identifier: Apache-2.0 */
/* testudo/base.h - bytes, buffers, encodings, secrets, strict JSON and YAML. Pure: no I/O. */
#ifndef TESTUDO_BASE_H
#define TESTUDO_BASE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <testudo/error.h>

#define TST_STEAL(p)            \
    __extension__({             \
        __auto_type tst_p_ = (p); \
        (p) = NULL;             \
        tst_p_;                 \
    })
#define TST_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* `_cleanup_(fn) T *x`: fn##p(&x) runs when x leaves its scope. TST_CLEANUP_FN(T, fn) defines fn##p. */
#define TST_CLEANUP(fn) __attribute__((cleanup(fn##p)))
#define TST_CLEANUP_FN(type, fn)               \
    static inline void fn##p(type *tst_slot_) \
    {                                          \
        if (*tst_slot_)                        \
            fn(*tst_slot_);                    \
    }
void tst_free(void *p); /* free(3), typed for TST_CLEANUP */
TST_CLEANUP_FN(char *, tst_free)
TST_CLEANUP_FN(struct tst_error *, tst_error_free)
/* typeof: so that each name of one declaration is a pointer */
#define TST_AUTO_STR TST_CLEANUP(tst_free) __typeof__(char *)
#define TST_AUTO_JSON TST_CLEANUP(json_decref) __typeof__(json_t *) /* json_decrefp is jansson's own */
#define TST_AUTO_ERROR TST_CLEANUP(tst_error_free) __typeof__(struct tst_error *)

/* Borrowed bytes. */
struct tst_bytes {
    const uint8_t *p;
    size_t n;
};

/* ---- cursor: every read is bounded, failure is sticky, one check at the end ---- */
struct tst_rd {
    const uint8_t *p, *end;
    bool bad;
};
struct tst_rd tst_rd_of(const void *p, size_t n);
uint8_t tst_rd_u8(struct tst_rd *r);
uint16_t tst_rd_u16le(struct tst_rd *r);
uint32_t tst_rd_u32le(struct tst_rd *r);
uint64_t tst_rd_u64le(struct tst_rd *r);
/* Copies n bytes to `to` (zeros on failure). */
void tst_rd_copy(struct tst_rd *r, void *to, size_t n);
/* Borrows n bytes; {NULL,0} on failure. */
struct tst_bytes tst_rd_take(struct tst_rd *r, size_t n);
void tst_rd_skip(struct tst_rd *r, size_t n);
size_t tst_rd_left(const struct tst_rd *r);
/* 0 if no read failed and nothing is left; else TST_USAGE "what: truncated" or "what: N trailing bytes". */
int tst_rd_finish(const struct tst_rd *r, const char *what, struct tst_error **err);

/* ---- growing buffer with a maximum; zero-initialise, set max (0 = 1 MiB). Wiped when freed.
 * Once something was put in, a NUL that n does not count follows the bytes. ---- */
struct tst_buf {
    uint8_t *p;
    size_t n, cap, max;
};
int tst_buf_put(struct tst_buf *b, const void *p, size_t n, struct tst_error **err);
int tst_buf_printf(struct tst_buf *b, struct tst_error **err, const char *fmt, ...) TST_PRINTF(3, 4);
void tst_buf_clear(struct tst_buf *b); /* wipes and releases; b is empty and usable again */
#define TST_AUTO_BUF __attribute__((cleanup(tst_buf_clear))) struct tst_buf

/* ---- encodings ---- */
void tst_hex(const void *p, size_t n, char *out /* 2n+1 */);
/* Exactly n bytes of hex, either case; else TST_USAGE. */
int tst_unhex(const char *hex, uint8_t *out, size_t n, struct tst_error **err);
/* base64url without padding (RFC 4648 §5). Result is malloc'ed, NUL-terminated. NULL only when out of memory. */
char *tst_b64url(const void *p, size_t n);
/* Strict: no padding, no white space, unused bits zero, at most max bytes. *out malloc'ed (also when empty). */
int tst_unb64url(const char *text, size_t max, uint8_t **out, size_t *n, struct tst_error **err);
/* Exactly n bytes. */
int tst_unb64url_fixed(const char *text, uint8_t *out, size_t n, struct tst_error **err);
/* RFC 3339 UTC, "2026-11-22T21:15:00Z". out holds TST_TIME_BYTES. */
#define TST_TIME_BYTES 21
void tst_time_print(time_t t, char out[TST_TIME_BYTES]);
/* Accepts 'YYYY-MM-DDTHH:MM:SSZ' and a bare date (midnight UTC). */
int tst_time_parse(const char *text, time_t *out, struct tst_error **err);
char *tst_strdup_printf(const char *fmt, ...) TST_PRINTF(1, 2);
bool tst_is_zero(const void *p, size_t n);
/* Constant-time equality. */
bool tst_equal(const void *a, const void *b, size_t n);
/* 1 to 63 characters [a-z0-9-], starts with a letter: instances, realms, policies, clusters. */
bool tst_is_name(const char *s);

/* ---- secrets: locked in memory, not dumped, wiped on free; no formatter exists on purpose ---- */
struct tst_secret;
int tst_secret_new(size_t n, struct tst_secret **out, struct tst_error **err); /* n zero bytes, n >= 1 */
int tst_secret_from(const void *p, size_t n, struct tst_secret **out, struct tst_error **err);
uint8_t *tst_secret_bytes(struct tst_secret *s);
const uint8_t *tst_secret_view(const struct tst_secret *s);
size_t tst_secret_size(const struct tst_secret *s);
void tst_secret_free(struct tst_secret *s);
TST_CLEANUP_FN(struct tst_secret *, tst_secret_free)
#define TST_AUTO_SECRET TST_CLEANUP(tst_secret_free) __typeof__(struct tst_secret *)
void tst_wipe(void *p, size_t n); /* not optimised away */

/* ---- JSON: jansson, read strictly ---- */
#define TST_JSON_MAX_BYTES (64 * 1024)
#define TST_JSON_MAX_DEPTH 16
/* Size <= max_bytes (0 = TST_JSON_MAX_BYTES), depth <= TST_JSON_MAX_DEPTH, UTF-8, no duplicate keys, no NUL in
 * strings, nothing after the value. *out is a new reference. */
int tst_json_parse(const char *text, size_t n, size_t max_bytes, json_t **out, struct tst_error **err);
/* json_unpack_ex with JSON_STRICT: unknown keys are refused. Results are borrowed from `root`. */
int tst_json_unpack(json_t *root, struct tst_error **err, const char *fmt, ...);
/* Sets key to base64url(p) / hex(p) in obj; -TST_INTERNAL when out of memory. */
int tst_json_set_b64(json_t *obj, const char *key, const void *p, size_t n, struct tst_error **err);
int tst_json_set_hex(json_t *obj, const char *key, const void *p, size_t n, struct tst_error **err);

/* ---- YAML: a tree that knows its lines; anchors, aliases, tags, several documents are refused ---- */
enum tst_yaml_kind { TST_YAML_SCALAR, TST_YAML_SEQ, TST_YAML_MAP };
struct tst_yaml {
    enum tst_yaml_kind kind;
    unsigned line, column; /* 1-based */
    const char *file;      /* borrowed from the root */
    char *text;            /* scalar: its text; NULL else */
    bool quoted;           /* scalar was quoted (so "true" is a string) */
    char *key;             /* set when this node is a map's value */
    unsigned key_line, key_column;
    struct tst_yaml *child, *next;
    char *file_owned; /* root only */
};
#define TST_YAML_MAX_BYTES (1024 * 1024)
#define TST_YAML_MAX_DEPTH 16
#define TST_YAML_MAX_NODES 16384
int tst_yaml_parse(const char *file, const char *text, size_t n, struct tst_yaml **out, struct tst_error **err);
void tst_yaml_free(struct tst_yaml *y);
TST_CLEANUP_FN(struct tst_yaml *, tst_yaml_free)
#define TST_AUTO_YAML TST_CLEANUP(tst_yaml_free) __typeof__(struct tst_yaml *)
/* TST_USAGE "FILE:LINE:COLUMN: fmt". */
int tst_yaml_fail(const struct tst_yaml *at, struct tst_error **err, const char *fmt, ...) TST_PRINTF(3, 4);
#ifdef TST_NEGATIVE
#define tst_yaml_fail(...) TST_NEGATIVE(tst_yaml_fail(__VA_ARGS__))
#endif

/* A map's schema is a table: one reader a key. Unknown, duplicate and missing keys are refused with file:line;
 * the message for an unknown key lists the known ones. */
struct tst_yaml_field {
    const char *key;
    bool required;
    int (*read)(void *to, const struct tst_yaml *value, struct tst_error **err);
};
int tst_yaml_map(const struct tst_yaml *map, const struct tst_yaml_field *fields, size_t n, void *to,
                 struct tst_error **err);
int tst_yaml_str(const struct tst_yaml *y, const char **out, struct tst_error **err); /* borrowed */
int tst_yaml_u64(const struct tst_yaml *y, uint64_t max, uint64_t *out, struct tst_error **err);
int tst_yaml_bool(const struct tst_yaml *y, bool *out, struct tst_error **err);
/* Index of the scalar in `words` (NULL-terminated); the error lists them. */
int tst_yaml_word(const struct tst_yaml *y, const char *const *words, int *out, struct tst_error **err);
int tst_yaml_hex(const struct tst_yaml *y, uint8_t *out, size_t n, struct tst_error **err);
int tst_yaml_expect(const struct tst_yaml *y, enum tst_yaml_kind kind, struct tst_error **err);

#endif
