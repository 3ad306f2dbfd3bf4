/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_idblock.c - ID block (the first 96 bytes) and authentication information (the rest): what parses is written back
 * alike, and nothing verifies that was not signed by the key in it. */
#include <testudo/measure.h>

#include "fuzz.h"

static void parse(const uint8_t *data, size_t size)
{
    struct tst_id_block b;
    uint8_t written[TST_ID_BLOCK_BYTES];
    TST_AUTO_ERROR err = NULL;
    int rc = tst_id_block_parse(data, size, &b, &err);
    fuzz_result(rc, err);
    if (rc < 0)
        return;
    tst_id_block_write(&b, written);
    FUZZ_HOLDS(size == sizeof written && memcmp(written, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tst_id_auth a;
    uint8_t changed[TST_ID_BLOCK_BYTES];
    TST_AUTO_ERROR err = NULL;
    parse(data, size);
    if (size < TST_ID_BLOCK_BYTES)
        return 0;
    parse(data, TST_ID_BLOCK_BYTES);
    int rc = tst_id_auth_verify(data, data + TST_ID_BLOCK_BYTES, size - TST_ID_BLOCK_BYTES, &a, &err);
    fuzz_result(rc, err);
    if (rc < 0)
        return 0;
    memcpy(changed, data, sizeof changed);
    changed[0] ^= 1;
    FUZZ_HOLDS(tst_id_auth_verify(changed, data + TST_ID_BLOCK_BYTES, size - TST_ID_BLOCK_BYTES, &a, NULL) < 0);
    return 0;
}
