/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_measure.h - what the `testudo measure` commands share: the options that describe a launch, files, references. */
#ifndef TESTUDO_CLI_CMD_MEASURE_H
#define TESTUDO_CLI_CMD_MEASURE_H

#include <testudo/measure.h>

#include "cli.h"

/* The options that describe a launch, for tables of options. */
#define MEASURE_LAUNCH_OPTIONS                                                                                               \
    {"--mode", "MODE", "snp (default), es or sev"}, {"--firmware", "FILE", "OVMF as the VMM maps it below 4 GiB"},           \
        {"--firmware-digest", "HEX", "snp: digest after the firmware's pages; --firmware may then be its last page"},       \
        {"--kernel", "FILE", "kernel that the firmware verifies, or sha256:HEX"},                                            \
        {"--initrd", "FILE", "its initrd, or sha256:HEX"}, {"--append", "TEXT", "its command line"},                         \
        {"--vcpus", "N,...", "number of vCPUs (default 1)"},                                                                 \
        {"--vcpu-type", "CPU,...", "QEMU's name, 0xSIGNATURE or FAMILY/MODEL/STEPPING"},                                     \
        {"--sev-features", "HEX", "SEV_FEATURES of the VMSA (default 0x1, es: 0x0)"},                                        \
        {"--vmm", "NAME", "qemu (default), ec2, ec2-rdx0, gce or krun"},                                                     \
        {"--vmsa-gpa", "HEX", "snp: address of the VMSAs (default 0xfffffffff000)"},                                         \
        {"--fpu", "WHICH", "FPU state in the VMSA: auto, none (KVM before 6.10), mxcsr, full"},                              \
        {"--svsm", "FILE", "snp: SVSM that starts before the firmware"},                                                     \
        {"--vars-size", "BYTES", "with --svsm: variable store between SVSM and firmware"},                                   \
        {"--hashes-first", NULL, "kernel hashes before the other sections (QEMU patches before 2023-03)"}

#define MEASURE_LIST_MAX 64
#define MEASURE_CPU_TEXT_BYTES 40
struct measure_cpu {
    char text[MEASURE_CPU_TEXT_BYTES];
    uint32_t signature;
};
/* What the options say; owns the files that `in` borrows. */
struct measure_launch {
    struct tst_measure_in in; /* vcpus and signature: of the first flavor */
    struct tst_kernel kernel;
    uint8_t firmware_digest[TST_SHA384_BYTES];
    char *firmware, *svsm;
    unsigned vcpus[MEASURE_LIST_MAX];
    size_t vcpus_count;
    struct measure_cpu cpus[MEASURE_LIST_MAX];
    size_t cpu_count;
};
int measure_launch_read(const struct cli_command *self, const struct cli_args *args, struct measure_launch *out, struct tst_error **err);
void measure_launch_clear(struct measure_launch *l);
#define AUTO_LAUNCH __attribute__((cleanup(measure_launch_clear))) struct measure_launch

/* "qemu", "ec2-rdx0", ... */
const char *measure_vmm_text(const struct tst_measure_in *in);
/* An unsigned number, decimal or 0x. */
int measure_number(const char *option, const char *text, uint64_t max, uint64_t *out, struct tst_error **err);
int measure_write_file(const char *path, const void *p, size_t n, struct tst_error **err);
void measure_print_features(uint64_t features);

/* ---- reference values (docs/measure.md "Reference values") ---- */
#define MEASURE_REFERENCE_OPTIONS                                                                                 \
    {"--out", "FILE", "write reference values that a policy includes (- = standard output)"},                    \
        {"--name", "TEXT", "their name (default: the file's)"}, {"--until", "DATE", "when they end"},             \
        {"--acpi", "WORD", "trusts-host (default) or confined"}, {"--level", "WORD", "firmware or measured"}
struct measure_reference {
    char name[101];
    uint8_t digest[TST_SHA384_BYTES];
};
/* Writes --out. `usual` is the level when --level is absent; `may_be_measured` false refuses --level measured. */
int measure_references_write(const struct cli_command *self, const struct cli_args *args, const struct measure_reference *refs,
                             size_t count, bool usual_measured, bool may_be_measured, struct tst_error **err);

#endif
