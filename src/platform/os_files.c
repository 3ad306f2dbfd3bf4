/* SPDX-License-Identifier: Apache-2.0 */
/* platform/os_files.c - os_files.h is the contract. */
#include "platform/os_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define NAMES_MAX_BYTES (256 * 1024)

static int read_all(int fd, size_t max, struct tst_buf *b)
{
    char chunk[8192];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        if (b->n + (size_t)got > max)
            return -EFBIG;
        if (tst_buf_put(b, chunk, (size_t)got, NULL) < 0)
            return -ENOMEM;
    }
}

int read_whole(int fd, size_t max, char **text, size_t *n)
{
    TST_AUTO_BUF b = {.max = max + 1};
    int rc = read_all(fd, max, &b);
    close(fd);
    if (rc < 0)
        return rc;
    *text = malloc(b.n + 1);
    if (!*text)
        return -ENOMEM;
    if (b.n)
        memcpy(*text, b.p, b.n);
    (*text)[b.n] = '\0';
    *n = b.n;
    return 0;
}

static int by_version(const struct dirent **a, const struct dirent **b)
{
    return versionsort(a, b);
}

static int not_dots(const struct dirent *d)
{
    return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

int list_names(int fd, char **names)
{
    TST_AUTO_BUF b = {.max = NAMES_MAX_BYTES};
    struct dirent **entries = NULL;
    int n = scandirat(fd, ".", &entries, not_dots, by_version), rc = n < 0 ? -errno : 0;
    for (int i = 0; i < n; i++) {
        if (rc == 0 && tst_buf_printf(&b, NULL, "%s\n", entries[i]->d_name) < 0)
            rc = -EFBIG;
        free(entries[i]);
    }
    free(entries);
    close(fd);
    if (rc < 0)
        return rc;
    *names = strdup(b.p ? (const char *)b.p : "");
    return *names ? 0 : -ENOMEM;
}
