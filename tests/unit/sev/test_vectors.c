/* SPDX-License-Identifier: Apache-2.0 */
/* test_vectors.c - legacy SEV material of the real world: chains of a Naples and a Rome host, AMD's roots of five products,
 * launch measurements, secret packets, sessions and VMSA pages with known values. A program of its own: without the folder
 * of vectors (TESTUDO_VECTORS) it exits with 77. */
#include "platform.h"

#include <sys/stat.h>

static const char *folder(void)
{
    const char *path = getenv("TESTUDO_VECTORS");
    return path && *path ? path : SOURCE_ROOT "/../shared/vectors";
}

struct file {
    uint8_t p[32768];
    size_t n;
};

static void load(const char *path, struct file *out)
{
    char full[4096];
    snprintf(full, sizeof full, "%s/sev/%s", folder(), path);
    FILE *f = fopen(full, "rb");
    if (!f)
        fail_msg("cannot open %s", full);
    out->n = fread(out->p, 1, sizeof out->p, f);
    assert_true(out->n < sizeof out->p);
    fclose(f);
}

static json_t *facts;

static int setup(void **state)
{
    static struct file text;
    (void)state;
    load("facts.json", &text);
    facts = json_loadb((const char *)text.p, text.n, 0, NULL);
    assert_non_null(facts);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(facts);
    return 0;
}

static const json_t *fact(const char *kind, const char *id)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(facts, kind), i, row)
        if (strcmp(json_string_value(json_object_get(row, "id")), id) == 0)
            return row;
    fail_msg("no %s %s", kind, id);
    return NULL;
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    if (!text)
        fail_msg("no %s", key);
    return text;
}

static unsigned number_of(const json_t *row, const char *key)
{
    assert_true(json_is_integer(json_object_get(row, key)));
    return (unsigned)json_integer_value(json_object_get(row, key));
}

/* The facts name files of another tree; here they lie below launch/. */
static void load_named(const json_t *row, const char *key, struct file *out)
{
    static const struct {
        const char *part, *path;
    } names[] = {
        {"measurement/tik1.bin", "launch/measurement/tik1.bin"}, {"secret/tik1.bin", "launch/secret/tik1.bin"},
        {"secret/tek1.bin", "launch/secret/tek1.bin"},           {"vmlinuz-fake", "launch/measurement/vmlinuz-fake"},
        {"initrd-fake", "launch/measurement/initrd-fake"},       {"vmsa0.bin", "launch/vmsa0.bin"},
        {"vmsa1.bin", "launch/vmsa1.bin"},                       {"vmsa0-show.txt", "launch/vmsa0-show.txt"},
        {"vmsa1-show.txt", "launch/vmsa1-show.txt"},
        {"OVMF.amdsev", "launch/OVMF.amdsev.fd_trimmed_edk2-ovmf-20220126gitbb1bba3d77-4.el9"},
    };
    for (size_t i = 0; i < TST_COUNT(names); i++)
        if (strstr(text_of(row, key), names[i].part)) {
            load(names[i].path, out);
            return;
        }
    fail_msg("where is %s?", text_of(row, key));
}

static void hex(const json_t *row, const char *key, void *out, size_t n)
{
    assert_int_equal(tst_unhex(text_of(row, key), out, n, NULL), 0);
}

/* Ordinary base64 with padding. */
static void b64_text(const char *text, void *out, size_t n)
{
    char url[65536];
    size_t used = strcspn(text, "=");
    assert_true(used < sizeof url);
    for (size_t i = 0; i < used; i++)
        url[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    url[used] = 0;
    assert_int_equal(tst_unb64url_fixed(url, out, n, NULL), 0);
}

static struct tst_secret *secret(const void *p, size_t n)
{
    struct tst_secret *s = NULL;
    assert_int_equal(tst_secret_from(p, n, &s, NULL), 0);
    return s;
}

static struct tst_secret *secret_file(const json_t *row, const char *key)
{
    static struct file f;
    load_named(row, key, &f);
    return secret(f.p, f.n);
}

/* ---- chains ---- */
static void load_chain(const char *host, struct tst_sev_chain *chain)
{
    static const char *const names[] = {"pdh", "pek", "oca", "cek"};
    static struct file f;
    char path[64];
    struct tst_error *err = NULL;
    memset(chain, 0, sizeof *chain);
    for (size_t i = 0; i < TST_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s.cert", host, names[i]);
        load(path, &f);
        assert_done(tst_sev_chain_add(chain, f.p, f.n, &err), err);
    }
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "ca/%s-%s.cert", host, i ? "ark" : "ask");
        load(path, &f);
        assert_done(tst_sev_chain_add(chain, f.p, f.n, &err), err);
    }
}

