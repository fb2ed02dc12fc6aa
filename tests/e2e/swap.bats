#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Two devices, one with a right and one without, whose number the kernel exchanges again and again: what opens inside
# is never the wrong one once devolve has read that the right one went.

load common
load fixture/network
load fixture/macvtap

swaps=${DEVOLVE_SWAPS:-24} # 10000 in scripts/soak

setup() {
    macvtap_setup
}

# exchange COUNT [SECONDS]: the commands for so many exchanges, and at most so long between two of them. Which of the two
# is made first, and so gets the lower number, is at random; and so are the moments.
exchange() {
    perl -e '$| = 1;
        for (1 .. $ARGV[0]) {
            print map { "link del $_\n" } qw(good0 bad0);
            print map { "link add link lower0 name $_ type macvtap\n" } rand 2 < 1 ? qw(good0 bad0) : qw(bad0 good0);
            select undef, undef, undef, rand($ARGV[1] || 0);
        }' "$@"
}

# The same with another number for each.
exchange_surely() {
    local before
    before=$(macvtap_number good0)
    until [[ $(macvtap_number good0) != "$before" ]]; do
        exchange 1 | host_ip -batch -
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
    settles "$1"
    before=$(host_devices)
}

end() {
    checked_strictly "$1"
    end_checker "$1"
    assert_equal "$(host_devices)" "$before" "devices of the host"
    assert_equal "$(in_host ls /sys/class/macvtap | wc -l)" 2 "macvtaps"
}

# swap OPTION...: in parts, after each of which nothing without a right opens. In some the daemon has time to deliver
# before the next exchange, in others none.
swap() {
    local round part=$((swaps > 2000 ? swaps / 200 : 10))
    begin c1 "$@"
    for ((round = 0; round * part < swaps; round++)); do
        exchange "$part" "$((round % 3))e-2" | host_ip -batch -
        settles c1
        checked_strictly c1
    done
    end c1
    windows_are_short
    echo "# $swaps swaps; $(checked windows) times the number opened the wrong device before that was known," \
        "for $(checked median-us) us (median), $(checked longest-us) us at most" >&3
}

@test "two devices swap a number: nothing that was taken back opens, by no node that was ever there" {
    swap
}

@test "two devices swap a number: root of the host, with nodes of its own, in a v1 device cgroup" {
    is_root=1
    cgroup_make v1 c1
    cgroup_v1_restrict "$cgroup" "c *:* m"
    swap --no-userns --cgroup-v1 "$cgroup"
}

@test "two devices swap a number: root of the host, with nodes of its own, in a v2 device cgroup" {
    is_root=1
    cgroup_make v2 c1
    attach_filter "$cgroup" runc multi
    swap --no-userns --cgroup-v2 "$cgroup"
}

@test "a number that goes to another device while no daemon runs opens nothing once the next one is ready" {
    begin c1
    kill_daemon
    exchange_surely
    wait_until 10 grep -q '^window: .* opened bad0' "${box_log[c1]}" # nobody is there to take it back
    start_daemon
    checked_strictly c1
    settles c1
    end c1
    (($(checked longest-us) > 0)) || fail "no window was measured: $summary"
}

@test "a number that goes to another device while the daemon sleeps opens nothing once it wakes up" {
    begin c1
    kill -STOP "$daemon_pid"
    exchange_surely
    wait_until 10 grep -q '^window: .* opened bad0' "${box_log[c1]}"
    kill -CONT "$daemon_pid"
    settles c1
    end c1
}
