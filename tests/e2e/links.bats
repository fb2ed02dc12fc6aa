#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Links that several devices of one container want.

load common

setup() {
    common_setup
    first=$(loop_first)
    second=$((first + 1))
}

# two_devices PRIORITY PRIORITY: rules that give both devices the same link, and each one of its own.
two_devices() {
    rule_file 10-test.rules <<RULES
KERNEL=="loop$first", CONTAINER+="box", SYMLINK+="by-test/disk by-test/first", OPTIONS+="link_priority=$1"
KERNEL=="loop$second", CONTAINER+="box", SYMLINK+="by-test/disk by-test/second", OPTIONS+="link_priority=$2"
RULES
}

one_container() {
    start_daemon
    start_box box
    register box
}

# Where a link points to inside.
target() {
    in_box box readlink -f "/dev/by-test/$1"
}

# yielded NODE: "LINK DEVPATH PRIORITY" of each link that this grant yields.
yielded() {
    call ListGrants '{"container":"box"}' |
        jq -r --arg node "$1" '.grants[] | select(.node == $node).yielded[] | "\(.symlink) \(.devpath) \(.link_priority)"'
}

@test "the link points to the device with the higher priority, and the other has all else" {
    two_devices 0 10
    one_container
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    assert_equal "$(target disk)" "/dev/loop$first" "the link of the one device"

    local before
    before=$(in_box box stat --format '%i %Z' "/dev/loop$first")
    loop_add "$second"
    hears box add "$(loop_path "$second")"
    assert_equal "$(target disk)" "/dev/loop$second" "the link, as the stronger device is told of"
    assert_equal "$(target first) $(target second)" "/dev/loop$first /dev/loop$second" "the links that are nobody else's"
    opens_in box "/dev/loop$first"
    opens_in box "/dev/loop$second"
    assert_equal "$(yielded "/dev/loop$first")" "/dev/by-test/disk $(loop_path "$second") 10" "what the weaker one yields"
    assert_contains "$(ctl status box)" "link /dev/by-test/disk is held by $(loop_path "$second") (link_priority 10)" status

    loop_remove "$second"
    hears box remove "$(loop_path "$second")"
    wait_until 5 is "/dev/loop$first" target disk
    assert_equal "$(yielded "/dev/loop$first")" "" "what the last one yields"
    assert_equal "$(in_box box stat --format '%i %Z' "/dev/loop$first")" "$before" "inode and change time of the weaker node"
    assert_equal "$(event_count box remove "$(loop_path "$first")")" 0 "removes of the weaker device"
    assert_equal "$(event_count box add "$(loop_path "$first")")" 1 "adds of the weaker device"
}

@test "of equals the one that has the link keeps it, and the other inherits it" {
    two_devices 0 0
    one_container
    loop_add "$second"
    hears box add "$(loop_path "$second")"
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    assert_equal "$(target disk)" "/dev/loop$second" "the link"
    loop_remove "$second"
    wait_until 5 is "/dev/loop$first" target disk
    loop_remove "$first"
    hears box remove "$(loop_path "$first")"
    not in_box box test -d /dev/by-test
}

@test "a reload moves the link and says nothing" {
    local before
    loop_add "$first"
    loop_add "$second"
    two_devices 0 10
    one_container
    assert_equal "$(target disk)" "/dev/loop$second" "the link"
    before=$(wc -l <"${box_log[box]}")
    two_devices 20 10
    ctl reload
    wait_until 5 is "/dev/loop$first" target disk
    assert_equal "$(yielded "/dev/loop$second")" "/dev/by-test/disk $(loop_path "$first") 20" "what is yielded"
    assert_equal "$(wc -l <"${box_log[box]}")" "$before" "events"
    rm "$rules/10-test.rules"
    ctl reload
    not in_box box test -d /dev/by-test
    assert_equal "$(metric residues)" 0 residues
}

@test "a device whose node lies at the name goes before one that wants it for a link" {
    rule_file 10-test.rules <<RULES
KERNEL=="loop$first", CONTAINER+="box", SYMLINK+="by-test/disk"
KERNEL=="loop$second", CONTAINER+="box", NODE="by-test/disk"
RULES
    one_container
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    assert_equal "$(target disk)" "/dev/loop$first" "the link"
    loop_add "$second"
    hears box add "$(loop_path "$second")"
    assert_equal "$(target disk)" "/dev/by-test/disk" "what lies at the name"
    opens_in box /dev/by-test/disk
    opens_in box "/dev/loop$first"
    loop_remove "$second"
    wait_until 5 is "/dev/loop$first" target disk
}

@test "what the container itself put there refuses the device by name" {
    two_devices 0 10
    one_container
    in_box box mkdir /dev/by-test
    in_box box touch /dev/by-test/disk
    loop_add "$first"
    wait_until 5 is "/dev/loop$first refused" grants box
    assert_contains "$(grant_reason box "/dev/loop$first")" /dev/by-test/disk "the reason"
    in_box box test -f /dev/by-test/disk
    not in_box box test -e "/dev/loop$first"
}
