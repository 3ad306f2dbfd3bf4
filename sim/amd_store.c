/* SPDX-License-Identifier: Apache-2.0 */
/* sim/amd_store.c - the hierarchy and its chips in a state directory (0700, files 0600):
 *   root/{product,ark.key,ark.der,ask.key,ask.der}     chips/NAME/{vcek.key,vcek.der}
 * A set is written to a temporary directory that is renamed when complete: a killed process leaves all of it or
 * nothing. A chip's id and TCB are read back from its certificate. */
#include "amd.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

enum { KEY_MAX_BYTES = 8192 };

static int key_read(int dir, const char *name, struct tst_key **out, struct tst_error **err)
{
    TST_AUTO_BUF der = {0};
    int rc = file_read_private(dir, name, KEY_MAX_BYTES, &der, err);
    if (rc)
        return rc;
    rc = tst_key_from_private_der(der.p, der.n, out, err);
    return rc ? tst_wrap(err, "%s", name) : 0;
}

static int cert_read(int dir, const char *name, struct tst_cert **out, struct tst_error **err)
{
    TST_AUTO_BUF der = {0};
    int rc = file_read_private(dir, name, TST_CERT_MAX_BYTES, &der, err);
    if (rc)
        return rc;
    rc = tst_cert_from_der(der.p, der.n, out, err);
    return rc ? tst_wrap(err, "%s", name) : 0;
}

static int key_write(int dir, const char *name, const struct tst_key *key, struct tst_error **err)
{
    TST_AUTO_SECRET der = NULL;
    int rc = tst_key_private_der(key, &der, err);
    return rc ? rc : file_write_new(dir, name, tst_secret_view(der), tst_secret_size(der), err);
}

static int cert_write(int dir, const char *name, const struct tst_cert *cert, struct tst_error **err)
{
    uint8_t *der = NULL;
    size_t n = 0;
    int rc = tst_cert_to_der(cert, &der, &n, err);
    if (!rc)
        rc = file_write_new(dir, name, der, n, err);
    tst_free(der);
    return rc;
}

