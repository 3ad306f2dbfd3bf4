/* SPDX-License-Identifier: Apache-2.0 */
/* snp/container_json.c - evidence as JSON. Two families: those that carry the raw report as base64 (this project's
 * {"snp-report","auxblob"}, COCONUT's {"snp-report","certs-buf"}), and Trustee's, which carries the report member by member
 * as the Rust crate `sev` names them. That one is put back into its 1184 bytes by the table below, since only those are
 * signed; members that only old versions of the crate write have their rows too. */
#include "container_inner.h"

#include <stdlib.h>

#define VERSION_MITIGATION 5

enum member_kind { MEMBER_NUMBER, MEMBER_BYTES, MEMBER_TCB, MEMBER_FIRMWARE, MEMBER_SIGNATURE };
struct member {
    const char *key;
    enum member_kind kind;
    uint16_t offset, size;
    bool optional; /* may be absent or null: its bytes are zero then */
};
static const struct member members[] = {
    {"version", MEMBER_NUMBER, 0x000, 4, false},
    {"guest_svn", MEMBER_NUMBER, 0x004, 4, false},
    {"policy", MEMBER_NUMBER, 0x008, 8, false},
    {"family_id", MEMBER_BYTES, 0x010, 16, false},
    {"image_id", MEMBER_BYTES, 0x020, 16, false},
    {"vmpl", MEMBER_NUMBER, 0x030, 4, false},
    {"sig_algo", MEMBER_NUMBER, 0x034, 4, false},
    {"current_tcb", MEMBER_TCB, 0x038, 8, false},
    {"plat_info", MEMBER_NUMBER, 0x040, 8, false},
    {"key_info", MEMBER_NUMBER, 0x048, 4, true},
    {"_author_key_en", MEMBER_NUMBER, 0x048, 4, true}, /* the same field before crate version 5 */
    {"author_key_en", MEMBER_NUMBER, 0x048, 4, true},
    {"_reserved_0", MEMBER_NUMBER, 0x04c, 4, true},
    {"report_data", MEMBER_BYTES, 0x050, 64, false},
    {"measurement", MEMBER_BYTES, 0x090, 48, false},
    {"host_data", MEMBER_BYTES, 0x0c0, 32, false},
    {"id_key_digest", MEMBER_BYTES, 0x0e0, 48, false},
    {"author_key_digest", MEMBER_BYTES, 0x110, 48, false},
    {"report_id", MEMBER_BYTES, 0x140, 32, false},
    {"report_id_ma", MEMBER_BYTES, 0x160, 32, false},
    {"reported_tcb", MEMBER_TCB, 0x180, 8, false},
    {"_reserved_1", MEMBER_BYTES, 0x188, 24, true},
    {"cpuid_fam_id", MEMBER_NUMBER, 0x188, 1, true},
    {"cpuid_mod_id", MEMBER_NUMBER, 0x189, 1, true},
    {"cpuid_step", MEMBER_NUMBER, 0x18a, 1, true},
    {"chip_id", MEMBER_BYTES, 0x1a0, 64, false},
    {"committed_tcb", MEMBER_TCB, 0x1e0, 8, false},
    {"current", MEMBER_FIRMWARE, 0x1e8, 3, true},
    {"current_build", MEMBER_NUMBER, 0x1e8, 1, true},
    {"current_minor", MEMBER_NUMBER, 0x1e9, 1, true},
    {"current_major", MEMBER_NUMBER, 0x1ea, 1, true},
    {"_reserved_2", MEMBER_NUMBER, 0x1eb, 1, true},
    {"committed", MEMBER_FIRMWARE, 0x1ec, 3, true},
    {"committed_build", MEMBER_NUMBER, 0x1ec, 1, true},
    {"committed_minor", MEMBER_NUMBER, 0x1ed, 1, true},
    {"committed_major", MEMBER_NUMBER, 0x1ee, 1, true},
    {"_reserved_3", MEMBER_NUMBER, 0x1ef, 1, true},
    {"launch_tcb", MEMBER_TCB, 0x1f0, 8, false},
    {"_reserved_4", MEMBER_BYTES, 0x1f8, 168, true},
    {"launch_mit_vector", MEMBER_NUMBER, 0x1f8, 8, true},
    {"current_mit_vector", MEMBER_NUMBER, 0x200, 8, true},
    {"signature", MEMBER_SIGNATURE, TST_SNP_SIGNED_BYTES, 512, false},
};

