/* SPDX-License-Identifier: Apache-2.0 */
/* unit/platform/test_sev_dev.c - the exact bytes of each /dev/sev command (psp-sev.h: packed structs, little endian), what is
 * made of the answers, and the firmware's errors by name. The device is played; nothing is sent anywhere. */
#include "machine.h"

#include <errno.h>
#include <linux/psp-sev.h>
#include <sys/ioctl.h>

#include "platform/sev_dev.h"

/* What the played device saw of one command, and what it answers. */
struct fake {
    unsigned calls;
    uint8_t issue[SEV_ISSUE_BYTES]; /* as it came in */
    uint8_t data[128];              /* what its data pointer led to */
    size_t data_n;                  /* how much of that to take */
    const uint8_t *answer;          /* written over data; NULL = leave */
    size_t answer_n;
    uint32_t error;
    int rc;
    void (*fill)(uint8_t *data);
};

static uint64_t u64_at(const uint8_t *p)
{
    struct tst_rd r = tst_rd_of(p, 8);
    return tst_rd_u64le(&r);
}

static uint32_t u32_at(const uint8_t *p)
{
    struct tst_rd r = tst_rd_of(p, 4);
    return tst_rd_u32le(&r);
}

static int fake_ioctl(const struct platform *p, const char *device, unsigned long request, void *arg)
{
    struct fake *f = p->ctx;
    uint8_t *issue = arg, *data = (uint8_t *)(uintptr_t)u64_at(issue + 4);
    assert_string_equal(device, "/dev/sev");
    assert_int_equal(request, SEV_ISSUE_CMD);
    f->calls++;
    memcpy(f->issue, issue, sizeof f->issue);
    if (f->data_n)
        memcpy(f->data, data, f->data_n);
    if (f->answer)
        memcpy(data, f->answer, f->answer_n);
    if (f->fill)
        f->fill(data);
    memcpy(issue + 12, &f->error, 4);
    return f->rc;
}

static struct platform platform_of(struct fake *f)
{
    return (struct platform){.ioctl = fake_ioctl, .ctx = f, .name = (char *)(uintptr_t) "played"};
}

static void issue_is(const struct fake *f, uint32_t command, bool with_data)
{
    assert_int_equal(f->calls, 1);
    assert_int_equal(u32_at(f->issue), command);
    assert_int_equal(u64_at(f->issue + 4) != 0, with_data);
    assert_int_equal(u32_at(f->issue + 12), 0);
}

static void request_number_is_the_kernels(void **state)
{
    (void)state;
    assert_int_equal(SEV_ISSUE_REQUEST, SEV_ISSUE_CMD);
    assert_int_equal(SEV_ISSUE_BYTES, sizeof(struct sev_issue_cmd));
    assert_int_equal(SEV_STATUS_BYTES, sizeof(struct sev_user_data_status));
    assert_int_equal(SEV_FACTORY_RESET_CMD, SEV_FACTORY_RESET);
    assert_int_equal(SEV_PLATFORM_STATUS_CMD, SEV_PLATFORM_STATUS);
    assert_int_equal(SEV_PEK_GEN_CMD, SEV_PEK_GEN);
    assert_int_equal(SEV_PEK_CSR_CMD, SEV_PEK_CSR);
    assert_int_equal(SEV_PDH_GEN_CMD, SEV_PDH_GEN);
    assert_int_equal(SEV_PDH_CERT_EXPORT_CMD, SEV_PDH_CERT_EXPORT);
    assert_int_equal(SEV_PEK_CERT_IMPORT_CMD, SEV_PEK_CERT_IMPORT);
    assert_int_equal(SEV_GET_ID2_CMD, SEV_GET_ID2);
}

static void platform_status_is_read_byte_by_byte(void **state)
{
    static const uint8_t answer[SEV_STATUS_BYTES] = {1, 55, 2, 0x01, 0x01, 0, 0, 40, 0x04, 0x03, 0x02, 0x01};
    struct fake f = {.data_n = SEV_STATUS_BYTES, .answer = answer, .answer_n = sizeof answer};
    struct platform p = platform_of(&f);
    struct sev_status s;
    (void)state;
    assert_int_equal(sev_platform_status(&p, &s, NULL), 0);
    issue_is(&f, 1, true);
    assert_true(tst_is_zero(f.data, SEV_STATUS_BYTES));
    assert_int_equal(s.api_major, 1);
    assert_int_equal(s.api_minor, 55);
    assert_int_equal(s.state, SEV_WORKING);
    assert_true(s.owned && s.es);
    assert_int_equal(s.build, 40);
    assert_int_equal(s.guests, 0x01020304);
}

