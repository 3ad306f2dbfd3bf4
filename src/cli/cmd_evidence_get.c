/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_evidence_get.c - `testudo evidence get`: one report of this guest, as a file or as a folder that looks like the
 * configfs-tsm entry that it came from. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/evidence_input.h"
#include "platform/evidence.h"

/* ---- the request ---- */
static int read_number(const char *option, const char *text, unsigned long max, int *out, struct tst_error **err)
{
    char *end = NULL;
    if (!text)
        return 0;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > max)
        return tst_fail(err, TST_USAGE, "%s %s: expected a number from 0 to %lu", option, text, max);
    *out = (int)n;
    return 0;
}

static int read_source(const char *name, enum evidence_source *out, struct tst_error **err)
{
    *out = EVIDENCE_AUTO;
    if (!name)
        return 0;
    for (int s = EVIDENCE_AUTO; s <= EVIDENCE_SEVGUEST; s++)
        if (strcmp(name, evidence_source_name((enum evidence_source)s)) == 0) {
            *out = (enum evidence_source)s;
            return 0;
        }
    return tst_fail(err, TST_USAGE, "--backend %s: expected auto, tsm or sev-guest", name);
}

static int read_report_data(const char *nonce, bool is_random, struct evidence_request *q, struct tst_error **err)
{
    if (!nonce == !is_random) {
        tst_fail(err, TST_USAGE, "either --nonce FILE or --random");
        return tst_hint(err, "the challenge of whoever will verify", NULL, "without one (to look at a report) say --random");
    }
    int rc = nonce ? evidence_read_nonce(nonce, q->report_data, err) : tst_random(q->report_data, sizeof q->report_data, err);
    if (rc == 0 && tst_is_zero(q->report_data, sizeof q->report_data))
        return tst_fail(err, TST_USAGE, "%s: 64 zero bytes bind nothing: the host can ask for such a report itself", nonce);
    return rc;
}

static int read_request(const struct cli_command *self, const struct cli_args *args, struct evidence_request *q, enum evidence_source *source,
                        struct tst_error **err)
{
    *q = (struct evidence_request){.vmpl = -1, .manifest_version = -1, .certs = cli_value(self, args, "--certs") != NULL,
                                   .service_guid = cli_value(self, args, "--service")};
    q->svsm = cli_value(self, args, "--svsm") != NULL || q->service_guid;
    int rc = read_source(cli_value(self, args, "--backend"), source, err);
    if (rc == 0)
        rc = read_number("--vmpl", cli_value(self, args, "--vmpl"), 3, &q->vmpl, err);
    if (rc == 0)
        rc = read_number("--manifest-version", cli_value(self, args, "--manifest-version"), 65535, &q->manifest_version, err);
    if (rc == 0)
        rc = read_report_data(cli_value(self, args, "--nonce"), cli_value(self, args, "--random") != NULL, q, err);
    return rc;
}

/* ---- the result ---- */
static int write_file(const char *path, const struct tst_buf *first, const struct tst_buf *second, struct tst_error **err)
{
    FILE *f = fopen(path, "wbe");
    if (!f)
        return tst_fail(err, TST_USAGE, "%s: %m", path);
    bool ok = fwrite(first->p, 1, first->n, f) == first->n && (!second || !second->n || fwrite(second->p, 1, second->n, f) == second->n);
    if (fclose(f) != 0 || !ok)
        return tst_fail(err, TST_USAGE, "%s: cannot be written", path);
    return 0;
}

static int write_blob(const char *folder, const char *name, const struct tst_buf *b, struct tst_error **err)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/%s", folder, name);
    if (!path)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if (b->n == 0) { /* nothing of an earlier request may stay beside this report */
        return unlink(path) == 0 || errno == ENOENT ? 0 : tst_fail(err, TST_USAGE, "%s: %m", path);
    }
    return write_file(path, b, NULL, err);
}

