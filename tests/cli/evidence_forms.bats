#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# evidence_forms.bats - evidence in the forms that it arrives in: `testudo evidence verify`, `show` and `explain` recognise it by
# content. The containers are made here with coreutils from synthetic evidence.

setup_file() {
    local build=${TESTUDO_BUILD:-$BATS_TEST_DIRNAME/../../build}
    build=$(cd "$build" && pwd)
    export TESTUDO=$build/src/cli/testudo
    export EVIDENCE=$BATS_FILE_TMPDIR/evidence
    mkdir "$EVIDENCE"
    "$build/tests/unit/snp/make_evidence" "$EVIDENCE"
    cd "$EVIDENCE" || return
    response good.bin >response.bin
    xxd -p good.bin >good.hex
    base64 good.bin >good.b64
    basenc --base64url -w0 response.bin >response.b64url
    printf '{"snp-report":"%s","auxblob":""}' "$(basenc --base64url -w0 good.bin | tr -d =)" >good.json
    mkdir entry
    cp good.bin entry/outblob
}

# response REPORT: MSG_REPORT_RSP as the ioctl returns it, 4000 bytes
response() {
    printf '\0\0\0\0\xa0\x04\0\0'
    head -c 24 /dev/zero
    cat "$1"
    head -c 2784 /dev/zero
}

judge() {
    run "$TESTUDO" evidence "$1" "$EVIDENCE/$2" --vek "$EVIDENCE/vek.der" --chain "$EVIDENCE/chain.pem" --at 2026-11-23 --policy "$EVIDENCE/policy.yaml" "${@:3}"
}

@test "every form of the same evidence holds, and is named" {
    while IFS=: read -r file name; do
        judge verify "$file"
        echo "$output"
        [ "$status" -eq 0 ]
        [ "${lines[1]}" = "evidence: $name" ]
    done <<'END'
good.bin:raw report
response.bin:MSG_REPORT_RSP
good.hex:raw report, as hex text
good.b64:raw report, as base64 text
response.b64url:MSG_REPORT_RSP, as base64 text
good.json:JSON evidence with the raw report
entry:configfs-tsm entry
END
}

@test "what REPORT_DATA must be is taken from --nonce, raw or as hex" {
    head -c 64 /dev/zero | tr '\0' '\253' >"$BATS_TEST_TMPDIR/nonce"
    xxd -p -c 64 "$BATS_TEST_TMPDIR/nonce" >"$BATS_TEST_TMPDIR/nonce.hex"
    judge verify good.bin --nonce "$BATS_TEST_TMPDIR/nonce"
    [ "$status" -eq 0 ]
    [[ $output == *"ok      binding.report-data"* ]]
    judge verify good.bin --nonce "$BATS_TEST_TMPDIR/nonce.hex"
    [ "$status" -eq 0 ]
    sed -i 's/ab/ac/' "$BATS_TEST_TMPDIR/nonce.hex"
    judge verify good.bin --nonce "$BATS_TEST_TMPDIR/nonce.hex"
    [ "$status" -eq 1 ]
    [[ $output == *"refuted (SIMULATED), by binding.report-data"* ]]
    echo short >"$BATS_TEST_TMPDIR/nonce"
    judge verify good.bin --nonce "$BATS_TEST_TMPDIR/nonce"
    [ "$status" -eq 2 ]
    [[ $output == *"64 bytes, or 128 hex digits"* ]]
}

@test "an inblob in the folder is what REPORT_DATA must be" {
    cp -r "$EVIDENCE/entry" "$BATS_TEST_TMPDIR/entry"
    head -c 64 /dev/zero | tr '\0' '\253' >"$BATS_TEST_TMPDIR/entry/inblob"
    run "$TESTUDO" evidence show "$BATS_TEST_TMPDIR/entry"
    [ "$status" -eq 0 ]
    [[ $output == *"binding: REPORT_DATA is the inblob"* ]]
    head -c 64 /dev/zero | tr '\0' '\254' >"$BATS_TEST_TMPDIR/entry/inblob"
    run "$TESTUDO" evidence show "$BATS_TEST_TMPDIR/entry"
    [[ $output == *"binding: REPORT_DATA is NOT the inblob"* ]]
    run "$TESTUDO" evidence verify "$BATS_TEST_TMPDIR/entry" --vek "$EVIDENCE/vek.der" --chain "$EVIDENCE/chain.pem" --at 2026-11-23
    [ "$status" -eq 1 ]
}

