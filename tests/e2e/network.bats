#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Network interfaces that move into containers and come home. The host is a namespace of the test's own; its
# interfaces are virtual pairs, of which one end goes and the other stays to talk to.

load common
load fixture/network

setup() {
    network_setup
}

# talk BOX: both ends get addresses, and a ping goes there and back.
talk() {
    host_ip link set eth5-peer up
    host_ip address add 192.0.2.1/24 dev eth5-peer
    in_box "$1" ip link set lan0 up
    in_box "$1" ip address add 192.0.2.2/24 dev lan0
    if command -v ping >/dev/null; then
        in_box "$1" ping -c 1 -w 10 192.0.2.1
    elif busybox ping -c 1 -w 1 127.0.0.1 >/dev/null 2>&1; then
        in_box "$1" busybox ping -c 1 -w 10 192.0.2.1
    else
        skip "there is no ping(8)"
    fi
}

@test "an interface talks inside under its new name, and is home as it was when the container is killed" {
    local began
    start_with box
    inside box lan0
    not at_home eth5
    assert_equal "$(grants box)" "null delivered" "grants"
    assert_contains "$(ctl status box)" lan0 "status"
    talk box
    spoil box
    began=$(milliseconds)
    kill -KILL "${box_pid[box]}"
    wait_until 5 at_home eth5
    echo "# it was home $(($(milliseconds) - began)) ms after the container's death" >&3
    assert_home
}

@test "an interface that is plugged in moves at once, and the kernel says so inside" {
    host_ip link delete eth5
    start_daemon
    start_box box
    register box
    pair eth5 "$mac"
    wait_until 5 inside box lan0
    hears box move /devices/virtual/net/lan0
    assert_equal "$(field pid "$(events box move /devices/virtual/net/lan0)")" 0 "process id of the sender"
    host_ip link delete eth5-peer
    hears box remove /devices/virtual/net/lan0
    wait_until 5 is "" grants box
}

# A host whose udevd calls the interface wan5.
start_naming_udevd() {
    host_ip link delete eth5
    start_udevd <<RULES
SUBSYSTEM=="net", ATTR{address}=="$mac", ENV{ID_TEST}="A5"
SUBSYSTEM=="net", ATTR{address}=="$mac", ACTION=="add", NAME="wan5"
RULES
    rule_file 10-test.rules <<<'SUBSYSTEM=="net", KERNEL=="eth5|wan5", CONTAINER+="box*", NAME="lan0"'
    start_daemon
    start_box box
    register box
}

@test "an interface leaves when a udevd on the host has named it, and comes home under that name" {
    start_naming_udevd
    pair eth5 "$mac"
    wait_until 10 inside box lan0
    spoil box
    stop_box box
    wait_until 5 at_home wan5
    assert_contains "$(link_of wan5)" "link/ether $mac" "the interface at home"
    not at_home eth5
}

@test "the second container gets the interface when a udevd on the host is done with its coming home" {
    start_naming_udevd
    start_box box2
    register box2
    pair eth5 "$mac"
    wait_until 10 inside box lan0
    stop_box box
    wait_until 10 inside box2 lan0
    wait_until 10 in_box box2 grep -rq 'E:ID_TEST=A5' /run/udev/data
    stop_box box2
    wait_until 5 at_home wan5
}

@test "an interface that is away is explained and described as one that is here" {
    start_with box
    assert_contains "$(ctl explain net:eth5 box)" "10-test.rules:1" "explain"
    assert_contains "$(ctl explain /sys/class/net/eth5 box)" "10-test.rules:1" "explain"
    not ctl explain net:eth6 box
}

@test "an interface is home when its container is unregistered" {
    start_with box
    inside box lan0
    ctl unregister box
    assert_home
}

@test "an interface is home when the rule goes, and away again when it is back" {
    start_with box
    mv "$rules/10-test.rules" "$work/aside"
    ctl reload
    assert_home
    assert_equal "$(grants box)" "" "grants"
    mv "$work/aside" "$rules/10-test.rules"
    ctl reload
    wait_until 5 inside box lan0
}

# Nobody gives it any more when the next daemon begins.
ends_for_good() {
    start_with box
    spoil box
    "$1"
    not at_home eth5
    rule_file 10-test.rules </dev/null
    start_daemon
    assert_home
    assert_equal "$(grants box)" "" "grants"
}

@test "an interface stays inside when the daemon ends, and the next one brings it home" {
    ends_for_good stop_daemon
}

@test "an interface stays inside when the daemon is killed, and the next one brings it home" {
    ends_for_good kill_daemon
}

@test "an interface comes home with the next daemon, and is given again" {
    start_with box
    kill_daemon
    start_daemon
    wait_until 5 is "null delivered" grants box
    inside box lan0
    kill_daemon
    start_daemon
    wait_until 5 is "null delivered" grants box
    stop_box box
    assert_home
}

@test "a container of the host's user namespace gets an interface too" {
    start_with box --netns native
    inside box lan0
    stop_box box
    assert_home
}

@test "the second container gets the interface when the first dies" {
    start_with box
    start_box box2
    register box2
    assert_contains "$(reason box2 eth5)" "container box has it" "reason"
    kill -KILL "${box_pid[box]}"
    wait_until 5 inside box2 lan0
    stop_box box2
    assert_home
}

@test "what the host needs is refused by name" {
    host_ip link add br5 type bridge
    host_ip link set eth5 master br5
    start_with box
    assert_contains "$(reason box eth5)" "eth5 is a member of bridge br5" "reason"

    host_ip link set eth5 nomaster
    host_ip link set eth5 up
    host_ip address add 192.0.2.2/24 dev eth5
    host_ip route add default via 192.0.2.1
    host_ip link set eth5-peer up
    (in_host sh -c 'echo change >/sys/class/net/eth5/uevent')
    wait_until 5 grant_says "the host's default route goes through eth5"
    at_home eth5
}

grant_says() {
    [[ $(reason box eth5) == *"$1"* ]]
}

@test "an interface does not move to where it is" {
    hold_open box
    in_background nsenter --target "$host_pid" --net -- \
        "$helpers/box" --netns host --pid-file "$work/box.pid" -- sleep infinity <"$work/box.stdin"
    wait_until 10 test -s "$work/box.pid"
    box_pid[box]=$(<"$work/box.pid")
    start_daemon
    register box
    assert_contains "$(reason box eth5)" "has the host's network, where eth5 is already" "reason"
}

@test "a name that is taken inside is refused, and a name that is taken at home is replaced" {
    start_daemon
    start_box box
    in_box box ip link add lan0 type bridge
    register box
    assert_contains "$(reason box eth5)" "the container has an interface lan0 already" "reason"
    at_home eth5

    in_box box ip link delete lan0
    (in_host sh -c 'echo change >/sys/class/net/eth5/uevent')
    wait_until 5 inside box lan0
    host_ip link add eth5 type bridge
    stop_box box
    wait_until 5 at_home dev0
    assert_contains "$(link_of dev0)" "link/ether $mac" "the interface at home"
    wait_until 5 grep -q "the name eth5 is taken: the interface came home as dev0" "$work/devolved.log"
}

@test "an interface that comes and goes twenty times leaves nothing" {
    local round
    start_daemon
    for round in {1..20}; do
        start_box box
        register box
        inside box lan0 || fail "round $round: it is not inside"
        stop_box box
        wait_until 5 at_home eth5
    done
    assert_equal "$(call ListContainers | jq '.containers | length')" 0 "containers"
    (($(find "/proc/$daemon_pid/fd" | wc -l) < 40)) || fail "descriptors are left"
}
