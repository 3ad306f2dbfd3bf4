/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/plan.c - cluster file -> plan: which realms there are, who belongs to them, at which address. Pure.
 * Addresses of the /24: .1 broker, .10 ctl, .11.. s1.., .111.. p1.. . */
#include "cluster/cluster.h"

#include <stdio.h>
#include <stdlib.h>

#include "slurm/conf.h"

#define HOST_GATEWAY 1
#define HOST_CONTROLLER 10
#define HOST_SEALED 10 /* + n */
#define HOST_PLAIN 110 /* + n */

const char *plan_role(const struct plan_member *m)
{
    return m->controller ? "controller" : "node";
}

static void set_address(const struct cluster_file *f, unsigned host, char out[16])
{
    snprintf(out, 16, "%u.%u.%u.%u", f->network[0], f->network[1], f->network[2], host & 255);
}

static void add_partition(const struct cluster_file *f, const struct cluster_partition *from, char letter,
                          unsigned host_base, struct plan_realm *realm)
{
    struct plan_partition *p = &realm->partitions[realm->partition_count++];

    snprintf(p->name, sizeof p->name, "%s", from->name);
    p->first = realm->member_count;
    p->count = from->max;
    for (unsigned i = 0; i < from->max; i++) {
        struct plan_member *m = &realm->members[realm->member_count];
        /* ctl, if it is there, is member 0: then the index is the node's number */
        unsigned number = (unsigned)realm->member_count + (realm->level == TST_LEVEL_NONE ? 1 : 0);
        snprintf(m->instance, sizeof m->instance, "%c%u", letter, number % 1000);
        m->schedulable = true;
        m->reserved = i >= from->nodes;
        set_address(f, host_base + number, m->address);
        m->cores = from->cores;
        m->memory_mib = from->memory_mib;
        realm->member_count++;
    }
}

static void add_controller(const struct cluster_file *f, struct plan_realm *realm)
{
    struct plan_member *m = &realm->members[realm->member_count++];

    snprintf(m->instance, sizeof m->instance, "ctl");
    m->controller = true;
    m->cores = f->controller_cores;
    m->memory_mib = f->controller_memory_mib;
    set_address(f, HOST_CONTROLLER, m->address);
}

/* The attested partitions of a file have one level and one policy (file.c). */
static int add_sealed(const struct cluster_file *f, struct plan *p, struct tst_error **err)
{
    struct plan_realm *realm = NULL;

    for (size_t i = 0; i < f->partition_count; i++) {
        const struct cluster_partition *from = &f->partitions[i];
        if (from->level == TST_LEVEL_NONE)
            continue;
        if (!realm) {
            realm = &p->realms[p->realm_count++];
            realm->name = "sealed";
            realm->level = from->level;
            if (!(realm->policy = strdup(from->policy)))
                return tst_fail(err, TST_INTERNAL, "out of memory");
            add_controller(f, realm);
        }
        add_partition(f, from, 's', HOST_SEALED, realm);
    }
    return 0;
}

/* p1 is the plain realm's controller and a node too: nobody there relies on the controller's secrecy. */
static void add_plain(const struct cluster_file *f, struct plan *p)
{
    struct plan_realm *realm = NULL;

    for (size_t i = 0; i < f->partition_count; i++) {
        if (f->partitions[i].level != TST_LEVEL_NONE)
            continue;
        if (!realm) {
            realm = &p->realms[p->realm_count++];
            realm->name = "plain";
        }
        add_partition(f, &f->partitions[i], 'p', HOST_PLAIN, realm);
    }
    if (realm)
        realm->members[0].controller = true;
}

