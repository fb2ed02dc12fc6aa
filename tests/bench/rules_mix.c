/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rules_mix.h"

#include <err.h>
#include <stdio.h>

#define VENDORS 97u
#define CONTAINERS 500u

unsigned mix_vendor(unsigned number)
{
    return 0x1000u + number / MIX_PEOPLE_KINDS % VENDORS;
}

unsigned mix_product(unsigned number)
{
    return 0x8000u + number % 0x4000u;
}

unsigned mix_container(unsigned number)
{
    return number / MIX_PEOPLE_KINDS % CONTAINERS;
}

static int line_by_ids(char *out, size_t size, unsigned number)
{
    return snprintf(out, size,
                    "SUBSYSTEM==\"tty\", ATTRS{idVendor}==\"%04x\", ATTRS{idProduct}==\"%04x\", "
                    "CONTAINER+=\"lab-%u\", GROUP=\"dialout\", MODE=\"0660\"\n",
                    mix_vendor(number), mix_product(number), mix_container(number));
}

static int line_by_own_serial(char *out, size_t size, unsigned number)
{
    return snprintf(out, size,
                    "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", ATTR{serial}==\"S%06u\", "
                    "CONTAINER+=\"lab-%u\", OPTIONS+=\"subtree\"\n",
                    number, mix_container(number));
}

static int line_by_serial(char *out, size_t size, unsigned number)
{
    return snprintf(out, size,
                    "SUBSYSTEM==\"tty\", KERNEL==\"ttyUSB[0-9]*\", ATTRS{serial}==\"FT%06X\", "
                    "CONTAINER+=\"lab-%u\", SYMLINK+=\"board%u\"\n",
                    number, mix_container(number), number);
}

static int line_by_disk(char *out, size_t size, unsigned number)
{
    return snprintf(out, size,
                    "SUBSYSTEM==\"block\", KERNEL==\"sd?1\", ENV{ID_SERIAL}==\"Disk_%u\", "
                    "CONTAINER+=\"store-%u\", MODE=\"0600\"\n",
                    number, mix_container(number));
}

static int line_by_udevs_word(char *out, size_t size, unsigned number)
{
    return snprintf(out, size,
                    "SUBSYSTEM==\"tty\", ENV{ID_SERIAL_SHORT}==\"T%06u\", CONTAINER+=\"lab-%u\"\n",
                    number, mix_container(number));
}

static int line_refining(char *out, size_t size, unsigned number)
{
    return snprintf(out, size, "KERNEL==\"ttyUSB*\", CONTAINER==\"lab-%u\", SYMLINK+=\"con%u\"\n",
                    mix_container(number), number);
}

static int line_jumping(char *out, size_t size, unsigned number)
{
    return snprintf(out, size, "SUBSYSTEM!=\"hidraw\", GOTO=\"end%u\"\n",
                    number / MIX_PEOPLE_KINDS);
}

static int line_jumped_over(char *out, size_t size, unsigned number)
{
    return snprintf(out, size,
                    "ATTRS{idVendor}==\"%04x\", ATTRS{idProduct}==\"%04x\", "
                    "CONTAINER+=\"kiosk-%u\", MODE=\"0660\"\n",
                    mix_vendor(number), mix_product(number), mix_container(number));
}

static int line_labelled(char *out, size_t size, unsigned number)
{
    return snprintf(out, size, "LABEL=\"end%u\"\n", number / MIX_PEOPLE_KINDS);
}

static int line_by_port(char *out, size_t size, unsigned number)
{
    return snprintf(out, size,
                    "SUBSYSTEM==\"input\", KERNEL==\"event*\", KERNELS==\"1-%u.4\", "
                    "CONTAINER+=\"kiosk-%u\"\n",
                    number, mix_container(number));
}

static int people_line(char *out, size_t size, unsigned number)
{
    static const mix_line_fn KINDS[MIX_PEOPLE_KINDS] = {
        line_by_ids,   line_by_own_serial, line_by_serial,   line_by_disk,  line_by_udevs_word,
        line_refining, line_jumping,       line_jumped_over, line_labelled, line_by_port,
    };
    return KINDS[number % MIX_PEOPLE_KINDS](out, size, number);
}

/* By label, as a container's name is asked for like any other literal. */
static int open_glob_line(char *out, size_t size, unsigned number)
{
    return snprintf(out, size, "KERNEL==\"*-%u\", CONTAINER+=\"label:app=octoprint\"\n", number);
}

static int negative_line(char *out, size_t size, unsigned number)
{
    return snprintf(out, size, "SUBSYSTEM!=\"s%u|tty|net\", CONTAINER+=\"label:app=octoprint\"\n",
                    number);
}

/* What an earlier rule may have set is nothing that the device tells. */
static int flag_line(char *out, size_t size, unsigned number)
{
    if (number % 2 == 0)
        return snprintf(out, size, "KERNEL==\"k%u\", ENV{.flag}=\"%u\"\n", number, number);
    return snprintf(out, size, "ENV{.flag}==\"%u\", CONTAINER+=\"label:app=octoprint\"\n",
                    number - 1);
}

/* Each ends the matter for one container: what comes too late is looked for among all of them. */
static int ending_line(char *out, size_t size, unsigned number)
{
    return snprintf(out, size,
                    "KERNEL==\"ttyUSB0\", CONTAINER+=\"lab-%u\", OPTIONS+=\"last_rule\"\n", number);
}

const struct mix MIX_PEOPLE = {"people", "what people write", people_line};
const struct mix MIX_HOSTILE[MIX_HOSTILE_COUNT] = {
    {"globs", "KERNEL==\"*-17\": nothing but globs that begin with a star", open_glob_line},
    {"negative", "SUBSYSTEM!=\"...\": nothing but negative matches", negative_line},
    {"flags", "ENV{.flag}==\"17\": every other rule asks for what another rule sets", flag_line},
};
const struct mix MIX_ENDINGS = {"endings", "last_rule for one container each", ending_line};

char *mix_text(const struct mix *mix, unsigned first, unsigned count)
{
    size_t size = (size_t)count * MIX_LINE_MAX + 1, length = 0;
    char *text = malloc(size);
    if (!text)
        err(1, "malloc");
    text[0] = '\0';
    for (unsigned i = first; i < first + count; i++)
        length += (size_t)mix->line(text + length, size - length, i);
    return text;
}
