/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/usb_name.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

/* Four hexadecimal digits. Returns what follows them, or NULL. */
static const char *parse_id(const char *text, char id[static USB_NAME_DIGITS + 1])
{
    for (size_t i = 0; i < USB_NAME_DIGITS; i++) {
        if (!isxdigit((unsigned char)text[i]))
            return NULL;
        id[i] = (char)tolower((unsigned char)text[i]);
    }
    id[USB_NAME_DIGITS] = '\0';
    return text + USB_NAME_DIGITS;
}

bool usb_name_parse(const char *text, struct usb_name *ret)
{
    const char *at = after_prefix(text, "usb:");
    at = at ? parse_id(at, ret->vendor) : NULL;
    at = at && *at == ':' ? parse_id(at + 1, ret->product) : NULL;
    if (!at || (*at != '\0' && *at != ':'))
        return false;
    ret->serial = *at == ':' ? at + 1 : NULL;
    return true;
}

bool usb_name_fits(const struct usb_name *name, const struct usb_ids *device)
{
    return streq_null(device->vendor, name->vendor) && streq_null(device->product, name->product) &&
           (!name->serial || streq_null(device->serial, name->serial));
}

void usb_matches_add(struct usb_matches *matches, const struct usb_ids *device)
{
    size_t used = strlen(matches->text), room = sizeof(matches->text) - used;
    char entry[sizeof(matches->text)];
    const char *serial = device->serial;
    int length = snprintf(entry, sizeof(entry), "%susb:%s%s%s%s", matches->count ? ", " : "",
                          device->sysname, serial ? " (serial " : "", serial ? serial : "",
                          serial ? ")" : "");
    matches->count++;
    if (length >= 0 && (size_t)length < room) /* whole names only: half of one is another's */
        memcpy(matches->text + used, entry, (size_t)length + 1);
}

int usb_matches_judge(const struct usb_matches *matches, const struct usb_name *name,
                      struct refusal *why)
{
    const char *before = name->serial ? " with serial " : "";
    const char *serial = name->serial ? name->serial : "";
    if (matches->count == 0)
        return refuse(why, ENODEV, "no USB device %s:%s%s%s is plugged in", name->vendor,
                      name->product, before, serial);
    if (matches->count > 1)
        return refuse(why, ENOTUNIQ, "%zu USB devices are %s:%s%s%s, so say which by its port: %s",
                      matches->count, name->vendor, name->product, before, serial, matches->text);
    return 0;
}
