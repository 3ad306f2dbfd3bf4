/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/process.c - programs that we run to their end, and processes that outlive us; os.h is the contract.
 * A pid file is a lock, not a number: a POSIX record lock survives exec, ends with its process, and F_GETLK names the
 * holder, so neither a stale file nor a reused id can mislead `testudo down`. */
#include "cluster/os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#ifndef TESTUDO_LIBEXECDIR
#define TESTUDO_LIBEXECDIR "/usr/local/libexec/testudo"
#endif
#define OUTPUT_MAX_BYTES (1024 * 1024)

/* ---- run to the end ---- */

struct child_io {
    int in[2], out[2], err[2];
};

static void close_ends(struct child_io *io)
{
    int *const all[] = {io->in, io->out, io->err};

    for (size_t i = 0; i < TST_COUNT(all); i++)
        for (int end = 0; end < 2; end++)
            if (all[i][end] >= 0)
                close(all[i][end]);
}

static void child_exec(const char *const argv[], const struct child_io *io)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(io->in[0], 0) < 0 || dup2(io->out[1], 1) < 0 || dup2(io->err[1], 2) < 0)
        _exit(127);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Reads both pipes until both are closed; the program may write to either at any time. */
static int drain(const struct child_io *io, struct tst_buf *out, struct tst_buf *errors, struct tst_error **err)
{
    struct pollfd p[2] = {{.fd = io->out[0], .events = POLLIN}, {.fd = io->err[0], .events = POLLIN}};
    struct tst_buf *const to[2] = {out, errors};
    char chunk[4096];

    while (p[0].fd >= 0 || p[1].fd >= 0) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return os_fail(err, "poll");
        for (int i = 0; i < 2; i++) {
            if (p[i].fd < 0 || !p[i].revents)
                continue;
            ssize_t n = read(p[i].fd, chunk, sizeof chunk);
            if (n <= 0)
                p[i].fd = -1;
            else if (tst_buf_put(to[i], chunk, (size_t)n, err))
                return -TST_TOO_LARGE;
        }
    }
    return 0;
}

static int judge(const char *name, int status, struct tst_buf *errors, struct tst_error **err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    while (errors->n && errors->p[errors->n - 1] == '\n')
        errors->n--;
    size_t start = errors->n;
    while (start && errors->p[start - 1] != '\n')
        start--;
    int length = (int)(errors->n - start < 400 ? errors->n - start : 400);
    if (WIFSIGNALED(status))
        return tst_fail(err, TST_INTERNAL, "%s: killed by signal %d", name, WTERMSIG(status));
    return tst_fail(err, TST_INTERNAL, "%s: exit status %d: %.*s", name, WEXITSTATUS(status), length,
                    errors->n ? (const char *)errors->p + start : "");
}

int os_run(const char *const argv[], const char *input, char **output, struct tst_error **err)
{
    TST_AUTO_BUF out = {.max = OUTPUT_MAX_BYTES}, errors = {.max = OUTPUT_MAX_BYTES};
    struct child_io io = {{-1, -1}, {-1, -1}, {-1, -1}};
    size_t input_n = input ? strlen(input) : 0;
    int status = 0;

    /* the input goes into the pipe at once, so it must fit */
    if (input_n > 65536 || pipe2(io.in, O_CLOEXEC) || pipe2(io.out, O_CLOEXEC) || pipe2(io.err, O_CLOEXEC)) {
        close_ends(&io);
        return os_fail(err, "run %s", argv[0]);
    }
    pid_t pid = fork();
    if (pid == 0)
        child_exec(argv, &io);
    close(io.in[0]);
    close(io.out[1]);
    close(io.err[1]);
    io.in[0] = io.out[1] = io.err[1] = -1;
    if (input_n && write(io.in[1], input, input_n) < 0)
        input_n = 0; /* the program did not want it: its status says whether that matters */
    close(io.in[1]);
    io.in[1] = -1;
    int rc = pid < 0 ? os_fail(err, "run %s", argv[0]) : drain(&io, &out, &errors, err);
    close_ends(&io);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!rc)
        rc = judge(argv[0], status, &errors, err);
    if (!rc && output && !(rc = tst_buf_put(&out, "", 1, err)))
        *output = (char *)TST_STEAL(out.p);
    return rc;
}

/* ---- where our programs are ---- */

static char *own_folder(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    if (n <= 0)
        return NULL;
    path[n] = '\0';
    *strrchr(path, '/') = '\0';
    return strdup(path);
}