/* ---- values ---- */
static int put_number(const json_t *v, const char *key, uint8_t *to, size_t size, struct tst_error **err)
{
    json_int_t n = json_is_integer(v) ? json_integer_value(v) : json_is_boolean(v) ? json_is_true(v) : -1;
    if (n < 0 || (size < 8 && (uint64_t)n >> (8 * size)))
        return tst_fail(err, TST_USAGE, "\"%s\" is not a number of %zu bytes", key, size);
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)((uint64_t)n >> (8 * i));
    return 0;
}

/* A list of numbers 0 to 255, or hex digits. */
static int put_bytes(const json_t *v, const char *key, uint8_t *to, size_t size, struct tst_error **err)
{
    if (json_is_string(v)) {
        int rc = tst_unhex(json_string_value(v), to, size, err);
        return rc < 0 ? tst_wrap(err, "\"%s\"", key) : 0;
    }
    if (!json_is_array(v) || json_array_size(v) != size)
        return tst_fail(err, TST_USAGE, "\"%s\" is not a list of %zu bytes", key, size);
    for (size_t i = 0; i < size; i++) {
        int rc = put_number(json_array_get(v, i), key, &to[i], 1, err);
        if (rc < 0)
            return tst_wrap(err, "byte %zu", i);
    }
    return 0;
}

struct part {
    const char *key;
    uint8_t offset, size;
    bool optional;
};

/* An object with known members, each at its place; others are refused: their bytes would be lost. */
static int put_parts(const json_t *v, const char *key, const struct part *parts, size_t count, uint8_t *to, struct tst_error **err)
{
    size_t used = 0;
    int rc = json_is_object(v) ? 0 : tst_fail(err, TST_USAGE, "not an object");
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const json_t *part = json_object_get(v, parts[i].key);
        used += part != NULL;
        if (part && !json_is_null(part))
            rc = parts[i].size > 8 || json_is_array(part) ? put_bytes(part, parts[i].key, to + parts[i].offset, parts[i].size, err)
                                                        : put_number(part, parts[i].key, to + parts[i].offset, parts[i].size, err);
        else if (!parts[i].optional)
            rc = tst_fail(err, TST_USAGE, "\"%s\" is missing", parts[i].key);
    }
    if (rc == 0 && used != json_object_size(v))
        rc = tst_fail(err, TST_USAGE, "has a member that is not known");
    return rc < 0 ? tst_wrap(err, "\"%s\"", key) : 0;
}

/* Which of the two layouts: the Turin one has the component fmc. */
static int put_tcb(const json_t *v, const char *key, uint8_t *to, struct tst_error **err)
{
    static const struct part first[] = {
        {"fmc", 0, 1, true},      {"bootloader", 0, 1, false}, {"tee", 1, 1, false},
        {"_reserved", 2, 4, true}, {"snp", 6, 1, false},        {"microcode", 7, 1, false}};
    static const struct part turin[] = {
        {"fmc", 0, 1, false}, {"bootloader", 1, 1, false}, {"tee", 2, 1, false},
        {"snp", 3, 1, false}, {"_reserved", 4, 3, true},   {"microcode", 7, 1, false}};
    const json_t *fmc = json_object_get(v, "fmc");
    bool has_fmc = fmc && !json_is_null(fmc);
    return put_parts(v, key, has_fmc ? turin : first, has_fmc ? TST_COUNT(turin) : TST_COUNT(first), to, err);
}

