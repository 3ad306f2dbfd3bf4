/* SPDX-License-Identifier: Apache-2.0 */
/* test_launch.c - launch digests of small firmware. The known answers were computed once by another implementation of the
 * same rules (Python's hashlib), so an error here and there alike would have to be made twice. */
#include "fixture.h"

struct guest {
    struct image firmware, svsm;
    struct tst_kernel kernel;
    struct tst_measure_in in;
};

static void usual(struct guest *g)
{
    g->firmware = image_firmware();
    g->svsm = image_svsm();
    g->kernel = kernel_usual();
    g->in = launch_of(&g->firmware);
}

/* ---- one change each ---- */
static void qemu(struct guest *g)
{
    (void)g;
}
static void with_kernel(struct guest *g)
{
    g->in.kernel = &g->kernel;
}
static void without_initrd(struct guest *g)
{
    struct tst_error *err = NULL;
    assert_done(tst_kernel_set_initrd(&g->kernel, (struct tst_bytes){NULL, 0}, &err), err);
    g->in.kernel = &g->kernel;
}
static void hashes_first(struct guest *g)
{
    g->in.kernel = &g->kernel;
    g->in.hashes_first = true;
}
static void plain_firmware(struct guest *g)
{
    g->firmware = image_firmware_plain();
}
static void debug_swap(struct guest *g)
{
    g->in.sev_features |= TST_SEV_FEATURE_DEBUG_SWAP;
}
static void address_of_52_bits(struct guest *g)
{
    g->in.vmsa_gpa = 0xffffffffff000;
}
static void five_rome(struct guest *g)
{
    g->in.vcpus = 5;
    assert_true(tst_cpu_model_find("epyc-rome", &g->in.signature));
}
static void old_kvm(struct guest *g)
{
    g->in.fpu = TST_FPU_NONE;
}
static void ec2(struct guest *g)
{
    g->in.vmm = TST_VMM_EC2;
}
static void ec2_before_its_fix(struct guest *g)
{
    g->in.vmm = TST_VMM_EC2;
    g->in.rdx_zero = true;
}
static void gce(struct guest *g)
{
    g->in.vmm = TST_VMM_GCE;
}
static void krun(struct guest *g)
{
    g->in.vmm = TST_VMM_KRUN;
}
static void svsm(struct guest *g)
{
    g->in.svsm = (struct tst_bytes){g->svsm.bytes, g->svsm.n};
    g->in.vars_bytes = 0x2000;
}
static void es(struct guest *g)
{
    g->in.mode = TST_MEASURE_SEV_ES;
    g->in.sev_features = 0;
}
static void es_with_kernel_on_old_kvm(struct guest *g)
{
    es(g);
    with_kernel(g);
    old_kvm(g);
}
static void sev(struct guest *g)
{
    es(g);
    g->in.mode = TST_MEASURE_SEV;
}
static void sev_with_kernel(struct guest *g)
{
    sev(g);
    with_kernel(g);
}

