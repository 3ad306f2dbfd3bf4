/* SPDX-License-Identifier: Apache-2.0 */
/* test_explain.c - a digest of a launch that differs in one usual way is explained by that way and by nothing else. */
#include "fixture.h"

struct guest {
    struct image firmware;
    struct tst_kernel kernel, other;
    struct tst_measure_in believed, real;
};

static void usual(struct guest *g)
{
    g->firmware = image_firmware();
    g->kernel = g->other = kernel_usual();
    g->believed = launch_of(&g->firmware);
    g->believed.kernel = &g->kernel;
    g->real = g->believed;
    g->real.kernel = &g->other;
}

static void debug_swap(struct guest *g)
{
    g->real.sev_features |= TST_SEV_FEATURE_DEBUG_SWAP;
}
static void more_vcpus(struct guest *g)
{
    g->real.vcpus = 7;
}
static void other_cpu(struct guest *g)
{
    g->real.signature = 0xa10f10;
}
static void no_initrd(struct guest *g)
{
    struct tst_error *err = NULL;
    assert_done(tst_kernel_set_initrd(&g->other, (struct tst_bytes){NULL, 0}, &err), err);
}
static void no_nul(struct guest *g)
{
    struct tst_error *err = NULL;
    assert_done(tst_sha256(g->kernel.cmdline_text, strlen(g->kernel.cmdline_text), g->other.cmdline, &err), err);
}
static void newline(struct guest *g)
{
    struct tst_error *err = NULL;
    assert_done(tst_kernel_set_cmdline(&g->other, "root=/dev/vda1 ro\n", &err), err);
}
static void no_hashes(struct guest *g)
{
    g->real.kernel = NULL;
}
static void order(struct guest *g)
{
    g->real.hashes_first = true;
}
static void on_ec2(struct guest *g)
{
    g->real.vmm = TST_VMM_EC2;
}
static void on_old_ec2(struct guest *g)
{
    on_ec2(g);
    g->real.rdx_zero = true;
}
static void on_gce(struct guest *g)
{
    g->real.vmm = TST_VMM_GCE;
}
static void on_krun(struct guest *g)
{
    g->real.vmm = TST_VMM_KRUN;
}
static void on_old_kvm(struct guest *g)
{
    g->real.fpu = TST_FPU_NONE;
}
static void at_52_bits(struct guest *g)
{
    g->real.vmsa_gpa = 0xffffffffff000;
}

static const struct mistake {
    void (*make)(struct guest *g);
    const char *what, *found;
} mistakes[] = {
    {debug_swap, "sev features", "0x21 (DebugSwap on)"},
    {more_vcpus, "vcpus", "7"},
    {other_cpu, "cpu type", "EPYC-Genoa (0xa10f10)"},
    {no_initrd, "kernel", "initrd missing"},
    {no_nul, "kernel", "command line hashed without its NUL"},
    {newline, "kernel", "command line with a newline at its end"},
    {no_hashes, "kernel", "kernel hashes absent (kernel-hashes=off)"},
    {order, "kernel hashes", "before the other sections (QEMU patches before 2023-03)"},
    {on_ec2, "vmm", "ec2 (RDX 0x600)"},
    {on_old_ec2, "vmm", "ec2 (RDX 0)"},
    {on_gce, "vmm", "gce"},
    {on_krun, "vmm", "krun"},
    {on_old_kvm, "fpu state", "not in the VMSA (KVM before 6.10)"},
    {at_52_bits, "vmsa address", "0xffffffffff000 (top of 52 bits)"},
};

static struct tst_explanation *explain(const struct guest *g)
{
    struct tst_measurement m;
    struct tst_explanation *e = NULL;
    struct tst_error *err = NULL;
    assert_done(tst_measure(&g->real, &m, &err), err);
    assert_done(tst_measure_explain(&g->believed, 8, m.digest, m.bytes, &e, &err), err);
    return e;
}

