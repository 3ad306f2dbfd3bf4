/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.h - synthetic SEV-SNP evidence for tests: keys of our own in AMD's certificate layout. Every function
 * asserts its own success (cmocka). */
#ifndef TESTS_SNP_EVIDENCE_H
#define TESTS_SNP_EVIDENCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <testudo/appraise.h>

#define EVIDENCE_NOW 1795392000 /* 2026-11-23T00:00:00Z */

/* A processor maker: root, intermediate, and one chip's key. */
struct maker {
    struct tst_key *ark_key, *ask_key, *vek_key;
    struct tst_cert *ark, *ask;
    char root_hex[2 * TST_SHA256_BYTES + 1]; /* SPKI SHA-256 of the root */
};
void maker_init(struct maker *m, const char *product /* "Genoa" */);
/* The same RSA keys under another product's names (they are slow to make), with a chip of its own. */
void maker_rename(struct maker *m, const struct maker *from, const char *product);
void maker_clear(struct maker *m);

/* The extensions of a VCEK, to be bent by a test before they are issued. */
#define VEK_EXTS_MAX 16
struct vek_exts {
    struct tst_cert_ext_spec list[VEK_EXTS_MAX];
    size_t count;
};
extern const uint8_t evidence_chip[TST_SNP_CHIP_BYTES];
extern const uint8_t evidence_digest[TST_SNP_DIGEST_BYTES];
/* Genoa with bootloader 10, tee 0, snp 27, microcode 200, or Turin with fmc 1, 1, 1, 4, 81. */
struct vek_exts vek_exts_genoa(void);
struct vek_exts vek_exts_turin(void);
struct tst_cert_ext_spec *vek_ext(struct vek_exts *x, const char *oid); /* asserts that it is there */
void vek_ext_drop(struct vek_exts *x, const char *oid);
struct tst_cert *maker_vek(const struct maker *m, const char *cn, const struct vek_exts *exts);

/* A report that the VCEKs above fit: version 3 (Genoa) or 5 (Turin), debug off, vmpl 0; unsigned. */
void report_genoa(uint8_t raw[TST_SNP_REPORT_BYTES]);
void report_turin(uint8_t raw[TST_SNP_REPORT_BYTES]);
void report_sign(uint8_t raw[TST_SNP_REPORT_BYTES], const struct tst_key *key);

const struct tst_check *verdict_check(const struct tst_verdict *v, const char *id);
#define assert_check(v, id, expected_outcome) assert_int_equal(verdict_check(v, id)->outcome, expected_outcome)

#endif
