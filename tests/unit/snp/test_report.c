/* SPDX-License-Identifier: Apache-2.0 */
/* test_report.c - report, TCB and product: every field is read from its own place, and nothing else is let through. */
#include "evidence.h"

static int parse(const uint8_t *raw, struct tst_snp_report *out)
{
    return tst_snp_report_parse(raw, TST_SNP_REPORT_BYTES, out, NULL);
}

/* A report in which every byte of the signed part is its offset (low 8 bits), except the version. */
static void counted(uint8_t raw[TST_SNP_REPORT_BYTES], uint8_t version)
{
    memset(raw, 0, TST_SNP_REPORT_BYTES);
    for (size_t i = 0; i < TST_SNP_SIGNED_BYTES; i++)
        raw[i] = (uint8_t)i;
    memcpy(raw, (const uint8_t[]){version, 0, 0, 0}, 4);
}

static void each_field_has_its_offset(void **state)
{
    (void)state;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    struct tst_snp_report r;
    counted(raw, 5);
    assert_int_equal(parse(raw, &r), 0);
    assert_int_equal(r.version, 5);
    assert_int_equal(r.guest_svn, 0x07060504);
    assert_true(r.policy == 0x0f0e0d0c0b0a0908);
    assert_int_equal(r.vmpl, 0x33323130);
    assert_int_equal(r.signature_algo, 0x37363534);
    assert_true(r.platform_info == 0x4746454443424140);
    assert_int_equal(r.key_info, 0x4b4a4948);
    assert_true(r.launch_mit_vector == 0xfffefdfcfbfaf9f8);
    assert_true(r.current_mit_vector == 0x0706050403020100);
    const struct {
        const uint8_t *field;
        size_t offset, n;
    } fields[] = {
        {r.family_id, 0x10, 16},      {r.image_id, 0x20, 16},     {r.current_tcb, 0x38, 8},     {r.report_data, 0x50, 64},
        {r.measurement, 0x90, 48},    {r.host_data, 0xc0, 32},    {r.id_key_digest, 0xe0, 48},  {r.author_key_digest, 0x110, 48},
        {r.report_id, 0x140, 32},     {r.report_id_ma, 0x160, 32}, {r.reported_tcb, 0x180, 8},  {&r.cpuid_family, 0x188, 1},
        {&r.cpuid_model, 0x189, 1},   {&r.cpuid_stepping, 0x18a, 1}, {r.chip_id, 0x1a0, 64},    {r.committed_tcb, 0x1e0, 8},
        {&r.current_build, 0x1e8, 1}, {&r.current_minor, 0x1e9, 1}, {&r.current_major, 0x1ea, 1}, {&r.committed_build, 0x1ec, 1},
        {&r.committed_minor, 0x1ed, 1}, {&r.committed_major, 0x1ee, 1}, {r.launch_tcb, 0x1f0, 8},
    };
    for (size_t i = 0; i < TST_COUNT(fields); i++)
        assert_memory_equal(fields[i].field, raw + fields[i].offset, fields[i].n);
    assert_memory_equal(r.raw, raw, sizeof raw);
}

static void older_versions_lack_newer_fields(void **state)
{
    (void)state;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    struct tst_snp_report r;
    for (uint8_t version = 2; version <= 5; version++) {
        counted(raw, version);
        assert_int_equal(parse(raw, &r), 0);
        assert_int_equal(r.cpuid_family, version >= 3 ? 0x88 : 0);
        assert_true((r.launch_mit_vector != 0) == (version >= 5));
    }
}

static void unknown_versions_are_refused(void **state)
{
    (void)state;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    struct tst_snp_report r;
    const uint32_t versions[] = {0, 1, 6, 0x100, 0x02000000, 0xffffffff};
    for (size_t i = 0; i < TST_COUNT(versions); i++) {
        TST_AUTO_ERROR err = NULL;
        report_genoa(raw);
        memcpy(raw, &versions[i], 4);
        assert_int_equal(tst_snp_report_parse(raw, sizeof raw, &r, &err), -TST_USAGE);
        assert_non_null(strstr(err->text, "version"));
    }
}

static void other_sizes_are_refused(void **state)
{
    (void)state;
    uint8_t raw[TST_SNP_REPORT_BYTES + 1] = {0};
    struct tst_snp_report r;
    report_genoa(raw);
    for (size_t n = 0; n <= sizeof raw; n++)
        assert_int_equal(tst_snp_report_parse(raw, n, &r, NULL), n == TST_SNP_REPORT_BYTES ? 0 : -TST_USAGE);
}

static void signature_is_turned_to_big_endian(void **state)
{
    (void)state;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    struct tst_snp_report r;
    report_genoa(raw);
    for (uint8_t i = 0; i < 48; i++) {
        raw[0x2a0 + i] = (uint8_t)(i + 1);
        raw[0x2e8 + i] = (uint8_t)(i + 101);
    }
    assert_int_equal(parse(raw, &r), 0);
    assert_int_equal(r.signature_r[0], 48);
    assert_int_equal(r.signature_r[47], 1);
    assert_int_equal(r.signature_s[0], 148);
    assert_int_equal(r.signature_s[47], 101);
}

