/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_sev_show.c - `testudo sev show`: every field of legacy SEV certificates (one or several in a file) or of an
 * attestation report. Shows; believes nothing. */
#include <stdlib.h>

#include "cmd_sev.h"

#define SHOW_MAX_BYTES (TST_SEV_CHAIN_MAX_BYTES + 1)

static const char *const role_text[TST_SEV_ROLES] = {
    "the platform's Diffie-Hellman key", "the platform's endorsement key", "the owner's key",
    "the chip's key",                    "AMD's intermediate key",         "AMD's root key",
};

/* ---- platform certificates ---- */
static json_t *slot_json(const struct tst_sev_signature *s)
{
    return json_pack("{s:s, s:i, s:s, s:i}", "signer", tst_sev_usage_name(s->usage), "usage", (int)s->usage, "algorithm",
                     tst_sev_algo_name(s->algo), "algorithm-number", (int)s->algo);
}

static int cert_json(const struct tst_sev_cert *c, json_t **out, struct tst_error **err)
{
    size_t n = c->curve == TST_KEY_P256 ? 32 : 48;
    TST_AUTO_JSON o = json_pack("{s:s, s:i, s:i, s:i, s:s, s:s, s:[o,o]}", "role", tst_sev_usage_name(c->usage), "version",
                                (int)c->version, "api-major", c->api_major, "api-minor", c->api_minor, "algorithm",
                                tst_sev_algo_name(c->algo), "curve", c->curve == TST_KEY_P256 ? "P-256" : "P-384", "signatures",
                                slot_json(&c->sig[0]), slot_json(&c->sig[1]));
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = tst_json_set_hex(o, "x", c->x, n, err);
    rc = rc ? rc : tst_json_set_hex(o, "y", c->y, n, err);
    if (rc == 0)
        *out = TST_STEAL(o);
    return rc;
}

static void cert_print(enum tst_sev_role role, const struct tst_sev_cert *c)
{
    size_t n = c->curve == TST_KEY_P256 ? 32 : 48;
    printf("%s  %s\n", tst_sev_role_name(role), role_text[role]);
    printf("  %-14s%u, firmware API %u.%u\n", "version", c->version, c->api_major, c->api_minor);
    printf("  %-14s%s, %s\n", "key", c->curve == TST_KEY_P256 ? "P-256" : "P-384", tst_sev_algo_name(c->algo));
    sev_print_hex("x", c->x, n);
    sev_print_hex("y", c->y, n);
    for (size_t i = 0; i < TST_COUNT(c->sig); i++)
        printf("  signature %zu   by %s (0x%x), %s\n", i + 1, tst_sev_usage_name(c->sig[i].usage), c->sig[i].usage,
               tst_sev_algo_name(c->sig[i].algo));
}

/* ---- AMD's certificates ---- */
static int spki_of(const struct tst_sev_ca_cert *c, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    TST_AUTO_KEY key = NULL;
    int rc = tst_sev_ca_cert_key(c, &key, err);
    return rc ? rc : tst_key_spki_sha256(key, out, err);
}

static int ca_json(const struct tst_sev_ca_cert *c, json_t **out, struct tst_error **err)
{
    uint8_t spki[TST_SHA256_BYTES];
    int rc = spki_of(c, spki, err);
    if (rc)
        return rc;
    TST_AUTO_JSON o = json_pack("{s:s, s:i, s:i, s:b}", "role", tst_sev_usage_name(c->usage), "version", (int)c->version, "key-bits",
                                (int)(8 * c->key_bytes), "signed", c->signature_bytes != 0);
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    rc = tst_json_set_hex(o, "key-id", c->key_id, sizeof c->key_id, err);
    rc = rc ? rc : tst_json_set_hex(o, "certifying-id", c->certifying_id, sizeof c->certifying_id, err);
    rc = rc ? rc : tst_json_set_hex(o, "spki-sha256", spki, sizeof spki, err);
    if (rc == 0)
        *out = TST_STEAL(o);
    return rc;
}

static int ca_print(enum tst_sev_role role, const struct tst_sev_ca_cert *c, struct tst_error **err)
{
    uint8_t spki[TST_SHA256_BYTES];
    int rc = spki_of(c, spki, err);
    if (rc)
        return rc;
    printf("%s  %s\n", tst_sev_role_name(role), role_text[role]);
    printf("  %-14s%u\n  %-14sRSA-%zu\n", "version", c->version, "key", 8 * c->key_bytes);
    sev_print_hex("key id", c->key_id, sizeof c->key_id);
    sev_print_hex("certified by", c->certifying_id, sizeof c->certifying_id);
    sev_print_hex("SPKI SHA-256", spki, sizeof spki);
    printf("  %-14s%s\n", "signature", c->signature_bytes ? "there" : "none: the certificate ends after its key");
    return 0;
}

