/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/http.h - one bounded GET. */
#ifndef TESTUDO_COLLATERAL_HTTP_H
#define TESTUDO_COLLATERAL_HTTP_H

#include <testudo/base.h>

struct http_answer {
    long status;
    long retry_after_s; /* 0: not said */
    struct tst_buf body;
};
#define AUTO_ANSWER __attribute__((cleanup(http_answer_clear))) struct http_answer
void http_answer_clear(struct http_answer *a);
/* http and https only, no redirects, body of at most max bytes (-TST_TOO_LARGE), all within `ms`. -TST_UNREACHABLE when there
 * is no whole answer; any status is an answer. */
int http_get(const char *url, size_t max, unsigned ms, struct http_answer *out, struct tst_error **err);

#endif
