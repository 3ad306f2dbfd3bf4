/* SPDX-License-Identifier: Apache-2.0 */
/* snp/container.c - which kind of evidence bytes are, and the report in them. Recognised by what no other kind can have
 * there: HCL by its magic, MSG_REPORT_RSP by 24 zero bytes where a report has its policy (whose bit 17 is always one), text
 * by its characters; what is left is a report. Sources: AMD 56860 (MSG_REPORT_RSP), GHCB 2.x (table), Linux
 * include/uapi/linux/sev-guest.h (4000 bytes of response). */
#include "container_inner.h"

#include <stdio.h>

#define RESPONSE_HEADER_BYTES 0x20
#define RESPONSE_BYTES 4000 /* struct snp_report_resp */
#define GUID_BYTES 16

static const char *const kind_names[] = {
    [TST_CONTAINER_RAW] = "raw report",
    [TST_CONTAINER_RESPONSE] = "MSG_REPORT_RSP",
    [TST_CONTAINER_EXTENDED] = "extended report",
    [TST_CONTAINER_HCL] = "Azure HCL blob",
    [TST_CONTAINER_TSM] = "configfs-tsm entry",
    [TST_CONTAINER_SEV_JSON] = "Trustee JSON evidence",
    [TST_CONTAINER_BLOB_JSON] = "JSON evidence with the raw report",
};

const char *tst_container_kind_name(enum tst_container_kind k)
{
    return kind_names[k];
}

void tst_container_clear(struct tst_container *c)
{
    tst_snp_certs_clear(&c->certs);
    tst_buf_clear(&c->table);
    tst_buf_clear(&c->runtime);
    tst_buf_clear(&c->manifest);
    *c = (struct tst_container){0};
}

static struct tst_bytes from(struct tst_bytes in, size_t offset)
{
    return offset < in.n ? (struct tst_bytes){in.p + offset, in.n - offset} : (struct tst_bytes){NULL, 0};
}

/* ---- what follows ---- */
static int trailing_fail(struct tst_bytes rest, const char *what, struct tst_error **err)
{
    char found[128], first[3 * 8 + 1] = "";
    size_t zeros = 0;
    while (zeros < rest.n && rest.p[zeros] == 0)
        zeros++;
    for (size_t i = 0; zeros + i < rest.n && i < 8; i++)
        snprintf(first + 3 * i, 4, "%02x ", rest.p[zeros + i]);
    bool only_zeros = zeros == rest.n, newline = rest.n == 1 && rest.p[0] == '\n';
    if (only_zeros)
        snprintf(found, sizeof found, "%zu more: zeros", rest.n);
    else if (zeros)
        snprintf(found, sizeof found, "%zu more: %zu zeros, then %s", rest.n, zeros, first);
    else
        snprintf(found, sizeof found, "%zu more: %s%s", rest.n, first, newline ? "(a newline)" : "");
    tst_fail(err, TST_USAGE, "%zu trailing bytes behind %s", rest.n, what);
    return tst_hint(err, "nothing behind it", found,
                    only_zeros || newline ? "cut them off (head -c)" : "find out what they are; they are not part of the evidence");
}

int container_take_padding(struct tst_bytes rest, const char *what, struct tst_container *out, struct tst_error **err)
{
    if (rest.n && !tst_is_zero(rest.p, rest.n))
        return trailing_fail(rest, what, err);
    out->padding_bytes = rest.n;
    return 0;
}

int container_take_report(struct tst_bytes in, struct tst_container *out, struct tst_error **err)
{
    char found[64];
    if (in.n > TST_SNP_REPORT_BYTES) {
        tst_fail(err, TST_USAGE, "report: %zu bytes, a raw report has %d", in.n, TST_SNP_REPORT_BYTES);
        TST_AUTO_ERROR why = NULL;
        trailing_fail(from(in, TST_SNP_REPORT_BYTES), "the report", &why);
        return tst_hint(err, why ? why->expected : NULL, why ? why->found : NULL, why ? why->fix : NULL);
    }
    if (in.n < TST_SNP_REPORT_BYTES) {
        tst_fail(err, TST_USAGE, "report: %zu bytes, a raw report has %d", in.n, TST_SNP_REPORT_BYTES);
        snprintf(found, sizeof found, "%zu are missing at the end", TST_SNP_REPORT_BYTES - in.n);
        return tst_hint(err, NULL, in.n ? found : "an empty input", "get the evidence again: it was cut short, or is something else");
    }
    memcpy(out->report, in.p, TST_SNP_REPORT_BYTES);
    return 0;
}

