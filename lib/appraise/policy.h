/* SPDX-License-Identifier: Apache-2.0 */
/* appraise/policy.h - what a policy says, resolved: no includes, no named floors are left. Every default denies:
 * a policy that only has a name accepts nothing. */
#ifndef APPRAISE_POLICY_H
#define APPRAISE_POLICY_H

#include <testudo/appraise.h>

#define POLICY_ROOTS_MAX 64
#define POLICY_REFERENCES_MAX 1024
#define POLICY_FLOORS_MAX 256
#define POLICY_CHIPS_MAX 8192
#define POLICY_PRODUCT_COUNT (TST_SNP_TURIN + 1)

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
enum policy_crl { POLICY_CRL_REQUIRE, POLICY_CRL_OFF };
#define POLICY_CRL_MAX_AGE_D 60

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
    uint32_t vmpl;
    struct policy_chip *chips; /* none: any chip of the products */
    size_t chip_count;
    enum policy_crl crl;
    unsigned crl_max_age_d;
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

/* One more zeroed element in an array of at most max; NULL and *err set when there are too many. */
void *policy_grow(void **array, size_t *count, size_t element_bytes, size_t max, struct tst_error **err);

/* ---- TCB floors: policy_tcb.c ---- */
struct tst_yaml;
int policy_read_tcb(struct tst_policy *p, const struct tst_yaml *value, struct tst_error **err);
int policy_read_floor_set(struct tst_policy *p, const struct tst_yaml *value, struct tst_error **err);
int policy_tcb_json(const struct tst_policy *p, json_t **out, struct tst_error **err);
/* The floor for a report's CPU. A report that does not name its CPU (version 2) is held to the highest floor of its
 * product. false: the policy has none. */
bool policy_floor_of(const struct tst_policy *p, enum tst_snp_product product, const struct tst_snp_report *report,
                     struct tst_snp_tcb *out);

#endif
