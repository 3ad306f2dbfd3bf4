/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/sim/fixture.h - a synthetic hierarchy for tests: its two RSA-4096 keys take seconds, so the first test
 * that asks makes them below $TESTUDO_TEST_CACHE and the others load them. Usable from every room's tests. */
#ifndef TESTS_SIM_FIXTURE_H
#define TESTS_SIM_FIXTURE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sim/amd.h"

#define FIXTURE_FROM ((time_t)1767225600) /* 2026-01-01T00:00:00Z */
#define FIXTURE_NOW ((time_t)1780272000)  /* 2026-06-01T00:00:00Z: all its certificates are valid */

static inline void fixture_die(const char *what, const struct tst_error *err)
{
    fprintf(stderr, "fixture: %s: %s\n", what, err ? err->text : strerror(errno));
    exit(1);
}

/* "DIR/NAME" with DIR from the environment. */
static inline char *fixture_dir(const char *name)
{
    const char *cache = getenv("TESTUDO_TEST_CACHE");
    cache = cache ? cache : "/tmp/testudo-test-cache";
    if (mkdir(cache, 0700) != 0 && errno != EEXIST)
        fixture_die(cache, NULL);
    return tst_strdup_printf("%s/%s", cache, name);
}

/* Genoa, from FIXTURE_FROM; the caller frees it with amd_root_free. */
static inline struct amd_root *fixture_root(void)
{
    TST_AUTO_STR dir = fixture_dir("genoa");
    TST_AUTO_ERROR err = NULL;
    struct amd_root *root = NULL;
    if (amd_root_open(dir, TST_SNP_GENOA, FIXTURE_FROM, &root, &err))
        fixture_die(dir, err);
    return root;
}

/* The same keys under another product's names. */
static inline struct amd_root *fixture_root_as(const struct amd_root *root, enum tst_snp_product product)
{
    TST_AUTO_ERROR err = NULL;
    struct amd_root *as = NULL;
    if (amd_root_as(root, product, FIXTURE_FROM, &as, &err))
        fixture_die(tst_snp_product_name(product), err);
    return as;
}

/* A new chip at the product's TCB, or at `tcb`. */
static inline struct amd_chip *fixture_chip(const struct amd_root *root, const struct tst_snp_tcb *tcb)
{
    TST_AUTO_ERROR err = NULL;
    struct amd_chip *chip = NULL;
    if (amd_chip_make(root, tcb, FIXTURE_FROM, &chip, &err))
        fixture_die("chip", err);
    return chip;
}

#endif
