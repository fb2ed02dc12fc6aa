#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers by podman, registered by our hook through the JSON file that is installed.

load common
load fixture/runtime_cases

setup() {
    engine=podman oci_runtime=runc
    runtime_setup
}

@test "podman with runc: the first open of a device that was present succeeds" {
    case_present
}

@test "podman with runc, user namespace: the first open of a device that was present succeeds" {
    case_present userns
}

@test "podman with runc, read-only root: the first open of a device that was present succeeds" {
    case_present readonly
}

@test "podman with runc: plug, use, unplug" {
    case_plug
}

@test "podman with runc, user namespace: plug, use, unplug" {
    case_plug userns
}

@test "podman with runc: stopped and killed and started again with the device present" {
    case_again
}

@test "podman with runc, user namespace: stopped and killed and started again with the device present" {
    case_again userns
}

@test "podman with runc: what starts while devolved is down is picked up" {
    case_without_daemon
}

@test "podman with runc, user namespace: what starts while devolved is down is picked up" {
    case_without_daemon userns
}

@test "podman with runc: devolved is stopped and started, killed and started meanwhile" {
    case_restart
}

@test "podman with runc: a node that the runtime made is ours as long as it is given" {
    case_given ok
}

@test "podman with runc, user namespace: a node that the runtime made is ours as long as it is given" {
    # runc bound the host's node, whose owner is nobody inside.
    case_given EACCES userns
}

@test "podman with crun: the first open of a device that was present succeeds" {
    oci_runtime=crun
    case_present
}

@test "podman with crun, user namespace: the first open of a device that was present succeeds" {
    oci_runtime=crun
    case_present userns
}

@test "podman with crun, read-only root: the first open of a device that was present succeeds" {
    oci_runtime=crun
    case_present readonly
}

@test "podman with crun: plug, use, unplug" {
    oci_runtime=crun
    case_plug
}

@test "podman with crun, user namespace: plug, use, unplug" {
    oci_runtime=crun
    case_plug userns
}

@test "podman with crun: stopped and killed and started again with the device present" {
    oci_runtime=crun
    case_again
}

@test "podman with crun, user namespace: stopped and killed and started again with the device present" {
    oci_runtime=crun
    case_again userns
}

@test "podman with crun: what starts while devolved is down is picked up" {
    oci_runtime=crun
    case_without_daemon
}

@test "podman with crun, user namespace: what starts while devolved is down is picked up" {
    oci_runtime=crun
    case_without_daemon userns
}

@test "podman with crun, user namespace: devolved is stopped and started, killed and started meanwhile" {
    oci_runtime=crun
    case_restart userns
}

@test "podman with crun: a node that the runtime made is ours as long as it is given" {
    oci_runtime=crun
    case_given ok
}

# crun 1.8 tells its hooks a wrong bundle there, so that it cannot be seen which annotations are the image's.
@test "podman with crun, user namespace and --device: registered by its id" {
    oci_runtime=crun
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"*\""
    start_daemon
    loop_add "$first"
    start_first device userns
    first_open
    name=$(podman_here inspect --format '{{.Id}}' box)
    name_by_bundle || name=box
    wait_until 5 is "/dev/loop$first delivered" grants "$name"
    opens_inside "$first"
}

# Whether this crun has that mistake.
name_by_bundle() {
    call ListContainers "{\"name\":\"$name\"}" >/dev/null 2>&1
}
