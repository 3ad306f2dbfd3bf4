#!/usr/bin/env bats
# A broker that is killed 200 times while clients join: whatever a client got is in the log, and every honest client gets in.
# TESTUDO_SEED repeats a run's random numbers, TESTUDO_KILLS changes how many kills there are.
bats_require_minimum_version 1.5.0

KILLS=${TESTUDO_KILLS:-200}

client() { "$BUILD/tests/slow/kill_client" "$@"; }
check() { client check "$1" "$STATE" "$WORK"/record.*; }
start_broker() { "$BUILD/src/broker/testudod" serve --state "$STATE" --socket "$SOCKET" 2>>"$WORK/broker.log" & broker=$!; }
until_ready() {
    for _ in $(seq 1000); do
        curl -sf --unix-socket "$SOCKET" http://broker/healthz >/dev/null && return
        sleep 0.01
    done
    return 1
}

# One broker's life, of a random length: three of four start up first, one may die while it opens its database.
live_and_die() {
    start_broker
    [ $((RANDOM % 4)) = 0 ] || until_ready
    sleep "0.$(printf %03d $((RANDOM % 300)))"
    kill -9 "$broker"
    wait "$broker" 2>/dev/null || [ $? = 137 ] || return 1
    echo killed >>"$WORK/kills"
}

setup_file() {
    export BUILD=${TESTUDO_BUILD:-$BATS_TEST_DIRNAME/../../build} WORK=$BATS_FILE_TMPDIR
    export STATE=$WORK/state SOCKET=$WORK/sock ADDRESS=127.0.0.1:$((20000 + $$ % 10000))
    export TESTUDO_TEST_CACHE=${TESTUDO_TEST_CACHE:-$BUILD/test-cache}
    local seed=${TESTUDO_SEED:-$RANDOM} clients=() i
    echo "# seed $seed" >&3
    RANDOM=$seed
    "$BUILD/src/broker/testudod" init --state "$STATE" --listen "$ADDRESS" >/dev/null
    start_broker
    until_ready
    client arm "$SOCKET"
    kill -9 "$broker"
    wait "$broker" 2>/dev/null || true
    for i in 0 1 2 3; do
        client join "$STATE" "$ADDRESS" $((seed + i)) "$WORK/stop" "$WORK/record.$i" $((30 * i + 1)) $((30 * i + 30)) \
            2>"$WORK/client.$i" 3>&- &
        clients+=($!)
    done
    for i in $(seq "$KILLS"); do live_and_die 3>&-; done
    touch "$WORK/stop"
    start_broker 3>&-
    until_ready
    for i in 0 1 2 3; do
        wait "${clients[i]}" && echo 0 >"$WORK/status.$i" || echo $? >"$WORK/status.$i"
    done
    kill "$broker"
    wait "$broker"
}

@test "the broker was killed as often as it should" {
    [ "$(wc -l <"$WORK/kills")" = "$KILLS" ]
}

@test "no honest client was refused, and all of them are in at the end" {
    for i in 0 1 2 3; do
        cat "$WORK/client.$i"
        [ "$(cat "$WORK/status.$i")" = 0 ]
    done
    check everybody
}

@test "at least 100 joins were answered, some of them again to who had lost the answer" {
    [ "$(cat "$WORK"/record.* | wc -l)" -ge 100 ]
    [ "$(cat "$WORK"/record.* | grep -c lost)" = 40 ]
}

@test "every answer that a client got has its row in the log, with that hash" {
    check answers
}

@test "an answer without its row, and a secret without an admission, would be found" {
    sed 's/^\(i[0-9]* [0-9]* \)../\1zz/;1q' "$WORK/record.0" >"$WORK/forged"
    run -1 client check answers "$STATE" "$WORK"/record.* "$WORK/forged"
    sed 's/^i[0-9]*/s1/;1q' "$WORK/record.0" >"$WORK/forged"
    run -1 client check secrets "$STATE" "$WORK"/record.* "$WORK/forged"
}

@test "no client holds a secret without an admission in the log" {
    check secrets
}

@test "every client got one and the same realm key" {
    check key
}

@test "the log verifies" {
    check log
}

@test "the broker never said that something went wrong inside" {
    run -1 grep -v '^testudod [0-9.]*: broker-id' "$WORK/broker.log"
}
