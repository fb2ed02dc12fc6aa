#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What others may send us: events that are not the kernel's, messages that are no Varlink, broken rules.

load common

setup() {
    common_setup
    first=$(loop_first)
    rule_file 10-test.rules <<<"KERNEL==\"loop$first|loop4242\", CONTAINER+=\"box\""
}

# --- events

# spoofed VARIANT REASON: the counter of this reason goes up, and nothing else changes.
spoofed() {
    local before counted
    start_daemon
    start_box box
    register box
    loop_add "$first"
    wait_until 5 is "/dev/loop$first delivered" grants box
    before=$(grants box)
    counted=$(metric "events_spoofed_$2")
    # Of a device that does not exist, and of the one that was given.
    "$helpers/spoof" "$1" --pid "$daemon_pid"
    "$helpers/spoof" "$1" --pid "$daemon_pid" --action remove --devpath "$(loop_path "$first")"
    wait_until 5 metric_is_at_least "events_spoofed_$2" $((counted + 2))
    assert_equal "$(grants box)" "$before" "grants"
    opens_in box "/dev/loop$first"
    not in_box box test -e /dev/loop4242
}

metric_is_at_least() {
    (($(metric "$1") >= $2))
}

@test "an event that a process multicast is counted and changes nothing" {
    spoofed multicast port
}

@test "an event by a process with CAP_NET_ADMIN alone is counted and changes nothing" {
    spoofed net-admin port
}

@test "an event that a process sent to our port is counted and changes nothing" {
    spoofed unicast port
}

@test "an event that a process multicast in the name of init is counted and changes nothing" {
    spoofed multicast-credentials port
}

@test "a message longer than any event is counted and changes nothing" {
    spoofed oversize port
}

@test "an event that a process injected through the kernel is counted and changes nothing" {
    spoofed injected pid
}

@test "an event that was injected in the name of init is counted and changes nothing" {
    spoofed credentials pid
}

@test "the kernel lets nobody claim to be it" {
    start_daemon
    run "$helpers/spoof" kernel-pid
    assert_equal "$status" 1 "exit status of spoof"
}

@test "a synthetic remove of a device that lives takes nothing" {
    loop_add "$first"
    start_daemon
    start_box box
    register box
    local before
    before=$(stat_in box "/dev/loop$first")
    echo remove >"/sys$(loop_path "$first")/uevent"
    echo change >"/sys$(loop_path "$first")/uevent"
    hears box change "$(loop_path "$first")"
    assert_equal "$(stat_in box "/dev/loop$first")" "$before" "the node"
    assert_equal "$(event_count box remove "$(loop_path "$first")")" 0 "removes"
    opens_in box "/dev/loop$first"
}

synthetics=${DEVOLVE_SYNTHETICS:-1000}

@test "synthetic adds of a device that is delivered change neither its node nor its mount" {
    local path before inode
    path=$(loop_path "$first")
    loop_add "$first"
    start_daemon
    start_box box
    register box
    hears box add "$path"
    in_background in_box box "$helpers/reader" "/dev/loop$first" >"$work/box.read"
    wait_until 10 grep -q '^reading' "$work/box.read"
    before=$(<"/proc/${box_pid[box]}/mountinfo")
    inode=$(in_box box stat --format '%i %a %u:%g %Z %Y' "/dev/loop$first")
    # shellcheck disable=SC2016 # for the shell inside
    timeout 60 sh -c 'i=0; while [ $i -lt "$2" ]; do echo add >"$1"; i=$((i + 1)); done' sh "/sys$path/uevent" "$synthetics"
    echo change >"/sys$path/uevent" # what is heard after all of them
    hears box change "$path"
    assert_equal "$(</proc/"${box_pid[box]}"/mountinfo)" "$before" "mounts inside"
    assert_equal "$(in_box box stat --format '%i %a %u:%g %Z %Y' "/dev/loop$first")" "$inode" "the inode"
    assert_equal "$(<"$work/box.read")" reading "what a program that uses it says"
    assert_equal "$(event_count box add "$path")" 1 "adds inside"
    assert_equal "$(metric given) $(metric taken)" "1 0" "given and taken"
    in_box box pkill -TERM -x reader
}

# --- the control socket

