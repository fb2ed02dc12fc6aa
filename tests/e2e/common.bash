# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What every end-to-end test stands on: a private place for one test, waiting, and cleaning up.
#
# Each test has a directory of its own below /run, a tmpfs whose mount is *shared*, as / is on systemd hosts;
# the daemon's runtime directory ($runtime) and rules ($rules) are in it. Whatever a fixture makes outside of
# it (process, zram, loop, cgroup) is noted there in a file when it is made, so that it is found and taken away
# after a failure too, and also where it was made in a subshell.

bats_require_minimum_version 1.8.0

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
images=$here/images
build=${DEVOLVE_BUILD:?}
helpers=${DEVOLVE_HELPERS:?}
# shellcheck source=tests/e2e/fixture/device.bash
. "$here/fixture/device.bash"
# shellcheck source=tests/e2e/fixture/cgroup.bash
. "$here/fixture/cgroup.bash"
# shellcheck source=tests/e2e/fixture/container.bash
. "$here/fixture/container.bash"
# shellcheck source=tests/e2e/fixture/lxc.bash
. "$here/fixture/lxc.bash"
# shellcheck source=tests/e2e/fixture/runc.bash
. "$here/fixture/runc.bash"
# shellcheck source=tests/e2e/fixture/oci.bash
. "$here/fixture/oci.bash"
# shellcheck source=tests/e2e/fixture/podman.bash
. "$here/fixture/podman.bash"
# shellcheck source=tests/e2e/fixture/lifecycle.bash
. "$here/fixture/lifecycle.bash"
# shellcheck source=tests/e2e/fixture/machined.bash
. "$here/fixture/machined.bash"
# shellcheck source=tests/e2e/fixture/nspawn.bash
. "$here/fixture/nspawn.bash"
# shellcheck source=tests/e2e/fixture/daemon.bash
. "$here/fixture/daemon.bash"
# shellcheck source=tests/e2e/fixture/udevd.bash
. "$here/fixture/udevd.bash"

common_setup() {
    work=$(mktemp -d /run/devolve-test.XXXXXX)
    mount -t tmpfs -o mode=755 devolve-test "$work"
    mount --make-shared "$work"
    runtime=$work/runtime rules=$work/rules
    mkdir "$work/made" "$runtime" "$rules"
    export DEVOLVE_RUNTIME_DIR=$runtime
    daemon_pid=
}

# Takes everything away that the test made, the youngest layer first. Fails where the daemon had anything to
# be ashamed of: a bad end, or a sanitizer's report.
common_teardown() {
    local status=0
    [[ -n ${work:-} && -d $work/made ]] || return 0
    containers_end
    daemons_end || status=1
    devices_remove
    processes_end
    cgroups_remove
    if [[ ${BATS_TEST_COMPLETED:-} != 1 || $status != 0 ]]; then
        logs_print
    fi
    mounts_remove "$work"
    rmdir "$work"
    return $status
}

setup() {
    common_setup
}

teardown() {
    common_teardown
}

# note KIND WORD...: remembers that something of this kind was made (newest first when read back).
note() {
    local kind=$1
    shift
    echo "$*" >>"$work/made/$kind"
}

