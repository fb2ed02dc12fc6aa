#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Permission: the device cgroups of v1 and v2, whichever this machine has.

load common

setup() {
    common_setup
    harden=/proc/sys/net/core/bpf_jit_harden
    harden_before=$(cat "$harden" 2>/dev/null || true)
    first=$(loop_first)
    second=$((first + 1))
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\""
}

teardown() {
    [[ -z $harden_before ]] || echo "$harden_before" >"$harden"
    common_teardown
}

# opens_in_group GROUP NODE: whether a process of the host, in that group alone, may open the node.
opens_in_group() {
    (echo "$BASHPID" >"$1/cgroup.procs" && exec dd "if=$2" of=/dev/null count=0 status=none 2>/dev/null)
}

# --- v1

@test "v1: devices.list shows the grant and its going" {
    cgroup_make v1 box
    cgroup_v1_restrict "$cgroup"
    start_daemon
    start_box box --cgroup-v1 "$cgroup"
    register box
    local before number
    before=$(<"$cgroup/devices.list")
    loop_add "$first"
    number=$(number_of "$(loop_path "$first")")
    hears box add "$(loop_path "$first")"
    cgroup_v1_has "$cgroup" "b $number rw"
    opens_in box "/dev/loop$first"

    loop_remove "$first"
    hears box remove "$(loop_path "$first")"
    assert_equal "$(<"$cgroup/devices.list")" "$before" "devices.list"
}

@test "v1: an entry of the runtime's own is as before after less was granted and revoked" {
    loop_add "$first"
    cgroup_make v1 box
    cgroup_v1_restrict "$cgroup" "b $(number_of "$(loop_path "$first")") rwm"
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", ACCESS=\"r\""
    start_daemon
    start_box box --cgroup-v1 "$cgroup"
    local before
    before=$(<"$cgroup/devices.list")
    register box
    opens_in box "/dev/loop$first"
    assert_equal "$(<"$cgroup/devices.list")" "$before" "devices.list while granted"
    ctl unregister box
    assert_equal "$(<"$cgroup/devices.list")" "$before" "devices.list after the revoke"
}

@test "v1: a group that allows everything is not written to" {
    loop_add "$first"
    loop_add "$second"
    cgroup_make v1 box
    start_daemon
    start_box box --cgroup-v1 "$cgroup"
    register box
    opens_in box "/dev/loop$first"
    ctl unregister box
    # A deny in such a group takes the device away, although devices.list goes on saying `a`.
    opens_in_group "$cgroup" "/dev/loop$first"
    opens_in_group "$cgroup" "/dev/loop$second"
    assert_equal "$(<"$cgroup/devices.list")" "a *:* rwm" "devices.list"
}

@test "v1: the root group is not written to" {
    local root before
    root=$cgroup_v1
    [[ -n $root ]] || skip "this machine has no v1 hierarchy for devices"
    before=$(<"$root/devices.list")
    loop_add "$first"
    start_daemon
    start_box box
    assert_equal "$(awk -F: '$2 ~ /(^|,)devices(,|$)/ { print $3 }' "/proc/${box_pid[box]}/cgroup")" / "the group of the box"
    register box
    opens_in box "/dev/loop$first"
    assert_equal "$(<"$root/devices.list")" "$before" "devices.list while granted"
    ctl unregister box
    # Whoever is in the root group opens it still: this shell.
    dd "if=/dev/loop$first" of=/dev/null count=0 status=none
    assert_equal "$(<"$root/devices.list")" "$before" "devices.list afterwards"
}

@test "v1: a group that others share is not written to, and the refusal names it" {
    local before
    cgroup_make v1 box
    cgroup_v1_restrict "$cgroup"
    before=$(<"$cgroup/devices.list")
    in_background tail -f /dev/null
    echo "$background" >"$cgroup/cgroup.procs"
    start_daemon
    start_box box --cgroup-v1 "$cgroup"
    register box || true
    loop_add "$first"
    wait_until 5 is "/dev/loop$first refused" grants box
    assert_contains "$(grant_reason box "/dev/loop$first")" "${cgroup#"$cgroup_v1"}" "the reason"
    assert_equal "$(<"$cgroup/devices.list")" "$before" "devices.list"
}

