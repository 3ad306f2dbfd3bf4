/* SPDX-License-Identifier: Apache-2.0 */
/* platform/real.c - this machine: files as they are, CPUID executed, MSRs through /dev/cpu/N/msr, ioctls done. */
#include <cpuid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/os_files.h"

#define PROGRAM_OUTPUT_MAX (1024 * 1024)
#define PROGRAM_TIMEOUT_S 20

static int real_read_file(const struct platform *p, const char *path, size_t max, char **text, size_t *n)
{
    (void)p;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? -errno : read_whole(fd, max, text, n);
}

static int real_list_dir(const struct platform *p, const char *path, char **names)
{
    (void)p;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : list_names(fd, names);
}

/* A device is really opened (the driver may refuse), a folder cannot be for writing. */
static int real_can_open(const struct platform *p, const char *path, bool write)
{
    (void)p;
    int fd = open(path, (write ? O_WRONLY : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

static int real_rdmsr(const struct platform *p, unsigned cpu, uint32_t msr, uint64_t *value)
{
    char path[64];
    (void)p;
    snprintf(path, sizeof path, "/dev/cpu/%u/msr", cpu);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = pread(fd, value, sizeof *value, (off_t)msr);
    int rc = n < 0 ? -errno : n == (ssize_t)sizeof *value ? 0 : -EIO;
    close(fd);
    return rc;
}

static int real_cpuid(const struct platform *p, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out)
{
    (void)p;
    __cpuid_count(leaf, subleaf, out->eax, out->ebx, out->ecx, out->edx);
    return 0;
}

/* /dev/sev wants a writer for commands that change something; status works with a reader. */
static int real_ioctl(const struct platform *p, const char *device, unsigned long request, void *arg)
{
    (void)p;
    int fd = open(device, O_RDWR | O_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == EROFS))
        fd = open(device, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = ioctl(fd, request, arg);
    if (rc < 0)
        rc = -errno;
    close(fd);
    return rc;
}

/* ---- programs ---- */
static int output_drain(int fd, struct tst_buf *out)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    time_t until = t.tv_sec + PROGRAM_TIMEOUT_S;
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    char chunk[4096];
    for (;;) {
        clock_gettime(CLOCK_MONOTONIC, &t);
        if (t.tv_sec >= until)
            return -ETIMEDOUT;
        int ready = poll(&poller, 1, (int)(until - t.tv_sec) * 1000);
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready <= 0)
            continue;
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0 && tst_buf_put(out, chunk, (size_t)n, NULL) < 0)
            return -EFBIG;
    }
}

static int program_spawn(const char *const argv[], int out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    static char *const environment[] = {(char *)(uintptr_t) "LC_ALL=C",
                                        (char *)(uintptr_t) "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc)
        return -rc;
    rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!rc)
        rc = posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (!rc)
        rc = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (!rc)
        rc = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    return -rc;
}

static int real_run(const struct platform *p, const char *const argv[], char **output)
{
    TST_AUTO_BUF out = {.max = PROGRAM_OUTPUT_MAX};
    int ends[2], status = 0;
    pid_t pid = 0;
    (void)p;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    int rc = program_spawn(argv, ends[1], &pid);
    close(ends[1]);
    if (rc == 0) {
        rc = output_drain(ends[0], &out);
        if (rc < 0)
            kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    close(ends[0]);
    if (rc < 0)
        return rc;
    *output = strdup(out.p ? (const char *)out.p : "");
    if (!*output)
        return -ENOMEM;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

int platform_open_real(struct platform **out, struct tst_error **err)
{
    struct platform *p = malloc(sizeof *p);
    char *name = strdup("this machine");
    if (!p || !name) {
        free(p);
        free(name);
        return tst_fail(err, TST_INTERNAL, "out of memory");
    }
    *p = (struct platform){.read_file = real_read_file, .list_dir = real_list_dir, .can_open = real_can_open,
                           .rdmsr = real_rdmsr, .cpuid = real_cpuid, .ioctl = real_ioctl, .run = real_run, .name = name};
    *out = p;
    return 0;
}
