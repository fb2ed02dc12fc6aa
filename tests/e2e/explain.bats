#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The commonest mistakes in rules, made against the running daemon and devices of this host: `explain` names each.
# And the rules that `udev-rule` prints: each is accepted, and gives the device that it was printed for.

load common

setup() {
    common_setup
    device=/devices/virtual/mem/null
    words=
}

# Any device below a PCI device will do: that has attributes which those below it have not.
find_child() {
    local path
    for path in /sys/class/net/* /sys/class/block/* /sys/class/tty/*; do
        path=$(readlink -f "$path")
        [[ $path =~ ^/sys(/devices/pci.*/[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9])/ ]] || continue
        device=${path#/sys}
        parent=${BASH_REMATCH[1]}
        class=$(<"/sys$parent/class")
        return
    done
    skip "no device here hangs below a PCI device"
}

# The box is registered under its name, and the rule is the only one.
start_with() {
    rule_file 50-test.rules <<<"$1"
    start_daemon
    start_box box
    register box "${@:2}"
}

# explains WORDS [NAME]: what devolvectl prints has these words.
explains() {
    words=$(ctl explain "$device" "${2:-box}")
    assert_contains "$words" "$1" "explain"
}

# told FIELD: of the first rule, for programs.
told() {
    ctl --json explain "$device" box | jq -r ".explanations[0].rules[0].$1"
}

@test "a key that is asked of the device, though a parent has it" {
    find_child
    start_with "ATTR{class}==\"$class\", CONTAINER+=\"box\""
    explains "ATTR{class} is asked of the device itself, but it is its parent $parent that matches: "
    assert_contains "$words" "write ATTRS{class}" "what to write"
    assert_contains "$words" "ATTR{class}==\"$class\"  but the device has none" "the rule's line"
    assert_equal "$(told parent)" null "parent, which ATTR has none of"
    assert_contains "$(told hint)" "write ATTRS{class}" "the hint for programs"
}

@test "a value that is another, and at which parent" {
    find_child
    start_with "ATTRS{class}==\"0x999999\", CONTAINER+=\"box\""
    explains "ATTRS{class}==\"0x999999\"  but it is \"$class\" at $parent"
    assert_equal "$(told parent)" "$parent" "the parent for programs"
    assert_equal "$(told hint)" null "the hint, where there is no known mistake"
}

@test "an attribute that was written since" {
    local number attribute
    number=$(loop_first)
    loop_add "$number"
    device=$(loop_path "$number")
    attribute=/sys$device/queue/read_ahead_kb
    start_with "KERNEL==\"loop$number\", ATTR{queue/read_ahead_kb}==\"76\", CONTAINER+=\"box\""
    explains "ATTR{queue/read_ahead_kb}==\"76\"  but it is \"$(<"$attribute")\""

    echo 76 >"$attribute"
    explains "gives the device"
    ctl reload
    hears box add "$device"
    echo 80 >"$attribute"
    ctl reload
    hears box remove "$device"
    explains "ATTR{queue/read_ahead_kb}==\"76\"  but it is \"80\""
}

@test "keys of two parents in one rule" {
    find_child
    start_with "KERNELS==\"${device##*/}\", ATTRS{class}==\"$class\", CONTAINER+=\"box\""
    explains "must all match at one and the same device"
    explains "KERNELS==\"${device##*/}\" matches at $device, ATTRS{class}==\"$class\" matches at $parent"
}

@test "a blank at the end" {
    find_child
    start_with "ATTRS{class}==\"$class \", CONTAINER+=\"box\""
    explains "\"$class \" and \"$class\" differ only in white space at the end: write \"$class\""
}

@test "a hexadecimal number in upper case" {
    find_child
    start_with "ATTRS{class}==\"${class^^}\", CONTAINER+=\"box\""
    explains "\"${class^^}\" and \"$class\" differ only in upper and lower case: write \"$class\", or i\"${class^^}\""
}

@test "a property that only udev knows" {
    make_host # where no udevd runs, whatever this machine does
    start_with 'KERNEL=="null", ENV{ID_SERIAL_SHORT}=="1", CONTAINER+="box"'
    explains "only udev knows what ENV{ID_SERIAL_SHORT}==\"1\" asks for, and no udevd runs on this host"
    [[ $words != *"what the kernel knows"* ]] || fail "a device on no USB: $words"
}