# given_when_alone v1|v2: somebody is in the container's group at the moment of a plug, and leaves it then.
given_when_alone() {
    start_daemon
    start_box box "--cgroup-$1" "$cgroup"
    register box
    in_background tail -f /dev/null
    echo "$background" >"$cgroup/cgroup.procs"
    loop_add "$first"
    wait_until 5 is "/dev/loop$first refused" grants box
    end_process "$background"
    wait_until 10 is "/dev/loop$first delivered" grants box
    opens_in box "/dev/loop$first"
}

@test "v1: a device that is plugged in while somebody enters the container is given afterwards" {
    cgroup_make v1 box
    cgroup_v1_restrict "$cgroup"
    given_when_alone v1
}

@test "v2: a device that is plugged in while somebody enters the container is given afterwards" {
    cgroup_make v2 box
    attach_filter "$cgroup" runc multi
    given_when_alone v2
}

# left_as_it_was STATE... -- OPTION...: a box with these options is registered, and unregistered, and dies: each
# time its group, as STATE prints it, and all counts are as before.
left_as_it_was() {
    local state=() alone before
    while [[ $1 != -- ]]; do
        state+=("$1")
        shift
    done
    loop_add "$first"
    start_daemon
    alone=$(counts_of "$daemon_pid"; "${state[@]}")
    start_box box "${@:2}"
    before=$(counts_of "$daemon_pid" "${box_pid[box]}")
    given_and_seen "${state[@]}"
    ctl unregister box
    assert_equal "$(metric nodes)" 0 "nodes in the store after unregister"
    not in_box box test -e "/dev/loop$first"
    counts_return "$before" "$daemon_pid" "${box_pid[box]}"
    assert_equal "$("${state[@]}")" "$group_before" "the group after unregister"

    given_and_seen "${state[@]}"
    kill -KILL "${box_pid[box]}"
    wait_until 5 is '{"containers": []}' call ListContainers
    assert_equal "$(metric nodes)" 0 "nodes in the store after the container's death"
    assert_equal "$(counts_of "$daemon_pid"; "${state[@]}")" "$alone" "counts and the group after the container's death"
}

# The device opens, and the group is not what it was: so that the same again means something.
given_and_seen() {
    group_before=$("$@")
    register box
    opens_in box "/dev/loop$first"
    assert_equal "$(metric nodes)" 1 "nodes in the store"
    [[ $("$@") != "$group_before" ]] || fail "nothing was written to the group"
}

@test "v1: unregister and death leave devices.list and all counts as they were" {
    cgroup_make v1 box
    cgroup_v1_restrict "$cgroup"
    left_as_it_was cat "$cgroup/devices.list" -- --cgroup-v1 "$cgroup"
}

# --- v2

@test "v2: unregister and death leave a program that was spliced, and all counts, as they were" {
    left_as_it_was_v2 runc
}

@test "v2: unregister and death leave a program that was called, its pin, and all counts, as they were" {
    left_as_it_was_v2 map
}

left_as_it_was_v2() {
    echo 0 >"$harden"
    cgroup_make v2 box
    attach_filter "$cgroup" "$1" multi
    assert_equal "$(program_count "$cgroup")" 1 "device programs of the runtime's"
    left_as_it_was programs_of "$cgroup" -- --cgroup-v2 "$cgroup"
}

