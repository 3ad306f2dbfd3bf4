/* SPDX-License-Identifier: Apache-2.0 */
/* test_container.c - evidence out of every container: the report comes back byte for byte and is judged the same; whatever is
 * flipped, cut or added is noticed. Synthetic evidence, no files. */
#include "forms.h"

#include <stdio.h>

static struct maker maker;
static struct tst_snp_certs certs;
static struct tst_policy *policy;
static uint8_t genoa[TST_SNP_REPORT_BYTES], turin[TST_SNP_REPORT_BYTES];

static int setup(void **state)
{
    (void)state;
    char text[512], digest[2 * TST_SNP_DIGEST_BYTES + 1];
    struct vek_exts exts = vek_exts_genoa();
    maker_init(&maker, "Genoa");
    certs = (struct tst_snp_certs){maker_vek(&maker, "SEV-VCEK", &exts), tst_cert_ref(maker.ask), tst_cert_ref(maker.ark)};
    tst_hex(evidence_digest, sizeof evidence_digest, digest);
    snprintf(text, sizeof text,
             "name: test\nsimulated: {allow: [%s]}\nproducts: [genoa]\nmeasurements: [{name: image, digest: %s}]\nfloors: 2026-11\n"
             "crl: {mode: off}\n",
             maker.root_hex, digest);
    assert_int_equal(tst_policy_parse("test.yaml", text, strlen(text), NULL, NULL, &policy, NULL), 0);
    report_genoa(genoa);
    hcl_bind(genoa);
    report_sign(genoa, maker.vek_key);
    report_turin(turin);
    hcl_bind(turin);
    turin[0x1f8] = 0x3f;
    turin[0x200] = 0x17;
    report_sign(turin, maker.vek_key);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tst_policy_free(policy);
    tst_snp_certs_clear(&certs);
    maker_clear(&maker);
    return 0;
}

static int read_back(const struct tst_buf *b, struct tst_container *c, struct tst_error **err)
{
    return tst_container_read(b->p, b->n, false, c, err);
}

/* Exit status of the appraisal of what the container says. */
static int judge(const struct tst_container *c, struct tst_verdict **v)
{
    const struct tst_evidence e = {{c->report, sizeof c->report}, c->certs.vek ? c->certs : certs};
    const struct tst_appraise_in in = {.evidence = &e, .policy = policy, .now = EVIDENCE_NOW, .report_data = c->has_report_data ? c->report_data : NULL};
    assert_int_equal(tst_appraise(&in, v, NULL), 0);
    return tst_verdict_exit_status(*v);
}

static void every_form_gives_the_report_back(void **state)
{
    (void)state;
    const uint8_t *reports[] = {genoa, turin};
    for (size_t r = 0; r < TST_COUNT(reports); r++)
        for (size_t i = 0; i < form_count; i++) {
            TST_AUTO_BUF b = {0};
            TST_AUTO_CONTAINER c = {0};
            TST_AUTO_ERROR err = NULL;
            forms[i].wrap(reports[r], &certs, &b);
            if (read_back(&b, &c, &err) < 0)
                fail_msg("%s: %s", forms[i].name, err->text);
            assert_memory_equal(c.report, reports[r], TST_SNP_REPORT_BYTES);
            assert_int_equal(c.kind, forms[i].kind);
            assert_int_equal(c.text, forms[i].text);
            assert_int_equal(c.certs.vek && c.certs.ask && c.certs.ark, forms[i].carries_certs);
        }
}

static void every_form_is_judged_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < form_count; i++) {
        TST_AUTO_BUF b = {0};
        TST_AUTO_CONTAINER c = {0};
        TST_AUTO_VERDICT v = NULL;
        forms[i].wrap(genoa, &certs, &b);
        assert_int_equal(read_back(&b, &c, NULL), 0);
        if (judge(&c, &v) != 0)
            fail_msg("%s: %s", forms[i].name, tst_verdict_first(v)->info->id);
        assert_int_equal(v->level, TST_LEVEL_MEASURED);
    }
}

