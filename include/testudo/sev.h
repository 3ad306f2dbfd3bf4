/* SPDX-License-Identifier: Apache-2.0 */
/* testudo/sev.h - legacy SEV and SEV-ES, for the guest's owner: certificates and their chain, session, launch measurement,
 * secret packet, VMSA pages, attestation report. Pure: no clock, no files. Source: AMD 55766 (SEV API). All functions are
 * thread-safe on distinct objects. Integers of keys and signatures are big-endian here, little-endian in the files. */
#ifndef TESTUDO_SEV_H
#define TESTUDO_SEV_H

#include <testudo/measure.h>

/* ---- certificates ---- */
#define TST_SEV_CERT_BYTES 0x824
#define TST_SEV_CERT_SIGNED_BYTES 0x414
#define TST_SEV_SIGNATURE_BYTES 512
#define TST_SEV_CA_CERT_MAX_BYTES 1600 /* RSA-4096; 832 for RSA-2048 */
#define TST_SEV_CA_KEY_MAX_BYTES 512

enum tst_sev_usage {
    TST_SEV_ARK = 0,
    TST_SEV_ASK = 0x13,
    TST_SEV_NONE = 0x1000, /* an empty signature slot */
    TST_SEV_OCA = 0x1001,
    TST_SEV_PEK = 0x1002,
    TST_SEV_PDH = 0x1003,
    TST_SEV_CEK = 0x1004,
};
/* Some signed CEKs of AMD's service carried the empty slot's usage with its bytes swapped. */
#define TST_SEV_NONE_SWAPPED 0x0010
enum tst_sev_algo {
    TST_SEV_RSA_SHA256 = 0x001,
    TST_SEV_ECDSA_SHA256 = 0x002,
    TST_SEV_ECDH_SHA256 = 0x003,
    TST_SEV_RSA_SHA384 = 0x101,
    TST_SEV_ECDSA_SHA384 = 0x102,
    TST_SEV_ECDH_SHA384 = 0x103,
};
const char *tst_sev_usage_name(uint32_t usage); /* "PDH", ...; "unknown" */
const char *tst_sev_algo_name(uint32_t algo);   /* "ECDSA-SHA256", ...; "unknown" */

struct tst_sev_signature {
    uint32_t usage, algo;                   /* the signer's, as written; neither is signed */
    uint8_t bytes[TST_SEV_SIGNATURE_BYTES]; /* as in the file: little-endian */
};
/* PDH, PEK, OCA, CEK. The first TST_SEV_CERT_SIGNED_BYTES of raw are what is signed. */
struct tst_sev_cert {
    uint8_t raw[TST_SEV_CERT_BYTES];
    uint32_t version, usage, algo;
    uint8_t api_major, api_minor;
    enum tst_key_kind curve; /* TST_KEY_P256 or TST_KEY_P384 */
    uint8_t x[48], y[48];    /* as many bytes as the curve has */
    struct tst_sev_signature sig[2];
};
/* ASK, ARK. signature_bytes is 0 for a certificate that ends after its key (AMD published the Naples ARK so). */
struct tst_sev_ca_cert {
    uint8_t raw[TST_SEV_CA_CERT_MAX_BYTES];
    size_t raw_bytes, signed_bytes, signature_bytes;
    uint32_t version, usage;
    uint8_t key_id[16], certifying_id[16];
    size_t key_bytes; /* 256 or 512, of modulus and exponent */
    uint8_t exponent[TST_SEV_CA_KEY_MAX_BYTES], modulus[TST_SEV_CA_KEY_MAX_BYTES];
    uint8_t signature[TST_SEV_CA_KEY_MAX_BYTES];
};
/* Exactly one certificate. TST_USAGE says offset and reason; every byte that no signature covers and nothing uses must be
 * zero. */
int tst_sev_cert_parse(const void *p, size_t n, struct tst_sev_cert *out, struct tst_error **err);
int tst_sev_ca_cert_parse(const void *p, size_t n, struct tst_sev_ca_cert *out, struct tst_error **err);
/* The public key; SPKI SHA-256 by tst_key_spki_sha256 (an ARK of Milan and later is the X.509 ARK's key). */
int tst_sev_cert_key(const struct tst_sev_cert *c, struct tst_key **out, struct tst_error **err);
int tst_sev_ca_cert_key(const struct tst_sev_ca_cert *c, struct tst_key **out, struct tst_error **err);

