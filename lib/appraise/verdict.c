/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/verdict.c - what a verdict amounts to: its first reason, its exit status, its release. */
#include <testudo/appraise.h>

#include <stdlib.h>

void tst_verdict_free(struct tst_verdict *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->check_count; i++) {
        free(v->checks[i].expected);
        free(v->checks[i].found);
        free(v->checks[i].fix);
    }
    free(v->checks);
    free(v->reference);
    free(v);
}

static const struct tst_check *first_with(const struct tst_verdict *v, enum tst_outcome outcome)
{
    for (size_t i = 0; i < v->check_count; i++)
        if (v->checks[i].outcome == outcome)
            return &v->checks[i];
    return NULL;
}

const struct tst_check *tst_verdict_first(const struct tst_verdict *v)
{
    const struct tst_check *c = first_with(v, TST_CHECK_FAIL);
    return c ? c : first_with(v, TST_CHECK_MISSING);
}

char *tst_verdict_warnings(const struct tst_verdict *v)
{
    TST_AUTO_BUF text = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < v->check_count; i++) {
        const struct tst_check *c = &v->checks[i];
        if (c->outcome != TST_CHECK_WARN)
            continue;
        rc = tst_buf_printf(&text, NULL, "%s%s: found %s", text.n ? " | " : "", c->info->id, c->found ? c->found : "nothing");
        if (rc == 0 && c->expected)
            rc = tst_buf_printf(&text, NULL, "; expected %s", c->expected);
    }
    return rc < 0 ? NULL : strdup(text.n ? (const char *)text.p : "");
}

static bool any(const struct tst_verdict *v, bool authenticity, enum tst_outcome outcome)
{
    for (size_t i = 0; i < v->check_count; i++)
        if (v->checks[i].info->authenticity == authenticity && v->checks[i].outcome == outcome)
            return true;
    return false;
}

/* Authenticity first: what a policy says about evidence that may not be genuine decides nothing. */
int tst_verdict_exit_status(const struct tst_verdict *v)
{
    if (v->outcome == TST_CHECK_PASS)
        return 0;
    if (any(v, true, TST_CHECK_FAIL))
        return tst_exit_status(TST_REFUTED);
    if (any(v, true, TST_CHECK_MISSING))
        return tst_exit_status(TST_UNDECIDABLE);
    return tst_exit_status(any(v, false, TST_CHECK_FAIL) ? TST_DENIED : TST_UNDECIDABLE);
}
