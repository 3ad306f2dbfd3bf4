/* SPDX-License-Identifier: Apache-2.0 */
/* bench/measure.c - a launch measurement (4 MiB of firmware, 64 vCPUs) against its floor: bare SHA-384, algorithm fetched
 * once, over the same pages one by one. Interleaved pairs in one run, the order swapped each time; prints the median ratio. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <testudo/measure.h>

enum { FIRMWARE_BYTES = 4 * 1024 * 1024, VCPUS = 64, PAIRS_USUAL = 61 };

static const uint8_t footer[] = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45, 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};
static const uint8_t reset[] = {0x04, 0xb0, 0x80, 0, 22, 0, 0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a,
                                0xcb, 0x4f, 0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e};
static const uint8_t meta[] = {0x00, 0x04, 0, 0, 22, 0, 0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98,
                               0x98, 0x47, 0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc};
/* One section of SEC memory, secrets, CPUID: what every OVMF has. */
static const uint8_t sections[] = {'A', 'S', 'E', 'V', 52, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0,
                                   0, 0, 0x80, 0, 0, 0x90, 0, 0, 1, 0, 0, 0, 0, 0xd0, 0x80, 0, 0, 0x10, 0, 0, 2, 0, 0, 0,
                                   0, 0xe0, 0x80, 0, 0, 0x10, 0, 0, 3, 0, 0, 0};

/* No two pages are equal: nothing can be saved on the firmware. */
static void firmware_fill(uint8_t *p)
{
    uint64_t x = 0x9e3779b97f4a7c15ULL;
    for (size_t i = 0; i < FIRMWARE_BYTES; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        p[i] = (uint8_t)x;
    }
    uint8_t *end = p + FIRMWARE_BYTES, *table = end - 50;
    memcpy(end - 0x400, sections, sizeof sections);
    memcpy(end - 48, footer, sizeof footer);
    memcpy(table -= sizeof reset, reset, sizeof reset);
    memcpy(table -= sizeof meta, meta, sizeof meta);
    end[-50] = 18 + sizeof reset + sizeof meta;
    end[-49] = 0;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct floor {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
    const uint8_t *firmware;
    uint8_t vmsa[VCPUS][TST_PAGE_BYTES];
};

static bool hash_page(struct floor *f, const uint8_t *page)
{
    uint8_t out[EVP_MAX_MD_SIZE];
    return EVP_DigestInit_ex2(f->ctx, NULL, NULL) == 1 && EVP_DigestUpdate(f->ctx, page, TST_PAGE_BYTES) == 1 &&
           EVP_DigestFinal_ex(f->ctx, out, NULL) == 1;
}

static double time_floor(struct floor *f)
{
    double start = now_s();
    bool ok = true;
    for (size_t at = 0; ok && at < FIRMWARE_BYTES; at += TST_PAGE_BYTES)
        ok = hash_page(f, f->firmware + at);
    for (size_t i = 0; ok && i < VCPUS; i++)
        ok = hash_page(f, f->vmsa[i]);
    return ok ? now_s() - start : -1;
}

static double time_measure(const struct tst_measure_in *in)
{
    struct tst_measurement m;
    double start = now_s();
    return tst_measure(in, &m, NULL) == 0 ? now_s() - start : -1;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

static int run(struct floor *f, const struct tst_measure_in *in, size_t pairs, double *floors, double *measures, double *ratios)
{
    for (size_t i = 0; i < pairs; i++) {
        bool floor_first = i % 2 == 0;
        double a = floor_first ? time_floor(f) : time_measure(in), b = floor_first ? time_measure(in) : time_floor(f);
        floors[i] = floor_first ? a : b;
        measures[i] = floor_first ? b : a;
        ratios[i] = floors[i] / measures[i];
        if (floors[i] <= 0 || measures[i] <= 0)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    size_t pairs = argc > 1 ? strtoul(argv[1], NULL, 10) : PAIRS_USUAL;
    static struct floor f;
    uint8_t *firmware = malloc(FIRMWARE_BYTES);
    double *times = pairs && pairs < 100000 ? calloc(3 * pairs, sizeof *times) : NULL;
    if (!firmware || !times)
        return 2;
    firmware_fill(firmware);
    const struct tst_measure_in in = {.mode = TST_MEASURE_SNP, .firmware = {firmware, FIRMWARE_BYTES}, .vcpus = VCPUS, .signature = 0xa00f11, .sev_features = 1};
    f.firmware = firmware;
    f.md = EVP_MD_fetch(NULL, "SHA384", NULL);
    f.ctx = EVP_MD_CTX_new();
    if (!f.md || !f.ctx || EVP_DigestInit_ex2(f.ctx, f.md, NULL) != 1)
        return 1;
    for (unsigned i = 0; i < VCPUS; i++)
        tst_vmsa_build(&(struct tst_vmsa_spec){.cpu = i, .eip = i ? 0x80b004 : TST_BSP_EIP, .signature = 0xa00f11, .sev_features = 1}, f.vmsa[i]);
    int rc = run(&f, &in, pairs, times, times + pairs, times + 2 * pairs);
    if (rc == 0)
        printf("measure: 4 MiB firmware, %d vCPUs, median of %zu pairs\n  floor    %.3f ms (SHA-384 of %d pages)\n  measure  %.3f ms\n  ratio    %.1f %% of the floor (aim: at least 80 %%)\n",
               VCPUS, pairs, median(times, pairs) * 1e3, FIRMWARE_BYTES / TST_PAGE_BYTES + VCPUS, median(times + pairs, pairs) * 1e3,
               median(times + 2 * pairs, pairs) * 1e2);
    EVP_MD_CTX_free(f.ctx);
    EVP_MD_free(f.md);
    free(times);
    free(firmware);
    return rc;
}
