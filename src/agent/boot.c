/* SPDX-License-Identifier: Apache-2.0 */
/* agent/boot.c - launch data. /etc/testudo/launch is measured: lines role=, broker=, ca=. /run/testudo/instance and
 * /run/testudo/token are the host's word; a wrong one gets the node refused, nothing else. */
#include "agent/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define LAUNCH_PATH "/etc/testudo/launch"
#define INSTANCE_PATH "/run/testudo/instance"
#define TOKEN_PATH "/run/testudo/token"
enum { TEXT_MAX_BYTES = 512, TOKEN_BYTES = 32 };

static int read_text(const char *path, char text[TEXT_MAX_BYTES], struct tst_error **err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return tst_fail(err, errno == ENOENT ? TST_NOT_FOUND : TST_INTERNAL, "%s: %m", path);
    ssize_t n = read(fd, text, TEXT_MAX_BYTES - 1);
    close(fd);
    if (n <= 0 || n == TEXT_MAX_BYTES - 1 || memchr(text, '\0', (size_t)n))
        return tst_fail(err, TST_USAGE, "%s: empty, unreadable, too long or binary", path);
    text[n] = '\0';
    return 0;
}

/* Takes the line "key=value\n" off *text. */
static int take_line(char **text, const char *key, char **value, struct tst_error **err)
{
    size_t n = strlen(key);
    char *end = strchr(*text, '\n');
    if (!end || strncmp(*text, key, n) != 0 || (*text)[n] != '=')
        return tst_fail(err, TST_USAGE, LAUNCH_PATH ": want the lines role=, broker=, ca= in this order");
    *end = '\0';
    *value = *text + n + 1;
    *text = end + 1;
    return 0;
}

static int read_launch(char text[TEXT_MAX_BYTES], char **broker, char **ca, struct tst_error **err)
{
    char *role, *rest = text;
    int r = read_text(LAUNCH_PATH, text, err);
    if (r || (r = take_line(&rest, "role", &role, err)) || (r = take_line(&rest, "broker", broker, err)) ||
        (r = take_line(&rest, "ca", ca, err)))
        return r;
    return *rest ? tst_fail(err, TST_USAGE, LAUNCH_PATH ": more than role, broker and ca") : 0;
}

static int read_token(struct tst_secret **out, struct tst_error **err)
{
    char text[TEXT_MAX_BYTES];
    uint8_t token[TOKEN_BYTES];
    int r = read_text(TOKEN_PATH, text, err);
    if (r)
        return r;
    text[strcspn(text, "\n")] = '\0';
    r = tst_unb64url_fixed(text, token, sizeof token, err);
    if (!r)
        r = tst_secret_from(token, sizeof token, out, err);
    tst_wipe(token, sizeof token);
    tst_wipe(text, sizeof text);
    if (unlink(TOKEN_PATH) && !r)
        r = tst_fail(err, TST_INTERNAL, TOKEN_PATH ": cannot be removed: %m");
    return r;
}

static int choose_proof(struct joiner *j, struct tst_error **err)
{
    static char tsm[] = TSM_REPORT_DIR;
    if (access(TOKEN_PATH, F_OK) == 0)
        return read_token(&j->token, err);
    j->evidence = &evidence_tsm;
    j->evidence_ctx = tsm;
    return 0;
}

int boot_read(struct joiner *j, struct tst_error **err)
{
    char launch[TEXT_MAX_BYTES], instance[TEXT_MAX_BYTES], *broker, *ca;
    int r = read_launch(launch, &broker, &ca, err);
    if (r || (r = read_text(INSTANCE_PATH, instance, err)))
        return tst_wrap(err, "launch data");
    instance[strcspn(instance, "\n")] = '\0';
    if ((r = joiner_init(j, broker, ca, instance, err)) || (r = choose_proof(j, err)))
        return tst_wrap(err, "launch data");
    return 0;
}
