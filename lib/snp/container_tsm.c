/* SPDX-License-Identifier: Apache-2.0 */
/* snp/container_tsm.c - the blobs of a configfs-tsm entry, and the manifest by which an SVSM vouches for its services.
 * Sources: Linux Documentation/ABI/testing/configfs-tsm-report; AMD 58019 (SVSM), "Attestation protocol". GUIDs in the
 * manifest are little-endian, unlike those of the certificate table. */
#include "container_inner.h"

#include <stdio.h>

#define MANIFEST_HEADER_BYTES 24
#define MANIFEST_ENTRY_BYTES 24
#define MANIFEST_MAX (64 * 1024)
#define MANIFEST_GUID "63849ebb-3d92-4670-a1ff-58f9c94b87bb"

static const struct {
    const char *guid, *name;
} services[] = {
    {"c476f1eb-0123-45a5-9641-b4e7dde5bfe3", "vTPM (public part of its endorsement key)"},
    {"a4453a59-9e1b-4787-a033-1986d6adbe55", "UEFI variables"},
};

static void read_guid(struct tst_rd *r, char out[37])
{
    uint32_t a = tst_rd_u32le(r);
    uint16_t b = tst_rd_u16le(r), c = tst_rd_u16le(r);
    uint8_t d[8];
    tst_rd_copy(r, d, sizeof d);
    snprintf(out, 37, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", a, b, c, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
}

static const char *service_name(const char *guid)
{
    for (size_t i = 0; i < TST_COUNT(services); i++)
        if (strcmp(services[i].guid, guid) == 0)
            return services[i].name;
    return NULL;
}

static int read_service(struct tst_rd *r, struct tst_bytes all, struct tst_svsm_service *s, struct tst_error **err)
{
    *s = (struct tst_svsm_service){0};
    read_guid(r, s->guid);
    size_t offset = tst_rd_u32le(r), length = tst_rd_u32le(r);
    if (r->bad)
        return tst_fail(err, TST_USAGE, "SVSM manifest: cut short in its table of services");
    if (offset > all.n || length > all.n - offset)
        return tst_fail(err, TST_USAGE, "SVSM manifest: service %s: %zu bytes at %zu are outside the manifest of %zu", s->guid, length,
                        offset, all.n);
    s->name = service_name(s->guid);
    s->data = (struct tst_bytes){all.p + offset, length};
    return 0;
}

int tst_svsm_manifest_each(const void *p, size_t n, tst_svsm_service_fn *each, void *ctx, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(p, n);
    char guid[37];
    if (n > MANIFEST_MAX)
        return tst_fail(err, TST_TOO_LARGE, "SVSM manifest: %zu bytes, at most %d", n, MANIFEST_MAX);
    read_guid(&r, guid);
    size_t size = tst_rd_u32le(&r), count = tst_rd_u32le(&r);
    if (r.bad || strcmp(guid, MANIFEST_GUID) != 0)
        return tst_fail(err, TST_USAGE, "SVSM manifest: not a services manifest (%zu bytes, GUID %s)", n, r.bad ? "cut short" : guid);
    if (size != n || count > (n - MANIFEST_HEADER_BYTES) / MANIFEST_ENTRY_BYTES)
        return tst_fail(err, TST_USAGE, "SVSM manifest: announces %zu bytes and %zu services, is %zu bytes", size, count, n);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct tst_svsm_service s;
        rc = read_service(&r, (struct tst_bytes){p, n}, &s, err);
        if (rc == 0)
            rc = each(ctx, &s, err);
    }
    return rc;
}

int tst_svsm_report_data(const uint8_t nonce[TST_SNP_REPORT_DATA_BYTES], const void *manifest, size_t n,
                         uint8_t out[TST_SNP_REPORT_DATA_BYTES], struct tst_error **err)
{
    TST_AUTO_BUF both = {.max = MANIFEST_MAX + TST_SNP_REPORT_DATA_BYTES};
    int rc = tst_buf_put(&both, nonce, TST_SNP_REPORT_DATA_BYTES, err);
    if (rc == 0)
        rc = tst_buf_put(&both, manifest, n, err);
    return rc < 0 ? tst_wrap(err, "SVSM manifest") : tst_sha512(both.p, both.n, out, err);
}

static int take_binding(const struct tst_tsm_blobs *blobs, struct tst_container *out, struct tst_error **err)
{
    struct tst_bytes nonce = blobs->inblob, manifest = blobs->manifestblob;
    if (!nonce.n)
        return 0;
    if (nonce.n != TST_SNP_REPORT_DATA_BYTES)
        return tst_fail(err, TST_USAGE, "inblob: %zu bytes, expected %d", nonce.n, TST_SNP_REPORT_DATA_BYTES);
    out->has_report_data = true;
    if (manifest.n)
        return tst_svsm_report_data(nonce.p, manifest.p, manifest.n, out->report_data, err);
    memcpy(out->report_data, nonce.p, nonce.n);
    return 0;
}

static int take_blobs(const struct tst_tsm_blobs *blobs, struct tst_container *out, struct tst_error **err)
{
    out->kind = TST_CONTAINER_TSM;
    int rc = container_take_report(blobs->outblob, out, err);
    if (rc < 0)
        return tst_wrap(err, "outblob");
    rc = blobs->auxblob.n ? container_take_table(blobs->auxblob, out, err) : 0;
    if (rc < 0)
        return tst_wrap(err, "auxblob");
    out->manifest.max = MANIFEST_MAX;
    rc = blobs->manifestblob.n ? tst_buf_put(&out->manifest, blobs->manifestblob.p, blobs->manifestblob.n, err) : 0;
    return rc < 0 ? tst_wrap(err, "manifestblob") : take_binding(blobs, out, err);
}

int tst_container_of_tsm(const struct tst_tsm_blobs *blobs, struct tst_container *out, struct tst_error **err)
{
    memset(out, 0, sizeof *out);
    int rc = take_blobs(blobs, out, err);
    if (rc < 0)
        tst_container_clear(out);
    return rc;
}
