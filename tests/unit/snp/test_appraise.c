/* SPDX-License-Identifier: Apache-2.0 */
/* test_appraise.c - evidence of makers of our own against policies: each thing that may be wrong is refused by the check
 * that is named for it, and nothing else is. */
#include "evidence.h"

#include <stdio.h>
#include <stdlib.h>

/* One Genoa maker, one Turin maker, and a second Genoa maker that the policy does not name. RSA keys are slow to make. */
static struct maker genoa, turin, stranger;

static int make_makers(void **state)
{
    (void)state;
    maker_init(&genoa, "Genoa");
    maker_rename(&turin, &genoa, "Turin");
    maker_init(&stranger, "Genoa");
    return 0;
}

static int drop_makers(void **state)
{
    (void)state;
    maker_clear(&genoa);
    maker_clear(&turin);
    maker_clear(&stranger);
    return 0;
}

/* ---- a case: good evidence and a policy that accepts it, both to be bent ---- */
struct bench {
    const struct maker *maker;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    struct tst_cert *vek;
    const struct tst_key *signer;
    char policy[4096]; /* "" = none */
    struct tst_appraise_in in;
    struct tst_policy *parsed;
    struct tst_evidence evidence;
    struct tst_verdict *v;
};

static char *hex_of(const uint8_t *p, size_t n, char *out)
{
    tst_hex(p, n, out);
    return out;
}


static void bench_policy(struct bench *b)
{
    char digest[2 * TST_SNP_DIGEST_BYTES + 1];
    snprintf(b->policy, sizeof b->policy,
             "name: test\n"
             "level: measured\n"
             "simulated: {allow: [%s]}\n"
             "products: [genoa, turin]\n"
             "measurements: [{name: good, digest: %s}]\n"
             "tcb: {genoa: {bootloader: 10, tee: 0, snp: 27, microcode: 200}, turin: {fmc: 1, bootloader: 1, tee: 1, snp: 4, "
             "microcode: 81}}\n"
             "guest-policy: {debug: deny, migration-agent: deny}\n"
             "vmpl: 0\n"
             "chips: []\n"
             "crl: {mode: off}\n",
             b->maker->root_hex, hex_of(evidence_digest, sizeof evidence_digest, digest));
}

/* The policy's line that starts with `key` becomes `line`. */
static void bench_line(struct bench *b, const char *key, const char *line)
{
    char old[sizeof b->policy];
    memcpy(old, b->policy, sizeof old);
    char *start = strstr(old, key), *end = start ? strchr(start, '\n') : NULL;
    assert_non_null(end);
    snprintf(b->policy, sizeof b->policy, "%.*s%s%s", (int)(start - old), old, line, end);
}

static void bench_init(struct bench *b, const struct maker *m)
{
    struct vek_exts exts = m == &turin ? vek_exts_turin() : vek_exts_genoa();
    memset(b, 0, sizeof *b);
    b->maker = m;
    b->signer = m->vek_key;
    b->vek = maker_vek(m, "SEV-VCEK", &exts);
    if (m == &turin)
        report_turin(b->raw);
    else
        report_genoa(b->raw);
    bench_policy(b);
    b->in.now = EVIDENCE_NOW;
}

static const struct tst_verdict *bench_run_unsigned(struct bench *b)
{
    TST_AUTO_ERROR err = NULL;
    b->evidence = (struct tst_evidence){{b->raw, sizeof b->raw}, {b->vek, b->maker->ask, b->maker->ark}};
    if (*b->policy && tst_policy_parse("test.yaml", b->policy, strlen(b->policy), NULL, NULL, &b->parsed, &err) < 0)
        fail_msg("%s", err->text);
    b->in.evidence = &b->evidence;
    b->in.policy = b->parsed;
    assert_int_equal(tst_appraise(&b->in, &b->v, &err), 0);
    return b->v;
}

static const struct tst_verdict *bench_run(struct bench *b)
{
    report_sign(b->raw, b->signer);
    return bench_run_unsigned(b);
}

static void bench_clear(struct bench *b)
{
    tst_cert_free(b->vek);
    tst_policy_free(b->parsed);
    tst_verdict_free(b->v);
}

