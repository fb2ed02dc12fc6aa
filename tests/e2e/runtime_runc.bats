#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers by runc, registered by our hook.

load common
load fixture/runtime_cases

setup() {
    engine=oci oci_runtime=runc
    runtime_setup
}

@test "runc: the first open of a device that was present succeeds" {
    case_present
}

@test "runc, user namespace: the first open of a device that was present succeeds" {
    case_present userns
}

@test "runc, read-only root: the first open of a device that was present succeeds" {
    case_present readonly
}

@test "runc: plug, use, unplug" {
    case_plug
}

@test "runc, user namespace: plug, use, unplug" {
    case_plug userns
}

@test "runc: stopped and killed and started again with the device present" {
    case_again
}

@test "runc, user namespace: stopped and killed and started again with the device present" {
    case_again userns
}

@test "runc: what starts while devolved is down is picked up" {
    case_without_daemon
}

@test "runc, user namespace: what starts while devolved is down is picked up" {
    case_without_daemon userns
}

@test "runc: devolved is stopped and started, killed and started meanwhile" {
    case_restart
}

@test "runc: a node that the runtime made is ours as long as it is given" {
    case_given ok
}

@test "runc, user namespace: a node that the runtime made is ours as long as it is given" {
    # runc bound the host's node, whose owner is nobody inside.
    case_given EACCES userns
}

@test "runc, cgroup v2 alone: the first open of a device that was present succeeds" {
    oci_cgroups=v2
    case_present
}

@test "runc, cgroup v2 alone, user namespace: plug, use, unplug" {
    oci_cgroups=v2
    case_plug userns
}

@test "runc, cgroup v2 alone, user namespace: stopped and killed and started again with the device present" {
    oci_cgroups=v2
    case_again userns
}

@test "runc, cgroup v2 alone: what starts while devolved is down is picked up" {
    oci_cgroups=v2
    case_without_daemon
}

@test "runc, cgroup v2 alone, user namespace: devolved is stopped and started, killed and started meanwhile" {
    oci_cgroups=v2
    case_restart userns
}
