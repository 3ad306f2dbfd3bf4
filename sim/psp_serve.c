/* SPDX-License-Identifier: Apache-2.0 */
/* sim/psp_serve.c - DIR/psp.sock: SOCK_SEQPACKET, mode 0600, user root only; a JSON request and two descriptors in, a
 * JSON answer out (docs/internals.md "psp socket"). One thread polls; nodes have threads of their own. */
#include "file.h"
#include "psp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

enum { CLIENTS_MAX = 32, NODES_MAX = 256, REQUEST_MAX_BYTES = 4096, REQUEST_FDS = 2 };
enum { FUSE_MAJOR = 10, FUSE_MINOR = 229 }; /* Linux's list of devices: /dev/fuse */

struct server {
    struct psp psp;
    struct psp_node *nodes[NODES_MAX];
    int clients[CLIENTS_MAX];
    int listener, signals;
};

struct request {
    char text[REQUEST_MAX_BYTES];
    size_t n;
    int fds[REQUEST_FDS]; /* -1: none */
};

static void request_close(struct request *r)
{
    for (size_t i = 0; i < REQUEST_FDS; i++)
        file_closep(&r->fds[i]);
}

/* ---- verbs ---- */
static int launch_fds_check(const struct request *r, struct tst_error **err)
{
    struct stat st;
    if (r->fds[0] < 0 || r->fds[1] < 0)
        return tst_fail(err, TST_USAGE, "launch: two descriptors must come with it: root directory, /dev/fuse");
    if (fstat(r->fds[0], &st) != 0 || !S_ISDIR(st.st_mode))
        return tst_fail(err, TST_USAGE, "launch: the first descriptor is not a directory");
    if (fstat(r->fds[1], &st) != 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(FUSE_MAJOR, FUSE_MINOR))
        return tst_fail(err, TST_USAGE, "launch: the second descriptor is not /dev/fuse");
    return 0;
}

static int verb_launch(struct server *s, struct request *r, json_t *body, struct tst_error **err)
{
    const char *verb, *chip;
    int rc = tst_json_unpack(body, err, "{s:s, s:s}", "verb", &verb, "chip", &chip);
    if (!rc && !tst_is_name(chip))
        rc = tst_fail(err, TST_USAGE, "launch: chip is not a name (1 to 63 of a-z, 0-9, -)");
    if (!rc)
        rc = launch_fds_check(r, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < NODES_MAX; i++)
        if (!s->nodes[i]) {
            int fuse_fd = r->fds[1];
            r->fds[1] = -1; /* launch takes it */
            return psp_node_launch(&s->psp, chip, r->fds[0], fuse_fd, &s->nodes[i], err);
        }
    return tst_fail(err, TST_TOO_LARGE, "launch: %d nodes run already", NODES_MAX);
}

static const struct verb {
    const char *name;
    int (*run)(struct server *s, struct request *r, json_t *body, struct tst_error **err);
} verbs[] = {
    {"launch", verb_launch},
};

static int request_run(struct server *s, struct request *r, struct tst_error **err)
{
    TST_AUTO_JSON body = NULL;
    int rc = tst_json_parse(r->text, r->n, sizeof r->text, &body, err);
    if (rc)
        return rc;
    const char *name = json_string_value(json_object_get(body, "verb"));
    for (size_t i = 0; name && i < TST_COUNT(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].run(s, r, body, err);
    return tst_fail(err, TST_USAGE, "unknown verb (known: launch)");
}

/* ---- one request, one answer ---- */
/* Takes the descriptors of a message; those beyond REQUEST_FDS are closed and make it false. */
static bool fds_take(struct msghdr *m, struct request *r)
{
    size_t count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int), count++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
            if (count < REQUEST_FDS)
                r->fds[count] = fd;
            else
                close(fd);
        }
    }
    return count <= REQUEST_FDS;
}

/* False when the client is gone or broken. */
static bool request_receive(int fd, struct request *r)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } control;
    struct iovec iov = {r->text, sizeof r->text};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *r = (struct request){.fds = {-1, -1}};
    ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0)
        return false;
    bool right = fds_take(&m, r);
    r->n = (size_t)n;
    return n > 0 && right && !(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
}

static bool answer_send(int fd, int rc, const struct tst_error *err)
{
    TST_AUTO_JSON answer = rc ? json_pack("{s:s}", "error", err ? err->text : "out of memory")
                              : json_pack("{s:b}", "ok", 1);
    TST_AUTO_STR text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
    return text && send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)strlen(text);
}

static bool client_serve(struct server *s, int fd)
{
    struct request r;
    TST_AUTO_ERROR err = NULL;
    bool alive = request_receive(fd, &r);
    if (alive) {
        int rc = request_run(s, &r, &err);
        if (rc)
            psp_log("refused: %s", err ? err->text : "out of memory");
        alive = answer_send(fd, rc, err);
    }
    request_close(&r);
    return alive;
}

static void client_accept(struct server *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t n = sizeof peer;
    if (fd < 0)
        return;
    bool root = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && peer.uid == 0;
    for (size_t i = 0; root && i < CLIENTS_MAX; i++)
        if (s->clients[i] < 0) {
            s->clients[i] = fd;
            return;
        }
    psp_log("refused: a client of uid %u", peer.uid);
    close(fd);
}

