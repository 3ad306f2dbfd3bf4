/* SPDX-License-Identifier: Apache-2.0 */
/* platform/machine.c - a machine that a JSON file describes, each value with the place where it was found; and a folder
 * that stands for "/". What the file does not say does not exist there (ENOENT), except an MSR that it gives an errno.
 * Format: docs/readiness.md, "A machine in a file". */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/os_files.h"
#include "platform/sev_abi.h"

struct machine {
    json_t *cpuid, *msrs, *files, *devices, *programs; /* arrays, borrowed from root; NULL when absent */
    json_t *root;
    int folder; /* -1: none */
};

static const struct {
    const char *name;
    int number;
} errno_names[] = {{"ENOENT", ENOENT}, {"EACCES", EACCES}, {"EPERM", EPERM},   {"EIO", EIO},
                   {"ENODEV", ENODEV}, {"EBUSY", EBUSY},   {"ENOTTY", ENOTTY}, {"EINVAL", EINVAL}};

static int errno_of(const char *name)
{
    for (size_t i = 0; i < TST_COUNT(errno_names); i++)
        if (strcmp(errno_names[i].name, name) == 0)
            return errno_names[i].number;
    return 0;
}

/* ---- the file ---- */
static bool hex_number(const char *text, uint64_t max, uint64_t *out)
{
    char *end = NULL;
    size_t n = strlen(text);
    if (n < 3 || n > 18 || strncmp(text, "0x", 2) != 0 || strspn(text + 2, "0123456789abcdef") != n - 2)
        return false;
    *out = strtoull(text, &end, 16);
    return *out <= max;
}

static int hex_fail(const char *key, const char *text, struct tst_error **err)
{
    return tst_fail(err, TST_USAGE, "%s: '%s' is not a number of the form 0x12ab in range", key, text);
}

static int error_check(const char *name, struct tst_error **err)
{
    if (!name || errno_of(name))
        return 0;
    return tst_fail(err, TST_USAGE, "error: '%s' is none of ENOENT, EACCES, EPERM, EIO, ENODEV, EBUSY, ENOTTY, EINVAL", name);
}

static int source_check(const char *source, struct tst_error **err)
{
    return source[0] ? 0 : tst_fail(err, TST_USAGE, "source: is empty; each value says where it comes from");
}

static int leaf_check(json_t *entry, struct tst_error **err)
{
    static const char *const keys[] = {"leaf", "eax", "ebx", "ecx", "edx"};
    const char *values[5], *source;
    uint64_t number;
    int rc = tst_json_unpack(entry, err, "{s:s,s:s,s:s,s:s,s:s,s:s}", keys[0], &values[0], keys[1], &values[1], keys[2],
                             &values[2], keys[3], &values[3], keys[4], &values[4], "source", &source);
    for (size_t i = 0; rc == 0 && i < TST_COUNT(values); i++)
        if (!hex_number(values[i], UINT32_MAX, &number))
            rc = hex_fail(keys[i], values[i], err);
    return rc < 0 ? rc : source_check(source, err);
}

static int msr_check(json_t *entry, struct tst_error **err)
{
    const char *msr, *value = NULL, *error = NULL, *source;
    uint64_t number;
    int rc = tst_json_unpack(entry, err, "{s:s,s?s,s?s,s:s}", "msr", &msr, "value", &value, "error", &error, "source", &source);
    if (rc == 0 && !hex_number(msr, UINT32_MAX, &number))
        rc = hex_fail("msr", msr, err);
    if (rc == 0 && !value == !error)
        rc = tst_fail(err, TST_USAGE, "msr %s: has either a value or an error", msr);
    if (rc == 0 && value && !hex_number(value, UINT64_MAX, &number))
        rc = hex_fail("value", value, err);
    if (rc == 0)
        rc = error_check(error, err);
    return rc < 0 ? rc : source_check(source, err);
}

