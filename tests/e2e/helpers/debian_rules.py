#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `devolvectl check` says of rule files that were written for udev.

debian_rules.py files CHECK RULES...          every problem stands where the key is that it names
debian_rules.py lines CHECK DIRECTORY RULES... every line alone: refused if, and only if, it has a key that is refused
debian_rules.py print CHECK DIRECTORY RULES... what is not refused, printed and read again, is printed the same

CHECK is the devolvectl program. What is refused is found here a second time, by plain patterns.
"""

import json
import pathlib
import re
import subprocess
import sys

REFUSED = re.compile(
    r"""\b(RUN|IMPORT|PROGRAM|RESULT|SECLABEL|WAIT_FOR|WAIT_FOR_SYSFS)(\{[^}]*\})?\s*([!=+:-]?=)
      | \bTAG\s*[+:-]?=(?!=)
      | \b(ATTR|SYSCTL)\{[^}]*\}\s*[+:-]?=(?!=)
      | \bOPTIONS\s*[+:-]?=\s*"(watch|nowatch|db_persist|static_node=|log_level=|ignore_remove)
      | \bNAME\s*:?=\s*"[^"]*/
      | (%c|\$result)\b""",
    re.VERBOSE,
)

# What a problem says, and what stands at its column then.
KINDS = [
    (r"(\w+)( as an assignment)? is refused: ", r"{0}\b"),
    (r'option "([^"]*)" is for udev itself', r'"[^"]*{0}'),
    (r"there is no PROGRAM whose result", r'"[^"]*(%c|\$result)'),
    (r"NAME must not have blanks", r'"[^"]*/'),
    (r"there is a comma too many", r","),
    (r"this rule never grants: ", r"(ACTION|ENV)\b"),
    (r"this never matches: ", r"[A-Z]+\b"),
    (r"no LABEL=", r"GOTO\b"),
    (r"this rule never matches here: only udev knows (\w+)", r"{0}\b"),
]


def check(program, paths):
    done = subprocess.run([program, "check", "--json", *paths], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or done.stderr:
        sys.exit(f"check ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)["problems"]


def expected_there(problem):
    for says, stands in KINDS:
        match = re.match(says, problem["text"])
        if match:
            return stands.format(*(re.escape(group) for group in match.groups() if group))
    sys.exit(f"a problem of a kind that these files should not have: {problem}")


def check_place(problem, text):
    line = text.split("\n")[problem["line"] - 1]
    found = line[problem["column"] - 1 :]
    if not re.match(expected_there(problem), found):
        sys.exit(f"{problem} stands at: {found}")


def check_files(program, paths):
    problems = check(program, paths)
    for problem in problems:
        check_place(problem, pathlib.Path(problem["file"]).read_text(encoding="utf-8"))
    print(f"{len(paths)} files, {len(problems)} problems")


def logical_lines(text):
    """(number of the first physical line, all of them as they are)"""
    first, parts = 0, []
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        if not parts and (not bare or bare.startswith("#")):
            continue
        first = first if parts else number
        parts.append(line)
        if line.endswith("\\") or (bare.startswith("#") and len(parts) > 1):
            continue
        yield first, "\n".join(parts)
        parts = []


def one_line_files(directory, paths):
    """A file for each line, at its own line number, with the label that it jumps to. Yields (file, text)."""
    for path in paths:
        text = pathlib.Path(path).read_text(encoding="utf-8")
        for number, line in logical_lines(text):
            target = re.search(r'GOTO="([^"]*)"', line)
            label = f'\nLABEL="{target[1]}"' if target else ""
            file = directory / f"{pathlib.Path(path).stem}-{number:05}.rules"
            file.write_text("\n" * (number - 1) + line + label + "\n", encoding="utf-8")
            yield file, line


def check_lines(program, directory, paths):
    lines = dict(one_line_files(pathlib.Path(directory), paths))
    refused = set()
    for problem in check(program, [str(file) for file in lines]):
        file = pathlib.Path(problem["file"])
        check_place(problem, file.read_text(encoding="utf-8"))
        if problem["severity"] == "error":
            refused.add(file)
    for file, line in lines.items():
        code = "\n".join(part for part in line.split("\n") if not part.strip().startswith("#"))
        if bool(REFUSED.search(code)) != (file in refused):
            sys.exit(f"{file.name} is {'refused' if file in refused else 'accepted'}: {line}")
    print(f"{len(lines)} lines, {len(refused)} of them refused for a key")


def printed(program, path):
    """(number of rules, their text), or the errors' lines where there are such"""
    done = subprocess.run([program, "check", "--json", "--print", path], capture_output=True, text=True, check=False)
    if done.stderr:
        sys.exit(f"check ended with {done.returncode}: {done.stderr}")
    reply = json.loads(done.stdout)
    if done.returncode == 0:
        return reply["rules"], reply["printed"]
    return None, {problem["line"] for problem in reply["problems"] if problem["severity"] == "error"}


def without_lines(text, numbers):
    """Without the logical lines that these physical ones belong to."""
    kept = []
    for first, line in logical_lines(text):
        if not any(first <= number <= first + line.count("\n") for number in numbers):
            kept.append(line + "\n")
    return "".join(kept)


def check_fixed_point(program, file, text):
    """Returns how many rules there were."""
    file.write_text(text, encoding="utf-8")
    count, once = printed(program, file)
    while count is None:
        text = without_lines(text, once)
        file.write_text(text, encoding="utf-8")
        count, once = printed(program, file)
    if len(list(logical_lines(text))) != count:
        sys.exit(f"{file.name}: {count} rules were printed: {text}")
    file.write_text(once, encoding="utf-8")
    count_again, again = printed(program, file)
    if (count, once) != (count_again, again):
        sys.exit(f"{file.name} is printed anew as\n{again}\nand was\n{once}")
    return count


def check_print(program, directory, paths):
    count = 0
    for path in paths:
        path = pathlib.Path(path)
        text = path.read_text(encoding="utf-8")
        count += check_fixed_point(program, pathlib.Path(directory) / path.name, text)
    if count == 0:
        sys.exit("there was nothing to print")
    print(f"{len(paths)} files, {count} rules printed")


if __name__ == "__main__":
    if sys.argv[1] == "files":
        check_files(sys.argv[2], sys.argv[3:])
    elif sys.argv[1] == "print":
        check_print(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        check_lines(sys.argv[2], sys.argv[3], sys.argv[4:])
