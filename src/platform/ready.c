/* SPDX-License-Identifier: Apache-2.0 */
/* platform/ready.c - the run: stand, choose, judge every row of the table once, in order; nothing is left out of the list. */
#include "platform/checks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    enum ready_generation generation;
    const char *name, *title;
} generations[] = {{READY_SEV, "sev", "SEV"}, {READY_ES, "es", "SEV-ES"}, {READY_SNP, "snp", "SEV-SNP"}};

const char *ready_generation_name(enum ready_generation g)
{
    for (size_t i = 0; i < TST_COUNT(generations); i++)
        if (generations[i].generation == g)
            return generations[i].name;
    return "none";
}

const char *ready_generation_title(enum ready_generation g)
{
    for (size_t i = 0; i < TST_COUNT(generations); i++)
        if (generations[i].generation == g)
            return generations[i].title;
    return "none";
}

bool ready_generation_of(const char *name, enum ready_generation *out)
{
    for (size_t i = 0; i < TST_COUNT(generations); i++)
        if (strcmp(generations[i].name, name) == 0) {
            *out = generations[i].generation;
            return true;
        }
    return false;
}

const char *ready_place_name(enum ready_place p)
{
    static const char *const names[] = {
        [READY_NOWHERE] = "unknown", [READY_HOST] = "host", [READY_GUEST] = "guest", [READY_ANYWHERE] = "host or guest"};
    return names[p];
}

const char *ready_need_name(enum ready_need n)
{
    static const char *const names[] = {
        [READY_REQUIRED] = "required", [READY_RECOMMENDED] = "recommended", [READY_OPTIONAL] = "optional"};
    return names[n];
}

const char *ready_outcome_name(enum ready_outcome o)
{
    static const char *const names[] = {[READY_PASS] = "pass",
                                        [READY_FAIL] = "fail",
                                        [READY_WARN] = "warn",
                                        [READY_UNKNOWN] = "unknown",
                                        [READY_NA] = "not-applicable"};
    return names[o];
}

/* ---- --only and --skip ---- */
/* "cpu.sev" names itself, "cpu" every id that starts with "cpu.". */
static bool word_names(const char *word, size_t n, const char *id)
{
    return strncmp(word, id, n) == 0 && (id[n] == '\0' || id[n] == '.');
}

static bool list_names_id(const char *list, const char *id)
{
    for (const char *w = list; w && *w;) {
        size_t n = strcspn(w, ",");
        if (n && word_names(w, n, id))
            return true;
        w += n + (w[n] == ',');
    }
    return false;
}

static int list_check(const char *option, const char *list, struct tst_error **err)
{
    size_t count;
    const struct ready_check *table = ready_checks(&count);
    for (const char *w = list; w && *w;) {
        size_t n = strcspn(w, ","), i = 0;
        while (n && i < count && !word_names(w, n, table[i].id))
            i++;
        if (!n || i == count) {
            tst_fail(err, TST_USAGE, "%s: no check '%.*s'", option, (int)n, w);
            return tst_hint(err, NULL, NULL, "`testudo check --list` prints the ids; several are separated by commas");
        }
        w += n + (w[n] == ',');
    }
    return 0;
}

/* ---- facts that several checks need ---- */
static void keep_error(struct tst_error **err, char **why, char **fix)
{
    *why = *err ? strdup((*err)->text) : NULL;
    *fix = *err && (*err)->fix ? strdup((*err)->fix) : NULL;
    tst_error_free(*err);
    *err = NULL;
}

static void ask_firmware(struct ready_ctx *c)
{
    struct tst_error *err = NULL;
    c->sev_rc = sev_platform_status(c->p, &c->sev, &err);
    keep_error(&err, &c->sev_why, &c->sev_fix);
    if (c->wanted != READY_SNP)
        return;
    c->snp_rc = snp_platform_status(c->p, &c->snp, &err);
    keep_error(&err, &c->snp_why, &c->snp_fix);
}

