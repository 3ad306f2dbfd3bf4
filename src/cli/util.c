/* SPDX-License-Identifier: Apache-2.0 */
/* cli/util.c - what several commands need. */
#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"

const char *cli_value(const struct cli_command *c, const struct cli_args *a, const char *name)
{
    for (int i = 0; c->options[i].name; i++)
        if (strcmp(c->options[i].name, name) == 0)
            return a->values[i];
    abort();
}

int cli_read_file(const char *path, size_t max, char **text, size_t *n, struct tst_error **err)
{
    TST_AUTO_BUF b = { .max = max + 1 };
    char chunk[8192];
    size_t got;
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!f)
        return tst_fail(err, errno == ENOENT ? TST_NOT_FOUND : TST_USAGE, "%s: %m", path);
    int r = 0;
    while (!r && (got = fread(chunk, 1, sizeof chunk, f)) > 0)
        r = tst_buf_put(&b, chunk, got, err);
    if (!r && ferror(f))
        r = tst_fail(err, TST_USAGE, "%s: %m", path);
    if (f != stdin)
        fclose(f);
    if (!r && b.n > max)
        r = tst_fail(err, TST_TOO_LARGE, "larger than %zu bytes", max);
    if (r)
        return tst_wrap(err, "%s", path);
    *text = malloc(b.n + 1);
    if (!*text)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if (b.n)
        memcpy(*text, b.p, b.n);
    (*text)[b.n] = '\0';
    *n = b.n;
    return 0;
}

void cli_print_json(const json_t *v)
{
    json_dumpf(v, stdout, JSON_INDENT(2));
    putchar('\n');
}
