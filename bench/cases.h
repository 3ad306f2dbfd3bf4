/* SPDX-License-Identifier: Apache-2.0 */
/* bench/cases.h - evidence to measure with: synthetic reports of each layout, and one real report of each product where the
 * folder TESTUDO_VECTORS is there. What fails here ends the program with the reason. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include <testudo/appraise.h>

enum { CASES_MAX = 8 };

struct bench_case {
    char name[64];
    uint8_t report[TST_SNP_REPORT_BYTES];
    struct tst_buf table;       /* VCEK, ASK, ARK as they arrive: a host's certificate table */
    struct tst_snp_certs certs; /* the same, parsed */
    struct tst_policy *policy;  /* synthetic evidence: names its root; real: NULL, authenticity only */
    char *policy_text;
    time_t now;
};
/* Genoa (version 3) and Turin (version 5), then the real ones; returns how many. */
size_t cases_load(struct bench_case out[CASES_MAX]);
void cases_clear(struct bench_case *cases, size_t count);
/* What tst_appraise() takes for a case; `evidence` is filled and borrowed. */
struct tst_appraise_in case_input(const struct bench_case *c, const struct tst_snp_certs *certs, struct tst_evidence *evidence);

#endif
