#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers by LXD, registered by the hook of LXC through raw.lxc, beside the devices that LXD itself gives.

load common
load fixture/lxd

setup_file() {
    lxd_start
}

teardown_file() {
    lxd_end
}

setup() {
    common_setup
    lifecycle_setup
    lxd_raw=() lxd_devices=()
}

teardown() {
    lxds_end
    common_teardown
}

# The mode that a node has inside: ours is 600, LXD's is 640.
mode_is() {
    assert_equal "$(in_it stat -c %a "$2")" "$1" "the mode"
}

@test "lxd: the first open of a device that was present succeeds" {
    lxd_setup
    lifecycle_first_open
    assert_equal "$(container_fact it labels.lxc.pid)" "$it_pid" "the label"
    assert_equal "$(container_fact it netns)" isolated "the network namespace"
}

@test "lxd, read-only root: the first open of a device that was present succeeds" {
    lxd_setup
    lxd_raw=("lxc.rootfs.options = ro")
    lifecycle_first_open
    not in_it touch /there
}

@test "lxd: a device is plugged, used and unplugged" {
    lxd_setup
    lifecycle_plug
}

@test "lxd: stopped and started, with the device present" {
    lxd_setup
    lifecycle_stop_and_start
}

@test "lxd: killed" {
    lxd_setup
    lifecycle_killed
}

@test "lxd: devolved is stopped and started, killed and started meanwhile" {
    lxd_setup
    lifecycle_restart
}

@test "lxd: what starts while devolved is down is picked up" {
    lxd_setup
    lifecycle_late_daemon
}

@test "lxd, privileged: the first open of a device that was present succeeds" {
    lxd_setup --config security.privileged=true
    lifecycle_first_open
    assert_equal "$(container_fact it uid_map)" identity "the id map"
}

@test "lxd, privileged: a device is plugged, used and unplugged" {
    lxd_setup --config security.privileged=true
    lifecycle_plug
}

@test "lxd: a node that LXD gave is ours as long as the rules give it" {
    lxd_setup
    lxd_devices=("$node")
    lifecycle_given opens
    mode_is 640 "$node"
}

@test "lxd, privileged: a node that LXD gave is ours as long as the rules give it" {
    lxd_setup --config security.privileged=true
    lxd_devices=("$node")
    lifecycle_given opens
    mode_is 640 "$node"
}

@test "lxd: a device that it gives beside ours comes and goes, and ours stays" {
    lxd_setup
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"it\""
    loop_add "$second"
    start_daemon
    loop_add "$first"
    it_start "$node"
    it_has_opened_first
    lxd_give "/dev/loop$second"
    it_opens "$node"
    it_opens "/dev/loop$second"
    lxd_take "/dev/loop$second"
    not in_it test -e "/dev/loop$second"
    it_opens "$node"
    assert_equal "$(grants it)" "$node delivered" "grants"
}

@test "lxd: a device that it gives over ours comes and goes, and ours stays" {
    lxd_setup
    loop_add "$first"
    start_daemon
    it_start "$node"
    it_has_opened_first
    mode_is 600 "$node"
    lxd_give "$node"
    mode_is 640 "$node"
    it_opens "$node"
    lxd_take "$node"
    mode_is 600 "$node"
    it_opens "$node"
    rule_file 10-test.rules </dev/null
    ctl reload
    wait_until 5 not in_it test -e "$node"
}

# LXD takes away what lies topmost at the path, which is ours, and its own stays: the doctor says so.
@test "lxd: a device that it takes away below ours is seen" {
    lxd_setup
    lxd_devices=("$node")
    loop_add "$first"
    start_daemon
    it_start "$node"
    it_has_opened_first
    lxd_take "$node"
    mode_is 640 "$node"
    ctl doctor it >"$work/doctor.log" || true
    grep -q 'bad *shadowed: ' "$work/doctor.log"
    it_stop
    it_start "$node"
    it_has_opened_first
    mode_is 600 "$node"
}
