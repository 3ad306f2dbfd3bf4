/* SPDX-License-Identifier: Apache-2.0 */
/* platform/sevguest_abi.h - what goes through /dev/sev-guest, field by field. Source: Linux include/uapi/linux/sev-guest.h;
 * written out here because the header of Debian 12 lacks exitinfo2 and message version 2. */
#ifndef TESTUDO_PLATFORM_SEVGUEST_ABI_H
#define TESTUDO_PLATFORM_SEVGUEST_ABI_H

#include <stddef.h>
#include <stdint.h>

#define SEVGUEST_GET_REPORT 0xC0205300UL
#define SEVGUEST_GET_DERIVED_KEY 0xC0205301UL
#define SEVGUEST_GET_EXT_REPORT 0xC0205302UL

struct sevguest_ioctl {
    uint8_t msg_version;
    uint64_t req_data, resp_data; /* addresses */
    uint64_t exitinfo2;           /* low half: firmware's error, high half: hypervisor's */
};
struct sevguest_report_req {
    uint8_t user_data[64];
    uint32_t vmpl;
    uint8_t reserved[28];
};
struct sevguest_ext_report_req {
    struct sevguest_report_req data;
    uint64_t certs_address;
    uint32_t certs_len; /* the kernel writes what it needs when this is too short */
};
struct sevguest_key_req {
    uint32_t root_key_select, reserved;
    uint64_t guest_field_select;
    uint32_t vmpl, guest_svn;
    uint64_t tcb_version;
    uint64_t launch_mit_vector; /* message version 2 only */
};
#define SEVGUEST_REPORT_RESP_BYTES 4000
#define SEVGUEST_KEY_RESP_BYTES 64
#define SEVGUEST_RESP_HEADER_BYTES 0x20
#define SEVGUEST_VMM_INVALID_LEN 1
#define SEVGUEST_VMM_BUSY 2

_Static_assert(sizeof(struct sevguest_ioctl) == 32, "snp_guest_request_ioctl");
_Static_assert(offsetof(struct sevguest_ioctl, exitinfo2) == 24, "snp_guest_request_ioctl.exitinfo2");
_Static_assert(sizeof(struct sevguest_report_req) == 96, "snp_report_req");
_Static_assert(offsetof(struct sevguest_ext_report_req, certs_address) == 96, "snp_ext_report_req.certs_address");
_Static_assert(offsetof(struct sevguest_ext_report_req, certs_len) == 104, "snp_ext_report_req.certs_len");
_Static_assert(offsetof(struct sevguest_key_req, tcb_version) == 24, "snp_derived_key_req.tcb_version");
_Static_assert(sizeof(struct sevguest_key_req) == 40, "snp_derived_key_req, version 2");

#endif
