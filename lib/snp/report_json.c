/* SPDX-License-Identifier: Apache-2.0 */
/* snp/report_json.c - a report as JSON, by the table of report_fields.c. Byte strings are hexadecimal as they lie in the
 * report; bit fields carry their raw value and each bit by name. */
#include <testudo/container.h>

#include <stdio.h>

static int no_memory(struct tst_error **err)
{
    return tst_fail(err, TST_INTERNAL, "out of memory");
}

static int set_new(json_t *o, const char *key, json_t *value, struct tst_error **err)
{
    return value && json_object_set_new(o, key, value) == 0 ? 0 : no_memory(err);
}

/* size_bytes 4 or 8 */
static json_t *hex_number(uint64_t value, unsigned size_bytes)
{
    char text[20];
    snprintf(text, sizeof text, size_bytes == 4 ? "0x%08llx" : "0x%016llx", (unsigned long long)value);
    return json_string(text);
}

static int add_unknown(json_t *unknown, const struct tst_report_field *f, json_t *value, struct tst_error **err)
{
    json_t *row = json_pack("{s:s, s:i, s:o}", "field", f->name, "offset", f->offset, f->kind == TST_FIELD_RESERVED ? "bytes" : "bits", value);
    return row && json_array_append_new(unknown, row) == 0 ? 0 : no_memory(err);
}

static json_t *bit_value(const struct tst_bit_range *b, uint64_t value)
{
    uint64_t v = tst_bit_range_value(b, value);
    if (!b->words || b->first == b->last)
        return b->words ? json_boolean(v) : json_integer((json_int_t)v);
    for (uint64_t i = 0; b->words[i]; i++)
        if (i == v)
            return json_string(b->words[i]);
    return json_integer((json_int_t)v);
}

static int bits_json(json_t *o, const struct tst_report_field *f, uint64_t value, json_t *unknown, struct tst_error **err)
{
    TST_AUTO_JSON bits = json_object();
    int rc = bits ? set_new(bits, "raw", hex_number(value, f->size_bytes), err) : no_memory(err);
    for (const struct tst_bit_range *b = f->bits; rc == 0 && b->name; b++)
        rc = set_new(bits, b->name, bit_value(b, value), err);
    uint64_t nameless = tst_report_field_unknown(f, value);
    if (rc == 0 && nameless)
        rc = add_unknown(unknown, f, hex_number(nameless, f->size_bytes), err);
    return rc == 0 ? set_new(o, f->name, TST_STEAL(bits), err) : rc;
}

static int tcb_json(json_t *o, const struct tst_report_field *f, const uint8_t *raw, enum tst_snp_product product, struct tst_error **err)
{
    struct tst_snp_tcb t = tst_snp_tcb_of(product, raw);
    TST_AUTO_JSON tcb = json_object();
    int rc = tcb ? tst_json_set_hex(tcb, "raw", raw, 8, err) : no_memory(err);
    const struct {
        const char *name;
        bool there;
        uint8_t value;
    } parts[] = {{"fmc", t.has_fmc, t.fmc},
                 {"bootloader", true, t.bootloader},
                 {"tee", true, t.tee},
                 {"snp", true, t.snp},
                 {"microcode", true, t.microcode}};
    for (size_t i = 0; rc == 0 && product && i < TST_COUNT(parts); i++)
        if (parts[i].there)
            rc = set_new(tcb, parts[i].name, json_integer(parts[i].value), err);
    return rc == 0 ? set_new(o, f->name, TST_STEAL(tcb), err) : rc;
}

static int reserved_json(const struct tst_report_field *f, const uint8_t *p, json_t *unknown, struct tst_error **err)
{
    char hex[2 * 368 + 1];
    if (tst_is_zero(p, f->size_bytes))
        return 0;
    tst_hex(p, f->size_bytes, hex);
    return add_unknown(unknown, f, json_string(hex), err);
}

static int field_json(json_t *o, const struct tst_report_field *f, const uint8_t *report, enum tst_snp_product product,
                      json_t *unknown, struct tst_error **err)
{
    const uint8_t *p = report + f->offset;
    char text[16];
    switch (f->kind) {
    case TST_FIELD_NUMBER:
        return set_new(o, f->name, f->size_bytes == 8 ? hex_number(tst_report_field_value(f, report), 8)
                                                      : json_integer((json_int_t)tst_report_field_value(f, report)), err);
    case TST_FIELD_BYTES:
        return tst_json_set_hex(o, f->name, p, f->size_bytes, err);
    case TST_FIELD_TCB:
        return tcb_json(o, f, p, product, err);
    case TST_FIELD_BITS:
        return bits_json(o, f, tst_report_field_value(f, report), unknown, err);
    case TST_FIELD_FIRMWARE:
        snprintf(text, sizeof text, "%u.%u.%u", p[2], p[1], p[0]);
        return set_new(o, f->name, json_string(text), err);
    case TST_FIELD_RESERVED:
        return reserved_json(f, p, unknown, err);
    }
    return tst_fail(err, TST_INTERNAL, "no such kind of field");
}

int tst_report_json(const uint8_t report[TST_SNP_REPORT_BYTES], enum tst_snp_product product, json_t **out, struct tst_error **err)
{
    size_t count = 0;
    const struct tst_report_field *fields = tst_report_fields(&count);
    TST_AUTO_JSON o = json_object();
    TST_AUTO_JSON unknown = json_array();
    uint64_t version = tst_report_field_value(&fields[0], report);
    int rc = o && unknown ? 0 : no_memory(err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct tst_report_field f = fields[i];
        if (f.since > version) /* the bytes were reserved then */
            f.kind = TST_FIELD_RESERVED;
        rc = field_json(o, &f, report, product, unknown, err);
    }
    if (rc == 0)
        rc = set_new(o, "unknown", TST_STEAL(unknown), err);
    if (rc == 0)
        *out = TST_STEAL(o);
    return rc;
}