@test "show prints every field and bit, and that nothing was verified" {
    run "$TESTUDO" evidence show "$EVIDENCE/debug.bin"
    [ "$status" -eq 0 ]
    [[ $output == *"nothing of it is verified here"* ]]
    [[ $output == *"product:  genoa"* ]]
    grep -Eq '^ +debug +yes ' <<<"$output"
    grep -Eq '^  reported-tcb +bootloader 10, tee 0, snp 27, microcode 200' <<<"$output"
    for field in version guest-svn policy platform-info key-info report-data measurement host-data chip-id signature-s; do
        grep -Eq "^  $field " <<<"$output"
    done
}

@test "show --json has the same fields by name" {
    run "$TESTUDO" evidence show "$EVIDENCE/good.hex" --json
    [ "$status" -eq 0 ]
    [ "$(jq -r '.product, .container.kind, .container.text, .report.version, .report.policy.smt, .report["reported-tcb"].snp, .verified' <<<"$output" | paste -sd' ')" = \
        "genoa raw report hex 3 true 27 false" ]
    [ "$(jq '.report.unknown | length' <<<"$output")" -eq 0 ]
}

@test "unknown bits are shown, and refute nothing by themselves" {
    cp "$EVIDENCE/good.bin" "$BATS_TEST_TMPDIR/odd.bin"
    printf '\004' | dd of="$BATS_TEST_TMPDIR/odd.bin" bs=1 seek=11 conv=notrunc status=none
    printf '\007' | dd of="$BATS_TEST_TMPDIR/odd.bin" bs=1 seek=520 conv=notrunc status=none
    run "$TESTUDO" evidence show "$BATS_TEST_TMPDIR/odd.bin"
    [ "$status" -eq 0 ]
    [[ $output == *"UNKNOWN BITS"*0x4000000* ]]
    [[ $output == *"UNKNOWN at 0x208"* ]]
}

@test "a newer version is shown and judged only with --lenient" {
    cp "$EVIDENCE/good.bin" "$BATS_TEST_TMPDIR/v9.bin"
    printf '\011' | dd of="$BATS_TEST_TMPDIR/v9.bin" bs=1 conv=notrunc status=none
    run "$TESTUDO" evidence show "$BATS_TEST_TMPDIR/v9.bin"
    [ "$status" -eq 2 ]
    run "$TESTUDO" evidence show "$BATS_TEST_TMPDIR/v9.bin" --lenient
    [ "$status" -eq 0 ]
    run "$TESTUDO" evidence verify "$BATS_TEST_TMPDIR/v9.bin" --lenient --vek "$EVIDENCE/vek.der" --chain "$EVIDENCE/chain.pem" --at 2026-11-23
    [ "$status" -eq 1 ]
    [[ $output == *"9, newer than 5"* ]]
    grep -q 'FAIL *report.signature' <<<"$output"
}

@test "explain says what failed, what was expected, what to do and what usually stands behind it" {
    judge explain unsigned.bin
    [ "$status" -eq 1 ]
    [[ $output == *"This evidence is refuted"* ]]
    [[ $output == *"1. report.signature does not hold"* ]]
    [[ $output == *"expected:  "* && $output == *"found:  "* && $output == *"usually:"* ]]
    judge explain debug.bin
    [ "$status" -eq 4 ]
    [[ $output == *"authentic, and the policy refuses"* ]]
    judge explain good.bin
    [ "$status" -eq 0 ]
    [[ $output == *"This evidence holds"* ]]
}

