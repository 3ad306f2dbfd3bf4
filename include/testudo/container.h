/* SPDX-License-Identifier: Apache-2.0 */
/* testudo/container.h - SEV-SNP evidence as it really arrives: the report, with what came around it, from bytes that are
 * recognised by content. Pure. Nothing is believed here: what is found is what tst_appraise() is to judge. */
#ifndef TESTUDO_CONTAINER_H
#define TESTUDO_CONTAINER_H

#include <testudo/snp.h>

enum tst_container_kind {
    TST_CONTAINER_RAW,      /* 1184 bytes */
    TST_CONTAINER_RESPONSE, /* MSG_REPORT_RSP: report at 0x20 (AMD 56860; what the ioctl of /dev/sev-guest returns) */
    TST_CONTAINER_EXTENDED, /* report or MSG_REPORT_RSP, then the host's certificate table (GHCB) */
    TST_CONTAINER_HCL,      /* Azure: 'HCLA' header, report at 0x20, runtime JSON whose hash is in REPORT_DATA */
    TST_CONTAINER_TSM,      /* blobs of a configfs-tsm entry */
    TST_CONTAINER_SEV_JSON, /* Trustee/KBS: the report member by member, put back into its 1184 bytes */
    TST_CONTAINER_BLOB_JSON /* {"snp-report", "auxblob"} (this project) or {"snp-report", "certs-buf"} */
};
const char *tst_container_kind_name(enum tst_container_kind k); /* "raw report" */
enum tst_container_text { TST_TEXT_NONE, TST_TEXT_HEX, TST_TEXT_BASE64 }; /* what the bytes were wrapped in */

struct tst_container {
    enum tst_container_kind kind;
    enum tst_container_text text;
    uint8_t report[TST_SNP_REPORT_BYTES];
    struct tst_snp_certs certs; /* from the host's table or the JSON's cert_chain */
    struct tst_buf table;       /* the certificate table as it came; empty if there is none */
    struct tst_buf runtime;     /* Azure: the runtime JSON */
    struct tst_buf manifest;    /* SVSM: the services manifest */
    bool has_report_data;       /* the container itself says what REPORT_DATA must be: */
    uint8_t report_data[TST_SNP_REPORT_DATA_BYTES];
    size_t padding_bytes; /* zeros behind the evidence, where the container has such */
    bool lacks_mitigation; /* TST_CONTAINER_SEV_JSON of version 5 without the mitigation vectors: its writer dropped them */
};
#define TST_CONTAINER_MAX (256 * 1024)
/* Recognises and unpacks. What is cut short, too long or of another kind is TST_USAGE with expected, found and what to do.
 * lenient: unknown members of JSON evidence are passed over. `out` need not be initialised; it is empty after a failure. */
int tst_container_read(const void *p, size_t n, bool lenient, struct tst_container *out, struct tst_error **err);
/* Blobs of a configfs-tsm entry; those that are not there have n 0. inblob: what was asked for (64 bytes). With a manifest,
 * REPORT_DATA must be SHA-512(inblob, manifest), else inblob. */
struct tst_tsm_blobs {
    struct tst_bytes outblob, auxblob, manifestblob, inblob;
};
int tst_container_of_tsm(const struct tst_tsm_blobs *blobs, struct tst_container *out, struct tst_error **err);
void tst_container_clear(struct tst_container *c);
#define TST_AUTO_CONTAINER __attribute__((cleanup(tst_container_clear))) struct tst_container

/* ---- the SVSM services manifest (SVSM specification, "Attestation protocol") ---- */
struct tst_svsm_service {
    char guid[37];
    const char *name; /* "vTPM"; NULL: not known */
    struct tst_bytes data;
};
typedef int tst_svsm_service_fn(void *ctx, const struct tst_svsm_service *s, struct tst_error **err);
int tst_svsm_manifest_each(const void *p, size_t n, tst_svsm_service_fn *each, void *ctx, struct tst_error **err);
/* SHA-512(nonce, manifest): what REPORT_DATA carries when the SVSM vouches for its services. */
int tst_svsm_report_data(const uint8_t nonce[TST_SNP_REPORT_DATA_BYTES], const void *manifest, size_t n,
                         uint8_t out[TST_SNP_REPORT_DATA_BYTES], struct tst_error **err);

/* ---- a report, field by field: one table, from which text, JSON and documentation are printed ---- */
enum tst_field_kind { TST_FIELD_NUMBER, TST_FIELD_BYTES, TST_FIELD_TCB, TST_FIELD_BITS, TST_FIELD_FIRMWARE, TST_FIELD_RESERVED };
struct tst_bit_range {
    uint8_t first, last;
    const char *name, *meaning;
    const char *const *words; /* names of the values 0, 1, ...; ended by NULL; NULL: a number, or yes/no */
};
struct tst_report_field {
    const char *name, *meaning;
    uint16_t offset, size_bytes;
    uint8_t since; /* report version */
    enum tst_field_kind kind;
    const struct tst_bit_range *bits; /* ended by name NULL */
};
const struct tst_report_field *tst_report_fields(size_t *count);
/* Little-endian value of a field of at most 8 bytes. */
uint64_t tst_report_field_value(const struct tst_report_field *f, const uint8_t report[TST_SNP_REPORT_BYTES]);
/* Bits that are set and have no name. */
uint64_t tst_report_field_unknown(const struct tst_report_field *f, uint64_t value);
/* The value of one range of bits. */
uint64_t tst_bit_range_value(const struct tst_bit_range *b, uint64_t value);
/* Every field by its name; reserved fields that are not zero, and bits without a name, under "unknown". The product decides
 * how a TCB is read; with TST_SNP_UNKNOWN TCBs are printed raw. New reference. */
int tst_report_json(const uint8_t report[TST_SNP_REPORT_BYTES], enum tst_snp_product product, json_t **out,
                    struct tst_error **err);
/* What the report itself says: CPUID (version >= 3), else the form of its chip id. */
enum tst_snp_product tst_report_product(const struct tst_snp_report *r);
/* A product whose TCB layout is this report's: Milan and Genoa share one, so a version 2 report tells it too, unless its chip
 * id is masked. */
enum tst_snp_product tst_report_tcb_layout(const struct tst_snp_report *r);

#endif
