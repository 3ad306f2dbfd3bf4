#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# measure.bats - `testudo measure ...`: digests, reference values, explanations, IGVM, ID blocks. The images are made on the
# spot; published digests are checked by tests/unit/measure/test_measure_vectors.c.

setup_file() {
    local build=${TESTUDO_BUILD:-$BATS_TEST_DIRNAME/../../build}
    build=$(cd "$build" && pwd)
    export BUILD=$build TESTUDO=$build/src/cli/testudo
    export IMAGES=$BATS_FILE_TMPDIR/images
    mkdir "$IMAGES"
    "$build/tests/unit/measure/make_images" "$IMAGES"
    printf kernel >"$IMAGES/kernel"
    printf initrd >"$IMAGES/initrd"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$IMAGES/id.pem" 2>/dev/null
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$IMAGES/author.pem" 2>/dev/null
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$IMAGES/p256.pem" 2>/dev/null
}

setup() {
    cd "$IMAGES" || return 1
}

measure() {
    run "$TESTUDO" measure "$@"
}

# digest OPTION...: the one digest of a launch
digest() {
    "$TESTUDO" measure --firmware firmware "$@" --json | jq -r '.flavors[0].digest'
}

# usage_error WORDS ARGUMENT...: exit status 2, and the message says the words
usage_error() {
    local words=$1
    shift
    run "$TESTUDO" measure "$@"
    echo "$output"
    [ "$status" -eq 2 ]
    [[ $output == *"$words"* ]]
}

KERNEL=(--kernel kernel --initrd initrd --append "root=/dev/vda1 ro")
# by another implementation, see tests/unit/measure/test_launch.c
KNOWN=c538dbe512f602e7a01e9571ed2eaad083a06ac957593c1e55e4edf25eed7c3e0aedf449be08e5ae2728caf957715f09

@test "a launch has its known digest, named by CPU model, signature or family/model/stepping" {
    [ "$(digest --vcpu-type EPYC-Milan --vcpus 2 "${KERNEL[@]}")" = $KNOWN ]
    [ "$(digest --vcpu-type 0xa00f11 --vcpus 2 "${KERNEL[@]}")" = $KNOWN ]
    [ "$(digest --vcpu-type 25/1/1 --vcpus 2 "${KERNEL[@]}")" = $KNOWN ]
}

@test "kernel and initrd can be given as hashes" {
    [ "$(digest --vcpu-type EPYC-Milan --vcpus 2 --kernel "sha256:$(sha256sum kernel | cut -d' ' -f1)" \
        --initrd "sha256:$(sha256sum initrd | cut -d' ' -f1)" --append "root=/dev/vda1 ro")" = $KNOWN ]
}

@test "the firmware's digest replaces the firmware but for its last page" {
    local firmware
    firmware=$("$TESTUDO" measure firmware firmware --json | jq -r '."firmware-digest"')
    tail -c 4096 firmware >"$BATS_TEST_TMPDIR/tail"
    run "$TESTUDO" measure --firmware "$BATS_TEST_TMPDIR/tail" --firmware-digest "$firmware" --vcpu-type EPYC-Milan --vcpus 2 "${KERNEL[@]}"
    [ "$status" -eq 0 ]
    [[ $output == *$KNOWN* ]]
}

@test "several vCPU counts and CPUs make one row a flavor" {
    measure --firmware firmware --vcpus 1,2,64 --vcpu-type EPYC-Milan,EPYC-Genoa
    [ "$status" -eq 0 ]
    [ "$(grep -cE '^ +[0-9]+  EPYC-(Milan|Genoa) +  ?[0-9a-f]{96}$' <<<"$output")" -eq 6 ]
    [ "$(grep -oE '[0-9a-f]{96}' <<<"$output" | sort -u | wc -l)" -eq 6 ]
    [[ $output == *"level firmware"* ]]
}

