/* SPDX-License-Identifier: Apache-2.0 */
/* sev/packet.c - the packet of LAUNCH_SECRET: a table of secrets, encrypted with the TEK, with a MAC by the TIK that binds it
 * to one launch measurement. Header: flags u32, IV, MAC. Source: AMD 55766, LAUNCH_SECRET; table: OVMF and Linux efi_secret. */

#include "internal.h"

#define PACKET_CONTEXT 0x01
#define PACKET_FLAGS 0 /* not compressed */
#define IV_OFFSET 4
#define MAC_OFFSET 20
#define TABLE_GUID "1e74f542-71dd-4d66-963e-ef4287ff173b"
#define HEAD_BYTES (TST_SEV_GUID_BYTES + 4) /* GUID, u32 length of head and value */
#define ALIGN_BYTES 16

_Static_assert(MAC_OFFSET + TST_SHA256_BYTES == TST_SEV_PACKET_HEADER_BYTES, "flags, IV, MAC");
_Static_assert(TST_SEV_PACKET_MAX_BYTES % ALIGN_BYTES == 0, "the limit is a whole number of blocks");

/* ---- GUIDs ---- */
/* Order of the bytes as printed. */
static const uint8_t guid_order[TST_SEV_GUID_BYTES] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static bool dash_before(size_t i)
{
    return i == 4 || i == 6 || i == 8 || i == 10;
}

int tst_sev_guid_parse(const char *text, uint8_t out[TST_SEV_GUID_BYTES], struct tst_error **err)
{
    const char *at = text;
    bool ok = strlen(text) == 36;
    for (size_t i = 0; ok && i < TST_SEV_GUID_BYTES; i++) {
        char digits[3] = {0};
        if (dash_before(i) && *at++ != '-')
            ok = false;
        memcpy(digits, at, ok ? 2 : 0);
        at += 2;
        ok = ok && tst_unhex(digits, &out[guid_order[i]], 1, NULL) == 0;
    }
    if (ok)
        return 0;
    int rc = tst_fail(err, TST_USAGE, "\"%.40s\" is no GUID", text);
    tst_hint(err, "736869e5-84f0-4973-92ec-06879ce3da0b, for example", NULL, NULL);
    return rc;
}

void tst_sev_guid_print(const uint8_t guid[TST_SEV_GUID_BYTES], char out[37])
{
    for (size_t i = 0; i < TST_SEV_GUID_BYTES; i++) {
        if (dash_before(i))
            *out++ = '-';
        tst_hex(&guid[guid_order[i]], 1, out);
        out += 2;
    }
}

/* ---- table ---- */
static int table_size(const struct tst_sev_entry *entries, size_t count, size_t *used, struct tst_error **err)
{
    if (count == 0 || count > TST_SEV_ENTRIES_MAX)
        return tst_fail(err, TST_USAGE, "secret table: %zu secrets, expected 1 to %d", count, TST_SEV_ENTRIES_MAX);
    *used = HEAD_BYTES;
    for (size_t i = 0; i < count; i++) {
        size_t room = TST_SEV_PACKET_MAX_BYTES - *used;
        if (entries[i].value.n == 0)
            return tst_fail(err, TST_USAGE, "secret table: secret %zu is empty", i + 1);
        if (room < HEAD_BYTES || entries[i].value.n > room - HEAD_BYTES)
            return tst_fail(err, TST_TOO_LARGE, "secret table: secret %zu of %zu bytes does not fit, at most %d in all with %d a secret and %d at the start",
                            i + 1, entries[i].value.n, TST_SEV_PACKET_MAX_BYTES, HEAD_BYTES, HEAD_BYTES);
        *used += HEAD_BYTES + entries[i].value.n;
    }
    return 0;
}