static int file_check(json_t *entry, struct tst_error **err)
{
    const char *path, *text = NULL, *error = NULL, *source;
    int folder = 0;
    int rc = tst_json_unpack(entry, err, "{s:s,s?s,s?s,s?b,s:s}", "path", &path, "text", &text, "error", &error, "folder",
                             &folder, "source", &source);
    if (rc == 0 && (path[0] != '/' || strstr(path, "//") || strstr(path, "/../") || path[strlen(path) - 1] == '/'))
        rc = tst_fail(err, TST_USAGE, "path: '%s' is not an absolute path in its shortest form", path);
    if (rc == 0 && !!text + !!error + (folder != 0) != 1)
        rc = tst_fail(err, TST_USAGE, "%s: has either a text, an error or \"folder\": true", path);
    if (rc == 0)
        rc = error_check(error, err);
    return rc < 0 ? rc : source_check(source, err);
}

static int command_check(json_t *entry, struct tst_error **err)
{
    const char *data = NULL, *source;
    int command, error = 0;
    uint8_t bytes[256];
    int rc = tst_json_unpack(entry, err, "{s:i,s?s,s?i,s:s}", "command", &command, "data", &data, "error", &error, "source",
        &source);
    if (rc == 0 && data && strlen(data) > 2 * sizeof bytes)
        rc = tst_fail(err, TST_TOO_LARGE, "command %d: data of more than %zu bytes", command, sizeof bytes);
    if (rc == 0 && data)
        rc = tst_unhex(data, bytes, strlen(data) / 2, err);
    return rc < 0 ? rc : source_check(source, err);
}

static int list_check(const char *key, json_t *list, int (*check)(json_t *, struct tst_error **), struct tst_error **err)
{
    size_t i;
    json_t *entry;
    if (list && !json_is_array(list))
        return tst_fail(err, TST_USAGE, "%s: expected a list", key);
    json_array_foreach (list, i, entry)
        if (check(entry, err) < 0)
            return tst_wrap(err, "%s[%zu]", key, i);
    return 0;
}

static int device_check(json_t *entry, struct tst_error **err)
{
    const char *path, *source, *features = NULL;
    int readable, writable, api = 0;
    json_t *commands = NULL;
    uint64_t number;
    int rc = tst_json_unpack(entry, err, "{s:s,s:b,s:b,s?i,s?s,s?o,s:s}", "path", &path, "read", &readable, "write",
                             &writable, "kvm-api", &api, "kvm-sev-features", &features, "commands", &commands, "source",
                             &source);
    if (rc == 0 && features && !hex_number(features, UINT64_MAX, &number))
        rc = hex_fail("kvm-sev-features", features, err);
    if (rc == 0)
        rc = list_check("commands", commands, command_check, err);
    return rc < 0 ? rc : source_check(source, err);
}

static int program_check(json_t *entry, struct tst_error **err)
{
    const char *command, *output, *source;
    int status = 0;
    int rc = tst_json_unpack(entry, err, "{s:s,s:s,s?i,s:s}", "command", &command, "output", &output, "status", &status,
                             "source", &source);
    if (rc == 0 && (status < 0 || status > 255))
        rc = tst_fail(err, TST_USAGE, "status: expected 0 to 255");
    return rc < 0 ? rc : source_check(source, err);
}

static int machine_read(struct machine *m, const char **name, struct tst_error **err)
{
    const char *note = NULL;
    int rc = tst_json_unpack(m->root, err, "{s:s,s?s,s?o,s?o,s?o,s?o,s?o}", "machine", name, "note", &note, "cpuid",
                             &m->cpuid, "msrs", &m->msrs, "files", &m->files, "devices", &m->devices, "programs",
                             &m->programs);
    if (rc == 0)
        rc = list_check("cpuid", m->cpuid, leaf_check, err);
    if (rc == 0)
        rc = list_check("msrs", m->msrs, msr_check, err);
    if (rc == 0)
        rc = list_check("files", m->files, file_check, err);
    if (rc == 0)
        rc = list_check("devices", m->devices, device_check, err);
    return rc < 0 ? rc : list_check("programs", m->programs, program_check, err);
}

/* ---- the callbacks: everything below was checked above ---- */
static const char *text_of(const json_t *entry, const char *key)
{
    return json_string_value(json_object_get(entry, key));
}

