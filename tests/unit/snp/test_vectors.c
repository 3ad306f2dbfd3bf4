/* SPDX-License-Identifier: Apache-2.0 */
/* test_vectors.c - real reports and certificates: the genuine ones verify at a fixed time, and whatever is changed in them
 * is refused by a named check. A program of its own: without the folder of vectors it exits with 77 (skipped). */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

static struct vector_row rows[VECTORS_ROWS_MAX];
static size_t row_count;

static const struct vector_row *row_of(const char *name)
{
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    fail_msg("no vector %s", name);
    return &rows[0];
}

/* ---- one piece of real evidence ---- */
struct piece {
    uint8_t raw[4096];
    size_t n;
    struct tst_snp_certs certs;
    struct tst_appraise_in in;
    struct tst_evidence evidence;
    struct tst_policy *policy;
    struct tst_verdict *v;
};

/* The set keeps Genoa's root under this report's VEK name; its VCEK is in the table that came with the report. */
#define ROW_WITH_TABLE "genoa-v3-veraison"
#define TABLE_OF_ROW "snp/containers/tsm-auxblob-genoa-v3.bin"

static void load_table(struct tst_snp_certs *certs)
{
    uint8_t table[TST_SNP_CERT_TABLE_MAX];
    size_t n = vectors_read(TABLE_OF_ROW, table, sizeof table);
    assert_int_equal(tst_snp_cert_table_parse(table, n, certs, NULL), 0);
    assert_non_null(certs->vek);
    assert_non_null(certs->ask);
    assert_non_null(certs->ark);
}

static void piece_load(struct piece *p, const struct vector_row *row)
{
    struct tst_snp_certs table = {0};
    memset(p, 0, sizeof *p);
    p->n = vectors_read(row->report, p->raw, sizeof p->raw);
    if (strcmp(row->name, ROW_WITH_TABLE) == 0) {
        load_table(&table);
        p->certs.vek = TST_STEAL(table.vek);
        tst_snp_certs_clear(&table);
    } else if (strcmp(row->vek, "-") != 0)
        p->certs.vek = vectors_cert(row->vek);
    vectors_chain(row->product, row->kind, &p->certs);
    p->in.now = VECTORS_NOW;
}

static const struct tst_verdict *piece_run(struct piece *p)
{
    tst_verdict_free(TST_STEAL(p->v));
    p->evidence = (struct tst_evidence){{p->raw, p->n}, p->certs};
    p->in.evidence = &p->evidence;
    p->in.policy = p->policy;
    assert_int_equal(tst_appraise(&p->in, &p->v, NULL), 0);
    return p->v;
}

static void piece_clear(struct piece *p)
{
    tst_snp_certs_clear(&p->certs);
    tst_policy_free(p->policy);
    tst_verdict_free(p->v);
}
#define PIECE(p, name)                                    \
    struct piece p __attribute__((cleanup(piece_clear))); \
    piece_load(&p, row_of(name))

static void piece_policy(struct piece *p, const char *text)
{
    TST_AUTO_ERROR err = NULL;
    if (tst_policy_parse("policy.yaml", text, strlen(text), NULL, NULL, &p->policy, &err) < 0)
        fail_msg("%s", err->text);
}

/* The generations that one byte at a time is changed in. */
static const char *const generations[] = {"milan-v2-coco", "genoa-v3-coco", "bergamo-v3-coco", "turin-v5-microsoft"};

/* ---- every row of reports.tsv ---- */
static void assert_valid(const struct tst_verdict *v, const struct vector_row *row)
{
    if (v->outcome != TST_CHECK_PASS)
        fail_msg("%s: %s: %s", row->name, tst_verdict_first(v)->info->id, tst_verdict_first(v)->found);
    assert_int_equal(tst_verdict_exit_status(v), 0);
    assert_false(v->simulated);
    assert_int_equal(v->product, tst_snp_product_of(row->product));
    assert_int_equal(v->level, TST_LEVEL_NONE); /* no policy: nothing is said about software */
}

