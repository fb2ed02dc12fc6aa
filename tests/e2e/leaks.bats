#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nothing is left over. In a build with sanitizers the leak report at the daemon's end is part of the verdict.

load common
load fixture/plugger

cycles=${DEVOLVE_CYCLES:-1000} # 10000 in scripts/soak
deaths=${DEVOLVE_DEATHS:-60}   # 1000 there

resident() {
    awk '/^VmRSS:/ { print $2 }' "/proc/$daemon_pid/status"
}

# memory_stays KIB: the daemon has less than a MiB more. (ASan keeps what was freed; LSan looks when the daemon ends.)
memory_stays() {
    grep -q libasan "/proc/$daemon_pid/maps" || (($(resident) < $1 + 1024)) ||
        fail "the daemon's RSS went from $1 to $(resident) KiB"
}

# group_state [GROUP]: what is allowed in a device cgroup; of v2 its programs, and how many entries their maps have.
group_state() {
    local program map
    [[ -n ${1:-} ]] || return 0
    if [[ -e $1/devices.list ]]; then
        cat "$1/devices.list"
        return
    fi
    while read -r program; do
        echo "program: $program"
        while read -r map; do
            bpftool --json map dump id "$map" | jq -r --arg map "$map" '"entries of map \($map): \(length)"'
        done < <(bpftool --json prog show id "${program%% *}" | jq -r '.map_ids[]?')
    done < <(programs_of "$1")
}

# all_counts GROUP PID...: everything that could be left, of those and of the daemon.
all_counts() {
    counts_of "$daemon_pid" "${@:2}"
    group_state "$1"
}

# counts_stay BEFORE GROUP PID...
counts_stay() {
    wait_until 10 is "$1" all_counts "${@:2}" 2>/dev/null ||
        fail "$(printf 'counts differ (< before, > after):\n%s' "$(diff <(echo "$1") <(all_counts "${@:2}"))")"
}

# --- grants and revokes

# cycles_leave_nothing GROUP [OPTION...]: of a container in this group ("": none) with these options.
cycles_leave_nothing() {
    local before rss plugged group=$1
    plugger_rules box | rule_file 10-test.rules
    start_daemon --log-level warning # the rest would fill the memory
    start_fed_box box 3 "${@:2}"
    register box
    # What the first few make once and for all (the injector, room for the queue) does not count.
    plug box $((plugger_count * 2))
    wait_until 5 is "" grants box
    before=$(all_counts "$group" "${box_pid[box]}") rss=$(resident)
    plug box "$cycles"
    wait_until 5 is "" grants box
    counts_stay "$before" "$group" "${box_pid[box]}"
    memory_stays "$rss"
    echo "# $cycles grants and revokes; the daemon's RSS went from $rss to $(resident) KiB" >&3
    stop_daemon
}

@test "many grants and revokes leave descriptors, mounts and processes as they were" {
    cycles_leave_nothing ""
}

@test "many grants and revokes leave the list of a v1 device cgroup as it was" {
    cgroup_make v1 box
    cgroup_v1_restrict "$cgroup"
    cycles_leave_nothing "$cgroup" --cgroup-v1 "$cgroup"
}

@test "many grants and revokes leave the map of a v2 device cgroup as it was" {
    make_v2_group
    cycles_leave_nothing "$cgroup" --cgroup-v2 "$cgroup"
}

# With a program as runc makes it. The group is in $cgroup.
make_v2_group() {
    command -v bpftool >/dev/null || skip "bpftool is not installed"
    cgroup_make v2 box
    attach_filter "$cgroup" runc multi
}

# --- registrations and deaths

# given_and_dies [OPTION...]: one container, from its start to its end.
given_and_dies() {
    start_box box "$@"
    register box >/dev/null
    opens_in box "/dev/loop$first"
    stop_box box
    wait_until 5 is '{"containers": []}' call ListContainers
}

# deaths_leave_nothing GROUP [OPTION...]
deaths_leave_nothing() {
    local before round rss
    first=$(loop_first)
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", SYMLINK+=\"a/%k\""
    loop_add "$first"
    start_daemon --log-level warning
    before=$(all_counts "$1")
    for ((round = 0; round < 5; round++)); do
        given_and_dies "${@:2}"
    done
    rss=$(resident)
    for (( ; round < (deaths + 2) / 3; round++)); do
        given_and_dies "${@:2}"
    done
    counts_stay "$before" "$1"
    assert_equal "$(find "$runtime/nodes" "$runtime/containers" -mindepth 1 | wc -l)" 0 "nodes and notes"
    memory_stays "$rss"
    echo "# $round deaths; the daemon's RSS went from $rss to $(resident) KiB" >&3
    stop_daemon
}

@test "many registrations and deaths leave descriptors, mounts and processes as they were" {
    deaths_leave_nothing ""
}

@test "many registrations and deaths leave the list of a v1 device cgroup that lives on as it was" {
    cgroup_make v1 box
    cgroup_v1_restrict "$cgroup"
    deaths_leave_nothing "$cgroup" --cgroup-v1 "$cgroup"
}

@test "many registrations and deaths leave the program of a v2 device cgroup that lives on as it was" {
    make_v2_group
    deaths_leave_nothing "$cgroup" --cgroup-v2 "$cgroup"
}
