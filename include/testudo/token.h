/* SPDX-License-Identifier: Apache-2.0 */
/* testudo/token.h - canonical JSON (RFC 8785), JWE (RFC 7516, flattened; ECDH-ES+A256KW / A256GCM). Pure. */
#ifndef TESTUDO_TOKEN_H
#define TESTUDO_TOKEN_H

#include <testudo/crypto.h>

/* RFC 8785 form of v, NUL-terminated, malloc'ed; *n may be NULL. Refuses NaN, infinities, and integers beyond +-2^53. */
int tst_jcs(const json_t *v, char **out, size_t *n, struct tst_error **err);
/* SHA-384 of the RFC 8785 form, zero-padded to 64 bytes: what REPORT_DATA carries (docs/protocol.md "Join"). */
int tst_report_data(const json_t *runtime_data, uint8_t out[64], struct tst_error **err);

/* {"kty":"EC","crv":"P-256","x","y"} (alg is added when not NULL). New reference. */
int tst_jwk_of(const struct tst_key *p256, const char *alg, json_t **out, struct tst_error **err);
/* Refuses other curves, missing, extra members other than alg, kid, use; points off the curve. */
int tst_jwk_read(const json_t *jwk, struct tst_key **out, struct tst_error **err);

/* Flattened JWE {protected, encrypted_key, iv, ciphertext, tag}. `protected` has exactly the member order
 * {"alg","enc","epk":{"crv","kty","x","y"}}. New reference. */
int tst_jwe_encrypt(const struct tst_key *to, const void *plain, size_t n, json_t **out, struct tst_error **err);
#define TST_JWE_MAX_BYTES (48 * 1024)
/* -TST_USAGE when it is malformed, -TST_REFUTED when it was not for this key or was changed. */
int tst_jwe_decrypt(const struct tst_key *mine, const json_t *jwe, struct tst_secret **plain, struct tst_error **err);

#endif
