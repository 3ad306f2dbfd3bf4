/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/fs.c - see fs.h. */
#include "collateral/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCK_POLL_FIRST_MS 10
#define LOCK_POLL_MAX_MS 200

static int fail_errno(struct tst_error **err, const char *path)
{
    enum tst_code code = errno == ENOENT ? TST_NOT_FOUND : errno == EACCES || errno == EPERM ? TST_DENIED : TST_INTERNAL;
    return tst_fail(err, code, "%s: %m", path);
}

/* Every folder on the way to the last part of `path`, and that one too when `last`. */
static int make_folders(int at, const char *path, bool last, struct tst_error **err)
{
    TST_AUTO_STR part = strdup(path);
    if (!part)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    for (char *slash = part;;) {
        slash = strchr(slash + 1, '/');
        if (!slash && !last)
            return 0;
        if (slash)
            *slash = '\0';
        if (mkdirat(at, part, 0755) == 0) {
            if (fchmodat(at, part, 0755, 0) < 0) /* whatever the umask is */
                return fail_errno(err, part);
        } else if (errno != EEXIST)
            return fail_errno(err, part);
        if (!slash)
            return 0;
        *slash = '/';
    }
}

int fs_open_dir(int at, const char *path, bool make, int *out, struct tst_error **err)
{
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && make) {
        int rc = make_folders(at, path, true, err);
        if (rc)
            return rc;
        fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0)
        return fail_errno(err, path);
    *out = fd;
    return 0;
}

int fs_read(int dir, const char *path, size_t max, struct tst_buf *out, struct tst_error **err)
{
    AUTO_FD fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    uint8_t chunk[8192];
    ssize_t got;
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail_errno(err, path);
    if (!S_ISREG(st.st_mode))
        return tst_fail(err, TST_REFUTED, "%s: not a regular file", path);
    out->max = max;
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        if (tst_buf_put(out, chunk, (size_t)got, NULL))
            return tst_fail(err, TST_TOO_LARGE, "%s: more than %zu bytes", path, max);
    return got == 0 ? 0 : fail_errno(err, path);
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        p += done;
        n -= (size_t)done;
    }
    return fchmod(fd, 0644) < 0 || fsync(fd) < 0 ? -1 : 0;
}

/* The rename is on disk when its folder is. */
static int sync_folder_of(int dir, const char *path)
{
    const char *slash = strrchr(path, '/');
    TST_AUTO_STR folder = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
    AUTO_FD fd = folder ? openat(dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    return fd < 0 || fsync(fd) < 0 ? -1 : 0;
}

int fs_write(int dir, const char *path, const void *p, size_t n, struct tst_error **err)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    TST_AUTO_STR aside = tst_strdup_printf("%s.%ld-%ld.tmp", path, (long)getpid(), ts.tv_nsec);
    if (!aside)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = make_folders(dir, path, false, err);
    if (rc)
        return rc;
    AUTO_FD fd = openat(dir, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail_errno(err, path);
    if (write_all(fd, p, n) == 0 && renameat(dir, aside, dir, path) == 0 && sync_folder_of(dir, path) == 0)
        return 0;
    rc = fail_errno(err, path);
    unlinkat(dir, aside, 0);
    return rc;
}

int fs_remove(int dir, const char *path, struct tst_error **err)
{
    return unlinkat(dir, path, 0) == 0 || errno == ENOENT ? 0 : fail_errno(err, path);
}

time_t fs_mtime(int dir, const char *path)
{
    struct stat st;
    return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mtime : 0;
}

void fs_sleep_ms(unsigned ms)
{
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000L};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

int fs_lock(int dir, const char *name, unsigned wait_ms, int *out, struct tst_error **err)
{
    TST_AUTO_STR path = tst_strdup_printf("locks/%s", name);
    if (!path)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = make_folders(dir, path, false, err);
    if (rc)
        return rc;
    AUTO_FD fd = openat(dir, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail_errno(err, path);
    for (unsigned waited = 0, nap = LOCK_POLL_FIRST_MS; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += nap) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fail_errno(err, path);
        if (waited >= wait_ms)
            return tst_fail(err, TST_UNREACHABLE, "%s: another process has held this lock for %u ms", path, waited);
        fs_sleep_ms(nap);
        if (nap < LOCK_POLL_MAX_MS)
            nap *= 2;
    }
    *out = fd;
    fd = -1; /* the caller's now */
    return 0;
}
