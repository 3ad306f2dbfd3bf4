/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_evidence_show.c - `testudo evidence show`: what evidence says, field by field and bit by bit. Nothing is verified
 * here, and the output says so. */
#include "cli/evidence_input.h"

#define HEX_COLUMN_BYTES 32
#define NAME_WIDTH 24

/* ---- values ---- */
static void print_hex(const uint8_t *p, size_t n)
{
    char hex[2 * HEX_COLUMN_BYTES + 1];
    bool ones = n > 0;
    for (size_t i = 0; i < n; i++)
        ones &= p[i] == 0xff;
    if (tst_is_zero(p, n) || ones) {
        printf("all %s (%zu bytes)\n", ones ? "ones" : "zero", n);
        return;
    }
    for (size_t at = 0; at < n; at += HEX_COLUMN_BYTES) {
        size_t line = n - at < HEX_COLUMN_BYTES ? n - at : HEX_COLUMN_BYTES;
        tst_hex(p + at, line, hex);
        printf("%s%*s%s\n", "", at ? NAME_WIDTH + 2 : 0, "", hex);
    }
}

static void print_bits(const struct tst_report_field *f, uint64_t value)
{
    printf("0x%0*llx\n", f->size_bytes * 2, (unsigned long long)value);
    for (const struct tst_bit_range *b = f->bits; b->name; b++) {
        uint64_t v = tst_bit_range_value(b, value), words = 0;
        char text[32];
        while (b->words && b->words[words])
            words++;
        snprintf(text, sizeof text, "%llu", (unsigned long long)v);
        printf("    %-*s%-6s %s\n", NAME_WIDTH - 2, b->name, v < words ? b->words[v] : text, b->meaning);
    }
    uint64_t unknown = tst_report_field_unknown(f, value);
    if (unknown)
        printf("    %-*s0x%llx\n", NAME_WIDTH - 2, "UNKNOWN BITS", (unsigned long long)unknown);
}

static void print_tcb(enum tst_snp_product product, const uint8_t raw[8])
{
    struct tst_snp_tcb tcb = tst_snp_tcb_of(product, raw);
    char text[96], hex[17];
    tst_snp_tcb_print(&tcb, text, sizeof text);
    tst_hex(raw, 8, hex);
    if (product)
        printf("%s  (%s)\n", text, hex);
    else
        printf("%s  (name the product for its parts)\n", hex);
}

static void print_field(const struct tst_report_field *f, const uint8_t *report, enum tst_snp_product product)
{
    const uint8_t *p = report + f->offset;
    const uint64_t value = tst_report_field_value(f, report);
    printf("  %-*s", NAME_WIDTH, f->name);
    switch (f->kind) {
    case TST_FIELD_NUMBER:
        printf(f->size_bytes == 8 ? "0x%llx\n" : "%llu\n", (unsigned long long)value);
        break;
    case TST_FIELD_BYTES:
    case TST_FIELD_RESERVED:
        print_hex(p, f->size_bytes);
        break;
    case TST_FIELD_TCB:
        print_tcb(product, p);
        break;
    case TST_FIELD_BITS:
        print_bits(f, value);
        break;
    case TST_FIELD_FIRMWARE:
        printf("%u.%u build %u\n", p[2], p[1], p[0]);
        break;
    }
}

static void print_report(const uint8_t *report, enum tst_snp_product product)
{
    size_t count = 0;
    const struct tst_report_field *fields = tst_report_fields(&count);
    const uint64_t version = tst_report_field_value(&fields[0], report);
    for (size_t i = 0; i < count; i++) {
        bool reserved = fields[i].kind == TST_FIELD_RESERVED || fields[i].since > version;
        const uint8_t *p = report + fields[i].offset;
        if (!reserved)
            print_field(&fields[i], report, product);
        else if (!tst_is_zero(p, fields[i].size_bytes)) {
            printf("  UNKNOWN at 0x%03x%*s", fields[i].offset, NAME_WIDTH - 16, "");
            print_hex(p, fields[i].size_bytes);
        }
    }
}

/* ---- what came beside the report ---- */
static int print_cert(const char *kind, const struct tst_cert *c, struct tst_error **err)
{
    struct tst_cert_info info;
    char from[TST_TIME_BYTES], until[TST_TIME_BYTES];
    if (!c)
        return 0;
    int rc = tst_cert_info(c, &info, err);
    if (rc < 0)
        return tst_wrap(err, "%s", kind);
    tst_time_print(info.not_before, from);
    tst_time_print(info.not_after, until);
    for (char *s = info.subject_cn; *s; s++)
        *s = *s < 0x20 || *s > 0x7e ? '?' : *s;
    printf("  %-*s%s, %s to %s\n", NAME_WIDTH, kind, info.subject_cn, from, until);
    return 0;
}

static int print_entry(void *ctx, const struct tst_snp_cert_entry *e, struct tst_error **err)
{
    (void)ctx;
    (void)err;
    printf("  %-*s%s, %zu bytes at %zu\n", NAME_WIDTH, e->name ? e->name : "UNKNOWN ENTRY", e->guid, e->payload.n, e->offset);
    return 0;
}

static int print_service(void *ctx, const struct tst_svsm_service *s, struct tst_error **err)
{
    (void)ctx;
    (void)err;
    printf("  %-*s%s: %zu bytes\n", NAME_WIDTH, s->guid, s->name ? s->name : "service not known", s->data.n);
    return 0;
}

