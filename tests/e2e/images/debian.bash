# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What makes unpacked Debian packages the root of an id-mapped container.

debian_base=100000 # the container's root

# debian_configure DIR: what maintainer scripts would have done, as far as the container needs it.
debian_configure() {
    local root=$1
    rm -rf "$root"/usr/share/{doc,man,locale,info,i18n,zoneinfo}
    mkdir -p "$root"/{dev,proc,sys,run,tmp,mnt,root,etc/systemd/system,var/log,var/tmp}
    chmod 1777 "$root/tmp" "$root/var/tmp"
    ln -sfn dash "$root/usr/bin/sh"
    ln -sfn mawk "$root/usr/bin/awk"
    printf '%s\n' root:x:0:0:root:/root:/bin/sh messagebus:x:100:100::/nonexistent:/bin/false \
        >"$root/etc/passwd"
    printf '%s\n' root:x:0: tty:x:5: disk:x:6: kmem:x:15: dialout:x:20: video:x:44: audio:x:29: \
        messagebus:x:100: input:x:101: render:x:102: sgx:x:103: kvm:x:104: cdrom:x:24: lp:x:7: tape:x:26: \
        >"$root/etc/group"
    echo devolve-test >"$root/etc/hostname"
    : >"$root/etc/machine-id"
    ldconfig -r "$root"
}

# debian_mask_units DIR: units that have no business in a container, and one that waits for a person.
debian_mask_units() {
    local unit
    for unit in sys-kernel-debug.mount sys-kernel-tracing.mount systemd-firstboot.service \
        getty.target console-getty.service systemd-timesyncd.service; do
        ln -sfn /dev/null "$1/etc/systemd/system/$unit"
    done
    ln -sfn /lib/systemd/system/multi-user.target "$1/etc/systemd/system/default.target"
}

# debian_shift_owners DIR: adds the container's base to every owner. chown takes the set-id bits away: they are put back.
debian_shift_owners() {
    local root=$1 set_id=$1.set-id uid gid mode path
    find "$root" ! -type l -perm /6000 -printf '%m %p\0' >"$set_id"
    find "$root" -printf '%U %G\n' | sort -u | while read -r uid gid; do
        find "$root" -uid "$uid" -gid "$gid" -print0 |
            xargs -0 -r chown -h "$((uid + debian_base)):$((gid + debian_base))"
    done
    while IFS=' ' read -r -d '' mode path; do
        chmod "$mode" "$path"
    done <"$set_id"
    rm -f "$set_id"
}
