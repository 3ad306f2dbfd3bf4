/* SPDX-License-Identifier: Apache-2.0 */
/* sev/chain_checks.c - verify PDH <- PEK <- OCA and CEK <- ASK <- ARK <- pin. One table of checks; every check is listed in
 * every verdict, and what fails says by which word. Source: AMD 55766, "Certificates and Keys". */
#include <stdio.h>

#include "internal.h"

struct chain_ctx {
    const struct tst_sev_chain *chain;
    const struct tst_sev_pin *extra, *pin;
    struct tst_key *key[TST_SEV_ROLES]; /* NULL: certificate missing, or its key is none */
};

struct check_row {
    const char *id, *meaning, *source;
    int (*judge)(struct chain_ctx *x, struct tst_sev_check *c, struct tst_error **err);
    const char *fix;
};

#define SET_FOUND(c, ...) snprintf((c)->found, sizeof(c)->found, __VA_ARGS__)

static int pass(struct tst_sev_check *c)
{
    c->outcome = TST_SEV_PASS;
    return 0;
}

static int fail(struct tst_sev_check *c, const char *reason)
{
    c->outcome = TST_SEV_FAIL;
    c->reason = reason;
    return 0;
}

static int missing(struct tst_sev_check *c, enum tst_sev_role role)
{
    c->outcome = TST_SEV_MISSING;
    c->reason = "certificate-missing";
    SET_FOUND(c, "no %s certificate", tst_sev_role_name(role));
    return 0;
}

/* True when both certificates are there and the signer's key is a key; else the check is decided. */
static bool ready(const struct chain_ctx *x, enum tst_sev_role subject, enum tst_sev_role signer, struct tst_sev_check *c)
{
    if (!x->chain->has[subject] || !x->chain->has[signer]) {
        missing(c, x->chain->has[subject] ? signer : subject);
        return false;
    }
    if (!x->key[signer]) {
        SET_FOUND(c, "the %s holds no usable public key", tst_sev_role_name(signer));
        fail(c, "bad-key");
        return false;
    }
    return true;
}

/* ---- AMD's certificates ---- */
static const struct tst_sev_ca_cert *ca_of(const struct chain_ctx *x, enum tst_sev_role role)
{
    return &x->chain->ca[role - TST_SEV_ROLE_ASK];
}

static enum tst_hash ca_hash(size_t key_bytes)
{
    return key_bytes == 256 ? TST_HASH_SHA256 : TST_HASH_SHA384;
}

static const struct tst_sev_pin *pin_find(const struct tst_sev_pin *pins, size_t n, const uint8_t spki[TST_SHA256_BYTES])
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(pins[i].spki_sha256, spki, TST_SHA256_BYTES) == 0)
            return &pins[i];
    return NULL;
}

static int judge_pin(struct chain_ctx *x, struct tst_sev_check *c, struct tst_error **err)
{
    uint8_t spki[TST_SHA256_BYTES];
    char hex[2 * TST_SHA256_BYTES + 1];
    if (!ready(x, TST_SEV_ROLE_ARK, TST_SEV_ROLE_ARK, c))
        return 0;
    int rc = tst_key_spki_sha256(x->key[TST_SEV_ROLE_ARK], spki, err);
    if (rc)
        return rc;
    tst_hex(spki, sizeof spki, hex);
    x->pin = pin_find(sev_shipped_pins, sev_shipped_pin_count, spki);
    if (x->pin)
        SET_FOUND(c, "AMD's root for %s", x->pin->product);
    else if (x->extra && pin_find(x->extra, 1, spki)) {
        x->pin = x->extra;
        SET_FOUND(c, "SIMULATED root \"%s\", named by the caller", x->pin->product);
    } else
        SET_FOUND(c, "SPKI SHA-256 %s", hex);
    return x->pin ? pass(c) : fail(c, "ark-not-pinned");
}

