/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_host.c - `testudo host status`: what the secure processor says about itself. Changes nothing. */
#include "cli/cmd_host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- shared ---- */
int host_open(const struct cli_command *self, const struct cli_args *args, struct platform **out, struct tst_error **err)
{
    int rc = platform_open(cli_value(self, args, "--root"), out, err);
    if (rc == 0 && (*out)->from)
        printf("machine: constructed from %s (%s)\n", (*out)->from, (*out)->name);
    return rc;
}

int host_confirm(const struct cli_command *self, const struct cli_args *args, const char *lost, struct tst_error **err)
{
    if (cli_value(self, args, "--yes"))
        return 0;
    tst_fail(err, TST_DENIED, "%s: nothing was done. It would %s", self->name, lost);
    return tst_hint(err, NULL, NULL, "add --yes when that is what you want");
}

enum tst_snp_product host_product(const struct platform *p)
{
    struct cpuid_regs r;
    if (platform_cpuid(p, 1, &r) < 0 || (r.eax >> 8 & 15) != 15)
        return TST_SNP_UNKNOWN;
    return tst_snp_product_of_cpuid((uint8_t)(15 + (r.eax >> 20 & 255)), (uint8_t)((r.eax >> 4 & 15) | (r.eax >> 16 & 15) << 4));
}

int host_read_exact(const char *path, uint8_t *to, size_t n, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t got = 0;
    int rc = cli_read_file(path, n, &text, &got, err);
    if (rc < 0)
        return rc;
    if (got != n)
        return tst_fail(err, TST_USAGE, "%s: %zu bytes, expected %zu", path, got, n);
    memcpy(to, text, n);
    return 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t w = write(fd, bytes + done, n - done);
        if (w < 0 && errno != EINTR)
            return -errno;
        done += w > 0 ? (size_t)w : 0;
    }
    return 0;
}

int host_write_new(const char *path, const void *bytes, size_t n, struct tst_error **err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    int rc = fd < 0 ? -errno : write_all(fd, bytes, n);
    if (fd >= 0 && close(fd) < 0 && rc == 0)
        rc = -errno;
    if (rc < 0 && fd >= 0)
        unlink(path);
    return rc == 0 ? 0 : tst_fail(err, TST_USAGE, "%s: %s", path, strerror(-rc));
}

/* ---- what is asked ---- */
struct host_facts {
    struct sev_status sev;
    struct snp_status snp;
    bool has_snp;
    char *snp_why; /* why not */
    uint8_t id[SEV_ID_BYTES];
    size_t id_bytes; /* 0: not known */
    enum tst_snp_product product;
};

/* A platform without SEV-SNP answers the first command only, and that is no error. */
static int facts_ask(const struct platform *p, struct host_facts *f, struct tst_error **err)
{
    TST_AUTO_ERROR why = NULL;
    *f = (struct host_facts){.product = host_product(p)};
    int rc = sev_platform_status(p, &f->sev, err);
    if (rc < 0)
        return rc;
    f->has_snp = snp_platform_status(p, &f->snp, &why) == 0;
    f->snp_why = why ? strdup(why->text) : NULL;
    if (sev_chip_id(p, f->id, &f->id_bytes, NULL) < 0)
        f->id_bytes = 0;
    return 0;
}

/* Where the certificate is that verifies this chip's reports; NULL when it cannot be told. */
static char *vcek_url(const struct host_facts *f)
{
    if (!f->has_snp || !f->id_bytes || !f->product || f->snp.flags & SNP_FLAG_MASK_CHIP_KEY)
        return NULL;
    struct tst_snp_vek_id id = {.product = f->product, .tcb = tst_snp_tcb_of(f->product, f->snp.reported_tcb)};
    id.hwid_bytes = f->product == TST_SNP_TURIN ? 8 : SEV_ID_BYTES;
    memcpy(id.hwid, f->id, id.hwid_bytes < f->id_bytes ? id.hwid_bytes : f->id_bytes);
    return tst_kds_vcek_url(NULL, &id);
}

static const struct {
    uint32_t flag;
    const char *key, *text;
} snp_flags[] = {
    {SNP_FLAG_MASK_CHIP_ID, "mask-chip-id", "chip id hidden in reports"},
    {SNP_FLAG_MASK_CHIP_KEY, "mask-chip-key", "reports not signed by the chip"},
    {SNP_FLAG_VLEK, "vlek", "VLEK loaded"},
    {SNP_FLAG_FEATURE_INFO, "feature-info", "FEATURE_INFO command"},
    {SNP_FLAG_RAPL_DISABLED, "rapl-disabled", "power meter off for guests' sake"},
    {SNP_FLAG_CIPHERTEXT_HIDING_CAPABLE, "ciphertext-hiding-capable", "can hide ciphertext"},
    {SNP_FLAG_CIPHERTEXT_HIDING, "ciphertext-hiding", "hides ciphertext"},
    {SNP_FLAG_TIO, "tio", "trusted I/O"},
};

/* ---- print ---- */
static void print_row(const char *what, const char *value)
{
    printf("  %-34s%s\n", what, value);
}

static void print_tcb(const char *what, enum tst_snp_product product, const uint8_t raw[8])
{
    char text[96], hex[17];
    struct tst_snp_tcb tcb = tst_snp_tcb_of(product, raw);
    tst_snp_tcb_print(&tcb, text, sizeof text);
    tst_hex(raw, 8, hex);
    print_row(what, product ? text : hex);
}