@test "another action than add" {
    start_with 'ACTION=="remove", KERNEL=="null", CONTAINER+="box"'
    explains 'each is judged with ACTION "add", so ACTION=="remove" never holds'
}

@test "a container that is not registered" {
    start_with 'KERNEL=="null", CONTAINER+="bxo"'
    explains 'no container of this name is registered: is this meant? "box"'
    explains "not registered, would be given" bxo
    explains 'no container "bxo" is registered: is this meant? "box"' bxo
    assert_equal "$(ctl --json explain "$device" bxo | jq -c '.explanations[0] | [.registered, .given, .plan]')" \
        '[false,true,[]]' "what programs are told"
    ctl unregister box
    explains "no container of this name is registered, nor any other" bxoo
    assert_contains "$(ctl explain "$device")" "no container is registered" "explain without a name"
    assert_equal "$(call Explain '{"device":"mem:null","container":"-"}' 2>&1 | grep -c Refused)" 1 "no name at all"
}

@test "a label that is mistyped" {
    start_with 'KERNEL=="null", CONTAINER+="label:teir=front"' --label tier=front --label site=lab
    explains "no registered container has a label teir of this value; container box has tier=front, site=lab: "
    explains "is label:tier meant?"
}

@test "a file that another one masks" {
    mkdir "$work/lib"
    echo 'KERNEL=="null", CONTAINER+="box"' >"$work/lib/50-test.rules"
    echo 'KERNEL=="zero", CONTAINER+="box"' >"$work/lib/60-test.rules"
    ln -s /dev/null "$rules/60-test.rules"
    rule_file 50-test.rules <<<'KERNEL=="full", CONTAINER+="box"'
    start_daemon --rules "$work/lib"
    start_box box
    register box
    explains "$work/lib/50-test.rules: masked by $rules/50-test.rules"
    explains "$rules/60-test.rules: a link to /dev/null"
    assert_contains "$(ctl check --rules "$rules" --rules "$work/lib")" \
        "$work/lib/60-test.rules: masked by $rules/60-test.rules" "check"
    assert_equal "$(call Check | jq -c '.masked | length')" 3 "masks for programs"
}

@test "an owner that the container does not have" {
    start_with 'KERNEL=="null", NODE="nothing", OWNER="70000", CONTAINER+="box"'
    explains "50-test.rules:1: uid 70000 is not in the container's uid_map, which has 0-65535: OWNER must be one of those"
    assert_contains "$words" "box  given, but refused" "the container's line"
}

@test "what matches is explained with the plan and without a hint" {
    start_with 'KERNEL=="null", NODE="nothing", CONTAINER+="box"'
    explains "gives the device"
    assert_equal "$(told hint)" null "the hint"
    assert_equal "$(ctl --json explain "$device" box | jq -r '.explanations[0].plan[] | split(" ")[0]' | xargs)" \
        "node-make node-attach access-allow event record-write udev-event" "the plan"
}

# one_of_each: SUBSYSTEM:SYSNAME of one device of each subsystem and type.
one_of_each() {
    call ListDevices '{"all":true}' |
        jq -r '.devices | unique_by([.subsystem, .devtype, .driver])[].devpath'
}

@test "the rules that udev-rule prints are accepted and match" {
    start_daemon
    local devpath count=0 verdicts
    while read -r devpath; do
        ctl udev-rule "$devpath" >"$work/printed.rules"
        ctl check "$work/printed.rules" >"$work/checked" || fail "$(cat "$work/checked" "$work/printed.rules")"
        assert_contains "$(<"$work/checked")" "1 rule in 1 file: no problem" "check of the rules for $devpath"
        ctl --json udev-rule "$devpath" | jq -r '.rules[].rule' >"$rules/50-printed.rules"
        ctl reload >"$work/reloaded"
        verdicts=$(ctl --json explain "$devpath" my-container | jq -r '.explanations[0].rules[].verdict' | sort -u)
        [[ $verdicts == matched ]] ||
            fail "$(ctl explain "$devpath" my-container; cat "$rules/50-printed.rules")"
        ((count += 1))
    done < <(one_of_each)
    ((count > 5)) || fail "only $count devices were tried"
}

@test "udev-rule needs no daemon, and says when there is no such device" {
    assert_contains "$(ctl udev-rule mem:null)" 'SUBSYSTEM=="mem", KERNEL=="null"' "the rule"
    run -1 ctl udev-rule mem:nothing
    assert_contains "$output" "subsystem mem has no device of that name" "the complaint"
}
