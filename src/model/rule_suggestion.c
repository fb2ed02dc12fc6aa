/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What tells a device from others, the surest first: the serial number of the USB device that it is
 * or belongs to, unless that looks like one that its maker put into all of them; the name that a
 * disk has for itself; the address of a network interface; the place that it is plugged into; its
 * name. All parent keys of one rule are about one and the same parent, as they must be.
 */
#include "model/rule_suggestion.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "model/danger.h"
#include "model/rule_glob.h"
#include "model/rule_quote.h"

#define SERIAL_MIN 5  /* characters: makers who count begin with "0001" */
#define VALUE_MAX 256 /* longer ones are not for rules */
#define WITH_OTHERS ", with all others of this kind in it"

/* The rule in the making. */
struct draft {
    struct rule_suggestions *suggestions;
    struct device *device;
    struct device *usb; /* the USB device that it is or belongs to, or NULL */
    FILE *why, *rule;
};

/* --- keys */

static void begin_key(struct draft *draft, const char *key)
{
    fprintf(draft->rule, "%s%s==", ftell(draft->rule) > 0 ? ", " : "", key);
}

static void add_key(struct draft *draft, const char *key, const char *value)
{
    begin_key(draft, key);
    rule_quote(draft->rule, value);
}

/* An attribute of `of`; nothing where it has none. */
static void add_attribute(struct draft *draft, struct device *of, const char *name)
{
    char key[64];
    const char *value = device_attribute(of, name);
    snprintf(key, sizeof(key), "%s{%s}", of == draft->device ? "ATTR" : "ATTRS", name);
    if (value && rule_glob_trimmed_length(value) > 0)
        add_key(draft, key, value);
}

/* The kind of the device. A few have no subsystem. */
static void add_subsystem(struct draft *draft)
{
    const struct device *device = draft->device;
    if (device->subsystem[0])
        add_key(draft, "SUBSYSTEM", device->subsystem);
    if (device->devtype && (streq(device->subsystem, "block") || streq(device->subsystem, "usb")))
        add_key(draft, "ENV{DEVTYPE}", device->devtype);
    if (streq_null(device->devtype, "partition"))
        add_attribute(draft, draft->device, "partition");
}

/*
 * Which of the devices of this kind below one parent: event and mouse, control and pcm. The numbers
 * are given as devices come, save for those behind a sound card's. Disks are told apart by letters,
 * in the same way.
 */
static void add_stem(struct draft *draft)
{
    const char *name = draft->device->sysname;
    size_t open_numbers = streq(draft->device->subsystem, "sound") ? 1 : SIZE_MAX;
    if (streq(draft->device->subsystem, "block") || !strpbrk(name, "0123456789"))
        return;
    begin_key(draft, "KERNEL");
    rule_quote_stem(draft->rule, name, open_numbers);
}

/* Of some kinds one USB interface has several. */
static const struct kind {
    const char *subsystem;
    const char *attribute; /* that tells them apart; what lacks it is alone there */
} KINDS[] = {
    {"video4linux", "index"}, /* picture and metadata of one camera */
    {"tty", "device/port_number"},
    {"sound", NULL}, /* by name */
    {"block", NULL}, /* by logical unit, as the next two */
    {"scsi_generic", NULL},
    {"bsg", NULL},
    {"usb", NULL},
    {"hidraw", NULL},
    {"usbmisc", NULL},
    {"net", NULL},
};

static const struct kind *find_kind(const struct draft *draft)
{
    for (size_t i = 0; i < ARRAY_SIZE(KINDS); i++)
        if (streq(draft->device->subsystem, KINDS[i].subsystem))
            return &KINDS[i];
    return NULL;
}

/* Which of several on one interface: by an attribute; else the sentence says that there may be. */
static void add_telling_attribute(struct draft *draft)
{
    struct device *device = draft->device;
    bool is_input = streq(device->subsystem, "input");
    const struct kind *kind = find_kind(draft);
    if (is_input && device_attribute(device, "device/name")) /* of event, mouse and js */
        add_attribute(draft, device, "device/name");
    else if (is_input && device_attribute(device, "name"))
        add_attribute(draft, device, "name");
    else if (kind && kind->attribute)
        add_attribute(draft, device, kind->attribute);
    else if (!kind)
        fputs(WITH_OTHERS, draft->why);
}

