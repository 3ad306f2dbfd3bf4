/* SPDX-License-Identifier: Apache-2.0 */
/* snp/report_fields.c - the attestation report as a table: every field, every bit, every reserved gap. What is shown of a
 * report comes from here. Sources: AMD 56860, tables ATTESTATION_REPORT, GUEST_POLICY, PLATFORM_INFO; bit 6 of
 * PLATFORM_INFO is set by real Turin firmware and described with SB-3016 (IOMMU writes). */
#include <testudo/container.h>

static const char *const no_yes[] = {"no", "yes", NULL};
static const char *const signing_keys[] = {"VCEK", "VLEK", "reserved", "reserved", "reserved", "reserved", "reserved", "none", NULL};
static const char *const algorithms[] = {"invalid", "ECDSA P-384 with SHA-384", NULL};

static const struct tst_bit_range policy_bits[] = {
    {8, 15, "abi-major", "least major ABI version of the firmware that may run the guest", NULL},
    {0, 7, "abi-minor", "least minor ABI version", NULL},
    {16, 16, "smt", "the host may use simultaneous multithreading", no_yes},
    {17, 17, "reserved-one", "must be one", no_yes},
    {18, 18, "migration-agent", "a migration agent may be associated, and export the guest", no_yes},
    {19, 19, "debug", "the host may read and write the guest's memory", no_yes},
    {20, 20, "single-socket", "the guest runs on one socket only", no_yes},
    {21, 21, "cxl", "CXL memory and devices are allowed", no_yes},
    {22, 22, "mem-aes-256-xts", "memory must be encrypted with AES-256-XTS", no_yes},
    {23, 23, "rapl-dis", "power readings (RAPL) must be off", no_yes},
    {24, 24, "ciphertext-hiding", "the host must not be able to read ciphertext in DRAM", no_yes},
    {25, 25, "page-swap-disable", "the host must not swap, move or share the guest's pages", no_yes},
    {0},
};
static const struct tst_bit_range platform_bits[] = {
    {0, 0, "smt", "simultaneous multithreading is on", no_yes},
    {1, 1, "tsme", "transparent memory encryption is on for the whole host", no_yes},
    {2, 2, "ecc", "memory has error correction", no_yes},
    {3, 3, "rapl-dis", "power readings (RAPL) are off", no_yes},
    {4, 4, "ciphertext-hiding", "the host cannot read ciphertext in DRAM", no_yes},
    {5, 5, "alias-check-complete", "memory was searched for aliased addresses since the last reset (BadRAM, CVE-2024-21944)", no_yes},
    {6, 6, "iommu-write-safe", "the IOMMU cannot write into guest memory (SB-3016)", no_yes},
    {7, 7, "tio", "trusted I/O is on", no_yes},
    {0},
};
static const struct tst_bit_range key_bits[] = {
    {0, 0, "author-key-enabled", "the ID key was certified by an author key", no_yes},
    {1, 1, "mask-chip-key", "the host masks the chip key: the signature is zero", no_yes},
    {2, 4, "signing-key", "which key signed the report", signing_keys},
    {0},
};
static const struct tst_bit_range algorithm_bits[] = {{0, 31, "algorithm", "how the report is signed", algorithms}, {0}};

#define NUMBER(name, offset, size, meaning) {name, meaning, offset, size, 0, TST_FIELD_NUMBER, NULL}
#define BYTES(name, offset, size, meaning) {name, meaning, offset, size, 0, TST_FIELD_BYTES, NULL}
#define TCB(name, offset, meaning) {name, meaning, offset, 8, 0, TST_FIELD_TCB, NULL}
#define BITS(name, offset, size, bits, meaning) {name, meaning, offset, size, 0, TST_FIELD_BITS, bits}
#define FIRMWARE(name, offset, meaning) {name, meaning, offset, 3, 0, TST_FIELD_FIRMWARE, NULL}
#define SINCE(version, name, offset, size, meaning) {name, meaning, offset, size, version, TST_FIELD_NUMBER, NULL}
#define RESERVED(offset, size) {"reserved", "must be zero", offset, size, 0, TST_FIELD_RESERVED, NULL}

