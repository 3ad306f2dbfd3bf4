/* SPDX-License-Identifier: Apache-2.0 */
/* sim/tsmfs.c - see tsmfs.h. One thread, no locks; entries and open files are bounded, an entry's number is never used
 * again, so that a stale inode or open file finds nothing. */
#define FUSE_USE_VERSION 31
#include "tsmfs.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES_MAX = 64, FILES_MAX = 256, PRIVLEVEL_MAX = 3, NAME_BYTES = 256, TEXT_ATTR_BYTES = 4096 };

enum attr_id { INBLOB, OUTBLOB, AUXBLOB, PROVIDER, GENERATION, PRIVLEVEL, PRIVLEVEL_FLOOR, ATTR_COUNT };
static const struct attr {
    const char *name;
    mode_t mode;
    bool blob;
} attrs[ATTR_COUNT] = {
    [INBLOB] = {"inblob", 0200, true},
    [OUTBLOB] = {"outblob", 0400, true},
    [AUXBLOB] = {"auxblob", 0400, true},
    [PROVIDER] = {"provider", 0444, false},
    [GENERATION] = {"generation", 0444, false},
    [PRIVLEVEL] = {"privlevel", 0200, false},
    [PRIVLEVEL_FLOOR] = {"privlevel_floor", 0444, false},
};

struct entry {
    uint64_t number; /* 0: slot is free */
    char name[NAME_BYTES];
    uint64_t write_generation, read_generation;
    uint32_t privlevel;
    bool has_inblob, has_outblob;
    uint8_t inblob[TST_SNP_REPORT_DATA_BYTES], outblob[TST_SNP_REPORT_BYTES];
};

struct open_file {
    enum attr_id attr;
    bool used, filled, pending; /* slot is taken; content was read; inblob waits for close */
    uint64_t generation;  /* of the content */
    uint8_t inblob[TST_SNP_REPORT_DATA_BYTES];
    struct tst_buf content;
};

struct tsmfs {
    const struct tsmfs_provider *provider;
    struct entry entries[ENTRIES_MAX];
    uint64_t last_number;
    struct open_file files[FILES_MAX];
};

/* ---- inode numbers: root 1, entry number << 8, attribute (number << 8) + id + 1 ---- */
static fuse_ino_t entry_ino(const struct entry *e)
{
    return e->number << 8;
}

static struct entry *entry_of_ino(struct tsmfs *fs, fuse_ino_t ino)
{
    for (size_t i = 0; i < ENTRIES_MAX; i++)
        if (fs->entries[i].number && fs->entries[i].number == ino >> 8)
            return &fs->entries[i];
    return NULL;
}

static struct entry *entry_of_name(struct tsmfs *fs, const char *name)
{
    for (size_t i = 0; i < ENTRIES_MAX; i++)
        if (fs->entries[i].number && strcmp(fs->entries[i].name, name) == 0)
            return &fs->entries[i];
    return NULL;
}

static bool ino_is_attr(fuse_ino_t ino)
{
    return ino != FUSE_ROOT_ID && (ino & 0xFF) != 0;
}

static enum attr_id attr_of_ino(fuse_ino_t ino)
{
    return (enum attr_id)((ino & 0xFF) - 1);
}

static struct tsmfs *fs_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static bool by_root(fuse_req_t req)
{
    return fuse_req_ctx(req)->uid == 0;
}

static bool stat_fill(struct tsmfs *fs, fuse_ino_t ino, struct stat *st)
{
    *st = (struct stat){.st_ino = ino, .st_mode = S_IFDIR | 0755, .st_nlink = 2};
    if (ino == FUSE_ROOT_ID)
        return true;
    if (!entry_of_ino(fs, ino))
        return false;
    if (ino_is_attr(ino)) {
        const struct attr *a = &attrs[attr_of_ino(ino)];
        st->st_mode = S_IFREG | a->mode;
        st->st_nlink = 1;
        st->st_size = a->blob ? 0 : TEXT_ATTR_BYTES;
    }
    return true;
}

static void reply_entry(fuse_req_t req, fuse_ino_t ino)
{
    struct fuse_entry_param p = {.ino = ino}; /* no timeouts: the kernel asks each time */
    if (stat_fill(fs_of(req), ino, &p.attr))
        fuse_reply_entry(req, &p);
    else
        fuse_reply_err(req, ENOENT);
}

