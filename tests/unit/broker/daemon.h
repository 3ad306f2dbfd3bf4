/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/broker/daemon.h - a real testudod ($TESTUDOD) on a state folder of its own, at a free port of the loopback
 * interface, and connections to it byte by byte. What cannot be set up ends the program. */
#ifndef TESTS_BROKER_DAEMON_H
#define TESTS_BROKER_DAEMON_H

#include <sys/types.h>

#include "agent/join.h"
#include "tests/unit/broker/attempt.h"

struct daemon {
    pid_t pid; /* 0 = not running */
    char *dir; /* open to every user, so that other uids reach the socket */
    char state[128], socket[128], address[32], ca_hex[2 * TST_SHA256_BYTES + 1];
};
/* Makes keys and certificates for a free port. */
void daemon_make(struct daemon *d);
/* ca_hex, from the state folder. */
void daemon_read_ca(struct daemon *d);
/* Starts it with more options (NULL-terminated, may be NULL) and waits until it answers. */
void daemon_start(struct daemon *d, const char *const *more);
/* SIGTERM; it must end by itself with status 0. */
void daemon_stop(struct daemon *d);
bool daemon_alive(const struct daemon *d);
/* Stops it if it runs, removes its folder. */
void daemon_free(struct daemon *d);
/* make, start, put the plan, arm s1, s2. */
void daemon_with_plan(struct daemon *d, const struct cloud *c);
void daemon_arm(const struct daemon *d, const char *instance);
/* One call on the local socket. */
int daemon_call(const struct daemon *d, const char *method, const char *path, json_t *body, json_t **answer,
                struct tst_error **err);

/* ---- a node that speaks to it with the agent's own code ---- */
struct guest {
    struct node node;
    struct joiner joiner;
    int asked; /* how often evidence was asked for */
};
void guest_start(struct guest *g, const struct daemon *d, const char *instance, const struct amd_root *root,
                 const struct amd_chip *chip);
void guest_clear(struct guest *g);
#define AUTO_GUEST __attribute__((cleanup(guest_clear))) struct guest

/* ---- raw connections ---- */
enum wire_kind { WIRE_TCP, WIRE_TLS, WIRE_TLS12 /* offers nothing newer */, WIRE_LOCAL };
struct wire;
/* NULL if no connection came about. */
struct wire *wire_open(const struct daemon *d, enum wire_kind kind);
void wire_close(struct wire *w);
/* False if the other side closed. */
bool wire_send(struct wire *w, const void *p, size_t n);
/* What comes until there is silence for wait_ms (after a whole answer: for a hundredth of it), NUL-terminated; *closed
 * tells whether the other side closed. Caller frees. */
char *wire_read(struct wire *w, int wait_ms, bool *closed);

#endif
