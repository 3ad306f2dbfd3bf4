/* SPDX-License-Identifier: Apache-2.0 */
/* agent/daemons.c - munged, slurmctld and slurmd as children of the agent. They inherit its RLIMIT_CORE of 0. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/node.h"

#define CONF RUN_DIR "/slurm/slurm.conf"
#define MUNGE_SOCKET "/run/munge/munge.socket.2"
#define MUNGE_KEY_OPTION "--key-file=" RUN_DIR "/munge.key"
#define MUNGE_SOCKET_OPTION "--socket=" MUNGE_SOCKET

struct daemon {
    const char *user; /* runs as */
    const char *log;
    const char *argv[12];
};
enum { MUNGED, SLURMCTLD, SLURMD };
static const struct daemon table[DAEMONS_MAX] = {
    [MUNGED] = { "munge", "/var/log/munge/out.log",
                 { "/usr/sbin/munged", "--foreground", MUNGE_KEY_OPTION, MUNGE_SOCKET_OPTION, NULL } },
    /* slurmctld becomes SlurmUser itself */
    [SLURMCTLD] = { "root", "/var/log/slurm/slurmctld.out", { "/usr/sbin/slurmctld", "-D", "-i", "-f", CONF, NULL } },
    [SLURMD] = { "root", "/var/log/slurm/slurmd.out", { "/usr/sbin/slurmd", "-D", "-b", "-f", CONF, NULL } },
};
static const struct folder {
    const char *path, *user;
    mode_t mode;
} folders[] = {
    { "/run/munge", "munge", 0755 },       { "/var/log/munge", "munge", 0700 },        { "/var/lib/munge", "munge", 0700 },
    { "/var/log/slurm", "slurm", 0755 },   { "/var/spool/slurmctld", "slurm", 0700 },  { "/var/spool/slurmd", "root", 0755 },
};

static int make_parents(const char *path)
{
    char text[128];
    snprintf(text, sizeof text, "%s", path);
    for (char *p = strchr(text + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (mkdir(text, 0755) && errno != EEXIST)
            return -1;
        *p = '/';
    }
    return mkdir(path, 0755) && errno != EEXIST ? -1 : 0;
}

static int make_folders(struct tst_error **err)
{
    for (size_t i = 0; i < TST_COUNT(folders); i++) {
        const struct passwd *pw = getpwnam(folders[i].user);
        if (!pw)
            return tst_fail(err, TST_INTERNAL, "no user %s on this node", folders[i].user);
        if (make_parents(folders[i].path) || chmod(folders[i].path, folders[i].mode) || chown(folders[i].path, pw->pw_uid, pw->pw_gid))
            return tst_fail(err, TST_INTERNAL, "%s: %m", folders[i].path);
    }
    return 0;
}

static void become(const struct daemon *d, const struct passwd *pw)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (null < 0 || log < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(126);
    if (pw->pw_uid != 0 && (initgroups(d->user, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid)))
        _exit(126);
    setenv("SLURM_CONF", CONF, 1);
    execv(d->argv[0], (char *const *)(uintptr_t)d->argv);
    _exit(127);
}

static int start(int i, struct daemons *d, struct tst_error **err)
{
    const struct passwd *pw = getpwnam(table[i].user);
    if (!pw)
        return tst_fail(err, TST_INTERNAL, "no user %s on this node", table[i].user);
    pid_t pid = fork();
    if (pid == 0)
        become(&table[i], pw);
    if (pid < 0)
        return tst_fail(err, TST_INTERNAL, "fork: %m");
    d->pid[i] = pid;
    return 0;
}

static int wait_for_socket(struct tst_error **err)
{
    for (int i = 0; i < 250; i++) {
        if (access(MUNGE_SOCKET, F_OK) == 0)
            return 0;
        usleep(20000);
    }
    tst_fail(err, TST_INTERNAL, "munged did not open " MUNGE_SOCKET " within 5 s");
    return tst_hint(err, NULL, NULL, "see /var/log/munge on the node");
}

/* Does slurm.conf name this instance as a compute node? */
static bool is_compute(const struct bundle *b, const char *instance)
{
    const char *conf = json_string_value(json_object_get(b->files, "slurm.conf"));
    char want[96];
    int n = snprintf(want, sizeof want, "\nNodeName=%s ", instance);
    return conf && n > 0 && strstr(conf, want) != NULL;
}

int daemons_start(const struct bundle *b, const char *instance, struct daemons *d, struct tst_error **err)
{
    bool controller = strcmp(b->role, "controller") == 0;
    memset(d, 0, sizeof *d);
    unlink(MUNGE_SOCKET);
    int r = make_folders(err);
    if (r || (r = start(MUNGED, d, err)) || (r = wait_for_socket(err)))
        return r;
    if (controller && (r = start(SLURMCTLD, d, err)))
        return r;
    return is_compute(b, instance) ? start(SLURMD, d, err) : 0;
}

bool daemons_reap(struct daemons *d, pid_t pid, int status)
{
    for (int i = 0; i < DAEMONS_MAX; i++)
        if (d->pid[i] == pid) {
            fprintf(stderr, "testudo-agent: %s ended (%s %d)\n", table[i].argv[0], WIFSIGNALED(status) ? "signal" : "status",
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            d->pid[i] = -1;
            return true;
        }
    return false;
}

int daemons_restart_dead(struct daemons *d, struct tst_error **err)
{
    int r = 0;
    for (int i = 0; i < DAEMONS_MAX && !r; i++)
        if (d->pid[i] == -1)
            r = start(i, d, err);
    return r;
}

static void stop_one(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    for (int i = 0; i < 100; i++) {
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return;
        usleep(50000);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void daemons_stop(struct daemons *d)
{
    for (int i = DAEMONS_MAX - 1; i >= 0; i--)
        stop_one(d->pid[i]);
    memset(d, 0, sizeof *d);
    unlink(MUNGE_SOCKET);
}
