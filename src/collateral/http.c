/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/http.c - see http.h. What comes is public and verified by its content; TLS only keeps strangers from wasting our
 * time. */
#include "collateral/http.h"

#include <curl/curl.h>

#define CONNECT_MAX_MS 10000

struct transfer {
    CURL *curl;
    struct tst_buf *body;
    bool too_large;
    char why[CURL_ERROR_SIZE];
};

static void transfer_clear(struct transfer *t)
{
    curl_easy_cleanup(t->curl);
}

void http_answer_clear(struct http_answer *a)
{
    tst_buf_clear(&a->body);
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    t->too_large = tst_buf_put(t->body, p, size * n, NULL) < 0;
    return t->too_large ? 0 : size * n;
}

static CURLcode prepare(struct transfer *t, const char *url, unsigned ms)
{
    const long connect_ms = ms < CONNECT_MAX_MS ? (long)ms : CONNECT_MAX_MS;
    CURLcode c = curl_easy_setopt(t->curl, CURLOPT_URL, url);
    c = c ? c : curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    c = c ? c : curl_easy_setopt(t->curl, CURLOPT_FOLLOWLOCATION, 0L);
    c = c ? c : curl_easy_setopt(t->curl, CURLOPT_USERAGENT, "testudo");
    c = c ? c : curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_body);
    c = c ? c : curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
    c = c ? c : curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, t->why);
    c = c ? c : curl_easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    c = c ? c : curl_easy_setopt(t->curl, CURLOPT_TIMEOUT_MS, (long)ms);
    c = c ? c : curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
    return c;
}

int http_get(const char *url, size_t max, unsigned ms, struct http_answer *out, struct tst_error **err)
{
    __attribute__((cleanup(transfer_clear))) struct transfer t = {.curl = curl_easy_init(), .body = &out->body};
    curl_off_t retry_after = 0;
    tst_buf_clear(&out->body);
    *out = (struct http_answer){.body.max = max};
    if (!t.curl)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    CURLcode c = prepare(&t, url, ms);
    if (c)
        return tst_fail(err, TST_USAGE, "%s: %s", url, curl_easy_strerror(c));
    c = curl_easy_perform(t.curl);
    if (t.too_large)
        return tst_fail(err, TST_TOO_LARGE, "%s: an answer of more than %zu bytes", url, max);
    if (c == CURLE_URL_MALFORMAT || c == CURLE_UNSUPPORTED_PROTOCOL)
        return tst_fail(err, TST_USAGE, "%s: %s", url, curl_easy_strerror(c));
    if (c)
        return tst_fail(err, TST_UNREACHABLE, "%s: %s", url, t.why[0] ? t.why : curl_easy_strerror(c));
    curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &out->status);
    curl_easy_getinfo(t.curl, CURLINFO_RETRY_AFTER, &retry_after);
    out->retry_after_s = retry_after > 0 ? (long)retry_after : 0;
    return 0;
}
