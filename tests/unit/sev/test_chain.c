/* SPDX-License-Identifier: Apache-2.0 */
/* test_chain.c - certificates of legacy SEV on a synthetic platform: the whole chain verifies, and whatever is bent in it is
 * refused by the check it belongs to. */
#include "platform.h"

static struct platform naples_like;

static int setup(void **state)
{
    (void)state;
    platform_make(&naples_like, 2048);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    platform_clear(&naples_like);
    return 0;
}

static void judge(const struct tst_sev_chain *chain, const struct tst_sev_pin *pin, struct tst_sev_verdict *v)
{
    struct tst_error *err = NULL;
    assert_done(tst_sev_chain_verify(chain, pin, v, &err), err);
}

/* The first failed check is `id`, for that reason. */
static void assert_fails(const struct platform *p, const char *id, const char *reason)
{
    struct tst_sev_chain chain;
    struct tst_sev_verdict v;
    platform_chain(p, &chain);
    judge(&chain, &p->pin, &v);
    assert_int_equal(v.outcome, TST_SEV_FAIL);
    const struct tst_sev_check *first = tst_sev_verdict_first(&v);
    assert_string_equal(first->id, id);
    assert_string_equal(first->reason, reason);
    assert_true(first->found[0] && first->fix);
}

static void assert_passes(const struct platform *p)
{
    struct tst_sev_chain chain;
    struct tst_sev_verdict v;
    platform_chain(p, &chain);
    judge(&chain, &p->pin, &v);
    const struct tst_sev_check *first = tst_sev_verdict_first(&v);
    if (first)
        fail_msg("%s: %s", first->id, first->found);
    assert_int_equal(v.outcome, TST_SEV_PASS);
    assert_true(v.simulated);
    assert_string_equal(v.product, "synthetic");
    for (size_t i = 0; i < TST_SEV_CHECKS; i++) {
        assert_int_equal(v.checks[i].outcome, TST_SEV_PASS);
        assert_non_null(v.checks[i].id);
        assert_null(v.checks[i].reason);
    }
}

static void a_whole_chain_of_rsa_2048_verifies(void **state)
{
    (void)state;
    assert_passes(&naples_like);
}

static void a_whole_chain_of_rsa_4096_verifies(void **state)
{
    (void)state;
    static struct platform rome_like;
    platform_make(&rome_like, 4096);
    assert_passes(&rome_like);
    rome_like.cert[TST_SEV_ROLE_CEK][0x418] ^= 1; /* says 0x100: no algorithm at all */
    struct tst_sev_cert c;
    assert_int_equal(tst_sev_cert_parse(rome_like.cert[TST_SEV_ROLE_CEK], TST_SEV_CERT_BYTES, &c, NULL), -TST_USAGE);
    rome_like.cert[TST_SEV_ROLE_CEK][0x418] ^= 1;
    rome_like.cert[TST_SEV_ROLE_CEK][0x419] = 0; /* RSA-SHA256 under a 4096-bit ASK */
    assert_fails(&rome_like, "chain.cek-signature", "signature-algorithm");
    platform_clear(&rome_like);
}

static void a_root_that_nobody_named_is_refused(void **state)
{
    (void)state;
    struct tst_sev_chain chain;
    struct tst_sev_verdict v;
    struct tst_sev_pin other = naples_like.pin;
    other.spki_sha256[0] ^= 1;
    platform_chain(&naples_like, &chain);
    judge(&chain, NULL, &v);
    assert_string_equal(tst_sev_verdict_first(&v)->reason, "ark-not-pinned");
    assert_null(v.product);
    judge(&chain, &other, &v);
    assert_string_equal(tst_sev_verdict_first(&v)->reason, "ark-not-pinned");
    assert_false(v.simulated);
}

static void amd_roots_of_five_products_are_compiled_in(void **state)
{
    (void)state;
    static const char *const products[] = {"naples", "rome", "milan", "genoa", "turin"};
    size_t count = 0;
    const struct tst_sev_pin *pins = tst_sev_pins(&count);
    for (size_t i = 0; i < TST_COUNT(products); i++) {
        size_t k = 0;
        while (k < count && strcmp(pins[k].product, products[i]) != 0)
            k++;
        assert_true(k < count);
    }
}

static void the_signature_of_the_pek_is_found_in_either_slot(void **state)
{
    (void)state;
    struct platform p = naples_like;
    platform_sign(&p, TST_SEV_ROLE_PEK, 0, TST_SEV_ROLE_CEK);
    platform_sign(&p, TST_SEV_ROLE_PEK, 1, TST_SEV_ROLE_OCA);
    assert_passes(&p);
    platform_sign(&p, TST_SEV_ROLE_PEK, 1, TST_SEV_ROLE_CEK);
    assert_fails(&p, "chain.pek-signature-cek", "no-such-signature"); /* twice is not once */
}

