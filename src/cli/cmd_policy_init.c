/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_policy_init.c - `testudo policy init`: a strict policy with a comment on each key. What it prints is read back
 * first, so that it never prints what would be refused. */
#include <time.h>

#include "cli/evidence_input.h"

#define CHIPS_TEXT_MAX (64 * 1024)

struct wish {
    const char *name, *products, *level, *measurements, *chips;
};

static int print_head(const struct wish *w, struct tst_buf *out, struct tst_error **err)
{
    char today[TST_TIME_BYTES];
    tst_time_print(time(NULL), today);
    return tst_buf_printf(
        out, err,
        "# What a node must prove before it gets anything. What is not said here is denied.\n"
        "# Written by `testudo policy init` on %.10s. Meaning of each key: docs/policy.md. Then:\n"
        "#   testudo policy lint FILE                     what it leaves open\n"
        "#   testudo policy test FILE --evidence FILE...  what it does with stored evidence\n"
        "name: %s\n\n"
        "# The least that may be proven. measured: firmware, kernel, initrd and command line are in the launch digest.\n"
        "# firmware: only the firmware is, and the operator can change what it boots.\n"
        "level: %s\n\n"
        "# AMD EPYC generations. Milan needs a list of chips: reports of a Milan whose root seed was extracted can be forged.\n"
        "products: [%s]\n\n"
        "# The machines that you trust, by chip id (`testudo evidence show` prints it). Against physical attacks on the memory bus,\n"
        "# which no report shows, this list is all there is. Empty: any chip of these products.\n"
        "chips: [%s]\n\n",
        today, w->name, w->level, w->products, w->chips ? w->chips : "");
}

static int print_software(const struct wish *w, struct tst_buf *out, struct tst_error **err)
{
    int rc = tst_buf_printf(out, err,
                            "# Launch digests that are accepted, with name and end date. `testudo measure` computes them.\n"
                            "#   - {name: compute image 2026-11, digest: \"<96 hex digits>\", until: 2027-06-30, acpi: confined}\n");
    if (rc < 0)
        return rc;
    return w->measurements ? tst_buf_printf(out, err, "measurements: {include: \"%s\"}\n\n", w->measurements)
                           : tst_buf_printf(out, err, "measurements: [] # nothing is accepted before one is named\n\n");
}

static int print_firmware(struct tst_buf *out, struct tst_error **err)
{
    return tst_buf_printf(
        out, err,
        "# Lowest firmware and microcode per CPU; `testudo policy floors` prints them with their sources.\n"
        "floors: %s\n\n"
        "# provisional: the firmware that runs was not committed, so the host can go back to the one before.\n"
        "firmware: {provisional: deny}\n\n"
        "# From version 3 on a report names its CPU, and so the floor of just that CPU counts. Version 5 has mitigation vectors.\n"
        "min-report-version: 3\n"
        "# Bits of those vectors, per product: AMD-SB-3020 is bit 1, AMD-SB-3016 bit 2.\n"
        "# mitigations: {genoa: {launch: [1, 2], current: [1, 2]}}\n\n",
        tst_floor_newest());
}

static int print_settings(struct tst_buf *out, struct tst_error **err)
{
    return tst_buf_printf(
        out, err,
        "# What the guest was launched with.\n"
        "guest-policy:\n"
        "  debug: deny            # the host could read the guest's memory\n"
        "  migration-agent: deny  # it could export the guest\n"
        "  unknown-bits: deny\n"
        "  must-clear: [smt]      # no sibling thread shares a core with the guest (StackWarp, SEV-Step)\n"
        "  must-set: []           # stricter still: ciphertext-hiding, page-swap-disable (Heracles), rapl-dis (PwrLeak)\n\n"
        "# How the host is set up.\n"
        "platform-info:\n"
        "  must-set: [alias-check-complete] # no memory module lies about its size (BadRAM)\n"
        "  must-clear: [smt]\n"
        "  unknown-bits: deny               # newer firmware may set bits that have no name yet: then say allow\n\n"
        "# Who may ask for a report: 0 is the guest's most privileged level.\n"
        "vmpl: 0\n\n");
}

static int print_tail(struct tst_buf *out, struct tst_error **err)
{
    return tst_buf_printf(
        out, err,
        "# ID block: who signed the launch digest, by SHA-384 of the key. Optional beside measurements.\n"
        "# id-block: {id-keys: [\"<96 hex digits>\"], author-keys: []}\n"
        "# min-guest-svn: 1\n\n"
        "# A certificate that AMD revoked is noticed by a revocation list only.\n"
        "crl: {mode: require, max-age-d: 60}\n\n"
        "# A provider's key instead of the chip's: it names no chip.\n"
        "vlek: deny\n\n"
        "# A rule can be set to warn while a fleet is brought up to it: the verdict then passes and says WARN.\n"
        "# rules: {platform-info: warn}\n");
}

static int print_policy(const struct wish *w, struct tst_buf *out, struct tst_error **err)
{
    int rc = print_head(w, out, err);
    if (rc == 0)
        rc = print_software(w, out, err);
    if (rc == 0)
        rc = print_firmware(out, err);
    if (rc == 0)
        rc = print_settings(out, err);
    return rc < 0 ? rc : print_tail(out, err);
}

/* Reference values are looked for from here: whoever redirects the output elsewhere corrects the path. */
static int include_from_here(void *ctx, const char *path, char **text, size_t *n, struct tst_error **err)
{
    (void)ctx;
    return cli_read_file(path, TST_YAML_MAX_BYTES, text, n, err);
}

static int show(const struct tst_buf *text, const struct tst_policy *policy, bool json, struct tst_error **err)
{
    TST_AUTO_JSON o = NULL;
    if (!json) {
        fwrite(text->p, 1, text->n, stdout);
        return 0;
    }
    int rc = tst_policy_json(policy, &o, err);
    if (rc == 0)
        cli_print_json(o);
    return rc;
}

static int policy_init(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    struct wish w = {cli_value(self, args, "--name"), cli_value(self, args, "--product"), cli_value(self, args, "--level"),
                     cli_value(self, args, "--measurements"), cli_value(self, args, "--chips")};
    TST_AUTO_BUF text = {.max = 4 * CHIPS_TEXT_MAX};
    TST_AUTO_POLICY policy = NULL;

    w.name = w.name ? w.name : "sealed";
    w.products = w.products ? w.products : "genoa, turin";
    w.level = w.level ? w.level : tst_level_name(TST_LEVEL_MEASURED);
    int rc = print_policy(&w, &text, err);
    if (rc == 0)
        rc = tst_policy_parse("new policy", (const char *)text.p, text.n, include_from_here, NULL, &policy, err);
    return rc < 0 ? rc : show(&text, policy, cli_value(self, args, "--json") != NULL, err);
}

const struct cli_command cmd_policy_init = {
    .name = "policy init",
    .operands = "",
    .summary = "print a strict policy, with a comment on each key",
    .exits = "0 done, 2 what was asked for makes no policy",
    .options =
        {
            {"--name", "NAME", "name of the policy (default: sealed)"},
            {"--product", "NAME,...", "milan, genoa, turin (default: genoa,turin); milan needs --chips"},
            {"--chips", "ID,...", "chip ids in hex (default: any chip)"},
            {"--measurements", "FILE", "include this file of reference values"},
            {"--level", "LEVEL", "minimum: firmware or measured (default: measured)"},
            {"--json", NULL, "print the policy as JSON, without comments"},
        },
    .run = policy_init,
};