/* ---- the loop ---- */
static void nodes_reap(struct server *s, bool all)
{
    for (size_t i = 0; i < NODES_MAX; i++)
        if (s->nodes[i] && (all || psp_node_ended(s->nodes[i]))) {
            psp_node_join(s->nodes[i]);
            s->nodes[i] = NULL;
        }
}

static int loop_run(struct server *s, struct tst_error **err)
{
    enum { SIGNALS, ENDED, LISTENER, CLIENTS };
    for (;;) {
        struct pollfd wait[CLIENTS + CLIENTS_MAX] = {
            [SIGNALS] = {s->signals, POLLIN, 0}, [ENDED] = {s->psp.ended_fd, POLLIN, 0},
            [LISTENER] = {s->listener, POLLIN, 0}};
        for (size_t i = 0; i < CLIENTS_MAX; i++) /* poll passes over -1 */
            wait[CLIENTS + i] = (struct pollfd){s->clients[i], POLLIN, 0};
        if (poll(wait, TST_COUNT(wait), -1) < 0 && errno != EINTR)
            return tst_fail(err, TST_INTERNAL, "poll: %s", strerror(errno));
        if (wait[SIGNALS].revents)
            return 0;
        eventfd_t ended;
        if (wait[ENDED].revents && eventfd_read(s->psp.ended_fd, &ended) == 0)
            nodes_reap(s, false);
        for (size_t i = 0; i < CLIENTS_MAX; i++)
            if (wait[CLIENTS + i].revents && !client_serve(s, s->clients[i])) {
                close(s->clients[i]);
                s->clients[i] = -1;
            }
        if (wait[LISTENER].revents)
            client_accept(s);
    }
}

/* ---- start and end ---- */
/* The lock goes with the process, so a socket left by a killed one can be replaced. */
static int lock_take(int dir, int *out, struct tst_error **err)
{
    *out = openat(dir, "serve.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*out < 0)
        return tst_fail(err, TST_INTERNAL, "serve.lock: %s", strerror(errno));
    if (flock(*out, LOCK_EX | LOCK_NB) != 0)
        return tst_fail(err, TST_REFUTED, "another testudo-psp serves this directory");
    return 0;
}

static int listener_open(int dir, int *out, struct tst_error **err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    /* through the descriptor, because sun_path is short and the state directory's path may be long */
    snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/psp.sock", dir);
    if (unlinkat(dir, "psp.sock", 0) != 0 && errno != ENOENT)
        return tst_fail(err, TST_INTERNAL, "psp.sock: %s", strerror(errno));
    *out = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0177);
    int rc = *out < 0 || bind(*out, (const struct sockaddr *)&at, sizeof at) != 0 || listen(*out, CLIENTS_MAX) != 0;
    umask(before);
    return rc ? tst_fail(err, TST_INTERNAL, "psp.sock: %s", strerror(errno)) : 0;
}

static int events_open(struct server *s, struct tst_error **err)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL); /* before any thread */
    s->signals = signalfd(-1, &ends, SFD_CLOEXEC);
    s->psp.stop_fd = eventfd(0, EFD_CLOEXEC);
    s->psp.ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->signals < 0 || s->psp.stop_fd < 0 || s->psp.ended_fd < 0)
        return tst_fail(err, TST_INTERNAL, "event descriptors: %s", strerror(errno));
    return 0;
}

static void server_free(struct server *s)
{
    if (s->psp.stop_fd >= 0)
        eventfd_write(s->psp.stop_fd, 1);
    nodes_reap(s, true);
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        file_closep(&s->clients[i]);
    int fds[] = {s->listener, s->signals, s->psp.stop_fd, s->psp.ended_fd};
    for (size_t i = 0; i < TST_COUNT(fds); i++)
        file_closep(&fds[i]);
    amd_root_free(s->psp.root);
    free(s);
}
TST_CLEANUP_FN(struct server *, server_free)

static struct server *server_new(const char *dir, uint32_t report_version)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->psp = (struct psp){.dir = dir, .report_version = report_version, .stop_fd = -1, .ended_fd = -1};
    s->listener = s->signals = -1;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        s->clients[i] = -1;
    return s;
}

int psp_serve(const char *dir, uint32_t report_version, struct tst_error **err)
{
    AUTO_FD state = -1, lock = -1;
    TST_CLEANUP(server_free) struct server *s = server_new(dir, report_version);
    if (!s)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = amd_root_load(dir, &s->psp.root, err);
    if (rc)
        return rc;
    rc = dir_open_private(AT_FDCWD, dir, false, &state, err);
    if (!rc)
        rc = lock_take(state, &lock, err);
    if (!rc)
        rc = events_open(s, err);
    if (!rc)
        rc = listener_open(state, &s->listener, err);
    if (rc)
        return tst_wrap(err, "%s", dir);
    psp_log("serves %s/psp.sock, %s, reports of version %u", dir, tst_snp_product_name(s->psp.root->product->id),
            report_version);
    rc = loop_run(s, err);
    unlinkat(state, "psp.sock", 0);
    psp_log("ends");
    return rc;
}
