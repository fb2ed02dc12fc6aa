#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Two containers in one network namespace, as those of a pod: each event is heard once there.

load common

setup() {
    common_setup
    first=$(loop_first)
}

# start_neighbour NAME OF [nsenter-option...]: another container in the network namespace of the box OF.
start_neighbour() {
    in_background nsenter --target "${box_pid[$2]}" --net "${@:3}" -- \
        unshare --mount -- sh -c 'mount -t tmpfs none /dev && exec sleep 1000'
    box_pid[$1]=$background
    wait_until 5 is sleep cat "/proc/$background/comm"
}

# beside_each_other [OPTION...]: a box whose listener has these options, and a neighbour.
beside_each_other() {
    rule_file 10-test.rules <<EOF_RULES
KERNEL=="loop$first", CONTAINER+="box|side"
KERNEL=="loop$((first + 1))", CONTAINER+="side"
KERNEL=="loop$((first + 2))", CONTAINER+="box"
EOF_RULES
    start_daemon
    start_box box -- "$helpers/listen" -p "$@"
    wait_until 5 grep -q '^ready' "${box_log[box]}"
    start_neighbour side box --user --mount --setuid 0 --setgid 0
    register box
    register side
}

# What is told now is told after everything before it.
heard_all() {
    loop_add $((first + 2))
    hears box add "$(loop_path $((first + 2)))"
}

@test "two containers in one network namespace hear one copy of each event" {
    local path
    path=$(loop_path "$first")
    beside_each_other
    loop_add "$first"
    wait_until 5 is "/dev/loop$first delivered" grants box
    wait_until 5 is "/dev/loop$first delivered" grants side
    echo change >"/sys$path/uevent"
    hears box change "$path"
    loop_remove "$first"
    wait_until 5 is "" grants box
    wait_until 5 is "" grants side
    heard_all
    assert_equal "$(event_count box add "$path")" 1 "adds"
    assert_equal "$(event_count box change "$path")" 1 "changes"
    assert_equal "$(event_count box remove "$path")" 1 "removes"
}

@test "a remove is told when the last of two containers in a network namespace loses the device" {
    local path
    path=$(loop_path "$first")
    loop_add "$first"
    beside_each_other
    call Unregister '{"name": "box"}' >/dev/null
    register box
    call Unregister '{"name": "side"}' >/dev/null
    heard_all
    assert_equal "$(event_count box add "$path")" 1 "adds"
    assert_equal "$(event_count box remove "$path")" 0 "removes while one has it"
    loop_remove "$first"
    hears box remove "$path"
}

@test "what a container that died had alone is told to the other in its network namespace" {
    local path
    path=$(loop_path $((first + 1)))
    beside_each_other
    loop_add $((first + 1))
    hears box add "$path"
    kill -KILL "${box_pid[side]}"
    hears box remove "$path"
    loop_remove $((first + 1))
    heard_all
    assert_equal "$(event_count box remove "$path")" 1 "removes"
}

@test "two containers in one network namespace whose roots differ are refused by name" {
    start_daemon
    start_box box
    register box
    start_neighbour stranger box
    run register stranger
    assert_equal "$status" 1 "exit status"
    assert_contains "$output" "another container in its network namespace" "the refusal"
    assert_contains "$(call ListContainers)" '"box"' "containers"
}

@test "nobody in a shared network namespace hears of the daemon's end, and each event once from the next one" {
    local i path
    for i in 0 1 2; do
        loop_add $((first + i))
    done
    beside_each_other
    hears box add "$(loop_path $((first + 2)))"
    for i in stop kill stop; do
        "${i}_daemon"
        start_daemon
    done
    for i in 0 2; do
        path=$(loop_path $((first + i)))
        loop_remove $((first + i))
        hears box remove "$path"
    done
    wait_until 5 is "" grants box
    wait_until 5 is "/dev/loop$((first + 1)) delivered" grants side
    # what it had alone, and its predecessor had told
    call Unregister '{"name": "side"}' >/dev/null
    hears box remove "$(loop_path $((first + 1)))"
    for i in 0 1 2; do
        path=$(loop_path $((first + i)))
        assert_equal "$(event_count box add "$path")" 1 "adds of $path"
        assert_equal "$(event_count box remove "$path")" 1 "removes of $path"
    done
}

@test "what a sleeper missed is told again though the container has ended that had it to tell" {
    local path
    path=$(loop_path $((first + 1)))
    beside_each_other -b 4096
    loop_add $((first + 1)) # of the neighbour's alone
    hears box add "$path"
    in_box box pkill -STOP -x listen
    perl -e 'open my $uevent, ">", $ARGV[0] or die "uevent: $!\n"; syswrite $uevent, "change" or die for 1 .. 50' "/sys$path/uevent"
    wait_until 10 is overrun container_fact side state
    kill -KILL "${box_pid[side]}"
    wait_until 5 is overrun container_fact box state
    in_box box pkill -CONT -x listen
    hears box remove "$path"
    wait_until 10 is ready container_fact box state
}
