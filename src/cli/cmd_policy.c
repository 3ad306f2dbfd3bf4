/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_policy.c - `testudo policy floors`: the shipped TCB floors with date and source; `testudo policy lint`: what is
 * wrong with a policy, and what in it is legal and still deserves a look. */
#include <stdlib.h>
#include <time.h>

#include "cli/evidence_input.h"

/* ---- floors ---- */
static bool set_exists(const char *set)
{
    size_t count = 0;
    const struct tst_floor_row *rows = tst_floor_rows(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].set, set) == 0)
            return true;
    return false;
}

static bool same_cpu(const struct tst_floor_row *a, const struct tst_floor_row *b)
{
    return a->product == b->product && strcmp(a->cpu, b->cpu) == 0 && a->family == b->family && a->model_first == b->model_first &&
           a->stepping_first == b->stepping_first;
}

static void print_floors(const char *set)
{
    size_t count = 0;
    const struct tst_floor_row *rows = tst_floor_rows(&count), *before = NULL;
    printf("TCB floors, set %s; a policy takes them with `floors: %s`\n\n", set, set);
    printf("%-8s %-15s %-22s %-11s %7s  %-10s  %s\n", "product", "CPU", "family/model/stepping", "component", "minimum", "date", "source");
    for (size_t i = 0; i < count; i++) {
        const struct tst_floor_row *r = &rows[i];
        char cpu[32] = "";
        bool again = before && same_cpu(before, r);
        if (strcmp(r->set, set) != 0)
            continue;
        if (!again)
            snprintf(cpu, sizeof cpu, "%02x / %02x-%02x / %x-%x", r->family, r->model_first, r->model_last, r->stepping_first, r->stepping_last);
        printf("%-8s %-15s %-22s %-11s %7u  %-10s  %s\n", again ? "" : tst_snp_product_name(r->product), again ? "" : r->cpu, cpu,
               r->component, r->minimum, r->date, r->source);
        before = r;
    }
    puts("\nfamily, model and stepping are hexadecimal, minimum is decimal; a component without a row has no floor");
}

static json_t *cpu_json(const struct tst_floor_row *r)
{
    return json_pack("{s:s, s:s, s:i, s:[i,i], s:[i,i], s:{}}", "product", tst_snp_product_name(r->product), "cpu", r->cpu, "family",
                     r->family, "models", r->model_first, r->model_last, "steppings", r->stepping_first, r->stepping_last, "components");
}

static int floors_json(const char *set, json_t *list)
{
    size_t count = 0;
    const struct tst_floor_row *rows = tst_floor_rows(&count), *before = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct tst_floor_row *r = &rows[i];
        if (strcmp(r->set, set) != 0)
            continue;
        if ((!before || !same_cpu(before, r)) && json_array_append_new(list, cpu_json(r)) < 0)
            return -1;
        json_t *cpu = json_array_get(list, json_array_size(list) - 1);
        if (json_object_set_new(json_object_get(cpu, "components"), r->component,
                                json_pack("{s:i, s:s, s:s}", "minimum", r->minimum, "date", r->date, "source", r->source)) < 0)
            return -1;
        before = r;
    }
    return 0;
}

static int policy_floors(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    const char *set = cli_value(self, args, "--set");
    if (!set)
        set = tst_floor_newest();
    if (!set_exists(set)) {
        tst_fail(err, TST_NOT_FOUND, "no set of floors '%s'", set);
        return tst_hint(err, tst_floor_newest(), set, "sets are named after their month; this one is the newest");
    }
    if (!cli_value(self, args, "--json")) {
        print_floors(set);
        return 0;
    }
    TST_AUTO_JSON list = json_array();
    TST_AUTO_JSON o = json_pack("{s:s, s:b, s:O}", "set", set, "newest", strcmp(set, tst_floor_newest()) == 0, "floors", list);
    if (!o || floors_json(set, list) < 0)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    cli_print_json(o);
    return 0;
}

