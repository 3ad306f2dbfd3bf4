/* SPDX-License-Identifier: Apache-2.0 */
/* platform.h - a synthetic SEV platform: root, intermediate, chip, owner and platform keys of our own, with certificates in
 * the firmware's format. Every function asserts its own success (cmocka). */
#ifndef TESTS_SEV_PLATFORM_H
#define TESTS_SEV_PLATFORM_H

#include "../base/unit.h"

#include <openssl/evp.h>

#include <testudo/sev.h>

enum { CERTS = TST_SEV_ROLE_CEK + 1 };

struct platform {
    EVP_PKEY *ca_key[2];        /* ASK, ARK */
    struct tst_key *key[CERTS]; /* by role */
    uint8_t cert[CERTS][TST_SEV_CERT_BYTES];
    uint8_t ca[2][TST_SEV_CA_CERT_MAX_BYTES]; /* ASK, ARK */
    size_t ca_bytes;                          /* of each */
    struct tst_sev_pin pin;
};
/* rsa_bits: 2048 (as Naples) or 4096 (as Rome). */
void platform_make(struct platform *p, unsigned rsa_bits);
void platform_clear(struct platform *p);

/* Signs again what a test has bent. slot: 0 or 1. */
void platform_sign(struct platform *p, enum tst_sev_role subject, unsigned slot, enum tst_sev_role signer);
void platform_sign_ca(struct platform *p, enum tst_sev_role subject);
/* All six into a chain, through tst_sev_chain_add. */
void platform_chain(const struct platform *p, struct tst_sev_chain *chain);
/* An attestation report signed by the PEK. */
void platform_report(const struct platform *p, const uint8_t mnonce[16], const uint8_t digest[32], uint32_t policy,
                     uint8_t out[TST_SEV_REPORT_BYTES]);
/* Flips bytes of every certificate of a complete chain, one at a time: each must be refused. All bytes of headers, and each
 * step-th of keys and signatures. */
void platform_flip_all(const struct tst_sev_chain *chain, const struct tst_sev_pin *pin, size_t step);

#endif
