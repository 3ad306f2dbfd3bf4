/* SPDX-License-Identifier: Apache-2.0 */
/* broker/identity.c - the broker's keys and certificates below STATE: made once, each file 0600, written to a temporary
 * name and renamed, the CA certificate last: a state folder with ca.der is complete. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/broker.h"

#define YEAR_S (365LL * 24 * 3600)
#define FILE_MAX_BYTES 8192

static int state_path(const char *state, const char *name, char out[PATH_MAX], struct tst_error **err)
{
    if (snprintf(out, PATH_MAX, "%s/%s", state, name) >= PATH_MAX)
        return tst_fail(err, TST_USAGE, "state folder %s: path too long", state);
    return 0;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -1;
        p += w;
        n -= (size_t)w;
    }
    return fsync(fd);
}

static int file_put(const char *state, const char *name, const void *p, size_t n, struct tst_error **err)
{
    char path[PATH_MAX], temporary[PATH_MAX + 8];
    int r = state_path(state, name, path, err);
    if (r)
        return r;
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return tst_fail(err, TST_INTERNAL, "%s: %m", temporary);
    r = write_all(fd, p, n);
    if (close(fd) || r || rename(temporary, path))
        return tst_fail(err, TST_INTERNAL, "%s: %m", path);
    return 0;
}

/* The content goes into a secret whatever it is: private keys come this way. */
static int file_get(const char *state, const char *name, struct tst_secret **out, struct tst_error **err)
{
    char path[PATH_MAX];
    uint8_t buffer[FILE_MAX_BYTES];
    int r = state_path(state, name, path, err);
    if (r)
        return r;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tst_fail(err, errno == ENOENT ? TST_NOT_FOUND : TST_INTERNAL, "%s: %m", path);
    ssize_t n = read(fd, buffer, sizeof buffer);
    close(fd);
    if (n <= 0 || n == (ssize_t)sizeof buffer)
        r = tst_fail(err, TST_INTERNAL, "%s: empty, unreadable or too large", path);
    else
        r = tst_secret_from(buffer, (size_t)n, out, err);
    tst_wipe(buffer, sizeof buffer);
    return r;
}

static int put_key(const char *state, const char *name, const struct tst_key *k, struct tst_error **err)
{
    TST_AUTO_SECRET der = NULL;
    int r = tst_key_private_der(k, &der, err);
    return r ? r : file_put(state, name, tst_secret_view(der), tst_secret_size(der), err);
}

static int put_cert(const char *state, const char *name, const struct tst_cert *c, struct tst_error **err)
{
    uint8_t *der = NULL;
    size_t n = 0;
    int r = tst_cert_to_der(c, &der, &n, err);
    if (!r)
        r = file_put(state, name, der, n, err);
    tst_free(der);
    return r;
}

static int get_key(const char *state, const char *name, struct tst_key **out, struct tst_error **err)
{
    TST_AUTO_SECRET der = NULL;
    int r = file_get(state, name, &der, err);
    return r ? r : tst_key_from_private_der(tst_secret_view(der), tst_secret_size(der), out, err);
}

static int get_cert(const char *state, const char *name, struct tst_cert **out, struct tst_error **err)
{
    TST_AUTO_SECRET der = NULL;
    int r = file_get(state, name, &der, err);
    return r ? r : tst_cert_from_der(tst_secret_view(der), tst_secret_size(der), out, err);
}

static int split_host(const char *address, char host[64], struct tst_error **err)
{
    const char *colon = strrchr(address, ':');
    if (!colon || colon == address || (size_t)(colon - address) >= 64 || strlen(address) >= 64) {
        tst_fail(err, TST_USAGE, "listen address '%s' is not HOST:PORT", address);
        return tst_hint(err, "an IPv4 address and a port, such as 10.77.0.1:8443", address, NULL);
    }
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = '\0';
    return 0;
}

static int make_certificates(const char *host, struct broker_identity *id, struct tst_error **err)
{
    time_t now = time(NULL);
    struct tst_cert_spec ca = { .cn = "Testudo broker CA", .serial = 1, .not_before = now - 3600,
                                .not_after = now + 10 * YEAR_S, .ca = true };
    struct tst_cert_spec leaf = { .cn = "testudod", .serial = 2, .not_before = now - 3600,
                                  .not_after = now + 2 * YEAR_S, .tls_server = true, .san_dns = "testudod",
                                  .san_ip = host };
    int r = tst_cert_issue(&ca, id->ca_key, NULL, id->ca_key, &id->ca, err);
    return r ? r : tst_cert_issue(&leaf, id->leaf_key, id->ca, id->ca_key, &id->leaf, err);
}