/* One byte of the signed part changed: the report that comes out has exactly that byte changed, in every container, so what is
 * refuted raw is refuted in all; every seventh is judged in its container too. */
static void a_flipped_byte_is_refuted_in_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < form_count; i++)
        for (size_t at = 0; forms[i].whole && at < TST_SNP_SIGNED_BYTES; at++) {
            uint8_t flipped[TST_SNP_REPORT_BYTES];
            TST_AUTO_BUF b = {0};
            TST_AUTO_CONTAINER c = {0};
            TST_AUTO_VERDICT v = NULL;
            memcpy(flipped, genoa, sizeof flipped);
            flipped[at] ^= (uint8_t)(1u << at % 8);
            forms[i].wrap(flipped, &certs, &b);
            if (read_back(&b, &c, NULL) != 0)
                fail_msg("%s: byte 0x%zx: not read", forms[i].name, at);
            assert_memory_equal(c.report, flipped, sizeof flipped);
            if ((i == 0 || at % 7 == i % 7) && judge(&c, &v) != 1)
                fail_msg("%s: byte 0x%zx: exit status %d", forms[i].name, at, tst_verdict_exit_status(v));
        }
}

/* Every number of Trustee's JSON, one after another. */
static void flip_numbers(json_t *at, json_t *root, size_t *count)
{
    const char *key;
    json_t *v;
    size_t i;
    if (json_is_integer(at)) {
        json_int_t was = json_integer_value(at);
        TST_AUTO_CONTAINER c = {0};
        TST_AUTO_VERDICT verdict = NULL;
        json_integer_set(at, was ^ 1);
        char *text = json_dumps(root, JSON_COMPACT);
        int rc = tst_container_read(text, strlen(text), false, &c, NULL);
        free(text);
        json_integer_set(at, was);
        if (rc < 0 || judge(&c, &verdict) != 1)
            fail_msg("number %zu of the JSON: %d", *count, rc);
        ++*count;
    }
    json_object_foreach(at, key, v) flip_numbers(v, root, count);
    json_array_foreach(at, i, v) flip_numbers(v, root, count);
}

static void a_changed_number_of_json_is_refuted(void **state)
{
    (void)state;
    size_t count = 0;
    json_t *o = sev_json_of(genoa, NULL);
    flip_numbers(json_object_get(o, "attestation_report"), o, &count);
    json_decref(o);
    assert_int_equal(count, 576); /* what is not reserved, and the signature */
}

static void json_keeps_the_mitigation_vectors(void **state)
{
    (void)state;
    json_t *o = sev_json_of(turin, NULL), *report = json_object_get(o, "attestation_report");
    TST_AUTO_CONTAINER with = {0}, without = {0};
    char *text = json_dumps(o, 0);
    assert_int_equal(tst_container_read(text, strlen(text), false, &with, NULL), 0);
    free(text);
    assert_memory_equal(with.report, turin, sizeof turin);
    assert_false(with.lacks_mitigation);
    json_object_del(report, "launch_mit_vector");
    json_object_del(report, "current_mit_vector");
    text = json_dumps(o, 0);
    assert_int_equal(tst_container_read(text, strlen(text), false, &without, NULL), 0);
    free(text);
    assert_true(without.lacks_mitigation);
    assert_memory_not_equal(without.report, turin, sizeof turin);
    json_decref(o);
}

/* What versions of the crate before 5 wrote. */
static void old_json_is_read(void **state)
{
    (void)state;
    json_t *o = sev_json_of(genoa, NULL), *r = json_object_get(o, "attestation_report");
    TST_AUTO_CONTAINER c = {0};
    TST_AUTO_ERROR err = NULL;
    json_object_set_new(r, "_author_key_en", json_incref(json_object_get(r, "key_info")));
    json_object_del(r, "key_info");
    json_object_del(r, "current");
    json_object_del(r, "committed");
    static const char *const names[] = {"current_build", "current_minor", "current_major", "_reserved_2", "committed_build", "committed_minor", "committed_major", "_reserved_3"};
    for (size_t i = 0; i < TST_COUNT(names); i++)
        json_object_set_new(r, names[i], json_integer(genoa[0x1e8 + i]));
    json_object_set_new(r, "_reserved_0", json_integer(0));
    char *text = json_dumps(o, 0);
    int rc = tst_container_read(text, strlen(text), false, &c, &err);
    free(text);
    json_decref(o);
    if (rc < 0)
        fail_msg("%s", err->text);
    assert_memory_equal(c.report, genoa, sizeof genoa);
}

