# shellcheck shell=dash disable=SC2154 # here is set by `test`
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Programs that nobody here wrote, in a container with Debian's root and without a udevd: what they see and do of a
# serial port, a disk and a keyboard. The serial port's line leads to another one that is the machine's.

debian=/run/test/debian

# Our own programs go where they are on this machine.
mount_debian() {
    local disk=/dev/disk/by-id/virtio-debian
    modprobe -a virtio_blk ext4
    wait_until [ -e $disk ] && mkdir -p $debian && mount -t ext4 -o noatime $disk $debian || return 1
    mkdir -p "$debian$here"
    cp "$here/listen" "$here/watch.py" "$debian$here"
}

# run_inside LOG COMMAND...: in the background; it ends with the container.
run_inside() {
    local log=/run/test/$1.log
    shift
    in_container box "$@" </dev/null >"$log" 2>&1 &
}

says() {
    grep -q -e "$2" "/run/test/$1.log"
}

# nsenter waits outside of the container for what it started inside; it leaves the cgroup, as nothing is given to a
# container whose cgroup holds others too.
outsiders_leave() {
    local pid
    while read -r pid; do
        [ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] ||
            echo "$pid" >/sys/fs/cgroup/cgroup.procs
    done </sys/fs/cgroup/box/cgroup.procs
}

# process_of PROGRAM: its number on this machine.
process_of() {
    local pid
    while read -r pid; do
        case $(readlink "/proc/$pid/exe") in */"$1") echo "$pid" ;; esac
    done </sys/fs/cgroup/box/cgroup.procs
}

# It waits for events: in poll(2), which is system call 7 here.
waits() {
    grep -q '^7 ' "/proc/$(process_of "$1")/syscall"
}

# It has opened a device of major number 189, which is usbfs.
holds_usb() {
    stat -L -c %t "/proc/$(process_of "$1")/fd/"* | grep -qx bd
}

listeners_are_ready() {
    waits hotplugtest-udev && waits hotplugtest-netlink && says monitor '^UDEV -' && says pyudev '^ready'
} 2>/dev/null

