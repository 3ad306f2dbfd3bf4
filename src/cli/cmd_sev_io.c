/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_sev_io.c - bytes of the `testudo sev` commands: from files or text, and into files that hold secrets. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd_measure.h"
#include "cmd_sev.h"

#define TEXT_MAX_BYTES 8192

/* White space at the end goes; base64 becomes its URL form without padding. */
static void text_normalise(char *text)
{
    size_t n = strlen(text);
    while (n && strchr(" \t\r\n", text[n - 1]))
        n--;
    while (n && text[n - 1] == '=')
        n--;
    text[n] = '\0';
    for (char *c = text; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
}

int sev_read_bytes(const char *option, const char *value, void *out, size_t n, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    TST_AUTO_ERROR why = NULL;
    size_t size = 0;
    int rc = cli_read_file(value, TEXT_MAX_BYTES, &text, &size, &why);
    if (rc == -TST_NOT_FOUND)
        text = strdup(value);
    else if (rc < 0)
        return tst_fail(err, why->code, "%s %s", option, why->text);
    if (!text)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0 && size == n) {
        memcpy(out, text, n);
        return 0;
    }
    text_normalise(text);
    if (tst_unhex(text, out, n, NULL) == 0 || tst_unb64url_fixed(text, out, n, NULL) == 0)
        return 0;
    rc = tst_fail(err, TST_USAGE, "%s %.80s: not %zu bytes", option, value, n);
    char expected[96];
    snprintf(expected, sizeof expected, "a file of %zu bytes, or their hex or base64, in a file or as it is", n);
    tst_hint(err, expected, NULL, NULL);
    return rc;
}

static int secret_fill(int fd, const char *path, size_t max, struct tst_secret *room, size_t *n, struct tst_error **err)
{
    *n = 0;
    for (;;) {
        ssize_t got = read(fd, tst_secret_bytes(room) + *n, max + 1 - *n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tst_fail(err, TST_USAGE, "%s: %m", path);
        *n += (size_t)got;
        if (got == 0 || *n > max)
            return 0;
    }
}

int sev_read_secret(const char *path, size_t min, size_t max, struct tst_secret **out, struct tst_error **err)
{
    TST_AUTO_SECRET room = NULL;
    size_t n = 0;
    int rc = tst_secret_new(max + 1, &room, err);
    if (rc < 0)
        return rc;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tst_fail(err, errno == ENOENT ? TST_NOT_FOUND : TST_USAGE, "%s: %m", path);
    rc = secret_fill(fd, path, max, room, &n, err);
    close(fd);
    if (rc < 0)
        return rc;
    if (n > max)
        return tst_fail(err, TST_TOO_LARGE, "%s: more than %zu bytes", path, max);
    if (n < min)
        return tst_fail(err, TST_USAGE, "%s: %zu bytes, expected %zu", path, n, min);
    return tst_secret_from(tst_secret_view(room), n, out, err);
}

int sev_write_new(const char *path, const void *p, size_t n, unsigned mode, struct tst_error **err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        int rc = tst_fail(err, TST_USAGE, "%s: %m", path);
        tst_hint(err, NULL, NULL, errno == EEXIST ? "nothing is overwritten: remove it or choose another name" : NULL);
        return rc;
    }
    size_t done = 0;
    ssize_t put = 0;
    while (done < n && (put >= 0 || errno == EINTR)) {
        put = write(fd, (const uint8_t *)p + done, n - done);
        done += put > 0 ? (size_t)put : 0;
    }
    bool ok = done == n && fsync(fd) == 0;
    if (close(fd) == 0 && ok)
        return 0;
    int rc = tst_fail(err, TST_USAGE, "%s: %m", path);
    unlink(path);
    return rc;
}

char *sev_base64(const void *p, size_t n)
{
    TST_AUTO_STR url = tst_b64url(p, n);
    char *text = url ? tst_strdup_printf("%s%.*s", url, (int)((4 - strlen(url) % 4) % 4), "==") : NULL;
    for (char *c = text; c && *c; c++)
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    return text;
}

int sev_policy_read(const char *text, uint32_t *out, struct tst_error **err)
{
    uint64_t value = 0;
    int rc = measure_number("--policy", text, UINT32_MAX, &value, err);
    *out = (uint32_t)value;
    return rc;
}

int sev_need(const struct cli_command *self, const struct cli_args *args, const char *option, const char **out, struct tst_error **err)
{
    *out = cli_value(self, args, option);
    return *out ? 0 : tst_fail(err, TST_USAGE, "%s: %s is missing", self->name, option);
}

void sev_print_hex(const char *name, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    printf("  %-14s", name);
    for (size_t i = 0; i < n; i++)
        printf("%02x", bytes[i]);
    putchar('\n');
}
