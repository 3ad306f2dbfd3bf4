/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/init.c - testudo-init, PID 1 of a local node: hands a plain node's token (descriptor 3, empty for others) to
 * the agent through /run, starts the agent, reaps, and ends the node when told. A node without its agent runs nothing:
 * when the agent ends, everything else is killed. Knows no secret but the token, which it forgets at once. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AGENT "/usr/libexec/testudo/testudo-agent"
#define AGENT_LOG_FOLDER "/var/log/testudo"
#define AGENT_LOG AGENT_LOG_FOLDER "/agent.log"
#define TOKEN_FD 3
#define TOKEN_FILE "/run/testudo/token"
#define AGENT_GRACE_S 8 /* it stops its daemons in order */
#define OTHERS_GRACE_S 1

static void complain(const char *what)
{
    dprintf(2, "testudo-init: %s: %s\n", what, strerror(errno));
}

static int hand_over_token(void)
{
    char token[256];
    ssize_t n = read(TOKEN_FD, token, sizeof token);

    close(TOKEN_FD);
    if (n <= 0)
        return n < 0 && errno != EBADF ? -1 : 0;
    int fd = open(TOKEN_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    ssize_t done = fd < 0 ? -1 : write(fd, token, (size_t)n);
    explicit_bzero(token, sizeof token);
    if (fd >= 0)
        close(fd);
    return done == n ? 0 : -1;
}

static pid_t start_agent(const sigset_t *unblocked)
{
    static const char *const argv[] = {AGENT, "run", NULL};
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    int log = open(AGENT_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    setsid();
    sigprocmask(SIG_SETMASK, unblocked, NULL);
    if (log < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        complain(AGENT_LOG);
    execv(AGENT, (char *const *)argv);
    complain(AGENT);
    _exit(127);
}

/* Reaps all that ended; true if the agent was among them. */
static int reap(pid_t agent)
{
    int status, agent_ended = 0;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != agent)
            continue;
        agent_ended = 1;
        dprintf(2, "testudo-init: agent ended with %s %d\n", WIFSIGNALED(status) ? "signal" : "status",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    return agent_ended;
}

/* Waits until `pid` (-1: every process) is reaped or grace_s are over. */
static void await_end(pid_t pid, unsigned grace_s, const sigset_t *blocked)
{
    struct timespec now, until, left = {0, 20000000};

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += grace_s;
    for (;;) {
        pid_t ended = waitpid(pid, NULL, WNOHANG);
        if (ended == pid || (ended < 0 && errno == ECHILD))
            return;
        if (ended > 0)
            continue;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec > until.tv_nsec))
            return;
        sigtimedwait(blocked, NULL, &left);
    }
}

/* The agent first, so that it can stop its daemons in order and wipe the key. */
static void end_node(pid_t agent, const sigset_t *blocked)
{
    if (agent > 0) {
        kill(agent, SIGTERM);
        await_end(agent, AGENT_GRACE_S, blocked);
    }
    kill(-1, SIGTERM);
    await_end(-1, OTHERS_GRACE_S, blocked);
    kill(-1, SIGKILL);
    await_end(-1, OTHERS_GRACE_S, blocked);
}

int main(void)
{
    sigset_t blocked, before;
    pid_t agent;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    if (mkdir(AGENT_LOG_FOLDER, 0755) < 0 && errno != EEXIST)
        complain(AGENT_LOG_FOLDER);
    if (hand_over_token() < 0) {
        complain(TOKEN_FILE);
        return 1;
    }
    if ((agent = start_agent(&before)) < 0) {
        complain("fork");
        return 1;
    }
    for (;;) {
        int signal = sigwaitinfo(&blocked, NULL);
        if (signal == SIGCHLD && agent > 0 && reap(agent)) {
            kill(-1, SIGKILL);
            agent = -1;
        } else if (signal == SIGCHLD)
            reap(-1);
        else if (signal == SIGTERM || signal == SIGINT)
            break;
    }
    end_node(agent, &blocked);
    return 0;
}
