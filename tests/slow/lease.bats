#!/usr/bin/env bats
# The life of a lease on a real cluster: renewed at one third, ended by the broker's no, ended by its silence.
bats_require_minimum_version 1.5.0
load ../cluster/lib

setup_file() {
    export CLUSTER=lease NETWORK=10.80.0 WORK=$BATS_FILE_TMPDIR
    export STATE=$WORK/state
    cluster_file 1 1
    sed -i 's/^broker: local/&\nlease-s: 12/' "$WORK/cluster.yaml"
    up >"$WORK/up.log" 2>&1 || { cat "$WORK/up.log" >&2; return 1; }
}
teardown_file() {
    pkill -CONT -x testudod || true
    down --purge >/dev/null 2>&1 || true
}

runs() { on "$1" pgrep -x "$2" >/dev/null; }
renewals() { "$TESTUDO" log show --state "$STATE" --json | jq --arg i "$1" '[.[] | select(.verb == "renew" and .subject == $i)] | length'; }
state_is() { [ "$(node_field "$1" state)" = "$2" ]; }
gone() { ! on "$1" pgrep -x 'munged|slurmd|slurmctld' >/dev/null && ! on "$1" test -e /run/testudo/munge.key; }
broker() { curl -s --unix-socket "$STATE/broker/broker.sock" -X "$1" "http://broker$2" -d "$3"; }

@test "leases are renewed with fresh evidence (sealed) and a fresh signature (plain)" {
    sleep 14
    for node in ctl s1 p1; do
        [ "$(renewals $node)" -ge 2 ]
        [ "$(node_field $node state)" = admitted ]
        runs $node munged
    done
    verdicts=$(sqlite3 "$STATE/broker/broker.db" "SELECT count(DISTINCT json) FROM verdict JOIN log USING (idx) WHERE subject = 's1' AND verb = 'renew'")
    [ "$verdicts" -ge 2 ]
}

@test "a silent broker: at the lease's end nodes stop slurmd and munged and wipe the key; when it speaks again they are back" {
    pkill -STOP -x testudod
    wait_for 30 gone s1
    wait_for 30 gone p1
    pkill -CONT -x testudod
    wait_for 40 state_is s1 admitted
    wait_for 40 state_is p1 admitted
    wait_for 20 runs s1 slurmd
    wait_for 20 runs p1 slurmd
}

@test "a revoked node loses munged, slurmd and key at its next renewal, and is not let in again" {
    run -0 broker POST /v1/revoke '{"instance":"s1","reason":"seen on another rack"}'
    [ "$(node_field s1 state)" = revoked ]
    wait_for 20 gone s1
    run -4 on s1 /usr/libexec/testudo/testudo-agent status
    [[ $output == *revoked* ]]
    run -0 broker POST /v1/rearm '{"instance":"s1"}'
    [[ $output == *'problem:revoked'* ]]
    run -0 "$TESTUDO" log show --state "$STATE"
    [[ $output == *revoke*s1*"seen on another rack"* && $output == *refuse*s1*revoked* ]]
}

@test "a node whose name is re-armed for another launch loses its lease" {
    run -0 broker POST /v1/rearm '{"instance":"p1"}'
    wait_for 20 gone p1
    run -0 "$TESTUDO" log show --state "$STATE"
    [[ $output == *refuse*p1* ]]
}

@test "through all of it the log holds" {
    run -0 "$TESTUDO" log verify --state "$STATE"
}
