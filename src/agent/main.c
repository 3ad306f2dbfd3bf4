/* SPDX-License-Identifier: Apache-2.0 */
/* agent/main.c - testudo-agent: `run` joins the cluster and keeps the lease, `status` says how that stands.
 * Deadlines are counted on CLOCK_BOOTTIME from the moment a request was sent, so a wrong wall clock gives no time away. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/boot.h"
#include "agent/node.h"
#include "platform/process.h"

#define STATUS_PATH RUN_DIR "/status.json"
enum { RETRY_MIN_S = 1, RETRY_MAX_S = 60, REFUSED_RETRY_S = 30, REFUSED_RETRY_MAX_S = 600, RENEW_RETRY_S = 5, RESTART_S = 3 };

enum agent_state { JOINING, ADMITTED, REFUSED, EXPIRED };
static const char *const state_names[] = { "joining", "admitted", "refused", "expired" };

struct agent {
    struct joiner joiner;
    struct daemons daemons;
    struct bundle bundle;
    enum agent_state state;
    char *reason, *detail; /* of the last failure */
    int64_t next_s;        /* when to act next */
    int64_t lease_end_s;
    int64_t restart_s; /* a daemon that dies is not started again before */
    unsigned retry_s;
    int signals;
    bool stop;
};

static int64_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return t.tv_sec;
}

/* ---- status: a file on tmpfs, without secrets ---- */

static json_t *text_or_null(const char *t)
{
    return t ? json_string(t) : json_null();
}

static void write_status(const struct agent *a)
{
    const struct joiner *j = &a->joiner;
    bool in = a->state == ADMITTED;
    TST_AUTO_JSON s = json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:b,s:o,s:{s:I,s:s}}", "instance", j->instance, "state", state_names[a->state],
                                "reason", text_or_null(a->reason), "detail", text_or_null(a->detail), "realm",
                                text_or_null(in ? a->bundle.realm : NULL), "level", text_or_null(in ? a->bundle.level : NULL),
                                "simulated", in && a->bundle.simulated, "lease-until",
                                text_or_null(in ? a->bundle.lease_until : NULL), "log", "index", (json_int_t)j->log_index, "head",
                                j->log_head);
    if (!s || json_dump_file(s, STATUS_PATH ".new", JSON_INDENT(2)) || rename(STATUS_PATH ".new", STATUS_PATH))
        fprintf(stderr, "testudo-agent: " STATUS_PATH ": %m\n");
}

static void say_failure(struct agent *a, struct tst_error *e)
{
    fprintf(stderr, "testudo-agent: %s%s%s\n", e->reason ? e->reason : "", e->reason ? ": " : "", e->text);
    if (e->expected)
        fprintf(stderr, "  expected: %s\n", e->expected);
    if (e->found)
        fprintf(stderr, "  found:    %s\n", e->found);
    if (e->fix)
        fprintf(stderr, "  to do:    %s\n", e->fix);
    free(a->reason);
    free(a->detail);
    a->reason = e->reason ? strdup(e->reason) : NULL;
    a->detail = strdup(e->text);
}

static void forget_failure(struct agent *a)
{
    free(a->reason);
    free(a->detail);
    a->reason = a->detail = NULL;
}

/* ---- transitions ---- */

/* Out: daemons first, then the key, then what is left of it in memory. */
static void leave(struct agent *a)
{
    daemons_stop(&a->daemons);
    node_wipe_secrets();
    bundle_clear(&a->bundle);
}

/* A nonce that the broker does not take is no refusal of this node: it was restarted since the challenge. */
static bool broker_said_no(const struct tst_error *e)
{
    return e->code == TST_DENIED && !(e->reason && strncmp(e->reason, "nonce-", 6) == 0);
}

static void join_failed(struct agent *a, struct tst_error *e)
{
    bool refused = broker_said_no(e) || e->code == TST_REFUTED || e->code == TST_USAGE;
    unsigned least = refused ? REFUSED_RETRY_S : RETRY_MIN_S, most = refused ? REFUSED_RETRY_MAX_S : RETRY_MAX_S;
    say_failure(a, e);
    a->state = refused ? REFUSED : a->state == EXPIRED ? EXPIRED : JOINING;
    a->retry_s = a->retry_s < least ? least : a->retry_s * 2 > most ? most : a->retry_s * 2;
    a->next_s = now_s() + a->retry_s;
}

static int join(struct agent *a, struct tst_error **err)
{
    int64_t sent_s = now_s();
    int r = joiner_join(&a->joiner, &a->bundle, err);
    if (r || (r = node_put_secrets(&a->bundle, err)) || (r = daemons_start(&a->bundle, a->joiner.instance, &a->daemons, err)))
        return r;
    tst_secret_free(a->bundle.key); /* on tmpfs now; not needed in memory */
    a->bundle.key = NULL;
    a->state = ADMITTED;
    a->retry_s = 0;
    a->lease_end_s = sent_s + a->bundle.lease_s;
    a->next_s = sent_s + a->bundle.lease_s / 3;
    forget_failure(a);
    fprintf(stderr, "testudo-agent: %s admitted to realm %s, level %s%s, lease until %s\n", a->joiner.instance, a->bundle.realm,
            a->bundle.level, a->bundle.simulated ? " (SIMULATED)" : "", a->bundle.lease_until);
    return 0;
}

static void try_join(struct agent *a)
{
    TST_AUTO_ERROR err = NULL;
    if (join(a, &err)) {
        leave(a);
        join_failed(a, err);
    }
    write_status(a);
}

