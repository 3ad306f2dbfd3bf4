/* SPDX-License-Identifier: Apache-2.0 */
/* test_crl_policy.c - what a policy makes of a revocation list, of a VLEK and of masks. */
#include "tests/unit/collateral/unit.h"

#define NOW FIXTURE_NOW
static struct amd_root *genoa, *milan;
static struct amd_chip *chip;
static const uint64_t other_serial = 0x77;

static int setup(void **state)
{
    (void)state;
    genoa = fixture_root();
    milan = fixture_root_as(genoa, TST_SNP_MILAN);
    chip = fixture_chip(genoa, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    amd_chip_free(chip);
    amd_root_free(genoa);
    amd_root_free(milan);
    return 0;
}

struct bench {
    struct sim_report report;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    struct tst_evidence evidence;
    struct tst_appraise_in in;
    struct tst_policy *policy;
    struct tst_verdict *verdict;
    struct tst_cert *vlek; /* owned, with its ASVK */
    struct tst_cert *asvk;
};

static void bench_clear(struct bench *b)
{
    tst_policy_free(b->policy);
    tst_verdict_free(b->verdict);
    tst_cert_free(b->vlek);
    tst_cert_free(b->asvk);
}
#define BENCH(b)                                                                   \
    struct bench b __attribute__((cleanup(bench_clear))) = {.in = {.now = NOW}};   \
    b.report = sim_report_of(chip, 3)

static const struct tst_check *judge(struct bench *b, const char *more, const char *id)
{
    TST_AUTO_ERROR err = NULL;
    struct tst_cert_info info;
    char root[65], text[512];
    tst_policy_free(TST_STEAL(b->policy));
    tst_verdict_free(TST_STEAL(b->verdict));
    assert_int_equal(tst_cert_info(genoa->ark, &info, NULL), 0);
    tst_hex(info.spki_sha256, sizeof info.spki_sha256, root);
    snprintf(text, sizeof text, "name: test\nsimulated: {allow: [\"%s\"]}\nproducts: [genoa]\n%s\n", root, more);
    assert_done(tst_policy_parse("p", text, strlen(text), NULL, NULL, &b->policy, &err), err);
    assert_done(sim_report_sign(&b->report, chip->vcek_key, b->raw, &err), err);
    b->evidence = (struct tst_evidence){{b->raw, sizeof b->raw}, amd_certs_of(genoa, chip)};
    if (b->vlek) {
        b->evidence.certs.vek = b->vlek;
        b->evidence.certs.ask = b->asvk;
    }
    b->in.evidence = &b->evidence;
    b->in.policy = b->policy;
    assert_done(tst_appraise(&b->in, &b->verdict, &err), err);
    for (size_t i = 0; i < b->verdict->check_count; i++)
        if (strcmp(b->verdict->checks[i].info->id, id) == 0)
            return &b->verdict->checks[i];
    fail_msg("no check %s", id);
    return NULL;
}

#define REQUIRE "crl: {mode: require}"
#define IF_PRESENT "crl: {mode: if-present}"
#define OFF "crl: {mode: off}"

static void assert_crl(struct bench *b, const char *mode, enum tst_outcome outcome, const char *words)
{
    const struct tst_check *c = judge(b, mode, "policy.crl");
    if (c->outcome != outcome || !strstr(c->found, words))
        fail_msg("%s: outcome %d, '%s'; expected %d, '%s'", mode, (int)c->outcome, c->found, (int)outcome, words);
}

static void without_a_list_only_require_is_undecided(void **state)
{
    (void)state;
    BENCH(b);
    assert_crl(&b, REQUIRE, TST_CHECK_MISSING, "no CRL");
    assert_crl(&b, "", TST_CHECK_MISSING, "no CRL"); /* the default */
    assert_crl(&b, IF_PRESENT, TST_CHECK_PASS, "none given");
    assert_crl(&b, OFF, TST_CHECK_PASS, "asks for none");
}

static void a_fresh_list_decides(void **state)
{
    (void)state;
    BENCH(b);
    TST_AUTO_CRL crl = unit_crl(genoa, 5, NOW - DAY_S, NOW + DAY_S, &other_serial);
    b.in.crl = crl;
    b.in.crl_number_seen = 5;
    assert_crl(&b, REQUIRE, TST_CHECK_PASS, "CRL number 5");
    assert_crl(&b, IF_PRESENT, TST_CHECK_PASS, "CRL number 5");
}

static void both_ends_of_a_list_are_exact(void **state)
{
    (void)state;
    BENCH(b);
    TST_AUTO_CRL crl = unit_crl(genoa, 5, NOW - DAY_S, NOW + DAY_S, NULL);
    b.in.crl = crl;
    b.in.now = NOW - DAY_S;
    assert_crl(&b, REQUIRE, TST_CHECK_PASS, "good until");
    b.in.now = NOW - DAY_S - 1;
    assert_crl(&b, REQUIRE, TST_CHECK_FAIL, "from the future");
    b.in.now = NOW + DAY_S;
    assert_crl(&b, REQUIRE, TST_CHECK_PASS, "good until");
    b.in.now = NOW + DAY_S + 1;
    assert_crl(&b, REQUIRE, TST_CHECK_FAIL, "stale: the next one was due");
}

static void a_stale_list_is_refused_where_one_is_required(void **state)
{
    (void)state;
    BENCH(b);
    TST_AUTO_CRL due = unit_crl(genoa, 5, NOW - 9 * DAY_S, NOW - DAY_S, NULL);
    TST_AUTO_CRL endless = unit_crl(genoa, 5, NOW - DAY_S, 0, NULL);
    TST_AUTO_CRL old = unit_crl(genoa, 5, NOW - 8 * DAY_S, NOW + DAY_S, NULL);
    b.in.crl = due;
    assert_crl(&b, REQUIRE, TST_CHECK_FAIL, "the next one was due");
    assert_crl(&b, IF_PRESENT, TST_CHECK_PASS, "the next one was due");
    b.in.crl = endless;
    assert_crl(&b, REQUIRE, TST_CHECK_FAIL, "does not say when the next one comes");
    assert_crl(&b, IF_PRESENT, TST_CHECK_PASS, "does not say when");
    b.in.crl = old;
    assert_crl(&b, "crl: {mode: require, max-age-d: 8}", TST_CHECK_PASS, "CRL number 5");
    assert_crl(&b, "crl: {mode: require, max-age-d: 7}", TST_CHECK_FAIL, "older than the policy's 7 days");
}

static void a_revoked_chain_is_refused_in_every_mode_that_looks(void **state)
{
    (void)state;
    BENCH(b);
    const uint64_t ask = genoa->product->ask_serial;
    TST_AUTO_CRL fresh = unit_crl(genoa, 5, NOW - DAY_S, NOW + DAY_S, &ask);
    TST_AUTO_CRL stale = unit_crl(genoa, 5, NOW - 9 * DAY_S, NOW - DAY_S, &ask);
    b.in.crl = fresh;
    assert_crl(&b, REQUIRE, TST_CHECK_FAIL, "'SEV-Genoa' is revoked since");
    assert_int_equal(tst_verdict_exit_status(b.verdict), 4);
    assert_crl(&b, OFF, TST_CHECK_PASS, "");
    b.in.crl = stale;
    assert_crl(&b, REQUIRE, TST_CHECK_FAIL, "is revoked");
    assert_crl(&b, IF_PRESENT, TST_CHECK_FAIL, "is revoked");
}

static void a_rolled_back_list_is_refused(void **state)
{
    (void)state;
    BENCH(b);
    TST_AUTO_CRL crl = unit_crl(genoa, 5, NOW - DAY_S, NOW + DAY_S, NULL);
    b.in.crl = crl;
    b.in.crl_number_seen = 6;
    assert_crl(&b, REQUIRE, TST_CHECK_FAIL, "rolled back");
    assert_crl(&b, IF_PRESENT, TST_CHECK_FAIL, "rolled back");
}

static void a_list_of_another_root_is_refused(void **state)
{
    (void)state;
    BENCH(b);
    TST_AUTO_CRL crl = unit_crl(milan, 5, NOW - DAY_S, NOW + DAY_S, NULL);
    b.in.crl = crl;
    assert_crl(&b, REQUIRE, TST_CHECK_FAIL, "another name");
    assert_crl(&b, IF_PRESENT, TST_CHECK_FAIL, "another name");
}

/* ---- VLEK ---- */
#define OID "1.3.6.1.4.1.3704.1."
/* A VLEK of the fixture's root that has the chip's key, so that sim_report_sign signs with it. */
static void bench_vlek(struct bench *b)
{
    static const uint8_t zero[] = {2, 1, 0}, name[] = {0x16, 5, 'G', 'e', 'n', 'o', 'a'}, csp[] = {0x16, 6, 'C', 'N', '=', 'c', 's', 'p'};
    const uint8_t bl[] = {2, 1, chip->tcb.bootloader}, snp[] = {2, 1, chip->tcb.snp}, ucode[] = {2, 1, chip->tcb.microcode};
    const struct tst_cert_ext_spec exts[] = {
        {OID "1", {zero, 3}},   {OID "2", {name, 7}},   {OID "3.1", {bl, 3}},   {OID "3.2", {zero, 3}}, {OID "3.3", {snp, 3}},
        {OID "3.4", {zero, 3}}, {OID "3.5", {zero, 3}}, {OID "3.6", {zero, 3}}, {OID "3.7", {zero, 3}}, {OID "3.8", {ucode, 3}},
        {OID "5", {csp, 8}}};
    struct tst_cert_spec spec = {.cn = "SEV-VLEK-Genoa", .o = "SIMULATED", .serial = 0x20101, .not_before = FIXTURE_FROM,
                                 .not_after = NOW + 9 * DAY_S, .ca = true};
    assert_int_equal(tst_cert_issue(&spec, genoa->ask_key, genoa->ark, genoa->ark_key, &b->asvk, NULL), 0);
    spec = (struct tst_cert_spec){.cn = "SEV-VLEK", .o = "SIMULATED", .not_before = FIXTURE_FROM, .not_after = NOW + DAY_S,
                                  .exts = exts, .ext_count = TST_COUNT(exts)};
    assert_int_equal(tst_cert_issue(&spec, chip->vcek_key, b->asvk, genoa->ask_key, &b->vlek, NULL), 0);
    b->report.key_info = TST_SNP_KEY_VLEK << 2;
    memset(b->report.chip_id, 0, sizeof b->report.chip_id);
}

static void assert_outcome(struct bench *b, const char *more, const char *id, enum tst_outcome outcome, const char *words)
{
    const struct tst_check *c = judge(b, more, id);
    if (c->outcome != outcome || !strstr(c->found, words))
        fail_msg("%s: outcome %d, '%s'; expected %d, '%s'", id, (int)c->outcome, c->found, (int)outcome, words);
}

static void assert_authentic(const struct tst_verdict *v)
{
    for (size_t i = 0; i < v->check_count; i++)
        if (v->checks[i].info->authenticity && v->checks[i].outcome != TST_CHECK_PASS && v->checks[i].outcome != TST_CHECK_SKIP)
            fail_msg("%s: %s", v->checks[i].info->id, v->checks[i].found);
}

static void a_vlek_is_authentic_and_for_the_policy_to_take(void **state)
{
    (void)state;
    BENCH(b);
    bench_vlek(&b);
    assert_outcome(&b, OFF, "policy.vlek", TST_CHECK_FAIL, "VLEK of CN=csp");
    assert_authentic(b.verdict);
    assert_int_equal(tst_verdict_exit_status(b.verdict), 4);
    assert_outcome(&b, OFF "\nvlek: allow", "policy.vlek", TST_CHECK_PASS, "CN=csp");
    assert_outcome(&b, OFF "\nvlek: allow", "chip.vek", TST_CHECK_PASS, "masked chip id");
}

static void a_vlek_may_come_with_a_chip_id_and_a_masked_chip_key(void **state)
{
    (void)state;
    BENCH(b);
    bench_vlek(&b);
    b.report.key_info |= TST_SNP_KEY_INFO_MASK_CHIP_KEY;
    memcpy(b.report.chip_id, chip->id, sizeof chip->id);
    assert_outcome(&b, OFF, "report.signing-key", TST_CHECK_PASS, "VLEK");
    assert_outcome(&b, OFF, "chip.vek", TST_CHECK_PASS, "the firmware says");
    assert_authentic(b.verdict);
}

static void report_and_certificate_must_agree_on_the_kind_of_key(void **state)
{
    (void)state;
    BENCH(b);
    bench_vlek(&b);
    b.report.key_info = 0;
    assert_outcome(&b, OFF "\nvlek: allow", "report.signing-key", TST_CHECK_FAIL, "the certificate is a VLEK");
    BENCH(other);
    other.report.key_info = TST_SNP_KEY_VLEK << 2;
    assert_outcome(&other, OFF "\nvlek: allow", "report.signing-key", TST_CHECK_FAIL, "the certificate is a VCEK");
}

static void a_masked_chip_key_or_id_is_no_vcek_evidence(void **state)
{
    (void)state;
    BENCH(b);
    b.report.key_info = TST_SNP_KEY_INFO_MASK_CHIP_KEY;
    assert_outcome(&b, OFF, "report.signing-key", TST_CHECK_FAIL, "masks the chip key");
    b.report.key_info = 0;
    memset(b.report.chip_id, 0, sizeof b.report.chip_id);
    assert_outcome(&b, OFF, "chip.vek", TST_CHECK_MISSING, "masks the chip id");
}

static void a_revoked_asvk_refuses_a_vlek_and_no_vcek(void **state)
{
    (void)state;
    const uint64_t asvk = 0x20101;
    TST_AUTO_CRL crl = unit_crl(genoa, 5, NOW - DAY_S, NOW + DAY_S, &asvk);
    BENCH(b);
    b.in.crl = crl;
    assert_crl(&b, REQUIRE, TST_CHECK_PASS, "1 revoked, none of these");
    bench_vlek(&b);
    assert_crl(&b, REQUIRE "\nvlek: allow", TST_CHECK_FAIL, "'SEV-VLEK-Genoa' is revoked");
}

/* ---- Venice ---- */
static void venice_is_known_and_cannot_be_verified(void **state)
{
    (void)state;
    static const uint8_t models[][2] = {{0x50, 0x57}, {0x90, 0xaf}, {0xc0, 0xc7}};
    for (size_t i = 0; i < TST_COUNT(models); i++)
        for (unsigned m = models[i][0]; m <= models[i][1]; m++)
            assert_int_equal(tst_snp_product_of_cpuid(0x1a, (uint8_t)m), TST_SNP_VENICE);
    assert_int_equal(tst_snp_product_of_cpuid(0x1a, 0x58), TST_SNP_UNKNOWN);
    assert_int_equal(tst_snp_product_of_cpuid(0x1a, 0xc8), TST_SNP_UNKNOWN);
    BENCH(b);
    b.report.cpuid_family = 0x1a;
    b.report.cpuid_model = 0x50;
    TST_AUTO_ERROR err = NULL;
    assert_done(sim_report_sign(&b.report, chip->vcek_key, b.raw, &err), err);
    b.evidence = (struct tst_evidence){.report = {b.raw, sizeof b.raw}};
    b.in.evidence = &b.evidence;
    assert_done(tst_appraise(&b.in, &b.verdict, &err), err);
    const struct tst_check *first = tst_verdict_first(b.verdict);
    assert_string_equal(first->info->id, "product");
    assert_non_null(strstr(first->found, "venice"));
    assert_non_null(strstr(first->found, "nothing of it can be verified"));
    assert_int_equal(tst_verdict_exit_status(b.verdict), 3);
}

/* ---- which VEK, and where ---- */
static void the_vek_of_a_report_is_that_of_its_reported_tcb(void **state)
{
    (void)state;
    struct sim_report r = sim_report_of(chip, 3);
    struct tst_snp_report report;
    struct tst_snp_vek_id id;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    TST_AUTO_STR url = NULL;
    char chip_hex[129], want[512];
    r.reported_tcb = (struct tst_snp_tcb){.bootloader = 9, .tee = 1, .snp = 21, .microcode = 72};
    assert_int_equal(sim_report_sign(&r, chip->vcek_key, raw, NULL), 0);
    assert_int_equal(tst_snp_report_parse(raw, sizeof raw, &report, NULL), 0);
    assert_int_equal(tst_snp_vek_id_of_report(&report, TST_SNP_UNKNOWN, &id, NULL), 0);
    url = tst_kds_vcek_url(NULL, &id);
    tst_hex(chip->id, 64, chip_hex);
    snprintf(want, sizeof want, "https://kdsintf.amd.com/vcek/v1/Genoa/%s?blSPL=09&teeSPL=01&snpSPL=21&ucodeSPL=72", chip_hex);
    assert_string_equal(url, want);
}

static int id_of(struct sim_report *r, uint32_t version, enum tst_snp_product hint, struct tst_error **err)
{
    struct tst_snp_report report;
    struct tst_snp_vek_id id;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    r->version = version;
    assert_int_equal(sim_report_sign(r, chip->vcek_key, raw, NULL), 0);
    assert_int_equal(tst_snp_report_parse(raw, sizeof raw, &report, NULL), 0);
    return tst_snp_vek_id_of_report(&report, hint, &id, err);
}

static void a_report_that_does_not_say_its_vek_is_undecidable(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    struct sim_report r = sim_report_of(chip, 3);
    assert_int_equal(id_of(&r, 3, TST_SNP_GENOA, NULL), 0);
    assert_int_equal(id_of(&r, 3, TST_SNP_MILAN, NULL), -TST_REFUTED);
    assert_int_equal(id_of(&r, 2, TST_SNP_GENOA, NULL), 0);
    assert_int_equal(id_of(&r, 2, TST_SNP_UNKNOWN, &err), -TST_UNDECIDABLE);
    assert_non_null(strstr(err->text, "does not name its CPU"));
    assert_int_equal(id_of(&r, 2, TST_SNP_TURIN, NULL), -TST_UNDECIDABLE); /* its chip id is longer than Turin's */
    r.key_info = TST_SNP_KEY_NONE << 2;
    assert_int_equal(id_of(&r, 3, TST_SNP_UNKNOWN, NULL), -TST_UNDECIDABLE);
    r.key_info = TST_SNP_KEY_INFO_MASK_CHIP_KEY;
    assert_int_equal(id_of(&r, 3, TST_SNP_UNKNOWN, NULL), -TST_UNDECIDABLE);
    r.key_info = 0;
    memset(r.chip_id, 0, sizeof r.chip_id);
    assert_int_equal(id_of(&r, 3, TST_SNP_UNKNOWN, &err), -TST_UNDECIDABLE);
    assert_non_null(strstr(err->text, "masks the chip id"));
    r.key_info = TST_SNP_KEY_VLEK << 2; /* a VLEK is for no chip */
    assert_int_equal(id_of(&r, 3, TST_SNP_UNKNOWN, NULL), 0);
}

static void addresses_of_chains_and_lists(void **state)
{
    (void)state;
    TST_AUTO_STR a = tst_kds_chain_url(NULL, TST_SNP_MILAN, true);
    TST_AUTO_STR b = tst_kds_chain_url("http://mirror", TST_SNP_TURIN, false);
    TST_AUTO_STR c = tst_kds_crl_url(NULL, TST_SNP_GENOA, false);
    TST_AUTO_STR d = tst_kds_crl_url(NULL, TST_SNP_GENOA, true);
    assert_string_equal(a, "https://kdsintf.amd.com/vlek/v1/Milan/cert_chain");
    assert_string_equal(b, "http://mirror/vcek/v1/Turin/cert_chain");
    assert_string_equal(c, "https://kdsintf.amd.com/vcek/v1/Genoa/crl");
    assert_string_equal(d, "https://kdsintf.amd.com/vlek/v1/Genoa/crl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_list_only_require_is_undecided),
        cmocka_unit_test(a_fresh_list_decides),
        cmocka_unit_test(both_ends_of_a_list_are_exact),
        cmocka_unit_test(a_stale_list_is_refused_where_one_is_required),
        cmocka_unit_test(a_revoked_chain_is_refused_in_every_mode_that_looks),
        cmocka_unit_test(a_rolled_back_list_is_refused),
        cmocka_unit_test(a_list_of_another_root_is_refused),
        cmocka_unit_test(a_vlek_is_authentic_and_for_the_policy_to_take),
        cmocka_unit_test(a_vlek_may_come_with_a_chip_id_and_a_masked_chip_key),
        cmocka_unit_test(report_and_certificate_must_agree_on_the_kind_of_key),
        cmocka_unit_test(a_masked_chip_key_or_id_is_no_vcek_evidence),
        cmocka_unit_test(a_revoked_asvk_refuses_a_vlek_and_no_vcek),
        cmocka_unit_test(venice_is_known_and_cannot_be_verified),
        cmocka_unit_test(the_vek_of_a_report_is_that_of_its_reported_tcb),
        cmocka_unit_test(a_report_that_does_not_say_its_vek_is_undecidable),
        cmocka_unit_test(addresses_of_chains_and_lists),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
