/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/sim/tree.h - temporary directories and files for the simulator's tests. */
#ifndef TESTS_SIM_TREE_H
#define TESTS_SIM_TREE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/sim/fixture.h"

static inline char *tree_new(void)
{
    char *dir = strdup("/tmp/testudo-sim-XXXXXX");
    if (!dir || !mkdtemp(dir))
        fixture_die("mkdtemp", NULL);
    return dir;
}

static inline int tree_remove_item(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st, (void)flag, (void)at;
    return remove(path);
}

/* Removes and frees. */
static inline void tree_free(char *dir)
{
    if (nftw(dir, tree_remove_item, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        fixture_die(dir, NULL);
    free(dir);
}

static inline char *tree_path(const char *dir, const char *name)
{
    return tst_strdup_printf("%s/%s", dir, name);
}

static inline void tree_mkdir(const char *dir, const char *name, mode_t mode)
{
    TST_AUTO_STR path = tree_path(dir, name);
    if (mkdir(path, mode) != 0)
        fixture_die(path, NULL);
}

static inline void tree_put(const char *dir, const char *name, const void *p, size_t n, mode_t mode)
{
    TST_AUTO_STR path = tree_path(dir, name);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 || write(fd, p, n) != (ssize_t)n)
        fixture_die(path, NULL);
    close(fd);
}

/* A node's root directory with agent, init and launch file. */
static inline char *tree_node(const char *agent, const char *init, const char *launch)
{
    char *root = tree_new();
    const char *const dirs[] = {"usr", "usr/libexec", "usr/libexec/testudo", "etc", "etc/testudo", "tsm"};
    for (size_t i = 0; i < TST_COUNT(dirs); i++)
        tree_mkdir(root, dirs[i], 0755);
    tree_put(root, "usr/libexec/testudo/testudo-agent", agent, strlen(agent), 0755);
    tree_put(root, "usr/libexec/testudo/testudo-init", init, strlen(init), 0755);
    tree_put(root, "etc/testudo/launch", launch, strlen(launch), 0644);
    return root;
}

/* A state directory with the fixture's Genoa hierarchy. */
static inline char *tree_state(void)
{
    static const char *const files[] = {"product", "ark.key", "ask.key", "ark.der", "ask.der"};
    amd_root_free(fixture_root()); /* it is there from now on */
    TST_AUTO_STR from = fixture_dir("genoa/root");
    char *state = tree_new();
    tree_mkdir(state, "root", 0700);
    TST_AUTO_STR to = tree_path(state, "root");
    for (size_t i = 0; i < TST_COUNT(files); i++) {
        TST_AUTO_STR source = tree_path(from, files[i]);
        char text[8192];
        int fd = open(source, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
        if (n < 0)
            fixture_die(source, NULL);
        close(fd);
        tree_put(to, files[i], text, (size_t)n, 0600);
    }
    return state;
}

#endif
