#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers whose network namespace the kernel itself sends every event: nothing is sent a second time.

load common

setup() {
    common_setup
    first=$(loop_first)
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\""
    start_daemon
}

# Plugs and unplugs; the container has the node, and heard of each once.
plugged_and_unplugged_once() {
    loop_add "$first"
    wait_until 5 is "/dev/loop$first delivered" grants box
    opens_in box "/dev/loop$first"
    loop_remove "$first"
    wait_until 5 is "" grants box
    hears box remove "$(loop_path "$first")"
    not in_box box test -e "/dev/loop$first"
    assert_equal "$(event_count box add "$(loop_path "$first")")" 1 "copies of the add"
    assert_equal "$(event_count box remove "$(loop_path "$first")")" 1 "copies of the remove"
    # The kernel's own have no sender process; what we inject has.
    assert_equal "$(field pid "$(events box add "$(loop_path "$first")")")" 0 "process id of the sender"
}

@test "a network namespace of the initial user namespace hears the kernel's events, once each" {
    start_box box --netns native
    register box
    assert_equal "$(container_fact box netns)" native "netns"
    plugged_and_unplugged_once
}

@test "a container in the host's network namespace is served without injection, and status says so" {
    start_box box --netns host
    register box
    assert_equal "$(container_fact box netns)" host "netns"
    assert_contains "$(ctl status box)" "without injection" "status"
    plugged_and_unplugged_once
}

# Everything that can be asked of a device, once.
use_device() {
    loop_add "$first"
    wait_until 5 is "/dev/loop$first delivered" grants box
    before=$(stat --format '%F %t %T %u %g %a' "/dev/loop$first")
    register box
    ctl reload >/dev/null
    rule_file 20-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", OWNER=\"7\", MODE=\"0606\", SYMLINK+=\"x/y\""
    ctl reload >/dev/null
    wait_until 5 in_box box test -e /dev/x/y
    rm "$rules/20-test.rules"
    ctl reload >/dev/null
    wait_until 5 not in_box box test -e /dev/x/y
    wait_until 5 is "/dev/loop$first delivered" grants box
    assert_equal "$(stat --format '%F %t %T %u %g %a' "/dev/loop$first")" "$before" "the host's node"
    loop_remove "$first"
    wait_until 5 is "" grants box
}

@test "a listener on the host hears nothing that was not there before, and its nodes stay as they are" {
    local round path before
    path=$(loop_path "$first")
    start_box box
    register box
    box_log[host]=$work/host.log
    in_background "$helpers/listen" -p -2 >"$work/host.log" 2>&1
    wait_until 5 grep -q '^ready' "$work/host.log"
    for ((round = 1; round <= 5; round++)); do
        use_device
        wait_until 5 is "$round" kernel_events remove "$path"
    done
    assert_equal "$(kernel_events add "$path")" 5 "adds on the host"
    assert_equal "$(grep "devpath=$path " "$work/host.log" | grep -c 'groups=1 ')" 10 "all of the kernel's events on the host"
    # of udev's group there is as much as there is of a udevd: nothing of ours, who is no root of the host's
    assert_equal "$(grep "devpath=$path " "$work/host.log" | grep 'groups=2 ' | grep -c " pid=$daemon_pid ")" 0 "udev's events of ours"
}

kernel_events() {
    events host "$1" "$2" | grep -c 'groups=1 ' || true
}