static void json_with_an_unknown_member_needs_lenient(void **state)
{
    (void)state;
    json_t *o = sev_json_of(genoa, NULL);
    TST_AUTO_CONTAINER c = {0};
    TST_AUTO_ERROR err = NULL;
    json_object_set_new(json_object_get(o, "attestation_report"), "new_vector", json_integer(0));
    char *text = json_dumps(o, 0);
    assert_int_equal(tst_container_read(text, strlen(text), false, &c, &err), -TST_USAGE);
    assert_string_equal(err->found, "new_vector");
    assert_int_equal(tst_container_read(text, strlen(text), true, &c, NULL), 0);
    assert_memory_equal(c.report, genoa, sizeof genoa);
    free(text);
    json_decref(o);
}

/* A container cut anywhere: never a report, never silence. */
static void a_cut_container_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < form_count; i++) {
        TST_AUTO_BUF b = {0};
        forms[i].wrap(genoa, &certs, &b);
        for (size_t n = 0; n < b.n; n += n < 100 ? 1 : 97) {
            TST_AUTO_CONTAINER c = {0};
            TST_AUTO_ERROR err = NULL;
            int rc = tst_container_read(b.p, n, false, &c, &err);
            if (rc == 0) /* only what is padding may be missing, or certificates as a whole */
                assert_memory_equal(c.report, genoa, sizeof genoa);
            else
                assert_true(err && err->text[0]);
        }
    }
}

static int read_text(const char *text, struct tst_error **err)
{
    TST_AUTO_CONTAINER c = {0};
    return tst_container_read(text, strlen(text), false, &c, err);
}

static void trailing_bytes_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < form_count; i++) {
        TST_AUTO_BUF b = {0};
        TST_AUTO_CONTAINER c = {0};
        TST_AUTO_ERROR err = NULL;
        forms[i].wrap(genoa, &certs, &b);
        put(&b, "\x01", 1);
        assert_int_equal(read_back(&b, &c, &err), -TST_USAGE);
        if (forms[i].text || forms[i].kind == TST_CONTAINER_SEV_JSON || forms[i].kind == TST_CONTAINER_BLOB_JSON)
            continue; /* a control character in text */
        assert_non_null(strstr(err->found, "more: "));
        assert_non_null(strstr(err->found, "01"));
    }
}

static void a_newline_and_zeros_behind_a_raw_report_are_told_apart(void **state)
{
    (void)state;
    static const uint8_t zeros[16];
    TST_AUTO_BUF b = {0};
    TST_AUTO_CONTAINER c = {0};
    TST_AUTO_ERROR err = NULL, err2 = NULL;
    put(&b, genoa, sizeof genoa);
    put(&b, "\n", 1);
    assert_int_equal(read_back(&b, &c, &err), -TST_USAGE);
    assert_non_null(strstr(err->found, "newline"));
    b.n = 0;
    put(&b, genoa, sizeof genoa);
    put(&b, zeros, sizeof zeros);
    assert_int_equal(read_back(&b, &c, &err2), -TST_USAGE);
    assert_non_null(strstr(err2->found, "16 more: zeros"));
}

