/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <sys/stat.h>

static const uint8_t guid_footer[16] = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45, 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};
static const uint8_t guid_reset[16] = {0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f, 0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e};
static const uint8_t guid_hashes[16] = {0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b, 0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54};
static const uint8_t guid_meta[16] = {0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47, 0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc};
static const uint8_t guid_svsm[16] = {0x12, 0xa6, 0x89, 0xa7, 0x97, 0x05, 0x4b, 0x4c, 0xa4, 0x9f, 0xcb, 0xb1, 0xfe, 0x9d, 0x1d, 0xdd};
static const uint8_t guid_other[16] = {1, 2, 3};

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static void put64(uint8_t *p, uint64_t v)
{
    put32(p, (uint32_t)v);
    put32(p + 4, (uint32_t)(v >> 32));
}

/* ---- firmware ---- */
static struct image code(size_t n, uint8_t seed)
{
    struct image i = {.n = n};
    for (size_t at = 0; at < n; at++)
        i.bytes[at] = (uint8_t)(seed + at * 7 + at / TST_PAGE_BYTES * 31);
    memset(i.bytes + TST_PAGE_BYTES, 0xff, n > 2 * TST_PAGE_BYTES ? TST_PAGE_BYTES : 0);
    return i;
}

struct image image_bare(void)
{
    return code(FIRMWARE_BYTES, 3);
}

/* Grows the table down. */
static void entry(struct image *i, const uint8_t guid[16], const uint32_t *words, size_t count)
{
    size_t bytes = 18 + 4 * count;
    memcpy(i->bytes + i->table - 16, guid, 16);
    i->bytes[i->table - 18] = (uint8_t)bytes;
    i->bytes[i->table - 17] = 0;
    i->table -= bytes;
    for (size_t w = 0; w < count; w++)
        put32(i->bytes + i->table + 4 * w, words[w]);
}

static void footer_open(struct image *i)
{
    memcpy(i->bytes + i->n - 48, guid_footer, 16);
    i->table = i->n - 50;
}

static void footer_close(struct image *i)
{
    i->bytes[i->n - 50] = (uint8_t)(i->n - 32 - i->table);
    i->bytes[i->n - 49] = 0;
}

struct section {
    uint32_t gpa, bytes, kind;
};

static void metadata(struct image *i, const struct section *s, size_t count)
{
    i->metadata = i->n - 0x400;
    uint8_t *p = i->bytes + i->metadata;
    put32(p, 0x56455341); /* "ASEV" */
    put32(p + 4, (uint32_t)(16 + 12 * count));
    put32(p + 8, 1);
    put32(p + 12, (uint32_t)count);
    for (size_t k = 0; k < count; k++) {
        put32(p + 16 + 12 * k, s[k].gpa);
        put32(p + 20 + 12 * k, s[k].bytes);
        put32(p + 24 + 12 * k, s[k].kind);
    }
}

static const struct section sections[] = {
    {0x800000, 0x9000, 1}, {0x80a000, 0x3000, 1}, {0x80d000, 0x1000, 2}, {0x80e000, 0x1000, 3},
    {0x80f000, 0x1000, 4}, {0x810000, 0x1000, 0x10}, {0x811000, 0xf000, 1},
};

static struct image firmware(bool with_hashes)
{
    struct image i = code(FIRMWARE_BYTES, 3);
    metadata(&i, sections, with_hashes ? 7 : 5);
    footer_open(&i);
    entry(&i, guid_reset, (uint32_t[]){FIRMWARE_AP_EIP}, 1);
    entry(&i, guid_other, (uint32_t[]){7, 8}, 2);
    entry(&i, guid_hashes, (uint32_t[]){with_hashes ? FIRMWARE_HASHES_GPA : 0, with_hashes ? 0x400 : 0}, 2);
    entry(&i, guid_meta, (uint32_t[]){0x400}, 1);
    footer_close(&i);
    return i;
}

struct image image_firmware(void)
{
    return firmware(true);
}

struct image image_firmware_plain(void)
{
    return firmware(false);
}

