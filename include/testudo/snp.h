/* SPDX-License-Identifier: Apache-2.0 */
/* testudo/snp.h - SEV-SNP evidence: attestation report, TCB, VEK certificates, certificate table. Pure. */
#ifndef TESTUDO_SNP_H
#define TESTUDO_SNP_H

#include <testudo/crypto.h>

#define TST_SNP_REPORT_BYTES 1184
#define TST_SNP_SIGNED_BYTES 0x2A0
#define TST_SNP_DIGEST_BYTES 48
#define TST_SNP_CHIP_BYTES 64
#define TST_SNP_REPORT_DATA_BYTES 64
#define TST_SNP_REPORT_ID_BYTES 32

/* Venice is known by its CPUID only: AMD has published no root key for it, so none of its evidence can be verified. */
enum tst_snp_product { TST_SNP_UNKNOWN, TST_SNP_MILAN, TST_SNP_GENOA, TST_SNP_TURIN, TST_SNP_VENICE };
const char *tst_snp_product_name(enum tst_snp_product p); /* "milan", ...; "unknown" */
enum tst_snp_product tst_snp_product_of(const char *name);
/* KDS product of a CPUID family/model (AMD 57230; Bergamo and Siena are "genoa"). */
enum tst_snp_product tst_snp_product_of_cpuid(uint8_t family, uint8_t model);

/* One TCB_VERSION, compared component by component, never as one integer. */
struct tst_snp_tcb {
    bool has_fmc; /* Turin and later */
    uint8_t fmc, bootloader, tee, snp, microcode;
};
/* raw: the 8 bytes in file order; the layout depends on the product. */
struct tst_snp_tcb tst_snp_tcb_of(enum tst_snp_product p, const uint8_t raw[8]);
void tst_snp_tcb_raw(enum tst_snp_product p, const struct tst_snp_tcb *tcb, uint8_t raw[8]);
bool tst_snp_tcb_at_least(const struct tst_snp_tcb *a, const struct tst_snp_tcb *floor);
bool tst_snp_tcb_equal(const struct tst_snp_tcb *a, const struct tst_snp_tcb *b);
/* "bootloader 10, tee 0, snp 23, microcode 84"; out >= 96 bytes. */
void tst_snp_tcb_print(const struct tst_snp_tcb *tcb, char *out, size_t n);

/* Turin and later have the component fmc, and 8 bytes of chip id. */
bool tst_snp_tcb_has_fmc(enum tst_snp_product p);
size_t tst_snp_hwid_bytes(enum tst_snp_product p);

/* AMD 56860, table "ATTESTATION_REPORT". raw keeps the bytes that were signed: they alone are verified. */
struct tst_snp_report {
    uint8_t raw[TST_SNP_REPORT_BYTES];
    uint32_t version, guest_svn, vmpl, signature_algo;
    uint64_t policy, platform_info;
    uint32_t key_info; /* b0 AUTHOR_KEY_EN, b1 MASK_CHIP_KEY, b4:2 SIGNING_KEY */
    uint8_t family_id[16], image_id[16];
    uint8_t report_data[TST_SNP_REPORT_DATA_BYTES], measurement[TST_SNP_DIGEST_BYTES], host_data[32];
    uint8_t id_key_digest[48], author_key_digest[48];
    uint8_t report_id[TST_SNP_REPORT_ID_BYTES], report_id_ma[TST_SNP_REPORT_ID_BYTES];
    uint8_t cpuid_family, cpuid_model, cpuid_stepping; /* version >= 3, else 0 */
    uint8_t chip_id[TST_SNP_CHIP_BYTES];
    uint8_t current_tcb[8], reported_tcb[8], committed_tcb[8], launch_tcb[8]; /* raw, file order */
    uint8_t current_build, current_minor, current_major, committed_build, committed_minor, committed_major;
    uint64_t launch_mit_vector, current_mit_vector; /* version >= 5 */
    uint8_t signature_r[48], signature_s[48]; /* big-endian */
};
#define TST_SNP_POLICY_SMT (1ULL << 16)
#define TST_SNP_POLICY_MIGRATE_MA (1ULL << 18)
#define TST_SNP_POLICY_DEBUG (1ULL << 19)
/* Exactly TST_SNP_REPORT_BYTES; versions 2..5. TST_USAGE says offset and reason. */
int tst_snp_report_parse(const void *p, size_t n, struct tst_snp_report *out, struct tst_error **err);

