# shellcheck shell=dash disable=SC2154 # here and heads are set by others
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A container that runs systemd, and a udevd of its own with it: that one hears the kernel's events and does the rest by
# its own rules. Nothing is seen there of what devolved does in its place elsewhere. Until it is stopped.

inner_rounds=2

# What no other udevd does.
make_inner_rules() {
    enter /bin/sh -c 'mkdir -p /run/udev/rules.d && cat >/run/udev/rules.d/99-inside.rules' <<'RULES'
ENV{INSIDE}="made inside"
SUBSYSTEM=="tty", SUBSYSTEMS=="usb", GROUP="video", MODE="0624", SYMLINK+="inside-%k"
RULES
}

# owner_inside SUBSYSTEM: what the rules inside, which are Debian's and the above, make of a node's owner and mode.
owner_inside() {
    case $1 in
    tty) echo "100000:100044 624" ;;
    usb) echo "100000:100000 664" ;;
    block | scsi_generic) echo "100000:100006 660" ;;
    input) echo "100000:100101 660" ;;
    *) echo "100000:100000 600" ;; # they say nothing of it: as devolve made it
    esac
}

# devices_of HEAD...: "SUBSYSTEM RECORD NODE" of each, and of all below it: the name of its record, and of its node if
# it has one, else "-".
devices_of() {
    {
        find "$@" -name subsystem -type l -exec ls -l {} + | sed 's|^.* \(/.*\)/subsystem -> .*/|subsystem \1 |'
        find "$@" -name dev -type f -exec grep -H . {} + | sed 's|^\(.*\)/dev:|number \1 |'
        find "$@" -name uevent -type f -exec grep -H '^DEVNAME=' {} + | sed 's|^\(.*\)/uevent:DEVNAME=|node \1 |'
    } | awk '
        { value[$1, $2] = $3 }
        $1 == "subsystem" { subsystem[$2] = $3 }
        END {
            for (path in subsystem) {
                name = path
                sub(".*/", "", name)
                number = value["number", path]
                record = number == "" ? "+" subsystem[path] ":" name : (subsystem[path] == "block" ? "b" : "c") number
                print subsystem[path], record, value["node", path] == "" ? "-" : value["node", path]
            }
        }' | sort
}

# nodes_are_right HEAD...: owner and mode are those of the rules inside.
nodes_are_right() {
    local subsystem record node
    devices_of "$@" | while read -r subsystem record node; do
        [ "$node" = - ] || echo "$(inside "/dev/$node") $(owner_inside "$subsystem")"
    done >/run/test/expected
    cut -d ' ' -f 1 /run/test/expected | xargs stat -c '%n %u:%g %a' >/run/test/found
    [ -s /run/test/expected ] && same /run/test/expected /run/test/found
}

# records_are INSIDE MODE HEAD...: each device has a record, which the udevd inside made (1) or did not (0).
records_are() {
    local made=$1 mode=$2 data
    data=$(inside /run/udev/data)
    shift 2
    devices_of "$@" | cut -d ' ' -f 2 | sort -u | sed "s|^|$data/|" >/run/test/records
    xargs grep -Hcx 'E:INSIDE=made inside' </run/test/records | sed 's/:\([0-9]*\)$/ \1/' >/run/test/found
    xargs stat -c '%n %u:%g %a' </run/test/records >>/run/test/found
    sed "s/.*/& $made\n& 100000:100000 $mode/" /run/test/records | sort >/run/test/expected
    sort -o /run/test/found /run/test/found
    [ -s /run/test/expected ] && same /run/test/expected /run/test/found
}

made_inside() {
    records_are 1 644 "$@"
}

made_by_devolve() {
    records_are 0 444 "$@"
}

# By the mode: udevd's own are writable.
no_record_is_ours() {
    find "$(inside /run/udev/data)/" -type f -perm 444 >/run/test/ours
    not grep . /run/test/ours
}

