# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Single Debian packages of any suite, without what they depend on: apt downloads with a state of its own,
# dpkg-deb unpacks. Nothing is installed and the machine's own apt is not touched.
# Sources are had in the same way.
# (images/debian-packages of the end-to-end tests is for whole systems, with all dependencies.)

# packages_open SUITE [deb-src]: reads the suite's list of packages, or of sources; before those below. Gone when the
# shell ends.
packages_open() {
    local suite=$1 kind=${2:-deb} keyring=/usr/share/keyrings/debian-archive-keyring.gpg mirror
    [[ -r $keyring ]] || { echo "$keyring is missing (package debian-archive-keyring)" >&2; return 1; }
    packages_state=$(mktemp -d "${TMPDIR:-/tmp}/devolve-apt.XXXXXX")
    trap 'rm -rf "$packages_state"' EXIT
    mkdir -p "$packages_state"/{lists,archives}/partial
    : >"$packages_state/status"
    mirror=${DEVOLVE_TEST_MIRROR:-$(packages_machine_mirror)}
    echo "$kind [signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} $suite main" \
        >"$packages_state/sources.list"
    packages_apt apt-get -qq update >&2
}

# The mirror that this machine takes Debian from, so that a local one is used where there is one.
packages_machine_mirror() {
    # shellcheck disable=SC2016 # apt's own placeholder
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        sed -n 's|\(/debian\)/*$|\1|p' | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }'
}

packages_apt() {
    local program=$1 state=$packages_state
    shift
    "$program" -o "Dir::State=$state" -o "Dir::State::lists=$state/lists" -o "Dir::State::status=$state/status" \
        -o "Dir::Cache=$state" -o "Dir::Cache::archives=$state/archives" \
        -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o APT::Sandbox::User=root -o APT::Update::Post-Invoke-Success::= \
        -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

# The names of all packages of the suite.
packages_list() {
    packages_apt apt-cache pkgnames
}

# packages_unpack DIR PACKAGE...
packages_unpack() {
    local root=$1 package
    shift
    (cd "$packages_state/archives" && packages_apt apt-get -qq download "$@") >&2
    for package in "$packages_state"/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -C "$root" --keep-directory-symlink -xf -
    done
}

# packages_source DIR SOURCE: as its authors released it. apt has compared it with the signed list.
packages_source() {
    (cd "$packages_state/archives" && packages_apt apt-get -qq source --tar-only "$2") >&2
    tar -C "$1" --strip-components=1 -xf "$packages_state/archives/$2"_*.orig.tar.*
}
