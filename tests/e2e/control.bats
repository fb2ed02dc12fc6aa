#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemon among clients that are many, slow, impatient or gone, and beside another daemon.

load common

setup() {
    common_setup
    first=$(loop_first)
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\""
}

client() {
    /usr/bin/python3 -I -S "$here/helpers/clients.py" "$1" "$runtime/io.devolve" "${@:2}"
}

# in_background wants a function that ends in exec.
client_stays() {
    exec /usr/bin/python3 -I -S "$here/helpers/clients.py" "$1" "$runtime/io.devolve" "${@:2}"
}

# start_client KIND [ARGUMENT...]: runs until `leave KIND`; its output is $work/KIND.out.
start_client() {
    hold_open "$1"
    in_background client_stays "$@" <"$work/$1.stdin" >"$work/$1.out" 2>&1
    client_pid=$background
    wait_until 60 grep -q '^ready' "$work/$1.out"
}

serves_on() {
    call GetMetrics >/dev/null
}

# fire COUNT: events that everybody hears and that change nothing, as fast as the kernel makes them.
fire() {
    exec perl -e 'open my $uevent, ">", "/sys/class/mem/null/uevent" or die;
                  syswrite $uevent, "change" or die for 1 .. $ARGV[0]' "$1"
}

# --- one connection

@test "calls sent at once are answered in their order, also behind one that takes its time" {
    loop_add "$first"
    start_daemon
    start_box box
    printf '%s\0' \
        "{\"method\":\"io.devolve.Register\",\"parameters\":{\"name\":\"box\",\"pid\":${box_pid[box]}}}" \
        '{"method":"io.devolve.ListGrants"}' \
        '{"method":"io.devolve.Unregister","parameters":{"name":"box"}}' \
        '{"method":"io.devolve.ListContainers"}' |
        client pipeline >"$work/replies"
    assert_equal "$(jq -r '.parameters | keys[0] // "nothing"' "$work/replies" | xargs)" \
        "container grants nothing containers" "the replies"
    assert_equal "$(jq -r 'select(.parameters.grants).parameters.grants[0].state' "$work/replies")" delivered \
        "the grant between the two"
    assert_equal "$(jq -c 'select(.parameters.containers).parameters.containers' "$work/replies")" '[]' "containers"
}

@test "5000 calls sent at once get 5000 answers" {
    start_daemon
    local n
    for ((n = 0; n < 5000; n++)); do
        printf '{"method":"io.devolve.ListContainers"}\0'
    done | client pipeline >"$work/replies"
    assert_equal "$(wc -l <"$work/replies")" 5000 "replies"
    assert_equal "$(sort -u "$work/replies")" '{"parameters": {"containers": []}}' "each of them"
}

@test "calls that want no answer get none, and are carried out though their sender has gone" {
    start_daemon
    local before
    before=$(metric reload_failures)
    echo 'KERNEL==' >"$rules/20-broken.rules"
    assert_equal "$(printf '%s\0' '{"method":"io.devolve.Reload","oneway":true}' \
        '{"method":"io.devolve.Reload","oneway":true}' '{"method":"io.devolve.Reload","oneway":true}' |
        client pipeline)" "" "replies"
    wait_until 5 is $((before + 3)) metric reload_failures
}

@test "an empty message ends the connection, and the calls before it are answered" {
    start_daemon
    printf '{"method":"io.devolve.ListContainers"}\0\0{"method":"io.devolve.ListContainers"}\0' |
        client pipeline >"$work/replies"
    assert_equal "$(jq -r '.error // "reply"' "$work/replies" | xargs)" "reply io.devolve.MalformedMessage" "replies"
}

# --- many connections

descriptors() {
    find "/proc/$daemon_pid/fd" -mindepth 1 -printf x | wc -c
}

# The limit is on numbers, and there may be holes.
lowest_free_descriptor() {
    local number=0
    while [[ -L /proc/$daemon_pid/fd/$number ]]; do
        number=$((number + 1))
    done
    echo "$number"
}

@test "1000 connections with half a message each keep nobody waiting" {
    start_daemon
    start_client crowd 1000
    serves_on
    (($(descriptors) < 400)) || fail "all of them are kept"
    end_process "$client_pid"
    serves_on
}

connections=${DEVOLVE_CONNECTIONS:-2000} # 10000 in scripts/soak

resident() {
    awk '/^VmRSS:/ { print $2 }' "/proc/$daemon_pid/status"
}

siege_is_over() {
    grep -q '^done' "$work/siege.out"
}