static void genuine_vcek_evidence_verifies(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t i = 0; i < row_count; i++) {
        if (strcmp(rows[i].expected, "VALID") != 0 || strcmp(rows[i].kind, "vcek") != 0)
            continue;
        PIECE(p, rows[i].name);
        assert_valid(piece_run(&p), &rows[i]);
        count++;
    }
    assert_in_range(count, 14, VECTORS_ROWS_MAX);
}

static void an_altered_signature_is_refuted(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t i = 0; i < row_count; i++) {
        if (strcmp(rows[i].expected, "INVALID") != 0)
            continue;
        PIECE(p, rows[i].name);
        const struct tst_verdict *v = piece_run(&p);
        assert_string_equal(tst_verdict_first(v)->info->id, "report.signature");
        assert_int_equal(tst_verdict_exit_status(v), 1);
        count++;
    }
    assert_in_range(count, 1, VECTORS_ROWS_MAX);
}

static void without_a_vcek_nothing_is_decided(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t i = 0; i < row_count; i++) {
        if (strcmp(rows[i].expected, "NO-VEK") != 0)
            continue;
        PIECE(p, rows[i].name);
        const struct tst_verdict *v = piece_run(&p);
        assert_int_equal(v->outcome, TST_CHECK_MISSING);
        assert_int_equal(tst_verdict_exit_status(v), 3);
        assert_true(v->report_parsed);
        assert_check(v, "chain.vek", TST_CHECK_MISSING);
        assert_check(v, "report.signature", TST_CHECK_MISSING);
        count++;
    }
    assert_in_range(count, 4, VECTORS_ROWS_MAX);
}

static void every_row_has_an_outcome_that_is_tested(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++)
        assert_true(strcmp(rows[i].expected, "VALID") == 0 || strcmp(rows[i].expected, "INVALID") == 0 ||
                    strcmp(rows[i].expected, "NO-VEK") == 0);
}

static void a_vlek_report_is_genuine_while_its_vlek_is_valid(void **state)
{
    (void)state;
    PIECE(p, "milan-v3-coco");
    p.in.now = 1740787200; /* 2025-03-01, within the VLEK's year */
    const struct tst_verdict *v = piece_run(&p);
    assert_valid(v, row_of("milan-v3-coco"));
    assert_non_null(strstr(verdict_check(v, "chip.vek")->found, "CN=cc-us-east-2.amazonaws.com"));
    p.in.now = VECTORS_NOW;
    assert_string_equal(tst_verdict_first(piece_run(&p))->info->id, "chain.dates");
}

/* ---- one byte changed ---- */
static bool fails(const struct tst_verdict *v, const char *id)
{
    return verdict_check(v, id)->outcome == TST_CHECK_FAIL;
}

static void each_byte_of_the_signed_part_counts(void **state)
{
    (void)state;
    for (size_t g = 0; g < TST_COUNT(generations); g++) {
        PIECE(p, generations[g]);
        for (size_t i = 0; i < TST_SNP_SIGNED_BYTES; i++) {
            p.raw[i] ^= 0x01;
            const struct tst_verdict *v = piece_run(&p);
            if (tst_verdict_exit_status(v) != 1 || !(fails(v, "report.signature") || fails(v, "report.parse")))
                fail_msg("%s: byte 0x%zx changed and not refuted", generations[g], i);
            p.raw[i] ^= 0x01;
        }
        assert_int_equal(piece_run(&p)->outcome, TST_CHECK_PASS);
    }
}

static void each_byte_of_the_signature_and_its_padding_counts(void **state)
{
    (void)state;
    for (size_t g = 0; g < TST_COUNT(generations); g++) {
        PIECE(p, generations[g]);
        for (size_t i = TST_SNP_SIGNED_BYTES; i < TST_SNP_REPORT_BYTES; i++) {
            size_t at = i - TST_SNP_SIGNED_BYTES;
            bool number = at < 48 || (at >= 72 && at < 120);
            p.raw[i] ^= 0x80;
            const struct tst_verdict *v = piece_run(&p);
            if (tst_verdict_exit_status(v) != 1 || !fails(v, number ? "report.signature" : "report.parse"))
                fail_msg("%s: byte 0x%zx changed and not refuted", generations[g], i);
            p.raw[i] ^= 0x80;
        }
    }
}

