/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_domcaps.c - libvirt's domain capabilities: read or refused with a reason, and white space around it changes
 * nothing. */
#include "fuzz.h"
#include "platform/domcaps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TST_AUTO_ERROR err = NULL;
    struct domcaps first, again;
    int rc = domcaps_parse((const char *)data, size, &first, &err);
    fuzz_result(rc, err);
    TST_AUTO_BUF wider = {0};
    if (rc < 0 || tst_buf_printf(&wider, NULL, "\n%.*s\n", (int)size, (const char *)data) < 0 || wider.n != size + 2)
        return 0;
    FUZZ_HOLDS(domcaps_parse((const char *)wider.p, wider.n, &again, NULL) == 0);
    FUZZ_HOLDS(first.sev == again.sev && first.type_snp == again.type_snp && first.max_es_guests == again.max_es_guests);
    return 0;
}
