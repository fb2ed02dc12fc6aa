#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a container gets, when, and what is left of it afterwards.

load common
load fixture/plugger

setup() {
    common_setup
    first=$(loop_first)
    second=$((first + 1)) third=$((first + 2))
}

# One container with the usual map that is given the first loop device.
one_container() {
    rule_file 10-test.rules <<RULES
KERNEL=="loop$first", CONTAINER+="box", GROUP="20", MODE="0640", SYMLINK+="disk/by-test/first"
RULES
    start_daemon
    start_box box
    register box
}

@test "the event arrives once, as if from the kernel, with every other property as on the host" {
    one_container
    start_host_listener
    loop_add "$first"
    hears box add "$(loop_path "$first")"

    as_on_the_host add
    loop_remove "$first"
    hears box remove "$(loop_path "$first")"
    as_on_the_host remove
    assert_equal "$(event_count box add "$(loop_path "$first")")" 1 "copies of the add"
}

# as_on_the_host ACTION: the box's one copy of this event, beside the host's.
as_on_the_host() {
    local inside outside
    hears host "$1" "$(loop_path "$first")"
    inside=$(events box "$1" "$(loop_path "$first")")
    outside=$(events host "$1" "$(loop_path "$first")")
    assert_equal "$(field nl_pid "$inside")" 0 "nl_pid of the $1"
    assert_equal "$(field uid "$inside")" 0 "uid of the sender of the $1, as seen inside"
    assert_equal "$(field gid "$inside")" 0 "gid of the sender of the $1, as seen inside"
    assert_equal "$(field seqnums "$inside")" 1 "SEQNUM properties of the $1"
    (($(field SEQNUM "$inside") > $(field SEQNUM "$outside"))) || fail "SEQNUM of the $1 is not the kernel's new one"
    assert_contains "$(properties "$outside")" DISKSEQ= "the properties of the host's $1"
    assert_equal "$(properties "$inside")" "$(properties "$outside")" "all other properties of the $1"
}

@test "what a container mounts over its node stays out of our store, whose parent mount is shared" {
    one_container
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    local before
    before=$(mounts_below "$runtime")

    in_box box mount --bind /etc/hostname "/dev/loop$first"
    assert_equal "$(mounts_below "$runtime")" "$before" "mounts below the runtime directory"
    loop_remove "$first"
    hears box remove "$(loop_path "$first")"
    not opens_in box "/dev/loop$first"
    # The way is free again: the next device of this name gets its node.
    in_box box umount "/dev/loop$first" || true
    loop_add "$first"
    wait_until 5 is 2 event_count box add "$(loop_path "$first")"
    opens_in box "/dev/loop$first"
}

# A process inside keeps the node open by path alone; it tries each way to the node when it is told to.
keep_and_try() {
    in_box box /usr/bin/python3 -I -S -c '
import errno, os, sys
kept = os.open(sys.argv[1], os.O_PATH)
print("kept", flush=True)
for line in sys.stdin:
    for path in sys.argv[2], f"/proc/self/fd/{kept}":
        try:
            os.close(os.open(path, os.O_RDONLY))
            print("opened", flush=True)
        except OSError as error:
            print(errno.errorcode[error.errno], flush=True)' "$1" "$2"
}

# keeper_says WORD COUNT: tells it to try, and expects this of both ways; COUNT lines in all so far.
keeper_says() {
    echo try >"$work/keeper.stdin"
    wait_until 5 is "$2" grep -c . "$work/keeper.out"
    assert_equal "$(tail -n 2 "$work/keeper.out" | xargs)" "$1 $1" "a bind copy, and a kept descriptor of the node"
}

@test "a bind copy, a kept descriptor and an ACL of the container's do not outlive the revoke" {
    command -v setfacl >/dev/null || skip "setfacl is not installed"
    local node=/dev/loop$first
    loop_add "$first"
    one_container
    in_box box touch /dev/kept
    in_box box mount --bind "$node" /dev/kept
    in_box box setfacl -m u:0:rw,u:1:rw,g:0:rw,g:1:rw "$node"
    assert_contains "$(in_box box getfacl -cnp "$node")" user:0:rw- "the ACL"
    hold_open keeper
    in_background keep_and_try "$node" /dev/kept <"$work/keeper.stdin" >"$work/keeper.out" 2>&1
    wait_until 5 grep -q kept "$work/keeper.out"
    keeper_says opened 3

    rm "$rules/10-test.rules"
    ctl reload
    assert_equal "$(grants box)" "" "grants"
    not in_box box test -e "$node"
    keeper_says EACCES 5
    not in_box box chmod 666 /dev/kept
    not in_box box chown 0:0 /dev/kept
    not in_box box setfacl -m u:0:rw /dev/kept
    not in_box box setfacl -b /dev/kept
    keeper_says EACCES 7
    # Nor when the device goes: to open a leftover node would make the kernel bring the loop device back.
    loop_remove "$first"
    keeper_says EACCES 9
    [[ ! -e /sys/block/loop$first ]] || fail "the device came back"
}