static void every_unsigned_byte_outside_the_signature_must_be_zero(void **state)
{
    (void)state;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    struct tst_snp_report r;
    report_genoa(raw);
    for (size_t i = TST_SNP_SIGNED_BYTES; i < TST_SNP_REPORT_BYTES; i++) {
        size_t at = i - TST_SNP_SIGNED_BYTES;
        bool number = at < 48 || (at >= 72 && at < 120);
        raw[i] = 1;
        assert_int_equal(parse(raw, &r), number ? 0 : -TST_USAGE);
        raw[i] = 0;
    }
}

/* ---- TCB ---- */
static void tcb_layout_depends_on_the_product(void **state)
{
    (void)state;
    const uint8_t raw[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct tst_snp_tcb old = tst_snp_tcb_of(TST_SNP_GENOA, raw), turin = tst_snp_tcb_of(TST_SNP_TURIN, raw);
    char text[96];
    tst_snp_tcb_print(&old, text, sizeof text);
    assert_string_equal(text, "bootloader 1, tee 2, snp 7, microcode 8");
    tst_snp_tcb_print(&turin, text, sizeof text);
    assert_string_equal(text, "fmc 1, bootloader 2, tee 3, snp 4, microcode 8");
}

static void tcb_survives_a_round_trip_without_reserved_bytes(void **state)
{
    (void)state;
    const uint8_t all[8] = {1, 2, 3, 4, 5, 6, 7, 8}, old[8] = {1, 2, 0, 0, 0, 0, 7, 8}, turin[8] = {1, 2, 3, 4, 0, 0, 0, 8};
    uint8_t raw[8];
    struct tst_snp_tcb tcb = tst_snp_tcb_of(TST_SNP_MILAN, all);
    tst_snp_tcb_raw(TST_SNP_MILAN, &tcb, raw);
    assert_memory_equal(raw, old, sizeof raw);
    tcb = tst_snp_tcb_of(TST_SNP_TURIN, all);
    tst_snp_tcb_raw(TST_SNP_TURIN, &tcb, raw);
    assert_memory_equal(raw, turin, sizeof raw);
}

static void each_component_must_reach_the_floor_by_itself(void **state)
{
    (void)state;
    const struct tst_snp_tcb floor = {true, 5, 5, 5, 5, 5}, high = {true, 255, 255, 255, 255, 255};
    assert_true(tst_snp_tcb_at_least(&floor, &floor));
    assert_true(tst_snp_tcb_equal(&floor, &floor));
    assert_true(tst_snp_tcb_at_least(&high, &floor));
    assert_false(tst_snp_tcb_equal(&high, &floor));
    for (size_t i = 0; i < 5; i++) {
        struct tst_snp_tcb t = high;
        uint8_t *components[] = {&t.fmc, &t.bootloader, &t.tee, &t.snp, &t.microcode};
        *components[i] = 4;
        assert_false(tst_snp_tcb_at_least(&t, &floor));
    }
}

/* ---- products ---- */
static void cpuid_names_the_product_of_the_certificates(void **state)
{
    (void)state;
    const struct {
        uint8_t family, model;
        enum tst_snp_product product;
    } cases[] = {
        {0x19, 0x01, TST_SNP_MILAN}, {0x19, 0x11, TST_SNP_GENOA},   {0x19, 0xa0, TST_SNP_GENOA}, {0x1a, 0x02, TST_SNP_TURIN},
        {0x1a, 0x11, TST_SNP_TURIN}, {0x19, 0x20, TST_SNP_UNKNOWN}, {0x17, 0x31, TST_SNP_UNKNOWN}, {0, 0, TST_SNP_UNKNOWN},
        {0x1a, 0x12, TST_SNP_UNKNOWN},
    };
    for (size_t i = 0; i < TST_COUNT(cases); i++)
        assert_int_equal(tst_snp_product_of_cpuid(cases[i].family, cases[i].model), cases[i].product);
}

static void product_names_go_both_ways(void **state)
{
    (void)state;
    for (enum tst_snp_product p = TST_SNP_MILAN; p <= TST_SNP_TURIN; p++)
        assert_int_equal(tst_snp_product_of(tst_snp_product_name(p)), p);
    assert_int_equal(tst_snp_product_of("Milan"), TST_SNP_UNKNOWN);
    assert_int_equal(tst_snp_product_of("unknown"), TST_SNP_UNKNOWN);
    assert_int_equal(tst_snp_product_of(NULL), TST_SNP_UNKNOWN);
    assert_string_equal(tst_snp_product_name((enum tst_snp_product)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_has_its_offset),
        cmocka_unit_test(older_versions_lack_newer_fields),
        cmocka_unit_test(unknown_versions_are_refused),
        cmocka_unit_test(other_sizes_are_refused),
        cmocka_unit_test(signature_is_turned_to_big_endian),
        cmocka_unit_test(every_unsigned_byte_outside_the_signature_must_be_zero),
        cmocka_unit_test(tcb_layout_depends_on_the_product),
        cmocka_unit_test(tcb_survives_a_round_trip_without_reserved_bytes),
        cmocka_unit_test(each_component_must_reach_the_floor_by_itself),
        cmocka_unit_test(cpuid_names_the_product_of_the_certificates),
        cmocka_unit_test(product_names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
