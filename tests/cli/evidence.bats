#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# evidence.bats - `testudo evidence verify`: exit status, table, JSON, policy files. The evidence is synthetic, made once;
# real evidence is judged by tests/unit/snp/test_vectors.c.

setup_file() {
    local build=${TESTUDO_BUILD:-$BATS_TEST_DIRNAME/../../build}
    build=$(cd "$build" && pwd)
    export TESTUDO=$build/src/cli/testudo
    export EVIDENCE=$BATS_FILE_TMPDIR/evidence
    mkdir "$EVIDENCE"
    "$build/tests/unit/snp/make_evidence" "$EVIDENCE"
}

# verify REPORT [OPTION...]: with the right certificates, at a time when they are valid
verify() {
    local report=$1
    shift
    run "$TESTUDO" evidence verify "$EVIDENCE/$report" --vek "$EVIDENCE/vek.der" --chain "$EVIDENCE/chain.pem" --at 2026-11-23 "$@"
}

with_policy() {
    verify "$1" --policy "$EVIDENCE/policy.yaml" "${@:2}"
}

# usage_error WORDS ARGUMENT...: exit status 2, and the message says the words
usage_error() {
    local words=$1
    shift
    run "$TESTUDO" evidence verify "$@"
    echo "$output"
    [ "$status" -eq 2 ]
    [[ $output == *"$words"* ]]
}

@test "evidence that the policy accepts holds: exit 0, level, loudly SIMULATED" {
    with_policy good.bin
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == SIMULATED:* ]]
    [[ $output == *"verdict: holds (SIMULATED), level measured, reference value test image"* ]]
    [[ $output == *"acpi: trusts host"* ]]
    [[ $output != *FAIL* ]]
    [[ $output != *"authenticity only"* ]]
}

@test "includes are found beside the policy, from any folder" {
    cd /
    with_policy good.bin
    [ "$status" -eq 0 ]
    cd "$EVIDENCE"
    run "$TESTUDO" evidence verify good.bin --vek vek.pem --chain chain.pem --at 2026-11-23 --policy policy.yaml
    [ "$status" -eq 0 ]
}

@test "the chain is read in either order" {
    run "$TESTUDO" evidence verify "$EVIDENCE/good.bin" --vek "$EVIDENCE/vek.pem" --chain "$EVIDENCE/reversed.pem" \
        --at 2026-11-23T00:00:00Z --policy "$EVIDENCE/policy.yaml"
    [ "$status" -eq 0 ]
}

@test "a VCEK may stand in the chain file" {
    cat "$EVIDENCE/vek.pem" "$EVIDENCE/chain.pem" >"$BATS_TEST_TMPDIR/all.pem"
    run "$TESTUDO" evidence verify "$EVIDENCE/good.bin" --chain "$BATS_TEST_TMPDIR/all.pem" --at 2026-11-23 --policy "$EVIDENCE/policy.yaml"
    [ "$status" -eq 0 ]
}

@test "the report is read from standard input" {
    run bash -c '"$TESTUDO" evidence verify - --vek "$EVIDENCE/vek.der" --chain "$EVIDENCE/chain.pem" --at 2026-11-23 \
        --policy "$EVIDENCE/policy.yaml" <"$EVIDENCE/good.bin"'
    [ "$status" -eq 0 ]
}

@test "--json lists every check that the table lists" {
    with_policy good.bin
    table=$(awk '$1 == "ok" || $1 == "-" {print $2}' <<<"$output")
    with_policy good.bin --json
    [ "$status" -eq 0 ]
    [ "$(jq -r '.outcome, .level, .simulated, .reference, .product, .["exit-status"], .at' <<<"$output" | paste -sd' ')" = \
        "pass measured true test image genoa 0 2026-11-23T00:00:00Z" ]
    [ "$(jq -r '.checks[].id' <<<"$output")" = "$table" ]
    [ "$(jq -r .report.measurement <<<"$output" | wc -c)" -eq 97 ]
}

@test "--json carries expected, found and fix of a failure" {
    with_policy debug.bin --json
    [ "$status" -eq 4 ]
    [ "$(jq -r '.checks[] | select(.outcome == "fail") | .id' <<<"$output")" = policy.debug ]
    [ "$(jq -r '.checks[] | select(.id == "policy.debug") | .expected' <<<"$output")" = off ]
    [ "$(jq -r .level <<<"$output")" = none ]
}

@test "an unsigned report is refuted: exit 1, by name" {
    with_policy unsigned.bin
    [ "$status" -eq 1 ]
    [[ $output == *"verdict: refuted (SIMULATED), by report.signature"* ]]
}

@test "simulated evidence without a policy is refuted and the output says what was judged" {
    verify good.bin
    [ "$status" -eq 1 ]
    [[ $output == *"verdict: refuted, by chain.ark-pin"* ]]
    [[ $output == *"authenticity only: no policy was given, so neither software nor firmware level were judged"* ]]
}

