/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_sev_table.c - tables of launch secrets, and GUIDs: what is read can be written, and is the same then. */
#include <strings.h>

#include <testudo/sev.h>

#include "fuzz.h"

#define ENTRIES_MAX 16

static void table(const uint8_t *data, size_t size)
{
    struct tst_sev_entry entries[ENTRIES_MAX];
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_SECRET again = NULL;
    size_t count = 0;
    int rc = tst_sev_table_parse(data, size, entries, ENTRIES_MAX, &count, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS(count <= ENTRIES_MAX);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        FUZZ_HOLDS(entries[i].value.n > 0 && entries[i].value.p >= data);
        FUZZ_HOLDS(entries[i].value.p + entries[i].value.n <= data + size);
    }
    if (rc < 0 || count == 0)
        return;
    FUZZ_HOLDS(tst_sev_table_build(entries, count, &again, &err) == 0);
    FUZZ_HOLDS(tst_secret_size(again) == size && memcmp(tst_secret_view(again), data, size) == 0);
}

static void guid(const uint8_t *data, size_t size)
{
    uint8_t bytes[TST_SEV_GUID_BYTES], back[TST_SEV_GUID_BYTES];
    char text[37] = "", printed[37];
    memcpy(text, data, size < 36 ? size : 36);
    if (tst_sev_guid_parse(text, bytes, NULL) < 0)
        return;
    tst_sev_guid_print(bytes, printed);
    FUZZ_HOLDS(strcasecmp(text, printed) == 0);
    FUZZ_HOLDS(tst_sev_guid_parse(printed, back, NULL) == 0 && memcmp(bytes, back, sizeof back) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    table(data, size);
    if (size)
        guid(data, size);
    return 0;
}
