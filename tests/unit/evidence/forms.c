/* SPDX-License-Identifier: Apache-2.0 */
/* forms.c - see forms.h. */
#include "forms.h"

#include <stdio.h>
#include <stdlib.h>

const char hcl_json[] = "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AQ\"}],\"vm-configuration\":{}}";

void put(struct tst_buf *out, const void *p, size_t n)
{
    out->max = TST_CONTAINER_MAX;
    assert_int_equal(tst_buf_put(out, p, n, NULL), 0);
}

static void put_u32(struct tst_buf *out, size_t v)
{
    uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    put(out, b, sizeof b);
}

static void put_zeros(struct tst_buf *out, size_t n)
{
    static const uint8_t zeros[4096];
    put(out, zeros, n);
}

static void put_table(struct tst_buf *out, const struct tst_snp_certs *certs)
{
    if (certs->vek || certs->ask || certs->ark)
        assert_int_equal(tst_snp_cert_table_build(certs, out, NULL), 0);
}

static void wrap_raw(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    (void)certs;
    put(out, report, TST_SNP_REPORT_BYTES);
}

static void wrap_response_short(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    (void)certs;
    put_u32(out, 0);
    put_u32(out, TST_SNP_REPORT_BYTES);
    put_zeros(out, 24);
    put(out, report, TST_SNP_REPORT_BYTES);
}

static void wrap_response(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    size_t before = out->n;
    wrap_response_short(report, certs, out);
    put_zeros(out, 4000 - (out->n - before));
}

static void wrap_extended(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    put(out, report, TST_SNP_REPORT_BYTES);
    put_table(out, certs);
}

static void wrap_extended_response(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    wrap_response(report, certs, out);
    put_table(out, certs);
    put_zeros(out, 100); /* the rest of its page */
}

/* The table with PEM payloads, as a host's administrator may have stored them; entries in another order. */
static void wrap_extended_pem(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    static const uint8_t guids[3][16] = {
        {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae},
        {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82},
        {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd}};
    const struct tst_cert *list[3] = {certs->ark, certs->ask, certs->vek};
    char *pem[3] = {NULL};
    size_t offset = 4 * 24;
    put(out, report, TST_SNP_REPORT_BYTES);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tst_cert_to_pem(list[i], &pem[i], NULL), 0);
        put(out, guids[i], 16);
        put_u32(out, offset);
        put_u32(out, strlen(pem[i]));
        offset += strlen(pem[i]);
    }
    put_zeros(out, 24);
    for (size_t i = 0; i < 3; i++) {
        put(out, pem[i], strlen(pem[i]));
        free(pem[i]);
    }
}

void hcl_bind(uint8_t report[TST_SNP_REPORT_BYTES])
{
    memset(report + 0x50, 0, 64);
    assert_int_equal(tst_sha256(hcl_json, strlen(hcl_json), report + 0x50, NULL), 0);
}

static void wrap_hcl(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    const size_t json_n = strlen(hcl_json), runtime_n = 20 + json_n;
    (void)certs;
    put(out, "HCLA", 4);
    put_u32(out, 1);
    put_u32(out, 0x20 + TST_SNP_REPORT_BYTES + runtime_n);
    put_u32(out, 2);
    put_zeros(out, 16);
    put(out, report, TST_SNP_REPORT_BYTES);
    put_u32(out, runtime_n);
    put_u32(out, 1);
    put_u32(out, 2);
    put_u32(out, 1);
    put_u32(out, json_n);
    put(out, hcl_json, json_n);
    put_zeros(out, 254);
}

/* Lines of 64 characters, as xxd and base64 print them. */
static void put_lines(struct tst_buf *out, const char *text)
{
    for (size_t n = strlen(text), at = 0; at < n; at += 64) {
        put(out, text + at, n - at < 64 ? n - at : 64);
        put(out, "\n", 1);
    }
}