/* Exactly the named checks (NULL-terminated) have that outcome; all others passed or were skipped. */
static void assert_only_list(const struct tst_verdict *v, enum tst_outcome outcome, const char *const *ids)
{
    for (size_t i = 0; i < v->check_count; i++) {
        const struct tst_check *c = &v->checks[i];
        bool named = false, good = c->outcome == TST_CHECK_PASS || c->outcome == TST_CHECK_SKIP;
        for (const char *const *id = ids; *id; id++)
            named = named || strcmp(*id, c->info->id) == 0;
        if (named ? c->outcome != outcome : !good)
            fail_msg("%s: outcome %d, found %s", c->info->id, (int)c->outcome, c->found ? c->found : "");
    }
    assert_int_equal(v->outcome, outcome);
    assert_int_equal(v->level, TST_LEVEL_NONE);
}
#define assert_only(v, outcome, ...) assert_only_list(v, outcome, (const char *const[]){__VA_ARGS__, NULL})

#define WITH(b, m)                                          \
    struct bench b __attribute__((cleanup(bench_clear)));   \
    bench_init(&b, m)

/* ---- what holds ---- */
static void good_evidence_holds_at_its_level_and_is_marked_simulated(void **state)
{
    (void)state;
    const struct maker *makers[] = {&genoa, &turin};
    for (size_t i = 0; i < TST_COUNT(makers); i++) {
        WITH(b, makers[i]);
        const struct tst_verdict *v = bench_run(&b);
        size_t count = 0;
        tst_checks(&count);
        assert_int_equal(v->outcome, TST_CHECK_PASS);
        assert_int_equal(tst_verdict_exit_status(v), 0);
        assert_null(tst_verdict_first(v));
        assert_int_equal(v->level, TST_LEVEL_MEASURED);
        assert_true(v->simulated);
        assert_true(v->policy_given);
        assert_string_equal(v->reference, "good");
        assert_int_equal(v->acpi, 0);
        assert_int_equal(v->check_count, count);
    }
}

static void expected_report_data_binds(void **state)
{
    (void)state;
    uint8_t expected[TST_SNP_REPORT_DATA_BYTES];
    memset(expected, 0xab, sizeof expected);
    WITH(b, &genoa);
    b.in.report_data = expected;
    assert_int_equal(bench_run(&b)->outcome, TST_CHECK_PASS);
    assert_check(b.v, "binding.report-data", TST_CHECK_PASS);
}

static void confined_acpi_is_said(void **state)
{
    (void)state;
    char line[256], digest[97];
    snprintf(line, sizeof line, "measurements: [{name: good, digest: %s, acpi: confined}]",
             hex_of(evidence_digest, sizeof evidence_digest, digest));
    WITH(b, &genoa);
    bench_line(&b, "measurements:", line);
    assert_int_equal(bench_run(&b)->outcome, TST_CHECK_PASS);
    assert_int_equal(b.v->acpi, 1);
}

/* ---- the report, its signature, its binding ---- */
static void zeroed_memory_is_never_evidence(void **state)
{
    (void)state;
    WITH(b, &genoa);
    memset(b.raw, 0, sizeof b.raw);
    const struct tst_verdict *v = bench_run_unsigned(&b);
    assert_int_equal(v->outcome, TST_CHECK_FAIL);
    assert_int_equal(tst_verdict_exit_status(v), 1);
    assert_int_equal(v->level, TST_LEVEL_NONE);
    assert_string_equal(tst_verdict_first(v)->info->id, "report.parse");
    assert_check(v, "report.version", TST_CHECK_FAIL);
    assert_check(v, "policy.debug", TST_CHECK_MISSING);
}

static void an_unsigned_report_is_refuted(void **state)
{
    (void)state;
    WITH(b, &genoa);
    assert_only(bench_run_unsigned(&b), TST_CHECK_FAIL, "report.signature");
    assert_int_equal(tst_verdict_exit_status(b.v), 1);
}

static void a_report_signed_by_another_key_is_refuted(void **state)
{
    (void)state;
    WITH(b, &genoa);
    b.signer = stranger.vek_key;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "report.signature");
    assert_int_equal(tst_verdict_exit_status(b.v), 1);
}

static void report_data_for_another_key_is_refuted(void **state)
{
    (void)state;
    uint8_t expected[TST_SNP_REPORT_DATA_BYTES];
    memset(expected, 0xab, sizeof expected);
    expected[63] ^= 1;
    WITH(b, &genoa);
    b.in.report_data = expected;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "binding.report-data");
    assert_int_equal(tst_verdict_exit_status(b.v), 1);
}