static void assert_valid(const char *host)
{
    static struct tst_sev_chain chain;
    struct tst_sev_verdict v;
    load_chain(host, &chain);
    assert_int_equal(tst_sev_chain_verify(&chain, NULL, &v, NULL), 0);
    const struct tst_sev_check *first = tst_sev_verdict_first(&v);
    if (first)
        fail_msg("%s: %s: %s", host, first->id, first->found);
    assert_int_equal(v.outcome, TST_SEV_PASS);
    assert_string_equal(v.product, host);
    assert_false(v.simulated);
}

static void chains_of_naples_and_rome_are_valid(void **state)
{
    (void)state;
    assert_valid("naples");
    assert_valid("rome");
}

static void every_flipped_byte_of_the_naples_chain_is_refused(void **state)
{
    (void)state;
    static struct tst_sev_chain chain;
    load_chain("naples", &chain);
    platform_flip_all(&chain, NULL, 1);
}

/* The layout is that of Naples: fewer bytes of its keys and signatures, to keep the walk short. */
static void flipped_bytes_of_the_rome_chain_are_refused(void **state)
{
    (void)state;
    static struct tst_sev_chain chain;
    load_chain("rome", &chain);
    platform_flip_all(&chain, NULL, 7);
}

static void the_two_hosts_do_not_mix(void **state)
{
    (void)state;
    static struct tst_sev_chain naples, rome;
    struct tst_sev_verdict v;
    load_chain("naples", &naples);
    load_chain("rome", &rome);
    for (enum tst_sev_role r = TST_SEV_ROLE_PDH; r <= TST_SEV_ROLE_ARK; r++) {
        static struct tst_sev_chain mixed;
        mixed = naples;
        if (r < TST_SEV_ROLE_ASK)
            mixed.cert[r] = rome.cert[r];
        else
            mixed.ca[r - TST_SEV_ROLE_ASK] = rome.ca[r - TST_SEV_ROLE_ASK];
        assert_int_equal(tst_sev_chain_verify(&mixed, NULL, &v, NULL), 0);
        assert_int_equal(v.outcome, TST_SEV_FAIL);
    }
}

static void the_bad_root_is_refused_for_lack_of_its_signature(void **state)
{
    (void)state;
    static struct tst_sev_chain chain;
    static struct file f;
    struct tst_sev_verdict v;
    struct tst_error *err = NULL;
    load_chain("naples", &chain);
    load("naples/ark.cert.bad", &f);
    chain.has[TST_SEV_ROLE_ARK] = false;
    assert_done(tst_sev_chain_add(&chain, f.p, f.n, &err), err);
    assert_int_equal(tst_sev_chain_verify(&chain, NULL, &v, NULL), 0);
    assert_int_equal(v.outcome, TST_SEV_FAIL);
    assert_string_equal(tst_sev_verdict_first(&v)->id, "chain.ark-signature");
    assert_string_equal(tst_sev_verdict_first(&v)->reason, "ark-without-signature");
}

static void amd_roots_of_five_products_are_pinned_and_sign_their_ask(void **state)
{
    (void)state;
    static const char *const products[] = {"naples", "rome", "milan", "genoa", "turin"};
    for (size_t i = 0; i < TST_COUNT(products); i++) {
        static struct tst_sev_chain chain;
        static struct file ask, ark;
        struct tst_sev_verdict v;
        struct tst_error *err = NULL;
        char path[64];
        memset(&chain, 0, sizeof chain);
        snprintf(path, sizeof path, "ca/%s-ask.cert", products[i]);
        load(path, &ask);
        snprintf(path, sizeof path, "ca/%s-ark.cert", products[i]);
        load(path, &ark);
        memcpy(ask.p + ask.n, ark.p, ark.n); /* as in AMD's ask_ark files */
        assert_done(tst_sev_chain_add(&chain, ask.p, ask.n + ark.n, &err), err);
        assert_int_equal(tst_sev_chain_verify(&chain, NULL, &v, NULL), 0);
        assert_int_equal(v.outcome, TST_SEV_MISSING); /* no platform */
        assert_string_equal(v.product, products[i]);
        for (size_t k = 0; k < 4; k++) /* pin, self-signature, key ids, ASK */
            assert_int_equal(v.checks[k].outcome, TST_SEV_PASS);
    }
}

