#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""compare.py RULES VERDICTS KNOWN: where do udevd and devolve differ?

VERDICTS is what guest/observe printed. KNOWN lists the differences that are meant: a line that begins with `#` says
why, the lines below it are rules, as in corners.rules. Fails where there is another difference, where a known one is
no longer there, and where too little was compared.
"""

import re
import sys

RULES_MIN, KINDS_MIN, DEVICES_MIN = 300, 25, 200


def read_rules(path):
    """{number: the rule's text without the mark}"""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"\\\n(\s*#.*\n)*\s*", "", file.read())
    return {match[1]: line.replace(f"ORACLE_{match[1]}", "@").removesuffix(', ENV{@}="1"').strip()
            for line in text.splitlines() if (match := re.search(r"\bORACLE_(\d+)", line))}


def read_known(path):
    """{rule: why it differs}"""
    known, reason = {}, ""
    with open(path, encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("#"):
                reason = line[1:].strip()
            elif line:
                known[line] = reason
    return known


def read_verdicts(path):
    """{section: {devpath: {number: value}}}, and the kinds that were plugged."""
    sections, kinds, devices = {}, [], None
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for line in file.read().split("\n"):
            if match := re.match(r"== (.*)", line):
                devices = sections[match[1]] = {}
            elif match := re.match(r"kind (\S+) (\S+)", line):
                kinds.append(match[1])
            elif devices is not None and (match := re.match(r"P: (.*)", line)):
                marks = devices[match[1]] = {}
            elif devices is not None and (match := re.match(r"E: ORACLE_(\w+)=(.*)", line)):
                marks[match[1]] = match[2]
    return sections, kinds


def differences(rules, udevd, devolve):
    """Yields (rule, devpath, udevd's value, devolve's); None is no match."""
    for devpath in udevd.keys() & devolve.keys():
        theirs, ours = udevd[devpath], devolve[devpath]
        if "ACTION" not in theirs: # it was there before udevd, which has seen no event of it yet
            continue
        for number, rule in rules.items():
            # udev's last event of a device may have been its `bind`; we always judge its `add`.
            if theirs["ACTION"] != "add" and re.search(r"\bACTION\b", rule):
                continue
            if theirs.get(number) != ours.get(number):
                yield number, rule, devpath, theirs.get(number), ours.get(number)


def shown(value):
    return "no match" if value is None else repr(value)


def main(rules_path, verdicts_path, known_path):
    rules, known = read_rules(rules_path), read_known(known_path)
    sections, kinds = read_verdicts(verdicts_path)
    complaints, unused, compared = [], set(known), 0
    for phase in ("hot", "cold"):
        udevd, devolve = sections[f"udevd {phase}"], sections[f"devolve {phase}"]
        complaints += [f"{phase}: only one of the two knows {devpath}" for devpath in udevd.keys() ^ devolve.keys()]
        compared += len(rules) * len(udevd.keys() & devolve.keys())
        first = {}
        for number, rule, devpath, theirs, ours in differences(rules, udevd, devolve):
            unused.discard(rule)
            if rule not in known:
                first.setdefault(number, []).append(f"    {devpath}: udevd {shown(theirs)}, devolve {shown(ours)}")
        for number, lines in sorted(first.items(), key=lambda item: int(item[0])):
            complaints.append("\n".join([f"{phase}: {rules[number]}", *lines[:3],
                                         *([f"    and {len(lines) - 3} more"] if len(lines) > 3 else [])]))
    complaints += [f"listed as known, but they agree: {rule}" for rule in sorted(unused & set(rules.values()))]
    devices = sections["udevd cold"]
    matched = {number for marks in devices.values() for number in marks} & rules.keys()
    for what, count, least in (("rules", len(rules), RULES_MIN), ("kinds", len(kinds), KINDS_MIN),
                               ("devices", len(devices), DEVICES_MIN), ("matched", len(matched), len(rules) // 2)):
        if count < least:
            complaints.append(f"too little to compare: {what}: {count}, not {least}")
    print("\n".join(complaints))
    print(f"{len(rules)} rules, {len(matched)} of them met by some device; {len(devices)} devices, {len(kinds)} kinds "
          f"plugged; {compared} verdicts; {len(known)} rules known to differ; {len(complaints)} complaints")
    return 1 if complaints else 0


sys.exit(main(*sys.argv[1:]))