int tst_sev_table_build(const struct tst_sev_entry *entries, size_t count, struct tst_secret **out, struct tst_error **err)
{
    TST_AUTO_SECRET table = NULL;
    size_t used = 0;
    int rc = table_size(entries, count, &used, err);
    rc = rc ? rc : tst_secret_new((used + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES, &table, err);
    if (rc)
        return rc;
    uint8_t *at = tst_secret_bytes(table);
    rc = tst_sev_guid_parse(TABLE_GUID, at, err);
    sev_put_u32(at + TST_SEV_GUID_BYTES, (uint32_t)used);
    at += HEAD_BYTES;
    for (size_t i = 0; i < count; i++) {
        size_t n = entries[i].value.n;
        memcpy(at, entries[i].guid, TST_SEV_GUID_BYTES);
        sev_put_u32(at + TST_SEV_GUID_BYTES, (uint32_t)(HEAD_BYTES + n));
        memcpy(at + HEAD_BYTES, entries[i].value.p, n);
        at += HEAD_BYTES + n;
    }
    if (rc)
        return rc;
    *out = TST_STEAL(table);
    return 0;
}

/* The table's own head; *r then holds the entries, without the padding. */
static int table_open(struct tst_rd *r, struct tst_error **err)
{
    uint8_t guid[TST_SEV_GUID_BYTES], expected[TST_SEV_GUID_BYTES];
    size_t n = tst_rd_left(r);
    tst_rd_copy(r, guid, sizeof guid);
    uint32_t used = tst_rd_u32le(r);
    int rc = tst_sev_guid_parse(TABLE_GUID, expected, err);
    if (rc)
        return rc;
    if (r->bad || memcmp(guid, expected, sizeof guid) != 0)
        return tst_fail(err, TST_USAGE, "secret table: does not start with its GUID");
    if (used < HEAD_BYTES || used > n || n - used >= ALIGN_BYTES || !tst_is_zero(r->p + (used - HEAD_BYTES), n - used))
        return tst_fail(err, TST_USAGE, "secret table: says that it has %u bytes, of %zu with padding", used, n);
    r->end = r->p + (used - HEAD_BYTES);
    return 0;
}

int tst_sev_table_parse(const void *p, size_t n, struct tst_sev_entry *out, size_t max, size_t *count, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(p, n);
    *count = 0;
    if (n > TST_SEV_PACKET_MAX_BYTES || n % ALIGN_BYTES)
        return tst_fail(err, TST_USAGE, "secret table: %zu bytes, expected a multiple of %d up to %d", n, ALIGN_BYTES, TST_SEV_PACKET_MAX_BYTES);
    int rc = table_open(&r, err);
    while (!rc && tst_rd_left(&r) > 0) {
        if (*count == max)
            return tst_fail(err, TST_TOO_LARGE, "secret table: more than %zu secrets", max);
        struct tst_sev_entry *e = &out[*count];
        tst_rd_copy(&r, e->guid, sizeof e->guid);
        uint32_t size = tst_rd_u32le(&r);
        e->value = tst_rd_take(&r, size < HEAD_BYTES ? SIZE_MAX : size - HEAD_BYTES);
        if (r.bad || e->value.n == 0)
            return tst_fail(err, TST_USAGE, "secret table: secret %zu has a length of %u bytes, which is not there", *count + 1, size);
        ++*count;
    }
    return rc;
}

/* ---- packet ---- */
static int packet_mac(const struct tst_secret *tik, const struct tst_sev_packet *packet, const uint8_t measure[TST_SHA256_BYTES],
                      uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    uint8_t lengths[8];
    sev_put_u32(lengths, (uint32_t)packet->payload_bytes); /* in the guest */
    sev_put_u32(lengths + 4, (uint32_t)packet->payload_bytes); /* on the way */
    const struct tst_bytes parts[] = {
        {(const uint8_t[]){PACKET_CONTEXT}, 1},   {packet->header, MAC_OFFSET},  {lengths, sizeof lengths},
        {packet->payload, packet->payload_bytes}, {measure, TST_SHA256_BYTES},
    };
    return tst_hmac_sha256(tik, parts, TST_COUNT(parts), out, err);
}

static int check_keys(const struct tst_secret *tek, const struct tst_secret *tik, size_t payload_bytes, struct tst_error **err)
{
    if (tst_secret_size(tek) != TST_SEV_KEY_BYTES || tst_secret_size(tik) != TST_SEV_KEY_BYTES)
        return tst_fail(err, TST_USAGE, "TEK of %zu and TIK of %zu bytes, expected %d each", tst_secret_size(tek),
                        tst_secret_size(tik), TST_SEV_KEY_BYTES);
    if (payload_bytes == 0 || payload_bytes > TST_SEV_PACKET_MAX_BYTES || payload_bytes % ALIGN_BYTES)
        return tst_fail(err, TST_USAGE, "secret packet: %zu bytes, expected a multiple of %d up to %d", payload_bytes, ALIGN_BYTES,
                        TST_SEV_PACKET_MAX_BYTES);
    return 0;
}

int tst_sev_packet_seal(const struct tst_secret *tek, const struct tst_secret *tik, const struct tst_secret *table,
                        const uint8_t iv[16], const uint8_t measure[TST_SHA256_BYTES], struct tst_sev_packet *out,
                        struct tst_error **err)
{
    memset(out, 0, sizeof *out);
    int rc = check_keys(tek, tik, tst_secret_size(table), err);
    if (rc)
        return rc;
    sev_put_u32(out->header, PACKET_FLAGS);
    memcpy(out->header + IV_OFFSET, iv, ALIGN_BYTES);
    out->payload_bytes = tst_secret_size(table);
    rc = tst_aes128_ctr(tek, iv, tst_secret_view(table), out->payload_bytes, out->payload, err);
    return rc ? rc : packet_mac(tik, out, measure, out->header + MAC_OFFSET, err);
}

int tst_sev_packet_open(const struct tst_secret *tek, const struct tst_secret *tik, const struct tst_sev_packet *packet,
                        const uint8_t measure[TST_SHA256_BYTES], struct tst_secret **table, struct tst_error **err)
{
    TST_AUTO_SECRET plain = NULL;
    uint8_t mac[TST_SHA256_BYTES];
    int rc = check_keys(tek, tik, packet->payload_bytes, err);
    rc = rc ? rc : packet_mac(tik, packet, measure, mac, err);
    if (!rc && !tst_equal(mac, packet->header + MAC_OFFSET, sizeof mac))
        rc = tst_fail(err, TST_REFUTED, "secret packet: its MAC does not match: changed, or for another launch or other keys");
    if (!rc && !tst_is_zero(packet->header, IV_OFFSET))
        rc = tst_fail(err, TST_USAGE, "secret packet: has flags set; a compressed packet is not read");
    rc = rc ? rc : tst_secret_new(packet->payload_bytes, &plain, err);
    rc = rc ? rc : tst_aes128_ctr(tek, packet->header + IV_OFFSET, packet->payload, packet->payload_bytes, tst_secret_bytes(plain), err);
    if (rc)
        return rc;
    *table = TST_STEAL(plain);
    return 0;
}
