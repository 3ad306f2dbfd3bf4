/* SPDX-License-Identifier: Apache-2.0 */
/* unit/broker/test_http.c - what a running testudod does with bytes that no honest node sends: it refuses them and lives,
 * and an honest node joins meanwhile. */
#include "tests/unit/base/unit.h"
#include "tests/unit/broker/daemon.h"

enum { BODY_MAX = 64 * 1024, PLAN_MAX = 1024 * 1024 };

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

/* daemon_free fails if the broker did not live until here. */
static int scene_teardown(void **state)
{
    struct scene *s = *state;
    daemon_free(&s->d);
    cloud_close(&s->cloud);
    free(s);
    return 0;
}

static void expect_honest_join(struct scene *s)
{
    AUTO_GUEST g = { 0 };
    struct bundle b;
    struct tst_error *err = NULL;
    guest_start(&g, &s->d, "s1", s->cloud.root, s->cloud.chip);
    assert_done(joiner_join(&g.joiner, &b, &err), err);
    bundle_clear(&b);
}

/* The answer to these bytes on a connection of their own. *closed may be NULL. */
static char *exchange(struct scene *s, enum wire_kind kind, const void *p, size_t n, bool *closed)
{
    bool ignored;
    struct wire *w = wire_open(&s->d, kind);
    assert_non_null(w);
    wire_send(w, p, n);
    char *answer = wire_read(w, 1000, closed ? closed : &ignored);
    wire_close(w);
    return answer;
}

/* Headers, and a body of n bytes. */
static char *post(struct scene *s, enum wire_kind kind, const char *line, const char *body, size_t n)
{
    TST_AUTO_BUF b = { .max = 4 * 1024 * 1024 };
    assert_int_equal(tst_buf_printf(&b, NULL, "%s HTTP/1.1\r\nHost: b\r\nContent-Length: %zu\r\n\r\n", line, n), 0);
    assert_int_equal(tst_buf_put(&b, body, n, NULL), 0);
    return exchange(s, kind, b.p, b.n, NULL);
}

static void expect_status(const char *answer, int status)
{
    char want[32];
    snprintf(want, sizeof want, "HTTP/1.1 %d ", status);
    if (strncmp(answer, want, strlen(want)) != 0)
        fail_msg("\"%.200s\" is not an answer with status %d", answer, status);
}

/* problem+json with this status. */
static void expect_problem(const char *answer, int status)
{
    char member[32];
    expect_status(answer, status);
    snprintf(member, sizeof member, "\"status\":%d", status);
    assert_non_null(strstr(answer, "Content-Type: application/problem+json\r\n"));
    assert_non_null(strstr(answer, "\"type\":\"urn:testudo:problem:"));
    assert_non_null(strstr(answer, member));
}

/* ---- sizes ---- */

static char *spaces(size_t n)
{
    char *text = malloc(n + 1);
    memset(text, ' ', n);
    text[n] = '\0';
    return text;
}

/* Too large by one byte: 413, or the connection ends without an answer. */
static void too_large_body_is_refused(void **state)
{
    struct scene *s = *state;
    static const struct {
        enum wire_kind kind;
        const char *line;
        size_t max;
    } doors[] = { { WIRE_TLS, "POST /v1/join", BODY_MAX }, { WIRE_LOCAL, "PUT /v1/plan", PLAN_MAX } };
    for (size_t i = 0; i < TST_COUNT(doors); i++) {
        TST_AUTO_STR body = spaces(doors[i].max + 1);
        TST_AUTO_STR large = post(s, doors[i].kind, doors[i].line, body, doors[i].max + 1);
        if (large[0])
            expect_status(large, 413);
        TST_AUTO_STR fits = post(s, doors[i].kind, doors[i].line, body, doors[i].max);
        expect_problem(fits, 400);
    }
    expect_honest_join(s);
}

static void body_larger_than_announced_is_not_read_as_one(void **state)
{
    struct scene *s = *state;
    TST_AUTO_BUF b = { .max = 4 * 1024 * 1024 };
    assert_int_equal(tst_buf_printf(&b, NULL, "POST /v1/join HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n"), 0);
    TST_AUTO_STR chunk = spaces(16000);
    for (int i = 0; i < 8; i++)
        assert_int_equal(tst_buf_printf(&b, NULL, "%x\r\n%s\r\n", 16000, chunk), 0);
    assert_int_equal(tst_buf_printf(&b, NULL, "0\r\n\r\n"), 0);
    TST_AUTO_STR answer = exchange(s, WIRE_TLS, b.p, b.n, NULL);
    if (answer[0])
        expect_status(answer, 413);
    expect_honest_join(s);
}

