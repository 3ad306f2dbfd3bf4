/* SPDX-License-Identifier: Apache-2.0 */
/* bench/verify.c - verifications per second on one core against their floor, and whether many of them leave memory flat.
 *   bench_verify [--pairs N] [--verifications N] [--json]
 * Warm: certificates parsed and their signatures verified once, as whoever keeps a node's certificates has them; each
 * appraisal still judges names, keys, dates, pins, TCB, chip and policy, and the report's signature. Floor: that signature,
 * with its key loaded once.
 * Cold: from the bytes of report and certificate table to the verdict. Floor: certificates decoded, four signatures.
 * Clock: CPU time of the one thread. */
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cases.h"
#include "floor.h"
#include "pairs.h"

enum { PAIRS_USUAL = 61, BATCH = 16 /* verifications a run */, VERIFICATIONS_USUAL = 100000, WARM_UP = 2000 };
#define WARM_AIM 0.95
#define COLD_AIM 0.90
#define FLAT_BYTES (256 * 1024)

struct subject {
    const struct bench_case *c;
    struct floor_input in;
    struct floor *floor;
};

/* ---- one verification ---- */
static bool appraise(const struct bench_case *c, const struct tst_snp_certs *certs)
{
    struct tst_evidence evidence;
    TST_AUTO_VERDICT verdict = NULL;
    const struct tst_appraise_in in = case_input(c, certs, &evidence);
    return tst_appraise(&in, &verdict, NULL) == 0 && verdict->outcome == TST_CHECK_PASS;
}

static bool library_warm(const struct subject *s)
{
    return appraise(s->c, &s->c->certs);
}

static bool library_cold(const struct subject *s)
{
    struct tst_snp_certs certs = {0};
    bool ok = tst_snp_cert_table_parse(s->c->table.p, s->c->table.n, &certs, NULL) == 0 && appraise(s->c, &certs);
    tst_snp_certs_clear(&certs);
    return ok;
}

static bool bare_warm(const struct subject *s)
{
    return floor_verify(s->floor);
}

static bool bare_cold(const struct subject *s)
{
    return floor_verify_cold(&s->in);
}

/* ---- timed ---- */
static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double batch(bool (*verify)(const struct subject *s), const struct subject *s)
{
    double start = cpu_s();
    bool ok = true;
    for (int i = 0; ok && i < BATCH; i++)
        ok = verify(s);
    return ok ? (cpu_s() - start) / BATCH : -1;
}

static double time_library_warm(void *s)
{
    return batch(library_warm, s);
}

static double time_library_cold(void *s)
{
    return batch(library_cold, s);
}

static double time_bare_warm(void *s)
{
    return batch(bare_warm, s);
}

static double time_bare_cold(void *s)
{
    return batch(bare_cold, s);
}

static const struct mode {
    const char *name;
    timed_fn *floor, *library;
    double aim;
} modes[] = {{"warm", time_bare_warm, time_library_warm, WARM_AIM}, {"cold", time_bare_cold, time_library_cold, COLD_AIM}};

/* ---- results ---- */
struct result {
    struct estimate floor, library, ratio;
};

static bool measure(const struct mode *m, struct subject *s, struct pair *pairs, size_t count, struct result *out)
{
    return pairs_run(m->floor, m->library, s, pairs, count) && pairs_estimate(pairs, count, PAIR_FLOOR, &out->floor) &&
           pairs_estimate(pairs, count, PAIR_SUBJECT, &out->library) && pairs_estimate(pairs, count, PAIR_RATIO, &out->ratio);
}

static void print_result(const char *name, const struct mode *m, const struct result *r)
{
    printf("  %-28s %-5s %12.1f %9.1f us %9.1f us   %5.1f %% (%5.1f to %5.1f)   >= %.0f %%: %s\n", name, m->name, 1 / r->library.median,
           r->library.median * 1e6, r->floor.median * 1e6, r->ratio.median * 100, r->ratio.low * 100, r->ratio.high * 100,
           m->aim * 100, r->ratio.median >= m->aim ? "met" : "missed");
}

static void add_result(json_t *list, const char *name, const struct mode *m, const struct result *r)
{
    json_array_append_new(list, json_pack("{s:s, s:s, s:f, s:o, s:o, s:o, s:f, s:b}", "evidence", name, "chain", m->name, "per-second",
                                          1 / r->library.median, "library-us", estimate_json(&r->library, 1e6), "floor-us",
                                          estimate_json(&r->floor, 1e6), "share-of-floor", estimate_json(&r->ratio, 1), "aim", m->aim,
                                          "aim-met", r->ratio.median >= m->aim));
}

