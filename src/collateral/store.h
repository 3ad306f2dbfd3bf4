/* SPDX-License-Identifier: Apache-2.0 */
/* collateral/store.h - certificates and revocation lists kept in a file tree that several processes, and several nodes over a
 * shared folder, use at once:
 *
 *   STORE/genoa/vcek-chain.pem                    ASK, ARK          (sim-<16 hex of its root's SPKI SHA-256>-genoa: a simulator's)
 *   STORE/genoa/vlek-chain.pem                    ASVK, ARK
 *   STORE/genoa/crl.der, crl-memory               newest list, and the highest number that was ever seen
 *   STORE/genoa/vcek/<chip id>/<tcb>.der          <tcb>.absent: what the service answered instead, until when
 *   STORE/genoa/vlek/<provider's hash>/<tcb>.der
 *   STORE/locks/                                  who asks right now; kds-wait: not before that time
 *
 * Whatever goes in is verified up to a pinned root first; whatever comes out is read as from a stranger and verified again by
 * the appraisal. Files appear whole (written aside, synced, renamed), 0644 and 0755. A struct collateral_store is for one
 * thread; any number of them may have the same folder open. */
#ifndef TESTUDO_COLLATERAL_STORE_H
#define TESTUDO_COLLATERAL_STORE_H

#include <testudo/appraise.h>

#define COLLATERAL_DEFAULT_DIR "/var/lib/testudo/collateral"
#define COLLATERAL_ROOTS_MAX 64
#define COLLATERAL_FOLDER_BYTES 40 /* "sim-0123456789abcdef-genoa" */

struct collateral_store;
/* `make`: the folder is made when it is missing; else TST_NOT_FOUND. */
int collateral_open(const char *dir, bool make, struct collateral_store **out, struct tst_error **err);
void collateral_close(struct collateral_store *s);
TST_CLEANUP_FN(struct collateral_store *, collateral_close)
#define AUTO_STORE TST_CLEANUP(collateral_close) __typeof__(struct collateral_store *)
const char *collateral_dir(const struct collateral_store *s);
/* One more root key besides AMD's: a simulator's. Without it nothing of that simulator gets in. */
int collateral_trust_root(struct collateral_store *s, const uint8_t spki_sha256[TST_SHA256_BYTES], struct tst_error **err);

/* What putting something in did. */
enum collateral_change { COLLATERAL_NEW, COLLATERAL_REPLACED, COLLATERAL_KEPT /* what is there is as new */,
                         COLLATERAL_OLDER /* than what is there, which stays */ };
const char *collateral_change_word(enum collateral_change c);

/* Each of these verifies first: names, keys, algorithms, dates at `now`, signatures up to a root that is trusted.
 * -TST_REFUTED, and nothing is written, when the content is not right. */
int collateral_put_chain(struct collateral_store *s, const struct tst_cert *ask, const struct tst_cert *ark, time_t now,
                         enum collateral_change *change, struct tst_error **err);
/* Its chain must be in the store. `id` may be NULL; else the VEK must be that one. */
int collateral_put_vek(struct collateral_store *s, const struct tst_cert *vek, const struct tst_snp_vek_id *id, time_t now,
                       enum collateral_change *change, struct tst_error **err);
/* Its issuer's chain must be in the store. A list with a lower number than the highest one seen stays out (COLLATERAL_OLDER). */
int collateral_put_crl(struct collateral_store *s, const struct tst_crl *crl, time_t now, enum collateral_change *change,
                       struct tst_error **err);

/* ---- reading. Nothing that comes out is trusted. ---- */
/* Completes what the evidence did not bring: each certificate of `certs` that is NULL, and *crl (new, may stay NULL), with
 * the highest CRL number that the store has seen for that root in *crl_number_seen (0: none). `product` is a hint for version
 * 2 reports. Asks no network. What is not in the store stays NULL: the appraisal says what is missing. An error only when the
 * store cannot be read or a file in it is damaged. */
int collateral_complete(struct collateral_store *s, const struct tst_snp_report *report, enum tst_snp_product product,
                        struct tst_snp_certs *certs, struct tst_crl **crl, uint64_t *crl_number_seen, struct tst_error **err);

enum collateral_kind { COLLATERAL_CHAIN, COLLATERAL_VEK, COLLATERAL_CRL };
/* One file of the store, read and checked again. */
struct collateral_item {
    enum collateral_kind kind;
    const char *path; /* below the store */
    enum tst_snp_product product;
    bool simulated, vlek;
    struct tst_snp_vek vek;  /* kind VEK */
    uint64_t crl_number;     /* kind CRL */
    size_t revoked_count;
    bool stale;              /* its next list was due */
    bool has_until;
    time_t from, until;      /* chain: the first that ends */
    const struct tst_error *problem; /* NULL: verifies at `now` */
    const struct tst_cert *certs[2]; /* VEK: one; chain: ASK, ARK */
    const struct tst_crl *crl;
};
typedef int collateral_item_fn(void *ctx, const struct collateral_item *item, struct tst_error **err);
/* Every file, sorted by path. Damaged ones are listed too, with their problem. */
int collateral_each(struct collateral_store *s, time_t now, collateral_item_fn *each, void *ctx, struct tst_error **err);

/* ---- bundles: one PEM file with certificates and lists, in any order ---- */
#define COLLATERAL_BUNDLE_MAX_BYTES (64 * 1024 * 1024)
#define COLLATERAL_BUNDLE_MAX_BLOCKS 32768
/* Everything that verifies at `now`, chains first. *count: blocks written. */
int collateral_export(struct collateral_store *s, time_t now, struct tst_buf *out, size_t *count, struct tst_error **err);
struct collateral_import {
    size_t added, replaced, kept, refused;
    json_t *refusals; /* array of strings; owned by the caller */
};
/* Puts in whatever verifies; what does not is counted and named, the rest still goes in. An error when the text is no bundle. */
int collateral_import(struct collateral_store *s, const void *p, size_t n, time_t now, struct collateral_import *out,
                      struct tst_error **err);

#endif
