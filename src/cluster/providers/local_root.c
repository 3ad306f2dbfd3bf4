/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_root.c - the root file system of a node: overlay of a tmpfs, the stage and the machine's /,
 * its own /proc, /sys, /dev, /run, /tmp, and the realm's shared folder. Runs in the node's namespaces before anything
 * of the node does; nothing here outlives the node, for it is all in its mount namespace. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "cluster/providers/local.h"

static int mount_at(const char *what, const char *where, const char *type, unsigned long flags, const char *options,
                    struct tst_error **err)
{
    if (mkdir(where, 0755) < 0 && errno != EEXIST)
        return os_fail(err, "mkdir %s", where);
    return mount(what, where, type, flags, options) < 0 ? os_fail(err, "mount %s", where) : 0;
}

static int bind_at(const char *what, const char *where, unsigned long flags, struct tst_error **err)
{
    if (mount(what, where, NULL, MS_BIND, NULL) < 0 || mount(NULL, where, NULL, MS_REMOUNT | MS_BIND | flags, NULL) < 0)
        return os_fail(err, "bind %s", where);
    return 0;
}

/* ---- the tree ---- */

static int make_area(const struct node_spec *spec, struct tst_error **err)
{
    TST_AUTO_STR area = local_path(spec->l, "nodes/%s/area", spec->member->instance);
    TST_AUTO_STR options = tst_strdup_printf("mode=700,size=%um", spec->member->memory_mib);
    static const char *const folders[] = {"stage", "upper", "work", "root"};
    int rc;

    if (!area || !options)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if ((rc = os_mkdirs(area, 0700, err)))
        return rc;
    if (mount("testudo-node", area, "tmpfs", MS_NOSUID, options) < 0 || chdir(area) < 0)
        return os_fail(err, "%s", area);
    for (size_t i = 0; i < TST_COUNT(folders); i++)
        if (mkdir(folders[i], 0755) < 0)
            return os_fail(err, "%s/%s", area, folders[i]);
    return 0;
}

static int mount_overlay(struct tst_error **err)
{
    return mount("testudo-node", "root", "overlay", MS_NODEV, "lowerdir=stage:/,upperdir=upper,workdir=work") < 0
               ? os_fail(err, "overlay over /")
               : 0;
}

static const char *const read_only_proc[] = {"root/proc/sys", "root/proc/sysrq-trigger", "root/proc/irq",
                                             "root/proc/bus", "root/proc/fs"};

