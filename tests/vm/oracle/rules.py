#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rules.py: prints the rules that both judges read: corners.rules, then rules made at random, yet always the same,
of what devices.json says that there is. Each sets a property ORACLE_<number>; what became of the properties is the
verdict.
"""

import json
import os
import random

GENERATED = 250
SEED = 20260

# What does not hang on the device that is asked: (key, value).
HOST = [
    ("SYSCTL{kernel/ostype}", "Linux"),
    ("SYSCTL{kernel.hostname}", "vm"),
    ("SYSCTL{net/ipv4/conf/lo/forwarding}", "0"),
    ("CONST{arch}", "x86-64"),
    ("CONST{virt}", "qemu"),
    ("ATTR{[net/lo]type}", "772"),
    ("ATTR{[dmi/id]sys_vendor}", "QEMU"),
    ("NAME", ""),
]


def logical_lines(text):
    """The rules of a file as they are written, with their continuation lines."""
    rule = ""
    for line in text.splitlines():
        if not rule and (not line.strip() or line.lstrip().startswith("#")):
            continue
        rule += line
        if line.endswith("\\") or (rule.count("\n") and line.lstrip().startswith("#")):
            rule += "\n"
            continue
        yield rule
        rule = ""


def quoted(pattern):
    return '"' + pattern.replace('"', '\\"') + '"'


def with_glob(value, dice):
    """A pattern that the value meets, in one of the ways there are."""
    at = dice.randrange(len(value)) if value else 0
    return dice.choice([
        lambda: value,
        lambda: value,
        lambda: value[:at] + "*",
        lambda: "*" + value[at:],
        lambda: value[:at] + "?" + value[at + 1:],
        lambda: value[:at] + "[" + value[at:at + 1] + "x]" + value[at + 1:] if value else "",
        lambda: value[:at] + "[!" + value[at:at + 1] + "]" + value[at + 1:] if value else "?*",
        lambda: "something|" + value,
        lambda: value + "|something else*",
        lambda: value[:at] + "|" + value[at:],
        lambda: value.rstrip(),
        lambda: value + " ",
        lambda: value.swapcase(),
    ])()


def expression(key, value, dice):
    operator = "!=" if dice.random() < 0.15 else "=="
    if dice.random() < 0.15:
        return f"{key}{operator}i{quoted(with_glob(value.swapcase(), dice))}"
    return f"{key}{operator}{quoted(with_glob(value, dice))}"


def facts(device, plural):
    """What can be asked of a device: of itself, or as one of another's parents."""
    for key in ("KERNEL", "SUBSYSTEM", "DRIVER"):
        yield key + plural, device.get(key, "")
    for name, value in device["ATTR"].items():
        yield f"ATTR{plural}{{{name}}}", value
    yield from (("TAG" + plural, tag) for tag in device["TAG"])
    if not plural:
        yield from (("SYMLINK", link) for link in device["SYMLINK"])
        yield "DEVPATH", device["devpath"]
        yield from ((f"ENV{{{name}}}", value) for name, value in device["ENV"].items())


def parents(device, devices):
    """The device itself and those above it."""
    return [other for other in devices if (device["devpath"] + "/").startswith(other["devpath"] + "/")]


def test(device, dice):
    """Whether there is a file, which most devices of the sort have."""
    name = dice.choice(list(device["ATTR"]) or ["uevent"])
    mask = dice.choice(["", "", "{0444}", "{0222}", "{0111}"])
    path = dice.choice([name, name, "power/../" + name, "../" + name, "/sys%p/" + name])
    return f'TEST{mask}{dice.choice(["==", "==", "!="])}"{path}"'


def generate(devices, dice):
    device = dice.choice(devices)
    own = list(facts(device, ""))
    above = list(facts(dice.choice(parents(device, devices)), "S"))
    asked = dice.sample(own, dice.choice([0, 1, 1, 2])) + dice.sample(above, dice.choice([0, 0, 1, 2]))
    if dice.random() < 0.1: # of another parent: no one device may answer both
        asked += dice.sample(list(facts(dice.choice(parents(device, devices)), "S")), 1)
    if dice.random() < 0.1:
        asked += dice.sample(HOST, 1)
    keys = [expression(key, value, dice) for key, value in asked or dice.sample(own, 1)]
    if dice.random() < 0.1:
        keys.append(test(device, dice))
    return ", ".join(keys)


def marked(rule, number):
    if "ENV{@}" not in rule:
        rule += ', ENV{@}="1"'
    return rule.replace("@", f"ORACLE_{number}")


def main(folder):
    with open(os.path.join(folder, "corners.rules"), encoding="utf-8") as file:
        rules = list(logical_lines(file.read()))
    with open(os.path.join(folder, "devices.json"), encoding="utf-8") as file:
        devices = json.load(file)
    dice = random.Random(SEED)
    rules += [generate(devices, dice) for _ in range(GENERATED)]
    print('ENV{ORACLE_ACTION}="$env{ACTION}"')
    for number, rule in enumerate(rules, 1):
        print(marked(rule, number))


main(os.path.dirname(os.path.abspath(__file__)))
