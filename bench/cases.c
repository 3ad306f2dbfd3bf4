/* SPDX-License-Identifier: Apache-2.0 */
/* bench/cases.c - see cases.h. The synthetic hierarchy is the one that the tests keep ($TESTUDO_TEST_CACHE). */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sim/report.h"
#include "tests/unit/sim/fixture.h"

#define VECTORS_NOW ((time_t)1793491200) /* 2026-11-01T00:00:00Z: every VCEK of the set is valid */
#define LINE_BYTES 8192

static void die_unless(int rc, const char *what, const struct tst_error *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, err ? err->text : "cannot be read");
    exit(1);
}

/* ---- synthetic ---- */
static void policy_make(struct bench_case *c, const struct amd_root *root, const uint8_t digest[TST_SNP_DIGEST_BYTES])
{
    struct tst_cert_info ark;
    char spki[2 * TST_SHA256_BYTES + 1], launch[2 * TST_SNP_DIGEST_BYTES + 1];
    const char *product = tst_snp_product_name(root->product->id);
    const struct tst_snp_tcb *tcb = &root->product->tcb;
    TST_AUTO_ERROR err = NULL;
    die_unless(tst_cert_info(root->ark, &ark, &err), c->name, err);
    tst_hex(ark.spki_sha256, sizeof ark.spki_sha256, spki);
    tst_hex(digest, TST_SNP_DIGEST_BYTES, launch);
    c->policy_text = tst_strdup_printf("name: bench\nsimulated: {allow: [%s]}\nproducts: [%s]\n"
                                       "measurements: [{name: bench image, digest: %s}]\ncrl: {mode: off}\n"
                                       "tcb: {%s: {%sbootloader: %u, tee: %u, snp: %u, microcode: %u}}\n",
                                       spki, product, launch, product, tcb->has_fmc ? "fmc: 1, " : "", tcb->bootloader, tcb->tee, tcb->snp,
                                       tcb->microcode);
    die_unless(c->policy_text ? tst_policy_parse("bench policy", c->policy_text, strlen(c->policy_text), NULL, NULL, &c->policy, &err) : -1,
               c->name, err);
}

static void synthetic(struct bench_case *c, const struct amd_root *root, uint32_t version)
{
    TST_AUTO_ERROR err = NULL;
    AUTO_CHIP chip = fixture_chip(root, NULL);
    struct sim_report r = sim_report_of(chip, version);
    memset(r.measurement, 0x5a, sizeof r.measurement);
    memset(r.report_data, 0xd5, sizeof r.report_data);
    *c = (struct bench_case){.now = FIXTURE_NOW};
    snprintf(c->name, sizeof c->name, "synthetic %s, version %u", tst_snp_product_name(root->product->id), version);
    die_unless(sim_report_sign(&r, chip->vcek_key, c->report, &err), c->name, err);
    die_unless(amd_cert_table(root, chip, &c->table, &err), c->name, err);
    policy_make(c, root, r.measurement);
}

/* ---- real ---- */
static size_t file_read(const char *folder, const char *name, uint8_t *out, size_t max)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/%s", folder, name);
    FILE *f = path ? fopen(path, "rb") : NULL;
    if (!f)
        die_unless(-1, path, NULL);
    size_t n = fread(out, 1, max, f);
    fclose(f);
    return n;
}

struct row {
    char *report, *vek, *kind, *product, *expected;
};

/* Columns of reports.tsv: case, report, vek, kind, product, cpu, version, expected, ... */
static struct row row_of(char *line)
{
    char *cells[8] = {NULL};
    for (size_t i = 0; i < TST_COUNT(cells); i++)
        cells[i] = line ? strsep(&line, "\t") : (char[]){""};
    return (struct row){.report = cells[1], .vek = cells[2], .kind = cells[3], .product = cells[4], .expected = cells[7]};
}