@test "what lies over /dev and /proc inside keeps no device back, and the next one is in the new /dev" {
    local node=/dev/loop$first
    loop_add "$first"
    one_container
    in_box box touch /tmp/kept
    in_box box mount --bind "$node" /tmp/kept
    opens_in box /tmp/kept
    in_box box mount -t tmpfs -o mode=755 cover /proc
    in_box box mount -t tmpfs -o mode=755 cover /dev
    not in_box box test -e "$node"
    [[ $(ctl doctor box) == *"$node"* ]] || fail "the doctor does not miss it"

    loop_remove "$first"
    hears box remove "$(loop_path "$first")"
    assert_equal "$(grants box)" "" "grants"
    run in_box box dd if=/tmp/kept of=/tmp/read count=0
    assert_contains "$output" "Permission denied" "an open of the copy"
    assert_contains "$(ctl status box)" "something lies over it" "status"

    loop_add "$first"
    wait_until 5 is 2 event_count box add "$(loop_path "$first")"
    assert_equal "$(in_box box stat --format '%F %u %g %a' "$node")" "block special file 0 20 640" "the new node"
    in_box box dd "if=$node" of=/tmp/read count=0 status=none
    loop_remove "$first"
    wait_until 5 is 2 event_count box remove "$(loop_path "$first")"
    # Below it is the old one, as dead as its copy.
    in_box box umount /dev
    run in_box box dd "if=$node" of=/tmp/read count=0
    assert_contains "$output" "Permission denied" "an open of the old node"
    [[ ! -e /sys/block/loop$first ]] || fail "the device came back"
}

cycles=${DEVOLVE_CYCLES:-1000} # 100000 in scripts/soak

# cycles_are_right COUNT GROUPS [OPTION...]: in a container with these options.
cycles_are_right() {
    local plugged
    plugger_rules box | rule_file 10-test.rules
    start_daemon --log-level warning # the rest would fill the memory
    start_fed_box box "$2" "${@:3}"
    register box
    plug box "$1" "$2"
    echo "# $plugged" >&3
    wait_until 5 is "" grants box
}

@test "every node opens as its add is read, and none after its remove" {
    cycles_are_right "$cycles" 3
}

@test "where the kernel sends its own events udev's are right: every node opens as their add is read, and none after their remove" {
    cycles_are_right "$cycles" 2 --netns native
}

@test "every node opens as its add is read, and none after its remove, in a v1 device cgroup" {
    cgroup_make v1 box
    cgroup_v1_restrict "$cgroup"
    cycles_are_right $((cycles / 10)) 3 --cgroup-v1 "$cgroup"
}

@test "every node opens as its add is read, and none after its remove, in a v2 device cgroup" {
    cgroup_make v2 box
    attach_filter "$cgroup" runc multi
    cycles_are_right $((cycles / 10)) 3 --cgroup-v2 "$cgroup"
}

# Where the kernel would open every node that is left.
@test "a device that stays plugged in opens as the add is read, and not after the remove" {
    local plugged
    rule_file 10-test.rules <<<'KERNEL=="nothing", CONTAINER+="box"'
    start_daemon --log-level warning
    start_fed_box box 3
    register box
    plug box "$cycles" 3 -s "$runtime/io.devolve" -n box
    echo "# $plugged" >&3
    assert_equal "$(grants box)" "" "grants"
}

