/* SPDX-License-Identifier: Apache-2.0 */
/* cli/evidence_input.c - see evidence_input.h. Certificates that the user names come before those that the evidence brings:
 * a host that hands over a wrong one does not decide. */
#include "cli/evidence_input.h"

#include <sys/stat.h>
#include <time.h>

#include "collateral/store.h"

#define CERT_FILE_MAX (64 * 1024)
#define CHAIN_CERTS_MAX 3
#define BLOB_MAX (64 * 1024)

void evidence_input_clear(struct evidence_input *e)
{
    tst_container_clear(&e->container);
    tst_snp_certs_clear(&e->certs);
    tst_crl_free(e->crl);
    tst_policy_free(e->policy);
    *e = (struct evidence_input){0};
}

/* ---- the evidence ---- */
/* One blob of a configfs-tsm entry; one that is not there, or may only be written, is left empty. */
static int read_blob(const char *folder, const char *name, char **text, struct tst_bytes *out, struct tst_error **err)
{
    TST_AUTO_STR path = tst_strdup_printf("%s/%s", folder, name);
    struct stat st;
    size_t n = 0;
    if (!path)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    if (stat(path, &st) != 0 || !(st.st_mode & 0444))
        return 0;
    int rc = cli_read_file(path, BLOB_MAX, text, &n, err);
    if (rc == 0)
        *out = (struct tst_bytes){(const uint8_t *)*text, n};
    return rc;
}

static int read_folder(const char *path, struct tst_container *out, struct tst_error **err)
{
    struct tst_tsm_blobs blobs = {0};
    TST_AUTO_STR out_text = NULL, aux_text = NULL, manifest_text = NULL, in_text = NULL;
    int rc = read_blob(path, "outblob", &out_text, &blobs.outblob, err);
    if (rc == 0)
        rc = read_blob(path, "auxblob", &aux_text, &blobs.auxblob, err);
    if (rc == 0)
        rc = read_blob(path, "manifestblob", &manifest_text, &blobs.manifestblob, err);
    if (rc == 0)
        rc = read_blob(path, "inblob", &in_text, &blobs.inblob, err);
    if (rc == 0 && !blobs.outblob.p) {
        tst_fail(err, TST_USAGE, "a folder without an outblob");
        rc = tst_hint(err, "a configfs-tsm entry: outblob, auxblob", NULL, "`testudo evidence get --out DIR` makes one");
    }
    return rc < 0 ? rc : tst_container_of_tsm(&blobs, out, err);
}

int evidence_read(const char *path, bool lenient, struct tst_container *out, struct tst_error **err)
{
    struct stat st;
    TST_AUTO_STR bytes = NULL;
    size_t n = 0;
    int rc = 0;
    memset(out, 0, sizeof *out);
    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        rc = read_folder(path, out, err);
        return rc < 0 ? tst_wrap(err, "%s", path) : 0;
    }
    rc = cli_read_file(path, TST_CONTAINER_MAX, &bytes, &n, err);
    if (rc < 0)
        return rc;
    rc = tst_container_read(bytes, n, lenient, out, err);
    return rc < 0 ? tst_wrap(err, "%s", path) : 0;
}

int evidence_read_nonce(const char *path, uint8_t out[TST_SNP_REPORT_DATA_BYTES], struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0;
    int rc = cli_read_file(path, 4096, &text, &n, err);
    if (rc < 0)
        return rc;
    if (n == TST_SNP_REPORT_DATA_BYTES) {
        memcpy(out, text, n);
        return 0;
    }
    text[strcspn(text, "\r\n")] = '\0';
    if (strlen(text) == 2 * TST_SNP_REPORT_DATA_BYTES && tst_unhex(text, out, TST_SNP_REPORT_DATA_BYTES, NULL) == 0)
        return 0;
    tst_fail(err, TST_USAGE, "%s: %zu bytes", path, n);
    return tst_hint(err, "64 bytes, or 128 hex digits", NULL, "hash what is to be bound: sha512sum FILE | cut -c1-128");
}

/* ---- certificates ---- */
static int load_certs(const char *path, struct tst_cert **list, size_t max, size_t *count, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0;
    int rc = cli_read_file(path, CERT_FILE_MAX, &text, &n, err);
    if (rc == 0)
        rc = tst_certs_from_text(text, n, list, max, count, err);
    return rc < 0 ? tst_wrap(err, "%s", path) : 0;
}

