/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/fuzz_join.c - any JSON to the three verbs of a node, at a broker in memory whose plan has both kinds of realms.
 * A nonce "@" in the input stands for one that was issued just now, so that requests get past it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/stat.h>

#include "broker/broker.h"
#include "fuzz.h"

#define NOW 1780272000 /* 2026-06-01 */
#define PLAN                                                                                                              \
    "{\"cluster\":\"fuzz\",\"realms\":[{\"name\":\"sealed\",\"level\":\"measured\",\"policy\":{\"name\":\"sealed\",\"level\":"      \
    "\"measured\"},\"members\":[{\"instance\":\"s1\",\"role\":\"node\",\"address\":\"10.77.0.2\"}],\"files\":{}},{\"name\":"        \
    "\"plain\",\"level\":\"none\",\"policy\":null,\"members\":[{\"instance\":\"p1\",\"role\":\"node\",\"address\":\"10.77.0.3\"}]," \
    "\"files\":{}}]}"

static struct broker broker;

static void arm(const char *instance)
{
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON body = json_pack("{s:s}", "instance", instance);
    FUZZ_HOLDS(verb_expect(&broker, "operator:uid=0", body, NOW, &answer, NULL) == 0);
}

static void forget_folder(const char *state)
{
    static const char *const files[] = { "log.pub", "ca.key", "leaf.key", "log.key", "wrap.key", "leaf.der", "address", "ca.der" };
    for (size_t i = 0; i < TST_COUNT(files); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", state, files[i]);
        unlink(path);
    }
    rmdir(state);
}

/* Its keys come from a folder that is gone once they are read; its database is in memory. */
static void open_broker(void)
{
    char state[] = "/tmp/testudo-fuzz-XXXXXX";
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON plan = NULL;
    FUZZ_HOLDS(mkdtemp(state));
    FUZZ_HOLDS(identity_make(state, "127.0.0.1:8443", NULL) == 0 && identity_load(state, &broker.id, NULL) == 0);
    forget_folder(state);
    broker.limits = (struct broker_limits){ .nonce_s = 60, .lease_s = 600, .token_s = 600 };
    FUZZ_HOLDS(nonce_table_new(&broker.nonces, NULL) == 0 && db_open(":memory:", &broker.db, NULL) == 0);
    FUZZ_HOLDS(tst_json_parse(PLAN, strlen(PLAN), 0, &plan, NULL) == 0);
    FUZZ_HOLDS(verb_plan(&broker, "owner:uid=0", plan, NOW, &answer, NULL) == 0);
    arm("s1");
    arm("p1");
}

/* Where the input's runtime data says "@", a nonce for its instance and purpose. */
static void give_nonce(json_t *body, const char *purpose, time_t now)
{
    uint8_t nonce[NONCE_BYTES];
    json_t *rd = json_object_get(body, "runtime-data");
    const char *instance = json_string_value(json_object_get(rd, "instance"));
    const char *text = json_string_value(json_object_get(rd, "nonce"));
    if (!text || strcmp(text, "@") != 0 || !instance || !tst_is_name(instance))
        return;
    FUZZ_HOLDS(nonce_issue(broker.nonces, instance, purpose, now, 60, nonce, NULL) == 0);
    FUZZ_HOLDS(tst_json_set_b64(rd, "nonce", nonce, sizeof nonce, NULL) == 0);
    FUZZ_HOLDS(json_object_set_new(rd, "broker-id", json_string(broker.id.broker_id)) == 0);
}

typedef int node_verb(struct broker *b, json_t *body, time_t now, json_t **answer, struct tst_error **err);

/* Nobody here has evidence or token: nothing may be admitted, and no transaction may be left open. */
static void say(node_verb *verb, const char *purpose, const json_t *input, time_t now)
{
    TST_AUTO_ERROR err = NULL;
    TST_AUTO_JSON answer = NULL;
    TST_AUTO_JSON body = json_deep_copy(input);
    give_nonce(body, purpose, now);
    int rc = verb(&broker, body, now, &answer, &err);
    fuzz_result(rc, err);
    FUZZ_HOLDS(rc == -TST_USAGE || rc == -TST_TOO_LARGE || rc == -TST_DENIED);
    FUZZ_HOLDS(!answer && sqlite3_get_autocommit(broker.db));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static time_t now = NOW;
    TST_AUTO_JSON input = NULL;
    TST_AUTO_JSON answer = NULL;
    if (!broker.db)
        open_broker();
    if (tst_json_parse((const char *)data, size, 0, &input, NULL))
        return 0;
    now += 200; /* nonces of earlier inputs are forgotten */
    FUZZ_HOLDS(sqlite3_exec(broker.db, "DELETE FROM verdict; DELETE FROM log; DELETE FROM head", NULL, NULL, NULL) == SQLITE_OK);
    say(node_join, "join", input, now);
    say(node_lease, "lease", input, now);
    int rc = node_challenge(&broker, input, now, &answer, NULL);
    FUZZ_HOLDS((rc == 0) == (answer != NULL));
    return 0;
}