const struct cli_command cmd_policy_floors = {
    .name = "policy floors",
    .operands = "",
    .summary = "print the lowest TCB per CPU that a dated set demands, with date and source of each number",
    .exits = "0 done, 2 there is no such set",
    .options =
        {
            {"--set", "YYYY-MM", "which set (default: the newest)"},
            {"--json", NULL, "print as JSON"},
        },
    .run = policy_floors,
};

/* ---- lint ---- */
struct place {
    unsigned line, column;
};

/* Where the key stands; floors says what tcb says. The file was read a moment ago: if it cannot be read any more, its start. */
static struct place place_of(const struct tst_yaml *root, const char *key)
{
    for (const struct tst_yaml *v = root ? root->child : NULL; v; v = v->next)
        if (strcmp(v->key, key) == 0 || (strcmp(key, "tcb") == 0 && strcmp(v->key, "floors") == 0))
            return (struct place){v->key_line, v->key_column};
    return (struct place){1, 1};
}

static int remark_json(json_t *list, const char *path, struct place at, const struct tst_policy_remark *r)
{
    return json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:s, s:s, s:s}", "file", path, "line", (int)at.line, "column",
                                                 (int)at.column, "key", r->key, "warning", r->text, "advice", r->advice));
}

static int print_remarks(const char *path, const struct tst_yaml *root, const struct tst_policy_remark *list, size_t count,
                         const char *name, bool json, struct tst_error **err)
{
    TST_AUTO_JSON all = json_array();
    for (size_t i = 0; i < count; i++) {
        struct place at = place_of(root, list[i].key);
        if (json && remark_json(all, path, at, &list[i]) < 0)
            return tst_fail(err, TST_INTERNAL, "out of memory");
        if (!json)
            printf("%s:%u:%u: warning: %s: %s\n    to do: %s\n", path, at.line, at.column, list[i].key, list[i].text, list[i].advice);
    }
    if (json) {
        TST_AUTO_JSON o = json_pack("{s:s, s:s, s:O}", "file", path, "policy", name, "warnings", all);
        if (!o)
            return tst_fail(err, TST_INTERNAL, "out of memory");
        cli_print_json(o);
    } else
        printf("%s: policy %s is readable, %zu warning%s\n", path, name, count, count == 1 ? "" : "s");
    return 0;
}

static int policy_lint(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    const char *path = args->rest[0], *at = cli_value(self, args, "--at");
    TST_AUTO_POLICY policy = NULL;
    TST_AUTO_STR text = NULL;
    TST_AUTO_YAML root = NULL;
    struct tst_policy_remark *remarks = NULL;
    size_t n = 0, count = 0;
    time_t now = time(NULL);

    int rc = at ? tst_time_parse(at, &now, err) : 0;
    if (rc < 0)
        return tst_wrap(err, "--at");
    rc = evidence_policy(path, &policy, err);
    if (rc == 0)
        rc = cli_read_file(path, TST_YAML_MAX_BYTES, &text, &n, err);
    if (rc == 0)
        rc = tst_yaml_parse(path, text, n, &root, err);
    if (rc == 0)
        rc = tst_policy_lint(policy, now, &remarks, &count, err);
    if (rc == 0)
        rc = print_remarks(path, root, remarks, count, tst_policy_name(policy), cli_value(self, args, "--json") != NULL, err);
    tst_policy_remarks_free(remarks, count);
    return rc < 0 ? rc : cli_value(self, args, "--strict") && count ? tst_exit_status(TST_REFUTED) : 0;
}

const struct cli_command cmd_policy_lint = {
    .name = "policy lint",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "read a policy and its includes; warn of what it leaves open, and of what is out of date",
    .exits = "0 readable, 1 with --strict: there are warnings, 2 not readable (FILE:LINE:COLUMN says where)",
    .options =
        {
            {"--at", "RFC3339", "judge expiry dates as of this time (default: now)"},
            {"--strict", NULL, "exit 1 when there is a warning"},
            {"--json", NULL, "print as JSON"},
        },
    .run = policy_lint,
};