static void each_byte_of_the_vcek_counts(void **state)
{
    (void)state;
    for (size_t g = 0; g < TST_COUNT(generations); g++) {
        const struct vector_row *row = row_of(generations[g]);
        uint8_t der[TST_CERT_MAX_BYTES];
        size_t n = vectors_read(row->vek, der, sizeof der), judged = 0;
        PIECE(p, generations[g]);
        for (size_t i = 0; i < n; i++) {
            tst_cert_free(TST_STEAL(p.certs.vek));
            der[i] ^= 0x01;
            int rc = tst_cert_from_der(der, n, &p.certs.vek, NULL);
            der[i] ^= 0x01;
            if (rc < 0)
                continue;
            const struct tst_verdict *v = piece_run(&p);
            if (tst_verdict_exit_status(v) != 1 || !fails(v, "chain.vek"))
                fail_msg("%s: byte %zu of the VCEK changed and chain.vek holds", generations[g], i);
            judged++;
        }
        assert_in_range(judged, n / 2, n);
    }
}

/* ---- certificates that are not the report's ---- */
static void certificates_that_amd_did_not_sign_are_refuted(void **state)
{
    (void)state;
    static const char *const fakes[] = {"snp/veks/test-vcek-invalid-legacy.der", "snp/veks/test-vcek-invalid-new.der",
                                        "snp/veks/not-amd.der"};
    for (size_t i = 0; i < TST_COUNT(fakes); i++) {
        PIECE(p, "milan-v2-coco");
        tst_cert_free(TST_STEAL(p.certs.vek));
        p.certs.vek = vectors_cert(fakes[i]);
        const struct tst_verdict *v = piece_run(&p);
        assert_int_equal(tst_verdict_exit_status(v), 1);
        assert_check(v, "chain.vek", TST_CHECK_FAIL);
        assert_check(v, "report.signature", TST_CHECK_FAIL);
    }
}

static void both_forms_of_hwid_are_read(void **state)
{
    (void)state;
    struct tst_snp_vek raw, wrapped;
    struct tst_cert *c = vectors_cert("snp/veks/test-vcek-invalid-legacy.der");
    assert_int_equal(tst_snp_vek_parse(c, &raw, NULL), 0);
    tst_cert_free(c);
    c = vectors_cert("snp/veks/test-vcek-invalid-new.der");
    assert_int_equal(tst_snp_vek_parse(c, &wrapped, NULL), 0);
    tst_cert_free(c);
    assert_int_equal(raw.hwid_bytes, 64);
    assert_int_equal(wrapped.hwid_bytes, 64);
}

static void a_root_in_the_place_of_the_vcek_is_refuted(void **state)
{
    (void)state;
    PIECE(p, ROW_WITH_TABLE);
    tst_cert_free(p.certs.vek);
    p.certs.vek = tst_cert_ref(p.certs.ark);
    const struct tst_verdict *v = piece_run(&p);
    assert_check(v, "chain.vek", TST_CHECK_FAIL);
    assert_check(v, "vek.extensions", TST_CHECK_FAIL);
    assert_check(v, "report.signature", TST_CHECK_FAIL);
}

static void a_vcek_of_another_chip_is_refuted(void **state)
{
    (void)state;
    PIECE(p, "milan-v3-coco-2");
    tst_cert_free(TST_STEAL(p.certs.vek));
    p.certs.vek = vectors_cert("snp/veks/milan-v3-coco-3.der"); /* same product and TCB, other chip */
    const struct tst_verdict *v = piece_run(&p);
    assert_check(v, "chain.vek", TST_CHECK_PASS);
    assert_check(v, "tcb.vek", TST_CHECK_PASS);
    assert_check(v, "report.signature", TST_CHECK_FAIL);
    assert_check(v, "chip.vek", TST_CHECK_FAIL);
    assert_int_equal(tst_verdict_exit_status(v), 1);
}

