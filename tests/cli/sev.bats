#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# sev.bats - `testudo sev`: exit status, tables, JSON, files that hold secrets. The platform is synthetic, made once; real
# chains, measurements and packets are judged by tests/unit/sev/test_vectors.c.

setup_file() {
    local build=${TESTUDO_BUILD:-$BATS_TEST_DIRNAME/../../build}
    build=$(cd "$build" && pwd)
    export TESTUDO=$build/src/cli/testudo
    export P=$BATS_FILE_TMPDIR/platform
    mkdir "$P"
    "$build/tests/unit/sev/make_sev" "$P"
    ROOT=$(cat "$P/root")
    export ROOT
    export MNONCE=01020300000000000000000000000000
    export DIGEST=0405060000000000000000000000000000000000000000000000000000000000
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

sev() {
    run "$TESTUDO" sev "$@"
    echo "$output"
}

on_platform() {
    sev "$@" --chain "$P/chain.cert" --simulated-root "$ROOT"
}

# usage_error WORDS ARGUMENT...
usage_error() {
    local words=$1
    shift
    sev "$@"
    [ "$status" -eq 2 ]
    [[ $output == *"$words"* ]]
}

# a firmware of zeros, and a session's TIK
launch_inputs() {
    head -c 8192 /dev/zero >fw
    head -c 16 /dev/zero >tik
    head -c 4096 /dev/zero >page
}

# ---- show, verify ----
@test "a genuine platform is verified, loudly SIMULATED when its root is ours" {
    on_platform verify
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == SIMULATED:* ]]
    [[ $output == *"pin --ok--> ARK (itself ok) --ok--> ASK --ok--> CEK --ok--> PEK --ok--> PDH"* ]]
    [[ $output == *"verdict: genuine (SIMULATED) platform"* ]]
}

@test "certificates one by one, or AMD's two in one file, verify alike" {
    sev verify --pdh "$P/pdh.cert" --pek "$P/pek.cert" --oca "$P/oca.cert" --cek "$P/cek.cert" --ca "$P/ask_ark.cert" --simulated-root "$ROOT"
    [ "$status" -eq 0 ]
    sev verify --pdh "$P/pdh.cert" --pek "$P/pek.cert" --oca "$P/oca.cert" --cek "$P/cek.cert" --ask "$P/ask.cert" --ark "$P/ark.cert" \
        --simulated-root "$ROOT"
    [ "$status" -eq 0 ]
}

@test "a root that is not AMD's is refuted, and the reason is named" {
    sev verify --chain "$P/chain.cert"
    [ "$status" -eq 1 ]
    [[ $output == *"refuted, by chain.ark-pin (ark-not-pinned)"* ]]
}

@test "a root without signature is refuted by name" {
    sev verify --pdh "$P/pdh.cert" --pek "$P/pek.cert" --oca "$P/oca.cert" --cek "$P/cek.cert" --ask "$P/ask.cert" \
        --ark "$P/ark_unsigned.cert" --simulated-root "$ROOT"
    [ "$status" -eq 1 ]
    [[ $output == *"(ark-without-signature)"* ]]
}

@test "a missing certificate is undecidable: exit 3" {
    sev verify --pdh "$P/pdh.cert" --pek "$P/pek.cert" --oca "$P/oca.cert" --cek "$P/cek.cert" --simulated-root "$ROOT"
    [ "$status" -eq 3 ]
    [[ $output == *"no ARK certificate"* ]]
    sev verify
    [ "$status" -eq 3 ]
}

@test "the JSON verdict lists every check" {
    on_platform verify --json
    [ "$status" -eq 0 ]
    [ "$(jq -r '.outcome, .product, .simulated, (.checks | length), ([.checks[].outcome] | unique | .[])' <<<"$output" | paste -sd' ')" = \
        "pass simulated true 9 pass" ]
    run "$TESTUDO" sev verify --json --chain "$P/chain.cert"
    [ "$status" -eq 1 ]
    [ "$(jq -r '.outcome, .checks[0].reason' <<<"$output" | paste -sd' ')" = "fail ark-not-pinned" ]
}

@test "a file under another certificate's option is bad input" {
    usage_error "--pdh $P/pek.cert: holds no PDH certificate" verify --pdh "$P/pek.cert"
    usage_error "a second PEK" verify --chain "$P/chain.cert" --pek "$P/pek.cert"
    usage_error "no SEV certificate" verify --cek "$P/root"
    head -c 2000 "$P/pdh.cert" >short
    usage_error "2000 bytes, expected 2084" verify --pdh short
    { cat "$P/pdh.cert"; printf x; } >long
    usage_error "at byte 2084" verify --pdh long
    head -c 100000 /dev/zero >large
    usage_error "large: buffer: would grow over its limit" verify --pdh large
    : >empty
    usage_error "empty" verify --pdh empty
    usage_error "expected 64 digits" verify --simulated-root 00
}

