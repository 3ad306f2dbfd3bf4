/* SPDX-License-Identifier: Apache-2.0 */
/* base/buf.c - growing buffer with a maximum. A NUL that is not counted follows the bytes; memory that the buffer leaves
 * behind when it grows is wiped, because secrets pass through here. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <testudo/base.h>

enum { DEFAULT_MAX_BYTES = 1024 * 1024, FIRST_CAP_BYTES = 256 };

static void bytes_release(uint8_t *p, size_t n)
{
    if (p)
        tst_wipe(p, n);
    free(p);
}

/* Makes room for `more` bytes and the NUL. */
static int buf_reserve(struct tst_buf *b, size_t more, struct tst_error **err)
{
    size_t max = b->max ? b->max : DEFAULT_MAX_BYTES;
    if (b->n > max || more > max - b->n || max == SIZE_MAX)
        return tst_fail(err, TST_TOO_LARGE, "buffer: would grow over its limit of %zu bytes", max);
    size_t need = b->n + more + 1;
    if (need <= b->cap)
        return 0;
    size_t cap = b->cap ? b->cap : FIRST_CAP_BYTES;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    uint8_t *grown = malloc(cap);
    if (!grown)
        return tst_fail(err, TST_INTERNAL, "buffer: out of memory at %zu bytes", cap);
    if (b->n)
        memcpy(grown, b->p, b->n);
    bytes_release(b->p, b->cap);
    b->p = grown;
    b->cap = cap;
    b->p[b->n] = 0;
    return 0;
}

int tst_buf_put(struct tst_buf *b, const void *p, size_t n, struct tst_error **err)
{
    int rc = buf_reserve(b, n, err);
    if (rc < 0)
        return rc;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = 0;
    return 0;
}

int tst_buf_printf(struct tst_buf *b, struct tst_error **err, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    int rc = n < 0 ? tst_fail(err, TST_INTERNAL, "buffer: text cannot be formatted") : buf_reserve(b, (size_t)n, err);
    if (rc == 0) {
        vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    return rc;
}

void tst_buf_clear(struct tst_buf *b)
{
    bytes_release(b->p, b->cap);
    b->p = NULL;
    b->n = b->cap = 0;
}