static void snp_platform_status_is_read_byte_by_byte(void **state)
{
    static const uint8_t answer[SNP_STATUS_BYTES] = {1,    58,   1,    0x0a, 65, 1,  0,  0,  0x42, 0,  0,  0,  7,  0,  0,  0,
                                                     0x11, 0x12, 0x13, 0x14, 0,  0,  0,  0x18, 0x21, 0x22, 0x23, 0x24, 0,  0,
                                                         0,  0x28};
    struct fake f = {.data_n = SNP_STATUS_BYTES, .answer = answer, .answer_n = sizeof answer};
    struct platform p = platform_of(&f);
    struct snp_status s;
    (void)state;
    assert_int_equal(snp_platform_status(&p, &s, NULL), 0);
    issue_is(&f, 9, true);
    assert_true(tst_is_zero(f.data, SNP_STATUS_BYTES));
    assert_int_equal(s.api_minor, 58);
    assert_int_equal(s.state, 1);
    assert_false(s.rmp_initialised);
    assert_true(s.alias_checked);
    assert_true(s.tio_enabled);
    assert_int_equal(s.build, 321);
    assert_int_equal(s.flags, SNP_FLAG_MASK_CHIP_KEY | SNP_FLAG_CIPHERTEXT_HIDING);
    assert_int_equal(s.guests, 7);
    assert_memory_equal(s.current_tcb, answer + 16, 8);
    assert_memory_equal(s.reported_tcb, answer + 24, 8);
}

static void set_config_sends_64_bytes(void **state)
{
    static const uint8_t tcb[8] = {4, 0, 0, 0, 0, 0, 0x1b, 0xdb};
    uint8_t want[SNP_CONFIG_BYTES] = {4, 0, 0, 0, 0, 0, 0x1b, 0xdb, 0x03};
    struct fake f = {.data_n = SNP_CONFIG_BYTES};
    struct platform p = platform_of(&f);
    (void)state;
    assert_int_equal(snp_set_config(&p, tcb, SNP_FLAG_MASK_CHIP_ID | SNP_FLAG_MASK_CHIP_KEY, NULL), 0);
    issue_is(&f, 11, true);
    assert_memory_equal(f.data, want, sizeof want);
}

static void commit_and_the_plain_commands_carry_no_buffer(void **state)
{
    static const enum sev_command commands[] = {SEV_FACTORY_RESET_CMD, SEV_PEK_GEN_CMD, SEV_PDH_GEN_CMD};
    static const uint32_t numbers[] = {0, 2, 4};
    (void)state;
    for (size_t i = 0; i < TST_COUNT(commands); i++) {
        struct fake f = {0};
        struct platform p = platform_of(&f);
        assert_int_equal(sev_plain(&p, commands[i], NULL), 0);
        issue_is(&f, numbers[i], false);
    }
    struct fake f = {0};
    struct platform p = platform_of(&f);
    assert_int_equal(snp_commit(&p, NULL), 0);
    issue_is(&f, 10, false);
}

static void vlek_load_points_to_the_wrapped_key(void **state)
{
    uint8_t wrapped[SNP_WRAPPED_VLEK_BYTES] = {0};
    struct fake f = {.data_n = SNP_VLEK_LOAD_BYTES};
    struct platform p = platform_of(&f);
    (void)state;
    assert_int_equal(snp_vlek_load(&p, wrapped, NULL), 0);
    issue_is(&f, 12, true);
    static const uint8_t head[8] = {16, 0, 0, 0, 0, 0, 0, 0}; /* length of this, version 0, reserved */
    assert_memory_equal(f.data, head, sizeof head);
    assert_true(u64_at(f.data + 8) == (uint64_t)(uintptr_t)wrapped);
}