@test "explain says a missing certificate once, with the checks that wait for it" {
    run "$TESTUDO" evidence explain "$EVIDENCE/good.bin" --at 2026-11-23
    [ "$status" -eq 3 ]
    [[ $output == *"Nothing speaks against this evidence"* ]]
    [ "$(grep -c 'no VCEK certificate' <<<"$output")" -eq 1 ]
    [[ $output == *"also:"*report.signature* ]]
}

@test "explain --json carries usual causes beside the check" {
    judge explain unsigned.bin --json
    [ "$status" -eq 1 ]
    [ "$(jq -r '.checks[] | select(.id == "report.signature") | .["usual-causes"] | length' <<<"$output")" -gt 0 ]
    [ "$(jq -r '.checks[] | select(.id == "report.parse") | .["usual-causes"]' <<<"$output")" = null ]
}

@test "what is no evidence is called by its name" {
    for name in vek.der:certificate chain.pem:certificate policy.yaml:"neither hex nor base64"; do
        run "$TESTUDO" evidence show "$EVIDENCE/${name%%:*}"
        [ "$status" -eq 2 ]
        [[ $output == *"${name#*:}"* ]]
    done
    run "$TESTUDO" evidence show "$BATS_TEST_TMPDIR"
    [ "$status" -eq 2 ]
    [[ $output == *"without an outblob"* ]]
}

@test "real containers: Azure's is bound, cut and overlong ones are told apart" {
    local vectors=${TESTUDO_VECTORS:-$BATS_TEST_DIRNAME/../../../shared/vectors}/snp/containers
    [ -d "$vectors" ] || skip "no folder of vectors"
    run "$TESTUDO" evidence show "$vectors/azure-hcl-milan-v2.bin"
    [ "$status" -eq 0 ]
    [[ $output == *"binding: REPORT_DATA is the SHA-256 of the runtime JSON"* ]]
    run "$TESTUDO" evidence verify "$vectors/truncated-793.bin"
    [ "$status" -eq 2 ]
    [[ $output == *"391 are missing at the end"* ]]
    run "$TESTUDO" evidence verify "$vectors/trailing-byte-bad-sig-1185.bin"
    [ "$status" -eq 2 ]
    [[ $output == *"1 more: 0a (a newline)"* ]]
    cat "$vectors/../reports/genoa-v3-veraison.bin" "$vectors/tsm-auxblob-genoa-v3.bin" >"$BATS_TEST_TMPDIR/extended"
    run "$TESTUDO" evidence verify "$BATS_TEST_TMPDIR/extended" --at 2026-11-01
    [ "$status" -eq 0 ]
    [[ $output == *"verdict: authentic"* ]]
    run "$TESTUDO" evidence verify "$vectors/../reports/genoa-v3-veraison.bin" --chain "$vectors/tsm-auxblob-genoa-v3.bin" --at 2026-11-01
    [ "$status" -eq 0 ]
}

@test "what the evidence does not bring is taken from --store" {
    local vectors=${TESTUDO_VECTORS:-$BATS_TEST_DIRNAME/../../../shared/vectors}/snp
    [ -d "$vectors" ] || skip "no folder of vectors"
    {
        cat "$vectors/chains/genoa-vcek.pem"
        openssl x509 -inform der -in "$vectors/veks/genoa-v3-coco.der"
    } >"$BATS_TEST_TMPDIR/bundle.pem"
    run "$TESTUDO" collateral import --store "$BATS_TEST_TMPDIR/store" --at 2026-11-01 "$BATS_TEST_TMPDIR/bundle.pem"
    [ "$status" -eq 0 ]
    run "$TESTUDO" evidence verify "$vectors/reports/genoa-v3-coco.bin" --store "$BATS_TEST_TMPDIR/store" --at 2026-11-01
    [ "$status" -eq 0 ]
    [[ $output == *"verdict: authentic"* ]]
    run "$TESTUDO" evidence verify "$vectors/reports/milan-v3-coco-2.bin" --store "$BATS_TEST_TMPDIR/store" --at 2026-11-01
    [ "$status" -eq 3 ]
    run "$TESTUDO" evidence verify "$vectors/reports/genoa-v3-coco.bin" --store "$BATS_TEST_TMPDIR/nowhere"
    [ "$status" -eq 2 ]
}
