/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/verdict_json.c - a verdict as JSON, every check listed. Digests and ids are hexadecimal, as in policies. */
#include <testudo/appraise.h>

static int no_memory(struct tst_error **err)
{
    return tst_fail(err, TST_INTERNAL, "out of memory");
}

static const char *outcome_name(enum tst_outcome o)
{
    static const char *const names[] = {
        [TST_CHECK_PASS] = "pass", [TST_CHECK_FAIL] = "fail", [TST_CHECK_MISSING] = "missing", [TST_CHECK_SKIP] = "skip",
        [TST_CHECK_WARN] = "warn"};
    return names[o];
}

static json_t *check_json(const struct tst_check *c)
{
    return json_pack("{s:s, s:s, s:b, s:s, s:s, s:s*, s:s*, s:s*}", "id", c->info->id, "outcome", outcome_name(c->outcome),
                     "authenticity", c->info->authenticity, "meaning", c->info->meaning, "source", c->info->source, "expected",
                     c->expected, "found", c->found, "fix", c->fix);
}

static int tcb_json(json_t *o, const char *key, enum tst_snp_product product, const uint8_t raw[8], struct tst_error **err)
{
    struct tst_snp_tcb t = tst_snp_tcb_of(product, raw);
    TST_AUTO_JSON tcb = json_pack("{s:i, s:i, s:i, s:i}", "bootloader", t.bootloader, "tee", t.tee, "snp", t.snp, "microcode",
                                  t.microcode);
    if (!tcb || (t.has_fmc && json_object_set_new(tcb, "fmc", json_integer(t.fmc)) < 0))
        return no_memory(err);
    return json_object_set(o, key, tcb) < 0 ? no_memory(err) : 0;
}

static int report_bytes(const struct tst_snp_report *r, json_t *o, struct tst_error **err)
{
    const struct {
        const char *key;
        const uint8_t *p;
        size_t n;
    } fields[] = {
        {"measurement", r->measurement, sizeof r->measurement}, {"report-data", r->report_data, sizeof r->report_data},
        {"host-data", r->host_data, sizeof r->host_data},       {"report-id", r->report_id, sizeof r->report_id},
        {"chip-id", r->chip_id, sizeof r->chip_id},
    };
    for (size_t i = 0; i < TST_COUNT(fields); i++) {
        int rc = tst_json_set_hex(o, fields[i].key, fields[i].p, fields[i].n, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int report_json(const struct tst_verdict *v, json_t **out, struct tst_error **err)
{
    const struct tst_snp_report *r = &v->report;
    uint8_t policy[8];
    for (unsigned i = 0; i < sizeof policy; i++)
        policy[i] = (uint8_t)(r->policy >> (56 - 8 * i));
    TST_AUTO_JSON o = json_pack("{s:I, s:I, s:I}", "version", (json_int_t)r->version, "vmpl", (json_int_t)r->vmpl, "guest-svn",
                                (json_int_t)r->guest_svn);
    int rc = o ? tst_json_set_hex(o, "policy", policy, sizeof policy, err) : no_memory(err);
    if (rc == 0)
        rc = report_bytes(r, o, err);
    if (rc == 0 && v->product)
        rc = tcb_json(o, "reported-tcb", v->product, r->reported_tcb, err);
    if (rc == 0 && v->product)
        rc = tcb_json(o, "committed-tcb", v->product, r->committed_tcb, err);
    if (rc == 0 && v->product)
        rc = tcb_json(o, "current-tcb", v->product, r->current_tcb, err);
    if (rc == 0 && v->product)
        rc = tcb_json(o, "launch-tcb", v->product, r->launch_tcb, err);
    if (rc == 0)
        *out = TST_STEAL(o);
    return rc;
}

static json_t *summary_json(const struct tst_verdict *v)
{
    const char *acpi = v->acpi < 0 ? NULL : v->acpi ? "confined" : "trusts-host";
    return json_pack("{s:s, s:s, s:b, s:b, s:s?, s:s?, s:s, s:i, s:I}", "outcome", outcome_name(v->outcome), "level",
                     tst_level_name(v->level), "simulated", v->simulated, "policy-given", v->policy_given, "acpi", acpi,
                     "reference", v->reference, "product", tst_snp_product_name(v->product), "exit-status",
                     tst_verdict_exit_status(v), "warnings", (json_int_t)v->warning_count);
}

int tst_verdict_json(const struct tst_verdict *v, json_t **out, struct tst_error **err)
{
    json_t *report = NULL;
    TST_AUTO_JSON o = summary_json(v);
    TST_AUTO_JSON checks = json_array();
    if (!o || !checks)
        return no_memory(err);
    for (size_t i = 0; i < v->check_count; i++)
        if (json_array_append_new(checks, check_json(&v->checks[i])) < 0)
            return no_memory(err);
    if (v->report_parsed) {
        int rc = report_json(v, &report, err);
        if (rc < 0)
            return rc;
    }
    if (json_object_set_new(o, "report", report ? report : json_null()) < 0 || json_object_set(o, "checks", checks) < 0)
        return no_memory(err);
    *out = TST_STEAL(o);
    return 0;
}
