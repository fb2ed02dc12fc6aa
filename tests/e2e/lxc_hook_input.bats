#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The hook of LXC with input that means it harm: it runs nothing that others planted, and ends in time with the result
# that it is told to.

load common
load fixture/planted
load fixture/lxc_hook

setup() {
    common_setup
    lifecycle_setup
}

# hook [VARIABLE=VALUE...] [-- OPTION...]: the hook by hand, as LXC calls it at start-host for the container `it`, whose
# process is ours; its result is in $status, what it says in $output. Its limit is 2 s: where it does not end at all,
# timeout(1) makes that status 124.
hook() {
    local variables=()
    while (($#)) && [[ $1 != -- ]]; do
        variables+=("$1")
        shift
    done
    run timeout 10 env LXC_NAME=it "LXC_PID=$$" LXC_HOOK_TYPE=start-host env "${variables[@]}" \
        "$build/devolve-lxc-hook" --runtime-dir "$runtime" "${@:2}"
}

# refuses TEXT VARIABLE...: the result is the configured one, and the text is in what is said, in one line.
refuses() {
    hook "${@:2}"
    assert_equal "$status" 0 "the status with ${*:2}"
    assert_equal "${#lines[@]}" 1 "lines with ${*:2}"
    assert_contains "$output" "$1" "what it says"
    hook "${@:2}" -- --required
    assert_equal "$status" 1 "the status with ${*:2}, where it is required"
    assert_contains "$output" "$1" "what it says"
}

@test "environment and working directory of others' making run nothing" {
    LXC_NAME=it LXC_PID=$$ LXC_HOOK_TYPE=start-host run_planted devolve-lxc-hook --runtime-dir "$runtime"
    not_run
    [[ -s $runtime/waiting/lxc:$$ ]]
}

@test "LD_PRELOAD and PATH in a container's configuration run nothing of it" {
    lxc_setup idmap "lxc.environment = LD_PRELOAD=/planted/planted.so" "lxc.environment = PATH=/planted:/usr/bin:/bin" \
        "lxc.environment = LXC_PID=1" "lxc.init.cwd = /planted"
    loop_add "$first"
    start_daemon
    lxc_make
    plant "$work/lxc/it/rootfs/planted"
    it_start "$node"
    it_has_opened_first
    assert_equal "$(container_fact it pid)" "$it_pid" "the process"
    it_stop
    not_run
}

@test "no devolved: the container starts unless it is required, and says so in one line" {
    refuses "devolved is not running"
    [[ -s $runtime/waiting/lxc:$$ ]]
}

@test "variables that are missing, odd or giant are refused by name" {
    local giant
    giant=$(head -c 120000 /dev/zero | tr '\0' x)
    start_daemon
    refuses "LXC_NAME is not set" LXC_NAME=
    refuses "cannot have the name 'a\\x0ab'" $'LXC_NAME=a\nb'
    refuses "has 120000 bytes" "LXC_NAME=$giant"
    refuses "does not begin with '-'" LXC_NAME=-it
    refuses "does not begin with '.'" LXC_NAME=../it
    refuses "letters, digits" LXC_NAME=it/../it
    refuses "LXC_PID is no process: ''" LXC_PID=
    refuses "LXC_PID is no process: '-1'" LXC_PID=-1
    refuses "LXC_PID is no process: '$$ 1'" "LXC_PID=$$ 1"
    refuses "LXC_PID is no process: 'xxx" "LXC_PID=$giant"
    refuses "LXC_PID is not set" --unset=LXC_PID
    refuses "neither by LXC_HOOK_TYPE" --unset=LXC_HOOK_TYPE
    refuses "lxc.hook.mount" LXC_HOOK_TYPE=mount
    refuses "lxc.hook.xxx" "LXC_HOOK_TYPE=$giant"
    assert_equal "$(container_names)" "" "containers"
}

@test "options that make no sense are wrong usage" {
    local option many
    for option in --label=x --label==x --label=lxc.pid=1 "--label=a=$(head -c 256 /dev/zero | tr '\0' x)" $'--label=a=\xff' \
        --runtime-dir=there --no-such-option; do
        hook -- "$option"
        assert_equal "$status" 2 "the status with $option"
        assert_contains "$output" "Usage: devolve-lxc-hook" "what it says"
    done
    many=()
    for option in {1..64}; do
        many+=("--label=l$option=x")
    done
    hook -- "${many[@]}"
    assert_equal "$status" 2 "the status with 64 labels"
    not test -e "$runtime/waiting"
}

@test "a process that has gone by then is nobody's fault" {
    local gone
    start_daemon
    sh -c 'exit 0' &
    gone=$!
    wait "$gone"
    hook "LXC_PID=$gone" -- --required
    assert_equal "$status" 0 "the status"
    assert_equal "$output" "" "what it says"
    assert_equal "$(container_names)" "" "containers"
}

@test "a stop for a process that lives is another's, and ends nothing" {
    start_daemon
    start_box it
    hook "LXC_PID=${box_pid[it]}"
    assert_equal "$(container_names)" it "containers"
    hook "LXC_PID=${box_pid[it]}" LXC_HOOK_TYPE=stop -- --required
    assert_equal "$status" 0 "the status"
    assert_equal "$(container_names)" it "containers"
}

@test "a stop takes the note back that nobody read" {
    start_box it
    hook "LXC_PID=${box_pid[it]}"
    [[ -s $runtime/waiting/lxc:${box_pid[it]} ]]
    stop_box it
    wait_until 5 not test -d "/proc/${box_pid[it]}"
    hook "LXC_PID=${box_pid[it]}" LXC_HOOK_TYPE=stop -- --required
    assert_equal "$status" 0 "the status"
    assert_equal "$output" "" "what it says"
    not test -e "$runtime/waiting/lxc:${box_pid[it]}"
}

@test "a devolved that hangs is left alone in time, and finds the container afterwards" {
    lxc_setup idmap
    loop_add "$first"
    start_daemon
    kill -STOP "$daemon_pid"
    it_start "$node" || { kill -CONT "$daemon_pid"; false; }
    kill -CONT "$daemon_pid"
    wait_until 10 grep -qx 'first open: failed' "$it_log"
    wait_until 5 is "$node delivered" grants it
    it_opens "$node"
}

@test "standard streams that are closed, and signals that are blocked, harm nobody" {
    start_daemon
    start_box it
    LXC_NAME=it LXC_PID=${box_pid[it]} LXC_HOOK_TYPE=start-host timeout 10 env --block-signal=ALRM \
        "$build/devolve-lxc-hook" --runtime-dir "$runtime" --required <&- >&- 2>&-
    assert_equal "$(container_names)" it "containers"
}
