# shellcheck shell=dash disable=SC2154 # here is set by `test`
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The machine as a user's: udevd with Debian's rules, devolved beside it; and a listener that writes down every event of
# the kernel's.

rules=/run/test/rules
export DEVOLVE_RUNTIME_DIR=/run/test/runtime

# settle: all that the kernel said so far, udevd has done.
settle() {
    wait_until udevadm settle --timeout=60 2>/dev/null
}

# What this machine's hardware needs to be there at all; drivers of what is plugged in are udevd's to load. Real
# machines wait for slow disks, this one has none.
start_udevd() {
    modprobe -a xhci_pci libcomposite usb_f_acm && modprobe dummy_hcd num=2 || return 1
    modprobe usb_storage delay_use=0 || return 1
    mount -t configfs configfs /sys/kernel/config
    /usr/lib/systemd/systemd-udevd --daemon --event-timeout=100000 >/run/udevd.log 2>&1
    udevadm trigger --action=add && settle
}

start_host_listener() {
    "$here/listen" >/run/test/host.log 2>&1 &
    wait_until grep -q '^ready' /run/test/host.log
}

start_devolved() {
    mkdir -p $DEVOLVE_RUNTIME_DIR
    "$here/ours" devolved --runtime-dir $DEVOLVE_RUNTIME_DIR --rules $rules --log-level info --log-target stderr \
        >>/run/test/devolved.log 2>&1 &
    devolved=$!
    wait_until "$here/ours" devolvectl list >/dev/null 2>&1
}

stop_devolved() {
    kill -TERM "$devolved" && wait "$devolved"
}

# rules_are: those on standard input, and no others, are in force.
rules_are() {
    rm -f $rules/*
    cat >$rules/50-test.rules
    "$here/ours" devolvectl reload >/dev/null
}

mounts_of() {
    cut -d ' ' -f 5- "/proc/$1/mountinfo" | sort
}

# Every device node of the host with its owner and mode. Numbers are left out of names, as they grow with each plug.
host_nodes() {
    find /dev -path /dev/pts -prune -o \( -type c -o -type b \) -exec stat -c '%n %u:%g %a' {} + |
        sed 's/[0-9]\+ / /; s/[0-9]\+/N/' | sort
}
