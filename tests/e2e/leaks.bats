#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nothing is left over. In a build with sanitizers the leak report at the daemon's end is part of the verdict.

load common

setup() {
    common_setup
    first=$(loop_first)
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", SYMLINK+=\"a/%k\""
}

plug_cycles() {
    local round path
    path=$(loop_path "$first")
    note loop "$first"
    for ((round = 0; round < $1; round++)); do
        loop_control add "$first"
        next_event box add "$path"
        wait_until 5 loop_control remove "$first"
        next_event box remove "$path"
    done
}

cycles=${DEVOLVE_CYCLES:-1000} # 10000 in scripts/soak
deaths=${DEVOLVE_DEATHS:-100}  # 1000 there

@test "many plug cycles leave descriptors, mounts and processes as they were" {
    local before rss
    start_daemon
    start_box box
    register box
    follow box
    # What the first few make once and for all (the injector) does not count.
    plug_cycles 3
    wait_until 5 is "" grants box
    before=$(counts_of "$daemon_pid" "${box_pid[box]}") rss=$(resident)
    plug_cycles "$cycles"
    wait_until 5 is "" grants box
    counts_return "$before" "$daemon_pid" "${box_pid[box]}"
    echo "# $cycles plug cycles; the daemon's RSS grew from $rss to $(resident) KiB" >&3
    stop_daemon
}

resident() {
    awk '/^VmRSS:/ { print $2 }' "/proc/$daemon_pid/status"
}

@test "many registrations and deaths leave descriptors, mounts and processes as they were" {
    local before round
    loop_add "$first"
    start_daemon
    before=$(counts_of "$daemon_pid")
    for ((round = 0; round < deaths; round++)); do
        start_box box
        register box >/dev/null
        stop_box box
        wait_until 5 is '{"containers": []}' call ListContainers
    done
    counts_return "$before" "$daemon_pid"
    stop_daemon
}