static void fill_export(uint8_t *data)
{
    memset((void *)(uintptr_t)u64_at(data), 0xa1, SEV_CERT_BYTES);
    memset((void *)(uintptr_t)u64_at(data + 12), 0xb2, SEV_CHAIN_BYTES);
}

static void pdh_export_names_two_buffers_without_a_gap(void **state)
{
    uint8_t pdh[SEV_CERT_BYTES], chain[SEV_CHAIN_BYTES];
    struct fake f = {.data_n = 24, .fill = fill_export};
    struct platform p = platform_of(&f);
    (void)state;
    assert_int_equal(sev_pdh_export(&p, pdh, chain, NULL), 0);
    issue_is(&f, 5, true);
    assert_true(u64_at(f.data) == (uint64_t)(uintptr_t)pdh);
    assert_int_equal(u32_at(f.data + 8), 2084);
    assert_true(u64_at(f.data + 12) == (uint64_t)(uintptr_t)chain);
    assert_int_equal(u32_at(f.data + 20), 6252);
    assert_int_equal(pdh[0], 0xa1);
    assert_int_equal(chain[SEV_CHAIN_BYTES - 1], 0xb2);
}

static void fill_short(uint8_t *data)
{
    data[8] = 1; /* length 0x801: one certificate would have 0x824 */
    data[9] = 8;
}

static void an_export_of_another_length_is_refused(void **state)
{
    uint8_t pdh[SEV_CERT_BYTES], chain[SEV_CHAIN_BYTES];
    struct fake f = {.fill = fill_short};
    struct platform p = platform_of(&f);
    TST_AUTO_ERROR err = NULL;
    (void)state;
    assert_int_equal(sev_pdh_export(&p, pdh, chain, &err), -TST_UNDECIDABLE);
    assert_non_null(strstr(err->text, "2049 bytes, expected 2084"));
    assert_int_equal(sev_pek_csr(&p, pdh, NULL), -TST_UNDECIDABLE);
}

static void pek_csr_and_import_name_their_buffers(void **state)
{
    uint8_t a[SEV_CERT_BYTES] = {0}, b[SEV_CERT_BYTES] = {0};
    struct fake csr = {.data_n = 12}, import = {.data_n = 24};
    struct platform p = platform_of(&csr), q = platform_of(&import);
    (void)state;
    assert_int_equal(sev_pek_csr(&p, a, NULL), 0);
    issue_is(&csr, 3, true);
    assert_true(u64_at(csr.data) == (uint64_t)(uintptr_t)a);
    assert_int_equal(u32_at(csr.data + 8), 2084);
    assert_int_equal(sev_pek_import(&q, a, b, NULL), 0);
    issue_is(&import, 6, true);
    assert_true(u64_at(import.data) == (uint64_t)(uintptr_t)a);
    assert_int_equal(u32_at(import.data + 8), 2084);
    assert_true(u64_at(import.data + 12) == (uint64_t)(uintptr_t)b);
    assert_int_equal(u32_at(import.data + 20), 2084);
}

static void fill_id(uint8_t *data)
{
    uint8_t *id = (uint8_t *)(uintptr_t)u64_at(data);
    for (unsigned i = 0; i < 64; i++)
        id[i] = (uint8_t)(i + 1);
    data[8] = 64;
}

static void fill_too_long(uint8_t *data)
{
    data[8] = 129;
}

static void chip_id_has_the_length_that_the_firmware_says(void **state)
{
    uint8_t id[SEV_ID_BYTES];
    size_t n;
    struct fake f = {.data_n = 12, .fill = fill_id}, g = {.fill = fill_too_long};
    struct platform p = platform_of(&f), q = platform_of(&g);
    (void)state;
    assert_int_equal(sev_chip_id(&p, id, &n, NULL), 0);
    issue_is(&f, 8, true);
    assert_int_equal(u32_at(f.data + 8), 128);
    assert_int_equal(n, 64);
    assert_int_equal(id[63], 64);
    assert_int_equal(sev_chip_id(&q, id, &n, NULL), -TST_UNDECIDABLE);
}