@test "two containers with different maps get each its own device, owner, group and mode" {
    local extent many=()
    # 340 extents, the most that the kernel takes, none adjacent to the next on the host.
    for ((extent = 0; extent < 340; extent++)); do
        many+=(--map "$extent:$((70000 + 2 * extent)):1")
    done
    rule_file 10-test.rules <<RULES
KERNEL=="loop$first", CONTAINER+="plain", OWNER="7", GROUP="20", MODE="0640"
KERNEL=="loop$second", CONTAINER+="many", OWNER="8", GROUP="339", MODE="0604"
KERNEL=="loop$third", CONTAINER+="elsewhere"
RULES
    start_daemon
    start_box plain
    start_box many "${many[@]}"
    register plain
    register many
    loop_add "$first"
    loop_add "$second"
    loop_add "$third"
    hears plain add "$(loop_path "$first")"
    hears many add "$(loop_path "$second")"

    assert_equal "$(stat_in plain "/dev/loop$first")" "block special file 7 20 640" "the node in plain"
    assert_equal "$(stat_in many "/dev/loop$second")" "block special file 8 339 604" "the node in many"
    not in_box plain test -e "/dev/loop$second"
    not in_box many test -e "/dev/loop$first"
    not in_box plain test -e "/dev/loop$third"
    not in_box many test -e "/dev/loop$third"
    assert_equal "$(event_count plain add "$(loop_path "$second")")" 0 "another container's events"
    assert_equal "$(grants plain)$(grants many)" "/dev/loop$first delivered/dev/loop$second delivered" "grants"
}

@test "an id that no map covers is a refusal by name, and leaves no node" {
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", GROUP=\"70000\""
    start_daemon
    start_box box
    register box
    loop_add "$first"
    wait_until 5 is "/dev/loop$first refused" grants box
    assert_contains "$(grant_reason box "/dev/loop$first")" 70000 "the reason"
    not in_box box test -e "/dev/loop$first"
    assert_equal "$(event_count box add "$(loop_path "$first")")" 0 "events"
}

