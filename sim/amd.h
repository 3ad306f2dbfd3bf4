/* SPDX-License-Identifier: Apache-2.0 */
/* sim/amd.h - a synthetic AMD key hierarchy: ARK -> ASK (RSA-4096, PSS) -> one VCEK (P-384) a chip, with AMD's names,
 * serial numbers, extensions and lifetimes, and O=SIMULATED. Whoever has these keys can sign any report: the secure
 * processor keeps them below its state directory, tests in memory or in a cache directory.
 * Source of the certificate profile: AMD 57230. Thread-safe on distinct objects; a const amd_root may be shared. */
#ifndef SIM_AMD_H
#define SIM_AMD_H

#include <testudo/snp.h>

/* What is particular to a product. */
struct amd_product {
    const char *cn;           /* as in ARK-Genoa */
    const char *product_name; /* VCEK's extension */
    size_t hwid_bytes;
    uint64_t ark_serial, ask_serial, platform_info;
    enum tst_snp_product id;
    struct tst_snp_tcb tcb; /* of a chip made without a TCB */
    uint8_t struct_version, cpuid_family, cpuid_model, cpuid_stepping;
};
/* NULL for a product that is not simulated. */
const struct amd_product *amd_product_of(enum tst_snp_product id);

struct amd_root {
    const struct amd_product *product;
    struct tst_key *ark_key, *ask_key; /* owned, as all below */
    struct tst_cert *ark, *ask;
};
/* In memory. Seconds of work: two RSA-4096 keys, made side by side in two threads. Valid from `from` for 25 years. */
int amd_root_make(enum tst_snp_product product, time_t from, struct amd_root **out, struct tst_error **err);
/* The same two keys under another product's names: tests of several products need not wait for new ones. */
int amd_root_as(const struct amd_root *keys_of, enum tst_snp_product product, time_t from, struct amd_root **out,
                struct tst_error **err);
/* The hierarchy kept in state directory `dir`: loaded, or (any number of processes may try at once) made and stored.
 * TST_REFUTED if the directory holds another product's. */
int amd_root_open(const char *dir, enum tst_snp_product product, time_t from, struct amd_root **out,
                  struct tst_error **err);
/* The one that is there, whatever its product; TST_NOT_FOUND if there is none. */
int amd_root_load(const char *dir, struct amd_root **out, struct tst_error **err);
void amd_root_free(struct amd_root *r);
TST_CLEANUP_FN(struct amd_root *, amd_root_free)
#define AUTO_ROOT TST_CLEANUP(amd_root_free) struct amd_root *

struct amd_chip {
    const struct amd_product *product;
    uint8_t id[TST_SNP_CHIP_BYTES]; /* Turin: 8 bytes, then zeros */
    struct tst_snp_tcb tcb;
    struct tst_key *vcek_key; /* owned */
    struct tst_cert *vcek;    /* owned; 7 years from `from` */
};
/* A chip with a random id. tcb NULL = the product's. */
int amd_chip_make(const struct amd_root *root, const struct tst_snp_tcb *tcb, time_t from, struct amd_chip **out,
                  struct tst_error **err);
/* The same chip id at another TCB, which means another VCEK (as on real parts). */
int amd_chip_at_tcb(const struct amd_root *root, const struct amd_chip *chip, const struct tst_snp_tcb *tcb,
                    time_t from, struct amd_chip **out, struct tst_error **err);
/* The chip called `name` (tst_is_name) of state directory `dir`, made at first use. One process at a time. */
int amd_chip_open(const char *dir, const struct amd_root *root, const char *name, time_t from, struct amd_chip **out,
                  struct tst_error **err);
void amd_chip_free(struct amd_chip *c);
TST_CLEANUP_FN(struct amd_chip *, amd_chip_free)
#define AUTO_CHIP TST_CLEANUP(amd_chip_free) struct amd_chip *

/* Borrows the three certificates. */
struct tst_snp_certs amd_certs_of(const struct amd_root *root, const struct amd_chip *chip);
/* GHCB certificate table (auxblob) with VCEK, ASK, ARK. */
int amd_cert_table(const struct amd_root *root, const struct amd_chip *chip, struct tst_buf *out,
                   struct tst_error **err);

#endif