static void zero_report_data_binds_nothing(void **state)
{
    (void)state;
    const uint8_t expected[TST_SNP_REPORT_DATA_BYTES] = {0};
    WITH(b, &genoa);
    memset(b.raw + 0x50, 0, 64);
    b.in.report_data = expected;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "binding.report-data");
}

static void another_signature_algorithm_is_refuted(void **state)
{
    (void)state;
    WITH(b, &genoa);
    b.raw[0x34] = 2;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "report.signature-algorithm");
}

static void a_masked_chip_key_is_refuted(void **state)
{
    (void)state;
    WITH(b, &genoa);
    b.raw[0x48] = 2;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "report.signing-key");
}

static void signing_keys_other_than_vcek_are_not_held(void **state)
{
    (void)state;
    for (uint8_t key = 1; key < 8; key++) {
        WITH(b, &genoa);
        b.raw[0x48] = (uint8_t)(key << 2);
        if (key == TST_SNP_KEY_VLEK)
            assert_only(bench_run(&b), TST_CHECK_FAIL, "report.signing-key", "policy.vlek");
        else
            assert_only(bench_run(&b), TST_CHECK_FAIL, "report.signing-key");
    }
}

static void a_vlek_under_the_chain_for_vceks_is_refuted(void **state)
{
    (void)state;
    static const uint8_t csp[] = {0x16, 4, 'C', 'N', '=', 'x'};
    struct vek_exts exts = vek_exts_genoa();
    *vek_ext(&exts, "1.3.6.1.4.1.3704.1.4") =
        (struct tst_cert_ext_spec){"1.3.6.1.4.1.3704.1.5", {csp, sizeof csp}};
    WITH(b, &genoa);
    tst_cert_free(b.vek);
    b.vek = maker_vek(&genoa, "SEV-VLEK", &exts);
    b.raw[0x48] = 1 << 2;
    memset(b.raw + 0x1a0, 0, TST_SNP_CHIP_BYTES);
    const struct tst_verdict *v = bench_run(&b);
    assert_only(v, TST_CHECK_FAIL, "chain.ask", "policy.vlek");
    assert_int_equal(tst_verdict_exit_status(v), 1);
}

/* ---- product, TCB, chip ---- */
static void a_cpu_of_another_product_is_refuted(void **state)
{
    (void)state;
    WITH(b, &genoa);
    b.raw[0x188] = 0x1a;
    b.raw[0x189] = 0x02;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "product");
}

static void an_unknown_cpu_is_refuted(void **state)
{
    (void)state;
    WITH(b, &genoa);
    b.raw[0x188] = 0x1b;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "product");
}

static void a_caller_who_expects_another_product_is_told(void **state)
{
    (void)state;
    WITH(b, &genoa);
    b.in.product = TST_SNP_MILAN;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "product");
}

static void a_vcek_for_another_tcb_is_refuted(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++) { /* reserved bytes count too */
        WITH(b, &genoa);
        b.raw[0x180 + i]++;
        b.raw[0x1e0 + i]++;
        b.raw[0x38 + i]++;
        assert_only(bench_run(&b), TST_CHECK_FAIL, "tcb.vek");
    }
}

static void a_vcek_of_another_chip_is_refuted(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_SNP_CHIP_BYTES; i++) {
        WITH(b, &genoa);
        b.raw[0x1a0 + i] ^= 0x80;
        assert_only(bench_run(&b), TST_CHECK_FAIL, "chip.vek");
    }
}

static void bytes_behind_turins_short_chip_id_count(void **state)
{
    (void)state;
    WITH(b, &turin);
    b.raw[0x1a0 + 8] = 1;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "chip.vek");
}

static void a_masked_chip_id_leaves_the_chip_undecided(void **state)
{
    (void)state;
    WITH(b, &genoa);
    memset(b.raw + 0x1a0, 0, TST_SNP_CHIP_BYTES);
    assert_only(bench_run(&b), TST_CHECK_MISSING, "chip.vek");
    assert_int_equal(tst_verdict_exit_status(b.v), 3);
}

/* ---- certificates ---- */
static void missing_certificates_leave_it_undecided(void **state)
{
    (void)state;
    WITH(b, &genoa);
    tst_cert_free(TST_STEAL(b.vek));
    const struct tst_verdict *v = bench_run(&b);
    assert_only(v, TST_CHECK_MISSING, "chain.vek", "chain.dates", "vek.extensions", "report.signature", "tcb.vek", "chip.vek");
    assert_int_equal(tst_verdict_exit_status(v), 3);
    assert_non_null(strstr(verdict_check(v, "chain.vek")->fix, "https://kdsintf.amd.com/vcek/v1/Genoa/0240"));
}

