/* SPDX-License-Identifier: Apache-2.0 */
/* platform/sev_dev.c - sev_dev.h is the contract. */
#include "platform/sev_dev.h"

#include <errno.h>
#include <stdio.h>

static const struct {
    const char *name, *advice;
} firmware_errors[] = {
    [0x00] = {"SUCCESS", NULL},
    [0x01] = {"INVALID_PLATFORM_STATE",
        "the platform is not in the state that this command needs: `testudo host status` shows it"},
    [0x02] = {"INVALID_GUEST_STATE", NULL},
    [0x03] = {"INVALID_CONFIG", "the firmware does not accept this platform configuration: check the BIOS settings of SEV"},
    [0x04] = {"INVALID_LEN", NULL},
    [0x05] = {"ALREADY_OWNED", "the platform has an owner: only `testudo host reset` takes it back to self-owned"},
    [0x06] = {"INVALID_CERTIFICATE", "the certificate is not one that this platform's keys lead to"},
    [0x07] = {"POLICY_FAILURE", NULL},
    [0x08] = {"INACTIVE", NULL},
    [0x09] = {"INVALID_ADDRESS", NULL},
    [0x0a] = {"BAD_SIGNATURE", NULL},
    [0x0b] = {"BAD_MEASUREMENT", NULL},
    [0x0c] = {"ASID_OWNED", NULL},
    [0x0d] = {"INVALID_ASID", NULL},
    [0x0e] = {"WBINVD_REQUIRED", NULL},
    [0x0f] = {"DFFLUSH_REQUIRED", NULL},
    [0x10] = {"INVALID_GUEST", NULL},
    [0x11] = {"INVALID_COMMAND", "this firmware does not know the command: update it"},
    [0x12] = {"ACTIVE", "stop the encrypted guests first"},
    [0x13] = {"HWERROR_PLATFORM", "the secure processor reports a hardware error: power-cycle the machine"},
    [0x14] = {"HWERROR_UNSAFE", "the secure processor reports a hardware error: power-cycle the machine"},
    [0x15] = {"UNSUPPORTED", "this firmware or this part does not support the command"},
    [0x16] = {"INVALID_PARAM", NULL},
    [0x17] = {"RESOURCE_LIMIT", NULL},
    [0x18] = {"SECURE_DATA_INVALID", "the stored platform data is damaged: `testudo host reset` makes new data"},
    [0x19] = {"INVALID_PAGE_SIZE", NULL},
    [0x1a] = {"INVALID_PAGE_STATE", NULL},
    [0x1b] = {"INVALID_MDATA_ENTRY", NULL},
    [0x1c] = {"INVALID_PAGE_OWNER", NULL},
    [0x1d] = {"AEAD_OFLOW", NULL},
    [0x1f] = {"EXIT_RING_BUFFER", NULL},
    [0x20] = {"RMP_INIT_REQUIRED", "the RMP is not initialised: reboot with SEV-SNP enabled in BIOS"},
    [0x21] = {"BAD_SVN", "the committed firmware is newer"},
    [0x22] = {"BAD_VERSION", NULL},
    [0x23] = {"SHUTDOWN_REQUIRED", NULL},
    [0x24] = {"UPDATE_FAILED", NULL},
    [0x25] = {"RESTORE_REQUIRED", NULL},
    [0x26] = {"RMP_INITIALIZATION_FAILED", NULL},
    [0x27] = {"INVALID_KEY", NULL},
};

static const char *const command_names[] = {
    [SEV_FACTORY_RESET_CMD] = "FACTORY_RESET",
    [SEV_PLATFORM_STATUS_CMD] = "PLATFORM_STATUS",
    [SEV_PEK_GEN_CMD] = "PEK_GEN",
    [SEV_PEK_CSR_CMD] = "PEK_CSR",
    [SEV_PDH_GEN_CMD] = "PDH_GEN",
    [SEV_PDH_CERT_EXPORT_CMD] = "PDH_CERT_EXPORT",
    [SEV_PEK_CERT_IMPORT_CMD] = "PEK_CERT_IMPORT",
    [SEV_GET_ID2_CMD] = "GET_ID2",
    [SNP_PLATFORM_STATUS_CMD] = "SNP_PLATFORM_STATUS",
    [SNP_COMMIT_CMD] = "SNP_COMMIT",
    [SNP_SET_CONFIG_CMD] = "SNP_SET_CONFIG",
    [SNP_VLEK_LOAD_CMD] = "SNP_VLEK_LOAD",
};

const char *sev_firmware_error(uint32_t error)
{
    return error < TST_COUNT(firmware_errors) ? firmware_errors[error].name : NULL;
}

const char *sev_firmware_advice(uint32_t error)
{
    return error < TST_COUNT(firmware_errors) ? firmware_errors[error].advice : NULL;
}