static void the_chain_of_another_product_is_refuted(void **state)
{
    (void)state;
    PIECE(p, "milan-v2-coco");
    tst_cert_free(TST_STEAL(p.certs.ask));
    tst_cert_free(TST_STEAL(p.certs.ark));
    vectors_chain("genoa", "vcek", &p.certs);
    const struct tst_verdict *v = piece_run(&p);
    assert_string_equal(tst_verdict_first(v)->info->id, "chain.ark-pin");
    assert_check(v, "chain.vek", TST_CHECK_FAIL);
    assert_int_equal(tst_verdict_exit_status(v), 1);
}

static void the_asvk_is_no_ask(void **state)
{
    (void)state;
    PIECE(p, "genoa-v3-coco");
    tst_cert_free(TST_STEAL(p.certs.ask));
    tst_cert_free(TST_STEAL(p.certs.ark));
    vectors_chain("genoa", "vlek", &p.certs);
    assert_string_equal(tst_verdict_first(piece_run(&p))->info->id, "chain.ask");
}

static void outside_its_dates_a_chain_is_refuted(void **state)
{
    (void)state;
    static const time_t times[] = {1674000000 /* 2023-01-18 */, 1900000000 /* 2030-03-17 */};
    for (size_t i = 0; i < TST_COUNT(times); i++) {
        PIECE(p, "milan-v2-coco-2"); /* VCEK of 2023-01-24 .. 2030-01-24 */
        p.in.now = times[i];
        const struct tst_verdict *v = piece_run(&p);
        assert_string_equal(tst_verdict_first(v)->info->id, "chain.dates");
        assert_int_equal(tst_verdict_exit_status(v), 1);
    }
}

static void a_wrong_product_hint_is_refuted(void **state)
{
    (void)state;
    PIECE(p, "milan-v2-coco");
    p.in.product = TST_SNP_GENOA;
    assert_string_equal(tst_verdict_first(piece_run(&p))->info->id, "product");
}

/* ---- containers ---- */
static void reports_of_another_size_are_refuted(void **state)
{
    (void)state;
    static const char *const containers[] = {"snp/containers/truncated-793.bin", "snp/containers/trailing-byte-bad-sig-1185.bin",
                                             "snp/containers/azure-hcl-milan-v2.bin", "snp/containers/msg-report-rsp-v2.bin"};
    for (size_t i = 0; i < TST_COUNT(containers); i++) {
        PIECE(p, "milan-v2-coco");
        p.n = vectors_read(containers[i], p.raw, sizeof p.raw);
        const struct tst_verdict *v = piece_run(&p);
        assert_string_equal(tst_verdict_first(v)->info->id, "report.parse");
        assert_int_equal(tst_verdict_exit_status(v), 1);
        assert_false(v->report_parsed);
    }
}

static void every_truncation_of_a_report_is_refuted(void **state)
{
    (void)state;
    PIECE(p, "turin-v5-microsoft");
    for (size_t n = 0; n < TST_SNP_REPORT_BYTES; n += 7) {
        p.n = n;
        assert_check(piece_run(&p), "report.parse", TST_CHECK_FAIL);
    }
}

static void the_certificate_table_of_a_real_auxblob_is_read(void **state)
{
    (void)state;
    PIECE(p, ROW_WITH_TABLE);
    tst_snp_certs_clear(&p.certs);
    load_table(&p.certs);
    assert_int_equal(piece_run(&p)->outcome, TST_CHECK_PASS);
}

