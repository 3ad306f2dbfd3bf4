/* SPDX-License-Identifier: Apache-2.0 */
/* test_vectors.c - AMD's own lists, chains, VCEKs and a VLEK in the store: they get in, come out for their reports, and make
 * them verify. Without the folder of vectors this program exits with 77 (skipped). */
#include "tests/unit/snp/vectors.h"

#include "collateral/store.h"

#include <stdio.h>
#include <stdlib.h>

#define OCTOBER_2025 1760000000 /* the Genoa list and the VLEK are within their dates */
#define JUNE_2025 1750000000    /* the Milan list too */
#define DAY_S (24 * 3600)

static struct vector_row rows[VECTORS_ROWS_MAX];
static size_t row_count;

static struct tst_crl *read_crl(const char *path)
{
    uint8_t der[TST_CRL_MAX_BYTES];
    struct tst_crl *crl = NULL;
    size_t n = vectors_read(path, der, sizeof der);
    assert_int_equal(tst_crl_from_der(der, n, &crl, NULL), 0);
    return crl;
}
#define MILAN "snp/crls/milan-2025-05.der"
#define GENOA "snp/crls/genoa-2024-10.der"

static void amds_lists_say_what_they_are(void **state)
{
    (void)state;
    TST_AUTO_CRL milan = read_crl(MILAN);
    TST_AUTO_CRL genoa = read_crl(GENOA);
    assert_string_equal(tst_crl_info(milan)->issuer_cn, "ARK-Milan");
    assert_int_equal(tst_crl_info(milan)->number, 6);
    assert_int_equal(tst_crl_info(milan)->revoked_count, 0);
    assert_string_equal(tst_crl_info(genoa)->issuer_cn, "ARK-Genoa");
    assert_int_equal(tst_crl_info(genoa)->number, 4);
    assert_int_equal(tst_crl_info(genoa)->revoked_count, 1);
    assert_true(tst_crl_info(milan)->pss_sha384_salt48 && tst_crl_info(genoa)->pss_sha384_salt48);
    assert_int_equal(tst_crl_info(genoa)->authority_key_bytes, 20);
}

static void each_lists_root_signed_it_and_no_other(void **state)
{
    (void)state;
    static const char *const paths[] = {MILAN, GENOA}, *const products[] = {"milan", "genoa", "turin"};
    for (size_t i = 0; i < TST_COUNT(paths); i++)
        for (size_t k = 0; k < TST_COUNT(products); k++) {
            TST_AUTO_CRL crl = read_crl(paths[i]);
            struct tst_snp_certs certs = {0};
            vectors_chain(products[k], "vcek", &certs);
            assert_int_equal(tst_crl_verify(crl, certs.ark, NULL), i == k ? 0 : -TST_REFUTED);
            assert_int_equal(tst_crl_verify(crl, certs.ask, NULL), -TST_REFUTED);
            tst_snp_certs_clear(&certs);
        }
}

static void each_byte_of_a_list_counts(void **state)
{
    (void)state;
    static const char *const paths[] = {MILAN, GENOA}, *const products[] = {"milan", "genoa"};
    for (size_t k = 0; k < TST_COUNT(paths); k++) {
        uint8_t der[4096];
        size_t n = vectors_read(paths[k], der, sizeof der), parsed = 0;
        struct tst_snp_certs certs = {0};
        vectors_chain(products[k], "vcek", &certs);
        for (size_t i = 0; i < n; i++) {
            TST_AUTO_CRL crl = NULL;
            der[i] ^= 0x01;
            int rc = tst_crl_from_der(der, n, &crl, NULL);
            der[i] ^= 0x01;
            if (rc < 0)
                continue;
            parsed++;
            if (tst_crl_verify(crl, certs.ark, NULL) == 0)
                fail_msg("%s: byte %zu changed and the list still verifies", paths[k], i);
        }
        assert_in_range(parsed, n / 2, n);
        tst_snp_certs_clear(&certs);
    }
}

/* The first ASK is not published any more: today's with its serial number stands in for it. */
static struct tst_cert *first_genoa_ask(const struct tst_cert *today)
{
    static const uint8_t serial[] = {0x02, 0x03, 0x02, 0x00, 0x02};
    struct tst_cert *first = NULL;
    uint8_t *der = NULL;
    size_t n = 0;
    assert_int_equal(tst_cert_to_der(today, &der, &n, NULL), 0);
    uint8_t *at = memmem(der, n, serial, sizeof serial);
    assert_non_null(at);
    at[4] = 0x01;
    assert_int_equal(tst_cert_from_der(der, n, &first, NULL), 0);
    free(der);
    return first;
}

