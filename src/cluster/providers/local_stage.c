/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_stage.c - the layer between a node's own writes and the machine's tree: the installed
 * programs, a fresh identity in /etc, and whiteouts for all that a node must not see. Default deny at the top: only the
 * folders with software show through; below /etc every entry that the machine keeps from its own users is hidden, and
 * more by name. Works on ./stage, on a tmpfs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "cluster/providers/local.h"

static const char *const visible[] = {"usr", "bin", "sbin", "lib*", "etc"};

/* Empty on every node, whatever the machine has there. */
static const struct fresh {
    const char *path;
    mode_t mode;
    bool opaque;
} fresh[] = {
    {"dev", 0755, true},         {"home", 0755, true},      {"mnt", 0755, true},       {"opt", 0755, true},
    {"proc", 0555, true},        {"root", 0700, true},      {"run", 0755, true},       {"shared", 0755, true},
    {"srv", 0755, true},         {"sys", 0555, true},       {"tmp", 01777, true},      {"var", 0755, true},
    {"var/cache", 0755, false},  {"var/lib", 0755, false},  {"var/log", 0755, false},  {"var/spool", 0755, false},
    {"var/tmp", 01777, false},   {"usr/libexec/testudo", 0755, true},
    {"etc/testudo", 0755, true},
};

static const struct {
    const char *path, *target;
} links[] = {
    {"var/run", "/run"},
    {"var/lock", "/run/lock"},
    {"etc/slurm", "/run/testudo/slurm"},
    {"etc/openmpi/openmpi-mca-params.conf", "/run/testudo/openmpi-mca-params.conf"},
};

/* Slurm's PMIx plugin opens libpmix.so, which Debian puts into a -dev package with half a compiler suite behind it. */
#define PMIX_FOLDER "usr/lib/x86_64-linux-gnu/pmix2/lib"
#define PMIX_LINK PMIX_FOLDER "/libpmix.so"
#define PMIX_TARGET "libpmix.so.2"

/* Hidden in /etc even where the machine lets everyone read it: credentials, keys, names of other hosts. */
static const char *const hidden_in_etc[] = {
    "munge",   "slurm*",         "ssh",       "ssl/private", "sudoers*", "*-",           "gshadow*",
    "testudo", "apt/auth*",      "machine-id", "wireguard",  "cron*",    "docker",       "kubernetes",
    "npmrc",   "pip.conf",       "gitconfig", "fstab",       "krb5*",    "ppp",          "letsencrypt",
    "network", "NetworkManager", "netplan",   "environment*", "security/opasswd",
};

static int whiteout(const char *path, struct tst_error **err)
{
    return mknod(path, S_IFCHR | 0600, 0) < 0 && errno != EEXIST ? os_fail(err, "whiteout %s", path) : 0;
}

/* A folder of the stage hides nothing but lends its owner and mode to the merged one: copy those of the machine's. */
static int mkdir_like_machine(const char *stage_path, struct tst_error **err)
{
    struct stat st;

    if (mkdir(stage_path, 0755) < 0)
        return errno == EEXIST ? 0 : os_fail(err, "mkdir %s", stage_path);
    if (stat(stage_path + strlen("stage"), &st) < 0)
        return 0; /* new */
    if (chown(stage_path, st.st_uid, st.st_gid) < 0 || chmod(stage_path, st.st_mode & 07777) < 0)
        return os_fail(err, "mkdir %s", stage_path);
    return 0;
}

static int make_parents(const char *stage_path, struct tst_error **err)
{
    TST_AUTO_STR copy = strdup(stage_path);
    int rc = 0;

    if (!copy)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    for (char *slash = strchr(copy + strlen("stage/"), '/'); slash && !rc; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        rc = mkdir_like_machine(copy, err);
        *slash = '/';
    }
    return rc;
}

static bool matches(const char *const *patterns, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!fnmatch(patterns[i], name, 0))
            return true;
    return false;
}

static bool is_fresh(const char *name)
{
    for (size_t i = 0; i < TST_COUNT(fresh); i++)
        if (!strcmp(fresh[i].path, name))
            return true;
    return false;
}

