/* SPDX-License-Identifier: Apache-2.0 */
/* unit/broker/test_relay.c - what a node does when something else than its broker is at the broker's address: it hands out
 * no evidence. And when the broker's log went back: it takes nothing. */
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>

#include "tests/unit/base/unit.h"
#include "tests/unit/broker/daemon.h"

struct scene {
    struct cloud cloud;
    struct daemon d;
};

static int scene_setup(void **state)
{
    struct scene *s = malloc(sizeof *s);
    cloud_open(&s->cloud);
    daemon_with_plan(&s->d, &s->cloud);
    *state = s;
    return 0;
}

static int scene_teardown(void **state)
{
    struct scene *s = *state;
    daemon_free(&s->d);
    cloud_close(&s->cloud);
    free(s);
    return 0;
}

static void expect_not_joined(struct guest *g, const char *reason)
{
    struct tst_error *err = NULL;
    struct bundle b;
    assert_int_equal(joiner_join(&g->joiner, &b, &err), -TST_REFUTED);
    if (!err->reason || strcmp(err->reason, reason) != 0)
        fail_msg("\"%s\" (%s), not \"%s\"", err->reason ? err->reason : "", err->text, reason);
    assert_null(b.key);
    assert_null(b.document);
    tst_error_free(err);
}

static void honest_broker_admits(void **state)
{
    struct scene *s = *state;
    AUTO_GUEST g = { 0 };
    struct bundle b;
    struct tst_error *err = NULL;
    unsigned lease_s;
    char until[32];
    guest_start(&g, &s->d, "s1", s->cloud.root, s->cloud.chip);
    assert_done(joiner_join(&g.joiner, &b, &err), err);
    assert_int_equal(g.asked, 1);
    assert_int_equal(tst_secret_size(b.key), REALM_KEY_BYTES);
    assert_int_equal(b.lease_s, 600);
    assert_string_equal(b.realm, "sealed");
    assert_true(b.simulated);
    assert_done(joiner_renew(&g.joiner, &lease_s, until, &err), err);
    assert_int_equal(g.asked, 2);
    bundle_clear(&b);
}

/* A whole other testudod, with the same plan and a valid certificate for the address. */
static void relay_with_another_ca_gets_no_evidence(void **state)
{
    struct scene *s = *state;
    AUTO_GUEST g = { 0 };
    struct daemon relay;
    daemon_with_plan(&relay, &s->cloud);
    guest_start(&g, &s->d, "s1", s->cloud.root, s->cloud.chip);
    memcpy(g.joiner.broker.address, relay.address, sizeof relay.address);
    for (int i = 0; i < 3; i++)
        expect_not_joined(&g, "broker-certificate");
    assert_int_equal(g.asked, 0);
    assert_true(daemon_alive(&relay));
    daemon_free(&relay);
}

/* The right CA, but a certificate for another address. */
static void broker_at_another_address_gets_no_evidence(void **state)
{
    struct scene *s = *state;
    AUTO_GUEST g = { 0 };
    guest_start(&g, &s->d, "s1", s->cloud.root, s->cloud.chip);
    snprintf(g.joiner.broker.address, sizeof g.joiner.broker.address, "localhost:%s", strchr(s->d.address, ':') + 1);
    expect_not_joined(&g, "broker-certificate");
    assert_int_equal(g.asked, 0);
}

/* ---- a broker that dies ---- */

static void accept_and_close(const struct daemon *d)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_port = htons((uint16_t)strtoul(strchr(d->address, ':') + 1, NULL, 10));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 8))
        _exit(1);
    for (;;)
        close(accept(fd, NULL, NULL));
}

