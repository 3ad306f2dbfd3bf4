/* SPDX-License-Identifier: Apache-2.0 */
/* agent/secrets.c - the realm's key and configuration on tmpfs. Files are made anew (O_EXCL) under a wiped folder. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/node.h"

#define KEY_PATH RUN_DIR "/munge.key"
#define SLURM_DIR RUN_DIR "/slurm"
#define MCA_NAME "openmpi-mca-params.conf"

static int check_tmpfs(struct tst_error **err)
{
    struct statfs fs;
    if (statfs(RUN_DIR, &fs))
        return tst_fail(err, TST_INTERNAL, RUN_DIR ": %m");
    if (fs.f_type == TMPFS_MAGIC)
        return 0;
    tst_fail(err, TST_DENIED, RUN_DIR " is not on tmpfs");
    tst_reason(err, "run-not-tmpfs");
    return tst_hint(err, "tmpfs, so that no secret reaches a disk", NULL, "mount tmpfs on /run");
}

static int put_file(const char *path, const void *p, size_t n, mode_t mode, uid_t uid, struct tst_error **err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return tst_fail(err, TST_INTERNAL, "%s: %m", path);
    bool ok = write(fd, p, n) == (ssize_t)n && fchmod(fd, mode) == 0 && fchown(fd, uid, (gid_t)-1) == 0;
    int r = ok ? 0 : tst_fail(err, TST_INTERNAL, "%s: %m", path);
    close(fd);
    return r;
}

static int put_configuration(json_t *files, struct tst_error **err)
{
    const char *name;
    json_t *text;
    char path[PATH_MAX];
    int r = 0;
    json_object_foreach(files, name, text) {
        if (!json_is_string(text) || strchr(name, '/') || name[0] == '.')
            return tst_fail(err, TST_USAGE, "bundle: file '%.64s' is not usable", name);
        snprintf(path, sizeof path, "%s/%s", strcmp(name, MCA_NAME) == 0 ? RUN_DIR : SLURM_DIR, name);
        if ((r = put_file(path, json_string_value(text), json_string_length(text), 0644, 0, err)))
            return r;
    }
    return 0;
}

int node_put_secrets(const struct bundle *b, struct tst_error **err)
{
    const struct passwd *munge = getpwnam("munge");
    if (mkdir(RUN_DIR, 0711) && errno != EEXIST)
        return tst_fail(err, TST_INTERNAL, RUN_DIR ": %m");
    int r = check_tmpfs(err);
    if (r)
        return r;
    if (!munge)
        return tst_fail(err, TST_INTERNAL, "no user munge on this node");
    node_wipe_secrets();
    if (chmod(RUN_DIR, 0711) || mkdir(SLURM_DIR, 0755))
        return tst_fail(err, TST_INTERNAL, SLURM_DIR ": %m");
    if ((r = put_file(KEY_PATH, tst_secret_view(b->key), tst_secret_size(b->key), 0400, munge->pw_uid, err)))
        return r;
    return put_configuration(b->files, err);
}

static void overwrite(const char *path)
{
    static const uint8_t zeros[1024];
    struct stat st;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0)
        for (off_t at = 0; at < st.st_size; at += (off_t)sizeof zeros)
            if (pwrite(fd, zeros, sizeof zeros, at) < 0)
                break;
    close(fd);
}

void node_wipe_secrets(void)
{
    static const char *const files[] = { SLURM_DIR "/slurm.conf", SLURM_DIR "/plugstack.conf", SLURM_DIR "/cgroup.conf", RUN_DIR "/" MCA_NAME };
    overwrite(KEY_PATH);
    unlink(KEY_PATH);
    for (size_t i = 0; i < TST_COUNT(files); i++)
        unlink(files[i]);
    rmdir(SLURM_DIR);
}
