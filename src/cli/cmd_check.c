/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_check.c - `testudo check`: says where it stands (host or guest), then judges what matters there. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "platform/domcaps.h"
#include "platform/ready.h"

#define ID_COLUMNS 27

static const char *mark(enum ready_outcome o)
{
    static const char *const marks[] = {
        [READY_PASS] = "ok", [READY_FAIL] = "FAIL", [READY_WARN] = "warn", [READY_UNKNOWN] = "?", [READY_NA] = "-"};
    return marks[o];
}

static void print_standing(const struct platform *p, const struct ready_report *r)
{
    const struct ready_standing *s = &r->standing;
    if (p->from)
        printf("machine: constructed from %s (%s)\n", p->from, p->name);
    else
        printf("machine: %s\n", p->name);
    printf("stands:  %s%s\n", ready_place_name(s->place), s->contradiction ? ": the signs contradict each other" : "");
    for (size_t i = 0; i < s->evidence_count; i++)
        printf("         %s\n", s->evidence[i]);
    if (s->user_said)
        printf("judged:  as a %s, because you say so\n", ready_place_name(r->judged));
    if (r->judged == READY_NOWHERE)
        putchar('\n');
    else
        printf("for:     %s%s\n\n", ready_generation_title(r->wanted),
               !r->wanted_by_default            ? ""
               : r->judged == READY_GUEST ? " (the most that is seen to be active, else SEV; --for asks for more)"
                                                : " (what this CPU is made for; --for asks for less)");
}

static void print_detail(const char *what, const char *text)
{
    if (text)
        printf("  %-5s%-*s%s: %s\n", "", ID_COLUMNS, "", what, text);
}

/* Checks of the other place, or of other generations, are counted, not printed: --json lists them too. */
static void print_results(const struct ready_report *r)
{
    size_t elsewhere = 0, beyond = 0;
    const char *last_fix = NULL;
    for (size_t i = 0; i < r->count; i++) {
        const struct ready_result *c = &r->results[i];
        if (!(c->check->place & r->judged)) {
            elsewhere++;
            continue;
        }
        if (!(c->check->generations & r->wanted)) {
            beyond++;
            continue;
        }
        printf("  %-5s%-*s%s\n", mark(c->outcome), ID_COLUMNS, c->check->id, c->found ? c->found : "");
        if (c->outcome == READY_PASS || c->outcome == READY_NA)
            continue;
        print_detail("means", c->check->meaning);
        print_detail("wanted", c->wanted);
        if (!last_fix || !c->fix || strcmp(last_fix, c->fix) != 0)
            print_detail("to do", c->fix);
        last_fix = c->fix;
    }
    if (beyond)
        printf("  %-5s%zu checks are not for %s (--for)\n", "-", beyond, ready_generation_title(r->wanted));
    if (elsewhere)
        printf("  %-5s%zu checks for a %s do not apply here\n", "-", elsewhere,
               ready_place_name(r->judged == READY_HOST ? READY_GUEST : READY_HOST));
}

static void print_nowhere(const struct ready_in *in, const struct ready_report *r)
{
    if (r->wrong_place)
        printf("verdict: undecidable. You asked about a %s, and this is a %s: whether a %s is ready cannot be seen from here.\n"
               "  to do: run `testudo check %s` on the %s itself%s\n",
               ready_place_name(in->asked), ready_place_name(r->standing.place), ready_place_name(in->asked),
               ready_place_name(in->asked), ready_place_name(in->asked),
               r->standing.place == READY_GUEST ? ", or `testudo check` for this guest" : "");
    else
        puts("verdict: undecidable. Whether this is a host or a guest cannot be told.\n"
             "  to do: say it, `testudo check host` or `testudo check guest`");
}

static void print_verdict(const struct ready_report *r)
{
    const size_t *n = r->outcomes;
    int status = ready_exit_status(r);
    const char *title = ready_generation_title(r->wanted), *place = ready_place_name(r->judged);
    printf("\n%zu ok, %zu failed, %zu warnings, %zu unknown, %zu not applicable\n", n[READY_PASS], n[READY_FAIL], n[READY_WARN],
           n[READY_UNKNOWN], n[READY_NA]);
    if (status == 0)
        printf("verdict: this %s is ready for %s%s\n", place, title, n[READY_WARN] ? ", with warnings" : "");
    else if (r->required_failed)
        printf("verdict: this %s is not ready for %s: %zu required check%s failed\n", place, title, r->required_failed,
               r->required_failed == 1 ? "" : "s");
    else
        printf("verdict: undecidable: %zu required check%s of this %s could not be made\n", r->required_unknown,
               r->required_unknown == 1 ? "" : "s", place);
}

