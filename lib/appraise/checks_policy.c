/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/checks_policy.c - what the data owner's policy asks for, beyond authenticity. Format and defaults:
 * docs/policy.md. */
#include "checks.h"

int check_policy_simulated(const struct appraisal *a, struct tst_check *c)
{
    char spki[2 * TST_SHA256_BYTES + 1];
    if (a->root == ROOT_AMD)
        return check_pass(c, "not simulated");
    tst_hex(a->ark.info.spki_sha256, TST_SHA256_BYTES, spki);
    if (a->root == ROOT_SIMULATED)
        return check_pass(c, "SIMULATED, root %s", spki);
    if (a->policy->root_count)
        return check_fail(c, "AMD's root, or a simulator's that the policy names", "this is another simulator", "root %s", spki);
    return check_fail(c, "AMD's root: the policy accepts no simulator", "a test policy names a simulator under simulated: allow",
                      "root %s", spki);
}

int check_policy_product(const struct appraisal *a, struct tst_check *c)
{
    char names[64] = "none";
    size_t len = 0;
    if (a->policy->products[a->product])
        return check_pass(c, "%s", tst_snp_product_name(a->product));
    for (enum tst_snp_product p = TST_SNP_MILAN; p < POLICY_PRODUCT_COUNT; p++)
        if (a->policy->products[p])
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len ? ", " : "", tst_snp_product_name(p));
    return check_fail(c, names, "name the product under products, if you accept it", "%s", tst_snp_product_name(a->product));
}

int check_policy_measurement(const struct appraisal *a, struct tst_check *c)
{
    const struct policy_reference *known = policy_reference_of(a->policy, a->report->measurement);
    char digest[2 * TST_SNP_DIGEST_BYTES + 1], until[TST_TIME_BYTES];

    tst_hex(a->report->measurement, TST_SNP_DIGEST_BYTES, digest);
    if (a->reference)
        return check_pass(c, "%s: %s", a->reference->name, digest);
    if (known) {
        tst_time_print(known->until, until);
        return check_fail(c, "a reference value that has not expired", "start the node from a newer image",
                          "%s expired at %s: %s", known->name, until, digest);
    }
    if (a->policy->reference_count == 0)
        return check_fail(c, "a reference value: the policy has none", "add the digest under measurements, if you accept it",
                          "%s", digest);
    return check_fail(c, "a reference value of the policy", "add the digest under measurements, if you accept it", "%s", digest);
}

int check_policy_tcb_floor(const struct appraisal *a, struct tst_check *c)
{
    const struct {
        const char *name;
        const uint8_t *raw;
    } tcbs[] = {
        {"reported", a->report->reported_tcb}, {"committed", a->report->committed_tcb}, {"launch", a->report->launch_tcb}};
    struct tst_snp_tcb floor;
    char want[96], found[96];

    if (!policy_floor_of(a->policy, a->product, a->report, &floor))
        return check_fail(c, "a floor for this CPU: the policy has none", "write tcb or floors into the policy",
                          "%s, family 0x%02x, model 0x%02x, stepping %u", tst_snp_product_name(a->product),
                          a->report->cpuid_family, a->report->cpuid_model, a->report->cpuid_stepping);
    tst_snp_tcb_print(&floor, want, sizeof want);
    for (size_t i = 0; i < TST_COUNT(tcbs); i++) {
        struct tst_snp_tcb tcb = tst_snp_tcb_of(a->product, tcbs[i].raw);
        if (tst_snp_tcb_at_least(&tcb, &floor))
            continue;
        tst_snp_tcb_print(&tcb, found, sizeof found);
        return check_fail(c, want, "update the host's firmware and microcode, then commit", "%s: %s", tcbs[i].name, found);
    }
    return check_pass(c, "at least %s", want);
}

int check_policy_debug(const struct appraisal *a, struct tst_check *c)
{
    bool debug = a->report->policy & TST_SNP_POLICY_DEBUG;
    if (!debug)
        return check_pass(c, "off");
    if (a->policy->debug == POLICY_ALLOW)
        return check_pass(c, "on, the policy allows it: the host can read this guest");
    return check_fail(c, "off", "launch the guest without the debug bit (19)", "on: the host can read this guest");
}

/* Without a migration agent REPORT_ID_MA is all ones. */
int check_policy_migration_agent(const struct appraisal *a, struct tst_check *c)
{
    uint8_t none[TST_SNP_REPORT_ID_BYTES];
    bool allowed = a->policy->migration_agent == POLICY_ALLOW;
    memset(none, 0xff, sizeof none);
    if (!allowed && (a->report->policy & TST_SNP_POLICY_MIGRATE_MA))
        return check_fail(c, "none", "launch the guest without the migration bit (18)",
                          "the guest's policy lets one be bound");
    if (!allowed && memcmp(a->report->report_id_ma, none, sizeof none) != 0)
        return check_fail(c, "none", NULL, "the report names one");
    return check_pass(c, allowed ? "the policy allows one" : "none");
}

int check_policy_vmpl(const struct appraisal *a, struct tst_check *c)
{
    char want[32] = "";
    size_t len = 0;
    if (a->report->vmpl < 8 && (a->policy->vmpls & 1u << a->report->vmpl))
        return check_pass(c, "%u", a->report->vmpl);
    for (unsigned i = 0; i < 8; i++)
        if (a->policy->vmpls & 1u << i)
            len += (size_t)snprintf(want + len, sizeof want - len, "%s%u", len ? " or " : "", i);
    return check_fail(c, want, NULL, "%u", a->report->vmpl);
}

int check_policy_chip(const struct appraisal *a, struct tst_check *c)
{
    char chip[2 * TST_SNP_CHIP_BYTES + 1];
    tst_hex(a->report->chip_id, TST_SNP_CHIP_BYTES, chip);
    if (a->policy->chip_count == 0)
        return check_pass(c, "any chip");
    for (size_t i = 0; i < a->policy->chip_count; i++)
        if (memcmp(a->policy->chips[i].id, a->report->chip_id, TST_SNP_CHIP_BYTES) == 0)
            return check_pass(c, "%s", chip);
    return check_fail(c, "a chip of the policy", "name the chip under chips, if you accept it", "%s", chip);
}

int check_policy_level(const struct appraisal *a, struct tst_check *c)
{
    enum tst_level reached = a->reference ? a->reference->level : TST_LEVEL_NONE;
    if (reached >= a->policy->level)
        return check_pass(c, "%s", tst_level_name(reached));
    const char *fix = reached == TST_LEVEL_NONE ? "no reference value matched"
                                                : "use an image whose kernel, initrd and command line are measured";
    return check_fail(c, tst_level_name(a->policy->level), fix, "%s", tst_level_name(reached));
}
