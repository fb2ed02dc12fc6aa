#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers by LXC, registered by our hook: root's, with an id map and without, and an ordinary user's.

load common
load fixture/lxc_hook

setup() {
    common_setup
    lifecycle_setup
}

# given: the configuration's lines for a device that LXC itself gives.
given() {
    echo "lxc.mount.entry = $node ${node#/} none bind,create=file 0 0"
    [[ -z $cgroup_v1 ]] || echo "lxc.cgroup.devices.allow = b 7:$first rwm"
}

@test "lxc: the first open of a device that was present succeeds" {
    lxc_setup idmap
    lifecycle_first_open
    assert_equal "$(container_fact it labels.lxc.pid)" "$it_pid" "the label"
    assert_equal "$(container_fact it netns)" isolated "the network namespace"
}

@test "lxc, read-only root: the first open of a device that was present succeeds" {
    lxc_setup idmap "lxc.rootfs.options = ro"
    lifecycle_first_open
    not in_it touch /there
}

@test "lxc: a device is plugged, used and unplugged" {
    lxc_setup idmap
    lifecycle_plug
}

@test "lxc: stopped and started, with the device present" {
    lxc_setup idmap
    lifecycle_stop_and_start
}

@test "lxc: killed" {
    lxc_setup idmap
    lifecycle_killed
}

@test "lxc: devolved is stopped and started, killed and started meanwhile" {
    lxc_setup idmap
    lifecycle_restart
}

@test "lxc: what starts while devolved is down is picked up" {
    lxc_setup idmap
    lifecycle_late_daemon
    assert_equal "$(find "$runtime/waiting" -type f | wc -l)" 0 "notes that are left"
}

@test "lxc: a node that LXC gave is ours as long as the rules give it" {
    lxc_setup idmap "$(given)"
    # LXC bound the host's node, whose owner is nobody inside.
    lifecycle_given fails
}

@test "lxc, privileged: the first open of a device that was present succeeds" {
    lxc_setup privileged
    lifecycle_first_open
    assert_equal "$(container_fact it uid_map)" identity "the id map"
}

@test "lxc, privileged, read-only root: the first open of a device that was present succeeds" {
    lxc_setup privileged "lxc.rootfs.options = ro"
    lifecycle_first_open
    not in_it touch /there
}

@test "lxc, privileged: a device is plugged, used and unplugged" {
    lxc_setup privileged
    lifecycle_plug
}

@test "lxc, privileged: stopped and started, with the device present" {
    lxc_setup privileged
    lifecycle_stop_and_start
}

@test "lxc, privileged: killed" {
    lxc_setup privileged
    lifecycle_killed
}

@test "lxc, privileged: devolved is stopped and started, killed and started meanwhile" {
    lxc_setup privileged
    lifecycle_restart
}

@test "lxc, privileged: what starts while devolved is down is picked up" {
    lxc_setup privileged
    lifecycle_late_daemon
}

@test "lxc, privileged: a node that LXC gave is ours as long as the rules give it" {
    lxc_setup privileged "$(given)"
    lifecycle_given opens
}

@test "lxc: a container that reboots is another one, with its devices" {
    local before
    lxc_setup idmap
    loop_add "$first"
    start_daemon
    it_start "$node"
    it_has_opened_first
    before=$it_pid
    in_it systemctl reboot --force --force
    wait_until 10 is 2 grep -c '^first open: done' "$it_log"
    it_pid=$(lxc_it info -p -H)
    assert_equal "$(container_fact it pid)" "$it_pid" "the process"
    [[ $it_pid != "$before" ]]
    it_opens "$node"
}

@test "lxc.hook.version = 0, with a name and labels of one's own" {
    lxc_setup idmap
    lxc_version=0
    hook_options=(--name web --label tier=front --label place=rack=3)
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"label:tier=front\""
    loop_add "$first"
    start_daemon
    it_start "$node"
    it_has_opened_first
    assert_equal "$(container_fact web labels.place)" rack=3 "a label"
    it_stop
    it_is_forgotten
}

# LXC says "stopped" when the hook is done, so nobody need wait for devolved.
@test "lxc: a container that has stopped is forgotten" {
    lxc_setup idmap
    loop_add "$first"
    start_daemon
    it_start "$node"
    it_has_opened_first
    lxc_it stop -t 10
    assert_equal "$(container_names)" "" "containers"
}

@test "lxc: the stop of a container leaves another of its name alone" {
    lxc_setup idmap
    loop_add "$first"
    start_daemon
    start_box it
    ctl register it --pid "${box_pid[it]}"
    it_start "$node"
    wait_until 10 grep -qx 'first open: failed' "$it_log"
    it_stop
    assert_equal "$(container_fact it pid)" "${box_pid[it]}" "who has the name"
    opens_in it "$node"
}

@test "lxc: where it is required, a container does not start without devolved" {
    lxc_setup idmap
    hook_options=(--required)
    it_start "$node"
    not grep . "$it_log"
    grep -q 'devolved is not running' "$work/it.lxc.log"
}

@test "lxc of an ordinary user in the group devolve: the first open of a device that was present succeeds" {
    lxc_setup user
    lxc_group=1
    lifecycle_first_open
}

@test "lxc of an ordinary user in the group devolve: a device is plugged, used and unplugged" {
    lxc_setup user
    lxc_group=1
    lifecycle_plug
}

@test "lxc of an ordinary user in the group devolve: stopped and started, with the device present" {
    lxc_setup user
    lxc_group=1
    lifecycle_stop_and_start
}

@test "lxc of an ordinary user in the group devolve: killed" {
    lxc_setup user
    lxc_group=1
    lifecycle_killed
}

@test "lxc of an ordinary user: root registers it, as the user may not" {
    lxc_setup user
    loop_add "$first"
    start_daemon
    it_start "$node"
    wait_until 10 grep -qx 'first open: failed' "$it_log"
    assert_equal "$(grep -c 'devolve-lxc-hook: ' "$work/it.lxc.log")" 1 "lines of the hook"
    grep -q 'until root registers it.*may not be used by you' "$work/it.lxc.log"
    assert_equal "$(container_names)" "" "containers"
    ctl register it --pid "$it_pid"
    wait_until 5 is "$node delivered" grants it
    it_opens "$node"
    it_stop
    it_is_forgotten
}

@test "lxc of an ordinary user: without devolved it starts, and no note is left" {
    lxc_setup user
    it_start "$node"
    wait_until 10 grep -qx 'first open: failed' "$it_log"
    grep -q 'only root can leave a note' "$work/it.lxc.log"
    not test -e "$runtime/waiting"
}
