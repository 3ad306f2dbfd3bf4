/* SPDX-License-Identifier: Apache-2.0 */
/* broker/main.c - testudod: `init` makes keys and certificates, `serve` runs the broker. Exit status: docs/protocol.md. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/http.h"
#include "platform/process.h"

static const char usage[] =
    "usage: testudod init  --state DIR --listen IPV4:PORT\n"
    "       testudod serve --state DIR [--listen IPV4:PORT] [--socket PATH] [--owner UID]... [--operator UID]...\n"
    "                      [--nonce-s N] [--lease-s N] [--token-s N]\n"
    "  init   makes CA, keys and certificates below DIR once and prints {\"broker-id\"}\n"
    "  serve  runs the broker; --owner and --operator default to the calling user\n";

struct options {
    const char *state, *listen, *socket;
    struct broker_roles roles;
    struct broker_limits limits;
};

static int report(struct tst_error *err)
{
    fprintf(stderr, "testudod: %s\n", err->text);
    if (err->fix)
        fprintf(stderr, "  to do: %s\n", err->fix);
    int status = tst_exit_status(err->code);
    tst_error_free(err);
    return status;
}

static int number(const char *text, unsigned long max, unsigned long *out, struct tst_error **err)
{
    char *end = NULL;
    *out = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || *out > max)
        return tst_fail(err, TST_USAGE, "'%s': want a number of at most %lu", text, max);
    return 0;
}

static int add_uid(const char *text, uid_t *list, size_t *count, struct tst_error **err)
{
    unsigned long uid;
    int r = number(text, UINT_MAX - 1, &uid, err);
    if (r)
        return r;
    if (*count == PRINCIPALS_MAX)
        return tst_fail(err, TST_USAGE, "more than %d principals of one role", PRINCIPALS_MAX);
    list[(*count)++] = (uid_t)uid;
    return 0;
}

static int set_seconds(const char *text, unsigned *out, struct tst_error **err)
{
    unsigned long n;
    int r = number(text, 86400, &n, err);
    if (!r && n == 0)
        r = tst_fail(err, TST_USAGE, "'%s': want at least one second", text);
    if (!r)
        *out = (unsigned)n;
    return r;
}

static int set_option(int c, struct options *o, struct tst_error **err)
{
    switch (c) {
    case 's': o->state = optarg; return 0;
    case 'l': o->listen = optarg; return 0;
    case 'k': o->socket = optarg; return 0;
    case 'O': return add_uid(optarg, o->roles.owners, &o->roles.owner_count, err);
    case 'P': return add_uid(optarg, o->roles.operators, &o->roles.operator_count, err);
    case 'n': return set_seconds(optarg, &o->limits.nonce_s, err);
    case 'e': return set_seconds(optarg, &o->limits.lease_s, err);
    case 't': return set_seconds(optarg, &o->limits.token_s, err);
    default: return tst_fail(err, TST_USAGE, "unknown option");
    }
}

static int parse(int argc, char **argv, struct options *o, struct tst_error **err)
{
    static const struct option table[] = {
        { "state", 1, NULL, 's' },    { "listen", 1, NULL, 'l' },  { "socket", 1, NULL, 'k' },  { "owner", 1, NULL, 'O' },
        { "operator", 1, NULL, 'P' }, { "nonce-s", 1, NULL, 'n' }, { "lease-s", 1, NULL, 'e' }, { "token-s", 1, NULL, 't' }, { 0 },
    };
    int c, r;
    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1)
        if ((r = set_option(c, o, err)))
            return r;
    if (optind != argc || !o->state)
        return tst_fail(err, TST_USAGE, "%s", optind != argc ? "unexpected operand" : "--state DIR is missing");
    if (!o->roles.owner_count)
        o->roles.owners[o->roles.owner_count++] = geteuid();
    if (!o->roles.operator_count)
        o->roles.operators[o->roles.operator_count++] = geteuid();
    return 0;
}

static int run_init(const struct options *o, struct tst_error **err)
{
    struct broker_identity id = { 0 };
    if (!o->listen)
        return tst_fail(err, TST_USAGE, "--listen IPV4:PORT is missing");
    int r = identity_make(o->state, o->listen, err);
    if (!r)
        r = identity_load(o->state, &id, err);
    if (!r)
        printf("{\"broker-id\":\"%s\"}\n", id.broker_id);
    identity_clear(&id);
    return r;
}

static int check_listen(const struct options *o, const struct broker *b, struct tst_error **err)
{
    if (!o->listen || strcmp(o->listen, b->id.address) == 0)
        return 0;
    tst_fail(err, TST_USAGE, "--listen: the certificate is for another address");
    return tst_hint(err, b->id.address, o->listen, "leave --listen away, or use another --state folder");
}

static int run_serve(const struct options *o, struct tst_error **err)
{
    struct broker b;
    char socket_path[PATH_MAX];
    snprintf(socket_path, sizeof socket_path, "%s/broker.sock", o->state);
    int r = broker_open(o->state, &o->limits, &b, err);
    if (!r)
        r = check_listen(o, &b, err);
    if (!r) {
        fprintf(stderr, "testudod %s: broker-id %s, nodes at %s\n", TESTUDO_VERSION, b.id.broker_id, b.id.address);
        r = http_serve(&b, &o->roles, o->socket ? o->socket : socket_path, err);
    }
    broker_close(&b);
    return r;
}

int main(int argc, char **argv)
{
    struct options o = { .limits = { .nonce_s = 60, .lease_s = 600, .token_s = 600 } };
    struct tst_error *err = NULL;
    process_harden();
    bool init = argc > 1 && strcmp(argv[1], "init") == 0, serve = argc > 1 && strcmp(argv[1], "serve") == 0;
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    if (!init && !serve) {
        fputs(usage, stderr);
        return tst_exit_status(TST_USAGE);
    }
    int r = parse(argc - 1, argv + 1, &o, &err);
    if (!r)
        r = init ? run_init(&o, &err) : run_serve(&o, &err);
    return r ? report(err) : 0;
}
