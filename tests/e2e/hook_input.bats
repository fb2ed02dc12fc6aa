#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The OCI hook with input that means it harm: it runs nothing that others planted, ends in time with the result that it
# is told to, and believes no image.

load common
load fixture/planted
load fixture/runtime_cases

setup() {
    engine=oci oci_runtime=runc
    runtime_setup
}

# hook [OPTION...]: the hook by hand; its result is in $status, what it says in $output. Its limit is 2 s: where it does
# not end at all, timeout(1) makes that status 124. (It is generous, as within_time is: the machine may do other things.)
hook() {
    run timeout 10 "$build/devolve-oci-hook" --runtime-dir "$runtime" "$@"
}

# state [FILTER]: of a container that is being created, whose process is ours.
state() {
    jq --null-input --argjson pid "${first_pid[box]:-$$}" --arg bundle "$work/oci/box" \
        '{ociVersion: "1.0.2", id: "box", status: "creating", pid: $pid, bundle: $bundle, annotations: {}}' | jq -c "${1:-.}"
}

@test "what is planted tells when it is run" {
    plant "$work/planted"
    LD_PRELOAD=$work/planted/planted.so /bin/true
    rm "$marker"
    "$work/planted/sh"
    rm "$marker"
}

@test "environment and working directory of the container's making run nothing" {
    prepare_first
    run_planted devolve-oci-hook --runtime-dir "$runtime" < <(state)
    not_run
    [[ -n $(find "$runtime/waiting" -name "oci:*" -size +0) ]]
}

@test "LD_PRELOAD and PATH in a container's config run nothing of it" {
    start_daemon
    loop_add "$first"
    prepare_first
    plant "$work/oci/box/rootfs/planted"
    plant "$work/oci/box"
    oci_change "$work/oci/box" --arg marked "$marker" '
        .process.env = ["PATH=/planted", "LD_PRELOAD=/planted/planted.so", "LD_LIBRARY_PATH=/planted"]
        | .process.cwd = "/planted"'
    start_first_again
    first_open
    oci_stop box
    not_run
    not test -e "$work/oci/box/rootfs$marker"
}

@test "ten megabytes of state are refused in time" {
    hook < <(head -c 10485760 /dev/zero | tr '\0' '[')
    assert_equal "$status" 0 "the status"
    assert_contains "$output" "more than 65536 bytes" "what it says"
    hook --required < <(head -c 10485760 /dev/zero | tr '\0' '[')
    assert_equal "$status" 1 "the status with --required"
}

@test "a state that does not end is not waited for" {
    mkfifo "$work/endless"
    exec {endless}<>"$work/endless"
    hook <"$work/endless"
    assert_equal "$status" 0 "the status"
    assert_contains "$output" "the time is over" "what it says"
    hook --required <"$work/endless"
    assert_equal "$status" 1 "the status with --required"
    exec {endless}>&-
}

@test "no devolved: the container starts unless it is required, and says so in one line" {
    prepare_first
    hook < <(state)
    assert_equal "$status" 0 "the status"
    assert_equal "${#lines[@]}" 1 "lines"
    assert_contains "$output" "devolved is not running" "what it says"
    hook --required < <(state)
    assert_equal "$status" 1 "the status with --required"
    hook_options=(--required)
    prepare_first
    not oci_start box
}

@test "a devolved that hangs is left alone in time, and finds the container afterwards" {
    start_daemon
    loop_add "$first"
    kill -STOP "$daemon_pid"
    prepare_first
    start_first_again || { kill -CONT "$daemon_pid"; false; }
    kill -CONT "$daemon_pid"
    first_open ENOENT
    wait_until 5 is "/dev/loop$first delivered" grants box
    wait_until 5 is 0 note_count
}

# refused_state TEXT FILTER
refused_state() {
    hook --required < <(state "$2")
    assert_equal "$status" 1 "the status of $2"
    assert_contains "$output" "$1" "what it says of $2"
}

