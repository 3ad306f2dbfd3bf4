#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# collateral.bats - `testudo collateral`: against a real HTTP server with AMD's addresses and a synthetic AMD behind it.

setup_file() {
    local build=${TESTUDO_BUILD:-$BATS_TEST_DIRNAME/../../build}
    build=$(cd "$build" && pwd)
    export TESTUDO=$build/src/cli/testudo
    export TESTUDO_TEST_CACHE=$build/test-cache
    export KDS=$BATS_FILE_TMPDIR/kds
    mkdir "$KDS"
    "$build/tests/unit/collateral/fake_kds" "$KDS" 3>&- &
    echo $! >"$KDS/pid"
    for _ in $(seq 600); do
        [ ! -e "$KDS/url" ] || break
        sleep 0.1
    done
    URL=$(cat "$KDS/url")
    ROOT=$(cat "$KDS/root")
    export URL ROOT
    unset http_proxy TESTUDO_COLLATERAL
}

teardown_file() {
    kill "$(cat "$KDS/pid")"
}

setup() {
    export STORE=$BATS_TEST_TMPDIR/store
    mood helpful
}

mood() {
    curl -sS "$URL/mood/$1" >/dev/null
}

requests() {
    curl -sS "$URL/count"
}

# collateral VERB [ARGUMENT...]: in the test's store, with the simulator's root
collateral() {
    run "$TESTUDO" collateral "$1" --store "$STORE" --root "$ROOT" "${@:2}"
    echo "$output"
}

fetch() {
    collateral fetch --base-url "$URL" "$@"
}

@test "fetch gets chain, VCEK and CRL, and a second time nothing" {
    before=$(requests)
    fetch "$KDS/report.bin"
    [ "$status" -eq 0 ]
    [[ $output == *"genoa, chip "* ]]
    [ "$(grep -c ' fetched ' <<<"$output")" -eq 3 ]
    [ $(($(requests) - before)) -eq 3 ]
    fetch "$KDS/report.bin"
    [ "$status" -eq 0 ]
    [ "$(grep -c ' stored ' <<<"$output")" -eq 3 ]
    [ $(($(requests) - before)) -eq 3 ]
}

@test "several reports at once, as JSON" {
    fetch --json "$KDS/report.bin" "$KDS/second.bin"
    [ "$status" -eq 0 ]
    [ "$(jq -r '.reports | length' <<<"$output")" -eq 2 ]
    [ "$(jq -r '.reports[0].steps | map(.what + "=" + .state) | join(" ")' <<<"$output")" = "chain=fetched VCEK=fetched CRL=fetched" ]
    [ "$(jq -r '.reports[1].steps | map(.what + "=" + .state) | join(" ")' <<<"$output")" = "chain=stored VCEK=fetched CRL=stored" ]
    [ "$(jq -r '.reports[0].chip | length' <<<"$output")" -eq 128 ]
}

@test "parallel processes ask once for one chip" {
    before=$(requests)
    for _ in $(seq 8); do
        "$TESTUDO" collateral fetch --store "$STORE" --root "$ROOT" --base-url "$URL" "$KDS/report.bin" >/dev/null 3>&- &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    [ $(($(requests) - before)) -eq 3 ]
}

@test "the store is taken from the environment" {
    TESTUDO_COLLATERAL=$STORE run "$TESTUDO" collateral fetch --root "$ROOT" --base-url "$URL" "$KDS/report.bin"
    [ "$status" -eq 0 ]
    [ "$(find "$STORE" -path '*/sim-*-genoa/crl.der' | wc -l)" -eq 1 ]
}

@test "a root that nobody named is refused: exit 1, and what to do" {
    run "$TESTUDO" collateral fetch --store "$STORE" --base-url "$URL" "$KDS/report.bin"
    [ "$status" -eq 1 ]
    [[ $output == *"is not AMD's"* && $output == *"--root"* && $output == *"$ROOT"* ]]
    collateral list
    [[ $output == *"is empty"* ]]
}

@test "what the service does not have: exit 2, remembered, asked again with --retry" {
    fetch "$KDS/third.bin"
    [ "$status" -eq 2 ]
    [[ $output == *"HTTP 404"* && $output == *"--retry"* ]]
    before=$(requests)
    fetch "$KDS/third.bin"
    [ "$status" -eq 2 ]
    [ "$(requests)" -eq "$before" ]
    fetch --retry "$KDS/third.bin"
    [ $(($(requests) - before)) -eq 1 ]
}

@test "a busy service: exit 5 after --wait, and when to come back" {
    mood busy
    fetch --wait 0 "$KDS/report.bin"
    [ "$status" -eq 5 ]
    [[ $output == *"HTTP 429"* && $output == *"try again in "* ]]
}

@test "a wrong certificate is refused and not stored: exit 1" {
    fetch "$KDS/report.bin"
    mood wrong
    fetch "$KDS/second.bin"
    [ "$status" -eq 1 ]
    [[ $output == *"answered with something else"* ]]
    [ "$(find "$STORE" -path '*/vcek/*.der' | wc -l)" -eq 1 ]
}

