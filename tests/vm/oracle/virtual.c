/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * virtual KIND: makes a device that only a program can make, says "ready" and keeps it until it is
 * killed. Statically linked, for a machine without libraries. The names have what trips a matcher
 * up: blanks at the end, glob characters, quotes, letters beyond ASCII.
 */

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/uhid.h>
#include <linux/uinput.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A mouse with one button: HID 1.11, appendix E.10, cut down. */
static const unsigned char MOUSE_DESCRIPTOR[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00, 0x05, 0x09, 0x19, 0x01, 0x29,
    0x01, 0x15, 0x00, 0x25, 0x01, 0x95, 0x08, 0x75, 0x01, 0x81, 0x02, 0x05, 0x01, 0x09, 0x30,
    0x09, 0x31, 0x15, 0x81, 0x25, 0x7f, 0x75, 0x08, 0x95, 0x02, 0x81, 0x06, 0xc0, 0xc0,
};

static int make_input(const char *name, unsigned short product, unsigned first_key)
{
    int fd = open("/dev/uinput", O_RDWR | O_CLOEXEC);
    struct uinput_setup setup = {.id = {BUS_VIRTUAL, 0x1209, product, 1}};
    if (fd < 0 || ioctl(fd, UI_SET_EVBIT, EV_KEY) < 0)
        return -1;
    for (unsigned key = first_key; key < first_key + 8; key++)
        if (ioctl(fd, UI_SET_KEYBIT, key) < 0)
            return -1;
    (void)snprintf(setup.name, sizeof(setup.name), "%s", name);
    return ioctl(fd, UI_DEV_SETUP, &setup) < 0 ? -1 : ioctl(fd, UI_DEV_CREATE);
}

static int make_keyboard(void)
{
    return make_input("Lab keyboard  ", 0xabcd, KEY_1);
}

static int make_gamepad(void)
{
    return make_input("Gämepad [one|two]*?", 0x0002, BTN_GAMEPAD);
}

static int make_switch(void)
{
    return make_input("\"quoted\" \\back\\ $kernel %k", 0x0003, KEY_POWER);
}

static int make_blanks(void)
{
    return make_input("form feed \v\f", 0x0005, KEY_POWER);
}

static int make_mouse(void)
{
    int fd = open("/dev/uhid", O_RDWR | O_CLOEXEC);
    struct uhid_event event = {.type = UHID_CREATE2};
    struct uhid_create2_req *mouse = &event.u.create2;
    (void)snprintf((char *)mouse->name, sizeof(mouse->name), "Lab mouse\tone ");
    (void)snprintf((char *)mouse->uniq, sizeof(mouse->uniq), "SERIAL 1");
    memcpy(mouse->rd_data, MOUSE_DESCRIPTOR, sizeof(MOUSE_DESCRIPTOR));
    mouse->rd_size = sizeof(MOUSE_DESCRIPTOR);
    mouse->bus = BUS_USB;
    mouse->vendor = 0x1209;
    mouse->product = 0x0004;
    return fd < 0 ? -1 : (int)write(fd, &event, sizeof(event));
}

static int make_tap(void)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = "tap7"};
    return fd < 0 ? -1 : ioctl(fd, TUNSETIFF, &request);
}

static const struct {
    const char *name;
    int (*make)(void);
} KINDS[] = {
    {"keyboard", make_keyboard}, {"gamepad", make_gamepad}, {"switch", make_switch},
    {"blanks", make_blanks},     {"mouse", make_mouse},     {"tap", make_tap},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
        if (strcmp(argv[1], KINDS[i].name) != 0)
            continue;
        if (KINDS[i].make() < 0) {
            perror(argv[1]);
            return 1;
        }
        puts("ready");
        (void)fflush(stdout);
        for (;;)
            pause();
    }
    fprintf(stderr, "usage: virtual keyboard|gamepad|switch|blanks|mouse|tap\n");
    return 2;
}