/* The nearest device of this type above, below the USB device; or NULL. */
static const struct device *find_below_usb(const struct draft *draft, const char *devtype)
{
    const struct device *above = device_parent(draft->device);
    while (above && above != draft->usb && !streq_null(above->devtype, devtype))
        above = device_parent(above);
    return above && above != draft->usb && strchr(above->sysname, ':') ? above : NULL;
}

/*
 * Which interface of several, and which logical unit: the attributes of these would be those of
 * another parent than the USB device's, so that the path has to tell. Interfaces are named
 * DEVICE:CONFIGURATION.INTERFACE, logical units HOST:CHANNEL:TARGET:LUN, of which the host is a
 * number that is given as they come.
 */
static void add_path(struct draft *draft, bool is_one_of_several)
{
    const struct device *interface =
        is_one_of_several ? find_below_usb(draft, "usb_interface") : NULL;
    const struct device *unit = find_below_usb(draft, "scsi_device");
    if (!interface && !unit)
        return;
    begin_key(draft, "DEVPATH");
    fputs("\"*", draft->rule);
    if (interface)
        fprintf(draft->rule, "%s/*", strrchr(interface->sysname, ':'));
    if (unit)
        fprintf(draft->rule, "%s/*", strchr(unit->sysname, ':'));
    fputc('"', draft->rule);
}

static void add_interface(struct draft *draft)
{
    const char *count = device_attribute(draft->usb, "bNumInterfaces");
    bool is_one_of_several = count && strtoul(count, NULL, 10) > 1;
    if (draft->device == draft->usb)
        return;
    if (!streq_null(draft->device->devtype, "usb_interface"))
        add_path(draft, is_one_of_several);
    else if (is_one_of_several)
        add_attribute(draft, draft->device, "bInterfaceNumber");
}

/* --- a rule as a whole */

static bool draft_begin(struct draft *draft, size_t *size)
{
    struct rule_suggestion *next = &draft->suggestions->items[draft->suggestions->count++];
    draft->why = open_memstream(&next->why, &size[0]);
    draft->rule = open_memstream(&next->rule, &size[1]);
    return draft->why && draft->rule;
}

static int close_stream(FILE *stream)
{
    return stream && fclose(stream) == 0 ? 0 : -ENOMEM;
}

/* What is to be filled in, in the second line. */
static void add_assignments(struct draft *draft)
{
    const char *danger = danger_of(draft->device, NULL, 0);
    fputs(", \\\n    CONTAINER+=\"my-container\"", draft->rule);
    if (draft->device->number.kind != NODE_NONE)
        fputs(", SYMLINK+=\"my-device\"", draft->rule);
    if (draft->device == draft->usb)
        fputs("; with OPTIONS+=\"subtree\", all that hangs below it too", draft->why);
    if (danger)
        fputs(", OPTIONS+=\"dangerous\"", draft->rule);
    if (danger)
        fprintf(draft->why, "; dangerous, because %s", danger);
    fputc('\n', draft->rule);
}

/* Adds one rule, if `keys` says that there is one. Returns 0 or -ENOMEM. */
static int suggest(struct draft *draft, void (*keys)(struct draft *draft))
{
    size_t size[2];
    if (draft_begin(draft, size)) {
        add_subsystem(draft);
        keys(draft);
        draft->suggestions->items[draft->suggestions->count - 1].keys_length =
            (size_t)ftell(draft->rule);
        add_assignments(draft);
    }
    int r = close_stream(draft->why), closed = close_stream(draft->rule);
    draft->why = draft->rule = NULL;
    return r < 0 ? r : closed;
}

/* --- USB */

/* "000000", "00000001", "123456789", "0123456789ABCDEF": each digit follows from the one before. */
static bool is_counted(const char *text, size_t length)
{
    size_t same = 1, rising = 1;
    for (size_t i = 1; i < length; i++) {
        same += text[i] == text[0];
        rising += text[i] == text[i - 1] + 1 || (text[i - 1] == '9' && strchr("0Aa", text[i]));
    }
    return same + 1 >= length || rising == length;
}

/* Whether the maker seems to have put this serial number into one device only. */
static bool serial_is_own(const char *serial)
{
    size_t length = serial ? rule_glob_trimmed_length(serial) : 0;
    return length >= SERIAL_MIN && length < VALUE_MAX && !is_counted(serial, length) &&
           rule_quote_tells(serial);
}

static void add_usb_keys(struct draft *draft)
{
    if (draft->device != draft->usb && !streq_null(draft->device->devtype, "usb_interface")) {
        add_stem(draft);
        add_telling_attribute(draft);
    }
    add_interface(draft);
    add_attribute(draft, draft->usb, "idVendor");
    add_attribute(draft, draft->usb, "idProduct");
}

