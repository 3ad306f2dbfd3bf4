/* SPDX-License-Identifier: Apache-2.0 */
/* tests/tools/find_secret.c - looks for a secret where it must not be.
 *   find_secret SECRET-FILE PATH...
 * Every regular file below each PATH (other file systems too, but no proc or sysfs), and argv and environment of every
 * process, is searched for pieces of the secret: raw, in hexadecimal (both cases), in base64 and base64url. Prints where.
 * Exit status: 0 nowhere, 1 found, 2 usage, 3 a file could not be searched. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <testudo/base.h>

enum { PIECE_BYTES = 24, PIECES_MAX = 4, PATTERNS_MAX = PIECES_MAX * 5, SECRET_MAX_BYTES = 4096, TEXT_BYTES = 2 * PIECE_BYTES + 1 };

static struct pattern {
    uint8_t bytes[TEXT_BYTES];
    size_t n;
    const char *form;
} patterns[PATTERNS_MAX];
static size_t pattern_count;
static const char *secret_path;
static unsigned long searched, found, failed;

static void add(const void *p, size_t n, const char *form)
{
    struct pattern *x = &patterns[pattern_count++];
    memcpy(x->bytes, p, n);
    x->n = n;
    x->form = form;
}

/* A piece that starts at a multiple of three has the same base64 digits inside the whole secret's base64. */
static void add_piece(const uint8_t *piece)
{
    char text[TEXT_BYTES];
    add(piece, PIECE_BYTES, "raw");
    tst_hex(piece, PIECE_BYTES, text);
    add(text, strlen(text), "hex");
    for (char *c = text; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    add(text, strlen(text), "HEX");
    TST_AUTO_STR url = tst_b64url(piece, PIECE_BYTES);
    add(url, strlen(url), "base64url");
    for (char *c = url; *c; c++)
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    add(url, strlen(url), "base64");
}

static int read_secret(const char *path)
{
    uint8_t secret[SECRET_MAX_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, secret, sizeof secret);
    if (n < PIECE_BYTES) {
        fprintf(stderr, "find_secret: %s: want at least %d bytes\n", path, PIECE_BYTES);
        return -1;
    }
    close(fd);
    size_t last = ((size_t)n - PIECE_BYTES) / 3 * 3;
    const size_t at[PIECES_MAX] = { 0, last / 9 * 3, last / 9 * 6, last };
    for (size_t i = 0; i < PIECES_MAX; i++)
        if (i == 0 || at[i] != at[i - 1])
            add_piece(secret + at[i]);
    return 0;
}

static void look(const uint8_t *p, size_t n, const char *where)
{
    searched++;
    for (size_t i = 0; i < pattern_count; i++)
        if (memmem(p, n, patterns[i].bytes, patterns[i].n)) {
            printf("%s: holds the secret (%s)\n", where, patterns[i].form);
            found++;
            return;
        }
}

/* Blocks overlap by a pattern's length, so that none is missed at a border. */
static void look_in_file(const char *path)
{
    enum { BLOCK = 1 << 20 };
    static uint8_t block[BLOCK + TEXT_BYTES];
    size_t kept = 0;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    unsigned long before = found;
    while (fd >= 0 && found == before && (n = read(fd, block + kept, BLOCK)) > 0) {
        size_t have = kept + (size_t)n;
        look(block, have, path);
        kept = have < TEXT_BYTES ? have : TEXT_BYTES;
        memmove(block, block + have - kept, kept);
    }
    if (fd < 0 || n < 0) {
        fprintf(stderr, "find_secret: %s: %m\n", path);
        failed++;
    }
    if (fd >= 0)
        close(fd);
}

static bool is_virtual(const char *path)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC);
}

static void look_below(char *path)
{
    char *roots[] = { path, NULL };
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *e;
    while (tree && (e = fts_read(tree))) {
        if (e->fts_info == FTS_D && is_virtual(e->fts_path))
            fts_set(tree, e, FTS_SKIP);
        else if (e->fts_info == FTS_F && strcmp(e->fts_path, secret_path) != 0)
            look_in_file(e->fts_path);
    }
    if (tree)
        fts_close(tree);
}

static void look_in_processes(void)
{
    char path[64];
    DIR *proc = opendir("/proc");
    struct dirent *e;
    while (proc && (e = readdir(proc))) {
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        static const char *const parts[] = { "cmdline", "environ" };
        for (size_t i = 0; i < TST_COUNT(parts); i++) {
            snprintf(path, sizeof path, "/proc/%.16s/%s", e->d_name, parts[i]);
            if (access(path, R_OK) == 0) /* the process may have ended */
                look_in_file(path);
        }
    }
    if (proc)
        closedir(proc);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: find_secret SECRET-FILE PATH...\n", stderr);
        return 2;
    }
    secret_path = argv[1];
    if (read_secret(secret_path))
        return 2;
    for (int i = 2; i < argc; i++)
        look_below(argv[i]);
    unsigned long files_failed = failed; /* processes may end while they are looked at */
    look_in_processes();
    printf("%lu searched, %lu found\n", searched, found);
    return found ? 1 : files_failed ? 3 : 0;
}