/* Not to be taken for another broker: an admitted node would give up its lease. */
static void broker_that_ends_in_the_handshake_is_unreachable(void **state)
{
    struct scene *s = *state;
    AUTO_GUEST g = { 0 };
    struct bundle b;
    daemon_stop(&s->d);
    pid_t pid = fork();
    if (pid == 0)
        accept_and_close(&s->d);
    guest_start(&g, &s->d, "s1", s->cloud.root, s->cloud.chip);
    for (int i = 0; i < 20; i++) {
        TST_AUTO_ERROR err = NULL;
        assert_int_equal(joiner_join(&g.joiner, &b, &err), -TST_UNREACHABLE);
        usleep(10000);
    }
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* ---- the right chain, another id in the challenge ---- */

static struct bufferevent *tls_bufferevent(struct event_base *base, void *tls)
{
    return bufferevent_openssl_socket_new(base, -1, tst_tls_session(tls), BUFFEREVENT_SSL_ACCEPTING,
                                          BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
}

static void answer_with_another_id(struct evhttp_request *request, void *arg)
{
    (void)arg;
    evbuffer_add_printf(evhttp_request_get_output_buffer(request),
                        "{\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"expires-s\":60,\"broker-id\":\"%064d\"}", 7);
    evhttp_send_reply(request, 200, NULL, NULL);
}

/* Serves with the daemon's own certificate at its address until it is killed. */
static void serve_another_id(const struct daemon *d)
{
    struct broker_identity id;
    struct ssl_ctx_st *tls = NULL;
    struct event_base *base = event_base_new();
    struct evhttp *http = evhttp_new(base);
    if (identity_load(d->state, &id, NULL) || tst_tls_server(id.leaf, id.leaf_key, id.ca, &tls, NULL))
        _exit(1);
    evhttp_set_bevcb(http, tls_bufferevent, tls);
    evhttp_set_gencb(http, answer_with_another_id, NULL);
    if (evhttp_bind_socket(http, "127.0.0.1", (ev_uint16_t)strtoul(strchr(d->address, ':') + 1, NULL, 10)) == 0)
        event_base_dispatch(base);
    _exit(1);
}

static void wait_for_door(const struct daemon *d)
{
    for (int i = 0; i < 500; i++) {
        struct wire *w = wire_open(d, WIRE_TLS);
        wire_close(w);
        if (w)
            return;
        usleep(20000);
    }
    fail_msg("nobody answers at %s", d->address);
}

static void broker_with_another_id_gets_no_evidence(void **state)
{
    struct scene *s = *state;
    AUTO_GUEST g = { 0 };
    daemon_stop(&s->d);
    pid_t pid = fork();
    if (pid == 0)
        serve_another_id(&s->d);
    wait_for_door(&s->d);
    guest_start(&g, &s->d, "s1", s->cloud.root, s->cloud.chip);
    expect_not_joined(&g, "wrong-broker");
    assert_int_equal(g.asked, 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* ---- a restored copy ---- */

/* Opening and closing writes what is in the write-ahead log into the file itself. */
static void fold_database(const struct daemon *d)
{
    AUTO_DB db = NULL;
    struct tst_error *err = NULL;
    TST_AUTO_STR path = tst_strdup_printf("%s/broker.db", d->state);
    assert_done(db_open(path, &db, &err), err);
}

static void copy_database(const struct daemon *d, const char *from, const char *to)
{
    fold_database(d);
    TST_AUTO_STR command = tst_strdup_printf("cp %s/%s %s/%s", d->state, from, d->state, to);
    assert_int_equal(system(command), 0);
}

static void restored_copy_of_the_broker_is_refused(void **state)
{
    struct scene *s = *state;
    AUTO_GUEST g = { 0 };
    struct bundle b;
    struct tst_error *err = NULL;
    daemon_stop(&s->d);
    copy_database(&s->d, "broker.db", "copy");
    daemon_start(&s->d, NULL);
    guest_start(&g, &s->d, "s1", s->cloud.root, s->cloud.chip);
    for (int i = 0; i < 3; i++) {
        assert_done(joiner_join(&g.joiner, &b, &err), err);
        bundle_clear(&b);
    }
    int64_t seen = g.joiner.log_index;
    daemon_stop(&s->d);
    copy_database(&s->d, "copy", "broker.db");
    daemon_start(&s->d, NULL);
    expect_not_joined(&g, "log-rollback");
    assert_int_equal(g.joiner.log_index, seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define SCENE(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
        SCENE(honest_broker_admits), SCENE(relay_with_another_ca_gets_no_evidence),
        SCENE(broker_at_another_address_gets_no_evidence),
        SCENE(broker_that_ends_in_the_handshake_is_unreachable), SCENE(broker_with_another_id_gets_no_evidence),
        SCENE(restored_copy_of_the_broker_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
