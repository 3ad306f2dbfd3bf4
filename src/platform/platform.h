/* SPDX-License-Identifier: Apache-2.0 */
/* platform/platform.h - what a machine offers, behind callbacks: files, MSRs, CPUID, device commands, programs. Three
 * backends: this machine, a machine described in a JSON file, a folder that stands for /. Everything that judges or
 * manages a platform goes through this struct, so it runs the same on a machine that exists only on paper.
 *
 * Every callback answers with a number >= 0, or with -errno: whether a thing is absent (ENOENT) or cannot be seen (EACCES)
 * decides between "no" and "unknown". */
#ifndef TESTUDO_PLATFORM_PLATFORM_H
#define TESTUDO_PLATFORM_PLATFORM_H

#include <testudo/base.h>

#define PLATFORM_FILE_MAX (1024 * 1024)
#define PLATFORM_MACHINE_MAX (512 * 1024)

struct cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};

struct platform {
    /* Whole file, NUL-terminated, malloc'ed; larger than max is -EFBIG. */
    int (*read_file)(const struct platform *p, const char *path, size_t max, char **text, size_t *n);
    /* Names in a folder (without . and ..), sorted, each ended by '\n', malloc'ed. */
    int (*list_dir)(const struct platform *p, const char *path, char **names);
    int (*can_open)(const struct platform *p, const char *path, bool write);
    int (*rdmsr)(const struct platform *p, unsigned cpu, uint32_t msr, uint64_t *value);
    int (*cpuid)(const struct platform *p, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out);
    /* Opens the device, does one ioctl, closes it; the answer is the ioctl's. */
    int (*ioctl)(const struct platform *p, const char *device, unsigned long request, void *arg);
    /* Runs a program found by PATH to its end; *output is its standard output, malloc'ed; the answer is its exit status. */
    int (*run)(const struct platform *p, const char *const argv[], char **output);
    void (*release)(struct platform *p);
    void *ctx;
    char *name;       /* "this machine", "Milan host" */
    char *from;       /* file or folder of a constructed machine; NULL for this machine */
};

int platform_open_real(struct platform **out, struct tst_error **err);
/* The JSON of docs/readiness.md "A machine in a file": unknown keys, missing sources, trailing data are refused. */
int platform_parse_machine(const char *file, const char *text, size_t n, struct platform **out, struct tst_error **err);
/* root: NULL = this machine; a file = a described machine; a folder = files below it, and the rest from FOLDER/machine.json
 * when there is one. */
int platform_open(const char *root, struct platform **out, struct tst_error **err);
void platform_free(struct platform *p);
TST_CLEANUP_FN(struct platform *, platform_free)
#define AUTO_PLATFORM TST_CLEANUP(platform_free) __typeof__(struct platform *)

/* ---- reading what kernels write ---- */
/* First line without its newline, malloc'ed. */
int platform_line(const struct platform *p, const char *path, char **line);
/* The whole file is one decimal number. */
int platform_number(const struct platform *p, const char *path, uint64_t *value);
/* The number behind `key` (a whole word at the start of a line, ':' allowed): /proc/meminfo, misc.capacity. -ENODATA. */
int platform_keyed(const struct platform *p, const char *path, const char *key, uint64_t *value);
bool platform_exists(const struct platform *p, const char *path);
/* Next name of list_dir's text; NULL at the end. Cuts the text. */
char *platform_next_name(char **names);
/* CPUID with its limit looked at first: a leaf beyond the CPU's highest is -ENODATA, not garbage. */
int platform_cpuid(const struct platform *p, uint32_t leaf, struct cpuid_regs *out);

#endif
