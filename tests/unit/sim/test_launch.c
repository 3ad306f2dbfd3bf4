/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/sim/test_launch.c - the launch digest and what it is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/launch.h"
#include "tests/unit/sim/tree.h"

#define CA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER_CA "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LAUNCH "role=node\nbroker=10.77.0.1:8443\nca=" CA "\n"

static struct launch_facts facts(void)
{
    struct launch_facts f = {0};
    memset(f.agent_sha256, 0xA1, sizeof f.agent_sha256);
    memset(f.init_sha256, 0xB2, sizeof f.init_sha256);
    assert_int_equal(launch_facts_set(&f, "node", "10.77.0.1:8443", CA, NULL), 0);
    return f;
}

static void digest_of(const struct launch_facts *f, uint8_t out[48])
{
    assert_int_equal(launch_digest(f, out, NULL), 0);
}

static void digest_is_sha384_over_the_documented_manifest(void **state)
{
    (void)state;
    static const char documented[] =
        "testudo-sim-launch-v1"
        "{\"agent\":\"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1\","
        "\"broker\":\"10.77.0.1:8443\",\"ca\":\"" CA "\","
        "\"init\":\"b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2\",\"role\":\"node\"}";
    uint8_t expected[48], found[48];
    struct launch_facts f = facts();
    assert_int_equal(tst_sha384(documented, strlen(documented), expected, NULL), 0);
    digest_of(&f, found);
    assert_memory_equal(found, expected, sizeof found);
}

static void digest_changes_with_each_input(void **state)
{
    (void)state;
    struct launch_facts variants[6];
    uint8_t digests[TST_COUNT(variants)][48];
    for (size_t i = 0; i < TST_COUNT(variants); i++)
        variants[i] = facts();
    variants[1].agent_sha256[31] ^= 1;
    variants[2].init_sha256[0] ^= 0x80;
    assert_int_equal(launch_facts_set(&variants[3], "controller", "10.77.0.1:8443", CA, NULL), 0);
    assert_int_equal(launch_facts_set(&variants[4], "node", "10.77.0.1:8444", CA, NULL), 0);
    assert_int_equal(launch_facts_set(&variants[5], "node", "10.77.0.1:8443", OTHER_CA, NULL), 0);
    for (size_t i = 0; i < TST_COUNT(variants); i++) {
        digest_of(&variants[i], digests[i]);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(digests[i], digests[j], 48);
    }
}

static void launch_file_is_read_and_printed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        LAUNCH,
        "role=controller\nbroker=broker.example.org:1\nca=" CA "\n",
        "role=node\nbroker=" A64 "aaaaaaaaaa:8443\nca=" CA "\n",
        "role=node\nbroker=[fd00::1]:65535\nca=" CA "\n",
    };
    for (size_t i = 0; i < TST_COUNT(texts); i++) {
        struct launch_facts f = {0};
        TST_AUTO_STR printed = NULL;
        assert_int_equal(launch_file_parse(texts[i], strlen(texts[i]), &f, NULL), 0);
        assert_int_equal(launch_file_print(&f, &printed, NULL), 0);
        assert_string_equal(printed, texts[i]);
    }
}

static int parse(const char *text, size_t n)
{
    struct launch_facts f = {0};
    TST_AUTO_ERROR err = NULL;
    return launch_file_parse(text, n, &f, &err);
}

static void launch_file_with_anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\n" LAUNCH,
        LAUNCH "\n",
        LAUNCH "extra=1\n",
        LAUNCH "ca=" CA "\n",
        "# comment\n" LAUNCH,
        "role=node\n",
        "role=node\nbroker=10.77.0.1:8443\n",
        "role=node\nbroker=10.77.0.1:8443\nca=" CA,
        "role=node\nca=" CA "\nbroker=10.77.0.1:8443\n",
        "broker=10.77.0.1:8443\nrole=node\nca=" CA "\n",
        "role=node\r\nbroker=10.77.0.1:8443\r\nca=" CA "\r\n",
        "role=nodes\nbroker=10.77.0.1:8443\nca=" CA "\n",
        "role=\nbroker=10.77.0.1:8443\nca=" CA "\n",
        "role = node\nbroker=10.77.0.1:8443\nca=" CA "\n",
        "Role=node\nbroker=10.77.0.1:8443\nca=" CA "\n",
        "role=node\nbroker=10.77.0.1\nca=" CA "\n",
        "role=node\nbroker=:8443\nca=" CA "\n",
        "role=node\nbroker=10.77.0.1:\nca=" CA "\n",
        "role=node\nbroker=10.77.0.1:0\nca=" CA "\n",
        "role=node\nbroker=10.77.0.1:08443\nca=" CA "\n",
        "role=node\nbroker=10.77.0.1:65536\nca=" CA "\n",
        "role=node\nbroker=10.77.0.1:8443/x\nca=" CA "\n",
        "role=node\nbroker=10.77.0.1 :8443\nca=" CA "\n",
        "role=node\nbroker=a\"b:8443\nca=" CA "\n",
        "role=node\nbroker=" A64 "aaaaaaaaaaa:8443\nca=" CA "\n", /* one byte too long */
        "role=node\nbroker=10.77.0.1:8443\nca=" CA "0\n",
        "role=node\nbroker=10.77.0.1:8443\nca=00\n",
        "role=node\nbroker=10.77.0.1:8443\nca=A0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
    };
    for (size_t i = 0; i < TST_COUNT(texts); i++) {
        if (parse(texts[i], strlen(texts[i])) != -TST_USAGE)
            fail_msg("not refused as malformed: %s", texts[i]);
    }
    static const char with_nul[] = "role=node\0\nbroker=10.77.0.1:8443\nca=" CA "\n";
    assert_int_equal(parse(with_nul, sizeof with_nul - 1), -TST_USAGE);
}

