/* SPDX-License-Identifier: Apache-2.0 */
/* kds_server.c - see kds_server.h. Besides AMD's addresses: /mood/NAME sets the mood for good, /count says the requests. */
#include "tests/unit/collateral/kds_server.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const kds_mood_names[] = {"helpful", "busy", "broken", "unknowing", "truncated", "cut", "wrong", "slow", "huge", NULL};

static void die(const char *what)
{
    fprintf(stderr, "kds_server: %s\n", what);
    exit(1);
}

static void must(int rc, const char *what)
{
    if (rc)
        die(what);
}

struct answer {
    struct evhttp_request *req;
    uint8_t *p;
    size_t n;
};

static void reply_whole(struct answer *a)
{
    struct evbuffer *b = evbuffer_new();
    evbuffer_add(b, a->p, a->n);
    evhttp_send_reply(a->req, 200, "OK", b);
    evbuffer_free(b);
    free(a->p);
    free(a);
}

static void on_slow(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    reply_whole(arg);
}

/* Owns p. */
static void reply(struct kds_server *k, struct evhttp_request *req, enum kds_mood mood, uint8_t *p, size_t n)
{
    (void)k;
    struct answer *a = calloc(1, sizeof *a);
    const struct timeval slow = {KDS_SLOW_S, 0};
    char length[32];
    *a = (struct answer){req, p, n};
    if (mood == KDS_SLOW) {
        event_base_once(evhttp_connection_get_base(evhttp_request_get_connection(req)), -1, EV_TIMEOUT, on_slow, a, &slow);
        return;
    }
    if (mood == KDS_TRUNCATED) {
        snprintf(length, sizeof length, "%zu", n);
        evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Length", length);
        evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
    }
    if (mood == KDS_TRUNCATED || mood == KDS_CUT)
        a->n = n / 2;
    reply_whole(a);
}

static void give_chain(struct kds_server *k, struct evhttp_request *req, enum kds_mood mood)
{
    const struct amd_root *root = mood == KDS_WRONG ? k->wrong_root : k->root;
    char *ask = NULL, *ark = NULL;
    must(tst_cert_to_pem(root->ask, &ask, NULL) || tst_cert_to_pem(root->ark, &ark, NULL), "chain");
    char *text = tst_strdup_printf("%s%s", ask, ark);
    free(ask);
    free(ark);
    reply(k, req, mood, (uint8_t *)text, strlen(text));
}

static void give_crl(struct kds_server *k, struct evhttp_request *req, enum kds_mood mood)
{
    uint8_t *der = NULL;
    size_t n = 0;
    must(tst_crl_to_der(k->crls[mood == KDS_WRONG ? k->crl_count - 1 : (size_t)k->shared->crl_index], &der, &n, NULL), "crl");
    reply(k, req, mood, der, n);
}

static struct amd_chip *chip_at(const struct kds_server *k, const char *uri)
{
    for (size_t i = 0; i < k->chip_count; i++) {
        struct tst_snp_vek claims;
        must(tst_snp_vek_parse(k->chips[i]->vcek, &claims, NULL), "chip");
        struct tst_snp_vek_id id = {.product = claims.product, .hwid_bytes = claims.hwid_bytes, .tcb = claims.tcb};
        memcpy(id.hwid, claims.hwid, sizeof id.hwid);
        TST_AUTO_STR url = tst_kds_vcek_url("", &id);
        if (strcmp(url, uri) == 0)
            return k->chips[i];
    }
    return NULL;
}

static void give_vek(struct kds_server *k, struct evhttp_request *req, enum kds_mood mood, const char *uri)
{
    struct amd_chip *chip = mood == KDS_WRONG ? k->chips[0] : chip_at(k, uri);
    uint8_t *der = NULL;
    size_t n = 0;
    if (!chip) {
        evhttp_send_error(req, 404, "Not Found");
        return;
    }
    must(tst_cert_to_der(chip->vcek, &der, &n, NULL), "VCEK");
    reply(k, req, mood, der, n);
}

static bool is_at(const char *uri, const char *what, const char *product, const char *end)
{
    char path[128];
    snprintf(path, sizeof path, "/%s/v1/%s/%s", what, product, end);
    return strcmp(uri, path) == 0;
}