static void the_first_genoa_ask_is_revoked_and_todays_is_not(void **state)
{
    (void)state;
    TST_AUTO_CRL crl = read_crl(GENOA);
    struct tst_snp_certs certs = {0};
    time_t since = 0;
    vectors_chain("genoa", "vcek", &certs);
    TST_AUTO_CERT first = first_genoa_ask(certs.ask);
    assert_true(tst_crl_revokes(crl, first, &since));
    assert_int_equal(since, 1667217600); /* 2022-10-31T12:00:00Z */
    assert_false(tst_crl_revokes(crl, certs.ask, NULL));
    assert_false(tst_crl_revokes(crl, certs.ark, NULL));
    tst_snp_certs_clear(&certs);
}

/* ---- the policy's crl on real evidence ---- */
struct piece {
    uint8_t raw[4096];
    struct tst_evidence evidence;
    struct tst_appraise_in in;
};

static const struct vector_row *row_of(const char *name)
{
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    fail_msg("no vector %s", name);
    return NULL;
}

static enum tst_outcome judge_crl(const char *row, const char *list, time_t now, const char *crl_text, char *found, size_t n)
{
    struct piece p = {.in = {.now = now}};
    TST_AUTO_CRL crl = read_crl(list);
    TST_AUTO_POLICY policy = NULL;
    TST_AUTO_VERDICT v = NULL;
    TST_AUTO_STR text = tst_strdup_printf("name: real\nproducts: [genoa]\ncrl: %s\n", crl_text);
    const struct vector_row *r = row_of(row);
    p.evidence.report = (struct tst_bytes){p.raw, vectors_read(r->report, p.raw, sizeof p.raw)};
    p.evidence.certs.vek = vectors_cert(r->vek);
    vectors_chain(r->product, r->kind, &p.evidence.certs);
    assert_int_equal(tst_policy_parse("p", text, strlen(text), NULL, NULL, &policy, NULL), 0);
    p.in.evidence = &p.evidence;
    p.in.policy = policy;
    p.in.crl = crl;
    assert_int_equal(tst_appraise(&p.in, &v, NULL), 0);
    const struct tst_check *c = verdict_check(v, "policy.crl");
    snprintf(found, n, "%s", c->found);
    enum tst_outcome outcome = c->outcome;
    tst_snp_certs_clear(&p.evidence.certs);
    return outcome;
}

static void both_lists_are_stale_today_and_hold_within_their_dates(void **state)
{
    (void)state;
    static const struct {
        const char *row, *list, *crl;
        time_t now;
        enum tst_outcome outcome;
        const char *words;
    } cases[] = {
        {"genoa-v3-coco", GENOA, "{mode: require}", VECTORS_NOW, TST_CHECK_FAIL, "stale: the next one was due at 2025-11-03T01:00:00Z"},
        {"milan-v3-coco-2", MILAN, "{mode: require}", VECTORS_NOW, TST_CHECK_FAIL, "stale: the next one was due at 2026-05-12T00:00:00Z"},
        {"genoa-v3-coco", GENOA, "{mode: require, max-age-d: 400}", OCTOBER_2025, TST_CHECK_PASS, "CRL number 4"},
        {"genoa-v3-coco", GENOA, "{mode: require}", OCTOBER_2025, TST_CHECK_FAIL, "older than the policy's 60 days"},
        {"milan-v3-coco-2", MILAN, "{mode: require}", JUNE_2025, TST_CHECK_PASS, "CRL number 6"},
        {"milan-v3-coco", MILAN, "{mode: require}", JUNE_2025, TST_CHECK_PASS, "CRL number 6"}, /* the VLEK: same root, same list */
        {"genoa-v3-coco", GENOA, "{mode: if-present}", VECTORS_NOW, TST_CHECK_PASS, "stale"},
        {"genoa-v3-coco", MILAN, "{mode: if-present}", JUNE_2025, TST_CHECK_FAIL, "another name"},
    };
    for (size_t i = 0; i < TST_COUNT(cases); i++) {
        char found[256];
        enum tst_outcome outcome = judge_crl(cases[i].row, cases[i].list, cases[i].now, cases[i].crl, found, sizeof found);
        if (outcome != cases[i].outcome || !strstr(found, cases[i].words))
            fail_msg("case %zu: outcome %d, %s", i, (int)outcome, found);
    }
}

/* ---- through the store ---- */
static void put_chain(struct collateral_store *s, const char *product, const char *kind)
{
    struct tst_snp_certs certs = {0};
    enum collateral_change change;
    TST_AUTO_ERROR err = NULL;
    vectors_chain(product, kind, &certs);
    if (collateral_put_chain(s, certs.ask, certs.ark, VECTORS_NOW, &change, &err) < 0)
        fail_msg("%s %s: %s", product, kind, err->text);
    assert_int_equal(change, COLLATERAL_NEW);
    tst_snp_certs_clear(&certs);
}

