/* SPDX-License-Identifier: Apache-2.0 */
/* base/secret.c - a secret has pages of its own: kept out of core dumps, locked in RAM where the limit on locked memory
 * allows it (the programs turn swap off as a rule, so a refused lock is not an error), wiped before they are returned. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <testudo/base.h>

enum { SECRET_MAX_BYTES = 1024 * 1024 };

struct tst_secret {
    uint8_t *pages;
    size_t mapped_bytes, n;
};

static uint8_t *pages_map(size_t n)
{
    uint8_t *pages = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    if (madvise(pages, n, MADV_DONTDUMP) < 0) {
        munmap(pages, n);
        return NULL;
    }
    (void)mlock(pages, n);
    return pages;
}

int tst_secret_new(size_t n, struct tst_secret **out, struct tst_error **err)
{
    if (n == 0)
        return tst_fail(err, TST_USAGE, "secret: is empty");
    if (n > SECRET_MAX_BYTES)
        return tst_fail(err, TST_TOO_LARGE, "secret: %zu bytes, at most %d are allowed", n, SECRET_MAX_BYTES);
    struct tst_secret *s = calloc(1, sizeof *s);
    if (!s)
        return tst_fail(err, TST_INTERNAL, "secret: out of memory");
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    s->n = n;
    s->mapped_bytes = (n + page_bytes - 1) / page_bytes * page_bytes;
    s->pages = pages_map(s->mapped_bytes);
    if (!s->pages) {
        free(s);
        return tst_fail(err, TST_INTERNAL, "secret: no memory that stays out of core dumps");
    }
    *out = s;
    return 0;
}

int tst_secret_from(const void *p, size_t n, struct tst_secret **out, struct tst_error **err)
{
    int rc = tst_secret_new(n, out, err);
    if (rc == 0)
        memcpy((*out)->pages, p, n);
    return rc;
}

uint8_t *tst_secret_bytes(struct tst_secret *s)
{
    return s->pages;
}

const uint8_t *tst_secret_view(const struct tst_secret *s)
{
    return s->pages;
}

size_t tst_secret_size(const struct tst_secret *s)
{
    return s->n;
}

void tst_secret_free(struct tst_secret *s)
{
    if (!s)
        return;
    tst_wipe(s->pages, s->mapped_bytes);
    munmap(s->pages, s->mapped_bytes);
    free(s);
}