static void by_usb_serial(struct draft *draft)
{
    fputs("By the serial number of the USB device", draft->why);
    add_usb_keys(draft);
    add_attribute(draft, draft->usb, "serial");
}

static void by_usb_port(struct draft *draft)
{
    const char *serial = device_attribute(draft->usb, "serial");
    char printable[VALUE_MAX];
    fputs("By the USB port that it is plugged into", draft->why);
    if (serial && !serial_is_own(serial)) {
        text_printable(printable, sizeof(printable), serial, strlen(serial));
        fprintf(draft->why, " (others may have the serial number \"%s\" too)", printable);
    }
    add_usb_keys(draft);
    add_key(draft, draft->device == draft->usb ? "KERNEL" : "KERNELS", draft->usb->sysname);
}

static int suggest_usb(struct draft *draft)
{
    int r = 0;
    if (serial_is_own(device_attribute(draft->usb, "serial")))
        r = suggest(draft, by_usb_serial);
    return r < 0 ? r : suggest(draft, by_usb_port);
}

/* --- others */

static struct device *find_attribute(struct device *device, const char *name)
{
    while (device) {
        const char *value = device_attribute(device, name);
        if (value && rule_quote_tells(value) && strlen(value) < VALUE_MAX)
            return device;
        device = device_parent(device);
    }
    return NULL;
}

static void by_disk(struct draft *draft)
{
    fputs("By the name that the disk has for itself", draft->why);
    add_attribute(draft, find_attribute(draft->device, "wwid"), "wwid");
}

/* A bridge, a vlan or the like may have the address of the interface that it is made of. */
static void by_address(struct draft *draft)
{
    const char *devtype = draft->device->devtype;
    fputs("By the network interface's address", draft->why);
    add_key(draft, "ENV{DEVTYPE}", devtype ? devtype : "");
    add_attribute(draft, draft->device, "address");
}

static struct device *find_pci_parent(const struct device *device)
{
    struct device *parent = device_parent(device);
    while (parent && !streq(parent->subsystem, "pci"))
        parent = device_parent(parent);
    return parent;
}

static void by_slot(struct draft *draft)
{
    fputs("By the PCI slot" WITH_OTHERS, draft->why);
    add_stem(draft);
    add_key(draft, "KERNELS", find_pci_parent(draft->device)->sysname);
}

static void by_name(struct draft *draft)
{
    const struct device *device = draft->device;
    bool is_pci = streq(device->subsystem, "pci");
    fputs(is_pci ? "By its PCI address" : "By its name", draft->why);
    if (!is_pci && !after_prefix(device->devpath, "/devices/virtual/"))
        fputs(", which may be that of another device tomorrow", draft->why);
    if (device->subsystem[0])
        add_key(draft, "KERNEL", device->sysname);
    else
        add_key(draft, "DEVPATH", device->devpath);
}

static bool has_address(struct device *device)
{
    const char *address =
        streq(device->subsystem, "net") ? device_attribute(device, "address") : NULL;
    return address && strpbrk(address, "123456789abcdef");
}

static int suggest_others(struct draft *draft)
{
    struct device *device = draft->device;
    int r = 0;
    if (streq(device->subsystem, "block") && find_attribute(device, "wwid"))
        r = suggest(draft, by_disk);
    if (r == 0 && has_address(device))
        r = suggest(draft, by_address);
    if (r == 0 && draft->usb)
        r = suggest_usb(draft);
    if (r == 0 && !draft->usb && !streq(device->subsystem, "pci") && find_pci_parent(device))
        r = suggest(draft, by_slot);
    if (r == 0 && device != draft->usb) /* that is named after its port */
        r = suggest(draft, by_name);
    return r;
}

int rule_suggest(struct device *device, struct rule_suggestions *ret)
{
    struct rule_suggestions suggestions = {.count = 0};
    struct draft draft = {.suggestions = &suggestions, .device = device, .usb = device_usb(device)};
    int r = suggest_others(&draft);
    if (r < 0)
        rule_suggestions_done(&suggestions);
    else
        *ret = suggestions;
    return r;
}

void rule_suggestions_done(struct rule_suggestions *suggestions)
{
    for (size_t i = 0; i < suggestions->count; i++) {
        free(suggestions->items[i].why);
        free(suggestions->items[i].rule);
    }
    *suggestions = (struct rule_suggestions){0};
}
