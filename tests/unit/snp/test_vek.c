/* SPDX-License-Identifier: Apache-2.0 */
/* test_vek.c - VEK certificates and the certificate table: one canonical form is read, every other is refused. */
#include "evidence.h"

#define OID "1.3.6.1.4.1.3704.1."

static struct maker maker;

static int make_maker(void **state)
{
    (void)state;
    maker_init(&maker, "Genoa");
    return 0;
}

static int drop_maker(void **state)
{
    (void)state;
    maker_clear(&maker);
    return 0;
}

static int parse(const char *cn, const struct vek_exts *exts, struct tst_snp_vek *out, struct tst_error **err)
{
    struct tst_cert *c = maker_vek(&maker, cn, exts);
    int rc = tst_snp_vek_parse(c, out, err);
    tst_cert_free(c);
    return rc;
}

static void a_genoa_vcek_is_read(void **state)
{
    (void)state;
    struct vek_exts exts = vek_exts_genoa();
    struct tst_snp_vek vek;
    assert_int_equal(parse("SEV-VCEK", &exts, &vek, NULL), 0);
    assert_false(vek.vlek);
    assert_int_equal(vek.product, TST_SNP_GENOA);
    assert_string_equal(vek.product_name, "Genoa");
    assert_int_equal(vek.tcb.bootloader, 10);
    assert_int_equal(vek.tcb.snp, 27);
    assert_int_equal(vek.tcb.microcode, 200); /* two-byte INTEGER */
    assert_int_equal(vek.hwid_bytes, 64);     /* starts with 02 40, like an INTEGER */
    assert_memory_equal(vek.hwid, evidence_chip, sizeof evidence_chip);
}

static void a_turin_vcek_has_fmc_and_a_short_chip_id(void **state)
{
    (void)state;
    struct vek_exts exts = vek_exts_turin();
    struct tst_snp_vek vek;
    assert_int_equal(parse("SEV-VCEK", &exts, &vek, NULL), 0);
    assert_int_equal(vek.product, TST_SNP_TURIN);
    assert_true(vek.tcb.has_fmc);
    assert_int_equal(vek.tcb.fmc, 1);
    assert_int_equal(vek.hwid_bytes, 8);
    assert_true(tst_is_zero(vek.hwid + 8, sizeof vek.hwid - 8));
}

static void a_stepping_may_follow_the_product_name(void **state)
{
    (void)state;
    static const uint8_t milan[] = {0x16, 8, 'M', 'i', 'l', 'a', 'n', '-', 'B', '0'};
    struct vek_exts exts = vek_exts_genoa();
    struct tst_snp_vek vek;
    vek_ext(&exts, OID "2")->value = (struct tst_bytes){milan, sizeof milan};
    assert_int_equal(parse("SEV-VCEK", &exts, &vek, NULL), 0);
    assert_int_equal(vek.product, TST_SNP_MILAN);
    assert_string_equal(vek.product_name, "Milan-B0");
}

static void a_wrapped_chip_id_is_read(void **state)
{
    (void)state;
    uint8_t wrapped[66] = {4, 64};
    struct vek_exts exts = vek_exts_genoa();
    struct tst_snp_vek vek;
    memcpy(wrapped + 2, evidence_chip, sizeof evidence_chip);
    vek_ext(&exts, OID "4")->value = (struct tst_bytes){wrapped, sizeof wrapped};
    assert_int_equal(parse("SEV-VCEK", &exts, &vek, NULL), 0);
    assert_memory_equal(vek.hwid, evidence_chip, sizeof evidence_chip);
}

static void every_extension_is_mandatory(void **state)
{
    (void)state;
    const struct vek_exts complete[] = {vek_exts_genoa(), vek_exts_turin()};
    for (size_t p = 0; p < TST_COUNT(complete); p++)
        for (size_t i = 0; i < complete[p].count; i++) {
            struct vek_exts exts = complete[p];
            struct tst_snp_vek vek;
            TST_AUTO_ERROR err = NULL;
            vek_ext_drop(&exts, complete[p].list[i].oid);
            assert_true(parse("SEV-VCEK", &exts, &vek, &err) < 0);
            assert_non_null(strstr(err->text, complete[p].list[i].oid));
        }
}

static void a_repeated_extension_is_refused(void **state)
{
    (void)state;
    struct vek_exts exts = vek_exts_genoa();
    struct tst_snp_vek vek;
    exts.list[exts.count++] = *vek_ext(&exts, OID "3.8");
    assert_true(parse("SEV-VCEK", &exts, &vek, NULL) < 0);
}

struct bent {
    const char *oid;
    uint8_t n, bytes[12];
};

