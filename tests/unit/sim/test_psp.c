/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/sim/test_psp.c - the program testudo-psp ($TESTUDO_PSP) from outside: init, the socket, launches through
 * real FUSE mounts, its end. Needs root; exits 77 without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sim/launch.h"
#include "tests/unit/sim/mount.h"

#define CA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define LAUNCH "role=node\nbroker=10.77.0.1:8443\nca=" CA "\n"
enum { PATIENCE_MS = 20000, STEP_MS = 10 };

/* ---- the program ---- */
static const char *psp_program(void)
{
    const char *path = getenv("TESTUDO_PSP");
    if (!path)
        fixture_die("TESTUDO_PSP is not set", NULL);
    return path;
}

/* Starts it with standard output and error going to a file; arguments end with NULL. */
static pid_t psp_spawn(const char *log, const char *const *args)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    execv(psp_program(), (char *const *)(uintptr_t)args);
    _exit(127);
}

static int wait_exit(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int psp_run(const char *log, const char *verb, const char *state, const char *option, const char *value)
{
    const char *const args[] = {"testudo-psp", verb, "--state", state, option, value, NULL};
    return wait_exit(psp_spawn(log, args));
}

static void read_text(const char *path, char *out, size_t n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t got = read(fd, out, n - 1);
    assert_true(got >= 0);
    out[got] = 0;
    close(fd);
}

/* ---- a running service ---- */
struct service {
    char *state, *log;
    pid_t pid;
    int sock;
};

static int psp_connect(const char *state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/psp.sock", state);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    int rc = -errno;
    close(fd);
    return rc;
}

static void service_serve(struct service *s)
{
    const char *const args[] = {"testudo-psp", "serve", "--state", s->state, NULL};
    s->pid = psp_spawn(s->log, args);
    s->sock = -1;
    for (int ms = 0; s->sock < 0 && ms < PATIENCE_MS; ms += STEP_MS, usleep(STEP_MS * 1000))
        s->sock = psp_connect(s->state);
    assert_true(s->sock >= 0);
}

static int setup(void **state)
{
    struct service *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->state = tree_state();
    s->log = tree_path(s->state, "log");
    service_serve(s);
    *state = s;
    return 0;
}

static int service_end(struct service *s, int sig)
{
    close(s->sock);
    assert_int_equal(kill(s->pid, sig), 0);
    return wait_exit(s->pid);
}

static int teardown(void **state)
{
    struct service *s = *state;
    if (s->pid)
        assert_int_equal(service_end(s, SIGTERM), 0);
    tst_free(s->log);
    tree_free(s->state);
    free(s);
    return 0;
}

static size_t open_descriptors(const struct service *s)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", s->pid);
    DIR *d = opendir(path);
    assert_non_null(d);
    size_t n = 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static bool log_has(const struct service *s, const char *part)
{
    char text[65536];
    for (int ms = 0; ms < PATIENCE_MS; ms += STEP_MS, usleep(STEP_MS * 1000)) {
        read_text(s->log, text, sizeof text);
        if (strstr(text, part))
            return true;
    }
    return false;
}

/* Sends text with n descriptors; the answer is a new reference, NULL when the service hung up. */
static json_t *call(const struct service *s, const char *text, size_t bytes, const int *fds, size_t n)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control = {0};
    struct iovec iov = {(char *)(uintptr_t)text, bytes};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(n * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n * sizeof(int))};
        memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    }
    assert_int_equal(sendmsg(s->sock, &m, MSG_NOSIGNAL), (ssize_t)bytes);
    char answer[4096];
    ssize_t got = recv(s->sock, answer, sizeof answer, 0);
    if (got <= 0)
        return NULL;
    json_t *out = NULL;
    assert_int_equal(tst_json_parse(answer, (size_t)got, 0, &out, NULL), 0);
    return out;
}

/* ---- a node: its root directory with the mount in tsm/ ---- */
struct node {
    char *root, *tsm;
};

