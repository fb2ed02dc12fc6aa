# shellcheck shell=dash disable=SC2154 # here and debian are set by others
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The container "box" with Debian's root, whose init is systemd; programs in it are services of that.

# inside PATH: where a file of the container is seen from outside.
inside() {
    echo "/proc/$(pid_of box)/root$1"
}

# It waits until a line is written into its /run/start, and becomes systemd then. Mounts are shared, or services with a
# mount namespace of their own, as its udevd, would not see what comes later.
start_init_box() {
    local group=/sys/fs/cgroup/box
    mkdir -p $group
    "$here/ours" attach_filter $group runc 0 >/dev/null || return 1
    chown 100000:100000 $group $group/cgroup.procs $group/cgroup.subtree_control $group/cgroup.threads
    rm -f /run/test/box.*
    mkfifo /run/test/box.lifeline
    "$here/box" --map 0:100000:65536 --rootfs "$debian" --cgroup-v2 $group --cgroup-ns --propagation shared --init \
        --pid-file /run/test/box.pid -- /bin/sh -c \
        'mkfifo /run/start && read -r go </run/start && exec /usr/bin/env -i container=box /sbin/init' \
        <>/run/test/box.lifeline >/run/test/box.log 2>&1 &
    echo $! >/run/test/box.box
    wait_until [ -s /run/test/box.pid ] && wait_until [ -p "$(inside /run/start)" ] ||
        { cat /run/test/box.log; return 1; }
    "$here/ours" devolvectl register box --pid "$(pid_of box)" >/dev/null
}

# configfs is not mounted for a container's root, though the machine has it.
let_init_go() {
    enter /bin/sh -c 'mkdir -p /run/systemd/system && ln -s /dev/null /run/systemd/system/sys-kernel-config.mount'
    echo go >"$(inside /run/start)"
    wait_until [ -S "$(inside /run/systemd/private)" ] && enter /usr/bin/systemctl is-system-running --wait
}

# enter COMMAND...: as the container's root, but in no cgroup of its.
enter() {
    nsenter -t "$(pid_of box)" -m -u -i -n -p -U -S 0 -G 0 "$@"
}

# start_service NAME COMMAND...: what it says is in /run/NAME.log.
start_service() {
    local name=$1
    shift
    enter /usr/bin/systemd-run --quiet --collect --unit="$name" -p StandardOutput="file:/run/$name.log" \
        -p StandardError="file:/run/$name.log" "$@"
}

# as_service COMMAND...: waits for its end, and fails as it does.
as_service() {
    enter /usr/bin/systemd-run --quiet --collect --wait --pipe "$@"
}

service_says() {
    grep -q -e "$2" "$(inside "/run/$1.log")"
}

# It waits for events: in poll(2), which is system call 7 here.
service_waits() {
    grep -q '^7 ' "/proc/$(service_pids "$1")/syscall"
}

# service_pids NAME: as numbers of this machine.
service_pids() {
    find "/sys/fs/cgroup/box/system.slice/$1.service" -name cgroup.procs -exec cat {} +
}
