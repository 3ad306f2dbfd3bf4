/* SPDX-License-Identifier: Apache-2.0 */
/* broker/http.h - the two doors: TLS for nodes, a local socket for owner and operator. */
#ifndef TESTUDO_BROKER_HTTP_H
#define TESTUDO_BROKER_HTTP_H

#include <sys/types.h>

#include "broker/broker.h"

enum { PRINCIPALS_MAX = 16 };
struct broker_roles {
    uid_t owners[PRINCIPALS_MAX], operators[PRINCIPALS_MAX];
    size_t owner_count, operator_count;
};
/* Serves until SIGTERM or SIGINT. socket_path is made with mode 0666: SO_PEERCRED decides, each time. */
int http_serve(struct broker *b, const struct broker_roles *roles, const char *socket_path, struct tst_error **err);

#endif
