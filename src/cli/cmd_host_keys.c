/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_host_keys.c - the platform's keys: export, signing request, import, fresh ones, VLEK. Source: AMD 55766 chapter 5,
 * AMD 56860 SNP_VLEK_LOAD. Guests of plain SEV hang on these keys; those of SEV-SNP do not. */
#include "cli/cmd_host.h"

#include <unistd.h>

/* ---- export ---- */
static int host_pdh_export(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_PLATFORM p = NULL;
    uint8_t pdh[SEV_CERT_BYTES] = {0}, chain[SEV_CHAIN_BYTES] = {0};
    TST_AUTO_STR pdh_path = tst_strdup_printf("%s/pdh.cert", args->rest[0]);
    TST_AUTO_STR chain_path = tst_strdup_printf("%s/cert_chain.cert", args->rest[0]);
    if (!pdh_path || !chain_path)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = host_open(self, args, &p, err);
    if (rc == 0)
        rc = sev_pdh_export(p, pdh, chain, err);
    if (rc == 0)
        rc = host_write_new(pdh_path, pdh, sizeof pdh, err);
    if (rc < 0)
        return rc;
    rc = host_write_new(chain_path, chain, sizeof chain, err);
    if (rc < 0)
        unlink(pdh_path);
    else
        printf("%s (PDH), %s (PEK, OCA, CEK)\n", pdh_path, chain_path);
    return rc;
}

const struct cli_command cmd_host_pdh_export = {
    .name = "host pdh-export",
    .operands = "FOLDER",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "write what an SEV guest's owner needs to trust this platform: pdh.cert and cert_chain.cert",
    .exits = "0 written, 1 refused by the firmware, 2 bad usage or no /dev/sev, 3 the driver refuses, 4 no permission",
    .options = {HOST_ROOT_OPTION},
    .run = host_pdh_export,
};

static int host_pek_csr(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_PLATFORM p = NULL;
    uint8_t csr[SEV_CERT_BYTES] = {0};
    int rc = host_open(self, args, &p, err);
    if (rc == 0)
        rc = sev_pek_csr(p, csr, err);
    if (rc == 0)
        rc = host_write_new(args->rest[0], csr, sizeof csr, err);
    if (rc == 0)
        printf("%s: sign it with the owner's key, then `testudo host pek-import`\n", args->rest[0]);
    return rc;
}

const struct cli_command cmd_host_pek_csr = {
    .name = "host pek-csr",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "write a signing request for the platform's endorsement key",
    .exits = "0 written, 1 refused by the firmware, 2 bad usage or no /dev/sev, 3 the driver refuses, 4 no permission",
    .options = {HOST_ROOT_OPTION},
    .run = host_pek_csr,
};

/* ---- change ---- */
static int host_pek_import(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_PLATFORM p = NULL;
    uint8_t pek[SEV_CERT_BYTES], oca[SEV_CERT_BYTES];
    int rc = host_read_exact(args->rest[0], pek, sizeof pek, err);
    if (rc == 0)
        rc = host_read_exact(args->rest[1], oca, sizeof oca, err);
    if (rc == 0)
        rc = host_open(self, args, &p, err);
    if (rc == 0)
        rc = host_confirm(self, args, "hand the platform to the owner of that OCA key; only a factory reset takes it back",
            err);
    if (rc == 0)
        rc = sev_pek_import(p, pek, oca, err);
    if (rc == 0)
        puts("the platform has that owner now");
    return rc;
}

const struct cli_command cmd_host_pek_import = {
    .name = "host pek-import",
    .operands = "PEK OCA",
    .min_operands = 2,
    .max_operands = 2,
    .summary = "make the holder of the OCA key the platform's owner",
    .exits = "0 done, 1 refused by the firmware, 2 bad usage or no /dev/sev, 3 the driver refuses, 4 --yes or permission is missing",
    .options = {HOST_ROOT_OPTION, HOST_YES_OPTION},
    .run = host_pek_import,
};