static void a_policy_failure_does_not_hide_that_authenticity_is_open(void **state)
{
    (void)state;
    WITH(b, &genoa);
    tst_cert_free(TST_STEAL(b.vek));
    b.raw[0x0a] |= 8; /* debug */
    assert_int_equal(tst_verdict_exit_status(bench_run(&b)), 3);
    assert_check(b.v, "policy.debug", TST_CHECK_FAIL);
}

static void expired_and_future_certificates_are_refuted(void **state)
{
    (void)state;
    const time_t year_s = 365 * 24 * 3600, times[] = {EVIDENCE_NOW - 2 * year_s, EVIDENCE_NOW + 7 * year_s};
    for (size_t i = 0; i < TST_COUNT(times); i++) {
        WITH(b, &genoa);
        b.in.now = times[i];
        assert_only(bench_run(&b), TST_CHECK_FAIL, "chain.dates");
        assert_int_equal(tst_verdict_exit_status(b.v), 1);
    }
}

static void a_vcek_that_the_ask_did_not_sign_is_refuted(void **state)
{
    (void)state;
    struct maker forger = genoa;
    struct vek_exts exts = vek_exts_genoa();
    forger.ask = stranger.ask; /* same names, other key */
    forger.ask_key = stranger.ask_key;
    WITH(b, &genoa);
    tst_cert_free(b.vek);
    b.vek = maker_vek(&forger, "SEV-VCEK", &exts);
    assert_only(bench_run(&b), TST_CHECK_FAIL, "chain.vek");
}

static void an_ask_that_the_root_did_not_sign_is_refuted(void **state)
{
    (void)state;
    struct maker forger = stranger;
    struct vek_exts exts = vek_exts_genoa();
    forger.ark = genoa.ark; /* the root that the policy trusts, somebody else's ASK */
    memcpy(forger.root_hex, genoa.root_hex, sizeof forger.root_hex);
    WITH(b, &genoa);
    tst_cert_free(b.vek);
    b.vek = maker_vek(&forger, "SEV-VCEK", &exts);
    b.signer = forger.vek_key;
    b.maker = &forger;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "chain.ask");
}

static void a_leaf_that_poses_as_an_ask_is_refuted(void **state)
{
    (void)state;
    struct maker poser = genoa;
    struct vek_exts exts = vek_exts_genoa();
    struct tst_cert_spec spec = {.cn = "SEV-Genoa", .o = "SIMULATED", .not_before = EVIDENCE_NOW - 100,
                                 .not_after = EVIDENCE_NOW + 100, .ca = false};
    assert_int_equal(tst_cert_issue(&spec, genoa.ask_key, genoa.ark, genoa.ark_key, &poser.ask, NULL), 0);
    WITH(b, &genoa);
    tst_cert_free(b.vek);
    b.vek = maker_vek(&poser, "SEV-VCEK", &exts);
    b.maker = &poser;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "chain.ask");
    tst_cert_free(poser.ask);
}

static void a_ca_that_poses_as_a_vcek_is_refuted(void **state)
{
    (void)state;
    struct vek_exts exts = vek_exts_genoa();
    struct tst_cert_spec spec = {.cn = "SEV-VCEK", .o = "SIMULATED", .not_before = EVIDENCE_NOW - 100,
                                 .not_after = EVIDENCE_NOW + 100, .ca = true, .exts = exts.list, .ext_count = exts.count};
    WITH(b, &genoa);
    tst_cert_free(TST_STEAL(b.vek));
    assert_int_equal(tst_cert_issue(&spec, genoa.vek_key, genoa.ask, genoa.ask_key, &b.vek, NULL), 0);
    assert_only(bench_run(&b), TST_CHECK_FAIL, "chain.vek");
}

static void a_vcek_with_a_key_of_another_kind_is_refuted(void **state)
{
    (void)state;
    struct maker odd = genoa;
    struct vek_exts exts = vek_exts_genoa();
    odd.vek_key = stranger.ask_key; /* RSA */
    WITH(b, &genoa);
    tst_cert_free(b.vek);
    b.vek = maker_vek(&odd, "SEV-VCEK", &exts);
    assert_only(bench_run(&b), TST_CHECK_FAIL, "chain.vek", "report.signature");
}

