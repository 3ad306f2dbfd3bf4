/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_up.c - `testudo up` and `testudo launch`: a table of steps, each of which finds out what is
 * there already, so that a run that was cut short is repeated by running it again. */
#include <stdio.h>
#include <sys/stat.h>

#include "broker/client.h"
#include "cluster/providers/local.h"
#include "cluster/state.h"

#define LOCK_WAIT_S 20
#define ADMIT_TIMEOUT_S 60 /* and a few seconds more for each node: they share the machine's cores */
#define ADMIT_TIMEOUT_PER_NODE_S 6
#define POLL_MS 100

struct up {
    const struct provider_up *req;
    struct local *l;
    struct daemon_ids ids;
    json_t *policies[2];
};

/* ---- steps before any node ---- */

static int check_machine(struct up *u, struct tst_error **err)
{
    struct stat root, usr;

    (void)u;
    if (geteuid() != 0) {
        tst_fail(err, TST_USAGE, "provider local makes namespaces and mounts");
        return tst_hint(err, "root", "another user", "run it with sudo");
    }
    if (stat("/", &root) || stat("/usr", &usr) || root.st_dev != usr.st_dev)
        return tst_fail(err, TST_UNDECIDABLE, "/usr is a file system of its own: nodes would not see it through /");
    static const char *const programs[] = {"/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/munged",
                                           "/usr/bin/sinfo"};
    for (size_t i = 0; i < TST_COUNT(programs); i++)
        if (access(programs[i], X_OK)) {
            tst_fail(err, TST_NOT_FOUND, "%s is not there", programs[i]);
            return tst_hint(err, NULL, NULL, "apt-get install slurmctld slurmd slurm-client munge");
        }
    return 0;
}

static bool anything_runs(const struct local *l, const struct plan *plan)
{
    if (daemon_alive(l, "testudod") || daemon_alive(l, "testudo-psp"))
        return true;
    for (size_t r = 0; r < plan->realm_count; r++)
        for (size_t i = 0; i < plan->realms[r].member_count; i++)
            if (node_alive(l, plan->realms[r].members[i].instance))
                return true;
    return false;
}

/* A running cluster keeps the file that it was made from. */
static int keep_cluster_file(struct up *u, struct tst_error **err)
{
    AUTO_PLAN before = NULL;
    TST_AUTO_STR text = NULL;
    TST_AUTO_ERROR none = NULL;
    const struct provider_up *req = u->req;
    bool known = state_load_plan(req->state, &before, &text, &none) == 0;

    if (known && !strcmp(text, req->text))
        return 0;
    if (known && anything_runs(u->l, before)) {
        tst_fail(err, TST_UNDECIDABLE, "%s runs another cluster file", req->state);
        return tst_hint(err, NULL, req->file, "`testudo down` first");
    }
    return state_save_cluster(req->state, req->text, req->text_bytes, err);
}

static int make_keys(struct up *u, struct tst_error **err)
{
    int rc = local_needs_psp(u->req->plan) ? psp_init(u->l, &u->ids, err) : 0;

    return rc ? rc : broker_init(u->l, &u->ids, err);
}

static int make_policies(struct up *u, struct tst_error **err)
{
    int rc = 0;

    for (size_t i = 0; i < u->req->plan->realm_count && !rc; i++)
        rc = refs_policy(u->l, u->req->file, &u->req->plan->realms[i], &u->ids, &u->policies[i], err);
    return rc;
}

static int make_shared_folders(struct up *u, struct tst_error **err)
{
    for (size_t i = 0; i < u->req->plan->realm_count; i++) {
        const char *realm = u->req->plan->realms[i].name;
        TST_AUTO_STR shared = local_path(u->l, "shared/%s", realm), home = local_path(u->l, "shared/%s/home", realm);
        TST_AUTO_STR user = local_path(u->l, "shared/%s/home/" LOCAL_JOB_USER, realm);
        int rc;
        if (!shared || !home || !user)
            return tst_fail(err, TST_INTERNAL, "out of memory");
        if ((rc = os_mkdirs(shared, 0755, err)) || (rc = os_mkdirs(home, 0755, err)) ||
            (rc = os_mkdirs(user, 0700, err)))
            return rc;
        if (lchown(user, LOCAL_JOB_UID, LOCAL_JOB_UID) < 0)
            return os_fail(err, "%s", user);
    }
    return 0;
}

