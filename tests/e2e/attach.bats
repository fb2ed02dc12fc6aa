#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Devices that are given by hand: with all below them, and for longer than they are plugged in.

load common

setup() {
    common_setup
    first=$(loop_first)
}

one_container() {
    [[ -e /sys$(loop_path "$first") ]] || loop_add "$first"
    start_daemon
    start_box box
    register box
}

# A disk that can have partitions.
one_disk() {
    loop_add "$first"
    loop_fill "$first"
}

# The files that keep attachments, of both directories.
kept() {
    find "$rules" "$runtime/rules.d" -name '*attached*' -printf '%f\n' 2>/dev/null || true
}

# Whatever could be left of an attachment that was refused: a file (a temporary one too), a rule in force, a node.
assert_nothing_kept() {
    assert_equal "$(find "$rules" "$runtime/rules.d" -name '*attached*' -type f 2>/dev/null)" "" "files left"
    wait_until 5 is "" grants box
    not in_box box test -e /dev/given
    assert_equal "$(call Explain "{\"device\":\"/dev/loop$first\",\"container\":\"box\"}" | jq '.explanations[0].given')" \
        false "whether a rule gives it"
}

# refused WORDS OPTION...: attaching fails with these words, and leaves nothing.
refused() {
    local words=$1 output
    shift
    if output=$(ctl attach box "block:loop$first" --node /dev/given "$@" 2>&1); then
        fail "was attached: $output"
        return
    fi
    assert_contains "$output" "$words" "the reason"
    assert_nothing_kept
}

# The name of the file that an attachment of the first device would have.
drop_in_name() {
    ctl attach box "block:loop$first" --persist >/dev/null
    kept
    ctl detach box "block:loop$first" >/dev/null
}

@test "an attachment that persists survives a plug, and ends with detach" {
    local name
    one_container
    assert_contains "$(ctl attach box "block:loop$first" --persist --node /dev/given --mode 0640 --group 20)" \
        "kept in $rules/80-attached-box-" "what attach says"
    name=$(kept)
    assert_equal "$(stat --format '%a %u:%g' "$rules/$name")" "644 0:0" "mode and owner of the file"
    assert_contains "$(cat "$rules/$name")" "devolvectl detach box" "the file"
    assert_contains "$(ctl list)" "attached, persistent ($name)" list
    assert_equal "$(stat_in box /dev/given)" "block special file 0 20 640" "the node"

    loop_remove "$first"
    hears box remove "$(loop_path "$first")"
    loop_add "$first"
    wait_until 5 opens_in box /dev/given
    assert_equal "$(stat_in box /dev/given)" "block special file 0 20 640" "the node after a plug"

    ctl detach box "/dev/loop$first"
    assert_nothing_kept
}

@test "an attachment that persists survives the daemon and the container" {
    one_container
    ctl attach box "block:loop$first" --persist --node /dev/given
    stop_daemon
    stop_box box
    start_daemon
    start_box box
    register box
    opens_in box /dev/given
    ctl detach box "block:loop$first"
    assert_nothing_kept
}

@test "one for this boot lies below the runtime directory, and survives the daemon too" {
    one_container
    ctl attach box "block:loop$first" --persist=runtime --node /dev/given
    assert_equal "$(ls -A "$rules")" "" "the rule directory"
    assert_equal "$(ls -A "$runtime/rules.d")" "$(kept)" "the runtime directory"
    kill_daemon
    start_daemon
    register box
    opens_in box /dev/given
    ctl detach box "block:loop$first"
    assert_nothing_kept
}

@test "what is unplugged is detached by the file's name" {
    local name
    one_container
    ctl attach box "block:loop$first" --persist --node /dev/given
    name=$(kept)
    loop_remove "$first"
    hears box remove "$(loop_path "$first")"
    run -1 ctl detach box "/dev/loop$first"
    ctl detach box "$name"
    assert_equal "$(kept)" "" "files left"
    loop_add "$first"
    assert_nothing_kept
    run -1 ctl detach box "$name"
    assert_contains "$output" "no rule directory has $name" "the reason"
}

@test "what was attached for now becomes what persists, without a break" {
    one_container
    ctl attach box "block:loop$first" --node /dev/given
    ctl attach box "block:loop$first" --node /dev/given --persist
    assert_contains "$(ctl list)" "attached, persistent" list
    assert_equal "$(event_count box add "$(loop_path "$first")")" 1 "adds"
    assert_equal "$(event_count box remove "$(loop_path "$first")")" 0 "removes"
    run -1 ctl attach box "block:loop$first" --persist
    assert_contains "$output" "detach it first" "the reason"
    opens_in box /dev/given
    ctl detach box "block:loop$first"
    assert_nothing_kept
}