@test "a state that makes no sense is refused by name" {
    refused_state "no container id" '.id = "../../etc/passwd"'
    refused_state "no container id" '.id = ""'
    refused_state "no container id" '.id = ".hidden"'
    refused_state "makes no sense" 'del(.id)'
    refused_state "no process" '.pid = -1'
    refused_state "no process" 'del(.pid)'
    refused_state "no absolute path" '.bundle = "box"'
    refused_state "makes no sense" '.'"status = 7"
    hook --required <<<'{"id": "a", "id": "b"}'
    assert_contains "$output" "no JSON" "what it says"
    hook --required </dev/null
    assert_equal "$status" 1 "the status"
}

@test "a name that another container has is refused, and its poststop leaves the other alone" {
    start_daemon
    loop_add "$first"
    start_first
    first_open
    oci_prepare other "/dev/loop$first" '.annotations["io.devolve.name"] = "box"'
    oci_start other || fail "the container does not start"
    wait_until 10 grep -q "^/dev/loop$first ENOENT" "$work/other.log"
    oci_stop other
    assert_equal "$(container_fact box pid)" "${first_pid[box]}" "who has the name"
    opens_inside "$first"
}

# state_of ID STATUS PID: of a container that another runtime made.
state_of() {
    jq --null-input --arg id "$1" --arg status "$2" --argjson pid "$3" --arg bundle "$work" \
        '{ociVersion: "1.0.2", id: $id, status: $status, pid: $pid, bundle: $bundle, root: "/"}'
}

@test "the stop of a container leaves one of another runtime alone that has the same id" {
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"web\""
    loop_add "$first"
    start_daemon
    start_box one
    start_box two
    hook --required < <(state_of web running "${box_pid[one]}")
    assert_equal "$status" 0 "the status for the first"
    hook --required < <(state_of web running "${box_pid[two]}")
    assert_equal "$status" 1 "the status for the second"
    hook < <(state_of web stopped 0)
    assert_equal "$(container_fact web pid)" "${box_pid[one]}" "who has the name"
    opens_in one "/dev/loop$first"

    # With devolved away each has a note of its own.
    ctl unregister web
    stop_daemon
    hook < <(state_of web running "${box_pid[one]}")
    hook < <(state_of web running "${box_pid[two]}")
    assert_equal "$(find "$runtime/waiting" -name 'oci:*' | wc -l)" 2 "notes"
    stop_box two
    hook < <(state_of web stopped 0)
    start_daemon
    wait_until 5 is "/dev/loop$first delivered" grants web
    assert_equal "$(container_fact web pid)" "${box_pid[one]}" "who has the name"
}

@test "what starts while devolved is stopping is picked up by the next one" {
    local courier pid
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"*\""
    loop_add "$first"
    start_daemon
    start_box one
    start_box two
    register one
    courier=$(pgrep --parent "$daemon_pid")
    kill -STOP "$courier" # so that the end takes its time
    loop_add "$((first + 1))"
    rule_file 20-more.rules <<<"KERNEL==\"loop$((first + 1))\", CONTAINER+=\"one\""
    kill -HUP "$daemon_pid"
    wait_until 5 grep -q '2 rules' "$work/devolved.log"
    pid=$daemon_pid
    kill -TERM "$pid"
    wait_until 5 hook_hears_of_the_end
    assert_equal "$status" 0 "the status"
    kill -CONT "$courier"
    wait_until 10 process_gone "$pid"
    daemon_pid=
    start_daemon
    wait_until 5 is "/dev/loop$first delivered" grants late
}

hook_hears_of_the_end() {
    hook < <(state_of late running "${box_pid[two]}")
    [[ $output == *"devolved is stopping"* ]]
}