static int start_network(struct up *u, struct tst_error **err)
{
    return net_bridge_up(u->l, err);
}

static int start_daemons(struct up *u, struct tst_error **err)
{
    return daemons_up(u->l, err);
}

static int put_plan(struct up *u, struct tst_error **err)
{
    TST_AUTO_JSON plan = NULL, answer = NULL;
    int rc = plan_json(u->req->plan, u->policies, &plan, err);

    return rc ? rc : broker_call(u->l->broker_socket, "PUT", "/v1/plan", plan, &answer, err);
}

/* ---- launching ---- */

struct launching {
    const struct local *l;
    const struct plan_realm *realm;
    const struct plan_member *member;
    const char *agent; /* NULL = ours */
    const char *ca_hex;
};

/* Arms the instance at the broker and starts its machine; *status_fd as node_start(). */
static int launch_one(const struct launching *what, json_t *nodes, int *status_fd, struct tst_error **err)
{
    const char *instance = what->member->instance;
    json_t *known = watch_node(nodes, instance);
    TST_AUTO_STR agent = what->agent ? strdup(what->agent) : NULL, init = NULL;
    AUTO_FD token = -1;
    int rc;

    if (!known)
        return tst_fail(err, TST_DENIED, "%s is not in the plan that the broker accepted", instance);
    if ((!agent && (rc = os_program("testudo-agent", &agent, err))) || (rc = os_program("testudo-init", &init, err)) ||
        (rc = watch_arm(what->l, instance, watch_text(known, "state"), &token, err)))
        return rc;
    const struct node_spec spec = {.l = what->l,
                                   .realm = what->realm,
                                   .member = what->member,
                                   .agent = agent,
                                   .init = init,
                                   .ca_hex = what->ca_hex,
                                   .token_fd = token};
    return node_start(&spec, status_fd, err);
}

struct member_at {
    const struct plan_realm *realm;
    const struct plan_member *member;
};

/* Members that `up` starts, in the plan's order (controllers first); returns their count. */
static size_t members_to_start(const struct plan *plan, struct member_at out[2 * (CLUSTER_REALM_NODES_MAX + 1)])
{
    size_t count = 0;

    for (size_t r = 0; r < plan->realm_count; r++)
        for (size_t i = 0; i < plan->realms[r].member_count; i++)
            if (!plan->realms[r].members[i].reserved)
                out[count++] = (struct member_at){&plan->realms[r], &plan->realms[r].members[i]};
    return count;
}

/* A node that runs but that the broker has lost does not come back by itself: a launch is one admission. */
static bool must_launch(const struct local *l, json_t *nodes, const char *instance)
{
    const char *state = watch_text(watch_node(nodes, instance), "state");

    if (!node_alive(l, instance))
        return true;
    if (!strcmp(state, "admitted") || !strcmp(state, "expected"))
        return false;
    node_down(l, instance);
    return true;
}

static int launch_nodes(struct up *u, struct tst_error **err)
{
    struct member_at members[2 * (CLUSTER_REALM_NODES_MAX + 1)];
    int status[TST_COUNT(members)];
    size_t count = members_to_start(u->req->plan, members), started = 0;
    TST_AUTO_JSON nodes = NULL;
    int rc = watch_nodes(u->l, &nodes, err);

    for (started = 0; started < count && !rc; started++) {
        const struct launching what = {u->l, members[started].realm, members[started].member, NULL, u->ids.ca_hex};
        status[started] = -1;
        if (must_launch(u->l, nodes, what.member->instance))
            rc = launch_one(&what, nodes, &status[started], err);
    }
    for (size_t i = 0; i < started; i++) {
        struct tst_error *why = NULL;
        if (status[i] < 0 || !node_started(status[i], members[i].member->instance, &why))
            continue;
        if (!rc) {
            rc = -(int)why->code;
            tst_error_free(*err);
            *err = TST_STEAL(why);
        }
        tst_error_free(why);
    }
    return rc;
}

/* ---- waiting ---- */

/* One text for all nodes that are not there yet: "s1: expected (digest-unknown), s2: its machine ended". */
static int describe_missing(const struct local *l, json_t *nodes, const struct member_at *members, size_t count,
                            struct tst_error **err)
{
    TST_AUTO_BUF text = {0};
    int rc = 0;

