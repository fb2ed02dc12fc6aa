#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers that hinder us: nobody else waits for them, and nothing of the host's is touched.

load common

plugs=${DEVOLVE_HOSTILE_PLUGS:-20}       # 200 in scripts/soak
exchanges=${DEVOLVE_HOSTILE_GRANTS:-100} # 10000 there

setup() {
    common_setup
    first=$(loop_first)
}

# hang_dev NAME: from now on the container's /dev does not answer. $background is who hangs it.
hang_dev() {
    [[ -e /dev/fuse ]] || skip "this kernel has no FUSE"
    in_background "$helpers/hang" "${box_pid[$1]}" /dev >"$work/hang.log" 2>&1
    wait_until 5 grep -q '^mounted' "$work/hang.log"
}

# Plugs and unplugs one device again and again; the median of the milliseconds until `good` heard of it is in $median.
plug_times() {
    local round began path times=$work/times
    path=$(loop_path "$first")
    : >"$times"
    note loop "$first"
    for ((round = 0; round < plugs; round++)); do
        began=${EPOCHREALTIME/./}
        loop_control add "$first"
        next_event good add "$path"
        echo $(((${EPOCHREALTIME/./} - began) / 1000)) >>"$times"
        assert_equal "$(field open "$event")" 0 "the open at the event" || return
        wait_until 5 loop_control remove "$first"
        next_event good remove "$path"
    done
    median=$(sort -n "$times" | sed -n "$((plugs / 2 + 1))p")
}

stuck_couriers() {
    ps --ppid "$daemon_pid" --format stat,comm --no-headers | awk '$1 ~ "^D" && $2 ~ "^devolve-courie" { n++ } END { print n + 0 }'
}

@test "a container whose /dev never answers is reported, and keeps nobody else waiting" {
    local without
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"good|bad\""
    start_daemon
    start_box good
    start_box bad
    register good
    register bad
    follow good
    plug_times
    without=$median
    hang_dev bad
    hanger=$background
    plug_times
    echo "# median of $plugs plugs, ms: $without without, $median with a container that hangs beside" >&3
    wait_until 5 is stalled container_fact bad state
    assert_contains "$(ctl status bad)" "its file system hangs" "status"
    (($(stuck_couriers) <= 1)) || fail "more than one courier hangs"
    # and when it answers again it is served
    end_process "$hanger" KILL
    in_pid "${box_pid[bad]}" umount --lazy /dev || true
    loop_add "$first"
    wait_until 40 is "/dev/loop$first delivered" grants bad
    opens_in bad "/dev/loop$first"
}

@test "the daemon stops while a container hangs, and the next one goes on" {

    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"good|bad\""
    start_daemon
    start_box good
    start_box bad
    register good
    register bad
    hang_dev bad
    loop_add "$first"
    hears good add "$(loop_path "$first")"
    stop_daemon # within 10 s; it waits 4 for the one that hangs
    opens_in good "/dev/loop$first"
    start_daemon
    assert_equal "$(grants good)" "/dev/loop$first delivered" "grants"
    opens_in good "/dev/loop$first"
    loop_remove "$first"
    hears good remove "$(loop_path "$first")"
}


@test "a container that exchanges directories with links to the host's changes nothing there" {
    local round before
    mkdir -m 777 "$work/sentinel" "$work/sentinel/below"
    echo untouched >"$work/sentinel/file"
    chmod 666 "$work/sentinel/file"
    rule_file 10-test.rules <<RULES
KERNEL=="loop$first", CONTAINER+="box", NODE="sub/below/node", SYMLINK+="sub/below/link", SYMLINK+="sub/file"
RULES
    start_daemon
    start_box box
    in_box box mkdir /dev/sub
    in_box box ln -s "$work/sentinel" /dev/way
    register box
    before=$(find "$work/sentinel" -printf '%P %y %m %U %s\n' | sort)
    in_background in_box box perl -e 'for (;;) { syscall 316, -100, "/dev/sub", -100, "/dev/way", 2; }'
    note loop "$first"
    for ((round = 0; round < exchanges; round++)); do
        loop_control add "$first"
        wait_until 5 loop_control remove "$first"
        ((round % 50)) || wait_until 10 is "" grants box
    done
    wait_until 20 is "" grants box
    assert_equal "$(find "$work/sentinel" -printf '%P %y %m %U %s\n' | sort)" "$before" "the host's directory"
    assert_equal "$(<"$work/sentinel/file")" untouched "the file in it"
    assert_equal "$(find "$runtime/nodes" -type b | wc -l)" 0 "nodes in the store"
    echo "# $(metric given) of $exchanges plugs were given in time, the others were refused" >&3
}
