/* SPDX-License-Identifier: Apache-2.0 */
/* unit/crypto/kat.h - known-answer helpers: bytes written as hex, secrets from hex, and comparison of a secret. */
#ifndef TESTUDO_KAT_H
#define TESTUDO_KAT_H

#include "../base/unit.h"

#include <testudo/token.h>

enum { KAT_MAX_BYTES = 512 };
struct kat {
    uint8_t p[KAT_MAX_BYTES];
    size_t n;
};

static inline struct kat kat_of(const char *hex)
{
    struct tst_error *err = NULL;
    struct kat k = {.n = strlen(hex) / 2};
    assert_true(k.n <= sizeof k.p);
    assert_done(tst_unhex(hex, k.p, k.n, &err), err);
    return k;
}

static inline struct tst_secret *kat_secret(const char *hex)
{
    struct tst_error *err = NULL;
    struct kat k = kat_of(hex);
    struct tst_secret *s = NULL;
    assert_done(tst_secret_from(k.p, k.n, &s, &err), err);
    return s;
}

static inline void assert_bytes(const void *p, size_t n, const char *hex)
{
    struct kat k = kat_of(hex);
    assert_int_equal(n, k.n);
    assert_memory_equal(p, k.p, n);
}

static inline void assert_secret(const struct tst_secret *s, const char *hex)
{
    assert_bytes(tst_secret_view(s), tst_secret_size(s), hex);
}

static inline struct tst_key *kat_point(enum tst_key_kind kind, const char *x, const char *y)
{
    struct tst_error *err = NULL;
    struct tst_key *k = NULL;
    struct kat kx = kat_of(x), ky = kat_of(y);
    assert_done(tst_key_from_ec_point(kind, kx.p, ky.p, &k, &err), err);
    return k;
}

/* A private key from the "d" of a JWK, by way of PKCS#8. */
static inline struct tst_key *kat_private_p256(const char *d64)
{
    struct tst_error *err = NULL;
    struct kat head = kat_of("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420");
    struct tst_key *k = NULL;
    uint8_t der[128];
    memcpy(der, head.p, head.n);
    assert_done(tst_unb64url_fixed(d64, der + head.n, 32, &err), err);
    assert_done(tst_key_from_private_der(der, head.n + 32, &k, &err), err);
    return k;
}

static inline struct tst_key *new_key(enum tst_key_kind kind)
{
    struct tst_error *err = NULL;
    struct tst_key *k = NULL;
    assert_done(tst_key_generate(kind, &k, &err), err);
    return k;
}

#endif
