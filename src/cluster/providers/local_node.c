/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_node.c - start and stop a node. Two processes: a supervisor on the machine (holds the pid
 * file's lock, keeps the console, ends the node when told) and its child, process 1 of the node's namespaces, which
 * builds the root, gives up its rights and becomes testudo-init. The node dies with its supervisor. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cluster/providers/local.h"

#define INIT_PATH "/usr/libexec/testudo/testudo-init"
#define INIT_TOKEN_FD 3 /* see cluster/init.c */
#define FIRST_OWN_FD 10 /* ours stay above, so that INIT_TOKEN_FD is free */
#define CONSOLE_MAX_BYTES (1024 * 1024)
#define GRACE_S 12 /* init gives the agent 8 s and the others 2 s */
#define STARTED "+"

/* Descriptors between `up`, supervisor and child. */
struct channels {
    int status[2];  /* to `up`: STARTED, or why not */
    int go[2];      /* to the child: its network is there */
    int console[2]; /* from the node */
    int token;      /* to init */
    int lock;       /* of the state folder */
};
#define CHANNELS 8

/* ---- the child: process 1 ---- */

static int await_network(int go, struct tst_error **err)
{
    char byte;

    if (read(go, &byte, 1) != 1)
        return tst_fail(err, TST_INTERNAL, "network: the supervisor gave up");
    return 0;
}

static int prepare(const struct node_spec *spec, int go, struct tst_error **err)
{
    const struct plan_member *m = spec->member;
    int rc;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (sethostname(m->instance, strlen(m->instance)) < 0)
        return os_fail(err, "hostname");
    if ((rc = root_build(spec, err)) || (rc = await_network(go, err)) || (rc = net_configure(m->address, err)))
        return rc;
    if (spec->realm->level != TST_LEVEL_NONE && (rc = tsm_attach(spec->l, m->instance, err)))
        return rc;
    return root_enter(err);
}

/* Only stdin, console and the token are left to init. */
static int set_descriptors(int token, int console, struct tst_error **err)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0 || null < 0 || dup2(null, 0) < 0 || dup2(console, 1) < 0 ||
        dup2(console, 2) < 0 || dup2(token, INIT_TOKEN_FD) < 0)
        return os_fail(err, "descriptors");
    return 0;
}

