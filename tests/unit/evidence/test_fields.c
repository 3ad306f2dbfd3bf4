/* SPDX-License-Identifier: Apache-2.0 */
/* test_fields.c - the table of fields covers a report without gap or overlap, and nothing that is set goes unsaid. */
#include "forms.h"

static void the_table_covers_every_byte_once(void **state)
{
    (void)state;
    size_t count = 0, at = 0;
    const struct tst_report_field *f = tst_report_fields(&count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(f[i].offset, at);
        at += f[i].size_bytes;
    }
    assert_int_equal(at, TST_SNP_REPORT_BYTES);
}

static void names_are_unique(void **state)
{
    (void)state;
    size_t count = 0;
    const struct tst_report_field *f = tst_report_fields(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(f[i].kind == TST_FIELD_RESERVED || strcmp(f[i].name, f[j].name) != 0);
}

static json_t *json_of(const uint8_t *report, enum tst_snp_product product)
{
    json_t *o = NULL;
    assert_int_equal(tst_report_json(report, product, &o, NULL), 0);
    return o;
}

static const json_t *at(const json_t *o, const char *field, const char *part)
{
    const json_t *v = json_object_get(json_object_get(o, field), part);
    assert_non_null(v);
    return v;
}

static void values_are_read_at_their_place(void **state)
{
    (void)state;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    report_turin(raw);
    raw[0x04] = 7;
    raw[0x08] = 0x1f;
    raw[0x40] = 0x67;
    raw[0x48] = 1 << 2 | 1;
    memcpy(raw + 0x1e8, (const uint8_t[]){65, 55, 1}, 3);
    raw[0x1f8] = 0x3f;
    TST_AUTO_JSON o = json_of(raw, TST_SNP_TURIN);
    assert_int_equal(json_integer_value(json_object_get(o, "version")), 5);
    assert_int_equal(json_integer_value(json_object_get(o, "guest-svn")), 7);
    assert_int_equal(json_integer_value(at(o, "policy", "abi-minor")), 31);
    assert_true(json_is_true(at(o, "policy", "smt")));
    assert_true(json_is_false(at(o, "policy", "debug")));
    assert_true(json_is_true(at(o, "platform-info", "alias-check-complete")));
    assert_true(json_is_true(at(o, "platform-info", "iommu-write-safe")));
    assert_true(json_is_false(at(o, "platform-info", "rapl-dis")));
    assert_string_equal(json_string_value(at(o, "key-info", "signing-key")), "VLEK");
    assert_true(json_is_true(at(o, "key-info", "author-key-enabled")));
    assert_int_equal(json_integer_value(at(o, "reported-tcb", "fmc")), 1);
    assert_int_equal(json_integer_value(at(o, "reported-tcb", "microcode")), 81);
    assert_string_equal(json_string_value(json_object_get(o, "current-version")), "1.55.65");
    assert_string_equal(json_string_value(json_object_get(o, "launch-mitigations")), "0x000000000000003f");
    assert_int_equal(json_array_size(json_object_get(o, "unknown")), 0);
}

static void a_tcb_without_a_product_is_shown_raw(void **state)
{
    (void)state;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    report_genoa(raw);
    TST_AUTO_JSON o = json_of(raw, TST_SNP_UNKNOWN);
    assert_string_equal(json_string_value(at(o, "reported-tcb", "raw")), "0a00000000001bc8");
    assert_null(json_object_get(json_object_get(o, "reported-tcb"), "snp"));
}

/* Any bit of the signed part shows up in the JSON: nothing can be hidden in a report. */
static void every_bit_that_is_set_is_shown(void **state)
{
    (void)state;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    for (unsigned version = 2; version <= 5; version++) {
        report_turin(raw);
        raw[0] = (uint8_t)version;
        TST_AUTO_JSON before = json_of(raw, TST_SNP_TURIN);
        for (size_t bit = 32; bit < 8 * TST_SNP_SIGNED_BYTES; bit++) {
            raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
            TST_AUTO_JSON after = json_of(raw, TST_SNP_TURIN);
            raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (json_equal(before, after))
                fail_msg("version %u: byte 0x%zx bit %zu is not shown", version, bit / 8, bit % 8);
        }
    }
}

static void unknown_bits_and_bytes_are_listed(void **state)
{
    (void)state;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    report_genoa(raw);
    raw[0x0b] = 0x04;  /* policy bit 26 */
    raw[0x18b] = 1;    /* reserved */
    raw[0x1f8] = 0x3f; /* the mitigation vector's place, in a version 3 report */
    TST_AUTO_JSON o = json_of(raw, TST_SNP_GENOA);
    const json_t *unknown = json_object_get(o, "unknown");
    assert_int_equal(json_array_size(unknown), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(unknown, 0), "field")), "policy");
    assert_string_equal(json_string_value(json_object_get(json_array_get(unknown, 0), "bits")), "0x0000000004000000");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(unknown, 1), "offset")), 0x18b);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(unknown, 2), "offset")), 0x1f8);
}

