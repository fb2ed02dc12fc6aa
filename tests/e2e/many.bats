#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Many containers on one host, which all want the same devices.

load common

many=${DEVOLVE_MANY:-40} # 300 in scripts/soak

setup() {
    common_setup
    first=$(loop_first)
}

# As many small containers; their init is ${box_pid[cN]}.
start_many() {
    local i
    for ((i = 0; i < many; i++)); do
        hold_open "c$i"
        "$helpers/box" "${box_map[@]}" --pid-file "$work/c$i.pid" -- "$helpers/entry" wait \
            <"$work/c$i.stdin" >"$work/c$i.log" 2>&1 3>&- 4>&- &
        note_process box "$!"
        box_keeper[c$i]=$!
    done
    for ((i = 0; i < many; i++)); do
        wait_until 20 grep -q '^waiting' "$work/c$i.log"
        box_pid[c$i]=$(<"$work/c$i.pid")
    done
}

delivered_count() {
    call ListGrants | jq '[.grants[] | select(.state == "delivered")] | length'
}

resident() {
    awk '/^VmRSS:/ { print $2 }' "/proc/$daemon_pid/status"
}

descriptors() {
    find "/proc/$daemon_pid/fd" -mindepth 1 | wc -l
}

@test "many containers with 4 devices each get one more, and leave nothing" {
    local i rss fds began
    for ((i = 0; i < 5; i++)); do
        echo "KERNEL==\"loop$((first + i))\", CONTAINER+=\"c*\""
    done | rule_file 10-test.rules
    start_daemon
    rss=$(resident) fds=$(descriptors)
    start_many
    for ((i = 0; i < 4; i++)); do
        loop_add $((first + i))
    done
    for ((i = 0; i < many; i++)); do
        ctl register "c$i" --pid "${box_pid[c$i]}" >/dev/null
    done
    wait_until 60 is $((4 * many)) delivered_count
    began=${EPOCHREALTIME/./}
    loop_add $((first + 4))
    wait_until 60 is $((5 * many)) delivered_count
    echo "# $many containers, 5 devices each: one more was everywhere after $(((${EPOCHREALTIME/./} - began) / 1000)) ms;" \
        "$(((100 * ($(descriptors) - fds)) / many)) descriptors and $(((100 * ($(resident) - rss)) / many)) KiB a hundred containers" >&3
    for i in 0 $((many / 2)) $((many - 1)); do
        opens_in "c$i" "/dev/loop$((first + 4))"
    done
    kill_daemon
    start_daemon
    assert_equal "$(delivered_count)" $((5 * many)) "delivered after a restart"
    assert_equal "$(metric given)" 0 "what was given anew"
    for ((i = 0; i < many; i++)); do
        kill -TERM "${box_keeper[c$i]}"
    done
    wait_until 30 is 0 container_number
    assert_equal "$(find "$runtime/nodes" "$runtime/containers" -mindepth 1 | wc -l)" 0 "nodes and notes that are left"
    stop_daemon
    assert_equal "$(mounts_below "$runtime")" "" "mounts that are left"
}

container_number() {
    call ListContainers | jq '.containers | length'
}
