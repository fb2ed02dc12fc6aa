# shellcheck shell=dash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Waiting, and saying what was found.

# wait_until COMMAND...: looks until it is so; gives up after 1500 looks. (Looks are counted, not
# seconds: on a busy host the guest's clock may jump.)
wait_until() {
    local looks=0
    until "$@"; do
        looks=$((looks + 1))
        if [ $looks -ge 1500 ]; then
            echo "waited in vain: $*"
            return 1
        fi
        usleep 20000
    done
}

# check SENTENCE COMMAND...: one result line; what the command prints is shown where it fails. Fails as it does.
check() {
    local sentence=$1
    shift
    if "$@" >/run/test/said 2>&1; then
        echo "ok - $sentence"
    else
        echo "not ok - $sentence"
        head -n 60 /run/test/said | sed 's/^/# /'
        return 1
    fi
}

# same FILE FILE: whether they are equal; else the lines that differ.
same() {
    cmp -s "$1" "$2" && return
    diff -U 1 "$1" "$2"
    return 1
}

# not COMMAND...
not() {
    ! "$@"
}
