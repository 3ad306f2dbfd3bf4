/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/file.c - read the cluster file (YAML) into struct cluster_file. Pure. Each key is a line of a table; unknown,
 * missing and contradictory keys are refused with file and line. */
#include "cluster/cluster.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define CORES_MAX 1024
#define MEMORY_MIN_MIB 64
#define MEMORY_MAX_MIB (16U * 1024 * 1024)
#define LEASE_MIN_S 3 /* renewed at one third */
#define LEASE_MAX_S 86400
#define LEASE_DEFAULT_S 600

/* ---- scalars ---- */

static int read_count(const struct tst_yaml *y, unsigned least, unsigned most, unsigned *out, struct tst_error **err)
{
    uint64_t value;
    int rc = tst_yaml_u64(y, most, &value, err);

    if (rc)
        return rc;
    if (value < least)
        return tst_yaml_fail(y, err, "%s must be at least %u", y->key, least);
    *out = (unsigned)value;
    return 0;
}

/* "512M", "1G", "2T" -> MiB. */
static int read_memory(const struct tst_yaml *y, unsigned *mib, struct tst_error **err)
{
    const char *text;
    char *unit;
    int rc = tst_yaml_str(y, &text, err);

    if (rc)
        return rc;
    unsigned long long n = text[0] >= '0' && text[0] <= '9' && strlen(text) < 10 ? strtoull(text, &unit, 10) : 0;
    if (n && strcmp(unit, "G") == 0)
        n *= 1024;
    else if (n && strcmp(unit, "T") == 0)
        n *= 1024 * 1024;
    else if (n && strcmp(unit, "M") != 0)
        n = 0;
    if (!n)
        return tst_yaml_fail(y, err, "\"%s\" is no amount of memory; write for example 512M or 2G", text);
    if (n < MEMORY_MIN_MIB || n > MEMORY_MAX_MIB)
        return tst_yaml_fail(y, err, "memory must be from %uM to %uT", MEMORY_MIN_MIB, MEMORY_MAX_MIB / 1024 / 1024);
    *mib = (unsigned)n;
    return 0;
}

static bool is_cluster_name(const char *s)
{
    return tst_is_name(s) && strlen(s) <= CLUSTER_NAME_MAX;
}

/* ---- partitions ---- */

static int partition_nodes(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    return read_count(y, 1, CLUSTER_REALM_NODES_MAX, &((struct cluster_partition *)to)->nodes, err);
}

static int partition_max(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    return read_count(y, 1, CLUSTER_REALM_NODES_MAX, &((struct cluster_partition *)to)->max, err);
}

static int partition_cores(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    return read_count(y, 1, CORES_MAX, &((struct cluster_partition *)to)->cores, err);
}

static int partition_memory(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    return read_memory(y, &((struct cluster_partition *)to)->memory_mib, err);
}

static int partition_level(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    static const char *const words[] = {"none", "asserted", "firmware", "measured", NULL};
    int word, rc = tst_yaml_word(y, words, &word, err);

    if (rc)
        return rc;
    return tst_level_of(words[word], &((struct cluster_partition *)to)->level)
               ? 0
               : tst_fail(err, TST_INTERNAL, "level %s has no number", words[word]);
}

