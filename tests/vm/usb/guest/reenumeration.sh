# shellcheck shell=dash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A board that restarts, as boards do from their boot loader: another product, another bus, another number of its tty,
# as a program inside still has the old one open. The program that waits inside (its listener) knows but the link.

# tty_events NAME ACTION: "D O": those of ttys, with the outcome of opening the link.
tty_events() {
    heard "$1" | awk -v action="$2" '$1 == action && $3 ~ /^ttyACM/ { print $3, $4 }'
}

board_is_there() {
    tty_events box add | grep -q "^$1 0$"
}

board_points_to() {
    readlink "/proc/$(pid_of box)/root/dev/board" | grep -x "\(/dev/\)\?$1"
}

# board_is_gone COUNT: for the COUNTth time; the link never opened then.
board_is_gone() {
    tty_events box remove >/run/test/removed
    [ "$(wc -l </run/test/removed)" = "$1" ] && not grep ' 0$' /run/test/removed
}

reenumeration() {
    local holder
    gadget_make board 0x2341 0x0036
    start_container box /dev/board || return 1
    rules_are <<RULES
SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{serial}=="DEVOLVE-board", CONTAINER+="box", OPTIONS+="subtree"
SUBSYSTEM=="tty", ATTRS{serial}=="DEVOLVE-board", CONTAINER=="box", SYMLINK+="board", GROUP="20", MODE="0660"
RULES
    gadget_plug board 0 && wait_until board_is_there ttyACM0 || return 1
    check "board: its link leads to its tty" board_points_to ttyACM0
    in_container box sh -c 'exec 7</dev/board && echo held && exec sleep 100000' >/run/test/holder 2>&1 &
    holder=$!
    wait_until grep -q '^held' /run/test/holder || return 1
    gadget_unplug board && wait_until board_is_gone 1
    check "board: its link does not open when its tty's remove is read" board_is_gone 1
    echo 0x8036 >/sys/kernel/config/usb_gadget/board/idProduct
    gadget_plug board 1 && wait_until board_is_there ttyACM1
    check "board: as another product on another bus it is found by the same link" board_points_to ttyACM1
    check "board: its tty has the group and mode of its own rule" \
        [ "$(stat -c '%u:%g %a' "/proc/$(pid_of box)/root/dev/ttyACM1")" = "100000:100020 660" ]
    kill $holder
    gadget_unplug board && wait_until board_is_gone 2 && settle
    wait_until as_before box >/dev/null
    check "board: nothing is left inside" as_before box
    kill_container box
}
