#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""survey.py <SURVEY >devices.json: of what guest/survey printed, what rules are generated from.

Two devices of each sort (subsystem, type, driver) and all that is above them, one a line, with the attributes and
properties that stay the same from one look to the next.
"""

import json
import re
import sys

PER_SORT = 2
VALUE_MAX = 80
DULL = {"acpi", "cpu", "memory", "event_source", "wakeup", "workqueue", "vtconsole", "clocksource", "bdi"}
VOLATILE = re.compile(
    r"urbnum|duration|usec|time|stat$|stats|statistics|inflight|power/|wakeup|hwseqnum|io(done|request|err|tmo)_?cnt"
    r"|uevent|carrier|state|speed|duplex|timeout|testing|dormant|proto_down|rx|tx|flags|trigger|events_poll"
    r"|SEQNUM|USEC|DISKSEQ|IFINDEX|DEVNAME|DEVLINKS|TAGS|diskseq|index|iflink|brightness|_input|authorized"
)


def is_stable(name, value):
    return not VOLATILE.search(name) and len(value) <= VALUE_MAX and "\\" not in value and value != "(not readable)"


def read(lines):
    """Both halves of the survey, as {devpath: device}."""
    devices, device = {}, None
    for line in lines:
        if match := re.match(r"\s*looking at device '(.*)':", line):
            device = devices.setdefault(match[1], {"devpath": match[1], "ATTR": {}, "ENV": {}, "SYMLINK": [], "TAG": []})
        elif match := re.match(r'\s*(KERNEL|SUBSYSTEM|DRIVER)=="(.*)"$', line):
            device[match[1]] = match[2]
        elif match := re.match(r'\s*ATTR\{(.*?)\}=="(.*)"$', line):
            if is_stable(match[1], match[2]):
                device["ATTR"][match[1]] = match[2]
        elif match := re.match(r"P: (.*)", line):
            device = devices.get(match[1])
        elif device and (match := re.match(r"S: (.*)", line)):
            device["SYMLINK"].append(match[1])
        elif device and (match := re.match(r"E: CURRENT_TAGS=:(.*):", line)):
            device["TAG"] = match[1].split(":")
        elif device and (match := re.match(r"E: (.*?)=(.*)", line)):
            if is_stable(match[1], match[2]):
                device["ENV"][match[1]] = match[2]
    return devices


def ancestors(devpath):
    while (devpath := devpath.rpartition("/")[0]):
        yield devpath


def choose(devices):
    taken, chosen = {}, set()
    for devpath, device in sorted(devices.items()):
        sort = (device.get("SUBSYSTEM"), device["ENV"].get("DEVTYPE"), device.get("DRIVER"))
        if not sort[0] or sort[0] in DULL or taken.setdefault(sort, 0) >= PER_SORT:
            continue
        taken[sort] += 1
        chosen |= {devpath} | {path for path in ancestors(devpath) if path in devices}
    return [devices[devpath] for devpath in sorted(chosen)]


def main():
    chosen = choose(read(line.rstrip("\n") for line in sys.stdin))
    print("[\n" + ",\n".join(json.dumps(device, sort_keys=True) for device in chosen) + "\n]")


main()
