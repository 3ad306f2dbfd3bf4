#!/usr/bin/env bats
# One cluster with both realms, looked at from every side. Real slurmctld, slurmd, munged, broker, secure processor (SIMULATED).
bats_require_minimum_version 1.5.0
load lib

setup_file() {
    export CLUSTER=bats NETWORK=10.78.0 WORK=$BATS_FILE_TMPDIR
    export STATE=$WORK/state
    cluster_file 2 2
    machine_now >"$WORK/before"
    touch "$WORK/began"
    up >"$WORK/up.log" 2>&1 || { cat "$WORK/up.log" >&2; return 1; }
}
teardown_file() { down --purge >/dev/null 2>&1 || true; }

# Everything that a cluster could leave behind on the machine.
machine_now() {
    echo "-- links"; ip -o link | awk -F': ' '{ print $2 }' | grep -v -e '^veth' | sort
    echo "-- mounts"; awk '{ print $5, $9 }' /proc/self/mountinfo | sort
    echo "-- named namespaces"; ls /run/netns 2>/dev/null || true
    echo "-- cgroups"; find /sys/fs/cgroup -type d | grep -i testudo | sort || true
    echo "-- users"; sha256sum /etc/passwd /etc/group /etc/shadow /etc/hosts
    echo "-- sysctl"; sysctl -a 2>/dev/null | grep -E '^(kernel\.(core_pattern|hostname|sysrq|yama|pid_max)|net\.ipv4\.(ip_forward|conf\.(all|default)\.)|net\.bridge|net\.core\.|vm\.swappiness|fs\.suid_dumpable)' | sort
    echo "-- processes"; ps -eo stat=,comm= | awk '$1 !~ /^Z/ && $2 ~ /^(testudo|munged|slurm)/ { print $2 }' | sort
}

@test "sealed nodes run srun over PMIx under the realm's own controller" {
    run -0 as_user ctl srun -N2 hostname
    [[ $output == *s1* && $output == *s2* ]]
}

@test "plain nodes run srun, and know no sealed node" {
    run -0 as_user p1 srun -N2 hostname
    [[ $output == *p1* && $output == *p2* ]]
    run -0 on p1 sinfo -h -N -o %N
    [[ $output != *s1* ]]
}

@test "each node is a host of its own: name, network, processes, and no pid of another" {
    run -0 on s1 hostname
    [ "$output" = s1 ]
    run -0 on s1 ip -4 -o addr show eth0
    [[ $output == *"$NETWORK.11/24"* ]]
    run -0 on s1 ps -e -o comm=
    [[ $output == *slurmd* && $output != *slurmctld* && $output != *testudod* && $output != *testudo-psp* ]]
    for ns in net pid uts ipc mnt; do
        [ "$(on s1 readlink /proc/1/ns/$ns)" != "$(readlink /proc/1/ns/$ns)" ]
        [ "$(on s1 readlink /proc/1/ns/$ns)" != "$(on s2 readlink /proc/1/ns/$ns)" ]
    done
}

@test "nodes lack the capabilities to make devices, to reach raw I/O and to load modules" {
    for node in ctl s1 p1; do
        bounding=$(on $node grep CapBnd /proc/self/status | awk '{ print $2 }')
        for bit in 27 17 16; do # MKNOD, SYS_RAWIO, SYS_MODULE
            (((0x$bounding >> bit & 1) == 0))
        done
        run ! on $node mknod /tmp/disk b 254 0
    done
}

@test "status says who is in, at which level, SIMULATED, with digest and chip" {
    run -0 "$TESTUDO" status --state "$STATE" --json
    for node in ctl s1 s2; do
        jq -e --arg i $node '.nodes[] | select(.instance == $i) | .state == "admitted" and .level == "measured" and .simulated == true
            and (.digest | length) == 96 and (."chip-id" | length) == 128' <<<"$output"
    done
    jq -e '[.nodes[] | select(.instance == "s1" or .instance == "s2") | ."chip-id"] | unique | length == 2' <<<"$output"
    jq -e '.nodes[] | select(.instance == "p1") | .level == "none" and .digest == null' <<<"$output"
    run -0 "$TESTUDO" status --state "$STATE"
    [[ $output == *SIMULATED* ]]
}

