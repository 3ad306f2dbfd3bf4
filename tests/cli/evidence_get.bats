#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# evidence_get.bats - `testudo evidence get` on a machine with a configfs-tsm: a simulated processor behind the real kernel
# (FUSE, in a mount namespace of its own); `testudo evidence key`. What the kernel can answer besides is played in
# tests/unit/evidence.

setup_file() {
    local build=${TESTUDO_BUILD:-$BATS_TEST_DIRNAME/../../build}
    build=$(cd "$build" && pwd)
    export TESTUDO=$build/src/cli/testudo
    export WITH_TSM=$build/tests/unit/evidence/with_tsm
    export TESTUDO_TEST_CACHE=${TESTUDO_TEST_CACHE:-$build/test-cache}
}

setup() {
    MACHINE=$BATS_TEST_TMPDIR/machine
    mkdir "$MACHINE"
}

# get OPTION...: on that machine
get() {
    run "$WITH_TSM" "$MACHINE" "$TESTUDO" evidence get --root "$MACHINE" "$@"
    echo "$output"
    [ "$status" -ne 77 ] || skip "needs root, /dev/fuse and a mount namespace"
}

@test "a report over a nonce, with certificates, holds together with that nonce" {
    head -c 64 /dev/urandom >"$BATS_TEST_TMPDIR/nonce"
    get --nonce "$BATS_TEST_TMPDIR/nonce" --certs --out "$BATS_TEST_TMPDIR/evidence.bin"
    [ "$status" -eq 0 ]
    [[ $output == *"evidence of tsm written"*"certificate table"* ]]
    run "$TESTUDO" evidence verify "$BATS_TEST_TMPDIR/evidence.bin" --nonce "$BATS_TEST_TMPDIR/nonce"
    [ "$status" -eq 1 ] # authentic but for the root, which is a simulator's
    [ "$(grep -c FAIL <<<"$output")" -eq 1 ]
    [[ $output == *"refuted, by chain.ark-pin"* ]]
    grep -q 'ok *binding.report-data' <<<"$output"
}

@test "a folder keeps each part and what was asked" {
    get --random --certs --vmpl 2 --out "$BATS_TEST_TMPDIR/entry/" --json
    [ "$status" -eq 0 ]
    [ "$(jq -r .backend <<<"$output")" = tsm ]
    [ "$(jq -r .nonce <<<"$output")" = "$(xxd -p -c 64 "$BATS_TEST_TMPDIR/entry/inblob")" ]
    [ "$(stat -c %s "$BATS_TEST_TMPDIR/entry/outblob")" -eq 1184 ]
    [ -s "$BATS_TEST_TMPDIR/entry/auxblob" ]
    run "$TESTUDO" evidence show "$BATS_TEST_TMPDIR/entry" --json
    [ "$(jq -r '.report.vmpl, .["report-data-bound"], .container.kind' <<<"$output" | paste -sd' ')" = "2 true configfs-tsm entry" ]
    get --random --out "$BATS_TEST_TMPDIR/entry/"
    [ "$status" -eq 0 ]
    [ ! -e "$BATS_TEST_TMPDIR/entry/auxblob" ] # the table of another request does not stay
}

@test "two random nonces differ" {
    get --random --out "$BATS_TEST_TMPDIR/one"
    get --random --out "$BATS_TEST_TMPDIR/two"
    run cmp -s "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
    [ "$status" -eq 1 ]
}

@test "nothing is left in configfs" {
    # shellcheck disable=SC2016 # the inner shell expands
    run "$WITH_TSM" "$MACHINE" sh -c '"$TESTUDO" evidence get --root "$0" --random --out "$0/out" && ls "$0/sys/kernel/config/tsm/report"' "$MACHINE"
    [ "$status" -ne 77 ] || skip "needs root, /dev/fuse and a mount namespace"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 2 ] # the two lines of get; ls prints none
}

@test "a host without SVSM says what --svsm needs" {
    get --random --svsm --out "$BATS_TEST_TMPDIR/entry/"
    [ "$status" -eq 5 ]
    [[ $output == *"service_provider"*"SVSM"* ]]
}

@test "a machine without evidence: exit 5 and what to do" {
    run "$TESTUDO" evidence get --root "$MACHINE" --random --out "$BATS_TEST_TMPDIR/x"
    [ "$status" -eq 5 ]
    [[ $output == *"offers no SEV-SNP evidence"*"modprobe sev-guest"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/x" ]
    run "$TESTUDO" evidence get --root "$MACHINE" --backend sev-guest --random --out "$BATS_TEST_TMPDIR/x"
    [ "$status" -eq 5 ]
    [[ $output == *"/dev/sev-guest"* ]]
}

@test "a nonce is asked for, exactly one, and not zero" {
    head -c 64 /dev/zero >"$BATS_TEST_TMPDIR/zero"
    for options in "" "--random --nonce $BATS_TEST_TMPDIR/zero" "--nonce $BATS_TEST_TMPDIR/zero" "--random --vmpl 4" "--random --vmpl -1" "--random --backend vtpm"; do
        # shellcheck disable=SC2086
        run "$TESTUDO" evidence get --root "$MACHINE" --out "$BATS_TEST_TMPDIR/x" $options
        echo "$options: $output"
        [ "$status" -eq 2 ]
    done
    run "$TESTUDO" evidence get --root "$MACHINE" --random
    [ "$status" -eq 2 ]
    [[ $output == *--out* ]]
}

@test "a derived key goes into a new file only, and its fields are read strictly" {
    run "$TESTUDO" evidence key --root "$MACHINE" --out "$BATS_TEST_TMPDIR/key"
    [ "$status" -eq 5 ]
    [[ $output == *"/dev/sev-guest"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/key" ]
    for options in "" "--out k --mix colour" "--out k --svn 3" "--out k --mix svn" "--out k --mix tcb --tcb x" "--out k --root-key ark" \
        "--out k --mix mitigations" "--out k --mix svn --svn 4294967296"; do
        # shellcheck disable=SC2086
        run "$TESTUDO" evidence key --root "$MACHINE" $options
        echo "$options: $output"
        [ "$status" -eq 2 ]
    done
    [[ $("$TESTUDO" evidence key --help) == *mitigations* ]]
}
