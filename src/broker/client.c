/* SPDX-License-Identifier: Apache-2.0 */
/* broker/client.c - one HTTP exchange with a broker: bounded answer, time-outs, problem+json turned into an error. */
#include "broker/client.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdlib.h>

enum { ANSWER_MAX_BYTES = 4 * 1024 * 1024, CONNECT_S = 5, TOTAL_S = 30 };

struct exchange {
    CURL *curl;
    struct curl_slist *headers;
    struct tst_buf answer;
    char *body; /* wiped when released */
    char curl_error[CURL_ERROR_SIZE];
    struct tst_tls_pin pin;
    struct tst_error *tls_error; /* why the peer was not accepted */
};

static void exchange_clear(struct exchange *x)
{
    if (x->body)
        tst_wipe(x->body, strlen(x->body));
    free(x->body);
    tst_buf_clear(&x->answer);
    curl_slist_free_all(x->headers);
    curl_easy_cleanup(x->curl);
    tst_error_free(x->tls_error);
}
#define AUTO_EXCHANGE __attribute__((cleanup(exchange_clear))) struct exchange

static size_t on_answer(char *p, size_t size, size_t n, void *arg)
{
    struct exchange *x = arg;
    return tst_buf_put(&x->answer, p, size * n, NULL) ? 0 : size * n;
}

static CURLcode on_tls(CURL *curl, void *ssl_ctx, void *arg)
{
    struct exchange *x = arg;
    (void)curl;
    return tst_tls_pin_ca(ssl_ctx, &x->pin, &x->tls_error) ? CURLE_SSL_CERTPROBLEM : CURLE_OK;
}

static int prepare(struct exchange *x, const char *method, const char *url, json_t *body, struct tst_error **err)
{
    x->answer.max = ANSWER_MAX_BYTES;
    x->curl = curl_easy_init();
    x->headers = curl_slist_append(NULL, "Content-Type: application/json");
    x->body = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (!x->curl || !x->headers || (body && !x->body))
        return tst_fail(err, TST_INTERNAL, "out of memory");
    CURLcode c = curl_easy_setopt(x->curl, CURLOPT_URL, url);
    curl_easy_setopt(x->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, x->headers);
    if (x->body)
        curl_easy_setopt(x->curl, CURLOPT_POSTFIELDS, x->body);
    curl_easy_setopt(x->curl, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(x->curl, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(x->curl, CURLOPT_ERRORBUFFER, x->curl_error);
    curl_easy_setopt(x->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(x->curl, CURLOPT_TIMEOUT, (long)TOTAL_S);
    curl_easy_setopt(x->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(x->curl, CURLOPT_NOPROXY, "*");
    return c == CURLE_OK ? 0 : tst_fail(err, TST_USAGE, "URL %s: %s", url, curl_easy_strerror(c));
}

static char *dup_or_null(json_t *problem, const char *key)
{
    const char *t = json_string_value(json_object_get(problem, key));
    return t ? strdup(t) : NULL;
}

/* Only a status that says "later" or "other side" is worth another try. */
static enum tst_code code_of_status(long status)
{
    return status >= 500 ? TST_UNREACHABLE : status == 403 ? TST_DENIED : status == 404 ? TST_NOT_FOUND : TST_USAGE;
}

static int fail_with_problem(long status, json_t *problem, struct tst_error **err)
{
    static const char prefix[] = "urn:testudo:problem:";
    TST_AUTO_STR detail = dup_or_null(problem, "detail");
    TST_AUTO_STR type = dup_or_null(problem, "type");
    TST_AUTO_STR expected = dup_or_null(problem, "expected");
    TST_AUTO_STR found = dup_or_null(problem, "found");
    TST_AUTO_STR fix = dup_or_null(problem, "fix");
    int r = tst_fail(err, code_of_status(status), "%s", detail ? detail : "the broker refused without a detail");
    if (type && strncmp(type, prefix, sizeof prefix - 1) == 0)
        tst_reason(err, type + sizeof prefix - 1);
    tst_hint(err, expected, found, fix);
    return r;
}

static int read_answer(struct exchange *x, json_t **answer, struct tst_error **err)
{
    TST_AUTO_JSON j = NULL;
    TST_AUTO_ERROR malformed = NULL;
    long status = 0;
    curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    if (tst_json_parse((const char *)x->answer.p, x->answer.n, ANSWER_MAX_BYTES, &j, &malformed))
        return tst_fail(err, TST_UNREACHABLE, "HTTP %ld with an answer that is not JSON: %s", status, malformed->text);
    if (status != 200)
        return fail_with_problem(status, j, err);
    *answer = TST_STEAL(j);
    return 0;
}

static int run(struct exchange *x, json_t **answer, struct tst_error **err)
{
    CURLcode c = curl_easy_perform(x->curl);
    if (c == CURLE_OK)
        return read_answer(x, answer, err);
    const char *why = x->tls_error ? x->tls_error->text : x->curl_error[0] ? x->curl_error : curl_easy_strerror(c);
    /* not CURLE_SSL_CONNECT_ERROR: a broker that ends in the middle of a handshake is no other broker */
    if (c == CURLE_PEER_FAILED_VERIFICATION || c == CURLE_SSL_CERTPROBLEM) {
        tst_fail(err, TST_REFUTED, "TLS: %s", why);
        return tst_reason(err, "broker-certificate");
    }
    return tst_fail(err, TST_UNREACHABLE, "%s", why);
}

int broker_call(const char *socket, const char *method, const char *path, json_t *body, json_t **answer,
                struct tst_error **err)
{
    AUTO_EXCHANGE x = { 0 };
    char url[512];
    snprintf(url, sizeof url, "http://broker%s", path);
    int r = prepare(&x, method, url, body, err);
    if (!r) {
        curl_easy_setopt(x.curl, CURLOPT_UNIX_SOCKET_PATH, socket);
        r = run(&x, answer, err);
    }
    return r ? tst_wrap(err, "broker") : 0;
}

static int split_host(const char *address, char host[64], struct tst_error **err)
{
    const char *colon = strrchr(address, ':');
    if (!colon || colon == address || (size_t)(colon - address) >= 64)
        return tst_fail(err, TST_USAGE, "broker address '%.80s' is not HOST:PORT", address);
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = '\0';
    return 0;
}

int broker_post(const struct broker_endpoint *to, const char *path, json_t *body, json_t **answer, struct tst_error **err)
{
    AUTO_EXCHANGE x = { 0 };
    char url[512], host[64];
    int r = split_host(to->address, host, err);
    if (r)
        return r;
    memcpy(x.pin.ca_spki_sha256, to->ca_spki_sha256, TST_SHA256_BYTES);
    x.pin.host = host;
    snprintf(url, sizeof url, "https://%s%s", to->address, path);
    if (!(r = prepare(&x, "POST", url, body, err))) {
        curl_easy_setopt(x.curl, CURLOPT_SSL_CTX_FUNCTION, on_tls);
        curl_easy_setopt(x.curl, CURLOPT_SSL_CTX_DATA, &x);
        curl_easy_setopt(x.curl, CURLOPT_CAINFO, NULL);
        curl_easy_setopt(x.curl, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(x.curl, CURLOPT_TIMEOUT, (long)to->timeout_s);
        r = run(&x, answer, err);
    }
    return r ? tst_wrap(err, "broker %s", to->address) : 0;
}
