/* SPDX-License-Identifier: Apache-2.0 */
/* unit/broker/test_vault.c - realm keys at rest: in no file in clear, and of no use once anything around them changed. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/broker/expect.h"

enum { CANARY_BYTES = 24 }; /* a multiple of 3: its base64 has no padding */

/* One spelling of a part of a key. */
struct needle {
    uint8_t bytes[2 * CANARY_BYTES];
    size_t n;
};

static bool contains(const struct tst_buf *b, const struct needle *s)
{
    return b->n && memmem(b->p, b->n, s->bytes, s->n) != NULL;
}

static void read_whole(const char *path, struct tst_buf *out)
{
    uint8_t chunk[65536];
    struct tst_error *err = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    assert_true(fd >= 0);
    while ((n = read(fd, chunk, sizeof chunk)) > 0)
        assert_done(tst_buf_put(out, chunk, (size_t)n, &err), err);
    assert_int_equal(n, 0);
    close(fd);
}

/* Names of the files of the state folder that contain the needle, and how many files there are. */
static int files_with(const char *state, const struct needle *s, int *files)
{
    int hits = 0;
    DIR *d = opendir(state);
    assert_non_null(d);
    *files = 0;
    for (struct dirent *e; (e = readdir(d));) {
        TST_AUTO_BUF b = { .max = 64 * 1024 * 1024 };
        if (e->d_name[0] == '.')
            continue;
        TST_AUTO_STR path = tst_strdup_printf("%s/%s", state, e->d_name);
        read_whole(path, &b);
        hits += contains(&b, s);
        ++*files;
    }
    closedir(d);
    return hits;
}

static struct needle raw_needle(const uint8_t *p)
{
    struct needle s = { .n = CANARY_BYTES };
    memcpy(s.bytes, p, CANARY_BYTES);
    return s;
}

static struct needle hex_needle(const uint8_t *p)
{
    struct needle s = { .n = 2 * CANARY_BYTES };
    char text[2 * CANARY_BYTES + 1];
    tst_hex(p, CANARY_BYTES, text);
    memcpy(s.bytes, text, s.n);
    return s;
}

/* url: base64url; else the alphabet of RFC 4648 §4. */
static struct needle base64_needle(const uint8_t *p, bool url)
{
    struct needle s = { .n = CANARY_BYTES / 3 * 4 };
    TST_AUTO_STR text = tst_b64url(p, CANARY_BYTES);
    for (size_t i = 0; i < s.n; i++)
        s.bytes[i] = (uint8_t)(url ? text[i] : text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    return s;
}

/* Three phases of base64 times three offsets cover every way in which a longer text could hold the key. */
static size_t needles_of(const struct tst_secret *key, struct needle out[8])
{
    size_t n = 0;
    out[n++] = raw_needle(tst_secret_view(key));
    out[n++] = hex_needle(tst_secret_view(key));
    for (size_t phase = 0; phase < 3; phase++) {
        out[n++] = base64_needle(tst_secret_view(key) + phase, true);
        out[n++] = base64_needle(tst_secret_view(key) + phase, false);
    }
    return n;
}

static void join_one_of_each_realm(struct harness *h, struct tst_secret *keys[2])
{
    AUTO_NODE s1 = { 0 };
    AUTO_NODE p1 = { 0 };
    node_launch(&s1, "s1", h->cloud.root, h->cloud.chip);
    node_launch(&p1, "p1", NULL, NULL);
    harness_arm(h, "p1", p1.token);
    expect_joined(h, &s1, &keys[0]);
    expect_joined(h, &p1, &keys[1]);
}

/* Also while the broker runs: the write-ahead log is one of the files. A planted canary shows that the search finds. */
static void realm_keys_are_in_no_file_of_the_state_folder(void **state)
{
    struct harness *h = *state;
    struct tst_secret *keys[2] = { NULL, NULL };
    struct needle needles[8];
    int files = 0;
    join_one_of_each_realm(h, keys);
    TST_AUTO_STR planted = tst_strdup_printf("%s/planted", h->state);
    for (size_t k = 0; k < 2; k++) {
        size_t n = needles_of(keys[k], needles);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(files_with(h->state, &needles[i], &files), 0);
            int fd = open(planted, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
            assert_int_equal(write(fd, needles[i].bytes, needles[i].n), needles[i].n);
            close(fd);
            assert_int_equal(files_with(h->state, &needles[i], &files), 1);
            unlink(planted);
        }
        tst_secret_free(keys[k]);
    }
    assert_in_range(files, 9, 16); /* seven of identity.c, the database, its write-ahead log, ... */
}

static void every_file_of_the_state_folder_is_private(void **state)
{
    struct harness *h = *state;
    DIR *d = opendir(h->state);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        assert_int_equal(fstatat(dirfd(d), e->d_name, &st, 0), 0);
        if (strcmp(e->d_name, "..") != 0 && (st.st_mode & 077) != 0)
            fail_msg("%s has mode %o", e->d_name, st.st_mode & 0777u);
    }
    closedir(d);
}