static struct node node_start(const struct service *s, const char *chip, const char *agent)
{
    struct node n = {.root = tree_node(agent, "the init", LAUNCH)};
    n.tsm = tree_path(n.root, "tsm");
    int fds[2] = {open(n.root, O_PATH | O_DIRECTORY | O_CLOEXEC), mount_fuse(n.tsm, ",default_permissions")};
    TST_AUTO_STR text = tst_strdup_printf("{\"verb\":\"launch\",\"chip\":\"%s\"}", chip);
    TST_AUTO_JSON answer = call(s, text, strlen(text), fds, 2);
    assert_non_null(answer);
    TST_AUTO_JSON expected = json_pack("{s:b}", "ok", 1);
    assert_true(json_equal(answer, expected)); /* in particular: no digest */
    close(fds[0]);
    close(fds[1]);
    return n;
}

static void node_end(struct node *n)
{
    assert_int_equal(umount2(n->tsm, MNT_DETACH), 0);
    tst_free(n->tsm);
    tree_free(n->root);
}

struct evidence {
    struct tst_snp_report report;
    struct tst_snp_certs certs;
};

static void evidence_clear(struct evidence *e)
{
    tst_snp_certs_clear(&e->certs);
}
#define AUTO_EVIDENCE __attribute__((cleanup(evidence_clear))) struct evidence

static void node_evidence(const struct node *n, uint8_t byte, struct evidence *out)
{
    uint8_t data[64], report[2048], aux[TST_SNP_CERT_TABLE_MAX];
    memset(data, byte, sizeof data);
    assert_int_equal(io_mkdir(n->tsm, "e"), 0);
    assert_int_equal(io_write(n->tsm, "e/inblob", data, sizeof data), 0);
    assert_int_equal(io_read(n->tsm, "e/outblob", report, sizeof report), TST_SNP_REPORT_BYTES);
    ssize_t aux_n = io_read(n->tsm, "e/auxblob", aux, sizeof aux);
    assert_true(aux_n > 0);
    assert_int_equal(io_rmdir(n->tsm, "e"), 0);
    assert_int_equal(tst_snp_report_parse(report, TST_SNP_REPORT_BYTES, &out->report, NULL), 0);
    out->certs = (struct tst_snp_certs){0};
    assert_int_equal(tst_snp_cert_table_parse(aux, (size_t)aux_n, &out->certs, NULL), 0);
    assert_memory_equal(out->report.report_data, data, sizeof data);
}

/* ---- init ---- */
static void init_prints_the_same_fingerprint_each_time(void **state)
{
    (void)state;
    char *dir = tree_state();
    TST_AUTO_STR log = tree_path(dir, "log");
    char text[256], expected[256], hex[65];
    AUTO_ROOT root = fixture_root();
    uint8_t spki[32];
    assert_int_equal(tst_key_spki_sha256(root->ark_key, spki, NULL), 0);
    tst_hex(spki, sizeof spki, hex);
    snprintf(expected, sizeof expected, "{\"ark-spki-sha256\":\"%s\"}\n", hex);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(psp_run(log, "init", dir, NULL, NULL), 0);
        read_text(log, text, sizeof text);
        assert_string_equal(text, expected);
    }
    tree_free(dir);
}

static void exit_status_tells_what_was_wrong(void **state)
{
    (void)state;
    char *dir = tree_state();
    TST_AUTO_STR log = tree_path(dir, "log");
    char *empty = tree_new();
    char text[1024];
    assert_int_equal(psp_run(log, "init", dir, "--product", "turin"), 1);
    assert_int_equal(psp_run(log, "init", dir, "--product", "rome"), 2);
    assert_int_equal(psp_run(log, "serve", dir, "--report-version", "4"), 2);
    assert_int_equal(psp_run(log, "launch", dir, NULL, NULL), 2);
    assert_int_equal(psp_run(log, "init", dir, "--unknown", "1"), 2);
    assert_int_equal(psp_run(log, "serve", empty, NULL, NULL), 2);
    read_text(log, text, sizeof text);
    assert_non_null(strstr(text, "testudo-psp init"));
    tree_free(empty);
    tree_free(dir);
}