/* ---- certificate table ---- */
#define TABLE_ENTRY_BYTES 24
struct extent {
    size_t entries, end;
};

static int note_extent(void *ctx, const struct tst_snp_cert_entry *e, struct tst_error **err)
{
    struct extent *x = ctx;
    size_t end = e->offset + e->payload.n;
    (void)err;
    x->entries++;
    if (end > x->end)
        x->end = end;
    return 0;
}

static size_t table_limit(struct tst_bytes in)
{
    return in.n < TST_SNP_CERT_TABLE_MAX ? in.n : TST_SNP_CERT_TABLE_MAX;
}

int container_take_table(struct tst_bytes in, struct tst_container *out, struct tst_error **err)
{
    struct extent x = {0};
    int rc = tst_snp_cert_table_each(in.p, table_limit(in), note_extent, &x, err);
    size_t header = (x.entries + 1) * TABLE_ENTRY_BYTES, extent = x.end > header ? x.end : header;
    if (rc == 0)
        rc = container_take_padding(from(in, extent), "the certificate table", out, err);
    if (rc == 0)
        rc = tst_snp_cert_table_parse(in.p, extent, &out->certs, err);
    if (rc < 0 || x.entries == 0)
        return rc;
    out->table.max = TST_SNP_CERT_TABLE_MAX;
    return tst_buf_put(&out->table, in.p, extent, err);
}

static int probe_entry(void *ctx, const struct tst_snp_cert_entry *e, struct tst_error **err)
{
    (void)err;
    *(bool *)ctx |= e->name != NULL;
    return -TST_NOT_FOUND; /* the first one is enough */
}

/* Its first entry has a known GUID. */
static bool is_table(struct tst_bytes in)
{
    bool known = false;
    if (in.n >= GUID_BYTES)
        tst_snp_cert_table_each(in.p, table_limit(in), probe_entry, &known, NULL);
    return known;
}

/* ---- MSG_REPORT_RSP ---- */
static bool is_response(struct tst_bytes in)
{
    return in.n >= RESPONSE_HEADER_BYTES && tst_is_zero(in.p + 8, RESPONSE_HEADER_BYTES - 8);
}

static const char *status_text(uint32_t status)
{
    static const struct {
        uint32_t status;
        const char *text;
    } rows[] = {{0x16, "invalid parameters"}, {0x27, "the key that was asked for cannot be used"}};
    for (size_t i = 0; i < TST_COUNT(rows); i++)
        if (rows[i].status == status)
            return rows[i].text;
    return "no name is known for it";
}

static int read_response_header(struct tst_bytes in, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(in.p, in.n);
    uint32_t status = tst_rd_u32le(&r), size = tst_rd_u32le(&r);
    if (status)
        return tst_fail(err, TST_USAGE, "MSG_REPORT_RSP: the firmware refused, status 0x%x (%s): there is no report", status,
                        status_text(status));
    if (size != TST_SNP_REPORT_BYTES)
        return tst_fail(err, TST_USAGE, "MSG_REPORT_RSP: announces a report of %u bytes, expected %d", size, TST_SNP_REPORT_BYTES);
    return 0;
}