static void real_certs(const char *folder, const struct row *row, struct tst_snp_certs *certs)
{
    uint8_t text[2 * TST_CERT_MAX_BYTES];
    struct tst_cert *list[2] = {NULL};
    size_t count = 0;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR chain = tst_strdup_printf("snp/chains/%s-vcek.pem", row->product);
    size_t n = file_read(folder, row->vek, text, sizeof text);
    die_unless(tst_cert_from_der(text, n, &certs->vek, &err), row->vek, err);
    n = file_read(folder, chain, text, sizeof text);
    die_unless(tst_certs_from_text(text, n, list, TST_COUNT(list), &count, &err), chain, err);
    die_unless(count == 2 ? 0 : -1, chain, NULL);
    certs->ask = list[0];
    certs->ark = list[1];
}

static void real(struct bench_case *c, const char *folder, const struct row *row)
{
    struct tst_snp_certs certs = {0};
    TST_AUTO_ERROR err = NULL;
    *c = (struct bench_case){.now = VECTORS_NOW};
    size_t n = file_read(folder, row->report, c->report, sizeof c->report);
    snprintf(c->name, sizeof c->name, "real %s, version %u", row->product, c->report[0]);
    die_unless(n == sizeof c->report ? 0 : -1, row->report, NULL);
    real_certs(folder, row, &certs);
    die_unless(tst_snp_cert_table_build(&certs, &c->table, &err), c->name, err);
    tst_snp_certs_clear(&certs);
}

/* The first valid VCEK row of each product. */
static size_t real_all(const char *folder, struct bench_case *out, size_t max)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/snp/reports.tsv", folder);
    FILE *f = path ? fopen(path, "r") : NULL;
    bool seen[TST_SNP_TURIN + 1] = {false};
    char line[LINE_BYTES];
    size_t count = 0;
    while (f && count < max && fgets(line, sizeof line, f)) {
        struct row row = row_of(line);
        enum tst_snp_product p = tst_snp_product_of(row.product);
        if (p == TST_SNP_UNKNOWN || (size_t)p >= TST_COUNT(seen) || seen[p] || strcmp(row.kind, "vcek") != 0 || strcmp(row.expected, "VALID") != 0)
            continue;
        seen[p] = true;
        real(&out[count++], folder, &row);
    }
    if (f)
        fclose(f);
    return count;
}

/* What does not hold is not worth measuring. */
static void case_check(const struct bench_case *c)
{
    struct tst_evidence evidence;
    TST_AUTO_VERDICT v = NULL;
    TST_AUTO_ERROR err = NULL;
    const struct tst_appraise_in in = case_input(c, &c->certs, &evidence);
    die_unless(tst_appraise(&in, &v, &err), c->name, err);
    const struct tst_check *first = tst_verdict_first(v);
    if (!first)
        return;
    fprintf(stderr, "bench: %s: %s: %s\n", c->name, first->info->id, first->found ? first->found : "");
    exit(1);
}

size_t cases_load(struct bench_case out[CASES_MAX])
{
    const char *folder = getenv("TESTUDO_VECTORS");
    AUTO_ROOT genoa = fixture_root();
    AUTO_ROOT turin = fixture_root_as(genoa, TST_SNP_TURIN);
    synthetic(&out[0], genoa, 3);
    synthetic(&out[1], turin, 5);
    size_t count = folder && *folder ? 2 + real_all(folder, out + 2, CASES_MAX - 2) : 2;
    for (size_t i = 0; i < count; i++) {
        TST_AUTO_ERROR err = NULL;
        die_unless(tst_snp_cert_table_parse(out[i].table.p, out[i].table.n, &out[i].certs, &err), out[i].name, err);
        case_check(&out[i]);
    }
    return count;
}

void cases_clear(struct bench_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tst_buf_clear(&cases[i].table);
        tst_snp_certs_clear(&cases[i].certs);
        tst_policy_free(cases[i].policy);
        free(cases[i].policy_text);
    }
}

struct tst_appraise_in case_input(const struct bench_case *c, const struct tst_snp_certs *certs, struct tst_evidence *evidence)
{
    *evidence = (struct tst_evidence){.report = {c->report, sizeof c->report}, .certs = *certs};
    return (struct tst_appraise_in){.evidence = evidence, .policy = c->policy, .now = c->now};
}
