/* SPDX-License-Identifier: Apache-2.0 */
/* platform/sev_abi.h - numbers of the /dev/sev and /dev/kvm interfaces. Source: linux include/uapi/linux/psp-sev.h,
 * include/uapi/linux/kvm.h, arch/x86/include/uapi/asm/kvm.h. Written out here: distribution headers end at GET_ID2. */
#ifndef TESTUDO_PLATFORM_SEV_ABI_H
#define TESTUDO_PLATFORM_SEV_ABI_H

#include <stdint.h>

#define SEV_DEVICE "/dev/sev"
#define KVM_DEVICE "/dev/kvm"

enum sev_command {
    SEV_FACTORY_RESET_CMD = 0,
    SEV_PLATFORM_STATUS_CMD = 1,
    SEV_PEK_GEN_CMD = 2,
    SEV_PEK_CSR_CMD = 3,
    SEV_PDH_GEN_CMD = 4,
    SEV_PDH_CERT_EXPORT_CMD = 5,
    SEV_PEK_CERT_IMPORT_CMD = 6,
    SEV_GET_ID2_CMD = 8,
    SNP_PLATFORM_STATUS_CMD = 9,
    SNP_COMMIT_CMD = 10,
    SNP_SET_CONFIG_CMD = 11,
    SNP_VLEK_LOAD_CMD = 12,
};

/* What the ioctl takes: {u32 command, u64 data, u32 error}, packed, so read and written by bytes. */
#define SEV_ISSUE_BYTES 16
#define SEV_ISSUE_REQUEST 0xc0105300UL /* _IOWR('S', 0, 16 bytes) */
#define SEV_STATUS_BYTES 12
#define SNP_STATUS_BYTES 32
#define SNP_CONFIG_BYTES 64
#define SNP_VLEK_LOAD_BYTES 16
#define SNP_WRAPPED_VLEK_BYTES 432
#define SEV_CERT_BYTES 2084
#define SEV_CHAIN_BYTES (3 * SEV_CERT_BYTES) /* PEK, OCA, CEK */
#define SEV_ID_BYTES 64                      /* of one socket */
#define SEV_NO_FIRMWARE_CALL 0xffffffffU

#define KVM_API_VERSION_REQUEST 0xae00UL
#define KVM_GET_ATTR_REQUEST 0x4018aee2UL /* _IOW(0xAE, 0xe2, struct kvm_device_attr: 24 bytes) */
#define KVM_ATTR_GROUP_SEV 1
#define KVM_ATTR_SEV_VMSA_FEATURES 0
struct kvm_attr {
    uint32_t flags, group;
    uint64_t attr, addr;
};

#endif
