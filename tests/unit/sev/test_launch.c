/* SPDX-License-Identifier: Apache-2.0 */
/* test_launch.c - session, launch measurement, secret packet, attestation report and VMSA pages of legacy SEV: what one side
 * makes the other accepts, and every change is refused. */
#include "platform.h"

#define POLICY (TST_SEV_POLICY_NODBG | TST_SEV_POLICY_ES)

static struct platform plat;

static int setup(void **state)
{
    (void)state;
    platform_make(&plat, 2048);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    platform_clear(&plat);
    return 0;
}

static struct tst_secret *key_of(uint8_t fill, size_t n)
{
    struct tst_secret *s = NULL;
    assert_int_equal(tst_secret_new(n, &s, NULL), 0);
    memset(tst_secret_bytes(s), fill, n);
    return s;
}

static void assert_same(const struct tst_secret *a, const struct tst_secret *b)
{
    assert_int_equal(tst_secret_size(a), tst_secret_size(b));
    assert_memory_equal(tst_secret_view(a), tst_secret_view(b), tst_secret_size(a));
}

/* ---- session ---- */
static void session_start(struct tst_sev_session *s)
{
    struct tst_sev_cert pdh;
    struct tst_error *err = NULL;
    assert_done(tst_sev_cert_parse(plat.cert[TST_SEV_ROLE_PDH], TST_SEV_CERT_BYTES, &pdh, &err), err);
    assert_done(tst_sev_session_new(&pdh, POLICY, s, &err), err);
}

/* The secret on the platform's side: its PDH with the owner's GODH. */
static struct tst_secret *platform_secret(const struct tst_key *pdh, const uint8_t godh[TST_SEV_CERT_BYTES])
{
    struct tst_sev_cert cert;
    struct tst_secret *z = NULL;
    TST_AUTO_KEY theirs = NULL;
    struct tst_error *err = NULL;
    assert_done(tst_sev_cert_parse(godh, TST_SEV_CERT_BYTES, &cert, &err), err);
    assert_int_equal(cert.usage, TST_SEV_PDH);
    assert_done(tst_sev_cert_key(&cert, &theirs, &err), err);
    assert_done(tst_ecdh_p384(pdh, theirs, &z, &err), err);
    return z;
}

static void the_platform_opens_the_session_and_nobody_else(void **state)
{
    (void)state;
    struct tst_sev_session s;
    struct tst_error *err = NULL;
    TST_AUTO_SECRET tek = NULL;
    TST_AUTO_SECRET tik = NULL;
    session_start(&s);
    TST_AUTO_SECRET z = platform_secret(plat.key[TST_SEV_ROLE_PDH], s.godh);
    TST_AUTO_SECRET foreign = platform_secret(plat.key[TST_SEV_ROLE_PEK], s.godh);
    assert_done(tst_sev_session_open(z, s.blob, POLICY, &tek, &tik, &err), err);
    assert_same(tek, s.tek);
    assert_same(tik, s.tik);
    assert_memory_not_equal(tst_secret_view(tek), tst_secret_view(tik), TST_SEV_KEY_BYTES);
    struct tst_secret *none = NULL;
    assert_refused(tst_sev_session_open(foreign, s.blob, POLICY, &none, &none, &err), TST_REFUTED, err, "WRAP_MAC");
    assert_refused(tst_sev_session_open(z, s.blob, POLICY ^ TST_SEV_POLICY_NODBG, &none, &none, &err), TST_REFUTED, err, "POLICY_MAC");
    assert_null(none);
    tst_sev_session_clear(&s);
    assert_null(s.tek);
}

