# shellcheck shell=dash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Devices that come and go at a word: QEMU's, on its xHCI controller, and gadgets, which the kernel's dummy_hcd plugs
# into a controller of its own. Their serial number is what rules know them by.

# usb_plug ID PORT DEVICE[,OPTION...]
usb_plug() {
    hmp "device_add $3,id=$1,bus=xhci.0,port=$2,serial=DEVOLVE-$1"
}

usb_unplug() {
    hmp "device_del $1"
}

# usb_at PORT: its directory in sysfs, by whichever of the two root hubs its speed puts it on.
usb_at() {
    readlink -f "/sys/bus/usb/devices/"[12]"-$1"
}

# gadget_make NAME VENDOR PRODUCT: a serial port (CDC ACM), not plugged in yet.
gadget_make() {
    local dir=/sys/kernel/config/usb_gadget/$1
    mkdir -p "$dir/strings/0x409" "$dir/configs/c.1" "$dir/functions/acm.$1"
    echo "$2" >"$dir/idVendor"
    echo "$3" >"$dir/idProduct"
    echo "DEVOLVE-$1" >"$dir/strings/0x409/serialnumber"
    ln -s "$dir/functions/acm.$1" "$dir/configs/c.1"
}

# gadget_plug NAME NUMBER: into the controller of this number.
gadget_plug() {
    echo "dummy_udc.$2" >"/sys/kernel/config/usb_gadget/$1/UDC"
}

gadget_unplug() {
    echo >"/sys/kernel/config/usb_gadget/$1/UDC"
}

gadget_at() {
    readlink -f "/sys/devices/platform/dummy_hcd.$1/"usb*/*-1
}

# there DIRECTORY GLOB: whether something below it has come.
there() {
    # shellcheck disable=SC2086 # it is a glob
    ls -d $1/$2 >/dev/null 2>&1
}

gone() {
    [ ! -e "$1" ]
}
