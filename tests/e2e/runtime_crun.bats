#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers by crun, registered by our hook.

load common
load fixture/runtime_cases

setup() {
    engine=oci oci_runtime=crun
    runtime_setup
}

@test "crun: the first open of a device that was present succeeds" {
    case_present
}

@test "crun, user namespace: the first open of a device that was present succeeds" {
    case_present userns
}

@test "crun, read-only root: the first open of a device that was present succeeds" {
    case_present readonly
}

@test "crun: plug, use, unplug" {
    case_plug
}

@test "crun, user namespace: plug, use, unplug" {
    case_plug userns
}

@test "crun: stopped and killed and started again with the device present" {
    case_again
}

@test "crun, user namespace: stopped and killed and started again with the device present" {
    case_again userns
}

@test "crun: what starts while devolved is down is picked up" {
    case_without_daemon
}

@test "crun, user namespace: what starts while devolved is down is picked up" {
    case_without_daemon userns
}

@test "crun: devolved is stopped and started, killed and started meanwhile" {
    case_restart
}

@test "crun: a node that the runtime made is ours as long as it is given" {
    case_given ok
}

@test "crun, user namespace: a node that the runtime made is ours as long as it is given" {
    case_given ok userns
}

@test "crun: by devolve-runtime, as docker and containerd call it" {
    start_daemon
    loop_add "$first"
    prepare_first '.hooks = {}' '.annotations["io.devolve.name"] = "box"'
    oci_runtime_words=("$build/devolve-runtime" "--devolve-runtime=$(command -v crun)" "--devolve-hook=$build/devolve-oci-hook"
        "--devolve-runtime-dir=$runtime")
    start_first_again
    first_open
    assert_equal "$(container_fact box pid)" "${first_pid[box]}" "the registered process"
    assert_equal "$(jq -c '.hooks | keys' "$work/oci/box/config.json")" '["createRuntime","poststart","poststop"]' "hooks"
    oci_stop box
    assert_equal "$(container_count)" 0 "containers that are left"
}
