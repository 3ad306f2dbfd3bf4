/* SPDX-License-Identifier: Apache-2.0 */
/* snp/certtable.c - the certificate table that a host hands to its guest (extended report, configfs-tsm auxblob).
 * The host wrote it: nothing in it is believed, its certificates count only when the chain verifies.
 * Entries {GUID[16] as printed, u32 offset, u32 length} end with a zero entry; offsets count from the table's start.
 * Source: GHCB specification 2.x, "SNP Extended Guest Request". */
#include <testudo/snp.h>

#define ENTRY_BYTES 24
#define GUID_BYTES 16

enum slot { SLOT_VCEK, SLOT_VLEK, SLOT_ASK, SLOT_ARK, SLOT_COUNT, /* no certificates: */ OTHER_CRL = SLOT_COUNT, OTHER_GOOGLE, KIND_COUNT };
struct table_kind {
    uint8_t guid[GUID_BYTES];
    const char *name;
};
static const struct table_kind table_kinds[KIND_COUNT] = {
    [SLOT_VCEK] = {{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd},
                   "VCEK"},
    [SLOT_VLEK] = {{0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1},
                   "VLEK"},
    [SLOT_ASK] = {{0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82},
                  "ASK"},
    [SLOT_ARK] = {{0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae},
                  "ARK"},
};

struct entry {
    uint8_t guid[GUID_BYTES];
    const struct table_kind *kind; /* NULL: not known */
    bool end;
    size_t offset;
    struct tst_bytes payload;
};

void tst_snp_certs_clear(struct tst_snp_certs *c)
{
    tst_cert_free(c->vek);
    tst_cert_free(c->ask);
    tst_cert_free(c->ark);
    *c = (struct tst_snp_certs){0};
}

static const struct table_kind *kind_of(const uint8_t guid[GUID_BYTES])
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (memcmp(guid, table_kinds[i].guid, GUID_BYTES) == 0)
            return &table_kinds[i];
    return NULL;
}

static struct tst_cert **slot_of(struct tst_snp_certs *c, const struct table_kind *kind)
{
    if (kind == &table_kinds[SLOT_ASK])
        return &c->ask;
    return kind == &table_kinds[SLOT_ARK] ? &c->ark : &c->vek;
}

static int entry_read(struct tst_rd *r, struct tst_bytes table, struct entry *out, struct tst_error **err)
{
    struct tst_bytes guid = tst_rd_take(r, GUID_BYTES);
    size_t offset = tst_rd_u32le(r), length = tst_rd_u32le(r);
    if (r->bad)
        return tst_fail(err, TST_USAGE, "certificate table: no end entry");
    *out = (struct entry){.end = tst_is_zero(guid.p, guid.n) && offset == 0 && length == 0};
    if (out->end)
        return 0;
    if (offset > table.n || length > table.n - offset)
        return tst_fail(err, TST_USAGE, "certificate table: payload at %zu of %zu bytes is outside the table of %zu", offset,
                        length, table.n);
    memcpy(out->guid, guid.p, sizeof out->guid);
    out->kind = kind_of(guid.p);
    out->offset = offset;
    out->payload = (struct tst_bytes){table.p + offset, length};
    return 0;
}

static bool holds_cert(const struct entry *e)
{
    return e->kind && e->kind < &table_kinds[SLOT_COUNT];
}

/* Fills the entry's slot unless something is there already. */
static int entry_load(const struct entry *e, struct tst_snp_certs *out, struct tst_error **err)
{
    struct tst_cert **slot = slot_of(out, e->kind);
    size_t count = 0;
    if (*slot)
        return 0;
    int rc = tst_certs_from_text(e->payload.p, e->payload.n, slot, 1, &count, err);
    if (rc < 0)
        return tst_wrap(err, "certificate table: %s", e->kind->name);
    if (count != 1 || !*slot)
        return tst_fail(err, TST_USAGE, "certificate table: %s: no certificate in its payload", e->kind->name);
    return 0;
}

int tst_snp_cert_table_parse(const void *p, size_t n, struct tst_snp_certs *out, struct tst_error **err)
{
    struct tst_bytes table = {p, n};
    struct tst_rd r = tst_rd_of(p, n);
    struct entry e = {0};
    if (n > TST_SNP_CERT_TABLE_MAX)
        return tst_fail(err, TST_TOO_LARGE, "certificate table: %zu bytes, at most %d", n, TST_SNP_CERT_TABLE_MAX);
    for (;;) {
        int rc = entry_read(&r, table, &e, err);
        if (rc < 0 || e.end)
            return rc;
        rc = holds_cert(&e) ? entry_load(&e, out, err) : 0;
        if (rc < 0)
            return rc;
    }
}

