# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a machine needs beside its base: real udev, and our programs as they were built here.

# The libraries of a program and its dynamic loader, from what the loader says of it.
overlay_libraries() {
    awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^\//) print $i }' | sort -u
}

# overlay_udev DIR: Debian trixie's, the first stable release whose udev has i"...": udevadm, systemd-udevd, its
# helpers and its rules, all of them. libkmod, with which it loads drivers, is opened only then.
overlay_udev() {
    local root libraries library
    root=$(mktemp -d "$1/all.XXXXXX")
    libraries=$root/usr/lib/x86_64-linux-gnu
    "$(dirname "${BASH_SOURCE[0]}")/../e2e/images/debian-packages" trixie "$root" udev libkmod2
    mkdir -p "$1/usr/bin" "$1/usr/lib/systemd" "$1/usr/lib64" "$1/usr/lib/x86_64-linux-gnu"
    cp "$root/usr/bin/udevadm" "$1/usr/bin"
    ln -s ../../bin/udevadm "$1/usr/lib/systemd/systemd-udevd"
    cp -L "$root/usr/lib64/ld-linux-x86-64.so.2" "$1/usr/lib64"
    cp -L "$libraries/libkmod.so.2" "$1/usr/lib/x86_64-linux-gnu"
    for library in "$root/usr/bin/udevadm" "$libraries/libkmod.so.2"; do
        "$root/usr/lib64/ld-linux-x86-64.so.2" --list --library-path "$libraries:$libraries/systemd" "$library"
    done | overlay_libraries | grep -F "$root" | while read -r library; do
        cp -L "$library" "$1/usr/lib/x86_64-linux-gnu"
    done
    cp -a "$root/usr/lib/udev" "$1/usr/lib"
    rm -rf "$root" "$1/usr/lib/udev/hwdb.d"
}

# overlay_program PROGRAM DIR: what is built for this machine takes this machine's libraries along, in DIR/lib; it is
# run by DIR/lib/ld-linux-x86-64.so.2 --library-path DIR/lib.
overlay_program() {
    local library
    mkdir -p "$2/lib"
    cp "$1" "$2"
    ldd "$1" | overlay_libraries | while read -r library; do
        cp -L "$library" "$2/lib"
    done
}
