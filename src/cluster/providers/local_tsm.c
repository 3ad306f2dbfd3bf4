/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_tsm.c - a sealed node's configfs-tsm: mount it, and hand its other end with the node's root
 * to the secure processor, which measures the root before the node runs. Protocol: docs/internals.md "psp socket". */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "cluster/providers/local.h"

#define TSM_FOLDER "root/sys/kernel/config/tsm/report"
#define ANSWER_MAX_BYTES 4096
#define ANSWER_TIMEOUT_S 20

static int mount_tsm(int *fuse, struct tst_error **err)
{
    char options[128];
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return os_fail(err, "/dev/fuse");
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions", fd);
    *fuse = fd;
    if (mount("testudo-tsm", TSM_FOLDER, "fuse.testudo-tsm", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
        return os_fail(err, "mount configfs-tsm");
    return 0;
}

/* The folder is opened first: a socket's address is shorter than a path may be. */
static int psp_connect(const struct local *l, int *out, struct tst_error **err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
    TST_AUTO_STR folder = local_path(l, "psp");
    AUTO_FD dir = folder ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    AUTO_FD fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (dir < 0 || fd < 0)
        return os_fail(err, "secure processor");
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/psp.sock", dir);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return os_fail(err, "secure processor: %s/psp.sock", folder);
    *out = fd;
    fd = -1;
    return 0;
}

static int psp_send(int psp, const char *request, const int fds[2], struct tst_error **err)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct iovec text = {(void *)(uintptr_t)request, strlen(request)};
    struct msghdr message = {
        .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(c), fds, 2 * sizeof(int));
    return sendmsg(psp, &message, MSG_NOSIGNAL) < 0 ? os_fail(err, "secure processor") : 0;
}

static int psp_answer(int psp, struct tst_error **err)
{
    char text[ANSWER_MAX_BYTES];
    TST_AUTO_JSON answer = NULL;
    ssize_t n = recv(psp, text, sizeof text, 0);
    int rc;

    if (n <= 0)
        return n ? os_fail(err, "secure processor") : tst_fail(err, TST_UNREACHABLE, "secure processor hung up");
    if ((rc = tst_json_parse(text, (size_t)n, sizeof text, &answer, err)))
        return rc;
    if (json_is_true(json_object_get(answer, "ok")))
        return 0;
    const char *error = json_string_value(json_object_get(answer, "error"));
    return tst_fail(err, TST_REFUTED, "secure processor: %s", error ? error : "no answer that makes sense");
}

int tsm_attach(const struct local *l, const char *instance, struct tst_error **err)
{
    AUTO_FD psp = -1, fuse = -1, root = -1;
    TST_AUTO_STR request = tst_strdup_printf("{\"verb\":\"launch\",\"chip\":\"%s\"}", instance);
    int rc = psp_connect(l, &psp, err);

    if (rc || (rc = mount_tsm(&fuse, err)))
        return rc;
    root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 || !request)
        return os_fail(err, "root of the node");
    const int fds[2] = {root, fuse};
    if ((rc = psp_send(psp, request, fds, err)))
        return rc;
    return psp_answer(psp, err);
}
