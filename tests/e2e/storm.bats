#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemon is killed at random moments while devices with and without a right come and go, and the kernel gives
# their numbers to one another; in each container somebody opens whatever he can get at.

load common
load fixture/network
load fixture/macvtap

kills=${DEVOLVE_STORM_KILLS:-8} # 200 in scripts/soak

setup() {
    macvtap_setup
}

# Commands for `ip -batch` without end.
weather() {
    exec perl -e '$| = 1; my (%there, $name);
        for (;;) {
            $name = (qw(good0 good1 bad0 bad1))[int rand 4];
            print $there{$name} ? "link del $name\n" : "link add link lower0 name $name type macvtap\n";
            $there{$name} = !$there{$name};
        }'
}

start_storm() {
    hold_open weather
    in_background weather >"$work/weather.stdin"
    in_background in_host ip -batch - <"$work/weather.stdin"
    storm=$background
}

# The kernel may be about to finish a command.
freeze() {
    kill -STOP "$storm"
    wait_until 5 is T process_state "$storm"
}

# moment SECONDS: at random, up to so many; the moment is what is at random here.
moment() {
    perl -e 'select undef, undef, undef, rand $ARGV[0]' "$1"
}

@test "killed at random moments of a storm: what is there and has a right is delivered, and nothing else opens" {
    local round began took slowest=0
    start_daemon
    for name in c1 c2; do
        start_checker "$name"
        register "$name"
    done
    start_storm
    for ((round = 0; round < kills; round++)); do
        kill -CONT "$storm"
        moment 0.3
        kill_daemon
        moment 0.1
        # every second time the storm goes on while the daemon begins; every fourth time nothing wrong opens while it
        # still delivers, and every fourth the second begins when it is ready
        ((round % 2)) || freeze
        start_daemon
        if ((round % 2)); then
            moment 0.1
            freeze
        elif ((round % 4)); then
            checked_strictly c1
            checked_strictly c2
        fi
        began=$(milliseconds)
        settles c1
        settles c2
        took=$(($(milliseconds) - began))
        slowest=$((took > slowest ? took : slowest))
        within_time "$took" 1000 || fail "it took $took ms until what is there was delivered"
        checked_strictly c1
        checked_strictly c2
    done
    for name in c1 c2; do
        end_checker "$name"
        windows_are_short
    done
    echo "# $kills kills; what is there was delivered within $slowest ms at most" >&3
}
