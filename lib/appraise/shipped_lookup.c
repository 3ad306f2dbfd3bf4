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
