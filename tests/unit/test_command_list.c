/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tree of devices that devolvectl draws. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conversation.h"

#define PCI "/devices/pci0000:00/0000:00:14.0"
#define DEVICE(devpath, subsystem, sysname, more)                                                  \
    "{\"devpath\":\"" devpath "\",\"subsystem\":\"" subsystem "\",\"sysname\":\"" sysname          \
    "\"" more "}"
#define NODE(node, number) ",\"devnode\":\"" node "\",\"number\":\"" number "\""
#define DRIVER(name) ",\"driver\":\"" name "\""
#define GRANT(container, devpath, node, state)                                                     \
    "{\"container\":\"" container "\",\"devpath\":\"" devpath "\",\"node\":" node                  \
    ",\"state\":\"" state "\"}"

#define HUB PCI "/usb1/1-2"
#define STICK HUB "/1-2.1"
#define CAMERA HUB "/1-2.10"
#define SOME                                                                                                                                                                                                                                                                                                                                                                                                                                           \
    "{\"devices\":[" /* as the daemon sends them: by name, as bytes */                                                                                                                                                                                                                                                                                                                                                                                 \
        DEVICE(PCI, "pci", "0000:00:14.0", DRIVER("xhci_hcd")) "," DEVICE(                                                                                                                                                                                                                                                                                                                                                                             \
            PCI "/usb1", "usb", "usb1",                                                                                                                                                                                                                                                                                                                                                                                                                \
            NODE("/dev/bus/usb/001/001",                                                                                                                                                                                                                                                                                                                                                                                                               \
                 "c 189:0")) "," DEVICE(HUB, "usb", "1-2",                                                                                                                                                                                                                                                                                                                                                                                             \
                                        NODE("/dev/bus/usb/001/002",                                                                                                                                                                                                                                                                                                                                                                                   \
                                             "c 189:1")) "," DEVICE(STICK, "usb", "1-2.1",                                                                                                                                                                                                                                                                                                                                                             \
                                                                    NODE(                                                                                                                                                                                                                                                                                                                                                                              \
                                                                        "/dev/bus/usb/001/003",                                                                                                                                                                                                                                                                                                                                                        \
                                                                        "c 189:2")) "," DEVICE(CAMERA,                                                                                                                                                                                                                                                                                                                                                 \
                                                                                               "u"                                                                                                                                                                                                                                                                                                                                                     \
                                                                                               "s"                                                                                                                                                                                                                                                                                                                                                     \
                                                                                               "b",                                                                                                                                                                                                                                                                                                                                                    \
                                                                                               "1"                                                                                                                                                                                                                                                                                                                                                     \
                                                                                               "-"                                                                                                                                                                                                                                                                                                                                                     \
                                                                                               "2"                                                                                                                                                                                                                                                                                                                                                     \
                                                                                               "."                                                                                                                                                                                                                                                                                                                                                     \
                                                                                               "1"                                                                                                                                                                                                                                                                                                                                                     \
                                                                                               "0",                                                                                                                                                                                                                                                                                                                                                    \
                                                                                               NODE("/dev/bus/usb/001/004",                                                                                                                                                                                                                                                                                                                            \
                                                                                                    "c 189:3")) "," DEVICE(CAMERA                                                                                                                                                                                                                                                                                                                      \
                                                                                                                           "/1-2.10:1.0",                                                                                                                                                                                                                                                                                                              \
                                                                                                                           "usb",                                                                                                                                                                                                                                                                                                                      \
                                                                                                                           "1-2.10:1.0", DRIVER("uvcvideo")) "," DEVICE(CAMERA "/1-2.10:1.0/video0", "video4linux", "video0", NODE("/dev/video0", "c 81:0")) "," DEVICE(CAMERA "/1-2.10:1.0/video1", "video4linux", "video1", NODE("/dev/video1", "c 81:1")) "," DEVICE(HUB "/1-2.9", "usb",                                                           \
                                                                                                                                                                                                                                                                                                                                                                        "1-2.9",                                                                       \
                                                                                                                                                                                                                                                                                                                                                                        NODE("/dev/bus/usb/001/005",                                                   \
                                                                                                                                                                                                                                                                                                                                                                             "c 189:4")) "," DEVICE(STICK "/1-2.1:1.0",                                \
                                                                                                                                                                                                                                                                                                                                                                                                    "usb",                                             \
                                                                                                                                                                                                                                                                                                                                                                                                    "1-2.1:1.0",                                       \
                                                                                                                                                                                                                                                                                                                                                                                                    DRIVER("cp210x")) "," DEVICE(STICK                 \
                                                                                                                                                                                                                                                                                                                                                                                                                                 "/1-2.1:1.0/ttyUSB0", \
                                                                                                                                                                                                                                                                                                                                                                                                                                 "usb-serial", "ttyUSB0", "") "," DEVICE(STICK "/1-2.1:1.0/ttyUSB0/tty/ttyUSB0", "tty", "ttyUSB0", NODE("/dev/ttyUSB0", "c 188:0")) "]}"