/* AMD 55766 and 56860, table of status codes; 0x1e has no name. */
static void firmware_errors_have_names(void **state)
{
    static const char *const names[] = {
        "SUCCESS", "INVALID_PLATFORM_STATE", "INVALID_GUEST_STATE", "INVALID_CONFIG", "INVALID_LEN", "ALREADY_OWNED",
        "INVALID_CERTIFICATE", "POLICY_FAILURE", "INACTIVE", "INVALID_ADDRESS", "BAD_SIGNATURE", "BAD_MEASUREMENT",
            "ASID_OWNED",
        "INVALID_ASID", "WBINVD_REQUIRED", "DFFLUSH_REQUIRED", "INVALID_GUEST", "INVALID_COMMAND", "ACTIVE", "HWERROR_PLATFORM",
        "HWERROR_UNSAFE", "UNSUPPORTED", "INVALID_PARAM", "RESOURCE_LIMIT", "SECURE_DATA_INVALID", "INVALID_PAGE_SIZE",
        "INVALID_PAGE_STATE", "INVALID_MDATA_ENTRY", "INVALID_PAGE_OWNER", "AEAD_OFLOW", NULL, "EXIT_RING_BUFFER"};
    (void)state;
    for (uint32_t i = 1; i < TST_COUNT(names); i++) {
        struct fake f = {.error = i, .rc = -EIO};
        struct platform p = platform_of(&f);
        TST_AUTO_ERROR err = NULL;
        char number[8];
        if (names[i])
            assert_string_equal(sev_firmware_error(i), names[i]);
        else
            assert_null(sev_firmware_error(i));
        assert_int_equal(snp_commit(&p, &err), -TST_REFUTED);
        snprintf(number, sizeof number, "0x%02x", i);
        assert_non_null(strstr(err->text, number));
        assert_non_null(strstr(err->text, names[i] ? names[i] : "no name known"));
        assert_non_null(strstr(err->text, "SNP_COMMIT"));
    }
    assert_null(sev_firmware_error(0x28));
    assert_null(sev_firmware_error(UINT32_MAX));
}

/* An error number counts even when the ioctl says 0; without a call of the firmware it is the driver's word. */
static void driver_and_firmware_are_told_apart(void **state)
{
    static const struct {
        uint32_t error;
        int rc, code;
        const char *text;
    } rows[] = {
        {0x13, 0, TST_REFUTED, "HWERROR_PLATFORM"},
        {SEV_NO_FIRMWARE_CALL, -EBUSY, TST_UNDECIDABLE, "busy"},
        {0, -ENOENT, TST_NOT_FOUND, "No such file"},
        {0, -EACCES, TST_DENIED, "Permission denied"},
        {0, -EPERM, TST_DENIED, "not permitted"},
        {0, -ENOTTY, TST_UNDECIDABLE, "Inappropriate ioctl"},
        {0, -EINVAL, TST_UNDECIDABLE, "Invalid argument"},
        {0, -ENODEV, TST_UNDECIDABLE, "No such device"},
        {SEV_NO_FIRMWARE_CALL, 0, TST_UNDECIDABLE, "Input/output error"},
    };
    (void)state;
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        struct fake f = {.error = rows[i].error, .rc = rows[i].rc};
        struct platform p = platform_of(&f);
        TST_AUTO_ERROR err = NULL;
        assert_int_equal(snp_commit(&p, &err), -rows[i].code);
        assert_non_null(strstr(err->text, rows[i].text));
        assert_int_equal(f.calls, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_number_is_the_kernels),
        cmocka_unit_test(platform_status_is_read_byte_by_byte),
        cmocka_unit_test(snp_platform_status_is_read_byte_by_byte),
        cmocka_unit_test(set_config_sends_64_bytes),
        cmocka_unit_test(commit_and_the_plain_commands_carry_no_buffer),
        cmocka_unit_test(vlek_load_points_to_the_wrapped_key),
        cmocka_unit_test(pdh_export_names_two_buffers_without_a_gap),
        cmocka_unit_test(an_export_of_another_length_is_refused),
        cmocka_unit_test(pek_csr_and_import_name_their_buffers),
        cmocka_unit_test(chip_id_has_the_length_that_the_firmware_says),
        cmocka_unit_test(firmware_errors_have_names),
        cmocka_unit_test(driver_and_firmware_are_told_apart),
    };
    return cmocka_run_group_tests_name("sev_dev", tests, NULL, NULL);
}
