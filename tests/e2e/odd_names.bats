#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Names that somebody chose to hurt who reads them. Those of network interfaces can have any byte but a blank, '/' and
# ':' (and '%', which the kernel refuses); what USB devices say of themselves is in tests/vm/usb/guest/strings.sh.

load common
load fixture/network

setup() {
    network_setup
    rule_file 10-test.rules <<'RULES'
SUBSYSTEM=="net", ATTR{address}=="02:00:00:00:01:*", CONTAINER+="box"
RULES
}

printable() {
    ! LC_ALL=C grep -n '[^ -~]' "$1"
}

# odd NUMBER NAME: an interface of this name, which the rule is about.
odd() {
    host_ip link add "peer$1" type veth peer name "$2" address "02:00:00:00:01:0$1"
}

@test "an interface whose name looks like a command arrives under it, and nothing is run" {
    # shellcheck disable=SC2016 # just so
    local names=('$(id>x)' '`id>x`' '";id>x;"' "'|id>x&" '\n\x00') name number=0
    start_daemon
    start_box box
    register box
    for name in "${names[@]}"; do
        odd $((++number)) "$name"
        wait_until 5 inside box "$name"
        [[ ! -e /sys/class/net/$name ]] || fail "it is on this machine's host"
    done
    assert_equal "$(call ListGrants | jq '[.grants[] | select(.state == "delivered")] | length')" "${#names[@]}" "delivered"
    not compgen -G "/x"
    not test -e "$work/x" -o -e x -o -e "/proc/$daemon_pid/cwd/x" -o -e "$runtime/x"
    assert_equal "$(metric events_malformed)" 0 "events that were dropped"
    ctl unregister box
    for name in "${names[@]}"; do
        wait_until 5 at_home "$name"
    done
    printable "$work/devolved.log"
}

@test "an interface whose name is no clean text is left out and counted, and no log has its bytes" {
    local names=($'\e[31mred' $'caf\x92' $'x\x7f\x07') name number=0
    start_daemon
    start_box box
    register box
    for name in "${names[@]}"; do
        odd $((++number)) "$name"
    done
    odd $((++number)) plain
    wait_until 5 inside box plain
    wait_until 5 metric_is_at_least events_malformed "${#names[@]}"
    assert_equal "$(grants box)" "null delivered" "grants"
    for name in "${names[@]}"; do
        at_home "$name" || fail "it is gone from the host"
    done
    ctl list >"$work/list"
    ctl status >>"$work/list"
    ctl explain /sys/class/net/peer1 >>"$work/list" || true
    LC_ALL=C grep -q 'plain' "$work/list"
    ! LC_ALL=C grep -nP '[\x00-\x09\x0b-\x1f\x7f]|\x92' "$work/list" || fail "its bytes are in what devolvectl says"
    printable "$work/devolved.log"
}

metric_is_at_least() {
    (($(metric "$1") >= $2))
}
