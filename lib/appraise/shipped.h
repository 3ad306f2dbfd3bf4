/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/shipped.h - the data of share/ that is compiled in (printed as C by share/tables.py). */
#ifndef APPRAISE_SHIPPED_H
#define APPRAISE_SHIPPED_H

#include "policy.h"

/* AMD's root key of one product. */
struct shipped_pin {
    enum tst_snp_product product;
    uint8_t spki_sha256[TST_SHA256_BYTES];
};
extern const struct shipped_pin shipped_pins[];
extern const size_t shipped_pin_count;
/* NULL: not a key of AMD. */
const struct shipped_pin *shipped_pin_find(const uint8_t spki_sha256[TST_SHA256_BYTES]);

/* One CPU's floor in a dated set ("2026-11"). */
struct shipped_floor {
    const char *set;
    struct policy_floor floor;
};
extern const struct shipped_floor shipped_floors[];
extern const size_t shipped_floor_count;
/* The same, row by row. */
extern const struct tst_floor_row shipped_floor_rows[];
extern const size_t shipped_floor_row_count;

#endif
