/* SPDX-License-Identifier: Apache-2.0 */
/* make_sev.c - writes a synthetic platform into a folder, for tests/cli/sev.bats: certificates (one by one, as a chain, and
 * AMD's two in one file), the root's SPKI SHA-256 in hex, an attestation report. */
#include "platform.h"

static const char *folder;

static void save(const char *name, const void *p, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void save_platform(const struct platform *p)
{
    static const char *const names[] = {"pdh.cert", "pek.cert", "oca.cert", "cek.cert"};
    uint8_t chain[TST_SEV_CHAIN_MAX_BYTES], ca[2 * TST_SEV_CA_CERT_MAX_BYTES];
    size_t n = 0;
    for (size_t i = 0; i < CERTS; i++, n += TST_SEV_CERT_BYTES) {
        save(names[i], p->cert[i], TST_SEV_CERT_BYTES);
        memcpy(chain + n, p->cert[i], TST_SEV_CERT_BYTES);
    }
    for (size_t i = 0; i < 2; i++) {
        save(i ? "ark.cert" : "ask.cert", p->ca[i], p->ca_bytes);
        memcpy(ca + i * p->ca_bytes, p->ca[i], p->ca_bytes);
    }
    memcpy(chain + n, ca, 2 * p->ca_bytes);
    save("chain.cert", chain, n + 2 * p->ca_bytes);
    save("ask_ark.cert", ca, 2 * p->ca_bytes);
    save("ark_unsigned.cert", p->ca[1], p->ca_bytes - (p->ca_bytes - 0x40) / 3);
}

static void make(void **state)
{
    static struct platform p;
    static const uint8_t mnonce[16] = {1, 2, 3}, digest[32] = {4, 5, 6};
    uint8_t report[TST_SEV_REPORT_BYTES];
    char hex[2 * TST_SHA256_BYTES + 1];
    (void)state;
    platform_make(&p, 2048);
    save_platform(&p);
    tst_hex(p.pin.spki_sha256, sizeof p.pin.spki_sha256, hex);
    save("root", hex, strlen(hex));
    platform_report(&p, mnonce, digest, 5, report);
    save("report.bin", report, sizeof report);
    platform_clear(&p);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(make)};
    if (argc != 2)
        return 2;
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
