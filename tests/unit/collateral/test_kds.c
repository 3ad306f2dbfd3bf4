/* SPDX-License-Identifier: Apache-2.0 */
/* test_kds.c - fetching from a real HTTP server: what it is asked for, how often, and what a bad answer does. */
#include <sys/wait.h>

#include "tests/unit/collateral/kds_server.h"
#include "tests/unit/collateral/unit.h"

#define CHIPS 3
static struct amd_root *genoa, *turin, *stranger;
static struct kds_server server;
static struct tst_snp_report reports[CHIPS];
static uint8_t raws[CHIPS][TST_SNP_REPORT_BYTES];
#define NOW FIXTURE_NOW

static int setup(void **state)
{
    (void)state;
    genoa = fixture_root();
    turin = fixture_root_as(genoa, TST_SNP_TURIN);
    stranger = fixture_root_as(genoa, TST_SNP_MILAN);
    server = (struct kds_server){.root = genoa, .wrong_root = stranger, .chip_count = CHIPS, .crl_count = 3};
    for (size_t i = 0; i < CHIPS; i++) {
        server.chips[i] = fixture_chip(genoa, NULL);
        reports[i] = unit_report(server.chips[i], raws[i]);
    }
    server.crls[0] = unit_crl(genoa, 7, NOW - 5 * DAY_S, NOW + 40 * DAY_S, NULL);
    server.crls[1] = unit_crl(genoa, 9, NOW - DAY_S, NOW + 45 * DAY_S, NULL);
    server.crls[2] = unit_crl(stranger, 8, NOW - DAY_S, NOW + 45 * DAY_S, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHIPS; i++)
        amd_chip_free(server.chips[i]);
    for (size_t i = 0; i < server.crl_count; i++)
        tst_crl_free(server.crls[i]);
    amd_root_free(genoa);
    amd_root_free(turin);
    amd_root_free(stranger);
    return 0;
}

static int serve(void **state)
{
    (void)state;
    kds_server_start(&server);
    return 0;
}

static int silence(void **state)
{
    (void)state;
    kds_server_stop(&server);
    return 0;
}

static struct collateral_kds asking(unsigned total_ms)
{
    return (struct collateral_kds){.base_url = server.url, .total_ms = total_ms, .request_ms = 1000, .backoff_ms = 40};
}

static int fetch(struct place *p, const struct collateral_kds *kds, size_t chip, struct tst_error **err)
{
    struct collateral_fetched f;
    int rc = collateral_fetch_report(p->store, kds, &reports[chip], TST_SNP_UNKNOWN, NOW, &f, err);
    collateral_fetched_clear(&f);
    return rc;
}

static int count_item(void *ctx, const struct collateral_item *item, struct tst_error **err)
{
    size_t *counts = ctx;
    (void)err;
    assert_null(item->problem);
    counts[item->kind]++;
    return 0;
}

static void assert_holds(const struct place *p, size_t chains, size_t veks, size_t crls)
{
    size_t counts[3] = {0};
    assert_int_equal(collateral_each(p->store, NOW, count_item, counts, NULL), 0);
    assert_int_equal(counts[COLLATERAL_CHAIN], chains);
    assert_int_equal(counts[COLLATERAL_VEK], veks);
    assert_int_equal(counts[COLLATERAL_CRL], crls);
}

/* ---- what is asked for ---- */
static void a_report_needs_three_requests_and_then_none(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    const struct collateral_kds kds = asking(5000);
    struct collateral_fetched f;
    assert_done(collateral_fetch_report(p.store, &kds, &reports[0], TST_SNP_UNKNOWN, NOW, &f, &err), err);
    assert_int_equal(f.count, 3);
    for (size_t i = 0; i < f.count; i++)
        assert_true(f.steps[i].asked && !f.steps[i].failed);
    collateral_fetched_clear(&f);
    assert_int_equal(kds_requests(&server), 3);
    assert_holds(&p, 1, 1, 1);
    assert_done(fetch(&p, &kds, 0, &err), err);
    assert_int_equal(kds_requests(&server), 3);
    assert_done(fetch(&p, &kds, 1, &err), err);
    assert_int_equal(kds_requests(&server), 4); /* another chip: its VCEK only */
}