static void an_empty_slot_with_its_usage_swapped_is_taken_as_empty(void **state)
{
    (void)state;
    struct platform p = naples_like;
    struct tst_sev_chain chain;
    struct tst_sev_verdict v;
    p.cert[TST_SEV_ROLE_CEK][0x61c] = 0x10;
    p.cert[TST_SEV_ROLE_CEK][0x61d] = 0;
    assert_passes(&p);
    platform_chain(&p, &chain);
    judge(&chain, &p.pin, &v);
    bool said = false;
    for (size_t i = 0; i < TST_SEV_CHECKS; i++)
        said |= strcmp(v.checks[i].id, "chain.cek-signature") == 0 && strstr(v.checks[i].found, "0x0010");
    assert_true(said);
}

static void a_root_without_signature_is_named_so(void **state)
{
    (void)state;
    struct tst_sev_chain chain = {0};
    struct tst_sev_verdict v;
    struct tst_error *err = NULL;
    uint8_t file[4096];
    size_t n = naples_like.ca_bytes;
    memcpy(file, naples_like.ca[0], n); /* ASK, then the ARK's first 576 bytes: as AMD published it in 2018 */
    memcpy(file + n, naples_like.ca[1], n - 256);
    assert_done(tst_sev_chain_add(&chain, file, 2 * n - 256, &err), err);
    for (size_t i = 0; i < CERTS; i++)
        assert_done(tst_sev_chain_add(&chain, naples_like.cert[i], TST_SEV_CERT_BYTES, &err), err);
    judge(&chain, &naples_like.pin, &v);
    assert_int_equal(v.outcome, TST_SEV_FAIL);
    assert_string_equal(tst_sev_verdict_first(&v)->reason, "ark-without-signature");
    assert_int_equal(v.checks[0].outcome, TST_SEV_PASS); /* its key is the pinned one */
}

static void each_signature_is_its_own_check(void **state)
{
    (void)state;
    static const struct {
        enum tst_sev_role role;
        size_t offset;
        const char *id, *reason;
    } bends[] = {
        {TST_SEV_ROLE_PDH, 0x41c, "chain.pdh-signature", "pdh-signature"},
        {TST_SEV_ROLE_PEK, 0x41c, "chain.pek-signature-oca", "pek-signature-oca"},
        {TST_SEV_ROLE_PEK, 0x624, "chain.pek-signature-cek", "pek-signature-cek"},
        {TST_SEV_ROLE_OCA, 0x41c, "chain.oca-signature", "oca-signature"},
        {TST_SEV_ROLE_CEK, 0x41c, "chain.cek-signature", "cek-signature"},
        {TST_SEV_ROLE_CEK, 0x41c + 300, "chain.cek-signature", "cek-signature"}, /* behind a 2048-bit signature */
        {TST_SEV_ROLE_PDH, 5, "chain.pdh-signature", "pdh-signature"},
    };
    for (size_t i = 0; i < TST_COUNT(bends); i++) {
        struct platform p = naples_like;
        p.cert[bends[i].role][bends[i].offset] ^= 1;
        assert_fails(&p, bends[i].id, bends[i].reason);
    }
    struct platform p = naples_like;
    p.ca[0][p.ca_bytes - 1] ^= 1;
    assert_fails(&p, "chain.ask-signature", "ask-signature");
    p = naples_like;
    p.ca[1][p.ca_bytes - 9] ^= 1;
    assert_fails(&p, "chain.ark-signature", "ark-signature");
    p = naples_like;
    memset(p.ca[0] + 0x14, 0x55, 16);
    platform_sign_ca(&p, TST_SEV_ROLE_ASK);
    assert_fails(&p, "chain.key-ids", "key-id");
}

static void certificates_of_two_platforms_do_not_mix(void **state)
{
    (void)state;
    static struct platform other;
    static const struct {
        enum tst_sev_role role;
        const char *reason;
    } mixes[] = {{TST_SEV_ROLE_PDH, "pdh-signature"}, {TST_SEV_ROLE_PEK, "pek-signature-cek"}, {TST_SEV_ROLE_OCA, "pek-signature-oca"}, {TST_SEV_ROLE_CEK, "cek-signature"}};
    platform_make(&other, 2048);
    for (size_t i = 0; i < TST_COUNT(mixes); i++) {
        struct tst_sev_chain chain;
        struct tst_sev_verdict v;
        struct platform p = naples_like;
        memcpy(p.cert[mixes[i].role], other.cert[mixes[i].role], TST_SEV_CERT_BYTES);
        platform_chain(&p, &chain);
        judge(&chain, &p.pin, &v);
        assert_int_equal(v.outcome, TST_SEV_FAIL);
        assert_string_equal(tst_sev_verdict_first(&v)->reason, mixes[i].reason);
    }
    platform_clear(&other);
}

