#!/usr/bin/env bats
# `up` may be killed at any moment: `down` always finds everything, and `up` can be repeated.
bats_require_minimum_version 1.5.0
load ../cluster/lib

setup_file() {
    export CLUSTER=cut NETWORK=10.79.0 WORK=$BATS_FILE_TMPDIR
    export STATE=$WORK/state
    cluster_file 2 1
    up >/dev/null # keys are made once
    down >/dev/null
    export SEED=${TESTUDO_SEED:-$RANDOM}
    echo "# seed $SEED" >&3
}
teardown_file() { down --purge >/dev/null 2>&1 || true; }

links() { ip -o link | grep -c "tst-$CLUSTER"; }

@test "an up that is killed at any moment is undone by down" {
    RANDOM=$SEED
    for _ in $(seq 12); do
        "$TESTUDO" up "$WORK/cluster.yaml" --state "$STATE" >"$WORK/log" 2>&1 &
        pid=$!
        sleep "0.$((RANDOM % 900 + 50))"
        kill -9 "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
        run -0 down
        [ "$(links)" = 0 ]
        run -1 pgrep -x -r D,R,S 'testudod|testudo-psp|testudo-node|testudo-init|testudo-agent|munged|slurmd|slurmctld'
        run -1 grep -c "$STATE" /proc/self/mountinfo
    done
}

@test "an up that is killed at any moment can be repeated" {
    RANDOM=$SEED
    for _ in $(seq 5); do
        "$TESTUDO" up "$WORK/cluster.yaml" --state "$STATE" >"$WORK/log" 2>&1 &
        pid=$!
        sleep "0.$((RANDOM % 900 + 50))"
        kill -9 "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
        run -0 up
        [ "$(node_field s2 state)" = admitted ]
        run -0 as_user ctl srun -N2 hostname
        run -0 down
    done
    run -0 "$TESTUDO" log verify --state "$STATE"
}

@test "a node that dies is launched again by up, as a new launch" {
    run -0 up
    before=$(node_field s1 report-id)
    kill -9 "$(node_pid s1)"
    wait_for 10 node_is_gone s1
    run -0 up
    [ "$(node_field s1 report-id)" != "$before" ]
    wait_for 30 bash -c "$TESTUDO exec --state $STATE --user hpc ctl -- timeout 20 srun -N2 hostname"
}
node_is_gone() { [ "$(node_field "$1" pid)" = null ]; }

@test "a broker that is killed and started again by up keeps its members and its log" {
    head=$("$TESTUDO" log verify --state "$STATE" --json | jq -r .head)
    pkill -9 -x testudod
    sleep 0.5
    run -0 as_user ctl srun -N2 hostname
    run -0 up
    [ "$(node_field s1 state)" = admitted ]
    run -0 "$TESTUDO" log verify --state "$STATE" --head "$head"
}
