/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/broker/expect.h - what a refusal and an admission must look like, asserted in one place. */
#ifndef TESTS_BROKER_EXPECT_H
#define TESTS_BROKER_EXPECT_H

#include "tests/unit/base/unit.h"
#include "tests/unit/broker/attempt.h"

/* The request is refused for exactly this reason; nothing came out; the log's last row says so and the log verifies. */
void expect_refused(struct harness *h, const struct attempt *a, const char *reason);
void expect_body_refused(struct harness *h, const char *purpose, const char *instance, json_t *body, time_t at,
                         const char *reason);
/* The node joins: a row `admit` whose hash the answer names. *key: the realm key, opened with the attested key. */
void expect_joined(struct harness *h, const struct node *n, struct tst_secret **key);
/* As expect_joined for a request that was changed. */
void expect_admitted(struct harness *h, const struct attempt *a, const struct tst_key *opens_with, struct tst_secret **key);
/* The lease is renewed; returns until when, as the broker's registry has it. */
int64_t expect_renewed(struct harness *h, const struct node *n);
void expect_log_verifies(struct harness *h);
void expect_same_key(const struct tst_secret *a, const struct tst_secret *b);
/* cmocka fixtures: *state is a struct harness with every instance but s3 armed. */
int harness_setup(void **state);
int harness_teardown(void **state);

#endif
