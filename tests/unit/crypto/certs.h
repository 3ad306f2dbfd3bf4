/* SPDX-License-Identifier: Apache-2.0 */
/* unit/crypto/certs.h - certificates for tests, issued at a fixed or a given time. */
#ifndef TESTUDO_CERTS_H
#define TESTUDO_CERTS_H

#include "kat.h"

#define CERT_FROM 1700000000 /* 2023-11-14T22:13:20Z */
#define CERT_UNTIL 2700000000 /* 2055: behind the end of UTCTime */

static inline struct tst_cert *issue(const struct tst_cert_spec *spec, const struct tst_key *subject,
                                     const struct tst_cert *issuer, const struct tst_key *issuer_key)
{
    struct tst_error *err = NULL;
    struct tst_cert *c = NULL;
    assert_done(tst_cert_issue(spec, subject, issuer, issuer_key, &c, &err), err);
    return c;
}

static inline struct tst_cert *issue_ca(const char *cn, const struct tst_key *subject, const struct tst_cert *issuer,
                                        const struct tst_key *issuer_key)
{
    struct tst_cert_spec spec = {
        .cn = cn, .o = "SIMULATED", .serial = 7, .not_before = CERT_FROM, .not_after = CERT_UNTIL, .ca = true};
    return issue(&spec, subject, issuer, issuer_key);
}

static inline struct tst_cert_info info_of(const struct tst_cert *c)
{
    struct tst_error *err = NULL;
    struct tst_cert_info info;
    assert_done(tst_cert_info(c, &info, &err), err);
    return info;
}

#endif
