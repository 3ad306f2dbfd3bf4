/* SPDX-License-Identifier: Apache-2.0 */
/* unit/platform/test_mutations.c - each fact of a machine, flipped, changes the outcome of the check that depends on it; and
 * no fact of any machine is there for nothing. */
#include "machine.h"

struct mutation {
    const char *machine;
    enum ready_generation wanted; /* 0: the default */
    const char *list, *key, *value; /* the entry */
    const char *field;              /* NULL: the entry is taken out */
    const char *to;
    const char *id;
    enum ready_outcome before, after;
};

#define LEAF(reg, to) "cpuid", "leaf", "0x8000001f", reg, to
#define MSR(n, to) "msrs", "msr", "0xc0010" n, "value", to
#define FILE_TEXT(path, to) "files", "path", path, "text", to
#define GONE(path) "files", "path", path, NULL, NULL
#define SNP_STATUS(to) "devices", "path", "/dev/sev", "command 9", to
#define SEV_STATUS(to) "devices", "path", "/dev/sev", "command 1", to
#define QEMU(to) "programs", "command", "qemu-system-x86_64 --version", "output", to
#define VIRSH "virsh --connect qemu:///system domcapabilities --virttype kvm --machine q35"
#define CAPS(sev, es, type)                                                                                                      \
    "<domainCapabilities><features><sev supported='" sev "'><maxGuests>1</maxGuests><maxESGuests>" es                           \
    "</maxESGuests></sev><launchSecurity supported='yes'><enum name='sectype'><value>" type                                     \
    "</value></enum></launchSecurity></features></domainCapabilities>"
#define LIBVIRT(to) "programs", "command", VIRSH, "output", to
#define CMDLINE "/proc/cmdline"
#define KVM(p) "/sys/module/kvm_amd/parameters/" p
#define CUR "0400000000001bdb"
#define P READY_PASS
#define F READY_FAIL
#define W READY_WARN
#define U READY_UNKNOWN
#define NA READY_NA

