/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/fs.h - small files in a folder that others use at the same time: bounded reads, writes that appear whole, locks
 * that wait for a bounded time. Paths are relative to an open folder; no link is followed in their last part. */
#ifndef TESTUDO_COLLATERAL_FS_H
#define TESTUDO_COLLATERAL_FS_H

#include <unistd.h>

#include <testudo/base.h>

static inline void fs_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define AUTO_FD __attribute__((cleanup(fs_closep))) int

/* The folder `path`, made with its missing parents (0755) when `make`. -TST_NOT_FOUND if it is not there. */
int fs_open_dir(int at, const char *path, bool make, int *out, struct tst_error **err);
/* Regular file, whole, at most max bytes. -TST_NOT_FOUND if it is not there. */
int fs_read(int dir, const char *path, size_t max, struct tst_buf *out, struct tst_error **err);
/* All or nothing, synced, 0644; missing folders on the way are made. */
int fs_write(int dir, const char *path, const void *p, size_t n, struct tst_error **err);
int fs_remove(int dir, const char *path, struct tst_error **err); /* no error if it is not there */
/* Modification time; 0 if it is not there. */
time_t fs_mtime(int dir, const char *path);
/* Takes the lock of that name below locks/; waits up to wait_ms (-TST_UNREACHABLE after that). Closing *out lets it go. */
int fs_lock(int dir, const char *name, unsigned wait_ms, int *out, struct tst_error **err);
void fs_sleep_ms(unsigned ms);

#endif
