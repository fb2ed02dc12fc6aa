#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers whose network namespace the kernel itself sends every event: nothing is sent a second time.

load common

setup() {
    common_setup
    first=$(loop_first)
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\""
    start_daemon
}

# Plugs and unplugs; the container has the node, and heard of each once.
plugged_and_unplugged_once() {
    loop_add "$first"
    wait_until 5 is "/dev/loop$first delivered" grants box
    opens_in box "/dev/loop$first"
    loop_remove "$first"
    wait_until 5 is "" grants box
    hears box remove "$(loop_path "$first")"
    not in_box box test -e "/dev/loop$first"
    assert_equal "$(event_count box add "$(loop_path "$first")")" 1 "copies of the add"
    assert_equal "$(event_count box remove "$(loop_path "$first")")" 1 "copies of the remove"
    # The kernel's own have no sender process; what we inject has.
    assert_equal "$(field pid "$(events box add "$(loop_path "$first")")")" 0 "process id of the sender"
}

@test "a network namespace of the initial user namespace hears the kernel's events, once each" {
    start_box box --netns native
    register box
    assert_equal "$(container_fact box netns)" native "netns"
    plugged_and_unplugged_once
}

@test "a container in the host's network namespace is served without injection, and status says so" {
    start_box box --netns host
    register box
    assert_equal "$(container_fact box netns)" host "netns"
    assert_contains "$(ctl status box)" "without injection" "status"
    plugged_and_unplugged_once
}

# host_node: all that is to stay as it is of the host's own node, with the time of its last change.
host_node() {
    stat --format '%F %t %T %u %g %a inode %i changed %z' "/dev/loop$first"
}

# Everything that can be asked of a device, once.
use_device() {
    local before
    loop_add "$first"
    before=$(host_node)
    wait_until 5 is "/dev/loop$first delivered" grants box
    register box
    ctl reload >/dev/null
    rule_file 20-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", OWNER=\"7\", MODE=\"0606\", SYMLINK+=\"x/y\""
    ctl reload >/dev/null
    wait_until 5 in_box box test -e /dev/x/y
    opens_in box /dev/x/y
    in_box box chown 9:9 "/dev/loop$first"
    in_box box chmod 600 "/dev/loop$first"
    rm "$rules/20-test.rules"
    ctl reload >/dev/null
    wait_until 5 not in_box box test -e /dev/x/y
    wait_until 5 is "/dev/loop$first delivered" grants box
    ctl unregister box
    register box
    kill_daemon
    start_daemon
    assert_equal "$(grants box)" "/dev/loop$first delivered" "grants"
    stop_box box
    wait_until 5 is '{"containers": []}' call ListContainers
    assert_equal "$(host_node)" "$before" "the host's node"
    loop_remove "$first"
}

# Of the machine's nodes those that no test makes: name, inode, mode, owner and time of the last change.
host_nodes() {
    find /dev -xdev \( -type b -o -type c \) ! -name 'loop[0-9]*' ! -name 'zram*' ! -name 'tap*' ! -name 'tty*' \
        -printf '%p %i %M %U %G %C@\n' | sort
}

# host_is_undisturbed [OPTION...]: by the daemon's serving containers with these options.
host_is_undisturbed() {
    local round path nodes pids=()
    path=$(loop_path "$first")
    nodes=$(host_nodes)
    box_log[host]=$work/host.log
    # it opens nothing of the device: to open a loop device that goes makes the kernel add it anew
    in_background "$helpers/listen" -p -2 -n /dev/null >"$work/host.log" 2>&1
    wait_until 5 grep -q '^ready' "$work/host.log"
    for ((round = 1; round <= host_rounds; round++)); do
        start_box box "$@"
        register box
        use_device
        pids+=("$daemon_pid")
        wait_until 5 is "$round" host_events remove
    done
    assert_equal "$(host_events add)" "$host_rounds" "adds on the host"
    assert_equal "$(host_events '[^ ]*')" $((2 * host_rounds)) "all of the kernel's events of the device"
    # of udev's group there is as much as there is of a udevd: nothing of any process of ours
    assert_equal "$(grep -cE "groups=2 pid=($(IFS='|' && echo "${pids[*]}")) " "$work/host.log" || true)" 0 "udev's events of ours"
    [[ -S /run/udev/control ]] || assert_equal "$(grep "devpath=$path " "$work/host.log" | grep -c 'groups=2 ')" 0 "udev's events"
    assert_equal "$(grep -c '^lost' "$work/host.log")" 0 "losses of the listener"
    assert_equal "$(host_nodes)" "$nodes" "the host's nodes"
    echo "# $host_rounds rounds: $(host_events '[^ ]*') of the kernel's events of the device, $(wc -l <<<"$nodes") other nodes as they were" >&3
}

# host_events ACTION: how many of the kernel's the host heard of the device.
host_events() {
    grep "devpath=$(loop_path "$first") " "$work/host.log" | grep -c "groups=1 .* action=$1 " || true
}

host_rounds=${DEVOLVE_HOST_ROUNDS:-5} # 100 in scripts/soak

@test "a listener on the host hears nothing that was not there before, and its nodes stay as they are" {
    host_is_undisturbed
}

@test "the host hears nothing more either where the kernel sends the container its own events" {
    host_is_undisturbed --netns native
}

@test "the host hears nothing more either of a container with a device cgroup" {
    cgroup_make v1 box
    cgroup_v1_restrict "$cgroup"
    host_is_undisturbed --cgroup-v1 "$cgroup"
}