static const struct mutation mutations[] = {
    {"milan-host", 0, "cpuid", "leaf", "0x00000000", "ebx", "0x756e6547", "cpu.vendor", P, F},
    {"milan-host", 0, "cpuid", "leaf", "0x80000002", "ebx", "0x20202020", "cpu.epyc", P, F},
    {"milan-host", READY_SNP, "cpuid", "leaf", "0x00000001", "eax", "0x00830f10", "cpu.generation", P, W},
    {"rome-host", READY_SNP, "cpuid", "leaf", "0x00000001", "eax", "0x00a10f11", "cpu.generation", W, P},
    {"rome-host", READY_ES, "cpuid", "leaf", "0x00000001", "eax", "0x00800f12", "cpu.generation", P, W},
    {"milan-host", READY_SNP, "cpuid", "leaf", "0x00000001", "eax", "0x00a10f11", "cpu.root-seed", W, P},
    {"milan-host", 0, LEAF("eax", "0x0101fd3e"), "cpu.sme", P, F},
    {"milan-host", 0, LEAF("eax", "0x0101fd3e"), "syscfg.sme", P, NA},
    {"milan-host", 0, LEAF("eax", "0x0101fd3d"), "cpu.sev", P, F},
    {"milan-host", 0, LEAF("eax", "0x0101fd37"), "cpu.es", P, F},
    {"milan-host", 0, LEAF("eax", "0x0101fd2f"), "cpu.snp", P, F},
    {"milan-host", 0, LEAF("eax", "0x0101fd1f"), "cpu.vmpl", P, F},
    {"milan-host", 0, LEAF("eax", "0x0101fd3b"), "cpu.page-flush", P, NA},
    {"milan-host", 0, LEAF("eax", "0x0101f93f"), "cpu.coherent", P, NA},
    {"milan-host", 0, LEAF("eax", "0x0101fc3f"), "cpu.secure-tsc", P, NA},
    {"milan-host", 0, LEAF("ebx", "0x00000173"), "cpu.vmpls", P, W},
    {"milan-host", 0, LEAF("ebx", "0x00004140"), "cpu.c-bit", P, W},
    {"milan-host", 0, LEAF("ecx", "0x00000000"), "cpu.encrypted-guests", P, F},
    {"milan-host", 0, LEAF("edx", "0x00000000"), "cpu.min-sev-asid", P, W},
    {"milan-host", 0, LEAF("edx", "0x00000001"), "asid.split", P, F},
    {"naples-host", 0, LEAF("edx", "0x00000010"), "asid.split", P, F},
    {"naples-host", 0, "cpuid", "leaf", "0x80000000", "eax", "0x8000001e", "cpu.sev", P, F},
    {"milan-host", 0, FILE_TEXT("/sys/devices/system/cpu/smt/active", "1\n"), "smt.off", P, NA},
    {"milan-host", 0, MSR("010", "0x03740000"), "syscfg.sme", P, F},
    {"milan-host", 0, MSR("010", "0x02f40000"), "syscfg.snp", P, F},
    {"milan-host", 0, MSR("010", "0x01f40000"), "syscfg.vmpl", P, F},
    {"milan-host", 0, "msrs", "msr", "0xc0010010", NULL, NULL, "syscfg.snp", P, U},
    {"milan-host", 0, MSR("132", "0x0"), "rmp.addresses", P, F},
    {"milan-host", 0, MSR("133", "0x8000000"), "rmp.addresses", P, F},
    {"milan-host", 0, MSR("133", "0x100000000"), "rmp.addresses", P, F},
    {"turin-host", 0, MSR("136", "0x0"), "rmp.addresses", P, F},
    {"milan-host", 0, "files", "path", "/proc/meminfo", NULL, NULL, "rmp.addresses", P, U},
    {"milan-host", 0, GONE("/sys/module/ccp"), "module.ccp", P, F},
    {"milan-host", 0, FILE_TEXT(KVM("sev"), "N\n"), "kvm.sev", P, F},
    {"milan-host", 0, GONE(KVM("sev")), "kvm.sev", P, F},
    {"milan-host", 0, FILE_TEXT(KVM("sev_es"), "0\n"), "kvm.sev-es", P, F},
    {"milan-host", 0, FILE_TEXT(KVM("sev_snp"), "N\n"), "kvm.sev-snp", P, F},
    {"milan-host", 0, FILE_TEXT(KVM("sev_snp"), ""), "kvm.sev-snp", P, F},
    {"milan-host", 0, "devices", "path", "/dev/kvm", "kvm-api", "11", "kvm.device", P, F},
    {"milan-host", 0, "devices", "path", "/dev/kvm", NULL, NULL, "kvm.device", P, F},
    {"milan-host", 0, "devices", "path", "/dev/kvm", "read", "false", "kvm.device", P, U},
    {"turin-host", 0, "devices", "path", "/dev/kvm", "kvm-sev-features", "0x21", "kvm.secure-tsc", P, NA},
    {"milan-host", 0, "devices", "path", "/dev/sev", "read", "false", "dev.sev-read", P, U},
    {"milan-host", 0, "devices", "path", "/dev/sev", "write", "false", "dev.sev-write", P, U},
    {"milan-host", 0, "devices", "path", "/dev/sev", NULL, NULL, "dev.sev-read", P, F},
    {"milan-host", 0, "devices", "path", "/dev/sev", NULL, NULL, "dev.sev-write", P, F},
    {"milan-host", 0, "devices", "path", "/dev/sev", NULL, NULL, "fw.initialised", P, NA},
    {"milan-host", 0, FILE_TEXT("/proc/sys/kernel/osrelease", "6.10.14\n"), "kernel.host", P, W},
    {"naples-host", 0, FILE_TEXT("/proc/sys/kernel/osrelease", "4.15.0\n"), "kernel.host", P, W},
    {"rome-host", 0, FILE_TEXT("/proc/sys/kernel/osrelease", "5.10.0\n"), "kernel.host", P, W},
    {"milan-host", 0, FILE_TEXT("/proc/sys/kernel/osrelease", "unnamed\n"), "kernel.host", P, U},
    {"milan-host", 0, SEV_STATUS("013700000100002802000000"), "fw.initialised", P, F},
    {"milan-host", 0, SEV_STATUS("013703000100002802000000"), "fw.initialised", P, F},
    {"milan-host", 0, SEV_STATUS("013202000100002802000000"), "fw.snp-minimum", P, F},
    {"milan-host", 0, SEV_STATUS("003c02000100002802000000"), "fw.snp-minimum", P, F}, /* 0.60 is below 1.51 */
    {"milan-host", 0, SEV_STATUS("020002000100002802000000"), "fw.snp-minimum", P, P}, /* 2.0 is above it */
    {"milan-host", 0, SEV_STATUS("013702000100001502000000"), "fw.floor", P, W},
    {"naples-host", 0, SEV_STATUS("001102000000001505000000"), "fw.floor", P, W},
    {"rome-host", 0, SEV_STATUS("00180200010000" "0f0c000000"), "fw.es-initialised", F, P},
    {"milan-host", 0, "devices", "path", "/dev/sev", "error 1", "19", "fw.initialised", P, U},
    {"milan-host", 0, "devices", "path", "/dev/sev", "error 9", "17", "alias.check", P, U},
    {"milan-host", 0, SNP_STATUS("01370003" "28000000" "00000000" "02000000" CUR CUR), "fw.snp-initialised", P, F},
    {"milan-host", 0, SNP_STATUS("01370102" "28000000" "00000000" "02000000" CUR CUR), "rmp.initialised", P, F},
    {"milan-host", 0, SNP_STATUS("01370101" "28000000" "00000000" "02000000" CUR CUR), "alias.check", P, F},
    {"milan-host", 0, SNP_STATUS("0137010b" "28000000" "00000000" "02000000" CUR CUR), "rmp.initialised", P, P}, /* bits,
     not a byte */
    {"milan-host", 0, SNP_STATUS("01370103" "28000000" "00000000" "02000000" CUR "0400000000001adb"), "fw.tcb-reported", P, W},
    {"milan-host", 0, SNP_STATUS("01370103" "28000000" "00000000" "02000000" "0400000000001adb" "0400000000001adb"),
     "fw.tcb-floor", P, W},
    {"milan-host", 0, SNP_STATUS("01370103" "28000000" "00000000" "02000000" "0400000000001bda" "0400000000001bda"),
     "fw.tcb-floor", P, W},
    {"turin-host", 0, SNP_STATUS("013a0103" "41000000" "68000000" "04000000" "0101010300000051" "0101010300000051"),
     "fw.tcb-floor", P, W},
    {"turin-host", 0, SNP_STATUS("013a0103" "41000000" "28000000" "04000000" "0101010400000051" "0101010400000051"),
     "fw.ciphertext-hiding", P, NA},
    {"turin-host", 0, FILE_TEXT("/sys/firmware/sev/vulnerabilities/verified_mitigations", "0x2\n"), "fw.mitigations", P, NA},
    {"turin-host", 0, GONE("/sys/firmware/sev/vulnerabilities/verified_mitigations"), "fw.mitigations", P, U},
    {"milan-host", 0, FILE_TEXT("/sys/fs/cgroup/misc.current", "sev_es 99\n"), "asid.pool", P, W},
    {"milan-host", 0, GONE("/sys/fs/cgroup/misc.current"), "asid.pool", P, U},
    {"milan-host", 0, FILE_TEXT("/sys/fs/cgroup/misc.capacity", "sev 410\n"), "asid.pool", P, W},
    {"naples-host", 0, FILE_TEXT("/sys/fs/cgroup/machine.slice/misc.current", "sev 9\nsev_es 0\n"), "asid.pool", P, W},
    {"milan-host", 0, FILE_TEXT(CMDLINE, "quiet iommu=soft,pt"), "iommu.on", P, F},
    {"milan-host", 0, FILE_TEXT(CMDLINE, "iommu=off quiet"), "iommu.on", P, F},
    {"milan-host", 0, FILE_TEXT(CMDLINE, "iommu.passthrough=1"), "iommu.on", P, F},
    {"milan-host", 0, FILE_TEXT(CMDLINE, "amd_iommu=off"), "iommu.on", P, F},
    {"milan-host", 0, FILE_TEXT(CMDLINE, "amd_iommu=pgtbl_v2"), "iommu.on", P, F},
    {"milan-host", 0, FILE_TEXT(CMDLINE, "xiommu=off iommu=ptx comment=iommu=pt"), "iommu.on", P, P},
    {"milan-host", 0, GONE("/sys/class/iommu/ivhd0/amd-iommu/features"), "iommu.on", P, F},
    {"milan-host", 0, FILE_TEXT("/sys/class/iommu/ivhd0/amd-iommu/features", "246577efa2254afa:0\n"), "iommu.snp", P, F},
    {"milan-host", 0, FILE_TEXT("/sys/class/iommu/ivhd0/amd-iommu/features", "0:a46577efa2254afa\n"), "iommu.snp", P, P},
    {"milan-host", 0, QEMU("QEMU emulator version 9.0.4\n"), "qemu.version", P, W},
    {"rome-host", 0, QEMU("QEMU emulator version 5.2.0\n"), "qemu.version", P, W},
    {"naples-host", 0, QEMU("QEMU emulator version 2.11.1\n"), "qemu.version", P, W},
    {"milan-host", 0, QEMU("QEMU emulator\n"), "qemu.version", P, U},
    {"milan-host", 0, LIBVIRT(CAPS("yes", "99", "sev")), "libvirt.capabilities", P, W},
    {"milan-host", 0, LIBVIRT(CAPS("yes", "0", "sev-snp")), "libvirt.capabilities", P, W},
    {"milan-host", READY_SEV, LIBVIRT(CAPS("no", "99", "sev-snp")), "libvirt.capabilities", P, W},
    {"rome-host", 0, LIBVIRT(CAPS("yes", "9", "sev")), "libvirt.capabilities", W, P},
    {"milan-host", 0, LIBVIRT("error: failed to connect"), "libvirt.capabilities", P, U},
    {"milan-host", 0, "programs", "command", VIRSH, "status", "1", "libvirt.capabilities", P, U},
    {"milan-host", 0, GONE("/usr/share/qemu/firmware/60-edk2-x86_64-amdsev.json"), "ovmf.descriptor", P, W},
    {"milan-host", 0, FILE_TEXT("/usr/share/qemu/firmware/60-edk2-x86_64-amdsev.json",
     "{\"features\": [\"amd-sev-snp\"], \"mapping\": {\"device\": \"flash\"}}"),
     "ovmf.descriptor", P, W},
    {"milan-host", 0, FILE_TEXT("/usr/share/qemu/firmware/60-edk2-x86_64-amdsev.json", "{"), "ovmf.descriptor", P, W},
    {"naples-host", 0, GONE("/usr/share/qemu/firmware/50-edk2-x86_64.json"), "ovmf.descriptor", P, U},
    {"rome-host", 0, FILE_TEXT("/proc/self/limits",
     "Max locked memory         8388608              8388608              bytes\n"), "memlock", P, W},
    {"rome-host", 0, FILE_TEXT("/proc/self/limits", "Max cpu time 1 1 s\n"), "memlock", P, U},
    {"milan-host", 0, FILE_TEXT(CMDLINE, "mem_encrypt=on"), "swiotlb.host", P, W},
    {"milan-host", 0, FILE_TEXT("/proc/sys/kernel/numa_balancing", "1\n"), "numa.balancing", P, W},
    {"turin-host", 0, FILE_TEXT("/proc/sys/kernel/osrelease", "6.18.9\n"), "numa.placement", P, W},
    {"milan-host", 0, FILE_TEXT("/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n"), "hugepages.host",
     P, W},
    {"snp-guest", READY_SNP, MSR("131", "0x886"), "guest.sev", P, F},
    {"snp-guest", READY_SNP, MSR("131", "0x885"), "guest.es", P, F},
    {"snp-guest", READY_SNP, MSR("131", "0x883"), "guest.snp", P, F},
    {"snp-guest", 0, "msrs", "msr", "0xc0010131", NULL, NULL, "guest.sev", P, U},
    {"snp-guest", 0, MSR("131", "0x88f"), "guest.vtom", NA, P},
    {"snp-guest", 0, MSR("131", "0x897"), "guest.reflect-vc", NA, P},
    {"snp-guest", 0, MSR("131", "0x8a7"), "guest.restricted-injection", NA, P},
    {"snp-guest", 0, MSR("131", "0x8c7"), "guest.alternate-injection", NA, P},
    {"snp-guest", 0, MSR("131", "0x807"), "guest.debug-swap", P, NA},
    {"snp-guest", 0, MSR("131", "0x987"), "guest.prevent-host-ibs", NA, P},
    {"snp-guest", 0, MSR("131", "0xa87"), "guest.btb-isolation", NA, P},
    {"snp-guest", 0, MSR("131", "0xc87"), "guest.vmpl-sss", NA, P},
    {"snp-guest", 0, MSR("131", "0x087"), "guest.secure-tsc", P, NA},
    {"snp-guest", 0, MSR("131", "0x1887"), "guest.vmgexit-parameter", NA, P},
    {"snp-guest", 0, MSR("131", "0x4887"), "guest.ibs-virt", NA, P},
    {"snp-guest", 0, MSR("131", "0x10887"), "guest.vmsa-reg-prot", NA, P},
    {"snp-guest", 0, MSR("131", "0x20887"), "guest.smt-protection", NA, P},
    {"snp-guest", 0, MSR("131", "0x40887"), "guest.secure-avic", NA, P},
    {"snp-guest", 0, MSR("131", "0x800887"), "guest.ibpb-on-entry", NA, P},
    {"snp-guest", 0, MSR("131", "0x2887"), "guest.status-known", P, W},
    {"snp-guest", 0, MSR("131", "0x100000887"), "guest.status-known", P, W},
    {"snp-guest", 0, MSR("131", "0x875fff"), "guest.status-known", P, P},
    {"snp-guest", 0, LEAF("eax", "0x00000000"), "guest.cpuid", P, NA},
    {"snp-guest", 0, "devices", "path", "/dev/sev-guest", NULL, NULL, "guest.device", P, W},
    {"snp-guest", 0, "devices", "path", "/dev/sev-guest", "write", "false", "guest.device", P, U},
    {"snp-guest", 0, GONE("/sys/kernel/config/tsm/report"), "guest.tsm", P, W},
    {"snp-guest", 0, GONE("/sys/devices/system/cpu/sev/vmpl"), "guest.vmpl", P, U},
    {"snp-guest", 0, FILE_TEXT("/proc/sys/kernel/osrelease", "5.18.0\n"), "kernel.guest", P, W},
    {"snp-guest", READY_ES, FILE_TEXT("/proc/sys/kernel/osrelease", "5.9.0\n"), "kernel.guest", P, W},
    {"snp-guest", READY_SEV, FILE_TEXT("/proc/sys/kernel/osrelease", "4.14.0\n"), "kernel.guest", P, W},
    {"snp-guest", 0, FILE_TEXT("/sys/kernel/debug/swiotlb/io_tlb_nslabs", "32768\n"), "swiotlb.guest", P, W},
    {"snp-guest", 0, FILE_TEXT("/sys/kernel/debug/swiotlb/io_tlb_used", "500000\n"), "swiotlb.guest", P, W},
    {"snp-guest", 0, GONE("/sys/kernel/debug/swiotlb/io_tlb_used"), "swiotlb.guest", P, U},
    {"snp-guest", 0, FILE_TEXT("/sys/devices/system/node/node0/meminfo", "Node 0 MemTotal:       0 kB\n"), "numa.guest", P, W},
    {"snp-guest", 0, FILE_TEXT("/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n"), "hugepages.guest",
     P, W},
    {"snp-guest", 0, FILE_TEXT("/sys/devices/system/clocksource/clocksource0/current_clocksource", "kvm-clock\n"),
     "clock.guest", P, NA},
    {"snp-guest", 0, FILE_TEXT("/proc/swaps", "Filename Type Size\n/dev/vda2 partition 8388604 0 -2\n"), "swap.guest", P, W},
};

