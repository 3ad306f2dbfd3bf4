#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# check.bats - `testudo check` and `testudo host` on constructed machines and on this one: exit status, what comes first, JSON.

setup_file() {
    local build=${TESTUDO_BUILD:-$BATS_TEST_DIRNAME/../../build}
    build=$(cd "$build" && pwd)
    export TESTUDO=$build/src/cli/testudo
    export BUILD=$build
    export MACHINES=$BATS_TEST_DIRNAME/../unit/platform/machines
}

# check MACHINE [ARGUMENT...]
check() {
    run "$TESTUDO" check --root "$MACHINES/$1.json" "${@:2}"
    echo "$output"
}

# host COMMAND MACHINE [ARGUMENT...]
host() {
    run "$TESTUDO" host "$1" --root "$MACHINES/$2.json" "${@:3}"
    echo "$output"
}

@test "a constructed machine is called constructed, and where it stands comes first" {
    check milan-host
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "machine: constructed from "*"milan-host.json (Milan host)" ]]
    [[ ${lines[1]} == "stands:  host" ]]
    [[ $output == *"verdict: this host is ready for SEV-SNP, with warnings"* ]]
}

@test "the study's guest is a guest: no FAIL, and what to do" {
    check study-guest
    [ "$status" -eq 3 ]
    [[ ${lines[1]} == "stands:  guest" ]]
    [[ $output != *FAIL* ]]
    [[ $output == *"?    guest.sev"* ]]
    [[ $output == *"modprobe msr"* ]]
    [[ $output == *"verdict: undecidable"* ]]
}

@test "a host's checks are not run in a guest" {
    for generation in sev es snp; do
        check study-guest host --for $generation
        [ "$status" -eq 3 ]
        [[ ${lines[1]} == "stands:  guest" ]]
        [[ $output != *FAIL* && $output != */dev/sev\ * ]]
        [[ $output == *"You asked about a host, and this is a guest"* ]]
    done
    check milan-host guest
    [ "$status" -eq 3 ]
    [[ $output == *"You asked about a guest, and this is a host"* ]]
}

@test "exit status by class" {
    check snp-guest
    [ "$status" -eq 0 ]
    check genoa-host
    [ "$status" -eq 1 ]
    check genoa-host --for es
    [ "$status" -eq 0 ]
    check laptop
    [ "$status" -eq 1 ]
    check study-guest
    [ "$status" -eq 3 ]
}

@test "a failure says what it means, what is wanted and what to do" {
    check rome-host
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL asid.split"*"509 for SEV, 0 for SEV-ES and SEV-SNP"*"means: the BIOS decides"*"wanted: at least 1"*"to do: in BIOS set"* ]]
}

@test "--json lists every check of --list, in order" {
    check turin-host --json
    [ "$status" -eq 0 ]
    ids=$(jq -r '.checks[].id' <<<"$output")
    [ "$(jq -r '[.stands, .constructed, .for, .verdict, ."exit-status"] | join(" ")' <<<"$output")" = "host true snp ready 0" ]
    [ "$(jq -r '.checks[] | select(.outcome == "fail") | .id' <<<"$output")" = "" ]
    run "$TESTUDO" check --list --json
    [ "$(jq -r '.[].id' <<<"$output")" = "$ids" ]
    run "$TESTUDO" check --list
    [ "$(awk '{print $1}' <<<"$output")" = "$ids" ]
}

@test "--only and --skip" {
    check genoa-host --only syscfg --json
    [ "$status" -eq 0 ]
    [ "$(jq -r '[.checks[] | select(.outcome == "pass") | .id] | join(" ")' <<<"$output")" = "syscfg.sme syscfg.snp syscfg.vmpl" ]
    check genoa-host --skip rmp.addresses,kvm,fw,alias,iommu
    [ "$status" -eq 0 ]
    check genoa-host --skip nothing.here
    [ "$status" -eq 2 ]
    [[ $output == *"no check 'nothing.here'"*"--list"* ]]
}

@test "domain capabilities may come from a file" {
    printf "<domainCapabilities><features><sev supported='no'/></features></domainCapabilities>" >"$BATS_TEST_TMPDIR/caps.xml"
    check milan-host --only libvirt --domcapabilities "$BATS_TEST_TMPDIR/caps.xml"
    [[ $output == *"warn libvirt.capabilities"*"sev no"* ]]
    printf "<domain/>" >"$BATS_TEST_TMPDIR/caps.xml"
    check milan-host --only libvirt --domcapabilities "$BATS_TEST_TMPDIR/caps.xml"
    [[ $output == *"?    libvirt.capabilities"*"<domainCapabilities>"* ]]
}

@test "a folder stands for /" {
    mkdir -p "$BATS_TEST_TMPDIR/root/proc/sys/kernel"
    echo 6.12.0 >"$BATS_TEST_TMPDIR/root/proc/sys/kernel/osrelease"
    run "$TESTUDO" check guest --root "$BATS_TEST_TMPDIR/root" --only kernel
    [[ ${lines[0]} == "machine: constructed from $BATS_TEST_TMPDIR/root"* ]]
    [[ $output == *"judged:  as a guest, because you say so"* ]]
    [[ $output == *"ok   kernel.guest"*"6.12.0"* ]]
}

