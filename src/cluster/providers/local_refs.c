/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_refs.c - what the simulated machines will measure, written down beforehand from the same
 * files: refs/sealed.yaml (launch digests) and refs/simulator.yaml (the simulator's root); the policy includes both. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

#include "cluster/providers/local.h"
#include "sim/launch.h"

#define POLICY_MAX_BYTES (256 * 1024)

static const char *const roles[] = {"controller", "node"};

static int print_reference(const struct local *l, const char *role, const char *ca_hex, struct tst_buf *out,
                           struct tst_error **err)
{
    TST_AUTO_STR agent = NULL, init = NULL;
    struct launch_facts facts = {0};
    uint8_t digest[TST_SNP_DIGEST_BYTES];
    char hex[2 * TST_SNP_DIGEST_BYTES + 1];
    int rc;

    if ((rc = os_program("testudo-agent", &agent, err)) || (rc = os_program("testudo-init", &init, err)) ||
        (rc = launch_facts_of_files(agent, init, role, l->plan->broker, ca_hex, &facts, err)) ||
        (rc = launch_digest(&facts, digest, err)))
        return rc;
    tst_hex(digest, sizeof digest, hex);
    return tst_buf_printf(out, err, "- {name: %s-%s, digest: %s, acpi: trusts-host}\n", l->plan->cluster, role, hex);
}

static int write_below(const struct local *l, const char *name, const void *p, size_t n, struct tst_error **err)
{
    TST_AUTO_STR path = local_path(l, "policy/%s", name);

    return path ? os_write_file(path, 0600, p, n, err) : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int write_refs(const struct local *l, const struct daemon_ids *ids, struct tst_error **err)
{
    TST_AUTO_BUF sealed = {0}, simulator = {0};
    TST_AUTO_STR folder = local_path(l, "policy/refs");
    int rc = folder ? os_mkdirs(folder, 0700, err) : tst_fail(err, TST_INTERNAL, "out of memory");

    if (!rc)
        rc = tst_buf_printf(&sealed, err, "# SIMULATED machines: launch digests of what `testudo up` starts\n");
    for (size_t i = 0; i < TST_COUNT(roles) && !rc; i++)
        rc = print_reference(l, roles[i], ids->ca_hex, &sealed, err);
    if (!rc)
        rc = tst_buf_printf(&simulator, err, "# SIMULATED: root key of this cluster's testudo-psp\n- %s\n",
                            ids->ark_hex);
    if (!rc)
        rc = write_below(l, "refs/sealed.yaml", sealed.p, sealed.n, err);
    return rc ? rc : write_below(l, "refs/simulator.yaml", simulator.p, simulator.n, err);
}

/* ---- the policy and its includes ---- */

struct include_places {
    const struct local *l;
    const char *folder; /* of the policy as the owner wrote it */
};

/* What we wrote ourselves comes before a file of the same name beside the owner's policy. */
static int read_include(void *ctx, const char *path, char **text, size_t *n, struct tst_error **err)
{
    const struct include_places *places = ctx;
    TST_AUTO_STR ours = local_path(places->l, "policy/%s", path);
    TST_AUTO_STR theirs = tst_strdup_printf("%s/%s", places->folder, path);

    if (path[0] == '/' || strstr(path, "..") || !ours || !theirs)
        return tst_fail(err, TST_USAGE, "include %.80s: want a path below the policy's folder", path);
    if (os_read_file(ours, POLICY_MAX_BYTES, text, n, err) == 0)
        return 0;
    return os_read_file(theirs, POLICY_MAX_BYTES, text, n, err);
}

static char *policy_path(const char *cluster_file, const char *policy)
{
    TST_AUTO_STR copy = strdup(cluster_file);

    if (policy[0] == '/' || !copy)
        return copy ? strdup(policy) : NULL;
    return tst_strdup_printf("%s/%s", dirname(copy), policy);
}

static int parse_policy(const struct local *l, const char *path, const char *text, size_t n,
                        const struct plan_realm *realm, json_t **out, struct tst_error **err)
{
    TST_AUTO_STR copy = strdup(path);
    TST_AUTO_POLICY policy = NULL;
    struct include_places places = {l, copy ? dirname(copy) : NULL};
    int rc;

    if (!copy)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if ((rc = tst_policy_parse(path, text, n, read_include, &places, &policy, err)))
        return rc;
    if (tst_policy_level(policy) < realm->level) {
        tst_fail(err, TST_USAGE, "%s accepts level %s, the cluster file promises %s", path,
                 tst_level_name(tst_policy_level(policy)), tst_level_name(realm->level));
        return tst_hint(err, tst_level_name(realm->level), tst_level_name(tst_policy_level(policy)),
                        "make the policy's level and the partition's the same");
    }
    return tst_policy_json(policy, out, err);
}

int refs_policy(const struct local *l, const char *cluster_file, const struct plan_realm *realm,
                const struct daemon_ids *ids, json_t **out, struct tst_error **err)
{
    TST_AUTO_STR path = NULL, text = NULL;
    size_t n;
    int rc;

    *out = NULL;
    if (!realm->policy)
        return 0;
    if (!(path = policy_path(cluster_file, realm->policy)))
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if ((rc = write_refs(l, ids, err)) || (rc = os_read_file(path, POLICY_MAX_BYTES, &text, &n, err)))
        return tst_wrap(err, "policy");
    if ((rc = parse_policy(l, path, text, n, realm, out, err)))
        return rc;
    return write_below(l, "sealed.yaml", text, n, err);
}