/* Which of the three a certificate is, by who issued it: itself (ARK), else a CA (ASK), else the VEK. */
static int place_cert(struct tst_cert *c, struct tst_snp_certs *certs, struct tst_error **err)
{
    struct tst_cert_info info;
    int rc = tst_cert_info(c, &info, err);
    if (rc < 0)
        return rc;
    struct tst_cert **slot = info.self_issued ? &certs->ark : info.ca ? &certs->ask : &certs->vek;
    if (*slot)
        return tst_fail(err, TST_USAGE, "'%s' is one too many: a chain is one ARK, one ASK and at most one VEK", info.subject_cn);
    *slot = tst_cert_ref(c);
    return 0;
}

static int place_all(const void *text, size_t n, struct tst_snp_certs *certs, struct tst_error **err)
{
    struct tst_cert *list[CHAIN_CERTS_MAX] = {NULL};
    size_t count = 0;
    int rc = tst_certs_from_text(text, n, list, TST_COUNT(list), &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = place_cert(list[i], certs, err);
    for (size_t i = 0; i < TST_COUNT(list); i++)
        tst_cert_free(list[i]);
    return rc;
}

static int note_name(void *ctx, const struct tst_snp_cert_entry *e, struct tst_error **err)
{
    (void)err;
    *(bool *)ctx |= e->name != NULL;
    return 0;
}

static bool is_table(const char *text, size_t n)
{
    bool known = false;
    return tst_snp_cert_table_each(text, n, note_name, &known, NULL) == 0 && known;
}

static int load_chain(const char *path, struct tst_snp_certs *certs, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0;
    int rc = cli_read_file(path, CERT_FILE_MAX, &text, &n, err);
    if (rc < 0)
        return rc;
    rc = is_table(text, n) ? tst_snp_cert_table_parse(text, n, certs, err) : place_all(text, n, certs, err);
    return rc < 0 ? tst_wrap(err, "%s", path) : 0;
}

static void fill(struct tst_cert **slot, struct tst_cert *other)
{
    if (!*slot && other)
        *slot = tst_cert_ref(other);
}

/* ---- policy, product, time ---- */
/* An include's path counts from the folder of the policy that says it. */
static int include_file(void *ctx, const char *path, char **text, size_t *n, struct tst_error **err)
{
    const char *policy = ctx, *slash = strrchr(policy, '/');
    int folder = path[0] == '/' || !slash ? 0 : (int)(slash - policy) + 1;
    TST_AUTO_STR full = tst_strdup_printf("%.*s%s", folder, policy, path);
    if (!full)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    return cli_read_file(full, TST_YAML_MAX_BYTES, text, n, err);
}

int evidence_policy(const char *path, struct tst_policy **out, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0;
    int rc = cli_read_file(path, TST_YAML_MAX_BYTES, &text, &n, err);
    return rc < 0 ? rc : tst_policy_parse(path, text, n, include_file, (void *)(uintptr_t)path, out, err);
}

int evidence_product(const char *name, enum tst_snp_product *out, struct tst_error **err)
{
    *out = name ? tst_snp_product_of(name) : TST_SNP_UNKNOWN;
    if (name && !*out)
        return tst_fail(err, TST_USAGE, "--product %s: expected milan, genoa or turin", name);
    return 0;
}

static int read_time(const char *text, time_t *out, struct tst_error **err)
{
    *out = time(NULL);
    int rc = text ? tst_time_parse(text, out, err) : 0;
    return rc < 0 ? tst_wrap(err, "--at") : 0;
}

/* ---- what REPORT_DATA must be ---- */
static int expect_report_data(struct evidence_input *e, const char *nonce, struct tst_error **err)
{
    const struct tst_container *c = &e->container;
    if (nonce && c->kind == TST_CONTAINER_HCL) {
        tst_fail(err, TST_USAGE, "--nonce: the REPORT_DATA of an Azure HCL blob carries the hash of its runtime JSON, no nonce");
        return tst_hint(err, NULL, NULL, "a nonce is signed by the vTPM's key of that JSON (TPM quote)");
    }
    int rc = nonce ? evidence_read_nonce(nonce, e->report_data, err) : 0;
    if (rc == 0 && nonce && c->manifest.n)
        rc = tst_svsm_report_data(e->report_data, c->manifest.p, c->manifest.n, e->report_data, err);
    if (rc < 0)
        return rc;
    if (!nonce && c->has_report_data)
        memcpy(e->report_data, c->report_data, sizeof e->report_data);
    e->in.report_data = nonce || c->has_report_data ? e->report_data : NULL;
    return 0;
}

/* The store knows simulators' roots only by what the policy names; what is not in it stays missing. */
static int load_store(const char *dir, struct evidence_input *e, struct tst_error **err)
{
    AUTO_STORE store = NULL;
    struct tst_snp_report report;
    if (tst_snp_report_parse_lenient(e->container.report, sizeof e->container.report, &report, NULL) < 0)
        return 0; /* the appraisal says what is wrong with it */
    int rc = collateral_open(dir, false, &store, err);
    if (rc == 0)
        rc = collateral_complete(store, &report, e->in.product, &e->certs, &e->crl, &e->in.crl_number_seen, err);
    e->in.crl = e->crl;
    return rc < 0 ? tst_wrap(err, "--store %s", dir) : 0;
}

static int load_collateral(const struct cli_command *self, const struct cli_args *args, struct evidence_input *e, struct tst_error **err)
{
    const char *vek = cli_value(self, args, "--vek"), *chain = cli_value(self, args, "--chain"), *store = cli_value(self, args, "--store");
    size_t count = 0;
    int rc = vek ? load_certs(vek, &e->certs.vek, 1, &count, err) : 0;
    if (rc == 0 && chain)
        rc = load_chain(chain, &e->certs, err);
    if (rc < 0)
        return rc;
    fill(&e->certs.vek, e->container.certs.vek);
    fill(&e->certs.ask, e->container.certs.ask);
    fill(&e->certs.ark, e->container.certs.ark);
    return store ? load_store(store, e, err) : 0;
}

int evidence_input_load(const struct cli_command *self, const struct cli_args *args, struct evidence_input *e, struct tst_error **err)
{
    const char *policy = cli_value(self, args, "--policy");
    e->in.lenient = cli_value(self, args, "--lenient") != NULL;
    int rc = evidence_product(cli_value(self, args, "--product"), &e->in.product, err);
    if (rc == 0)
        rc = read_time(cli_value(self, args, "--at"), &e->in.now, err);
    if (rc == 0)
        rc = evidence_read(args->rest[0], e->in.lenient, &e->container, err);
    if (rc == 0)
        rc = load_collateral(self, args, e, err);
    if (rc == 0 && policy)
        rc = evidence_policy(policy, &e->policy, err);
    if (rc == 0)
        rc = expect_report_data(e, cli_value(self, args, "--nonce"), err);
    e->evidence = (struct tst_evidence){.report = {e->container.report, TST_SNP_REPORT_BYTES}, .certs = e->certs};
    e->in.evidence = &e->evidence;
    e->in.policy = e->policy;
    e->in.crl = e->crl;
    return rc;
}

/* ---- in words ---- */
char *evidence_describe(const struct tst_container *c)
{
    static const char *const texts[] = {[TST_TEXT_NONE] = "", [TST_TEXT_HEX] = ", as hex text", [TST_TEXT_BASE64] = ", as base64 text"};
    char more[64] = "";
    if (c->runtime.n)
        snprintf(more, sizeof more, ", runtime JSON of %zu bytes", c->runtime.n);
    else if (c->manifest.n)
        snprintf(more, sizeof more, ", services manifest of %zu bytes", c->manifest.n);
    return tst_strdup_printf("%s%s%s%s", tst_container_kind_name(c->kind), texts[c->text],
                             c->table.n ? ", with the host's certificate table" : "", more);
}

int evidence_container_json(const struct tst_container *c, json_t **out, struct tst_error **err)
{
    static const char *const texts[] = {[TST_TEXT_NONE] = NULL, [TST_TEXT_HEX] = "hex", [TST_TEXT_BASE64] = "base64"};
    TST_AUTO_JSON o = json_pack("{s:s, s:s?, s:i, s:i, s:i, s:i}", "kind", tst_container_kind_name(c->kind), "text", texts[c->text],
                                "padding-bytes", (int)c->padding_bytes, "certificate-table-bytes", (int)c->table.n,
                                "runtime-json-bytes", (int)c->runtime.n, "manifest-bytes", (int)c->manifest.n);
    int rc = o ? 0 : tst_fail(err, TST_INTERNAL, "out of memory");
    if (rc == 0 && c->has_report_data)
        rc = tst_json_set_hex(o, "binds-report-data", c->report_data, sizeof c->report_data, err);
    if (rc == 0)
        *out = TST_STEAL(o);
    return rc;
}