static enum ready_generation highest(uint64_t bits, const unsigned bit[3])
{
    return bits >> bit[2] & 1 ? READY_SNP : bits >> bit[1] & 1 ? READY_ES : bits >> bit[0] & 1 ? READY_SEV : 0;
}

/* Host: what its CPU is made for, so that a switch left off in BIOS shows. Guest: what it runs under. */
static enum ready_generation wanted_by_default(const struct platform *p, enum ready_place place)
{
    static const unsigned leaf_bits[3] = {1, 3, 4}, status_bits[3] = {0, 1, 2};
    struct ready_cpu cpu;
    struct cpuid_regs leaf;
    uint64_t status;
    const char *name;
    enum ready_generation g = 0;
    if (place == READY_GUEST) {
        g = p->rdmsr(p, 0, MSR_SEV_STATUS, &status) >= 0 ? highest(status, status_bits) : 0;
        return g ? g : READY_SEV;
    }
    cpu_read(p, &cpu);
    g = cpu_generation(&cpu, &name);
    if (!g && platform_cpuid(p, LEAF_SEV, &leaf) >= 0)
        g = highest(leaf.eax, leaf_bits);
    return g ? g : READY_SNP;
}

/* ---- the run ---- */
static const struct ready_result *result_of(const struct ready_report *r, const char *id)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->results[i].check->id, id) == 0)
            return &r->results[i];
    return NULL;
}

/* true: the result says why this check is not run. */
static bool passed_over(const struct ready_in *in, const struct ready_report *report, struct ready_result *r)
{
    const struct ready_check *c = r->check;
    const struct ready_result *base = c->needs ? result_of(report, c->needs) : NULL;
    if (in->only && *in->only && !list_names_id(in->only, c->id))
        set_na(r, "not named by --only");
    else if (list_names_id(in->skip, c->id))
        set_na(r, "skipped by --skip");
    else if (report->judged == READY_NOWHERE && report->wrong_place)
        set_na(r, "asked for a %s, and this is a %s", ready_place_name(in->asked), ready_place_name(report->standing.place));
    else if (report->judged == READY_NOWHERE)
        set_na(r, "whether this is a host or a guest cannot be told");
    else if (!(c->place & report->judged))
        set_na(r, "only on a %s", ready_place_name((enum ready_place)c->place));
    else if (!(c->generations & report->wanted))
        set_na(r, "not for %s", ready_generation_title(report->wanted));
    else if (base && (base->outcome == READY_FAIL || base->outcome == READY_WARN || base->blocked)) {
        r->blocked = true;
        set_na(r, "because %s %s", c->needs, base->blocked ? "does not apply" : "failed");
    } else
        return false;
    return true;
}

static void default_texts(struct ready_result *r)
{
    bool to_do = r->outcome == READY_FAIL || r->outcome == READY_WARN || r->outcome == READY_UNKNOWN;
    if (!to_do) {
        set_fix(r, NULL);
        if (r->outcome == READY_NA) {
            free(r->wanted);
            r->wanted = NULL;
        }
        return;
    }
    if (!r->wanted && r->check->wanted)
        r->wanted = strdup(r->check->wanted);
    if (!r->fix && r->check->fix)
        r->fix = strdup(r->check->fix);
}

static void judge(struct ready_ctx *c, struct ready_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        struct ready_result *r = &report->results[i];
        if (!passed_over(c->in, report, r)) {
            r->check->run(c, r);
            default_texts(r);
        }
        report->outcomes[r->outcome]++;
        report->required_failed += r->outcome == READY_FAIL;
        report->required_unknown += r->outcome == READY_UNKNOWN && r->check->need == READY_REQUIRED;
    }
}

static void choose_place(const struct ready_in *in, struct ready_report *r)
{
    enum ready_place here = r->standing.place;
    r->wrong_place = here != READY_NOWHERE && in->asked != READY_ANYWHERE && in->asked != here;
    r->standing.user_said = here == READY_NOWHERE && in->asked != READY_ANYWHERE;
    r->judged = r->wrong_place ? READY_NOWHERE : r->standing.user_said ? in->asked : here;
}

