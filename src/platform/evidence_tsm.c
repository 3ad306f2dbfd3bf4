/* SPDX-License-Identifier: Apache-2.0 */
/* platform/evidence_tsm.c - evidence by configfs-tsm. One entry a request. The generation counter is read before and after,
 * and REPORT_DATA compared with what was asked for, so a report over somebody else's input is never taken for ours; an entry
 * that is busy or changed is asked again, a bounded number of times. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/evidence.h"

enum { TRIES = 5, PAUSE_FIRST_MS = 50, ATTRIBUTE_MAX_BYTES = 64 * 1024, TEXT_MAX_BYTES = 64 };

/* ---- attributes ---- */
static int attribute_fail(const char *name, int negative_errno, struct tst_error **err)
{
    errno = -negative_errno;
    return tst_fail(err, TST_UNREACHABLE, "%s: %m", name);
}

static int read_blob(const struct tsm_io *io, const char *name, struct tst_buf *out, struct tst_error **err)
{
    tst_buf_clear(out);
    out->max = ATTRIBUTE_MAX_BYTES;
    int rc = io->read(io->ctx, name, out);
    return rc < 0 ? attribute_fail(name, rc, err) : 0;
}

static int write_text(const struct tsm_io *io, const char *name, const char *text, struct tst_error **err)
{
    int rc = io->write(io->ctx, name, text, strlen(text));
    return rc < 0 ? attribute_fail(name, rc, err) : 0;
}

static int read_number(const struct tsm_io *io, const char *name, unsigned long *out, struct tst_error **err)
{
    TST_AUTO_BUF text = {0};
    int rc = read_blob(io, name, &text, err);
    if (rc == 0)
        rc = tst_buf_put(&text, "", 1, err);
    if (rc < 0)
        return rc;
    char *end = NULL;
    *out = strtoul((const char *)text.p, &end, 10);
    bool number = end != (char *)text.p && (*end == '\n' || *end == '\0');
    return number ? 0 : tst_fail(err, TST_UNREACHABLE, "%s: not a number", name);
}

static int check_provider(const struct tsm_io *io, struct tst_error **err)
{
    static const char want[] = "sev_guest";
    TST_AUTO_BUF text = {0};
    int rc = read_blob(io, "provider", &text, err);
    if (rc < 0)
        return rc;
    if (text.n >= sizeof want - 1 && memcmp(text.p, want, sizeof want - 1) == 0)
        return 0;
    tst_fail(err, TST_UNREACHABLE, "the report provider is not SEV-SNP");
    return tst_hint(err, "sev_guest", NULL, "boot the node as a SEV-SNP guest");
}

/* ---- what the request says besides REPORT_DATA ---- */
/* Under an SVSM the kernel runs below VMPL 0, and asking above its own level fails. */
static int set_privlevel(const struct tsm_io *io, const struct evidence_request *q, struct tst_error **err)
{
    unsigned long floor = 0;
    char text[16], expected[32], found[16];
    TST_AUTO_ERROR ignored = NULL;
    bool known = read_number(io, "privlevel_floor", &floor, &ignored) == 0;
    if (q->vmpl < 0 && (!known || floor == 0))
        return 0;
    unsigned long level = q->vmpl < 0 ? floor : (unsigned long)q->vmpl;
    if (known && level < floor) {
        snprintf(expected, sizeof expected, "%lu to 3", floor);
        snprintf(found, sizeof found, "%lu", level);
        tst_fail(err, TST_USAGE, "privilege level %lu is above this guest's own", level);
        return tst_hint(err, expected, found, "ask for the floor, or ask the SVSM (--svsm)");
    }
    snprintf(text, sizeof text, "%lu", level);
    return write_text(io, "privlevel", text, err);
}

static int set_service(const struct tsm_io *io, const struct evidence_request *q, struct tst_error **err)
{
    char version[16];
    int rc = write_text(io, "service_provider", "svsm", err);
    if (rc < 0)
        return tst_hint(err, "a kernel from 6.11 on that runs under an SVSM", NULL, "leave --svsm out where there is none");
    if (q->service_guid)
        rc = write_text(io, "service_guid", q->service_guid, err);
    if (rc == 0 && q->manifest_version >= 0) {
        snprintf(version, sizeof version, "%d", q->manifest_version);
        rc = write_text(io, "service_manifest_version", version, err);
    }
    return rc;
}

/* ---- one report ---- */
static int read_outputs(const struct tsm_io *io, const struct evidence_request *q, struct evidence_blobs *out, struct tst_error **err)
{
    int rc = read_blob(io, "outblob", &out->report, err);
    if (rc == 0 && q->svsm)
        rc = read_blob(io, "manifestblob", &out->manifest, err);
    if (rc < 0 || !q->certs)
        return rc;
    tst_buf_clear(&out->auxblob);
    out->auxblob.max = ATTRIBUTE_MAX_BYTES;
    rc = io->read(io->ctx, "auxblob", &out->auxblob);
    return rc < 0 && rc != -ENOENT ? attribute_fail("auxblob", rc, err) : 0; /* a host need not give any */
}

