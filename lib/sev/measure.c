/* SPDX-License-Identifier: Apache-2.0 */
/* sev/measure.c - the launch digest of SEV and SEV-ES and the measurement that the firmware makes of it with the owner's TIK.
 * digest = SHA-256(firmware | table of kernel hashes | VMSA pages); measurement = HMAC-SHA256(TIK, 04 | API major | minor |
 * build | policy | digest | nonce). Source: AMD 55766, LAUNCH_UPDATE_DATA, LAUNCH_UPDATE_VMSA, LAUNCH_MEASURE. */
#include "internal.h"

#define MEASURE_CONTEXT 0x04

static int check_image(const struct tst_sev_image *image, struct tst_error **err)
{
    struct tst_firmware firmware;
    int rc = tst_firmware_parse(image->firmware.p, image->firmware.n, &firmware, err);
    if (rc)
        return rc;
    if (image->vcpus > TST_VCPUS_MAX)
        return tst_fail(err, TST_USAGE, "%u vCPUs, at most %d", image->vcpus, TST_VCPUS_MAX);
    if (image->vcpus && (!image->vmsa_bsp || (image->vcpus > 1 && !image->vmsa_ap)))
        return tst_fail(err, TST_USAGE, "%u vCPUs of SEV-ES need the VMSA of the first and of the others", image->vcpus);
    if (!image->kernel || firmware.has_hashes)
        return 0;
    rc = tst_fail(err, TST_USAGE, "firmware: has no place for kernel hashes: it would boot any kernel");
    tst_hint(err, "a firmware whose table has the kernel hashes entry", NULL, "take OVMF's AmdSev build for direct boot");
    return rc;
}

int tst_sev_launch_digest(const struct tst_sev_image *image, uint8_t out[TST_SHA256_BYTES], struct tst_error **err)
{
    TST_AUTO_HASHER hasher = NULL;
    uint8_t table[TST_HASH_TABLE_BYTES];
    int rc = check_image(image, err);
    rc = rc ? rc : tst_hasher_new(TST_HASH_SHA256, &hasher, err);
    rc = rc ? rc : tst_hasher_update(hasher, image->firmware.p, image->firmware.n, err);
    if (!rc && image->kernel) {
        tst_kernel_table(image->kernel, table);
        rc = tst_hasher_update(hasher, table, sizeof table, err);
    }
    for (unsigned cpu = 0; !rc && cpu < image->vcpus; cpu++)
        rc = tst_hasher_update(hasher, cpu ? image->vmsa_ap : image->vmsa_bsp, TST_SEV_VMSA_BYTES, err);
    return rc ? rc : tst_hasher_final(hasher, out, err);
}

int tst_sev_measure(const struct tst_secret *tik, const struct tst_sev_launch *l, uint8_t out[TST_SHA256_BYTES],
                    struct tst_error **err)
{
    uint8_t head[8] = {MEASURE_CONTEXT, l->api_major, l->api_minor, l->build};
    sev_put_u32(head + 4, l->policy);
    const struct tst_bytes parts[] = {{head, sizeof head}, {l->digest, sizeof l->digest}, {l->mnonce, sizeof l->mnonce}};
    if (tst_secret_size(tik) != TST_SEV_KEY_BYTES)
        return tst_fail(err, TST_USAGE, "TIK: %zu bytes, expected %d", tst_secret_size(tik), TST_SEV_KEY_BYTES);
    return tst_hmac_sha256(tik, parts, TST_COUNT(parts), out, err);
}

int tst_sev_measure_check(const struct tst_secret *tik, const struct tst_sev_launch *l,
                          const uint8_t measure[TST_SHA256_BYTES], struct tst_error **err)
{
    uint8_t expected[TST_SHA256_BYTES];
    char expected_hex[2 * TST_SHA256_BYTES + 1], found_hex[2 * TST_SHA256_BYTES + 1];
    int rc = tst_sev_measure(tik, l, expected, err);
    if (rc || tst_equal(expected, measure, sizeof expected))
        return rc;
    tst_hex(expected, sizeof expected, expected_hex);
    tst_hex(measure, sizeof expected, found_hex);
    rc = tst_fail(err, TST_REFUTED, "launch measurement: is not that of the expected guest");
    tst_reason(err, "launch-measurement");
    tst_hint(err, expected_hex, found_hex,
             "compare firmware, kernel, initrd, command line, vCPUs, policy, and API version and build of the platform; until it "
             "matches, give this guest no secret");
    return rc;
}
