/* SPDX-License-Identifier: Apache-2.0 */
/* snp/tcb.c - TCB_VERSION: eight bytes whose layout depends on the product. Compared component by component: as one
 * integer a newer microcode would hide an older firmware. Source: AMD 56860, tables "TCB_VERSION". */
#include <testudo/snp.h>

#include <stdio.h>

struct tcb_layout {
    bool has_fmc;
    uint8_t fmc, bootloader, tee, snp, microcode; /* byte offsets */
};

static const struct tcb_layout layout_first = {false, 0, 0, 1, 6, 7};
static const struct tcb_layout layout_fmc = {true, 0, 1, 2, 3, 7};

static const struct tcb_layout *tcb_layout_of(enum tst_snp_product p)
{
    return p >= TST_SNP_TURIN ? &layout_fmc : &layout_first;
}

bool tst_snp_tcb_has_fmc(enum tst_snp_product p)
{
    return tcb_layout_of(p)->has_fmc;
}

struct tst_snp_tcb tst_snp_tcb_of(enum tst_snp_product p, const uint8_t raw[8])
{
    const struct tcb_layout *l = tcb_layout_of(p);
    struct tst_snp_tcb tcb = {
        .has_fmc = l->has_fmc,
        .fmc = l->has_fmc ? raw[l->fmc] : 0,
        .bootloader = raw[l->bootloader],
        .tee = raw[l->tee],
        .snp = raw[l->snp],
        .microcode = raw[l->microcode],
    };
    return tcb;
}

void tst_snp_tcb_raw(enum tst_snp_product p, const struct tst_snp_tcb *tcb, uint8_t raw[8])
{
    const struct tcb_layout *l = tcb_layout_of(p);
    memset(raw, 0, 8);
    if (l->has_fmc)
        raw[l->fmc] = tcb->fmc;
    raw[l->bootloader] = tcb->bootloader;
    raw[l->tee] = tcb->tee;
    raw[l->snp] = tcb->snp;
    raw[l->microcode] = tcb->microcode;
}

bool tst_snp_tcb_at_least(const struct tst_snp_tcb *a, const struct tst_snp_tcb *floor)
{
    return a->fmc >= floor->fmc && a->bootloader >= floor->bootloader && a->tee >= floor->tee && a->snp >= floor->snp &&
           a->microcode >= floor->microcode;
}

bool tst_snp_tcb_equal(const struct tst_snp_tcb *a, const struct tst_snp_tcb *b)
{
    return a->has_fmc == b->has_fmc && tst_snp_tcb_at_least(a, b) && tst_snp_tcb_at_least(b, a);
}

void tst_snp_tcb_print(const struct tst_snp_tcb *tcb, char *out, size_t n)
{
    char fmc[16] = "";
    if (tcb->has_fmc)
        snprintf(fmc, sizeof fmc, "fmc %u, ", tcb->fmc);
    snprintf(out, n, "%sbootloader %u, tee %u, snp %u, microcode %u", fmc, tcb->bootloader, tcb->tee, tcb->snp,
             tcb->microcode);
}
