/* SPDX-License-Identifier: Apache-2.0 */
/* unit/cluster/unit.h - cmocka with what it needs, and a folder for one test. */
#ifndef UNIT_CLUSTER_H
#define UNIT_CLUSTER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/os.h"

static inline void folder_make(char out[40])
{
    strcpy(out, "/var/tmp/testudo-unit-XXXXXX");
    assert_non_null(mkdtemp(out));
}

static inline void folder_remove(const char *path)
{
    TST_AUTO_ERROR err = NULL;

    assert_int_equal(os_remove_tree(path, &err), 0);
}

/* Parses and plans text that must be right. */
static inline struct plan *plan_of_text(const char *text)
{
    AUTO_CLUSTER_FILE file = NULL;
    TST_AUTO_ERROR err = NULL;
    struct plan *plan = NULL;

    if (cluster_file_parse("test.yaml", text, strlen(text), &file, &err) || plan_of(file, &plan, &err))
        fail_msg("%s", err->text);
    return plan;
}

#endif
