/* SPDX-License-Identifier: Apache-2.0 */
/* unit/base/test_memory.c - every allocation of the library's base fails once, one a run: each call then reports an
 * internal error, hands nothing out and leaks nothing (the sanitizer build watches). Linked with --wrap, see meson.build. */
#include "unit.h"

static long countdown = -1; /* allocations until the one that fails; negative: none fails */
static bool refused;

static bool refuses(void)
{
    if (countdown < 0 || countdown-- > 0)
        return false;
    refused = true;
    return true;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
int __wrap_vasprintf(char **out, const char *fmt, va_list ap) TST_PRINTF(2, 0);
int __wrap___vasprintf_chk(char **out, int flag, const char *fmt, va_list ap) TST_PRINTF(3, 0);

void *__wrap_malloc(size_t n)
{
    return refuses() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refuses() ? NULL : __real_calloc(n, size);
}

char *__wrap_strdup(const char *s)
{
    return refuses() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return refuses() ? NULL : __real_strndup(s, n);
}

/* glibc leaves *out undefined on failure, so does this */
int __wrap_vasprintf(char **out, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    *out = refuses() || n < 0 ? NULL : __real_malloc((size_t)n + 1);
    if (!*out) {
        *out = (char *)1;
        return -1;
    }
    return vsnprintf(*out, (size_t)n + 1, fmt, ap);
}

int __wrap___vasprintf_chk(char **out, int flag, const char *fmt, va_list ap)
{
    (void)flag;
    return __wrap_vasprintf(out, fmt, ap);
}

static int yaml_scenario(struct tst_error **err)
{
    static const char text[] = "a: {b: [c, 'd'], e: f}\ng: 1\n";
    TST_AUTO_YAML y = NULL;
    int rc = tst_yaml_parse("f", text, strlen(text), &y, err);
    assert_int_equal(rc == 0, y != NULL);
    return rc;
}

static int json_scenario(struct tst_error **err)
{
    TST_AUTO_JSON v = NULL;
    int rc = tst_json_parse("{\"a\":[1,\"x\",{\"b\":2.5}]}", 23, 0, &v, err);
    assert_int_equal(rc == 0, v != NULL);
    if (rc == -(int)TST_USAGE) /* jansson calls some of its own failed allocations an invalid token: refused as well */
        return tst_fail(err, TST_INTERNAL, "%s", (*err)->text);
    if (rc == 0)
        rc = tst_json_set_hex(v, "h", "\x01", 1, err);
    if (rc == 0)
        rc = tst_json_set_b64(v, "b", "\x01", 1, err);
    return rc;
}

static int buffer_scenario(struct tst_error **err)
{
    TST_AUTO_BUF b = {0};
    static const uint8_t block[700];
    int rc = tst_buf_printf(&b, err, "%s", "start");
    for (int i = 0; rc == 0 && i < 5; i++)
        rc = tst_buf_put(&b, block, sizeof block, err);
    if (rc < 0 && b.n)
        assert_memory_equal(b.p, "start", 5);
    return rc;
}

static int secret_scenario(struct tst_error **err)
{
    TST_AUTO_SECRET s = NULL;
    int rc = tst_secret_from("key", 3, &s, err);
    assert_int_equal(rc == 0, s != NULL);
    return rc;
}

static int encoding_scenario(struct tst_error **err)
{
    TST_AUTO_STR text = tst_b64url("foobar", 6);
    if (!text)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    uint8_t *bytes = NULL;
    size_t n = 0;
    int rc = tst_unb64url(text, 6, &bytes, &n, err);
    assert_int_equal(rc == 0, bytes != NULL);
    free(bytes);
    return rc;
}

static void each_allocation_fails_once(int (*scenario)(struct tst_error **err))
{
    for (long nth = 0;; nth++) {
        TST_AUTO_ERROR err = NULL;
        refused = false;
        countdown = nth;
        int rc = scenario(&err);
        countdown = -1;
        if (!refused) {
            assert_int_equal(rc, 0);
            assert_true(nth > 0);
            return;
        }
        assert_int_equal(rc, -(int)TST_INTERNAL);
        assert_non_null(err);
        assert_int_equal(err->code, TST_INTERNAL);
    }
}

static void *jansson_malloc(size_t n)
{
    return refuses() ? NULL : __real_malloc(n);
}

static void failed_allocations_are_internal_errors(void **state)
{
    (void)state;
    json_set_alloc_funcs(jansson_malloc, free);
    each_allocation_fails_once(yaml_scenario);
    each_allocation_fails_once(json_scenario);
    each_allocation_fails_once(buffer_scenario);
    each_allocation_fails_once(secret_scenario);
    each_allocation_fails_once(encoding_scenario);
}

static int refusal_with_context(struct tst_error **err)
{
    int rc = tst_fail(err, TST_DENIED, "level %s", "firmware");
    tst_wrap(err, "policy %s", "sealed");
    tst_hint(err, "measured", "firmware", "boot a measured image");
    tst_reason(err, "level-too-low");
    return rc;
}

static void a_refusal_keeps_its_code_without_memory(void **state)
{
    (void)state;
    for (long nth = 0;; nth++) {
        TST_AUTO_ERROR err = NULL;
        refused = false;
        countdown = nth;
        int rc = refusal_with_context(&err);
        countdown = -1;
        assert_int_equal(rc, -(int)TST_DENIED);
        if (err) {
            assert_int_equal(err->code, TST_DENIED);
            assert_non_null(err->text);
        }
        if (!refused)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failed_allocations_are_internal_errors),
        cmocka_unit_test(a_refusal_keeps_its_code_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