static size_t entry_index(json_t *list, const char *key, const char *value)
{
    size_t i;
    json_t *e;
    json_array_foreach (list, i, e)
        if (strcmp(json_string_value(json_object_get(e, key)), value) == 0)
            return i;
    fail_msg("no entry %s %s", key, value);
    return 0;
}

static json_t *command_of(json_t *device, int command)
{
    size_t i;
    json_t *e;
    json_array_foreach (json_object_get(device, "commands"), i, e)
        if (json_integer_value(json_object_get(e, "command")) == command)
            return e;
    fail_msg("no command %d", command);
    return NULL;
}

static void mutate(json_t *machine, const struct mutation *m)
{
    json_t *list = json_object_get(machine, m->list);
    size_t i = entry_index(list, m->key, m->value);
    json_t *e = json_array_get(list, i);

    if (!m->field)
        json_array_remove(list, i);
    else if (strncmp(m->field, "command ", 8) == 0)
        json_object_set_new(command_of(e, atoi(m->field + 8)), "data", json_string(m->to));
    else if (strncmp(m->field, "error ", 6) == 0)
        json_object_set_new(command_of(e, atoi(m->field + 6)), "error", json_integer(atoi(m->to)));
    else if (strcmp(m->to, "false") == 0)
        json_object_set_new(e, m->field, json_false());
    else if (strcmp(m->field, "kvm-api") == 0 || strcmp(m->field, "status") == 0)
        json_object_set_new(e, m->field, json_integer(atoi(m->to)));
    else
        json_object_set_new(e, m->field, json_string(m->to));
}

