/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_sev_measurement.c - `testudo sev measurement build|verify`: what LAUNCH_MEASURE must answer for a guest, and
 * whether it did. The launch digest is given, or made from firmware, kernel and VMSA pages. */
#include <stdlib.h>

#include "cmd_measure.h"
#include "cmd_sev.h"

#define BOOT_FILE_MAX_BYTES (512u * 1024 * 1024)
#define BLOB_BYTES (TST_SHA256_BYTES + TST_SEV_NONCE_BYTES)

#define LAUNCH_OPTIONS                                                                                             \
    {"--api", "MAJOR.MINOR.BUILD", "version and build of the platform's SEV firmware, e.g. 1.40.40"},              \
        {"--policy", "NUMBER", "the guest's policy, decimal or 0x"}, {"--tik", "FILE", "the session's TIK"},       \
        {"--digest", "HEX", "launch digest (see `testudo measure`), in place of the files below"},                 \
        {"--firmware", "FILE", "OVMF"}, {"--kernel", "FILE", "kernel of direct boot"}, {"--initrd", "FILE", "its initrd"}, \
        {"--append", "TEXT", "its command line"}, {"--vcpus", "N", "SEV-ES: number of vCPUs"},                     \
        {"--vmsa-bsp", "FILE", "SEV-ES: VMSA of the first vCPU"}, {"--vmsa-ap", "FILE", "SEV-ES: VMSA of the others"}

/* ---- the launch that the options describe ---- */
/* One number up to 255 and what must follow it; NULL if it is not there. */
static const char *api_number(const char *text, char follows, uint8_t *out)
{
    char *end = NULL;
    unsigned long n = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
    if (!end || n > UINT8_MAX || *end != follows)
        return NULL;
    *out = (uint8_t)n;
    return end + 1;
}

static int read_api(const char *text, struct tst_sev_launch *l, struct tst_error **err)
{
    const char *at = api_number(text, '.', &l->api_major);
    at = at ? api_number(at, '.', &l->api_minor) : NULL;
    at = at ? api_number(at, '\0', &l->build) : NULL;
    if (at)
        return 0;
    int rc = tst_fail(err, TST_USAGE, "--api %.40s: expected MAJOR.MINOR.BUILD, each up to 255", text);
    tst_hint(err, NULL, NULL, "the host says it: `testudo host status`, or QEMU's query-sev");
    return rc;
}

/* Files that a launch is made of. */
struct launch_files {
    char *firmware, *kernel, *initrd, *vmsa[2];
};

static void launch_files_clear(struct launch_files *f)
{
    char *all[] = {f->firmware, f->kernel, f->initrd, f->vmsa[0], f->vmsa[1]};
    for (size_t i = 0; i < TST_COUNT(all); i++)
        free(all[i]);
}

static int load(const char *path, size_t max, char **text, struct tst_bytes *out, struct tst_error **err)
{
    size_t n = 0;
    int rc = path ? cli_read_file(path, max, text, &n, err) : 0;
    *out = (struct tst_bytes){(const uint8_t *)*text, n};
    return rc;
}

static int load_kernel(const struct cli_command *self, const struct cli_args *args, struct launch_files *f, struct tst_kernel *out,
                       struct tst_error **err)
{
    struct tst_bytes kernel, initrd;
    int rc = load(cli_value(self, args, "--kernel"), BOOT_FILE_MAX_BYTES, &f->kernel, &kernel, err);
    rc = rc ? rc : load(cli_value(self, args, "--initrd"), BOOT_FILE_MAX_BYTES, &f->initrd, &initrd, err);
    return rc ? rc : tst_kernel_set(out, kernel, initrd, cli_value(self, args, "--append"), err);
}

static int load_vmsa(const char *path, char **text, const uint8_t **out, struct tst_error **err)
{
    struct tst_bytes page;
    int rc = load(path, TST_SEV_VMSA_BYTES, text, &page, err);
    if (rc == 0 && path && page.n != TST_SEV_VMSA_BYTES)
        rc = tst_fail(err, TST_USAGE, "%s: %zu bytes, a VMSA has %d", path, page.n, TST_SEV_VMSA_BYTES);
    *out = page.p;
    return rc;
}

static int load_vmsas(const struct cli_command *self, const struct cli_args *args, struct launch_files *f, struct tst_sev_image *image,
                      struct tst_error **err)
{
    const char *vcpus = cli_value(self, args, "--vcpus");
    uint64_t n = 0;
    int rc = vcpus ? measure_number("--vcpus", vcpus, TST_VCPUS_MAX, &n, err) : 0;
    rc = rc ? rc : load_vmsa(cli_value(self, args, "--vmsa-bsp"), &f->vmsa[0], &image->vmsa_bsp, err);
    rc = rc ? rc : load_vmsa(cli_value(self, args, "--vmsa-ap"), &f->vmsa[1], &image->vmsa_ap, err);
    image->vcpus = (unsigned)n;
    return rc;
}

