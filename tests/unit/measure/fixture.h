/* SPDX-License-Identifier: Apache-2.0 */
/* measure/fixture.h - small firmware, SVSM and IGVM images made on the spot, so that each measured part is known; and the
 * real ones from the folder TESTUDO_VECTORS (default: ../shared/vectors beside the source tree). */
#ifndef TESTS_MEASURE_FIXTURE_H
#define TESTS_MEASURE_FIXTURE_H

#include "../base/unit.h"

#include <testudo/measure.h>

#define FIRMWARE_BYTES (4 * TST_PAGE_BYTES)
#define FIRMWARE_HASHES_GPA 0x810c00u
#define FIRMWARE_AP_EIP 0x80b004u
#define SVSM_BYTES (2 * TST_PAGE_BYTES)
#define SVSM_ENTRY 0x40u

struct image {
    uint8_t bytes[FIRMWARE_BYTES];
    size_t n;
    size_t metadata; /* offset of "ASEV" */
    size_t table;    /* offset of the first entry */
};
/* OVMF in small: every page another pattern, reset block, hashes entry, seven sections. */
struct image image_firmware(void);
/* The same without the kernel hashes entry and section (the generic build). */
struct image image_firmware_plain(void);
struct image image_svsm(void);
/* Code and no table. */
struct image image_bare(void);

/* One SNP guest on QEMU: EPYC-Milan, 2 vCPUs, no kernel. Borrows the image. */
struct tst_measure_in launch_of(const struct image *i);
/* Digest of a launch that must work, as hex. */
const char *digest_of(const struct tst_measure_in *in, char hex[97]);
/* Kernel "kernel", initrd "initrd", command line "root=/dev/vda1 ro". */
struct tst_kernel kernel_usual(void);

/* ---- IGVM ---- */
struct igvm_builder {
    struct tst_buf headers, data; /* clear both */
};
void igvm_header(struct igvm_builder *b, uint32_t type, const void *content, size_t n);
void igvm_platform(struct igvm_builder *b, uint8_t type, uint32_t mask);
void igvm_policy(struct igvm_builder *b, uint64_t policy, uint32_t mask);
void igvm_area(struct igvm_builder *b, uint64_t bytes, uint32_t index);
void igvm_insert(struct igvm_builder *b, uint64_t gpa, uint32_t mask, uint32_t index);
/* page NULL: offset 0. */
void igvm_page(struct igvm_builder *b, uint64_t gpa, uint32_t mask, const uint8_t *page, uint32_t flags, uint16_t type);
void igvm_context(struct igvm_builder *b, uint64_t gpa, uint32_t mask, const uint8_t *vmsa);
/* File with checksum; malloc'ed. The builder can go on (offsets count from a header room of 4 KiB). */
uint8_t *igvm_file(const struct igvm_builder *b, size_t *n);
void igvm_seal(uint8_t *file); /* recomputes the checksum */
/* Policy, 2 pages, a zero page, secrets, CPUID, parameters, one VMSA. */
uint8_t *igvm_usual(size_t *n);

/* ---- real vectors ---- */
bool vectors_present(void);
/* Whole file below the folder, malloc'ed, NUL-terminated; asserts that it is there. */
uint8_t *vectors_load(const char *path, size_t *n);

#endif