int plan_of(const struct cluster_file *f, struct plan **out, struct tst_error **err)
{
    AUTO_PLAN p = calloc(1, sizeof *p);
    int rc;

    if (!p)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    snprintf(p->cluster, sizeof p->cluster, "%s", f->name);
    set_address(f, 0, p->network);
    p->lease_s = f->lease_s;
    set_address(f, HOST_GATEWAY, p->gateway);
    snprintf(p->broker, sizeof p->broker, "%s:%d", p->gateway, CLUSTER_BROKER_PORT);
    if ((rc = add_sealed(f, p, err)))
        return rc;
    add_plain(f, p);
    *out = TST_STEAL(p);
    return 0;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->realm_count; i++)
        free(p->realms[i].policy);
    free(p);
}

const struct plan_member *plan_find(const struct plan *p, const char *instance, const struct plan_realm **realm)
{
    for (size_t r = 0; r < p->realm_count; r++)
        for (size_t i = 0; i < p->realms[r].member_count; i++)
            if (!strcmp(p->realms[r].members[i].instance, instance)) {
                if (realm)
                    *realm = &p->realms[r];
                return &p->realms[r].members[i];
            }
    return NULL;
}

int plan_hosts(const struct plan *p, const struct plan_realm *realm, struct tst_buf *out, struct tst_error **err)
{
    int rc = tst_buf_printf(out, err, "127.0.0.1 localhost\n%s broker\n", p->gateway);

    for (size_t i = 0; !rc && i < realm->member_count; i++)
        rc = tst_buf_printf(out, err, "%s %s\n", realm->members[i].address, realm->members[i].instance);
    return rc;
}

/* ---- for the broker ---- */

static void fill_slurm_nodes(const struct plan_realm *realm, struct slurm_node *nodes)
{
    for (size_t i = 0; i < realm->member_count; i++) {
        const struct plan_member *m = &realm->members[i];
        nodes[i] = (struct slurm_node){.name = m->instance,
                                       .address = m->address,
                                       .cores = m->cores,
                                       .memory_mib = m->memory_mib,
                                       .controller = m->controller,
                                       .schedulable = m->schedulable,
                                       .future = m->reserved};
    }
}

int plan_files(const struct plan *p, const struct plan_realm *realm, json_t **out, struct tst_error **err)
{
    struct slurm_node nodes[CLUSTER_REALM_NODES_MAX + 1];
    struct slurm_partition partitions[CLUSTER_PARTITIONS_MAX];
    TST_AUTO_STR name = tst_strdup_printf("%s-%s", p->cluster, realm->name);

    if (!name)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    fill_slurm_nodes(realm, nodes);
    for (size_t i = 0; i < realm->partition_count; i++)
        partitions[i] = (struct slurm_partition){realm->partitions[i].name, realm->partitions[i].first,
                                                 realm->partitions[i].count};
    const struct slurm_realm conf = {name, nodes, realm->member_count, partitions, realm->partition_count};
    return slurm_files(&conf, out, err);
}

static json_t *members_json(const struct plan_realm *realm)
{
    json_t *list = json_array();

    for (size_t i = 0; i < realm->member_count; i++) {
        const struct plan_member *m = &realm->members[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "instance", m->instance, "role", plan_role(m),
                                              "address", m->address));
    }
    return list;
}

int plan_json(const struct plan *p, json_t *const policies[2], json_t **out, struct tst_error **err)
{
    TST_AUTO_JSON realms = json_array();

    for (size_t i = 0; i < p->realm_count; i++) {
        const struct plan_realm *realm = &p->realms[i];
        json_t *files = NULL;
        int rc = plan_files(p, realm, &files, err);
        if (rc)
            return rc;
        json_t *entry = json_pack("{s:s, s:s, s:O?, s:o, s:o}", "name", realm->name, "level",
                                  tst_level_name(realm->level), "policy", policies[i], "members", members_json(realm),
                                  "files", files);
        if (!entry || json_array_append_new(realms, entry))
            return tst_fail(err, TST_INTERNAL, "out of memory");
    }
    *out = json_pack("{s:s, s:O}", "cluster", p->cluster, "realms", realms);
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}
