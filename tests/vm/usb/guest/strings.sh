# shellcheck shell=dash disable=SC2154 # variables of host.sh and devices.sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A device says of itself what it likes. The kernel puts that into its events as it is (HID_NAME, HID_UNIQ), and so does
# udev into its own. The event arrives inside, and nothing else comes of it.

# odd_make: a HID device without input (8 bytes of the vendor's own), not plugged in yet.
odd_make() {
    local dir=/sys/kernel/config/usb_gadget/odd
    modprobe usb_f_hid || return 1
    mkdir -p "$dir/strings/0x409" "$dir/configs/c.1" "$dir/functions/hid.odd"
    echo 0x1209 >"$dir/idVendor"
    echo 0x0dd1 >"$dir/idProduct"
    echo 8 >"$dir/functions/hid.odd/report_length"
    printf '\006\000\377\011\001\241\001\025\000\046\377\000\165\010\225\010\011\001\201\002\300' \
        >"$dir/functions/hid.odd/report_desc"
    ln -s "$dir/functions/hid.odd" "$dir/configs/c.1"
}

# odd_says TEXT: as printf(1) has it in %b; without a newline behind it.
odd_says() {
    local name
    for name in serialnumber product manufacturer; do
        printf %b "$1" >"/sys/kernel/config/usb_gadget/odd/strings/0x409/$name" || return 1
    done
}

odd_has_come() {
    local head
    head=$(gadget_at 0)
    [ -n "$head" ] && there "$head" '*/*/hidraw/hidraw*'
}

# odd_comes_and_goes TEXT ROUND
odd_comes_and_goes() {
    local head
    odd_says "$1" && gadget_plug odd 0 || return 1
    wait_until odd_has_come && settle || return 1
    head=$(gadget_at 0)
    check "strings: '$1': that is what it says" [ "$(cat "$head/serial")" = "$(printf %b "$1")" ]
    wait_until has_only box "$head" >/dev/null
    check "strings: '$1': its nodes are there, and no others" has_all box "$head"
    check "strings: '$1': its event was heard" [ "$(number_heard box add "$head")" = "$2" ]
    gadget_unplug odd && wait_until gone "$head" && settle || return 1
    check "strings: '$1': so was its end" wait_until has_heard box remove "$head" "$2"
    check "strings: '$1': nothing is left" wait_until as_before box
}

is_printable() {
    ! LC_ALL=C grep -n '[^ -~]' "$1"
}

nothing_was_run() {
    ! ls /x /run/x /run/test/x "/proc/$devolved/cwd/x" "/proc/$(pid_of box)/root/x" "/proc/$(pid_of box)/root/dev/x" 2>/dev/null
}

strings() {
    local text round=0
    odd_make && start_container box || return 1
    rules_are <<RULES
SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="1209", ATTR{idProduct}=="0dd1", CONTAINER+="box", \
    OPTIONS+="subtree", ENV{SAID}="\$attr{serial}"
RULES
    while read -r text; do
        round=$((round + 1))
        odd_comes_and_goes "$text" $round || { echo "not ok - strings: '$text' does not come"; return 1; }
    done <<'TEXTS'
$(touch x)
%n%n%s%s%s%999999d
`touch x`;touch x|touch x&
x\0012DEVNAME=sda\0012MAJOR=8\0012MINOR=0
x\0012ACTION=remove
\0033[31mred\0033]0;title\0007
caf\0302\0222
../../../../etc/passwd
TEXTS
    check "strings: no word of it was run" nothing_was_run
    check "strings: devolve's log is printable ASCII" is_printable /run/test/devolved.log
    "$here/ours" devolvectl list >/run/test/list
    check "strings: devolvectl's words are printable" is_printable /run/test/list
    kill_container box
}
