/* SPDX-License-Identifier: Apache-2.0 */
/* broker/nonce.c - challenges that are out. A fixed table: an expired entry makes room, a full table refuses. A used nonce
 * stays until it expires so that its second use gets its own reason. */
#include <stdlib.h>

#include "broker/broker.h"

enum { NONCES_MAX = 4096, NONCES_PER_INSTANCE = 64 };

struct nonce {
    uint8_t bytes[NONCE_BYTES];
    char instance[64], purpose[16];
    time_t expires; /* 0 = free */
    time_t forget;  /* kept that long to name the reason */
    uint64_t serial; /* order of issue */
    bool used;
};
struct nonce_table {
    uint64_t issued;
    struct nonce entry[NONCES_MAX];
};

int nonce_table_new(struct nonce_table **out, struct tst_error **err)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

void nonce_table_free(struct nonce_table *t)
{
    free(t);
}

/* A free place. An instance that holds its share gets the place of its own oldest challenge, so that nobody can keep a
 * node out by asking in its name; a full table has none. */
static struct nonce *find_room(struct nonce_table *t, const char *instance, time_t now)
{
    struct nonce *room = NULL, *oldest = NULL;
    size_t same = 0;
    for (size_t i = 0; i < NONCES_MAX; i++) {
        struct nonce *e = &t->entry[i];
        if (e->expires && e->forget <= now)
            memset(e, 0, sizeof *e);
        if (!e->expires) {
            room = room ? room : e;
        } else if (strcmp(e->instance, instance) == 0 && !e->used) {
            same++;
            oldest = !oldest || e->serial < oldest->serial ? e : oldest;
        }
    }
    return same < NONCES_PER_INSTANCE ? room : oldest;
}

int nonce_issue(struct nonce_table *t, const char *instance, const char *purpose, time_t now, unsigned life_s,
                uint8_t out[NONCE_BYTES], struct tst_error **err)
{
    struct nonce *e = find_room(t, instance, now);
    if (!e) {
        tst_fail(err, TST_UNREACHABLE, "too many challenges are open");
        tst_reason(err, "busy");
        return tst_hint(err, NULL, NULL, "try again when the open ones have expired");
    }
    int r = tst_random(e->bytes, sizeof e->bytes, err);
    if (r)
        return r;
    snprintf(e->instance, sizeof e->instance, "%s", instance);
    snprintf(e->purpose, sizeof e->purpose, "%s", purpose);
    e->expires = now + (time_t)life_s;
    e->forget = e->expires + (time_t)life_s;
    e->used = false;
    e->serial = t->issued++;
    memcpy(out, e->bytes, NONCE_BYTES);
    return 0;
}

static int refuse(struct tst_error **err, const char *reason, const char *text)
{
    tst_fail(err, TST_DENIED, "%s", text);
    tst_reason(err, reason);
    return tst_hint(err, "a nonce of this broker, for this instance and purpose, unused, in time", NULL, "ask for a new challenge");
}

int nonce_burn(struct nonce_table *t, const uint8_t nonce[NONCE_BYTES], const char *instance, const char *purpose,
               time_t now, struct tst_error **err)
{
    struct nonce *e = NULL;
    for (size_t i = 0; i < NONCES_MAX && !e; i++)
        if (t->entry[i].expires && tst_equal(t->entry[i].bytes, nonce, NONCE_BYTES))
            e = &t->entry[i];
    if (!e)
        return refuse(err, "nonce-unknown", "nonce: this broker did not issue it");
    bool used = e->used;
    e->used = true;
    if (used)
        return refuse(err, "nonce-used", "nonce: was used before");
    if (now >= e->expires)
        return refuse(err, "nonce-expired", "nonce: expired");
    if (strcmp(e->instance, instance) != 0 || strcmp(e->purpose, purpose) != 0)
        return refuse(err, "nonce-foreign", "nonce: was issued for another instance or purpose");
    return 0;
}