static void child_main(const struct node_spec *spec, const struct channels *c)
{
    static const char *const argv[] = {INIT_PATH, NULL}, *const env[] = {"PATH=" LOCAL_PATH, NULL};
    TST_AUTO_ERROR error = NULL;
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    close(c->go[1]); /* or we would wait for ourselves */
    if (!prepare(spec, c->go[0], &error) && !set_descriptors(c->token, c->console[1], &error) &&
        !caps_restrict(&error)) {
        setsid();
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* once more: a change of credentials may clear it */
        if (write(c->status[1], STARTED, 1) == 1)
            execve(INIT_PATH, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
        os_fail(&error, INIT_PATH);
    }
    dprintf(c->status[1], "%s", error ? error->text : "unknown");
    _exit(1);
}

/* ---- the supervisor ---- */

static void copy_console(int from, int to, size_t *written)
{
    char chunk[4096];
    ssize_t n = read(from, chunk, sizeof chunk);

    if (n <= 0 || *written + (size_t)n > CONSOLE_MAX_BYTES)
        return; /* a node may not fill the machine's disk */
    *written += (size_t)n;
    if (write(to, chunk, (size_t)n) < 0)
        return; /* the console is a convenience */
}

/* Returns when the node has ended. */
static void supervise(pid_t init, int console, int log, const sigset_t *watched)
{
    AUTO_FD signals = signalfd(-1, watched, SFD_CLOEXEC);
    struct pollfd p[2] = {{.fd = signals, .events = POLLIN}, {.fd = console, .events = POLLIN}};
    struct signalfd_siginfo info;
    double kill_at = 0;
    size_t written = 0;

    while (waitpid(init, NULL, WNOHANG) != init) {
        poll(p, 2, kill_at > 0 ? 200 : -1);
        if (p[0].revents && read(signals, &info, sizeof info) > 0 && info.ssi_signo == SIGTERM && kill_at <= 0)
            kill_at = os_seconds() + GRACE_S;
        if (kill_at > 0)
            kill(init, SIGTERM); /* again and again: before it is testudo-init, process 1 ignores it */
        if (p[1].revents & POLLIN)
            copy_console(console, log, &written);
        else if (p[1].revents)
            p[1].fd = -1;
        if (kill_at > 0 && os_seconds() > kill_at)
            kill(init, SIGKILL);
    }
}

static pid_t clone_child(void)
{
    const unsigned long namespaces =
        CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;

    return (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, NULL);
}

static int note_init(const struct local *l, const char *instance, pid_t init, struct tst_error **err)
{
    TST_AUTO_STR path = local_path(l, "nodes/%s/init", instance), text = tst_strdup_printf("%d\n", (int)init);

    if (!path || !text)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    return os_write_file(path, 0600, text, strlen(text), err);
}

static int launch(const struct node_spec *spec, struct channels *c, pid_t *init, struct tst_error **err)
{
    const char *instance = spec->member->instance;
    int rc;

    if ((*init = clone_child()) < 0)
        return os_fail(err, "new namespaces");
    if (*init == 0)
        child_main(spec, c);
    close(c->go[0]);
    close(c->console[1]);
    close(c->token);
    if ((rc = note_init(spec->l, instance, *init, err)) || (rc = net_attach(spec->l, instance, *init, err)))
        return rc;
    return write(c->go[1], "g", 1) == 1 ? 0 : os_fail(err, "child of the supervisor");
}

/* stdin, stdout and stderr go nowhere: what happens later goes to the console's file. */
static int detach(const char *log_path, int *log, struct tst_error **err)
{
    int null = open("/dev/null", O_RDWR);
    int file = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    setsid();
    prctl(PR_SET_NAME, "testudo-node");
    if (null < 0 || file < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || chdir("/") < 0)
        return os_fail(err, "%s", log_path);
    *log = fcntl(file, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
    close(file);
    if (null > 2)
        close(null);
    return *log < 0 ? os_fail(err, "%s", log_path) : 0;
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Of all that was inherited only stdin, stdout, stderr and the channels stay; a test's or terminal's pipe that lived on
 * in here would never see its end. The channels move above FIRST_OWN_FD. */
static int keep_only(struct channels *c, struct tst_error **err)
{
    int *const all[CHANNELS] = {&c->status[0],  &c->status[1],  &c->go[0], &c->go[1],
                                &c->console[0], &c->console[1], &c->token, &c->lock};
    int sorted[CHANNELS];
    unsigned from = 3;

    for (size_t i = 0; i < CHANNELS; i++)
        if ((*all[i] = sorted[i] = fcntl(*all[i], F_DUPFD_CLOEXEC, FIRST_OWN_FD)) < 0)
            return os_fail(err, "descriptors");
    qsort(sorted, CHANNELS, sizeof sorted[0], by_number);
    for (size_t i = 0; i < CHANNELS; from = (unsigned)sorted[i++] + 1)
        if ((unsigned)sorted[i] > from)
            close_range(from, (unsigned)sorted[i] - 1, 0);
    return close_range(from, ~0U, 0) < 0 ? os_fail(err, "descriptors") : 0;
}

static void supervisor_main(const struct node_spec *spec, struct channels *c)
{
    TST_AUTO_ERROR error = NULL;
    TST_AUTO_STR pid_file = local_path(spec->l, "nodes/%s/pid", spec->member->instance);
    TST_AUTO_STR log_path = local_path(spec->l, "nodes/%s/console.log", spec->member->instance);
    int lock, log = -1;
    pid_t init = -1;
    sigset_t watched;

    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigaddset(&watched, SIGTERM);
    sigprocmask(SIG_SETMASK, &watched, NULL);
    if (!pid_file || !log_path || keep_only(c, &error) || process_lock(pid_file, &lock, &error) ||
        detach(log_path, &log, &error)) {
        dprintf(c->status[1], "%s", error ? error->text : "out of memory");
        _exit(1);
    }
    close(c->lock); /* from here on `testudo down` finds us by the pid file */
    if (launch(spec, c, &init, &error)) {
        dprintf(c->status[1], "%s", error->text);
        if (init > 0)
            kill(init, SIGKILL);
    }
    close(c->status[0]);
    close(c->status[1]);
    close(c->go[1]);
    if (init > 0)
        supervise(init, c->console[0], log, &watched);
    _exit(0);
}

/* ---- for `up`, `launch`, `down` ---- */

int node_start(const struct node_spec *spec, int *status_fd, struct tst_error **err)
{
    struct channels c = {.token = spec->token_fd, .lock = spec->l->lock_fd};
    TST_AUTO_STR folder = local_path(spec->l, "nodes/%s", spec->member->instance);
    int rc = folder ? os_mkdirs(folder, 0700, err) : tst_fail(err, TST_INTERNAL, "out of memory");

    if (rc)
        return rc;
    if (pipe2(c.status, O_CLOEXEC) < 0 || pipe2(c.go, O_CLOEXEC) < 0 || pipe2(c.console, O_CLOEXEC) < 0)
        return os_fail(err, "pipes");
    pid_t pid = fork();
    if (pid == 0)
        supervisor_main(spec, &c);
    close(c.status[1]);
    close(c.go[0]);
    close(c.go[1]);
    close(c.console[0]);
    close(c.console[1]);
    *status_fd = c.status[0];
    if (pid < 0) {
        close(c.status[0]);
        return os_fail(err, "fork");
    }
    return 0;
}

int node_started(int status_fd, const char *instance, struct tst_error **err)
{
    AUTO_FD from = status_fd;
    char text[1024];
    size_t n = 0;
    ssize_t got;

    while (n < sizeof text - 1) {
        got = read(from, text + n, sizeof text - 1 - n);
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    text[n] = '\0';
    if (!strcmp(text, STARTED))
        return 0;
    return tst_fail(err, TST_INTERNAL, "launch of %s: %s", instance,
                    text[0] == STARTED[0] ? text + 1 : n ? text : "its supervisor died");
}

bool node_alive(const struct local *l, const char *instance)
{
    TST_AUTO_STR path = local_path(l, "nodes/%s/pid", instance);

    return path && process_holder(path) > 0;
}

static pid_t parent_of(pid_t pid)
{
    char path[40], text[512];

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *after_name = strrchr(text, ')'); /* ") S PPID ..." */
    return after_name && strlen(after_name) > 4 ? (pid_t)strtol(after_name + 4, NULL, 10) : 0;
}

pid_t node_init_pid(const struct local *l, const char *instance)
{
    TST_AUTO_STR pid_file = local_path(l, "nodes/%s/pid", instance);
    TST_AUTO_STR init_file = local_path(l, "nodes/%s/init", instance), text = NULL;
    TST_AUTO_ERROR ignored = NULL;
    pid_t supervisor = pid_file ? process_holder(pid_file) : 0;

    if (supervisor <= 0 || !init_file || os_read_file(init_file, 32, &text, NULL, &ignored))
        return 0;
    pid_t init = (pid_t)strtol(text, NULL, 10);
    return init > 0 && parent_of(init) == supervisor ? init : 0; /* the file may be of an earlier launch */
}

static void stop(int pidfd)
{
    if (pidfd < 0)
        return;
    if (!process_wait(pidfd, GRACE_S + 2)) {
        process_signal(pidfd, SIGKILL); /* takes the node with it */
        process_wait(pidfd, 5);
    }
    close(pidfd);
}

void node_down(const struct local *l, const char *instance)
{
    TST_AUTO_STR path = local_path(l, "nodes/%s/pid", instance);
    int pidfd = path ? process_open(path) : -1;

    if (pidfd >= 0)
        process_signal(pidfd, SIGTERM);
    stop(pidfd);
}

int nodes_down(const struct local *l, struct tst_error **err)
{
    TST_AUTO_STR folder = local_path(l, "nodes");
    int pidfds[2 * (CLUSTER_REALM_NODES_MAX + 1)];
    size_t count = 0;
    DIR *d = folder ? opendir(folder) : NULL;

    if (!d)
        return folder && errno == ENOENT ? 0 : os_fail(err, "%s", folder ? folder : "nodes");
    for (struct dirent *e; count < TST_COUNT(pidfds) && (e = readdir(d));) {
        TST_AUTO_STR path = e->d_name[0] == '.' ? NULL : local_path(l, "nodes/%s/pid", e->d_name);
        int pidfd = path ? process_open(path) : -1;
        if (pidfd < 0)
            continue;
        process_signal(pidfd, SIGTERM);
        pidfds[count++] = pidfd;
    }
    closedir(d);
    for (size_t i = 0; i < count; i++)
        stop(pidfds[i]);
    return 0;
}
