/* SPDX-License-Identifier: Apache-2.0 */
/* platform/sevguest.c - evidence and derived keys by /dev/sev-guest. A busy hypervisor is asked again with growing pauses, a
 * bounded number of times; a buffer that is too short for the certificates is made as long as the kernel says, once. Any
 * other failure ends the request: a guest message that went wrong half-way makes the kernel give up its key. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "platform/evidence.h"
#include "platform/sevguest_abi.h"

enum { BUSY_TRIES = 8, BUSY_PAUSE_MS = 100, BUSY_PAUSE_MAX_MS = 2000, CERTS_FIRST_BYTES = 8192, PAGE_BYTES = 4096 };

/* ---- one guest message ---- */
static int message_fail(int negative_errno, const struct sevguest_ioctl *g, struct tst_error **err)
{
    const uint32_t firmware = (uint32_t)g->exitinfo2, hypervisor = (uint32_t)(g->exitinfo2 >> 32);
    errno = -negative_errno;
    tst_fail(err, TST_UNREACHABLE, "guest request: %m (firmware error 0x%x, hypervisor error 0x%x)", firmware, hypervisor);
    if (negative_errno == -ENOTTY)
        return tst_hint(err, NULL, NULL, "the kernel has given up this guest's message key: it can get no more evidence until it is started again");
    if (firmware)
        return tst_hint(err, NULL, NULL, "a privilege level above the guest's own, or a field that the firmware does not know, is refused like this");
    return 0;
}

static bool is_busy(int rc, const struct sevguest_ioctl *g)
{
    return g->exitinfo2 >> 32 == SEVGUEST_VMM_BUSY || (rc < 0 && !g->exitinfo2 && (rc == -EAGAIN || rc == -EBUSY || rc == -EINTR));
}

/* *short_certs: the hypervisor wants a longer buffer. */
static int message_send(const struct sevguest_io *io, unsigned long request, struct sevguest_ioctl *g, bool *short_certs, struct tst_error **err)
{
    unsigned pause_ms = BUSY_PAUSE_MS;
    int rc = -EBUSY;
    for (int i = 0; i < BUSY_TRIES; i++) {
        g->exitinfo2 = 0;
        rc = io->ioctl(io->ctx, request, g);
        if (!is_busy(rc, g))
            break;
        if (i + 1 == BUSY_TRIES) {
            tst_fail(err, TST_UNREACHABLE, "guest request: the hypervisor is busy, %d times", BUSY_TRIES);
            return tst_hint(err, NULL, NULL, "try again later; a host answers few requests a second for all of its guests");
        }
        io->pause(io->ctx, pause_ms);
        pause_ms = pause_ms * 2 > BUSY_PAUSE_MAX_MS ? BUSY_PAUSE_MAX_MS : pause_ms * 2;
    }
    *short_certs = request == SEVGUEST_GET_EXT_REPORT && g->exitinfo2 >> 32 == SEVGUEST_VMM_INVALID_LEN;
    if (*short_certs)
        return 0;
    if (rc == 0 && g->exitinfo2)
        rc = -EIO;
    if (rc == 0)
        return 0;
    message_fail(rc, g, err);
    return -TST_UNREACHABLE;
}

