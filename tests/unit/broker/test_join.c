/* SPDX-License-Identifier: Apache-2.0 */
/* unit/broker/test_join.c - who is not admitted, and why. One row a lie: an honest request of s1 (or p1) with one thing
 * changed is refused for its own reason, nothing comes out, the log has it, and the honest node joins afterwards. */
#include "tests/unit/broker/expect.h"

struct lie;
struct scene {
    const struct lie *lie;
    struct harness h;
    struct node honest;  /* s1 */
    struct node liar;    /* plays s1 on another chip with keys of its own */
    struct node plain;   /* p1 with its token */
    struct node other;   /* p2 with its token */
};

/* ---- lies about what was launched, and where ---- */

static void wrong_digest(struct scene *s, struct attempt *a)
{
    (void)s;
    a->report.measurement[47] ^= 1;
}

static void debug_policy(struct scene *s, struct attempt *a)
{
    (void)s;
    a->report.policy |= TST_SNP_POLICY_DEBUG;
}

static void migration_policy(struct scene *s, struct attempt *a)
{
    (void)s;
    a->report.policy |= TST_SNP_POLICY_MIGRATE_MA;
}

static void migration_agent(struct scene *s, struct attempt *a)
{
    (void)s;
    memset(a->report.report_id_ma, 7, sizeof a->report.report_id_ma);
}

static void vmpl_one(struct scene *s, struct attempt *a)
{
    (void)s;
    a->report.vmpl = 1;
}

static void other_signer(struct scene *s, struct attempt *a)
{
    a->signer = s->h.cloud.other_chip->vcek_key;
}

/* Signed with the key that is sent along, which is real, but of another chip than the report says. */
static void other_vcek(struct scene *s, struct attempt *a)
{
    a->signer = s->h.cloud.other_chip->vcek_key;
    a->vcek_of = s->h.cloud.other_chip;
}

/* A genuine report with another chip's certificate beside it. */
static void other_certificate(struct scene *s, struct attempt *a)
{
    a->vcek_of = s->h.cloud.other_chip;
}

static void old_tcb(struct scene *s, struct attempt *a)
{
    a->vcek_of = s->h.cloud.old_chip;
    a->signer = a->vcek_of->vcek_key;
    a->report.reported_tcb = a->report.committed_tcb = a->report.launch_tcb = a->report.current_tcb = a->vcek_of->tcb;
}

static void tcb_of_another_vcek(struct scene *s, struct attempt *a)
{
    a->report.reported_tcb = s->h.cloud.old_chip->tcb;
}

static void key_swapped(struct scene *s, struct attempt *a)
{
    a->tee_key_sent = s->liar.tee_key;
}

static void other_simulator(struct scene *s, struct attempt *a)
{
    a->root = s->h.cloud.other_root;
    a->vcek_of = s->h.cloud.foreign_chip;
    a->signer = a->vcek_of->vcek_key;
    a->report = sim_report_of(a->vcek_of, 3);
    memcpy(a->report.measurement, good_digest, sizeof good_digest);
}

/* Realm `amd` accepts no simulator at all. */
static void simulated_where_refused(struct scene *s, struct attempt *a)
{
    a->instance = "a1";
    take_nonce(&s->h, "a1", "join", a->nonce);
}

/* ---- lies about the nonce ---- */

static void nonce_never_issued(struct scene *s, struct attempt *a)
{
    (void)s;
    a->nonce[0] = a->nonce[0] == 'A' ? 'B' : 'A';
}

static void nonce_of_another_instance(struct scene *s, struct attempt *a)
{
    take_nonce(&s->h, "s2", "join", a->nonce);
}

static void nonce_of_another_purpose(struct scene *s, struct attempt *a)
{
    take_nonce(&s->h, a->instance, "lease", a->nonce);
}

static void nonce_at_its_end(struct scene *s, struct attempt *a)
{
    a->at = s->h.now + 60;
}

/* Burned whatever the outcome: the first use was refused too. */
static void nonce_of_a_refused_join(struct scene *s, struct attempt *a)
{
    struct attempt first = *a;
    wrong_digest(s, &first);
    expect_refused(&s->h, &first, "policy.measurement");
}

static void nonce_of_an_admitted_join(struct scene *s, struct attempt *a)
{
    expect_admitted(&s->h, a, s->honest.tee_key, NULL);
}

