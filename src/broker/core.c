/* SPDX-License-Identifier: Apache-2.0 */
/* broker/core.c - opening and closing the broker's state, and the one way into its log. */
#include <limits.h>
#include <stdio.h>

#include "broker/broker.h"

int broker_open(const char *state, const struct broker_limits *limits, struct broker *b, struct tst_error **err)
{
    char path[PATH_MAX];
    memset(b, 0, sizeof *b);
    b->limits = *limits;
    if (snprintf(path, sizeof path, "%s/broker.db", state) >= (int)sizeof path)
        return tst_fail(err, TST_USAGE, "state folder %s: path too long", state);
    int r = identity_load(state, &b->id, err);
    if (r || (r = nonce_table_new(&b->nonces, err)) || (r = db_open(path, &b->db, err)))
        return tst_wrap(err, "broker");
    return 0;
}

void broker_close(struct broker *b)
{
    if (b->db)
        db_close(b->db);
    nonce_table_free(b->nonces);
    identity_clear(&b->id);
    memset(b, 0, sizeof *b);
}

int broker_log(struct broker *b, time_t now, const struct log_entry *e, struct log_head *head, struct tst_error **err)
{
    return log_append(b->db, b->id.log_key, now, e, head, err);
}