@test "modes and VMMs have digests of their own" {
    [ "$(digest --mode sev)" = "$(sha256sum firmware | cut -d' ' -f1)" ]
    for vmm in ec2 ec2-rdx0 gce krun; do digest --vmm $vmm --vcpus 2; done | sort -u | wc -l | grep -qx 4
    [ "$(digest --mode es --vcpu-type EPYC-Milan --vcpus 2)" = 4c17cb1856feb158b1c158df5fcb82764032d0922d6948c42ce4bb78789f1578 ]
    [ "$(digest --svsm svsm --vars-size 0x2000 --vcpu-type EPYC-Milan --vcpus 2)" = \
        f2c410024447d0df1c1019a36138173d904d3ed7ac921bc9180e0ec4ba6a8023f74f0f2bcd3ec57f107f574a0bf052cf ]
}

@test "reference values are taken by a policy" {
    local evidence=$BATS_TEST_TMPDIR/evidence
    mkdir "$evidence"
    "$BUILD/tests/unit/snp/make_evidence" "$evidence"
    measure --firmware firmware --vcpus 1,2 --vcpu-type EPYC-Milan,EPYC-Genoa --kernel kernel --initrd initrd \
        --append "roothash=11 ro" --name 'node "a\b"' --until 2027-01-01 --acpi confined --out "$evidence/refs.yaml"
    [ "$status" -eq 0 ]
    [ "$(grep -c 'level: measured' "$evidence/refs.yaml")" -eq 4 ]
    printf 'name: own\nproducts: [genoa]\nmeasurements: {include: refs.yaml}\n' >"$evidence/own.yaml"
    run "$TESTUDO" evidence verify "$evidence/good.bin" --vek "$evidence/vek.der" --chain "$evidence/chain.pem" --at 2026-11-23 \
        --policy "$evidence/own.yaml" --json
    echo "$output"
    [ "$status" -ne 2 ]
    [ "$(jq -r '.checks[] | select(.id == "policy.measurement") | .outcome' <<<"$output")" = fail ]
    sed -i "0,/digest: .*/s//digest: \"$(jq -r .report.measurement <<<"$output")\"/" "$evidence/refs.yaml"
    run "$TESTUDO" evidence verify "$evidence/good.bin" --vek "$evidence/vek.der" --chain "$evidence/chain.pem" --at 2026-11-23 \
        --policy "$evidence/own.yaml" --json
    [ "$(jq -r '.checks[] | select(.id == "policy.measurement") | .outcome' <<<"$output")" = pass ]
}

@test "the level of a reference value claims no more than what is measured" {
    measure --firmware firmware --vcpu-type EPYC-Milan --out -
    [[ $output == *"level: firmware"* ]]
    measure --firmware firmware --vcpu-type EPYC-Milan "${KERNEL[@]}" --out -
    [[ $output == *"level: firmware"* ]]
    measure --firmware firmware --vcpu-type EPYC-Milan "${KERNEL[@]}" --level measured --out -
    [[ $output == *"level: measured"* ]]
    usage_error "only the firmware is measured" --firmware firmware --vcpu-type EPYC-Milan --level measured --out -
    usage_error "reference values are for snp" --mode sev --firmware firmware --out -
}

@test "explain names the one difference" {
    local got
    got=$(digest --vcpu-type EPYC-Milan --vcpus 2 --sev-features 0x21 "${KERNEL[@]}")
    run "$TESTUDO" measure explain --got "$got" --firmware firmware --vcpu-type EPYC-Milan --vcpus 2 "${KERNEL[@]}" --json
    [ "$status" -eq 0 ]
    [ "$(jq -r '.explained, .changes[].what, .changes[].found' <<<"$output" | paste -sd' ')" = "true sev features 0x21 (DebugSwap on)" ]
    run "$TESTUDO" measure explain --got "$got" --firmware firmware --vcpu-type EPYC-Milan --vcpus 2 "${KERNEL[@]}"
    [[ $output == *"one difference"*"sev features"*"DebugSwap on"* ]]
}

