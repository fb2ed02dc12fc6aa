#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Process numbers come again: a registration means one process, never the next one of its number.

load common

races=${DEVOLVE_PID_RACES:-50} # 1000 in scripts/soak

setup() {
    common_setup
    first=$(loop_first)
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"victim\""
}

# Two places for processes, `one` and `other`: mount and network namespaces, held by a process each.
start_places() {
    local name
    for name in one other; do
        in_background unshare --mount --net --propagation private -- \
            sh -c 'mount -t tmpfs none /dev && exec sleep 1000'
        box_pid["$name"]=$background
        wait_until 5 is sleep cat "/proc/$background/comm"
    done
}

# race KIND: see helpers/pid_race.py.
race() {
    local pid_max number
    pid_max=$(</proc/sys/kernel/pid_max)
    number=$((pid_max - 1 - $$ % 1000))
    /usr/bin/python3 -I -S "$here/helpers/pid_race.py" "$runtime/io.devolve" "$helpers/takeover" "$number" \
        "${box_pid[one]}" "${box_pid[other]}" "$1" "$races" "/dev/loop$first"
}

@test "a process that dies while it is registered, and whose number is another's at once, is the only one meant" {
    local said
    loop_add "$first"
    start_daemon
    start_places
    said=$(race numbered)
    echo "# $said" >&3
    assert_contains "$said" "0 wrong" "the races"
    said=$(race named)
    echo "# $said" >&3
    assert_contains "$said" "0 wrong" "the races by number and start time"
    assert_equal "$(find "$runtime/nodes" -type b | wc -l)" 0 "nodes in the store"
}

@test "a daemon that begins anew does not take the next process of a number for its container" {
    local number
    number=$(($(</proc/sys/kernel/pid_max) - 2 - $$ % 1000))
    loop_add "$first"
    start_daemon
    start_places
    hold_open takeover
    in_background "$helpers/takeover" "$number" "${box_pid[one]}" "${box_pid[other]}" \
        <"$work/takeover.stdin" >"$work/takeover.out"
    echo one >"$work/takeover.stdin"
    wait_until 5 grep -q '^one' "$work/takeover.out"
    ctl register victim --pid "$number"
    [[ -b /proc/$number/root/dev/loop$first ]] || fail "nothing was given"
    kill_daemon
    echo other >"$work/takeover.stdin"
    wait_until 5 grep -q '^other' "$work/takeover.out"
    start_daemon
    assert_equal "$(call ListContainers)" '{"containers": []}' "containers"
    [[ ! -e /proc/$number/root/dev/loop$first ]] || fail "the next process of the number has it"
    assert_equal "$(find "$runtime/nodes" -type b | wc -l)" 0 "nodes in the store"
}