const char *sev_state_name(uint8_t state)
{
    static const char *const names[] = {
        [SEV_UNINITIALISED] = "uninitialised", [SEV_INITIALISED] = "initialised", [SEV_WORKING] = "working"};
    return state < TST_COUNT(names) ? names[state] : "unknown state";
}

/* ---- the ioctl ---- */
static void put_le(uint8_t *to, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t address_of(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/* The firmware was not asked: the device is absent, closed to us, or its driver said no. */
static int device_fail(const char *command, int error, struct tst_error **err)
{
    static const struct {
        int error;
        enum tst_code code;
        const char *fix;
    } rows[] = {
        {ENOENT, TST_NOT_FOUND,
         "there is no /dev/sev: on a host load the module ccp and enable SEV in BIOS; in a guest there never is one"},
        {EACCES, TST_DENIED, "run as root, or as a member of the group that owns /dev/sev"},
        {EPERM, TST_DENIED, "run as root"},
        {ENODEV, TST_UNDECIDABLE, "the secure processor did not start: see `dmesg | grep -i ccp`"},
        {ENOTTY, TST_UNDECIDABLE, "this kernel's driver does not know the command: a newer kernel is needed"},
        {EINVAL, TST_UNDECIDABLE, "this kernel's driver refuses the command: a newer kernel may be needed"},
    };
    for (size_t i = 0; i < TST_COUNT(rows); i++)
        if (rows[i].error == error) {
            tst_fail(err, rows[i].code, "%s: %s: %s", SEV_DEVICE, command, strerror(error));
            return tst_hint(err, NULL, NULL, rows[i].fix);
        }
    return tst_fail(err, TST_UNDECIDABLE, "%s: %s: %s", SEV_DEVICE, command, strerror(error));
}

static int firmware_fail(const char *command, uint32_t error, struct tst_error **err)
{
    char found[48];
    const char *name = sev_firmware_error(error);
    snprintf(found, sizeof found, "firmware error 0x%02x %s", error, name ? name : "(no name known)");
    tst_fail(err, TST_REFUTED, "%s: %s: %s", SEV_DEVICE, command, found);
    return tst_hint(err, NULL, found, sev_firmware_advice(error));
}

int sev_issue(const struct platform *p, enum sev_command command, void *data, struct tst_error **err)
{
    uint8_t issue[SEV_ISSUE_BYTES] = {0};
    put_le(issue, command, 4);
    put_le(issue + 4, address_of(data), 8);
    int rc = p->ioctl(p, SEV_DEVICE, SEV_ISSUE_REQUEST, issue);
    struct tst_rd r = tst_rd_of(issue + 12, 4);
    uint32_t error = tst_rd_u32le(&r);
    if (rc >= 0 && error == 0)
        return 0;
    if (error && error != SEV_NO_FIRMWARE_CALL)
        return firmware_fail(command_names[command], error, err);
    return device_fail(command_names[command], rc < 0 ? -rc : EIO, err);
}

/* ---- status ---- */
int sev_platform_status(const struct platform *p, struct sev_status *out, struct tst_error **err)
{
    uint8_t b[SEV_STATUS_BYTES] = {0};
    int rc = sev_issue(p, SEV_PLATFORM_STATUS_CMD, b, err);
    if (rc < 0)
        return rc;
    struct tst_rd r = tst_rd_of(b, sizeof b);
    *out = (struct sev_status){0};
    out->api_major = tst_rd_u8(&r);
    out->api_minor = tst_rd_u8(&r);
    out->state = tst_rd_u8(&r);
    uint32_t flags = tst_rd_u32le(&r);
    out->owned = flags & 1;
    out->es = flags & (1U << 8);
    out->build = tst_rd_u8(&r);
    out->guests = tst_rd_u32le(&r);
    return tst_rd_finish(&r, "PLATFORM_STATUS", err);
}

int snp_platform_status(const struct platform *p, struct snp_status *out, struct tst_error **err)
{
    uint8_t b[SNP_STATUS_BYTES] = {0};
    int rc = sev_issue(p, SNP_PLATFORM_STATUS_CMD, b, err);
    if (rc < 0)
        return rc;
    struct tst_rd r = tst_rd_of(b, sizeof b);
    *out = (struct snp_status){0};
    out->api_major = tst_rd_u8(&r);
    out->api_minor = tst_rd_u8(&r);
    out->state = tst_rd_u8(&r);
    uint8_t bits = tst_rd_u8(&r); /* bits, not a byte: newer firmware sets more of them */
    out->rmp_initialised = bits & (1U << 0);
    out->alias_checked = bits & (1U << 1);
    out->tio_enabled = bits & (1U << 3);
    out->build = tst_rd_u32le(&r);
    out->flags = tst_rd_u32le(&r);
    out->guests = tst_rd_u32le(&r);
    tst_rd_copy(&r, out->current_tcb, sizeof out->current_tcb);
    tst_rd_copy(&r, out->reported_tcb, sizeof out->reported_tcb);
    return tst_rd_finish(&r, "SNP_PLATFORM_STATUS", err);
}

/* {u64 address, u32 length}: the firmware writes to address and says in length how much. */
struct out_buffer {
    uint8_t b[12];
};

static void out_buffer_set(struct out_buffer *o, const void *to, size_t n)
{
    put_le(o->b, address_of(to), 8);
    put_le(o->b + 8, n, 4);
}

static size_t out_buffer_length(const struct out_buffer *o)
{
    struct tst_rd r = tst_rd_of(o->b + 8, 4);
    return tst_rd_u32le(&r);
}

int sev_chip_id(const struct platform *p, uint8_t id[SEV_ID_BYTES], size_t *n, struct tst_error **err)
{
    uint8_t both[2 * SEV_ID_BYTES] = {0}; /* some firmware gives both sockets */
    struct out_buffer o;
    out_buffer_set(&o, both, sizeof both);
    int rc = sev_issue(p, SEV_GET_ID2_CMD, o.b, err);
    if (rc < 0)
        return rc;
    *n = out_buffer_length(&o);
    if (*n > sizeof both)
        return tst_fail(err, TST_UNDECIDABLE, "GET_ID2: says %zu bytes of %zu", *n, sizeof both);
    *n = *n > SEV_ID_BYTES ? SEV_ID_BYTES : *n;
    memcpy(id, both, SEV_ID_BYTES);
    return 0;
}

/* ---- what changes the platform ---- */
int snp_set_config(const struct platform *p, const uint8_t tcb[8], uint32_t flags, struct tst_error **err)
{
    uint8_t config[SNP_CONFIG_BYTES] = {0};
    memcpy(config, tcb, 8);
    put_le(config + 8, flags, 4);
    return sev_issue(p, SNP_SET_CONFIG_CMD, config, err);
}

int snp_commit(const struct platform *p, struct tst_error **err)
{
    return sev_issue(p, SNP_COMMIT_CMD, NULL, err);
}

int snp_vlek_load(const struct platform *p, const uint8_t wrapped[SNP_WRAPPED_VLEK_BYTES], struct tst_error **err)
{
    uint8_t load[SNP_VLEK_LOAD_BYTES] = {0}; /* {u32 length of this, u8 version of the wrapped key, 3 x 0, u64 address} */
    put_le(load, sizeof load, 4);
    put_le(load + 8, address_of(wrapped), 8);
    return sev_issue(p, SNP_VLEK_LOAD_CMD, load, err);
}

static int length_check(const char *what, size_t found, size_t want, struct tst_error **err)
{
    return found == want ? 0 : tst_fail(err, TST_UNDECIDABLE, "%s: %zu bytes, expected %zu", what, found, want);
}

int sev_pdh_export(const struct platform *p, uint8_t pdh[SEV_CERT_BYTES], uint8_t chain[SEV_CHAIN_BYTES],
    struct tst_error **err)
{
    struct out_buffer o[2]; /* packed behind each other, as the command wants them */
    _Static_assert(sizeof o == 24, "PDH_CERT_EXPORT takes 24 bytes");
    out_buffer_set(&o[0], pdh, SEV_CERT_BYTES);
    out_buffer_set(&o[1], chain, SEV_CHAIN_BYTES);
    int rc = sev_issue(p, SEV_PDH_CERT_EXPORT_CMD, o, err);
    if (rc == 0)
        rc = length_check("PDH certificate", out_buffer_length(&o[0]), SEV_CERT_BYTES, err);
    return rc < 0 ? rc : length_check("certificate chain", out_buffer_length(&o[1]), SEV_CHAIN_BYTES, err);
}

int sev_pek_csr(const struct platform *p, uint8_t csr[SEV_CERT_BYTES], struct tst_error **err)
{
    struct out_buffer o;
    out_buffer_set(&o, csr, SEV_CERT_BYTES);
    int rc = sev_issue(p, SEV_PEK_CSR_CMD, o.b, err);
    return rc < 0 ? rc : length_check("certificate signing request", out_buffer_length(&o), SEV_CERT_BYTES, err);
}

int sev_pek_import(const struct platform *p, const uint8_t pek[SEV_CERT_BYTES], const uint8_t oca[SEV_CERT_BYTES],
                   struct tst_error **err)
{
    struct out_buffer in[2];
    out_buffer_set(&in[0], pek, SEV_CERT_BYTES);
    out_buffer_set(&in[1], oca, SEV_CERT_BYTES);
    return sev_issue(p, SEV_PEK_CERT_IMPORT_CMD, in, err);
}

int sev_plain(const struct platform *p, enum sev_command command, struct tst_error **err)
{
    return sev_issue(p, command, NULL, err);
}
