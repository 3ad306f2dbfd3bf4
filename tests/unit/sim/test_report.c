/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/sim/test_report.c - reports that the simulator signs are read back as they were meant, by the library's
 * parser, and verify with the chip's key alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <testudo/appraise.h>

#include "sim/report.h"
#include "tests/unit/sim/fixture.h"

static struct amd_root *genoa;

static int setup(void **state)
{
    (void)state;
    genoa = fixture_root();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    amd_root_free(genoa);
    return 0;
}

/* Every member that a guest or platform can set gets bytes of its own. */
static struct sim_report distinct(const struct amd_chip *chip, uint32_t version)
{
    struct sim_report r = sim_report_of(chip, version);
    r.guest_svn = 0x01020304;
    r.vmpl = 2;
    r.key_info = 0x3;
    r.launch_mit_vector = 0x1122334455667788;
    r.current_mit_vector = 0x99AABBCCDDEEFF01;
    memset(r.family_id, 0xF1, sizeof r.family_id);
    memset(r.image_id, 0xF2, sizeof r.image_id);
    memset(r.report_data, 0xF3, sizeof r.report_data);
    memset(r.measurement, 0xF4, sizeof r.measurement);
    memset(r.host_data, 0xF5, sizeof r.host_data);
    memset(r.id_key_digest, 0xF6, sizeof r.id_key_digest);
    memset(r.author_key_digest, 0xF7, sizeof r.author_key_digest);
    memset(r.report_id, 0xF8, sizeof r.report_id);
    r.launch_tcb.snp--;
    r.committed_tcb.microcode--;
    return r;
}

static void sign_and_parse(const struct sim_report *r, const struct amd_chip *chip, struct tst_snp_report *out)
{
    uint8_t raw[TST_SNP_REPORT_BYTES];
    assert_int_equal(sim_report_sign(r, chip->vcek_key, raw, NULL), 0);
    assert_int_equal(tst_snp_report_parse(raw, sizeof raw, out, NULL), 0);
}

static int verify(const struct tst_snp_report *p, const struct tst_cert *vcek)
{
    TST_AUTO_KEY key = NULL;
    TST_AUTO_ERROR err = NULL;
    uint8_t rs[TST_ECDSA_P384_BYTES];
    memcpy(rs, p->signature_r, 48);
    memcpy(rs + 48, p->signature_s, 48);
    assert_int_equal(tst_cert_key(vcek, &key, NULL), 0);
    return tst_ecdsa_verify(key, p->raw, TST_SNP_SIGNED_BYTES, rs, &err);
}

static void assert_tcb(enum tst_snp_product product, const uint8_t raw[8], const struct tst_snp_tcb *expected)
{
    struct tst_snp_tcb found = tst_snp_tcb_of(product, raw);
    assert_true(tst_snp_tcb_equal(&found, expected));
}

static void report_is_read_back_as_written(void **state)
{
    (void)state;
    static const uint32_t versions[] = {3, 5};
    AUTO_CHIP chip = fixture_chip(genoa, NULL);
    for (size_t i = 0; i < TST_COUNT(versions); i++) {
        struct sim_report r = distinct(chip, versions[i]);
        struct tst_snp_report p;
        sign_and_parse(&r, chip, &p);
        assert_int_equal(p.version, versions[i]);
        assert_int_equal(p.guest_svn, r.guest_svn);
        assert_int_equal(p.vmpl, 2);
        assert_int_equal(p.signature_algo, 1);
        assert_true(p.policy == 0x30000);
        assert_true(p.platform_info == 0x25);
        assert_int_equal(p.key_info, 3);
        assert_memory_equal(p.family_id, r.family_id, 16);
        assert_memory_equal(p.image_id, r.image_id, 16);
        assert_memory_equal(p.report_data, r.report_data, 64);
        assert_memory_equal(p.measurement, r.measurement, 48);
        assert_memory_equal(p.host_data, r.host_data, 32);
        assert_memory_equal(p.id_key_digest, r.id_key_digest, 48);
        assert_memory_equal(p.author_key_digest, r.author_key_digest, 48);
        assert_memory_equal(p.report_id, r.report_id, 32);
        for (size_t b = 0; b < 32; b++)
            assert_int_equal(p.report_id_ma[b], 0xFF);
        assert_memory_equal(p.chip_id, chip->id, 64);
        assert_int_equal(tst_snp_product_of_cpuid(p.cpuid_family, p.cpuid_model), TST_SNP_GENOA);
        assert_tcb(TST_SNP_GENOA, p.current_tcb, &chip->tcb);
        assert_tcb(TST_SNP_GENOA, p.reported_tcb, &chip->tcb);
        assert_tcb(TST_SNP_GENOA, p.committed_tcb, &r.committed_tcb);
        assert_tcb(TST_SNP_GENOA, p.launch_tcb, &r.launch_tcb);
        assert_int_equal(p.current_major, 1);
        assert_int_equal(p.current_minor, 55);
        assert_int_equal(p.current_build, r.firmware_build);
        assert_int_equal(p.committed_build, r.firmware_build);
        assert_true(p.launch_mit_vector == (versions[i] == 5 ? r.launch_mit_vector : 0));
        assert_true(p.current_mit_vector == (versions[i] == 5 ? r.current_mit_vector : 0));
        assert_int_equal(verify(&p, chip->vcek), 0);
    }
}

