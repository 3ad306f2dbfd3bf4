/* SPDX-License-Identifier: Apache-2.0 */
/* sim/launch.c - see launch.h. */
#include "launch.h"

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <testudo/token.h>

static const char domain[] = "testudo-sim-launch-v1";

static bool is_role(const char *s)
{
    return strcmp(s, "controller") == 0 || strcmp(s, "node") == 0;
}

/* HOST:PORT; the host is a name, an IPv4 address or a bracketed IPv6 address. */
static bool is_endpoint(const char *s)
{
    static const char host_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    const char *colon = strrchr(s, ':');
    if (!colon || colon == s || strspn(s, host_chars) != strlen(s))
        return false;
    const char *port = colon + 1;
    size_t digits = strspn(port, "0123456789");
    if (digits == 0 || digits > 5 || port[digits] || port[0] == '0')
        return false;
    return strtoul(port, NULL, 10) <= 65535;
}

static bool is_ca(const char *s)
{
    return strlen(s) == 2 * TST_SHA256_BYTES && strspn(s, "0123456789abcdef") == 2 * TST_SHA256_BYTES;
}

/* The launch file's lines, in order. */
static const struct member {
    const char *key;
    size_t offset, size;
    bool (*is)(const char *);
    const char *shape;
} members[] = {
    {"role", offsetof(struct launch_facts, role), sizeof(((struct launch_facts *)0)->role), is_role,
     "controller or node"},
    {"broker", offsetof(struct launch_facts, broker), sizeof(((struct launch_facts *)0)->broker), is_endpoint,
     "HOST:PORT, at most 79 characters"},
    {"ca", offsetof(struct launch_facts, ca_hex), sizeof(((struct launch_facts *)0)->ca_hex), is_ca,
     "64 lower-case hexadecimal digits"},
};

static char *member_of(struct launch_facts *f, const struct member *m)
{
    return (char *)f + m->offset;
}

static int member_set(struct launch_facts *f, const struct member *m, const char *value, size_t n,
                      struct tst_error **err)
{
    char text[sizeof f->broker] = "";
    if (n < m->size)
        memcpy(text, value, n);
    if (n >= m->size || strlen(text) != n || !m->is(text)) {
        tst_fail(err, TST_USAGE, "%s: not acceptable", m->key);
        return tst_hint(err, m->shape, NULL, NULL);
    }
    memcpy(member_of(f, m), text, m->size);
    return 0;
}

int launch_facts_set(struct launch_facts *f, const char *role, const char *broker, const char *ca_hex,
                     struct tst_error **err)
{
    const char *values[TST_COUNT(members)] = {role, broker, ca_hex};
    int rc = 0;
    for (size_t i = 0; i < TST_COUNT(members) && !rc; i++)
        rc = member_set(f, &members[i], values[i], strlen(values[i]), err);
    return rc;
}

int launch_file_parse(const char *text, size_t n, struct launch_facts *f, struct tst_error **err)
{
    const char *at = text, *end = text + n;
    for (size_t i = 0; i < TST_COUNT(members); i++) {
        size_t key = strlen(members[i].key);
        const char *eol = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!eol || (size_t)(eol - at) <= key || memcmp(at, members[i].key, key) != 0 || at[key] != '=') {
            tst_fail(err, TST_USAGE, "line %zu: not %s=", i + 1, members[i].key);
            return tst_hint(err, "the lines role=, broker=, ca=, in this order", NULL, NULL);
        }
        int rc = member_set(f, &members[i], at + key + 1, (size_t)(eol - at) - key - 1, err);
        if (rc)
            return tst_wrap(err, "line %zu", i + 1);
        at = eol + 1;
    }
    return at == end ? 0 : tst_fail(err, TST_USAGE, "line %zu: more than role, broker and ca", TST_COUNT(members) + 1);
}

int launch_file_print(const struct launch_facts *f, char **out, struct tst_error **err)
{
    *out = tst_strdup_printf("role=%s\nbroker=%s\nca=%s\n", f->role, f->broker, f->ca_hex);
    return *out ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
}

