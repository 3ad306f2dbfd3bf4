/* SPDX-License-Identifier: Apache-2.0 */
/* unit/platform/machine.c - machine.h is the contract. */
#include "machine.h"

const char *const machine_names[] = {"naples-host", "rome-host",   "milan-host", "genoa-host", "turin-host",
                                     "study-guest", "snp-guest", "laptop",     NULL};

char *machine_file(const char *name, const char *ending, size_t *n)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/tests/unit/platform/machines/%s%s", SOURCE_ROOT, name, ending);
    FILE *f = fopen(path, "rb");
    char *text = calloc(1, PLATFORM_MACHINE_MAX);

    if (!f)
        fail_msg("%s: %s", path, "cannot be opened");
    *n = fread(text, 1, PLATFORM_MACHINE_MAX - 1, f);
    fclose(f);
    return text;
}

json_t *machine_json(const char *name)
{
    size_t n;
    TST_AUTO_STR text = machine_file(name, ".json", &n);
    json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(o);
    return o;
}

struct platform *machine_of_json(const json_t *description)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR text = json_dumps(description, 0);
    struct platform *p = NULL;

    if (platform_parse_machine("changed.json", text, strlen(text), &p, &err) < 0)
        fail_msg("%s", err->text);
    return p;
}

struct ready_report *report_of(const struct platform *p, enum ready_place asked, enum ready_generation wanted)
{
    const struct ready_in in = {.platform = p, .asked = asked, .wanted = wanted};
    TST_AUTO_ERROR err = NULL;
    struct ready_report *r = NULL;

    if (ready_run(&in, &r, &err) < 0)
        fail_msg("%s", err->text);
    return r;
}

const struct ready_result *result_named(const struct ready_report *r, const char *id)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->results[i].check->id, id) == 0)
            return &r->results[i];
    fail_msg("no check %s", id);
    return NULL;
}

char *report_text(const struct ready_report *r)
{
    struct tst_buf b = {0};

    tst_buf_printf(&b, NULL, "stands: %s\nfor: %s\nexit status: %d\n", ready_place_name(r->standing.place),
                   ready_generation_name(r->wanted), ready_exit_status(r));
    for (size_t i = 0; i < r->standing.evidence_count; i++)
        tst_buf_printf(&b, NULL, "sign: %s\n", r->standing.evidence[i]);
    for (size_t i = 0; i < r->count; i++)
        tst_buf_printf(&b, NULL, "%s %s: %s\n", ready_outcome_name(r->results[i].outcome), r->results[i].check->id,
                       r->results[i].found ? r->results[i].found : "");
    return (char *)b.p;
}
