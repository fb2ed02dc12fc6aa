#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The doctor of one container: ten set-ups that are broken, and the gate that it names in each.

load common

setup() {
    common_setup
    first=$(loop_first)
    node=/dev/loop$first
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", MODE=\"0600\""
}

# doctor NAME: "VERDICT GATE DEVPATH" of each finding that is not good, a line each.
doctor() {
    call Doctor "{\"container\":\"$1\"}" |
        jq -r '.findings[] | select(.verdict != "good") | "\(.verdict) \(.gate // "-") \(.devpath // "-")"'
}

# says NAME GATE: what it says there.
says() {
    call Doctor "{\"container\":\"$1\"}" | jq -r --arg gate "$2" '.findings[] | select(.gate == $gate).text'
}

# A container that has the device.
given() {
    loop_add "$first"
    start_daemon
    start_box box "$@"
    register box
    wait_until 5 is "$node delivered" grants box
    wait_until 5 in_box box test -e "/run/udev/data/b$(number_of "$(loop_path "$first")")"
}

# finds VERDICT GATE [DEVPATH]: this, and nothing else.
finds() {
    assert_equal "$(doctor box)" "$1 $2 ${3:--}" "what the doctor finds"
}


@test "nothing is found where nothing is wrong, and the facts are told" {
    local text
    given
    assert_equal "$(doctor box)" "" "what the doctor finds"
    text=$(ctl doctor box)
    assert_contains "$text" "it is registered, with process ${box_pid[box]}" "devolvectl doctor"
    assert_contains "$text" "its network namespace is isolated" "devolvectl doctor"
    assert_contains "$text" "mapped are uids 0-65535" "devolvectl doctor"
    assert_contains "$text" "device cgroups: v" "devolvectl doctor"
    assert_contains "$text" "no udevd runs inside" "devolvectl doctor"
    assert_contains "$text" "its /dev can be written to" "devolvectl doctor"
    assert_contains "$text" "$(loop_path "$first"): it can be used inside, as $node" "devolvectl doctor"
}

@test "nothing is opened to find out" {
    local opens
    given
    command -v strace >/dev/null || skip "strace is not installed"
    in_background strace -f -qq -e trace=open,openat,openat2 -o "$work/strace.log" -p "$daemon_pid"
    wait_until 5 test -e "$work/strace.log"
    wait_until 5 grep -q '^TracerPid:[[:space:]][1-9]' "/proc/$daemon_pid/status"
    assert_equal "$(doctor box)" "" "what the doctor finds"
    end_process "$background" INT
    opens=$(grep "loop$first\"" "$work/strace.log") || fail "the node was not looked at"
    assert_equal "$(grep -v O_PATH <<<"$opens" || true)" "" "opens that are more than a look"
}

@test "cgroup: a device cgroup refuses" {
    local shared
    cgroup_make v1 shared
    shared=$cgroup
    cgroup_v1_restrict "$cgroup"
    cgroup_make v1 "shared other"
    in_background tail -f /dev/null
    echo "$background" >"$cgroup/cgroup.procs"
    cgroup_make v1 "shared box"
    loop_add "$first"
    start_daemon
    start_box box --cgroup-v1 "$cgroup"
    register box || true
    wait_until 5 is "$node refused" grants box
    finds bad cgroup "$(loop_path "$first")"
    assert_contains "$(says box cgroup)" "${shared#"$cgroup_v1"}, which others share" "the reason"
}

@test "cgroup: a program that came later and denies what was given" {
    cgroup_make v2 shared
    local parent=$cgroup
    cgroup_make v2 "shared other"
    in_background tail -f /dev/null
    echo "$background" >"$cgroup/cgroup.procs"
    cgroup_make v2 "shared box"
    given --cgroup-v2 "$cgroup"
    attach_filter "$parent" runc multi
    finds bad cgroup "$(loop_path "$first")"
}

@test "shadowed: something is mounted over the node" {
    given
    in_box box touch /tmp/file
    in_box box mount --bind /tmp/file "$node"
    finds bad shadowed "$(loop_path "$first")"
}

@test "node: somebody inside removed it" {
    given
    in_box box umount "$node"
    finds bad node "$(loop_path "$first")"
    in_box box rm "$node"
    finds bad node "$(loop_path "$first")"
}

@test "nodev: somebody inside mounted it anew" {
    given
    in_box box mount -o remount,bind,nodev "$node"
    finds bad nodev "$(loop_path "$first")"
}

@test "ids: the rule's owner is not mapped" {
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", OWNER=\"70000\""
    loop_add "$first"
    start_daemon
    start_box box
    register box || true
    wait_until 5 is "$node refused" grants box
    finds bad ids "$(loop_path "$first")"
    assert_contains "$(says box ids)" "uid 70000 is not in the container's uid_map" "the reason"
}

@test "record: libudev's record went" {
    given
    in_box box rm "/run/udev/data/b$(number_of "$(loop_path "$first")")"
    finds warning record "$(loop_path "$first")"
}

@test "marker: libudev takes it that there is no udev" {
    given
    in_box box rm /run/udev/control
    finds warning marker
}

@test "netns: a native network namespace hears the kernel" {
    given --netns native
    finds warning netns
}

@test "netns: the host's network namespace" {
    loop_add "$first"
    start_daemon
    start_box box --netns host
    register box
    finds warning netns
}

@test "dev: it is read-only" {
    loop_add "$first"
    start_daemon
    start_box box
    in_box box mount -o remount,bind,ro /dev
    register box || true
    wait_until 5 is "$node refused" grants box
    assert_equal "$(doctor box)" "bad dev -
bad dev $(loop_path "$first")" "what the doctor finds"
    assert_contains "$(says box dev)" "/dev inside is mounted read-only" "the reason"
}

@test "udev: a rule waits for a udevd that does not run on the host" {
    make_host
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", ENV{ID_TEST}==\"A5\", CONTAINER+=\"box\"
KERNEL==\"loop$first\", ENV{ID_TEST}==\"A5\", CONTAINER+=\"other\""
    loop_add "$first"
    start_daemon
    start_box box
    register box
    finds warning udev "$(loop_path "$first")"
    assert_contains "$(says box udev)" "10-test.rules:1 waits for what only udev knows (ENV{ID_TEST}==\"A5\")" "the reason"
}

@test "rules: the file that would give it is masked" {
    mkdir "$work/later"
    mv "$rules/10-test.rules" "$work/later"
    : >"$rules/10-test.rules"
    loop_add "$first"
    start_daemon --rules "$work/later"
    start_box box
    register box
    finds warning rules "$(loop_path "$first")"
    assert_contains "$(says box rules)" "$work/later/10-test.rules:1 would give it" "the reason"
    assert_contains "$(says box rules)" "masked by $rules/10-test.rules" "the reason"
}

@test "container: it died" {
    local pid
    given
    pid=${box_pid[box]}
    stop_box box
    wait_until 5 is "" container_names
    finds bad container
    assert_contains "$(says box container)" "process $pid died" "the reason"
}

@test "container: it never was there" {
    start_daemon
    finds bad container
    assert_contains "$(says box container)" "no container of this name is registered" "the reason"
}