static void an_ask_with_a_key_of_another_kind_is_refuted(void **state)
{
    (void)state;
    struct maker odd = genoa;
    struct vek_exts exts = vek_exts_genoa();
    struct tst_cert_spec spec = {.cn = "SEV-Genoa", .o = "SIMULATED", .not_before = EVIDENCE_NOW - 100,
                                 .not_after = EVIDENCE_NOW + 100, .ca = true};
    odd.ask_key = stranger.vek_key; /* P-384, so what it signs is not PSS */
    assert_int_equal(tst_cert_issue(&spec, odd.ask_key, genoa.ark, genoa.ark_key, &odd.ask, NULL), 0);
    WITH(b, &genoa);
    tst_cert_free(b.vek);
    b.vek = maker_vek(&odd, "SEV-VCEK", &exts);
    b.maker = &odd;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "chain.ask", "chain.vek");
    tst_cert_free(odd.ask);
}

static void a_root_that_is_not_self_signed_is_refuted(void **state)
{
    (void)state;
    struct maker odd = genoa;
    struct tst_cert_spec spec = {.cn = "ARK-Genoa", .o = "SIMULATED", .not_before = EVIDENCE_NOW - 100,
                                 .not_after = EVIDENCE_NOW + 100, .ca = true};
    /* the trusted key, certified by a stranger of the same name */
    assert_int_equal(tst_cert_issue(&spec, genoa.ark_key, stranger.ark, stranger.ark_key, &odd.ark, NULL), 0);
    WITH(b, &genoa);
    b.maker = &odd;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "chain.ark-self-signature");
    tst_cert_free(odd.ark);
}

static void another_products_names_are_refuted(void **state)
{
    (void)state;
    struct maker odd = turin; /* ARK-Turin, SEV-Turin */
    struct vek_exts exts = vek_exts_genoa();
    WITH(b, &genoa);
    tst_cert_free(b.vek);
    b.vek = maker_vek(&odd, "SEV-VCEK", &exts);
    b.signer = odd.vek_key;
    b.maker = &odd;
    bench_policy(&b);
    assert_only(bench_run(&b), TST_CHECK_FAIL, "chain.ark-self-signature", "chain.ask");
}

/* ---- simulators ---- */
static void simulated_evidence_without_a_policy_is_refuted(void **state)
{
    (void)state;
    WITH(b, &genoa);
    b.policy[0] = '\0';
    assert_only(bench_run(&b), TST_CHECK_FAIL, "chain.ark-pin");
    assert_int_equal(tst_verdict_exit_status(b.v), 1);
    assert_false(b.v->simulated);
    assert_non_null(strstr(verdict_check(b.v, "chain.ark-pin")->fix, "simulated: allow"));
}

static void simulated_evidence_is_refused_by_a_policy_without_simulators(void **state)
{
    (void)state;
    WITH(b, &genoa);
    bench_line(&b, "simulated:", "simulated: {allow: []}");
    assert_only(bench_run(&b), TST_CHECK_FAIL, "chain.ark-pin", "policy.simulated");
    assert_non_null(strstr(verdict_check(b.v, "policy.simulated")->expected, "accepts no simulator"));
}

static void another_simulator_is_refused(void **state)
{
    (void)state;
    char line[256];
    snprintf(line, sizeof line, "simulated: {allow: [%s]}", genoa.root_hex);
    WITH(b, &stranger);
    bench_line(&b, "simulated:", line);
    assert_only(bench_run(&b), TST_CHECK_FAIL, "chain.ark-pin", "policy.simulated");
    assert_string_equal(verdict_check(b.v, "policy.simulated")->fix, "this is another simulator");
}

/* ---- policy: each line of it refuses ---- */
struct refusal {
    const char *line; /* replaces the policy's line with the same key; NULL = leave the policy */
    size_t offset;    /* byte of the report to change; 0 = none */
    uint8_t value;
    const char *id;
};

