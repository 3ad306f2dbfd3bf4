/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/broker/harness.c - see harness.h. */
#include "tests/unit/broker/harness.h"

#include "tests/unit/sim/tree.h"

enum { FLOOR_MICROCODE = 86 };

const uint8_t good_digest[TST_SNP_DIGEST_BYTES] = { 0x7e, 0x57, 0x0d, 0x16 };

void must(int rc, const struct tst_error *err, const char *what)
{
    if (rc)
        fixture_die(what, err);
}

/* ---- cloud ---- */

static struct amd_root *other_simulator(void)
{
    TST_AUTO_STR dir = fixture_dir("genoa-other");
    TST_AUTO_ERROR err = NULL;
    struct amd_root *root = NULL;
    must(amd_root_open(dir, TST_SNP_GENOA, FIXTURE_FROM, &root, &err), err, dir);
    return root;
}

void cloud_open(struct cloud *c)
{
    TST_AUTO_ERROR err = NULL;
    c->root = fixture_root();
    c->other_root = other_simulator();
    struct tst_snp_tcb old = c->root->product->tcb;
    old.microcode = FLOOR_MICROCODE - 1;
    c->chip = fixture_chip(c->root, NULL);
    c->other_chip = fixture_chip(c->root, NULL);
    c->foreign_chip = fixture_chip(c->other_root, NULL);
    must(amd_chip_at_tcb(c->root, c->chip, &old, FIXTURE_FROM, &c->old_chip, &err), err, "chip at another TCB");
}

void cloud_close(struct cloud *c)
{
    amd_chip_free(c->chip);
    amd_chip_free(c->other_chip);
    amd_chip_free(c->old_chip);
    amd_chip_free(c->foreign_chip);
    amd_root_free(c->root);
    amd_root_free(c->other_root);
}

/* ---- plan ---- */

static json_t *policy_of(const char *name, const char *simulator)
{
    char digest[2 * TST_SNP_DIGEST_BYTES + 1];
    tst_hex(good_digest, sizeof good_digest, digest);
    json_t *p = json_pack("{s:s, s:s, s:[s], s:[{s:s, s:s}], s:{s:{s:i, s:i, s:i, s:i}}, s:{s:s, s:s}, s:i, s:[], s:{s:s}}",
                          "name", name, "level", "measured", "products", "genoa", "measurements", "name", "node", "digest",
                          digest, "tcb", "genoa", "bootloader", 10, "tee", 0, "snp", 27, "microcode", FLOOR_MICROCODE,
                          "guest-policy", "debug", "deny", "migration-agent", "deny", "vmpl", 0, "chips", "crl", "mode", "off");
    if (simulator)
        json_object_set_new(p, "simulated", json_pack("{s:[s]}", "allow", simulator));
    return p;
}

static void add_member(json_t *members, const char *name)
{
    json_array_append_new(members, json_pack("{s:s, s:s, s:s}", "instance", name, "role", "node", "address", "10.77.0.9"));
}

static json_t *realm_of(const char *name, const char *level, json_t *policy, json_t *members)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:{s:s}}", "name", name, "level", level, "policy", policy, "members", members,
                     "files", "slurm.conf", "ClusterName=test\n");
}

json_t *plan_of(const struct cloud *c, int extra)
{
    char ark[2 * TST_SHA256_BYTES + 1], name[16];
    uint8_t spki[TST_SHA256_BYTES];
    TST_AUTO_ERROR err = NULL;
    must(tst_key_spki_sha256(c->root->ark_key, spki, &err), err, "ARK");
    tst_hex(spki, sizeof spki, ark);
    json_t *sealed = json_array(), *amd = json_array(), *plain = json_array();
    add_member(sealed, "s1");
    add_member(sealed, "s2");
    add_member(sealed, "s3");
    for (int i = 1; i <= extra; i++) {
        snprintf(name, sizeof name, "i%03d", i);
        add_member(sealed, name);
    }
    add_member(amd, "a1");
    add_member(plain, "p1");
    add_member(plain, "p2");
    json_t *plan = json_pack("{s:s, s:[o, o, o]}", "cluster", "test", "realms",
                             realm_of("sealed", "measured", policy_of("sealed", ark), sealed),
                             realm_of("amd", "measured", policy_of("amd", NULL), amd),
                             realm_of("plain", "none", json_null(), plain));
    must(plan ? 0 : -TST_INTERNAL, NULL, "plan");
    return plan;
}

/* ---- broker ---- */

static const struct broker_limits limits = { .nonce_s = 60, .lease_s = 600, .token_s = 600 };

int harness_reopen(struct harness *h, struct tst_error **err)
{
    broker_close(&h->broker);
    return broker_open(h->state, &limits, &h->broker, err);
}

void harness_open(struct harness *h)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON answer = NULL;
    memset(h, 0, sizeof *h);
    h->now = FIXTURE_NOW;
    cloud_open(&h->cloud);
    h->state = tree_new();
    must(identity_make(h->state, "127.0.0.1:8443", &err), err, "identity_make");
    must(broker_open(h->state, &limits, &h->broker, &err), err, "broker_open");
    TST_AUTO_JSON plan = plan_of(&h->cloud, 0);
    must(verb_plan(&h->broker, "owner:uid=0", plan, h->now, &answer, &err), err, "plan");
}

void harness_close(struct harness *h)
{
    broker_close(&h->broker);
    tree_free(h->state);
    cloud_close(&h->cloud);
}

/* ---- verbs ---- */

typedef int arm_verb(struct broker *b, const char *actor, json_t *body, time_t now, json_t **answer, struct tst_error **err);

static void arm(struct harness *h, arm_verb *verb, const char *instance, char *token)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON body = json_pack("{s:s}", "instance", instance);
    must(verb(&h->broker, "operator:uid=0", body, h->now, &answer, &err), err, instance);
    const char *text = json_string_value(json_object_get(answer, "token"));
    if (token)
        snprintf(token, 64, "%s", text ? text : "");
}

void harness_arm(struct harness *h, const char *instance, char *token)
{
    arm(h, verb_expect, instance, token);
}

void harness_rearm(struct harness *h, const char *instance, char *token)
{
    arm(h, verb_rearm, instance, token);
}

void harness_revoke(struct harness *h, const char *instance)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON body = json_pack("{s:s, s:s}", "instance", instance, "reason", "lost");
    must(verb_revoke(&h->broker, "owner:uid=0", body, h->now, &answer, &err), err, instance);
}

json_t *harness_node(struct harness *h, const char *instance, time_t at)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON all = NULL;
    size_t i;
    json_t *node;
    must(registry_nodes_json(&h->broker, at, &all, &err), err, "nodes");
    json_array_foreach(json_object_get(all, "nodes"), i, node)
        if (strcmp(json_string_value(json_object_get(node, "instance")), instance) == 0)
            return json_incref(node);
    fixture_die("no such instance in the node list", NULL);
    return NULL;
}

int64_t query_number(sqlite3 *db, const char *sql)
{
    AUTO_STMT s = NULL;
    TST_AUTO_ERROR err = NULL;
    must(db_prepare(db, &s, &err, sql, ""), err, sql);
    int r = db_step(db, s, &err);
    must(r < 0 ? r : 0, err, sql);
    return r ? sqlite3_column_int64(s, 0) : 0;
}