static enum ready_outcome outcome_of(const json_t *machine, const struct mutation *m, char **found)
{
    AUTO_PLATFORM p = machine_of_json(machine);
    AUTO_READY r = report_of(p, READY_ANYWHERE, m->wanted);
    const struct ready_result *result = result_named(r, m->id);
    *found = result->found ? strdup(result->found) : NULL;
    return result->outcome;
}

static void each_fact_decides_its_check(void **state)
{
    (void)state;
    for (size_t i = 0; i < TST_COUNT(mutations); i++) {
        const struct mutation *m = &mutations[i];
        TST_AUTO_JSON machine = machine_json(m->machine);
        TST_AUTO_STR before = NULL;
        TST_AUTO_STR after = NULL;
        if (outcome_of(machine, m, &before) != m->before)
            fail_msg("%s %s: before the change: %s", m->machine, m->id, before);
        mutate(machine, m);
        enum ready_outcome outcome = outcome_of(machine, m, &after);
        if (outcome != m->after)
            fail_msg("%s %s with %s: expected %s, found %s: %s", m->machine, m->id, m->value, ready_outcome_name(m->after),
                     ready_outcome_name(outcome), after);
    }
}

/* cpu.pa-reduction is for information, guest.report and guest.* need two changes at once: see below. */
static void each_check_is_decided_by_some_fact(void **state)
{
    static const char *const elsewhere[] = {"cpu.pa-reduction", "guest.report", "module.kvm-amd"};
    size_t count;
    const struct ready_check *table = ready_checks(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        bool there = false;
        for (size_t j = 0; j < TST_COUNT(mutations); j++)
            there |= strcmp(mutations[j].id, table[i].id) == 0 && mutations[j].before != mutations[j].after;
        for (size_t j = 0; j < TST_COUNT(elsewhere); j++)
            there |= strcmp(elsewhere[j], table[i].id) == 0;
        if (!there)
            fail_msg("no mutation changes %s", table[i].id);
    }
}

