#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What libudev finds in a container that runs no udevd: udevadm, which nobody here wrote, in a box with its own
# /run, beside a host with and without a real systemd-udevd.

load common

setup() {
    common_setup
    command -v udevadm >/dev/null || skip "udevadm is not installed"
    first=$(loop_first)
    make_host
}

# What udev finds out of the loop device: some of it is for the host alone.
udev_rules() {
    cat <<RULES
KERNEL=="loop$first", ENV{ID_TEST}="A5", ENV{SYSTEMD_WANTS}="x.service", ENV{ID_SEAT}="seat0"
KERNEL=="loop$first", TAG+="lab", TAG+="systemd", TAG+="uaccess", SYMLINK+="disk/by-test/a5 disk/by-test/other"
RULES
}

# The box and a monitor of udev's events in it, opened before there is any device.
box_with_monitor() {
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\", SYMLINK+=\"disk/by-test/a5\""
    start_daemon
    start_box box "$@"
    register box
    start_monitor
}

start_monitor() {
    in_background in_box box env SYSTEMD_IGNORE_CHROOT=1 udevadm monitor --udev --kernel --property \
        >"$work/monitor.log" 2>&1
    wait_until 10 grep -q '^KERNEL - ' "$work/monitor.log"
    wait_until 10 monitor_listens
}

# Whether udevadm has bound both its sockets: to the kernel's group and to udev's.
monitor_listens() {
    local groups
    groups=$(in_box box cat /proc/net/netlink | awk '$2 == 15 { print $4 }' | sort -u | xargs)
    [[ $groups == *"00000001"*"00000002"* ]]
}

# monitored SOURCE ACTION: how many such events of the device were seen.
monitored() {
    grep -c "^$1 *\[.*\] $2 .*/loop$first " "$work/monitor.log" || true
}

# message SOURCE ACTION: the properties of the first such event, sorted.
message() {
    awk -v head="^$1 *\\[.*\\] $2 .*/loop$first " '
        $0 ~ head { found = 1; next }
        found && /^$/ { exit }
        found' "$work/monitor.log" | sort
}

# What udevadm says of the device, in the box.
info() {
    in_box box env SYSTEMD_IGNORE_CHROOT=1 udevadm info "/dev/loop$first"
}

record_in_box() {
    echo "/run/udev/data/b$(number_of "$(loop_path "$first")")"
}

@test "with a udevd on the host the device is initialised inside, with what is true there" {
    start_udevd < <(udev_rules)
    box_with_monitor
    loop_add "$first"
    wait_until 10 is 1 monitored UDEV add
    assert_equal "$(monitored KERNEL add)" 1 "KERNEL lines"

    local said
    said=$(message UDEV add)
    assert_contains "$said" "ID_TEST=A5" "the message"
    assert_contains "$said" "DEVLINKS=/dev/disk/by-test/a5"$'\n' "the message"
    assert_contains "$said" "TAGS=:lab:" "the message"
    not grep -E 'SYSTEMD_WANTS|ID_SEAT|uaccess|by-test/other' <<<"$said"

    info >"$work/info.log"
    assert_contains "$(<"$work/info.log")" "E: ID_TEST=A5" "udevadm info"
    assert_contains "$(<"$work/info.log")" "E: USEC_INITIALIZED=" "udevadm info"
    assert_contains "$(<"$work/info.log")" "S: disk/by-test/a5" "udevadm info"
    assert_contains "$(<"$work/info.log")" "E: CURRENT_TAGS=:lab:" "udevadm info"
    not grep -E 'SYSTEMD_WANTS|ID_SEAT|uaccess|by-test/other' "$work/info.log"
    in_box box test -e "/run/udev/tags/lab/b$(number_of "$(loop_path "$first")")"
    assert_equal "$(stat_in box "$(record_in_box)")" "regular file 0 0 444" "the record"
}

@test "what goes leaves no record and no directory, and udev says so once" {
    local record
    start_udevd < <(udev_rules)
    box_with_monitor
    loop_add "$first"
    record=$(record_in_box)
    wait_until 10 is 1 monitored UDEV add
    loop_remove "$first"
    wait_until 10 is 1 monitored UDEV remove
    assert_contains "$(message UDEV remove)" "ID_TEST=A5" "the remove"
    assert_equal "$(monitored KERNEL remove)" 1 "KERNEL lines"
    not in_box box test -e "$record"
    assert_equal "$(in_box box find /run/udev -mindepth 1)" /run/udev/control "what is left in /run/udev"
    ctl unregister box
    not in_box box test -e /run/udev
}

