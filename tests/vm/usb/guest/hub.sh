# shellcheck shell=dash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A hub with two devices behind it. A rule names the hub alone; one of the devices goes and comes again.

hub_has() {
    there "$hub" "*-5.$1/$2"
}

hub_lacks() {
    ! there "$hub" "*-5.$1"
}

# stage SENTENCE: the nodes inside are those of the hub and all that is behind it.
stage() {
    settle
    wait_until has_only box "$hub" >/dev/null
    check "hub: $1" has_all box "$hub"
}

hub() {
    start_container box || return 1
    rules_are <<RULES
SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{serial}=="DEVOLVE-hub", CONTAINER+="box", OPTIONS+="subtree"
RULES
    usb_plug hub 5 usb-hub && wait_until there "/sys/bus/usb/devices/1-5" 1-5:1.0/driver || return 1
    hub=$(usb_at 5)
    usb_plug behind 5.1 usb-kbd && usb_plug tty 5.2 usb-serial,chardev=null,always-plugged=on || return 1
    wait_until hub_has 1 '*/*/input/input*/event*' && wait_until hub_has 2 '*/ttyUSB*/tty/ttyUSB*' || return 1
    stage "both devices behind it come with it"
    usb_unplug behind && wait_until hub_lacks 1 || return 1
    stage "one of them goes, the other stays"
    usb_plug behind 5.1 usb-kbd && wait_until hub_has 1 '*/*/input/input*/event*' || return 1
    stage "it comes again"
    usb_unplug hub && wait_until gone "$hub" && settle
    wait_until has_heard box remove "$hub" 1
    check "hub: nothing is left inside when it goes" as_before box
    check "hub: each node opens when its add is read" opened_at_add box "$hub" 7
    check "hub: no node opens when its remove is read" closed_at_remove box "$hub" 7
    check "hub: events are the kernel's" heard_as_on_host box "$hub"
    check "hub: parents came first and went last" in_tree_order box
    kill_container box
}
