/* SPDX-License-Identifier: Apache-2.0 */
/* test_tsm.c - configfs-tsm played by the test: order of writes, other users in between, floors, services. The real file system
 * interface is held by tests/unit/sim and by the cluster tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include <testudo/container.h>

#include "platform/evidence.h"

struct fake {
    char log[512];         /* "make provider< inblob> ..." */
    const char *provider, *floor; /* NULL: there is no floor */
    unsigned generation, made, removed, pauses;
    unsigned disturb_reads; /* so many times somebody else writes while the outputs are read */
    bool disturb_input;     /* somebody's inblob replaces ours before the generation is read */
    int outblob_error, inblob_error, make_error, auxblob_error, service_error;
    unsigned error_times;
    uint8_t inblob[64], manifest[60];
    size_t manifest_n;
    char privlevel[16], service_provider[16], service_guid[40], version[16];
};

static void note(struct fake *f, const char *name, const char *what)
{
    size_t n = strlen(f->log);
    snprintf(f->log + n, sizeof f->log - n, "%s%s ", name, what);
}

static int fake_make(void *ctx)
{
    struct fake *f = ctx;
    f->made++;
    return f->make_error;
}

static void fake_remove(void *ctx)
{
    ((struct fake *)ctx)->removed++;
}

static int give(struct tst_buf *out, const void *p, size_t n)
{
    assert_int_equal(tst_buf_put(out, p, n, NULL), 0);
    return 0;
}

static int give_report(struct fake *f, struct tst_buf *out)
{
    uint8_t report[TST_SNP_REPORT_BYTES] = {3};
    if (f->error_times && f->outblob_error) {
        f->error_times--;
        return f->outblob_error;
    }
    if (f->disturb_reads) {
        f->disturb_reads--;
        f->generation++;
    }
    memcpy(report + 0x50, f->inblob, 64);
    if (f->manifest_n)
        assert_int_equal(tst_svsm_report_data(f->inblob, f->manifest, f->manifest_n, report + 0x50, NULL), 0);
    return give(out, report, sizeof report);
}

static int fake_read(void *ctx, const char *name, struct tst_buf *out)
{
    struct fake *f = ctx;
    char text[32];
    note(f, name, "<");
    snprintf(text, sizeof text, "%u\n", f->generation);
    if (strcmp(name, "provider") == 0)
        return give(out, f->provider, strlen(f->provider));
    if (strcmp(name, "privlevel_floor") == 0)
        return f->floor ? give(out, f->floor, strlen(f->floor)) : -ENOENT;
    if (strcmp(name, "generation") == 0)
        return give(out, text, strlen(text));
    if (strcmp(name, "outblob") == 0)
        return give_report(f, out);
    if (strcmp(name, "auxblob") == 0)
        return f->auxblob_error ? f->auxblob_error : give(out, "table", 5);
    if (strcmp(name, "manifestblob") == 0)
        return give(out, f->manifest, f->manifest_n);
    return -ENOENT;
}

static int keep(char *to, size_t max, const void *p, size_t n)
{
    assert_true(n < max);
    memcpy(to, p, n);
    to[n] = '\0';
    return 0;
}

static int fake_write(void *ctx, const char *name, const void *p, size_t n)
{
    struct fake *f = ctx;
    note(f, name, ">");
    f->generation++;
    if (strcmp(name, "inblob") == 0) {
        if (f->error_times && f->inblob_error) {
            f->error_times--;
            return f->inblob_error;
        }
        assert_int_equal(n, 64);
        memcpy(f->inblob, p, n);
        if (f->disturb_input) {
            f->disturb_input = false;
            f->inblob[5] ^= 1;
            f->generation++;
        }
        return 0;
    }
    if (strcmp(name, "privlevel") == 0)
        return keep(f->privlevel, sizeof f->privlevel, p, n);
    if (strcmp(name, "service_provider") == 0)
        return f->service_error ? f->service_error : keep(f->service_provider, sizeof f->service_provider, p, n);
    if (strcmp(name, "service_guid") == 0)
        return keep(f->service_guid, sizeof f->service_guid, p, n);
    return strcmp(name, "service_manifest_version") == 0 ? keep(f->version, sizeof f->version, p, n) : -ENOENT;
}

