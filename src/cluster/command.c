/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/command.c - from the state folder to the plan and its provider; command.h is the contract. */
#include "cluster/command.h"

#include <stdlib.h>

int cluster_open(const char *state_option, const char *cluster, bool need_plan, struct cluster_handle *out,
                 struct tst_error **err)
{
    int rc = state_find(state_option, cluster, &out->state, err);

    if (rc)
        return rc;
    out->provider = &provider_local; /* the only one so far that a saved cluster file can name */
    rc = state_load_plan(out->state, &out->plan, NULL, err);
    return rc == -TST_NOT_FOUND && !need_plan ? 0 : rc;
}

void cluster_close(struct cluster_handle *h)
{
    free(h->state);
    plan_free(h->plan);
}
