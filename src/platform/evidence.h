/* SPDX-License-Identifier: Apache-2.0 */
/* platform/evidence.h - where evidence comes from: configfs-tsm or /dev/sev-guest. Each mechanism runs over a few callbacks,
 * so a test plays the kernel byte by byte. What comes back is checked against what was asked for; the signature is not. */
#ifndef TESTUDO_PLATFORM_EVIDENCE_H
#define TESTUDO_PLATFORM_EVIDENCE_H

#include <testudo/snp.h>

struct evidence_request {
    uint8_t report_data[TST_SNP_REPORT_DATA_BYTES];
    int vmpl;   /* -1: the highest privilege that this guest may ask for */
    bool certs; /* also the certificates that the host put beside the report */
    bool svsm;  /* the SVSM vouches for its services: REPORT_DATA becomes SHA-512(report_data, manifest); tsm only */
    const char *service_guid; /* one service of the SVSM; NULL: all */
    int manifest_version;     /* of that service's manifest; -1: its default */
};
struct evidence_blobs {
    struct tst_buf report, auxblob, manifest;
};
void evidence_clear(struct evidence_blobs *e);
#define AUTO_EVIDENCE __attribute__((cleanup(evidence_clear))) struct evidence_blobs
/* The report is one, and is about what was asked for; -TST_UNREACHABLE else (the caller may ask again). */
int evidence_check(const struct evidence_request *asked, const struct evidence_blobs *e, struct tst_error **err);

struct evidence_backend {
    const char *name;
    /* One report over report_data and the certificates that came with it. */
    int (*get)(void *ctx, const uint8_t report_data[TST_SNP_REPORT_DATA_BYTES], struct evidence_blobs *out,
               struct tst_error **err);
};
/* ctx is the report folder's path. */
extern const struct evidence_backend evidence_tsm;
#define TSM_REPORT_DIR "/sys/kernel/config/tsm/report"
#define SEVGUEST_DEVICE "/dev/sev-guest"

/* ---- configfs-tsm (Linux Documentation/ABI/testing/configfs-tsm-report) ---- */
struct tsm_io {
    /* Each answers 0 or -errno. */
    int (*make)(void *ctx); /* an entry that nobody used before */
    void (*remove)(void *ctx);
    int (*read)(void *ctx, const char *attribute, struct tst_buf *out);
    int (*write)(void *ctx, const char *attribute, const void *p, size_t n);
    void (*pause)(void *ctx, unsigned ms);
    void *ctx;
};
int tsm_request(const struct tsm_io *io, const struct evidence_request *q, struct evidence_blobs *out, struct tst_error **err);
/* The same on the folder `dir` of this machine. */
int tsm_request_at(const char *dir, const struct evidence_request *q, struct evidence_blobs *out, struct tst_error **err);

/* ---- /dev/sev-guest (Linux include/uapi/linux/sev-guest.h) ---- */
struct sevguest_io {
    int (*ioctl)(void *ctx, unsigned long request, void *arg); /* 0 or -errno */
    void (*pause)(void *ctx, unsigned ms);
    void *ctx;
};
int sevguest_request(const struct sevguest_io *io, const struct evidence_request *q, struct evidence_blobs *out,
                     struct tst_error **err);

enum sevguest_root_key { SEVGUEST_ROOT_VCEK, SEVGUEST_ROOT_VMRK };
/* What is mixed into a derived key (AMD 56860, GUEST_FIELD_SELECT). */
#define SEVGUEST_MIX_POLICY (1ULL << 0)
#define SEVGUEST_MIX_IMAGE_ID (1ULL << 1)
#define SEVGUEST_MIX_FAMILY_ID (1ULL << 2)
#define SEVGUEST_MIX_MEASUREMENT (1ULL << 3)
#define SEVGUEST_MIX_SVN (1ULL << 4)
#define SEVGUEST_MIX_TCB (1ULL << 5)
#define SEVGUEST_MIX_MITIGATIONS (1ULL << 6) /* message version 2 */
#define SEVGUEST_KEY_BYTES 32
struct sevguest_key_request {
    enum sevguest_root_key root;
    uint64_t mix;
    uint32_t vmpl, guest_svn;
    uint64_t tcb;             /* raw, as a little-endian number */
    uint64_t launch_mitigations;
};
/* 32 bytes. Message version 2 when the mitigation vector is mixed in, else 1. */
int sevguest_key(const struct sevguest_io *io, const struct sevguest_key_request *q, struct tst_secret **out, struct tst_error **err);

/* ---- this machine ---- */
struct sevguest_device {
    int fd;
};
int sevguest_open(const char *path, struct sevguest_device *d, struct tst_error **err);
void sevguest_close(struct sevguest_device *d);
struct sevguest_io sevguest_io_of(struct sevguest_device *d);
enum evidence_source { EVIDENCE_AUTO, EVIDENCE_TSM, EVIDENCE_SEVGUEST };
/* `root` stands for / ("" is this machine). AUTO: configfs-tsm where it exists, for the kernel orders its users' requests
 * there; else /dev/sev-guest. *used says which. */
int evidence_request_at(const char *root, enum evidence_source source, const struct evidence_request *q,
                        enum evidence_source *used, struct evidence_blobs *out, struct tst_error **err);
const char *evidence_source_name(enum evidence_source s);

#endif
