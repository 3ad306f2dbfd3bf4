/* SPDX-License-Identifier: Apache-2.0 */
/* base/rd.c - cursor over borrowed bytes. A read past the end marks the cursor bad, empties it and yields zeros, so a
 * parser reads straight through and asks once, at the end. */
#include <testudo/base.h>

struct tst_rd tst_rd_of(const void *p, size_t n)
{
    static const uint8_t nothing[1];
    const uint8_t *start = p && n ? p : nothing;
    return (struct tst_rd){.p = start, .end = start + (p ? n : 0), .bad = !p && n};
}

size_t tst_rd_left(const struct tst_rd *r)
{
    return (size_t)(r->end - r->p);
}

struct tst_bytes tst_rd_take(struct tst_rd *r, size_t n)
{
    if (r->bad || n > tst_rd_left(r)) {
        r->bad = true;
        r->p = r->end;
        return (struct tst_bytes){NULL, 0};
    }
    struct tst_bytes taken = {r->p, n};
    r->p += n;
    return taken;
}

static uint64_t read_le(struct tst_rd *r, size_t n)
{
    struct tst_bytes bytes = tst_rd_take(r, n);
    uint64_t value = 0;
    for (size_t i = bytes.n; i > 0; i--)
        value = value << 8 | bytes.p[i - 1];
    return value;
}

uint8_t tst_rd_u8(struct tst_rd *r)
{
    return (uint8_t)read_le(r, 1);
}

uint16_t tst_rd_u16le(struct tst_rd *r)
{
    return (uint16_t)read_le(r, 2);
}

uint32_t tst_rd_u32le(struct tst_rd *r)
{
    return (uint32_t)read_le(r, 4);
}

uint64_t tst_rd_u64le(struct tst_rd *r)
{
    return read_le(r, 8);
}

void tst_rd_copy(struct tst_rd *r, void *to, size_t n)
{
    if (n == 0)
        return;
    struct tst_bytes bytes = tst_rd_take(r, n);
    if (bytes.p)
        memcpy(to, bytes.p, n);
    else
        memset(to, 0, n);
}

void tst_rd_skip(struct tst_rd *r, size_t n)
{
    (void)tst_rd_take(r, n);
}

int tst_rd_finish(const struct tst_rd *r, const char *what, struct tst_error **err)
{
    if (r->bad)
        return tst_fail(err, TST_USAGE, "%s: truncated", what);
    if (tst_rd_left(r) > 0)
        return tst_fail(err, TST_USAGE, "%s: %zu trailing bytes", what, tst_rd_left(r));
    return 0;
}
