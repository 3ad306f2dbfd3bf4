/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/broker/daemon.c - see daemon.h. */
#include "tests/unit/broker/daemon.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/sim/tree.h"

enum { START_MS = 20000, STEP_MS = 10, MORE_PART = 100, ARGS_MAX = 24 };

static const char *program(void)
{
    const char *path = getenv("TESTUDOD");
    must(path ? 0 : -TST_USAGE, NULL, "TESTUDOD must name the program");
    return path;
}

static void sleep_ms(int ms)
{
    poll(NULL, 0, ms);
}

/* A port that was free a moment ago. */
static unsigned free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd < 0 || bind(fd, (struct sockaddr *)&a, n) || getsockname(fd, (struct sockaddr *)&a, &n), NULL, "port");
    close(fd);
    return ntohs(a.sin_port);
}

/* It does not outlive the test, however that ends. */
static pid_t spawn(const char *const *argv)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    must(pid < 0, NULL, argv[0]);
    return pid;
}

static int wait_status(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

void daemon_read_ca(struct daemon *d)
{
    struct broker_identity id;
    TST_AUTO_ERROR err = NULL;
    must(identity_load(d->state, &id, &err), err, d->state);
    memcpy(d->ca_hex, id.broker_id, sizeof d->ca_hex);
    identity_clear(&id);
}

void daemon_make(struct daemon *d)
{
    memset(d, 0, sizeof *d);
    d->dir = tree_new();
    must(chmod(d->dir, 0755), NULL, d->dir);
    snprintf(d->state, sizeof d->state, "%s/state", d->dir);
    snprintf(d->socket, sizeof d->socket, "%s/broker.sock", d->dir);
    snprintf(d->address, sizeof d->address, "127.0.0.1:%u", free_port());
    const char *argv[] = { program(), "init", "--state", d->state, "--listen", d->address, NULL };
    must(wait_status(spawn(argv)), NULL, "testudod init");
    daemon_read_ca(d);
}

int daemon_call(const struct daemon *d, const char *method, const char *path, json_t *body, json_t **answer,
                struct tst_error **err)
{
    return broker_call(d->socket, method, path, body, answer, err);
}

static void wait_until_it_answers(struct daemon *d)
{
    for (int waited = 0; waited < START_MS; waited += STEP_MS) {
        TST_AUTO_JSON answer = NULL;
        if (daemon_call(d, "GET", "/healthz", NULL, &answer, NULL) == 0)
            return;
        must(daemon_alive(d) ? 0 : -1, NULL, "testudod ended");
        sleep_ms(STEP_MS);
    }
    must(-1, NULL, "testudod does not answer");
}

void daemon_start(struct daemon *d, const char *const *more)
{
    const char *argv[ARGS_MAX] = { program(), "serve", "--state", d->state, "--socket", d->socket };
    size_t n = 6;
    while (more && *more && n < ARGS_MAX - 1)
        argv[n++] = *more++;
    d->pid = spawn(argv);
    wait_until_it_answers(d);
}

bool daemon_alive(const struct daemon *d)
{
    int status;
    return d->pid > 0 && waitpid(d->pid, &status, WNOHANG) == 0;
}

void daemon_stop(struct daemon *d)
{
    kill(d->pid, SIGTERM);
    int status = wait_status(d->pid);
    d->pid = 0;
    must(status, NULL, "testudod did not end with status 0");
}

void daemon_free(struct daemon *d)
{
    if (d->pid)
        daemon_stop(d);
    tree_free(d->dir);
    memset(d, 0, sizeof *d);
}

void daemon_arm(const struct daemon *d, const char *instance)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON body = json_pack("{s:s}", "instance", instance);
    must(daemon_call(d, "POST", "/v1/expect", body, &answer, &err), err, instance);
}

void daemon_with_plan(struct daemon *d, const struct cloud *c)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON plan = plan_of(c, 0);
    daemon_make(d);
    daemon_start(d, NULL);
    must(daemon_call(d, "PUT", "/v1/plan", plan, &answer, &err), err, "plan");
    daemon_arm(d, "s1");
    daemon_arm(d, "s2");
}

/* ---- guests ---- */

static int guest_evidence(void *ctx, const uint8_t report_data[TST_SNP_REPORT_DATA_BYTES], struct evidence_blobs *out,
                          struct tst_error **err)
{
    struct guest *g = ctx;
    uint8_t raw[TST_SNP_REPORT_BYTES];
    struct sim_report r = node_report(&g->node);
    g->asked++;
    memcpy(r.report_data, report_data, sizeof r.report_data);
    out->auxblob.max = TST_SNP_CERT_TABLE_MAX;
    int rc = sim_report_sign(&r, g->node.chip->vcek_key, raw, err);
    if (!rc)
        rc = tst_buf_put(&out->report, raw, sizeof raw, err);
    return rc ? rc : amd_cert_table(g->node.root, g->node.chip, &out->auxblob, err);
}