@test "explain finds the vCPU count and a missing initrd together" {
    local got
    got=$(digest --vcpu-type EPYC-Milan --vcpus 9 --kernel kernel --append "root=/dev/vda1 ro")
    run "$TESTUDO" measure explain --got "$got" --firmware firmware --vcpu-type EPYC-Milan --vcpus 2 "${KERNEL[@]}" --max-vcpus 16
    [ "$status" -eq 0 ]
    [[ $output == *"initrd missing"*"found: 9"* ]]
}

@test "explain of the launch as given needs no difference" {
    run "$TESTUDO" measure explain --got $KNOWN --firmware firmware --vcpu-type EPYC-Milan --vcpus 2 "${KERNEL[@]}"
    [ "$status" -eq 0 ]
    [[ $output == *"exactly as given"* ]]
}

@test "explain says what was tried when nothing fits: exit 1" {
    run "$TESTUDO" measure explain --got "${KNOWN//c/d}" --firmware firmware --vcpu-type EPYC-Milan --vcpus 2 "${KERNEL[@]}" --max-vcpus 8
    [ "$status" -eq 1 ]
    [[ $output == *"not explained"*"initrd missing"*"DebugSwap"*"vcpus: 1 to 8"* ]]
}

@test "explain takes the digest from a report" {
    "$BUILD/tests/unit/snp/make_evidence" "$BATS_TEST_TMPDIR"
    run "$TESTUDO" measure explain --got "$BATS_TEST_TMPDIR/good.bin" --firmware firmware --vcpu-type EPYC-Milan --max-vcpus 2
    [ "$status" -eq 1 ]
    usage_error "a digest in hex, or a file" explain --got nowhere --firmware firmware --vcpu-type EPYC-Milan
}

@test "firmware is shown: map, entries, digest" {
    measure firmware firmware
    [ "$status" -eq 0 ]
    [[ $output == *"0x80b004"*"0x810c00, 1024 bytes"*"kernel-hashes"*"secrets"* ]]
    measure firmware plain
    [[ $output == *"kernel hashes          none"* ]]
    measure firmware bare
    [[ $output == *"no table at its end"* ]]
}

@test "an IGVM file is measured, also as QEMU does, and becomes a reference value" {
    measure igvm igvm
    [ "$status" -eq 0 ]
    [[ $output == *827f55fe15b0b1edd2645058acc24c32a7d619ffd0ad2c22cee50d94074ec9fd5bdaa1b8e968b0fb72ef10f76c173f40* ]]
    [ "$("$TESTUDO" measure igvm igvm --native-zero --json | jq -r .digest)" = \
        5b83d429c430d556bc4d0390ad881ee32b8d2bf9feb64bb11e040e8fd30e96e9d95a5ac21472fa385cac3aa8b1a77bb0 ]
    measure igvm igvm --out - --name svsm
    [[ $output == *'name: "svsm"'*827f55fe15b0* ]]
}

@test "a damaged IGVM file is refuted or bad input" {
    local broken=$BATS_TEST_TMPDIR/broken
    cp igvm "$broken"
    printf '\xff' | dd of="$broken" bs=1 seek=60 conv=notrunc status=none
    measure igvm "$broken"
    [ "$status" -eq 1 ]
    [[ $output == *checksum* ]]
    head -c 1000 igvm >"$broken"
    usage_error "says it has" igvm "$broken"
}

