/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/store.c - the folder itself: open, names of files, read without trust. Layout: store.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "collateral/inner.h"

int collateral_open(const char *dir, bool make, struct collateral_store **out, struct tst_error **err)
{
    AUTO_STORE s = calloc(1, sizeof *s);
    if (!s)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    s->fd = -1;
    s->dir = strdup(dir);
    if (!s->dir)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    int rc = fs_open_dir(AT_FDCWD, dir, make, &s->fd, err);
    if (rc) {
        tst_wrap(err, "collateral store");
        return tst_hint(err, NULL, NULL, "name another folder with --store, or fill one: testudo collateral fetch REPORT");
    }
    *out = TST_STEAL(s);
    return 0;
}

void collateral_close(struct collateral_store *s)
{
    if (!s)
        return;
    fs_closep(&s->fd);
    free(s->dir);
    free(s->roots);
    free(s);
}

const char *collateral_dir(const struct collateral_store *s)
{
    return s->dir;
}

int collateral_trust_root(struct collateral_store *s, const uint8_t spki_sha256[TST_SHA256_BYTES], struct tst_error **err)
{
    if (s->root_count == COLLATERAL_ROOTS_MAX)
        return tst_fail(err, TST_TOO_LARGE, "more than %d root keys", COLLATERAL_ROOTS_MAX);
    void *grown = reallocarray(s->roots, s->root_count + 1, sizeof *s->roots);
    if (!grown)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    s->roots = grown;
    memcpy(s->roots[s->root_count++], spki_sha256, TST_SHA256_BYTES);
    return 0;
}

const char *collateral_change_word(enum collateral_change c)
{
    static const char *const words[] = {[COLLATERAL_NEW] = "new", [COLLATERAL_REPLACED] = "replaced", [COLLATERAL_KEPT] = "kept",
                                         [COLLATERAL_OLDER] = "older"};
    return words[c];
}

void chain_clear(struct chain *c)
{
    tst_cert_free(c->ask);
    tst_cert_free(c->ark);
    *c = (struct chain){0};
}

/* ---- names ---- */

int folder_of_root(const struct tst_cert *ark, struct folder *out, struct tst_error **err)
{
    struct tst_cert_info info;
    enum tst_snp_product pinned;
    int rc = tst_cert_info(ark, &info, err);
    if (rc)
        return rc;
    *out = (struct folder){0};
    for (enum tst_snp_product p = TST_SNP_MILAN; tst_snp_product_amd_name(p); p++)
        if (strncmp(info.subject_cn, "ARK-", 4) == 0 && strcmp(info.subject_cn + 4, tst_snp_product_amd_name(p)) == 0)
            out->product = p;
    if (!out->product)
        return tst_fail(err, TST_REFUTED, "root '%s': not the name of an ARK", info.subject_cn);
    if (tst_ark_pinned(info.spki_sha256, &pinned)) {
        if (pinned != out->product)
            return tst_fail(err, TST_REFUTED, "root '%s' has AMD's key for %s", info.subject_cn, tst_snp_product_name(pinned));
        snprintf(out->name, sizeof out->name, "%s", tst_snp_product_name(pinned));
        return 0;
    }
    char hex[17];
    tst_hex(info.spki_sha256, 8, hex);
    out->simulated = true;
    snprintf(out->name, sizeof out->name, "sim-%s-%s", hex, tst_snp_product_name(out->product));
    return 0;
}

bool folder_parse(const char *name, struct folder *out)
{
    const char *product = name;
    *out = (struct folder){.simulated = strncmp(name, "sim-", 4) == 0};
    if (out->simulated) {
        if (strspn(name + 4, "0123456789abcdef") < 16 || name[20] != '-')
            return false;
        product = name + 21;
    }
    out->product = tst_snp_product_of(product);
    return out->product && snprintf(out->name, sizeof out->name, "%s", name) < (int)sizeof out->name;
}

int folders_list(const struct collateral_store *s, enum tst_snp_product product, struct folder out[FOLDERS_MAX], size_t *count,
                 struct tst_error **err)
{
    char **names = NULL;
    size_t n = 0;
    *count = 0;
    int rc = names_in(s, ".", &names, &n, err);
    if (rc)
        return rc;
    for (int simulated = 0; simulated < 2; simulated++)
        for (size_t i = 0; i < n && *count < FOLDERS_MAX; i++) {
            struct folder f;
            if (folder_parse(names[i], &f) && f.simulated == simulated && (!product || f.product == product))
                out[(*count)++] = f;
        }
    names_free(names, n);
    return 0;
}

void path_chain(const struct folder *f, bool vlek, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%s-chain.pem", f->name, vlek ? "vlek" : "vcek");
}

void path_crl(const struct folder *f, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/crl.der", f->name);
}

void path_crl_memory(const struct folder *f, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/crl-memory", f->name);
}

void tcb_name(const struct tst_snp_tcb *tcb, char out[64])
{
    char fmc[16] = "";
    if (tcb->has_fmc)
        snprintf(fmc, sizeof fmc, "fmc%u-", tcb->fmc);
    snprintf(out, 64, "%sbl%u-tee%u-snp%u-uc%u", fmc, tcb->bootloader, tcb->tee, tcb->snp, tcb->microcode);
}