static const struct tst_report_field fields[] = {
    NUMBER("version", 0x000, 4, "layout of this report; follows the firmware, not the CPU"),
    NUMBER("guest-svn", 0x004, 4, "security version of the guest, from its ID block"),
    BITS("policy", 0x008, 8, policy_bits, "what the guest's owner allows the host"),
    BYTES("family-id", 0x010, 16, "from the ID block"),
    BYTES("image-id", 0x020, 16, "from the ID block"),
    NUMBER("vmpl", 0x030, 4, "privilege level that asked for the report; 0 is the highest"),
    BITS("signature-algorithm", 0x034, 4, algorithm_bits, "how the report is signed"),
    TCB("current-tcb", 0x038, "firmware that runs now"),
    BITS("platform-info", 0x040, 8, platform_bits, "how the host is set up"),
    BITS("key-info", 0x048, 4, key_bits, "which key signed, and what of the chip is masked"),
    RESERVED(0x04c, 4),
    BYTES("report-data", 0x050, 64, "what the guest asked to be bound: nonce, hash of keys"),
    BYTES("measurement", 0x090, 48, "launch digest: what the guest started from"),
    BYTES("host-data", 0x0c0, 32, "chosen by the host at launch"),
    BYTES("id-key-digest", 0x0e0, 48, "SHA-384 of the key that signed the ID block"),
    BYTES("author-key-digest", 0x110, 48, "SHA-384 of the key that certified the ID key"),
    BYTES("report-id", 0x140, 32, "this guest, from its launch to its end"),
    BYTES("report-id-ma", 0x160, 32, "its migration agent; all ones: none"),
    TCB("reported-tcb", 0x180, "what the host lets be reported; the VCEK is made for it"),
    SINCE(3, "cpuid-family", 0x188, 1, "CPUID family of the CPU, base and extended"),
    SINCE(3, "cpuid-model", 0x189, 1, "CPUID model, base and extended"),
    SINCE(3, "cpuid-stepping", 0x18a, 1, "CPUID stepping"),
    RESERVED(0x18b, 21),
    BYTES("chip-id", 0x1a0, 64, "the chip; zero when masked or signed by a VLEK"),
    TCB("committed-tcb", 0x1e0, "the firmware cannot be taken back behind this"),
    FIRMWARE("current-version", 0x1e8, "SNP firmware that runs now"),
    RESERVED(0x1eb, 1),
    FIRMWARE("committed-version", 0x1ec, "SNP firmware that was committed"),
    RESERVED(0x1ef, 1),
    TCB("launch-tcb", 0x1f0, "current TCB when the guest was launched or imported"),
    SINCE(5, "launch-mitigations", 0x1f8, 8, "mitigation vector at launch; the bits' meaning depends on the platform"),
    SINCE(5, "current-mitigations", 0x200, 8, "mitigation vector now"),
    RESERVED(0x208, 152),
    BYTES("signature-r", 0x2a0, 72, "signature over bytes 0 to 0x29f, little-endian"),
    BYTES("signature-s", 0x2e8, 72, "signature, second half"),
    RESERVED(0x330, 368),
};

const struct tst_report_field *tst_report_fields(size_t *count)
{
    *count = TST_COUNT(fields);
    return fields;
}

uint64_t tst_report_field_value(const struct tst_report_field *f, const uint8_t report[TST_SNP_REPORT_BYTES])
{
    uint64_t value = 0;
    for (unsigned i = 0; i < f->size_bytes && i < 8; i++)
        value |= (uint64_t)report[f->offset + i] << (8 * i);
    return value;
}

static uint64_t mask_of(const struct tst_bit_range *b)
{
    unsigned width = b->last - b->first + 1U;
    return (width >= 64 ? UINT64_MAX : (1ULL << width) - 1) << b->first;
}

uint64_t tst_bit_range_value(const struct tst_bit_range *b, uint64_t value)
{
    return (value & mask_of(b)) >> b->first;
}

uint64_t tst_report_field_unknown(const struct tst_report_field *f, uint64_t value)
{
    for (const struct tst_bit_range *b = f->bits; b && b->name; b++)
        value &= ~mask_of(b);
    return f->bits ? value : 0;
}

/* Turin and later fill 8 bytes of the chip id; a report of version 2 tells its generation by that only. */
enum tst_snp_product tst_report_product(const struct tst_snp_report *r)
{
    const size_t hwid = tst_snp_hwid_bytes(TST_SNP_TURIN);
    if (r->version >= 3)
        return tst_snp_product_of_cpuid(r->cpuid_family, r->cpuid_model);
    bool turin = !tst_is_zero(r->chip_id, hwid) && tst_is_zero(r->chip_id + hwid, sizeof r->chip_id - hwid);
    return turin ? TST_SNP_TURIN : TST_SNP_UNKNOWN;
}

enum tst_snp_product tst_report_tcb_layout(const struct tst_snp_report *r)
{
    enum tst_snp_product product = tst_report_product(r);
    if (product || r->version >= 3 || tst_is_zero(r->chip_id, sizeof r->chip_id))
        return product;
    return TST_SNP_MILAN;
}
