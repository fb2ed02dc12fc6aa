# SPDX-License-Identifier: LGPL-2.1-or-later
#
# watch.py SUBSYSTEM: prints each of udev's events that pyudev hears: what a program sees that is written in Python.

import sys

import pyudev

monitor = pyudev.Monitor.from_netlink(pyudev.Context())
monitor.filter_by(sys.argv[1])
monitor.start()
print("ready", flush=True)
for device in iter(monitor.poll, None):
    print(device.action, device.device_node, device.is_initialized, device.get("ID_SERIAL"), *sorted(device.device_links),
          flush=True)
