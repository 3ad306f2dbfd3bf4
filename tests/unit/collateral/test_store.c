/* SPDX-License-Identifier: Apache-2.0 */
/* test_store.c - the store on disk: what gets in, what comes out, bundles. */
#include <sys/stat.h>

#include "tests/unit/collateral/unit.h"

#define NOW FIXTURE_NOW
static struct amd_root *genoa, *milan;
static struct amd_chip *chip, *other, *of_milan;

static int setup(void **state)
{
    (void)state;
    genoa = fixture_root();
    milan = fixture_root_as(genoa, TST_SNP_MILAN);
    chip = fixture_chip(genoa, NULL);
    other = fixture_chip(genoa, NULL);
    of_milan = fixture_chip(milan, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    amd_chip_free(chip);
    amd_chip_free(other);
    amd_chip_free(of_milan);
    amd_root_free(genoa);
    amd_root_free(milan);
    return 0;
}

static enum collateral_change put_chain(struct place *p)
{
    TST_AUTO_ERROR err = NULL;
    enum collateral_change change;
    assert_done(collateral_put_chain(p->store, genoa->ask, genoa->ark, NOW, &change, &err), err);
    return change;
}

static enum collateral_change put_vek(struct place *p, const struct amd_chip *c)
{
    TST_AUTO_ERROR err = NULL;
    enum collateral_change change;
    assert_done(collateral_put_vek(p->store, c->vcek, NULL, NOW, &change, &err), err);
    return change;
}

static enum collateral_change put_crl(struct place *p, uint64_t number, time_t from, time_t until)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_CRL crl = unit_crl(genoa, number, from, until, NULL);
    enum collateral_change change;
    assert_done(collateral_put_crl(p->store, crl, NOW, &change, &err), err);
    return change;
}

static void fill(struct place *p)
{
    put_chain(p);
    put_vek(p, chip);
    put_vek(p, other);
    put_crl(p, 5, NOW - DAY_S, NOW + DAY_S);
}

/* Runs a shell command in the store's folder. */
static void in_store(const struct place *p, const char *command)
{
    TST_AUTO_STR all = tst_strdup_printf("cd %s && %s", p->dir, command);
    if (system(all) != 0)
        fail_msg("%s", all);
}

/* ---- what gets in ---- */
static void the_same_again_is_kept(void **state)
{
    (void)state;
    PLACE(p, genoa);
    assert_int_equal(put_chain(&p), COLLATERAL_NEW);
    assert_int_equal(put_chain(&p), COLLATERAL_KEPT);
    assert_int_equal(put_vek(&p, chip), COLLATERAL_NEW);
    assert_int_equal(put_vek(&p, chip), COLLATERAL_KEPT);
    assert_int_equal(put_vek(&p, other), COLLATERAL_NEW);
    assert_int_equal(put_crl(&p, 5, NOW - DAY_S, NOW + DAY_S), COLLATERAL_NEW);
    assert_int_equal(put_crl(&p, 5, NOW - DAY_S, NOW + DAY_S), COLLATERAL_KEPT);
    assert_int_equal(put_crl(&p, 6, NOW - DAY_S, NOW + DAY_S), COLLATERAL_REPLACED);
}

static void files_are_readable_by_all_whatever_the_umask(void **state)
{
    (void)state;
    mode_t before = umask(0077);
    PLACE(p, genoa);
    fill(&p);
    umask(before);
    in_store(&p, "test -z \"$(find . -mindepth 1 -type d ! -perm 0755)\" && test -z \"$(find . -type f ! -perm 0644)\" && "
                 "test \"$(find . -name '*.der' | wc -l)\" -eq 3 && test -z \"$(find . -name '*.tmp')\"");
}

static void a_root_that_nobody_named_is_refused(void **state)
{
    (void)state;
    PLACE(p, NULL);
    TST_AUTO_ERROR err = NULL;
    enum collateral_change change;
    assert_int_equal(collateral_put_chain(p.store, genoa->ask, genoa->ark, NOW, &change, &err), -TST_REFUTED);
    assert_non_null(strstr(err->text, "is not AMD's"));
    assert_non_null(err->found);
    in_store(&p, "test -z \"$(ls -A)\"");
}

