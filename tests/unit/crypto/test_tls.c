/* SPDX-License-Identifier: Apache-2.0 */
/* unit/crypto/test_tls.c - TLS handshakes in memory between tst_tls_server and a client with tst_tls_pin_ca: who is let in,
 * and that nothing of the client's data reaches a server that is not. */
#include <openssl/ssl.h>

#include "certs.h"

#define DAY_S 86400

struct site {
    struct tst_key *ca_key, *leaf_key;
    struct tst_cert *ca, *leaf;
    struct tst_tls_pin pin;
};

static struct tst_cert_spec leaf_spec(void)
{
    time_t now = time(NULL);
    return (struct tst_cert_spec){.cn = "testudod", .serial = 2, .not_before = now - DAY_S, .not_after = now + DAY_S,
                                  .tls_server = true, .san_dns = "broker.example", .san_ip = "10.77.0.1"};
}

static struct tst_cert_spec ca_spec(void)
{
    time_t now = time(NULL);
    return (struct tst_cert_spec){.cn = "testudo CA", .serial = 1, .not_before = now - DAY_S, .not_after = now + DAY_S, .ca = true};
}

static struct site site_make(const struct tst_cert_spec *ca, const struct tst_cert_spec *leaf)
{
    struct tst_error *err = NULL;
    struct site s = {.ca_key = new_key(TST_KEY_P256), .leaf_key = new_key(TST_KEY_P256), .pin.host = "10.77.0.1"};
    s.ca = issue(ca, s.ca_key, NULL, s.ca_key);
    s.leaf = issue(leaf, s.leaf_key, s.ca, s.ca_key);
    assert_done(tst_key_spki_sha256(s.ca_key, s.pin.ca_spki_sha256, &err), err);
    return s;
}

static struct site site_default(void)
{
    struct tst_cert_spec ca = ca_spec(), leaf = leaf_spec();
    return site_make(&ca, &leaf);
}

static void site_clear(struct site *s)
{
    tst_key_free(s->ca_key);
    tst_key_free(s->leaf_key);
    tst_cert_free(s->ca);
    tst_cert_free(s->leaf);
}
#define AUTO_SITE __attribute__((cleanup(site_clear))) struct site

/* What came of one connection. */
struct outcome {
    bool connected;
    long verify_result;
    int protocol;
    size_t server_got; /* bytes of the client's request */
    bool resumable;
};

static SSL *client_session(const struct tst_tls_pin *pin, SSL_CTX **ctx)
{
    struct tst_error *err = NULL;
    *ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(*ctx);
    assert_done(tst_tls_pin_ca(*ctx, pin, &err), err);
    return SSL_new(*ctx);
}

/* Both sides in turn until neither gets further. The client sends its request as soon as it may. */
static void drive(SSL *client, SSL *server, struct outcome *o)
{
    char request[16];
    bool sent = false;
    for (int turn = 0; turn < 20; turn++) {
        if (!sent && SSL_do_handshake(client) == 1)
            sent = SSL_write(client, "secret request", 14) == 14;
        if (SSL_do_handshake(server) == 1) {
            int n = SSL_read(server, request, sizeof request);
            o->server_got += n > 0 ? (size_t)n : 0;
        }
        if (sent)
            (void)SSL_read(client, request, sizeof request);
    }
    o->connected = sent;
}

static struct outcome connect_to(SSL_CTX *server_ctx, const struct tst_tls_pin *pin)
{
    struct outcome o = {0};
    SSL_CTX *client_ctx = NULL;
    SSL *client = client_session(pin, &client_ctx), *server = tst_tls_session(server_ctx);
    BIO *a = NULL, *b = NULL;
    assert_non_null(client);
    assert_non_null(server);
    assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
    SSL_set_bio(client, a, a);
    SSL_set_bio(server, b, b);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    drive(client, server, &o);
    o.verify_result = SSL_get_verify_result(client);
    o.protocol = SSL_version(client);
    o.resumable = SSL_SESSION_is_resumable(SSL_get_session(client)) == 1;
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(client_ctx);
    return o;
}

static struct outcome visit(const struct site *s, const struct tst_tls_pin *pin)
{
    struct tst_error *err = NULL;
    SSL_CTX *ctx = NULL;
    assert_done(tst_tls_server(s->leaf, s->leaf_key, s->ca, &ctx, &err), err);
    struct outcome o = connect_to(ctx, pin);
    tst_tls_server_free(ctx);
    return o;
}

static void assert_turned_away(struct outcome o, long why)
{
    assert_false(o.connected);
    assert_int_equal(o.server_got, 0);
    assert_int_equal(o.verify_result, why);
}