@test "expired certificates are refuted at that time" {
    run "$TESTUDO" evidence verify "$EVIDENCE/good.bin" --vek "$EVIDENCE/vek.der" --chain "$EVIDENCE/chain.pem" \
        --at 2040-01-01 --policy "$EVIDENCE/policy.yaml"
    [ "$status" -eq 1 ]
    [[ $output == *"by chain.dates"* ]]
}

@test "without certificates nothing is decided: exit 3, and where to get them" {
    run "$TESTUDO" evidence verify "$EVIDENCE/good.bin" --at 2026-11-23
    [ "$status" -eq 3 ]
    [[ $output == *"verdict: undecidable"* ]]
    [[ $output == *"https://kdsintf.amd.com/vcek/v1/Genoa/cert_chain"* ]]
    [[ $output == *"blSPL=10&teeSPL=00&snpSPL=27&ucodeSPL=200"* ]]
}

@test "a debuggable guest is refused by policy: exit 4" {
    with_policy debug.bin
    [ "$status" -eq 4 ]
    [[ $output == *"FAIL    policy.debug"* ]]
    [[ $output == *"verdict: refused by policy (SIMULATED), by policy.debug"* ]]
}

@test "another product than the caller expects is refuted" {
    with_policy good.bin --product turin
    [ "$status" -eq 1 ]
    [[ $output == *"by product"* ]]
}

@test "bad usage: exit 2 and what was wrong" {
    usage_error "" # no report
    usage_error "" "$EVIDENCE/good.bin" "$EVIDENCE/debug.bin"
    usage_error "--colour" "$EVIDENCE/good.bin" --colour
    usage_error "nowhere.bin" "$EVIDENCE/nowhere.bin"
    usage_error "rome" "$EVIDENCE/good.bin" --product rome
    usage_error "--at" "$EVIDENCE/good.bin" --at yesterday
    usage_error "vek.yaml" "$EVIDENCE/good.bin" --vek "$EVIDENCE/vek.yaml"
    usage_error "policy.yaml" "$EVIDENCE/good.bin" --vek "$EVIDENCE/policy.yaml"
}

@test "reports of another size are bad input, and the message says what is read" {
    head -c 793 "$EVIDENCE/good.bin" >"$BATS_TEST_TMPDIR/short.bin"
    { cat "$EVIDENCE/good.bin"; printf x; } >"$BATS_TEST_TMPDIR/long.bin"
    : >"$BATS_TEST_TMPDIR/empty.bin"
    usage_error "793 bytes, a raw report has 1184" "$BATS_TEST_TMPDIR/short.bin"
    usage_error "1185 bytes, a raw report has 1184" "$BATS_TEST_TMPDIR/long.bin"
    usage_error "1 more: 78" "$BATS_TEST_TMPDIR/long.bin"
    usage_error "0 bytes" "$BATS_TEST_TMPDIR/empty.bin"
}

@test "files around the size limit are refused, not read" {
    for n in 65535 65536 65537 65538 262143 262144 262145 1000000; do
        head -c $n /dev/zero >"$BATS_TEST_TMPDIR/large"
        usage_error "large" "$BATS_TEST_TMPDIR/large"
        usage_error "large" "$EVIDENCE/good.bin" --vek "$BATS_TEST_TMPDIR/large"
    done
}

@test "a chain with two roots is bad input" {
    cat "$EVIDENCE/chain.pem" "$EVIDENCE/reversed.pem" >"$BATS_TEST_TMPDIR/four.pem"
    usage_error "four.pem" "$EVIDENCE/good.bin" --chain "$BATS_TEST_TMPDIR/four.pem"
    csplit -s -f "$BATS_TEST_TMPDIR/root" "$EVIDENCE/reversed.pem" '%BEGIN%' '/-BEGIN/' '{*}'
    cat "$BATS_TEST_TMPDIR/root01" "$BATS_TEST_TMPDIR/root01" >"$BATS_TEST_TMPDIR/two.pem"
    usage_error "one too many" "$EVIDENCE/good.bin" --chain "$BATS_TEST_TMPDIR/two.pem"
}

@test "a misspelt key of a policy is refused with file, line and the known keys" {
    printf 'name: test\nmeasurment: []\n' >"$BATS_TEST_TMPDIR/bad.yaml"
    usage_error "bad.yaml:2:" "$EVIDENCE/good.bin" --policy "$BATS_TEST_TMPDIR/bad.yaml"
    [[ $output == *measurment* && $output == *measurements* ]]
}

@test "a policy whose include is missing is refused with the place" {
    printf 'name: test\nmeasurements: {include: nowhere.yaml}\n' >"$BATS_TEST_TMPDIR/lost.yaml"
    usage_error "lost.yaml:2:" "$EVIDENCE/good.bin" --policy "$BATS_TEST_TMPDIR/lost.yaml"
    [[ $output == *nowhere.yaml* ]]
}
