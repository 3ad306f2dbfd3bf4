/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_evidence_key.c - `testudo evidence key`: a key that the firmware derives for this guest. It goes into a file of mode
 * 0600 and nowhere else. What it is worth is said: a key from the VCEK is the same for every guest whose mixed-in fields
 * agree, on that chip; one from the VMRK is new at each launch. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "platform/evidence.h"

static const struct {
    const char *name;
    uint64_t bit;
} mixes[] = {
    {"policy", SEVGUEST_MIX_POLICY},   {"image-id", SEVGUEST_MIX_IMAGE_ID}, {"family-id", SEVGUEST_MIX_FAMILY_ID},
    {"measurement", SEVGUEST_MIX_MEASUREMENT}, {"svn", SEVGUEST_MIX_SVN},   {"tcb", SEVGUEST_MIX_TCB},
    {"mitigations", SEVGUEST_MIX_MITIGATIONS},
};

static int read_mix(const char *text, uint64_t *out, struct tst_error **err)
{
    TST_AUTO_STR list = strdup(text ? text : "measurement,policy");
    char *save = NULL;
    if (!list)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    for (char *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        uint64_t bit = 0;
        for (size_t i = 0; i < TST_COUNT(mixes); i++)
            bit |= strcmp(word, mixes[i].name) == 0 ? mixes[i].bit : 0;
        if (!bit && strcmp(word, "none") != 0) {
            tst_fail(err, TST_USAGE, "--mix %s", text);
            return tst_hint(err, "a list of policy, image-id, family-id, measurement, svn, tcb, mitigations; or none", word, NULL);
        }
        *out |= bit;
    }
    return 0;
}

static int read_u64(const char *option, const char *text, uint64_t max, uint64_t *out, struct tst_error **err)
{
    char *end = NULL;
    if (!text)
        return 0;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 0);
    if (*text < '0' || *text > '9' || *end || errno || n > max)
        return tst_fail(err, TST_USAGE, "%s %s: expected a number up to %llu, decimal or 0x...", option, text, (unsigned long long)max);
    *out = n;
    return 0;
}

static int read_root(const char *name, enum sevguest_root_key *out, struct tst_error **err)
{
    if (name && strcmp(name, "vcek") != 0 && strcmp(name, "vmrk") != 0)
        return tst_fail(err, TST_USAGE, "--root-key %s: expected vcek or vmrk", name);
    *out = name && strcmp(name, "vmrk") == 0 ? SEVGUEST_ROOT_VMRK : SEVGUEST_ROOT_VCEK;
    return 0;
}

/* A value without its field mixed in would do nothing, silently. */
static int check_used(const struct cli_command *self, const struct cli_args *args, uint64_t mix, struct tst_error **err)
{
    static const struct {
        const char *option, *word;
        uint64_t bit;
    } rows[] = {{"--svn", "svn", SEVGUEST_MIX_SVN}, {"--tcb", "tcb", SEVGUEST_MIX_TCB}, {"--mitigations", "mitigations", SEVGUEST_MIX_MITIGATIONS}};
    for (size_t i = 0; i < TST_COUNT(rows); i++)
        if (!(mix & rows[i].bit) == !!cli_value(self, args, rows[i].option))
            return tst_fail(err, TST_USAGE, "%s and '%s' in --mix go together", rows[i].option, rows[i].word);
    return 0;
}

static int read_request(const struct cli_command *self, const struct cli_args *args, struct sevguest_key_request *q, struct tst_error **err)
{
    uint64_t vmpl = 0, svn = 0;
    int rc = read_root(cli_value(self, args, "--root-key"), &q->root, err);
    if (rc == 0)
        rc = read_mix(cli_value(self, args, "--mix"), &q->mix, err);
    if (rc == 0)
        rc = check_used(self, args, q->mix, err);
    if (rc == 0)
        rc = read_u64("--vmpl", cli_value(self, args, "--vmpl"), 3, &vmpl, err);
    if (rc == 0)
        rc = read_u64("--svn", cli_value(self, args, "--svn"), UINT32_MAX, &svn, err);
    if (rc == 0)
        rc = read_u64("--tcb", cli_value(self, args, "--tcb"), UINT64_MAX, &q->tcb, err);
    if (rc == 0)
        rc = read_u64("--mitigations", cli_value(self, args, "--mitigations"), UINT64_MAX, &q->launch_mitigations, err);
    q->vmpl = (uint32_t)vmpl;
    q->guest_svn = (uint32_t)svn;
    return rc;
}

