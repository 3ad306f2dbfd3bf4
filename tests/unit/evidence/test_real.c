/* SPDX-License-Identifier: Apache-2.0 */
/* test_real.c - real evidence (TESTUDO_VECTORS): as it was found in containers, and every report of the set put into every
 * container and taken out again. Without the folder it exits with 77. */
#include "../snp/vectors.h"
#include "forms.h"

#include <stdio.h>
#include <stdlib.h>

#define VLEK_NOW 1750000000 /* 2025-06-15: the VLEK of the set is valid */

static struct vector_row rows[VECTORS_ROWS_MAX];
static size_t row_count;

static size_t read_container(const char *name, uint8_t *bytes, size_t max)
{
    char path[128];
    snprintf(path, sizeof path, "snp/containers/%s", name);
    return vectors_read(path, bytes, max);
}

static void azures_blob_is_bound_to_its_json(void **state)
{
    (void)state;
    uint8_t bytes[4096];
    TST_AUTO_CONTAINER c = {0};
    size_t n = read_container("azure-hcl-milan-v2.bin", bytes, sizeof bytes);
    assert_int_equal(tst_container_read(bytes, n, false, &c, NULL), 0);
    assert_int_equal(c.kind, TST_CONTAINER_HCL);
    assert_int_equal(c.runtime.n, 1110);
    assert_int_equal(c.padding_bytes, 2600 - 2346);
    assert_true(c.has_report_data);
    assert_memory_equal(c.report_data, c.report + 0x50, 64);
    TST_AUTO_JSON json = NULL;
    assert_int_equal(tst_json_parse((const char *)c.runtime.p, c.runtime.n, 0, &json, NULL), 0);
    assert_non_null(json_object_get(json, "keys"));
}

/* Every byte of the blob that means something, flipped: the binding or the report's bytes show it. */
static void a_changed_azure_blob_is_noticed(void **state)
{
    (void)state;
    uint8_t bytes[4096];
    size_t n = read_container("azure-hcl-milan-v2.bin", bytes, sizeof bytes);
    uint8_t report[TST_SNP_REPORT_BYTES];
    memcpy(report, bytes + 0x20, sizeof report);
    for (size_t at = 0x20; at < n; at++) {
        TST_AUTO_CONTAINER c = {0};
        TST_AUTO_ERROR err = NULL;
        bytes[at] ^= 0x80;
        int rc = tst_container_read(bytes, n, false, &c, &err);
        bytes[at] ^= 0x80;
        bool bound = rc == 0 && memcmp(c.report_data, c.report + 0x50, 64) == 0;
        bool same = rc == 0 && memcmp(c.report, report, sizeof report) == 0;
        bool version_field = at >= 0x4c4 && at < 0x4c8; /* of the runtime header: nothing depends on it */
        if (bound && same && !version_field)
            fail_msg("byte 0x%zx", at);
    }
}

static void a_response_of_the_ioctl_is_read(void **state)
{
    (void)state;
    uint8_t bytes[8192];
    TST_AUTO_CONTAINER c = {0};
    size_t n = read_container("msg-report-rsp-v2.bin", bytes, sizeof bytes);
    assert_int_equal(tst_container_read(bytes, n, false, &c, NULL), 0);
    assert_int_equal(c.kind, TST_CONTAINER_RESPONSE);
    assert_memory_equal(c.report, bytes + 0x20, TST_SNP_REPORT_BYTES);
    assert_int_equal(c.padding_bytes, n - 0x20 - TST_SNP_REPORT_BYTES);
}

static void cut_and_overlong_evidence_is_told_apart(void **state)
{
    (void)state;
    uint8_t bytes[8192];
    TST_AUTO_CONTAINER c = {0};
    TST_AUTO_ERROR cut = NULL, more = NULL, table = NULL;
    size_t n = read_container("truncated-793.bin", bytes, sizeof bytes);
    assert_int_equal(tst_container_read(bytes, n, false, &c, &cut), -TST_USAGE);
    assert_string_equal(cut->found, "391 are missing at the end");
    n = read_container("trailing-byte-bad-sig-1185.bin", bytes, sizeof bytes);
    assert_int_equal(tst_container_read(bytes, n, false, &c, &more), -TST_USAGE);
    assert_string_equal(more->found, "1 more: 0a (a newline)");
    n = read_container("tsm-auxblob-genoa-v3.bin", bytes, sizeof bytes);
    assert_int_equal(tst_container_read(bytes, n, false, &c, &table), -TST_USAGE);
    assert_non_null(strstr(table->text, "table without a report"));
}

static int verify(const uint8_t *report, const struct tst_snp_certs *certs, time_t now, const uint8_t *report_data, struct tst_verdict **v)
{
    const struct tst_evidence e = {{report, TST_SNP_REPORT_BYTES}, *certs};
    const struct tst_appraise_in in = {.evidence = &e, .now = now, .report_data = report_data};
    assert_int_equal(tst_appraise(&in, v, NULL), 0);
    return tst_verdict_exit_status(*v);
}

