/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/danger.h"

#include <ctype.h>

struct danger {
    const char *subsystem;
    const char *sysname;
    const char *why;
};

static const struct danger dangers[] = {
    {"mem", "mem", "it is the host's memory"},
    {"mem", "kmem", "it is the kernel's memory"},
    {"mem", "port", "it is the host's I/O ports"},
    {"mem", "kmsg", "it is the host's kernel log"},
    {"misc", "loop-control", "it makes block devices on the host"},
    {"misc", "uinput", "it types on the host's behalf"},
    {"misc", "uhid", "it makes input devices on the host"},
    {"misc", "vhci", "it makes Bluetooth controllers on the host"},
    {"misc", "fuse", "it serves file systems to the host"},
    {"misc", "kvm", "it runs virtual machines"},
    {"misc", "vhost-net", "it reaches the host's network stack"},
    {"misc", "vhost-vsock", "it reaches the host's vsock"},
    {"misc", "btrfs-control", "it registers disks with the host"},
    {"misc", "device-mapper", "it makes block devices on the host"},
    {"misc", "rfkill", "it switches the host's radios"},
    {"misc", "userfaultfd", "it hands out page fault handling"},
};

/* "usb1": a root hub; what hangs on it would follow. */
static bool is_root_hub(const struct device *device)
{
    const char *number = after_prefix(device->sysname, "usb");
    if (!streq(device->subsystem, "usb") || !number || !*number)
        return false;
    while (isdigit((unsigned char)*number))
        number++;
    return *number == '\0';
}

static bool is_input_node(const struct device *device)
{
    return streq(device->subsystem, "input") && device->number.kind != NODE_NONE;
}

bool danger_waits(const struct device *device)
{
    return is_input_node(device) && !device->initialised;
}

const char *danger_of(const struct device *device, const struct devnum *root_disks, size_t count)
{
    for (size_t i = 0; i < ARRAY_SIZE(dangers); i++)
        if (streq(device->subsystem, dangers[i].subsystem) &&
            streq(device->sysname, dangers[i].sysname))
            return dangers[i].why;
    /* logind's: keyboards and mice of those who sit at the host; the node-less parents have it too
     */
    if (is_input_node(device) && name_list_has(&device->udev.tags, "seat"))
        return "it belongs to the host's seat: what is typed there would be heard";
    if (is_root_hub(device))
        return "it is a root hub: everything plugged into it would follow";
    for (size_t i = 0; i < count; i++)
        if (device->number.kind == NODE_BLOCK && devnum_equal(&device->number, &root_disks[i]))
            return "it is the disk that holds the host's root file system";
    return NULL;
}
