#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Inputs for the fuzzers of rules to begin with, from rule files that were written for udev.

seeds.py TARGET RULES...   writes TARGET/rules/ and TARGET/match/, small files of a few rules each

The worlds to judge are in `worlds`, as fuzz_match.c describes them, with an empty line behind each; rules of our
own in `own.rules`.
"""

import pathlib
import re
import sys

BYTES = 1200  # of a seed, or one line where that is longer

# What devolve refuses by name. A file of such rules says little: they are taken out, and one in twenty is left.
REFUSED = re.compile(
    r"""\b(RUN|IMPORT|PROGRAM|RESULT|SECLABEL)(\{[^}]*\})?\s*([!=+:-]?=)\s*"[^"]*"
      | \bTAG\s*[+:-]?=(?!=)\s*"[^"]*"
      | \b(ATTR|SYSCTL)\{[^}]*\}\s*[+:-]?=(?!=)\s*"[^"]*"
      | \bOPTIONS\s*[+:-]?=\s*"[^"]*"
      | \bNAME\s*:?=\s*"[^"]*\"""",
    re.VERBOSE,
)


def logical_lines(text):
    text = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    return [line.strip() for line in re.sub(r"\\\n\s*", "", text).split("\n") if line.strip()]


def without_refused(line):
    return re.sub(r"(,\s*)+", ", ", REFUSED.sub("", line)).strip(", ")


def chunks(lines):
    chunk, size = [], 0
    for line in lines:
        if chunk and size + len(line) > BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line) + 1
    if chunk:
        yield chunk


def seed_of(chunk):
    """The lines, with the labels that they jump to, and one rule that gives, or nothing would come of them."""
    labels = dict.fromkeys(match for line in chunk for match in re.findall(r'GOTO="([^"]*)"', line))
    gives = ['KERNEL=="*", CONTAINER+="web*"']
    return "\n".join(chunk + [f'LABEL="{label}"' for label in labels] + gives) + "\n"


def seeds(paths):
    for path in paths:
        lines = logical_lines(pathlib.Path(path).read_text(encoding="utf-8"))
        kept = [line for line in (without_refused(line) for line in lines) if line]
        yield from (seed_of(chunk) for chunk in chunks(kept))
        yield from (seed_of(chunk) for chunk in list(chunks(lines))[::20])


def groups(name):
    """What stands between empty lines in a file beside this one."""
    return (pathlib.Path(__file__).parent / name).read_text(encoding="utf-8").strip().split("\n\n")


def write_seed(target, name, number, text):
    directory = pathlib.Path(target) / name
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"seed-{number:04}").write_text(text, encoding="utf-8")


def main(target, *paths):
    worlds = groups("worlds")
    own = [(world, group + "\n") for group in groups("own.rules") for world in worlds]
    of_udev = [(worlds[number % len(worlds)], seed) for number, seed in enumerate(seeds(paths))]
    for number, (world, seed) in enumerate(own + of_udev):
        write_seed(target, "rules", number, seed)
        write_seed(target, "match", number, f"{world}\n\n{seed}")


if __name__ == "__main__":
    main(*sys.argv[1:])