static const struct known_answer {
    const char *name;
    void (*change)(struct guest *g);
    const char *digest;
} known_answers[] = {
    {"QEMU", qemu,
     "96941bee21cfc174f3dc903713933c5627f634b379f999ca0fa3ba1123aaf305f8fd71b0d3d6f04082ee4680ba4727d4"},
    {"kernel", with_kernel,
     "c538dbe512f602e7a01e9571ed2eaad083a06ac957593c1e55e4edf25eed7c3e0aedf449be08e5ae2728caf957715f09"},
    {"kernel without initrd", without_initrd,
     "ed3e7ac07bfbfe1409f5487f3246280ca426212304fbf13dd5976eea6549c27248fa867b0482daf772d662496ff4e6f7"},
    {"kernel hashes first", hashes_first,
     "265b62864c976305b0bf654285bb8d9d93cd818ea93df5ab3dbf8ee84609c4892ae4efc1db3a6c1f8a1fb88315b2537f"},
    {"firmware without kernel hashes", plain_firmware,
     "d37b240e62f90fed4240f7ef006ceac94744e986e1c6e518b00d036db92d2636876b601de37a1884e0a8197ebab66e84"},
    {"DebugSwap", debug_swap,
     "2fad7252f3c396fa19156c57c05bffc4c0f2a52049c158f55fd157f0780e03808ec1758732668bd2eaa0b2e19dbb5780"},
    {"VMSA at the top of 52 bits", address_of_52_bits,
     "22acddda300894d6c6024066fc27d13b94c0bd8809f76af6ff48a8622788bcbc2a6becce298dde8639e64fca7b2c6450"},
    {"5 vCPUs, Rome", five_rome,
     "c0967d21ba21007b8fa18b0b80da3380b3a6ca2f926e4b941a51926b1d419e0ff2bfdb297f5bdb7c5e0c5fa2afbc8001"},
    {"KVM that leaves the FPU out", old_kvm,
     "104a78c588c2d3d6718fa5766924b7aec7a41a29e16f809f4a3f1d07bb33623da58c8f54a4dca9f7417b7713bd6e8585"},
    {"EC2", ec2,
     "2f693ef788f167dd05d60e461afc8514f7eb8dafe579156ebafc816c1f40abba159efe87b0f09ca55308f599faa0e2a8"},
    {"EC2, RDX 0", ec2_before_its_fix,
     "d99bc1acfd0df64a20d974aba67c207f65b28c33d7ab66cb01733acf251529f97b0d46b7fd32764dfba8ae29e9cbd183"},
    {"GCE", gce,
     "41fff1940e619362961e83afd9c57b02b6c5034cf8a33af938577bafb0f754a7fb3807b8a356fe009b6ae8cabaf39a96"},
    {"KRUN", krun,
     "df00159916c26ba2bce23fb3bda01282a87fffa9115e19f3b7cde334293a5b0dbe3cdcadf5bdba9896e876363cdc0ac9"},
    {"SVSM", svsm,
     "f2c410024447d0df1c1019a36138173d904d3ed7ac921bc9180e0ec4ba6a8023f74f0f2bcd3ec57f107f574a0bf052cf"},
    {"SEV-ES", es,
     "4c17cb1856feb158b1c158df5fcb82764032d0922d6948c42ce4bb78789f1578"},
    {"SEV-ES, kernel, old KVM", es_with_kernel_on_old_kvm,
     "78f964f1bb705c5fc3cdee837dfed39949a69ece7db3322c61d7742317cb39fa"},
    {"SEV", sev,
     "c34b5b080f8dafb523338d53bfc816363717afd706e76868cd643d8a721f1986"},
    {"SEV, kernel", sev_with_kernel,
     "8e71fb7ba1617c29e3ae35e24b7e6dceace2fce6fd79e085fb976d36459219e1"},
};

static void known_answers_are_computed(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(known_answers); i++) {
        struct guest g;
        char hex[97];
        usual(&g);
        known_answers[i].change(&g);
        print_message("%s\n", known_answers[i].name);
        assert_string_equal(digest_of(&g.in, hex), known_answers[i].digest);
    }
}

static void a_given_firmware_digest_replaces_the_pages_but_the_last(void **state)
{
    (void)state;
    struct guest g;
    uint8_t firmware[48];
    char whole[97], tail[97];
    struct tst_error *err = NULL;
    usual(&g);
    digest_of(&g.in, whole);
    assert_done(tst_measure_firmware(&g.in, firmware, &err), err);
    g.in.firmware_digest = firmware;
    g.in.firmware.p += FIRMWARE_BYTES - TST_PAGE_BYTES;
    g.in.firmware.n = TST_PAGE_BYTES;
    assert_string_equal(digest_of(&g.in, tail), whole);
}