static void fake_pause(void *ctx, unsigned ms)
{
    ((struct fake *)ctx)->pauses++;
    assert_true(ms > 0 && ms <= 1000);
}

static int ask(struct fake *f, const struct evidence_request *q, struct evidence_blobs *e, struct tst_error **err)
{
    const struct tsm_io io = {fake_make, fake_remove, fake_read, fake_write, fake_pause, f};
    f->provider = f->provider ? f->provider : "sev_guest\n";
    int rc = tsm_request(&io, q, e, err);
    assert_int_equal(f->removed, f->make_error ? 0 : f->made); /* whatever happened */
    return rc;
}

static struct evidence_request request_of(int vmpl)
{
    struct evidence_request q = {.vmpl = vmpl, .certs = true, .manifest_version = -1};
    memset(q.report_data, 0x42, sizeof q.report_data);
    return q;
}

static void one_entry_one_report(void **state)
{
    (void)state;
    struct fake f = {0};
    AUTO_EVIDENCE e = {0};
    const struct evidence_request q = request_of(-1);
    assert_int_equal(ask(&f, &q, &e, NULL), 0);
    assert_string_equal(f.log, "provider< privlevel_floor< inblob> generation< outblob< auxblob< generation< ");
    assert_int_equal(e.report.n, TST_SNP_REPORT_BYTES);
    assert_int_equal(e.auxblob.n, 5);
    assert_int_equal(f.pauses, 0);
}

static void certificates_are_read_only_when_asked_for(void **state)
{
    (void)state;
    struct fake f = {0};
    AUTO_EVIDENCE e = {0};
    struct evidence_request q = request_of(-1);
    q.certs = false;
    assert_int_equal(ask(&f, &q, &e, NULL), 0);
    assert_null(strstr(f.log, "auxblob"));
}

static void a_host_without_certificates_is_no_error(void **state)
{
    (void)state;
    struct fake f = {.auxblob_error = -ENOENT}, broken = {.auxblob_error = -EIO};
    AUTO_EVIDENCE e = {0};
    const struct evidence_request q = request_of(-1);
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(ask(&f, &q, &e, NULL), 0);
    assert_int_equal(e.auxblob.n, 0);
    assert_int_equal(ask(&broken, &q, &e, &err), -TST_UNREACHABLE);
}

static void a_report_that_changed_under_the_reader_is_asked_again(void **state)
{
    (void)state;
    struct fake f = {.disturb_reads = 2};
    AUTO_EVIDENCE e = {0};
    const struct evidence_request q = request_of(-1);
    assert_int_equal(ask(&f, &q, &e, NULL), 0);
    assert_int_equal(f.pauses, 2);
    assert_int_equal(e.report.n, TST_SNP_REPORT_BYTES);
}

static void a_report_about_somebody_elses_input_is_never_taken(void **state)
{
    (void)state;
    struct fake f = {.disturb_input = true};
    AUTO_EVIDENCE e = {0};
    const struct evidence_request q = request_of(-1);
    assert_int_equal(ask(&f, &q, &e, NULL), 0);
    assert_int_equal(f.pauses, 1);
    assert_memory_equal(e.report.p + 0x50, q.report_data, 64);
}

static void an_entry_that_keeps_changing_ends(void **state)
{
    (void)state;
    struct fake f = {.disturb_reads = 1000};
    AUTO_EVIDENCE e = {0};
    TST_AUTO_ERROR err = NULL;
    const struct evidence_request q = request_of(-1);
    assert_int_equal(ask(&f, &q, &e, &err), -TST_UNREACHABLE);
    assert_non_null(strstr(err->text, "generation"));
    assert_true(f.pauses < 10);
    assert_int_equal(e.report.n, 0);
}

static void a_busy_entry_is_asked_again(void **state)
{
    (void)state;
    struct fake in = {.inblob_error = -EBUSY, .error_times = 2}, out = {.outblob_error = -EWOULDBLOCK, .error_times = 1};
    AUTO_EVIDENCE e = {0};
    const struct evidence_request q = request_of(-1);
    assert_int_equal(ask(&in, &q, &e, NULL), 0);
    assert_int_equal(in.pauses, 2);
    assert_int_equal(ask(&out, &q, &e, NULL), 0);
    assert_int_equal(out.pauses, 1);
}