@test "each change is followed by one of udev's, with what udev found then" {
    start_udevd < <(udev_rules)
    box_with_monitor
    loop_add "$first"
    wait_until 10 is 1 monitored UDEV add
    sed -i 's/"A5"/"B6"/' "$host_rules/90-test.rules"
    (in_host udevadm control --reload)
    echo change >"/sys$(loop_path "$first")/uevent"
    wait_until 10 is 1 monitored UDEV change
    assert_equal "$(monitored KERNEL change)" 1 "KERNEL lines"
    assert_contains "$(message UDEV change)" "ID_TEST=B6" "the message"
    assert_contains "$(info)" "E: ID_TEST=B6" "udevadm info"
}

@test "without a udevd on the host the kernel's word is enough, at once" {
    box_with_monitor
    loop_add "$first"
    wait_until 10 is 1 monitored UDEV add
    assert_contains "$(message UDEV add)" "DEVNAME=/dev/loop$first" "the message"
    assert_contains "$(info)" "E: USEC_INITIALIZED=" "udevadm info"
    loop_remove "$first"
    wait_until 10 is 1 monitored UDEV remove
}

@test "where the kernel itself tells the container, udev's events are still ours" {
    start_udevd < <(udev_rules)
    box_with_monitor --netns native
    loop_add "$first"
    wait_until 10 is 1 monitored UDEV add
    # The kernel's own event comes from a root that this container's user namespace does not have: udevadm drops it.
    assert_equal "$(event_count box add "$(loop_path "$first")")" 1 "events of the kernel"
    assert_contains "$(info)" "E: ID_TEST=A5" "udevadm info"
    loop_remove "$first"
    wait_until 10 is 1 monitored UDEV remove
}

@test "a device that is present when the container is registered is initialised when register returns" {
    start_udevd < <(udev_rules)
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\""
    loop_add "$first"
    (in_host udevadm settle --timeout=10)
    start_daemon
    start_box box
    register box
    assert_contains "$(info)" "E: ID_TEST=A5" "udevadm info"
}

@test "a daemon that knows nothing of its predecessor leaves nothing of a device that has gone" {
    local record
    start_udevd < <(udev_rules)
    box_with_monitor
    loop_add "$first"
    record=$(record_in_box)
    wait_until 10 is 1 monitored UDEV add
    in_box box test -e "$record"
    kill_daemon
    rm -r "$runtime/containers"
    loop_remove "$first"
    start_daemon
    register box
    assert_equal "$(in_box box find /run/udev -type f)" /run/udev/control "the files in /run/udev"
    ctl unregister box
    not in_box box test -e /run/udev
}

@test "a daemon that takes over keeps the records, also when the container is registered again" {
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\""
    loop_add "$first"
    start_daemon
    start_box box
    register box
    in_box box touch -d @1000000000 "$(record_in_box)"
    kill_daemon
    start_daemon
    register box
    assert_equal "$(in_box box stat -c %Y "$(record_in_box)")" 1000000000 "when the record was written"
    ctl unregister box
    not in_box box test -e /run/udev
}

# What is asked of a udevd: it listens on udev's control socket, and to the kernel. It ends when it reads a line.
fake_udevd() {
    in_box box /usr/bin/python3 -I -S -c '
import os, socket, sys
kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)
kernel.bind((0, 1))
control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
os.unlink("/run/udev/control")
control.bind("/run/udev/control")
control.listen()
sys.stdin.readline()'
}

@test "a udevd that comes to the container gets the adds, and its records are its own" {
    box_with_monitor
    loop_add "$first"
    wait_until 10 is 1 monitored UDEV add
    assert_equal "$(container_fact box udev)" kernel "who does what udev does" # no udevd runs on this host
    hold_open udevd
    in_background fake_udevd <"$work/udevd.stdin"
    wait_until 10 is 2 monitored KERNEL add
    assert_equal "$(container_fact box udev)" inside "who does what udev does"
    not in_box box test -e "$(record_in_box)"
    loop_remove "$first"
    wait_until 10 is 1 monitored KERNEL remove
    assert_equal "$(monitored UDEV remove)" 0 "udev's events beside those of the udevd inside"
    loop_add "$first"
    wait_until 10 is 3 monitored KERNEL add
    assert_equal "$(monitored UDEV add)" 1 "udev's events beside those of the udevd inside"

    echo end >"$work/udevd.stdin"
    wait_until 10 in_box box test -e "$(record_in_box)"
    assert_equal "$(monitored UDEV add)" 1 "udev's events of a device that has not changed"
}

