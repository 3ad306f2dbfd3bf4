/* SPDX-License-Identifier: Apache-2.0 */
/* test_ovmf.c - the table at the end of a firmware image: what is read, and that no broken one is taken or read past. */
#include "fixture.h"

static void sections_and_entries_are_read(void **state)
{
    (void)state;
    struct image i = image_firmware();
    struct tst_firmware f;
    struct tst_error *err = NULL;
    assert_done(tst_firmware_parse(i.bytes, i.n, &f, &err), err);
    assert_true(f.has_table && f.has_reset && f.has_hashes && !f.has_svsm_info);
    assert_int_equal(f.reset_eip, FIRMWARE_AP_EIP);
    assert_int_equal(f.hashes_gpa, FIRMWARE_HASHES_GPA);
    assert_int_equal(f.hashes_bytes, 0x400);
    assert_int_equal(f.section_count, 7);
    assert_int_equal(f.sections[5].kind, TST_SECTION_KERNEL_HASHES);
    assert_int_equal(f.sections[6].gpa, 0x811000);
    assert_int_equal(f.sections[6].bytes, 0xf000);
}

static void an_svsm_says_where_it_starts(void **state)
{
    (void)state;
    struct image i = image_svsm();
    struct tst_firmware f;
    struct tst_error *err = NULL;
    assert_done(tst_firmware_parse(i.bytes, i.n, &f, &err), err);
    assert_true(f.has_svsm_info);
    assert_int_equal(f.svsm_entry, SVSM_ENTRY);
    assert_int_equal(f.section_count, 3);
}

static void firmware_without_a_table_is_only_bytes(void **state)
{
    (void)state;
    struct image i = image_bare();
    struct tst_firmware f;
    struct tst_error *err = NULL;
    assert_done(tst_firmware_parse(i.bytes, i.n, &f, &err), err);
    assert_false(f.has_table || f.has_reset || f.has_hashes);
    assert_int_equal(f.section_count, 0);
}

static void too_small_and_too_large_are_refused(void **state)
{
    (void)state;
    static const uint8_t few[49];
    struct tst_firmware f;
    struct tst_error *err = NULL;
    assert_refused(tst_firmware_parse(few, sizeof few, &f, &err), TST_USAGE, err, "too few");
    assert_refused(tst_firmware_parse(few, (size_t)TST_FIRMWARE_MAX_BYTES + 1, &f, &err), TST_TOO_LARGE, err, "at most");
}

/* ---- one broken thing each ---- */
static void refused(const struct image *i, const char *part)
{
    struct tst_firmware f;
    struct tst_error *err = NULL;
    int rc = tst_firmware_parse(i->bytes, i->n, &f, &err);
    assert_true(rc < 0);
    if (!strstr(err->text, part))
        fail_msg("\"%s\" does not contain \"%s\"", err->text, part);
    tst_error_free(err);
}

static void set32(struct image *i, size_t at, uint32_t v)
{
    for (unsigned b = 0; b < 4; b++)
        i->bytes[at + b] = (uint8_t)(v >> (8 * b));
}

static void broken_metadata_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint32_t value;
        const char *part;
    } rows[] = {
        {0, 0x46454443, "'ASEV'"},       {4, 101, "does not fit"},          {8, 2, "version 2"},
        {12, 8, "does not fit"},         {12, 33, "at most 32"},            {12, 0xffffffff, "at most 32"},
        {16, 0x800001, "not whole pages"}, {20, 0, "not whole pages"},      {20, 0xfffff000, "not whole pages"},
        {24, 9, "unknown type"},         {16 + 24 + 4, 0x2000, "it is one page"}, {20, 0x10001000, "at most"},
    };
    for (size_t r = 0; r < TST_COUNT(rows); r++) {
        struct image i = image_firmware();
        set32(&i, i.metadata + rows[r].offset, rows[r].value);
        refused(&i, rows[r].part);
    }
}

static void broken_tables_are_refused(void **state)
{
    (void)state;
    struct image i = image_firmware();
    set32(&i, i.table, 0); /* metadata at the image's very end */
    refused(&i, "outside of the image");
    i = image_firmware();
    set32(&i, i.table, 0xfffff);
    refused(&i, "outside of the image");
    i = image_firmware();
    i.bytes[i.table + 4] = 17; /* an entry shorter than its own tail */
    refused(&i, "entry of 17 bytes");
    i = image_firmware();
    i.bytes[i.table + 4] = 26;
    refused(&i, "26 bytes");
    i = image_firmware();
    i.bytes[i.n - 50] = (uint8_t)(i.bytes[i.n - 50] + 3);
    refused(&i, "before the first entry");
    i = image_firmware();
    i.bytes[i.n - 49] = 0xff;
    refused(&i, "does not fit into the image");
}

static void an_entry_that_stands_twice_is_refused(void **state)
{
    (void)state;
    struct image i = image_firmware();
    memmove(i.bytes + i.table - 22, i.bytes + i.table, 22);
    i.bytes[i.n - 50] = (uint8_t)(i.bytes[i.n - 50] + 22);
    refused(&i, "stands twice");
}

/* At the end of its own allocation, so that AddressSanitizer sees a read past either end. */
static void no_flipped_bit_of_table_or_metadata_reads_outside(void **state)
{
    (void)state;
    struct image i = image_firmware();
    size_t taken = 0, refusals = 0;
    for (size_t at = i.metadata; at < i.n; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct tst_firmware f;
            struct tst_error *err = NULL;
            uint8_t *copy = malloc(i.n);
            memcpy(copy, i.bytes, i.n);
            copy[at] ^= (uint8_t)(1u << bit);
            int rc = tst_firmware_parse(copy, i.n, &f, &err);
            assert_true((rc == 0) == (err == NULL));
            taken += rc == 0;
            refusals += rc != 0;
            tst_error_free(err);
            free(copy);
        }
    }
    assert_true(taken > 0 && refusals > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_and_entries_are_read),
        cmocka_unit_test(an_svsm_says_where_it_starts),
        cmocka_unit_test(firmware_without_a_table_is_only_bytes),
        cmocka_unit_test(too_small_and_too_large_are_refused),
        cmocka_unit_test(broken_metadata_is_refused),
        cmocka_unit_test(broken_tables_are_refused),
        cmocka_unit_test(an_entry_that_stands_twice_is_refused),
        cmocka_unit_test(no_flipped_bit_of_table_or_metadata_reads_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