static void a_newer_version_needs_lenient_and_is_judged_by_its_raw_bytes(void **state)
{
    (void)state;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    struct maker m;
    struct tst_snp_report r;
    struct vek_exts exts = vek_exts_turin();
    TST_AUTO_VERDICT strict = NULL, lenient = NULL, forged = NULL;
    maker_init(&m, "Turin");
    struct tst_snp_certs certs = {maker_vek(&m, "SEV-VCEK", &exts), tst_cert_ref(m.ask), tst_cert_ref(m.ark)};
    report_turin(raw);
    raw[0] = 9;
    raw[0x208] = 0x77; /* something that version 9 added */
    report_sign(raw, m.vek_key);
    assert_int_equal(tst_snp_report_parse(raw, sizeof raw, &r, NULL), -TST_USAGE);
    assert_int_equal(tst_snp_report_parse_lenient(raw, sizeof raw, &r, NULL), 0);
    const struct tst_evidence e = {{raw, sizeof raw}, certs};
    struct tst_appraise_in in = {.evidence = &e, .now = EVIDENCE_NOW};
    assert_int_equal(tst_appraise(&in, &strict, NULL), 0);
    assert_check(strict, "report.version", TST_CHECK_FAIL);
    in.lenient = true;
    assert_int_equal(tst_appraise(&in, &lenient, NULL), 0);
    assert_check(lenient, "report.version", TST_CHECK_PASS);
    assert_check(lenient, "report.signature", TST_CHECK_PASS);
    raw[0x208] ^= 1;
    assert_int_equal(tst_appraise(&in, &forged, NULL), 0);
    assert_check(forged, "report.signature", TST_CHECK_FAIL);
    raw[0] = 1;
    assert_int_equal(tst_snp_report_parse_lenient(raw, sizeof raw, &r, NULL), -TST_USAGE);
    tst_snp_certs_clear(&certs);
    maker_clear(&m);
}

static void the_generation_is_told_by_cpuid_or_chip_id(void **state)
{
    (void)state;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    struct tst_snp_report r;
    report_genoa(raw);
    assert_int_equal(tst_snp_report_parse(raw, sizeof raw, &r, NULL), 0);
    assert_int_equal(tst_report_product(&r), TST_SNP_GENOA);
    raw[0] = 2;
    assert_int_equal(tst_snp_report_parse(raw, sizeof raw, &r, NULL), 0);
    assert_int_equal(tst_report_product(&r), TST_SNP_UNKNOWN);
    assert_int_equal(tst_report_tcb_layout(&r), TST_SNP_MILAN);
    memset(raw + 0x1a0, 0, 64);
    assert_int_equal(tst_snp_report_parse(raw, sizeof raw, &r, NULL), 0);
    assert_int_equal(tst_report_tcb_layout(&r), TST_SNP_UNKNOWN);
    report_turin(raw);
    raw[0] = 2;
    assert_int_equal(tst_snp_report_parse(raw, sizeof raw, &r, NULL), 0);
    assert_int_equal(tst_report_product(&r), TST_SNP_TURIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_covers_every_byte_once),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(values_are_read_at_their_place),
        cmocka_unit_test(a_tcb_without_a_product_is_shown_raw),
        cmocka_unit_test(every_bit_that_is_set_is_shown),
        cmocka_unit_test(unknown_bits_and_bytes_are_listed),
        cmocka_unit_test(a_newer_version_needs_lenient_and_is_judged_by_its_raw_bytes),
        cmocka_unit_test(the_generation_is_told_by_cpuid_or_chip_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
