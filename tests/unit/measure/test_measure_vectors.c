/* SPDX-License-Identifier: Apache-2.0 */
/* test_measure_vectors.c - published launch digests, ID blocks and VMSA pages, every one of them. Exits 77 without the folder. */
#include "fixture.h"

enum column { C_ID, C_MODE, C_VCPUS, C_TYPE, C_SIG, C_VMM, C_FEATURES, C_OVMF, C_SEED, C_KERNEL, C_INITRD, C_CMDLINE, C_SVSM, C_VARS, C_EXPECTED, C_ERROR, C_COUNT };
#define ROWS_EXPECTED 36

struct row {
    char *cell[C_COUNT];
    struct tst_measure_in in;
    struct tst_kernel kernel;
    uint8_t seed[48];
};

static bool given(const struct row *r, enum column c)
{
    return strcmp(r->cell[c], "-") != 0;
}

/* Hex of the content, or "sha256:" and its hash. */
static void file_hash(const char *text, uint8_t out[32])
{
    uint8_t content[64];
    struct tst_error *err = NULL;
    if (strncmp(text, "sha256:", 7) == 0) {
        assert_done(tst_unhex(text + 7, out, 32, &err), err);
        return;
    }
    size_t n = strlen(text) / 2;
    assert_true(n <= sizeof content);
    assert_done(tst_unhex(text, content, n, &err), err);
    assert_done(tst_sha256(content, n, out, &err), err);
}

static void read_kernel(struct row *r)
{
    struct tst_error *err = NULL;
    if (!given(r, C_KERNEL))
        return;
    file_hash(r->cell[C_KERNEL], r->kernel.kernel);
    file_hash(given(r, C_INITRD) ? r->cell[C_INITRD] : "", r->kernel.initrd);
    assert_done(tst_kernel_set_cmdline(&r->kernel, given(r, C_CMDLINE) ? r->cell[C_CMDLINE] : "", &err), err);
    r->in.kernel = &r->kernel;
}

static void load(const char *name, struct tst_bytes *out)
{
    char path[256];
    snprintf(path, sizeof path, "measurement/%s", name);
    out->p = vectors_load(path, &out->n);
}

/* The tool that the SVSM row was made with measures features 1 whatever it is told; the legacy modes have none. */
static uint64_t features_of(const struct row *r)
{
    if (strncmp(r->cell[C_MODE], "snp", 3) != 0)
        return 0;
    return given(r, C_SVSM) ? TST_SEV_FEATURE_SNP : strtoull(r->cell[C_FEATURES], NULL, 16);
}

static void row_read(char *line, struct row *r)
{
    struct tst_error *err = NULL;
    for (unsigned c = 0; c < C_COUNT; c++) {
        r->cell[c] = strsep(&line, "\t");
        assert_non_null(r->cell[c]);
    }
    const char *mode = r->cell[C_MODE];
    r->in.mode = strncmp(mode, "snp", 3) == 0 ? TST_MEASURE_SNP : strcmp(mode, "seves") == 0 ? TST_MEASURE_SEV_ES : TST_MEASURE_SEV;
    assert_true(tst_vmm_of(r->cell[C_VMM], &r->in.vmm));
    r->in.vcpus = (unsigned)strtoul(r->cell[C_VCPUS], NULL, 10);
    r->in.signature = given(r, C_SIG) ? (uint32_t)strtoul(r->cell[C_SIG], NULL, 10) : 0;
    r->in.sev_features = features_of(r);
    r->in.vars_bytes = (uint32_t)strtoul(r->cell[C_VARS], NULL, 10);
    load(r->cell[C_OVMF], &r->in.firmware);
    if (given(r, C_SVSM))
        load(r->cell[C_SVSM], &r->in.svsm);
    if (given(r, C_SEED)) {
        assert_done(tst_unhex(r->cell[C_SEED], r->seed, sizeof r->seed, &err), err);
        r->in.firmware_digest = r->seed;
    }
    read_kernel(r);
}

static void row_clear(struct row *r)
{
    free((void *)(uintptr_t)r->in.firmware.p);
    free((void *)(uintptr_t)r->in.svsm.p);
}

static void row_check(const struct row *r)
{
    struct tst_measurement m;
    struct tst_error *err = NULL;
    char hex[97];
    print_message("%s\n", r->cell[C_ID]);
    if (!given(r, C_EXPECTED)) {
        assert_refused(tst_measure(&r->in, &m, &err), TST_USAGE, err, "kernel hashes");
        return;
    }
    assert_string_equal(digest_of(&r->in, hex), r->cell[C_EXPECTED]);
}

