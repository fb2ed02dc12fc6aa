#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What only udev knows decides about devices: a real systemd-udevd beside the daemon.

load common

setup() {
    common_setup
    first=$(loop_first)
    make_host
}

# What udev finds out of the loop device.
udev_rules() {
    cat <<RULES
KERNEL=="loop$first", ENV{ID_TEST}="A5", TAG+="lab", SYMLINK+="disk/by-test/a5"
RULES
}

# Ours that asks for all of it.
asking_rule() {
    rule_file 10-test.rules <<RULES
ENV{ID_TEST}=="A5", TAG=="lab", SYMLINK=="disk/by-test/*", CONTAINER+="box", GROUP="20", SYMLINK+="\$links"
RULES
}

@test "a rule that asks what only udev knows gives a device that is plugged in, and takes it back" {
    asking_rule
    start_udevd < <(udev_rules)
    start_daemon
    start_box box
    register box
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    assert_contains "$(events box add "$(loop_path "$first")")" open=0 "what the add found"
    in_box box test -b /dev/disk/by-test/a5
    loop_remove "$first"
    hears box remove "$(loop_path "$first")"
    not in_box box test -e "/dev/loop$first"
    assert_equal "$(event_count box add "$(loop_path "$first")")" 1 "copies of the add"
}

@test "a device that udev knew first is given when the daemon starts" {
    asking_rule
    start_udevd < <(udev_rules)
    loop_add "$first"
    wait_until 10 noted_by_udev
    start_daemon
    start_box box
    register box
    assert_equal "$(grants box)" "/dev/loop$first delivered" "grants"
}

# Whether udevd has written down what it found.
noted_by_udev() {
    grep -q '^E:ID_TEST=' "/proc/$host_pid/root/run/udev/data/b$(number_of "$(loop_path "$first")")" 2>/dev/null
}

@test "a rule of udev's own gives a device without any rule of ours" {
    start_udevd <<RULES
KERNEL=="loop$first", ENV{DEVOLVE_CONTAINER}="other box", ENV{DEVOLVE_MODE}="0640"
KERNEL=="loop$first", ENV{DEVOLVE_CONTAINER}=="?*", ENV{DEVOLVE_NODE}="disk/first", ENV{DEVOLVE_GROUP}="20"
RULES
    start_daemon
    start_box box
    register box
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    assert_equal "$(in_box box stat -c '%a %u:%g' /dev/disk/first)" "640 0:20" "mode and ids of the node inside"
    loop_remove "$first"
    hears box remove "$(loop_path "$first")"
}

# change_udev_rules FROM TO
change_udev_rules() {
    sed -i "s/\"$1\"/\"$2\"/" "$host_rules/90-test.rules"
    (in_host udevadm control --reload)
}

@test "what udev says on a change is obeyed" {
    asking_rule
    start_udevd < <(udev_rules)
    start_daemon
    start_box box
    register box
    loop_add "$first"
    hears box add "$(loop_path "$first")"
    change_udev_rules A5 B6
    echo change >"/sys$(loop_path "$first")/uevent"
    hears box remove "$(loop_path "$first")"
    change_udev_rules B6 A5
    echo change >"/sys$(loop_path "$first")/uevent"
    wait_until 10 is "/dev/loop$first delivered" grants box
}

@test "without a udevd check and status say what never matches, and a udevd that comes late is heard" {
    asking_rule
    start_daemon
    start_box box
    register box
    loop_add "$first"
    assert_contains "$(in_host "$build/devolvectl" check --rules "$rules" 2>&1)" "no udevd runs on this host" "check"
    assert_contains "$(ctl status)" "no udevd runs on this host" "status"
    assert_contains "$(ctl doctor)" "10-test.rules:1 never matches: only udev knows ENV{ID_TEST}==\"A5\"" "doctor"
    assert_contains "$(ctl doctor)" "1 rule from 1 file is in force" "doctor of the rules"
    assert_contains "$(ctl explain "$(loop_path "$first")" box)" "waits" "explain"
    assert_equal "$(grants box)" "" "grants"

    start_udevd < <(udev_rules)
    echo change >"/sys$(loop_path "$first")/uevent"
    wait_until 10 is "/dev/loop$first delivered" grants box
    [[ $(ctl status) != *"no udevd"* ]] || fail "status still says that there is no udevd"
    assert_contains "$(ctl doctor)" "a udevd runs and is listened to" "doctor"

    stop_udevd
    start_udevd < <(udev_rules)
    loop_add $((first + 1))
    echo change >"/sys$(loop_path "$first")/uevent"
    loop_remove "$first"
    wait_until 10 is "" grants box
    loop_add "$first"
    wait_until 10 is "/dev/loop$first delivered" grants box
}