static void what_was_fetched_makes_the_report_verify(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_POLICY policy = NULL;
    TST_AUTO_VERDICT v = NULL;
    TST_AUTO_CRL crl = NULL;
    struct tst_cert_info info;
    struct tst_evidence evidence = {.report = {raws[1], TST_SNP_REPORT_BYTES}};
    struct tst_appraise_in in = {.evidence = &evidence, .now = NOW};
    char root[65], text[256];
    const struct collateral_kds kds = asking(5000);
    assert_done(fetch(&p, &kds, 1, &err), err);
    assert_done(collateral_complete(p.store, &reports[1], TST_SNP_UNKNOWN, &evidence.certs, &crl, &in.crl_number_seen, &err), err);
    in.crl = crl;
    assert_int_equal(in.crl_number_seen, 7);
    assert_int_equal(tst_cert_info(genoa->ark, &info, NULL), 0);
    tst_hex(info.spki_sha256, sizeof info.spki_sha256, root);
    snprintf(text, sizeof text, "name: test\nsimulated: {allow: [\"%s\"]}\nproducts: [genoa]\ncrl: {mode: require}\n", root);
    assert_done(tst_policy_parse("p", text, strlen(text), NULL, NULL, &policy, &err), err);
    in.policy = policy;
    assert_done(tst_appraise(&in, &v, &err), err);
    for (size_t i = 0; i < v->check_count; i++)
        if (v->checks[i].info->authenticity || strcmp(v->checks[i].info->id, "policy.crl") == 0)
            if (v->checks[i].outcome != TST_CHECK_PASS && v->checks[i].outcome != TST_CHECK_SKIP)
                fail_msg("%s: %s", v->checks[i].info->id, v->checks[i].found);
    tst_snp_certs_clear(&evidence.certs);
}

static void a_turin_is_asked_for_by_eight_bytes_and_fmc(void **state)
{
    (void)state;
    struct kds_server own = {.root = turin, .wrong_root = turin, .chip_count = 1, .crl_count = 1};
    own.chips[0] = fixture_chip(turin, NULL);
    own.crls[0] = unit_crl(turin, 1, NOW - DAY_S, NOW + DAY_S, NULL);
    kds_server_start(&own);
    PLACE(p, turin);
    TST_AUTO_ERROR err = NULL;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    const struct tst_snp_report report = unit_report(own.chips[0], raw);
    struct collateral_fetched f;
    char hwid[17], want[256];
    struct collateral_kds kds = asking(5000);
    kds.base_url = own.url;
    assert_done(collateral_fetch_report(p.store, &kds, &report, TST_SNP_UNKNOWN, NOW, &f, &err), err);
    collateral_fetched_clear(&f);
    tst_hex(own.chips[0]->id, 8, hwid);
    snprintf(want, sizeof want, "/vcek/v1/Turin/%s?fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81", hwid);
    assert_string_equal(own.shared->last_vek, want);
    kds_server_stop(&own);
    amd_chip_free(own.chips[0]);
    tst_crl_free(own.crls[0]);
}

/* ---- many at once ---- */
#define PROCESSES 16

/* Each process fetches for reports[i % chips] in a store handle of its own. Returns how many failed. */
static int fetch_in_processes(const struct place *p, size_t chips, unsigned total_ms)
{
    pid_t pids[PROCESSES];
    int failed = 0;
    fflush(NULL);
    for (size_t i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            struct place own = {.store = NULL};
            const struct collateral_kds kds = asking(total_ms);
            if (collateral_open(p->dir, false, &own.store, NULL))
                _exit(2);
            place_trust(&own, genoa);
            _exit(fetch(&own, &kds, i % chips, NULL) ? 1 : 0);
        }
    }
    for (size_t i = 0; i < PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        failed += status != 0;
    }
    return failed;
}

static void sixteen_processes_ask_once_for_one_chip(void **state)
{
    (void)state;
    PLACE(p, genoa);
    assert_int_equal(fetch_in_processes(&p, 1, 30000), 0);
    assert_int_equal(server.shared->veks, 1);
    assert_int_equal(server.shared->chains, 1);
    assert_int_equal(server.shared->crls, 1);
    assert_holds(&p, 1, 1, 1);
}

static void sixteen_processes_ask_once_for_each_of_three_chips(void **state)
{
    (void)state;
    PLACE(p, genoa);
    assert_int_equal(fetch_in_processes(&p, CHIPS, 30000), 0);
    assert_int_equal(server.shared->veks, CHIPS);
    assert_int_equal(server.shared->chains, 1);
    assert_holds(&p, 1, CHIPS, 1);
}