int os_program(const char *name, char **out, struct tst_error **err)
{
    TST_AUTO_STR own = own_folder();
    const char *libexec = getenv("TESTUDO_LIBEXEC");
    static const char *const build_places[] = {".",         "../cluster", "../agent",
                                               "../broker", "../../sim",  "../../../src/cluster"};

    if (libexec && *libexec) {
        *out = tst_strdup_printf("%s/%s", libexec, name);
        if (*out && !access(*out, X_OK))
            return 0;
        return tst_fail(err, TST_NOT_FOUND, "%s is not in TESTUDO_LIBEXEC=%s", name, libexec);
    }
    for (size_t i = 0; own && i < TST_COUNT(build_places); i++) {
        TST_AUTO_STR path = tst_strdup_printf("%s/%s/%s", own, build_places[i], name);
        struct stat st;
        if (path && !stat(path, &st) && S_ISREG(st.st_mode) && (*out = realpath(path, NULL)))
            return 0;
    }
    *out = tst_strdup_printf("%s/%s", TESTUDO_LIBEXECDIR, name);
    return *out && !access(*out, X_OK) ? 0 : tst_fail(err, TST_NOT_FOUND, "program %s is not installed", name);
}

static bool has_entry(const char *folder, const char *name)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/%s", folder, name);

    return path && !access(path, F_OK);
}

char *os_checkout(void)
{
    TST_AUTO_STR folder = own_folder();
    char *top = NULL;

    while (folder && *folder) {
        if (has_entry(folder, "meson.build") || has_entry(folder, "build.ninja") || has_entry(folder, ".git")) {
            free(top);
            top = strdup(folder);
        }
        *strrchr(folder, '/') = '\0';
    }
    return top;
}

/* ---- processes that outlive us ---- */

static struct flock whole_file(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

int process_lock(const char *pid_file, int *fd, struct tst_error **err)
{
    struct flock lock = whole_file(F_WRLCK);
    AUTO_FD file = open(pid_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (file < 0)
        return os_fail(err, "open %s", pid_file);
    if (fcntl(file, F_SETLK, &lock) < 0)
        return os_fail(err, "lock %s", pid_file);
    *fd = file;
    file = -1;
    return 0;
}

pid_t process_holder(const char *pid_file)
{
    struct flock lock = whole_file(F_WRLCK);
    AUTO_FD fd = open(pid_file, O_RDWR | O_CLOEXEC);

    if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
        return 0;
    return lock.l_pid;
}

int process_open(const char *pid_file)
{
    pid_t pid = process_holder(pid_file);
    int fd = pid > 0 ? pidfd_open(pid, 0) : -1;

    if (fd >= 0 && process_holder(pid_file) != pid) { /* it ended in between and the id may be another's */
        close(fd);
        return -1;
    }
    return fd;
}

bool process_wait(int pidfd, double timeout_s)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    double until = os_seconds() + timeout_s;

    for (;;) {
        double left = until - os_seconds();
        int n = poll(&p, 1, left > 0 ? (int)(left * 1000) + 1 : 0);
        if (n > 0)
            return true;
        if (n == 0 && left <= 0)
            return false;
    }
}

void process_signal(int pidfd, int signal)
{
    pidfd_send_signal(pidfd, signal, NULL, 0); /* ESRCH: it is gone, as wanted */
}

/* In the child: never returns. The write end of `ready` says that the lock is held (or why not). */
static void daemon_exec(const char *const argv[], const char *pid_file, const char *log, int ready)
{
    TST_AUTO_ERROR error = NULL;
    int lock = -1;
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); /* nobody's pipe is held open by a daemon */
    int null = open("/dev/null", O_RDWR);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

    setsid();
    umask(077);
    if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        dprintf(ready, "%s: %s", log, strerror(errno));
    else if (process_lock(pid_file, &lock, &error))
        dprintf(ready, "%s", error->text);
    else if (fcntl(lock, F_SETFD, 0) < 0) /* the lock lives as long as the program */
        dprintf(ready, "%s: %s", pid_file, strerror(errno));
    else {
        execv(argv[0], (char *const *)(uintptr_t)argv);
        dprintf(ready, "%s: %s", argv[0], strerror(errno));
    }
    _exit(127);
}

int process_spawn(const char *const argv[], const char *pid_file, const char *log, struct tst_error **err)
{
    int ready[2];
    char text[512];

    if (pipe2(ready, O_CLOEXEC) < 0)
        return os_fail(err, "pipe");
    pid_t pid = fork();
    if (pid == 0)
        daemon_exec(argv, pid_file, log, ready[1]);
    close(ready[1]);
    AUTO_FD from = ready[0];
    if (pid < 0)
        return os_fail(err, "fork");
    ssize_t n;
    while ((n = read(from, text, sizeof text - 1)) < 0 && errno == EINTR)
        ;
    if (n <= 0)
        return 0; /* closed by exec */
    text[n] = '\0';
    waitpid(pid, NULL, 0);
    return tst_fail(err, TST_INTERNAL, "%s", text);
}
