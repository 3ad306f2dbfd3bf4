/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.c - see vectors.h. */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *folder(void)
{
    const char *path = getenv("TESTUDO_VECTORS");
    return path && *path ? path : SOURCE_ROOT "/../shared/vectors";
}

bool vectors_present(void)
{
    struct stat st;
    return stat(folder(), &st) == 0 && S_ISDIR(st.st_mode);
}

size_t vectors_read(const char *path, uint8_t *out, size_t max)
{
    char full[4096];
    snprintf(full, sizeof full, "%s/%s", folder(), path);
    FILE *f = fopen(full, "rb");
    if (!f) {
        fail_msg("cannot open %s", full);
        return 0;
    }
    size_t n = fread(out, 1, max, f);
    assert_true(n < max);
    fclose(f);
    return n;
}

/* Column `index` of a line of tab-separated cells. */
static void cell(const char *line, unsigned index, char *out, size_t n)
{
    for (; index; index--) {
        line = strchr(line, '\t');
        assert_non_null(line);
        line++;
    }
    size_t len = strcspn(line, "\t\n");
    assert_true(len < n);
    memcpy(out, line, len);
    out[len] = '\0';
}

size_t vectors_rows(struct vector_row out[VECTORS_ROWS_MAX])
{
    static char text[256 * 1024];
    size_t n = vectors_read("snp/reports.tsv", (uint8_t *)text, sizeof text - 1), count = 0;
    text[n] = '\0';
    for (char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        assert_true(count < VECTORS_ROWS_MAX);
        struct vector_row *row = &out[count++];
        cell(line + 1, 0, row->name, sizeof row->name);
        cell(line + 1, 1, row->report, sizeof row->report);
        cell(line + 1, 2, row->vek, sizeof row->vek);
        cell(line + 1, 3, row->kind, sizeof row->kind);
        cell(line + 1, 4, row->product, sizeof row->product);
        cell(line + 1, 7, row->expected, sizeof row->expected);
    }
    return count;
}

struct tst_cert *vectors_cert(const char *path)
{
    uint8_t bytes[TST_CERT_MAX_BYTES];
    struct tst_cert *c = NULL;
    size_t n = vectors_read(path, bytes, sizeof bytes);
    assert_int_equal(tst_cert_from_der(bytes, n, &c, NULL), 0);
    return c;
}

void vectors_chain(const char *product, const char *kind, struct tst_snp_certs *certs)
{
    char path[128];
    uint8_t bytes[32 * 1024];
    struct tst_cert *list[2] = {NULL};
    size_t count = 0;
    snprintf(path, sizeof path, "snp/chains/%s-%s.pem", product, kind);
    size_t n = vectors_read(path, bytes, sizeof bytes);
    assert_int_equal(tst_certs_from_text(bytes, n, list, 2, &count, NULL), 0);
    assert_int_equal(count, 2);
    certs->ask = list[0];
    certs->ark = list[1];
}
