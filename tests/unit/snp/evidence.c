/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.c - see evidence.h. */
#include "evidence.h"

#include <stdio.h>

#define YEAR_S (365L * 24 * 3600)
#define OID "1.3.6.1.4.1.3704.1."

const uint8_t evidence_chip[TST_SNP_CHIP_BYTES] = {0x02, 0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
                                                   15,   16,   [63] = 0xee};
const uint8_t evidence_digest[TST_SNP_DIGEST_BYTES] = {0xd1, 0xce, [47] = 0x5e};
static const uint8_t turin_chip[8] = {0x59, 1, 2, 3, 4, 5, 6, 7};

static void maker_certify(struct maker *m, const char *product)
{
    char ark_cn[32], ask_cn[32];
    struct tst_cert_spec spec = {
        .o = "SIMULATED", .not_before = EVIDENCE_NOW - YEAR_S, .not_after = EVIDENCE_NOW + 20 * YEAR_S, .ca = true};
    struct tst_cert_info info;

    snprintf(ark_cn, sizeof ark_cn, "ARK-%s", product);
    snprintf(ask_cn, sizeof ask_cn, "SEV-%s", product);
    assert_int_equal(tst_key_generate(TST_KEY_P384, &m->vek_key, NULL), 0);
    spec.cn = ark_cn;
    spec.serial = 0x10000;
    assert_int_equal(tst_cert_issue(&spec, m->ark_key, NULL, m->ark_key, &m->ark, NULL), 0);
    spec.cn = ask_cn;
    spec.serial = 0x10001;
    assert_int_equal(tst_cert_issue(&spec, m->ask_key, m->ark, m->ark_key, &m->ask, NULL), 0);
    assert_int_equal(tst_cert_info(m->ark, &info, NULL), 0);
    tst_hex(info.spki_sha256, sizeof info.spki_sha256, m->root_hex);
}

void maker_init(struct maker *m, const char *product)
{
    memset(m, 0, sizeof *m);
    assert_int_equal(tst_key_generate(TST_KEY_RSA4096, &m->ark_key, NULL), 0);
    assert_int_equal(tst_key_generate(TST_KEY_RSA4096, &m->ask_key, NULL), 0);
    maker_certify(m, product);
}

static struct tst_key *key_copy(const struct tst_key *key)
{
    TST_AUTO_SECRET der = NULL;
    struct tst_key *copy = NULL;
    assert_int_equal(tst_key_private_der(key, &der, NULL), 0);
    assert_int_equal(tst_key_from_private_der(tst_secret_view(der), tst_secret_size(der), &copy, NULL), 0);
    return copy;
}

void maker_rename(struct maker *m, const struct maker *from, const char *product)
{
    memset(m, 0, sizeof *m);
    m->ark_key = key_copy(from->ark_key);
    m->ask_key = key_copy(from->ask_key);
    maker_certify(m, product);
}

void maker_clear(struct maker *m)
{
    tst_key_free(m->ark_key);
    tst_key_free(m->ask_key);
    tst_key_free(m->vek_key);
    tst_cert_free(m->ark);
    tst_cert_free(m->ask);
    memset(m, 0, sizeof *m);
}

struct vek_exts vek_exts_genoa(void)
{
    static const uint8_t zero[] = {2, 1, 0}, ten[] = {2, 1, 10}, snp[] = {2, 1, 27}, ucode[] = {2, 2, 0, 200};
    static const uint8_t name[] = {0x16, 5, 'G', 'e', 'n', 'o', 'a'};
    return (struct vek_exts){
        .list = {{OID "1", {zero, sizeof zero}}, {OID "2", {name, sizeof name}}, {OID "3.1", {ten, sizeof ten}},
                 {OID "3.2", {zero, sizeof zero}}, {OID "3.4", {zero, sizeof zero}}, {OID "3.5", {zero, sizeof zero}},
                 {OID "3.6", {zero, sizeof zero}}, {OID "3.7", {zero, sizeof zero}}, {OID "3.3", {snp, sizeof snp}},
                 {OID "3.8", {ucode, sizeof ucode}}, {OID "4", {evidence_chip, sizeof evidence_chip}}},
        .count = 11};
}

