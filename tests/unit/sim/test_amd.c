/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/sim/test_amd.c - the synthetic hierarchy looks like AMD's, and its state directory keeps it whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/sim/tree.h"

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

static struct tst_cert_info info_of(const struct tst_cert *c)
{
    struct tst_cert_info info;
    assert_int_equal(tst_cert_info(c, &info, NULL), 0);
    return info;
}

static void chain_has_amds_names_and_verifies_up_to_its_root(void **state)
{
    (void)state;
    AUTO_CHIP chip = fixture_chip(genoa, NULL);
    const struct tst_cert_info ark = info_of(genoa->ark), ask = info_of(genoa->ask), vcek = info_of(chip->vcek);
    assert_string_equal(ark.subject_cn, "ARK-Genoa");
    assert_string_equal(ask.subject_cn, "SEV-Genoa");
    assert_string_equal(vcek.subject_cn, "SEV-VCEK");
    const struct tst_cert_info *all[] = {&ark, &ask, &vcek};
    for (size_t i = 0; i < TST_COUNT(all); i++) {
        assert_string_equal(all[i]->subject_o, "SIMULATED");
        assert_string_equal(all[i]->issuer_o, "SIMULATED");
        assert_true(all[i]->pss_sha384_salt48);
        assert_int_equal(all[i]->key_kind, i < 2 ? TST_KEY_RSA4096 : TST_KEY_P384);
        assert_int_equal(all[i]->ca, i < 2);
        assert_true(all[i]->not_before == FIXTURE_FROM);
        assert_true(all[i]->not_before <= FIXTURE_NOW && FIXTURE_NOW < all[i]->not_after);
    }
    char until[TST_TIME_BYTES];
    tst_time_print(ark.not_after, until);
    assert_string_equal(until, "2051-01-01T00:00:00Z");
    tst_time_print(vcek.not_after, until);
    assert_string_equal(until, "2033-01-01T00:00:00Z");
    assert_true(ark.self_issued);
    assert_false(ask.self_issued);
    assert_int_equal(tst_cert_verify(genoa->ark, genoa->ark, NULL), 0);
    assert_int_equal(tst_cert_verify(genoa->ask, genoa->ark, NULL), 0);
    assert_int_equal(tst_cert_verify(chip->vcek, genoa->ask, NULL), 0);
}

static void vcek_of_each_product_tells_chip_and_tcb(void **state)
{
    (void)state;
    static const struct {
        enum tst_snp_product product;
        const char *name;
        size_t hwid_bytes;
        struct tst_snp_tcb tcb;
    } expected[] = {
        {TST_SNP_MILAN, "Milan-B0", 64, {.bootloader = 4, .snp = 27, .microcode = 219}},
        {TST_SNP_GENOA, "Genoa", 64, {.bootloader = 10, .snp = 27, .microcode = 86}},
        {TST_SNP_TURIN, "Turin", 8, {.has_fmc = true, .fmc = 1, .bootloader = 1, .tee = 1, .snp = 4, .microcode = 81}},
    };
    for (size_t i = 0; i < TST_COUNT(expected); i++) {
        AUTO_ROOT root = fixture_root_as(genoa, expected[i].product);
        AUTO_CHIP chip = fixture_chip(root, NULL);
        struct tst_snp_vek vek;
        assert_int_equal(tst_snp_vek_parse(chip->vcek, &vek, NULL), 0);
        assert_false(vek.vlek);
        assert_int_equal(vek.product, expected[i].product);
        assert_string_equal(vek.product_name, expected[i].name);
        assert_int_equal(vek.hwid_bytes, expected[i].hwid_bytes);
        assert_memory_equal(vek.hwid, chip->id, sizeof vek.hwid);
        assert_true(tst_snp_tcb_equal(&vek.tcb, &expected[i].tcb));
        assert_true(tst_is_zero(chip->id + vek.hwid_bytes, 64 - vek.hwid_bytes));
        assert_int_equal(tst_cert_verify(chip->vcek, root->ask, NULL), 0);
    }
}

static bool has_extension(const struct amd_chip *chip, const char *oid)
{
    struct tst_bytes found;
    TST_AUTO_ERROR err = NULL;
    int rc = tst_cert_extension(chip->vcek, oid, &found, &err);
    assert_true(rc == 0 || rc == -TST_NOT_FOUND);
    return rc == 0;
}

static void turin_vcek_has_fmc_and_no_spl4(void **state)
{
    (void)state;
    AUTO_ROOT turin = fixture_root_as(genoa, TST_SNP_TURIN);
    AUTO_CHIP new = fixture_chip(turin, NULL);
    AUTO_CHIP old = fixture_chip(genoa, NULL);
    assert_true(has_extension(new, "1.3.6.1.4.1.3704.1.3.9"));
    assert_false(has_extension(new, "1.3.6.1.4.1.3704.1.3.4"));
    assert_false(has_extension(old, "1.3.6.1.4.1.3704.1.3.9"));
    assert_true(has_extension(old, "1.3.6.1.4.1.3704.1.3.4"));
}