static const json_t *entry_by_text(const json_t *list, const char *key, const char *value)
{
    size_t i;
    json_t *entry;
    json_array_foreach (list, i, entry)
        if (strcmp(text_of(entry, key), value) == 0)
            return entry;
    return NULL;
}

static const json_t *entry_by_number(const json_t *list, const char *key, uint64_t value)
{
    size_t i;
    json_t *entry;
    uint64_t number;
    json_array_foreach (list, i, entry)
        if (hex_number(text_of(entry, key), UINT64_MAX, &number) && number == value)
            return entry;
    return NULL;
}

static uint64_t hex_of(const json_t *entry, const char *key)
{
    uint64_t number = 0;
    return hex_number(text_of(entry, key), UINT64_MAX, &number) ? number : 0;
}

/* Symbolic links in the folder count from the folder: nothing of the machine we run on is read by mistake. */
static int folder_open(const struct machine *m, const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    if (m->folder < 0)
        return -ENOENT;
    long fd = syscall(SYS_openat2, m->folder, path, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

static int machine_read_file(const struct platform *p, const char *path, size_t max, char **text, size_t *n)
{
    const struct machine *m = p->ctx;
    const json_t *entry = entry_by_text(m->files, "path", path);
    if (!entry) {
        int fd = folder_open(m, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        return fd < 0 ? fd : read_whole(fd, max, text, n);
    }
    if (text_of(entry, "error"))
        return -errno_of(text_of(entry, "error"));
    if (!text_of(entry, "text"))
        return -EISDIR;
    *n = strlen(text_of(entry, "text"));
    if (*n > max)
        return -EFBIG;
    *text = strdup(text_of(entry, "text"));
    return *text ? 0 : -ENOMEM;
}

/* The first part of `path` below `folder`; 0 when it is not below. */
static size_t child_length(const char *folder, const char *path)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && path[n] == '/' ? strcspn(path + n + 1, "/") : 0;
}

static bool names_have(const char *names, const char *name, size_t n)
{
    for (; names && *names; names = strchr(names, '\n') ? strchr(names, '\n') + 1 : NULL)
        if (strncmp(names, name, n) == 0 && names[n] == '\n')
            return true;
    return false;
}

static int machine_list_dir(const struct platform *p, const char *path, char **names)
{
    const struct machine *m = p->ctx;
    TST_AUTO_BUF b = {0};
    const json_t *lists[] = {m->files, m->devices};
    bool found = entry_by_text(m->files, "path", path) && json_is_true(json_object_get(entry_by_text(m->files, "path", path),
        "folder"));
    for (size_t l = 0; l < TST_COUNT(lists); l++) {
        size_t i;
        json_t *entry;
        json_array_foreach (lists[l], i, entry) {
            const char *at = text_of(entry, "path");
            size_t n = child_length(path, at);
            if (!n)
                continue;
            found = true;
            if (!names_have((const char *)b.p, at + strlen(path) + 1, n) &&
                tst_buf_printf(&b, NULL, "%.*s\n", (int)n, at + strlen(path) + 1) < 0)
                return -ENOMEM;
        }
    }
    if (!found) {
        int fd = folder_open(m, path, O_RDONLY | O_DIRECTORY);
        return fd < 0 ? fd : list_names(fd, names);
    }
    *names = strdup(b.p ? (const char *)b.p : "");
    return *names ? 0 : -ENOMEM;
}

static int machine_can_open(const struct platform *p, const char *path, bool write)
{
    const struct machine *m = p->ctx;
    const json_t *device = entry_by_text(m->devices, "path", path), *file = entry_by_text(m->files, "path", path);
    if (device)
        return json_is_true(json_object_get(device, write ? "write" : "read")) ? 0 : -EACCES;
    if (file && text_of(file, "error"))
        return -errno_of(text_of(file, "error"));
    if (file)
        return write ? -EACCES : 0;
    int fd = folder_open(m, path, O_PATH);
    if (fd < 0)
        return fd;
    close(fd);
    return write ? -EACCES : 0;
}

static int machine_rdmsr(const struct platform *p, unsigned cpu, uint32_t msr, uint64_t *value)
{
    const struct machine *m = p->ctx;
    const json_t *entry = entry_by_number(m->msrs, "msr", msr);
    (void)cpu;
    if (!entry)
        return -ENOENT;
    if (text_of(entry, "error"))
        return -errno_of(text_of(entry, "error"));
    *value = hex_of(entry, "value");
    return 0;
}

/* A CPU answers zeros for what it does not have; a file without any leaf has no CPU to ask. */
static int machine_cpuid(const struct platform *p, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out)
{
    const struct machine *m = p->ctx;
    const json_t *entry = entry_by_number(m->cpuid, "leaf", leaf);
    (void)subleaf;
    if (json_array_size(m->cpuid) == 0)
        return -ENODEV;
    *out = (struct cpuid_regs){0};
    if (entry)
        *out = (struct cpuid_regs){(uint32_t)hex_of(entry, "eax"), (uint32_t)hex_of(entry, "ebx"),
                                   (uint32_t)hex_of(entry, "ecx"), (uint32_t)hex_of(entry, "edx")};
    return 0;
}

/* The status commands fill the struct itself; GET_ID2 {u64 address, u32 length} the buffer that it names. The others a file
 * cannot answer. */
static int sev_data_put(uint32_t command, uint64_t address, const char *hex)
{
    size_t n = strlen(hex) / 2,
        want = command == SEV_PLATFORM_STATUS_CMD ? SEV_STATUS_BYTES : command == SNP_PLATFORM_STATUS_CMD ? SNP_STATUS_BYTES : n;
    uint8_t *to = (uint8_t *)(uintptr_t)address;
    if (command == SEV_GET_ID2_CMD) {
        struct tst_rd r = tst_rd_of(to, 12);
        uint8_t *length = to + 8;
        to = (uint8_t *)(uintptr_t)tst_rd_u64le(&r);
        want = tst_rd_u32le(&r) >= n ? n : 0;
        for (unsigned i = 0; i < 4; i++)
            length[i] = (uint8_t)(n >> (8 * i));
    } else if (command != SEV_PLATFORM_STATUS_CMD && command != SNP_PLATFORM_STATUS_CMD)
        return -ENOTTY;
    return n == want && tst_unhex(hex, to, n, NULL) == 0 ? 0 : -EINVAL;
}

static bool sev_gives_data(uint32_t command)
{
    return command == SEV_PLATFORM_STATUS_CMD || command == SNP_PLATFORM_STATUS_CMD || command == SEV_GET_ID2_CMD ||
           command == SEV_PDH_CERT_EXPORT_CMD || command == SEV_PEK_CSR_CMD;
}

static int sev_answer(const json_t *device, uint8_t issue[SEV_ISSUE_BYTES])
{
    struct tst_rd r = tst_rd_of(issue, SEV_ISSUE_BYTES);
    uint32_t command = tst_rd_u32le(&r);
    uint64_t address = tst_rd_u64le(&r);
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(device, "commands"), i, entry) {
        const char *data = text_of(entry, "data");
        if (json_integer_value(json_object_get(entry, "command")) != (json_int_t)command)
            continue;
        uint32_t error = (uint32_t)json_integer_value(json_object_get(entry, "error"));
        memcpy(issue + 12, &error, sizeof error);
        if (error)
            return -EIO;
        return data ? sev_data_put(command, address, data) : sev_gives_data(command) ? -EINVAL : 0;
    }
    return -ENOTTY;
}

static int machine_ioctl(const struct platform *p, const char *path, unsigned long request, void *arg)
{
    const struct machine *m = p->ctx;
    const json_t *device = entry_by_text(m->devices, "path", path);
    if (!device)
        return -ENOENT;
    if (!json_is_true(json_object_get(device, "read")))
        return -EACCES;
    if (request == SEV_ISSUE_REQUEST)
        return sev_answer(device, arg);
    if (request == KVM_API_VERSION_REQUEST && json_object_get(device, "kvm-api"))
        return (int)json_integer_value(json_object_get(device, "kvm-api"));
    if (request == KVM_GET_ATTR_REQUEST && text_of(device, "kvm-sev-features")) {
        const struct kvm_attr *attr = arg;
        *(uint64_t *)(uintptr_t)attr->addr = hex_of(device, "kvm-sev-features");
        return 0;
    }
    return -ENOTTY;
}

static int machine_run(const struct platform *p, const char *const argv[], char **output)
{
    const struct machine *m = p->ctx;
    TST_AUTO_BUF line = {0};
    for (size_t i = 0; argv[i]; i++)
        if (tst_buf_printf(&line, NULL, "%s%s", i ? " " : "", argv[i]) < 0)
            return -ENOMEM;
    const json_t *entry = line.p ? entry_by_text(m->programs, "command", (const char *)line.p) : NULL;
    if (!entry)
        return -ENOENT;
    *output = strdup(text_of(entry, "output"));
    return *output ? (int)json_integer_value(json_object_get(entry, "status")) : -ENOMEM;
}

static void machine_release(struct platform *p)
{
    struct machine *m = p->ctx;
    if (!m)
        return;
    if (m->folder >= 0)
        close(m->folder);
    json_decref(m->root);
    free(m);
}

static struct platform *machine_new(const char *from)
{
    struct platform *p = malloc(sizeof *p);
    struct machine *m = calloc(1, sizeof *m);
    char *copy = strdup(from);
    if (!p || !m || !copy) {
        free(p);
        free(m);
        free(copy);
        return NULL;
    }
    m->folder = -1;
    *p = (struct platform){.read_file = machine_read_file, .list_dir = machine_list_dir, .can_open = machine_can_open,
                           .rdmsr = machine_rdmsr, .cpuid = machine_cpuid, .ioctl = machine_ioctl, .run = machine_run,
                           .release = machine_release, .ctx = m, .from = copy};
    return p;
}

int platform_parse_machine(const char *file, const char *text, size_t n, struct platform **out, struct tst_error **err)
{
    AUTO_PLATFORM p = machine_new(file);
    const char *name = NULL;
    if (!p)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    struct machine *m = p->ctx;
    int rc = tst_json_parse(text, n, PLATFORM_MACHINE_MAX, &m->root, err);
    if (rc == 0)
        rc = machine_read(m, &name, err);
    if (rc < 0)
        return tst_wrap(err, "%s", file);
    p->name = name ? strdup(name) : NULL;
    if (!p->name)
        return tst_fail(err, TST_INTERNAL, "out of memory");
    *out = TST_STEAL(p);
    return 0;
}

/* ---- a folder, and the choice ---- */
static int open_described(const char *file, int fd, struct platform **out, struct tst_error **err)
{
    TST_AUTO_STR text = NULL;
    size_t n = 0;
    int rc = read_whole(fd, PLATFORM_MACHINE_MAX, &text, &n);
    if (rc < 0)
        return tst_fail(err, rc == -EFBIG ? TST_TOO_LARGE : TST_USAGE, "%s: %s", file, strerror(-rc));
    return platform_parse_machine(file, text, n, out, err);
}

static int open_folder(const char *path, int folder, struct platform **out, struct tst_error **err)
{
    static const char nothing[] = "{\"machine\": \"a folder\"}";
    int fd = openat(folder, "machine.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    AUTO_PLATFORM p = NULL;
    int rc = fd >= 0 ? open_described(path, fd, &p, err) : platform_parse_machine(path, nothing, strlen(nothing), &p, err);
    if (rc < 0) {
        close(folder);
        return rc;
    }
    ((struct machine *)p->ctx)->folder = folder;
    *out = TST_STEAL(p);
    return 0;
}

int platform_open(const char *root, struct platform **out, struct tst_error **err)
{
    struct stat st;
    if (!root)
        return platform_open_real(out, err);
    int fd = open(root, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        int code = errno == ENOENT ? TST_NOT_FOUND : TST_USAGE;
        tst_fail(err, (enum tst_code)code, "--root %s: %s", root, strerror(errno));
        if (fd >= 0)
            close(fd);
        return tst_hint(err, "a machine description (JSON) or a folder that stands for /", NULL, NULL);
    }
    return S_ISDIR(st.st_mode) ? open_folder(root, fd, out, err) : open_described(root, fd, out, err);
}
