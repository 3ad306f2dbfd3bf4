/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/kds.h - ask AMD's key distribution service, or a mirror of it, for what the store lacks. The service gives about
 * one VCEK per 10 seconds and address, so a store asks for it politely whoever uses it: one request at a time, each VEK once,
 * and after "429", "503" or silence nobody asks before the time that was named, or that exponential back-off gives. An answer
 * "no such certificate" is remembered too. */
#ifndef TESTUDO_COLLATERAL_KDS_H
#define TESTUDO_COLLATERAL_KDS_H

#include "collateral/store.h"

struct collateral_kds {
    const char *base_url;  /* NULL: AMD's */
    unsigned total_ms;     /* all asking and waiting of one call; 0: one try without waiting */
    unsigned request_ms;   /* one request */
    unsigned backoff_ms;   /* after the first failure; doubles with each, up to BACKOFF_MAX_MS */
    bool offline;          /* never ask */
    bool retry_absent;     /* ask again for what the service said it does not have */
};
struct collateral_kds collateral_kds_default(void);

/* What was done for one piece. */
struct collateral_step {
    const char *what; /* "chain", "VCEK", "CRL" */
    char *url;        /* owned; NULL: nowhere to ask */
    bool asked;       /* by this call; else it was there, or another process brought it meanwhile */
    bool failed;
    char *problem;    /* owned; why it is not there, or (not failed) why it is old */
};
#define COLLATERAL_STEPS_MAX 3
struct collateral_fetched {
    struct tst_snp_vek_id id;
    struct collateral_step steps[COLLATERAL_STEPS_MAX];
    size_t count;
};
void collateral_fetched_clear(struct collateral_fetched *f);

/* Each asks only for what is not there and good at `now`; *asked (may be NULL) says whether this call did.
 * -TST_NOT_FOUND: the service does not have it; -TST_UNREACHABLE: no answer within total_ms, or offline;
 * -TST_REFUTED: it answered with something else. */
int collateral_fetch_chain(struct collateral_store *s, const struct collateral_kds *kds, enum tst_snp_product product, bool vlek,
                           time_t now, bool *asked, struct tst_error **err);
int collateral_fetch_vek(struct collateral_store *s, const struct collateral_kds *kds, const struct tst_snp_vek_id *id, time_t now,
                         bool *asked, struct tst_error **err);
/* Also when the list was last looked for more than max_age_s ago, or its next one is due. */
int collateral_fetch_crl(struct collateral_store *s, const struct collateral_kds *kds, enum tst_snp_product product, bool vlek,
                         unsigned max_age_s, time_t now, bool *asked, struct tst_error **err);
/* All that the appraisal of this report needs. 0 when all of it is there afterwards; the first error else, out says the rest. */
#define COLLATERAL_CRL_MAX_AGE_S (24 * 3600)
int collateral_fetch_report(struct collateral_store *s, const struct collateral_kds *kds, const struct tst_snp_report *report,
                            enum tst_snp_product product, time_t now, struct collateral_fetched *out, struct tst_error **err);

/* Every list again, chains and VCEKs that are expired or damaged. `each` is told of every step; a step that failed does not
 * end it. 0 unless the store cannot be read or `each` fails. */
typedef int collateral_step_fn(void *ctx, enum tst_snp_product product, const struct collateral_step *step, struct tst_error **err);
int collateral_refresh(struct collateral_store *s, const struct collateral_kds *kds, time_t now, collateral_step_fn *each, void *ctx,
                       struct tst_error **err);

#endif
