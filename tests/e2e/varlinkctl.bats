#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The control socket, by a client that is not ours: systemd's varlinkctl.

load common

setup() {
    common_setup
    "$images/varlinkctl" --fetch >"$work/varlinkctl.log" 2>&1 || skip "no varlinkctl: the mirror does not answer"
    start_daemon
}

theirs() {
    "$images/varlinkctl" "$1" "$runtime/io.devolve" "${@:2}"
}

their_call() {
    "$images/varlinkctl" --json=short call "$runtime/io.devolve" "$@"
}

@test "varlinkctl info names the interface" {
    run theirs info
    assert_equal "$status" 0 "exit status"
    assert_contains "$output" io.devolve "interfaces"
    assert_contains "$output" org.varlink.service "interfaces"
}

@test "varlinkctl introspect accepts the description, which is the one in the source" {
    run theirs introspect io.devolve
    assert_equal "$status" 0 "exit status"
    assert_contains "$output" "method Register" "the description"
    assert_contains "$output" "error InvalidRules" "the description"
    theirs introspect org.varlink.service >"$work/service.log"
}

@test "varlinkctl call gets replies and errors" {
    local first
    first=$(loop_first)
    loop_add "$first"
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\""
    ctl reload
    start_box box
    their_call io.devolve.Register "{\"name\":\"box\",\"pid\":${box_pid[box]}}"
    assert_equal "$(their_call io.devolve.ListGrants '{}' | jq -r '.grants[].node')" "/dev/loop$first" "grants"
    run their_call io.devolve.Unregister '{"name":"nobody"}'
    ((status != 0))
    assert_contains "$output" ContainerNotFound "the error"
}

@test "varlinkctl --more reads Monitor as it happens" {
    local first
    first=$(loop_first)
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\""
    ctl reload
    start_box box
    register box
    in_background "$images/varlinkctl" --more --json=short call "$runtime/io.devolve" io.devolve.Monitor '{}' \
        >"$work/monitor.log" 2>&1
    wait_until 10 grep -q '"ready"' "$work/monitor.log"
    loop_add "$first"
    wait_until 10 grep -q '"outcome"' "$work/monitor.log"
    grep -q '"event"' "$work/monitor.log"
    grep -q '"step"' "$work/monitor.log"
}