/* ---- launches ---- */
static void report_says_what_lies_in_the_nodes_root(void **state)
{
    const struct service *s = *state;
    struct launch_facts facts;
    uint8_t digest[48], rs[96];
    struct node n = node_start(s, "s1", "the agent");
    AUTO_EVIDENCE e = {0};
    node_evidence(&n, 0x3C, &e);
    TST_AUTO_STR agent = tree_path(n.root, LAUNCH_AGENT_PATH);
    TST_AUTO_STR init = tree_path(n.root, LAUNCH_INIT_PATH);
    assert_int_equal(launch_facts_of_files(agent, init, "node", "10.77.0.1:8443", CA, &facts, NULL), 0);
    assert_int_equal(launch_digest(&facts, digest, NULL), 0);
    assert_memory_equal(e.report.measurement, digest, 48);
    assert_true(e.report.policy == 0x30000);
    assert_int_equal(e.report.version, 3);
    assert_int_equal(e.report.vmpl, 0);
    AUTO_ROOT root = fixture_root();
    TST_AUTO_KEY vcek = NULL;
    memcpy(rs, e.report.signature_r, 48);
    memcpy(rs + 48, e.report.signature_s, 48);
    assert_int_equal(tst_cert_verify(e.certs.ark, root->ark, NULL), 0);
    assert_int_equal(tst_cert_verify(e.certs.ask, root->ark, NULL), 0);
    assert_int_equal(tst_cert_verify(e.certs.vek, e.certs.ask, NULL), 0);
    assert_int_equal(tst_cert_key(e.certs.vek, &vcek, NULL), 0);
    assert_int_equal(tst_ecdsa_verify(vcek, e.report.raw, TST_SNP_SIGNED_BYTES, rs, NULL), 0);
    node_end(&n);
}

static void chip_stays_and_report_id_changes_with_each_launch(void **state)
{
    const struct service *s = *state;
    struct node a = node_start(s, "s1", "the agent"), b = node_start(s, "s1", "the agent"),
                c = node_start(s, "s2", "the agent");
    AUTO_EVIDENCE ea = {0};
    AUTO_EVIDENCE again = {0};
    AUTO_EVIDENCE eb = {0};
    AUTO_EVIDENCE ec = {0};
    node_evidence(&a, 1, &ea);
    node_evidence(&a, 2, &again);
    node_evidence(&b, 1, &eb);
    node_evidence(&c, 1, &ec);
    assert_memory_equal(ea.report.report_id, again.report.report_id, 32);
    assert_memory_not_equal(ea.report.report_id, eb.report.report_id, 32);
    assert_false(tst_is_zero(ea.report.report_id, 32));
    assert_memory_equal(ea.report.chip_id, eb.report.chip_id, 64);
    assert_memory_not_equal(ea.report.chip_id, ec.report.chip_id, 64);
    assert_memory_equal(ea.report.measurement, ec.report.measurement, 48);
    node_end(&a);
    node_end(&b);
    node_end(&c);
}

static void changed_agent_has_another_digest(void **state)
{
    const struct service *s = *state;
    struct node honest = node_start(s, "s1", "the agent"), liar = node_start(s, "s3", "the agent that lies");
    AUTO_EVIDENCE eh = {0};
    AUTO_EVIDENCE el = {0};
    node_evidence(&honest, 1, &eh);
    node_evidence(&liar, 1, &el);
    assert_memory_not_equal(eh.report.measurement, el.report.measurement, 48);
    node_end(&honest);
    node_end(&liar);
}

static void change_after_the_launch_changes_no_digest(void **state)
{
    const struct service *s = *state;
    struct node n = node_start(s, "s1", "the agent");
    AUTO_EVIDENCE before = {0};
    AUTO_EVIDENCE after = {0};
    node_evidence(&n, 1, &before);
    tree_put(n.root, "usr/libexec/testudo/testudo-agent", "x", 1, 0755);
    node_evidence(&n, 1, &after);
    assert_memory_equal(before.report.measurement, after.report.measurement, 48);
    node_end(&n);
}

