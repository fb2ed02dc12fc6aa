#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Root inside a container does with the network interface that it was lent what it can, and the host loses
# neither this one nor another.

load common
load fixture/network

setup() {
    network_setup
}

# forge WORD...: see helpers/forge_link.py; inside.
forge() {
    in_box box /usr/bin/python3 -I -S - "$@" <"$here/helpers/forge_link.py"
}

# number_in BOX NAME
number_in() {
    in_box "$1" ip -o link show dev "$2" | cut -d: -f1
}

# The daemon answers, and the interface is where it was.
assert_delivered() {
    assert_equal "$(grants box)" "null delivered" "grants"
    inside box lan0
}

@test "a departure that is forged changes nothing, and the interface comes home" {
    start_with box
    forge multicast "$(number_in box lan0)" 1
    forge unicast "$(number_in box lan0)" 1
    assert_delivered
    spoil box
    ctl unregister box
    assert_home
}

@test "a departure that is forged while the interface comes home touches no other interface" {
    start_with box
    pair victim 02:00:00:00:00:42
    host_ip link set victim alias mine up
    in_box box ip link set lan0 up
    in_background forge race "$(number_in box lan0)" "$(link_of victim | cut -d: -f1)" >"$work/race.log"
    wait_until 5 grep -q armed "$work/race.log"
    ctl unregister box
    wait_until 5 grep -q fired "$work/race.log"
    assert_home
    assert_contains "$(link_of victim)" "mtu 1500" "the other interface"
    assert_contains "$(link_of victim)" "alias mine" "the other interface"
    assert_contains "$(link_of victim)" "link/ether 02:00:00:00:00:42" "the other interface"
    assert_contains "$(link_of victim)" ",UP" "the other interface"
}

@test "junk in the sockets inside neither blocks the daemon nor keeps the interface" {
    start_with box
    forge junk 1000
    assert_delivered
    ctl unregister box
    assert_home
}

@test "an alternative name that somebody at home has does not keep the interface away" {
    start_with box
    host_ip link add docker0 type bridge
    in_box box ip link property add dev lan0 altname docker0 altname uplink0 || skip "no alternative names"
    ctl unregister box
    assert_home
    not host_ip link show dev uplink0
}

@test "alternative names that the interface had are its again" {
    host_ip link property add dev eth5 altname enp5 altname lab5 || skip "no alternative names"
    start_with box
    in_box box ip link property del dev lan0 altname enp5
    host_ip link add lab5 type bridge # while it is away somebody else gets one
    ctl unregister box
    assert_home
    assert_contains "$(link_of eth5)" "altname enp5" "the interface at home"
    wait_until 5 grep -q "the alternative names of eth5 are not what they were" "$work/devolved.log"
}

# nest BOX: root inside makes a network namespace of its own, and moves the interface into that.
nest() {
    # shellcheck disable=SC2016 # for the shell inside
    in_box "$1" sh -c 'unshare --net sleep infinity & nested=$!
        until [ "$(readlink /proc/$nested/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
        ip link set lan0 netns $nested
        wait'
}

@test "an interface that root inside moves on is said to be lost, and nobody waits for it" {
    start_with box
    in_background nest box
    wait_until 5 is "" grants box
    assert_contains "$(ctl status box)" "eth5 was moved on by the container" "status"
    assert_contains "$(<"$work/devolved.log")" "eth5 was moved on by the container" "log"
    ctl unregister box
}
