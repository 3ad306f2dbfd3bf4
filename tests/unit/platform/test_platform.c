/* SPDX-License-Identifier: Apache-2.0 */
/* unit/platform/test_platform.c - the backends: what a described machine refuses, what a folder may reach, what reading
 * a kernel's files makes of odd text; and domain capabilities. */
#include "machine.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/domcaps.h"

/* ---- a machine in a file ---- */
#define LEAF(fields) "{\"machine\": \"m\", \"cpuid\": [{" fields "}]}"
#define FILES(fields) "{\"machine\": \"m\", \"files\": [{" fields "}]}"
#define MSRS(fields) "{\"machine\": \"m\", \"msrs\": [{" fields "}]}"
#define SEV(fields) "{\"machine\": \"m\", \"devices\": [{\"path\": \"/dev/sev\", \"read\": true, \"write\": true, \"source\": \"s\", \"commands\": [{" fields "}]}]}"

static void malformed_descriptions_are_refused_with_the_place(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "JSON"},
        {"[]", "m.json"},
        {"{}", "machine"},
        {"{\"machine\": \"m\"} x", "follows"},
        {"{\"machine\": \"m\", \"cpu\": []}", "m.json"},
        {"{\"machine\": \"m\", \"cpuid\": {}}", "expected a list"},
        {LEAF("\"leaf\": \"0x0\", \"eax\": \"0x0\", \"ebx\": \"0x0\", \"ecx\": \"0x0\", \"edx\": \"0x0\""), "cpuid[0]"},
        {LEAF("\"leaf\": \"0x0\", \"eax\": \"0x100000000\", \"ebx\": \"0x0\", \"ecx\": \"0x0\", \"edx\": \"0x0\", \"source\": \"s\""), "eax"},
        {LEAF("\"leaf\": \"0\", \"eax\": \"0x0\", \"ebx\": \"0x0\", \"ecx\": \"0x0\", \"edx\": \"0x0\", \"source\": \"s\""),
         "leaf"},
        {LEAF("\"leaf\": \"0x0\", \"eax\": \"0x0\", \"ebx\": \"0x0\", \"ecx\": \"0x0\", \"edx\": \"0xg\", \"source\": \"s\""),
         "edx"},
        {LEAF("\"leaf\": \"0x0\", \"eax\": \"0x0\", \"ebx\": \"0x0\", \"ecx\": \"0x0\", \"edx\": \"0x0\", \"source\": \"\""),
         "source"},
        {MSRS("\"msr\": \"0xc0010010\", \"source\": \"s\""), "either a value or an error"},
        {MSRS("\"msr\": \"0xc0010010\", \"value\": \"0x1\", \"error\": \"EIO\", \"source\": \"s\""),
         "either a value or an error"},
        {MSRS("\"msr\": \"0xc0010010\", \"error\": \"EODD\", \"source\": \"s\""), "EODD"},
        {FILES("\"path\": \"proc/x\", \"text\": \"\", \"source\": \"s\""), "absolute"},
        {FILES("\"path\": \"/proc//x\", \"text\": \"\", \"source\": \"s\""), "absolute"},
        {FILES("\"path\": \"/proc/../x\", \"text\": \"\", \"source\": \"s\""), "absolute"},
        {FILES("\"path\": \"/proc/\", \"text\": \"\", \"source\": \"s\""), "absolute"},
        {FILES("\"path\": \"/proc/x\", \"source\": \"s\""), "text, an error or"},
        {FILES("\"path\": \"/proc/x\", \"text\": \"\", \"folder\": true, \"source\": \"s\""), "text, an error or"},
        {SEV("\"command\": 1, \"data\": \"0\", \"source\": \"s\""), "devices[0]"},
        {SEV("\"command\": 1, \"data\": \"zz\", \"source\": \"s\""), "devices[0]"},
        {SEV("\"command\": 1, \"data\": \"00\""), "commands[0]"},
        {"{\"machine\": \"m\", \"programs\": [{\"command\": \"x\", \"output\": \"\", \"status\": 256, \"source\": \"s\"}]}",
         "status"},
    };
    (void)state;
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        TST_AUTO_ERROR err = NULL;
        AUTO_PLATFORM p = NULL;
        int rc = platform_parse_machine("m.json", rows[i].text, strlen(rows[i].text), &p, &err);
        assert_null(p);
        if (rc >= 0 || !strstr(err->text, rows[i].says))
            fail_msg("%s: expected '%s', found '%s'", rows[i].text, rows[i].says, err ? err->text : "accepted");
    }
}

