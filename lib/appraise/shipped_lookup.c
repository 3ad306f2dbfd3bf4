/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/shipped_lookup.c - find a row of the compiled-in tables. */
#include "shipped.h"

const struct shipped_pin *shipped_pin_find(const uint8_t spki_sha256[TST_SHA256_BYTES])
{
    for (size_t i = 0; i < shipped_pin_count; i++)
        if (memcmp(spki_sha256, shipped_pins[i].spki_sha256, TST_SHA256_BYTES) == 0)
            return &shipped_pins[i];
    return NULL;
}

bool tst_ark_pinned(const uint8_t spki_sha256[TST_SHA256_BYTES], enum tst_snp_product *product)
{
    const struct shipped_pin *pin = shipped_pin_find(spki_sha256);
    if (pin && product)
        *product = pin->product;
    return pin != NULL;
}

const struct tst_floor_row *tst_floor_rows(size_t *count)
{
    *count = shipped_floor_row_count;
    return shipped_floor_rows;
}

const char *tst_floor_newest(void)
{
    const char *newest = shipped_floor_rows[0].set;
    for (size_t i = 1; i < shipped_floor_row_count; i++)
        if (strcmp(shipped_floor_rows[i].set, newest) > 0)
            newest = shipped_floor_rows[i].set;
    return newest;
}
