/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_report.c - report bytes through parser, appraisal and printing: no input holds without certificates. */
#include <testudo/appraise.h>

#include "fuzz.h"

#define FUZZ_NOW 1795392000

static void appraise(const uint8_t *data, size_t size, enum tst_snp_product product)
{
    const struct tst_evidence evidence = {.report = {data, size}};
    const struct tst_appraise_in in = {.evidence = &evidence, .now = FUZZ_NOW, .product = product};
    TST_AUTO_VERDICT v = NULL;
    TST_AUTO_JSON j = NULL;
    TST_AUTO_ERROR err = NULL;
    FUZZ_HOLDS(tst_appraise(&in, &v, &err) == 0);
    FUZZ_HOLDS(v->outcome != TST_CHECK_PASS && v->level == TST_LEVEL_NONE);
    FUZZ_HOLDS(tst_verdict_exit_status(v) != 0 && tst_verdict_first(v));
    FUZZ_HOLDS(tst_verdict_json(v, &j, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tst_snp_report report;
    TST_AUTO_ERROR err = NULL;
    int rc = tst_snp_report_parse(data, size, &report, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS(rc < 0 || (size == TST_SNP_REPORT_BYTES && memcmp(report.raw, data, size) == 0));
    for (enum tst_snp_product p = TST_SNP_UNKNOWN; p <= TST_SNP_TURIN; p++)
        appraise(data, size, p);
    return 0;
}
