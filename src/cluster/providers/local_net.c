/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/providers/local_net.c - one bridge a cluster, one veth pair a node. Network namespaces have no name, so that
 * nothing is left under /run/netns; an interface's alias says whose it is. */
#include <ifaddrs.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <stdio.h>

#include "cluster/providers/local.h"

static int ip_batch(const char *commands, struct tst_error **err)
{
    static const char *const argv[] = {"ip", "-batch", "-", NULL};

    return os_run(argv, commands, NULL, err);
}

/* State folder that an interface belongs to; "" if it says nothing. */
static void read_alias(const char *interface, char *out, size_t n)
{
    TST_AUTO_STR path = tst_strdup_printf("/sys/class/net/%s/ifalias", interface);
    FILE *f = path ? fopen(path, "re") : NULL;

    out[0] = '\0';
    if (f && fgets(out, (int)n, f))
        out[strcspn(out, "\n")] = '\0';
    if (f)
        fclose(f);
}

static int check_bridge_is_ours(const struct local *l, struct tst_error **err)
{
    char alias[300];

    read_alias(l->bridge, alias, sizeof alias);
    if (!strcmp(alias, l->state))
        return 0;
    tst_fail(err, TST_UNDECIDABLE, "interface %s is there already", l->bridge);
    return tst_hint(err, l->state, *alias ? alias : "an interface that is not ours",
                    "take the other cluster down, or give this one another name");
}

static int check_network_is_free(const struct local *l, struct tst_error **err)
{
    struct ifaddrs *list = NULL;
    in_addr_t mine = inet_addr(l->plan->network) & htonl(0xffffff00);
    int rc = 0;

    if (getifaddrs(&list) < 0)
        return os_fail(err, "list of interfaces");
    for (struct ifaddrs *i = list; i && !rc; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !i->ifa_netmask || strcmp(i->ifa_name, l->bridge) == 0)
            continue;
        in_addr_t theirs = ((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr.s_addr;
        in_addr_t mask = ((struct sockaddr_in *)(void *)i->ifa_netmask)->sin_addr.s_addr;
        mask &= htonl(0xffffff00); /* the wider of the two networks decides */
        if ((theirs & mask) == (mine & mask)) {
            tst_fail(err, TST_UNDECIDABLE, "network %s/24 overlaps that of interface %s", l->plan->network,
                     i->ifa_name);
            rc = tst_hint(err, NULL, NULL, "choose another one in the cluster file: `network: 10.78.0.0/24`");
        }
    }
    freeifaddrs(list);
    return rc;
}

int net_bridge_up(const struct local *l, struct tst_error **err)
{
    TST_AUTO_STR make = tst_strdup_printf("link add name %s type bridge\nlink set dev %s alias %s\n", l->bridge,
                                          l->bridge, l->state);
    TST_AUTO_STR set = tst_strdup_printf("addr replace %s/24 dev %s\nlink set dev %s mtu " LOCAL_MTU " up\n",
                                         l->plan->gateway, l->bridge, l->bridge);
    bool there = if_nametoindex(l->bridge) != 0;
    int rc;

    if (!make || !set)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if ((rc = check_network_is_free(l, err)))
        return rc;
    rc = there ? check_bridge_is_ours(l, err) : ip_batch(make, err);
    return rc ? rc : ip_batch(set, err);
}

static int delete_interface(const char *name, struct tst_error **err)
{
    const char *const argv[] = {"ip", "link", "del", "dev", name, NULL};
    TST_AUTO_ERROR ignored = NULL;

    if (os_run(argv, NULL, NULL, &ignored) && if_nametoindex(name))
        return tst_fail(err, TST_INTERNAL, "interface %s stays: %s", name, ignored->text);
    return 0; /* a veth goes on its own when its node does; that may have come first */
}

/* Ours are the pairs with our tag and the bridge that carries our alias, whatever the plan says today. */
static bool is_ours(const struct local *l, const char *interface)
{
    char prefix[8], alias[300];

    snprintf(prefix, sizeof prefix, "t%s-", l->tag);
    if (!strncmp(interface, prefix, strlen(prefix)))
        return true;
    if (strncmp(interface, "tst-", 4) != 0)
        return false;
    read_alias(interface, alias, sizeof alias);
    /* an `up` killed between making the bridge and naming its owner leaves an empty alias */
    return !strcmp(alias, l->state) || (!*alias && !strcmp(interface, l->bridge));
}

int net_down(const struct local *l, struct tst_error **err)
{
    struct if_nameindex *list = if_nameindex();
    int rc = list ? 0 : os_fail(err, "list of interfaces");

    for (struct if_nameindex *i = list; i && i->if_index && !rc; i++)
        if (is_ours(l, i->if_name))
            rc = delete_interface(i->if_name, err);
    if (list)
        if_freenameindex(list);
    return rc;
}

int net_attach(const struct local *l, const char *instance, pid_t init, struct tst_error **err)
{
    char name[16];
    TST_AUTO_ERROR ignored = NULL;

    snprintf(name, sizeof name, "t%s-%s", l->tag, instance);
    if (if_nametoindex(name)) /* of an earlier launch whose network namespace is just going away */
        delete_interface(name, &ignored);
    TST_AUTO_STR commands = tst_strdup_printf("link add name %s mtu " LOCAL_MTU
                                              " type veth peer name eth0 mtu " LOCAL_MTU
                                              " netns %d\nlink set dev %s master %s up\n",
                                              name, (int)init, name, l->bridge);
    return commands ? ip_batch(commands, err) : tst_fail(err, TST_INTERNAL, "out of memory");
}

int net_configure(const char *address, struct tst_error **err)
{
    TST_AUTO_STR commands =
        tst_strdup_printf("link set dev lo up\naddr add %s/24 dev eth0\nlink set dev eth0 up\n", address);

    return commands ? ip_batch(commands, err) : tst_fail(err, TST_INTERNAL, "out of memory");
}
