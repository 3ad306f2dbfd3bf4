/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_collateral.c - testudo collateral fetch|import|export|list|refresh: certificates and revocation lists kept on disk,
 * so that appraising asks nobody, and AMD's service is asked once for a whole cluster. Format and rules: docs/collateral.md. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <testudo/container.h>

#include "cli/cli.h"
#include "collateral/fs.h"
#include "collateral/kds.h"

#define STORE_ENV "TESTUDO_COLLATERAL"
#define WAIT_MAX_S 86400

/* ---- options that several share ---- */
#define STORE_OPTIONS                                                                                          \
    {"--store", "DIR", "the store (default: $" STORE_ENV ", else " COLLATERAL_DEFAULT_DIR ")"},                \
        {"--root", "HEX[,HEX]", "root keys of simulators to accept besides AMD's (SPKI SHA-256)"},             \
        {"--at", "RFC3339", "judge certificates as of this time (default: now)"}, {"--json", NULL, "print JSON"}
#define KDS_OPTIONS                                                                                            \
    {"--base-url", "URL", "ask this mirror instead of " TST_KDS_BASE},                                         \
        {"--wait", "SECONDS", "give up after this long (default 120; 0: one try)"},                            \
        {"--retry", NULL, "ask again for what the service said it does not have"}

static int read_roots(struct collateral_store *s, const char *list, struct tst_error **err)
{
    TST_AUTO_STR copy = strdup(list ? list : "");
    char *save = NULL;
    int rc = copy ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
    for (char *hex = copy ? strtok_r(copy, ",", &save) : NULL; rc == 0 && hex; hex = strtok_r(NULL, ",", &save)) {
        uint8_t spki[TST_SHA256_BYTES];
        rc = tst_unhex(hex, spki, sizeof spki, err);
        rc = rc ? tst_wrap(err, "--root %.80s", hex) : collateral_trust_root(s, spki, err);
    }
    return rc;
}

static int open_store(const struct cli_command *self, const struct cli_args *args, bool make, struct collateral_store **out,
                      time_t *now, struct tst_error **err)
{
    const char *dir = cli_value(self, args, "--store"), *at = cli_value(self, args, "--at");
    dir = dir ? dir : getenv(STORE_ENV);
    *now = time(NULL);
    int rc = at ? tst_time_parse(at, now, err) : 0;
    if (rc)
        return tst_wrap(err, "--at");
    rc = collateral_open(dir && *dir ? dir : COLLATERAL_DEFAULT_DIR, make, out, err);
    return rc ? rc : read_roots(*out, cli_value(self, args, "--root"), err);
}

static int read_kds(const struct cli_command *self, const struct cli_args *args, struct collateral_kds *out, struct tst_error **err)
{
    const char *wait = cli_value(self, args, "--wait");
    *out = collateral_kds_default();
    out->base_url = cli_value(self, args, "--base-url");
    out->retry_absent = cli_value(self, args, "--retry") != NULL;
    if (!wait)
        return 0;
    char *end = NULL;
    unsigned long s = strtoul(wait, &end, 10);
    if (*wait < '0' || *wait > '9' || *end || s > WAIT_MAX_S)
        return tst_fail(err, TST_USAGE, "--wait %s: expected seconds, 0 to %d", wait, WAIT_MAX_S);
    out->total_ms = (unsigned)s * 1000;
    return 0;
}

static void print_time(time_t t, char out[TST_TIME_BYTES])
{
    tst_time_print(t, out);
    out[10] = '\0'; /* the day says it */
}

/* ---- fetch ---- */

/* What came with the evidence and is right needs not be asked for. */
static void adopt(struct collateral_store *s, const struct tst_snp_certs *certs, time_t now)
{
    enum collateral_change change;
    if (certs->ask && certs->ark)
        collateral_put_chain(s, certs->ask, certs->ark, now, &change, NULL);
    if (certs->vek)
        collateral_put_vek(s, certs->vek, NULL, now, &change, NULL);
}

