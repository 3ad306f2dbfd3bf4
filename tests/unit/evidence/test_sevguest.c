/* SPDX-License-Identifier: Apache-2.0 */
/* test_sevguest.c - /dev/sev-guest played by the test: every byte that goes to the kernel, every answer a host can give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "platform/evidence.h"
#include "platform/sevguest_abi.h"

/* What the kernel shall do at each call, and what it was asked. */
struct answer {
    int rc;
    uint64_t exitinfo2;
    uint32_t certs_needed; /* written to certs_len */
    uint32_t status, size; /* of the response */
};
struct fake {
    struct answer answers[16];
    unsigned calls, pauses, paused_ms;
    unsigned long request;
    uint8_t message[32];  /* struct snp_guest_request_ioctl, first 8 bytes */
    uint8_t asked[128];   /* what req_data points to */
    uint32_t certs_len;   /* before the kernel wrote it */
    uint8_t report[TST_SNP_REPORT_BYTES];
    uint8_t table[64];
    size_t table_n;
};

static size_t request_bytes(unsigned long request, uint8_t version)
{
    if (request == SEVGUEST_GET_DERIVED_KEY)
        return version == 2 ? 40 : 32;
    return request == SEVGUEST_GET_EXT_REPORT ? 112 : 96;
}

static void put_u32(uint8_t *to, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_u64(const uint8_t *p)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* Reads and writes by offset only, as the kernel's ABI says, not by our structs. */
static int fake_ioctl(void *ctx, unsigned long request, void *arg)
{
    struct fake *f = ctx;
    uint8_t *message = arg;
    const struct answer *a = &f->answers[f->calls++];
    assert_true(f->calls <= TST_COUNT(f->answers));
    memcpy(f->message, message, sizeof f->message);
    uint8_t *asked = (uint8_t *)(uintptr_t)get_u64(message + 8), *resp = (uint8_t *)(uintptr_t)get_u64(message + 16); // NOLINT
    f->request = request;
    memcpy(f->asked, asked, request_bytes(request, message[0]));
    memcpy(message + 24, &a->exitinfo2, 8);
    if (request == SEVGUEST_GET_EXT_REPORT) {
        memcpy(&f->certs_len, asked + 104, 4);
        if (a->certs_needed)
            put_u32(asked + 104, a->certs_needed);
        else if (a->rc == 0)
            memcpy((uint8_t *)(uintptr_t)get_u64(asked + 96), f->table, f->table_n); // NOLINT
    }
    if (a->rc)
        return a->rc;
    put_u32(resp, a->status);
    if (request == SEVGUEST_GET_DERIVED_KEY) {
        for (unsigned i = 0; i < 32; i++)
            resp[0x20 + i] = (uint8_t)(i + 1);
        return 0;
    }
    put_u32(resp + 4, a->size ? a->size : TST_SNP_REPORT_BYTES);
    memcpy(f->report + 0x50, asked, 64); /* REPORT_DATA */
    memcpy(resp + 0x20, f->report, sizeof f->report);
    return 0;
}

static void fake_pause(void *ctx, unsigned ms)
{
    struct fake *f = ctx;
    f->pauses++;
    f->paused_ms += ms;
}

static struct sevguest_io io_of(struct fake *f)
{
    return (struct sevguest_io){fake_ioctl, fake_pause, f};
}

static struct evidence_request request_of(int vmpl, bool certs)
{
    struct evidence_request q = {.vmpl = vmpl, .certs = certs, .manifest_version = -1};
    for (unsigned i = 0; i < sizeof q.report_data; i++)
        q.report_data[i] = (uint8_t)(0xc0 + i);
    return q;
}

static int ask(struct fake *f, const struct evidence_request *q, struct evidence_blobs *e, struct tst_error **err)
{
    struct sevguest_io io = io_of(f);
    return sevguest_request(&io, q, e, err);
}

static void a_report_is_asked_for_byte_by_byte(void **state)
{
    (void)state;
    struct fake f = {0};
    AUTO_EVIDENCE e = {0};
    const struct evidence_request q = request_of(2, false);
    f.report[0] = 3;
    assert_int_equal(ask(&f, &q, &e, NULL), 0);
    assert_int_equal(f.request, 0xC0205300);
    assert_int_equal(f.message[0], 1);
    assert_memory_equal(f.asked, q.report_data, 64);
    assert_int_equal(f.asked[64], 2);
    assert_true(tst_is_zero(f.asked + 65, 31));
    assert_int_equal(e.report.n, TST_SNP_REPORT_BYTES);
    assert_memory_equal(e.report.p, f.report, TST_SNP_REPORT_BYTES);
    assert_int_equal(e.auxblob.n, 0);
}

static void the_default_privilege_level_is_zero(void **state)
{
    (void)state;
    struct fake f = {0};
    AUTO_EVIDENCE e = {0};
    const struct evidence_request q = request_of(-1, false);
    assert_int_equal(ask(&f, &q, &e, NULL), 0);
    assert_true(tst_is_zero(f.asked + 64, 32));
}

static void an_extended_report_brings_the_table(void **state)
{
    (void)state;
    struct fake f = {.table = {1, 2, 3, 0, 5}, .table_n = 40};
    AUTO_EVIDENCE e = {0};
    const struct evidence_request q = request_of(-1, true);
    assert_int_equal(ask(&f, &q, &e, NULL), 0);
    assert_int_equal(f.request, 0xC0205302);
    assert_int_equal(f.certs_len % 4096, 0);
    assert_int_equal(get_u64(f.asked + 96) % 4096, 0);
    assert_int_equal(e.auxblob.n, 5); /* without the zeros of the buffer */
    assert_memory_equal(e.auxblob.p, f.table, 5);
}

static void a_host_without_certificates_is_no_error(void **state)
{
    (void)state;
    struct fake f = {0};
    AUTO_EVIDENCE e = {0};
    const struct evidence_request q = request_of(-1, true);
    assert_int_equal(ask(&f, &q, &e, NULL), 0);
    assert_int_equal(e.report.n, TST_SNP_REPORT_BYTES);
    assert_int_equal(e.auxblob.n, 0);
}

static void a_short_buffer_grows_to_what_the_kernel_wrote(void **state)
{
    (void)state;
    struct fake f = {.answers = {{.rc = -EIO, .exitinfo2 = 1ULL << 32, .certs_needed = 12000}}, .table = {7}, .table_n = 8};
    AUTO_EVIDENCE e = {0};
    const struct evidence_request q = request_of(-1, true);
    assert_int_equal(ask(&f, &q, &e, NULL), 0);
    assert_int_equal(f.calls, 2);
    assert_int_equal(f.certs_len, 12288);
    assert_int_equal(f.pauses, 0);
    assert_int_equal(e.auxblob.n, 1);
}

static void a_buffer_that_is_never_long_enough_ends(void **state)
{
    (void)state;
    const struct answer shorter = {.rc = -EIO, .exitinfo2 = 1ULL << 32, .certs_needed = 12288}, huge = {.rc = -EIO, .exitinfo2 = 1ULL << 32, .certs_needed = 1U << 30};
    const struct answer same = {.rc = -EIO, .exitinfo2 = 1ULL << 32, .certs_needed = 8192}, full = {.rc = -EIO, .exitinfo2 = 1ULL << 32, .certs_needed = UINT32_MAX};
    struct fake rows[] = {{.answers = {shorter, {.rc = -EIO, .exitinfo2 = 1ULL << 32, .certs_needed = 16384}}}, {.answers = {huge}}, {.answers = {same}}, {.answers = {full}}};
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        AUTO_EVIDENCE e = {0};
        TST_AUTO_ERROR err = NULL;
        const struct evidence_request q = request_of(-1, true);
        assert_int_equal(ask(&rows[i], &q, &e, &err), -TST_UNREACHABLE);
        assert_true(rows[i].calls <= 2);
        assert_non_null(strstr(err->text, "certificate buffer"));
        assert_int_equal(e.report.n, 0);
    }
}

