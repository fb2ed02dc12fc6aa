/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The devices that are judged: a USB tty five levels below its host controller, and a net device
 * that hangs nowhere. Attributes come from a table, and each reading is counted.
 */

#include "model/device.h"

#define BENCH_CHAIN 6 /* the tty, its port, the interface, the USB device, the root hub, PCI */

struct bench_devices {
    struct device_source source;
    struct device *chain[BENCH_CHAIN]; /* from the tty up */
    struct device *early;              /* the tty, of which udev has not told */
    struct device *net;
    char vendor[8], product[8]; /* of the USB device */
    size_t reads;               /* of attributes, since the start */
};

/* udev is done with all but one. It ends the program where memory is short. */
void bench_devices_init(struct bench_devices *devices);
void bench_devices_done(struct bench_devices *devices);

/* Another stick is in the port. */
void bench_devices_plug(struct bench_devices *devices, unsigned vendor, unsigned product);

/* What was read is forgotten, as when an event makes the daemon read the devices anew. */
void bench_devices_forget(struct bench_devices *devices);