/* ---- directories ---- */
static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct tsmfs *fs = fs_of(req);
    struct entry *e = parent == FUSE_ROOT_ID ? entry_of_name(fs, name) : entry_of_ino(fs, parent);
    fuse_ino_t ino = 0;
    if (e && parent == FUSE_ROOT_ID)
        ino = entry_ino(e);
    for (size_t a = 0; e && parent != FUSE_ROOT_ID && a < ATTR_COUNT; a++)
        if (strcmp(attrs[a].name, name) == 0)
            ino = entry_ino(e) + a + 1;
    if (ino)
        reply_entry(req, ino);
    else
        fuse_reply_err(req, ENOENT);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)fi;
    struct stat st;
    if (stat_fill(fs_of(req), ino, &st))
        fuse_reply_attr(req, &st, 0);
    else
        fuse_reply_err(req, ENOENT);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
    /* a shell's ">" truncates; nothing else can be set */
    if (!by_root(req) || to_set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID) ||
        !(to_set & FUSE_SET_ATTR_SIZE) || attr->st_size != 0)
        fuse_reply_err(req, EPERM);
    else
        op_getattr(req, ino, fi);
}

static int entry_add(struct tsmfs *fs, const char *name, struct entry **out)
{
    const size_t n = strlen(name) + 1;
    if (n > NAME_BYTES)
        return ENAMETOOLONG;
    if (entry_of_name(fs, name))
        return EEXIST;
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        struct entry *e = &fs->entries[i];
        if (e->number)
            continue;
        *e = (struct entry){.number = ++fs->last_number};
        memcpy(e->name, name, n);
        *out = e;
        return 0;
    }
    return ENOSPC;
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    (void)mode;
    struct entry *e = NULL;
    int rc = parent != FUSE_ROOT_ID ? EPERM : !by_root(req) ? EACCES : entry_add(fs_of(req), name, &e);
    if (rc)
        fuse_reply_err(req, rc);
    else
        reply_entry(req, entry_ino(e));
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct entry *e = parent == FUSE_ROOT_ID ? entry_of_name(fs_of(req), name) : NULL;
    int rc = parent != FUSE_ROOT_ID ? ENOTDIR : !by_root(req) ? EACCES : !e ? ENOENT : 0;
    if (!rc)
        tst_wipe(e, sizeof *e);
    fuse_reply_err(req, rc);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
    (void)parent, (void)name, (void)mode, (void)rdev;
    fuse_reply_err(req, EPERM);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
    (void)parent, (void)name, (void)mode, (void)fi;
    fuse_reply_err(req, EPERM);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    (void)parent, (void)name;
    fuse_reply_err(req, EPERM);
}

/* Name and inode of directory ino's item number i; false behind the last. */
static bool dir_item(struct tsmfs *fs, fuse_ino_t ino, size_t i, const char **name, fuse_ino_t *item)
{
    const struct entry *e = ino == FUSE_ROOT_ID ? NULL : entry_of_ino(fs, ino);
    if (i < 2) {
        *name = i ? ".." : ".";
        *item = i ? FUSE_ROOT_ID : ino;
        return true;
    }
    i -= 2;
    if (e && i < ATTR_COUNT) {
        *name = attrs[i].name;
        *item = entry_ino(e) + i + 1;
        return true;
    }
    if (ino != FUSE_ROOT_ID || i >= ENTRIES_MAX)
        return false;
    *name = fs->entries[i].name; /* a free slot has no number: passed over by the caller */
    *item = entry_ino(&fs->entries[i]);
    return true;
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    (void)fi;
    struct tsmfs *fs = fs_of(req);
    char out[4096];
    size_t used = 0, cap = size < sizeof out ? size : sizeof out;
    const char *name;
    fuse_ino_t item;
    for (size_t i = (size_t)off; dir_item(fs, ino, i, &name, &item); i++) {
        if (!item)
            continue;
        struct stat st = {0};
        stat_fill(fs, item, &st);
        size_t need = fuse_add_direntry(req, out + used, cap - used, name, &st, (off_t)i + 1);
        if (need > cap - used)
            break;
        used += need;
    }
    fuse_reply_buf(req, out, used);
}

