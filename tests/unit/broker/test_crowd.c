/* SPDX-License-Identifier: Apache-2.0 */
/* unit/broker/test_crowd.c - more connections than testudod has files for, by clients that want nothing: an honest node is
 * served at the latest when theirs are ended. Sleeps most of the time. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/base/unit.h"
#include "tests/unit/broker/daemon.h"

enum { CROWD = 600 };

struct scene {
    struct cloud cloud;
    struct daemon d;
};

static int scene_setup(void **state)
{
    struct scene *s = malloc(sizeof *s);
    cloud_open(&s->cloud);
    daemon_with_plan(&s->d, &s->cloud);
    *state = s;
    return 0;
}

static int scene_teardown(void **state)
{
    struct scene *s = *state;
    daemon_free(&s->d);
    cloud_close(&s->cloud);
    free(s);
    return 0;
}

static int connect_only(const struct daemon *d)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    a.sin_port = htons((uint16_t)strtoul(strchr(d->address, ':') + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)connect(fd, (struct sockaddr *)&a, sizeof a); /* in progress */
    return fd;
}

/* Connections that send nothing (drip_s 0), or one byte of a greeting every drip_s, until the process is killed. Says on
 * `ready` when all are there: accepted by the broker, or in its queue. */
static void crowd(const struct daemon *d, unsigned drip_s, int ready)
{
    static const uint8_t greeting[512] = { 0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3 };
    int fds[CROWD];
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < CROWD; i++)
        fds[i] = connect_only(d);
    for (int i = 0; i < CROWD; i++) {
        struct pollfd connected = { .fd = fds[i], .events = POLLOUT };
        poll(&connected, 1, 5000);
    }
    if (write(ready, "", 1) != 1)
        _exit(1);
    for (size_t byte = 0; byte < sizeof greeting; byte++) {
        sleep(drip_s ? drip_s : 1000);
        for (int i = 0; i < CROWD; i++)
            if (send(fds[i], greeting + byte, 1, MSG_DONTWAIT) < 0 && errno == EPIPE)
                close(fds[i]);
    }
    _exit(0);
}

static time_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static void expect_join_within(struct scene *s, unsigned drip_s, time_t limit_s)
{
    AUTO_GUEST g = { 0 };
    struct bundle b;
    int r = -1, ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0)
        crowd(&s->d, drip_s, ready[1]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    time_t start = now_s();
    guest_start(&g, &s->d, "s1", s->cloud.root, s->cloud.chip);
    while (r && now_s() - start < limit_s) {
        TST_AUTO_ERROR err = NULL;
        r = joiner_join(&g.joiner, &b, &err);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(r, 0);
    bundle_clear(&b);
}

static void silent_connections_do_not_keep_nodes_out(void **state)
{
    expect_join_within(*state, 0, 25);
}

static void dripping_connections_do_not_keep_nodes_out(void **state)
{
    expect_join_within(*state, 3, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define SCENE(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
        SCENE(silent_connections_do_not_keep_nodes_out),
        SCENE(dripping_connections_do_not_keep_nodes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
