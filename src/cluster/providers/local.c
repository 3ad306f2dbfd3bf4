/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local.c - the local provider: its callbacks' table, what it can carry out, names and paths. */
#include "cluster/providers/local.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <testudo/crypto.h>

const struct provider provider_local = {
    .name = "local",
    .plan = local_plan,
    .up = local_up,
    .launch = local_launch,
    .status = local_status,
    .enter = local_enter,
    .log = local_log,
    .down = local_down,
};

/* The simulator stands for SEV-SNP with everything measured; nothing here could honestly claim less. */
int local_plan(const struct plan *plan, struct tst_error **err)
{
    for (size_t i = 0; i < plan->realm_count; i++)
        if (plan->realms[i].level != TST_LEVEL_NONE && plan->realms[i].level != TST_LEVEL_MEASURED) {
            tst_fail(err, TST_USAGE, "provider local has no nodes of level %s", tst_level_name(plan->realms[i].level));
            return tst_hint(err, "level none or measured", tst_level_name(plan->realms[i].level), NULL);
        }
    return 0;
}

int local_open(const char *state, const struct plan *plan, struct local *out, struct tst_error **err)
{
    uint8_t digest[TST_SHA256_BYTES];
    int rc = tst_sha256(state, strlen(state), digest, err);

    if (rc)
        return rc;
    *out = (struct local){.state = strdup(state), .plan = plan, .lock_fd = -1};
    tst_hex(digest, 2, out->tag);
    if (plan)
        snprintf(out->bridge, sizeof out->bridge, "tst-%s", plan->cluster);
    out->broker_socket = tst_strdup_printf("%s/broker/broker.sock", state);
    return out->state && out->broker_socket ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

void local_clear(struct local *l)
{
    free(l->state);
    free(l->broker_socket);
    if (l->lock_fd >= 0)
        close(l->lock_fd);
}

char *local_path(const struct local *l, const char *fmt, ...)
{
    char *below = NULL, *path = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&below, fmt, ap);
    va_end(ap);
    if (n < 0)
        return NULL;
    path = tst_strdup_printf("%s/%s", l->state, below);
    free(below);
    return path;
}

bool local_needs_psp(const struct plan *plan)
{
    for (size_t i = 0; i < plan->realm_count; i++)
        if (plan->realms[i].level != TST_LEVEL_NONE)
            return true;
    return false;
}