static int judge_ca_signature(struct chain_ctx *x, enum tst_sev_role subject, struct tst_sev_check *c, const char *unsigned_reason,
                              const char *bad_reason, struct tst_error **err)
{
    if (!ready(x, subject, TST_SEV_ROLE_ARK, c))
        return 0;
    const struct tst_sev_ca_cert *s = ca_of(x, subject), *ark = ca_of(x, TST_SEV_ROLE_ARK);
    if (s->signature_bytes == 0) {
        SET_FOUND(c, "the certificate ends after its key, at byte %zu: it carries no signature", s->signed_bytes);
        return fail(c, unsigned_reason);
    }
    if (s->signature_bytes != ark->key_bytes) {
        SET_FOUND(c, "a signature of %zu bits, the ARK signs with %zu", 8 * s->signature_bytes, 8 * ark->key_bytes);
        return fail(c, bad_reason);
    }
    int rc = tst_rsa_pss_verify(x->key[TST_SEV_ROLE_ARK], ca_hash(ark->key_bytes), s->raw, s->signed_bytes,
                                (struct tst_bytes){s->signature, s->signature_bytes}, err);
    if (rc == -TST_REFUTED) {
        SET_FOUND(c, "the signature does not verify with the ARK's key");
        return fail(c, bad_reason);
    }
    SET_FOUND(c, "RSA-%zu PSS, %s", 8 * ark->key_bytes, ark->key_bytes == 256 ? "SHA-256" : "SHA-384");
    return rc ? rc : pass(c);
}

static int judge_ark(struct chain_ctx *x, struct tst_sev_check *c, struct tst_error **err)
{
    return judge_ca_signature(x, TST_SEV_ROLE_ARK, c, "ark-without-signature", "ark-signature", err);
}

static int judge_ask(struct chain_ctx *x, struct tst_sev_check *c, struct tst_error **err)
{
    return judge_ca_signature(x, TST_SEV_ROLE_ASK, c, "ask-without-signature", "ask-signature", err);
}

static int judge_key_ids(struct chain_ctx *x, struct tst_sev_check *c, struct tst_error **err)
{
    (void)err;
    if (!x->chain->has[TST_SEV_ROLE_ASK] || !x->chain->has[TST_SEV_ROLE_ARK])
        return missing(c, x->chain->has[TST_SEV_ROLE_ASK] ? TST_SEV_ROLE_ARK : TST_SEV_ROLE_ASK);
    const struct tst_sev_ca_cert *ask = ca_of(x, TST_SEV_ROLE_ASK), *ark = ca_of(x, TST_SEV_ROLE_ARK);
    char hex[33];
    tst_hex(ark->key_id, sizeof ark->key_id, hex);
    SET_FOUND(c, "key id of the ARK: %s", hex);
    bool same = memcmp(ask->certifying_id, ark->key_id, sizeof ark->key_id) == 0 &&
                memcmp(ark->certifying_id, ark->key_id, sizeof ark->key_id) == 0;
    return same ? pass(c) : fail(c, "key-id");
}

/* ---- certificates of the platform ---- */
static const uint32_t role_usage[TST_SEV_ROLES] = {TST_SEV_PDH, TST_SEV_PEK, TST_SEV_OCA, TST_SEV_CEK, TST_SEV_ASK, TST_SEV_ARK};

/* The one slot that the signer filled; NULL if there is none, or two. */
static const struct tst_sev_signature *slot_of(const struct tst_sev_cert *c, enum tst_sev_role signer)
{
    const struct tst_sev_signature *found = NULL;
    for (size_t i = 0; i < TST_COUNT(c->sig); i++)
        if (c->sig[i].usage == role_usage[signer]) {
            if (found)
                return NULL;
            found = &c->sig[i];
        }
    return found;
}

static uint32_t signer_algo(const struct chain_ctx *x, enum tst_sev_role signer)
{
    if (signer != TST_SEV_ROLE_ASK)
        return x->chain->cert[signer].algo;
    return ca_of(x, signer)->key_bytes == 256 ? TST_SEV_RSA_SHA256 : TST_SEV_RSA_SHA384;
}

static int verify_slot(const struct chain_ctx *x, const struct tst_sev_cert *c, enum tst_sev_role signer,
                       const struct tst_sev_signature *s, struct tst_error **err)
{
    const struct tst_key *key = x->key[signer];
    if (signer != TST_SEV_ROLE_ASK)
        return sev_ecdsa_verify(key, s->algo, c->raw, TST_SEV_CERT_SIGNED_BYTES, s->bytes, err);
    uint8_t big[TST_SEV_SIGNATURE_BYTES];
    size_t n = ca_of(x, signer)->key_bytes;
    if (!tst_is_zero(s->bytes + n, sizeof s->bytes - n))
        return tst_fail(err, TST_REFUTED, "signature: longer than the signer's key");
    sev_reverse(s->bytes, n, big);
    return tst_rsa_pss_verify(key, ca_hash(n), c->raw, TST_SEV_CERT_SIGNED_BYTES, (struct tst_bytes){big, n}, err);
}