static void sixteen_processes_wait_together_when_the_service_is_busy(void **state)
{
    (void)state;
    PLACE(p, genoa);
    kds_server_mood(&server, KDS_BUSY, 1);
    assert_int_equal(fetch_in_processes(&p, 1, 30000), 0);
    assert_int_equal(kds_requests(&server), 4); /* the one that was sent away, and three */
}

static void sixteen_processes_ask_once_for_what_does_not_exist(void **state)
{
    (void)state;
    PLACE(p, genoa);
    const struct collateral_kds kds = asking(5000);
    assert_int_equal(collateral_fetch_chain(p.store, &kds, TST_SNP_GENOA, false, NOW, NULL, NULL), 0);
    assert_int_equal(collateral_fetch_crl(p.store, &kds, TST_SNP_GENOA, false, DAY_S, NOW, NULL, NULL), 0);
    kds_server_mood(&server, KDS_UNKNOWING, -1);
    assert_int_equal(fetch_in_processes(&p, 1, 30000), PROCESSES);
    assert_int_equal(server.shared->veks, 1);
}

/* ---- answers that are none ---- */
static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void retry_after_is_honoured(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    const struct collateral_kds kds = asking(10000);
    double before = seconds_now();
    kds_server_mood(&server, KDS_BUSY, 1);
    assert_done(fetch(&p, &kds, 0, &err), err);
    assert_true(seconds_now() - before >= 0.95);
    assert_int_equal(kds_requests(&server), 4);
}

static void within_retry_after_nobody_asks_again(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    const struct collateral_kds kds = asking(0);
    kds_server_mood(&server, KDS_BUSY, 1);
    assert_int_equal(fetch(&p, &kds, 0, &err), -TST_UNREACHABLE);
    assert_non_null(strstr(err->text, "429"));
    assert_non_null(strstr(err->fix, "try again in 1 s"));
    assert_int_equal(fetch(&p, &kds, 0, &err), -TST_UNREACHABLE);
    assert_int_equal(kds_requests(&server), 1);
}

static void back_off_grows_and_is_bounded(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    const struct collateral_kds kds = asking(1000);
    double before = seconds_now();
    kds_server_mood(&server, KDS_BROKEN, -1);
    assert_int_equal(fetch(&p, &kds, 0, &err), -TST_UNREACHABLE);
    assert_true(seconds_now() - before < 1.5);
    assert_in_range(kds_requests(&server), 3, 5); /* 40, 80, 160, 320, 640 ms and up to a quarter more */
    assert_holds(&p, 0, 0, 0);
}

static void a_service_that_recovers_is_asked_until_it_answers(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    const struct collateral_kds kds = asking(10000);
    kds_server_mood(&server, KDS_BROKEN, 3);
    assert_done(fetch(&p, &kds, 0, &err), err);
    assert_int_equal(kds_requests(&server), 6);
}

static void what_the_service_does_not_have_is_remembered(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    struct collateral_kds kds = asking(1000);
    kds_server_mood(&server, KDS_UNKNOWING, -1);
    assert_int_equal(fetch(&p, &kds, 0, &err), -TST_NOT_FOUND);
    assert_non_null(strstr(err->text, "404"));
    kds_server_mood(&server, KDS_HELPFUL, -1);
    assert_int_equal(fetch(&p, &kds, 0, &err), -TST_NOT_FOUND);
    assert_int_equal(kds_requests(&server), 1);
    kds.retry_absent = true;
    tst_error_free(TST_STEAL(err));
    assert_done(fetch(&p, &kds, 0, &err), err);
}

static void a_mirror_that_lacks_it_does_not_speak_for_another(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR other = tst_strdup_printf("%s/", server.url);
    struct collateral_kds kds = asking(1000);
    kds.base_url = other; /* "//vcek": this server knows no such address */
    assert_int_not_equal(fetch(&p, &kds, 0, &err), 0);
    tst_error_free(TST_STEAL(err));
    kds.base_url = server.url;
    assert_done(fetch(&p, &kds, 0, &err), err);
}

