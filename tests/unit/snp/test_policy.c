/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy.c - the policy file: what is not understood is refused with its place, what is not said denies, and the
 * resolved JSON is the same policy again. */
#include "evidence.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOT "1111111111111111111111111111111111111111111111111111111111111111"
#define ROOT_LIST "- 1111111111111111111111111111111111111111111111111111111111111111\n" /* ROOT in a file of its own */
#define DIGEST "aa" "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
#define DIGEST2 "bb" "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"

static int parse(const char *text, struct tst_policy **out, struct tst_error **err)
{
    return tst_policy_parse("p.yaml", text, strlen(text), NULL, NULL, out, err);
}

static char *resolved(const char *text)
{
    TST_AUTO_POLICY p = NULL;
    TST_AUTO_JSON j = NULL;
    TST_AUTO_ERROR err = NULL;
    if (parse(text, &p, &err) < 0)
        fail_msg("%s", err->text);
    assert_int_equal(tst_policy_json(p, &j, NULL), 0);
    return json_dumps(j, JSON_SORT_KEYS | JSON_COMPACT);
}

static void what_is_not_said_denies(void **state)
{
    (void)state;
    TST_AUTO_STR text = resolved("name: empty\n");
    assert_string_equal(
        text, "{\"chips\":[],\"crl\":{\"max-age-d\":60,\"mode\":\"require\"},\"family-id\":[],"
              "\"firmware\":{\"min-committed\":\"0.0.0\",\"min-current\":\"0.0.0\",\"provisional\":\"deny\"},"
              "\"guest-policy\":{\"debug\":\"deny\",\"migration-agent\":\"deny\",\"min-abi\":\"0.0\",\"must-clear\":[],\"must-set\":[],"
              "\"unknown-bits\":\"deny\"},\"host-data\":[],\"id-block\":{\"author-keys\":[],\"id-keys\":[]},\"image-id\":[],"
              "\"level\":\"measured\",\"measurements\":[],\"milan-without-chips\":\"refuse\",\"min-guest-svn\":0,"
              "\"min-report-version\":2,\"mitigations\":{},\"name\":\"empty\","
              "\"platform-info\":{\"must-clear\":[],\"must-set\":[],\"unknown-bits\":\"allow\"},\"products\":[],\"rules\":{},"
              "\"simulated\":{\"allow\":[]},\"tcb\":{},\"vlek\":\"deny\",\"vmpl\":0}");
}

static const char everything[] =
    "name: sealed\n"
    "level: firmware\n"
    "simulated: {allow: [" ROOT "]}\n"
    "products: [turin, genoa, milan]\n"
    "measurements:\n"
    "  - {name: one, digest: " DIGEST ", until: 2027-01-01, acpi: confined, level: firmware}\n"
    "  - {name: two two, digest: " DIGEST2 "}\n"
    "tcb:\n"
    "  genoa: {bootloader: 10, tee: 0, snp: 27, microcode: 86}\n"
    "  turin: {fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 81}\n"
    "  milan: [{family: 25, models: [0, 15], steppings: [0, 1], bootloader: 4, tee: 0, snp: 27, microcode: 219}]\n"
    "firmware: {min-current: 1.55.43, min-committed: \"1.55.40\", provisional: allow}\n"
    "mitigations: {genoa: {launch: [1, 2], current: [63]}, turin: {current: [0]}}\n"
    "min-report-version: 3\n"
    "guest-policy: {debug: allow, migration-agent: allow, must-set: [single-socket], must-clear: [smt, cxl], min-abi: 1.55,\n"
    "               unknown-bits: allow}\n"
    "platform-info: {must-set: [ecc, alias-check-complete], must-clear: [smt], unknown-bits: deny}\n"
    "vmpl: [1, 0]\n"
    "min-guest-svn: 4294967295\n"
    "id-block: {require: false, id-keys: [" DIGEST "], author-keys: [" DIGEST2 ", " DIGEST "]}\n"
    "family-id: [\"00000000000000000000000000000000\"]\n"
    "image-id: [0123456789abcdef0123456789abcdef]\n"
    "host-data: [" ROOT "]\n"
    "chips: [\"0102030405060708\"]\n"
    "crl: {mode: off, max-age-d: 7}\n"
    "vlek: allow\n"
    "rules: {platform-info: warn, policy.guest-svn: warn, tcb.order: warn, chip: enforce, debug: enforce}\n";

