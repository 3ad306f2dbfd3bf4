/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/checks.h - one appraisal in progress: facts first (facts.c), then the table of checks (checks.c), each a
 * function that compares facts and writes down its outcome. Checks read; only the verdict is written. */
#ifndef APPRAISE_CHECKS_H
#define APPRAISE_CHECKS_H

#include "shipped.h"

/* A certificate of the evidence, as far as it could be read. */
struct cert_fact {
    const struct tst_cert *cert; /* NULL: not there */
    const char *name;            /* "VCEK", "ASK", "ARK" */
    bool readable;
    struct tst_cert_info info;
    struct tst_error *error; /* why it is not readable */
};

enum root_kind { ROOT_ABSENT, ROOT_AMD, ROOT_SIMULATED, ROOT_UNKNOWN };

struct appraisal {
    const struct tst_appraise_in *in;
    const struct tst_policy *policy; /* may be NULL */
    const struct tst_snp_report *report; /* NULL: did not parse */
    struct tst_error *report_error;
    struct cert_fact vek, ask, ark;
    bool vek_parsed;
    struct tst_snp_vek vek_claims; /* what AMD wrote into the VEK */
    struct tst_error *vek_error;
    enum root_kind root;
    const struct shipped_pin *pin; /* ROOT_AMD */
    enum tst_snp_product product, product_of_vek, product_of_cpuid;
    const struct policy_reference *reference; /* matched and not expired */
};
/* `report` is where the parsed report is kept. */
void appraisal_gather(struct appraisal *a, const struct tst_appraise_in *in, struct tst_snp_report *report);
void appraisal_clear(struct appraisal *a);

/* What must be there before a check can be decided; without it the check is MISSING (policy: SKIP). */
enum check_need {
    NEED_POLICY = 1 << 0,
    NEED_REPORT = 1 << 1,
    NEED_VEK = 1 << 2,
    NEED_ASK = 1 << 3,
    NEED_ARK = 1 << 4,
    NEED_VEK_CLAIMS = 1 << 5,
    NEED_PRODUCT = 1 << 6,
    MAY_WARN = 1 << 7, /* not a need: a policy may say that this check only warns */
};
typedef int check_fn(const struct appraisal *a, struct tst_check *c);
bool check_may_warn(size_t i);
/* Runs check i of the table into *c (zeroed); -TST_INTERNAL when out of memory. */
int check_run(const struct appraisal *a, size_t i, struct tst_check *c);

/* ---- ends of a check; 0, or -TST_INTERNAL when out of memory. expected and fix are copied, may be NULL. ---- */
int check_pass(struct tst_check *c, const char *found, ...) TST_PRINTF(2, 3);
/* Does not hold, and that is no refusal. */
int check_warn(struct tst_check *c, const char *expected, const char *fix, const char *found, ...) TST_PRINTF(4, 5);
int check_skip(struct tst_check *c, const char *why);
int check_fail(struct tst_check *c, const char *expected, const char *fix, const char *found, ...) TST_PRINTF(4, 5);
int check_missing(struct tst_check *c, const char *expected, const char *fix, const char *found, ...) TST_PRINTF(4, 5);

/* Where that certificate is published; malloc'ed, NULL when that cannot be said. */
char *check_where_to_get(const struct appraisal *a, const struct cert_fact *f);

check_fn check_report_parse, check_report_version, check_signature_algorithm, check_signing_key, check_product;
check_fn check_ark_pin, check_ark_self_signature, check_ask, check_vek, check_dates, check_vek_extensions;
check_fn check_report_signature, check_tcb_vek, check_chip_vek, check_report_data, check_tcb_order;
check_fn check_policy_simulated, check_policy_product, check_policy_measurement, check_policy_tcb_floor;
check_fn check_policy_debug, check_policy_migration_agent, check_policy_vmpl, check_policy_chip, check_policy_crl,
    check_policy_vlek;
check_fn check_policy_level;
check_fn check_policy_milan, check_policy_report_version, check_policy_firmware, check_policy_provisional;
check_fn check_policy_guest_bits, check_policy_platform_info, check_policy_mitigations;
check_fn check_policy_guest_svn, check_policy_id_key, check_policy_author_key;
check_fn check_policy_family_id, check_policy_image_id, check_policy_host_data;

#endif
