#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Programs inside that read slowly, or not at all, have small receive buffers, and lose nothing in effect; nobody else
# waits for them.

load common

setup() {
    common_setup
    first=$(loop_first)
    local i
    for i in {0..9}; do
        echo "KERNEL==\"loop$((first + i))\", CONTAINER+=\"*\""
        note loop $((first + i))
    done | rule_file 10-test.rules
}

# start_reader NAME OPTION...: a container whose listener has a buffer for a handful of events.
start_reader() {
    start_box "$1" -- "$helpers/listen" -p -b 4096 "${@:2}"
    wait_until 5 grep -q '^ready' "${box_log[$1]}"
    register "$1"
}

# changes NUMBER COUNT: events of a loop device, as fast as the kernel makes them.
changes() {
    perl -e 'open my $uevent, ">", "/sys$ARGV[0]/uevent" or die "uevent: $!\n";
             syswrite $uevent, "change" or die for 1 .. $ARGV[1]' "$(loop_path "$1")" "$2"
}

# What somebody knows who believes all that the listener in the container read: devices, by name.
known() {
    sed -n 's/.* action=\(add\|remove\) devpath=[^ ]*\/\(loop[0-9]*\) .*/\1 \2/p' "${box_log[$1]}" |
        awk '$1 == "add" { known[$2] = 1 } $1 == "remove" { delete known[$2] } END { for (name in known) print name }' | sort
}

@test "a reader that is slower than the events gets each of them, once" {
    start_daemon
    start_reader slow -d 2
    loop_add "$first"
    hears slow add "$(loop_path "$first")"
    changes "$first" 400
    wait_until 30 is 400 event_count slow change "$(loop_path "$first")"
    loop_remove "$first"
    hears slow remove "$(loop_path "$first")"
    assert_equal "$(grep -c '^lost' "${box_log[slow]}")" 0 "losses"
    assert_equal "$(metric overruns_inside)" 0 "overruns"
}

@test "who does not read is reported, keeps nobody waiting, and is told again what there is when he does" {
    local round
    start_daemon
    start_reader asleep
    start_box awake
    register awake
    follow awake
    loop_add "$first"
    loop_add $((first + 1))
    hears asleep add "$(loop_path "$first")"
    hears asleep add "$(loop_path $((first + 1)))"
    next_event awake add "$(loop_path $((first + 1)))"

    in_box asleep pkill -STOP -x listen
    changes "$first" 100
    loop_remove "$first"
    for ((round = 0; round < 50; round++)); do # comes and goes
        loop_add $((first + 2))
        next_event awake add "$(loop_path $((first + 2)))"
        assert_equal "$(field open "$event")" 0 "the open at the event"
        loop_remove $((first + 2))
        next_event awake remove "$(loop_path $((first + 2)))"
    done
    loop_add $((first + 3))
    next_event awake add "$(loop_path $((first + 3)))"
    wait_until 10 is overrun container_fact asleep state
    assert_contains "$(ctl status asleep)" "does not read" "status"
    wait_until 10 opens_in asleep "/dev/loop$((first + 3))"
    not opens_in asleep "/dev/loop$first"
    assert_equal "$(container_fact awake state)" ready "the other one"

    in_box asleep pkill -CONT -x listen
    wait_until 10 is "$(printf 'loop%s\n' $((first + 1)) $((first + 3)))" known asleep
    wait_until 10 is ready container_fact asleep state
    assert_equal "$(container_fact asleep note)" null "what is noted"
    (($(metric told_again) > 0)) || fail "nothing was told again"
    assert_equal "$(metric overruns_inside)" 1 "overruns"
    assert_equal "$(known asleep)" "$(printf 'loop%s\n' $((first + 1)) $((first + 3)))" "what it knows"
    # and from now on it is told as ever
    loop_remove $((first + 3))
    wait_until 10 is "loop$((first + 1))" known asleep
}

@test "a reader that never wakes up delays nothing but itself" {
    start_daemon
    start_reader asleep
    in_box asleep pkill -STOP -x listen
    loop_add "$first"
    changes "$first" 100
    wait_until 10 is overrun container_fact asleep state
    loop_add $((first + 1))
    wait_until 5 opens_in asleep "/dev/loop$((first + 1))"
    loop_remove $((first + 1))
    wait_until 5 not opens_in asleep "/dev/loop$((first + 1))"
    stop_box asleep
    wait_until 5 is 0 container_count
    stop_daemon
}

# All that is there waits for one who sleeps.
@test "a daemon that is stopped while an event waits leaves the device as it is" {
    local last node
    start_daemon
    start_reader asleep
    in_box asleep pkill -STOP -x listen
    for ((last = first; last < first + 10; last++)); do
        loop_add "$last"
        wait_until 2 opens_in asleep "/dev/loop$last"
        [[ $(container_fact asleep state) != busy ]] || break
    done
    ((last < first + 10)) || fail "no event waits"
    node=$(in_box asleep stat --format '%i %Z' "/dev/loop$last")
    stop_daemon
    start_daemon
    assert_contains "$(grants asleep delivered)" "/dev/loop$last delivered" "grants"
    assert_equal "$(in_box asleep stat --format '%i %Z' "/dev/loop$last")" "$node" "the node"
    opens_in asleep "/dev/loop$last"
}

@test "a container whose reader sleeps can be unregistered" {
    start_daemon
    start_reader asleep
    in_box asleep pkill -STOP -x listen
    loop_add "$first"
    changes "$first" 100
    call Unregister '{"name": "asleep"}' >/dev/null
    assert_equal "$(container_count)" 0 "containers"
    not in_box asleep test -e "/dev/loop$first"
}

container_count() {
    call ListContainers | jq '.containers | length'
}