static const char with_id_key[] = "name: a\nid-block: {id-keys: [" DIGEST "]}\n";

static void the_resolved_json_is_the_same_policy(void **state)
{
    (void)state;
    static const char *const texts[] = {
        everything,
        "name: floors\nfloors: 2026-11\n",
        "name: empty\n",
        "name: milan\nproducts: [milan]\nmilan-without-chips: accept-risk\n",
        "name: a\nid-block: {require: false}\n",
        with_id_key,
        "name: a\nvmpl: [0, 1, 2, 3]\n",
        "name: a\ncrl: {mode: if-present}\n",
    };
    for (size_t i = 0; i < TST_COUNT(texts); i++) {
        TST_AUTO_STR first = resolved(texts[i]);
        TST_AUTO_STR second = resolved(first);
        assert_string_equal(first, second);
    }
}

static void every_value_arrives(void **state)
{
    (void)state;
    TST_AUTO_STR text = resolved(everything);
    static const char *const parts[] = {
        "\"level\":\"firmware\"",
        "\"simulated\":{\"allow\":[\"" ROOT "\"]}",
        "\"products\":[\"milan\",\"genoa\",\"turin\"]",
        "{\"acpi\":\"confined\",\"digest\":\"" DIGEST "\",\"level\":\"firmware\",\"name\":\"one\",\"until\":\"2027-01-01T00:00:00Z\"}",
        "{\"acpi\":\"trusts-host\",\"digest\":\"" DIGEST2 "\",\"level\":\"measured\",\"name\":\"two two\"}",
        "\"genoa\":{\"bootloader\":10,\"microcode\":86,\"snp\":27,\"tee\":0}",
        "\"turin\":{\"bootloader\":1,\"fmc\":1,\"microcode\":81,\"snp\":4,\"tee\":1}",
        "\"milan\":[{\"bootloader\":4,\"family\":25,\"microcode\":219,\"models\":[0,15],\"snp\":27,\"steppings\":[0,1],\"tee\":0}]",
        "\"guest-policy\":{\"debug\":\"allow\",\"migration-agent\":\"allow\",\"min-abi\":\"1.55\",\"must-clear\":[\"smt\",\"cxl\"],"
        "\"must-set\":[\"single-socket\"],\"unknown-bits\":\"allow\"}",
        "\"platform-info\":{\"must-clear\":[\"smt\"],\"must-set\":[\"ecc\",\"alias-check-complete\"],\"unknown-bits\":\"deny\"}",
        "\"firmware\":{\"min-committed\":\"1.55.40\",\"min-current\":\"1.55.43\",\"provisional\":\"allow\"}",
        "\"mitigations\":{\"genoa\":{\"current\":[63],\"launch\":[1,2]},\"turin\":{\"current\":[0],\"launch\":[]}}",
        "\"min-report-version\":3",
        "\"min-guest-svn\":4294967295",
        "\"id-block\":{\"author-keys\":[\"" DIGEST2 "\",\"" DIGEST "\"],\"id-keys\":[\"" DIGEST "\"],\"require\":false}",
        "\"family-id\":[\"00000000000000000000000000000000\"]",
        "\"image-id\":[\"0123456789abcdef0123456789abcdef\"]",
        "\"host-data\":[\"" ROOT "\"]",
        "\"vmpl\":[0,1]",
        "\"vlek\":\"allow\"",
        "\"rules\":{\"guest-svn\":\"warn\",\"platform-info\":\"warn\",\"tcb.order\":\"warn\"}",
        "\"chips\":[\"010203040506070800000000000000000000000000000000000000000000000000000000",
        "\"crl\":{\"max-age-d\":7,\"mode\":\"off\"}",
    };
    for (size_t i = 0; i < TST_COUNT(parts); i++)
        if (!strstr(text, parts[i]))
            fail_msg("%s is not in %s", parts[i], text);
}

