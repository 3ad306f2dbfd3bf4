/* SPDX-License-Identifier: Apache-2.0 */
/* broker/registry.c - what the broker knows of each instance. A node's state is computed from stored times at the moment
 * of asking; no "passed" is ever stored. */
#include <stdlib.h>

#include "broker/broker.h"

void instance_clear(struct instance *i)
{
    free(i->identity);
    free(i->sig_key);
    free(i->policy);
    memset(i, 0, sizeof *i);
}

static char *text_or_null(sqlite3_stmt *s, int column)
{
    const char *t = (const char *)sqlite3_column_text(s, column);
    return t ? strdup(t) : NULL;
}

static int unexpected(const char *name, struct tst_error **err)
{
    tst_fail(err, TST_DENIED, "instance %s: not in the accepted plan", name);
    tst_reason(err, "unexpected");
    return tst_hint(err, "an instance that the owner's plan names and the operator has armed", name, "`testudo plan` lists the plan");
}

int instance_load(struct broker *b, const char *name, struct instance *out, struct tst_error **err)
{
    AUTO_STMT s = NULL;
    memset(out, 0, sizeof *out);
    int r = db_prepare(b->db, &s, err,
                       "SELECT i.realm, i.role, i.address, i.expected, i.revoked, i.token_hash, i.token_until, i.identity,"
                       " i.sig_key, r.level, r.policy, i.lease_until FROM instance i JOIN realm r ON r.name = i.realm"
                       " WHERE i.name = ? AND i.planned", "t", name);
    if (r || (r = db_step(b->db, s, err)) < 0)
        return r;
    if (r == 0)
        return unexpected(name, err);
    snprintf(out->name, sizeof out->name, "%s", name);
    snprintf(out->realm, sizeof out->realm, "%s", db_text(s, 0));
    snprintf(out->role, sizeof out->role, "%s", db_text(s, 1));
    snprintf(out->address, sizeof out->address, "%s", db_text(s, 2));
    out->expected = sqlite3_column_int(s, 3) != 0;
    out->revoked = sqlite3_column_int(s, 4) != 0;
    struct tst_bytes hash = db_blob(s, 5);
    out->has_token = hash.n == sizeof out->token_hash;
    if (out->has_token)
        memcpy(out->token_hash, hash.p, hash.n);
    out->token_until = sqlite3_column_int64(s, 6);
    out->identity = text_or_null(s, 7);
    out->sig_key = text_or_null(s, 8);
    snprintf(out->realm_level, sizeof out->realm_level, "%s", db_text(s, 9));
    out->policy = text_or_null(s, 10);
    out->lease_until = sqlite3_column_int64(s, 11);
    return 0;
}

static const char *state_name(sqlite3_stmt *s, time_t now)
{
    if (sqlite3_column_int(s, 4))
        return "revoked";
    if (sqlite3_column_int64(s, 5) > now)
        return "admitted";
    if (sqlite3_column_type(s, 5) != SQLITE_NULL)
        return "expired";
    return sqlite3_column_int(s, 3) ? "expected" : "planned";
}

static json_t *time_or_null(sqlite3_stmt *s, int column)
{
    char text[TST_TIME_BYTES];
    if (sqlite3_column_type(s, column) == SQLITE_NULL)
        return json_null();
    tst_time_print((time_t)sqlite3_column_int64(s, column), text);
    return json_string(text);
}

static json_t *text_json(sqlite3_stmt *s, int column)
{
    const char *t = (const char *)sqlite3_column_text(s, column);
    return t ? json_string(t) : json_null();
}

static json_t *acpi_json(sqlite3_stmt *s, int column)
{
    if (sqlite3_column_type(s, column) == SQLITE_NULL || sqlite3_column_int(s, column) < 0)
        return json_null();
    return json_string(sqlite3_column_int(s, column) ? "confined" : "trusts host");
}

static json_t *node_json(sqlite3_stmt *s, time_t now)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "instance", db_text(s, 0),
                     "realm", db_text(s, 1), "role", db_text(s, 2), "address", db_text(s, 14), "state",
                     state_name(s, now), "level", text_json(s, 6), "simulated",
                     sqlite3_column_type(s, 7) == SQLITE_NULL ? json_null() : json_boolean(sqlite3_column_int(s, 7)),
                     "digest", text_json(s, 8), "chip-id", text_json(s, 9), "report-id", text_json(s, 10), "reference",
                     text_json(s, 11), "acpi", acpi_json(s, 12), "last-evidence", time_or_null(s, 13), "lease-until",
                     time_or_null(s, 5), "log-index",
                     sqlite3_column_type(s, 15) == SQLITE_NULL ? json_null() : json_integer(sqlite3_column_int64(s, 15)),
                     "reason", text_json(s, 16), "refused-at", time_or_null(s, 17));
}

int registry_nodes_json(struct broker *b, time_t now, json_t **out, struct tst_error **err)
{
    AUTO_STMT s = NULL;
    TST_AUTO_JSON nodes = json_array();
    int r = db_prepare(b->db, &s, err,
                       "SELECT name, realm, role, expected, revoked, lease_until, level, simulated, launch_digest, chip_id,"
                       " report_id, reference, acpi, last_good, address, log_index, refusal, refused_at"
                       " FROM instance WHERE planned ORDER BY realm DESC, role, length(name), name", "");
    if (r)
        return r;
    while ((r = db_step(b->db, s, err)) > 0)
        if (json_array_append_new(nodes, node_json(s, now)))
            return tst_fail(err, TST_INTERNAL, "node list: out of memory");
    if (r)
        return r;
    *out = json_pack("{s:O}", "nodes", nodes);
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}
