/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_sev_chain.c - legacy SEV certificates, one or several: nothing that AMD did not sign is ever genuine, and every
 * check of every verdict says something. */
#include <testudo/sev.h>

#include "fuzz.h"

static void verify(const struct tst_sev_chain *chain)
{
    struct tst_sev_verdict v;
    TST_AUTO_ERROR err = NULL;
    FUZZ_HOLDS(tst_sev_chain_verify(chain, NULL, &v, &err) == 0);
    FUZZ_HOLDS(v.outcome != TST_SEV_PASS && !v.simulated && tst_sev_verdict_first(&v));
    for (size_t i = 0; i < TST_SEV_CHECKS; i++) {
        const struct tst_sev_check *c = &v.checks[i];
        FUZZ_HOLDS(c->id && c->meaning && c->found[0] && memchr(c->found, 0, sizeof c->found));
        FUZZ_HOLDS((c->outcome == TST_SEV_PASS) == (c->reason == NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tst_sev_chain chain;
    TST_AUTO_ERROR err = NULL;
    memset(&chain, 0, sizeof chain);
    int rc = tst_sev_chain_add(&chain, data, size, &err);
    fuzz_result(rc, err);
    if (rc < 0)
        return 0;
    size_t held = 0;
    for (enum tst_sev_role r = TST_SEV_ROLE_PDH; r <= TST_SEV_ROLE_ARK; r++)
        if (chain.has[r])
            held += r < TST_SEV_ROLE_ASK ? TST_SEV_CERT_BYTES : chain.ca[r - TST_SEV_ROLE_ASK].raw_bytes;
    FUZZ_HOLDS(held == size); /* no byte is left out */
    verify(&chain);
    return 0;
}
