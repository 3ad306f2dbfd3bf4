/* SPDX-License-Identifier: Apache-2.0 */
/* snp/measure_kernel.c - the table of SHA-256 hashes by which a measured firmware recognises kernel, initrd and command line.
 * {GUID, u16 length} header, then three entries {GUID, u16 length, hash}: command line, initrd, kernel; zeros up to 16.
 * Source: QEMU target/i386 "SEV hash table", EDK II OvmfPkg/AmdSev BlobVerifierLib. */
#include <testudo/measure.h>

#define GUID_BYTES 16
#define ENTRY_BYTES (GUID_BYTES + 2 + TST_SHA256_BYTES)
#define TABLE_LENGTH (GUID_BYTES + 2 + 3 * ENTRY_BYTES)

_Static_assert((TABLE_LENGTH + 15) / 16 * 16 == TST_HASH_TABLE_BYTES, "the table is padded to 16 bytes");

static const uint8_t guid_table[GUID_BYTES] = {0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c,
                                               0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21};
static const uint8_t guid_cmdline[GUID_BYTES] = {0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c,
                                                 0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a};
static const uint8_t guid_initrd[GUID_BYTES] = {0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b,
                                                0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d};
static const uint8_t guid_kernel[GUID_BYTES] = {0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42,
                                                0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b};

int tst_kernel_set_initrd(struct tst_kernel *k, struct tst_bytes initrd, struct tst_error **err)
{
    k->has_initrd = initrd.p != NULL;
    return tst_sha256(initrd.p, initrd.n, k->initrd, err);
}

int tst_kernel_set_cmdline(struct tst_kernel *k, const char *cmdline, struct tst_error **err)
{
    k->cmdline_text = cmdline ? cmdline : "";
    return tst_sha256(k->cmdline_text, strlen(k->cmdline_text) + 1, k->cmdline, err);
}

int tst_kernel_set(struct tst_kernel *k, struct tst_bytes kernel, struct tst_bytes initrd, const char *cmdline,
                   struct tst_error **err)
{
    int rc = tst_sha256(kernel.p, kernel.n, k->kernel, err);
    if (rc == 0)
        rc = tst_kernel_set_initrd(k, initrd, err);
    return rc == 0 ? tst_kernel_set_cmdline(k, cmdline, err) : rc;
}

static uint8_t *put_header(uint8_t *at, const uint8_t guid[GUID_BYTES], size_t length)
{
    memcpy(at, guid, GUID_BYTES);
    at[GUID_BYTES] = (uint8_t)length;
    at[GUID_BYTES + 1] = (uint8_t)(length >> 8);
    return at + GUID_BYTES + 2;
}

static uint8_t *put_hash(uint8_t *at, const uint8_t guid[GUID_BYTES], const uint8_t hash[TST_SHA256_BYTES])
{
    at = put_header(at, guid, ENTRY_BYTES);
    memcpy(at, hash, TST_SHA256_BYTES);
    return at + TST_SHA256_BYTES;
}

void tst_kernel_table(const struct tst_kernel *k, uint8_t out[TST_HASH_TABLE_BYTES])
{
    memset(out, 0, TST_HASH_TABLE_BYTES);
    uint8_t *at = put_header(out, guid_table, TABLE_LENGTH);
    at = put_hash(at, guid_cmdline, k->cmdline);
    at = put_hash(at, guid_initrd, k->initrd);
    put_hash(at, guid_kernel, k->kernel);
}