static void other_things_are_called_by_their_name(void **state)
{
    (void)state;
    struct {
        const char *input, *word;
    } rows[] = {{"", "0 bytes"}, {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate"}, {"{}", "JSON without"},
                {"{\"attestation_report\":{}}", "\"version\" is missing"}, {"[1,2]", "neither hex nor base64"}, {"0xzz", "report: 3 bytes"}, {"not_base64!", "neither hex nor base64"},
                {"abcd", "report: 2 bytes"}, {"ab-/", "both alphabets"}, {"AAAA=", "padding"}, {"{\"snp-report\":1}", "not a string"}};
    for (size_t i = 0; i < TST_COUNT(rows); i++) {
        TST_AUTO_ERROR err = NULL;
        assert_int_equal(read_text(rows[i].input, &err), -TST_USAGE);
        if (!strstr(err->text, rows[i].word))
            fail_msg("'%s': %s", rows[i].input, err->text);
    }
    TST_AUTO_BUF table = {0};
    TST_AUTO_CONTAINER c = {0};
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(tst_snp_cert_table_build(&certs, &table, NULL), 0);
    assert_int_equal(read_back(&table, &c, &err), -TST_USAGE);
    assert_non_null(strstr(err->text, "table without a report"));
}

static void a_refusing_firmware_is_reported(void **state)
{
    (void)state;
    uint8_t response[4000] = {0x16};
    TST_AUTO_CONTAINER c = {0};
    TST_AUTO_ERROR err = NULL;
    assert_int_equal(tst_container_read(response, sizeof response, false, &c, &err), -TST_USAGE);
    assert_non_null(strstr(err->text, "status 0x16 (invalid parameters)"));
}

static void hcl_json_that_was_changed_is_refuted_by_the_binding(void **state)
{
    (void)state;
    for (size_t at = 0; at < strlen(hcl_json); at++) {
        TST_AUTO_BUF b = {0};
        TST_AUTO_CONTAINER c = {0};
        TST_AUTO_VERDICT v = NULL;
        forms[6].wrap(genoa, &certs, &b);
        b.p[0x20 + TST_SNP_REPORT_BYTES + 20 + at] ^= 1;
        assert_int_equal(read_back(&b, &c, NULL), 0);
        assert_int_equal(judge(&c, &v), 1);
        assert_check(v, "binding.report-data", TST_CHECK_FAIL);
        assert_check(v, "report.signature", TST_CHECK_PASS);
    }
}

static void hcl_lengths_are_bounded(void **state)
{
    (void)state;
    static const size_t fields[] = {0, 16};
    for (size_t f = 0; f < TST_COUNT(fields); f++)
        for (unsigned bit = 0; bit < 32; bit++) {
            TST_AUTO_BUF b = {0};
            TST_AUTO_CONTAINER c = {0};
            forms[6].wrap(genoa, &certs, &b);
            b.p[0x20 + TST_SNP_REPORT_BYTES + fields[f] + bit / 8] ^= (uint8_t)(1u << bit % 8);
            TST_AUTO_ERROR err = NULL;
            assert_int_equal(read_back(&b, &c, &err), -TST_USAGE);
        }
}

static void tsm_blobs_bind_nonce_and_manifest(void **state)
{
    (void)state;
    static const uint8_t manifest[] = {0xbb, 0x9e, 0x84, 0x63, 0x92, 0x3d, 0x70, 0x46, 0xa1, 0xff, 0x58, 0xf9, 0xc9, 0x4b, 0x87, 0xbb,
                                       52, 0, 0, 0, 1, 0, 0, 0,
                                       0xeb, 0xf1, 0x76, 0xc4, 0x23, 0x01, 0xa5, 0x45, 0x96, 0x41, 0xb4, 0xe7, 0xdd, 0xe5, 0xbf, 0xe3,
                                       48, 0, 0, 0, 4, 0, 0, 0, 'k', 'e', 'y', '!'};
    uint8_t nonce[64], want[64], both[sizeof nonce + sizeof manifest];
    TST_AUTO_CONTAINER c = {0}, plain = {0};
    memset(nonce, 0x5a, sizeof nonce);
    struct tst_tsm_blobs blobs = {.outblob = {genoa, sizeof genoa}, .inblob = {nonce, sizeof nonce}};
    assert_int_equal(tst_container_of_tsm(&blobs, &plain, NULL), 0);
    assert_true(plain.has_report_data);
    assert_memory_equal(plain.report_data, nonce, sizeof nonce);
    blobs.manifestblob = (struct tst_bytes){manifest, sizeof manifest};
    assert_int_equal(tst_container_of_tsm(&blobs, &c, NULL), 0);
    memcpy(both, nonce, sizeof nonce);
    memcpy(both + sizeof nonce, manifest, sizeof manifest);
    assert_int_equal(tst_sha512(both, sizeof both, want, NULL), 0);
    assert_memory_equal(c.report_data, want, sizeof want);
}

static int count_service(void *ctx, const struct tst_svsm_service *s, struct tst_error **err)
{
    (void)err;
    assert_string_equal(s->guid, "c476f1eb-0123-45a5-9641-b4e7dde5bfe3");
    assert_non_null(s->name);
    assert_int_equal(s->data.n, 4);
    ++*(int *)ctx;
    return 0;
}

static void a_manifest_is_read_and_every_flip_of_its_header_refused(void **state)
{
    (void)state;
    static const uint8_t manifest[] = {0xbb, 0x9e, 0x84, 0x63, 0x92, 0x3d, 0x70, 0x46, 0xa1, 0xff, 0x58, 0xf9, 0xc9, 0x4b, 0x87, 0xbb,
                                       52, 0, 0, 0, 1, 0, 0, 0,
                                       0xeb, 0xf1, 0x76, 0xc4, 0x23, 0x01, 0xa5, 0x45, 0x96, 0x41, 0xb4, 0xe7, 0xdd, 0xe5, 0xbf, 0xe3,
                                       48, 0, 0, 0, 4, 0, 0, 0, 'k', 'e', 'y', '!'};
    int services = 0;
    assert_int_equal(tst_svsm_manifest_each(manifest, sizeof manifest, count_service, &services, NULL), 0);
    assert_int_equal(services, 1);
    for (size_t at = 0; at < 20; at++) {
        uint8_t flipped[sizeof manifest];
        memcpy(flipped, manifest, sizeof flipped);
        flipped[at] ^= 0x80;
        assert_int_equal(tst_svsm_manifest_each(flipped, sizeof flipped, count_service, &services, NULL), -TST_USAGE);
    }
    for (size_t n = 0; n < sizeof manifest; n++)
        assert_int_equal(tst_svsm_manifest_each(manifest, n, count_service, &services, NULL), -TST_USAGE);
}

static void too_large_is_refused_before_it_is_read(void **state)
{
    (void)state;
    static uint8_t big[TST_CONTAINER_MAX + 1];
    TST_AUTO_CONTAINER c = {0};
    assert_int_equal(tst_container_read(big, sizeof big, false, &c, NULL), -TST_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_gives_the_report_back),
        cmocka_unit_test(every_form_is_judged_alike),
        cmocka_unit_test(a_flipped_byte_is_refuted_in_every_form),
        cmocka_unit_test(a_changed_number_of_json_is_refuted),
        cmocka_unit_test(json_keeps_the_mitigation_vectors),
        cmocka_unit_test(old_json_is_read),
        cmocka_unit_test(json_with_an_unknown_member_needs_lenient),
        cmocka_unit_test(a_cut_container_is_refused),
        cmocka_unit_test(trailing_bytes_are_named),
        cmocka_unit_test(a_newline_and_zeros_behind_a_raw_report_are_told_apart),
        cmocka_unit_test(other_things_are_called_by_their_name),
        cmocka_unit_test(a_refusing_firmware_is_reported),
        cmocka_unit_test(hcl_json_that_was_changed_is_refuted_by_the_binding),
        cmocka_unit_test(hcl_lengths_are_bounded),
        cmocka_unit_test(tsm_blobs_bind_nonce_and_manifest),
        cmocka_unit_test(a_manifest_is_read_and_every_flip_of_its_header_refused),
        cmocka_unit_test(too_large_is_refused_before_it_is_read),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
