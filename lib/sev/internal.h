/* SPDX-License-Identifier: Apache-2.0 */
/* sev/internal.h - what the files of lib/sev share: little-endian numbers of the firmware's structures, its ECDSA
 * signatures, and the compiled-in root keys. */
#ifndef TESTUDO_SEV_INTERNAL_H
#define TESTUDO_SEV_INTERNAL_H

#include <testudo/sev.h>

#define SEV_EC_FIELD_BYTES 72 /* an EC number in the firmware's structures */

/* Made from share/ark-pins.tsv. */
extern const struct tst_sev_pin sev_shipped_pins[];
extern const size_t sev_shipped_pin_count;

static inline void sev_put_u16(uint8_t *to, uint16_t v)
{
    to[0] = (uint8_t)v;
    to[1] = (uint8_t)(v >> 8);
}

static inline void sev_put_u32(uint8_t *to, uint32_t v)
{
    sev_put_u16(to, (uint16_t)v);
    sev_put_u16(to + 2, (uint16_t)(v >> 16));
}

static inline void sev_put_u64(uint8_t *to, uint64_t v)
{
    sev_put_u32(to, (uint32_t)v);
    sev_put_u32(to + 4, (uint32_t)(v >> 32));
}

/* Copies n bytes in reverse: little-endian <-> big-endian. */
static inline void sev_reverse(const uint8_t *from, size_t n, uint8_t *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[n - 1 - i];
}

/* An EC number of SEV_EC_FIELD_BYTES: its low n bytes turned to big-endian; false if more than n are used. */
static inline bool sev_ec_number(const uint8_t *field, size_t n, uint8_t *to)
{
    sev_reverse(field, n, to);
    return tst_is_zero(field + n, SEV_EC_FIELD_BYTES - n);
}

/* rs: R and S as the firmware writes them. -TST_REFUTED if it does not verify or algo is no ECDSA. */
int sev_ecdsa_verify(const struct tst_key *signer, uint32_t algo, const void *msg, size_t n,
                     const uint8_t rs[2 * SEV_EC_FIELD_BYTES], struct tst_error **err);

#endif