static void reports_need_one_of_two_ways(void **state)
{
    (void)state;
    TST_AUTO_JSON machine = machine_json("snp-guest");
    json_t *files = json_object_get(machine, "files");
    json_array_remove(files, entry_index(files, "path", "/sys/kernel/config/tsm/report"));
    AUTO_PLATFORM one = machine_of_json(machine);
    AUTO_READY r = report_of(one, READY_ANYWHERE, 0);
    assert_int_equal(result_named(r, "guest.report")->outcome, READY_PASS);
    json_array_clear(json_object_get(machine, "devices"));
    AUTO_PLATFORM none = machine_of_json(machine);
    AUTO_READY without = report_of(none, READY_ANYWHERE, 0);
    assert_int_equal(result_named(without, "guest.report")->outcome, READY_FAIL);
    assert_int_equal(ready_exit_status(without), 1);
}

static void without_the_kvm_module_its_parameters_say_nothing(void **state)
{
    (void)state;
    TST_AUTO_JSON machine = machine_json("milan-host");
    json_t *files = json_object_get(machine, "files");
    size_t i = 0;
    while (i < json_array_size(files))
        if (strncmp(json_string_value(json_object_get(json_array_get(files, i), "path")), "/sys/module/kvm_amd", 19) == 0)
            json_array_remove(files, i);
        else
            i++;
    AUTO_PLATFORM p = machine_of_json(machine);
    AUTO_READY r = report_of(p, READY_ANYWHERE, 0);
    assert_int_equal(result_named(r, "module.kvm-amd")->outcome, READY_FAIL);
    assert_int_equal(result_named(r, "kvm.sev")->outcome, READY_NA);
    assert_int_equal(result_named(r, "kvm.secure-tsc")->outcome, READY_NA);
}