static int make_material(const char *host, struct broker_identity *id, struct tst_error **err)
{
    int r = tst_key_generate(TST_KEY_P256, &id->ca_key, err);
    if (!r)
        r = tst_key_generate(TST_KEY_P256, &id->leaf_key, err);
    if (!r)
        r = tst_key_generate(TST_KEY_P256, &id->log_key, err);
    if (!r)
        r = tst_secret_new(32, &id->wrap_key, err);
    if (!r)
        r = tst_random(tst_secret_bytes(id->wrap_key), 32, err);
    return r ? r : make_certificates(host, id, err);
}

static int put_material(const char *state, const char *address, const struct broker_identity *id, struct tst_error **err)
{
    uint8_t *log_public = NULL;
    size_t n = 0;
    int r = tst_key_public_der(id->log_key, &log_public, &n, err);
    if (!r)
        r = file_put(state, "log.pub", log_public, n, err);
    tst_free(log_public);
    if (r || (r = put_key(state, "ca.key", id->ca_key, err)) || (r = put_key(state, "leaf.key", id->leaf_key, err)) ||
        (r = put_key(state, "log.key", id->log_key, err)) ||
        (r = file_put(state, "wrap.key", tst_secret_view(id->wrap_key), tst_secret_size(id->wrap_key), err)) ||
        (r = put_cert(state, "leaf.der", id->leaf, err)) || (r = file_put(state, "address", address, strlen(address), err)))
        return r;
    return put_cert(state, "ca.der", id->ca, err);
}

static int check_address(const char *state, const char *address, struct tst_error **err)
{
    TST_AUTO_SECRET have = NULL;
    int r = file_get(state, "address", &have, err);
    if (r)
        return r;
    if (tst_secret_size(have) == strlen(address) && memcmp(tst_secret_view(have), address, strlen(address)) == 0)
        return 0;
    tst_fail(err, TST_USAGE, "state folder %s: the broker there has another address", state);
    return tst_hint(err, "the address that the broker was made with", address, "use another --state folder");
}

int identity_make(const char *state, const char *address, struct tst_error **err)
{
    struct broker_identity id = { 0 };
    char host[64], done[PATH_MAX];
    int r = split_host(address, host, err);
    if (r || (r = state_path(state, "ca.der", done, err)))
        return r;
    if (mkdir(state, 0700) && errno != EEXIST)
        return tst_fail(err, TST_INTERNAL, "%s: %m", state);
    if (access(done, F_OK) == 0)
        return check_address(state, address, err);
    r = make_material(host, &id, err);
    if (!r)
        r = put_material(state, address, &id, err);
    identity_clear(&id);
    return r;
}

static int load_address(const char *state, char out[64], struct tst_error **err)
{
    TST_AUTO_SECRET text = NULL;
    int r = file_get(state, "address", &text, err);
    if (r)
        return r;
    if (tst_secret_size(text) >= 64)
        return tst_fail(err, TST_INTERNAL, "%s/address: too long", state);
    memcpy(out, tst_secret_view(text), tst_secret_size(text));
    out[tst_secret_size(text)] = '\0';
    return 0;
}

int identity_load(const char *state, struct broker_identity *id, struct tst_error **err)
{
    struct tst_cert_info info;
    memset(id, 0, sizeof *id);
    int r = get_cert(state, "ca.der", &id->ca, err);
    if (r == -TST_NOT_FOUND)
        return tst_hint(err, "a state folder made by `testudod init`", "none", "run `testudod init --state DIR --listen HOST:PORT`");
    if (r || (r = get_cert(state, "leaf.der", &id->leaf, err)) || (r = get_key(state, "leaf.key", &id->leaf_key, err)) ||
        (r = get_key(state, "log.key", &id->log_key, err)) || (r = file_get(state, "wrap.key", &id->wrap_key, err)) ||
        (r = load_address(state, id->address, err)) || (r = tst_cert_info(id->ca, &info, err)))
        return r;
    if (tst_secret_size(id->wrap_key) != 32)
        return tst_fail(err, TST_INTERNAL, "%s/wrap.key: not 32 bytes", state);
    tst_hex(info.spki_sha256, sizeof info.spki_sha256, id->broker_id);
    return 0;
}

int identity_load_log_key(const char *state, struct tst_key **out, struct tst_error **err)
{
    TST_AUTO_SECRET der = NULL;
    int r = file_get(state, "log.pub", &der, err);
    return r ? r : tst_key_from_public_der(tst_secret_view(der), tst_secret_size(der), out, err);
}

void identity_clear(struct broker_identity *id)
{
    tst_key_free(id->ca_key);
    tst_key_free(id->leaf_key);
    tst_key_free(id->log_key);
    tst_cert_free(id->ca);
    tst_cert_free(id->leaf);
    tst_secret_free(id->wrap_key);
    memset(id, 0, sizeof *id);
}