/* Each byte of a real description flipped in turn: refused, or judged to the end; never a crash. */
static void flipped_bytes_are_refused_or_judged(void **state)
{
    size_t n, refused = 0, judged = 0;
    TST_AUTO_STR text = machine_file("snp-guest", ".json", &n);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        TST_AUTO_ERROR err = NULL;
        AUTO_PLATFORM p = NULL;
        text[i] ^= 0x01;
        if (platform_parse_machine("m.json", text, n, &p, &err) < 0) {
            assert_true(err && err->text[0]);
            refused++;
        } else {
            AUTO_READY r = report_of(p, READY_ANYWHERE, 0);
            judged += r->count > 0;
        }
        text[i] ^= 0x01;
    }
    assert_int_equal(refused + judged, n);
    assert_true(refused > n / 4 && judged > 0);
}

static void a_description_that_is_too_large_is_refused(void **state)
{
    TST_AUTO_ERROR err = NULL;
    AUTO_PLATFORM p = NULL;
    TST_AUTO_STR text = malloc(PLATFORM_MACHINE_MAX + 1);
    (void)state;
    memset(text, ' ', PLATFORM_MACHINE_MAX + 1);
    assert_int_equal(platform_parse_machine("m.json", text, PLATFORM_MACHINE_MAX + 1, &p, &err), -TST_TOO_LARGE);
}

static void a_described_device_answers_no_other_length(void **state)
{
    static const char text[] = SEV("\"command\": 1, \"data\": \"0137\", \"source\": \"s\"");
    AUTO_PLATFORM p = NULL;
    struct sev_status_guard {
        uint8_t b[64];
    } guard = {{0}};
    uint8_t issue[16] = {1};
    (void)state;
    assert_int_equal(platform_parse_machine("m.json", text, strlen(text), &p, NULL), 0);
    uint64_t address = (uint64_t)(uintptr_t)guard.b;
    memcpy(issue + 4, &address, 8);
    assert_int_equal(p->ioctl(p, "/dev/sev", 0xc0105300, issue), -EINVAL);
    assert_true(tst_is_zero(guard.b, sizeof guard.b));
    issue[0] = 3;
    assert_int_equal(p->ioctl(p, "/dev/sev", 0xc0105300, issue), -ENOTTY);
    assert_int_equal(p->ioctl(p, "/dev/other", 0xc0105300, issue), -ENOENT);
}