static void every_flipped_byte_of_a_session_is_refused(void **state)
{
    (void)state;
    struct tst_sev_session s;
    session_start(&s);
    TST_AUTO_SECRET z = platform_secret(plat.key[TST_SEV_ROLE_PDH], s.godh);
    for (size_t i = 0; i < sizeof s.blob; i++) {
        struct tst_secret *tek = NULL, *tik = NULL;
        s.blob[i] ^= 0x10;
        assert_int_equal(tst_sev_session_open(z, s.blob, POLICY, &tek, &tik, NULL), -TST_REFUTED);
        assert_true(!tek && !tik);
        s.blob[i] ^= 0x10;
    }
    tst_sev_session_clear(&s);
}

static void two_sessions_share_nothing(void **state)
{
    (void)state;
    struct tst_sev_session a, b;
    session_start(&a);
    session_start(&b);
    assert_memory_not_equal(tst_secret_view(a.tek), tst_secret_view(b.tek), TST_SEV_KEY_BYTES);
    assert_memory_not_equal(tst_secret_view(a.tik), tst_secret_view(b.tik), TST_SEV_KEY_BYTES);
    assert_memory_not_equal(a.blob, b.blob, TST_SEV_NONCE_BYTES);
    assert_memory_not_equal(a.godh, b.godh, sizeof a.godh);
    tst_sev_session_clear(&a);
    tst_sev_session_clear(&b);
}

static void a_session_needs_a_pdh(void **state)
{
    (void)state;
    struct tst_sev_session s;
    struct tst_sev_cert pek;
    struct tst_error *err = NULL;
    assert_done(tst_sev_cert_parse(plat.cert[TST_SEV_ROLE_PEK], TST_SEV_CERT_BYTES, &pek, &err), err);
    assert_refused(tst_sev_session_new(&pek, POLICY, &s, &err), TST_USAGE, err, "PEK");
    assert_null(s.tek);
}

/* ---- measurement ---- */
static void the_measurement_depends_on_every_input(void **state)
{
    (void)state;
    const struct tst_sev_launch launch = {.api_major = 1, .api_minor = 40, .build = 40, .policy = 3, .digest = {7}, .mnonce = {9}};
    struct tst_sev_launch changed[] = {launch, launch, launch, launch, launch, launch};
    uint8_t measure[TST_SHA256_BYTES];
    struct tst_error *err = NULL;
    TST_AUTO_SECRET tik = key_of(1, TST_SEV_KEY_BYTES);
    TST_AUTO_SECRET other = key_of(2, TST_SEV_KEY_BYTES);
    TST_AUTO_SECRET longer = key_of(1, TST_SEV_KEY_BYTES + 1);
    changed[0].api_major++;
    changed[1].api_minor++;
    changed[2].build++;
    changed[3].policy ^= 0x80000000u;
    changed[4].digest[31]++;
    changed[5].mnonce[15]++;
    assert_done(tst_sev_measure(tik, &launch, measure, &err), err);
    assert_done(tst_sev_measure_check(tik, &launch, measure, &err), err);
    for (size_t i = 0; i < TST_COUNT(changed); i++) {
        assert_int_equal(tst_sev_measure_check(tik, &changed[i], measure, &err), -TST_REFUTED);
        assert_string_equal(err->reason, "launch-measurement");
        assert_true(err->expected && err->found && err->fix);
    }
    tst_error_free(err);
    err = NULL;
    assert_int_equal(tst_sev_measure_check(other, &launch, measure, NULL), -TST_REFUTED);
    assert_refused(tst_sev_measure(longer, &launch, measure, &err), TST_USAGE, err, "17 bytes");
}