static void each_line_of_a_policy_refuses_with_its_own_check(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {NULL, 0x90, 0xd2, "policy.measurement"},
        {"products: [turin]", 0, 0, "policy.product"},
        {"products: []", 0, 0, "policy.product"},
        {"tcb: {genoa: {bootloader: 10, tee: 0, snp: 27, microcode: 201}}", 0, 0, "policy.tcb-floor"},
        {"tcb: {genoa: {bootloader: 11, tee: 0, snp: 0, microcode: 0}}", 0, 0, "policy.tcb-floor"},
        {"tcb: {turin: {fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 0}}", 0, 0, "policy.tcb-floor"},
        {NULL, 0x1f7, 199, "policy.tcb-floor"}, /* launch TCB */
        {NULL, 0x0a, 0x0b, "policy.debug"},
        {NULL, 0x0a, 0x07, "policy.migration-agent"},
        {NULL, 0x17f, 0x00, "policy.migration-agent"}, /* REPORT_ID_MA names one */
        {NULL, 0x30, 1, "policy.vmpl"},
        {NULL, 0x33, 0xff, "policy.vmpl"},
        {"vmpl: 2", 0, 0, "policy.vmpl"},
        {"chips: [\"0102030405060708\"]", 0, 0, "policy.chip"},
        {NULL, 0x3f, 199, "tcb.order"}, /* current below committed */
    };
    for (size_t i = 0; i < TST_COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        WITH(b, &genoa);
        if (r->line) {
            char key[32];
            snprintf(key, sizeof key, "\n%.*s", (int)(strchr(r->line, ':') - r->line + 1), r->line);
            char *at = strstr(b.policy, key) + 1;
            assert_non_null(at);
            bench_line(&b, key + 1, r->line);
        }
        if (r->offset)
            b.raw[r->offset] = r->value;
        const struct tst_verdict *v = bench_run(&b);
        if (strcmp(r->id, "policy.measurement") == 0)
            assert_only(v, TST_CHECK_FAIL, r->id, "policy.level");
        else
            assert_only(v, TST_CHECK_FAIL, r->id);
        assert_int_equal(tst_verdict_exit_status(v), 4);
        assert_string_equal(tst_verdict_first(v)->info->id, r->id);
        assert_non_null(tst_verdict_first(v)->expected);
        assert_non_null(tst_verdict_first(v)->found);
    }
}

static void what_a_policy_allows_passes(void **state)
{
    (void)state;
    char line[256], chip[2 * TST_SNP_CHIP_BYTES + 1];
    WITH(b, &genoa);
    snprintf(line, sizeof line, "chips: [%s]", hex_of(evidence_chip, sizeof evidence_chip, chip));
    bench_line(&b, "chips:", line);
    bench_line(&b, "guest-policy:", "guest-policy: {debug: allow, migration-agent: allow}");
    bench_line(&b, "vmpl:", "vmpl: 1");
    b.raw[0x0a] = 0x0f;
    b.raw[0x30] = 1;
    memset(b.raw + 0x160, 3, 32);
    assert_int_equal(bench_run(&b)->outcome, TST_CHECK_PASS);
}

static void a_reference_value_holds_until_its_last_second(void **state)
{
    (void)state;
    char line[256], digest[97];
    snprintf(line, sizeof line, "measurements: [{name: old, digest: %s, until: 2026-11-23}]",
             hex_of(evidence_digest, sizeof evidence_digest, digest));
    {
        WITH(b, &genoa);
        bench_line(&b, "measurements:", line);
        assert_int_equal(bench_run(&b)->outcome, TST_CHECK_PASS);
    }
    WITH(b, &genoa);
    bench_line(&b, "measurements:", line);
    b.in.now = EVIDENCE_NOW + 1;
    assert_only(bench_run(&b), TST_CHECK_FAIL, "policy.measurement", "policy.level");
    assert_non_null(strstr(verdict_check(b.v, "policy.measurement")->found, "old expired at 2026-11-23T00:00:00Z"));
    assert_null(b.v->reference);
}

static void a_firmware_reference_does_not_reach_measured(void **state)
{
    (void)state;
    char line[256], digest[97];
    snprintf(line, sizeof line, "measurements: [{name: disk, digest: %s, level: firmware}]",
             hex_of(evidence_digest, sizeof evidence_digest, digest));
    {
        WITH(b, &genoa);
        bench_line(&b, "measurements:", line);
        assert_only(bench_run(&b), TST_CHECK_FAIL, "policy.level");
        assert_int_equal(tst_verdict_exit_status(b.v), 4);
    }
    WITH(b, &genoa);
    bench_line(&b, "measurements:", line);
    bench_line(&b, "level:", "level: firmware");
    assert_int_equal(bench_run(&b)->outcome, TST_CHECK_PASS);
    assert_int_equal(b.v->level, TST_LEVEL_FIRMWARE);
}

