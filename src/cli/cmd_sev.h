/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_sev.h - what the `testudo sev` commands share: the options that name a chain, its verdict on screen, and files
 * that hold secrets. */
#ifndef TESTUDO_CLI_CMD_SEV_H
#define TESTUDO_CLI_CMD_SEV_H

#include <testudo/sev.h>

#include "cli.h"

/* The options that name a platform's certificates, for tables of options. */
#define SEV_CHAIN_OPTIONS                                                                                    \
    {"--chain", "FILE", "PDH, PEK, OCA, CEK, and ASK, ARK if there, one behind the other (an export)"},     \
        {"--pdh", "FILE", "the platform's Diffie-Hellman key"}, {"--pek", "FILE", "the platform's endorsement key"}, \
        {"--oca", "FILE", "the owner's key"}, {"--cek", "FILE", "the chip's key, signed by AMD"},           \
        {"--ask", "FILE", "AMD's intermediate key"}, {"--ark", "FILE", "AMD's root key"},                   \
        {"--ca", "FILE", "ASK and ARK in one file, as AMD publishes them"},                                 \
        {"--simulated-root", "HEX", "SPKI SHA-256 of one more root; what it signs is marked SIMULATED"}

struct sev_platform {
    struct tst_sev_chain chain;
    struct tst_sev_pin root; /* of --simulated-root */
    bool has_root;
    struct tst_sev_verdict verdict;
};
/* Reads and verifies what the options name. 0 whatever the verdict says. */
int sev_platform_read(const struct cli_command *self, const struct cli_args *args, struct sev_platform *out, struct tst_error **err);
/* The same, and -TST_REFUTED or -TST_UNDECIDABLE unless the whole chain holds. */
int sev_platform_require(const struct cli_command *self, const struct cli_args *args, struct sev_platform *out, struct tst_error **err);
void sev_verdict_print(const struct tst_sev_verdict *v);
int sev_verdict_json(const struct tst_sev_verdict *v, json_t **out, struct tst_error **err);
int sev_outcome_status(enum tst_sev_outcome o); /* exit status */
const char *sev_outcome_word(enum tst_sev_outcome o);

/* An option's value of exactly n bytes: a file with them, a file with their hex or base64, or that text itself. */
int sev_read_bytes(const char *option, const char *value, void *out, size_t n, struct tst_error **err);
/* A secret of min..max bytes, from a file only: it passes through no other buffer. */
int sev_read_secret(const char *path, size_t min, size_t max, struct tst_secret **out, struct tst_error **err);
/* Writes a file that must not be there yet. */
int sev_write_new(const char *path, const void *p, size_t n, unsigned mode, struct tst_error **err);
/* Ordinary base64 with padding, as QEMU and libvirt take it; malloc'ed, NULL when out of memory. Not for secrets. */
char *sev_base64(const void *p, size_t n);
int sev_policy_read(const char *text, uint32_t *out, struct tst_error **err);
/* Missing option: TST_USAGE. */
int sev_need(const struct cli_command *self, const struct cli_args *args, const char *option, const char **out, struct tst_error **err);
void sev_print_hex(const char *name, const void *p, size_t n);

#endif
