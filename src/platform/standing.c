/* SPDX-License-Identifier: Apache-2.0 */
/* platform/standing.c - host or guest? Asked before anything is judged: a host's checks run in a guest fail all over and mean
 * nothing. CPUID's hypervisor bit decides, but a hypervisor can hide it, so every sign is read, and signs that contradict
 * each other decide nothing. Source: AMD 24594 (CPUID Fn0000_0001 ECX bit 31), 24593 15.34.10 (SEV_STATUS). */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/checks.h"

#define HYPERVISOR_BIT (1U << 31)

void ready_standing_clear(struct ready_standing *s)
{
    for (size_t i = 0; i < s->evidence_count; i++)
        free(s->evidence[i]);
    *s = (struct ready_standing){0};
}

static void say(struct ready_standing *s, const char *fmt, ...) TST_PRINTF(2, 3);
static void say(struct ready_standing *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (s->evidence_count < READY_EVIDENCE_MAX && vasprintf(&s->evidence[s->evidence_count], fmt, ap) >= 0)
        s->evidence_count++;
    va_end(ap);
}

/* READY_GUEST, READY_HOST, or READY_NOWHERE when the sign says nothing. */
typedef enum ready_place sign_fn(const struct platform *p, struct ready_standing *s);

static enum ready_place sign_cpuid(const struct platform *p, struct ready_standing *s)
{
    struct cpuid_regs r, leaf;
    char vendor[13] = "";
    if (platform_cpuid(p, 1, &r) < 0) {
        say(s, "CPUID is not readable");
        return READY_NOWHERE;
    }
    if (!(r.ecx & HYPERVISOR_BIT)) {
        say(s, "CPUID's hypervisor bit is clear");
        return READY_HOST;
    }
    if (p->cpuid(p, 0x40000000U, 0, &leaf) >= 0) {
        memcpy(vendor, &leaf.ebx, 4);
        memcpy(vendor + 4, &leaf.ecx, 4);
        memcpy(vendor + 8, &leaf.edx, 4);
    }
    for (char *v = vendor; *v; v++)
        *v = isprint((unsigned char)*v) ? *v : '?';
    say(s, "CPUID's hypervisor bit is set%s%s", vendor[0] ? ", it calls itself " : "", vendor);
    return READY_GUEST;
}

static enum ready_place sign_sev_status(const struct platform *p, struct ready_standing *s)
{
    uint64_t status = 0;
    int rc = p->rdmsr(p, 0, MSR_SEV_STATUS, &status);
    if (rc < 0) {
        say(s, "SEV_STATUS (MSR C0010131) is not readable: %s", rc == -EIO ? "the CPU does not have it, or hides it" : strerror(-rc));
        return READY_NOWHERE;
    }
    say(s, "SEV_STATUS (MSR C0010131) is 0x%" PRIx64, status);
    return status & 7 ? READY_GUEST : READY_NOWHERE;
}

static enum ready_place sign_guest_device(const struct platform *p, struct ready_standing *s)
{
    if (!platform_exists(p, "/dev/sev-guest"))
        return READY_NOWHERE;
    say(s, "/dev/sev-guest is there");
    return READY_GUEST;
}

static enum ready_place sign_host_device(const struct platform *p, struct ready_standing *s)
{
    if (!platform_exists(p, SEV_DEVICE))
        return READY_NOWHERE;
    say(s, SEV_DEVICE " is there");
    return READY_HOST;
}

/* Names that hypervisors write into DMI. "Virtual Machine" is Hyper-V's product name. */
static const char *const dmi_of_guests[] = {"QEMU",  "KVM",    "OpenStack", "VMware",       "VirtualBox",          "Xen",
                                            "Bochs", "Google Compute Engine", "Amazon EC2", "Virtual Machine", "Cloud Hypervisor"};

static enum ready_place sign_dmi(const struct platform *p, struct ready_standing *s)
{
    TST_AUTO_STR vendor = NULL, product = NULL;
    if (platform_line(p, "/sys/class/dmi/id/sys_vendor", &vendor) < 0 &&
        platform_line(p, "/sys/class/dmi/id/product_name", &product) < 0)
        return READY_NOWHERE;
    if (!product && platform_line(p, "/sys/class/dmi/id/product_name", &product) < 0)
        product = NULL;
    say(s, "DMI names it %s %s", vendor ? vendor : "", product ? product : "");
    for (size_t i = 0; i < TST_COUNT(dmi_of_guests); i++)
        /* bare-metal instances of a cloud carry the cloud's name too */
        if (((vendor && strstr(vendor, dmi_of_guests[i])) || (product && strstr(product, dmi_of_guests[i]))) &&
            !(product && strstr(product, "metal")))
            return READY_GUEST;
    return READY_NOWHERE;
}

void ready_stand(const struct platform *p, struct ready_standing *out)
{
    static sign_fn *const signs[] = {sign_cpuid, sign_sev_status, sign_guest_device, sign_host_device, sign_dmi};
    unsigned seen = 0;
    *out = (struct ready_standing){0};
    for (size_t i = 0; i < TST_COUNT(signs); i++)
        seen |= (unsigned)signs[i](p, out);
    out->contradiction = seen == READY_ANYWHERE;
    out->place = out->contradiction ? READY_NOWHERE : (enum ready_place)seen;
}
