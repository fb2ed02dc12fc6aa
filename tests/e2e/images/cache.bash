# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the image scripts share: a cache directory in which each image is made once, whole or not at all.

# A failure inside $(cached ...) must end the script like any other.
shopt -s inherit_errexit

cache=${DEVOLVE_TEST_CACHE:-/var/cache/devolve-test}

# cached NAME MAKE...: prints the directory of image NAME; where it is missing, `MAKE... DIR` fills it first.
# NAME carries a version: who changes how an image is made changes its name.
cached() {
    local name=$1 new
    shift
    mkdir -p "$cache"
    (
        flock 9
        [[ -d $cache/$name ]] && exit
        new=$(mktemp -d "$cache/.$name.XXXXXX")
        chmod 755 "$new"
        trap 'rm -rf "$new"' EXIT
        "$@" "$new" >&2
        mv -T "$new" "$cache/$name"
    ) 9>"$cache/.lock"
    echo "$cache/$name"
}
