/* SPDX-License-Identifier: Apache-2.0 */
/* kds_server.h - a key distribution service for tests: a real HTTP server in a process of its own, with AMD's addresses, that
 * serves what sim/amd.h makes, counts requests and can be in a bad mood. */
#ifndef TESTS_COLLATERAL_KDS_SERVER_H
#define TESTS_COLLATERAL_KDS_SERVER_H

#include <stdatomic.h>
#include <sys/types.h>

#include "sim/amd.h"

enum kds_mood {
    KDS_HELPFUL,
    KDS_BUSY,      /* 429, Retry-After: 1 */
    KDS_BROKEN,    /* 503 without Retry-After */
    KDS_UNKNOWING, /* 404 */
    KDS_TRUNCATED, /* the first half of what Content-Length says */
    KDS_CUT,       /* the first half, and Content-Length says so too */
    KDS_WRONG,     /* good certificates, of another chip, product or number */
    KDS_SLOW,      /* answers after KDS_SLOW_S */
    KDS_HUGE,      /* a megabyte of zeros */
    KDS_MOODS,
};
#define KDS_SLOW_S 3
extern const char *const kds_mood_names[]; /* ended by NULL */

/* What both processes see. */
struct kds_shared {
    atomic_int mood;
    atomic_int left; /* answers in that mood, then helpful again; below 0: for ever */
    atomic_int chains, crls, veks; /* requests */
    atomic_int crl_index;          /* which of the lists is served */
    char last_vek[512];            /* path and query of the last request for one */
};
#define KDS_CHIPS_MAX 32
#define KDS_CRLS_MAX 4
struct kds_server {
    const struct amd_root *root;
    struct amd_chip *chips[KDS_CHIPS_MAX]; /* [0] is what KDS_WRONG gives */
    size_t chip_count;
    struct tst_crl *crls[KDS_CRLS_MAX];
    size_t crl_count;
    const struct amd_root *wrong_root; /* KDS_WRONG: whose chain */
    pid_t pid;
    char url[64];
    struct kds_shared *shared;
};
/* Fill in root, chips and crls first. Ends the test program when it cannot. */
void kds_server_start(struct kds_server *k);
void kds_server_stop(struct kds_server *k);
void kds_server_mood(struct kds_server *k, enum kds_mood mood, int answers);
/* Serves in this process until it is killed; `ready` is called once with the port. */
void kds_server_run(struct kds_server *k, void (*ready)(void *, unsigned short port), void *ctx);
static inline int kds_requests(const struct kds_server *k)
{
    return k->shared->chains + k->shared->crls + k->shared->veks;
}

#endif