/* ---- what is measured: every byte of it ---- */
static void every_byte_of_the_firmware_changes_the_digest(void **state)
{
    (void)state;
    struct guest g;
    char before[97], after[97];
    size_t changed = 0;
    usual(&g);
    digest_of(&g.in, before);
    for (size_t at = 0; at < FIRMWARE_BYTES; at++) {
        struct tst_measurement m;
        struct tst_error *err = NULL;
        g.firmware.bytes[at] ^= 0x10;
        if (tst_measure(&g.in, &m, &err) == 0) { /* a change in the table may make it unreadable, too */
            tst_hex(m.digest, m.bytes, after);
            assert_string_not_equal(after, before);
            changed++;
        }
        tst_error_free(err);
        g.firmware.bytes[at] ^= 0x10;
    }
    assert_true(changed > FIRMWARE_BYTES - 256);
    assert_string_equal(digest_of(&g.in, after), before);
}

static void every_parameter_changes_the_digest(void **state)
{
    (void)state;
    char seen[TST_COUNT(known_answers)][97];
    for (size_t i = 0; i < TST_COUNT(known_answers); i++) {
        struct guest g;
        usual(&g);
        known_answers[i].change(&g);
        digest_of(&g.in, seen[i]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(seen[i], seen[k]);
    }
}

static void every_count_of_vcpus_has_its_own_digest(void **state)
{
    (void)state;
    enum { MANY = 64 };
    char seen[MANY][97];
    struct guest g;
    usual(&g);
    for (unsigned n = 0; n < MANY; n++) {
        g.in.vcpus = n + 1;
        digest_of(&g.in, seen[n]);
        for (unsigned k = 0; k < n; k++)
            assert_string_not_equal(seen[n], seen[k]);
    }
}

static void sev_does_not_depend_on_the_vcpus(void **state)
{
    (void)state;
    struct guest g;
    char one[97], two[97];
    usual(&g);
    sev(&g);
    digest_of(&g.in, one);
    g.in.vcpus = 77;
    g.in.signature = 1;
    assert_string_equal(digest_of(&g.in, two), one);
}

static void kernel_hashes_cover_kernel_initrd_and_command_line(void **state)
{
    (void)state;
    struct tst_kernel a = kernel_usual(), b = a;
    uint8_t ta[TST_HASH_TABLE_BYTES], tb[TST_HASH_TABLE_BYTES];
    struct tst_error *err = NULL;
    tst_kernel_table(&a, ta);
    assert_int_equal(ta[16], 168);
    assert_true(tst_is_zero(ta + 168, 8));
    assert_done(tst_kernel_set_cmdline(&b, "root=/dev/vda1 rw", &err), err);
    tst_kernel_table(&b, tb);
    assert_memory_not_equal(ta, tb, sizeof ta);
    assert_memory_equal(ta + 68, tb + 68, sizeof ta - 68);
    b = a;
    assert_done(tst_kernel_set_initrd(&b, (struct tst_bytes){NULL, 0}, &err), err);
    assert_false(b.has_initrd);
    tst_kernel_table(&b, tb);
    assert_memory_equal(ta, tb, 68);
    assert_memory_not_equal(ta + 68, tb + 68, 50);
}

/* ---- what is refused ---- */
static void refused(struct guest *g, const char *part)
{
    struct tst_measurement m;
    struct tst_error *err = NULL;
    assert_refused(tst_measure(&g->in, &m, &err), TST_USAGE, err, part);
    assert_true(tst_is_zero(m.digest, sizeof m.digest));
}

static void a_kernel_needs_firmware_that_measures_it(void **state)
{
    (void)state;
    static const enum tst_measure_mode modes[] = {TST_MEASURE_SEV, TST_MEASURE_SEV_ES, TST_MEASURE_SNP};
    for (size_t i = 0; i < TST_COUNT(modes); i++) {
        struct guest g;
        usual(&g);
        g.firmware = image_firmware_plain();
        with_kernel(&g);
        g.in.mode = modes[i];
        g.in.sev_features = modes[i] == TST_MEASURE_SNP;
        refused(&g, "no place for kernel hashes");
    }
}

static void an_svsm_launch_has_no_kernel_hashes(void **state)
{
    (void)state;
    struct guest g;
    usual(&g);
    svsm(&g);
    with_kernel(&g);
    refused(&g, "no place for kernel hashes");
}

static void an_svsm_must_say_where_it_starts(void **state)
{
    (void)state;
    struct guest g;
    usual(&g);
    g.in.svsm = g.in.firmware;
    refused(&g, "no SVSM info");
    usual(&g);
    svsm(&g);
    g.in.vmm = TST_VMM_EC2;
    refused(&g, "QEMU only");
    usual(&g);
    svsm(&g);
    g.in.vars_bytes = 0xfffff000;
    refused(&g, "do not fit below 4 GiB");
}

static void firmware_without_sev_metadata_is_no_snp_firmware(void **state)
{
    (void)state;
    struct guest g;
    usual(&g);
    g.firmware = image_bare();
    refused(&g, "no SEV metadata");
    g.in.mode = TST_MEASURE_SEV_ES;
    g.in.sev_features = 0;
    refused(&g, "no SEV-ES reset block");
    char hex[97];
    g.in.vcpus = 1;
    digest_of(&g.in, hex);
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    struct guest g;
    usual(&g);
    g.in.vcpus = 0;
    refused(&g, "0 vCPUs");
    g.in.vcpus = TST_VCPUS_MAX + 1;
    refused(&g, "expected 1 to 4096");
    usual(&g);
    g.in.sev_features = 0x20;
    refused(&g, "bit 0");
    usual(&g);
    g.in.mode = TST_MEASURE_SEV_ES;
    refused(&g, "bit 0");
    usual(&g);
    g.in.vmsa_gpa = 0x1234;
    refused(&g, "not a page");
    usual(&g);
    g.in.firmware.p += 1;
    g.in.firmware.n -= 1;
    refused(&g, "not whole pages");
    usual(&g);
    sev(&g);
    svsm(&g);
    refused(&g, "only an SNP launch");
}

/* ---- CPUs ---- */
static void cpu_models_are_found_by_any_case(void **state)
{
    (void)state;
    uint32_t s = 0;
    assert_int_equal(tst_cpu_signature(23, 1, 2), 0x800f12);
    assert_int_equal(tst_cpu_signature(23, 49, 0), 0x830f10);
    assert_int_equal(tst_cpu_signature(25, 1, 1), 0xa00f11);
    assert_int_equal(tst_cpu_signature(25, 17, 0), 0xa10f10);
    assert_int_equal(tst_cpu_signature(26, 0, 0), 0xb00f00);
    assert_int_equal(tst_cpu_signature(6, 15, 1), 0x6f1);
    assert_true(tst_cpu_model_find("EPYC-GENOA-v1", &s));
    assert_int_equal(s, 0xa10f10);
    assert_false(tst_cpu_model_find("EPYC-", &s));
    assert_false(tst_cpu_model_find("", &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_are_computed),
        cmocka_unit_test(a_given_firmware_digest_replaces_the_pages_but_the_last),
        cmocka_unit_test(every_byte_of_the_firmware_changes_the_digest),
        cmocka_unit_test(every_parameter_changes_the_digest),
        cmocka_unit_test(every_count_of_vcpus_has_its_own_digest),
        cmocka_unit_test(sev_does_not_depend_on_the_vcpus),
        cmocka_unit_test(kernel_hashes_cover_kernel_initrd_and_command_line),
        cmocka_unit_test(a_kernel_needs_firmware_that_measures_it),
        cmocka_unit_test(an_svsm_launch_has_no_kernel_hashes),
        cmocka_unit_test(an_svsm_must_say_where_it_starts),
        cmocka_unit_test(firmware_without_sev_metadata_is_no_snp_firmware),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(cpu_models_are_found_by_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
