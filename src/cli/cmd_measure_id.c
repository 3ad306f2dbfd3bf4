/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_measure_id.c - ID blocks: build and sign one for a digest, verify one, digest of a key. The block ties a launch to an
 * owner's key: hardware refuses to start the guest when digest or signature do not fit. */
#include <stdlib.h>

#include "cmd_measure.h"

#define KEY_FILE_MAX 8192
#define POLICY_USUAL 0x30000 /* SMT allowed, reserved bit */

/* ---- keys: PEM or DER, private or public ---- */
/* Behind the first line that begins a key; openssl ecparam puts the curve's parameters before it. */
static const char *pem_key_begin(const char *text, size_t n)
{
    const char *key = memmem(text, n, "KEY-----", 8);
    return key && memmem(text, (size_t)(key - text), "-----BEGIN ", 11) ? key : NULL;
}

/* The base64 of the first key in PEM as bytes; the caller wipes them. 0 and *der NULL: not PEM. */
static int pem_body(const char *text, size_t n, uint8_t **der, size_t *der_n, struct tst_error **err)
{
    const char *begin = pem_key_begin(text, n), *body = begin ? strchr(begin, '\n') : NULL;
    const char *end = body ? strstr(body, "-----END ") : NULL;
    *der = NULL;
    if (!begin)
        return 0;
    if (!end)
        return tst_fail(err, TST_USAGE, "PEM without an end");
    TST_AUTO_SECRET plain = NULL;
    int rc = tst_secret_new((size_t)(end - body) + 1, &plain, err);
    if (rc < 0)
        return rc;
    char *to = (char *)tst_secret_bytes(plain);
    for (const char *c = body; c < end; c++)
        if (!strchr("\r\n=", *c))
            *to++ = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    return tst_unb64url((char *)tst_secret_bytes(plain), KEY_FILE_MAX, der, der_n, err);
}

