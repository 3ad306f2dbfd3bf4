/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/broker/harness.h - a broker in this process on a state folder of its own, with a plan of three realms:
 * `sealed` (evidence of this simulator), `amd` (evidence, no simulator accepted), `plain` (tokens). Time is what a test says.
 * What a harness cannot do ends the program: only the subject's behaviour is asserted. */
#ifndef TESTS_BROKER_HARNESS_H
#define TESTS_BROKER_HARNESS_H

#include "broker/broker.h"
#include "tests/unit/sim/fixture.h"

/* Two simulators and their chips. RSA-4096 keys take seconds, so the hierarchies are kept in $TESTUDO_TEST_CACHE. */
struct cloud {
    struct amd_root *root, *other_root;
    struct amd_chip *chip, *other_chip; /* of root, at the policy's floor */
    struct amd_chip *old_chip;          /* the id of `chip`, its microcode one below the floor */
    struct amd_chip *foreign_chip;      /* of other_root */
};
void cloud_open(struct cloud *c);
void cloud_close(struct cloud *c);
/* The launch digest that the plan's policies know. */
extern const uint8_t good_digest[TST_SNP_DIGEST_BYTES];

/* s1 s2 s3 and EXTRA instances i001.. in `sealed`, a1 in `amd`, p1 p2 in `plain`. New reference. */
json_t *plan_of(const struct cloud *c, int extra);

struct harness {
    struct cloud cloud;
    char *state;
    struct broker broker;
    time_t now;
};
/* The plan is put; s1, s2, a1 and p1, p2 are not armed yet. */
void harness_open(struct harness *h);
void harness_close(struct harness *h);
/* Closes the broker and opens it on the same state, as after a restart. */
int harness_reopen(struct harness *h, struct tst_error **err);
/* Operator: expect or rearm. token (may be NULL) holds 64 bytes and gets the token's text, "" if there is none. */
void harness_arm(struct harness *h, const char *instance, char *token);
void harness_rearm(struct harness *h, const char *instance, char *token);
void harness_revoke(struct harness *h, const char *instance);
/* The registry's entry of an instance at a time; new reference. */
json_t *harness_node(struct harness *h, const char *instance, time_t at);

/* Ends the program unless rc is 0. */
void must(int rc, const struct tst_error *err, const char *what);
/* First column of the first row, as a number; 0 if there is no row. */
int64_t query_number(sqlite3 *db, const char *sql);

#endif