static void a_missing_certificate_leaves_the_chain_undecided(void **state)
{
    (void)state;
    for (enum tst_sev_role r = TST_SEV_ROLE_PDH; r <= TST_SEV_ROLE_ARK; r++) {
        struct tst_sev_chain chain;
        struct tst_sev_verdict v;
        platform_chain(&naples_like, &chain);
        chain.has[r] = false;
        judge(&chain, &naples_like.pin, &v);
        assert_int_equal(v.outcome, TST_SEV_MISSING);
        const struct tst_sev_check *first = tst_sev_verdict_first(&v);
        assert_string_equal(first->reason, "certificate-missing");
        assert_non_null(strstr(first->found, tst_sev_role_name(r)));
    }
}

static void a_point_off_the_curve_is_no_key(void **state)
{
    (void)state;
    struct platform p = naples_like;
    p.cert[TST_SEV_ROLE_PEK][0x14] ^= 1;
    platform_sign(&p, TST_SEV_ROLE_PEK, 0, TST_SEV_ROLE_OCA);
    platform_sign(&p, TST_SEV_ROLE_PEK, 1, TST_SEV_ROLE_CEK);
    assert_fails(&p, "chain.pdh-signature", "bad-key");
    p = naples_like;
    p.cert[TST_SEV_ROLE_PDH][0x14] ^= 1;
    platform_sign(&p, TST_SEV_ROLE_PDH, 0, TST_SEV_ROLE_PEK);
    assert_fails(&p, "chain.pdh-signature", "bad-key");
}

static void malformed_certificates_are_refused_with_the_place(void **state)
{
    (void)state;
    static const struct {
        enum tst_sev_role role;
        size_t offset;
        uint8_t value;
        const char *words;
    } bends[] = {
        {TST_SEV_ROLE_PDH, 0, 2, "version 2 at offset 0"},
        {TST_SEV_ROLE_PDH, 8, 5, "usage 0x1005"},
        {TST_SEV_ROLE_PDH, 0xc, 2, "algorithm 0x2"},
        {TST_SEV_ROLE_PEK, 0xc, 3, "algorithm 0x3"},
        {TST_SEV_ROLE_OCA, 0x10, 3, "curve 3"},
        {TST_SEV_ROLE_OCA, 0x14 + 48, 1, "coordinate"},
        {TST_SEV_ROLE_OCA, 0x14 + 72 + 48, 1, "coordinate"},
        {TST_SEV_ROLE_PDH, 0x414, 3, "slot 1 is of 0x1003, which signs nothing"},
        {TST_SEV_ROLE_PDH, 0x418, 1, "slot 1 has algorithm 0x1"},
        {TST_SEV_ROLE_CEK, 0x418, 2, "slot 1 has algorithm 0x2"},
        {TST_SEV_ROLE_PDH, 0x41c + 144, 1, "behind the signature in slot 1"},
        {TST_SEV_ROLE_PDH, 0x620, 1, "slot 2 says that it is empty"},
        {TST_SEV_ROLE_PDH, 0x823, 1, "slot 2 says that it is empty"},
    };
    for (size_t i = 0; i < TST_COUNT(bends); i++) {
        struct tst_sev_cert c;
        struct tst_error *err = NULL;
        uint8_t bent[TST_SEV_CERT_BYTES];
        memcpy(bent, naples_like.cert[bends[i].role], sizeof bent);
        bent[bends[i].offset] = bends[i].value;
        assert_refused(tst_sev_cert_parse(bent, sizeof bent, &c, &err), TST_USAGE, err, bends[i].words);
    }
}

static void malformed_amd_certificates_are_refused_with_the_place(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint8_t value;
        const char *words;
    } bends[] = {{0, 0, "version 0"}, {0x24, 1, "usage 0x1"}, {0x39, 0x10, "exponent of 4096 and modulus of 2048"}, {0x3d, 4, "2048 and modulus of 1024"}};
    for (size_t i = 0; i < TST_COUNT(bends); i++) {
        struct tst_sev_ca_cert c;
        struct tst_error *err = NULL;
        uint8_t bent[TST_SEV_CA_CERT_MAX_BYTES];
        memcpy(bent, naples_like.ca[1], sizeof bent);
        bent[bends[i].offset] = bends[i].value;
        assert_refused(tst_sev_ca_cert_parse(bent, naples_like.ca_bytes, &c, &err), TST_USAGE, err, bends[i].words);
    }
}

