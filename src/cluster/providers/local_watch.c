/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_watch.c - ask the broker and Slurm how the nodes do, and arm instances for a launch. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/client.h"
#include "cluster/providers/local.h"

int watch_nodes(const struct local *l, json_t **out, struct tst_error **err)
{
    TST_AUTO_JSON answer = NULL;
    int rc = broker_call(l->broker_socket, "GET", "/v1/nodes", NULL, &answer, err);

    if (rc)
        return rc;
    if (!json_is_array(json_object_get(answer, "nodes")))
        return tst_fail(err, TST_INTERNAL, "broker: no list of nodes in its answer");
    *out = TST_STEAL(answer);
    return 0;
}

json_t *watch_node(json_t *nodes, const char *instance)
{
    size_t i;
    json_t *node;

    json_array_foreach(json_object_get(nodes, "nodes"), i, node)
        if (!strcmp(watch_text(node, "instance"), instance))
            return node;
    return NULL;
}

const char *watch_text(json_t *node, const char *key)
{
    const char *text = json_string_value(json_object_get(node, key));

    return text ? text : "";
}

/* ---- Slurm ---- */

/* "s1 idle\n" each. */
static json_t *parse_sinfo(char *text)
{
    json_t *states = json_object();
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *state = strchr(line, ' ');
        if (!state)
            continue;
        *state++ = '\0';
        json_object_set_new(states, line, json_string(state));
    }
    return states;
}

json_t *watch_slurm(const struct local *l, const struct plan_realm *realm)
{
    static const char *const argv[] = {"timeout", "10", "sinfo", "--noheader", "--Node", "--format=%N %T", NULL};
    TST_AUTO_ERROR ignored = NULL;
    TST_AUTO_BUF text = {0};
    char chunk[4096];
    int status, fds[2];
    ssize_t n;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return json_object();
    /* some kilobytes for 90 nodes: they fit into the pipe, so it can be read afterwards */
    int rc = node_run(l, realm->members[0].instance, "root", argv, fds[1], &status, &ignored);
    close(fds[1]);
    while (!rc && (n = read(fds[0], chunk, sizeof chunk)) > 0)
        rc = tst_buf_put(&text, chunk, (size_t)n, &ignored);
    close(fds[0]);
    if (rc || status || tst_buf_put(&text, "", 1, &ignored))
        return json_object();
    return parse_sinfo((char *)text.p);
}

/* ---- arming ---- */

static int token_pipe(json_t *answer, int *token_fd, struct tst_error **err)
{
    json_t *token = json_object_get(answer, "token");
    size_t n = json_string_length(token);
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return os_fail(err, "pipe");
    bool sent = !n || write(fds[1], json_string_value(token), n) == (ssize_t)n; /* far below a pipe's capacity */
    if (n)
        tst_wipe((char *)(uintptr_t)json_string_value(token), n);
    close(fds[1]);
    if (!sent) {
        close(fds[0]);
        return os_fail(err, "pipe");
    }
    *token_fd = fds[0];
    return 0;
}

int watch_arm(const struct local *l, const char *instance, const char *state, int *token_fd, struct tst_error **err)
{
    TST_AUTO_JSON body = json_pack("{s:s}", "instance", instance), answer = NULL;
    const char *route = strcmp(state, "planned") ? "/v1/rearm" : "/v1/expect";
    int rc = broker_call(l->broker_socket, "POST", route, body, &answer, err);

    return rc ? rc : token_pipe(answer, token_fd, err);
}