static void expire(struct agent *a)
{
    fprintf(stderr, "testudo-agent: lease ended: slurmd and munged stop, the realm key is wiped\n");
    leave(a);
    a->state = EXPIRED;
    a->next_s = now_s() + RETRY_MIN_S;
    a->retry_s = 0;
    write_status(a);
}

/* The broker's own "no" ends the lease at once; anything else, also somebody else at its address, leaves time until it
 * runs out. */
static void renew_failed(struct agent *a, struct tst_error *e)
{
    say_failure(a, e);
    if (broker_said_no(e)) {
        expire(a);
        return;
    }
    int64_t next = now_s() + RENEW_RETRY_S;
    a->next_s = next < a->lease_end_s ? next : a->lease_end_s;
    write_status(a);
}

static void renew(struct agent *a)
{
    TST_AUTO_ERROR err = NULL;
    unsigned lease_s = 0;
    int64_t sent_s = now_s();
    int64_t left_s = a->lease_end_s - sent_s;
    a->joiner.broker.timeout_s = left_s < 10 ? (unsigned)left_s : 10;
    int r = joiner_renew(&a->joiner, &lease_s, a->bundle.lease_until, &err);
    a->joiner.broker.timeout_s = 10;
    if (r) {
        renew_failed(a, err);
        return;
    }
    a->lease_end_s = sent_s + lease_s;
    a->next_s = sent_s + lease_s / 3;
    forget_failure(a);
    write_status(a);
}

static void revive(struct agent *a, int64_t now)
{
    TST_AUTO_ERROR err = NULL;
    if (now < a->restart_s)
        return;
    a->restart_s = now + RESTART_S;
    if (daemons_restart_dead(&a->daemons, &err))
        say_failure(a, err);
}

static void act(struct agent *a)
{
    int64_t now = now_s();
    if (a->state == ADMITTED && now >= a->lease_end_s)
        expire(a);
    else if (a->state == ADMITTED)
        revive(a, now);
    if (now < a->next_s)
        return;
    if (a->state == ADMITTED)
        renew(a);
    else
        try_join(a);
}

/* ---- loop ---- */

static void on_signal(struct agent *a)
{
    struct signalfd_siginfo info;
    pid_t pid;
    int status;
    while (read(a->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
            a->stop = true;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        daemons_reap(&a->daemons, pid, status);
}

static int wait_ms(const struct agent *a)
{
    int64_t until = a->state == ADMITTED && a->lease_end_s < a->next_s ? a->lease_end_s : a->next_s;
    int64_t left = until - now_s();
    return left <= 0 ? 0 : left > 5 ? 5000 : (int)left * 1000;
}

static int open_signals(struct agent *a, struct tst_error **err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) || (a->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return tst_fail(err, TST_INTERNAL, "signals: %m");
    return 0;
}

static int run(struct tst_error **err)
{
    struct agent a = { .signals = -1 };
    if (mkdir(RUN_DIR, 0711) && errno != EEXIST)
        return tst_fail(err, TST_INTERNAL, RUN_DIR ": %m");
    int r = boot_read(&a.joiner, err);
    if (r || (r = open_signals(&a, err)))
        return r;
    a.next_s = now_s();
    while (!a.stop) {
        struct pollfd p = { .fd = a.signals, .events = POLLIN };
        act(&a);
        if (poll(&p, 1, wait_ms(&a)) > 0)
            on_signal(&a);
    }
    leave(&a);
    forget_failure(&a);
    joiner_clear(&a.joiner);
    return 0;
}

/* ---- status ---- */

static void print_status(json_t *s)
{
    const char *keys[] = { "instance", "state", "realm", "level", "lease-until", "reason", "detail" };
    for (size_t i = 0; i < TST_COUNT(keys); i++) {
        const char *t = json_string_value(json_object_get(s, keys[i]));
        if (t)
            printf("%-12s %s\n", keys[i], t);
    }
    if (json_is_true(json_object_get(s, "simulated")))
        printf("%-12s SIMULATED: a software secure processor signed the evidence\n", "mark");
}

static int status(bool as_json, struct tst_error **err)
{
    TST_AUTO_JSON s = json_load_file(STATUS_PATH, JSON_REJECT_DUPLICATES, NULL);
    if (!s) {
        tst_fail(err, TST_UNREACHABLE, "the agent has not run on this node");
        return tst_hint(err, STATUS_PATH, NULL, "start `testudo-agent run`");
    }
    if (as_json)
        json_dumpf(s, stdout, JSON_INDENT(2)), putchar('\n');
    else
        print_status(s);
    return strcmp(json_string_value(json_object_get(s, "state")) ?: "", "admitted") == 0 ? 0 : tst_exit_status(TST_DENIED);
}

static const char usage[] = "usage: testudo-agent run\n"
                            "       testudo-agent status [--json]    0 admitted, 4 not admitted, 5 the agent has not run\n";

int main(int argc, char **argv)
{
    TST_AUTO_ERROR err = NULL;
    int r;
    process_harden();
    if (argc == 2 && strcmp(argv[1], "run") == 0) {
        r = run(&err);
    } else if (argc >= 2 && argc <= 3 && strcmp(argv[1], "status") == 0 && (argc == 2 || strcmp(argv[2], "--json") == 0)) {
        r = status(argc == 3, &err);
    } else {
        bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
        fputs(usage, help ? stdout : stderr);
        return help ? 0 : tst_exit_status(TST_USAGE);
    }
    if (r >= 0)
        return r;
    fprintf(stderr, "testudo-agent: %s\n", err ? err->text : "failed");
    if (err && err->fix)
        fprintf(stderr, "  to do: %s\n", err->fix);
    return tst_exit_status((enum tst_code)-r);
}
