/* SPDX-License-Identifier: Apache-2.0 */
/* snp/ovmf.c - the table of GUIDs at the end of an OVMF (or SVSM) image and the SEV metadata it points to.
 * The table grows down from 50 bytes before the end; each entry is its data, u16 size of all of it, GUID.
 * Source: EDK II OvmfPkg/ResetVector (OvmfSevMetadata, ResetVectorVtf0); coconut-svsm stage 1. */
#include <testudo/measure.h>

#define GUID_BYTES 16
#define ENTRY_TAIL_BYTES 18 /* u16 size, GUID */
#define AFTER_TABLE_BYTES 32 /* reset vector */
#define METADATA_HEADER_BYTES 16
#define METADATA_ITEM_BYTES 12
#define METADATA_VERSION 1

/* GUIDs in the byte order of the image (first three fields little-endian). */
static const uint8_t guid_footer[GUID_BYTES] = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
                                                0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};

static const struct section_row {
    enum tst_section_kind kind;
    const char *name;
} section_rows[] = {
    {TST_SECTION_SEC_MEM, "memory"},     {TST_SECTION_SECRETS, "secrets"},
    {TST_SECTION_CPUID, "cpuid"},        {TST_SECTION_SVSM_CAA, "svsm-caa"},
    {TST_SECTION_KERNEL_HASHES, "kernel-hashes"},
};

const char *tst_section_name(enum tst_section_kind k)
{
    for (size_t i = 0; i < TST_COUNT(section_rows); i++)
        if (section_rows[i].kind == k)
            return section_rows[i].name;
    return NULL;
}

/* ---- SEV metadata ---- */
static int check_section(const struct tst_section *s, struct tst_error **err)
{
    const char *name = tst_section_name(s->kind);
    if (!name)
        return tst_fail(err, TST_USAGE, "section of unknown type %#x", (unsigned)s->kind);
    if (s->gpa % TST_PAGE_BYTES || s->bytes % TST_PAGE_BYTES || s->bytes == 0 || s->bytes > UINT32_MAX - s->gpa)
        return tst_fail(err, TST_USAGE, "%s section at %#x, %#x bytes: not whole pages below 4 GiB", name, s->gpa, s->bytes);
    if (s->kind != TST_SECTION_SEC_MEM && s->bytes != TST_PAGE_BYTES)
        return tst_fail(err, TST_USAGE, "%s section of %#x bytes, it is one page", name, s->bytes);
    return 0;
}

static int read_sections(struct tst_rd *r, uint32_t count, struct tst_firmware *out, struct tst_error **err)
{
    uint64_t total = 0;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        struct tst_section *s = &out->sections[i];
        s->gpa = tst_rd_u32le(r);
        s->bytes = tst_rd_u32le(r);
        s->kind = (enum tst_section_kind)tst_rd_u32le(r);
        rc = check_section(s, err);
        total += s->bytes;
    }
    if (rc == 0 && total > TST_SECTION_MAX_BYTES)
        rc = tst_fail(err, TST_TOO_LARGE, "sections of %llu bytes, at most %u", (unsigned long long)total, TST_SECTION_MAX_BYTES);
    if (rc == 0)
        out->section_count = count;
    return rc;
}

static int read_metadata(uint32_t from_end, struct tst_firmware *out, struct tst_error **err)
{
    if (from_end > out->image.n || from_end < METADATA_HEADER_BYTES)
        return tst_fail(err, TST_USAGE, "lies outside of the image (%u bytes before its end)", from_end);
    struct tst_rd r = tst_rd_of(out->image.p + out->image.n - from_end, from_end);
    struct tst_bytes magic = tst_rd_take(&r, 4);
    uint32_t length = tst_rd_u32le(&r), version = tst_rd_u32le(&r), count = tst_rd_u32le(&r);
    if (memcmp(magic.p, "ASEV", 4) != 0)
        return tst_fail(err, TST_USAGE, "does not start with 'ASEV'");
    if (version != METADATA_VERSION)
        return tst_fail(err, TST_USAGE, "version %u, version %d is known", version, METADATA_VERSION);
    if (count > TST_SECTIONS_MAX)
        return tst_fail(err, TST_TOO_LARGE, "%u sections, at most %d", count, TST_SECTIONS_MAX);
    if (length != METADATA_HEADER_BYTES + count * METADATA_ITEM_BYTES || length > from_end)
        return tst_fail(err, TST_USAGE, "length %u does not fit %u sections", length, count);
    return read_sections(&r, count, out, err);
}

/* ---- entries ---- */
typedef int entry_fn(struct tst_rd *r, struct tst_firmware *out, struct tst_error **err);

static int entry_reset(struct tst_rd *r, struct tst_firmware *out, struct tst_error **err)
{
    (void)err;
    out->has_reset = true;
    out->reset_eip = tst_rd_u32le(r);
    return 0;
}

