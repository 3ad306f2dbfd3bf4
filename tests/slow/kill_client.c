/* SPDX-License-Identifier: Apache-2.0 */
/* slow/kill_client.c - for kill.bats: honest clients of a broker that is killed again and again, and the comparison of
 * what they got with what its log says. One line of a client's record: INSTANCE INDEX HEAD SHA-256-OF-KEY kept|lost. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/broker/daemon.h"

enum { INSTANCES = 120, PER_CLIENT_MAX = 64, LOSES_ONE_IN = 3, KEY_HEX = 2 * TST_SHA256_BYTES + 1 };

static const char usage[] = "usage: kill_client arm SOCKET\n"
                            "       kill_client join STATE ADDRESS SEED STOP-FILE RECORD FIRST LAST\n"
                            "       kill_client check log|answers|secrets|everybody|key STATE RECORD...\n";

static void instance_name(int i, char out[8])
{
    snprintf(out, 8, "i%03d", i);
}

/* ---- arm: the plan, and every instance in it ---- */

static int arm(const char *socket)
{
    struct cloud c;
    struct daemon d = { 0 };
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON answer = NULL;
    cloud_open(&c);
    TST_AUTO_JSON plan = plan_of(&c, INSTANCES);
    snprintf(d.socket, sizeof d.socket, "%s", socket);
    must(daemon_call(&d, "PUT", "/v1/plan", plan, &answer, &err), err, "plan");
    for (int i = 1; i <= INSTANCES; i++) {
        char name[8];
        instance_name(i, name);
        daemon_arm(&d, name);
    }
    cloud_close(&c);
    return 0;
}

/* ---- join: some instances, each until it is in, and on until the stop file is there ---- */

struct member {
    struct guest guest;
    char name[8];
    bool in;         /* holds a bundle */
    bool loses_next; /* will not look at its first answer */
};

struct client {
    struct member members[PER_CLIENT_MAX];
    int count, in;
    int record; /* append only: a line is there before the next request */
    const char *stop_file;
};

static void write_record(struct client *c, const struct member *m, const struct bundle *b)
{
    uint8_t digest[TST_SHA256_BYTES];
    char hex[KEY_HEX];
    TST_AUTO_ERROR err = NULL;
    must(tst_sha256(tst_secret_view(b->key), tst_secret_size(b->key), digest, &err), err, "SHA-256");
    tst_hex(digest, sizeof digest, hex);
    if (dprintf(c->record, "%s %lld %s %s %s\n", m->name, (long long)m->guest.joiner.log_index, m->guest.joiner.log_head, hex,
                m->loses_next ? "lost" : "kept") < 0)
        fixture_die("record", NULL);
}

/* A broker that was killed in between: it does not answer, or does not know the nonce any more. */
static bool is_due_to_a_kill(const struct tst_error *e)
{
    return e->code == TST_UNREACHABLE || (e->reason && strcmp(e->reason, "nonce-unknown") == 0);
}

static void try_join(struct client *c, struct member *m)
{
    struct bundle b;
    TST_AUTO_ERROR err = NULL;
    if (joiner_join(&m->guest.joiner, &b, &err)) {
        if (!is_due_to_a_kill(err))
            fixture_die("an honest client was refused", err);
        return;
    }
    write_record(c, m, &b);
    bundle_clear(&b);
    c->in += !m->in && !m->loses_next;
    m->in = m->in || !m->loses_next;
    m->loses_next = false;
}

static void client_open(struct client *c, struct daemon *d, const struct cloud *cloud, int first, int last)
{
    for (int i = first; i <= last && c->count < PER_CLIENT_MAX; i++) {
        struct member *m = &c->members[c->count++];
        instance_name(i, m->name);
        guest_start(&m->guest, d, m->name, cloud->root, cloud->chip);
        m->loses_next = i % LOSES_ONE_IN == 0;
    }
}

