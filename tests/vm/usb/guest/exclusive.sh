# shellcheck shell=dash disable=SC2154 # here is set by `test`
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Two containers want one device, which only one may have: that of the first rule, though the other was there earlier.

refused_to() {
    "$here/ours" devolvectl status "$1" >/run/test/status
    grep "container $2 has it" /run/test/status || { cat /run/test/status; return 1; }
}

exclusive() {
    local head
    start_container second && start_container first || return 1
    rules_are <<RULES
SUBSYSTEM=="usb", ATTR{serial}=="DEVOLVE-one", CONTAINER+="first", OPTIONS+="subtree exclusive"
SUBSYSTEM=="usb", ATTR{serial}=="DEVOLVE-one", CONTAINER+="second", OPTIONS+="subtree exclusive"
RULES
    usb_plug one 6 usb-kbd && wait_until there "/sys/bus/usb/devices/1-6" '*/*/input/input*/event*' || return 1
    settle
    head=$(usb_at 6)
    wait_until has_only first "$head" >/dev/null
    check "exclusive: the container of the first rule has the device" has_all first "$head"
    check "exclusive: the other has nothing" as_before second
    check "exclusive: its status says who has it" refused_to second first
    kill_container first
    wait_until has_only second "$head" >/dev/null
    check "exclusive: when the first dies the second gets it" has_all second "$head"
    check "exclusive: each node opens when its add is read" opened_at_add second "$head" 3
    usb_unplug one && wait_until gone "$head" && settle
    wait_until as_before second >/dev/null
    check "exclusive: parents came first and went last" in_tree_order second
    check "exclusive: nothing is left inside" as_before second
    kill_container second
}
