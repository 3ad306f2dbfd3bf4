/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_machine.c - a described machine that is accepted is judged to the end, whatever its files, registers and devices
 * say: every check of the table has one outcome, and nothing unseen is ready. */
#include "fuzz.h"
#include "platform/ready.h"

static void judge(const struct platform *p, enum ready_place asked, enum ready_generation wanted)
{
    const struct ready_in in = {.platform = p, .asked = asked, .wanted = wanted};
    AUTO_READY r = NULL;
    size_t sum = 0;
    FUZZ_HOLDS(ready_run(&in, &r, NULL) == 0);
    for (size_t i = 0; i < TST_COUNT(r->outcomes); i++)
        sum += r->outcomes[i];
    FUZZ_HOLDS(sum == r->count);
    FUZZ_HOLDS(ready_exit_status(r) != 0 || (r->required_failed == 0 && r->required_unknown == 0 && r->judged != READY_NOWHERE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TST_AUTO_ERROR err = NULL;
    AUTO_PLATFORM p = NULL;
    int rc = platform_parse_machine("fuzzed", (const char *)data, size, &p, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS((rc == 0) == (p != NULL));
    if (rc < 0)
        return 0;
    judge(p, READY_ANYWHERE, 0);
    judge(p, READY_HOST, READY_SNP);
    judge(p, READY_HOST, READY_SEV);
    judge(p, READY_GUEST, READY_SNP);
    return 0;
}