static void nonce_from_before_a_restart(struct scene *s, struct attempt *a)
{
    TST_AUTO_ERROR err = NULL;
    static char id[2 * TST_SHA256_BYTES + 1];
    must(harness_reopen(&s->h, &err), err, "reopen");
    memcpy(id, s->h.broker.id.broker_id, sizeof id);
    a->broker_id = id;
}

/* ---- lies about the name ---- */

static void play(struct attempt *a, const struct node *as)
{
    a->tee_key = as->tee_key;
    a->sig_key = as->sig_key;
    a->vcek_of = as->chip;
    a->signer = as->chip->vcek_key;
    a->report = node_report(as);
}

static void second_instance(struct scene *s, struct attempt *a)
{
    expect_joined(&s->h, &s->honest, NULL);
    play(a, &s->liar);
}

/* Same chip, same keys, but the guest was started again. */
static void another_launch(struct scene *s, struct attempt *a)
{
    expect_joined(&s->h, &s->honest, NULL);
    a->report.report_id[0] ^= 1;
}

static void another_tee_key(struct scene *s, struct attempt *a)
{
    expect_joined(&s->h, &s->honest, NULL);
    a->tee_key = s->liar.tee_key;
}

static void another_sig_key(struct scene *s, struct attempt *a)
{
    expect_joined(&s->h, &s->honest, NULL);
    a->sig_key = s->liar.sig_key;
}

static void name_outside_the_plan(struct scene *s, struct attempt *a)
{
    a->instance = "s9";
    take_nonce(&s->h, "s9", "join", a->nonce);
}

static void name_not_armed(struct scene *s, struct attempt *a)
{
    a->instance = "s3";
    take_nonce(&s->h, "s3", "join", a->nonce);
}

static void revoked(struct scene *s, struct attempt *a)
{
    harness_revoke(&s->h, "s2");
    a->instance = "s2";
    take_nonce(&s->h, "s2", "join", a->nonce);
}

static void another_broker(struct scene *s, struct attempt *a)
{
    (void)s;
    a->broker_id = "00000000000000000000000000000000000000000000000000000000000000ff";
}

static void token_for_evidence(struct scene *s, struct attempt *a)
{
    a->proof = PROOF_TOKEN;
    memcpy(a->token, s->plain.token, sizeof a->token);
}

static void signature_for_evidence(struct scene *s, struct attempt *a)
{
    expect_joined(&s->h, &s->honest, NULL);
    a->proof = PROOF_SIGNATURE;
}

/* ---- lies about the token (p1) ---- */

static void token_never_made(struct scene *s, struct attempt *a)
{
    (void)s;
    a->token[0] = a->token[0] == 'A' ? 'B' : 'A';
}

static void token_of_p2(struct scene *s, struct attempt *a)
{
    memcpy(a->token, s->other.token, sizeof a->token);
}

static void token_too_late(struct scene *s, struct attempt *a)
{
    s->h.now += 600;
    take_nonce(&s->h, "p1", "join", a->nonce);
    a->at = s->h.now;
    s->h.now -= 600;
}

static void token_used_by_another_key(struct scene *s, struct attempt *a)
{
    expect_joined(&s->h, &s->plain, NULL);
    a->tee_key = s->liar.tee_key;
}

static void token_from_before_a_rearm(struct scene *s, struct attempt *a)
{
    (void)a;
    harness_rearm(&s->h, "p1", s->plain.token);
}

static void evidence_for_token(struct scene *s, struct attempt *a)
{
    a->proof = PROOF_EVIDENCE;
    a->root = s->h.cloud.root;
    play(a, &s->honest);
}

static void signature_before_any_join(struct scene *s, struct attempt *a)
{
    (void)s;
    a->proof = PROOF_SIGNATURE;
}