static void name_and_level_are_told(void **state)
{
    (void)state;
    TST_AUTO_POLICY p = NULL;
    assert_int_equal(parse(everything, &p, NULL), 0);
    assert_string_equal(tst_policy_name(p), "sealed");
    assert_int_equal(tst_policy_level(p), TST_LEVEL_FIRMWARE);
}

struct refused {
    const char *text, *place, *says;
};

static void what_is_not_understood_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        {"level: measured\n", "p.yaml:1:", "name"},
        {"name: Sealed\n", "p.yaml:1:", "name"},
        {"name: a\nmeasurment: []\n", "p.yaml:2:", "measurment"},
        {"name: a\nname: b\n", "p.yaml:2:", "name"},
        {"name: a\nlevel: high\n", "p.yaml:2:", "measured"},
        {"name: a\nlevel: [measured]\n", "p.yaml:2:", "expected"},
        {"name: a\nproducts: genoa\n", "p.yaml:2:", "list"},
        {"name: a\nproducts: [genoa, naples]\n", "p.yaml:2:", "naples"},
        {"name: a\nproducts: [unknown]\n", "p.yaml:2:", "unknown"},
        {"name: a\nsimulated: true\n", "p.yaml:2:", "map"},
        {"name: a\nsimulated: {allow: true}\n", "p.yaml:2:", "list"},
        {"name: a\nsimulated: {}\n", "p.yaml:2:", "allow"},
        {"name: a\nsimulated: {allow: [abc]}\n", "p.yaml:2:", ""},
        {"name: a\nsimulated: {allow: [429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831]}\n", "p.yaml:2:", "AMD"},
        {"name: a\nmeasurements: [{name: x}]\n", "p.yaml:2:", "digest"},
        {"name: a\nmeasurements: [{digest: " DIGEST "}]\n", "p.yaml:2:", "name"},
        {"name: a\nmeasurements: [{name: x, digest: 00}]\n", "p.yaml:2:", ""},
        {"name: a\nmeasurements:\n  - {name: x, digest: " DIGEST "}\n  - {name: y, digest: " DIGEST "}\n", "p.yaml:4:", "'x'"},
        {"name: a\nmeasurements: [{name: x, digest: " DIGEST ", until: soon}]\n", "p.yaml:2:", ""},
        {"name: a\nmeasurements: [{name: x, digest: " DIGEST ", acpi: yes}]\n", "p.yaml:2:", "confined"},
        {"name: a\nmeasurements: [{name: x, digest: " DIGEST ", level: none}]\n", "p.yaml:2:", "firmware"},
        {"name: a\nmeasurements: [{name: \"\\e[2J\", digest: " DIGEST "}]\n", "p.yaml:2:", "printable"},
        {"name: a\nmeasurements: {include: refs.yaml}\n", "p.yaml:2:", "include"},
        {"name: a\nmeasurements: {includes: refs.yaml}\n", "p.yaml:2:", "includes"},
        {"name: a\ntcb: {genoa: {bootloader: 10, tee: 0, snp: 27}}\n", "p.yaml:2:", "microcode"},
        {"name: a\ntcb: {genoa: {fmc: 1, bootloader: 10, tee: 0, snp: 27, microcode: 1}}\n", "p.yaml:2:", "fmc"},
        {"name: a\ntcb: {turin: {bootloader: 10, tee: 0, snp: 27, microcode: 1}}\n", "p.yaml:2:", "fmc"},
        {"name: a\ntcb: {genoa: {bootloader: 256, tee: 0, snp: 27, microcode: 1}}\n", "p.yaml:2:", "255"},
        {"name: a\ntcb: {genoa: {bootloader: -1, tee: 0, snp: 27, microcode: 1}}\n", "p.yaml:2:", "number"},
        {"name: a\ntcb: {rome: {}}\n", "p.yaml:2:", "rome"},
        {"name: a\ntcb: {milan: [{family: 25, models: [2, 1], steppings: [0, 1], bootloader: 4, tee: 0, snp: 1, microcode: 1}]}\n",
         "p.yaml:2:", "first <= last"},
        {"name: a\ntcb: {milan: [{family: 25, models: [1], steppings: [0, 1], bootloader: 4, tee: 0, snp: 1, microcode: 1}]}\n",
         "p.yaml:2:", "[first, last]"},
        {"name: a\ntcb: {milan: [{family: 0, models: [1, 1], steppings: [0, 1], bootloader: 4, tee: 0, snp: 1, microcode: 1}]}\n",
         "p.yaml:2:", "family"},
        {"name: a\nfloors: 2020-01\n", "p.yaml:2:", "2026-11"},
        {"name: a\nfloors: 2026-11\ntcb: {}\n", "p.yaml:3:", "one of the two"},
        {"name: a\ntcb: {genoa: {bootloader: 1, tee: 0, snp: 1, microcode: 1}}\nfloors: 2026-11\n", "p.yaml:3:", "one of the two"},
        {"name: a\nguest-policy: {debug: maybe}\n", "p.yaml:2:", "allow"},
        {"name: a\nguest-policy: {smt: deny}\n", "p.yaml:2:", "smt"},
        {"name: a\nguest-policy: {must-set: [turbo]}\n", "p.yaml:2:27:", "single-socket"},
        {"name: a\nguest-policy: {must-set: [reserved-one]}\n", "p.yaml:2:", "reserved-one"},
        {"name: a\nguest-policy: {must-set: smt}\n", "p.yaml:2:", "list"},
        {"name: a\nguest-policy: {must-set: [smt], must-clear: [smt]}\n", "p.yaml:2:", "smt: both"},
        {"name: a\nguest-policy: {debug: allow, must-clear: [debug]}\n", "p.yaml:2:", "debug: allowed"},
        {"name: a\nguest-policy: {must-clear: [migration-agent], migration-agent: allow}\n", "p.yaml:2:", "migration-agent: allowed"},
        {"name: a\nguest-policy: {must-set: [debug]}\n", "p.yaml:2:", "debug: denied"},
        {"name: a\nguest-policy: {min-abi: 1}\n", "p.yaml:2:", "2 numbers"},
        {"name: a\nguest-policy: {min-abi: 1.256}\n", "p.yaml:2:", "2 numbers"},
        {"name: a\nguest-policy: {unknown-bits: maybe}\n", "p.yaml:2:", "allow"},
        {"name: a\nplatform-info: {must-set: [page-swap-disable]}\n", "p.yaml:2:", "alias-check-complete"},
        {"name: a\nplatform-info: {must-set: [smt, ecc], must-clear: [ecc]}\n", "p.yaml:2:", "ecc: both"},
        {"name: a\nplatform-info: {smt: deny}\n", "p.yaml:2:", "smt"},
        {"name: a\nfirmware: {min-current: 1.55}\n", "p.yaml:2:", "3 numbers"},
        {"name: a\nfirmware: {min-current: 1.55.43.1}\n", "p.yaml:2:", "3 numbers"},
        {"name: a\nfirmware: {min-committed: 1.55.}\n", "p.yaml:2:", "3 numbers"},
        {"name: a\nfirmware: {min-committed: 1..55}\n", "p.yaml:2:", "3 numbers"},
        {"name: a\nfirmware: {min-committed: 1.0000055.1}\n", "p.yaml:2:", "3 numbers"},
        {"name: a\nfirmware: {provisional: true}\n", "p.yaml:2:", "allow"},
        {"name: a\nmitigations: {rome: {launch: [1]}}\n", "p.yaml:2:", "rome"},
        {"name: a\nmitigations: {genoa: {launch: [64]}}\n", "p.yaml:2:", "63"},
        {"name: a\nmitigations: {genoa: {launch: 2}}\n", "p.yaml:2:", "list"},
        {"name: a\nmin-report-version: 1\n", "p.yaml:2:", "at least 2"},
        {"name: a\nmin-report-version: 256\n", "p.yaml:2:", "255"},
        {"name: a\nmin-guest-svn: 4294967296\n", "p.yaml:2:", "4294967295"},
        {"name: a\nid-block: {require: true}\n", "p.yaml:2:", "anybody can sign"},
        {"name: a\nid-block: {require: yes}\n", "p.yaml:2:", "true or false"},
        {"name: a\nid-block: {id-keys: [" ROOT "]}\n", "p.yaml:2:", "48"},
        {"name: a\nid-block: {id-keys: [\"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\"]}\n",
         "p.yaml:2:", "no ID block"},
        {"name: a\nfamily-id: [abc]\n", "p.yaml:2:", ""},
        {"name: a\nimage-id: " ROOT "\n", "p.yaml:2:", "list"},
        {"name: a\nhost-data: [" DIGEST "]\n", "p.yaml:2:", "32"},
        {"name: a\nvmpl: []\n", "p.yaml:2:", "accepts nothing"},
        {"name: a\nvmpl: [0, 4]\n", "p.yaml:2:", "3"},
        {"name: a\nvlek: maybe\n", "p.yaml:2:", "allow"},
        {"name: a\nproducts: [genoa, milan]\n", "p.yaml:2:11:", "root seed"},
        {"name: a\nproducts: [milan]\nchips: []\n", "p.yaml:2:11:", "root seed"},
        {"name: a\nproducts: [milan]\nchips: [\"0102030405060708\"]\nrules: {chip: warn}\n", "p.yaml:2:11:", "root seed"},
        {"name: a\nproducts: [milan]\nmilan-without-chips: refuse\n", "p.yaml:2:11:", "root seed"},
        {"name: a\nmilan-without-chips: allow\n", "p.yaml:2:", "accept-risk"},
        {"name: a\nrules: [chip]\n", "p.yaml:2:", "map"},
        {"name: a\nrules: {chip: off}\n", "p.yaml:2:", "enforce"},
        {"name: a\nrules:\n  chips: warn\n", "p.yaml:3:3:", "these may warn: tcb.order"},
        {"name: a\nvmpl: 4\n", "p.yaml:2:", "3"},
        {"name: a\nchips: [1234]\n", "p.yaml:2:", ""},
        {"name: a\nchips: [\"0000000000000000\"]\n", "p.yaml:2:", "masked"},
        {"name: a\ncrl: off\n", "p.yaml:2:", "map"},
        {"name: a\ncrl: {max-age-d: 3}\n", "p.yaml:2:", "mode"},
        {"name: a\ncrl: {mode: maybe}\n", "p.yaml:2:", "require"},
        {"- name: a\n", "p.yaml:1:", "map"},
        {"", "", ""},
    };
    for (size_t i = 0; i < TST_COUNT(cases); i++) {
        TST_AUTO_POLICY p = NULL;
        TST_AUTO_ERROR err = NULL;
        int rc = parse(cases[i].text, &p, &err);
        if (rc == 0)
            fail_msg("accepted: %s", cases[i].text);
        assert_true(rc == -TST_USAGE || rc == -TST_TOO_LARGE);
        if (!strstr(err->text, cases[i].place) || !strstr(err->text, cases[i].says))
            fail_msg("'%s' does not say %s and '%s', for:\n%s", err->text, cases[i].place, cases[i].says, cases[i].text);
        assert_null(p);
    }
}

