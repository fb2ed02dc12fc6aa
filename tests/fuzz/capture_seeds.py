#!/usr/bin/python3 -IS
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# capture_seeds.py GROUP DIR CAPTURE...: the messages of one netlink group (1 the kernel, 2 udev) in captures of
# tests/data, each a file of DIR; tests/unit/capture.h tells what a capture is. Each kind of message once: what differs
# in numbers alone teaches a fuzzer nothing.
import hashlib
import pathlib
import re
import struct
import sys


def messages(data, group):
    at = 0
    while at + 16 <= len(data):
        size, kind, _ = struct.unpack_from("<IIQ", data, at)
        if kind == group:
            yield data[at + 16 : at + 16 + size]
        at += 16 + size


def main(group, directory, *captures):
    out = pathlib.Path(directory)
    out.mkdir(parents=True, exist_ok=True)
    seen = set()
    for capture in captures:
        for message in messages(pathlib.Path(capture).read_bytes(), int(group)):
            kind = re.sub(rb"[0-9]+", b"0", message)
            if kind not in seen:
                seen.add(kind)
                (out / hashlib.sha1(message).hexdigest()).write_bytes(message)


main(*sys.argv[1:])
