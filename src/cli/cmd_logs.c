/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_logs.c - testudo logs: what a node, the broker or the simulator wrote. */
#include <errno.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cluster/command.h"
#include "cluster/os.h"

#define FOLLOW_POLL_MS 250

/* Control characters of a node's log do not reach the terminal. */
static void print_safely(const char *p, size_t n)
{
    bool terminal = isatty(STDOUT_FILENO) == 1;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        putchar(terminal && c < ' ' && c != '\n' && c != '\t' ? '?' : p[i]);
    }
    fflush(stdout);
}

static int copy(int fd, bool follow, struct tst_error **err)
{
    char chunk[16384];

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return os_fail(err, "read");
        if (n > 0)
            print_safely(chunk, (size_t)n);
        else if (!follow || ferror(stdout))
            return 0;
        else
            os_sleep_ms(FOLLOW_POLL_MS);
    }
}

static int run(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    AUTO_CLUSTER h = {0};
    AUTO_FD fd = -1;
    int rc;

    if ((rc = cluster_open(cli_value(self, args, "--state"), NULL, true, &h, err)) ||
        (rc = h.provider->log(h.state, h.plan, args->rest[0], cli_value(self, args, "--log"), &fd, err)))
        return rc;
    return copy(fd, cli_value(self, args, "-f") != NULL, err);
}

const struct cli_command cmd_logs = {
    .name = "logs",
    .operands = "NODE|broker|psp",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "print a log of a node, of the broker or of the simulator",
    .exits = "0 printed, 2 no such node or log, 5 the node does not run",
    .options = {{"--log", "NAME", "of a node: agent (default), console, slurmd, slurmctld, munged"},
                {"-f", NULL, "wait for more"},
                {"--state", "DIR", "state folder (TESTUDO_STATE)"}},
    .run = run,
};