static void a_launch_digest_without_its_pages_is_refused(void **state)
{
    (void)state;
    static const uint8_t firmware[8192], page[TST_SEV_VMSA_BYTES];
    struct tst_sev_image image = {.firmware = {firmware, sizeof firmware}};
    struct tst_kernel kernel;
    struct tst_error *err = NULL;
    uint8_t sev[TST_SHA256_BYTES], es[TST_SHA256_BYTES];
    assert_done(tst_sev_launch_digest(&image, sev, &err), err);
    image.vcpus = 2;
    assert_refused(tst_sev_launch_digest(&image, es, &err), TST_USAGE, err, "VMSA of the first");
    image.vmsa_bsp = page;
    assert_refused(tst_sev_launch_digest(&image, es, &err), TST_USAGE, err, "VMSA of the first");
    image.vmsa_ap = page;
    assert_done(tst_sev_launch_digest(&image, es, &err), err);
    assert_memory_not_equal(sev, es, sizeof es);
    image.vcpus = TST_VCPUS_MAX + 1;
    assert_refused(tst_sev_launch_digest(&image, es, &err), TST_USAGE, err, "at most 4096");
    assert_done(tst_kernel_set(&kernel, (struct tst_bytes){page, 16}, (struct tst_bytes){NULL, 0}, "quiet", &err), err);
    image.vcpus = 0;
    image.kernel = &kernel;
    assert_refused(tst_sev_launch_digest(&image, es, &err), TST_USAGE, err, "no place for kernel hashes");
}

/* ---- secret packet ---- */
#define GUID_A "736869e5-84f0-4973-92ec-06879ce3da0b"
#define GUID_B "736869e5-aaaa-4973-92ec-06879ce3da0b"

static void guids_are_read_and_printed(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "736869e5", GUID_A "0", "736869e5-84f0-4973-92ec+06879ce3da0b", "736869e5-84f0-4973-92ec-06879ce3da0g",
                                      "736869e584f0-4973-92ec-06879ce3da0b-", "{36869e5-84f0-4973-92ec-06879ce3da0}"};
    static const uint8_t expected[] = {0xe5, 0x69, 0x68, 0x73, 0xf0, 0x84, 0x73, 0x49, 0x92, 0xec, 0x06, 0x87, 0x9c, 0xe3, 0xda, 0x0b};
    uint8_t guid[TST_SEV_GUID_BYTES];
    char text[37];
    struct tst_error *err = NULL;
    assert_done(tst_sev_guid_parse(GUID_A, guid, &err), err);
    assert_memory_equal(guid, expected, sizeof expected);
    tst_sev_guid_print(guid, text);
    assert_string_equal(text, GUID_A);
    for (size_t i = 0; i < TST_COUNT(bad); i++)
        assert_refused(tst_sev_guid_parse(bad[i], guid, &err), TST_USAGE, err, "no GUID");
}

static struct tst_sev_entry entry(const char *guid, const void *p, size_t n)
{
    struct tst_sev_entry e = {.value = {p, n}};
    assert_int_equal(tst_sev_guid_parse(guid, e.guid, NULL), 0);
    return e;
}

static void seal(const struct tst_secret *tek, const struct tst_secret *tik, const uint8_t measure[32], struct tst_sev_packet *packet)
{
    const struct tst_sev_entry entries[] = {entry(GUID_A, "passphrase", 10), entry(GUID_B, "x", 1)};
    static const uint8_t iv[16] = {1, 2, 3};
    TST_AUTO_SECRET table = NULL;
    struct tst_error *err = NULL;
    assert_done(tst_sev_table_build(entries, 2, &table, &err), err);
    assert_done(tst_sev_packet_seal(tek, tik, table, iv, measure, packet, &err), err);
}

