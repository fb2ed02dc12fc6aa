#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemon, or its courier in the container, is killed at a system call of a grant and of a revoke; at each of them
# in scripts/soak. What the next daemon makes of it is what the rules and sysfs say.

load common

step=${DEVOLVE_KILL_STEP:-12} # 1 in scripts/soak

setup() {
    common_setup
    first=$(loop_first)
    note loop "$first"
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", GROUP=\"20\", SYMLINK+=\"ka/link\""
    group=
    [[ -z $(cgroup_v1_mount) ]] || {
        cgroup_make v1 box
        group=$cgroup
        cgroup_v1_restrict "$group"
    }
    start_daemon
    start_box box ${group:+--cgroup-v1 "$group"}
    register box
    plug # what is made once and for all is there then
    given
    unplug
    taken
}

plug() {
    loop_control add "$first"
}

unplug() {
    wait_until 5 loop_control remove "$first"
}

# What there is, in the container, its device cgroup and our store, is a device that is given, whole; or none.
is_given() {
    [[ $(grants box) == "/dev/loop$first delivered" ]] &&
        opens_in box "/dev/loop$first" && in_box box test /dev/ka/link -ef "/dev/loop$first" &&
        { [[ -z $group ]] || cgroup_v1_has "$group" "b 7:$first rw"; } && (($(store_nodes) == 1))
}

is_taken() {
    [[ -z $(grants box) ]] && not in_box box test -e "/dev/loop$first" && not in_box box test -L /dev/ka/link &&
        { [[ -z $group ]] || not grep -q "b 7:$first " "$group/devices.list"; } && (($(store_nodes) == 0))
}

store_nodes() {
    find "$runtime/nodes" -type b | wc -l
}

given() {
    wait_until 10 is_given 2>/dev/null
}

taken() {
    wait_until 10 is_taken 2>/dev/null
}

# The same by what is seen inside alone: who asks the daemon makes it work.
given_quietly() {
    wait_until 10 in_box box test -e "/run/udev/data/b7:$first"
}

taken_quietly() {
    wait_until 10 is "$((removes + 1))" event_count box remove "$(loop_path "$first")"
}

# trace PID OPTION...: strace is attached to one process when it returns.
trace() {
    : >"$work/strace.err"
    in_background strace -o "$work/trace" -p "$1" "${@:2}" 2>"$work/strace.err"
    tracer=$background
    wait_until 10 grep -q attached "$work/strace.err"
}

# The system calls of one process from before `plug` (or `unplug`) until all is done.
count_calls() {
    local pid=$1 action=$2 outcome=$3 removes
    removes=$(event_count box remove "$(loop_path "$first")")
    trace "$pid"
    "$action"
    "${outcome}_quietly"
    end_process "$tracer" INT
    "$outcome"
    calls=$(grep -cE '^[a-z_0-9]+\(' "$work/trace")
}

courier_pid() {
    pgrep -P "$daemon_pid" devolve-courie | head -n 1
}

# killed_at WHO CALL ACTION: WHO is killed at that call of his, while ACTION is under way.
killed_at() {
    local pid=$daemon_pid
    [[ $1 == daemon ]] || pid=$(courier_pid)
    trace "$pid" -e "inject=all:signal=KILL:when=$2"
    "$3"
    if [[ $1 == daemon ]]; then
        wait_until 5 process_gone "$pid" 2>/dev/null || survived=$((survived + 1))
        kill_daemon
    fi
    end_process "$tracer" INT
}

# killed_everywhere WHO ACTION OUTCOME BACK RESTORED: at every so manieth call.
killed_everywhere() {
    local call kills=0 survived=0 pid=$daemon_pid began took slowest=0
    [[ $1 == daemon ]] || pid=$(courier_pid)
    count_calls "$pid" "$2" "$3"
    "$4"
    "$5"
    for ((call = 1 + RANDOM % step; call <= calls; call += step)); do
        killed_at "$1" "$call" "$2"
        kills=$((kills + 1))
        [[ $1 == courier ]] || start_daemon
        began=$(milliseconds)
        "$3" || fail "killed at call $call of $calls: $(grants box); $(in_box box ls /dev)"
        took=$(($(milliseconds) - began))
        slowest=$((took > slowest ? took : slowest))
        "$4"
        "$5" || fail "killed at call $call of $calls, and what came after: $(grants box); $(in_box box ls /dev)"
    done
    echo "# the $1 at $2: killed at $kills of $calls system calls (it was quicker $survived times);" \
        "as it should be after $slowest ms at most" >&3
}

@test "the daemon is killed at a system call of a grant" {
    killed_everywhere daemon plug given unplug taken
}

@test "the daemon is killed at a system call of a revoke" {
    plug
    given
    killed_everywhere daemon unplug taken plug given
}

@test "the courier is killed at a system call of a grant" {
    killed_everywhere courier plug given unplug taken
}

@test "the courier is killed at a system call of a revoke" {
    plug
    given
    killed_everywhere courier unplug taken plug given
}
