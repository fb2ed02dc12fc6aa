# shellcheck shell=dash disable=SC2154 # here is set by `test`
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A PCI function with what its driver makes of it, an NVMe disk; the slot is emptied and looked at again by hand.

pci_function() {
    grep -lx 0x010802 /sys/bus/pci/devices/*/class | sed 's|/class$||' | xargs readlink -f
}

pci_empty() {
    echo 1 >"$1/remove"
    wait_until gone "$1" && settle
}

pci_rescan() {
    echo 1 >/sys/bus/pci/rescan
    wait_until there "$1" 'nvme/nvme*/nvme*n1' && settle
}

pci() {
    local head disk
    start_container box || return 1
    rules_are <<RULES
SUBSYSTEM=="pci", ATTR{class}=="0x010802", CONTAINER+="box", OPTIONS+="subtree"
RULES
    head=$(pci_function)
    disk=$(ls -d "$head"/nvme/nvme*/nvme*n1)
    wait_until has_only box "$head" >/dev/null
    check "pci: a function that is there is given with all below it" has_all box "$head"
    pci_empty "$head" || return 1
    wait_until as_before box >/dev/null
    check "pci: nothing is left inside when it goes" as_before box
    pci_rescan "$head" || return 1
    wait_until has_only box "$head" >/dev/null
    check "pci: it comes again" has_all box "$head"
    pci_empty "$head" || return 1
    wait_until has_heard box remove "$head" 2
    # Its controller's own node answers "not yet" for a while, here as on the host.
    check "pci: the disk opens when its add is read" opened_at_add box "$disk" 2
    check "pci: no node opens when its remove is read" closed_at_remove box "$head" 4
    check "pci: parents came first and went last" in_tree_order box
    wait_until as_before box >/dev/null
    check "pci: nothing is left inside" as_before box
    kill_container box
}
