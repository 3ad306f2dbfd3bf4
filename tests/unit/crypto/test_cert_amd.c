/* SPDX-License-Identifier: Apache-2.0 */
/* unit/crypto/test_cert_amd.c - AMD's real certificates below TESTUDO_VECTORS (default ../shared/vectors, seen from the source
 * tree): chains and VEKs parse, verify, and carry what AMD documents. Exits 77 (skipped) without that folder. */
#include <glob.h>
#include <unistd.h>

#include "certs.h"

enum { FILE_MAX_BYTES = 65536 };

static const char *vectors(void)
{
    const char *dir = getenv("TESTUDO_VECTORS");
    return dir ? dir : "../shared/vectors";
}

/* SubjectPublicKeyInfo, SHA-256. */
static const struct chain {
    const char *file, *ask_cn, *ark_cn, *ask_spki, *ark_spki;
} chains[] = {
    {"milan-vcek", "SEV-Milan", "ARK-Milan", "42491669ccb851d627ea9846cd24eccbeb7de7c2a62740120fff88001d38ebb6",
     "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9"},
    {"milan-vlek", "SEV-VLEK-Milan", "ARK-Milan", "66450a123ea5876206df67f2514a4fea224c0f63b18313423078b0edc4535e33",
     "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9"},
    {"genoa-vcek", "SEV-Genoa", "ARK-Genoa", "0324d55bcd48ba877a8fd87c0e1b4934dec8448e3807a24384a34dc6a6c9ebb8",
     "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831"},
    {"genoa-vlek", "SEV-VLEK-Genoa", "ARK-Genoa", "7d1633252ebbadaa75f96e9b4e6f7d43a90ceb3f843937482630f8da2459264e",
     "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831"},
    {"turin-vcek", "SEV-Turin", "ARK-Turin", "0000ead352025f208bf55297c4192c34cd1b878002107366d8f2065a9ae7d3a9",
     "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08"},
    {"turin-vlek", "SEV-VLEK-Turin", "ARK-Turin", "bfc441408b2f806c5dbf180bd8920e6e60dd404d82141780d85dbf962954d386",
     "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08"},
};
static struct tst_cert *loaded[TST_COUNT(chains)][2]; /* ASK or ASVK, ARK */

static size_t load(const char *path, struct tst_cert **out, size_t max)
{
    struct tst_error *err = NULL;
    static uint8_t text[FILE_MAX_BYTES];
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    size_t n = fread(text, 1, sizeof text, f), count;
    fclose(f);
    assert_done(tst_certs_from_text(text, n, out, max, &count, &err), err);
    return count;
}

static int load_chains(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(chains); i++) {
        TST_AUTO_STR path = tst_strdup_printf("%s/snp/chains/%s.pem", vectors(), chains[i].file);
        assert_int_equal(load(path, loaded[i], 2), 2);
    }
    return 0;
}

static int free_chains(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(chains); i++) {
        tst_cert_free(loaded[i][0]);
        tst_cert_free(loaded[i][1]);
    }
    return 0;
}

static void assert_ca(const struct tst_cert *c, const char *cn, const char *spki, bool self)
{
    struct tst_cert_info info = info_of(c);
    assert_string_equal(info.subject_cn, cn);
    assert_string_equal(info.subject_o, "Advanced Micro Devices");
    assert_int_equal(info.key_kind, TST_KEY_RSA4096);
    assert_true(info.ca);
    assert_true(info.pss_sha384_salt48);
    assert_int_equal(info.self_issued, self);
    assert_bytes(info.spki_sha256, sizeof info.spki_sha256, spki);
}

static void amds_chains_verify_and_have_the_published_keys(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    for (size_t i = 0; i < TST_COUNT(chains); i++) {
        assert_ca(loaded[i][0], chains[i].ask_cn, chains[i].ask_spki, false);
        assert_ca(loaded[i][1], chains[i].ark_cn, chains[i].ark_spki, true);
        assert_done(tst_cert_verify(loaded[i][0], loaded[i][1], &err), err);
        assert_done(tst_cert_verify(loaded[i][1], loaded[i][1], &err), err);
        assert_int_equal(tst_cert_verify(loaded[i][1], loaded[i][0], NULL), -TST_REFUTED);
    }
}

static const struct tst_cert *issuer_of(const struct tst_cert_info *vek)
{
    for (size_t i = 0; i < TST_COUNT(chains); i++)
        if (strcmp(chains[i].ask_cn, vek->issuer_cn) == 0)
            return loaded[i][0];
    return NULL;
}

static void assert_vek(const char *path, const struct tst_cert *c, const struct tst_cert_info *info)
{
    struct tst_bytes hwid = {0};
    const struct tst_cert *issuer = issuer_of(info);
    bool fake = strstr(path, "invalid"), vlek = strcmp(info->subject_cn, "SEV-VLEK") == 0;
    assert_non_null(issuer);
    assert_int_equal(info->key_kind, TST_KEY_P384);
    assert_true(info->pss_sha384_salt48 && !info->ca && !info->self_issued);
    int rc = tst_cert_extension(c, "1.3.6.1.4.1.3704.1.4", &hwid, NULL);
    assert_int_equal(rc, vlek ? -TST_NOT_FOUND : 0);
    if (!vlek && !fake)
        assert_int_equal(hwid.n, strstr(path, "turin") ? 8 : 64);
    assert_int_equal(tst_cert_verify(c, issuer, NULL), fake ? -TST_REFUTED : 0);
}

static void amds_veks_verify_under_their_product_and_fakes_do_not(void **state)
{
    (void)state;
    TST_AUTO_STR pattern = tst_strdup_printf("%s/snp/veks/*.der", vectors());
    glob_t found;
    size_t veks = 0;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct tst_cert *one[1];
        assert_int_equal(load(found.gl_pathv[i], one, 1), 1);
        TST_AUTO_CERT c = one[0];
        struct tst_cert_info info = info_of(c);
        if (strcmp(info.subject_cn, "SEV-VCEK") != 0 && strcmp(info.subject_cn, "SEV-VLEK") != 0)
            continue; /* a root and a foreign certificate lie there too */
        assert_vek(found.gl_pathv[i], c, &info);
        veks++;
    }
    globfree(&found);
    assert_true(veks >= 15);
}

int main(void)
{
    if (access(vectors(), R_OK) != 0) {
        printf("%s is not there\n", vectors());
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amds_chains_verify_and_have_the_published_keys),
        cmocka_unit_test(amds_veks_verify_under_their_product_and_fakes_do_not),
    };
    return cmocka_run_group_tests(tests, load_chains, free_chains);
}