static void the_entry_of_a_real_guest_verifies_with_its_own_table(void **state)
{
    (void)state;
    uint8_t report[4096], table[TST_SNP_CERT_TABLE_MAX];
    TST_AUTO_CONTAINER c = {0};
    TST_AUTO_VERDICT v = NULL;
    size_t n = vectors_read("snp/reports/genoa-v3-veraison.bin", report, sizeof report), t = read_container("tsm-auxblob-genoa-v3.bin", table, sizeof table);
    const struct tst_tsm_blobs blobs = {.outblob = {report, n}, .auxblob = {table, t}};
    assert_int_equal(tst_container_of_tsm(&blobs, &c, NULL), 0);
    assert_int_equal(c.kind, TST_CONTAINER_TSM);
    assert_int_equal(c.table.n, t);
    assert_int_equal(verify(c.report, &c.certs, VECTORS_NOW, NULL, &v), 0);
}

static void certs_of(const struct vector_row *row, struct tst_snp_certs *certs)
{
    uint8_t table[TST_SNP_CERT_TABLE_MAX];
    if (strcmp(row->name, "genoa-v3-veraison") == 0) { /* its VCEK is in the table that came with it */
        size_t n = read_container("tsm-auxblob-genoa-v3.bin", table, sizeof table);
        assert_int_equal(tst_snp_cert_table_parse(table, n, certs, NULL), 0);
        return;
    }
    if (strcmp(row->vek, "-") != 0)
        certs->vek = vectors_cert(row->vek);
    vectors_chain(row->product, row->kind, certs);
}

/* Each report through each form: the same bytes, and the same verdict with the certificates that the form carries. Azure's form
 * is left to its real blob: nobody can sign another REPORT_DATA. */
static void every_report_survives_every_container(void **state)
{
    (void)state;
    size_t done = 0;
    for (size_t r = 0; r < row_count; r++) {
        uint8_t report[4096];
        struct tst_snp_certs certs = {0};
        size_t n = vectors_read(rows[r].report, report, sizeof report);
        assert_int_equal(n, TST_SNP_REPORT_BYTES);
        certs_of(&rows[r], &certs);
        bool vlek = strcmp(rows[r].kind, "vlek") == 0, valid = strcmp(rows[r].expected, "VALID") == 0;
        for (size_t i = 0; i < form_count; i++) {
            TST_AUTO_BUF b = {0};
            TST_AUTO_CONTAINER c = {0};
            TST_AUTO_ERROR err = NULL;
            TST_AUTO_VERDICT v = NULL;
            if (!certs.vek && forms[i].carries_certs)
                continue;
            forms[i].wrap(report, &certs, &b);
            if (tst_container_read(b.p, b.n, false, &c, &err) < 0)
                fail_msg("%s: %s: %s", rows[r].name, forms[i].name, err->text);
            assert_memory_equal(c.report, report, TST_SNP_REPORT_BYTES);
            assert_int_equal(c.kind, forms[i].kind);
            done++;
            if (!certs.vek || forms[i].kind == TST_CONTAINER_HCL)
                continue;
            int status = verify(c.report, c.certs.vek ? &c.certs : &certs, vlek ? VLEK_NOW : VECTORS_NOW, NULL, &v);
            if (status != (valid ? 0 : 1))
                fail_msg("%s: %s: exit status %d", rows[r].name, forms[i].name, status);
        }
        tst_snp_certs_clear(&certs);
    }
    assert_true(done > row_count * (form_count / 2));
}

/* One byte of the signed part of a real report, in each container whose bytes are the report's: refuted. */
static void a_flipped_byte_of_a_real_report_is_refuted_in_its_container(void **state)
{
    (void)state;
    static const char *const names[] = {"milan-v2-coco", "genoa-v3-coco", "turin-v5-microsoft"};
    for (size_t r = 0; r < row_count; r++)
        for (size_t k = 0; k < TST_COUNT(names); k++) {
            uint8_t report[4096];
            struct tst_snp_certs certs = {0};
            if (strcmp(rows[r].name, names[k]) != 0)
                continue;
            vectors_read(rows[r].report, report, sizeof report);
            certs_of(&rows[r], &certs);
            for (size_t at = 0; at < TST_SNP_SIGNED_BYTES; at++) {
                const struct form *form = &forms[at % form_count];
                TST_AUTO_BUF b = {0};
                TST_AUTO_CONTAINER c = {0};
                TST_AUTO_VERDICT v = NULL;
                if (!form->whole)
                    form = &forms[0];
                report[at] ^= 0x01;
                form->wrap(report, &certs, &b);
                assert_int_equal(tst_container_read(b.p, b.n, false, &c, NULL), 0);
                if (verify(c.report, &certs, VECTORS_NOW, c.has_report_data ? c.report_data : NULL, &v) != 1)
                    fail_msg("%s: %s: byte 0x%zx", names[k], form->name, at);
                report[at] ^= 0x01;
            }
            tst_snp_certs_clear(&certs);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(azures_blob_is_bound_to_its_json),
        cmocka_unit_test(a_changed_azure_blob_is_noticed),
        cmocka_unit_test(a_response_of_the_ioctl_is_read),
        cmocka_unit_test(cut_and_overlong_evidence_is_told_apart),
        cmocka_unit_test(the_entry_of_a_real_guest_verifies_with_its_own_table),
        cmocka_unit_test(every_report_survives_every_container),
        cmocka_unit_test(a_flipped_byte_of_a_real_report_is_refuted_in_its_container),
    };
    if (!vectors_present()) {
        fputs("skipped: no folder of vectors (TESTUDO_VECTORS)\n", stderr);
        return 77;
    }
    row_count = vectors_rows(rows);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
