/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_caps.c - what root of a node may still do. A list of what stays: capabilities that reach the
 * machine itself (its modules, devices, disk by file handle, clock, mounts, kernel log) are not on it. */
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "cluster/providers/local.h"

static const int kept[] = {
    CAP_CHOWN,        CAP_DAC_OVERRIDE,     CAP_FOWNER,    CAP_FSETID,  CAP_KILL,     CAP_SETGID,
    CAP_SETUID,       CAP_SETPCAP,          CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK, CAP_IPC_OWNER,
    CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,   CAP_SYS_PTRACE, /* sees only the node's own processes */
    CAP_SYS_NICE,     CAP_AUDIT_WRITE,      CAP_SETFCAP,   CAP_LEASE,
};

static bool is_kept(int cap)
{
    for (size_t i = 0; i < TST_COUNT(kept); i++)
        if (kept[i] == cap)
            return true;
    return false;
}

static int drop_bounding(struct tst_error **err)
{
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (!is_kept(cap) && prctl(PR_CAPBSET_DROP, cap) < 0)
            return os_fail(err, "drop capability %d", cap);
    return 0;
}

int caps_restrict(struct tst_error **err)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct have[2], want[2] = {{0}};
    const struct rlimit no_core = {0, 0};
    int rc;

    if (setrlimit(RLIMIT_CORE, &no_core) < 0)
        return os_fail(err, "no core dumps");
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capget, &header, have) < 0)
        return os_fail(err, "capabilities");
    if ((rc = drop_bounding(err)))
        return rc;
    for (size_t i = 0; i < TST_COUNT(kept); i++)
        want[kept[i] / 32].effective |= 1U << (kept[i] % 32);
    for (int i = 0; i < 2; i++)
        want[i].permitted = want[i].effective &= have[i].permitted;
    if (syscall(SYS_capset, &header, want) < 0)
        return os_fail(err, "capabilities");
    return 0;
}
