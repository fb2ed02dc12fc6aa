# shellcheck shell=dash disable=SC2154 # rounds is set by `test`
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# One device of each kind, all plugged in and all unplugged, again and again. Each has a name, the least number of its
# nodes, and what is below it when all of it has come.

kinds="storage keyboard mouse serial gadget network"

plug() {
    case $1 in
    storage) usb_plug storage 1 usb-storage,drive=stick ;;
    keyboard) usb_plug keyboard 2 usb-kbd ;;
    mouse) usb_plug mouse 3 usb-mouse ;;
    serial) usb_plug serial 4 usb-serial,chardev=null,always-plugged=on ;;
    gadget) gadget_plug gadget 0 ;;
    network) usb_plug network 7 usb-net,netdev=near ;;
    esac
}

unplug() {
    case $1 in
    gadget) gadget_unplug gadget ;;
    *) usb_unplug "$1" ;;
    esac
}

at() {
    case $1 in
    storage) usb_at 1 ;;
    keyboard) usb_at 2 ;;
    mouse) usb_at 3 ;;
    serial) usb_at 4 ;;
    gadget) gadget_at 0 ;;
    network) usb_at 7 ;;
    esac
}

last_part() {
    case $1 in
    storage) echo '*/host*/target*/*/block/sd*/sd*2' ;;
    keyboard) echo '*/*/input/input*/event*' ;;
    mouse) echo '*/*/input/input*/mouse*' ;;
    serial) echo '*/ttyUSB*/tty/ttyUSB*' ;;
    gadget) echo '*/tty/ttyACM*' ;;
    network) echo '*/net' ;; # what is in it moves
    esac
}

node_count() {
    case $1 in
    storage) echo 4 ;; # usbfs, disk, two partitions; and of drivers that differ: sg, bsg
    mouse) echo 3 ;;   # usbfs, event, mouse
    network) echo 1 ;; # usbfs
    *) echo 2 ;;
    esac
}

has_come() {
    local head
    head=$(at "$1")
    [ -n "$head" ] && there "$head" "$(last_part "$1")"
}

plug_all() {
    local kind
    for kind in $kinds; do
        plug "$kind" || return 1
    done
    for kind in $kinds; do
        wait_until has_come "$kind" || return 1
    done
    settle
}

unplug_all() {
    local kind head
    for kind in $kinds; do
        unplug "$kind" || return 1
    done
    for kind in $kinds; do
        eval "head=\$head_$kind"
        wait_until gone "$head" || return 1
    done
    settle
}

# Where they are, which is the same each time: in $heads, and in $head_KIND. The network interface has the name that
# udevd gave it.
note_heads() {
    local kind
    heads=
    for kind in $kinds; do
        eval "head_$kind=\$(at $kind)"
        heads="$heads $(at "$kind")"
    done
    interface=$(ls -d "$head_network"/*/net/*)
}

# The nodes of the host, without devolve: what they shall be like with it.
note_host() {
    gadget_make gadget 0x10c4 0xea60
    host_nodes >/run/test/host.empty
    plug_all || return 1
    note_heads
    host_nodes >/run/test/host.full
    unplug_all
}

host_is() {
    host_nodes >/run/test/host.nodes
    same "/run/test/host.$1" /run/test/host.nodes
}

host_gets() {
    wait_until host_is "$1" >/dev/null || host_is "$1"
}

told_of_all() {
    local kind head
    for kind in $kinds; do
        eval "head=\$head_$kind"
        has_heard host "$1" "$head" "$2" && has_heard box "$1" "$head" "$2" || return 1
    done
}

# round NUMBER: true where all was as it should be.
round() {
    plug_all && host_gets full || return 1
    # shellcheck disable=SC2086 # words
    wait_until has_only box $heads >/dev/null || has_all box $heads || return 1
    wait_until udev_told_all box >/dev/null || udev_told_all box || return 1
    unplug_all && host_gets empty || return 1
    wait_until told_of_all remove "$1" && wait_until as_before box
}

all_rounds() {
    local number=0
    while [ $number -lt "$rounds" ]; do
        number=$((number + 1))
        if ! round $number; then
            echo "in round $number of $rounds"
            return 1
        fi
    done
}

plugging() {
    local kind head
    start_container box || return 1
    rules_are <<RULES
SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{serial}=="DEVOLVE-*", CONTAINER+="box", OPTIONS+="subtree"
RULES
    check "plugged and unplugged $rounds times: all nodes inside, then none; the host's as without devolve" all_rounds ||
        return 1
    for kind in $kinds; do
        eval "head=\$head_$kind"
        check "$kind: each node opens when its add is read" opened_at_add box "$head" $((rounds * $(node_count "$kind")))
        check "$kind: no node opens when its remove is read" \
            closed_at_remove box "$head" $((rounds * $(node_count "$kind")))
    done
    # shellcheck disable=SC2086 # words
    check "the kernel's events are told inside once, in its order, and no others" heard_as_on_host box $heads
    check "udev's events follow inside" udev_told_all box
    check "each device's record is there when udev tells of it, and gone when it tells of its end" records_were_there box
    check "network: its interface comes when udevd has named it, and goes" \
        interface_comes_and_goes box "$interface" "$rounds"
    check "parents came first and went last" in_tree_order box
    check "nothing is left inside" as_before box
    kill_container box
}