static bool is_bound(const struct tst_container *c)
{
    return tst_equal(c->report_data, c->report + 0x50, sizeof c->report_data);
}

static int print_beside(const struct tst_container *c, struct tst_error **err)
{
    int rc = 0;
    if (c->has_report_data)
        printf("binding: REPORT_DATA is %s%s\n", is_bound(c) ? "" : "NOT ",
               c->kind == TST_CONTAINER_HCL ? "the SHA-256 of the runtime JSON" : c->manifest.n ? "SHA-512(inblob, manifest)" : "the inblob");
    if (c->table.n) {
        puts("certificate table (from the host):");
        rc = tst_snp_cert_table_each(c->table.p, c->table.n, print_entry, NULL, err);
    }
    if (rc == 0 && (c->certs.vek || c->certs.ask || c->certs.ark)) {
        puts("certificates:");
        rc = print_cert("VEK", c->certs.vek, err);
    }
    if (rc == 0)
        rc = print_cert("ASK", c->certs.ask, err);
    if (rc == 0)
        rc = print_cert("ARK", c->certs.ark, err);
    if (rc == 0 && c->manifest.n) {
        puts("SVSM services:");
        rc = tst_svsm_manifest_each(c->manifest.p, c->manifest.n, print_service, NULL, err);
    }
    return rc;
}

/* ---- JSON ---- */
static int entry_json(void *ctx, const struct tst_snp_cert_entry *e, struct tst_error **err)
{
    json_t *row = json_pack("{s:s, s:s?, s:i, s:i}", "guid", e->guid, "name", e->name, "offset", (int)e->offset, "bytes", (int)e->payload.n);
    return row && json_array_append_new(ctx, row) == 0 ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int service_json(void *ctx, const struct tst_svsm_service *s, struct tst_error **err)
{
    TST_AUTO_JSON row = json_pack("{s:s, s:s?}", "guid", s->guid, "name", s->name);
    int rc = row ? tst_json_set_b64(row, "data", s->data.p, s->data.n, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    return rc < 0 ? rc : json_array_append(ctx, row) == 0 ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int show_json(const struct tst_container *c, enum tst_snp_product product, enum tst_snp_product layout, struct tst_error **err)
{
    json_t *report = NULL, *container = NULL;
    TST_AUTO_JSON o = json_object();
    TST_AUTO_JSON entries = json_array();
    TST_AUTO_JSON services = json_array();
    int rc = o && entries && services ? evidence_container_json(c, &container, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0 && json_object_set_new(o, "container", container) < 0)
        rc = tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0 && c->table.n)
        rc = tst_snp_cert_table_each(c->table.p, c->table.n, entry_json, entries, err);
    if (rc == 0 && c->manifest.n)
        rc = tst_svsm_manifest_each(c->manifest.p, c->manifest.n, service_json, services, err);
    if (rc == 0)
        rc = tst_report_json(c->report, layout, &report, err);
    if (rc < 0)
        return rc;
    if (json_object_set_new(o, "report", report) < 0 || json_object_set(o, "certificate-table", entries) < 0 ||
        json_object_set(o, "svsm-services", services) < 0 || json_object_set_new(o, "product", json_string(tst_snp_product_name(product))) < 0 ||
        json_object_set_new(o, "verified", json_false()) < 0 ||
        (c->has_report_data && json_object_set_new(o, "report-data-bound", json_boolean(is_bound(c))) < 0))
        return tst_fail(err, TST_INTERNAL, "out of memory");
    cli_print_json(o);
    return 0;
}

/* ---- the command ---- */
static enum tst_snp_product find_product(const struct tst_container *c, const struct tst_snp_report *r, enum tst_snp_product named)
{
    struct tst_snp_vek vek;
    enum tst_snp_product product = named ? named : tst_report_product(r);
    if (!product && c->certs.vek && tst_snp_vek_parse(c->certs.vek, &vek, NULL) == 0)
        product = vek.product;
    return product;
}

static int evidence_show(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    TST_AUTO_CONTAINER c = {0};
    struct tst_snp_report report;
    enum tst_snp_product named;
    bool lenient = cli_value(self, args, "--lenient") != NULL;
    int rc = evidence_product(cli_value(self, args, "--product"), &named, err);
    if (rc == 0)
        rc = evidence_read(args->rest[0], lenient, &c, err);
    if (rc == 0)
        rc = lenient ? tst_snp_report_parse_lenient(c.report, sizeof c.report, &report, err)
                     : tst_snp_report_parse(c.report, sizeof c.report, &report, err);
    if (rc < 0)
        return rc;
    enum tst_snp_product product = find_product(&c, &report, named), layout = product ? product : tst_report_tcb_layout(&report);
    if (cli_value(self, args, "--json"))
        return show_json(&c, product, layout, err);
    TST_AUTO_STR what = evidence_describe(&c);
    printf("evidence: %s\nproduct:  %s\nreport:   (nothing of it is verified here; `testudo evidence verify` does)\n",
           what ? what : "", tst_snp_product_name(product));
    print_report(c.report, layout);
    return print_beside(&c, err);
}

const struct cli_command cmd_evidence_show = {
    .name = "evidence show",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "print every field and bit of evidence, unverified",
    .exits = "0 shown, 2 bad usage or input",
    .options = {{"--product", "NAME", "milan, genoa or turin, where the evidence does not say it"},
                {"--lenient", NULL, "take reports of versions newer than 5, and unknown members of JSON evidence"},
                {"--json", NULL, "print as JSON"}},
    .run = evidence_show,
};