/* Facts that only commands of `testudo host` or other generations ask for. */
static bool asked_elsewhere(const char *machine, const char *list, const json_t *e)
{
    static const struct {
        const char *machine, *path;
    } rows[] = {
        {"milan-host", "/proc/self/limits"},         {"genoa-host", "/proc/self/limits"},
        {"turin-host", "/proc/self/limits"},         {"study-guest", "/proc/self/limits"},
        {"naples-host", "/sys/module/kvm_amd/parameters/sev_es"}, {"rome-host", "/sys/module/kvm_amd/parameters/sev_snp"},
        {"naples-host", "/sys/devices/system/cpu/smt/active"}, {"rome-host", "/sys/devices/system/cpu/smt/active"},
        {"rome-host", "/sys/class/iommu/ivhd0/amd-iommu/features"}, {"genoa-host", "/sys/class/iommu/ivhd0/amd-iommu/features"},
        {"rome-host", "/proc/meminfo"}, {"turin-host", "/proc/meminfo"}, {"milan-host",
         "/usr/share/qemu/firmware/50-edk2-x86_64.json"},
    };
    const char *path = json_string_value(json_object_get(e, "path"));
    if (strcmp(machine, "laptop") == 0 && strcmp(list, "files") == 0)
        return true; /* an ordinary machine: what it has besides is not asked for once its CPU is seen */
    if (path && strstr(path, "/sys/devices/system/node/node"))
        return true; /* counted */
    if (path && strcmp(path, "/sys/module/kvm_amd") == 0)
        return true; /* implied by the parameters in it */
    for (size_t i = 0; path && i < TST_COUNT(rows); i++)
        if (strcmp(rows[i].machine, machine) == 0 && strcmp(rows[i].path, path) == 0)
            return true;
    return false;
}