/* The CPU's name leads to the row's number too. */
static void row_check_type(const struct row *r)
{
    uint32_t signature = 0;
    if (given(r, C_TYPE) && given(r, C_SIG)) {
        assert_true(tst_cpu_model_find(r->cell[C_TYPE], &signature));
        assert_int_equal(signature, r->in.signature);
    }
}

static void every_published_digest_is_computed(void **state)
{
    (void)state;
    size_t n = 0, rows = 0;
    TST_AUTO_STR text = (char *)vectors_load("measurement/launch_digests.tsv", &n);
    char *rest = text, *line = strsep(&rest, "\n"); /* first line: names */
    while ((line = strsep(&rest, "\n")) && *line) {
        struct row r = {.cell = {NULL}};
        row_read(line, &r);
        row_check(&r);
        row_check_type(&r);
        row_clear(&r);
        rows++;
    }
    assert_int_equal(rows, ROWS_EXPECTED);
}

static void the_published_seed_is_the_digest_after_the_firmware(void **state)
{
    (void)state;
    struct tst_measure_in in = {.mode = TST_MEASURE_SNP, .vcpus = 1, .sev_features = 1};
    struct tst_error *err = NULL;
    uint8_t digest[48];
    char hex[97];
    load("fixtures/ovmf_AmdSev_suffix.bin", &in.firmware);
    assert_done(tst_measure_firmware(&in, digest, &err), err);
    tst_hex(digest, sizeof digest, hex);
    assert_string_equal(hex, "086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2c37faaa4b24af3aa16aff8c374c2a55c467a50da6d466b74");
    free((void *)(uintptr_t)in.firmware.p);
}

/* ---- VMSA pages of a KVM that does not copy the FPU's state ---- */
static void published_vmsa_pages_are_built(void **state)
{
    (void)state;
    size_t n = 0;
    struct tst_firmware f;
    struct tst_error *err = NULL;
    TST_AUTO_STR image = (char *)vectors_load("sev/launch/OVMF.amdsev.fd_trimmed_edk2-ovmf-20220126gitbb1bba3d77-4.el9", &n);
    assert_done(tst_firmware_parse(image, n, &f, &err), err);
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        uint8_t page[TST_PAGE_BYTES];
        const struct tst_vmsa_spec s = {.cpu = cpu, .eip = cpu ? f.reset_eip : TST_BSP_EIP, .signature = tst_cpu_signature(25, 1, 1), .fpu = TST_FPU_NONE};
        tst_vmsa_build(&s, page);
        TST_AUTO_STR want = (char *)vectors_load(cpu ? "sev/launch/vmsa1.bin" : "sev/launch/vmsa0.bin", &n);
        assert_int_equal(n, sizeof page);
        assert_memory_equal(page, want, n);
    }
}

/* ---- ID block ---- */
static struct tst_key *pem_key(const char *path)
{
    size_t n = 0, der_n = 0;
    TST_AUTO_STR text = (char *)vectors_load(path, &n), plain = calloc(1, n + 1);
    uint8_t *der = NULL;
    char *to = plain;
    struct tst_error *err = NULL;
    struct tst_key *key = NULL;
    for (const char *p = strchr(text, '\n'); *p && *p != '-' ; p++)
        if (*p != '\n' && *p != '=')
            *to++ = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    assert_done(tst_unb64url(plain, 4096, &der, &der_n, &err), err);
    assert_done(tst_key_from_private_der(der, der_n, &key, &err), err);
    free(der);
    return key;
}

static struct tst_id_block published_block(void)
{
    struct tst_id_block b = {.version = 1, .policy = 0x30000};
    struct tst_error *err = NULL;
    assert_done(tst_unhex("a14d638341e5674628fe1e02fbedebe5e5ab4faf1dd72d8966068e615bb99efd13d214b35c231715b38e263dc6059745",
                          b.digest, sizeof b.digest, &err), err);
    return b;
}

static void assert_b64(const void *p, size_t n, const char *want)
{
    TST_AUTO_STR got = tst_b64url(p, n);
    assert_non_null(got);
    for (char *c = got; *c; c++)
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    assert_int_equal(strncmp(got, want, strlen(got)), 0);
    assert_int_equal(strlen(got), strcspn(want, "="));
}

