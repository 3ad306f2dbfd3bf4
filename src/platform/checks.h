/* SPDX-License-Identifier: Apache-2.0 */
/* platform/checks.h - what the checks of ready.h share; inside the room only. A check sets its result once. */
#ifndef TESTUDO_PLATFORM_CHECKS_H
#define TESTUDO_PLATFORM_CHECKS_H

#include "platform/ready.h"
#include "platform/sev_dev.h"

#define LEAF_SEV 0x8000001fU
#define MSR_SYSCFG 0xc0010010U
#define MSR_RMP_BASE 0xc0010132U
#define MSR_RMP_END 0xc0010133U
#define MSR_RMP_CFG 0xc0010136U
#define MSR_SEV_STATUS 0xc0010131U

struct ready_cpu {
    bool known;
    char vendor[13], brand[49];
    unsigned family, model, stepping;
};
/* One command's answer, asked once a run. */
struct ready_ctx {
    const struct platform *p;
    const struct ready_in *in;
    enum ready_generation wanted;
    struct ready_cpu cpu;
    int sev_rc, snp_rc; /* 0 or a negative enum tst_code */
    struct sev_status sev;
    struct snp_status snp;
    char *sev_why, *snp_why; /* the error's text */
    char *sev_fix, *snp_fix;
};

/* pass / fail / unknown / na with what was found. A recommended check that fails warns, an optional one does not apply. */
void set_pass(struct ready_result *r, const char *fmt, ...) TST_PRINTF(2, 3);
void set_fail(struct ready_result *r, const char *fmt, ...) TST_PRINTF(2, 3);
void set_unknown(struct ready_result *r, const char *fmt, ...) TST_PRINTF(2, 3);
void set_na(struct ready_result *r, const char *fmt, ...) TST_PRINTF(2, 3);
void set_if(struct ready_result *r, bool holds, const char *fmt, ...) TST_PRINTF(3, 4);
void set_wanted(struct ready_result *r, const char *fmt, ...) TST_PRINTF(2, 3);
void set_fix(struct ready_result *r, const char *fix);
/* What `rc` (a callback's negative answer) means for the thing at path: unknown, with the way to make it readable. */
void set_unreadable(struct ready_result *r, const char *path, int rc);

/* false: r is set to unknown. */
bool read_msr(const struct ready_ctx *c, struct ready_result *r, uint32_t msr, uint64_t *value);
bool read_sev_leaf(const struct ready_ctx *c, struct ready_result *r, struct cpuid_regs *out);

void cpu_read(const struct platform *p, struct ready_cpu *out);
/* Highest generation that this CPU's model has; 0 = a model that is not in the table. */
enum ready_generation cpu_generation(const struct ready_cpu *cpu, const char **name);

/* 0x00MMmmpp of "6.18.44-x", "QEMU emulator version 9.1.2 (...)": the first number with a dot; 0 = none there. */
uint32_t version_of(const char *text);
#define VERSION(major, minor) (((uint32_t)(major) << 16) | ((uint32_t)(minor) << 8))

/* check_cpu.c */
void check_cpu_vendor(const struct ready_ctx *c, struct ready_result *r);
void check_cpu_epyc(const struct ready_ctx *c, struct ready_result *r);
void check_cpu_generation(const struct ready_ctx *c, struct ready_result *r);
void check_cpu_root_seed(const struct ready_ctx *c, struct ready_result *r);
void check_cpu_bit(const struct ready_ctx *c, struct ready_result *r);    /* arg: bit of 8000001F EAX */
void check_cpu_field(const struct ready_ctx *c, struct ready_result *r);  /* arg: CPU_FIELD() */
void check_syscfg_bit(const struct ready_ctx *c, struct ready_result *r); /* arg: bit of SYSCFG */
void check_rmp_addresses(const struct ready_ctx *c, struct ready_result *r);
void check_smt(const struct ready_ctx *c, struct ready_result *r);
/* A field of 8000001F: register (0 EBX, 1 ECX, 2 EDX), lowest bit, width, least value that holds. */
#define CPU_FIELD(reg, low, width, least) (((uint64_t)(reg) << 48) | ((uint64_t)(low) << 40) | ((uint64_t)(width) << 32) | (least))

