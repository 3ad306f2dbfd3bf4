/* SPDX-License-Identifier: Apache-2.0 */
/* unit/broker/test_roles.c - who may say what to a running testudod. Needs root, to call as other users. */
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/base/unit.h"
#include "tests/unit/broker/daemon.h"

enum { OWNER_UID = 61001, OPERATOR_UID = 61002, OTHER_UID = 61003 };

struct scene {
    struct cloud cloud;
    struct daemon d;
};

static int scene_setup(void **state)
{
    static const char *const roles[] = { "--owner", "61001", "--operator", "61002", NULL };
    struct scene *s = malloc(sizeof *s);
    cloud_open(&s->cloud);
    daemon_make(&s->d);
    daemon_start(&s->d, roles);
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

/* What the user is told: "" when it was done, else the reason word ("general" without one). */
struct told {
    char reason[32];
};

static struct told told_by(int r, const struct tst_error *err)
{
    struct told t = { "" };
    if (r)
        snprintf(t.reason, sizeof t.reason, "%s", err->reason ? err->reason : "general");
    return t;
}

/* Says it as that user, from a process of its own. */
static struct told say_as(const struct daemon *d, uid_t uid, const char *method, const char *path, json_t *body)
{
    int fds[2];
    struct told t = { "no answer" };
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        TST_AUTO_ERROR err = NULL;
        TST_AUTO_JSON answer = NULL;
        if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
            _exit(1);
        int r = daemon_call(d, method, path, body, &answer, &err);
        t = told_by(r, err);
        _exit(write(fds[1], &t, sizeof t) == sizeof t ? 0 : 1);
    }
    close(fds[1]);
    int status = 0;
    waitpid(pid, &status, 0);
    assert_int_equal(read(fds[0], &t, sizeof t), sizeof t);
    close(fds[0]);
    return t;
}

/* The verbs in an order in which each is possible for who may say it. */
static const struct verb {
    const char *method, *path, *body;
    uid_t who;
} verbs[] = {
    { "PUT", "/v1/plan", NULL, OWNER_UID },
    { "POST", "/v1/expect", "{\"instance\":\"s1\"}", OPERATOR_UID },
    { "POST", "/v1/rearm", "{\"instance\":\"s1\"}", OPERATOR_UID },
    { "POST", "/v1/revoke", "{\"instance\":\"s1\",\"reason\":\"lost\"}", OWNER_UID },
};

static json_t *verb_body(const struct verb *v, const struct cloud *c)
{
    return v->body ? json_loads(v->body, 0, NULL) : plan_of(c, 0);
}

static int64_t log_index(const struct daemon *d)
{
    TST_AUTO_JSON info = NULL;
    struct tst_error *err = NULL;
    assert_done(daemon_call(d, "GET", "/v1/info", NULL, &info, &err), err);
    return json_integer_value(json_object_get(json_object_get(info, "log"), "index"));
}

/* Root too: it is neither owner nor operator here. */
static void each_verb_is_said_by_its_own_role_only(void **state)
{
    struct scene *s = *state;
    static const uid_t users[] = { 0, OWNER_UID, OPERATOR_UID, OTHER_UID };
    for (size_t i = 0; i < TST_COUNT(verbs); i++) {
        TST_AUTO_JSON body = verb_body(&verbs[i], &s->cloud);
        int64_t before = log_index(&s->d);
        for (size_t u = 0; u < TST_COUNT(users); u++)
            if (users[u] != verbs[i].who)
                assert_string_equal(say_as(&s->d, users[u], verbs[i].method, verbs[i].path, body).reason, "role");
        assert_int_equal(log_index(&s->d), before);
        assert_string_equal(say_as(&s->d, verbs[i].who, verbs[i].method, verbs[i].path, body).reason, "");
        assert_int_equal(log_index(&s->d), before + 1);
    }
}

static void log_names_who_said_it(void **state)
{
    struct scene *s = *state;
    TST_AUTO_JSON plan = plan_of(&s->cloud, 0);
    TST_AUTO_JSON body = json_pack("{s:s}", "instance", "s1");
    TST_AUTO_JSON log = NULL;
    struct tst_error *err = NULL;
    assert_string_equal(say_as(&s->d, OWNER_UID, "PUT", "/v1/plan", plan).reason, "");
    assert_string_equal(say_as(&s->d, OPERATOR_UID, "POST", "/v1/expect", body).reason, "");
    assert_done(daemon_call(&s->d, "GET", "/v1/log", NULL, &log, &err), err);
    json_t *rows = json_object_get(log, "rows");
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "actor")), "owner:uid=61001");
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 1), "actor")), "operator:uid=61002");
}

static void anybody_here_may_read(void **state)
{
    struct scene *s = *state;
    static const char *const paths[] = { "/v1/nodes", "/v1/log", "/v1/log?from=1", "/v1/info", "/healthz" };
    for (size_t i = 0; i < TST_COUNT(paths); i++)
        assert_string_equal(say_as(&s->d, OTHER_UID, "GET", paths[i], NULL).reason, "");
}

static void nodes_verbs_are_not_on_the_local_socket(void **state)
{
    struct scene *s = *state;
    static const char *const paths[] = { "/v1/challenge", "/v1/join", "/v1/lease" };
    TST_AUTO_JSON body = json_pack("{s:s, s:s}", "instance", "s1", "purpose", "join");
    for (size_t i = 0; i < TST_COUNT(paths); i++) {
        TST_AUTO_ERROR err = NULL;
        TST_AUTO_JSON answer = NULL;
        assert_int_equal(daemon_call(&s->d, "POST", paths[i], body, &answer, &err), -TST_NOT_FOUND);
    }
}

static void owners_and_operators_verbs_are_not_on_the_network(void **state)
{
    struct scene *s = *state;
    static const char *const paths[] = { "/v1/plan", "/v1/expect", "/v1/rearm", "/v1/revoke", "/v1/nodes", "/v1/log", "/v1/info",
                                         "/metrics" };
    for (size_t i = 0; i < TST_COUNT(paths); i++)
        for (int put = 0; put < 2; put++) {
            bool closed;
            struct wire *w = wire_open(&s->d, WIRE_TLS);
            assert_non_null(w);
            TST_AUTO_STR request = tst_strdup_printf("%s %s HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}", put ? "PUT" : "POST", paths[i]);
            assert_true(wire_send(w, request, strlen(request)));
            TST_AUTO_STR answer = wire_read(w, 5000, &closed);
            if (strncmp(answer, "HTTP/1.1 404", 12) != 0)
                fail_msg("%s: %s", paths[i], answer);
            wire_close(w);
        }
}

int main(void)
{
    if (geteuid() != 0) {
        fprintf(stderr, "test_roles: needs root to call as other users\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
#define SCENE(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
        SCENE(each_verb_is_said_by_its_own_role_only), SCENE(log_names_who_said_it), SCENE(anybody_here_may_read),
        SCENE(nodes_verbs_are_not_on_the_local_socket), SCENE(owners_and_operators_verbs_are_not_on_the_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
