# shellcheck shell=dash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What was heard, on the host and inside. A line of a listener's is "... action=A devpath=D DEVNAME=N open=O".

# heard NAME HEAD...: "A D N O" of each event of these devices (their path in sysfs) and of what is below them; without
# any, of all.
heard() {
    local name=$1
    shift
    awk -v heads="$*" '
        BEGIN { count = split(heads, head, " ") }
        function wanted(path,   i) {
            for (i = 1; i <= count; i++)
                if (index("/sys" path "/", head[i] "/") == 1)
                    return 1
            return !count
        }
        $7 ~ /^action=/ {
            for (i = 7; i <= 10; i++)
                sub(/^[A-Za-z]*=/, "", $i)
            if (wanted($8))
                print $7, $8, $9, $10
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
heard_as_on_host() {
    local name=$1 file
    shift
    heard host "$@" | cut -d ' ' -f 1-2 >/run/test/events.host
    heard "$name" | cut -d ' ' -f 1-2 >/run/test/events.inside
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

# in_tree_order NAME: no device came before its parent, or went before its children; none is left.
in_tree_order() {
    heard "$1" | awk '
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