static void wrap_hex(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    char hex[2 * TST_SNP_REPORT_BYTES + 1];
    (void)certs;
    tst_hex(report, TST_SNP_REPORT_BYTES, hex);
    put_lines(out, hex);
}

static void wrap_b64url(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    TST_AUTO_BUF inner = {0};
    wrap_extended(report, certs, &inner);
    TST_AUTO_STR text = tst_b64url(inner.p, inner.n);
    put(out, text, strlen(text));
}

static void wrap_base64(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    TST_AUTO_BUF inner = {0};
    TST_AUTO_BUF padded = {0};
    wrap_response(report, certs, &inner);
    TST_AUTO_STR text = tst_b64url(inner.p, inner.n);
    for (char *c = text; *c; c++)
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    put(&padded, text, strlen(text));
    put(&padded, "==", (4 - strlen(text) % 4) % 4);
    put_lines(out, (const char *)padded.p);
}

/* ---- JSON ---- */
static json_t *bytes_json(const uint8_t *p, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_integer(p[i]));
    return list;
}

static json_int_t number(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return (json_int_t)v;
}

static json_t *tcb_json(const uint8_t *report, const uint8_t *p)
{
    bool turin = report[0x188] >= 0x1a;
    if (turin)
        return json_pack("{s:i, s:i, s:i, s:i, s:i}", "fmc", p[0], "bootloader", p[1], "tee", p[2], "snp", p[3], "microcode", p[7]);
    return json_pack("{s:n, s:i, s:i, s:i, s:i}", "fmc", "bootloader", p[0], "tee", p[1], "snp", p[6], "microcode", p[7]);
}

static json_t *cert_json(const char *type, const struct tst_cert *c)
{
    uint8_t *der = NULL;
    size_t n = 0;
    assert_int_equal(tst_cert_to_der(c, &der, &n, NULL), 0);
    json_t *o = json_pack("{s:s, s:o}", "cert_type", type, "data", bytes_json(der, n));
    free(der);
    return o;
}

json_t *sev_json_of(const uint8_t r[TST_SNP_REPORT_BYTES], const struct tst_snp_certs *certs)
{
    static const struct {
        const char *key;
        size_t at, n;
    } lists[] = {{"family_id", 0x10, 16}, {"image_id", 0x20, 16}, {"report_data", 0x50, 64}, {"measurement", 0x90, 48}, {"host_data", 0xc0, 32},
                 {"id_key_digest", 0xe0, 48}, {"author_key_digest", 0x110, 48}, {"report_id", 0x140, 32}, {"report_id_ma", 0x160, 32}, {"chip_id", 0x1a0, 64}};
    static const struct {
        const char *key;
        size_t at;
        unsigned n;
    } numbers[] = {{"version", 0, 4}, {"guest_svn", 4, 4}, {"policy", 8, 8}, {"vmpl", 0x30, 4}, {"sig_algo", 0x34, 4}, {"plat_info", 0x40, 8}, {"key_info", 0x48, 4}};
    static const struct {
        const char *key;
        size_t at;
    } tcbs[] = {{"current_tcb", 0x38}, {"reported_tcb", 0x180}, {"committed_tcb", 0x1e0}, {"launch_tcb", 0x1f0}};
    json_t *o = json_object(), *chain = json_null();
    for (size_t i = 0; i < TST_COUNT(lists); i++)
        json_object_set_new(o, lists[i].key, bytes_json(r + lists[i].at, lists[i].n));
    for (size_t i = 0; i < TST_COUNT(numbers); i++)
        json_object_set_new(o, numbers[i].key, json_integer(number(r + numbers[i].at, numbers[i].n)));
    for (size_t i = 0; i < TST_COUNT(tcbs); i++)
        json_object_set_new(o, tcbs[i].key, tcb_json(r, r + tcbs[i].at));
    bool v3 = r[0] >= 3, v5 = r[0] >= 5;
    json_object_set_new(o, "cpuid_fam_id", v3 ? json_integer(r[0x188]) : json_null());
    json_object_set_new(o, "cpuid_mod_id", v3 ? json_integer(r[0x189]) : json_null());
    json_object_set_new(o, "cpuid_step", v3 ? json_integer(r[0x18a]) : json_null());
    json_object_set_new(o, "current", json_pack("{s:i, s:i, s:i}", "major", r[0x1ea], "minor", r[0x1e9], "build", r[0x1e8]));
    json_object_set_new(o, "committed", json_pack("{s:i, s:i, s:i}", "major", r[0x1ee], "minor", r[0x1ed], "build", r[0x1ec]));
    json_object_set_new(o, "launch_mit_vector", v5 ? json_integer(number(r + 0x1f8, 8)) : json_null());
    json_object_set_new(o, "current_mit_vector", v5 ? json_integer(number(r + 0x200, 8)) : json_null());
    json_object_set_new(o, "signature", json_pack("{s:o, s:o}", "r", bytes_json(r + 0x2a0, 72), "s", bytes_json(r + 0x2e8, 72)));
    if (certs && certs->vek)
        chain = json_pack("[o, o, o]", cert_json("ARK", certs->ark), cert_json("ASK", certs->ask), cert_json("VCEK", certs->vek));
    return json_pack("{s:o, s:o}", "attestation_report", o, "cert_chain", chain);
}

