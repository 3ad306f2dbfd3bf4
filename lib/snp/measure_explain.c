/* SPDX-License-Identifier: Apache-2.0 */
/* snp/measure_explain.c - which usual mistake leads from these inputs to that digest? Each dimension (kernel hashes, VMM,
 * features, ...) is a list of variants, the first of them "as given"; all combinations are walked like an odometer, each with
 * 1..max vCPUs (which cost one short hash each). The firmware is hashed once. The match with the fewest changes wins. */
#include <stdio.h>
#include <stdlib.h>

#include "measure_explain.h"

struct best {
    bool found;
    unsigned distance, vcpus;
    size_t pick[DIM_COUNT];
};

struct search {
    const struct tst_measure_in *given;
    struct launch launch;
    struct dimension dims[DIM_COUNT];
    struct explain_kernels kernels;
    struct tst_hasher *sha384, *images, *row, *fork; /* the last three: SHA-256 of SEV and SEV-ES */
    struct ld after_images;
    const uint8_t *got;
    unsigned max_vcpus;
    uint64_t combinations;
    struct best best;
};

static void search_clear(struct search *s)
{
    tst_hasher_free(s->sha384);
    tst_hasher_free(s->images);
    tst_hasher_free(s->row);
    tst_hasher_free(s->fork);
}
#define AUTO_SEARCH __attribute__((cleanup(search_clear))) struct search

/* ---- one digest ---- */
static void compare(struct search *s, const size_t pick[DIM_COUNT], unsigned changes, unsigned vcpus, const uint8_t *digest, size_t n)
{
    unsigned distance = changes + (vcpus != 0 && vcpus != s->given->vcpus);
    s->combinations++;
    if (memcmp(digest, s->got, n) != 0 || (s->best.found && s->best.distance <= distance))
        return;
    s->best = (struct best){.found = true, .distance = distance, .vcpus = vcpus};
    memcpy(s->best.pick, pick, sizeof s->best.pick);
}

static unsigned vcpu_limit(const struct search *s, const struct tst_measure_in *in)
{
    return launch_can_start_aps(in, &s->launch) ? s->max_vcpus : 1;
}

static int try_snp(struct search *s, const struct tst_measure_in *in, const size_t pick[DIM_COUNT], unsigned changes,
                   struct tst_error **err)
{
    uint8_t page[TST_PAGE_BYTES], contents[TST_SHA384_BYTES];
    struct ld d = s->after_images;
    int rc = launch_sections(in, &s->launch, &d, err);
    for (unsigned cpu = 0; rc == 0 && cpu < vcpu_limit(s, in); cpu++) {
        if (cpu < 2) {
            launch_vmsa(in, &s->launch, cpu, page);
            rc = ld_page_digest(&d, page, contents, err);
        }
        if (rc == 0)
            rc = ld_extend(&d, LD_VMSA, launch_vmsa_gpa(in), contents, err);
        if (rc == 0)
            compare(s, pick, changes, cpu + 1, d.value, TST_SHA384_BYTES);
    }
    return rc;
}

/* The digest so far, without ending the row. */
static int peek(struct search *s, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    int rc = tst_hasher_copy(s->fork, s->row, err);
    return rc == 0 ? tst_hasher_final(s->fork, out, err) : rc;
}

static int try_legacy(struct search *s, const struct tst_measure_in *in, const size_t pick[DIM_COUNT], unsigned changes,
                      struct tst_error **err)
{
    uint8_t page[TST_PAGE_BYTES], table[TST_HASH_TABLE_BYTES], digest[TST_SHA256_BYTES];
    bool es = in->mode == TST_MEASURE_SEV_ES;
    int rc = tst_hasher_copy(s->row, s->images, err);
    if (rc == 0 && in->kernel) {
        tst_kernel_table(in->kernel, table);
        rc = tst_hasher_update(s->row, table, sizeof table, err);
    }
    for (unsigned cpu = 0; rc == 0 && cpu < (es ? vcpu_limit(s, in) : 1); cpu++) {
        if (es && cpu < 2)
            launch_vmsa(in, &s->launch, cpu, page);
        if (es)
            rc = tst_hasher_update(s->row, page, sizeof page, err);
        if (rc == 0)
            rc = peek(s, digest, err);
        if (rc == 0)
            compare(s, pick, changes, es ? cpu + 1 : 0, digest, sizeof digest);
    }
    return rc;
}

/* ---- all combinations ---- */
/* VMMs other than QEMU put neither the CPU's signature nor the FPU's state into the VMSA. */
static bool makes_sense(const struct tst_measure_in *in, const size_t pick[DIM_COUNT])
{
    if (in->vmm != TST_VMM_QEMU && (pick[DIM_FPU] || pick[DIM_CPU]))
        return false;
    return in->kernel || !pick[DIM_ORDER];
}

static int try_combination(struct search *s, const size_t pick[DIM_COUNT], struct tst_error **err)
{
    struct tst_measure_in in = *s->given;
    unsigned changes = 0;
    for (size_t d = 0; d < DIM_COUNT; d++) {
        explain_apply((enum explain_dim)d, &s->dims[d].variants[pick[d]], &in);
        changes += pick[d] != 0;
    }
    if (!makes_sense(&in, pick) || (s->best.found && s->best.distance <= changes))
        return 0;
    return in.mode == TST_MEASURE_SNP ? try_snp(s, &in, pick, changes, err) : try_legacy(s, &in, pick, changes, err);
}