static void the_floor_is_the_default_and_the_limit(void **state)
{
    (void)state;
    struct fake floor2 = {.floor = "2\n"}, above = {.floor = "2\n"}, chosen = {.floor = "2\n"}, zero = {.floor = "0\n"};
    AUTO_EVIDENCE e = {0};
    TST_AUTO_ERROR err = NULL;
    struct evidence_request q = request_of(-1);
    assert_int_equal(ask(&floor2, &q, &e, NULL), 0);
    assert_string_equal(floor2.privlevel, "2");
    assert_int_equal(ask(&zero, &q, &e, NULL), 0);
    assert_string_equal(zero.privlevel, "");
    q.vmpl = 3;
    assert_int_equal(ask(&chosen, &q, &e, NULL), 0);
    assert_string_equal(chosen.privlevel, "3");
    q.vmpl = 1;
    assert_int_equal(ask(&above, &q, &e, &err), -TST_USAGE);
    assert_string_equal(err->expected, "2 to 3");
    assert_null(strstr(above.log, "inblob"));
}

static void an_svsm_vouches_for_its_services(void **state)
{
    (void)state;
    struct fake f = {.manifest_n = 60}, one = {.manifest_n = 60}, none = {.service_error = -ENOENT};
    AUTO_EVIDENCE e = {0};
    TST_AUTO_ERROR err = NULL;
    struct evidence_request q = request_of(-1);
    q.svsm = true;
    assert_int_equal(ask(&f, &q, &e, NULL), 0);
    assert_string_equal(f.service_provider, "svsm");
    assert_string_equal(f.service_guid, "");
    assert_int_equal(e.manifest.n, 60);
    q.service_guid = "c476f1eb-0123-45a5-9641-b4e7dde5bfe3";
    q.manifest_version = 1;
    assert_int_equal(ask(&one, &q, &e, NULL), 0);
    assert_string_equal(one.service_guid, q.service_guid);
    assert_string_equal(one.version, "1");
    assert_int_equal(ask(&none, &q, &e, &err), -TST_UNREACHABLE);
    assert_non_null(strstr(err->fix, "--svsm"));
}

/* The kernel ignored the service: REPORT_DATA is the plain nonce, and the manifest is nobody's. */
static void a_manifest_that_the_report_does_not_bind_is_refused(void **state)
{
    (void)state;
    struct fake f = {0};
    AUTO_EVIDENCE e = {0};
    TST_AUTO_ERROR err = NULL;
    struct evidence_request q = request_of(-1);
    q.svsm = true;
    assert_int_equal(ask(&f, &q, &e, &err), -TST_UNREACHABLE);
    assert_non_null(strstr(err->text, "REPORT_DATA"));
}

static void another_provider_is_refused(void **state)
{
    (void)state;
    struct fake tdx = {.provider = "tdx_guest\n"}, nothing = {.make_error = -ENOENT};
    AUTO_EVIDENCE e = {0};
    TST_AUTO_ERROR err = NULL, err2 = NULL;
    const struct evidence_request q = request_of(-1);
    assert_int_equal(ask(&tdx, &q, &e, &err), -TST_UNREACHABLE);
    assert_string_equal(tdx.log, "provider< ");
    assert_int_equal(ask(&nothing, &q, &e, &err2), -TST_UNREACHABLE);
    assert_non_null(strstr(err2->fix, "sev-guest"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_entry_one_report),
        cmocka_unit_test(certificates_are_read_only_when_asked_for),
        cmocka_unit_test(a_host_without_certificates_is_no_error),
        cmocka_unit_test(a_report_that_changed_under_the_reader_is_asked_again),
        cmocka_unit_test(a_report_about_somebody_elses_input_is_never_taken),
        cmocka_unit_test(an_entry_that_keeps_changing_ends),
        cmocka_unit_test(a_busy_entry_is_asked_again),
        cmocka_unit_test(the_floor_is_the_default_and_the_limit),
        cmocka_unit_test(an_svsm_vouches_for_its_services),
        cmocka_unit_test(a_manifest_that_the_report_does_not_bind_is_refused),
        cmocka_unit_test(another_provider_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
