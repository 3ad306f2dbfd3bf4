/* SPDX-License-Identifier: Apache-2.0 */
/* snp/igvm.c - an IGVM file (a whole guest as one list of directives) -> its SEV-SNP launch digest.
 * Fixed header, then variable headers {u32 type, u32 length, content, zeros up to 8} in three sections that do not mix
 * (platforms, initialization, directives), then data that headers refer to by offset. Only what is for SEV-SNP counts.
 * Source: IGVM file format, versions 1 and 2 (igvm_defs). */
#include "measure_inner.h"

#define FIXED_BYTES_V1 24
#define FIXED_BYTES_V2 32
#define CHECKSUM_OFFSET 20
#define HEADER_BYTES 8
#define PLATFORM_SEV_SNP 2
#define MAY_BE_IGNORED 0x80000000u
#define AREAS_MAX 64
#define AREA_MAX_BYTES (64u * 1024 * 1024)
#define PAGES_MAX 0x40000u /* 1 GiB */

enum page_flag { PAGE_IS_2MB = 1, PAGE_UNMEASURED = 2, PAGE_SHARED = 4 };
enum page_type { PAGE_NORMAL, PAGE_SECRETS, PAGE_CPUID_DATA, PAGE_CPUID_XF };

struct area {
    uint32_t index;
    uint64_t bytes;
    bool used;
};
struct igvm_reader {
    struct tst_bytes file;
    const struct tst_igvm_options *options;
    struct tst_igvm *out;
    struct ld ld;
    uint8_t zero_digest[TST_SHA384_BYTES]; /* of a page of zeros */
    uint32_t mask;                          /* compatibility mask of SEV-SNP; 0 = no such platform (yet) */
    unsigned section;
    uint32_t measured; /* pages so far */
    struct area areas[AREAS_MAX];
    size_t area_count;
};

/* ---- helpers ---- */
static bool is_for_us(const struct igvm_reader *g, uint32_t mask)
{
    return (mask & g->mask) != 0;
}

static int count_pages(struct igvm_reader *g, uint64_t pages, struct tst_error **err)
{
    if (pages > PAGES_MAX - g->measured)
        return tst_fail(err, TST_TOO_LARGE, "more than %u pages", PAGES_MAX);
    g->measured += (uint32_t)pages;
    return 0;
}

static int page_aligned(uint64_t gpa, struct tst_error **err)
{
    return gpa % TST_PAGE_BYTES == 0 ? 0 : tst_fail(err, TST_USAGE, "address %#llx is not a page", (unsigned long long)gpa);
}

static int data_page(const struct igvm_reader *g, uint32_t offset, const uint8_t **out, struct tst_error **err)
{
    if (g->file.n < TST_PAGE_BYTES || offset > g->file.n - TST_PAGE_BYTES)
        return tst_fail(err, TST_USAGE, "its page at file offset %#x lies outside of the file", offset);
    *out = g->file.p + offset;
    return 0;
}

/* ---- variable headers ---- */
static int read_platform(struct igvm_reader *g, struct tst_rd *r, struct tst_error **err)
{
    uint32_t mask = tst_rd_u32le(r);
    tst_rd_skip(r, 1); /* highest VTL */
    uint8_t type = tst_rd_u8(r);
    tst_rd_skip(r, 10); /* version, shared GPA boundary */
    if (type != PLATFORM_SEV_SNP)
        return 0;
    if (g->mask)
        return tst_fail(err, TST_USAGE, "SEV-SNP stands twice");
    if (mask == 0 || (mask & (mask - 1)))
        return tst_fail(err, TST_USAGE, "compatibility mask %#x, expected one bit", mask);
    g->mask = mask;
    return 0;
}

static int read_policy(struct igvm_reader *g, struct tst_rd *r, struct tst_error **err)
{
    uint64_t policy = tst_rd_u64le(r);
    uint32_t mask = tst_rd_u32le(r);
    tst_rd_skip(r, 4);
    if (!is_for_us(g, mask))
        return 0;
    if (g->out->has_policy)
        return tst_fail(err, TST_USAGE, "a second one for SEV-SNP");
    g->out->has_policy = true;
    g->out->policy = policy;
    return 0;
}

static struct area *area_find(struct igvm_reader *g, uint32_t index)
{
    for (size_t i = 0; i < g->area_count; i++)
        if (g->areas[i].index == index)
            return &g->areas[i];
    return NULL;
}

