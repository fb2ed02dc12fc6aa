#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers that hinder us: nobody else waits for them, and nothing of the host's is touched.

load common

plugs=${DEVOLVE_HOSTILE_PLUGS:-20}       # 1000 in scripts/soak
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

now_us() {
    echo "${EPOCHREALTIME/./}"
}

# Plugs and unplugs one device again and again; `good` hears of each plug within a second (within_time). How long it took is in
# $times: "median 8, 99 of 100 within 11, longest 12 ms".
plug_times() {
    local round began took path samples=$work/samples
    path=$(loop_path "$first")
    : >"$samples"
    note loop "$first"
    for ((round = 0; round < plugs; round++)); do
        began=$(now_us)
        loop_control add "$first"
        next_event good add "$path"
        took=$((($(now_us) - began) / 1000))
        echo "$took" >>"$samples"
        within_time "$took" 1000 || fail "a plug took $took ms" || return
        assert_equal "$(field open "$event")" 0 "the open at the event" || return
        wait_until 5 loop_control remove "$first"
        next_event good remove "$path"
    done
    times=$(sort -n "$samples" | awk '
        { took[NR] = $1 }
        END { printf "median %d, 99 of 100 within %d, longest %d ms", took[int(NR / 2) + 1], took[int((99 * NR + 99) / 100)], took[NR] }')
}

# Couriers that wait for the file system of the container `bad`, whoever sent them.
stuck_couriers() {
    local pid count=0
    for pid in $(ps -e --format pid,wchan:32,comm --no-headers | awk '$2 ~ /fuse|request_wait/ && $3 ~ /^devolve-courie/ { print $1 }'); do
        [[ $(readlink "/proc/$pid/ns/mnt") != "$(readlink "/proc/${box_pid[bad]}/ns/mnt")" ]] || count=$((count + 1))
    done
    echo "$count"
}

assert_one_is_stuck() {
    (($(stuck_couriers) <= 1)) || fail "more than one courier hangs: $1"
}

# The milliseconds from a plug until the daemon says that the container `bad` is stalled, in $took.
time_of_report() {
    local began monitor path
    path=$(loop_path "$first")
    exec {monitor}< <(exec "$build/devolvectl" monitor --json 3>&- 4>&-)
    note_process process "$!"
    IFS= read -r -t 10 -u "$monitor" _ # it says that it listens
    began=$(now_us)
    loop_control add "$first"
    timeout 10 grep -q -m 1 '"container": *"bad".*"text": *"stalled"' <&"$monitor" || fail "it was not reported"
    took=$((($(now_us) - began) / 1000))
    exec {monitor}<&-
    loop_remove "$first"
    next_event good add "$path"
    next_event good remove "$path"
}

@test "a container whose /dev never answers is reported, and keeps nobody else waiting" {
    local without took
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"good|bad\""
    start_daemon
    start_box good
    start_box bad
    register good
    register bad
    follow good
    plug_times
    without=$times
    hang_dev bad
    hanger=$background
    time_of_report
    within_time "$took" 2500 || fail "it was reported after $took ms"
    plug_times
    echo "# $plugs plugs: $without without; $times with a container that hangs beside, which was reported after $took ms" >&3
    wait_until 5 is stalled container_fact bad state # between two tries
    assert_contains "$(ctl status bad)" "its file system does not answer" "status"
    assert_one_is_stuck "after $plugs plugs"
    # what asks for it anew does not add another one
    register bad || true
    ctl doctor bad || true
    ctl reload
    assert_one_is_stuck "after a doctor and a reload"
    # and when it answers again it is served
    end_process "$hanger" KILL
    in_pid "${box_pid[bad]}" umount --lazy /dev || true
    loop_add "$first"
    wait_until 40 is "/dev/loop$first delivered" grants bad
    opens_in bad "/dev/loop$first"
}

# begin_with_hanger: the device is given to `good`, and a courier hangs in `bad`.
begin_with_hanger() {
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"good|bad\""
    start_daemon
    start_box good
    start_box bad
    register good
    register bad
    hang_dev bad
    hanger=$background
    loop_add "$first"
    hears good add "$(loop_path "$first")"
    wait_until 5 is 1 stuck_couriers
}

# goes_on: after a restart the other container has what it had and gets what is new, no second courier hangs, and who
# answers again is served.
goes_on() {
    assert_equal "$(grants good)" "/dev/loop$first delivered" "grants"
    opens_in good "/dev/loop$first"
    loop_remove "$first"
    hears good remove "$(loop_path "$first")"
    wait_until 5 is stalled container_fact bad state
    loop_add "$first"
    wait_until 5 is 2 event_count good add "$(loop_path "$first")"
    assert_equal "$(stuck_couriers)" 1 "couriers that hang"
    end_process "$hanger" KILL
    in_pid "${box_pid[bad]}" umount --lazy /dev || true
    wait_until 40 is "/dev/loop$first delivered" grants bad
    opens_in bad "/dev/loop$first"
    assert_equal "$(stuck_couriers)" 0 "couriers that hang"
}

@test "the daemon stops while a container hangs, and the next one goes on" {
    local began took hanger
    begin_with_hanger
    began=$(now_us)
    stop_daemon
    took=$((($(now_us) - began) / 1000))
    within_time "$took" 5000 || fail "it took $took ms to stop"
    echo "# stopped after $took ms" >&3
    opens_in good "/dev/loop$first"
    start_daemon
    goes_on
}

@test "the daemon is killed while a courier hangs, and the next ones send no other" {
    local hanger
    begin_with_hanger
    kill_daemon
    start_daemon
    assert_equal "$(stuck_couriers)" 1 "couriers that hang"
    kill_daemon
    start_daemon
    goes_on
}

# A container with a root of its own, whose /dev is a directory there. /outside is not below /dev, and whoever is root
# inside may write to it.
start_bare_box() {
    local root=$work/root
    mkdir -p "$root/bin" "$root/outside/below"
    install "$(command -v busybox)" "$helpers/exchange" "$helpers/listen" "$root/bin"
    echo untouched >"$root/outside/file"
    chown -R 100000:100000 "$root"
    start_box box --rootfs "$root" -- /bin/listen -p
    wait_until 5 grep -q '^ready' "${box_log[box]}"
    in_box box /bin/busybox umount -l /dev
    in_box box /bin/busybox mkdir /dev/bus /dev/bus/below
}

# What is below a directory, by all that a change would show.
tree_of() {
    find "$1" -printf '%P %y %i %m %U:%G %s %T@ %C@\n' | sort
    find "$1" -type f -exec sha256sum {} +
}

given_or_refused() {
    call GetMetrics | jq '.metrics | .given + .refused'
}

has_tried_as_often() {
    (($(given_or_refused) >= exchanges))
}

grants_something() {
    [[ $(grants box delivered) == *" delivered" ]]
}

# attacked_by A B...: while these are exchanged inside, one device is plugged until the daemon has tried so often to
# give it. Then nothing has changed outside, and nothing of ours is left.
attacked_by() {
    local before round mounts residues
    before=$(tree_of "$work/root/outside")
    mounts=$(wc -l <"/proc/${box_pid[box]}/mountinfo")
    in_background in_box box /bin/exchange "$@" >"$work/exchange.log" 2>&1
    wait_until 5 grep -q exchanging "$work/exchange.log"
    note loop "$first"
    for ((round = 0; ; round++)); do
        loop_control add "$first"
        wait_until 5 loop_control remove "$first"
        if ((round % 50 == 0)); then
            wait_until 20 is "" grants box
            ! has_tried_as_often || break
        fi
    done
    wait_until 20 is "" grants box
    in_box box /bin/busybox killall -TERM exchange
    wait_until 5 is "$(($# / 2))" grep -c ' [1-9]' "$work/exchange.log"
    not process_gone "${box_pid[box]}"
    residues=$(metric residues)
    # A dead node that was out of reach as it was taken back goes with the next one of its path.
    loop_control add "$first"
    wait_until 40 grants_something
    wait_until 5 loop_control remove "$first"
    wait_until 20 is "" grants box
    assert_equal "$(tree_of "$work/root/outside")" "$before" "what is outside of /dev"
    assert_equal "$(find "$work/root/dev" -mindepth 1 ! -type d ! -name way -printf '%P %y\n')" "" \
        "placeholders and links that are left"
    assert_equal "$(wc -l <"/proc/${box_pid[box]}/mountinfo")" "$mounts" "mounts inside"
    assert_equal "$(find "$runtime/nodes" -type b | wc -l)" 0 "nodes in the store"
    echo "# $round plugs, $(metric given) given, $(metric refused) refused, $residues dead nodes out of reach for a while; exchanged: $(grep -v exchanging "$work/exchange.log" | xargs) times" >&3
}

@test "a container that exchanges directories below /dev with links changes nothing elsewhere" {
    rule_file 10-test.rules <<RULES
KERNEL=="loop$first", CONTAINER+="box", NODE="bus/below/node", SYMLINK+="bus/below/link", SYMLINK+="bus/file"
RULES
    start_daemon
    start_bare_box
    in_box box /bin/busybox ln -s /outside /dev/way
    register box
    attacked_by /dev/bus /dev/way
}

@test "a container that exchanges /dev itself with a link changes nothing elsewhere" {
    rule_file 10-test.rules <<RULES
KERNEL=="loop$first", CONTAINER+="box", NODE="below/node", SYMLINK+="below/link", SYMLINK+="file"
RULES
    start_daemon
    start_bare_box
    in_box box /bin/busybox ln -s /outside /way
    register box
    attacked_by /dev /way
}
