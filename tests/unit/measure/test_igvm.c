/* SPDX-License-Identifier: Apache-2.0 */
/* test_igvm.c - IGVM files made on the spot: digest, what is not measured, what is refused. Known answers as in
 * test_launch.c. */
#include "fixture.h"

static const struct tst_igvm_options as_specified = {.native_zero = false};

static const char *igvm_digest(const uint8_t *file, size_t n, const struct tst_igvm_options *o, char hex[97])
{
    struct tst_igvm g;
    struct tst_error *err = NULL;
    assert_done(tst_igvm_measure(file, n, o, &g, &err), err);
    tst_hex(g.digest, sizeof g.digest, hex);
    return hex;
}

static void a_file_is_measured(void **state)
{
    (void)state;
    size_t n = 0;
    struct tst_igvm g;
    struct tst_error *err = NULL;
    char hex[97];
    TST_AUTO_STR file = (char *)igvm_usual(&n);
    assert_done(tst_igvm_measure(file, n, &as_specified, &g, &err), err);
    tst_hex(g.digest, sizeof g.digest, hex);
    assert_string_equal(hex, "827f55fe15b0b1edd2645058acc24c32a7d619ffd0ad2c22cee50d94074ec9fd5bdaa1b8e968b0fb72ef10f76c173f40");
    assert_int_equal(g.format, 1);
    assert_int_equal(g.pages, 6);
    assert_int_equal(g.zero_pages, 1);
    assert_int_equal(g.parameter_pages, 2);
    assert_int_equal(g.vmsas, 1);
    assert_true(g.has_policy && g.policy == 0x30000);
    assert_int_equal(g.sev_features, 1);
    assert_true(g.vmsa_gpa == TST_VMSA_GPA_KVM);
    assert_false(g.has_id_block);
}

static void qemu_measures_pages_without_data_as_zero_pages(void **state)
{
    (void)state;
    const struct tst_igvm_options native = {.native_zero = true};
    size_t n = 0;
    char hex[97];
    TST_AUTO_STR file = (char *)igvm_usual(&n);
    assert_string_equal(igvm_digest((uint8_t *)file, n, &native, hex), "5b83d429c430d556bc4d0390ad881ee32b8d2bf9feb64bb11e040e8fd30e96e9d95a5ac21472fa385cac3aa8b1a77bb0");
}

/* Each byte of the file: the checksum covers the headers; of the data only what is measured counts. */
static void a_flipped_byte_is_refused_or_changes_the_digest(void **state)
{
    (void)state;
    size_t n = 0, refused = 0, changed = 0, same = 0;
    char before[97], after[97];
    uint8_t *file = igvm_usual(&n);
    igvm_digest(file, n, &as_specified, before);
    for (size_t at = 0; at < n; at++) {
        struct tst_igvm g;
        struct tst_error *err = NULL;
        file[at] ^= 0x40;
        if (tst_igvm_measure(file, n, &as_specified, &g, &err) < 0) {
            refused++;
        } else {
            tst_hex(g.digest, sizeof g.digest, after);
            changed += strcmp(before, after) != 0;
            same += strcmp(before, after) == 0;
        }
        tst_error_free(err);
        file[at] ^= 0x40;
    }
    free(file);
    assert_true(refused > 300);
    assert_int_equal(changed, 3 * TST_PAGE_BYTES); /* two pages and the VMSA */
    assert_true(same >= 2 * TST_PAGE_BYTES);       /* the other platform's page, the unmeasured one, the room behind headers */
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    size_t n = 0;
    struct tst_igvm g;
    uint8_t *file = igvm_usual(&n);
    for (size_t kept = 0; kept < n; kept += kept < 600 ? 1 : 997) {
        struct tst_error *err = NULL;
        uint8_t *cut = malloc(kept ? kept : 1);
        memcpy(cut, file, kept);
        assert_true(tst_igvm_measure(cut, kept, &as_specified, &g, &err) < 0);
        tst_error_free(err);
        free(cut);
    }
    free(file);
}

/* ---- what is refused, one reason each ---- */
static void start(struct igvm_builder *b)
{
    *b = (struct igvm_builder){0};
    igvm_platform(b, 2, 1);
    igvm_policy(b, 0x30000, 1);
}

static void refused(struct igvm_builder *b, const char *part)
{
    size_t n = 0;
    struct tst_igvm g;
    struct tst_error *err = NULL;
    uint8_t *file = igvm_file(b, &n);
    assert_refused(tst_igvm_measure(file, n, &as_specified, &g, &err), TST_USAGE, err, part);
    free(file);
    tst_buf_clear(&b->headers);
    tst_buf_clear(&b->data);
}