@test "the digest that the broker admitted is the one that up wrote beforehand, and s1 runs exactly the built agent" {
    run -0 cat "$STATE/policy/refs/sealed.yaml"
    [[ $output == *"$(node_field s1 digest)"* && $output == *"$(node_field ctl digest)"* ]]
    cmp "$(tree s1)/usr/libexec/testudo/testudo-agent" "$BUILD/src/agent/testudo-agent"
}

@test "a node with a changed agent is refused on all three sides, and starts neither munged nor slurmd" {
    cp "$BUILD/src/agent/testudo-agent" "$WORK/agent"
    printf changed >>"$WORK/agent"
    run -4 "$TESTUDO" launch s3 --agent "$WORK/agent" --state "$STATE"
    [[ $output == *policy.measurement* ]]
    run -4 on s3 /usr/libexec/testudo/testudo-agent status
    [[ $output == *refused* && $output == *policy.measurement* ]]
    [[ $(node_field s3 reason) == *policy.measurement* ]]
    run -0 "$TESTUDO" log show --state "$STATE"
    [[ $output == *refuse*s3*policy.measurement* ]]
    run -0 "$TESTUDO" log verify --state "$STATE"
    run ! on s3 pgrep -x 'munged|slurmd'
    run ! on s3 test -e /run/testudo/munge.key
    run ! on s3 test -e /run/testudo/slurm/slurm.conf
}

@test "munge keys and configuration lie on tmpfs only, and no core can be dumped by a node's daemon" {
    for node in ctl s1 p1; do
        [ "$(on $node stat -f -c %T /run/testudo)" = tmpfs ]
        run ! on $node test -e /etc/munge/munge.key
        for pid in $(on $node pgrep -x 'munged|slurmctld|slurmd|testudo-agent|testudo-init'); do
            [[ $(on $node grep 'Max core file size' "/proc/$pid/limits") =~ size\ +0\ +0\  ]]
        done
    done
}

@test "a realm key is nowhere but on its members' tmpfs: state, logs, uppers, shared folders, argv, environment" {
    for node in ctl s1 s2 p1 p2; do
        root=$(tree $node)
        run -0 "$BUILD/tests/tools/find_secret" "$root/run/testudo/munge.key" "$STATE" "$root/run" "$root/etc" "$root/var" "$root/tmp" \
            "$root/root" "$root/home" "$root/dev" "$root/shared" "$root/opt" "$root/srv" "$root/mnt"
        [[ $output == *" 0 found"* ]]
    done
}

@test "the same search finds a planted canary in each form" {
    key=$(tree s1)/run/testudo/munge.key
    mkdir -p "$WORK/planted"
    for form in cat 'xxd -p' 'base64 -w0'; do
        { echo before; $form "$key" | tr -d '\n'; } >"$WORK/planted/x"
        if [ "$form" = cat ]; then cp "$key" "$WORK/planted/x"; fi
        run -1 "$BUILD/tests/tools/find_secret" "$key" "$WORK/planted"
        [[ $output == *"planted/x: holds the secret"* ]]
    done
    rm -r "$WORK/planted"
    run -1 env CANARY="$(base64 -w0 "$key")" "$BUILD/tests/tools/find_secret" "$key" /dev/null
    [[ $output == *environ* ]]
}

