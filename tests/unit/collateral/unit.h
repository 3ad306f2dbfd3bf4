/* SPDX-License-Identifier: Apache-2.0 */
/* unit.h - what the tests of this room share: a temporary store, evidence of a synthetic AMD, errors that are told. */
#ifndef TESTS_COLLATERAL_UNIT_H
#define TESTS_COLLATERAL_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "collateral/fs.h"
#include "collateral/kds.h"
#include "sim/report.h"
#include "tests/unit/sim/fixture.h"

#define assert_done(call, err)                                          \
    do {                                                                \
        if ((call) != 0)                                                \
            fail_msg("%s: %s", #call, (err) ? (err)->text : "failed");  \
    } while (0)

/* A store of its own below /tmp, with the fixture's root let in. */
struct place {
    char dir[64];
    struct collateral_store *store;
};
static inline void place_trust(struct place *p, const struct amd_root *root)
{
    struct tst_cert_info info;
    assert_int_equal(tst_cert_info(root->ark, &info, NULL), 0);
    assert_int_equal(collateral_trust_root(p->store, info.spki_sha256, NULL), 0);
}

static inline void place_open(struct place *p, const struct amd_root *root)
{
    TST_AUTO_ERROR err = NULL;
    strcpy(p->dir, "/tmp/testudo-collateral-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    assert_done(collateral_open(p->dir, true, &p->store, &err), err);
    if (root)
        place_trust(p, root);
}

static inline void place_clear(struct place *p)
{
    char command[128];
    collateral_close(p->store);
    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0);
}
#define PLACE(p, root)                                      \
    struct place p __attribute__((cleanup(place_clear)));   \
    place_open(&p, root)

static inline struct tst_snp_report unit_report(const struct amd_chip *chip, uint8_t raw[TST_SNP_REPORT_BYTES])
{
    const struct sim_report r = sim_report_of(chip, chip->product->id == TST_SNP_TURIN ? 5 : 3);
    struct tst_snp_report out;
    assert_int_equal(sim_report_sign(&r, chip->vcek_key, raw, NULL), 0);
    assert_int_equal(tst_snp_report_parse(raw, TST_SNP_REPORT_BYTES, &out, NULL), 0);
    return out;
}

#define DAY_S (24 * 3600)
/* A list of the fixture's root: revoked NULL or one serial number. */
static inline struct tst_crl *unit_crl(const struct amd_root *root, uint64_t number, time_t from, time_t until, const uint64_t *revoked)
{
    TST_AUTO_ERROR err = NULL;
    struct tst_crl *crl = NULL;
    const struct tst_crl_spec spec = {
        .number = number, .this_update = from, .next_update = until, .revoked = revoked, .revoked_count = revoked ? 1 : 0};
    assert_done(tst_crl_issue(&spec, root->ark, root->ark_key, &crl, &err), err);
    return crl;
}

#endif