static int load_report(struct collateral_store *s, const char *path, time_t now, struct tst_snp_report *out, struct tst_error **err)
{
    TST_AUTO_STR bytes = NULL;
    TST_AUTO_CONTAINER c = {0};
    size_t n = 0;
    int rc = cli_read_file(path, TST_CONTAINER_MAX, &bytes, &n, err);
    if (rc)
        return rc;
    rc = tst_container_read(bytes, n, true, &c, err);
    rc = rc ? rc : tst_snp_report_parse(c.report, sizeof c.report, out, err);
    if (rc)
        return tst_wrap(err, "%s", path);
    adopt(s, &c.certs, now);
    return 0;
}

static const char *step_state(const struct collateral_step *step)
{
    return step->failed ? "failed" : step->asked ? "fetched" : "stored";
}

static int step_json(json_t *list, const struct collateral_step *step, struct tst_error **err)
{
    json_t *o = json_pack("{s:s, s:s, s:s*, s:s*}", "what", step->what, "state", step_state(step), "url", step->url, "problem", step->problem);
    return o && json_array_append_new(list, o) == 0 ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static void print_step(const struct collateral_step *step)
{
    printf("  %-10s %-8s %s\n", step->what, step_state(step), step->failed ? step->problem : step->url ? step->url : "");
}

static int fetched_json(const char *file, const struct collateral_fetched *f, json_t *list, struct tst_error **err)
{
    char chip[2 * TST_SNP_CHIP_BYTES + 1], tcb[96];
    TST_AUTO_JSON steps = json_array();
    int rc = 0;
    tst_hex(f->id.hwid, f->id.hwid_bytes, chip);
    tst_snp_tcb_print(&f->id.tcb, tcb, sizeof tcb);
    for (size_t i = 0; rc == 0 && i < f->count; i++)
        rc = step_json(steps, &f->steps[i], err);
    if (rc)
        return rc;
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:O}", "file", file, "product", tst_snp_product_name(f->id.product), "kind",
                          f->id.vlek ? "vlek" : "vcek", "chip", chip, "tcb", tcb, "steps", steps);
    return o && json_array_append_new(list, o) == 0 ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static void print_fetched(const char *file, const struct collateral_fetched *f)
{
    char chip[2 * TST_SNP_CHIP_BYTES + 1], tcb[96];
    tst_hex(f->id.hwid, f->id.hwid_bytes < 8 ? f->id.hwid_bytes : 8, chip);
    tst_snp_tcb_print(&f->id.tcb, tcb, sizeof tcb);
    printf("%s: %s, %s%s%s, %s\n", file, tst_snp_product_name(f->id.product), f->id.vlek ? "VLEK" : "chip ", chip,
           f->id.hwid_bytes > 8 ? "..." : "", tcb);
    for (size_t i = 0; i < f->count; i++)
        print_step(&f->steps[i]);
}

/* Keeps the first error. */
static int fetch_one(struct collateral_store *s, const struct collateral_kds *kds, const char *file, enum tst_snp_product product,
                     time_t now, json_t *list, struct tst_error **err)
{
    struct tst_snp_report report;
    struct collateral_fetched f = {0};
    int rc = load_report(s, file, now, &report, err);
    if (rc)
        return rc;
    rc = collateral_fetch_report(s, kds, &report, product, now, &f, err);
    if (rc)
        tst_wrap(err, "%s", file);
    if (f.count && list)
        rc = fetched_json(file, &f, list, rc ? NULL : err) < 0 ? -TST_INTERNAL : rc;
    else if (f.count)
        print_fetched(file, &f);
    collateral_fetched_clear(&f);
    return rc;
}

static int fetch_all(struct collateral_store *s, const struct collateral_kds *kds, const struct cli_args *args, enum tst_snp_product product,
                     time_t now, json_t *list, struct tst_error **err)
{
    int first = 0;
    for (int i = 0; i < args->rest_count; i++) {
        TST_AUTO_ERROR why = NULL;
        int rc = fetch_one(s, kds, args->rest[i], product, now, list, &why);
        if (rc && first == 0) {
            first = rc;
            *err = TST_STEAL(why);
        }
    }
    return first;
}

