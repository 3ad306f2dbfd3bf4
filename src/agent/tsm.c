/* SPDX-License-Identifier: Apache-2.0 */
/* agent/tsm.c - evidence by configfs-tsm. One entry a request; the generation counter is read before and after, so a
 * report over somebody else's input is never taken for ours. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/evidence.h"

enum { TRIES = 5, ATTRIBUTE_MAX_BYTES = 64 * 1024 };

void evidence_clear(struct evidence_blobs *e)
{
    tst_buf_clear(&e->report);
    tst_buf_clear(&e->auxblob);
}

static int read_attribute(int entry, const char *name, struct tst_buf *out, struct tst_error **err)
{
    uint8_t chunk[4096];
    ssize_t n = 0;
    int fd = openat(entry, name, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? tst_fail(err, TST_UNREACHABLE, "%s: %m", name) : 0;
    out->max = ATTRIBUTE_MAX_BYTES;
    while (!r && (n = read(fd, chunk, sizeof chunk)) > 0)
        r = tst_buf_put(out, chunk, (size_t)n, err);
    if (!r && n < 0)
        r = tst_fail(err, TST_UNREACHABLE, "%s: %m", name);
    if (fd >= 0)
        close(fd);
    return r;
}

static int write_attribute(int entry, const char *name, const void *p, size_t n, struct tst_error **err)
{
    int fd = openat(entry, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return tst_fail(err, TST_UNREACHABLE, "%s: %m", name);
    ssize_t w = write(fd, p, n);
    int r = w == (ssize_t)n ? 0 : tst_fail(err, TST_UNREACHABLE, "%s: %m", name);
    close(fd);
    return r;
}

static int read_generation(int entry, unsigned long *out, struct tst_error **err)
{
    TST_AUTO_BUF text = { 0 };
    int r = read_attribute(entry, "generation", &text, err);
    if (r || (r = tst_buf_put(&text, "", 1, err)))
        return r;
    char *end = NULL;
    *out = strtoul((const char *)text.p, &end, 10);
    return *end == '\n' || *end == '\0' ? 0 : tst_fail(err, TST_UNREACHABLE, "generation: not a number");
}

static int check_provider(int entry, struct tst_error **err)
{
    TST_AUTO_BUF text = { 0 };
    int r = read_attribute(entry, "provider", &text, err);
    if (r)
        return r;
    if (text.n >= 9 && memcmp(text.p, "sev_guest", 9) == 0)
        return 0;
    tst_fail(err, TST_UNREACHABLE, "the report provider is not SEV-SNP");
    return tst_hint(err, "sev_guest", NULL, "boot the node as a SEV-SNP guest");
}

static int read_once(int entry, const uint8_t *report_data, struct evidence_blobs *out, bool *torn, struct tst_error **err)
{
    unsigned long before = 0, after = 0;
    int r = write_attribute(entry, "inblob", report_data, TST_SNP_REPORT_DATA_BYTES, err);
    if (r || (r = read_generation(entry, &before, err)) || (r = read_attribute(entry, "outblob", &out->report, err)) ||
        (r = read_attribute(entry, "auxblob", &out->auxblob, err)) || (r = read_generation(entry, &after, err)))
        return r;
    *torn = before != after;
    return 0;
}

static int read_entry(int entry, const uint8_t *report_data, struct evidence_blobs *out, struct tst_error **err)
{
    int r = check_provider(entry, err);
    bool torn = true;
    for (int i = 0; !r && torn && i < TRIES; i++) {
        evidence_clear(out);
        r = read_once(entry, report_data, out, &torn, err);
    }
    if (!r && torn)
        r = tst_fail(err, TST_UNREACHABLE, "the report entry kept changing under %d tries", TRIES);
    return r;
}

static int tsm_get(void *ctx, const uint8_t report_data[TST_SNP_REPORT_DATA_BYTES], struct evidence_blobs *out,
                   struct tst_error **err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/testudo-%d", (const char *)ctx, (int)getpid());
    if (mkdir(path, 0700) && errno != EEXIST) {
        tst_fail(err, TST_UNREACHABLE, "%s: %m", path);
        return tst_hint(err, "a configfs-tsm report folder", NULL, "load the modules sev-guest and tsm_report");
    }
    int entry = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    int r = entry < 0 ? tst_fail(err, TST_UNREACHABLE, "%s: %m", path) : read_entry(entry, report_data, out, err);
    if (entry >= 0)
        close(entry);
    rmdir(path);
    return r ? tst_wrap(err, "evidence: %s", path) : 0;
}

const struct evidence_backend evidence_tsm = { "tsm", tsm_get };