/* check_firmware.c */
void check_firmware_snp_minimum(const struct ready_ctx *c, struct ready_result *r);
void check_firmware_floor(const struct ready_ctx *c, struct ready_result *r);
void check_firmware_tcb_floor(const struct ready_ctx *c, struct ready_result *r);
void check_firmware_initialised(const struct ready_ctx *c, struct ready_result *r);
void check_firmware_es(const struct ready_ctx *c, struct ready_result *r);
void check_firmware_snp(const struct ready_ctx *c, struct ready_result *r);
void check_rmp_initialised(const struct ready_ctx *c, struct ready_result *r);
void check_alias(const struct ready_ctx *c, struct ready_result *r);
void check_tcb_reported(const struct ready_ctx *c, struct ready_result *r);
void check_mitigations(const struct ready_ctx *c, struct ready_result *r);
void check_ciphertext_hiding(const struct ready_ctx *c, struct ready_result *r);

/* check_kvm.c */
void check_module(const struct ready_ctx *c, struct ready_result *r);     /* arg: index of a module's name */
void check_kvm_api(const struct ready_ctx *c, struct ready_result *r);
void check_kvm_param(const struct ready_ctx *c, struct ready_result *r);  /* arg: 0 sev, 1 sev_es, 2 sev_snp */
void check_kvm_secure_tsc(const struct ready_ctx *c, struct ready_result *r);
void check_dev_sev(const struct ready_ctx *c, struct ready_result *r);    /* arg: 0 reading, 1 writing */
void check_kernel(const struct ready_ctx *c, struct ready_result *r);     /* both places */
void check_qemu(const struct ready_ctx *c, struct ready_result *r);
void check_libvirt(const struct ready_ctx *c, struct ready_result *r);
void check_ovmf(const struct ready_ctx *c, struct ready_result *r);
void check_memlock(const struct ready_ctx *c, struct ready_result *r);

/* check_host.c */
void check_asid_split(const struct ready_ctx *c, struct ready_result *r);
void check_asid_pool(const struct ready_ctx *c, struct ready_result *r);
void check_iommu(const struct ready_ctx *c, struct ready_result *r);
void check_iommu_snp(const struct ready_ctx *c, struct ready_result *r);
void check_host_swiotlb(const struct ready_ctx *c, struct ready_result *r);
void check_numa_balancing(const struct ready_ctx *c, struct ready_result *r);
void check_numa_placement(const struct ready_ctx *c, struct ready_result *r);
void check_huge_pages(const struct ready_ctx *c, struct ready_result *r); /* both places */

/* check_guest.c */
void check_status_bit(const struct ready_ctx *c, struct ready_result *r); /* arg: bit of SEV_STATUS */
void check_status_unknown(const struct ready_ctx *c, struct ready_result *r);
void check_guest_cpuid(const struct ready_ctx *c, struct ready_result *r);
void check_report_device(const struct ready_ctx *c, struct ready_result *r);
void check_tsm(const struct ready_ctx *c, struct ready_result *r);
void check_guest_device(const struct ready_ctx *c, struct ready_result *r);
void check_vmpl(const struct ready_ctx *c, struct ready_result *r);
void check_guest_swiotlb(const struct ready_ctx *c, struct ready_result *r);
void check_guest_numa(const struct ready_ctx *c, struct ready_result *r);
void check_clocksource(const struct ready_ctx *c, struct ready_result *r);
void check_swap(const struct ready_ctx *c, struct ready_result *r);
#define STATUS_KNOWN_BITS UINT64_C(0x00875fff) /* bits 0-12, 14, 16, 17, 18, 23 */

#endif