static void a_vek_without_its_chain_is_refused(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    enum collateral_change change;
    assert_int_equal(collateral_put_vek(p.store, chip->vcek, NULL, NOW, &change, &err), -TST_UNDECIDABLE);
    assert_non_null(strstr(err->text, "no chain of genoa"));
    put_chain(&p);
    assert_int_equal(collateral_put_vek(p.store, of_milan->vcek, NULL, NOW, &change, &err), -TST_UNDECIDABLE);
    assert_int_equal(collateral_put_vek(p.store, genoa->ask, NULL, NOW, &change, &err), -TST_USAGE);
}

static void another_vek_than_was_asked_for_is_refused(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    enum collateral_change change;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    struct tst_snp_vek_id id;
    const struct tst_snp_report report = unit_report(other, raw);
    assert_int_equal(tst_snp_vek_id_of_report(&report, TST_SNP_UNKNOWN, &id, NULL), 0);
    put_chain(&p);
    assert_int_equal(collateral_put_vek(p.store, chip->vcek, &id, NOW, &change, &err), -TST_REFUTED);
    assert_non_null(strstr(err->text, "another chip, TCB or product"));
    in_store(&p, "test ! -e */vcek");
    id.tcb.snp++;
    assert_int_equal(collateral_put_vek(p.store, other->vcek, &id, NOW, &change, &err), -TST_REFUTED);
}

static void what_is_not_valid_today_is_refused(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    enum collateral_change change;
    const time_t early = FIXTURE_FROM - 1, late = FIXTURE_FROM + 8 * 366 * (time_t)DAY_S;
    assert_int_equal(collateral_put_chain(p.store, genoa->ask, genoa->ark, early, &change, &err), -TST_REFUTED);
    put_chain(&p);
    assert_int_equal(collateral_put_vek(p.store, chip->vcek, NULL, late, &change, &err), -TST_REFUTED);
    assert_non_null(strstr(err->text, "is valid from"));
}

static void chains_that_are_none_are_refused(void **state)
{
    (void)state;
    PLACE(p, genoa);
    enum collateral_change change;
    const struct tst_cert *pairs[][2] = {
        {genoa->ark, genoa->ark}, {genoa->ask, genoa->ask}, {genoa->ark, genoa->ask}, {milan->ask, genoa->ark}, {chip->vcek, genoa->ark}};
    for (size_t i = 0; i < TST_COUNT(pairs); i++)
        assert_int_not_equal(collateral_put_chain(p.store, pairs[i][0], pairs[i][1], NOW, &change, NULL), 0);
    in_store(&p, "test -z \"$(ls -A)\"");
}

/* ---- revocation lists ---- */
static int try_crl(struct place *p, const struct amd_root *root, uint64_t number, time_t from, time_t until, struct tst_error **err)
{
    TST_AUTO_CRL crl = unit_crl(root, number, from, until, NULL);
    enum collateral_change change;
    return collateral_put_crl(p->store, crl, NOW, &change, err);
}

static void lists_that_could_be_kept_for_ever_are_refused(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(try_crl(&p, genoa, 5, NOW - DAY_S, NOW + DAY_S, &err), -TST_UNDECIDABLE); /* no chain yet */
    put_chain(&p);
    assert_int_equal(try_crl(&p, genoa, 5, NOW + 1, NOW + DAY_S, &err), -TST_REFUTED);
    assert_non_null(strstr(err->text, "future"));
    assert_int_equal(try_crl(&p, genoa, 5, NOW - DAY_S, 0, &err), -TST_REFUTED);
    assert_non_null(strstr(err->text, "nextUpdate"));
    assert_int_equal(try_crl(&p, milan, 5, NOW - DAY_S, NOW + DAY_S, &err), -TST_UNDECIDABLE);
    in_store(&p, "test ! -e */crl.der");
}

