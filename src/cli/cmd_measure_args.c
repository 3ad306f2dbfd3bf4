/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_measure_args.c - the options of `testudo measure` -> the launch that they describe. */
#include <errno.h>
#include <stdlib.h>

#include "cmd_measure.h"

#define HASH_PREFIX "sha256:"

int measure_number(const char *option, const char *text, uint64_t max, uint64_t *out, struct tst_error **err)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = strtoull(text, &end, strncasecmp(text, "0x", 2) == 0 ? 16 : 10);
    if (errno || end == text || *end || text[0] == '-' || n > max)
        return tst_fail(err, TST_USAGE, "%s %s: expected a number up to %#llx", option, text, (unsigned long long)max);
    *out = n;
    return 0;
}

/* ---- files ---- */
static int load_image(const char *path, char **text, struct tst_bytes *out, struct tst_error **err)
{
    size_t n = 0;
    int rc = cli_read_file(path, TST_FIRMWARE_MAX_BYTES, text, &n, err);
    if (rc == 0)
        *out = (struct tst_bytes){(const uint8_t *)*text, n};
    return rc;
}

static int hash_stream(FILE *f, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    TST_AUTO_HASHER h = NULL;
    uint8_t chunk[65536];
    size_t n = 0;
    int rc = tst_hasher_new(TST_HASH_SHA256, &h, err);
    while (rc == 0 && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
        rc = tst_hasher_update(h, chunk, n, err);
    if (rc == 0 && ferror(f))
        rc = tst_fail(err, TST_USAGE, "%m");
    return rc == 0 ? tst_hasher_final(h, out, err) : rc;
}

/* A kernel or initrd can be large: it is hashed as it is read. */
static int hash_file(const char *path, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    if (strncmp(path, HASH_PREFIX, strlen(HASH_PREFIX)) == 0)
        return tst_unhex(path + strlen(HASH_PREFIX), out, TST_SHA256_BYTES, err);
    FILE *f = fopen(path, "re");
    if (!f)
        return tst_fail(err, errno == ENOENT ? TST_NOT_FOUND : TST_USAGE, "%s: %m", path);
    int rc = hash_stream(f, out, err);
    fclose(f);
    return rc < 0 ? tst_wrap(err, "%s", path) : 0;
}

static int read_kernel(const struct cli_command *self, const struct cli_args *args, struct measure_launch *l, struct tst_error **err)
{
    const char *kernel = cli_value(self, args, "--kernel"), *initrd = cli_value(self, args, "--initrd");
    const char *append = cli_value(self, args, "--append");
    if (!kernel && (initrd || append))
        return tst_fail(err, TST_USAGE, "%s goes with --kernel", initrd ? "--initrd" : "--append");
    if (!kernel)
        return 0;
    int rc = hash_file(kernel, l->kernel.kernel, err);
    if (rc == 0)
        rc = initrd ? hash_file(initrd, l->kernel.initrd, err) : tst_kernel_set_initrd(&l->kernel, (struct tst_bytes){NULL, 0}, err);
    l->kernel.has_initrd = initrd != NULL;
    if (rc == 0)
        rc = tst_kernel_set_cmdline(&l->kernel, append, err);
    l->in.kernel = &l->kernel;
    return rc;
}

static int read_images(const struct cli_command *self, const struct cli_args *args, struct measure_launch *l, struct tst_error **err)
{
    const char *firmware = cli_value(self, args, "--firmware"), *svsm = cli_value(self, args, "--svsm");
    const char *digest = cli_value(self, args, "--firmware-digest"), *vars = cli_value(self, args, "--vars-size");
    uint64_t vars_bytes = 0;
    if (!firmware)
        return tst_fail(err, TST_USAGE, "--firmware is missing: which OVMF starts the guest?");
    int rc = load_image(firmware, &l->firmware, &l->in.firmware, err);
    if (rc == 0 && svsm)
        rc = load_image(svsm, &l->svsm, &l->in.svsm, err);
    if (rc == 0 && vars && !svsm)
        rc = tst_fail(err, TST_USAGE, "--vars-size goes with --svsm");
    if (rc == 0 && vars)
        rc = measure_number("--vars-size", vars, UINT32_MAX, &vars_bytes, err);
    l->in.vars_bytes = (uint32_t)vars_bytes;
    if (rc == 0 && digest) {
        rc = tst_unhex(digest, l->firmware_digest, sizeof l->firmware_digest, err);
        l->in.firmware_digest = l->firmware_digest;
        rc = rc < 0 ? tst_wrap(err, "--firmware-digest") : 0;
    }
    return rc;
}

/* ---- words ---- */
static const struct {
    const char *text;
    enum tst_vmm vmm;
    bool rdx_zero;
} vmm_words[] = {{"qemu", TST_VMM_QEMU, false}, {"ec2", TST_VMM_EC2, false}, {"ec2-rdx0", TST_VMM_EC2, true},
                 {"gce", TST_VMM_GCE, false},   {"krun", TST_VMM_KRUN, false}};

const char *measure_vmm_text(const struct tst_measure_in *in)
{
    return in->vmm == TST_VMM_EC2 && in->rdx_zero ? "ec2-rdx0" : tst_vmm_name(in->vmm);
}

static int read_vmm(const char *text, struct tst_measure_in *in, struct tst_error **err)
{
    for (size_t i = 0; i < TST_COUNT(vmm_words); i++) {
        if (strcasecmp(text, vmm_words[i].text) == 0) {
            in->vmm = vmm_words[i].vmm;
            in->rdx_zero = vmm_words[i].rdx_zero;
            return 0;
        }
    }
    return tst_fail(err, TST_USAGE, "--vmm %s: expected qemu, ec2, ec2-rdx0, gce or krun", text);
}

static int read_fpu(const char *text, struct tst_measure_in *in, struct tst_error **err)
{
    static const char *const words[] = {
        [TST_FPU_AUTO] = "auto", [TST_FPU_NONE] = "none", [TST_FPU_MXCSR] = "mxcsr", [TST_FPU_FULL] = "full"};
    for (size_t i = 0; i < TST_COUNT(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            in->fpu = (enum tst_vmsa_fpu)i;
            return 0;
        }
    }
    return tst_fail(err, TST_USAGE, "--fpu %s: expected auto, none, mxcsr or full", text);
}

static int read_words(const struct cli_command *self, const struct cli_args *args, struct tst_measure_in *in, struct tst_error **err)
{
    const char *mode = cli_value(self, args, "--mode"), *vmm = cli_value(self, args, "--vmm"), *fpu = cli_value(self, args, "--fpu");
    const char *features = cli_value(self, args, "--sev-features"), *gpa = cli_value(self, args, "--vmsa-gpa");
    int rc = 0;
    in->mode = TST_MEASURE_SNP;
    if (mode && !tst_measure_mode_of(mode, &in->mode))
        rc = tst_fail(err, TST_USAGE, "--mode %s: expected snp, es or sev", mode);
    in->sev_features = in->mode == TST_MEASURE_SNP ? TST_SEV_FEATURE_SNP : 0;
    in->hashes_first = cli_value(self, args, "--hashes-first") != NULL;
    if (rc == 0 && vmm)
        rc = read_vmm(vmm, in, err);
    if (rc == 0 && fpu)
        rc = read_fpu(fpu, in, err);
    if (rc == 0 && features)
        rc = measure_number("--sev-features", features, UINT64_MAX, &in->sev_features, err);
    return rc == 0 && gpa ? measure_number("--vmsa-gpa", gpa, UINT64_MAX, &in->vmsa_gpa, err) : rc;
}

/* ---- lists: one flavor each ---- */
static int read_vcpus(const char *text, struct measure_launch *l, struct tst_error **err)
{
    TST_AUTO_STR copy = strdup(text);
    char *rest = copy, *word;
    uint64_t n = 0;
    int rc = copy ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
    while (rc == 0 && (word = strsep(&rest, ",")) != NULL) {
        if (l->vcpus_count == MEASURE_LIST_MAX)
            return tst_fail(err, TST_TOO_LARGE, "--vcpus: more than %d numbers", MEASURE_LIST_MAX);
        rc = measure_number("--vcpus", word, TST_VCPUS_MAX, &n, err);
        l->vcpus[l->vcpus_count++] = (unsigned)n;
    }
    return rc;
}

static int unknown_cpu(const char *word, struct tst_error **err)
{
    TST_AUTO_BUF names = {0};
    for (const struct tst_cpu_model *m = tst_cpu_models(); m->name; m++)
        if (tst_buf_printf(&names, err, "%s%s", names.n ? ", " : "", m->name) < 0)
            return -TST_INTERNAL;
    tst_fail(err, TST_USAGE, "--vcpu-type %s: no such CPU", word);
    return tst_hint(err, (const char *)names.p, word, "or give its CPUID signature (0xa00f11) or family/model/stepping (25/1/1)");
}

/* "25/1/1"; false: not of this form. */
static bool split_fms(const char *word, unsigned long fms[3])
{
    char *end = NULL;
    for (unsigned i = 0; i < 3; i++) {
        if (*word < '0' || *word > '9')
            return false;
        fms[i] = strtoul(word, &end, 10);
        if (*end != (i < 2 ? '/' : '\0'))
            return false;
        word = end + 1;
    }
    return true;
}

static int read_cpu(const char *word, struct measure_cpu *out, struct tst_error **err)
{
    unsigned long fms[3] = {0};
    uint64_t n = 0;
    if (strlen(word) >= sizeof out->text)
        return unknown_cpu(word, err);
    snprintf(out->text, sizeof out->text, "%s", word);
    if (strncasecmp(word, "0x", 2) == 0) {
        int rc = measure_number("--vcpu-type", word, UINT32_MAX, &n, err);
        out->signature = (uint32_t)n;
        return rc;
    }
    if (split_fms(word, fms)) {
        if (fms[0] > 270 || fms[1] > 255 || fms[2] > 15)
            return tst_fail(err, TST_USAGE, "--vcpu-type %s: family up to 270, model up to 255, stepping up to 15", word);
        out->signature = tst_cpu_signature((unsigned)fms[0], (unsigned)fms[1], (unsigned)fms[2]);
        return 0;
    }
    return tst_cpu_model_find(word, &out->signature) ? 0 : unknown_cpu(word, err);
}

static int read_cpus(const char *text, struct measure_launch *l, struct tst_error **err)
{
    TST_AUTO_STR copy = strdup(text);
    char *rest = copy, *word;
    int rc = copy ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
    while (rc == 0 && (word = strsep(&rest, ",")) != NULL) {
        if (l->cpu_count == MEASURE_LIST_MAX)
            return tst_fail(err, TST_TOO_LARGE, "--vcpu-type: more than %d names", MEASURE_LIST_MAX);
        rc = read_cpu(word, &l->cpus[l->cpu_count++], err);
    }
    return rc;
}

static int read_flavors(const struct cli_command *self, const struct cli_args *args, struct measure_launch *l, struct tst_error **err)
{
    const char *vcpus = cli_value(self, args, "--vcpus"), *cpus = cli_value(self, args, "--vcpu-type");
    int rc = read_vcpus(vcpus ? vcpus : "1", l, err);
    if (rc == 0 && cpus)
        return read_cpus(cpus, l, err);
    l->cpu_count = 1;
    snprintf(l->cpus[0].text, sizeof l->cpus[0].text, "any");
    if (rc == 0 && l->in.mode != TST_MEASURE_SEV && l->in.vmm == TST_VMM_QEMU) {
        tst_fail(err, TST_USAGE, "--vcpu-type is missing: QEMU puts the CPU's signature into what is measured");
        rc = tst_hint(err, "the -cpu of the guest, such as EPYC-Milan", "none", "add --vcpu-type EPYC-Milan (or 0xa00f11, or 25/1/1)");
    }
    return rc;
}

int measure_launch_read(const struct cli_command *self, const struct cli_args *args, struct measure_launch *out, struct tst_error **err)
{
    int rc = read_words(self, args, &out->in, err);
    if (rc == 0)
        rc = read_flavors(self, args, out, err);
    if (rc == 0)
        rc = read_images(self, args, out, err);
    if (rc == 0)
        rc = read_kernel(self, args, out, err);
    out->in.vcpus = out->vcpus[0];
    out->in.signature = out->cpus[0].signature;
    return rc;
}

void measure_launch_clear(struct measure_launch *l)
{
    free(l->firmware);
    free(l->svsm);
}

static bool put_all(FILE *f, const void *p, size_t n)
{
    return fwrite(p, 1, n, f) == n && fflush(f) == 0;
}

int measure_write_file(const char *path, const void *p, size_t n, struct tst_error **err)
{
    if (strcmp(path, "-") == 0)
        return put_all(stdout, p, n) ? 0 : tst_fail(err, TST_USAGE, "standard output: %m");
    FILE *f = fopen(path, "we");
    if (!f)
        return tst_fail(err, TST_USAGE, "%s: %m", path);
    bool whole = put_all(f, p, n);
    return fclose(f) == 0 && whole ? 0 : tst_fail(err, TST_USAGE, "%s: %m", path);
}

void measure_print_features(uint64_t features)
{
    static const char *const names[] = {[0] = "SNP", [1] = "vTOM", [2] = "ReflectVC", [3] = "RestrictedInjection",
                                        [4] = "AlternateInjection", [5] = "DebugSwap", [6] = "PreventHostIBS", [7] = "BTBIsolation",
                                        [8] = "VmplSSS", [9] = "SecureTSC", [10] = "VmgexitParameter", [12] = "IbsVirt",
                                        [14] = "VmsaRegProt", [15] = "SmtProtection", [16] = "SecureAVIC"};
    printf("%#llx", (unsigned long long)features);
    for (size_t i = 0; i < TST_COUNT(names); i++)
        if (features >> i & 1)
            printf(" %s", names[i] ? names[i] : "?");
}