static int put_member(const struct member *m, const json_t *v, uint8_t *report, struct tst_error **err)
{
    static const struct part firmware[] = {{"build", 0, 1, false}, {"minor", 1, 1, false}, {"major", 2, 1, false}};
    static const struct part signature[] = {{"r", 0, 72, false}, {"s", 72, 72, false}};
    uint8_t *to = report + m->offset;
    switch (m->kind) {
    case MEMBER_NUMBER:
        return put_number(v, m->key, to, m->size, err);
    case MEMBER_BYTES:
        return put_bytes(v, m->key, to, m->size, err);
    case MEMBER_TCB:
        return put_tcb(v, m->key, to, err);
    case MEMBER_FIRMWARE:
        return put_parts(v, m->key, firmware, TST_COUNT(firmware), to, err);
    case MEMBER_SIGNATURE:
        return put_parts(v, m->key, signature, TST_COUNT(signature), to, err);
    }
    return tst_fail(err, TST_INTERNAL, "no such kind of member");
}

static bool is_member(const char *key)
{
    for (size_t i = 0; i < TST_COUNT(members); i++)
        if (strcmp(members[i].key, key) == 0)
            return true;
    return false;
}

/* A key is the sender's: only a plain one is repeated. */
static bool is_plain(const char *key)
{
    size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return key[n] == '\0' && n <= 64;
}

static int refuse_unknown(json_t *report, struct tst_error **err)
{
    const char *key;
    json_t *value;
    json_object_foreach(report, key, value)
    {
        if (is_member(key))
            continue;
        tst_fail(err, TST_USAGE, "a member of the report is not known");
        return tst_hint(err, "the members of the crate sev's AttestationReport", is_plain(key) ? key : NULL,
                        "--lenient passes over it; then the signature shows whether it belonged to the signed bytes");
    }
    return 0;
}

/* ---- Trustee: {"attestation_report", "cert_chain"} ---- */
static int take_sev_report(json_t *report, bool lenient, struct tst_container *out, struct tst_error **err)
{
    out->kind = TST_CONTAINER_SEV_JSON;
    int rc = lenient ? 0 : refuse_unknown(report, err);
    for (size_t i = 0; rc == 0 && i < TST_COUNT(members); i++) {
        const json_t *v = json_object_get(report, members[i].key);
        if (v && !json_is_null(v))
            rc = put_member(&members[i], v, out->report, err);
        else if (!members[i].optional)
            rc = tst_fail(err, TST_USAGE, "\"%s\" is missing", members[i].key);
    }
    const json_t *mitigation = json_object_get(report, "launch_mit_vector");
    out->lacks_mitigation = out->report[0] >= VERSION_MITIGATION && (!mitigation || json_is_null(mitigation)) &&
                            !json_object_get(report, "_reserved_4");
    return rc;
}

static struct tst_cert **slot_of(const char *type, struct tst_snp_certs *certs)
{
    const struct {
        const char *type;
        struct tst_cert **slot;
    } rows[] = {{"VCEK", &certs->vek}, {"VLEK", &certs->vek}, {"ASK", &certs->ask}, {"ASVK", &certs->ask}, {"ARK", &certs->ark}};
    for (size_t i = 0; type && i < TST_COUNT(rows); i++)
        if (strcmp(type, rows[i].type) == 0)
            return rows[i].slot;
    return NULL; /* CRL, OTHER: passed over */
}

static int take_cert(const json_t *entry, struct tst_container *out, struct tst_error **err)
{
    const char *type = json_string_value(json_object_get(entry, "cert_type"));
    struct tst_cert **slot = slot_of(type, &out->certs);
    const json_t *data = json_object_get(entry, "data");
    size_t n = json_is_array(data) ? json_array_size(data) : json_is_string(data) ? json_string_length(data) / 2 : 0, count = 0;
    if (!slot || *slot)
        return 0;
    if (n == 0 || n > TST_CERT_MAX_BYTES)
        return tst_fail(err, TST_USAGE, "cert_chain: %s: no data of 1 to %d bytes", type, TST_CERT_MAX_BYTES);
    TST_AUTO_STR bytes = malloc(n);
    if (!bytes)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = put_bytes(data, "data", (uint8_t *)bytes, n, err);
    if (rc == 0)
        rc = tst_certs_from_text(bytes, n, slot, 1, &count, err);
    return rc < 0 ? tst_wrap(err, "cert_chain: %s", type) : 0;
}

