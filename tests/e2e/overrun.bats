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

is_counted() {
    (($(metric "$1") > 0))
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
    # It may have been quick enough so far.
    kill -STOP "$daemon_pid"
    wait "${storms[@]}"
    in_background fire 1000
    wait "$background"
    kill -CONT "$daemon_pid"
    wait_until 3 is_counted events_overrun
    wait_until 3 is_counted resyncs
    wait_until 3 grants_are_desired
    [[ -n $(grants box delivered) ]]
    for zram in "${zrams[@]}"; do
        [[ ! -e /sys/block/zram$zram ]] || opens_in box "/dev/zram$zram"
    done
    assert_equal "$(in_box box sh -c 'ls -d /dev/zram*' | sort)" "$(desired | cut -d' ' -f1)" "nodes inside"
    assert_contains "$(ctl status)" resyncs "status"
}

events=${DEVOLVE_OVERRUN_EVENTS:-20000} # 200000 in scripts/soak

# in_order NUMBER STEP NUMBER STEP: the daemon's first step was done before the second. (What is told of them follows device
# by device.)
in_order() {
    local one two
    one=$(grep -n ": $(loop_path "$1"): $2 " "$work/devolved.log" | tail -n 1 | cut -d: -f1)
    two=$(grep -n ": $(loop_path "$3"): $4 " "$work/devolved.log" | tail -n 1 | cut -d: -f1)
    ((one < two)) || fail "$2 of loop$1 was line $one, $4 of loop$3 line $two"
}

# Four devices: one goes, one stays, one goes and another gets its number, one comes.
@test "a daemon that slept while events were lost finds what is true when it wakes, and revokes first" {
    local i first began took expected stays replaced comes
    first=$(loop_first) stays=$((first + 1)) replaced=$((first + 2)) comes=$((first + 3))
    for i in 0 1 2 3; do
        echo "KERNEL==\"loop$((first + i))\", CONTAINER+=\"box\""
    done | rule_file 10-test.rules
    start_daemon --receive-buffer 4194304
    start_box box
    register box
    for i in 0 1 2; do
        loop_add $((first + i))
    done
    hears box add "$(loop_path "$replaced")"
    expected=$(stat_of_nodes "$stays")
    kill -STOP "$daemon_pid"
    in_background fire $((events / 2))
    wait "$background"
    loop_remove "$first"
    loop_remove "$replaced"
    loop_add "$replaced"
    loop_add "$comes"
    in_background fire $((events / 2))
    wait "$background"
    began=${EPOCHREALTIME/./}
    kill -CONT "$daemon_pid"
    wait_until 5 is "$(printf '/dev/loop%s delivered\n' "$stays" "$replaced" "$comes")" grants box
    wait_until 5 is 2 event_count box add "$(loop_path "$replaced")"
    took=$(((${EPOCHREALTIME/./} - began) / 1000))
    wait_until 3 is_counted events_overrun
    hears box remove "$(loop_path "$first")"
    hears box remove "$(loop_path "$replaced")"
    not in_box box test -e "/dev/loop$first"
    opens_in box "/dev/loop$replaced"
    opens_in box "/dev/loop$comes"
    for i in "$replaced" "$comes"; do
        in_order "$first" node-revoke "$i" node-attach
        in_order "$replaced" node-revoke "$i" node-attach
    done
    assert_equal "$(stat_of_nodes "$stays")" "$expected" "the node of the device that stayed"
    assert_equal "$(event_count box add "$(loop_path "$stays")")" 1 "its adds"
    within_time "$took" 1000 || fail "it took $took ms"
    echo "# $events events while it slept: right $took ms after it went on" >&3
}

stat_of_nodes() {
    in_box box stat --format '%i %Z %a' "/dev/loop$1"
}