static void turin_report_has_its_own_tcb_layout_and_short_chip_id(void **state)
{
    (void)state;
    AUTO_ROOT turin = fixture_root_as(genoa, TST_SNP_TURIN);
    AUTO_CHIP chip = fixture_chip(turin, NULL);
    struct sim_report r = sim_report_of(chip, 5);
    struct tst_snp_report p;
    static const uint8_t tcb[8] = {1, 1, 1, 4, 0, 0, 0, 81};
    sign_and_parse(&r, chip, &p);
    assert_memory_equal(p.reported_tcb, tcb, 8);
    assert_false(tst_is_zero(p.chip_id, 8));
    assert_true(tst_is_zero(p.chip_id + 8, 56));
    assert_int_equal(tst_snp_product_of_cpuid(p.cpuid_family, p.cpuid_model), TST_SNP_TURIN);
    assert_int_equal(verify(&p, chip->vcek), 0);
}

static void version_2_report_names_no_processor(void **state)
{
    (void)state;
    AUTO_ROOT milan = fixture_root_as(genoa, TST_SNP_MILAN);
    AUTO_CHIP chip = fixture_chip(milan, NULL);
    struct sim_report r = sim_report_of(chip, 2);
    struct tst_snp_report p;
    static const uint8_t tcb[8] = {4, 0, 0, 0, 0, 0, 27, 219};
    sign_and_parse(&r, chip, &p);
    assert_memory_equal(p.reported_tcb, tcb, 8);
    assert_true(tst_is_zero(p.raw + 0x188, 0x1A0 - 0x188));
    assert_int_equal(verify(&p, chip->vcek), 0);
}

static void signature_covers_every_byte_before_it(void **state)
{
    (void)state;
    AUTO_CHIP chip = fixture_chip(genoa, NULL);
    struct sim_report r = distinct(chip, 5);
    struct tst_snp_report p;
    sign_and_parse(&r, chip, &p);
    for (size_t i = 0; i < TST_SNP_SIGNED_BYTES; i++) {
        p.raw[i] ^= 1;
        assert_int_equal(verify(&p, chip->vcek), -TST_REFUTED);
        p.raw[i] ^= 1;
    }
    assert_int_equal(verify(&p, chip->vcek), 0);
}

static void report_of_one_chip_does_not_verify_with_another(void **state)
{
    (void)state;
    AUTO_CHIP a = fixture_chip(genoa, NULL);
    AUTO_CHIP b = fixture_chip(genoa, NULL);
    struct sim_report r = sim_report_of(a, 3);
    struct tst_snp_report p;
    sign_and_parse(&r, a, &p);
    assert_int_equal(verify(&p, b->vcek), -TST_REFUTED);
}