static uint64_t number_of(struct place *p, uint64_t *seen)
{
    struct tst_snp_certs certs = {0};
    TST_AUTO_CRL crl = NULL;
    TST_AUTO_ERROR err = NULL;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    const struct tst_snp_report report = unit_report(chip, raw);
    assert_done(collateral_complete(p->store, &report, TST_SNP_UNKNOWN, &certs, &crl, seen, &err), err);
    tst_snp_certs_clear(&certs);
    return crl ? tst_crl_info(crl)->number : 0;
}

static void the_number_never_goes_back(void **state)
{
    (void)state;
    PLACE(p, genoa);
    uint64_t seen;
    put_chain(&p);
    assert_int_equal(put_crl(&p, 9, NOW - DAY_S, NOW + DAY_S), COLLATERAL_NEW);
    in_store(&p, "cp */crl.der nine");
    assert_int_equal(put_crl(&p, 8, NOW, NOW + 2 * DAY_S), COLLATERAL_OLDER);
    assert_int_equal(number_of(&p, &seen), 9);
    assert_int_equal(put_crl(&p, 12, NOW - DAY_S, NOW + DAY_S), COLLATERAL_REPLACED);
    in_store(&p, "for f in */crl.der; do cp nine $f; done");
    assert_int_equal(number_of(&p, &seen), 9); /* somebody brought the old file back: the memory tells */
    assert_int_equal(seen, 12);
    in_store(&p, "rm */crl.der");
    assert_int_equal(put_crl(&p, 11, NOW - DAY_S, NOW + DAY_S), COLLATERAL_OLDER);
    assert_int_equal(number_of(&p, &seen), 0);
}

/* ---- what comes out ---- */
static void an_empty_store_completes_nothing(void **state)
{
    (void)state;
    PLACE(p, genoa);
    uint64_t seen;
    assert_int_equal(number_of(&p, &seen), 0);
    assert_int_equal(seen, 0);
    struct collateral_store *s = NULL;
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(collateral_open("/nonexistent/store", false, &s, &err), -TST_NOT_FOUND);
    assert_non_null(strstr(err->fix, "--store"));
}

static bool same_cert(const struct tst_cert *a, const struct tst_cert *b)
{
    uint8_t *x = NULL, *y = NULL;
    size_t xn = 0, yn = 0;
    assert_int_equal(tst_cert_to_der(a, &x, &xn, NULL) | tst_cert_to_der(b, &y, &yn, NULL), 0);
    bool same = xn == yn && memcmp(x, y, xn) == 0;
    free(x);
    free(y);
    return same;
}

static void a_report_gets_its_own_chips_vcek(void **state)
{
    (void)state;
    PLACE(p, genoa);
    fill(&p);
    const struct amd_chip *chips[] = {chip, other};
    for (size_t i = 0; i < 2; i++) {
        struct tst_snp_certs certs = {0};
        TST_AUTO_CRL crl = NULL;
        uint64_t seen;
        uint8_t raw[TST_SNP_REPORT_BYTES];
        const struct tst_snp_report report = unit_report(chips[i], raw);
        assert_int_equal(collateral_complete(p.store, &report, TST_SNP_UNKNOWN, &certs, &crl, &seen, NULL), 0);
        assert_true(same_cert(certs.vek, chips[i]->vcek));
        assert_true(same_cert(certs.ask, genoa->ask));
        assert_true(same_cert(certs.ark, genoa->ark));
        assert_int_equal(tst_crl_info(crl)->number, 5);
        tst_snp_certs_clear(&certs);
    }
}

static void what_the_evidence_brings_stays(void **state)
{
    (void)state;
    PLACE(p, genoa);
    fill(&p);
    struct tst_snp_certs certs = {.vek = tst_cert_ref(other->vcek), .ask = tst_cert_ref(milan->ask)};
    TST_AUTO_CRL crl = NULL;
    uint64_t seen;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    const struct tst_snp_report report = unit_report(chip, raw);
    assert_int_equal(collateral_complete(p.store, &report, TST_SNP_UNKNOWN, &certs, &crl, &seen, NULL), 0);
    assert_true(same_cert(certs.vek, other->vcek));
    assert_true(same_cert(certs.ask, milan->ask));
    assert_true(same_cert(certs.ark, genoa->ark));
    tst_snp_certs_clear(&certs);
}

