/* SPDX-License-Identifier: Apache-2.0 */
/* examples/c/verify.c - appraise a SEV-SNP report in a program of your own.
 *   cc verify.c $(pkg-config --cflags --libs testudo) -o verify
 *   ./verify REPORT VEK.der CHAIN.pem [POLICY.yaml]
 * The library reads no files and no clock: this program does. Exit status: that of the verdict, 2 for bad input. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <testudo/appraise.h>

enum { FILE_MAX_BYTES = 65536, CHAIN_MAX = 4 };

struct file {
    unsigned char bytes[FILE_MAX_BYTES];
    size_t n;
};

static void read_file(const char *path, struct file *out)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(2);
    }
    out->n = fread(out->bytes, 1, sizeof out->bytes, f);
    fclose(f);
}

static void stop_on(struct tst_error *err)
{
    if (!err)
        return;
    fprintf(stderr, "%s\n", err->text);
    tst_error_free(err);
    exit(2);
}

/* Files that a policy includes are found beside it. */
static int include(void *policy_path, const char *path, char **text, size_t *n, struct tst_error **err)
{
    static struct file included;
    char full[4096];
    const char *slash = strrchr(policy_path, '/');
    snprintf(full, sizeof full, "%.*s%s", slash ? (int)(slash + 1 - (const char *)policy_path) : 0, (const char *)policy_path, path);
    read_file(full, &included);
    *text = malloc(included.n + 1);
    if (!*text)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    memcpy(*text, included.bytes, included.n);
    (*text)[included.n] = '\0';
    *n = included.n;
    return 0;
}

/* Chain files hold ASK and ARK in either order; the ARK is the one that issued itself. */
static void take_chain(const struct file *f, struct tst_snp_certs *certs)
{
    struct tst_cert *found[CHAIN_MAX];
    struct tst_error *err = NULL;
    struct tst_cert_info info;
    size_t n = 0;
    tst_certs_from_text(f->bytes, f->n, found, CHAIN_MAX, &n, &err);
    stop_on(err);
    for (size_t i = 0; i < n; i++) {
        struct tst_cert **place = tst_cert_info(found[i], &info, NULL) == 0 && info.self_issued ? &certs->ark : &certs->ask;
        tst_cert_free(*place);
        *place = found[i];
    }
}

static void print_verdict(const struct tst_verdict *v)
{
    static const char *const words[] = {"pass", "FAIL", "missing", "-", "warn"}; /* by enum tst_outcome */
    for (size_t i = 0; i < v->check_count; i++)
        printf("%-8s %-28s %s\n", words[v->checks[i].outcome], v->checks[i].info->id, v->checks[i].found ? v->checks[i].found : "");
    if (v->simulated)
        puts("SIMULATED: a software secure processor signed this");
}

int main(int argc, char **argv)
{
    static struct file report, vek, chain, policy_text;
    struct tst_evidence evidence = {.report = {NULL, 0}};
    struct tst_policy *policy = NULL;
    struct tst_verdict *verdict = NULL;
    struct tst_error *err = NULL;

    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: %s REPORT VEK CHAIN [POLICY]\n", argv[0]);
        return 2;
    }
    read_file(argv[1], &report);
    read_file(argv[2], &vek);
    read_file(argv[3], &chain);
    evidence.report = (struct tst_bytes){report.bytes, report.n};
    tst_cert_from_der(vek.bytes, vek.n, &evidence.certs.vek, &err);
    stop_on(err);
    take_chain(&chain, &evidence.certs);
    if (argc == 5) {
        read_file(argv[4], &policy_text);
        tst_policy_parse(argv[4], (const char *)policy_text.bytes, policy_text.n, include, argv[4], &policy, &err);
        stop_on(err);
    }
    struct tst_appraise_in in = {.evidence = &evidence, .policy = policy, .now = time(NULL)};
    tst_appraise(&in, &verdict, &err);
    stop_on(err);
    print_verdict(verdict);
    int status = tst_verdict_exit_status(verdict);
    tst_verdict_free(verdict);
    tst_policy_free(policy);
    tst_snp_certs_clear(&evidence.certs);
    return status;
}