static void a_packet_comes_back_as_it_was(void **state)
{
    (void)state;
    static const uint8_t measure[32] = {5};
    static struct tst_sev_packet packet;
    struct tst_sev_entry entries[4];
    struct tst_error *err = NULL;
    size_t count = 0;
    TST_AUTO_SECRET tek = key_of(1, TST_SEV_KEY_BYTES);
    TST_AUTO_SECRET tik = key_of(2, TST_SEV_KEY_BYTES);
    TST_AUTO_SECRET table = NULL;
    seal(tek, tik, measure, &packet);
    assert_int_equal(packet.payload_bytes, 80); /* 20 + 30 + 21, padded to 16 */
    assert_null(memmem(packet.payload, packet.payload_bytes, "passphrase", 10));
    assert_done(tst_sev_packet_open(tek, tik, &packet, measure, &table, &err), err);
    assert_done(tst_sev_table_parse(tst_secret_view(table), tst_secret_size(table), entries, 4, &count, &err), err);
    assert_int_equal(count, 2);
    assert_int_equal(entries[0].value.n, 10);
    assert_memory_equal(entries[0].value.p, "passphrase", 10);
    assert_int_equal(entries[1].value.n, 1);
    assert_refused(tst_sev_table_parse(tst_secret_view(table), tst_secret_size(table), entries, 1, &count, &err), TST_TOO_LARGE, err, "more than 1");
}

static void every_flipped_byte_of_a_packet_is_refused(void **state)
{
    (void)state;
    uint8_t measure[32] = {5};
    static struct tst_sev_packet packet;
    TST_AUTO_SECRET tek = key_of(1, TST_SEV_KEY_BYTES);
    TST_AUTO_SECRET tik = key_of(2, TST_SEV_KEY_BYTES);
    TST_AUTO_SECRET other = key_of(3, TST_SEV_KEY_BYTES);
    struct tst_secret *none = NULL;
    seal(tek, tik, measure, &packet);
    for (size_t i = 0; i < sizeof packet.header + packet.payload_bytes; i++) {
        uint8_t *at = i < sizeof packet.header ? &packet.header[i] : &packet.payload[i - sizeof packet.header];
        *at ^= 0x80;
        assert_int_equal(tst_sev_packet_open(tek, tik, &packet, measure, &none, NULL), -TST_REFUTED);
        *at ^= 0x80;
    }
    assert_int_equal(tst_sev_packet_open(tek, other, &packet, measure, &none, NULL), -TST_REFUTED);
    packet.payload_bytes -= 16;
    assert_int_equal(tst_sev_packet_open(tek, tik, &packet, measure, &none, NULL), -TST_REFUTED);
    packet.payload_bytes += 16;
    measure[31] ^= 1; /* another launch */
    assert_int_equal(tst_sev_packet_open(tek, tik, &packet, measure, &none, NULL), -TST_REFUTED);
    assert_null(none);
}

static void a_packet_holds_16_kib_and_no_byte_more(void **state)
{
    (void)state;
    static uint8_t value[TST_SEV_PACKET_MAX_BYTES];
    static const size_t sizes[] = {16343, 16344, 16345};
    struct tst_error *err = NULL;
    for (size_t i = 0; i < TST_COUNT(sizes); i++) {
        const struct tst_sev_entry e = entry(GUID_A, value, sizes[i]);
        TST_AUTO_SECRET table = NULL;
        if (sizes[i] > 16344) {
            assert_refused(tst_sev_table_build(&e, 1, &table, &err), TST_TOO_LARGE, err, "16345 bytes does not fit");
            continue;
        }
        assert_done(tst_sev_table_build(&e, 1, &table, &err), err);
        assert_int_equal(tst_secret_size(table), TST_SEV_PACKET_MAX_BYTES);
    }
    const struct tst_sev_entry huge = entry(GUID_A, value, SIZE_MAX), empty = entry(GUID_A, value, 0);
    struct tst_secret *none = NULL;
    assert_refused(tst_sev_table_build(&huge, 1, &none, &err), TST_TOO_LARGE, err, "does not fit");
    assert_refused(tst_sev_table_build(&empty, 1, &none, &err), TST_USAGE, err, "is empty");
    assert_refused(tst_sev_table_build(&empty, 0, &none, &err), TST_USAGE, err, "0 secrets");
}