@test "root of a plain node finds no trace of broker, psp or sealed realm in its tree" {
    canary=canary-$RANDOM$RANDOM$RANDOM
    echo "$canary" >"$STATE/broker/canary"
    echo "$canary" >"$STATE/psp/canary"
    echo "$canary" >"$STATE/shared/sealed/home/hpc/canary"
    echo "$canary" >"$(tree s1)/tmp/canary"
    echo "$canary" >"$(tree s1)/run/testudo/canary"
    echo "$canary" >"/root/.$canary"
    echo "$canary" >"$ROOT/build/$canary"
    run -1 on p1 grep -rIl --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr "$canary" /
    run -0 on p1 find / -xdev -name "*$canary*"
    [ -z "$output" ]
    run -0 on p1 find / -name broker.db -o -name psp.sock -o -name broker.sock -o -name wrap.key -o -path "*$STATE*"
    rm -f "/root/.$canary" "$ROOT/build/$canary" "$STATE"/{broker,psp}/canary
}

@test "root of a plain node sees no process and reaches no socket of broker's owner door, psp or sealed nodes" {
    run -0 on p1 ps -e -o comm=
    [[ $output != *testudod* && $output != *testudo-psp* && $output != *slurmctld*slurmctld* ]]
    run -0 on p1 ss -xlH
    [[ $output != *psp.sock* && $output != *broker.sock* ]]
    run ! on p1 ls /sys/kernel/config/tsm/report
    # owner's verbs are not on the node door
    run -0 on p1 curl -sk -o /dev/null -w '%{http_code}' -X POST "https://$NETWORK.1:8443/v1/expect" -d '{"instance":"s1"}'
    [ "$output" = 404 ]
}

# p1's root with p1's own munge key, against the sealed realm's controller and nodes.
evil() { on p1 env SLURM_CONF=/tmp/evil/slurm.conf "$@"; }
evil_refused() { # COMMAND...: must fail, and for want of the realm's key
    run evil timeout 25 "$@"
    [ "$status" -ne 0 ]
    [[ $output == *[Aa]uthentication* || $output == *"Invalid job credential"* || $output == *"Zero Bytes"* || $output == *"Unexpected message received"* ]] ||
        { echo "$*: $output" >&2; return 1; }
}