# What a program without rights can do: a name that makes a line of its own in /proc/net/unix, and a control socket in
# a mount namespace of its own. It ends when it reads a line.
false_udevd() {
    in_box box unshare --mount /usr/bin/python3 -I -S -c '
import ctypes, os, socket, sys
ctypes.CDLL(None, use_errno=True).mount(b"none", b"/run", b"tmpfs", 0, None)
os.mkdir("/run/udev")
os.chown("/run/udev", 1000, 1000)
os.setgroups([])
os.setgid(1000)
os.setuid(1000)
kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)
kernel.bind((0, 1))
kept = []
for name in "/run/udev/control", "\0x\n0000000000000000: 00000002 00000000 00010000 0005 01 12345 /run/udev/control":
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.bind(name)
    control.listen()
    kept.append(control)
print("bound", flush=True)
sys.stdin.readline()' >"$work/false.log"
}

@test "a program without rights that passes for a udevd is none" {
    box_with_monitor
    loop_add "$first"
    wait_until 10 is 1 monitored UDEV add
    hold_open false
    in_background false_udevd <"$work/false.stdin"
    wait_until 10 grep -q bound "$work/false.log"
    [[ $(in_box box cat /proc/net/unix | grep -c ' /run/udev/control$') -ge 2 ]]
    echo change >"/sys$(loop_path "$first")/uevent"
    wait_until 10 is 1 monitored UDEV change
    assert_equal "$(container_fact box udev)" kernel "who does what udev does"
    in_box box test -e "$(record_in_box)"
    assert_equal "$(monitored KERNEL add)" 1 "adds"
    echo end >"$work/false.stdin"
}

@test "a container whose /run cannot be written gets everything else, and status says so" {
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\""
    start_daemon
    start_box box
    in_box box mount -t tmpfs -o ro read-only /run
    register box
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    wait_until 10 is "/dev/loop$first delivered" grants box
    assert_contains "$(ctl status box)" "/run/udev inside cannot be made: Read-only file system" "status"
    loop_remove "$first"
    hears box remove "$(loop_path "$first")"
    wait_until 10 is "" grants box
}

@test "a container in the host's network namespace is left to the host's udev" {
    daemon_under=() # the machine itself is the host, whose namespace the box has
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box\""
    start_daemon
    start_box box --netns host
    register box
    loop_add "$first"
    wait_until 10 is "/dev/loop$first delivered" grants box
    not in_box box test -e /run/udev
}

# Another container in the network namespace of the box, with a /run of its own.
start_neighbour() {
    in_background nsenter --target "${box_pid[box]}" --user --mount --net --setuid 0 --setgid 0 -- \
        unshare --mount -- sh -c 'mount -t tmpfs none /dev && mount -t tmpfs none /run && exec sleep 1000'
    box_pid[side]=$background
    wait_until 5 is sleep cat "/proc/$background/comm"
}

# udev_events ACTION: how many of udev's own messages the box heard.
udev_events() {
    awk -v action="action=$1" -v devpath="devpath=$(loop_path "$first")" '
        / groups=2 / { for (i = 1; i <= NF; i++) n += $i == action && $(i + 1) == devpath } END { print n + 0 }' \
        "${box_log[box]}"
}

@test "containers in one network namespace hear each of udev's events once and have each their record" {
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"box|side\""
    start_daemon
    start_box box -- "$helpers/listen" -p -2
    wait_until 5 grep -q '^ready' "${box_log[box]}"
    start_neighbour
    register box
    register side
    loop_add "$first"
    wait_until 10 in_box side test -e "$(record_in_box)"
    in_box box test -e "$(record_in_box)"
    ctl unregister box
    echo change >"/sys$(loop_path "$first")/uevent"
    wait_until 10 is 1 udev_events change
    assert_equal "$(udev_events add) $(udev_events remove)" "1 0" "adds and removes while one has it"
    kill -KILL "${box_pid[side]}"
    wait_until 10 is "" container_names
    register box
    wait_until 10 is 2 udev_events add
    loop_remove "$first"
    wait_until 10 is 1 udev_events remove
}

container_names() {
    call ListContainers | jq -r '.containers[].name'
}