struct vek_exts vek_exts_turin(void)
{
    static const uint8_t zero[] = {2, 1, 0}, one[] = {2, 1, 1}, snp[] = {2, 1, 4}, ucode[] = {2, 1, 81};
    static const uint8_t name[] = {0x16, 5, 'T', 'u', 'r', 'i', 'n'};
    return (struct vek_exts){
        .list = {{OID "1", {one, sizeof one}}, {OID "2", {name, sizeof name}}, {OID "3.9", {one, sizeof one}},
                 {OID "3.1", {one, sizeof one}}, {OID "3.2", {one, sizeof one}}, {OID "3.3", {snp, sizeof snp}},
                 {OID "3.5", {zero, sizeof zero}}, {OID "3.6", {zero, sizeof zero}}, {OID "3.7", {zero, sizeof zero}},
                 {OID "3.8", {ucode, sizeof ucode}}, {OID "4", {turin_chip, sizeof turin_chip}}},
        .count = 11};
}

struct tst_cert_ext_spec *vek_ext(struct vek_exts *x, const char *oid)
{
    for (size_t i = 0; i < x->count; i++)
        if (strcmp(x->list[i].oid, oid) == 0)
            return &x->list[i];
    fail_msg("no extension %s", oid);
    return &x->list[0];
}

void vek_ext_drop(struct vek_exts *x, const char *oid)
{
    struct tst_cert_ext_spec *e = vek_ext(x, oid);
    *e = x->list[--x->count];
}

struct tst_cert *maker_vek(const struct maker *m, const char *cn, const struct vek_exts *exts)
{
    struct tst_cert *c = NULL;
    struct tst_cert_spec spec = {.cn = cn, .o = "SIMULATED", .not_before = EVIDENCE_NOW - YEAR_S,
                                 .not_after = EVIDENCE_NOW + 6 * YEAR_S, .exts = exts->list, .ext_count = exts->count};
    assert_int_equal(tst_cert_issue(&spec, m->vek_key, m->ask, m->ask_key, &c, NULL), 0);
    return c;
}

static void report_common(uint8_t *raw, uint8_t version, const uint8_t tcb[8], const uint8_t cpuid[3])
{
    static const size_t tcb_offsets[] = {0x38, 0x180, 0x1e0, 0x1f0};
    memset(raw, 0, TST_SNP_REPORT_BYTES);
    raw[0x00] = version;
    raw[0x0a] = 3; /* SMT and the bit that must be one */
    raw[0x34] = 1; /* ECDSA P-384, SHA-384 */
    memset(raw + 0x50, 0xab, 64);
    memcpy(raw + 0x90, evidence_digest, sizeof evidence_digest);
    memset(raw + 0x140, 0x77, 32);
    memset(raw + 0x160, 0xff, 32);
    memcpy(raw + 0x188, cpuid, 3);
    for (size_t i = 0; i < TST_COUNT(tcb_offsets); i++)
        memcpy(raw + tcb_offsets[i], tcb, 8);
}

void report_genoa(uint8_t raw[TST_SNP_REPORT_BYTES])
{
    report_common(raw, 3, (const uint8_t[]){10, 0, 0, 0, 0, 0, 27, 200}, (const uint8_t[]){0x19, 0x11, 1});
    memcpy(raw + 0x1a0, evidence_chip, sizeof evidence_chip);
}

void report_turin(uint8_t raw[TST_SNP_REPORT_BYTES])
{
    report_common(raw, 5, (const uint8_t[]){1, 1, 1, 4, 0, 0, 0, 81}, (const uint8_t[]){0x1a, 0x02, 1});
    memcpy(raw + 0x1a0, turin_chip, sizeof turin_chip);
}

void report_sign(uint8_t raw[TST_SNP_REPORT_BYTES], const struct tst_key *key)
{
    uint8_t rs[TST_ECDSA_P384_BYTES];
    assert_int_equal(tst_ecdsa_sign(key, raw, TST_SNP_SIGNED_BYTES, rs, NULL), 0);
    memset(raw + TST_SNP_SIGNED_BYTES, 0, TST_SNP_REPORT_BYTES - TST_SNP_SIGNED_BYTES);
    for (size_t i = 0; i < 48; i++) {
        raw[TST_SNP_SIGNED_BYTES + i] = rs[47 - i];
        raw[TST_SNP_SIGNED_BYTES + 72 + i] = rs[95 - i];
    }
}

const struct tst_check *verdict_check(const struct tst_verdict *v, const char *id)
{
    for (size_t i = 0; i < v->check_count; i++)
        if (strcmp(v->checks[i].info->id, id) == 0)
            return &v->checks[i];
    fail_msg("the verdict does not list %s", id);
    return &v->checks[0];
}
