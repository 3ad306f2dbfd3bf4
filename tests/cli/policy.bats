#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# policy.bats - `testudo policy init|lint|test|floors`. The evidence is synthetic, made once.

setup_file() {
    local build=${TESTUDO_BUILD:-$BATS_TEST_DIRNAME/../../build}
    build=$(cd "$build" && pwd)
    export TESTUDO=$build/src/cli/testudo
    export EVIDENCE=$BATS_FILE_TMPDIR/evidence
    mkdir "$EVIDENCE"
    "$build/tests/unit/snp/make_evidence" "$EVIDENCE"
}

CHIP=0102030405060708

# try POLICY EVIDENCE... : with the right certificates, at a time when they are valid
try() {
    local policy=$1
    shift
    run "$TESTUDO" policy test "$policy" --vek "$EVIDENCE/vek.der" --chain "$EVIDENCE/chain.pem" --at 2026-11-23 --evidence "$@"
    echo "$output"
}

# more LINE... : the policy of the evidence with lines more, in POLICY
more() {
    POLICY=$EVIDENCE/more-$BATS_TEST_NUMBER.yaml
    { cat "$EVIDENCE/policy.yaml"; printf '%s\n' "$@"; } >"$POLICY"
}

@test "init prints a policy that can be read, for every product and level" {
    for product in genoa turin genoa,turin; do
        for level in measured firmware; do
            "$TESTUDO" policy init --product $product --level $level >"$BATS_TEST_TMPDIR/p.yaml"
            run "$TESTUDO" policy lint "$BATS_TEST_TMPDIR/p.yaml"
            [ "$status" -eq 0 ]
            grep -q "^products: \[$product\]$" "$BATS_TEST_TMPDIR/p.yaml"
            grep -q "^level: $level$" "$BATS_TEST_TMPDIR/p.yaml"
        done
    done
}