static int read_area(struct igvm_reader *g, struct tst_rd *r, struct tst_error **err)
{
    struct area a = {.used = false};
    a.bytes = tst_rd_u64le(r);
    a.index = tst_rd_u32le(r);
    tst_rd_skip(r, 4); /* initial data: not measured */
    if (a.bytes % TST_PAGE_BYTES || a.bytes > AREA_MAX_BYTES)
        return tst_fail(err, TST_USAGE, "%llu bytes, expected whole pages up to %u", (unsigned long long)a.bytes, AREA_MAX_BYTES);
    if (area_find(g, a.index))
        return tst_fail(err, TST_USAGE, "index %u stands twice", a.index);
    if (g->area_count == AREAS_MAX)
        return tst_fail(err, TST_TOO_LARGE, "more than %d of them", AREAS_MAX);
    g->areas[g->area_count++] = a;
    return 0;
}

static int read_insert(struct igvm_reader *g, struct tst_rd *r, struct tst_error **err)
{
    uint64_t gpa = tst_rd_u64le(r);
    uint32_t mask = tst_rd_u32le(r), index = tst_rd_u32le(r);
    struct area *a = area_find(g, index);
    if (!is_for_us(g, mask))
        return 0;
    if (!a || a->used)
        return tst_fail(err, TST_USAGE, "parameter area %u %s", index, a ? "is inserted twice" : "was not declared");
    a->used = true;
    int rc = page_aligned(gpa, err);
    if (rc == 0 && gpa > UINT64_MAX - a->bytes)
        rc = tst_fail(err, TST_USAGE, "runs over the end of memory");
    if (rc == 0)
        rc = count_pages(g, a->bytes / TST_PAGE_BYTES, err);
    g->out->parameter_pages += (uint32_t)(a->bytes / TST_PAGE_BYTES);
    return rc == 0 ? ld_extend_range(&g->ld, LD_UNMEASURED, gpa, a->bytes, err) : rc;
}

static int measure_data(struct igvm_reader *g, uint64_t gpa, uint32_t offset, struct tst_error **err)
{
    uint8_t contents[TST_SHA384_BYTES];
    const uint8_t *page = NULL;
    if (offset == 0) {
        g->out->zero_pages++;
        return g->options->native_zero ? ld_extend(&g->ld, LD_ZERO, gpa, NULL, err)
                                       : ld_extend(&g->ld, LD_NORMAL, gpa, g->zero_digest, err);
    }
    int rc = data_page(g, offset, &page, err);
    if (rc == 0)
        rc = ld_page_digest(&g->ld, page, contents, err);
    return rc == 0 ? ld_extend(&g->ld, LD_NORMAL, gpa, contents, err) : rc;
}

static int read_page(struct igvm_reader *g, struct tst_rd *r, struct tst_error **err)
{
    uint64_t gpa = tst_rd_u64le(r);
    uint32_t mask = tst_rd_u32le(r), offset = tst_rd_u32le(r), flags = tst_rd_u32le(r);
    unsigned type = tst_rd_u16le(r);
    tst_rd_skip(r, 2);
    if (!is_for_us(g, mask) || flags & PAGE_SHARED)
        return 0;
    if (flags & ~(uint32_t)PAGE_UNMEASURED)
        return tst_fail(err, TST_USAGE, flags & PAGE_IS_2MB ? "a page of 2 MiB: only pages of 4 KiB are measured" : "unknown flags %#x", flags);
    int rc = page_aligned(gpa, err);
    if (rc == 0)
        rc = count_pages(g, 1, err);
    if (rc < 0)
        return rc;
    g->out->pages++;
    switch (type) {
    case PAGE_SECRETS:
        return ld_extend(&g->ld, LD_SECRETS, gpa, NULL, err);
    case PAGE_CPUID_DATA:
    case PAGE_CPUID_XF:
        return ld_extend(&g->ld, LD_CPUID, gpa, NULL, err);
    case PAGE_NORMAL:
        return flags & PAGE_UNMEASURED ? ld_extend(&g->ld, LD_UNMEASURED, gpa, NULL, err) : measure_data(g, gpa, offset, err);
    }
    return tst_fail(err, TST_USAGE, "unknown page type %u", type);
}

#define VMSA_SEV_FEATURES 0x3b0
static int read_vp_context(struct igvm_reader *g, struct tst_rd *r, struct tst_error **err)
{
    uint8_t contents[TST_SHA384_BYTES];
    const uint8_t *page = NULL;
    uint64_t gpa = tst_rd_u64le(r);
    uint32_t mask = tst_rd_u32le(r), offset = tst_rd_u32le(r);
    tst_rd_skip(r, 4);
    if (!is_for_us(g, mask))
        return 0;
    int rc = page_aligned(gpa, err);
    if (rc == 0)
        rc = count_pages(g, 1, err);
    if (rc == 0)
        rc = data_page(g, offset, &page, err);
    if (rc == 0)
        rc = ld_page_digest(&g->ld, page, contents, err);
    if (rc < 0)
        return rc;
    if (g->out->vmsas++ == 0) {
        struct tst_rd features = tst_rd_of(page + VMSA_SEV_FEATURES, 8);
        g->out->vmsa_gpa = gpa;
        g->out->sev_features = tst_rd_u64le(&features);
    }
    return ld_extend(&g->ld, LD_VMSA, gpa, contents, err);
}

