/* SPDX-License-Identifier: Apache-2.0 */
/* platform/ready.h - is this machine ready to run, or to be, an encrypted guest? First where it stands (host or guest), then
 * one table of checks. Only reads; nothing on the machine is changed. A thing that cannot be seen is "unknown", never
 * "pass". */
#ifndef TESTUDO_PLATFORM_READY_H
#define TESTUDO_PLATFORM_READY_H

#include <testudo/snp.h>

#include "platform/platform.h"

enum ready_place { READY_HOST = 1, READY_GUEST = 2, READY_ANYWHERE = 3, READY_NOWHERE = 0 /* cannot be told */ };
enum ready_generation { READY_SEV = 1, READY_ES = 2, READY_SNP = 4 };
#define READY_EVERY (READY_SEV | READY_ES | READY_SNP)
enum ready_need { READY_REQUIRED, READY_RECOMMENDED, READY_OPTIONAL };
enum ready_outcome { READY_PASS, READY_FAIL, READY_WARN, READY_UNKNOWN, READY_NA };

const char *ready_place_name(enum ready_place p);           /* "host", "guest", "unknown" */
const char *ready_generation_name(enum ready_generation g); /* "sev", "es", "snp" */
const char *ready_generation_title(enum ready_generation g); /* "SEV-SNP" */
bool ready_generation_of(const char *name, enum ready_generation *out);
const char *ready_need_name(enum ready_need n);
const char *ready_outcome_name(enum ready_outcome o);

struct ready_ctx;
struct ready_result;
struct ready_check {
    const char *id, *title, *meaning, *source;
    const char *wanted, *fix; /* defaults; the check may say it better */
    unsigned place, generations;
    enum ready_need need;
    const char *needs; /* id of an earlier check: when that failed this one says nothing; NULL */
    void (*run)(const struct ready_ctx *c, struct ready_result *r);
    uint64_t arg;
};
const struct ready_check *ready_checks(size_t *count);

struct ready_result {
    const struct ready_check *check;
    enum ready_outcome outcome;
    bool blocked;              /* not run, because a check that it needs failed */
    char *found, *wanted, *fix; /* wanted, fix: NULL when there is nothing to do */
};

/* ---- where it stands ---- */
#define READY_EVIDENCE_MAX 8
struct ready_standing {
    enum ready_place place;
    bool contradiction;   /* signs of both: place is then READY_NOWHERE */
    bool user_said;       /* nothing decides it; the caller's word was taken */
    char *evidence[READY_EVIDENCE_MAX]; /* sentences, strongest first */
    size_t evidence_count;
};
void ready_stand(const struct platform *p, struct ready_standing *out);
void ready_standing_clear(struct ready_standing *s);

/* ---- the run ---- */
struct ready_in {
    const struct platform *platform;
    enum ready_place asked;         /* READY_ANYWHERE = auto */
    enum ready_generation wanted;   /* 0 = the highest that the CPU (host) or SEV_STATUS (guest) shows */
    const char *only, *skip;        /* comma-separated ids or first words of ids ("cpu"); NULL */
    const char *domcaps;            /* text of `virsh domcapabilities`; NULL = run it */
    size_t domcaps_n;
};
struct ready_report {
    struct ready_standing standing;
    enum ready_place judged;        /* whose checks were run; READY_NOWHERE = none could be */
    bool wrong_place;               /* asked for the other place than this one */
    enum ready_generation wanted;
    bool wanted_by_default;
    struct ready_result *results;   /* the whole table, in its order */
    size_t count;
    size_t outcomes[5];             /* by enum ready_outcome */
    size_t required_failed, required_unknown;
};
int ready_run(const struct ready_in *in, struct ready_report **out, struct tst_error **err);
/* 0 ready, 1 a required check failed, 3 undecidable (a required check is unknown, or the place is) */
int ready_exit_status(const struct ready_report *r);
int ready_json(const struct platform *p, const struct ready_report *r, json_t **out, struct tst_error **err);
void ready_report_free(struct ready_report *r);
TST_CLEANUP_FN(struct ready_report *, ready_report_free)
#define AUTO_READY TST_CLEANUP(ready_report_free) __typeof__(struct ready_report *)

#endif
