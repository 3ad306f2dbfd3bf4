/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local.h - the local provider's parts: every node is a set of namespaces of this machine.
 * State folder: lock, cluster.yaml, policy/, broker/, psp/, nodes/NAME/{pid,init,console.log,area/}, shared/REALM/. */
#ifndef TESTUDO_PROVIDER_LOCAL_H
#define TESTUDO_PROVIDER_LOCAL_H

#include "cluster/os.h"
#include "cluster/provider.h"

#define LOCAL_MTU "9000"
#define LOCAL_JOB_USER "hpc"
#define LOCAL_JOB_UID 2000
#define LOCAL_JOB_HOME "/shared/home/hpc"
#define LOCAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct local {
    char *state;
    const struct plan *plan; /* borrowed; NULL when `down` finds none */
    char tag[5];             /* 4 hex of the state folder's path: our interfaces are tTAG-NODE */
    char bridge[16];         /* "tst-CLUSTER"; "" without a plan */
    char *broker_socket;
    int lock_fd;             /* of the state folder; a child keeps it until it can be found by its pid file; -1 */
};
int local_open(const char *state, const struct plan *plan, struct local *out, struct tst_error **err);
void local_clear(struct local *l);
#define AUTO_LOCAL __attribute__((cleanup(local_clear))) struct local
/* STATE/fmt, malloc'ed; NULL when out of memory. */
char *local_path(const struct local *l, const char *fmt, ...) TST_PRINTF(2, 3);

/* ---- network (local_net.c): iproute2 does the work ---- */
/* The bridge with the gateway's address. Refuses a network or a name that something else uses. */
int net_bridge_up(const struct local *l, struct tst_error **err);
/* Removes the bridge and every interface of ours. */
int net_down(const struct local *l, struct tst_error **err);
/* On the host: a pair from the bridge to eth0 in the network namespace of init. */
int net_attach(const struct local *l, const char *instance, pid_t init, struct tst_error **err);
/* In the node: addresses of lo and eth0. */
int net_configure(const char *address, struct tst_error **err);

/* ---- broker and secure processor (local_daemons.c) ---- */
struct daemon_ids {
    char ca_hex[65];  /* SPKI SHA-256 of the broker's CA */
    char ark_hex[65]; /* ... of the simulator's root; "" without a sealed realm */
};
bool local_needs_psp(const struct plan *plan);
int psp_init(const struct local *l, struct daemon_ids *ids, struct tst_error **err);
int broker_init(const struct local *l, struct daemon_ids *ids, struct tst_error **err);
/* Starts what does not run, and waits until it answers. */
int daemons_up(const struct local *l, struct tst_error **err);
/* Stops broker and psp, whichever run. */
void daemons_down(const struct local *l);
bool daemon_alive(const struct local *l, const char *program);

/* ---- reference values and policy (local_refs.c) ---- */
/* Writes the policy's copy and the reference values of what this provider launches below STATE/policy, and reads the
 * policy with its includes. *out: resolved JSON, NULL for a realm without a policy. */
int refs_policy(const struct local *l, const char *cluster_file, const struct plan_realm *realm,
                const struct daemon_ids *ids, json_t **out, struct tst_error **err);

/* ---- one node ---- */
struct node_spec {
    const struct local *l;
    const struct plan_realm *realm;
    const struct plan_member *member;
    const char *agent, *init; /* programs */
    const char *ca_hex;
    int token_fd; /* what it yields goes to the node's init; borrowed */
};
/* Starts the node's supervisor (local_node.c); *status_fd tells how the launch went. */
int node_start(const struct node_spec *spec, int *status_fd, struct tst_error **err);
/* Waits for the launch and closes status_fd. */
int node_started(int status_fd, const char *instance, struct tst_error **err);
bool node_alive(const struct local *l, const char *instance);
/* Process 1 of the node, as seen here; 0 if it does not run. */
pid_t node_init_pid(const struct local *l, const char *instance);
/* Asks every supervisor below STATE/nodes to end its node, waits, and kills those that do not. */
int nodes_down(const struct local *l, struct tst_error **err);
/* The same for one node. */
void node_down(const struct local *l, const char *instance);

/* In the node's own namespaces, before anything of the node runs (local_root.c): builds the root file system in
 * STATE/nodes/NAME/area and leaves it at ./root of the current folder. */
int root_build(const struct node_spec *spec, struct tst_error **err);
/* Makes ./root the root; nothing of the machine's tree stays reachable. */
int root_enter(struct tst_error **err);
/* Files of the lowest layer (local_stage.c), below ./stage. */
int stage_build(const struct node_spec *spec, struct tst_error **err);
/* Mounts configfs-tsm of a sealed node and hands it, with the root to measure, to the psp (local_tsm.c). */
int tsm_attach(const struct local *l, const char *instance, struct tst_error **err);
/* Drops for good what would reach through to the machine (local_caps.c). */
int caps_restrict(struct tst_error **err);

/* ---- commands in a node (local_enter.c) ---- */
/* Runs argv as user in the node, stdout to out_fd (-1 = ours); exit status in *status. */
int node_run(const struct local *l, const char *instance, const char *user, const char *const argv[], int out_fd,
             int *status, struct tst_error **err);

/* ---- what the broker and Slurm say (local_watch.c) ---- */
/* {"nodes": [...]} of the broker. */
int watch_nodes(const struct local *l, json_t **out, struct tst_error **err);
/* Entry of an instance, borrowed; NULL. */
json_t *watch_node(json_t *nodes, const char *instance);
const char *watch_text(json_t *node, const char *key); /* "" if absent */
/* {"s1": "idle", ...} of one realm; empty while its controller does not answer. */
json_t *watch_slurm(const struct local *l, const struct plan_realm *realm);
/* Arms the instance; *token_fd: read end of a pipe with the token, or with nothing. */
int watch_arm(const struct local *l, const char *instance, const char *state, int *token_fd, struct tst_error **err);

/* ---- the provider's callbacks ---- */
int local_plan(const struct plan *plan, struct tst_error **err);
int local_up(const struct provider_up *req, struct tst_error **err);
int local_launch(const struct provider_launch *req, struct tst_error **err);
int local_status(const char *state, const struct plan *plan, json_t **out, struct tst_error **err);
int local_enter(const struct provider_enter *req, int *status, struct tst_error **err);
int local_log(const char *state, const struct plan *plan, const char *source, const char *which, int *fd,
              struct tst_error **err);
int local_down(const char *state, const struct plan *plan, bool purge, struct progress *progress,
               struct tst_error **err);

#endif