static void a_truncated_answer_is_asked_again(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    const struct collateral_kds kds = asking(10000);
    kds_server_mood(&server, KDS_TRUNCATED, 2);
    assert_done(fetch(&p, &kds, 0, &err), err);
    assert_int_equal(kds_requests(&server), 5);
    assert_holds(&p, 1, 1, 1);
}

/* Fetches the chain first, so that the mood meets the VCEK. */
static int fetch_vek_in_mood(struct place *p, enum kds_mood mood, struct tst_error **err)
{
    struct tst_snp_vek_id id;
    const struct collateral_kds kds = asking(600);
    assert_int_equal(tst_snp_vek_id_of_report(&reports[1], TST_SNP_UNKNOWN, &id, NULL), 0);
    assert_int_equal(collateral_fetch_chain(p->store, &kds, TST_SNP_GENOA, false, NOW, NULL, NULL), 0);
    kds_server_mood(&server, mood, -1);
    return collateral_fetch_vek(p->store, &kds, &id, NOW, NULL, err);
}

static void wrong_answers_are_refused_and_not_stored(void **state)
{
    (void)state;
    static const enum kds_mood moods[] = {KDS_CUT, KDS_WRONG};
    for (size_t i = 0; i < TST_COUNT(moods); i++) {
        PLACE(p, genoa);
        TST_AUTO_ERROR err = NULL;
        int before = server.shared->veks;
        kds_server_mood(&server, KDS_HELPFUL, -1);
        assert_int_equal(fetch_vek_in_mood(&p, moods[i], &err), -TST_REFUTED);
        assert_non_null(strstr(err->text, "answered with something else"));
        assert_int_equal(fetch_vek_in_mood(&p, moods[i], &err), -TST_REFUTED);
        assert_int_equal(server.shared->veks - before, 1); /* not again within a minute */
        assert_holds(&p, 1, 0, 0);
    }
}

static void a_chain_of_another_product_or_root_is_refused(void **state)
{
    (void)state;
    PLACE(p, genoa);
    PLACE(nobody, NULL);
    TST_AUTO_ERROR err = NULL;
    const struct collateral_kds kds = asking(600);
    kds_server_mood(&server, KDS_WRONG, -1);
    assert_int_equal(fetch(&p, &kds, 0, &err), -TST_REFUTED);
    assert_holds(&p, 0, 0, 0);
    kds_server_mood(&server, KDS_HELPFUL, -1);
    assert_int_equal(fetch(&nobody, &kds, 0, &err), -TST_REFUTED);
    assert_non_null(strstr(err->text, "is not AMD's"));
    assert_holds(&nobody, 0, 0, 0);
}

static void an_endless_answer_is_cut_off(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(fetch_vek_in_mood(&p, KDS_HUGE, &err), -TST_TOO_LARGE);
    assert_holds(&p, 1, 0, 0);
}

static void a_slow_answer_is_not_waited_for(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    double before = seconds_now();
    assert_int_equal(fetch_vek_in_mood(&p, KDS_SLOW, &err), -TST_UNREACHABLE);
    assert_true(seconds_now() - before < KDS_SLOW_S - 0.5);
}

static void nobody_listening_is_unreachable(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    struct collateral_kds kds = asking(0);
    kds.base_url = "http://127.0.0.1:1";
    assert_int_equal(fetch(&p, &kds, 0, &err), -TST_UNREACHABLE);
    assert_non_null(strstr(err->text, "127.0.0.1:1"));
}

static void other_protocols_are_not_spoken(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    struct collateral_kds kds = asking(0);
    kds.base_url = "file:///etc";
    assert_int_equal(fetch(&p, &kds, 0, &err), -TST_USAGE);
}

static void offline_asks_nobody(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    struct collateral_kds kds = asking(1000);
    kds.offline = true;
    assert_int_equal(fetch(&p, &kds, 0, &err), -TST_UNREACHABLE);
    assert_int_equal(kds_requests(&server), 0);
    kds.offline = false;
    tst_error_free(TST_STEAL(err));
    assert_done(fetch(&p, &kds, 0, &err), err);
    kds.offline = true;
    assert_done(fetch(&p, &kds, 0, &err), err);
}