static void assert_x509_key(const struct tst_sev_ca_cert *legacy, const struct tst_cert *x509)
{
    uint8_t spki[TST_SHA256_BYTES];
    struct tst_cert_info info;
    TST_AUTO_KEY key = NULL;
    assert_int_equal(tst_sev_ca_cert_key(legacy, &key, NULL), 0);
    assert_int_equal(tst_key_spki_sha256(key, spki, NULL), 0);
    assert_int_equal(tst_cert_info(x509, &info, NULL), 0);
    assert_memory_equal(spki, info.spki_sha256, sizeof spki);
}

static void amd_format_and_x509_certificates_hold_the_same_keys(void **state)
{
    (void)state;
    static const char *const products[] = {"milan", "genoa", "turin"};
    for (size_t i = 0; i < TST_COUNT(products); i++) {
        static struct file f;
        static struct tst_sev_chain chain;
        struct tst_cert *x509[2] = {NULL};
        struct tst_error *err = NULL;
        size_t count = 0;
        char path[64];
        memset(&chain, 0, sizeof chain);
        for (size_t k = 0; k < 2; k++) {
            snprintf(path, sizeof path, "ca/%s-%s.cert", products[i], k ? "ark" : "ask");
            load(path, &f);
            assert_done(tst_sev_chain_add(&chain, f.p, f.n, &err), err);
        }
        snprintf(path, sizeof path, "../snp/chains/%s-vcek.pem", products[i]);
        load(path, &f);
        assert_done(tst_certs_from_text(f.p, f.n, x509, 2, &count, &err), err);
        for (size_t k = 0; k < 2; k++) {
            assert_x509_key(&chain.ca[k], x509[k]);
            tst_cert_free(x509[k]);
        }
    }
}

/* ---- launch measurement ---- */
static void launch_of(const json_t *row, struct tst_sev_launch *l)
{
    *l = (struct tst_sev_launch){.api_major = (uint8_t)number_of(row, "api_major"), .api_minor = (uint8_t)number_of(row, "api_minor"),
                                 .build = (uint8_t)number_of(row, "build"), .policy = number_of(row, "policy")};
    if (json_object_get(row, "mnonce"))
        hex(row, "mnonce", l->mnonce, sizeof l->mnonce);
    else
        b64_text(text_of(row, "mnonce_b64"), l->mnonce, sizeof l->mnonce);
}

static void image_digest(const json_t *row, uint8_t out[TST_SHA256_BYTES])
{
    static struct file firmware, kernel, initrd, vmsa[2];
    struct tst_kernel hashes;
    struct tst_error *err = NULL;
    struct tst_sev_image image = {0};
    load_named(row, "firmware", &firmware);
    image.firmware = (struct tst_bytes){firmware.p, firmware.n};
    if (json_object_get(row, "kernel")) {
        load_named(row, "kernel", &kernel);
        load_named(row, "initrd", &initrd);
        assert_done(tst_kernel_set(&hashes, (struct tst_bytes){kernel.p, kernel.n}, (struct tst_bytes){initrd.p, initrd.n},
                                   text_of(row, "cmdline"), &err), err);
        image.kernel = &hashes;
    }
    if (json_object_get(row, "num_cpus")) {
        load_named(row, "vmsa_cpu0", &vmsa[0]);
        load_named(row, "vmsa_cpu1", &vmsa[1]);
        image.vcpus = number_of(row, "num_cpus");
        image.vmsa_bsp = vmsa[0].p;
        image.vmsa_ap = vmsa[1].p;
    }
    assert_done(tst_sev_launch_digest(&image, out, &err), err);
}

static void assert_measurement(const json_t *row)
{
    struct tst_sev_launch l;
    uint8_t expected[TST_SHA256_BYTES + TST_SEV_NONCE_BYTES], tik_bytes[16], measure[TST_SHA256_BYTES];
    struct tst_error *err = NULL;
    bool by_file = json_object_get(row, "tik_file");
    launch_of(row, &l);
    if (!by_file)
        hex(row, "tik", tik_bytes, sizeof tik_bytes);
    TST_AUTO_SECRET tik = by_file ? secret_file(row, "tik_file") : secret(tik_bytes, sizeof tik_bytes);
    if (json_object_get(row, "digest"))
        hex(row, "digest", l.digest, sizeof l.digest);
    else if (json_object_get(row, "digest_b64"))
        b64_text(text_of(row, "digest_b64"), l.digest, sizeof l.digest);
    else
        image_digest(row, l.digest);
    if (json_object_get(row, "expected_measure"))
        hex(row, "expected_measure", expected, TST_SHA256_BYTES);
    else
        b64_text(text_of(row, "expected_measure_and_nonce_b64"), expected, sizeof expected);
    assert_done(tst_sev_measure(tik, &l, measure, &err), err);
    assert_memory_equal(measure, expected, sizeof measure);
    assert_done(tst_sev_measure_check(tik, &l, expected, &err), err);
}

