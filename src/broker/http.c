/* SPDX-License-Identifier: Apache-2.0 */
/* broker/http.c - HTTP by libevent. One table of routes with the role that each needs; bodies at most 64 KiB over TLS;
 * idle connections end after 10 s, any after 30 s, and open files bound the number of sessions. Errors are RFC 9457 problem+json. */
#include "broker/http.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

enum {
    BODY_MAX_BYTES = 64 * 1024,
    HEADERS_MAX_BYTES = 8 * 1024,
    IDLE_S = 10,
    SESSION_S = 30,
    FILES_MAX = 512, /* bounds concurrent sessions */
    LOG_PAGE_ROWS = 1000,
};

enum role { ROLE_NODE /* anybody over TLS */, ROLE_LOCAL /* any local user */, ROLE_OPERATOR, ROLE_OWNER };

/* Who has a file descriptor, and since when. */
struct session {
    uint64_t cookie; /* the kernel's number of the socket; 0 = no session */
    time_t since_s;
};

struct server {
    struct broker *broker;
    const struct broker_roles *roles;
    struct event_base *base;
    struct ssl_ctx_st *tls;
    struct evhttp *doors[2];
    struct session sessions[FILES_MAX]; /* by file descriptor */
};

struct call {
    struct server *server;
    struct evhttp_request *request;
    json_t *body;      /* NULL for GET */
    char actor[48];    /* "owner:uid=0" */
    time_t now;
};

struct route {
    enum evhttp_cmd_type method;
    const char *path;
    enum role role;
    int (*run)(struct call *c, json_t **answer, struct tst_error **err);
};

/* ---- handlers ---- */

#define BODY_ROUTE(name, verb)                                                     \
    static int name(struct call *c, json_t **answer, struct tst_error **err)      \
    {                                                                              \
        return verb(c->server->broker, c->body, c->now, answer, err);             \
    }
#define ACTOR_ROUTE(name, verb)                                                    \
    static int name(struct call *c, json_t **answer, struct tst_error **err)      \
    {                                                                              \
        return verb(c->server->broker, c->actor, c->body, c->now, answer, err);   \
    }
BODY_ROUTE(route_challenge, node_challenge)
BODY_ROUTE(route_join, node_join)
BODY_ROUTE(route_lease, node_lease)
ACTOR_ROUTE(route_plan, verb_plan)
ACTOR_ROUTE(route_expect, verb_expect)
ACTOR_ROUTE(route_rearm, verb_rearm)
ACTOR_ROUTE(route_revoke, verb_revoke)

