/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_sev_secret.c - `testudo sev secret build`: secrets of one launch, in the packet that LAUNCH_SECRET takes. */
#include <stdlib.h>
#include <unistd.h>

#include "cmd_sev.h"

#define GUID_TEXT_BYTES 36
#define BLOB_BYTES (TST_SHA256_BYTES + TST_SEV_NONCE_BYTES)

/* ---- secrets ---- */
struct secrets {
    struct tst_sev_entry entries[TST_SEV_ENTRIES_MAX];
    struct tst_secret *values[TST_SEV_ENTRIES_MAX];
    size_t count;
};

static void secrets_clear(struct secrets *s)
{
    for (size_t i = 0; i < s->count; i++)
        tst_secret_free(s->values[i]);
}

/* GUID:FILE */
static int secret_read(const char *operand, struct secrets *s, struct tst_error **err)
{
    char guid[GUID_TEXT_BYTES + 1];
    if (s->count == TST_SEV_ENTRIES_MAX)
        return tst_fail(err, TST_USAGE, "more than %d secrets", TST_SEV_ENTRIES_MAX);
    if (strlen(operand) <= GUID_TEXT_BYTES || operand[GUID_TEXT_BYTES] != ':')
        return tst_fail(err, TST_USAGE, "%.60s: expected GUID:FILE", operand);
    memcpy(guid, operand, GUID_TEXT_BYTES);
    guid[GUID_TEXT_BYTES] = '\0';
    int rc = tst_sev_guid_parse(guid, s->entries[s->count].guid, err);
    for (size_t i = 0; rc == 0 && i < s->count; i++)
        if (memcmp(s->entries[i].guid, s->entries[s->count].guid, TST_SEV_GUID_BYTES) == 0)
            rc = tst_fail(err, TST_USAGE, "%s: given twice", guid);
    rc = rc ? rc : sev_read_secret(operand + GUID_TEXT_BYTES + 1, 1, TST_SEV_PACKET_MAX_BYTES, &s->values[s->count], err);
    if (rc < 0)
        return rc;
    struct tst_secret *value = s->values[s->count];
    s->entries[s->count++].value = (struct tst_bytes){tst_secret_view(value), tst_secret_size(value)};
    return 0;
}

/* ---- output ---- */
static int write_one(const char *prefix, const char *suffix, bool raw, const void *p, size_t n, char **path, struct tst_error **err)
{
    TST_AUTO_STR text = raw ? NULL : sev_base64(p, n);
    *path = tst_strdup_printf("%s%s%s", prefix, suffix, raw ? ".bin" : ".b64");
    if (!*path || (!raw && !text))
        return tst_fail(err, TST_INTERNAL, "out of memory");
    return raw ? sev_write_new(*path, p, n, 0644, err) : sev_write_new(*path, text, strlen(text), 0644, err);
}

static int packet_save(const struct tst_sev_packet *packet, size_t count, const char *prefix, bool raw, bool json, struct tst_error **err)
{
    TST_AUTO_STR header = NULL;
    TST_AUTO_STR payload = NULL;
    int rc = write_one(prefix, "_header", raw, packet->header, sizeof packet->header, &header, err);
    if (rc < 0)
        return rc;
    rc = write_one(prefix, "_payload", raw, packet->payload, packet->payload_bytes, &payload, err);
    if (rc < 0) {
        unlink(header);
        return rc;
    }
    if (!json) {
        printf("%zu secret%s in a packet of %zu bytes (at most %d)\n", count, count == 1 ? "" : "s", packet->payload_bytes, TST_SEV_PACKET_MAX_BYTES);
        printf("  %-28s%s\n  %-28s%s\n", header, "packet header: libvirt --secrethdr, QEMU packet-header", payload,
               "encrypted payload: libvirt --secret, QEMU secret");
        puts("opens only in the launch of that measurement: have it checked before (`testudo sev measurement verify`)");
        return 0;
    }
    TST_AUTO_JSON o = json_pack("{s:i, s:i, s:s, s:s}", "secrets", (int)count, "payload-bytes", (int)packet->payload_bytes, "header", header,
                                "payload", payload);
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    cli_print_json(o);
    return 0;
}

/* ---- the command ---- */
static int packet_build(const struct cli_command *self, const struct cli_args *args, const struct secrets *s, struct tst_sev_packet *out,
                        struct tst_error **err)
{
    const char *tek_path, *tik_path, *given;
    uint8_t blob[BLOB_BYTES], iv[TST_AES128_BYTES];
    TST_AUTO_SECRET tek = NULL;
    TST_AUTO_SECRET tik = NULL;
    TST_AUTO_SECRET table = NULL;
    int rc = sev_need(self, args, "--tek", &tek_path, err);
    rc = rc ? rc : sev_need(self, args, "--tik", &tik_path, err);
    rc = rc ? rc : sev_need(self, args, "--blob", &given, err);
    rc = rc ? rc : sev_read_secret(tek_path, TST_SEV_KEY_BYTES, TST_SEV_KEY_BYTES, &tek, err);
    rc = rc ? rc : sev_read_secret(tik_path, TST_SEV_KEY_BYTES, TST_SEV_KEY_BYTES, &tik, err);
    rc = rc ? rc : sev_read_bytes("--blob", given, blob, sizeof blob, err);
    rc = rc ? rc : tst_sev_table_build(s->entries, s->count, &table, err);
    rc = rc ? rc : tst_random(iv, sizeof iv, err);
    return rc ? rc : tst_sev_packet_seal(tek, tik, table, iv, blob, out, err);
}

static int sev_secret_build(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    __attribute__((cleanup(secrets_clear))) struct secrets s = {0};
    struct tst_sev_packet packet;
    const char *name;
    int rc = sev_need(self, args, "--name", &name, err);
    for (int i = 0; rc == 0 && i < args->rest_count; i++)
        rc = secret_read(args->rest[i], &s, err);
    rc = rc ? rc : packet_build(self, args, &s, &packet, err);
    return rc ? rc : packet_save(&packet, s.count, name, cli_value(self, args, "--raw") != NULL, cli_value(self, args, "--json") != NULL, err);
}

const struct cli_command cmd_sev_secret_build = {
    .name = "sev secret build",
    .operands = "GUID:FILE...",
    .min_operands = 1,
    .max_operands = -1,
    .summary = "encrypt secrets for one launched SEV or SEV-ES guest (at most 16 KiB with their table)",
    .exits = "0 made, 2 bad usage or input",
    .options = {{"--tek", "FILE", "the session's TEK"},
                {"--tik", "FILE", "the session's TIK"},
                {"--blob", "BASE64", "the platform's answer to LAUNCH_MEASURE, checked before"},
                {"--name", "PREFIX", "of the files: PREFIX_header.b64, PREFIX_payload.b64"},
                {"--raw", NULL, "write bytes (.bin) in place of base64"},
                {"--json", NULL, "print the file names as JSON"}},
    .run = sev_secret_build,
};
