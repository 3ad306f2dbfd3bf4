/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/policy.h - what a policy says, resolved: no includes, no named floors are left. Every default denies:
 * a policy that only has a name accepts nothing. */
#ifndef APPRAISE_POLICY_H
#define APPRAISE_POLICY_H

#include <testudo/appraise.h>
#include <testudo/container.h>

#define POLICY_ROOTS_MAX 64
#define POLICY_REFERENCES_MAX 1024
#define POLICY_FLOORS_MAX 256
#define POLICY_CHIPS_MAX 8192
#define POLICY_VALUES_MAX 1024
#define POLICY_PRODUCT_COUNT (TST_SNP_VENICE + 1)

struct policy_root {
    uint8_t spki_sha256[TST_SHA256_BYTES];
};

/* A launch digest that the policy's author vouches for. */
struct policy_reference {
    char *name;
    uint8_t digest[TST_SNP_DIGEST_BYTES];
    bool has_until;
    time_t until; /* holds up to and with this second */
    bool acpi_confined;
    enum tst_level level; /* what this digest measures: TST_LEVEL_FIRMWARE or TST_LEVEL_MEASURED */
};

/* CPUs by combined CPUID values, bounds included. */
struct policy_cpus {
    uint8_t family, model_first, model_last, stepping_first, stepping_last;
};
struct policy_floor {
    enum tst_snp_product product;
    struct policy_cpus cpus; /* family 0: every CPU of the product */
    struct tst_snp_tcb tcb;
};

struct policy_chip {
    uint8_t id[TST_SNP_CHIP_BYTES];
};

enum policy_permission { POLICY_DENY, POLICY_ALLOW };
enum policy_crl { POLICY_CRL_REQUIRE, POLICY_CRL_IF_PRESENT, POLICY_CRL_OFF };
#define POLICY_CRL_MAX_AGE_D 60

/* Bits of one 64-bit field. No bit is in both masks. */
struct policy_bits {
    uint64_t set, clear;           /* must be */
    enum policy_permission unknown; /* bits that have no name here */
};

struct policy_version {
    uint8_t major, minor, build; /* 0.0.0: any */
};

/* Accepted values of one field of the report, `each` bytes each; none: any value. */
struct policy_values {
    uint8_t *bytes;
    size_t count, each;
};

/* Bits that a version 5 report must have set. */
struct policy_mitigations {
    uint64_t launch, current;
};
#define POLICY_REPORT_VERSION_MIN 2

struct tst_policy {
    char *name;
    enum tst_level level; /* minimum */
    struct policy_root *roots; /* simulators */
    size_t root_count;
    bool products[POLICY_PRODUCT_COUNT];
    struct policy_reference *references;
    size_t reference_count;
    struct policy_floor *floors;
    size_t floor_count;
    enum policy_permission debug, migration_agent;
    struct policy_bits guest; /* without debug and migration-agent, which have their own permission */
    uint8_t min_abi_major, min_abi_minor;
    struct policy_bits platform;
    uint8_t vmpls; /* bit n: VMPL n */
    uint32_t min_report_version, min_guest_svn;
    struct policy_version min_current, min_committed;
    enum policy_permission provisional; /* firmware that can be rolled back */
    struct policy_values id_keys, author_keys, host_data, family_ids, image_ids;
    bool id_block_optional;
    struct policy_mitigations mitigations[POLICY_PRODUCT_COUNT];
    struct policy_chip *chips; /* none: any chip of the products */
    size_t chip_count;
    enum policy_crl crl;
    unsigned crl_max_age_d;
    enum policy_permission vlek;
    bool milan_risk_accepted;
    uint64_t warned; /* bit i: check i of the table only warns */
};

/* Words of the file format, shared by reader and printer; in the order of their enums. */
extern const char *const policy_level_words[];
extern const char *const policy_permission_words[];
extern const char *const policy_crl_words[];
extern const char *const policy_acpi_words[]; /* index 1 = confined */

int policy_set_name(struct tst_policy *p, const char *name, struct tst_error **err);
bool policy_names_root(const struct tst_policy *p, const uint8_t spki_sha256[TST_SHA256_BYTES]);
/* NULL: the policy does not know the digest. */
const struct policy_reference *policy_reference_of(const struct tst_policy *p, const uint8_t digest[TST_SNP_DIGEST_BYTES]);

bool policy_values_has(const struct policy_values *v, const uint8_t *value);
/* Whether a Milan is held to the listed chips. */
bool policy_holds_milan(const struct tst_policy *p);

/* One more zeroed element in an array of at most max; NULL and *err set when there are too many. */
void *policy_grow(void **array, size_t *count, size_t element_bytes, size_t max, struct tst_error **err);

/* The bits of a field of the report ("policy", "platform-info") that a policy can name: single ones that may differ. */
#define POLICY_BIT_NAMES_MAX 24
struct policy_bit_names {
    const char *words[POLICY_BIT_NAMES_MAX + 1]; /* ended by NULL */
    uint8_t bits[POLICY_BIT_NAMES_MAX];
    size_t count;
};
void policy_bit_names(const char *field, struct policy_bit_names *out);
#define POLICY_GUEST_FIELD "policy"
#define POLICY_PLATFORM_FIELD "platform-info"
#define POLICY_GUEST_MUST_BE_ONE 17

/* ---- TCB floors: policy_tcb.c ---- */
int policy_read_tcb(struct tst_policy *p, const struct tst_yaml *value, struct tst_error **err);
int policy_read_floor_set(struct tst_policy *p, const struct tst_yaml *value, struct tst_error **err);
int policy_tcb_json(const struct tst_policy *p, json_t **out, struct tst_error **err);
/* The floor for a report's CPU. A report that does not name its CPU (version 2) is held to the highest floor of its
 * product. false: the policy has none. */
bool policy_floor_of(const struct tst_policy *p, enum tst_snp_product product, const struct tst_snp_report *report,
                     struct tst_snp_tcb *out);

#endif