static int route_health(struct call *c, json_t **answer, struct tst_error **err)
{
    (void)c;
    *answer = json_pack("{s:s}", "status", "ok");
    return *answer ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int route_nodes(struct call *c, json_t **answer, struct tst_error **err)
{
    return registry_nodes_json(c->server->broker, c->now, answer, err);
}

static int read_head(struct broker *b, json_t **out, struct tst_error **err)
{
    struct log_head head;
    int r = log_read_head(b->db, &head, err);
    return r ? r : log_head_json(&head, out, err);
}

static int route_info(struct call *c, json_t **answer, struct tst_error **err)
{
    struct broker *b = c->server->broker;
    uint8_t *der = NULL;
    size_t n = 0;
    TST_AUTO_JSON head = NULL;
    int r = read_head(b, &head, err);
    if (r || (r = tst_key_public_der(b->id.log_key, &der, &n, err)))
        return r;
    *answer = json_pack("{s:s,s:s,s:s,s:O}", "broker-id", b->id.broker_id, "address", b->id.address, "version", TESTUDO_VERSION,
                        "log", head);
    r = *answer ? tst_json_set_b64(*answer, "log-key", der, n, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    tst_free(der);
    return r;
}

static int query_index(struct call *c, int64_t *out, struct tst_error **err)
{
    struct evkeyvalq query = { 0 };
    const char *text = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(c->request));
    *out = 1;
    if (!text)
        return 0;
    if (evhttp_parse_query_str(text, &query))
        return tst_fail(err, TST_USAGE, "query: malformed");
    const char *from = evhttp_find_header(&query, "from");
    char *end = NULL;
    if (from)
        *out = strtoll(from, &end, 10);
    bool bad = from && (*from == '\0' || *end != '\0' || *out < 1);
    evhttp_clear_headers(&query);
    return bad ? tst_fail(err, TST_USAGE, "query: from: want an index of 1 or more") : 0;
}

static int route_log(struct call *c, json_t **answer, struct tst_error **err)
{
    int64_t from;
    TST_AUTO_JSON rows = NULL;
    TST_AUTO_JSON head = NULL;
    struct broker *b = c->server->broker;
    int r = query_index(c, &from, err);
    if (r || (r = log_rows_json(b->db, from, LOG_PAGE_ROWS, &rows, err)) || (r = read_head(b, &head, err)))
        return r;
    *answer = json_pack("{s:O,s:O}", "rows", rows, "head", head);
    return *answer ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static const struct route node_routes[] = {
    { EVHTTP_REQ_POST, "/v1/challenge", ROLE_NODE, route_challenge },
    { EVHTTP_REQ_POST, "/v1/join", ROLE_NODE, route_join },
    { EVHTTP_REQ_POST, "/v1/lease", ROLE_NODE, route_lease },
    { EVHTTP_REQ_GET, "/v1/healthz", ROLE_NODE, route_health },
    { EVHTTP_REQ_GET, NULL, ROLE_NODE, NULL },
};
static const struct route local_routes[] = {
    { EVHTTP_REQ_PUT, "/v1/plan", ROLE_OWNER, route_plan },
    { EVHTTP_REQ_POST, "/v1/expect", ROLE_OPERATOR, route_expect },
    { EVHTTP_REQ_POST, "/v1/rearm", ROLE_OPERATOR, route_rearm },
    { EVHTTP_REQ_POST, "/v1/revoke", ROLE_OWNER, route_revoke },
    { EVHTTP_REQ_GET, "/v1/nodes", ROLE_LOCAL, route_nodes },
    { EVHTTP_REQ_GET, "/v1/log", ROLE_LOCAL, route_log },
    { EVHTTP_REQ_GET, "/v1/info", ROLE_LOCAL, route_info },
    { EVHTTP_REQ_GET, "/healthz", ROLE_LOCAL, route_health },
    { EVHTTP_REQ_GET, NULL, ROLE_LOCAL, NULL },
};

/* ---- answers ---- */

static void send_json(struct evhttp_request *request, int status, const char *type, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct evbuffer *out = evhttp_request_get_output_buffer(request);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", type);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Cache-Control", "no-store");
    if (text)
        evbuffer_add(out, text, strlen(text));
    evhttp_send_reply(request, text ? status : 500, NULL, NULL);
    if (text)
        tst_wipe(text, strlen(text));
    free(text);
}

static void set_text(json_t *j, const char *key, const char *text)
{
    if (text)
        json_object_set_new(j, key, json_string(text));
}

static void send_problem(struct evhttp_request *request, const struct tst_error *e)
{
    char type[128];
    int status = tst_http_status(e->code);
    const char *title = tst_code_text(e->code);
    snprintf(type, sizeof type, "urn:testudo:problem:%s", e->reason ? e->reason : "general");
    TST_AUTO_JSON j = json_pack("{s:s,s:s,s:i,s:s}", "type", type, "title", title, "status", status, "detail", e->text);
    set_text(j, "expected", e->expected);
    set_text(j, "found", e->found);
    set_text(j, "fix", e->fix);
    send_json(request, status, "application/problem+json", j);
}

/* ---- dispatch ---- */

static bool listed(const uid_t *uids, size_t n, uid_t uid)
{
    for (size_t i = 0; i < n; i++)
        if (uids[i] == uid)
            return true;
    return false;
}

static int peer_uid(struct evhttp_request *request, uid_t *out, struct tst_error **err)
{
    struct ucred peer;
    socklen_t n = sizeof peer;
    struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
    if (getsockopt(bufferevent_getfd(bev), SOL_SOCKET, SO_PEERCRED, &peer, &n))
        return tst_fail(err, TST_INTERNAL, "who is calling cannot be told: %m");
    *out = peer.uid;
    return 0;
}

/* Names the actor, or refuses: a verb needs its own role, and being root gives none by itself. */
static int authorise(const struct server *s, enum role role, struct evhttp_request *request, char actor[48], struct tst_error **err)
{
    uid_t uid = 0;
    if (role == ROLE_NODE) {
        snprintf(actor, 48, "node");
        return 0;
    }
    int r = peer_uid(request, &uid, err);
    if (r)
        return r;
    bool owner = listed(s->roles->owners, s->roles->owner_count, uid);
    bool operator = listed(s->roles->operators, s->roles->operator_count, uid);
    snprintf(actor, 48, "%s:uid=%u", role == ROLE_OWNER ? "owner" : role == ROLE_OPERATOR ? "operator" : "local", (unsigned)uid);
    if (role == ROLE_LOCAL || (role == ROLE_OWNER && owner) || (role == ROLE_OPERATOR && operator))
        return 0;
    tst_fail(err, TST_DENIED, "uid %u may not say this", (unsigned)uid);
    tst_reason(err, "role");
    return tst_hint(err, role == ROLE_OWNER ? "an owner of this broker" : "an operator of this broker", NULL,
                    "testudod's --owner and --operator name who may");
}

static int read_body(struct call *c, size_t max, struct tst_error **err)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(c->request);
    size_t n = evbuffer_get_length(in);
    if (evhttp_request_get_command(c->request) == EVHTTP_REQ_GET)
        return n ? tst_fail(err, TST_USAGE, "GET takes no body") : 0;
    const char *text = n ? (const char *)evbuffer_pullup(in, -1) : "";
    return tst_json_parse(text ? text : "", n, max, &c->body, err);
}