static int collateral_fetch(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_STORE s = NULL;
    struct collateral_kds kds;
    const char *name = cli_value(self, args, "--product");
    enum tst_snp_product product = name ? tst_snp_product_of(name) : TST_SNP_UNKNOWN;
    time_t now;
    if (name && !product)
        return tst_fail(err, TST_USAGE, "--product %s: expected milan, genoa or turin", name);
    int rc = read_kds(self, args, &kds, err);
    kds.offline = cli_value(self, args, "--offline") != NULL;
    rc = rc ? rc : open_store(self, args, true, &s, &now, err);
    if (rc)
        return rc;
    bool json = cli_value(self, args, "--json") != NULL;
    TST_AUTO_JSON list = json_array();
    TST_AUTO_JSON o = json_pack("{s:s, s:O}", "store", collateral_dir(s), "reports", list);
    rc = fetch_all(s, &kds, args, product, now, json ? list : NULL, err);
    if (json && o)
        cli_print_json(o);
    return rc;
}

const struct cli_command cmd_collateral_fetch = {
    .name = "collateral fetch",
    .operands = "REPORT...",
    .min_operands = 1,
    .max_operands = -1,
    .summary = "get what the appraisal of these reports needs: chain, VCEK, CRL; asks AMD only for what is not there",
    .exits = "0 all there, 1 the service answered with something else, 2 bad usage or not known to AMD, 3 the report does not say, 5 no answer",
    .options = {STORE_OPTIONS, KDS_OPTIONS,
                {"--offline", NULL, "ask nobody, only say what is missing"},
                {"--product", "NAME", "milan, genoa or turin; needed for version 2 reports only"}},
    .run = collateral_fetch,
};

/* ---- refresh ---- */
struct refresh_out {
    json_t *list; /* NULL: print */
    int failed;
};

static int refresh_step(void *ctx, enum tst_snp_product product, const struct collateral_step *step, struct tst_error **err)
{
    struct refresh_out *out = ctx;
    out->failed += step->failed;
    if (out->list)
        return step_json(out->list, step, err);
    printf("%-6s", tst_snp_product_name(product));
    print_step(step);
    return 0;
}

static int collateral_refresh_run(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_STORE s = NULL;
    struct collateral_kds kds;
    struct refresh_out out = {0};
    time_t now;
    int rc = read_kds(self, args, &kds, err);
    rc = rc ? rc : open_store(self, args, false, &s, &now, err);
    if (rc)
        return rc;
    TST_AUTO_JSON list = json_array();
    TST_AUTO_JSON o = json_pack("{s:s, s:O}", "store", collateral_dir(s), "steps", list);
    out.list = cli_value(self, args, "--json") ? list : NULL;
    rc = collateral_refresh(s, &kds, now, refresh_step, &out, err);
    if (out.list && o)
        cli_print_json(o);
    if (rc == 0 && out.failed)
        return tst_fail(err, TST_UNREACHABLE, "%d of the steps failed; what was there stays", out.failed);
    return rc;
}

const struct cli_command cmd_collateral_refresh = {
    .name = "collateral refresh",
    .operands = "",
    .summary = "get every revocation list again, and what has expired or is damaged",
    .exits = "0 done, 2 bad usage, 5 something could not be had",
    .options = {STORE_OPTIONS, KDS_OPTIONS},
    .run = collateral_refresh_run,
};

/* ---- list ---- */
struct list_out {
    json_t *list; /* NULL: print */
    size_t count, problems;
};

static const char *item_what(const struct collateral_item *i)
{
    static const char *const words[][2] = {[COLLATERAL_CHAIN] = {"VCEK chain", "VLEK chain"}, [COLLATERAL_VEK] = {"VCEK", "VLEK"},
                                           [COLLATERAL_CRL] = {"CRL", "CRL"}};
    return words[i->kind][i->vlek];
}

