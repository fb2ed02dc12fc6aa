#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Events are hints: what the kernel drops is found in sysfs.

load common

# fire N: events that everybody hears and that change nothing, as fast as the kernel makes them.
fire() {
    exec perl -e 'open my $uevent, ">", "/sys/class/mem/null/uevent" or die;
                  syswrite $uevent, "change" or die for 1 .. $ARGV[0]' "$1"
}

# The devices of the rules that sysfs has, as `grants` would print them.
desired() {
    local device
    for device in /sys/block/zram*; do
        [[ ! -e $device ]] || echo "/dev/${device##*/} delivered"
    done | sort
}

grants_are_desired() {
    [[ $(grants box) == "$(desired)" ]]
}

@test "after an overrun what is delivered is what sysfs and the rules say, and status counts it" {
    local zrams=() storms=() round
    rule_file 10-test.rules <<<'KERNEL=="zram*", CONTAINER+="box"'
    start_daemon --receive-buffer 4096
    start_box box
    register box
    for ((round = 0; round < 20; round++)); do
        in_background fire 1000
        storms+=("$background")
        zram_add
        zrams+=("$zram")
        # Every second one goes again, in the midst of it.
        if ((round % 2)); then
            zram_remove "${zrams[round - 1]}"
        fi
    done
    wait "${storms[@]}"
    wait_until 3 grants_are_desired
    [[ -n $(grants box delivered) ]]
    (($(metric events_overrun) > 0)) || fail "no overrun was counted"
    (($(metric resyncs) > 0)) || fail "no resync was counted"
    for zram in "${zrams[@]}"; do
        [[ ! -e /sys/block/zram$zram ]] || opens_in box "/dev/zram$zram"
    done
    assert_equal "$(in_box box sh -c 'ls -d /dev/zram*' | sort)" "$(desired | cut -d' ' -f1)" "nodes inside"
    assert_contains "$(ctl status)" resyncs "status"
}

events=${DEVOLVE_OVERRUN_EVENTS:-20000} # 200000 in scripts/soak

@test "a daemon that slept while events were lost finds what is true when it wakes" {
    local first began took expected
    first=$(loop_first)
    rule_file 10-test.rules <<<"KERNEL==\"loop$first|loop$((first + 1))|loop$((first + 2))\", CONTAINER+=\"box\""
    start_daemon --receive-buffer 4194304
    start_box box
    register box
    loop_add "$first"
    loop_add $((first + 1))
    hears box add "$(loop_path $((first + 1)))"
    kill -STOP "$daemon_pid"
    in_background fire $((events / 2))
    wait "$background"
    loop_remove "$first"
    loop_add $((first + 2))
    in_background fire $((events / 2))
    wait "$background"
    expected=$(printf '/dev/loop%s delivered\n' $((first + 1)) $((first + 2)))
    began=${EPOCHREALTIME/./}
    kill -CONT "$daemon_pid"
    wait_until 5 is "$expected" grants box
    took=$(((${EPOCHREALTIME/./} - began) / 1000))
    (($(metric events_overrun) > 0)) || fail "no overrun was counted"
    hears box remove "$(loop_path "$first")"
    not in_box box test -e "/dev/loop$first"
    opens_in box "/dev/loop$((first + 2))"
    within_time "$took" 1000 || fail "it took $took ms"
    echo "# $events events while it slept: right $took ms after it went on" >&3
}