/* Both numbers zero: this build has the entry but no table. */
static int entry_hashes(struct tst_rd *r, struct tst_firmware *out, struct tst_error **err)
{
    (void)err;
    out->hashes_gpa = tst_rd_u32le(r);
    out->hashes_bytes = tst_rd_u32le(r);
    out->has_hashes = out->hashes_gpa != 0 && out->hashes_bytes != 0;
    return 0;
}

static int entry_svsm(struct tst_rd *r, struct tst_firmware *out, struct tst_error **err)
{
    (void)err;
    out->has_svsm_info = true;
    out->svsm_entry = tst_rd_u32le(r);
    return 0;
}

static int entry_metadata(struct tst_rd *r, struct tst_firmware *out, struct tst_error **err)
{
    return read_metadata(tst_rd_u32le(r), out, err);
}

static const struct entry_row {
    uint8_t guid[GUID_BYTES];
    const char *name;
    size_t bytes;
    entry_fn *read;
} entries[] = {
    {{0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f, 0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e}, "SEV-ES reset block", 4, entry_reset},
    {{0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b, 0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54}, "kernel hashes", 8, entry_hashes},
    {{0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47, 0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc}, "SEV metadata", 4, entry_metadata},
    {{0x12, 0xa6, 0x89, 0xa7, 0x97, 0x05, 0x4b, 0x4c, 0xa4, 0x9f, 0xcb, 0xb1, 0xfe, 0x9d, 0x1d, 0xdd}, "SVSM info", 4, entry_svsm},
};

/* *seen: one bit a row of `entries`. */
static int read_entry(const uint8_t *guid, struct tst_bytes data, unsigned *seen, struct tst_firmware *out, struct tst_error **err)
{
    size_t i = 0;
    while (i < TST_COUNT(entries) && memcmp(entries[i].guid, guid, GUID_BYTES) != 0)
        i++;
    if (i == TST_COUNT(entries))
        return 0; /* not about SEV: passed over */
    if (*seen & 1u << i)
        return tst_fail(err, TST_USAGE, "%s: stands twice in the table", entries[i].name);
    *seen |= 1u << i;
    if (data.n != entries[i].bytes)
        return tst_fail(err, TST_USAGE, "%s: %zu bytes, expected %zu", entries[i].name, data.n, entries[i].bytes);
    struct tst_rd r = tst_rd_of(data.p, data.n);
    int rc = entries[i].read(&r, out, err);
    return rc < 0 ? tst_wrap(err, "%s", entries[i].name) : tst_rd_finish(&r, entries[i].name, err);
}

static uint16_t u16_at(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static int read_table(struct tst_bytes table, struct tst_firmware *out, struct tst_error **err)
{
    unsigned seen = 0;
    int rc = 0;
    while (rc == 0 && table.n > 0) {
        if (table.n < ENTRY_TAIL_BYTES)
            return tst_fail(err, TST_USAGE, "%zu bytes before the first entry", table.n);
        const uint8_t *guid = table.p + table.n - GUID_BYTES;
        size_t bytes = u16_at(guid - 2);
        if (bytes < ENTRY_TAIL_BYTES || bytes > table.n)
            return tst_fail(err, TST_USAGE, "entry of %zu bytes, %zu are left", bytes, table.n);
        table.n -= bytes;
        rc = read_entry(guid, (struct tst_bytes){table.p + table.n, bytes - ENTRY_TAIL_BYTES}, &seen, out, err);
    }
    return rc;
}

int tst_firmware_parse(const void *p, size_t n, struct tst_firmware *out, struct tst_error **err)
{
    *out = (struct tst_firmware){.image = {p, n}};
    if (n > TST_FIRMWARE_MAX_BYTES)
        return tst_fail(err, TST_TOO_LARGE, "firmware: %zu bytes, at most %u", n, TST_FIRMWARE_MAX_BYTES);
    if (n < AFTER_TABLE_BYTES + ENTRY_TAIL_BYTES)
        return tst_fail(err, TST_USAGE, "firmware: %zu bytes are too few", n);
    const uint8_t *footer = out->image.p + n - AFTER_TABLE_BYTES - GUID_BYTES;
    if (memcmp(footer, guid_footer, GUID_BYTES) != 0)
        return 0;
    out->has_table = true;
    size_t bytes = u16_at(footer - 2), room = n - AFTER_TABLE_BYTES;
    if (bytes < ENTRY_TAIL_BYTES || bytes > room)
        return tst_fail(err, TST_USAGE, "firmware: table of %zu bytes does not fit into the image", bytes);
    struct tst_bytes table = {out->image.p + room - bytes, bytes - ENTRY_TAIL_BYTES};
    int rc = read_table(table, out, err);
    return rc < 0 ? tst_wrap(err, "firmware: table") : 0;
}
