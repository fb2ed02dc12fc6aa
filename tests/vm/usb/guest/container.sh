# shellcheck shell=dash disable=SC2154 # here is set by `test`
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Id-mapped containers, each with a cgroup whose device program is like runc's, and a listener that writes down each
# event and whether the node opens at that very moment.

# start_container NAME [NODE [ROOT]]: and registers it. NODE: the listener tries this one, at each event. ROOT: of the
# container; this machine's otherwise.
start_container() {
    local name=$1 node=${2:+"-n $2"} root=${3:+"--rootfs $3"} group=/sys/fs/cgroup/$1
    mkdir -p "$group"
    "$here/ours" attach_filter "$group" runc 0 >/dev/null || return 1
    rm -f "/run/test/$name".*
    mkfifo "/run/test/$name.lifeline"
    : >"/run/test/$name.log"
    # shellcheck disable=SC2086 # two words or none
    "$here/box" --map 0:100000:65536 $root --cgroup-v2 "$group" --pid-file "/run/test/$name.pid" -- "$here/listen" -2 $node \
        <>"/run/test/$name.lifeline" >>"/run/test/$name.log" 2>&1 &
    echo $! >"/run/test/$name.box"
    wait_until grep -q '^ready' "/run/test/$name.log" || { cat "/run/test/$name.log"; return 1; }
    nodes_in "$name" >"/run/test/$name.nodes"
    mounts_of "$(pid_of "$name")" >"/run/test/$name.mounts"
    belongings_of "$name" >"/run/test/$name.belongings"
    "$here/ours" devolvectl register "$name" --pid "$(pid_of "$name")" >/dev/null
}

# As when the runtime kills it. It may be dead already.
kill_container() {
    local box
    box=$(cat "/run/test/$1.box")
    kill "$box" 2>/dev/null
    wait "$box"
    # The groups below are those of its init.
    wait_until find "/sys/fs/cgroup/$1" -depth -type d -exec rmdir {} + 2>/dev/null
}

pid_of() {
    cat "/run/test/$1.pid"
}

# in_container NAME COMMAND...: as its root.
in_container() {
    local name=$1
    shift
    # shellcheck disable=SC2016 # for the inner shell
    sh -c 'echo $$ >"/sys/fs/cgroup/$0/cgroup.procs"; exec nsenter -t "$@"' "$name" "$(pid_of "$name")" \
        -m -u -i -n -p -U -S 0 -G 0 "$@"
}

# All nodes and links in its /dev, with the owner as the host sees it.
nodes_in() {
    local dev
    dev=/proc/$(pid_of "$1")/root/dev
    find "$dev" -path "$dev/pts" -prune -o \( -type c -o -type b -o -type l \) -exec stat -c '%n %F %u:%g' {} + |
        sed "s|^$dev/||" | sort
}

# What else there is in it: network interfaces, and udev's records beside the marker.
belongings_of() {
    local root
    root=/proc/$(pid_of "$1")/root
    ls "$root/sys/class/net"
    [ ! -d "$root/run/udev" ] || find "$root/run/udev" -mindepth 1 ! -name control
}

# as_before NAME: whether nothing is in it that was not there when it started.
as_before() {
    nodes_in "$1" >/run/test/nodes
    mounts_of "$(pid_of "$1")" >/run/test/mounts
    belongings_of "$1" >/run/test/belongings
    same "/run/test/$1.nodes" /run/test/nodes && same "/run/test/$1.mounts" /run/test/mounts &&
        same "/run/test/$1.belongings" /run/test/belongings
}

# has_interfaces NAME HEAD...: the network interfaces of these devices are in it, and not on the host.
has_interfaces() {
    local root head
    root=/proc/$(pid_of "$1")/root
    shift
    for head; do
        there "$head" '*/net' || continue
        there "$root$head" '*/net/*' || { echo "there is none of $head inside"; return 1; }
        not there "$head" '*/net/*' || { echo "that of $head is on the host"; return 1; }
    done
}

# has_all NAME HEAD...: whether the nodes that were added to it are those of these devices and all below them, each
# owned by its root; and their network interfaces are in it.
has_all() {
    local name=$1 head
    shift
    has_interfaces "$name" "$@" || return 1
    for head; do
        find "$head/" -name dev -type f | while read -r file; do
            case $(readlink "${file%/dev}/subsystem") in
            */block) kind="block special file" ;;
            *) kind="character special file" ;;
            esac
            echo "$(sed -n 's/^DEVNAME=//p' "${file%/dev}/uevent") $kind 100000:100000"
        done
    done >/run/test/wanted
    sort /run/test/wanted "/run/test/$name.nodes" >/run/test/expected
    nodes_in "$name" >/run/test/nodes
    same /run/test/expected /run/test/nodes
}

has_only() {
    has_all "$@" >/dev/null
}