static void other_forms_of_a_value_are_refused(void **state)
{
    (void)state;
    static const struct bent cases[] = {
        {OID "3.8", 0, {0}},
        {OID "3.8", 2, {2, 0}},
        {OID "3.8", 3, {2, 1, 0x80}},          /* negative */
        {OID "3.8", 4, {2, 2, 0, 0x7f}},       /* not the shortest */
        {OID "3.8", 4, {2, 2, 1, 0}},          /* 256 */
        {OID "3.8", 4, {2, 1, 5, 0}},          /* trailing byte */
        {OID "3.8", 4, {2, 0x81, 1, 5}},       /* long form of the length */
        {OID "3.8", 3, {4, 1, 5}},             /* another type */
        {OID "3.4", 3, {2, 1, 1}},             /* reserved, not zero */
        {OID "1", 3, {2, 1, 1}},               /* Turin's structure with Genoa's name */
        {OID "2", 7, {0x0c, 5, 'G', 'e', 'n', 'o', 'a'}}, /* UTF8String */
        {OID "2", 7, {0x16, 4, 'G', 'e', 'n', 'o', 'a'}},
        {OID "2", 8, {0x16, 6, 'G', 'e', 'n', 'o', 'a', '-'}},
        {OID "2", 8, {0x16, 6, 'G', 'e', 'n', 'o', 'a', 'X'}},
        {OID "2", 8, {0x16, 6, 'V', 'e', 'n', 'i', 'c', 'e'}},
        {OID "2", 7, {0x16, 5, 'G', 'e', 'n', 0, 'a'}},
        {OID "2", 2, {0x16, 0}},
        {OID "4", 8, {1, 2, 3, 4, 5, 6, 7, 8}}, /* Turin's length */
        {OID "4", 0, {0}},
    };
    for (size_t i = 0; i < TST_COUNT(cases); i++) {
        struct vek_exts exts = vek_exts_genoa();
        struct tst_snp_vek vek;
        vek_ext(&exts, cases[i].oid)->value = (struct tst_bytes){cases[i].bytes, cases[i].n};
        if (parse("SEV-VCEK", &exts, &vek, NULL) == 0)
            fail_msg("case %zu of %s was read", i, cases[i].oid);
    }
}

static void a_zero_chip_id_is_refused(void **state)
{
    (void)state;
    static const uint8_t zero[TST_SNP_CHIP_BYTES];
    struct vek_exts exts = vek_exts_genoa();
    struct tst_snp_vek vek;
    vek_ext(&exts, OID "4")->value = (struct tst_bytes){zero, sizeof zero};
    assert_true(parse("SEV-VCEK", &exts, &vek, NULL) < 0);
}

static void vcek_and_vlek_do_not_mix(void **state)
{
    (void)state;
    static const uint8_t csp[] = {0x16, 4, 'C', 'N', '=', 'x'};
    const struct tst_cert_ext_spec csp_id = {OID "5", {csp, sizeof csp}};
    struct vek_exts exts = vek_exts_genoa();
    struct tst_snp_vek vek;
    assert_true(parse("SEV-VLEK", &exts, &vek, NULL) < 0); /* has a chip id, no provider */
    exts.list[exts.count++] = csp_id;
    assert_true(parse("SEV-VCEK", &exts, &vek, NULL) < 0); /* has a provider */
    assert_true(parse("SEV-VLEK", &exts, &vek, NULL) < 0);
    vek_ext_drop(&exts, OID "4");
    assert_int_equal(parse("SEV-VLEK", &exts, &vek, NULL), 0);
    assert_true(vek.vlek);
    assert_int_equal(vek.hwid_bytes, 0);
    assert_true(parse("SEV-Genoa", &exts, &vek, NULL) < 0);
}

/* ---- certificate table ---- */
static void a_table_survives_a_round_trip(void **state)
{
    (void)state;
    struct vek_exts exts = vek_exts_genoa();
    struct tst_cert *vek = maker_vek(&maker, "SEV-VCEK", &exts);
    const struct tst_snp_certs certs = {vek, maker.ask, maker.ark};
    struct tst_snp_certs read = {0};
    TST_AUTO_BUF table = {0};
    assert_int_equal(tst_snp_cert_table_build(&certs, &table, NULL), 0);
    assert_int_equal(tst_snp_cert_table_parse(table.p, table.n, &read, NULL), 0);
    const struct {
        const struct tst_cert *in, *out;
    } pairs[] = {{certs.vek, read.vek}, {certs.ask, read.ask}, {certs.ark, read.ark}};
    for (size_t i = 0; i < TST_COUNT(pairs); i++) {
        struct tst_cert_info in, out;
        assert_int_equal(tst_cert_info(pairs[i].in, &in, NULL), 0);
        assert_int_equal(tst_cert_info(pairs[i].out, &out, NULL), 0);
        assert_memory_equal(in.spki_sha256, out.spki_sha256, sizeof in.spki_sha256);
    }
    tst_snp_certs_clear(&read);
    assert_null(read.vek);
    tst_cert_free(vek);
}

