# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Once for each run of bats over this folder: what the tests need is looked for, and the helper programs are
# built and put where the root of a container can reach them (a checkout below /root is closed to it).

setup_suite() {
    local top helper
    top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    export DEVOLVE_BUILD=${DEVOLVE_BUILD:-$top/build}
    ((EUID == 0)) || suite_cannot_run "these tests make containers and devices: run them as root"
    [[ -x $DEVOLVE_BUILD/devolved ]] || suite_cannot_run "no devolved in $DEVOLVE_BUILD: run scripts/build first"

    mkdir -p "$DEVOLVE_BUILD/tests/e2e/helpers"
    "$top/scripts/build-helpers" "$DEVOLVE_BUILD/tests/e2e/helpers" || suite_cannot_run "the helpers do not build"
    DEVOLVE_HELPERS=$(mktemp -d /var/tmp/devolve-helpers.XXXXXX)
    export DEVOLVE_HELPERS
    for helper in "$DEVOLVE_BUILD"/tests/e2e/helpers/*; do
        install -m 755 "$helper" "$DEVOLVE_HELPERS"
    done
    chmod 755 "$DEVOLVE_HELPERS"
}

teardown_suite() {
    [[ -z ${DEVOLVE_HELPERS:-} ]] || rm -rf "$DEVOLVE_HELPERS"
}

suite_cannot_run() {
    echo "$1" >&2
    return 1
}
