#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers by docker as most people run it: as root, without a user namespace, with docker's default capabilities.
# They are registered by the hook that our runtime puts into their bundles, under docker's name for them.

load common
load fixture/docker
load fixture/runtime_cases

setup_file() {
    dockerd_start
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

@test "docker: the first open of a device that was present succeeds" {
    case_present
}

@test "docker, read-only root: the first open of a device that was present succeeds" {
    case_present readonly
}

@test "docker: plug, use, unplug" {
    case_plug
}

@test "docker: stopped and killed and started again with the device present" {
    case_again
}

@test "docker: what starts while devolved is down is picked up" {
    case_without_daemon
}

@test "docker: devolved is stopped and started, killed and started meanwhile" {
    case_restart
}

@test "docker: a node that docker made is ours as long as it is given" {
    case_given ok
}

@test "docker: the same container is started again, by docker's own hand too" {
    start_daemon
    loop_add "$first"
    start_first
    first_open
    docker restart --time 5 box >/dev/null
    docker_started box
    assert_equal "$(tail -n 2 "$work/box.log")" "$(printf '/dev/loop%s ok\nwaiting' "$first")" "the second run"
    assert_equal "$(container_fact box pid)" "${first_pid[box]}" "the registered process"
}

@test "docker: a container in another one's network has its own name" {
    start_daemon
    loop_add "$first"
    docker_prepare other "/dev/loop$first"
    docker_start other
    docker_prepare box "/dev/loop$first"
    docker_network=container:other docker_start box
    first_open
    assert_equal "$(call ListContainers | jq -r '.containers[].name' | sort)" "$(printf 'box\nother')" "names"
}

@test "docker: without devolved a container that requires it does not start, and docker says why" {
    docker_runtime=required
    prepare_first
    not docker_start box
    assert_contains "$(<"$work/box.run.log")" "devolve-oci-hook" "what docker says"
}

@test "docker: what keeps the hook out of a bundle is in the container's log, or said by docker where it is required" {
    docker_runtime=hookless
    start_first
    assert_contains "$(docker logs box 2>&1 >/dev/null)" "/no/hook: No such file" "what the container's log says"
    docker rm --force box >/dev/null
    docker_runtime=hookless_required
    not docker_start box
    assert_contains "$(<"$work/box.run.log")" "devolve-runtime: /no/hook: No such file" "what docker says"
}

@test "docker: an image cannot claim another container's name or labels" {
    rule_file 10-test.rules <<RULES
KERNEL=="loop$first", CONTAINER+="box"
KERNEL=="loop$first", CONTAINER+="label:role=test"
RULES
    start_daemon
    loop_add "$first"
    tar -C "$dockers/first" -c . | docker import --change 'ENV io.devolve.name=box HOSTNAME=box container=box' \
        --change 'LABEL io.devolve.name=box io.devolve.role=test name=box' - hostile >/dev/null
    docker_image=hostile
    docker_prepare hostile "/dev/loop$first"
    docker_start hostile
    assert_equal "$(grep ^/dev "$work/hostile.log")" "/dev/loop$first ENOENT" "the first open"
    assert_equal "$(call ListContainers | jq -r '.containers[] | "\(.name) \(.labels | keys | join(","))"')" "hostile id" \
        "who is registered, with which labels"
    assert_equal "$(call ListGrants | jq '.grants | length')" 0 "grants"
}

@test "docker: a file of somebody's over one of dockerd's leaves the name, over all of them the id" {
    local over="--volume=$dockers/hosts:/etc/hosts --volume=$dockers/hosts:/etc/hostname"
    start_daemon
    loop_add "$first"
    : >"$dockers/hosts"
    docker_prepare box "/dev/loop$first" "$over"
    docker_start box
    first_open
    docker_stop box
    docker_prepare box "/dev/loop$first" "$over --volume=$dockers/hosts:/etc/resolv.conf"
    docker_start box
    first_open ENOENT
    assert_equal "$(call ListContainers | jq -r '.containers[].name')" "$(docker inspect --format '{{.Id}}' box)" "the name"
}

@test "docker: the configuration stays as docker wrote it but for our hook" {
    local bundle
    start_daemon
    loop_add "$first"
    start_first device
    bundle=$(find "$dockers/exec" -path "*$(docker inspect --format '{{.Id}}' box)/config.json")
    assert_equal "$(jq -c '.hooks | map_values(map(.path))' "$bundle" | grep -o devolve-oci-hook | wc -l)" 3 "hooks"
    assert_equal "$(jq -r '.hooks.createRuntime[-1].args[-1]' "$bundle")" box "the name in the hook's arguments"
    jq -e '.process.args[0] == "/entry" and .root.path and .linux.namespaces' "$bundle" >/dev/null
}