static int run_route(const struct route *route, struct call *c, size_t max, json_t **answer, struct tst_error **err)
{
    int r = authorise(c->server, route->role, c->request, c->actor, err);
    if (r)
        return r;
    if ((r = read_body(c, max, err)))
        return tst_wrap(err, "request");
    return route->run(c, answer, err);
}

static const struct route *find_route(const struct route *routes, struct evhttp_request *request)
{
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
    for (const struct route *r = routes; r->path; r++)
        if (path && strcmp(r->path, path) == 0 && r->method == evhttp_request_get_command(request))
            return r;
    return NULL;
}

static void answer_request(struct server *s, const struct route *routes, size_t max, struct evhttp_request *request)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON answer = NULL;
    struct call c = { .server = s, .request = request, .now = time(NULL) };
    const struct route *route = find_route(routes, request);
    int r = route ? run_route(route, &c, max, &answer, &err) : tst_fail(&err, TST_NOT_FOUND, "no such route");
    json_decref(c.body);
    if (r && err && err->code == TST_INTERNAL)
        fprintf(stderr, "testudod: %s\n", err->text);
    if (r)
        send_problem(request, err);
    else
        send_json(request, 200, "application/json", answer);
}

/* ---- metrics: Prometheus text, by hand since it is three lines ---- */

static void send_metrics(struct evhttp_request *request, void *arg)
{
    struct server *s = arg;
    struct log_head head;
    struct evbuffer *out = evhttp_request_get_output_buffer(request);
    TST_AUTO_ERROR err = NULL;
    if (log_read_head(s->broker->db, &head, &err)) {
        send_problem(request, err);
        return;
    }
    evbuffer_add_printf(out,
                        "# TYPE testudo_decisions_total counter\n"
                        "testudo_decisions_total{verb=\"admit\"} %lld\ntestudo_decisions_total{verb=\"refuse\"} %lld\n"
                        "testudo_decisions_total{verb=\"renew\"} %lld\n# TYPE testudo_log_index gauge\ntestudo_log_index %lld\n",
                        (long long)s->broker->admitted, (long long)s->broker->refused, (long long)s->broker->renewed,
                        (long long)head.index);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/plain; version=0.0.4");
    evhttp_send_reply(request, 200, NULL, NULL);
}

static void on_node_request(struct evhttp_request *request, void *arg)
{
    answer_request(arg, node_routes, BODY_MAX_BYTES, request);
}

static void on_local_request(struct evhttp_request *request, void *arg)
{
    answer_request(arg, local_routes, PLAN_MAX_BYTES, request);
}

/* ---- doors ---- */

static struct bufferevent *tls_bufferevent(struct event_base *base, void *arg)
{
    struct server *s = arg;
    struct ssl_st *session = tst_tls_session(s->tls);
    /* Without memory for a session there is no safe way on: evhttp would go on in plain text. */
    struct bufferevent *bev = session ? bufferevent_openssl_socket_new(base, -1, session, BUFFEREVENT_SSL_ACCEPTING,
                                                                       BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)
                                      : NULL;
    if (!bev)
        abort();
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    return bev;
}

static void resume_accepting(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    evconnlistener_enable(arg);
}

/* Out of file descriptors: stop accepting for a moment instead of spinning. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
    const struct timeval pause = { 0, 200000 };
    (void)arg;
    evconnlistener_disable(l);
    event_base_once(evconnlistener_get_base(l), -1, EV_TIMEOUT, resume_accepting, l, &pause);
}

static int open_door(struct server *s, int i, const struct sockaddr *address, int n, struct tst_error **err)
{
    int one = 1;
    struct evconnlistener *l = evconnlistener_new_bind(s->base, NULL, NULL,
                                                       LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 128, address, n);
    if (!l)
        return tst_fail(err, TST_INTERNAL, "cannot listen: %m");
    if (address->sa_family == AF_INET) /* accepted sockets inherit it */
        setsockopt(evconnlistener_get_fd(l), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    s->doors[i] = evhttp_new(s->base);
    if (!s->doors[i] || !evhttp_bind_listener(s->doors[i], l)) {
        evconnlistener_free(l);
        return tst_fail(err, TST_INTERNAL, "cannot serve HTTP");
    }
    evconnlistener_set_error_cb(l, on_accept_error);
    evhttp_set_timeout(s->doors[i], IDLE_S);
    evhttp_set_max_headers_size(s->doors[i], HEADERS_MAX_BYTES);
    evhttp_set_allowed_methods(s->doors[i], EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT);
    return 0;
}