static void ended_node_is_forgotten(void **state)
{
    struct service *s = *state;
    size_t before = open_descriptors(s);
    for (int i = 0; i < 3; i++) {
        struct node n = node_start(s, "s1", "the agent");
        node_end(&n);
    }
    assert_true(log_has(s, "node s1: ended"));
    size_t now = 0;
    for (int ms = 0; ms < PATIENCE_MS && (now = open_descriptors(s)) != before; ms += STEP_MS)
        usleep(STEP_MS * 1000);
    assert_int_equal(now, before);
}

/* ---- refusals ---- */
static void expect_error(const struct service *s, const char *text, const int *fds, size_t n, const char *part)
{
    TST_AUTO_JSON answer = call(s, text, strlen(text), fds, n);
    assert_non_null(answer);
    const char *error = json_string_value(json_object_get(answer, "error"));
    if (!error || !strstr(error, part) || json_object_get(answer, "ok"))
        fail_msg("%s: answered \"%s\", not \"%s\"", text, error ? error : "ok", part);
}

static void bad_request_is_refused_and_the_next_one_served(void **state)
{
    const struct service *s = *state;
    static const char good[] = "{\"verb\":\"launch\",\"chip\":\"s1\"}";
    char *root = tree_node("the agent", "the init", LAUNCH);
    char *bad_root = tree_node("the agent", "the init", "role=root\n");
    int dir = open(root, O_PATH | O_CLOEXEC), bad_dir = open(bad_root, O_PATH | O_CLOEXEC);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    size_t before = open_descriptors(s);
    expect_error(s, good, NULL, 0, "two descriptors");
    expect_error(s, good, (int[]){dir}, 1, "two descriptors");
    expect_error(s, good, (int[]){null, fuse}, 2, "not a directory");
    expect_error(s, good, (int[]){dir, null}, 2, "not /dev/fuse");
    expect_error(s, good, (int[]){fuse, dir}, 2, "not a directory");
    expect_error(s, good, (int[]){bad_dir, fuse}, 2, "/etc/testudo/launch");
    expect_error(s, "{\"verb\":\"launch\",\"chip\":\"../s1\"}", (int[]){dir, fuse}, 2, "name");
    expect_error(s, "{\"verb\":\"launch\",\"chip\":\"s1\",\"digest\":\"00\"}", (int[]){dir, fuse}, 2, "");
    expect_error(s, "{\"verb\":\"launch\"}", (int[]){dir, fuse}, 2, "");
    expect_error(s, "{\"verb\":\"sign\"}", NULL, 0, "unknown verb");
    expect_error(s, "[]", NULL, 0, "unknown verb");
    expect_error(s, "{} {}", NULL, 0, "");
    expect_error(s, "\x01\x02\x03", NULL, 0, "");
    assert_int_equal(open_descriptors(s), before);
    struct node n = node_start(s, "s1", "the agent");
    node_end(&n);
    int fds[] = {dir, bad_dir, null, fuse};
    for (size_t i = 0; i < TST_COUNT(fds); i++)
        close(fds[i]);
    tree_free(root);
    tree_free(bad_root);
}

static void oversized_request_ends_the_connection_only(void **state)
{
    struct service *s = *state;
    static char text[8192];
    memset(text, ' ', sizeof text);
    assert_null(call(s, text, sizeof text, NULL, 0));
    close(s->sock);
    s->sock = psp_connect(s->state);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int fds[3] = {null, null, null};
    assert_null(call(s, "{}", 2, fds, 3)); /* more descriptors than any verb takes */
    close(null);
    close(s->sock);
    s->sock = psp_connect(s->state);
    struct node n = node_start(s, "s1", "the agent");
    node_end(&n);
}

static int nobody_connects(const char *state)
{
    int fd = psp_connect(state);
    if (fd < 0)
        return fd == -EACCES ? 10 : 1;
    char byte;
    static const char ask[] = "{\"verb\":\"sign\"}";
    if (send(fd, ask, strlen(ask), MSG_NOSIGNAL) < 0)
        return 20;
    return recv(fd, &byte, 1, 0) <= 0 ? 20 : 2;
}