static void no_fact_of_a_machine_is_idle(void **state)
{
    static const char *const lists[] = {"cpuid", "msrs", "files", "devices", "programs"};
    (void)state;
    for (size_t n = 0; machine_names[n]; n++) {
        size_t length;
        TST_AUTO_STR expected = machine_file(machine_names[n], ".expected", &length);
        for (size_t l = 0; l < TST_COUNT(lists); l++) {
            TST_AUTO_JSON whole = machine_json(machine_names[n]);
            size_t size = json_array_size(json_object_get(whole, lists[l]));
            for (size_t i = 0; i < size; i++) {
                TST_AUTO_JSON machine = json_deep_copy(whole);
                json_t *list = json_object_get(machine, lists[l]);
                if (asked_elsewhere(machine_names[n], lists[l], json_array_get(list, i)))
                    continue;
                TST_AUTO_STR entry = json_dumps(json_array_get(list, i), 0);
                json_array_remove(list, i);
                AUTO_PLATFORM p = machine_of_json(machine);
                AUTO_READY r = report_of(p, READY_ANYWHERE, 0);
                TST_AUTO_STR found = report_text(r);
                if (strcmp(found, expected) == 0)
                    fail_msg("%s: nothing depends on %s", machine_names[n], entry);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fact_decides_its_check),
        cmocka_unit_test(each_check_is_decided_by_some_fact),
        cmocka_unit_test(reports_need_one_of_two_ways),
        cmocka_unit_test(without_the_kvm_module_its_parameters_say_nothing),
        cmocka_unit_test(no_fact_of_a_machine_is_idle),
    };
    return cmocka_run_group_tests_name("mutations", tests, NULL, NULL);
}