static void guid_print(const uint8_t guid[GUID_BYTES], char out[37])
{
    static const uint8_t dash_before[GUID_BYTES] = {[4] = 1, [6] = 1, [8] = 1, [10] = 1};
    for (size_t i = 0; i < GUID_BYTES; i++) {
        if (dash_before[i])
            *out++ = '-';
        tst_hex(&guid[i], 1, out);
        out += 2;
    }
}

int tst_snp_cert_table_each(const void *p, size_t n, tst_snp_cert_entry_fn *each, void *ctx, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(p, n);
    struct entry e = {0};
    if (n > TST_SNP_CERT_TABLE_MAX)
        return tst_fail(err, TST_TOO_LARGE, "certificate table: %zu bytes, at most %d", n, TST_SNP_CERT_TABLE_MAX);
    for (;;) {
        int rc = entry_read(&r, (struct tst_bytes){p, n}, &e, err);
        if (rc < 0 || e.end)
            return rc;
        struct tst_snp_cert_entry shown = {.name = e.kind ? e.kind->name : NULL, .offset = e.offset, .payload = e.payload};
        guid_print(e.guid, shown.guid);
        rc = each(ctx, &shown, err);
        if (rc < 0)
            return rc;
    }
}

static void put_u32le(uint8_t *to, size_t v)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

struct payload {
    const struct table_kind *kind;
    const struct tst_cert *cert;
    uint8_t *der;
    size_t n;
};

static int payloads_encode(struct payload *list, size_t count, struct tst_error **err)
{
    for (size_t i = 0; i < count; i++) {
        int rc = tst_cert_to_der(list[i].cert, &list[i].der, &list[i].n, err);
        if (rc < 0)
            return tst_wrap(err, "certificate table: %s", list[i].kind->name);
    }
    return 0;
}

static int table_write(const struct payload *list, size_t count, struct tst_buf *out, struct tst_error **err)
{
    size_t offset = (count + 1) * ENTRY_BYTES;
    uint8_t entry[ENTRY_BYTES];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        memcpy(entry, list[i].kind->guid, GUID_BYTES);
        put_u32le(entry + GUID_BYTES, offset);
        put_u32le(entry + GUID_BYTES + 4, list[i].n);
        offset += list[i].n;
        rc = tst_buf_put(out, entry, sizeof entry, err);
    }
    memset(entry, 0, sizeof entry);
    if (rc == 0)
        rc = tst_buf_put(out, entry, sizeof entry, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = tst_buf_put(out, list[i].der, list[i].n, err);
    if (rc == 0 && offset > TST_SNP_CERT_TABLE_MAX)
        rc = tst_fail(err, TST_TOO_LARGE, "certificate table: %zu bytes, at most %d", offset, TST_SNP_CERT_TABLE_MAX);
    return rc;
}

static int vek_kind(const struct tst_cert *vek, const struct table_kind **kind, struct tst_error **err)
{
    struct tst_cert_info info;
    int rc = tst_cert_info(vek, &info, err);
    *kind = &table_kinds[rc == 0 && strcmp(info.subject_cn, "SEV-VLEK") == 0 ? SLOT_VLEK : SLOT_VCEK];
    return rc;
}

int tst_snp_cert_table_build(const struct tst_snp_certs *c, struct tst_buf *out, struct tst_error **err)
{
    struct payload list[3] = {0};
    size_t count = 0;
    int rc = 0;
    if (c->vek) {
        list[count].cert = c->vek;
        rc = vek_kind(c->vek, &list[count++].kind, err);
    }
    if (c->ask)
        list[count++] = (struct payload){.kind = &table_kinds[SLOT_ASK], .cert = c->ask};
    if (c->ark)
        list[count++] = (struct payload){.kind = &table_kinds[SLOT_ARK], .cert = c->ark};
    if (rc == 0)
        rc = payloads_encode(list, count, err);
    if (rc == 0)
        rc = table_write(list, count, out, err);
    for (size_t i = 0; i < count; i++)
        tst_free(list[i].der);
    return rc;
}
