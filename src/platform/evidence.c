/* SPDX-License-Identifier: Apache-2.0 */
/* platform/evidence.c - one request for evidence on this machine: which device, and is the answer ours. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include <testudo/container.h>

#include "platform/evidence.h"

void evidence_clear(struct evidence_blobs *e)
{
    tst_buf_clear(&e->report);
    tst_buf_clear(&e->auxblob);
    tst_buf_clear(&e->manifest);
}

int evidence_check(const struct evidence_request *asked, const struct evidence_blobs *e, struct tst_error **err)
{
    uint8_t want[TST_SNP_REPORT_DATA_BYTES];
    memcpy(want, asked->report_data, sizeof want);
    if (e->report.n != TST_SNP_REPORT_BYTES)
        return tst_fail(err, TST_UNREACHABLE, "report: %zu bytes, expected %d", e->report.n, TST_SNP_REPORT_BYTES);
    int rc = asked->svsm ? tst_svsm_report_data(asked->report_data, e->manifest.p, e->manifest.n, want, err) : 0;
    if (rc < 0)
        return rc;
    if (memcmp(e->report.p + 0x50, want, sizeof want) != 0)
        return tst_fail(err, TST_UNREACHABLE, "report: it is about something else than was asked for (REPORT_DATA differs)");
    return 0;
}

const char *evidence_source_name(enum evidence_source s)
{
    static const char *const names[] = {[EVIDENCE_AUTO] = "auto", [EVIDENCE_TSM] = "tsm", [EVIDENCE_SEVGUEST] = "sev-guest"};
    return names[s];
}

static int request_sevguest(const char *path, const struct evidence_request *q, struct evidence_blobs *out, struct tst_error **err)
{
    struct sevguest_device d;
    int rc = sevguest_open(path, &d, err);
    if (rc < 0)
        return rc;
    struct sevguest_io io = sevguest_io_of(&d);
    rc = sevguest_request(&io, q, out, err);
    sevguest_close(&d);
    return rc < 0 ? tst_wrap(err, "%s", path) : 0;
}

static int no_source(const char *tsm, const char *device, struct tst_error **err)
{
    tst_fail(err, TST_UNREACHABLE, "this machine offers no SEV-SNP evidence: neither %s nor %s is there", tsm, device);
    return tst_hint(err, "a SEV-SNP guest with the module sev-guest", NULL,
                    "`testudo check` says what this machine is; in a guest: modprobe sev-guest tsm_report");
}

int evidence_request_at(const char *root, enum evidence_source source, const struct evidence_request *q,
                        enum evidence_source *used, struct evidence_blobs *out, struct tst_error **err)
{
    char tsm[PATH_MAX], device[PATH_MAX];
    snprintf(tsm, sizeof tsm, "%s" TSM_REPORT_DIR, root);
    snprintf(device, sizeof device, "%s" SEVGUEST_DEVICE, root);
    if (source == EVIDENCE_AUTO && access(tsm, F_OK) != 0 && access(device, F_OK) != 0)
        return no_source(tsm, device, err);
    if (source == EVIDENCE_AUTO)
        source = access(tsm, F_OK) == 0 ? EVIDENCE_TSM : EVIDENCE_SEVGUEST;
    *used = source;
    return source == EVIDENCE_TSM ? tsm_request_at(tsm, q, out, err) : request_sevguest(device, q, out, err);
}