@test "show prints every certificate of a file and believes none" {
    sev show "$P/chain.cert"
    [ "$status" -eq 0 ]
    for role in PDH PEK OCA CEK ASK ARK; do
        [[ $output == *"$role  "* ]]
    done
    [[ $output == *"not verified"* ]]
    sev show "$P/chain.cert" --json
    [ "$(jq -r '.certificates[].role' <<<"$output" | paste -sd' ')" = "PDH PEK OCA CEK ASK ARK" ]
    [ "$(jq -r '.certificates[5]."spki-sha256"' <<<"$output")" = "$ROOT" ]
    sev show "$P/ark_unsigned.cert" --json
    [ "$(jq -r '.certificates[0].signed' <<<"$output")" = false ]
}

# ---- attestation report ----
@test "a report is shown, and verified with the whole chain" {
    sev show "$P/report.bin"
    [ "$status" -eq 0 ]
    [[ $output == *"$MNONCE"* && $output == *"NODBG ES"* ]]
    on_platform report verify "$P/report.bin" --mnonce "$MNONCE" --digest "$DIGEST" --policy 00000005
    [ "$status" -eq 0 ]
    [[ $output == *"report: holds (SIMULATED)"* ]]
    on_platform report verify "$P/report.bin"
    [ "$status" -eq 0 ]
    [[ $output == *"nothing says that this report is not an old one"* ]]
}

@test "a report with only its PEK is not proven: exit 3" {
    sev report verify "$P/report.bin" --pek "$P/pek.cert"
    [ "$status" -eq 3 ]
    [[ $output == *"ok      report.signature"* && $output == *"report: undecidable"* ]]
    sev report verify "$P/report.bin"
    [ "$status" -eq 3 ]
}

@test "a changed report, another nonce, digest or policy is refuted" {
    cp "$P/report.bin" bent
    printf '\xff' | dd of=bent bs=1 seek=20 conv=notrunc status=none
    on_platform report verify bent
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL    report.signature"* ]]
    on_platform report verify "$P/report.bin" --mnonce 00000000000000000000000000000000
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL    report.mnonce"* ]]
    on_platform report verify "$P/report.bin" --digest "${DIGEST/04/05}"
    [ "$status" -eq 1 ]
    on_platform report verify "$P/report.bin" --policy 00000004 --json
    [ "$status" -eq 1 ]
    [ "$(jq -r '.outcome, ."report.policy", ."report.mnonce", .chain.outcome' <<<"$output" | paste -sd' ')" = "fail fail skip pass" ]
    usage_error "not 208 bytes" report verify "$P/root"
}

# ---- session ----
@test "a session is made for a genuine platform; its keys are readable by nobody else" {
    umask 000
    on_platform session --policy 0x5 --name vm
    [ "$status" -eq 0 ]
    [ "$(stat -c %a vm_tek.bin vm_tik.bin | paste -sd' ')" = "600 600" ]
    [ "$(stat -c %s vm_tek.bin vm_tik.bin | paste -sd' ')" = "16 16" ]
    [ "$(base64 -d vm_session.b64 | wc -c)" -eq 128 ]
    base64 -d vm_godh.b64 >godh
    sev show godh --json
    [ "$(jq -r '.certificates[0] | .role, .signatures[0].signer' <<<"$output" | paste -sd' ')" = "PDH none" ]
    run cmp -s vm_tek.bin vm_tik.bin
    [ "$status" -eq 1 ]
    run grep -q "$(xxd -p vm_tek.bin)" <<<"$(base64 -d vm_session.b64 | xxd -p -c 256)"
    [ "$status" -eq 1 ]
}

@test "no key is made for a platform that is not proven genuine" {
    sev session --chain "$P/chain.cert" --policy 5 --name vm
    [ "$status" -eq 1 ]
    [[ $output == *"chain.ark-pin"* ]]
    sev session --pdh "$P/pdh.cert" --policy 5 --name vm
    [ "$status" -eq 3 ]
    run ls
    [ -z "$output" ]
}

@test "a session overwrites nothing and leaves nothing half done" {
    : >vm_tek.bin
    on_platform session --policy 5 --name vm
    [ "$status" -eq 2 ]
    [[ $output == *"vm_tek.bin"* && $output == *"nothing is overwritten"* ]]
    [ "$(ls)" = vm_tek.bin ]
    usage_error "--policy is missing" session --chain "$P/chain.cert" --name vm
    usage_error "--policy 0x100000000" session --chain "$P/chain.cert" --name vm --policy 0x100000000
}