static void evidence_of_a_root_that_the_store_lacks_gets_nothing(void **state)
{
    (void)state;
    PLACE(p, genoa);
    fill(&p);
    struct tst_snp_certs certs = {.ark = tst_cert_ref(milan->ark)};
    TST_AUTO_CRL crl = NULL;
    uint64_t seen;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    const struct tst_snp_report report = unit_report(chip, raw);
    assert_int_equal(collateral_complete(p.store, &report, TST_SNP_UNKNOWN, &certs, &crl, &seen, NULL), 0);
    assert_null(certs.vek);
    assert_null(certs.ask);
    assert_null(crl);
    tst_snp_certs_clear(&certs);
}

static void a_damaged_file_is_named(void **state)
{
    (void)state;
    PLACE(p, genoa);
    fill(&p);
    struct tst_snp_certs certs = {0};
    TST_AUTO_CRL crl = NULL;
    TST_AUTO_ERROR err = NULL;
    uint64_t seen;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    const struct tst_snp_report report = unit_report(chip, raw);
    in_store(&p, "for f in */vcek/*/*.der; do echo junk >$f; done");
    assert_int_equal(collateral_complete(p.store, &report, TST_SNP_UNKNOWN, &certs, &crl, &seen, &err), -TST_USAGE);
    assert_non_null(strstr(err->text, ".der: certificate"));
    assert_non_null(strstr(err->fix, "remove this file"));
    tst_snp_certs_clear(&certs);
}

static void links_and_other_files_are_not_followed(void **state)
{
    (void)state;
    PLACE(p, genoa);
    fill(&p);
    struct tst_snp_certs certs = {0};
    TST_AUTO_CRL crl = NULL;
    uint64_t seen;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    const struct tst_snp_report report = unit_report(chip, raw);
    in_store(&p, "cd */ && mv crl.der real && ln -s real crl.der");
    assert_int_not_equal(collateral_complete(p.store, &report, TST_SNP_UNKNOWN, &certs, &crl, &seen, NULL), 0);
    tst_snp_certs_clear(&certs);
    in_store(&p, "cd */ && rm crl.der && mkfifo crl.der");
    assert_int_not_equal(collateral_complete(p.store, &report, TST_SNP_UNKNOWN, &certs, &crl, &seen, NULL), 0);
    tst_snp_certs_clear(&certs);
}

/* ---- listing ---- */
struct tally {
    size_t good, bad, stale;
    char problem[512];
};

static int tally_item(void *ctx, const struct collateral_item *item, struct tst_error **err)
{
    struct tally *t = ctx;
    (void)err;
    assert_true(item->simulated);
    *(item->problem ? &t->bad : item->stale ? &t->stale : &t->good) += 1;
    if (item->problem)
        snprintf(t->problem, sizeof t->problem, "%s", item->problem->text);
    return 0;
}

static struct tally list(struct place *p, time_t now)
{
    struct tally t = {0};
    TST_AUTO_ERROR err = NULL;
    assert_done(collateral_each(p->store, now, tally_item, &t, &err), err);
    return t;
}

static void a_list_verifies_every_file_again(void **state)
{
    (void)state;
    PLACE(p, genoa);
    fill(&p);
    struct tally t = list(&p, NOW);
    assert_int_equal(t.good, 4);
    assert_int_equal(t.bad + t.stale, 0);
    t = list(&p, NOW + 2 * DAY_S);
    assert_int_equal(t.stale, 1);
    assert_int_equal(t.good, 3);
    t = list(&p, FIXTURE_FROM + 8 * 366 * (time_t)DAY_S); /* both VCEKs are over */
    assert_int_equal(t.bad, 2);
}