/* ---- a folder that stands for / ---- */
static void put(const char *folder, const char *name, const char *text)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void make(const char *folder, const char *name)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void a_folder_is_never_left(void **state)
{
    char folder[] = "/var/tmp/testudo-unit-XXXXXX";
    TST_AUTO_STR text = NULL;
    TST_AUTO_STR names = NULL;
    size_t n;
    (void)state;
    assert_non_null(mkdtemp(folder));
    make(folder, "proc");
    make(folder, "etc");
    put(folder, "proc/cmdline", "inside\n");
    put(folder, "etc/hostname", "inside too\n");
    TST_AUTO_STR link = tst_strdup_printf("%s/proc/absolute", folder);
    TST_AUTO_STR up = tst_strdup_printf("%s/proc/up", folder);
    assert_int_equal(symlink("/etc/hostname", link), 0);
    assert_int_equal(symlink("../../../../../../etc/passwd", up), 0);
    put(folder, "machine.json",
        "{\"machine\": \"m\", \"msrs\": [{\"msr\": \"0xc0010131\", \"value\": \"0x1\", \"source\": \"s\"}]}");
    AUTO_PLATFORM p = NULL;
    assert_int_equal(platform_open(folder, &p, NULL), 0);
    assert_string_equal(p->from, folder);
    assert_int_equal(platform_line(p, "/proc/cmdline", &text), 0);
    assert_string_equal(text, "inside");
    tst_free(TST_STEAL(text));
    assert_int_equal(platform_line(p, "/proc/absolute", &text), 0);
    assert_string_equal(text, "inside too");
    assert_int_equal(p->read_file(p, "/proc/up", 100, &names, &n), -ENOENT);
    assert_int_equal(p->read_file(p, "/proc/../../../../etc/passwd", 100, &names, &n), -ENOENT);
    assert_int_equal(p->read_file(p, "/proc/cmdline", 3, &names, &n), -EFBIG);
    assert_int_equal(p->list_dir(p, "/proc", &names), 0);
    assert_string_equal(names, "absolute\ncmdline\nup\n");
    uint64_t status;
    assert_int_equal(p->rdmsr(p, 0, 0xc0010131, &status), 0);
    assert_int_equal(status, 1);
    TST_AUTO_STR remove = tst_strdup_printf("rm -r %s", folder);
    assert_int_equal(system(remove), 0);
}

static void a_root_that_is_not_there_is_said(void **state)
{
    TST_AUTO_ERROR err = NULL;
    AUTO_PLATFORM p = NULL;
    (void)state;
    assert_int_equal(platform_open("/nowhere/at/all", &p, &err), -TST_NOT_FOUND);
    assert_non_null(strstr(err->text, "/nowhere/at/all"));
}

/* ---- what kernels write ---- */
static void numbers_and_keys_are_read_exactly(void **state)
{
    static const char text[] = FILES("\"path\": \"/a\", \"text\": \"12\\n\", \"source\": \"s\"}, {\"path\": \"/b\", \"text\": \"12x\\n\", \"source\": \"s\"},"
                                     "{\"path\": \"/c\", \"text\": \"99999999999999999999\\n\", \"source\": \"s\"}, {\"path\": \"/d\", \"text\": \"-1\\n\", \"source\": \"s\"},"
                                     "{\"path\": \"/k\", \"text\": \"sev_es 7\\nsev 3\\nMemTotal:   55 kB\\nend\", \"source\": \"s\"");
    AUTO_PLATFORM p = NULL;
    uint64_t v = 0;
    (void)state;
    assert_int_equal(platform_parse_machine("m.json", text, strlen(text), &p, NULL), 0);
    assert_int_equal(platform_number(p, "/a", &v), 0);
    assert_int_equal(v, 12);
    assert_int_equal(platform_number(p, "/b", &v), -ENODATA);
    assert_int_equal(platform_number(p, "/c", &v), -ENODATA);
    assert_int_equal(platform_number(p, "/d", &v), -ENODATA);
    assert_int_equal(platform_number(p, "/e", &v), -ENOENT);
    assert_int_equal(platform_keyed(p, "/k", "sev", &v), 0);
    assert_int_equal(v, 3);
    assert_int_equal(platform_keyed(p, "/k", "sev_es", &v), 0);
    assert_int_equal(v, 7);
    assert_int_equal(platform_keyed(p, "/k", "MemTotal", &v), 0);
    assert_int_equal(v, 55);
    assert_int_equal(platform_keyed(p, "/k", "end", &v), -ENODATA);
    assert_int_equal(platform_keyed(p, "/k", "se", &v), -ENODATA);
}