static void what_everything_else_rests_on_cannot_be_set_to_warn(void **state)
{
    (void)state;
    static const char *const never[] = {"debug", "vmpl", "simulated", "level", "crl", "migration-agent", "milan"};
    size_t count = 0, authenticity = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    for (size_t i = 0; i < count + TST_COUNT(never); i++) {
        const char *id = i < count ? infos[i].id : never[i - count];
        if (i < count && (!infos[i].authenticity || strcmp(id, "product") == 0)) /* means policy.product here */
            continue;
        authenticity += i < count;
        TST_AUTO_POLICY p = NULL;
        TST_AUTO_ERROR err = NULL;
        TST_AUTO_STR text = tst_strdup_printf("name: a\nrules:\n  %s: warn\n", id);
        if (parse(text, &p, &err) != -TST_USAGE)
            fail_msg("accepted: %s", text);
        if (!strstr(err->text, "p.yaml:3:3:") || !strstr(err->text, "cannot be set to warn"))
            fail_msg("%s", err->text);
        TST_AUTO_STR enforced = tst_strdup_printf("name: a\nrules:\n  %s: enforce\n", id);
        assert_int_equal(parse(enforced, &p, NULL), 0);
    }
    assert_true(authenticity >= 10); /* signature, chain, binding, ... */
}