struct image image_svsm(void)
{
    static const struct section own[] = {{0, 0x4000, 1}, {0x4000, 0x1000, 2}, {0x5000, 0x1000, 3}};
    struct image i = code(SVSM_BYTES, 101);
    metadata(&i, own, 3);
    footer_open(&i);
    entry(&i, guid_reset, (uint32_t[]){0xfffffff0}, 1);
    entry(&i, guid_svsm, (uint32_t[]){SVSM_ENTRY}, 1);
    entry(&i, guid_meta, (uint32_t[]){0x400}, 1);
    footer_close(&i);
    return i;
}

struct tst_measure_in launch_of(const struct image *i)
{
    return (struct tst_measure_in){.mode = TST_MEASURE_SNP,
                                   .vmm = TST_VMM_QEMU,
                                   .firmware = {i->bytes, i->n},
                                   .vcpus = 2,
                                   .signature = 0xa00f11,
                                   .sev_features = TST_SEV_FEATURE_SNP};
}

const char *digest_of(const struct tst_measure_in *in, char hex[97])
{
    struct tst_measurement m;
    struct tst_error *err = NULL;
    assert_done(tst_measure(in, &m, &err), err);
    assert_int_equal(m.bytes, in->mode == TST_MEASURE_SNP ? 48 : 32);
    tst_hex(m.digest, m.bytes, hex);
    return hex;
}

struct tst_kernel kernel_usual(void)
{
    struct tst_kernel k = {.has_initrd = false};
    struct tst_error *err = NULL;
    struct tst_bytes kernel = {(const uint8_t *)"kernel", 6}, initrd = {(const uint8_t *)"initrd", 6};
    assert_done(tst_kernel_set(&k, kernel, initrd, "root=/dev/vda1 ro", &err), err);
    return k;
}

/* ---- IGVM ---- */
#define DATA_AT TST_PAGE_BYTES
#define FIXED_BYTES 24

static void put(struct tst_buf *b, const void *p, size_t n)
{
    b->max = 1024 * 1024;
    assert_int_equal(tst_buf_put(b, p, n, NULL), 0);
}

void igvm_header(struct igvm_builder *b, uint32_t type, const void *content, size_t n)
{
    static const uint8_t zeros[8];
    uint8_t head[8];
    put32(head, type);
    put32(head + 4, (uint32_t)n);
    put(&b->headers, head, sizeof head);
    put(&b->headers, content, n);
    put(&b->headers, zeros, (8 - n % 8) % 8);
}

void igvm_platform(struct igvm_builder *b, uint8_t type, uint32_t mask)
{
    uint8_t c[16] = {0};
    put32(c, mask);
    c[5] = type;
    c[6] = 1;
    igvm_header(b, 0x1, c, sizeof c);
}

void igvm_policy(struct igvm_builder *b, uint64_t policy, uint32_t mask)
{
    uint8_t c[16] = {0};
    put64(c, policy);
    put32(c + 8, mask);
    igvm_header(b, 0x101, c, sizeof c);
}

void igvm_area(struct igvm_builder *b, uint64_t bytes, uint32_t index)
{
    uint8_t c[16] = {0};
    put64(c, bytes);
    put32(c + 8, index);
    igvm_header(b, 0x301, c, sizeof c);
}

void igvm_insert(struct igvm_builder *b, uint64_t gpa, uint32_t mask, uint32_t index)
{
    uint8_t c[16] = {0};
    put64(c, gpa);
    put32(c + 8, mask);
    put32(c + 12, index);
    igvm_header(b, 0x303, c, sizeof c);
}

static uint32_t add_data(struct igvm_builder *b, const uint8_t *page)
{
    uint32_t offset = (uint32_t)(DATA_AT + b->data.n);
    put(&b->data, page, TST_PAGE_BYTES);
    return offset;
}

void igvm_page(struct igvm_builder *b, uint64_t gpa, uint32_t mask, const uint8_t *page, uint32_t flags, uint16_t type)
{
    uint8_t c[24] = {0};
    put64(c, gpa);
    put32(c + 8, mask);
    put32(c + 12, page ? add_data(b, page) : 0);
    put32(c + 16, flags);
    c[20] = (uint8_t)type;
    c[21] = (uint8_t)(type >> 8);
    igvm_header(b, 0x302, c, sizeof c);
}