@test "what a device wrote into its own uevent file does not speak for udev" {
    local path
    path=$(loop_path "$first")
    rule_file 10-test.rules <<<"ENV{ID_FORGED}==\"1\", KERNEL==\"loop$first\", CONTAINER+=\"box\""
    start_udevd < <(udev_rules)
    loop_add "$first"
    wait_until 10 noted_by_udev
    { cat "/sys$path/uevent"; printf '%s\n' PRODUCT_NAME=stick DEVOLVE_CONTAINER=box ID_FORGED=1; } >"$work/forged"
    (in_host mount --bind "$work/forged" "/sys$path/uevent")
    assert_contains "$(in_host udevadm info "/sys$path")" ID_FORGED=1 "what libudev believes"
    start_daemon
    start_box box
    register box
    assert_equal "$(grants box)" "" "grants"
    assert_contains "$(ctl explain "$path" box)" "not given" "explain"
}

@test "udev's word on each of many devices that come at once is heard" {
    local i
    rule_file 10-test.rules <<<'ENV{ID_TEST}=="A5", CONTAINER+="box"'
    start_udevd <<<'KERNEL=="loop[0-9]*", ENV{ID_TEST}="A5"'
    start_daemon
    start_box box
    register box
    for ((i = 0; i < 9; i++)); do
        loop_add $((first + i))
    done
    for ((i = 0; i < 9; i++)); do
        wait_until 10 gets "/dev/loop$((first + i))"
    done
}

# gets NODE
gets() {
    grants box | grep -qx "$1 delivered"
}

# The host's own node, which its udevd gives an owner and watches for writers.
host_node() {
    (in_host stat --format '%F %t %T %u %g %a inode %i changed %z' "/dev/loop$first")
}

host_record() {
    (in_host stat --format 'record %i %s %z' "/run/udev/data/b$(number_of "$(loop_path "$first")")")
}

# host_events GROUP ACTION: how many of these the host heard of the device.
host_events() {
    grep "devpath=$(loop_path "$first") " "$work/host.log" | grep -c "groups=$1 .* action=$2 " || true
}

@test "a udevd hears and says of a device that is given what it does of any other, and its node and record stay as they are" {
    local round before rounds=${DEVOLVE_HOST_ROUNDS:-5} group action
    rule_file 10-test.rules <<<"ENV{ID_TEST}==\"A5\", CONTAINER+=\"box\", OWNER=\"7\", MODE=\"0666\""
    start_udevd <<<"KERNEL==\"loop$first\", ENV{ID_TEST}=\"A5\", OPTIONS+=\"watch\", MODE=\"0604\""
    (in_host mknod -m 600 "/dev/loop$first" b 7 "$first")
    # it opens nothing of the device: to open a loop device that goes makes the kernel add it anew
    in_background in_host "$helpers/listen" -2 -n /dev/null >"$work/host.log" 2>&1
    wait_until 5 grep -q '^ready' "$work/host.log"
    start_daemon
    for ((round = 1; round <= rounds; round++)); do
        start_box box
        register box >/dev/null
        loop_add "$first"
        wait_until 5 is "$round" host_events 2 add
        before=$(host_node; host_record)
        assert_contains "$before" " 604 inode" "the host's node"
        wait_until 5 is "/dev/loop$first delivered" grants box
        # who writes to the host's node is answered with a change
        in_box box sh -c "exec 3<>/dev/loop$first"
        in_box box chmod 600 "/dev/loop$first"
        ctl reload >/dev/null
        ctl unregister box
        register box >/dev/null
        kill -KILL "${box_pid[box]}"
        wait_until 5 is '{"containers": []}' call ListContainers
        stop_box box
        assert_equal "$(host_node; host_record)" "$before" "the host's node and record"
        loop_remove "$first"
        wait_until 5 is "$round" host_events 2 remove
    done
    for group in 1 2; do
        for action in add remove; do
            assert_equal "$(host_events "$group" "$action")" "$rounds" "events of group $group: $action"
        done
        assert_equal "$(host_events "$group" '[^ ]*')" $((2 * rounds)) "all events of group $group"
    done
    # And it would have been heard.
    loop_add "$first"
    wait_until 5 is $((rounds + 1)) host_events 2 add
    (in_host sh -c "exec 3<>/dev/loop$first")
    wait_until 5 is 1 host_events 2 change
}