/* ---- files ---- */
static struct open_file *file_of(const struct fuse_file_info *fi)
{
    return (struct open_file *)(uintptr_t)fi->fh;
}

static int open_check(fuse_req_t req, fuse_ino_t ino, int flags)
{
    struct tsmfs *fs = fs_of(req);
    if (!ino_is_attr(ino))
        return EISDIR;
    if (!entry_of_ino(fs, ino))
        return ENOENT;
    mode_t mode = attrs[attr_of_ino(ino)].mode;
    int access = flags & O_ACCMODE;
    mode_t asked = (access != O_WRONLY ? 0400U : 0) | (access != O_RDONLY ? 0200U : 0);
    if ((asked & ~mode) || (!by_root(req) && !(mode & 0004))) /* root too: there is nothing to override */
        return EACCES;
    return 0;
}

static struct open_file *file_take(struct tsmfs *fs)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        if (!fs->files[i].used) {
            fs->files[i] = (struct open_file){.used = true};
            return &fs->files[i];
        }
    return NULL;
}

static void file_give_back(struct open_file *f)
{
    tst_buf_clear(&f->content);
    f->used = false;
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    int rc = open_check(req, ino, fi->flags);
    struct open_file *f = rc ? NULL : file_take(fs_of(req));
    if (!f) {
        fuse_reply_err(req, rc ? rc : ENFILE);
        return;
    }
    f->attr = attr_of_ino(ino);
    fi->fh = (uintptr_t)f;
    fi->direct_io = 1; /* sizes are not known beforehand */
    if (fuse_reply_open(req, fi) != 0)
        file_give_back(f); /* the opener was interrupted: no release will come */
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    file_give_back(file_of(fi));
    fuse_reply_err(req, 0);
}

static int report_make(struct tsmfs *fs, struct entry *e)
{
    if (!e->has_inblob)
        return EINVAL;
    if (e->has_outblob && e->read_generation == e->write_generation)
        return 0;
    e->has_outblob = false;
    if (fs->provider->report(fs->provider->ctx, e->privlevel, e->inblob, e->outblob, NULL))
        return EIO;
    e->has_outblob = true;
    e->read_generation = e->write_generation;
    return 0;
}

static int file_fill(struct tsmfs *fs, struct entry *e, struct open_file *f)
{
    const struct attr *a = &attrs[f->attr];
    int rc = a->blob ? report_make(fs, e) : 0;
    if (rc)
        return rc;
    if (f->attr == OUTBLOB)
        rc = tst_buf_put(&f->content, e->outblob, sizeof e->outblob, NULL);
    else if (f->attr == AUXBLOB)
        rc = tst_buf_put(&f->content, fs->provider->auxblob.p, fs->provider->auxblob.n, NULL);
    else if (f->attr == PROVIDER)
        rc = tst_buf_printf(&f->content, NULL, "sev_guest\n");
    else if (f->attr == GENERATION)
        rc = tst_buf_printf(&f->content, NULL, "%llu\n", (unsigned long long)e->write_generation);
    else
        rc = tst_buf_printf(&f->content, NULL, "0\n"); /* privlevel_floor: no SVSM below the guest */
    f->filled = rc == 0;
    f->generation = e->write_generation;
    return rc ? ENOMEM : 0;
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    struct tsmfs *fs = fs_of(req);
    struct open_file *f = file_of(fi);
    struct entry *e = entry_of_ino(fs, ino);
    int rc = !e || off < 0 ? ENOENT : 0;
    if (!rc && f->filled && attrs[f->attr].blob && f->generation != e->write_generation)
        rc = EWOULDBLOCK;
    if (!rc && !f->filled)
        rc = file_fill(fs, e, f);
    if (rc) {
        fuse_reply_err(req, rc);
        return;
    }
    size_t at = (size_t)off < f->content.n ? (size_t)off : f->content.n;
    size_t n = f->content.n - at;
    fuse_reply_buf(req, (const char *)f->content.p + at, n < size ? n : size);
}

/* As the kernel advances it: never back onto the generation of the report that was read. */
static int generation_advance(struct entry *e)
{
    if (e->write_generation == e->read_generation - 1)
        return EBUSY;
    e->write_generation++;
    return 0;
}