static int open_node_door(struct server *s, struct tst_error **err)
{
    struct sockaddr_storage address;
    int n = sizeof address;
    const struct broker_identity *id = &s->broker->id;
    if (evutil_parse_sockaddr_port(id->address, (struct sockaddr *)&address, &n))
        return tst_fail(err, TST_USAGE, "listen address '%s' is not HOST:PORT", id->address);
    int r = tst_tls_server(id->leaf, id->leaf_key, id->ca, &s->tls, err);
    if (r || (r = open_door(s, 0, (struct sockaddr *)&address, n, err)))
        return tst_wrap(err, "%s", id->address);
    evhttp_set_max_body_size(s->doors[0], BODY_MAX_BYTES);
    evhttp_set_bevcb(s->doors[0], tls_bufferevent, s);
    evhttp_set_gencb(s->doors[0], on_node_request, s);
    return 0;
}

static int open_local_door(struct server *s, const char *path, struct tst_error **err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path)
        return tst_fail(err, TST_USAGE, "socket path %s: longer than %zu bytes", path, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path));
    unlink(path);
    int r = open_door(s, 1, (struct sockaddr *)&address, sizeof address, err);
    if (r)
        return tst_wrap(err, "%s", path);
    if (chmod(path, 0666))
        return tst_fail(err, TST_INTERNAL, "%s: %m", path);
    evhttp_set_max_body_size(s->doors[1], PLAN_MAX_BYTES);
    evhttp_set_gencb(s->doors[1], on_local_request, s);
    return evhttp_set_cb(s->doors[1], "/metrics", send_metrics, s) ? tst_fail(err, TST_INTERNAL, "cannot serve HTTP") : 0;
}

/* ---- sessions: the idle time-out alone would let a client that sends a byte now and then stay for ever ---- */

/* 0 unless fd is an accepted TCP connection. */
static uint64_t session_cookie(int fd)
{
    int domain = 0, listening = 1;
    uint64_t cookie = 0;
    socklen_t n = sizeof domain, m = sizeof listening, k = sizeof cookie;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) || domain != AF_INET ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &m) || listening ||
        getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &k))
        return 0;
    return cookie;
}

static void end_old_sessions(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;
    struct timespec t;
    (void)fd, (void)what;
    clock_gettime(CLOCK_MONOTONIC, &t);
    for (int i = 0; i < FILES_MAX; i++) {
        uint64_t cookie = session_cookie(i);
        if (cookie != s->sessions[i].cookie)
            s->sessions[i] = (struct session){ cookie, t.tv_sec };
        else if (cookie && t.tv_sec - s->sessions[i].since_s >= SESSION_S)
            shutdown(i, SHUT_RDWR);
    }
}

static void on_signal(evutil_socket_t signal_number, short what, void *arg)
{
    (void)signal_number, (void)what;
    event_base_loopexit(arg, NULL);
}

static int loop(struct server *s, struct tst_error **err)
{
    const struct timeval second = { 1, 0 };
    struct event *events[] = {
        evsignal_new(s->base, SIGTERM, on_signal, s->base),
        evsignal_new(s->base, SIGINT, on_signal, s->base),
        event_new(s->base, -1, EV_PERSIST, end_old_sessions, s),
    };
    int r = 0;
    for (size_t i = 0; i < TST_COUNT(events); i++)
        if (!events[i] || event_add(events[i], i == 2 ? &second : NULL))
            r = tst_fail(err, TST_INTERNAL, "event loop cannot start");
    if (!r && event_base_dispatch(s->base) < 0)
        r = tst_fail(err, TST_INTERNAL, "event loop failed");
    for (size_t i = 0; i < TST_COUNT(events); i++)
        if (events[i])
            event_free(events[i]);
    return r;
}

int http_serve(struct broker *b, const struct broker_roles *roles, const char *socket_path, struct tst_error **err)
{
    const struct rlimit files = { FILES_MAX, FILES_MAX };
    struct server s = { .broker = b, .roles = roles };
    signal(SIGPIPE, SIG_IGN);
    if (setrlimit(RLIMIT_NOFILE, &files))
        return tst_fail(err, TST_INTERNAL, "RLIMIT_NOFILE: %m");
    s.base = event_base_new();
    int r = s.base ? open_node_door(&s, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (!r)
        r = open_local_door(&s, socket_path, err);
    if (!r)
        r = loop(&s, err);
    unlink(socket_path);
    for (int i = 0; i < 2; i++)
        if (s.doors[i])
            evhttp_free(s.doors[i]);
    if (s.base)
        event_base_loop(s.base, EVLOOP_NONBLOCK); /* connections that were open are released here */
    if (s.tls)
        tst_tls_server_free(s.tls);
    if (s.base)
        event_base_free(s.base);
    return r;
}
