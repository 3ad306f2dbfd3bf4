/* SPDX-License-Identifier: Apache-2.0 */
/* testudo/appraise.h - evidence + policy -> verdict. Pure: no clock, no files (see the callbacks). */
#ifndef TESTUDO_APPRAISE_H
#define TESTUDO_APPRAISE_H

#include <testudo/snp.h>

enum tst_level { TST_LEVEL_NONE, TST_LEVEL_ASSERTED, TST_LEVEL_FIRMWARE, TST_LEVEL_MEASURED };
const char *tst_level_name(enum tst_level l);
bool tst_level_of(const char *name, enum tst_level *out);

/* ---- policy (docs/protocol.md "Policy") ---- */
struct tst_policy;
/* Reads a file that the policy includes; *text malloc'ed. `path` is as written in the policy. */
typedef int tst_include_fn(void *ctx, const char *path, char **text, size_t *n, struct tst_error **err);
/* YAML (or the JSON of tst_policy_json). include may be NULL: then an include is an error. */
int tst_policy_parse(const char *file, const char *text, size_t n, tst_include_fn *include, void *ctx,
                     struct tst_policy **out, struct tst_error **err);
void tst_policy_free(struct tst_policy *p);
TST_CLEANUP_FN(struct tst_policy *, tst_policy_free)
#define TST_AUTO_POLICY TST_CLEANUP(tst_policy_free) __typeof__(struct tst_policy *)
/* The policy with its includes and floors resolved; new reference. Parses back to the same policy. */
int tst_policy_json(const struct tst_policy *p, json_t **out, struct tst_error **err);
const char *tst_policy_name(const struct tst_policy *p);
enum tst_level tst_policy_level(const struct tst_policy *p);

/* One thing in a policy that is legal and still deserves a look. */
struct tst_policy_remark {
    const char *key;    /* of the policy file; static */
    char *text;
    const char *advice; /* static */
};
/* Remarks on what p accepts, judged at `now`, in the order of the file format. *out malloc'ed; NULL when there is none. */
int tst_policy_lint(const struct tst_policy *p, time_t now, struct tst_policy_remark **out, size_t *count,
                    struct tst_error **err);
void tst_policy_remarks_free(struct tst_policy_remark *list, size_t count);

/* ---- shipped data (share/tcb-floors.tsv): one component of one CPU's floor in a dated set ---- */
struct tst_floor_row {
    const char *set, *cpu; /* "2026-11", "Milan-X" */
    enum tst_snp_product product;
    uint8_t family, model_first, model_last, stepping_first, stepping_last; /* bounds included */
    const char *component; /* "snp" */
    uint8_t minimum;
    const char *date, *source; /* when it was last compared with the source; an address */
};
/* In the order of the file: rows of one CPU stand together. */
const struct tst_floor_row *tst_floor_rows(size_t *count);
/* Name of the newest set; policies say `floors: NAME`. */
const char *tst_floor_newest(void);

/* ---- appraisal ---- */
struct tst_evidence {
    struct tst_bytes report;    /* raw report */
    struct tst_snp_certs certs; /* borrowed */
};
struct tst_appraise_in {
    const struct tst_evidence *evidence;
    const struct tst_policy *policy; /* NULL: authenticity only */
    time_t now;
    enum tst_snp_product product; /* hint for v2 reports; TST_SNP_UNKNOWN = from VEK or CPUID */
    const uint8_t *report_data;   /* 64 bytes that the report must carry; NULL = not judged */
    const struct tst_crl *crl;    /* the root's revocation list, judged as the policy's crl says; NULL: there is none */
    uint64_t crl_number_seen;     /* highest CRL number of this root ever seen: an older list is refused; 0: none */
    bool lenient;                 /* also reports of versions beyond those known: judged by their raw bytes and known fields */
};

enum tst_outcome {
    TST_CHECK_PASS,
    TST_CHECK_FAIL,
    TST_CHECK_MISSING, /* cannot be decided */
    TST_CHECK_SKIP,    /* not asked for */
    TST_CHECK_WARN,    /* does not hold, and the policy says that this rule only warns */
};
/* One line of the table of checks: id, what it means, source (spec, table). In order of evaluation; all are listed in
 * every verdict. docs/checks.md and --json print this. */
struct tst_check_info {
    const char *id, *meaning, *source;
    bool authenticity; /* judged without a policy too */
};
struct tst_check {
    const struct tst_check_info *info;
    enum tst_outcome outcome;
    char *expected, *found, *fix; /* may be NULL */
};
struct tst_verdict {
    enum tst_outcome outcome; /* FAIL before MISSING before PASS; warnings leave a PASS a PASS */
    enum tst_level level;     /* meaningful when outcome == PASS and a policy was given */
    bool simulated;
    bool policy_given;
    int acpi;              /* -1 unknown, 0 "trusts host", 1 "confined" */
    char *reference;       /* name of the reference value that matched; NULL */
    struct tst_snp_report report;
    bool report_parsed;
    enum tst_snp_product product;
    struct tst_check *checks;
    size_t check_count;
    size_t warning_count; /* checks that ended as TST_CHECK_WARN */
};
/* 0 and a verdict whatever the evidence says; an error only when memory runs out or the caller is wrong. */
int tst_appraise(const struct tst_appraise_in *in, struct tst_verdict **out, struct tst_error **err);
void tst_verdict_free(struct tst_verdict *v);
TST_CLEANUP_FN(struct tst_verdict *, tst_verdict_free)
#define TST_AUTO_VERDICT TST_CLEANUP(tst_verdict_free) __typeof__(struct tst_verdict *)
int tst_verdict_json(const struct tst_verdict *v, json_t **out, struct tst_error **err);
/* First failed (else first missing) check; NULL when passed. */
const struct tst_check *tst_verdict_first(const struct tst_verdict *v);
/* "policy.chip: found 59...; expected a chip of the policy" for each warning, with " | " between; "" without any.
 * malloc'ed; NULL only when out of memory. */
char *tst_verdict_warnings(const struct tst_verdict *v);
/* 0 holds, 1 refuted (authenticity failed), 3 undecidable, 4 refused by policy. */
int tst_verdict_exit_status(const struct tst_verdict *v);
const struct tst_check_info *tst_checks(size_t *count);

/* Whether that is a root key of AMD (share/ark-pins.tsv), and for which product (may be NULL). */
bool tst_ark_pinned(const uint8_t spki_sha256[TST_SHA256_BYTES], enum tst_snp_product *product);

#endif
