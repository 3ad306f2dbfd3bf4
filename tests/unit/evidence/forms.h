/* SPDX-License-Identifier: Apache-2.0 */
/* forms.h - evidence put into every container, by code that shares nothing with the readers. */
#ifndef TESTS_EVIDENCE_FORMS_H
#define TESTS_EVIDENCE_FORMS_H

#include "../snp/evidence.h"

#include <testudo/container.h>

struct form {
    const char *name;
    enum tst_container_kind kind;
    enum tst_container_text text;
    bool whole;       /* carries every byte of the signed part (JSON member by member leaves reserved ones out) */
    bool carries_certs;
    /* Appends the container of report to out; table may be empty. */
    void (*wrap)(const uint8_t report[TST_SNP_REPORT_BYTES], const struct tst_snp_certs *certs, struct tst_buf *out);
};
extern const struct form forms[];
extern const size_t form_count;

/* Azure: makes REPORT_DATA fit before the report is signed. */
void hcl_bind(uint8_t report[TST_SNP_REPORT_BYTES]);
extern const char hcl_json[];
/* Trustee's JSON of a report; new reference. */
json_t *sev_json_of(const uint8_t report[TST_SNP_REPORT_BYTES], const struct tst_snp_certs *certs);
void put(struct tst_buf *out, const void *p, size_t n);

#endif
