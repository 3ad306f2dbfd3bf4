/* SPDX-License-Identifier: Apache-2.0 */
/* unit/cluster/test_process.c - pid files that cannot lie, programs that are run to their end, trees that are removed. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "unit.h"

struct place {
    char folder[40], pid[60], log[60];
};

static int place_make(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    folder_make(p->folder);
    snprintf(p->pid, sizeof p->pid, "%s/pid", p->folder);
    snprintf(p->log, sizeof p->log, "%s/log", p->folder);
    *state = p;
    return 0;
}

static int place_remove(void **state)
{
    struct place *p = *state;
    pid_t left = process_holder(p->pid);

    if (left > 0) {
        kill(left, SIGKILL);
        waitpid(left, NULL, 0);
    }
    folder_remove(p->folder);
    free(p);
    return 0;
}

static void a_spawned_program_holds_its_pid_file_until_it_ends(void **state)
{
    struct place *p = *state;
    TST_AUTO_ERROR err = NULL;
    const char *const argv[] = {"/bin/sleep", "60", NULL};

    assert_int_equal(process_spawn(argv, p->pid, p->log, &err), 0);
    pid_t pid = process_holder(p->pid);
    assert_true(pid > 1);
    AUTO_FD pidfd = process_open(p->pid);
    assert_true(pidfd >= 0);
    assert_false(process_wait(pidfd, 0.05));
    process_signal(pidfd, SIGTERM);
    assert_true(process_wait(pidfd, 5));
    waitpid(pid, NULL, 0);
    assert_int_equal(process_holder(p->pid), 0);
}

static void a_pid_file_without_a_holder_names_nobody(void **state)
{
    struct place *p = *state;
    TST_AUTO_ERROR err = NULL;
    char text[16];
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());

    assert_int_equal(process_holder(p->pid), 0);
    assert_int_equal(process_open(p->pid), -1);
    assert_int_equal(os_write_file(p->pid, 0600, text, (size_t)n, &err), 0);
    assert_int_equal(process_holder(p->pid), 0);
}

static void a_second_program_on_the_same_pid_file_does_not_start(void **state)
{
    struct place *p = *state;
    TST_AUTO_ERROR err = NULL;
    const char *const argv[] = {"/bin/sleep", "60", NULL};

    assert_int_equal(process_spawn(argv, p->pid, p->log, &err), 0);
    pid_t first = process_holder(p->pid);
    assert_int_not_equal(process_spawn(argv, p->pid, p->log, &err), 0);
    assert_int_equal(process_holder(p->pid), first);
}

static void a_program_that_is_not_there_is_reported_by_name(void **state)
{
    struct place *p = *state;
    TST_AUTO_ERROR err = NULL;
    const char *const argv[] = {"/nonexistent/daemon", NULL};

    assert_int_not_equal(process_spawn(argv, p->pid, p->log, &err), 0);
    assert_non_null(strstr(err->text, "/nonexistent/daemon"));
}

static void a_spawned_program_inherits_no_descriptor_but_its_lock(void **state)
{
    struct place *p = *state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR text = NULL;
    int leak[2];
    const char *const argv[] = {"/bin/sh", "-c", "ls -l /proc/self/fd", NULL};

    assert_int_equal(pipe(leak), 0); /* without O_CLOEXEC */
    assert_int_equal(process_spawn(argv, p->pid, p->log, &err), 0);
    assert_true(wait(NULL) > 0);
    assert_int_equal(os_read_file(p->log, 4096, &text, NULL, &err), 0);
    assert_null(strstr(text, "pipe:"));
    assert_non_null(strstr(text, p->pid));
    close(leak[0]);
    close(leak[1]);
}

static void output_of_a_program_is_returned(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR out = NULL;
    const char *const argv[] = {"tr", "a-z", "A-Z", NULL};

    assert_int_equal(os_run(argv, "hello", &out, &err), 0);
    assert_string_equal(out, "HELLO");
}

static void a_failing_program_is_quoted_with_its_last_words(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    const char *const argv[] = {"sh", "-c", "echo first >&2; echo last >&2; exit 3", NULL};

    assert_int_not_equal(os_run(argv, NULL, NULL, &err), 0);
    assert_non_null(strstr(err->text, "exit status 3: last"));
    assert_null(strstr(err->text, "first"));
}

static void much_output_on_both_sides_does_not_block(void **state)
{
    (void)state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR out = NULL;
    const char *const argv[] = {"sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x >&2; head -c 300000 /dev/zero | tr '\\0' y", NULL};

    assert_int_equal(os_run(argv, NULL, &out, &err), 0);
    assert_int_equal(strlen(out), 300000);
}

static void removing_a_tree_follows_no_link(void **state)
{
    struct place *p = *state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR tree = tst_strdup_printf("%s/tree/deep", p->folder), link = tst_strdup_printf("%s/tree/link", p->folder);
    TST_AUTO_STR top = tst_strdup_printf("%s/tree", p->folder), outside = tst_strdup_printf("%s/outside", p->folder);

    assert_int_equal(os_mkdirs(tree, 0755, &err), 0);
    assert_int_equal(os_mkdirs(outside, 0755, &err), 0);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(os_remove_tree(top, &err), 0);
    assert_int_equal(access(top, F_OK), -1);
    assert_int_equal(access(outside, F_OK), 0);
    assert_int_equal(os_remove_tree(top, &err), 0);
}

static void a_file_is_written_with_its_mode_and_read_back_whole(void **state)
{
    struct place *p = *state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR text = NULL;
    struct stat st;
    size_t n;

    assert_int_equal(os_write_file(p->log, 0400, "abc", 3, &err), 0);
    assert_int_equal(stat(p->log, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0400);
    assert_int_equal(os_read_file(p->log, 3, &text, &n, &err), 0);
    assert_int_equal(n, 3);
    TST_AUTO_STR longer = NULL;
    assert_int_equal(os_read_file(p->log, 2, &longer, &n, &err), -TST_TOO_LARGE);
    assert_int_equal(os_read_file("/nonexistent", 2, &longer, &n, &err), -TST_NOT_FOUND);
}

int main(void)
{
#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_spawned_program_holds_its_pid_file_until_it_ends),
        IN_PLACE(a_pid_file_without_a_holder_names_nobody),
        IN_PLACE(a_second_program_on_the_same_pid_file_does_not_start),
        IN_PLACE(a_program_that_is_not_there_is_reported_by_name),
        IN_PLACE(a_spawned_program_inherits_no_descriptor_but_its_lock),
        cmocka_unit_test(output_of_a_program_is_returned),
        cmocka_unit_test(a_failing_program_is_quoted_with_its_last_words),
        cmocka_unit_test(much_output_on_both_sides_does_not_block),
        IN_PLACE(removing_a_tree_follows_no_link),
        IN_PLACE(a_file_is_written_with_its_mode_and_read_back_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
