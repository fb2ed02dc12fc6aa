#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# devolve works inside of containers, and no program there gets to see it at that.

load common

seconds=${DEVOLVE_SCAN_SECONDS:-5} # 60 in scripts/soak

# scanned [OPTION...]: a box that looks at all it can see, while a device comes and goes in it.
scanned() {
    local first path round scanner
    first=$(loop_first)
    path=$(loop_path "$first")
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", SYMLINK+=\"a/%k\", GROUP=\"tty\""
    start_daemon
    # It opens no node: where the kernel itself tells of a `remove`, that may be before we cut it.
    start_box box "$@" -- "$helpers/listen" -p -n /dev/null
    wait_until 5 grep -q '^ready' "${box_log[box]}"
    register box
    follow box
    in_background in_box box /usr/bin/python3 -I -S - "$seconds" "/dev/loop$first" <"$here/helpers/scan.py" >"$work/scan.log"
    scanner=$background
    wait_until 10 grep -q '^scanning' "$work/scan.log"
    note loop "$first"
    for ((round = 0; ; round++)); do
        loop_control add "$first"
        next_event box add "$path"
        wait_until 5 is "/dev/loop$first delivered" grants box
        wait_until 5 loop_control remove "$first"
        next_event box remove "$path"
        wait_until 5 is "" grants box
        ! grep -q '^scans' "$work/scan.log" || break
        not process_gone "$scanner"
    done
    echo "# $round plugs during $(grep '^scans' "$work/scan.log") in $seconds s" >&3
    ((round > 1)) || fail "nothing went on meanwhile"
    assert_equal "$(grep -v '^scan' "$work/scan.log")" "" "what was seen"
}

@test "in a container with a user namespace nothing of devolve's is seen" {
    scanned
}

@test "in a container of the host's root nothing of devolve's is seen" {
    scanned --no-userns
}