static bool subject_init(struct subject *s, const struct bench_case *c, uint8_t *der[FLOOR_CERTS])
{
    const struct tst_cert *certs[] = {c->certs.vek, c->certs.ask, c->certs.ark};
    *s = (struct subject){.c = c, .in = {.report = c->report}};
    for (size_t i = 0; i < FLOOR_CERTS; i++) {
        if (tst_cert_to_der(certs[i], &der[i], &s->in.der_n[i], NULL) < 0)
            return false;
        s->in.der[i] = der[i];
    }
    s->floor = floor_new(&s->in);
    return s->floor != NULL;
}

static bool run_case(const struct bench_case *c, struct pair *pairs, size_t count, json_t *list, bool json)
{
    uint8_t *der[FLOOR_CERTS] = {NULL};
    struct subject s;
    struct result r;
    bool ok = subject_init(&s, c, der);
    for (size_t i = 0; ok && i < TST_COUNT(modes); i++) {
        modes[i].floor(&s);
        modes[i].library(&s);
        ok = measure(&modes[i], &s, pairs, count, &r);
        if (ok && json)
            add_result(list, c->name, &modes[i], &r);
        else if (ok)
            print_result(c->name, &modes[i], &r);
    }
    floor_free(s.floor);
    for (size_t i = 0; i < FLOOR_CERTS; i++)
        free(der[i]);
    if (!ok)
        fprintf(stderr, "bench: %s does not verify\n", c->name);
    return ok;
}

/* ---- memory ---- */
static long resident_bytes(void)
{
    long pages = -1;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        pages = -1;
    if (f)
        fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

/* Warm and cold in turn, over every case. */
static bool verify_many(const struct bench_case *cases, size_t count, size_t n)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        const struct subject s = {.c = &cases[i / 2 % count]};
        ok = i % 2 ? library_cold(&s) : library_warm(&s);
    }
    return ok;
}

static bool run_memory(const struct bench_case *cases, size_t count, size_t n, json_t *all, bool json)
{
    if (!verify_many(cases, count, WARM_UP))
        return false;
    long before = resident_bytes();
    size_t heap_before = mallinfo2().uordblks;
    if (!verify_many(cases, count, n))
        return false;
    long growth = resident_bytes() - before, heap = (long)mallinfo2().uordblks - (long)heap_before;
    bool flat = growth <= FLAT_BYTES && heap <= 0;
    if (json)
        json_object_set_new(all, "memory", json_pack("{s:I, s:I, s:I, s:I, s:b}", "verifications", (json_int_t)n, "resident-before-bytes",
                                                     (json_int_t)before, "resident-after-bytes", (json_int_t)(before + growth),
                                                     "heap-growth-bytes", (json_int_t)heap, "flat", flat));
    else
        printf("memory: %zu verifications (after %d to warm up): resident %ld KiB before, %ld KiB after; heap in use %+ld bytes: %s\n", n, WARM_UP,
               before / 1024, (before + growth) / 1024, heap, flat ? "flat" : "GROWS");
    return true;
}

static void pin_to_one_core(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)(sched_getcpu() < 0 ? 0 : sched_getcpu()), &one);
    (void)sched_setaffinity(0, sizeof one, &one); /* where that is refused, the clock still counts this thread alone */
}

int main(int argc, char **argv)
{
    struct bench_options o = {.pairs = PAIRS_USUAL, .verifications = VERIFICATIONS_USUAL};
    struct bench_case cases[CASES_MAX] = {0};
    if (!bench_options_read(argc, argv, &o) || o.rest_count)
        return 2;
    size_t count = cases_load(cases);
    struct pair *pairs = calloc(o.pairs, sizeof *pairs);
    TST_AUTO_JSON all = json_pack("{s:[], s:I, s:i}", "results", "pairs", (json_int_t)o.pairs, "verifications-a-run", BATCH);
    bool ok = pairs && all;
    pin_to_one_core();
    if (!o.json)
        printf("verify: median of %zu interleaved pairs of %d verifications each, CPU time of one thread; 95 %% interval of the sign test\n"
               "  %-28s %-5s %12s %12s %12s   %-27s%s\n", o.pairs, BATCH, "evidence", "chain", "per second", "each", "floor", "share of the floor", "aim");
    for (size_t i = 0; ok && i < count; i++)
        ok = run_case(&cases[i], pairs, o.pairs, json_object_get(all, "results"), o.json);
    if (ok && o.verifications)
        ok = run_memory(cases, count, o.verifications, all, o.json);
    if (ok && o.json)
        ok = json_dumpf(all, stdout, JSON_INDENT(2)) == 0 && puts("") >= 0;
    free(pairs);
    cases_clear(cases, count);
    return ok ? 0 : 1;
}
