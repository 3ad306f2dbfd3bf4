/* SPDX-License-Identifier: Apache-2.0 */
/* broker/verbs.c - what owner and operator may say. The owner's plan is the frame: it names realms, policies, members and
 * their configuration; the operator arms instances inside it. Nothing that the operator says lowers a bar; a
 * realm whose level or policy name would change is refused and needs a new name. */
#include <inttypes.h>
#include <stdlib.h>

#include <testudo/token.h>

#include "broker/broker.h"

enum { REALMS_MAX = 16, MEMBERS_MAX = 1024, FILES_MAX = 16 };

static int commit_or_rollback(struct broker *b, int r, struct tst_error **err)
{
    if (!r)
        r = db_commit(b->db, err);
    if (r)
        db_rollback(b->db);
    return r;
}

static int check_name(const char *what, const char *name, struct tst_error **err)
{
    if (tst_is_name(name))
        return 0;
    tst_fail(err, TST_USAGE, "%s '%.64s': not a name", what, name);
    return tst_hint(err, "1 to 63 of a-z, 0-9, '-', first a letter", NULL, NULL);
}

/* ---- plan ---- */

/* What the plan says of a realm's policy; name and text are "" for a realm that proves nothing. */
struct realm_policy {
    char name[64];
    char *text; /* canonical JSON; NULL for none */
};

static int canonical_policy(const char *realm, const char *level, json_t *policy, struct realm_policy *out, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    TST_AUTO_POLICY parsed = NULL;
    enum tst_level want;
    size_t n;
    if (!tst_level_of(level, &want))
        return tst_fail(err, TST_USAGE, "realm %s: level '%.32s' is not one of none, asserted, firmware, measured", realm, level);
    if (want <= TST_LEVEL_ASSERTED)
        return json_is_null(policy) ? 0 : tst_fail(err, TST_USAGE, "realm %s: level %s takes no policy", realm, level);
    int r = tst_jcs(policy, &text, &n, err);
    if (r || (r = tst_policy_parse(realm, text, n, NULL, NULL, &parsed, err)))
        return tst_wrap(err, "realm %s: policy", realm);
    if (tst_policy_level(parsed) < want)
        return tst_fail(err, TST_USAGE, "realm %s: its policy accepts level %s, below the realm's %s", realm,
                        tst_level_name(tst_policy_level(parsed)), level);
    snprintf(out->name, sizeof out->name, "%s", tst_policy_name(parsed));
    out->text = TST_STEAL(text);
    return 0;
}

/* A realm is one (level, policy name) for good. The owner may give that policy new content, such as reference values for
 * the next image: each member is held to it at its next renewal. */
static int update_realm(struct broker *b, const char *realm, sqlite3_stmt *s, const char *level, const struct realm_policy *policy,
                        struct tst_error **err)
{
    TST_AUTO_POLICY before = NULL;
    const char *text = db_text(s, 1), *name = "";
    int r = text[0] ? tst_policy_parse(realm, text, strlen(text), NULL, NULL, &before, err) : 0;
    if (r)
        return r;
    name = before ? tst_policy_name(before) : "";
    if (strcmp(db_text(s, 0), level) == 0 && strcmp(name, policy->name) == 0)
        return db_run(b->db, err, "UPDATE realm SET policy = ? WHERE name = ?", "tt", policy->text, realm);
    tst_fail(err, TST_DENIED, "realm %s: exists with level %s, policy '%s'", realm, db_text(s, 0), name);
    tst_reason(err, "realm-changed");
    return tst_hint(err, "the level and policy name that its members were admitted under", NULL,
                    "give the realm with another level or policy another name, or start from `testudo down --purge`");
}

static int put_realm(struct broker *b, const char *name, const char *level, json_t *policy, struct tst_error **err)
{
    AUTO_STMT s = NULL;
    struct realm_policy p = { .text = NULL };
    int r = check_name("realm", name, err);
    if (!r)
        r = canonical_policy(name, level, policy, &p, err);
    if (!r)
        r = db_prepare(b->db, &s, err, "SELECT level, policy FROM realm WHERE name = ?", "t", name);
    if (!r && (r = db_step(b->db, s, err)) >= 0)
        r = r > 0 ? update_realm(b, name, s, level, &p, err) : vault_new_realm_key(b, name, level, p.text, err);
    tst_free(p.text);
    return r;
}

static int put_files(struct broker *b, const char *realm, json_t *files, struct tst_error **err)
{
    const char *name;
    json_t *content;
    int r = db_run(b->db, err, "DELETE FROM realm_file WHERE realm = ?", "t", realm);
    if (!json_is_object(files) || json_object_size(files) > FILES_MAX)
        return tst_fail(err, TST_USAGE, "realm %s: files: want an object of at most %d texts", realm, FILES_MAX);
    json_object_foreach(files, name, content) {
        if (r)
            return r;
        if (!json_is_string(content) || strchr(name, '/') || name[0] == '.' || strlen(name) > 63)
            return tst_fail(err, TST_USAGE, "realm %s: file '%.64s': want a plain file name and a text", realm, name);
        r = db_run(b->db, err, "INSERT INTO realm_file(realm, name, content) VALUES (?,?,?)", "ttt", realm, name,
                   json_string_value(content));
    }
    return r;
}