/* argv: STATE ADDRESS SEED STOP-FILE RECORD FIRST LAST */
static int join(char **argv)
{
    static struct client c;
    struct cloud cloud;
    struct daemon d = { 0 };
    cloud_open(&cloud);
    snprintf(d.state, sizeof d.state, "%s", argv[0]);
    snprintf(d.address, sizeof d.address, "%s", argv[1]);
    daemon_read_ca(&d);
    srandom((unsigned)strtoul(argv[2], NULL, 10));
    c.stop_file = argv[3];
    c.record = open(argv[4], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must(c.record < 0, NULL, argv[4]);
    client_open(&c, &d, &cloud, atoi(argv[5]), atoi(argv[6]));
    while (c.in < c.count || access(c.stop_file, F_OK) != 0) {
        try_join(&c, &c.members[random() % c.count]);
        usleep((useconds_t)(random() % 20000));
    }
    for (int i = 0; i < c.count; i++)
        guest_clear(&c.members[i].guest);
    cloud_close(&cloud);
    return 0;
}

/* ---- check: the records against the log ---- */

struct line {
    char instance[8], head[KEY_HEX], key[KEY_HEX], fate[8];
    long long index;
};

struct tally {
    sqlite3 *db;
    int lines, wrong, kept, lost, members;
    char key[KEY_HEX]; /* of the first line */
    bool in[INSTANCES + 1];
};

/* True if there is a row `admit` about the instance, where index and hash are the answer's (NULL: any). */
static bool has_admit_row(sqlite3 *db, const struct line *l, bool that_one)
{
    AUTO_STMT s = NULL;
    TST_AUTO_ERROR err = NULL;
    must(db_prepare(db, &s, &err, "SELECT 1 FROM log WHERE verb = 'admit' AND subject = ?1 AND (?2 = 0 OR (idx = ?2 AND lower(hex(hash)) = ?3))",
                    "tit", l->instance, (int64_t)(that_one ? l->index : 0), l->head), err, "log");
    int r = db_step(db, s, &err);
    must(r < 0 ? r : 0, err, "log");
    return r == 1;
}

static bool answer_has_its_row(struct tally *t, const struct line *l)
{
    return has_admit_row(t->db, l, true);
}

static bool secret_has_an_admission(struct tally *t, const struct line *l)
{
    return has_admit_row(t->db, l, false);
}

static bool key_is_the_one(struct tally *t, const struct line *l)
{
    return strcmp(t->key, l->key) == 0;
}

static bool any_line(struct tally *t, const struct line *l)
{
    (void)t, (void)l;
    return true;
}

static void count_line(struct tally *t, const struct line *l)
{
    int i = atoi(l->instance + 1);
    if (t->lines++ == 0)
        memcpy(t->key, l->key, sizeof t->key);
    bool kept = strcmp(l->fate, "kept") == 0;
    t->kept += kept;
    t->lost += !kept;
    if (kept && i >= 1 && i <= INSTANCES && !t->in[i]) {
        t->in[i] = true;
        t->members++;
    }
}

static void read_record(const char *path, struct tally *t, bool (*holds)(struct tally *, const struct line *))
{
    struct line l;
    FILE *f = fopen(path, "re");
    must(f ? 0 : -1, NULL, path);
    int n;
    while ((n = fscanf(f, "%7s %lld %64s %64s %7s", l.instance, &l.index, l.head, l.key, l.fate)) == 5) {
        count_line(t, &l);
        if (holds(t, &l))
            continue;
        t->wrong++;
        printf("wrong: %s %lld %s\n", l.instance, l.index, l.head);
    }
    must(n == EOF && !ferror(f) ? 0 : -1, NULL, "a record's line is not whole");
    fclose(f);
}

static int check_log(const char *state, sqlite3 *db)
{
    struct log_head head;
    TST_AUTO_KEY key = NULL;
    TST_AUTO_ERROR err = NULL;
    must(identity_load_log_key(state, &key, &err), err, "log.pub");
    must(log_verify(db, key, NULL, &head, &err), err, "log");
    printf("%lld rows\n", (long long)head.index);
    return head.index > INSTANCES ? 0 : 1;
}

/* argv: WHAT STATE RECORD... */
static int check(int argc, char **argv)
{
    static const struct {
        const char *what;
        bool (*holds)(struct tally *t, const struct line *l);
    } checks[] = { { "answers", answer_has_its_row }, { "secrets", secret_has_an_admission }, { "key", key_is_the_one }, { "everybody", any_line } };
    static struct tally t;
    TST_AUTO_ERROR err = NULL;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/broker.db", argv[1]);
    AUTO_DB db = NULL;
    must(db_open_readonly(path, &db, &err), err, path);
    t.db = db;
    if (strcmp(argv[0], "log") == 0)
        return check_log(argv[1], db);
    for (size_t c = 0; c < TST_COUNT(checks); c++)
        for (int i = 2; i < argc && strcmp(argv[0], checks[c].what) == 0; i++)
            read_record(argv[i], &t, checks[c].holds);
    printf("%d answers, %d kept, %d lost, %d of %d instances in, %d wrong\n", t.lines, t.kept, t.lost, t.members, INSTANCES, t.wrong);
    return t.wrong == 0 && t.members == INSTANCES ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "arm") == 0)
        return arm(argv[2]);
    if (argc == 9 && strcmp(argv[1], "join") == 0)
        return join(argv + 2);
    if (argc >= 4 && strcmp(argv[1], "check") == 0)
        return check(argc - 2, argv + 2);
    fputs(usage, stderr);
    return 2;
}