noted() {
    local lines i
    [[ -e $work/made/$1 ]] || return 0
    mapfile -t lines <"$work/made/$1"
    for ((i = ${#lines[@]}; i-- > 0;)); do
        echo "${lines[i]}"
    done
}

# note_process KIND PID: the same for a process. Numbers come again within minutes, so its start time is noted, too.
note_process() {
    local stat
    read_stat "$2"
    note "$1" "$2 ${stat[19]:-}"
}

# Those of a kind that still run.
noted_processes() {
    local pid start stat
    while read -r pid start; do
        read_stat "$pid"
        [[ -z $start || ${stat[19]:-} != "$start" ]] || echo "$pid"
    done < <(noted "$1")
}

# read_stat PID: what proc(5) says in /proc/PID/stat behind the name, in the array `stat`: 0 is its state, 19 its start
# time, in ticks since the machine's start. Empty where there is no such process.
read_stat() {
    local line=
    { read -r -d '' line <"/proc/$1/stat"; } 2>/dev/null || true
    read -r -a stat <<<"${line##*) }"
}

# Ends the test with a sentence that says what was expected.
fail() {
    printf '%s\n' "$*" >&2
    return 1
}

# wait_until SECONDS COMMAND...: returns as soon as the command succeeds, fails when the time is over. The
# only loop that waits; the pause keeps it from taking the processor away from what it waits for.
wait_until() {
    local deadline=$((SECONDS + $1 + 1)) seconds=$1
    shift
    until "$@"; do
        if ((SECONDS >= deadline)); then
            fail "not within $seconds s: $*"
            return 1
        fi
        sleep 0.02
    done
}

# Of the clock, for figures that are printed and for deadlines that are promised.
milliseconds() {
    echo $((${EPOCHREALTIME/./} / 1000))
}

# within_time MILLISECONDS PROMISED: on a machine that does nothing else (scripts/soak) what is promised is asked for,
# beside other tests four times as much.
within_time() {
    (($1 <= $2 * ${DEVOLVE_TIME_FACTOR:-4}))
}

# is EXPECTED COMMAND...: whether the command prints exactly this. For wait_until.
is() {
    local expected=$1
    shift
    [[ $("$@") == "$expected" ]]
}

# assert_equal ACTUAL EXPECTED WHAT
assert_equal() {
    [[ $1 == "$2" ]] || fail "$3: expected '$2', found '$1'"
}

# assert_contains TEXT PART WHAT
assert_contains() {
    [[ $1 == *"$2"* ]] || fail "$3: '$2' is not in: $1"
}

# not COMMAND...: for wait_until and for lines of their own, where `!` would be ignored by errexit.
not() {
    ! "$@"
}

process_gone() {
    local stat
    read_stat "$1"
    [[ ${stat[0]:-Z} == Z ]]
}

process_state() {
    local stat
    read_stat "$1"
    echo "${stat[0]:-}"
}

# end_process PID [SIGNAL]: ends one process that we started, with SIGKILL when it does not listen.
end_process() {
    kill "-${2:-TERM}" "$1" 2>/dev/null || return 0
    wait_until 5 process_gone "$1" 2>/dev/null || kill -KILL "$1" 2>/dev/null || true
    wait_until 5 process_gone "$1"
    wait "$1" 2>/dev/null || true
}

# in_background COMMAND...: starts it, noted for cleaning up; the pid is in $background. (A function that ends
# in a long-running program starts it by exec, or the pid is that of the shell around it.)
in_background() {
    # Bash would give it /dev/null to read from.
    "$@" <&0 3>&- 4>&- &
    background=$!
    note_process process "$background"
}

# hold_open NAME: $work/NAME.stdin is a standard input that does not end before this shell does, or before
# hold_open is called with the same name again.
declare -gA held
hold_open() {
    local fd=${held[$1]:-}
    [[ -z $fd ]] || exec {fd}>&-
    rm -f "$work/$1.stdin"
    mkfifo "$work/$1.stdin"
    exec {fd}<>"$work/$1.stdin"
    held[$1]=$fd
}

processes_end() {
    local pid
    for pid in $(noted_processes process); do
        end_process "$pid" || true
    done
}

mounts_below() {
    awk -v top="$1" '$5 == top || index($5, top "/") == 1 { print $5 }' /proc/self/mountinfo
}

mounts_remove() {
    local mount
    for mount in $(mounts_below "$1" | sort -r); do
        umount -l "$mount" || true
    done
}

logs_print() {
    local log
    for log in "$work"/*.log; do
        [[ -s $log ]] || continue
        echo "--- $(basename "$log"), the last 60 lines"
        tail -n 60 "$log"
    done
}

# counts_of PID...: what each process holds, one line a kind, to be equal before and after. Mounts are counted
# where they are ours: below the runtime directory, and in mount namespaces other than this one.
counts_of() {
    local pid
    echo "mounts below the runtime directory: $(mounts_below "$runtime" | wc -l)"
    echo "pins: $(find "$runtime" -path '*bpf*' -type f | wc -l)"
    for pid; do
        echo "$pid fds: $(find "/proc/$pid/fd" -mindepth 1 -printf x | wc -c)"
        echo "$pid children: $(wc -w <"/proc/$pid/task/$pid/children")"
        [[ /proc/$pid/ns/mnt -ef /proc/self/ns/mnt ]] || echo "$pid mounts: $(wc -l <"/proc/$pid/mountinfo")"
    done
}

# counts_return TO PID...: waits until counts_of says again what it said before.
counts_return() {
    local before=$1
    shift
    wait_until 10 is "$before" counts_of "$@" 2>/dev/null ||
        fail "$(printf 'counts differ (< before, > after):\n%s' "$(diff <(echo "$before") <(counts_of "$@"))")"
}