/* ---- revocation lists ---- */
static void a_list_is_looked_for_again_after_its_age(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    const struct collateral_kds kds = asking(1000);
    bool asked;
    assert_done(fetch(&p, &kds, 0, &err), err);
    assert_done(collateral_fetch_crl(p.store, &kds, TST_SNP_GENOA, false, DAY_S, NOW, &asked, &err), err);
    assert_false(asked);
    fs_sleep_ms(1100);
    server.shared->crl_index = 1;
    assert_done(collateral_fetch_crl(p.store, &kds, TST_SNP_GENOA, false, 0, NOW, &asked, &err), err);
    assert_true(asked);
}

static void a_service_that_goes_back_in_number_is_refused(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    const struct collateral_kds kds = asking(1000);
    struct tst_snp_certs certs = {0};
    TST_AUTO_CRL crl = NULL;
    uint64_t seen;
    server.shared->crl_index = 1;
    assert_done(fetch(&p, &kds, 0, &err), err);
    fs_sleep_ms(1100);
    server.shared->crl_index = 0;
    assert_int_equal(collateral_fetch_crl(p.store, &kds, TST_SNP_GENOA, false, 0, NOW, NULL, &err), -TST_REFUTED);
    assert_non_null(strstr(err->text, "rolled back"));
    assert_int_equal(collateral_complete(p.store, &reports[0], TST_SNP_UNKNOWN, &certs, &crl, &seen, NULL), 0);
    assert_int_equal(tst_crl_info(crl)->number, 9);
    assert_int_equal(seen, 9);
    tst_snp_certs_clear(&certs);
}

static int count_step(void *ctx, enum tst_snp_product product, const struct collateral_step *step, struct tst_error **err)
{
    (void)err;
    assert_int_equal(product, TST_SNP_GENOA);
    assert_false(step->failed);
    *(int *)ctx += step->asked;
    return 0;
}

static void refresh_gets_the_list_and_leaves_what_is_good(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    const struct collateral_kds kds = asking(1000);
    int asked = 0;
    assert_done(fetch(&p, &kds, 0, &err), err);
    fs_sleep_ms(1100);
    assert_done(collateral_refresh(p.store, &kds, NOW, count_step, &asked, &err), err);
    assert_int_equal(asked, 1);
    assert_int_equal(server.shared->crls, 2);
    assert_int_equal(kds_requests(&server), 4);
}

static void refresh_replaces_a_damaged_vcek(void **state)
{
    (void)state;
    PLACE(p, genoa);
    TST_AUTO_ERROR err = NULL;
    char command[256];
    const struct collateral_kds kds = asking(1000);
    assert_done(fetch(&p, &kds, 0, &err), err);
    snprintf(command, sizeof command, "f=$(find %s -path '*/vcek/*.der') && : >$f", p.dir);
    assert_int_equal(system(command), 0);
    assert_done(fetch(&p, &kds, 0, &err), err); /* damaged counts as not there */
    assert_int_equal(server.shared->veks, 2);
    assert_holds(&p, 1, 1, 1);
}

#define served(test) cmocka_unit_test_setup_teardown(test, serve, silence)
int main(void)
{
    unsetenv("http_proxy");
    const struct CMUnitTest tests[] = {
        served(a_report_needs_three_requests_and_then_none),
        served(what_was_fetched_makes_the_report_verify),
        served(a_turin_is_asked_for_by_eight_bytes_and_fmc),
        served(sixteen_processes_ask_once_for_one_chip),
        served(sixteen_processes_ask_once_for_each_of_three_chips),
        served(sixteen_processes_wait_together_when_the_service_is_busy),
        served(sixteen_processes_ask_once_for_what_does_not_exist),
        served(retry_after_is_honoured),
        served(within_retry_after_nobody_asks_again),
        served(back_off_grows_and_is_bounded),
        served(a_service_that_recovers_is_asked_until_it_answers),
        served(what_the_service_does_not_have_is_remembered),
        served(a_mirror_that_lacks_it_does_not_speak_for_another),
        served(a_truncated_answer_is_asked_again),
        served(wrong_answers_are_refused_and_not_stored),
        served(a_chain_of_another_product_or_root_is_refused),
        served(an_endless_answer_is_cut_off),
        served(a_slow_answer_is_not_waited_for),
        served(nobody_listening_is_unreachable),
        served(other_protocols_are_not_spoken),
        served(offline_asks_nobody),
        served(a_list_is_looked_for_again_after_its_age),
        served(a_service_that_goes_back_in_number_is_refused),
        served(refresh_gets_the_list_and_leaves_what_is_good),
        served(refresh_replaces_a_damaged_vcek),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