static int read_id_block(struct igvm_reader *g, struct tst_rd *r, struct tst_error **err)
{
    uint32_t mask = tst_rd_u32le(r);
    tst_rd_skip(r, 4); /* author key enabled, reserved */
    struct tst_bytes digest = tst_rd_take(r, TST_SHA384_BYTES);
    tst_rd_skip(r, tst_rd_left(r));
    if (r->bad || !is_for_us(g, mask))
        return 0;
    if (g->out->has_id_block)
        return tst_fail(err, TST_USAGE, "a second one for SEV-SNP");
    g->out->has_id_block = true;
    memcpy(g->out->id_block_digest, digest.p, digest.n);
    return 0;
}

/* Headers that add nothing to the digest. */
static int read_nothing(struct igvm_reader *g, struct tst_rd *r, struct tst_error **err)
{
    (void)g, (void)err;
    tst_rd_skip(r, tst_rd_left(r));
    return 0;
}

static int refuse_relocation(struct igvm_reader *g, struct tst_rd *r, struct tst_error **err)
{
    if (!is_for_us(g, tst_rd_u32le(r)))
        return read_nothing(g, r, err);
    return tst_fail(err, TST_USAGE, "the loader may move pages, so the digest depends on it");
}

enum { SECTION_PLATFORM, SECTION_INIT, SECTION_DIRECTIVE };
static const struct header_row {
    uint32_t type;
    const char *name;
    uint32_t bytes; /* 0 = any */
    int (*read)(struct igvm_reader *g, struct tst_rd *r, struct tst_error **err);
} header_rows[] = {
    {0x001, "supported platform", 16, read_platform},
    {0x101, "guest policy", 16, read_policy},
    {0x102, "relocatable region", 0, refuse_relocation},
    {0x103, "page table relocation region", 0, refuse_relocation},
    {0x301, "parameter area", 16, read_area},
    {0x302, "page data", 24, read_page},
    {0x303, "parameter insert", 16, read_insert},
    {0x304, "VP context", 20, read_vp_context},
    {0x305, "required memory", 0, read_nothing},
    {0x307, "VP count", 0, read_nothing},
    {0x308, "SRAT", 0, read_nothing},
    {0x309, "MADT", 0, read_nothing},
    {0x30a, "MMIO ranges", 0, read_nothing},
    {0x30b, "SNP ID block", 0, read_id_block},
    {0x30c, "memory map", 0, read_nothing},
    {0x30d, "error range", 0, read_nothing},
    {0x30e, "command line", 0, read_nothing},
    {0x30f, "SLIT", 0, read_nothing},
    {0x310, "PPTT", 0, read_nothing},
    {0x311, "VBS measurement", 0, read_nothing},
    {0x312, "device tree", 0, read_nothing},
    {0x313, "environment info", 0, read_nothing},
};

static const struct header_row *header_find(uint32_t type)
{
    for (size_t i = 0; i < TST_COUNT(header_rows); i++)
        if (header_rows[i].type == type)
            return &header_rows[i];
    return NULL;
}

static int check_order(struct igvm_reader *g, uint32_t type, struct tst_error **err)
{
    unsigned section = type <= 0x100 ? SECTION_PLATFORM : type <= 0x200 ? SECTION_INIT : SECTION_DIRECTIVE;
    if (section < g->section)
        return tst_fail(err, TST_USAGE, "stands after a later section's header");
    if (section > SECTION_PLATFORM && !g->mask)
        return tst_fail(err, TST_USAGE, "the file is not for SEV-SNP");
    g->section = section;
    return 0;
}

static int read_header(struct igvm_reader *g, uint32_t type, struct tst_bytes content, struct tst_error **err)
{
    const struct header_row *row = header_find(type & ~MAY_BE_IGNORED);
    if (!row)
        return type & MAY_BE_IGNORED ? 0 : tst_fail(err, TST_USAGE, "header of unknown type %#x", type);
    int rc = check_order(g, row->type, err);
    if (rc == 0 && row->bytes && content.n != row->bytes)
        rc = tst_fail(err, TST_USAGE, "%zu bytes, expected %u", content.n, row->bytes);
    struct tst_rd r = tst_rd_of(content.p, content.n);
    if (rc == 0)
        rc = row->read(g, &r, err);
    if (rc == 0 && r.bad)
        rc = tst_fail(err, TST_USAGE, "truncated");
    return rc < 0 ? tst_wrap(err, "%s", row->name) : 0;
}

