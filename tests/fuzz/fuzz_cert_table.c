/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_cert_table.c - a host's certificate table: what is read from it survives writing and reading again, and
 * appraising with it does not hold for a report of zeros. */
#include <testudo/appraise.h>

#include "fuzz.h"

static void write_and_read(const struct tst_snp_certs *certs)
{
    TST_AUTO_BUF table = {0};
    TST_AUTO_ERROR err = NULL;
    struct tst_snp_certs again = {0};
    int rc = tst_snp_cert_table_build(certs, &table, &err);
    fuzz_result(rc, err);
    if (rc == 0 && tst_snp_cert_table_parse(table.p, table.n, &again, NULL) == 0)
        FUZZ_HOLDS(!certs->vek == !again.vek && !certs->ask == !again.ask && !certs->ark == !again.ark);
    tst_snp_certs_clear(&again);
}

static void appraise(const struct tst_snp_certs *certs)
{
    static const uint8_t zeros[TST_SNP_REPORT_BYTES];
    const struct tst_evidence evidence = {{zeros, sizeof zeros}, *certs};
    const struct tst_appraise_in in = {.evidence = &evidence, .now = 1795392000};
    TST_AUTO_VERDICT v = NULL;
    TST_AUTO_JSON j = NULL;
    FUZZ_HOLDS(tst_appraise(&in, &v, NULL) == 0);
    FUZZ_HOLDS(v->outcome == TST_CHECK_FAIL && tst_verdict_exit_status(v) == 1);
    FUZZ_HOLDS(tst_verdict_json(v, &j, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tst_snp_certs certs = {0};
    TST_AUTO_ERROR err = NULL;
    int rc = tst_snp_cert_table_parse(data, size, &certs, &err);
    fuzz_result(rc, err);
    write_and_read(&certs);
    appraise(&certs);
    if (certs.vek) {
        struct tst_snp_vek vek;
        TST_AUTO_ERROR vek_err = NULL;
        rc = tst_snp_vek_parse(certs.vek, &vek, &vek_err);
        fuzz_result(rc, vek_err);
    }
    tst_snp_certs_clear(&certs);
    return 0;
}
