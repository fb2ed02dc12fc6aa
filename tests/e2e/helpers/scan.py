#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""scan.py SECONDS NODE: looks for what is not the container's, from inside, again and again.

Prints "scanning", then a line for each new thing: "process PID NAME", "descriptor LINK" and "mount LINE" for those
that were not there at first, but for the mount on NODE; "socket LINE" and "name PATH" for those that speak of
devolve. At the end "scans N".
"""

import os
import sys
import time

OWN = {os.getpid()}
WORD = "devolve"


def read(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def names(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


def processes():
    return {int(name) for name in names("/proc") if name.isdigit()} - OWN


def descriptors(pid):
    for name in names(f"/proc/{pid}/fd"):
        try:
            yield os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            pass


def links():
    return {link for pid in processes() for link in descriptors(pid)}


def mounts(node):
    lines = read("/proc/self/mountinfo").splitlines()
    return {line for line in lines if line.split()[4] != node}


def look(before, node):
    for pid in processes() - before["processes"]:
        if comm := read(f"/proc/{pid}/comm").strip():
            yield f"process {pid} {comm}"
    yield from (f"descriptor {link}" for link in links() - before["links"])
    yield from (f"mount {line}" for line in mounts(node) - before["mounts"])
    yield from (f"socket {line}" for line in read("/proc/net/unix").splitlines() if WORD in line)
    for directory in "/", "/dev", "/run", "/tmp", "/dev/shm":
        yield from (f"name {directory}/{name}" for name in names(directory) if WORD in name)


def main(seconds, node):
    before = {"processes": processes(), "links": links(), "mounts": mounts(node)}
    told, scans = set(), 0
    print("scanning", flush=True)
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        for thing in look(before, node):
            if thing not in told:
                told.add(thing)
                print(thing, flush=True)
        scans += 1
    print(f"scans {scans}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