static void chip_at_another_tcb_keeps_its_id_and_has_another_key(void **state)
{
    (void)state;
    const struct tst_snp_tcb below = {.bootloader = 9, .snp = 22, .microcode = 255};
    AUTO_CHIP chip = fixture_chip(genoa, NULL);
    AUTO_CHIP other = fixture_chip(genoa, NULL);
    AUTO_CHIP old = NULL;
    struct tst_snp_vek vek;
    assert_int_equal(amd_chip_at_tcb(genoa, chip, &below, FIXTURE_FROM, &old, NULL), 0);
    assert_memory_equal(old->id, chip->id, 64);
    assert_memory_not_equal(other->id, chip->id, 64);
    assert_memory_not_equal(info_of(old->vcek).spki_sha256, info_of(chip->vcek).spki_sha256, 32);
    assert_int_equal(tst_snp_vek_parse(old->vcek, &vek, NULL), 0);
    assert_true(tst_snp_tcb_equal(&vek.tcb, &below));
}

static void certificate_table_holds_the_chain(void **state)
{
    (void)state;
    AUTO_CHIP chip = fixture_chip(genoa, NULL);
    TST_AUTO_BUF table = {0};
    struct tst_snp_certs certs = {0};
    assert_int_equal(amd_cert_table(genoa, chip, &table, NULL), 0);
    assert_int_equal(tst_snp_cert_table_parse(table.p, table.n, &certs, NULL), 0);
    assert_memory_equal(info_of(certs.vek).spki_sha256, info_of(chip->vcek).spki_sha256, 32);
    assert_memory_equal(info_of(certs.ask).spki_sha256, info_of(genoa->ask).spki_sha256, 32);
    assert_memory_equal(info_of(certs.ark).spki_sha256, info_of(genoa->ark).spki_sha256, 32);
    tst_snp_certs_clear(&certs);
}

/* ---- the state directory ---- */
static void assert_mode(const char *dir, const char *name, mode_t mode)
{
    TST_AUTO_STR path = tree_path(dir, name);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, mode);
}

static void stored_hierarchy_is_loaded_again(void **state)
{
    (void)state;
    char *dir = tree_state();
    AUTO_ROOT opened = NULL;
    AUTO_ROOT loaded = NULL;
    assert_int_equal(amd_root_open(dir, TST_SNP_GENOA, FIXTURE_FROM, &opened, NULL), 0);
    assert_int_equal(amd_root_load(dir, &loaded, NULL), 0);
    assert_memory_equal(info_of(opened->ark).spki_sha256, info_of(genoa->ark).spki_sha256, 32);
    assert_memory_equal(info_of(loaded->ask).spki_sha256, info_of(genoa->ask).spki_sha256, 32);
    AUTO_CHIP chip = NULL;
    assert_int_equal(amd_chip_make(loaded, NULL, FIXTURE_FROM, &chip, NULL), 0);
    assert_int_equal(tst_cert_verify(chip->vcek, genoa->ask, NULL), 0);
    tree_free(dir);
}

static void fixture_was_stored_for_its_owner_alone(void **state)
{
    (void)state;
    TST_AUTO_STR dir = fixture_dir("genoa");
    assert_mode(dir, "", 0700);
    assert_mode(dir, "root", 0700);
    assert_mode(dir, "root/ark.key", 0600);
    assert_mode(dir, "root/ask.key", 0600);
}

static int load(const char *dir, struct tst_error **err)
{
    AUTO_ROOT root = NULL;
    return amd_root_load(dir, &root, err);
}

static void state_that_others_can_read_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        mode_t mode;
    } spoiled[] = {{"", 0755}, {"root", 0710}, {"root/ark.key", 0640}, {"root/ask.key", 0604}};
    for (size_t i = 0; i < TST_COUNT(spoiled); i++) {
        char *dir = tree_state();
        TST_AUTO_STR path = tree_path(dir, spoiled[i].name);
        TST_AUTO_ERROR err = NULL;
        assert_int_equal(chmod(path, spoiled[i].mode), 0);
        assert_int_equal(load(dir, &err), -TST_REFUTED);
        assert_non_null(err->fix);
        tree_free(dir);
    }
}