void guest_start(struct guest *g, const struct daemon *d, const char *instance, const struct amd_root *root,
                 const struct amd_chip *chip)
{
    static const struct evidence_backend backend = { "test", guest_evidence };
    TST_AUTO_ERROR err = NULL;
    memset(g, 0, sizeof *g);
    node_launch(&g->node, instance, root, chip);
    must(joiner_init(&g->joiner, d->address, d->ca_hex, instance, &err), err, instance);
    g->joiner.evidence = chip ? &backend : NULL;
    g->joiner.evidence_ctx = g;
}

void guest_clear(struct guest *g)
{
    joiner_clear(&g->joiner);
    node_clear(&g->node);
}

/* ---- raw connections ---- */

struct wire {
    CURL *curl;
    struct tst_tls_pin pin;
    curl_socket_t fd;
};

static CURLcode on_tls(CURL *curl, void *ssl_ctx, void *arg)
{
    struct wire *w = arg;
    (void)curl;
    return tst_tls_pin_ca(ssl_ctx, &w->pin, NULL) ? CURLE_SSL_CERTPROBLEM : CURLE_OK;
}

static void wire_options(struct wire *w, const struct daemon *d, enum wire_kind kind)
{
    TST_AUTO_STR url = tst_strdup_printf("%s://%s/", kind == WIRE_TLS || kind == WIRE_TLS12 ? "https" : "http", d->address);
    curl_easy_setopt(w->curl, CURLOPT_URL, url);
    curl_easy_setopt(w->curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(w->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(w->curl, CURLOPT_CONNECTTIMEOUT, 10L);
    if (kind == WIRE_LOCAL)
        curl_easy_setopt(w->curl, CURLOPT_UNIX_SOCKET_PATH, d->socket);
    if (kind == WIRE_TLS) {
        must(tst_unhex(d->ca_hex, w->pin.ca_spki_sha256, TST_SHA256_BYTES, NULL), NULL, "pin");
        w->pin.host = "127.0.0.1";
        curl_easy_setopt(w->curl, CURLOPT_SSL_CTX_FUNCTION, on_tls);
        curl_easy_setopt(w->curl, CURLOPT_SSL_CTX_DATA, w);
    }
    if (kind == WIRE_TLS12) { /* would take any server, if it spoke TLS 1.2 */
        curl_easy_setopt(w->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2 | (long)CURL_SSLVERSION_MAX_TLSv1_2);
        curl_easy_setopt(w->curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(w->curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

struct wire *wire_open(const struct daemon *d, enum wire_kind kind)
{
    struct wire *w = calloc(1, sizeof *w);
    must(w && (w->curl = curl_easy_init()) ? 0 : -1, NULL, "curl");
    wire_options(w, d, kind);
    if (curl_easy_perform(w->curl) == CURLE_OK && curl_easy_getinfo(w->curl, CURLINFO_ACTIVESOCKET, &w->fd) == CURLE_OK)
        return w;
    wire_close(w);
    return NULL;
}

void wire_close(struct wire *w)
{
    if (!w)
        return;
    curl_easy_cleanup(w->curl);
    free(w);
}

bool wire_send(struct wire *w, const void *p, size_t n)
{
    const uint8_t *at = p;
    while (n > 0) {
        size_t sent = 0;
        CURLcode c = curl_easy_send(w->curl, at, n, &sent);
        struct pollfd writable = { .fd = w->fd, .events = POLLOUT };
        if (c == CURLE_AGAIN && poll(&writable, 1, 5000) == 1)
            continue;
        if (c != CURLE_OK)
            return false;
        at += sent;
        n -= sent;
    }
    return true;
}

/* Headers, and as many bytes as they announce. */
static bool answer_is_whole(const struct tst_buf *b)
{
    const char *text = b->n ? (const char *)b->p : "", *body = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length: ");
    return body && length && length < body && b->n >= (size_t)(body + 4 - text) + strtoul(length + 18, NULL, 10);
}

char *wire_read(struct wire *w, int wait_ms, bool *closed)
{
    TST_AUTO_BUF b = { .max = 1024 * 1024 };
    *closed = false;
    while (!*closed) {
        uint8_t chunk[4096];
        size_t n = 0;
        CURLcode c = curl_easy_recv(w->curl, chunk, sizeof chunk, &n);
        struct pollfd readable = { .fd = w->fd, .events = POLLIN };
        if (c == CURLE_AGAIN) {
            if (poll(&readable, 1, answer_is_whole(&b) ? wait_ms / MORE_PART : wait_ms) != 1)
                break;
        } else if (c != CURLE_OK || n == 0) {
            *closed = true;
        } else {
            must(tst_buf_put(&b, chunk, n, NULL), NULL, "answer");
        }
    }
    return strndup(b.n ? (const char *)b.p : "", b.n);
}
