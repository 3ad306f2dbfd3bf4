/* SPDX-License-Identifier: Apache-2.0 */
/* unit/cluster/test_local_node.c - a node on its own, with a shell script as its agent and no broker: what it sees of the
 * machine, what it may do, and that nothing is left of it. Needs root; ends with 77 (skipped) without. */
#include <net/if.h>
#include <signal.h>
#include <sys/stat.h>

#include "cluster/providers/local.h"
#include "cluster/state.h"
#include "unit.h"

#define TOKEN "token-of-the-test"
#define CANARY "canary-of-the-test"

static const char cluster[] = "name: tstunit\nprovider: local\nbroker: local\nnetwork: 10.213.77.0/24\npartitions:\n"
                              "  cpu: {nodes: 1, cores: 1, memory: 512M, level: none}\n";
/* The stub agent leaves what it saw in the shared folder, where the test reads it. */
static const char agent[] = "#!/bin/sh\n"
                            "exec > /shared/seen 2>&1\n"
                            "echo hostname=$(hostname)\n"
                            "echo instance=$(cat /run/testudo/instance)\n"
                            "echo token=$(cat /run/testudo/token) $(stat -c %a:%U /run/testudo/token)\n"
                            "echo launch=$(tr '\\n' ' ' < /etc/testudo/launch)\n"
                            "echo processes=$(ls /proc | grep -c '^[0-9]*$')\n"
                            "echo pid1=$(cat /proc/1/comm)\n"
                            "echo caps=$(grep CapBnd /proc/self/status)\n"
                            "echo core=$(ulimit -Hc)\n"
                            "echo environment=$(tr '\\0' ' ' < /proc/1/environ)\n"
                            "echo munge=$(ls /etc/munge /etc/shadow- /etc/gshadow 2>/dev/null | wc -l)\n"
                            "echo top=$(ls -A / | tr '\\n' ' ')\n"
                            "mknod /tmp/disk b 254 0 2>/dev/null && echo MKNOD\n"
                            "mount -t tmpfs none /mnt 2>/dev/null && echo MOUNT\n"
                            "echo 1 2>/dev/null > /proc/sys/kernel/sysrq && echo SYSCTL\n"
                            "[ -e /sys/kernel/config ] && echo TSM\n"
                            "grep -rqs " CANARY " /home /root /var /etc /run /tmp /srv /opt /mnt && echo CANARY\n"
                            "getent passwd hpc munge slurm | wc -l\n"
                            "touch /shared/done\n"
                            "while :; do sleep 1; done\n";

struct bench {
    char folder[40];
    struct plan *plan;
    struct local l;
    char *seen;
};

static void write_below(const struct bench *b, const char *name, mode_t mode, const char *text)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/%s", b->folder, name);
    TST_AUTO_ERROR err = NULL;

    assert_int_equal(os_write_file(path, mode, text, strlen(text), &err), 0);
}

static int token_pipe(void)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], TOKEN, sizeof TOKEN - 1), (int)sizeof TOKEN - 1);
    close(fds[1]);
    return fds[0];
}

static void start(struct bench *b)
{
    TST_AUTO_STR agent_path = tst_strdup_printf("%s/agent", b->folder), init = NULL;
    TST_AUTO_ERROR err = NULL;
    AUTO_FD token = token_pipe();
    int status;

    if (os_program("testudo-init", &init, &err))
        fail_msg("%s", err->text);
    const struct node_spec spec = {&b->l,  &b->plan->realms[0], &b->plan->realms[0].members[0],
                                   agent_path, init, "00", token};
    if (net_bridge_up(&b->l, &err) || node_start(&spec, &status, &err) || node_started(status, "p1", &err))
        fail_msg("%s", err->text);
}

/* Waits until the agent has written all that it saw. */
static void wait_seen(struct bench *b)
{
    TST_AUTO_STR done = tst_strdup_printf("%s/shared/plain/done", b->folder);
    TST_AUTO_STR seen = tst_strdup_printf("%s/shared/plain/seen", b->folder);
    TST_AUTO_ERROR err = NULL;

    for (int i = 0; i < 300 && access(done, F_OK); i++)
        os_sleep_ms(100);
    assert_int_equal(access(done, F_OK), 0);
    assert_int_equal(os_read_file(seen, 65536, &b->seen, NULL, &err), 0);
}

static int bench_start(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    TST_AUTO_ERROR err = NULL;

    *state = b; /* bench_end() runs also when we fail half-way */
    b->l.lock_fd = -1;
    folder_make(b->folder);
    b->plan = plan_of_text(cluster);
    assert_int_equal(local_open(b->folder, b->plan, &b->l, &err), 0);
    assert_int_equal(state_lock(b->folder, 0, &b->l.lock_fd, &err), 0);
    TST_AUTO_STR shared = tst_strdup_printf("%s/shared/plain", b->folder);
    assert_int_equal(os_mkdirs(shared, 0755, &err), 0);
    write_below(b, "agent", 0755, agent);
    write_below(b, "secret", 0644, CANARY);
    start(b);
    wait_seen(b);
    return 0;
}

