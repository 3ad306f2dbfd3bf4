/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_sev_session.c - `testudo sev session`: keys for one launch, wrapped for one platform whose chain has verified. */
#include <stdlib.h>
#include <unistd.h>

#include "cmd_sev.h"

#define OUTPUTS 4
#define SECRET_MODE 0600
#define PUBLIC_MODE 0644

struct output {
    const char *suffix, *text;
    const void *p;
    size_t n;
    unsigned mode;
    char *path;
};

/* All files or none. */
static int outputs_write(struct output *list, const char *prefix, struct tst_error **err)
{
    int rc = 0;
    size_t done = 0;
    for (; rc == 0 && done < OUTPUTS; done++) {
        list[done].path = tst_strdup_printf("%s%s", prefix, list[done].suffix);
        if (!list[done].path)
            rc = tst_fail(err, TST_INTERNAL, "out of memory");
        else
            rc = sev_write_new(list[done].path, list[done].p, list[done].n, list[done].mode, err);
    }
    for (size_t i = 0; rc < 0 && done > 0 && i < done - 1; i++)
        unlink(list[i].path);
    return rc;
}

static int outputs_show(const struct output *list, uint32_t policy, const struct sev_platform *p, bool json, struct tst_error **err)
{
    char words[96];
    tst_sev_policy_print(policy, words, sizeof words);
    if (!json) {
        if (p->verdict.simulated)
            puts("SIMULATED: the root is named by the caller; no hardware stands behind this platform");
        printf("session for a guest of policy 0x%08x (%s) on a genuine platform, product %s\n", policy, words, p->verdict.product);
        for (size_t i = 0; i < OUTPUTS; i++)
            printf("  %-28s%s\n", list[i].path, list[i].text);
        return 0;
    }
    TST_AUTO_JSON o = json_pack("{s:I, s:s, s:b, s:s, s:s, s:s, s:s}", "policy", (json_int_t)policy, "product", p->verdict.product,
                                "simulated", p->verdict.simulated, "godh", list[0].path, "session", list[1].path, "tek", list[2].path,
                                "tik", list[3].path);
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    cli_print_json(o);
    return 0;
}

static int session_save(const struct tst_sev_session *s, const char *prefix, uint32_t policy, const struct sev_platform *p, bool json,
                        struct tst_error **err)
{
    TST_AUTO_STR godh = sev_base64(s->godh, sizeof s->godh);
    TST_AUTO_STR blob = sev_base64(s->blob, sizeof s->blob);
    if (!godh || !blob)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    struct output list[OUTPUTS] = {
        {"_godh.b64", "for the host: QEMU dh-cert-file, libvirt dhCert", godh, strlen(godh), PUBLIC_MODE, NULL},
        {"_session.b64", "for the host: QEMU session-file, libvirt session", blob, strlen(blob), PUBLIC_MODE, NULL},
        {"_tek.bin", "SECRET, stays with you: encrypts the secret packet", tst_secret_view(s->tek), TST_SEV_KEY_BYTES, SECRET_MODE, NULL},
        {"_tik.bin", "SECRET, stays with you: proves the launch measurement", tst_secret_view(s->tik), TST_SEV_KEY_BYTES, SECRET_MODE, NULL},
    };
    int rc = outputs_write(list, prefix, err);
    if (rc == 0)
        rc = outputs_show(list, policy, p, json, err);
    for (size_t i = 0; i < OUTPUTS; i++)
        free(list[i].path);
    return rc;
}

static int sev_session(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    struct sev_platform p;
    struct tst_sev_session s = {0};
    const char *policy_text, *name;
    uint32_t policy = 0;
    int rc = sev_need(self, args, "--policy", &policy_text, err);
    rc = rc ? rc : sev_need(self, args, "--name", &name, err);
    rc = rc ? rc : sev_policy_read(policy_text, &policy, err);
    rc = rc ? rc : sev_platform_require(self, args, &p, err);
    rc = rc ? rc : tst_sev_session_new(&p.chain.cert[TST_SEV_ROLE_PDH], policy, &s, err);
    rc = rc ? rc : session_save(&s, name, policy, &p, cli_value(self, args, "--json") != NULL, err);
    tst_sev_session_clear(&s);
    return rc;
}

const struct cli_command cmd_sev_session = {
    .name = "sev session",
    .operands = "",
    .summary = "make the keys and the session blob with which a SEV or SEV-ES guest is launched on a genuine platform",
    .exits = "0 made, 1 the platform is refuted, 2 bad usage or input, 3 a certificate is missing",
    .options = {SEV_CHAIN_OPTIONS,
                {"--policy", "NUMBER", "the guest's policy, 32 bits, decimal or 0x (1 NODBG, 2 NOKS, 4 ES, 8 NOSEND)"},
                {"--name", "PREFIX", "of the files: PREFIX_godh.b64, _session.b64, _tek.bin, _tik.bin"},
                {"--json", NULL, "print the file names as JSON"}},
    .run = sev_session,
};