# links_lead HEAD...: the links that the records name are there and lead to their nodes; each kind has one by its serial
# number, and ttys those of the rule inside.
links_lead() {
    local data dev record node link
    data=$(inside /run/udev/data)
    dev=$(inside /dev)
    devices_of "$@" | while read -r _ record node; do
        [ "$node" = - ] || sed -n "s|^S:\(.*\)|\1 $node|p" "$data/$record"
    done >/run/test/links
    while read -r link node; do
        [ "$dev/$link" -ef "$dev/$node" ] || { echo "$link does not lead to $node"; return 1; }
    done </run/test/links
    has_links disk/by-id/.*DEVOLVE-storage.*-part1 input/by-id/.*DEVOLVE-keyboard.* input/by-id/.*DEVOLVE-mouse.* \
        serial/by-id/.*DEVOLVE-serial.* serial/by-id/.*DEVOLVE-gadget.* inside-ttyUSB. inside-ttyACM.
}

has_links() {
    local pattern
    for pattern; do
        grep -q "^$pattern " /run/test/links || { echo "no link $pattern"; return 1; }
    done
}

# All of devices that there is inside: nodes and links, records, and what is mounted, also where only its udevd sees it
# (which has other peer groups each time that it is started).
note_inside() {
    {
        nodes_in box
        ls "$(inside /run/udev/data)"
        mounts_of "$(pid_of box)"
        mounts_of "$(service_pids systemd-udevd | head -n 1)"
    } | sed 's/ \(shared\|master\):[0-9]*//g' >"/run/test/inside.$1"
}

inside_is_as_before() {
    note_inside now
    same /run/test/inside.before /run/test/inside.now
}

is_set_up() {
    nodes_are_right "$@" && made_inside "$@" && no_record_is_ours
}

# monitor_heard KIND: "ACTION DEVPATH" of each line of this kind of the monitor's.
monitor_heard() {
    sed -n "s/^$1 *\[[0-9.]*\] *\([a-z]*\) *\([^ ]*\) (.*$/\1 \2/p" "$(inside /run/monitor.log)"
}

# heard_once KIND: what the monitor printed are the events of the host's kernel, each once.
heard_once() {
    # shellcheck disable=SC2086 # words
    tail -n "+$first_line" /run/test/host.log >/run/test/since.log &&
        heard since $heads | cut -d ' ' -f 1-2 >/run/test/host.events
    monitor_heard "$1" >/run/test/inside.events
    sort /run/test/host.events >/run/test/host.sorted
    sort /run/test/inside.events >/run/test/inside.sorted
    [ -s /run/test/host.sorted ] && same /run/test/host.sorted /run/test/inside.sorted
}

# As with the listener of other containers: nodes of input devices are given later.
heard_in_order() {
    heard_once KERNEL || return 1
    for file in host inside; do
        grep -v '/input/input[0-9]*/[a-z]*[0-9]*$' /run/test/$file.events >/run/test/order.$file
    done
    same /run/test/order.host /run/test/order.inside
}

start_monitor() {
    start_service monitor /usr/bin/udevadm monitor --kernel --udev || return 1
    wait_until service_says monitor '^KERNEL - ' || return 1
    first_line=$(($(wc -l </run/test/host.log) + 1))
}

status_says() {
    "$here/ours" devolvectl status box >/run/test/status
    grep "udev  *$1:" /run/test/status || { cat /run/test/status; return 1; }
}

becomes() {
    wait_until "$@" >/dev/null || "$@"
}

inner_round() {
    plug_all || return 1
    # shellcheck disable=SC2086 # words
    becomes is_set_up $heads && becomes heard_once UDEV && links_lead $heads || return 1
    unplug_all && becomes heard_once UDEV && becomes inside_is_as_before
}

inner_all_rounds() {
    local number=0
    while [ $number -lt $inner_rounds ]; do
        number=$((number + 1))
        inner_round || { echo "in round $number"; return 1; }
    done
}