@test "notes that are broken, old or a stranger's are passed over" {
    mkdir -m 700 "$runtime/waiting"
    loop_add "$first"
    start_first
    note=$(find "$runtime/waiting" -name 'oci:*')
    jq '.name = "again" | .start_time -= 1' "$note" >"$runtime/waiting/another-process"
    jq '.name = "again" | .boot_id = "7"' "$note" >"$runtime/waiting/another-boot"
    jq '.name = "a/b"' "$note" >"$runtime/waiting/no-name"
    head -c 200000 /dev/zero >"$runtime/waiting/large"
    echo '{"pid": 1}' >"$runtime/waiting/short"
    mkfifo "$runtime/waiting/pipe"
    ln -s /etc/passwd "$runtime/waiting/link"
    start_daemon
    wait_until 5 is "/dev/loop$first delivered" grants box
    assert_equal "$(container_count)" 1 "containers"
    assert_equal "$(find "$runtime/waiting" -mindepth 1 | wc -l)" 0 "notes that are left"
    assert_equal "$(grep -c 'is no note of a container' "$work/devolved.log")" 4 "complaints"
    grep -q 'no-name\|letters, digits' "$work/devolved.log"
}

@test "of two that claim a name while devolved is away the older one has it" {
    loop_add "$first"
    start_first
    oci_prepare a-later-one "/dev/loop$first" '.annotations["io.devolve.name"] = "box"'
    oci_start a-later-one || fail "the container does not start"
    start_daemon
    wait_until 5 is "/dev/loop$first delivered" grants box
    assert_equal "$(container_fact box pid)" "${first_pid[box]}" "who has the name"
    assert_equal "$(container_count)" 1 "containers"
    grep -q 'cannot be registered: container box is registered already' "$work/devolved.log"
}

@test "a directory for notes that others may write to is not used" {
    mkdir -m 777 "$runtime/waiting"
    chmod 777 "$runtime/waiting"
    prepare_first
    hook < <(state)
    assert_equal "$status" 0 "the status"
    assert_contains "$output" "must belong to us" "what it says"
    start_daemon
    grep -q 'must belong to us' "$work/devolved.log"
}

# hostile_image: says that its containers are called "box", in each way that an image has.
hostile_image() {
    podman_prepare box "/dev/loop$first"
    cat >"$work/Containerfile" <<'CONTAINERFILE'
FROM localhost/first
ENV io.devolve.name=box IO_DEVOLVE_NAME=box HOSTNAME=box container=box
LABEL io.devolve.name=box io.devolve.role=test name=box
CONTAINERFILE
    podman_here build --quiet --format oci --annotation io.devolve.name=box --annotation io.devolve.role=test \
        --annotation io.container.manager=none --tag localhost/hostile --file "$work/Containerfile" "$work/hooks.d" >/dev/null
    podman_here image inspect localhost/hostile | jq --exit-status '.[0].Annotations["io.devolve.name"] == "box"' >/dev/null
}

# hostile_start NAME [WORD...]: a container of that image; its first open is in $work/NAME.log.
hostile_start() {
    podman_words[$1]="localhost/hostile /entry wait /dev/loop$first"
    podman_run "$@"
}

@test "an image cannot claim another container's name or labels" {
    local role
    engine=podman
    rule_file 10-test.rules <<RULES
KERNEL=="loop$first", CONTAINER+="box"
KERNEL=="loop$first", CONTAINER+="label:role=test"
RULES
    start_daemon
    loop_add "$first"
    hostile_image
    hostile_start hostile
    wait_until 10 grep -q "^/dev/loop$first " "$work/hostile.log"
    assert_equal "$(grep ^/dev "$work/hostile.log")" "/dev/loop$first ENOENT" "the first open"
    assert_equal "$(call ListContainers | jq -r '.containers[] | "\(.pid) \(.name == .labels.id) \(.labels | length)"')" \
        "${first_pid[hostile]} true 1" "who is registered, by its id, with one label"
    assert_equal "$(call ListGrants | jq '.grants | length')" 0 "grants"

    # With devolved away no note says it either.
    stop_daemon
    hostile_start later
    start_daemon
    wait_until 5 is 2 container_count
    assert_equal "$(call ListContainers | jq -r '.containers[] | .name == .labels.id' | sort -u)" true "registered by its id"
    assert_equal "$(call ListGrants | jq '.grants | length')" 0 "grants"

    # Who starts it may say what the image does not: this is another key.
    hostile_start third --annotation io.devolve.tier=front
    role=$(call ListContainers | jq -r '.containers[].labels | select(.tier == "front") | .role')
    assert_equal "$role" null "the label that the image sets"
}