@test "an ID block is signed, verifies, and names its keys" {
    measure id-block --digest $KNOWN --id-key id.pem --author-key author.pem --svn 7 --out-block "$BATS_TEST_TMPDIR/block" \
        --out-auth "$BATS_TEST_TMPDIR/auth" --json
    [ "$status" -eq 0 ]
    [ "$(jq -r '."id-key-digest"' <<<"$output")" = "$("$TESTUDO" measure id-key id.pem)" ]
    [ "$(jq -r '."author-key-digest"' <<<"$output")" = "$("$TESTUDO" measure id-key author.pem)" ]
    [ "$(jq -r '."id-block"' <<<"$output" | base64 -d | sha256sum)" = "$(sha256sum <"$BATS_TEST_TMPDIR/block")" ]
    [ "$(jq -r '."id-auth"' <<<"$output" | base64 -d | sha256sum)" = "$(sha256sum <"$BATS_TEST_TMPDIR/auth")" ]
    measure id-verify "$BATS_TEST_TMPDIR/block" "$BATS_TEST_TMPDIR/auth"
    [ "$status" -eq 0 ]
    [[ $output == *"signatures         hold"*$KNOWN*"guest SVN          7"* ]]
}

@test "a changed ID block is refuted: exit 1" {
    "$TESTUDO" measure id-block --digest $KNOWN --id-key id.pem --out-block "$BATS_TEST_TMPDIR/block" --out-auth "$BATS_TEST_TMPDIR/auth"
    printf '\x00' | dd of="$BATS_TEST_TMPDIR/block" bs=1 conv=notrunc status=none
    measure id-verify "$BATS_TEST_TMPDIR/block" "$BATS_TEST_TMPDIR/auth"
    [ "$status" -eq 1 ]
    [[ $output == *"does not verify"* ]]
}

@test "the digest of a key is the same from its public half and each form of its private half" {
    openssl pkey -in id.pem -pubout -out "$BATS_TEST_TMPDIR/id.pub"
    openssl pkcs8 -topk8 -nocrypt -in id.pem -outform DER -out "$BATS_TEST_TMPDIR/id.der"
    openssl ec -in id.pem -outform DER -out "$BATS_TEST_TMPDIR/ec.der" 2>/dev/null
    { openssl ecparam -name secp384r1; openssl ec -in id.pem 2>/dev/null; } >"$BATS_TEST_TMPDIR/ec.pem"
    for key in id.pem "$BATS_TEST_TMPDIR"/{id.pub,id.der,ec.der,ec.pem}; do
        measure id-key "$key"
        [ "$status" -eq 0 ]
        [[ $output =~ ^[0-9a-f]{96}$ ]]
        [ "${first:=$output}" = "$output" ]
    done
}

@test "bad usage: exit 2 and what was wrong" {
    usage_error "--firmware is missing" --vcpu-type EPYC-Milan
    usage_error "--vcpu-type is missing" --firmware firmware
    usage_error "EPYC-Turin" --firmware firmware --vcpu-type EPYC-Naples
    usage_error "up to" --firmware firmware --vcpu-type 999/1/1
    usage_error "expected 1 to 4096" --firmware firmware --vcpu-type EPYC --vcpus 0
    usage_error "--vcpus" --firmware firmware --vcpu-type EPYC --vcpus 1,x
    usage_error "--mode" --firmware firmware --mode tdx
    usage_error "--vmm" --firmware firmware --vmm xen
    usage_error "--fpu" --firmware firmware --vcpu-type EPYC --fpu half
    usage_error "goes with --kernel" --firmware firmware --vcpu-type EPYC --initrd initrd
    usage_error "no place for kernel hashes" --firmware plain --vcpu-type EPYC --kernel kernel
    usage_error "use OVMF.amdsev.fd" --firmware plain --vcpu-type EPYC --kernel kernel
    usage_error "nowhere" --firmware nowhere --vcpu-type EPYC
    usage_error "no SEV metadata" --firmware bare --vcpu-type EPYC
    usage_error "bit 0" --firmware firmware --vcpu-type EPYC --sev-features 0x20
    usage_error "P-384" id-key p256.pem
    usage_error "private key on P-384" id-block --digest $KNOWN --id-key kernel
    usage_error "hex digits" explain --got abcd --firmware firmware --vcpu-type EPYC
}