# They listen before anything is plugged in.
start_listeners() {
    run_inside hotplug-udev /usr/local/bin/hotplugtest-udev 0x0403 0x6001
    run_inside hotplug-netlink /usr/local/bin/hotplugtest-netlink 0x0403 0x6001
    run_inside monitor /usr/bin/udevadm monitor --udev --property --subsystem-match=tty
    run_inside pyudev /usr/bin/python3 "$here/watch.py" tty
    wait_until listeners_are_ready || { head /run/test/*.log; return 1; }
    outsiders_leave
}

# all_inside HEAD: every node of the device, and of what is below it.
all_inside() {
    find "$1/" -name dev -type f | while read -r file; do
        [ -e "/proc/$(pid_of box)/root/dev/$(sed -n 's/^DEVNAME=//p' "${file%/dev}/uevent")" ] || exit 1
    done
}

# plug_into_box NAME PORT LAST DEVICE[,OPTION...]: and waits until all of it is inside.
plug_into_box() {
    usb_plug "$1" "$2" "$4" && wait_until there "/sys/bus/usb/devices/[12]-$2" "$3" || return 1
    settle
    wait_until all_inside "$(usb_at "$2")"
}

# The other end of the line is the machine's.
plug_programs() {
    hmp "device_add usb-serial,id=peer,bus=xhci.0,port=7,serial=PEER,chardev=peer,always-plugged=on"
    wait_until there /sys/bus/usb/devices/1-7 '*/ttyUSB*/tty/ttyUSB*' || return 1
    plug_into_box serial 4 '*/ttyUSB*/tty/ttyUSB*' usb-serial,chardev=line,always-plugged=on &&
        plug_into_box storage 1 '*/host*/target*/*/block/sd*/sd*2' usb-storage,drive=stick &&
        plug_into_box keyboard 2 '*/*/input/input*/event*' usb-kbd
}

unplug_programs() {
    local name heads at
    heads="$(usb_at 4) $(usb_at 1) $(usb_at 2) $(usb_at 7)"
    for name in serial storage keyboard peer; do
        usb_unplug $name || return 1
    done
    for at in $heads; do
        wait_until gone "$at" || return 1
    done
    settle
}

# name_at PORT GLOB: of the device there below the one at the port.
name_at() {
    # shellcheck disable=SC2086 # it is a glob
    basename "$(ls -d "$(usb_at "$1")"/$2)"
}

# database DEVICE [COMMAND...]: what udevadm, run by the command, has of udev's properties and links of a device.
database() {
    local device=$1
    shift
    "$@" /usr/bin/udevadm info "$device" | sed -n '/^[SE]: \(ID_\|disk\|input\|serial\|bus\)/p' | sort
}

# knows_as_host DEVICE PATTERN: udevadm inside reads what it reads on the host, and among that this.
knows_as_host() {
    database "$1" >/run/test/database.host
    database "$1" in_container box >/run/test/database.inside
    same /run/test/database.host /run/test/database.inside && grep -e "$2" /run/test/database.inside
}

is_initialised() {
    in_container box /usr/bin/udevadm info "$1" >/run/test/info
    grep '^E: USEC_INITIALIZED=' /run/test/info && grep '^E: DEVLINKS=.*/by-id/' /run/test/info
}

# lists_with_strings DIRECTORY: the strings are read from the device itself, which must open for that.
lists_with_strings() {
    in_container box /usr/bin/lsusb -v -s "$(cat "$1/busnum"):$(cat "$1/devnum")" >/run/test/lsusb 2>&1
    grep 'idVendor .*0x0403' /run/test/lsusb && grep 'iSerial .* DEVOLVE-serial' /run/test/lsusb ||
        { cat /run/test/lsusb; return 1; }
}

# A line goes in and another comes back. Both ends are open before anything is sent.
bytes_pass() {
    local link=$1 peer=$2
    exec 7<>"/dev/$peer"
    stty raw -echo <&7
    # shellcheck disable=SC2016 # for the inner shell
    run_inside tty /bin/sh -c 'exec 3<>"$0"; stty raw -echo <&3; echo ready; head -n 1 <&3; echo outwards >&3' "$link"
    wait_until says tty '^ready' || return 1
    echo inwards >&7
    head -n 1 <&7 >/run/test/peer.log &
    exec 7>&-
    wait_until says tty '^inwards$' && wait_until says peer '^outwards$'
}

serial_port() {
    local tty link=serial/by-id/usb-QEMU_QEMU_USB_SERIAL_DEVOLVE-serial-if00-port0
    tty=$(name_at 4 '*/ttyUSB*')
    check "programs: libusb with udev opens a device when it comes" wait_until holds_usb hotplugtest-udev
    check "programs: libusb with netlink opens a device when it comes" wait_until holds_usb hotplugtest-netlink
    check "programs: udevadm monitor says that it comes" wait_until says monitor "^UDEV .* add .*/$tty (tty)"
    check "programs: with udev's properties" wait_until says monitor '^ID_SERIAL_SHORT=DEVOLVE-serial$'
    check "programs: with its links" wait_until says monitor "^DEVLINKS=.*/dev/$link"
    check "programs: pyudev's monitor has it initialised, with properties and links" wait_until \
        says pyudev "^add /dev/$tty True QEMU_QEMU_USB_SERIAL_DEVOLVE-serial .*/dev/$link"
    check "programs: udevadm info has it initialised" is_initialised "/dev/$link"
    check "programs: udevadm info knows a tty as on the host" knows_as_host "/dev/$tty" "^S: $link"
    check "programs: lsusb lists it with its strings" lists_with_strings "$(usb_at 4)"
    check "programs: bytes pass through the tty, in and out" \
        bytes_pass "/dev/$link" "$(name_at 7 '*/ttyUSB*')"
}

make_file_system() {
    in_container box /usr/sbin/mkfs.ext4 -q -F "$1"
}

# mount(2) of a disk is refused in a user namespace; debugfs needs none.
file_is_kept() {
    in_container box /usr/sbin/debugfs -w -R "write /usr/bin/udevadm file" "$1" &&
        in_container box /usr/sbin/debugfs -R "dump file /tmp/file" "$1" &&
        cmp $debian/usr/bin/udevadm "/proc/$(pid_of box)/root/tmp/file"
}

disk() {
    local link
    link=$(echo /dev/disk/by-id/usb-*_DEVOLVE-storage-*-part1)
    check "programs: udevadm info knows a partition as on the host" knows_as_host "$link" "^S: ${link#/dev/}"
    check "programs: mkfs makes a file system on it" make_file_system "$link"
    check "programs: a file is written and read back" file_is_kept "$link"
}

keyboard() {
    local event
    event=$(name_at 2 '*/*/input/input*/event*')
    check "programs: udevadm info knows a keyboard as on the host" \
        knows_as_host "/dev/input/$event" '^E: ID_INPUT_KEYBOARD=1'
    run_inside evtest /usr/bin/stdbuf -oL /usr/bin/evtest "/dev/input/$event"
    wait_until says evtest '^Testing' || cat /run/test/evtest.log
    outsiders_leave
    hmp 'sendkey a'
    check "programs: evtest sees a key pressed" wait_until says evtest '(EV_KEY).*(KEY_A), value 1'
    check "programs: evtest sees it released" wait_until says evtest '(EV_KEY).*(KEY_A), value 0'
}

# It ends by itself when it has seen both.
saw_both() {
    printf 'Device attached: 0403:6001\nDevice detached\n' >/run/test/both
    wait_until cmp -s /run/test/both "/run/test/$1.log" >/dev/null || same /run/test/both "/run/test/$1.log"
}

has_usb_entry() {
    [ -d "/proc/$(pid_of box)/root/dev/bus/usb/001" ]
}

has_no_bus() {
    [ ! -e "/proc/$(pid_of box)/root/dev/bus" ]
}

programs() {
    mount_debian || return 1
    rules_are <<'RULES'
SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{serial}=="DEVOLVE-*", CONTAINER+="box", OPTIONS+="subtree"
CONTAINER=="box", SYMLINK+="$links"
RULES
    start_container box "" $debian || return 1
    check "programs: /dev/bus/usb has an entry before anything is plugged in" has_usb_entry
    start_listeners && plug_programs || return 1
    serial_port
    disk
    keyboard
    unplug_programs || return 1
    check "programs: libusb with udev reports arrival and departure" saw_both hotplug-udev
    check "programs: libusb with netlink reports arrival and departure" saw_both hotplug-netlink
    check "programs: udevadm monitor says that it goes" wait_until says monitor '^UDEV .* remove .*/ttyUSB. (tty)'
    check "programs: pyudev's monitor says that it goes" wait_until says pyudev '^remove /dev/ttyUSB'
    wait_until as_before box >/dev/null
    check "programs: nothing is left inside" as_before box
    check "programs: /dev/bus/usb still has its entry" has_usb_entry
    "$here/ours" devolvectl unregister box >/dev/null
    check "programs: it goes when the container is unregistered" has_no_bus
    kill_container box
    umount $debian
}