    for (size_t i = 0; i < count && !rc; i++) {
        const char *instance = members[i].member->instance;
        json_t *node = watch_node(nodes, instance);
        const char *state = watch_text(node, "state"), *reason = watch_text(node, "reason");
        if (!strcmp(state, "admitted"))
            continue;
        rc = tst_buf_printf(&text, err, "%s%s: %s%s%s%s", text.n ? ", " : "", instance,
                            node_alive(l, instance) ? state : "its machine ended", *reason ? " (" : "", reason,
                            *reason ? ")" : "");
    }
    if (rc)
        return rc;
    tst_fail(err, TST_UNDECIDABLE, "not admitted: %s", text.n ? (const char *)text.p : "none");
    return tst_hint(err, NULL, NULL, "`testudo logs NODE` and `testudo logs broker` say more");
}

static size_t count_admitted(const struct local *l, json_t *nodes, const struct member_at *members, size_t count,
                             bool *dead)
{
    size_t admitted = 0;

    for (size_t i = 0; i < count; i++) {
        admitted += !strcmp(watch_text(watch_node(nodes, members[i].member->instance), "state"), "admitted");
        *dead = *dead || !node_alive(l, members[i].member->instance);
    }
    return admitted;
}

static int await_admission(struct up *u, struct tst_error **err)
{
    struct member_at members[2 * (CLUSTER_REALM_NODES_MAX + 1)];
    size_t count = members_to_start(u->req->plan, members);
    double until = os_seconds() + ADMIT_TIMEOUT_S + ADMIT_TIMEOUT_PER_NODE_S * (double)count;

    for (;;) {
        TST_AUTO_JSON nodes = NULL;
        bool dead = false;
        int rc = watch_nodes(u->l, &nodes, err);
        if (rc)
            return rc;
        size_t admitted = count_admitted(u->l, nodes, members, count, &dead);
        progress_note(u->req->progress, "%zu of %zu", admitted, count);
        if (admitted == count)
            return 0;
        if (dead || os_seconds() > until)
            return describe_missing(u->l, nodes, members, count, err);
        os_sleep_ms(POLL_MS);
    }
}

static bool is_ready(const char *slurm_state)
{
    static const char *const ready[] = {"idle", "allocated", "mixed", "completing"};

    for (size_t i = 0; i < TST_COUNT(ready); i++)
        if (!strcmp(slurm_state, ready[i]))
            return true;
    return false;
}

/* Appends the realm's nodes that are not ready; *ready and *all count. */
static int judge_slurm(const struct local *l, const struct plan_realm *realm, size_t *ready, size_t *all,
                       struct tst_buf *missing, struct tst_error **err)
{
    TST_AUTO_JSON states = watch_slurm(l, realm);
    int rc = 0;

    for (size_t i = 0; i < realm->member_count && !rc; i++) {
        const struct plan_member *m = &realm->members[i];
        if (!m->schedulable || m->reserved)
            continue;
        const char *state = watch_text(states, m->instance);
        bool ok = is_ready(state);
        *all += 1;
        *ready += ok;
        if (!ok)
            rc = tst_buf_printf(missing, err, "%s%s: %s", missing->n ? ", " : "", m->instance,
                                *state ? state : "unknown");
    }
    return rc;
}

static int await_slurm(struct up *u, struct tst_error **err)
{
    const struct plan *plan = u->req->plan;
    double until = os_seconds() + ADMIT_TIMEOUT_S;

    for (;;) {
        TST_AUTO_BUF missing = {0};
        size_t ready = 0, all = 0;
        for (size_t i = 0; i < plan->realm_count; i++) {
            int rc = judge_slurm(u->l, &plan->realms[i], &ready, &all, &missing, err);
            if (rc)
                return rc;
        }
        progress_note(u->req->progress, "%zu of %zu", ready, all);
        if (ready == all)
            return 0;
        if (os_seconds() > until) {
            tst_fail(err, TST_UNDECIDABLE, "not idle in Slurm: %s", (const char *)missing.p);
            return tst_hint(err, NULL, NULL, "see `testudo logs NODE --log slurmctld` and `--log slurmd`");
        }
        os_sleep_ms(POLL_MS);
    }
}

/* ---- the provider's callbacks ---- */

