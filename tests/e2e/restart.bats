#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemon ends, in order or killed, and another begins: what was delivered stays as it is, what has no right any
# more goes before the new one answers, and nobody registers anything anew.

load common

rounds=${DEVOLVE_RESTARTS:-10} # 100 in scripts/soak

setup() {
    common_setup
    first=$(loop_first)
}

# share_loops COUNT GLOB: so many loop devices from $first on go to these containers.
share_loops() {
    local i
    for ((i = 0; i < $1; i++)); do
        echo "KERNEL==\"loop$((first + i))\", CONTAINER+=\"$2\", SYMLINK+=\"lo/$i\", MODE=\"0600\""
    done | rule_file 10-test.rules
}

# read_in NAME PATH...: a program inside that uses the devices all the time; what disturbs it is in $work/NAME.read.
read_in() {
    local name=$1 pid
    shift
    in_background in_box "$name" "$helpers/reader" "$@" >"$work/$name.read"
    wait_until 10 grep -q '^reading' "$work/$name.read"
}

# A program that opens the node of a loop device which is no more makes the kernel add it anew (the block layer's
# "legacy autoload"), until the node inside is cut. So nobody reads any more where the number is to stay free.
reading_ends() {
    local name=$1
    in_box "$name" pkill -TERM -x reader
    wait_until 10 grep -q '^rounds [1-9]' "$work/$name.read"
}

again_by_kill() {
    kill_daemon
    start_daemon
}

again_by_stop() {
    stop_daemon
    start_daemon
}

# restarts HOW: with 4 containers and 3 devices each.
restarts() {
    local name i round told began took slowest=0
    share_loops 3 'c*'
    start_daemon
    for name in c1 c2 c3 c4; do
        start_box "$name"
        register "$name" >/dev/null
    done
    for i in 0 1 2; do
        loop_add $((first + i))
    done
    for name in c1 c2 c3 c4; do
        hears "$name" add "$(loop_path $((first + 2)))"
        read_in "$name" "/dev/loop$first" "/dev/loop$((first + 1))" "/dev/loop$((first + 2))" /dev/lo/0
    done
    told=$(cat "$work"/c?.log | wc -l)
    for ((round = 0; round < rounds; round++)); do
        began=$(milliseconds)
        "$1"
        took=$(($(milliseconds) - began))
        slowest=$((took > slowest ? took : slowest))
        assert_equal "$(call ListContainers | jq -r '.containers | length')" 4 "containers"
    done
    assert_equal "$(cat "$work"/c?.read)" "$(printf 'reading\nreading\nreading\nreading')" "what the programs say"
    assert_equal "$(cat "$work"/c?.log | wc -l)" "$told" "events inside"
    assert_equal "$(metric given)" 0 "what the last daemon gave"
    echo "# $rounds rounds; from its end to the next one's being ready it took $slowest ms at most" >&3
    # and it is in charge: what is unplugged goes
    for name in c1 c2 c3 c4; do
        reading_ends "$name"
    done
    for i in 0 1 2; do
        loop_remove $((first + i))
    done
    for name in c1 c2 c3 c4; do
        hears "$name" remove "$(loop_path "$first")"
        wait_until 5 is "" grants "$name"
        not in_box "$name" test -e "/dev/loop$first"
        not in_box "$name" test -e /dev/lo
    done
}

@test "killed again and again: nobody inside is disturbed" {
    restarts again_by_kill
}

@test "stopped and started again and again: nobody inside is disturbed" {
    restarts again_by_stop
}

@test "what was unplugged meanwhile is gone when the next daemon answers, and its number opens nothing" {
    share_loops 1 box
    start_daemon
    start_box box
    register box
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    kill_daemon
    loop_remove "$first"
    rule_file 10-test.rules <<<"KERNEL==\"loop$((first + 1))\", CONTAINER+=\"box\""
    loop_add "$first" # another device with the same number, and no right to it
    start_daemon
    not opens_in box "/dev/loop$first"
    wait_until 5 is "" grants box
    not in_box box test -e "/dev/loop$first"
    hears box remove "$(loop_path "$first")"
    not in_box box sh -c "mknod /dev/mine b 7 $first && dd if=/dev/mine of=/dev/null count=0 status=none"
}

@test "what was plugged meanwhile is given by the next daemon" {
    share_loops 1 box
    start_daemon
    start_box box
    register box
    kill_daemon
    loop_add "$first"
    start_daemon
    hears box add "$(loop_path "$first")"
    opens_in box "/dev/loop$first"
}

@test "labels, what was attached by hand, and who holds what stay" {
    rule_file 10-test.rules <<<'KERNEL=="nothing", CONTAINER+="box"'
    start_daemon
    start_box box
    register box --label room=lab
    loop_add "$first"
    ctl attach box "/dev/loop$first" --node /dev/mine --mode 0640
    kill_daemon
    start_daemon
    assert_equal "$(container_fact box labels.room)" lab "the label"
    assert_equal "$(grants box)" "/dev/mine delivered" "grants"
    assert_equal "$(stat_in box /dev/mine)" "block special file 0 0 640" "the node"
    ctl detach box "/dev/loop$first"
    wait_until 5 is "" grants box
    not in_box box test -e /dev/mine
}