static void control(struct kds_server *k, struct evhttp_request *req, const char *uri)
{
    char text[64];
    for (int i = 0; strncmp(uri, "/mood/", 6) == 0 && kds_mood_names[i]; i++)
        if (strcmp(uri + 6, kds_mood_names[i]) == 0)
            kds_server_mood(k, (enum kds_mood)i, -1);
    int n = snprintf(text, sizeof text, "%d\n", kds_requests(k));
    struct evbuffer *b = evbuffer_new();
    evbuffer_add(b, text, (size_t)n);
    evhttp_send_reply(req, 200, "OK", b);
    evbuffer_free(b);
}

static enum kds_mood mood_now(struct kds_server *k)
{
    enum kds_mood mood = (enum kds_mood)k->shared->mood;
    if (mood != KDS_HELPFUL && k->shared->left > 0 && --k->shared->left == 0)
        k->shared->mood = KDS_HELPFUL;
    return mood;
}

static void refuse(struct evhttp_request *req, enum kds_mood mood)
{
    if (mood == KDS_BUSY)
        evhttp_add_header(evhttp_request_get_output_headers(req), "Retry-After", "1");
    int status = mood == KDS_BUSY ? 429 : mood == KDS_BROKEN ? 503 : 404;
    evhttp_send_reply(req, status, "no", NULL);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct kds_server *k = arg;
    const char *uri = evhttp_request_get_uri(req), *product = tst_snp_product_amd_name(k->root->product->id);
    bool chain = is_at(uri, "vcek", product, "cert_chain"), crl = is_at(uri, "vcek", product, "crl");
    if (strncmp(uri, "/vcek/", 6) != 0) {
        control(k, req, uri);
        return;
    }
    atomic_int *counter = chain ? &k->shared->chains : crl ? &k->shared->crls : &k->shared->veks;
    ++*counter;
    if (!chain && !crl)
        snprintf(k->shared->last_vek, sizeof k->shared->last_vek, "%s", uri);
    enum kds_mood mood = mood_now(k);
    if (mood == KDS_BUSY || mood == KDS_BROKEN || mood == KDS_UNKNOWING)
        refuse(req, mood);
    else if (mood == KDS_HUGE)
        reply(k, req, mood, calloc(1, 1 << 20), 1 << 20);
    else if (chain)
        give_chain(k, req, mood);
    else if (crl)
        give_crl(k, req, mood);
    else
        give_vek(k, req, mood, uri);
}

static struct kds_shared *share(void)
{
    void *p = mmap(NULL, sizeof(struct kds_shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        die("mmap");
    return p;
}

void kds_server_run(struct kds_server *k, void (*ready)(void *, unsigned short port), void *ctx)
{
    if (!k->shared)
        k->shared = share();
    struct event_base *base = event_base_new();
    struct evhttp *http = base ? evhttp_new(base) : NULL;
    struct evhttp_bound_socket *bound = http ? evhttp_bind_socket_with_handle(http, "127.0.0.1", 0) : NULL;
    struct sockaddr_in at;
    socklen_t n = sizeof at;
    if (!bound || getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &n) < 0)
        die("cannot listen");
    evhttp_set_gencb(http, on_request, k);
    ready(ctx, ntohs(at.sin_port));
    event_base_dispatch(base);
    die("ended");
}

static void tell_port(void *ctx, unsigned short port)
{
    must(write(*(int *)ctx, &port, sizeof port) != sizeof port, "pipe");
}

void kds_server_start(struct kds_server *k)
{
    int pipes[2];
    unsigned short port = 0;
    must(pipe(pipes), "pipe");
    k->shared = share();
    fflush(NULL);
    k->pid = fork();
    if (k->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        kds_server_run(k, tell_port, &pipes[1]);
    }
    must(k->pid < 0 || read(pipes[0], &port, sizeof port) != sizeof port, "no server");
    close(pipes[0]);
    close(pipes[1]);
    snprintf(k->url, sizeof k->url, "http://127.0.0.1:%u", port);
}

void kds_server_stop(struct kds_server *k)
{
    kill(k->pid, SIGKILL);
    waitpid(k->pid, NULL, 0);
    munmap(k->shared, sizeof *k->shared);
    k->shared = NULL;
}

void kds_server_mood(struct kds_server *k, enum kds_mood mood, int answers)
{
    k->shared->left = answers;
    k->shared->mood = mood;
}
