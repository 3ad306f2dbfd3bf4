/* SPDX-License-Identifier: Apache-2.0 */
/* unit/base/test_secret.c - secrets: content, bounds, and what the kernel says about their pages. */
#include <unistd.h>

#include "unit.h"

enum { LINE_BYTES = 512 };

/* Reads the VmFlags of the mapping that holds p ("... dd ..." = not dumped, "lo" = locked). */
static void mapping_flags(const void *p, char flags[LINE_BYTES])
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    assert_non_null(maps);
    char line[LINE_BYTES];
    bool inside = false;
    flags[0] = 0;
    while (fgets(line, sizeof line, maps)) {
        unsigned long from = 0, to = 0;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (uintptr_t)p >= from && (uintptr_t)p < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            memmove(flags, line, sizeof line);
    }
    fclose(maps);
}

static void new_secret_is_zero_and_of_its_size(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_SECRET s = NULL;
    assert_done(tst_secret_new(48, &s, &err), err);
    assert_int_equal(tst_secret_size(s), 48);
    assert_true(tst_is_zero(tst_secret_view(s), 48));
    memset(tst_secret_bytes(s), 7, 48);
    assert_int_equal(tst_secret_view(s)[47], 7);
}

static void secret_holds_a_copy(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_SECRET s = NULL;
    char key[] = "0123456789abcdef";
    assert_done(tst_secret_from(key, 16, &s, &err), err);
    tst_wipe(key, sizeof key);
    assert_memory_equal(tst_secret_view(s), "0123456789abcdef", 16);
}

static void secret_spans_pages(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_SECRET s = NULL;
    size_t n = (size_t)sysconf(_SC_PAGESIZE) + 1;
    assert_done(tst_secret_new(n, &s, &err), err);
    memset(tst_secret_bytes(s), 0xa5, n);
    assert_int_equal(tst_secret_view(s)[n - 1], 0xa5);
}

static void no_byte_and_too_many_bytes_are_refused(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    struct tst_secret *s = NULL;
    assert_refused(tst_secret_new(0, &s, &err), TST_USAGE, err, "secret: is empty");
    assert_refused(tst_secret_new(1024 * 1024 + 1, &s, &err), TST_TOO_LARGE, err, "secret: 1048577 bytes");
    assert_refused(tst_secret_new(SIZE_MAX, &s, &err), TST_TOO_LARGE, err, "secret: ");
    assert_refused(tst_secret_from("x", SIZE_MAX, &s, &err), TST_TOO_LARGE, err, "secret: ");
    assert_null(s);
}

static void secret_pages_stay_out_of_core_dumps(void **state)
{
    (void)state;
    TST_AUTO_SECRET s = NULL;
    char flags[LINE_BYTES];
    assert_int_equal(tst_secret_from("k", 1, &s, NULL), 0);
    mapping_flags(tst_secret_view(s), flags);
    if (!strstr(flags, " dd"))
        fail_msg("VmFlags without dd:%s", flags);
}

static void freed_secret_leaves_no_copy_in_memory(void **state)
{
    (void)state;
    TST_AUTO_SECRET keep = NULL;
    struct tst_secret *s = NULL;
    assert_int_equal(tst_secret_new(32, &keep, NULL), 0);
    assert_int_equal(tst_secret_from("canary-canary-canary-canary-32by", 32, &s, NULL), 0);
    const uint8_t *where = tst_secret_view(s);
    tst_secret_free(s);
    char flags[LINE_BYTES];
    mapping_flags(where, flags);
    /* the page is gone; if the kernel already reused the address, its content is not ours */
    if (flags[0])
        assert_memory_not_equal(where, "canary-canary-canary-canary-32by", 32);
    tst_secret_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_secret_is_zero_and_of_its_size),
        cmocka_unit_test(secret_holds_a_copy),
        cmocka_unit_test(secret_spans_pages),
        cmocka_unit_test(no_byte_and_too_many_bytes_are_refused),
        cmocka_unit_test(secret_pages_stay_out_of_core_dumps),
        cmocka_unit_test(freed_secret_leaves_no_copy_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
