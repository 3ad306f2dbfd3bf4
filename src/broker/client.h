/* SPDX-License-Identifier: Apache-2.0 */
/* broker/client.h - HTTP calls to a broker, by libcurl. */
#ifndef TESTUDO_BROKER_CLIENT_H
#define TESTUDO_BROKER_CLIENT_H

#include <testudo/crypto.h>

/* Over the local socket. body may be NULL. *answer is a new reference. A problem+json answer becomes an error with the
 * broker's reason, expected, found and fix; no connection is TST_UNREACHABLE. */
int broker_call(const char *socket, const char *method, const char *path, json_t *body, json_t **answer,
                struct tst_error **err);
/* Where a node finds its broker, and how long one call may take. */
struct broker_endpoint {
    char address[80]; /* HOST:PORT */
    uint8_t ca_spki_sha256[TST_SHA256_BYTES];
    unsigned timeout_s;
};
/* POST over TLS 1.3 to the broker whose CA has this SPKI SHA-256; nothing is sent before the chain verified. A broker with
 * another CA is TST_REFUTED, reason `broker-certificate`. */
int broker_post(const struct broker_endpoint *to, const char *path, json_t *body, json_t **answer, struct tst_error **err);

#endif
