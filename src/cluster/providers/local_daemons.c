/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_daemons.c - the cluster's broker and its simulated secure processor: make their keys, start
 * them detached, wait until they answer, stop them. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "broker/client.h"
#include "cluster/providers/local.h"

#define READY_TIMEOUT_S 30
#define STOP_GRACE_S 5

static const struct daemon {
    const char *folder, *program;
    bool leases; /* takes --lease-s */
} daemons[] = {{"psp", "testudo-psp", false}, {"broker", "testudod", true}};

/* Runs `PROGRAM init --state FOLDER ...` and takes one hex string of 64 characters out of its JSON. */
static int run_init(const char *const argv[], const char *key, char hex[65], struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    TST_AUTO_JSON answer = NULL;
    uint8_t bytes[32];
    int rc;

    if ((rc = os_run(argv, NULL, &text, err)) || (rc = tst_json_parse(text, strlen(text), 0, &answer, err)))
        return rc;
    const char *value = json_string_value(json_object_get(answer, key));
    if (!value || tst_unhex(value, bytes, sizeof bytes, err))
        return tst_fail(err, TST_INTERNAL, "%s init: no %s in its answer", argv[0], key);
    tst_hex(bytes, sizeof bytes, hex);
    return 0;
}

int psp_init(const struct local *l, struct daemon_ids *ids, struct tst_error **err)
{
    TST_AUTO_STR program = NULL, folder = local_path(l, "psp");
    int rc = os_program("testudo-psp", &program, err);

    if (rc || !folder)
        return rc ? rc : tst_fail(err, TST_INTERNAL, "out of memory");
    const char *const argv[] = {program, "init", "--state", folder, NULL};
    return run_init(argv, "ark-spki-sha256", ids->ark_hex, err);
}

int broker_init(const struct local *l, struct daemon_ids *ids, struct tst_error **err)
{
    TST_AUTO_STR program = NULL, folder = local_path(l, "broker");
    int rc = os_program("testudod", &program, err);

    if (rc || !folder)
        return rc ? rc : tst_fail(err, TST_INTERNAL, "out of memory");
    const char *const argv[] = {program, "init", "--state", folder, "--listen", l->plan->broker, NULL};
    return run_init(argv, "broker-id", ids->ca_hex, err);
}

/* ---- start ---- */

static char *daemon_file(const struct local *l, const struct daemon *d, const char *suffix)
{
    return local_path(l, "%s/%s.%s", d->folder, d->program, suffix);
}

static int start(const struct local *l, const struct daemon *d, struct tst_error **err)
{
    TST_AUTO_STR program = NULL, folder = local_path(l, "%s", d->folder);
    TST_AUTO_STR pid_file = daemon_file(l, d, "pid"), log = daemon_file(l, d, "log");
    int rc = os_program(d->program, &program, err);

    if (rc || !folder || !pid_file || !log)
        return rc ? rc : tst_fail(err, TST_INTERNAL, "out of memory");
    if (process_holder(pid_file) > 0)
        return 0;
    char lease_s[12];
    snprintf(lease_s, sizeof lease_s, "%u", l->plan->lease_s);
    const char *const argv[] = {program, "serve", "--state", folder, d->leases ? "--lease-s" : NULL, lease_s, NULL};
    return process_spawn(argv, pid_file, log, err);
}

static bool psp_answers(const struct local *l)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO_FD fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    TST_AUTO_STR path = local_path(l, "psp/psp.sock");

    if (fd < 0 || !path || strlen(path) >= sizeof address.sun_path)
        return false;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static bool broker_answers(const struct local *l)
{
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_ERROR ignored = NULL;

    return broker_call(l->broker_socket, "GET", "/healthz", NULL, &answer, &ignored) == 0;
}

/* Last line of a daemon's log: why it did not come up. */
static int fail_with_log(const struct local *l, const struct daemon *d, const char *what, struct tst_error **err)
{
    TST_AUTO_STR path = daemon_file(l, d, "log"), text = NULL;
    TST_AUTO_ERROR ignored = NULL;
    size_t n = 0;

    if (!path || os_read_file(path, 1024 * 1024, &text, &n, &ignored))
        return tst_fail(err, TST_UNREACHABLE, "%s: %s", d->program, what);
    while (n && text[n - 1] == '\n')
        text[--n] = '\0';
    const char *line = n ? strrchr(text, '\n') : NULL;
    tst_fail(err, TST_UNREACHABLE, "%s: %s: %s", d->program, what, line ? line + 1 : text);
    return tst_hint(err, NULL, NULL, path);
}

static int await(const struct local *l, const struct daemon *d, bool (*answers)(const struct local *l),
                 struct tst_error **err)
{
    double until = os_seconds() + READY_TIMEOUT_S;
    TST_AUTO_STR pid_file = daemon_file(l, d, "pid");

    while (!answers(l)) {
        if (!pid_file || process_holder(pid_file) <= 0)
            return fail_with_log(l, d, "ended at once", err);
        if (os_seconds() > until)
            return fail_with_log(l, d, "does not answer", err);
        os_sleep_ms(20);
    }
    return 0;
}

int daemons_up(const struct local *l, struct tst_error **err)
{
    int rc;

    if (local_needs_psp(l->plan) &&
        ((rc = start(l, &daemons[0], err)) || (rc = await(l, &daemons[0], psp_answers, err))))
        return rc;
    if ((rc = start(l, &daemons[1], err)))
        return rc;
    return await(l, &daemons[1], broker_answers, err);
}

bool daemon_alive(const struct local *l, const char *program)
{
    for (size_t i = 0; i < TST_COUNT(daemons); i++) {
        TST_AUTO_STR pid_file = strcmp(daemons[i].program, program) != 0 ? NULL : daemon_file(l, &daemons[i], "pid");
        if (pid_file)
            return process_holder(pid_file) > 0;
    }
    return false;
}

void daemons_down(const struct local *l)
{
    for (size_t i = 0; i < TST_COUNT(daemons); i++) {
        TST_AUTO_STR pid_file = daemon_file(l, &daemons[i], "pid");
        AUTO_FD pidfd = pid_file ? process_open(pid_file) : -1;
        if (pidfd < 0)
            continue;
        process_signal(pidfd, SIGTERM);
        if (process_wait(pidfd, STOP_GRACE_S))
            continue;
        process_signal(pidfd, SIGKILL);
        process_wait(pidfd, STOP_GRACE_S);
    }
}
