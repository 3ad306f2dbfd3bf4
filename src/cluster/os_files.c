/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/os_files.c - files and folders; os.h is the contract. */
#include "cluster/os.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int os_fail(struct tst_error **err, const char *fmt, ...)
{
    int saved = errno;
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    int rc = tst_fail(err, TST_INTERNAL, "%s: %s", n < 0 ? "out of memory" : text, strerror(saved));
    if (n >= 0)
        free(text);
    return rc;
}

double os_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void os_sleep_ms(unsigned ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

int os_mkdirs(const char *path, mode_t mode, struct tst_error **err)
{
    TST_AUTO_STR copy = strdup(path);

    if (!copy)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            return os_fail(err, "mkdir %s", copy);
        *slash = '/';
    }
    if (mkdir(copy, mode) < 0 && errno != EEXIST)
        return os_fail(err, "mkdir %s", copy);
    /* not chmod of whatever a link points to */
    AUTO_FD fd = open(copy, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchmod(fd, mode) < 0)
        return os_fail(err, "folder %s", copy);
    return 0;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

int os_write_file(const char *path, mode_t mode, const void *p, size_t n, struct tst_error **err)
{
    TST_AUTO_STR temporary = tst_strdup_printf("%s.new", path);

    if (!temporary)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    unlink(temporary);
    AUTO_FD fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write_all(fd, p, n) < 0 || fchmod(fd, mode) < 0 || rename(temporary, path) < 0)
        return os_fail(err, "write %s", path);
    return 0;
}

static int read_all(int fd, struct tst_buf *out, const char *path, struct tst_error **err)
{
    uint8_t chunk[16384];
    ssize_t n;

    while ((n = read(fd, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return os_fail(err, "read %s", path);
        int rc = tst_buf_put(out, chunk, (size_t)n, err);
        if (rc)
            return rc;
    }
    return tst_buf_put(out, "", 1, err);
}

int os_read_file(const char *path, size_t max, char **text, size_t *n, struct tst_error **err)
{
    TST_AUTO_BUF content = {.max = max + 1};
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return tst_fail(err, TST_NOT_FOUND, "%s: not there", path);
    if (fd < 0)
        return os_fail(err, "open %s", path);
    int rc = read_all(fd, &content, path, err);
    if (rc)
        return tst_wrap(err, "%s", path);
    if (n)
        *n = content.n - 1;
    *text = (char *)TST_STEAL(content.p);
    return 0;
}

int os_copy_file(const char *from, const char *to, mode_t mode, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0;
    int rc = os_read_file(from, 64U * 1024 * 1024, &text, &n, err);

    return rc ? rc : os_write_file(to, mode, text, n, err);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

int os_remove_tree(const char *path, struct tst_error **err)
{
    if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
        return os_fail(err, "remove %s", path);
    return 0;
}