static void launch_file_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n < strlen(LAUNCH); n++) {
        char *exact = malloc(n ? n : 1); /* so that a read behind it shows */
        assert_non_null(exact);
        memcpy(exact, LAUNCH, n);
        assert_int_equal(parse(exact, n), -TST_USAGE);
        free(exact);
    }
}

static int measure(const char *root, struct launch_facts *out, struct tst_error **err)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    int rc = launch_facts_read_root(fd, out, err);
    close(fd);
    return rc;
}

static void node_root_and_files_give_the_same_digest(void **state)
{
    (void)state;
    char *root = tree_node("the agent", "the init", LAUNCH);
    TST_AUTO_STR agent = tree_path(root, LAUNCH_AGENT_PATH);
    TST_AUTO_STR init = tree_path(root, LAUNCH_INIT_PATH);
    struct launch_facts a, b;
    uint8_t da[48], db[48], sha[32];
    assert_int_equal(measure(root, &a, NULL), 0);
    assert_int_equal(launch_facts_of_files(agent, init, "node", "10.77.0.1:8443", CA, &b, NULL), 0);
    digest_of(&a, da);
    digest_of(&b, db);
    assert_memory_equal(da, db, 48);
    assert_int_equal(tst_sha256("the agent", 9, sha, NULL), 0);
    assert_memory_equal(a.agent_sha256, sha, 32);
    assert_int_equal(tst_sha256("the init", 8, sha, NULL), 0);
    assert_memory_equal(a.init_sha256, sha, 32);
    tree_free(root);
}

/* Replaces the agent of a node's root by what `spoil` makes; the measurement must fail with `code`. */
static void expect_refused(void (*spoil)(const char *agent), enum tst_code code)
{
    char *root = tree_node("the agent", "the init", LAUNCH);
    TST_AUTO_STR agent = tree_path(root, LAUNCH_AGENT_PATH);
    TST_AUTO_ERROR err = NULL;
    struct launch_facts f;
    assert_int_equal(unlink(agent), 0);
    spoil(agent);
    assert_int_equal(measure(root, &f, &err), -(int)code);
    assert_non_null(strstr(err->text, LAUNCH_AGENT_PATH));
    tree_free(root);
}

static void spoil_nothing(const char *agent)
{
    (void)agent;
}
static void spoil_link(const char *agent)
{
    assert_int_equal(symlink("testudo-init", agent), 0);
}
static void spoil_link_out(const char *agent)
{
    assert_int_equal(symlink("../../../../../bin/true", agent), 0);
}
static void spoil_fifo(const char *agent)
{
    assert_int_equal(mkfifo(agent, 0755), 0);
}
static void spoil_directory(const char *agent)
{
    assert_int_equal(mkdir(agent, 0755), 0);
}
static void spoil_empty(const char *agent)
{
    int fd = open(agent, O_WRONLY | O_CREAT, 0755);
    assert_true(fd >= 0);
    close(fd);
}
static void spoil_huge(const char *agent)
{
    spoil_empty(agent);
    assert_int_equal(truncate(agent, (off_t)LAUNCH_PROGRAM_MAX_BYTES + 1), 0);
}

static void node_root_without_a_plain_agent_is_refused(void **state)
{
    (void)state;
    expect_refused(spoil_nothing, TST_NOT_FOUND);
    expect_refused(spoil_link, TST_REFUTED);
    expect_refused(spoil_link_out, TST_REFUTED);
    expect_refused(spoil_fifo, TST_REFUTED);
    expect_refused(spoil_directory, TST_REFUTED);
    expect_refused(spoil_empty, TST_REFUTED);
    expect_refused(spoil_huge, TST_TOO_LARGE);
}

static void node_root_with_a_linked_directory_is_refused(void **state)
{
    (void)state;
    char *outside = tree_node("another agent", "another init", LAUNCH);
    char *root = tree_new();
    TST_AUTO_STR usr = tree_path(root, "usr");
    TST_AUTO_STR target = tree_path(outside, "usr");
    struct launch_facts f;
    assert_int_equal(symlink(target, usr), 0);
    assert_int_equal(measure(root, &f, NULL), -TST_REFUTED);
    tree_free(root);
    tree_free(outside);
}

static void node_root_with_a_long_launch_file_is_refused(void **state)
{
    (void)state;
    char text[LAUNCH_FILE_MAX_BYTES + 2];
    memset(text, '\n', sizeof text);
    text[sizeof text - 1] = 0;
    char *root = tree_node("the agent", "the init", text);
    struct launch_facts f;
    assert_int_equal(measure(root, &f, NULL), -TST_TOO_LARGE);
    tree_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_is_sha384_over_the_documented_manifest),
        cmocka_unit_test(digest_changes_with_each_input),
        cmocka_unit_test(launch_file_is_read_and_printed),
        cmocka_unit_test(launch_file_with_anything_else_is_refused),
        cmocka_unit_test(launch_file_cut_at_any_byte_is_refused),
        cmocka_unit_test(node_root_and_files_give_the_same_digest),
        cmocka_unit_test(node_root_without_a_plain_agent_is_refused),
        cmocka_unit_test(node_root_with_a_linked_directory_is_refused),
        cmocka_unit_test(node_root_with_a_long_launch_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