# behind SHAPE FLAGS: a container behind such a program is given one device, and no other.
behind() {
    local name group
    name=$1-$2-$(<"$harden")
    loop_add "$first"
    loop_add "$second"
    cgroup_make v2 "$name"
    group=$cgroup
    attach_filter "$group" "$1" "$2"
    start_daemon
    start_box box --cgroup-v2 "$group"
    watch_programs "$group"
    not opens_in_group "$group" "/dev/loop$first"

    register box
    wait_until 5 is "/dev/loop$first delivered" grants box || fail "$name: $(grant_reason box "/dev/loop$first")"
    opens_in box "/dev/loop$first" || fail "$name: the granted device does not open"
    opens_in_group "$group" /dev/null || fail "$name: /dev/null does not open"
    not opens_in_group "$group" "/dev/loop$second" || fail "$name: a device opens that nobody granted"
    loop_remove "$first"
    wait_until 5 is "" grants box
    loop_add "$first"
    wait_until 5 is "/dev/loop$first delivered" grants box

    end_process "$watcher"
    (($(<"$work/lowest") >= 1)) || fail "$name: for a moment there was no program"
    kill_daemon
    opens_in box "/dev/loop$first" || fail "$name: the granted device does not open after the daemon's death"
    opens_in_group "$group" /dev/null || fail "$name: /dev/null does not open after the daemon's death"
    not opens_in_group "$group" "/dev/loop$second" || fail "$name: anything opens after the daemon's death"
    stop_box box
    loop_remove "$first"
    loop_remove "$second"
}

# behind_all SHAPE: under each set of attach flags, and once more with blinded constants, when the kernel gives
# no program back. (Every shape with every flag, blinded or not, is in tests/kernel.)
behind_all() {
    local flags
    [[ -n $cgroup_v2 ]] || skip "this machine has no v2 hierarchy"
    echo 0 >"$harden"
    for flags in 0 override multi link; do
        behind "$1" "$flags"
    done
    echo 2 >"$harden"
    behind "$1" multi
}

@test "v2: behind a program as runc makes it" {
    behind_all runc
}

@test "v2: behind a program as crun makes it" {
    behind_all crun
}

@test "v2: behind a program as LXC makes it" {
    behind_all lxc
}

@test "v2: behind a program as systemd makes it" {
    behind_all systemd
}

@test "v2: behind a program with a hash map" {
    behind_all map
}

@test "v2: behind a program that calls a helper" {
    behind_all helper
}

@test "v2: behind a program with a subprogram" {
    behind_all subprog
}

@test "v2: a program that others share and that denies is a refusal by name" {
    local parent
    cgroup_make v2 shared
    parent=$cgroup
    attach_filter "$parent" runc multi
    cgroup_make v2 "shared other"
    in_background tail -f /dev/null
    echo "$background" >"$cgroup/cgroup.procs"
    cgroup_make v2 "shared box"
    attach_filter "$cgroup" runc multi
    loop_add "$first"
    start_daemon
    start_box box --cgroup-v2 "$cgroup"
    local before
    before=$(programs_of "$parent")
    register box || true
    wait_until 5 is "/dev/loop$first refused" grants box
    assert_contains "$(grant_reason box "/dev/loop$first")" "${parent#"$cgroup_v2"}" "the reason"
    assert_equal "$(programs_of "$parent")" "$before" "programs of the shared group"
}

@test "v2: on real runc" {
    local group
    start_runc_v2 box
    group=$cgroup_v2$(awk -F: '$1 == 0 { print $3 }' "/proc/$runc_pid/cgroup")
    assert_equal "$(program_count "$group")" 1 "device programs of runc's"
    loop_add "$first"
    loop_add "$second"
    start_daemon
    watch_programs "$group"
    ctl register box --pid "$runc_pid"
    in_pid "$runc_pid" dd "if=/dev/loop$first" of=/dev/null count=0 status=none
    not opens_in_group "$group" "/dev/loop$second"
    opens_in_group "$group" /dev/null

    kill_daemon
    in_pid "$runc_pid" dd "if=/dev/loop$first" of=/dev/null count=0 status=none
    opens_in_group "$group" /dev/null
    not opens_in_group "$group" "/dev/loop$second"
    start_daemon
    ctl register box --pid "$runc_pid"
    in_pid "$runc_pid" dd "if=/dev/loop$first" of=/dev/null count=0 status=none
    not opens_in_group "$group" "/dev/loop$second"

    ctl unregister box
    not opens_in_group "$group" "/dev/loop$first"
    end_process "$watcher"
    (($(<"$work/lowest") >= 1)) || fail "for a moment there was no program"
    assert_equal "$(program_count "$group")" 1 "device programs afterwards"
}
