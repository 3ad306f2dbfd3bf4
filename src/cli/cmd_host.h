/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_host.h - what the commands of `testudo host` share. */
#ifndef TESTUDO_CLI_CMD_HOST_H
#define TESTUDO_CLI_CMD_HOST_H

#include "cli/cli.h"
#include "platform/sev_dev.h"

#define HOST_ROOT_OPTION {"--root", "FILE|FOLDER", "a machine described in a file instead of this one"}
#define HOST_YES_OPTION {"--yes", NULL, "do it; without this only what would happen is said"}

/* Opens the machine; a constructed one is announced first, so that no output passes for a real machine's. */
int host_open(const struct cli_command *self, const struct cli_args *args, struct platform **out, struct tst_error **err);
/* -TST_DENIED with what would be lost, unless --yes was given. */
int host_confirm(const struct cli_command *self, const struct cli_args *args, const char *lost, struct tst_error **err);
enum tst_snp_product host_product(const struct platform *p);
/* Exactly n bytes. */
int host_read_exact(const char *path, uint8_t *to, size_t n, struct tst_error **err);
/* A new file; an existing one is never replaced. */
int host_write_new(const char *path, const void *bytes, size_t n, struct tst_error **err);

#endif