# ---- measurement ----
@test "a measurement that was built is verified, as file, base64 or hex" {
    launch_inputs
    sev measurement build --api 1.40.40 --policy 1 --tik tik --firmware fw --nonce "$MNONCE" --out blob --json
    [ "$status" -eq 0 ]
    blob=$(jq -r .blob <<<"$output")
    [ "$(base64 -w0 blob)" = "$blob" ]
    for given in blob "$blob" "$(xxd -p -c 96 blob)"; do
        sev measurement verify --api 1.40.40 --policy 1 --tik tik --firmware fw --blob "$given"
        [ "$status" -eq 0 ]
        [[ $output == *"the platform launched this guest"* ]]
    done
    digest=$(sha256sum fw | cut -d' ' -f1)
    sev measurement build --api 1.40.40 --policy 1 --tik tik --digest "$digest" --blob blob
    [[ $output == *"$blob"* ]]
}

@test "another firmware, version, policy or key is refuted with what was expected and found" {
    launch_inputs
    sev measurement build --api 1.40.40 --policy 1 --tik tik --firmware fw --nonce "$MNONCE" --out blob
    head -c 16 /dev/urandom >other
    head -c 8193 /dev/zero >fw2
    for change in "--api 1.40.41" "--policy 3" "--tik other" "--firmware fw2"; do
        args=(--api 1.40.40 --policy 1 --tik tik --firmware fw)
        for i in "${!args[@]}"; do
            if [ "${args[i]}" = "${change% *}" ]; then args[i + 1]=${change#* }; fi
        done
        sev measurement verify "${args[@]}" --blob blob
        [ "$status" -eq 1 ]
        [[ $output == *"expected:"* && $output == *"found:"* && $output == *"no secret"* ]]
    done
}

@test "a policy of SEV-ES wants VMSA pages, another one none" {
    launch_inputs
    base=(measurement build --api 1.40.40 --tik tik --firmware fw --nonce "$MNONCE")
    usage_error "SEV-ES" "${base[@]}" --policy 5
    usage_error "no VMSA is measured" "${base[@]}" --policy 1 --vcpus 1 --vmsa-bsp page
    usage_error "VMSA of the first and of the others" "${base[@]}" --policy 5 --vcpus 2 --vmsa-bsp page
    sev "${base[@]}" --policy 5 --vcpus 2 --vmsa-bsp page --vmsa-ap page
    [ "$status" -eq 0 ]
    [[ $output == *"$(cat fw page page | sha256sum | cut -d' ' -f1)"* ]]
}

@test "measurement options that do not fit are bad usage" {
    launch_inputs
    usage_error "--firmware or --digest is missing" measurement build --api 1.2.3 --policy 1 --tik tik --nonce "$MNONCE"
    usage_error "one of --nonce and --blob" measurement build --api 1.2.3 --policy 1 --tik tik --firmware fw
    usage_error "stands in place of --kernel" measurement build --api 1.2.3 --policy 1 --tik tik --digest "$DIGEST" --kernel fw --nonce "$MNONCE"
    usage_error "go with --kernel" measurement build --api 1.2.3 --policy 1 --tik tik --firmware fw --append x --nonce "$MNONCE"
    usage_error "no place for kernel hashes" measurement build --api 1.2.3 --policy 1 --tik tik --firmware fw --kernel fw --nonce "$MNONCE"
    for api in 1 1.2 1.2.3.4 1.2.256 a.b.c -1.2.3; do
        usage_error "expected MAJOR.MINOR.BUILD" measurement build "--api=$api" --policy 1 --tik tik --firmware fw --nonce "$MNONCE"
    done
    usage_error "more than 16 bytes" measurement build --api 1.2.3 --policy 1 --tik fw --firmware fw --nonce "$MNONCE"
    usage_error "not 16 bytes" measurement build --api 1.2.3 --policy 1 --tik tik --firmware fw --nonce 00
}

# ---- secret packet ----
@test "a secret packet holds the secrets and shows none of them" {
    launch_inputs
    head -c 48 /dev/zero >blob
    printf 'correct horse battery' >pass
    sev secret build 736869e5-84f0-4973-92ec-06879ce3da0b:pass --tek tik --tik tik --blob blob --name a
    [ "$status" -eq 0 ]
    [ "$(base64 -d a_header.b64 | wc -c)" -eq 52 ]
    [ "$(base64 -d a_payload.b64 | wc -c)" -eq 64 ]
    sev secret build 736869e5-84f0-4973-92ec-06879ce3da0b:pass --tek tik --tik tik --blob blob --name b --raw --json
    [ "$(jq -r '."payload-bytes"' <<<"$output")" -eq 64 ]
    run grep -q horse b_payload.bin
    [ "$status" -eq 1 ]
    base64 -d a_payload.b64 >a_payload.bin
    run cmp -s a_payload.bin b_payload.bin # each packet has its own IV
    [ "$status" -eq 1 ]
    iv=$(base64 -d a_header.b64 | xxd -p -s 4 -l 16)
    openssl enc -d -aes-128-ctr -K 00000000000000000000000000000000 -iv "$iv" -in a_payload.bin -out plain
    grep -q 'correct horse battery' plain
}

@test "secrets over 16 KiB, without GUID, twice or empty are refused and nothing is written" {
    launch_inputs
    head -c 48 /dev/zero >blob
    head -c 16344 /dev/zero >fits
    head -c 16345 /dev/zero >big
    : >none
    keys=(--tek tik --tik tik --blob blob --name p)
    usage_error "does not fit" secret build 736869e5-84f0-4973-92ec-06879ce3da0b:big "${keys[@]}"
    usage_error "expected GUID:FILE" secret build big "${keys[@]}"
    usage_error "is no GUID" secret build 736869e5-84f0-4973-92ec_06879ce3da0b:big "${keys[@]}"
    usage_error "given twice" secret build 736869e5-84f0-4973-92ec-06879ce3da0b:tik 736869e5-84f0-4973-92ec-06879ce3da0b:tik "${keys[@]}"
    usage_error "none: 0 bytes" secret build 736869e5-84f0-4973-92ec-06879ce3da0b:none "${keys[@]}"
    usage_error "--tek is missing" secret build 736869e5-84f0-4973-92ec-06879ce3da0b:tik --tik tik --blob blob --name p
    run ls
    [[ $output != *p_* ]]
    sev secret build 736869e5-84f0-4973-92ec-06879ce3da0b:fits "${keys[@]}" --raw
    [ "$status" -eq 0 ]
    [ "$(stat -c %s p_payload.bin)" -eq 16384 ]
}

# ---- VMSA ----
@test "a VMSA is built, shown and changed" {
    sev vmsa build bsp --family 25 --model 1 --stepping 1
    [ "$status" -eq 0 ]
    [ "$(stat -c %s bsp)" -eq 4096 ]
    sev vmsa show bsp --json
    [ "$(jq -r '.rip, .cs.base, .rdx, (.reserved | length)' <<<"$output" | paste -sd' ')" = "65520 4294901760 10489617 0" ]
    sev vmsa update bsp --vcpu-type EPYC-Genoa
    [ "$status" -eq 0 ]
    sev vmsa show bsp
    [[ $output == *"rdx               0xa10f10"* ]]
    [ "$(ls)" = bsp ]
}

@test "a VMSA of libkrun differs from QEMU's where libkrun sets registers" {
    sev vmsa build krun --vmm krun
    sev vmsa show krun --json
    [ "$(jq -r '.rsi, .rsp, .tr.attrib' <<<"$output" | paste -sd' ')" = "28672 36848 131" ]
    sev vmsa build krun1 --vmm krun --cpu 1
    sev vmsa show krun1 --json
    [ "$(jq -r '.rip, .cs.selector, .cs.base' <<<"$output" | paste -sd' ')" = "0 37120 593920" ]
}

@test "VMSA options that do not fit are bad usage, and no page is overwritten" {
    head -c 8192 /dev/zero >fw
    head -c 16 /dev/zero >tik
    usage_error "--firmware is missing" vmsa build a --cpu 1
    usage_error "names no reset address" vmsa build a --cpu 1 --firmware fw
    usage_error "expected qemu or krun" vmsa build a --vmm ec2
    usage_error "no CPU model" vmsa build a --vcpu-type 8086
    usage_error "--family is missing" vmsa build a --model 1
    usage_error "stands in place of" vmsa build a --vcpu-type EPYC --family 25
    usage_error "--fpu half" vmsa build a --fpu half
    usage_error "limit of 4097 bytes" vmsa show fw
    usage_error "16 bytes, a VMSA has 4096" vmsa show tik
    usage_error "nothing to change" vmsa update fw
    [ ! -e a ]
    sev vmsa build a
    usage_error "nothing is overwritten" vmsa build a
}

@test "help of every command names its options and exit status" {
    for c in show verify session "measurement build" "measurement verify" "secret build" "vmsa build" "vmsa update" "vmsa show" "report verify"; do
        # shellcheck disable=SC2086 # the command's words
        sev $c --help
        [ "$status" -eq 0 ]
        [[ $output == "usage: testudo sev $c"* && $output == *"exit status: 0"* ]]
    done
}
