/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/sim/test_tsmfs.c - the configfs-tsm ABI through the real kernel: each test mounts, uses system calls as an
 * agent would, and unmounts. Needs root; exits 77 without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "sim/tsmfs.h"
#include "tests/unit/sim/mount.h"

/* A processor that answers what it was asked: report data, VMPL, how many reports it has made. */
struct fake {
    char *dir;
    int fd, stop, rc;
    bool broken;
    uint8_t made;
    uint8_t auxblob[5000];
    struct tsmfs_provider provider;
    pthread_t thread;
};

static int fake_report(void *ctx, uint32_t vmpl, const uint8_t report_data[64], uint8_t out[TST_SNP_REPORT_BYTES],
                       struct tst_error **err)
{
    struct fake *f = ctx;
    if (f->broken)
        return tst_fail(err, TST_INTERNAL, "broken on purpose");
    memset(out, 0xEE, TST_SNP_REPORT_BYTES);
    memcpy(out, report_data, 64);
    out[64] = (uint8_t)vmpl;
    out[65] = ++f->made;
    return 0;
}

static void *fake_run(void *arg)
{
    struct fake *f = arg;
    f->rc = tsmfs_serve(f->fd, f->stop, &f->provider, NULL);
    return NULL;
}

static void start(struct fake *f, const char *options)
{
    *f = (struct fake){.dir = tree_new(), .stop = eventfd(0, EFD_CLOEXEC)};
    for (size_t i = 0; i < sizeof f->auxblob; i++)
        f->auxblob[i] = (uint8_t)(i * 7);
    f->provider = (struct tsmfs_provider){.report = fake_report, .ctx = f, .auxblob = {f->auxblob, sizeof f->auxblob}};
    f->fd = mount_fuse(f->dir, options);
    assert_int_equal(pthread_create(&f->thread, NULL, fake_run, f), 0);
}

/* The server's end is part of every test: it must come when the file system goes, and without an error. */
static void stop(struct fake *f)
{
    assert_int_equal(umount(f->dir), 0);
    assert_int_equal(pthread_join(f->thread, NULL), 0);
    assert_int_equal(f->rc, 0);
    assert_int_equal(fcntl(f->fd, F_GETFD), -1); /* it took the descriptor and closed it */
    close(f->stop);
    tree_free(f->dir);
}

static int setup(void **state)
{
    struct fake *f = malloc(sizeof *f);
    assert_non_null(f);
    start(f, ",default_permissions");
    assert_int_equal(io_mkdir(f->dir, "r"), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    stop(*state);
    free(*state);
    return 0;
}

static unsigned long generation(const struct fake *f)
{
    char text[32] = "";
    assert_true(io_read(f->dir, "r/generation", text, sizeof text - 1) > 1);
    assert_int_equal(text[strlen(text) - 1], '\n');
    return strtoul(text, NULL, 10);
}

static void ask(const struct fake *f, uint8_t byte)
{
    uint8_t data[64];
    memset(data, byte, sizeof data);
    assert_int_equal(io_write(f->dir, "r/inblob", data, sizeof data), 0);
}

static void entry_has_the_attributes_of_a_snp_guest(void **state)
{
    const struct fake *f = *state;
    static const struct {
        const char *name;
        mode_t mode;
    } expected[] = {{"inblob", 0200},    {"outblob", 0400},   {"auxblob", 0400},        {"provider", 0444},
                    {"generation", 0444}, {"privlevel", 0200}, {"privlevel_floor", 0444}};
    for (size_t i = 0; i < TST_COUNT(expected); i++) {
        TST_AUTO_STR path = tst_strdup_printf("%s/r/%s", f->dir, expected[i].name);
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | expected[i].mode);
        assert_int_equal(st.st_uid, 0);
    }
    TST_AUTO_STR entry = tree_path(f->dir, "r");
    DIR *d = opendir(entry);
    assert_non_null(d);
    size_t found = 0;
    for (struct dirent *e; (e = readdir(d));)
        found += e->d_name[0] != '.';
    closedir(d);
    assert_int_equal(found, TST_COUNT(expected));
}

