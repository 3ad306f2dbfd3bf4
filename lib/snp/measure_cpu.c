/* SPDX-License-Identifier: Apache-2.0 */
/* snp/measure_cpu.c - CPU models by QEMU's names and their CPUID signatures (AMD 25481, Fn0000_0001 EAX; the names and
 * numbers as in QEMU's list of x86 models). */
#include <strings.h>

#include <testudo/measure.h>

enum { NAPLES = 0x800f12, ROME = 0x830f10, MILAN = 0xa00f11, GENOA = 0xa10f10, TURIN = 0xb00f00 };

static const struct tst_cpu_model models[] = {
    {"EPYC", NAPLES},        {"EPYC-v1", NAPLES},      {"EPYC-v2", NAPLES},      {"EPYC-IBPB", NAPLES},
    {"EPYC-v3", NAPLES},     {"EPYC-v4", NAPLES},      {"EPYC-v5", NAPLES},      {"EPYC-Rome", ROME},
    {"EPYC-Rome-v1", ROME},  {"EPYC-Rome-v2", ROME},   {"EPYC-Rome-v3", ROME},   {"EPYC-Rome-v4", ROME},
    {"EPYC-Rome-v5", ROME},  {"EPYC-Milan", MILAN},    {"EPYC-Milan-v1", MILAN}, {"EPYC-Milan-v2", MILAN},
    {"EPYC-Milan-v3", MILAN}, {"EPYC-Genoa", GENOA},   {"EPYC-Genoa-v1", GENOA}, {"EPYC-Genoa-v2", GENOA},
    {"EPYC-Turin", TURIN},   {"EPYC-Turin-v1", TURIN}, {NULL, 0},
};

const struct tst_cpu_model *tst_cpu_models(void)
{
    return models;
}

bool tst_cpu_model_find(const char *name, uint32_t *signature)
{
    for (const struct tst_cpu_model *m = models; m->name; m++) {
        if (strcasecmp(m->name, name) == 0) {
            *signature = m->signature;
            return true;
        }
    }
    return false;
}

uint32_t tst_cpu_signature(unsigned family, unsigned model, unsigned stepping)
{
    unsigned base = family > 15 ? 15 : family, extended = family > 15 ? (family - 15) & 0xff : 0;
    return (uint32_t)(extended << 20 | ((model >> 4) & 0xf) << 16 | base << 8 | (model & 0xf) << 4 | (stepping & 0xf));
}