/* ---- policies on real evidence ---- */
#define TURIN_DIGEST "6d6c354511d6f7c6d7504668903dc5bdc066a048b651840d8d03fb85299ebfa142fccf1d1b0baca496841bdf243619d4"
#define MILAN_DIGEST "5feee30d6d7e1a29f403d70a4198237ddfb13051a2d6976439487c609388ed7f98189887920ab2fa0096903a0c23fca1"

static void a_policy_judges_real_evidence(void **state)
{
    (void)state;
    PIECE(p, "turin-v5-microsoft");
    piece_policy(&p, "name: turin\nproducts: [turin]\nfloors: 2026-11\ncrl: {mode: off}\n"
                     "measurements: [{name: image, digest: " TURIN_DIGEST "}]\n");
    const struct tst_verdict *v = piece_run(&p);
    assert_int_equal(v->outcome, TST_CHECK_PASS);
    assert_int_equal(v->level, TST_LEVEL_MEASURED);
    assert_false(v->simulated);
    assert_string_equal(v->reference, "image");
}

static void old_firmware_is_refused_by_the_shipped_floors(void **state)
{
    (void)state;
    PIECE(p, "milan-v3-microsoft");
    piece_policy(&p, "name: milan\nproducts: [milan]\nmilan-without-chips: accept-risk\nfloors: 2026-11\ncrl: {mode: off}\n"
                     "measurements: [{name: image, digest: " MILAN_DIGEST "}]\n");
    const struct tst_verdict *v = piece_run(&p);
    assert_string_equal(tst_verdict_first(v)->info->id, "policy.tcb-floor");
    assert_int_equal(tst_verdict_exit_status(v), 4);
}

static void a_required_crl_leaves_real_evidence_undecided(void **state)
{
    (void)state;
    PIECE(p, "turin-v5-microsoft");
    piece_policy(&p, "name: turin\nproducts: [turin]\nfloors: 2026-11\n"
                     "measurements: [{name: image, digest: " TURIN_DIGEST "}]\n");
    const struct tst_verdict *v = piece_run(&p);
    assert_string_equal(tst_verdict_first(v)->info->id, "policy.crl");
    assert_string_equal(tst_verdict_first(v)->found, "no CRL in the collateral");
    assert_int_equal(tst_verdict_exit_status(v), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_an_outcome_that_is_tested),
        cmocka_unit_test(genuine_vcek_evidence_verifies),
        cmocka_unit_test(an_altered_signature_is_refuted),
        cmocka_unit_test(without_a_vcek_nothing_is_decided),
        cmocka_unit_test(a_vlek_report_is_genuine_while_its_vlek_is_valid),
        cmocka_unit_test(each_byte_of_the_signed_part_counts),
        cmocka_unit_test(each_byte_of_the_signature_and_its_padding_counts),
        cmocka_unit_test(each_byte_of_the_vcek_counts),
        cmocka_unit_test(certificates_that_amd_did_not_sign_are_refuted),
        cmocka_unit_test(both_forms_of_hwid_are_read),
        cmocka_unit_test(a_root_in_the_place_of_the_vcek_is_refuted),
        cmocka_unit_test(a_vcek_of_another_chip_is_refuted),
        cmocka_unit_test(the_chain_of_another_product_is_refuted),
        cmocka_unit_test(the_asvk_is_no_ask),
        cmocka_unit_test(outside_its_dates_a_chain_is_refuted),
        cmocka_unit_test(a_wrong_product_hint_is_refuted),
        cmocka_unit_test(reports_of_another_size_are_refuted),
        cmocka_unit_test(every_truncation_of_a_report_is_refuted),
        cmocka_unit_test(the_certificate_table_of_a_real_auxblob_is_read),
        cmocka_unit_test(a_policy_judges_real_evidence),
        cmocka_unit_test(old_firmware_is_refused_by_the_shipped_floors),
        cmocka_unit_test(a_required_crl_leaves_real_evidence_undecided),
    };
    if (!vectors_present()) {
        puts("skipped: no folder of vectors (TESTUDO_VECTORS)");
        return 77;
    }
    row_count = vectors_rows(rows);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