static void resigned_report_verifies_after_a_change(void **state)
{
    (void)state;
    AUTO_CHIP chip = fixture_chip(genoa, NULL);
    struct sim_report r = sim_report_of(chip, 3);
    struct tst_snp_report p;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    assert_int_equal(sim_report_sign(&r, chip->vcek_key, raw, NULL), 0);
    raw[0x0A] |= 1U << 3; /* policy bit 19: debugging */
    assert_int_equal(sim_report_resign(raw, chip->vcek_key, NULL), 0);
    assert_int_equal(tst_snp_report_parse(raw, sizeof raw, &p, NULL), 0);
    assert_true(p.policy & TST_SNP_POLICY_DEBUG);
    assert_int_equal(verify(&p, chip->vcek), 0);
}

/* A policy for this simulator and this digest, with the floors of the examples. */
static struct tst_policy *policy_for(const struct amd_root *root, const uint8_t digest[48])
{
    char ark[65], measured[97];
    uint8_t spki[32];
    struct tst_policy *out = NULL;
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(tst_key_spki_sha256(root->ark_key, spki, NULL), 0);
    tst_hex(spki, sizeof spki, ark);
    tst_hex(digest, 48, measured);
    TST_AUTO_STR text = tst_strdup_printf("name: sealed\n"
                                          "level: measured\n"
                                          "simulated: {allow: [%s]}\n"
                                          "products: [genoa, turin, milan]\n"
                                          "milan-without-chips: accept-risk\n"
                                          "measurements:\n"
                                          "  - {name: node, digest: %s}\n"
                                          "tcb:\n"
                                          "  milan: {bootloader: 4, tee: 0, snp: 27, microcode: 219}\n"
                                          "  genoa: {bootloader: 10, tee: 0, snp: 27, microcode: 86}\n"
                                          "  turin: {fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 81}\n"
                                          "guest-policy: {debug: deny, migration-agent: deny}\n"
                                          "vmpl: 0\n"
                                          "crl: {mode: off}\n", /* a simulator publishes none */
                                          ark, measured);
    if (tst_policy_parse("policy.yaml", text, strlen(text), NULL, NULL, &out, &err))
        fail_msg("%s", err->text);
    return out;
}

static void evidence_of_each_product_passes_the_whole_appraisal(void **state)
{
    (void)state;
    static const enum tst_snp_product products[] = {TST_SNP_MILAN, TST_SNP_GENOA, TST_SNP_TURIN};
    for (size_t i = 0; i < 2 * TST_COUNT(products); i++) {
        AUTO_ROOT root = fixture_root_as(genoa, products[i / 2]);
        AUTO_CHIP chip = fixture_chip(root, NULL);
        struct sim_report r = sim_report_of(chip, i % 2 ? 5 : 3);
        uint8_t raw[TST_SNP_REPORT_BYTES];
        memset(r.measurement, 0x77, sizeof r.measurement);
        memset(r.report_id, 0x11, sizeof r.report_id);
        memset(r.report_data, 0x22, sizeof r.report_data);
        assert_int_equal(sim_report_sign(&r, chip->vcek_key, raw, NULL), 0);
        TST_AUTO_POLICY policy = policy_for(root, r.measurement);
        const struct tst_evidence evidence = {.report = {raw, sizeof raw}, .certs = amd_certs_of(root, chip)};
        const struct tst_appraise_in in = {
            .evidence = &evidence, .policy = policy, .now = FIXTURE_NOW, .report_data = r.report_data};
        TST_AUTO_VERDICT v = NULL;
        assert_int_equal(tst_appraise(&in, &v, NULL), 0);
        const struct tst_check *first = tst_verdict_first(v);
        if (first)
            fail_msg("%s: expected %s, found %s", first->info->id, first->expected, first->found);
        assert_int_equal(v->outcome, TST_CHECK_PASS);
        assert_int_equal(v->level, TST_LEVEL_MEASURED);
        assert_true(v->simulated);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report_is_read_back_as_written),
        cmocka_unit_test(turin_report_has_its_own_tcb_layout_and_short_chip_id),
        cmocka_unit_test(version_2_report_names_no_processor),
        cmocka_unit_test(signature_covers_every_byte_before_it),
        cmocka_unit_test(report_of_one_chip_does_not_verify_with_another),
        cmocka_unit_test(resigned_report_verifies_after_a_change),
        cmocka_unit_test(evidence_of_each_product_passes_the_whole_appraisal),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