static void launch_measurements_are_as_published(void **state)
{
    (void)state;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(facts, "launch_measure"), i, row)
        assert_measurement(row);
    assert_int_equal(i, 5);
}

/* ---- secret packets ---- */
static void assert_packet(const json_t *row)
{
    static struct file value[2];
    static struct tst_sev_packet packet;
    static uint8_t payload[TST_SEV_PACKET_MAX_BYTES];
    struct tst_sev_entry entries[2];
    uint8_t iv[16], launch[48], header[TST_SEV_PACKET_HEADER_BYTES];
    size_t count = json_array_size(json_object_get(row, "secrets"));
    struct tst_error *err = NULL;
    TST_AUTO_SECRET tek = secret_file(row, "tek_file");
    TST_AUTO_SECRET tik = secret_file(row, "tik_file");
    TST_AUTO_SECRET table = NULL;
    TST_AUTO_SECRET opened = NULL;
    b64_text(text_of(row, "iv_b64"), iv, sizeof iv);
    b64_text(text_of(row, "launch_measure_b64"), launch, sizeof launch);
    assert_in_range(count, 1, 2);
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(json_object_get(row, "secrets"), i);
        load(i ? "launch/secret/secret2.txt" : "launch/secret/secret1.txt", &value[i]);
        assert_done(tst_sev_guid_parse(json_string_value(json_array_get(pair, 0)), entries[i].guid, &err), err);
        entries[i].value = (struct tst_bytes){value[i].p, value[i].n};
    }
    assert_done(tst_sev_table_build(entries, count, &table, &err), err);
    assert_done(tst_sev_packet_seal(tek, tik, table, iv, launch, &packet, &err), err);
    b64_text(text_of(row, "expected_header_b64"), header, sizeof header);
    b64_text(text_of(row, "expected_payload_b64"), payload, packet.payload_bytes);
    assert_memory_equal(packet.header, header, sizeof header);
    assert_memory_equal(packet.payload, payload, packet.payload_bytes);
    assert_done(tst_sev_packet_open(tek, tik, &packet, launch, &opened, &err), err);
    assert_memory_equal(tst_secret_view(opened), tst_secret_view(table), tst_secret_size(table));
}

static void secret_packets_are_as_published(void **state)
{
    (void)state;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(facts, "launch_secret"), i, row)
        assert_packet(row);
    assert_int_equal(i, 2);
}

static void the_largest_secrets_fill_the_packet(void **state)
{
    (void)state;
    static const char *const names[] = {"launch/secret/secret3.txt", "launch/secret/secret4.txt"};
    for (size_t i = 0; i < TST_COUNT(names); i++) {
        static struct file f;
        struct tst_error *err = NULL;
        struct tst_sev_entry e;
        TST_AUTO_SECRET table = NULL;
        load(names[i], &f);
        assert_done(tst_sev_guid_parse("23058844-597b-42fb-8259-a0f5d9d495af", e.guid, &err), err);
        e.value = (struct tst_bytes){f.p, f.n};
        assert_done(tst_sev_table_build(&e, 1, &table, &err), err);
        assert_int_equal(tst_secret_size(table), TST_SEV_PACKET_MAX_BYTES);
    }
}

/* ---- session ---- */
static void key_derivation_is_as_published(void **state)
{
    (void)state;
    const json_t *row = fact("session_kdf", "sevcrate_kdf");
    uint8_t key[16], ctx[16], expected[16];
    TST_AUTO_SECRET out = NULL;
    hex(row, "key", key, sizeof key);
    hex(row, "ctx", ctx, sizeof ctx);
    hex(row, "expected", expected, sizeof expected);
    TST_AUTO_SECRET k = secret(key, sizeof key);
    assert_int_equal(tst_counter_kdf(k, text_of(row, "label"), ctx, sizeof ctx, number_of(row, "size"), &out, NULL), 0);
    assert_memory_equal(tst_secret_view(out), expected, sizeof expected);
}