@test "while thousands connect and say half a message root's status is answered, and the daemon does not grow" {
    local rss grown began samples=$work/samples
    start_daemon
    ctl status >/dev/null
    rss=$(resident)
    : >"$samples"
    start_client siege "$connections"
    until siege_is_over && (($(wc -l <"$samples") >= 100)); do
        began=${EPOCHREALTIME/./}
        timeout 10 "$build/devolvectl" status >/dev/null
        echo $((${EPOCHREALTIME/./} - began)) >>"$samples"
    done
    grown=$(($(resident) - rss))
    echo "# $connections connections; of $(wc -l <"$samples") calls of devolvectl status 99 of 100 took" \
        "$(sort -n "$samples" | awk '{ took[NR] = $1 } END { printf "%.1f", took[int((99 * NR + 99) / 100)] / 1000 }') ms or less;" \
        "the daemon grew by $grown KiB" >&3
    # A sanitizer keeps what was freed for a while.
    grep -q libasan "/proc/$daemon_pid/maps" || ((grown <= 2048)) || fail "it grew by $grown KiB"
    (($(descriptors) < 400)) || fail "all of the connections are kept"
}

@test "a daemon without a free descriptor serves on, and rests where it cannot" {
    start_daemon
    local open
    open=$(descriptors)
    prlimit --pid "$daemon_pid" --nofile=$((open + 6)):
    start_client crowd 50
    serves_on
    assert_equal "$(grep -c 'no descriptor is left' "$work/devolved.log")" 1 "complaints"
    # Not even one, and nobody to send away: the next client waits, and is served as soon as there is one.
    end_process "$client_pid"
    wait_until 5 is "$open" descriptors
    prlimit --pid "$daemon_pid" --nofile="$(lowest_free_descriptor)":
    in_background call_into "$work/late"
    local ticks
    ticks=$(processor_ticks)
    wait_until 20 client_is_waiting
    prlimit --pid "$daemon_pid" --nofile=1024:
    wait_until 5 grep -q metrics "$work/late"
    (($(processor_ticks) - ticks < 50)) || fail "the daemon ran in circles"
}

call_into() {
    call GetMetrics >"$1"
}

# Our end of its connection, not accepted: linux/net/unix/af_unix.c, unix_seq_show(), state 02 is "connecting".
client_is_waiting() {
    awk -v path="$runtime/io.devolve" '$8 == path && $6 == "02" { found = 1 } END { exit !found }' /proc/net/unix
}

processor_ticks() {
    awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$daemon_pid/stat"
}

# --- storms

# calls_during COUNT: while the daemon reads so many events, no call waits for half a second.
calls_during() {
    local before longest
    before=$(metric events_received)
    in_background fire "$1"
    longest=$(client slowest $((before + $1)))
    ((longest <= 500)) || fail "the longest call took $longest ms"
    assert_equal "$(metric events_overrun)" 0 "events that were lost"
    echo "# $1 events, none lost; the longest call took $longest ms" >&3
}

@test "while 20000 events arrive every call is answered within half a second" {
    start_daemon
    calls_during 20000
}

@test "a monitor that never reads is hung up on, and costs the others nothing" {
    start_daemon
    start_client deaf
    calls_during 40000
    wait_until 20 grep -q 'a monitor does not read' "$work/devolved.log"
    serves_on
}

# --- those who leave

@test "a process that dies while it is registered leaves nothing" {
    local round pid
    start_daemon
    for ((round = 0; round < 40; round++)); do
        in_background unshare --mount --propagation private sleep 1000
        pid=$background
        wait_until 5 is sleep cat "/proc/$pid/comm"
        if ((round % 2)); then
            kill -KILL "$pid"
        fi
        in_background ctl register "mayfly$round" --pid "$pid"
        kill -KILL "$pid" 2>/dev/null || true
        wait "$background" || true
    done
    wait_until 5 is '{"containers": []}' call ListContainers
}

@test "a client that leaves before its answer takes nobody with it" {
    local round
    start_daemon
    start_box box
    for ((round = 0; round < 20; round++)); do
        printf '{"method":"io.devolve.Register","parameters":{"name":"box","pid":%d}}\0' "${box_pid[box]}" |
            /usr/bin/python3 -I -S -c '
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.sendall(sys.stdin.buffer.read())' "$runtime/io.devolve"
        call Unregister '{"name": "box"}' 2>/dev/null || true
    done
    serves_on
}