static void too_long_headers_are_refused(void **state)
{
    struct scene *s = *state;
    TST_AUTO_STR filler = spaces(100 * 1024);
    memset(filler, 'a', strlen(filler));
    TST_AUTO_STR request = tst_strdup_printf("POST /v1/join HTTP/1.1\r\nHost: b\r\nX-Long: %s\r\n\r\n", filler);
    TST_AUTO_STR answer = exchange(s, WIRE_TLS, request, strlen(request), NULL);
    if (answer[0] && strncmp(answer, "HTTP/1.1 4", 10) != 0)
        fail_msg("%.200s", answer);
    expect_honest_join(s);
}

/* ---- JSON ---- */

static void malformed_json_is_refused(void **state)
{
    struct scene *s = *state;
    static const char *const bodies[] = {
        "", "{", "{\"instance\":\"s1\",\"purpose\":\"jo", "{\"instance\":\"s1\",\"purpose\":\"join\"} x", "[", "\"", "nul",
        "{\"instance\":\"s1\",\"instance\":\"s2\",\"purpose\":\"join\"}", "{\"instance\":\"s\\u0000\",\"purpose\":\"join\"}",
        "\xff\xfe", "{\"a\":\"\xc0\xaf\"}", "1e999999", "-", "{\"instance\":1,\"purpose\":\"join\"}",
    };
    for (size_t i = 0; i < TST_COUNT(bodies); i++) {
        TST_AUTO_STR answer = post(s, WIRE_TLS, "POST /v1/challenge", bodies[i], strlen(bodies[i]));
        expect_problem(answer, 400);
    }
    expect_honest_join(s);
}

static void depth_bomb_is_refused(void **state)
{
    struct scene *s = *state;
    char bomb[BODY_MAX];
    memset(bomb, '[', sizeof bomb);
    TST_AUTO_STR open = post(s, WIRE_TLS, "POST /v1/join", bomb, sizeof bomb);
    expect_problem(open, 400);
    memset(bomb + sizeof bomb / 2, ']', sizeof bomb / 2);
    TST_AUTO_STR closed = post(s, WIRE_TLS, "POST /v1/join", bomb, sizeof bomb);
    expect_problem(closed, 400);
    expect_honest_join(s);
}

/* ---- HTTP ---- */

static void unknown_route_is_a_problem(void **state)
{
    struct scene *s = *state;
    static const char *const lines[] = { "POST /", "POST /v1/joi", "POST /v1/join/", "POST //v1/join", "PUT /v1/join", "GET /v1/join",
                                         "GET /../etc/passwd", "POST /v1/%6aoin" };
    for (size_t i = 0; i < TST_COUNT(lines); i++) {
        TST_AUTO_STR answer = post(s, WIRE_TLS, lines[i], "", 0);
        expect_problem(answer, 404);
    }
}

static void other_methods_are_refused(void **state)
{
    struct scene *s = *state;
    static const char *const lines[] = { "DELETE /v1/join", "OPTIONS /v1/join", "TRACE /v1/join", "CONNECT b:1", "BREW /v1/join" };
    for (size_t i = 0; i < TST_COUNT(lines); i++) {
        TST_AUTO_STR answer = post(s, WIRE_TLS, lines[i], "", 0);
        if (answer[0] && strncmp(answer, "HTTP/1.1 4", 10) != 0 && strncmp(answer, "HTTP/1.1 5", 10) != 0)
            fail_msg("%s: %.200s", lines[i], answer);
    }
    expect_honest_join(s);
}

