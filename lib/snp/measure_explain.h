/* SPDX-License-Identifier: Apache-2.0 */
/* snp/measure_explain.h - the dimensions along which measure_explain.c searches, filled by measure_variants.c. */
#ifndef TESTUDO_SNP_MEASURE_EXPLAIN_H
#define TESTUDO_SNP_MEASURE_EXPLAIN_H

#include "measure_inner.h"

enum explain_dim { DIM_KERNEL, DIM_ORDER, DIM_VMM, DIM_FPU, DIM_FEATURES, DIM_CPU, DIM_GPA, DIM_COUNT };
#define VARIANTS_MAX 12
struct variant {
    char text[96];
    const struct tst_kernel *kernel; /* DIM_KERNEL */
    uint64_t number;                 /* the others */
};
struct dimension {
    const char *name;
    struct variant variants[VARIANTS_MAX]; /* the first is what was given */
    size_t count;
};
struct explain_kernels {
    struct tst_kernel list[VARIANTS_MAX];
    size_t count;
};
/* The variants' kernels live in `kernels`. */
int explain_dimensions(const struct tst_measure_in *in, struct explain_kernels *kernels, struct dimension dims[DIM_COUNT],
                       struct tst_error **err);
void explain_apply(enum explain_dim d, const struct variant *v, struct tst_measure_in *in);

#endif