@test "this machine: says where it stands, and judges only that" {
    run "$TESTUDO" check
    echo "$output"
    [ "$status" -ne 70 ]
    [ "$status" -ne 2 ]
    [ "${lines[0]}" = "machine: this machine" ]
    [[ ${lines[1]} == "stands:  "* ]]
    if ! grep -q AuthenticAMD /proc/cpuinfo; then
        [ "$status" -eq 1 ]
        [[ $output == *"FAIL cpu.vendor"* ]]
    fi
    if grep -qw hypervisor /proc/cpuinfo; then
        [ "${lines[1]}" = "stands:  guest" ]
    fi
}

@test "bad usage: exit 2 and what was wrong" {
    check milan-host nowhere
    [ "$status" -eq 2 ]
    [[ $output == *"none of host, guest, auto"* ]]
    check milan-host --for tdx
    [ "$status" -eq 2 ]
    [[ $output == *"expected sev, es or snp"* ]]
    run "$TESTUDO" check --root /nowhere.json
    [ "$status" -eq 2 ]
    printf '{"machine": "m", "extra": 1}' >"$BATS_TEST_TMPDIR/bad.json"
    run "$TESTUDO" check --root "$BATS_TEST_TMPDIR/bad.json"
    [ "$status" -eq 2 ]
    [[ $output == *bad.json* ]]
}

@test "host status shows firmware, TCB and the certificate's address" {
    host status milan-host
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "machine: constructed from "* ]]
    [[ $output == *"1.55 build 40"* ]]
    [[ $output == *"bootloader 4, tee 0, snp 27, microcode 219"* ]]
    [[ $output == *"/vcek/v1/Milan/0001"*"snpSPL=27&ucodeSPL=219"* ]]
    host status turin-host --json
    [ "$(jq -r '[.constructed, .product, .snp."current-tcb".fmc, .snp."ciphertext-hiding"] | join(" ")' <<<"$output")" = "true turin 1 true" ]
    host status naples-host
    [ "$status" -eq 0 ]
    [[ $output == *"0.17 build 22"* ]]
}

@test "host: what changes something needs --yes, and says what would be lost" {
    host commit milan-host
    [ "$status" -eq 4 ]
    [[ $output == *"nothing was done"*"1.55 build 40 impossible on this machine, for ever"*"--yes"* ]]
    host commit milan-host --yes
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "machine: constructed from "* ]]
    host config milan-host --tcb snp=20
    [ "$status" -eq 4 ]
    host config milan-host --tcb snp=20 --mask-chip-id on --yes
    [ "$status" -eq 0 ]
    host config milan-host --reset --yes
    [ "$status" -eq 0 ]
}

@test "host config refuses what the firmware would" {
    host config milan-host --tcb snp=28 --yes
    [ "$status" -eq 1 ]
    [[ $output == *"cannot claim more than what runs"*"expected:"*"snp 27"*"found:"*"snp 28"* ]]
    for tcb in snp=256 snp= snp=x fmc=1 =3 'snp=1,,' snp; do
        host config milan-host --tcb "$tcb" --yes
        [ "$status" -eq 2 ]
    done
    host config milan-host --yes
    [ "$status" -eq 2 ]
    host config milan-host --reset --tcb snp=1 --yes
    [ "$status" -eq 2 ]
    host config milan-host --mask-chip-key maybe --yes
    [ "$status" -eq 2 ]
}

@test "host reset refuses while guests run" {
    host reset milan-host --yes
    [ "$status" -eq 1 ]
    [[ $output == *"2 guests"*"stop them first"* ]]
}

@test "host vlek-load takes exactly 432 bytes" {
    head -c 432 /dev/zero >"$BATS_TEST_TMPDIR/wrapped"
    head -c 431 /dev/zero >"$BATS_TEST_TMPDIR/short"
    host vlek-load milan-host "$BATS_TEST_TMPDIR/wrapped" --yes
    [ "$status" -eq 0 ]
    host vlek-load milan-host "$BATS_TEST_TMPDIR/wrapped"
    [ "$status" -eq 4 ]
    host vlek-load milan-host "$BATS_TEST_TMPDIR/short" --yes
    [ "$status" -eq 2 ]
    [[ $output == *"431 bytes, expected 432"* ]]
}

@test "host: a machine without /dev/sev says so" {
    host status laptop
    [ "$status" -eq 2 ]
    [[ $output == *"/dev/sev"*"in a guest there never is one"* ]]
}

@test "a certificate table is built, split, and never overwritten" {
    mkdir "$BATS_TEST_TMPDIR/evidence"
    "$BUILD/tests/unit/snp/make_evidence" "$BATS_TEST_TMPDIR/evidence"
    cd "$BATS_TEST_TMPDIR"
    csplit -s -f cert evidence/chain.pem '/-----BEGIN/' '{*}'
    ask=cert01 ark=cert02
    run "$TESTUDO" host cert-table build table --vek evidence/vek.der --ask "$ask" --ark "$ark"
    [ "$status" -eq 0 ]
    run "$TESTUDO" host cert-table build table --vek evidence/vek.der
    [ "$status" -eq 2 ]
    run "$TESTUDO" host cert-table split table out --json
    [ "$status" -eq 0 ]
    [ "$(jq -r '[.[].name] | join(" ")' <<<"$output")" = "VCEK ASK ARK" ]
    cmp evidence/vek.der out/1-vcek.der
    head -c 100 table >short.table
    run "$TESTUDO" host cert-table split short.table out2
    [ "$status" -eq 2 ]
    [ ! -e out2 ]
}
