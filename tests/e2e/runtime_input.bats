#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# devolve-runtime with bundles and calls that mean it harm: whatever is wrong, the runtime is run with what it was
# to be called with, unless --devolve-required; then it is not, and its log says why.

load common
load fixture/planted

setup() {
    common_setup
    bundle=$work/bundle below=$work/below
    mkdir "$bundle"
    echo '{"ociVersion": "1.0.2", "limit": 18446744073709551615, "root": {"path": "rootfs"}}' >"$bundle/config.json"
    # The runtime below: it tells what it was called with.
    cat >"$below" <<BELOW
#!/bin/sh
printf '%s\n' "\$#" "\$@" >$work/seen
grep SigIgn /proc/self/status >$work/signals
ls /proc/self/fd >$work/descriptors
exit 7
BELOW
    chmod 755 "$below"
    # By the build directory, as it need not be installed.
    ours=("--devolve-runtime=$below" "--devolve-hook=$build/devolve-oci-hook")
}

# shim WORD...: the program; its result is in $status, what it says in $output. The limit is there for one that hangs:
# timeout(1) would make the status 124.
shim() {
    rm -f "$work/seen"
    run timeout 20 "$build/devolve-runtime" "$@"
}

create() {
    shim "${ours[@]}" "$@" --log "$work/log.json" --log-format json create --bundle "$bundle" box
}

was_run() {
    assert_equal "$status" 7 "the status, which is the runtime's" || return
    assert_equal "$(cat "$work/seen")" "$(printf '%s\n' 8 --log "$work/log.json" --log-format json create --bundle "$bundle" box)" \
        "what the runtime was called with"
}

hook_count() {
    jq '[.hooks // {} | .[] | .[]] | length' "$bundle/config.json"
}

# goes_without TEXT: the container is made without our hook, one line says why; where it is required it is not made.
goes_without() {
    create
    assert_equal "${#lines[@]}" 1 "lines" || return
    assert_contains "$output" "$1" "what it says" || return
    assert_contains "$output" "container box" "what it says" || return
    [[ ! -e $work/log.json ]] || fail "the runtime's log has an error of ours: $(<"$work/log.json")" || return
    was_run || return
    create --devolve-required
    [[ ! -e $work/seen ]] || fail "the runtime was run" || return
    assert_equal "$status" 1 "the status with --devolve-required" || return
    assert_contains "$(jq -r 'select(.level == "error").msg' "$work/log.json")" "$1" "the runtime's log" || return
    rm "$work/log.json"
}

@test "a bundle gets our hook, the runtime its own arguments, and the caller its status" {
    create
    was_run
    assert_equal "$output" "" "what it says"
    assert_equal "$(hook_count)" 3 "hooks"
    grep -q '"limit": 18446744073709551615' "$bundle/config.json"
    cp "$bundle/config.json" "$work/once"
    create
    cmp "$work/once" "$bundle/config.json"
    assert_equal "$(ls -A "$bundle")" config.json "files in the bundle"
}

@test "arguments that are odd arrive as they are" {
    shim "${ours[@]}" --root "" $'a\nb' -- --devolve-required ""
    assert_equal "$(<"$work/seen")" "$(printf '%s\n' 6 --root "" $'a\nb' -- --devolve-required "")" "what arrives"
}

@test "a configuration that is a pipe, a directory, a loop of links or missing" {
    rm "$bundle/config.json"
    goes_without "No such file"
    mkfifo "$bundle/config.json"
    goes_without "no file"
    rm "$bundle/config.json"
    mkdir "$bundle/config.json"
    goes_without "no file"
    rmdir "$bundle/config.json"
    ln -s config.json "$bundle/config.json"
    goes_without "symbolic links"
}

@test "a configuration that is large, cut, or none" {
    truncate -s 100M "$bundle/config.json"
    goes_without "too large"
    head -c 100000 /dev/zero | tr '\0' '[' >"$bundle/config.json"
    goes_without "no JSON object"
    echo '{"hooks": {' >"$bundle/config.json"
    goes_without "no JSON object"
    printf '{"hooks":{}}\0' >"$bundle/config.json"
    goes_without "zero"
    echo '{"hooks": {"poststop": 7}}' >"$bundle/config.json"
    goes_without "no list"
    (head -c 100000 /dev/zero | tr '\0' '['; head -c 100000 /dev/zero | tr '\0' ']') |
        sed 's/.*/{"hooks": &}/' >"$bundle/config.json"
    goes_without "parsing depth"
    assert_equal "$(ls -A "$bundle")" config.json "files in the bundle"
}