/* A policy with any byte changed is refused, or it is another policy that is printed and read back as it is. */
static void changed_bytes_are_refused_or_mean_something_else(void **state)
{
    (void)state;
    static const unsigned char changes[] = {0x01, 0x20, 0x80, 0xff};
    char text[sizeof everything];
    size_t refused = 0;
    for (size_t i = 0; i < sizeof everything - 1; i++)
        for (size_t k = 0; k < TST_COUNT(changes); k++) {
            TST_AUTO_POLICY p = NULL;
            TST_AUTO_ERROR err = NULL;
            memcpy(text, everything, sizeof text);
            text[i] = (char)((unsigned char)text[i] ^ changes[k]);
            int rc = tst_policy_parse("p.yaml", text, sizeof text - 1, NULL, NULL, &p, &err);
            refused += rc < 0;
            assert_true((rc < 0) == (err != NULL));
            if (rc < 0)
                continue;
            TST_AUTO_JSON j = NULL;
            assert_int_equal(tst_policy_json(p, &j, NULL), 0);
            TST_AUTO_STR first = json_dumps(j, JSON_SORT_KEYS | JSON_COMPACT);
            TST_AUTO_STR second = resolved(first);
            assert_string_equal(first, second);
        }
    assert_true(refused > sizeof everything * 2); /* more than half: names and digits leave room */
}

