#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers by docker with userns-remap: each has a user namespace, whose root is 100000 on the host.

load common
load fixture/docker
load fixture/runtime_cases

setup_file() {
    dockerd_start --userns-remap=daemon
}

teardown_file() {
    dockerd_stop
}

setup() {
    engine=docker
    runtime_setup
    docker_setup
}

teardown() {
    dockers_end
    common_teardown
    docker_teardown
}

@test "docker, user namespace: the first open of a device that was present succeeds" {
    case_present
    prepare_first
    start_first_again
    assert_equal "$(awk '{ print $2 }' "/proc/${first_pid[box]}/uid_map")" 100000 "root inside, on the host"
}

@test "docker, user namespace, read-only root: the first open of a device that was present succeeds" {
    case_present readonly
}

@test "docker, user namespace: plug, use, unplug" {
    case_plug
}

@test "docker, user namespace: stopped and killed and started again with the device present" {
    case_again
}

@test "docker, user namespace: what starts while devolved is down is picked up" {
    case_without_daemon
}

@test "docker, user namespace: devolved is stopped and started, killed and started meanwhile" {
    case_restart
}

@test "docker, user namespace: a node that docker made is ours as long as it is given" {
    # runc bound the host's node, whose owner is nobody inside.
    case_given EACCES
}
