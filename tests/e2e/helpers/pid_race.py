#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""pid_race.py SOCKET TAKEOVER NUMBER ONE OTHER KIND ROUNDS NODE

In each round a process of this NUMBER in the namespaces of ONE is registered as `victim`, which is given NODE, and at
some moment of that the number goes to a process in those of OTHER. KIND is `named`, the registration has the start
time of the first one, or `numbered`, it has not, so that it may mean either, but all of one. Wrong is a NODE with
OTHER where the first one was named; a NODE with both; and a registration that outlives its process. Prints
"N races: N were registered, N refused, N wrong".
"""

import json
import os
import random
import socket
import subprocess
import sys
import time

SECONDS = 20
DELAYS = -0.0005, 0.006  # seconds between the two, of which a registration takes a few thousandths


class Daemon:
    def __init__(self, path):
        self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.connection.connect(path)
        self.connection.settimeout(SECONDS)

    def send(self, method, **parameters):
        request = {"method": "io.devolve." + method, "parameters": parameters}
        self.connection.sendall(json.dumps(request).encode() + b"\0")

    def answer(self):
        text = b""
        while not text.endswith(b"\0"):
            part = self.connection.recv(1 << 16)
            if not part:
                sys.exit("the daemon hung up")
            text += part
        return json.loads(text[:-1])

    def call(self, method, **parameters):
        self.send(method, **parameters)
        return self.answer()

    def containers(self):
        return self.call("ListContainers")["parameters"]["containers"]


class Race:
    def __init__(self, path, takeover, number, one, other, node):
        self.daemon, self.number, self.node = Daemon(path), int(number), node
        self.one, self.other = one, other
        self.takeover = subprocess.Popen(
            [takeover, number, one, other], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def tell(self, name):
        self.takeover.stdin.write(name + "\n")

    def told(self):
        return int(self.takeover.stdout.readline().split()[1])

    def has(self, pid):
        """Whether the node is there and can be opened: what was revoked has no mode."""
        try:
            return os.lstat(f"/proc/{pid}/root{self.node}").st_mode & 0o777 != 0
        except FileNotFoundError:
            return False

    def wait_for(self, condition):
        deadline = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def run(self, named, delay):
        """Returns whether it was registered, and whether anything was wrong."""
        self.tell("one")
        parameters = {"name": "victim", "pid": self.number}
        started = self.told()
        if named:
            parameters["start_time"] = started
            # the start time is in ticks of 10 ms: the next one is to begin in another
            self.wait_for(lambda: time.clock_gettime(time.CLOCK_BOOTTIME) * 100 > started + 1)
        acts = [lambda: self.daemon.send("Register", **parameters), lambda: self.tell("other")]
        if delay < 0:
            acts.reverse()
        acts[0]()
        until = time.perf_counter() + abs(delay)
        while time.perf_counter() < until:
            pass
        acts[1]()
        registered = "error" not in self.daemon.answer()
        self.told()
        wrong = named and self.has(self.other)
        if not named and self.daemon.containers() and self.has(self.other):
            wrong = self.has(self.one)
            self.tell("one")
            self.told()
        wrong |= not self.wait_for(lambda: not self.daemon.containers())
        return registered, wrong


def main(path, takeover, number, one, other, kind, rounds, node):
    race = Race(path, takeover, number, one, other, node)
    outcomes = [race.run(kind == "named", random.uniform(*DELAYS)) for _ in range(int(rounds))]
    race.takeover.stdin.close()
    race.takeover.wait()
    registered, wrong = (sum(column) for column in zip(*outcomes))
    print(f"{rounds} races: {registered} were registered, {int(rounds) - registered} refused, {wrong} wrong")


if __name__ == "__main__":
    main(*sys.argv[1:])