struct lie {
    const char *name, *reason;
    void (*tell)(struct scene *s, struct attempt *a);
    bool plain; /* by p1 */
};
static const struct lie lies[] = {
    { "wrong digest", "policy.measurement", wrong_digest, false },
    { "debug policy", "policy.debug", debug_policy, false },
    { "policy lets a migration agent in", "policy.migration-agent", migration_policy, false },
    { "migration agent is bound", "policy.migration-agent", migration_agent, false },
    { "report of VMPL 1", "policy.vmpl", vmpl_one, false },
    { "report signed by another key", "report.signature", other_signer, false },
    { "report signed by another chip", "chip.vek", other_vcek, false },
    { "VCEK of another chip", "report.signature", other_certificate, false },
    { "TCB below the floor", "policy.tcb-floor", old_tcb, false },
    { "TCB of another VCEK", "tcb.vek", tcb_of_another_vcek, false },
    { "REPORT_DATA for another key", "binding.report-data", key_swapped, false },
    { "evidence of another simulator", "chain.ark-pin", other_simulator, false },
    { "simulated evidence where none is allowed", "chain.ark-pin", simulated_where_refused, false },
    { "nonce that was never issued", "nonce-unknown", nonce_never_issued, false },
    { "nonce of another instance", "nonce-foreign", nonce_of_another_instance, false },
    { "nonce for another purpose", "nonce-foreign", nonce_of_another_purpose, false },
    { "nonce at its last second", "nonce-expired", nonce_at_its_end, false },
    { "nonce that a refused join used", "nonce-used", nonce_of_a_refused_join, false },
    { "replay of an admitted join", "nonce-used", nonce_of_an_admitted_join, false },
    { "nonce from before a restart", "nonce-unknown", nonce_from_before_a_restart, false },
    { "second instance with a taken name", "taken", second_instance, false },
    { "another launch of the same instance", "taken", another_launch, false },
    { "taken name with another tee-pubkey", "taken", another_tee_key, false },
    { "taken name with another sig-pubkey", "taken", another_sig_key, false },
    { "instance outside the plan", "unexpected", name_outside_the_plan, false },
    { "instance that nobody armed", "unexpected", name_not_armed, false },
    { "revoked instance", "revoked", revoked, false },
    { "runtime data for another broker", "wrong-broker", another_broker, false },
    { "token where evidence is asked for", "evidence-missing", token_for_evidence, false },
    { "signature where evidence is asked for", "evidence-missing", signature_for_evidence, false },
    { "token that was never made", "token-unknown", token_never_made, true },
    { "token of another instance", "token-foreign", token_of_p2, true },
    { "token at its last second", "token-expired", token_too_late, true },
    { "token used by another key", "token-used", token_used_by_another_key, true },
    { "token from before a re-arm", "token-unknown", token_from_before_a_rearm, true },
    { "evidence where a token is asked for", "token-missing", evidence_for_token, true },
    { "signature of a key that never joined", "taken", signature_before_any_join, true },
};

static int scene_setup(void **state)
{
    struct scene *s = malloc(sizeof *s);
    s->lie = *state;
    harness_open(&s->h);
    node_launch(&s->honest, "s1", s->h.cloud.root, s->h.cloud.chip);
    node_launch(&s->liar, "s1", s->h.cloud.root, s->h.cloud.other_chip);
    node_launch(&s->plain, "p1", NULL, NULL);
    node_launch(&s->other, "p2", NULL, NULL);
    harness_arm(&s->h, "s1", NULL);
    harness_arm(&s->h, "s2", NULL);
    harness_arm(&s->h, "a1", NULL);
    harness_arm(&s->h, "p1", s->plain.token);
    harness_arm(&s->h, "p2", s->other.token);
    *state = s;
    return 0;
}

static int scene_teardown(void **state)
{
    struct scene *s = *state;
    node_clear(&s->honest);
    node_clear(&s->liar);
    node_clear(&s->plain);
    node_clear(&s->other);
    harness_close(&s->h);
    free(s);
    return 0;
}

static void is_refused_for_its_own_reason(void **state)
{
    struct scene *s = *state;
    struct attempt a;
    const struct node *honest = s->lie->plain ? &s->plain : &s->honest;
    attempt_begin(&s->h, honest, "join", &a);
    s->lie->tell(s, &a);
    expect_refused(&s->h, &a, s->lie->reason);
    expect_joined(&s->h, honest, NULL);
}

int main(void)
{
    struct CMUnitTest tests[TST_COUNT(lies)];
    for (size_t i = 0; i < TST_COUNT(lies); i++)
        tests[i] = (struct CMUnitTest){ lies[i].name, is_refused_for_its_own_reason, scene_setup, scene_teardown,
                                        (void *)(uintptr_t)&lies[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