static const struct step {
    const char *phase;
    int (*run)(struct up *u, struct tst_error **err);
} steps[] = {
    {"check the machine", check_machine},
    {"keep the cluster file", keep_cluster_file},
    {"keys of broker and simulator", make_keys},
    {"reference values and policy", make_policies},
    {"shared folders", make_shared_folders},
    {"network", start_network},
    {"start broker and simulator", start_daemons},
    {"broker accepts the plan", put_plan},
    {"launch nodes", launch_nodes},
    {"nodes admitted", await_admission},
    {"nodes idle in Slurm", await_slurm},
};

static int run_steps(struct up *u, struct tst_error **err)
{
    for (size_t i = 0; i < TST_COUNT(steps); i++) {
        progress_begin(u->req->progress, steps[i].phase);
        if (steps[i].run(u, err)) {
            progress_abandon(u->req->progress);
            return tst_wrap(err, "%s", steps[i].phase);
        }
        progress_end(u->req->progress);
    }
    return 0;
}

int local_up(const struct provider_up *req, struct tst_error **err)
{
    AUTO_LOCAL l = {.lock_fd = -1};
    struct up u = {.req = req, .l = &l};
    int rc;

    if ((rc = state_make(req->state, err)) || (rc = local_open(req->state, req->plan, &l, err)) ||
        (rc = state_lock(req->state, LOCK_WAIT_S, &l.lock_fd, err)))
        return rc;
    rc = run_steps(&u, err);
    for (size_t i = 0; i < TST_COUNT(u.policies); i++)
        json_decref(u.policies[i]);
    return rc;
}

/* Ends as soon as the broker has decided. */
static int await_decision(const struct local *l, const char *instance, struct tst_error **err)
{
    double until = os_seconds() + ADMIT_TIMEOUT_S;

    for (;;) {
        TST_AUTO_JSON nodes = NULL;
        int rc = watch_nodes(l, &nodes, err);
        if (rc)
            return rc;
        json_t *node = watch_node(nodes, instance);
        if (!strcmp(watch_text(node, "state"), "admitted"))
            return 0;
        if (*watch_text(node, "reason")) {
            tst_fail(err, TST_DENIED, "%s was refused: %s", instance, watch_text(node, "reason"));
            return tst_hint(err, NULL, NULL, "`testudo log show` has the row, `testudo logs NODE` what the node says");
        }
        const struct member_at self = {NULL, plan_find(l->plan, instance, NULL)};
        if (!node_alive(l, instance) || os_seconds() > until)
            return describe_missing(l, nodes, &self, 1, err);
        os_sleep_ms(POLL_MS);
    }
}

static int read_ca(const struct local *l, char hex[65], struct tst_error **err)
{
    TST_AUTO_JSON info = NULL;
    int rc = broker_call(l->broker_socket, "GET", "/v1/info", NULL, &info, err);

    if (!rc)
        snprintf(hex, 65, "%s", watch_text(info, "broker-id"));
    return rc;
}

static int launch_steps(const struct provider_launch *req, const struct launching *what, struct tst_error **err)
{
    TST_AUTO_JSON nodes = NULL;
    int status_fd, rc;

    progress_begin(req->progress, "launch");
    if ((rc = watch_nodes(what->l, &nodes, err)) || (rc = launch_one(what, nodes, &status_fd, err)) ||
        (rc = node_started(status_fd, req->instance, err)))
        return rc;
    progress_end(req->progress);
    progress_begin(req->progress, "broker decides");
    if ((rc = await_decision(what->l, req->instance, err)))
        return rc;
    progress_end(req->progress);
    return 0;
}

int local_launch(const struct provider_launch *req, struct tst_error **err)
{
    AUTO_LOCAL l = {.lock_fd = -1};
    char ca_hex[65];
    struct launching what = {.l = &l, .agent = req->agent, .ca_hex = ca_hex};
    int rc;

    if (!(what.member = plan_find(req->plan, req->instance, &what.realm)))
        return tst_fail(err, TST_NOT_FOUND, "%s is not in the plan", req->instance);
    if ((rc = local_open(req->state, req->plan, &l, err)) ||
        (rc = state_lock(req->state, LOCK_WAIT_S, &l.lock_fd, err)) || (rc = read_ca(&l, ca_hex, err)))
        return rc;
    if (node_alive(&l, req->instance))
        return tst_fail(err, TST_UNDECIDABLE, "%s runs already", req->instance);
    rc = launch_steps(req, &what, err);
    if (rc)
        progress_abandon(req->progress);
    return rc;
}