# ids_of MAP OWNER GROUP: what becomes of a node with these, in a container with this map (extents, parted by commas):
# its `stat` inside, or the reason why there is none.
ids_of() {
    local name=box$((++boxes)) options=() extent
    for extent in ${1//,/ }; do
        options+=(--map "$extent")
    done
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"$name\", OWNER=\"$2\", GROUP=\"$3\", MODE=\"0640\""
    ctl reload >/dev/null
    start_box "$name" "${options[@]}"
    register "$name" >/dev/null
    if in_box "$name" test -e "/dev/loop$first"; then
        ids=$(stat_in "$name" "/dev/loop$first")
    else
        ids=$(grant_reason "$name" "/dev/loop$first")
        assert_equal "$(find "$runtime/nodes" -type b | wc -l)" 0 "nodes in the store"
    fi
    ctl unregister "$name" >/dev/null
    stop_box "$name"
}

@test "whatever the maps are, a node has the right ids inside or there is none" {
    local boxes=0 ids
    loop_add "$first"
    start_daemon
    ids_of 0:100000:1 0 0
    assert_equal "$ids" "block special file 0 0 640" "the only id"
    ids_of 0:100000:1 1 0
    assert_contains "$ids" "1 " "the reason"
    ids_of 0:100000:1000,2000:102000:1000 999 2999
    assert_equal "$ids" "block special file 999 2999 640" "the ids at both sides of a gap"
    ids_of 0:100000:1000,2000:102000:1000 1000 0
    assert_contains "$ids" 1000 "the reason: the first of the gap"
    ids_of 0:100000:1000,2000:102000:1000 0 1999
    assert_contains "$ids" 1999 "the reason: the last of the gap"
    ids_of 0:100000:65536 0 65536
    assert_contains "$ids" 65536 "the reason: behind the end"
    # the last id that there can be, at the end of an extent that ends there
    ids_of 0:100000:1,10:4294967290:5 14 10
    assert_equal "$ids" "block special file 14 10 640" "the highest ids"
    ids_of 0:100000:1,10:4294967290:5 15 10
    assert_contains "$ids" 15 "the reason: one higher"
}

@test "names of owner and group are those of the container's own files" {
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", GROUP=\"tty\", MODE=\"0660\""
    start_daemon
    start_box box
    register box
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    assert_equal "$(in_box box stat --format %G "/dev/loop$first")" tty "the group, by name inside"
}

@test "a device that is present is there when register returns, with an add" {
    loop_add "$first"
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", SYMLINK+=\"by-test\""
    start_daemon
    start_box box
    register box
    opens_in box "/dev/loop$first"
    assert_equal "$(in_box box readlink -f /dev/by-test)" "/dev/loop$first" "the link"
    hears box add "$(loop_path "$first")"
    assert_equal "$(field open "$(events box add "$(loop_path "$first")")")" 0 "open as the add is read"
}

@test "to register twice changes nothing" {
    loop_add "$first"
    one_container
    local before
    before=$(counts_of "$daemon_pid" "${box_pid[box]}")
    register box
    counts_return "$before" "$daemon_pid" "${box_pid[box]}"
    assert_equal "$(event_count box add "$(loop_path "$first")")" 1 "adds"
}

# What makes anything, or changes it: nodes, mounts, links, programs and their maps. (Our own notes are written anew.)
makers=mount,umount2,mount_setattr,move_mount,open_tree,fsopen,fsmount,bpf,mknod,mknodat,mkdir,mkdirat,symlink,symlinkat
makers+=,link,linkat,unlink,unlinkat,rmdir,chown,fchown,fchownat,chmod,fchmod,fchmodat

# trace_daemon: from now on those calls of the daemon and its children are lines of $work/trace.
trace_daemon() {
    local pid pids=()
    for pid in "$daemon_pid" $(<"/proc/$daemon_pid/task/$daemon_pid/children"); do
        pids+=(-p "$pid")
    done
    rm -f "$work/trace"
    in_background strace -f -e trace="$makers" -o "$work/trace" "${pids[@]}" 2>"$work/strace.err"
    tracer=$background
    wait_until 10 is $((${#pids[@]} / 2)) grep -c 'attached' "$work/strace.err"
}

# tracing_ends: those calls are in $made. To ask, as the daemon does all the time, whether its program is still there
# makes nothing.
tracing_ends() {
    end_process "$tracer" INT
    made=$(grep -E "^[0-9]+ +(${makers//,/|})\(" "$work/trace" | grep -v 'bpf(BPF_PROG_QUERY,' || true)
}

# overrun_daemon: events are lost to it, so it looks at everything anew.
overrun_daemon() {
    local before
    before=$(metric resyncs)
    kill -STOP "$daemon_pid"
    perl -e 'open my $uevent, ">", "/sys/class/mem/null/uevent" or die;
             syswrite $uevent, "change" or die for 1 .. 5000'
    kill -CONT "$daemon_pid"
    wait_until 10 metric_beyond "$before" resyncs
}

metric_beyond() {
    (($(metric "$2") > $1))
}

# same_again ROUNDS: everything that asks for the state that is there.
same_again() {
    local round path node=/dev/loop$second
    path=$(loop_path "$first")
    for ((round = 0; round < $1; round++)); do
        ctl reload >/dev/null
        register box >/dev/null
        ctl attach box "$node" --node /dev/by-hand --mode 0600 >/dev/null
        echo change >"/sys$path/uevent"
        echo add >"/sys$path/uevent"
        wait_until 5 is $((round + 1)) event_count box change "$path"
    done
    overrun_daemon
}

# idempotent [OPTION...]: in a container with these options.
idempotent() {
    local made path state call
    command -v strace >/dev/null || skip "strace is not installed"
    path=$(loop_path "$first")
    loop_add "$first"
    loop_add "$second"
    rule_file 10-test.rules <<<"KERNEL==\"loop$first|loop$third\", CONTAINER+=\"box\", MODE=\"0640\", SYMLINK+=\"disk/%k\""
    start_daemon --receive-buffer 65536
    start_box box "$@"
    register box
    ctl attach box "/dev/loop$second" --node /dev/by-hand --mode 0600
    opens_in box "/dev/loop$first"
    opens_in box /dev/by-hand
    state=$(nodes_in box)

    trace_daemon
    same_again "${DEVOLVE_REPEATS:-100}"
    tracing_ends
    assert_equal "$made" "" "calls that make something"
    assert_equal "$(event_count box add "$path")" 1 "adds"
    assert_equal "$(nodes_in box)" "$state" "nodes and mounts inside"
    opens_in box "/dev/loop$first"
    opens_in box /dev/by-hand

    # And it would have been seen.
    trace_daemon
    loop_add "$third"
    hears box add "$(loop_path "$third")"
    tracing_ends
    for call in mknodat move_mount fchmodat symlinkat; do
        assert_contains "$made" " $call(" "what was seen of the grant"
    done
    [[ $* != *--cgroup-v2* ]] || assert_contains "$made" " bpf(" "what was seen of the grant"
}

# Numbers of inodes and mounts, and all that chmod and chown change.
nodes_in() {
    in_box "$1" find /dev -xdev -type l -printf '%p %l %i %C@\n'
    in_box "$1" sh -c 'stat --format "%n %F %u %g %a %i %Z" /dev/loop* /dev/by-hand /run/udev/data/*'
    awk '/ devolve / { print $1, $3, $5 }' "/proc/${box_pid[$1]}/mountinfo"
}

@test "the same state asked for again and again makes nothing" {
    idempotent
}

@test "the same state asked for again and again makes nothing in a v1 device cgroup" {
    cgroup_make v1 box
    cgroup_v1_restrict "$cgroup"
    idempotent --cgroup-v1 "$cgroup"
}

@test "the same state asked for again and again makes nothing in a v2 device cgroup" {
    cgroup_make v2 box
    attach_filter "$cgroup" runc multi
    idempotent --cgroup-v2 "$cgroup"
}

@test "reload after a rule was removed takes the device back" {
    loop_add "$first"
    one_container
    opens_in box "/dev/loop$first"
    rm "$rules/10-test.rules"
    ctl reload
    hears box remove "$(loop_path "$first")"
    not in_box box test -e "/dev/loop$first"
    not in_box box test -L /dev/disk/by-test/first
    not in_box box test -d /dev/disk
    assert_equal "$(grants box)" "" "grants"
}

@test "reload with a new rule gives the device" {
    loop_add "$first"
    start_daemon
    start_box box
    register box
    not in_box box test -e "/dev/loop$first"
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\""
    ctl reload
    hears box add "$(loop_path "$first")"
    opens_in box "/dev/loop$first"
}

@test "attach and detach give and take one device by hand" {
    loop_add "$first"
    start_daemon
    start_box box
    register box
    ctl attach box "/dev/loop$first" --node /dev/given --group 20 --mode 0640
    assert_equal "$(stat_in box /dev/given)" "block special file 0 20 640" "the node"
    opens_in box /dev/given
    ctl detach box "/dev/loop$first"
    wait_until 5 not in_box box test -e /dev/given
}

@test "unregister takes everything back" {
    local before
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", SYMLINK+=\"by/test\""
    loop_add "$first"
    start_daemon
    start_box box
    before=$(counts_of "$daemon_pid" "${box_pid[box]}")
    register box
    opens_in box "/dev/loop$first"
    assert_equal "$(metric nodes)" 1 "nodes in the store"
    ctl unregister box
    assert_equal "$(metric nodes)" 0 "nodes in the store after unregister"
    not in_box box test -e "/dev/loop$first"
    not in_box box test -d /dev/by
    hears box remove "$(loop_path "$first")"
    counts_return "$before" "$daemon_pid" "${box_pid[box]}"
}

nothing_is_left() {
    [[ -z $(find "$runtime/nodes" "$runtime/containers" -mindepth 1 -print -quit) ]]
}

# median NUMBER...
median() {
    printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

@test "the death of the container takes everything back" {
    local before began round times=()
    rule_file 10-test.rules <<<"KERNEL==\"loop$first|loop$second|loop$third\", CONTAINER+=\"box\", SYMLINK+=\"a/%k\""
    loop_add "$first"
    loop_add "$second"
    loop_add "$third"
    start_daemon
    before=$(counts_of "$daemon_pid")
    for ((round = 0; round < ${DEVOLVE_TIMED_DEATHS:-9}; round++)); do
        start_box box
        register box >/dev/null
        assert_equal "$(metric nodes)" 3 "nodes in the store"
        not nothing_is_left
        began=$(milliseconds)
        kill -KILL "${box_pid[box]}"
        wait_until 5 nothing_is_left
        times+=($(($(milliseconds) - began)))
        assert_equal "$(metric nodes)" 0 "nodes in the store after the container's death"
        assert_equal "$(call ListContainers)" '{"containers": []}' "containers"
        counts_return "$before" "$daemon_pid"
        stop_box box
    done
    echo "# median of ${#times[@]} deaths: all was gone after $(median "${times[@]}") ms" >&3
}

# Where somebody of the host's keeps the namespace in which they are mounted.
@test "the nodes of a dead container open no more for who is still in its mount namespace" {
    local inside path
    loop_add "$first"
    one_container
    in_box box touch /dev/kept
    in_box box mount --bind "/dev/loop$first" /dev/kept
    in_background nsenter --target "${box_pid[box]}" --user --mount --setuid 0 --setgid 0 -- tail -f /dev/null
    inside=$background
    wait_until 5 is tail cat "/proc/$inside/comm"
    for path in "/dev/loop$first" /dev/kept; do
        opens_beside "$inside" "$path"
    done
    kill -KILL "${box_pid[box]}"
    wait_until 5 nothing_is_left
    for path in "/dev/loop$first" /dev/kept; do
        run opens_beside "$inside" "$path"
        assert_contains "$output" "Permission denied" "an open of $path"
    done
    loop_remove "$first"
    not opens_beside "$inside" "/dev/loop$first"
    [[ ! -e /sys/block/loop$first ]] || fail "the device came back"
}

# opens_beside PID PATH: whether a process in these namespaces can open it.
opens_beside() {
    nsenter --target "$1" --user --mount --setuid 0 --setgid 0 -- dd "if=$2" of=/dev/null count=0 status=none
}
