#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# systemd-nspawn: registered by a signal of the real systemd-machined, on a bus of our own; and without machined,
# by `devolvectl register`.

load common

setup() {
    common_setup
    lifecycle_setup
    it_log=$work/it.log
    by=register
}

teardown() {
    [[ -z ${nspawn_pid:-} ]] || kill -KILL "$nspawn_pid" 2>/dev/null || true
    common_teardown
}

# From now on machined says when there is a container, and nobody else.
by_machined() {
    by=machined
    without_machined=
    start_bus
    start_machined
}

# nspawn does not wait for those who listen to machined: the first program waits for the node.
it_start() {
    local mode=gate tell=no
    [[ $by == register ]] || mode=wait tell=yes
    [[ -d $work/it ]] || lifecycle_rootfs "$work/it" "$mode"
    : >"$it_log"
    start_nspawn it "$work/it/rootfs" "$tell" /bin/sh /entry "$@"
    it_pid=$nspawn_pid
    [[ -z ${daemon_pid:-} ]] || it_registers
    if [[ $by == register ]]; then
        lifecycle_open_gate
    fi
}

it_registers() {
    if [[ $by == register ]]; then
        ctl register it --pid "$it_pid"
    else
        it_is_registered
    fi
}

# nspawn ends its container when it is told to end.
it_stop() {
    end_process "$nspawn_keeper"
    wait_until 5 process_gone "$it_pid"
}

@test "nspawn by machined: a device that was present is given, and the first open behind its coming succeeds" {
    by_machined
    lifecycle_first_open
    assert_equal "$(container_fact it labels.machine.service)" systemd-nspawn "the label"
    assert_equal "$(container_fact it netns)" isolated "the network namespace"
}

@test "nspawn by machined: a device is plugged, used and unplugged" {
    by_machined
    lifecycle_plug
}

@test "nspawn by machined: stopped and started, with the device present" {
    by_machined
    lifecycle_stop_and_start
}

@test "nspawn by machined: killed" {
    by_machined
    lifecycle_killed
}

@test "nspawn by machined: devolved is stopped and started, killed and started meanwhile" {
    by_machined
    lifecycle_restart
}

@test "nspawn by machined: the container is there before devolved" {
    by_machined
    lifecycle_late_daemon
}

@test "nspawn by machined: what was registered by hand keeps its labels" {
    by_machined
    stop_machined
    by=register
    start_daemon
    it_start
    ctl register it --pid "$it_pid" --label owner=me
    start_machined
    busctl --system call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager \
        RegisterMachine 'sayssus' it 0 systemd-nspawn container "$it_pid" "" >/dev/null
    wait_until 5 grep -q 'it: systemd-machined knows it too' "$work/devolved.log"
    assert_equal "$(container_fact it labels.owner)" me "the label"
}

machined_knows() {
    busctl --system call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager \
        GetMachine s "$1" >/dev/null 2>&1
}

@test "nspawn by machined: machined is restarted, and the bus goes and comes back" {
    by_machined
    loop_add "$first"
    start_daemon
    it_start "$node"
    it_has_opened_first
    stop_machined
    stop_bus
    it_opens "$node"
    start_bus
    start_machined
    it_stop
    it_is_forgotten
    it_start "$node"
    it_has_opened_first
}

@test "machined: a container that does not belong to root is not registered" {
    by_machined
    start_daemon
    in_background setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --mount --pid --fork sleep 100
    nspawn_make_group
    echo "$background" >"$nspawn_group/cgroup.procs"
    busctl --system call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager \
        RegisterMachine 'sayssus' it 0 mine container "$background" "" >/dev/null
    wait_until 5 grep -q 'belongs to user 65534' "$work/devolved.log"
    assert_equal "$(container_names)" "" "containers"
}

@test "machined: a virtual machine is none of ours" {
    by_machined
    start_daemon
    in_background tail -f /dev/null
    nspawn_make_group
    echo "$background" >"$nspawn_group/cgroup.procs"
    busctl --system call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager \
        RegisterMachine 'sayssus' vm 0 qemu vm "$background" "" >/dev/null
    wait_until 5 machined_knows vm
    # What machined says later is heard later: when this one is there, the other one was heard.
    loop_add "$first"
    it_start "$node"
    it_has_opened_first
    assert_equal "$(container_names)" it "containers"
}

@test "without a bus nothing is said and nothing is missing" {
    without_machined=
    export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$work/no-bus
    lifecycle_first_open
    not grep -E 'warning|error' "$work/devolved.log"
}

@test "nspawn by register: the first open of a device that was present succeeds" {
    lifecycle_first_open
}

@test "nspawn by register: a device is plugged, used and unplugged" {
    lifecycle_plug
}

@test "nspawn by register: stopped and started, with the device present" {
    lifecycle_stop_and_start
}

@test "nspawn by register: killed" {
    lifecycle_killed
}

@test "nspawn by register: devolved is stopped and started, killed and started meanwhile" {
    lifecycle_restart
}

@test "nspawn by register: the container is there before devolved" {
    lifecycle_late_daemon
}