static int hide_top_level(struct tst_error **err)
{
    DIR *d = opendir("/");
    int rc = d ? 0 : os_fail(err, "/");

    for (struct dirent *e; d && !rc && (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || is_fresh(e->d_name) ||
            matches(visible, TST_COUNT(visible), e->d_name))
            continue;
        TST_AUTO_STR path = tst_strdup_printf("stage/%s", e->d_name);
        rc = path ? whiteout(path, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    }
    if (d)
        closedir(d);
    return rc;
}

static int make_fresh(struct tst_error **err)
{
    for (size_t i = 0; i < TST_COUNT(fresh); i++) {
        TST_AUTO_STR path = tst_strdup_printf("stage/%s", fresh[i].path);
        int rc = path ? make_parents(path, err) : tst_fail(err, TST_INTERNAL, "out of memory");
        if (rc)
            return rc;
        if (mkdir(path, 0755) < 0 || chmod(path, fresh[i].mode) < 0 ||
            (fresh[i].opaque && setxattr(path, "trusted.overlay.opaque", "y", 1, 0) < 0))
            return os_fail(err, "%s", path);
    }
    return 0;
}

/* ---- /etc ---- */

/* What the machine does not show to everybody is no business of a node either. */
static bool is_private(const struct stat *st)
{
    if (S_ISLNK(st->st_mode))
        return false;
    return S_ISDIR(st->st_mode) ? (st->st_mode & 05) != 05 : !(st->st_mode & 04);
}

/* below: "" or "sub/". */
static int hide_in_etc(const char *below, struct tst_error **err)
{
    TST_AUTO_STR folder = tst_strdup_printf("/etc/%s", below);
    DIR *d = folder ? opendir(folder) : NULL;
    int rc = d ? 0 : os_fail(err, "/etc/%s", below);

    for (struct dirent *e; d && !rc && (e = readdir(d));) {
        struct stat st;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        TST_AUTO_STR name = tst_strdup_printf("%s%s", below, e->d_name);
        TST_AUTO_STR stage = tst_strdup_printf("stage/etc/%s%s", below, e->d_name);
        TST_AUTO_STR deeper = tst_strdup_printf("%s%s/", below, e->d_name);
        if (!name || !stage || !deeper)
            rc = tst_fail(err, TST_INTERNAL, "out of memory");
        else if (!access(stage, F_OK) && !S_ISDIR(st.st_mode))
            continue; /* the node has its own */
        else if (is_private(&st) || matches(hidden_in_etc, TST_COUNT(hidden_in_etc), name))
            rc = make_parents(stage, err) ? -TST_INTERNAL : whiteout(stage, err);
        else if (S_ISDIR(st.st_mode))
            rc = hide_in_etc(deeper, err);
    }
    if (d)
        closedir(d);
    return rc;
}

static int put(const char *path, mode_t mode, const char *text, struct tst_error **err)
{
    TST_AUTO_STR stage = tst_strdup_printf("stage/%s", path);
    int rc = stage ? make_parents(stage, err) : tst_fail(err, TST_INTERNAL, "out of memory");

    return rc ? rc : os_write_file(stage, mode, text, strlen(text), err);
}

static int put_users(struct tst_error **err)
{
    static const char *const names[] = {"root", "daemon", "bin", "sys", "man", "mail", "nobody", "munge", "slurm"};
    TST_AUTO_BUF passwd = {0}, shadow = {0};
    int rc = 0;

    for (size_t i = 0; i < TST_COUNT(names) && !rc; i++) {
        struct passwd *p = getpwnam(names[i]);
        if (!p)
            continue;
        rc = tst_buf_printf(&passwd, err, "%s:x:%u:%u::%s:%s\n", p->pw_name, p->pw_uid, p->pw_gid,
                            p->pw_uid ? "/nonexistent" : "/root", p->pw_uid ? "/usr/sbin/nologin" : "/bin/bash");
        if (!rc)
            rc = tst_buf_printf(&shadow, err, "%s:*:19000:0:99999:7:::\n", p->pw_name);
    }
    if (!rc)
        rc = tst_buf_printf(&passwd, err, LOCAL_JOB_USER ":x:%d:%d::" LOCAL_JOB_HOME ":/bin/bash\n", LOCAL_JOB_UID,
                            LOCAL_JOB_UID);
    if (!rc)
        rc = tst_buf_printf(&shadow, err, LOCAL_JOB_USER ":*:19000:0:99999:7:::\n");
    if (!rc)
        rc = put("etc/passwd", 0644, (const char *)passwd.p, err);
    return rc ? rc : put("etc/shadow", 0600, (const char *)shadow.p, err);
}

static int put_groups(struct tst_error **err)
{
    static const char *const names[] = {"root", "daemon", "bin", "sys",     "adm",   "tty",   "disk", "mail",
                                        "man",  "utmp",   "users", "nogroup", "munge", "slurm"};
    TST_AUTO_BUF text = {0};
    int rc = 0;

    for (size_t i = 0; i < TST_COUNT(names) && !rc; i++) {
        struct group *g = getgrnam(names[i]);
        if (g)
            rc = tst_buf_printf(&text, err, "%s:x:%u:\n", g->gr_name, g->gr_gid);
    }
    if (!rc)
        rc = tst_buf_printf(&text, err, LOCAL_JOB_USER ":x:%d:\n", LOCAL_JOB_UID);
    return rc ? rc : put("etc/group", 0644, (const char *)text.p, err);
}

static int put_identity(const struct node_spec *spec, struct tst_error **err)
{
    TST_AUTO_BUF hosts = {0};
    TST_AUTO_STR hostname = tst_strdup_printf("%s\n", spec->member->instance);
    TST_AUTO_STR launch = tst_strdup_printf("role=%s\nbroker=%s\nca=%s\n", plan_role(spec->member),
                                            spec->l->plan->broker, spec->ca_hex);
    int rc;

    if (!hostname || !launch)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if ((rc = plan_hosts(spec->l->plan, spec->realm, &hosts, err)) || (rc = put("etc/hostname", 0644, hostname, err)) ||
        (rc = put("etc/hosts", 0644, (const char *)hosts.p, err)) || (rc = put("etc/resolv.conf", 0644, "", err)) ||
        (rc = put("etc/testudo/launch", 0644, launch, err)))
        return rc;
    return put("etc/nsswitch.conf", 0644,
               "passwd: files\ngroup: files\nshadow: files\nhosts: files\nnetworks: files\nprotocols: files\n"
               "services: files\n",
               err);
}

static int put_link(const char *path, const char *target, struct tst_error **err)
{
    TST_AUTO_STR stage = tst_strdup_printf("stage/%s", path);
    int rc = stage ? make_parents(stage, err) : tst_fail(err, TST_INTERNAL, "out of memory");

    if (rc)
        return rc;
    return symlink(target, stage) < 0 ? os_fail(err, "%s", stage) : 0;
}

static int put_links(struct tst_error **err)
{
    int rc = 0;

    for (size_t i = 0; i < TST_COUNT(links) && !rc; i++)
        rc = put_link(links[i].path, links[i].target, err);
    if (!rc && !access("/" PMIX_FOLDER "/" PMIX_TARGET, F_OK) && access("/" PMIX_LINK, F_OK))
        rc = put_link(PMIX_LINK, PMIX_TARGET, err);
    return rc;
}

/* ---- the state folder and a checkout, should they lie below a visible folder ---- */

static int hide_path(const char *path, struct tst_error **err)
{
    TST_AUTO_STR top = strdup(path + 1), stage = tst_strdup_printf("stage%s", path);

    if (!top || !stage)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    top[strcspn(top, "/")] = '\0';
    if (!matches(visible, TST_COUNT(visible), top))
        return 0;
    int rc = make_parents(stage, err);
    return rc ? rc : whiteout(stage, err);
}

static int hide_ours(const struct node_spec *spec, struct tst_error **err)
{
    TST_AUTO_STR checkout = os_checkout();
    int rc = hide_path(spec->l->state, err);

    return rc || !checkout ? rc : hide_path(checkout, err);
}

int stage_build(const struct node_spec *spec, struct tst_error **err)
{
    int rc;

    if ((rc = hide_top_level(err)) || (rc = make_fresh(err)) || (rc = put_identity(spec, err)) ||
        (rc = put_users(err)) || (rc = put_groups(err)) || (rc = put_links(err)) || (rc = hide_in_etc("", err)) ||
        (rc = hide_ours(spec, err)))
        return tst_wrap(err, "stage");
    if ((rc = os_copy_file(spec->agent, "stage/usr/libexec/testudo/testudo-agent", 0755, err)) ||
        (rc = os_copy_file(spec->init, "stage/usr/libexec/testudo/testudo-init", 0755, err)))
        return tst_wrap(err, "stage");
    return 0;
}
