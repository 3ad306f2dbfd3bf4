/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_sev_report.c - attestation report, session blob and VMSA page of legacy SEV: whatever comes, nothing verifies
 * that was not signed or wrapped. */
#include <testudo/sev.h>

#include "fuzz.h"

static void report(const uint8_t *data, size_t size)
{
    struct tst_sev_report r;
    TST_AUTO_ERROR err = NULL;
    char words[96];
    int rc = tst_sev_report_parse(data, size, &r, &err);
    fuzz_result(rc, err);
    if (rc < 0)
        return;
    FUZZ_HOLDS(size == TST_SEV_REPORT_BYTES && memcmp(r.raw, data, size) == 0);
    tst_sev_policy_print(r.policy, words, sizeof words);
    FUZZ_HOLDS(strlen(words) + 1 < sizeof words);
    struct tst_sev_cert pek = {.usage = TST_SEV_PEK, .algo = r.sig_algo, .curve = TST_KEY_P384};
    FUZZ_HOLDS(tst_sev_report_verify(&r, &pek, &err) < 0); /* (0, 0) is no key */
}

static void session(const uint8_t *data, size_t size)
{
    struct tst_secret *tek = NULL, *tik = NULL;
    TST_AUTO_SECRET z = NULL;
    uint8_t blob[TST_SEV_SESSION_BYTES] = {0};
    if (size < sizeof blob)
        return;
    memcpy(blob, data, sizeof blob);
    FUZZ_HOLDS(tst_secret_new(48, &z, NULL) == 0);
    FUZZ_HOLDS(tst_sev_session_open(z, blob, 0, &tek, &tik, NULL) < 0 && !tek && !tik);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t page[TST_SEV_VMSA_BYTES] = {0};
    TST_AUTO_JSON shown = NULL;
    report(data, size);
    session(data, size);
    if (size)
        memcpy(page, data, size < sizeof page ? size : sizeof page);
    FUZZ_HOLDS(tst_sev_vmsa_json(page, sizeof page, &shown, NULL) == 0);
    FUZZ_HOLDS(json_is_array(json_object_get(shown, "reserved")));
    return 0;
}
