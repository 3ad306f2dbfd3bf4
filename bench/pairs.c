/* SPDX-License-Identifier: Apache-2.0 */
/* bench/pairs.c - see pairs.h. */
#include "pairs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool pairs_run(timed_fn *floor, timed_fn *subject, void *ctx, struct pair *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i % 2 == 0) {
            out[i].floor_s = floor(ctx);
            out[i].subject_s = subject(ctx);
        } else {
            out[i].subject_s = subject(ctx);
            out[i].floor_s = floor(ctx);
        }
        if (out[i].floor_s <= 0 || out[i].subject_s <= 0)
            return false;
    }
    return true;
}

static double value_of(const struct pair *p, enum pair_value what)
{
    switch (what) {
    case PAIR_FLOOR:
        return p->floor_s;
    case PAIR_SUBJECT:
        return p->subject_s;
    case PAIR_RATIO:
        return p->floor_s / p->subject_s;
    case PAIR_DIFFERENCE:
        return p->subject_s - p->floor_s;
    }
    return NAN;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Largest k with P(Binomial(n, 1/2) <= k - 1) <= 2.5 %: the k-th lowest and the k-th highest value bound the median. */
static size_t rank_of(size_t n)
{
    double below = 0;
    size_t k = 0;
    for (;; k++) {
        below += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) - (double)n * log(2));
        if (below > 0.025)
            return k;
    }
}

bool pairs_estimate(const struct pair *pairs, size_t count, enum pair_value what, struct estimate *out)
{
    double *v = calloc(count, sizeof *v);
    size_t k = rank_of(count);
    if (!v || k == 0) {
        free(v);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        v[i] = value_of(&pairs[i], what);
    qsort(v, count, sizeof *v, by_value);
    *out = (struct estimate){.median = (v[(count - 1) / 2] + v[count / 2]) / 2, .low = v[k - 1], .high = v[count - k]};
    free(v);
    return true;
}

json_t *estimate_json(const struct estimate *e, double scale)
{
    return json_pack("{s:f, s:f, s:f}", "median", e->median * scale, "low", e->low * scale, "high", e->high * scale);
}

static bool read_count(const char *option, const char *text, size_t min, size_t max, size_t *out)
{
    char *end = NULL;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;
    if (text && *text >= '0' && *text <= '9' && !*end && n >= min && n <= max) {
        *out = n;
        return true;
    }
    fprintf(stderr, "%s %s: expected a number from %zu to %zu\n", option, text ? text : "", min, max);
    return false;
}

bool bench_options_read(int argc, char **argv, struct bench_options *out)
{
    bool ok = true;
    for (int i = 1; ok && i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            out->json = true;
        else if (strcmp(argv[i], "--pairs") == 0)
            ok = read_count(argv[i], argv[i + 1], PAIRS_MIN, PAIRS_MAX, &out->pairs), i++;
        else if (strcmp(argv[i], "--verifications") == 0)
            ok = read_count(argv[i], argv[i + 1], 0, 100000000, &out->verifications), i++;
        else if (argv[i][0] != '-' && out->rest_count < TST_COUNT(out->rest))
            out->rest[out->rest_count++] = argv[i];
        else {
            fprintf(stderr, "%s: unknown option; known are --json, --pairs N, --verifications N\n", argv[i]);
            ok = false;
        }
    }
    return ok;
}
