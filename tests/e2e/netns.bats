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

@test "a listener on the host hears nothing that was not there before" {
    start_box box
    register box
    start_host_listener
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    loop_remove "$first"
    hears box remove "$(loop_path "$first")"
    assert_equal "$(event_count host add "$(loop_path "$first")")" 1 "adds on the host"
    assert_equal "$(event_count host remove "$(loop_path "$first")")" 1 "removes on the host"
}
