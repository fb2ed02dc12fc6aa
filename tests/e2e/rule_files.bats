#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Who can write a rule can give devices away. A rule file that others than root could have made is refused by name,
# and the rules that were in force stay in force.

load common

setup() {
    common_setup
    first=$(loop_first)
    bad=$rules/20-bad.rules
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\""
    loop_add "$first"
    loop_add $((first + 1))
    start_daemon
    start_box box
    register box
}

good_rule() {
    echo "KERNEL==\"loop$((first + 1))\", CONTAINER+=\"box\""
}

# refused NAME WORDS: a reload complains of it with these words, and nothing else is different.
refused() {
    run ctl reload
    assert_equal "$status" 1 "exit status"
    assert_contains "$output" "$1" "the complaint"
    assert_contains "$output" "$2" "the complaint"
    assert_equal "$(grants box)" "/dev/loop$first delivered" "grants"
    opens_in box "/dev/loop$first"
    assert_equal "$(call GetMetrics | jq .metrics.taken)" 0 "what was taken"
}

@test "a file that belongs to somebody else is refused by name" {
    good_rule >"$bad"
    chown 12345 "$bad"
    refused 20-bad.rules "belongs to uid 12345"
}

@test "a file that others can write is refused by name" {
    good_rule >"$bad"
    chmod 646 "$bad"
    refused 20-bad.rules "written by others (mode 0646)"
    chmod 664 "$bad"
    refused 20-bad.rules "written by others (mode 0664)"
}

@test "what is no regular file is refused by name, and nobody waits for it" {
    mkfifo -m 600 "$bad"
    refused 20-bad.rules "not a regular file"
    rm "$bad"
    mkdir "$bad"
    refused 20-bad.rules "not a regular file"
    rmdir "$bad"
    ln -s /dev/zero "$bad"
    refused 20-bad.rules "not a regular file"
    ln -sfn 20-bad.rules "$bad"
    refused 20-bad.rules "Too many levels of symbolic links"
}

@test "a link to a file of somebody else is refused by name" {
    good_rule >"$work/theirs"
    chown 12345 "$work/theirs"
    ln -s "$work/theirs" "$bad"
    refused 20-bad.rules "belongs to uid 12345"
}

@test "a directory that others can write is refused by name" {
    chmod 1777 "$rules"
    refused "$rules" "written by others (mode 1777)"
}

@test "the other files are in force as soon as the bad one is gone" {
    good_rule >"$bad"
    chmod 666 "$bad"
    refused 20-bad.rules "written by others"
    good_rule >"$rules/30-good.rules"
    refused 20-bad.rules "written by others"
    rm "$bad"
    ctl reload
    wait_until 5 is "$(printf '/dev/loop%s delivered\n' "$first" $((first + 1)))" grants box
}