static void the_published_id_block_is_written(void **state)
{
    (void)state;
    uint8_t raw[TST_ID_BLOCK_BYTES];
    struct tst_id_block b = published_block();
    tst_id_block_write(&b, raw);
    assert_b64(raw, sizeof raw, "oU1jg0HlZ0Yo/h4C++3r5eWrT68d1y2JZgaOYVu5nv0T0hSzXCMXFbOOJj3GBZdFAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAwAAAAAA");
    TST_AUTO_STR other = NULL;
    uint8_t *digest = NULL;
    size_t n = 0;
    struct tst_error *err = NULL;
    assert_done(tst_unb64url("B28FLQi9p6cAqipgjFyqawDrrSl7bWioWkWx5mmlWLZ-G5HShKMB_mPE-gdQRn7t", 48, &digest, &n, &err), err);
    memcpy(b.digest, digest, sizeof b.digest);
    free(digest);
    tst_id_block_write(&b, raw);
    assert_b64(raw, sizeof raw, "B28FLQi9p6cAqipgjFyqawDrrSl7bWioWkWx5mmlWLZ+G5HShKMB/mPE+gdQRn7tAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAwAAAAAA");
}

static void the_published_key_digests_are_computed(void **state)
{
    (void)state;
    uint8_t digest[48];
    struct tst_error *err = NULL;
    TST_AUTO_KEY id = pem_key("idblock/test_id_key.pem"), author = pem_key("idblock/test_auth_key.pem");
    assert_done(tst_id_key_digest(id, digest, &err), err);
    assert_b64(digest, sizeof digest, "WfssaG36T+9J84M5qndckAUcKNVzg93DuvO160sUlt87DbvcuuX+J2d6ZEggdz/i");
    assert_done(tst_id_key_digest(author, digest, &err), err);
    assert_b64(digest, sizeof digest, "7tgRafsMteDsNHlPEo/U4MSkb2fGWhrfqB/LJLzAiMJyNpt//D6ytq9qQoShs2xf");
}

static void the_published_auth_block_is_laid_out_alike(void **state)
{
    (void)state;
    size_t n = 0;
    uint8_t block[TST_ID_BLOCK_BYTES], built[TST_ID_AUTH_BYTES];
    struct tst_id_block b = published_block();
    struct tst_error *err = NULL;
    TST_AUTO_STR want = (char *)vectors_load("idblock/test_auth_block.bin", &n);
    TST_AUTO_STR id_sig = (char *)vectors_load("idblock/test_id_sig.bin", &n), auth_sig = (char *)vectors_load("idblock/test_auth_sig.bin", &n);
    TST_AUTO_KEY id = pem_key("idblock/test_id_key.pem"), author = pem_key("idblock/test_auth_key.pem");
    tst_id_block_write(&b, block);
    assert_done(tst_id_auth_build(block, id, author, built, &err), err);
    memcpy(built + 0x40, id_sig, 512); /* ECDSA signatures differ each time */
    memcpy(built + 0x680, auth_sig, 512);
    assert_memory_equal(built, want, sizeof built);
}

static void the_published_signatures_verify_over_the_published_block(void **state)
{
    (void)state;
    size_t n = 0;
    uint8_t block[TST_ID_BLOCK_BYTES], digest[48];
    struct tst_id_auth info;
    struct tst_id_block b = published_block();
    struct tst_error *err = NULL;
    TST_AUTO_STR auth = (char *)vectors_load("idblock/test_auth_block.bin", &n);
    TST_AUTO_KEY author = pem_key("idblock/test_auth_key.pem");
    tst_id_block_write(&b, block);
    assert_done(tst_id_auth_verify(block, auth, n, &info, &err), err);
    assert_true(info.has_author);
    assert_done(tst_id_key_digest(author, digest, &err), err);
    assert_memory_equal(info.author_key_digest, digest, sizeof digest);
    block[0] ^= 1;
    assert_refused(tst_id_auth_verify(block, auth, n, &info, &err), TST_REFUTED, err, "ID block, ID key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_digest_is_computed),
        cmocka_unit_test(the_published_seed_is_the_digest_after_the_firmware),
        cmocka_unit_test(published_vmsa_pages_are_built),
        cmocka_unit_test(the_published_id_block_is_written),
        cmocka_unit_test(the_published_key_digests_are_computed),
        cmocka_unit_test(the_published_auth_block_is_laid_out_alike),
        cmocka_unit_test(the_published_signatures_verify_over_the_published_block),
    };
    if (!vectors_present()) {
        fputs("no folder of vectors\n", stderr);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
