/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/sim/mount.h - FUSE mounts of their own mount namespace (nothing is left when the test ends, however it
 * ends), and small reads and writes below them that return errno. */
#ifndef TESTS_SIM_MOUNT_H
#define TESTS_SIM_MOUNT_H

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "tests/unit/sim/tree.h"

enum { NOBODY = 65534 };

/* Ends the program with 77 (skipped, and says so) when it cannot mount. */
static inline void mount_namespace_or_skip(void)
{
    int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (geteuid() != 0 || fuse < 0 || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        fprintf(stderr, "skipped: needs root, /dev/fuse and a mount namespace: %s\n", strerror(errno));
        exit(77);
    }
    close(fuse);
}

/* Mounts a new /dev/fuse file at dir as a node's start does; `options` come on top. */
static inline int mount_fuse(const char *dir, const char *options)
{
    char text[128];
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    snprintf(text, sizeof text, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other%s", fd, options);
    if (fd < 0 || mount("tsm", dir, "fuse", MS_NOSUID | MS_NODEV | MS_NOEXEC, text) != 0)
        fixture_die("mount", NULL);
    return fd;
}

static inline int io_open(const char *dir, const char *name, int flags)
{
    TST_AUTO_STR path = tree_path(dir, name);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

/* open, one write, close: 0 or the first errno. */
static inline int io_write(const char *dir, const char *name, const void *p, size_t n)
{
    int fd = io_open(dir, name, O_WRONLY);
    if (fd < 0)
        return -fd;
    int rc = write(fd, p, n) == (ssize_t)n ? 0 : errno;
    return close(fd) != 0 && !rc ? errno : rc;
}

/* open, read to the end, close: bytes read or -errno. */
static inline ssize_t io_read(const char *dir, const char *name, void *p, size_t max)
{
    int fd = io_open(dir, name, O_RDONLY);
    if (fd < 0)
        return fd;
    size_t got = 0;
    ssize_t n = 0;
    while (got < max && (n = read(fd, (char *)p + got, max - got)) > 0)
        got += (size_t)n;
    int rc = errno;
    close(fd);
    return n < 0 ? -rc : (ssize_t)got;
}

static inline int io_mkdir(const char *dir, const char *name)
{
    TST_AUTO_STR path = tree_path(dir, name);
    return mkdir(path, 0700) ? errno : 0;
}

static inline int io_rmdir(const char *dir, const char *name)
{
    TST_AUTO_STR path = tree_path(dir, name);
    return rmdir(path) ? errno : 0;
}

/* What `act` returns when user nobody does it. */
static inline int as_nobody(int (*act)(const char *dir), const char *dir)
{
    pid_t child = fork();
    if (child == 0)
        _exit(setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY) ? 255 : act(dir));
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        fixture_die("as_nobody", NULL);
    return WEXITSTATUS(status);
}

#endif