static int put_member(struct broker *b, const char *realm, json_t *member, struct tst_error **err)
{
    AUTO_STMT s = NULL;
    const char *name, *role, *address;
    int r = tst_json_unpack(member, err, "{s:s,s:s,s:s}", "instance", &name, "role", &role, "address", &address);
    if (r || (r = check_name("instance", name, err)))
        return tst_wrap(err, "realm %s: member", realm);
    if ((strcmp(role, "controller") != 0 && strcmp(role, "node") != 0) || strlen(address) >= 64)
        return tst_fail(err, TST_USAGE, "instance %s: role must be controller or node", name);
    if ((r = db_prepare(b->db, &s, err, "SELECT realm FROM instance WHERE name = ?", "t", name)) || (r = db_step(b->db, s, err)) < 0)
        return r;
    if (r > 0 && strcmp(db_text(s, 0), realm) != 0)
        return tst_fail(err, TST_DENIED, "instance %s: belongs to realm %s; no host is in two realms", name, db_text(s, 0));
    return db_run(b->db, err,
                  "INSERT INTO instance(name, realm, role, address) VALUES (?,?,?,?)"
                  " ON CONFLICT(name) DO UPDATE SET role = excluded.role, address = excluded.address, planned = 1",
                  "tttt", name, realm, role, address);
}

static int put_realm_plan(struct broker *b, json_t *realm, struct tst_error **err)
{
    const char *name, *level;
    json_t *policy, *members, *files, *member;
    size_t i;
    int r = tst_json_unpack(realm, err, "{s:s,s:s,s:o,s:o,s:o}", "name", &name, "level", &level, "policy", &policy,
                            "members", &members, "files", &files);
    if (r || (r = put_realm(b, name, level, policy, err)) || (r = put_files(b, name, files, err)))
        return r;
    if (!json_is_array(members) || json_array_size(members) > MEMBERS_MAX)
        return tst_fail(err, TST_USAGE, "realm %s: members: want an array of at most %d", name, MEMBERS_MAX);
    json_array_foreach(members, i, member)
        if ((r = put_member(b, name, member, err)))
            return r;
    return 0;
}

static int plan_digest(json_t *plan, char hex[2 * TST_SHA256_BYTES + 1], struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    uint8_t digest[TST_SHA256_BYTES];
    size_t n;
    int r = tst_jcs(plan, &text, &n, err);
    if (r || (r = tst_sha256(text, n, digest, err)))
        return r;
    tst_hex(digest, sizeof digest, hex);
    return 0;
}