static int read_once(const struct tsm_io *io, const struct evidence_request *q, struct evidence_blobs *out, struct tst_error **err)
{
    unsigned long before = 0, after = 0;
    int rc = io->write(io->ctx, "inblob", q->report_data, sizeof q->report_data);
    if (rc < 0)
        return attribute_fail("inblob", rc, err);
    if ((rc = read_number(io, "generation", &before, err)) < 0 || (rc = read_outputs(io, q, out, err)) < 0 ||
        (rc = read_number(io, "generation", &after, err)) < 0)
        return rc;
    if (before != after)
        return tst_fail(err, TST_UNREACHABLE, "the report entry was changed by someone else (generation %lu, then %lu)", before, after);
    return evidence_check(q, out, err);
}

static int read_entry(const struct tsm_io *io, const struct evidence_request *q, struct evidence_blobs *out, struct tst_error **err)
{
    int rc = check_provider(io, err);
    if (rc == 0 && q->svsm)
        rc = set_service(io, q, err);
    if (rc == 0)
        rc = set_privlevel(io, q, err);
    if (rc < 0)
        return rc;
    unsigned pause_ms = PAUSE_FIRST_MS;
    for (int i = 0; i < TRIES; i++, pause_ms *= 2) {
        rc = read_once(io, q, out, err);
        if (rc == 0)
            return 0;
        if (i + 1 < TRIES)
            io->pause(io->ctx, pause_ms);
    }
    evidence_clear(out);
    return tst_wrap(err, "%d tries", TRIES);
}

int tsm_request(const struct tsm_io *io, const struct evidence_request *q, struct evidence_blobs *out, struct tst_error **err)
{
    int rc = io->make(io->ctx);
    if (rc < 0) {
        attribute_fail("cannot make an entry", rc, err);
        return tst_hint(err, "a configfs-tsm report folder", NULL, "load the modules sev-guest and tsm_report, and be root");
    }
    rc = read_entry(io, q, out, err);
    io->remove(io->ctx);
    return rc;
}

/* ---- this machine's file system ---- */
struct entry {
    char path[PATH_MAX];
    int fd;
};

/* An entry that a process with our number left behind keeps its settings: it is made anew. */
static int entry_make(void *ctx)
{
    struct entry *e = ctx;
    if (mkdir(e->path, 0700) && (errno != EEXIST || rmdir(e->path) || mkdir(e->path, 0700)))
        return -errno;
    e->fd = open(e->path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (e->fd >= 0)
        return 0;
    int rc = -errno;
    rmdir(e->path);
    return rc;
}

static void entry_remove(void *ctx)
{
    struct entry *e = ctx;
    close(e->fd);
    rmdir(e->path);
}

static int entry_read(void *ctx, const char *attribute, struct tst_buf *out)
{
    const struct entry *e = ctx;
    uint8_t chunk[4096];
    ssize_t n = 0;
    int rc = 0, fd = openat(e->fd, attribute, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    while (rc == 0 && (n = read(fd, chunk, sizeof chunk)) > 0)
        rc = tst_buf_put(out, chunk, (size_t)n, NULL) < 0 ? -EFBIG : 0;
    if (rc == 0 && n < 0)
        rc = -errno;
    close(fd);
    return rc;
}

/* A kernel may refuse at write or, behind FUSE, at close. */
static int entry_write(void *ctx, const char *attribute, const void *p, size_t n)
{
    const struct entry *e = ctx;
    int fd = openat(e->fd, attribute, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t w = write(fd, p, n);
    int rc = w < 0 ? -errno : w == (ssize_t)n ? 0 : -EIO;
    if (close(fd) && rc == 0)
        rc = -errno;
    return rc;
}

static void entry_pause(void *ctx, unsigned ms)
{
    (void)ctx;
    nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000L}, NULL);
}

int tsm_request_at(const char *dir, const struct evidence_request *q, struct evidence_blobs *out, struct tst_error **err)
{
    struct entry e = {.fd = -1};
    int n = snprintf(e.path, sizeof e.path, "%s/testudo-%d", dir, (int)getpid());
    if (n < 0 || (size_t)n >= sizeof e.path)
        return tst_fail(err, TST_USAGE, "%s: path too long", dir);
    const struct tsm_io io = {entry_make, entry_remove, entry_read, entry_write, entry_pause, &e};
    int rc = tsm_request(&io, q, out, err);
    return rc < 0 ? tst_wrap(err, "evidence: %s", e.path) : 0;
}

static int tsm_get(void *ctx, const uint8_t report_data[TST_SNP_REPORT_DATA_BYTES], struct evidence_blobs *out,
                   struct tst_error **err)
{
    struct evidence_request q = {.vmpl = -1, .certs = true, .manifest_version = -1};
    memcpy(q.report_data, report_data, sizeof q.report_data);
    return tsm_request_at(ctx, &q, out, err);
}

const struct evidence_backend evidence_tsm = {"tsm", tsm_get};
