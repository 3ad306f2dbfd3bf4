/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/provider.c - the table of providers. */
#include "cluster/provider.h"

static const struct provider *const providers[] = {&provider_local};

const struct provider *provider_find(const char *name)
{
    for (size_t i = 0; i < TST_COUNT(providers); i++)
        if (!strcmp(providers[i]->name, name))
            return providers[i];
    return NULL;
}