static void a_busy_host_is_asked_again_with_growing_pauses(void **state)
{
    (void)state;
    const struct answer busy = {.rc = -EAGAIN, .exitinfo2 = 2ULL << 32};
    struct fake f = {.answers = {busy, {.rc = -EBUSY}, busy}};
    AUTO_EVIDENCE e = {0};
    const struct evidence_request q = request_of(-1, false);
    assert_int_equal(ask(&f, &q, &e, NULL), 0);
    assert_int_equal(f.calls, 4);
    assert_int_equal(f.paused_ms, 100 + 200 + 400);
}

static void a_host_that_stays_busy_ends_in_bounded_time(void **state)
{
    (void)state;
    struct fake f = {0};
    for (size_t i = 0; i < TST_COUNT(f.answers); i++)
        f.answers[i] = (struct answer){.rc = -EAGAIN, .exitinfo2 = 2ULL << 32};
    AUTO_EVIDENCE e = {0};
    TST_AUTO_ERROR err = NULL;
    const struct evidence_request q = request_of(-1, true);
    assert_int_equal(ask(&f, &q, &e, &err), -TST_UNREACHABLE);
    assert_true(f.calls < TST_COUNT(f.answers));
    assert_true(f.paused_ms <= 10000);
    assert_non_null(strstr(err->text, "busy"));
}

