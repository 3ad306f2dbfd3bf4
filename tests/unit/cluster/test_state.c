/* SPDX-License-Identifier: Apache-2.0 */
/* unit/cluster/test_state.c - the state folder: found, made, locked, and never confused with somebody else's folder. */
#include <sys/stat.h>

#include "cluster/state.h"
#include "unit.h"

static int folder_setup(void **state)
{
    *state = malloc(40);
    folder_make(*state);
    unsetenv("TESTUDO_STATE");
    return 0;
}

static int folder_teardown(void **state)
{
    folder_remove(*state);
    free(*state);
    return 0;
}

static void option_comes_before_environment_before_default(void **state)
{
    const char *folder = *state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR by_name = NULL, by_environment = NULL, by_option = NULL;
    TST_AUTO_STR other = tst_strdup_printf("%s/other", folder);

    assert_int_equal(state_find(NULL, "demo", &by_name, &err), 0);
    assert_string_equal(by_name, "/var/lib/testudo/demo");
    setenv("TESTUDO_STATE", folder, 1);
    assert_int_equal(state_find(NULL, "demo", &by_environment, &err), 0);
    assert_string_equal(by_environment, folder);
    assert_int_equal(state_find(other, "demo", &by_option, &err), 0);
    assert_string_equal(by_option, other);
    unsetenv("TESTUDO_STATE");
}

static void paths_that_mount_options_could_not_carry_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"/var/tmp/a,b", "/var/tmp/a:b", "/var/tmp/a b", "/var/tmp/a\nb", "/nonexistent/../etc"};

    for (size_t i = 0; i < TST_COUNT(bad); i++) {
        TST_AUTO_ERROR err = NULL;
        TST_AUTO_STR path = NULL;
        if (!state_find(bad[i], NULL, &path, &err))
            fail_msg("accepted %s as %s", bad[i], path);
    }
}

static void links_are_resolved_and_a_trailing_slash_goes(void **state)
{
    const char *folder = *state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR link = tst_strdup_printf("%s/link", folder), below = tst_strdup_printf("%s/link/new/", folder), found = NULL;
    TST_AUTO_STR real = tst_strdup_printf("%s/new", folder);

    assert_int_equal(symlink(folder, link), 0);
    assert_int_equal(state_find(below, NULL, &found, &err), 0);
    assert_string_equal(found, real);
}

static void a_new_folder_is_private(void **state)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR path = tst_strdup_printf("%s/new", (char *)*state);
    struct stat st;

    assert_int_equal(state_make(path, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void a_folder_with_other_things_in_it_is_refused(void **state)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR file = tst_strdup_printf("%s/precious", (char *)*state);

    assert_int_equal(os_write_file(file, 0600, "x", 1, &err), 0);
    assert_int_equal(state_make(*state, &err), -TST_USAGE);
    assert_false(state_is_ours(*state));
}

static void the_lock_is_exclusive_and_marks_the_folder(void **state)
{
    TST_AUTO_ERROR err = NULL;
    int first, second;

    assert_int_equal(state_lock(*state, 0, &first, &err), 0);
    assert_true(state_is_ours(*state));
    assert_int_equal(state_make(*state, &err), 0);
    assert_int_equal(state_lock(*state, 0.1, &second, &err), -TST_UNDECIDABLE);
    close(first);
    assert_int_equal(state_lock(*state, 0, &second, &err), 0);
    close(second);
}

static void the_plan_comes_back_from_the_saved_file(void **state)
{
    static const char text[] = "name: a\nprovider: local\nbroker: local\npartitions:\n"
                               "  cpu: {nodes: 1, cores: 1, memory: 1G, level: none}\n";
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR kept = NULL;
    AUTO_PLAN plan = NULL;
    AUTO_PLAN none = NULL;

    assert_int_equal(state_load_plan(*state, &none, NULL, &err), -TST_NOT_FOUND);
    assert_int_equal(state_save_cluster(*state, text, sizeof text - 1, &err), 0);
    assert_int_equal(state_load_plan(*state, &plan, &kept, &err), 0);
    assert_string_equal(plan->cluster, "a");
    assert_string_equal(kept, text);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(option_comes_before_environment_before_default),
        cmocka_unit_test(paths_that_mount_options_could_not_carry_are_refused),
        IN_FOLDER(links_are_resolved_and_a_trailing_slash_goes),
        IN_FOLDER(a_new_folder_is_private),
        IN_FOLDER(a_folder_with_other_things_in_it_is_refused),
        IN_FOLDER(the_lock_is_exclusive_and_marks_the_folder),
        IN_FOLDER(the_plan_comes_back_from_the_saved_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
