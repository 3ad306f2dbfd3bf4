/* SPDX-License-Identifier: Apache-2.0 */
/* sim/file.h - bounded reads and all-or-nothing writes of small files, relative to an open directory. */
#ifndef SIM_FILE_H
#define SIM_FILE_H

#include <testudo/base.h>
#include <unistd.h>

static inline void file_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define AUTO_FD __attribute__((cleanup(file_closep))) int

/* Regular file, whole, at most max bytes (TST_TOO_LARGE); out->max is set to it. `name` is for messages. */
int file_read_fd(int fd, const char *name, size_t max, struct tst_buf *out, struct tst_error **err);
/* Opens NAME in dir without following a link. TST_NOT_FOUND if it is not there. */
int file_read(int dir, const char *name, size_t max, struct tst_buf *out, struct tst_error **err);
/* As file_read; refuses a file that is not ours alone (another owner, or any right of group or others). */
int file_read_private(int dir, const char *name, size_t max, struct tst_buf *out, struct tst_error **err);
/* New file with mode 0600, synced. Fails if NAME exists: callers fill a temporary directory and rename that. */
int file_write_new(int dir, const char *name, const void *p, size_t n, struct tst_error **err);

/* Directory NAME in dir, mode 0700, ours alone; made when `make` is set and it is missing. dir may be AT_FDCWD. */
int dir_open_private(int dir, const char *name, bool make, int *out, struct tst_error **err);
/* Removes NAME and the plain files in it; no error if it is not there. */
int dir_discard(int dir, const char *name, struct tst_error **err);

#endif
