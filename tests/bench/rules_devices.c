/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rules_devices.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>

#define HUB "/devices/pci0000:00/0000:00:14.0/usb1"
#define PORT HUB "/1-2/1-2:1.0"

static const struct {
    const char *devpath, *subsystem, *driver, *uevent;
} CHAIN[BENCH_CHAIN] = {
    {PORT "/ttyUSB0/tty/ttyUSB0", "tty", NULL, "MAJOR=188\nMINOR=0\nDEVNAME=ttyUSB0\n"},
    {PORT "/ttyUSB0", "usb-serial", "cp210x", ""},
    {PORT, "usb", "cp210x", "DEVTYPE=usb_interface\n"},
    {HUB "/1-2", "usb", "usb", "DEVTYPE=usb_device\nDEVNAME=bus/usb/001/004\n"},
    {HUB, "usb", "usb", "DEVTYPE=usb_device\nDEVNAME=bus/usb/001/001\n"},
    {"/devices/pci0000:00/0000:00:14.0", "pci", "xhci_hcd", ""},
};

/* Attributes by the place in the chain. */
static const char *find_attribute(const struct bench_devices *devices, const struct device *device,
                                  const char *name)
{
    if (device == devices->chain[3])
        return streq(name, "idVendor")    ? devices->vendor
               : streq(name, "idProduct") ? devices->product
               : streq(name, "serial")    ? "0001"
                                          : NULL;
    if (device == devices->chain[4])
        return streq(name, "idVendor")    ? "1d6b"
               : streq(name, "idProduct") ? "0002"
               : streq(name, "serial")    ? "0000:00:14.0"
                                          : NULL;
    return NULL;
}

static int read_attribute(void *userdata, const struct device *device, const char *name, char **ret)
{
    struct bench_devices *devices = userdata;
    const char *value = find_attribute(devices, device, name);
    devices->reads++;
    if (!value)
        return 0;
    *ret = strdup(value);
    return *ret ? 1 : -ENOMEM;
}

static struct device *parent_of(void *userdata, const struct device *device)
{
    struct bench_devices *devices = userdata;
    if (device == devices->early)
        return devices->chain[1];
    for (size_t i = 0; i + 1 < BENCH_CHAIN; i++)
        if (devices->chain[i] == device)
            return devices->chain[i + 1];
    return NULL;
}

static struct device *make(const struct device_source *source, const char *devpath,
                           const char *subsystem, const char *driver, const char *uevent)
{
    struct device *device = NULL;
    if (device_new(devpath, subsystem, driver, uevent, 1, source, &device) < 0)
        errx(1, "%s cannot be made", devpath);
    return device;
}

static void tell_udevs(struct device *device)
{
    if (device_set_udev(device, NULL, NULL, NULL) < 0)
        errx(1, "device_set_udev fails");
}

void bench_devices_init(struct bench_devices *devices)
{
    *devices = (struct bench_devices){.source = {read_attribute, parent_of, devices, NULL}};
    for (size_t i = 0; i < BENCH_CHAIN; i++) {
        devices->chain[i] = make(&devices->source, CHAIN[i].devpath, CHAIN[i].subsystem,
                                 CHAIN[i].driver, CHAIN[i].uevent);
        tell_udevs(devices->chain[i]);
    }
    devices->early = make(&devices->source, CHAIN[0].devpath, CHAIN[0].subsystem, CHAIN[0].driver,
                          CHAIN[0].uevent);
    devices->net = make(&devices->source, "/devices/virtual/net/veth7", "net", NULL, "IFINDEX=7\n");
    tell_udevs(devices->net);
    bench_devices_plug(devices, 0x10c4, 0xea60);
}

void bench_devices_done(struct bench_devices *devices)
{
    for (size_t i = 0; i < BENCH_CHAIN; i++)
        device_free(devices->chain[i]);
    device_free(devices->early);
    device_free(devices->net);
}

void bench_devices_plug(struct bench_devices *devices, unsigned vendor, unsigned product)
{
    (void)snprintf(devices->vendor, sizeof(devices->vendor), "%04x", vendor);
    (void)snprintf(devices->product, sizeof(devices->product), "%04x", product);
    bench_devices_forget(devices);
}

void bench_devices_forget(struct bench_devices *devices)
{
    for (size_t i = 0; i < BENCH_CHAIN; i++)
        device_forget_attributes(devices->chain[i]);
    device_forget_attributes(devices->early);
    device_forget_attributes(devices->net);
}