static void wrap_key_is_not_in_the_database(void **state)
{
    struct harness *h = *state;
    struct needle s = raw_needle(tst_secret_view(h->broker.id.wrap_key));
    int files;
    assert_int_equal(files_with(h->state, &s, &files), 1); /* wrap.key itself */
}

/* ---- tampering ---- */

static void expect_no_key(struct harness *h)
{
    AUTO_NODE s1 = { 0 };
    struct attempt a;
    struct tst_error *err = NULL;
    TST_AUTO_JSON answer = NULL;
    node_launch(&s1, "s1", h->cloud.root, h->cloud.chip);
    attempt_begin(h, &s1, "join", &a);
    int64_t rows = query_number(h->broker.db, "SELECT count(*) FROM log WHERE verb = 'admit'");
    assert_int_not_equal(attempt_send(h, &a, &answer, &err), 0);
    assert_null(answer);
    assert_non_null(strstr(err->text, "realm sealed: key"));
    assert_int_equal(query_number(h->broker.db, "SELECT count(*) FROM log WHERE verb = 'admit'"), rows);
    expect_log_verifies(h);
    tst_error_free(err);
}

static const struct tampering {
    const char *name, *sql;
} tamperings[] = {
    { "wrapped key of another realm is refused",
      "UPDATE realm SET (secret_iv, secret, secret_tag) = (SELECT secret_iv, secret, secret_tag FROM realm WHERE name = 'plain')"
      " WHERE name = 'sealed'" },
    { "changed wrapped key is refused", "UPDATE realm SET secret = zeroblob(1024) WHERE name = 'sealed'" },
    { "changed nonce of the wrapping is refused", "UPDATE realm SET secret_iv = zeroblob(12) WHERE name = 'sealed'" },
    { "changed tag is refused", "UPDATE realm SET secret_tag = zeroblob(16) WHERE name = 'sealed'" },
    { "changed epoch is refused", "UPDATE realm SET epoch = 2 WHERE name = 'sealed'" },
};

struct tampered {
    const struct tampering *what;
    struct harness *h;
};

static int tampering_setup(void **state)
{
    struct tampered *t = malloc(sizeof *t);
    t->what = *state;
    harness_setup((void **)&t->h);
    *state = t;
    return 0;
}

static int tampering_teardown(void **state)
{
    struct tampered *t = *state;
    harness_teardown((void **)&t->h);
    free(t);
    return 0;
}

static void gives_no_key(void **state)
{
    struct tampered *t = *state;
    if (sqlite3_exec(t->h->broker.db, t->what->sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(t->h->broker.db));
    assert_int_equal(sqlite3_changes(t->h->broker.db), 1);
    expect_no_key(t->h);
}

static void another_wrap_key_gives_no_key(void **state)
{
    struct harness *h = *state;
    struct tst_error *err = NULL;
    uint8_t other[32] = { 1 };
    TST_AUTO_STR path = tst_strdup_printf("%s/wrap.key", h->state);
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, other, sizeof other), sizeof other);
    close(fd);
    assert_done(harness_reopen(h, &err), err);
    expect_no_key(h);
}

static void short_wrap_key_keeps_the_broker_from_starting(void **state)
{
    struct harness *h = *state;
    struct tst_error *err = NULL;
    TST_AUTO_STR path = tst_strdup_printf("%s/wrap.key", h->state);
    assert_int_equal(truncate(path, 16), 0);
    assert_refused(harness_reopen(h, &err), TST_INTERNAL, err, "wrap.key");
}

int main(void)
{
    const struct CMUnitTest fixed[] = {
#define STORED(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)
        STORED(realm_keys_are_in_no_file_of_the_state_folder), STORED(every_file_of_the_state_folder_is_private),
        STORED(wrap_key_is_not_in_the_database), STORED(another_wrap_key_gives_no_key),
        STORED(short_wrap_key_keeps_the_broker_from_starting),
    };
    struct CMUnitTest tests[TST_COUNT(fixed) + TST_COUNT(tamperings)];
    memcpy(tests, fixed, sizeof fixed);
    for (size_t i = 0; i < TST_COUNT(tamperings); i++)
        tests[TST_COUNT(fixed) + i] = (struct CMUnitTest){ tamperings[i].name, gives_no_key, tampering_setup, tampering_teardown,
                                                           (void *)(uintptr_t)&tamperings[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