/* ---- includes ---- */
static int include_one(void *ctx, const char *path, char **text, size_t *n, struct tst_error **err)
{
    const char *const *files = ctx; /* path, text, path, text, ..., NULL */
    for (; *files; files += 2)
        if (strcmp(files[0], path) == 0) {
            *text = strdup(files[1]);
            assert_non_null(*text);
            *n = strlen(*text);
            return 0;
        }
    return tst_fail(err, TST_NOT_FOUND, "%s: no such file", path);
}

static int parse_with(const char *text, const char *const *files, struct tst_policy **out, struct tst_error **err)
{
    return tst_policy_parse("p.yaml", text, strlen(text), include_one, (void *)(uintptr_t)files, out, err);
}

static const char including[] = "name: a\nsimulated: {allow: {include: root.yaml}}\nmeasurements: {include: refs/a.yaml}\n";

static void includes_are_resolved(void **state)
{
    (void)state;
    static const char references[] = "- {name: x, digest: " DIGEST "}\n";
    static const char *const files[] = {"root.yaml", ROOT_LIST, "refs/a.yaml", references, NULL};
    TST_AUTO_POLICY p = NULL;
    TST_AUTO_JSON j = NULL;
    assert_int_equal(parse_with(including, files, &p, NULL), 0);
    assert_int_equal(tst_policy_json(p, &j, NULL), 0);
    TST_AUTO_STR got = json_dumps(j, JSON_SORT_KEYS | JSON_COMPACT);
    TST_AUTO_STR written = resolved("name: a\nsimulated: {allow: [" ROOT "]}\nmeasurements: [{name: x, digest: " DIGEST "}]\n");
    assert_string_equal(got, written);
}

