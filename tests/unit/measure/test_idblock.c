/* SPDX-License-Identifier: Apache-2.0 */
/* test_idblock.c - ID block and ID authentication information: round trips with keys made on the spot, and that each changed
 * byte is refused. */
#include "fixture.h"

struct ids {
    struct tst_key *id, *author;
    uint8_t block[TST_ID_BLOCK_BYTES], auth[TST_ID_AUTH_BYTES];
};

static void sign(struct ids *i, bool with_author)
{
    struct tst_error *err = NULL;
    struct tst_id_block b = {.version = 1, .guest_svn = 3, .policy = 0x30000};
    memset(b.digest, 0x5a, sizeof b.digest);
    memset(b.family_id, 1, sizeof b.family_id);
    memset(b.image_id, 2, sizeof b.image_id);
    tst_id_block_write(&b, i->block);
    assert_done(tst_key_generate(TST_KEY_P384, &i->id, &err), err);
    assert_done(tst_key_generate(TST_KEY_P384, &i->author, &err), err);
    assert_done(tst_id_auth_build(i->block, i->id, with_author ? i->author : NULL, i->auth, &err), err);
}

static void forget(struct ids *i)
{
    tst_key_free(i->id);
    tst_key_free(i->author);
}

static void a_block_survives_writing_and_reading(void **state)
{
    (void)state;
    struct tst_id_block a = {.version = 1, .guest_svn = 0x01020304, .policy = 0x1122334455667788}, b;
    struct tst_error *err = NULL;
    uint8_t raw[TST_ID_BLOCK_BYTES];
    memset(a.digest, 9, sizeof a.digest);
    memset(a.family_id, 8, sizeof a.family_id);
    memset(a.image_id, 7, sizeof a.image_id);
    tst_id_block_write(&a, raw);
    assert_done(tst_id_block_parse(raw, sizeof raw, &b, &err), err);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(raw[0x54], 4);
    assert_int_equal(raw[0x58], 0x88);
}

static void a_block_of_another_size_or_version_is_refused(void **state)
{
    (void)state;
    uint8_t raw[TST_ID_BLOCK_BYTES + 1] = {0};
    struct tst_id_block b;
    struct tst_error *err = NULL;
    raw[0x50] = 1;
    assert_refused(tst_id_block_parse(raw, sizeof raw, &b, &err), TST_USAGE, err, "trailing");
    assert_refused(tst_id_block_parse(raw, TST_ID_BLOCK_BYTES - 1, &b, &err), TST_USAGE, err, "truncated");
    raw[0x50] = 2;
    assert_refused(tst_id_block_parse(raw, TST_ID_BLOCK_BYTES, &b, &err), TST_USAGE, err, "version 2");
}

static void what_was_signed_verifies_and_names_its_keys(void **state)
{
    (void)state;
    for (unsigned with_author = 0; with_author < 2; with_author++) {
        struct ids i;
        struct tst_id_auth info;
        struct tst_error *err = NULL;
        uint8_t digest[48];
        sign(&i, with_author);
        assert_done(tst_id_auth_verify(i.block, i.auth, sizeof i.auth, &info, &err), err);
        assert_done(tst_id_key_digest(i.id, digest, &err), err);
        assert_memory_equal(digest, info.id_key_digest, sizeof digest);
        assert_int_equal(info.has_author, with_author);
        assert_done(tst_id_key_digest(i.author, digest, &err), err);
        assert_int_equal(memcmp(digest, info.author_key_digest, sizeof digest) == 0, with_author);
        forget(&i);
    }
}

static void each_flipped_byte_is_refused(void **state)
{
    (void)state;
    struct ids i;
    struct tst_id_auth info;
    sign(&i, true);
    for (size_t at = 0; at < sizeof i.block; at++) {
        struct tst_error *err = NULL;
        i.block[at] ^= 0x20;
        assert_true(tst_id_auth_verify(i.block, i.auth, sizeof i.auth, &info, &err) < 0);
        tst_error_free(err);
        i.block[at] ^= 0x20;
    }
    for (size_t at = 0; at < sizeof i.auth; at++) {
        struct tst_error *err = NULL;
        i.auth[at] ^= 0x20;
        if (tst_id_auth_verify(i.block, i.auth, sizeof i.auth, &info, &err) == 0)
            fail_msg("byte %#zx of the authentication information can be changed", at);
        tst_error_free(err);
        i.auth[at] ^= 0x20;
    }
    forget(&i);
}

static void another_key_is_refuted(void **state)
{
    (void)state;
    struct ids a, b;
    struct tst_id_auth info;
    struct tst_error *err = NULL;
    sign(&a, true);
    sign(&b, true);
    memcpy(a.auth + 0x240, b.auth + 0x240, TST_ID_KEY_BYTES);
    assert_refused(tst_id_auth_verify(a.block, a.auth, sizeof a.auth, &info, &err), TST_REFUTED, err, "ID key");
    memcpy(b.auth + 0x880, a.auth + 0x880, TST_ID_KEY_BYTES);
    assert_refused(tst_id_auth_verify(b.block, b.auth, sizeof b.auth, &info, &err), TST_REFUTED, err, "author key");
    forget(&a);
    forget(&b);
}

static void an_author_key_without_its_algorithm_is_refused(void **state)
{
    (void)state;
    struct ids i;
    struct tst_id_auth info;
    struct tst_error *err = NULL;
    sign(&i, true);
    i.auth[4] = 0;
    assert_refused(tst_id_auth_verify(i.block, i.auth, sizeof i.auth, &info, &err), TST_USAGE, err, "no author key algorithm");
    forget(&i);
}

static void keys_of_other_curves_are_refused(void **state)
{
    (void)state;
    TST_AUTO_KEY p256 = NULL, p384 = NULL;
    struct tst_error *err = NULL;
    uint8_t digest[48], block[TST_ID_BLOCK_BYTES] = {0}, auth[TST_ID_AUTH_BYTES];
    assert_done(tst_key_generate(TST_KEY_P256, &p256, &err), err);
    assert_done(tst_key_generate(TST_KEY_P384, &p384, &err), err);
    assert_refused(tst_id_key_digest(p256, digest, &err), TST_USAGE, err, "P-384");
    assert_refused(tst_id_auth_build(block, p256, NULL, auth, &err), TST_USAGE, err, "ID key");
    assert_refused(tst_id_auth_build(block, p384, p256, auth, &err), TST_USAGE, err, "author key");
}

static void other_sizes_are_refused(void **state)
{
    (void)state;
    struct ids i;
    struct tst_id_auth info;
    struct tst_error *err = NULL;
    sign(&i, false);
    assert_refused(tst_id_auth_verify(i.block, i.auth, sizeof i.auth - 1, &info, &err), TST_USAGE, err, "4095");
    assert_refused(tst_id_auth_verify(i.block, i.auth, 0, &info, &err), TST_USAGE, err, "0 bytes");
    forget(&i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_survives_writing_and_reading),
        cmocka_unit_test(a_block_of_another_size_or_version_is_refused),
        cmocka_unit_test(what_was_signed_verifies_and_names_its_keys),
        cmocka_unit_test(each_flipped_byte_is_refused),
        cmocka_unit_test(another_key_is_refuted),
        cmocka_unit_test(an_author_key_without_its_algorithm_is_refused),
        cmocka_unit_test(keys_of_other_curves_are_refused),
        cmocka_unit_test(other_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
