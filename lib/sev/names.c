/* SPDX-License-Identifier: Apache-2.0 */
/* sev/names.c - words for the numbers of the SEV API: key usages, algorithms, roles, bits of the guest policy.
 * Source: AMD 55766, "Certificate Formats", "Guest Policy Structure". */
#include <stdio.h>

#include "internal.h"

struct name_row {
    uint32_t value;
    const char *name;
};

static const struct name_row usages[] = {
    {TST_SEV_ARK, "ARK"}, {TST_SEV_ASK, "ASK"}, {TST_SEV_NONE, "none"}, {TST_SEV_NONE_SWAPPED, "none (bytes swapped)"},
    {TST_SEV_OCA, "OCA"}, {TST_SEV_PEK, "PEK"}, {TST_SEV_PDH, "PDH"},   {TST_SEV_CEK, "CEK"},
};

static const struct name_row algos[] = {
    {0, "none"},
    {TST_SEV_RSA_SHA256, "RSA-SHA256"},
    {TST_SEV_ECDSA_SHA256, "ECDSA-SHA256"},
    {TST_SEV_ECDH_SHA256, "ECDH-SHA256"},
    {TST_SEV_RSA_SHA384, "RSA-SHA384"},
    {TST_SEV_ECDSA_SHA384, "ECDSA-SHA384"},
    {TST_SEV_ECDH_SHA384, "ECDH-SHA384"},
};

static const struct name_row policy_bits[] = {
    {TST_SEV_POLICY_NODBG, "NODBG"},   {TST_SEV_POLICY_NOKS, "NOKS"},     {TST_SEV_POLICY_ES, "ES"},
    {TST_SEV_POLICY_NOSEND, "NOSEND"}, {TST_SEV_POLICY_DOMAIN, "DOMAIN"}, {TST_SEV_POLICY_SEV, "SEV"},
};
#define POLICY_RESERVED_BITS 0x0000ffc0u

static const char *name_find(const struct name_row *rows, size_t n, uint32_t value)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].value == value)
            return rows[i].name;
    return "unknown";
}

const char *tst_sev_usage_name(uint32_t usage)
{
    return name_find(usages, TST_COUNT(usages), usage);
}

const char *tst_sev_algo_name(uint32_t algo)
{
    return name_find(algos, TST_COUNT(algos), algo);
}

const char *tst_sev_role_name(enum tst_sev_role r)
{
    static const char *const names[TST_SEV_ROLES] = {"PDH", "PEK", "OCA", "CEK", "ASK", "ARK"};
    return (size_t)r < TST_COUNT(names) ? names[r] : "unknown";
}

void tst_sev_policy_print(uint32_t policy, char *out, size_t n)
{
    char words[64] = "", reserved[32] = "";
    for (size_t i = 0; i < TST_COUNT(policy_bits); i++)
        if (policy & policy_bits[i].value) {
            size_t used = strlen(words);
            snprintf(words + used, sizeof words - used, "%s%s", used ? " " : "", policy_bits[i].name);
        }
    if (policy & POLICY_RESERVED_BITS)
        snprintf(reserved, sizeof reserved, ", reserved bits 0x%x", policy & POLICY_RESERVED_BITS);
    snprintf(out, n, "%s, API >= %u.%u%s", words[0] ? words : "no restriction", policy >> 16 & 0xff, policy >> 24, reserved);
}