static int judge_signature(struct chain_ctx *x, enum tst_sev_role subject, enum tst_sev_role signer, struct tst_sev_check *c,
                           const char *reason, struct tst_error **err)
{
    if (!ready(x, subject, signer, c))
        return 0;
    const struct tst_sev_cert *cert = &x->chain->cert[subject];
    const struct tst_sev_signature *s = slot_of(cert, signer);
    uint32_t algo = signer_algo(x, signer);
    if (!s) {
        SET_FOUND(c, "its signature slots are of %s and %s: not exactly one of the %s", tst_sev_usage_name(cert->sig[0].usage),
                  tst_sev_usage_name(cert->sig[1].usage), tst_sev_role_name(signer));
        return fail(c, "no-such-signature");
    }
    if (s->algo != algo) {
        SET_FOUND(c, "signed with %s, the %s signs with %s", tst_sev_algo_name(s->algo), tst_sev_role_name(signer),
                  tst_sev_algo_name(algo));
        return fail(c, "signature-algorithm");
    }
    int rc = verify_slot(x, cert, signer, s, err);
    if (rc == -TST_REFUTED) {
        SET_FOUND(c, "the signature does not verify with the %s's key", tst_sev_role_name(signer));
        return fail(c, reason);
    }
    bool swapped = cert->sig[0].usage == TST_SEV_NONE_SWAPPED || cert->sig[1].usage == TST_SEV_NONE_SWAPPED;
    SET_FOUND(c, "%s%s", tst_sev_algo_name(s->algo), swapped ? "; the empty slot says 0x0010 for 0x1000, a known slip of AMD's service" : "");
    return rc ? rc : pass(c);
}

static int judge_cek(struct chain_ctx *x, struct tst_sev_check *c, struct tst_error **err)
{
    return judge_signature(x, TST_SEV_ROLE_CEK, TST_SEV_ROLE_ASK, c, "cek-signature", err);
}

static int judge_oca(struct chain_ctx *x, struct tst_sev_check *c, struct tst_error **err)
{
    return judge_signature(x, TST_SEV_ROLE_OCA, TST_SEV_ROLE_OCA, c, "oca-signature", err);
}

static int judge_pek_cek(struct chain_ctx *x, struct tst_sev_check *c, struct tst_error **err)
{
    return judge_signature(x, TST_SEV_ROLE_PEK, TST_SEV_ROLE_CEK, c, "pek-signature-cek", err);
}

static int judge_pek_oca(struct chain_ctx *x, struct tst_sev_check *c, struct tst_error **err)
{
    return judge_signature(x, TST_SEV_ROLE_PEK, TST_SEV_ROLE_OCA, c, "pek-signature-oca", err);
}

static int judge_pdh(struct chain_ctx *x, struct tst_sev_check *c, struct tst_error **err)
{
    int rc = judge_signature(x, TST_SEV_ROLE_PDH, TST_SEV_ROLE_PEK, c, "pdh-signature", err);
    if (rc || c->outcome != TST_SEV_PASS || x->key[TST_SEV_ROLE_PDH])
        return rc;
    SET_FOUND(c, "the PDH holds no usable public key");
    return fail(c, "bad-key");
}

#define CA_FIX "take AMD's ask_ark file of the product again: https://download.amd.com/developer/eula/sev/"
#define CEK_FIX "fetch the signed CEK of this chip again: https://kdsintf.amd.com/cek/id/ID"
#define EXPORT_FIX "export PDH, PEK and OCA again, all from the same host and at the same time"