static void table_changed(const uint8_t *p, size_t n, void *ctx)
{
    struct tst_sev_entry entries[8];
    size_t count = 0;
    (void)ctx;
    if (tst_sev_table_parse(p, n, entries, TST_COUNT(entries), &count, NULL) < 0)
        return;
    for (size_t i = 0; i < count; i++)
        assert_true(entries[i].value.p >= p && entries[i].value.p + entries[i].value.n <= p + n && entries[i].value.n > 0);
}

static void a_malformed_table_is_refused_and_never_read_past_its_end(void **state)
{
    (void)state;
    const struct tst_sev_entry entries[] = {entry(GUID_A, "passphrase", 10), entry(GUID_B, "x", 1)};
    struct tst_sev_entry out[8];
    uint8_t bytes[80];
    size_t count;
    struct tst_error *err = NULL;
    TST_AUTO_SECRET table = NULL;
    assert_done(tst_sev_table_build(entries, 2, &table, &err), err);
    assert_int_equal(tst_secret_size(table), sizeof bytes);
    memcpy(bytes, tst_secret_view(table), sizeof bytes);
    each_truncation(bytes, sizeof bytes, table_changed, NULL);
    each_bit_flip(bytes, sizeof bytes, table_changed, NULL);
    bytes[79] = 1; /* padding */
    assert_refused(tst_sev_table_parse(bytes, sizeof bytes, out, 8, &count, &err), TST_USAGE, err, "with padding");
    bytes[79] = 0;
    bytes[20 + 16] = 19; /* an entry shorter than its head */
    assert_refused(tst_sev_table_parse(bytes, sizeof bytes, out, 8, &count, &err), TST_USAGE, err, "length of 19");
    bytes[0] ^= 1;
    assert_refused(tst_sev_table_parse(bytes, sizeof bytes, out, 8, &count, &err), TST_USAGE, err, "GUID");
}

/* ---- attestation report ---- */
static void a_report_verifies_with_its_pek_and_no_flipped_byte_does(void **state)
{
    (void)state;
    static const uint8_t mnonce[16] = {1}, digest[32] = {2};
    struct tst_sev_cert pek, cek;
    struct tst_sev_report r;
    struct tst_error *err = NULL;
    uint8_t raw[TST_SEV_REPORT_BYTES];
    platform_report(&plat, mnonce, digest, POLICY, raw);
    assert_done(tst_sev_cert_parse(plat.cert[TST_SEV_ROLE_PEK], TST_SEV_CERT_BYTES, &pek, &err), err);
    assert_done(tst_sev_cert_parse(plat.cert[TST_SEV_ROLE_CEK], TST_SEV_CERT_BYTES, &cek, &err), err);
    assert_done(tst_sev_report_parse(raw, sizeof raw, &r, &err), err);
    assert_int_equal(r.policy, POLICY);
    assert_memory_equal(r.mnonce, mnonce, 16);
    assert_memory_equal(r.digest, digest, 32);
    assert_done(tst_sev_report_verify(&r, &pek, &err), err);
    assert_refused(tst_sev_report_verify(&r, &cek, &err), TST_USAGE, err, "not the CEK");
    for (size_t i = 0; i < sizeof raw; i++) {
        raw[i] ^= 0x20;
        int rc = tst_sev_report_parse(raw, sizeof raw, &r, &err);
        rc = rc ? rc : tst_sev_report_verify(&r, &pek, &err);
        assert_true(rc == -TST_REFUTED || rc == -TST_USAGE);
        tst_error_free(err);
        err = NULL;
        raw[i] ^= 0x20;
    }
    assert_refused(tst_sev_report_parse(raw, sizeof raw - 1, &r, &err), TST_USAGE, err, "207 bytes, expected 208");
}

/* ---- VMSA ---- */
static json_int_t vmsa_number(const uint8_t page[TST_SEV_VMSA_BYTES], const char *name, const char *part)
{
    TST_AUTO_JSON o = NULL;
    struct tst_error *err = NULL;
    assert_done(tst_sev_vmsa_json(page, TST_SEV_VMSA_BYTES, &o, &err), err);
    const json_t *v = json_object_get(o, name);
    return json_integer_value(part ? json_object_get(v, part) : v);
}

