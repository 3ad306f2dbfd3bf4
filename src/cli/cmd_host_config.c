/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_host_config.c - `testudo host config` and `host commit`: what reports say about this host's firmware. A value that
 * the firmware would refuse is refused here first, with the reason. Source: AMD 56860, SNP_CONFIG and SNP_COMMIT. */
#include "cli/cmd_host.h"

#include <stdlib.h>

struct component {
    const char *name;
    size_t offset; /* in struct tst_snp_tcb */
};
static const struct component components[] = {
    {"fmc", offsetof(struct tst_snp_tcb, fmc)}, {"bootloader", offsetof(struct tst_snp_tcb, bootloader)},
    {"tee", offsetof(struct tst_snp_tcb, tee)}, {"snp", offsetof(struct tst_snp_tcb, snp)},
    {"microcode", offsetof(struct tst_snp_tcb, microcode)},
};

static uint8_t *component_of(struct tst_snp_tcb *tcb, const char *name, size_t n)
{
    for (size_t i = 0; i < TST_COUNT(components); i++)
        if (strlen(components[i].name) == n && strncmp(components[i].name, name, n) == 0 && (tcb->has_fmc || i > 0))
            return (uint8_t *)tcb + components[i].offset;
    return NULL;
}

/* "snp=23,microcode=213": the named parts of *tcb change. */
static int tcb_change(const char *text, struct tst_snp_tcb *tcb, struct tst_error **err)
{
    for (const char *w = text; *w;) {
        size_t n = strcspn(w, ","), name_n = strcspn(w, "=,");
        char *end = NULL;
        uint8_t *part = component_of(tcb, w, name_n);
        unsigned long v = part && w[name_n] == '=' && w[name_n + 1] >= '0' && w[name_n + 1] <= '9' ? strtoul(w + name_n + 1,
            &end, 10) : 256;
        if (v > 255 || end != w + n) {
            tst_fail(err, TST_USAGE, "--tcb: '%.*s'", (int)n, w);
            return tst_hint(err, tcb->has_fmc ? "fmc, bootloader, tee, snp or microcode, =, 0 to 255" : "bootloader, tee, snp or microcode, =, 0 to 255",
                            NULL, NULL);
        }
        *part = (uint8_t)v;
        w += n + (w[n] == ',');
    }
    return 0;
}

static int tcb_set(const struct platform *p, const struct snp_status *now, const char *text, uint8_t raw[8],
    struct tst_error **err)
{
    enum tst_snp_product product = host_product(p);
    char want[96], have[96];
    if (!product)
        return tst_fail(err, TST_UNDECIDABLE, "--tcb: which layout this CPU's TCB has is not known");
    struct tst_snp_tcb current = tst_snp_tcb_of(product, now->current_tcb), tcb = tst_snp_tcb_of(product, raw);
    int rc = tcb_change(text, &tcb, err);
    if (rc < 0)
        return rc;
    if (!tst_snp_tcb_at_least(&current, &tcb)) {
        tst_snp_tcb_print(&tcb, want, sizeof want);
        tst_snp_tcb_print(&current, have, sizeof have);
        tst_fail(err, TST_REFUTED, "--tcb: reports cannot claim more than what runs");
        return tst_hint(err, have, want, "update the firmware first, or name a lower TCB");
    }
    tst_snp_tcb_raw(product, &tcb, raw);
    return 0;
}

static int flag_set(const struct cli_command *self, const struct cli_args *args, const char *option, uint32_t flag,
    uint32_t *flags,
                    struct tst_error **err)
{
    const char *value = cli_value(self, args, option);
    if (!value)
        return 0;
    if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
        return tst_fail(err, TST_USAGE, "%s %s: expected on or off", option, value);
    *flags = strcmp(value, "on") == 0 ? *flags | flag : *flags & ~flag;
    return 0;
}

struct config {
    uint8_t tcb[8];
    uint32_t flags;
};

