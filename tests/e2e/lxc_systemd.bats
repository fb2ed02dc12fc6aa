#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# An unprivileged LXC container that runs systemd and its own systemd-udevd: the hardest listener there is.

load common

setup() {
    common_setup
    first=$(loop_first)
}

@test "systemd-udevd in an unprivileged LXC container knows the device after the plug" {
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"payload\""
    start_daemon
    start_lxc payload
    ctl register payload --pid "$lxc_pid"
    in_background lxc_run payload udevadm monitor --kernel --udev >"$work/monitor.log" 2>&1
    wait_until 10 grep -q '^KERNEL - ' "$work/monitor.log"

    loop_add "$first"
    wait_until 10 grep -q "^KERNEL.* add .*/loop$first " "$work/monitor.log"
    wait_until 10 grep -q "^UDEV.* add .*/loop$first " "$work/monitor.log"
    assert_equal "$(grep -c "^KERNEL.* add .*/loop$first " "$work/monitor.log")" 1 "KERNEL lines"
    lxc_run payload udevadm info "/dev/loop$first" >"$work/info.log"
    grep -qx "N: loop$first" "$work/info.log"
    # Only udevd's own record has this one.
    grep -q '^E: USEC_INITIALIZED=' "$work/info.log"
    lxc_run payload dd "if=/dev/loop$first" of=/dev/null count=0

    loop_remove "$first"
    wait_until 10 grep -q "^UDEV.* remove .*/loop$first " "$work/monitor.log"
    not lxc_run payload test -e "/dev/loop$first"
}

@test "a device that was there first is known inside after register" {
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"payload\""
    start_daemon
    loop_add "$first"
    start_lxc payload
    ctl register payload --pid "$lxc_pid"
    lxc_run payload udevadm settle
    lxc_run payload udevadm info "/dev/loop$first" >"$work/info.log"
    grep -q '^E: USEC_INITIALIZED=' "$work/info.log"
}

register_payload() {
    ctl register payload --pid "$lxc_pid"
}

# The records of a container's udevd are writable for it; ours, mode 444, went when it came.
@test "a container that is registered before its systemd has started udevd is left to it then" {
    local record
    rule_file 10-test.rules <<<"KERNEL==\"loop$first\", CONTAINER+=\"payload\""
    start_daemon
    loop_add "$first"
    record=/run/udev/data/b$(number_of "$(loop_path "$first")")
    start_lxc payload register_payload
    wait_until 10 is 644 lxc_run payload stat -c %a "$record"
    lxc_run payload udevadm info "/dev/loop$first" | grep -q '^E: USEC_INITIALIZED='
    loop_remove "$first"
    wait_until 10 not lxc_run payload test -e "$record"
}
