#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Rule files as people know them: those that Debian ships for udev. Every line is taken, or refused for a key
# that is named where it stands.

load common

setup() {
    common_setup
    files=$("$images/debian-rules" 2>"$work/debian-rules.log") || skip "no packages: the mirror does not answer"
}

@test "every problem of Debian's rule files stands where its key is" {
    run "$here/helpers/debian_rules.py" files "$build/devolvectl" "$files"/*.rules
    echo "$output"
    assert_equal "$status" 0 "exit status"
}

@test "every line of Debian's rule files is taken, or refused for a key that is named" {
    mkdir "$work/lines"
    run "$here/helpers/debian_rules.py" lines "$build/devolvectl" "$work/lines" "$files"/*.rules
    echo "$output"
    assert_equal "$status" 0 "exit status"
}

@test "what is read of Debian's rule files is printed, and what is printed is read as the same" {
    mkdir "$work/printed"
    run "$here/helpers/debian_rules.py" print "$build/devolvectl" "$work/printed" "$files"/*.rules
    echo "$output"
    assert_equal "$status" 0 "exit status"
}
