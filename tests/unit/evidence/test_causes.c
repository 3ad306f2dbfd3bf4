/* SPDX-License-Identifier: Apache-2.0 */
/* test_causes.c - the usual causes belong to checks that exist, each once: a renamed check would lose its advice in silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/evidence_input.h"

static bool is_check(const char *id)
{
    size_t count = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(infos[i].id, id) == 0)
            return true;
    return false;
}

static void every_row_is_a_check_and_there_once(void **state)
{
    (void)state;
    const char *id;
    for (size_t i = 0; (id = evidence_cause_id(i)); i++) {
        if (!is_check(id))
            fail_msg("no check is called %s", id);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(id, evidence_cause_id(j));
    }
}

static void every_check_has_causes_for_its_failure(void **state)
{
    (void)state;
    size_t count = 0, without = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    for (size_t i = 0; i < count; i++) {
        const struct tst_check c = {.info = &infos[i], .outcome = TST_CHECK_FAIL};
        if (!evidence_causes(&c)) {
            print_message("no usual causes yet: %s\n", infos[i].id);
            without++;
        }
    }
    assert_int_equal(without, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_a_check_and_there_once),
        cmocka_unit_test(every_check_has_causes_for_its_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