/* The policy says whether VMSAs are measured: a launch without them, or with them for nothing, would be another guest. */
static int check_es(uint32_t policy, const struct tst_sev_image *image, struct tst_error **err)
{
    bool es = policy & TST_SEV_POLICY_ES;
    if (es == (image->vcpus > 0))
        return 0;
    int rc = tst_fail(err, TST_USAGE, es ? "the policy asks for SEV-ES: the VMSA pages are measured too"
                                         : "the policy does not ask for SEV-ES: no VMSA is measured");
    tst_hint(err, NULL, NULL, es ? "give --vcpus, --vmsa-bsp and --vmsa-ap (`testudo sev vmsa build`), or --digest (`testudo measure --mode es`)"
                                 : "leave --vcpus out, or set bit 2 of --policy");
    return rc;
}

static int digest_of_files(const struct cli_command *self, const struct cli_args *args, struct tst_sev_launch *l, struct tst_error **err)
{
    __attribute__((cleanup(launch_files_clear))) struct launch_files f = {0};
    struct tst_kernel kernel;
    struct tst_sev_image image = {0};
    int rc = load(cli_value(self, args, "--firmware"), TST_FIRMWARE_MAX_BYTES, &f.firmware, &image.firmware, err);
    if (rc == 0 && cli_value(self, args, "--kernel")) {
        rc = load_kernel(self, args, &f, &kernel, err);
        image.kernel = &kernel;
    } else if (rc == 0 && (cli_value(self, args, "--initrd") || cli_value(self, args, "--append")))
        rc = tst_fail(err, TST_USAGE, "--initrd and --append go with --kernel");
    rc = rc ? rc : load_vmsas(self, args, &f, &image, err);
    rc = rc ? rc : check_es(l->policy, &image, err);
    return rc ? rc : tst_sev_launch_digest(&image, l->digest, err);
}

static int read_digest(const struct cli_command *self, const struct cli_args *args, struct tst_sev_launch *l, struct tst_error **err)
{
    static const char *const files[] = {"--firmware", "--kernel", "--initrd", "--append", "--vcpus", "--vmsa-bsp", "--vmsa-ap"};
    const char *digest = cli_value(self, args, "--digest");
    if (!digest && !cli_value(self, args, "--firmware"))
        return tst_fail(err, TST_USAGE, "%s: --firmware or --digest is missing", self->name);
    for (size_t i = 0; digest && i < TST_COUNT(files); i++)
        if (cli_value(self, args, files[i]))
            return tst_fail(err, TST_USAGE, "%s: --digest stands in place of %s", self->name, files[i]);
    return digest ? sev_read_bytes("--digest", digest, l->digest, sizeof l->digest, err) : digest_of_files(self, args, l, err);
}

static int read_launch(const struct cli_command *self, const struct cli_args *args, struct tst_sev_launch *l, struct tst_secret **tik,
                       struct tst_error **err)
{
    const char *api, *policy, *tik_path;
    int rc = sev_need(self, args, "--api", &api, err);
    rc = rc ? rc : sev_need(self, args, "--policy", &policy, err);
    rc = rc ? rc : sev_need(self, args, "--tik", &tik_path, err);
    rc = rc ? rc : read_api(api, l, err);
    rc = rc ? rc : sev_policy_read(policy, &l->policy, err);
    rc = rc ? rc : read_digest(self, args, l, err);
    return rc ? rc : sev_read_secret(tik_path, TST_SEV_KEY_BYTES, TST_SEV_KEY_BYTES, tik, err);
}

/* ---- output ---- */
static void launch_print(const struct tst_sev_launch *l)
{
    char words[96];
    tst_sev_policy_print(l->policy, words, sizeof words);
    printf("  %-14s%u.%u, build %u\n  %-14s0x%08x: %s\n", "firmware API", l->api_major, l->api_minor, l->build, "policy", l->policy, words);
    sev_print_hex("launch digest", l->digest, sizeof l->digest);
    sev_print_hex("mnonce", l->mnonce, sizeof l->mnonce);
}

static int launch_json(const struct tst_sev_launch *l, const uint8_t measure[TST_SHA256_BYTES], const char *blob, json_t **out,
                       struct tst_error **err)
{
    TST_AUTO_JSON o = json_pack("{s:i, s:i, s:i, s:I, s:s}", "api-major", l->api_major, "api-minor", l->api_minor, "build", l->build,
                                "policy", (json_int_t)l->policy, "blob", blob);
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = tst_json_set_hex(o, "launch-digest", l->digest, sizeof l->digest, err);
    rc = rc ? rc : tst_json_set_hex(o, "mnonce", l->mnonce, sizeof l->mnonce, err);
    rc = rc ? rc : tst_json_set_hex(o, "measurement", measure, TST_SHA256_BYTES, err);
    if (rc == 0)
        *out = TST_STEAL(o);
    return rc;
}

