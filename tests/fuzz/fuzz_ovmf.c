/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_ovmf.c - firmware images through their table and a launch of each mode: what is read lies inside, what parses is
 * measured or refused with a reason, and the same input has the same digest. */
#include <testudo/measure.h>

#include "fuzz.h"

static void launch(const uint8_t *data, size_t size, enum tst_measure_mode mode, const struct tst_kernel *kernel)
{
    const struct tst_measure_in in = {.mode = mode,
                                      .firmware = {data, size},
                                      .svsm = {mode == TST_MEASURE_SNP && !kernel ? data : NULL, size},
                                      .kernel = kernel,
                                      .vcpus = 3,
                                      .sev_features = mode == TST_MEASURE_SNP};
    struct tst_measurement a, b;
    TST_AUTO_ERROR err = NULL;
    int rc = tst_measure(&in, &a, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS(rc < 0 || (tst_measure(&in, &b, NULL) == 0 && memcmp(&a, &b, sizeof a) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tst_kernel kernel;
    struct tst_firmware f;
    TST_AUTO_ERROR err = NULL;
    int rc = tst_firmware_parse(data, size, &f, &err);
    fuzz_result(rc, err);
    if (rc < 0)
        return 0;
    FUZZ_HOLDS(f.section_count <= TST_SECTIONS_MAX && (f.has_table || f.section_count == 0));
    for (size_t i = 0; i < f.section_count; i++) {
        FUZZ_HOLDS(f.sections[i].gpa % TST_PAGE_BYTES == 0 && f.sections[i].bytes >= TST_PAGE_BYTES);
        if (f.sections[i].bytes > 1024 * 1024)
            return 0; /* right, but slow to measure */
    }
    launch(data, size, TST_MEASURE_SEV, NULL);
    launch(data, size, TST_MEASURE_SEV_ES, &kernel);
    launch(data, size, TST_MEASURE_SNP, &kernel);
    launch(data, size, TST_MEASURE_SNP, NULL);
    return 0;
}