static void item_owner(const struct collateral_item *i, char *out, size_t n)
{
    char chip[2 * TST_SNP_CHIP_BYTES + 1];
    out[0] = '\0';
    if (i->kind == COLLATERAL_CRL)
        snprintf(out, n, "no. %llu, %zu revoked", (unsigned long long)i->crl_number, i->revoked_count);
    else if (i->kind == COLLATERAL_VEK && i->vlek)
        snprintf(out, n, "%.40s", i->vek.csp);
    else if (i->kind == COLLATERAL_VEK) {
        tst_hex(i->vek.hwid, i->vek.hwid_bytes, chip);
        snprintf(out, n, "chip %.16s%s", chip, i->vek.hwid_bytes > 8 ? "..." : "");
    }
}

static void print_item(const struct collateral_item *i)
{
    char owner[64], tcb[96] = "", until[TST_TIME_BYTES] = "-";
    item_owner(i, owner, sizeof owner);
    if (i->kind == COLLATERAL_VEK && i->vek.product)
        tst_snp_tcb_print(&i->vek.tcb, tcb, sizeof tcb);
    if (i->has_until)
        print_time(i->until, until);
    printf("%-8s%-12s%-42s%-12s%s%s\n", tst_snp_product_name(i->product), item_what(i), owner, until,
           i->problem ? "BAD" : i->stale ? "STALE" : "ok", i->simulated ? "  SIMULATED" : "");
    if (tcb[0])
        printf("%-20s%s\n", "", tcb);
    if (i->problem)
        printf("%-20s%s: %s\n", "", i->path, i->problem->text);
}

static int item_json(const struct collateral_item *i, json_t *list, struct tst_error **err)
{
    char until[TST_TIME_BYTES] = "", chip[2 * TST_SNP_CHIP_BYTES + 1], tcb[96];
    if (i->has_until)
        tst_time_print(i->until, until);
    TST_AUTO_JSON o = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s*, s:s*}", "path", i->path, "what", item_what(i), "product",
                                tst_snp_product_name(i->product), "simulated", i->simulated, "state",
                                i->problem ? "bad" : i->stale ? "stale" : "ok", "until", until[0] ? until : NULL, "problem",
                                i->problem ? i->problem->text : NULL);
    int rc = o ? 0 : -1;
    if (rc == 0 && i->kind == COLLATERAL_CRL) {
        rc = json_object_set_new(o, "number", json_integer((json_int_t)i->crl_number));
        rc = rc ? rc : json_object_set_new(o, "revoked", json_integer((json_int_t)i->revoked_count));
    }
    if (rc == 0 && i->kind == COLLATERAL_VEK && i->vek.product) {
        tst_hex(i->vek.hwid, i->vek.hwid_bytes, chip);
        tst_snp_tcb_print(&i->vek.tcb, tcb, sizeof tcb);
        rc = json_object_set_new(o, i->vlek ? "provider" : "chip", json_string(i->vlek ? i->vek.csp : chip));
        rc = rc ? rc : json_object_set_new(o, "tcb", json_string(tcb));
    }
    rc = rc ? rc : json_array_append(list, o);
    return rc ? tst_fail(err, TST_INTERNAL, "out of memory") : 0;
}

static int list_item(void *ctx, const struct collateral_item *item, struct tst_error **err)
{
    struct list_out *out = ctx;
    if (out->count++ == 0 && !out->list)
        printf("%-8s%-12s%-42s%-12s%s\n", "PRODUCT", "WHAT", "OF", "UNTIL", "STATE");
    out->problems += item->problem != NULL;
    if (out->list)
        return item_json(item, out->list, err);
    print_item(item);
    return 0;
}

static int collateral_list(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_STORE s = NULL;
    struct list_out out = {0};
    time_t now;
    int rc = open_store(self, args, false, &s, &now, err);
    if (rc)
        return rc;
    TST_AUTO_JSON list = json_array();
    TST_AUTO_JSON o = json_pack("{s:s, s:O}", "store", collateral_dir(s), "items", list);
    out.list = cli_value(self, args, "--json") ? list : NULL;
    rc = collateral_each(s, now, list_item, &out, err);
    if (rc)
        return rc;
    if (out.list && o)
        cli_print_json(o);
    else if (out.count == 0)
        printf("%s is empty\n", collateral_dir(s));
    return out.problems ? tst_exit_status(TST_REFUTED) : 0;
}