static int privlevel_write(struct entry *e, const char *text, size_t n)
{
    char number[12] = "";
    if (n > 0 && text[n - 1] == '\n')
        n--;
    if (n == 0 || n >= sizeof number)
        return EINVAL;
    memcpy(number, text, n);
    char *end;
    unsigned long v = strtoul(number, &end, 0);
    if (number[0] < '0' || number[0] > '9' || end != number + n || v > PRIVLEVEL_MAX)
        return EINVAL;
    int rc = generation_advance(e);
    if (!rc)
        e->privlevel = (uint32_t)v;
    return rc;
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *p, size_t n, off_t off, struct fuse_file_info *fi)
{
    struct open_file *f = file_of(fi);
    struct entry *e = entry_of_ino(fs_of(req), ino);
    int rc = !e ? ENOENT : off != 0 ? EINVAL : 0;
    if (!rc && f->attr == PRIVLEVEL) {
        rc = privlevel_write(e, p, n);
    } else if (!rc && n == sizeof f->inblob) {
        memcpy(f->inblob, p, n);
        f->pending = true;
    } else if (!rc) {
        rc = EINVAL;
    }
    if (rc)
        fuse_reply_err(req, rc);
    else
        fuse_reply_write(req, n);
}

/* close(2) waits for this one: here the inblob takes effect. */
static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct open_file *f = file_of(fi);
    struct entry *e = entry_of_ino(fs_of(req), ino);
    int rc = 0;
    if (f->pending && e) {
        rc = generation_advance(e);
        if (!rc) {
            memcpy(e->inblob, f->inblob, sizeof e->inblob);
            e->has_inblob = true;
        }
    }
    f->pending = false;
    fuse_reply_err(req, rc);
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = op_lookup,   .getattr = op_getattr, .setattr = op_setattr, .mkdir = op_mkdir, .rmdir = op_rmdir,
    .mknod = op_mknod,     .create = op_create,   .unlink = op_unlink,   .readdir = op_readdir,
    .open = op_open,       .read = op_read,       .write = op_write,     .flush = op_flush, .release = op_release,
};

/* ---- the loop ---- */
static int loop_run(struct fuse_session *se, int stop_fd, struct tst_error **err)
{
    struct fuse_buf request = {0};
    int rc = 0;
    while (!rc && !fuse_session_exited(se)) {
        struct pollfd wait[] = {{.fd = fuse_session_fd(se), .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
        if (poll(wait, TST_COUNT(wait), -1) < 0 && errno != EINTR)
            rc = tst_fail(err, TST_INTERNAL, "poll: %s", strerror(errno));
        else if (wait[1].revents)
            break;
        else if (wait[0].revents) {
            int got = fuse_session_receive_buf(se, &request);
            if (got > 0)
                fuse_session_process_buf(se, &request);
            else if (got < 0 && got != -EINTR && got != -EAGAIN)
                rc = tst_fail(err, TST_INTERNAL, "/dev/fuse: %s", strerror(-got));
        }
    }
    free(request.mem);
    return rc;
}

int tsmfs_serve(int fuse_fd, int stop_fd, const struct tsmfs_provider *provider, struct tst_error **err)
{
    struct tsmfs *fs = calloc(1, sizeof *fs);
    char *argv[] = {(char *)"testudo-psp", NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, argv);
    struct fuse_session *se = fs ? fuse_session_new(&args, &operations, sizeof operations, fs) : NULL;
    fuse_opt_free_args(&args); /* the session has read them */
    char mounted[32];
    snprintf(mounted, sizeof mounted, "/dev/fd/%d", fuse_fd);
    int flags = fcntl(fuse_fd, F_GETFL);
    int rc = 0;
    if (!se || flags < 0 || fcntl(fuse_fd, F_SETFL, flags | O_NONBLOCK) != 0 || fuse_session_mount(se, mounted) != 0) {
        rc = tst_fail(err, TST_INTERNAL, "cannot start a FUSE session");
        close(fuse_fd);
    } else {
        fs->provider = provider;
        rc = loop_run(se, stop_fd, err);
    }
    if (se)
        fuse_session_destroy(se); /* closes fuse_fd once mounted */
    for (size_t i = 0; fs && i < FILES_MAX; i++) /* an unmounted file system sends no more releases */
        file_give_back(&fs->files[i]);
    free(fs);
    return rc;
}