static int read_headers(struct igvm_reader *g, struct tst_bytes headers, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(headers.p, headers.n);
    int rc = 0;
    while (rc == 0 && !r.bad && tst_rd_left(&r) > 0) {
        uint32_t type = tst_rd_u32le(&r), bytes = tst_rd_u32le(&r);
        struct tst_bytes content = tst_rd_take(&r, bytes), padding = tst_rd_take(&r, (8 - bytes % 8) % 8);
        if (r.bad)
            break;
        rc = tst_is_zero(padding.p, padding.n) ? read_header(g, type, content, err) : tst_fail(err, TST_USAGE, "padding is not zero");
        if (rc < 0)
            return tst_wrap(err, "header %u", g->out->headers);
        g->out->headers++;
    }
    return tst_rd_finish(&r, "headers", err);
}

/* ---- fixed header ---- */
/* CRC-32 as in IEEE 802.3, reflected. */
static uint32_t crc32_more(uint32_t crc, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (unsigned b = 0; b < 8; b++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return crc;
}

static uint32_t checksum_of(struct tst_bytes file, size_t fixed, struct tst_bytes headers)
{
    static const uint8_t none[4];
    uint32_t crc = crc32_more(UINT32_MAX, file.p, CHECKSUM_OFFSET);
    crc = crc32_more(crc, none, sizeof none);
    crc = crc32_more(crc, file.p + CHECKSUM_OFFSET + 4, fixed - CHECKSUM_OFFSET - 4);
    return ~crc32_more(crc, headers.p, headers.n);
}

static int read_v2(struct tst_rd *r, struct tst_error **err)
{
    uint32_t architecture = tst_rd_u32le(r), page = tst_rd_u32le(r);
    if (!r->bad && (architecture != 0 || page != TST_PAGE_BYTES))
        return tst_fail(err, TST_USAGE, "architecture %u, pages of %u bytes: SEV-SNP has 0 (x86-64) and 4096", architecture, page);
    return 0;
}

static int read_fixed(struct igvm_reader *g, struct tst_bytes *headers, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(g->file.p, g->file.n);
    uint32_t magic = tst_rd_u32le(&r), version = tst_rd_u32le(&r), at = tst_rd_u32le(&r), bytes = tst_rd_u32le(&r);
    uint32_t total = tst_rd_u32le(&r), checksum = tst_rd_u32le(&r);
    if (r.bad || magic != 0x4d564749)
        return tst_fail(err, TST_USAGE, "does not start with 'IGVM'");
    if (version != 1 && version != 2)
        return tst_fail(err, TST_USAGE, "format version %u, versions 1 and 2 are known", version);
    int rc = version == 2 ? read_v2(&r, err) : 0;
    size_t fixed = version == 1 ? FIXED_BYTES_V1 : FIXED_BYTES_V2;
    if (rc == 0 && total != g->file.n)
        rc = tst_fail(err, TST_USAGE, "says it has %u bytes, it has %zu", total, g->file.n);
    if (rc == 0 && (r.bad || at < fixed || at % 8 || at > g->file.n || bytes > g->file.n - at))
        rc = tst_fail(err, TST_USAGE, "its headers (%u bytes at %u) lie outside of the file", bytes, at);
    if (rc < 0)
        return rc;
    *headers = (struct tst_bytes){g->file.p + at, bytes};
    uint32_t found = checksum_of(g->file, fixed, *headers);
    g->out->format = version;
    return found == checksum ? 0 : tst_fail(err, TST_REFUTED, "checksum %08x, its header says %08x", found, checksum);
}

static int measure_file(struct igvm_reader *g, struct tst_error **err)
{
    static const uint8_t zeros[TST_PAGE_BYTES];
    struct tst_bytes headers = {NULL, 0};
    int rc = read_fixed(g, &headers, err);
    if (rc == 0)
        rc = ld_page_digest(&g->ld, zeros, g->zero_digest, err);
    if (rc == 0)
        rc = read_headers(g, headers, err);
    if (rc == 0 && !g->out->vmsas)
        rc = tst_fail(err, TST_USAGE, "has no VP context for SEV-SNP");
    return rc;
}

int tst_igvm_measure(const void *p, size_t n, const struct tst_igvm_options *options, struct tst_igvm *out, struct tst_error **err)
{
    TST_AUTO_HASHER hasher = NULL;
    *out = (struct tst_igvm){0};
    if (n > TST_IGVM_MAX_BYTES)
        return tst_fail(err, TST_TOO_LARGE, "IGVM: %zu bytes, at most %u", n, TST_IGVM_MAX_BYTES);
    struct igvm_reader g = {.file = {p, n}, .options = options, .out = out};
    int rc = tst_hasher_new(TST_HASH_SHA384, &hasher, err);
    g.ld.hasher = hasher;
    if (rc == 0)
        rc = measure_file(&g, err);
    if (rc < 0)
        return tst_wrap(err, "IGVM");
    memcpy(out->digest, g.ld.value, sizeof out->digest);
    return 0;
}