static void programs_are_run_and_bounded(void **state)
{
    AUTO_PLATFORM p = NULL;
    TST_AUTO_STR output = NULL;
    TST_AUTO_STR none = NULL;
    static const char *const echo[] = {"echo", "one two", NULL}, *const no[] = {"false", NULL},
        *const absent[] = {"testudo-no-such-program", NULL},
                      *const endless[] = {"yes", NULL};
    (void)state;
    assert_int_equal(platform_open(NULL, &p, NULL), 0);
    assert_int_equal(p->run(p, echo, &output), 0);
    assert_string_equal(output, "one two\n");
    assert_int_equal(p->run(p, absent, &none), -ENOENT);
    assert_int_equal(p->run(p, endless, &none), -EFBIG);
    assert_null(none);
    assert_int_equal(p->run(p, no, &none), 1);
}

/* ---- domain capabilities ---- */
static void domain_capabilities_are_read(void **state)
{
    static const char text[] = "<?xml version=\"1.0\"?>\n<!-- sev supported='no' -->\n<domainCapabilities>\n <features>\n"
                               "  <sev supported='yes'><cbitpos>51</cbitpos><maxGuests> 410 </maxGuests><maxESGuests>99</maxESGuests></sev>\n"
                               "  <launchSecurity supported=\"yes\"><enum name='other'><value>sev</value></enum>"
                               "<enum name='sectype'><value>sev-snp</value></enum></launchSecurity>\n  <gic supported='no'/>\n"
                               " </features>\n <devices><sev supported='no'/></devices>\n</domainCapabilities>\n";
    struct domcaps d;
    (void)state;
    assert_int_equal(domcaps_parse(text, strlen(text), &d, NULL), 0);
    assert_true(d.sev && d.launch_security && d.type_snp && !d.type_sev);
    assert_int_equal(d.cbitpos, 51);
    assert_int_equal(d.max_guests, 410);
    assert_int_equal(d.max_es_guests, 99);
}

static void odd_domain_capabilities_are_refused(void **state)
{
    static const char *const rows[] = {
        "", "  ", "text", "<domain/>", "<domainCapabilities>", "</domainCapabilities>", "<domainCapabilities></domain>",
        "<domainCapabilities/><domainCapabilities/>", "<domainCapabilities/>text", "<!DOCTYPE x><domainCapabilities/>",
        "<domainCapabilities a></domainCapabilities>", "<domainCapabilities a=1/>", "<domainCapabilities a='1/>",
            "<domainCapabilities",
        "<domainCapabilities/ >", "<!-- <domainCapabilities/>",
            "<domainCapabilities><features><sev supported='yes'><maxGuests>many</maxGuests></sev></features></domainCapabilities>",
        "<domainCapabilities><features><sev supported='yes'><maxGuests>99999999999</maxGuests></sev></features></domainCapabilities>",
    };
    struct domcaps d;
    (void)state;
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        TST_AUTO_ERROR err = NULL;
        if (domcaps_parse(rows[i], strlen(rows[i]), &d, &err) != -TST_USAGE)
            fail_msg("accepted: %s", rows[i]);
        assert_non_null(err);
    }
    TST_AUTO_BUF deep = {0};
    for (int i = 0; i < 40; i++)
        tst_buf_printf(&deep, NULL, i ? "<a>" : "<domainCapabilities>");
    assert_int_equal(domcaps_parse((const char *)deep.p, deep.n, &d, NULL), -TST_USAGE);
    assert_int_equal(domcaps_parse("", DOMCAPS_MAX + 1, &d, NULL), -TST_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_descriptions_are_refused_with_the_place),
        cmocka_unit_test(flipped_bytes_are_refused_or_judged),
        cmocka_unit_test(a_description_that_is_too_large_is_refused),
        cmocka_unit_test(a_described_device_answers_no_other_length),
        cmocka_unit_test(a_folder_is_never_left),
        cmocka_unit_test(a_root_that_is_not_there_is_said),
        cmocka_unit_test(numbers_and_keys_are_read_exactly),
        cmocka_unit_test(programs_are_run_and_bounded),
        cmocka_unit_test(domain_capabilities_are_read),
        cmocka_unit_test(odd_domain_capabilities_are_refused),
    };
    return cmocka_run_group_tests_name("platform", tests, NULL, NULL);
}