static void a_required_crl_leaves_it_undecided(void **state)
{
    (void)state;
    WITH(b, &genoa);
    bench_line(&b, "crl:", "crl: {mode: require}");
    assert_only(bench_run(&b), TST_CHECK_MISSING, "policy.crl");
    assert_int_equal(tst_verdict_exit_status(b.v), 3);
}

static void an_empty_policy_accepts_nothing(void **state)
{
    (void)state;
    WITH(b, &genoa);
    snprintf(b.policy, sizeof b.policy, "name: empty\n");
    const struct tst_verdict *v = bench_run(&b);
    static const char *const refusing[] = {"policy.simulated", "policy.product", "policy.measurement", "policy.tcb-floor",
                                           "policy.level"};
    for (size_t i = 0; i < TST_COUNT(refusing); i++)
        assert_check(v, refusing[i], TST_CHECK_FAIL);
    assert_check(v, "policy.crl", TST_CHECK_MISSING);
    assert_int_not_equal(tst_verdict_exit_status(v), 0);
}

/* ---- floors by CPU ---- */
static void shipped_floors_are_per_cpu(void **state)
{
    (void)state;
    static const struct {
        uint8_t model, stepping, microcode;
        enum tst_outcome outcome;
    } cases[] = {
        {0x11, 1, 0x56, TST_CHECK_PASS}, {0x11, 1, 0x55, TST_CHECK_FAIL}, {0x11, 2, 0x51, TST_CHECK_PASS},
        {0x11, 2, 0x50, TST_CHECK_FAIL}, {0xa0, 2, 0x19, TST_CHECK_PASS}, {0xa0, 2, 0x18, TST_CHECK_FAIL},
    };
    for (size_t i = 0; i < TST_COUNT(cases); i++) {
        WITH(b, &genoa);
        bench_line(&b, "tcb:", "floors: 2026-11");
        b.raw[0x189] = cases[i].model;
        b.raw[0x18a] = cases[i].stepping;
        static const size_t microcode_offsets[] = {0x187, 0x1e7, 0x1f7, 0x3f};
        for (size_t k = 0; k < TST_COUNT(microcode_offsets); k++)
            b.raw[microcode_offsets[k]] = cases[i].microcode;
        assert_check(bench_run(&b), "policy.tcb-floor", cases[i].outcome);
    }
}

static void each_tcb_of_the_report_must_reach_the_floor(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t microcode; /* its byte in the report: the only one below the floor */
    } tcbs[] = {{"reported", 0x187}, {"committed", 0x1e7}, {"launch", 0x1f7}};
    for (size_t i = 0; i < TST_COUNT(tcbs); i++) {
        WITH(b, &genoa);
        bench_line(&b, "tcb:", "tcb: {genoa: {bootloader: 10, tee: 0, snp: 27, microcode: 201}}");
        b.raw[0x187] = b.raw[0x1e7] = b.raw[0x1f7] = b.raw[0x3f] = 201;
        b.raw[tcbs[i].microcode] = 200;
        assert_check(bench_run(&b), "policy.tcb-floor", TST_CHECK_FAIL);
        assert_ptr_equal(strstr(verdict_check(b.v, "policy.tcb-floor")->found, tcbs[i].name),
                         verdict_check(b.v, "policy.tcb-floor")->found);
    }
}

static void a_report_that_names_no_cpu_is_held_to_the_highest_floor(void **state)
{
    (void)state;
    for (uint8_t microcode = 0x54; microcode <= 0x56; microcode += 2) {
        WITH(b, &genoa);
        bench_line(&b, "tcb:", "floors: 2026-11");
        b.raw[0] = 2;
        memset(b.raw + 0x188, 0, 3);
        b.raw[0x187] = b.raw[0x1e7] = b.raw[0x1f7] = b.raw[0x3f] = microcode;
        assert_check(bench_run(&b), "policy.tcb-floor", microcode < 0x56 ? TST_CHECK_FAIL : TST_CHECK_PASS);
    }
}

/* ---- the verdict itself ---- */
static void the_verdict_as_json_lists_every_check(void **state)
{
    (void)state;
    WITH(b, &genoa);
    b.raw[0x0a] |= 8;
    bench_run(&b);
    TST_AUTO_JSON j = NULL;
    TST_AUTO_ERROR err = NULL;
    size_t count = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    assert_int_equal(tst_verdict_json(b.v, &j, &err), 0);
    assert_string_equal(json_string_value(json_object_get(j, "outcome")), "fail");
    assert_true(json_is_true(json_object_get(j, "simulated")));
    assert_int_equal(json_integer_value(json_object_get(j, "exit-status")), 4);
    json_t *checks = json_object_get(j, "checks");
    assert_int_equal(json_array_size(checks), count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(checks, i), "id")), infos[i].id);
}