static struct ready_report *report_new(void)
{
    size_t count;
    const struct ready_check *table = ready_checks(&count);
    struct ready_report *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->results = calloc(count, sizeof *r->results);
    if (!r->results) {
        free(r);
        return NULL;
    }
    r->count = count;
    for (size_t i = 0; i < count; i++)
        r->results[i].check = &table[i];
    return r;
}

int ready_run(const struct ready_in *in, struct ready_report **out, struct tst_error **err)
{
    int rc = list_check("--only", in->only, err);
    if (rc == 0)
        rc = list_check("--skip", in->skip, err);
    if (rc < 0)
        return rc;
    AUTO_READY r = report_new();
    if (!r)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    ready_stand(in->platform, &r->standing);
    choose_place(in, r);
    r->wanted_by_default = in->wanted == 0;
    r->wanted = in->wanted ? in->wanted : wanted_by_default(in->platform, r->judged);
    struct ready_ctx c = {.p = in->platform, .in = in, .wanted = r->wanted};
    cpu_read(in->platform, &c.cpu);
    if (r->judged == READY_HOST)
        ask_firmware(&c);
    judge(&c, r);
    free(c.sev_why);
    free(c.sev_fix);
    free(c.snp_why);
    free(c.snp_fix);
    *out = TST_STEAL(r);
    return 0;
}

int ready_exit_status(const struct ready_report *r)
{
    if (r->required_failed)
        return tst_exit_status(TST_REFUTED);
    bool nothing_judged = r->outcomes[READY_NA] == r->count;
    return nothing_judged || r->required_unknown ? tst_exit_status(TST_UNDECIDABLE) : 0;
}

void ready_report_free(struct ready_report *r)
{
    if (!r)
        return;
    ready_standing_clear(&r->standing);
    for (size_t i = 0; i < r->count; i++) {
        free(r->results[i].found);
        free(r->results[i].wanted);
        free(r->results[i].fix);
    }
    free(r->results);
    free(r);
}

/* ---- JSON ---- */
static json_t *result_json(const struct ready_result *r)
{
    const struct ready_check *c = r->check;
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s*,s:s*,s:s*}", "id", c->id, "title", c->title, "meaning", c->meaning,
                     "source", c->source, "place", ready_place_name((enum ready_place)c->place), "need", ready_need_name(c->need),
                     "outcome", ready_outcome_name(r->outcome), "found", r->found, "wanted", r->wanted, "fix", r->fix);
}

static const char *verdict_word(const struct ready_report *r)
{
    int status = ready_exit_status(r);
    return status == 0 ? "ready" : status == tst_exit_status(TST_REFUTED) ? "not-ready" : "undecidable";
}

static int append_all(json_t *list, const struct ready_report *r, json_t *evidence)
{
    for (size_t i = 0; i < r->count; i++)
        if (json_array_append_new(list, result_json(&r->results[i])) < 0)
            return -1;
    for (size_t i = 0; i < r->standing.evidence_count; i++)
        if (json_array_append_new(evidence, json_string(r->standing.evidence[i])) < 0)
            return -1;
    return 0;
}

int ready_json(const struct platform *p, const struct ready_report *r, json_t **out, struct tst_error **err)
{
    TST_AUTO_JSON list = json_array();
    TST_AUTO_JSON evidence = json_array();
    if (!list || !evidence || append_all(list, r, evidence) < 0)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    *out = json_pack("{s:s,s:b,s:s*,s:s,s:b,s:O,s:s,s:s,s:b,s:O,s:s,s:i}", "machine", p->name, "constructed", p->from != NULL,
                     "from", p->from, "stands", ready_place_name(r->standing.place), "contradiction", r->standing.contradiction,
                     "evidence", evidence, "judged", ready_place_name(r->judged), "for", ready_generation_name(r->wanted),
                     "for-default", r->wanted_by_default, "checks", list, "verdict", verdict_word(r), "exit-status",
                     ready_exit_status(r));
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}