static void the_pinned_broker_is_let_in_by_address_and_by_name(void **state)
{
    (void)state;
    AUTO_SITE s = site_default();
    const char *const hosts[] = {"10.77.0.1", "broker.example", "BROKER.example"};
    for (size_t i = 0; i < TST_COUNT(hosts); i++) {
        s.pin.host = hosts[i];
        struct outcome o = visit(&s, &s.pin);
        assert_true(o.connected);
        assert_int_equal(o.verify_result, X509_V_OK);
        assert_int_equal(o.server_got, 14);
        assert_int_equal(o.protocol, TLS1_3_VERSION);
    }
}

static void no_session_can_be_taken_up_again(void **state)
{
    (void)state;
    AUTO_SITE s = site_default();
    struct outcome o = visit(&s, &s.pin);
    assert_true(o.connected);
    assert_false(o.resumable);
}

static void each_changed_byte_of_the_pin_turns_the_broker_away(void **state)
{
    (void)state;
    AUTO_SITE s = site_default();
    for (size_t i = 0; i < TST_SHA256_BYTES; i++) {
        struct tst_tls_pin pin = s.pin;
        pin.ca_spki_sha256[i] ^= 1;
        assert_turned_away(visit(&s, &pin), X509_V_ERR_CERT_UNTRUSTED);
    }
}

static void a_relay_with_its_own_ca_is_turned_away(void **state)
{
    (void)state;
    AUTO_SITE real = site_default();
    AUTO_SITE relay = site_default(); /* same names, other keys */
    assert_turned_away(visit(&relay, &real.pin), X509_V_ERR_CERT_UNTRUSTED);
}

/* The real CA's certificate is public: showing it beside a leaf that it did not sign is of no use. */
static void a_relay_that_shows_the_real_ca_is_turned_away(void **state)
{
    (void)state;
    AUTO_SITE real = site_default();
    AUTO_SITE relay = site_default();
    tst_cert_free(relay.ca);
    relay.ca = tst_cert_ref(real.ca);
    struct outcome o = visit(&relay, &real.pin);
    assert_false(o.connected);
    assert_int_equal(o.server_got, 0);
    assert_int_not_equal(o.verify_result, X509_V_OK);
}

static void another_host_is_turned_away(void **state)
{
    (void)state;
    AUTO_SITE s = site_default();
    const struct {
        const char *host;
        long why;
    } wrong[] = {
        {"10.77.0.2", X509_V_ERR_IP_ADDRESS_MISMATCH},  {"::1", X509_V_ERR_IP_ADDRESS_MISMATCH},
        {"other.example", X509_V_ERR_HOSTNAME_MISMATCH}, {"x.broker.example", X509_V_ERR_HOSTNAME_MISMATCH},
    };
    for (size_t i = 0; i < TST_COUNT(wrong); i++) {
        s.pin.host = wrong[i].host;
        assert_turned_away(visit(&s, &s.pin), wrong[i].why);
    }
}

static void a_wildcard_name_is_no_host(void **state)
{
    (void)state;
    struct tst_cert_spec ca = ca_spec(), leaf = leaf_spec();
    leaf.san_dns = "*.testudo.example";
    AUTO_SITE s = site_make(&ca, &leaf);
    s.pin.host = "broker.testudo.example";
    assert_turned_away(visit(&s, &s.pin), X509_V_ERR_HOSTNAME_MISMATCH);
}

static void a_common_name_is_no_host(void **state)
{
    (void)state;
    struct tst_cert_spec ca = ca_spec(), leaf = leaf_spec();
    leaf.cn = "broker.example";
    leaf.san_dns = NULL;
    AUTO_SITE s = site_make(&ca, &leaf);
    s.pin.host = "broker.example";
    assert_turned_away(visit(&s, &s.pin), X509_V_ERR_HOSTNAME_MISMATCH);
}

static void a_client_must_name_its_host(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    char long_name[300];
    memset(long_name, 'a', sizeof long_name);
    long_name[299] = 0;
    const char *const bad[] = {NULL, "", ".example", long_name};
    for (size_t i = 0; i < TST_COUNT(bad); i++) {
        struct tst_tls_pin pin = {.host = bad[i]};
        assert_refused(tst_tls_pin_ca(ctx, &pin, &err), TST_USAGE, err, "no name or address");
    }
    SSL_CTX_free(ctx);
}

static void dates_outside_the_validity_are_turned_away(void **state)
{
    (void)state;
    struct tst_cert_spec ca = ca_spec(), leaf = leaf_spec();
    leaf.not_after = time(NULL) - 60;
    AUTO_SITE expired = site_make(&ca, &leaf);
    assert_turned_away(visit(&expired, &expired.pin), X509_V_ERR_CERT_HAS_EXPIRED);
    leaf = leaf_spec();
    leaf.not_before = time(NULL) + 3600;
    AUTO_SITE early = site_make(&ca, &leaf);
    assert_turned_away(visit(&early, &early.pin), X509_V_ERR_CERT_NOT_YET_VALID);
    leaf = leaf_spec();
    ca.not_after = time(NULL) - 60;
    AUTO_SITE old_ca = site_make(&ca, &leaf);
    assert_turned_away(visit(&old_ca, &old_ca.pin), X509_V_ERR_CERT_HAS_EXPIRED);
}

