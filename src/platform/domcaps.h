/* SPDX-License-Identifier: Apache-2.0 */
/* platform/domcaps.h - what `virsh domcapabilities` says about memory encryption. Pure. Format: libvirt
 * docs/formatdomaincaps.rst, "SEV capabilities" and "launchSecurity". */
#ifndef TESTUDO_PLATFORM_DOMCAPS_H
#define TESTUDO_PLATFORM_DOMCAPS_H

#include <testudo/base.h>

#define DOMCAPS_MAX (1024 * 1024)
struct domcaps {
    bool sev;                /* <sev supported='yes'> */
    bool launch_security;    /* <launchSecurity> is there: libvirt 10.5 and later */
    bool type_sev, type_snp; /* its sectype */
    uint64_t max_guests, max_es_guests, cbitpos;
    bool has_max_guests, has_max_es_guests;
};
/* A bounded subset of XML: elements, attributes, text, comments, declarations; no entities beyond the five, no DTD. */
int domcaps_parse(const char *text, size_t n, struct domcaps *out, struct tst_error **err);

#endif