/* Fills a new directory by `write` and gives it its name. */
static int set_store(int dir, const char *name, int (*write)(int dir, const void *what, struct tst_error **err),
                     const void *what, struct tst_error **err)
{
    TST_AUTO_STR tmp = tst_strdup_printf("%s.tmp", name);
    AUTO_FD set = -1;
    int rc = tmp ? dir_discard(dir, tmp, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (!rc)
        rc = dir_open_private(dir, tmp, true, &set, err);
    if (!rc)
        rc = write(set, what, err);
    if (rc)
        return rc;
    if (fsync(set) != 0 || renameat(dir, tmp, dir, name) != 0 || fsync(dir) != 0)
        return tst_fail(err, TST_INTERNAL, "%s: %s", name, strerror(errno));
    return 0;
}

/* A set that is there lacks a file: it must not be taken for a missing set, which would be made anew. */
static int expect_whole(int rc, struct tst_error **err)
{
    return rc == -TST_NOT_FOUND ? tst_fail(err, TST_REFUTED, "a file is missing: damaged state directory") : rc;
}

/* ---- the hierarchy ---- */
static int product_read(int set, const struct amd_product **out, struct tst_error **err)
{
    TST_AUTO_BUF text = {0};
    char name[16] = "";
    int rc = file_read_private(set, "product", sizeof name - 1, &text, err);
    if (rc)
        return rc;
    if (text.n > 0)
        memcpy(name, text.p, text.n);
    *out = amd_product_of(tst_snp_product_of(name));
    return *out ? 0 : tst_fail(err, TST_REFUTED, "product: \"%s\" is not simulated", name);
}

static int root_read(int dir, struct amd_root **out, struct tst_error **err)
{
    AUTO_FD set = -1;
    int rc = dir_open_private(dir, "root", false, &set, err);
    if (rc)
        return rc;
    AUTO_ROOT r = calloc(1, sizeof *r);
    if (!r)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    rc = product_read(set, &r->product, err);
    if (!rc)
        rc = key_read(set, "ark.key", &r->ark_key, err);
    if (!rc)
        rc = key_read(set, "ask.key", &r->ask_key, err);
    if (!rc)
        rc = cert_read(set, "ark.der", &r->ark, err);
    if (!rc)
        rc = cert_read(set, "ask.der", &r->ask, err);
    rc = expect_whole(rc, err);
    if (!rc)
        *out = TST_STEAL(r);
    return rc;
}

static int root_write(int set, const void *what, struct tst_error **err)
{
    const struct amd_root *r = what;
    const char *product = tst_snp_product_name(r->product->id);
    int rc = file_write_new(set, "product", product, strlen(product), err);
    if (!rc)
        rc = key_write(set, "ark.key", r->ark_key, err);
    if (!rc)
        rc = key_write(set, "ask.key", r->ask_key, err);
    if (!rc)
        rc = cert_write(set, "ark.der", r->ark, err);
    if (!rc)
        rc = cert_write(set, "ask.der", r->ask, err);
    return rc;
}

int amd_root_load(const char *dir, struct amd_root **out, struct tst_error **err)
{
    AUTO_FD state = -1;
    int rc = dir_open_private(AT_FDCWD, dir, false, &state, err);
    if (!rc)
        rc = root_read(state, out, err);
    if (rc == -TST_NOT_FOUND) {
        tst_wrap(err, "%s: no key hierarchy", dir);
        return tst_hint(err, NULL, NULL, "run: testudo-psp init --state DIR");
    }
    return rc ? tst_wrap(err, "%s", dir) : 0;
}

static int root_make_and_store(int dir, enum tst_snp_product product, time_t from, struct amd_root **out,
                               struct tst_error **err)
{
    AUTO_ROOT r = NULL;
    int rc = amd_root_make(product, from, &r, err);
    if (!rc)
        rc = set_store(dir, "root", root_write, r, err);
    if (!rc)
        *out = TST_STEAL(r);
    return rc;
}

static int root_read_or_make(int dir, enum tst_snp_product product, time_t from, struct amd_root **out,
                             struct tst_error **err)
{
    TST_AUTO_ERROR why = NULL;
    AUTO_ROOT r = NULL;
    int rc = root_read(dir, &r, &why);
    if (rc == -TST_NOT_FOUND)
        return root_make_and_store(dir, product, from, out, err);
    if (!r) {
        if (err)
            *err = TST_STEAL(why);
        return rc;
    }
    if (r->product->id != product) {
        tst_fail(err, TST_REFUTED, "its key hierarchy is of another product");
        return tst_hint(err, tst_snp_product_name(product), tst_snp_product_name(r->product->id),
                        "use another state directory for another product");
    }
    *out = TST_STEAL(r);
    return 0;
}

int amd_root_open(const char *dir, enum tst_snp_product product, time_t from, struct amd_root **out,
                  struct tst_error **err)
{
    AUTO_FD state = -1;
    int rc = dir_open_private(AT_FDCWD, dir, true, &state, err);
    if (!rc && flock(state, LOCK_EX) != 0)
        rc = tst_fail(err, TST_INTERNAL, "cannot lock: %s", strerror(errno));
    if (!rc)
        rc = root_read_or_make(state, product, from, out, err);
    return rc ? tst_wrap(err, "%s", dir) : 0;
}

/* ---- chips ---- */
static int chip_read(int chips, const char *name, const struct amd_root *root, struct amd_chip **out,
                     struct tst_error **err)
{
    AUTO_FD set = -1;
    int rc = dir_open_private(chips, name, false, &set, err);
    if (rc)
        return rc;
    AUTO_CHIP c = calloc(1, sizeof *c);
    if (!c)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    struct tst_snp_vek vek = {0};
    rc = key_read(set, "vcek.key", &c->vcek_key, err);
    if (!rc)
        rc = cert_read(set, "vcek.der", &c->vcek, err);
    if (!rc)
        rc = tst_snp_vek_parse(c->vcek, &vek, err);
    if (!rc && vek.product != root->product->id)
        rc = tst_fail(err, TST_REFUTED, "VCEK of another product");
    rc = expect_whole(rc, err);
    if (rc)
        return rc;
    c->product = root->product;
    c->tcb = vek.tcb;
    memcpy(c->id, vek.hwid, sizeof c->id);
    *out = TST_STEAL(c);
    return 0;
}

static int chip_write(int set, const void *what, struct tst_error **err)
{
    const struct amd_chip *c = what;
    int rc = key_write(set, "vcek.key", c->vcek_key, err);
    return rc ? rc : cert_write(set, "vcek.der", c->vcek, err);
}

static int chip_read_or_make(int chips, const char *name, const struct amd_root *root, time_t from,
                             struct amd_chip **out, struct tst_error **err)
{
    TST_AUTO_ERROR why = NULL;
    AUTO_CHIP c = NULL;
    int rc = chip_read(chips, name, root, &c, &why);
    if (rc == -TST_NOT_FOUND) {
        rc = amd_chip_make(root, NULL, from, &c, err);
        if (!rc)
            rc = set_store(chips, name, chip_write, c, err);
    } else if (rc && err) {
        *err = TST_STEAL(why);
    }
    if (!rc)
        *out = TST_STEAL(c);
    return rc;
}

int amd_chip_open(const char *dir, const struct amd_root *root, const char *name, time_t from, struct amd_chip **out,
                  struct tst_error **err)
{
    AUTO_FD state = -1, chips = -1;
    if (!tst_is_name(name))
        return tst_fail(err, TST_USAGE, "chip: not a name (1 to 63 of a-z, 0-9, -)");
    int rc = dir_open_private(AT_FDCWD, dir, false, &state, err);
    if (!rc)
        rc = dir_open_private(state, "chips", true, &chips, err);
    if (!rc)
        rc = chip_read_or_make(chips, name, root, from, out, err);
    return rc ? tst_wrap(err, "chip %s", name) : 0;
}