#define SOME_GRANTS                                                                                \
    "{\"grants\":[" GRANT(                                                                         \
        "web1", STICK "/1-2.1:1.0/ttyUSB0/tty/ttyUSB0", "\"/dev/zigbee\"",                         \
        "delivered") "," GRANT("web1", STICK, "\"/dev/bus/usb/001/003\"",                          \
                               "delivered") "," GRANT("web2", STICK, "\"/dev/stick\"",             \
                                                      "refused") "," GRANT("web1",                 \
                                                                           STICK "/1-2.1:1.0",     \
                                                                           "null", "pending") "]}"

static const struct conversation conversations[] = {
    {
        "list --devices draws what has a node or is held, and where branches meet",
        command_list,
        {"list", "--devices"},
        {{CALL("ListDevices", "{\"parents\":true}"), REPLY(SOME)},
         {CALL("ListGrants", "{}"), REPLY(SOME_GRANTS)}},
        EXIT_DONE,
        "usb:usb1                        /dev/bus/usb/001/001  c 189:0  -\n"
        "`- usb:1-2                      /dev/bus/usb/001/002  c 189:1  -\n"
        "   |- usb:1-2.1                 /dev/bus/usb/001/003  c 189:2  -         "
        "web1 as /dev/bus/usb/001/003, delivered; web2 as /dev/stick, refused\n"
        "   |  `- usb:1-2.1:1.0          -                     -        cp210x    web1, pending\n"
        "   |     `- tty:ttyUSB0         /dev/ttyUSB0          c 188:0  -         "
        "web1 as /dev/zigbee, delivered\n"
        "   |- usb:1-2.9                 /dev/bus/usb/001/005  c 189:4  -\n"
        "   `- usb:1-2.10                /dev/bus/usb/001/004  c 189:3  -\n"
        "      `- usb:1-2.10:1.0         -                     -        uvcvideo\n"
        "         |- video4linux:video0  /dev/video0           c 81:0   -\n"
        "         `- video4linux:video1  /dev/video1           c 81:1   -\n",
        "",
    },
    {
        "siblings are ordered by number, and what is below one follows it",
        command_list,
        {"list", "--devices", "--all"},
        {{CALL("ListDevices", "{\"all\":true}"),
          REPLY("{\"devices\":[" DEVICE("/d/1a", "s", "1a", "") "," DEVICE("/d/10", "s", "10", "") "," DEVICE(
              "/d/9", "s", "9",
              "") "," DEVICE("/d/1", "s", "1",
                             "") "," DEVICE("/d/1/z", "s", "z",
                                            "") "," DEVICE("/d/01", "s", "01",
                                                           "") "," DEVICE("/d/1-1", "s", "1-1",
                                                                          "") "," DEVICE("/d/10/2/"
                                                                                         "x",
                                                                                         "s", "x",
                                                                                         "") "]}")},
         {CALL("ListGrants", "{}"), REPLY("{\"grants\":[]}")}},
        EXIT_DONE,
        "s:1     -  -  -\n"
        "`- s:z  -  -  -\n"
        "s:1-1   -  -  -\n"
        "s:1a    -  -  -\n"
        "s:01    -  -  -\n"
        "s:9     -  -  -\n"
        "s:10    -  -  -\n"
        "`- s:x  -  -  -\n",
        "",
    },
    {
        "list --devices --json has the devices and who holds them",
        command_list,
        {"list", "--devices", "--json"},
        {{CALL("ListDevices", "{\"parents\":true}"), REPLY("{\"devices\":[]}")},
         {CALL("ListGrants", "{}"), REPLY("{\"grants\":[]}")}},
        EXIT_DONE,
        "{\n  \"devices\": [],\n  \"grants\": []\n}\n",
        "",
    },
    {
        "a reply that lacks almost everything is drawn all the same",
        command_list,
        {"list", "--devices", "--all"},
        {{CALL("ListDevices", "{\"all\":true}"), REPLY("{\"devices\":[{},7]}")},
         {CALL("ListGrants", "{}"), REPLY("{\"grants\":17}")}},
        EXIT_DONE,
        "?:?  -  -  -\n?:?  -  -  -\n",
        "",
    },
};

static void each_conversation_goes_as_it_is_written(void **state)
{
    (void)state;
    conversations_hold(conversations, ARRAY_SIZE(conversations));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_conversation_goes_as_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
