/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/os.h - files, programs and processes of the machine that `testudo up` runs on. */
#ifndef TESTUDO_CLUSTER_OS_H
#define TESTUDO_CLUSTER_OS_H

#include <sys/types.h>
#include <unistd.h>

#include <testudo/base.h>

static inline void os_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define AUTO_FD __attribute__((cleanup(os_closep))) int

/* TST_INTERNAL "fmt: strerror(errno)". */
int os_fail(struct tst_error **err, const char *fmt, ...) TST_PRINTF(2, 3);
double os_seconds(void); /* monotonic */
void os_sleep_ms(unsigned ms);

/* ---- files (os_files.c) ---- */
/* Makes every missing directory of the path; `mode` is that of the last one, also when it was there. */
int os_mkdirs(const char *path, mode_t mode, struct tst_error **err);
/* All or nothing: writes beside it and renames. */
int os_write_file(const char *path, mode_t mode, const void *p, size_t n, struct tst_error **err);
/* Whole file, at most max bytes, NUL-terminated, malloc'ed. TST_NOT_FOUND if it is not there. */
int os_read_file(const char *path, size_t max, char **text, size_t *n, struct tst_error **err);
int os_copy_file(const char *from, const char *to, mode_t mode, struct tst_error **err);
/* Removes path and all below, never crossing into another file system; no error if it is not there. */
int os_remove_tree(const char *path, struct tst_error **err);

/* ---- programs (process.c) ---- */
/* Runs argv (argv[0] is looked up in PATH) to its end with `input` on stdin (may be NULL). *output (may be NULL): what
 * it wrote to stdout, at most 1 MiB. A status other than 0 is an error that quotes the last line of its stderr. */
int os_run(const char *const argv[], const char *input, char **output, struct tst_error **err);
/* Path of a program of this release: TESTUDO_LIBEXEC, else the build tree that we run from, else the installed place.
 * *out malloc'ed. */
int os_program(const char *name, char **out, struct tst_error **err);
/* Topmost folder above our own program that is a source checkout or build tree; NULL if there is none. malloc'ed. */
char *os_checkout(void);

/* ---- processes that outlive the command (process.c) ---- */
/* Starts argv detached (own session, stdin empty, output appended to log) holding a lock on pid_file for its life. The
 * lock is the kernel's, so its holder is known for certain, also when we die in between. Returns when the program
 * runs. */
int process_spawn(const char *const argv[], const char *pid_file, const char *log, struct tst_error **err);
/* Takes the lock on pid_file for the calling process; *fd keeps it. */
int process_lock(const char *pid_file, int *fd, struct tst_error **err);
/* Process that holds the lock on pid_file; 0 if nobody does. */
pid_t process_holder(const char *pid_file);
/* Descriptor of the holder, safe against reuse of its id; -1 if nobody holds the lock. */
int process_open(const char *pid_file);
/* True when it ended within timeout_s. */
bool process_wait(int pidfd, double timeout_s);
void process_signal(int pidfd, int signal);

#endif
