#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""compare.py RULES VERDICTS KNOWN MANUAL: where do udevd and devolve differ?

VERDICTS is what guest/observe printed. KNOWN lists the differences that are meant: lines that begin with `#` say why
and are sentences of the manual page; the lines below are rules, as in corners.rules. Fails where there is another
difference, where a known one is no longer there or not in the manual, and where too little was compared.
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
    known, reason, ended = {}, "", True
    with open(path, encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("#"):
                reason = line[1:] if ended else reason + line[1:]
            elif line:
                known[line] = reason
            ended = not line.startswith("#")
    return known


def plain(text):
    """Words and signs alone: without scdoc's marks, and however the lines are broken."""
    return " ".join(re.sub(r"[*_\\]", "", text).split())


def not_in_manual(known, path):
    with open(path, encoding="utf-8") as file:
        section = plain(file.read().partition("# DIFFERENCES FROM UDEV\n")[2].partition("\n# ")[0])
    return [reason for reason in sorted(set(known.values())) if plain(reason) not in section]


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


def complain_of_differences(rules, known, sections):
    """Returns what to say of those that are not known, and the known rules that did differ."""
    udevd, devolve, found, used = sections["udevd"], sections["devolve"], {}, set()
    complaints = [f"only one of the two knows {devpath}" for devpath in udevd.keys() ^ devolve.keys()]
    for number, rule, devpath, theirs, ours in differences(rules, udevd, devolve):
        used.add(rule)
        if rule not in known:
            found.setdefault(number, []).append(f"    {devpath}: udevd {shown(theirs)}, devolve {shown(ours)}")
    for number, lines in sorted(found.items(), key=lambda item: int(item[0])):
        more = [f"    and {len(lines) - 3} more"] if len(lines) > 3 else []
        complaints.append("\n".join([rules[number], *lines[:3], *more]))
    return complaints, used


def complain_of_little(rules, matched, devices, kinds):
    for what, count, least in (("rules", rules, RULES_MIN), ("kinds", kinds, KINDS_MIN),
                               ("devices", devices, DEVICES_MIN), ("rules that match", matched, rules // 2)):
        if count < least:
            yield f"too little to compare: {count} {what}, not {least}"


def main(rules_path, verdicts_path, known_path, manual_path):
    rules, known = read_rules(rules_path), read_known(known_path)
    sections, kinds = read_verdicts(verdicts_path)
    complaints, used = complain_of_differences(rules, known, sections)
    complaints += [f"listed as known, but they agree: {rule}" for rule in sorted(known.keys() - used)]
    complaints += [f"not a sentence of the manual: {reason}" for reason in not_in_manual(known, manual_path)]
    judged = [marks for marks in sections["udevd"].values() if "ACTION" in marks]
    matched = {number for marks in judged for number in marks} & rules.keys()
    complaints += complain_of_little(len(rules), len(matched), len(judged), len(kinds))
    for complaint in complaints:
        print(complaint)
    print(f"{len(rules)} rules ({len(matched)} match something), {len(judged)} devices, {len(kinds)} kinds plugged: "
          f"{len(complaints)} complaints, {len(known)} differences known")
    return 1 if complaints else 0


sys.exit(main(*sys.argv[1:]))