@test "init is strict: what is left to say is the software and the chips" {
    run "$TESTUDO" policy init
    [ "$status" -eq 0 ]
    echo "$output" >"$BATS_TEST_TMPDIR/p.yaml"
    run "$TESTUDO" policy lint "$BATS_TEST_TMPDIR/p.yaml" --json
    [ "$(jq -r '.warnings[].key' <<<"$output" | paste -sd' ')" = "measurements chips" ]
    "$TESTUDO" policy init --chips $CHIP --measurements "$EVIDENCE/refs/images.yaml" >"$BATS_TEST_TMPDIR/p.yaml"
    run "$TESTUDO" policy lint "$BATS_TEST_TMPDIR/p.yaml" --strict --at 2026-11-23
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "init --json is the same policy as its text" {
    "$TESTUDO" policy init --chips $CHIP >"$BATS_TEST_TMPDIR/p.yaml"
    "$TESTUDO" policy init --chips $CHIP --json >"$BATS_TEST_TMPDIR/p.json"
    for p in p.yaml p.json; do
        try "$BATS_TEST_TMPDIR/$p" "$EVIDENCE/good.bin" >"$BATS_TEST_TMPDIR/$p.out"
        sed -i "s/p\.yaml\|p\.json//" "$BATS_TEST_TMPDIR/$p.out"
    done
    grep -q "policy.guest-policy" "$BATS_TEST_TMPDIR/p.yaml.out"
    cmp "$BATS_TEST_TMPDIR/p.yaml.out" "$BATS_TEST_TMPDIR/p.json.out"
}

@test "init refuses what makes no policy: exit 2, with the reason" {
    run "$TESTUDO" policy init --product milan
    [ "$status" -eq 2 ]
    [[ $output == *"root seed"*"AMD-SB-3045"* ]]
    run "$TESTUDO" policy init --product rome
    [ "$status" -eq 2 ]
    [[ $output == *milan*genoa*turin* ]]
    run "$TESTUDO" policy init --name 'Big Policy'
    [ "$status" -eq 2 ]
    run "$TESTUDO" policy init --measurements "$BATS_TEST_TMPDIR/nowhere.yaml"
    [ "$status" -eq 2 ]
    [[ $output == *nowhere.yaml* ]]
}

@test "init takes a Milan with its chips" {
    "$TESTUDO" policy init --product milan --chips $CHIP >"$BATS_TEST_TMPDIR/p.yaml"
    run "$TESTUDO" policy lint "$BATS_TEST_TMPDIR/p.yaml"
    [ "$status" -eq 0 ]
    [[ $output == *"milan: reports of a chip whose root seed was extracted can be forged"* ]]
}

@test "lint says file, line and column of what cannot be read" {
    printf 'name: a\nguest-policy:\n  must-set: [turbo]\n' >"$BATS_TEST_TMPDIR/bad.yaml"
    run "$TESTUDO" policy lint "$BATS_TEST_TMPDIR/bad.yaml"
    [ "$status" -eq 2 ]
    [[ $output == *"bad.yaml:3:14:"*ciphertext-hiding*turbo* ]]
    printf 'name: a\nrules: {debug: warn}\n' >"$BATS_TEST_TMPDIR/bad.yaml"
    run "$TESTUDO" policy lint "$BATS_TEST_TMPDIR/bad.yaml"
    [ "$status" -eq 2 ]
    [[ $output == *"bad.yaml:2:9:"*"cannot be set to warn"* ]]
}

@test "lint warns with the line of the key, and --strict makes that exit 1" {
    run "$TESTUDO" policy lint "$EVIDENCE/policy.yaml" --at 2026-11-23
    [ "$status" -eq 0 ]
    [[ $output == *"policy.yaml:2:1: warning: simulated:"* ]]
    [[ $output == *"policy.yaml:6:1: warning: crl:"* ]]
    run "$TESTUDO" policy lint "$EVIDENCE/policy.yaml" --at 2026-11-23 --strict
    [ "$status" -eq 1 ]
    run "$TESTUDO" policy lint "$EVIDENCE/policy.yaml" --at 2031-01-01
    [[ $output == *"policy.yaml:4:1: warning: measurements: test image expired at 2030-01-01"* ]]
}

@test "test: evidence that the policy accepts, rule by rule: exit 0" {
    try "$EVIDENCE/policy.yaml" "$EVIDENCE/good.bin"
    [ "$status" -eq 0 ]
    [[ $output == *"pass    policy.measurement           test image:"* ]]
    [[ $output == *"skip    policy.host-data             not asked for"* ]]
    [[ $output == *"=> accepted (SIMULATED), level measured, reference value test image"* ]]
    [[ $output == *"1 of 1 accepted, 0 with warnings"* ]]
    [[ $output != *FAIL* ]]
}

@test "test: a rule that refuses says found, expected and what to do: exit 4" {
    more "platform-info: {must-set: [alias-check-complete]}"
    try "$POLICY" "$EVIDENCE/good.bin"
    [ "$status" -eq 4 ]
    [[ $output == *"FAIL    policy.platform-info         found    clear: alias-check-complete"* ]]
    [[ $output == *"expected set: alias-check-complete"* ]]
    [[ $output == *"=> refused by policy, by policy.platform-info"* ]]
}

@test "test: a rule that only warns: exit 0 and WARN" {
    more "platform-info: {must-set: [alias-check-complete]}" "rules: {platform-info: warn}"
    try "$POLICY" "$EVIDENCE/good.bin"
    [ "$status" -eq 0 ]
    [[ $output == *"WARN    policy.platform-info         found    clear: alias-check-complete"* ]]
    [[ $output == *"1 of 1 accepted, 1 with warnings"* ]]
    run "$TESTUDO" evidence verify "$EVIDENCE/good.bin" --vek "$EVIDENCE/vek.der" --chain "$EVIDENCE/chain.pem" --at 2026-11-23 --policy "$POLICY"
    [ "$status" -eq 0 ]
    [[ $output == *"WARN    policy.platform-info"* ]]
    [[ $output == *"WARN: 1 rule of the policy only warns, and does not hold"* ]]
}

@test "test --json: verdicts with every rule, counts and exit status" {
    more "min-guest-svn: 1" "rules: {guest-svn: warn}"
    try "$POLICY" "$EVIDENCE/good.bin" "$EVIDENCE/debug.bin" --json
    [ "$status" -eq 4 ]
    [ "$(jq -c '[.count, .accepted, .warned, .["exit-status"]]' <<<"$output")" = "[2,1,2,4]" ]
    [ "$(jq -r '.results[0].verdict.checks[] | select(.outcome == "warn") | .id + " " + .expected + " " + .found' <<<"$output")" = \
        "policy.guest-svn 1 or more 0" ]
    [ "$(jq -r '.results[1].verdict.checks[] | select(.outcome == "fail") | .id' <<<"$output")" = policy.debug ]
    [ "$(jq '.results[0].verdict.warnings' <<<"$output")" = 1 ]
}

@test "test: of several the gravest decides" {
    try "$EVIDENCE/policy.yaml" "$EVIDENCE/good.bin" "$EVIDENCE/debug.bin" "$EVIDENCE/unsigned.bin"
    [ "$status" -eq 1 ]
    [[ $output == *"1 of 3 accepted"* ]]
    [[ $output == *"=> refuted, by report.signature"* ]]
}

@test "test: without certificates nothing is decided: exit 3" {
    run "$TESTUDO" policy test "$EVIDENCE/policy.yaml" --at 2026-11-23 --evidence "$EVIDENCE/good.bin"
    [ "$status" -eq 3 ]
    [[ $output == *"MISSING chain.vek"* ]]
    [[ $output == *"=> undecidable"* ]]
}

@test "test: bad usage: exit 2" {
    run "$TESTUDO" policy test "$EVIDENCE/policy.yaml"
    [ "$status" -eq 2 ]
    [[ $output == *"--evidence"* ]]
    try "$EVIDENCE/nowhere.yaml" "$EVIDENCE/good.bin"
    [ "$status" -eq 2 ]
    try "$EVIDENCE/policy.yaml" "$EVIDENCE/nowhere.bin"
    [ "$status" -eq 2 ]
}

@test "floors prints every row of the newest set with date and source" {
    run "$TESTUDO" policy floors
    [ "$status" -eq 0 ]
    table=$BATS_TEST_DIRNAME/../../share/tcb-floors.tsv
    newest=$(grep '^2' "$table" | cut -f1 | sort | tail -1)
    [ "$(grep -c https:// <<<"$output")" -eq "$(grep -c "^$newest" "$table")" ]
    [[ $output == *"floors: $newest"* ]]
    [[ $output == *Milan-X*amd-sb-3019* ]]
}

@test "floors --json agrees with the table" {
    run "$TESTUDO" policy floors --set 2026-11 --json
    [ "$status" -eq 0 ]
    [ "$(jq -r .set <<<"$output")" = 2026-11 ]
    jq -r '.floors[] | .product as $p | .cpu as $c | .components | to_entries[] | [$p, $c, .key, .value.minimum, .value.date, .value.source] | @tsv' \
        <<<"$output" >"$BATS_TEST_TMPDIR/printed"
    while IFS=$'\t' read -r _ product cpu _ _ _ component minimum date source; do
        printf '%s\t%s\t%s\t%d\t%s\t%s\n' "$product" "$cpu" "$component" "$((16#$minimum))" "$date" "$source"
    done < <(grep '^2026-11' "$BATS_TEST_DIRNAME/../../share/tcb-floors.tsv") >"$BATS_TEST_TMPDIR/table"
    [ -s "$BATS_TEST_TMPDIR/table" ]
    diff <(sort "$BATS_TEST_TMPDIR/printed") <(sort "$BATS_TEST_TMPDIR/table")
}

@test "floors of an unknown set: exit 2, and which there is" {
    run "$TESTUDO" policy floors --set 2020-01
    [ "$status" -eq 2 ]
    [[ $output == *2026-11* ]]
}
