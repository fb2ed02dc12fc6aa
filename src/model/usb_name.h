/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * "usb:VID:PID[:SERIAL]": a USB device as people know it. Several that are plugged in may answer to
 * it, and which of them is meant is nobody's to guess.
 */

#include "base/refusal.h"

#define USB_NAME_DIGITS 4

struct usb_name {
    char vendor[USB_NAME_DIGITS + 1]; /* in lower case, as sysfs has them */
    char product[USB_NAME_DIGITS + 1];
    const char *serial; /* borrowed from the text; NULL: any */
};

/* Whether the text is such a name: "usb:1-2" and the interface "usb:1-2:1.0" are none. */
bool usb_name_parse(const char *text, struct usb_name *ret);

/* The attributes of a device (NULL where it has none), as they were when it was looked at. */
struct usb_ids {
    const char *sysname; /* "1-1.2": its port */
    const char *vendor, *product, *serial;
};

bool usb_name_fits(const struct usb_name *name, const struct usb_ids *device);

/* Who answered to a name so far. */
struct usb_matches {
    size_t count;
    char
        text[REFUSAL_MAX / 2]; /* "usb:1-1.2 (serial A50285BI), usb:1-1.3": names to take instead */
};

void usb_matches_add(struct usb_matches *matches, const struct usb_ids *device);

/* Says that none answered (-ENODEV) or several (-ENOTUNIQ), by name; 0 where it was one. */
int usb_matches_judge(const struct usb_matches *matches, const struct usb_name *name,
                      struct refusal *why);
