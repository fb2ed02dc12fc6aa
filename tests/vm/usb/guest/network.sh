# shellcheck shell=dash disable=SC2154 # here is set by `test`
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A network interface on USB moves into a container, talks to a peer there, and comes home as it was, whatever became
# of it and of the container. The peer is the machine's other interface, in a network namespace of its own; the two are
# on one wire in QEMU.

start_peer() {
    local name
    name=$(ls /sys/bus/virtio/drivers/virtio_net/virtio*/net)
    unshare -n sleep 100000 &
    peer=$!
    wait_until not same_network $peer || return 1
    ip link set "$name" netns $peer &&
        nsenter -t $peer -n ip address add 192.0.2.1/24 dev "$name" && nsenter -t $peer -n ip link set "$name" up
}

same_network() {
    [ "$(readlink "/proc/$1/ns/net")" = "$(readlink /proc/self/ns/net)" ]
}

# What an interface of the host's is: name, MAC address, MTU, and whether it is up.
facts_of() {
    local dir=/sys/class/net/$1
    echo "$1 $(cat "$dir/address") $(cat "$dir/mtu") $(($(cat "$dir/flags") & 1))"
} 2>/dev/null

at_home() {
    [ -e "/sys/class/net/$home" ]
}

home_as_it_was() {
    facts_of "$home" >/run/test/facts.now
    same /run/test/facts /run/test/facts.now
}

inside() {
    [ -e "/proc/$(pid_of box)/root/sys/class/net/lan0" ]
}

inside_alone() {
    inside && not at_home
}

plug_network() {
    usb_plug network 7 usb-net,netdev=near && wait_until there /sys/bus/usb/devices/1-7 '*/net' && settle
}

# Both ends get to know each other; only then a packet gets through at once.
talk() {
    in_container box ip address add 192.0.2.2/24 dev lan0 && in_container box ip link set lan0 up &&
        in_container box busybox ping -c 1 -W 1 -w 10 192.0.2.1
}

# Root inside leaves nothing as it was.
spoil() {
    in_container box ip link set lan0 down && in_container box ip link set lan0 mtu 1300 &&
        in_container box ip link set lan0 address 02:00:00:00:00:99 && in_container box ip link set lan0 name wan9 &&
        in_container box ip link set wan9 up
}

# By the machine's clock chip, which goes with the host's clock. The kernel's own is not to be trusted: begun on a busy
# host it may run ten times as fast.
seconds() {
    cat /sys/class/rtc/rtc0/since_epoch
}

is_second() {
    [ "$(seconds)" = "$1" ]
}

# From the beginning of a second, in which it is to be home. The container's death is its init's.
home_before_the_second_ends() {
    local second
    second=$(seconds)
    wait_until not is_second "$second" || return 1
    second=$(seconds)
    kill -KILL "$(pid_of box)"
    wait_until at_home && is_second "$second"
}

# Three times, as a busy host may not let the machine have its second.
home_a_second_after_death() {
    local try
    for try in 1 2 3; do
        home_before_the_second_ends && home_as_it_was && return
        home_as_it_was || return 1
        echo "not within a second"
        kill_container box
        start_container box && wait_until inside_alone && spoil || return 1
    done
    return 1
}

# udev inside, by what the host's udev found and by its name there.
udev_inside_knows_lan0() {
    in_container box env SYSTEMD_IGNORE_CHROOT=1 udevadm info /sys/class/net/lan0 >/run/test/info
    grep -x 'E: INTERFACE=lan0' /run/test/info && grep -x 'E: ID_BUS=usb' /run/test/info || { cat /run/test/info; return 1; }
}

udevd_complains() {
    grep -i 'rename\|net_setup\|network interface' /run/udevd.log
}

network() {
    start_peer && start_container box || return 1
    rules_are </dev/null
    plug_network || return 1
    home=$(ls /sys/bus/usb/devices/1-7/*/net)
    check "network: udevd names it" not [ "$home" = usb0 ]
    facts_of "$home" >/run/test/facts
    rules_are <<RULES
SUBSYSTEM=="net", ATTRS{serial}=="DEVOLVE-network", CONTAINER+="box", NAME="lan0"
RULES
    wait_until inside_alone
    check "network: the interface is inside under its new name, and not on the host" inside_alone
    check "network: libudev inside knows it" udev_inside_knows_lan0
    check "network: it passes a ping to a peer" talk
    check "network: root inside may change it" spoil
    check "network: within a second of the container's death it is home, down, with its name, MAC address and MTU" \
        home_a_second_after_death
    kill_container box
    settle
    check "network: udevd leaves it as it is" home_as_it_was
    start_container box && wait_until inside_alone || return 1
    usb_unplug network && wait_until gone /sys/bus/usb/devices/1-7 && settle
    wait_until as_before box >/dev/null
    check "network: unplugged while it is inside it leaves nothing" as_before box
    check "network: and is not on the host either" not at_home
    plug_network && wait_until inside_alone
    check "network: plugged in again it gets its last name from udevd before it moves" inside_alone
    "$here/ours" devolvectl unregister box >/dev/null
    check "network: it is home as it was when its container is unregistered" home_as_it_was
    usb_unplug network && wait_until gone /sys/bus/usb/devices/1-7 && settle
    check "network: udevd was never in the way, nor devolved in its" not udevd_complains
    kill_container box
    kill $peer
}
