/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/state.c - the state folder; state.h is the contract. */
#include "cluster/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cluster/os.h"

#define PATH_MAX_BYTES 256 /* leaves room for the names below it */

static int too_long_or_strange(const char *path, struct tst_error **err)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";

    if (strlen(path) > PATH_MAX_BYTES || path[strspn(path, allowed)])
        return tst_fail(err, TST_USAGE, "state folder %.80s: want at most %d letters, digits, '/', '.', '_', '-'", path,
                        PATH_MAX_BYTES);
    return 0;
}

/* Absolute, links resolved as far as the path exists. */
static int absolute(const char *path, char **out, struct tst_error **err)
{
    char *real = realpath(path, NULL);

    if (!real) {
        TST_AUTO_STR copy = strdup(path);
        char *slash = copy ? strrchr(copy, '/') : NULL;
        while (slash && slash > copy && !slash[1]) { /* "dir/" */
            *slash = '\0';
            slash = strrchr(copy, '/');
        }
        const char *name = slash ? slash + 1 : path;
        TST_AUTO_STR parent = slash ? strndup(copy, slash == copy ? 1 : (size_t)(slash - copy)) : strdup(".");
        TST_AUTO_STR real_parent = parent ? realpath(parent, NULL) : NULL;
        if (!real_parent && slash && *name) { /* nothing of it exists yet: only an absolute, plain path will do */
            if (path[0] != '/' || strstr(path, "/.."))
                return tst_fail(err, TST_NOT_FOUND, "state folder %.200s: its parent folder is not there", path);
            real = strdup(copy);
        } else if (real_parent && *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            real = tst_strdup_printf("%s/%s", strcmp(real_parent, "/") != 0 ? real_parent : "", name);
    }
    if (!real)
        return tst_fail(err, TST_USAGE, "state folder %.200s: no such path can be made", path);
    *out = real;
    return too_long_or_strange(real, err);
}

static int only_cluster(char **out, struct tst_error **err)
{
    DIR *d = opendir(STATE_ROOT);
    TST_AUTO_STR found = NULL;
    int count = 0;

    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        tst_free(found);
        found = tst_strdup_printf("%s/%s", STATE_ROOT, e->d_name);
        count++;
    }
    if (d)
        closedir(d);
    if (count == 1 && found) {
        *out = TST_STEAL(found);
        return 0;
    }
    tst_fail(err, TST_NOT_FOUND, "%d clusters in %s", count, STATE_ROOT);
    return tst_hint(err, NULL, NULL, count ? "name one, or give --state" : "`testudo up FILE` makes one");
}

int state_find(const char *option, const char *cluster, char **out, struct tst_error **err)
{
    const char *path = option ? option : getenv("TESTUDO_STATE");

    if (path && *path)
        return absolute(path, out, err);
    if (!cluster)
        return only_cluster(out, err);
    if (!tst_is_name(cluster))
        return tst_fail(err, TST_USAGE, "\"%.60s\" is no name for a cluster", cluster);
    *out = tst_strdup_printf("%s/%s", STATE_ROOT, cluster);
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

bool state_is_ours(const char *state)
{
    TST_AUTO_STR lock = tst_strdup_printf("%s/lock", state);
    struct stat st;

    return lock && !lstat(lock, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid();
}

static bool is_empty(const char *folder)
{
    DIR *d = opendir(folder);
    bool empty = true;

    if (!d)
        return errno == ENOENT;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            empty = false;
    closedir(d);
    return empty;
}

int state_make(const char *state, struct tst_error **err)
{
    int rc = too_long_or_strange(state, err);

    if (rc)
        return rc;
    if (!state_is_ours(state) && !is_empty(state))
        return tst_fail(err, TST_USAGE, "%s holds something else than the state of a cluster", state);
    return os_mkdirs(state, 0700, err);
}

int state_lock(const char *state, double wait_s, int *fd, struct tst_error **err)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/lock", state);
    AUTO_FD file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    double until = os_seconds() + wait_s;

    if (file < 0)
        return os_fail(err, "lock of %s", state);
    while (flock(file, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return os_fail(err, "lock of %s", state);
        if (os_seconds() > until)
            return tst_fail(err, TST_UNDECIDABLE, "another testudo command works on %s", state);
        os_sleep_ms(50);
    }
    *fd = file;
    file = -1;
    return 0;
}

int state_save_cluster(const char *state, const char *text, size_t n, struct tst_error **err)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/cluster.yaml", state);

    return path ? os_write_file(path, 0600, text, n, err) : tst_fail(err, TST_INTERNAL, "out of memory");
}

int state_load_plan(const char *state, struct plan **plan, char **text, struct tst_error **err)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/cluster.yaml", state), content = NULL;
    AUTO_CLUSTER_FILE file = NULL;
    size_t n;
    int rc;

    if (!path)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if ((rc = os_read_file(path, CLUSTER_FILE_MAX_BYTES, &content, &n, err))) {
        if (rc == -TST_NOT_FOUND)
            tst_fail(err, TST_NOT_FOUND, "no cluster in %s", state);
        return rc;
    }
    if ((rc = cluster_file_parse(path, content, n, &file, err)) || (rc = plan_of(file, plan, err)))
        return rc;
    if (text)
        *text = TST_STEAL(content);
    return 0;
}