static void hostile_names_in_certificates_stay_printable(void **state)
{
    (void)state;
    struct vek_exts exts = vek_exts_genoa();
    WITH(b, &genoa);
    tst_cert_free(b.vek);
    b.vek = maker_vek(&genoa, "\033[2J\nverdict: holds", &exts);
    const struct tst_verdict *v = bench_run(&b);
    assert_check(v, "chain.vek", TST_CHECK_FAIL);
    for (size_t i = 0; i < v->check_count; i++)
        for (const char *s = v->checks[i].found; s && *s; s++)
            assert_in_range(*s, 0x20, 0x7e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_evidence_holds_at_its_level_and_is_marked_simulated),
        cmocka_unit_test(expected_report_data_binds),
        cmocka_unit_test(confined_acpi_is_said),
        cmocka_unit_test(zeroed_memory_is_never_evidence),
        cmocka_unit_test(an_unsigned_report_is_refuted),
        cmocka_unit_test(a_report_signed_by_another_key_is_refuted),
        cmocka_unit_test(report_data_for_another_key_is_refuted),
        cmocka_unit_test(zero_report_data_binds_nothing),
        cmocka_unit_test(another_signature_algorithm_is_refuted),
        cmocka_unit_test(a_masked_chip_key_is_refuted),
        cmocka_unit_test(signing_keys_other_than_vcek_are_not_held),
        cmocka_unit_test(a_vlek_under_the_chain_for_vceks_is_refuted),
        cmocka_unit_test(a_cpu_of_another_product_is_refuted),
        cmocka_unit_test(an_unknown_cpu_is_refuted),
        cmocka_unit_test(a_caller_who_expects_another_product_is_told),
        cmocka_unit_test(a_vcek_for_another_tcb_is_refuted),
        cmocka_unit_test(a_vcek_of_another_chip_is_refuted),
        cmocka_unit_test(bytes_behind_turins_short_chip_id_count),
        cmocka_unit_test(a_masked_chip_id_leaves_the_chip_undecided),
        cmocka_unit_test(missing_certificates_leave_it_undecided),
        cmocka_unit_test(a_policy_failure_does_not_hide_that_authenticity_is_open),
        cmocka_unit_test(expired_and_future_certificates_are_refuted),
        cmocka_unit_test(a_vcek_that_the_ask_did_not_sign_is_refuted),
        cmocka_unit_test(an_ask_that_the_root_did_not_sign_is_refuted),
        cmocka_unit_test(a_leaf_that_poses_as_an_ask_is_refuted),
        cmocka_unit_test(a_ca_that_poses_as_a_vcek_is_refuted),
        cmocka_unit_test(a_vcek_with_a_key_of_another_kind_is_refuted),
        cmocka_unit_test(an_ask_with_a_key_of_another_kind_is_refuted),
        cmocka_unit_test(a_root_that_is_not_self_signed_is_refuted),
        cmocka_unit_test(another_products_names_are_refuted),
        cmocka_unit_test(simulated_evidence_without_a_policy_is_refuted),
        cmocka_unit_test(simulated_evidence_is_refused_by_a_policy_without_simulators),
        cmocka_unit_test(another_simulator_is_refused),
        cmocka_unit_test(each_line_of_a_policy_refuses_with_its_own_check),
        cmocka_unit_test(what_a_policy_allows_passes),
        cmocka_unit_test(a_reference_value_holds_until_its_last_second),
        cmocka_unit_test(a_firmware_reference_does_not_reach_measured),
        cmocka_unit_test(a_required_crl_leaves_it_undecided),
        cmocka_unit_test(an_empty_policy_accepts_nothing),
        cmocka_unit_test(shipped_floors_are_per_cpu),
        cmocka_unit_test(each_tcb_of_the_report_must_reach_the_floor),
        cmocka_unit_test(a_report_that_names_no_cpu_is_held_to_the_highest_floor),
        cmocka_unit_test(the_verdict_as_json_lists_every_check),
        cmocka_unit_test(hostile_names_in_certificates_stay_printable),
    };
    return cmocka_run_group_tests(tests, make_makers, drop_makers);
}
