/* SPDX-License-Identifier: Apache-2.0 */
/* snp/measure_inner.h - the steps of a launch, shared by measure.c (one launch), measure_explain.c (thousands that share
 * their firmware) and igvm.c. */
#ifndef TESTUDO_SNP_MEASURE_INNER_H
#define TESTUDO_SNP_MEASURE_INNER_H

#include <testudo/measure.h>

#define FOUR_GIB 0x100000000ULL

/* PAGE_INFO.PAGE_TYPE (56860, SNP_LAUNCH_UPDATE) */
enum ld_page { LD_NORMAL = 1, LD_VMSA = 2, LD_ZERO = 3, LD_UNMEASURED = 4, LD_SECRETS = 5, LD_CPUID = 6 };

/* The running launch digest of an SNP guest. Copying the struct forks it; the hasher holds no state between calls. */
struct ld {
    struct tst_hasher *hasher; /* borrowed, SHA-384 */
    uint8_t value[TST_SHA384_BYTES];
};
/* contents: 48 bytes, NULL = zeros (types that measure no contents). */
int ld_extend(struct ld *d, enum ld_page type, uint64_t gpa, const uint8_t *contents, struct tst_error **err);
int ld_extend_range(struct ld *d, enum ld_page type, uint64_t gpa, uint64_t bytes, struct tst_error **err);
/* Digest of one page, for `contents`. */
int ld_page_digest(struct ld *d, const uint8_t *page, uint8_t out[TST_SHA384_BYTES], struct tst_error **err);
/* A whole number of normal pages. A page equal to its predecessor is hashed once. */
int ld_normal(struct ld *d, uint64_t gpa, struct tst_bytes image, struct tst_error **err);

/* What is read from the images, once. */
struct launch {
    struct tst_firmware firmware, svsm;
    bool has_svsm;
    uint64_t firmware_gpa, svsm_gpa;
    const struct tst_firmware *meta; /* whose sections are measured: the SVSM's, else the firmware's */
};
/* Checks `in` and reads its images; out borrows from in. */
int launch_open(const struct tst_measure_in *in, struct launch *out, struct tst_error **err);
int launch_images(const struct tst_measure_in *in, const struct launch *l, struct ld *d, struct tst_error **err);
int launch_sections(const struct tst_measure_in *in, const struct launch *l, struct ld *d, struct tst_error **err);
/* The VMSA of processor 0 or of any other. */
void launch_vmsa(const struct tst_measure_in *in, const struct launch *l, unsigned cpu, uint8_t page[TST_PAGE_BYTES]);
/* Several processors need an address where the others start. */
bool launch_can_start_aps(const struct tst_measure_in *in, const struct launch *l);
uint64_t launch_vmsa_gpa(const struct tst_measure_in *in);

/* SEV, SEV-ES: firmware and hash table into a SHA-256. */
int launch_legacy_images(const struct tst_measure_in *in, struct tst_hasher *sha256, struct tst_error **err);

#endif
