/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_enter.c - run a command in a node: all its namespaces, its root, the same rights as its own
 * root, a user of its own passwd, a clean environment. Three processes: the command must be born after the change of
 * the PID namespace, and we ourselves must not change. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "cluster/providers/local.h"

#define NO_SUCH_COMMAND 127

static int join(int pidfd, int root, struct tst_error **err)
{
    if (setns(pidfd, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWCGROUP) < 0)
        return os_fail(err, "namespaces of the node");
    if (fchdir(root) < 0 || chroot(".") < 0)
        return os_fail(err, "root of the node");
    return 0;
}

/* Not getpwnam(3): this process has read the machine's nsswitch.conf, and the node's passwd is a plain file. */
static int find_user(const char *name, struct passwd *out, struct tst_error **err)
{
    FILE *f = fopen("/etc/passwd", "re");
    struct passwd *p;

    while (f && (p = fgetpwent(f)))
        if (!strcmp(p->pw_name, name)) {
            *out = (struct passwd){.pw_uid = p->pw_uid, .pw_gid = p->pw_gid, .pw_dir = strdup(p->pw_dir)};
            break;
        }
    if (f)
        fclose(f);
    return out->pw_dir ? 0 : tst_fail(err, TST_NOT_FOUND, "user %s: not in the node's /etc/passwd", name);
}

static int set_environment(const char *user, const char *home, struct tst_error **err)
{
    const char *ours = getenv("TERM");
    TST_AUTO_STR term = strdup(ours ? ours : "dumb");

    if (!term || clearenv() || setenv("HOME", home, 1) || setenv("USER", user, 1) || setenv("LOGNAME", user, 1) ||
        setenv("PATH", LOCAL_PATH, 1) || setenv("TERM", term, 1) || setenv("LANG", "C.UTF-8", 1))
        return tst_fail(err, TST_INTERNAL, "out of memory");
    return 0;
}

static int become(const char *user, struct tst_error **err)
{
    struct passwd p = {0};
    int rc = find_user(user, &p, err);
    TST_AUTO_STR home = p.pw_dir;

    if (rc || (rc = caps_restrict(err)) || (rc = set_environment(user, home, err)))
        return rc;
    gid_t group = p.pw_gid;
    if (setgroups(1, &group) < 0 || setresgid(group, group, group) < 0 ||
        setresuid(p.pw_uid, p.pw_uid, p.pw_uid) < 0)
        return os_fail(err, "user %s", user);
    if (chdir(home) < 0 && chdir("/") < 0)
        return os_fail(err, "home folder");
    return 0;
}

static void command_main(const char *user, const char *const argv[], int out_fd)
{
    TST_AUTO_ERROR error = NULL;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    if (out_fd >= 0 && dup2(out_fd, 1) < 0)
        _exit(NO_SUCH_COMMAND);
    if (become(user, &error)) {
        dprintf(2, "testudo: %s\n", error->text);
        _exit(tst_exit_status(error->code));
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* the change of user cleared it */
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(2, "testudo: %s: %s\n", argv[0], strerror(errno));
    _exit(NO_SUCH_COMMAND);
}

static int status_of(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 70;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void carrier_main(int pidfd, int root, const char *user, const char *const argv[], int out_fd)
{
    TST_AUTO_ERROR error = NULL;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (join(pidfd, root, &error)) {
        dprintf(2, "testudo: %s\n", error->text);
        _exit(70);
    }
    pid_t pid = fork();
    if (pid == 0)
        command_main(user, argv, out_fd);
    _exit(pid < 0 ? 70 : status_of(pid));
}

int node_run(const struct local *l, const char *instance, const char *user, const char *const argv[], int out_fd,
             int *status, struct tst_error **err)
{
    pid_t init = node_init_pid(l, instance);
    AUTO_FD pidfd = init > 0 ? pidfd_open(init, 0) : -1;
    char path[40];

    snprintf(path, sizeof path, "/proc/%d/root", (int)init);
    AUTO_FD root = init > 0 ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (pidfd < 0 || root < 0 || node_init_pid(l, instance) != init)
        return tst_fail(err, TST_UNREACHABLE, "node %s does not run", instance);
    fflush(NULL);
    void (*on_int)(int) = signal(SIGINT, SIG_IGN), (*on_quit)(int) = signal(SIGQUIT, SIG_IGN);
    pid_t carrier = fork(); /* the terminal's Ctrl-C is for the command; we wait for its status */
    if (carrier == 0)
        carrier_main(pidfd, root, user, argv, out_fd);
    *status = carrier < 0 ? 70 : status_of(carrier);
    signal(SIGINT, on_int);
    signal(SIGQUIT, on_quit);
    return carrier < 0 ? os_fail(err, "fork") : 0;
}