static const char table_row[] = "genoa-v3-veraison"; /* its VCEK is in the table that came with it */

static bool put_vek(struct collateral_store *s, const struct vector_row *row)
{
    enum collateral_change change;
    TST_AUTO_ERROR err = NULL;
    if (strcmp(row->expected, "VALID") != 0 || strcmp(row->name, table_row) == 0)
        return false;
    TST_AUTO_CERT vek = vectors_cert(row->vek);
    if (collateral_put_vek(s, vek, NULL, strcmp(row->kind, "vlek") == 0 ? OCTOBER_2025 : VECTORS_NOW, &change, &err) < 0)
        fail_msg("%s: %s", row->name, err->text);
    return true;
}

static void assert_verifies(struct collateral_store *s, const struct vector_row *row)
{
    struct piece p = {.in = {.now = strcmp(row->kind, "vlek") == 0 ? OCTOBER_2025 : VECTORS_NOW}};
    struct tst_snp_report report;
    TST_AUTO_CRL crl = NULL;
    TST_AUTO_VERDICT v = NULL;
    TST_AUTO_ERROR err = NULL;
    p.evidence.report = (struct tst_bytes){p.raw, vectors_read(row->report, p.raw, sizeof p.raw)};
    p.in.product = tst_snp_product_of(row->product);
    p.in.evidence = &p.evidence;
    assert_int_equal(tst_snp_report_parse(p.raw, TST_SNP_REPORT_BYTES, &report, NULL), 0);
    if (collateral_complete(s, &report, p.in.product, &p.evidence.certs, &crl, &p.in.crl_number_seen, &err) < 0)
        fail_msg("%s: %s", row->name, err->text);
    assert_int_equal(tst_appraise(&p.in, &v, NULL), 0);
    if (v->outcome != TST_CHECK_PASS)
        fail_msg("%s: %s: %s", row->name, tst_verdict_first(v)->info->id, tst_verdict_first(v)->found);
    tst_snp_certs_clear(&p.evidence.certs);
}

static void every_real_report_verifies_from_the_store_alone(void **state)
{
    (void)state;
    char dir[] = "/tmp/testudo-collateral-XXXXXX";
    AUTO_STORE s = NULL;
    size_t count = 0;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(collateral_open(dir, true, &s, NULL), 0); /* no root but AMD's */
    static const char *const products[] = {"milan", "genoa", "turin"};
    for (size_t i = 0; i < TST_COUNT(products); i++) {
        put_chain(s, products[i], "vcek");
        put_chain(s, products[i], "vlek");
    }
    for (size_t i = 0; i < row_count; i++)
        count += put_vek(s, &rows[i]);
    assert_in_range(count, 14, VECTORS_ROWS_MAX);
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].expected, "VALID") == 0 && strcmp(rows[i].name, table_row) != 0)
            assert_verifies(s, &rows[i]);
    TST_AUTO_STR command = tst_strdup_printf("rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static void certificates_that_amd_did_not_sign_stay_out(void **state)
{
    (void)state;
    static const char *const fakes[] = {"snp/veks/test-vcek-invalid-legacy.der", "snp/veks/test-vcek-invalid-new.der",
                                        "snp/veks/not-amd.der"};
    char dir[] = "/tmp/testudo-collateral-XXXXXX";
    AUTO_STORE s = NULL;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(collateral_open(dir, true, &s, NULL), 0);
    put_chain(s, "milan", "vcek");
    for (size_t i = 0; i < TST_COUNT(fakes); i++) {
        enum collateral_change change;
        TST_AUTO_CERT c = vectors_cert(fakes[i]);
        assert_int_not_equal(collateral_put_vek(s, c, NULL, VECTORS_NOW, &change, NULL), 0);
    }
    TST_AUTO_STR command = tst_strdup_printf("test ! -e %s/milan/vcek; r=$?; rm -rf %s; exit $r", dir, dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    if (!vectors_present()) {
        puts("no folder of vectors");
        return 77;
    }
    row_count = vectors_rows(rows);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amds_lists_say_what_they_are),
        cmocka_unit_test(each_lists_root_signed_it_and_no_other),
        cmocka_unit_test(each_byte_of_a_list_counts),
        cmocka_unit_test(the_first_genoa_ask_is_revoked_and_todays_is_not),
        cmocka_unit_test(both_lists_are_stale_today_and_hold_within_their_dates),
        cmocka_unit_test(every_real_report_verifies_from_the_store_alone),
        cmocka_unit_test(certificates_that_amd_did_not_sign_stay_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