static void an_even_modulus_or_a_huge_exponent_is_no_key(void **state)
{
    (void)state;
    struct platform p = naples_like;
    p.ca[0][0x40 + 200] = 1; /* exponent of more than 1600 bits */
    platform_sign_ca(&p, TST_SEV_ROLE_ASK);
    assert_fails(&p, "chain.cek-signature", "bad-key");
    p = naples_like;
    p.ca[0][0x40 + 256] &= 0xfe;
    platform_sign_ca(&p, TST_SEV_ROLE_ASK);
    assert_fails(&p, "chain.cek-signature", "bad-key");
}

static void truncated(const uint8_t *p, size_t n, void *ctx)
{
    struct tst_sev_chain chain = {0};
    (void)ctx;
    assert_true(tst_sev_chain_add(&chain, p, n, NULL) < 0);
}

static void truncated_and_trailing_bytes_are_refused(void **state)
{
    (void)state;
    uint8_t longer[TST_SEV_CERT_BYTES + 1] = {0};
    struct tst_sev_chain chain = {0};
    struct tst_error *err = NULL;
    each_truncation(naples_like.cert[0], TST_SEV_CERT_BYTES, truncated, NULL);
    memcpy(longer, naples_like.cert[0], TST_SEV_CERT_BYTES);
    assert_refused(tst_sev_chain_add(&chain, longer, sizeof longer, &err), TST_USAGE, err, "at byte 2084");
    for (size_t n = 0; n < naples_like.ca_bytes; n++) {
        struct tst_sev_ca_cert c;
        TST_AUTO_ERROR why = NULL;
        int rc = tst_sev_ca_cert_parse(naples_like.ca[1], n, &c, &why);
        assert_int_equal(rc, n == naples_like.ca_bytes - 256 ? 0 : -TST_USAGE);
    }
    struct tst_sev_ca_cert c;
    assert_refused(tst_sev_ca_cert_parse(naples_like.ca[1], naples_like.ca_bytes + 1, &c, &err), TST_USAGE, err, "1 trailing");
}

static void a_second_certificate_of_a_role_is_refused(void **state)
{
    (void)state;
    struct tst_sev_chain chain;
    struct tst_error *err = NULL;
    platform_chain(&naples_like, &chain);
    assert_refused(tst_sev_chain_add(&chain, naples_like.cert[1], TST_SEV_CERT_BYTES, &err), TST_USAGE, err, "second PEK");
    assert_refused(tst_sev_chain_add(&chain, naples_like.ca[1], naples_like.ca_bytes, &err), TST_USAGE, err, "second ARK");
}

static void flipped_bytes_of_every_certificate_are_refused(void **state)
{
    (void)state;
    struct tst_sev_chain chain;
    platform_chain(&naples_like, &chain);
    platform_flip_all(&chain, &naples_like.pin, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_chain_of_rsa_2048_verifies),
        cmocka_unit_test(a_whole_chain_of_rsa_4096_verifies),
        cmocka_unit_test(a_root_that_nobody_named_is_refused),
        cmocka_unit_test(amd_roots_of_five_products_are_compiled_in),
        cmocka_unit_test(the_signature_of_the_pek_is_found_in_either_slot),
        cmocka_unit_test(an_empty_slot_with_its_usage_swapped_is_taken_as_empty),
        cmocka_unit_test(a_root_without_signature_is_named_so),
        cmocka_unit_test(each_signature_is_its_own_check),
        cmocka_unit_test(certificates_of_two_platforms_do_not_mix),
        cmocka_unit_test(a_missing_certificate_leaves_the_chain_undecided),
        cmocka_unit_test(a_point_off_the_curve_is_no_key),
        cmocka_unit_test(malformed_certificates_are_refused_with_the_place),
        cmocka_unit_test(malformed_amd_certificates_are_refused_with_the_place),
        cmocka_unit_test(an_even_modulus_or_a_huge_exponent_is_no_key),
        cmocka_unit_test(truncated_and_trailing_bytes_are_refused),
        cmocka_unit_test(a_second_certificate_of_a_role_is_refused),
        cmocka_unit_test(flipped_bytes_of_every_certificate_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
