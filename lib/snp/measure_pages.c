/* SPDX-License-Identifier: Apache-2.0 */
/* snp/measure_pages.c - the running launch digest: LD' = SHA-384(LD | contents | length, type, permissions | GPA).
 * Source: AMD 56860, SNP_LAUNCH_UPDATE, table "PAGE_INFO". */
#include "measure_inner.h"

#define PAGE_INFO_BYTES 0x70

int ld_extend(struct ld *d, enum ld_page type, uint64_t gpa, const uint8_t *contents, struct tst_error **err)
{
    uint8_t info[PAGE_INFO_BYTES] = {0};
    memcpy(info, d->value, TST_SHA384_BYTES);
    if (contents)
        memcpy(info + 48, contents, TST_SHA384_BYTES);
    info[96] = PAGE_INFO_BYTES;
    info[98] = (uint8_t)type;
    for (size_t i = 0; i < 8; i++)
        info[104 + i] = (uint8_t)(gpa >> (8 * i));
    int rc = tst_hasher_update(d->hasher, info, sizeof info, err);
    return rc == 0 ? tst_hasher_final(d->hasher, d->value, err) : rc;
}

int ld_extend_range(struct ld *d, enum ld_page type, uint64_t gpa, uint64_t bytes, struct tst_error **err)
{
    int rc = 0;
    for (uint64_t at = 0; rc == 0 && at < bytes; at += TST_PAGE_BYTES)
        rc = ld_extend(d, type, gpa + at, NULL, err);
    return rc;
}

int ld_page_digest(struct ld *d, const uint8_t *page, uint8_t out[TST_SHA384_BYTES], struct tst_error **err)
{
    int rc = tst_hasher_update(d->hasher, page, TST_PAGE_BYTES, err);
    return rc == 0 ? tst_hasher_final(d->hasher, out, err) : rc;
}

/* Firmware is to a good part runs of equal pages (00, FF). */
int ld_normal(struct ld *d, uint64_t gpa, struct tst_bytes image, struct tst_error **err)
{
    uint8_t contents[TST_SHA384_BYTES] = {0};
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < image.n; at += TST_PAGE_BYTES) {
        const uint8_t *page = image.p + at;
        if (at == 0 || memcmp(page, page - TST_PAGE_BYTES, TST_PAGE_BYTES) != 0)
            rc = ld_page_digest(d, page, contents, err);
        if (rc == 0)
            rc = ld_extend(d, LD_NORMAL, gpa + at, contents, err);
    }
    return rc;
}
