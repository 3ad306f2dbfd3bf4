/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_igvm.c - IGVM files. The checksum is set right first, or hardly any input would come past it. */
#include <testudo/measure.h>

#include "fuzz.h"

#define FIXED_BYTES 24

static uint32_t crc32_more(uint32_t crc, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    return crc;
}

/* Header of version 1, headers right behind it, the file's real size. */
static void repair(uint8_t *p, size_t n)
{
    size_t headers = n - FIXED_BYTES < 4096 ? (n - FIXED_BYTES) / 8 * 8 : (size_t)(p[12] | p[13] << 8) % (n - FIXED_BYTES) / 8 * 8;
    const uint8_t fixed[FIXED_BYTES] = {'I', 'G', 'V', 'M', 1, 0, 0, 0, FIXED_BYTES, 0, 0, 0,
                                        (uint8_t)headers, (uint8_t)(headers >> 8), (uint8_t)(headers >> 16), 0,
                                        (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};
    memcpy(p, fixed, sizeof fixed);
    uint32_t crc = ~crc32_more(crc32_more(UINT32_MAX, p, FIXED_BYTES), p + FIXED_BYTES, headers);
    for (size_t i = 0; i < 4; i++)
        p[20 + i] = (uint8_t)(crc >> (8 * i));
}

static void measure(const uint8_t *data, size_t size, bool native_zero)
{
    const struct tst_igvm_options options = {.native_zero = native_zero};
    struct tst_igvm g;
    TST_AUTO_ERROR err = NULL;
    int rc = tst_igvm_measure(data, size, &options, &g, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS(rc < 0 || (g.vmsas > 0 && !tst_is_zero(g.digest, sizeof g.digest)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    measure(data, size, false);
    if (size < FIXED_BYTES + 8)
        return 0;
    uint8_t *copy = malloc(size);
    FUZZ_HOLDS(copy);
    memcpy(copy, data, size);
    repair(copy, size);
    measure(copy, size, true);
    free(copy);
    return 0;
}