int verb_plan(struct broker *b, const char *actor, json_t *plan, time_t now, json_t **answer, struct tst_error **err)
{
    const char *cluster;
    json_t *realms, *realm;
    char digest[2 * TST_SHA256_BYTES + 1];
    struct log_head head;
    size_t i;
    int r = tst_json_unpack(plan, err, "{s:s,s:o}", "cluster", &cluster, "realms", &realms);
    if (r || (r = check_name("cluster", cluster, err)) || (r = plan_digest(plan, digest, err)))
        return tst_wrap(err, "plan");
    if (!json_is_array(realms) || json_array_size(realms) == 0 || json_array_size(realms) > REALMS_MAX)
        return tst_fail(err, TST_USAGE, "plan: realms: want an array of 1 to %d", REALMS_MAX);
    if ((r = db_begin(b->db, err)))
        return r;
    r = db_run(b->db, err, "UPDATE instance SET planned = 0", ""); /* whom the new plan does not name is out */
    json_array_foreach(realms, i, realm)
        if (!r)
            r = put_realm_plan(b, realm, err);
    struct log_entry e = { .actor = actor, .verb = "plan", .subject = cluster, .verdict_digest = digest, .reason = "" };
    if (!r)
        r = broker_log(b, now, &e, &head, err);
    if ((r = commit_or_rollback(b, r, err)))
        return tst_wrap(err, "plan");
    *answer = json_pack("{s:s}", "plan-digest", digest);
    return *answer ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

/* ---- expect, re-arm, revoke ---- */

/* A fresh token for a realm that is joined by token; "" else. Its SHA-256 alone is kept. */
static int arm_token(struct broker *b, const struct instance *i, time_t now, char token_text[64], struct tst_error **err)
{
    uint8_t token[TOKEN_BYTES], hash[TST_SHA256_BYTES];
    enum tst_level level;
    token_text[0] = '\0';
    if (!tst_level_of(i->realm_level, &level) || level > TST_LEVEL_ASSERTED)
        return 0;
    int r = tst_random(token, sizeof token, err);
    if (r || (r = tst_sha256(token, sizeof token, hash, err)))
        return r;
    TST_AUTO_STR text = tst_b64url(token, sizeof token);
    tst_wipe(token, sizeof token);
    if (!text)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    snprintf(token_text, 64, "%s", text);
    tst_wipe(text, strlen(text));
    return db_run(b->db, err, "UPDATE instance SET token_hash = ?, token_until = ? WHERE name = ?", "bit", hash, sizeof hash,
                  (int64_t)now + b->limits.token_s, i->name);
}

static int named_instance(struct broker *b, json_t *body, struct instance *i, struct tst_error **err)
{
    const char *name;
    int r = tst_json_unpack(body, err, "{s:s}", "instance", &name);
    if (r || (r = check_name("instance", name, err)))
        return r;
    return instance_load(b, name, i, err);
}

static int log_verb(struct broker *b, const char *actor, const char *verb, const char *subject, const char *reason, time_t now,
                    struct tst_error **err)
{
    struct log_head head;
    struct log_entry e = { .actor = actor, .verb = verb, .subject = subject, .verdict_digest = "", .reason = reason };
    return broker_log(b, now, &e, &head, err);
}

static int token_answer(char token_text[64], json_t **answer, struct tst_error **err)
{
    *answer = token_text[0] ? json_pack("{s:s}", "token", token_text) : json_object();
    tst_wipe(token_text, 64);
    return *answer ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

int verb_expect(struct broker *b, const char *actor, json_t *body, time_t now, json_t **answer, struct tst_error **err)
{
    AUTO_INSTANCE i = { 0 };
    char token_text[64];
    int r = named_instance(b, body, &i, err);
    if (r)
        return tst_wrap(err, "expect");
    if (i.identity || i.revoked) {
        tst_fail(err, TST_DENIED, "expect %s: the name is taken by a node that joined before", i.name);
        tst_reason(err, "taken");
        return tst_hint(err, NULL, NULL, "re-arm it for a new launch");
    }
    if ((r = db_begin(b->db, err)))
        return r;
    r = db_run(b->db, err, "UPDATE instance SET expected = 1, refusal = NULL, refused_at = NULL WHERE name = ?", "t", i.name);
    if (!r)
        r = arm_token(b, &i, now, token_text, err);
    if (!r)
        r = log_verb(b, actor, "expect", i.name, "", now, err);
    r = commit_or_rollback(b, r, err);
    return r ? r : token_answer(token_text, answer, err);
}

/* Forgets the pinned identity, so that exactly one new launch may take the name. The old one's lease ends here. */
int verb_rearm(struct broker *b, const char *actor, json_t *body, time_t now, json_t **answer, struct tst_error **err)
{
    AUTO_INSTANCE i = { 0 };
    char token_text[64];
    int r = named_instance(b, body, &i, err);
    if (r)
        return tst_wrap(err, "rearm");
    if (i.revoked) {
        tst_fail(err, TST_DENIED, "rearm %s: was revoked by the owner", i.name);
        tst_reason(err, "revoked");
        return tst_hint(err, NULL, NULL, "the owner puts a plan with another instance name");
    }
    if ((r = db_begin(b->db, err)))
        return r;
    r = db_run(b->db, err,
               "UPDATE instance SET expected = 1, identity = NULL, sig_key = NULL, launch_digest = NULL, chip_id = NULL,"
               " report_id = NULL, level = NULL, simulated = NULL, reference = NULL, acpi = NULL, last_good = NULL,"
               " lease_until = NULL, log_index = NULL, token_hash = NULL, token_until = NULL, refusal = NULL,"
               " refused_at = NULL WHERE name = ?", "t", i.name);
    if (!r)
        r = arm_token(b, &i, now, token_text, err);
    if (!r)
        r = log_verb(b, actor, "rearm", i.name, "", now, err);
    r = commit_or_rollback(b, r, err);
    return r ? r : token_answer(token_text, answer, err);
}

int verb_revoke(struct broker *b, const char *actor, json_t *body, time_t now, json_t **answer, struct tst_error **err)
{
    AUTO_INSTANCE i = { 0 };
    const char *name, *reason;
    int r = tst_json_unpack(body, err, "{s:s,s:s}", "instance", &name, "reason", &reason);
    if (r || (r = check_name("instance", name, err)) || (r = instance_load(b, name, &i, err)))
        return tst_wrap(err, "revoke");
    if (strlen(reason) > 200)
        return tst_fail(err, TST_TOO_LARGE, "revoke %s: reason longer than 200 bytes", name);
    if ((r = db_begin(b->db, err)))
        return r;
    r = db_run(b->db, err, "UPDATE instance SET revoked = 1, expected = 0, lease_until = 0 WHERE name = ?", "t", name);
    if (!r)
        r = log_verb(b, actor, "revoke", name, reason, now, err);
    if ((r = commit_or_rollback(b, r, err)))
        return r;
    *answer = json_object();
    return 0;
}