/* ---- files ---- */
static int chain_print(const struct tst_sev_chain *chain, struct tst_error **err)
{
    int rc = 0;
    for (enum tst_sev_role r = TST_SEV_ROLE_PDH; rc == 0 && r <= TST_SEV_ROLE_ARK; r++) {
        if (!chain->has[r])
            continue;
        if (r < TST_SEV_ROLE_ASK)
            cert_print(r, &chain->cert[r]);
        else
            rc = ca_print(r, &chain->ca[r - TST_SEV_ROLE_ASK], err);
    }
    if (rc == 0)
        puts("shown as written, not verified: see `testudo sev verify`");
    return rc;
}

static int chain_json(const struct tst_sev_chain *chain, json_t **out, struct tst_error **err)
{
    TST_AUTO_JSON list = json_array();
    int rc = 0;
    for (enum tst_sev_role r = TST_SEV_ROLE_PDH; rc == 0 && r <= TST_SEV_ROLE_ARK; r++) {
        json_t *o = NULL;
        if (!chain->has[r])
            continue;
        rc = r < TST_SEV_ROLE_ASK ? cert_json(&chain->cert[r], &o, err) : ca_json(&chain->ca[r - TST_SEV_ROLE_ASK], &o, err);
        if (rc == 0 && json_array_append_new(list, o) < 0)
            rc = tst_fail(err, TST_INTERNAL, "out of memory");
    }
    if (rc == 0)
        *out = json_pack("{s:O}", "certificates", list);
    return rc ? rc : *out ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static void report_print(const struct tst_sev_report *r)
{
    char policy[96];
    tst_sev_policy_print(r->policy, policy, sizeof policy);
    puts("attestation report of a legacy SEV guest");
    sev_print_hex("mnonce", r->mnonce, sizeof r->mnonce);
    sev_print_hex("launch digest", r->digest, sizeof r->digest);
    printf("  %-14s0x%08x: %s\n", "policy", r->policy, policy);
    printf("  %-14sby %s, %s\n", "signature", tst_sev_usage_name(r->sig_usage), tst_sev_algo_name(r->sig_algo));
    puts("shown as written, not verified: see `testudo sev report verify`");
}

static int report_json(const struct tst_sev_report *r, json_t **out, struct tst_error **err)
{
    TST_AUTO_JSON o = json_pack("{s:I, s:s, s:s}", "policy", (json_int_t)r->policy, "signer", tst_sev_usage_name(r->sig_usage),
                                "algorithm", tst_sev_algo_name(r->sig_algo));
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = tst_json_set_hex(o, "mnonce", r->mnonce, sizeof r->mnonce, err);
    rc = rc ? rc : tst_json_set_hex(o, "launch-digest", r->digest, sizeof r->digest, err);
    if (rc == 0)
        *out = TST_STEAL(o);
    return rc;
}

static int show_report(const void *p, size_t n, bool json, struct tst_error **err)
{
    struct tst_sev_report r;
    TST_AUTO_JSON o = NULL;
    int rc = tst_sev_report_parse(p, n, &r, err);
    if (rc == 0 && !json)
        report_print(&r);
    if (rc == 0 && json)
        rc = report_json(&r, &o, err);
    if (o)
        cli_print_json(o);
    return rc;
}

static int show_certs(const void *p, size_t n, bool json, struct tst_error **err)
{
    struct tst_sev_chain chain = {0};
    TST_AUTO_JSON o = NULL;
    int rc = tst_sev_chain_add(&chain, p, n, err);
    if (rc == 0)
        rc = json ? chain_json(&chain, &o, err) : chain_print(&chain, err);
    if (o)
        cli_print_json(o);
    return rc;
}

static int sev_show(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    TST_AUTO_STR bytes = NULL;
    size_t n = 0;
    bool json = cli_value(self, args, "--json") != NULL;
    int rc = cli_read_file(args->rest[0], SHOW_MAX_BYTES, &bytes, &n, err);
    if (rc < 0)
        return rc;
    rc = n == TST_SEV_REPORT_BYTES ? show_report(bytes, n, json, err) : show_certs(bytes, n, json, err);
    if (rc < 0)
        tst_wrap(err, "%s", args->rest[0]);
    return rc;
}

const struct cli_command cmd_sev_show = {
    .name = "sev show",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "show legacy SEV certificates (PDH, PEK, OCA, CEK, ASK, ARK, or several in a file) or an attestation report",
    .exits = "0 shown, 2 bad usage or input",
    .options = {{"--json", NULL, "print as JSON"}},
    .run = sev_show,
};
