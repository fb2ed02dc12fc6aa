#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Varlink client in a few lines, which shares nothing with devolve's own.

varlink.py call SOCKET METHOD [PARAMETERS]   one call; prints the parameters of the reply
varlink.py exchange SOCKET                   sends standard input as it is; prints each reply on a line, then
                                             "closed" where the other side hung up, "open" where it did not
"""

import json
import socket
import sys

QUIET_SECONDS = 3  # without a word and without a hang-up for so long: the connection stays open
CALL_SECONDS = 30


def connect(path, seconds):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(seconds)
    connection.connect(path)
    return connection


def call(path, method, parameters="{}"):
    connection = connect(path, CALL_SECONDS)
    request = {"method": method, "parameters": json.loads(parameters)}
    connection.sendall(json.dumps(request).encode() + b"\0")
    reply = b""
    while not reply.endswith(b"\0"):
        part = connection.recv(1 << 16)
        if not part:
            sys.exit("the daemon hung up")
        reply += part
    answer = json.loads(reply[:-1])
    if "error" in answer:
        sys.exit(f"{answer['error']} {json.dumps(answer.get('parameters', {}))}")
    print(json.dumps(answer.get("parameters", {})))


def exchange(path):
    connection = connect(path, QUIET_SECONDS)
    received, state = b"", "open"
    try:
        connection.sendall(sys.stdin.buffer.read())
    except (BrokenPipeError, ConnectionResetError):
        state = "closed"  # in the middle of our sending; what was answered before may still be read
    try:
        while part := connection.recv(1 << 16):
            received += part
        state = "closed"
    except socket.timeout:
        pass
    except ConnectionResetError:
        state = "closed"
    for reply in received.split(b"\0"):
        if reply:
            print(reply.decode(errors="replace"))
    print(state)


if __name__ == "__main__":
    {"call": call, "exchange": exchange}[sys.argv[1]](*sys.argv[2:])
