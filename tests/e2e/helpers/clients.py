#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients as they should not be, and one that looks at the clock.

clients.py pipeline SOCKET      sends standard input, then closes its sending half; prints each reply on a line
                                until the other side hangs up
clients.py crowd SOCKET COUNT   COUNT connections with half a message each; prints "ready", holds them until
                                standard input ends
clients.py siege SOCKET COUNT   COUNT connections one after the other by another user than root (of root's group, which
                                may use the socket here), every second one with half a message, of which the last
                                500 stay open; prints "ready" at the first and "done" at the last
clients.py deaf SOCKET          a monitor that reads its first message only; prints "ready", holds on until
                                standard input ends
clients.py watch SOCKET         a monitor; prints "ready", then "closed" when the other side hangs up
clients.py slowest SOCKET COUNT calls GetMetrics, on a new connection each time, until the daemon has read COUNT
                                events in all; prints the milliseconds that the longest call took
"""

import collections
import json
import os
import socket
import sys
import time

CALL = b'{"method":"io.devolve.GetMetrics"}\0'
MONITOR = b'{"method":"io.devolve.Monitor","more":true}\0'
SECONDS = 60


def connect(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(path)  # without a time-out: that would make it EAGAIN where others wait to be accepted
    connection.settimeout(SECONDS)
    return connection


def message(connection):
    text = b""
    while not text.endswith(b"\0"):
        part = connection.recv(1 << 16)
        if not part:
            sys.exit("the daemon hung up")
        text += part
    return text


def ready():
    print("ready", flush=True)


def pipeline(path):
    connection = connect(path)
    connection.sendall(sys.stdin.buffer.read())
    connection.shutdown(socket.SHUT_WR)
    received = b""
    while part := connection.recv(1 << 16):
        received += part
    for reply in received.split(b"\0"):
        if reply:
            print(json.dumps(json.loads(reply)))


def crowd(path, count):
    connections = []
    for _ in range(int(count)):
        connections.append(connect(path))
        try:
            connections[-1].sendall(CALL[:-5])
        except (BrokenPipeError, ConnectionResetError):
            pass
    ready()
    sys.stdin.read()


def siege(path, count):
    os.setgroups([])
    os.setresuid(12345, 12345, 12345)
    held = collections.deque(maxlen=500)
    for number in range(int(count)):
        held.append(connect(path))
        if number % 2:
            try:
                held[-1].sendall(CALL[: number % len(CALL)])
            except (BrokenPipeError, ConnectionResetError):
                pass
        if number == 0:
            ready()
    print("done", flush=True)


def deaf(path):
    connection = connect(path)
    connection.sendall(MONITOR)
    message(connection)
    ready()
    sys.stdin.read()


def watch(path):
    connection = connect(path)
    connection.sendall(MONITOR)
    message(connection)
    ready()
    while connection.recv(1 << 16):
        pass
    print("closed", flush=True)


def slowest(path, count):
    longest, events = 0.0, 0
    while events < int(count):
        begun = time.monotonic()
        connection = connect(path)
        connection.sendall(CALL)
        reply = message(connection)
        connection.close()
        longest = max(longest, time.monotonic() - begun)
        events = json.loads(reply[:-1])["parameters"]["metrics"]["events_received"]
    print(int(longest * 1000))


if __name__ == "__main__":
    {f.__name__: f for f in (pipeline, crowd, siege, deaf, watch, slowest)}[sys.argv[1]](*sys.argv[2:])
