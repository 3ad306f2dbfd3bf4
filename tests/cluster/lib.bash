# shellcheck shell=bash
# What the cluster tests share: one cluster of their own (name, network, state folder), and ways into its nodes.
# The machine must be root's. A test file sets CLUSTER, NETWORK and calls cluster_file.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${TESTUDO_BUILD:-$ROOT/build}
TESTUDO=$BUILD/src/cli/testudo

cluster_file() { # SEALED-NODES PLAIN-NODES: writes the cluster file and policy into $WORK
    cp "$ROOT/examples/sealed.yaml" "$WORK/sealed.yaml"
    cat >"$WORK/cluster.yaml" <<YAML
name: $CLUSTER
provider: local
broker: local
network: $NETWORK.0/24
controller: {cores: 1, memory: 1G}
partitions:
  cpu:     {nodes: $2, max: $(($2 + 1)), cores: 2, memory: 1G, level: none}
  cpu-sev: {nodes: $1, max: $(($1 + 1)), cores: 2, memory: 1G, level: measured, policy: sealed.yaml}
YAML
}

up() { "$TESTUDO" up "$WORK/cluster.yaml" --state "$STATE"; }
down() { "$TESTUDO" down --state "$STATE" "$@"; }
on() { # NODE COMMAND...: as root on a node
    local node=$1
    shift
    "$TESTUDO" exec --state "$STATE" "$node" -- "$@"
}
as_user() { # NODE COMMAND...
    local node=$1
    shift
    "$TESTUDO" exec --state "$STATE" --user hpc "$node" -- "$@"
}
node_pid() { # NODE: its init's pid on the host
    "$TESTUDO" status --state "$STATE" --json | jq -er --arg i "$1" '.nodes[] | select(.instance == $i) | .pid'
}
tree() { echo "/proc/$(node_pid "$1")/root"; }
node_field() { # NODE FIELD
    "$TESTUDO" status --state "$STATE" --json | jq -r --arg i "$1" --arg f "$2" '.nodes[] | select(.instance == $i) | .[$f]'
}
wait_for() { # SECONDS COMMAND...: until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}
job_is() { # NODE JOB STATE
    [[ $(on "$1" scontrol --oneliner show job "$2") == *" JobState=$3 "* ]]
}