static void another_failure_is_not_repeated(void **state)
{
    (void)state;
    struct fake f = {.answers = {{.rc = -EIO, .exitinfo2 = 0x16}}}, gone = {.answers = {{.rc = -ENOTTY}}};
    AUTO_EVIDENCE e = {0};
    TST_AUTO_ERROR err = NULL, err2 = NULL;
    const struct evidence_request q = request_of(-1, false);
    assert_int_equal(ask(&f, &q, &e, &err), -TST_UNREACHABLE);
    assert_int_equal(f.calls, 1);
    assert_non_null(strstr(err->text, "firmware error 0x16"));
    assert_int_equal(ask(&gone, &q, &e, &err2), -TST_UNREACHABLE);
    assert_non_null(strstr(err2->fix, "message key"));
}

/* The ioctl succeeds and the firmware's error is set all the same: no report. */
static void an_error_beside_success_is_an_error(void **state)
{
    (void)state;
    struct fake f = {.answers = {{.rc = 0, .exitinfo2 = 0x3}}};
    AUTO_EVIDENCE e = {0};
    const struct evidence_request q = request_of(-1, false);
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(ask(&f, &q, &e, &err), -TST_UNREACHABLE);
    assert_int_equal(e.report.n, 0);
}

static void a_refusal_in_the_response_is_told(void **state)
{
    (void)state;
    struct fake refused = {.answers = {{.status = 0x16}}}, odd = {.answers = {{.size = 1000}}};
    AUTO_EVIDENCE e = {0};
    TST_AUTO_ERROR err = NULL, err2 = NULL;
    const struct evidence_request q = request_of(0, false);
    assert_int_equal(ask(&refused, &q, &e, &err), -TST_UNREACHABLE);
    assert_non_null(strstr(err->text, "status 0x16 (invalid parameters)"));
    assert_int_equal(ask(&odd, &q, &e, &err2), -TST_UNREACHABLE);
    assert_non_null(strstr(err2->text, "1000 bytes"));
}

static void services_are_not_asked_of_the_device(void **state)
{
    (void)state;
    struct fake f = {0};
    AUTO_EVIDENCE e = {0};
    TST_AUTO_ERROR err = NULL;
    struct evidence_request q = request_of(-1, false);
    q.svsm = true;
    assert_int_equal(ask(&f, &q, &e, &err), -TST_USAGE);
    assert_int_equal(f.calls, 0);
}

