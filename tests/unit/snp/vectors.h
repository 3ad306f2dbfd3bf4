/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.h - real evidence from the folder TESTUDO_VECTORS (default: ../shared/vectors beside the source tree). */
#ifndef TESTS_SNP_VECTORS_H
#define TESTS_SNP_VECTORS_H

#include "evidence.h"

#define VECTORS_NOW 1793491200 /* 2026-11-01: every VCEK chain of the set is valid */
#define VECTORS_ROWS_MAX 64

struct vector_row {
    char name[64], report[128], vek[128], kind[8], product[16], expected[16];
};
/* false: the folder is not there. */
bool vectors_present(void);
size_t vectors_rows(struct vector_row out[VECTORS_ROWS_MAX]);
/* Whole file below the folder; asserts that it is there. Returns its size. */
size_t vectors_read(const char *path, uint8_t *out, size_t max);
struct tst_cert *vectors_cert(const char *path);
/* chains/PRODUCT-KIND.pem */
void vectors_chain(const char *product, const char *kind, struct tst_snp_certs *certs);

#endif