static int host_vlek_load(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_PLATFORM p = NULL;
    uint8_t wrapped[SNP_WRAPPED_VLEK_BYTES];
    int rc = host_read_exact(args->rest[0], wrapped, sizeof wrapped, err);
    if (rc == 0)
        rc = host_open(self, args, &p, err);
    if (rc == 0)
        rc = host_confirm(self, args, "sign all reports of this host with that VLEK until the next boot", err);
    if (rc == 0)
        rc = snp_vlek_load(p, wrapped, err);
    if (rc == 0)
        puts("VLEK loaded until the next boot");
    return rc;
}

const struct cli_command cmd_host_vlek_load = {
    .name = "host vlek-load",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "load a wrapped VLEK (432 bytes, from AMD's key service for cloud providers)",
    .exits = "0 done, 1 refused by the firmware, 2 bad usage or no /dev/sev, 3 the driver refuses, 4 --yes or permission is missing",
    .options = {HOST_ROOT_OPTION, HOST_YES_OPTION},
    .run = host_vlek_load,
};

/* ---- fresh keys: three degrees ---- */
static const struct fresh {
    const char *option;
    enum sev_command command;
    const char *lost, *done;
} fresh[] = {
    {"--pdh", SEV_PDH_GEN_CMD, "make a new PDH: sessions that owners prepared for the old one start no guest any more",
     "new PDH"},
    {"--pek", SEV_PEK_GEN_CMD,
     "make a new PEK and PDH and drop the owner's signature: sessions prepared before start no guest any more",
     "new PEK and PDH, owned by the platform itself"},
    {NULL, SEV_FACTORY_RESET_CMD,
     "destroy the platform's PEK, PDH, OCA and owner, for ever: sessions prepared before start no guest any more, migration partners no "
     "longer know it",
     "factory reset done: new keys, owned by the platform itself"},
};

static const struct fresh *fresh_of(const struct cli_command *self, const struct cli_args *args)
{
    const struct fresh *f = fresh;
    while (f->option && !cli_value(self, args, f->option))
        f++;
    return f;
}

static int guests_none(const struct platform *p, struct tst_error **err)
{
    struct sev_status now;
    char found[48];
    int rc = sev_platform_status(p, &now, err);
    if (rc < 0 || now.guests == 0)
        return rc;
    snprintf(found, sizeof found, "%u guests", (unsigned)now.guests);
    tst_fail(err, TST_REFUTED, "host reset: SEV guests run on this platform");
    return tst_hint(err, "no SEV or SEV-ES guest", found, "stop them first");
}

static int host_reset(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_PLATFORM p = NULL;
    const struct fresh *f = fresh_of(self, args);
    if (cli_value(self, args, "--pdh") && cli_value(self, args, "--pek"))
        return tst_fail(err, TST_USAGE, "host reset: --pek makes a new PDH too; give one of them");
    int rc = host_open(self, args, &p, err);
    if (rc == 0)
        rc = guests_none(p, err);
    if (rc == 0)
        rc = host_confirm(self, args, f->lost, err);
    if (rc == 0)
        rc = sev_plain(p, f->command, err);
    if (rc == 0)
        puts(f->done);
    return rc;
}

const struct cli_command cmd_host_reset = {
    .name = "host reset",
    .operands = "",
    .summary = "factory reset of the platform's SEV keys, or new keys of one kind only",
    .exits = "0 done, 1 guests run, or refused by the firmware, 2 bad usage or no /dev/sev, 3 the driver refuses, 4 --yes or permission is missing",
    .options =
        {
            {"--pdh", NULL, "only a new PDH (PDH_GEN)"},
            {"--pek", NULL, "only a new PEK and PDH (PEK_GEN)"},
            HOST_ROOT_OPTION,
            HOST_YES_OPTION,
        },
    .run = host_reset,
};