/* ---- chain PDH <- PEK <- OCA and CEK <- ASK <- ARK ---- */
#define TST_SEV_CHAIN_MAX_BYTES (4 * TST_SEV_CERT_BYTES + 2 * TST_SEV_CA_CERT_MAX_BYTES)
enum tst_sev_role { TST_SEV_ROLE_PDH, TST_SEV_ROLE_PEK, TST_SEV_ROLE_OCA, TST_SEV_ROLE_CEK, TST_SEV_ROLE_ASK, TST_SEV_ROLE_ARK };
#define TST_SEV_ROLES 6
const char *tst_sev_role_name(enum tst_sev_role r);
struct tst_sev_chain {
    bool has[TST_SEV_ROLES];
    struct tst_sev_cert cert[TST_SEV_ROLE_CEK + 1];          /* by role */
    struct tst_sev_ca_cert ca[TST_SEV_ROLES - TST_SEV_ROLE_ASK]; /* by role - TST_SEV_ROLE_ASK */
};
/* Adds every certificate of a file: one, or several one behind the other in any order (as the firmware's export, `sevctl
 * export` and AMD's ask_ark files have them). A second one of a role is refused. An ARK without signature is known only at
 * the end. */
int tst_sev_chain_add(struct tst_sev_chain *chain, const void *p, size_t n, struct tst_error **err);

/* A root key that counts. */
struct tst_sev_pin {
    char product[16]; /* "naples", "rome", "milan", ... */
    uint8_t spki_sha256[TST_SHA256_BYTES];
};
/* AMD's, compiled in from share/ark-pins.tsv. */
const struct tst_sev_pin *tst_sev_pins(size_t *count);

enum tst_sev_outcome { TST_SEV_PASS, TST_SEV_FAIL, TST_SEV_MISSING /* cannot be decided */ };
#define TST_SEV_CHECKS 9
struct tst_sev_check {
    const char *id, *meaning, *source;
    enum tst_sev_outcome outcome;
    const char *reason;  /* stable word when it failed, e.g. "ark-without-signature"; NULL else */
    const char *fix;     /* NULL when it passed */
    char found[128];
};
struct tst_sev_verdict {
    enum tst_sev_outcome outcome; /* FAIL before MISSING before PASS */
    const char *product;          /* the pin's; NULL while no root matched */
    bool simulated;               /* the root is the caller's, not AMD's */
    struct tst_sev_check checks[TST_SEV_CHECKS];
};
/* Judges whatever is there; all checks are listed. `extra` (may be NULL) is one more root, whose chains are marked
 * simulated; verdict->product then points into it. An error only when memory runs out. */
int tst_sev_chain_verify(const struct tst_sev_chain *chain, const struct tst_sev_pin *extra, struct tst_sev_verdict *out,
                         struct tst_error **err);
/* First failed (else first missing) check; NULL when passed. */
const struct tst_sev_check *tst_sev_verdict_first(const struct tst_sev_verdict *v);

/* ---- guest policy (32 bits) ---- */
#define TST_SEV_POLICY_NODBG 0x01u
#define TST_SEV_POLICY_NOKS 0x02u
#define TST_SEV_POLICY_ES 0x04u
#define TST_SEV_POLICY_NOSEND 0x08u
#define TST_SEV_POLICY_DOMAIN 0x10u
#define TST_SEV_POLICY_SEV 0x20u
/* "NODBG NOKS ES, API >= 1.40"; out >= 96 bytes. */
void tst_sev_policy_print(uint32_t policy, char *out, size_t n);

/* ---- attestation report (ATTESTATION command) ---- */
#define TST_SEV_REPORT_BYTES 0xD0
struct tst_sev_report {
    uint8_t raw[TST_SEV_REPORT_BYTES];
    uint8_t mnonce[16], digest[32];
    uint32_t policy, sig_usage, sig_algo;
    uint8_t signature[144]; /* R and S, 72 bytes each, little-endian */
};
int tst_sev_report_parse(const void *p, size_t n, struct tst_sev_report *out, struct tst_error **err);
/* -TST_REFUTED if the PEK did not sign it. Says nothing about the PEK: verify its chain. */
int tst_sev_report_verify(const struct tst_sev_report *r, const struct tst_sev_cert *pek, struct tst_error **err);

/* ---- session (LAUNCH_START) ---- */
#define TST_SEV_KEY_BYTES 16 /* TEK and TIK */
#define TST_SEV_NONCE_BYTES 16
#define TST_SEV_SESSION_BYTES 128
/* Wraps TEK and TIK under the shared secret z for a guest of that policy. */
int tst_sev_session_wrap(const struct tst_secret *z, const uint8_t nonce[TST_SEV_NONCE_BYTES], const uint8_t iv[16],
                         const struct tst_secret *tek, const struct tst_secret *tik, uint32_t policy,
                         uint8_t out[TST_SEV_SESSION_BYTES], struct tst_error **err);
/* What the firmware does with it: -TST_REFUTED if a MAC does not match (wrong secret, changed blob, other policy). */
int tst_sev_session_open(const struct tst_secret *z, const uint8_t blob[TST_SEV_SESSION_BYTES], uint32_t policy,
                         struct tst_secret **tek, struct tst_secret **tik, struct tst_error **err);
