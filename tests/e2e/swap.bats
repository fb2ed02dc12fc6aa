#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Two devices, one with a right and one without, whose number the kernel exchanges again and again: what opens inside
# is never the wrong one once devolve has read that the right one went.

load common
load fixture/network
load fixture/macvtap

swaps=${DEVOLVE_SWAPS:-100} # 10000 in scripts/soak

setup() {
    macvtap_setup
}

# The commands for so many exchanges: the one that is made first gets the lower number.
exchange() {
    local i
    for ((i = 0; i < $1; i++)); do
        macvtap_del good0
        macvtap_del bad0
        if ((i % 2)); then
            macvtap_add good0
            macvtap_add bad0
        else
            macvtap_add bad0
            macvtap_add good0
        fi
    done
}

host_devices() {
    find /sys/block /sys/class/tty /sys/class/misc -mindepth 1 -maxdepth 1 -not -name 'loop*' -not -name 'zram*' -printf '%f\n' | sort
}

# begin NAME [OPTION...]: with a container of its own.
begin() {
    start_daemon
    start_checker "$@"
    register "$1"
    { macvtap_add good0; macvtap_add bad0; } | host_ip -batch -
    wait_until 5 delivered_is_present "$1"
    before=$(host_devices)
}

end() {
    checked_strictly "$1"
    end_checker "$1"
    assert_equal "$(host_devices)" "$before" "devices of the host"
    assert_equal "$(in_host ls /sys/class/macvtap | wc -l)" 2 "macvtaps"
}

@test "two devices swap a number: nothing that was taken back opens, by no node that was ever there" {
    begin c1
    exchange "$swaps" | host_ip -batch -
    wait_until 5 delivered_is_present c1
    end c1
}

# As the kernel does not tell such a container of these devices, it is looked at when all is settled.
swap_as_root() {
    local round
    is_root=1
    begin c1 --no-userns "$@"
    for ((round = 0; round < swaps; round += 10)); do
        exchange $((1 + round / 10 % 4)) | host_ip -batch -
        wait_until 5 delivered_is_present c1
        checked_strictly c1
    done
    end c1
}

@test "two devices swap a number: root of the host, with nodes of its own, in a v1 device cgroup" {
    cgroup_make v1 c1
    cgroup_v1_restrict "$cgroup" "c *:* m"
    swap_as_root --cgroup-v1 "$cgroup"
}

@test "two devices swap a number: root of the host, with nodes of its own, in a v2 device cgroup" {
    cgroup_make v2 c1
    attach_filter "$cgroup" runc multi
    swap_as_root --cgroup-v2 "$cgroup"
}

@test "a number that goes to another device while no daemon runs opens nothing once the next one is ready" {
    begin c1
    kill_daemon
    exchange 1 | host_ip -batch -
    wait_until 10 grep -q '^window: .* opened bad0' "${box_log[c1]}" # nobody is there to take it back
    start_daemon
    checked_strictly c1
    wait_until 5 delivered_is_present c1
    end c1
    (($(checked longest-us) > 0)) || fail "no window was measured: $summary"
}

@test "a number that goes to another device while the daemon sleeps opens nothing once it wakes up" {
    begin c1
    kill -STOP "$daemon_pid"
    exchange 1 | host_ip -batch -
    wait_until 10 grep -q '^window: .* opened bad0' "${box_log[c1]}"
    kill -CONT "$daemon_pid"
    wait_until 5 delivered_is_present c1
    end c1
}