@test "a container that ended meanwhile, and one whose notes are damaged, are not there" {
    local note
    share_loops 1 '*'
    loop_add "$first"
    start_daemon
    for name in ended damaged good; do
        start_box "$name"
        register "$name" >/dev/null
    done
    kill_daemon
    stop_box ended
    sed -i 's/"pid":[0-9]*/"pid":1/' "$runtime/containers/damaged/container"
    start_daemon
    assert_equal "$(call ListContainers | jq -r '.containers[].name')" good "containers"
    assert_equal "$(ls "$runtime/containers")" good "notes"
    grep -q 'damaged.*checksum' "$work/devolved.log"
    not opens_in damaged "/dev/loop$first"
    opens_in good "/dev/loop$first"
    register damaged
    wait_until 5 is "/dev/loop$first delivered" grants damaged
    opens_in damaged "/dev/loop$first"
}

@test "a device whose note is damaged is revoked, the others stay" {
    share_loops 2 box
    start_daemon
    start_box box
    register box
    loop_add "$first"
    loop_add $((first + 1))
    hears box add "$(loop_path $((first + 1)))"
    kill_daemon
    truncate -s 20 "$(grep -l "loop$first\"" "$runtime"/containers/box/[0-9]*)"
    start_daemon
    # it is given anew, by a node of its own
    wait_until 5 is "$(printf '/dev/loop%s delivered\n' "$first" $((first + 1)))" grants box
    assert_equal "$(event_count box add "$(loop_path $((first + 1)))")" 1 "events of the other one"
    opens_in box "/dev/loop$first"
}

@test "what a stopped daemon leaves goes with the containers" {
    share_loops 1 box
    start_daemon
    start_box box
    register box
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    stop_daemon
    opens_in box "/dev/loop$first"
    stop_box box
    start_daemon
    assert_equal "$(call ListContainers | jq -r '.containers | length')" 0 "containers"
    assert_equal "$(find "$runtime/nodes" -type b | wc -l)" 0 "nodes in the store"
    stop_daemon
    assert_equal "$(grep -c "$runtime" /proc/self/mountinfo)" 0 "mounts"
}

# Plugs and unplugs four loop devices from $first on, at random and all the time.
storm() {
    exec perl -e 'my ($first) = @ARGV;
        open my $control, "+<", "/dev/loop-control" or die "loop-control: $!\n";
        for (;;) {
            my $number = $first + int rand 4;
            ioctl $control, (-e "/sys/devices/virtual/block/loop$number" ? 0x4C81 : 0x4C80), $number + 0;
            select undef, undef, undef, rand 0.004;
        }' "$first"
}

# What is there and given, as `grants` shows it.
present() {
    local i
    for i in 0 1 2 3; do
        [[ ! -e /sys$(loop_path $((first + i))) ]] || echo "/dev/loop$((first + i)) delivered"
    done
}

delivered_is_present() {
    [[ $(grants "$1") == "$(present)" ]]
}

# What is inside is what is given, and nothing else is anywhere.
all_is_right_in() {
    local name=$1 group=$2 i node
    for i in 0 1 2 3; do
        node=/dev/loop$((first + i))
        if [[ -e /sys$(loop_path $((first + i))) ]]; then
            opens_in "$name" "$node" || fail "$node does not open in $name"
            in_box "$name" test "$node" -ef "/dev/st/$i" || fail "no link to $node in $name"
            [[ -z $group ]] || cgroup_v1_has "$group" "b 7:$((first + i)) rw" || fail "$node is not allowed in $group"
        else
            not in_box "$name" test -e "$node"
            not in_box "$name" test -L "/dev/st/$i"
            [[ -z $group ]] || not grep -q "b 7:$((first + i)) " "$group/devices.list"
        fi
    done
}

@test "killed at random moments of a storm: what is delivered is what is there and has a right" {
    local round storm group=
    for round in 0 1 2 3; do
        echo "KERNEL==\"loop$((first + round))\", CONTAINER+=\"c*\", SYMLINK+=\"st/$round\""
        note loop $((first + round))
    done | rule_file 10-test.rules
    start_daemon
    if [[ -n $cgroup_v1 ]]; then
        cgroup_make v1 c1
        group=$cgroup
        cgroup_v1_restrict "$group"
        start_box c1 --cgroup-v1 "$group"
    else
        start_box c1
    fi
    start_box c2
    register c1
    register c2
    in_background storm
    storm=$background
    for ((round = 0; round < ${DEVOLVE_STORM_KILLS:-8}; round++)); do
        kill -CONT "$storm"
        perl -e 'select undef, undef, undef, rand 0.2' # the moment is what is at random here
        kill_daemon
        perl -e 'select undef, undef, undef, rand 0.05'
        start_daemon
        kill -STOP "$storm"
        wait_until 5 delivered_is_present c1
        wait_until 5 delivered_is_present c2
        all_is_right_in c1 "$group"
        all_is_right_in c2 ""
        assert_equal "$(find "$runtime/nodes" -type b | wc -l)" "$((2 * $(present | wc -l)))" "nodes in the store"
    done
    end_process "$storm" KILL
}