static void other_users_are_not_answered(void **state)
{
    const struct service *s = *state;
    TST_AUTO_STR sock = tree_path(s->state, "psp.sock");
    struct stat st;
    assert_int_equal(stat(sock, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(as_nobody(nobody_connects, s->state), 10);
    assert_int_equal(chmod(s->state, 0711), 0); /* even if the file modes are taken away */
    assert_int_equal(chmod(sock, 0666), 0);
    assert_int_equal(as_nobody(nobody_connects, s->state), 20);
    assert_int_equal(chmod(s->state, 0700), 0);
    struct node n = node_start(s, "s1", "the agent");
    node_end(&n);
}

/* ---- start and end ---- */
static void service_says_loudly_that_it_is_simulated(void **state)
{
    const struct service *s = *state;
    assert_true(log_has(s, "SIMULATED: this is NOT an AMD secure processor"));
}

static void service_dumps_no_core(void **state)
{
    const struct service *s = *state;
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/limits", s->pid);
    read_text(path, text, sizeof text);
    assert_non_null(strstr(text, "Max core file size        0                    0 "));
}

static void second_service_on_the_directory_is_refused(void **state)
{
    const struct service *s = *state;
    TST_AUTO_STR log = tree_path(s->state, "second");
    char text[4096];
    assert_int_equal(psp_run(log, "serve", s->state, NULL, NULL), 1);
    read_text(log, text, sizeof text);
    assert_non_null(strstr(text, "another testudo-psp"));
    struct node n = node_start(s, "s1", "the agent"); /* the first one still has its socket */
    node_end(&n);
}

static void terminated_service_removes_its_socket_and_nodes_lose_their_device(void **state)
{
    struct service *s = *state;
    TST_AUTO_STR sock = tree_path(s->state, "psp.sock");
    char text[16];
    struct node n = node_start(s, "s1", "the agent");
    assert_int_equal(io_mkdir(n.tsm, "e"), 0);
    assert_int_equal(service_end(s, SIGTERM), 0);
    s->pid = 0;
    assert_int_equal(access(sock, F_OK), -1);
    assert_int_equal(io_read(n.tsm, "e/provider", text, sizeof text), -ENOTCONN);
    node_end(&n);
}

static void killed_service_starts_again_with_the_same_chips(void **state)
{
    struct service *s = *state;
    struct node a = node_start(s, "s1", "the agent");
    AUTO_EVIDENCE before = {0};
    AUTO_EVIDENCE after = {0};
    node_evidence(&a, 1, &before);
    assert_int_equal(service_end(s, SIGKILL), 1000 + SIGKILL);
    service_serve(s);
    struct node b = node_start(s, "s1", "the agent");
    node_evidence(&b, 1, &after);
    assert_memory_equal(before.report.chip_id, after.report.chip_id, 64);
    assert_memory_not_equal(before.report.report_id, after.report.report_id, 32);
    node_end(&a);
    node_end(&b);
}

int main(void)
{
    mount_namespace_or_skip();
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_prints_the_same_fingerprint_each_time),
        cmocka_unit_test(exit_status_tells_what_was_wrong),
        SERVED(report_says_what_lies_in_the_nodes_root),
        SERVED(chip_stays_and_report_id_changes_with_each_launch),
        SERVED(changed_agent_has_another_digest),
        SERVED(change_after_the_launch_changes_no_digest),
        SERVED(ended_node_is_forgotten),
        SERVED(bad_request_is_refused_and_the_next_one_served),
        SERVED(oversized_request_ends_the_connection_only),
        SERVED(other_users_are_not_answered),
        SERVED(service_says_loudly_that_it_is_simulated),
        SERVED(service_dumps_no_core),
        SERVED(second_service_on_the_directory_is_refused),
        SERVED(terminated_service_removes_its_socket_and_nodes_lose_their_device),
        SERVED(killed_service_starts_again_with_the_same_chips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
