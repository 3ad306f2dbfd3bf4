/* SPDX-License-Identifier: Apache-2.0 */
/* broker/db.h - SQLite opened the one way the broker needs it, and statements with typed binds. */
#ifndef TESTUDO_BROKER_DB_H
#define TESTUDO_BROKER_DB_H

#include <sqlite3.h>

#include <testudo/base.h>

/* Opens (creating it, mode 0600) with WAL, synchronous=FULL, foreign keys; brings the schema up by user_version. */
int db_open(const char *path, sqlite3 **out, struct tst_error **err);
/* Opens for reading only; no migration. */
int db_open_readonly(const char *path, sqlite3 **out, struct tst_error **err);
void db_close(sqlite3 *db);
TST_CLEANUP_FN(sqlite3 *, db_close)
#define AUTO_DB TST_CLEANUP(db_close) sqlite3 *

void db_finalize(sqlite3_stmt *s);
TST_CLEANUP_FN(sqlite3_stmt *, db_finalize)
#define AUTO_STMT TST_CLEANUP(db_finalize) sqlite3_stmt *

/* Prepares and binds: one letter a parameter, 'i' int64_t, 't' const char * or NULL, 'b' (const void *, size_t). Bound
 * memory is copied. */
int db_prepare(sqlite3 *db, sqlite3_stmt **out, struct tst_error **err, const char *sql, const char *binds, ...);
/* 1 a row is there, 0 done, negative error. */
int db_step(sqlite3 *db, sqlite3_stmt *s, struct tst_error **err);
/* Prepare, bind, run to the end. */
int db_run(sqlite3 *db, struct tst_error **err, const char *sql, const char *binds, ...);
/* Borrowed column values, valid until the next step; "" and {NULL,0} for NULL. */
const char *db_text(sqlite3_stmt *s, int column);
struct tst_bytes db_blob(sqlite3_stmt *s, int column);

int db_begin(sqlite3 *db, struct tst_error **err);
int db_commit(sqlite3 *db, struct tst_error **err);
void db_rollback(sqlite3 *db); /* harmless outside a transaction */

#endif