static int partition_policy(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    struct cluster_partition *p = to;
    const char *text;
    int rc = tst_yaml_str(y, &text, err);

    if (rc)
        return rc;
    if (!*text)
        return tst_yaml_fail(y, err, "policy needs the path of a policy file");
    p->policy = strdup(text);
    return p->policy ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static const struct tst_yaml_field partition_fields[] = {
    {"nodes", true, partition_nodes},   {"max", false, partition_max},    {"cores", true, partition_cores},
    {"memory", true, partition_memory}, {"level", true, partition_level}, {"policy", false, partition_policy},
};

static int partition_check(const struct tst_yaml *at, const struct cluster_partition *p, struct tst_error **err)
{
    if (p->max < p->nodes)
        return tst_yaml_fail(at, err, "partition %s: max %u is less than nodes %u", p->name, p->max, p->nodes);
    if (p->level == TST_LEVEL_NONE && p->policy)
        return tst_yaml_fail(at, err, "partition %s: level none takes no policy", p->name);
    if (p->level != TST_LEVEL_NONE && !p->policy)
        return tst_yaml_fail(at, err, "partition %s: level %s needs a policy", p->name, tst_level_name(p->level));
    return 0;
}

static int read_partition(struct cluster_file *f, const struct tst_yaml *y, struct tst_error **err)
{
    if (f->partition_count == CLUSTER_PARTITIONS_MAX)
        return tst_yaml_fail(y, err, "more than %d partitions", CLUSTER_PARTITIONS_MAX);
    struct cluster_partition *p = &f->partitions[f->partition_count];
    if (!tst_is_name(y->key) || strlen(y->key) >= sizeof p->name)
        return tst_yaml_fail(y, err, "\"%s\" is no name for a partition: at most 31 of a-z, 0-9, -, a letter first",
                             y->key);
    f->partition_count++; /* from here on cluster_file_free() owns what the fields allocate */
    snprintf(p->name, sizeof p->name, "%s", y->key);
    int rc = tst_yaml_map(y, partition_fields, TST_COUNT(partition_fields), p, err);
    if (rc)
        return rc;
    if (!p->max)
        p->max = p->nodes;
    return partition_check(y, p, err);
}

/* A realm is one trust domain: one level, one policy. A second realm of attested nodes would need names of its own. */
static int check_one_sealed_realm(const struct cluster_file *f, const struct tst_yaml *partitions,
                                  struct tst_error **err)
{
    const struct cluster_partition *p = f->partitions, *first = NULL;

    for (const struct tst_yaml *y = partitions->child; y; y = y->next, p++) {
        if (p->level == TST_LEVEL_NONE)
            continue;
        if (!first)
            first = p;
        if (p->level != first->level || strcmp(p->policy, first->policy) != 0)
            return tst_yaml_fail(y, err,
                                 "partition %s (level %s, policy %s) would be a second attested realm beside that of "
                                 "partition %s (level %s, policy %s); use one level and one policy, or two cluster "
                                 "files",
                                 p->name, tst_level_name(p->level), p->policy, first->name,
                                 tst_level_name(first->level), first->policy);
    }
    return 0;
}

static int check_realm_sizes(const struct cluster_file *f, const struct tst_yaml *partitions, struct tst_error **err)
{
    const struct cluster_partition *p = f->partitions;
    unsigned sealed = 0, plain = 0;

    for (const struct tst_yaml *y = partitions->child; y; y = y->next, p++) {
        unsigned *sum = p->level == TST_LEVEL_NONE ? &plain : &sealed;
        *sum += p->max;
        if (*sum > CLUSTER_REALM_NODES_MAX)
            return tst_yaml_fail(y, err, "partition %s: a realm has at most %d nodes", p->name,
                                 CLUSTER_REALM_NODES_MAX);
    }
    return 0;
}

static int file_partitions(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    int rc = tst_yaml_expect(y, TST_YAML_MAP, err);

    if (rc)
        return rc;
    if (!y->child)
        return tst_yaml_fail(y, err, "partitions: at least one is needed");
    for (const struct tst_yaml *p = y->child; p; p = p->next)
        if ((rc = read_partition(to, p, err)))
            return rc;
    if ((rc = check_one_sealed_realm(to, y, err)))
        return rc;
    return check_realm_sizes(to, y, err);
}

/* ---- the rest of the file ---- */

static int controller_cores(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    return read_count(y, 1, CORES_MAX, &((struct cluster_file *)to)->controller_cores, err);
}

static int controller_memory(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    return read_memory(y, &((struct cluster_file *)to)->controller_memory_mib, err);
}

static const struct tst_yaml_field controller_fields[] = {
    {"cores", true, controller_cores},
    {"memory", true, controller_memory},
};

static int file_controller(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    return tst_yaml_map(y, controller_fields, TST_COUNT(controller_fields), to, err);
}

static int file_name(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    struct cluster_file *f = to;
    const char *text;
    int rc = tst_yaml_str(y, &text, err);

    if (rc)
        return rc;
    if (!is_cluster_name(text))
        return tst_yaml_fail(y, err, "\"%s\" is no name for a cluster: at most %d of a-z, 0-9, -, a letter first", text,
                             CLUSTER_NAME_MAX);
    snprintf(f->name, sizeof f->name, "%s", text);
    return 0;
}

static int file_provider(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    static const char *const words[] = {"local", NULL};
    struct cluster_file *f = to;
    int word, rc = tst_yaml_word(y, words, &word, err);

    if (rc)
        return rc;
    f->provider = strdup(words[word]);
    return f->provider ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int file_broker(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    static const char *const words[] = {"local", NULL};
    int word;

    (void)to; /* one choice so far: nothing to keep */
    return tst_yaml_word(y, words, &word, err);
}

static int file_lease(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    return read_count(y, LEASE_MIN_S, LEASE_MAX_S, &((struct cluster_file *)to)->lease_s, err);
}

static int file_network(void *to, const struct tst_yaml *y, struct tst_error **err)
{
    struct cluster_file *f = to;
    const char *text;
    char address[INET_ADDRSTRLEN];
    uint8_t b[4];
    int rc = tst_yaml_str(y, &text, err);

    if (rc)
        return rc;
    size_t n = strcspn(text, "/");
    snprintf(address, sizeof address, "%.*s", (int)(n < sizeof address ? n : 0), text);
    bool ok = strcmp(text + n, "/24") == 0 && inet_pton(AF_INET, address, b) == 1;
    if (!ok || !b[0] || b[0] >= 224 || b[0] == 127 || b[3])
        return tst_yaml_fail(y, err, "\"%s\" is no network; write for example 10.77.0.0/24 (always a /24)", text);
    memcpy(f->network, b, sizeof b);
    return 0;
}

static const struct tst_yaml_field file_fields[] = {
    {"name", true, file_name},        {"provider", true, file_provider},      {"broker", true, file_broker},
    {"network", false, file_network}, {"lease-s", false, file_lease}, {"controller", false, file_controller}, {"partitions", true, file_partitions},
};

static bool has_attested_partition(const struct cluster_file *f)
{
    for (size_t i = 0; i < f->partition_count; i++)
        if (f->partitions[i].level != TST_LEVEL_NONE)
            return true;
    return false;
}

int cluster_file_parse(const char *file, const char *text, size_t n, struct cluster_file **out, struct tst_error **err)
{
    TST_AUTO_YAML root = NULL;
    int rc = tst_yaml_parse(file, text, n, &root, err);

    if (rc)
        return rc;
    AUTO_CLUSTER_FILE f = calloc(1, sizeof *f);
    if (!f)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    memcpy(f->network, (const uint8_t[]){10, 77, 0, 0}, sizeof f->network);
    f->lease_s = LEASE_DEFAULT_S;
    if ((rc = tst_yaml_map(root, file_fields, TST_COUNT(file_fields), f, err)))
        return rc;
    if (has_attested_partition(f) && !f->controller_cores)
        return tst_yaml_fail(root, err, "an attested partition needs a controller: {cores, memory}");
    *out = TST_STEAL(f);
    return 0;
}

void cluster_file_free(struct cluster_file *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->partition_count; i++)
        free(f->partitions[i].policy);
    free(f->provider);
    free(f);
}