static int config_of_options(const struct cli_command *self, const struct cli_args *args, const struct platform *p,
    struct config *out,
                             struct tst_error **err)
{
    struct snp_status now;
    bool reset = cli_value(self, args, "--reset") != NULL;
    const char *tcb = cli_value(self, args, "--tcb");
    bool named = tcb || cli_value(self, args, "--mask-chip-id") || cli_value(self, args, "--mask-chip-key");
    *out = (struct config){0};
    if (reset == named)
        return tst_fail(err, TST_USAGE,
            "host config: name what to change, or --reset; `testudo host status` shows what is set");
    int rc = reset ? 0 : snp_platform_status(p, &now, err);
    if (reset || rc < 0)
        return rc;
    memcpy(out->tcb, now.reported_tcb, sizeof out->tcb);
    out->flags = now.flags & (SNP_FLAG_MASK_CHIP_ID | SNP_FLAG_MASK_CHIP_KEY);
    rc = tcb ? tcb_set(p, &now, tcb, out->tcb, err) : 0;
    if (rc == 0)
        rc = flag_set(self, args, "--mask-chip-id", SNP_FLAG_MASK_CHIP_ID, &out->flags, err);
    return rc < 0 ? rc : flag_set(self, args, "--mask-chip-key", SNP_FLAG_MASK_CHIP_KEY, &out->flags, err);
}

static int host_config(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_PLATFORM p = NULL;
    struct config config;
    int rc = host_open(self, args, &p, err);
    if (rc == 0)
        rc = config_of_options(self, args, p, &config, err);
    if (rc == 0)
        rc = host_confirm(self, args,
                          "change what all reports of this host say, also those of running guests: their VCEK changes, and keys that "
                          "guests derived for the old TCB are lost to them",
                          err);
    if (rc == 0)
        rc = snp_set_config(p, config.tcb, config.flags, err);
    if (rc == 0)
        puts(cli_value(self, args,
            "--reset") ? "configuration is the firmware's default" : "configuration set; `testudo host status` shows it");
    return rc;
}

const struct cli_command cmd_host_config = {
    .name = "host config",
    .operands = "",
    .summary = "set what reports of this host say: reported TCB, hidden chip id, hidden chip key",
    .exits = "0 done, 1 refused by the firmware, 2 bad usage or no /dev/sev, 3 the driver refuses, 4 --yes or permission is missing",
    .options =
        {
            {"--tcb", "PART=N,...", "reported TCB, e.g. snp=23,microcode=213; parts that are not named stay"},
            {"--mask-chip-id", "on|off", "hide the chip id in reports"},
            {"--mask-chip-key", "on|off", "do not sign reports with the chip's key"},
            {"--reset", NULL, "the firmware's default: reported TCB = current TCB, nothing hidden"},
            HOST_ROOT_OPTION,
            HOST_YES_OPTION,
        },
    .run = host_config,
};

static int host_commit(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_PLATFORM p = NULL;
    struct snp_status now;
    char lost[160];
    int rc = host_open(self, args, &p, err);
    if (rc == 0)
        rc = snp_platform_status(p, &now, err);
    if (rc)
        return rc;
    snprintf(lost, sizeof lost, "make firmware older than %u.%u build %u impossible on this machine, for ever", now.api_major,
        now.api_minor,
             (unsigned)now.build);
    rc = host_confirm(self, args, lost, err);
    if (rc == 0)
        rc = snp_commit(p, err);
    if (rc == 0)
        printf("committed: %u.%u build %u is the oldest firmware that can run here\n", now.api_major, now.api_minor,
            (unsigned)now.build);
    return rc;
}

const struct cli_command cmd_host_commit = {
    .name = "host commit",
    .operands = "",
    .summary = "give up the way back: the firmware that runs becomes the oldest that can (SNP_COMMIT)",
    .exits = "0 done, 1 refused by the firmware, 2 no /dev/sev, 3 the driver refuses, 4 --yes or permission is missing",
    .options = {HOST_ROOT_OPTION, HOST_YES_OPTION},
    .run = host_commit,
};