const struct cli_command cmd_collateral_list = {
    .name = "collateral list",
    .operands = "",
    .summary = "show what is in the store, each file verified again",
    .exits = "0 all of it verifies (a stale list too), 1 something does not, 2 bad usage",
    .options = {STORE_OPTIONS},
    .run = collateral_list,
};

/* ---- bundles ---- */
static int write_whole(const char *path, const struct tst_buf *b, struct tst_error **err)
{
    if (strcmp(path, "-") != 0)
        return fs_write(AT_FDCWD, path, b->p, b->n, err);
    return fwrite(b->p, 1, b->n, stdout) == b->n && fflush(stdout) == 0 ? 0 : tst_fail(err, TST_INTERNAL, "standard output: %m");
}

static int collateral_export_run(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_STORE s = NULL;
    TST_AUTO_BUF text = {0};
    size_t count = 0;
    time_t now;
    int rc = open_store(self, args, false, &s, &now, err);
    rc = rc ? rc : collateral_export(s, now, &text, &count, err);
    if (rc == 0 && count == 0)
        rc = tst_fail(err, TST_NOT_FOUND, "nothing in %s verifies: there is nothing to export", collateral_dir(s));
    rc = rc ? rc : write_whole(args->rest[0], &text, err);
    if (rc || strcmp(args->rest[0], "-") == 0)
        return rc;
    TST_AUTO_JSON o = json_pack("{s:s, s:I, s:I}", "file", args->rest[0], "blocks", (json_int_t)count, "bytes", (json_int_t)text.n);
    if (cli_value(self, args, "--json") && o)
        cli_print_json(o);
    else
        printf("%s: %zu certificates and lists, %zu bytes\n", args->rest[0], count, text.n);
    return 0;
}

const struct cli_command cmd_collateral_export = {
    .name = "collateral export",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "write all that verifies into one PEM file, for a place without network (- = standard output)",
    .exits = "0 written, 2 bad usage or nothing to write",
    .options = {STORE_OPTIONS},
    .run = collateral_export_run,
};

static void print_import(const struct collateral_import *in)
{
    const json_t *refusal;
    size_t i;
    printf("%zu new, %zu replaced, %zu kept, %zu refused\n", in->added, in->replaced, in->kept, in->refused);
    json_array_foreach(in->refusals, i, refusal)
        printf("  refused  %s\n", json_string_value(refusal));
}

static int collateral_import_run(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_STORE s = NULL;
    TST_AUTO_STR text = NULL;
    struct collateral_import in = {0};
    size_t n = 0;
    time_t now;
    int rc = cli_read_file(args->rest[0], COLLATERAL_BUNDLE_MAX_BYTES, &text, &n, err);
    rc = rc ? rc : open_store(self, args, true, &s, &now, err);
    rc = rc ? rc : collateral_import(s, text, n, now, &in, err);
    TST_AUTO_JSON refusals = in.refusals;
    if (rc)
        return rc;
    TST_AUTO_JSON o = json_pack("{s:s, s:I, s:I, s:I, s:O}", "store", collateral_dir(s), "new", (json_int_t)in.added, "replaced",
                                (json_int_t)in.replaced, "kept", (json_int_t)in.kept, "refused", refusals);
    if (cli_value(self, args, "--json") && o)
        cli_print_json(o);
    else
        print_import(&in);
    return in.refused ? tst_exit_status(TST_REFUTED) : 0;
}

const struct cli_command cmd_collateral_import = {
    .name = "collateral import",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "verify a bundle, or any PEM file with certificates and CRLs, and put it into the store (- = standard input)",
    .exits = "0 all of it is in, 1 something was refused (the rest is in), 2 bad usage or no bundle",
    .options = {STORE_OPTIONS},
    .run = collateral_import_run,
};