static void a_certificate_in_the_wrong_place_is_seen(void **state)
{
    (void)state;
    PLACE(p, genoa);
    fill(&p);
    in_store(&p, "set -- */vcek/*/*.der && cp $1 $2");
    struct tally t = list(&p, NOW);
    assert_int_equal(t.bad, 1);
    assert_non_null(strstr(t.problem, "belongs at"));
}

static void a_swapped_chain_is_seen(void **state)
{
    (void)state;
    PLACE(p, genoa);
    fill(&p);
    TST_AUTO_STR ask = NULL;
    TST_AUTO_STR ark = NULL;
    tst_cert_to_pem(milan->ask, &ask, NULL);
    tst_cert_to_pem(milan->ark, &ark, NULL);
    TST_AUTO_STR command = tst_strdup_printf("for f in */vcek-chain.pem; do printf '%%s' '%s%s' >$f; done", ask, ark);
    in_store(&p, command);
    struct tally t = list(&p, NOW);
    assert_int_equal(t.good, 0);
    assert_int_equal(t.bad, 4);
}

static void a_crl_that_was_brought_back_is_seen(void **state)
{
    (void)state;
    PLACE(p, genoa);
    fill(&p);
    in_store(&p, "cd */ && echo 7 >crl-memory");
    struct tally t = list(&p, NOW);
    assert_int_equal(t.bad, 1);
    assert_non_null(strstr(t.problem, "rolled back"));
    in_store(&p, "cd */ && echo junk >crl-memory");
    t = list(&p, NOW);
    assert_int_equal(t.bad, 1);
    assert_non_null(strstr(t.problem, "not one number"));
}

/* ---- bundles ---- */
static void a_bundle_fills_another_store(void **state)
{
    (void)state;
    PLACE(p, genoa);
    PLACE(q, genoa);
    TST_AUTO_BUF text = {0};
    TST_AUTO_BUF again = {0};
    TST_AUTO_ERROR err = NULL;
    struct collateral_import in;
    size_t count = 0;
    fill(&p);
    assert_done(collateral_export(p.store, NOW, &text, &count, &err), err);
    assert_int_equal(count, 5); /* ASK, ARK, CRL, two VCEKs */
    assert_done(collateral_import(q.store, text.p, text.n, NOW, &in, &err), err);
    json_decref(in.refusals);
    assert_int_equal(in.added, 4);
    assert_int_equal(in.replaced + in.kept + in.refused, 0);
    assert_done(collateral_export(q.store, NOW, &again, &count, &err), err);
    assert_int_equal(again.n, text.n);
    assert_memory_equal(again.p, text.p, text.n);
    assert_done(collateral_import(q.store, text.p, text.n, NOW, &in, &err), err);
    json_decref(in.refusals);
    assert_int_equal(in.kept, 4);
}

static void the_order_in_a_bundle_does_not_matter(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_BUF text = {0};
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_CRL crl = unit_crl(genoa, 5, NOW - DAY_S, NOW + DAY_S, NULL);
    struct collateral_import in;
    const struct tst_cert *certs[] = {chip->vcek, genoa->ask, genoa->ark};
    uint8_t *der = NULL;
    size_t n = 0;
    assert_int_equal(tst_crl_to_der(crl, &der, &n, NULL), 0);
    tst_pem_put(&text, "X509 CRL", der, n, NULL);
    free(der);
    for (size_t i = 0; i < TST_COUNT(certs); i++) {
        assert_int_equal(tst_cert_to_der(certs[i], &der, &n, NULL), 0);
        tst_pem_put(&text, "CERTIFICATE", der, n, NULL);
        free(der);
    }
    assert_done(collateral_import(p.store, text.p, text.n, NOW, &in, &err), err);
    assert_int_equal(json_array_size(in.refusals), 0);
    json_decref(in.refusals);
    assert_int_equal(in.added, 3);
}

