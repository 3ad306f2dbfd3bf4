/* SPDX-License-Identifier: Apache-2.0 */
/* platform/process.c - process hardening. RLIMIT_CORE is inherited by everything that the process starts. */
#include "platform/process.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <testudo/base.h>

static void free_wiped(void *p)
{
    if (p)
        tst_wipe(p, malloc_usable_size(p));
    free(p);
}

void process_harden(void)
{
    const struct rlimit none = { 0, 0 };
    if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) {
        perror("cannot switch off core dumps");
        exit(tst_exit_status(TST_INTERNAL));
    }
    json_set_alloc_funcs(malloc, free_wiped);
}
