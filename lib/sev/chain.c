/* SPDX-License-Identifier: Apache-2.0 */
/* sev/chain.c - collects the certificates of a platform from files that hold one or several of them. What a certificate is,
 * its own bytes say; nothing is believed here (chain_checks.c verifies). */
#include "internal.h"

#define CERT_USAGE_OFFSET 8
#define CA_USAGE_OFFSET 0x24
#define CA_MODULUS_BITS_OFFSET 0x3c
#define CA_HEADER_BYTES 0x40

static uint32_t u32_at(struct tst_rd r, size_t offset)
{
    tst_rd_skip(&r, offset);
    return tst_rd_u32le(&r);
}

static int claim(struct tst_sev_chain *chain, enum tst_sev_role role, struct tst_error **err)
{
    if (chain->has[role])
        return tst_fail(err, TST_USAGE, "a second %s certificate; a chain has one of each", tst_sev_role_name(role));
    chain->has[role] = true;
    return 0;
}

static int add_cert(struct tst_sev_chain *chain, struct tst_rd *r, struct tst_error **err)
{
    static const struct {
        uint32_t usage;
        enum tst_sev_role role;
    } roles[] = {{TST_SEV_PDH, TST_SEV_ROLE_PDH}, {TST_SEV_PEK, TST_SEV_ROLE_PEK}, {TST_SEV_OCA, TST_SEV_ROLE_OCA}, {TST_SEV_CEK, TST_SEV_ROLE_CEK}};
    struct tst_sev_cert c;
    size_t left = tst_rd_left(r), n = left < TST_SEV_CERT_BYTES ? left : TST_SEV_CERT_BYTES;
    struct tst_bytes bytes = tst_rd_take(r, n);
    int rc = tst_sev_cert_parse(bytes.p, bytes.n, &c, err);
    for (size_t i = 0; !rc && i < TST_COUNT(roles); i++) {
        if (roles[i].usage != c.usage)
            continue;
        rc = claim(chain, roles[i].role, err);
        if (!rc)
            chain->cert[roles[i].role] = c;
    }
    return rc;
}

/* AMD's certificates do not say whether their signature is there: it is, unless the file ends after the key. */
static int add_ca_cert(struct tst_sev_chain *chain, struct tst_rd *r, struct tst_error **err)
{
    struct tst_sev_ca_cert c;
    size_t left = tst_rd_left(r), key = u32_at(*r, CA_MODULUS_BITS_OFFSET) == 2048 ? 256 : 512;
    size_t whole = CA_HEADER_BYTES + 3 * key, n = left < whole ? left : whole;
    struct tst_bytes bytes = tst_rd_take(r, n);
    int rc = tst_sev_ca_cert_parse(bytes.p, bytes.n, &c, err);
    if (rc)
        return rc;
    enum tst_sev_role role = c.usage == TST_SEV_ARK ? TST_SEV_ROLE_ARK : TST_SEV_ROLE_ASK;
    rc = claim(chain, role, err);
    if (!rc)
        chain->ca[role - TST_SEV_ROLE_ASK] = c;
    return rc;
}

static bool is_platform_cert(struct tst_rd r)
{
    uint32_t usage = u32_at(r, CERT_USAGE_OFFSET);
    return usage >= TST_SEV_OCA && usage <= TST_SEV_CEK;
}

static bool is_ca_cert(struct tst_rd r)
{
    uint32_t usage = u32_at(r, CA_USAGE_OFFSET);
    return tst_rd_left(&r) >= CA_HEADER_BYTES && (usage == TST_SEV_ARK || usage == TST_SEV_ASK);
}

int tst_sev_chain_add(struct tst_sev_chain *chain, const void *p, size_t n, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(p, n);
    if (n == 0)
        return tst_fail(err, TST_USAGE, "no certificate: the file is empty");
    if (n > TST_SEV_CHAIN_MAX_BYTES)
        return tst_fail(err, TST_TOO_LARGE, "%zu bytes, a whole chain has at most %d", n, TST_SEV_CHAIN_MAX_BYTES);
    while (tst_rd_left(&r) > 0) {
        size_t offset = n - tst_rd_left(&r);
        int rc;
        if (is_platform_cert(r))
            rc = add_cert(chain, &r, err);
        else if (is_ca_cert(r))
            rc = add_ca_cert(chain, &r, err);
        else {
            rc = tst_fail(err, TST_USAGE, "no SEV certificate");
            tst_hint(err, "a PDH, PEK, OCA or CEK (2084 bytes), an ASK or ARK (832 or 1600 bytes), or several of them", NULL,
                          "certificates of SEV-SNP (VCEK, ASK, ARK in DER or PEM) are another format: see `testudo evidence verify`");
        }
        if (rc && offset)
            tst_wrap(err, "at byte %zu", offset);
        if (rc)
            return rc;
    }
    return 0;
}