@test "offline asks nobody: exit 5 and what is missing" {
    before=$(requests)
    fetch --offline "$KDS/report.bin"
    [ "$status" -eq 5 ]
    [[ $output == *"offline nobody is asked"* ]]
    [ "$(requests)" -eq "$before" ]
    fetch "$KDS/report.bin"
    fetch --offline "$KDS/report.bin"
    [ "$status" -eq 0 ]
}

@test "a report that does not say its chip is undecidable: exit 3" {
    fetch "$KDS/masked.bin"
    [ "$status" -eq 3 ]
    [[ $output == *"masks the chip id"* ]]
}

@test "list shows each file with its state, and what is damaged" {
    fetch "$KDS/report.bin"
    collateral list
    [ "$status" -eq 0 ]
    [[ $output == *"VCEK chain"* && $output == *"no. 7, 0 revoked"* && $output == *"bootloader 10"* && $output == *SIMULATED* ]]
    collateral list --at 2027-12-01
    [ "$status" -eq 0 ]
    [[ $output == *STALE* ]]
    for f in "$STORE"/*/vcek/*/*.der; do echo junk >"$f"; done
    collateral list
    [ "$status" -eq 1 ]
    [[ $output == *BAD* && $output == *"not DER"* ]]
    collateral list --json
    [ "$status" -eq 1 ]
    [ "$(jq -r '.items | map(.state) | sort | join(" ")' <<<"$output")" = "bad ok ok" ]
}

@test "refresh gets the list again and refuses an older one" {
    fetch "$KDS/report.bin"
    sleep 1.1
    collateral refresh --base-url "$URL" --wait 1
    [ "$status" -eq 0 ]
    [[ $output == *"CRL        fetched"* ]]
    sleep 1.1
    mood wrong
    collateral refresh --base-url "$URL" --wait 1
    [ "$status" -eq 5 ]
    [[ $output == *"rolled back"* ]]
    collateral list
    [[ $output == *"no. 7"* ]]
}

@test "a bundle carries the store to a place without network" {
    fetch "$KDS/report.bin" "$KDS/second.bin"
    collateral export "$BATS_TEST_TMPDIR/bundle.pem"
    [ "$status" -eq 0 ]
    [[ $output == *"5 certificates and lists"* ]]
    openssl storeutl -noout -certs "$BATS_TEST_TMPDIR/bundle.pem" | grep -q 'Total found: 4'
    STORE=$BATS_TEST_TMPDIR/other
    collateral import "$BATS_TEST_TMPDIR/bundle.pem"
    [ "$status" -eq 0 ]
    [[ $output == "4 new, 0 replaced, 0 kept, 0 refused" ]]
    fetch --offline "$KDS/report.bin" "$KDS/second.bin"
    [ "$status" -eq 0 ]
    collateral import --json "$BATS_TEST_TMPDIR/bundle.pem"
    [ "$(jq -r .kept <<<"$output")" -eq 4 ]
}

@test "export to standard output, import from standard input" {
    fetch "$KDS/report.bin"
    run bash -c '"$TESTUDO" collateral export --store "$STORE" --root "$ROOT" - |
        "$TESTUDO" collateral import --store "$STORE.2" --root "$ROOT" -'
    [ "$status" -eq 0 ]
    [[ $output == "3 new, 0 replaced, 0 kept, 0 refused" ]]
}

@test "a bundle of an unknown root is refused, each piece by name: exit 1" {
    fetch "$KDS/report.bin"
    collateral export "$BATS_TEST_TMPDIR/bundle.pem"
    run "$TESTUDO" collateral import --store "$STORE.2" "$BATS_TEST_TMPDIR/bundle.pem"
    [ "$status" -eq 1 ]
    [[ $output == *"0 new, 0 replaced, 0 kept, 4 refused"* && $output == *"SEV-Genoa: "* ]]
}

@test "the evidence verifies with the store" {
    fetch "$KDS/report.bin"
    printf 'name: test\nsimulated: {allow: ["%s"]}\nproducts: [genoa]\ncrl: {mode: require}\n' "$ROOT" >"$BATS_TEST_TMPDIR/p.yaml"
    run "$TESTUDO" evidence verify "$KDS/report.bin" --store "$STORE" --policy "$BATS_TEST_TMPDIR/p.yaml" --json
    [ "$(jq -r '.checks[] | select(.id == "report.signature" or .id == "chain.vek" or .id == "policy.crl") | .outcome' <<<"$output" |
        sort -u)" = pass ]
}

@test "bad usage: exit 2 and what was wrong" {
    collateral fetch
    [ "$status" -eq 2 ]
    fetch --wait soon "$KDS/report.bin"
    [[ $status -eq 2 && $output == *"--wait soon"* ]]
    fetch --product rome "$KDS/report.bin"
    [[ $status -eq 2 && $output == *rome* ]]
    run "$TESTUDO" collateral list --store "$STORE" --root abc
    [[ $status -eq 2 ]]
    run "$TESTUDO" collateral list --store /nonexistent/store
    [[ $status -eq 2 && $output == *"--store"* ]]
    collateral import "$KDS/report.bin"
    [[ $status -eq 2 && $output == *"bundle"* ]]
    collateral export "$BATS_TEST_TMPDIR/bundle.pem"
    [[ $status -eq 2 ]]
}
