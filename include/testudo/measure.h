/* SPDX-License-Identifier: Apache-2.0 */
/* testudo/measure.h - launch measurements of SEV, SEV-ES and SEV-SNP guests: from firmware, kernel and vCPUs, or from an
 * IGVM file, to the digest that an attestation report carries; and the ID block that binds a launch to it.
 * Pure: no files, no clock. All functions are thread-safe on distinct objects. Sources: AMD 56860 (SNP_LAUNCH_UPDATE),
 * AMD 55766 (LAUNCH_UPDATE_DATA), APM 2 table B-4 (VMSA), EDK II OvmfPkg ResetVector, IGVM file format. */
#ifndef TESTUDO_MEASURE_H
#define TESTUDO_MEASURE_H

#include <testudo/snp.h>

#define TST_PAGE_BYTES 4096

/* ---- vCPUs ---- */
/* CPUID Fn0000_0001 EAX of a family, model and stepping as they are printed (family 25, not 15 + 10). */
uint32_t tst_cpu_signature(unsigned family, unsigned model, unsigned stepping);
/* QEMU's CPU models; the table ends with name NULL. */
struct tst_cpu_model {
    const char *name; /* "EPYC-Milan" */
    uint32_t signature;
};
const struct tst_cpu_model *tst_cpu_models(void);
/* By QEMU's name, any case; false if there is none. */
bool tst_cpu_model_find(const char *name, uint32_t *signature);

enum tst_vmm { TST_VMM_QEMU, TST_VMM_EC2, TST_VMM_GCE, TST_VMM_KRUN };
const char *tst_vmm_name(enum tst_vmm v);
bool tst_vmm_of(const char *name, enum tst_vmm *out); /* any case */

/* Whether the hypervisor copies the reset state of the FPU into the VMSA (KVM does since Linux 6.10 or so). AUTO: QEMU both
 * registers, QEMU with an SVSM MXCSR only (as the published measurements have it), others none. */
enum tst_vmsa_fpu { TST_FPU_AUTO, TST_FPU_NONE, TST_FPU_MXCSR, TST_FPU_FULL };

#define TST_SEV_FEATURE_SNP (1ULL << 0)
#define TST_SEV_FEATURE_DEBUG_SWAP (1ULL << 5)
#define TST_SEV_FEATURE_SECURE_TSC (1ULL << 9)
#define TST_BSP_EIP 0xfffffff0u

/* The register state that one vCPU starts with. */
struct tst_vmsa_spec {
    enum tst_vmm vmm;
    bool svsm;    /* 32-bit protected mode at the SVSM's entry, as its loader leaves it (QEMU only) */
    unsigned cpu; /* 0 = the boot processor */
    uint32_t eip; /* where it starts: TST_BSP_EIP, the firmware's SEV-ES reset address, or the SVSM's entry */
    uint32_t signature;
    uint64_t sev_features; /* 0 for SEV-ES */
    enum tst_vmsa_fpu fpu;
    bool rdx_zero; /* EC2 before its RDX was set to 0x600 at reset */
};
void tst_vmsa_build(const struct tst_vmsa_spec *s, uint8_t page[TST_PAGE_BYTES]);

/* ---- firmware ---- */
enum tst_section_kind {
    TST_SECTION_SEC_MEM = 1,
    TST_SECTION_SECRETS = 2,
    TST_SECTION_CPUID = 3,
    TST_SECTION_SVSM_CAA = 4,
    TST_SECTION_KERNEL_HASHES = 0x10,
};
const char *tst_section_name(enum tst_section_kind k);
struct tst_section {
    uint32_t gpa, bytes;
    enum tst_section_kind kind;
};
#define TST_FIRMWARE_MAX_BYTES (64u * 1024 * 1024)
#define TST_SECTIONS_MAX 32
#define TST_SECTION_MAX_BYTES (256u * 1024 * 1024) /* of all sections together */
/* What OVMF's (or an SVSM's) GUIDed table at its end says. */
struct tst_firmware {
    struct tst_bytes image; /* borrowed */
    bool has_table;
    bool has_reset;
    uint32_t reset_eip; /* SEV-ES reset block: where the other processors start */
    bool has_hashes;
    uint32_t hashes_gpa, hashes_bytes; /* where the VMM puts the table of kernel hashes */
    bool has_svsm_info;
    uint32_t svsm_entry; /* offset of an SVSM's entry in its image */
    struct tst_section sections[TST_SECTIONS_MAX];
    size_t section_count;
};
int tst_firmware_parse(const void *p, size_t n, struct tst_firmware *out, struct tst_error **err);

/* ---- kernel, initrd, command line ---- */
struct tst_kernel {
    uint8_t kernel[TST_SHA256_BYTES], initrd[TST_SHA256_BYTES], cmdline[TST_SHA256_BYTES];
    const char *cmdline_text; /* borrowed; used by tst_measure_explain only, may be NULL */
    bool has_initrd;
};
/* Sets the hashes; the command line's covers its NUL. initrd {NULL, 0} = none. cmdline NULL = "". */
int tst_kernel_set(struct tst_kernel *k, struct tst_bytes kernel, struct tst_bytes initrd, const char *cmdline,
                   struct tst_error **err);
int tst_kernel_set_initrd(struct tst_kernel *k, struct tst_bytes initrd, struct tst_error **err);
int tst_kernel_set_cmdline(struct tst_kernel *k, const char *cmdline, struct tst_error **err);
#define TST_HASH_TABLE_BYTES 176
/* The table that QEMU puts into the guest's memory. */
void tst_kernel_table(const struct tst_kernel *k, uint8_t out[TST_HASH_TABLE_BYTES]);

