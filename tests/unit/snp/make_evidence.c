/* SPDX-License-Identifier: Apache-2.0 */
/* make_evidence.c - writes synthetic evidence for the tests of the command:
 *   make_evidence FOLDER
 * good.bin, debug.bin (the host may debug the guest), unsigned.bin, vek.der, vek.pem, chain.pem (ASK, ARK), reversed.pem,
 * policy.yaml and what it includes. Judge it as of 2026-11-23. */
#include "evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void write_file(const char *folder, const char *name, const void *p, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(p, 1, n, f) != n || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

static void write_pem(const char *folder, const char *name, const struct tst_cert *const *certs, size_t count)
{
    TST_AUTO_BUF text = {0};
    for (size_t i = 0; i < count; i++) {
        TST_AUTO_STR pem = NULL;
        assert_int_equal(tst_cert_to_pem(certs[i], &pem, NULL), 0);
        assert_int_equal(tst_buf_put(&text, pem, strlen(pem), NULL), 0);
    }
    write_file(folder, name, text.p, text.n);
}

static void write_certs(const char *folder, const struct maker *m)
{
    struct vek_exts exts = vek_exts_genoa();
    struct tst_cert *vek = maker_vek(m, "SEV-VCEK", &exts);
    const struct tst_cert *chain[] = {m->ask, m->ark}, *reversed[] = {m->ark, m->ask}, *leaf[] = {vek};
    uint8_t *der = NULL;
    size_t n = 0;
    assert_int_equal(tst_cert_to_der(vek, &der, &n, NULL), 0);
    write_file(folder, "vek.der", der, n);
    write_pem(folder, "vek.pem", leaf, TST_COUNT(leaf));
    write_pem(folder, "chain.pem", chain, TST_COUNT(chain));
    write_pem(folder, "reversed.pem", reversed, TST_COUNT(reversed));
    free(der);
    tst_cert_free(vek);
}

static void write_reports(const char *folder, const struct maker *m)
{
    uint8_t raw[TST_SNP_REPORT_BYTES];
    report_genoa(raw);
    write_file(folder, "unsigned.bin", raw, sizeof raw);
    report_sign(raw, m->vek_key);
    write_file(folder, "good.bin", raw, sizeof raw);
    raw[0x0a] |= 8;
    report_sign(raw, m->vek_key);
    write_file(folder, "debug.bin", raw, sizeof raw);
}

static void write_policy(const char *folder, const struct maker *m)
{
    char digest[2 * TST_SNP_DIGEST_BYTES + 1], path[4096], text[512];
    snprintf(path, sizeof path, "%s/refs", folder);
    mkdir(path, 0700);
    tst_hex(evidence_digest, sizeof evidence_digest, digest);
    snprintf(text, sizeof text, "- {name: test image, digest: %s, until: 2030-01-01}\n", digest);
    write_file(folder, "refs/images.yaml", text, strlen(text));
    snprintf(text, sizeof text, "- %s\n", m->root_hex);
    write_file(folder, "refs/simulators.yaml", text, strlen(text));
    static const char policy[] = "name: test\n"
                                 "simulated: {allow: {include: refs/simulators.yaml}}\n"
                                 "products: [genoa]\n"
                                 "measurements: {include: refs/images.yaml}\n"
                                 "floors: 2026-11\n"
                                 "crl: {mode: off}\n";
    write_file(folder, "policy.yaml", policy, strlen(policy));
}

int main(int argc, char **argv)
{
    struct maker m;
    if (argc != 2) {
        fputs("usage: make_evidence FOLDER\n", stderr);
        return 2;
    }
    maker_init(&m, "Genoa");
    write_certs(argv[1], &m);
    write_reports(argv[1], &m);
    write_policy(argv[1], &m);
    maker_clear(&m);
    return 0;
}