int path_vek(const struct folder *f, const struct tst_snp_vek_id *id, const char *csp, char out[PATH_BYTES], struct tst_error **err)
{
    char owner[2 * TST_SNP_CHIP_BYTES + 1], tcb[64];
    tcb_name(&id->tcb, tcb);
    if (id->vlek) {
        uint8_t hash[TST_SHA256_BYTES];
        int rc = tst_sha256(csp, strlen(csp), hash, err);
        if (rc)
            return rc;
        tst_hex(hash, 8, owner);
    } else
        tst_hex(id->hwid, id->hwid_bytes, owner);
    snprintf(out, PATH_BYTES, "%s/%s/%s/%s.der", f->name, id->vlek ? "vlek" : "vcek", owner, tcb);
    return 0;
}

void names_free(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++)
        free(names[i]);
    free(names);
}

static int entry_counts(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return e->d_name[0] != '.' && !(n > 4 && strcmp(e->d_name + n - 4, ".tmp") == 0);
}

/* By bytes: alphasort would follow the locale. */
static int entry_compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Takes the entries over. */
static char **names_of_entries(struct dirent **entries, size_t count)
{
    char **names = calloc(count + 1, sizeof(void *));
    bool whole = names != NULL;
    for (size_t i = 0; i < count; i++) {
        if (names)
            whole = (names[i] = strdup(entries[i]->d_name)) && whole;
        free(entries[i]);
    }
    free(entries);
    if (whole)
        return names;
    names_free(names, count);
    return NULL;
}

int names_in(const struct collateral_store *s, const char *path, char ***out, size_t *count, struct tst_error **err)
{
    struct dirent **entries = NULL;
    *out = NULL;
    *count = 0;
    AUTO_FD fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    int n = fd < 0 ? -1 : scandirat(fd, ".", &entries, entry_counts, entry_compare);
    if (n < 0)
        return tst_fail(err, errno == ENOENT ? TST_NOT_FOUND : TST_INTERNAL, "%s/%s: %m", s->dir, path);
    *out = names_of_entries(entries, (size_t)n);
    if (!*out)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    *count = (size_t)n;
    return 0;
}

/* ---- reading ---- */

void error_forget(struct tst_error **err)
{
    if (err) {
        tst_error_free(*err);
        *err = NULL;
    }
}

int absent_is_fine(int rc, struct tst_error **err)
{
    if (rc != -TST_NOT_FOUND)
        return rc;
    error_forget(err);
    return 0;
}

static int damaged(const struct collateral_store *s, const char *path, struct tst_error **err)
{
    tst_wrap(err, "%s/%s", s->dir, path);
    return tst_hint(err, NULL, NULL, "remove this file of the store and fetch it again");
}

int load_chain(const struct collateral_store *s, const struct folder *f, bool vlek, struct chain *out, struct tst_error **err)
{
    char path[PATH_BYTES];
    TST_AUTO_BUF text = {0};
    struct tst_cert *list[2] = {NULL};
    size_t count = 0;
    path_chain(f, vlek, path);
    int rc = fs_read(s->fd, path, CHAIN_FILE_MAX_BYTES, &text, err);
    if (rc == 0)
        rc = tst_certs_from_text(text.p, text.n, list, TST_COUNT(list), &count, err);
    if (rc == 0 && count != 2) {
        tst_cert_free(list[0]);
        rc = tst_fail(err, TST_REFUTED, "%zu certificates, expected ASK and ARK", count);
    }
    if (rc)
        return rc == -TST_NOT_FOUND ? rc : damaged(s, path, err);
    *out = (struct chain){list[0], list[1]};
    return 0;
}

int load_cert(const struct collateral_store *s, const char *path, struct tst_cert **out, struct tst_error **err)
{
    TST_AUTO_BUF der = {0};
    int rc = fs_read(s->fd, path, TST_CERT_MAX_BYTES, &der, err);
    if (rc == 0)
        rc = tst_cert_from_der(der.p, der.n, out, err);
    return rc && rc != -TST_NOT_FOUND ? damaged(s, path, err) : rc;
}

int load_crl(const struct collateral_store *s, const struct folder *f, struct tst_crl **out, struct tst_error **err)
{
    char path[PATH_BYTES];
    TST_AUTO_BUF der = {0};
    path_crl(f, path);
    int rc = fs_read(s->fd, path, TST_CRL_MAX_BYTES, &der, err);
    if (rc == 0)
        rc = tst_crl_from_der(der.p, der.n, out, err);
    return rc && rc != -TST_NOT_FOUND ? damaged(s, path, err) : rc;
}

int load_crl_memory(const struct collateral_store *s, const struct folder *f, uint64_t *out, struct tst_error **err)
{
    char path[PATH_BYTES], *end = NULL;
    TST_AUTO_BUF text = {0};
    path_crl_memory(f, path);
    *out = 0;
    int rc = fs_read(s->fd, path, 64, &text, err);
    if (rc)
        return rc == -TST_NOT_FOUND ? absent_is_fine(rc, err) : damaged(s, path, err);
    errno = 0;
    unsigned long long number = strtoull(text.n ? (char *)text.p : "", &end, 10);
    if (errno || end == (char *)text.p || !text.n || strcmp(end, "\n") != 0) {
        tst_fail(err, TST_REFUTED, "not one number");
        return damaged(s, path, err);
    }
    *out = number;
    return 0;
}
