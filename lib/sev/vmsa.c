/* SPDX-License-Identifier: Apache-2.0 */
/* sev/vmsa.c - show and change a VMSA page of SEV-ES: one table of its fields. Source: AMD64 APM volume 2, table B-4
 * (state save area with SEV-ES). */
#include <stdio.h>

#include "internal.h"

#define SEGMENT_BYTES 16
#define CS_BASE 0x018
#define RIP 0x178
#define RDX 0x310

struct field {
    const char *name;
    uint16_t offset;
    uint8_t bytes; /* 1, 2, 4, 8 little-endian; SEGMENT_BYTES = selector, attributes, limit, base */
};

static const struct field fields[] = {
    {"es", 0x000, 16},           {"cs", 0x010, 16},           {"ss", 0x020, 16},           {"ds", 0x030, 16},
    {"fs", 0x040, 16},           {"gs", 0x050, 16},           {"gdtr", 0x060, 16},         {"ldtr", 0x070, 16},
    {"idtr", 0x080, 16},         {"tr", 0x090, 16},           {"vmpl", 0x0ca, 1},          {"cpl", 0x0cb, 1},
    {"efer", 0x0d0, 8},          {"xss", 0x140, 8},           {"cr4", 0x148, 8},           {"cr3", 0x150, 8},
    {"cr0", 0x158, 8},           {"dr7", 0x160, 8},           {"dr6", 0x168, 8},           {"rflags", 0x170, 8},
    {"rip", RIP, 8},             {"rsp", 0x1d8, 8},           {"rax", 0x1f8, 8},           {"star", 0x200, 8},
    {"lstar", 0x208, 8},         {"cstar", 0x210, 8},         {"sfmask", 0x218, 8},        {"kernel_gs_base", 0x220, 8},
    {"sysenter_cs", 0x228, 8},   {"sysenter_esp", 0x230, 8},  {"sysenter_eip", 0x238, 8},  {"cr2", 0x240, 8},
    {"g_pat", 0x268, 8},         {"dbgctl", 0x270, 8},        {"br_from", 0x278, 8},       {"br_to", 0x280, 8},
    {"last_excp_from", 0x288, 8}, {"last_excp_to", 0x290, 8}, {"spec_ctrl", 0x2e0, 4},     {"pkru", 0x2e8, 4},
    {"tsc_aux", 0x2ec, 4},       {"rcx", 0x308, 8},           {"rdx", RDX, 8},             {"rbx", 0x318, 8},
    {"rbp", 0x328, 8},           {"rsi", 0x330, 8},           {"rdi", 0x338, 8},           {"r8", 0x340, 8},
    {"r9", 0x348, 8},            {"r10", 0x350, 8},           {"r11", 0x358, 8},           {"r12", 0x360, 8},
    {"r13", 0x368, 8},           {"r14", 0x370, 8},           {"r15", 0x378, 8},           {"sw_exit_code", 0x390, 8},
    {"sw_exit_info_1", 0x398, 8}, {"sw_exit_info_2", 0x3a0, 8}, {"sw_scratch", 0x3a8, 8},  {"sev_features", 0x3b0, 8},
    {"xcr0", 0x3e8, 8},          {"valid_bitmap_low", 0x3f0, 8}, {"valid_bitmap_high", 0x3f8, 8}, {"x87_state_gpa", 0x400, 8},
    {"mxcsr", 0x408, 4},         {"x87_ftw", 0x40c, 2},       {"x87_fsw", 0x40e, 2},       {"x87_fcw", 0x410, 2},
};

void tst_sev_vmsa_set_signature(uint8_t page[TST_SEV_VMSA_BYTES], uint32_t cpu_signature)
{
    sev_put_u64(page + RDX, cpu_signature);
}

void tst_sev_vmsa_set_reset(uint8_t page[TST_SEV_VMSA_BYTES], uint32_t eip)
{
    sev_put_u64(page + CS_BASE, eip & 0xffff0000u);
    sev_put_u64(page + RIP, eip & 0xffffu);
}

static uint64_t number(const uint8_t *p, size_t n)
{
    uint64_t value = 0;
    for (size_t i = n; i > 0; i--)
        value = value << 8 | p[i - 1];
    return value;
}

/* JSON numbers are signed 64-bit in jansson: a larger one is written as "0x...". */
static json_t *json_number(uint64_t value)
{
    char hex[19];
    if (value <= INT64_MAX)
        return json_integer((json_int_t)value);
    snprintf(hex, sizeof hex, "0x%llx", (unsigned long long)value);
    return json_string(hex);
}

static json_t *json_field(const uint8_t *page, const struct field *f)
{
    const uint8_t *p = page + f->offset;
    if (f->bytes != SEGMENT_BYTES)
        return json_number(number(p, f->bytes));
    return json_pack("{s:i,s:i,s:o,s:o}", "selector", (int)number(p, 2), "attrib", (int)number(p + 2, 2), "limit",
                     json_number(number(p + 4, 4)), "base", json_number(number(p + 8, 8)));
}

static bool is_named(size_t offset)
{
    for (size_t i = 0; i < TST_COUNT(fields); i++)
        if (offset >= fields[i].offset && offset < (size_t)fields[i].offset + fields[i].bytes)
            return true;
    return false;
}

/* Offsets of set bytes outside of every field. */
static json_t *json_reserved(const uint8_t *page)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < TST_SEV_VMSA_BYTES; i++)
        if (page[i] && !is_named(i) && json_array_append_new(list, json_integer((json_int_t)i)) < 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

int tst_sev_vmsa_json(const void *p, size_t n, json_t **out, struct tst_error **err)
{
    if (n != TST_SEV_VMSA_BYTES)
        return tst_fail(err, TST_USAGE, "VMSA: %zu bytes, expected %d", n, TST_SEV_VMSA_BYTES);
    TST_AUTO_JSON o = json_object();
    for (size_t i = 0; o && i < TST_COUNT(fields); i++)
        if (json_object_set_new(o, fields[i].name, json_field(p, &fields[i])) < 0)
            return tst_fail(err, TST_INTERNAL, "VMSA: out of memory");
    if (!o || json_object_set_new(o, "reserved", json_reserved(p)) < 0)
        return tst_fail(err, TST_INTERNAL, "VMSA: out of memory");
    *out = TST_STEAL(o);
    return 0;
}