void igvm_context(struct igvm_builder *b, uint64_t gpa, uint32_t mask, const uint8_t *vmsa)
{
    uint8_t c[20] = {0};
    put64(c, gpa);
    put32(c + 8, mask);
    put32(c + 12, add_data(b, vmsa));
    igvm_header(b, 0x304, c, sizeof c);
}

static uint32_t crc32_of(uint32_t crc, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    return crc;
}

void igvm_seal(uint8_t *file)
{
    size_t headers = (size_t)file[12] | (size_t)file[13] << 8;
    put32(file + 20, 0);
    put32(file + 20, ~crc32_of(UINT32_MAX, file, FIXED_BYTES + headers));
}

uint8_t *igvm_file(const struct igvm_builder *b, size_t *n)
{
    assert_true(FIXED_BYTES + b->headers.n <= DATA_AT);
    *n = DATA_AT + b->data.n;
    uint8_t *f = calloc(1, *n);
    assert_non_null(f);
    put32(f, 0x4d564749); /* "IGVM" */
    put32(f + 4, 1);
    put32(f + 8, FIXED_BYTES);
    put32(f + 12, (uint32_t)b->headers.n);
    put32(f + 16, (uint32_t)*n);
    memcpy(f + FIXED_BYTES, b->headers.p, b->headers.n);
    if (b->data.n)
        memcpy(f + DATA_AT, b->data.p, b->data.n);
    igvm_seal(f);
    return f;
}

uint8_t *igvm_usual(size_t *n)
{
    struct igvm_builder b = {0};
    uint8_t page[TST_PAGE_BYTES], vmsa[TST_PAGE_BYTES];
    const struct tst_vmsa_spec spec = {.eip = TST_BSP_EIP, .signature = 0xa00f11, .sev_features = 1};
    tst_vmsa_build(&spec, vmsa);
    igvm_platform(&b, 0, 1);
    igvm_platform(&b, 2, 2);
    igvm_policy(&b, 0x30000, 2);
    igvm_area(&b, 2 * TST_PAGE_BYTES, 9);
    memset(page, 0x41, sizeof page);
    igvm_page(&b, 0x100000, 2, page, 0, 0);
    memset(page, 0x42, sizeof page);
    igvm_page(&b, 0x101000, 3, page, 0, 0);
    igvm_page(&b, 0x102000, 1, page, 0, 0);
    igvm_page(&b, 0x103000, 2, NULL, 0, 0);
    igvm_page(&b, 0x104000, 2, NULL, 0, 1);
    igvm_page(&b, 0x105000, 2, NULL, 0, 2);
    igvm_page(&b, 0x106000, 2, page, 2, 0);
    igvm_insert(&b, 0x107000, 2, 9);
    igvm_context(&b, TST_VMSA_GPA_KVM, 2, vmsa);
    uint8_t *f = igvm_file(&b, n);
    tst_buf_clear(&b.headers);
    tst_buf_clear(&b.data);
    return f;
}

/* ---- real vectors ---- */
static const char *folder(void)
{
    const char *path = getenv("TESTUDO_VECTORS");
    return path && *path ? path : SOURCE_ROOT "/../shared/vectors";
}

bool vectors_present(void)
{
    struct stat st;
    return stat(folder(), &st) == 0 && S_ISDIR(st.st_mode);
}

uint8_t *vectors_load(const char *path, size_t *n)
{
    char full[4096];
    struct stat st = {0};
    snprintf(full, sizeof full, "%s/%s", folder(), path);
    FILE *f = fopen(full, "rb");
    if (!f || fstat(fileno(f), &st) != 0)
        fail_msg("cannot open %s", full);
    uint8_t *p = calloc(1, (size_t)st.st_size + 1);
    assert_non_null(p);
    *n = fread(p, 1, (size_t)st.st_size, f);
    assert_int_equal(*n, st.st_size);
    fclose(f);
    return p;
}