@test "at SIGTERM containers keep what they have, and monitors are told by the end of their connection" {
    loop_add "$first"
    start_daemon
    start_box box
    register box
    opens_in box "/dev/loop$first"
    start_client watch
    stop_daemon
    wait_until 5 grep -q '^closed' "$work/watch.out"
    opens_in box "/dev/loop$first"
    assert_equal "$(event_count box remove "$(loop_path "$first")")" 0 "events of a removal"
    start_daemon
    ctl unregister box
    not in_box box test -e "/dev/loop$first"
    hears box remove "$(loop_path "$first")"
    stop_daemon
    assert_equal "$(mounts_below "$runtime")" "" "mounts that are left"
}

@test "at SIGHUP the rules are read, and at SIGPIPE nothing happens" {
    start_daemon
    start_box box
    register box
    loop_add $((first + 1))
    rule_file 20-more.rules <<<"KERNEL==\"loop$((first + 1))\", CONTAINER+=\"box\""
    kill -PIPE "$daemon_pid"
    kill -HUP "$daemon_pid"
    wait_until 5 is "/dev/loop$((first + 1)) delivered" grants box
}

# --- a socket that somebody else made

# As a service manager does (sd_listen_fds(3)): the socket is descriptor 3, and blocks.
passed_socket() {
    exec /usr/bin/python3 -I -S -c '
import os, socket, sys
made = socket.socket(socket.AF_UNIX, getattr(socket, sys.argv[1]))
made.bind(sys.argv[2])
if sys.argv[1] == "SOCK_STREAM":
    made.listen()
os.dup2(os.dup2(made.fileno(), 9), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[3], sys.argv[3:])' "$1" "$runtime/io.devolve" "$build/devolved" --runtime-dir "$runtime" --rules "$rules"
}

@test "a socket that was passed is served, and left where it is" {
    passed_socket SOCK_STREAM >>"$work/devolved.log" 2>&1 3>&- 4>&- &
    daemon_pid=$!
    note_process daemon "$daemon_pid"
    wait_until 10 serves_on
    (($((8#$(awk '$1 == "flags:" { print $2 }' "/proc/$daemon_pid/fdinfo/3"))) & 8#4000)) || fail "it blocks"
    stop_daemon
    [[ -S $runtime/io.devolve ]] || fail "the socket is gone"
}

@test "a descriptor that was said to be passed, and was not, is refused" {
    run env LISTEN_FDS=1 sh -c 'export LISTEN_PID=$$; exec "$@" 3>&- 4>&-' sh "$build/devolved" \
        --runtime-dir "$runtime" --rules "$rules"
    assert_equal "$status" 1 "exit status"
    assert_contains "$output" "service manager passed" "the refusal"
}

@test "a descriptor that was passed and is no listening socket is refused by name" {
    run passed_socket SOCK_DGRAM
    assert_equal "$status" 1 "exit status"
    assert_contains "$output" "not one listening socket" "the refusal"
}

# --- another daemon

@test "a second daemon on the same directory is refused by name, and what the first gave is unharmed" {
    local mounts
    loop_add "$first"
    start_daemon
    start_box box
    register box
    mounts=$(mounts_below "$runtime")
    run "$build/devolved" --runtime-dir "$runtime" --rules "$rules"
    assert_equal "$status" 1 "exit status of the second"
    assert_contains "$output" "another devolved" "the refusal"
    assert_contains "$output" "process $daemon_pid" "the refusal"
    assert_equal "$(mounts_below "$runtime")" "$mounts" "mounts"
    opens_in box "/dev/loop$first"
    serves_on
    kill_daemon
    start_daemon # the lock went with its holder
    serves_on
}

@test "a directory that others may write to is refused" {
    chmod 777 "$runtime"
    run "$build/devolved" --runtime-dir "$runtime" --rules "$rules"
    assert_equal "$status" 1 "exit status"
    assert_contains "$output" "nobody else may write" "the refusal"
}

# --- by label

@test "Unregister with labels spares a container that does not have them" {
    start_daemon
    start_box box
    register box --label id=7 --label tier=front
    for labels in '{"id":"8"}' '{"id":"7","role":"x"}' '{"other":"7"}'; do
        run call Unregister "{\"name\":\"box\",\"labels\":$labels}"
        assert_equal "$status" 1 "the status for $labels"
        assert_contains "$output" ContainerNotFound "the answer to $labels"
    done
    assert_equal "$(container_fact box state)" ready "the container"
    call Unregister '{"name":"box","labels":{"id":"7"}}' >/dev/null
    assert_equal "$(call ListContainers | jq '.containers | length')" 0 "containers"
}