static void each_usual_mistake_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(mistakes); i++) {
        struct guest g;
        usual(&g);
        mistakes[i].make(&g);
        TST_AUTO_EXPLANATION e = explain(&g);
        print_message("%s: %s\n", mistakes[i].what, mistakes[i].found);
        assert_true(e->found);
        assert_int_equal(e->change_count, 1);
        assert_string_equal(e->changes[0].what, mistakes[i].what);
        assert_string_equal(e->changes[0].found, mistakes[i].found);
    }
}

static void two_mistakes_at_once_are_named(void **state)
{
    (void)state;
    struct guest g;
    usual(&g);
    debug_swap(&g);
    more_vcpus(&g);
    TST_AUTO_EXPLANATION e = explain(&g);
    assert_true(e->found);
    assert_int_equal(e->change_count, 2);
    assert_string_equal(e->changes[0].what, "sev features");
    assert_string_equal(e->changes[1].what, "vcpus");
    assert_string_equal(e->changes[1].given, "2");
}

static void the_launch_as_believed_needs_no_change(void **state)
{
    (void)state;
    struct guest g;
    usual(&g);
    TST_AUTO_EXPLANATION e = explain(&g);
    assert_true(e->found);
    assert_int_equal(e->change_count, 0);
}

static void an_unknown_digest_is_not_explained_and_the_search_is_told(void **state)
{
    (void)state;
    static const uint8_t unknown[48] = {7};
    struct guest g;
    struct tst_explanation *e = NULL;
    struct tst_error *err = NULL;
    usual(&g);
    assert_done(tst_measure_explain(&g.believed, 8, unknown, sizeof unknown, &e, &err), err);
    assert_false(e->found);
    assert_int_equal(e->change_count, 0);
    assert_true(e->combinations > 10000);
    assert_true(e->tried_count == 8);
    assert_string_equal(e->tried[7], "vcpus: 1 to 8");
    tst_explanation_free(e);
}

/* Another firmware is none of the variants. */
static void another_firmware_is_not_explained(void **state)
{
    (void)state;
    struct guest g;
    struct image other = image_firmware();
    usual(&g);
    other.bytes[5] ^= 1;
    g.real.firmware.p = other.bytes;
    TST_AUTO_EXPLANATION e = explain(&g);
    assert_false(e->found);
}

static void legacy_launches_are_explained(void **state)
{
    (void)state;
    struct guest g;
    usual(&g);
    g.believed.mode = g.real.mode = TST_MEASURE_SEV_ES;
    g.believed.sev_features = g.real.sev_features = 0;
    on_old_kvm(&g);
    more_vcpus(&g);
    TST_AUTO_EXPLANATION es = explain(&g);
    assert_true(es->found);
    assert_int_equal(es->change_count, 2);
    assert_string_equal(es->changes[0].what, "fpu state");
    usual(&g);
    g.believed.mode = g.real.mode = TST_MEASURE_SEV;
    g.believed.sev_features = g.real.sev_features = 0;
    no_initrd(&g);
    TST_AUTO_EXPLANATION sev = explain(&g);
    assert_true(sev->found);
    assert_int_equal(sev->change_count, 1);
    assert_string_equal(sev->changes[0].found, "initrd missing");
}

static void a_digest_of_the_wrong_size_is_refused(void **state)
{
    (void)state;
    static const uint8_t digest[48];
    struct guest g;
    struct tst_explanation *e = NULL;
    struct tst_error *err = NULL;
    usual(&g);
    assert_refused(tst_measure_explain(&g.believed, 8, digest, 32, &e, &err), TST_USAGE, err, "48");
    assert_refused(tst_measure_explain(&g.believed, TST_VCPUS_MAX + 1, digest, 48, &e, &err), TST_USAGE, err, "at most");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_usual_mistake_is_named),
        cmocka_unit_test(two_mistakes_at_once_are_named),
        cmocka_unit_test(the_launch_as_believed_needs_no_change),
        cmocka_unit_test(an_unknown_digest_is_not_explained_and_the_search_is_told),
        cmocka_unit_test(another_firmware_is_not_explained),
        cmocka_unit_test(legacy_launches_are_explained),
        cmocka_unit_test(a_digest_of_the_wrong_size_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