@test "a rule that would not give the device is refused, and nothing is left" {
    local name
    one_container
    name=$(drop_in_name)

    rule_file 10-broken.rules <<<'KERNEL=="x", NONSENSE="1"'
    refused "10-broken.rules:1:14" --persist
    rm "$rules/10-broken.rules"

    ln -s /dev/null "$rules/$name"
    refused "masks it" --persist=runtime
    rm "$rules/$name"

    rule_file 90-never.rules <<<"KERNEL==\"loop$first\", CONTAINER-=\"box\""
    refused "takes" --persist
    rm "$rules/90-never.rules"

    rule_file 70-past.rules <<<"KERNEL==\"loop$first\", OPTIONS+=\"last_rule\""
    refused "leads past it" --persist
    rm "$rules/70-past.rules"

    refused "not below /dev" --persist --symlink /etc/passwd
    refused "cannot be written in a rule" --persist --symlink '/dev/a", CONTAINER+="b'
    refused "as it was asked for" --persist --symlink "/dev/a b"
    refused "uid 99999 is not in the container's uid_map" --persist --owner 99999
    assert_equal "$(metric reload_failures)" 0 "failed reloads"
}

@test "a rule that cannot be written is refused" {
    one_container
    mkdir "$runtime/rules.d"
    mount -t tmpfs -o ro,mode=755 devolve-test "$runtime/rules.d"
    refused "Read-only file system" --persist=runtime
    umount "$runtime/rules.d"
}

@test "what the container refuses after all is not kept" {
    one_container
    in_box box touch /dev/taken
    run -1 ctl attach box "block:loop$first" --persist --node /dev/taken
    assert_contains "$output" /dev/taken "the reason"
    assert_nothing_kept
    in_box box test -f /dev/taken
}

@test "an error in another file is no way to lose an attachment" {
    one_container
    ctl attach box "block:loop$first" --persist --node /dev/given
    rule_file 10-broken.rules <<<'NONSENSE="1"'
    run -1 ctl detach box "block:loop$first"
    assert_contains "$output" "10-broken.rules:1:1" "the reason"
    opens_in box /dev/given
    assert_contains "$(kept)" 80-attached-box- "the file"
    rm "$rules/10-broken.rules"
    ctl detach box "block:loop$first"
    assert_nothing_kept
}

@test "a subtree is given with what hangs below, now and later, and taken as a whole" {
    one_disk
    partition_add "$first" 1
    one_container
    ctl attach box "/dev/loop$first" --subtree --group 20
    opens_in box "/dev/loop$first"
    opens_in box "/dev/loop${first}p1"
    assert_equal "$(event_count box add "$(loop_path "$first")/loop${first}p1")" 1 "adds of the partition"

    partition_add "$first" 2
    hears box add "$(loop_path "$first")/loop${first}p2"
    assert_equal "$(stat_in box "/dev/loop${first}p2")" "block special file 0 20 660" "the later partition"
    partition_remove "$first" 1
    hears box remove "$(loop_path "$first")/loop${first}p1"
    not in_box box test -e "/dev/loop${first}p1"

    run -1 ctl detach box "/dev/loop${first}p2"
    assert_contains "$output" "it comes with $(loop_path "$first")" "the reason"
    ctl detach box "/dev/loop$first"
    hears box remove "$(loop_path "$first")/loop${first}p2"
    hears box remove "$(loop_path "$first")"
    assert_equal "$(grants box)" "" grants
    assert_equal "$(metric nodes)" 0 "nodes in the store"
}

@test "a subtree persists as a whole" {
    local name
    one_disk
    one_container
    ctl attach box "/dev/loop$first" --subtree --persist
    name=$(kept)
    partition_add "$first" 1
    hears box add "$(loop_path "$first")/loop${first}p1"
    opens_in box "/dev/loop${first}p1"
    run -1 ctl detach box "/dev/loop${first}p1"
    assert_contains "$output" "detach $name" "the reason"
    ctl detach box "/dev/loop$first"
    hears box remove "$(loop_path "$first")/loop${first}p1"
    assert_nothing_kept
}

@test "list --devices draws what hangs below what, and who has it" {
    one_disk
    partition_add "$first" 1
    one_container
    ctl attach box "/dev/loop$first" --node /dev/given
    output=$(LC_ALL=C ctl list --devices | grep -A1 "^block:loop$first ")
    assert_contains "$output" "block:loop$first" "the device"
    assert_contains "$output" "box as /dev/given, delivered" "who has it"
    assert_contains "$output" "\`- block:loop${first}p1" "the partition below it"
    assert_equal "$(ctl list --devices --json | jq -r '.grants[] | "\(.container) \(.node) \(.persistent)"')" \
        "box /dev/given false" "who has it, as JSON"
    assert_equal "$(call ListDevices '{"all":true}' | jq '.devices | length')" \
        "$(ctl list --devices --all --json | jq '.devices | length')" "all devices"
}