/* ---- launch measurement ---- */
enum tst_measure_mode { TST_MEASURE_SEV, TST_MEASURE_SEV_ES, TST_MEASURE_SNP };
const char *tst_measure_mode_name(enum tst_measure_mode m); /* "sev", "es", "snp" */
bool tst_measure_mode_of(const char *name, enum tst_measure_mode *out);
#define TST_VMSA_GPA_KVM 0xfffffffff000ULL
#define TST_VCPUS_MAX 4096

struct tst_measure_in {
    enum tst_measure_mode mode;
    enum tst_vmm vmm;
    struct tst_bytes firmware;          /* OVMF's code, as the VMM maps it below 4 GiB */
    const uint8_t *firmware_digest;     /* SNP: 48 bytes, the digest after the firmware's pages; NULL = computed. Then
                                           `firmware` may be its last page(s) alone, for the table in it. */
    struct tst_bytes svsm;              /* SNP on QEMU: the SVSM's image; {NULL, 0} = none */
    uint32_t vars_bytes;                /* with an SVSM: bytes of the variable store between SVSM and firmware */
    const struct tst_kernel *kernel;    /* NULL = not measured */
    unsigned vcpus;                     /* 1..TST_VCPUS_MAX; not used by SEV */
    uint32_t signature;                 /* in RDX on QEMU; else not used */
    uint64_t sev_features;              /* SNP: bit 0 must be set */
    uint64_t vmsa_gpa;                  /* SNP: 0 = TST_VMSA_GPA_KVM */
    enum tst_vmsa_fpu fpu;
    bool rdx_zero;
    bool hashes_first;                  /* kernel hashes measured before the other sections (QEMU patches before 2023-03) */
};
struct tst_measurement {
    uint8_t digest[TST_SHA384_BYTES];
    size_t bytes; /* 48 for SNP, 32 else */
};
int tst_measure(const struct tst_measure_in *in, struct tst_measurement *out, struct tst_error **err);
/* SNP: the digest after the firmware's (and the SVSM's) pages, for firmware_digest. Page-multiple only. */
int tst_measure_firmware(const struct tst_measure_in *in, uint8_t out[TST_SHA384_BYTES], struct tst_error **err);

/* ---- explain: which usual mistake leads to this digest? ---- */
struct tst_explain_change {
    char *what;  /* "vcpus", "kernel", ... */
    char *given, *found;
};
struct tst_explanation {
    bool found;
    struct tst_explain_change *changes; /* when found: what differs from what was given; none = exactly as given */
    size_t change_count;
    char **tried; /* one line a dimension: what was varied */
    size_t tried_count;
    uint64_t combinations;
};
/* Searches all combinations of the usual variants and of 1..max_vcpus vCPUs; the match with the fewest changes wins.
 * 0 also when nothing matched. */
int tst_measure_explain(const struct tst_measure_in *in, unsigned max_vcpus, const uint8_t *got, size_t n,
                        struct tst_explanation **out, struct tst_error **err);
void tst_explanation_free(struct tst_explanation *e);
TST_CLEANUP_FN(struct tst_explanation *, tst_explanation_free)
#define TST_AUTO_EXPLANATION TST_CLEANUP(tst_explanation_free) __typeof__(struct tst_explanation *)

/* ---- IGVM ---- */
#define TST_IGVM_MAX_BYTES (128u * 1024 * 1024)
struct tst_igvm_options {
    bool native_zero; /* pages without data are measured as zero pages (QEMU), not as normal pages full of zeros */
};
struct tst_igvm {
    uint32_t format, headers, pages, zero_pages, parameter_pages, vmsas;
    bool has_policy;
    uint64_t policy;
    bool has_id_block; /* the file's own ID block directive */
    uint8_t id_block_digest[TST_SHA384_BYTES];
    uint64_t vmsa_gpa, sev_features; /* of the first VMSA */
    uint8_t digest[TST_SHA384_BYTES];
};
int tst_igvm_measure(const void *p, size_t n, const struct tst_igvm_options *options, struct tst_igvm *out,
                     struct tst_error **err);

/* ---- ID block (56860 "ID_BLOCK", "ID_AUTH_INFO") ---- */
#define TST_ID_BLOCK_BYTES 96
#define TST_ID_AUTH_BYTES 4096
#define TST_ID_KEY_BYTES 0x404
struct tst_id_block {
    uint8_t digest[TST_SHA384_BYTES];
    uint8_t family_id[16], image_id[16];
    uint32_t version; /* 1 */
    uint32_t guest_svn;
    uint64_t policy;
};
void tst_id_block_write(const struct tst_id_block *b, uint8_t out[TST_ID_BLOCK_BYTES]);
int tst_id_block_parse(const void *p, size_t n, struct tst_id_block *out, struct tst_error **err);
/* SHA-384 of the key as the firmware sees it: what ID_KEY_DIGEST and AUTHOR_KEY_DIGEST of a report carry. P-384 only. */
int tst_id_key_digest(const struct tst_key *key, uint8_t out[TST_SHA384_BYTES], struct tst_error **err);
/* Signs the block with id_key and, when author_key is given, id_key with author_key. Both P-384, both private. */
int tst_id_auth_build(const uint8_t block[TST_ID_BLOCK_BYTES], const struct tst_key *id_key, const struct tst_key *author_key,
                      uint8_t out[TST_ID_AUTH_BYTES], struct tst_error **err);
struct tst_id_auth {
    uint8_t id_key_digest[TST_SHA384_BYTES];
    bool has_author;
    uint8_t author_key_digest[TST_SHA384_BYTES];
};
/* -TST_USAGE when malformed, -TST_REFUTED when a signature does not verify. */
int tst_id_auth_verify(const uint8_t block[TST_ID_BLOCK_BYTES], const void *auth, size_t n, struct tst_id_auth *out,
                       struct tst_error **err);

#endif
