/* SPDX-License-Identifier: Apache-2.0 */
/* platform/platform.c - the backend's choice, and reading what kernels write in files. */
#include "platform/platform.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define EXTENDED_LEAVES 0x80000000U
#define HYPERVISOR_LEAVES 0x40000000U

void platform_free(struct platform *p)
{
    if (!p)
        return;
    if (p->release)
        p->release(p);
    free(p->name);
    free(p->from);
    free(p);
}

int platform_line(const struct platform *p, const char *path, char **line)
{
    size_t n = 0;
    int rc = p->read_file(p, path, PLATFORM_FILE_MAX, line, &n);
    if (rc < 0)
        return rc;
    (*line)[strcspn(*line, "\n")] = '\0';
    return 0;
}

static int number_of(const char *text, uint64_t *value)
{
    char *end = NULL;
    while (*text == ' ' || *text == '\t' || *text == ':')
        text++;
    if (!isdigit((unsigned char)*text))
        return -ENODATA;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno || (*end && !isspace((unsigned char)*end)) ? -ENODATA : 0;
}

int platform_number(const struct platform *p, const char *path, uint64_t *value)
{
    TST_AUTO_STR line = NULL;
    int rc = platform_line(p, path, &line);
    return rc < 0 ? rc : number_of(line, value);
}

int platform_keyed(const struct platform *p, const char *path, const char *key, uint64_t *value)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0, key_n = strlen(key);
    int rc = p->read_file(p, path, PLATFORM_FILE_MAX, &text, &n);
    if (rc < 0)
        return rc;
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, key, key_n) == 0 && strchr(" \t:", line[key_n]) && line[key_n])
            return number_of(line + key_n, value);
    return -ENODATA;
}

bool platform_exists(const struct platform *p, const char *path)
{
    TST_AUTO_STR names = NULL;
    int rc = p->can_open(p, path, false);
    return rc >= 0 || rc == -EACCES || rc == -EPERM || rc == -EBUSY || p->list_dir(p, path, &names) >= 0;
}

char *platform_next_name(char **names)
{
    char *name = *names;
    if (!name || !*name)
        return NULL;
    char *end = strchr(name, '\n');
    if (end)
        *end = '\0';
    *names = end ? end + 1 : NULL;
    return name;
}

int platform_cpuid(const struct platform *p, uint32_t leaf, struct cpuid_regs *out)
{
    uint32_t first = leaf >= EXTENDED_LEAVES ? EXTENDED_LEAVES : leaf >= HYPERVISOR_LEAVES ? HYPERVISOR_LEAVES : 0;
    struct cpuid_regs limit;
    int rc = p->cpuid(p, first, 0, &limit);
    *out = (struct cpuid_regs){0};
    if (rc < 0)
        return rc;
    if (leaf > limit.eax)
        return -ENODATA;
    return p->cpuid(p, leaf, 0, out);
}