static void constant_attributes_read_as_the_kernels(void **state)
{
    const struct fake *f = *state;
    char text[32] = "";
    assert_int_equal(io_read(f->dir, "r/provider", text, sizeof text), 10);
    assert_memory_equal(text, "sev_guest\n", 10);
    assert_int_equal(io_read(f->dir, "r/privlevel_floor", text, sizeof text), 2);
    assert_memory_equal(text, "0\n", 2);
    assert_int_equal(io_open(f->dir, "r/manifestblob", O_RDONLY), -ENOENT);
}

static void report_is_made_for_the_inblob(void **state)
{
    const struct fake *f = *state;
    uint8_t out[2048], aux[8192];
    ask(f, 0x5A);
    assert_int_equal(io_read(f->dir, "r/outblob", out, sizeof out), TST_SNP_REPORT_BYTES);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(out[i], 0x5A);
    assert_int_equal(out[64], 0);
    assert_int_equal(io_read(f->dir, "r/auxblob", aux, sizeof aux), sizeof f->auxblob);
    assert_memory_equal(aux, f->auxblob, sizeof f->auxblob);
}

static void report_is_read_in_small_pieces(void **state)
{
    const struct fake *f = *state;
    uint8_t whole[2048], byte;
    ask(f, 1);
    assert_int_equal(io_read(f->dir, "r/outblob", whole, sizeof whole), TST_SNP_REPORT_BYTES);
    int fd = io_open(f->dir, "r/outblob", O_RDONLY);
    assert_true(fd >= 0);
    for (size_t i = 0; i < TST_SNP_REPORT_BYTES; i++) {
        assert_int_equal(read(fd, &byte, 1), 1);
        assert_int_equal(byte, whole[i]);
    }
    assert_int_equal(read(fd, &byte, 1), 0);
    assert_int_equal(pread(fd, &byte, 1, 1L << 40), 0);
    close(fd);
}

static void report_without_inblob_is_invalid(void **state)
{
    const struct fake *f = *state;
    char out[16];
    assert_int_equal(io_read(f->dir, "r/outblob", out, sizeof out), -EINVAL);
    assert_int_equal(io_read(f->dir, "r/auxblob", out, sizeof out), -EINVAL);
    assert_int_equal(f->made, 0);
}

static void inblob_of_another_length_is_invalid(void **state)
{
    const struct fake *f = *state;
    static const size_t lengths[] = {1, 48, 63, 65, 128, 4096, 65536};
    static const uint8_t data[65536];
    for (size_t i = 0; i < TST_COUNT(lengths); i++)
        assert_int_equal(io_write(f->dir, "r/inblob", data, lengths[i]), EINVAL);
    int fd = io_open(f->dir, "r/inblob", O_WRONLY);
    assert_int_equal(pwrite(fd, data, 64, 1), -1);
    assert_int_equal(errno, EINVAL);
    close(fd);
    assert_int_equal(generation(f), 0);
}

static void generation_counts_accepted_writes_only(void **state)
{
    const struct fake *f = *state;
    char out[2048];
    assert_int_equal(generation(f), 0);
    ask(f, 1);
    assert_int_equal(generation(f), 1);
    assert_int_equal(io_write(f->dir, "r/privlevel", "1", 1), 0);
    assert_int_equal(generation(f), 2);
    assert_int_equal(io_write(f->dir, "r/privlevel", "9", 1), EINVAL);
    assert_int_equal(io_read(f->dir, "r/outblob", out, sizeof out), TST_SNP_REPORT_BYTES);
    assert_int_equal(generation(f), 2);
    ask(f, 1); /* the same bytes again are a write too */
    assert_int_equal(generation(f), 3);
}