/* A new file, so that no mode and no link of an old one counts. */
static int write_key(const char *path, const struct tst_secret *key, struct tst_error **err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        tst_fail(err, TST_USAGE, "%s: %m", path);
        return tst_hint(err, "a file that is not there yet", NULL, "on a tmpfs, so that the key reaches no disk");
    }
    ssize_t n = write(fd, tst_secret_view(key), tst_secret_size(key));
    if (close(fd) == 0 && n == (ssize_t)tst_secret_size(key))
        return 0;
    unlink(path);
    return tst_fail(err, TST_USAGE, "%s: cannot be written", path);
}

static int print_done(const char *path, const struct sevguest_key_request *q, bool json, struct tst_error **err)
{
    const char *root = q->root == SEVGUEST_ROOT_VMRK ? "vmrk" : "vcek";
    if (!json) {
        printf("key of %d bytes written to %s\n%s\n", SEVGUEST_KEY_BYTES, path,
               q->root == SEVGUEST_ROOT_VMRK ? "It is new at each launch of this guest: nothing sealed with it outlives the guest."
                                             : "Every guest on this chip whose mixed-in fields agree can get the same key: it is not this guest's alone.");
        return 0;
    }
    TST_AUTO_JSON o = json_pack("{s:s, s:i, s:s, s:i, s:I}", "out", path, "bytes", SEVGUEST_KEY_BYTES, "root-key", root, "message-version",
                                q->mix & SEVGUEST_MIX_MITIGATIONS ? 2 : 1, "mix", (json_int_t)q->mix);
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    cli_print_json(o);
    return 0;
}

static int evidence_key(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    struct sevguest_key_request q = {0};
    struct sevguest_device d = {-1};
    TST_AUTO_SECRET key = NULL;
    char path[PATH_MAX];
    const char *out = cli_value(self, args, "--out"), *root = cli_value(self, args, "--root");
    int rc = read_request(self, args, &q, err);
    if (rc == 0 && !out)
        rc = tst_fail(err, TST_USAGE, "--out FILE is needed: the key is never printed");
    snprintf(path, sizeof path, "%s" SEVGUEST_DEVICE, root ? root : "");
    if (rc == 0)
        rc = sevguest_open(path, &d, err);
    if (rc < 0)
        return rc;
    struct sevguest_io io = sevguest_io_of(&d);
    rc = sevguest_key(&io, &q, &key, err);
    sevguest_close(&d);
    if (rc == 0)
        rc = write_key(out, key, err);
    return rc < 0 ? rc : print_done(out, &q, cli_value(self, args, "--json") != NULL, err);
}

const struct cli_command cmd_evidence_key = {
    .name = "evidence key",
    .operands = "",
    .min_operands = 0,
    .max_operands = 0,
    .summary = "have the firmware derive a key for this SEV-SNP guest, into a file",
    .exits = "0 written, 2 bad usage, 5 this machine gives no key",
    .options =
        {
            {"--out", "FILE", "a new file, mode 0600"},
            {"--root-key", "NAME", "vcek (default: this chip's) or vmrk (new at each launch)"},
            {"--mix", "LIST", "fields that must agree: policy, image-id, family-id, measurement, svn, tcb, mitigations (default: measurement,policy)"},
            {"--vmpl", "N", "privilege level of the key, not above the guest's own (default 0)"},
            {"--svn", "N", "guest SVN, at most that of the ID block"},
            {"--tcb", "N", "TCB version as a number, at most the committed one"},
            {"--mitigations", "N", "launch mitigation vector (message version 2)"},
            {"--root", "DIR", "files below DIR stand for those of this machine"},
            {"--json", NULL, "print what was written as JSON; never the key"},
        },
    .run = evidence_key,
};
