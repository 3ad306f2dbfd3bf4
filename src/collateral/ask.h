/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/ask.h - one thing to be fetched: where it goes, where it comes from, how to tell that it is there. */
#ifndef TESTUDO_COLLATERAL_ASK_H
#define TESTUDO_COLLATERAL_ASK_H

#include "collateral/kds.h"

struct ask {
    const char *path, *url;
    size_t max_bytes;
    time_t now;
    /* In the store, and good. */
    bool (*have)(struct collateral_store *s, const struct ask *a);
    /* Verifies and stores an answer. */
    int (*take)(struct collateral_store *s, const struct ask *a, const uint8_t *p, size_t n, struct tst_error **err);
    enum tst_snp_product product;
    bool vlek;
    const struct tst_snp_vek_id *id;
    unsigned max_age_s;
    bool asked; /* set when a request was made */
};
int kds_ask(struct collateral_store *s, const struct collateral_kds *kds, struct ask *a, struct tst_error **err);

#endif