# Whether the daemon still answers on a new connection.
serves_on() {
    call GetMetrics >/dev/null
}

# What is sent is answered by one error that says why, and by the end of the connection.
ends_as_malformed() {
    exchange >"$work/replies"
    assert_equal "$(wc -l <"$work/replies") $(tail -n 1 "$work/replies")" "2 closed" "the lines that came, and the last"
    assert_equal "$(head -n 1 "$work/replies" | jq -r .error)" io.devolve.MalformedMessage "the error"
    [[ -n $(head -n 1 "$work/replies" | jq -r '.parameters.text // ""') ]] || fail "the error says nothing"
    serves_on
}

@test "what is no JSON ends the connection, and the daemon serves on" {
    start_daemon
    printf 'this is no JSON\0' | ends_as_malformed
}

@test "JSON that is no call ends the connection, and the daemon serves on" {
    start_daemon
    printf '["method"]\0' | ends_as_malformed
    printf '{"method":17}\0' | ends_as_malformed
}

@test "a message beyond the limit ends the connection, and the daemon serves on" {
    start_daemon
    head -c 20000000 /dev/zero | tr '\0' x | ends_as_malformed
}

@test "deep nesting ends the connection, and the daemon serves on" {
    start_daemon
    { head -c 100000 /dev/zero | tr '\0' '['; printf '\0'; } | ends_as_malformed
}

@test "half a message keeps nobody else waiting" {
    start_daemon
    in_background half_a_message
    wait_until 5 test -s "$work/half"
    serves_on
}

half_a_message() {
    exec /usr/bin/python3 -I -S -c '
import socket, sys
half = socket.socket(socket.AF_UNIX)
half.connect(sys.argv[1])
half.sendall(b"{\"method\":\"io.devolve.")
open(sys.argv[2], "w").write("sent")
half.recv(1)' "$runtime/io.devolve" "$work/half"
}

@test "an unknown method and a wrong parameter are errors by name" {
    start_daemon
    run call NoSuchMethod
    assert_equal "$status" 1 "exit status"
    assert_contains "$output" org.varlink.service.MethodNotFound "the error"
    run call Register '{"name": 5, "pid": 1}'
    assert_contains "$output" org.varlink.service.InvalidParameter "the error"
    run call Unregister '{"name": "nobody"}'
    assert_contains "$output" io.devolve.ContainerNotFound "the error"
    serves_on
}

@test "a process that is none and a name that is none are refused" {
    start_daemon
    run ctl register box --pid 4194304
    assert_equal "$status" 1 "exit status"
    run ctl register '../box' --pid $$
    assert_equal "$status" 1 "exit status"
    assert_equal "$(call ListContainers)" '{"containers": []}' "containers"
}

# --- rules

@test "a broken rule file is named with line and column, and the old rules stay in force" {
    start_daemon
    start_box box
    register box
    printf '# fine\nKERNEL=="loop4242", CONTAINER+="box"\nKERNEL=="sda, CONTAINER+="box"\n' >"$rules/20-broken.rules"
    run ctl reload
    assert_equal "$status" 1 "exit status"
    [[ $output =~ 20-broken.rules:3:[0-9]+ ]] || fail "no line and column in: $output"
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    opens_in box "/dev/loop$first"
    run ctl check "$rules/20-broken.rules"
    assert_equal "$status" 1 "exit status of check"
    [[ $output =~ 20-broken.rules:3:[0-9]+ ]] || fail "no line and column in: $output"
}

@test "a rule that would run something is refused by name" {
    printf 'KERNEL=="loop*", CONTAINER+="box", RUN+="/bin/true"\n' >"$rules/20-broken.rules"
    run ctl check "$rules/20-broken.rules"
    assert_equal "$status" 1 "exit status"
    assert_contains "$output" RUN "the complaint"
}

# --- nobody there

@test "devolvectl against no daemon says what to do" {
    run ctl list
    assert_equal "$status" 1 "exit status"
    assert_contains "$output" "$runtime/io.devolve" "the message"
    assert_contains "$output" devolved "the message"
}

@test "devolvectl used wrongly ends with status 2" {
    run ctl no-such-command
    assert_equal "$status" 2 "exit status"
    run ctl register
    assert_equal "$status" 2 "exit status"
}
