/* SPDX-License-Identifier: Apache-2.0 */
/* broker/db.c - SQLite: schema, migrations by user_version, statements. A commit is on disk when it returns. */
#include "broker/db.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

/* One entry a schema version; never edited once released, only added to. */
static const char *const migrations[] = {
    "CREATE TABLE log(idx INTEGER PRIMARY KEY, time TEXT NOT NULL, actor TEXT NOT NULL, verb TEXT NOT NULL,"
    " subject TEXT NOT NULL, verdict_digest TEXT NOT NULL, reason TEXT NOT NULL, prev BLOB NOT NULL,"
    " hash BLOB NOT NULL) STRICT;"
    "CREATE TABLE head(id INTEGER PRIMARY KEY CHECK (id = 1), idx INTEGER NOT NULL, hash BLOB NOT NULL,"
    " signature BLOB NOT NULL) STRICT;"
    "CREATE TABLE verdict(idx INTEGER PRIMARY KEY REFERENCES log(idx), json TEXT NOT NULL) STRICT;"
    "CREATE TABLE realm(name TEXT PRIMARY KEY, level TEXT NOT NULL, policy TEXT, epoch INTEGER NOT NULL,"
    " secret_iv BLOB NOT NULL, secret BLOB NOT NULL, secret_tag BLOB NOT NULL) STRICT;"
    "CREATE TABLE realm_file(realm TEXT NOT NULL REFERENCES realm(name), name TEXT NOT NULL, content TEXT NOT NULL,"
    " PRIMARY KEY (realm, name)) STRICT;"
    "CREATE TABLE instance(name TEXT PRIMARY KEY, realm TEXT NOT NULL REFERENCES realm(name), role TEXT NOT NULL,"
    " address TEXT NOT NULL, planned INTEGER NOT NULL DEFAULT 1, expected INTEGER NOT NULL DEFAULT 0,"
    " token_hash BLOB, token_until INTEGER,"
    " identity TEXT, launch_digest TEXT, chip_id TEXT, report_id TEXT, sig_key TEXT, level TEXT, simulated INTEGER,"
    " reference TEXT, acpi INTEGER, last_good INTEGER, lease_until INTEGER, log_index INTEGER,"
    " revoked INTEGER NOT NULL DEFAULT 0, refusal TEXT, refused_at INTEGER) STRICT;",
};

void db_close(sqlite3 *db)
{
    sqlite3_close_v2(db);
}

void db_finalize(sqlite3_stmt *s)
{
    sqlite3_finalize(s);
}

static int sql_fail(sqlite3 *db, struct tst_error **err, const char *what)
{
    return tst_fail(err, TST_INTERNAL, "database: %s: %s", what, sqlite3_errmsg(db));
}

static int exec(sqlite3 *db, const char *sql, struct tst_error **err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sql_fail(db, err, sql);
    return 0;
}

static int schema_version(sqlite3 *db, int *out, struct tst_error **err)
{
    AUTO_STMT s = NULL;
    int r = db_prepare(db, &s, err, "PRAGMA user_version", "");
    if (r)
        return r;
    r = db_step(db, s, err);
    if (r < 0)
        return r;
    *out = sqlite3_column_int(s, 0);
    return 0;
}

static int migrate(sqlite3 *db, struct tst_error **err)
{
    const int newest = (int)TST_COUNT(migrations);
    int have = 0, r = schema_version(db, &have, err);
    if (r)
        return r;
    if (have > newest)
        return tst_fail(err, TST_INTERNAL, "database: schema version %d is newer than this program's %d", have, newest);
    for (int v = have; v < newest; v++) {
        char pragma[64];
        snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", v + 1);
        if ((r = db_begin(db, err)))
            return r;
        if ((r = exec(db, migrations[v], err)) || (r = exec(db, pragma, err)) || (r = db_commit(db, err))) {
            db_rollback(db);
            return r;
        }
    }
    return 0;
}

static int open_as(const char *path, int flags, sqlite3 **out, struct tst_error **err)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
        int r = tst_fail(err, TST_INTERNAL, "database %s: %s", path, db ? sqlite3_errmsg(db) : "out of memory");
        sqlite3_close_v2(db);
        return r;
    }
    sqlite3_busy_timeout(db, 5000);
    sqlite3_extended_result_codes(db, 1);
    *out = db;
    return 0;
}

int db_open(const char *path, sqlite3 **out, struct tst_error **err)
{
    AUTO_DB db = NULL;
    mode_t old = umask(0077);
    int r = open_as(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db, err);
    if (!r)
        r = exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                     "PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;", err);
    umask(old);
    if (r || (r = migrate(db, err)))
        return r;
    *out = TST_STEAL(db);
    return 0;
}

int db_open_readonly(const char *path, sqlite3 **out, struct tst_error **err)
{
    return open_as(path, SQLITE_OPEN_READONLY, out, err);
}

static int bind_all(sqlite3_stmt *s, const char *binds, va_list ap)
{
    int rc = SQLITE_OK;
    for (int i = 0; binds[i] && rc == SQLITE_OK; i++) {
        if (binds[i] == 'i') {
            rc = sqlite3_bind_int64(s, i + 1, va_arg(ap, int64_t));
        } else if (binds[i] == 't') {
            rc = sqlite3_bind_text(s, i + 1, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
        } else {
            const void *p = va_arg(ap, const void *);
            rc = sqlite3_bind_blob64(s, i + 1, p, va_arg(ap, size_t), SQLITE_TRANSIENT);
        }
    }
    return rc;
}

static int vprepare(sqlite3 *db, sqlite3_stmt **out, struct tst_error **err, const char *sql, const char *binds,
                    va_list ap)
{
    AUTO_STMT s = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        return sql_fail(db, err, sql);
    if (bind_all(s, binds, ap) != SQLITE_OK)
        return sql_fail(db, err, sql);
    *out = TST_STEAL(s);
    return 0;
}

int db_prepare(sqlite3 *db, sqlite3_stmt **out, struct tst_error **err, const char *sql, const char *binds, ...)
{
    va_list ap;
    va_start(ap, binds);
    int r = vprepare(db, out, err, sql, binds, ap);
    va_end(ap);
    return r;
}

int db_step(sqlite3 *db, sqlite3_stmt *s, struct tst_error **err)
{
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : sql_fail(db, err, sqlite3_sql(s));
}

int db_run(sqlite3 *db, struct tst_error **err, const char *sql, const char *binds, ...)
{
    AUTO_STMT s = NULL;
    va_list ap;
    va_start(ap, binds);
    int r = vprepare(db, &s, err, sql, binds, ap);
    va_end(ap);
    if (r)
        return r;
    do
        r = db_step(db, s, err);
    while (r > 0);
    return r;
}

const char *db_text(sqlite3_stmt *s, int column)
{
    const char *t = (const char *)sqlite3_column_text(s, column);
    return t ? t : "";
}

struct tst_bytes db_blob(sqlite3_stmt *s, int column)
{
    const void *p = sqlite3_column_blob(s, column);
    return (struct tst_bytes){ p, p ? (size_t)sqlite3_column_bytes(s, column) : 0 };
}

int db_begin(sqlite3 *db, struct tst_error **err)
{
    return exec(db, "BEGIN IMMEDIATE", err);
}

int db_commit(sqlite3 *db, struct tst_error **err)
{
    return exec(db, "COMMIT", err);
}

void db_rollback(sqlite3 *db)
{
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}
