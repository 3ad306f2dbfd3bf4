/* SPDX-License-Identifier: Apache-2.0 */
/* fake_kds.c - the server of kds_server.h as a program, for tests/cli/collateral.bats:
 *   fake_kds FOLDER
 * writes report.bin, second.bin (another chip), masked.bin, root (SPKI SHA-256 of the root key), then url; serves until killed.
 * The service does not have the VCEK of third.bin. */
#include "tests/unit/collateral/kds_server.h"
#include "tests/unit/collateral/unit.h"

static void write_file(const char *folder, const char *name, const void *p, size_t n)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/%s", folder, name);
    TST_AUTO_STR aside = tst_strdup_printf("%s.new", path);
    FILE *f = fopen(aside, "wb");
    if (!f || fwrite(p, 1, n, f) != n || fclose(f) != 0 || rename(aside, path) != 0)
        fixture_die(path, NULL);
}

static void tell_url(void *ctx, unsigned short port)
{
    char url[64];
    int n = snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    write_file(ctx, "url", url, (size_t)n);
}

static void write_report(const char *folder, const char *name, const struct amd_chip *chip, bool masked, uint8_t tcb_more)
{
    struct sim_report r = sim_report_of(chip, 3);
    uint8_t raw[TST_SNP_REPORT_BYTES];
    if (masked)
        memset(r.chip_id, 0, sizeof r.chip_id);
    r.reported_tcb.snp = (uint8_t)(r.reported_tcb.snp + tcb_more);
    if (sim_report_sign(&r, chip->vcek_key, raw, NULL))
        fixture_die(name, NULL);
    write_file(folder, name, raw, sizeof raw);
}

int main(int argc, char **argv)
{
    struct tst_cert_info info;
    char root[2 * TST_SHA256_BYTES + 1];
    if (argc != 2) {
        fputs("usage: fake_kds FOLDER\n", stderr);
        return 2;
    }
    time_t now = time(NULL);
    struct kds_server k = {.root = fixture_root(), .chip_count = 2, .crl_count = 2};
    k.wrong_root = fixture_root_as(k.root, TST_SNP_MILAN);
    for (size_t i = 0; i < k.chip_count; i++)
        k.chips[i] = fixture_chip(k.root, NULL);
    k.crls[0] = unit_crl(k.root, 7, now - DAY_S, now + 45 * DAY_S, NULL);
    k.crls[1] = unit_crl(k.root, 3, now - DAY_S, now + 45 * DAY_S, NULL); /* wrong: an old number */
    if (tst_cert_info(k.root->ark, &info, NULL))
        return 1;
    tst_hex(info.spki_sha256, sizeof info.spki_sha256, root);
    write_file(argv[1], "root", root, strlen(root));
    write_report(argv[1], "report.bin", k.chips[0], false, 0);
    write_report(argv[1], "second.bin", k.chips[1], false, 0);
    write_report(argv[1], "third.bin", k.chips[1], false, 1);
    write_report(argv[1], "masked.bin", k.chips[0], true, 0);
    kds_server_run(&k, tell_url, argv[1]);
}
