#!/usr/bin/env bats
# examples/ten.yaml: ten nodes come up, Slurm uses all of them, seconds per phase are printed.
bats_require_minimum_version 1.5.0

setup_file() {
    ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    export ROOT TESTUDO=${TESTUDO_BUILD:-$ROOT/build}/src/cli/testudo STATE=$BATS_FILE_TMPDIR/state
}
teardown_file() { "$TESTUDO" down --state "$STATE" --purge >/dev/null 2>&1 || true; }

@test "ten nodes come up and say how long each phase took" {
    run -0 "$TESTUDO" up "$ROOT/examples/ten.yaml" --state "$STATE"
    printf '# %s\n' "${lines[@]}" >&3
    [[ $output =~ nodes\ admitted\ +[0-9.]+\ s ]]
    [[ $output =~ nodes\ idle\ in\ Slurm\ +[0-9.]+\ s ]]
}

@test "all ten are admitted as measured, each on a chip of its own" {
    run -0 "$TESTUDO" status --state "$STATE" --json
    jq -e '[.nodes[] | select(.slurm == "idle" and .state == "admitted")] | length == 10' <<<"$output"
    jq -e '[.nodes[] | select(.level == "measured") | ."chip-id"] | (length == (unique | length)) and length > 0' <<<"$output"
}

@test "one job runs on all compute nodes of a realm at once" {
    nodes=$("$TESTUDO" status --state "$STATE" --json | jq '[.nodes[] | select(.realm == "sealed" and .slurm == "idle")] | length')
    run -0 "$TESTUDO" exec --state "$STATE" --user hpc ctl -- srun -N"$nodes" hostname
    [ "$(sort -u <<<"$output" | wc -l)" = "$nodes" ]
}

@test "down takes all of it away" {
    run -0 "$TESTUDO" down --state "$STATE" --purge
    [ ! -e "$STATE" ]
    run -1 pgrep -x 'slurmd|slurmctld|testudo-agent' -r D,R,S
}
