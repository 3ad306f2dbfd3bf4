/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_measure_refs.c - measured digests -> the file of reference values that a policy includes (docs/measure.md). */
#include "cmd_measure.h"

/* Printable ASCII only, as the policy wants it; quote and backslash escaped. */
static int put_quoted(struct tst_buf *b, const char *text, struct tst_error **err)
{
    int rc = tst_buf_put(b, "\"", 1, err);
    for (const char *c = text; rc == 0 && *c; c++) {
        if (*c < 0x20 || *c > 0x7e)
            return tst_fail(err, TST_USAGE, "--name: only printable ASCII characters may stand in a name");
        if (*c == '"' || *c == '\\')
            rc = tst_buf_put(b, "\\", 1, err);
        if (rc == 0)
            rc = tst_buf_put(b, c, 1, err);
    }
    return rc == 0 ? tst_buf_put(b, "\"", 1, err) : rc;
}

struct common {
    const char *until, *acpi;
    bool measured;
};

static int read_common(const struct cli_command *self, const struct cli_args *args, bool usual_measured, bool may_be_measured,
                       struct common *out, struct tst_error **err)
{
    const char *level = cli_value(self, args, "--level");
    time_t when;
    *out = (struct common){cli_value(self, args, "--until"), cli_value(self, args, "--acpi"), usual_measured};
    if (out->until && tst_time_parse(out->until, &when, err) < 0)
        return tst_wrap(err, "--until");
    if (out->acpi && strcmp(out->acpi, "trusts-host") != 0 && strcmp(out->acpi, "confined") != 0)
        return tst_fail(err, TST_USAGE, "--acpi %s: expected trusts-host or confined", out->acpi);
    if (!level)
        return 0;
    if (strcmp(level, "measured") != 0 && strcmp(level, "firmware") != 0)
        return tst_fail(err, TST_USAGE, "--level %s: expected firmware or measured", level);
    out->measured = strcmp(level, "measured") == 0;
    if (out->measured && !may_be_measured) {
        tst_fail(err, TST_USAGE, "--level measured: without a kernel only the firmware is measured");
        return tst_hint(err, "--kernel, --initrd and --append", "none", "measure the kernel too, or say --level firmware");
    }
    return 0;
}

static int put_reference(struct tst_buf *b, const struct measure_reference *r, const struct common *c, struct tst_error **err)
{
    char hex[2 * TST_SHA384_BYTES + 1];
    tst_hex(r->digest, sizeof r->digest, hex);
    int rc = tst_buf_put(b, "- name: ", 8, err);
    if (rc == 0)
        rc = put_quoted(b, r->name, err);
    if (rc == 0)
        rc = tst_buf_printf(b, err, "\n  digest: \"%s\"\n  acpi: %s\n  level: %s\n", hex, c->acpi ? c->acpi : "trusts-host",
                            c->measured ? "measured" : "firmware");
    if (rc == 0 && c->until)
        rc = tst_buf_printf(b, err, "  until: %s\n", c->until);
    return rc;
}

int measure_references_write(const struct cli_command *self, const struct cli_args *args, const struct measure_reference *refs,
                             size_t count, bool usual_measured, bool may_be_measured, struct tst_error **err)
{
    TST_AUTO_BUF b = {0};
    struct common c;
    int rc = read_common(self, args, usual_measured, may_be_measured, &c, err);
    if (rc == 0)
        rc = tst_buf_printf(&b, err, "# reference values; a policy takes them by  measurements: {include: FILE}\n");
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = put_reference(&b, &refs[i], &c, err);
    return rc == 0 ? measure_write_file(cli_value(self, args, "--out"), b.p, b.n, err) : rc;
}