static void what_is_there_already_is_kept(void **state)
{
    (void)state;
    const struct tst_snp_certs certs = {NULL, maker.ask, maker.ark};
    struct tst_snp_certs read = {NULL, tst_cert_ref(maker.ark), NULL};
    TST_AUTO_BUF table = {0};
    assert_int_equal(tst_snp_cert_table_build(&certs, &table, NULL), 0);
    assert_int_equal(tst_snp_cert_table_parse(table.p, table.n, &read, NULL), 0);
    assert_ptr_equal(read.ask, maker.ark);
    assert_non_null(read.ark);
    assert_null(read.vek);
    tst_snp_certs_clear(&read);
}

static void an_empty_table_has_no_certificates(void **state)
{
    (void)state;
    const uint8_t end[24] = {0};
    struct tst_snp_certs read = {0};
    assert_int_equal(tst_snp_cert_table_parse(end, sizeof end, &read, NULL), 0);
    assert_null(read.vek);
}

static void unknown_entries_are_passed_over(void **state)
{
    (void)state;
    uint8_t table[64] = {0x92, 0xf8, 0x1b, 0xc3, [16] = 48, [20] = 16, [48] = 0xff};
    struct tst_snp_certs read = {0};
    assert_int_equal(tst_snp_cert_table_parse(table, sizeof table, &read, NULL), 0);
    assert_null(read.vek);
}

static void every_truncation_of_a_table_is_refused(void **state)
{
    (void)state;
    const struct tst_snp_certs certs = {NULL, maker.ask, NULL};
    TST_AUTO_BUF table = {0};
    assert_int_equal(tst_snp_cert_table_build(&certs, &table, NULL), 0);
    for (size_t n = 0; n < table.n; n++) {
        struct tst_snp_certs read = {0};
        assert_true(tst_snp_cert_table_parse(table.p, n, &read, NULL) < 0);
        assert_null(read.ask);
    }
}

static void payloads_outside_the_table_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t offset[4], length[4];
    } cases[] = {
        {{49, 0, 0, 0}, {0, 0, 0, 0}},
        {{48, 0, 0, 0}, {1, 0, 0, 0}},
        {{0, 0, 0, 0}, {49, 0, 0, 0}},
        {{0xff, 0xff, 0xff, 0xff}, {1, 0, 0, 0}},
        {{1, 0, 0, 0}, {0xff, 0xff, 0xff, 0xff}}, /* wraps in 32 bits */
        {{0, 0, 0, 0x80}, {0, 0, 0, 0x80}},
    };
    for (size_t i = 0; i < TST_COUNT(cases); i++) {
        uint8_t table[48] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
        struct tst_snp_certs read = {0};
        TST_AUTO_ERROR err = NULL;
        memcpy(table + 16, cases[i].offset, 4);
        memcpy(table + 20, cases[i].length, 4);
        assert_true(tst_snp_cert_table_parse(table, sizeof table, &read, &err) < 0);
        assert_non_null(strstr(err->text, "outside"));
    }
}

static void a_table_larger_than_its_maximum_is_refused(void **state)
{
    (void)state;
    static uint8_t table[TST_SNP_CERT_TABLE_MAX + 1];
    struct tst_snp_certs read = {0};
    assert_int_equal(tst_snp_cert_table_parse(table, sizeof table, &read, NULL), -TST_TOO_LARGE);
    assert_int_equal(tst_snp_cert_table_parse(table, sizeof table - 1, &read, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_genoa_vcek_is_read),
        cmocka_unit_test(a_turin_vcek_has_fmc_and_a_short_chip_id),
        cmocka_unit_test(a_stepping_may_follow_the_product_name),
        cmocka_unit_test(a_wrapped_chip_id_is_read),
        cmocka_unit_test(every_extension_is_mandatory),
        cmocka_unit_test(a_repeated_extension_is_refused),
        cmocka_unit_test(other_forms_of_a_value_are_refused),
        cmocka_unit_test(a_zero_chip_id_is_refused),
        cmocka_unit_test(vcek_and_vlek_do_not_mix),
        cmocka_unit_test(a_table_survives_a_round_trip),
        cmocka_unit_test(what_is_there_already_is_kept),
        cmocka_unit_test(an_empty_table_has_no_certificates),
        cmocka_unit_test(unknown_entries_are_passed_over),
        cmocka_unit_test(every_truncation_of_a_table_is_refused),
        cmocka_unit_test(payloads_outside_the_table_are_refused),
        cmocka_unit_test(a_table_larger_than_its_maximum_is_refused),
    };
    return cmocka_run_group_tests(tests, make_maker, drop_maker);
}
