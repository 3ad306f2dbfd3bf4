/* SPDX-License-Identifier: Apache-2.0 */
/* snp/container_hcl.c - the blob that Azure's paravisor keeps in TPM NV index 0x01400001: header, report at 0x20, and behind
 * it the runtime JSON (keys of the vTPM) whose SHA-256 must be the first half of REPORT_DATA, with zeros behind. The hash is
 * made here and compared by the appraisal (binding.report-data). NV is padded with zeros. */
#include "container_inner.h"

#define HEADER_BYTES 0x20
#define RUNTIME_AT (HEADER_BYTES + TST_SNP_REPORT_BYTES)
#define RUNTIME_HEADER_BYTES 20
#define RUNTIME_MAX (32 * 1024)
#define REPORT_TYPE_SNP 2
#define HASH_SHA256 1

struct runtime_header {
    uint32_t size, version, report_type, hash_type, json_size;
};

static int read_header(struct tst_bytes in, struct runtime_header *h, struct tst_error **err)
{
    struct tst_rd r = tst_rd_of(in.p, in.n);
    tst_rd_skip(&r, RUNTIME_AT);
    h->size = tst_rd_u32le(&r);
    h->version = tst_rd_u32le(&r);
    h->report_type = tst_rd_u32le(&r);
    h->hash_type = tst_rd_u32le(&r);
    h->json_size = tst_rd_u32le(&r);
    if (r.bad)
        return tst_fail(err, TST_USAGE, "%zu bytes: cut short before its runtime data (from %d on)", in.n, RUNTIME_AT);
    if (h->report_type != REPORT_TYPE_SNP)
        return tst_fail(err, TST_USAGE, "report type %u, expected %d (SEV-SNP)", h->report_type, REPORT_TYPE_SNP);
    if (h->hash_type != HASH_SHA256)
        return tst_fail(err, TST_USAGE, "hash type %u of the runtime data, expected %d (SHA-256)", h->hash_type, HASH_SHA256);
    if (h->json_size > RUNTIME_MAX || h->json_size > tst_rd_left(&r) || h->size != h->json_size + RUNTIME_HEADER_BYTES)
        return tst_fail(err, TST_USAGE, "runtime data of %u bytes (announced %u) in the %zu bytes that are left", h->json_size,
                        h->size, tst_rd_left(&r));
    return 0;
}

int container_read_hcl(struct tst_bytes in, struct tst_container *out, struct tst_error **err)
{
    struct runtime_header h = {0};
    int rc = read_header(in, &h, err);
    if (rc < 0)
        return tst_wrap(err, "Azure HCL blob");
    const size_t json_at = RUNTIME_AT + RUNTIME_HEADER_BYTES, end = json_at + h.json_size;
    out->kind = TST_CONTAINER_HCL;
    memcpy(out->report, in.p + HEADER_BYTES, TST_SNP_REPORT_BYTES);
    out->runtime.max = RUNTIME_MAX;
    out->has_report_data = true;
    rc = tst_buf_put(&out->runtime, in.p + json_at, h.json_size, err);
    if (rc == 0)
        rc = tst_sha256(in.p + json_at, h.json_size, out->report_data, err);
    if (rc == 0)
        rc = container_take_padding((struct tst_bytes){in.p + end, in.n - end}, "the runtime data", out, err);
    return rc < 0 ? tst_wrap(err, "Azure HCL blob") : 0;
}