@test "with its own munge key a plain root is refused by the sealed realm in every way it tries" {
    on p1 mkdir -p /tmp/evil
    cp "$(tree ctl)"/run/testudo/slurm/* "$(tree p1)/tmp/evil/" # configuration is no secret: give it all of it
    on p1 sed -i "s|/run/testudo/slurm|/tmp/evil|" /tmp/evil/slurm.conf
    on p1 sh -c "printf '%s ctl\n%s s1\n%s s2\n' $NETWORK.10 $NETWORK.11 $NETWORK.12 >>/etc/hosts"
    job=$(as_user ctl sbatch --parsable -N2 -o /dev/null --wrap 'srun sleep 600')
    wait_for 30 job_is ctl "$job" RUNNING
    before=$(on ctl scontrol show node s1 | grep -E 'NodeAddr|SlurmdStartTime|State')

    evil_refused sinfo
    evil_refused scontrol ping || [[ $output == *DOWN* ]]
    evil_refused sbatch -p cpu-sev --wrap 'id'
    evil_refused srun -p cpu-sev id
    evil_refused srun --jobid "$job" --overlap id
    evil_refused scancel "$job"
    evil_refused scontrol update nodename=s1 state=down reason=evil
    evil_refused scontrol update jobid="$job" timelimit=1
    evil_refused sattach "$job.0"
    evil_refused env SLURM_JOB_ID="$job" SLURM_JOBID="$job" sbcast /etc/hostname /tmp/evil-was-here
    evil_refused env SLURMD_NODENAME=s1 scontrol show slurmd

    # register as s1
    run evil timeout 8 slurmd -D -N s1 -f /tmp/evil/slurm.conf
    [[ $output == *[Aa]uthentication* || $output == *"Zero Bytes"* || $output == *"Unable to register"* || $status -ne 0 ]]
    [ "$(on ctl scontrol show node s1 | grep -E 'NodeAddr|SlurmdStartTime|State')" = "$before" ]
    job_is ctl "$job" RUNNING
    [ "$(on ctl squeue -h -o %i | wc -l)" = 1 ]
    run ! on s1 test -e /tmp/evil-was-here
    run -0 on ctl grep -i -c -E 'munge|credential' /var/log/slurm/slurmctld.log
    [ "$output" -gt 0 ]
    on ctl scancel "$job"
}

@test "a credential that claims uid 0, made with the plain realm's key, does not decode on a sealed node" {
    credential=$(on p1 munge -n)
    [[ $credential == MUNGE:* ]]
    run ! on s1 unmunge <<<"$credential"
    [[ $output == *"Invalid credential"* ]]
    run -0 on p2 unmunge <<<"$credential"
    [[ $output == *"UID:"*"(0)"* ]]
}

@test "a node that a second launch plays is not let in while the first holds the name" {
    admitted=$(node_field s1 report-id)
    run ! "$TESTUDO" launch s1 --state "$STATE"
    [ "$(node_field s1 report-id)" = "$admitted" ]
    [ "$(node_field s1 state)" = admitted ]
}

@test "up on a cluster that is up changes nothing" {
    before=$(node_field s1 report-id)
    run -0 up
    [ "$(node_field s1 report-id)" = "$before" ]
}

@test "exec passes standard input, exit status and the job user's own environment" {
    run -7 on s1 sh -c 'exit 7'
    run -0 as_user s1 sh -c 'id -un; echo $HOME; cat' <<<"through"
    [ "${lines[0]}" = hpc ]
    [ "${lines[1]}" = /shared/home/hpc ]
    [ "${lines[2]}" = through ]
    run ! getent passwd hpc
}

@test "the shared folder is one per realm" {
    as_user s1 sh -c 'echo sealed-words > /shared/home/hpc/note'
    run -0 as_user s2 cat /shared/home/hpc/note
    [ "$output" = sealed-words ]
    run ! as_user p1 cat /shared/home/hpc/note
}

@test "down leaves nothing on the machine outside of the state folder, and keeps that" {
    for node in s1 p1; do cp "$(tree $node)/run/testudo/munge.key" "$WORK/$node.key"; done
    run -0 down
    wait_for 10 nothing_added || { diff "$WORK/before" <(machine_now); return 1; }
    # no file newer than the start but in the state folder, temporary folders and what others write
    run -0 find /etc /opt /root /srv /usr /var /home -xdev -newer "$WORK/began" -not -path "$STATE*" -not -path "$ROOT/*" \
        -not -path '/var/log/*' -not -path '/var/cache/*' -not -path '/var/tmp/*' -not -path '/root/.cache*' -type f
    [[ $output != *testudo* && $output != *munge* && $output != *slurm* && $output != */etc/* ]]
    [ -d "$STATE/broker" ]
    run -0 "$TESTUDO" log verify --state "$STATE"
}
@test "after down a realm key is nowhere but wrapped at the broker" {
    for node in s1 p1; do
        run -0 "$BUILD/tests/tools/find_secret" "$WORK/$node.key" "$STATE" /etc /var/log /var/lib /var/spool /var/tmp /run /dev/shm
        [[ $output == *" 0 found"* ]]
    done
}
nothing_added() { [ -z "$(comm -13 <(sort "$WORK/before") <(machine_now | sort))" ]; }

@test "a second up after down re-arms the nodes: same chips, new launches, same realm" {
    chip=$(sqlite3 "$STATE/broker/broker.db" "SELECT chip_id FROM instance WHERE name = 's1'")
    report=$(sqlite3 "$STATE/broker/broker.db" "SELECT report_id FROM instance WHERE name = 's1'")
    run -0 up
    [ "$(node_field s1 chip-id)" = "$chip" ]
    [ "$(node_field s1 report-id)" != "$report" ]
    run -0 as_user ctl srun -N2 hostname
    run -0 down --purge
    [ ! -e "$STATE" ]
}