struct tst_sev_session {
    uint8_t godh[TST_SEV_CERT_BYTES]; /* the owner's Diffie-Hellman key, as an unsigned certificate */
    uint8_t blob[TST_SEV_SESSION_BYTES];
    struct tst_secret *tek, *tik; /* owned */
};
void tst_sev_session_clear(struct tst_sev_session *s);
/* Fresh keys for the platform with this PDH, whose chain the caller has verified. */
int tst_sev_session_new(const struct tst_sev_cert *pdh, uint32_t policy, struct tst_sev_session *out, struct tst_error **err);

/* ---- launch digest and measurement (LAUNCH_MEASURE) ---- */
#define TST_SEV_VMSA_BYTES TST_PAGE_BYTES
/* Launch digest from given VMSA pages (tst_measure makes them itself). */
struct tst_sev_image {
    struct tst_bytes firmware;
    const struct tst_kernel *kernel;   /* direct boot; NULL = not measured */
    unsigned vcpus;                    /* SEV-ES, at most TST_VCPUS_MAX; 0 = SEV */
    const uint8_t *vmsa_bsp, *vmsa_ap; /* TST_SEV_VMSA_BYTES each; vmsa_ap may be NULL with one vCPU */
};
int tst_sev_launch_digest(const struct tst_sev_image *image, uint8_t out[TST_SHA256_BYTES], struct tst_error **err);
struct tst_sev_launch {
    uint8_t api_major, api_minor, build; /* of the platform's firmware */
    uint32_t policy;
    uint8_t digest[TST_SHA256_BYTES];
    uint8_t mnonce[TST_SEV_NONCE_BYTES];
};
int tst_sev_measure(const struct tst_secret *tik, const struct tst_sev_launch *l, uint8_t out[TST_SHA256_BYTES],
                    struct tst_error **err);
/* -TST_REFUTED if `measure` is another; compared in constant time. */
int tst_sev_measure_check(const struct tst_secret *tik, const struct tst_sev_launch *l,
                          const uint8_t measure[TST_SHA256_BYTES], struct tst_error **err);

/* ---- secret packet (LAUNCH_SECRET) ---- */
#define TST_SEV_GUID_BYTES 16
#define TST_SEV_PACKET_HEADER_BYTES 52
#define TST_SEV_PACKET_MAX_BYTES (16 * 1024)
#define TST_SEV_ENTRIES_MAX 256
/* "736869e5-84f0-4973-92ec-06879ce3da0b" <-> the form in memory (first three groups little-endian). */
int tst_sev_guid_parse(const char *text, uint8_t out[TST_SEV_GUID_BYTES], struct tst_error **err);
void tst_sev_guid_print(const uint8_t guid[TST_SEV_GUID_BYTES], char out[37]);
struct tst_sev_entry {
    uint8_t guid[TST_SEV_GUID_BYTES];
    struct tst_bytes value; /* borrowed */
};
/* Table of secrets, padded to 16 bytes; TST_TOO_LARGE over TST_SEV_PACKET_MAX_BYTES. */
int tst_sev_table_build(const struct tst_sev_entry *entries, size_t count, struct tst_secret **out, struct tst_error **err);
/* Values are borrowed from the table. */
int tst_sev_table_parse(const void *p, size_t n, struct tst_sev_entry *out, size_t max, size_t *count, struct tst_error **err);
struct tst_sev_packet {
    uint8_t header[TST_SEV_PACKET_HEADER_BYTES];
    uint8_t payload[TST_SEV_PACKET_MAX_BYTES];
    size_t payload_bytes;
};
/* For the launch whose measurement is `measure`, which the caller has checked. iv: fresh for each packet of a TEK. */
int tst_sev_packet_seal(const struct tst_secret *tek, const struct tst_secret *tik, const struct tst_secret *table,
                        const uint8_t iv[16], const uint8_t measure[TST_SHA256_BYTES], struct tst_sev_packet *out,
                        struct tst_error **err);
/* -TST_REFUTED if the MAC does not match. */
int tst_sev_packet_open(const struct tst_secret *tek, const struct tst_secret *tik, const struct tst_sev_packet *packet,
                        const uint8_t measure[TST_SHA256_BYTES], struct tst_secret **table, struct tst_error **err);

/* ---- VMSA pages of SEV-ES (made by tst_vmsa_build): change and show ---- */
void tst_sev_vmsa_set_signature(uint8_t page[TST_SEV_VMSA_BYTES], uint32_t cpu_signature);
/* Where a vCPU other than the first starts: the firmware's reset address. */
void tst_sev_vmsa_set_reset(uint8_t page[TST_SEV_VMSA_BYTES], uint32_t eip);
/* Every named field, segments as objects; "reserved" lists the offsets of bytes that are set outside of them. *out is a new
 * reference. */
int tst_sev_vmsa_json(const void *p, size_t n, json_t **out, struct tst_error **err);

#endif
