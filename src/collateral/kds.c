/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/kds.c - the politeness of kds.h: one lock, one shared memory of failures, one memory of what is not there.
 *   locks/kds-HASH        held during a request; HASH is of the service's address
 *   locks/kds-HASH.wait   "MILLISECONDS FAILURES REASON": nobody asks before that time (Unix time)
 *   FILE.absent           "SECONDS STATUS HASH": the service did not have FILE; asked again after that time */
#include "collateral/ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "collateral/http.h"
#include "collateral/inner.h"

#define BACKOFF_MAX_MS 60000u
#define WAIT_MAX_MS (3600 * 1000) /* a longer one is an error of somebody's clock */
#define ABSENT_S 3600
#define REFUTED_S 60
#define STATE_MAX_BYTES 1024

struct collateral_kds collateral_kds_default(void)
{
    return (struct collateral_kds){.total_ms = 120000, .request_ms = 20000, .backoff_ms = 1000};
}

static int64_t clock_ms(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- memory of failures, shared by all that use the store ---- */
struct wait_state {
    int64_t until_ms;
    unsigned failures;
    char reason[512];
};

struct names {
    char hash[17], lock[32], wait[48], absent[PATH_BYTES];
};

static int names_of(const struct collateral_kds *kds, const char *path, struct names *n, struct tst_error **err)
{
    const char *base = kds->base_url ? kds->base_url : TST_KDS_BASE;
    uint8_t hash[TST_SHA256_BYTES];
    int rc = tst_sha256(base, strlen(base), hash, err);
    tst_hex(hash, 8, n->hash);
    snprintf(n->lock, sizeof n->lock, "kds-%s", n->hash);
    snprintf(n->wait, sizeof n->wait, "locks/%s.wait", n->lock);
    snprintf(n->absent, sizeof n->absent, "%.*s.absent", PATH_BYTES - 8, path);
    return rc;
}

/* The decimal number at *at, and the one character behind it. */
static bool number_read(const char **at, int64_t *out, char behind)
{
    char *end = NULL;
    *out = strtoll(*at, &end, 10);
    bool ok = end != *at && *end == behind;
    *at = ok ? end + 1 : *at;
    return ok;
}

/* A damaged or absurd file counts as none: it would only cost a request. */
static struct wait_state wait_read(const struct collateral_store *s, const struct names *n)
{
    struct wait_state w = {0};
    TST_AUTO_BUF text = {0};
    int64_t now = clock_ms(CLOCK_REALTIME);
    if (fs_read(s->fd, n->wait, STATE_MAX_BYTES, &text, NULL) < 0 || !text.n)
        return w;
    const char *at = (char *)text.p;
    int64_t failures = 0;
    if (!number_read(&at, &w.until_ms, ' ') || !number_read(&at, &failures, ' ') || failures < 0 || failures > UINT16_MAX ||
        w.until_ms > now + WAIT_MAX_MS)
        return (struct wait_state){0};
    w.failures = (unsigned)failures;
    snprintf(w.reason, sizeof w.reason, "%.*s", (int)strcspn(at, "\n"), at);
    return w;
}

static int wait_write(const struct collateral_store *s, const struct names *n, const struct wait_state *w, struct tst_error **err)
{
    char text[STATE_MAX_BYTES];
    int len = snprintf(text, sizeof text, "%" PRId64 " %u %s\n", w->until_ms, w->failures, w->reason);
    return fs_write(s->fd, n->wait, text, (size_t)len, err);
}

/* Who failed together must not come back together: up to a quarter more. */
static unsigned jittered(unsigned ms)
{
    uint16_t r = 0;
    tst_random(&r, sizeof r, NULL);
    return ms + (unsigned)((uint64_t)ms / 4 * r / UINT16_MAX);
}

static int remember_failure(const struct collateral_store *s, const struct collateral_kds *kds, const struct names *n, long retry_after_s,
                            const char *reason, struct tst_error **err)
{
    struct wait_state w = wait_read(s, n);
    unsigned backoff = kds->backoff_ms;
    for (unsigned i = 0; i < w.failures && backoff < BACKOFF_MAX_MS; i++)
        backoff *= 2;
    int64_t wait_ms = retry_after_s > 0 ? (int64_t)retry_after_s * 1000 : (int64_t)jittered(backoff < BACKOFF_MAX_MS ? backoff : BACKOFF_MAX_MS);
    w.until_ms = clock_ms(CLOCK_REALTIME) + (wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS);
    w.failures++;
    snprintf(w.reason, sizeof w.reason, "%s", reason);
    return wait_write(s, n, &w, err);
}

/* ---- memory of what is not there ---- */

static int fail_absent(long status, const char *url, struct tst_error **err)
{
    if (status == 0)
        return tst_fail(err, TST_REFUTED, "%s: answered with something else less than a minute ago", url);
    tst_fail(err, TST_NOT_FOUND, "%s: HTTP %ld: the service does not have it", url, status);
    return tst_hint(err, NULL, NULL, "the chip may be a pre-production part, or its TCB unknown to AMD; --retry asks again");
}

static int check_absent(const struct collateral_store *s, const struct collateral_kds *kds, const struct names *n, const char *url,
                        struct tst_error **err)
{
    TST_AUTO_BUF text = {0};
    int64_t until = 0, status = 0;
    if (kds->retry_absent || fs_read(s->fd, n->absent, STATE_MAX_BYTES, &text, NULL) < 0 || !text.n)
        return 0;
    const char *at = (char *)text.p;
    if (!number_read(&at, &until, ' ') || !number_read(&at, &status, ' ') || strcspn(at, "\n") != strlen(n->hash) ||
        strncmp(at, n->hash, strlen(n->hash)) != 0)
        return 0;
    int64_t left = until - clock_ms(CLOCK_REALTIME) / 1000;
    return left > 0 && left <= ABSENT_S ? fail_absent((long)status, url, err) : 0;
}

static int remember_absent(const struct collateral_store *s, const struct names *n, long status, int64_t seconds, struct tst_error **err)
{
    char text[96];
    int len = snprintf(text, sizeof text, "%" PRId64 " %ld %s\n", clock_ms(CLOCK_REALTIME) / 1000 + seconds, status, n->hash);
    return fs_write(s->fd, n->absent, text, (size_t)len, err);
}

/* ---- one request, under the lock ---- */

static bool says_later(long status)
{
    return status == 408 || status == 429 || status >= 500;
}

static int answer_failed(struct collateral_store *s, const struct collateral_kds *kds, const struct names *n, const struct ask *a,
                         const struct http_answer *answer, struct tst_error **err)
{
    char reason[512];
    if (says_later(answer->status)) {
        snprintf(reason, sizeof reason, "%s: HTTP %ld", a->url, answer->status);
        int rc = remember_failure(s, kds, n, answer->retry_after_s, reason, err);
        return rc ? rc : tst_fail(err, TST_UNREACHABLE, "%s", reason);
    }
    int rc = fs_remove(s->fd, n->wait, err);
    rc = rc ? rc : remember_absent(s, n, answer->status, ABSENT_S, err);
    return rc ? rc : fail_absent(answer->status, a->url, err);
}

static int take(struct collateral_store *s, const struct names *n, const struct ask *a, const struct http_answer *answer,
                struct tst_error **err)
{
    int rc = fs_remove(s->fd, n->wait, err);
    if (rc)
        return rc;
    rc = a->take(s, a, answer->body.p, answer->body.n, err);
    if (rc == 0)
        return fs_remove(s->fd, n->absent, err);
    if (rc != -TST_REFUTED && rc != -TST_USAGE && rc != -TST_TOO_LARGE)
        return rc;
    remember_absent(s, n, 0, REFUTED_S, NULL); /* the reason below counts more than a failure to keep it */
    tst_wrap(err, "%s answered with something else", a->url);
    if (err && *err)
        (*err)->code = TST_REFUTED;
    return -TST_REFUTED;
}

/* -TST_UNREACHABLE is the only outcome that is worth another try. */
static int ask_once(struct collateral_store *s, const struct collateral_kds *kds, const struct names *n, const struct ask *a,
                    struct tst_error **err)
{
    AUTO_ANSWER answer = {0};
    int rc = http_get(a->url, a->max_bytes, kds->request_ms, &answer, err);
    if (rc == -TST_UNREACHABLE) {
        int kept = remember_failure(s, kds, n, 0, err && *err ? (*err)->text : a->url, NULL);
        return kept ? kept : rc;
    }
    if (rc)
        return rc;
    return answer.status == 200 ? take(s, n, a, &answer, err) : answer_failed(s, kds, n, a, &answer, err);
}

/* ---- until it is there, or the time is over ---- */

enum turn { TURN_DONE, TURN_WAIT };

/* One turn under the lock. *wait_ms: how long nobody asks. */
static int turn(struct collateral_store *s, const struct collateral_kds *kds, const struct names *n, struct ask *a, unsigned lock_ms,
                enum turn *state, int64_t *wait_ms, struct tst_error **err)
{
    AUTO_FD lock = -1;
    *state = TURN_DONE;
    int rc = fs_lock(s->fd, n->lock, lock_ms, &lock, err);
    if (rc || a->have(s, a)) /* another process may have brought it while this one waited */
        return rc;
    rc = check_absent(s, kds, n, a->url, err);
    if (rc)
        return rc;
    struct wait_state w = wait_read(s, n);
    if (w.until_ms <= clock_ms(CLOCK_REALTIME)) {
        a->asked = true;
        rc = ask_once(s, kds, n, a, err);
        if (rc != -TST_UNREACHABLE)
            return rc;
        w = wait_read(s, n);
    } else
        rc = tst_fail(err, TST_UNREACHABLE, "%s", w.reason);
    *state = TURN_WAIT;
    *wait_ms = w.until_ms - clock_ms(CLOCK_REALTIME);
    *wait_ms = *wait_ms > 0 ? *wait_ms : 0;
    return rc;
}

static int give_up(int64_t wait_ms, const struct collateral_kds *kds, struct tst_error **err)
{
    TST_AUTO_STR fix = tst_strdup_printf("try again in %" PRId64 " s, or wait longer (--wait), or name a mirror (--base-url)",
                                         (wait_ms + 999) / 1000);
    tst_wrap(err, "no answer within %u s", kds->total_ms / 1000);
    return tst_hint(err, NULL, NULL, fix);
}

static int ask_until(struct collateral_store *s, const struct collateral_kds *kds, struct ask *a, struct tst_error **err)
{
    struct names n;
    int64_t end = clock_ms(CLOCK_MONOTONIC) + kds->total_ms;
    if (a->have(s, a))
        return 0;
    if (kds->offline) {
        tst_fail(err, TST_UNREACHABLE, "%s is not in the store, and offline nobody is asked", a->path);
        return tst_hint(err, NULL, NULL, "import a bundle, or fetch it where there is a network");
    }
    int rc = names_of(kds, a->path, &n, err);
    while (rc == 0) {
        enum turn state;
        int64_t wait_ms = 0, left = end - clock_ms(CLOCK_MONOTONIC);
        rc = turn(s, kds, &n, a, left > 0 ? (unsigned)left : 0, &state, &wait_ms, err);
        if (rc == 0 || state == TURN_DONE)
            return rc;
        left = end - clock_ms(CLOCK_MONOTONIC);
        if (wait_ms >= left)
            return give_up(wait_ms, kds, err);
        error_forget(err);
        rc = 0;
        fs_sleep_ms((unsigned)wait_ms + 1);
    }
    return rc;
}

/* The code of an error is decided on here, so there always is one. */
int kds_ask(struct collateral_store *s, const struct collateral_kds *kds, struct ask *a, struct tst_error **err)
{
    TST_AUTO_ERROR own = NULL;
    return ask_until(s, kds, a, err ? err : &own);
}