# makes_no_node NAME: root inside, who may make nodes, opens nothing by one of its own.
makes_no_node() {
    not in_box "$1" sh -c "rm -f /dev/mine; mknod /dev/mine b 7 $first && dd if=/dev/mine of=/dev/null count=0 status=none"
}

# start_in_group v1|v2: a box that is root on the host too, in a device cgroup, with the device. The group is in $cgroup.
start_in_group() {
    share_loops 1 box
    loop_add "$first"
    start_daemon
    cgroup_make "$1" box
    if [[ $1 == v2 ]]; then
        attach_filter "$cgroup" runc multi
    else
        cgroup_v1_restrict "$cgroup" "b *:* m"
    fi
    start_box box --no-userns "--cgroup-$1" "$cgroup"
    makes_no_node box
    register box
    wait_until 5 opens_in box "/dev/loop$first"
}

@test "whoever else is in the container's group when the next daemon begins, it takes back what was allowed" {
    start_in_group v2
    kill_daemon
    in_background sh -c "echo \$\$ >'$cgroup/cgroup.procs'; exec sleep 100"
    wait_until 5 grep -qx "$background" "$cgroup/cgroup.procs"
    start_daemon
    opens_in box "/dev/loop$first"
    end_process "$background" KILL
    rule_file 10-test.rules <<<'KERNEL=="nothing", CONTAINER+="box"'
    ctl reload
    wait_until 5 is "" grants box
    makes_no_node box
    ctl unregister box
    makes_no_node box
}

# opens_in_group: whether a process in $cgroup may open the device, by a node on a tmpfs of the test's.
opens_in_group() {
    (
        echo "$BASHPID" >"$cgroup/cgroup.procs"
        exec dd "if=$work/node" of=/dev/null count=0 status=none
    )
}

group_is_closed_after_an_end() {
    start_in_group "$1"
    mknod "$work/node" b 7 "$first"
    opens_in_group
    kill_daemon
    stop_box box
    start_daemon
    assert_equal "$(call ListContainers | jq '.containers | length')" 0 "containers"
    not opens_in_group
}

@test "a container that ended meanwhile leaves nothing in a v1 group that lives on" {
    group_is_closed_after_an_end v1
}

@test "a container that ended meanwhile leaves nothing in a v2 group that lives on" {
    group_is_closed_after_an_end v2
}

# rewrite_note FILE JQ-FILTER: with the checksum that belongs to it.
rewrite_note() {
    /usr/bin/python3 -I -S - "$1" "$(tail -n +2 "$1" | jq -c "$2")" <<'PYTHON'
import sys
path, body = sys.argv[1:]
total = 0xcbf29ce484222325
for byte in body.encode():
    total = ((total ^ byte) * 0x100000001b3) % 2**64
open(path, "w").write(f"{total:016x}\n{body}")
PYTHON
}

@test "notes that say what they never would harm nobody" {
    local filter filters=('.engine.attachments = ["/dev/x"]' '.engine.attachments = [{}]' '.engine.labels = {}' '.engine = []'
        '.door = 7' '.door.gates = [[]]' '.door.directories = ["/etc", 7]' '.door.pid = -1' '.door.start_time = "now"'
        '.door.gates.v1 = [{"group": "/", "group_id": 1, "kind": 2, "major": 7, "minor": 1, "access": 7}]')
    share_loops 1 '*'
    loop_add "$first"
    start_daemon
    start_box box
    start_box good
    register good
    for filter in "${filters[@]}"; do
        register box >/dev/null
        loop_add $((first + 1))
        ctl attach box "/dev/loop$((first + 1))"
        kill_daemon
        rewrite_note "$runtime/containers/box/container" "$filter"
        start_daemon
        loop_remove $((first + 1))
        assert_equal "$(grants good)" "/dev/loop$first delivered" "grants of the other one, after $filter"
        register box >/dev/null
        wait_until 5 is "/dev/loop$first delivered" grants box
        opens_in box "/dev/loop$first"
    done
    for filter in '.engine.grant.node = "/etc/passwd"' '.engine.grant = 7' '.engine.word = {"id": "../x"}' '.door.links = [7]' \
        '.door.links = [{"path": "/etc/passwd"}]' '.engine.certain = "yes"' 'del(.engine.announcement)'; do
        kill_daemon
        rewrite_note "$(find "$runtime/containers/box" -name '[0-9]*')" "$filter"
        start_daemon
        wait_until 5 is "/dev/loop$first delivered" grants box
        opens_in box "/dev/loop$first"
        assert_equal "$(grants good)" "/dev/loop$first delivered" "grants of the other one, after $filter"
    done
}