static int measure_fd(int fd, const char *path, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    TST_AUTO_BUF program = {0};
    int rc = file_read_fd(fd, path, LAUNCH_PROGRAM_MAX_BYTES, &program, err);
    if (!rc && program.n == 0)
        rc = tst_fail(err, TST_REFUTED, "%s: empty", path);
    return rc ? rc : tst_sha256(program.p, program.n, out, err);
}

/* glibc has no wrapper. The node's root may hold anything: no way out of it, no links, no waiting for a FIFO. */
static int open_in_root(int root_fd, const char *path, int *out, struct tst_error **err)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
    *out = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    if (*out >= 0)
        return 0;
    return tst_fail(err, errno == ENOENT ? TST_NOT_FOUND : TST_REFUTED, "%s in the node's root: %s", path,
                    strerror(errno));
}

static int measure_in_root(int root_fd, const char *path, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    AUTO_FD fd = -1;
    int rc = open_in_root(root_fd, path, &fd, err);
    return rc ? rc : measure_fd(fd, path, out, err);
}

static int parse_in_root(int root_fd, struct launch_facts *f, struct tst_error **err)
{
    AUTO_FD fd = -1;
    TST_AUTO_BUF text = {0};
    int rc = open_in_root(root_fd, LAUNCH_FILE_PATH, &fd, err);
    if (!rc)
        rc = file_read_fd(fd, LAUNCH_FILE_PATH, LAUNCH_FILE_MAX_BYTES, &text, err);
    if (rc)
        return rc;
    rc = launch_file_parse((const char *)text.p, text.n, f, err);
    return rc ? tst_wrap(err, "%s", LAUNCH_FILE_PATH) : 0;
}

int launch_facts_read_root(int root_fd, struct launch_facts *out, struct tst_error **err)
{
    struct launch_facts f = {0};
    int rc = measure_in_root(root_fd, LAUNCH_AGENT_PATH, f.agent_sha256, err);
    if (!rc)
        rc = measure_in_root(root_fd, LAUNCH_INIT_PATH, f.init_sha256, err);
    if (!rc)
        rc = parse_in_root(root_fd, &f, err);
    if (!rc)
        *out = f;
    return rc;
}

static int measure_path(const char *path, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return tst_fail(err, errno == ENOENT ? TST_NOT_FOUND : TST_INTERNAL, "%s: %s", path, strerror(errno));
    return measure_fd(fd, path, out, err);
}

int launch_facts_of_files(const char *agent_path, const char *init_path, const char *role, const char *broker,
                          const char *ca_hex, struct launch_facts *out, struct tst_error **err)
{
    struct launch_facts f = {0};
    int rc = launch_facts_set(&f, role, broker, ca_hex, err);
    if (!rc)
        rc = measure_path(agent_path, f.agent_sha256, err);
    if (!rc)
        rc = measure_path(init_path, f.init_sha256, err);
    if (!rc)
        *out = f;
    return rc;
}

static int manifest_of(const struct launch_facts *f, char **out, size_t *n, struct tst_error **err)
{
    TST_AUTO_JSON m = json_pack("{s:s, s:s, s:s}", "role", f->role, "broker", f->broker, "ca", f->ca_hex);
    if (!m)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = tst_json_set_hex(m, "agent", f->agent_sha256, sizeof f->agent_sha256, err);
    if (!rc)
        rc = tst_json_set_hex(m, "init", f->init_sha256, sizeof f->init_sha256, err);
    return rc ? rc : tst_jcs(m, out, n, err);
}

int launch_digest(const struct launch_facts *f, uint8_t out[TST_SNP_DIGEST_BYTES], struct tst_error **err)
{
    TST_AUTO_STR manifest = NULL;
    TST_AUTO_BUF input = {0};
    size_t n = 0;
    int rc = manifest_of(f, &manifest, &n, err);
    if (!rc)
        rc = tst_buf_put(&input, domain, strlen(domain), err);
    if (!rc)
        rc = tst_buf_put(&input, manifest, n, err);
    if (!rc)
        rc = tst_sha384(input.p, input.n, out, err);
    return rc ? tst_wrap(err, "launch digest") : 0;
}
