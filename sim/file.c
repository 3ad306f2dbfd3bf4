/* SPDX-License-Identifier: Apache-2.0 */
/* sim/file.c - see file.h. */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static int read_to_end(int fd, const char *name, size_t max, uint8_t chunk[16384], struct tst_buf *out,
                       struct tst_error **err)
{
    for (;;) {
        ssize_t got = read(fd, chunk, 16384);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tst_fail(err, TST_INTERNAL, "%s: %s", name, strerror(errno));
        if (got == 0)
            return 0;
        if ((size_t)got > max - out->n)
            return tst_fail(err, TST_TOO_LARGE, "%s: larger than %zu bytes", name, max);
        int rc = tst_buf_put(out, chunk, (size_t)got, err);
        if (rc)
            return tst_wrap(err, "%s", name);
    }
}

int file_read_fd(int fd, const char *name, size_t max, struct tst_buf *out, struct tst_error **err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return tst_fail(err, TST_INTERNAL, "%s: %s", name, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return tst_fail(err, TST_REFUTED, "%s: not a regular file", name);
    uint8_t chunk[16384];
    tst_buf_clear(out);
    out->max = max;
    int rc = read_to_end(fd, name, max, chunk, out, err);
    tst_wipe(chunk, sizeof chunk); /* it may be a key */
    return rc;
}

static int open_file(int dir, const char *name, int *out, struct tst_error **err)
{
    /* O_NONBLOCK: a FIFO in the place of the file must not hold us up */
    *out = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (*out < 0)
        return tst_fail(err, errno == ENOENT ? TST_NOT_FOUND : TST_INTERNAL, "%s: %s", name, strerror(errno));
    return 0;
}

int file_read(int dir, const char *name, size_t max, struct tst_buf *out, struct tst_error **err)
{
    AUTO_FD fd = -1;
    int rc = open_file(dir, name, &fd, err);
    return rc ? rc : file_read_fd(fd, name, max, out, err);
}

static int expect_private(int fd, const char *name, struct tst_error **err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return tst_fail(err, TST_INTERNAL, "%s: %s", name, strerror(errno));
    if (st.st_uid == geteuid() && (st.st_mode & 077) == 0)
        return 0;
    char found[64];
    snprintf(found, sizeof found, "uid %u, mode %04o", st.st_uid, st.st_mode & 07777);
    tst_fail(err, TST_REFUTED, "%s: others can reach it", name);
    return tst_hint(err, "owned by this user, no right for group or others", found,
                    "do not use keys that others could read: make a new state directory");
}

int file_read_private(int dir, const char *name, size_t max, struct tst_buf *out, struct tst_error **err)
{
    AUTO_FD fd = -1;
    int rc = open_file(dir, name, &fd, err);
    if (!rc)
        rc = expect_private(fd, name, err);
    return rc ? rc : file_read_fd(fd, name, max, out, err);
}

int file_write_new(int dir, const char *name, const void *p, size_t n, struct tst_error **err)
{
    AUTO_FD fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return tst_fail(err, TST_INTERNAL, "%s: %s", name, strerror(errno));
    const uint8_t *at = p;
    while (n > 0) {
        ssize_t put = write(fd, at, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return tst_fail(err, TST_INTERNAL, "%s: %s", name, strerror(errno));
        at += put;
        n -= (size_t)put;
    }
    return fsync(fd) ? tst_fail(err, TST_INTERNAL, "%s: %s", name, strerror(errno)) : 0;
}

int dir_open_private(int dir, const char *name, bool make, int *out, struct tst_error **err)
{
    if (make && mkdirat(dir, name, 0700) != 0 && errno != EEXIST)
        return tst_fail(err, TST_INTERNAL, "%s: %s", name, strerror(errno));
    AUTO_FD fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return tst_fail(err, errno == ENOENT ? TST_NOT_FOUND : TST_INTERNAL, "%s: %s", name, strerror(errno));
    int rc = expect_private(fd, name, err);
    if (rc)
        return rc;
    *out = fd;
    fd = -1;
    return 0;
}

int dir_discard(int dir, const char *name, struct tst_error **err)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : tst_fail(err, TST_INTERNAL, "%s: %s", name, strerror(errno));
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return tst_fail(err, TST_INTERNAL, "%s: %s", name, strerror(errno));
    }
    for (struct dirent *e; (e = readdir(d));) /* "." and ".." are no files: unlinkat leaves them */
        unlinkat(fd, e->d_name, 0);
    closedir(d);
    return unlinkat(dir, name, AT_REMOVEDIR) ? tst_fail(err, TST_INTERNAL, "%s: %s", name, strerror(errno)) : 0;
}