static void errors_in_included_files_name_both_files(void **state)
{
    (void)state;
    static const char *const missing[] = {"root.yaml", ROOT_LIST, NULL};
    static const char *const wrong[] = {"root.yaml", ROOT_LIST, "refs/a.yaml", "\n- {name: x}\n", NULL};
    static const char *const map[] = {"root.yaml", "allow: []\n", NULL};
    static const char *const nested[] = {"root.yaml", "{include: root.yaml}\n", NULL};
    static const struct {
        const char *const *files;
        const char *place;
    } cases[] = {{missing, "p.yaml:3:"}, {wrong, "refs/a.yaml:2:"}, {map, "root.yaml:1:"}, {nested, "root.yaml:1:"}};
    for (size_t i = 0; i < TST_COUNT(cases); i++) {
        TST_AUTO_POLICY p = NULL;
        TST_AUTO_ERROR err = NULL;
        assert_true(parse_with(including, cases[i].files, &p, &err) < 0);
        if (!strstr(err->text, cases[i].place))
            fail_msg("'%s' does not say %s", err->text, cases[i].place);
    }
}

static void too_many_entries_are_refused(void **state)
{
    (void)state;
    TST_AUTO_BUF text = {.max = 1024 * 1024};
    TST_AUTO_POLICY p = NULL;
    TST_AUTO_ERROR err = NULL;
    tst_buf_printf(&text, NULL, "name: a\nsimulated:\n  allow:\n");
    for (unsigned i = 0; i < 65; i++)
        tst_buf_printf(&text, NULL, "  - %064x\n", i + 1);
    assert_int_equal(tst_policy_parse("p.yaml", (const char *)text.p, text.n, NULL, NULL, &p, &err), -TST_TOO_LARGE);
    assert_non_null(strstr(err->text, "64"));
}

/* ---- levels, documentation ---- */
static void level_names_go_both_ways(void **state)
{
    (void)state;
    for (enum tst_level l = TST_LEVEL_NONE; l <= TST_LEVEL_MEASURED; l++) {
        enum tst_level back = TST_LEVEL_NONE;
        assert_true(tst_level_of(tst_level_name(l), &back));
        assert_int_equal(back, l);
    }
    enum tst_level untouched = TST_LEVEL_FIRMWARE;
    assert_false(tst_level_of("Measured", &untouched));
    assert_int_equal(untouched, TST_LEVEL_FIRMWARE);
    assert_string_equal(tst_level_name((enum tst_level)99), "none");
}

static void the_documentation_lists_every_check_in_order(void **state)
{
    (void)state;
    static char page[64 * 1024];
    FILE *f = fopen(SOURCE_ROOT "/docs/checks.md", "rb");
    if (!f) {
        fail_msg("no docs/checks.md");
        return;
    }
    size_t n = fread(page, 1, sizeof page - 1, f), count = 0;
    fclose(f);
    page[n] = '\0';
    const struct tst_check_info *infos = tst_checks(&count);
    const char *at = page;
    for (size_t i = 0; i < count; i++) {
        TST_AUTO_STR row = tst_strdup_printf("\n| `%s` | %s | %s | %s |", infos[i].id, infos[i].meaning, infos[i].source,
                                             infos[i].authenticity ? "1" : "4");
        const char *found = strstr(at, row);
        if (!found)
            fail_msg("docs/checks.md lacks, in this order: %s", row);
        else
            at = found;
    }
}

static void check_ids_are_unique(void **state)
{
    (void)state;
    size_t count = 0;
    const struct tst_check_info *infos = tst_checks(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(infos[i].id, infos[k].id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_denies),
        cmocka_unit_test(the_resolved_json_is_the_same_policy),
        cmocka_unit_test(every_value_arrives),
        cmocka_unit_test(name_and_level_are_told),
        cmocka_unit_test(what_is_not_understood_is_refused_with_its_place),
        cmocka_unit_test(what_everything_else_rests_on_cannot_be_set_to_warn),
        cmocka_unit_test(changed_bytes_are_refused_or_mean_something_else),
        cmocka_unit_test(includes_are_resolved),
        cmocka_unit_test(errors_in_included_files_name_both_files),
        cmocka_unit_test(too_many_entries_are_refused),
        cmocka_unit_test(level_names_go_both_ways),
        cmocka_unit_test(the_documentation_lists_every_check_in_order),
        cmocka_unit_test(check_ids_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
