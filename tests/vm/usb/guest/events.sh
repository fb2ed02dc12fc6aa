# shellcheck shell=dash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What was heard, on the host and inside. A line of a listener's is
# "nl_pid=P groups=G ... action=A devpath=D DEVNAME=N open=O record=R".

# heard NAME HEAD...: "A D N O" of each of the kernel's events of these devices (their path in sysfs) and of what is
# below them; without any, of all.
heard() {
    lines_heard 1 "$@" | cut -d ' ' -f 1-4
}

# heard_of_udev NAME HEAD...: "A D N O R" of each of udev's events likewise.
heard_of_udev() {
    lines_heard 2 "$@"
}

lines_heard() {
    local group=$1 name=$2
    shift 2
    awk -v group="groups=$group" -v heads="$*" '
        BEGIN { count = split(heads, head, " ") }
        function wanted(path,   i) {
            for (i = 1; i <= count; i++)
                if (index("/sys" path "/", head[i] "/") == 1)
                    return 1
            return !count
        }
        $2 == group && $7 ~ /^action=/ {
            for (i = 7; i <= NF; i++)
                sub(/^[A-Za-z]*=/, "", $i)
            if (wanted($8))
                print $7, $8, $9, $10, $11
        }' "/run/test/$name.log"
}

# number_heard NAME ACTION HEAD: how often this was said of the device itself.
number_heard() {
    heard "$1" "$3" | awk -v action="$2" -v path="${3#/sys}" '$1 == action && $2 == path { n++ } END { print n + 0 }'
}

has_heard() {
    [ "$(number_heard "$1" "$2" "$3")" -ge "$4" ]
}

# heard_as_on_host NAME HEAD...: the container was told of these devices what the host's programs were told, once and in
# the same order, and of nothing else. Nodes of input devices come later: udev says first that they are not the seat's.
# Network interfaces move, and the kernel itself tells of them where they are: see interface_comes_and_goes.
heard_as_on_host() {
    local name=$1 file
    shift
    heard host "$@" | cut -d ' ' -f 1-2 | grep -v '/net/' >/run/test/events.host
    heard "$name" | cut -d ' ' -f 1-2 | grep -v '/net/' >/run/test/events.inside
    for file in host inside; do
        grep -v '/input/input[0-9]*/[a-z]*[0-9]*$' "/run/test/events.$file" >"/run/test/order.$file"
        sort "/run/test/events.$file" >"/run/test/all.$file"
    done
    [ -s /run/test/order.host ] && same /run/test/order.host /run/test/order.inside &&
        same /run/test/all.host /run/test/all.inside
}

# opened_at_add NAME HEAD COUNT: at least so many nodes were added, and each opened as its `add` was read.
opened_at_add() {
    heard "$1" "$2" | awk -v least="$3" '
        $1 == "add" && $3 != "-" { n++; if ($4 != "0") { bad++; print } }
        END { if (n < least) print "only " n + 0 " nodes, not " least; exit bad || n < least }'
}

# closed_at_remove NAME HEAD COUNT: likewise for `remove`, when it must not open.
closed_at_remove() {
    heard "$1" "$2" | awk -v least="$3" '
        $1 == "remove" && $3 != "-" { n++; if ($4 !~ /^(ENOENT|EACCES|EPERM|ENXIO)$/) { bad++; print } }
        END { if (n < least) print "only " n + 0 " nodes, not " least; exit bad || n < least }'
}

# interface_comes_and_goes NAME PATH COUNT: so often this network interface was added inside, and then removed, all the
# while under one name; udev told of both. (Where it keeps its name 5.10 says `move` nevertheless.)
interface_comes_and_goes() {
    local all='$1 ~ /^(add|remove)$/ && $2 ~ "/net/[^/]*$" { print $1, $2 }'
    heard "$1" "${2%/net/*}" | awk "$all" >/run/test/moves
    heard_of_udev "$1" "${2%/net/*}" | awk "$all" >/run/test/moves.udev
    awk -v count="$3" -v path="${2#/sys}" 'BEGIN { while (count--) print "add " path "\nremove " path }' \
        >/run/test/moves.wanted
    same /run/test/moves.wanted /run/test/moves && same /run/test/moves.wanted /run/test/moves.udev
}

# added_and_removed NAME heard|heard_of_udev: the devices of which that was told.
added_and_removed() {
    "$2" "$1" | awk '$1 ~ /^(add|remove)$/ && $2 !~ /\/net\// { print $1, $2 }' | sort
}

# udev_told_all NAME: udev told of each device what the kernel told.
udev_told_all() {
    added_and_removed "$1" heard >/run/test/told.kernel
    added_and_removed "$1" heard_of_udev >/run/test/told.udev
    same /run/test/told.kernel /run/test/told.udev
}

# records_were_there NAME: as udev told of a device its record was there, unless it told of its end.
records_were_there() {
    heard_of_udev "$1" | awk '
        { n++; if ($5 != ($1 == "remove" ? "ENOENT" : "0")) { bad++; print } }
        END { exit bad || !n }'
}

# in_tree_order NAME: no device came before its parent, or went before its children; none is left. (Of a network
# interface's queues the kernel says nothing where it moves to.)
in_tree_order() {
    heard "$1" | grep -v '/net/.*/' | awk '
        $1 == "add" {
            for (path in there)
                if (index(path, $2 "/") == 1) { bad++; print "after its child " path ": " $0 }
            if ($2 in there) { bad++; print "twice: " $0 }
            there[$2]
        }
        $1 == "remove" {
            if (!($2 in there)) { bad++; print "was not there: " $0 }
            delete there[$2]
            for (path in there)
                if (index(path, $2 "/") == 1) { bad++; print "before its child " path ": " $0 }
        }
        END {
            for (path in there) { bad++; print "left: " path }
            exit bad > 0
        }'
}