static void hierarchy_of_another_product_is_refused(void **state)
{
    (void)state;
    char *dir = tree_state();
    AUTO_ROOT root = NULL;
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(amd_root_open(dir, TST_SNP_TURIN, FIXTURE_FROM, &root, &err), -TST_REFUTED);
    assert_string_equal(err->expected, "turin");
    assert_string_equal(err->found, "genoa");
    assert_null(root);
    tree_free(dir);
}

static void damaged_hierarchy_is_refused_and_not_replaced(void **state)
{
    (void)state;
    static const char *const files[] = {"root/product", "root/ark.key", "root/ask.key", "root/ark.der", "root/ask.der"};
    for (size_t i = 0; i < TST_COUNT(files); i++) {
        char *dir = tree_state();
        TST_AUTO_STR path = tree_path(dir, files[i]);
        AUTO_ROOT root = NULL;
        TST_AUTO_ERROR err = NULL;
        assert_int_equal(unlink(path), 0);
        assert_int_equal(amd_root_open(dir, TST_SNP_GENOA, FIXTURE_FROM, &root, &err), -TST_REFUTED);
        assert_int_equal(access(path, F_OK), -1);
        tree_free(dir);
    }
}

static void missing_hierarchy_is_not_found(void **state)
{
    (void)state;
    char *dir = tree_new();
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(load(dir, &err), -TST_NOT_FOUND);
    assert_non_null(strstr(err->fix, "testudo-psp init"));
    tree_free(dir);
}

static void chip_has_one_identity_a_name(void **state)
{
    (void)state;
    char *dir = tree_state();
    AUTO_CHIP first = NULL;
    AUTO_CHIP again = NULL;
    AUTO_CHIP other = NULL;
    assert_int_equal(amd_chip_open(dir, genoa, "s1", FIXTURE_FROM, &first, NULL), 0);
    assert_int_equal(amd_chip_open(dir, genoa, "s1", FIXTURE_FROM + 100, &again, NULL), 0);
    assert_int_equal(amd_chip_open(dir, genoa, "s2", FIXTURE_FROM, &other, NULL), 0);
    assert_memory_equal(first->id, again->id, 64);
    assert_memory_equal(info_of(first->vcek).spki_sha256, info_of(again->vcek).spki_sha256, 32);
    assert_true(tst_snp_tcb_equal(&first->tcb, &again->tcb));
    assert_memory_not_equal(first->id, other->id, 64);
    assert_mode(dir, "chips", 0700);
    assert_mode(dir, "chips/s1/vcek.key", 0600);
    tree_free(dir);
}

static void chip_half_written_by_a_killed_process_is_made_anew(void **state)
{
    (void)state;
    char *dir = tree_state();
    AUTO_CHIP chip = NULL;
    tree_mkdir(dir, "chips", 0700);
    tree_mkdir(dir, "chips/s1.tmp", 0700);
    tree_put(dir, "chips/s1.tmp/vcek.key", "half", 4, 0600);
    assert_int_equal(amd_chip_open(dir, genoa, "s1", FIXTURE_FROM, &chip, NULL), 0);
    TST_AUTO_STR left = tree_path(dir, "chips/s1.tmp");
    assert_int_equal(access(left, F_OK), -1);
    tree_free(dir);
}

static void chip_name_cannot_leave_the_directory(void **state)
{
    (void)state;
    static const char *const names[] = {"", "..", "../root", "s1/x", "S1", ".s1", "s1.tmp"};
    char *dir = tree_state();
    for (size_t i = 0; i < TST_COUNT(names); i++) {
        AUTO_CHIP chip = NULL;
        TST_AUTO_ERROR err = NULL;
        if (amd_chip_open(dir, genoa, names[i], FIXTURE_FROM, &chip, &err) != -TST_USAGE)
            fail_msg("accepted: \"%s\"", names[i]);
    }
    tree_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_has_amds_names_and_verifies_up_to_its_root),
        cmocka_unit_test(vcek_of_each_product_tells_chip_and_tcb),
        cmocka_unit_test(turin_vcek_has_fmc_and_no_spl4),
        cmocka_unit_test(chip_at_another_tcb_keeps_its_id_and_has_another_key),
        cmocka_unit_test(certificate_table_holds_the_chain),
        cmocka_unit_test(stored_hierarchy_is_loaded_again),
        cmocka_unit_test(fixture_was_stored_for_its_owner_alone),
        cmocka_unit_test(state_that_others_can_read_is_refused),
        cmocka_unit_test(hierarchy_of_another_product_is_refused),
        cmocka_unit_test(damaged_hierarchy_is_refused_and_not_replaced),
        cmocka_unit_test(missing_hierarchy_is_not_found),
        cmocka_unit_test(chip_has_one_identity_a_name),
        cmocka_unit_test(chip_half_written_by_a_killed_process_is_made_anew),
        cmocka_unit_test(chip_name_cannot_leave_the_directory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