/* As above, and versions beyond 5 too: their known fields are read as in version 5; what is verified is raw. */
int tst_snp_report_parse_lenient(const void *p, size_t n, struct tst_snp_report *out, struct tst_error **err);

/* A VEK's AMD extensions (57230). */
struct tst_snp_vek {
    bool vlek;
    enum tst_snp_product product;
    char product_name[32]; /* as written: "Milan-B0" */
    struct tst_snp_tcb tcb;
    uint8_t hwid[TST_SNP_CHIP_BYTES]; /* zero-padded */
    size_t hwid_bytes;                /* 64, Turin 8, VLEK 0 */
    char csp[128];                    /* VLEK: the provider whose hosts share the key, as written; else "" */
};
int tst_snp_vek_parse(const struct tst_cert *c, struct tst_snp_vek *out, struct tst_error **err);

/* Certificates as found (each may be NULL). */
struct tst_snp_certs {
    struct tst_cert *vek, *ask, *ark;
};
void tst_snp_certs_clear(struct tst_snp_certs *c);
/* Table of the extended report / auxblob (GHCB 2.x; payloads DER or PEM). Unknown GUIDs are passed over. Fills only what
 * is still NULL in out. */
#define TST_SNP_CERT_TABLE_MAX 16384
int tst_snp_cert_table_parse(const void *p, size_t n, struct tst_snp_certs *out, struct tst_error **err);
/* One entry of the table: GUID as printed, its name (NULL: not known), where its payload lies. Borrowed. */
struct tst_snp_cert_entry {
    char guid[37];
    const char *name; /* "VCEK", "CRL", ... */
    size_t offset;
    struct tst_bytes payload;
};
typedef int tst_snp_cert_entry_fn(void *ctx, const struct tst_snp_cert_entry *e, struct tst_error **err);
/* Calls `each` for every entry, known or not, until it fails. */
int tst_snp_cert_table_each(const void *p, size_t n, tst_snp_cert_entry_fn *each, void *ctx, struct tst_error **err);
/* Writes a table of DER payloads. */
int tst_snp_cert_table_build(const struct tst_snp_certs *c, struct tst_buf *out, struct tst_error **err);

/* ---- AMD's key distribution service (57230): what certificates and lists are asked for, and kept, under ---- */
#define TST_KDS_BASE "https://kdsintf.amd.com"
/* The product as AMD's names and addresses write it: "Milan"; NULL for TST_SNP_UNKNOWN. */
const char *tst_snp_product_amd_name(enum tst_snp_product p);

/* Values of SIGNING_KEY in the report's key_info; the others are reserved. */
enum tst_snp_signing_key { TST_SNP_KEY_VCEK = 0, TST_SNP_KEY_VLEK = 1, TST_SNP_KEY_NONE = 7 };
static inline unsigned tst_snp_signing_key(const struct tst_snp_report *r)
{
    return (r->key_info >> 2) & 7;
}
#define TST_SNP_KEY_INFO_MASK_CHIP_KEY (1u << 1)

/* One VEK: a VCEK belongs to a chip at a TCB, a VLEK to a provider at a TCB. */
struct tst_snp_vek_id {
    enum tst_snp_product product;
    bool vlek;
    uint8_t hwid[TST_SNP_CHIP_BYTES]; /* zero-padded; VLEK: zero */
    size_t hwid_bytes;                /* VLEK: 0 */
    struct tst_snp_tcb tcb;
};
/* The VEK that the report says it was signed with, at its reported TCB. `hint` is the product of a version 2 report, which
 * does not name its CPU. TST_UNDECIDABLE when the report does not say it: no product, chip id or chip key masked, unsigned. */
int tst_snp_vek_id_of_report(const struct tst_snp_report *r, enum tst_snp_product hint, struct tst_snp_vek_id *out,
                             struct tst_error **err);
bool tst_snp_vek_id_equal(const struct tst_snp_vek_id *id, const struct tst_snp_vek *vek);
/* Addresses below `base` (NULL: TST_KDS_BASE), malloc'ed; NULL only when out of memory. A VLEK is not published. */
char *tst_kds_vcek_url(const char *base, const struct tst_snp_vek_id *id);
char *tst_kds_chain_url(const char *base, enum tst_snp_product p, bool vlek);
char *tst_kds_crl_url(const char *base, enum tst_snp_product p, bool vlek);

#endif
