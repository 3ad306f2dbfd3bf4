/* SPDX-License-Identifier: Apache-2.0 */
/* make_images.c - writes the fixtures as files, for tests/cli/measure.bats and as seeds of the fuzz targets. */
#include "fixture.h"

static int write_file(const char *folder, const char *name, const void *p, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wbe");
    bool ok = f && fwrite(p, 1, n, f) == n;
    ok = f && fclose(f) == 0 && ok;
    if (!ok)
        perror(path);
    return ok ? 0 : 1;
}

static int write_signed(const char *folder)
{
    TST_AUTO_KEY id = NULL, author = NULL;
    uint8_t both[TST_ID_BLOCK_BYTES + TST_ID_AUTH_BYTES];
    const struct tst_id_block b = {.digest = {1, 2, 3}, .version = 1, .policy = 0x30000};
    tst_id_block_write(&b, both);
    if (tst_key_generate(TST_KEY_P384, &id, NULL) < 0 || tst_key_generate(TST_KEY_P384, &author, NULL) < 0 ||
        tst_id_auth_build(both, id, author, both + TST_ID_BLOCK_BYTES, NULL) < 0)
        return 1;
    return write_file(folder, "signed", both, sizeof both) | write_file(folder, "block", both, TST_ID_BLOCK_BYTES);
}

int main(int argc, char **argv)
{
    struct image firmware = image_firmware(), plain = image_firmware_plain(), svsm = image_svsm(), bare = image_bare();
    size_t n = 0;
    if (argc != 2)
        return 2;
    uint8_t *igvm = igvm_usual(&n);
    int bad = write_file(argv[1], "firmware", firmware.bytes, firmware.n);
    bad |= write_file(argv[1], "plain", plain.bytes, plain.n);
    bad |= write_file(argv[1], "svsm", svsm.bytes, svsm.n);
    bad |= write_file(argv[1], "bare", bare.bytes, bare.n);
    bad |= write_file(argv[1], "igvm", igvm, n);
    free(igvm);
    return bad | write_signed(argv[1]);
}
