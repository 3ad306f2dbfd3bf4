/* SPDX-License-Identifier: Apache-2.0 */
/* bench/floor.h - the bare cryptography of one verification, by OpenSSL alone: three RSASSA-PSS signatures (ARK by itself,
 * ASK by ARK, VCEK by ASK) and the report's ECDSA P-384 signature. Nothing is judged: no name, date, TCB, chip, policy. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FLOOR_VEK, FLOOR_ASK, FLOOR_ARK, FLOOR_CERTS };
struct floor_input {
    const uint8_t *report; /* 1184 bytes */
    const uint8_t *der[FLOOR_CERTS];
    size_t der_n[FLOOR_CERTS];
};

/* Warm: the chain is verified, the VCEK's key loaded, the algorithm fetched, the signature in the form that OpenSSL wants.
 * What remains is the hash of the report's signed part and its ECDSA signature. */
struct floor;
struct floor *floor_new(const struct floor_input *in); /* NULL on failure */
bool floor_verify(struct floor *f);
void floor_free(struct floor *f);

/* Cold, from bytes: certificates decoded, their keys loaded, the four verifications. */
bool floor_verify_cold(const struct floor_input *in);

#endif