# A device that is there before the container's udevd: devolve described it until that came.
there_first() {
    usb_plug keyboard 2 usb-kbd && wait_until has_come keyboard && settle || return 1
    start_init_box && make_inner_rules || return 1
    check "systemd: until its udevd comes, devolve describes what is there" becomes made_by_devolve "$head_keyboard"
    check "systemd: status says so" status_says devolve
    check "systemd: it starts" let_init_go || enter /usr/bin/systemctl --no-pager --failed
    check "systemd: status says that it runs a udevd" status_says inside
    check "systemd: what was there first is left to its udevd" becomes is_set_up "$head_keyboard"
    unplug keyboard && wait_until gone "$head_keyboard" && settle
    check "systemd: of what was there first nothing is left" becomes no_record_is_left
}

no_record_is_left() {
    not grep -l "DEVOLVE-" "$(inside /run/udev/data)"/* 2>/dev/null && gone "$(inside /dev/input/by-id)"
}

opens_and_lists() {
    local link
    link=$(ls "$(inside /dev/disk/by-id)" | grep 'DEVOLVE-storage.*-part1$')
    as_service /usr/bin/dd if="/dev/disk/by-id/$link" of=/dev/null count=1 &&
        as_service /usr/bin/lsusb -v -s "$(cat "$head_serial/busnum"):$(cat "$head_serial/devnum")" |
        grep 'iSerial .* DEVOLVE-serial'
}

knows_inside() {
    enter /usr/bin/udevadm info /dev/inside-ttyUSB0 | grep '^E: INSIDE=made inside'
}

# It says so when it has seen both.
hotplug_saw_both() {
    printf 'Device attached: 0403:6001\nDevice detached\n' >/run/test/both
    same /run/test/both "$(inside /run/hotplug.log)"
}

programs_under_systemd() {
    start_service hotplug /usr/local/bin/hotplugtest-udev 0x0403 0x6001 && wait_until service_waits hotplug &&
        plug_all || return 1
    # shellcheck disable=SC2086 # words
    becomes is_set_up $heads || return 1
    check "systemd: a disk opens in a service, lsusb reads the device's strings" opens_and_lists
    check "systemd: udevadm info has what the rule inside says" knows_inside
    unplug_all || return 1
    check "systemd: libusb reports arrival and departure" becomes hotplug_saw_both
}

has_marker() {
    [ "$(stat -c '%F %a' "$(inside /run/udev/control)")" = "regular empty file 444" ]
}

# Its udevd ends, and comes back.
without_its_udevd() {
    plug keyboard && wait_until has_come keyboard && settle && becomes is_set_up "$head_keyboard" || return 1
    enter /usr/bin/systemctl stop systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd.service
    check "systemd: its udevd ends: devolve is there in its place" becomes status_says devolve
    check "systemd: and makes the marker for who looks for a udev" becomes has_marker
    check "systemd: what its udevd wrote stays" made_inside "$head_keyboard"
    plug serial && wait_until has_come serial && settle || return 1
    check "systemd: devolve describes then" becomes made_by_devolve "$head_serial"
    check "systemd: and sends one event of udev's for each" becomes heard_once UDEV
    enter /usr/bin/systemctl start systemd-udevd.service
    check "systemd: its udevd comes again: it is left to that" becomes status_says inside
    check "systemd: with what is there" becomes is_set_up "$head_serial" "$head_keyboard"
    unplug serial && unplug keyboard && wait_until gone "$head_serial" && wait_until gone "$head_keyboard" && settle
    check "systemd: nothing is left" becomes inside_is_as_before
}

# All kinds of devices but a network interface, of which the container's udevd has no node.
systemd() {
    local first_line='' kinds="storage keyboard mouse serial gadget"
    local heads="$head_storage $head_keyboard $head_mouse $head_serial $head_gadget"
    mount_debian || return 1
    rules_are <<'RULES'
SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{serial}=="DEVOLVE-*", CONTAINER+="box", OPTIONS+="subtree"
RULES
    there_first && note_inside before && start_monitor || return 1
    check "systemd: plugged and unplugged $inner_rounds times: nodes, records and links by its udevd, then none" \
        inner_all_rounds
    programs_under_systemd
    check "systemd: one line KERNEL for each event, in the kernel's order" becomes heard_in_order
    check "systemd: one line UDEV for each event" becomes heard_once UDEV
    check "systemd: nothing is left inside" becomes inside_is_as_before
    without_its_udevd
    kill_container box
    umount "$debian"
}