static void a_session_is_wrapped_as_published(void **state)
{
    (void)state;
    const json_t *row = fact("session", "sevcrate_session_zero");
    uint8_t tek[16], tik[16], z[16], nonce[16], iv[16], blob[TST_SEV_SESSION_BYTES], expected[32];
    hex(row, "tek", tek, 16);
    hex(row, "tik", tik, 16);
    hex(row, "z", z, 16);
    hex(row, "nonce", nonce, 16);
    hex(row, "iv", iv, 16);
    TST_AUTO_SECRET stek = secret(tek, 16);
    TST_AUTO_SECRET stik = secret(tik, 16);
    TST_AUTO_SECRET sz = secret(z, 16);
    assert_int_equal(tst_sev_session_wrap(sz, nonce, iv, stek, stik, number_of(row, "policy"), blob, NULL), 0);
    hex(row, "expected_wrap_tk", expected, 32);
    assert_memory_equal(blob + 16, expected, 32);
    hex(row, "expected_wrap_mac", expected, 32);
    assert_memory_equal(blob + 64, expected, 32);
    hex(row, "expected_policy_mac", expected, 32);
    assert_memory_equal(blob + 96, expected, 32);
}

/* ---- VMSA ---- */
/* The published JSON lists reserved bytes too; all of the named fields must be ours, and equal. */
static void assert_shown(const uint8_t *page, const struct file *show)
{
    TST_AUTO_JSON expected = json_loadb((const char *)show->p, show->n, 0, NULL);
    TST_AUTO_JSON o = NULL;
    const char *key;
    json_t *value;
    size_t compared = 0;
    assert_non_null(expected);
    assert_int_equal(tst_sev_vmsa_json(page, TST_SEV_VMSA_BYTES, &o, NULL), 0);
    json_object_foreach(expected, key, value) {
        if (strncmp(key, "reserved", 8) == 0 || strcmp(key, "valid_bitmap") == 0)
            continue;
        if (!json_equal(json_object_get(o, key), value))
            fail_msg("%s differs", key);
        compared++;
    }
    assert_true(compared > 50);
    assert_int_equal(json_array_size(json_object_get(o, "reserved")), 0);
}

static void vmsa_pages_are_as_published(void **state)
{
    (void)state;
    static const char *const ids[] = {"sevctl_vmsa0", "sevctl_vmsa1"};
    for (size_t i = 0; i < TST_COUNT(ids); i++) {
        static struct file firmware, expected, show;
        const json_t *row = fact("vmsa", ids[i]);
        struct tst_firmware parsed;
        struct tst_error *err = NULL;
        uint8_t page[TST_SEV_VMSA_BYTES];
        load_named(fact("vmsa", ids[0]), "firmware", &firmware);
        load_named(row, "expected_file", &expected);
        load_named(row, "show_json", &show);
        assert_done(tst_firmware_parse(firmware.p, firmware.n, &parsed, &err), err);
        const struct tst_vmsa_spec spec = {
            .vmm = TST_VMM_QEMU,
            .cpu = number_of(row, "cpu"),
            .eip = number_of(row, "cpu") ? parsed.reset_eip : TST_BSP_EIP,
            .signature = tst_cpu_signature(number_of(row, "family"), number_of(row, "model"), number_of(row, "stepping")),
            .fpu = TST_FPU_NONE,
        };
        tst_vmsa_build(&spec, page);
        assert_int_equal(expected.n, sizeof page);
        assert_memory_equal(page, expected.p, sizeof page);
        assert_shown(page, &show);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_of_naples_and_rome_are_valid),
        cmocka_unit_test(every_flipped_byte_of_the_naples_chain_is_refused),
        cmocka_unit_test(flipped_bytes_of_the_rome_chain_are_refused),
        cmocka_unit_test(the_two_hosts_do_not_mix),
        cmocka_unit_test(the_bad_root_is_refused_for_lack_of_its_signature),
        cmocka_unit_test(amd_roots_of_five_products_are_pinned_and_sign_their_ask),
        cmocka_unit_test(amd_format_and_x509_certificates_hold_the_same_keys),
        cmocka_unit_test(launch_measurements_are_as_published),
        cmocka_unit_test(secret_packets_are_as_published),
        cmocka_unit_test(the_largest_secrets_fill_the_packet),
        cmocka_unit_test(key_derivation_is_as_published),
        cmocka_unit_test(a_session_is_wrapped_as_published),
        cmocka_unit_test(vmsa_pages_are_as_published),
    };
    struct stat st;
    if (stat(folder(), &st) != 0) {
        fprintf(stderr, "no vectors in %s\n", folder());
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