/* A P-384 key in the older form ECPrivateKey (RFC 5915, version 1), put into a PKCS#8 frame (RFC 5208). */
static int parse_sec1(const uint8_t *der, size_t n, struct tst_key **out, struct tst_error **err)
{
    static const uint8_t algorithm[] = {0x02, 0x01, 0x00, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
                                        0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
    static const uint8_t version[] = {0x02, 0x01, 0x01};
    const size_t frame = sizeof algorithm + 3;
    TST_AUTO_SECRET pkcs8 = NULL;
    if (n < 128 || n + frame > 255 || der[0] != 0x30 || der[1] != 0x81 || memcmp(der + 3, version, sizeof version) != 0)
        return tst_fail(err, TST_USAGE, "not an EC private key");
    int rc = tst_secret_new(3 + frame + n, &pkcs8, err);
    if (rc < 0)
        return rc;
    uint8_t *p = tst_secret_bytes(pkcs8);
    memcpy(p, (const uint8_t[]){0x30, 0x81, (uint8_t)(frame + n)}, 3);
    memcpy(p + 3, algorithm, sizeof algorithm);
    memcpy(p + 3 + sizeof algorithm, (const uint8_t[]){0x04, 0x81, (uint8_t)n}, 3);
    memcpy(p + 3 + frame, der, n);
    return tst_key_from_private_der(p, tst_secret_size(pkcs8), out, err);
}

static int parse_key(const uint8_t *der, size_t n, bool private, struct tst_key **out, struct tst_error **err)
{
    if (tst_key_from_private_der(der, n, out, err) == 0 || parse_sec1(der, n, out, err) == 0)
        return 0;
    if (!private && tst_key_from_public_der(der, n, out, err) == 0)
        return 0;
    tst_fail(err, TST_USAGE, "not %s", private ? "a private key on P-384, unencrypted" : "a private or public key, unencrypted");
    return tst_hint(err, NULL, NULL, "make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384");
}

static int load_key(const char *path, bool private, struct tst_key **out, struct tst_error **err)
{
    char *text = NULL;
    uint8_t *der = NULL;
    size_t n = 0, der_n = 0;
    int rc = cli_read_file(path, KEY_FILE_MAX, &text, &n, err);
    if (rc < 0)
        return rc;
    rc = pem_body(text, n, &der, &der_n, err);
    if (rc == 0)
        rc = der ? parse_key(der, der_n, private, out, err) : parse_key((const uint8_t *)text, n, private, out, err);
    if (rc == 0) /* clears an error that a first try left */
        tst_error_free(*err), *err = NULL;
    tst_wipe(text, n);
    free(text);
    if (der)
        tst_wipe(der, der_n);
    free(der);
    return rc < 0 ? tst_wrap(err, "%s", path) : 0;
}

/* ---- measure id-key ---- */
static int measure_id_key(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    TST_AUTO_KEY key = NULL;
    uint8_t digest[TST_SHA384_BYTES];
    char hex[2 * TST_SHA384_BYTES + 1];
    int rc = load_key(args->rest[0], false, &key, err);
    if (rc == 0)
        rc = tst_id_key_digest(key, digest, err);
    if (rc < 0)
        return rc;
    tst_hex(digest, sizeof digest, hex);
    if (!cli_value(self, args, "--json")) {
        puts(hex);
        return 0;
    }
    TST_AUTO_JSON o = json_pack("{s:s}", "key-digest", hex);
    if (!o)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    cli_print_json(o);
    return 0;
}

const struct cli_command cmd_measure_id_key = {
    .name = "measure id-key",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "digest of an ID or author key, as reports carry it",
    .exits = "0 done, 2 bad usage or input",
    .options = {{"--json", NULL, "print as JSON"}},
    .run = measure_id_key,
};

/* ---- measure id-block ---- */
static int read_block(const struct cli_command *self, const struct cli_args *args, struct tst_id_block *b, struct tst_error **err)
{
    const char *digest = cli_value(self, args, "--digest"), *family = cli_value(self, args, "--family-id");
    const char *image = cli_value(self, args, "--image-id"), *svn = cli_value(self, args, "--svn"), *policy = cli_value(self, args, "--policy");
    uint64_t number = 0;
    *b = (struct tst_id_block){.version = 1, .policy = POLICY_USUAL};
    if (!digest)
        return tst_fail(err, TST_USAGE, "--digest is missing: `testudo measure` computes it");
    int rc = tst_unhex(digest, b->digest, sizeof b->digest, err);
    if (rc < 0)
        return tst_wrap(err, "--digest");
    if (family && tst_unhex(family, b->family_id, sizeof b->family_id, err) < 0)
        return tst_wrap(err, "--family-id");
    if (image && tst_unhex(image, b->image_id, sizeof b->image_id, err) < 0)
        return tst_wrap(err, "--image-id");
    if (svn)
        rc = measure_number("--svn", svn, UINT32_MAX, &number, err);
    b->guest_svn = (uint32_t)number;
    return rc == 0 && policy ? measure_number("--policy", policy, UINT64_MAX, &b->policy, err) : rc;
}

/* Standard base64, as QEMU takes it. */
static char *b64(const void *p, size_t n)
{
    char *url = tst_b64url(p, n);
    char *out = url ? tst_strdup_printf("%s%.*s", url, (int)((3 - n % 3) % 3), "==") : NULL;
    for (char *c = out; c && *c; c++)
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    free(url);
    return out;
}

static int auth_json(const struct tst_id_auth *a, json_t *o, struct tst_error **err)
{
    int rc = tst_json_set_hex(o, "id-key-digest", a->id_key_digest, sizeof a->id_key_digest, err);
    return rc == 0 && a->has_author ? tst_json_set_hex(o, "author-key-digest", a->author_key_digest, sizeof a->author_key_digest, err) : rc;
}

static void print_auth(const struct tst_id_auth *a)
{
    char hex[2 * TST_SHA384_BYTES + 1];
    tst_hex(a->id_key_digest, sizeof a->id_key_digest, hex);
    printf("id key digest      %s\n", hex);
    if (a->has_author)
        tst_hex(a->author_key_digest, sizeof a->author_key_digest, hex);
    printf("author key digest  %s\n", a->has_author ? hex : "none");
}

static int show_block(const uint8_t *block, const uint8_t *auth, bool json, struct tst_error **err)
{
    struct tst_id_auth a = {.has_author = false};
    TST_AUTO_STR block64 = b64(block, TST_ID_BLOCK_BYTES), auth64 = b64(auth, TST_ID_AUTH_BYTES);
    int rc = block64 && auth64 ? tst_id_auth_verify(block, auth, TST_ID_AUTH_BYTES, &a, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc < 0)
        return rc;
    if (!json) {
        print_auth(&a);
        printf("\nfor QEMU: -object sev-snp-guest,...%s,id-block=%s,id-auth=%s\n", a.has_author ? ",author-key-enabled=true" : "", block64, auth64);
        return 0;
    }
    TST_AUTO_JSON o = json_pack("{s:s, s:s}", "id-block", block64, "id-auth", auth64);
    rc = o ? auth_json(&a, o, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0)
        cli_print_json(o);
    return rc;
}

static int build(const struct cli_command *self, const struct cli_args *args, uint8_t *block, uint8_t *auth, struct tst_error **err)
{
    TST_AUTO_KEY id = NULL, author = NULL;
    struct tst_id_block b;
    const char *id_path = cli_value(self, args, "--id-key"), *author_path = cli_value(self, args, "--author-key");
    if (!id_path)
        return tst_fail(err, TST_USAGE, "--id-key is missing: which key signs the block?");
    int rc = read_block(self, args, &b, err);
    if (rc == 0)
        rc = load_key(id_path, true, &id, err);
    if (rc == 0 && author_path)
        rc = load_key(author_path, true, &author, err);
    if (rc < 0)
        return rc;
    tst_id_block_write(&b, block);
    return tst_id_auth_build(block, id, author, auth, err);
}

static int measure_id_block(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    uint8_t block[TST_ID_BLOCK_BYTES], auth[TST_ID_AUTH_BYTES];
    const char *block_path = cli_value(self, args, "--out-block"), *auth_path = cli_value(self, args, "--out-auth");
    int rc = build(self, args, block, auth, err);
    if (rc == 0 && block_path)
        rc = measure_write_file(block_path, block, sizeof block, err);
    if (rc == 0 && auth_path)
        rc = measure_write_file(auth_path, auth, sizeof auth, err);
    return rc < 0 ? rc : show_block(block, auth, cli_value(self, args, "--json") != NULL, err);
}

const struct cli_command cmd_measure_id_block = {
    .name = "measure id-block",
    .operands = "",
    .max_operands = 0,
    .summary = "build and sign the ID block that ties a launch digest to an owner's key",
    .exits = "0 done, 2 bad usage or input",
    .options = {{"--digest", "HEX", "launch digest (`testudo measure`)"},
                {"--id-key", "FILE", "P-384 private key that signs the block, PEM or DER"},
                {"--author-key", "FILE", "P-384 private key that signs the ID key"},
                {"--policy", "HEX", "guest policy (default 0x30000)"},
                {"--svn", "N", "guest SVN (default 0)"},
                {"--family-id", "HEX", "16 bytes"},
                {"--image-id", "HEX", "16 bytes"},
                {"--out-block", "FILE", "write the 96 bytes of the block"},
                {"--out-auth", "FILE", "write the 4096 bytes of the authentication information"},
                {"--json", NULL, "print as JSON"}},
    .run = measure_id_block,
};

/* ---- measure id-verify ---- */
static int load_block(const char *path, uint8_t block[TST_ID_BLOCK_BYTES], struct tst_id_block *out, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0;
    int rc = cli_read_file(path, KEY_FILE_MAX, &text, &n, err);
    if (rc == 0)
        rc = tst_id_block_parse(text, n, out, err);
    if (rc < 0)
        return tst_wrap(err, "%s", path);
    memcpy(block, text, TST_ID_BLOCK_BYTES);
    return 0;
}

static int show_verified(const struct tst_id_block *b, const struct tst_id_auth *a, bool json, struct tst_error **err)
{
    char hex[2 * TST_SHA384_BYTES + 1];
    tst_hex(b->digest, sizeof b->digest, hex);
    if (!json) {
        printf("signatures         hold\nlaunch digest      %s\nguest policy       0x%llx\nguest SVN          %u\n", hex,
               (unsigned long long)b->policy, b->guest_svn);
        print_auth(a);
        return 0;
    }
    TST_AUTO_JSON o = json_pack("{s:s, s:I, s:I}", "digest", hex, "policy", (json_int_t)b->policy, "guest-svn", (json_int_t)b->guest_svn);
    int rc = o ? auth_json(a, o, err) : tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0)
        cli_print_json(o);
    return rc;
}

static int measure_id_verify(const struct cli_command *self, const struct cli_args *args, struct tst_error **err)
{
    TST_AUTO_STR auth = NULL;
    uint8_t block[TST_ID_BLOCK_BYTES];
    struct tst_id_block b = {.version = 0};
    struct tst_id_auth a = {.has_author = false};
    size_t n = 0;
    int rc = load_block(args->rest[0], block, &b, err);
    if (rc == 0)
        rc = cli_read_file(args->rest[1], KEY_FILE_MAX, &auth, &n, err);
    if (rc == 0)
        rc = tst_id_auth_verify(block, auth, n, &a, err);
    return rc < 0 ? rc : show_verified(&b, &a, cli_value(self, args, "--json") != NULL, err);
}

const struct cli_command cmd_measure_id_verify = {
    .name = "measure id-verify",
    .operands = "BLOCK AUTH",
    .min_operands = 2,
    .max_operands = 2,
    .summary = "verify the signatures of an ID block and show what it allows",
    .exits = "0 they hold, 1 they do not, 2 bad usage or input",
    .options = {{"--json", NULL, "print as JSON"}},
    .run = measure_id_verify,
};