static int mount_proc(struct tst_error **err)
{
    int rc = mount_at("proc", "root/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, err);

    for (size_t i = 0; i < TST_COUNT(read_only_proc) && !rc; i++)
        if (!access(read_only_proc[i], F_OK))
            rc = bind_at(read_only_proc[i], read_only_proc[i], MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, err);
    return rc;
}

/* sysfs takes no new folder, so /sys/kernel is covered by a tmpfs: of the machine's own only `mm` (huge pages, which
 * hwloc reads) shows through, and configfs-tsm gets its real path. */
static int mount_sys(bool sealed, struct tst_error **err)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    char mm_path[40];
    int rc = mount_at("sysfs", "root/sys", "sysfs", flags, NULL, err);
    AUTO_FD mm = rc ? -1 : open("root/sys/kernel/mm", O_PATH | O_CLOEXEC);

    if (rc || (rc = mount_at("testudo-node", "root/sys/kernel", "tmpfs", flags, "mode=755,size=64k", err)))
        return rc;
    snprintf(mm_path, sizeof mm_path, "/proc/self/fd/%d", mm);
    if (mm >= 0 && mkdir("root/sys/kernel/mm", 0755) < 0)
        return os_fail(err, "/sys/kernel/mm");
    if (mm >= 0 && (rc = bind_at(mm_path, "root/sys/kernel/mm", flags | MS_RDONLY, err)))
        return rc;
    if (sealed && (rc = os_mkdirs("root/sys/kernel/config/tsm/report", 0755, err)))
        return rc;
    if (mount(NULL, "root/sys/kernel", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) < 0 ||
        mount(NULL, "root/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) < 0)
        return os_fail(err, "/sys read-only");
    return 0;
}

static const struct {
    const char *name;
    unsigned major, minor;
} devices[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

static const struct {
    const char *name, *target;
} device_links[] = {{"fd", "/proc/self/fd"},
                    {"stdin", "/proc/self/fd/0"},
                    {"stdout", "/proc/self/fd/1"},
                    {"stderr", "/proc/self/fd/2"},
                    {"ptmx", "pts/ptmx"}};

static int make_devices(struct tst_error **err)
{
    char path[64];

    for (size_t i = 0; i < TST_COUNT(devices); i++) {
        snprintf(path, sizeof path, "root/dev/%s", devices[i].name);
        if (mknod(path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)) < 0 || chmod(path, 0666) < 0)
            return os_fail(err, "%s", path);
    }
    for (size_t i = 0; i < TST_COUNT(device_links); i++) {
        snprintf(path, sizeof path, "root/dev/%s", device_links[i].name);
        if (symlink(device_links[i].target, path) < 0)
            return os_fail(err, "%s", path);
    }
    return 0;
}

static int mount_dev(unsigned memory_mib, struct tst_error **err)
{
    char shm[48];
    int rc;

    snprintf(shm, sizeof shm, "mode=1777,size=%um", memory_mib);
    if ((rc = mount_at("testudo-node", "root/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k", err)) ||
        (rc = make_devices(err)) ||
        (rc = mount_at("devpts", "root/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                       "newinstance,ptmxmode=0666,mode=620,gid=5", err)) ||
        (rc = mount_at("testudo-node", "root/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, shm, err)))
        return rc;
    return mount_at("mqueue", "root/dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, err);
}

static int mount_tmp(unsigned memory_mib, struct tst_error **err)
{
    char options[48];

    snprintf(options, sizeof options, "mode=1777,size=%um", memory_mib);
    return mount_at("testudo-node", "root/tmp", "tmpfs", MS_NOSUID | MS_NODEV, options, err);
}

static int mount_shared(const struct node_spec *spec, struct tst_error **err)
{
    TST_AUTO_STR shared = local_path(spec->l, "shared/%s", spec->realm->name);

    if (!shared)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    return bind_at(shared, "root/shared", MS_NOSUID | MS_NODEV, err);
}

static int put_instance(const char *instance, struct tst_error **err)
{
    TST_AUTO_STR text = tst_strdup_printf("%s\n", instance);
    int rc = os_mkdirs("root/run/testudo", 0755, err);

    if (rc || !text)
        return rc ? rc : tst_fail(err, TST_INTERNAL, "out of memory");
    if ((rc = os_mkdirs("root/run/lock", 01777, err)))
        return rc;
    return os_write_file("root/run/testudo/instance", 0444, text, strlen(text), err);
}

int root_build(const struct node_spec *spec, struct tst_error **err)
{
    const struct plan_member *m = spec->member;
    int rc;

    umask(022);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return os_fail(err, "private mounts");
    if ((rc = make_area(spec, err)) || (rc = stage_build(spec, err)) || (rc = mount_overlay(err)) ||
        (rc = mount_proc(err)) || (rc = mount_sys(spec->realm->level != TST_LEVEL_NONE, err)) ||
        (rc = mount_dev(m->memory_mib, err)) ||
        (rc = mount_at("testudo-node", "root/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=64m", err)) ||
        (rc = mount_tmp(m->memory_mib, err)) || (rc = mount_shared(spec, err)))
        return rc;
    return put_instance(m->instance, err);
}

int root_enter(struct tst_error **err)
{
    /* the old root comes to lie on the new one and is let go there: no folder for it is needed */
    if (chdir("root") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return os_fail(err, "change of root");
    return 0;
}