static void headers_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const uint8_t page[TST_PAGE_BYTES] = {1};
    struct igvm_builder b;
    start(&b);
    refused(&b, "no VP context");
    start(&b);
    igvm_page(&b, 0x1001, 1, page, 0, 0);
    refused(&b, "not a page");
    start(&b);
    igvm_page(&b, 0x200000, 1, page, 1, 0);
    refused(&b, "2 MiB");
    start(&b);
    igvm_page(&b, 0x200000, 1, page, 8, 0);
    refused(&b, "unknown flags");
    start(&b);
    igvm_page(&b, 0x200000, 1, page, 0, 7);
    refused(&b, "unknown page type 7");
    start(&b);
    igvm_insert(&b, 0x1000, 1, 3);
    refused(&b, "was not declared");
    start(&b);
    igvm_area(&b, 0x1000, 3);
    igvm_insert(&b, 0x1000, 1, 3);
    igvm_insert(&b, 0x2000, 1, 3);
    refused(&b, "inserted twice");
    start(&b);
    igvm_area(&b, 0x1234, 3);
    refused(&b, "whole pages");
    start(&b);
    igvm_platform(&b, 2, 4);
    refused(&b, "later section");
    start(&b);
    igvm_header(&b, 0x3f0, page, 8);
    refused(&b, "unknown type");
    start(&b);
    igvm_header(&b, 0x302, page, 8);
    refused(&b, "expected 24");
    start(&b);
    igvm_header(&b, 0x102, "\1\0\0\0\0\0\0\0", 8);
    refused(&b, "loader may move pages");
    b = (struct igvm_builder){0};
    igvm_platform(&b, 3, 1);
    igvm_policy(&b, 0, 1);
    refused(&b, "not for SEV-SNP");
    b = (struct igvm_builder){0};
    igvm_platform(&b, 2, 3);
    refused(&b, "expected one bit");
}

static void headers_that_may_be_ignored_are(void **state)
{
    (void)state;
    struct igvm_builder b;
    uint8_t vmsa[TST_PAGE_BYTES] = {0};
    size_t n = 0;
    char with[97], without[97];
    start(&b);
    igvm_context(&b, 0x1000, 1, vmsa);
    uint8_t *file = igvm_file(&b, &n);
    igvm_digest(file, n, &as_specified, without);
    free(file);
    igvm_header(&b, 0x800003f0u, "later", 5);
    file = igvm_file(&b, &n);
    assert_string_equal(igvm_digest(file, n, &as_specified, with), without);
    free(file);
    tst_buf_clear(&b.headers);
    tst_buf_clear(&b.data);
}

static void shared_pages_are_not_measured(void **state)
{
    (void)state;
    struct igvm_builder b;
    uint8_t vmsa[TST_PAGE_BYTES] = {0};
    size_t n = 0;
    char with[97], without[97];
    start(&b);
    igvm_context(&b, 0x1000, 1, vmsa);
    uint8_t *file = igvm_file(&b, &n);
    igvm_digest(file, n, &as_specified, without);
    free(file);
    igvm_page(&b, 0x5000, 1, vmsa, 4, 0);
    file = igvm_file(&b, &n);
    assert_string_equal(igvm_digest(file, n, &as_specified, with), without);
    free(file);
    tst_buf_clear(&b.headers);
    tst_buf_clear(&b.data);
}

static void the_files_own_id_block_is_found(void **state)
{
    (void)state;
    struct igvm_builder b;
    uint8_t vmsa[TST_PAGE_BYTES] = {0}, id[0x200] = {1};
    size_t n = 0;
    struct tst_igvm g;
    struct tst_error *err = NULL;
    memset(id + 8, 0xab, 48);
    start(&b);
    igvm_context(&b, 0x1000, 1, vmsa);
    igvm_header(&b, 0x30b, id, sizeof id);
    uint8_t *file = igvm_file(&b, &n);
    assert_done(tst_igvm_measure(file, n, &as_specified, &g, &err), err);
    assert_true(g.has_id_block);
    assert_memory_equal(g.id_block_digest, id + 8, 48);
    free(file);
    tst_buf_clear(&b.headers);
    tst_buf_clear(&b.data);
}

static void a_wrong_checksum_is_refuted(void **state)
{
    (void)state;
    size_t n = 0;
    struct tst_igvm g;
    struct tst_error *err = NULL;
    uint8_t *file = igvm_usual(&n);
    file[20] ^= 1;
    assert_refused(tst_igvm_measure(file, n, &as_specified, &g, &err), TST_REFUTED, err, "checksum");
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_measured),
        cmocka_unit_test(qemu_measures_pages_without_data_as_zero_pages),
        cmocka_unit_test(a_flipped_byte_is_refused_or_changes_the_digest),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(headers_that_make_no_sense_are_refused),
        cmocka_unit_test(headers_that_may_be_ignored_are),
        cmocka_unit_test(shared_pages_are_not_measured),
        cmocka_unit_test(the_files_own_id_block_is_found),
        cmocka_unit_test(a_wrong_checksum_is_refuted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