static int write_folder(const char *folder, const struct evidence_request *q, const struct evidence_blobs *e, struct tst_error **err)
{
    TST_AUTO_BUF asked = {0};
    if (mkdir(folder, 0755) && errno != EEXIST)
        return tst_fail(err, TST_USAGE, "%s: %m", folder);
    int rc = tst_buf_put(&asked, q->report_data, sizeof q->report_data, err);
    if (rc == 0)
        rc = write_blob(folder, "inblob", &asked, err);
    if (rc == 0)
        rc = write_blob(folder, "outblob", &e->report, err);
    if (rc == 0)
        rc = write_blob(folder, "auxblob", &e->auxblob, err);
    return rc < 0 ? rc : write_blob(folder, "manifestblob", &e->manifest, err);
}

static bool is_folder(const char *path)
{
    struct stat st;
    size_t n = strlen(path);
    return (n && path[n - 1] == '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* A file holds the report, and with --certs the table behind it: `evidence show` reads both. */
static int write_out(const char *path, const struct evidence_request *q, const struct evidence_blobs *e, struct tst_error **err)
{
    if (is_folder(path))
        return write_folder(path, q, e, err);
    if (!e->manifest.n)
        return write_file(path, &e->report, &e->auxblob, err);
    tst_fail(err, TST_USAGE, "%s: a manifest does not fit into one file with its report", path);
    return tst_hint(err, "a folder", NULL, "--out DIR/");
}

static int print_done(const char *path, enum evidence_source used, const struct evidence_request *q, const struct evidence_blobs *e, bool json,
                      struct tst_error **err)
{
    char hex[2 * TST_SNP_REPORT_DATA_BYTES + 1];
    tst_hex(q->report_data, sizeof q->report_data, hex);
    if (!json) {
        printf("evidence of %s written to %s: report, %s%s\nnonce: %s\n", evidence_source_name(used), path,
               !q->certs ? "no certificates asked for" : e->auxblob.n ? "certificate table" : "the host gave no certificates",
               e->manifest.n ? ", services manifest" : "", hex);
        return 0;
    }
    TST_AUTO_JSON o = json_pack("{s:s, s:s, s:i, s:i, s:i, s:s}", "backend", evidence_source_name(used), "out", path, "report-bytes",
                                (int)e->report.n, "certificate-table-bytes", (int)e->auxblob.n, "manifest-bytes", (int)e->manifest.n, "nonce", hex);
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    cli_print_json(o);
    return 0;
}

static int evidence_get(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_EVIDENCE e = {0};
    struct evidence_request q;
    enum evidence_source source, used = EVIDENCE_AUTO;
    const char *root = cli_value(self, args, "--root"), *out = cli_value(self, args, "--out");
    int rc = read_request(self, args, &q, &source, err);
    if (rc == 0 && !out)
        rc = tst_fail(err, TST_USAGE, "--out FILE or --out DIR/ is needed");
    if (rc == 0)
        rc = evidence_request_at(root ? root : "", source, &q, &used, &e, err);
    if (rc == 0)
        rc = write_out(out, &q, &e, err);
    return rc < 0 ? rc : print_done(out, used, &q, &e, cli_value(self, args, "--json") != NULL, err);
}

const struct cli_command cmd_evidence_get = {
    .name = "evidence get",
    .operands = "",
    .min_operands = 0,
    .max_operands = 0,
    .summary = "get an attestation report of this SEV-SNP guest",
    .exits = "0 written, 2 bad usage, 5 this machine gives no evidence",
    .options =
        {
            {"--out", "FILE|DIR/", "report (with --certs the table behind it), or a folder with each part"},
            {"--nonce", "FILE", "what REPORT_DATA shall be: 64 bytes, or 128 hex digits"},
            {"--random", NULL, "64 random bytes instead"},
            {"--backend", "NAME", "auto (default), tsm or sev-guest"},
            {"--vmpl", "N", "privilege level 0 to 3 (default: the highest that this guest may ask for)"},
            {"--certs", NULL, "also the certificates that the host put beside the report"},
            {"--svsm", NULL, "let the SVSM vouch for its services (tsm); --out must be a folder"},
            {"--service", "GUID", "one service of the SVSM"},
            {"--manifest-version", "N", "version of that service's manifest"},
            {"--root", "DIR", "files below DIR stand for those of this machine"},
            {"--json", NULL, "print what was written as JSON"},
        },
    .run = evidence_get,
};