@test "a bundle that cannot be written to, or has something in our file's place" {
    mkdir "$bundle/.config.json.devolve"
    goes_without "cannot write"
    rmdir "$bundle/.config.json.devolve"
    ln -s "$work/elsewhere" "$bundle/.config.json.devolve"
    create
    was_run
    assert_equal "$(hook_count)" 3 "hooks"
    not test -e "$work/elsewhere"
    echo '{}' >"$bundle/config.json"
    mount --bind "$bundle" "$bundle"
    mount -o remount,bind,ro "$bundle"
    goes_without "Read-only"
    umount "$bundle"
    assert_equal "$(<"$bundle/config.json")" "{}" "the configuration"
}

@test "a bundle or a hook that is not there" {
    ours=("--devolve-runtime=$below" "--devolve-hook=$work/no-hook")
    goes_without "no-hook"
    ours=("--devolve-runtime=$below" "--devolve-hook=$build/devolve-oci-hook")
    bundle=$work/no-bundle
    goes_without "no-bundle"
}

@test "nobody reads what it says: the runtime is run, with signals and descriptors as they were" {
    local how
    rm "$bundle/config.json"
    for how in direct through; do
        local words=("$below")
        [[ $how == direct ]] || words=("$build/devolve-runtime" "${ours[@]}")
        # The reader of standard error has gone before anything is written to it.
        mkfifo "$work/pipe"
        exec {reader}<>"$work/pipe"
        exec {writer}>"$work/pipe"
        exec {reader}>&-
        "${words[@]}" create --bundle "$bundle" box 2>&"$writer" {writer}>&- || true
        exec {writer}>&-
        rm "$work/pipe"
        mv "$work/signals" "$work/signals.$how"
        mv "$work/descriptors" "$work/descriptors.$how"
    done
    cmp "$work/signals.direct" "$work/signals.through"
    cmp "$work/descriptors.direct" "$work/descriptors.through"
}

@test "environment and working directory choose no program" {
    rm "$bundle/config.json"
    # Where the runtime is not run, for which the environment is meant.
    run run_planted devolve-runtime "${ours[@]}" --devolve-required create --bundle "$bundle" box
    assert_equal "$status" 1 "the status"
    assert_contains "$output" "No such file" "what it says"
    # The runtime that is found is the system's.
    command -v runc >/dev/null || skip "runc is not installed"
    run env -C "$work/planted" PATH="$work/planted" "$build/devolve-runtime" --version
    assert_equal "$output" "$(runc --version)" "whose version it is"
    marker=$work/marker not_run
}

@test "by the name of the runtime that it is to become it does not run itself for ever" {
    cp "$build/devolve-runtime" "$work/runc"
    run timeout 20 "$work/runc" "--devolve-runtime=$work/runc" --log "$work/log.json" --log-format json list
    assert_equal "$status" 1 "the status"
    assert_contains "$output" "itself" "what it says"
    assert_contains "$(jq -r .msg "$work/log.json")" "itself" "the runtime's log"
}

@test "a runtime that cannot be run is told by name" {
    ours=("--devolve-runtime=$work/no-runtime" "--devolve-hook=$build/devolve-oci-hook")
    create
    assert_equal "$status" 1 "the status"
    assert_contains "$(jq -r .msg "$work/log.json")" "$work/no-runtime" "the runtime's log"
}

@test "an option of ours that there is not keeps a container from being made, and no other from being ended" {
    create --devolve-requird
    assert_equal "$status" 1 "the status"
    assert_contains "$(jq -r .msg "$work/log.json")" "--devolve-requird" "the runtime's log"
    not test -e "$work/seen"
    shim "${ours[@]}" --devolve-requird delete --force box
    assert_equal "$status" 7 "the status of delete"
    assert_equal "$(tr '\n' ' ' <"$work/seen")" "3 delete --force box " "what the runtime was called with"
    shim "${ours[@]}" --devolve-requird
    assert_equal "$status" 1 "the status without a command"
}
