#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers by containerd alone: no docker stands above it, and annotations arrive. They are registered by the hook
# that our runtime puts into their bundles.

load common
load fixture/containerd
load fixture/runtime_cases

setup() {
    engine=containerd
    runtime_setup
    containerd_setup
}

teardown() {
    containerds_end
    common_teardown
}

@test "containerd: the first open of a device that was present succeeds" {
    case_present
}

@test "containerd, read-only root: the first open of a device that was present succeeds" {
    case_present readonly
}

@test "containerd: plug, use, unplug" {
    case_plug
}

@test "containerd: stopped and killed and started again with the device present" {
    case_again
}

@test "containerd: what starts while devolved is down is picked up" {
    case_without_daemon
}

@test "containerd: devolved is stopped and started, killed and started meanwhile" {
    case_restart
}

@test "containerd: a node that containerd made is ours as long as it is given" {
    case_given ok
}