static void print_snp(const struct host_facts *f)
{
    printf("  %-34s%s, %u.%u build %" PRIu32 ", %" PRIu32 " guests\n", "SEV-SNP", sev_state_name(f->snp.state), f->snp.api_major,
           f->snp.api_minor, f->snp.build, f->snp.guests);
    print_row("RMP initialised", f->snp.rmp_initialised ? "yes" : "no");
    print_row("memory alias check done", f->snp.alias_checked ? "yes" : "no");
    print_tcb("current TCB", f->product, f->snp.current_tcb);
    print_tcb("reported TCB", f->product, f->snp.reported_tcb);
    for (size_t i = 0; i < TST_COUNT(snp_flags); i++)
        print_row(snp_flags[i].text, f->snp.flags & snp_flags[i].flag ? "yes" : "no");
}

static void print_status(const struct platform *p, const struct host_facts *f)
{
    char hex[2 * SEV_ID_BYTES + 1] = "not known";
    TST_AUTO_STR url = vcek_url(f);
    if (p->from)
        printf("machine: constructed from %s (%s)\n", p->from, p->name);
    printf("  %-34s%u.%u build %u\n", "SEV firmware", f->sev.api_major, f->sev.api_minor, f->sev.build);
    printf("  %-34s%s, %" PRIu32 " guests\n", "SEV", sev_state_name(f->sev.state), f->sev.guests);
    print_row("SEV-ES", f->sev.es ? "initialised" : "not initialised");
    print_row("owner", f->sev.owned ? "external" : "the platform itself");
    print_row("product", tst_snp_product_name(f->product));
    if (f->has_snp)
        print_snp(f);
    else
        print_row("SEV-SNP", f->snp_why ? f->snp_why : "not known");
    if (f->id_bytes)
        tst_hex(f->id, f->id_bytes, hex);
    print_row("chip id", hex);
    if (url)
        print_row("VCEK certificate", url);
}

static json_t *tcb_json(enum tst_snp_product product, const uint8_t raw[8])
{
    char hex[17];
    struct tst_snp_tcb t = tst_snp_tcb_of(product, raw);
    tst_hex(raw, 8, hex);
    json_t *o = json_pack("{s:s}", "raw", hex);
    if (o && product && json_object_update_new(o, json_pack("{s:i,s:i,s:i,s:i}", "bootloader", t.bootloader, "tee", t.tee, "snp",
                                                            t.snp, "microcode", t.microcode)) < 0)
        return json_decref(o), NULL;
    if (o && product && t.has_fmc && json_object_set_new(o, "fmc", json_integer(t.fmc)) < 0)
        return json_decref(o), NULL;
    return o;
}

static json_t *snp_json(const struct host_facts *f)
{
    if (!f->has_snp)
        return json_null();
    json_t *o = json_pack("{s:s,s:i,s:i,s:I,s:I,s:b,s:b,s:b,s:o,s:o}", "state", sev_state_name(f->snp.state), "api-major",
                          f->snp.api_major, "api-minor", f->snp.api_minor, "build", (json_int_t)f->snp.build, "guests",
                          (json_int_t)f->snp.guests, "rmp-initialised", f->snp.rmp_initialised, "alias-checked", f->snp.alias_checked,
                          "tio-enabled", f->snp.tio_enabled, "current-tcb", tcb_json(f->product, f->snp.current_tcb),
                          "reported-tcb", tcb_json(f->product, f->snp.reported_tcb));
    for (size_t i = 0; o && i < TST_COUNT(snp_flags); i++)
        if (json_object_set_new(o, snp_flags[i].key, json_boolean(f->snp.flags & snp_flags[i].flag)) < 0)
            return json_decref(o), NULL;
    return o;
}

static int print_json(const struct platform *p, const struct host_facts *f, struct tst_error **err)
{
    char hex[2 * SEV_ID_BYTES + 1] = "";
    TST_AUTO_STR url = vcek_url(f);
    if (f->id_bytes)
        tst_hex(f->id, f->id_bytes, hex);
    TST_AUTO_JSON o = json_pack(
        "{s:s,s:b,s:s*,s:{s:i,s:i,s:i,s:s,s:I,s:b,s:b},s:s,s:o,s:s*,s:s*,s:s*}", "machine", p->name, "constructed", p->from != NULL,
        "from", p->from, "sev", "api-major", f->sev.api_major, "api-minor", f->sev.api_minor, "build", f->sev.build, "state",
        sev_state_name(f->sev.state), "guests", (json_int_t)f->sev.guests, "es", f->sev.es, "owned", f->sev.owned, "product",
        tst_snp_product_name(f->product), "snp", snp_json(f), "snp-error", f->has_snp ? NULL : f->snp_why, "chip-id",
        f->id_bytes ? hex : NULL, "vcek-url", url);
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    cli_print_json(o);
    return 0;
}

static int host_status(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_PLATFORM p = NULL;
    struct host_facts f;
    int rc = platform_open(cli_value(self, args, "--root"), &p, err);
    if (rc == 0)
        rc = facts_ask(p, &f, err);
    if (rc)
        return rc;
    if (cli_value(self, args, "--json"))
        rc = print_json(p, &f, err);
    else
        print_status(p, &f);
    free(f.snp_why);
    return rc;
}

const struct cli_command cmd_host_status = {
    .name = "host status",
    .operands = "",
    .summary = "what the secure processor of this host says: firmware, state, TCB, chip id",
    .exits = "0 shown, 2 no /dev/sev, 3 the driver refuses, 4 no permission",
    .options = {HOST_ROOT_OPTION, {"--json", NULL, "print it as JSON"}},
    .run = host_status,
};