static int take_cert_chain(const json_t *chain, struct tst_container *out, struct tst_error **err)
{
    if (!chain || json_is_null(chain))
        return 0;
    if (!json_is_array(chain))
        return tst_fail(err, TST_USAGE, "cert_chain: not a list");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < json_array_size(chain); i++)
        rc = take_cert(json_array_get(chain, i), out, err);
    return rc;
}

/* ---- {"snp-report", "auxblob" | "certs-buf"} ---- */
static int decode(const json_t *v, const char *key, struct tst_buf *out, struct tst_error **err)
{
    enum tst_container_text text;
    struct tst_bytes in = {(const uint8_t *)json_string_value(v), json_is_string(v) ? json_string_length(v) : 0};
    if (!json_is_string(v))
        return tst_fail(err, TST_USAGE, "\"%s\" is not a string", key);
    int rc = in.n == 0 ? 0 : text_is(in) ? text_decode(in, out, &text, err) : tst_fail(err, TST_USAGE, "not base64");
    return rc < 0 ? tst_wrap(err, "\"%s\"", key) : 0;
}

static int take_blobs(const json_t *o, struct tst_container *out, struct tst_error **err)
{
    TST_AUTO_BUF report = {0};
    TST_AUTO_BUF table = {0};
    const char *key = json_object_get(o, "auxblob") ? "auxblob" : "certs-buf";
    const json_t *certs = json_object_get(o, key);
    int rc = decode(json_object_get(o, "snp-report"), "snp-report", &report, err);
    if (rc == 0 && certs && !json_is_null(certs))
        rc = decode(certs, key, &table, err);
    if (rc < 0)
        return rc;
    out->kind = TST_CONTAINER_BLOB_JSON;
    rc = container_take_report((struct tst_bytes){report.p, report.n}, out, err);
    if (rc < 0)
        return tst_wrap(err, "\"snp-report\"");
    rc = table.n ? container_take_table((struct tst_bytes){table.p, table.n}, out, err) : 0;
    return rc < 0 ? tst_wrap(err, "\"%s\"", key) : 0;
}

/* The evidence may lie in what it was sent in: a KBS attest request, a join request. */
static json_t *unwrap(json_t *o)
{
    static const char *const wrappers[] = {"tee-evidence", "primary_evidence", "evidence"};
    for (size_t i = 0; i < TST_COUNT(wrappers); i++) {
        json_t *inner = json_object_get(o, wrappers[i]);
        if (json_is_object(inner))
            o = inner;
    }
    return o;
}

int container_read_json(struct tst_bytes in, bool lenient, struct tst_container *out, struct tst_error **err)
{
    TST_AUTO_JSON root = NULL;
    int rc = tst_json_parse((const char *)in.p, in.n, TST_CONTAINER_MAX, &root, err);
    if (rc < 0)
        return rc;
    json_t *o = unwrap(root), *report = json_object_get(o, "attestation_report");
    if (json_object_get(o, "snp-report"))
        rc = take_blobs(o, out, err);
    else if (json_is_object(report) || json_object_get(o, "report_data"))
        rc = take_sev_report(json_is_object(report) ? report : o, lenient, out, err);
    else {
        tst_fail(err, TST_USAGE, "JSON without SEV-SNP evidence");
        return tst_hint(err, "a member attestation_report (Trustee) or snp-report", NULL, NULL);
    }
    if (rc == 0 && json_is_object(report))
        rc = take_cert_chain(json_object_get(o, "cert_chain"), out, err);
    return rc < 0 ? tst_wrap(err, "JSON evidence") : 0;
}
