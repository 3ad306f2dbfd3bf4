/* SPDX-License-Identifier: Apache-2.0 */
/* cli/evidence_causes.c - what usually stands behind a check that does not hold: one table, by check id. Sources: what users
 * of the other SEV tools report most (docs/evidence.md), and AMD's bulletins. */
#include "cli/evidence_input.h"

#define CAUSES_MAX 5
static const struct {
    const char *id;
    const char *causes[CAUSES_MAX];
    bool when_missing; /* they stand behind "cannot be decided" too, not only behind "does not hold" */
} rows[] = {
#define FAIL(id, ...) {id, {__VA_ARGS__}, false}
#define OPEN(id, ...) {id, {__VA_ARGS__}, true}
    FAIL("report.parse",
          "the file was cut, or text was saved as if it were bytes (a missing final block, a wrong encoding)",
          "it is a report of another technology (TDX, legacy SEV)",
          "bytes behind the signature were changed: they are not signed, and must be zero"),
    FAIL("report.version",
          "the firmware is newer than this program: --lenient judges what is known, a newer Testudo judges all",
          "the report was made up: no production firmware writes version 0 or 1"),
    FAIL("report.signature-algorithm",
          "the report was changed: firmware signs with ECDSA P-384 only"),
    OPEN("report.signing-key",
          "the provider signs with a VLEK (Amazon does), and the VCEK of the chip was given, or the other way round",
          "the host set MASK_CHIP_KEY: such a host signs nothing"),
    OPEN("product",
          "the chain of another product was given: Bergamo and Siena belong to Genoa's chain",
          "a version 2 report does not name its CPU: the VEK or --product has to",
          "the CPU is newer than this program's table"),
    FAIL("chain.ark-pin",
          "the evidence comes from a simulator, and no policy was given that names its root",
          "the ARK of another product was given",
          "somebody made a chain of their own: a self-signed root proves nothing by itself"),
    FAIL("chain.ark-self-signature",
          "the ARK file is damaged, or only looks like AMD's"),
    FAIL("chain.ask",
          "ASK and ASVK were mixed up: a VCEK hangs below SEV-PRODUCT, a VLEK below SEV-VLEK-PRODUCT",
          "the chain of another product was given"),
    FAIL("chain.vek",
          "the VCEK of another product, or a VLEK below the VCEK's chain",
          "the ASK of before 2022-10-31 for Genoa, which AMD revoked (serial 020001)"),
    FAIL("chain.dates",
          "a VLEK lives one year: a stored one has run out",
          "the clock of this machine is wrong; --at judges as of another time",
          "old evidence is looked at today: use --at with the time when it was made"),
    FAIL("vek.extensions",
          "a certificate for tests, or of a tool that writes AMD's extensions in another form",
          "a Turin VCEK read by rules for Milan, or the reverse"),
    FAIL("report.signature",
          "the VCEK was fetched for the current TCB: reports are signed with the VCEK of the reported TCB",
          "the VCEK is of another chip: each host of a cloud has its own",
          "the report was changed on its way: a tool that reads and writes it again loses bits that it does not know",
          "JSON evidence by an old agent lacks the mitigation vectors of version 5 reports"),
    FAIL("tcb.vek",
          "the host updated its firmware, or changed the reported TCB, after the VCEK was fetched",
          "the VCEK was fetched for the current or committed TCB instead of the reported one"),
    OPEN("chip.vek",
          "the VCEK is of another host: after a migration or a new launch the guest may be elsewhere",
          "the host masks its chip id: then only a policy without a chip list can be met"),
    FAIL("binding.report-data",
          "an answer to another challenge, or a replayed one",
          "the challenge was hashed or padded differently on the two sides (SHA-384 with zeros, SHA-512)",
          "Azure: the runtime JSON does not belong to this report, or was changed",
          "SVSM: REPORT_DATA carries SHA-512(nonce, manifest), not the nonce"),
    FAIL("tcb.order",
          "Azure and Amazon report less than they run, on purpose, so that evidence stays stable over updates",
          "the host runs firmware that it has not committed yet (provisional)"),
    FAIL("policy.simulated",
          "the policy does not name this simulator's root, or names that of another cluster"),
    FAIL("policy.product",
          "the guest was started on another generation of host than planned"),
    FAIL("policy.measurement",
          "vCPU count or type, firmware, kernel, initrd or command line differ from the reference: `testudo measure explain --got DIGEST` searches the usual ones",
          "the image was updated, and its new reference value is not in the policy yet",
          "the reference value's end date has passed",
          "the host started something else"),
    FAIL("policy.tcb-floor",
          "the host's firmware is older than the floor: the operator has to update it and commit",
          "the host was updated but still reports the old TCB (SNP_SET_CONFIG)",
          "the guest was launched before the update: the launch TCB changes with a new launch only"),
    FAIL("policy.debug",
          "the guest was launched with a policy for development", "somebody wants to read its memory"),
    FAIL("policy.migration-agent",
          "the guest was launched with a policy that allows migration"),
    FAIL("policy.vmpl",
          "under an SVSM the kernel runs at VMPL 1 to 3 and asks there",
          "a tool with another default asked (snpguest asks at VMPL 1)"),
    OPEN("policy.chip",
          "the guest runs on a host that is not in the policy's list", "the host masks its chip id, or signs with a VLEK: both hide the chip"),
    FAIL("policy.milan",
          "keys of Milan chips can be extracted (AMD-SB-3045): only chips that are known and guarded count"),
    FAIL("policy.report-version",
          "the host's firmware is older than the policy wants"),
    FAIL("policy.firmware",
          "the host's firmware is older than the policy wants, or is not committed"),
    FAIL("policy.provisional-firmware",
          "the host was updated and has not committed: `testudo host commit` there, by the operator"),
    OPEN("policy.mitigations",
          "the host lacks a mitigation, or the guest was launched before the host had it", "only reports of version 5 carry mitigation vectors"),
    FAIL("policy.guest-policy",
          "the launch policy given to the hypervisor is not the one that the data owner's policy wants"),
    FAIL("policy.platform-info",
          "a setting of the host's BIOS: SMT, TSME, RAPL, or the alias check that an old firmware does not do"),
    FAIL("policy.guest-svn",
          "an older image, or an ID block whose SVN was not raised"),
    FAIL("policy.family-id",
          "another ID block, or none: without one FAMILY_ID is zero"),
    FAIL("policy.image-id",
          "another ID block, or none: without one IMAGE_ID is zero"),
    FAIL("policy.vlek",
          "the provider signs with its own key, which all of its hosts share (Amazon does), and the policy wants a chip's"),
    FAIL("policy.host-data",
          "the host gave other data at launch, or none"),
    FAIL("policy.id-key",
          "the guest was launched without an ID block, or with one that another key signed"),
    FAIL("policy.author-key",
          "the ID key is not certified by the author key of the policy"),
    OPEN("policy.crl",
          "no revocation list was fetched yet: `testudo collateral fetch`",
          "the stored list is older than the policy allows: `testudo collateral refresh`"),
    FAIL("policy.level",
          "no reference value matched, so nothing is known of what was started", "the reference value stands for a lower level than the policy's minimum (disk boot)"),
};

const char *const *evidence_causes(const struct tst_check *c)
{
    for (size_t i = 0; i < TST_COUNT(rows); i++)
        if (strcmp(rows[i].id, c->info->id) == 0)
            return rows[i].when_missing || c->outcome != TST_CHECK_MISSING ? rows[i].causes : NULL;
    return NULL;
}

const char *evidence_cause_id(size_t i)
{
    return i < TST_COUNT(rows) ? rows[i].id : NULL;
}