static int bench_end(void **state)
{
    struct bench *b = *state;
    TST_AUTO_ERROR err = NULL;

    nodes_down(&b->l, &err);
    net_down(&b->l, &err);
    local_clear(&b->l);
    plan_free(b->plan);
    folder_remove(b->folder);
    free(b->seen);
    free(b);
    return 0;
}

static void assert_seen(const struct bench *b, const char *line)
{
    if (!strstr(b->seen, line))
        fail_msg("\"%s\" is not in\n%s", line, b->seen);
}

static void assert_unseen(const struct bench *b, const char *line)
{
    if (strstr(b->seen, line))
        fail_msg("\"%s\" is in\n%s", line, b->seen);
}

static void the_node_is_a_host_of_its_own(void **state)
{
    const struct bench *b = *state;

    assert_seen(b, "hostname=p1\n");
    assert_seen(b, "instance=p1\n");
    assert_seen(b, "pid1=testudo-init\n");
    assert_seen(b, "launch=role=controller broker=10.213.77.1:8443 ca=00\n");
    assert_seen(b, "\n3\n"); /* hpc, munge, slurm in its passwd */
}

static void the_token_is_for_root_alone_and_nowhere_else(void **state)
{
    const struct bench *b = *state;

    assert_seen(b, "token=" TOKEN " 400:root\n");
    assert_seen(b, "environment=PATH=" LOCAL_PATH "\n");
}

static void the_machines_secrets_are_out_of_sight(void **state)
{
    const struct bench *b = *state;

    assert_seen(b, "munge=0\n");
    assert_seen(b, "top=bin dev etc home lib");
    assert_unseen(b, "CANARY");
    assert_unseen(b, "TSM");
}

static void root_of_the_node_cannot_reach_through(void **state)
{
    const struct bench *b = *state;

    assert_unseen(b, "MKNOD");
    assert_unseen(b, "MOUNT");
    assert_unseen(b, "SYSCTL");
    assert_seen(b, "core=0\n");
    assert_seen(b, "caps=CapBnd: 00000000b08cf5fb\n");
}

static void a_command_runs_as_the_job_user_with_its_own_status(void **state)
{
    const struct bench *b = *state;
    TST_AUTO_ERROR err = NULL;
    const char *const argv[] = {"sh", "-c", "[ $(id -u) = 2000 ] && [ $(hostname) = p1 ] && [ -z \"$(env | grep CANARY)\" ] && exit 7",
                                NULL};
    int status;

    setenv("CANARY", "1", 1);
    assert_int_equal(node_run(&b->l, "p1", "hpc", argv, -1, &status, &err), 0);
    assert_int_equal(status, 7);
    assert_int_equal(node_run(&b->l, "p1", "nosuchuser", argv, 1, &status, &err), 0);
    assert_int_equal(status, tst_exit_status(TST_NOT_FOUND));
    assert_int_equal(node_run(&b->l, "p2", "root", argv, -1, &status, &err), -TST_UNREACHABLE);
}

static void without_its_supervisor_the_node_is_gone(void **state)
{
    const struct bench *b = *state;
    TST_AUTO_STR pid_file = tst_strdup_printf("%s/nodes/p1/pid", b->folder);
    pid_t supervisor = process_holder(pid_file), init = node_init_pid(&b->l, "p1");

    assert_true(supervisor > 1 && init > 1);
    assert_int_equal(kill(supervisor, SIGKILL), 0);
    for (int i = 0; i < 100 && !kill(init, 0); i++)
        os_sleep_ms(50);
    assert_int_equal(kill(init, 0), -1);
    assert_false(node_alive(&b->l, "p1"));
    assert_int_equal(node_init_pid(&b->l, "p1"), 0);
}

static void down_leaves_no_process_mount_or_interface(void **state)
{
    struct bench *b = *state;
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_STR mounts = NULL;
    pid_t init = node_init_pid(&b->l, "p1");

    assert_true(init > 1);
    assert_int_equal(nodes_down(&b->l, &err), 0);
    assert_int_equal(net_down(&b->l, &err), 0);
    assert_int_equal(kill(init, 0), -1);
    assert_false(node_alive(&b->l, "p1"));
    assert_int_equal(if_nametoindex(b->l.bridge), 0);
    assert_int_equal(os_read_file("/proc/self/mountinfo", 1024 * 1024, &mounts, NULL, &err), 0);
    assert_null(strstr(mounts, b->folder));
    start(b); /* and it can be started again */
    assert_true(node_alive(&b->l, "p1"));
}

int main(void)
{
    const struct CMUnitTest one_node[] = {
        cmocka_unit_test(the_node_is_a_host_of_its_own),
        cmocka_unit_test(the_token_is_for_root_alone_and_nowhere_else),
        cmocka_unit_test(the_machines_secrets_are_out_of_sight),
        cmocka_unit_test(root_of_the_node_cannot_reach_through),
        cmocka_unit_test(a_command_runs_as_the_job_user_with_its_own_status),
        cmocka_unit_test(down_leaves_no_process_mount_or_interface),
        cmocka_unit_test(without_its_supervisor_the_node_is_gone),
    };
    if (geteuid() != 0) {
        fputs("needs root\n", stderr);
        return 77;
    }
    return cmocka_run_group_tests(one_node, bench_start, bench_end);
}