/* Behind the report: nothing, zeros, or a certificate table, at once or after the 4000 bytes of the ioctl's struct. */
static int read_response(struct tst_bytes in, struct tst_container *out, struct tst_error **err)
{
    const size_t end = RESPONSE_HEADER_BYTES + TST_SNP_REPORT_BYTES;
    struct tst_bytes rest = from(in, end), late = from(in, RESPONSE_BYTES);
    int rc = read_response_header(in, err);
    if (rc == 0)
        rc = container_take_report((struct tst_bytes){in.p + RESPONSE_HEADER_BYTES, (in.n < end ? in.n : end) - RESPONSE_HEADER_BYTES}, out, err);
    if (rc < 0)
        return rc;
    out->kind = TST_CONTAINER_RESPONSE;
    if (!is_table(rest) && is_table(late) && tst_is_zero(rest.p, RESPONSE_BYTES - end))
        rest = late;
    if (!is_table(rest))
        return container_take_padding(rest, "the report in MSG_REPORT_RSP", out, err);
    out->kind = TST_CONTAINER_EXTENDED;
    return container_take_table(rest, out, err);
}

/* ---- what people hand in by mistake ---- */
static int refuse_other(struct tst_bytes in, struct tst_error **err)
{
    static const char pem[] = "-----BEGIN ";
    if (is_table(in)) {
        tst_fail(err, TST_USAGE, "a certificate table without a report");
        return tst_hint(err, "evidence", "what a host gives beside the report (auxblob)", "give the report (outblob), and this file as --chain");
    }
    bool is_pem = in.n > sizeof pem && memcmp(in.p, pem, sizeof pem - 1) == 0, is_der = in.n > 4 && in.p[0] == 0x30 && in.p[1] == 0x82;
    if (is_pem || (is_der && in.n != TST_SNP_REPORT_BYTES)) {
        tst_fail(err, TST_USAGE, "a certificate, not evidence");
        return tst_hint(err, "evidence", is_pem ? "a PEM file" : "a DER file", "give it as --vek or --chain, and the report as the operand");
    }
    return 0;
}

int container_read_bytes(struct tst_bytes in, struct tst_container *out, struct tst_error **err)
{
    int rc = refuse_other(in, err);
    if (rc < 0)
        return rc;
    if (in.n >= 4 && memcmp(in.p, "HCLA", 4) == 0)
        return container_read_hcl(in, out, err);
    if (in.n != TST_SNP_REPORT_BYTES && is_response(in))
        return read_response(in, out, err);
    struct tst_bytes rest = from(in, TST_SNP_REPORT_BYTES);
    out->kind = TST_CONTAINER_RAW;
    if (!is_table(rest))
        return container_take_report(in, out, err);
    out->kind = TST_CONTAINER_EXTENDED;
    memcpy(out->report, in.p, TST_SNP_REPORT_BYTES);
    return container_take_table(rest, out, err);
}

static bool is_json(struct tst_bytes in)
{
    size_t i = 0;
    while (i < in.n && in.p[i] && strchr(" \t\r\n", in.p[i]))
        i++;
    return i < in.n && in.p[i] == '{' && !memchr(in.p, 0, in.n);
}

static int read_any(struct tst_bytes in, bool lenient, struct tst_container *out, struct tst_error **err)
{
    TST_AUTO_BUF decoded = {0};
    enum tst_container_text text = TST_TEXT_NONE;
    int rc = refuse_other(in, err);
    if (rc < 0)
        return rc;
    if (is_json(in))
        return container_read_json(in, lenient, out, err);
    if (!text_is(in))
        return container_read_bytes(in, out, err);
    rc = text_decode(in, &decoded, &text, err);
    if (rc == 0)
        rc = container_read_bytes((struct tst_bytes){decoded.p, decoded.n}, out, err);
    out->text = text;
    return rc < 0 ? tst_wrap(err, "evidence as %s text", text == TST_TEXT_HEX ? "hex" : "base64") : 0;
}

int tst_container_read(const void *p, size_t n, bool lenient, struct tst_container *out, struct tst_error **err)
{
    memset(out, 0, sizeof *out);
    int rc = n > TST_CONTAINER_MAX
                 ? tst_fail(err, TST_TOO_LARGE, "evidence: %zu bytes, at most %d", n, TST_CONTAINER_MAX)
                 : read_any((struct tst_bytes){p, n}, lenient, out, err);
    if (rc < 0)
        tst_container_clear(out);
    return rc;
}
