#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemon, or its courier in the container, is killed before a system call of a grant and of a revoke; before each of
# them in scripts/soak. What the next daemon makes of it is what the rules and sysfs say. When the device goes, another
# one, which has no right, gets its number at once, and in the container somebody opens whatever he can get at.
#
# strace counts each kind of system call by itself. So the calls are recorded first, and a call is named by its kind and
# the how manieth of that kind it is.

load common
load fixture/network
load fixture/macvtap

step=${DEVOLVE_KILL_STEP:-80} # 1 in scripts/soak

setup() {
    macvtap_setup
    rule_file 10-test.rules <<<'SUBSYSTEM=="macvtap", KERNELS=="good*", CONTAINER+="c1", GROUP="20", SYMLINK+="ka/link"'
    macvtap_add bad0 | host_ip -batch -
    group_v1='' handed_on=0
}

# begin v1: an unprivileged container, in a device cgroup where the machine has that hierarchy; begin v2: root of the
# host, who makes nodes of his own, in a group with a runtime's program.
begin() {
    start_daemon
    if [[ $1 == v2 ]]; then
        is_root=1
        cgroup_make v2 c1
        attach_filter "$cgroup" runc multi
        start_checker c1 --no-userns --cgroup-v2 "$cgroup"
    elif [[ -n $cgroup_v1 ]]; then
        cgroup_make v1 c1
        group_v1=$cgroup
        cgroup_v1_restrict "$cgroup"
        start_checker c1 --cgroup-v1 "$cgroup"
    else
        start_checker c1
    fi
    register c1
    plug # what is made once and for all is there then
    given
    unplug
    taken
}

plug() {
    { macvtap_del bad0; macvtap_add good0; } | host_ip -batch -
    number=$(macvtap_number good0)
    node=$(macvtap_present)
    node=${node% delivered}
}

# (The numbers are the whole machine's: somebody else may be quicker.)
unplug() {
    { macvtap_del good0; macvtap_add bad0; } | host_ip -batch -
    [[ $(macvtap_number bad0) != "$number" ]] || handed_on=$((handed_on + 1))
}

# What there is, in the container, its device cgroup and our store, is a device that is given, whole; or none.
is_given() {
    [[ $(grants c1) == "$node delivered" ]] &&
        opens_in c1 "$node" && in_box c1 test /dev/ka/link -ef "$node" &&
        { [[ -z $group_v1 ]] || cgroup_v1_has "$group_v1" "c $number rw"; } && (($(store_nodes) == 1))
}

is_taken() {
    [[ -z $(grants c1) ]] && not in_box c1 test -e "$node" && not in_box c1 test -L /dev/ka/link &&
        { [[ -z $group_v1 ]] || not grep -q "c $number " "$group_v1/devices.list"; } && (($(store_nodes) == 0))
}

store_nodes() {
    (in_host find "$runtime/nodes" -type c) | wc -l
}

given() {
    wait_until 10 is_given 2>/dev/null
}

taken() {
    wait_until 10 is_taken 2>/dev/null
}

# The same by what is seen inside alone: who asks the daemon makes it work.
given_quietly() {
    in_box c1 test -e "/run/udev/data/c$number"
}

taken_quietly() {
    not in_box c1 test -e "$node" && not given_quietly
}

# trace PID OPTION...: strace is attached to one process when it returns.
trace() {
    : >"$work/strace.err"
    in_background strace -o "$work/trace" -p "$1" "${@:2}" 2>"$work/strace.err"
    tracer=$background
    wait_until 10 grep -q attached "$work/strace.err"
}

# record_calls PID ACTION OUTCOME: the system calls of one process from before `plug` (or `unplug`) until all is done
# and it sleeps, in ${calls[@]}: "KIND:MANIETH" each.
record_calls() {
    trace "$1"
    "$2"
    wait_until 10 "${3}_quietly"
    wait_until 10 is S process_state "$1"
    end_process "$tracer" INT
    "$3"
    mapfile -t calls < <(awk -F'(' '/^[a-z_0-9]+\(/ { print $1 ":" ++count[$1] }' "$work/trace")
    ((${#calls[@]} > 10)) || fail "what was recorded is too little: ${calls[*]}"
}

pid_of() {
    if [[ $1 == daemon ]]; then
        echo "$daemon_pid"
    else
        pgrep -P "$daemon_pid" devolve-courie | head -n 1
    fi
}

is_over() {
    process_gone "$1" || { "${2}_quietly" && is S process_state "$1"; }
}

# killed_before CALL WHO ACTION OUTCOME: while ACTION is under way.
killed_before() {
    local pid
    pid=$(pid_of "$2")
    trace "$pid" -e "inject=${1%:*}:signal=KILL:when=${1#*:}"
    "$3"
    wait_until 10 is_over "$pid" "$4"
    process_gone "$pid" || survived=$((survived + 1))
    [[ $2 == courier ]] || kill_daemon
    end_process "$tracer" INT
}

# comes_right OUTCOME: in a second, and nothing without a right opens from now on. Who sent a courier that was killed tries
# again after a second.
comes_right() {
    local began took
    began=$(milliseconds)
    checked_strictly c1
    "$1" || fail "killed before ${calls[i]}, call $i of ${#calls[@]}: $(grants c1); $(in_box c1 ls /dev)"
    took=$(($(milliseconds) - began))
    within_time "$took" "$promised" || fail "killed before ${calls[i]}: it took $took ms"
    slowest=$((took > slowest ? took : slowest))
}

# killed_everywhere WHO ACTION OUTCOME BACK RESTORED: before every so manieth call; the courier makes fewer. Each second
# daemon that is killed is followed by another one only after the device has gone (or come) again.
killed_everywhere() {
    local i every=$step kills=0 survived=0 slowest=0 promised=1000 calls
    [[ $1 == daemon ]] || every=$(((step + 7) / 8)) promised=2500
    record_calls "$(pid_of "$1")" "$2" "$3"
    "$4"
    "$5"
    for ((i = RANDOM % every; i < ${#calls[@]}; i += every)); do
        killed_before "${calls[i]}" "$1" "$2" "$3"
        kills=$((kills + 1))
        if [[ $1 == courier ]] || ((kills % 2)); then
            [[ $1 == courier ]] || start_daemon
            comes_right "$3"
            "$4"
        else
            "$4"
            start_daemon
        fi
        comes_right "$5"
    done
    ((survived < kills)) || fail "nobody was killed"
    ((handed_on > 0)) || fail "no number went to a device without a right"
    echo "# the $1 at $2: killed before $((kills - survived)) of its ${#calls[@]} system calls ($kills tried);" \
        "all was right within $slowest ms at most" >&3
    end_checker c1
}

@test "the daemon is killed at a system call of a grant" {
    begin v1
    killed_everywhere daemon plug given unplug taken
}

@test "the daemon is killed at a system call of a revoke" {
    begin v1
    plug
    given
    killed_everywhere daemon unplug taken plug given
}

@test "the daemon is killed at a system call of a grant to root of the host in a v2 device cgroup" {
    begin v2
    killed_everywhere daemon plug given unplug taken
}

@test "the daemon is killed at a system call of a revoke from root of the host in a v2 device cgroup" {
    begin v2
    plug
    given
    killed_everywhere daemon unplug taken plug given
}

@test "the courier is killed at a system call of a grant" {
    begin v1
    killed_everywhere courier plug given unplug taken
}

@test "the courier is killed at a system call of a revoke" {
    begin v1
    plug
    given
    killed_everywhere courier unplug taken plug given
}
