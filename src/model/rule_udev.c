/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/rule_udev.h"

struct name {
    const char *text;
    bool is_prefix;
};

bool rule_udev_knows(const char *property, size_t length)
{
    static const struct name names[] = {
        {"ID_", true},      {"DEVLINKS", false}, {"TAGS", false},     {"CURRENT_TAGS", false},
        {"SYSTEMD_", true}, {"UDEV_", true},     {"LIBINPUT_", true}, {"DEVOLVE_", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t known = strlen(names[i].text);
        if (length >= known && memcmp(property, names[i].text, known) == 0 &&
            (names[i].is_prefix || length == known))
            return true;
    }
    return false;
}

const char *rule_udev_kernels_key(const char *property, struct device *device)
{
    static const struct {
        const char *property, *key;
        const char *attribute; /* that the USB device must have; NULL: none */
    } KEYS[] = {
        {"ID_VENDOR_ID", "ATTRS{idVendor}", "idVendor"},
        {"ID_MODEL_ID", "ATTRS{idProduct}", "idProduct"},
        {"ID_SERIAL_SHORT", "ATTRS{serial}", "serial"},
        {"ID_BUS", "SUBSYSTEMS", NULL},
        {"ID_USB_DRIVER", "DRIVERS", NULL},
    };
    struct device *usb = device_usb(device);
    for (size_t i = 0; usb && i < ARRAY_SIZE(KEYS); i++)
        if (streq(property, KEYS[i].property))
            return !KEYS[i].attribute || device_attribute(usb, KEYS[i].attribute) ? KEYS[i].key
                                                                                  : NULL;
    return NULL;
}