static void put_json(struct tst_buf *out, json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);
    assert_non_null(text);
    put(out, text, strlen(text));
    free(text);
    json_decref(o);
}

static void wrap_sev_json(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    put_json(out, sev_json_of(report, certs));
}

static void wrap_kbs_request(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    put_json(out, json_pack("{s:n, s:{s:s}, s:{s:o, s:s}}", "init-data", "runtime-data", "nonce", "AAAA", "tee-evidence", "primary_evidence",
                            sev_json_of(report, certs), "additional_evidence", ""));
}

static void wrap_blob_json(const uint8_t *report, const struct tst_snp_certs *certs, struct tst_buf *out)
{
    TST_AUTO_BUF table = {0};
    put_table(&table, certs);
    TST_AUTO_STR r = tst_b64url(report, TST_SNP_REPORT_BYTES);
    TST_AUTO_STR t = tst_b64url(table.n ? (const void *)table.p : "", table.n);
    put_json(out, json_pack("{s:s, s:s}", "snp-report", r, "auxblob", t));
}

const struct form forms[] = {
    {"raw", TST_CONTAINER_RAW, TST_TEXT_NONE, true, false, wrap_raw},
    {"response", TST_CONTAINER_RESPONSE, TST_TEXT_NONE, true, false, wrap_response},
    {"short response", TST_CONTAINER_RESPONSE, TST_TEXT_NONE, true, false, wrap_response_short},
    {"extended", TST_CONTAINER_EXTENDED, TST_TEXT_NONE, true, true, wrap_extended},
    {"extended, PEM", TST_CONTAINER_EXTENDED, TST_TEXT_NONE, true, true, wrap_extended_pem},
    {"extended response", TST_CONTAINER_EXTENDED, TST_TEXT_NONE, true, true, wrap_extended_response},
    {"HCL", TST_CONTAINER_HCL, TST_TEXT_NONE, true, false, wrap_hcl},
    {"hex", TST_CONTAINER_RAW, TST_TEXT_HEX, true, false, wrap_hex},
    {"base64url", TST_CONTAINER_EXTENDED, TST_TEXT_BASE64, true, true, wrap_b64url},
    {"base64", TST_CONTAINER_RESPONSE, TST_TEXT_BASE64, true, false, wrap_base64},
    {"Trustee JSON", TST_CONTAINER_SEV_JSON, TST_TEXT_NONE, false, true, wrap_sev_json},
    {"KBS request", TST_CONTAINER_SEV_JSON, TST_TEXT_NONE, false, true, wrap_kbs_request},
    {"own JSON", TST_CONTAINER_BLOB_JSON, TST_TEXT_NONE, true, true, wrap_blob_json},
};
const size_t form_count = TST_COUNT(forms);
