/* SPDX-License-Identifier: Apache-2.0 */
/* bench/pairs.h - interleaved pairs: floor and subject run one right after the other, in the order floor-subject,
 * subject-floor, and so on, so that what slows the machine down for a while slows both. What is compared is each pair's
 * own ratio or difference; its median comes with the 95 % interval of the sign test, which assumes no distribution. */
#ifndef BENCH_PAIRS_H
#define BENCH_PAIRS_H

#include <stddef.h>

#include <testudo/base.h>

enum { PAIRS_MIN = 6 /* below that the sign test says nothing at 95 % */, PAIRS_MAX = 100000 };

struct pair {
    double floor_s, subject_s;
};
/* Seconds that one run took; below zero when it failed. */
typedef double timed_fn(void *ctx);
/* false: a run failed. */
bool pairs_run(timed_fn *floor, timed_fn *subject, void *ctx, struct pair *out, size_t count);

struct estimate {
    double median, low, high; /* the interval covers the median with 95 % */
};
enum pair_value { PAIR_FLOOR, PAIR_SUBJECT, PAIR_RATIO /* floor / subject */, PAIR_DIFFERENCE /* subject - floor */ };
/* NULL-free: count is PAIRS_MIN to PAIRS_MAX. false: out of memory. */
bool pairs_estimate(const struct pair *pairs, size_t count, enum pair_value what, struct estimate *out);
json_t *estimate_json(const struct estimate *e, double scale);

/* ---- what the programs here have in common ---- */
struct bench_options {
    bool json;
    size_t pairs, verifications;
    const char *rest[8];
    size_t rest_count;
};
/* --json, --pairs N, --verifications N, operands. false: it has printed what is wrong. */
bool bench_options_read(int argc, char **argv, struct bench_options *out);

#endif