static void a_pinned_key_that_is_no_ca_is_turned_away(void **state)
{
    (void)state;
    struct tst_cert_spec ca = ca_spec(), leaf = leaf_spec();
    ca.ca = false;
    AUTO_SITE s = site_make(&ca, &leaf);
    assert_turned_away(visit(&s, &s.pin), X509_V_ERR_CERT_UNTRUSTED);
}

static void a_certificate_between_ca_and_leaf_is_turned_away(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    AUTO_SITE s = site_default();
    TST_AUTO_KEY middle_key = new_key(TST_KEY_P256);
    struct tst_cert_spec spec = ca_spec(), leaf = leaf_spec();
    spec.cn = "middle";
    TST_AUTO_CERT middle = issue(&spec, middle_key, s.ca, s.ca_key);
    tst_cert_free(s.leaf);
    s.leaf = issue(&leaf, s.leaf_key, middle, middle_key);
    SSL_CTX *ctx = NULL;
    uint8_t *der = NULL;
    size_t n;
    assert_done(tst_tls_server(s.leaf, s.leaf_key, s.ca, &ctx, &err), err);
    assert_done(tst_cert_to_der(middle, &der, &n, &err), err);
    const uint8_t *at = der;
    X509 *extra = d2i_X509(NULL, &at, (long)n);
    assert_int_equal(SSL_CTX_add0_chain_cert(ctx, extra), 1);
    struct outcome o = connect_to(ctx, &s.pin);
    assert_turned_away(o, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    tst_tls_server_free(ctx);
    free(der);
}

static void a_leaf_that_is_no_tls_server_is_turned_away(void **state)
{
    (void)state;
    /* extendedKeyUsage clientAuth; subjectAltName 10.77.0.1 */
    const struct tst_cert_ext_spec exts[] = {
        {"2.5.29.37", {(const uint8_t *)"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02", 12}},
        {"2.5.29.17", {(const uint8_t *)"\x30\x06\x87\x04\x0a\x4d\x00\x01", 8}},
    };
    struct tst_cert_spec ca = ca_spec(), leaf = leaf_spec();
    leaf.tls_server = false;
    leaf.exts = exts;
    leaf.ext_count = TST_COUNT(exts);
    AUTO_SITE s = site_make(&ca, &leaf);
    assert_turned_away(visit(&s, &s.pin), X509_V_ERR_INVALID_PURPOSE);
}

static void tls_1_2_is_refused_by_both_sides(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    AUTO_SITE s = site_default();
    SSL_CTX *server = NULL, *client = NULL;
    assert_done(tst_tls_server(s.leaf, s.leaf_key, s.ca, &server, &err), err);
    assert_int_equal(SSL_CTX_get_min_proto_version(server), TLS1_3_VERSION);
    SSL_free(client_session(&s.pin, &client));
    assert_int_equal(SSL_CTX_get_min_proto_version(client), TLS1_3_VERSION);
    SSL_CTX_set_min_proto_version(server, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(server, TLS1_2_VERSION);
    struct outcome o = connect_to(server, &s.pin);
    assert_false(o.connected);
    assert_int_equal(o.server_got, 0);
    tst_tls_server_free(server);
    SSL_CTX_free(client);
}

static void a_server_needs_the_key_of_its_leaf(void **state)
{
    (void)state;
    struct tst_error *err = NULL;
    AUTO_SITE s = site_default();
    SSL_CTX *ctx = NULL;
    assert_refused(tst_tls_server(s.leaf, s.ca_key, s.ca, &ctx, &err), TST_USAGE, err, "do not fit");
    assert_null(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pinned_broker_is_let_in_by_address_and_by_name),
        cmocka_unit_test(no_session_can_be_taken_up_again),
        cmocka_unit_test(each_changed_byte_of_the_pin_turns_the_broker_away),
        cmocka_unit_test(a_relay_with_its_own_ca_is_turned_away),
        cmocka_unit_test(a_relay_that_shows_the_real_ca_is_turned_away),
        cmocka_unit_test(another_host_is_turned_away),
        cmocka_unit_test(a_wildcard_name_is_no_host),
        cmocka_unit_test(a_common_name_is_no_host),
        cmocka_unit_test(a_client_must_name_its_host),
        cmocka_unit_test(dates_outside_the_validity_are_turned_away),
        cmocka_unit_test(a_pinned_key_that_is_no_ca_is_turned_away),
        cmocka_unit_test(a_certificate_between_ca_and_leaf_is_turned_away),
        cmocka_unit_test(a_leaf_that_is_no_tls_server_is_turned_away),
        cmocka_unit_test(tls_1_2_is_refused_by_both_sides),
        cmocka_unit_test(a_server_needs_the_key_of_its_leaf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
