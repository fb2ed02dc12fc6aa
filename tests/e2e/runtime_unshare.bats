#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# No runtime at all: unshare(1), a script for the mounts, and `devolvectl register`.

load common

setup() {
    common_setup
    lifecycle_setup
}

# The mounts, by root of the new user namespace, whose mount namespace is a copy of the host's.
mounts() {
    cat <<'MOUNTS'
set -e
root=$1
shift
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
    : >"$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
cd "$root"
mkdir -p mnt/old
pivot_root . mnt/old
exec /bin/sh -c 'umount -l /mnt/old; exec "$@"' sh "$@"
MOUNTS
}

# Where newuidmap(1) gives the ids; goes on as a command.
with_ids() {
    cat <<'WITH_IDS'
set -e
mount --bind "$1" /etc/subuid
mount --bind "$1" /etc/subgid
shift
exec "$@"
WITH_IDS
}

it_start() {
    local group
    if [[ ! -d $work/it ]]; then
        lifecycle_rootfs "$work/it" gate
        mounts >"$work/mounts"
        chmod 755 "$work" "$work/mounts"
        with_ids >"$work/with_ids"
        it_groups=()
        [[ -z $cgroup_v1 ]] || { cgroup_make v1 it; cgroup_v1_restrict "$cgroup"; it_groups+=("$cgroup"); }
        [[ -z $cgroup_v2 ]] || { cgroup_make v2 it; it_groups+=("$cgroup"); }
        echo root:100000:65536 >"$work/subordinate"
        touch /etc/subuid /etc/subgid
    fi
    it_log=$work/it.log
    in_background unshare --mount --propagation private bash "$work/with_ids" "$work/subordinate" unshare \
        --user --map-users=100000,0,65536 --map-groups=100000,0,65536 --setuid 0 --setgid 0 \
        --net --mount --pid --fork --uts --ipc --cgroup \
        /bin/sh "$work/mounts" "$work/it/rootfs" /entry "$@" >"$it_log" 2>&1
    it_keeper=$background
    wait_until 10 find_init || { cat "$it_log"; return 1; }
    # It alone: unshare(1), which waits for it, would be a stranger there, and the groups not the container's own.
    for group in "${it_groups[@]}"; do
        echo "$it_pid" >"$group/cgroup.procs"
    done
    if [[ -n ${daemon_pid:-} ]]; then
        it_registers
    fi
    lifecycle_open_gate
}

# The child of unshare that is `entry` by now, so that the mounts are made. (Others were newuidmap.)
find_init() {
    local pid children
    # The file's one line has no end, which makes read fail.
    read -ra children <"/proc/$it_keeper/task/$it_keeper/children" || true
    for pid in "${children[@]}"; do
        it_pid=$pid
        [[ $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") != "/bin/sh /entry"* ]] || return 0
    done
    return 1
}

it_registers() {
    ctl register it --pid "$it_pid"
}

# The death of its init is the container's.
it_stop() {
    kill -TERM "$it_pid"
    wait_until 5 process_gone "$it_pid" || kill -KILL "$it_pid"
    wait_until 5 process_gone "$it_keeper"
}

teardown() {
    [[ -z ${it_pid:-} ]] || kill -KILL "$it_pid" 2>/dev/null || true
    common_teardown
}

@test "unshare: the first open of a device that was present succeeds" {
    lifecycle_first_open
}

@test "unshare: a device is plugged, used and unplugged" {
    lifecycle_plug
}

@test "unshare: stopped and started, with the device present" {
    lifecycle_stop_and_start
}

@test "unshare: killed" {
    lifecycle_killed
}

@test "unshare: devolved is stopped and started, killed and started meanwhile" {
    lifecycle_restart
}

@test "unshare: the container is there before devolved" {
    lifecycle_late_daemon
}