static void inblob_takes_effect_when_its_file_is_closed(void **state)
{
    const struct fake *f = *state;
    static const uint8_t data[64] = {7};
    int fd = io_open(f->dir, "r/inblob", O_WRONLY);
    assert_int_equal(write(fd, data, sizeof data), sizeof data);
    assert_int_equal(generation(f), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(generation(f), 1);
}

static void one_report_is_made_a_generation(void **state)
{
    const struct fake *f = *state;
    uint8_t out[8192];
    ask(f, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(io_read(f->dir, "r/outblob", out, sizeof out), TST_SNP_REPORT_BYTES);
    assert_int_equal(io_read(f->dir, "r/auxblob", out, sizeof out), sizeof f->auxblob);
    assert_int_equal(f->made, 1);
    ask(f, 2);
    assert_int_equal(io_read(f->dir, "r/outblob", out, sizeof out), TST_SNP_REPORT_BYTES);
    assert_int_equal(out[0], 2);
    assert_int_equal(f->made, 2);
}

static void read_across_a_change_would_block(void **state)
{
    const struct fake *f = *state;
    uint8_t out[64];
    ask(f, 1);
    int fd = io_open(f->dir, "r/outblob", O_RDONLY);
    assert_int_equal(read(fd, out, sizeof out), sizeof out);
    ask(f, 2);
    assert_int_equal(read(fd, out, sizeof out), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    close(fd);
    assert_true(io_read(f->dir, "r/outblob", out, sizeof out) > 0);
    assert_int_equal(out[0], 2);
}

static void privlevel_goes_into_the_report(void **state)
{
    const struct fake *f = *state;
    static const struct {
        const char *text;
        uint8_t level;
    } good[] = {{"0", 0}, {"1\n", 1}, {"2", 2}, {"3\n", 3}, {"0x2", 2}};
    static const char *const bad[] = {"4", "-1", "\n", "a", "1 2", "1\n\n", " 1", "3x", "0x", "99999999999",
                                     "18446744073709551616"};
    uint8_t out[2048];
    ask(f, 1);
    for (size_t i = 0; i < TST_COUNT(good); i++) {
        assert_int_equal(io_write(f->dir, "r/privlevel", good[i].text, strlen(good[i].text)), 0);
        assert_int_equal(io_read(f->dir, "r/outblob", out, sizeof out), TST_SNP_REPORT_BYTES);
        assert_int_equal(out[64], good[i].level);
    }
    for (size_t i = 0; i < TST_COUNT(bad); i++)
        if (io_write(f->dir, "r/privlevel", bad[i], strlen(bad[i])) != EINVAL)
            fail_msg("accepted: \"%s\"", bad[i]);
}

static void attribute_opens_in_its_own_direction_only(void **state)
{
    const struct fake *f = *state;
    static const char *const wo[] = {"r/inblob", "r/privlevel"};
    static const char *const ro[] = {"r/outblob", "r/auxblob", "r/provider", "r/generation", "r/privlevel_floor"};
    for (size_t i = 0; i < TST_COUNT(wo); i++) {
        assert_int_equal(io_open(f->dir, wo[i], O_RDONLY), -EACCES);
        assert_int_equal(io_open(f->dir, wo[i], O_RDWR), -EACCES);
    }
    for (size_t i = 0; i < TST_COUNT(ro); i++) {
        assert_int_equal(io_open(f->dir, ro[i], O_WRONLY), -EACCES);
        assert_int_equal(io_open(f->dir, ro[i], O_RDWR), -EACCES);
    }
}

static void shell_redirection_works(void **state)
{
    const struct fake *f = *state;
    static const uint8_t data[64] = {9};
    int fd = io_open(f->dir, "r/inblob", O_WRONLY | O_CREAT | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, sizeof data), sizeof data);
    assert_int_equal(close(fd), 0);
    assert_int_equal(generation(f), 1);
}

static void entries_are_independent(void **state)
{
    const struct fake *f = *state;
    uint8_t out[2048], data[64];
    memset(data, 0xBB, sizeof data);
    assert_int_equal(io_mkdir(f->dir, "q"), 0);
    ask(f, 0xAA);
    assert_int_equal(io_write(f->dir, "q/inblob", data, sizeof data), 0);
    assert_int_equal(io_read(f->dir, "r/outblob", out, sizeof out), TST_SNP_REPORT_BYTES);
    assert_int_equal(out[0], 0xAA);
    assert_int_equal(io_read(f->dir, "q/outblob", out, sizeof out), TST_SNP_REPORT_BYTES);
    assert_int_equal(out[0], 0xBB);
}

static void nothing_but_entries_can_be_made_or_removed(void **state)
{
    const struct fake *f = *state;
    assert_int_equal(io_mkdir(f->dir, "r"), EEXIST);
    assert_int_equal(io_mkdir(f->dir, "r/sub"), EPERM);
    assert_int_equal(io_rmdir(f->dir, "missing"), ENOENT);
    assert_int_equal(io_rmdir(f->dir, "r/inblob"), ENOTDIR);
    assert_int_equal(io_open(f->dir, "file", O_WRONLY | O_CREAT), -EPERM);
    assert_int_equal(io_open(f->dir, "r/file", O_WRONLY | O_CREAT), -EPERM);
    TST_AUTO_STR outblob = tree_path(f->dir, "r/outblob");
    assert_int_equal(unlink(outblob), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(chmod(outblob, 0444), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(chown(outblob, NOBODY, NOBODY), -1);
    assert_int_equal(errno, EPERM);
}

static void number_of_entries_is_bounded(void **state)
{
    const struct fake *f = *state;
    char name[300];
    for (int i = 1; i < 64; i++) {
        snprintf(name, sizeof name, "e%d", i);
        assert_int_equal(io_mkdir(f->dir, name), 0);
    }
    assert_int_equal(io_mkdir(f->dir, "one-more"), ENOSPC);
    assert_int_equal(io_rmdir(f->dir, "e5"), 0);
    memset(name, 'n', 255);
    name[255] = 0;
    assert_int_equal(io_mkdir(f->dir, name), 0);
    DIR *d = opendir(f->dir);
    assert_non_null(d);
    size_t found = 0;
    for (struct dirent *e; (e = readdir(d));)
        found += e->d_name[0] != '.';
    closedir(d);
    assert_int_equal(found, 64);
}

static void number_of_open_files_is_bounded(void **state)
{
    const struct fake *f = *state;
    int fds[256];
    for (size_t i = 0; i < TST_COUNT(fds); i++)
        assert_true((fds[i] = io_open(f->dir, "r/provider", O_RDONLY)) >= 0);
    assert_int_equal(io_open(f->dir, "r/provider", O_RDONLY), -ENFILE);
    for (size_t i = 0; i < TST_COUNT(fds); i++)
        close(fds[i]);
    char text[32];
    ssize_t n = -ENFILE; /* releases come after close has returned */
    for (int i = 0; i < 200 && n == -ENFILE; i++, usleep(10000))
        n = io_read(f->dir, "r/provider", text, sizeof text);
    assert_int_equal(n, 10);
}

static void removed_entry_is_gone_also_for_open_files(void **state)
{
    const struct fake *f = *state;
    uint8_t out[64] = {0};
    ask(f, 1);
    int reader = io_open(f->dir, "r/outblob", O_RDONLY), writer = io_open(f->dir, "r/inblob", O_WRONLY);
    assert_true(reader >= 0 && writer >= 0);
    assert_int_equal(io_rmdir(f->dir, "r"), 0);
    assert_int_equal(io_mkdir(f->dir, "r"), 0); /* a new one of the same name is another one */
    assert_int_equal(read(reader, out, sizeof out), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(write(writer, out, sizeof out), -1);
    assert_int_equal(errno, ENOENT);
    close(reader);
    close(writer);
    assert_int_equal(generation(f), 0);
    assert_int_equal(io_read(f->dir, "r/outblob", out, sizeof out), -EINVAL);
}

static void failing_processor_is_an_io_error(void **state)
{
    struct fake *f = *state;
    uint8_t out[2048];
    ask(f, 1);
    f->broken = true;
    assert_int_equal(io_read(f->dir, "r/outblob", out, sizeof out), -EIO);
    f->broken = false;
    assert_int_equal(io_read(f->dir, "r/outblob", out, sizeof out), TST_SNP_REPORT_BYTES);
}

/* 0 when user nobody can do exactly what the kernel's modes let it; else the number of the first surprise. */
static int nobody_acts(const char *dir)
{
    char text[64] = "";
    if (io_read(dir, "r/provider", text, sizeof text) != 10 || io_read(dir, "r/generation", text, sizeof text) != 2)
        return 1;
    if (io_open(dir, "r/outblob", O_RDONLY) != -EACCES || io_open(dir, "r/auxblob", O_RDONLY) != -EACCES)
        return 2;
    if (io_open(dir, "r/inblob", O_WRONLY) != -EACCES || io_open(dir, "r/privlevel", O_WRONLY) != -EACCES)
        return 3;
    if (io_mkdir(dir, "mine") != EACCES)
        return 4;
    int rc = io_rmdir(dir, "r");
    return rc == EACCES || rc == EPERM ? 0 : 5;
}

static void unprivileged_user_reads_no_evidence(void **state)
{
    const struct fake *f = *state;
    ask(f, 1);
    assert_int_equal(as_nobody(nobody_acts, f->dir), 0);
    assert_int_equal(generation(f), 1);
}

static void unprivileged_user_is_refused_without_the_kernels_check_too(void **state)
{
    (void)state;
    struct fake f;
    start(&f, "");
    assert_int_equal(io_mkdir(f.dir, "r"), 0);
    ask(&f, 1);
    assert_int_equal(as_nobody(nobody_acts, f.dir), 0);
    stop(&f);
}

static void stopped_server_leaves_a_dead_mount(void **state)
{
    (void)state;
    struct fake f;
    char out[16];
    start(&f, ",default_permissions");
    assert_int_equal(io_mkdir(f.dir, "r"), 0);
    int held = io_open(f.dir, "r/provider", O_RDONLY);
    assert_true(held >= 0);
    assert_int_equal(eventfd_write(f.stop, 1), 0);
    pthread_join(f.thread, NULL);
    assert_int_equal(f.rc, 0);
    assert_int_equal(io_read(f.dir, "r/provider", out, sizeof out), -ENOTCONN);
    assert_int_equal(read(held, out, sizeof out), -1);
    close(held);
    assert_int_equal(umount(f.dir), 0);
    close(f.stop);
    tree_free(f.dir);
}

static void server_ends_when_the_mount_goes_with_files_open(void **state)
{
    (void)state;
    struct fake f;
    char out[16];
    start(&f, ",default_permissions");
    assert_int_equal(io_mkdir(f.dir, "r"), 0);
    int held = io_open(f.dir, "r/provider", O_RDONLY);
    assert_int_equal(read(held, out, 4), 4);
    assert_int_equal(umount2(f.dir, MNT_DETACH | MNT_FORCE), 0); /* as when a node is killed: connection aborted */
    pthread_join(f.thread, NULL);
    assert_int_equal(f.rc, 0);
    close(held);
    close(f.stop);
    tree_free(f.dir);
}

static void descriptor_that_is_no_fuse_mount_is_an_error(void **state)
{
    (void)state;
    struct tsmfs_provider provider = {.report = fake_report};
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC), stop_fd = eventfd(0, EFD_CLOEXEC);
    assert_true(fd >= 0 && stop_fd >= 0);
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(tsmfs_serve(fd, stop_fd, &provider, &err), -TST_INTERNAL); /* opened, never mounted */
    assert_non_null(err);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    close(stop_fd);
}

int main(void)
{
    mount_namespace_or_skip();
#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        MOUNTED(entry_has_the_attributes_of_a_snp_guest),
        MOUNTED(constant_attributes_read_as_the_kernels),
        MOUNTED(report_is_made_for_the_inblob),
        MOUNTED(report_is_read_in_small_pieces),
        MOUNTED(report_without_inblob_is_invalid),
        MOUNTED(inblob_of_another_length_is_invalid),
        MOUNTED(generation_counts_accepted_writes_only),
        MOUNTED(inblob_takes_effect_when_its_file_is_closed),
        MOUNTED(one_report_is_made_a_generation),
        MOUNTED(read_across_a_change_would_block),
        MOUNTED(privlevel_goes_into_the_report),
        MOUNTED(attribute_opens_in_its_own_direction_only),
        MOUNTED(shell_redirection_works),
        MOUNTED(entries_are_independent),
        MOUNTED(nothing_but_entries_can_be_made_or_removed),
        MOUNTED(number_of_entries_is_bounded),
        MOUNTED(number_of_open_files_is_bounded),
        MOUNTED(removed_entry_is_gone_also_for_open_files),
        MOUNTED(failing_processor_is_an_io_error),
        MOUNTED(unprivileged_user_reads_no_evidence),
        cmocka_unit_test(unprivileged_user_is_refused_without_the_kernels_check_too),
        cmocka_unit_test(stopped_server_leaves_a_dead_mount),
        cmocka_unit_test(server_ends_when_the_mount_goes_with_files_open),
        cmocka_unit_test(descriptor_that_is_no_fuse_mount_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
