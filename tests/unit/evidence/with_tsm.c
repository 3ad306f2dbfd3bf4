/* SPDX-License-Identifier: Apache-2.0 */
/* with_tsm.c - runs a command on a machine that has a configfs-tsm, for tests of the command line:
 *   with_tsm DIR COMMAND...
 * A simulated Genoa answers at DIR/sys/kernel/config/tsm/report, through the real kernel (FUSE), in a mount namespace of its
 * own. DIR/chain.pem holds its root; the command's exit status is passed on. 77 where nothing can be mounted. */
#include <pthread.h>
#include <sys/eventfd.h>

#include "sim/report.h"
#include "sim/tsmfs.h"
#include "tests/unit/sim/mount.h"

struct guest {
    struct amd_root *root;
    struct amd_chip *chip;
    struct tsmfs_provider provider;
    int fuse, stop;
};

static int guest_report(void *ctx, uint32_t vmpl, const uint8_t report_data[TST_SNP_REPORT_DATA_BYTES],
                        uint8_t out[TST_SNP_REPORT_BYTES], struct tst_error **err)
{
    const struct guest *g = ctx;
    struct sim_report r = sim_report_of(g->chip, 3);
    r.vmpl = vmpl;
    memcpy(r.report_data, report_data, sizeof r.report_data);
    return sim_report_sign(&r, g->chip->vcek_key, out, err);
}

static void *serve(void *arg)
{
    struct guest *g = arg;
    tsmfs_serve(g->fuse, g->stop, &g->provider, NULL);
    return NULL;
}

static void put_chain(const char *dir, const struct amd_root *root)
{
    TST_AUTO_STR ask = NULL, ark = NULL;
    if (tst_cert_to_pem(root->ask, &ask, NULL) || tst_cert_to_pem(root->ark, &ark, NULL))
        fixture_die("PEM", NULL);
    TST_AUTO_STR both = tst_strdup_printf("%s%s", ask, ark);
    tree_put(dir, "chain.pem", both, strlen(both), 0644);
}

static char *report_dir(const char *dir)
{
    static const char *const parts[] = {"sys", "sys/kernel", "sys/kernel/config", "sys/kernel/config/tsm", "sys/kernel/config/tsm/report"};
    for (size_t i = 0; i < TST_COUNT(parts); i++) {
        TST_AUTO_STR path = tree_path(dir, parts[i]);
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            fixture_die(path, NULL);
    }
    return tree_path(dir, parts[TST_COUNT(parts) - 1]);
}

static int run(char **command)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        execvp(command[0], command);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        fixture_die(command[0], NULL);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int main(int argc, char **argv)
{
    struct guest g = {0};
    TST_AUTO_BUF table = {0};
    pthread_t thread;
    if (argc < 3) {
        fputs("usage: with_tsm DIR COMMAND...\n", stderr);
        return 2;
    }
    mount_namespace_or_skip();
    g.root = fixture_root();
    g.chip = fixture_chip(g.root, NULL);
    if (amd_cert_table(g.root, g.chip, &table, NULL))
        fixture_die("table", NULL);
    g.provider = (struct tsmfs_provider){.report = guest_report, .ctx = &g, .auxblob = {table.p, table.n}};
    TST_AUTO_STR dir = report_dir(argv[1]);
    put_chain(argv[1], g.root);
    g.fuse = mount_fuse(dir, ",default_permissions");
    g.stop = eventfd(0, EFD_CLOEXEC);
    if (pthread_create(&thread, NULL, serve, &g) != 0)
        fixture_die("thread", NULL);
    int status = run(argv + 2);
    umount(dir);
    pthread_join(thread, NULL);
    amd_chip_free(g.chip);
    amd_root_free(g.root);
    return status;
}
