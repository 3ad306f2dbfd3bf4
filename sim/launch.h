/* SPDX-License-Identifier: Apache-2.0 */
/* sim/launch.h - what a simulated machine measures of a node before it starts, and the launch digest of that.
 * The secure processor reads it through the node's root directory; `testudo up` computes it beforehand from the same
 * files, to write the reference value. Contract: docs/internals.md "Launch on the local provider". */
#ifndef SIM_LAUNCH_H
#define SIM_LAUNCH_H

#include <testudo/snp.h>

#define LAUNCH_AGENT_PATH "/usr/libexec/testudo/testudo-agent"
#define LAUNCH_INIT_PATH "/usr/libexec/testudo/testudo-init"
#define LAUNCH_FILE_PATH "/etc/testudo/launch"
#define LAUNCH_PROGRAM_MAX_BYTES (64U * 1024 * 1024)
#define LAUNCH_FILE_MAX_BYTES 256

struct launch_facts {
    uint8_t agent_sha256[TST_SHA256_BYTES], init_sha256[TST_SHA256_BYTES];
    char role[16];                         /* "controller" or "node" */
    char broker[80];                       /* "HOST:PORT" */
    char ca_hex[2 * TST_SHA256_BYTES + 1]; /* SPKI SHA-256 of the broker's CA, lower case */
};

/* Sets role, broker and ca; TST_USAGE when one of them is not of the shape above. */
int launch_facts_set(struct launch_facts *f, const char *role, const char *broker, const char *ca_hex,
                     struct tst_error **err);
/* /etc/testudo/launch: exactly the lines role=, broker=, ca=, in this order, each ended by a newline. Touches only
 * these three members of f. */
int launch_file_parse(const char *text, size_t n, struct launch_facts *f, struct tst_error **err);
/* The same file's text for f; *out malloc'ed. Parses back to the same members. */
int launch_file_print(const struct launch_facts *f, char **out, struct tst_error **err);

/* Measures the three files below the directory root_fd (O_PATH suffices). Nothing outside of it is reachable, symbolic
 * links and anything that is no regular file are refused. */
int launch_facts_read_root(int root_fd, struct launch_facts *out, struct tst_error **err);
/* Measures two programs by path, with the launch file's members given. */
int launch_facts_of_files(const char *agent_path, const char *init_path, const char *role, const char *broker,
                          const char *ca_hex, struct launch_facts *out, struct tst_error **err);
/* SHA-384("testudo-sim-launch-v1" || RFC 8785 manifest). */
int launch_digest(const struct launch_facts *f, uint8_t out[TST_SNP_DIGEST_BYTES], struct tst_error **err);

#endif