static const struct check_row rows[TST_SEV_CHECKS] = {
    {"chain.ark-pin", "the root key is AMD's, or the one that the caller names", "share/ark-pins.tsv", judge_pin, CA_FIX},
    {"chain.ark-signature", "the root is signed by itself", "AMD 55766, CA Certificate Format", judge_ark,
     "AMD's Naples file of 2018 lacks the root's signature: take the complete one (832 bytes); else " CA_FIX},
    {"chain.key-ids", "ASK and ARK name the ARK as the key that certifies them", "AMD 55766, CA Certificate Format", judge_key_ids, CA_FIX},
    {"chain.ask-signature", "the ASK is signed by the ARK", "AMD 55766, CA Certificate Format", judge_ask, CA_FIX},
    {"chain.cek-signature", "the chip's key CEK is signed by the ASK", "AMD 55766, SEV Certificate Format", judge_cek, CEK_FIX},
    {"chain.oca-signature", "the owner's key OCA is signed by itself", "AMD 55766, SEV Certificate Format", judge_oca, EXPORT_FIX},
    {"chain.pek-signature-cek", "the platform's key PEK is signed by the CEK", "AMD 55766, SEV Certificate Format", judge_pek_cek,
     "PEK and CEK are of two chips, or the PEK was made anew: " EXPORT_FIX},
    {"chain.pek-signature-oca", "the platform's key PEK is signed by the OCA", "AMD 55766, SEV Certificate Format", judge_pek_oca, EXPORT_FIX},
    {"chain.pdh-signature", "the Diffie-Hellman key PDH is signed by the PEK", "AMD 55766, SEV Certificate Format", judge_pdh, EXPORT_FIX},
};

/* A certificate whose numbers are no key leaves its place NULL; only an error of our own side ends the verification. */
static int keys_load(struct chain_ctx *x, struct tst_error **err)
{
    for (enum tst_sev_role r = TST_SEV_ROLE_PDH; r <= TST_SEV_ROLE_ARK; r++) {
        TST_AUTO_ERROR why = NULL;
        int rc = 0;
        if (x->chain->has[r])
            rc = r < TST_SEV_ROLE_ASK ? tst_sev_cert_key(&x->chain->cert[r], &x->key[r], &why)
                                      : tst_sev_ca_cert_key(ca_of(x, r), &x->key[r], &why);
        if (rc == -TST_INTERNAL)
            return tst_fail(err, TST_INTERNAL, "chain: %s", why ? why->text : "out of memory");
    }
    return 0;
}

static int checks_run(struct chain_ctx *x, struct tst_sev_verdict *out, struct tst_error **err)
{
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        TST_AUTO_ERROR why = NULL; /* a refuted signature leaves its error here */
        struct tst_sev_check *c = &out->checks[i];
        *c = (struct tst_sev_check){.id = rows[i].id, .meaning = rows[i].meaning, .source = rows[i].source};
        int rc = rows[i].judge(x, c, &why);
        if (rc < 0)
            return tst_fail(err, TST_INTERNAL, "%s: %s", rows[i].id, why ? why->text : "out of memory");
        if (c->outcome == TST_SEV_PASS)
            continue;
        c->fix = c->outcome == TST_SEV_MISSING ? "give the missing certificate" : rows[i].fix;
        if (out->outcome != TST_SEV_FAIL)
            out->outcome = c->outcome;
    }
    return 0;
}

int tst_sev_chain_verify(const struct tst_sev_chain *chain, const struct tst_sev_pin *extra, struct tst_sev_verdict *out,
                         struct tst_error **err)
{
    struct chain_ctx x = {.chain = chain, .extra = extra};
    memset(out, 0, sizeof *out);
    int rc = keys_load(&x, err);
    rc = rc ? rc : checks_run(&x, out, err);
    if (!rc && x.pin) {
        out->product = x.pin->product;
        out->simulated = x.pin == extra;
    }
    for (size_t i = 0; i < TST_COUNT(x.key); i++)
        tst_key_free(x.key[i]);
    return rc;
}

const struct tst_sev_check *tst_sev_verdict_first(const struct tst_sev_verdict *v)
{
    for (size_t i = 0; i < TST_SEV_CHECKS; i++)
        if (v->outcome != TST_SEV_PASS && v->checks[i].outcome == v->outcome)
            return &v->checks[i];
    return NULL;
}

const struct tst_sev_pin *tst_sev_pins(size_t *count)
{
    *count = sev_shipped_pin_count;
    return sev_shipped_pins;
}
