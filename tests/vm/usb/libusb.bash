# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# libusb's example for hotplug, from its own source, with each of its two ways to hear of devices. It is not in this
# tree: apt fetches it. After packages.bash.

# libusb_examples SUITE ROOT DIR: into ROOT/usr/local/bin. hotplugtest-udev takes the libusb of that root;
# hotplugtest-netlink brings one along that was built without udev. DIR is an empty place to build in.
libusb_examples() (
    packages_open "$1" deb-src
    packages_source "$3" libusb-1.0
    mkdir -p "$2/usr/local/bin"
    cd "$3" || exit
    { ./configure --quiet --disable-udev --disable-shared && make --silent -C libusb; } >&2
    libusb_compile "$2/usr/local/bin/hotplugtest-netlink" -static libusb/.libs/libusb-1.0.a -pthread
    # The libraries of that root may be newer than this machine's: they are looked for when it starts.
    libusb_compile "$2/usr/local/bin/hotplugtest-udev" -Wl,--unresolved-symbols=ignore-in-shared-libs \
        "$(find "$2/usr/lib" -name libusb-1.0.so.0)"
)

# -std=gnu11: for a later C, strtol() is one that only a newer glibc has.
libusb_compile() {
    local program=$1
    shift
    cc -std=gnu11 -O2 -Ilibusb -o "$program" examples/hotplugtest.c "$@"
}
