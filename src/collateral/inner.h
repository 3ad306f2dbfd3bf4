/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/inner.h - what the files of this room share: names of files, chains as found, the rules that content must hold. */
#ifndef TESTUDO_COLLATERAL_INNER_H
#define TESTUDO_COLLATERAL_INNER_H

#include "collateral/fs.h"
#include "collateral/store.h"

#define CHAIN_FILE_MAX_BYTES (4 * TST_CERT_MAX_BYTES)
#define PATH_BYTES 320

struct collateral_store {
    char *dir;
    int fd; /* the folder */
    uint8_t (*roots)[TST_SHA256_BYTES]; /* simulators' keys that are let in */
    size_t root_count;
};

/* ASK or ASVK, and ARK. */
struct chain {
    struct tst_cert *ask, *ark;
};
void chain_clear(struct chain *c);
#define AUTO_CHAIN __attribute__((cleanup(chain_clear))) struct chain

void error_forget(struct tst_error **err); /* an expected failure */
int absent_is_fine(int rc, struct tst_error **err); /* -TST_NOT_FOUND becomes 0 */

/* ---- names: all made from verified content, none from a sender's text ---- */
struct folder {
    char name[COLLATERAL_FOLDER_BYTES]; /* "genoa", "sim-0123456789abcdef-genoa" */
    enum tst_snp_product product;
    bool simulated;
};
/* The folder that belongs to a root certificate; whether that root is trusted is not asked. */
int folder_of_root(const struct tst_cert *ark, struct folder *out, struct tst_error **err);
bool folder_parse(const char *name, struct folder *out);
#define FOLDERS_MAX 256
/* Folders of the store that are there, AMD's own first; product TST_SNP_UNKNOWN: all. */
int folders_list(const struct collateral_store *s, enum tst_snp_product product, struct folder out[FOLDERS_MAX], size_t *count,
                 struct tst_error **err);
void path_chain(const struct folder *f, bool vlek, char out[PATH_BYTES]);
void path_crl(const struct folder *f, char out[PATH_BYTES]);
void path_crl_memory(const struct folder *f, char out[PATH_BYTES]);
/* `csp` is a VLEK's provider; its hash is the name. */
int path_vek(const struct folder *f, const struct tst_snp_vek_id *id, const char *csp, char out[PATH_BYTES], struct tst_error **err);
/* "bl10-tee0-snp23-uc84" */
void tcb_name(const struct tst_snp_tcb *tcb, char out[64]);

/* ---- what content must be: check.c; -TST_REFUTED with a reason ---- */
int root_check_trusted(const struct collateral_store *s, const struct tst_cert *ark, struct tst_error **err);
/* Names, keys, algorithms, dates, signatures of both; *vlek: the lower one is an ASVK. Trust in the root is not asked. */
int chain_check(const struct chain *c, time_t now, enum tst_snp_product *product, bool *vlek, struct tst_error **err);
int vek_check(const struct tst_cert *vek, const struct chain *c, time_t now, struct tst_snp_vek *claims, struct tst_error **err);
int crl_check(const struct tst_crl *crl, const struct tst_cert *ark, time_t now, struct tst_error **err);
struct tst_snp_vek_id vek_id_of(const struct tst_snp_vek *v);

/* ---- reading: parsed, nothing else. -TST_NOT_FOUND if it is not there ---- */
int load_chain(const struct collateral_store *s, const struct folder *f, bool vlek, struct chain *out, struct tst_error **err);
int load_cert(const struct collateral_store *s, const char *path, struct tst_cert **out, struct tst_error **err);
int load_crl(const struct collateral_store *s, const struct folder *f, struct tst_crl **out, struct tst_error **err);
/* Highest CRL number seen; 0 when none was. */
int load_crl_memory(const struct collateral_store *s, const struct folder *f, uint64_t *out, struct tst_error **err);
/* File names of one folder, sorted, without those that begin with a dot or end in .tmp; each malloc'ed. */
int names_in(const struct collateral_store *s, const char *path, char ***out, size_t *count, struct tst_error **err);
void names_free(char **names, size_t count);

#endif