static uint64_t address(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

static int status_fail(uint32_t status, struct tst_error **err)
{
    tst_fail(err, TST_UNREACHABLE, "the firmware refused: status 0x%x%s", status,
             status == 0x16 ? " (invalid parameters)" : status == 0x27 ? " (key not available)" : "");
    return tst_hint(err, "0", NULL, status == 0x16 ? "ask for a privilege level that is not above the guest's own" : NULL);
}

/* ---- report ---- */
static int take_report(const uint8_t resp[SEVGUEST_REPORT_RESP_BYTES], struct tst_buf *out, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(resp, SEVGUEST_REPORT_RESP_BYTES);
    uint32_t status = tst_rd_u32le(&r), size = tst_rd_u32le(&r);
    if (status)
        return status_fail(status, err);
    if (size != TST_SNP_REPORT_BYTES)
        return tst_fail(err, TST_UNREACHABLE, "the firmware announces a report of %u bytes, expected %d", size, TST_SNP_REPORT_BYTES);
    tst_buf_clear(out);
    return tst_buf_put(out, resp + SEVGUEST_RESP_HEADER_BYTES, TST_SNP_REPORT_BYTES, err);
}

static struct sevguest_report_req report_req_of(const struct evidence_request *q)
{
    struct sevguest_report_req req = {.vmpl = q->vmpl < 0 ? 0 : (uint32_t)q->vmpl};
    memcpy(req.user_data, q->report_data, sizeof req.user_data);
    return req;
}

static int plain_report(const struct sevguest_io *io, const struct evidence_request *q, uint8_t *resp, struct tst_error **err)
{
    struct sevguest_report_req req = report_req_of(q);
    struct sevguest_ioctl g = {.msg_version = 1, .req_data = address(&req), .resp_data = address(resp)};
    bool short_certs = false;
    return message_send(io, SEVGUEST_GET_REPORT, &g, &short_certs, err);
}

static int extended_once(const struct sevguest_io *io, struct sevguest_ext_report_req *req, uint8_t *resp, uint8_t *certs,
                         bool *short_certs, struct tst_error **err)
{
    struct sevguest_ioctl g = {.msg_version = 1, .req_data = address(req), .resp_data = address(resp)};
    req->certs_address = address(certs);
    return message_send(io, SEVGUEST_GET_EXT_REPORT, &g, short_certs, err);
}

static size_t whole_pages(size_t n)
{
    return (n + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* The table in its buffer of zeros; a host without certificates leaves it empty. */
static int take_certs(const uint8_t *certs, size_t n, struct tst_buf *out, struct tst_error **err)
{
    tst_buf_clear(out);
    while (n > 0 && certs[n - 1] == 0)
        n--;
    if (n == 0)
        return 0;
    out->max = TST_SNP_CERT_TABLE_MAX;
    return tst_buf_put(out, certs, n, err);
}

static int extended_report(const struct sevguest_io *io, const struct evidence_request *q, uint8_t *resp, struct tst_buf *table,
                           struct tst_error **err)
{
    struct sevguest_ext_report_req req = {.data = report_req_of(q), .certs_len = CERTS_FIRST_BYTES};
    size_t n = CERTS_FIRST_BYTES;
    bool too_short = true;
    int rc = 0;
    for (int i = 0; rc == 0 && too_short && i < 2; i++) {
        void *certs = NULL;
        if (posix_memalign(&certs, PAGE_BYTES, n))
            return tst_fail(err, TST_INTERNAL, "out of memory");
        memset(certs, 0, n);
        req.certs_len = (uint32_t)n;
        rc = extended_once(io, &req, resp, certs, &too_short, err);
        if (rc == 0 && !too_short)
            rc = take_certs(certs, n, table, err);
        free(certs);
        if (rc == 0 && too_short && (req.certs_len <= n || whole_pages(req.certs_len) > TST_SNP_CERT_TABLE_MAX))
            return tst_fail(err, TST_UNREACHABLE,
                            "the hypervisor wants a certificate buffer of %u bytes after one of %zu, at most %d are taken",
                            req.certs_len, n, TST_SNP_CERT_TABLE_MAX);
        n = too_short ? whole_pages(req.certs_len) : n;
    }
    return rc == 0 && too_short ? tst_fail(err, TST_UNREACHABLE, "the certificate buffer of %zu bytes is too short again", n) : rc;
}

int sevguest_request(const struct sevguest_io *io, const struct evidence_request *q, struct evidence_blobs *out, struct tst_error **err)
{
    uint8_t resp[SEVGUEST_REPORT_RESP_BYTES] = {0};
    if (q->svsm) {
        tst_fail(err, TST_USAGE, "/dev/sev-guest cannot ask the SVSM for its services");
        return tst_hint(err, NULL, NULL, "use configfs-tsm (--backend tsm)");
    }
    int rc = q->certs ? extended_report(io, q, resp, &out->auxblob, err) : plain_report(io, q, resp, err);
    if (rc == 0)
        rc = take_report(resp, &out->report, err);
    if (rc == 0)
        rc = evidence_check(q, out, err);
    if (rc < 0)
        evidence_clear(out);
    return rc;
}

/* ---- derived key ---- */
static int take_key(const uint8_t resp[SEVGUEST_KEY_RESP_BYTES], struct tst_secret **out, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(resp, SEVGUEST_KEY_RESP_BYTES);
    uint32_t status = tst_rd_u32le(&r);
    const uint8_t *key = resp + SEVGUEST_RESP_HEADER_BYTES;
    if (status)
        return status_fail(status, err);
    if (tst_is_zero(key, SEVGUEST_KEY_BYTES))
        return tst_fail(err, TST_UNREACHABLE, "the firmware answered with a key of zeros");
    return tst_secret_from(key, SEVGUEST_KEY_BYTES, out, err);
}

int sevguest_key(const struct sevguest_io *io, const struct sevguest_key_request *q, struct tst_secret **out, struct tst_error **err)
{
    TST_AUTO_SECRET resp = NULL;
    struct sevguest_key_req req = {.root_key_select = q->root, .guest_field_select = q->mix, .vmpl = q->vmpl, .guest_svn = q->guest_svn,
                                   .tcb_version = q->tcb, .launch_mit_vector = q->launch_mitigations};
    bool version2 = q->mix & SEVGUEST_MIX_MITIGATIONS, short_certs = false;
    int rc = tst_secret_new(SEVGUEST_KEY_RESP_BYTES, &resp, err);
    if (rc < 0)
        return rc;
    struct sevguest_ioctl g = {.msg_version = version2 ? 2 : 1, .req_data = address(&req), .resp_data = address(tst_secret_bytes(resp))};
    rc = message_send(io, SEVGUEST_GET_DERIVED_KEY, &g, &short_certs, err);
    return rc < 0 ? rc : take_key(tst_secret_view(resp), out, err);
}

/* ---- this machine ---- */
int sevguest_open(const char *path, struct sevguest_device *d, struct tst_error **err)
{
    d->fd = open(path, O_RDWR | O_CLOEXEC);
    if (d->fd >= 0)
        return 0;
    int why = errno;
    tst_fail(err, TST_UNREACHABLE, "%s: %m", path);
    return tst_hint(err, "the guest's SEV-SNP device", NULL, why == ENOENT ? "load the module sev-guest; outside a SEV-SNP guest there is none"
                                                                         : "be root");
}

void sevguest_close(struct sevguest_device *d)
{
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

static int device_ioctl(void *ctx, unsigned long request, void *arg)
{
    const struct sevguest_device *d = ctx;
    return ioctl(d->fd, request, arg) < 0 ? -errno : 0;
}

static void device_pause(void *ctx, unsigned ms)
{
    (void)ctx;
    nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000L}, NULL);
}

struct sevguest_io sevguest_io_of(struct sevguest_device *d)
{
    return (struct sevguest_io){device_ioctl, device_pause, d};
}
