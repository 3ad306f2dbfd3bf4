/* SPDX-License-Identifier: Apache-2.0 */
/* cli/evidence_input.h - evidence from a file, a folder or standard input, with what is to be judged beside it. */
#ifndef TESTUDO_CLI_EVIDENCE_INPUT_H
#define TESTUDO_CLI_EVIDENCE_INPUT_H

#include <testudo/appraise.h>
#include <testudo/container.h>

#include "cli/cli.h"

struct evidence_input {
    struct tst_container container;
    struct tst_snp_certs certs; /* those of --vek and --chain, then the container's own, then the store's */
    struct tst_crl *crl;        /* the store's */
    struct tst_policy *policy;
    struct tst_evidence evidence;
    struct tst_appraise_in in;
    uint8_t report_data[TST_SNP_REPORT_DATA_BYTES];
};
void evidence_input_clear(struct evidence_input *e);
#define AUTO_INPUT __attribute__((cleanup(evidence_input_clear))) struct evidence_input

/* Only the container: `path` is a file, "-" or the folder of a configfs-tsm entry. */
int evidence_read(const char *path, bool lenient, struct tst_container *out, struct tst_error **err);
/* 64 bytes, raw or as 128 hex digits. */
int evidence_read_nonce(const char *path, uint8_t out[TST_SNP_REPORT_DATA_BYTES], struct tst_error **err);
/* The operand and the options below; e->in is ready for tst_appraise(). e must be zero. */
int evidence_input_load(const struct cli_command *self, const struct cli_args *args, struct evidence_input *e, struct tst_error **err);
/* A policy with its includes, whose paths count from its own folder. */
int evidence_policy(const char *path, struct tst_policy **out, struct tst_error **err);
int evidence_product(const char *name, enum tst_snp_product *out, struct tst_error **err);
/* "Azure HCL blob, as base64: ..."; malloc'ed. */
char *evidence_describe(const struct tst_container *c);
/* {kind, text, padding-bytes, ...} of the container. New reference. */
int evidence_container_json(const struct tst_container *c, json_t **out, struct tst_error **err);

#define EVIDENCE_OPTIONS_BESIDE_POLICY                                                                                \
    {"--vek", "FILE", "VCEK or VLEK certificate, DER or PEM; before what the evidence brings"},                       \
    {"--chain", "FILE", "ASK and ARK, PEM in any order, or a host's certificate table"},                              \
    {"--store", "DIR", "take what is missing from this collateral store"},                                            \
    {"--product", "NAME", "milan, genoa or turin; needed only where the evidence does not say it"},                   \
    {"--nonce", "FILE", "what REPORT_DATA must be: 64 bytes, or 128 hex digits"},                                     \
    {"--at", "RFC3339", "judge as of this time (default: now)"},                                                      \
    {"--lenient", NULL, "take reports of versions newer than 5, and unknown members of JSON evidence"}
#define EVIDENCE_OPTIONS                                                                                              \
    EVIDENCE_OPTIONS_BESIDE_POLICY,                                                                                   \
    {"--policy", "FILE", "judge by this policy too; without it only authenticity is judged"}

/* What usually stands behind a check that does not hold, ended by NULL; NULL if there is nothing to add. */
const char *const *evidence_causes(const struct tst_check *c);
/* Ids of that table, for tests and documentation. */
const char *evidence_cause_id(size_t i);

#endif