static void a_derived_key_is_asked_for_byte_by_byte(void **state)
{
    (void)state;
    static const uint8_t want[32] = {1, 0, 0, 0, 0, 0, 0, 0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0x44, 0x33, 0, 0,
                                     0x0a, 0, 0, 0, 0, 0, 0x1b, 0xc8};
    struct fake f = {0};
    struct sevguest_io io = io_of(&f);
    TST_AUTO_SECRET key = NULL;
    const struct sevguest_key_request q = {.root = SEVGUEST_ROOT_VMRK,
                                           .mix = SEVGUEST_MIX_POLICY | SEVGUEST_MIX_IMAGE_ID | SEVGUEST_MIX_FAMILY_ID | SEVGUEST_MIX_MEASUREMENT |
                                                  SEVGUEST_MIX_SVN | SEVGUEST_MIX_TCB,
                                           .vmpl = 2, .guest_svn = 0x3344, .tcb = 0xc81b00000000000aULL};
    assert_int_equal(sevguest_key(&io, &q, &key, NULL), 0);
    assert_int_equal(f.request, 0xC0205301);
    assert_int_equal(f.message[0], 1);
    assert_memory_equal(f.asked, want, sizeof want);
    assert_int_equal(tst_secret_size(key), 32);
    assert_int_equal(tst_secret_view(key)[0], 1);
    assert_int_equal(tst_secret_view(key)[31], 32);
}

static void the_mitigation_vector_needs_message_version_2(void **state)
{
    (void)state;
    struct fake f = {0};
    struct sevguest_io io = io_of(&f);
    TST_AUTO_SECRET key = NULL;
    const struct sevguest_key_request q = {.mix = SEVGUEST_MIX_MITIGATIONS, .launch_mitigations = 0x1122334455667788ULL};
    assert_int_equal(sevguest_key(&io, &q, &key, NULL), 0);
    assert_int_equal(f.message[0], 2);
    assert_int_equal(f.asked[8], 0x40);
    assert_int_equal(get_u64(f.asked + 32), 0x1122334455667788ULL);
}

static void a_refused_key_is_no_key(void **state)
{
    (void)state;
    struct fake refused = {.answers = {{.status = 0x27}}}, failed = {.answers = {{.rc = -EIO}}};
    struct sevguest_io io = io_of(&refused), io2 = io_of(&failed);
    TST_AUTO_SECRET key = NULL;
    TST_AUTO_ERROR err = NULL, err2 = NULL;
    const struct sevguest_key_request q = {.mix = SEVGUEST_MIX_POLICY};
    assert_int_equal(sevguest_key(&io, &q, &key, &err), -TST_UNREACHABLE);
    assert_non_null(strstr(err->text, "0x27"));
    assert_int_equal(sevguest_key(&io2, &q, &key, &err2), -TST_UNREACHABLE);
    assert_null(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_asked_for_byte_by_byte),
        cmocka_unit_test(the_default_privilege_level_is_zero),
        cmocka_unit_test(an_extended_report_brings_the_table),
        cmocka_unit_test(a_host_without_certificates_is_no_error),
        cmocka_unit_test(a_short_buffer_grows_to_what_the_kernel_wrote),
        cmocka_unit_test(a_buffer_that_is_never_long_enough_ends),
        cmocka_unit_test(a_busy_host_is_asked_again_with_growing_pauses),
        cmocka_unit_test(a_host_that_stays_busy_ends_in_bounded_time),
        cmocka_unit_test(another_failure_is_not_repeated),
        cmocka_unit_test(an_error_beside_success_is_an_error),
        cmocka_unit_test(a_refusal_in_the_response_is_told),
        cmocka_unit_test(services_are_not_asked_of_the_device),
        cmocka_unit_test(a_derived_key_is_asked_for_byte_by_byte),
        cmocka_unit_test(the_mitigation_vector_needs_message_version_2),
        cmocka_unit_test(a_refused_key_is_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
