/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/appraise.c - evidence + policy -> verdict: gather facts, run the table of checks, sum up.
 * Pure: the time comes with the input, nothing is read or kept. */
#include "checks.h"

#include <stdlib.h>

static enum tst_outcome sum_up(const struct tst_verdict *v)
{
    enum tst_outcome outcome = TST_CHECK_PASS;
    for (size_t i = 0; i < v->check_count; i++) {
        if (v->checks[i].outcome == TST_CHECK_FAIL)
            return TST_CHECK_FAIL;
        if (v->checks[i].outcome == TST_CHECK_MISSING)
            outcome = TST_CHECK_MISSING;
    }
    return outcome;
}

static int describe(const struct appraisal *a, struct tst_verdict *v, struct tst_error **err)
{
    v->report_parsed = a->report != NULL;
    v->product = a->product;
    v->policy_given = a->policy != NULL;
    v->simulated = a->root == ROOT_SIMULATED;
    v->acpi = a->reference ? a->reference->acpi_confined : -1;
    v->outcome = sum_up(v);
    for (size_t i = 0; i < v->check_count; i++)
        v->warning_count += v->checks[i].outcome == TST_CHECK_WARN;
    v->level = v->outcome == TST_CHECK_PASS && a->reference ? a->reference->level : TST_LEVEL_NONE;
    v->reference = a->reference ? strdup(a->reference->name) : NULL;
    return a->reference && !v->reference ? tst_fail(err, TST_INTERNAL, "out of memory") : 0;
}

static int judge(const struct appraisal *a, struct tst_verdict *v, struct tst_error **err)
{
    size_t count = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    v->checks = calloc(count, sizeof *v->checks);
    if (!v->checks)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    v->check_count = count;
    for (size_t i = 0; i < count; i++)
        if (check_run(a, i, &v->checks[i]) < 0)
            return tst_fail(err, TST_INTERNAL, "check %s: out of memory", infos[i].id);
    return describe(a, v, err);
}

int tst_appraise(const struct tst_appraise_in *in, struct tst_verdict **out, struct tst_error **err)
{
    struct appraisal a;
    if (!in || !in->evidence)
        return tst_fail(err, TST_INTERNAL, "appraisal: no evidence given");
    TST_AUTO_VERDICT v = calloc(1, sizeof *v);
    if (!v)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    v->outcome = TST_CHECK_FAIL;
    appraisal_gather(&a, in, &v->report);
    int rc = judge(&a, v, err);
    appraisal_clear(&a);
    if (rc < 0)
        return tst_wrap(err, "appraisal");
    *out = TST_STEAL(v);
    return 0;
}