/* Whatever it answers, the body is not taken for a request of its own: that would be a way past a proxy. */
static void body_of_a_get_is_not_a_second_request(void **state)
{
    struct scene *s = *state;
    static const char hidden[] = "GET /v1/healthz HTTP/1.1\r\nHost: b\r\n\r\n";
    TST_AUTO_STR request = tst_strdup_printf("GET /v1/healthz HTTP/1.1\r\nHost: b\r\nContent-Length: %zu\r\n\r\n%s",
                                             strlen(hidden), hidden);
    bool closed;
    struct wire *w = wire_open(&s->d, WIRE_TLS);
    assert_non_null(w);
    assert_true(wire_send(w, request, strlen(request)));
    TST_AUTO_STR answer = wire_read(w, 50000, &closed);
    wire_close(w);
    const char *first = strstr(answer, "HTTP/1.1 ");
    assert_null(first ? strstr(first + 1, "HTTP/1.1 200") : NULL);
    expect_honest_join(s);
}

static void connection_is_kept_for_the_next_request(void **state)
{
    struct scene *s = *state;
    static const char request[] = "GET /v1/healthz HTTP/1.1\r\nHost: b\r\n\r\n";
    struct wire *w = wire_open(&s->d, WIRE_TLS);
    assert_non_null(w);
    for (int i = 0; i < 5; i++) {
        bool closed;
        assert_true(wire_send(w, request, strlen(request)));
        TST_AUTO_STR answer = wire_read(w, 2000, &closed);
        expect_status(answer, 200);
        assert_false(closed);
    }
    wire_close(w);
}

/* ---- the wire ---- */

static void tls_12_is_refused(void **state)
{
    struct scene *s = *state;
    struct wire *w = wire_open(&s->d, WIRE_TLS12);
    assert_null(w);
    w = wire_open(&s->d, WIRE_TLS);
    assert_non_null(w);
    wire_close(w);
}

static void plain_http_is_refused(void **state)
{
    struct scene *s = *state;
    static const char request[] = "GET /v1/healthz HTTP/1.1\r\nHost: b\r\n\r\n";
    bool closed;
    TST_AUTO_STR answer = exchange(s, WIRE_TCP, request, strlen(request), &closed);
    assert_true(closed);
    assert_null(strstr(answer, "HTTP/1.1"));
}

/* The same bytes at each run. */
static void random_bytes_are_refused(void **state)
{
    struct scene *s = *state;
    static const uint8_t handshake[] = { 0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3 }, blank_line[] = { '\r', '\n', '\r', '\n' };
    uint8_t noise[2000];
    uint32_t x = 2463534242u;
    for (size_t round = 0; round < 40; round++) {
        const size_t n = 16 + 49 * round;
        for (size_t i = 0; i < sizeof noise; i++) {
            x ^= x << 13, x ^= x >> 17, x ^= x << 5;
            noise[i] = (uint8_t)x;
        }
        if (round % 2) /* looks like a TLS handshake record */
            memcpy(noise, handshake, sizeof handshake);
        struct wire *w = wire_open(&s->d, WIRE_TCP);
        assert_non_null(w);
        wire_send(w, noise, n);
        wire_close(w);
        memcpy(noise + n - sizeof blank_line, blank_line, sizeof blank_line); /* so that it has an end */
        TST_AUTO_STR answer = exchange(s, WIRE_TLS, noise, n, NULL);
        assert_null(strstr(answer, "HTTP/1.1 2"));
    }
    expect_honest_join(s);
}

/* Cut off in the middle of a request, many times. */
static void connections_that_end_early_do_no_harm(void **state)
{
    struct scene *s = *state;
    static const char request[] = "POST /v1/challenge HTTP/1.1\r\nHost: b\r\nContent-Length: 32\r\n\r\n{\"instance\":\"s1\",\"purpose\":\"join\"}";
    for (size_t n = 0; n < strlen(request); n += 3) {
        struct wire *w = wire_open(&s->d, WIRE_TLS);
        assert_non_null(w);
        wire_send(w, request, n);
        wire_close(w);
    }
    expect_honest_join(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define SCENE(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
        SCENE(too_large_body_is_refused), SCENE(body_larger_than_announced_is_not_read_as_one), SCENE(too_long_headers_are_refused),
        SCENE(malformed_json_is_refused), SCENE(depth_bomb_is_refused), SCENE(unknown_route_is_a_problem),
        SCENE(other_methods_are_refused), SCENE(body_of_a_get_is_not_a_second_request),
        SCENE(connection_is_kept_for_the_next_request), SCENE(tls_12_is_refused), SCENE(plain_http_is_refused),
        SCENE(random_bytes_are_refused), SCENE(connections_that_end_early_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