/* measurement | mnonce, as the firmware answers it */
static int show(const struct tst_sev_launch *l, const uint8_t measure[TST_SHA256_BYTES], bool json, bool verified, struct tst_error **err)
{
    uint8_t bytes[BLOB_BYTES];
    TST_AUTO_JSON o = NULL;
    memcpy(bytes, measure, TST_SHA256_BYTES);
    memcpy(bytes + TST_SHA256_BYTES, l->mnonce, sizeof l->mnonce);
    TST_AUTO_STR blob = sev_base64(bytes, sizeof bytes);
    int rc = blob ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0 && json)
        rc = launch_json(l, measure, blob, &o, err);
    if (rc < 0)
        return rc;
    if (o)
        cli_print_json(o);
    else {
        launch_print(l);
        sev_print_hex("measurement", measure, TST_SHA256_BYTES);
        printf("  %-14s%s\n", "blob", blob);
        if (verified)
            puts("verdict: the platform launched this guest");
    }
    return 0;
}

/* ---- build ---- */
static int read_nonce(const struct cli_command *self, const struct cli_args *args, struct tst_sev_launch *l, struct tst_error **err)
{
    uint8_t blob[BLOB_BYTES];
    const char *nonce = cli_value(self, args, "--nonce"), *given = cli_value(self, args, "--blob");
    if (!nonce == !given)
        return tst_fail(err, TST_USAGE, "%s: one of --nonce and --blob is needed", self->name);
    if (nonce)
        return sev_read_bytes("--nonce", nonce, l->mnonce, sizeof l->mnonce, err);
    int rc = sev_read_bytes("--blob", given, blob, sizeof blob, err);
    memcpy(l->mnonce, blob + TST_SHA256_BYTES, rc ? 0 : sizeof l->mnonce);
    return rc;
}

static int write_blob(const char *path, const struct tst_sev_launch *l, const uint8_t measure[TST_SHA256_BYTES], struct tst_error **err)
{
    uint8_t blob[BLOB_BYTES];
    memcpy(blob, measure, TST_SHA256_BYTES);
    memcpy(blob + TST_SHA256_BYTES, l->mnonce, sizeof l->mnonce);
    return sev_write_new(path, blob, sizeof blob, 0644, err);
}

static int measurement_build(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    struct tst_sev_launch l = {0};
    TST_AUTO_SECRET tik = NULL;
    uint8_t measure[TST_SHA256_BYTES];
    const char *out = cli_value(self, args, "--out");
    int rc = read_launch(self, args, &l, &tik, err);
    rc = rc ? rc : read_nonce(self, args, &l, err);
    rc = rc ? rc : tst_sev_measure(tik, &l, measure, err);
    if (rc == 0 && out)
        rc = write_blob(out, &l, measure, err);
    return rc ? rc : show(&l, measure, cli_value(self, args, "--json") != NULL, false, err);
}

const struct cli_command cmd_sev_measurement_build = {
    .name = "sev measurement build",
    .operands = "",
    .summary = "what the platform must answer to LAUNCH_MEASURE for this guest and nonce",
    .exits = "0 made, 2 bad usage or input",
    .options = {LAUNCH_OPTIONS,
                {"--nonce", "HEX", "the platform's nonce, 16 bytes, hex, base64 or a file"},
                {"--blob", "BASE64", "its answer to LAUNCH_MEASURE, for the nonce in it"},
                {"--out", "FILE", "write measurement and nonce, 48 bytes"},
                {"--json", NULL, "print as JSON"}},
    .run = measurement_build,
};

/* ---- verify ---- */
static int measurement_verify(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    struct tst_sev_launch l = {0};
    TST_AUTO_SECRET tik = NULL;
    uint8_t blob[BLOB_BYTES];
    const char *given;
    int rc = sev_need(self, args, "--blob", &given, err);
    rc = rc ? rc : read_launch(self, args, &l, &tik, err);
    rc = rc ? rc : sev_read_bytes("--blob", given, blob, sizeof blob, err);
    if (rc < 0)
        return rc;
    memcpy(l.mnonce, blob + TST_SHA256_BYTES, sizeof l.mnonce);
    rc = tst_sev_measure_check(tik, &l, blob, err);
    return rc ? rc : show(&l, blob, cli_value(self, args, "--json") != NULL, true, err);
}

const struct cli_command cmd_sev_measurement_verify = {
    .name = "sev measurement verify",
    .operands = "",
    .summary = "check the platform's answer to LAUNCH_MEASURE: it launched this firmware, kernel and vCPUs with our session",
    .exits = "0 it did, 1 refuted, 2 bad usage or input",
    .options = {LAUNCH_OPTIONS,
                {"--blob", "BASE64", "the platform's answer to LAUNCH_MEASURE: measurement and nonce, 48 bytes"},
                {"--json", NULL, "print as JSON"}},
    .run = measurement_verify,
};