static void what_does_not_verify_is_named_and_the_rest_goes_in(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_BUF text = {0};
    TST_AUTO_ERROR err = NULL;
    struct collateral_import in;
    const struct tst_cert *certs[] = {genoa->ask, genoa->ark, chip->vcek, of_milan->vcek};
    for (size_t i = 0; i < TST_COUNT(certs); i++) {
        TST_AUTO_STR pem = NULL;
        tst_cert_to_pem(certs[i], &pem, NULL);
        tst_buf_put(&text, pem, strlen(pem), NULL);
    }
    assert_done(collateral_import(p.store, text.p, text.n, NOW, &in, &err), err);
    assert_int_equal(in.added, 2);
    assert_int_equal(in.refused, 1);
    assert_non_null(strstr(json_string_value(json_array_get(in.refusals, 0)), "no chain of milan"));
    json_decref(in.refusals);
}

static void a_bundle_of_a_stranger_brings_nothing(void **state)
{
    (void)state;
    PLACE(p, genoa);
    PLACE(q, NULL);
    TST_AUTO_BUF text = {0};
    TST_AUTO_ERROR err = NULL;
    struct collateral_import in;
    size_t count;
    fill(&p);
    assert_done(collateral_export(p.store, NOW, &text, &count, &err), err);
    assert_done(collateral_import(q.store, text.p, text.n, NOW, &in, &err), err);
    json_decref(in.refusals);
    assert_int_equal(in.added, 0);
    assert_int_equal(in.refused, 5); /* the root too */
    in_store(&q, "test -z \"$(ls -A)\"");
}

static void text_that_is_no_bundle_is_refused(void **state)
{
    (void)state;
    PLACE(p, genoa);
    static const char *const texts[] = {
        "", "hello\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n"};
    for (size_t i = 0; i < TST_COUNT(texts); i++) {
        struct collateral_import in;
        TST_AUTO_ERROR err = NULL;
        assert_int_equal(collateral_import(p.store, texts[i], strlen(texts[i]), NOW, &in, &err), -TST_USAGE);
        json_decref(in.refusals);
    }
    in_store(&p, "test -z \"$(ls -A)\"");
}

static void what_is_over_is_not_exported(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_BUF text = {0};
    size_t count;
    fill(&p);
    assert_int_equal(collateral_export(p.store, FIXTURE_FROM + 8 * 366 * (time_t)DAY_S, &text, &count, NULL), 0);
    assert_int_equal(count, 3); /* chain and, for what it revokes, the list */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_again_is_kept),
        cmocka_unit_test(files_are_readable_by_all_whatever_the_umask),
        cmocka_unit_test(a_root_that_nobody_named_is_refused),
        cmocka_unit_test(a_vek_without_its_chain_is_refused),
        cmocka_unit_test(another_vek_than_was_asked_for_is_refused),
        cmocka_unit_test(what_is_not_valid_today_is_refused),
        cmocka_unit_test(chains_that_are_none_are_refused),
        cmocka_unit_test(lists_that_could_be_kept_for_ever_are_refused),
        cmocka_unit_test(the_number_never_goes_back),
        cmocka_unit_test(an_empty_store_completes_nothing),
        cmocka_unit_test(a_report_gets_its_own_chips_vcek),
        cmocka_unit_test(what_the_evidence_brings_stays),
        cmocka_unit_test(evidence_of_a_root_that_the_store_lacks_gets_nothing),
        cmocka_unit_test(a_damaged_file_is_named),
        cmocka_unit_test(links_and_other_files_are_not_followed),
        cmocka_unit_test(a_list_verifies_every_file_again),
        cmocka_unit_test(a_certificate_in_the_wrong_place_is_seen),
        cmocka_unit_test(a_swapped_chain_is_seen),
        cmocka_unit_test(a_crl_that_was_brought_back_is_seen),
        cmocka_unit_test(a_bundle_fills_another_store),
        cmocka_unit_test(the_order_in_a_bundle_does_not_matter),
        cmocka_unit_test(what_does_not_verify_is_named_and_the_rest_goes_in),
        cmocka_unit_test(a_bundle_of_a_stranger_brings_nothing),
        cmocka_unit_test(text_that_is_no_bundle_is_refused),
        cmocka_unit_test(what_is_over_is_not_exported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