/* false after the last combination */
static bool next_combination(const struct search *s, size_t pick[DIM_COUNT])
{
    for (size_t d = DIM_COUNT; d-- > 0;) {
        if (++pick[d] < s->dims[d].count)
            return true;
        pick[d] = 0;
    }
    return false;
}

static int hash_images(struct search *s, struct tst_error **err)
{
    int rc = tst_hasher_new(TST_HASH_SHA384, &s->sha384, err);
    s->after_images.hasher = s->sha384;
    if (rc == 0 && s->given->mode == TST_MEASURE_SNP)
        return launch_images(s->given, &s->launch, &s->after_images, err);
    struct tst_hasher **legacy[] = {&s->images, &s->row, &s->fork};
    for (size_t i = 0; rc == 0 && i < TST_COUNT(legacy); i++)
        rc = tst_hasher_new(TST_HASH_SHA256, legacy[i], err);
    return rc == 0 ? tst_hasher_update(s->images, s->given->firmware.p, s->given->firmware.n, err) : rc;
}

/* ---- the answer ---- */
static int add_change(struct tst_explanation *e, const char *what, const char *given, const char *found, struct tst_error **err)
{
    struct tst_explain_change *c = &e->changes[e->change_count++];
    c->what = strdup(what);
    c->given = strdup(given);
    c->found = strdup(found);
    return c->what && c->given && c->found ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int tell_match(const struct search *s, struct tst_explanation *e, struct tst_error **err)
{
    int rc = 0;
    for (size_t d = 0; rc == 0 && d < DIM_COUNT; d++) {
        const struct dimension *dim = &s->dims[d];
        if (s->best.pick[d])
            rc = add_change(e, dim->name, dim->variants[0].text, dim->variants[s->best.pick[d]].text, err);
    }
    if (rc < 0 || s->best.vcpus == 0 || s->best.vcpus == s->given->vcpus)
        return rc;
    char given[16], found[16];
    snprintf(given, sizeof given, "%u", s->given->vcpus);
    snprintf(found, sizeof found, "%u", s->best.vcpus);
    return add_change(e, "vcpus", given, found, err);
}

static int tell_tried(const struct search *s, struct tst_explanation *e, struct tst_error **err)
{
    for (size_t d = 0; d < DIM_COUNT; d++) {
        TST_AUTO_BUF line = {0};
        int rc = tst_buf_printf(&line, err, "%s:", s->dims[d].name);
        for (size_t v = 0; rc == 0 && v < s->dims[d].count; v++)
            rc = tst_buf_printf(&line, err, "%s %s", v ? ";" : "", s->dims[d].variants[v].text);
        if (rc < 0)
            return rc;
        if (s->dims[d].count > 1 && !(e->tried[e->tried_count++] = strdup((const char *)line.p)))
            return tst_fail(err, TST_INTERNAL, "out of memory");
    }
    if (s->given->mode != TST_MEASURE_SEV &&
        !(e->tried[e->tried_count++] = tst_strdup_printf("vcpus: 1 to %u", s->max_vcpus)))
        return tst_fail(err, TST_INTERNAL, "out of memory");
    return 0;
}

static int tell(const struct search *s, struct tst_explanation **out, struct tst_error **err)
{
    TST_AUTO_EXPLANATION e = calloc(1, sizeof *e);
    if (!e)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    e->changes = calloc(DIM_COUNT + 1, sizeof *e->changes);
    e->tried = calloc(DIM_COUNT + 1, sizeof *e->tried);
    if (!e->changes || !e->tried)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    e->found = s->best.found;
    e->combinations = s->combinations;
    int rc = e->found ? tell_match(s, e, err) : 0;
    if (rc == 0)
        rc = tell_tried(s, e, err);
    if (rc == 0)
        *out = TST_STEAL(e);
    return rc;
}

void tst_explanation_free(struct tst_explanation *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->change_count; i++) {
        free(e->changes[i].what);
        free(e->changes[i].given);
        free(e->changes[i].found);
    }
    for (size_t i = 0; i < e->tried_count; i++)
        free(e->tried[i]);
    free(e->changes);
    free(e->tried);
    free(e);
}

int tst_measure_explain(const struct tst_measure_in *in, unsigned max_vcpus, const uint8_t *got, size_t n,
                        struct tst_explanation **out, struct tst_error **err)
{
    AUTO_SEARCH s = {.given = in, .got = got, .max_vcpus = max_vcpus > in->vcpus ? max_vcpus : in->vcpus};
    size_t want = in->mode == TST_MEASURE_SNP ? TST_SHA384_BYTES : TST_SHA256_BYTES, pick[DIM_COUNT] = {0};
    if (n != want)
        return tst_fail(err, TST_USAGE, "digest of %zu bytes, a launch digest of mode %s has %zu", n, tst_measure_mode_name(in->mode), want);
    if (s.max_vcpus > TST_VCPUS_MAX)
        return tst_fail(err, TST_USAGE, "%u vCPUs, expected at most %d", s.max_vcpus, TST_VCPUS_MAX);
    int rc = launch_open(in, &s.launch, err);
    if (rc == 0)
        rc = explain_dimensions(in, &s.kernels, s.dims, err);
    if (rc == 0)
        rc = hash_images(&s, err);
    do {
        if (rc == 0)
            rc = try_combination(&s, pick, err);
    } while (rc == 0 && next_combination(&s, pick));
    return rc < 0 ? tst_wrap(err, "explain") : tell(&s, out, err);
}
