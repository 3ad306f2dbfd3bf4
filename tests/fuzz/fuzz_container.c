/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_container.c - any bytes as evidence: read strictly and leniently; what comes out can be shown and appraised, and
 * never holds. The same bytes as an SVSM manifest. */
#include <testudo/appraise.h>
#include <testudo/container.h>

#include "fuzz.h"

static void show(const struct tst_container *c)
{
    TST_AUTO_JSON o = NULL;
    struct tst_snp_report r;
    enum tst_snp_product layout = tst_snp_report_parse_lenient(c->report, sizeof c->report, &r, NULL) == 0 ? tst_report_tcb_layout(&r) : TST_SNP_UNKNOWN;
    FUZZ_HOLDS(tst_report_json(c->report, layout, &o, NULL) == 0);
    FUZZ_HOLDS(json_array_size(json_object_get(o, "unknown")) < 32);
}

static void appraise(const struct tst_container *c)
{
    const struct tst_evidence evidence = {{c->report, sizeof c->report}, c->certs};
    const struct tst_appraise_in in = {.evidence = &evidence, .now = 1795392000, .lenient = true, .report_data = c->has_report_data ? c->report_data : NULL};
    TST_AUTO_VERDICT v = NULL;
    FUZZ_HOLDS(tst_appraise(&in, &v, NULL) == 0);
    FUZZ_HOLDS(tst_verdict_exit_status(v) != 0); /* AMD's keys are not to be guessed */
}

static int each_service(void *ctx, const struct tst_svsm_service *s, struct tst_error **err)
{
    const struct tst_bytes *all = ctx;
    (void)err;
    FUZZ_HOLDS(s->data.n <= all->n && s->data.p >= all->p && s->data.p + s->data.n <= all->p + all->n);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tst_bytes all = {data, size};
    TST_AUTO_ERROR strict_err = NULL, lenient_err = NULL, manifest_err = NULL, tsm_err = NULL;
    TST_AUTO_CONTAINER strict = {0}, lenient = {0}, tsm = {0};
    int rc = tst_container_read(data, size, false, &strict, &strict_err);
    fuzz_result(rc, strict_err);
    int lenient_rc = tst_container_read(data, size, true, &lenient, &lenient_err);
    fuzz_result(lenient_rc, lenient_err);
    FUZZ_HOLDS(rc != 0 || (lenient_rc == 0 && memcmp(strict.report, lenient.report, sizeof strict.report) == 0));
    if (lenient_rc == 0) {
        show(&lenient);
        appraise(&lenient);
    }
    size_t cut = size < TST_SNP_REPORT_BYTES ? size : TST_SNP_REPORT_BYTES;
    const struct tst_tsm_blobs blobs = {.outblob = {data, cut}, .auxblob = {data + cut, size - cut}};
    rc = tst_container_of_tsm(&blobs, &tsm, &tsm_err);
    fuzz_result(rc, tsm_err);
    rc = tst_svsm_manifest_each(data, size, each_service, &all, &manifest_err);
    fuzz_result(rc, manifest_err);
    return 0;
}