/* ---- --list ---- */
static void generations_text(unsigned g, char out[32])
{
    snprintf(out, 32, "%s%s%s", g & READY_SEV ? "sev " : "", g & READY_ES ? "es " : "", g & READY_SNP ? "snp" : "");
}

static int list_json(struct tst_error **err)
{
    TST_AUTO_JSON list = json_array();
    size_t count;
    const struct ready_check *table = ready_checks(&count);
    for (size_t i = 0; i < count; i++) {
        char generations[32];
        generations_text(table[i].generations, generations);
        json_t *row = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "id", table[i].id, "title", table[i].title, "meaning", table[i].meaning,
                                "place", ready_place_name((enum ready_place)table[i].place), "for", generations, "need",
                                ready_need_name(table[i].need), "source", table[i].source);
        if (!row || json_array_append_new(list, row) < 0)
            return tst_fail(err, TST_INTERNAL, "out of memory");
    }
    cli_print_json(list);
    return 0;
}

static int list_checks(bool json, struct tst_error **err)
{
    size_t count;
    const struct ready_check *table = ready_checks(&count);
    if (json)
        return list_json(err);
    for (size_t i = 0; i < count; i++) {
        char generations[32];
        generations_text(table[i].generations, generations);
        printf("%-*s%-15s%-12s%-12s%s\n", ID_COLUMNS, table[i].id, ready_place_name((enum ready_place)table[i].place), generations,
               ready_need_name(table[i].need), table[i].meaning);
    }
    return 0;
}

/* ---- the command ---- */
static int read_options(const struct cli_command *self, const struct cli_args *args, struct ready_in *in, struct tst_error **err)
{
    const char *place = args->rest_count ? args->rest[0] : "auto", *generation = cli_value(self, args, "--for");
    in->only = cli_value(self, args, "--only");
    in->skip = cli_value(self, args, "--skip");
    in->asked = strcmp(place, "host") == 0 ? READY_HOST : strcmp(place, "guest") == 0 ? READY_GUEST : READY_ANYWHERE;
    if (in->asked == READY_ANYWHERE && strcmp(place, "auto") != 0)
        return tst_fail(err, TST_USAGE, "check: '%s' is none of host, guest, auto", place);
    if (generation && !ready_generation_of(generation, &in->wanted))
        return tst_fail(err, TST_USAGE, "--for %s: expected sev, es or snp", generation);
    return 0;
}

static int show(const struct platform *p, const struct ready_in *in, const struct ready_report *r, bool json, struct tst_error **err)
{
    TST_AUTO_JSON o = NULL;
    if (json) {
        int rc = ready_json(p, r, &o, err);
        if (rc < 0)
            return rc;
        cli_print_json(o);
        return ready_exit_status(r);
    }
    print_standing(p, r);
    if (r->judged == READY_NOWHERE) {
        print_nowhere(in, r);
        return ready_exit_status(r);
    }
    print_results(r);
    print_verdict(r);
    return ready_exit_status(r);
}

static int check(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_PLATFORM p = NULL;
    AUTO_READY report = NULL;
    TST_AUTO_STR domcaps = NULL;
    struct ready_in in = {.asked = READY_ANYWHERE};
    bool json = cli_value(self, args, "--json") != NULL;
    if (cli_value(self, args, "--list"))
        return list_checks(json, err);
    int rc = read_options(self, args, &in, err);
    if (rc == 0 && cli_value(self, args, "--domcapabilities"))
        rc = cli_read_file(cli_value(self, args, "--domcapabilities"), DOMCAPS_MAX, &domcaps, &in.domcaps_n, err);
    if (rc == 0)
        rc = platform_open(cli_value(self, args, "--root"), &p, err);
    in.platform = p;
    in.domcaps = domcaps;
    if (rc == 0)
        rc = ready_run(&in, &report, err);
    return rc ? rc : show(p, &in, report, json, err);
}

const struct cli_command cmd_check = {
    .name = "check",
    .operands = "[host|guest|auto]",
    .max_operands = 1,
    .summary = "is this machine ready for encrypted guests, or is this guest encrypted? Finds out first where it stands",
    .exits = "0 ready, 1 a required check failed, 2 bad usage or input, 3 something required cannot be seen",
    .options =
        {
            {"--for", "GENERATION", "sev, es or snp (default: what the CPU is made for; in a guest what is active)"},
            {"--only", "IDS", "judge these checks, or groups (cpu, fw, kvm ...), only"},
            {"--skip", "IDS", "leave these checks, or groups, out"},
            {"--root", "FILE|FOLDER", "a machine described in a file, or a folder that stands for /"},
            {"--domcapabilities", "FILE", "what `virsh domcapabilities` said, instead of running it"},
            {"--list", NULL, "list all checks and what they mean, and judge nothing"},
            {"--json", NULL, "print every check as JSON"},
        },
    .run = check,
};