static void a_vmsa_is_changed_where_it_is_meant(void **state)
{
    (void)state;
    uint8_t page[TST_SEV_VMSA_BYTES], before[TST_SEV_VMSA_BYTES];
    const struct tst_vmsa_spec spec = {.vmm = TST_VMM_QEMU, .cpu = 1, .eip = 0x80b004, .signature = 0xa00f11};
    tst_vmsa_build(&spec, before);
    assert_int_equal(vmsa_number(before, "cs", "base"), 0x800000);
    assert_int_equal(vmsa_number(before, "rip", NULL), 0xb004);
    assert_int_equal(vmsa_number(before, "rdx", NULL), 0xa00f11);
    memcpy(page, before, sizeof page);
    tst_sev_vmsa_set_signature(page, 0xa10f10);
    tst_sev_vmsa_set_reset(page, 0x12345678);
    assert_int_equal(vmsa_number(page, "rdx", NULL), 0xa10f10);
    assert_int_equal(vmsa_number(page, "cs", "base"), 0x12340000);
    assert_int_equal(vmsa_number(page, "rip", NULL), 0x5678);
    tst_sev_vmsa_set_signature(page, 0xa00f11);
    tst_sev_vmsa_set_reset(page, 0x80b004);
    assert_memory_equal(page, before, sizeof page);
}

static void a_vmsa_shows_every_byte_that_is_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_SEV_VMSA_BYTES; i++) {
        uint8_t page[TST_SEV_VMSA_BYTES] = {0};
        TST_AUTO_JSON zero = NULL;
        TST_AUTO_JSON set = NULL;
        assert_int_equal(tst_sev_vmsa_json(page, sizeof page, &zero, NULL), 0);
        page[i] = 0xff;
        assert_int_equal(tst_sev_vmsa_json(page, sizeof page, &set, NULL), 0);
        assert_false(json_equal(zero, set));
    }
    json_t *none = NULL;
    struct tst_error *err = NULL;
    assert_refused(tst_sev_vmsa_json("x", 1, &none, &err), TST_USAGE, err, "1 bytes, expected 4096");
}

static void a_policy_is_printed_in_words(void **state)
{
    (void)state;
    char text[96];
    tst_sev_policy_print(0x28010005 | 0x40, text, sizeof text);
    assert_string_equal(text, "NODBG ES, API >= 1.40, reserved bits 0x40");
    tst_sev_policy_print(0, text, sizeof text);
    assert_string_equal(text, "no restriction, API >= 0.0");
    tst_sev_policy_print(UINT32_MAX, text, sizeof text);
    assert_true(strlen(text) < 95);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_platform_opens_the_session_and_nobody_else),
        cmocka_unit_test(every_flipped_byte_of_a_session_is_refused),
        cmocka_unit_test(two_sessions_share_nothing),
        cmocka_unit_test(a_session_needs_a_pdh),
        cmocka_unit_test(the_measurement_depends_on_every_input),
        cmocka_unit_test(a_launch_digest_without_its_pages_is_refused),
        cmocka_unit_test(guids_are_read_and_printed),
        cmocka_unit_test(a_packet_comes_back_as_it_was),
        cmocka_unit_test(every_flipped_byte_of_a_packet_is_refused),
        cmocka_unit_test(a_packet_holds_16_kib_and_no_byte_more),
        cmocka_unit_test(a_malformed_table_is_refused_and_never_read_past_its_end),
        cmocka_unit_test(a_report_verifies_with_its_pek_and_no_flipped_byte_does),
        cmocka_unit_test(a_vmsa_is_changed_where_it_is_meant),
        cmocka_unit_test(a_vmsa_shows_every_byte_that_is_set),
        cmocka_unit_test(a_policy_is_printed_in_words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
